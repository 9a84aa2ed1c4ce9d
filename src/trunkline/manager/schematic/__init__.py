"""The picture of a company's whole wiring: what is called, through which SIP Profile, and where it rings (SPEC R11; guide 9)."""

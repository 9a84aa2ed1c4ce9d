"""Keeps what went over the wire of calls, for their SIP ladders (SPEC R13). A process of its own: no call needs it."""

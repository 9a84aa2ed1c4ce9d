"""Business accounts of a company, and their groups (SPEC R1.3)."""

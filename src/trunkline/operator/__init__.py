"""The operator's console: pages for the staff, apart from the companies' (SPEC R12)."""

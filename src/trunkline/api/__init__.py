"""The REST API: everything that a company's people can do in the Manager, for its programs, over the same use cases (docs/reference/api.md)."""

"""Signing in, signing up, and what belongs to a person rather than to a company."""

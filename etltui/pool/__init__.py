"""Lends database sessions under limits."""

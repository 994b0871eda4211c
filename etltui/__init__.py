"""Gathers the same query from many databases into one target, and proves what is complete."""

__version__ = "0.1.0"

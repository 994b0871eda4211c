"""Puts load on the engine to order, and tells in figures how it bore that."""

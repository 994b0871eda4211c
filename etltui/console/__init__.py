"""The full-screen console: shows an engine to an operator and takes orders for it."""

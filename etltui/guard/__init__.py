"""Says whether a query only reads."""

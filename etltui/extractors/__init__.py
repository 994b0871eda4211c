"""Child processes that hold sessions and move rows."""

"""Looks at everything that can be in the way of a run, and says what to do about it."""

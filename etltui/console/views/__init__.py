"""The views of the console, one a file."""

"""The command line: parse, choose, start, exit code."""

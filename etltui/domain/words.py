"""How a count reads: one way wherever something is said to people."""


def counted(count: int, noun: str) -> str:
    """`1 connection`, `56 connections`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

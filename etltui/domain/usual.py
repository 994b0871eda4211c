"""Whether a connection's rows are what they usually are: at least half, at most double."""


def deviation(rows: int, usual: int | None) -> str:
    """How far rows are from the usual number, in words; empty where they are near it.

    Args:
        rows: What was read.
        usual: The median of past runs; None where there is none.
    """
    if usual is None or usual <= rows * 2 <= usual * 4:
        return ""
    if not rows:
        return f"empty, usually {usual:,}"
    if not usual:
        return "usually empty"
    return f"{'less than half' if rows < usual else 'more than double'} the usual {usual:,}"

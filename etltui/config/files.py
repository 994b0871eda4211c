"""A text file's content, or the mistake that says why it cannot be had."""

from pathlib import Path

from etltui.domain.errors import Mistake


def _content(path: Path) -> bytes | Mistake | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as fault:  # ValueError: a NUL in the path
        return Mistake(
            where=str(path),
            key="",
            problem=f"cannot be read: {getattr(fault, 'strerror', None) or fault}",
            way_out="Check the path and who may read it",
        )


def text_of(path: Path) -> str | Mistake | None:
    """A file's text, None where there is no file, or why it cannot be read. Never raises."""
    content = _content(path)
    if not isinstance(content, bytes):
        return content
    try:
        # Windows editors put a mark before the first byte.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        column = fault.start - content.rfind(b"\n", 0, fault.start)
        return Mistake(
            where=str(path),
            key="",
            problem=f"is not UTF-8 (at line {line}, column {column})",
            way_out="Save it as UTF-8",
        )

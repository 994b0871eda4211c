"""How an operator wants dates and times written: a few tokens, none of which loses anything."""

import re

DAY = ("%Y", "%m", "%d")
CLOCK = ("%H", "%M", "%S")
ZONE = "%z"
_TOKEN = re.compile(r"%.?")
_LITERALS = frozenset(" -/.:,T")


def trouble(text: str, *, clock: bool) -> str:
    """What is wrong with a format, as the end of a sentence; empty where nothing is.

    Each part of the value has to be in it, once: whoever reads the file can tell every value.

    Args:
        text: The format.
        clock: Whether it is for a time of day, too.
    """
    needed = (*DAY, *CLOCK) if clock else DAY
    allowed = (*needed, ZONE) if clock else needed
    found = _TOKEN.findall(text)
    if unknown := [token for token in found if token not in allowed]:
        return f"{unknown[0]} is no token of it"
    if missing := [token for token in needed if token not in found]:
        return f"lacks {', '.join(missing)}"
    if len(found) > len(set(found)):
        return "holds a token twice"
    if odd := [character for character in _TOKEN.sub("", text) if character not in _LITERALS]:
        return f"holds {odd[0]!r}"
    return ""


def pieces(text: str) -> list[str]:
    """A format as its tokens and what stands between them, in order; none is empty."""
    return [piece for piece in re.split(r"(%.)", text) if piece]

"""Takes a SQLite statement apart just far enough to find its parameters, comments and end."""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<parameter>\?[0-9]*|[:@][\w$\u0080-\U0010ffff]+|\$[\w$\u0080-\U0010ffff]+(?:::\w+)*)
    | (?P<end>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
"""As SQLite's own tokenizer: names may hold `$`, a comment may lack its end."""


def tokens(sql: str) -> Iterator[tuple[str, str]]:
    """The kind and text of each token; joined, the texts are the statement."""
    for found in _TOKEN.finditer(sql):
        yield str(found.lastgroup), found.group()


def without_parameters(sql: str) -> str:
    """The statement with NULL for each parameter, for a place where none may stand."""
    return "".join("NULL" if kind == "parameter" else text for kind, text in tokens(sql))


def bare(sql: str) -> str:
    """The statement without comments and without what ends it, so that it fits in brackets."""
    kept = [(kind, " " if kind == "comment" else text) for kind, text in tokens(sql)]
    while kept and kept[-1][0] in {"space", "comment", "end"}:
        kept.pop()
    return "".join(text for _, text in kept).lstrip()


def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `?1`, `?2` … for its named parameters, and their names in that order."""
    names: dict[str, int] = {}
    out = []
    for kind, text in tokens(sql):
        if kind == "parameter":
            number = names.setdefault(text[1:], len(names) + 1)
            out.append(f"?{number}")
        else:
            out.append(text)
    return "".join(out), tuple(names)


def first_word(sql: str) -> str:
    """The first word in capitals; empty where the statement does not begin with one."""
    for kind, text in tokens(sql):
        if kind not in {"space", "comment"}:
            return text.upper() if kind == "word" else ""
    return ""

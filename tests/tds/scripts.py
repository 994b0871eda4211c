"""What the double shall do wrong, and when."""

import re
from dataclasses import dataclass, field


@dataclass
class Script:
    """A fault of statements whose text matches.

    Attributes:
        pattern: Searched in the text without regard to case.
        number: Of an error that is said; 0 for none.
        words: Of the error.
        level: From 20 on the session ends.
        after: Rows that are sent before.
        bytes: Replies of so many more bytes are sent before the line breaks.
        link: How the line breaks: `rst`, `fin` or `silence`; empty where it does not.
        times: How often this happens.
        met: How often it has happened.
    """

    pattern: str
    number: int = 0
    words: str = "scripted"
    level: int = 16
    after: int = 0
    bytes: int | None = None
    link: str = ""
    times: int = 1_000_000
    met: int = field(default=0)

    def meets(self, text: str) -> bool:
        """Whether it is for this text, and not yet used up; counts it."""
        if self.met >= self.times or not re.search(self.pattern, text, re.IGNORECASE | re.DOTALL):
            return False
        self.met += 1
        return True


@dataclass
class Canned:
    """A result that is made once and sent again and again: a fast server.

    Attributes:
        repeat: How often its rows are sent.
    """

    names: list[str]
    kinds: list
    rows: list[tuple]
    repeat: int = 1
    encoded: bytes = b""

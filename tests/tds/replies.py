"""Errors of the server that the double plays, and which of them SQLite's stand for."""

import re
import sqlite3

from tds import tokens


class ServerError(Exception):
    """What the server says."""

    def __init__(self, number, words, *, level=16, state=1):
        self.number, self.words, self.level, self.state = number, words, level, state
        super().__init__(f"{number}: {words}")

    def token(self):
        """As it is sent."""
        return tokens.error(self.number, self.words, level=self.level, state=self.state)


_KNOWN = (
    (r"no such table: (?:temp\.)?(.*)", 208, "Invalid object name '{}'."),
    (r"no such column: \"?([^\"]*)\"?.*", 207, "Invalid column name '{}'."),
    (r"no such function: (.*)", 195, "'{}' is not a recognized built-in function name."),
    (r"near \"(.*)\": syntax error", 102, "Incorrect syntax near '{}'."),
    (r"(database is locked)", 1222, "Lock request time out period exceeded."),
)


def error_of(error: BaseException) -> ServerError:
    """What the server would have said."""
    if isinstance(error, ServerError):
        return error
    for pattern, number, words in _KNOWN:
        if isinstance(error, sqlite3.Error) and (found := re.fullmatch(pattern, str(error))):
            return ServerError(number, words.format(found[1]))
    return ServerError(50000, str(error) or type(error).__name__)

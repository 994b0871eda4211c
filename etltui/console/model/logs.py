"""Lines of the log: which pass a sieve, and which of thousands are shown, parsed when they are."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from etltui.engine.log import LEVELS
from etltui.engine.log_files import LogLine, parsed

CAPACITY = 50_000
"""Lines that are kept; the oldest go."""
_PIECE = 1_000
STEPS = ("debug", "info", "warning", "error")
"""The least weights to choose from."""

# What our own lines begin with; all else is parsed.
_OURS = re.compile(
    rb'\{"time": "[^"]*", "level": "(\w+)"(?:, "run": "([^"\\]*)")?'
    rb'(?:, "connection": "([^"\\]*)")?, "message": "'
)
_TERM = re.compile(r"!?/(?:[^/\\]|\\.)*/?|\S+")

line_of = lru_cache(maxsize=4096)(parsed)
"""A line, parsed; those in sight are asked for again and again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sieve:
    """Which lines pass.

    Attributes:
        level: The least weight; what is none of our lines always passes.
        run: A run's id, or letters at its end; empty for any.
        connection: A name; empty for any.
        text: Terms that must all be found: `word`, `!word`, `/regex/`.
    """

    level: str = "debug"
    run: str = ""
    connection: str = ""
    text: str = ""

    @property
    def open(self) -> bool:
        """Whether everything passes."""
        return self == Sieve()

    def test(self) -> Callable[[bytes], bool]:
        """What tells of a line whether it passes.

        Raises:
            ValueError: A pattern is none; the text says which.
        """
        finds = [_finding(found[0]) for found in _TERM.finditer(self.text)]
        weight = LEVELS[self.level]
        run, connection = self.run.encode(), self.connection.encode()

        def passes(raw: bytes) -> bool:
            level, of_run, of_connection, text = _facts(raw)
            return (
                level >= weight
                and (not run or of_run.endswith(run))
                and (not connection or of_connection == connection)
                and all(find(text) for find in finds)
            )

        return passes


def _facts(raw: bytes) -> tuple[int, bytes, bytes, str]:
    """Weight, run, connection and the words of a line, without parsing it where that can be."""
    found = _OURS.match(raw)
    if found is None or b"\\" in raw:
        line = line_of(raw)
        weight = LEVELS.get(line.level, LEVELS["error"])
        words = f"{line.message}\n{line.traceback}"
        return weight, line.run.encode(), line.connection.encode(), words
    weight = LEVELS.get(found[1].decode(), LEVELS["error"])
    words = raw[found.end() : -2].decode("utf-8", "replace")
    return weight, found[2] or b"", found[3] or b"", words


def _finding(term: str) -> Callable[[str], bool]:
    if term.startswith("!") and len(term) > 1:
        inner = _finding(term[1:])
        return lambda text: not inner(text)
    pattern = term.strip("/") if term.startswith("/") and len(term) > 1 else re.escape(term)
    try:
        search = re.compile(pattern, re.IGNORECASE).search
    except re.error as error:
        raise ValueError(f"{term} is no pattern: {error}. Put \\ before . ( [ * + ?") from None
    return lambda text: search(text) is not None


class Ring:
    """The newest lines, and which of them are shown.

    Every line has a number that it keeps; numbers are given in order.

    Args:
        capacity: Lines that are kept.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._lines: deque[bytes] = deque(maxlen=capacity)
        self._end = 0
        self._shown: deque[int] = deque()
        self._passes: Callable[[bytes], bool] | None = None
        self._context = 0
        self._hits: set[int] = set()
        self._after = -1

    def __len__(self) -> int:
        """How many lines are shown."""
        return len(self._lines) if self._passes is None else len(self._shown)

    @property
    def total(self) -> int:
        """How many lines are kept."""
        return len(self._lines)

    @property
    def hits(self) -> int:
        """How many of those that are shown pass by themselves."""
        return len(self) if self._passes is None else len(self._hits)

    @property
    def first(self) -> int:
        """The number of the oldest line that is kept."""
        return self._end - len(self._lines)

    @property
    def end(self) -> int:
        """The number that the next line gets."""
        return self._end

    def number(self, place: int) -> int:
        """The number of the line at a place among those that are shown."""
        return self.first + place if self._passes is None else self._shown[place]

    def place(self, number: int) -> int:
        """Where among those that are shown a line is, or the next one after it."""
        if self._passes is None:
            return min(max(number - self.first, 0), len(self._lines))
        low, high = 0, len(self._shown)
        while low < high:
            middle = (low + high) // 2
            if self._shown[middle] < number:
                low = middle + 1
            else:
                high = middle
        return low

    def raw(self, number: int) -> bytes:
        """A line as it stands in the file."""
        return self._lines[number - self.first]

    def line(self, number: int) -> LogLine:
        """A line, parsed."""
        return line_of(self.raw(number))

    def is_hit(self, number: int) -> bool:
        """Whether a line passes by itself, not as a neighbour of one that does."""
        return self._passes is None or number in self._hits

    def take(self, lines: Iterable[bytes]) -> None:
        """Add lines at the end; the oldest go."""
        for line in lines:
            self._lines.append(line)
            self._end += 1
            if self._passes is not None:
                self._sift(self._end - 1, hit=self._passes(line))
        first = self.first
        while self._shown and self._shown[0] < first:
            self._hits.discard(self._shown.popleft())

    def snapshot(self) -> tuple[int, list[bytes]]:
        """All lines, and the number of the first: to be sifted in another thread."""
        return self.first, list(self._lines)

    def use(
        self, passes: Callable[[bytes], bool] | None, context: int, known: tuple[int, Sequence[int]]
    ) -> None:
        """Show only what passes, with so many neighbours.

        Args:
            passes: None for everything.
            context: Neighbours before and after each.
            known: Up to which number it was already found out, and the numbers that pass.
        """
        self._passes, self._context = passes, context
        self._shown.clear()
        self._hits.clear()
        self._after = -1
        if passes is None:
            return
        done, found = known
        hits = {number for number in found if number >= self.first}
        for number in range(max(done, self.first), self._end):
            if passes(self._lines[number - self.first]):
                hits.add(number)
        if not context:
            self._shown.extend(sorted(hits))
            self._hits = hits
            return
        for number in sorted(hits):
            self._show_hit(number)
        self._show_up_to(min(self._after, self._end - 1))

    def _show_hit(self, number: int) -> None:
        """Show a hit, with the neighbours before it and those after the one before."""
        self._show_up_to(min(self._after, number - 1))
        begin = max(number - self._context, self.first)
        self._extend(begin, number + 1)
        self._hits.add(number)
        self._after = number + self._context

    def _show_up_to(self, number: int) -> None:
        if self._shown:
            self._extend(self._shown[-1] + 1, number + 1)

    def _extend(self, begin: int, end: int) -> None:
        last = self._shown[-1] if self._shown else -1
        self._shown.extend(range(max(begin, last + 1), end))

    def _sift(self, number: int, *, hit: bool) -> None:
        if hit:
            self._show_hit(number)
        elif number <= self._after:
            self._extend(number, number + 1)


def pieces(lines: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    """Lines in pieces that are looked through in a few milliseconds."""
    return (lines[at : at + _PIECE] for at in range(0, len(lines), _PIECE))


def sifted(
    first: int, lines: Sequence[bytes], passes: Callable[[bytes], bool]
) -> tuple[int, list[int]]:
    """Up to which number lines were looked at, and the numbers of those that pass."""
    return first + len(lines), [n for n, line in enumerate(lines, first) if passes(line)]

"""How much memory there is for this process: the machine's, or less where a cgroup limits it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

UNASKED_MB = 1024
"""The most that the program takes of its own accord."""
LEAST_MB = 64
_MB = 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Available:
    """Memory that could be used.

    Attributes:
        mb: None where the machine does not say.
        what: In words, such as `available memory`.
    """

    mb: int | None
    what: str


def _text(path: Path) -> str:
    """A file's text, empty where there is none that could be read."""
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""


def _free(root: Path) -> int | None:
    """Bytes that the machine could give without swapping."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", _text(root / "proc/meminfo"), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _limit_files(root: Path) -> Iterator[Path]:
    """The files that may limit this process: of its control group and of all above it."""
    groups = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        folder, file = groups, "memory.max"
        if "memory" in controllers.split(","):
            folder, file = groups / "memory", "memory.limit_in_bytes"
        elif controllers:
            continue
        inside = PurePosixPath(name.lstrip("/"))
        # In a container the name may be the host's, of which only the top is to be seen.
        yield from (folder / each / file for each in (inside, *inside.parents))


def _limit(root: Path) -> int | None:
    """Bytes that the process may have by its control groups, None for any number.

    Version 2 says `max` for any number, version 1 a number that no machine reaches.
    """
    said = (_text(path).strip() for path in _limit_files(root))
    return min((int(text) for text in said if text.isdecimal()), default=None)


def available(root: Path = Path("/")) -> Available:
    """The memory for this process.

    Args:
        root: Where `proc` and `sys` are.
    """
    free, limit = _free(root), _limit(root)
    if limit is not None and (free is None or limit < free):
        return Available(mb=limit // _MB, what="memory of the cgroup")
    return Available(mb=None if free is None else free // _MB, what="available memory")


def bounded(wanted_mb: int, memory: Available) -> tuple[int, str]:
    """A threshold that leaves half of the memory to others, and why it is less than was wanted.

    Args:
        wanted_mb: 0 for what the program takes of its own accord.
        memory: What there is.

    Returns:
        The threshold and an empty text, or half of the memory and the words for that.
    """
    wanted = wanted_mb or UNASKED_MB
    if memory.mb is None or wanted <= memory.mb // 2:
        return wanted, ""
    return max(LEAST_MB, memory.mb // 2), f"half of the {memory.what}"

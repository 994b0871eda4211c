"""Names that sheets, files and columns can bear, made from names that operators give."""

import hashlib
import re
import unicodedata
from base64 import b32encode
from collections.abc import Iterator, Sequence
from itertools import count

from etltui.domain.limits import EXCEL

INDEX = "Index"
RUN = "Run"
RESERVED = (INDEX, RUN, "History")
"""Our own two sheets, and the name that Excel keeps for itself."""

_ILLEGAL = re.compile(r"[\[\]:*?/\\\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|[. ]$')
"""What some file system refuses in a name."""
_HIDDEN = "._ "
"""Programs that read a folder pass over files that begin so."""
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
"""Names that Windows keeps for itself, whatever their ending."""
_FILE_BYTES = 200
"""Most disks take 255; our own endings and codes need some."""
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""What Excel would read as a coded character."""

_CODE = 4
"""Letters of base32: one in a million that two changed names meet, and then a further code."""

Wanted = tuple[str, int]
"""A name as the operator gave it, and 1 for its first sheet, 2 for the one it overflows into."""


def utf16_cut(text: str, units: int) -> str:
    """The longest beginning of the text that has at most so many UTF-16 units, pairs kept whole."""
    if len(text) * 2 <= units:
        return text
    return text.encode("utf-16-le", "surrogatepass")[: units * 2].decode("utf-16-le", "ignore")


def sheet_names(
    wanted: Sequence[Wanted],
    *,
    reserved: Sequence[str] = RESERVED,
    units: int = EXCEL.name,
) -> tuple[str, ...]:
    """A legal name for each wanted one, in its place; no two alike whatever their case.

    A name that is legal and free stays as it is. Another is mended, cut, and ends in `~` and a code
    of the wanted name, which is the same in every run. First sheets choose before overflow sheets,
    earlier ones before later ones.

    Args:
        wanted: Names and sheet numbers, in order of precedence.
        reserved: Names that nothing may get.
        units: The longest name, in UTF-16 units.
    """
    taken = {_key(name) for name in reserved}
    names = dict.fromkeys(range(len(wanted)), "")
    for place in sorted(names, key=lambda place: wanted[place][1] > 1):
        names[place] = _free(*wanted[place], taken, units)
        taken.add(_key(names[place]))
    return tuple(names.values())


def legal(name: str, *, units: int = EXCEL.name) -> bool:
    """Whether Excel takes the name of a sheet as it is."""
    return _mended(name) == name and utf16_cut(name, units) == name


def _key(name: str) -> str:
    """Alike for names that Excel might take for the same one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _mended(name: str) -> str:
    """Without what Excel refuses; never empty."""
    mended = _ESCAPED.sub("-", _ILLEGAL.sub("_", name))
    # A quote at either end breaks every reference to the sheet.
    return re.sub(r"^'+|'+$", "_", mended) or "_"


def _free(name: str, number: int, taken: set[str], units: int) -> str:
    """The first form of a name that is legal and not taken."""
    tail = f" ({number})" if number > 1 else ""
    mended = _mended(name)
    whole = mended + tail
    if mended == name and utf16_cut(whole, units) == whole and _key(whole) not in taken:
        return whole
    for attempt in count():
        end = f"~{_code(name, attempt)}{tail}"
        coded = utf16_cut(mended, units - len(end)) + end
        if _key(coded) not in taken:
            return coded
    raise AssertionError  # pragma: no cover - count() never ends


def _code(name: str, attempt: int) -> str:
    """A few letters that are the same in every run; others with each attempt."""
    seed = name if not attempt else f"{name}\n{attempt}"
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    return b32encode(digest)[:_CODE].decode().lower()


def file_names(wanted: Sequence[str]) -> tuple[str, ...]:
    """A safe name of a file for each wanted one, without ending; no two alike whatever their case.

    As with sheets, what is safe and free stays as it is, and what is not gets a code of its own.
    """
    taken: set[str] = set()
    names = []
    for name in wanted:
        names.append(next(form for form in _file_forms(name) if _key(form) not in taken))
        taken.add(_key(names[-1]))
    return tuple(names)


def _file_forms(name: str) -> Iterator[str]:
    mended = _UNSAFE.sub("_", name).lstrip(_HIDDEN) or "x"
    if _DEVICES.match(mended):
        mended = f"x{mended}"
    if mended == name and len(name.encode()) <= _FILE_BYTES:
        yield name
    cut = mended.encode()[:_FILE_BYTES].decode(errors="ignore")
    yield from (f"{cut}~{_code(name, attempt)}" for attempt in count())


def unique_names(wanted: Sequence[str]) -> tuple[str, ...]:
    """The names, a repeated one with the first free number behind it: `id`, `id_2`."""
    taken = set(wanted)
    seen: set[str] = set()
    names = []
    for name in wanted:
        free = name
        if name in seen:
            free = next(f"{name}_{n}" for n in count(2) if f"{name}_{n}" not in taken)
        names.append(free)
        seen.add(name)
        taken.add(free)
    return tuple(names)

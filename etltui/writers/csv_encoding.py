"""From UTF-8 to the encoding of a CSV file, without losing a character silently."""

import codecs
from dataclasses import dataclass

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import CsvOptions

_WITH_MARK = {"utf-8-sig", "utf-16", "utf-32"}
"""Encodings that begin with a byte order mark by their definition."""
_BYTE_ORDER = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""What the text behind the mark is encoded as; Python would write a mark with every piece."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoding:
    """How text becomes bytes.

    Attributes:
        name: Python's, without a byte order mark.
        mark: What the file begins with.
        replaces: Whether `?` stands in for a character that the encoding lacks.
    """

    name: str
    mark: bytes
    replaces: bool

    @property
    def is_utf8(self) -> bool:
        """Whether UTF-8 bytes can be taken as they are."""
        return self.name == "utf-8"

    def encode(self, text: str) -> tuple[bytes, int]:
        """The bytes, and how many characters were replaced in them.

        Raises:
            UnicodeEncodeError: The encoding lacks a character and nothing may be replaced.
        """
        try:
            return text.encode(self.name), 0
        except UnicodeEncodeError:
            if not self.replaces:
                raise
        kept = text.encode(self.name, "ignore").decode(self.name)
        return text.encode(self.name, "replace"), len(text) - len(kept)


def encoding_of(options: CsvOptions) -> Encoding:
    """The encoding that the options ask for.

    Raises:
        Failure: Of class `value`; Python knows no such encoding, or it has no byte order mark.
    """
    known = _known(options.encoding)
    name = _BYTE_ORDER.get(known, known)
    mark = b""
    if options.bom or known in _WITH_MARK:
        try:
            mark = "\ufeff".encode(name)
        except UnicodeEncodeError as error:
            raise Failure(
                ErrorClass.VALUE,
                f"the encoding {options.encoding} has no byte order mark; leave out bom",
                {"encoding": options.encoding},
            ) from error
    return Encoding(name=name, mark=mark, replaces=options.encoding_errors == "replace")


def _known(encoding: str) -> str:
    """Python's name of an encoding of text."""
    try:
        "".encode(encoding)  # codecs.lookup alone would also take base64
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise Failure(
            ErrorClass.VALUE,
            f"there is no encoding {encoding}",
            {"encoding": encoding},
        ) from error

"""Texts of a SQLite file whose program wrote them in a code page of its own."""

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.policy import ReadPolicy


class Texts:
    """Makes texts of bytes by what the policy says.

    What is UTF-8 is read as that: a file may hold both, and no other code page makes sense of it.

    Attributes:
        own: Whether SQLite's own way is not all that is asked for.
        notes: In how many texts something was replaced since they were cleared.
    """

    def __init__(self, policy: ReadPolicy) -> None:
        self._encoding = policy.encoding or "utf-8"
        self._replaces = policy.encoding_errors == "replace"
        self.own = bool(policy.encoding) or self._replaces
        self.notes: dict[str, int] = {}

    def __call__(self, raw: bytes) -> str:
        """One text.

        Raises:
            Failure: It is none, and the policy says nothing of replacing.
        """
        try:
            return raw.decode()
        except UnicodeDecodeError:
            pass
        try:
            return raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            if self._replaces:
                note = f"texts that are no {self._encoding}, replaced"
                self.notes[note] = self.notes.get(note, 0) + 1
                return raw.decode(self._encoding, "replace")
            raise Failure(
                ErrorClass.VALUE,
                f"a text holds bytes that are no {self._encoding}: "
                f"{raw[error.start : error.start + 8].hex(' ')}; say another encoding for the "
                'connection, or encoding_errors = "replace"',
            ) from error

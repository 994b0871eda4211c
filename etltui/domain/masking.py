"""Keeps secrets off screens and out of logs, however they are spelled."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from etltui.domain.errors import Failure

_BYTES = "surrogateescape"  # as the environment holds what is not UTF-8


def _base64_cores(secret: bytes) -> Iterator[str]:
    """The characters that stand for a secret inside base64, wherever it starts.

    Base64 turns three bytes into four characters, so `user:password` holds the password at one of
    three offsets; the characters shared with a neighbour are left out.
    """
    for offset, skipped in ((0, 0), (1, 2), (2, 3)):
        whole = (offset + len(secret)) * 8 // 6
        padded = bytes(offset) + secret
        yield base64.b64encode(padded).decode()[skipped:whole]
        yield base64.urlsafe_b64encode(padded).decode()[skipped:whole]


def _forms(secret: str) -> Iterator[str]:
    """How a secret may be spelled in a url, a header, a log line or a traceback.

    Inside base64 only those of 4 bytes and more: the cores of shorter ones are everywhere.
    """
    yield secret
    for quoted in (
        quote(secret, safe="", errors=_BYTES),
        quote(secret, errors=_BYTES),
        quote_plus(secret, errors=_BYTES),
    ):
        yield quoted
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield from (core for core in _base64_cores(secret.encode(errors=_BYTES)) if len(core) >= 4)


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret, however it is spelled, replaced by `***`."""
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    if not forms:
        return text
    # The longest first, or a secret that begins with another would be half shown.
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return re.sub("|".join(map(re.escape, longest_first)), "***", text)


def masked_failure(failure: Failure, secrets: Iterable[str]) -> Failure:
    """The failure without the secrets, whoever has put them into its words."""
    return Failure(failure.error_class, masked(failure.message, secrets), failure.facts)

"""Where a webhook's rows are sent, and with which headers: what they may be."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from etltui.config.checks import RefusedError, Text, Whole, filled, shown, text_table
from etltui.config.secrets import reference
from etltui.config.table import Table
from etltui.domain.job import WebhookOptions

_EXAMPLE = 'Write url = "https://host/path"'
_BY_REFERENCE = 'Write headers = { Authorization = "env:NAME" } and put all of the value there'
_REFERENCE = re.compile(r"(env|file|cmd):")
_SECRET = re.compile(
    r"auth|cookie|token|secret|passw|credential|signature|^sig$|(^|[-_])key|apikey",
    re.IGNORECASE,
)
"""Names of headers and of a query's fields that hold a secret by all likelihood."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = {
    *("connection", "content-encoding", "content-length", "content-type", "expect", "host"),
    *("idempotency-key", "te", "trailer", "transfer-encoding", "upgrade"),
}
_PRINTABLE = re.compile(r"[ -~]*")


def _split(words: str) -> SplitResult:
    """The parts of a url that can be sent to."""
    if not _PRINTABLE.fullmatch(words) or " " in words:
        raise RefusedError("holds a character that no url has", _EXAMPLE)
    try:
        parts = urlsplit(words)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise RefusedError("is not a url", _EXAMPLE) from None
    if parts.scheme not in {"https", "http"} or not host or port == 0:
        raise RefusedError("is no url of https", _EXAMPLE)
    return parts


def url(value: object) -> str:
    """An address to send to, without a secret in it; nothing of a refused one is shown."""
    words = filled(value)
    parts = _split(words)
    if "@" in parts.netloc:
        raise RefusedError("holds a user or a password", _BY_REFERENCE)
    if "#" in words:
        raise RefusedError("has a part behind #, which is never sent", "Take it out")
    fields = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if any(map(_SECRET.search, fields)):
        raise RefusedError("holds a secret behind ?", _BY_REFERENCE)
    return words


def is_loopback(host: str) -> bool:
    """Whether nobody else hears what is sent there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def headers(value: object) -> dict[str, str]:
    """Headers by name; what is likely a secret must be a reference."""
    if isinstance(value, Mapping) and any(not isinstance(item, str) for item in value.values()):
        # The value is not shown, as `text_table` would: it may be the secret.
        raise RefusedError("has a value that is not text in quotes", 'Write { Name = "text" }')
    found = text_table(value)
    seen: set[str] = set()
    for name, item in found.items():
        _check_header(name, item)
        if name.lower() in seen:
            raise RefusedError(f"names {shown(name)} twice", "Name each once")
        seen.add(name.lower())
    return found


def _check_header(name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise RefusedError(
            f"{shown(name)} is no name of a header",
            "Write letters, digits and - such as X-Source",
        )
    if name.lower() in _OURS:
        raise RefusedError(f"{shown(name)} is set by the program itself", "Take it out")
    try:
        if _REFERENCE.match(value) or _SECRET.search(name):
            reference(value)
    except RefusedError as refused:
        raise RefusedError(f"{shown(name)} {refused.problem}", refused.way_out) from None
    if not _PRINTABLE.fullmatch(value):
        raise RefusedError(
            f"{shown(name)} holds a character that no header has",
            "Write letters, digits and signs of ASCII on one line",
        )


SPECIAL: Mapping[str, Callable[[object], Any]] = {
    "url": url,
    "headers": headers,
    "batch_rows": Whole(1, 100_000),
    "timeout_s": Whole(1, 600),
    "ca_file": Text(),
}
"""Options whose type does not say all that they may be."""


def check_webhook(table: Table, options: WebhookOptions) -> None:
    """What no single option can tell."""
    if "url" not in table:
        table.note("url", "is missing", _EXAMPLE)
    parts = urlsplit(options.url)
    if parts.scheme == "http" and not options.insecure and not is_loopback(parts.hostname or ""):
        table.note(
            "url",
            "would send rows and headers to another machine for everybody on the line to read",
            "Write https, or insecure = true if the line is safe",
        )

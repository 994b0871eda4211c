"""Whom Microsoft's driver trusts: OpenSSL's variable, lent to logins of one authority at a time."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from etltui.domain.errors import ErrorClass, Failure

_FILE, _FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"
_NOBODY = "/nonexistent"
_changed = threading.Condition()
_lent: dict[str, int] = {}
"""Logins under way, by authority; of one authority only."""
_outside = {name: os.environ.get(name) for name in (_FILE, _FOLDER)}
"""As the operator has set them."""


@contextmanager
def trusting(authority: str, limit_s: float) -> Iterator[None]:
    """Logins in the block trust this authority alone.

    The driver has no option of its own for it and reads the variable of the whole process when it
    logs in; so logins that trust somebody else wait.

    Args:
        authority: The absolute path of a file; empty for those whom the system trusts.
        limit_s: How long to wait for others.

    Raises:
        Failure: Of class `timeout`; others did not finish. Of class `tls`; there is no such file.
    """
    if authority and not os.access(authority, os.R_OK):
        raise Failure(ErrorClass.TLS, f"cannot use sslrootcert {authority}: it cannot be read")
    _take(authority, time.monotonic() + limit_s)
    try:
        yield
    finally:
        with _changed:
            _lent[authority] -= 1
            if not _lent[authority]:
                del _lent[authority]
                _set(_outside)
            _changed.notify_all()


def _take(authority: str, until: float) -> None:
    with _changed:
        while _lent and authority not in _lent:
            if not _changed.wait(max(0.0, until - time.monotonic())):
                raise Failure(
                    ErrorClass.TIMEOUT,
                    "logins that trust another sslrootcert did not finish in time; try again",
                )
        if not _lent and authority:
            _set({_FILE: authority, _FOLDER: _NOBODY})
        _lent[authority] = _lent.get(authority, 0) + 1


def _set(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value

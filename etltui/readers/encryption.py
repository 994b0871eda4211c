"""How the line to a database server is encrypted, by the words of a connection's url."""

import ssl
from collections.abc import Mapping

from etltui.domain.errors import ErrorClass, Failure

WAY_OUT = (
    "add ?sslrootcert=FILE to the url for an authority of your own, or say "
    "sslmode=verify-ca (any name), require (any certificate) or disable (no encryption)"
)


def tls(options: Mapping[str, str]) -> ssl.SSLContext | None:
    """How to encrypt by the url's `sslmode` (`verify-full` by default), None for not at all.

    Raises:
        Failure: Of class `tls`; `sslrootcert` cannot be read.
    """
    mode, authority = options.get("sslmode", "verify-full"), options.get("sslrootcert")
    if mode == "disable":
        return None
    try:
        context = ssl.create_default_context(cafile=authority)
    except OSError as error:
        words = error.strerror or str(error)
        raise Failure(ErrorClass.TLS, f"cannot use sslrootcert {authority}: {words}") from error
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context


def no_trust(where: str, error: ssl.SSLError) -> Failure:
    """Why a line could not be encrypted, or to whom it leads is not trusted."""
    reason = getattr(error, "verify_message", "") or error.reason or str(error)
    why = reason.rstrip(".")
    return Failure(ErrorClass.TLS, f"no trusted TLS with {where}: {why}; {WAY_OUT}")


def not_offered(where: str) -> Failure:
    """The server cannot encrypt, and shall."""
    way_out = "switch it on there, or add ?sslmode=disable to the url (no encryption)"
    return Failure(ErrorClass.TLS, f"the server at {where} offers no TLS; {way_out}")

"""Whether connections that share a pool could share its sessions."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from etltui.config.checks import shown
from etltui.config.table import Notebook, joined
from etltui.domain.job import Connection, Credential
from etltui.domain.policy import ReadPolicy

_NOBODY = Credential(name="")


def _of_session(policy: ReadPolicy) -> ReadPolicy:
    """What of a policy a session is opened with; the rest is each read's own."""
    return replace(policy, rows_per_s=0, hedge_after_s=None)


def check_pools(
    connections: Iterable[Connection],
    credentials: Mapping[str, Credential],
    book: Notebook,
    files: Mapping[str, str],
) -> None:
    """Refuse a connection that reaches the same database as the same user in another way.

    A session that one of both opened would be lent to the other.

    Args:
        connections: All there are.
        credentials: By name.
        book: Where mistakes are noted, one for each connection.
        files: The file of a connection by its name, where it is not the configuration.
    """
    first: dict[tuple[str, str, int, str, str], tuple[Connection, str]] = {}
    for each in connections:
        login = credentials.get(each.credential, _NOBODY)
        key = (each.kind, each.host.lower(), each.port, each.database, login.user)
        other, password = first.setdefault(key, (each, login.password))
        differs = [
            what
            for what, is_other in (
                ("password", login.password != password),
                ("options", each.options != other.options),
                ("way of reading", _of_session(each.policy) != _of_session(other.policy)),
            )
            if is_other
        ]
        if each.kind and differs:  # without a kind its url was refused already
            book.note(
                joined("connections", each.name),
                f"reaches the same database as the same user as {shown(other.name)}, "
                f"but with another {' and other '.join(differs)}",
                "Give both the same credential, the same options in the url, and the same "
                "isolation, lock_timeout_s, maxdop, encoding and encoding_errors",
                where=files.get(each.name, ""),
            )

"""Whether connections that share a pool could share its sessions."""

from collections.abc import Iterable, Mapping

from etltui.config.checks import shown
from etltui.config.table import Notebook, joined
from etltui.domain.job import Connection, Credential

_NOBODY = Credential(name="")


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
            )
            if is_other
        ]
        if each.kind and differs:  # without a kind its url was refused already
            book.note(
                joined("connections", each.name),
                f"reaches the same database as the same user as {shown(other.name)}, "
                f"but with another {' and other '.join(differs)}",
                "Give both the same credential and the same options in the url",
                where=files.get(each.name, ""),
            )

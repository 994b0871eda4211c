"""Connections with their credentials, from their tables."""

from collections.abc import Collection
from datetime import date
from pathlib import Path

from etltui.config.checks import RefusedError, Text, day, filled, nearest, shown, texts
from etltui.config.secrets import reference
from etltui.config.table import Table
from etltui.config.tags import Traits
from etltui.config.urls import Address, address
from etltui.domain.job import Connection, Credential


def credential(name: str, table: Table) -> Credential:
    """A credential; its password is a reference, and only the form of that is checked."""
    decoded = Credential(
        name=name,
        user=table.read("user", Text(), ""),
        password=table.read("password", reference, ""),
    )
    table.finish()
    return decoded


def _credential_name(table: Table, credentials: Collection[str]) -> str:
    def known(value: object) -> str:
        word = filled(value)
        if word not in credentials:
            raise RefusedError(
                f"there is no credential {shown(word)}",
                nearest(word, credentials) or f"Add a [credentials.{word}]",
            )
        return word

    return table.read("credential", known, "")


def _days(table: Table) -> tuple[date | None, date | None]:
    """The first and the last day."""
    opened, closed = table.read("opened", day, None), table.read("closed", day, None)
    if opened and closed and closed < opened:
        table.note("closed", f"{closed} is before opened", f"Allowed: {opened} or later")
    return opened, closed


def connection(
    name: str,
    table: Table,
    credentials: Collection[str],
    folder: Path,
    traits: Traits | None = None,
) -> Connection:
    """A connection; a wrong one still has its name, so that jobs are not blamed for it.

    How it is read is gathered in `traits`, which settle it once all its tags are known.
    """
    nowhere = Address(kind="", database="")
    found = table.need(
        "url",
        lambda value: address(value, folder),
        nowhere,
        'Write url = "sqlite:///folder/file.db"',
    )
    url = table.raw("url")
    opened, closed = _days(table)
    decoded = Connection(
        name=name,
        kind=found.kind,
        url=url if isinstance(url, str) else "",
        host=found.host,
        port=found.port,
        database=found.database,
        options=found.options,
        credential=_credential_name(table, credentials),
        tags=table.read("tags", texts, ()),
        contact=table.read("contact", Text(), ""),
        opened=opened,
        closed=closed,
        identity=table.read("identity", Text(), ""),
    )
    (traits or Traits()).take(name, table)
    table.finish()
    return decoded

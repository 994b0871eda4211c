"""Reads servers that are there: rows that they make up themselves, so that no table is needed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etltui.config.load import load
from etltui.config.schema import Config
from etltui.domain.errors import ConfigError, misused
from etltui.loadtest.ground import Ground
from etltui.loadtest.order import OF_SERVERS, Order, picks
from etltui.loadtest.written import Asked, Line, jobs_of, name_of, target_of, text

PLACE = "{n}"
"""What stands for the number of a connection in the template of its url."""
_LOGIN = "loadtest"
_DIGITS = " UNION ALL ".join(["SELECT 0 AS n", *(f"SELECT {digit}" for digit in range(1, 10))])
_NO_TABLE = "SELECT id, customer FROM etltui_loadtest_no_such_table"
_SLEEPS: Mapping[str, str] = {"postgresql": "pg_sleep({})", "mysql": "SLEEP({})"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """How to log in.

    Attributes:
        password: Where it is found, such as `env:NAME`; never the password.
    """

    user: str = ""
    password: str = ""


def pointed(folder: Path, order: Order, template: str, login: Login) -> Ground:
    """Write a configuration that reads servers.

    Args:
        folder: Empty; everything lies in it.
        order: Of the test.
        template: A url with `{n}` for the number of a connection; without it, all are one database.
        login: The same at each.

    Raises:
        ConfigError: The url is none, or what is ordered cannot be done at such a server.
    """
    chosen = picks(order, OF_SERVERS)
    own = {name_of(number): _NO_TABLE for number in chosen.failing}
    if chosen.stalling:
        asleep = _sleeping(template, order)
        own |= {name_of(number): asleep for number in chosen.stalling}
    keys: dict[str, str | int] = {"credential": _LOGIN} if login.user else {}
    if order.rows_per_s:
        keys["rows_per_s"] = order.rows_per_s
    numbers = range(1, order.connections + 1)
    lines = [
        Line(name=name_of(number), url=template.replace(PLACE, str(number)), keys=keys)
        for number in numbers
    ]
    path = folder / "etltui.toml"
    asked = Asked(query=query(order.rows), columns=("id", "customer"), own=own)
    path.write_text(text(order, lines, asked, _credential(login)), encoding="utf-8")
    return Ground(
        order=order,
        config=_loaded(path),
        jobs=jobs_of(order),
        failing={name_of(number): fault for number, fault in chosen.failing.items()},
        stalling=tuple(map(name_of, chosen.stalling)),
        rows={name_of(number): range(order.rows) for number in numbers},
        targets={job: folder / target_of(job) for job in jobs_of(order)},
    )


def _loaded(path: Path) -> Config:
    """The configuration; what is wrong with each connection is wrong with the option."""
    try:
        return load(path, environ={})
    except ConfigError as error:
        (first, *_) = error.mistakes
        option = (
            "--url" if first.key.startswith("connections.") else f"--{first.key.split('.')[-1]}"
        )
        raise misused(option, first.problem, first.way_out) from None


def query(rows: int, asleep: str = "") -> str:
    """Rows with the numbers from 0 on, in words that every server with SELECT knows.

    Args:
        rows: How many.
        asleep: A call that takes its time before the first row.
    """
    places = range(len(str(rows - 1)))
    number = " + ".join(f"d{place}.n * {10**place}" for place in places)
    digits = " CROSS JOIN ".join(f"({_DIGITS}) d{place}" for place in places)
    nap = f"WITH nap AS (SELECT {asleep} AS slept) " if asleep else ""
    also = " CROSS JOIN nap" if asleep else ""
    return (
        f"{nap}SELECT {number} AS id, 'Customer of a load test' AS customer "  # noqa: S608 - numbers only
        f"FROM {digits}{also} WHERE {number} < {rows}"
    )


def _sleeping(template: str, order: Order) -> str:
    kind = template.partition(":")[0].partition("+")[0]
    kind = {"postgres": "postgresql", "pg": "postgresql", "mariadb": "mysql"}.get(kind, kind)
    if kind not in _SLEEPS:
        raise misused(
            "--stall",
            f"{kind or 'this'} cannot be told to wait in a query",
            f"It can be ordered of {' and '.join(_SLEEPS)}, and where no --url is said",
        )
    return query(order.rows, _SLEEPS[kind].format(order.stall_s))


def _credential(login: Login) -> str:
    if not login.user:
        return ""
    said = f"[credentials.{_LOGIN}]\nuser = {json.dumps(login.user, ensure_ascii=False)}\n"
    if login.password:
        said += f"password = {json.dumps(login.password, ensure_ascii=False)}\n"
    return said

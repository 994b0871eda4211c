"""The options of a load test."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click

from etltui.cli.options import job_names
from etltui.loadtest.farm import MOST_ROWS
from etltui.loadtest.order import MOST_STALL_S, STALL_S, Order

_F = TypeVar("_F", bound=Callable[..., Any])
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)(%?)")
_SECONDS = re.compile(r"\d{1,3}(?:\.\d{1,3})?")


class Ordered(TypedDict):
    """What the options of the order say."""

    connections: int
    jobs: int
    rows: int
    seconds: float
    rounds: int | None
    latency_ms: int
    stall: tuple[float, float]
    failures: float
    seed: int


class Said(Ordered):
    """What all options say."""

    url: str
    user: str
    password: str
    named: tuple[str, ...]
    as_json: bool
    html: Path | None
    against: Path | None
    folder: Path | None
    keep: bool
    config_file: Path | None
    state_dir: Path | None


def _share_of(text: str) -> float:
    found = _SHARE.fullmatch(text)
    value = float(found[1]) / (100 if found[2] else 1) if found else -1.0
    if not 0 <= value <= 1:
        raise click.BadParameter(f"{text!r} is no share: write 0.1 or 10%")
    return value


def share(_: click.Context, __: click.Parameter, value: str) -> float:
    """Of an option such as `0.1` or `10%` the share."""
    return _share_of(value)


def stall(_: click.Context, __: click.Parameter, value: str) -> tuple[float, float]:
    """Of an option such as `10%:5` the share and the seconds."""
    of, colon, seconds = value.partition(":")
    if not colon:
        return _share_of(of), STALL_S
    if not _SECONDS.fullmatch(seconds) or not 0 < float(seconds) <= MOST_STALL_S:
        raise click.BadParameter(
            f"{seconds!r} is no time of a stall: write seconds, at most {MOST_STALL_S:.0f}"
        )
    return _share_of(of), float(seconds)


_ORDER = (
    click.option("--connections", type=click.IntRange(1, 500), default=70, show_default=True),
    click.option(
        "--jobs", type=click.IntRange(1, 20), default=3, show_default=True, help="Runs at once."
    ),
    click.option(
        "--rows",
        type=click.IntRange(1, MOST_ROWS - 1),
        default=2000,
        show_default=True,
        help="Of each connection.",
    ),
    click.option(
        "--seconds",
        type=click.FloatRange(0, 86400),
        default=30,
        show_default=True,
        help="New rounds begin for so long; in each, every job runs once.",
    ),
    click.option("--rounds", type=click.IntRange(1), help="So many rounds, instead of --seconds."),
    click.option(
        "--latency",
        "latency_ms",
        type=click.IntRange(0, 3_600_000),
        default=0,
        metavar="MS",
        help="What reading a connection takes at least: its rows come no faster.",
    ),
    click.option(
        "--stall",
        callback=stall,
        default="0",
        metavar="SHARE[:SECONDS]",
        help="Connections that do not answer for a while in each round, such as 10%:3.",
    ),
    click.option(
        "--failures",
        callback=share,
        default="0",
        metavar="SHARE",
        help="Connections that cannot be read: missing, damaged, locked; of servers, no table.",
    ),
    click.option("--seed", type=int, default=1, show_default=True, help="Chooses which."),
)


_REST = (
    click.option(
        "--url",
        default="",
        metavar="TEMPLATE",
        help="Servers to read instead of files made for it, such as "
        "postgresql://127.0.0.1:5432/branch_{n}; they make up the rows, no table is needed. Paths "
        "in it are absolute.",
    ),
    click.option("--user", default="", help="Who logs in there."),
    click.option(
        "--password", default="", metavar="REF", help="Where the password is: env:NAME, file:PATH."
    ),
    click.option(
        "--job",
        "named",
        multiple=True,
        metavar="NAME",
        shell_complete=job_names,
        help="A job of the configuration to read instead, into targets of the test alone; may be "
        "given several times.",
    ),
    click.option("--json", "as_json", is_flag=True, help="The report as JSON."),
    click.option(
        "--html", type=click.Path(path_type=Path), metavar="FILE", help="The report as a page, too."
    ),
    click.option(
        "--against",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Hold it against an earlier report.",
    ),
    click.option(
        "--folder",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Where the report is stored. Default: loadtests in the state folder.",
    ),
    click.option("--keep", is_flag=True, help="Leave databases, records and targets of the test."),
)


def load_options(command: _F) -> _F:
    """Give a command all of them."""
    for option in reversed(_ORDER + _REST):
        command = option(command)
    return command


def order_of(said: Ordered, source: str) -> Order:
    """The order that the options give.

    Args:
        said: By the options.
        source: What is read.
    """
    of, seconds = said["stall"]
    if of + said["failures"] > 1:
        raise click.UsageError("--stall and --failures are together more than all connections")
    return Order(
        source=source,
        connections=said["connections"],
        jobs=said["jobs"],
        rows=said["rows"],
        seconds=0 if said["rounds"] else said["seconds"],
        rounds=said["rounds"] or 0,
        latency_ms=said["latency_ms"],
        stall=of,
        stall_s=seconds,
        failures=said["failures"],
        seed=said["seed"],
    )

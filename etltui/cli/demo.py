"""`etltui demo`: sample branch databases, a configuration for them, and a first run."""

import os
import sys
from pathlib import Path

import click

from etltui.cli import demo_data
from etltui.cli.console_screen import no_screen, open_console, opening_of
from etltui.cli.options import errors_leave
from etltui.cli.run import run_jobs
from etltui.config.load import load, state_folder
from etltui.domain.errors import ConfigError, Mistake

JOB = "gst_sales"

_HEAD = """\
# Made by `etltui demo`: {branches} branch databases of {rows:,} sales each.
# Every key is explained in config.example.toml.

[settings]
state_dir = "state"
timezone = "Asia/Kolkata"

[jobs.{job}]
title = "GST sales, all branches"
connections = ["branch_*"]
query = "SELECT * FROM sales"
resume = true                   # a run that was killed goes on where it was
retry = {{ retries = 3, delay_s = 1, multiplier = 2 }}

[[jobs.{job}.destinations]]
type = "excel"
path = "output/{{job}}.xlsx"

[[jobs.{job}.destinations]]
type = "csv"
path = "output/{{job}}.csv"
connection_column = "branch"
"""

_CONNECTION = """
[connections.branch_{number:03d}]
url = "sqlite:///data/branch_{number:03d}.db"
tags = ["{region}"]
contact = "Branch {number:03d}, +91 80 5550 {number:04d}"
"""

_REGIONS = ("north", "south", "east", "west")


def configuration_text(demo: demo_data.Demo) -> str:
    """The demo's configuration."""
    head = _HEAD.format(branches=demo.branches, rows=demo.rows, job=JOB)
    return head + "".join(
        _CONNECTION.format(number=number, region=_REGIONS[number % len(_REGIONS)])
        for number in range(1, demo.branches + 1)
    )


def _refused(folder: Path, problem: str) -> ConfigError:
    mistake = Mistake(
        where="command line",
        key="--dir",
        problem=f"{folder} {problem}",
        way_out="Choose another --dir, or the same --seed, --branches and --rows again",
    )
    return ConfigError([mistake])


def prepare(folder: Path, demo: demo_data.Demo) -> Path:
    """Make the demo's folder, or find that it is there already; its configuration file.

    Raises:
        ConfigError: The folder holds something else, or a demo of another seed or size.
    """
    found = demo_data.existing(folder)
    if found is None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise _refused(folder, "is there and holds no demo")
    if found is not None and found != demo:
        raise _refused(
            folder,
            f"holds another demo: seed {found.seed}, {found.branches} branches of "
            f"{found.rows:,} rows",
        )
    try:
        demo_data.make(folder, branches=demo.branches, rows=demo.rows, seed=demo.seed)
        path = folder / "config.toml"
        if not path.exists():
            written = folder / ".config.toml.tmp"
            written.write_text(configuration_text(demo), encoding="utf-8")
            written.replace(path)
    except OSError as error:
        raise _refused(folder, f"cannot be written: {error.strerror}") from error
    return path


@click.command("demo")
@click.option("--branches", type=click.IntRange(1, 999), default=56, show_default=True)
@click.option("--rows", type=click.IntRange(0, 10_000_000), default=2000, show_default=True)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("etltui-demo"),
    show_default=True,
    help="Made if missing; one of the same seed and size is used again.",
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--headless", is_flag=True, help="Without the console, with progress on stderr.")
@errors_leave
def command(*, branches: int, rows: int, folder: Path, seed: int, headless: bool) -> None:
    """Make branch databases of sales and run job gst_sales over them.

    The folder then holds config.toml, data/, state/, and output/gst_sales.xlsx and .csv. Kill it
    at any moment and call it again: it goes on where it was. On a terminal the console shows it;
    without one, or with --headless, the run is followed to its end on stderr.
    """
    demo = demo_data.Demo(seed=seed, branches=branches, rows=rows)
    if demo_data.existing(folder) != demo:
        click.echo(f"making {branches} databases of {rows:,} rows in {folder} …", err=True)
    path = prepare(folder.absolute(), demo)
    config = load(path, environ=os.environ)
    state = state_folder(config, None, os.environ)
    opening = opening_of(config, state, start=JOB)
    if not headless and not no_screen(opening.terminal):
        sys.exit(open_console(opening))
    code = run_jobs(config, state, [JOB])
    click.echo(f"Look closer with: etltui runs --config {path}", err=True)
    sys.exit(code)

"""`etltui drivers`: what is installed to read each kind of database, and whether it loads."""

import asyncio
from dataclasses import asdict

import click

from etltui.doctor.probe import KINDS, probed, works
from etltui.domain.driver import Driver
from etltui.domain.safe_text import safe_text
from etltui.encode import events as encode


def _lines(driver: Driver) -> list[str]:
    mark = "✗" if driver.problem else "✓"
    named = f"{driver.name} {driver.version}".rstrip()
    told = [f"  {mark} {safe_text(named)}: {safe_text(driver.serves)}"]
    if driver.problem:
        told.append(f"      {safe_text(driver.problem)}")
        told.append(f"      → {safe_text(driver.remedy)}")
    return told


@click.command("drivers")
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS), metavar="[KIND]...")
@click.option("--json", "as_json", is_flag=True, help="A driver a line, as JSON.")
def command(*, kinds: tuple[str, ...], as_json: bool) -> None:
    """Show which kinds of databases can be read here, by what, and how to install what lacks.

    Each driver is really loaded, in a process of its own. Opens no database.
    """
    for kind, found in asyncio.run(probed(kinds or KINDS)).items():
        if as_json:
            for each in found:
                told = {"kind": kind, "works": not each.problem, **asdict(each)}
                click.echo(encode.line(told))
            continue
        click.echo(f"{'✓' if works(found) else '✗'} {kind}")
        for each in found:
            click.echo("\n".join(_lines(each)))

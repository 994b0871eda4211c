"""The command: which subcommands there are, loaded when they are called."""

import io
import sys
from importlib import import_module

import click

from etltui import __version__

CONSOLE = "console"
_COMMANDS = {
    CONSOLE: "Open the console; so does no command at all.",
    "demo": "Make sample branch databases and gather them.",
    "run": "Run jobs.",
    "retry": "Read again what a run lacks, and patch its targets.",
    "cancel": "End a run.",
    "watch": "Follow what an engine runs.",
    "serve": "Run an engine without a screen, for others to call.",
    "web": "Show the console in a browser.",
    "check": "Read the configuration and say what is wrong with it.",
    "config": "Show the settings and where they come from, or set one.",
    "test": "Ask each database for an answer.",
    "server-check": "Ask each server how many sessions it has and allows, and for what they wait.",
    "import-job": "Turn another program's job JSON into TOML.",
    "import-fleet": "Take a list of branches over as connections.",
    "runs": "List runs, newest first.",
    "show": "Show one run, connection by connection.",
    "verify": "Read every cell of a run's targets back, and name what differs.",
    "drift": "Show whose columns differ from those of most connections.",
    "jobs": "Show what jobs there are, and how each stands.",
    "snapshot": "Show how everything stands at this moment.",
    "queue": "Show and steer what waits for its turn.",
    "pools": "Show and steer the pools of sessions.",
    "hold": "Let no run read some connections, and list what is held.",
    "release": "Let runs read connections again that were held.",
    "identities": "Show which database each connection is, and approve another.",
    "checkpoints": "Show, export, import or delete what unfinished runs hold.",
    "drivers": "Show what is installed to read each kind of database.",
    "state": "Look after the state database: check, back up, restore, make anew.",
    "loadtest": "Put load on this program to order, and tell how it bore that.",
    "doctor": "Look at what can be in the way of a run, and say what to do.",
    "audit": "Show who did what, and prove that nobody changed the record of it.",
    "logs": "Show the log, and follow it.",
}


class _Lazy(click.Group):
    """Imports a subcommand when it is called, so that `--version` and completion are quick."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the console before its options and nothing; the program's own options stay."""
        own = (*ctx.help_option_names, "--version")
        if not ctx.resilient_parsing and (not args or (args[0][:1] == "-" and args[0] not in own)):
            args = [CONSOLE, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of a first day with the program."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"etltui.cli.{cmd_name.replace('-', '_')}").command
        command.short_help = _COMMANDS[cmd_name]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`, without importing any of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="etltui", message="%(prog)s %(version)s")
def main() -> None:
    """Gather the same query from many databases into one workbook, CSV, Parquet or JSON file.

    Nothing that finished is lost when a run is killed: run it again with --resume.
    Begin with `etltui demo`.

    \b
    Exit codes: 0 completed, 1 failed, 2 wrong usage or configuration,
    3 completed with errors, 4 stopped but resumable, 75 not now: the
    state folder is held, nobody serves it, or the job is paused or has a
    run already, 130 cancelled or left. Of several jobs the worst counts.

    Completion: eval "$(_ETLTUI_COMPLETE=bash_source etltui)"
    """  # noqa: D301 - \b is click's mark for lines to keep
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character shows a question mark, not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

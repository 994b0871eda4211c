"""What can be done with the log, and how its lines are laid out."""

from etltui.console.cells import Column
from etltui.console.commands import Command

COMMANDS = (
    Command(
        id="logs.open",
        keys="enter",
        title="open",
        help="Show the whole line, with its traceback where it has one.",
    ),
    Command(
        id="logs.follow",
        keys="F",
        title="follow",
        help="Go to the newest line and stay there, or stop following.",
    ),
    Command(
        id="logs.level",
        keys="l",
        title="level",
        help="Show heavier lines only: info, warning, error, and all again.",
        takes="LEVEL",
    ),
    Command(
        id="logs.filter",
        keys="slash",
        title="filter",
        help="Show lines only that say something: word, !word, /regex/.",
        takes="TEXT",
    ),
    Command(
        id="logs.this_run",
        keys="r",
        title="this run",
        help="Show lines only of the run under the cursor, or of all again.",
        takes="RUN",
    ),
    Command(
        id="logs.this_connection",
        keys="b",
        title="this branch",
        help="Show lines only of the connection under the cursor, or of all again.",
        name="connection",
        takes="CONNECTION",
    ),
    Command(
        id="logs.context",
        keys="c",
        title="context",
        help="Show 2 or 5 lines around each that passes, or none.",
        footer=False,
    ),
    Command(
        id="logs.all",
        keys="A",
        title="all lines",
        help="Show every line again.",
        name="all",
        footer=False,
    ),
    Command(
        id="logs.find",
        keys="f",
        title="find",
        help="Go to a line that says something; the others stay.",
        takes="TEXT",
        footer=False,
    ),
    Command(
        id="logs.next",
        keys="n",
        title="next",
        help="Go to the next line that was looked for; without one to the next warning.",
        footer=False,
    ),
    Command(
        id="logs.previous",
        keys="N",
        title="previous",
        help="The same, backwards.",
        footer=False,
    ),
    Command(
        id="logs.export",
        keys="E",
        title="export",
        help="Write the lines that are shown into a new file, as they are in the log.",
        takes="FILE",
        footer=False,
    ),
    Command(
        id="logs.copy",
        keys="y",
        title="copy",
        help="Copy the line under the cursor.",
        footer=False,
    ),
)

CONTEXTS = (0, 2, 5)
COLUMNS = (
    Column(id="time", title="TIME", width=8),
    Column(id="level", title="LEVEL", width=7),
    Column(id="run", title="RUN", width=5, below=100),
    Column(id="connection", title="CONNECTION", width=14, cut="middle", below=60),
    Column(id="message", title="MESSAGE", width=20, flexible=True),
)
ROLES = {"error": "bad", "warning": "warn", "debug": "muted"}

"""What can be done with a run in sight."""

from etltui.console.commands import Command

COMMANDS = (
    Command(
        id="run.details",
        keys="enter",
        title="details",
        help="All that is known of the connection: error, advice, past, time, pool, query.",
    ),
    Command(
        id="run.retry",
        keys="f",
        title="re-run failed",
        help="Read again what the run lacks, of the selected connections only where there are any, "
        "and patch its targets.",
        name="retry-failed",
        changes=True,
    ),
    Command(
        id="run.retry_class",
        keys="e",
        title="re-run class",
        help="Read again only what failed with one class of error.",
        name="retry-class",
        takes="CLASS",
        changes=True,
    ),
    Command(
        id="run.cancel",
        keys="x",
        title="cancel",
        help="End the run; what finished stays and can be resumed.",
        changes=True,
        ask="Cancel this run?",
    ),
    Command(
        id="run.targets",
        keys="w",
        title="targets",
        help="Where the run's rows are: paths, rows and sizes.",
    ),
    Command(
        id="run.order",
        keys="t",
        title="order",
        help="List connections by urgency, or in the job's own order.",
    ),
    Command(
        id="run.pane",
        keys="o",
        title="pane",
        help="Show or hide the details below the list, on screens of 30 lines and more.",
        footer=False,
    ),
)

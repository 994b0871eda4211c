"""Gathers all that is known of one connection of a run, for the pane and for the page."""

from collections.abc import Sequence

from etltui.console.bridge import Moment
from etltui.console.cells import Cell
from etltui.console.model.connection import Known, details
from etltui.console.model.fleet_page import pool_of
from etltui.console.model.run import Subject
from etltui.console.model.run_columns import RunConnection
from etltui.console.view import Desk


def all_about(
    desk: Desk,
    subject: Subject | None,
    record: RunConnection,
    moment: Moment,
    *,
    width: int,
) -> list[Sequence[Cell]]:
    """The lines about a connection: what the run, the store and the pools know of it by now."""
    look, reads = desk.look, desk.reads
    name = record.view.connection
    plan = reads.get("plan", subject.run) if subject and subject.planned else None
    planned = next((each for each in plan.connections if each.name == name), None) if plan else None
    pools = moment.snapshot.pool_info
    known = Known(
        view=record.view,
        at=moment.at,
        retries=record.pen.retries,
        contact=desk.contact_of(name),
        past=reads.get("connection_history", name),
        planned=planned,
        pool=pool_of(planned.connection, pools) if planned is not None else None,
    )
    return details(known, glyphs=look.glyphs, timezone=look.timezone, width=width)

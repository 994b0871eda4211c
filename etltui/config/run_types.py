"""Run types: what runs of a kind have in common in the queue."""

from etltui.config.rule import default_of
from etltui.config.schema import EXTRACT, PRIORITY, RUNS_AT_ONCE, Settings
from etltui.config.table import Table
from etltui.domain.job import RunType


def run_types(table: Table, program: Settings) -> dict[str, RunType]:
    """The run types by name: those of the file, and "extract" in any case."""
    found = {EXTRACT: RunType(name=EXTRACT, limit=program.max_jobs_per_type)}
    for name, entry in table.entries():
        found[name] = RunType(
            name=name,
            priority=entry.read("priority", PRIORITY, default_of(RunType, "priority")),
            limit=entry.read("limit", RUNS_AT_ONCE, program.max_jobs_per_type),
        )
        entry.finish()
    return found

"""What the commands of the linear console stand on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from etltui.config.checks import nearest_or_all
from etltui.config.reading import Reading
from etltui.config.schema import Config
from etltui.config.select import matches, suggestion
from etltui.console.bridge import Link, Moment
from etltui.console.glyphs import Glyphs
from etltui.console.linear.speech import Speech
from etltui.console.linear.tables import table
from etltui.console.model.listing import Field
from etltui.console.model.pace import Paces
from etltui.console.model.run import named_run
from etltui.console.options import Options
from etltui.domain.errors import NoSuchRunError, misused
from etltui.domain.job import Job
from etltui.domain.ports import History
from etltui.domain.progress import RunView
from etltui.domain.stored import RunRow

T = TypeVar("T")


@dataclass(kw_only=True, slots=True)
class Ground:
    """An engine, its records, and whom they are told.

    Attributes:
        config: What may be run, as it is now.
        reading: Reads it again.
        state: The state folder.
        width: Of a line.
        options: How the console was opened.
        leave: Ends the console in a way of `base.Left`.
    """

    link: Link
    history: History
    speech: Speech
    config: Config
    reading: Reading
    state: Path
    glyphs: Glyphs
    width: int
    options: Options
    leave: Callable[[str], None]

    @property
    def timezone(self) -> str:
        """In which times are told."""
        return self.config.settings.timezone

    async def now(self) -> Moment:
        """How everything stands.

        Raises:
            EtltuiError: The engine is gone.
        """
        return Moment(snapshot=await self.link.call("snapshot"), paces=Paces())

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Call the engine; its result.

        Raises:
            EtltuiError: It refuses, or is gone.
        """
        return await self.link.call(name, **arguments)

    def job(self, name: str) -> Job:
        """A job of the configuration.

        Raises:
            ConfigError: There is none of that name.
        """
        jobs = self.config.jobs
        if name not in jobs:
            way_out = nearest_or_all(name, jobs) if jobs else "The configuration has none yet"
            raise misused("JOB", f"there is no job {name!r}", way_out)
        return jobs[name]

    async def run(self, wanted: str, moment: Moment) -> RunView | RunRow:
        """A run by its id, an end of it, or its job: as the engine has it, else as the records do.

        Raises:
            NoSuchRunError: There is none.
        """
        view = named_run(moment, wanted)
        if view is not None:
            return view
        newest: Sequence[RunRow] = await self.history.runs(job=wanted, limit=1)
        row = newest[0] if newest else await self.history.run(wanted)
        if not row:
            why = "there is no such run or job, or more than one run ends so"
            raise NoSuchRunError(run=wanted, why=why, way_out="Write runs")
        return row

    def named(self, selectors: Sequence[str]) -> tuple[str, ...]:
        """Names of the connections that names, globs and `tag:NAME` mean, each once.

        Raises:
            ConfigError: One of them means none.
        """
        there = self.config.connections
        names: dict[str, None] = {}
        for selector, found in matches(there, selectors):
            if not found:
                problem = f"{selector!r} matches no connection"
                raise misused("CONNECTION", problem, suggestion(there, selector))
            names.update((each.name, None) for each in found)
        return tuple(names)

    def lines(self, fields: Sequence[Field[T]], records: Iterable[T]) -> list[str]:
        """Records as aligned text."""
        return table(fields, records, self.width, self.glyphs.ellipsis)

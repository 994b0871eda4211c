"""Takes over what another program's checkpoint file says, as far as that can be done honestly."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from etltui.config.schema import Config
from etltui.config.select import select
from etltui.config.templates import render
from etltui.domain.checkpoint import CheckpointFile, checkpoint_file
from etltui.domain.days import Days
from etltui.domain.errors import ConfigError, Mistake
from etltui.domain.job import Connection, Job
from etltui.domain.plan import Plan, plan_connection, plan_hash
from etltui.domain.run import run_id
from etltui.domain.words import counted


def refused(where: object, problem: str, way_out: str) -> ConfigError:
    """A file or argument that cannot be worked with."""
    return ConfigError(
        [Mistake(where=str(where), key="", problem=problem, way_out=way_out)],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Adopted:
    """A checkpoint file held against a job.

    Attributes:
        started: When the file was written, in the settings' zone.
        done: Connections of the job that the file calls completed.
        left: The others, in the job's order.
        unknown: What the file calls completed and the job does not know.
        timezone: Of the settings.
    """

    path: Path
    job: Job
    started: datetime
    done: tuple[Connection, ...]
    left: tuple[Connection, ...]
    unknown: tuple[str, ...]
    timezone: str = ""

    @property
    def total(self) -> int:
        """Connections of the job."""
        return len(self.done) + len(self.left)

    def plan(self) -> Plan:
        """A run over what is left; it counts as started when the file was written.

        The others are left out by every attempt of it, and stand so on the Index.
        """
        run = run_id(self.started, os.urandom)
        elsewhere = tuple(connection.name for connection in self.done)
        days = Days.of(self.job, self.started, self.timezone)
        return Plan(
            run=run,
            job=self.job,
            started=self.started,
            connections=tuple(
                plan_connection(number, connection, self.job, days)
                for number, connection in enumerate(self.left, start=1)
            ),
            targets=tuple(
                str(
                    render(
                        destination.path,
                        self.job,
                        run=run,
                        started=self.started,
                        day=days.day,
                    ),
                )
                for destination in self.job.destinations
            ),
            hash=plan_hash(self.job),
            left_out=elsewhere,
            elsewhere=elsewhere,
            day=days.day,
        )

    def without_rows(self) -> ConfigError:
        """Why it is not simply taken over."""
        return refused(
            self.path,
            f"it says that {len(self.done)} of {counted(self.total, 'connection')} are done, but "
            "holds none of their rows, so no target of etltui's could hold them",
            f"Either gather all afresh: etltui run {self.job.name}. Or keep the former target, and "
            f"import with --as-left-out: `etltui run {self.job.name} --resume` then gathers the "
            f"other {len(self.left)}, and its Index lists these {len(self.done)} as skipped",
        )


def adopted(path: Path, config: Config, job: str) -> Adopted:
    """The file held against the configuration.

    Args:
        path: A checkpoint file, ours or another program's.
        config: What may be run.
        job: Name of the job that it is of; empty for what the file itself says.

    Raises:
        ConfigError: It is no such file, of no job there is, or leaves nothing to do.
    """
    file = _read(path)
    found = _job(path, config, [job] if job else [file.job, file.title])
    timezone = config.settings.timezone
    started = file.updated.astimezone(ZoneInfo(timezone) if timezone else None)
    connections = select(config.connections, found.connections, day=started.date())
    # Other programs are not as strict about upper and lower case as names here are.
    names = {connection.name.casefold(): connection.name for connection in connections}
    said = {name: names.get(name.casefold()) for name in file.completed}
    done = {name for name in said.values() if name is not None}
    if not done or len(done) == len(connections):
        raise refused(
            path,
            f"it calls {'all' if done else 'none'} of the {counted(len(connections), 'connection')}"
            f" of {found.name} completed",
            f"There is nothing to take over. Gather all with: etltui run {found.name}",
        )
    return Adopted(
        path=path,
        job=found,
        started=started,
        done=tuple(each for each in connections if each.name in done),
        left=tuple(each for each in connections if each.name not in done),
        unknown=tuple(name for name, known in said.items() if known is None),
        timezone=timezone,
    )


def _read(path: Path) -> CheckpointFile:
    try:
        return checkpoint_file(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problem = f"it cannot be read: {(error.strerror or 'no reason').lower()}"
        raise refused(path, problem, "Name a file that you may read") from error
    except ValueError as error:  # a UnicodeDecodeError among them
        raise refused(
            path,
            str(error),
            "It must be a JSON object with jobId, completedConnectionIds, failedConnectionIds "
            "and lastUpdated",
        ) from error


def _job(path: Path, config: Config, names: Sequence[str]) -> Job:
    for name in names:
        for job in config.jobs.values():
            if name in (job.name, job.title):
                return job
    raise refused(
        path,
        f"there is no job called {' or '.join(repr(name) for name in dict.fromkeys(names))}",
        f"Say which it is of with --job: {', '.join(config.jobs) or 'none is configured'}",
    )

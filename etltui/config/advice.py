"""What is allowed in a configuration but will likely be regretted: warnings, never refusals."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from etltui.config.checks import nearest_or_all, shown
from etltui.config.document import local_path
from etltui.config.memory import Available
from etltui.config.profiles import PROFILES
from etltui.config.rule import default_of
from etltui.config.schema import Config, Settings
from etltui.config.select import select
from etltui.config.setting_views import RESTART, place_of
from etltui.config.table import joined
from etltui.config.themes import faint, folders_of, themes
from etltui.domain.identity import identity_query_of
from etltui.domain.job import Connection, Job
from etltui.domain.words import counted

LARGE = 20
"""Connections above which a job is large: beginning again would cost more than an operator has."""
USUAL_SESSIONS: Mapping[str, int] = {"postgresql": 97, "mysql": 151}
"""Sessions that a server takes as it comes: PostgreSQL's max_connections of 100 less the 3 that
are kept for superusers, MySQL's and MariaDB's max_connections."""
LONGEST_CHECKPOINT_DAYS = 90

_NARROWED = re.compile(r"\b(where|limit|top|fetch|having|count)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caution:
    """One thing that is allowed, but likely a mistake.

    Attributes:
        key: Dotted key, such as `jobs.gst_sales.resume`.
        problem: What will happen.
        way_out: What to do.
    """

    key: str
    problem: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}. {self.way_out}"


def _resuming(config: Config, job: Job, count: int) -> Iterator[Caution]:
    said = config.settings.resume_jobs
    if count > LARGE and not (job.resume if said is None else said):
        yield Caution(
            key=joined("jobs", job.name) + ".resume",
            problem=f"the job reads {count} connections, and a run that breaks off begins again "
            "with the first",
            way_out="Set resume = true, and try it with a few first: "
            f"etltui run {job.name} --only NAME",
        )


def _time_limit(config: Config, job: Job) -> Iterator[Caution]:
    """A time limit below the default for a query that reads whole tables."""
    limit = job.query_timeout_s or config.settings.query_timeout_s
    usual = default_of(Settings, "query_timeout_s")
    whole = [query.name for query in job.queries if not _NARROWED.search(query.sql)]
    if whole and limit < usual:
        yield Caution(
            key=joined("jobs", job.name) + ".query_timeout_s",
            problem=f"query {', '.join(whole)} reads whole tables, but has only {limit} s",
            way_out=f"Set query_timeout_s to {usual} or more, or narrow the query",
        )


def _progressive(job: Job) -> Iterator[Caution]:
    for number, each in enumerate(job.destinations, start=1):
        if each.is_progressive:
            yield Caution(
                key=f"{joined('jobs', job.name)}.destinations[{number}].progressive",
                problem="the receiver gets rows of a run that may still fail or be cancelled",
                way_out="Let it wait for what it lacks, or take progressive out",
            )


def _of_jobs(config: Config, day: date) -> Iterator[Caution]:
    for job in config.jobs.values():
        count = len(select(config.connections, job.connections, day=day))
        if not count:
            yield Caution(
                key=joined("jobs", job.name) + ".connections",
                problem=f"all its connections are closed or not yet open on {day}",
                way_out="Select others, or correct opened and closed",
            )
        yield from _resuming(config, job, count)
        yield from _time_limit(config, job)
        yield from _progressive(job)


def _of_identities(config: Config) -> Iterator[Caution]:
    """Codes that are expected of connections that are asked for none."""
    for each in config.connections:
        if not each.identity or each.identity_query:
            continue
        jobs = (job for job in config.jobs.values() if select((each,), job.connections))
        if not any(identity_query_of(job, each) for job in jobs):
            yield Caution(
                key=joined("connections", each.name) + ".identity",
                problem="nothing asks its database for it",
                way_out='Set identity_query = "SELECT …", for it, its tag or its job',
            )


def _of_memory(config: Config, memory: Available) -> Iterator[Caution]:
    threshold, key = config.settings.memory_threshold_mb, "settings.memory_threshold_mb"
    if memory.mb is None:
        return
    if threshold > memory.mb:
        yield Caution(
            key=key,
            problem=f"{threshold} MB is more than the {memory.mb} MB of {memory.what}: the "
            "machine runs out before work waits",
            way_out=f"Set at most {memory.mb // 2}, half of it, or 0 to leave it to the program",
        )
    profile = config.settings.profile
    asked = PROFILES[profile].values.get("memory_threshold_mb", 0) if profile else 0
    if asked > threshold and config.origins.get("memory_threshold_mb", "").startswith("half "):
        yield Caution(
            key=key,
            problem=f"the profile {profile} asks for {asked} MB, but {threshold} MB is half of "
            f"the {memory.what}",
            way_out="Run it where there is more, or choose another profile",
        )


def _servers(config: Config) -> Mapping[tuple[str, str, int], list[Connection]]:
    found: dict[tuple[str, str, int], list[Connection]] = {}
    for each in config.connections:
        if each.host:
            found.setdefault((each.kind, each.host.lower(), each.port), []).append(each)
    return found


def _of_servers(config: Config) -> Iterator[Caution]:
    """Servers that may refuse sessions which the settings allow."""
    settings = config.settings
    for (kind, host, _), group in _servers(config).items():
        usual = USUAL_SESSIONS.get(kind)
        pools = len({(each.database, each.credential) for each in group})
        most = min(settings.max_connections, settings.max_per_host, pools * settings.pool_size)
        if usual and most > usual:
            yield Caution(
                key="settings.max_per_host",
                problem=f"{host} may get {most} sessions, but a {kind} server usually allows "
                f"{usual}",
                way_out=f"Set max_per_host to less than {usual}, or look what the server allows",
            )


def _of_checkpoints(config: Config) -> Iterator[Caution]:
    days = config.settings.checkpoint_keep_days
    if days > LONGEST_CHECKPOINT_DAYS:
        yield Caution(
            key="settings.checkpoint_keep_days",
            problem=f"checkpoints of {days} days pile up, and nobody resumes so late",
            way_out=f"Set {default_of(Settings, 'checkpoint_keep_days')} or so",
        )


def _of_strays(config: Config) -> Iterator[Caution]:
    for key in config.strays:
        yield Caution(
            key=key,
            problem="the local file says something of it, but it is not there",
            way_out=f"Take it out of {local_path(config.path)}, or check the name",
        )


def _of_theme(config: Config) -> Iterator[Caution]:
    """A theme that cannot be had; the console would take its usual one."""
    name, key = config.console.theme, "console.theme"
    found, mistakes = themes(folders_of(config.path))
    for mistake in mistakes:
        where = joined("themes", mistake.where.rpartition("/")[2])
        at = joined(where, mistake.key) if mistake.key else where
        yield Caution(key=at, problem=mistake.problem, way_out=mistake.way_out)
    if name not in found:
        yield Caution(
            key=key,
            problem=f"there is no theme {shown(name)}",
            way_out=nearest_or_all(name, found),
        )
    elif hard := faint(found[name]):
        yield Caution(
            key=key,
            problem=f"{', '.join(hard)} of the theme {shown(name)} can hardly be read on its "
            "background",
            way_out="Choose colours of a contrast of 4.5 to 1 or more",
        )


def hints(config: Config, changed: Collection[str]) -> tuple[Caution, ...]:
    """What an operator should know who is about to change settings, though it is quite usual.

    Args:
        config: With the changes.
        changed: The names of what is changed.
    """
    return tuple(_hints(config, changed))


def _hints(config: Config, changed: Collection[str]) -> Iterator[Caution]:
    settings = config.settings
    size, most = settings.pool_size, settings.max_connections
    pools = len({(c.kind, c.host, c.port, c.database, c.credential) for c in config.connections})
    if {"pool_size", "max_connections"} & {*changed} and pools * size > most:
        yield Caution(
            key="settings.pool_size",
            problem=f"{counted(pools, 'pool')} × {size} is more than max_connections {most}: some "
            "will wait",
            way_out="Raise max_connections, or leave it: waiting costs nothing but time",
        )
    if {"pool_size", "max_per_host"} & {*changed} and size > settings.max_per_host:
        yield Caution(
            key="settings.pool_size",
            problem=f"a database gets at most {settings.max_per_host}: max_per_host is less",
            way_out=f"Raise max_per_host to {size}, or leave it",
        )
    for name in sorted(RESTART & {*changed}):
        yield Caution(
            key=".".join(place_of(name)),
            problem="it holds from the next start on",
            way_out="Start the engine or the console again when nothing runs",
        )


def warnings(config: Config, day: date, memory: Available) -> tuple[Caution, ...]:
    """Everything that is allowed but likely a mistake, in the order of jobs and settings.

    Args:
        config: Checked.
        day: Today, in the settings' zone.
        memory: What there is.
    """
    return (
        *_of_jobs(config, day),
        *_of_identities(config),
        *_of_memory(config, memory),
        *_of_servers(config),
        *_of_checkpoints(config),
        *_of_strays(config),
        *_of_theme(config),
    )

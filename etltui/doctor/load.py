"""Checks of an engine at work: a queue that backs up, memory that grows, progress that stands."""

import re
from collections.abc import Iterator
from statistics import median

from etltui.doctor.facts import Facts, Unfinished
from etltui.doctor.finding import Finding, ago, fail, ok, warn
from etltui.domain.errors import ErrorClass
from etltui.domain.progress import Snapshot
from etltui.domain.words import counted, some

STUCK_S = 600
"""A run under way without any sign of life for so long is stuck."""
WAITS_S = 600
"""A run that is due and waits for so long says that the queue is backing up."""
_HANGS = 3
"""A run that takes so many times as long as the longest before it is hanging."""
_STALE_S = 60
_DAY = 86400
_FULL = 0.8
_GROWN = 1.5
_LEAST = 8
"""Weighings of a run before a trend can be told."""
_USAGE = re.compile(r"Memory usage: (\d+)MB / (\d+)MB ")
_MB = 1024 * 1024


def _live(facts: Facts) -> Snapshot | None:
    """What an engine that runs now has said lately."""
    live = facts.records.live
    return live if live and facts.held and facts.now - live.at <= _STALE_S else None


def queue(facts: Facts) -> tuple[Finding, ...]:
    """Whether runs get their turn, and what holds them up."""
    found = facts.records
    due = [e for e in found.queued if not e.taken and e.not_before <= facts.now]
    late = [e for e in due if facts.now - max(e.submitted, e.not_before) > WAITS_S]
    findings = [*_paused(found.paused), *_locks(facts), *_waiting_sessions(facts)]
    if late and facts.held:
        longest = max(facts.now - max(e.submitted, e.not_before) for e in late)
        limits = ""
        if facts.config:
            settings = facts.config.settings
            limits = (
                f" max_jobs = {settings.max_jobs}, "
                f"max_jobs_per_type = {settings.max_jobs_per_type}."
            )
        findings.append(
            warn(
                "queue",
                f"the queue backs up: {counted(len(late), 'run')} due, one for {ago(longest)}",
                f"{some([e.job for e in late])}.{limits}",
                "See in `etltui runs` what runs long; raise max_jobs (JOB_QUEUE_MAX_CONCURRENT) "
                "step by step while the databases bear it; look there for deadlocks and long "
                "queries",
                waiting=len(late),
                longest_s=longest,
            ),
        )
    return tuple(findings) or (
        ok("queue", f"waiting: {counted(len(due), 'run')}", waiting=len(due)),
    )


def _paused(jobs: tuple[str, ...]) -> Iterator[Finding]:
    if jobs:
        what = "the whole queue" if "" in jobs else some([*jobs])
        yield warn("queue", f"paused: {what}", "It gets no turn.", "Resume it when it may run")


def _locks(facts: Facts) -> Iterator[Finding]:
    """Connections that found what they read locked: deadlocks, long transactions."""
    names = [
        result.connection
        for run in facts.records.past
        for result in run.results
        if result.trouble and result.trouble.error_class is ErrorClass.BUSY
    ]
    if names:
        yield warn(
            "queue",
            f"what was to be read was locked: {counted(len(names), 'time')}",
            f"At {some([*dict.fromkeys(names)])}: a long transaction or a deadlock.",
            "Find the session that holds the lock, and run the job when it does not",
            times=len(names),
        )


def _waiting_sessions(facts: Facts) -> Iterator[Finding]:
    """Sessions: all places taken, held too long, or logins locked."""
    live = _live(facts)
    if live is None:
        return
    pools = live.pools
    if pools.waiting and pools.places >= pools.max_connections:
        yield warn(
            "connections",
            f"all {pools.max_connections} sessions in use, waiting: {pools.waiting:,}",
            "Waiting costs nothing but time.",
            "Raise max_connections (MAX_CONCURRENT_CONNECTIONS) where the databases bear it",
            waiting=pools.waiting,
            places=pools.places,
        )
    if pools.leaks:
        leaks = [f"{leak.holder} ({ago(leak.seconds)})" for leak in pools.leaks]
        yield warn(
            "connections",
            f"held longer than expected: {counted(len(leaks), 'session')}",
            some(leaks),
            "If these runs hang, cancel them; else report it with the log",
            leaks=len(leaks),
        )
    if pools.locked_credentials:
        yield warn(
            "connections",
            f"not tried any more: {some([*pools.locked_credentials])}",
            "A login failed; trying on would lock the account at every branch.",
            "Mend the password, then release the credential",
        )


def memory(facts: Facts) -> tuple[Finding, ...]:
    """Whether memory is short or still growing, and what may hold it."""
    findings = []
    live = _live(facts)
    if live and live.threshold and live.memory >= _FULL * live.threshold:
        findings.append(
            warn(
                "memory",
                f"{live.memory // _MB:,} of {live.threshold // _MB:,} MB are in use",
                "At the threshold no connection starts, and runs stop resumably.",
                "Lower max_parallel of the jobs that run, or raise memory_threshold_mb "
                "(MEMORY_THRESHOLD_MB)",
                used_mb=live.memory // _MB,
                threshold_mb=live.threshold // _MB,
            ),
        )
    findings += [*_growing(facts), *_hanging(facts), *_strays(live)]
    return tuple(findings) or (ok("memory", "Memory was not short"),)


def _strays(live: Snapshot | None) -> Iterator[Finding]:
    """What the engine's process holds although its work has ended."""
    if live and live.strays:
        yield warn(
            "memory",
            f"not given back: {counted(len(live.strays), 'thing')}",
            some([f"{each} ({ago(each.seconds)})" for each in live.strays]),
            "Report it with the log; a restart of the engine gives it back, and resumes its runs",
            strays=len(live.strays),
        )


def _growing(facts: Facts) -> Iterator[Finding]:
    """The newest run whose weighings rise from beginning to end."""
    runs: dict[str, list[int]] = {}
    for line in facts.log:
        if facts.now - line.time <= _DAY and (usage := _USAGE.match(line.message)):
            runs.setdefault(line.run, []).append(int(usage[1]))
    if not runs:
        return
    run, used = [*runs.items()][-1]
    quarter = len(used) // 4
    if len(used) < _LEAST:
        return
    before, after = median(used[:quarter]), median(used[-quarter:])
    if after >= _GROWN * max(before, 1) and after > median(used):
        yield warn(
            "memory",
            f"memory grew all through {run}: from {before:.0f} to {after:.0f} MB",
            "It should stay flat: rows are on disk as soon as a connection ends.",
            "Lower max_parallel; set extractors = 2 or fewer; if it still grows, a driver may "
            "leak: report it with `etltui logs --run "
            f"{run} --export FILE`",
            before_mb=before,
            after_mb=after,
        )


def _hanging(facts: Facts) -> Iterator[Finding]:
    """Runs that take far longer than any before them: what they hold is not given back."""
    usual: dict[str, float] = {}
    for each in facts.records.past:
        if each.row.result is not None:
            seconds = each.row.result.seconds
            usual[each.row.job] = max(usual.get(each.row.job, 0.0), seconds)
    for found in facts.records.unfinished:
        took = facts.now - found.row.started
        longest = usual.get(found.row.job, 0.0)
        if found.under_way and facts.held and took > STUCK_S and took > _HANGS * longest > 0:
            yield warn(
                "memory",
                f"{found.row.job} has been running for {ago(took)}, at most {ago(longest)} before",
                "A job that hangs keeps sessions and memory.",
                f"Look at it with etltui show {found.row.run}; cancel it, it can be resumed",
                seconds=took,
                longest_s=longest,
            )


def progress(facts: Facts) -> tuple[Finding, ...]:
    """Whether runs under way move, and whether that can be seen."""
    findings = []
    if facts.config and not facts.config.settings.streaming:
        findings.append(
            warn(
                "progress",
                "streaming is off: progress is not shown while it happens",
                "",
                "Set streaming = true",
            ),
        )
    if facts.held:
        findings += [f for found in facts.records.unfinished for f in _stuck(facts, found)]
    return tuple(findings) or (ok("progress", "No run stands still"),)


def _stuck(facts: Facts, found: Unfinished) -> Iterator[Finding]:
    if not found.under_way:
        return
    live = facts.records.live
    views = live.runs if live else ()
    changed = max((view.changed for view in views if view.run == found.row.run), default=0.0)
    still = facts.now - max(found.sign, changed, found.row.started)
    if still > STUCK_S:
        yield fail(
            "progress",
            f"{found.row.job}: {found.row.run} has not moved for {ago(still)}",
            "No row, no part and no mark since then.",
            "Look at the branches that are being read (etltui show) and at etltui logs --run "
            f"{found.row.run[-4:]}; lower stall_timeout_s; stop it with Ctrl-C or TERM: it can be "
            "resumed",
            seconds=still,
        )
    elif live and facts.now - live.at > _STALE_S:
        yield warn(
            "progress",
            f"the engine has not said for {ago(facts.now - live.at)} how it stands",
            f"{found.row.job} moves, but what is shown of it is old.",
            "Look whether the machine is overloaded or its disk is full",
            seconds=facts.now - live.at,
        )


def log_errors(facts: Facts) -> tuple[Finding, ...]:
    """Errors in the log of the last day."""
    errors = [e for e in facts.log if e.level == "error" and facts.now - e.time <= _DAY]
    if not errors:
        return (ok("log", "No error in the log of the last day"),)
    return (
        warn(
            "log",
            f"{counted(len(errors), 'error')} in the log of the last day",
            f"The last: {errors[-1].message}",
            "etltui logs --level error --since 1d",
            errors=len(errors),
        ),
    )

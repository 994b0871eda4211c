"""Checks of how the last runs went: time-outs, failures by class, stops, and what is unfinished."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from etltui.doctor.facts import Facts, Past, Unfinished
from etltui.doctor.finding import Finding, ago, fail, ok, warn
from etltui.domain.errors import ADVICE, ErrorClass
from etltui.domain.run import RESUMABLE, ConnectionResult, RunStatus
from etltui.domain.words import counted, some, words

_SLOW = frozenset({ErrorClass.TIMEOUT, ErrorClass.STALLED})
_WRITING = frozenset({ErrorClass.DISK, ErrorClass.TARGET})
"""Of a value that a destination refuses `failures` tells, with advice of its own."""
_OFTEN = 2
"""Runs in which a connection must have been too slow before that is more than bad luck."""
_MEMORY = "memory usage "
_DISK = ("the disk of ", "the free space of ", "cannot record", "not published")
_CRASH = "the engine ended without finishing"


def _failures(past: tuple[Past, ...]) -> Iterator[tuple[str, ErrorClass]]:
    """Connection and class of every failure."""
    for run in past:
        for result in run.results:
            if result.trouble is not None:
                yield result.connection, result.trouble.error_class


def _last(past: tuple[Past, ...]) -> str:
    return "the last run" if len(past) == 1 else f"the last {len(past)} runs"


def time_outs(facts: Facts) -> tuple[Finding, ...]:
    """Connections that were too slow again and again, and the limits in force."""
    past = facts.records.past
    slow: Counter[str] = Counter()
    jobs: dict[str, None] = {}
    for run in past:
        names = {name for name, error_class in _failures((run,)) if error_class in _SLOW}
        slow.update(names)
        jobs |= dict.fromkeys([run.row.job] if names else [])
    often = {name: count for name, count in slow.most_common() if count >= _OFTEN}
    if not often:
        return (ok("timeouts", f"No connection timed out repeatedly in {_last(past)}"),)
    told = some([f"{name} ({counted(count, 'time')})" for name, count in often.items()])
    return (
        warn(
            "timeouts",
            f"timed out repeatedly in {_last(past)}: {counted(len(often), 'connection')}",
            f"{told}. {_limits(facts, [*jobs])}",
            "Look at the load and the line of these branches; make the query cheaper (an index, "
            "fewer columns, a day at a time); or raise the limit that was met: query_timeout_s "
            "(QUERY_TIMEOUT_MS), stall_timeout_s, connection_timeout_s (DB_CONNECTION_TIMEOUT)",
            connections=len(often),
            runs=len(past),
        ),
    )


def _limits(facts: Facts, jobs: list[str]) -> str:
    if facts.config is None:
        return ""
    settings = facts.config.settings
    words = [f"connection_timeout_s = {settings.connection_timeout_s}"]
    for name in jobs:
        job = facts.config.jobs.get(name)
        query = (job and job.query_timeout_s) or settings.query_timeout_s
        stall = (job and job.stall_timeout_s) or settings.stall_timeout_s
        words.append(f"{name}: query_timeout_s = {query}, stall_timeout_s = {stall}")
    return f"Limits in force: {'; '.join(words)}."


def failures(facts: Facts) -> tuple[Finding, ...]:
    """What connections failed of, class by class, with what to do."""
    past = facts.records.past
    found: defaultdict[ErrorClass, Counter[str]] = defaultdict(Counter)
    for name, error_class in _failures(past):
        found[error_class][name] += 1
    if not found:
        return (ok("failures", f"No connection failed in {_last(past)}"),)
    return tuple(
        warn(
            "failures",
            f"{names.total():,} × {words(error_class)} in {_last(past)}",
            f"{ADVICE[error_class].means} At: {some([name for name, _ in names.most_common()])}",
            ADVICE[error_class].try_,
            failures=names.total(),
            connections=len(names),
        )
        for error_class, names in sorted(found.items(), key=lambda item: -item[1].total())
    )


def stops(facts: Facts) -> tuple[Finding, ...]:
    """Runs that the memory or disk gate stopped, or that were killed."""
    last = _last(facts.records.past)
    reasons = [(each.row.run, each.row.reason) for each in facts.records.past]
    memory = [run for run, reason in reasons if reason.startswith(_MEMORY)]
    disk = [run for run, reason in reasons if reason.startswith(_DISK)]
    crashed = [run for run, reason in reasons if reason.startswith(_CRASH)]
    findings = []
    if memory:
        advice = ADVICE[ErrorClass.MEMORY]
        title = f"stopped at the threshold in {last}: {counted(len(memory), 'run')}"
        findings.append(warn("memory", title, some(memory), advice.try_, runs=len(memory)))
    if disk:
        title = f"stopped by a disk or target in {last}: {counted(len(disk), 'run')}"
        said = next(reason for run, reason in reasons if run == disk[0])
        findings.append(
            warn("disk", title, f"{disk[0]}: {said}", ADVICE[ErrorClass.DISK].try_, runs=len(disk)),
        )
    if crashed:
        findings.append(
            warn(
                "engine",
                f"ended with the engine in {last}: {counted(len(crashed), 'run')}",
                f"{some(crashed)}. It was killed, or the machine went down.",
                "Look for 'Out of memory' in dmesg; go on with --resume",
                runs=len(crashed),
            ),
        )
    return tuple(findings)


def write_failed(facts: Facts) -> tuple[Finding, ...]:
    """Rows that were read and that a disk did not take, in runs that have not completed since."""
    latest = {run.row.job: run for run in reversed(facts.records.past)}
    open_ = {
        run.row.run: {result.connection: result for result in run.results}
        for run in latest.values()
        if run.row.status is not RunStatus.COMPLETED
    }
    told = [
        line
        for line in facts.log
        if line.message.startswith("Failed to write ")
        and " progressively for " in line.message
        and line.run in open_
        and _is_unwritten(open_[line.run].get(line.connection))
    ]
    names = dict.fromkeys(
        name
        for results in open_.values()
        for name, result in results.items()
        if result.trouble is not None and _is_unwritten(result)
    )
    names |= dict.fromkeys(line.connection for line in told if line.connection)
    if not names:
        return (ok("writing", "No disk refused what was read"),)
    return (
        warn(
            "writing",
            f"read and not written: {counted(len(names), 'connection')}",
            (told[-1].message + ". " if told else "") + f"At: {some([*names])}",
            "Free the disk, or mend what the message names; what was written is kept: run again "
            "with --resume",
            connections=len(names),
        ),
    )


def _is_unwritten(result: ConnectionResult | None) -> bool:
    """Whether a connection whose rows were refused still lacks them; a disk leaves no result."""
    if result is None:
        return True
    return result.trouble is not None and result.trouble.error_class in _WRITING


def unfinished(facts: Facts) -> tuple[Finding, ...]:
    """Runs that wait to be resumed, with the command for it."""
    found = [each for each in facts.records.unfinished if each.row.status in RESUMABLE]
    if not found:
        return (ok("unfinished", "No run waits to be resumed"),)
    return tuple(_unfinished(facts, each) for each in found)


def _unfinished(facts: Facts, found: Unfinished) -> Finding:
    row, done = found.row, len(found.checkpoint.completed)
    settings = facts.config.settings if facts.config else None
    age = facts.now - (row.started if row.ended is None else row.ended)
    keep = f" Kept for {settings.checkpoint_keep_days} days." if settings else ""
    return warn(
        "unfinished",
        f"{row.job}: {row.run} is {row.status}, {done} of {row.total} connections done",
        f"{ago(age)} ago: {row.reason or 'no reason was recorded'}.{keep}",
        f"etltui run {row.job} --resume",
        age_s=age,
        completed=done,
        total=row.total,
    )


def not_resuming(facts: Facts) -> tuple[Finding, ...]:
    """Unfinished runs that the next start of their job would not take up, and why."""
    if facts.config is None:
        return ()
    findings = []
    for found in facts.records.unfinished:
        job = facts.config.jobs.get(found.row.job)
        if found.row.status not in RESUMABLE:
            continue
        if job is None:
            problem, way_out = "the job is not configured any more", "Configure it again, or drop"
        elif found.changed:
            problem = f"the job was changed since: {', '.join(found.changed)}"
            way_out = "Undo the change to resume it, or start afresh with --no-resume, or drop"
        elif facts.config.settings.resume_jobs is False or not (
            facts.config.settings.resume_jobs or job.resume
        ):
            problem = "resume is off, so a start without --resume begins afresh"
            way_out = "Say --resume, set RESUME_JOBS=true or resume = true on the job, or drop"
        else:
            continue
        findings.append(
            warn(
                "resume",
                f"{found.row.job}: {found.row.run} is not taken up by itself",
                f"{problem[0].upper()}{problem[1:]}.",
                f"{way_out} it: etltui checkpoints delete {found.row.job}",
            ),
        )
    return tuple(findings)


def mirrors(facts: Facts) -> tuple[Finding, ...]:
    """Whether checkpoints reach their JSON files."""
    lost = [
        each.row.job
        for each in facts.records.unfinished
        if not each.mirrored and each.checkpoint.completed
    ]
    problem = facts.mirror_problem or (f"No file for {some(lost)}" if lost else "")
    if not problem:
        return (ok("checkpoints", "Checkpoints are recorded and mirrored"),)
    return (
        warn(
            "checkpoints",
            "checkpoints are recorded, but not mirrored as JSON",
            f"{problem}. Resuming does not need these files; other programs may.",
            f"Make {facts.folder.path / 'checkpoints'} a folder that you may write; "
            "etltui checkpoints export writes such a file at any time",
        ),
    )


def jobs_not_processing(facts: Facts) -> tuple[Finding, ...]:
    """Runs that are recorded as under way while nobody works on them."""
    if facts.held:
        return ()
    dead = [e.row for e in facts.records.unfinished if e.under_way]
    waiting = [entry.run for entry in facts.records.queued if not entry.taken]
    findings = []
    if dead:
        commands = some([f"etltui run {row.job} --resume" for row in dead])
        findings.append(
            fail(
                "queue",
                f"recorded as running, but no engine runs: {counted(len(dead), 'run')}",
                f"{some([row.run for row in dead])}: the engine was killed or crashed.",
                f"Nothing that finished is lost: {commands}",
                runs=len(dead),
            ),
        )
    if waiting:
        findings.append(
            fail(
                "queue",
                f"waiting, but no engine runs: {counted(len(waiting), 'run')}",
                some(waiting),
                "Start an engine, which takes up what waits: etltui serve",
                runs=len(waiting),
            ),
        )
    return tuple(findings)

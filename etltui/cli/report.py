"""What a finished run is told as on stdout: counts, targets, and the failures with a way out."""

from etltui.cli.failures import advice_lines, classes_of, failure_line, folded
from etltui.config.schema import Config
from etltui.domain.run import RESUMABLE, ConnectionStatus, RunResult, RunStatus
from etltui.domain.safe_text import safe_text
from etltui.domain.words import counted, duration, number, short, size, some, words

_LACKING = frozenset({ConnectionStatus.FAILED, ConnectionStatus.SKIPPED})
_MOST_FAILURES = 20
_MOST_UNUSUAL = 5


def report(result: RunResult, config: Config, width: int = 0) -> str:
    """The lines of one run, wrapped at a width; 0 wraps none."""
    kept = f" ({result.skipped} from an earlier attempt)" if result.skipped else ""
    left_out = f" ({result.left_out} left out by --only)" if result.left_out else ""
    held = f" ({result.unread})" if result.unread else ""
    done = f"{result.completed}/{result.total} connections{kept}{left_out}{held}"
    rows = counted(result.rows, "row")
    lines = [f"{result.job}: {words(result.status)}, {done}, {rows}, {duration(result.seconds)}"]
    if result.reason:
        lines.append(f"  {safe_text(result.reason)}")
    lines.extend(
        f"  {safe_text(output.path)}  {counted(output.rows, 'row')}  {size(output.bytes)}"
        + ("" if output.final else "  beside its place, until that is free")
        for output in result.outputs
    )
    lines += [*_unusual(result), *_provisional(result), *_failures(result, config)]
    if more := go_on(result.run, result.job, result.status):
        lines.append(f"  {more}")
    return "\n".join(folded(lines, width))


def go_on(run: str, job: str, status: RunStatus) -> str:
    """The command that reads what a run lacks; empty where there is none."""
    if status is RunStatus.COMPLETED_WITH_ERRORS:
        return f"Read them again with: etltui retry {short(run)} --only-failed"
    return f"Go on with: etltui run {job} --resume" if status in RESUMABLE else ""


def _failures(result: RunResult, config: Config) -> list[str]:
    """The first failures, a line each, and what to do about all."""
    failed = [c for c in result.connections if c.status in _LACKING]
    contacts = {connection.name: connection.contact for connection in config.connections}
    lines = [
        line
        for each in failed[:_MOST_FAILURES]
        for line in failure_line(each, contacts.get(each.connection, ""))
    ]
    if len(failed) > _MOST_FAILURES:
        more = number(len(failed) - _MOST_FAILURES)
        lines.append(f"  … and {more} more: etltui show {short(result.run)}")
    return lines + [f"  {line}" for line in advice_lines(classes_of(failed))]


def _provisional(result: RunResult) -> list[str]:
    """The connections whose rows may still change, on a line."""
    names = [each.connection for each in result.connections if each.provisional]
    if not names:
        return []
    head = f"{counted(len(names), 'connection')} provisional, the day was not closed there"
    return [safe_text(f"  {head}: {some(names, _MOST_UNUSUAL)}")]


def _unusual(result: RunResult) -> list[str]:
    """The connections whose rows are far from usual, on a line."""
    if not result.unusual:
        return []
    said = [f"{name} {far}" for name, far in result.unusual.items()]
    more = [f"… etltui show {result.run}"] if len(said) > _MOST_UNUSUAL else []
    listed = "; ".join(said[:_MOST_UNUSUAL] + more)
    return [safe_text(f"  {counted(len(said), 'connection')} far from usual: {listed}")]

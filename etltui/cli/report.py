"""What a finished run is told as on stdout: counts, targets, and each failure with its way out."""

from etltui.cli.words import counted, duration, number, size, words
from etltui.config.schema import Config
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunResult, RunStatus
from etltui.domain.safe_text import safe_text

_MOST_FAILURES = 20
_MOST_UNUSUAL = 5


def report(result: RunResult, config: Config) -> str:
    """The lines of one run."""
    kept = f" ({result.skipped} from an earlier attempt)" if result.skipped else ""
    left_out = f" ({result.left_out} left out by --only)" if result.left_out else ""
    done = f"{result.completed}/{result.total} connections{kept}{left_out}"
    rows = counted(result.rows, "row")
    lines = [f"{result.job}: {words(result.status)}, {done}, {rows}, {duration(result.seconds)}"]
    if result.reason:
        lines.append(f"  {safe_text(result.reason)}")
    lines.extend(
        f"  {safe_text(output.path)}  {counted(output.rows, 'row')}  {size(output.bytes)}"
        for output in result.outputs
    )
    lines.extend(_unusual(result))
    failed = [c for c in result.connections if c.status is ConnectionStatus.FAILED]
    contacts = {connection.name: connection.contact for connection in config.connections}
    for connection in failed[:_MOST_FAILURES]:
        lines.extend(failure_lines(connection, contacts.get(connection.connection, "")))
    if len(failed) > _MOST_FAILURES:
        lines.append(f"  … {number(len(failed) - _MOST_FAILURES)} more: etltui show {result.run}")
    if result.status in {RunStatus.STOPPED, RunStatus.CANCELLED}:
        lines.append(f"  Go on with: etltui run {result.job} --resume")
    return "\n".join(lines)


def _unusual(result: RunResult) -> list[str]:
    """The connections whose rows are far from usual, on a line."""
    if not result.unusual:
        return []
    said = [f"{name} {far}" for name, far in result.unusual.items()]
    more = [f"… etltui show {result.run}"] if len(said) > _MOST_UNUSUAL else []
    listed = "; ".join(said[:_MOST_UNUSUAL] + more)
    return [safe_text(f"  {counted(len(said), 'connection')} far from usual: {listed}")]


def failure_lines(result: ConnectionResult, contact: str) -> list[str]:
    """What happened, what it means, what to try, whom to call."""
    if result.trouble is None:
        return []
    advice = result.trouble.raised().advice
    call = f" Contact: {contact}." if contact else ""
    return [
        safe_text(line)
        for line in (
            f"  {result.connection}  {words(result.trouble.error_class)}: {result.trouble.message}",
            f"    {advice.means} {advice.try_}{call}",
        )
    ]

"""What happens, one line for each change: on stderr, in the linear console, for a screen reader."""

from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionSkipped,
    Event,
    LineDown,
    LineUp,
    QueueCleared,
    RunFinished,
    RunQueued,
    RunRetrying,
    RunStarted,
    TargetPublished,
)
from etltui.domain.safe_text import safe_text
from etltui.domain.words import counted, duration, local, moment, short, words


class Changes:
    """Says events in words; it counts what ended, so it must be told all of them.

    Args:
        timezone: Of the times; empty for the machine's own.
    """

    def __init__(self, timezone: str = "") -> None:
        self._timezone = timezone
        self._counts: dict[str, list[int]] = {}

    def stamped(self, event: Event) -> str:
        """The harmless line of an event behind its time, empty for those that are progress only."""
        text = self.line(event)
        clock = f"{local(event.at, self._timezone):%H:%M:%S}"
        return f"{clock} {safe_text(text)}" if text else ""

    def begun(self, run: str, ended: int, total: int) -> None:
        """Take in a run that had begun before, of which so many connections have ended."""
        self._counts[run] = [ended, total]

    def line(self, event: Event) -> str:
        """The words of an event, empty for those that are progress only."""
        match event:
            case RunStarted():
                self._counts[event.run] = [event.skipped, event.total]
                again = f", {event.skipped} done before" if event.attempt > 1 else ""
                count = counted(event.total, "connection")
                return f"run {short(event.run)} {event.job} started, {count}{again}"
            case ConnectionCompleted():
                counts = self._counts.setdefault(event.run, [0, 0])
                counts[0] += 1
                took = duration(sum(event.result.seconds.values()))
                rows = counted(event.result.rows, "row")
                return f"done {event.connection} {rows} {took} ({counts[0]}/{counts[1]})"
            case ConnectionFailed() | ConnectionSkipped():
                return _failed(event)
            case TargetPublished() if event.final:
                return f"published {event.path} {counted(event.rows, 'row')}"
            case RunFinished():
                return _ended(event)
            case _:
                return _waiting(event, self._timezone)


def _waiting(event: Event, timezone: str) -> str:
    """The words of an event that is about waiting, empty for others."""
    match event:
        case LineDown() | LineUp():
            return _gateway(event)
        case RunQueued():
            later = f", not before {moment(event.not_before, timezone)}" if event.not_before else ""
            return f"run {short(event.run)} {event.job} queued by {event.owner}{later}"
        case RunRetrying():
            wait = duration(event.wait_s)
            return f"retry run {short(event.run)} {event.job}: {event.reason}; again in {wait}"
        case QueueCleared():
            return f"queue cleared, {event.count} cancelled"
        case _:
            return ""


def _gateway(event: LineDown | LineUp) -> str:
    """What has become of a line, such as a gateway, that many connections share."""
    if isinstance(event, LineUp):
        again = counted(len(event.connections), "connection")
        return f"up {event.line} after {duration(event.down_s)}: {again} waited for it"
    wait = "all behind it wait while one at a time is tried"
    return f"down {event.line}: {wait}; {event.error}"


def _failed(event: ConnectionFailed | ConnectionSkipped) -> str:
    what = f"{event.connection} {words(event.trouble.error_class)}: {event.trouble.message}"
    if isinstance(event, ConnectionSkipped):
        return f"skipped {what}"
    if event.will_retry:
        return f"retry {what}; again in {duration(event.wait_s)}"
    return f"failed {what}"


def _ended(event: RunFinished) -> str:
    result = event.result
    held = f" {result.unread}," if result.unread else ""
    rows = counted(result.rows, "row")
    counts = f"{result.completed} done, {result.failed} failed,{held} {rows}"
    reason = f"; {result.reason}" if result.reason else ""
    return f"run {short(event.run)} {words(result.status)}: {counts}{reason}"

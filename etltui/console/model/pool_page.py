"""A pool in full: its numbers, who holds its sessions for too long, what it was asked."""

from collections.abc import Iterator, Sequence

from etltui.console.cells import Cell, Styled
from etltui.console.model.before import said
from etltui.console.model.pools import PoolLine, meaning, milliseconds
from etltui.domain.job import Connection
from etltui.domain.pools import PoolHistory, PoolStats
from etltui.domain.words import age, counted, duration, number, some

_SOME = 8


def pool_page(
    line: PoolLine, history: PoolHistory | None, connections: Sequence[Connection]
) -> list[Cell]:
    """The lines of the page, what is wrong first.

    Args:
        line: The pool.
        history: What it was asked; None where that is not known.
        connections: Those that it serves.
    """
    lines: list[Cell] = [said("State", line.state)]
    means = meaning(line)
    if means:
        lines.append(means)
    error = line.error or (history.last_error if history else "")
    if error and line.state != "down":
        lines.append(Styled(said("Last error", error), "bad"))
    if line.stats is not None:
        lines += _leaks(line.stats)
    if history is not None:
        lines.append(said("Answers", _answers(history)))
    lines.append(said("Serves", _served(connections)))
    lines += [said("Call", contact) for contact in _contacts(connections)]
    if line.stats is not None:
        lines += ["", *_numbers(line.stats)]
    if history is not None and history.statements:
        lines += ["", *_statements(history)]
    return lines


def _leaks(stats: PoolStats) -> Iterator[Cell]:
    for leak in stats.leaks:
        text = said("Leak", f"held for {duration(leak.seconds)} by {leak.holder}")
        yield Styled(text, "bad")


def _answers(history: PoolHistory) -> str:
    if history.proved_s is None:
        last = "it has not answered yet"
    else:
        last = f"it answered {age(history.proved_s)} ago"
    failed = history.proofs_failed
    return f"{last}, {counted(failed, 'failure')} since" if failed else last


def _served(connections: Sequence[Connection]) -> str:
    if not connections:
        return "no connection of the configuration"
    return some([each.name for each in connections])


def _contacts(connections: Sequence[Connection]) -> list[str]:
    return list(dict.fromkeys(each.contact for each in connections if each.contact))[:_SOME]


def _numbers(stats: PoolStats) -> Iterator[Cell]:
    yield said("Server", stats.server or "none: a file")
    yield said(
        "Sessions",
        f"{stats.open} open of {stats.size}: {stats.lent} lent, {stats.idle} idle; "
        f"{stats.connecting} connecting",
    )
    yield said("Waiting", f"{stats.waiting}; {counted(stats.refs, 'lease')} wait or hold")
    yield said(
        "Lent", f"{counted(stats.acquires, 'time')}, {stats.served_by_open} to open sessions"
    )
    yield said(
        "Opened",
        f"{number(stats.opened)}, closed {number(stats.closed)}, of these lost "
        f"{number(stats.lost)}",
    )
    yield said(
        "Wait", f"p50 {milliseconds(stats.wait_p50_ms)}, p95 {milliseconds(stats.wait_p95_ms)}"
    )
    yield said(
        "Connecting",
        f"p50 {milliseconds(stats.connect_p50_ms)}, p95 {milliseconds(stats.connect_p95_ms)}",
    )
    yield said("Leaked", f"{counted(stats.leaked, 'session')} since the pool came to be")


def _statements(history: PoolHistory) -> Iterator[Cell]:
    yield Styled("Statements since the engine started, the one used last first", "accent")
    for each in history.statements:
        yield (
            f"{each.hash}  {counted(each.count, 'time')}, mean {duration(each.mean_s)}, "
            f"max {duration(each.max_s)}, {counted(each.rows, 'row')}"
        )
        yield Styled(f"  {each.text}", "muted")

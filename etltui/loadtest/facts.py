"""Says a load test's figures in words, one way for terminal and page."""

from collections.abc import Iterator, Mapping

from etltui.domain.words import counted, duration, noted, number, size, words
from etltui.loadtest.figures import NEARLY, Report, Spread

HEADS = ("p50", "p90", "p95", "p99", "max")
_SHOWN = 5


def title(report: Report) -> str:
    """What was tested, in a line."""
    order = report.order
    each = f", {counted(order.rows, 'row')} each" if order.rows else ""
    return (
        f"{counted(order.connections, 'connection')} ({order.source}) x "
        f"{counted(order.jobs, 'job')}{each}"
    )


def outcome(report: Report) -> str:
    """How it ended, in a few words."""
    if report.wrong:
        return "failed"
    return "stopped early, nothing wrong by then" if report.stopped else "passed"


def percentiles(spread: Spread, digits: int = 3) -> tuple[str, ...]:
    """The percentiles under their heads."""
    return tuple(f"{getattr(spread, head):,.{digits}f}" for head in HEADS)


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """Each fact with its label."""
    yield "ordered", _ordered(report)
    if came := _came(report):
        yield "came", came
    yield (
        "runs",
        f"{counted(report.rounds, 'round')} in {duration(report.seconds)}: {_named(report.runs)}",
    )
    yield "rows", f"{number(report.rows)}, {report.rows_per_s:,.0f} a second"
    yield "tries", f"{number(report.tries)}, {number(report.retries)} of them retries"
    if report.failures:
        yield "failures", f"of tries: {_named(report.failures)}"
    if report.lost:
        yield "given up", _named(report.lost)
    yield "pools", _pools(report)
    yield "loop lag", _lag(report.lag)
    yield "machine", _machine(report)
    yield "events", _events(report)
    if report.slowest:
        slowest = ", ".join(
            f"{slow.connection} {slow.max:.3f} s" for slow in report.slowest[:_SHOWN]
        )
        yield "slowest", slowest


def _named(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {words(name)}" for name, count in counts.items()) or "none"


def _ordered(report: Report) -> str:
    order = report.order
    parts = [counted(order.rounds, "round") if order.rounds else f"{order.seconds:g} s"]
    if order.latency_ms:
        parts.append(f"latency {order.latency_ms:,} ms ({number(order.rows_per_s)} rows a second)")
    if order.stall:
        parts.append(f"{order.stall:.0%} stall for {order.stall_s:g} s")
    if order.failures:
        parts.append(f"{order.failures:.0%} fail")
    return ", ".join([*parts, f"seed {order.seed}"])


def _came(report: Report) -> str:
    came, order = report.came, report.order
    parts = []
    if came.failing:
        total = sum(came.failing.values())
        parts.append(f"{came.failed:,} of {total:,} failed ({_named(came.failing)})")
    if came.stalling:
        who = counted(came.stalling, "connection")
        tries = f"{came.stalls:,} {'try' if came.stalls == 1 else 'tries'}"
        parts.append(f"{who} stalled: {tries} took {NEARLY * order.stall_s:g} s or more")
    return "; ".join(parts)


def _pools(report: Report) -> str:
    pools = report.pools
    return (
        f"efficiency {pools.efficiency:.1%} ({number(pools.reused)} of "
        f"{number(pools.acquires)} by an open session), at most {number(pools.peak)} of "
        f"{number(pools.limit)} sessions, {number(pools.leaked)} leaked"
    )


def _lag(lag: Spread) -> str:
    if not lag.count:
        return "not measured: too short"
    return (
        f"p50 {lag.p50:.1f} ms, p99 {lag.p99:.1f} ms, max {lag.max:.1f} ms "
        f"(the worst of each of {counted(lag.count, 'sample')})"
    )


def _machine(report: Report) -> str:
    where = report.machine
    used = report.cpu_s / report.seconds if report.seconds else 0.0
    return (
        f"{report.cpu_s:.1f} s of CPU ({used:.2f} of {counted(where.cores, 'core')}), "
        f"{size(report.peak_memory)} of memory at most; "
        f"etltui {where.etltui}, Python {where.python}, {size(where.memory)}"
    )


def _events(report: Report) -> str:
    total = sum(report.events.values())
    most = [noted(name, count) for name, count in list(report.events.items())[:_SHOWN]]
    return f"{number(total)}: {', '.join(most)}" if most else "none"

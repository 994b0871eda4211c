"""The report of a load test as one page: no script, and nothing from anywhere else."""

from collections.abc import Iterator, Sequence
from html import escape

from etltui.domain.safe_text import safe_text
from etltui.domain.words import moment, size, words
from etltui.loadtest.charts import Axes, Series, bars, lines
from etltui.loadtest.compare import Ratio
from etltui.loadtest.facts import HEADS, facts, outcome, percentiles, title
from etltui.loadtest.figures import CURVE, Report

_STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1c2530; --soft: #5b6875;
  --line: #d9dfe5; --panel: #f5f7f9; --good: #14743b; --bad: #b3261e;
  --c1: #1f6fb4; --c2: #b4540a; --c3: #2b7d4f; --c4: #8a3ea8; }
@media (prefers-color-scheme: dark) { :root { --ground: #10151b; --ink: #dfe6ed; --soft: #94a3b1;
  --line: #2b3641; --panel: #18202a; --good: #5fc98a; --bad: #ff8a80;
  --c1: #6cb2f2; --c2: #f0a35e; --c3: #74cf9b; --c4: #cf94ea; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 16px; margin: 28px 0 8px; }
.sub { color: var(--soft); margin: 4px 0 16px; }
.outcome { color: var(--good); } .outcome.bad, .wrong, .worse { color: var(--bad); }
.better { color: var(--good); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; }
.tile { background: var(--panel); border-radius: 8px; padding: 10px 14px; }
.tile b { display: block; font-size: 21px; font-variant-numeric: tabular-nums; }
.tile span, .none { color: var(--soft); font-size: 13px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr));
  gap: 14px; margin-top: 18px; }
figure { margin: 0; background: var(--panel); border-radius: 8px; padding: 12px 14px; }
figcaption { font-size: 13px; font-weight: 600; margin-bottom: 6px; }
.key { font-weight: 400; color: var(--soft); margin-left: 12px; white-space: nowrap; }
.key::before { content: ""; display: inline-block; width: 14px; height: 3px; margin-right: 5px;
  vertical-align: middle; background: currentColor; }
.k1::before { background: var(--c1); } .k2::before { background: var(--c2); }
.k3::before { background: var(--c3); } .k4::before { background: var(--c4); }
svg { display: block; width: 100%; height: auto; }
.grid path { stroke: var(--line); stroke-width: 1; } .grid text { fill: var(--soft);
  font-size: 11px; }
polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
circle { fill: transparent; } circle:hover { fill: currentColor; }
.s1 { color: var(--c1); } .s2 { color: var(--c2); } .s3 { color: var(--c3); }
.s4 { color: var(--c4); } polyline { stroke: currentColor; }
.bar { display: grid; grid-template-columns: 110px 1fr; column-gap: 8px; align-items: center;
  font-size: 13px; position: relative; margin: 4px 0; }
.bar i { background: var(--c2); height: 12px; border-radius: 3px; min-width: 2px; }
.bar { grid-template-columns: 110px minmax(0, 1fr) auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 10px; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; font-size: 13px; }
th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
"""


def page(
    report: Report,
    ratios: Sequence[Ratio] = (),
    unlike: Sequence[str] = (),
    *,
    timezone: str = "",
) -> str:
    """The page.

    Args:
        report: Which.
        ratios: Against an earlier one.
        unlike: Why the two are not alike.
        timezone: Of its times; empty for the machine's own.
    """
    head = f"Load test: {title(report)}"
    bad = " bad" if report.wrong else ""
    parts = [
        f'<h1>{_said(head)} <span class="outcome{bad}">{_said(outcome(report))}</span></h1>',
        f'<p class="sub">{_said(moment(report.at, timezone))}</p>',
        *(f'<p class="wrong">✗ {_said(wrong)}</p>' for wrong in report.wrong),
        f'<div class="tiles">{"".join(_tiles(report))}</div>',
        f'<div class="charts">{"".join(_charts(report))}</div>',
        "<h2>Seconds</h2>",
        _table(
            ["", *HEADS],
            [[name, *percentiles(spread)] for name, spread in report.times.items()],
        ),
        "<h2>Figures</h2>",
        _facts(report),
        *_slowest(report),
        *_against(ratios, unlike),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">\n"
        f'<title>{_said(head)}</title>\n<link rel="icon" href="data:,">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _said(text: str) -> str:
    return escape(safe_text(text))


def _tiles(report: Report) -> Iterator[str]:
    times = report.times
    for value, label in (
        (f"{report.rows_per_s:,.0f}", "rows a second"),
        (f"{times['try'].p50:.3f} s", "a try, half of them"),
        (f"{times['try'].p95:.3f} s", "a try, 95 of 100"),
        (f"{report.pools.efficiency:.1%}", "served by an open session"),
        (f"{report.lag.p99:.1f} ms", "loop lag, 99 of 100"),
        (size(report.peak_memory), "memory at most"),
    ):
        yield f'<div class="tile"><b>{_said(value)}</b><span>{_said(label)}</span></div>'


def _charts(report: Report) -> Iterator[str]:
    yield lines(
        "Seconds by percentile of the tries",
        [
            Series(
                name=name,
                points=[(100 * step / CURVE, value) for step, value in enumerate(spread.curve)],
            )
            for name, spread in report.times.items()
        ],
        Axes(across=lambda at: f"{at:.0f} %", up=lambda value: f"{value:g} s", tens=True),
    )
    points = report.points

    def at(value: float) -> str:
        return f"{value:.0f} s"

    def plain(value: float) -> str:
        return f"{value:,.0f}"

    yield lines(
        "Rows a second",
        [Series(name="rows", points=[(each.at, each.rows_per_s) for each in points])],
        Axes(across=at, up=plain),
    )
    yield lines(
        "Sessions",
        [
            Series(name="open", points=[(each.at, each.sessions) for each in points]),
            Series(name="waited for", points=[(each.at, each.waiting) for each in points]),
        ],
        Axes(across=at, up=plain),
    )
    yield lines(
        "Memory of all processes",
        [Series(name="memory", points=[(each.at, each.memory) for each in points])],
        Axes(across=at, up=lambda value: size(int(value))),
    )
    yield lines(
        "Loop lag at the worst, ms",
        [Series(name="lag", points=[(each.at, each.lag_ms) for each in report.beats])],
        Axes(across=at, up=lambda value: f"{value:g} ms"),
    )
    yield lines(
        "CPU, of all cores",
        [Series(name="CPU", points=[(each.at, each.cpu_percent) for each in report.beats])],
        Axes(across=at, up=lambda value: f"{value:.0f} %"),
    )
    failed = [(words(name), count) for name, count in report.failures.items()]
    yield bars("Failed tries by class", failed)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{_said(each)}</th>" for each in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{_said(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return _wide(f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>")


def _wide(table: str) -> str:
    """A table that can be moved sideways where it does not fit."""
    return f'<div class="wide"><table>{table}</table></div>'


def _facts(report: Report) -> str:
    notes = [("note", note) for note in report.notes]
    pairs = "".join(
        f"<dt>{_said(label)}</dt><dd>{_said(text)}</dd>" for label, text in [*facts(report), *notes]
    )
    return f"<dl>{pairs}</dl>"


def _slowest(report: Report) -> Iterator[str]:
    if report.slowest:
        yield "<h2>Slowest connections</h2>"
        yield _table(
            ["connection", "tries", "p50, s", "max, s"],
            [
                [each.connection, f"{each.tries:,}", f"{each.p50:.3f}", f"{each.max:.3f}"]
                for each in report.slowest
            ],
        )


def _against(ratios: Sequence[Ratio], unlike: Sequence[str]) -> Iterator[str]:
    if not ratios:
        return
    yield "<h2>Against an earlier test</h2>"
    if unlike:
        yield f'<p class="sub">{_said("; ".join(unlike))}</p>'
    rows = "".join(
        f"<tr><td>{_said(each.name)}</td><td>{each.before:,.3f}</td><td>{each.now:,.3f}</td>"
        f'<td class="{each.judged}">{"" if each.ratio is None else f"x{each.ratio:.2f}"} '
        f"{each.judged}</td></tr>"
        for each in ratios
    )
    heads = "<th></th><th>before</th><th>now</th><th>ratio</th>"
    yield _wide(f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>")

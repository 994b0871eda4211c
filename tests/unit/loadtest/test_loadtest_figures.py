"""Figures of a load test: percentiles, points, charts, ratios, and their file."""

import json
import stat

import pytest

from etltui.domain.errors import ConfigError
from etltui.loadtest import charts, record
from etltui.loadtest.compare import Ratio, compared, differences
from etltui.loadtest.figures import Spread, percentile
from loadtest_kit import ORDER, report


@pytest.mark.parametrize(
    ("numbers", "percent", "found"),
    [
        ([7], 50, 7),
        ([7], 0, 7),
        ([1, 2], 50, 1),
        ([1, 2], 51, 2),
        (range(1, 101), 95, 95),
        (range(1, 101), 99, 99),
        (range(1, 11), 99, 10),
        (range(1, 101), 100, 100),
    ],
)
def test_a_percentile_is_the_number_of_the_nearest_rank(numbers, percent, found):
    assert percentile(list(numbers), percent) == found


def test_a_spread_ranks_what_it_is_given_and_says_no_more_digits_than_are_known():
    found = Spread.of([3.0, 1.0, 2.0000001])
    assert (found.count, found.p50, found.max) == (3, 2.0, 3.0)
    assert len(found.curve) == 21
    assert (found.curve[0], found.curve[-1]) == (1.0, 3.0)
    assert Spread.of([]) == Spread()


@pytest.mark.parametrize(
    ("top", "found"),
    [
        (0, (0.0, 1.0)),
        (10, (0.0, 2.5, 5.0, 7.5, 10.0)),
        (11, (0.0, 5.0, 10.0, 15.0)),
        (0.004, (0.0, 0.001, 0.002, 0.003, 0.004)),
        (80, (0, 20, 40, 60, 80)),
    ],
)
def test_ticks_are_round_and_reach_the_top(top, found):
    assert charts.ticks(top) == pytest.approx(found)


def test_powers_of_ten_hold_all_numbers_and_are_two_at_least():
    assert charts.powers(0.0, 3.0) == pytest.approx((0.001, 0.01, 0.1, 1.0, 10.0))
    assert charts.powers(1.0, 1.0) == pytest.approx((1.0, 10.0))


def test_many_points_are_thinned_by_the_highest_of_each_few():
    points = [(float(each), float(each % 10)) for each in range(1600)]
    found = charts.thinned(points)
    assert len(found) == 160
    assert {up for _, up in found} == {9.0}
    assert charts.thinned(points[:160]) == points[:160]


def test_one_point_is_drawn_where_it_is():
    axes = charts.Axes(across=str, up=str)
    made = charts.lines("One", [charts.Series(name="one", points=[(1.0, 5.0)])], axes)
    assert 'points="62.0,' in made


def test_bars_are_none_where_nothing_is_counted():
    assert "none" in charts.bars("Failed", [])


@pytest.mark.parametrize(
    ("before", "now", "more", "judged"),
    [
        (100, 105, True, ""),
        (100, 120, True, "better"),
        (100, 80, True, "worse"),
        (100, 120, False, "worse"),
        (100, 80, False, "better"),
        (0, 80, False, "worse"),
        (0, 80, True, "better"),
        (0, 0, False, ""),
    ],
)
def test_a_figure_is_judged_by_its_ratio(before, now, more, judged):
    assert Ratio(name="x", before=before, now=now, more_is_better=more).judged == judged


def test_s0_138_reports_are_held_against_each_other_and_their_differences_named():
    then = report(rows=0, order=ORDER.__class__(connections=70))
    found = {each.name: each for each in compared(report(), then)}
    assert found["CPU s per million rows"].ratio is None
    assert found["try p50, s"].ratio == 1
    said = list(differences(report(), then))
    assert "connections was 70, is 6" in said
    assert not list(differences(report(), report()))
    other = report(machine=type(then.machine)(cores=2, memory=1, python="", etltui=""))
    assert list(differences(report(), other)) == ["it ran on another machine"]


def test_s0_138_a_report_is_stored_for_its_owner_alone_and_read_again(tmp_path):
    path = record.stored(report(), tmp_path / "state" / "loadtests")
    assert path.name == "20261123T040000.000Z.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert record.read(path) == report()
    with pytest.raises(FileExistsError):
        record.stored(report(), path.parent)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: no such file"),
        (b"{}", "is no report of a load test"),
        (b"\xff\xfe", "is no report of a load test"),
        (b"[1, 2", "is no report of a load test"),
        ({"format": 2}, "is a report of another version"),
        ({"type": "verified"}, "is a report of another version"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, content, why):
    path = tmp_path / "report.json"
    if isinstance(content, dict):
        said = json.loads(record.as_json(report())) | content
        path.write_text(json.dumps(said), encoding="utf-8")
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=why):
        record.read(path)

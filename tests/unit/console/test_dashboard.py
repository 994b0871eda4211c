"""The dashboard: what is drawn of samples, and the time cursor."""

import json
import math

import pytest

import console_world as cw
from etltui.console.model.chart import area, spread, top_of
from etltui.console.model.dashboard import GAP_S, SERIES, curve, sample_at
from etltui.domain.logbook import Sample
from etltui.engine.log import LOG


def points(*pairs, count=4, since=0.0, until=40.0, gap_s=15.0):
    return spread(
        pairs,
        lambda pair: pair[1],
        lambda pair: pair[0],
        since=since,
        until=until,
        count=count,
        gap_s=gap_s,
    )


def test_a_value_holds_until_the_next_one_and_ends_in_a_gap():
    assert points((0, 1.0), (10, 2.0), (20, 3.0), (30, 4.0)) == [1.0, 2.0, 3.0, 4.0]
    assert points((0, 1.0), (30, 4.0)) == [1.0, None, None, 4.0]
    assert points((0, 1.0), gap_s=100) == [1.0, 1.0, 1.0, 1.0]
    assert points() == [None] * 4


def test_of_several_values_in_one_place_the_greatest_is_drawn():
    assert points((0, 1.0), (2, 9.0), (4, 3.0), (10, 0.0), gap_s=10) == [9.0, 0.0, None, None]


def test_what_lies_outside_is_not_drawn():
    assert points((-20, 5.0), (35, 1.0), gap_s=1) == [None, None, None, 1.0]


@pytest.mark.parametrize(
    ("values", "least", "top"),
    [([3.0], 1, 3), ([34.0], 1, 40), ([82_400], 1, 100_000), ([], 50, 50), ([None, 7], 1, 8)],
)
def test_the_top_is_a_round_number(values, least, top):
    assert top_of(values, least) == top


def test_an_area_is_filled_from_the_bottom():
    assert area([0, 1, 2, 4], 4.0, 2, dots=False) == ["   #", " ###"]
    assert area([8, 8, 4, 0], 8.0, 2, dots=True) == ["⣿ ", "⣿⡇"]
    assert area([None, 0.001], 8.0, 1, dots=True) == ["⢀"]
    assert area([1.0], 0.0, 1, dots=True) == [" "]


def test_the_failure_rate_is_of_what_ended():
    """S0-137."""
    failed = next(each for each in SERIES if each.title == "failed runs")
    assert failed.value(Sample(at=0, completed=3, failed=1)) == 25
    assert failed.value(Sample(at=0)) == 0


def test_a_cursor_in_a_gap_has_no_value():
    samples = [Sample(at=0.0, lent=3), Sample(at=1000.0, lent=5)]
    assert sample_at(samples, None, GAP_S).lent == 5
    assert sample_at(samples, 100.0, GAP_S).lent == 3
    assert sample_at(samples, 500.0, GAP_S) is None
    assert sample_at(samples, -1.0, GAP_S) is None
    assert sample_at([], None, GAP_S) is None
    drawn = curve(SERIES[0], samples, (0.0, 1200.0), 12, 500.0)
    assert drawn.said == ""
    assert curve(SERIES[0], [], (0.0, 1200.0), 12, None).said == ""


def night():
    return [
        Sample(
            at=cw.AT - 900 + 5 * n,
            lent=25 + 20 * math.sin(n / 20),
            max_connections=50,
            rows_per_s=82_400,
            cpu_percent=40,
            memory=400 << 20,
            threshold=1 << 30,
            running=3,
        )
        for n in range(180)
    ]


@pytest.mark.parametrize("size", [cw.SMALL, cw.LARGE])
async def test_shows_six_numbers_over_time_with_their_newest_values(tmp_path, size):
    """S0-137: pools, queue, success and failure, active connections, CPU and memory."""
    history = cw.FakeHistory(samples=night())
    async with cw.console(tmp_path, history=history, size=size) as world:
        await world.press("7")
        text = world.text
        assert "active connections" in text
        assert "rows per second" in text
        assert "82,400" in text
        assert "⣿" in text
        if size == cw.LARGE:
            for title in ("queue", "failed runs", "cpu", "memory"):
                assert title in text
            assert "400M / 1.0G" in text


async def test_the_time_cursor_goes_through_all_charts_and_comes_back_to_now(tmp_path):
    history = cw.FakeHistory(samples=night())
    async with cw.console(tmp_path, history=history, size=cw.LARGE) as world:
        await world.press("7")
        assert "┃" not in world.text
        await world.press("left_square_bracket", "left_curly_bracket")
        assert " at Wed 11:03" in world.lines[0]
        assert world.text.count("┃") > 12
        await world.press("right_curly_bracket", "right_square_bracket")
        assert "┃" not in world.text


async def test_a_range_is_chosen_by_keys_and_by_name(tmp_path):
    asked = []

    def samples(since, until, _):
        asked.append(until - since)
        return []

    history = cw.FakeHistory(samples=samples)
    async with cw.console(tmp_path, history=history) as world:
        await world.press("7")
        assert "last 15m" in world.lines[0]
        assert "No samples of this time yet" in world.text
        await world.press("minus")
        assert "last 1h" in world.lines[0]
        await world.press("plus")
        await world.press("colon")
        await world.type("range 7d")
        await world.press("enter")
        assert "last 7d" in world.lines[0]
        assert asked == [900, 3600, 604_800]


async def test_ascii_draws_without_dots(tmp_path):
    history = cw.FakeHistory(samples=night())
    async with cw.console(tmp_path, history=history, terminal=cw.ASCII) as world:
        await world.press("7")
        assert "####" in world.text
        assert world.text.isascii()


def log(folder, *lines):
    (folder / "logs").mkdir()
    text = "".join(json.dumps({"time": at, **facts}) + "\n" for at, facts in lines)
    (folder / "logs" / LOG).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("terminal", [cw.TRUECOLOR, cw.ASCII])
async def test_the_time_cursor_goes_through_the_log_too(tmp_path, terminal):
    run = "20261118T090000Z-AAAA"
    log(
        tmp_path,
        ("2026-11-18T11:03:00+00:00", {"level": "info", "message": "Memory cleaned"}),
        (
            "2026-11-18T11:06:20+00:00",
            {"level": "error", "message": "no route", "run": run, "connection": "branch_003"},
        ),
    )
    history = cw.FakeHistory(samples=night())
    async with cw.console(tmp_path, history=history, size=cw.LARGE, terminal=terminal) as world:
        await world.press("7")
        assert "no route" not in world.text
        assert not world.app.view._log.known
        await world.press("left_square_bracket")
        await world.app.view._log.settled()
        await world.settle()
        assert world.lines[-2].startswith(" Wed 11:06:20 error   [AAAA branch_003] no route")
        await world.press(*["left_curly_bracket"] * 2)
        await world.app.view._log.settled()
        await world.settle()
        assert world.lines[-2].startswith(" Wed 11:03:00 info    Memory cleaned")
        await world.press(*["right_curly_bracket"] * 3)
        assert "Memory cleaned" not in world.text
        await world.app.view._log.settled()
        assert not world.app.view._log.known


async def test_without_a_log_it_says_so(tmp_path):
    async with cw.console(tmp_path, history=cw.FakeHistory(samples=night())) as world:
        await world.press("7", "left_square_bracket")
        await world.app.view._log.settled()
        await world.settle()
        assert "The log has no line." in world.lines[-2]

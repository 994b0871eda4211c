"""Deadlines: which moment a time of day means, and whether a run is going to meet it."""

from datetime import UTC, datetime

import pytest

from etltui.domain.deadline import (
    Chance,
    clock_of,
    due_at,
    finishes,
    in_danger,
    outlook,
    verdict,
)
from etltui.domain.progress import Eta, RunView
from etltui.domain.run import RunStatus

INDIA, BERLIN = "Asia/Kolkata", "Europe/Berlin"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


DUE = at("2026-11-22 01:30").timestamp()
NOW = DUE - 3600


@pytest.mark.parametrize(
    ("begun", "timezone", "due"),
    [
        ("2026-11-21 17:00", INDIA, "2026-11-22 01:30"),
        ("2026-11-22 01:29", INDIA, "2026-11-22 01:30"),
        # At the very moment it means the next day's.
        ("2026-11-22 01:30", INDIA, "2026-11-23 01:30"),
        ("2026-11-22 02:00", INDIA, "2026-11-23 01:30"),
        # The night on which clocks are set forward is an hour shorter.
        ("2026-03-28 20:00", BERLIN, "2026-03-29 05:00"),
        ("2026-10-24 20:00", BERLIN, "2026-10-25 06:00"),
    ],
)
def test_a_time_of_day_means_the_next_moment_at_which_clocks_show_it(begun, timezone, due):
    assert due_at("07:00", at(begun), timezone) == at(due).timestamp()


def test_without_a_zone_the_machines_own_clock_counts(monkeypatch):
    import time

    monkeypatch.setenv("TZ", BERLIN)
    time.tzset()
    try:
        assert due_at("07:00", at("2026-03-28 20:00"), "") == at("2026-03-29 05:00").timestamp()
    finally:
        monkeypatch.undo()
        time.tzset()


def test_no_deadline_is_no_moment():
    assert due_at("", at("2026-11-22 01:30"), INDIA) == 0


def run(left_s=None, band_s=0.0, *, status=RunStatus.RUNNING, due=DUE, guess=False):
    eta = None if left_s is None else Eta(left_s=left_s, band_s=band_s, guess=guess)
    return RunView(run="R", job="j", status=status, due=due, eta=eta)


@pytest.mark.parametrize(
    ("view", "now", "chance"),
    [
        (run(2400, 480), NOW, Chance.SAFE),
        (run(3600, 0), NOW, Chance.SAFE),
        (run(3400, 480), NOW, Chance.AT_RISK),
        (run(7200, 60), NOW, Chance.AT_RISK),
        (run(1, 0), DUE + 1, Chance.MISSED),
        (run(None), DUE + 1, Chance.MISSED),
        (run(None), NOW, None),
    ],
)
def test_n_26_a_deadline_is_safe_at_risk_or_missed(view, now, chance):
    """N-26."""
    assert outlook(view, now).chance is chance
    assert in_danger([view], now) is (chance in {Chance.AT_RISK, Chance.MISSED})


@pytest.mark.parametrize("view", [run(1, due=0.0), run(1, status=RunStatus.COMPLETED)])
def test_without_a_deadline_or_work_there_is_no_outlook(view):
    assert outlook(view, NOW) is None
    assert not in_danger([view], NOW)


@pytest.mark.parametrize(
    ("view", "now", "said"),
    [
        (run(2400, 480), NOW, ("finishes 06:40 ± 8 min", "07:00 safe")),
        (run(2400, 20, guess=True), NOW, ("finishes ~06:40", "07:00 safe")),
        (run(3600, 31), NOW, ("finishes 07:00 ± 1 min", "07:00 at risk")),
        (run(60), DUE + 60, ("finishes 07:02", "07:00 missed")),
        (run(None), NOW, ("", "07:00")),
    ],
)
def test_n_26_it_says_when_it_finishes_and_what_becomes_of_the_deadline(view, now, said):
    """N-26: finishes 06:40 ± 8 min, 07:00 deadline safe."""
    found = outlook(view, now)
    assert (finishes(found, INDIA), verdict(found, now, INDIA)) == said


def test_a_deadline_of_another_day_says_its_day():
    assert clock_of(DUE, DUE + 86400, INDIA) == "2026-11-22 07:00"

"""Status moves, run ids, percentages."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.errors import StatusError
from etltui.domain.run import (
    RESUMABLE,
    RUN_MOVES,
    RunStatus,
    final_status,
    moved,
    percent,
    run_id,
)
from etltui.domain.stored import PublicationState, published_next

LEGAL = {
    ("queued", "running"),
    ("queued", "cancelled"),
    ("queued", "stopped"),
    ("running", "publishing"),
    ("running", "failed"),
    ("running", "stopped"),
    ("running", "cancelled"),
    ("publishing", "completed"),
    ("stopped", "completed"),  # a target that somebody had open is in its place
    ("stopped", "completed_with_errors"),
    ("publishing", "completed_with_errors"),
    ("publishing", "failed"),
    ("publishing", "stopped"),
    ("publishing", "cancelled"),
    ("completed", "running"),
    ("completed_with_errors", "running"),
    ("queued", "failed"),
    ("failed", "running"),
    ("stopped", "running"),
    ("cancelled", "running"),
    ("failed", "discarded"),
    ("stopped", "discarded"),
    ("cancelled", "discarded"),
}


@given(st.sampled_from(RunStatus), st.sampled_from(RunStatus))
def test_only_moves_of_the_table_pass(current, wanted):
    if (current, wanted) in LEGAL:
        assert moved(current, wanted) is wanted
        return
    with pytest.raises(StatusError, match=f"is {current} and cannot become {wanted}"):
        moved(current, wanted)


def test_every_status_has_its_moves_and_ends_stay_ends():
    assert set(RUN_MOVES) == set(RunStatus)
    assert {(a, b) for a, moves in RUN_MOVES.items() for b in moves} == LEGAL
    assert not RUN_MOVES[RunStatus.DISCARDED]
    begin = {"queued", "completed", "completed_with_errors", *RESUMABLE}
    assert {s for s in RunStatus if RunStatus.RUNNING in RUN_MOVES[s]} == begin


@given(st.lists(st.sampled_from(PublicationState)))
def test_a_publication_is_delivered_only_after_it_was_assembled(wanted):
    state, way = PublicationState.ASSEMBLING, []
    for next_ in wanted:
        try:
            state = published_next(state, next_)
        except StatusError:
            continue
        way.append(state)
    for position, done in enumerate(way):
        before = way[position - 1] if position else PublicationState.ASSEMBLING
        if done is PublicationState.DELIVERED:
            assert before is PublicationState.ASSEMBLED
        if done is PublicationState.CLEANED:
            assert before is PublicationState.DELIVERED


@given(
    st.datetimes(
        min_value=datetime(2026, 1, 2),  # noqa: DTZ001 - a bound without a zone
        max_value=datetime(2099, 12, 30),  # noqa: DTZ001
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
    ),
    st.binary(min_size=5, max_size=5),
)
def test_a_run_id_is_its_utc_start_and_four_letters(started, entropy):
    name = run_id(started, lambda count: entropy[:count])
    assert re.fullmatch(r"\d{8}T\d{6}Z-[A-Z2-7]{4}", name)
    assert datetime.strptime(name[:16], "%Y%m%dT%H%M%S%z") == started.replace(microsecond=0)


def test_a_run_id_of_another_zone():
    started = datetime(2026, 11, 22, 4, 35, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert run_id(started, lambda _: b"\xff" * 5) == "20261121T230500Z-7777"


@given(st.integers(0, 600), st.data())
def test_percent_grows_and_is_100_only_at_the_end(total, data):
    finished = data.draw(st.integers(0, total))
    value = percent(finished, total)
    assert 0 <= value <= 100
    assert (value == 100) is (finished == total)
    if finished < total:
        assert value <= percent(finished + 1, total)


@pytest.mark.parametrize(
    ("total", "completed", "status"),
    [
        (3, 3, RunStatus.COMPLETED),
        (3, 1, RunStatus.COMPLETED_WITH_ERRORS),
        (3, 0, RunStatus.FAILED),
        (0, 0, RunStatus.COMPLETED),
    ],
)
def test_what_a_run_has_become(total, completed, status):
    assert final_status(total=total, completed=completed) is status

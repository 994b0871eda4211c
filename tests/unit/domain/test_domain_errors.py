"""Errors say what happened and what to do; each class of failure has its advice."""

import re
from pathlib import Path

import pytest

from etltui.domain.errors import (
    ADVICE,
    ConfigError,
    ErrorClass,
    EtltuiError,
    Failure,
    Mistake,
    PlanChangedError,
    StateHeldError,
    StatusError,
    Trouble,
)


@pytest.mark.parametrize("error_class", ErrorClass)
def test_every_class_says_what_it_means_and_what_to_try(error_class):
    """N-38."""
    advice = ADVICE[error_class]
    for sentence in (advice.means, advice.try_):
        assert re.fullmatch(r"[A-Z].*[^.]\.", sentence)
        assert "!" not in sentence
    assert advice.means != advice.try_
    # What stops the whole run is not tried again by itself.
    assert not (advice.transient and advice.stops_run)


def test_a_login_is_never_tried_again():
    assert not Failure(ErrorClass.LOGIN, "no").transient
    assert Failure(ErrorClass.UNREACHABLE, "no").transient


def test_a_mistake_names_place_key_problem_and_way_out():
    mistake = Mistake(where="a.toml", key="jobs.x", problem="is wrong", way_out="Do this")
    assert str(mistake) == "a.toml: jobs.x: is wrong. Do this"
    assert str(Mistake(where="a.toml", key="", problem="is empty")) == "a.toml: is empty"
    error = ConfigError([mistake, mistake])
    assert str(error) == f"{mistake}\n{mistake}"
    assert error.mistakes == (mistake, mistake)


def test_errors_build_their_sentence_and_keep_their_facts():
    changed = PlanChangedError(run="R", job="sales", differences=["query main", "drift"])
    assert str(changed) == (
        "sales: the unfinished run R was started with another plan (changed: query main, drift). "
        "Its finished connections would not fit. Undo the change to resume it, or start afresh "
        "with --no-resume"
    )
    assert (changed.run, changed.job, changed.differences) == (
        "R",
        "sales",
        ("query main", "drift"),
    )
    held = StateHeldError(folder=Path("/s"), holder="process 7")
    assert str(held).startswith("the state folder /s is held by process 7. Wait until")
    assert (held.folder, held.holder) == (Path("/s"), "process 7")
    status = StatusError(thing="the run", current="failed", wanted="queued")
    assert str(status) == "the run is failed and cannot become queued"
    assert (status.current, status.wanted) == ("failed", "queued")
    for error in (changed, held, status):
        assert isinstance(error, EtltuiError)


def test_a_failure_survives_as_a_value():
    facts = {"pool": "3 of 3"}
    failure = Failure(ErrorClass.TIMEOUT, "too slow", facts)
    facts.clear()
    again = Trouble.of(failure).raised()
    assert (again.error_class, str(again), again.facts) == (
        ErrorClass.TIMEOUT,
        "too slow",
        {"pool": "3 of 3"},
    )
    assert again.advice is ADVICE[ErrorClass.TIMEOUT]
    assert Failure(ErrorClass.DISK, "full").facts == {}

"""The code that a database's own data gives: compared on its own, beside who its server is."""

from dataclasses import replace
from pathlib import Path

import pytest

from etltui.domain.errors import ErrorClass
from etltui.domain.identity import (
    Code,
    changed_code,
    doubled_code,
    first_met,
    identity_query_of,
    refusal,
    unexpected,
    unmet,
    way_out,
)
from etltui.domain.job import Connection, Job
from etltui.domain.server import ServerFacts

HERE = ServerFacts(product="PostgreSQL 15.1", identity="7/1/1", started="10.5")
ASKED = "SELECT code FROM company"
MEND = "mend its url, or its identity where that is wrong"


def code(value="017", *, asked=ASKED, expected=""):
    return Code(asked=asked, value=value, expected=expected)


def known(name="A", value="017"):
    return first_met(name, HERE, 100.0).told(code(value), 100.0)


def test_n_18_the_first_answer_is_what_it_is_known_by():
    one = known()
    assert (one.asked, one.code, one.other_code, one.is_other) == (ASKED, "017", "", False)
    assert changed_code(one, {}) == ""
    assert refusal(replace(one, other="9"), {}).facts["answers"] == "9"


def test_n_18_another_answer_is_named_until_it_is_approved():
    told = known().told(code("018"), 200.0).told(code("018"), 300.0)
    assert (told.code, told.other_code, told.other_code_since) == ("017", "018", 200.0)
    assert (told.answers_code, told.is_other) == ("018", True)
    said = 'A answers "018" to its identity_query; it was "017" before'
    assert changed_code(told, {"A": told}) == said
    failure = refusal(told, {"A": told})
    assert failure.error_class is ErrorClass.IDENTITY
    assert failure.message == (
        f'{said}; it is not read (on_identity = "refuse"); if that is right: '
        "`etltui identities approve A`"
    )
    assert failure.facts == {"known": "017", "answers": "018", "product": "PostgreSQL 15.1"}
    approved = told.approved("me@here", 400.0)
    assert (approved.code, approved.other_code, approved.other_code_since) == ("018", "", 0.0)
    assert told.told(code("017"), 500.0).other_code_since == 0.0


def test_n_18_one_that_gives_the_code_of_another_is_named_by_it():
    told = known().told(code("018"), 200.0)
    others = {"A": told, "B": known("B", "018"), "C": known("C", "019")}
    words = 'A answers "018", the code of B, to its identity_query; it was "017" before'
    assert changed_code(told, others) == words
    elsewhere = {"B": unmet("B", 1.0).told(code("018", asked="SELECT 1"), 1.0)}
    assert "the code of" not in changed_code(told, elsewhere)


def test_what_another_question_gave_is_not_compared():
    told = known().told(code("North", asked="SELECT name FROM company"), 200.0)
    assert (told.code, told.other_code) == ("North", "")


def test_n_19_what_is_configured_is_the_code_whatever_was_known():
    told = known().told(code("017", expected="018"), 200.0)
    assert (told.code, told.other_code) == ("018", "017")
    said = 'A answers "017" to its identity_query; identity = "018" is configured'
    assert changed_code(told, {}, "018") == said
    assert way_out(told, "018") == MEND
    both = replace(told, other="9/9/9")
    assert way_out(both, "018") == f"{MEND}, then `etltui identities approve A`"
    assert refusal(told, {}, "018").message.endswith(MEND)
    approved = both.approved("me@here", 300.0, "018")
    assert (approved.identity, approved.code, approved.other_code) == ("9/9/9", "018", "017")
    assert approved.other_code_since == 200.0
    assert known().told(code("017", expected="017"), 200.0).other_code == ""


def test_a_server_that_tells_nothing_is_known_by_its_code_alone():
    one = unmet("A", 100.0).told(code(), 100.0)
    assert (one.identity, one.code, one.first_seen) == ("", "017", 100.0)
    met = one.met(HERE, 200.0)
    assert (met.identity, met.other, met.code) == ("7/1/1", "", "017")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, ""),
        (code(), ""),
        (code(expected="017"), ""),
        (
            code(expected="018"),
            'A answers "017" to its identity_query; identity = "018" is configured; ' + MEND,
        ),
    ],
)
def test_one_that_is_only_tested_is_held_against_what_is_configured(found, said):
    assert unexpected("A", found) == said


@pytest.mark.parametrize(
    ("same", "begins"), [([], ""), (["B"], 'A and B answer "017"'), (["B", "C"], "A, B, C answer")]
)
def test_n_18_those_that_give_one_code_are_named(same, begins):
    assert doubled_code("A", same, "017").startswith(begins)
    assert bool(doubled_code("A", same, "017")) == bool(same)


def test_a_name_with_a_space_is_quoted_as_a_shell_needs_it():
    assert way_out(known("Branch 9")) == "if that is right: `etltui identities approve 'Branch 9'`"


def test_a_connections_own_question_holds_before_its_jobs():
    job = Job(
        name="j", title="j", connections=("*",), queries=(), destinations=(), folder=Path("/")
    )
    asking = replace(job, identity_query=ASKED)
    plain = Connection(name="A", kind="sqlite", url="sqlite:///a.db")
    assert identity_query_of(job, plain) == ""
    assert identity_query_of(asking, plain) == ASKED
    assert identity_query_of(asking, replace(plain, identity_query="")) == ""
    assert identity_query_of(job, replace(plain, identity_query="SELECT 1")) == "SELECT 1"

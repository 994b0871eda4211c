"""Which database a connection is known to be: first met, changed, approved, the same as another."""

from dataclasses import replace

import pytest

from etltui.domain.errors import ErrorClass
from etltui.domain.identity import Identity, changed, doubled, first_met, refusal, skewed
from etltui.domain.server import ServerFacts, skew

HERE = ServerFacts(product="PostgreSQL 15.1", identity="7/1/1", started="10.5")
COPY = ServerFacts(product="PostgreSQL 15.2", identity="7/1/2", started="99.5")


def known(name="A", facts=HERE, now=100.0):
    return first_met(name, facts, now)


def test_who_is_met_first_is_known_by_what_it_says():
    assert known() == Identity(
        connection="A",
        identity="7/1/1",
        product="PostgreSQL 15.1",
        started="10.5",
        first_seen=100.0,
        last_seen=100.0,
    )
    assert changed(known(), {}) == ""


def test_the_same_database_stays_itself_over_a_restart_and_an_upgrade():
    newer = replace(HERE, product="PostgreSQL 15.9", started="11.0")

    met = known().met(newer, 200.0)

    assert (met.identity, met.other, met.last_seen) == ("7/1/1", "", 200.0)
    assert (met.product, met.started) == ("PostgreSQL 15.9", "11.0")


def test_n_19_another_database_is_named_until_it_is_approved():
    met = known().met(COPY, 200.0).met(COPY, 300.0)

    assert (met.identity, met.other, met.other_since) == ("7/1/1", "7/1/2", 200.0)
    words = "another database than before (PostgreSQL 15.2) answers at A"
    assert changed(met, {"A": met}) == words
    approved = met.approved("me@here", 400.0)
    assert (approved.identity, approved.other, approved.first_seen) == ("7/1/2", "", 200.0)
    assert (approved.approved_by, approved.approved_at) == ("me@here", 400.0)
    assert changed(approved, {"A": approved}) == ""
    assert changed(approved.met(HERE, 500.0), {}) != ""


def test_a_database_that_comes_back_needs_no_approval():
    assert known().met(COPY, 200.0).met(HERE, 300.0).other == ""
    assert known().met(COPY, 200.0).met(HERE, 300.0).other_since == 0.0


def test_n_18_one_that_answers_in_anothers_stead_is_named_by_it():
    met = known().met(COPY, 200.0)
    other = known("B", COPY)

    words = "another database than before, the one known as B, answers at A"
    assert changed(met, {"A": met, "B": other}) == words
    assert met.mark == other.mark


def test_n_19_the_refusal_says_what_was_what_is_and_how_to_approve_it():
    met = known().met(COPY, 200.0)

    failure = refusal(met, {"A": met})

    assert failure.error_class is ErrorClass.IDENTITY
    assert not failure.transient
    assert "7/1/1" in failure.message
    assert "7/1/2" in failure.message
    assert "`etltui identities approve A`" in failure.message
    assert failure.facts == {"known": "7/1/1", "answers": "7/1/2", "product": "PostgreSQL 15.2"}


def test_facts_without_an_identity_tell_nothing():
    assert known().met(ServerFacts(product="MySQL 8"), 200.0) == known()


def test_n_18_machines_of_one_image_are_told_apart_by_when_they_started():
    twin = known("B", replace(HERE, started="12.0"))

    assert known().mark == known("B").mark
    assert known().mark != twin.mark


@pytest.mark.parametrize(
    ("same", "said"),
    [
        ([], ""),
        (["B"], "A and B are the same database"),
        (["B", "C"], "A, B, C are the same database"),
        (["B", "C", "D", "E"], "A, B, C, D and 1 more are the same database"),
    ],
)
def test_n_18_many_that_are_one_are_named_in_a_sentence(same, said):
    assert doubled("A", same) == said


@pytest.mark.parametrize(
    ("skew", "said"),
    [
        (None, ""),
        (60.0, ""),
        (-60.0, ""),
        (61.0, "its clock is 1 min fast"),
        (-7300.0, "its clock is 2 h slow"),
    ],
)
def test_a_clock_is_named_that_is_off_by_more_than_a_minute(skew, said):
    assert skewed(ServerFacts(skew_s=skew)) == said


@pytest.mark.parametrize(
    ("facts", "said", "bare"),
    [
        (ServerFacts(), "", False),
        (ServerFacts(product="SQLite 3.40.1"), "SQLite 3.40.1", False),
        (
            ServerFacts(product="MySQL 8", encrypted=False, driver="PyMySQL 1.2"),
            "MySQL 8, not encrypted, by PyMySQL 1.2",
            True,
        ),
        (ServerFacts(encrypted=True), "encrypted", False),
    ],
)
def test_n_25_what_a_database_says_of_itself_reads_as_one_line(facts, said, bare):
    assert (str(facts), facts.bare) == (said, bare)


def test_n_18_a_servers_clock_is_read_at_the_middle_of_the_way():
    assert skew(100.0, 99.0, 101.0) == 0.0
    assert skew(7300.2504, 100.0, 100.5) == 7200.0
    assert skew(90.0, 100.0, 100.0) == -10.0

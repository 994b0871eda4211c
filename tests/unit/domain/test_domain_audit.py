"""What a record of the audit shows: no secret, and not more than is kept."""

import json

import pytest

from etltui.domain.audit import GENESIS, LONGEST, Act, Caller, Head, also, link, veiled

ASHA = Caller(user="asha", host="desk", said="ravi@else")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("url=postgresql://asha:s3cret@db/sales", "url=postgresql://asha:***@db/sales"),
        ("Driver=x;PWD={a;b};Server=y", "Driver=x;PWD=***;Server=y"),
        ("password='two words' port=3", "password=*** port=3"),
        ('{"api_key": "abc", "x": 1}', '{"api_key": ***, "x": 1}'),
        ("token=abc&next=1", "token=***&next=1"),
        ("password = env:SALES_PASSWORD", "password = env:SALES_PASSWORD"),
        ("max_jobs=5", "max_jobs=5"),
        ("the line is cut: ask asha@desk", "the line is cut: ask asha@desk"),
    ],
)
def test_what_looks_like_a_secret_is_not_kept(text, shown):
    assert veiled(text) == shown


def test_what_is_too_long_is_cut():
    assert veiled("x" * LONGEST) == "x" * LONGEST
    assert veiled("x" * (LONGEST + 1)) == "x" * (LONGEST - 1) + "…"


def test_a_record_is_canonical_json_and_veils_target_and_details():
    act = Act(
        at=0.0,
        caller=ASHA,
        what="x",
        target="pwd=a",
        details={"b": "pwd=c", "a": "\ud800", "e": ""},
    )
    made = link(act, Head())
    assert made.record == (
        '{"act":"x","at":"1970-01-01T00:00:00.000Z","details":{"a":"\\ud800","b":"pwd=***"},'
        '"host":"desk","object":"pwd=***","said":"ravi@else","seq":1,"user":"asha"}'
    )
    assert (made.previous, len(made.hash)) == (GENESIS, 64)
    assert json.loads(made.record)["seq"] == 1


def test_nothing_is_added_where_nobody_acts():
    also(run="R")

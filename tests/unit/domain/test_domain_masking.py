"""No spelling of a secret is ever shown."""

import base64
import json
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.masking import masked, masked_failure

CANARY = "hunter2-Geheim/ß"

HARD = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40)


@given(HARD, st.binary(max_size=7), st.binary(max_size=7))
@settings(deadline=None)
def test_a_secret_is_masked_however_it_is_spelled(secret, before, after):
    spelled = [
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    ]
    assert masked(" ".join(spelled), [secret]) == " ".join(["***"] * len(spelled))
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()
        assert "***" in masked(text, [secret])


def test_an_authorization_line_is_masked_up_to_shared_characters():
    for user in ("u", "me", "you"):
        line = base64.b64encode(f"{user}:{CANARY}".encode()).decode()
        left = masked(line, [CANARY]).partition("***")
        assert left[1]
        assert CANARY[:3].encode() not in base64.b64decode(left[0][: len(left[0]) // 4 * 4])
        assert len(left[2]) <= 4


def test_masking_takes_the_longest_and_leaves_the_rest():
    assert masked("abc abcd x", ["abc", "abcd", ""]) == "*** *** x"
    assert masked("nothing", []) == "nothing"
    assert masked("nothing", [""]) == "nothing"
    assert masked("a.c abc", ["a.c"]) == "*** abc"
    assert masked("p%3ax", ["p:x"]) == "***"
    assert masked("<p\udcff>", ["p\udcff"]) == "<***>"


def test_a_failure_keeps_its_class_and_facts_and_loses_the_secret():
    said = Failure(ErrorClass.LOGIN, f"no login with {CANARY}", {"code": "18456"})
    told = masked_failure(said, [CANARY])
    assert (told.error_class, told.message) == (ErrorClass.LOGIN, "no login with ***")
    assert told.facts == {"code": "18456"}

"""Which lines of the log pass, and which are shown around them."""

import json

import pytest

from etltui.console.model.logs import Ring, Sieve, sifted


def raw(message="fetched", *, level="info", traceback="", **more):
    line = {"time": "2026-11-22T19:40:54.811+00:00", "level": level, **more, "message": message}
    # The traceback stands last, as the program writes it.
    line |= {"traceback": traceback} if traceback else {}
    return json.dumps(line, ensure_ascii=False).encode()


def passes(line, **sieve):
    return Sieve(**sieve).test()(line)


def test_a_line_passes_by_its_weight_and_what_is_none_of_ours_always_does():
    assert passes(raw(level="warning"), level="warning")
    assert not passes(raw(level="info"), level="warning")
    assert passes(raw(level="strange"), level="error")
    assert passes(b"torn by a kill {", level="error")


def test_a_line_passes_by_run_and_connection():
    line = raw(run="20261122T194054Z-32W7", connection="branch_004")
    assert passes(line, run="32W7")
    assert passes(line, run="20261122T194054Z-32W7")
    assert not passes(line, run="AAAA")
    assert passes(line, connection="branch_004")
    assert not passes(line, connection="branch_00")
    assert not passes(raw(), run="32W7")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Refused", True),
        ("password refused", True),
        ("!refused", False),
        ("/re.used$/", True),
        ("/^refused/", False),
        ("refused !branch", True),
        ("grüß", True),
        ("level", False),
    ],
)
def test_a_line_passes_by_what_it_says_not_by_how_it_is_written(text, found):
    assert passes(raw("grüße: password refused"), text=text) is found


def test_words_with_escapes_and_tracebacks_are_found():
    line = raw('it said "no"\n', traceback="Traceback\n  ValueError: x")
    assert passes(line, text='"no"')
    assert passes(line, text="ValueError")
    assert not passes(line, text="traceback ValueError: nnn")
    assert passes(raw('it said "no"'), text='"no"')


def test_a_pattern_that_is_none_is_refused_with_a_way_out():
    with pytest.raises(ValueError, match=r"is no pattern.*Put"):
        Sieve(text="/(/").test()


def texts(ring):
    return [ring.line(ring.number(place)).message for place in range(len(ring))]


def sieved(ring, context=0, **sieve):
    test = Sieve(**sieve).test()
    ring.use(test, context, sifted(*ring.snapshot(), test))


def filled(count, capacity=100):
    ring = Ring(capacity)
    ring.take(raw(f"line {n}", level="error" if n % 10 == 5 else "info") for n in range(count))
    return ring


def test_the_oldest_lines_go_and_the_others_keep_their_numbers():
    ring = filled(120)
    assert (len(ring), ring.first, ring.end) == (100, 20, 120)
    assert ring.line(20).message == "line 20"
    assert ring.place(70) == 50
    assert ring.place(3) == 0


def test_only_what_passes_is_shown_also_of_what_comes_later():
    ring = filled(20)
    sieved(ring, level="error")
    assert texts(ring) == ["line 5", "line 15"]
    ring.take([raw("more"), raw("worse", level="error")])
    assert texts(ring) == ["line 5", "line 15", "worse"]
    assert ring.place(6) == 1
    ring.use(None, 0, (0, ()))
    assert len(ring) == 22


@pytest.mark.parametrize("late", [0, 3, 20])
def test_neighbours_are_shown_once_whenever_their_line_came(late):
    """What is sifted at once and what is sifted as it comes is the same."""
    ring = filled(20 - late)
    sieved(ring, context=2, level="error")
    ring.take(
        raw(f"line {n}", level="error" if n % 10 == 5 else "info") for n in range(20 - late, 20)
    )
    assert texts(ring) == [f"line {n}" for n in (3, 4, 5, 6, 7, 13, 14, 15, 16, 17)]
    assert ring.is_hit(5)
    assert not ring.is_hit(6)
    assert ring.hits == 2


def test_neighbours_of_two_hits_that_meet_are_shown_once():
    ring = filled(20)
    sieved(ring, context=6, level="error")
    assert texts(ring) == [f"line {n}" for n in range(20)]


def test_what_goes_is_shown_no_more():
    ring = filled(100)
    sieved(ring, context=1, level="error")
    ring.take(raw("x") for _ in range(50))
    assert texts(ring)[0] == "line 54"
    assert ring.hits == 5


def test_lines_that_came_while_others_were_sifted_are_sifted_too():
    ring = filled(20)
    test = Sieve(level="error").test()
    known = sifted(*ring.snapshot(), test)
    ring.take([raw("late", level="error"), raw("other")])
    ring.use(test, 0, known)
    assert texts(ring) == ["line 5", "line 15", "late"]

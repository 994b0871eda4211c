"""Who comes into the site: those with the token or its cookie, by a name of this machine only."""

from dataclasses import replace

import pytest

from etltui.web.gate import Asked, Keys, new_keys, verdict
from etltui.web.page import number, page

KEYS = Keys(token="t0ken", cookie="c00kie", cookie_name="etltui_8000")
BARE = Asked(headers={"host": "127.0.0.1:8000"}, token="", cookies={})
HOLDS = {"etltui_8000": "c00kie"}
ORIGIN = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}


def test_nobody_comes_in_without_token_or_cookie():
    assert verdict(BARE, KEYS) == "out"
    assert verdict(replace(BARE, socket=True, headers=ORIGIN), KEYS) == "out"


@pytest.mark.parametrize("token", ["", "t0ke", "t0kenn", "T0KEN", "c00kie", "t0ken\x00", "tøken"])
def test_a_token_that_is_nearly_right_is_wrong(token):
    assert verdict(replace(BARE, token=token), KEYS) == "out"


@pytest.mark.parametrize(
    "cookies", [{"etltui_8000": ""}, {"etltui_8000": "t0ken"}, {"etltui_8001": "c00kie"}]
)
def test_a_cookie_that_is_nearly_right_is_wrong(cookies):
    assert verdict(replace(BARE, cookies=cookies), KEYS) == "out"


def test_the_token_is_exchanged_for_the_cookie_which_lets_in():
    assert verdict(replace(BARE, token="t0ken"), KEYS) == "welcome"
    assert verdict(replace(BARE, cookies=HOLDS), KEYS) == "in"
    assert verdict(replace(BARE, cookies=HOLDS, socket=True, headers=ORIGIN), KEYS) == "in"


def test_a_socket_needs_the_cookie_for_an_address_may_be_seen():
    asked = replace(BARE, token="t0ken", socket=True, headers=ORIGIN)
    assert verdict(asked, KEYS) == "out"


@pytest.mark.parametrize(
    "host",
    ["localhost:9000", "127.0.0.1", "[::1]:8000", "LOCALHOST:1"],
)
def test_a_tunnel_may_have_another_port(host):
    headers = {"host": host, "origin": f"http://{host}"}
    assert verdict(replace(BARE, cookies=HOLDS, headers=headers, socket=True), KEYS) == "in"


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "127.0.0.1.evil.example", "evil.example:8000", "10.0.0.1:8000", "[::1"],
)
@pytest.mark.parametrize("token", ["", "t0ken"])
def test_a_name_bent_to_this_machine_is_refused(host, token):
    headers = {"host": host, "origin": f"http://{host}"}
    assert verdict(Asked(headers=headers, token=token, cookies=HOLDS), KEYS) == "out"


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://127.0.0.1:8000",
        "http://127.0.0.1:8001",
        "http://localhost:8000",
        "null",
    ],
)
@pytest.mark.parametrize("socket", [True, False])
def test_a_page_from_elsewhere_is_refused(origin, socket):
    headers = {**BARE.headers, "origin": origin}
    asked = Asked(headers=headers, token="t0ken", cookies=HOLDS, socket=socket)
    assert verdict(asked, KEYS) == "out"


def test_a_socket_says_where_it_comes_from():
    assert verdict(replace(BARE, cookies=HOLDS, socket=True), KEYS) == "out"


def test_keys_are_new_each_time_and_do_not_tell_each_other():
    one, other = new_keys(8000), new_keys(8000)
    assert len({one.token, one.cookie, other.token, other.cookie}) == 4
    assert len(one.token) >= 43
    assert one.token not in repr(one)
    assert new_keys(8001).cookie_name != one.cookie_name


def test_what_a_browser_says_of_sizes_is_kept_within_bounds():
    said = ["", "NaN", "-5", "1e9", "99999999", "٣", "3", "120", "999999"]
    found = [number(text, usual=80, least=20, most=1000) for text in said]
    assert found == [80, 80, 80, 80, 80, 80, 20, 120, 1000]


def test_the_page_holds_nothing_of_foreign_and_fetches_nothing_from_elsewhere():
    text = page('<b>"x"', "localhost:1", 12)
    assert "<b>" not in text
    assert "//" not in text.replace("ws://localhost:1/ws", "")

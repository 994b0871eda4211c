"""Webhooks: addresses, headers and the record; no secret in plain sight, and none is shown."""

import pytest

from etltui.config.destinations import RECORD
from etltui.domain.job import Destination, WebhookOptions
from unit.config.config_desk import CANARY

TEXT = """
settings.state_dir = "state"
connections.a.url = "sqlite:///data/a.db"
[jobs.j]
connections = ["a"]
query = "SELECT 1"
[[jobs.j.destinations]]
type = "webhook"
"""
URL = 'url = "https://hq.example/rows"\n'


def refused(desk, text):
    key, said = desk.mistake(TEXT + text)
    assert key.startswith("jobs.j.destinations[1]")
    return f"{key.removeprefix('jobs.j.destinations[1]').lstrip('.')}: {said}"


def test_an_url_is_enough(desk):
    assert desk.load(TEXT + URL).jobs["j"].destinations == (
        Destination(
            type="webhook",
            path=RECORD,
            options=WebhookOptions(url="https://hq.example/rows"),
        ),
    )


def test_everything_can_be_said(desk):
    (found,) = (
        desk.load(
            TEXT
            + """
            url = "http://10.1.2.3:8080/rows?branch=all"
            path = "sent/{job}.ndjson"
            method = "PUT"
            headers = { Authorization = "env:HOOK", X-Source = "etl one", X-Trace = "file:trace" }
            progressive = true
            batch_rows = 100000
            timeout_s = 600
            insecure = true
            ca_file = "hq.pem"
            connection_column = "branch"
            binary = "hex"
            """.replace("            ", "")
        )
        .jobs["j"]
        .destinations
    )
    assert found.is_sent
    assert found.is_progressive
    assert found.options == WebhookOptions(
        url="http://10.1.2.3:8080/rows?branch=all",
        method="PUT",
        headers={"Authorization": "env:HOOK", "X-Source": "etl one", "X-Trace": "file:trace"},
        progressive=True,
        batch_rows=100_000,
        timeout_s=600,
        insecure=True,
        ca_file="hq.pem",
        connection_column="branch",
        binary="hex",
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9:81", "localhost:8080", "[::1]:8080"])
def test_http_is_for_this_machine(desk, host):
    assert desk.load(TEXT + f'url = "http://{host}/rows"').jobs


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://hq.example/rows", "url: would send rows and headers to another machine"),
        ("http://localhost.example", "url: would send rows and headers to another machine"),
        ("ftp://hq.example/rows", "url: is no url of https"),
        ("hq.example/rows", "url: is no url of https"),
        ("https://", "url: is no url of https"),
        ("https://hq:0/", "url: is no url of https"),
        ("https://hq:99999/", "url: is not a url"),
        ("https://[::1/", "url: is not a url"),
        ("https://hq/a b", "url: holds a character that no url has"),
        ("https://hq/ü", "url: holds a character that no url has"),
        ("https://hq/a#b", "url: has a part behind #"),
        (f"https://hq/a?x={CANARY[:7]}&api_key={CANARY[:7]}", "url: holds a secret behind ?"),
        (f"https://u:{CANARY[:7]}@hq/a", "url: holds a user or a password"),
    ],
)
def test_an_url_that_cannot_be_sent_to(desk, url, said):
    found = refused(desk, f'url = "{url}"')
    assert found.startswith(said)
    assert CANARY[:7] not in found


def test_an_url_is_needed(desk):
    assert refused(desk, "").startswith("url: is missing")
    assert refused(desk, 'url = ""').startswith("url: is empty")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ('Authorization = "Bearer geheim"', '"Authorization" is a password in plain sight'),
        ('X-Api-Key = "geheim"', '"X-Api-Key" is a password in plain sight'),
        ('X-Token = "env:ge heim"', '"X-Token" is no name of an environment variable'),
        ('X-Source = "env:ge-heim"', '"X-Source" is no name of an environment variable'),
        ('X-Source = "Łgeheim"', '"X-Source" holds a character that no header has'),
        ('"X Source" = "geheim"', '"X Source" is no name of a header'),
        ('"" = "geheim"', '"" is no name of a header'),
        ('Content-Type = "geheim"', '"Content-Type" is set by the program itself'),
        ('idempotency-key = "geheim"', '"idempotency-key" is set by the program itself'),
        ('X-A = "1", x-a = "geheim"', 'names "x-a" twice'),
        ("X-A = 5", "has a value that is not text in quotes"),
    ],
)
def test_a_header_that_cannot_be_sent(desk, headers, said):
    found = refused(desk, f"{URL}headers = {{ {headers} }}")
    assert found.startswith(f"headers: {said}")
    assert "heim" not in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("batch_rows = 0", "batch_rows: 0 is out of range. Allowed: 1 to 100000"),
        ("batch_rows = 100001", "batch_rows: 100001 is out of range"),
        ("timeout_s = 601", "timeout_s: 601 is out of range"),
        ('method = "GET"', 'method: "GET" is none of the choices'),
        ('path = "x.json"', 'path: "x.json" is no name of a record of deliveries'),
        ('path = "x.jsonl.gz"', 'path: "x.jsonl.gz" is no name of a record of deliveries'),
        ("headers = 5", "headers: 5 is not a table of texts"),
        ("batch_row = 5", 'batch_row: is not a known key. Did you mean "batch_rows"?'),
    ],
)
def test_what_else_is_refused(desk, text, said):
    assert refused(desk, URL + text).startswith(said)


def test_it_holds_the_rows_of_one_query(desk):
    text = TEXT.replace('query = "SELECT 1"', 'queries = { a = "SELECT 1", b = "SELECT 2" }')
    _, said = desk.mistake(text + URL)
    assert said.startswith("a webhook holds the rows of one query")

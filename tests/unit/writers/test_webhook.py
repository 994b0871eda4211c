"""What a receiver is sent over HTTP, once for each batch, whatever goes wrong on the way."""

import json
import socket
import ssl
import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import BadStatusLine
from pathlib import Path

import pyarrow as pa
import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import acks_name
from etltui.writers import webhook
from etltui.writers.webhook_acks import acks_in
from etltui.writers.webhook_answer import Answer
from etltui.writers.webhook_line import Line, Receiver, broken
from unit.writers.format_kit import ROWS, Kit, flip
from webhook_kit import Reply, receiving

FIVE = pa.record_batch({"id": [1, 2, 3, 4, 5], "name": ["a\n,]}", '"', "b", None, "Łuk"]})
ROWS_OF_FIVE = [
    dict(zip(FIVE.schema.names, row, strict=True))
    for row in zip(*(column.to_pylist() for column in FIVE.columns), strict=True)
]
NONE = FIVE.slice(0, 0)
RUN = "r"


@pytest.fixture
def hook():
    with receiving() as made:
        yield made


@pytest.fixture
def waited(monkeypatch):
    """The waits between tries; none is waited for."""
    seconds = []
    monkeypatch.setattr(Line, "wait", lambda _, wait: seconds.append(wait))
    return seconds


def kit_of(tmp_path, hook, **options):
    options = {"url": hook.url, "batch_rows": 2, **options}
    return Kit(tmp_path, "webhook", "record.jsonl", **options)


def task_of(kit, receipts, **changes):
    task = kit.task(receipts)
    numbered = tuple(
        replace(entry, number=number) for number, entry in enumerate(task.entries, start=1)
    )
    return replace(task, entries=numbered, run=RUN, job="sales", folder=str(kit.root), **changes)


def record_of(kit):
    return [json.loads(line) for line in kit.temporary.read_bytes().splitlines()]


def keys(*pairs):
    return [f"{RUN}/{number}/{batch}" for number, batch in pairs]


def failing(kit, receipts, **changes):
    with pytest.raises(Failure) as caught:
        webhook.assemble(task_of(kit, receipts, **changes))
    return caught.value


def test_each_batch_is_one_request_that_names_itself(tmp_path, hook):
    """S3-10: everything in one go, the connections in the job's order."""
    kit = kit_of(tmp_path, hook, headers={"X-Source": "etl"})
    published = webhook.assemble(task_of(kit, [kit.part(FIVE), kit.part(FIVE, connection="B2")]))
    assert hook.keys == keys((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3))
    first, *_, last = hook.requests
    assert first.body == {
        "run": RUN,
        "job": "sales",
        "connection": "B1",
        "batch": 1,
        "last": False,
        "rows": ROWS_OF_FIVE[:2],
    }
    assert (last.body["last"], last.body["rows"]) == (True, ROWS_OF_FIVE[4:])
    assert (first.method, first.path) == ("POST", "/rows")
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["X-Source"] == "etl"
    assert first.headers["User-Agent"].startswith("etltui/")
    assert [hook.rows(name) for name in ("B1", "B2")] == [ROWS_OF_FIVE] * 2
    assert published.rows == 10
    assert published.bytes == kit.temporary.stat().st_size
    assert hook.lines == 1


def test_the_record_tells_each_acknowledgement(tmp_path, hook):
    kit = kit_of(tmp_path, hook, method="PUT")
    webhook.assemble(task_of(kit, [kit.part(FIVE)]))
    wanted = ["connection", "number", "batch", "rows", "last", "key", "status"]
    assert [[line[name] for name in wanted] for line in record_of(kit)] == [
        ["B1", 1, 1, 2, False, "r/1/1", 200],
        ["B1", 1, 2, 2, False, "r/1/2", 200],
        ["B1", 1, 3, 1, True, "r/1/3", 200],
    ]
    assert hook.requests[0].method == "PUT"


def test_every_type_is_spelled_as_in_json_lines(tmp_path, hook):
    lines = Kit(tmp_path / "lines", "jsonl")
    kit = kit_of(tmp_path, hook, connection_column="connection")
    webhook.assemble(task_of(kit, [kit.part(ROWS)]))
    wanted = lines.payload(lines.part(ROWS)).decode().splitlines()
    assert hook.rows("B1") == [json.loads(line) for line in wanted]


def test_a_connection_without_rows_is_told_too(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    published = webhook.assemble(task_of(kit, [kit.part(NONE, schema=FIVE.schema)]))
    (request,) = hook.requests
    assert (request.body["rows"], request.body["last"], published.rows) == ([], True, 0)


@pytest.mark.parametrize("rows", [1, 4, 5, 6])
def test_batches_end_where_they_should(tmp_path, hook, rows):
    kit = kit_of(tmp_path, hook, batch_rows=rows)
    webhook.assemble(task_of(kit, [kit.part(FIVE)]))
    assert hook.rows("B1") == ROWS_OF_FIVE
    assert [request.body["last"] for request in hook.requests] == [
        *[False] * (-(-5 // rows) - 1),
        True,
    ]


def test_what_was_acknowledged_is_not_sent_again(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    one, two = kit.part(FIVE), kit.part(FIVE, connection="B2")
    webhook.assemble(task_of(kit, [one]))
    first = kit.temporary.read_bytes()
    published = webhook.assemble(task_of(kit, [one, two]))
    assert hook.keys == keys((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3))
    assert kit.temporary.read_bytes().startswith(first)
    again = webhook.assemble(task_of(kit, [one, two]))
    assert (again, len(hook.requests), hook.twice) == (published, 6, [])


def test_the_record_of_an_earlier_attempt_counts_when_the_parts_are_gone(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    one = kit.part(FIVE)
    webhook.assemble(task_of(kit, [one]))
    kit.temporary.rename(tmp_path / kit.target)
    for path in (kit.folder / "0").iterdir():
        path.unlink()
    other = FIVE.slice(1)
    read = Kit(tmp_path, "webhook", "record.jsonl", url=hook.url, batch_rows=2)
    published = webhook.assemble(task_of(kit, [read.part(other)]))
    assert len(hook.requests) == 3
    assert (published.rows, published.notes) == (5, {webhook.OTHER_ROWS: 1})
    # It could not be read this time: what was delivered of it stays in the record.
    task = task_of(kit, [])
    entry = replace(task_of(kit, [one]).entries[0], receipts=(), status="failed")
    assert webhook.assemble(replace(task, entries=(entry,))).rows == 5
    # Another run is another delivery.
    webhook.assemble(replace(task_of(kit, [read.part(FIVE)]), run="s"))
    assert hook.keys[3:] == ["s/1/1", "s/1/2", "s/1/3"]


def test_an_acknowledgement_holds_for_the_receiver_it_came_from(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    one = kit.part(FIVE)
    webhook.assemble(task_of(kit, [one]))
    with receiving() as other:
        kit.options = {**kit.options, "url": other.url}
        webhook.assemble(task_of(kit, [one]))
        assert other.rows("B1") == ROWS_OF_FIVE


def test_a_torn_last_line_is_sent_again_and_replaced(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    one = kit.part(FIVE)
    webhook.assemble(task_of(kit, [one]))
    path = kit.folder / "0" / acks_name(1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    webhook.assemble(task_of(kit, [one]))
    assert hook.keys[3:] == keys((1, 3))
    assert (hook.twice, len(acks_in(path)[0])) == (keys((1, 3)), 3)
    path.write_bytes(whole[:-20] + b"\n" * 100)
    webhook.assemble(task_of(kit, [one]))
    assert hook.keys[4:] == keys((1, 3))
    assert path.read_bytes().count(b"\n") == 3


def test_other_rows_in_the_middle_of_a_delivery_are_refused(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    hook.answer = lambda _, count: Reply(200 if count < 1 else 400)
    failing(kit, [kit.part(FIVE)])
    failure = failing(kit, [kit.part(FIVE.slice(1))])
    assert failure.error_class is ErrorClass.VALUE
    assert "--no-resume" in failure.message
    assert len(hook.requests) == 2


@pytest.mark.parametrize("status", [500, 503, 429, 408, 425])
def test_what_passes_is_sent_again_under_the_same_key(tmp_path, hook, waited, status):
    kit = kit_of(tmp_path, hook)
    hook.answer = lambda _, count: Reply(200 if count > 1 else status)
    webhook.assemble(task_of(kit, [kit.part(FIVE)]))
    assert hook.keys == keys((1, 1), (1, 1), (1, 1), (1, 2), (1, 3))
    assert waited == [1.0, 2.0]
    assert hook.rows("B1") == ROWS_OF_FIVE


def test_a_receiver_says_when_it_wants_to_be_asked_again(tmp_path, hook, waited):
    kit = kit_of(tmp_path, hook)
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    said = ["7", later, "tomorrow"]
    hook.answer = lambda _, count: (
        Reply(503, headers={"Retry-After": said[count]}) if count < 3 else Reply()
    )
    webhook.assemble(task_of(kit, [kit.part(FIVE)]))
    assert waited[0] == 7
    assert 0 < waited[1] <= 60
    assert waited[2] == 4.0


def test_a_receiver_that_wants_too_long_a_wait_is_left_for_later(tmp_path, hook, waited):
    kit = kit_of(tmp_path, hook)
    hook.answer = lambda *_: Reply(429, headers={"Retry-After": "3600"})
    assert failing(kit, [kit.part(FIVE)]).error_class is ErrorClass.TARGET
    assert (len(hook.requests), waited) == (1, [])


def test_what_does_not_pass_in_four_tries_is_a_failure(tmp_path, hook, waited):
    kit = kit_of(tmp_path, hook)
    hook.answer = lambda *_: Reply(500, "down")
    failure = failing(kit, [kit.part(FIVE)])
    assert failure.error_class is ErrorClass.TARGET
    assert failure.message == f"{hook.url} did not take the rows (status 500) and answers: down"
    assert (len(hook.requests), waited) == (4, [1.0, 2.0, 4.0])
    assert not kit.temporary.exists()


def test_a_batch_that_the_receiver_has_already_counts(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    hook.answer = lambda *_: Reply(409)
    webhook.assemble(task_of(kit, [kit.part(FIVE)]))
    assert [line["status"] for line in record_of(kit)] == [409] * 3


def test_a_refusal_is_told_without_a_secret(tmp_path, hook, monkeypatch):
    """What is sent as a secret stands nowhere else."""
    monkeypatch.setenv("HOOK", "Bearer abcdefgh-1")
    kit = kit_of(tmp_path, hook, headers={"Authorization": "env:HOOK"})
    hook.answer = lambda request, _: Reply(
        400, f"no {request.headers['Authorization']}\x1b[31m abcdefgh-1 " + "x" * 300
    )
    failure = failing(kit, [kit.part(FIVE)])
    assert hook.requests[0].headers["Authorization"] == "Bearer abcdefgh-1"
    assert "abcdefgh" not in failure.message
    assert "\x1b" not in failure.message
    assert "status 400" in failure.message
    assert len(failure.message.partition("answers: ")[2]) == 200
    assert "abcdefgh" not in b"".join(
        path.read_bytes() for path in kit.root.rglob("*") if path.is_file()
    ).decode("utf-8", "replace")
    assert len(hook.requests) == 1


def test_a_header_that_cannot_be_had_is_named(tmp_path, hook, monkeypatch):
    kit = kit_of(tmp_path, hook, headers={"X-Token": "env:HOOK"})
    monkeypatch.delenv("HOOK", raising=False)
    missing = failing(kit, [kit.part(FIVE)])
    assert missing.error_class is ErrorClass.SECRET
    assert missing.message.startswith("the header X-Token cannot be had")
    monkeypatch.setenv("HOOK", "geheim\nX-Other: 1")
    odd = failing(kit, [kit.part(FIVE)])
    assert odd.error_class is ErrorClass.SECRET
    assert "geheim" not in odd.message
    assert hook.requests == []


def test_redirects_are_not_followed(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    hook.answer = lambda *_: Reply(307, headers={"Location": f"{hook.url}/other"})
    failure = failing(kit, [kit.part(FIVE)])
    assert "not followed" in failure.message
    assert len(hook.requests) == 1


def test_a_line_that_was_closed_between_two_batches_is_opened_anew(tmp_path, hook, waited):
    kit = kit_of(tmp_path, hook)
    hook.answer = lambda _, count: Reply(0 if count == 1 else 200)
    webhook.assemble(task_of(kit, [kit.part(FIVE)]))
    assert hook.keys == keys((1, 1), (1, 2), (1, 2), (1, 3))
    assert waited == []


def test_a_receiver_that_closes_without_a_word_is_asked_again(tmp_path, hook, waited):
    kit = kit_of(tmp_path, hook)
    hook.answer = lambda *_: Reply(0)
    assert failing(kit, [kit.part(FIVE)]).error_class is ErrorClass.LOST
    assert (len(hook.requests), len(waited)) == (4, 3)


def test_nobody_listens(tmp_path, waited):
    with receiving() as gone:
        kit = kit_of(tmp_path, gone)
    failure = failing(kit, [kit.part(FIVE)])
    assert failure.error_class is ErrorClass.REFUSED
    assert len(waited) == 3


def test_a_receiver_without_encryption_is_no_https(tmp_path, hook):
    kit = kit_of(tmp_path, hook, url=hook.url.replace("http:", "https:"))
    one = kit.part(FIVE)
    assert failing(kit, [one]).error_class is ErrorClass.TLS
    kit.options["ca_file"] = "certificates.pem"
    missing = failing(kit, [one])
    assert missing.message.endswith("certificates.pem cannot be used: No such file or directory")


AUTHORITY = str(Path(__file__).parents[1] / "readers" / "own_authority.pem")
"""A self-signed certificate for the name localhost, with its key."""


def test_who_shows_a_certificate_that_is_trusted_gets_the_rows(tmp_path):
    with receiving(certificate=AUTHORITY) as hook:
        kit = kit_of(tmp_path, hook, ca_file=AUTHORITY)
        webhook.assemble(task_of(kit, [kit.part(FIVE)]))
        assert (hook.rows("B1"), hook.lines) == (ROWS_OF_FIVE, 1)


@pytest.mark.parametrize(("trust", "host"), [("", "localhost"), (AUTHORITY, "127.0.0.1")])
def test_who_shows_another_certificate_gets_nothing(tmp_path, trust, host):
    with receiving(certificate=AUTHORITY) as hook:
        url = hook.url.replace("localhost", host)
        kit = kit_of(tmp_path, hook, url=url, ca_file=trust)
        failure = failing(kit, [kit.part(FIVE)])
        assert failure.error_class is ErrorClass.TLS
        assert "its certificate is not trusted" in failure.message
        assert hook.requests == []


def test_a_file_without_a_certificate_is_told(tmp_path, hook):
    (tmp_path / "empty.pem").touch()
    url = hook.url.replace("http:", "https:")
    kit = kit_of(tmp_path, hook, url=url, ca_file="empty.pem")
    assert "it holds no certificate" in failing(kit, [kit.part(FIVE)]).message


def test_a_silent_receiver_that_nobody_stops_has_its_time(tmp_path, hook, waited):
    leave = threading.Event()
    hook.answer = lambda *_: leave.wait(30) and Reply(0)
    kit = kit_of(tmp_path, hook, timeout_s=0.1)
    try:
        failure = failing(kit, [kit.part(FIVE)])
    finally:
        leave.set()
    assert failure.error_class is ErrorClass.TIMEOUT
    assert failure.message.endswith("/rows: no answer within timeout_s = 0.1 s")
    assert len(waited) == 3


def test_a_long_answer_is_not_read_to_its_end(tmp_path, hook):
    hook.answer = lambda *_: Reply(200, "x" * 100_000)
    kit = kit_of(tmp_path, hook)
    webhook.assemble(task_of(kit, [kit.part(FIVE)]))
    assert (hook.rows("B1"), hook.lines) == (ROWS_OF_FIVE, 3)


@pytest.mark.parametrize(
    ("error", "error_class", "words"),
    [
        (BrokenPipeError(), ErrorClass.LOST, "closed the connection"),
        (ssl.SSLEOFError(8, "EOF"), ErrorClass.LOST, "closed the connection"),
        (BadStatusLine("SSH-2.0"), ErrorClass.TARGET, "does not answer in HTTP"),
        (socket.gaierror(-2, "unknown"), ErrorClass.UNREACHABLE, "its name has no address"),
        (OSError(113, "No route to host"), ErrorClass.UNREACHABLE, "No route to host"),
        (OSError(), ErrorClass.UNREACHABLE, "OSError"),
        (ssl.SSLError(1, "x"), ErrorClass.TLS, "no encrypted connection"),
    ],
)
def test_what_comes_instead_of_an_answer_is_told_in_words(error, error_class, words):
    receiver = Receiver(url="https://hq/a?x=1", method="POST", headers={}, timeout_s=1)
    failure = broken(error, receiver)
    assert failure.error_class is error_class
    assert failure.message.startswith("https://hq/a: ")
    assert words in failure.message


def test_a_moment_without_a_zone_is_in_utc():
    answer = Answer(status=503, headers={"retry-after": "Sun, 22 Nov 2026 10:00:30 -0000"})
    assert answer.retry_after(datetime(2026, 11, 22, 10, tzinfo=UTC)) == 30


def test_a_receiver_may_be_asked_with_a_query():
    receiver = Receiver(url="https://hq?x=1", method="POST", headers={}, timeout_s=1)
    assert (receiver.target, receiver.place) == ("/?x=1", "https://hq")


@pytest.mark.parametrize("batches", [0, 1])
def test_it_stops_between_two_batches(tmp_path, hook, batches):
    kit = kit_of(tmp_path, hook)
    one = kit.part(FIVE)
    with pytest.raises(Failure) as caught:
        webhook.assemble(task_of(kit, [one]), lambda: len(hook.requests) >= batches)
    assert caught.value.error_class is ErrorClass.CANCELLED
    assert hook.keys == keys((1, 1))[:batches]
    webhook.assemble(task_of(kit, [one]))
    assert (hook.rows("B1"), hook.twice) == (ROWS_OF_FIVE, [])


def test_a_receiver_that_does_not_answer_is_left_at_once(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    one = kit.part(FIVE)
    stopped, leave = threading.Event(), threading.Event()

    waited = []

    def answer(*_):
        stopped.set()
        waited.append(leave.wait(20))
        return Reply(0)

    hook.answer = answer
    try:
        with pytest.raises(Failure) as caught:
            webhook.assemble(task_of(kit, [one]), stopped.is_set)
        assert waited == []
    finally:
        leave.set()
    assert caught.value.error_class is ErrorClass.CANCELLED
    assert len(hook.requests) == 1


def test_a_wait_ends_when_it_is_not_wanted_any_more(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    stopped = threading.Event()

    def answer(*_):
        stopped.set()
        return Reply(503, headers={"Retry-After": "100"})

    hook.answer = answer
    with pytest.raises(Failure) as caught:
        webhook.assemble(task_of(kit, [kit.part(FIVE)]), stopped.is_set)
    assert caught.value.error_class is ErrorClass.CANCELLED
    line = Line(None, stopped.is_set)
    line.wait(100)


def test_a_damaged_part_is_never_sent(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    one = kit.part(FIVE)
    flip(kit.folder / one.path, 5)
    assert failing(kit, [one]).error_class is ErrorClass.CORRUPT
    (kit.folder / one.path).unlink()
    assert failing(kit, [one]).error_class is ErrorClass.CORRUPT
    assert hook.requests == []


def test_parts_of_two_queries_are_refused(tmp_path, hook):
    kit = kit_of(tmp_path, hook)
    failure = failing(kit, [kit.part(FIVE), kit.part(FIVE, query=1)])
    assert failure.error_class is ErrorClass.VALUE


def test_a_body_is_never_whole_in_memory(tmp_path, hook, monkeypatch):
    """Rows beyond a piece arrive as they are."""
    monkeypatch.setattr("etltui.writers.webhook_batches._READ", 7)
    kit = kit_of(tmp_path, hook, batch_rows=4)
    webhook.assemble(task_of(kit, [kit.part(FIVE)]))
    assert hook.rows("B1") == ROWS_OF_FIVE
    assert asdict(acks_in(kit.folder / "0" / acks_name(1))[0][0])["rows"] == 4

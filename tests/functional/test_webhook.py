"""A run into a webhook: killed, resumed and refused, every batch once at a receiver with keys."""

import json
import os
import shutil
import signal
import threading
from collections import Counter
from pathlib import Path

import psutil
import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import (
    configure,
    end,
    etltui,
    locked,
    rows_of,
    run,
    start,
    wait_for,
)
from webhook_kit import Reply, receiving

BRANCHES, ROWS, BATCH = 5, 300, 100
BATCHES = ROWS // BATCH
HOOK = """
[[jobs.gst_sales.destinations]]
type = "webhook"
url = "{url}"
batch_rows = {batch}
progressive = {progressive}
headers = {{ Authorization = "env:HOOK_LOGIN" }}
"""
LOGIN = "Bearer geheim-geheim"
BOTH = pytest.mark.parametrize("progressive", [False, True], ids=["batch", "progressive"])

pytestmark = pytest.mark.timeout(120)


def name_of(branch: int) -> str:
    return f"branch_{branch:03d}"


@pytest.fixture
def hook(monkeypatch):
    monkeypatch.setenv("HOOK_LOGIN", LOGIN)
    with receiving() as made:
        yield made


@pytest.fixture
def folder(tmp_path, hook) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=ROWS))
    with (made / "config.toml").open("a") as file:
        file.write(HOOK.format(url=hook.url, batch=BATCH, progressive="false"))
    return made


def set_progressive(folder: Path, *, progressive: bool) -> None:
    if progressive:
        configure(folder, "progressive = false", "progressive = true")


def whole(hook, folder: Path) -> None:
    """The receiver has every batch of every branch, each once where it looks at keys."""
    runs = {body["run"] for body in hook.taken.values()}
    assert len(runs) == 1
    assert Counter(body["connection"] for body in hook.taken.values()) == {
        name_of(n): BATCHES for n in range(1, BRANCHES + 1)
    }
    for branch in range(1, BRANCHES + 1):
        wanted = rows_of(folder, branch)
        assert [next(iter(row.values())) for row in hook.rows(name_of(branch))] == [
            row[0] for row in wanted
        ]
    (record,) = (folder / "deliveries").iterdir()
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [line["key"] for line in lines] == [
        f"{next(iter(runs))}/{branch}/{batch}"
        for branch in range(1, BRANCHES + 1)
        for batch in range(1, BATCHES + 1)
    ]


def test_s3_10_everything_is_sent_in_one_go_at_the_end(folder, hook):
    """S3-10: nothing is sent before the last connection is done."""
    with locked(folder, BRANCHES):
        process = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
        for _ in range(BRANCHES - 1):
            wait_for(process, '"connection_completed"')
        assert hook.requests == []
    ended = end(process)
    assert ended.code == 0, ended.err
    whole(hook, folder)
    assert [body["connection"] for body in hook.taken.values()] == [
        name_of(branch) for branch in range(1, BRANCHES + 1) for _ in range(BATCHES)
    ]
    assert {request.headers["Authorization"] for request in hook.requests} == {LOGIN}
    assert not hook.twice


def test_s3_29_a_connection_is_sent_when_it_is_done(folder, hook):
    """S3-29: rows of the first connection arrive before the fifth has given any."""
    set_progressive(folder, progressive=True)
    arrived = threading.Event()

    def answer(request, _):
        if request.body["connection"] == name_of(1) and request.body["last"]:
            arrived.set()
        return Reply()

    hook.answer = answer
    with locked(folder, BRANCHES):
        process = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
        assert arrived.wait(60)
        assert name_of(BRANCHES) not in {request.body["connection"] for request in hook.requests}
        assert not any((folder / "deliveries").glob("[!.]*"))  # a lock at the most
    ended = end(process)
    assert ended.code == 0, ended.err
    whole(hook, folder)
    assert not hook.twice


@BOTH
@pytest.mark.parametrize("victim", ["engine", "extractor"])
def test_after_a_kill_between_batches_only_the_unacknowledged_one_is_sent_again(
    folder, hook, victim, progressive
):
    """S3-25: every batch once at a receiver that looks at keys, none lost."""
    set_progressive(folder, progressive=progressive)
    killed = threading.Event()
    process = None
    begun = threading.Event()

    def answer(_, count):
        if count == 4:
            begun.wait(60)
            children = psutil.Process(process.pid).children(recursive=True)
            if victim == "engine":
                process.kill()
            for child in children:
                os.kill(child.pid, signal.SIGKILL)
            killed.set()
        return Reply()

    hook.answer = answer
    process = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
    begun.set()
    ended = end(process)
    assert killed.is_set()
    if victim == "engine":
        assert ended.code != 0
        again = run(folder, "--resume")
        assert again.code == 0, again.err
    else:
        assert ended.code == 0, ended.err
    whole(hook, folder)
    assert len(hook.twice) <= 1


def test_a_receiver_that_is_away_for_a_moment_loses_nothing(folder, hook):
    hook.answer = lambda _, count: (
        Reply(503, headers={"Retry-After": "0"}) if count % 3 == 0 else Reply()
    )
    ended = run(folder)
    assert ended.code == 0, ended.err
    whole(hook, folder)


@BOTH
def test_a_refusal_leaves_the_run_to_be_taken_up(folder, hook, progressive):
    set_progressive(folder, progressive=progressive)
    hook.answer = lambda request, _: Reply(
        400 if request.body["connection"] == name_of(3) else 200, f"bad {LOGIN}"
    )
    ended = run(folder)
    assert ended.code != 0
    assert "status 400" in ended.finished["reason"]
    said = ended.out + ended.err + (folder / "config.toml").read_text()
    assert "geheim" not in said
    assert not any((folder / "deliveries").glob("*.jsonl"))
    sent = len(hook.taken)
    assert sent >= 2 * BATCHES
    hook.answer = lambda *_: Reply()
    again = run(folder, "--resume")
    assert again.code == 0, again.err
    assert again.finished["connections"]["skipped"] == BRANCHES
    whole(hook, folder)
    assert not hook.twice


def test_a_run_with_a_wrong_address_is_taken_up_with_the_right_one(folder, hook):
    """Nothing is read again."""
    configure(folder, "/rows", "/row")
    hook.answer = lambda request, _: Reply(200 if request.path == "/rows" else 404)
    ended = run(folder)
    assert "status 404" in ended.finished["reason"]
    configure(folder, "/row", "/rows")
    again = run(folder, "--resume")
    assert (again.code, again.finished["connections"]["skipped"]) == (0, BRANCHES), again.err
    whole(hook, folder)


@pytest.mark.parametrize("parts_gone", [False, True])
def test_a_retry_sends_what_was_missing(folder, hook, parts_gone):
    configure(folder, "retries = 3, delay_s = 1", "retries = 0, delay_s = 0")
    database = folder / "data" / "branch_002.db"
    away = database.rename(database.with_name("away.db"))
    ended = run(folder)
    assert ended.code == 3, ended.err
    assert name_of(2) not in {body["connection"] for body in hook.taken.values()}
    sent = len(hook.requests)
    away.rename(database)
    if parts_gone:
        shutil.rmtree(folder / "state" / "parts" / ended.finished["run"])
    again = etltui("retry", ended.finished["run"], "--json", "--config", folder / "config.toml")
    assert again.code == 0, again.err
    assert len(hook.requests) - sent == BATCHES
    whole(hook, folder)


@BOTH
def test_a_cancel_ends_a_delivery_at_once(folder, hook, progressive):
    """The receiver does not answer; nobody waits for it."""
    set_progressive(folder, progressive=progressive)
    asked, leave = threading.Event(), threading.Event()

    def answer(_, count):
        if count == 2:
            asked.set()
            leave.wait(60)
            return Reply(0)
        return Reply()

    hook.answer = answer
    process = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
    assert asked.wait(60)
    process.send_signal(signal.SIGINT)
    ended = end(process)
    leave.set()
    assert ended.code != 0
    hook.answer = lambda *_: Reply()
    again = run(folder, "--resume")
    assert again.code == 0, again.err
    whole(hook, folder)
    assert not hook.twice

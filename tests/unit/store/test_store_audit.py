"""The audit as kept: recorded with its act, chained, only added to, its end kept beside."""

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
import store_samples as sample
from store_samples import NOW

from etltui.domain.audit import (
    AMISS,
    DOING,
    GENESIS,
    Act,
    Caller,
    Doing,
    Head,
    problems,
    recorded,
    recording,
)
from etltui.domain.errors import StateError
from etltui.domain.logbook import Hold
from etltui.domain.run import RunStatus
from etltui.store import audit
from etltui.store.audit import HEAD, kept_head
from etltui.store.folder import DATABASE
from etltui.store.history import open_history
from etltui.store.sqlite import SqliteStore

ASHA = Caller(user="asha", host="desk", pid=7)
HELD = Hold(connection="B001", reason="line is cut", who="asha@desk", since=1.0)


def act(what="queue.pause", target="sales", **details):
    return Act(at=NOW.timestamp(), caller=ASHA, what=what, target=target, details=details)


async def added(store, *names):
    for name in names:
        await store.put_audit(Doing(act(name)))


def said(links):
    return [json.loads(each.record) for each in links]


async def kept(folder):
    return await asyncio.to_thread(kept_head, folder)


async def found(folder):
    head = await kept(folder)
    async with await open_history(folder) as history:
        return [(each.seq, each.sentence) for each in problems(await history.audit(), head)]


def tamper(folder, *statements):
    """Change the database as somebody who knows it would: without its triggers."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        for name in ("is_not_changed", "is_not_cut", "grows_at_its_end"):
            connection.execute(f"DROP TRIGGER IF EXISTS audit_{name}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.fixture
async def three(folder, clock):
    """A folder with three records, closed."""
    async with await SqliteStore.open(folder, clock=clock) as store:
        await added(store, "one", "two", "three")
    return folder


async def test_a_record_says_who_did_what_and_when(store, folder):
    await store.put_audit(Doing(act(paused="True", empty="")))
    (link,) = await store.audit()
    assert said([link]) == [
        {
            "seq": 1,
            "at": "2026-11-21T23:30:00.000Z",
            "user": "asha",
            "host": "desk",
            "pid": 7,
            "act": "queue.pause",
            "object": "sales",
            "details": {"paused": "True"},
        },
    ]
    assert link.previous == GENESIS
    assert await kept(folder) == Head(seq=1, hash=link.hash)
    assert (folder / HEAD).stat().st_mode & 0o777 == 0o600


async def test_records_are_chained_and_read_page_by_page(store, folder):
    await added(store, "one", "two", "three")
    links = await store.audit()
    assert [each.previous for each in links] == [GENESIS, links[0].hash, links[1].hash]
    assert await store.audit(1, 1) == [links[1]]
    assert await found(folder) == []


async def test_the_first_change_of_an_act_takes_its_record_along(store):
    before = store.commits
    async with recording(store, act()) as doing:
        await store.put_holds([HELD])
        doing.add(late="not any more")
        await store.pause("sales", paused=True)
    assert store.commits == before + 2
    assert [each["details"] for each in said(await store.audit())] == [{}]
    await store.pause("", paused=True)
    assert len(await store.audit()) == 1


async def test_a_change_whose_act_cannot_be_recorded_is_not_made(store, folder):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'full'); END",
        )
        connection.commit()
    with pytest.raises(StateError, match="full"):
        async with recording(store, act()):
            await store.put_holds([HELD])
    assert await store.holds() == []
    with pytest.raises(StateError, match="full"):
        async with recording(store, act()):
            await recorded(store)
    assert await store.audit() == []


async def test_a_change_that_fails_takes_its_record_back(store):
    with pytest.raises(StateError):
        async with recording(store, act()):
            await store.move_run("nobody", RunStatus.RUNNING)
    assert await store.audit() == []


async def test_an_act_that_changes_nothing_here_is_recorded_at_its_end(store):
    async with recording(store, act("cancel")) as doing:
        doing.add(outcome="done")
        assert await store.audit() == []
    assert [each["details"] for each in said(await store.audit())] == [{"outcome": "done"}]


async def test_an_act_that_is_refused_leaves_no_record(store):
    with pytest.raises(ValueError, match="refused"):
        async with recording(store, act()):
            raise ValueError("refused")
    assert await store.audit() == []


async def test_an_act_that_fails_once_it_is_recorded_is_taken_back_by_a_second_record(store):
    async def change():
        async with recording(store, act("update_settings", "max_jobs=5")):
            await recorded(store)
            await recorded(store)
            raise ValueError("disk is full")

    with pytest.raises(ValueError, match="disk"):
        await change()
    first, second = said(await store.audit())
    assert (first["act"], second["act"]) == ("update_settings", "failed")
    assert second["object"] == "max_jobs=5"
    assert second["details"] == {"of": "update_settings", "why": "disk is full"}


async def test_an_end_that_cannot_be_recorded_is_logged(store, folder, caplog):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'full'); END",
        )
        connection.commit()
    async with recording(store, act("cancel", "")):
        pass
    assert "cancel of all is not in the audit" in caplog.text


async def test_nobody_who_does_nothing_is_recorded(store):
    await recorded(store)
    assert await store.audit() == []


async def test_what_goes_on_behind_an_act_is_no_part_of_it(store):
    begin = asyncio.Event()

    async def later():
        await begin.wait()
        await store.pause("sales", paused=True)

    async with recording(store, act()):
        task = asyncio.create_task(later())
    begin.set()
    await task
    assert len(await store.audit()) == 1
    assert DOING.get() is None


async def test_whoever_gives_up_waiting_leaves_one_record(store, folder):
    async def pause():
        async with recording(store, act()):
            await store.pause("sales", paused=True)

    task = asyncio.create_task(pause())
    await asyncio.sleep(0)  # it has begun, and waits for the disk
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await added(store, "next")
    assert [each["act"] for each in said(await store.audit())] == ["queue.pause", "next"]
    assert await found(folder) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET record = '{}' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 3",
        "INSERT OR REPLACE INTO audit SELECT 2, record, previous, hash FROM audit WHERE seq = 2",
        "INSERT INTO audit VALUES (0, '{}', '', '')",
    ],
)
async def test_the_database_refuses_to_change_a_record(three, statement):
    with closing(sqlite3.connect(three / DATABASE)) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="of the audit is"):
            connection.execute(statement)
        assert connection.execute("SELECT count(*) FROM audit").fetchone() == (3,)


@pytest.mark.parametrize(
    ("statements", "wrong"),
    [
        (["UPDATE audit SET record = replace(record, 'asha', 'ravi') WHERE seq = 2"], (2, "chang")),
        (["UPDATE audit SET hash = previous WHERE seq = 1"], (1, "changed")),
        (["UPDATE audit SET previous = hash WHERE seq = 2"], (2, "changed")),
        (["DELETE FROM audit WHERE seq = 2"], (2, "it is missing")),
        (["DELETE FROM audit WHERE seq < 3"], (1, "it and all up to record 2 are missing")),
        (["DELETE FROM audit WHERE seq = 3"], (3, "it is missing")),
        (["DELETE FROM audit WHERE seq > 1"], (2, "it and all up to record 3 are missing")),
        (["DELETE FROM audit"], (1, "it and all up to record 3 are missing")),
        (
            [
                "UPDATE audit SET seq = 9 WHERE seq = 2",
                "UPDATE audit SET seq = 2 WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 9",
            ],
            (2, "does not follow"),
        ),
        (["INSERT INTO audit VALUES (0, '{}', '', '')"], (0, "before the first")),
    ],
)
async def test_the_first_record_that_is_wrong_is_named(three, statements, wrong):
    tamper(three, *statements)
    seq, sentence = (await found(three))[0]
    assert seq == wrong[0]
    assert wrong[1] in sentence


def rewritten(folder, records, seqs=None):
    """Write the whole chain anew, with right hashes, as somebody who knows how would."""
    made, end = [], GENESIS
    for number, record in enumerate(records, start=1):
        digest = audit.link.__globals__["_digest"](end, record)
        made.append(((seqs or {}).get(number, number), record, end, digest))
        end = digest
    tamper(folder, "DELETE FROM audit")
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?)", made)
        connection.commit()
    return end


async def records_of(folder):
    async with await open_history(folder) as history:
        return [each.record for each in await history.audit()]


async def test_a_record_put_in_between_with_right_hashes_is_found(three):
    one, two, three_ = await records_of(three)
    rewritten(three, [one, two.replace("two", "new"), two, three_])
    assert (await found(three))[0] == (3, "it stands in the place of another")


async def test_a_record_that_is_no_object_is_found(three):
    one, two, _ = await records_of(three)
    rewritten(three, [one, "[]", "{"])
    assert [seq for seq, _ in await found(three)] == [2, 3]
    assert two


async def test_a_chain_written_anew_is_found_by_the_end_that_is_kept(three):
    records = [each.replace("asha", "ravi") for each in await records_of(three)]
    end = rewritten(three, records)
    ((seq, sentence),) = await found(three)
    assert (seq, "written anew" in sentence) == (3, True)
    # What cannot be found: both written anew.
    (three / HEAD).write_text(json.dumps({"seq": 3, "hash": end}))
    assert await found(three) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seq": "x", "hash": ""}', None])
async def test_an_end_that_is_lost_is_told(three, text):
    if text is None:
        (three / HEAD).unlink()
    else:
        (three / HEAD).write_text(text)
    assert await found(three) == [(3, "the end that is kept beside the database is lost")]


async def test_the_place_of_records_that_were_cut_off_stays_empty(three, clock):
    tamper(three, "DELETE FROM audit WHERE seq = 3")
    for name in ("next", "more"):
        async with await SqliteStore.open(three, clock=clock) as store:
            await added(store, name)
    assert await found(three) == [(3, "it is missing")]
    assert (await kept(three)).seq == 5


async def test_an_end_that_was_lost_stays_told_by_the_next_record(three, clock, caplog):
    (three / HEAD).unlink()
    for _ in range(2):
        async with await SqliteStore.open(three, clock=clock):
            pass
    ((seq, sentence),) = await found(three)
    assert (seq, "was lost, behind record 3" in sentence) == (4, True)
    async with await open_history(three) as history:
        assert said(await history.audit())[-1]["act"] == AMISS
    assert "tampered with" in caplog.text


async def test_a_chain_written_anew_stays_told_by_the_next_record(three, clock):
    rewritten(three, [each.replace("asha", "ravi") for each in await records_of(three)])
    async with await SqliteStore.open(three, clock=clock):
        pass
    ((seq, sentence),) = await found(three)
    assert (seq, "record 3 was not the one kept beside it" in sentence) == (4, True)


async def test_an_end_that_a_kill_left_behind_is_taken_up(three, clock):
    async with await open_history(three) as history:
        links = await history.audit()
    (three / HEAD).write_text(json.dumps({"seq": 2, "hash": links[1].hash}))
    assert await found(three) == []
    async with await SqliteStore.open(three, clock=clock):
        assert await kept(three) == Head(seq=3, hash=links[2].hash)
    assert await found(three) == []


async def test_a_folder_without_records_is_right(folder, clock):
    async with await SqliteStore.open(folder, clock=clock):
        pass
    assert await kept(folder) is None
    assert await found(folder) == []


async def test_an_end_that_cannot_be_kept_stops_nobody(store, folder, caplog):
    (folder / f".{HEAD}.tmp").mkdir()
    await added(store, "one")
    assert "not kept beside it" in caplog.text
    (folder / f".{HEAD}.tmp").rmdir()
    await added(store, "two")
    assert (await kept(folder)).seq == 2


async def test_the_log_has_the_hash_of_each_record(store, caplog):
    caplog.set_level("INFO")
    await added(store, "one")
    (link,) = await store.audit()
    assert link.hash in caplog.text


async def test_many_acts_at_once_make_one_chain(store, folder):
    async def one(number):
        async with recording(store, replace(act(), target=f"job {number}")):
            await store.pause(f"job {number}", paused=True)

    await asyncio.gather(*map(one, range(20)))
    assert sorted(each["object"] for each in said(await store.audit())) == sorted(
        f"job {number}" for number in range(20)
    )
    assert await found(folder) == []
    assert (await kept(folder)).seq == 20


async def test_a_run_and_its_act_are_recorded_together_or_not_at_all(store):
    async with recording(store, act("submit")):
        await store.create_run(sample.plan(), RunStatus.QUEUED)
    (link,) = await store.audit()
    assert link.seq == 1

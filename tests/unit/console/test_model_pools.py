"""Pools in words: which are full, which lend nothing, and why."""

import pytest

import console_world as cw
from console_pools import SERVER, file, pool
from etltui.console.cells import Styled, text_of
from etltui.console.glyphs import ASCII, UNICODE
from etltui.console.model import pools as m
from etltui.console.model.pool_page import pool_page
from etltui.console.model.pool_rows import gauge_row, row_of_pool
from etltui.domain.job import Connection
from etltui.domain.pools import (
    BreakerStats,
    Leak,
    PoolHistory,
    PoolKey,
    PoolMetrics,
    StatementStats,
)


def metrics(**facts):
    known = cw.snapshot().pools
    return PoolMetrics(**({name: getattr(known, name) for name in known.__slots__} | facts))


def history(name, **facts):
    return PoolHistory(**({"pool": name, "proved_s": None, "proofs_failed": 0} | facts))


def lines(pools, *, locked=(), **known):
    return m.pool_lines(pools, metrics(locked_credentials=tuple(locked)), m.Known(**known))


@pytest.mark.parametrize(
    ("facts", "state", "cell"),
    [
        ({}, "ok", Styled("ok", "")),
        ({"lent": 20}, "full", Styled("! full", "warn")),
        ({"paused": True, "lent": 20}, "paused", Styled("‖ paused", "warn")),
        ({"draining": True, "paused": True}, "draining", Styled("‖ draining", "warn")),
        ({"open": 0, "lent": 0, "last_error": "no route"}, "down", Styled("✗ down", "bad")),
        ({"last_error": "no route"}, "ok", Styled("ok", "")),
    ],
)
def test_each_state_has_a_sign_and_a_word(facts, state, cell):
    (line,) = lines([pool(**facts)])
    assert line.state == state
    assert m.state_cell(line, UNICODE) == cell


def test_a_locked_login_is_known_by_its_credential_or_by_the_pool_itself():
    (line,) = lines([pool()], locked=["north"])
    assert (line.state, line.login) == ("login locked", "north")
    assert "The login north was refused" in text_of(m.meaning(line))
    bare = pool(f"postgresql {SERVER}/sales")
    (line,) = lines([bare], locked=[bare.pool, "other"])
    assert line.login == bare.pool
    assert lines([bare], locked=["other"])[0].state == "ok"
    assert m.credential_of("sqlite /a@b/c.db", "") == ""


def test_files_of_a_kind_share_a_row_that_opens():
    many = [file(n, lent=n % 2, idle=1, waiting=n, connect_p50_ms=n) for n in (1, 2, 3)]
    (head,) = lines(many)
    assert (head.key, head.many, head.lent, head.idle, head.waiting) == ("sqlite", True, 2, 3, 6)
    assert (head.size, head.connect_ms, len(head.pools)) == (0, 3, 3)
    row = row_of_pool(head, UNICODE, 10)
    assert (row.name, row.use, row.size) == ("▸ sqlite (3 files)", "", Styled("–", "muted"))
    opened = lines(many, opened=["sqlite"])
    assert [line.inside for line in opened] == [False, True, True, True]
    assert row_of_pool(opened[0], UNICODE, 10, opened=True).name.startswith("▾")
    assert row_of_pool(opened[1], UNICODE, 10).name == "  data/branch_001.db"
    (alone,) = lines([file(1)])
    assert (alone.many, alone.name) == (False, "/data/branch_001.db")


def test_a_group_is_as_bad_as_its_worst_file_but_not_full():
    down = file(2, open=0, lent=0, last_error="disk gone")
    (head,) = lines([file(1, lent=20), down])
    assert (head.state, head.error) == ("down", "disk gone")
    assert lines([file(1, lent=20), file(2)])[0].state == "ok"


def test_a_database_that_does_not_answer_stays_in_sight_without_a_session():
    connection = Connection(
        name="north",
        url="x://",
        kind="postgresql",
        host="10.0.0.9",
        port=5432,
        database="sales",
        credential="north",
    )
    keys = m.keys_of([connection])
    name = str(PoolKey.of(connection))
    histories = [
        history(name, proofs_failed=2, last_error="no route"),
        history("sqlite /data/a.db", proofs_failed=0),
        history("sqlite /data/b.db", proofs_failed=1),
        history(pool().pool, proofs_failed=9),
    ]
    found = lines([pool()], histories=histories, keys=keys)
    assert [(line.name, line.state) for line in found] == [
        ("10.0.0.9:5432/sales", "down"),
        ("/data/b.db", "down"),
        ("10.0.0.5:1433/sales", "ok"),
    ]
    assert m.meaning(found[0]) == Styled("Its database does not answer: no route", "bad")
    assert m.meaning(found[1]) == Styled("Its database does not answer.", "bad")
    row = row_of_pool(found[0], ASCII, 10)
    assert [row.lent, row.idle, row.waiting, row.size, row.connect] == [Styled("-", "muted")] * 5
    gone = history(name, proved_s=2.0)
    assert lines([], histories=[gone], keys=keys, locked=["north"])[0].state == "login locked"


def test_files_that_do_not_answer_join_the_others_of_their_kind():
    connection = Connection(
        name="a", url="x://", kind="sqlite", host="", port=0, database="/data/a.db", credential=""
    )
    bad = history("sqlite /data/a.db", proofs_failed=1, last_error="locked")
    (head,) = lines([file(1)], histories=[bad], keys=m.keys_of([connection]))
    assert (head.many, head.state, len(head.pools)) == (True, "down", 2)


def test_pools_that_would_look_alike_say_who_logs_in():
    names = [pool(), pool("postgresql south@10.0.0.5:1433/sales")]
    assert [line.name for line in lines(names)] == [
        "north@10.0.0.5:1433/sales",
        "south@10.0.0.5:1433/sales",
    ]
    assert lines([pool()])[0].name == "10.0.0.5:1433/sales"


def test_pools_that_one_login_has_by_two_readers_say_by_which():
    names = [pool(), pool("odbc north@10.0.0.5:1433/sales")]
    assert [line.name for line in lines(names)] == [line.key for line in lines(names)]


def test_the_limits_over_several_pools_are_gauged():
    """S0-10…S0-13: pools, open ones, sessions over all, pools of a server."""
    value = metrics(
        places=38,
        max_connections=50,
        total_pools=12,
        pools_by_server={SERVER: 3},
        places_by_server={SERVER: 20, "gone:1": 0},
        max_per_host=20,
    )
    everything, host = m.gauges_of(value)
    assert (everything.taken, everything.most, everything.pools) == (38, 50, 12)
    assert (host.key, host.taken, host.most, host.pools) == (SERVER, 20, 20, 3)
    row = gauge_row(host, UNICODE, 4, ("pool", "lent", "max", "use", "state"))
    assert row.cells == (
        f"host {SERVER}",
        "",
        "20",
        Styled("████", "busy"),
        Styled("20/20 3 pools", "warn"),
    )
    assert gauge_row(everything, UNICODE, 4, ("pool",)).cells == ("all",)


def test_the_status_line_says_what_is_wrong_first():
    leak = Leak(holder="run X, a", pool="p", seconds=70)
    said = m.totals(
        [pool(lost=2), file(1, wait_p95_ms=1500.0)],
        metrics(paused=True, locked_credentials=("north",), leaks=(leak,), waiting=4),
    )
    assert [text_of(part) for part in said if text_of(part)] == [
        "all paused",
        "1 login locked",
        "1 leak",
        "6 lent",
        "4 idle",
        "4 waiting",
        "wait p95 1.5s",
        "lost 2",
        "limit 50",
    ]
    quiet = [text_of(part) for part in m.totals([], metrics()) if text_of(part)]
    assert quiet[-2:] == ["leaks 0", "limit 50"]


def test_n_3_the_status_line_counts_the_lines_that_are_down():
    down = BreakerStats(name="gateway VPN", open_s=1.0)
    said = [text_of(part) for part in m.totals([], metrics(breakers=(down,))) if text_of(part)]
    assert said[0] == "1 line down"


def test_a_pool_in_full_says_who_holds_and_what_was_asked():
    leak = Leak(holder="run X, Branch_001", pool="p", seconds=92.0)
    (line,) = lines([pool(leaks=(leak,), last_error="no route", lent=20)])
    statement = StatementStats(
        hash="4c75", text="SELECT * FROM sales", count=2, total_s=3.0, max_s=2.0, rows=2000
    )
    past = history(line.key, proved_s=12.0, proofs_failed=1, statements=(statement,))
    serves = [
        Connection(
            name=f"branch_{n}",
            url="x://",
            kind="postgresql",
            host="10.0.0.5",
            port=1433,
            database="sales",
            credential="north",
            contact="Branch, +91" if n else "",
        )
        for n in range(10)
    ]
    text = "\n".join(text_of(each) for each in pool_page(line, past, serves))
    assert "held for 1:32 by run X, Branch_001" in text
    assert "no route" in text
    assert "it answered 12 s ago, 1 failure since" in text
    assert "branch_0, branch_1" in text
    assert "and 2 more" in text
    assert text.count("Branch, +91") == 1
    assert "4c75  2 times, mean 1.5s, max 2.0s, 2,000 rows" in text
    assert "SELECT * FROM sales" in text
    assert "5 open of 20: 3 lent" not in text
    assert "5 open of 20: 20 lent, 2 idle" in text


def test_a_pool_without_a_session_has_a_page_too():
    gone = history("postgresql a:1/b", proofs_failed=1, last_error="refused")
    (line,) = lines([], histories=[gone])
    text = "\n".join(text_of(each) for each in pool_page(line, gone, []))
    assert "Its database does not answer: refused" in text
    assert "it has not answered yet, 1 failure since" in text
    assert "no connection of the configuration" in text
    assert "Sessions" not in text
    assert pool_page(line, None, [])[0] == "State         down"

"""`etltui pools show --statements`: what it draws, and where no engine runs."""

import json

from etltui.cli.pools import fitted, histories
from etltui.domain.pools import PoolHistory, StatementStats
from etltui.encode import documents

STATEMENT = StatementStats(
    hash="0a1b2c3d4e5f", text="select\x1b[2J 1", count=2, total_s=3.0, max_s=2.5, rows=1234
)


def made(**changes):
    known = {"pool": "mysql h/one", "proved_s": 4.0, "proofs_failed": 0}
    return PoolHistory(**{**known, **changes})


def test_s4_38_health_and_statements_of_each_pool():
    pools = [
        made(statements=(STATEMENT,)),
        made(pool="p" * 90, proofs_failed=2, last_error="BRANCH_002: unreachable: nobody there"),
        made(proved_s=None, proofs_failed=1),
    ]
    assert fitted([*histories(pools)]).splitlines() == [
        "  mysql h/one",
        "    answered 4 s ago",
        "    0a1b2c3d4e5f  2 times, 3.00 s, mean 1.50, max 2.50; 1,234 rows",
        "      select␛[2J 1",
        f"  {'p' * 76}…",
        "    answered 4 s ago, 2 failures since",
        "    BRANCH_002: unreachable: nobody there",
        "  mysql h/one",
        "    has not answered, 1 failure since",
    ]


def test_s4_38_as_json_with_milliseconds():
    (pool,) = documents.pool_history([made(statements=(STATEMENT,))])["pools"]
    assert pool.pop("statements") == [
        {
            "hash": "0a1b2c3d4e5f",
            "text": "select\x1b[2J 1",
            "count": 2,
            "totalMs": 3000.0,
            "meanMs": 1500.0,
            "maxMs": 2500.0,
            "rows": 1234,
        }
    ]
    assert pool == {
        "pool": "mysql h/one",
        "healthy": True,
        "provedSecondsAgo": 4.0,
        "proofsFailed": 0,
        "lastError": "",
    }
    (never,) = documents.pool_history([made(proved_s=None, proofs_failed=1)])["pools"]
    assert (never["healthy"], never["provedSecondsAgo"]) == (False, None)


def test_without_an_engine_there_is_nothing_to_show(desk):
    desk.configure()
    assert "no engine runs" in desk.ask("pools", "show", "--statements").stdout
    assert json.loads(desk.ask("pools", "--statements", "--json").stdout) == {"pools": []}

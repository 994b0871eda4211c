"""Pools to show on a screen."""

from etltui.domain.pools import PoolStats

SERVER = "10.0.0.5:1433"


def pool(name="postgresql north@10.0.0.5:1433/sales", server=SERVER, **facts):
    """A pool on a server, with three sessions lent."""
    known = {
        "size": 20,
        "open": 5,
        "lent": 3,
        "idle": 2,
        "connecting": 0,
        "waiting": 0,
        "refs": 3,
        "paused": False,
        "draining": False,
        "acquires": 9,
        "served_by_open": 6,
        "opened": 3,
        "lost": 0,
        "closed": 0,
        "wait_p50_ms": 0.0,
        "wait_p95_ms": 12.0,
        "connect_p50_ms": 31.0,
        "connect_p95_ms": 40.0,
        "last_error": "",
        "leaks": (),
        "leaked": 0,
    }
    return PoolStats(pool=name, server=server, **(known | facts))


def file(number, **facts):
    """The pool of a file."""
    return pool(f"sqlite /data/branch_{number:03d}.db", "", **facts)

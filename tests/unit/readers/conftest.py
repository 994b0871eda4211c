"""Fixtures for the readers' tests."""

from contextlib import ExitStack

import pytest

from etltui.readers.sqlite import SqliteReader
from unit.readers.sqlite_bench import Bench


@pytest.fixture
def bench(tmp_path):
    with ExitStack() as closes:
        yield Bench(tmp_path / "b.db", closes)


@pytest.fixture
def fast_only(monkeypatch):
    """The rows lane is gone: what still reads, reads by the fast lane."""

    def gone(*_):
        raise AssertionError("the rows lane was taken")

    monkeypatch.setattr(SqliteReader, "_rows", gone)

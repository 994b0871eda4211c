"""Fixtures for the readers' tests."""

import socket
import threading
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


@pytest.fixture
def serve():
    """Serve one connection by a script; the port."""
    threads, listeners = [], []

    def start(script):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def work():
            try:
                line, _ = listener.accept()
                with line:
                    line.settimeout(5)
                    script(line)
            except OSError:
                pass  # the client hung up: that is what its test is about

        threads.append(threading.Thread(target=work, daemon=True))
        threads[-1].start()
        return listener.getsockname()[1]

    yield start
    for thread in threads:
        thread.join(5)
    for listener in listeners:
        listener.close()

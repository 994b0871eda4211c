"""What all tests share: the option for slow ones, and an event loop that nothing may block."""

import logging
import os

import pytest
from blockbuster import blockbuster_ctx

import mysql_kit
from postgresql_kit import HOST, PORT, Server


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the tests marked slow, too")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow; run with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _environment(tmp_path_factory):
    """Take back what a test has set: changed settings set variables, and the log's level.

    What nobody gives another place is kept in a folder of the session, never in the tester's own.
    """
    variables, log = dict(os.environ), logging.getLogger("etltui")
    level = log.level
    os.environ.setdefault("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state home"))
    yield
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)
    log.setLevel(level)


@pytest.fixture(autouse=True)
def _nothing_blocks_the_loop(request):
    """Refuse calls of the program that block while an event loop runs in their thread.

    What the tests themselves do between two waits is their own affair.
    """
    if request.node.get_closest_marker("asyncio") is None:
        yield
        return
    with blockbuster_ctx("etltui") as guard:
        # Harmless, each once in the life of an engine: the zone's file is read before anything
        # runs, the log's folder is made and its file opened, and at the end its thread is joined,
        # which has nothing left to do but write the last lines.
        for check in guard.functions.values():
            check.can_block_in("etltui/engine/prepare.py", "__init__")
            check.can_block_in("etltui/engine/log.py", "logging_to")
            # A process starts in milliseconds, and only the loop's own thread lives long enough
            # for one to be tied to it.
            check.can_block_in("etltui/extractors/launch.py", "start")
            # The last that a process does.
            check.can_block_in("etltui/cli/signals.py", "leave_at_once")
        yield


@pytest.fixture(scope="session")
def postgresql():
    """The local PostgreSQL server; every database and role that a test makes there is dropped.

    Without a server its tests are skipped, but where ETLTUI_REQUIRE_SERVERS=1 says that there is
    one they fail.
    """
    server = Server()
    try:
        server.execute("SELECT 1")
    except Exception as error:  # noqa: BLE001 - whatever it is, there is no server to test with
        _no_server(f"no PostgreSQL server at {HOST}:{PORT}: {error!r}")
    yield server
    server.clear()


@pytest.fixture(scope="session")
def mysql():
    """The local MariaDB or MySQL server, as `postgresql` is PostgreSQL's."""
    server = mysql_kit.MysqlServer()
    try:
        server.execute("SELECT 1")
    except Exception as error:  # noqa: BLE001 - whatever it is, there is no server to test with
        _no_server(f"no MySQL server at {mysql_kit.HOST}:{mysql_kit.PORT}: {error!r}")
    yield server
    server.clear()


def _no_server(why):
    if os.environ.get("ETLTUI_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{why}, and ETLTUI_REQUIRE_SERVERS=1 requires it")
    pytest.skip(why)

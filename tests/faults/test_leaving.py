"""A few trials of every fault on every kind of database (S0-8, S0-9, S4-8, S4-53, N-1, N-2)."""

import asyncio
import os
import subprocess
import sys
from operator import le
from pathlib import Path

import pytest

import mssql_kit
import odbc_kit
from extractor_kit import until
from faults import leaving_sources
from faults.leaving import FAULTS, LOCAL, Trials

SLACK_S = 10.0
"""What a busy machine may add; the promise itself is measured by `leaving.py`."""
TIMES = 5

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def postgresql_source(postgresql):
    return leaving_sources.postgresql(postgresql, postgresql.database())


@pytest.fixture(scope="module")
def psqlodbc_source(postgresql):
    if why := odbc_kit.missing(odbc_kit.POSTGRESQL):
        pytest.skip(why)
    return leaving_sources.psqlodbc(postgresql, postgresql.database())


@pytest.fixture(scope="module")
def mariadb_odbc_source(mysql):
    if why := odbc_kit.missing(odbc_kit.MARIADB):
        pytest.skip(why)
    return leaving_sources.mariadb_odbc(mysql, mysql.database())


@pytest.fixture(scope="module")
def mysql_source(mysql):
    return leaving_sources.mysql(mysql, mysql.database())


@pytest.fixture(scope="module")
def double(tmp_path_factory):
    with mssql_kit.serving(tmp_path_factory.mktemp("double")) as server:
        yield server


@pytest.fixture(scope="module")
def microsoft_source(double):
    return leaving_sources.mssql(double, "microsoft")


@pytest.fixture(scope="module")
def freetds_source(double):
    return leaving_sources.mssql(double, "freetds")


@pytest.fixture
def source(request):
    """The database of the parameter's name."""
    return request.getfixturevalue(f"{request.param}_source")


async def _one(folder, source, fault):
    await asyncio.to_thread(folder.mkdir)
    trials = Trials(folder, source, slack=SLACK_S)
    try:
        trial = await trials.run(fault)
    finally:
        await trials.close()
    assert not trial.wrong, f"{source.name}, {fault}: {'; '.join(trial.wrong)}"


async def held(folder, source, fault, times=TIMES):
    """So many trials, each with an extractor and a line of its own, side by side.

    One after the other where only the server tells when a result is under way: it tells not whose.
    """
    if source.buffered:
        for number in range(times):
            await _one(folder / str(number), source, fault)
        return
    async with asyncio.TaskGroup() as group:
        for number in range(times):
            group.create_task(_one(folder / str(number), source, fault))


@pytest.mark.parametrize("fault", LOCAL)
async def test_a_file_is_left_in_time(tmp_path, fault):
    """S0-9, S4-8, N-2."""
    source = await asyncio.to_thread(leaving_sources.sqlite, tmp_path)
    await held(tmp_path, source, fault)


SERVERS = ("postgresql", "psqlodbc", "mysql", "mariadb_odbc")
DOUBLES = ("microsoft", "freetds")


@pytest.mark.server
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("source", SERVERS, indirect=True)
async def test_a_server_is_left_in_time(tmp_path, source, fault):
    """S0-8, S0-9, S4-8, N-1, N-2."""
    await held(tmp_path, source, fault)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("source", DOUBLES, indirect=True)
async def test_a_double_of_sql_server_is_left_in_time(tmp_path, source, fault):
    """S0-8, S0-9, S4-8, N-1, N-2."""
    await held(tmp_path, source, fault)


@pytest.mark.server
@pytest.mark.parametrize("source", SERVERS, indirect=True)
async def test_an_extractor_that_is_left_often_keeps_nothing(tmp_path, source):
    """S0-21, S4-53."""
    trials = Trials(tmp_path, source, slack=SLACK_S)
    try:
        await trials.run("cancel, blocked query")
        before = trials.held()
        for _ in range(20):
            assert not (await trials.run("cancel, blocked query")).wrong
        # A thread that carries a cancel may be on its way home still.
        await until(lambda: all(map(le, trials.held(), before)))
    finally:
        await trials.close()


@pytest.fixture(scope="module")
def own_network():
    """Words before a command that give it a network of its own."""
    words = ["unshare", "--net"]
    try:
        subprocess.run([*words, "ip", "link", "set", "lo", "up"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network of our own can be made here: {error}")
    return words


@pytest.mark.server
def test_a_network_that_loses_everything_is_left_in_time(own_network, postgresql_source):
    folder = Path(postgresql_source.socket).parent
    if not Path(postgresql_source.socket).is_socket():
        pytest.skip(f"the server has no socket in {folder}")
    script = Path(__file__).with_name("leaving.py")
    words = ["--dropped", "--only", "postgresql", "--times", "2", "--slack", "6"]
    found = subprocess.run(
        [*own_network, sys.executable, script, *words],
        env={**os.environ, "ETLTUI_POSTGRESQL_HOST": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "packets dropped" in found.stdout

"""A child process: what it is born with, and that it never outlives its engine."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

import extractor_kit as kit
from etltui.domain.errors import ErrorClass, Failure
from etltui.extractors import launch as launching
from etltui.extractors import protocol as p
from etltui.extractors import supervisor as supervising

AT_MOST_S = 1.0
"""How long a child may outlive its engine; measured from the engine's death."""


@contextmanager
def child_of(parent, sock, **options):
    """A bare child on one end of a socket pair, reaped at the end."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "etltui.extractors.child"),
            *(str(sock.fileno()), str(parent), "1"),
        ],
        pass_fds=[sock.fileno()],
        **options,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def hear(sock):
    sock.settimeout(kit.LONG)
    head = sock.recv(p.HEAD.size, socket.MSG_WAITALL)
    return p.up(sock.recv(p.body_length(head), socket.MSG_WAITALL)) if head else None


def ready(sock):
    """The first message up."""
    message = hear(sock)
    assert isinstance(message, p.Ready)
    assert message.pss > 0
    return message


ENGINE = """
import socket, subprocess, sys, os
ours, theirs = socket.socketpair()
child = subprocess.Popen(
    [sys.executable, "-P", "-m", "etltui.extractors.child",
     str(theirs.fileno()), str(os.getpid()), "1"], pass_fds=[theirs.fileno()])
ours.recv(4)  # it lives
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("stopped", [False, True])
def test_a_child_dies_with_an_engine_that_is_killed(stopped):
    """Also one that cannot run a line of its own any more: the kernel's tie does not need it."""
    with subprocess.Popen(
        [sys.executable, "-c", ENGINE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as engine:
        child = psutil.Process(int(engine.stdout.readline()))
        if stopped:
            child.send_signal(signal.SIGSTOP)
        engine.kill()
        engine.wait()
        died = time.monotonic()
        kit.until_now(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
        assert time.monotonic() - died < AT_MOST_S


def test_a_child_dies_with_its_socket_while_a_query_runs(tmp_path):
    ours, theirs = socket.socketpair()
    world = kit.World(tmp_path, "process")
    with theirs, child_of(os.getpid(), theirs) as child:
        theirs.close()
        with ours:
            assert ready(ours).pid == child.pid
            task = asyncio.run(world.session_task(world.connection()))
            ours.sendall(p.frame(p.Open(id=1, session=1, task=task)))
            while not isinstance(hear(ours), p.Done):
                pass
            extract = world.task(kit.x_query(kit.ENDLESS_THOUGHT))
            ours.sendall(p.frame(p.Extract(id=2, session=1, task=extract)))
            while not hear(ours).progress:
                pass
        closed = time.monotonic()
        assert child.wait(kit.LONG) == 0
        assert time.monotonic() - closed < AT_MOST_S
    # It had a moment to take its unfinished part back.
    assert not world.files()


HUNG = """
import sys, threading
from etltui.extractors import child
# What a driver may start, and what an interpreter would wait for.
threading.Thread(target=threading.Event().wait).start()
child.main(sys.argv[1:])
"""


def test_a_thread_that_never_ends_keeps_no_child():
    ours, theirs = socket.socketpair()
    arguments = [str(theirs.fileno()), str(os.getpid()), "1"]
    with theirs:
        child = subprocess.Popen(
            [sys.executable, "-c", HUNG, *arguments],
            pass_fds=[theirs.fileno()],
        )
    with child, ours:
        assert ready(ours).pid == child.pid
        ours.close()
        try:
            assert child.wait(kit.LONG) == 0
        finally:
            child.kill()


def test_a_child_whose_parent_did_not_start_it_ends_at_once():
    ours, theirs = socket.socketpair()
    with ours, theirs, child_of(os.getppid(), theirs) as child:
        assert child.wait(kit.LONG) == 0
        theirs.close()
        assert hear(ours) is None


def test_a_child_that_does_not_understand_says_so_and_ends():
    ours, theirs = socket.socketpair()
    with ours, theirs, child_of(os.getpid(), theirs, stderr=subprocess.PIPE) as child:
        hear(ours)
        ours.sendall(p.HEAD.pack(p.MAX_MESSAGE + 1))
        assert child.wait(kit.LONG) == 1
        words = child.stderr.read()
        child.stderr.close()
    assert b"longer than" in words


@pytest.fixture
async def world(tmp_path):
    made = kit.World(tmp_path, "process", limit=1)
    made.password = "s3cret-of-the-branch"
    yield made
    await made.close()
    await kit.until(lambda: not kit.children())


@pytest.fixture
async def child(world):
    async with world.session() as session:
        await session.ping()
        yield kit.process_of(session)


async def test_a_child_has_its_group_but_no_session_of_its_own(child):
    assert os.getpgid(child.pid) == child.pid
    assert os.getsid(child.pid) == os.getsid(0)
    assert child.nice() == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 5)


async def test_a_child_ignores_what_a_terminal_sends(child, world):
    os.killpg(child.pid, signal.SIGINT)
    os.killpg(child.pid, signal.SIGHUP)
    async with world.session() as session:
        await session.ping()
        assert kit.process_of(session) == child


async def test_a_password_is_in_no_argument_and_no_variable(child, world):
    told = " ".join([*child.cmdline(), *child.environ().values()])
    assert world.password not in told


def files_of(pid):
    return {int(fd.name): str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}


def flags_of(pid, fd):
    facts = Path(f"/proc/{pid}/fdinfo/{fd}").read_text().split()
    return int(facts[facts.index("flags:") + 1], 8)


def closed_by_exec(pid, fd):
    try:
        return bool(flags_of(pid, fd) & os.O_CLOEXEC)
    except FileNotFoundError:  # closed by now
        return True


async def test_a_child_inherits_nothing_but_its_socket(tmp_path):
    loud = os.open(tmp_path / "inheritable", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(loud, True)  # noqa: FBT003 - the call's own signature
    world = kit.World(tmp_path, "process")
    try:
        await world.supervisor.warm()
        child = kit.process_of(world.supervisor._clients[0])
        files = files_of(child.pid)
        sockets = [fd for fd, name in files.items() if name.startswith("socket:")]
        assert str(tmp_path / "inheritable") not in files.values()
        # What is open besides, for a moment, is a module that it is importing.
        assert {fd for fd in files if not closed_by_exec(child.pid, fd)} == {0, 1, 2}
        assert len(sockets) == 1
        # What it prints goes nowhere; its last words go to the log.
        assert (files[0], files[1], files[2]) == ("/dev/null", "/dev/null", str(world.log))
        assert flags_of(child.pid, sockets[0]) & os.O_CLOEXEC
    finally:
        os.close(loud)
        await world.close()


@pytest.mark.parametrize("before", [None, 0o666])
async def test_the_log_is_for_its_owner_only(tmp_path, before):
    world = kit.World(tmp_path, "process")
    umask = os.umask(0)
    try:
        if before:
            world.log.touch(before)
        await world.supervisor.warm()
    finally:
        os.umask(umask)
    assert stat.S_IMODE(world.log.stat().st_mode) == 0o600
    await world.close()


@pytest.mark.parametrize(("more", "held"), [(0, False), (1, False), (1, True)])
async def test_a_large_log_is_begun_anew(tmp_path, more, held):
    world = kit.World(tmp_path, "process")
    former = world.log.with_name(f"{world.log.name}.1")
    with world.log.open("wb") as file:
        file.truncate(launching.LARGEST_LOG + more)
    if held:
        # What is in the way stops no extractor.
        former.mkdir()
    await world.supervisor.warm()
    moved = more > 0 and not held
    assert former.is_file() == moved
    assert (world.log.stat().st_size == 0) == moved
    await world.close()


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("deed", ["close", "kill"])
async def test_nothing_is_left_open_and_nobody_unburied(tmp_path, deed):
    before = open_files()
    world = kit.World(tmp_path, "process")
    session = await world.supervisor.open(world.connection())
    child = kit.process_of(session)
    if deed == "kill":
        child.kill()
        await kit.until(lambda: not world.supervisor.count)
        # Reaped without anybody asking.
        await kit.until(lambda: not child.is_running())
    await session.close()
    await world.close()
    assert not child.is_running()
    await kit.until(lambda: open_files() == before)


async def test_a_log_that_cannot_be_written_is_a_failure_and_leaks_nothing(tmp_path):
    before = open_files()
    world = kit.World(tmp_path, "process")
    world.log.mkdir()
    with pytest.raises(Failure, match="could not be started") as caught:
        await world.supervisor.open(world.connection())
    assert caught.value.error_class == ErrorClass.DRIVER_CRASH
    assert open_files() == before
    assert not world.supervisor.count


async def test_a_child_that_dies_at_birth_is_a_failure(world, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Failure, match=r"extractor\.log"):
        await world.supervisor.open(world.connection())
    assert world.books() == dict.fromkeys(world.books(), 0)
    # Warming up is a favour that may fail.
    await world.supervisor.warm()
    assert not world.supervisor.count


async def test_n_38_a_machine_on_which_none_starts_is_named_with_its_last_words(
    world, monkeypatch, tmp_path
):
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho \"No module named 'msgspec'\" >&2\nexit 1\n")
    broken.chmod(0o700)
    classes = []
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(broken))
        for _ in range(4):
            with pytest.raises(Failure, match="No module named 'msgspec'") as caught:
                await world.supervisor.open(world.connection())
            classes.append(caught.value.error_class)
    assert classes == [ErrorClass.DRIVER_CRASH] * 2 + [ErrorClass.ENGINE] * 2
    async with world.session() as session:
        await session.ping()
    monkeypatch.setattr(sys, "executable", str(broken))
    assert await failed_start(world) is ErrorClass.DRIVER_CRASH, "one has started since"


async def failed_start(world):
    """The class of the failure to start one more."""
    with pytest.raises(Failure) as caught:
        await world.supervisor._start()
    return caught.value.error_class


def test_the_last_words_of_a_log_are_its_last_line_made_harmless(tmp_path):
    log = tmp_path / "extractor.log"
    assert launching.last_words(log) == ""
    log.write_bytes(b"x" * 9000 + b"\nTraceback\nMemoryError: \x1b[31mno room\xff\n\n")
    assert (
        launching.last_words(log)
        == "MemoryError: \N{SYMBOL FOR ESCAPE}[31mno room\N{REPLACEMENT CHARACTER}"
    )


async def test_a_child_that_never_says_a_word_is_killed(world, monkeypatch, tmp_path):
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o700)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(sleeper))
        patch.setattr(supervising, "START_TIMEOUT_S", 0.2)
        with pytest.raises(Failure, match="did not answer within"):
            await world.supervisor.open(world.connection())
        assert not world.supervisor.count
    await kit.until(lambda: not psutil.Process().children())
    async with world.session() as session:
        await session.ping()


async def test_nothing_starts_after_closing(world):
    await world.close()
    with pytest.raises(Failure, match="closing"):
        await world.supervisor.open(world.connection())


def test_killing_waits_for_nobody_and_strikes_once():
    class Process:
        """A process whose disk hangs: the kernel lets nobody end it."""

        pid = 4711

        def __init__(self):
            self.kills, self.free = 0, threading.Event()

        def kill(self):
            self.kills += 1

        def wait(self):
            self.free.wait(kit.LONG)

    process = Process()
    body = launching._Process(process)
    body.kill()
    body.kill()
    assert process.kills == 1
    assert not body.join(0.01)
    process.free.set()
    assert body.join(kit.LONG)


LOADED = """
import sys
before = set(sys.modules)  # whoever measures us may have loaded some
import socket, threading
from etltui.domain.task import ExtractTask, QueryTask, SessionTask, WriterTask
from etltui.domain.columns import Column
from etltui.extractors import child, protocol as p

def loaded(*names):
    return [name for name in names if name in sys.modules.keys() - before]

never = ("textual", "starlette", "asyncio", "sqlalchemy", "sqlglot", "aiosqlite", "openpyxl",
         "etltui.engine.engine", "etltui.config.load", "etltui.cli.main", "etltui.writers.excel")
late = ("etltui.readers.sqlite", "sqlite3", "adbc_driver_manager", "etltui.writers.csv", "isal")
assert not loaded(*never, *late), loaded(*never, *late)

ours, theirs = socket.socketpair()
serving = threading.Thread(target=child.serve, args=(theirs, 1))
serving.start()

def hear():
    while True:
        length = p.body_length(ours.recv(4, socket.MSG_WAITALL))
        if not isinstance(heard := p.up(ours.recv(length, socket.MSG_WAITALL)), p.Ready | p.Beat):
            return heard

session = SessionTask(connection="A", kind="sqlite", host="", port=0, database=sys.argv[1],
                      user="", password="")
ours.sendall(p.frame(p.Open(id=1, session=1, task=session)))
assert isinstance(hear(), p.Done)
query = QueryTask(name="q", sql="SELECT id FROM sales", columns=(Column(name="id"),))
writer = WriterTask(destination=0, type="csv", folder=sys.argv[2], options={})
task = ExtractTask(run="r", connection="A", number=1, attempt=1, queries=(query,),
                   writers=(writer,), plan_hash="", connection_hash="")
ours.sendall(p.frame(p.Extract(id=2, session=1, task=task)))
assert hear().extracted.rows == 10
ours.close()
serving.join()
theirs.close()
assert loaded("etltui.readers.sqlite", "etltui.writers.csv")
assert not loaded(*never), loaded(*never)
"""


def test_a_child_imports_what_it_needs_and_only_when_it_does(tmp_path):
    database = kit.make_db(tmp_path / "a.db")
    command = [sys.executable, "-c", LOADED, str(database), str(tmp_path)]
    subprocess.run(command, check=True, timeout=kit.LONG)


async def test_memory_is_told(world):
    await world.supervisor.warm()
    await kit.until(lambda: world.supervisor.pss > 1_000_000)

"""The extractor itself, over a socket whose other end the test holds."""

import errno
import socket
import threading

import msgspec
import pytest

import extractor_kit as kit
from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import ExtractTask, QueryTask, SessionTask, WriterTask
from etltui.extractors import child
from etltui.extractors import protocol as p
from etltui.extractors.child import Extractor
from etltui.extractors.session import Request, Session
from etltui.readers import registry as readers
from etltui.writers import registry as writers


class Line:
    """An extractor in a thread, and what is said to and by it."""

    def __init__(self):
        self.sock, theirs = socket.socketpair()
        self.sock.settimeout(kit.LONG)
        self.extractor = Extractor(theirs, cores=1, isolated=False)
        self.error = None
        self.thread = threading.Thread(target=self.run, args=(theirs,), name="serve")
        self.thread.start()
        assert isinstance(self.hear(), p.Ready)

    def run(self, theirs):
        with theirs:
            try:
                self.extractor.serve()
            except (ValueError, msgspec.DecodeError) as error:
                self.error = error

    def say(self, *messages):
        for message in messages:
            self.sock.sendall(p.frame(message))

    def hear(self):
        head = self.sock.recv(p.HEAD.size, socket.MSG_WAITALL)
        if not head:
            return None
        return p.up(self.sock.recv(p.body_length(head), socket.MSG_WAITALL))

    def answer(self, *messages):
        """Say it and wait for the answer, beats aside."""
        self.say(*messages)
        while isinstance(heard := self.hear(), p.Beat):
            pass
        return heard

    def open(self, session=1, **script):
        kit.SCRIPTS[str(session)] = reader = kit.ScriptedReader(**script)
        self.answer(self.opening(session))
        return reader

    def opening(self, session=1, number=1000):
        task = SessionTask(
            connection="A",
            kind="scripted",
            host="",
            port=0,
            database=str(session),
            user="",
            password="",
        )
        return p.Open(id=number + session, session=session, task=task)

    def end(self):
        self.sock.close()
        self.thread.join(kit.LONG)


@pytest.fixture
def line(monkeypatch):
    monkeypatch.setitem(readers._READERS, "scripted", "extractor_kit")
    monkeypatch.setitem(writers._WRITERS, "scripted", "extractor_kit")
    made = Line()
    yield made
    made.end()
    kit.SCRIPTS.clear()
    kit.WRITERS.clear()
    kit.until_now(lambda: not kit.extractor_threads())


def extracting(number=1, session=1, **changes):
    task = ExtractTask(
        run="r",
        connection="A",
        number=1,
        attempt=1,
        queries=(QueryTask(name="x", sql="", columns=kit.X),),
        writers=(WriterTask(destination=0, type="scripted", folder="", options={}),),
        plan_hash="",
        connection_hash="",
        **changes,
    )
    return p.Extract(id=number, session=session, task=task)


def raising(error):
    def act(_):
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "wanted", "text"),
    [
        (Failure(ErrorClass.LOGIN, "no"), ErrorClass.LOGIN, "no"),
        (MemoryError(), ErrorClass.MEMORY, "ran out of memory"),
        (ValueError("two\nlines"), ErrorClass.INTERNAL, "ValueError: two lines"),
        (SystemExit(3), ErrorClass.INTERNAL, "SystemExit: 3"),
        (
            Failure(ErrorClass.NO_DATABASE, "no \udce9", {"path": "\udce9"}),
            ErrorClass.NO_DATABASE,
            r"no \udce9",
        ),
    ],
)
def test_whatever_is_raised_is_answered_and_the_session_lives_on(line, error, wanted, text):
    reader = line.open(ping=raising(error))
    failed = line.answer(p.Ping(id=1, session=1))
    assert (failed.error_class, failed.late) == (wanted, False)
    assert text in failed.message
    reader.script.clear()
    assert line.answer(p.Ping(id=2, session=1)) == p.Done(id=2)


def test_an_answer_that_cannot_be_sent_is_a_failure(line):
    line.open(describe=lambda _: (Column(name="\udce9"),))
    query = QueryTask(name="x", sql="")
    failed = line.answer(p.Describe(id=1, session=1, queries=(query,)))
    assert failed.error_class == ErrorClass.INTERNAL
    assert line.answer(p.Ping(id=2, session=1)) == p.Done(id=2)


def test_a_session_that_is_not_there_or_not_open(line):
    assert "no such session" in line.answer(p.Ping(id=1, session=5)).message
    kit.SCRIPTS["1"] = raising(Failure(ErrorClass.LOGIN, "no"))
    kit.SCRIPTS["1"] = lambda: raising(Failure(ErrorClass.LOGIN, "no"))(None)
    assert line.answer(line.opening()).error_class == ErrorClass.LOGIN
    assert "not open" in line.answer(p.Ping(id=2, session=1)).message
    assert line.answer(p.Close(id=3, session=1)) == p.Done(id=3)
    assert "no such session" in line.answer(p.Close(id=4, session=1)).message


def test_no_thread_left_fails_the_request_only(line):
    reader = line.open()
    spawn = line.extractor._spawn
    line.extractor._spawn = lambda *_: raising(RuntimeError("can't start new thread"))(None)
    assert "start new thread" in line.answer(line.opening(2)).message
    verify = p.Verify(id=9, folder="", receipts=())
    assert "start new thread" in line.answer(verify).message
    line.extractor._spawn = spawn
    assert line.answer(p.Ping(id=1, session=1)) == p.Done(id=1)
    assert reader.calls == ["ping"]


def test_calls_of_a_session_come_one_after_the_other_from_one_thread(line):
    threads = set()
    reader = line.open(ping=lambda _: threads.add(threading.current_thread()))
    line.say(*(p.Ping(id=n, session=1) for n in range(2, 30)))
    assert [line.answer().id for _ in range(2, 30)] == list(range(2, 30))
    assert line.answer(p.Close(id=99, session=1)) == p.Done(id=99)
    assert len(threads) == 1
    assert reader.closed.is_set()


def test_a_cancel_in_time_ends_the_request_and_touches_no_driver(line):
    go, started = threading.Event(), threading.Event()
    reader = line.open(ping=lambda _: (started.set(), go.wait(kit.LONG)))
    line.say(p.Ping(id=1, session=1), p.Ping(id=2, session=1))
    assert started.wait(kit.LONG)
    kit.until_now(lambda: 2 in line.extractor._requests)
    line.say(p.Cancel(id=2), p.Cancel(id=777))
    kit.until_now(lambda: line.extractor._requests[2].watch.cancelled)
    go.set()
    assert line.answer() == p.Done(id=1)
    assert line.answer().error_class == ErrorClass.CANCELLED
    assert reader.calls == ["ping"]


def test_a_cancelled_result_is_cancelled_whatever_the_driver_says(line):
    reader = line.open(ping=lambda reader: reader.cancelled.wait(kit.LONG))
    line.say(p.Ping(id=1, session=1))
    kit.until_now(lambda: reader.calls == ["ping"])
    assert line.answer(p.Cancel(id=1)).error_class == ErrorClass.CANCELLED


def test_an_error_that_a_cancel_brings_about_is_cancelled_too(line):
    def fail(reader):
        reader.cancelled.wait(kit.LONG)
        raise Failure(ErrorClass.LOST, "interrupted")

    reader = line.open(ping=fail)
    line.say(p.Ping(id=1, session=1))
    kit.until_now(lambda: reader.calls == ["ping"])
    assert line.answer(p.Cancel(id=1)).error_class == ErrorClass.CANCELLED


def test_a_writer_that_fails_wakes_a_source_that_is_silent(line):
    def rows(reader):
        yield kit.batch(1)
        reader.cancelled.wait(kit.LONG)
        raise ValueError("interrupted")

    reader = line.open(read=rows)
    kit.WRITERS[:] = [kit.ScriptedWriter(write=raising(Failure(ErrorClass.DISK, "full")))]
    assert line.answer(extracting()).error_class == ErrorClass.DISK
    assert reader.cancelled.is_set()


def test_a_time_limit_wakes_the_driver_and_its_verdict_counts(line):
    def rows(reader):
        reader.cancelled.wait(kit.LONG)
        raise ValueError("interrupted")
        yield

    line.open(read=rows)
    kit.WRITERS[:] = [kit.ScriptedWriter()]
    failed = line.answer(extracting(query_timeout_s=0.05))
    assert (failed.error_class, failed.late) == (ErrorClass.TIMEOUT, False)


def test_opening_a_query_counts_against_its_time(line):
    line.open(read=lambda reader: (reader.cancelled.wait(kit.LONG), raising(ValueError())(0)))
    kit.WRITERS[:] = [kit.ScriptedWriter()]
    assert line.answer(extracting(query_timeout_s=0.05)).error_class == ErrorClass.TIMEOUT


def test_a_driver_that_ignores_its_time_limit_is_answered_for_once(line):
    go = threading.Event()
    line.open(read=lambda _: (go.wait(kit.LONG), iter(()))[1])
    kit.WRITERS[:] = [kit.ScriptedWriter()]
    failed = line.answer(extracting(query_timeout_s=0.05))
    assert (failed.error_class, failed.late) == (ErrorClass.TIMEOUT, True)
    go.set()
    # Not a second time.
    assert line.answer(p.Ping(id=2, session=1)) == p.Done(id=2)


def test_the_last_progress_comes_before_the_answer_and_tells_all_rows(line):
    line.open(read=lambda _: iter([kit.batch(*range(7))]))
    kit.WRITERS[:] = [kit.ScriptedWriter()]
    line.say(extracting())
    heard = []
    while not isinstance(message := line.hear(), p.Done):
        heard += [progress.rows for progress in message.progress]
    assert heard[-1] == 7 == message.extracted.rows


def test_the_end_of_the_line_cancels_closes_and_ends_all_threads(line):
    waiting = line.open(1, ping=lambda reader: reader.cancelled.wait(kit.LONG))
    idle = line.open(2)
    line.say(p.Ping(id=1, session=1))
    kit.until_now(lambda: waiting.calls == ["ping"])
    line.end()
    assert waiting.closed.is_set()
    assert idle.closed.is_set()
    assert not [t for t in kit.extractor_threads() if t.name != "interrupt"]


def test_quit_ends_it_and_nothing_after_it_is_taken(line):
    line.sock.sendall(p.frame(p.Quit()) + p.frame(line.opening()))
    line.thread.join(kit.LONG)
    assert not line.extractor._sessions
    assert line.extractor._take(p.Quit()) is None


@pytest.mark.parametrize(
    ("noise", "error"),
    [(p.HEAD.pack(p.MAX_MESSAGE + 1), ValueError), (p.HEAD.pack(1) + b"x", msgspec.DecodeError)],
)
def test_who_does_not_speak_the_protocol_is_not_listened_to(line, noise, error):
    reader = line.open()
    line.sock.sendall(noise)
    line.thread.join(kit.LONG)
    assert isinstance(line.error, error)
    assert reader.closed.is_set()


def test_half_a_message_is_the_end(line):
    line.sock.sendall(p.HEAD.pack(100) + b"half")
    line.end()
    assert line.error is None


def test_a_line_that_breaks_is_the_end():
    class Broken:
        def recv(self, _):
            raise OSError(errno.ECONNRESET, "reset")

        def sendall(self, _):
            raise OSError(errno.EPIPE, "broken")

    Extractor(Broken(), cores=1, isolated=False).serve()


def test_a_system_that_does_not_tell_weights():
    class Process:
        def memory_full_info(self):
            raise child.psutil.AccessDenied

    assert child._weight(Process()) == 0
    assert child._weight(child.psutil.Process()) > 0


class TestSession:
    def test_a_cancel_is_for_one_request_only(self):
        session, one, two = Session(), Request(id=1), Request(id=2)
        session.reader = reader = kit.ScriptedReader()
        for current, hits in ((None, 0), (two, 0), (one, 1)):
            session.begin(current)
            session._interrupt(one)
            assert reader.calls.count("cancel") == hits
        session.reader = None
        session._interrupt(one)

    def test_a_reader_is_not_closed_under_a_cancel(self):
        session, request, go = Session(), Request(id=1), threading.Event()
        session.reader = reader = kit.ScriptedReader(**{"on cancel": lambda _: go.wait(kit.LONG)})
        session.begin(request)
        session.interrupt(request)
        assert reader.cancelled.wait(kit.LONG)
        closing = threading.Thread(target=session.close)
        closing.start()
        assert not reader.closed.wait(0.1)
        go.set()
        closing.join(kit.LONG)
        assert reader.closed.is_set()
        session.close()
        assert reader.calls.count("close") == 1

"""The first use: a demo, or questions whose answers become the first configuration."""

import asyncio
import sqlite3
import tomllib
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest

import console_world as cw
from etltui.config.load import load, unwritten
from etltui.console.first import FirstApp, Means, drafted
from etltui.console.look import CurrentLook
from etltui.console.model.first import CONNECTING, READING, asked, refusal, tables
from etltui.domain import inquiry
from etltui.domain.errors import ConfigError, ErrorClass, Mistake, Trouble

BY_ID = {each.id: each for each in (*CONNECTING, *READING)}
SQLITE = {"kind": "sqlite", "file": "sales.db", "connection": "sales"}
SERVER = {
    "kind": "postgresql",
    "host": "10.0.0.5:5433",
    "database": "sales north",
    "tls": "verify-full",
    "user": "reader",
    "password": "env:PG",
    "connection": "north",
}
JOB = {"query": "SELECT 1", "target": "out/{job}.csv", "job": "first_job"}


@pytest.mark.parametrize(
    "answers",
    [
        SQLITE,
        SERVER,
        {**SERVER, "password": ""},
        {**SERVER, "kind": "mysql"},
        {**SERVER, "kind": "mssql"},
    ],
)
def test_what_is_answered_is_a_configuration(answers, tmp_path):
    import tomli_w

    path = tmp_path / "etltui.toml"
    path.write_text(tomli_w.dumps(tables({**answers, **JOB})), "utf-8")
    config = load(path, environ={})
    [connection] = config.connections
    assert (connection.name, connection.kind) == (answers["connection"], answers["kind"])
    assert config.jobs["first_job"].destinations[0].type == "csv"
    if answers is SQLITE:
        assert connection.database == str(tmp_path / "sales.db")
    else:
        assert (connection.host, connection.port) == ("10.0.0.5", 5433)
        assert connection.database == "sales north"


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        ("kind", "oracle", "no kind of database"),
        ("kind", "sqlite", ""),
        ("file", "nothing.db", "there is no file"),
        ("file", r"C:\sales.db", "Windows path"),
        ("file", "sales.db", ""),
        ("host", "", "empty"),
        ("host", "10.0.0.5", ""),
        ("database", " ", "empty"),
        ("database", "one/two", "one database"),
        ("tls", "requires", '"require"'),
        ("tls", "disable", ""),
        ("user", "", "Type it"),
        ("password", "s3cret", "password in plain sight"),
        ("password", "env:PG", ""),
        ("password", "", ""),
        ("connection", "/", "cannot be a name"),
        ("query", "", "empty"),
        ("target", "out.doc", "Let it end in"),
        ("target", "out/{nosuch}.csv", "nosuch"),
        ("target", "out/{job}.csv.gz", ""),
    ],
)
def test_a_wrong_answer_is_refused_with_what_to_write(question, text, said, tmp_path):
    (tmp_path / "sales.db").touch()
    found = refusal(BY_ID[question], text, tmp_path)
    assert said in found
    assert bool(found) is bool(said)
    assert "s3cret" not in found


def test_a_server_without_tls_can_be_read_where_the_operator_says_so(tmp_path):
    assert "sslmode" not in tables(SERVER)["connections"]["north"]["url"]
    url = tables({**SERVER, "tls": "disable"})["connections"]["north"]["url"]
    assert url == "postgresql://10.0.0.5:5433/sales%20north?sslmode=disable"
    assert drafted(tmp_path / "etltui.toml", tables({**SERVER, **JOB, "tls": "require"})).jobs


def test_a_file_is_asked_no_user_and_a_server_no_file():
    assert [each.id for each in asked(CONNECTING, {"kind": "sqlite"})] == [
        "kind",
        "file",
        "connection",
    ]
    assert "file" not in [each.id for each in asked(CONNECTING, {"kind": "postgresql"})]


class First:
    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot

    @property
    def text(self):
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self):
        for _ in range(3):
            await self.pilot.pause()

    async def asked(self, label):
        """Wait for a question: what comes before it may be done in a thread."""
        while not self.app.prompt.open or self.app.prompt._question != f"{label}: ":
            await self.pilot.pause()

    async def answer(self, label, text):
        await self.asked(label)
        self.app.prompt._typing.value = text
        await self.press("enter")


@asynccontextmanager
async def first_use(folder, *, demo=None, test=None, size=cw.SMALL):
    async def answers(config):
        return inquiry.Tested(connection=config.connections[0].name, milliseconds=1.5)

    config = await asyncio.to_thread(partial(unwritten, folder / "none.toml", environ={}))
    look = await asyncio.to_thread(
        partial(CurrentLook, config.console, cw.TRUECOLOR, config=config.path)
    )
    means = Means(
        place=folder / "etltui.toml", demo=demo or (lambda: Path("x")), test=test or answers
    )
    app = FirstApp(look, means)
    async with app.run_test(size=size) as pilot:
        first = First(app, pilot)
        await first.settle()
        yield first


@pytest.mark.parametrize("size", [cw.SMALL, cw.LARGE])
async def test_says_what_can_be_done_and_leaves(tmp_path, size):
    async with first_use(tmp_path, size=size) as first:
        assert "d   make a demo" in first.text
        assert "n   connect a database of your own" in first.text
        await first.press("q")
    assert first.app.path is None


async def test_the_demo_is_made_and_opened(tmp_path):
    async with first_use(tmp_path, demo=lambda: tmp_path / "demo" / "config.toml") as first:
        await first.press("d")
        await first.app.workers.wait_for_complete()
    assert first.app.path == tmp_path / "demo" / "config.toml"


async def test_a_demo_that_cannot_be_made_says_why(tmp_path):
    def refused():
        raise ConfigError([Mistake(where="x", key="--dir", problem="x holds no demo")])

    async with first_use(tmp_path, demo=refused) as first:
        await first.press("d")
        await first.app.workers.wait_for_complete()
        await first.settle()
        assert "x holds no demo" in first.text
        await first.press("q")
    assert first.app.path is None


def a_database(path):
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE sales (id INTEGER)")


async def test_questions_end_in_a_configuration_that_works(tmp_path):
    """A wrong answer is asked again, the connection is tested, the file is its owner's alone."""
    await asyncio.to_thread(a_database, tmp_path / "sales.db")
    async with first_use(tmp_path) as first:
        await first.press("n")
        await first.answer("kind of database", "sqlite")
        await first.answer("file", "nosuch.db")
        await first.asked("file")
        assert "there is no file" in first.text
        await first.answer("file", "sales.db")
        await first.asked("call it")
        await first.press("escape")
        await first.answer("file", "sales.db")
        await first.answer("call it", "branch_001")
        await first.asked("query")
        assert "it answers in 1.5 ms" in first.text
        await first.answer("query", "SELECT * FROM sales")
        await first.answer("write to", "out/{job}.csv")
        await first.answer("job", "nightly")
        await first.app.workers.wait_for_complete()
    assert first.app.path == tmp_path / "etltui.toml"
    assert first.app.path.stat().st_mode & 0o777 == 0o600
    said = tomllib.loads(first.app.path.read_text("utf-8"))
    assert said["jobs"]["nightly"]["destinations"] == [{"type": "csv", "path": "out/{job}.csv"}]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["etltui.toml", "sales.db"]


async def test_a_database_that_does_not_answer_is_said_with_what_to_try(tmp_path):
    async def nobody(config):
        trouble = Trouble(error_class=ErrorClass.UNREACHABLE, message="no route to 10.0.0.5")
        return inquiry.Tested(connection=config.connections[0].name, trouble=trouble)

    async with first_use(tmp_path, test=nobody) as first:
        await first.press("n")
        for question in ("kind", "host", "database", "tls", "user", "password", "connection"):
            await first.answer(BY_ID[question].label, SERVER[question])
        while not first.app.prompt.open:
            await first.pilot.pause()
        assert "no route to 10.0.0.5" in first.text
        assert "The branch's line or VPN is down" in " ".join(first.text.split())
        await first.press("n", "enter")
        await first.asked("kind of database")
        await first.settle()
        assert first.app.focused is first.app.prompt._typing
        await first.press("escape")
        await first.press("q")
    assert not (tmp_path / "etltui.toml").exists()


async def test_a_password_that_is_typed_is_neither_said_nor_offered_again(tmp_path):
    async with first_use(tmp_path) as first:
        await first.press("n")
        for question in ("kind", "host", "database", "tls", "user"):
            await first.answer(BY_ID[question].label, SERVER[question])
        await first.answer("password from", "s3cret-w0rd")
        await first.asked("password from")
        assert "password in plain sight" in first.text
        await first.press("up")
        assert "s3cret" not in first.text
        await first.press("escape", "escape", "escape", "escape", "escape", "escape", "q")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"etltui\.toml") as caught:
        drafted(tmp_path / "file" / "etltui.toml", tables({**SQLITE, **JOB}))
    assert "cannot be written" in str(caught.value)


async def test_a_file_that_has_appeared_meanwhile_is_not_written_over(tmp_path):
    await asyncio.to_thread(a_database, tmp_path / "sales.db")
    async with first_use(tmp_path) as first:
        await first.press("n", "n")
        for question in ("kind", "file", "connection"):
            await first.answer(BY_ID[question].label, SQLITE[question])
        await first.asked("query")
        await asyncio.to_thread((tmp_path / "etltui.toml").write_text, "mine")
        for question in ("query", "target", "job"):
            await first.answer(BY_ID[question].label, JOB[question])
        await first.asked("query")
        await first.settle()
        assert "is there already" in " ".join(first.text.split())
    assert (tmp_path / "etltui.toml").read_text() == "mine"

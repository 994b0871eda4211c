"""The console in a browser: who gets in, what each tab is, and how it all ends."""

import asyncio
import http.client
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import psutil
import pyte
import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import end, etltui, locked, serving, start
from functional.console.browser_kit import LIMIT_S, browser, chromium
from functional.console.terminal_kit import until_gone

BRANCHES = 6
ADDRESSES = ("/", "/ws", "/static/js/textual.js", "/static/", "/download/x", "/nowhere")

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=50))
    return made


class Web:
    """A server at work."""

    def __init__(self, process) -> None:
        self.process = process
        self.link = process.stdout.readline().strip()
        self.port = int(re.match(r"http://127\.0\.0\.1:(\d+)/\?token=", self.link)[1])
        self.token = self.link.partition("token=")[2]
        self.cookie = ""

    def ask(self, address: str, **headers: str) -> tuple[int, http.client.HTTPMessage]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        line.request("GET", address, headers={"Cookie": self.cookie, **headers})
        answer = line.getresponse()
        line.close()
        return answer.status, answer.headers

    def login(self) -> None:
        status, headers = self.ask(f"/?token={self.token}")
        assert status == 303
        assert headers["Location"] == "/"
        self.cookie = headers["Set-Cookie"].partition(";")[0]

    def consoles(self) -> list[psutil.Process]:
        """The processes of tabs: what keeps the place and what draws, of each."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        return [each for each in found if "console" in _words(each)]


def _words(process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


@contextmanager
def site(folder, *arguments) -> Iterator[Web]:
    process = start("web", "--port", 0, "--config", folder / "config.toml", *arguments)
    try:
        yield Web(process)
    finally:
        if process.poll() is None:
            process.terminate()
        end(process)


@contextmanager
def _socket(web, **headers):
    """The answer to the wish for a WebSocket."""
    said = {
        "Host": f"127.0.0.1:{web.port}",
        "Origin": f"http://127.0.0.1:{web.port}",
        "Cookie": web.cookie,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **headers,
    }
    lines = ["GET /ws?width=80&height=24 HTTP/1.1", *(f"{k}: {v}" for k, v in said.items())]
    with socket.create_connection(("127.0.0.1", web.port), timeout=LIMIT_S) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        yield int(line.recv(4096).split()[1])


def test_who_has_neither_token_nor_cookie_gets_nothing(folder):
    with site(folder) as web:
        assert [web.ask(address)[0] for address in ADDRESSES] == [403] * len(ADDRESSES)
        assert web.ask("/?token=" + web.token[:-1])[0] == 403
        web.cookie = f"etltui_{web.port}={web.token}"
        assert web.ask("/")[0] == 403
        with _socket(web) as status:
            assert status == 403
        web.cookie = ""
        assert web.ask(f"//evil.example/?token={web.token}")[1]["Location"] == "/"
        web.login()
        assert "HttpOnly" in web.ask(f"/?token={web.token}")[1]["Set-Cookie"]
        assert [web.ask(address)[0] for address in ADDRESSES] == [200, 403, 200, 403, 404, 404]
        assert "default-src 'none'" in web.ask("/")[1]["Content-Security-Policy"]
        assert web.ask("/", Host="evil.example")[0] == 403
        assert web.ask("/", Origin="http://evil.example")[0] == 403
        for wrong in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": ""}):
            with _socket(web, **wrong) as status:
                assert status == 403
        assert web.consoles() == []
        with _socket(web, Host="localhost:9", Origin="http://localhost:9") as status:
            assert status == 101


class Tab:
    """A console over a WebSocket, and what it shows."""

    def __init__(self, line) -> None:
        self._line = line
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)

    async def until(self, word: str) -> str:
        async with asyncio.timeout(LIMIT_S):
            while not re.search(word, text := "\n".join(self._screen.display)):
                message = await self._line.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, text
                self._stream.feed(message.data)
        return text

    async def type(self, keys: str) -> None:
        await self._line.send_json(["stdin", keys])

    async def ended(self) -> None:
        async with asyncio.timeout(LIMIT_S):
            while (await self._line.receive()).type is aiohttp.WSMsgType.BINARY:
                pass


@contextmanager
def _loop():
    with asyncio.Runner() as runner:
        yield runner.run


def tabs(web, work, count=1):
    """Do some work with tabs that are open."""
    web.login()

    async def opened():
        here = f"http://127.0.0.1:{web.port}"
        headers = {"Cookie": web.cookie, "Origin": here}
        async with aiohttp.ClientSession(headers=headers) as session:
            lines = [await session.ws_connect(f"{here}/ws") for _ in range(count)]
            await work(*map(Tab, lines))
            for line in lines:
                await line.close()

    with _loop() as run:
        run(opened())


def test_no_secret_is_told_to_a_tabs_process(folder):
    async def look(tab):
        await tab.until("CONNECTION")
        assert len(web.consoles()) == 2
        for each in (*web.consoles(), psutil.Process(web.process.pid)):
            told = " ".join([*each.cmdline(), *each.environ().values()])
            assert web.token not in told
            assert web.cookie.partition("=")[2] not in told

    with site(folder) as web:
        tabs(web, look)


def test_a_closed_tab_ends_its_console_and_q_closes_the_tab(folder):
    drawing = []

    async def quit_one(one, other):
        await one.until("CONNECTION")
        await other.until("CONNECTION")
        drawing.extend(each.pid for each in web.consoles())
        await one.type("q")
        await one.ended()
        await other.type("2")
        await other.until("gst_sales|GST sales")

    with site(folder) as web:
        tabs(web, quit_one, count=2)
        assert len(drawing) == 4
        for pid in drawing:
            until_gone(pid)
        assert web.process.poll() is None


def test_what_no_page_says_ends_no_tab(folder):
    async def say(tab):
        await tab.until("CONNECTION")
        for each in ("{", "[]", "5", '["resize", {"width": 1e999}]', '["stdin"]', '["x", 1]'):
            await tab._line.send_str(each)
        await tab._line.send_json(["ping", "now"])
        async with asyncio.timeout(LIMIT_S):
            while (message := await tab._line.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
        assert message.json() == ["pong", "now"]
        await tab.type("2")
        await tab.until("GST sales")

    with site(folder) as web:
        tabs(web, say)


def test_of_a_console_that_only_shows_nothing_is_started(folder):
    async def look(tab):
        await tab.until("CONNECTION")
        await tab.type("2")
        await tab.until("GST sales")
        await tab.type("r")
        await tab.until("this console only shows")

    with site(folder, "--read-only") as web:
        tabs(web, look)
    assert etltui("runs", "--json", "--config", folder / "config.toml").events == []


def test_an_engine_that_serves_is_shown_and_survives(folder):
    async def look(tab):
        await tab.until("CONNECTION")

    with serving(folder) as engine, site(folder) as web:
        tabs(web, look)
        web.process.send_signal(signal.SIGTERM)
        ended = end(web.process)
        assert ended.code == 0
        assert "holds" in ended.err
        assert engine.poll() is None


def test_its_own_engine_takes_over_when_somebody_elses_has_ended(folder):
    with serving(folder) as engine, site(folder) as web:
        engine.terminate()
        for line in web.process.stderr:
            if "serving" in line:
                break
        assert etltui("run", "gst_sales", "--config", folder / "config.toml").code == 0
        assert f"process {web.process.pid}" in line


def test_term_ends_tabs_and_stops_what_runs_resumably(folder):
    path = folder / "config.toml"
    path.write_text(path.read_text().replace("[settings]", "[settings]\nshutdown_timeout_s = 1"))

    async def stop(tab):
        await tab.until("CONNECTION")
        assert etltui("run", "gst_sales", "--no-wait", "--config", path).code == 0
        await tab.until("5 completed")
        web.process.send_signal(signal.SIGTERM)
        await tab.ended()

    with site(folder) as web, locked(folder, 2):
        tabs(web, stop)
        assert end(web.process).code == 0
    (run,) = etltui("runs", "--json", "--config", path).events
    assert run["status"] == "stopped"


def test_two_tabs_of_a_browser_show_the_same_run(folder, tmp_path):
    chromium()
    with site(folder) as web, browser(tmp_path) as one:
        first = one.here()
        one.open(web.link)
        assert one.address() == f"http://127.0.0.1:{web.port}/"
        one.wait_for("CONNECTION")
        second = one.tab()
        one.open(f"http://127.0.0.1:{web.port}/")
        one.wait_for("CONNECTION")
        with locked(folder, 2):
            started = etltui("run", "gst_sales", "--no-wait", "--config", folder / "config.toml")
            assert started.code == 0
            seen = {}
            for tab in (first, second):
                one.to(tab)
                lines = one.wait_for("5 completed")
                seen[tab] = next(line for line in lines if "GST sales" in line)
                assert one.run("return document.querySelectorAll('.xterm-screen canvas').length")
        assert len(web.consoles()) == 4
        for tab in (first, second):
            one.to(tab)
            one.wait_for("6 completed|completed +6|6/6")
        one.type("2")
        one.wait_for("LAST RUN")
        one.to(first)
        assert not any("LAST RUN" in line for line in one.shown())
        one.type("q")
        one.wait_until("return document.body.classList.contains('-closed')")
        one.shut()
        one.to(second)
        assert one.wait_for("LAST RUN")


def test_a_browser_without_the_link_gets_no_console(folder, tmp_path):
    chromium()
    with site(folder) as web, browser(tmp_path) as one:
        one.open(f"http://127.0.0.1:{web.port}/")
        assert "etltui web" in one.run("return document.body.innerText")
        assert web.consoles() == []


def test_where_nothing_can_listen_it_says_so(folder):
    ended = etltui("web", "--host", "0.0.0.0", "--config", folder / "config.toml")
    assert ended.code == 2
    assert "ssh -L" in ended.err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = etltui("web", "--port", port, "--config", folder / "config.toml")
    assert ended.code == 2
    assert f"{port} is taken" in ended.err


def test_without_its_packages_it_says_how_to_get_them(folder, tmp_path):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda n, p=None: None if n == 'textual_serve' else found(n, p)\n"
    )
    path = os.pathsep.join(filter(None, [str(hidden), os.environ.get("PYTHONPATH")]))
    ended = etltui("web", "--config", folder / "config.toml", PYTHONPATH=path)
    assert ended.code == 2
    assert "needs textual-serve: pip install 'etltui[web]'" in ended.err

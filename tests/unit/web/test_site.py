"""The site over a plain command: how many tabs there may be, and how they end with it."""

import asyncio
import socket
from contextlib import asynccontextmanager

import aiohttp
import psutil

from etltui.web import site as site_module
from etltui.web.gate import new_keys
from etltui.web.site import Site, served

LIMIT_S = 30
"""A safety net: what does not come in this time does not come at all."""


@asynccontextmanager
async def open_site(folder, *command):
    """The site, and a browser that has the cookie."""
    with socket.create_server(("127.0.0.1", 0)) as line:
        keys = new_keys(line.getsockname()[1])
        made = Site(static=folder, command=command, title="a <title>", keys=keys)
        here = f"http://127.0.0.1:{line.getsockname()[1]}"
        jar = aiohttp.CookieJar(unsafe=True)
        headers = {"Origin": here}
        # The site ends before the browser: what it leaves open is not closed by that one.
        async with (
            aiohttp.ClientSession(here, cookie_jar=jar, headers=headers) as browser,
            served(made, line),
            browser.get(f"/?token={keys.token}") as answer,
        ):
            assert answer.status == 200
            assert str(answer.url) == f"{here}/"
            assert "a &lt;title&gt;" in await answer.text()
            yield browser


async def hear(tab, word):
    seen = b""
    async with asyncio.timeout(LIMIT_S):
        while word not in seen:
            message = await tab.receive()
            assert message.type is aiohttp.WSMsgType.BINARY, seen
            seen += message.data


async def test_a_tab_has_the_size_that_its_page_says(tmp_path):
    async with open_site(tmp_path, "sh", "-c", "stty size; read go") as browser:
        async with browser.ws_connect("/ws?width=101&height=33") as tab:
            await hear(tab, b"33 101")
        async with browser.ws_connect("/ws?width=NaN&height=-1") as tab:
            await hear(tab, b"24 80")


async def test_there_are_only_so_many_tabs_and_one_that_ends_makes_room(tmp_path, monkeypatch):
    monkeypatch.setattr(site_module, "MOST_TABS", 1)
    async with open_site(tmp_path, "sh", "-c", "echo ready; read go") as browser:
        async with browser.ws_connect("/ws") as tab:
            await hear(tab, b"ready")
            async with browser.get("/ws") as refused:
                assert refused.status == 503
                assert "close one first" in await refused.text()
            await tab.send_json(["stdin", "go\n"])
            async with asyncio.timeout(LIMIT_S):
                while (await tab.receive()).type is not aiohttp.WSMsgType.CLOSE:
                    pass
        async with asyncio.timeout(LIMIT_S):
            while not await has_room(browser):
                pass


async def has_room(browser):
    try:
        async with browser.ws_connect("/ws"):
            return True
    except aiohttp.WSServerHandshakeError:
        return False


async def test_the_end_of_the_site_is_the_end_of_all_tabs(tmp_path):
    begun = set(psutil.Process().children(recursive=True))
    async with open_site(tmp_path, "sh", "-c", "echo ready; read go; sleep 1000") as browser:
        tabs = [await browser.ws_connect("/ws") for _ in range(2)]
        for tab in tabs:
            await hear(tab, b"ready")
        running = set(psutil.Process().children(recursive=True)) - begun
        assert len(running) == 2
    _, alive = psutil.wait_procs(running, LIMIT_S)
    assert not alive


async def test_what_is_static_may_be_kept_and_nothing_else(tmp_path):
    (tmp_path / "script.js").write_text("1")
    async with open_site(tmp_path, "true") as browser:
        for address, kept in (
            ("/", "no-store"),
            ("/static/script.js", "no-cache"),
            ("/static/none.js", "no-store"),
            ("/static/../secret", "no-store"),
        ):
            async with browser.get(address) as answer:
                assert answer.headers["Cache-Control"] == kept, address
                assert answer.headers["X-Content-Type-Options"] == "nosniff"

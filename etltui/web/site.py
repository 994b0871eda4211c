"""Serves the page and a console for each tab to those whom the gate lets in."""

import asyncio
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler, Middleware

from etltui.web.gate import PARAMETER, Asked, Keys, verdict
from etltui.web.page import HEADERS, REFUSED, number, page
from etltui.web.tab import Tab, open_tab

MOST_TABS = 16
"""Each is a process of its own."""
MOST_BYTES = 256 * 1024
"""Of one message from a browser: what somebody pastes."""
_HEARTBEAT_S = 15.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Site:
    """What is served.

    Attributes:
        static: The folder of textual-serve's script, style and font.
        command: Runs a console.
        title: Of the page.
        keys: What opens the door.
    """

    static: Path
    command: Sequence[str]
    title: str
    keys: Keys


def _asked(request: web.Request) -> Asked:
    return Asked(
        headers={name.lower(): value for name, value in request.headers.items()},
        token=request.query.get(PARAMETER, ""),
        cookies=request.cookies,
        socket=request.path == "/ws",
    )


def _gate(keys: Keys) -> Middleware:
    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        found = verdict(_asked(request), keys)
        if found == "out":
            return web.Response(status=403, text=REFUSED)
        if found == "in":
            return await handler(request)
        # The address without the token is what the browser remembers and shows.
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(
            keys.cookie_name, keys.cookie, httponly=True, samesite="Lax", max_age=None
        )
        return answer

    return gate


async def _guarded(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    # Half a megabyte of script, which a slow tunnel should carry once.
    kept = response.status == 200 and request.path.startswith("/static/")
    response.headers["Cache-Control"] = "no-cache" if kept else "no-store"
    response.headers.pop("Server", None)


class _Tabs:
    """The consoles that are open."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._open: set[web.WebSocketResponse] = set()

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The page."""
        size = number(request.query.get("fontsize", ""), usual=15, least=6, most=40)
        text = page(self._site.title, request.host, size)
        return web.Response(text=text, content_type="text/html")

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """A console for as long as the tab is there."""
        if len(self._open) >= MOST_TABS:
            return web.Response(status=503, text=f"{MOST_TABS} tabs are open: close one first.\n")
        line = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=MOST_BYTES)
        self._open.add(line)
        try:
            await line.prepare(request)
            tab = await open_tab(
                self._site.command,
                columns=number(request.query.get("width", ""), usual=80, least=2, most=1000),
                lines=number(request.query.get("height", ""), usual=24, least=2, most=500),
                environ=os.environ,
            )
            await _carried(line, tab)
        finally:
            self._open.discard(line)
        return line

    async def close(self, _: web.Application) -> None:
        """End all of them."""
        await asyncio.gather(*(line.close() for line in list(self._open)))


async def _carried(line: web.WebSocketResponse, tab: Tab) -> None:
    """Carry keys one way and paints the other, until one of both has ended."""
    shown = asyncio.create_task(_show(line, tab), name="tab")
    try:
        async for message in line:
            if message.type is WSMsgType.TEXT:
                await _heard(message.data, line, tab)
    finally:
        shown.cancel()
        with suppress(asyncio.CancelledError):
            await shown
        await tab.close()


async def _show(line: web.WebSocketResponse, tab: Tab) -> None:
    with suppress(ConnectionError):
        while some := await tab.read():
            # Waits while the browser is behind: then the console waits, too, and paints less.
            await line.send_bytes(some)
    await line.close()


async def _heard(text: str, line: web.WebSocketResponse, tab: Tab) -> None:
    """Do what a message of the page's script asks for; what it never says is passed over."""
    try:
        kind, *rest = json.loads(text)
        if kind == "stdin":
            tab.type(str(rest[0]))
        elif kind == "resize":
            width, height = int(rest[0]["width"]), int(rest[0]["height"])
            tab.resize(min(max(width, 2), 1000), min(max(height, 2), 500))
        elif kind == "ping":
            await line.send_json(["pong", rest[0]])
    except (ArithmeticError, ConnectionError, LookupError, TypeError, ValueError):
        _log.debug("a browser said what no page of ours says")


def application(site: Site) -> web.Application:
    """The site, to be run by a server of aiohttp."""
    tabs = _Tabs(site)
    made = web.Application(middlewares=[_gate(site.keys)])
    made.on_response_prepare.append(_guarded)
    made.on_shutdown.append(tabs.close)
    made.add_routes(
        [
            web.get("/", tabs.page),
            web.get("/ws", tabs.socket),
            web.static("/static", site.static),
        ]
    )
    return made


@asynccontextmanager
async def served(site: Site, line: socket.socket) -> AsyncIterator[None]:
    """Serve the site for the time of the block, on a socket that listens."""
    made = await asyncio.to_thread(application, site)
    # What aiohttp would log holds addresses, and with them the token.
    runner = web.AppRunner(made, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.SockSite(runner, line).start()
        yield
    finally:
        await runner.cleanup()

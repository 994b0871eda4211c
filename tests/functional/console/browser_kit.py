"""A browser without a window, driven over WebDriver's HTTP, whose terminal can be read as text."""

import base64
import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
import pytest

LIMIT_S = 60
"""A safety net: what does not come in this time does not come at all."""
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_HEARD = """
const Before = window.WebSocket;
window.heard = [];
window.WebSocket = class extends Before {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", each => {
      if (typeof each.data !== "string") window.heard.push(...new Uint8Array(each.data));
    });
  }
};
"""
"""Keeps what the page is sent: of what it draws nothing but pixels could be read."""

_TOLD = """
return btoa((window.heard || []).map(each => String.fromCharCode(each)).join(""));
"""


def chromium() -> tuple[str, str]:
    """The browser and what drives it; the test is skipped where they are missing."""
    found = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    driver = shutil.which("chromedriver")
    if found is None or driver is None:
        pytest.skip("no chromium with chromedriver is installed here")
    return found, driver


class Browser:
    """A browser at work: tabs, keys, and what their terminals show."""

    def __init__(self, base: str, binary: str, profile: Path) -> None:
        arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1200,800",
            f"--user-data-dir={profile}",
        ]
        options = {"binary": binary, "args": arguments}
        wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        made = ask(f"{base}/session", {"capabilities": wanted})
        self._base = f"{base}/session/{made['sessionId']}"
        self._listen()

    def _listen(self) -> None:
        # It holds for the tab in which it is said.
        source = {"cmd": "Page.addScriptToEvaluateOnNewDocument", "params": {"source": _HEARD}}
        ask(f"{self._base}/goog/cdp/execute", source)

    def tab(self) -> str:
        """Open another tab and work in it."""
        handle = ask(f"{self._base}/window/new", {"type": "tab"})["handle"]
        self.to(handle)
        self._listen()
        return handle

    def here(self) -> str:
        return ask(f"{self._base}/window")

    def to(self, handle: str) -> None:
        ask(f"{self._base}/window", {"handle": handle})

    def shut(self) -> None:
        """Close the tab."""
        ask(f"{self._base}/window", method="DELETE")

    def open(self, address: str) -> None:
        ask(f"{self._base}/url", {"url": address})

    def address(self) -> str:
        return ask(f"{self._base}/url")

    def run(self, script: str) -> object:
        return ask(f"{self._base}/execute/sync", {"script": script, "args": []})

    def type(self, keys: str) -> None:
        ask(f"{self._base}/element/{self._keyboard()}/value", {"text": keys})

    def _keyboard(self) -> str:
        using = {"using": "css selector", "value": ".xterm-helper-textarea"}
        (element,) = ask(f"{self._base}/element", using).values()
        return element

    def picture(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(ask(f"{self._base}/screenshot"))

    def seen(self) -> bytes:
        """All that the tab's terminal has been sent."""
        return base64.b64decode(self.run(_TOLD))

    def shown(self) -> list[str]:
        """The lines that the terminal shows."""
        screen = pyte.Screen(200, 100)
        pyte.ByteStream(screen).feed(_known(self.seen()))
        return [line.rstrip() for line in screen.display if line.strip()]

    def wait_for(self, word: str) -> list[str]:
        """Wait until a line that is shown matches; all lines."""
        until = time.monotonic() + LIMIT_S
        while not re.search(word, text := "\n".join(self.shown())):
            assert time.monotonic() < until, text
            time.sleep(0.05)
        return text.splitlines()

    def wait_until(self, script: str) -> None:
        """Wait until a script returns something true."""
        until = time.monotonic() + LIMIT_S
        while not self.run(script):
            assert time.monotonic() < until, script
            time.sleep(0.05)

    def end(self) -> None:
        ask(self._base, method="DELETE")


def _known(seen: bytes) -> bytes:
    """Less the sequences that pyte takes for letters."""
    return re.sub(rb"\x1b\[[<>=?][0-9;$]*[a-zA-Z]|\x1b\[[0-9;]*\$[a-z]", b"", seen)


def ask(address: str, body: object = None, method: str = "") -> object:
    """A request of WebDriver; what it answers."""
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data=sent, method=method or None)
    with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
        return json.load(answer)["value"]


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser with a profile in the folder."""
    binary, driver = chromium()
    process = subprocess.Popen(
        [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        port = next(
            found[1]
            for line in process.stdout
            if (found := re.search(r"started successfully on port (\d+)", line))
        )
        made = Browser(f"http://127.0.0.1:{port}", binary, folder / "profile")
        try:
            yield made
        finally:
            made.end()
    finally:
        process.terminate()
        process.wait(LIMIT_S)
        process.stdout.close()

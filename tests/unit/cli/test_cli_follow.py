"""What shows a run's events, while none come."""

import asyncio
import io
from types import SimpleNamespace

from etltui.cli.follow import Show
from etltui.domain.events import RunStarted


class Terminal(io.StringIO):
    """Says when lines are painted over others."""

    def __init__(self):
        super().__init__()
        self.repainted = asyncio.Event()

    def isatty(self):
        return True

    def write(self, text):
        if text.startswith("\x1b[1A"):
            self.repainted.set()
        return super().write(text)


async def test_the_picture_goes_on_while_no_event_comes(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("etltui.cli.follow.PAINT_S", 0)
    monkeypatch.setattr("etltui.cli.progress.PAINT_S", 0)

    class Still:
        async def events(self, _):
            yield RunStarted(run="r", job="sales", at=0.0, total=1, skipped=0, attempt=1)
            await terminal.repainted.wait()

        async def enough(self):
            pass

    async with Show("").following(Still(), ["r"], SimpleNamespace(runs=())):
        pass
    assert "sales" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[1A\r\x1b[J")

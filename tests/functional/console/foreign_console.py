"""A console on a real terminal over an engine in which everything has a hostile name.

python foreign_console.py SEED
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import console_gallery as gallery
import console_world as cw
from console_foreign import Foreign
from etltui.console.app import ConsoleApp, Options
from etltui.console.look import CurrentLook
from etltui.domain.errors import StateError


async def main(seed: int, folder: Path) -> None:
    """Run it until it is left; each order that it is given is refused in hostile words."""
    well = Foreign(seed)
    stand = gallery.Disguise(well).stand(gallery.failing(folder))
    engine = cw.FakeEngine(stand.snapshot)
    engine.answers["options.list"] = stand.settings
    engine.answers["pools.get_history"] = stand.pool_history
    for name in ("submit", "retry", "cancel", "inquiries.estimate", "inquiries.test"):
        engine.answers[name] = StateError(f"Refused: {well()}")
    look = CurrentLook(stand.config.console, cw.TRUECOLOR, config=stand.config.path, timezone="UTC")
    app = ConsoleApp(
        engine,
        cw.FakeHistory(**stand.answers),
        stand.config,
        look=look,
        state=folder,
        options=Options(start="monitor", embedded=False),
    )
    await app.run_async()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(main(int(sys.argv[1]), Path(place)))

"""The program itself, which at its end writes how late the loop of the console was.

python tests/benchmarks/console_probe.py OUT [ARGUMENT …]
"""

import asyncio
import json
import sys
from pathlib import Path

from console_pty import lateness

from etltui.cli import console_screen
from etltui.cli.main import main


def _write(out: Path, late: list[float]) -> None:
    out.write_text(json.dumps({"late": late}))


def probe(out: Path) -> None:
    """Have the console's loop watched."""
    shown = console_screen._shown

    late: list[float] = []

    async def watched(*given: object) -> int:
        noting = asyncio.create_task(lateness(late))
        try:
            return await shown(*given)
        finally:
            noting.cancel()
            _write(out, late)

    console_screen._shown = watched


if __name__ == "__main__":
    probe(Path(sys.argv.pop(1)))
    main()

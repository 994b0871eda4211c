"""One job of a configuration, run by an engine whose extractor is warm.

    python tests/benchmarks/ours.py CONFIG WARM JOB

Runs the job WARM first, then JOB; prints the seconds of the second one, from its submission to the
published and synced target, and how long it took to get there.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from etltui.bootstrap import engine
from etltui.config.load import load


async def main(path: Path, warm: str, job: str) -> None:
    begun = time.perf_counter()
    config = load(path, environ={})
    async with engine(config, path.parent / "state", environ=os.environ) as running:
        for name in (warm, job):
            started = time.perf_counter()
            result = await (await running.submit(name, resume=False)).wait()
            ended = time.perf_counter()
            if str(result.status) != "completed":
                sys.exit(f"{name}: {result.status} {result.reason} {result.connections[:1]}")
    told = {"start_s": started - begun, "seconds": ended - started, "rows": result.rows}
    told["steps"] = dict(result.connections[0].seconds)
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))

"""Every check in one command, the same that continuous integration runs.

python tests/check.py               lint, types, imports, all tests
python tests/check.py --quick       without the tests of whole processes
python tests/check.py --coverage    the tests within one process, held to the floors of coverage
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
FAILED = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
COMPLETE = ("domain", "config", "engine", "pool", "store")
"""Rooms whose every line and branch is covered."""
OVERALL = 95
MEASURED = ("tests/unit", "tests/golden", "tests/contract", "tests/test_architecture.py")
PROCESSES = ("tests/functional", "tests/faults")
AT_ONCE = "3"
"""Tests side by side: those of whole processes wait more than they compute, on two cores too."""
HANGS_S = 320
"""A test that has not heeded its own limit by then ends with its process, and says where it was."""
FEW = 5
"""So many tests that failed are run once more, alone: a busy machine is no fault of the product."""


def tool(name: str) -> str:
    """A tool of this interpreter's environment."""
    path = shutil.which(name, path=sysconfig.get_path("scripts"))
    if path is None:
        sys.exit(f"{name} is not installed; install the project with its extra: pip install .[dev]")
    return path


def ran(title: str, *command: str) -> int:
    """Run one check; its exit code."""
    print(f"\n── {title}", flush=True)
    started = time.monotonic()
    environ = {**os.environ, "COVERAGE_FILE": str(ROOT / ".coverage")}
    code = subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode
    verdict = "FAILED" if code else "passed"
    print(f"── {title}: {verdict} in {time.monotonic() - started:.0f} s", flush=True)
    return code


def step(title: str, *command: str) -> None:
    """Run one check; end with its exit code when it fails."""
    if code := ran(title, *command):
        sys.exit(code)


def tests(*paths: str) -> None:
    """Run tests side by side; the few that fail run again with nothing beside them."""
    pytest = (tool("pytest"), "-q", "--durations=25", "-o", f"faulthandler_timeout={HANGS_S}")
    pytest += ("-o", "faulthandler_exit_on_timeout=true")
    FAILED.unlink(missing_ok=True)
    code = ran("tests", *pytest, "-n", AT_ONCE, "--dist", "worksteal", *paths)
    if not code:
        return
    failed = json.loads(FAILED.read_text()) if FAILED.exists() else {}
    if code != 1 or not 0 < len(failed) <= FEW:
        sys.exit(code)
    step("tests that failed, alone", *pytest, "-n", "1", *failed)


def coverage() -> None:
    """Measure in one process, which is the one faithful way, and hold it to the floors."""
    step("tests, measured", tool("coverage"), "run", "-m", "pytest", "-q", *MEASURED)
    for room in COMPLETE:
        report = [tool("coverage"), "report", f"--include=etltui/{room}/*", "--fail-under=100"]
        step(f"coverage of {room}", *report)
    step("coverage over all", tool("coverage"), "report", f"--fail-under={OVERALL}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--coverage", action="store_true")
    asked = parser.parse_args()
    if asked.coverage:
        coverage()
        return
    step("ruff", tool("ruff"), "check", ".")
    step("ruff format", tool("ruff"), "format", "--check", ".")
    step("mypy", tool("mypy"))
    step("imports", tool("lint-imports"))
    tests(*MEASURED, *(() if asked.quick else PROCESSES))


if __name__ == "__main__":
    main()

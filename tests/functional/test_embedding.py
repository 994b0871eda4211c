"""The script of the README runs the whole engine as a library."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from functional.cli_kit import environ, etltui

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedding")
    words = ("--branches", 3, "--rows", 10, "--headless")
    made = etltui("demo", "--dir", folder / "demo", *words)
    assert made.code == 0, made.err
    return folder / "demo"


def test_ten_lines_run_a_job(demo):
    (script,) = re.findall(r"```python\n(import asyncio.+?)```", README, re.DOTALL)
    assert len([line for line in script.splitlines() if line]) <= 12
    assert 'load(Path("etltui.toml")' in script
    (demo / "config.toml").rename(demo / "etltui.toml")
    (demo / "output" / "gst_sales.csv").unlink()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=demo,
        env=environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "completed" in done.stdout
    assert (demo / "output" / "gst_sales.csv").exists()

"""The commands that the README gives for its figures: each finds what it imports, from anywhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(
    set(re.findall(r"python (tests/\w+/\w+\.py)", (ROOT / "README.md").read_text("utf-8")))
)
IMPORT = """
import importlib, sys
sys.path[0] = sys.argv[1]
importlib.import_module(sys.argv[2])
"""


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_command_for_figures_finds_what_it_imports(script, tmp_path):
    path = ROOT / script
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(
        [sys.executable, "-c", IMPORT, str(path.parent), path.stem],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr

"""The commands' desk as a fixture."""

import sys
from pathlib import Path

import pytest

# The desk beside this file is found in whichever way pytest imports the tests.
sys.path.insert(0, str(Path(__file__).parent))

from cli_desk import Desk


@pytest.fixture
def desk(tmp_path, monkeypatch):
    return Desk(tmp_path, monkeypatch)

"""The desk as a fixture."""

import pytest

from unit.config.config_desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)

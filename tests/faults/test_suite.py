"""A sample of all faults: kills at any operation, calls that fail, power cuts, broken rules."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from faults import shim

SUITE = Path(__file__).with_name("suite.py")


def table(*asked):
    """Run the suite in a process of its own, which has the shim."""
    command = [sys.executable, str(SUITE), "--json", *asked]
    done = subprocess.run(
        command, env=shim.environment(), capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(autouse=True)
def _possible():
    if why := shim.missing():
        pytest.skip(why)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["kills", "errors", "cuts"])
def test_a_sample_of_faults_loses_and_doubles_nothing(kind):
    found = table("--ci", "--only", kind)
    assert found["bad"] == []
    assert sum(line["tried"] for line in found["lines"].values()) >= 5


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rule", ["part not synced", "sync tried again"])
def test_a_rule_that_is_broken_is_noticed(rule):
    found = table("--all", "--only", "mutations", "--mutation", rule)
    assert found["bad"] == []
    (line,) = found["lines"].values()
    assert line["wrong"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_rule_that_is_broken_is_noticed():
    found = table("--all", "--only", "mutations")
    assert found["bad"] == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_larger_sample_of_faults_loses_and_doubles_nothing():
    assert table("--quick")["bad"] == []

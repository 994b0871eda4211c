"""How much memory there is: the machine's, or less by a control group; what that does."""

import pytest

from etltui.config.memory import Available, available, bounded
from etltui.config.schema import Settings

MB = 2**20


class Machine:
    """Files as Linux shows them."""

    def __init__(self, root):
        self.root = root

    def say(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        return self

    def free(self, mb):
        return self.say(
            "proc/meminfo", f"MemTotal: 9 kB\nMemAvailable:   {mb * 1024} kB\nSwapFree: 9 kB\n"
        )

    def found(self):
        each = available(self.root)
        return each.mb, each.what


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path / "machine")


def test_a_machine_that_says_nothing_bounds_nothing(machine):
    assert machine.found() == (None, "available memory")
    assert machine.say("proc/meminfo", "MemTotal: 5 kB\n").found()[0] is None
    assert bounded(1024, available(machine.root)) == (1024, "")


def test_a_machine_without_control_groups_says_what_is_available(machine):
    assert machine.free(1500).found() == (1500, "available memory")


def test_the_least_limit_of_a_group_and_those_above_it_holds(machine):
    machine.free(9000).say("proc/self/cgroup", "0::/system.slice/etltui.service\n")
    groups = "sys/fs/cgroup/system.slice"
    machine.say(f"{groups}/etltui.service/memory.max", "max\n")
    assert machine.found() == (9000, "available memory")
    machine.say(f"{groups}/memory.max", f"{600 * MB}\n")
    assert machine.found() == (600, "memory of the cgroup")
    machine.say(f"{groups}/etltui.service/memory.max", f"{700 * MB}\n")
    assert machine.found() == (600, "memory of the cgroup")
    assert machine.free(500).found() == (500, "available memory")


def test_in_a_container_the_top_of_the_tree_is_its_group(machine):
    machine.say("proc/self/cgroup", "0::/host/only/here\n")
    machine.say("sys/fs/cgroup/memory.max", f"{300 * MB}")
    assert machine.found() == (300, "memory of the cgroup")


def test_the_first_version_of_groups_has_its_own_files(machine):
    machine.say("proc/self/cgroup", "9:cpu,cpuacct:/x\n4:memory:/box\n\n0::/\n").free(5000)
    machine.say("sys/fs/cgroup/cpu/x/memory.limit_in_bytes", f"{1 * MB}")
    machine.say("sys/fs/cgroup/memory/memory.limit_in_bytes", f"{2**63 - 4096}")
    assert machine.found() == (5000, "available memory")
    machine.say("sys/fs/cgroup/memory/box/memory.limit_in_bytes", f"{400 * MB}\n")
    assert machine.found() == (400, "memory of the cgroup")


@pytest.mark.parametrize(
    ("mb", "wanted", "threshold", "why"),
    [
        (4000, 1024, 1024, ""),
        (2048, 1024, 1024, ""),
        (2047, 1024, 1023, "half of the available memory"),
        (100, 1024, 64, "half of the available memory"),
        (2047, 900, 900, ""),
        (4000, 0, 1024, ""),
        (2000, 0, 1000, "half of the available memory"),
    ],
)
def test_half_of_the_memory_is_left_to_others(mb, wanted, threshold, why):
    assert bounded(wanted, Available(mb=mb, what="available memory")) == (threshold, why)


def test_the_default_threshold_fits_the_machine_and_says_why(desk):  # S4-65
    machine = Machine(desk.folder / "machine").free(1000)
    config = desk.load("")
    assert config.settings.memory_threshold_mb == 500
    assert config.origins["memory_threshold_mb"] == "half of the available memory"
    assert desk.load("settings.memory_threshold_mb = 0").settings.memory_threshold_mb == 500
    config = desk.load("settings.memory_threshold_mb = 900")
    assert config.settings.memory_threshold_mb == 900
    assert config.origins["memory_threshold_mb"] == "file"
    machine.free(8000)
    config = desk.load("", {"MEMORY_THRESHOLD_MB": "0"})
    assert config.settings.memory_threshold_mb == Settings().memory_threshold_mb == 1024
    assert config.origins["memory_threshold_mb"] == "environment MEMORY_THRESHOLD_MB"


def test_a_profile_asks_for_no_more_than_the_machine_has(desk):
    Machine(desk.folder / "machine").free(2000)
    config = desk.load("settings.profile = 'rows_1m'")
    assert config.settings.memory_threshold_mb == 1000
    assert config.origins["memory_threshold_mb"] == "half of the available memory"
    assert config.origins["query_timeout_s"] == "profile rows_1m"

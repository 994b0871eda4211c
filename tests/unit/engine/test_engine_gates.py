"""The memory gate, the disk gate and the machine's clock."""

import asyncio
import errno
from datetime import UTC
from pathlib import Path

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.engine import memory as memory_module
from etltui.engine import space as space_module
from etltui.engine.clock import SystemClock
from etltui.engine.memory import Memory, give_back, own_pss
from etltui.engine.space import Space, device, existing, free_bytes

MB = 1024 * 1024


class Scale:
    """Weighs what it is told, one weight after the other, and counts."""

    def __init__(self, *weights):
        self.weights = list(weights)
        self.count = 0

    def __call__(self):
        self.count += 1
        weight = self.weights.pop(0) if len(self.weights) > 1 else self.weights[0]
        return weight * MB


async def test_s3_4_looked_at_before_connections_1_11_21_and_31(caplog):
    caplog.set_level("INFO", "etltui")
    scale = Scale(200)
    memory = Memory(lambda: 50 * MB, threshold_mb=512, own=scale)
    weighed = []
    for _ in range(31):
        before = scale.count
        await memory.admit()
        weighed.append(scale.count > before)
    assert [number for number, looked in enumerate(weighed, 1) if looked] == [1, 11, 21, 31]
    assert caplog.messages == ["Memory usage: 250MB / 512MB (48.8%)"] * 4


async def test_connections_that_start_together_are_counted_one_by_one():
    """S3-33."""
    scale = Scale(1)
    memory = Memory(lambda: 0, threshold_mb=512, own=scale)
    await asyncio.gather(*(memory.admit() for _ in range(11)))
    assert scale.count == 2


async def test_engine_and_extractors_count_together():
    """N-30."""
    memory = Memory(lambda: 300 * MB, threshold_mb=512, own=Scale(300))
    with pytest.raises(Failure, match=r"600MB / 512MB \(117.2%\)") as refused:
        await memory.admit()
    assert refused.value.error_class is ErrorClass.MEMORY
    assert refused.value.advice.stops_run


async def test_what_can_be_given_back_is_given_back_first(monkeypatch):
    given = []
    monkeypatch.setattr(memory_module, "give_back", lambda: given.append(True))
    memory = Memory(lambda: 0, threshold_mb=512, own=Scale(600, 400))
    await memory.admit()
    assert given == [True]
    assert (memory.used, memory.peak) == (400 * MB, 600 * MB)


async def test_the_threshold_itself_is_allowed():
    await Memory(lambda: 0, threshold_mb=512, own=Scale(512)).admit()


def test_this_process_weighs_something():
    give_back()
    assert own_pss() > MB


@pytest.mark.parametrize("text", [None, "Rss: 5 kB\n"])
def test_a_kernel_that_does_not_tell(monkeypatch, text):
    def read_text(_):
        if text is None:
            raise PermissionError
        return text

    monkeypatch.setattr(Path, "read_text", read_text)
    assert own_pss() == 0


def space(free, reserve_mb=10):
    return Space(reserve_mb=reserve_mb, free=lambda _: free * MB)


def test_needs_on_one_disk_are_added_up(tmp_path):
    """N-29."""
    needs = {tmp_path / "a" / "b": 5 * MB, tmp_path: 6 * MB}
    space(21).check(needs)
    with pytest.raises(Failure) as refused:
        space(20).check(needs)
    assert refused.value.error_class is ErrorClass.DISK
    assert str(refused.value) == (
        f"the disk of {tmp_path} has 20 MB free; 11 MB to come and disk_reserve_mb = 10 need 21 MB"
    )
    assert refused.value.facts["folder"] == str(tmp_path)


def test_disks_are_told_apart(tmp_path, monkeypatch):
    other = tmp_path / "share"
    other.mkdir()
    monkeypatch.setattr(space_module, "device", lambda folder: folder == other)
    free = {tmp_path: 100 * MB, other: 1 * MB}
    gate = Space(reserve_mb=0, free=free.__getitem__)
    gate.check({tmp_path: 90 * MB, other: 1 * MB})
    with pytest.raises(Failure, match=str(other)):
        gate.check({tmp_path: 0, other: 2 * MB})


def test_a_share_that_is_away_is_a_failure_with_its_folder():
    def away(_):
        raise OSError(errno.EHOSTDOWN, "Host is down")

    with pytest.raises(Failure, match="free space of /tmp cannot be told: Host is down"):
        Space(reserve_mb=0, free=away).check({Path("/tmp"): 0})


def test_the_nearest_folder_that_exists(tmp_path):
    assert existing(tmp_path / "a" / "b") == tmp_path
    assert existing(Path("/")) == Path("/")
    assert existing(Path("nowhere/at/all")) == Path()
    assert free_bytes(tmp_path) > 0
    assert device(tmp_path) == tmp_path.stat().st_dev


async def test_the_machines_clock():
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    before = clock.monotonic()
    await clock.sleep(0)
    assert clock.monotonic() >= before

"""The gate's permits and its byte budget."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import extractor_kit as kit
from etltui.domain.errors import ErrorClass, Failure
from etltui.extractors.gate import BATCH_LEAST, BATCH_MOST, BUDGET_BYTES, PERMITS_PER_CORE, Gate


def refuse():
    raise Failure(ErrorClass.CANCELLED, "cancelled")


def test_two_permits_a_core_and_no_more():
    gate, inside, go = Gate(2), [], threading.Event()

    def work():
        with gate.work(lambda: None):
            inside.append(1)
            go.wait()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    kit.until_now(lambda: len(inside) == 2 * PERMITS_PER_CORE)
    # Everybody else is refused when asked.
    with pytest.raises(Failure), gate.work(refuse):
        pass
    assert len(inside) == 4
    go.set()
    for thread in threads:
        thread.join(kit.LONG)
    assert len(inside) == 6


def test_a_permit_comes_back_from_work_that_fails():
    gate = Gate(1)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), gate.work(refuse):
            _ = 1 / 0
    with gate.work(refuse), gate.work(refuse):
        pass


def test_the_share_of_one_fetch_of_many_and_of_none():
    """S4-4."""
    gate = Gate(1)
    assert gate.batch_bytes() == BATCH_MOST
    with gate.fetch(), gate.fetch(), gate.fetch(), gate.fetch():
        assert gate.batch_bytes() == BUDGET_BYTES // 12
    with pytest.raises(ZeroDivisionError), gate.fetch():
        _ = 1 / 0
    assert gate.batch_bytes() == BATCH_MOST


@given(fetches=st.integers(0, 1000), budget=st.integers(1, 2**40))
def test_the_share_keeps_within_its_bounds(fetches, budget):
    gate = Gate(1, budget)
    gate._fetches = fetches
    share = gate.batch_bytes()
    assert BATCH_LEAST <= share <= BATCH_MOST
    if share > BATCH_LEAST:
        assert 3 * max(1, fetches) * share <= budget

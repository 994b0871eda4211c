"""A run's connections are counted as they end, each once however often it ends."""

from types import SimpleNamespace

from etltui.domain.run import ConnectionResult, ConnectionStatus
from etltui.engine.tally import Tally


def result(name, status):
    return ConnectionResult(connection=name, status=status, tries=1)


def test_what_ends_again_is_counted_as_it_ended_last():
    plan = SimpleNamespace(connections=[SimpleNamespace(name=name) for name in "ABCD"])
    before = {"A": result("A", ConnectionStatus.FAILED)}
    tally = Tally(plan=plan, results=before)
    assert (tally.completed, tally.failed, tally.percent) == (0, 1, 25)
    tally.settle(result("A", ConnectionStatus.COMPLETED))
    tally.settle(result("B", ConnectionStatus.SKIPPED))
    assert (tally.completed, tally.failed, tally.held, tally.percent) == (1, 0, 1, 50)
    assert tally.named(ConnectionStatus.COMPLETED) == ("A",)

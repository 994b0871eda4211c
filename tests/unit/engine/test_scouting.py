"""Connections whose servers do not answer wait outside of the run's lanes."""

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.events import ConnectionFailed, ConnectionStarted
from etltui.domain.run import ConnectionStatus, RunStatus
from fakes import Held, Script, failure

AWAY = failure(ErrorClass.UNREACHABLE)


def ends(result):
    return {each.connection: each.status for each in result.connections}


async def test_n_1_a_server_that_is_silent_takes_no_lane_from_those_that_answer(world):
    world.job(max_parallel=1)
    world.renew()
    silent = Held(AWAY)
    world.leases.reaches["A"] = Script(silent)
    last = Held(2)
    world.leases.extracts["C"] = Script(last)
    handle = await world.submit()
    await silent.reached.wait()
    await last.reached.wait()

    assert sorted(world.leases.read()) == ["B", "C"]
    silent.let_go()
    last.let_go()
    result = await handle.wait()

    assert result.status is RunStatus.COMPLETED_WITH_ERRORS
    assert ends(result)["A"] is ConnectionStatus.FAILED
    assert result.connections[0].trouble.error_class is ErrorClass.UNREACHABLE


async def test_what_was_out_of_reach_long_ago_is_tried_when_its_turn_comes(world):
    world.job(max_parallel=1, connections=("B", "A"))
    world.renew()
    busy = Held(2)
    world.leases.extracts["B"] = Script(busy)
    world.leases.reaches["A"] = Script(AWAY)
    handle = await world.submit()
    await busy.reached.wait()
    world.clock.turn(60)
    busy.let_go()

    assert (await handle.wait()).status is RunStatus.COMPLETED


async def test_one_that_could_not_be_reached_counts_as_a_try(world):
    world.leases.reaches["A"] = Script(AWAY)
    await world.run()
    (started,) = [each for each in world.happened(ConnectionStarted) if each.connection == "A"]
    (failed,) = world.happened(ConnectionFailed)
    assert (started.tries, failed.tries, failed.trouble.message) == (1, 1, str(AWAY))


async def test_nobody_looks_for_one_that_is_held(world):
    await world.engine.records.hold(["A"], "line is cut")
    world.leases.reaches["A"] = Script(Failure(ErrorClass.INTERNAL, "it was reached for"))
    result = await world.run()
    assert result.connections[0].trouble.error_class is ErrorClass.HELD

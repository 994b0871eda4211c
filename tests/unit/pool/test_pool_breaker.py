"""N-3: when many connections behind one gateway fail together, one is tried and the rest waits."""

import asyncio
from contextlib import suppress

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.events import LineDown, LineUp
from etltui.domain.job import Connection
from etltui.pool.breaker import PROBE_S, Breaker
from etltui.pool.breakers import Breakers, line_of
from fakes import Script, TurnedClock, failure
from unit.pool.pool_kit import connection, steps

ERROR = (ErrorClass.UNREACHABLE, "no route")


def branch(number, gateway="VPN-North"):
    return Connection(name=f"B{number}", kind="mysql", url="", host=f"h{number}", gateway=gateway)


class Lines:
    """Breakers on a clock that a test turns."""

    def __init__(self):
        self.clock = TurnedClock()
        self.news = []
        self.breakers = Breakers(self.clock, publish=self.news.append, chance=lambda: 0.0)
        self.gone = []

    def fail(self, *numbers, error_class=ErrorClass.UNREACHABLE):
        for number in numbers:
            self.breakers.failed(branch(number), failure(error_class), begun=self.clock.monotonic())

    def answer(self, *numbers):
        for number in numbers:
            self.breakers.answered(branch(number))

    def shut(self, number):
        return self.breakers.shut(branch(number))

    async def wait(self, number, until=1000.0):
        try:
            await self.breakers.passable(branch(number), until)
        except Failure as given_up:
            self.gone.append(given_up)
        else:
            self.gone.append(number)

    async def waiting(self, *numbers, until=1000.0):
        tasks = [asyncio.create_task(self.wait(number, until)) for number in numbers]
        await steps()
        return tasks

    async def turn(self, seconds):
        self.clock.turn(seconds)
        await steps()

    @property
    def stats(self):
        return self.breakers.stats()


@pytest.fixture
async def lines():
    made = Lines()
    yield made
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def test_n_3_a_line_is_the_gateway_else_the_server_and_a_file_has_none():
    assert line_of(branch(1)) == "gateway VPN-North"
    assert line_of(connection()) == "server h:3306"
    assert line_of(Connection(name="F", kind="sqlite", url="", database="/f.db")) == ""


async def test_n_3_three_that_fail_shut_the_line_for_all_behind_it_and_nobody_else(lines):
    lines.fail(1, 2)
    assert not lines.shut(7)
    lines.fail(3)
    assert lines.shut(7)
    assert not lines.breakers.shut(branch(7, gateway="VPN-South"))
    assert not lines.breakers.shut(branch(7, gateway=""))


async def test_n_3_one_connection_that_fails_three_times_is_a_branch_that_is_down(lines):
    lines.fail(1, 1, 1)
    assert not lines.shut(2)


async def test_n_3_a_few_among_many_that_answer_are_branches_that_are_down(lines):
    lines.answer(4, 5, 6, 7)
    lines.fail(1, 2, 3)
    assert not lines.shut(8)
    lines.fail(4)
    assert lines.shut(8)


async def test_n_3_what_failed_more_than_a_minute_ago_does_not_count(lines):
    lines.fail(1, 2)
    await lines.turn(61)
    lines.fail(3)
    assert not lines.shut(1)


@pytest.mark.parametrize("error_class", [ErrorClass.SECRET, ErrorClass.DRIVER_CRASH])
async def test_n_3_what_says_nothing_of_a_line_does_not_shut_it(lines, error_class):
    lines.fail(1, 2, 3, error_class=error_class)
    assert not lines.shut(4)


@pytest.mark.parametrize("error_class", [ErrorClass.REFUSED, ErrorClass.TIMEOUT, ErrorClass.LOST])
async def test_n_3_each_way_of_not_answering_shuts_it(lines, error_class):
    lines.fail(1, 2, 3, error_class=error_class)
    assert lines.shut(4)


async def test_n_3_one_event_when_it_goes_down_and_one_when_it_is_up_again(lines):
    lines.fail(*range(1, 41))
    (down,) = lines.news
    assert isinstance(down, LineDown)
    assert (down.line, down.connections) == ("gateway VPN-North", ("B1", "B2", "B3"))
    assert down.error == "B3: unreachable: no route to the branch"
    await lines.waiting(8, 9)
    await lines.turn(0.5)
    lines.answer(1)
    _, up = lines.news
    assert isinstance(up, LineUp)
    assert (up.line, up.connections, up.down_s) == ("gateway VPN-North", ("B8", "B9"), 0.5)


async def test_n_3_one_at_a_time_tries_each_later_than_the_one_before(lines):
    lines.fail(1, 2, 3)
    await lines.waiting(4, 5, 6)
    assert lines.gone == []
    await lines.turn(1)
    assert lines.gone == [4]
    assert not lines.shut(4)
    assert lines.shut(5)
    await lines.turn(30)
    assert lines.gone == [4], "the first one is not back"
    lines.fail(4)
    await steps()
    assert lines.shut(4)
    await lines.turn(1.9)
    assert lines.gone == [4]
    await lines.turn(0.1)
    assert lines.gone == [4, 5], "two seconds after the second failure"


async def test_n_3_who_failed_comes_after_those_that_have_not_tried(lines):
    lines.fail(1, 2, 3)
    await lines.waiting(4, 5)
    await lines.turn(1)
    lines.fail(4)
    await lines.waiting(4)
    await lines.turn(2)
    lines.fail(5)
    await lines.turn(4)
    assert lines.gone == [4, 5, 4]


async def test_n_3_all_go_on_as_soon_as_one_answers(lines):
    lines.fail(1, 2, 3)
    await lines.waiting(4, 5, 6)
    await lines.turn(1)
    lines.answer(4)
    await steps()
    assert lines.gone == [4, 5, 6]
    assert not lines.shut(1)
    assert lines.stats == ()


async def test_n_3_a_server_that_refuses_the_login_has_answered(lines):
    lines.fail(1, 2, 3)
    lines.fail(4, error_class=ErrorClass.LOGIN)
    assert not lines.shut(1)


async def test_n_3_a_try_that_could_tell_nothing_makes_way_for_the_next(lines):
    lines.fail(1, 2, 3)
    await lines.waiting(4, 5)
    await lines.turn(1)
    lines.fail(4, error_class=ErrorClass.SECRET)
    await steps()
    assert lines.gone == [4, 5]


async def test_n_3_whoever_tries_and_never_comes_back_is_followed_after_a_while(lines):
    lines.fail(1, 2, 3)
    await lines.waiting(4, 5)
    await lines.turn(1)
    await lines.turn(PROBE_S - 1)
    assert lines.gone == [4]
    await lines.turn(1)
    assert lines.gone == [4, 5]


async def test_n_3_patience_has_an_end_that_says_why(lines):
    lines.fail(1, 2, 3)
    await lines.waiting(4, 5, until=20)
    await lines.turn(1)
    lines.fail(4)
    lines.fail(4)
    await lines.turn(19)
    assert lines.gone[1] == 5
    await lines.waiting(6, until=20)
    (given_up,) = lines.gone[2:]
    assert given_up.error_class is ErrorClass.UNREACHABLE
    assert given_up.message == (
        "not tried any more: the gateway VPN-North has been down for 20.0s, longer than all "
        "retries would take; the last try there met B4: unreachable: no route to the branch"
    )
    assert given_up.facts == {
        "line": "gateway VPN-North",
        "met": "B4: unreachable: no route to the branch",
    }


async def test_n_3_who_gives_up_waiting_lets_the_next_one_try(lines):
    lines.fail(1, 2, 3)
    first, _ = await lines.waiting(4, 5)
    first.cancel()
    await steps()
    assert lines.stats[0].waiting == ("B5",)
    await lines.turn(1)
    assert lines.gone == [5]


async def test_n_3_it_tells_how_it_stands(lines):
    lines.fail(1, 2, 3)
    await lines.waiting(*range(4, 18))
    await lines.turn(0.4)
    (stats,) = lines.stats
    assert str(stats) == "gateway VPN-North is down: 14 connections wait, next probe in 1 s"
    await lines.turn(0.6)
    (stats,) = lines.stats
    assert str(stats) == "gateway VPN-North is down: 13 connections wait, trying B4"
    assert (stats.open_s, stats.last_error) == (1.0, "B3: unreachable: no route to the branch")


async def test_n_3_who_asks_at_a_line_that_is_up_goes_on_at_once(lines):
    lines.answer(1)
    await lines.wait(1)
    await lines.wait(2)
    assert lines.gone == [1, 2]


def test_n_3_a_line_that_has_just_come_up_remembers_who_answered_only():
    breaker = Breaker("gateway X")
    for name in "ABC":
        breaker.failed(name, ERROR, begun=0.0, now=0.0, chance=0.0)
    assert breaker.answered("D", 5.0)
    for name in "AB":
        assert not breaker.failed(name, ERROR, begun=5.0, now=6.0, chance=0.0)
    assert breaker.failed("C", ERROR, begun=5.0, now=6.0, chance=0.0)


async def test_n_3_pools_tell_of_what_they_try_and_show_what_is_down(rooms):
    room = rooms()
    wanted = [connection(f"d{n}", host=f"h{n}", gateway="VPN") for n in range(5)]
    for each in wanted[:3]:
        room.door.opens[each.database] = Script(failure())
        with pytest.raises(Failure):
            await room.once(each)
    assert [stats.name for stats in room.metrics.breakers] == ["gateway VPN"]
    assert room.manager.breakers.shut(wanted[4])
    await room.once(wanted[3])
    assert room.metrics.breakers == ()


async def broken(room, wanted):
    """A session that is lost while it is used."""
    with suppress(Failure):
        async with room.manager.lease(wanted):
            raise failure(ErrorClass.LOST)


async def test_n_3_sessions_that_break_count_and_one_in_good_order_says_that_it_is_up(rooms):
    room = rooms()
    wanted = [connection(f"d{n}", host=f"h{n}", gateway="VPN") for n in range(4)]
    async with room.manager.lease(wanted[3]):
        await room.turn(61)
        for each in wanted[:3]:
            assert not room.manager.breakers.shut(wanted[3])
            await broken(room, each)
        assert room.manager.breakers.shut(wanted[3])
    assert not room.manager.breakers.shut(wanted[3])

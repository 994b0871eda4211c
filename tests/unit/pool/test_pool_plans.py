"""What is decided from values alone: limits, back-off, percentiles, the housekeeper's plan."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.errors import ErrorClass
from etltui.domain.pools import PoolKey, PoolSettings
from etltui.pool.backoff import MOST_S, Backoff
from etltui.pool.entry import Entry, Loan, State
from etltui.pool.guard import LoginGuard
from etltui.pool.housekeeper import LEAST_S, Look, look, plan
from etltui.pool.limits import Limit, Limits
from etltui.pool.tally import percentile_ms
from unit.pool.pool_kit import connection

KEY = PoolKey.of(connection())
DOWN = ErrorClass.REFUSED
SECONDS = st.floats(0, 1e6)
TIMES = SECONDS | st.just(math.inf)
LOOKS = st.builds(
    Look,
    idle=st.booleans(),
    alive=st.booleans(),
    ends_at=SECONDS,
    proof_at=TIMES,
    leaks_at=TIMES,
)
SETTINGS = st.builds(
    PoolSettings,
    idle_s=SECONDS,
    lifetime_s=SECONDS,
    keepalive_s=SECONDS,
    leak_s=SECONDS,
)


@given(st.lists(LOOKS), SECONDS, SETTINGS)
def test_a_plan_holds_what_is_due_once_and_comes_back_for_the_rest(looks, now, settings):
    made = plan(looks, now, settings)
    due = [*made.lost, *made.end, *made.prove, *made.leaked]
    assert len(due) == len(set(due))
    for position, each in enumerate(looks):
        assert (position in made.lost) == (each.idle and not each.alive)
        assert (position in made.leaked) == (not each.idle and each.leaks_at <= now)
        ends = each.idle and each.alive and each.ends_at <= now
        assert (position in made.end) == ends
        proves = each.idle and each.alive and not ends and each.proof_at <= now
        assert (position in made.prove) == proves
        if position not in due:
            waits = min(each.ends_at, each.proof_at) if each.idle else each.leaks_at
            assert now + made.next_s <= waits + LEAST_S + 1e-6
    assert LEAST_S <= made.next_s <= max(30, LEAST_S)
    assert made.next_s <= max(settings.idle_s / 2, LEAST_S)


@given(SETTINGS, st.floats(0, 1), SECONDS, SECONDS)
def test_ends_are_spread_by_a_tenth_and_no_more(settings, jitter, born, rest):
    entry = Entry(key=KEY, generation=0, jitter=jitter, state=State.IDLE, born=born)
    entry.idle_since = born + rest
    seen = look(entry, settings)
    idle, life = seen.ends_at - entry.idle_since, seen.ends_at - born
    assert life <= settings.lifetime_s + 1e-6
    assert idle <= settings.idle_s * 1.1 + 1e-6
    assert idle >= settings.idle_s - 1e-6 or life >= settings.lifetime_s * 0.9 - 1e-6


def test_a_look_tells_what_is_due_when():
    settings = PoolSettings(keepalive_s=7, leak_s=5)
    entry = Entry(key=KEY, generation=0, jitter=0, proved=3)
    assert look(entry, settings).leaks_at == math.inf
    entry.loan = Loan(holder="A", since=1, expected_at=11)
    assert (look(entry, settings).leaks_at, look(entry, settings).proof_at) == (16, 10)
    entry.loan.reported = True
    assert look(entry, settings).leaks_at == math.inf
    assert look(entry, PoolSettings(keepalive_s=0)).proof_at == math.inf


@given(st.lists(st.sampled_from(["take", "leave", "give", "gone"])), st.integers(1, 5))
def test_s0_21_the_count_of_places_is_never_less_than_nothing(moves, most):
    limit = Limit("this pool", most)
    for move in moves:
        match move:
            case "take":
                limit.take()
            case "leave":
                limit.leave()
            case "give":
                limit.give(leaving=False)
            case "gone":
                limit.give(leaving=True)
        assert limit.taken >= 0
        assert limit.leaving >= 0
        assert limit.full == (limit.taken >= most)


def test_s0_25_pools_of_a_server_share_its_limit_and_its_back_off():
    limits = Limits(PoolSettings(pool_size=1, max_per_host=2, max_connections=3))
    two = PoolKey.of(connection("two"))
    file = PoolKey.of(connection("/x.db", host="", port=0))
    own, server, everything = limits.chain(KEY)
    assert [limit.most for limit in limits.chain(KEY)] == [1, 2, 3]
    assert limits.chain(two)[1:] == (server, everything)
    assert limits.chain(two)[0] is not own
    assert limits.chain(file)[1:] == (everything,)
    assert limits.backoff(two) is limits.backoff(KEY)
    assert limits.backoff(file) is not limits.backoff(KEY)
    limits.resize(PoolSettings(pool_size=7, max_per_host=8, max_connections=9))
    assert [limit.most for limit in limits.chain(KEY)] == [7, 8, 9]


@given(st.floats(0, 1), st.integers(1, 2000))
def test_the_wait_doubles_up_to_its_most(chance, failures):
    backoff, now = Backoff(), 0.0
    for _ in range(failures):
        backoff.failed(DOWN, begun=now, now=now, chance=chance)
        now += 1
    now -= 1
    wait = min(2 ** (min(failures, 10) - 1), MOST_S) * (1 + chance / 10)
    assert backoff.down
    assert not backoff.claim(now + wait - 1e-3)
    assert backoff.claim(now + wait + 1e-3)
    # Whoever was told so has taken the turn of all.
    assert not backoff.claim(now + wait + 2e-3)
    backoff.opened()
    assert backoff.claim(now)


def test_tries_that_were_under_way_together_count_once():
    backoff = Backoff()
    for _ in range(20):
        backoff.failed(DOWN, begun=0, now=5, chance=0)
    assert not backoff.claim(5.9)
    assert backoff.claim(6)


@pytest.mark.parametrize(
    ("error_class", "down"),
    [
        (ErrorClass.LOGIN, False),
        (ErrorClass.NO_DATABASE, False),
        (ErrorClass.TLS, False),
        (ErrorClass.BUSY, False),
        (ErrorClass.SECRET, True),
        (ErrorClass.DRIVER_CRASH, True),
        (ErrorClass.TIMEOUT, True),
    ],
)
def test_a_server_that_refuses_is_not_down(error_class, down):
    backoff = Backoff()
    backoff.failed(DOWN, begun=0, now=0, chance=0)
    backoff.failed(error_class, begun=1, now=1, chance=0)
    assert backoff.down is down


def test_what_says_nothing_of_the_server_leaves_it_up():
    backoff = Backoff()
    backoff.failed(ErrorClass.SECRET, begun=0, now=0, chance=0)
    assert not backoff.down


@pytest.mark.parametrize(
    ("seconds", "percent", "ms"),
    [
        ([], 95, 0),
        ([0.002], 50, 2),
        ([0.001, 0.002], 50, 1),
        ([n / 1000 for n in range(101)], 95, 95),
    ],
)
def test_percentiles(seconds, percent, ms):
    assert percentile_ms(seconds, percent) == ms


def test_an_old_password_that_failed_does_not_stand_for_the_new_one():
    configured = {"c": "env:OLD"}
    guard = LoginGuard(configured.__getitem__)
    key = PoolKey.of(connection(credential="c"))
    old = guard.login(key)
    configured["c"] = "env:NEW"
    guard.lock(key, old, connection="A", message="old")
    guard.lock(key, guard.login(key), connection="B", message="new")
    assert "refused at B (new)" in str(guard.refusal(key))

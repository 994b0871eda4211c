"""Whose turn it is: the queue's books, by themselves and against a naive model."""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from etltui.domain.job import RunType
from etltui.domain.queue import QueueEntry
from etltui.engine.queue import Queue

AGEING_S = 60.0


def entry(run, job="", **changes):
    asked = {"type": "extract", "priority": 100, "submitted": 0.0, **changes}
    return QueueEntry(run=run, job=job or run, **asked)


def queue(*entries, limit=10, types=()):
    made = Queue(limit=limit, types={t.name: t for t in types}, ageing_s=AGEING_S)
    for each in entries:
        made.add(each)
    return made


def taken(made, now=0.0):
    """Runs in the order of their turns, as long as there is one to give."""
    names = []
    while (each := made.take(now)) is not None:
        names.append(each.run)
    return names


def test_s0_26_a_lower_number_goes_first_and_equals_as_they_came():
    made = queue(
        entry("low", priority=200),
        entry("second", submitted=2.0),
        entry("first", submitted=1.0),
        entry("high", priority=1, submitted=3.0),
    )
    assert [each.run for each in made.pending(9.0)] == ["high", "first", "second", "low"]
    assert taken(made) == ["high", "first", "second", "low"]


def test_s0_26_who_waited_long_enough_overtakes_a_higher_priority():
    old = entry("old", priority=100)
    assert taken(queue(old, entry("new", priority=99, submitted=AGEING_S - 1))) == ["new", "old"]
    assert taken(queue(old, entry("new", priority=99, submitted=AGEING_S + 1))) == ["old", "new"]


def test_s0_27_no_more_than_the_limit_and_the_next_as_soon_as_one_ends():
    made = queue(*map(entry, "abc"), limit=2)
    assert taken(made) == ["a", "b"]
    assert [each.run for each in made.working] == ["a", "b"]
    made.ended("a")
    assert taken(made) == ["c"]
    made.limit = 3
    made.add(entry("d"))
    assert taken(made) == ["d"]


def test_s1_2_a_type_keeps_its_limit_and_keeps_nobody_else_waiting():
    types = RunType(name="heavy", limit=1), RunType(name="light", limit=2)
    entries = [entry(f"h{n}", type="heavy", priority=1) for n in range(3)]
    entries += [entry(f"l{n}", type="light") for n in range(3)]
    made = queue(*entries, entry("other", type="unknown"), types=types)
    assert taken(made) == ["h0", "l0", "l1", "other"]
    made.ended("h0")
    assert taken(made) == ["h1"]


def test_n_23_a_job_has_one_run_at_work():
    made = queue(entry("a1", "a"), entry("a2", "a"), entry("b1", "b"))
    assert taken(made) == ["a1", "b1"]
    assert [each.run for each in made.of("a")] == ["a1", "a2"]
    made.ended("a1")
    assert taken(made) == ["a2"]


def test_s1_70_a_delayed_entry_has_its_turn_when_it_is_due():
    made = queue(entry("late", priority=1, not_before=50.0), entry("now"))
    assert made.next_due() == 0.0
    assert taken(made, 49.9) == ["now"]
    assert made.next_due() == 50.0
    assert taken(made, 50.0) == ["late"]
    assert made.next_due() is None


def test_what_is_not_due_yet_stands_behind_what_is():
    made = queue(entry("late", priority=1, not_before=50.0), entry("now"))
    assert [each.run for each in made.pending(0.0)] == ["now", "late"]
    assert [each.run for each in made.pending(50.0)] == ["late", "now"]


def test_a_pause_of_a_job_and_of_all():
    made = queue(entry("a"), entry("b"))
    made.paused.add("a")
    assert taken(made) == ["b"]
    made.paused |= {""}
    made.paused.discard("a")
    assert taken(made) == []
    made.paused.clear()
    assert taken(made) == ["a"]


def test_one_of_the_same_run_is_replaced():
    made = queue(entry("a"), entry("b", priority=99))
    made.add(entry("a", priority=1))
    assert taken(made) == ["a", "b"]
    assert made.remove("a") is None


class Model(RuleBasedStateMachine):
    """A queue and the plainest model of one: a list that is searched as a whole."""

    names = st.sampled_from([f"r{n}" for n in range(12)])

    def __init__(self):
        super().__init__()
        self.types = {"x": RunType(name="x", limit=1), "y": RunType(name="y", limit=3)}
        self.queue = Queue(limit=3, types=self.types, ageing_s=AGEING_S)
        self.waiting = {}
        self.working = {}
        self.paused = set()
        self.now = 0.0

    @rule(
        name=names,
        job=st.sampled_from("abcd"),
        kind=st.sampled_from("xyz"),
        priority=st.integers(0, 3),
        submitted=st.integers(0, 300),
        delay=st.sampled_from([0, 0, 5, 60]),
    )
    def add(self, name, job, kind, priority, submitted, delay):
        if name in self.working:
            return
        if name in self.waiting:
            job = self.waiting[name].job
        due = self.now + delay if delay else 0.0
        made = entry(
            name, job, type=kind, priority=priority, submitted=float(submitted), not_before=due
        )
        self.waiting[name] = made
        self.queue.add(made)

    @rule(name=names)
    def remove(self, name):
        assert self.queue.remove(name) == self.waiting.pop(name, None)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), priority=st.integers(0, 3))
    def replace(self, data, priority):
        name = data.draw(st.sampled_from(sorted(self.waiting)))
        changed = replace(self.waiting[name], priority=priority)
        assert self.queue.remove(name) is not None
        self.waiting[name] = changed
        self.queue.add(changed)

    @rule(name=names)
    def put_back_the_same(self, name):
        there = self.queue.remove(name)
        if there is not None:
            self.queue.add(there)

    @rule()
    def take(self):
        found = self.queue.take(self.now)
        assert found == self.best()
        if found is not None:
            del self.waiting[found.run]
            self.working[found.run] = found

    def best(self):
        if "" in self.paused or len(self.working) >= self.queue.limit:
            return None
        at_work = [each.type for each in self.working.values()]
        jobs = {each.job for each in self.working.values()} | self.paused
        fit = [
            each
            for each in self.waiting.values()
            if each.not_before <= self.now
            and each.job not in jobs
            and (each.type not in self.types or at_work.count(each.type) < self.limit(each.type))
        ]
        return min(fit, key=lambda each: each.rank(AGEING_S), default=None)

    def limit(self, kind):
        return self.types[kind].limit

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def end(self, data):
        name = data.draw(st.sampled_from(sorted(self.working)))
        del self.working[name]
        self.queue.ended(name)

    @rule(job=st.sampled_from(["", "a", "b"]))
    def pause(self, job):
        self.paused ^= {job}
        self.queue.paused ^= {job}

    @rule(seconds=st.integers(1, 70))
    def wait(self, seconds):
        self.now += seconds

    @rule(limit=st.integers(1, 4))
    def resize(self, limit):
        self.queue.limit = limit

    @invariant()
    def the_books_agree(self):
        assert {each.run: each for each in self.queue.pending(self.now)} == self.waiting
        assert {each.run: each for each in self.queue.working} == self.working
        for job in "abcd":
            mine = [each.run for each in self.queue.of(job)]
            both = {**self.working, **self.waiting}
            assert sorted(mine) == sorted(r for r, each in both.items() if each.job == job)

    @invariant()
    def nobody_who_is_delayed_is_forgotten(self):
        later = [each.not_before for each in self.waiting.values() if each.not_before > self.now]
        if later:
            assert self.queue.next_due() is not None
            assert self.queue.next_due() <= min(later)


TestModel = Model.TestCase

"""A run may take the columns of all its connections: N-4."""

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass
from fakes import COLUMNS, Held, Script, failure

MORE = ((*COLUMNS[0], Column(name="town", type="text")),)


async def test_n_4_what_any_connection_has_is_a_column_of_all(world):
    world.job(drift="evolve")
    world.renew()
    world.leases.describes["A"] = Script(failure(ErrorClass.UNREACHABLE))
    world.leases.describes["C"] = Script(MORE)
    result = await world.run()
    assert result.completed == 3
    plan = await world.store.plan(result.run)
    assert plan.columns == MORE
    assert [entry[1] for entry in world.record.of("describe")] == ["A", "B", "C"]
    assert {task.queries[0].columns for task in world.leases.tasks} == set(MORE)
    assert world.leases.tasks[0].queries[0].drift == "evolve"


async def test_where_none_answers_the_first_that_is_read_fixes_them(world):
    world.job(drift="evolve")
    world.renew()
    for name in "ABC":
        world.leases.describes[name] = Script(failure(), COLUMNS)
    result = await world.run()
    assert (result.completed, (await world.store.plan(result.run)).columns) == (3, COLUMNS)


async def test_no_more_are_asked_together_than_may_be_read(world):
    world.job(drift="evolve", max_parallel=2)
    world.renew()
    held = Held(COLUMNS)
    world.leases.describes["A"] = world.leases.describes["B"] = Script(held)
    handle = await world.submit()
    await held.reached.wait()
    assert [entry[1] for entry in world.record.of("describe")] == ["A", "B"]
    held.let_go()
    assert (await handle.wait()).completed == 3

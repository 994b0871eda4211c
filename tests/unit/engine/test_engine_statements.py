"""What a run tells the pools of the statements that it has read."""

from etltui.domain.errors import ErrorClass
from etltui.domain.job import Query
from etltui.domain.pools import StatementRun
from fakes import Script, failure


async def test_s4_38_the_pools_hear_of_each_statement_that_was_read_to_its_end(world):
    world.job(queries=(Query(name="one", sql="select 1"), Query(name="two", sql="select 2")))
    world.leases.extracts["A"] = Script(7)
    world.leases.extracts["B"] = Script(failure(ErrorClass.TIMEOUT))
    world.renew()
    await world.run()
    assert world.leases.statements["A"] == [
        StatementRun(sql="select 1", rows=7, seconds=0.5),
        StatementRun(sql="select 2", rows=7, seconds=0.5),
    ]
    assert "B" not in world.leases.statements

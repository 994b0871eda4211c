"""The door: questions that are asked before a run."""

import pytest

from etltui.domain.errors import ConfigError, ErrorClass
from fakes import Script, failure


async def test_a_client_asks_what_the_engine_s_own_process_asks(house):
    house.leases.opens["C"] = Script(failure(ErrorClass.LOGIN, "wrong password"))
    await house.run()
    own = house.engine.inquiries
    async with house.visited() as (_, remote):
        asked = await remote.call("inquiries.test", connections=["A", "C"])
        assert asked == await own.test(["A", "C"])
        assert asked[1].trouble.message == "wrong password"
        for name in "AC":
            told = await remote.call("inquiries.dry_run", job="sales", connection=name)
            assert told == await own.dry_run("sales", name)
        estimate = await remote.call("inquiries.estimate", job="sales", only=["A", "B"])
        assert estimate == await own.estimate("sales", ["A", "B"])
        assert estimate.known == 2
        assert (await remote.call("inquiries.estimate", job="sales")).connections == 3


async def test_what_cannot_be_asked_is_refused_in_the_same_words(house):
    async with house.visited() as (_, remote):
        for name, arguments in {
            "inquiries.test": {"connections": ["Z"]},
            "inquiries.dry_run": {"job": "sales", "connection": "[AB]"},
            "inquiries.estimate": {"job": "sale"},
        }.items():
            with pytest.raises(ConfigError) as refused:
                await remote.call(name, **arguments)
            assert refused.value.mistakes


async def test_a_client_sees_how_long_a_run_takes_still_and_what_is_usual(house):
    await house.run()
    held = house.hold()
    async with house.visited() as (_, remote):
        run = await remote.submit("sales")
        await held.reached.wait()
        view = await remote.get_job_progress(run)
        assert view == house.engine.get_job_progress(run)
        assert view.eta.left_s == 0.5
        assert (view.title, view.owner) == ("Sales", "asha@desk")
        assert view.connections["B"].usual_rows == 2
        held.let_go()
        await remote.wait(run)
        [output] = (await remote.get_job_progress(run)).outputs
        assert output.path == house.target

"""`etltui jobs`, `queue` and `pools` where no engine runs, and what they draw."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from etltui.cli.pools import _known_login, _one_pool, each, fitted
from etltui.domain.errors import ConfigError
from etltui.domain.queue import Ask
from etltui.domain.run import RunStatus
from unit.cli.cli_desk import CONFIG, done, failed
from unit.cli.doctor_desk import pools
from unit.encode import encode_samples as sample

LATER = replace(sample.ENTRY, job="sales", ask=Ask(), not_before=4e9, priority=50)
SOON = replace(
    sample.ENTRY,
    run="20261121T230600Z-BBBB",
    job="sales",
    ask=Ask(),
    not_before=0.0,
    owner="ravi\x1b[2J@desk",
)


def wait(desk, *entries):
    """Let entries wait that outlive their engine."""

    async def enqueue():
        async with await desk.open() as store:
            for entry in entries:
                await store.enqueue([entry], "GST")

    asyncio.run(enqueue())


def test_jobs_that_never_ran_and_none_at_all(desk):
    desk.configure("")
    assert "has no jobs: add a table [jobs.NAME]" in desk.ask("jobs").stdout
    desk.configure()
    assert desk.ask("jobs").stdout == (
        "sales  GST sälés\n  3 connections → csv; idle\n  never run\n"
    )
    assert json.loads(desk.ask("jobs", "--json").stdout)["last"] is None
    refused = desk.ask("jobs", "sale")
    assert refused.exit_code == 2
    assert "there is no job 'sale'" in refused.stderr


def test_a_job_that_is_tried_again_once_says_so(desk):
    desk.configure(f"{CONFIG}[jobs.sales.retry]\nretries = 1\ndelay_s = 5\n")
    assert "; 1 retry from 5 s on; " in desk.ask("jobs", "sales").stdout


def test_a_job_says_how_it_ended_last_and_what_it_does_now(desk):
    """S1-67."""
    desk.configure(f"{CONFIG}[jobs.sales.retry]\nretries = 2\ndelay_s = 1\n", "resume_jobs = true")
    earlier = desk.now - timedelta(hours=1)
    asyncio.run(
        desk.record(done("A"), done("B"), done("C"), status=RunStatus.COMPLETED, started=earlier)
    )
    run = asyncio.run(desk.record(done("A"), failed("B"), reason="stopped by SIGINT"))
    wait(desk, SOON)
    listed = desk.ask("jobs").stdout.splitlines()
    assert listed[1] == "  3 connections → csv, resumes; waiting"
    assert listed[2].startswith(f"  last: {run[-4:]}  stopped  ")
    assert listed[2].endswith("  2.5s  1/3  6 rows")
    whole = desk.ask("jobs", "sales").stdout.splitlines()
    assert "  connections: A, B, C" in whole
    assert "  query main: select 1" in whole
    assert "  type extract; 8 at once; 2 retries from 1 s on; drift: fail" in whole
    assert f"  waits: {SOON.run}, priority 10, asked for by ravi␛[2J@desk" in whole
    assert [line for line in whole if len(line) >= 80 and str(desk.folder) not in line] == []
    said = json.loads(desk.ask("jobs", "sales", "--json").stdout)
    assert (said["now"], said["resume"], said["waiting"]) == ("waiting", True, [SOON.run])
    assert said["last"]["run"] == run
    assert [each["status"] for each in said["runs"]] == ["queued", "stopped", "completed"]


def test_a_job_does_not_tell_the_values_that_it_binds(desk):
    desk.configure(CONFIG.replace('"select 1"', '"select :secret"\nparams = { secret = "s3cret" }'))
    for words in (["jobs", "sales"], ["jobs", "sales", "--json"]):
        told = desk.ask(*words)
        assert told.exit_code == 0
        assert "s3cret" not in told.stdout


def test_what_waits_is_served_lowest_first_whoever_left_it(desk):
    wait(desk, LATER, replace(SOON, taken=True))
    told = desk.ask("queue").stdout
    lines = told.splitlines()
    assert lines[0] == "No engine runs: nobody gets a turn before one is started."
    assert lines[1] == "2 waiting (1 not due yet), 0 running"
    assert [line.split()[0] for line in lines[3:]] == [SOON.run, LATER.run, "not"]
    assert "\x1b" not in told
    assert max(map(len, lines)) < 80
    listed = list(map(json.loads, desk.ask("queue", "list", "--json").stdout.splitlines()))
    assert [(each["runId"], each["status"]) for each in listed] == [
        (SOON.run, "pending"),
        (LATER.run, "pending"),
    ]
    assert desk.ask("queue", "list").stdout == told


def test_a_stored_entry_is_served_sooner_or_dropped(desk):
    wait(desk, LATER, SOON)
    assert desk.ask("queue", "priority", LATER.run, 3).stdout.endswith("priority 50 → 3\n")
    listed = list(map(json.loads, desk.ask("queue", "list", "--json").stdout.splitlines()))
    assert [each["priority"] for each in listed] == [3, 10]
    assert desk.ask("queue", "priority", "ZZZZ", 3).exit_code == 2
    assert desk.ask("queue", "priority", LATER.run, 1001).exit_code == 2
    refused = desk.ask("queue", "clear")
    assert refused.exit_code == 2
    assert "nothing was cancelled. Say --yes" in refused.stderr
    assert desk.ask("queue", "clear", "--yes").stdout == "2 runs cancelled\n"
    assert desk.ask("queue", "list", "--json").stdout == ""


def test_a_pause_of_an_unknown_job_is_refused_and_one_twice_is_none(desk):
    desk.configure()
    refused = desk.ask("queue", "pause", "sale")
    assert refused.exit_code == 2
    assert "there is no job 'sale'" in refused.stderr
    assert desk.ask("queue", "pause", "sales").stdout == "sales is paused\n"
    assert desk.ask("queue", "pause", "sales").stdout == "sales was already paused\n"
    assert "; paused" in desk.ask("jobs").stdout
    assert "  paused: gets no turn until" in desk.ask("jobs", "sales").stdout
    desk.configure("")  # the job is gone; its pause can be ended still
    assert desk.ask("queue", "resume", "sales").stdout == "sales goes on\n"
    assert desk.ask("queue", "resume", "sales").stdout == "sales was not paused\n"


def test_a_pause_of_the_whole_queue_is_one_of_every_job_and_of_none_by_name(desk):
    desk.configure()
    assert desk.ask("queue", "pause").stdout == "the queue is paused\n"
    told = desk.ask("queue").stdout
    assert "The queue is paused; let it go on with: etltui queue resume" in told
    assert "Paused jobs" not in told
    assert "; paused" in desk.ask("jobs").stdout
    assert desk.ask("queue", "resume").stdout == "the queue goes on\n"


@pytest.mark.parametrize("name", ["queue", "pools"])
def test_options_that_no_command_would_get_are_refused(desk, name):
    assert desk.ask(name, "--json", "list").exit_code == 2
    assert desk.ask(name, "--help").exit_code == 0
    assert desk.ask(name, "show", "--json").stdout == desk.ask(name, "--json").stdout


def test_a_pool_is_named_by_a_part_that_no_other_has():
    other = replace(sample.STATS, pool=f"{sample.POOL}_2")
    assert _one_pool([sample.STATS, other], sample.POOL) == sample.POOL
    assert _one_pool([sample.STATS, other], "branch_2") == other.pool
    with pytest.raises(ConfigError, match="'branch' means 2 pools"):
        _one_pool([sample.STATS, other], "branch")
    with pytest.raises(ConfigError, match=r"means 0 pools\. There are none yet"):
        _one_pool([], "branch")


def test_of_many_pools_some_are_named_and_the_way_to_all():
    many = [replace(sample.STATS, pool=f"pool_{number}") for number in range(9)]
    with pytest.raises(
        ConfigError, match=r"'nix' means 0 .* one of pool_0, .*, pool_4, …; "
    ) as told:
        _one_pool(many, "nix")
    assert "etltui pools list" in str(told.value)


class Remote:
    """An engine that has locked one pool, and whose configuration is the desk's."""

    hello = SimpleNamespace(config="etltui.toml")

    async def get_pool_metrics(self):
        return replace(pools(), locked_credentials=("sqlite b.db",))


def test_what_can_be_released_is_a_credential_or_a_locked_pool(desk):
    desk.configure(f'{CONFIG}[credentials.branches]\nuser = "r"\n')
    for name in ("branches", "sqlite b.db"):
        asyncio.run(_known_login(Remote(), name))
    with pytest.raises(ConfigError, match=r"locked pool 'branch'\. Did you mean \"branches\"\?"):
        asyncio.run(_known_login(Remote(), "branch"))
    desk.configure("not TOML by now")
    asyncio.run(_known_login(Remote(), "sqlite b.db"))  # what is locked needs no file


def test_a_pool_that_drains_says_so_and_a_long_name_is_cut():
    drained = replace(sample.STATS, pool="p" * 90, draining=True, leaks=(), last_error="e\x1b[2J")
    lines = fitted(list(each([drained]))).splitlines()
    assert max(map(len, lines)) < 80
    assert lines[1:] == ["    draining", "    e␛[2J"]

"""Warnings: what is allowed but likely a mistake; each alone, and none for what is usual."""

from dataclasses import replace
from datetime import date

import pytest

from etltui.config.advice import warnings
from etltui.config.memory import Available
from etltui.config.themes import COLOURS
from etltui.domain.job import Connection, Destination, WebhookOptions
from unit.config.config_desk import BASE

DAY = date(2026, 11, 21)
PLENTY = Available(mb=64000, what="available memory")


def many(count, **more):
    said = {"kind": "sqlite", "url": "", **more}
    return tuple(Connection(name=f"b{n}", **{**said, "database": f"/{n}"}) for n in range(count))


@pytest.fixture
def config(desk):
    """A configuration of one job over as many connections as asked for."""

    def made(*, text="", more="", connections=2, job='connections = ["*"]\nquery = "SELECT 1"'):
        base = BASE.replace('connections = ["a", "b"]\nquery = "SELECT 1"', job)
        loaded = desk.load(text + base.format(more=more, options=""))
        if isinstance(connections, int):
            connections = many(connections)
        return replace(loaded, connections=connections)

    return made


def told(config, memory=PLENTY):
    return [str(each) for each in warnings(config, DAY, memory)]


def one(config, memory=PLENTY):
    (only,) = told(config, memory)
    return only


def test_what_is_usual_is_no_warning(config):
    assert told(config()) == []
    assert told(config(connections=20)) == []
    assert told(config(), Available(mb=None, what="")) == []


def test_a_large_job_should_resume_and_be_tried_small_first(config):  # S3-28
    said = one(config(connections=21))
    assert said.startswith("jobs.j.resume: the job reads 21 connections, and a run that breaks off")
    assert "Set resume = true, and try it with a few first: etltui run j --only NAME" in said
    assert told(config(connections=21, more="resume = true")) == []
    assert told(config(connections=21, text="settings.resume_jobs = true\n")) == []
    off = config(connections=21, text="settings.resume_jobs = false\n", more="resume = true")
    assert "begins again" in one(off)


def test_closed_connections_make_no_job_large(config):
    closed = many(9, closed=date(2026, 11, 20))
    assert told(config(connections=many(20) + closed)) == []


def test_a_job_without_any_connection_of_the_day_is_told(config):
    said = one(config(connections=many(3, opened=date(2026, 11, 22))))
    assert said.startswith(
        "jobs.j.connections: all its connections are closed or not yet open on 2026-11-21"
    )


def test_a_query_of_whole_tables_needs_time(config):  # S3-28
    whole = 'connections = ["*"]\nquery = "SELECT * FROM sales"'
    assert told(config(job=whole)) == []
    said = one(config(job=whole, more="query_timeout_s = 299"))
    assert said == (
        "jobs.j.query_timeout_s: query main reads whole tables, but has only 299 s. "
        "Set query_timeout_s to 300 or more, or narrow the query"
    )
    assert "only 30 s" in one(config(job=whole, text="settings.query_timeout_s = 30\n"))
    narrow = 'connections = ["*"]\nquery = "SELECT * FROM sales WHERE day = 1"'
    assert told(config(job=narrow, more="query_timeout_s = 10")) == []


def test_a_threshold_above_the_memory_is_told(config):  # S3-28
    high = config(text="settings.memory_threshold_mb = 4096\n")
    assert told(high, Available(mb=4096, what="memory of the cgroup")) == []
    assert one(high, Available(mb=4095, what="memory of the cgroup")) == (
        "settings.memory_threshold_mb: 4096 MB is more than the 4095 MB of memory of the cgroup: "
        "the machine runs out before work waits. "
        "Set at most 2047, half of it, or 0 to leave it to the program"
    )


def test_a_profile_that_the_machine_is_too_small_for_is_told(config, desk):
    machine = desk.folder / "machine" / "proc"
    machine.mkdir(parents=True)
    (machine / "meminfo").write_text(f"MemAvailable: {3000 * 1024} kB\n")
    small = config(text='settings.profile = "rows_1m"\n')
    said = one(small, Available(mb=3000, what="available memory"))
    assert "the profile rows_1m asks for 2048 MB, but 1500 MB is half of the available" in said
    own = config(text='settings = { profile = "rows_1m", memory_threshold_mb = 900 }\n')
    assert told(own, Available(mb=3000, what="available memory")) == []


@pytest.mark.parametrize(
    ("text", "databases", "warned"),
    [
        ("max_connections = 500, max_per_host = 98, pool_size = 50", 2, True),
        ("max_connections = 500, max_per_host = 97, pool_size = 50", 2, False),
        ("max_connections = 97, max_per_host = 500, pool_size = 50", 2, False),
        ("max_connections = 500, max_per_host = 500, pool_size = 50", 1, False),
    ],
)
def test_more_sessions_than_a_server_usually_takes_are_told(config, text, databases, warned):
    """S0-126: what the server allows is high enough."""
    there = tuple(
        Connection(name=f"p{n}", kind="postgresql", url="", host="Db", database=f"d{n % databases}")
        for n in range(4)
    )
    found = config(text=f"settings = {{ {text} }}\n", connections=there)
    said = (
        "settings.max_per_host: db may get 98 sessions, but a postgresql server usually allows 97. "
        "Set max_per_host to less than 97, or look what the server allows"
    )
    assert told(found) == ([said] if warned else [])
    others = tuple(replace(each, kind="mssql") for each in there)
    assert told(replace(found, connections=others)) == []


def test_checkpoints_that_pile_up_are_told(config):  # S3-28
    assert told(config(text="settings.checkpoint_keep_days = 90\n")) == []
    assert one(config(text="settings.checkpoint_keep_days = 91\n")).startswith(
        "settings.checkpoint_keep_days: checkpoints of 91 days pile up"
    )


def test_what_the_local_file_says_of_nothing_is_told(config, desk):
    desk.write("[connections.gone]\ntags = []", "etltui.local.toml")
    said = one(config())
    assert said.startswith("connections.gone: the local file says something of it")
    assert "Take it out of" in said
    assert "etltui.local.toml" in said


def test_a_theme_that_is_not_there_names_the_nearest(config):
    said = one(config(text='console.theme = "etltui-drak"\n'))
    assert 'there is no theme "etltui-drak". Did you mean "etltui-dark"?' in said


def test_a_theme_that_cannot_be_read_is_told_whether_by_eyes_or_by_the_program(config, desk):
    colours = dict.fromkeys(COLOURS, '"#808080"') | {"name": '"fog"', "dark": "true"}
    desk.write("".join(f"{key} = {text}\n" for key, text in colours.items()), "themes/fog.toml")
    desk.write('name = "torn"', "themes/torn.toml")
    desk.write("name =", "themes/not.toml")
    said = told(config(text='console.theme = "fog"\n'))
    assert said[0].startswith('themes."not.toml": is not valid TOML')
    assert said[1].startswith('themes."torn.toml".dark: is missing')
    assert 'bad of the theme "fog" can hardly be read on its background' in said[-1]


def test_rows_that_are_sent_before_the_run_has_ended_cannot_be_taken_back(config):
    base = config()
    (job,) = base.jobs.values()
    sent = {
        flag: Destination(
            type="webhook",
            path="x.jsonl",
            options=WebhookOptions(url="https://hq/rows", progressive=flag),
        )
        for flag in (True, False)
    }
    both = replace(job, destinations=(*job.destinations, sent[True], sent[False]))
    said = one(replace(base, jobs={"j": both}))
    assert said.startswith("jobs.j.destinations[2].progressive: the receiver gets rows of a run")


def test_n_18_a_code_that_nothing_asks_for_is_told(config):
    lost = many(1, identity="017")
    assert one(config(connections=lost)) == (
        "connections.b0.identity: nothing asks its database for it. "
        'Set identity_query = "SELECT …", for it, its tag or its job'
    )
    asked = config(connections=lost, more='identity_query = "SELECT 1"')
    assert told(asked) == []
    assert told(config(connections=many(1, identity="017", identity_query="SELECT 1"))) == []

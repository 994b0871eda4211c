"""Run types, and what a job says of its place in the queue and of its end."""

import pytest

from etltui.domain.job import OnFinish, RunType
from unit.config.config_desk import BASE


def test_extract_is_there_in_any_case(desk):
    config = desk.load("settings.max_jobs_per_type = 7")
    assert config.run_types == {"extract": RunType(name="extract", limit=7)}


def test_a_run_type_says_priority_and_limit(desk):
    config = desk.load("""
        [run_types.nightly]
        priority = 500
        [run_types.extract]
        limit = 2
    """)
    assert config.run_types == {
        "extract": RunType(name="extract", limit=2),
        "nightly": RunType(name="nightly", priority=500, limit=5),
    }


@pytest.mark.parametrize(
    ("line", "key", "said"),
    [
        ("priority = -1", "priority", "-1 is out of range. Allowed: 0 to 1000"),
        ("limit = 51", "limit", "51 is out of range. Allowed: 1 to 50"),
        ("prio = 1", "prio", 'is not a known key. Did you mean "priority"?'),
    ],
)
def test_a_wrong_key_of_a_run_type_is_refused(desk, line, key, said):
    assert desk.mistake(f"[run_types.x]\n{line}") == (f"run_types.x.{key}", said)


def test_a_job_leaves_its_place_to_type_and_settings_unless_it_says_so(desk):
    job = desk.job()
    assert (job.type, job.priority, job.overlap, job.on_finish) == ("extract", None, None, None)
    desk.write(
        BASE.format(
            more="""
type = "nightly"
priority = 0
overlap = "refuse"
on_finish = { command = ["mail", "-s", "", "-s"], timeout_s = 5 }
            """,
            options="[run_types.nightly]",
        ),
    )
    job = desk.load().jobs["j"]
    assert (job.type, job.priority, job.overlap) == ("nightly", 0, "refuse")
    assert job.on_finish == OnFinish(command=("mail", "-s", "", "-s"), timeout_s=5)


@pytest.mark.parametrize(
    ("line", "key", "said"),
    [
        ('type = "extrct"', "type", 'there is no run type "extrct". Did you mean "extract"?'),
        ('type = "zz"', "type", 'there is no run type "zz". Add a [run_types.zz]'),
        ("priority = 1001", "priority", "1001 is out of range. Allowed: 0 to 1000"),
        ('overlap = "wait"', "overlap", "Allowed: join, refuse, queue"),
        ("on_finish = {}", "on_finish.command", "is missing"),
        ("on_finish = { command = [] }", "on_finish.command", "names no program"),
        ("on_finish = { command = [' '] }", "on_finish.command", "names no program"),
        ('on_finish = { command = ["a\\u0000"] }', "on_finish.command", "names no program"),
        ("on_finish = { command = 'x' }", "on_finish.command", "is not a list of texts"),
        ("on_finish = { command = [1] }", "on_finish.command", "is not a list of texts"),
        (
            "on_finish = { command = ['x'], timeout_s = 0 }",
            "on_finish.timeout_s",
            "0 is out of range. Allowed: 1 to 3600",
        ),
        ("on_finish = { command = ['x'], shell = true }", "on_finish.shell", "not a known key"),
    ],
)
def test_a_wrong_key_of_a_job_is_refused(desk, line, key, said):
    found, sentence = desk.job_mistake(line)
    assert found == f"jobs.j.{key}"
    assert said in sentence


def test_the_settings_are_the_default_of_every_retry(desk):
    text = "settings = { retries = 9, retry_delay_s = 40, retry_multiplier = 3, "
    text += "retry_max_delay_s = 50 }\n"
    retry = desk.load(text + BASE.format(more="", options="")).jobs["j"].retry
    assert (retry.retries, retry.delay_s, retry.multiplier, retry.max_delay_s) == (9, 40, 3, 50)
    more = "retry = { delay_s = 60, retries = 1 }"
    retry = desk.load(text + BASE.format(more=more, options="")).jobs["j"].retry
    assert (retry.retries, retry.delay_s, retry.multiplier, retry.max_delay_s) == (1, 60, 3, 60)

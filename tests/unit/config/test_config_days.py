"""What a job says of its business day and of its control queries: N-7, N-9, N-10."""

import pytest

from unit.config.config_desk import BASE


@pytest.mark.parametrize(
    ("said", "day"),
    [("'today'", "today"), ("'yesterday'", "yesterday"), ("-3", "-3"), ("0", "0")],
)
def test_n_10_a_job_says_its_business_day(desk, said, day):
    job = desk.job(f"business_day = {said}\nday_lag_h = 4")
    assert (job.business_day, job.day_lag_h) == (day, 4)


def test_a_param_may_hold_the_day_and_other_braces(desk):
    job = desk.job("params = { a = '{day_start:%Y%m%d}', b = '{x}', c = '{\"a\": 1}' }")
    assert job.queries[0].params == {"a": "{day_start:%Y%m%d}", "b": "{x}", "c": '{"a": 1}'}


def test_n_7_a_query_has_its_control(desk):
    [query] = desk.job(
        "control = 'select count(*) as rows from x'\ncontrol_tolerance = 0.01\non_control = 'warn'"
    ).queries
    assert query.control == "select count(*) as rows from x"
    assert (query.control_tolerance, query.on_control) == (0.01, "warn")


def test_each_of_several_queries_has_its_own_control_and_shares_how_it_is_taken(desk):
    text = """
    [connections.branch_1]
    url = "sqlite:///a.db"
    [jobs.j]
    connections = ["*"]
    on_control = "warn"
    control_tolerance = 1
    destinations = [{ type = "excel", path = "x.xlsx" }]
    [jobs.j.queries.a]
    sql = "select 1"
    control = "select 1 as rows"
    on_control = "fail"
    [jobs.j.queries.b]
    sql = "select 2"
    [jobs.j.overrides.branch_1]
    b = "select 3"
    [jobs.j.overrides.branch_1.a]
    sql = "select 4"
    control = ""
    """
    job = desk.load(text).jobs["j"]
    assert [(q.control, q.control_tolerance, q.on_control) for q in job.queries] == [
        ("select 1 as rows", 1, "fail"),
        ("", 1, "warn"),
    ]
    assert job.overrides == {
        "branch_1": {"b": "select 3", "a": "select 4", "control of a": ""},
    }


@pytest.mark.parametrize(
    ("more", "key", "said"),
    [
        ("business_day = 'tomorow'", "business_day", 'Write "today", "yesterday", or the days'),
        ("business_day = 1", "business_day", "1 is out of range"),
        ("business_day = true", "business_day", "true is no day"),
        ("business_day = ['today']", "business_day", "a list is no day"),
        ("day_lag_h = 24", "day_lag_h", "Allowed: 0 to 23"),
        ("params = { a = '{day_stat}' }", "params.a", 'Did you mean "day_start"?'),
        ("params = { a = '{day:%Q}' }", "params.a", 'the form "%Q" of {day} is not understood'),
        ("params = { a = '{day:%H%}' }", "params.a", "is not understood. Allowed: %Y"),
        ("overrides = { a = 'x > {day_end}' }", "overrides.a", "Write :day_end without quotes"),
        ("control = 'x > {day_end}'", "control", "Write :day_end without quotes around it"),
        ("control = ''", "control", "is empty"),
        ("day_closed = 'x > {day_end}'", "day_closed", "Write :day_end without quotes"),
        (
            "day_closed = 'select 1'\nday_until = 'select 2'",
            "day_until",
            "and day_closed are said together. Write one of them",
        ),
        ("control_tolerance = -1", "control_tolerance", "Allowed: 0 to"),
        ("on_control = 'wran'", "on_control", 'Did you mean "warn"? Allowed: fail, warn'),
    ],
)
def test_what_is_wrong_is_refused_in_words(desk, more, key, said):
    where, text = desk.job_mistake(more)
    assert where == f"jobs.j.{key}"
    assert said in text


def test_a_connection_s_own_sql_is_text_or_a_table(desk):
    mistakes = desk.mistakes(BASE.format(more="overrides = { a = { main = 5 } }", options=""))
    assert ("jobs.j.overrides.a.main", "5 is not a table. Write [jobs.j.overrides.a.main]") in [
        (key, said.partition(" and its")[0]) for key, said in mistakes
    ]


def test_braces_in_a_query_that_name_no_bound_of_the_day_are_its_own(desk):
    """N-10: only what would be bound is misplaced there."""
    sql = "select '{day_of_week}', '{day}' from x where t >= :day_start"
    assert desk.job(f'control = "{sql}"').queries[0].control == sql


def test_n_7_a_control_over_several_queries_does_not_say_which_one_it_holds(desk):
    text = """
    [connections.a]
    url = "sqlite:///a.db"
    [jobs.j]
    connections = ["*"]
    control = "select 1 as rows"
    destinations = [{ type = "excel", path = "x.xlsx" }]
    [jobs.j.queries]
    bills = "select 1"
    """
    assert desk.mistake(text) == (
        "jobs.j.control",
        "does not say which query it controls. Write it into [jobs.j.queries.NAME]",
    )

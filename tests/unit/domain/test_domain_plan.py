"""What makes parts of one attempt fit the next: plan hash and connection hash."""

from dataclasses import fields, replace

import pytest

from etltui.domain.columns import Column
from etltui.domain.job import (
    Connection,
    CsvOptions,
    Destination,
    ExcelOptions,
    Job,
    OnFinish,
    Query,
    RetryPolicy,
)
from etltui.domain.plan import (
    Plan,
    connection_hash,
    differences,
    plan_connection,
    plan_hash,
)

CSV = Destination(type="csv", path="a.csv", options=CsvOptions())
JOB = Job(
    name="sales",
    title="Sales",
    connections=("*",),
    queries=(Query(name="main", sql="select 1", params={"a": 1}),),
    destinations=(CSV,),
)
CHANGES = {
    "query main": {"queries": (Query(name="main", sql="select 2", params={"a": 1}),)},
    "columns": {"columns": ("id",)},
    "aliases": {"aliases": {"x": "y"}},
    "drift": {"drift": "align"},
    "day_lag_h": {"day_lag_h": 4},
    "destinations": {"destinations": (replace(CSV, options=CsvOptions(delimiter=";")),)},
}
HARMLESS = {
    "title": "Other",
    "connections": ("A",),
    "max_parallel": 99,
    "resume": True,
    "retry": RetryPolicy(retries=9),
    "query_timeout_s": 1,
    "stall_timeout_s": 1,
    "keep_parts_days": 1,
    "overrides": {"A": {"main": "select 3"}},  # its own hash tells: see `connection_hash`
    "type": "nightly",
    "priority": 1,
    "overlap": "refuse",
    "on_finish": OnFinish(command=("true",)),
    "enabled": False,
    "canary": True,
    "deadline": "07:00",
    "cut_off": "07:00",
    "late_until": "11:00",
    "business_day": "today",
    "day_closed": "select 1",
    "day_until": "select 1",
    "day_until_slack_h": 1.0,
    "provisional_days": 1,
    "outside_hours": "wait",
    "procedures": ("dbo.report",),
    "on_suspicious": "fail",
    "verify": "full",
    "identity_query": "SELECT code FROM company",
    "hedge_after_s": 30,
    "name": "other",
    "folder": JOB.folder / "elsewhere",
}


@pytest.mark.parametrize(("name", "change"), CHANGES.items())
def test_what_decides_the_bytes_changes_the_hash_and_is_named(name, change):
    changed = replace(JOB, **change)
    assert plan_hash(changed) != plan_hash(JOB)
    assert differences(JOB, changed) == (name,)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_not_leaves_it(name):
    changed = replace(JOB, **{name: HARMLESS[name]})
    assert changed != JOB
    assert plan_hash(changed) == plan_hash(JOB)
    assert differences(JOB, changed) == ()


def test_every_field_of_a_job_is_one_or_the_other():
    decides = {key for change in CHANGES.values() for key in change}
    assert decides | set(HARMLESS) == {each.name for each in fields(Job)}


def test_params_type_and_every_option_decide_too():
    params = replace(JOB, queries=(replace(JOB.queries[0], params={"a": 2}),))
    assert differences(JOB, params) == ("query main",)
    excel = replace(JOB, destinations=(replace(CSV, type="excel", options=ExcelOptions()),))
    assert differences(JOB, excel) == ("destinations",)
    for each in fields(CsvOptions):
        changed = replace(CsvOptions(), **{each.name: "changed"})
        other = replace(JOB, destinations=(replace(CSV, options=changed),))
        assert plan_hash(other) != plan_hash(JOB), each.name


def test_a_path_may_change_and_queries_may_not():
    moved = replace(JOB, destinations=(replace(CSV, path="b.csv"),))
    assert plan_hash(moved) == plan_hash(JOB)
    more = replace(JOB, queries=(*JOB.queries, Query(name="second", sql="x")))
    assert differences(JOB, more) == ("queries", "query second")
    assert differences(more, JOB) == ("query second", "queries")


def test_a_hash_is_the_same_in_every_process():
    assert plan_hash(JOB) == plan_hash(replace(JOB, queries=(replace(JOB.queries[0]),)))
    assert len(plan_hash(JOB)) == 16
    int(plan_hash(JOB), 16)


A = Connection(
    name="A",
    kind="mysql",
    url="mysql://h/db",
    host="h",
    port=1,
    database="db",
    credential="c",
)


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"kind": "x"}, True),
        ({"host": "x"}, True),
        ({"port": 2}, True),
        ({"database": "x"}, True),
        ({"credential": "x"}, True),
        ({"host": "H"}, False),
        ({"name": "B"}, False),
        ({"url": "mysql://h/db?password=x"}, False),
        ({"options": {"password": "x"}}, False),
        ({"tags": ("x",)}, False),
        ({"contact": "Asha"}, False),
    ],
)
def test_a_connection_hash_tells_databases_apart_and_nothing_else(change, differs):
    assert (connection_hash(replace(A, **change), {}) != connection_hash(A, {})) is differs


def test_a_connections_own_sql_is_in_its_hash_and_its_queries():
    job = replace(JOB, overrides={"A": {"main": "select 9"}})
    own, plain = plan_connection(1, A, job), plan_connection(1, A, JOB)
    assert (own.name, own.queries[0].sql, own.queries[0].params) == ("A", "select 9", {"a": 1})
    assert plain.queries == JOB.queries
    assert own.hash != plain.hash


def test_columns_are_fixed_by_a_copy(tmp_path):
    from datetime import UTC, datetime

    plan = Plan(
        run="R",
        job=JOB,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        connections=(),
        targets=(str(tmp_path),),
    )
    fixed = plan.with_columns([[Column(name="a")]])
    assert (plan.columns, fixed.columns) == ((), ((Column(name="a"),),))

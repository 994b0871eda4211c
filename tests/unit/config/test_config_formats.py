"""Parquet and JSON destinations: their options, the names of their targets, folders among them."""

import pytest

from etltui.domain.job import Destination, JsonOptions, ParquetOptions
from etltui.domain.targets import MANIFEST

JOB = """
settings.state_dir = "{state}"
connections.a.url = "sqlite:///data/a.db"
[jobs.j]
connections = ["a"]
query = "SELECT 1"
destinations = [{destinations}]
"""


def text(*destinations, state="state"):
    return JOB.format(destinations=", ".join(f"{{ {d} }}" for d in destinations), state=state)


def folder(path):
    return f"type = 'parquet', layout = 'folder', path = '{path}'"


def refused(desk, *destinations, **more):
    return desk.mistake(text(*destinations, **more))[1]


def test_options_are_read(desk):
    found = desk.load(
        text(
            "type = 'parquet', path = 'x.parquet', compression = 'snappy', text_columns = ['a'], "
            "misfits = 'null', connection_column = 'branch'",
            "type = 'jsonl', path = 'x.ndjson.gz', big_numbers = 'text', not_finite = 'text'",
            "type = 'json', path = 'x.JSON', binary = 'hex', connection_column = ''",
            folder("lake/{job}/{date:%Y.%m.%d}"),
        ),
    )
    assert found.jobs["j"].destinations == (
        Destination(
            type="parquet",
            path="x.parquet",
            options=ParquetOptions(
                compression="snappy",
                text_columns=("a",),
                misfits="null",
                connection_column="branch",
            ),
        ),
        Destination(
            type="jsonl",
            path="x.ndjson.gz",
            options=JsonOptions(big_numbers="text", not_finite="text"),
        ),
        Destination(
            type="json",
            path="x.JSON",
            options=JsonOptions(binary="hex", connection_column=""),
        ),
        Destination(
            type="parquet",
            path="lake/{job}/{date:%Y.%m.%d}",
            options=ParquetOptions(layout="folder"),
        ),
    )
    assert [d.is_folder for d in found.jobs["j"].destinations] == [False, False, False, True]


@pytest.mark.parametrize(
    ("destination", "said"),
    [
        ("type = 'parquet', path = 'x.csv'", '"x.csv" is no name of a Parquet file. Let it end in'),
        ("type = 'jsonl', path = 'x.json'", '"x.json" is no name of a file of JSON lines'),
        ("type = 'json', path = 'x.jsonl'", '"x.jsonl" is no name of a JSON file'),
        ("type = 'json', path = 'x.gz'", "Let it end in .json or .json.gz"),
        (folder("x.parquet"), '"x.parquet" is no name of a folder. Leave out the ending'),
        ("type = 'parquet', path = 'x.parquet', compression = 'gzip'", "zstd, snappy"),
        ("type = 'json', path = 'x.json', binary = 'hexa'", "hex"),
    ],
)
def test_a_wrong_one_is_refused_in_words(desk, destination, said):
    assert said in refused(desk, destination)


@pytest.mark.parametrize(
    ("destination", "what"),
    [
        ("type = 'csv', path = 'x.csv'", "a CSV file"),
        ("type = 'parquet', path = 'x.parquet'", "a Parquet target"),
        (folder("x"), "a Parquet target"),
        ("type = 'jsonl', path = 'x.jsonl'", "a file of JSON lines"),
        ("type = 'json', path = 'x.json'", "a JSON file"),
    ],
)
def test_several_queries_need_a_workbook(desk, destination, what):
    excel = "type = 'excel', path = 'x.xlsx'"
    several = text(excel, destination).replace('query = "SELECT 1"', "queries = {a='x', b='y'}")
    key, said = desk.mistake(several)
    assert key == "jobs.j.destinations"
    assert said == (
        f"{what} holds the rows of one query, and the job has 2. "
        "Put {query} into its path for a file of each, use an excel destination, or make a job of "
        "each query"
    )


def test_a_folder_of_an_earlier_run_may_be_replaced_and_no_other(desk):
    lake = desk.folder / "lake"
    assert desk.load(text(folder("lake")))
    lake.mkdir()
    assert desk.load(text(folder("lake")))
    (lake / MANIFEST).write_text('{"files": [{"name": "a.parquet"}]}')
    (lake / "a.parquet").touch()
    assert desk.load(text(folder("lake")))
    (lake / "notes.txt").touch()
    assert refused(desk, folder("lake")) == (
        f'{lake} holds "notes.txt", which no run has put there. '
        "Name another folder: it is replaced as a whole"
    )


def test_a_file_is_no_folder_to_replace(desk):
    (desk.folder / "lake").touch()
    assert refused(desk, folder("lake")) == f"{desk.folder}/lake is a file. Name a folder"


@pytest.mark.parametrize("outer_first", [True, False])
def test_no_target_lies_in_a_folder_that_is_replaced(desk, outer_first):
    both = [folder("lake/{job}"), "type = 'csv', path = 'lake/{job}/deep/x.csv'"]
    said = refused(desk, *both[:: 1 if outer_first else -1])
    assert "lie in each other: a folder is replaced as a whole" in said
    assert desk.load(text(folder("lake/a"), "type = 'csv', path = 'lake/a.csv'"))


@pytest.mark.parametrize("state", ["lake", "lake/state"])
def test_no_folder_holds_the_state_folder(desk, state):
    assert "lies in the state folder" in refused(desk, folder("lake"), state=state)


def test_s4_38_each_query_has_a_file_where_the_path_names_it(desk):
    several = text(
        "type = 'csv', path = 'out/{{x}}_{job}_{query}_{date:%Y}.csv'",
        "type = 'excel', path = 'x.xlsx'",
    ).replace('query = "SELECT 1"', "queries = {a='x', 'b c'='y'}")
    job = desk.load(several).jobs["j"]
    assert [(each.path, each.query) for each in job.destinations] == [
        ("out/{{x}}_{job}_a_{date:%Y}.csv", "a"),
        ("x.xlsx", ""),
        ("out/{{x}}_{job}_b c_{date:%Y}.csv", "b c"),
    ]


def test_the_one_query_of_a_job_may_be_named_in_a_path_too(desk):
    [found] = desk.load(text("type = 'csv', path = '{query}.csv'")).jobs["j"].destinations
    assert (found.path, found.query) == ("main.csv", "main")


def test_a_webhook_is_of_one_query_whatever_its_record_is_called(desk):
    hook = "type = 'webhook', url = 'https://x.example/y', path = '{query}.jsonl'"
    several = text(hook).replace('query = "SELECT 1"', "queries = {a='x', b='y'}")
    key, said = desk.mistake(several)
    assert (key, said.endswith("Make a job of each query")) == ("jobs.j.destinations", True)

"""Jobs from the JSON of other programs: the shapes that are understood, and what is refused."""

import pytest

from etltui.config.checks import RefusedError
from etltui.config.job_json import imported
from etltui.config.mounts import Mounts, check_here, is_windows
from etltui.domain.errors import ConfigError

MOUNTS = Mounts({"D:/Reports": "/mnt/reports", r"\\srv\share": "/mnt/share/"})
TARGET = {"type": "excel", "filePath": "D:/Reports/{jobName}.xlsx", "mode": "replace"}
JOB = {"id": "gst", "name": "GST Sales", "connections": ["b1", "b2"], "destinations": [TARGET]}


def read(value, known=()):
    return imported(value, "jobs.json", known=known, mounts=MOUNTS)


def one(**more):
    return read({**JOB, "query": "SELECT 1", **more}).jobs["gst"]


def mistakes(value):
    with pytest.raises(ConfigError) as caught:
        read(value)
    assert {each.where for each in caught.value.mistakes} <= {"jobs.json"}
    return [(each.key, each.problem) for each in caught.value.mistakes]


def test_the_job_of_the_documents_becomes_a_table():  # S3-11
    found = read({**JOB, "query": " SELECT 1\n"})
    assert found.jobs == {
        "gst": {
            "title": "GST Sales",
            "connections": ["b1", "b2"],
            "query": "SELECT 1",
            "destinations": [
                {"type": "excel", "path": "/mnt/reports/{jobName}.xlsx", "mode": "replace"},
            ],
        },
    }
    assert found.notes == (
        'destinations[1]: "D:/Reports/{jobName}.xlsx" is written as "/mnt/reports/{jobName}.xlsx"',
    )


def test_a_csv_destination_keeps_its_options():  # S3-12
    csv = {"type": "csv", "filePath": "out.csv", "delimiter": ";", "includeHeaders": False}
    for shape in (csv, {"type": "csv", "config": {**csv, "type": "x"}}):
        (table,) = one(destinations=[shape])["destinations"]
        assert table == {
            "type": "csv",
            "path": "out.csv",
            "delimiter": ";",
            "include_headers": False,
        }


@pytest.mark.parametrize(
    ("said", "table"),
    [
        ({"query": None, "sql": "S"}, {"query": "S"}),
        ({"query": None, "queries": ["S"]}, {"query": "S"}),
        ({"queries": ["S", "T"]}, {"queries": {"query_1": "S", "query_2": "T"}}),
        (
            {"queries": [{"Name": "a", "SQL": "S"}, {"id": 7, "query": "T"}]},
            {"queries": {"a": "S", "7": "T"}},
        ),
        ({"queries": {"a": "S", "b": {"text": "T"}}}, {"queries": {"a": "S", "b": "T"}}),
        ({"query": {"sql": "S"}}, {"query": "S"}),
    ],
)
def test_queries_are_understood_in_every_shape(said, table):  # S3-13
    found = one(**said)
    assert {key: found[key] for key in ("query", "queries") if key in found} == table


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"connections": "b1"}, ["b1"]),
        ({"connections": [7, "b", "b"]}, ["7", "b"]),
        ({"connections": None, "connectionIds": ["x"]}, ["x"]),
        ({"connections": [{"id": "k1", "name": "Branch"}]}, ["Branch"]),
        ({"connections": [{"connectionId": "known", "name": "Branch"}]}, ["known"]),
    ],
)
def test_connections_are_understood_in_every_shape(said, names):
    found = read({**JOB, "query": "S", **said}, known=["known"])
    assert found.jobs["gst"]["connections"] == names


def test_one_job_a_list_of_jobs_or_a_list_under_jobs():
    second = {**JOB, "id": None, "name": "Stock / daily", "query": "S", "resume": True}
    for value in ([second], {"jobs": [second]}, second):
        assert list(read(value).jobs) == ["Stock _ daily"]
        assert read(value).jobs["Stock _ daily"]["title"] == "Stock / daily"
        assert read(value).jobs["Stock _ daily"]["resume"] is True
    assert "title" not in one(name="gst")


def test_what_is_not_taken_over_is_told():
    hook = {"type": "webhook", "url": "http://x"}
    found = read([{**JOB, "query": "S", "schedule": "0 2 * * *", "destinations": [hook, TARGET]}])
    assert found.notes[0] == (
        '[1].destinations[1]: not taken over: no destination of type "webhook" here'
    )
    assert found.notes[2] == "[1]: not taken over: schedule"
    assert len(found.jobs["gst"]["destinations"]) == 1
    extra = {**TARGET, "filePath": "x.xlsx", "sheetName": "A", "mode": "OVERWRITE", "type": "XLSX"}
    found = read({**JOB, "query": "S", "destinations": extra, "color": "red"})
    assert found.notes == (
        "destinations[1]: not taken over: sheetname",
        "the job: not taken over: color",
    )
    assert found.jobs["gst"]["destinations"][0]["mode"] == "replace"


@pytest.mark.parametrize(
    ("said", "table"),
    [(True, {}), (1, {}), (False, {"enabled": False}), (0, {"enabled": False}), (None, {})],
)
def test_a_job_that_is_out_of_service_stays_so(said, table):
    found = read({**JOB, "query": "S", "destinations": [TARGET], "enabled": said})
    kept = {key: value for key, value in found.jobs["gst"].items() if key == "enabled"}
    assert kept == table
    assert not any("enabled" in note for note in found.notes)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ([], [("", "holds no job")]),
        (7, [("", "7 is no job")]),
        ([[]], [("[1]", "a list is no job")]),
        (
            {},
            [
                ("id", "the job has neither id nor name"),
                ("connections", "the job has no connection"),
                ("query", "the job has no query, or an empty one"),
                ("destinations", "the job has no destination that could be taken over"),
            ],
        ),
        (
            [{**JOB, "queries": {"a": ""}, "connections": [{}], "destinations": ["x"]}],
            [
                ("[1].connections", "holds a connection without a name"),
                ("[1].query", "the job has no query, or an empty one"),
                ("[1].destinations[1]", "is no object"),
                ("[1].destinations", "the job has no destination that could be taken over"),
            ],
        ),
        (
            {**JOB, "queries": [{"name": "a", "sql": "S"}, {"name": "a", "sql": "T"}]},
            [("queries", "two have the same name")],
        ),
        (
            [{**JOB, "query": "S"}, {**JOB, "query": "T"}],
            [("[2].id", 'there are two jobs "gst"')],
        ),
        (
            {**JOB, "query": "S", "destinations": [{"type": "csv"}]},
            [("destinations[1].filePath", "is missing")],
        ),
        (
            {**JOB, "query": "S", "destinations": [{"type": "csv", "path": "E:\\x\\y.csv"}]},
            [
                (
                    "destinations[1].filePath",
                    '"E:\\x\\y.csv" is a Windows path, and this machine is not Windows',
                ),
            ],
        ),
    ],
)
def test_what_cannot_be_a_job_is_refused_all_at_once(value, found):
    assert mistakes(value) == found


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("reports/x.xlsx", "reports/x.xlsx"),
        ("/srv/x.xlsx", "/srv/x.xlsx"),
        ("d:\\reports\\2026\\x.xlsx", "/mnt/reports/2026/x.xlsx"),
        (r"\\SRV\Share\a b.csv", "/mnt/share/a b.csv"),
    ],
)
def test_a_windows_path_is_written_as_where_it_is_mounted(there, here):
    assert MOUNTS.here(there) == here


def test_a_windows_path_that_is_nowhere_is_refused_with_the_way_out():
    assert is_windows("C:/x")
    assert not is_windows("c/x")
    for path in ("D:/Reports2/x.xlsx", "D:/Reports.xlsx"):
        with pytest.raises(RefusedError, match="is a Windows path") as caught:
            MOUNTS.here(path)
        assert '--map "D:' in caught.value.way_out
    check_here("reports/x.xlsx")


def test_a_destination_with_a_windows_path_is_refused_before_the_start(desk):
    text = """
        [connections.a]
        url = "sqlite:///a.db"
        [jobs.j]
        connections = ["a"]
        query = "SELECT 1"
        [[jobs.j.destinations]]
        type = "excel"
        path = "D:/Reports/{jobName}.xlsx"
    """
    key, said = desk.mistake(text)
    assert key == "jobs.j.destinations[1].path"
    assert 'Mount the share and write its path here, as in "/mnt/reports/{job}.xlsx"' in said

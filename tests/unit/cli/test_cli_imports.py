"""`etltui import-job` and `etltui import-fleet` in this process."""

import json
import sqlite3
import tomllib
from datetime import date, datetime
from types import SimpleNamespace

import openpyxl
import pytest
from click.testing import CliRunner

from etltui.cli.main import main
from etltui.config.load import load

CONFIG = """
[credentials.reader]
user = "r"
[connections.hq]
url = "sqlite:///hq.db"
[jobs.old]
connections = ["hq"]
query = "SELECT 1"
[[jobs.old.destinations]]
type = "csv"
path = "old.csv"
"""
JOB = {
    "id": "gst",
    "name": "GST Sales",
    "connections": ["hq"],
    "query": "SELECT *\nFROM sales",
    "destinations": [{"type": "excel", "filePath": "D:/Reports/{jobName}.xlsx", "mode": "replace"}],
    "color": "red",
}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with a configuration, and the commands over it."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "etltui.toml"
    path.write_text(CONFIG)

    def ask(*words):
        return CliRunner().invoke(
            main, [*map(str, words), "--config", str(path)], catch_exceptions=False
        )

    def say(name, text):
        (tmp_path / name).write_text(text if isinstance(text, str) else json.dumps(text))
        return tmp_path / name

    return SimpleNamespace(ask=ask, say=say, folder=tmp_path, path=path)


def names(path):
    return [each.name for each in load(path, environ={}).connections]


def test_a_job_is_printed_as_toml_that_check_accepts(desk):
    file = desk.say("job.json", JOB)
    told = desk.ask("import-job", file, "--map", "d:/reports=/tmp/reports")
    assert told.exit_code == 0
    assert told.stdout.startswith("# From job.json\n")
    assert tomllib.loads(told.stdout)["jobs"]["gst"]["title"] == "GST Sales"
    assert '"D:/Reports/{jobName}.xlsx" is written as "/tmp/reports/{jobName}.xlsx"' in told.stderr
    assert "note: the job: not taken over: color" in told.stderr
    assert desk.path.read_text() == CONFIG
    desk.path.write_text(CONFIG + told.stdout)
    assert "gst: 1 connection" in desk.ask("check").output


def test_a_job_is_appended_where_it_is_asked_for(desk):
    file = desk.say("job.json", [JOB, {**JOB, "id": "gst 2", "name": "x"}])
    words = ("import-job", file, "--map", "D:/Reports=out", "--write", desk.path)
    assert desk.ask(*words).stdout == f"{desk.path}: gst, gst 2\n"
    assert desk.path.read_text().startswith(f"{CONFIG.rstrip()}\n\n# From job.json\n")
    assert "3 jobs" in desk.ask("check").output
    told = desk.ask(*words)
    assert told.exit_code == 2
    assert f"job.json: id: there is a job 'gst' in {desk.path} already" in told.stderr
    other = desk.folder / "more.toml"
    desk.path.write_text(CONFIG)
    assert desk.ask(*words[:-1], other).exit_code == 0
    assert list(tomllib.loads(other.read_text())["jobs"]) == ["gst", "gst 2"]


@pytest.mark.parametrize(
    ("job", "words", "said"),
    [
        (JOB, [], '--map "D:/Reports=/mnt/reports"'),
        (JOB, ["--map", "D:/Reports"], "'D:/Reports' does not say what stands where"),
        ({**JOB, "connections": ["hqq"]}, ["--map", "D:=out"], 'Did you mean "hq"?'),
        ("{", [], "job.json: is not JSON: Expecting"),
        ("[" * 100_000, [], "job.json: is nested too deeply"),
    ],
)
def test_what_check_would_refuse_is_refused_and_named(desk, job, words, said):
    file = desk.say("job.json", job)
    told = desk.ask("import-job", file, "--write", desk.path, *words)
    assert told.exit_code == 2
    assert said in told.stderr
    assert desk.path.read_text() == CONFIG


def test_a_file_that_is_not_there_or_not_to_be_read_is_named(desk):
    assert "absent.json: there is no such file" in desk.ask("import-job", "absent.json").stderr
    (desk.folder / "b.json").write_bytes(b"\xff")
    assert "b.json: is not UTF-8 (at line 1, column 1)" in desk.ask("import-job", "b.json").stderr


def test_nothing_is_appended_to_what_would_not_be_toml_then(desk):
    inline = CONFIG.partition("[jobs.old]")[0]
    jobs = 'jobs = { old = { connections = ["hq"], query = "S", destinations = ['
    desk.path.write_text(f'{jobs}{{ type = "csv", path = "o.csv" }}] }} }}\n{inline}')
    file = desk.say("job.json", JOB)
    told = desk.ask("import-job", file, "--map", "D:=out", "--write", desk.path)
    assert told.exit_code == 2
    assert "jobs: nothing can be appended: " in told.stderr
    (desk.folder / "bad.toml").write_bytes(b"\xff")
    bad = desk.ask("import-job", file, "--map", "D:=out", "--write", desk.folder / "bad.toml")
    assert "is not UTF-8" in bad.stderr


def test_a_list_is_compared_first_and_written_when_asked(desk):
    file = desk.say("list.csv", "Code;Host;Town\nb1;h1;Pune\nb2;h2;Goa\n")
    words = ["import-fleet", file, "--column", "name=code", "--column", "tags=Town"]
    words += ["--url", "sqlite:////srv/{host}.db", "--credential", "reader"]
    dry = desk.ask(*words)
    assert dry.exit_code == 0
    assert dry.stdout == "2 new: b1, b2\n0 as before\n"
    assert "nothing was written; give --write branches.csv" in dry.stderr
    target = desk.folder / "branches.csv"
    assert not target.exists()
    told = desk.ask(*words, "--write", target)
    assert told.stdout == f"2 new: b1, b2\n0 as before\n{target}: 2 connections\n"
    desk.path.write_text(f'settings.connections_file = "branches.csv"\n{CONFIG}')
    assert names(desk.path) == ["hq", "b1", "b2"]
    desk.say("list.csv", "Code;Host;Town\nb2;h3;Goa\nb3;h3;Goa\n")
    dry = desk.ask(*words)
    assert dry.stdout == (
        "1 new: b3\n1 changed: b2 (url)\n1 gone, closed from tomorrow: b1\n0 as before\n"
    )
    assert desk.ask(*words, "--write", target).exit_code == 0
    closed = {each.name: each.closed for each in load(desk.path, environ={}).connections}
    assert isinstance(closed.pop("b1"), date)
    assert closed == {"hq": None, "b2": None, "b3": None}


def test_the_first_list_needs_no_file_that_the_configuration_names_already(desk):
    desk.path.write_text(
        'settings.connections_file = "branches.csv"\n'
        + CONFIG.replace('connections = ["hq"]', 'connections = ["b*"]')
    )
    file = desk.say("list.csv", "name,url\nb1,sqlite:///1.db\n")
    assert desk.ask("check").exit_code == 2
    assert desk.ask("import-fleet", file, "--write", "branches.csv").exit_code == 0
    assert desk.ask("check").exit_code == 0


def test_many_names_are_cut_short(desk):
    file = desk.say("l.csv", "name,url\n" + "".join(f"b{n},sqlite:///{n}.db\n" for n in range(12)))
    assert "b8, b9, … 2 more\n" in desk.ask("import-fleet", file).stdout


def test_a_workbook_is_read_as_people_fill_it(desk):
    book = openpyxl.Workbook()
    book.active.append(["Kopf"])
    sheet = book.create_sheet("Branches")
    sheet.append(["Name", "Port", "opened", "closed", "contact"])
    midnight, later = datetime(2019, 4, 1), datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001 - as Excel
    sheet.append(["b1", 5432.0, midnight, date(2031, 3, 31), True])
    sheet.append([None, None])
    sheet.append(["b2", 5433.5, None, None, later])
    book.save(desk.folder / "list.xlsx")
    words = ["import-fleet", "list.xlsx", "--url", "sqlite:///{port}.db", "--write", "out.csv"]
    assert desk.ask(*words, "--sheet", "Branches").exit_code == 0
    assert (desk.folder / "out.csv").read_text().splitlines()[1:] == [
        "b1,sqlite:///5432.db,,,2019-04-01,2031-03-31,True",
        "b2,sqlite:///5433.5.db,,,,,2026-01-02T03:04:00",
    ]
    assert 'list.xlsx has no column "port"' in desk.ask(*words).stderr
    told = desk.ask(*words, "--sheet", "Nope")
    assert "cannot be read: Worksheet Nope does not exist. Check --sheet, or" in told.stderr
    desk.say("list.xlsx", "no zip")
    assert "list.xlsx: is no workbook. Save it as .xlsx" in desk.ask(*words).stderr
    (desk.folder / "list.xlsx").unlink()
    assert "cannot be read: No such file" in desk.ask(*words).stderr


def test_a_query_is_a_list_too(desk):
    database = sqlite3.connect(desk.folder / "hq.db")
    with database:
        database.execute("CREATE TABLE branches (name TEXT, file TEXT)")
        database.execute("INSERT INTO branches VALUES ('b1', 'one'), ('b2', 'two')")
    database.close()
    words = ["import-fleet", "--from", "hq", "--url", "sqlite:////srv/{file}.db"]
    told = desk.ask(*words, "--sql", "SELECT * FROM branches ORDER BY name", "--write", "out.csv")
    assert told.exit_code == 0, told.output
    assert (desk.folder / "out.csv").read_text().splitlines()[1:] == [
        "b1,sqlite:////srv/one.db,,,,,",
        "b2,sqlite:////srv/two.db,,,,,",
    ]
    told = desk.ask(*words, "--sql", "SELECT * FROM nothing")
    assert told.exit_code == 1
    assert "nothing" in told.stderr
    told = desk.ask("import-fleet", "--from", "hqq", "--sql", "SELECT 1")
    assert "--from: there is no connection 'hqq'. Add a [connections.hqq]" in told.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "FILE: does not say where the list is. Name a FILE, or give --sql and --from"),
        (["--sql", "SELECT 1"], "FILE: does not say where the list is"),
        (["list.csv", "--from", "hq"], "FILE: does not say where the list is"),
        (["absent.csv"], "absent.csv: there is no such file"),
        (["list.csv", "--column", "nam=x"], 'Did you mean "name"?'),
        (["list.csv", "--column", "name"], "'name' does not say which column is which"),
        (
            ["list.csv", "--column", "url=url", "--column", "url=url"],
            "--column: says url twice. Only tags may have several columns",
        ),
        (["list.csv", "--credential", "x"], "line 2, column credential: there is no credential"),
        (["twice.csv"], 'line 3, column name: "b1" is the name of line 2 too'),
        (["hq.csv"], 'line 2, column name: "hq" is the name of [connections.hq] too'),
        (["list.csv", "--write", "broken.csv"], "broken.csv: line 2: is not CSV"),
        (["list.csv", "--write", "old.csv"], "old.csv: line 2, column url: "),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(desk, words, said):
    desk.say("list.csv", "name,url\nb1,sqlite:///1.db\n")
    desk.say("twice.csv", "name,url\nb1,sqlite:///1.db\nb1,sqlite:///1.db\n")
    desk.say("hq.csv", "name,url\nhq,sqlite:///1.db\n")
    desk.say("broken.csv", 'name,url\n"b1,x')
    desk.say("old.csv", "name,url\nb0,nowhere\n")
    before = {each.name: each.read_text() for each in desk.folder.iterdir()}
    told = desk.ask("import-fleet", *words)
    assert told.exit_code == 2
    assert said in told.stderr
    assert {each.name: each.read_text() for each in desk.folder.iterdir()} == before

"""`etltui server-check`: a line for each server, what has to be done below it."""

import json

from click.testing import CliRunner

from etltui.cli import server_check
from etltui.cli.server_check import NOTHING, as_lines, as_object, command
from etltui.console.model.server_page import server_page
from etltui.domain.errors import ErrorClass, Failure, Trouble
from etltui.domain.inquiry import ServerChecked
from etltui.domain.server import ServerReading

GOOD = ServerChecked(
    server="h:5432",
    connection="A",
    product="PostgreSQL 15",
    readings=(
        ServerReading(name="sessions", value="3 of 97", meaning="fine"),
        ServerReading(name="limit", value="97", meaning="so many"),
        ServerReading(name="waits", value="", meaning="GRANT something TO it."),
    ),
)
FULL = ServerChecked(
    server="h:5432",
    connection="A",
    readings=(ServerReading(name="sessions", value="97 of 97", meaning="Do it.", warns=True),),
)
DOWN = ServerChecked(
    server="h:5432",
    connection="A",
    trouble=Trouble.of(Failure(ErrorClass.REFUSED, "nobody listens")),
)
SILENT = ServerChecked(server="h:1", connection="A")


def test_numbers_stand_in_the_line_and_what_to_do_below():
    assert as_lines(GOOD, "") == [
        "✓ h:5432  PostgreSQL 15: sessions 3 of 97, limit 97",
        "    waits: GRANT something TO it.",
    ]
    assert as_lines(FULL, "") == ["! h:5432: sessions 97 of 97", "    sessions: Do it."]
    assert as_lines(SILENT, "") == [f"✓ h:1: {NOTHING}"]
    (down,) = as_lines(DOWN, "Asha")
    assert down.startswith("✗ h:5432\n")
    assert "nobody listens" in down
    assert "Asha" in down


def test_a_program_gets_every_reading():
    found = json.loads(json.dumps(as_object(GOOD)))
    assert found["type"] == "server_check"
    assert found["readings"][0] == {
        "name": "sessions",
        "value": "3 of 97",
        "meaning": "fine",
        "warns": False,
    }
    assert found["error"] is None
    assert as_object(DOWN)["error"]


def test_files_have_no_server(tmp_path):
    (tmp_path / "etltui.toml").write_text('[connections.a]\nurl = "sqlite:///a.db"\n')
    told = CliRunner().invoke(command, ["--config", str(tmp_path / "etltui.toml")])
    assert told.exit_code == 0
    assert "files have none" in told.output


def test_what_a_crashing_extractor_says_is_passed_on(tmp_path, monkeypatch):
    async def crashes(_config, _asked, log, _tell):
        log.write_text("Fatal Python error")

    monkeypatch.setattr(server_check, "_check_all", crashes)
    (tmp_path / "etltui.toml").write_text('[connections.a]\nurl = "postgresql://h/d"\n')
    told = CliRunner().invoke(command, ["--config", str(tmp_path / "etltui.toml")])
    assert told.stderr == "extractor: Fatal Python error\n"


def test_the_consoles_page_says_each_with_its_meaning():
    text = [str(getattr(line, "text", line)) for line in server_page(GOOD)]
    assert "fine" in text
    assert any("Waits" in line and "not told" in line for line in text)
    assert any("nobody listens" in str(getattr(x, "text", x)) for x in server_page(DOWN))
    assert "This kind of server tells nothing of its load." in server_page(SILENT)

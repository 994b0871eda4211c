"""The example shows every key there is, and nothing that is refused."""

import dataclasses
import re
import shutil
from pathlib import Path

import pytest

from etltui.config import connections, destinations, jobs
from etltui.config.checks import Number, OneOf, Whole
from etltui.config.console import Console, console_rules
from etltui.config.load import load
from etltui.config.rule import default_of
from etltui.config.schema import Settings, rules
from etltui.config.table import Notebook, Table
from etltui.domain.job import OPTIONS

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"
TEXT = EXAMPLE.read_text("utf-8")


@pytest.fixture
def example(tmp_path):
    shutil.copy(EXAMPLE, tmp_path / "config.toml")
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "daily_totals.sql").write_text("SELECT 1")
    return load(tmp_path / "config.toml", environ={})


def comment(key, section):
    """The comment beside a key of a section."""
    part = TEXT.split(f"{section}\n", 1)[-1] if section else TEXT
    return re.search(rf"^{key} = .*?# (.*)$", part, re.MULTILINE)[1]


def table():
    return Table({}, "", Notebook(str))


def test_it_loads_without_a_mistake(example):
    assert list(example.jobs) == ["gst_sales", "daily_totals", "stock"]
    assert set(example.origins.values()) == {"file"}
    assert {d.type for job in example.jobs.values() for d in job.destinations} == set(OPTIONS)


@pytest.mark.parametrize("name", rules())
def test_every_setting_stands_there_with_its_default_range_and_variable(name):
    rule, said = rules()[name], comment(name, "[settings]")
    default = default_of(Settings, name)
    default = str(default).lower() if isinstance(default, bool) else default
    assert (f"Default {default}" in said) or (f'Default "{default}"' in said) or default is None
    if isinstance(rule.check, Whole | Number) and name != "extractors":
        assert f"{rule.check.low:g} to {rule.check.high}" in said
    if isinstance(rule.check, OneOf):
        assert all(choice in said for choice in rule.check.choices)
    assert rule.environment in said


@pytest.mark.parametrize("name", console_rules())
def test_every_setting_of_the_console_stands_there_with_its_default_and_range(name):
    rule, said = console_rules()[name], comment(name, "[console]")
    default = default_of(Console, name)
    default = str(default).lower() if isinstance(default, bool) else default
    assert (f"Default {default}" in said) or (f'Default "{default}"' in said)
    if isinstance(rule.check, Number):
        assert f"{rule.check.low:g} to {rule.check.high:g}" in said
    if isinstance(rule.check, OneOf):
        assert all(choice in said for choice in rule.check.choices)


def test_it_shows_how_keys_are_given(example):
    assert example.console.keys == {"run.retry_failed": "f,ctrl+f"}


@pytest.mark.parametrize("section", ["credentials", "connections", "jobs"])
def test_every_key_of_a_section_stands_there(section, tmp_path):
    asked = table()
    if section == "credentials":
        connections.credential("x", asked)
    elif section == "connections":
        connections.connection("x", asked, {}, tmp_path)
    else:
        jobs.job("x", asked, (), tmp_path, Settings(), ("extract",))
    assert asked.asked
    for key in asked.asked:
        assert re.search(rf"^(\[+{section}\.\w+\.)?{key}\b", TEXT, re.MULTILINE), key


@pytest.mark.parametrize("kind", OPTIONS)
def test_every_option_of_a_destination_stands_there_with_its_default(kind):
    asked = Table({"type": kind}, "", Notebook(str))
    destinations.destination(asked)
    part = next(p for p in TEXT.split(".destinations]]") if f'\ntype = "{kind}"' in p)
    for key in asked.asked:
        assert re.search(rf"^{key} = .", part, re.MULTILINE), key
    for each in dataclasses.fields(OPTIONS[kind]):
        said = re.search(rf"^{each.name} = .*?# (.*)$", part, re.MULTILINE)[1]
        assert (f"Default {default_said(OPTIONS[kind], each.name)}" in said) or (
            (kind, each.name, said[:6]) == ("webhook", "url", "Needed")
        )


def default_said(record, name):
    """A default as the example writes it."""
    default = default_of(record, name)
    if isinstance(default, int) and not isinstance(default, bool):
        return str(default)
    known = {"True": "true", "False": "false", "()": "[]", "{}": "none"}
    return known.get(str(default), f'"{default}"')

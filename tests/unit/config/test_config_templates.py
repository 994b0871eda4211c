"""Path templates: what is filled in never leaves its component."""

import unicodedata
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etltui.config.checks import RefusedError
from etltui.config.templates import LONGEST, component, render, template
from etltui.domain.job import Job

START = datetime(2026, 11, 21, 23, 59, tzinfo=ZoneInfo("Asia/Kolkata"))
NASTY = st.text(
    st.sampled_from("./\\ \0\n\t\x7f~{}%:ab\u00e9e\u0301\u202e\u2028\ud800\N{PILE OF POO}Ω"),
    max_size=200,
)


def filled(path, job="j", title="t", run="r", folder="/base"):
    made = Job(
        name=job, title=title, connections=(), queries=(), destinations=(), folder=Path(folder)
    )
    return render(path, made, run=run, started=START, day=START.date() - timedelta(days=1))


@given(st.one_of(st.text(max_size=200), NASTY, st.sampled_from(["..", ".", "", "/etc", "~root"])))
@settings(max_examples=500, deadline=None)
@example("../../etc/passwd")
@example("é" * 100)
@example("a" * (LONGEST - 1) + " b")
@example("con")
def test_a_hostile_name_stays_in_one_component(name):
    target = filled("out/{jobName}", title=name)
    assert target.parent == Path("/base/out")
    part = target.name
    assert part == component(name)
    assert part not in {"", ".", ".."}
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in part)
    assert part == part.strip(" .") == unicodedata.normalize("NFC", part)
    assert len(part.encode()) <= LONGEST


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("GST sales: März", "GST sales: März"),
        ("e\u0301", "\u00e9"),
        ("a/b\\c\0d\ne", "a_b_c_d_e"),
        ("a\u2028b\u2029c", "a_b_c"),
        ("\u202efdp.exe", "_fdp.exe"),
        (" .x. ", "x"),
        ("..", "_"),
        ("", "_"),
        ("CON", "CON_"),
        ("nul.txt", "nul_.txt"),
        ("com1 .x", "com1_ .x"),
        ("LPT³", "LPT³_"),
        ("console", "console"),
        ("beacon", "beacon"),
        ("हिन्दी", "हिन्दी"),
        ("é" * 80, "é" * 75),
        ("x" * 149 + "é", "x" * 149),
        ("x" * 149 + " y", "x" * 149),
    ],
)
def test_a_value_as_one_component(name, part):
    assert component(name) == part


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("reports/{job}_{date}.xlsx", "/base/reports/j_2026-11-21.xlsx"),
        ("{jobName} {run}.csv", "/base/t r.csv"),
        ("/abs/{date:%Y}/{date:%m}/x.csv", "/abs/2026/11/x.csv"),
        ("{date:..}/x.csv", "/base/_/x.csv"),
        ("{date:%H:%M}.csv", "/base/23:59.csv"),
        ("{{{job}}}.csv", "/base/{j}.csv"),
        ("../up/{job}.csv", "/base/../up/j.csv"),
        ("~/{job}.csv", "/home/x/j.csv"),
        ("~nobody-of-this-name/{job}", "/base/~nobody-of-this-name/j"),
        ("plain.csv", "/base/plain.csv"),
    ],
)
def test_a_template_is_filled_in(monkeypatch, path, target):
    monkeypatch.setenv("HOME", "/home/x")
    assert template(path) == path
    assert filled(path) == Path(target)


def test_a_home_that_is_filled_in_is_a_name_like_any_other(monkeypatch):
    monkeypatch.setenv("HOME", "/home/x")
    assert filled("{jobName}", title="~") == Path("/base/~")
    assert filled("~{job}/x", job="root") == Path("/base/~root/x")


def test_a_relative_folder_still_gives_an_absolute_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert filled("x.csv", folder="here") == tmp_path / "here" / "x.csv"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (5, "5 is no path"),
        (" ", '" " is no path'),
        ("{jobname}.csv", '{jobname} is no placeholder. Did you mean "job'),
        ("{zzzzz}.csv", "{zzzzz} is no placeholder. Allowed: job, jobName, date, day, run, query"),
        ("{}.csv", "{} is no placeholder"),
        ("{job.name}.csv", "{job.name} is no placeholder"),
        ("{job", "has a brace that is not closed"),
        ("job}", "has a brace that is not closed"),
        ("{job:>9}", "{job} takes no form. Write {job}"),
        ("{date!r}", "{date} takes no form"),
        ("{date:%Y/%m}", "holds a /. For folders write {date:%Y}/{date:%m}"),
        ("{date:%Q}", '"%Q" is not understood. Allowed: %Y %y %m'),
        ("{date:%}", '"%" is not understood'),
        ("{date:{run}}", '"{run}" is not understood'),
        ("a\nb", '"a␊b" holds a control character'),
        ("reports/", '"reports/" is a folder'),
        ("reports/..", "is a folder"),
    ],
)
def test_a_wrong_template_is_refused_in_words(path, said):
    with pytest.raises(RefusedError) as caught:
        template(path)
    assert said in str(caught.value)


def test_a_percent_sign_may_stand_in_a_date():
    assert filled(template("{date:%d%%}")) == Path("/base/21%")

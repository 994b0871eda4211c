"""What the program writes beside the operator's file: merged, whole, private."""

import errno
import stat
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etltui.config import files
from etltui.config.document import read
from etltui.config.files import replace_text
from etltui.config.local import write_local
from etltui.domain.errors import ConfigError

NAMES = st.text(min_size=1, max_size=8)
SCALARS = (
    st.text(max_size=20)
    | st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.dates()
    | st.lists(st.text(max_size=5), max_size=3)
)
TABLES = st.recursive(
    st.dictionaries(NAMES, SCALARS, max_size=4),
    lambda deeper: st.dictionaries(NAMES, SCALARS | deeper, max_size=4),
    max_leaves=10,
)


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def merged(below, above):
    both = dict(below)
    for name, value in above.items():
        old = both.get(name)
        tables = isinstance(old, dict) and isinstance(value, dict)
        both[name] = merged(old, value) if tables else value
    return both


@given(TABLES, TABLES)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_and_what_was_there_is_kept(desk, first, second):
    desk.write("")
    (desk.folder / "etltui.local.toml").unlink(missing_ok=True)
    local = write_local(desk.path, first)
    assert tomllib.loads(local.read_text("utf-8")) == first
    write_local(desk.path, second)
    assert tomllib.loads(local.read_text("utf-8")) == merged(first, second)
    assert read(desk.path).values == merged(first, second)
    assert desk.path.read_text() == ""
    assert names(desk.folder) == ["etltui.local.toml", "etltui.toml"]


def test_a_local_file_is_its_owners_alone_and_says_whose_it_is(desk):
    desk.write("").write("settings = { max_jobs = 2 }", "etltui.local.toml")
    (desk.folder / "etltui.local.toml").chmod(0o644)
    local = write_local(desk.path, {"settings": {"pool_size": 3}, "day": date(2026, 1, 2)})
    assert stat.S_IMODE(local.stat().st_mode) == 0o600
    assert local.read_text().startswith("# Written by etltui and laid over etltui.toml;")
    assert tomllib.loads(local.read_text()) == {
        "settings": {"max_jobs": 2, "pool_size": 3},
        "day": date(2026, 1, 2),
    }


def test_changes_can_be_tried_before_they_are_written(desk):
    desk.write("settings = { max_jobs = 1 }").write("settings.pool_size = 2", "etltui.local.toml")
    document = read(desk.path, {"settings": {"max_jobs": 9}})
    assert document.values == {"settings": {"max_jobs": 9, "pool_size": 2}}
    assert document.is_local("settings.max_jobs")
    assert read(desk.path).values == {"settings": {"max_jobs": 1, "pool_size": 2}}


def test_a_broken_local_file_is_left_as_it_is(desk):
    desk.write("").write("settings = ", "etltui.local.toml")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        write_local(desk.path, {"settings": {"max_jobs": 3}})
    assert (desk.folder / "etltui.local.toml").read_text() == "settings = "


def test_a_link_stays_and_what_it_leads_to_keeps_its_permissions(tmp_path):
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "real.csv"
    target.write_text("old")
    target.chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    replace_text(link, "new\r\n")
    assert link.is_symlink()
    assert target.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert names(tmp_path / "there") == ["real.csv"]


def test_a_new_file_is_private(tmp_path):
    replace_text(tmp_path / "new", "é")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    assert (tmp_path / "new").read_text("utf-8") == "é"


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("folder", "absent/x", "\0"):
        with pytest.raises(ConfigError, match="cannot be written: "):
            replace_text(tmp_path / name, "text")
    assert names(tmp_path) == ["folder"]


@pytest.mark.parametrize("superuser", [True, False])
def test_the_superuser_leaves_a_file_to_its_owner(tmp_path, monkeypatch, superuser):
    given_to = []
    monkeypatch.setattr(files.os, "geteuid", lambda: 0 if superuser else 1000)
    monkeypatch.setattr(files.os, "fchown", lambda _, *owner: given_to.append(owner))
    replace_text(tmp_path / "new", "text")
    replace_text(tmp_path / "new", "text")
    owner = (tmp_path.stat().st_uid, tmp_path.stat().st_gid)
    assert given_to == ([owner, owner] if superuser else [])


def test_what_several_write_at_once_is_all_there(tmp_path):
    path, together = tmp_path / "etltui.toml", threading.Barrier(8)

    def write(number):
        together.wait()
        write_local(path, {"settings": {f"key{number}": number}})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    assert len(tomllib.loads((tmp_path / "etltui.local.toml").read_text())["settings"]) == 8


def test_a_disk_without_locks_is_written_to_all_the_same(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    written = write_local(tmp_path / "etltui.toml", {"settings": {"max_jobs": 3}})
    assert tomllib.loads(written.read_text()) == {"settings": {"max_jobs": 3}}

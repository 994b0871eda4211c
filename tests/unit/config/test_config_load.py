"""Finding, reading and merging files: nothing but all mistakes at once ever comes out."""

from pathlib import Path

import pytest

from etltui.config.load import find, load, state_folder, unwritten, usual
from etltui.domain.errors import ConfigError

NAMES = "Allowed: 1 to 100 of A-Z a-z 0-9 space . _ - with a letter or digit first"
TINY = '[connections.a]\nurl = "sqlite:///a.db"\n'


def test_all_mistakes_come_at_once_with_the_file_that_says_them(desk):
    desk.write(f"{TINY}tags = 5\n[settings]\nmax_jobs = 0\n[jobz]\n")
    desk.write("[connections.a]\ncontact = 3\n[connections.n]\nurl = 4", "etltui.local.toml")
    with pytest.raises(ConfigError) as caught:
        desk.load(environ={"DB_POOL_MAX": "0"}, extractors=99)
    own, local = str(desk.path), str(desk.folder / "etltui.local.toml")
    assert [(m.where, m.key) for m in caught.value.mistakes] == [
        (own, "settings.max_jobs"),
        ("environment", "DB_POOL_MAX"),
        ("command line", "extractors"),
        (own, "connections.a.tags"),
        (local, "connections.a.contact"),
        (local, "connections.n.url"),
        (own, "jobz"),
    ]


def test_the_local_file_is_laid_over_key_by_key(desk):
    desk.write(f'{TINY}contact = "x"\n')
    desk.write('[connections.a]\nurl = "sqlite:///other.db"\n', "etltui.local.toml")
    (only,) = desk.load().connections
    assert (only.database, only.contact) == (str(desk.folder / "other.db"), "x")


def test_a_local_list_replaces_the_whole_list(desk):
    desk.job()
    desk.write(
        '[[jobs.j.destinations]]\ntype = "csv"\npath = "{jub}.csv"\n',
        "etltui.local.toml",
    )
    with pytest.raises(ConfigError) as caught:
        desk.load()
    (only,) = caught.value.mistakes
    assert (only.where, only.key) == (
        str(desk.folder / "etltui.local.toml"),
        "jobs.j.destinations[1].path",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = 1\nb = = 2\n", "is not valid TOML: Invalid value (at line 2, column 5)"),
        (b"a = 1\nb = 'x\xff'\n", "is not UTF-8 (at line 2, column 7)"),
        (b"\xff", "is not UTF-8 (at line 1, column 1)"),
        (b"a = " + b"[" * 5000, "is nested too deeply"),
        (b"a = " + b"1" * 5000, "is not valid TOML"),
    ],
)
@pytest.mark.parametrize("name", ["etltui.toml", "etltui.local.toml"])
def test_a_broken_file_is_one_mistake_whichever_it_is(desk, name, content, said):
    desk.job()
    (desk.folder / name).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        desk.load()
    (only,) = caught.value.mistakes
    assert (only.where, only.key) == (str(desk.folder / name), "")
    assert said in only.problem


def test_a_mark_of_a_windows_editor_is_no_mistake(desk):
    desk.path.write_bytes(b"\xef\xbb\xbf[settings]\r\nmax_jobs = 3\r\n")
    assert desk.load().settings.max_jobs == 3


def test_a_missing_file_a_folder_and_a_nul_are_mistakes(tmp_path):
    for path, said in [
        (tmp_path / "none.toml", "there is no such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (tmp_path / "a\0b.toml", "cannot be read: embedded null byte"),
    ]:
        with pytest.raises(ConfigError, match=said):
            load(path, environ={})


def test_deep_dotted_keys_in_both_files_are_refused_calmly(desk):
    deep = "settings." + ".".join("a" * 3000) + " = 1"
    desk.write(deep)
    desk.write(deep, "etltui.local.toml")
    assert desk.mistake()[0] == "settings.a"


def test_a_relative_path_gives_absolute_ones(desk, monkeypatch):
    desk.write(TINY)
    monkeypatch.chdir(desk.folder)
    config = load(Path("etltui.toml"), environ={})
    assert config.path == desk.path
    assert config.connections[0].database == str(desk.folder / "a.db")


def test_the_first_place_that_has_a_file_is_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    usual = tmp_path / "home" / ".config" / "etltui" / "config.toml"
    xdg = tmp_path / "xdg" / "etltui" / "config.toml"
    here, named, flagged = tmp_path / "etltui.toml", tmp_path / "n.toml", tmp_path / "f.toml"
    environ = {"HOME": str(tmp_path / "home")}
    for path in (usual, xdg, here, named, flagged):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    with_xdg = {**environ, "XDG_CONFIG_HOME": str(tmp_path / "xdg"), "ETLTUI_CONFIG": ""}
    assert find(Path("f.toml"), {**environ, "ETLTUI_CONFIG": str(named)}) == flagged
    assert find(None, {**environ, "ETLTUI_CONFIG": str(named)}) == named
    assert find(None, with_xdg) == here
    here.unlink()
    assert find(None, with_xdg) == xdg
    assert find(None, {**environ, "XDG_CONFIG_HOME": "relative"}) == usual


@pytest.mark.parametrize(
    ("explicit", "environ", "where", "key"),
    [
        (Path("/nowhere/x.toml"), {"ETLTUI_CONFIG": "/y"}, "command line", "--config"),
        (None, {"ETLTUI_CONFIG": "/nowhere/x.toml"}, "environment", "ETLTUI_CONFIG"),
    ],
)
def test_whoever_names_a_file_gets_that_or_an_error(
    tmp_path, monkeypatch, explicit, environ, where, key
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "etltui.toml").write_text("")
    with pytest.raises(ConfigError) as caught:
        find(explicit, environ)
    (only,) = caught.value.mistakes
    assert (only.where, only.key) == (where, key)
    assert "/nowhere/x.toml" in only.problem


def test_finding_nothing_tells_where_it_looked_and_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "etltui.toml").mkdir()
    with pytest.raises(ConfigError) as caught:
        find(None, {"HOME": str(tmp_path)})
    said = str(caught.value)
    assert str(tmp_path / "etltui.toml") in said
    assert str(tmp_path / ".config/etltui/config.toml") in said
    assert "etltui demo" in said


def test_the_state_folder_by_flag_variable_setting_and_custom(desk, monkeypatch):
    monkeypatch.chdir(desk.folder)
    config = desk.load("settings.state_dir = 'state'")
    environ = {"ETLTUI_STATE_DIR": "/env", "HOME": "/home/x"}
    assert state_folder(config, Path("flag"), environ) == desk.folder / "flag"
    assert state_folder(config, None, environ) == Path("/env")
    assert state_folder(config, None, {}) == desk.folder / "state"
    plain = desk.load("")
    for none in (plain, None):
        assert state_folder(none, None, {"HOME": "/home/x"}) == Path("/home/x/.local/state/etltui")
    assert state_folder(None, None, {"XDG_STATE_HOME": "/s"}) == Path("/s/etltui")


def test_a_tilde_is_the_home_folder_and_an_unknown_one_is_a_name(desk, monkeypatch):
    monkeypatch.setenv("HOME", "/home/x")
    assert state_folder(None, Path("~/s"), {}) == Path("/home/x/s")
    assert state_folder(None, None, {}) == Path("/home/x/.local/state/etltui")
    config = desk.load("settings.state_dir = '~nobody-of-this-name/s'")
    assert state_folder(config, None, {}) == desk.folder / "~nobody-of-this-name/s"


def test_a_file_that_cannot_be_read_is_a_mistake(desk):
    desk.path.symlink_to(desk.path)
    assert "cannot be read: Too many levels of symbolic links" in desk.mistakes()[0][1]


def test_sections_must_be_tables_and_names_must_be_names(desk):
    assert desk.mistakes(
        'settings = 3\nconnections = []\n[jobs]\nj = 5\n[credentials."a/x"]\n'
    ) == [
        ("settings", "3 is not a table. Write [settings] and its keys below"),
        (
            'credentials."a/x"',
            f'"a/x" cannot be a name. {NAMES}',
        ),
        ("connections", "a list is not a table. Write [connections] and its keys below"),
        ("jobs.j", "5 is not a table. Write [jobs.j] and its keys below"),
        ("jobs.j.connections", 'is missing. Write connections = ["name", "branch_*", "tag:north"]'),
        ("jobs.j.query", "the query is missing. Write one of query, query_file, queries"),
        (
            "jobs.j.destinations",
            "the job has no destination. Write [[jobs.j.destinations]] with type and path",
        ),
    ]


def test_a_file_that_is_not_written_yet_says_nothing(tmp_path):
    path = usual({"XDG_CONFIG_HOME": str(tmp_path)})
    assert path == tmp_path / "etltui" / "config.toml"
    environ = {"JOB_QUEUE_MAX_CONCURRENT": "3"}
    config = unwritten(path, environ=environ, overrides={"max_connections": 7})
    assert (config.path, config.jobs, config.connections) == (path, {}, ())
    assert (config.settings.max_jobs, config.settings.max_connections) == (3, 7)
    with pytest.raises(ConfigError, match="JOB_QUEUE_MAX_CONCURRENT"):
        unwritten(path, environ={"JOB_QUEUE_MAX_CONCURRENT": "none"})

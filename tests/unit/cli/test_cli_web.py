"""`etltui web`: where it listens, what it prints, and what each tab runs."""

import socket
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from etltui.cli import web
from etltui.config.load import unwritten
from etltui.domain.errors import ConfigError


def test_the_first_free_port_is_taken_where_none_is_asked_for(monkeypatch):
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        ports = [each.getsockname()[1] for each in taken]
        taken[2].close()
        monkeypatch.setattr(web, "PORTS", ports)
        stack.enter_context(made := web.listening("127.0.0.1", None))
        assert made.getsockname() == ("127.0.0.1", ports[2])
        with pytest.raises(ConfigError, match=f"{ports[0]} to {ports[2]} are taken"):
            web.listening("127.0.0.1", None)
        with pytest.raises(ConfigError, match=f"{ports[0]} is taken"):
            web.listening("127.0.0.1", ports[0])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "branch.example", ""])
def test_nobody_listens_where_others_can_reach_it(host):
    with pytest.raises(ConfigError, match="ssh -L"):
        web.listening(host, 0)


def test_the_link_and_the_way_to_it_from_elsewhere():
    link, told = web.invitation("127.0.0.1", 8000, "t0ken").splitlines()
    assert link == "http://127.0.0.1:8000/?token=t0ken"
    assert f"ssh -L 8000:127.0.0.1:8000 {socket.gethostname()}" in told
    assert web.invitation("::1", 1, "t").startswith("http://[::1]:1/?token=t\n")


def test_a_tab_is_a_console_of_the_same_configuration(tmp_path):
    config = replace(unwritten(tmp_path / "c.toml", environ={}))
    command = web.console(config, tmp_path / "state", read_only=False, profile=None)
    assert command == [
        *(sys.executable, "-m", "etltui", "console"),
        *("--config", str(tmp_path / "c.toml"), "--state-dir", str(tmp_path / "state")),
    ]
    more = web.console(config, tmp_path / "state", read_only=True, profile="medium")
    assert more[len(command) :] == ["--profile", "medium", "--read-only"]


def test_what_is_missing_is_named_with_the_way_to_get_it(monkeypatch):
    assert web.missing() == ""
    assert (web.static() / "js" / "textual.js").is_file()
    monkeypatch.setattr(web, "find_spec", lambda _: None)
    assert "aiohttp and textual-serve: pip install 'etltui[web]'" in web.missing()
    assert web.static() == Path("static")

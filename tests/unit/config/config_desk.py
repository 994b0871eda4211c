"""A desk for every test of the configuration: a folder, a file in it, its mistakes."""

import textwrap

import pytest

from etltui.config.load import load
from etltui.domain.errors import ConfigError

CANARY = "hunter2-Geheim/ß"

BASE = """
[connections.a]
url = "sqlite:///a.db"
tags = ["north"]
[connections.b]
url = "sqlite:///b.db"
[jobs.j]
connections = ["a", "b"]
query = "SELECT 1"
{more}
[[jobs.j.destinations]]
type = "csv"
path = "out/{{job}}.csv"
{options}
"""


class Desk:
    """A folder with a configuration in it."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "etltui.toml"

    def write(self, text, name="etltui.toml"):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(textwrap.dedent(text), "utf-8")
        return self

    def load(self, text=None, environ=None, **overrides):
        if text is not None:
            self.write(text)
        # A machine that does not say how much memory it has.
        return load(
            self.path, environ=environ or {}, overrides=overrides, machine=self.folder / "machine"
        )

    def job(self, more="", options=""):
        """The one job of a small configuration with more keys, or more of its destination."""
        return self.load(BASE.format(more=more, options=options)).jobs["j"]

    def mistakes(self, text=None, environ=None, **overrides):
        """What is refused, as (key, sentence)."""
        with pytest.raises(ConfigError) as caught:
            self.load(text, environ, **overrides)
        return [(m.key, f"{m.problem}. {m.way_out}") for m in caught.value.mistakes]

    def mistake(self, text=None, environ=None, **overrides):
        """The only mistake, which must be in this file and bare of secrets."""
        (only,) = self.mistakes(text, environ, **overrides)
        assert CANARY not in only[1]
        return only

    def job_mistake(self, more="", options=""):
        return self.mistake(BASE.format(more=more, options=options))

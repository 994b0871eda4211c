"""`etltui verify` in this process: what it says of targets that were read back, and how it ends."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from etltui.cli import verify
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Published
from etltui.domain.read_back import ReadBack, ReadTask, TargetRead
from etltui.engine.read_back import Candidate
from unit.cli.cli_desk import done


def read(name, back=6, problem=""):
    facts = {"query": 0, "variant": "", "written": 6, "cells": 12, "checksum": "0a"}
    return ReadBack(connection=name, read=back, problem=problem, **facts)


class Targets:
    """A run's targets, each with what reading it back says, or raises."""

    def __init__(self, desk):
        self.desk = desk
        self.found = []
        self.answers = {}

    def add(self, name, answer):
        path = self.desk.folder / name
        path.write_text("rows")
        published = Published(bytes=0, crc=0, rows=6)
        task = ReadTask(
            type="csv",
            target=str(path),
            options={},
            published=published,
            receipts=(),
            connections=("A", "B"),
            queries=("main",),
        )
        self.found.append(Candidate(type="csv", target=str(path), task=task))
        self.answers[str(path)] = answer
        return path

    async def read_back(self, task):
        answer = self.answers[task.target]
        if isinstance(answer, Failure):
            raise answer
        return answer


@pytest.fixture
def targets(desk, monkeypatch):
    """The targets of a run that is recorded; nothing of what they hold is real."""
    desk.configure()
    made = Targets(desk)
    made.run = asyncio.run(desk.record(done("A"), done("B")))

    async def candidates(_history, run):
        assert run == made.run
        return made.found

    @asynccontextmanager
    async def files(*, log):
        assert log == desk.state / "logs" / "extractor.log"
        yield made

    monkeypatch.setattr(verify, "candidates", candidates)
    monkeypatch.setattr(verify, "files", files)
    return made


def test_where_all_agrees_it_ends_well_and_counts(targets):
    path = targets.add("a.csv", TargetRead(connections=(read("A"), read("B"))))
    asked = targets.desk.ask("verify", "sales")
    assert asked.exit_code == 0, asked.output
    assert targets.run in asked.stdout.splitlines()[0]
    sums = "2 connections, 12 rows written, 12 read back, 24 cells"
    assert asked.stdout.splitlines()[1].endswith(f"{path}  {sums}")


def test_what_differs_is_named_beside_what_agrees(targets):
    targets.add("a.csv", TargetRead(connections=(read("A"), read("B", 5, "a row is gone"))))
    targets.add("b.csv", TargetRead(connections=(read("A"),)))
    asked = targets.desk.ask("verify", targets.run)
    assert asked.exit_code == 1
    assert "    B: 6 rows written, 5 read back; a row is gone" in asked.stdout
    assert asked.stdout.count("run the job again, or take a copy back") == 1
    told = json.loads(targets.desk.ask("verify", targets.run, "--json").stdout)
    assert (told["agrees"], [each["agrees"] for each in told["targets"]]) == (False, [False, True])
    problems = [each["problem"] for each in told["targets"][0]["connections"]]
    assert problems == [None, "B: 6 rows written, 5 read back; a row is gone"]


def test_a_target_that_cannot_be_read_at_all_differs(targets):
    targets.add("a.csv", Failure(ErrorClass.CORRUPT, "it ends too soon"))
    asked = targets.desk.ask("verify", "sales")
    assert asked.exit_code == 1
    assert "    it ends too soon" in asked.stdout
    told = json.loads(targets.desk.ask("verify", "sales", "--json").stdout)
    assert told["targets"][0]["problem"] == "it ends too soon"


def test_what_is_not_there_says_why_and_ends_otherwise(targets):
    targets.add("a.csv", TargetRead(connections=(read("A"),))).unlink()
    targets.found.append(Candidate(type="csv", target="/b.csv", gone="was replaced by the run X"))
    asked = targets.desk.ask("verify", "sales")
    assert asked.exit_code == 2
    assert "a.csv is not there any more" in asked.stdout
    assert "/b.csv was replaced by the run X" in asked.stdout
    told = json.loads(targets.desk.ask("verify", "sales", "--json").stdout)
    assert [each["connections"] for each in told["targets"]] == [[], []]


def test_a_run_without_targets_and_a_run_that_is_none_are_told(targets):
    asked = targets.desk.ask("verify", "sales")
    assert (asked.exit_code, "it did not begin" in asked.stdout) == (2, True)
    asked = targets.desk.ask("verify", "zzzz")
    assert asked.exit_code == 2
    assert "there is no run or job 'zzzz'" in asked.stderr

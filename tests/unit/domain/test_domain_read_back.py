"""What is said of a target that was read back, connection by connection: S3."""

import pytest

from etltui.domain.read_back import ReadBack, TargetRead


def of(name="A", **more):
    told = {"query": 0, "variant": "", "written": 1200, "read": 1200, "cells": 1, "checksum": "0"}
    return ReadBack(connection=name, **(told | more))


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (of(), ""),
        (of(place="sheet North"), ""),
        (of(problem="its bytes are others"), "A: 1,200 rows written; its bytes are others"),
        (of(problem="cut", read=0), "A: 1,200 rows written, 0 read back; cut"),
        (of(problem="gone", read=None), "A: 1,200 rows written; gone"),
        (of(problem="cut", place="sheet A", read=7), "A (sheet A): 1,200 rows written, 7 read"),
    ],
)
def test_only_what_differs_is_said_with_both_counts_where_they_differ(one, said):
    assert one.sentence.startswith(said)
    assert bool(one.sentence) is bool(one.problem)


def test_what_is_wrong_with_the_whole_target_comes_first():
    assert TargetRead(connections=(of(), of("B"))).differences == ()
    wrong = TargetRead(connections=(of(), of("B", problem="cut")), problem="it ends too soon")
    assert wrong.differences == ("it ends too soon", "B: 1,200 rows written; cut")
    assert TargetRead(problem="no workbook").differences == ("no workbook",)

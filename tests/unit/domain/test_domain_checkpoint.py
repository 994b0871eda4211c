"""The checkpoint as a file: S3's shape exactly, and what is accepted of other programs (S3-2)."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.checkpoint import CheckpointFile, checkpoint_file

OLD = {
    "jobId": "job-7",
    "jobName": "GST",
    "completedConnectionIds": ["A", "B", "A"],
    "failedConnectionIds": ["C"],
    "totalConnections": 56,
    "lastUpdated": "2025-08-09T10:30:00.123Z",
}


def test_s3_2_the_shape_is_the_specifications():
    made = CheckpointFile(
        job="gst",
        title="GST sälés",
        completed=("B000",),
        failed=("B001",),
        total=56,
        updated=datetime(2026, 11, 22, 4, 35, 1, 5, tzinfo=timezone(timedelta(hours=5.5))),
    ).text()
    assert list(json.loads(made).items()) == [
        ("jobId", "gst"),
        ("jobName", "GST sälés"),
        ("completedConnectionIds", ["B000"]),
        ("failedConnectionIds", ["B001"]),
        ("totalConnections", 56),
        ("lastUpdated", "2026-11-21T23:05:01Z"),
    ]
    assert made.endswith("}\n")


def test_another_programs_file_is_understood():
    read = checkpoint_file(json.dumps(OLD))
    assert (read.job, read.title, read.completed, read.failed) == (
        *("job-7", "GST"),
        *(("A", "B"), ("C",)),
    )
    assert (read.total, read.updated) == (56, datetime(2025, 8, 9, 10, 30, 0, 123000, tzinfo=UTC))


def test_numbers_are_names_and_a_time_without_zone_is_utc():
    few = {"jobId": 7, "completedConnectionIds": [1, 2], "failedConnectionIds": []}
    read = checkpoint_file(json.dumps({**few, "lastUpdated": "2025-08-09T10:30:00"}))
    assert (read.job, read.title, read.completed, read.total) == ("7", "7", ("1", "2"), 0)
    assert read.updated == datetime(2025, 8, 9, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"jobId": None}, "jobId is missing or no name"),
        ({"jobId": ""}, "jobId is missing or no name"),
        ({"jobId": True}, "jobId is missing or no name"),
        ({"jobName": {}}, "jobName is missing or no name"),
        ({"completedConnectionIds": "A"}, "completedConnectionIds is missing or no list"),
        ({"completedConnectionIds": [["A"]]}, "completedConnectionIds is missing or no name"),
        ({"failedConnectionIds": None}, "failedConnectionIds is missing or no list"),
        ({"totalConnections": -1}, "totalConnections is no number of connections"),
        ({"totalConnections": True}, "totalConnections is no number of connections"),
        ({"totalConnections": "56"}, "totalConnections is no number of connections"),
        ({"lastUpdated": "yesterday"}, "lastUpdated is missing or no time"),
        ({"lastUpdated": None}, "lastUpdated is missing or no time"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(changed, problem):
    with pytest.raises(ValueError, match=f"^{problem}$"):
        checkpoint_file(json.dumps({**OLD, **changed}))


@pytest.mark.parametrize(("text", "problem"), [("{", "no JSON: "), ("[]", "no JSON object")])
def test_what_is_no_such_file_is_refused(text, problem):
    with pytest.raises(ValueError, match=problem):
        checkpoint_file(text)


NAMES = st.lists(st.text(min_size=1), unique=True).map(tuple)


@given(
    st.builds(
        CheckpointFile,
        job=st.text(min_size=1),
        title=st.text(min_size=1),
        completed=NAMES,
        failed=NAMES,
        total=st.integers(0, 10**6),
        updated=st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
            lambda moment: moment.replace(microsecond=0),
        ),
    ),
)
def test_what_is_written_is_read_back(made):
    assert checkpoint_file(made.text()) == made

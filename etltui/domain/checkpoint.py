"""A checkpoint as the small JSON file that other programs read and write."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckpointFile:
    """Which connections of a job's run are done.

    Attributes:
        job: The job's name.
        title: The job's title.
        completed: Names of the connections whose rows are durable.
        failed: Names of those that failed.
        total: Connections of the run.
        updated: When it was last true, with a time zone.
    """

    job: str
    title: str
    completed: tuple[str, ...]
    failed: tuple[str, ...]
    total: int
    updated: datetime

    def text(self) -> str:
        """The file's text: these six names, in this order."""
        fields = {
            "jobId": self.job,
            "jobName": self.title,
            "completedConnectionIds": self.completed,
            "failedConnectionIds": self.failed,
            "totalConnections": self.total,
            "lastUpdated": f"{self.updated.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        return json.dumps(fields, ensure_ascii=False, indent=2) + "\n"


def checkpoint_file(text: str) -> CheckpointFile:
    """What a file says, ours or another program's; each connection counts once.

    Raises:
        ValueError: It is no such file; the text says in words what is wrong with it.
    """
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - the text is wrong, not a type
    job = _text(fields, "jobId")
    total = fields.get("totalConnections", 0)
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        raise ValueError("totalConnections is no number of connections")
    return CheckpointFile(
        job=job,
        title=_text(fields, "jobName") if "jobName" in fields else job,
        completed=_names(fields, "completedConnectionIds"),
        failed=_names(fields, "failedConnectionIds"),
        total=total,
        updated=_moment(fields),
    )


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    # Some programs number their jobs and connections.
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError(f"{name} is missing or no name")
    return str(value)


def _names(fields: Mapping[str, object], name: str) -> tuple[str, ...]:
    values = fields.get(name)
    if not isinstance(values, list):
        raise ValueError(f"{name} is missing or no list")  # noqa: TRY004 - as above
    return tuple(dict.fromkeys(_text({name: value}, name) for value in values))


def _moment(fields: Mapping[str, object]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(fields.get("lastUpdated")))
    except ValueError:
        raise ValueError("lastUpdated is missing or no time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

"""The first connection, job and target, asked one after the other: questions, checks, the file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from etltui.config.checks import RefusedError, check_name, nearest_or_all
from etltui.config.mounts import is_windows
from etltui.config.paths import located
from etltui.config.secrets import reference
from etltui.config.templates import template
from etltui.config.urls import address

Answers = Mapping[str, str]
SERVERS = ("postgresql", "mysql", "mssql")
KINDS = ("sqlite", *SERVERS)
ENDINGS: Mapping[str, str] = {
    ".xlsx": "excel",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".parquet": "parquet",
    ".json": "json",
    ".jsonl": "jsonl",
}
"""From how a target's name ends to its type."""
TLS = ("verify-full", "verify-ca", "require", "disable")
"""What a connection to a server may promise, the safest first."""
CREDENTIAL = "first"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Something that is asked.

    Attributes:
        id: The answer's name.
        label: The question.
        hint: What may be answered.
        usual: What stands there at first, from the answers so far.
        check: Refuses a wrong answer with a `RefusedError`; it is told the folder of the file.
        kinds: Of databases that it is asked for.
    """

    id: str
    label: str
    hint: str
    usual: Callable[[Answers], str]
    check: Callable[[str, Path], object]
    kinds: Sequence[str] = KINDS


def _kind(text: str, _: Path) -> None:
    if text not in KINDS:
        raise RefusedError(f"{text!r} is no kind of database here", nearest_or_all(text, KINDS))


def _file(text: str, folder: Path) -> None:
    if is_windows(text):
        raise RefusedError("this is a Windows path", "Mount the share and name its path here")
    place = located(_typed(text), folder)
    if not place.is_file():
        raise RefusedError(f"there is no file {place}", "Check the path; tab does not help here")


def _typed(text: str) -> str:
    if not text.strip():
        raise RefusedError("is empty", "Type it, or esc for the question before")
    return text.strip()


def _filled(text: str, _: Path) -> None:
    _typed(text)


def _server(text: str, folder: Path) -> None:
    address(f"postgresql://{_typed(text)}/any", folder)


def _database(text: str, folder: Path) -> None:
    address(f"postgresql://any/{quote(_typed(text), safe='')}", folder)


def _tls(text: str, _: Path) -> None:
    if text not in TLS:
        raise RefusedError(f"{text!r} is no such promise", nearest_or_all(text, TLS))


def _password(text: str, _: Path) -> None:
    reference(text)


def _connection(text: str, _: Path) -> None:
    check_name(text)


def _target(text: str, _: Path) -> None:
    template(text)
    _type(text)


def _type(path: str) -> str:
    low = path.lower()
    found = [kind for ending, kind in ENDINGS.items() if low.endswith(ending)]
    if not found:
        raise RefusedError(
            "the name says not what the file shall be", f"Let it end in {', '.join(ENDINGS)}"
        )
    return found[0]


def _usual_name(answers: Answers) -> str:
    source = answers.get("file") or answers.get("host", "")
    name = Path(source).stem if answers.get("file") else source.partition(":")[0]
    kept = "".join(each if each.isalnum() and each.isascii() else "_" for each in name).strip("_")
    return kept or "first"


CONNECTING = (
    Question(
        id="kind",
        label="kind of database",
        hint="sqlite: a file; postgresql, mysql (MariaDB too) or mssql (SQL Server): a server",
        usual=lambda _: "sqlite",
        check=_kind,
    ),
    Question(
        id="file",
        label="file",
        hint="where the database lies, such as /mnt/branch_017/sales.db",
        usual=lambda _: "",
        check=_file,
        kinds=("sqlite",),
    ),
    Question(
        id="host",
        label="server",
        hint="its name or address, with :port where that is not the usual one",
        usual=lambda _: "localhost",
        check=_server,
        kinds=SERVERS,
    ),
    Question(
        id="database",
        label="database",
        hint="its name on the server",
        usual=lambda _: "",
        check=_database,
        kinds=SERVERS,
    ),
    Question(
        id="tls",
        label="TLS",
        hint="verify-full or verify-ca: the server proves itself; require: it need not; disable",
        usual=lambda _: TLS[0],
        check=_tls,
        kinds=SERVERS,
    ),
    Question(
        id="user",
        label="user",
        hint="who may read there; best somebody who may do nothing else",
        usual=lambda _: "",
        check=_filled,
        kinds=SERVERS,
    ),
    Question(
        id="password",
        label="password from",
        hint="env:NAME, file:PATH or cmd:COMMAND, never the password itself; empty for none",
        usual=lambda _: "env:ETLTUI_PASSWORD",
        check=_password,
        kinds=SERVERS,
    ),
    Question(
        id="connection",
        label="call it",
        hint="the connection's name, as it will stand in every list",
        usual=_usual_name,
        check=_connection,
    ),
)
"""What must be known to ask a database for an answer."""
READING = (
    Question(
        id="query",
        label="query",
        hint="one SELECT; it is read row by row, never changed",
        usual=lambda _: "SELECT * FROM sales",
        check=_filled,
    ),
    Question(
        id="target",
        label="write to",
        hint=f"a file from this folder; its ending says what it is: {' '.join(ENDINGS)}",
        usual=lambda _: "reports/{job}.xlsx",
        check=_target,
    ),
    Question(
        id="job",
        label="job",
        hint="what to call query and target together",
        usual=lambda _: "first_job",
        check=_connection,
    ),
)
"""What must be known besides, for a first run."""


def asked(questions: Sequence[Question], answers: Answers) -> list[Question]:
    """Those of the questions that are asked for the kind of database."""
    return [each for each in questions if answers.get("kind", each.kinds[0]) in each.kinds]


def refusal(question: Question, text: str, folder: Path) -> str:
    """What is wrong with an answer and what to write; empty where it is right."""
    try:
        question.check(text, folder)
    except RefusedError as error:
        return str(error)
    return ""


def tables(answers: Answers) -> dict[str, Any]:
    """The configuration that follows from the answers so far."""
    found: dict[str, Any] = {}
    connection: dict[str, Any] = {"url": _url(answers)}
    if answers.get("user"):
        secret = answers.get("password", "")
        credential = {"user": answers["user"], **({"password": secret} if secret else {})}
        found["credentials"] = {CREDENTIAL: credential}
        connection["credential"] = CREDENTIAL
    found["connections"] = {answers["connection"]: connection}
    if "target" in answers:
        found["jobs"] = {
            answers["job"]: {
                "connections": [answers["connection"]],
                "query": answers["query"],
                "destinations": [{"type": _type(answers["target"]), "path": answers["target"]}],
            }
        }
    return found


def _url(answers: Answers) -> str:
    if answers["kind"] == "sqlite":
        return f"sqlite:///{quote(answers['file'], safe='/~ ')}"
    url = f"{answers['kind']}://{answers['host']}/{quote(answers['database'], safe='')}"
    return url if answers["tls"] == TLS[0] else f"{url}?sslmode={answers['tls']}"


def shown(question: Question, answers: Answers) -> str:
    """A question with its answer, for the screen."""
    return f"{question.label:<18} {answers[question.id]}"

"""Jobs from the JSON of programs that name things in other ways, as the tables TOML would hold."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from etltui.config.checks import RefusedError, shown
from etltui.config.mounts import Mounts
from etltui.config.queries import MAIN
from etltui.config.table import Notebook
from etltui.domain.errors import ConfigError
from etltui.domain.job import OPTIONS

_TYPES = {"xlsx": "excel", "xls": "excel", "workbook": "excel"}
_MODES = {"overwrite": "replace"}
_FILES = [name for name in OPTIONS if name != "webhook"]
"""Types that are taken over: where rows are sent, and with which login, an operator has to say."""
_OPTIONS = {"delimiter": "delimiter", "includeheaders": "include_headers", "encoding": "encoding"}
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9 ._-]+")

Object = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What a JSON file says.

    Attributes:
        jobs: The table of each job, by its name.
        notes: What is not taken over, or not as it stands there.
    """

    jobs: Mapping[str, Object]
    notes: tuple[str, ...] = ()


def _folded(values: Object) -> dict[str, Any]:
    """An object whose keys `filePath`, `file_path` and `FilePath` are one."""
    return {re.sub(r"[_-]", "", name).casefold(): value for name, value in values.items()}


def _first(values: Object, *names: str) -> Any:
    """The value of the first of some names that says something, None without any."""
    found = (values[name] for name in names if values.get(name) not in (None, ""))
    return next(found, None)


@dataclass(slots=True)
class _Reader:
    """Reads one object key by key, under whatever names its keys go.

    Attributes:
        key: Where the object stands in the file.
        book: Where mistakes are noted.
        notes: Where the keys are told that nobody asked for.
    """

    key: str
    values: Object
    book: Notebook
    notes: list[str]
    asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        folded = _folded(self.values)
        inner = folded.pop("config", None) or folded.pop("options", None)
        self.values = {**_folded(inner), **folded} if isinstance(inner, Mapping) else folded

    def get(self, *names: str) -> Any:
        """The value of the first of some names that there is, None without any."""
        self.asked.update(names)
        return _first(self.values, *names)

    def note(self, name: str, problem: str, way_out: str) -> None:
        """Note a mistake at a key of this object."""
        self.book.note(f"{self.key}.{name}" if self.key else name, problem, way_out)

    def finish(self) -> None:
        """Tell which keys are not taken over."""
        left = [name for name in self.values if name not in self.asked]
        if left:
            self.notes.append(f"{self.key or 'the job'}: not taken over: {', '.join(left)}")


def _items(value: Any) -> list[Any]:
    """A list as it is, one thing as a list of it."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _connection(value: Any, known: Collection[str]) -> str:
    """A connection's name: of an object that has several, the one that is known here."""
    if not isinstance(value, Mapping):
        return str(value)
    folded = _folded(value)
    keys = ("name", "connectionname", "id", "connectionid")
    names = [str(folded[key]) for key in keys if folded.get(key)]
    return next((name for name in names if name in known), names[0] if names else "")


def _connections(job: _Reader, known: Collection[str]) -> list[str]:
    found = job.get("connections", "connectionids", "connection", "connectionid")
    names = [_connection(each, known) for each in _items(found)]
    if not all(names):
        job.note("connections", "holds a connection without a name", "Give each a name or an id")
    if not names:
        job.note("connections", "the job has no connection", 'Write "connections": ["name"]')
    return list(dict.fromkeys(names))


def _sql(value: Any) -> str:
    """The text of a query, empty where there is none."""
    if isinstance(value, Mapping):
        value = _first(_folded(value), "sql", "query", "text")
    return value.strip() if isinstance(value, str) else ""


def _queries(job: _Reader) -> dict[str, str]:
    """The queries by name; the only one has the name that a job with one query gives it."""
    found = job.get("queries", "query", "sql")
    if isinstance(found, Mapping) and not _sql(found):
        named = {str(name): _sql(each) for name, each in found.items()}
    else:
        listed = _items(found)
        names = [
            str(_first(_folded(each), "name", "id") or "") if isinstance(each, Mapping) else ""
            for each in listed
        ]
        named = {
            name or (MAIN if len(listed) == 1 else f"query_{number}"): _sql(each)
            for number, (name, each) in enumerate(zip(names, listed, strict=True), start=1)
        }
        if len(named) < len(listed):
            job.note("queries", "two have the same name", "Give each its own name")
    if not named or not all(named.values()):
        job.note("query", "the job has no query, or an empty one", 'Write "query": "SELECT …"')
    return named


def _path(one: _Reader, mounts: Mounts) -> str:
    path = one.get("filepath", "path", "file", "filename", "outputpath")
    if not isinstance(path, str):
        one.note("filePath", "is missing", 'Write "filePath": "reports/{jobName}.xlsx"')
        return ""
    try:
        here = mounts.here(path)
    except RefusedError as refused:
        one.note("filePath", refused.problem, refused.way_out)
        return ""
    if here != path:
        one.notes.append(f"{one.key}: {shown(path)} is written as {shown(here)}")
    return here


def _destination(one: _Reader, mounts: Mounts) -> dict[str, Any] | None:
    """A destination's table, None for a type that there is not."""
    said = str(one.get("type", "destinationtype", "format") or "").casefold()
    type_ = _TYPES.get(said, said)
    if type_ not in _FILES:
        one.notes.append(f"{one.key}: not taken over: no destination of type {shown(said)} here")
        return None
    mode = one.get("mode", "writemode")
    table = {"type": type_, "path": _path(one, mounts)}
    if mode is not None:
        table["mode"] = _MODES.get(str(mode).casefold(), mode)
    for name, key in _OPTIONS.items():
        value = one.get(name)
        if value is not None and type_ == "csv":
            table[key] = value
    one.finish()
    return table


def _destinations(job: _Reader, mounts: Mounts) -> list[dict[str, Any]]:
    tables = []
    for number, each in enumerate(_items(job.get("destinations", "destination")), start=1):
        key = f"{job.key}.destinations[{number}]".lstrip(".")
        if not isinstance(each, Mapping):
            job.note(f"destinations[{number}]", "is no object", "Write {…} with type and filePath")
            continue
        table = _destination(_Reader(key, each, job.book, job.notes), mounts)
        tables.extend([table] if table else [])
    if not tables:
        job.note(
            "destinations",
            "the job has no destination that could be taken over",
            f"Types: {', '.join(_FILES)}",
        )
    return tables


def _job(job: _Reader, known: Collection[str], mounts: Mounts) -> tuple[str, dict[str, Any]]:
    """A job's name and table."""
    title = job.get("name", "jobname", "title")
    said = job.get("id", "jobid") or title
    name = _NOT_IN_A_NAME.sub("_", str(said or "")).strip(" ._-")[:100]
    if not name:
        job.note("id", "the job has neither id nor name", 'Write "id": "gst_sales"')
    table: dict[str, Any] = {"title": str(title)} if title and str(title) != name else {}
    table["connections"] = _connections(job, known)
    queries = _queries(job)
    if list(queries) == [MAIN]:
        table["query"] = queries[MAIN]
    else:
        table["queries"] = queries
    if job.get("resume", "resumejobs") is True:
        table["resume"] = True
    if job.get("enabled") in (False, 0):
        table["enabled"] = False
    table["destinations"] = _destinations(job, mounts)
    job.finish()
    return name, table


def _objects(value: Any, book: Notebook) -> Iterator[tuple[str, Object]]:
    """The jobs in a file with where each stands: one, a list of them, or a list under `jobs`."""
    if isinstance(value, Mapping) and "jobs" in value:
        value = value["jobs"]
    several = isinstance(value, list)
    for number, each in enumerate(_items(value), start=1):
        key = f"[{number}]" if several else ""
        if isinstance(each, Mapping):
            yield key, each
        else:
            book.note(key, f"{shown(each)} is no job", 'Write {"id": …, "connections": […], …}')


def imported(value: Any, where: str, *, known: Collection[str], mounts: Mounts) -> Imported:
    """The jobs that a JSON value says.

    Args:
        value: As JSON gave it.
        where: The file.
        known: The names of the connections there are, to choose between a name and an id.
        mounts: Where the folders of a Windows machine stand here.

    Raises:
        ConfigError: All mistakes at once.
    """
    book = Notebook(lambda _: where)
    notes: list[str] = []
    jobs: dict[str, Object] = {}
    for key, each in _objects(value, book):
        reader = _Reader(key, each, book, notes)
        name, table = _job(reader, known, mounts)
        if name in jobs:
            reader.note("id", f"there are two jobs {shown(name)}", "Give each its own id")
        jobs[name] = table
    if not jobs and not book.mistakes:
        book.note("", "holds no job", 'Write {"id": …, "connections": […], …}')
    if book.mistakes:
        raise ConfigError(book.mistakes)
    return Imported(jobs=jobs, notes=tuple(notes))

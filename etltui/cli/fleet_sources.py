"""Where a list of branches comes from: a CSV file, a workbook, or a query over a connection."""

import asyncio
import os
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from etltui.bootstrap import engine
from etltui.config.listing import Listing, listing, read_csv
from etltui.config.schema import Config
from etltui.domain.errors import ConfigError, ErrorClass, Failure, Mistake
from etltui.domain.job import CsvOptions, Destination, Job, Query, RetryPolicy
from etltui.domain.run import RunResult, RunStatus

_JOB = "import-fleet"


def _cell(value: object) -> str:
    """A cell as text: a day without its midnight, a whole number without its fraction."""
    if value is None:
        return ""
    if isinstance(value, datetime) and value == datetime.combine(value, datetime.min.time()):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _rows(path: Path, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a sheet, of the first without a name.

    Raises:
        KeyError: There is no such sheet.
    """
    import openpyxl  # noqa: PLC0415 - only a workbook needs it

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        rows = (book[sheet] if sheet else book.worksheets[0]).iter_rows(values_only=True)
        for number, row in enumerate(rows, start=1):
            yield number, [_cell(value) for value in row]
    finally:
        book.close()


def _workbook(path: Path, sheet: str) -> Listing:
    """The listing of a sheet. Never raises for what stands in the file."""
    try:
        return listing(str(path), _rows(path, sheet))
    except OSError as fault:
        problem, way_out = f"cannot be read: {fault.strerror or fault}", "Check the path"
    except zipfile.BadZipFile:
        problem, way_out = "is no workbook", "Save it as .xlsx"
    except KeyError as fault:
        problem = f"cannot be read: {str(fault.args[0]).rstrip('.')}"
        way_out = "Check --sheet, or save it as .xlsx"
    mistake = Mistake(where=str(path), key="", problem=problem, way_out=way_out)
    return Listing(mistakes=(mistake,))


def from_file(path: Path, sheet: str) -> Listing:
    """The list in a file: a workbook by its ending, else CSV.

    Args:
        path: The file.
        sheet: The name of a workbook's sheet, empty for the first.
    """
    if path.suffix.casefold() in {".xlsx", ".xlsm"}:
        return _workbook(path, sheet)
    return read_csv(path)


def _of_query(config: Config, connection: str, sql: str, target: Path) -> Config:
    """The configuration with one job: the query's rows into a CSV file."""
    job = Job(
        name=_JOB,
        title=_JOB,
        connections=(connection,),
        queries=(Query(name="main", sql=sql),),
        destinations=(Destination(type="csv", path=str(target), options=CsvOptions()),),
        retry=RetryPolicy(retries=0),
        folder=target.parent,
    )
    return replace(config, jobs={_JOB: job})


async def _run(config: Config, state: Path) -> RunResult:
    async with engine(config, state, environ=os.environ) as running:
        return await (await running.submit(_JOB)).wait()


def from_query(config: Config, connection: str, sql: str) -> Listing:
    """The list that a query gives, read as a run reads it: guarded, with the credential's secrets.

    Args:
        config: Holds the connection.
        connection: Its name.
        sql: A query that only reads.

    Raises:
        ConfigError: There is no such connection.
        Failure: The query failed.
    """
    if connection not in {each.name for each in config.connections}:
        mistake = Mistake(
            where="command line",
            key="--from",
            problem=f"there is no connection {connection!r}",
            way_out=f"Add a [connections.{connection}] to {config.path}",
        )
        raise ConfigError([mistake])
    with tempfile.TemporaryDirectory(prefix="etltui-fleet-") as folder:
        target = Path(folder) / "fleet.csv"
        result = asyncio.run(
            _run(_of_query(config, connection, sql, target), Path(folder) / "state"),
        )
        if result.status is not RunStatus.COMPLETED:
            troubles = [each.trouble for each in result.connections if each.trouble]
            if troubles:
                raise troubles[0].raised()
            raise Failure(ErrorClass.INTERNAL, result.reason or "the query could not be run")
        found = read_csv(target)
    where = f"connection {connection}"
    return replace(found, mistakes=tuple(replace(each, where=where) for each in found.mistakes))

"""Writes what is durable: checkpoints of connections, publications of targets."""

from collections.abc import Sequence
from dataclasses import dataclass

from etltui.domain.errors import StateError, StatusError
from etltui.domain.part import Published, Receipt
from etltui.domain.run import RESUMABLE, ConnectionResult
from etltui.domain.stored import PublicationRow, PublicationState, published_next
from etltui.store.database import Row, Statements
from etltui.store.logbook import outcome_row
from etltui.store.rows import checked, damage, intact, key, publication_of, seal, to_json


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """How a connection ended, and its parts, as they will be written.

    Attributes:
        result: JSON.
        parts: Rows of parts, all of this run and connection; empty leaves the recorded ones.
        outcome: What of it is listed over many runs.
    """

    run: str
    connection: str
    result: str
    parts: tuple[Row, ...]
    outcome: Row


def checkpoint(
    run: str,
    result: ConnectionResult,
    receipts: Sequence[Receipt],
    *,
    at: float,
) -> Checkpoint:
    """Prepare a checkpoint, so that a wrong one harms nobody who shares its transaction.

    Args:
        run: The run.
        result: How the connection ended.
        receipts: Of its parts.
        at: Unix time in seconds.

    Raises:
        StateError: The receipts are not of this connection's parts, each of them once.
    """
    name = result.connection
    parts = tuple(_part(receipt) for receipt in receipts)
    if any((part["run"], part["connection"]) != (run, name) for part in parts):
        raise StateError(f"a receipt given for {name!r} is of another connection or run")
    if len({key("parts", part) for part in parts}) < len(parts):
        raise StateError(f"two receipts of {name!r} are of the same part")
    return Checkpoint(
        run=run,
        connection=name,
        result=to_json(result),
        parts=parts,
        outcome=outcome_row(run, result, at),
    )


async def record(
    statements: Statements,
    checkpoints: Sequence[Checkpoint],
) -> list[StateError | None]:
    """Record checkpoints; for each, why it was refused, or None.

    A refused one is left out before anything of it is written.
    """
    return [await _record(statements, checkpoint) for checkpoint in checkpoints]


async def _record(statements: Statements, checkpoint: Checkpoint) -> StateError | None:
    run, name = checkpoint.run, checkpoint.connection
    row = await statements.row("connection", run=run, connection=name)
    if row is None:
        return StateError(f"the run {run} has no connection {name!r}")
    if not intact(row):
        return damage("run_connections", row)
    new: Row = {**row, "result": checkpoint.result}
    if checkpoint.parts:
        await statements.change("drop_parts", [row])
        await statements.change("insert_part", checkpoint.parts)
        new = {**new, "parts": len(checkpoint.parts)}
    await statements.change("put_connection", [seal(new)])
    await statements.change("put_outcome", [checkpoint.outcome])
    return None


async def forget(statements: Statements, run: str, connections: Sequence[str] | None) -> None:
    """Drop the parts' rows of some connections, or of all.

    Results go with them, for without parts nothing is done; but of a run that cannot be resumed
    they stay when all parts go, for then the targets hold the rows.
    """
    rows = [
        checked("run_connections", row)
        for row in await statements.rows("connections", run=run)
        if connections is None or row["connection"] in connections
    ]
    whole = await statements.row("run", run=run)
    stays = connections is None and whole is not None and whole["status"] not in RESUMABLE
    new: Row = {"parts": 0} if stays else {"parts": 0, "result": None}
    await statements.change("drop_parts", rows)
    await statements.change("put_connection", [seal({**row, **new}) for row in rows])


async def move_publication(
    statements: Statements,
    row: PublicationRow,
    state: PublicationState,
    published: Published | None,
) -> PublicationRow:
    """Record a publication's next state.

    While a target is assembled again, what is known of the former one stays: it still lies there.
    """
    old = await statements.row("publication", run=row.run, destination=row.destination)
    new: Row = {
        **(checked("publications", old) if old else _begun(row, state)),
        "target": row.target,
        "temporary": row.temporary,
    }
    before = PublicationState(str(new["state"]))
    published_next(before, state)
    if published is not None:
        new = {
            **new,
            "bytes": published.bytes,
            "crc": published.crc,
            "rows": published.rows,
            "members": to_json(published.members),
        }
    elif state is PublicationState.ASSEMBLED and before is not state:
        raise ValueError("an assembled publication needs what was assembled")
    new = seal({**new, "state": state})
    await statements.change("put_publication", [new])
    return publication_of(new)


def _begun(row: PublicationRow, state: PublicationState) -> Row:
    if state is not PublicationState.ASSEMBLING:
        raise StatusError(thing="the publication", current="not begun", wanted=state)
    return {
        "run": row.run,
        "destination": row.destination,
        "state": PublicationState.ASSEMBLING,
        "bytes": 0,
        "crc": 0,
        "rows": 0,
        "members": "[]",
    }


def _part(receipt: Receipt) -> Row:
    return seal(
        {
            "run": receipt.run,
            "destination": receipt.destination,
            "variant": receipt.variant,
            "connection": receipt.connection,
            "query": receipt.query,
            "segment": receipt.segment,
            "receipt": to_json(receipt),
        },
    )

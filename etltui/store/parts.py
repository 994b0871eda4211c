"""Writes what is durable: checkpoints of connections, publications of targets."""

from collections.abc import Sequence
from dataclasses import dataclass

from etltui.domain.errors import StateError, StatusError
from etltui.domain.part import Published, Receipt
from etltui.domain.run import ConnectionResult
from etltui.domain.stored import PublicationRow, PublicationState, published_next
from etltui.store.database import Row, Statements
from etltui.store.rows import checked, damage, intact, key, publication_of, seal, to_json


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """How a connection ended, with the parts it left."""

    run: str
    result: ConnectionResult
    receipts: tuple[Receipt, ...]


async def record(
    statements: Statements,
    checkpoints: Sequence[Checkpoint],
) -> list[Exception | None]:
    """Record checkpoints; for each, why it was refused, or None.

    A refused one is left out before anything of it is written, so that it cannot take those that
    share its transaction with it.
    """
    return [await _record(statements, checkpoint) for checkpoint in checkpoints]


async def _record(statements: Statements, checkpoint: Checkpoint) -> StateError | None:
    name = checkpoint.result.connection
    row = await statements.row("connection", run=checkpoint.run, connection=name)
    parts = [_part(receipt) for receipt in checkpoint.receipts]
    refusal = _refusal(checkpoint, row, parts)
    if row is None or refusal:
        return refusal
    new: Row = {**row, "result": to_json(checkpoint.result)}
    if parts:
        await statements.change("drop_parts", [row])
        await statements.change("insert_part", parts)
        new = {**new, "parts": len(parts)}
    await statements.change("put_connection", [seal(new)])
    return None


def _refusal(checkpoint: Checkpoint, row: Row | None, parts: Sequence[Row]) -> StateError | None:
    """Why a checkpoint cannot be recorded."""
    run, name = checkpoint.run, checkpoint.result.connection
    if row is None:
        return StateError(f"the run {run} has no connection {name!r}")
    if not intact(row):
        return damage("run_connections", row)
    if {(part["run"], part["connection"]) for part in parts} - {(run, name)}:
        return StateError(f"a receipt given for {name!r} is of another connection or run")
    if len({key("parts", part) for part in parts}) < len(parts):
        return StateError(f"two receipts of {name!r} are of the same part")
    return None


async def forget(statements: Statements, run: str, connections: Sequence[str] | None) -> None:
    """Drop the parts' rows of some connections with their results, or of all without these."""
    rows = [
        checked("run_connections", row)
        for row in await statements.rows("connections", run=run)
        if connections is None or row["connection"] in connections
    ]
    await statements.change("drop_parts", rows)
    new: Row = {"parts": 0} if connections is None else {"parts": 0, "result": None}
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
    published_next(PublicationState(str(new["state"])), state)
    if published is not None:
        new = {
            **new,
            "bytes": published.bytes,
            "crc": published.crc,
            "rows": published.rows,
            "members": to_json(published.members),
        }
    elif state is PublicationState.ASSEMBLED:
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

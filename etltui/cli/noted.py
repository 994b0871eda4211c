"""Writes down what a command does where no engine runs, as an engine would."""

from datetime import UTC, datetime

from etltui.bootstrap import operator
from etltui.domain.logbook import Action
from etltui.domain.ports import Store


async def noted(store: Store, what: str, target: str, detail: str = "", outcome: str = "") -> None:
    """Write down what was done.

    Args:
        store: Its folder is held.
        what: The call that an engine would have had, such as `queue.pause`.
        target: The run, job or connections that it was done to.
        detail: What else was asked for.
        outcome: What came of it; empty: it was done.

    Raises:
        StateError: It could not be recorded.
    """
    done = Action(
        at=datetime.now(UTC).timestamp(),
        who=operator(),
        what=what,
        target=target,
        detail=detail,
        outcome=outcome or "done",
    )
    await store.put_actions([done])

"""What is read from the store for views: asked for at any time, there a moment later."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from etltui.domain.errors import EtltuiError
from etltui.domain.ports import History

KEPT = 200
"""Answers to remember; the least recently asked for go."""

_Question = tuple[Hashable, ...]


@dataclass(slots=True)
class _Answer:
    value: Any = None
    known: bool = False
    stale: bool = True
    task: asyncio.Task[None] | None = None


class Reads:
    """Answers of the store, so that no widget ever waits for one.

    Args:
        history: The store, for reading.
        arrived: Called when an answer has come that differs from the one before.
        failed: Called with what the store could not answer.
    """

    def __init__(
        self,
        history: History,
        arrived: Callable[[], None],
        failed: Callable[[EtltuiError], None],
    ) -> None:
        self._history = history
        self._arrived = arrived
        self._failed = failed
        self._answers: dict[_Question, _Answer] = {}

    def get(self, name: str, /, *args: Hashable, **named: Hashable) -> Any:
        """The newest answer of `History.name(...)`; None until the first has come.

        A stale answer is given again while a fresh one is on its way.
        """
        question = (name, args, tuple(sorted(named.items())))
        answer = self._answers.pop(question, None) or _Answer()
        self._answers[question] = answer
        if answer.stale and answer.task is None:
            answer.stale = False
            answer.task = asyncio.create_task(
                self._ask(answer, name, args, named), name=f"read {name}"
            )
        while len(self._answers) > KEPT:
            oldest = next(iter(self._answers))
            if (task := self._answers.pop(oldest).task) is not None:
                task.cancel()
        return answer.value

    async def once(self, name: str, /, *args: Hashable, **named: Hashable) -> Any:
        """The answer of `History.name(...)` now, for whoever may wait; None where there is none."""
        try:
            return await getattr(self._history, name)(*args, **named)
        except EtltuiError as error:
            self._failed(error)
            return None

    def known(self, name: str, /, *args: Hashable, **named: Hashable) -> bool:
        """Whether the first answer has come."""
        answer = self._answers.get((name, args, tuple(sorted(named.items()))))
        return answer is not None and answer.known

    def stale(self, *names: str) -> None:
        """Have answers asked for again when they are wanted next; without names all."""
        for question, answer in self._answers.items():
            if not names or question[0] in names:
                answer.stale = True

    async def _ask(
        self, answer: _Answer, name: str, args: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        try:
            value = await getattr(self._history, name)(*args, **named)
        except EtltuiError as error:
            self._failed(error)
        else:
            if not answer.known or value != answer.value:
                answer.value, answer.known = value, True
                self._arrived()
        finally:
            answer.task = None

    async def aclose(self) -> None:
        """Ask no more."""
        tasks = [each.task for each in self._answers.values() if each.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

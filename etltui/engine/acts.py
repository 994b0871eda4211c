"""Tells what is done to the engine: each call that changes something, once, whoever made it."""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from etltui.domain.audit import Doing, also
from etltui.domain.errors import EtltuiError

MOST_TEXT = 500
"""Characters of one text in a note."""
ASKING: ContextVar[str] = ContextVar("asking", default="")
"""Who makes the call that is being served; empty for whoever runs the engine."""

_WHO = ("owner", "who")

P = ParamSpec("P")
T = TypeVar("T")


class Audit(Protocol):
    """Who has calls recorded; see `engine.auditor`."""

    def recording(self, what: str, given: Mapping[str, Any]) -> AbstractAsyncContextManager[Doing]:
        """Record a call with the first change that the block makes, or else at its end."""
        ...

    async def recorded(self) -> None:
        """Record now what is being done."""
        ...

    def soon(self, what: str, given: Mapping[str, Any], outcome: str) -> None:
        """Record a call that has ended and could not wait."""
        ...


class Acts:
    """Passes on what is done, at once, to whoever records it.

    Attributes:
        audit: Has it recorded while it is done; None: nobody does.
    """

    def __init__(self) -> None:
        self.audit: Audit | None = None
        self._listener: Callable[[str, Mapping[str, Any], str], None] | None = None

    def listen(self, listener: Callable[[str, Mapping[str, Any], str], None]) -> None:
        """Have a listener told of each call: its name, what it was given, what came of it."""
        self._listener = listener

    def note(self, what: str, given: Mapping[str, Any], outcome: str) -> None:
        """Tell of a call that has ended."""
        if self._listener is not None:
            self._listener(what, given, outcome)

    @asynccontextmanager
    async def recording(self, what: str, given: Mapping[str, Any]) -> AsyncIterator[None]:
        """Have a call recorded while it is done; the block says by `also` what came of it."""
        if self.audit is None:
            yield
        else:
            async with self.audit.recording(what, given):
                yield

    async def recorded(self) -> None:
        """Have what is being done recorded now: the next step changes what no database keeps.

        Raises:
            StateError: It could not be recorded; do not take that step.
        """
        if self.audit is not None:
            await self.audit.recorded()


class _Acting(Protocol):
    @property
    def acts(self) -> Acts: ...


S = TypeVar("S", bound=_Acting)


def acted(
    what: str,
) -> Callable[
    [Callable[Concatenate[S, P], Coroutine[Any, Any, T]]],
    Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
]:
    """Let each call of a method be noted, however it ends.

    Args:
        what: The call's name in `door.protocol.CALLS`.
    """

    def decorated(
        call: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
    ) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
        signature = inspect.signature(call)

        @wraps(call)
        async def noted(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
            given = _given(signature.bind(self, *args, **kwargs))
            del given["self"]
            try:
                async with self.acts.recording(what, given):
                    result = await call(self, *args, **kwargs)
                    also(outcome=outcome(result))
            except EtltuiError as error:
                # A value that is refused may be a secret in the wrong place.
                named = {k: tuple(v) if isinstance(v, Mapping) else v for k, v in given.items()}
                self.acts.note(what, named, f"refused: {error}")
                raise
            self.acts.note(what, given, outcome(result))
            return result

        return noted

    return decorated


class Levers:
    """An object as it is, but for the calls of some methods, which are noted.

    Args:
        thing: The object.
        prefix: Its path from the engine.
        names: Of the methods; they do not wait.
        acts: Told of them.
    """

    def __init__(self, thing: object, *, prefix: str, names: frozenset[str], acts: Acts) -> None:
        self._thing = thing
        self._prefix = prefix
        self._names = names
        self._acts = acts

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        if name not in self._names:
            return found

        @wraps(found)
        def noted(*args: Any, **kwargs: Any) -> Any:
            given = _given(inspect.signature(found).bind(*args, **kwargs))
            result = found(*args, **kwargs)
            self._acts.note(f"{self._prefix}.{name}", given, outcome(result))
            if self._acts.audit is not None:
                self._acts.audit.soon(f"{self._prefix}.{name}", given, outcome(result))
            return result

        return noted


def _given(bound: inspect.BoundArguments) -> dict[str, Any]:
    """What a call was given besides what it would have without."""
    defaults = {name: each.default for name, each in bound.signature.parameters.items()}
    return {name: value for name, value in bound.arguments.items() if value != defaults[name]}


def asker(given: Mapping[str, Any], operator: str) -> str:
    """Who made a call: as it says, else who is being served, else who runs the engine."""
    said = (str(given.get(name) or "") for name in _WHO)
    return next(filter(None, (*said, ASKING.get())), operator)


def told(given: Mapping[str, Any]) -> tuple[str, str]:
    """What a call was for, and what else it was given, in words.

    What is empty is left out.
    """
    rest = {name: value for name, value in given.items() if name not in _WHO}
    first = next(iter(rest), None)
    target = "" if first is None else _words(rest.pop(first))
    said = ((name, value, _words(value)) for name, value in rest.items())
    detail = ", ".join(
        text if is_dataclass(value) else f"{name}={text}" for name, value, text in said if text
    )
    return cut(target), cut(detail)


def facts(given: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """What a call was for, and each other thing that it was given, in words."""
    rest = {name: _words(value) for name, value in given.items() if name not in _WHO}
    first = next(iter(rest), None)
    return ("" if first is None else rest.pop(first)), rest


def cut(text: str) -> str:
    """The text as far as it is noted."""
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


def outcome(result: object) -> str:
    """What came of a call: the run, the number, whether there was anything to do."""
    run = getattr(result, "run", None)
    if isinstance(run, str):
        return run
    if result is False:
        return "nothing to do"
    if result is None or result is True:
        return "done"
    return _words(result) or "nothing to do"


def _words(value: object) -> str:
    """A value as it is read; empty for one that says nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_words(each)}" for name, each in value.items())
    if isinstance(value, tuple | list | set | frozenset):
        return ", ".join(map(_words, value))
    if is_dataclass(value):
        said = ((each, getattr(value, each.name)) for each in fields(value))
        return ", ".join(f"{e.name}={_words(fact)}" for e, fact in said if fact != e.default)
    return str(value)

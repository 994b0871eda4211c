"""Keeps accounts from being locked: a login that failed is not tried again by anybody."""

import asyncio
import shlex
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.pools import PoolKey

AT_ONCE = 2
"""Tries with a login that nobody has logged in with yet: many servers lock an account after three
that failed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """What is tried at a server.

    Attributes:
        name: The credential wherever it is used, else the pool itself.
        reference: What its password is configured as: with another one it is another login.
    """

    name: str
    reference: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lock:
    """The first place where a login failed, and what was said there."""

    login: Login
    connection: str
    message: str


class LoginGuard:
    """Remembers which logins failed until they are released or their password changes.

    Args:
        reference: What a credential's password is configured as.
    """

    def __init__(self, reference: Callable[[str], str]) -> None:
        self._reference = reference
        self._locks: dict[str, _Lock] = {}
        self._proved: set[Login] = set()
        self._trying: Counter[Login] = Counter()
        self._ended = asyncio.Event()

    @asynccontextmanager
    async def attempt(self, login: Login) -> AsyncIterator[None]:
        """One try of a login; until one has succeeded `AT_ONCE` go on together, the rest waits."""
        while login not in self._proved and self._trying[login] >= AT_ONCE:
            await self._ended.wait()
        self._trying[login] += 1
        try:
            yield
        finally:
            # No wait here: a cancel must not part a session that was opened from its place.
            self._trying[login] -= 1
            self._ended.set()
            self._ended = asyncio.Event()

    def proved(self, login: Login) -> None:
        """Somebody has logged in: from now on nobody waits for others."""
        self._proved.add(login)

    def login(self, key: PoolKey) -> Login:
        """The login that a session of a pool would try now."""
        reference = self._reference(key.credential) if key.credential else ""
        return Login(name=key.credential or str(key), reference=reference)

    def lock(self, key: PoolKey, login: Login, *, connection: str, message: str) -> None:
        """A login failed that a session of a pool has tried; the first place is remembered.

        With a password that is not the configured one any more it says nothing of the new one.
        """
        if login == self.login(key):
            lock = _Lock(login=login, connection=connection, message=message)
            self._locks.setdefault(login.name, lock)

    def refusal(self, key: PoolKey) -> Failure | None:
        """Why a session of a pool may not be opened, None where it may."""
        login = self.login(key)
        lock = self._locks.get(login.name)
        if lock is None:
            return None
        if lock.login != login:
            self.release(login.name)
            return None
        which = f"credential {login.name}" if key.credential else f"login of {login.name}"
        return Failure(
            ErrorClass.LOGIN,
            f"the {which} was refused at {lock.connection} ({lock.message}) and is not tried "
            "again anywhere, so that the account is not locked: mend the password, then release "
            f"the login with `etltui pools release {shlex.quote(login.name)}`, or let its password "
            "refer to something else",
            {"login": login.name, "connection": lock.connection},
        )

    def release(self, name: str) -> bool:
        """Let a login be tried again; whether it was locked."""
        return self._locks.pop(name, None) is not None

    @property
    def locked(self) -> tuple[str, ...]:
        """The logins that are not tried."""
        return tuple(sorted(self._locks))

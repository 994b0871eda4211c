"""Settings, jobs and tags that an operator changes while the engine runs: checked, kept, held."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from etltui.config.advice import Caution, hints, warnings
from etltui.config.checks import RefusedError, Text, nearest_or_all, shown, texts
from etltui.config.local import write_local
from etltui.config.memory import available
from etltui.config.reading import steady
from etltui.config.schema import Config
from etltui.config.select import suggestion
from etltui.config.setting_views import (
    ProfileView,
    SettingView,
    profile_views,
    value_of,
    views,
)
from etltui.config.table import joined
from etltui.domain.audit import also
from etltui.domain.errors import ConfigError, Mistake
from etltui.domain.words import today
from etltui.engine.acts import Acts, acted
from etltui.engine.changes import Changes
from etltui.engine.settings import Held
from etltui.engine.tools import unbroken

_FILES = frozenset({"connections_file", "state_dir"})
"""Settings that nobody can judge without reading the files again."""

Read = Callable[[Mapping[str, object]], Config]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What changes of settings would meet.

    Attributes:
        mistakes: Why they are refused; none of them would hold.
        cautions: What is allowed but likely a mistake, as far as the changes bring it.
    """

    mistakes: tuple[Mistake, ...] = ()
    cautions: tuple[Caution, ...] = ()


class Options:
    """What an operator may change, as far as the configuration goes.

    Args:
        config: As it is when it is asked.
        read: Reads the files again, with what the local one would say besides.
        held: Whom the settings are told.
        reload: Lets another reading hold.
        acts: Told of what is changed.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        *,
        read: Read,
        held: Held,
        reload: Callable[[Config], Awaitable[None]],
        acts: Acts,
    ) -> None:
        self.acts = acts
        self._config = config
        self._read = read
        self._held = held
        self._reload = reload
        self._changing = asyncio.Lock()

    def again(self) -> Config:
        """The configuration as its files say it now; it holds when `Engine.reload` is given it.

        Raises:
            ConfigError: All mistakes in them.
        """
        return self._read({})

    def list(self) -> tuple[SettingView, ...]:
        """Every setting as it is, in groups and in the order of a screen."""
        return views(self._config())

    def profiles(self) -> tuple[ProfileView, ...]:
        """The profiles, each with what choosing it would change."""
        return profile_views(self._config())

    async def check(self, changes: Mapping[str, object]) -> Verdict:
        """What changes of settings would meet; nothing is changed.

        Args:
            changes: From a setting's name to its new value.
        """
        before = self._config()
        try:
            wanted = await asyncio.to_thread(Changes, before, changes)
            after = await self._after(wanted)
        except ConfigError as error:
            return Verdict(mistakes=error.mistakes)
        return await asyncio.to_thread(_verdict, before, after, wanted.values)

    @unbroken
    async def change(self, changes: Mapping[str, object]) -> None:
        """Change settings: all of them or none, kept in the local file, and held at once.

        Raises:
            ConfigError: All that is wrong with the changes, or they cannot be kept.
        """
        async with self._changing:
            wanted = await asyncio.to_thread(Changes, self._config(), changes)
            after = await self._after(wanted)
            was = ((name, value_of(self._config(), name)) for name in wanted.values)
            also(before=", ".join(f"{name}={value}" for name, value in was))
            await self._keep(wanted.tables)
            await self._reload(after)
            self._held.tell(after.settings, wanted.values)

    @acted("options.enable")
    @unbroken
    async def enable(self, job: str, *, enabled: bool) -> None:
        """Let a job be started, or not; runs that wait or are at work go on.

        Raises:
            ConfigError: There is no such job, or it cannot be kept.
        """
        async with self._changing:
            before = self._config()
            if job not in before.jobs:
                problem, way_out = f"there is no job {shown(job)}", nearest_or_all(job, before.jobs)
                where = str(before.path)
                raise ConfigError(
                    [Mistake(where=where, key="jobs", problem=problem, way_out=way_out)],
                )
            tables = {"jobs": {job: {"enabled": enabled}}}
            jobs = {**before.jobs, job: replace(before.jobs[job], enabled=enabled)}
            after = await self._read_or(tables, lambda: replace(before, jobs=jobs))
            await self._keep(tables)
            await self._reload(after)

    @acted("options.tag")
    @unbroken
    async def tag(
        self,
        connections: Sequence[str],
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        """Change the tags of connections, from either file; runs that began keep their plan.

        Args:
            connections: Their names.
            add: Tags that each gets, behind those it has.
            remove: Tags that each loses.

        Raises:
            ConfigError: There is no such connection, a tag is none, a job would be left without a
                connection that it names by tag, or the tags cannot be kept.
        """
        async with self._changing:
            before = self._config()
            tables = {"connections": _tagged(before, connections, _tags(add), remove)}
            after = await self._read_or(tables, None)
            await self._keep(tables)
            await self._reload(after)

    async def _after(self, wanted: Changes) -> Config:
        def over() -> Config:
            return wanted.laid_over(available())

        blind = None if _FILES & wanted.values.keys() else over
        after = await self._read_or(wanted.tables, blind)
        return after if "memory_threshold_mb" in wanted.values else steady(after, self._config())

    async def _read_or(
        self,
        tables: Mapping[str, object],
        blind: Callable[[], Config] | None,
    ) -> Config:
        """The configuration with more in its local file.

        An operator who is about to mend the file can turn a limit down nevertheless: where the
        files cannot be read anyway, `blind` says what holds.
        """
        try:
            return await asyncio.to_thread(self._read, tables)
        except ConfigError:
            if blind is None or await asyncio.to_thread(self._sound):
                raise
            return await asyncio.to_thread(blind)

    def _sound(self) -> bool:
        """Whether the files can be read as they are."""
        try:
            self.again()
        except ConfigError:
            return False
        return True

    async def _keep(self, tables: Mapping[str, Any]) -> None:
        await self.acts.recorded()
        await asyncio.to_thread(write_local, self._config().path, tables)


def _verdict(before: Config, after: Config, changed: Collection[str]) -> Verdict:
    memory, day = available(), today(after.settings.timezone)
    known = warnings(before, day, memory)
    new = [each for each in warnings(after, day, memory) if each not in known]
    return Verdict(cautions=(*new, *hints(after, changed)))


def _tags(words: Sequence[str]) -> tuple[str, ...]:
    """Tags, if they are such."""
    try:
        return texts([Text()(word).strip() for word in words])
    except RefusedError as refused:
        raise ConfigError(
            [Mistake(where="tags", key="add", problem=refused.problem, way_out=refused.way_out)],
        ) from None


def _tagged(
    config: Config,
    names: Sequence[str],
    add: Sequence[str],
    remove: Sequence[str],
) -> dict[str, dict[str, list[str]]]:
    """The tables that the local file is to say."""
    known = {each.name: each for each in config.connections}
    lost = [name for name in names if name not in known]
    if lost:
        raise ConfigError(
            [
                Mistake(
                    where=str(config.path),
                    key=joined("connections", name),
                    problem="there is no such connection",
                    way_out=suggestion(config.connections, name),
                )
                for name in lost
            ],
        )
    return {
        name: {
            "tags": [tag for tag in dict.fromkeys((*known[name].tags, *add)) if tag not in remove],
        }
        for name in names
    }

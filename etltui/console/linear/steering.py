"""Commands of the linear console that change something, or end it."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from etltui.config.checks import nearest_or_all
from etltui.console.bridge import Moment
from etltui.console.commands import Command, parsed
from etltui.console.linear.commands import needed, understood
from etltui.console.linear.ground import Ground
from etltui.console.orders import CANCELLED
from etltui.domain.errors import misused
from etltui.domain.queue import Ask, Mode
from etltui.domain.run import NOT_ENDED
from etltui.domain.words import counted, short


class Steering:
    """Does them.

    Args:
        ground: What they stand on.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def enabled(self, command: Command) -> bool:
        """Whether the command makes sense now."""
        del command
        return True

    async def _sure(self, question: str) -> bool:
        """Whether the operator wants it; nobody is asked where the configuration says so."""
        if not self._ground.config.console.confirm:
            return True
        return await self._ground.speech.confirm(question)

    async def do_run(self, text: str = "") -> None:
        """Run a job."""
        typed = understood(text, "--only", "--resume", "--canary")
        job = self._ground.job(needed(typed, "run"))
        before = await self._ground.now()
        run = await self._ground.call(
            "submit",
            job=job.name,
            only=typed.only,
            resume=typed.resume or None,
            canary=typed.canary or None,
        )
        self._joined(run, before)

    def _joined(self, run: str, before: Moment) -> None:
        """Say that a run was there already; a new one is told as every change is."""
        there = before.run(run)
        if there is not None and there.status in NOT_ENDED:
            self._ground.speech.say(f"run {short(run)} of {there.job} is there already")

    async def do_cancel(self, text: str = "") -> None:
        """End a run."""
        wanted = needed(understood(text), "cancel")
        found = await self._ground.run(wanted, await self._ground.now())
        # Of one that has ended the engine says so.
        at_work = found.status in NOT_ENDED
        if not at_work or await self._sure(f"Cancel run {short(found.run)} of {found.job}?"):
            await self._ground.call("cancel", run=found.run, reason=CANCELLED)

    async def do_retry(self, text: str = "") -> None:
        """Read again what a run lacks."""
        typed = understood(text, "--only")
        wanted = needed(typed, "retry")
        before = await self._ground.now()
        run = (await self._ground.run(wanted, before)).run
        ask = Ask(mode=Mode.RETRY, only=typed.only)
        self._joined(await self._ground.call("retry", run=run, ask=ask), before)

    async def do_hold(self, text: str = "") -> None:
        """Let no run read a connection."""
        word, reason = parsed(text)
        names = self._ground.named([needed(understood(word), "hold")])
        if not reason:
            raise misused("REASON", "no reason is given", "Say why, for whoever misses its rows")
        await self._ground.call("records.hold", connections=names, reason=reason)
        self._ground.speech.say(f"{_together(names)} held: no run reads {_them(names)}")

    async def do_release(self, text: str = "") -> None:
        """Let runs read connections again."""
        typed = understood(text)
        needed(typed, "release")
        now = (await self._ground.now()).at
        held = [
            each.connection for each in await self._ground.history.holds() if each.in_force(now)
        ]
        names: dict[str, None] = {}
        for word in typed.words:
            found = [name for name in held if name == word or fnmatchcase(name, word)]
            if not found:
                way_out = nearest_or_all(word, held) if held else "No connection is held"
                raise misused("CONNECTION", f"{word!r} is not held", way_out)
            names.update(dict.fromkeys(found))
        await self._ground.call("records.release", connections=tuple(names))
        self._ground.speech.say(f"{_together(tuple(names))} released")

    async def do_pause(self, text: str = "") -> None:
        """Give a job, or nobody, a turn any more."""
        await self._pause(text, paused=True)

    async def do_resume(self, text: str = "") -> None:
        """Undo a pause."""
        await self._pause(text, paused=False)

    async def _pause(self, text: str, *, paused: bool) -> None:
        typed = understood(text)
        job = self._ground.job(typed.first).name if typed.words else ""
        await self._ground.call("queue.pause", job=job, paused=paused)
        self._ground.speech.say(f"{job or 'the queue'} {'is paused' if paused else 'goes on'}")

    async def do_detach(self, _: str = "") -> None:
        """Leave; the engine goes on."""
        self._ground.leave("detach")

    async def do_quit(self, _: str = "") -> None:
        """End the console."""
        at_work = (await self._ground.now()).at_work if self._ground.options.embedded else ()
        question = (
            f"{len(at_work)} at work will be stopped and can be resumed. Quit? (detach leaves them)"
        )
        if not at_work or await self._ground.speech.confirm(question):
            self._ground.leave("quit")


def _together(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else counted(len(names), "connection")


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"

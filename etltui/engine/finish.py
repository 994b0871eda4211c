"""After a run: starts the job's own command, hands it `run_finished`, logs how it went."""

import asyncio
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from etltui.config.paths import located
from etltui.domain.job import Job, OnFinish
from etltui.domain.ports import Clock
from etltui.domain.run import RunResult
from etltui.encode import events as encode
from etltui.engine.log import about

KEPT = 4096
"""Bytes of what a command says that are logged: the last ones."""

_log = logging.getLogger(__name__)


class Finisher:
    """Starts `on_finish` of jobs; no run waits for one, and none changes how a run ended.

    Args:
        clock: Ends what takes too long.
        jobs: By their names, for runs that never began.
    """

    def __init__(self, clock: Clock, jobs: Callable[[], Mapping[str, Job]]) -> None:
        self._clock = clock
        self._jobs = jobs
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, result: RunResult, job: Job | None) -> None:
        """Start the command of the run's job, if it has one.

        Args:
            result: How the run ended.
            job: As the run knew it; None where it never began.
        """
        job = job or self._jobs().get(result.job)
        if job is None or job.on_finish is None:
            return
        task = asyncio.create_task(
            self._follow(result, job, job.on_finish),
            name=f"on_finish of run {result.run}",
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Wait for what is at work; each command has its own time limit."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _follow(self, result: RunResult, job: Job, hook: OnFinish) -> None:
        with about(run=result.run):
            command = Command(
                command_line(hook, job.folder),
                folder=job.folder,
                environ={
                    **os.environ,
                    "ETLTUI_RUN": result.run,
                    "ETLTUI_JOB": result.job,
                    "ETLTUI_STATUS": str(result.status),
                },
                # What UTF-8 cannot hold of a file's name becomes the escape that JSON has for it.
                line=f"{encode.line(encode.finished(result))}\n".encode(errors="backslashreplace"),
            )
            trouble = await self._trouble(command, hook)
            _log.log(
                logging.ERROR if trouble else logging.INFO,
                "on_finish of job %s, run %s: %s. It said: %s",
                result.job,
                result.run,
                trouble or "done",
                command.said.decode(errors="replace").strip() or "nothing",
            )

    async def _trouble(self, command: "Command", hook: OnFinish) -> str:
        """What went wrong with the way out, empty where nothing did; takes at most its limit."""
        program = hook.command[0]
        ended: asyncio.Future[int] = asyncio.wrap_future(command.start())
        limit: asyncio.Future[None] = asyncio.create_task(
            self._clock.sleep(hook.timeout_s),
            name=f"limit of {program}",
        )
        try:
            await asyncio.wait((ended, limit), return_when=asyncio.FIRST_COMPLETED)
        finally:
            limit.cancel()
        if not ended.done():
            command.kill()
            ended.cancel()
            return (
                f"{program} was killed after {hook.timeout_s} s. Raise on_finish.timeout_s, or let "
                "it leave long work to a program with a session and an output of its own"
            )
        if error := ended.exception():
            return (
                f"{program} cannot be started: {_reason(error)}. The program, the interpreter in "
                "its first line and the job's folder must be there, and the program executable"
            )
        return _meaning(program, ended.result())


def command_line(hook: OnFinish, folder: Path) -> tuple[str, ...]:
    """Program and arguments; a program that is a path starts at the folder, a name is looked up."""
    program, *arguments = hook.command
    return (str(located(program, folder)) if "/" in program else program, *arguments)


def _meaning(program: str, code: int) -> str:
    if code == 0:
        return ""
    end = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
    return f"{program} {end}. The run stays as it is; start the command by hand to see why"


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


class Command:
    """A program in a process group of its own, watched by a thread of its own.

    Starting one, reading from it and waiting for its end may each block as long as a dead share
    does; the loop and its threads must not.

    Args:
        words: Program and arguments.
        folder: Where it works.
        environ: Its environment.
        line: What it finds on stdin. It comes from a file in memory, so a program that reads none
            of it breaks no pipe.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        folder: Path,
        environ: Mapping[str, str],
        line: bytes,
    ) -> None:
        self.said = b""
        self._words = words
        self._folder = folder
        self._environ = environ
        self._line = line
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._ended: Future[int] = Future()

    def start(self) -> Future[int]:
        """Begin; the exit code, or why it could not be started.

        It has ended when its output has been closed by all who had it.
        """
        self._ended.set_running_or_notify_cancel()
        threading.Thread(target=self._work, name="on_finish", daemon=True).start()
        return self._ended

    def kill(self) -> None:
        """End it with all that it has started, and wait for nothing."""
        with self._lock:
            self._killed = True
            self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            # One that has become another user may outlive this.
            with suppress(PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _work(self) -> None:
        try:
            self._ended.set_result(self._run())
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self._ended.set_exception(error)

    def _run(self) -> int:
        with os.fdopen(os.memfd_create("run_finished"), "w+b") as stdin:
            stdin.write(self._line)
            stdin.seek(0)
            process = subprocess.Popen(  # noqa: S603 - the operator's own command, without a shell
                self._words,
                cwd=self._folder,
                env=self._environ,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                process_group=0,
            )
        with self._lock:
            self._process = process
            if self._killed:
                self._kill()
        self._listen(process)
        # Not reaped before the lock is held: until then its number is nobody else's.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._process = None
            return process.wait()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        with cast("IO[bytes]", process.stdout) as out:
            while block := out.read(KEPT):
                self.said = (self.said + block)[-KEPT:]

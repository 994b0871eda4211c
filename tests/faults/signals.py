"""Sends what a shell, a system and a closed terminal send, and proves that nothing is left or lost.

    python tests/faults/signals.py --times 100

In each trial two branches are done and a third is stuck where no driver listens: in a query that
ends never, or on a line that has gone silent. Whoever is told to end must end within `END_S`, with
the documented code, leaving no process, lock, socket or temporary file, and the run must complete
when it is taken up again. Whoever is to carry on must do so, and complete when the branch answers.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.signal_world import World
from faults.stuck import Stuck, at_hand
from functional.console.terminal_kit import ETLTUI, SCREEN_SHUT, Terminal

END_S = 5.0
STOPPED_S = 3.0
"""How long a stopped tree sleeps: longer than the time limits of its sessions."""
LONG_S = 240.0
"""A safety net: what does not come in this time does not come at all."""
STOPPED, LEFT = 4, 130


@dataclass
class Trial:
    """What came of one.

    Attributes:
        wrong: What was not as promised.
        seconds: From the signal to the end.
    """

    wrong: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that befalls a command.

    Attributes:
        surface: `run`, `serve` or `console`.
        send: Lets it happen.
        code: How the command ends.
        hangup: The setting `on_hangup`.
        goes_on: Whether the run is to go on, so that the end waits for the branch.
    """

    surface: str
    send: Callable[[Terminal, list[psutil.Process]], None]
    code: int
    hangup: str = "finish"
    goes_on: bool = False


def _signal(*numbers: signal.Signals) -> Callable[[Terminal, list[psutil.Process]], None]:
    def send(terminal: Terminal, _: list[psutil.Process]) -> None:
        for number in numbers:
            os.kill(terminal.pid, number)
            time.sleep(0.1)

    return send


def _close(terminal: Terminal, _: list[psutil.Process]) -> None:
    terminal.close()


def _sleep(_: Terminal, tree: list[psutil.Process]) -> None:
    """Stop everything, as a laptop does that is shut, for longer than any limit."""
    for process in tree:
        process.suspend()
    time.sleep(STOPPED_S)
    for process in reversed(tree):
        process.resume()


def _stop_extractors(_: Terminal, tree: list[psutil.Process]) -> None:
    children = [each for each in tree if "etltui.extractors.child" in each.cmdline()]
    for process in children:
        process.suspend()
    time.sleep(STOPPED_S / 2)
    for process in children:
        process.resume()


_INT, _TERM = _signal(signal.SIGINT), _signal(signal.SIGTERM)
_QUIT, _HUP = _signal(signal.SIGQUIT), _signal(signal.SIGHUP)
_TWICE = _signal(signal.SIGTERM, signal.SIGTERM)

FAULTS: dict[str, Fault] = {}
for _name, _end in (("run", STOPPED), ("serve", 0), ("console", STOPPED)):
    FAULTS |= {
        f"{_name}: INT": Fault(surface=_name, send=_INT, code=_end),
        f"{_name}: TERM": Fault(surface=_name, send=_TERM, code=_end),
        f"{_name}: QUIT": Fault(surface=_name, send=_QUIT, code=_end),
        f"{_name}: HUP, stop": Fault(surface=_name, send=_HUP, code=_end, hangup="stop"),
        f"{_name}: HUP, finish": Fault(surface=_name, send=_HUP, code=0, goes_on=True),
        f"{_name}: closed, stop": Fault(surface=_name, send=_close, code=_end, hangup="stop"),
        f"{_name}: closed, finish": Fault(surface=_name, send=_close, code=0, goes_on=True),
        f"{_name}: all asleep": Fault(surface=_name, send=_sleep, code=0, goes_on=True),
    }
FAULTS |= {
    "run: TERM twice": Fault(surface="run", send=_TWICE, code=LEFT),
    "serve: extractors asleep": Fault(surface="serve", send=_stop_extractors, code=0, goes_on=True),
}


@contextmanager
def _commanded(world: World, fault: Fault) -> Iterator[Terminal]:
    """The command on a terminal of its own, with two branches done and one stuck."""
    words = {"run": ("run", world.JOB), "serve": ("serve",), "console": ()}[fault.surface]
    terminal = Terminal(*ETLTUI, *words, "--config", world.config, **world.environ)
    try:
        if fault.surface != "run":
            terminal.wait_for(b"serving" if fault.surface == "serve" else b"CONNECTION")
            world.etltui("run", world.JOB, "--no-wait")
        until = time.monotonic() + LONG_S
        while not world.stuck_now():
            assert time.monotonic() < until, terminal.seen[-1000:]
            terminal.read()
        yield terminal
    finally:
        for process in _tree(terminal.pid):
            with suppress(psutil.Error):
                process.kill()
        with suppress(ChildProcessError):
            os.waitpid(terminal.pid, 0)


def _tree(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    return []


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _ended(terminal: Terminal, within: float) -> int | None:
    """The exit code; None where it goes on."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        terminal.read(0.02)
    return None


def _gone(tree: list[psutil.Process], terminal: Terminal, within: float) -> list[psutil.Process]:
    until = time.monotonic() + within
    while (left := [each for each in tree if _alive(each)]) and time.monotonic() < until:
        terminal.read(0.02)
    return left


def once(folder: Path, fault: Fault, stuck: Stuck, *, slack: float = 0.0) -> Trial:
    """One trial, in an empty folder."""
    trial = Trial()
    world = World(folder, stuck, hangup=fault.hangup)
    with stuck.blocked(), _commanded(world, fault) as terminal:
        stuck.silence()
        tree = _tree(terminal.pid)
        begun = time.monotonic()
        fault.send(terminal, tree)
        if fault.goes_on:
            _carried_on(trial, world, fault, terminal)
        else:
            code = _ended(terminal, END_S + slack)
            trial.seconds = time.monotonic() - begun
            _expect(trial, fault, code)
        if left := _gone(tree, terminal, 1.0 + slack if not fault.goes_on else LONG_S):
            trial.wrong.append(f"{len(left)} processes are left")
        drawn = fault.surface == "console" and fault.send is not _close
        if drawn and SCREEN_SHUT not in terminal.seen:
            trial.wrong.append("the screen was not given back")
        trial.wrong += world.left_over(at_once=fault.code == LEFT)
    if not fault.goes_on:
        ended = world.etltui("run", world.JOB)
        if ended.returncode:
            trial.wrong.append(f"taken up again: {ended.returncode} {ended.stderr[-300:]}")
    trial.lost, trial.doubled = world.lost_and_doubled()
    trial.wrong += world.left_over()
    return trial


def _carried_on(trial: Trial, world: World, fault: Fault, terminal: Terminal) -> None:
    """Let the branch answer; whoever carries on completes."""
    if fault.surface != "console" and _ended(terminal, 0.5) is not None:
        trial.wrong.append("it ended instead of carrying on")
        return
    world.stuck.answer()
    begun = time.monotonic()
    until = begun + LONG_S
    while not world.completed() and time.monotonic() < until:
        terminal.read(0.02)
    if fault.surface == "serve" or (fault.surface == "console" and fault.send is _sleep):
        os.kill(terminal.pid, signal.SIGTERM)
    _expect(trial, fault, _ended(terminal, LONG_S))
    trial.seconds = time.monotonic() - begun


def _expect(trial: Trial, fault: Fault, code: int | None) -> None:
    if code is None:
        trial.wrong.append("it did not end in time")
    elif code != fault.code:
        trial.wrong.append(f"it ended with {code} instead of {fault.code}")


def trials(
    folder: Path,
    stucks: dict[str, Stuck],
    *,
    times: int,
    faults: dict[str, Fault],
    slack: float = 0.0,
) -> dict[str, list[Trial]]:
    """So many trials, of each fault in turn, each time with another way to be stuck."""
    done: dict[str, list[Trial]] = defaultdict(list)
    names = list(faults)
    for number in range(times):
        name = names[number % len(names)]
        ways = [way for way in stucks if stucks[way].answers or not faults[name].goes_on]
        way = ways[(number + number // len(names)) % len(ways)]
        here = folder / f"{number:04d}"
        trial = once(here, faults[name], stucks[way], slack=slack)
        trial.wrong = [f"{way}: {words}" for words in trial.wrong]
        done[name].append(trial)
        shutil.rmtree(here)
        said = "; ".join(trial.wrong) or "survived"
        print(f"{number + 1:>4} {name}, {way}: {trial.seconds:.2f} s, {said}", file=sys.stderr)
    return done


def report(done: dict[str, list[Trial]]) -> Iterator[str]:
    """A line for each fault, and what was wrong."""
    yield f"{'fault':<26}|{'tried':>6} |{'survived':>9} |{'lost':>5} |{'doubled':>8} |{'time':>7}"
    for name, each in done.items():
        survived = sum(not trial.wrong and not trial.lost and not trial.doubled for trial in each)
        yield (
            f"{name:<26}|{len(each):>6} |{survived:>9} |{sum(t.lost for t in each):>5} |"
            f"{sum(t.doubled for t in each):>8} |{max(t.seconds for t in each):>5.2f} s"
        )
        for words, count in Counter(w for trial in each for w in trial.wrong).items():
            yield f"    {count} × {words}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100, help="trials of all faults together")
    parser.add_argument("--fault", default="", help="part of a fault's name")
    parser.add_argument("--only", default="", help="part of a way to be stuck")
    parser.add_argument("--slack", type=float, default=0.0, help="seconds an end may take longer")
    asked = parser.parse_args()
    faults = {name: fault for name, fault in FAULTS.items() if asked.fault in name}
    with tempfile.TemporaryDirectory() as name, ExitStack() as closes:
        ways = {k: made for k, made in at_hand(closes).items() if asked.only in k}
        done = trials(Path(name), ways, times=asked.times, faults=faults, slack=asked.slack)
    print("\n".join(report(done)))
    good = all(not (t.wrong or t.lost or t.doubled) for each in done.values() for t in each)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

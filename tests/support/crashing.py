"""Fullcircle's own processes, put together as its command line does, which die at a named moment when a trap says so.

`python -m tests.support.crashing serve` (or `worker`, or any other command) is `fullcircle serve` with
a trap: the file named by CRASHING_TRAP holds `{"point": "deliver.called", "passing": 2, "signal": "KILL"}`.
At the second passing of that moment the process removes the file and kills (or stops) itself. Without
the file it is an ordinary process.

`… nursery` imports everything once and then forks such processes as it is told, a line of JSON each:
starting Python and importing takes longer than most of these processes live.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import app.main  # noqa: F401  (which the command line reads only to serve; here it is read before the forks)
from app import cli
from app.assembly import assemble

ROOT = Path(__file__).parents[2]
TRAP = "CRASHING_TRAP"


class Trap:
    """Called at every named moment of the river; springs at the one that its file names."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._passed: Counter[str] = Counter()

    def __call__(self, point: str) -> None:
        """Die here, if this is the moment."""
        try:
            order = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return
        if order["point"] != point:
            return
        self._passed[point] += 1
        if self._passed[point] >= order["passing"]:
            self._passed.clear()
            try:
                self._file.unlink()  # it springs once: whoever starts next lives
            except FileNotFoundError:
                return  # it caught another process
            os.kill(os.getpid(), signal.Signals[f"SIG{order['signal']}"])


def set_trap(file: Path, point: str, *, passing: int = 1, sign: str = "KILL") -> None:
    """Lay a trap, whole at once."""
    laid = file.with_suffix(".new")
    laid.write_text(json.dumps({"point": point, "passing": passing, "signal": sign}))
    laid.replace(file)


def run(arguments: list[str]) -> None:
    """The command line, with a trap in the river if there is one."""
    if TRAP in os.environ:
        cli.assemble = partial(assemble, point=Trap(Path(os.environ[TRAP])))  # type: ignore[assignment]
    sys.argv = ["fullcircle", *arguments]
    cli.app()


# --- The nursery -----------------------------------------------------------------------------------


def _nursery() -> None:
    """Fork a process for each line on standard input, answer with its id; end them all when the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are buried at once: their ids answer no signal any more
    children: list[int] = []
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _live(order)
        children.append(child)
        print(child, flush=True)  # noqa: T201  (the answer)
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _live(order: dict[str, Any]) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for taken, place in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(taken, place)
    os.environ.clear()
    os.environ.update(order["environment"])
    status: int | str | None = 1
    try:
        run(order["arguments"])
        status = 0
    except SystemExit as end:
        status = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else status is not None)


class Nursery:
    """A process with everything imported, which forks others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        command = [sys.executable, "-m", "tests.support.crashing", "nursery"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def start(self, arguments: list[str], environment: dict[str, str], log: Path) -> int:
        """Start `fullcircle <arguments>`; returns the id of the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"arguments": arguments, "environment": environment, "log": str(log)}
        with self._lock:
            self._process.stdin.write(json.dumps(order) + "\n")
            return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it and all its children."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()


def is_alive(process: int) -> bool:
    """Whether a process of the nursery is still there, also when it is stopped."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def is_stopped(process: int) -> bool:
    """Whether SIGSTOP holds it."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] == "T"


def wait_until_dead(process: int, *, seconds: float = 20) -> None:
    """Until it is gone; a stopped or busy process may take a moment."""
    deadline = time.monotonic() + seconds
    while is_alive(process):
        assert time.monotonic() < deadline, f"process {process} lives on"
        time.sleep(0.01)


if __name__ == "__main__":
    if sys.argv[1:] == ["nursery"]:
        _nursery()
    else:
        run(sys.argv[1:])

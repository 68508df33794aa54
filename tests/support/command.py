"""The command line as an operator's shell runs it: real processes, their output kept, ended by their ids."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "app"]


def environment(folder: Path, **settings: object) -> dict[str, str]:
    """The environment of one installation: nothing of ours but what is said here."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "FULLCIRCLE_DATA_DIR": str(folder / "data"),
        **{f"FULLCIRCLE_{name.upper()}": str(value) for name, value in settings.items()},
    }


def fullcircle(folder: Path, *arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(folder, **settings),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class Running:
    """A command that goes on until it is asked to end."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path, url: str) -> None:
        self.process, self._out, self._err, self.url = process, out, err, url

    @property
    def out(self) -> str:
        """What it printed on standard output."""
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        """What it printed on standard error."""
        return self._err.read_text(errors="replace")

    @property
    def cpu_seconds(self) -> float:
        """Processor time it has used, which a busy machine around it changes little; 0 where the system does not tell."""
        if not Path("/proc/self/stat").exists():
            return 0.0
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def until(self, what: Callable[[], object], *, seconds: float = 60) -> None:
        """Wait until something is so; fails with what was printed where it never is, or where the process ended."""
        deadline = time.monotonic() + seconds
        while not what():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}\n{self.out}\n{self.err}"
            assert time.monotonic() < deadline, f"it never came to be\n{self.out}\n{self.err}"
            time.sleep(0.02)

    def until_ready(self, path: str = "/readyz") -> None:
        """Wait until it says that it works."""
        self.until(lambda: self._status(path) == 200)

    def _status(self, path: str) -> int:
        with suppress(httpx.TransportError):
            return httpx.get(self.url + path, trust_env=False, timeout=10).status_code
        return 0

    def end(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; returns its exit code."""
        self.process.send_signal(sign)
        return self.process.wait(timeout=30)


@contextmanager
def running(folder: Path, *arguments: str, name: str = "", **settings: object) -> Iterator[Running]:
    """A command in the background, killed by its id where it does not end by itself."""
    name = name or arguments[0]
    out, err = folder / f"{name}.out", folder / f"{name}.err"
    with (
        out.open("wb") as to_out,
        err.open("wb") as to_err,
        subprocess.Popen(
            [*COMMAND, *arguments],
            env=environment(folder, **settings),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=to_out,
            stderr=to_err,
        ) as process,
    ):
        try:
            yield Running(process, out, err, f"http://127.0.0.1:{settings.get('port', 8000)}")
        finally:
            if process.poll() is None:
                process.kill()

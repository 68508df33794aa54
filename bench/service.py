"""The service under measurement, as an operator runs it: `fullcircle serve` in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from app.assembly import Assembly, assemble
from app.settings import Settings
from app.store import schema
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
COMPILED = ROOT / "build" / "bench" / "compiled"
KEY = "a key that seals what is measured"
SECONDS_TO_START = 60


def environment() -> dict[str, str]:
    """What every measured process sees, ours and the bare one: compiled code is kept, as in an installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FULLCIRCLE_", "PYTHON"))}
    return {**kept, "PYTHONPYCACHEPREFIX": str(COMPILED)}


@contextmanager
def process(command: Sequence[str], *, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended, by its own id, when the block is left."""
    started = subprocess.Popen(
        command, cwd=ROOT, env=environment() | (env or {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(timeout=15)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def memory(pid: int, what: str) -> float:
    """A process's memory in MB: `VmRSS` is what is resident now, `VmHWM` the most that ever was."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(f"{what}:"))) / 1024


def wait_for(url: str, started: subprocess.Popen[bytes], *, every: float = 0.01) -> None:
    """Ask until anything is answered with success; RuntimeError where the process ends first."""
    deadline = time.monotonic() + SECONDS_TO_START
    with httpx.Client(trust_env=False) as http:
        while time.monotonic() < deadline:
            if started.poll() is not None:
                raise RuntimeError(f"{started.args!r} ended with {started.returncode} before it answered")
            try:
                if http.get(url).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(every)
    raise RuntimeError(f"nothing answered at {url}")


@contextmanager
def serving(
    database: str,
    folder: Path,
    *,
    options: Sequence[str] = (),
    env: dict[str, str] | None = None,
    until: str = "/readyz",
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`fullcircle serve` on a free port: its address and its process."""
    port = free_port()
    settings = {
        "FULLCIRCLE_DATABASE_URL": database,
        "FULLCIRCLE_DATA_DIR": str(folder),
        "FULLCIRCLE_SECRET_KEY": KEY,
        "FULLCIRCLE_PORT": str(port),
        "FULLCIRCLE_LOG_FORMAT": "json",
        **(env or {}),
    }
    url = f"http://127.0.0.1:{port}"
    with process([sys.executable, "-m", "app", "serve", *options], env=settings) as started:
        wait_for(url + until, started)
        yield url, started


@asynccontextmanager
async def parts(database: str, folder: Path, **settings: object) -> AsyncIterator[Assembly]:
    """The parts over a migrated database, to lay rows ready before the service starts or to look at them after."""
    given = Settings.model_validate(
        {"database_url": database, "data_dir": folder, "secret_key": KEY, "settle_seconds": 0, **settings}
    )
    assembly = assemble(given)
    try:
        await schema.migrate(assembly.river.db)
        yield assembly
    finally:
        await assembly.close()

"""Fullcircle as its users run it: a process of its own, started by its command line, spoken to over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
QUICK = {
    "FULLCIRCLE_POLL_SECONDS": "0.3",
    "FULLCIRCLE_SETTLE_SECONDS": "0",
    "FULLCIRCLE_BACKOFF_SECONDS": "0.3",
    "FULLCIRCLE_LEASE_SECONDS": "6",
    "FULLCIRCLE_HTTP_SECONDS": "1",
}
"""Timings for tests: everything that waits for minutes in life waits for moments."""


class Service:
    """A running `fullcircle serve`, spoken to as an admin."""

    def __init__(self, url: str, token: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url, self.token, self.process, self._log = url, token, process, log
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=30
        )

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        """One call to the API, its status checked, its JSON returned."""
        answer = self._http.request(method, path, json=body, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}\n{self.log}"
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        """GET, 200."""
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """POST, 200 unless another is expected."""
        return self.call("POST", path, body, status=status)

    @property
    def log(self) -> str:
        """The end of what the process printed."""
        return self._log.read_text(errors="replace")[-4000:]

    def until(self, what: Callable[[], bool], *, seconds: float = 30) -> None:
        """Wait until something is so; fails with the log where it never is."""
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, f"it never came to be\n{self.log}"
            assert self.process.poll() is None, f"the service ended\n{self.log}"
            time.sleep(0.05)

    def until_loop(self, loop: int, state: str, *, seconds: float = 30) -> dict[str, Any]:
        """Wait until a loop is in a state."""
        deadline = time.monotonic() + seconds
        while True:
            found: dict[str, Any] = self.get(f"/api/v1/loops/{loop}")
            if found["state"] == state:
                return found
            told = f"loop {loop} is {found['state']}: {found['why']}\n{found['issue']}\n{found['replies']}\n{self.log}"
            assert time.monotonic() < deadline, told
            time.sleep(0.05)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()


@contextmanager
def serve(folder: Path, database_url: str = "", *options: str, **more: str) -> Iterator[Service]:
    """The service on a free loopback port with a data folder; ended by its id. `options` stand behind `serve`."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "FULLCIRCLE_DATA_DIR": str(folder),
        "FULLCIRCLE_DATABASE_URL": database_url,
        "FULLCIRCLE_PORT": str(port),
        "FULLCIRCLE_LOG_FORMAT": "json",
        **QUICK,
        **more,
    }
    command = [sys.executable, "-m", "app"]
    made = subprocess.run(
        [*command, "token", "create", "--name", "tests", "--role", "admin"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    log = folder / "serve.log"
    with (
        log.open("wb") as out,
        subprocess.Popen([*command, "serve", *options], env=environment, stdout=out, stderr=out) as process,
    ):
        running = Service(f"http://127.0.0.1:{port}", made.stdout.strip(), process, log)
        try:
            running.until(lambda: _is_ready(running.url))
            yield running
        finally:
            running.close()
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False

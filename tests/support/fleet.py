"""The processes of one installation, which die and are started again, as an operator's supervisor would do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.support.crashing import ROOT, TRAP, Nursery, is_alive, set_trap, wait_until_dead
from tests.support.ports import free_port

T = TypeVar("T")

HURRIED = {
    "FULLCIRCLE_POLL_SECONDS": "0.3",
    "FULLCIRCLE_SETTLE_SECONDS": "0",
    "FULLCIRCLE_BACKOFF_SECONDS": "0.2",
    "FULLCIRCLE_LEASE_SECONDS": "1.5",
    "FULLCIRCLE_HTTP_SECONDS": "0.6",
}
"""The product's own timings, all of them some 30 times shorter: their order is what counts."""


@dataclass(slots=True)
class Ship:
    """One process: its command, its log, and how often it had to be started."""

    name: str
    arguments: list[str]
    log: Path
    pid: int = 0
    starts: int = 0

    @property
    def is_up(self) -> bool:
        return self.pid != 0 and is_alive(self.pid)

    @property
    def end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else "(no log)"


class Fleet:
    """`fullcircle serve`, and so many `fullcircle worker` beside it, on one database.

    Whoever is found dead is started again, by any call made here.
    """

    def __init__(
        self, nursery: Nursery, folder: Path, database_url: str = "", *, workers: int = 0, **settings: str
    ) -> None:
        self._nursery, self._folder = nursery, folder
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.database_url = database_url or f"sqlite:///{folder / 'fullcircle.db'}"
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "FULLCIRCLE_DATA_DIR": str(folder),
            "FULLCIRCLE_DATABASE_URL": self.database_url,
            "FULLCIRCLE_PORT": str(port),
            "FULLCIRCLE_LOG_FORMAT": "json",
            **HURRIED,
            **settings,
        }
        serve = ["serve", "--no-worker"] if workers else ["serve"]
        self.trap = folder / "trap"
        self.ships = [self._ship("serve", serve), *(self._ship(f"worker-{n}", ["worker"]) for n in range(workers))]
        self.patience = 60.0
        self.watchers: list[Callable[[], None]] = []
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=10)

    def _ship(self, name: str, arguments: list[str]) -> Ship:
        return Ship(name, arguments, self._folder / f"{name}.log")

    def arm(self, point: str, *, passing: int = 1, sign: str = "KILL") -> None:
        """Let the first process that comes to a named moment die there, or stop."""
        set_trap(self.trap, point, passing=passing, sign=sign)

    @property
    def is_armed(self) -> bool:
        return self.trap.exists()

    @property
    def serve(self) -> Ship:
        return self.ships[0]

    @property
    def workers(self) -> list[Ship]:
        """The processes that work: `serve` itself where there are no others."""
        return self.ships[1:] or self.ships

    def run(self, *arguments: str) -> str:
        """One command to its end; what it printed."""
        log = self._folder / f"{'-'.join(arguments[:2])}.out"
        wait_until_dead(self._nursery.start(list(arguments), self._environment, log))
        return log.read_text()

    def launch(self) -> None:
        """Start everything, and have a token."""
        printed = self.run("token", "create", "--name", "tests", "--role", "admin")
        self._http.headers["Authorization"] = f"Bearer {printed.split()[-1]}"
        self.revive()
        self.until(self._is_ready)

    def _is_ready(self) -> bool:
        return self._http.get("/readyz").status_code == 200

    def revive(self) -> None:
        """Start again whoever is dead."""
        for ship in self.ships:
            if not ship.is_up:
                environment = {**self._environment, TRAP: str(self.trap)}
                ship.pid = self._nursery.start(ship.arguments, environment, ship.log)
                ship.starts += 1

    def until(self, what: Callable[[], T | None], *, why: str = "it never came to be") -> T:
        """Ask again and again until something is so; whoever dies meanwhile is started again, and `watchers` look on."""
        deadline = time.monotonic() + self.patience
        while True:
            for watcher in self.watchers:
                watcher()
            try:
                found = what()
            except httpx.TransportError:
                found = None
            if found:
                return found
            assert time.monotonic() < deadline, f"{why}\n{self.report}"
            self.revive()
            time.sleep(0.03)

    def call(
        self, method: str, path: str, body: Any = None, *, statuses: tuple[int, ...] = (200,), key: str = ""
    ) -> Any:
        """One call to the API; where nobody answers, the same call once more, as any client would make it."""
        headers = {"Idempotency-Key": key} if key else {}

        def ask() -> httpx.Response | None:
            answer = self._http.request(method, path, json=body, headers=headers)
            return None if answer.status_code == 503 else answer

        answer = self.until(ask, why=f"{method} {path} is not answered")
        assert answer.status_code in statuses, f"{method} {path}: {answer.status_code} {answer.text}\n{self.report}"
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        """GET, 200."""
        return self.call("GET", path)

    def items(self, path: str) -> list[dict[str, Any]]:
        """The whole of a short list."""
        found: list[dict[str, Any]] = self.get(f"{path}{'&' if '?' in path else '?'}limit=200")["items"]
        return found

    @property
    def report(self) -> str:
        """What each process printed last."""
        return "\n".join(f"--- {ship.name}, started {ship.starts} times\n{ship.end_of_log}" for ship in self.ships)

    def kill(self) -> None:
        """End all processes at once, by their ids."""
        self.trap.unlink(missing_ok=True)
        for ship in self.ships:
            if ship.is_up:
                os.kill(ship.pid, 9)
                wait_until_dead(ship.pid)

    def close(self) -> None:
        """End everything."""
        self.kill()
        self._http.close()

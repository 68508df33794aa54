"""The load of the webhook figure, in a process of its own: signed calls over kept-alive connections.

    python -m bench.load URL --secret S --connections N --seconds T

Prints one line of JSON: how many calls a second were answered with 2xx once it was warm, and how long they took.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import itertools
import json
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from uvicorn.loops.auto import auto_loop_factory

BODIES = 64
WARM = 1.0
"""Seconds before anything is counted."""


def body(number: int) -> bytes:
    """A GitHub-style `issues` event about an issue of that number, of a usual size (about 8 kB)."""
    api = "https://api.github.example"
    user = {"login": "mona", "id": 4711, "type": "User", "site_admin": False, "url": f"{api}/users/mona"}
    issue = {
        "id": 9_000_000 + number,
        "number": number,
        "title": "Export hangs on large files",
        "state": "closed",
        "state_reason": "completed",
        "user": user,
        "labels": [{"id": n, "name": f"area/{n}", "color": "ededed"} for n in range(5)],
        "body": "Steps to reproduce: open a large file and export it. " * 130,
        "updated_at": "2026-11-02T10:00:00Z",
    }
    addresses = {f"{noun}_url": f"{api}/repos/acme/app/{noun}" for noun in ("issues", "pulls", "tags", "labels")}
    repository = {"id": 1296269, "full_name": "acme/app", "private": False, "owner": user, **addresses}
    event = {"action": "closed", "issue": issue, "repository": repository, "sender": user}
    return json.dumps(event).encode()


def calls(path: str, host: str, secret: str) -> Iterator[bytes]:
    """Requests without end, each with a delivery id of its own; the bodies repeat, signed beforehand."""
    ready = []
    for number in range(1, BODIES + 1):
        text = body(number)
        signature = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"User-Agent: GitHub-Hookshot/bench\r\nX-GitHub-Event: issues\r\nX-GitHub-Hook-ID: 1\r\n"
            f"X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {len(text)}\r\nX-GitHub-Delivery: "
        )
        ready.append((head.encode(), b"\r\n\r\n" + text))
    run = secrets.token_hex(4)
    for number, (head, rest) in enumerate(itertools.cycle(ready)):
        yield head + f"{run}-{number}".encode() + rest


@dataclass(slots=True)
class Tally:
    """What was answered."""

    stop_at: float
    count_from: float
    answered: int = 0
    refused: int = 0
    all_stored: int = 0
    took: list[float] = field(default_factory=list)


class Caller(asyncio.Protocol):
    """One kept-alive connection: a call, its answer, the next call."""

    def __init__(self, source: Iterator[bytes], tally: Tally) -> None:
        self.source, self.tally = source, tally
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.transport: asyncio.WriteTransport | None = None
        self.began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Call at once."""
        self.transport = cast("asyncio.WriteTransport", transport)
        self._call()

    def _call(self) -> None:
        if self.transport is not None:
            self.began = time.perf_counter()
            self.transport.write(next(self.source))

    def data_received(self, data: bytes) -> None:
        """An answer, or a part of one."""
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        if not found or len(rest) < length:
            return
        self.buffer = rest[length:]
        now = time.perf_counter()
        is_success = head[9:10] == b"2"
        self.tally.all_stored += is_success
        if self.tally.count_from <= now <= self.tally.stop_at:
            self.tally.answered += is_success
            self.tally.refused += not is_success
            self.tally.took.append(now - self.began)
        if now < self.tally.stop_at:
            self._call()
        elif self.transport is not None:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, ours or theirs."""
        if not self.done.done():
            self.done.set_result(None)


async def press(url: str, secret: str, *, connections: int, seconds: float) -> dict[str, float]:
    """Call for so long over so many connections."""
    parts = urlsplit(url)
    source = calls(parts.path, parts.netloc, secret)
    now = time.perf_counter()
    tally = Tally(stop_at=now + WARM + seconds, count_from=now + WARM)
    loop = asyncio.get_running_loop()
    callers = [
        (await loop.create_connection(lambda: Caller(source, tally), parts.hostname, parts.port))[1]
        for _ in range(connections)
    ]
    async with asyncio.timeout(WARM + seconds + 30):
        await asyncio.gather(*(caller.done for caller in callers))
    took = sorted(tally.took) or [0.0]
    return {
        "per_second": tally.answered / seconds,
        "refused": tally.refused,
        "stored": tally.all_stored,
        "median_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[int(len(took) * 0.99)] * 1000,
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--secret", required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        answer = runner.run(press(given.url, given.secret, connections=given.connections, seconds=given.seconds))
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()

"""`mastodon_mock` as a process: a Mastodon API written by others, with faults to inject.

Where it is not real: a missing parent is accepted, addresses are counted in full, pages hold 40 at
most, nothing is rate limited by itself and a mention of a deleted status stays, with `status: null`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.ports import free_port

PEOPLE = """
domain = "127.0.0.1:{port}"
url_scheme = "http"
[faults]
enabled = true
[[seed.accounts]]
username = "acme"
display_name = "Acme"
access_token = "acme-token"
[[seed.accounts]]
username = "ana"
display_name = "Ana"
access_token = "ana-token"
[[seed.accounts]]
username = "feed"
bot = true
access_token = "feed-token"
[[seed.accounts]]
username = "admin"
role = "admin"
access_token = "admin-token"
"""


def program() -> str:
    """Where `mastodon_mock` is installed; skips the test that asks where it is not."""
    found = os.environ.get("MASTODON_MOCK") or shutil.which("mastodon_mock")
    if not found:
        pytest.skip("mastodon_mock is not installed: `make real-servers` installs it, or name it in MASTODON_MOCK")
    return found


class MastodonMock:
    """The running server. Everybody in PEOPLE has the token `<username>-token`."""

    def __init__(self, base_url: str, pid: int) -> None:
        self.base_url, self.pid = base_url, pid
        self._http = httpx.Client(base_url=base_url, trust_env=False, timeout=30)

    def call(self, method: str, path: str, *, who: str, **options: Any) -> Any:
        """One call of its API as somebody; fails unless it succeeds."""
        answer = self._http.request(method, path, headers={"Authorization": f"Bearer {who}-token"}, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def say(self, who: str, text: str, **more: Any) -> dict[str, Any]:
        """Somebody posts; `@acme` in the text is a mention of us."""
        return dict(self.call("POST", "/api/v1/statuses", who=who, json={"status": text, **more}))

    def replies_to(self, status_id: str) -> list[dict[str, Any]]:
        """What the network has under a status, whoever reads it."""
        return list(self.call("GET", f"/api/v1/statuses/{status_id}/context", who="ana")["descendants"])

    def fault(self, effect: dict[str, Any], *, method: str = "POST", path: str = "/api/v1/statuses") -> None:
        """Break the next such call: status, ratelimit, latency, malformed or timeout."""
        rule = {"match": {"methods": [method], "path": path}, "effect": effect, "count": 1}
        self.call("POST", "/api/v1/_mock/faults", who="admin", json=rule)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()


@contextmanager
def start_mastodon_mock() -> Iterator[MastodonMock]:
    """A fresh server on loopback, ended by its id."""
    command, port = program(), free_port()
    with tempfile.TemporaryDirectory(prefix="mastodon-mock-") as folder:
        config, log = Path(folder, "config.toml"), Path(folder, "log")
        config.write_text(PEOPLE.format(port=port), encoding="utf-8")
        options = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--in-memory"]
        with (
            log.open("wb") as out,
            subprocess.Popen([command, "serve", *options], cwd=folder, stdout=out, stderr=out) as process,
        ):
            running = MastodonMock(f"http://127.0.0.1:{port}", process.pid)
            try:
                _wait_for(running.base_url, process, log)
                yield running
            finally:
                running.close()
                process.kill()


def _wait_for(base_url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"{base_url}/api/v2/instance", trust_env=False).is_success:
                return
        time.sleep(0.05)
    pytest.fail(f"mastodon_mock did not start: {log.read_text(errors='replace')[-2000:]}")


@asynccontextmanager
async def lossy_line(mock: MastodonMock) -> AsyncIterator[str]:
    """An address of the same server, over a line that loses the first answer to a new status, and no other."""
    losses = [b"POST /api/v1/statuses "]
    carrying: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", httpx.URL(mock.base_url).port)
        lost = asyncio.Event()

        async def there() -> None:
            while asked := await reader.read(65536):
                if losses and asked.startswith(losses[0]):
                    losses.clear()
                    lost.set()
                server_writer.write(asked)

        async def back() -> None:
            while (answer := await server_reader.read(65536)) and not lost.is_set():
                writer.write(answer)

        ways = [asyncio.create_task(there()), asyncio.create_task(back())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.transport.abort()
            server_writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        carrying.add(asyncio.ensure_future(carry(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as line:
        yield f"http://127.0.0.1:{line.sockets[0].getsockname()[1]}"
    for task in carrying:
        task.cancel()
    await asyncio.gather(*carrying, return_exceptions=True)

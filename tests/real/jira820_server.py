"""`jira820` as a process: a Data Center Jira over REST v2, written by others, with a seeded project.

Where it is not real, `Door` helps: it knows issues by key only, and dates in JQL by day only. A project has
one id in its own answer and another one in its issues'. It has no properties, no permissions to ask for and no
webhooks, answers 201 to a changed link, and does not take fix versions from anybody: those of its seeded issues stay.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.ports import free_port


def program() -> str:
    """Where `jira820` is installed; skips the test that asks where it is not."""
    found = os.environ.get("JIRA820") or shutil.which("jira820")
    if not found:
        pytest.skip("jira820 is not installed: `make real-servers` installs it, or name it in JIRA820")
    return found


class Jira820:
    """The running server."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._http = httpx.Client(base_url=f"{base_url}/rest/api/2", trust_env=False, timeout=30)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One call of its API; fails unless it succeeds."""
        answer = self._http.request(method, path, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def issues(self, jql: str) -> list[dict[str, Any]]:
        """The issues that a question finds."""
        return list(self.call("GET", "/search", params={"jql": jql, "maxResults": 1000})["issues"])

    def move(self, key: str, status: str, *, resolution: str | None = None) -> None:
        """Put an issue into a status, through its workflow."""
        transitions = self.call("GET", f"/issue/{key}/transitions")["transitions"]
        number = next(t["id"] for t in transitions if t["to"]["name"] == status)
        fields = {"resolution": {"name": resolution}} if resolution else {}
        self.call("POST", f"/issue/{key}/transitions", json={"transition": {"id": number}, "fields": fields})

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()


class Door(httpx.AsyncBaseTransport):
    """The way of the tracker to the server: numeric ids become keys, and times in JQL become days."""

    def __init__(self, jira: Jira820) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._keys = {issue["id"]: issue["key"] for issue in jira.issues("")}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = re.sub(r"(?<=/issue/)\d+", lambda m: self._keys.get(m[0], m[0]), request.url.path)
        params = request.url.params
        if "jql" in params:
            jql = re.sub(r">= (\d+)", lambda m: f">= {datetime.fromtimestamp(int(m[1]) / 1000, UTC):%F}", params["jql"])
            params = params.set("jql", jql)
        request.url = request.url.copy_with(path=path, params=params)
        answer = await self._inner.handle_async_request(request)
        await answer.aread()
        if request.method == "POST" and path.endswith("/issue") and answer.status_code == 201:
            self._keys[answer.json()["id"]] = answer.json()["key"]
        if request.method == "GET" and "/remotelink/" in path and answer.status_code == 405:
            return httpx.Response(404, request=request)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextmanager
def start_jira820() -> Iterator[Jira820]:
    """A fresh server on loopback with project ACME, ended by its id."""
    command, port = program(), free_port()
    own = {"JIRA820_HOST": "127.0.0.1", "JIRA820_PORT": str(port), "JIRA820_PROJECT_KEY": "ACME"}
    with tempfile.TemporaryDirectory(prefix="jira820-") as folder:
        log = Path(folder, "log")
        with (
            log.open("wb") as out,
            subprocess.Popen([command], cwd=folder, env={**os.environ, **own}, stdout=out, stderr=out) as process,
        ):
            running = Jira820(f"http://127.0.0.1:{port}")
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
            if httpx.get(f"{base_url}/rest/api/2/serverInfo", trust_env=False).is_success:
                return
        time.sleep(0.05)
    pytest.fail(f"jira820 did not start: {log.read_text(errors='replace')[-2000:]}")

"""`emulate` as a process: a stateful GitHub written by others.

Where it is not real: nothing is closed by 'Fixes #N', a release makes no tag, there is no GraphQL, no
list of a commit's pull requests and no ETag; every token is accepted; its links name localhost.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.ports import free_port
from tests.support.processes import ended

SEED = """
github:
  users:
    - login: octocat
    - login: acme-bot
  repos:
    - {owner: octocat, name: app, auto_init: true}
    - {owner: octocat, name: secret, private: true, auto_init: true}
"""


def command() -> list[str]:
    """How to start `emulate`; skips the test that asks where it is not installed."""
    home = os.environ.get("EMULATE_HOME") or Path(__file__).parents[2] / "build/real/node_modules/emulate"
    program = Path(home) / "dist/index.js"
    node = shutil.which("node")
    if node is None or not program.exists():
        pytest.skip("emulate is not installed: `make real-servers` installs it, or name its folder in EMULATE_HOME")
    return [node, str(program), "start", "--service", "github"]


class Emulate:
    """The running server, spoken to as the repository's owner."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = "test_token_octocat"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call to its GitHub; returns the answer's JSON."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github+json"}
        answer = httpx.request(method, f"{self.url}{path}", json=body, headers=headers, trust_env=False)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def commit(self, path: str, message: str, *, branch: str = "main", repository: str = "octocat/app") -> str:
        """A new file on a branch. Returns the commit."""
        content = base64.b64encode(message.encode()).decode()
        body = {"message": message, "content": content, "branch": branch}
        sha: str = self.call("PUT", f"/repos/{repository}/contents/{path}", body)["commit"]["sha"]
        return sha

    def tip(self, branch: str = "main", *, repository: str = "octocat/app") -> str:
        """A branch's newest commit."""
        sha: str = self.call("GET", f"/repos/{repository}/git/ref/heads/{branch}")["object"]["sha"]
        return sha

    def release(self, tag: str, sha: str, *, repository: str = "octocat/app", **options: Any) -> int:
        """A tag and the release of it. Returns the release's id."""
        self.call("POST", f"/repos/{repository}/git/refs", {"ref": f"refs/tags/{tag}", "sha": sha})
        number: int = self.call("POST", f"/repos/{repository}/releases", {"tag_name": tag, **options})["id"]
        return number


@contextmanager
def emulate() -> Iterator[Emulate]:
    """The server on a free loopback port, up for as long as the context."""
    start, port = command(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        seed = Path(folder) / "seed.yaml"
        seed.write_text(SEED, encoding="utf-8")
        process = subprocess.Popen(
            [*start, "--port", str(port), "--seed", str(seed)],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with ended(process):
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/repos/octocat/app", process)
            yield Emulate(url)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"emulate does not answer at {url}")

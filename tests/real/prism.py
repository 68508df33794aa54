"""`prism` as a process: a proxy by others that passes nothing on, in either way, that breaks an OpenAPI document.

Where it is not strict: a parameter that the document does not name passes, and what a problem holds besides its title
and type is not looked at.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.ports import free_port
from tests.support.processes import ended

JUDGEMENT = "stoplight.io/prism/errors"
"""In each answer that is the proxy's own: what was asked, or answered, breaks the document."""


def command() -> list[str]:
    """How to start it; skips the test that asks where it is not installed."""
    modules = Path(os.environ.get("REAL_NODE_MODULES") or Path(__file__).parents[2] / "build/real/node_modules")
    program, node = modules / "@stoplight/prism-cli/dist/index.js", shutil.which("node")
    if node is None or not program.exists():
        pytest.skip("prism is not installed: `make real-servers` installs it, or name its folder in REAL_NODE_MODULES")
    return [node, str(program)]


def problems_first(document: dict[str, Any]) -> dict[str, Any]:
    """The document in an order that the proxy reads right: it takes `application/problem+json` for any other JSON."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for documented in operation.get("responses", {}).values() if isinstance(operation, dict) else ():
                if content := documented.get("content"):
                    documented["content"] = dict(sorted(content.items(), key=lambda item: "problem" not in item[0]))
    return document


@contextmanager
def judging(document: dict[str, Any], upstream: str, *, folder: Path) -> Iterator[str]:
    """The proxy before `upstream`, up for as long as the context; yields its address."""
    start, port = command(), free_port()
    path = folder / "document.json"
    path.write_text(json.dumps(problems_first(document)), encoding="utf-8")
    with (folder / "prism.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*start, "proxy", str(path), upstream, "--errors", "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "SCARF_ANALYTICS": "false"},
            stdout=log,
            stderr=log,
        )
        with ended(process):
            _wait_for(port, process, folder / "prism.log")
            yield f"http://127.0.0.1:{port}"


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
            return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise RuntimeError(f"prism does not answer: {log.read_text(encoding='utf-8')[-2000:]}")

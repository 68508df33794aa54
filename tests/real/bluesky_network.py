"""The real Bluesky in a process: `@atproto/dev-env` runs the PDS, the AppView and the directory that others wrote.

Where it is not as in the world: accounts need no e-mail, handles end in `.test`, there is one PDS, and the AppView
has read what was written when `settle` returns. Redis is needed beside PostgreSQL; both are started here.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import postgres
from tests.support.ports import free_port

REAL = Path(__file__).parents[2] / "build/real"
SCRIPT = Path(__file__).with_suffix(".mjs")
HOW = "`make real-servers` installs it"
_names = itertools.count(1)


def _node() -> str:
    found = os.environ.get("BLUESKY_NODE") or str(REAL / "venv/bin/node")
    if not Path(found).is_file():
        pytest.skip(f"Node.js 22 is not installed: {HOW}, or name it in BLUESKY_NODE")
    return found


def _modules() -> Path:
    found = Path(os.environ.get("BLUESKY_MODULES") or REAL / "bluesky/node_modules")
    if not (found / "@atproto/dev-env").is_dir():
        pytest.skip(f"@atproto/dev-env is not installed: {HOW}, or name its node_modules in BLUESKY_MODULES")
    return found


def _redis() -> str:
    found = os.environ.get("REDIS_SERVER") or shutil.which("redis-server")
    if not found:
        pytest.skip("redis-server is not installed: it is Debian's package redis-server")
    return found


@dataclass(frozen=True, slots=True)
class Somebody:
    """An account: who it is, and how it is spoken for."""

    did: str
    handle: str
    password: str
    access: str


class BlueskyNetwork:
    """The running network."""

    def __init__(self, told: dict[str, str], process: subprocess.Popen[str]) -> None:
        self.pds, self.appview, self._admin = told["pds"], f"{told['appview']}#bsky_appview", told["admin"]
        self._process = process
        self._http = httpx.Client(base_url=f"{self.pds}/xrpc/", trust_env=False, timeout=30)

    def call(self, method: str, *, who: Somebody | None = None, **given: Any) -> Any:
        """One call of the PDS, a POST where `json` is given; fails unless it succeeds."""
        headers = {"Authorization": f"Bearer {who.access}"} if who else {}
        verb = "POST" if "json" in given else "GET"
        answer = self._http.request(verb, method, headers=headers, **given)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def join(self, name: str) -> Somebody:
        """A new account, whose handle begins so, and its app password."""
        handle = f"{name}{next(_names)}.test"
        body = {"handle": handle, "email": f"{handle}@example.com", "password": "the-account-itself"}
        made = self.call("com.atproto.server.createAccount", json=body)
        who = Somebody(made["did"], handle, "", made["accessJwt"])
        password = self.call("com.atproto.server.createAppPassword", who=who, json={"name": "fullcircle"})["password"]
        profile = {"$type": "app.bsky.actor.profile", "displayName": name.title()}
        where = {"repo": who.did, "collection": "app.bsky.actor.profile", "rkey": "self"}
        self.call("com.atproto.repo.putRecord", who=who, json={**where, "record": profile})
        return Somebody(who.did, handle, password, who.access)

    def say(
        self, who: Somebody, text: str, *, to: Somebody | None = None, settle: bool = True, **more: Any
    ) -> dict[str, Any]:
        """Somebody posts; `to` is mentioned where the text has their handle."""
        record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": _now(), **more}
        if to is not None:
            start = text.encode().index(f"@{to.handle}".encode())
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": to.did}
            index = {"byteStart": start, "byteEnd": start + len(to.handle) + 1}
            record["facets"] = [{"index": index, "features": [feature]}]
        return self.write(who, "app.bsky.feed.post", record, settle=settle)

    def write(
        self, who: Somebody, collection: str, record: dict[str, Any], *, settle: bool = True, **more: Any
    ) -> dict[str, Any]:
        """Any record of anybody; it is to be read at once unless `settle` is put off."""
        body = {"repo": who.did, "collection": collection, "record": record, **more}
        made: dict[str, Any] = self.call("com.atproto.repo.createRecord", who=who, json=body)
        if settle:
            self.settle()
        return {"uri": made["uri"], "cid": made["cid"]}

    def delete(self, who: Somebody, uri: str) -> None:
        """Somebody takes a record back."""
        _, _, repo, collection, key = uri.split("/")
        self.call("com.atproto.repo.deleteRecord", who=who, json={"repo": repo, "collection": collection, "rkey": key})
        self.settle()

    def records(self, who: Somebody) -> list[dict[str, Any]]:
        """All posts in somebody's repository."""
        params = {"repo": who.did, "collection": "app.bsky.feed.post", "limit": "100"}
        return list(self.call("com.atproto.repo.listRecords", params=params)["records"])

    def take_down(self, who: Somebody) -> None:
        """Moderators of the PDS stop an account."""
        subject = {"$type": "com.atproto.admin.defs#repoRef", "did": who.did}
        body = {"subject": subject, "takedown": {"applied": True, "ref": "test"}}
        answer = self._http.post(
            "com.atproto.admin.updateSubjectStatus", json=body, auth=httpx.BasicAuth("admin", self._admin)
        )
        assert answer.is_success, answer.text

    def settle(self) -> None:
        """Wait until the AppView shows what was written."""
        self._ask("process")

    def graphemes(self, *texts: str) -> list[int]:
        """Each text's length, as the PDS counts."""
        return self._ask("graphemes", *texts)

    def _ask(self, *words: str) -> list[int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        answer: list[int] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()


def _now() -> str:
    moment = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment * 1000) % 1000:03d}Z"


@contextmanager
def start_bluesky() -> Iterator[BlueskyNetwork]:
    """A fresh network, ended with its processes."""
    node, modules, redis = _node(), _modules(), _redis()
    programs = postgres.find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: it is Debian's package postgresql")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bluesky-", ignore_cleanup_errors=True)))
        server = postgres.start(programs)
        stack.callback(server.stop)
        redis_port = free_port()
        log = stack.enter_context((folder / "log").open("wb"))
        options = ["--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        _start(stack, [redis, *options], stdout=log, stderr=log)
        environment = {
            **os.environ,
            "DB_POSTGRES_URL": server.create("bluesky"),
            "DB_POSTGRES_SCHEMA": "network",
            "REDIS_HOST": f"127.0.0.1:{redis_port}",
            "TMPDIR": str(folder),
            "LOG_ENABLED": "false",
            "NODE_ENV": "test",
        }
        process = _start(
            stack,
            [node, str(SCRIPT), str(modules.parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
        told = process.stdout.readline() if process.stdout else ""
        if not told.startswith("{"):
            pytest.fail(f"the Bluesky network did not start: {(folder / 'log').read_text(errors='replace')[-3000:]}")
        network = BlueskyNetwork(json.loads(told), process)
        stack.callback(network.close)
        yield network


def _start(stack: ExitStack, command: list[str], **options: Any) -> subprocess.Popen[Any]:
    process = stack.enter_context(subprocess.Popen(command, **options))
    stack.callback(process.kill)
    return process

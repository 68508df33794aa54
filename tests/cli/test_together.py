"""Several processes on one PostgreSQL: they share the work, never speak twice, and the switch silences all of them."""

from __future__ import annotations

import contextlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.store.schema import newest
from tests.support.command import Running, fullcircle, running
from tests.support.databases import PostgresDatabases
from tests.support.ports import free_port

pytestmark = pytest.mark.postgres

QUICK = {
    "settle_seconds": 0,
    "backoff_seconds": 0.5,
    "log_format": "json",
    "secret_key": "the same key for every process",
}
CROWD = 40
ADDRESSED = re.compile(r"@(customer\d+) ")  # how an answer begins


@pytest.fixture
def shared(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """An empty database for all of them."""
    url = postgres_databases.empty()
    yield url
    postgres_databases.drop(url)


class Desk:
    """The API and the rehearsal pages of one process."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=30
        )

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **query: Any) -> Any:
        answer = self.http.request(method, f"/api/v1{path}", json=body, params=query)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def submit(self, path: str, **form: str) -> None:
        answer = self.http.post(f"/rehearsal/main{path}", data=form)
        assert answer.status_code == 303, answer.text

    def complain(self, handle: str, words: str = "The export hangs") -> None:
        self.submit("", handle=handle, text=words, language="en")

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_error: object) -> None:
        self.http.close()

    def answered(self) -> Counter[str]:
        """How often each customer was answered."""
        posts = self.call("GET", "/replies", state="posted", limit=200)["items"]
        return Counter(post["text"].split()[0].removeprefix("@") for post in posts)

    def heard(self) -> Counter[str]:
        """How often the public reads an answer to each customer, at the network itself."""
        return Counter(ADDRESSED.findall(self.http.get("/rehearsal/main").text))


def until(what: Callable[[], object], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


def link_everybody(one: Desk, two: Desk) -> None:
    """Everybody complains, at both services; and waits for one issue, linked at both."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: (one, two)[n % 2].complain(f"customer{n}"), range(CROWD)))
        until(lambda: len(one.call("GET", "/posts", state="new", limit=200)["items"]) == CROWD)
        posts = one.call("GET", "/posts", limit=200)["items"]
        new = {"post_id": posts[0]["id"], "issue": {"tracker_id": 1, "title": "Export"}}
        ref = one.call("POST", "/loops", new, status=201)["issue"]["ref"]

        def link(number: int) -> None:
            known = {"post_id": posts[number]["id"], "issue": {"tracker_id": 1, "ref": ref}}
            (one, two)[number % 2].call("POST", "/loops", known, status=201)

        list(pool.map(link, range(1, CROWD)))


def test_services_and_workers_share_a_crowd_answer_each_once_and_fall_silent_together(
    shared: str, tmp_path: Path
) -> None:
    settings = {**QUICK, "database_url": shared, "poll_seconds": 0.5}
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: fullcircle(tmp_path, "migrate", **settings), range(2)))
    assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]
    token = fullcircle(tmp_path, "token", "create", "--name", "t", "--role", "admin", **settings).stdout.strip()

    with contextlib.ExitStack() as stack:

        def start(name: str, *arguments: str, **more: object) -> Running:
            return stack.enter_context(running(tmp_path, *arguments, name=name, **settings, **more))

        serves = [start(f"serve{n}", "serve", "--no-worker", port=free_port()) for n in range(2)]
        workers = [start(f"worker{n}", "worker") for n in range(2)]
        for serve in serves:
            serve.until_ready()
        one, two = (stack.enter_context(Desk(serve.url, token)) for serve in serves)
        one.call("POST", "/accounts", {"channel": "rehearsal", "name": "Acme", "mode": "automatic"}, status=201)
        two.call("POST", "/trackers", {"kind": "rehearsal", "name": "Acme app"}, status=201)
        link_everybody(one, two)

        two.call("PUT", "/voice", {"on": False})
        one.submit("/board/issues/1/close", outcome="completed")
        one.submit("/board/releases", label="v2.4.1", standing="published")
        until(lambda: len(two.call("GET", "/replies", state="scheduled", limit=200)["items"]) == CROWD)
        time.sleep(1.0)
        assert one.answered() == {}, "switched off in one process, no word leaves any other"

        one.call("PUT", "/voice", {"on": True})
        until(one.heard, seconds=5)  # work that another process made is found within a moment
        two.call("PUT", "/voice", {"on": False})
        time.sleep(1.0)
        after_a_second = one.heard()
        time.sleep(1.0)
        assert one.heard() == after_a_second, "from one second on, no word leaves"

        assert workers[0].end() == 0
        workers.append(start("restarted", "worker"))
        workers[-1].until(lambda: "worker started" in workers[-1].err)
        time.sleep(0.7)
        assert one.heard() == after_a_second, "the switch survives a restart"

        one.call("PUT", "/voice", {"on": True})
        everybody = {f"customer{n}": 1 for n in range(CROWD)}
        until(lambda: sum(one.answered().values()) >= CROWD)
        time.sleep(0.7)
        assert one.answered() == everybody
        assert one.heard() == everybody, "nor does the public read it twice"

        # Who speaks for whom is left to chance, so only one of them is left for the last.
        assert workers[1].end() == 0
        one.complain("late")
        until(lambda: one.call("GET", "/posts", state="new")["items"])
        (late,) = one.call("GET", "/posts", state="new")["items"]
        two.call("POST", "/loops", {"post_id": late["id"], "issue": {"tracker_id": 1, "title": "Again"}}, status=201)
        two.submit("/board/issues/2/close", outcome="completed")
        two.submit("/board/releases", label="v2.4.2", standing="published")
        until(lambda: one.answered()["late"])
        assert one.answered() == {**everybody, "late": 1}
        assert workers[-1].end() == 0
        said = [worker.err.count('"reply posted"') for worker in workers]
        assert sum(said) == CROWD + 1
        assert said[-1] >= 1, f"they share the work: {said}"

        until(lambda: httpx.get(f"{serves[0].url}/readyz", trust_env=False).status_code == 503, seconds=10)
        for process in (*serves, *workers):
            assert process.process.returncode == 0 or process.end() == 0
            assert "Traceback" not in process.err


async def test_a_worker_waits_for_the_schema_it_needs_and_says_so(shared: str, tmp_path: Path) -> None:
    settings = {**QUICK, "database_url": shared}
    with running(tmp_path, "worker", **settings) as worker:
        worker.until(lambda: "another schema; waiting" in worker.err)
        assert "worker started" not in worker.err
        assert fullcircle(tmp_path, "migrate", **settings).returncode == 0
        worker.until(lambda: "worker started" in worker.err)

        engine = create_async_engine(shared.replace("postgresql://", "postgresql+asyncpg://"))
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = 'newer'"))
        worker.until(lambda: worker.err.count("another schema; waiting") == 2)
        assert '"has": "newer"' in worker.err
        async with engine.begin() as connection:
            await connection.execute(text(f"UPDATE alembic_version SET version_num = '{newest()}'"))
        await engine.dispose()
        assert worker.end() == 0

"""Several processes on one PostgreSQL: they share the work, never speak twice, and the switch silences all of them."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
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
CROWD = 24


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

    def brand_posts(self) -> Counter[str]:
        """How often each customer was answered, by what the square itself shows."""
        posts = self.call("GET", "/replies", state="posted", limit=200)["items"]
        return Counter(post["text"].split()[0].removeprefix("@") for post in posts)


def square_answers(page: str, handle: str) -> int:
    return page.count(f"@{handle} ")


def until(what: Any, *, seconds: float = 60, watching: tuple[Running, ...] = ()) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it never came to be\n" + "\n".join(w.err[-2000:] for w in watching)
        time.sleep(0.05)
    return found


def test_two_services_and_two_workers_share_a_crowd_and_answer_each_customer_once(shared: str, tmp_path: Path) -> None:
    settings = {**QUICK, "database_url": shared, "poll_seconds": 0.5}
    with ThreadPoolExecutor(4) as pool:
        starts = [pool.submit(fullcircle, tmp_path, "migrate", **settings) for _ in range(4)]
        done = [start.result() for start in starts]
    assert [one.returncode for one in done] == [0, 0, 0, 0], [one.stderr for one in done]
    token = fullcircle(tmp_path, "token", "create", "--name", "t", "--role", "admin", **settings).stdout.strip()

    with contextlib.ExitStack() as stack:
        ports = (free_port(), free_port())
        serves = [
            stack.enter_context(running(tmp_path, "serve", "--no-worker", port=port, name=f"serve{n}", **settings))
            for n, port in enumerate(ports)
        ]
        workers = [stack.enter_context(running(tmp_path, "worker", name=f"worker{n}", **settings)) for n in range(2)]
        for serve in serves:
            serve.until_ready()
        one, two = (Desk(serve.url, token) for serve in serves)
        account = {"channel": "rehearsal", "name": "Acme", "mode": "automatic"}
        one.call("POST", "/accounts", account, status=201)
        two.call("POST", "/trackers", {"kind": "rehearsal", "name": "Acme app"}, status=201)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: (one, two)[n % 2].complain(f"customer{n}"), range(CROWD)))
        until(
            lambda: len(one.call("GET", "/posts", state="new", limit=200)["items"]) == CROWD,
            watching=(*serves, *workers),
        )
        posts = one.call("GET", "/posts", limit=200)["items"]
        first = one.call(
            "POST", "/loops", {"post_id": posts[0]["id"], "issue": {"tracker_id": 1, "title": "Export"}}, status=201
        )
        issue = {"tracker_id": 1, "ref": first["issue"]["ref"]}
        with ThreadPoolExecutor(4) as pool:
            list(
                pool.map(
                    lambda n: (one, two)[n % 2].call(
                        "POST", "/loops", {"post_id": posts[n]["id"], "issue": issue}, status=201
                    ),
                    range(1, CROWD),
                )
            )
        two.call("PUT", "/voice", {"on": False})
        one.submit("/board/issues/1/close", outcome="completed")
        one.submit("/board/releases", label="v2.4.1", standing="published")
        until(
            lambda: len(two.call("GET", "/replies", state="scheduled", limit=200)["items"]) == CROWD,
            watching=(*serves, *workers),
        )
        time.sleep(1.0)
        assert one.brand_posts() == {}, "switched off in one process, no word leaves any other"

        turned_on = time.monotonic()
        one.call("PUT", "/voice", {"on": True})
        until(lambda: one.brand_posts(), watching=tuple(workers))
        assert time.monotonic() - turned_on < 5, "work that another process made is found within a moment"
        until(lambda: sum(one.brand_posts().values()) >= CROWD, watching=(*serves, *workers))
        time.sleep(1.0)
        assert one.brand_posts() == {f"customer{n}": 1 for n in range(CROWD)}
        page = two.http.get("/rehearsal/main").text
        assert all(square_answers(page, f"customer{n}") == 1 for n in range(CROWD)), "nor does the public read it twice"

        spoke = [worker.err.count('"reply posted"') for worker in workers]
        assert sum(spoke) == CROWD
        assert min(spoke) > 0, f"both work: {spoke}"
        for worker in workers:
            assert worker.end() == 0
            assert "Traceback" not in worker.err
        until(lambda: httpx.get(f"{serves[0].url}/readyz", trust_env=False).status_code == 503, seconds=10)
        for serve in serves:
            assert serve.end() == 0
            assert "Traceback" not in serve.err
        for desk in (one, two):
            desk.http.close()


def test_the_switch_silences_another_process_within_a_second_in_the_middle_of_a_crowd(
    shared: str, tmp_path: Path
) -> None:
    settings = {**QUICK, "database_url": shared, "poll_seconds": 0.5}
    token = fullcircle(tmp_path, "token", "create", "--name", "t", "--role", "admin", **settings).stdout.strip()
    with (
        running(tmp_path, "serve", "--no-worker", port=free_port(), **settings) as serve,
        running(tmp_path, "worker", **settings) as worker,
    ):
        serve.until_ready()
        desk = Desk(serve.url, token)
        desk.call("POST", "/accounts", {"channel": "rehearsal", "name": "Acme", "mode": "automatic"}, status=201)
        desk.call("POST", "/trackers", {"kind": "rehearsal", "name": "Acme app"}, status=201)
        for number in range(60):
            desk.complain(f"customer{number}")
        until(lambda: len(desk.call("GET", "/posts", state="new", limit=200)["items"]) == 60, watching=(worker,))
        posts = desk.call("GET", "/posts", limit=200)["items"]
        first = desk.call(
            "POST", "/loops", {"post_id": posts[0]["id"], "issue": {"tracker_id": 1, "title": "Export"}}, status=201
        )
        for post in posts[1:]:
            issue = {"tracker_id": 1, "ref": first["issue"]["ref"]}
            desk.call("POST", "/loops", {"post_id": post["id"], "issue": issue}, status=201)
        desk.submit("/board/issues/1/close", outcome="completed")
        desk.submit("/board/releases", label="v2.4.1", standing="published")
        until(lambda: desk.brand_posts(), watching=(worker,))

        desk.call("PUT", "/voice", {"on": False})
        time.sleep(1.0)
        after_a_second = sum(desk.brand_posts().values())
        time.sleep(1.5)
        assert sum(desk.brand_posts().values()) == after_a_second, "from one second on, no word leaves"

        assert worker.end() == 0
        with running(tmp_path, "worker", name="restarted", **settings) as again:
            until(lambda: "worker started" in again.err, watching=(again,))
            time.sleep(1.0)
            assert sum(desk.brand_posts().values()) == after_a_second, "the switch survives a restart"
            desk.call("PUT", "/voice", {"on": True})
            until(lambda: sum(desk.brand_posts().values()) == 60, watching=(again,))
            assert set(desk.brand_posts().values()) == {1}
        desk.http.close()


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

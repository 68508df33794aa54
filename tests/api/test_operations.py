"""Alive, ready, measured: what an operator's tools ask, without a token."""

from __future__ import annotations

import re

import httpx
from sqlalchemy import text

from app import __version__
from app.store import workers
from app.store.session import Database
from tests.support import on_both, story
from tests.support.circle import Circle
from tests.support.mastodon_network import TOKEN
from tests.support.outsides import Outsides, mastodon_account

databases = on_both.databases


async def beat(played: Circle) -> None:
    async with played.river.db.begin() as session:
        await workers.beat(session, name="a worker", version=__version__, now=played.clock())


async def ask(played: Circle, path: str) -> httpx.Response:
    return await played.api.get(path, headers={"Authorization": ""})


async def why_not(played: Circle) -> str:
    answer = await ask(played, "/readyz")
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["detail"])


async def test_alive_asks_nobody_and_ready_asks_for_a_worker(played: Circle) -> None:
    answer = await ask(played, "/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": __version__})
    assert "no worker has started" in await why_not(played)
    await beat(played)
    answer = await ask(played, "/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    played.clock.move(seconds=31)
    assert "no worker was heard of for 31 s" in await why_not(played)
    await beat(played)
    assert (await ask(played, "/readyz")).status_code == 200


async def test_a_foreign_schema_is_not_ready(played: Circle) -> None:
    await beat(played)
    async with played.river.db.begin() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    found = await why_not(played)
    assert "schema ffff" in found
    assert "fullcircle migrate" in found
    assert (await ask(played, "/healthz")).status_code == 200


async def test_a_database_without_a_schema_is_not_ready(played: Circle) -> None:
    async with played.river.db.begin() as session:
        await session.execute(text("DROP TABLE alembic_version"))
    assert "schema none" in await why_not(played)


async def test_a_lost_database_is_503_everywhere_and_says_no_secret(played: Circle) -> None:
    played.river.db = Database("postgresql://fullcircle:geheim@127.0.0.1:1/nowhere")
    assert "does not answer" in await why_not(played)
    for method, path in [("GET", "/api/v1/posts"), ("PUT", "/api/v1/voice"), ("GET", "/metrics")]:
        answer = await played.api.request(method, path, json={"on": False} if method == "PUT" else None)
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert "geheim" not in answer.text
    assert (await ask(played, "/healthz")).status_code == 200
    await played.river.db.close()


async def test_metrics_tell_the_states_of_everything_and_which_connections_work(
    connected: Circle, outside: Outsides
) -> None:
    await connected.post("/api/v1/accounts", mastodon_account(), status=201)
    await connected.post("/api/v1/trackers", {"kind": "rehearsal", "name": 'Acme "app"'}, status=201)
    for number in range(3):
        outside.network.mention(f"customer{number}@other.example", "Export hangs")
    await connected.post("/api/v1/accounts/1/pull")
    await story.tag(connected, {"id": 1})
    await connected.post("/api/v1/posts/2/dismiss")
    await beat(connected)
    connected.clock.move(seconds=12)
    outside.network.token(TOKEN, revoked=True)
    await connected.get("/api/v1/accounts/1/health")
    await connected.call("PUT", "/api/v1/voice", {"on": False})

    answer = await ask(connected, "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    found = dict(re.findall(r"^fullcircle_(\S+?(?:\{.*\})?) (\S+)$", answer.text, re.MULTILINE))
    assert found['posts{state="new"}'] == "1.0"
    assert found['posts{state="tagged"}'] == "1.0"
    assert found['posts{state="dismissed"}'] == "1.0"
    assert found['loops{state="linked"}'] == "1.0"
    assert found['account_ok{account="1",name="Acme"}'] == "0.0"
    assert found['tracker_ok{name="Acme \\"app\\"",tracker="1"}'] == "1.0"
    assert found["voice_on"] == "0.0"
    assert found["worker_silent_seconds"] == "12.0"
    assert {"deliveries_waiting", "poll_overdue_seconds"} <= set(found)
    assert TOKEN not in answer.text

"""The worker: one look finds what is due for every job, and nothing that goes wrong ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app import worker
from app.api.operations import why_not_ready
from app.staging import Board, Square, StagedPost
from app.steps.river import River, Wake
from app.store import due
from app.store.schema import newest
from app.store.session import Session
from tests.support.circle import Circle, circle

BY_ITSELF = "close_unanswered"
"""Counted in days, so it is looked for now and then and not at every look."""


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url, product="Acme") as made:
        yield made


async def look(river: River) -> frozenset[str]:
    async with river.db.read() as session:
        return await due.jobs(session, now=river.now(), lease_now=await river.db.now(session))


async def work(played: Circle) -> set[str]:
    """Do everything that is due, and hold each answer of the look against what the job itself finds."""
    did: set[str] = set()
    while True:
        rests = True
        for name, lanes in worker.JOBS.items():
            found = await look(played.river)
            busy = await lanes.job(played.river)
            assert name == BY_ITSELF or busy == (name in found), f"{name}: the look says {found}, the job {busy}"
            if busy:
                rests = False
                did.add(name)
        if rests:
            return did


async def said(played: Circle) -> list[StagedPost]:
    return [post for _, post in await Square(played.stage, "main").posts.all() if post.brand]


async def test_the_look_finds_work_exactly_where_a_job_has_some_all_the_way_round(played: Circle) -> None:
    await played.connect_rehearsal()
    square, board = Square(played.stage, "main"), Board(played.stage, "main")
    await square.say(StagedPost(handle="ana", text="Export hangs", at=played.clock(), language="en"))
    did = await work(played)
    [post] = (await played.get("/api/v1/posts"))["items"]
    loop = await played.post(
        "/api/v1/loops", {"post_id": post["id"], "issue": {"tracker_id": 1, "title": "Export"}}, status=201
    )
    did |= await work(played)
    played.clock.move(minutes=1)
    await board.close(1, outcome="completed", now=played.clock())
    await board.release("v2.4.1", now=played.clock())
    await played.call("PUT", "/api/v1/voice", {"on": False})
    did |= await work(played)
    assert "deliver" not in await look(played.river), "with the voice switched off nothing is due to be said"
    assert await said(played) == []

    await played.call("PUT", "/api/v1/voice", {"on": True})
    did |= await work(played)
    played.clock.move(minutes=1)
    [_, (reply, _)] = await square.posts.all()
    await square.say(
        StagedPost(handle="ana", text="It is still broken.", at=played.clock(), language="en", in_reply_to=reply)
    )
    did |= await work(played)

    assert (await played.get(f"/api/v1/loops/{loop['id']}"))["state"] == "linked"
    assert did >= {
        "take_in",
        "poll_trackers",
        "look_at_issues",
        "owe",
        "deliver",
        "hear_answers",
        "show_engineers",
        "tell_engineers",
    }


@asynccontextmanager
async def at_work(played: Circle, jobs: dict[Any, worker.Lanes] | None = None) -> AsyncIterator[Wake]:
    """A worker in this loop; it is asked to end, and ends in order."""
    wake, stop = Wake(), asyncio.Event()
    played.river.wake = wake
    task = asyncio.create_task(worker.run(played.river, wake, stop))
    try:
        yield wake
    finally:
        stop.set()
        wake()
        async with asyncio.timeout(10):
            await task


async def until(is_true: Callable[[], Any], *, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not is_true():  # noqa: ASYNC110  (what is waited for says nothing by itself)
            await asyncio.sleep(0.01)


async def test_a_job_that_fails_is_tried_again_and_the_others_go_on(
    played: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    async def breaks(_river: River) -> bool:
        calls.append("breaks")
        raise RuntimeError("a poison row")

    async def works(_river: River) -> bool:
        calls.append("works")
        return False

    monkeypatch.setattr(worker, "JOBS", {"owe": worker.Lanes(breaks), "deliver": worker.Lanes(works)})
    monkeypatch.setattr(worker, "AFTER_ERROR", 0.01)
    with capture_logs() as logs:
        async with at_work(played) as wake:
            await until(lambda: calls.count("breaks") >= 3)
            wake("deliver")
            await until(lambda: calls.count("works") >= 2)
    assert {entry["job"] for entry in logs if entry["event"] == "job failed"} == {"owe"}
    assert logs[-1]["event"] == "worker stopped"


async def test_what_another_process_left_due_is_found_by_all_lanes_of_its_job(
    played: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, slow = asyncio.Semaphore(0), asyncio.Event()

    async def slow_network(_river: River) -> bool:
        started.release()
        await slow.wait()
        return False

    monkeypatch.setattr(worker, "JOBS", {"take_in": worker.Lanes(slow_network, lanes=3)})
    async with at_work(played), asyncio.timeout(10):
        for _ in range(3):
            await started.acquire()
        slow.set()
        await played.connect_rehearsal()  # its account is due to be read; the look wakes whoever reads
        for _ in range(3):
            await started.acquire()


async def run_sql(played: Circle, statement: str) -> None:
    async with played.river.db.begin() as session:
        await _execute(session, statement)


async def _execute(session: Session, statement: str) -> None:
    await session.execute(text(statement))


async def test_a_worker_that_sees_a_foreign_schema_waits_says_so_once_and_goes_on_when_it_is_right(
    played: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AFTER_ERROR", 0.01)
    monkeypatch.setattr(worker, "LOOK", 0.01)
    monkeypatch.setattr(worker, "BEAT", 0.01)
    await run_sql(played, "UPDATE alembic_version SET version_num = 'ffff'")
    with capture_logs() as logs:
        events = lambda: [entry["event"] for entry in logs]  # noqa: E731
        async with at_work(played):
            waiting = "the database has another schema; waiting"
            await until(lambda: waiting in events())
            await asyncio.sleep(0.1)
            assert events() == [waiting]
            await run_sql(played, f"UPDATE alembic_version SET version_num = '{newest()}'")
            await until(lambda: "worker started" in events())

            await run_sql(played, "UPDATE alembic_version SET version_num = 'eeee'")
            await until(lambda: events().count(waiting) == 2)
            await played.connect_rehearsal()
            await Square(played.stage, "main").say(StagedPost(handle="ana", text="Hello", at=played.clock()))
            await asyncio.sleep(0.1)
            assert (await played.get("/api/v1/posts"))["items"] == [], "nothing is done on a schema it does not know"
            assert "schema eeee" in await why_not_ready(played.river)

            await run_sql(played, f"UPDATE alembic_version SET version_num = '{newest()}'")
            async with asyncio.timeout(10):
                while not (await played.get("/api/v1/posts"))["items"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)


async def test_a_lost_database_is_said_once_and_work_goes_on_when_it_answers(
    played: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AFTER_ERROR", 0.01)
    monkeypatch.setattr(worker, "LOOK", 0.01)
    is_lost = False
    real = due.jobs

    async def jobs(session: Session, **times: Any) -> frozenset[str]:
        if is_lost:
            raise ConnectionRefusedError(111, "Connection refused")
        return await real(session, **times)

    monkeypatch.setattr(due, "jobs", jobs)
    with capture_logs() as logs:
        async with at_work(played):
            is_lost = True
            await until(lambda: any("does not answer" in entry["event"] for entry in logs))
            await asyncio.sleep(0.1)
            is_lost = False
            await until(lambda: any("answers again" in entry["event"] for entry in logs))
    told = [entry["event"] for entry in logs if "database" in entry["event"]]
    assert told == ["the database does not answer; waiting for it", "the database answers again"]

"""The worker: a reconciliation loop over the database. Each job does one piece of work that is due, or says that none is."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import structlog

from app import __version__
from app.steps import deliver, hear_answer, hear_tracker, link, owe, show, take_in
from app.steps.river import River, Wake
from app.store import schema, workers

log = structlog.get_logger(__name__)

Job = Callable[[River], Awaitable[bool]]

JOBS: dict[str, tuple[Job, int]] = {
    "take_in": (take_in.take_in_next, 2),
    "create_issues": (link.create_next, 1),
    "hear_deliveries": (hear_tracker.hear_deliveries, 1),
    "poll_trackers": (hear_tracker.poll_next, 2),
    "look_at_issues": (hear_tracker.look_next, 3),
    "owe": (owe.owe_next, 1),
    "deliver": (deliver.deliver_next, 6),
    "take_over": (deliver.take_over_next, 1),
    "look_for_lost": (deliver.look_for_next, 2),
    "hear_answers": (hear_answer.hear_next, 1),
    "show_engineers": (show.show_next, 1),
    "tell_engineers": (show.tell_next, 1),
    "close_unanswered": (hear_answer.close_unanswered, 1),
}
"""Every job and how many of it may run at once in one process."""

IDLE = 0.5
"""Seconds between two looks at an idle queue; an event in the same process ends the wait at once."""

BEAT = 2.0
AFTER_ERROR = 1.0


async def run(river: River, wake: Wake, stop: asyncio.Event) -> None:
    """Work until `stop` is set; what has begun is ended in order, and nothing new begins."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    await _wait_for_schema(river, stop)
    if stop.is_set():
        return
    log.info("worker started", worker=name)
    async with asyncio.TaskGroup() as group:
        group.create_task(_beat(river, name, stop))
        for job_name, (job, times) in JOBS.items():
            for _ in range(times):
                group.create_task(_runner(river, job_name, job, wake.listener(), stop))
    async with river.db.begin() as session:
        await workers.forget(session, name)
    log.info("worker stopped", worker=name)


async def _wait_for_schema(river: River, stop: asyncio.Event) -> None:
    """A worker that sees a foreign schema waits and says so: another process is upgrading, or this one is old."""
    said = False
    while not stop.is_set():
        found = await schema.state(river.db)
        if found.is_right:
            return
        if not said:
            log.warning("the database has another schema; waiting", has=found.has, needs=found.needs)
            said = True
        await _wait(stop, 1.0)


async def _beat(river: River, name: str, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            async with river.db.begin() as session:
                await workers.beat(session, name=name, version=__version__, now=await river.db.now(session))
        except Exception:
            log.exception("heartbeat failed", worker=name)
        await _wait(stop, BEAT)


async def _runner(river: River, name: str, job: Job, woken: asyncio.Event, stop: asyncio.Event) -> None:
    """One lane of a job. An error ends a piece of work, never the lane."""
    while not stop.is_set():
        woken.clear()
        try:
            busy = await job(river)
        except Exception:
            log.exception("job failed", job=name)
            await _wait(stop, AFTER_ERROR)
            continue
        if not busy:
            await _wait_either(woken, stop, IDLE)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


async def _wait_either(woken: asyncio.Event, stop: asyncio.Event, seconds: float) -> None:
    if not stop.is_set():
        await _wait(woken, seconds)


async def drain(river: River, *, most: int = 10_000) -> int:
    """Do all work that is due now, job after job, until none is; for tests and for calls that wait.

    Returns how many pieces of work were done; RuntimeError where it never ends.
    """
    done = 0
    while True:
        busy = False
        for job, _ in JOBS.values():
            while await job(river):
                busy = True
                done += 1
                if done > most:
                    raise RuntimeError("the river does not come to rest")
        if not busy:
            return done

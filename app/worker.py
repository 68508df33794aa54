"""The worker: a reconciliation loop over the database. Each job does one piece of work that is due, or says that none is."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from app import __version__
from app.steps import deliver, hear_answer, hear_tracker, link, owe, show, take_in
from app.steps.river import JobName, River, Wake
from app.store import schema, workers

log = structlog.get_logger(__name__)

Job = Callable[[River], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Lanes:
    """A job, how many of it may run at once in one process, and how often an idle one looks for work."""

    job: Job
    lanes: int = 1
    every: float = 0.5


JOBS: dict[JobName, Lanes] = {
    "take_in": Lanes(take_in.take_in_next, lanes=2),
    "create_issues": Lanes(link.create_next),
    "hear_deliveries": Lanes(hear_tracker.hear_deliveries),
    "poll_trackers": Lanes(hear_tracker.poll_next, lanes=2),
    "look_at_issues": Lanes(hear_tracker.look_next, lanes=3),
    "owe": Lanes(owe.owe_next),
    "deliver": Lanes(deliver.deliver_next, lanes=6),
    "take_over": Lanes(deliver.take_over_next),
    "look_for_lost": Lanes(deliver.look_for_next, lanes=2),
    "hear_answers": Lanes(hear_answer.hear_next),
    "show_engineers": Lanes(show.show_next),
    "tell_engineers": Lanes(show.tell_next),
    "close_unanswered": Lanes(hear_answer.close_unanswered, every=60),
}
"""Work that another process made is found within `every` seconds; what this process made wakes its job at once."""

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
        for job_name, lanes in JOBS.items():
            for lane in range(lanes.lanes):
                group.create_task(_runner(river, job_name, lanes, lane, wake, stop))
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


async def _runner(river: River, name: JobName, lanes: Lanes, lane: int, wake: Wake, stop: asyncio.Event) -> None:
    """One lane of a job. An error ends a piece of work, never the lane.

    Only the first lane looks at its timer; it calls the others when it finds something.
    """
    woken = wake.listener(name)
    while not stop.is_set():
        woken.clear()
        try:
            busy = await lanes.job(river)
        except Exception:
            log.exception("job failed", job=name)
            await _wait(stop, AFTER_ERROR)
            continue
        if busy:
            if lane == 0 and lanes.lanes > 1:
                wake(name)
        elif not stop.is_set():
            await _wait(woken, lanes.every if lane == 0 else 60.0)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


async def drain(river: River, *, most: int = 10_000) -> int:
    """Do all work that is due now, job after job, until none is; for tests and for calls that wait.

    Returns how many pieces of work were done; RuntimeError where it never ends.
    """
    done = 0
    while True:
        busy = False
        for lanes in JOBS.values():
            while await lanes.job(river):
                busy = True
                done += 1
                if done > most:
                    raise RuntimeError("the river does not come to rest")
        if not busy:
            return done

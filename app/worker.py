"""The worker: a reconciliation loop over the database. Each job does one piece of work that is due, or says that none is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from app import __version__
from app.steps import (
    authorize,
    customers,
    deliver,
    foretell,
    hear_answer,
    hear_tracker,
    link,
    owe,
    reread,
    show,
    take_in,
)
from app.steps.river import JobName, River, Wake
from app.store import due, schema, workers
from app.store.session import DATABASE_ERRORS, LOST_DATABASE, database_reason

log = structlog.get_logger(__name__)

Job = Callable[[River], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Lanes:
    """A job, how many of it may run at once in one process, and how long each rests after a piece of work.

    A job that does in one piece whatever has come meanwhile does less work for a short rest.
    """

    job: Job
    lanes: int = 1
    rest: float = 0.0


JOBS: dict[JobName, Lanes] = {
    "take_in": Lanes(take_in.take_in_next, lanes=2),
    "reread": Lanes(reread.reread_next),
    "create_issues": Lanes(link.create_next),
    "hear_deliveries": Lanes(hear_tracker.hear_deliveries, rest=0.05),
    "poll_trackers": Lanes(hear_tracker.poll_next, lanes=2),
    "look_at_issues": Lanes(hear_tracker.look_next, lanes=3),
    "settle_customers": Lanes(customers.settle_next),
    "follow_tellings": Lanes(customers.follow_next),
    "owe": Lanes(owe.owe_next),
    "deliver": Lanes(deliver.deliver_next, lanes=deliver.MOST),
    "take_over": Lanes(deliver.take_over_next),
    "look_for_lost": Lanes(deliver.look_for_next, lanes=2),
    "hear_answers": Lanes(hear_answer.hear_next),
    "show_engineers": Lanes(show.show_next),
    "foretell": Lanes(foretell.foretell_next),
    "tell_engineers": Lanes(show.tell_next),
    "close_unanswered": Lanes(hear_answer.close_unanswered),
    "forget_consents": Lanes(authorize.forget_next),
}
"""What this process made wakes its job at once; what is due for any other reason is found by the watch."""

UNWATCHED: frozenset[JobName] = frozenset({"close_unanswered", "forget_consents"})
"""What is in no hurry, and found by the lane itself."""

LOOK = 0.5
"""Seconds between two looks at what is due, one look for all jobs together."""

BY_ITSELF = 60.0
"""Seconds after which a lane looks for work unasked: enough for what is in no hurry."""

BEAT = 2.0
AFTER_ERROR = 1.0


@dataclass(slots=True)
class _Shift:
    """One process at work. It may not while the database has a schema that this code does not know (`foreign`)."""

    river: River
    wake: Wake
    stop: asyncio.Event
    name: str
    may_work: bool = False
    foreign: str | None = None


async def run(river: River, wake: Wake, stop: asyncio.Event) -> None:
    """Work until `stop` is set (and `wake` called); what has begun is ended in order, and nothing new begins."""
    shift = _Shift(river, wake, stop, name=f"{socket.gethostname()}:{os.getpid()}")
    while not stop.is_set() and not shift.may_work:
        await _check_schema(shift)
        if not shift.may_work:
            await _wait(stop, AFTER_ERROR)
    if stop.is_set():
        return
    log.info("worker started", worker=shift.name)
    async with asyncio.TaskGroup() as group:
        group.create_task(_watch(shift))
        for name, lanes in JOBS.items():
            for _ in range(lanes.lanes):
                group.create_task(_lane(shift, name, lanes))
    with contextlib.suppress(*DATABASE_ERRORS):  # a worker that is not signed off is soon seen to be silent
        async with river.db.begin() as session:
            await workers.forget(session, shift.name)
    log.info("worker stopped", worker=shift.name)


async def _check_schema(shift: _Shift) -> None:
    """A worker that sees a foreign schema waits and says so: another process is upgrading, or this one is old."""
    found = await schema.state(shift.river.db)
    if not found.is_right and (found.has or "none") != shift.foreign:
        log.warning("the database has another schema; waiting", worker=shift.name, has=found.has, needs=found.needs)
    shift.foreign = None if found.is_right else found.has or "none"
    shift.may_work = found.is_right


async def _watch(shift: _Shift) -> None:
    """Look what is due, wake the jobs that have work, and show that this worker lives."""
    is_lost, beat_at = False, 0.0
    while not shift.stop.is_set():
        try:
            if time.monotonic() >= beat_at:
                await _check_schema(shift)
                await _beat(shift)
                beat_at = time.monotonic() + BEAT
            if shift.may_work:
                await _look(shift)
        except DATABASE_ERRORS as error:
            if not is_lost:
                log.warning(
                    "the database does not answer; waiting for it", worker=shift.name, why=database_reason(error)
                )
            is_lost = True
        except Exception:
            log.exception("the watch failed", worker=shift.name)
        else:
            if is_lost:
                log.info("the database answers again", worker=shift.name)
            is_lost = False
        await _wait(shift.stop, AFTER_ERROR if is_lost else LOOK)


async def _beat(shift: _Shift) -> None:
    river = shift.river
    async with river.db.begin() as session:
        await workers.beat(session, name=shift.name, version=__version__, now=await river.db.now(session))
    ended = await river.db.end_frozen()
    if ended:
        log.warning("ended the transactions of a process that fell silent", worker=shift.name, transactions=ended)


async def _look(shift: _Shift) -> None:
    found = await _due(shift.river)
    names = [name for name in JOBS if name in found]
    if names:
        shift.wake(*names)


async def _due(river: River) -> frozenset[str]:
    async with river.db.read() as session:
        return await due.jobs(session, now=river.now(), lease_now=await river.db.now(session))


async def _lane(shift: _Shift, name: JobName, lanes: Lanes) -> None:
    """One lane of a job. An error ends a piece of work, never the lane."""
    woken = shift.wake.listener(name)
    while not shift.stop.is_set():
        woken.clear()
        busy = False
        try:
            busy = shift.may_work and await lanes.job(shift.river)
        except LOST_DATABASE as error:
            log.warning("job ended without its database", job=name, why=database_reason(error))
        except Exception:
            log.exception("job failed", job=name)
            await _wait(shift.stop, AFTER_ERROR)
            continue
        if busy and lanes.rest:
            await _wait(shift.stop, lanes.rest)
        elif not busy and not shift.stop.is_set():
            await _wait(woken, BY_ITSELF)


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
        before = done
        found = await _due(river) | UNWATCHED
        for name, lanes in JOBS.items():
            while name in found and await lanes.job(river):
                done += 1
                if done > most:
                    raise RuntimeError("the river does not come to rest")
        if done == before:
            return done

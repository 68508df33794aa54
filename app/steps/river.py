"""What every step is handed: the database, the outside, the clock and the timing. Steps read none of these themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeVar

from app.outside import Outside, setting
from app.rules.facts import WithoutCode
from app.rules.pace import Pace
from app.rules.platforms import Platform, read_platforms
from app.rules.shipping import LOOKS_LIKE_A_VERSION, Policy
from app.steps.together import Together
from app.store import tables
from app.store.session import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long things may take. `call` bounds one call to the outside and is less than half of `lease`."""

    lease: timedelta = timedelta(seconds=60)
    call: timedelta = timedelta(seconds=10)
    backoff: timedelta = timedelta(seconds=30)
    poll: timedelta | None = None
    settle: timedelta | None = None
    last_look: timedelta = timedelta(seconds=10)
    """How old the last look at the evidence may be when a reply leaves."""

    @property
    def apart(self) -> timedelta:
        """Two looks for a lost reply are this far apart, and the first comes this long after the call ended."""
        return self.call * 2

    def poll_after(self, usual: timedelta) -> timedelta:
        """When the next poll of an adapter is due that would usually be polled so often."""
        return usual if self.poll is None else min(usual, self.poll)


JobName = Literal[
    "take_in",
    "reread",
    "create_issues",
    "hear_deliveries",
    "poll_trackers",
    "look_at_issues",
    "settle_customers",
    "follow_tellings",
    "owe",
    "deliver",
    "take_over",
    "look_for_lost",
    "hear_answers",
    "show_engineers",
    "foretell",
    "tell_engineers",
    "close_unanswered",
    "forget_consents",
]
"""What a worker does; each is a function of a step."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Wake:
    """Tells the workers of this process which jobs have work, so that none waits for its timer."""

    def __init__(self) -> None:
        self._events: dict[JobName, list[asyncio.Event]] = {}

    def listener(self, job: JobName) -> asyncio.Event:
        """A new listener's event; every listener has its own, so that waking one puts no other to sleep."""
        event = asyncio.Event()
        self._events.setdefault(job, []).append(event)
        return event

    def __call__(self, *jobs: JobName) -> None:
        """There is work for these jobs; without any, for every job."""
        for job in jobs or tuple(self._events):
            for event in self._events.get(job, ()):
                event.set()


def _nothing(_point: str) -> None:
    """Nobody watches."""


@dataclass(slots=True, kw_only=True)
class River:
    """The context of the steps, put together by a composition root.

    `wake` tells the workers of this process which jobs have work; `point` is called at the named
    moments between which a process may die, so that tests can make it die there.
    """

    db: Database
    outside: Outside
    now: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    timing: Timing = field(default_factory=Timing)
    product: str = ""
    wake: Callable[..., None] = lambda *_jobs: None
    point: Callable[[str], None] = _nothing
    looks: dict[int, asyncio.Lock] = field(default_factory=dict)
    read: dict[int, datetime] = field(default_factory=dict)
    """When the last reading of an issue began that this process has written down."""
    paces: dict[int, Pace] = field(default_factory=dict)
    """How many replies each account may have under way in this process."""
    _together: dict[str, Together[Any, Any]] = field(default_factory=dict)

    def together(
        self,
        name: str,
        work: Callable[[River, Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        most: int,
        linger: float = 0.0,
    ) -> Together[Item, Result]:
        """One piece of this work for all who ask for it at the same time in this process."""
        if name not in self._together:
            self._together[name] = Together(partial(work, self), most=most, linger=linger, sleep=self.sleep)
        return self._together[name]

    def look_lock(self, issue_id: int) -> asyncio.Lock:
        """One look at an issue at a time within this process; other processes are kept off by the claim."""
        return self.looks.setdefault(issue_id, asyncio.Lock())

    def settle_of(self, tracker: tables.Tracker) -> timedelta:
        """How long a shipment has to stand before anything is said."""
        if self.timing.settle is not None:
            return self.timing.settle
        usual = self.outside.tracker_type(tracker.kind).settle
        return timedelta(seconds=float(setting(tracker, "settle_seconds", usual.total_seconds())))


def policy_of(tracker: tables.Tracker) -> Policy:
    """A tracker's own rules for 'shipped'."""
    shipped_when: Literal["closed", "release", "production"] = setting(tracker, "shipped_when", "release")
    versions: Literal["all", "any"] = setting(tracker, "versions", "all")
    without_code: WithoutCode = setting(tracker, "closed_without_code", "ask")
    return Policy(
        shipped_when=shipped_when,
        versions=versions,
        closed_without_code=without_code,
        tag_pattern=setting(tracker, "tag_pattern", "*"),
        public_label_pattern=setting(tracker, "public_label_pattern", LOOKS_LIKE_A_VERSION),
        platforms=platforms_of(tracker),
    )


def platforms_of(tracker: tables.Tracker) -> tuple[Platform, ...]:
    """The platforms of a tracker's product; none where it ships as one."""
    return read_platforms(setting(tracker, "platforms", ""))

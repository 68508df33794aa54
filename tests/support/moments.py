"""The named moments of the river at which a process may die, in the order of the story, and how a trip dies at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.round_trip import RoundTrip

INTAKE = ["take_in.read", "take_in.stored"]
REREADING = ["reread.claimed", "reread.read", "reread.recorded"]
LINKING = ["link.create_claimed", "link.created", "link.issue_found", "show.claimed", "show.called"]
HOOKS = ["hook.received", "hook.stored", "hear.delivery_worked", "hear.deliveries_done"]
POLLING = ["hear.poll_read"]
LOOKING = ["hear.look_claimed", "hear.look_read", "hear.look_written"]
OWING = ["owe.decided", "owe.done"]
STROKES = [
    "deliver.claimed",
    "deliver.evidence_read",
    "deliver.thread_read",
    "deliver.before_call",
    "deliver.called",
    "deliver.recorded",
]
RECOVERY = ["deliver.call_failed", "recover.claimed", "recover.thread_read"]
FORETELLING = ["foretell.claimed", "foretell.called"]
ANSWERS = ["answer.heard", "answer.done", "customers.settled", "tell.claimed", "tell.called"]

ALL = [*INTAKE, *LINKING, *HOOKS, *POLLING, *LOOKING, *OWING, *STROKES, *RECOVERY, *FORETELLING, *ANSWERS]

BY_HAND = ["hand.evidence_read", "hand.taken", "hand.posted", "address.thread_read"]

ELSEWHERE = ["take_in.thread_read", *REREADING, *BY_HAND]
"""Moments that this trip has not: its network reads no threads (tests/channels/test_bluesky.py dies there), no day
passes in it (tests/steps/test_reread.py), and nobody posts by hand (tests/steps/test_post_by_hand.py) or pastes
an address (tests/steps/test_by_address.py)."""


@contextmanager
def dying(trip: RoundTrip, points: list[str], *, passing: int = 1) -> Iterator[None]:
    """Lay a trap at each of these moments, the next one as soon as the last has sprung; in the end all have sprung."""
    fleet, left = trip.fleet, list(points)
    before = sum(ship.starts for ship in fleet.ships)

    def lay_the_next() -> None:
        if left and not fleet.is_armed:
            fleet.arm(left.pop(0), passing=passing)

    lay_the_next()
    fleet.watchers.append(lay_the_next)
    yield
    fleet.until(lambda: not left and not fleet.is_armed, why=f"one of {points} never came")
    fleet.watchers.remove(lay_the_next)
    fleet.until(lambda: sum(ship.starts for ship in fleet.ships) >= before + len(points))


def survive(trip: RoundTrip, point: str, *, passing: int = 1) -> None:
    """The whole story with one death in it, and its judgement."""

    @contextmanager
    def dies_among(moments: list[str]) -> Iterator[None]:
        with dying(trip, [point] if point in moments else [], passing=passing):
            yield

    with dies_among(INTAKE):
        trip.complain()
        trip.wait_until_taken_in()
    with dies_among(LINKING):
        trip.tag()
    if point in FORETELLING:
        with dies_among(FORETELLING):
            trip.merge()
            trip.wait_until_foretold()
    if point in RECOVERY:
        trip.town.mastodon.fault("drop_after_accept", who=trip.brand, count=2)
    with dies_among([*HOOKS, *POLLING, *LOOKING, *OWING, *STROKES, *RECOVERY]):
        trip.ship()
        trip.wait_until_told()
    with dies_among(ANSWERS):
        trip.answer()
        trip.wait_until_heard()
    if trip.hooks:
        trip.wait_until_acknowledged()
    trip.judge()

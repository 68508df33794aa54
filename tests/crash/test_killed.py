"""SIGKILL at every named moment: nothing is lost, nothing is said twice, and the rest goes out without anybody's help.

Real processes on loopback, at a network that honours no Idempotency-Key. One trip dies many times: at
each moment of its part of the river once. tests/real/test_crashes.py kills at each moment alone, on
both databases, with and without honoured keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.crash.conftest import Sails
from tests.support.round_trip import RoundTrip

INTAKE = ["take_in.read", "take_in.stored"]
LINKING = ["link.create_claimed", "link.created", "link.issue_found", "show.claimed", "show.called"]
HOOKS = ["hook.received", "hook.stored", "hear.delivery_worked", "hear.deliveries_done"]
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
ANSWERS = ["answer.heard", "answer.done", "tell.claimed", "tell.called"]


@contextmanager
def dying(trip: RoundTrip, points: list[str]) -> Iterator[None]:
    """Lay a trap at each of these moments, the next one as soon as the last has sprung; in the end all have sprung."""
    fleet, left = trip.fleet, list(points)
    before = sum(ship.starts for ship in fleet.ships)

    def lay_the_next() -> None:
        if left and not fleet.is_armed:
            fleet.arm(left.pop(0))

    lay_the_next()
    fleet.watchers.append(lay_the_next)
    yield
    fleet.until(lambda: not left and not fleet.is_armed, why=f"a moment before {left} never came")
    fleet.watchers.remove(lay_the_next)
    fleet.until(lambda: sum(ship.starts for ship in fleet.ships) >= before + len(points))


def test_killed_while_posts_come_in_and_while_the_ticket_is_made(sails: Sails) -> None:
    with sails() as trip:
        with dying(trip, INTAKE):
            trip.complain()
            trip.wait_until_taken_in()
        with dying(trip, LINKING):
            trip.tag()
        trip.ship()
        trip.wait_until_told()
        trip.wait_until_acknowledged()
        trip.judge()


def test_killed_between_a_webhook_and_what_it_leads_to(sails: Sails) -> None:
    """Polling is off: a webhook that was acknowledged is the only hint there is."""
    with sails(FULLCIRCLE_POLL_SECONDS="600") as trip:
        trip.complain()
        trip.fleet.call("POST", "/api/v1/accounts/1/pull")
        trip.tag()
        trip.wait_until_acknowledged()
        trip.wait_until_at_rest()
        with dying(trip, [*HOOKS, *LOOKING]):
            trip.ship()
            trip.wait_until_acknowledged()
        trip.wait_until_told()
        trip.judge()


def test_killed_while_replies_are_owed_and_in_each_of_the_three_strokes(sails: Sails) -> None:
    with sails(customers=8) as trip:
        trip.complain()
        trip.wait_until_taken_in()
        trip.tag()
        with dying(trip, [*OWING, *STROKES]):
            trip.ship()
            trip.wait_until_told()
        trip.wait_until_acknowledged()
        trip.judge()


def test_killed_while_lost_answers_are_looked_for_and_while_customers_answer(sails: Sails) -> None:
    with sails() as trip:
        trip.complain()
        trip.wait_until_taken_in()
        trip.tag()
        trip.town.mastodon.fault("drop_after_accept", count=2)
        with dying(trip, RECOVERY):
            trip.ship()
            trip.wait_until_told()
        with dying(trip, ANSWERS):
            trip.answer()
            trip.wait_until_heard()
        trip.wait_until_acknowledged()
        trip.judge()


def test_killed_as_a_tracker_is_polled_that_sends_no_webhooks(sails: Sails) -> None:
    with sails(hooks=False) as trip:
        trip.complain()
        trip.wait_until_taken_in()
        trip.tag()
        with dying(trip, ["hear.poll_read", "hear.look_read"]):
            trip.ship()
            trip.wait_until_told()
        trip.judge()


@pytest.mark.postgres
def test_two_workers_are_killed_in_turn_on_postgresql(sails: Sails, postgres_database_url: str) -> None:
    with sails(postgres_database_url, workers=2, customers=8) as trip:
        with dying(trip, INTAKE):
            trip.complain()
            trip.wait_until_taken_in()
        trip.tag()
        with dying(trip, ["hear.look_claimed", "hear.look_read", *OWING, *STROKES]):
            trip.ship()
            trip.wait_until_told()
        trip.wait_until_acknowledged()
        trip.judge()

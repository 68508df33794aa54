"""SIGKILL at every named moment: nothing is lost, nothing is said twice, and the rest goes out without anybody's help.

Real processes on loopback, at a network that honours no Idempotency-Key. One trip dies many times: at
each moment of its part of the river once. tests/real/test_crashes.py kills at each moment alone, on
both databases, with and without honoured keys.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.crash.conftest import Sails
from tests.support.moments import (
    ALL,
    ANSWERS,
    ELSEWHERE,
    FORETELLING,
    HOOKS,
    INTAKE,
    LINKING,
    LOOKING,
    OWING,
    POLLING,
    RECOVERY,
    STROKES,
    dying,
)


def test_no_named_moment_is_forgotten() -> None:
    app = Path(__file__).parents[2] / "app"
    named = {name for file in app.rglob("*.py") for name in re.findall(r'\.point\("([\w.]+)"\)', file.read_text())}
    assert named == {*ALL, *ELSEWHERE}


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


def test_killed_while_the_pull_request_says_who_will_be_told(sails: Sails) -> None:
    with sails() as trip:
        trip.complain()
        trip.wait_until_taken_in()
        trip.tag()
        with dying(trip, FORETELLING):
            trip.merge()
            trip.wait_until_foretold()
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
        trip.town.mastodon.fault("drop_after_accept", who=trip.brand, count=2)
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
        with dying(trip, [*POLLING, "hear.look_read"]):
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

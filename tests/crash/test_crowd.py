"""A crowd on a bad day: lost answers, errors, cut lines and limits, at a network that honours no key."""

from __future__ import annotations

from functools import partial

from tests.crash.conftest import Sails
from tests.support.round_trip import BoardTrip


def test_with_5_percent_lost_answers_and_5_percent_errors_each_of_a_crowd_has_one_reply(sails: Sails) -> None:
    """tests/real/test_crashes.py has the larger crowd, on both databases."""
    with sails(customers=60, hooks=False, kind=BoardTrip) as trip:
        trip.complain()
        trip.wait_until_taken_in()
        trip.tag()
        network, trouble = trip.town.mastodon, partial(trip.town.mastodon.fault, who=trip.brand)
        trouble("drop_after_accept", every=20, count=1000)
        trouble("status", status=500, every=20, count=1000)
        trip.ship()
        trip.wait_until_told()
        trip.judge()
        asked = [call for call in network.requests() if call["method"] == "POST" and call["who"] == trip.brand]
        assert len(asked) > trip.count, "some had to be asked twice"


def test_every_kind_of_trouble_at_once_leaves_one_reply_each(sails: Sails) -> None:
    with sails(customers=24, hooks=False, kind=BoardTrip) as trip:
        trip.complain()
        trip.wait_until_taken_in()
        trip.tag()
        trouble = partial(trip.town.mastodon.fault, who=trip.brand)
        trouble("drop_after_accept", count=2)
        trouble("truncate", count=2)
        trouble("reset", count=2)
        trouble("reset", accept=True, count=1)
        trouble("status", status=500, count=1)
        trouble("status", status=500, accept=True, count=1)
        trouble("status", status=502, count=1)
        trouble("status", status=502, accept=True, count=2)
        trouble("status", status=503, count=1)
        trouble("hang", count=1)
        for answer in ([], ["1"], ["1", "2"]):
            trouble("ratelimit", retry_after=answer, count=1)
        trip.ship()
        trip.wait_until_told()
        trip.judge()

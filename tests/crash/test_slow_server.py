"""A server that accepts a reply long after we gave up on it. One second here stands for ten in life."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.conftest import Sails
from tests.support.round_trip import Town, town

CALL = 1.0


@pytest.fixture(scope="session")
def honest_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A Mastodon network that honours the Idempotency-Key, and a GitHub."""
    with town(tmp_path_factory.mktemp("honest")) as made:
        yield made


@pytest.mark.parametrize("kind", ["honest_town", "forgetful_town"], ids=["honoured", "ignored"])
@pytest.mark.parametrize("late", [2.0, 4.0], ids=["before-the-first-look-that-counts", "before-the-second"])
def test_a_reply_accepted_after_we_gave_up_is_said_once(
    sails: Sails, request: pytest.FixtureRequest, kind: str, late: float
) -> None:
    """We give up after 1 s; looks prove an absence from 3 s on, when two of them say so 2 s apart."""
    place: Town = request.getfixturevalue(kind)
    times = {"FULLCIRCLE_HTTP_SECONDS": str(CALL), "FULLCIRCLE_LEASE_SECONDS": "3"}
    with sails(within=place, customers=2, hooks=False, **times) as trip:
        trip.complain()
        trip.wait_until_taken_in()
        trip.tag()
        place.mastodon.fault("slow_accept", seconds=late, count=2)
        trip.ship()
        trip.wait_until_told()
        trip.judge()
        answered = [call for call in place.mastodon.requests() if call["method"] == "POST"]
        assert answered, "the network saw the calls"

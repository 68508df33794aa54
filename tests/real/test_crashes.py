"""The long proofs: death at every named moment alone, on both databases, with and without honoured keys; times as in life.

Installations are tried several at a time, because most of what they do is wait for a lease to end.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.crashing import Nursery
from tests.support.databases import PostgresDatabases, SqliteDatabases
from tests.support.fleet import Fleet
from tests.support.moments import ALL, RECOVERY, STROKES, survive
from tests.support.round_trip import BoardTrip, RoundTrip, Town, town
from tests.support.speaking import Speaking

LIFE = {
    "FULLCIRCLE_POLL_SECONDS": "1",
    "FULLCIRCLE_BACKOFF_SECONDS": "30",
    "FULLCIRCLE_LEASE_SECONDS": "60",
    "FULLCIRCLE_HTTP_SECONDS": "10",
}


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@pytest.fixture(scope="module", params=[True, False], ids=["keys-honoured", "keys-ignored"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A Mastodon network of each family, and a GitHub."""
    options = [] if request.param else ["--ignore-idempotency"]
    with town(tmp_path_factory.mktemp("town"), *options) as made:
        yield made


@pytest.fixture
def embark(
    request: pytest.FixtureRequest, nursery: Nursery, place: Town, tmp_path: Path
) -> Callable[..., tuple[Fleet, RoundTrip]]:
    """Makes an installation of its own on the kind of database asked for, not yet launched."""
    numbers = itertools.count()

    def make(
        database: str, *, kind: type[RoundTrip] = RoundTrip, customers: int = 5, **timings: str
    ) -> tuple[Fleet, RoundTrip]:
        folder = tmp_path / f"installation-{next(numbers)}"
        folder.mkdir()
        url, workers = "", 0
        if database == "postgres":
            databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
            url, workers = databases.empty(), 2
        fleet = Fleet(nursery, folder, url, workers=workers, **timings)
        return fleet, kind(fleet, place, count=customers, hooks=kind is RoundTrip)

    return make


def sail(fleet: Fleet, trip: RoundTrip, story: Callable[[RoundTrip], None]) -> str:
    """Play a story to its end; what went wrong, if anything did."""
    try:
        fleet.launch()
        trip.connect()
        story(trip)
    except AssertionError as error:
        return str(error)
    finally:
        fleet.close()
    return ""


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_death_at_each_named_moment_alone(
    database: str, embark: Callable[..., tuple[Fleet, RoundTrip]], request: pytest.FixtureRequest
) -> None:
    """Each moment is one installation: five customers, one death, the whole story.

    Only the moments around the call know whether a network honours keys: the others are tried on one kind of it.
    """
    is_honoured = "keys-honoured" in request.node.name
    trips = {point: embark(database) for point in (ALL if is_honoured else [*STROKES, *RECOVERY])}
    with ThreadPoolExecutor(max_workers=2 if database == "postgres" else 4) as pool:
        ends = {
            point: pool.submit(sail, fleet, trip, partial(survive, point=point, passing=3 if point in STROKES else 1))
            for point, (fleet, trip) in trips.items()
        }
    failed = {point: end.result() for point, end in ends.items() if end.result()}
    assert not failed, "\n\n".join(f"=== {point}: {why}" for point, why in failed.items())


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_of_200_customers_with_5_percent_lost_answers_and_5_percent_errors_each_has_one_reply(
    database: str, place: Town, embark: Callable[..., tuple[Fleet, RoundTrip]]
) -> None:
    """Without / with one / with more replies: 0 / 200 / 0."""
    fleet, trip = embark(database, kind=BoardTrip, customers=200)

    def story(trip: RoundTrip) -> None:
        trip.complain()
        trip.wait_until_taken_in()
        trip.tag()
        place.mastodon.fault("drop_after_accept", who=trip.brand, every=20, count=1000)
        place.mastodon.fault("status", status=500, who=trip.brand, every=20, count=1000)
        trip.ship()
        trip.fleet.patience = 240
        trip.wait_until_told()
        trip.judge()

    assert not sail(fleet, trip, story)


def test_a_server_that_accepts_20_seconds_after_we_gave_up_with_the_products_own_times(
    place: Town, embark: Callable[..., tuple[Fleet, RoundTrip]]
) -> None:
    fleet, trip = embark("sqlite", customers=2, **LIFE)

    def story(trip: RoundTrip) -> None:
        trip.complain()
        trip.wait_until_taken_in()
        trip.tag()
        place.mastodon.fault("slow_accept", seconds=30, who=trip.brand, count=2)
        trip.ship()
        trip.fleet.patience = 180
        trip.wait_until_told()
        trip.judge()

    assert not sail(fleet, trip, story)


def test_nobody_reads_two_replies_in_a_hundred_orders_of_events(sqlite_databases: SqliteDatabases) -> None:
    class OnTheseDatabases(Speaking):
        databases = sqlite_databases

    run_state_machine_as_test(OnTheseDatabases, settings=settings(max_examples=100, stateful_step_count=40))

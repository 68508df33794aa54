"""What the tests with real processes share: a nursery to start them from, and the two servers they speak to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support.crashing import Nursery
from tests.support.databases import PostgresDatabases
from tests.support.fleet import Fleet
from tests.support.round_trip import RoundTrip, Town, town

Sails = Callable[..., AbstractContextManager[RoundTrip]]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Forks the processes of this test worker."""
    made = Nursery()
    yield made
    made.close()


@pytest.fixture(scope="session")
def forgetful_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A Mastodon network that ignores the Idempotency-Key, and a GitHub."""
    with town(tmp_path_factory.mktemp("forgetful"), "--ignore-idempotency") as made:
        yield made


@pytest.fixture
def sails(nursery: Nursery, forgetful_town: Town, tmp_path: Path) -> Sails:
    """Opens an installation and connects it: `with sails(customers=5) as trip`."""

    @contextmanager
    def open_trip(
        database_url: str = "",
        *,
        workers: int = 0,
        customers: int = 5,
        hooks: bool = True,
        within: Town = forgetful_town,
        kind: type[RoundTrip] = RoundTrip,
        **settings: str,
    ) -> Iterator[RoundTrip]:
        fleet = Fleet(nursery, tmp_path, database_url, workers=workers, **settings)
        try:
            fleet.launch()
            trip = kind(fleet, within, count=customers, hooks=hooks)
            trip.connect()
            yield trip
        finally:
            within.mastodon.clear_faults()
            fleet.close()

    return open_trip


@pytest.fixture
def postgres_database_url(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """An empty database on PostgreSQL."""
    url = postgres_databases.empty()
    yield url
    postgres_databases.drop(url)

"""What the tests of the API share: a circle over each kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.circle import Circle, circle
from tests.support.databases import Databases, SqliteDatabases
from tests.support.outsides import Outsides, outsides


@pytest.fixture
def databases(sqlite_databases: SqliteDatabases) -> Databases:
    """The API holds no SQL: only files about what is kept and counted ask both kinds."""
    return sqlite_databases


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    """A circle on the rehearsal adapters."""
    async with circle(database_url, product="Acme") as made:
        yield made


@pytest.fixture
def outside(tmp_path: Path) -> Outsides:
    """A Mastodon network and a GitHub."""
    return outsides(tmp_path / "github")


@pytest.fixture
async def connected(database_url: str, outside: Outsides) -> AsyncIterator[Circle]:
    """A circle that reaches them."""
    async with circle(database_url, product="Acme", make_http=outside.client) as made:
        yield made

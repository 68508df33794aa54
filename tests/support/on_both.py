"""Both kinds of database, for a file whose folder asks only one: `databases = on_both.databases`."""

from __future__ import annotations

import pytest

from tests.support.databases import Databases


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def databases(request: pytest.FixtureRequest) -> Databases:
    """One after the other: what holds on one must hold on the other."""
    made: Databases = request.getfixturevalue(f"{request.param}_databases")
    return made

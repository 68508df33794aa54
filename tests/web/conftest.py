"""The ground of the page tests: one kind of database unless a file asks for both, and passwords that cost little."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.steps import people
from tests.support.databases import Databases, SqliteDatabases


@pytest.fixture
def databases(sqlite_databases: SqliteDatabases) -> Databases:
    """Pages hold no SQL: what they ask the store for is asked on both kinds in test_pages.py."""
    return sqlite_databases


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same algorithm at its lowest cost; hashing as in production takes longer than everything else here."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    monkeypatch.setattr(people, "_passwords", cheap)
    people._nobodys_hash.cache_clear()
    yield
    people._nobodys_hash.cache_clear()

"""SQLite's quicker driver behaves as the usual one does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.store.session import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'here.db'}")
    async with made.begin() as session:
        await session.execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
    yield made
    await made.close()


async def names(database: Database) -> list[str]:
    async with database.read() as session:
        return list((await session.execute(text("SELECT name FROM thing ORDER BY id"))).scalars())


async def test_rows_counts_and_ids_come_with_the_statement(database: Database) -> None:
    async with database.begin() as session:
        many = [{"name": name} for name in "abc"]
        await session.execute(text("INSERT INTO thing (name) VALUES (:name)"), many)
        changed = await session.execute(text("UPDATE thing SET name = name || '!' WHERE id > 1"))
        assert changed.rowcount == 2  # type: ignore[attr-defined]
        returned = await session.execute(text("INSERT INTO thing (name) VALUES ('d') RETURNING id, name"))
        assert returned.all() == [(4, "d")]
    assert await names(database) == ["a", "b!", "c!", "d"]


async def test_what_fails_is_rolled_back_and_told_as_ever(database: Database) -> None:
    async def write(*statements: str) -> None:
        async with database.begin() as session:
            for statement in statements:
                await session.execute(text(statement))

    with pytest.raises(IntegrityError):
        await write("INSERT INTO thing (name) VALUES ('a')", "INSERT INTO thing (name) VALUES ('a')")
    with pytest.raises(OperationalError):
        await write("INSERT INTO thing (name) VALUES ('a')", "SELECT nothing FROM thing")
    assert await names(database) == []


async def test_transactions_on_two_connections_do_not_see_each_other(database: Database) -> None:
    async with database.begin() as writing, database.read() as reading:
        await writing.execute(text("INSERT INTO thing (name) VALUES ('a')"))
        assert (await reading.execute(text("SELECT count(*) FROM thing"))).scalar_one() == 0
    assert await names(database) == ["a"]


async def test_many_statements_at_once_each_get_their_own_rows(database: Database) -> None:
    async def one(number: int) -> int:
        async with database.read() as session:
            found: int = (await session.execute(text("SELECT :number"), {"number": number})).scalar_one()
            return found

    assert await asyncio.gather(*(one(number) for number in range(50))) == list(range(50))

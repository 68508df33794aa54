"""Credentials that the other side changes: sealed, the same for every process, renewed by one at a time, lost by none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.ports import OutsideError, Pocket
from app.sealing import Sealer
from app.store.keeping import StoredKeeper
from app.store.session import Database
from app.store.tables import Account
from tests.support.circle import Clock

SEALER = Sealer("a key for tests, long enough")
LEASE = timedelta(seconds=30)


class Rotating:
    """Another side whose refresh token is good for one use: a second use of it ends everything."""

    def __init__(self) -> None:
        self.good, self.uses, self.is_over = "token-0", 0, False
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()

    async def __call__(self, kept: dict[str, Any]) -> dict[str, Any]:
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        self.is_over = self.is_over or kept["refresh"] != self.good
        self.uses += 1
        self.good = f"token-{self.uses}"
        return {"refresh": self.good}


@asynccontextmanager
async def processes(url: str, clock: Clock, count: int = 2) -> AsyncIterator[list[StoredKeeper[Account]]]:
    """So many processes with one account between them, who keeps `token-0`."""
    databases = [Database(url, clock=clock) for _ in range(count)]
    try:
        async with databases[0].begin() as session:
            row = Account(
                channel="bluesky",
                name="Acme",
                secrets="",
                kept=SEALER.seal({"refresh": "token-0"}),
                created_at=clock(),
            )
            session.add(row)
        yield [
            StoredKeeper(database, SEALER, Account, row.id, lease=LEASE, sleep=lambda _seconds: asyncio.sleep(0))
            for database in databases
        ]
    finally:
        for database in databases:
            await database.close()


SEEN = {"refresh": "token-0"}


async def test_all_who_ask_at_once_get_what_one_of_them_fetched(database_url: str) -> None:
    other = Rotating()
    async with processes(database_url, Clock(), count=3) as keepers:
        got = await asyncio.gather(*(keeper.renew(SEEN, other) for keeper in keepers * 4))
        assert (other.uses, other.is_over) == (1, False)
        assert got == [{"refresh": "token-1"}] * 12
        assert [await keeper.kept() for keeper in keepers] == [{"refresh": "token-1"}] * 3


async def test_who_has_not_seen_the_newest_is_given_it_without_asking(database_url: str) -> None:
    other = Rotating()
    async with processes(database_url, Clock()) as [one, two]:
        await one.renew(SEEN, other)
        assert await two.renew(SEEN, other) == {"refresh": "token-1"}
        assert await two.renew({"refresh": "token-1"}, other) == {"refresh": "token-2"}
    assert (other.uses, other.is_over) == (2, False)


async def test_a_caller_who_gives_up_loses_nothing(database_url: str) -> None:
    other = Rotating()
    other.gate = asyncio.Event()
    async with processes(database_url, Clock()) as [one, two]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await one.renew(SEEN, other)
        other.gate.set()
        assert await two.renew(SEEN, other) == {"refresh": "token-1"}
    assert (other.uses, other.is_over) == (1, False)


async def test_a_failure_is_told_to_its_caller_and_the_next_one_tries(database_url: str) -> None:
    async def fails(_kept: dict[str, Any]) -> dict[str, Any]:
        raise OutsideError("no connection", "transient")

    async with processes(database_url, Clock()) as [one, two]:
        with pytest.raises(OutsideError, match="no connection"):
            await one.renew(SEEN, fails)
        assert await two.renew(SEEN, Rotating()) == {"refresh": "token-1"}


async def test_a_process_that_died_is_followed_after_its_lease_and_changes_nothing_when_it_wakes(
    database_url: str,
) -> None:
    clock, asleep, awake = Clock(), Rotating(), Rotating()
    asleep.gate = asyncio.Event()
    async with processes(database_url, clock) as [one, two]:
        sleeper = asyncio.create_task(one.renew(SEEN, asleep))
        await asleep.entered.wait()
        waiting = asyncio.create_task(two.renew(SEEN, awake))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        clock.move(seconds=31)
        awake.good, awake.uses = "token-0", 6
        assert await waiting == {"refresh": "token-7"}
        asleep.gate.set()
        assert await sleeper == {"refresh": "token-7"}
        assert await one.kept() == {"refresh": "token-7"}


async def test_what_came_of_replaced_secrets_is_not_kept(database_url: str) -> None:
    other = Rotating()
    other.gate = asyncio.Event()
    async with processes(database_url, Clock()) as [one, two]:
        late = asyncio.create_task(one.renew(SEEN, other))
        await other.entered.wait()
        async with two._db.begin() as session:
            row = await session.get(Account, 1)
            assert row is not None
            row.kept = SEALER.seal(SEEN)  # the same words, of the new secrets
        other.gate.set()
        await late
        assert await two.kept() == SEEN


async def test_what_could_not_be_stored_is_stored_by_the_next_who_asks(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Rotating()
    async with processes(database_url, Clock()) as [one, two]:
        begin, began = one._db.begin, 0

        def away_at_the_end() -> Any:
            nonlocal began
            began += 1
            if began == 2:
                raise ConnectionError("the database is away")
            return begin()

        monkeypatch.setattr(one._db, "begin", away_at_the_end)
        with pytest.raises(ConnectionError):
            await one.renew(SEEN, other)
        assert await two.kept() == SEEN
        assert await one.kept() == await two.kept() == {"refresh": "token-1"}
    assert (other.uses, other.is_over) == (1, False)


async def test_it_is_sealed_in_the_database_and_a_removed_connection_has_none(database_url: str) -> None:
    clock = Clock()
    async with processes(database_url, clock) as [one, _]:
        await one.renew(SEEN, Rotating())
        async with one._db.begin() as session:
            stored = (await session.execute(text("SELECT kept, kept_token FROM account"))).one()
            assert "token-1" not in stored[0]
            assert stored[1] is None
            row = await session.get(Account, 1)
            assert row is not None
            row.deleted_at = clock()
        with pytest.raises(OutsideError, match="removed"):
            await one.kept()
        with pytest.raises(OutsideError, match="removed"):
            await one.renew(SEEN, Rotating())


async def test_another_key_is_named_as_such(database_url: str) -> None:
    async with processes(database_url, Clock()) as [one, _]:
        stranger = StoredKeeper(one._db, Sealer("quite another key, long enough"), Account, 1, lease=LEASE)
        with pytest.raises(OutsideError, match=r"Acme: .*another key") as raised:
            await stranger.kept()
    assert raised.value.kind == "auth_broken"


async def test_a_pocket_asks_once_too() -> None:
    other, pocket = Rotating(), Pocket()
    await pocket.renew({}, lambda _kept: asyncio.sleep(0, {"refresh": "token-0"}))
    got = await asyncio.gather(*(pocket.renew(SEEN, other) for _ in range(5)))
    assert (other.uses, got) == (1, [{"refresh": "token-1"}] * 5)
    assert await pocket.kept() == {"refresh": "token-1"}

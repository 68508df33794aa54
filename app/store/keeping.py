"""What the other side gave an adapter to keep: sealed on the connection's row, renewed by one process at a time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Generic

from app.ports import OutsideError, Renewal
from app.sealing import SealedWithAnotherKeyError, Sealer
from app.store import accounts
from app.store.accounts import C
from app.store.session import DATABASE_ERRORS, Database

LOOK_AGAIN = 0.1
"""Seconds until somebody who waits for another process's renewal looks again."""


class StoredKeeper(Generic[C]):
    """`app.ports.Keeper` over a connection's row, each step in a short transaction of its own.

    `lease` is how long a renewal may take before another process begins one of its own. What is stored is
    decided by compare-and-swap on the sealed text: whoever wakes up late changes nothing, and neither does
    a renewal by credentials that somebody has replaced meanwhile.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        table: type[C],
        number: int,
        *,
        lease: timedelta,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._db, self._sealer, self._number = database, sealer, number
        self._table: type[C] = table
        self._lease, self._sleep = lease, sleep
        self._turn = asyncio.Lock()
        self._unsaved: tuple[str, dict[str, Any]] | None = None
        self._renewing: set[asyncio.Task[dict[str, Any]]] = set()

    async def kept(self) -> dict[str, Any]:
        """What is stored now."""
        if self._unsaved is not None:
            async with self._turn:
                await self._save_late()
        async with self._db.read() as session:
            row = await accounts.get(session, self._table, self._number)
        return self._opened(row)

    async def renew(self, seen: Mapping[str, Any], renewal: Renewal) -> dict[str, Any]:
        """As `Keeper` says. OutsideError where the connection was removed or cannot be opened."""
        task = asyncio.ensure_future(self._renew(dict(seen), renewal))
        self._renewing.add(task)
        task.add_done_callback(self._end)
        return await asyncio.shield(task)

    def _end(self, task: asyncio.Task[dict[str, Any]]) -> None:
        self._renewing.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, also where its caller has given up

    async def _renew(self, seen: dict[str, Any], renewal: Renewal) -> dict[str, Any]:
        token = secrets.token_hex(8)
        async with self._turn:
            await self._save_late()
            while True:
                before, current, is_ours = await self._claim(token, seen)
                if current != seen:
                    return current
                if is_ours:
                    break
                await self._sleep(LOOK_AGAIN)
            try:
                renewed = dict(await renewal(dict(current)))
            except BaseException:
                await self._let_go(token)
                raise
            self._unsaved = (before, renewed)
            return await self._save_late() or renewed

    async def _claim(self, token: str, seen: dict[str, Any]) -> tuple[str, dict[str, Any], bool]:
        """What is kept, sealed and opened; and whether it is ours to renew."""
        async with self._db.begin() as session:
            now = await self._db.now(session)
            row = await accounts.lock(session, self._table, self._number)
            current = self._opened(row)
            if row is None or current != seen or (row.kept_until is not None and row.kept_until > now):
                return "", current, False
            row.kept_token, row.kept_until = token, now + self._lease
            return row.kept, current, True

    async def _save_late(self) -> dict[str, Any] | None:
        """Store what was renewed, unless something else is kept by now; returns what is. It waits where the database is away."""
        if self._unsaved is None:
            return None
        before, renewed = self._unsaved
        async with self._db.begin() as session:
            row = await accounts.lock(session, self._table, self._number)
            if row is not None and row.kept == before:
                row.kept = self._sealer.seal(renewed)
                row.kept_token = row.kept_until = None
        self._unsaved = None
        return self._opened(row)

    async def _let_go(self, token: str) -> None:
        try:
            async with self._db.begin() as session:
                row = await accounts.lock(session, self._table, self._number)
                if row is not None and row.kept_token == token:
                    row.kept_token = row.kept_until = None
        except DATABASE_ERRORS:
            return  # the lease ends by itself

    def _opened(self, row: C | None) -> dict[str, Any]:
        if row is None:
            raise OutsideError("the connection was removed", "auth_broken")
        try:
            return self._sealer.open(row.kept)
        except SealedWithAnotherKeyError as error:
            raise OutsideError(f"{row.name}: {error}", "auth_broken") from error

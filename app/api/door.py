"""Where webhook calls come in: those that come together are stored together, and each is answered after its commit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from app.steps.river import River
from app.steps.together import Together
from app.store import accounts, deliveries
from app.store.accounts import C
from app.store.deliveries import Call
from app.store.session import LOST_DATABASE
from app.store.tables import Account, Tracker

MOST_CALLS = 100
"""In one transaction: more would make the first of them wait for the last."""


class Door:
    """One for each web process."""

    def __init__(self, river: River) -> None:
        self._river = river
        self._accounts: Together[int, Account | None] = Together(partial(self._read, Account), most=MOST_CALLS)
        self._trackers: Together[int, Tracker | None] = Together(partial(self._read, Tracker), most=MOST_CALLS)
        self._calls = Together(self._store, most=MOST_CALLS)

    async def account(self, number: int) -> Account | None:
        """A connected account as it is now, or None."""
        return await self._accounts(number)

    async def tracker(self, number: int) -> Tracker | None:
        """A connected tracker as it is now, or None."""
        return await self._trackers(number)

    async def keep(self, call: Call) -> bool:
        """Returns when the call is safely stored. False where it was stored before."""
        return await self._calls(call)

    async def _read(self, table: type[C], numbers: Sequence[int]) -> list[C | Exception | None]:
        async with self._river.db.read() as session:
            # The session keeps each row it has read: a connection is asked for once, not for each call.
            return [await accounts.get(session, table, number) for number in numbers]

    async def _store(self, calls: Sequence[Call]) -> list[bool | Exception]:
        try:
            async with self._river.db.begin() as session:
                return [*await deliveries.keep(session, calls)]
        except LOST_DATABASE:
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is, its caller is told)
            if len(calls) == 1:
                return [error]
        # One of them is of a kind that no database keeps, and takes nobody else with it.
        return [outcome for call in calls for outcome in await self._store([call])]

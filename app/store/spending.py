"""What an account's network has charged this month: counted by one statement, so that no two processes pass a budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from sqlalchemy import case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.ports import over_budget
from app.store.session import Database, Session
from app.store.tables import Spending

MICRO = Decimal(1_000_000)

_charged_in: ContextVar[tuple[int, str] | None] = ContextVar("charged_in", default=None)
"""The account and month that the current task charged last: what is given back after midnight is given back to it."""


def month_of(moment: datetime) -> str:
    """The month of the calendar, in UTC: `2026-03`."""
    return f"{moment.astimezone(UTC):%Y-%m}"


def next_month(moment: datetime) -> datetime:
    """Its end: the first moment of the next one, in UTC."""
    begun = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return begun.replace(year=begun.year + 1, month=1) if begun.month == 12 else begun.replace(month=begun.month + 1)


class StoredMeter:
    """`app.ports.Meter` over a row for each account and month, each step in a short transaction of its own."""

    def __init__(self, database: Database, account_id: int) -> None:
        self._db, self._account_id = database, account_id

    async def spent(self) -> Decimal:
        """What is stored for this month."""
        async with self._db.read() as session:
            month = month_of(await self._db.now(session))
            return (await in_month(session, [self._account_id], month=month)).get(self._account_id, Decimal(0))

    async def charge(self, usd: Decimal, *, budget: Decimal | None) -> None:
        """As `Meter` says. Stored before it returns: a process that dies afterwards has spent it."""
        async with self._db.begin() as session:
            now = await self._db.now(session)
            month = month_of(now)
            fits = await count(session, self._account_id, usd, month=month, budget=budget)
            found = {} if fits else await in_month(session, [self._account_id], month=month)
        if not fits and budget is not None:
            spent = found.get(self._account_id, Decimal(0))
            raise over_budget(spent, usd, budget, retry_at=next_month(now))
        _charged_in.set((self._account_id, month))

    async def give_back(self, usd: Decimal) -> None:
        """As `Meter` says, to the month that this task has charged; never more than was counted there."""
        last = _charged_in.get()
        less = _micros(usd, ROUND_FLOOR)
        async with self._db.begin() as session:
            is_ours = last is not None and last[0] == self._account_id
            month = last[1] if last is not None and is_ours else month_of(await self._db.now(session))
            await session.execute(
                update(Spending)
                .where(Spending.account_id == self._account_id, Spending.month == month)
                .values(micros=case((Spending.micros > less, Spending.micros - less), else_=0))
            )


async def count(session: Session, account_id: int, usd: Decimal, *, month: str, budget: Decimal | None) -> bool:
    """Count what is spent in a month, unless it would pass the budget. False where it would, and then nothing is counted.

    Two who count at the same moment wait for each other's row; the second sees what the first has counted.
    """
    more = _micros(usd, ROUND_CEILING)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    begun = insert(Spending).values(account_id=account_id, month=month, micros=0)
    await session.execute(begun.on_conflict_do_nothing(index_elements=["account_id", "month"]))
    query = (
        update(Spending)
        .where(Spending.account_id == account_id, Spending.month == month)
        .values(micros=Spending.micros + more)
        .returning(Spending.micros)
    )
    if budget is not None:
        query = query.where(Spending.micros + more <= _micros(budget, ROUND_FLOOR))
    return (await session.execute(query)).scalar_one_or_none() is not None


async def in_month(session: Session, account_ids: Sequence[int], *, month: str) -> Mapping[int, Decimal]:
    """What these accounts have cost in a month; one that was charged nothing is left out."""
    query = select(Spending.account_id, Spending.micros).where(
        Spending.account_id.in_(account_ids), Spending.month == month
    )
    return {row[0]: Decimal(row[1]) / MICRO for row in await session.execute(query)}


def _micros(usd: Decimal, rounding: str) -> int:
    if not usd.is_finite() or usd < 0:
        raise ValueError(f"no sum of money: {usd}")
    return int((usd * MICRO).to_integral_value(rounding=rounding))

"""Keeping the health of connections: what failed, whether it silences the account, and when it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation

import structlog

from app.outside import setting
from app.ports import OutsideError
from app.steps.price import is_priced
from app.steps.river import River
from app.store import accounts, spending
from app.store.accounts import C
from app.store.session import Session
from app.store.tables import Account

log = structlog.get_logger(__name__)

BLOCKING = frozenset({"auth_broken", "suspended"})
"""Failures after which nothing more is said through the connection until it works again."""


async def record_illness(river: River, table: type[C], number: int, version: int, error: OutsideError) -> None:
    """Write down that a connection failed, if it still has the credentials that failed."""
    await _record(river, table, number, version, error)


async def record_mute(river: River, account_id: int, version: int, error: OutsideError) -> None:
    """The same of an account that was about to speak: that it can be read will not show that it may speak again."""
    await _record(river, Account, account_id, version, error, mute=error.kind in BLOCKING)


async def _record(
    river: River, table: type[C], number: int, version: int, error: OutsideError, *, mute: bool = False
) -> None:
    now = river.now()
    async with river.db.begin() as session:
        row = await accounts.lock(session, table, number)
        if row is None or row.version != version:
            return
        resume_at = error.retry_at
        if error.kind == "rate_limited" and resume_at is None:
            resume_at = now + max(river.timing.backoff, timedelta(seconds=1))
        accounts.mark_ill(row, why=error.message, now=now, blocks=error.kind in BLOCKING, resume_at=resume_at)
        if isinstance(row, Account):
            row.mute = row.mute or mute
    log.warning("connection failed", **{f"{table.__tablename__}_id": number}, kind=error.kind, why=error.message)


@dataclass(frozen=True, slots=True)
class Cost:
    """What an account has cost this month, in US dollars, and what it may cost; None: nothing is charged, or no limit."""

    this_month: Decimal | None
    budget: Decimal | None


async def costs(river: River, session: Session, rows: Sequence[Account]) -> Mapping[int, Cost]:
    """Those of these accounts, by id."""
    month = spending.month_of(await river.db.now(session))
    spent = await spending.in_month(session, [row.id for row in rows], month=month)
    return {
        row.id: Cost(spent.get(row.id, Decimal(0) if is_priced(river, row) else None), _budget_of(row)) for row in rows
    }


def _budget_of(row: Account) -> Decimal | None:
    value = setting(row, "monthly_budget_usd", None)
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None

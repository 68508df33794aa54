"""Keeping the health of connections: what failed, whether it silences the account, and when it is over."""

from __future__ import annotations

from datetime import timedelta

import structlog

from app.ports import OutsideError
from app.steps.river import River
from app.store import accounts
from app.store.accounts import C

log = structlog.get_logger(__name__)

BLOCKING = frozenset({"auth_broken", "suspended"})
"""Failures after which nothing more is said through the connection until it works again."""


async def record_illness(river: River, table: type[C], number: int, version: int, error: OutsideError) -> None:
    """Write down that a connection failed, if it still has the credentials that failed."""
    now = river.now()
    async with river.db.begin() as session:
        row = await accounts.lock(session, table, number)
        if row is None or row.version != version:
            return
        resume_at = error.retry_at
        if error.kind == "rate_limited" and resume_at is None:
            resume_at = now + max(river.timing.backoff, timedelta(seconds=1))
        accounts.mark_ill(row, why=error.message, now=now, blocks=error.kind in BLOCKING, resume_at=resume_at)
    log.warning("connection failed", **{f"{table.__tablename__}_id": number}, kind=error.kind, why=error.message)

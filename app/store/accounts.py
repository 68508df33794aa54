"""Accounts and trackers: found, claimed for a poll, and their health kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Select, func, or_, select

from app.store.session import Session
from app.store.tables import Account, Tracker

C = TypeVar("C", Account, Tracker)


async def get(session: Session, table: type[C], number: int) -> C | None:
    """One that is connected, or None."""
    found = await session.get(table, number)
    return found if found is not None and found.deleted_at is None else None


async def lock(session: Session, table: type[C], number: int) -> C | None:
    """The same, kept from every other writer until the transaction ends."""
    query = select(table).where(table.id == number, table.deleted_at.is_(None)).with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one_or_none()


async def page(session: Session, table: type[C], *, after: int, limit: int) -> Sequence[C]:
    """Those connected, in the order they were."""
    query = select(table).where(table.deleted_at.is_(None), table.id > after).order_by(table.id).limit(limit)
    return (await session.execute(query)).scalars().all()


def due_for_poll_query(table: type[C], *, now: datetime) -> Select[C]:
    """Those whose poll is due and that nobody polls; no tracker that asks us to be quiet."""
    query = select(table).where(
        table.deleted_at.is_(None),
        table.poll_at <= now,
        or_(table.poll_until.is_(None), table.poll_until < now),
    )
    # An account that may not speak for a while can be read all the same.
    return query.where(or_(table.resume_at.is_(None), table.resume_at <= now)) if table is Tracker else query


async def due_for_poll(session: Session, table: type[C], *, now: datetime) -> C | None:
    """The one that has waited longest for its poll and that nobody polls."""
    query = (
        due_for_poll_query(table, now=now)
        .order_by(table.poll_at)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return (await session.execute(query)).scalar_one_or_none()


def proven_by_query(tracker_id: int) -> Select[Tracker]:
    """The connected trackers whose issues are proven by this one's code."""
    names = Tracker.settings["code_tracker"].as_string()
    return select(Tracker).where(Tracker.deleted_at.is_(None), names == str(tracker_id))


async def proven_by(session: Session, tracker_id: int) -> Sequence[Tracker]:
    """Those trackers."""
    return (await session.execute(proven_by_query(tracker_id).order_by(Tracker.id))).scalars().all()


async def same_profile(session: Session, *, channel: str, remote_id: str) -> Account | None:
    """The connected account that already speaks as this profile."""
    query = select(Account).where(
        Account.channel == channel, Account.remote_id == remote_id, Account.deleted_at.is_(None)
    )
    return (await session.execute(query)).scalars().first()


def mark_well(row: Account | Tracker, *, now: datetime) -> None:
    """It answered: every earlier complaint is over, but for those that only a word through it can end.

    An account that is mute, or asked to be quiet for a while yet, can be read all the same; it may try to speak
    again when its time comes, and until it has, nobody is told that all is well.
    """
    row.blocked, row.failures, row.health_at = False, 0, now
    if not may_be_silent(row, now=now):
        row.ok, row.why = True, ""


def may_be_silent(row: Account | Tracker, *, now: datetime) -> bool:
    """Whether there is reason to think that nothing could be said through it now, whatever can be read."""
    is_quiet = row.resume_at is not None and row.resume_at > now
    return isinstance(row, Account) and not row.ok and (row.mute or is_quiet)


def mark_ill(row: Account | Tracker, *, why: str, now: datetime, blocks: bool, resume_at: datetime | None) -> None:
    """It did not. `blocks` stops all speaking through it; `resume_at` is the other side's own word."""
    row.ok, row.why, row.health_at = False, why, now
    row.failures += 1
    row.blocked = row.blocked or blocks
    if resume_at is not None:
        row.resume_at = resume_at


async def count_by_health(session: Session, table: type[C]) -> Sequence[tuple[int, str, bool, int, datetime | None]]:
    """For the metrics: id, name, ok, rejected webhooks, and when the last was rejected."""
    query = select(table.id, table.name, table.ok, table.rejected, table.rejected_at).where(table.deleted_at.is_(None))
    return [(r[0], r[1], r[2], r[3], r[4]) for r in (await session.execute(query)).all()]


async def all_connected(session: Session, table: type[C]) -> Sequence[C]:
    """Every one of them; an installation has few."""
    return await page(session, table, after=0, limit=1000)


async def reject(session: Session, table: type[C], number: int, *, why: str, now: datetime) -> None:
    """Count a webhook call that did not prove who sent it; nothing else of it is kept."""
    row = await lock(session, table, number)
    if row is not None:
        row.rejected, row.rejected_at, row.rejected_why = row.rejected + 1, now, why


async def longest_overdue(session: Session, *, now: datetime) -> timedelta:
    """How late the latest poll is; a worker that stands still shows here."""
    times = [
        (await session.execute(select(func.min(table.poll_at)).where(table.deleted_at.is_(None)))).scalar()
        for table in (Account, Tracker)
    ]
    return max((now - moment for moment in times if moment is not None), default=timedelta(0))

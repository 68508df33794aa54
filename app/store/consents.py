"""Admins on their way over a network's own page: who may come back, with what, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update

from app.store.session import Session
from app.store.tables import Consent


async def take(session: Session, *, digest: str, session_id: int, now: datetime) -> Consent | None:
    """The one with this state, if this browser began it, in time, and nobody has used it: from now on it is used."""
    query = (
        update(Consent)
        .where(
            Consent.hash == digest,
            Consent.session_id == session_id,
            Consent.used_at.is_(None),
            Consent.expires_at > now,
        )
        .values(used_at=now)
        .returning(Consent)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def of_browser(session: Session, consent_id: int, *, session_id: int) -> Consent | None:
    """One that this browser began."""
    query = select(Consent).where(Consent.id == consent_id, Consent.session_id == session_id)
    return (await session.execute(query)).scalar_one_or_none()


async def last_of_browser(session: Session, *, session_id: int) -> Consent | None:
    """The one that this browser began last."""
    query = select(Consent).where(Consent.session_id == session_id).order_by(Consent.id.desc()).limit(1)
    return (await session.execute(query)).scalar_one_or_none()


async def end(session: Session, consent_id: int) -> None:
    """Forget one, with the secrets in it."""
    await session.execute(delete(Consent).where(Consent.id == consent_id))


async def forget(session: Session, *, older_than: datetime) -> Sequence[int]:
    """Forget those that nobody came back from, with the secrets in them; returns which they were."""
    query = delete(Consent).where(Consent.created_at < older_than).returning(Consent.id)
    return (await session.execute(query)).scalars().all()

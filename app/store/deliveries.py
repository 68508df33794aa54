"""Inbound webhook calls, kept once each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects import postgresql, sqlite

from app.store.session import Session
from app.store.tables import Delivery


async def keep(
    session: Session,
    *,
    hook: str,
    key: str,
    event: str,
    headers: dict[str, Any],
    body: bytes,
    issues: list[str],
    everything: bool,
    now: datetime,
) -> bool:
    """Store a call under its unique key. False where it is already here: a redelivery adds nothing."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(Delivery)
        .values(
            hook=hook,
            key=key,
            event=event,
            headers=headers,
            body=body,
            issues=issues,
            everything=everything,
            state="new",
            why="",
            received_at=now,
        )
        .on_conflict_do_nothing(index_elements=["hook", "key"])
        .returning(Delivery.id)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


def unworked_query() -> Select[Delivery]:
    """Calls nobody has worked."""
    return select(Delivery).where(Delivery.state == "new")


async def unworked(session: Session, *, limit: int) -> Sequence[Delivery]:
    """Calls nobody has worked, oldest first."""
    query = unworked_query().order_by(Delivery.id).limit(limit).with_for_update(skip_locked=True)
    return (await session.execute(query)).scalars().all()


async def page(session: Session, *, hook: str, before: int | None, limit: int) -> Sequence[Delivery]:
    """A hook's calls, newest first, below the id `before`."""
    query = select(Delivery).where(Delivery.hook == hook)
    if before:
        query = query.where(Delivery.id < before)
    return (await session.execute(query.order_by(Delivery.id.desc()).limit(limit))).scalars().all()


async def count_unworked(session: Session) -> int:
    """How many calls wait."""
    return (await session.execute(select(func.count()).where(Delivery.state == "new"))).scalar_one()

"""Worker processes and their heartbeat; and the requests that must not be carried out twice."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from app.store.session import Session
from app.store.tables import Request, Worker

STALE_AFTER = timedelta(seconds=30)
"""A worker that has not been heard of for this long counts as dead."""


async def beat(session: Session, *, name: str, version: str, now: datetime) -> None:
    """Say that this worker lives; forget those silent for a day."""
    row = (await session.execute(select(Worker).where(Worker.name == name))).scalar_one_or_none()
    if row is None:
        session.add(Worker(name=name, version=version, started_at=now, seen_at=now))
        await session.execute(delete(Worker).where(Worker.seen_at < now - timedelta(days=1)))
    else:
        row.seen_at = now


async def forget(session: Session, name: str) -> None:
    """This worker stops in good order."""
    await session.execute(delete(Worker).where(Worker.name == name))


async def last_seen(session: Session) -> datetime | None:
    """When any worker was last heard of."""
    return (await session.execute(select(func.max(Worker.seen_at)))).scalar()


async def earlier_request(session: Session, *, token_id: int, key: str) -> Request | None:
    """The request that came with the same `Idempotency-Key` before."""
    query = select(Request).where(Request.token_id == token_id, Request.key == key)
    return (await session.execute(query)).scalar_one_or_none()


async def keep_request(
    session: Session, *, token_id: int, key: str, digest: str, now: datetime
) -> tuple[Request, bool]:
    """Remember a request in the same transaction that does what it asks; whether it is new here.

    One that comes at the same moment waits here until the first is done, and then finds it.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(Request)
        .values(token_id=token_id, key=key, digest=digest, at=now)
        .on_conflict_do_nothing(index_elements=["token_id", "key"])
        .returning(Request.id)
    )
    is_new = (await session.execute(statement)).scalar_one_or_none() is not None
    query = select(Request).where(Request.token_id == token_id, Request.key == key).with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one(), is_new

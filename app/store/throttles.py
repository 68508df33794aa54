"""What was done lately under a key, of which only a digest is kept: tries to sign in, and writes to a tracker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from app.store.session import Session
from app.store.tables import Throttle


async def lock(session: Session, key: str, *, now: datetime) -> Throttle:
    """What is counted under a key, kept until the transaction ends."""
    insert = postgresql.insert if _is_postgresql(session) else sqlite.insert
    await session.execute(
        insert(Throttle).values(key=key, tries=0, last_at=now).on_conflict_do_nothing(index_elements=["key"])
    )
    return (
        await session.execute(select(Throttle).where(Throttle.key == key).with_for_update(key_share=True))
    ).scalar_one()


async def times(session: Session, keys: Sequence[str]) -> dict[str, datetime]:
    """When each of these was last used, as far as that is still known."""
    query = select(Throttle.key, Throttle.last_at).where(Throttle.key.in_(keys))
    return {row[0]: row[1] for row in (await session.execute(query)).all()}


async def note(session: Session, key: str, *, now: datetime) -> None:
    """It is used now."""
    insert = postgresql.insert if _is_postgresql(session) else sqlite.insert
    made = insert(Throttle).values(key=key, tries=1, last_at=now)
    await session.execute(made.on_conflict_do_update(index_elements=["key"], set_={"last_at": now}))


async def forget(session: Session, *, older_than: datetime) -> None:
    """Forget what nobody has added to for so long; what is in use just now is left to another time."""
    old = (
        select(Throttle.id)
        .where(Throttle.last_at < older_than)
        .limit(1000)
        .with_for_update(key_share=True, skip_locked=True)
    )
    ids = (await session.execute(old)).scalars().all()
    if ids:
        await session.execute(delete(Throttle).where(Throttle.id.in_(ids)))


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"

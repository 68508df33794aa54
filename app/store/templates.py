"""The operator's own templates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.store.session import Session
from app.store.tables import Template

EVERY_ACCOUNT = 0


async def own(session: Session, *, kind: str | None = None) -> Sequence[Template]:
    """The operator's templates, of one kind or all."""
    query = select(Template).order_by(Template.scope, Template.kind, Template.language)
    if kind is not None:
        query = query.where(Template.kind == kind)
    return (await session.execute(query)).scalars().all()


async def put(session: Session, *, scope: int, kind: str, language: str, text: str, by: str, now: datetime) -> Template:
    """Write one, over the one before."""
    query = select(Template).where(Template.scope == scope, Template.kind == kind, Template.language == language)
    row = (await session.execute(query.with_for_update(key_share=True))).scalar_one_or_none()
    if row is None:
        row = Template(scope=scope, kind=kind, language=language, text=text, changed_at=now, changed_by=by)
        session.add(row)
    row.text, row.changed_at, row.changed_by = text, now, by
    await session.flush()
    return row


async def remove(session: Session, *, scope: int, kind: str, language: str) -> bool:
    """Go back to the shipped text."""
    query = select(Template).where(Template.scope == scope, Template.kind == kind, Template.language == language)
    row = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        return False
    await session.delete(row)
    return True

"""What every page shows: how much needs a person, whether we may speak, and a version that moves with every change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select

from app.store.session import Session
from app.store.tables import Account, Event, Loop, Note, Post, Reply, Tracker, Voice

MOST = 1000
"""Nobody reads an exact number above this, and counting further would cost."""

ASKS_A_PERSON = Loop.needs_person != literal_column("''")
"""Written with a literal, so that both databases use the index that holds only these loops."""


@dataclass(frozen=True, slots=True)
class Rail:
    """The figures beside the menu. Each stops counting at MOST."""

    new_posts: int
    asking_loops: int
    awaiting_replies: int
    hand_replies: int
    ill_connections: int
    voice_on: bool
    voice_by: str
    version: str


async def rail(session: Session) -> Rail:
    """One statement, whatever the size of the database."""
    row = (
        await session.execute(
            select(
                _up_to_most(select(Post.id).where(Post.state == "new")),
                _up_to_most(select(Loop.id).where(ASKS_A_PERSON)),
                _up_to_most(select(Reply.id).where(Reply.state == "awaiting_approval")),
                _up_to_most(select(Reply.id).where(Reply.hand_at.is_not(None))),
                _ill(),
                select(Voice.is_on).where(Voice.id == 1).scalar_subquery(),
                select(Voice.changed_by).where(Voice.id == 1).scalar_subquery(),
                *_version(),
            )
        )
    ).one()
    return Rail(
        new_posts=row[0],
        asking_loops=row[1],
        awaiting_replies=row[2],
        hand_replies=row[3],
        ill_connections=row[4],
        voice_on=row[5] is not False,
        voice_by=row[6] or "",
        version=_joined(row[7:]),
    )


async def version(session: Session) -> str:
    """A text that differs whenever a page may have to look different."""
    return _joined((await session.execute(select(*_version()))).one())


def _joined(parts: object) -> str:
    return "-".join(str(part or 0) for part in parts)  # type: ignore[attr-defined]


def _version() -> tuple[ColumnElement[Any], ...]:
    return (
        select(func.max(Event.id)).scalar_subquery(),
        select(func.max(Post.id)).scalar_subquery(),
        select(func.max(Note.id)).scalar_subquery(),
        select(Voice.changed_at).where(Voice.id == 1).scalar_subquery(),
        _ill(),
    )


def _up_to_most(query: Select[int]) -> ColumnElement[int]:
    return select(func.count()).select_from(query.limit(MOST).subquery()).scalar_subquery()


def _ill() -> ColumnElement[int]:
    profiles = select(func.count(Account.id)).where(Account.deleted_at.is_(None), Account.ok.is_(False))
    projects = select(func.count(Tracker.id)).where(Tracker.deleted_at.is_(None), Tracker.ok.is_(False))
    return profiles.scalar_subquery() + projects.scalar_subquery()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far this installation has come, for somebody who has just begun."""

    rehearsal_scene: str | None
    has_real_connection: bool
    has_post: bool
    has_loop: bool
    has_fixed: bool
    has_shipped: bool
    has_approved: bool
    has_told: bool
    has_verified: bool


async def progress(session: Session) -> Progress:
    """Each step of a first loop, from what is really there."""
    loops_in = {
        name: select(func.min(Loop.id)).where(Loop.state.in_(states)).scalar_subquery()
        for name, states in {
            "fixed": ("fixed", "shipped", "told", "verified"),
            "shipped": ("shipped", "told", "verified"),
            "told": ("told", "verified"),
            "verified": ("verified",),
        }.items()
    }
    row = (
        await session.execute(
            select(
                select(func.max(Account.id))
                .where(Account.channel == "rehearsal", Account.deleted_at.is_(None))
                .scalar_subquery(),
                select(func.count(Account.id))
                .where(Account.channel != "rehearsal", Account.deleted_at.is_(None))
                .scalar_subquery(),
                select(func.min(Post.id)).scalar_subquery(),
                select(func.min(Loop.id)).scalar_subquery(),
                *loops_in.values(),
                select(func.min(Reply.id)).where(Reply.state.in_(("scheduled", "sending", "posted"))).scalar_subquery(),
            )
        )
    ).one()
    account = await session.get(Account, row[0]) if row[0] is not None else None
    return Progress(
        rehearsal_scene=str(account.settings.get("scene", "main")) if account is not None else None,
        has_real_connection=row[1] > 0,
        has_post=row[2] is not None,
        has_loop=row[3] is not None,
        has_fixed=row[4] is not None,
        has_shipped=row[5] is not None,
        has_told=row[6] is not None,
        has_verified=row[7] is not None,
        has_approved=row[8] is not None,
    )

"""What the pages show: rows joined with who they are about, a page of them at a time and never one query each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, or_, select

from app.store.overview import ASKS_A_PERSON
from app.store.session import Session
from app.store.tables import Account, Delivery, Identity, Issue, Link, Loop, Post, Reply, Shipment

Shown = Sequence[Row[Any]]

EXCERPT = 400
"""How many characters of a post a list reads."""


async def posts_in_triage(
    session: Session, *, state: str, account_id: int | None, q: str, before: int | None, limit: int
) -> Shown:
    """A list of posts, newest first, below the id `before`; without the raw text, which can be long."""
    query = (
        select(
            Post.id,
            Post.channel,
            func.substr(Post.text, 1, EXCERPT).label("text"),
            Post.gone_at,
            Post.language,
            Post.visibility,
            Post.content_warning,
            Post.created_at,
            Post.loop_id,
            Post.answers_reply_id,
            Identity.handle,
            Identity.name,
            Identity.followers,
        )
        .join(Identity, Identity.id == Post.identity_id)
        .where(Post.state == state)
    )
    if account_id is not None:
        query = query.where(Post.account_id == account_id)
    if q:
        words = q.lower()
        query = query.where(
            or_(
                func.lower(Post.text).contains(words, autoescape=True),
                func.lower(Identity.handle).contains(words, autoescape=True),
                func.lower(Identity.name).contains(words, autoescape=True),
            )
        )
    if before is not None:
        query = query.where(Post.id < before)
    return (await session.execute(query.order_by(Post.id.desc()).limit(limit))).all()


async def customers_past(session: Session, *, customer_id: int, but_post: int, limit: int) -> Shown:
    """What a customer wrote to us besides one post, newest first, and what became of it."""
    query = (
        select(
            Post.id,
            Post.url,
            Post.state,
            Post.created_at,
            func.substr(Post.text, 1, EXCERPT).label("text"),
            Post.gone_at,
            Loop.id.label("loop_id"),
            Loop.state.label("loop_state"),
            Loop.verification,
        )
        .join(Identity, Identity.id == Post.identity_id)
        .outerjoin(Loop, Loop.id == Post.loop_id)
        .where(Identity.customer_id == customer_id, Post.id != but_post)
        .order_by(Post.id.desc())
        .limit(limit)
    )
    return (await session.execute(query)).all()


async def recent_tags(session: Session, *, loops: int) -> list[str]:
    """The tags on the newest loops, the most used first."""
    query = select(Loop.tags).order_by(Loop.id.desc()).limit(loops)
    counts: dict[str, int] = {}
    for tags in (await session.execute(query)).scalars():
        for tag in tags:
            counts[tag] = counts.get(tag, 0) + 1
    return sorted(counts, key=lambda tag: (-counts[tag], tag))


def _loops() -> Select[*tuple[Any, ...]]:
    """Loops with their customer, the words they began with, and the issue they wait for now."""
    return (
        select(
            Loop,
            Identity.handle,
            Identity.name,
            func.substr(Post.text, 1, EXCERPT).label("text"),
            Post.gone_at,
            Post.account_id,
            Post.language,
            Issue.id.label("issue_id"),
            Issue.ref.label("issue_ref"),
            Issue.title.label("issue_title"),
        )
        .join(Identity, Identity.id == Loop.identity_id)
        .join(Post, Post.id == Loop.post_id)
        .outerjoin(Link, (Link.loop_id == Loop.id) & Link.until.is_(None))
        .outerjoin(Issue, Issue.id == Link.issue_id)
    )


async def loops(
    session: Session,
    *,
    limit: int,
    state: str | None = None,
    asking: bool = False,
    assignee: str | None = None,
    before: int | None = None,
) -> Shown:
    """Loops, newest first, below the id `before`; `asking` shows those that wait for a person here."""
    query = _loops()
    if state is not None:
        query = query.where(Loop.state == state)
    if asking:
        query = query.where(ASKS_A_PERSON)
    if assignee is not None:
        query = query.where(Loop.assignee == assignee)
    if before is not None:
        query = query.where(Loop.id < before)
    return (await session.execute(query.order_by(Loop.id.desc()).limit(limit))).all()


async def loops_of_issue(session: Session, issue_id: int, *, limit: int, but: int | None = None) -> Shown:
    """Loops linked to an issue now, newest first; `but` leaves one out."""
    query = _loops().where(Link.issue_id == issue_id)
    if but is not None:
        query = query.where(Loop.id != but)
    return (await session.execute(query.order_by(Loop.id.desc()).limit(limit))).all()


async def replies(
    session: Session,
    *,
    limit: int,
    states: Sequence[str] | None = None,
    loop_id: int | None = None,
    reply_id: int | None = None,
    before: int | None = None,
    tasks: bool | None = None,
) -> Shown:
    """Replies with the post they answer, its author and the account that speaks; newest first, below the id `before`.

    `tasks` are only those that a person is to post by hand, or only the others.
    """
    query = (
        select(
            Reply,
            Account,
            Account.name.label("account_name"),
            Account.mode.label("account_mode"),
            Account.deleted_at.label("account_gone"),
            Shipment,
            Identity.handle,
            Identity.name,
            func.substr(Post.text, 1, EXCERPT).label("text"),
            Post.gone_at,
            Post.url.label("post_url"),
            Post.created_at.label("said_at"),
        )
        .join(Account, Account.id == Reply.account_id)
        .join(Post, Post.id == Reply.post_id)
        .join(Identity, Identity.id == Post.identity_id)
        .outerjoin(Shipment, Shipment.id == Reply.shipment_id)
    )
    if states is not None:
        query = query.where(Reply.state.in_(states))
    if tasks is not None:
        query = query.where(Reply.hand_at.is_not(None) if tasks else Reply.hand_at.is_(None))
    if loop_id is not None:
        query = query.where(Reply.loop_id == loop_id)
    if reply_id is not None:
        query = query.where(Reply.id == reply_id)
    if before is not None:
        query = query.where(Reply.id < before)
    return (await session.execute(query.order_by(Reply.id.desc()).limit(limit))).all()


async def last_deliveries(session: Session, *, among: int) -> dict[str, datetime]:
    """When each hook was last called, among the newest so many calls."""
    newest = select(Delivery.hook, Delivery.received_at).order_by(Delivery.id.desc()).limit(among).subquery()
    rows = await session.execute(select(newest.c.hook, func.max(newest.c.received_at)).group_by(newest.c.hook))
    return {row[0]: row[1] for row in rows}

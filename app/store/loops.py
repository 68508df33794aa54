"""Loops, their links to issues, notes and history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, update

from app.store.locking import locked
from app.store.session import Session
from app.store.tables import Account, Event, Identity, Issue, Link, Loop, Note, Post, Reply

WAITING = ("open", "linked", "fixed", "shipped", "reopened")


def is_waiting() -> ColumnElement[bool]:
    """Whether a loop's customer waits for anything; not one whose fix is out and who is told nothing here."""
    return and_(Loop.state.in_(WAITING), or_(Loop.state != "shipped", Loop.untold == ""))


ToBeTold = Row[int, str, str, int, int, str | None]
"""A loop's id, state and platform, its post, and that post's account and language."""


async def lock(session: Session, loop_id: int) -> Loop | None:
    """One loop as it is now, kept from every other writer until the transaction ends."""
    return (await locked(session, Loop, [loop_id])).get(loop_id)


async def of_thread(session: Session, *, channel: str, thread_id: str, identity_id: int) -> Loop | None:
    """The loop of one customer in one thread."""
    query = select(Loop).where(Loop.channel == channel, Loop.thread_id == thread_id, Loop.identity_id == identity_id)
    return (await session.execute(query.with_for_update(key_share=True))).scalar_one_or_none()


async def about_post(session: Session, post_id: int) -> Sequence[int]:
    """The ids of the loops that answer a post, or to which it belongs."""
    its_loop = select(Post.loop_id).where(Post.id == post_id).scalar_subquery()
    query = select(Loop.id).where(or_(Loop.post_id == post_id, Loop.id == its_loop)).order_by(Loop.id)
    return (await session.execute(query)).scalars().all()


async def present_issue(session: Session, loop_id: int) -> Issue | None:
    """The issue the loop waits for now."""
    return (await present_issues(session, [loop_id])).get(loop_id)


async def present_issues(session: Session, loop_ids: Sequence[int]) -> dict[int, Issue]:
    """The issue that each of these loops waits for now, by loop."""
    query = (
        select(Link.loop_id, Issue)
        .join(Issue, Link.issue_id == Issue.id)
        .where(Link.loop_id.in_(loop_ids), Link.until.is_(None))
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def of_issue(session: Session, issue_id: int) -> Sequence[Loop]:
    """The loops that wait for an issue now, or were told of it."""
    query = (
        select(Loop)
        .join(Link, Link.loop_id == Loop.id)
        .where(Link.issue_id == issue_id, Link.until.is_(None))
        .order_by(Loop.id)
        .with_for_update(key_share=True, of=Loop)
    )
    return (await session.execute(query)).scalars().all()


async def waiting_of(session: Session, issue_ids: Sequence[int]) -> dict[int, list[tuple[Loop, Identity]]]:
    """The loops that wait for each of these issues, oldest first, with whose complaint each is."""
    query = (
        select(Link.issue_id, Loop, Identity)
        .join(Loop, Loop.id == Link.loop_id)
        .join(Identity, Identity.id == Loop.identity_id)
        .where(Link.issue_id.in_(issue_ids), Link.until.is_(None), is_waiting())
        .order_by(Loop.id)
    )
    found: dict[int, list[tuple[Loop, Identity]]] = {}
    for issue_id, loop, identity in await session.execute(query):
        found.setdefault(issue_id, []).append((loop, identity))
    return found


async def to_be_told(session: Session, issue_id: int) -> Sequence[ToBeTold]:
    """Who waits for an issue and is told by themselves once it ships, oldest first: each one's loop, account and language."""
    query = (
        select(Loop.id, Loop.state, Loop.platform, Loop.post_id, Post.account_id, Post.language)
        .join(Link, Link.loop_id == Loop.id)
        .join(Post, Post.id == Loop.post_id)
        .join(Identity, Identity.id == Loop.identity_id)
        .join(Account, Account.id == Post.account_id)
        .where(
            Link.issue_id == issue_id,
            Link.until.is_(None),
            is_waiting(),
            Post.visibility != "private",
            Post.gone_at.is_(None),
            Identity.suppressed_at.is_(None),
            Account.deleted_at.is_(None),
            Account.mode != "dry_run",
        )
        .order_by(Loop.id)
    )
    return (await session.execute(query)).all()


async def left_issue(session: Session, loop_ids: Sequence[int], issue_id: int) -> frozenset[int]:
    """Which of these loops waited for an issue before, and do no more."""
    query = select(Link.loop_id).where(Link.loop_id.in_(loop_ids), Link.issue_id == issue_id, Link.until.is_not(None))
    return frozenset((await session.execute(query)).scalars())


async def end_links(session: Session, loop_id: int, *, now: datetime) -> None:
    """The loop waits for no issue from now on."""
    await session.execute(update(Link).where(Link.loop_id == loop_id, Link.until.is_(None)).values(until=now))


def unowed_query() -> Select[Loop]:
    """Shipped loops on which nobody has decided yet whether they are told."""
    return select(Loop).where(Loop.state == "shipped", Loop.owed.is_(False))


async def unowed(session: Session, *, limit: int) -> Sequence[Loop]:
    """The same, the oldest first, each for one caller."""
    query = unowed_query().order_by(Loop.id).limit(limit).with_for_update(key_share=True, skip_locked=True)
    return (await session.execute(query)).scalars().all()


async def owe_anew(session: Session, *, account_id: int, post_id: int | None = None) -> None:
    """Decide once more on the shipped loops of an account, or of one post in it: what stood in the way may be gone."""
    its_posts = select(Post.id).where(Post.account_id == account_id)
    if post_id is not None:
        its_posts = its_posts.where(Post.id == post_id)
    await session.execute(
        update(Loop).where(Loop.state == "shipped", Loop.owed.is_(True), Loop.post_id.in_(its_posts)).values(owed=False)
    )


async def unanswered_since(session: Session, moment: datetime, *, limit: int) -> Sequence[Loop]:
    """Loops that were told before `moment` and whose customer said nothing."""
    query = (
        select(Loop)
        .where(Loop.state == "told", Loop.verification.is_(None), Loop.told_at < moment)
        .order_by(Loop.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return (await session.execute(query)).scalars().all()


async def threads_to_read(
    session: Session, *, account_id: int, said_since: datetime, read_before: datetime, limit: int
) -> Sequence[tuple[Loop, Post, Identity]]:
    """Loops to whom this account said something that may still be answered, the thread that was read longest ago first."""
    spoken_to = (
        select(Reply.loop_id)
        .where(Reply.account_id == account_id, Reply.state == "posted", Reply.posted_at > said_since)
        .scalar_subquery()
    )
    query = (
        select(Loop, Post, Identity)
        .join(Post, Post.id == Loop.post_id)
        .join(Identity, Identity.id == Post.identity_id)
        .where(
            Loop.id.in_(spoken_to),
            Loop.state.not_in(("verified", "dropped")),
            or_(Loop.thread_read_at.is_(None), Loop.thread_read_at <= read_before),
        )
        .order_by(Loop.thread_read_at.is_not(None), Loop.thread_read_at, Loop.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


async def mark_thread_read(session: Session, loop_id: int, *, now: datetime) -> None:
    """The thread was looked at, with whatever success: the others come first now."""
    await session.execute(update(Loop).where(Loop.id == loop_id).values(thread_read_at=now))


async def page(
    session: Session, *, state: str | None, before: int | None, limit: int, needs_person: bool = False
) -> Sequence[Loop]:
    """Loops, newest first, below the id `before`."""
    query = select(Loop)
    if state:
        query = query.where(Loop.state == state)
    if needs_person:
        query = query.where(Loop.needs_person != "")
    if before:
        query = query.where(Loop.id < before)
    return (await session.execute(query.order_by(Loop.id.desc()).limit(limit))).scalars().all()


async def count_by_state(session: Session) -> dict[str, int]:
    """How many loops are in each state."""
    return {row[0]: row[1] for row in await session.execute(select(Loop.state, func.count()).group_by(Loop.state))}


async def notes(session: Session, loop_id: int) -> Sequence[Note]:
    """What colleagues wrote on a loop, oldest first."""
    return (await session.execute(select(Note).where(Note.loop_id == loop_id).order_by(Note.id))).scalars().all()


async def history(session: Session, loop_id: int) -> Sequence[Event]:
    """What happened to a loop, oldest first."""
    return (await session.execute(select(Event).where(Event.loop_id == loop_id).order_by(Event.id))).scalars().all()


async def history_of_issue(session: Session, issue_id: int) -> Sequence[Event]:
    """What happened to an issue itself, oldest first, as far as its newest hundred entries go."""
    query = (
        select(Event)
        .where(Event.issue_id == issue_id, Event.loop_id.is_(None), Event.reply_id.is_(None))
        .order_by(Event.id.desc())
        .limit(100)
    )
    return (await session.execute(query)).scalars().all()[::-1]


async def redact(session: Session, loop_id: int, *, redacted: Callable[[str], str]) -> None:
    """Rewrite the reasons in a loop's history."""
    for event in await history(session, loop_id):
        event.why = redacted(event.why)


def note_event(
    session: Session,
    *,
    at: datetime,
    what: str,
    why: str = "",
    actor: str = "",
    loop_id: int | None = None,
    issue_id: int | None = None,
    reply_id: int | None = None,
    customer_id: int | None = None,
) -> None:
    """Write down what happened, in the same transaction as its effect."""
    session.add(
        Event(
            at=at,
            what=what,
            why=why,
            actor=actor,
            loop_id=loop_id,
            issue_id=issue_id,
            reply_id=reply_id,
            customer_id=customer_id,
        )
    )


async def waiting_for(session: Session, issue_id: int, *, newest: int) -> tuple[int, list[dict[str, Any]]]:
    """Who waits for an issue: how many, and every one's channel, reach and time, the newest first.

    Quotes are read only of the `newest` so many; an issue can have thousands waiting.
    """
    query = (
        select(
            Loop.id,
            Loop.channel,
            Loop.round,
            Loop.refuted_at,
            Identity.handle,
            Identity.followers,
            Post.url,
            Post.visibility,
            Post.created_at,
            Post.gone_at,
            Post.text,
        )
        .join(Link, Link.loop_id == Loop.id)
        .join(Post, Post.id == Loop.post_id)
        .join(Identity, Identity.id == Loop.identity_id)
        .where(Link.issue_id == issue_id, Link.until.is_(None), is_waiting())
        .order_by(Post.created_at.desc(), Loop.id.desc())
    )
    rows = (await session.execute(query)).all()
    return len(rows), [
        {
            "channel": row.channel,
            "handle": row.handle,
            "followers": row.followers,
            "permalink": row.url,
            "is_public": row.visibility != "private" and row.gone_at is None,
            "said_at": row.created_at,
            "quote": row.text if index < newest else "",
            "reopened": row.refuted_at is not None,
        }
        for index, row in enumerate(rows)
    ]

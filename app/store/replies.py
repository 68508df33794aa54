"""Replies and the tries to say them; the ledger of everything we ever said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from app.store.locking import locked
from app.store.session import Session
from app.store.tables import Account, Attempt, Link, Loop, Post, Reply, Voice


async def lock(session: Session, reply_id: int) -> Reply | None:
    """One reply as it is now, kept from every other writer until the transaction ends."""
    return (await locked(session, Reply, [reply_id])).get(reply_id)


async def claimed(session: Session, reply_id: int, token: str) -> Reply | None:
    """The reply, if this claim on it still stands."""
    query = select(Reply).where(Reply.id == reply_id, Reply.claim == token).with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one_or_none()


async def in_slot(session: Session, *, loop_id: int, round_: int, slot: str) -> Reply | None:
    """The one reply of a kind in a loop's round."""
    query = select(Reply).where(Reply.loop_id == loop_id, Reply.round == round_, Reply.slot == slot)
    return (await session.execute(query.with_for_update(key_share=True))).scalar_one_or_none()


async def in_slots(session: Session, loop_ids: Sequence[int], *, slot: str) -> Sequence[Reply]:
    """The replies of a kind of these loops, in all their rounds."""
    query = select(Reply).where(Reply.loop_id.in_(loop_ids), Reply.slot == slot).order_by(Reply.id)
    return (await session.execute(query.with_for_update(key_share=True))).scalars().all()


async def under_posts(session: Session, *, channel: str, canonical_ids: Sequence[str]) -> Sequence[Reply]:
    """Every reply made for one of these posts, from whichever account and loop."""
    query = select(Reply).where(Reply.channel == channel, Reply.parent_canonical_id.in_(canonical_ids))
    return (await session.execute(query.order_by(Reply.id))).scalars().all()


async def by_external_id(session: Session, *, channel: str, account_id: int, external_id: str) -> Reply | None:
    """The posted reply a network calls so; also of the same profile under an earlier connection of it."""
    ours = aliased(Account)
    query = (
        select(Reply)
        .join(Account, Account.id == Reply.account_id)
        .join(ours, (ours.remote_id == Account.remote_id) & (ours.url == Account.url))
        .where(Reply.channel == channel, Reply.external_id == external_id, ours.id == account_id)
    )
    return (await session.execute(query)).scalars().first()


async def ledgers_under(session: Session, *, channel: str, canonical_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """The external ids of everything we know we said under each of these posts."""
    query = select(Reply.parent_canonical_id, Reply.external_id).where(
        Reply.channel == channel, Reply.parent_canonical_id.in_(canonical_ids), Reply.external_id.is_not(None)
    )
    found: dict[str, set[str]] = {canonical_id: set() for canonical_id in canonical_ids}
    for canonical_id, external_id in await session.execute(query):
        if external_id is not None:
            found[canonical_id].add(external_id)
    return {canonical_id: frozenset(ids) for canonical_id, ids in found.items()}


def _is_posted_by_hand() -> ColumnElement[bool]:
    """A person posts it: the account is set to that, or the network does not know the post by any name we have."""
    typed = exists().where(Post.id == Reply.post_id, Post.came_by == "hand")
    return or_(Account.mode == "by_hand", typed)


def _may_speak(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Account.deleted_at.is_(None),
        Account.blocked.is_(False),
        or_(Account.resume_at.is_(None), Account.resume_at <= now),
    )


_SIBLING = aliased(Reply)


def _nothing_beside_it_is_out() -> ColumnElement[bool]:
    """No other reply under the same post is being said, or may have been: in the thread it would look like a stranger's."""
    return ~exists().where(
        _SIBLING.channel == Reply.channel,
        _SIBLING.parent_canonical_id == Reply.parent_canonical_id,
        _SIBLING.id != Reply.id,
        _SIBLING.state.in_(("sending", "unknown")),
    )


def due_query(*, now: datetime) -> Select[Reply]:
    """Scheduled replies whose time has come, on accounts that may speak, or for a person to post."""
    return (
        select(Reply)
        .join(Account, Account.id == Reply.account_id)
        .where(
            Reply.state == "scheduled",
            Reply.due_at <= now,
            _nothing_beside_it_is_out(),
            or_(and_(*_may_speak(now)), and_(Account.deleted_at.is_(None), _is_posted_by_hand())),
        )
    )


async def due(session: Session, *, now: datetime, limit: int, free: Mapping[int, int], usual: int) -> list[Reply]:
    """Those of them that have waited longest; of several under one post only the first.

    Of one account no more than are `free` there, `usual` where nothing is known of it.
    """
    query = (
        due_query(now=now)
        .where(Reply.account_id.not_in([account_id for account_id, room in free.items() if room <= 0]))
        .order_by(Reply.due_at, Reply.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True, of=Reply)
    )
    first: dict[tuple[str, str], Reply] = {}
    left = dict(free)
    for row in (await session.execute(query)).scalars():
        room = left.setdefault(row.account_id, usual)
        if room > 0 and first.setdefault((row.channel, row.parent_canonical_id), row) is row:
            left[row.account_id] = room - 1
    return list(first.values())


def abandoned_query(*, now: datetime) -> Select[Reply]:
    """Replies whose sender has not been heard of for a whole lease."""
    return select(Reply).where(Reply.state == "sending", Reply.claim_until < now)


async def abandoned(session: Session, *, now: datetime) -> Reply | None:
    """The oldest of them; not locked, because its loop is locked first."""
    query = abandoned_query(now=now).order_by(Reply.id).limit(1)
    return (await session.execute(query)).scalar_one_or_none()


def due_for_a_look_query(*, now: datetime) -> Select[Reply]:
    """Replies whose last attempt has an unknown outcome, or that a moderator there still holds.

    Those of a removed account too: somebody has to be told that nobody can look any more.
    """
    return (
        select(Reply)
        .join(Account, Account.id == Reply.account_id)
        .where(
            or_(Reply.state == "unknown", (Reply.state == "posted") & Reply.visible.is_(False)),
            Reply.due_at <= now,
            or_(Reply.claim.is_(None), Reply.claim_until < now),
            or_(and_(*_may_speak(now)), and_(Account.deleted_at.is_not(None), Reply.state == "unknown")),
        )
    )


async def due_for_a_look(session: Session, *, now: datetime) -> Reply | None:
    """The one of them that has waited longest."""
    query = (
        due_for_a_look_query(now=now)
        .order_by(Reply.due_at, Reply.id)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True, of=Reply)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def of_loop(session: Session, loop_id: int) -> Sequence[Reply]:
    """A loop's replies, oldest first."""
    return (await session.execute(select(Reply).where(Reply.loop_id == loop_id).order_by(Reply.id))).scalars().all()


async def of_post(session: Session, post_id: int) -> Sequence[Reply]:
    """All that answers a post, said or not."""
    query = select(Reply).where(Reply.post_id == post_id).order_by(Reply.id)
    return (await session.execute(query.with_for_update(key_share=True))).scalars().all()


Told = Row[int, int | None, datetime | None]
"""A loop's id, the shipment that its customer was told of, and when."""


async def told_of(session: Session, shipment_ids: Sequence[int]) -> Sequence[Told]:
    """Who was told of these shipments."""
    query = select(Reply.loop_id, Reply.shipment_id, Reply.posted_at).where(
        Reply.shipment_id.in_(shipment_ids), Reply.slot == "fixed", Reply.state == "posted"
    )
    return (await session.execute(query)).all()


async def unspoken_of_issue(session: Session, issue_id: int) -> Sequence[Reply]:
    """What waits to be said to those who wait for an issue."""
    query = (
        select(Reply)
        .join(Loop, Loop.id == Reply.loop_id)
        .join(Link, Link.loop_id == Loop.id)
        .where(
            Link.issue_id == issue_id,
            Link.until.is_(None),
            Reply.round == Loop.round,
            Reply.state.in_(("draft", "awaiting_approval", "scheduled", "held")),
        )
        .order_by(Reply.id)
        .with_for_update(key_share=True, of=Reply)
    )
    return (await session.execute(query)).scalars().all()


async def automatic_of_issue(session: Session, issue_id: int, *, slot: str) -> dict[int, Reply]:
    """The present round's automatic reply of a kind of each loop that is linked to an issue, by loop."""
    query = (
        select(Reply)
        .join(Loop, Loop.id == Reply.loop_id)
        .join(Link, Link.loop_id == Loop.id)
        .where(
            Link.issue_id == issue_id,
            Link.until.is_(None),
            Reply.round == Loop.round,
            Reply.slot == slot,
            Reply.written_by.is_(None),
        )
        .with_for_update(key_share=True, of=Reply)
    )
    return {row.loop_id: row for row in (await session.execute(query)).scalars()}


async def unspoken_of_account(session: Session, account_id: int) -> Sequence[Reply]:
    """What waits to be said through an account."""
    query = select(Reply).where(
        Reply.account_id == account_id, Reply.state.in_(("draft", "awaiting_approval", "scheduled"))
    )
    return (await session.execute(query.with_for_update(key_share=True))).scalars().all()


async def wait_to_be_said(session: Session, account_id: int) -> bool:
    """Whether anything goes out through an account by itself, so that it will be seen whether it may speak."""
    query = select(Reply.id).where(Reply.account_id == account_id, Reply.state.in_(("scheduled", "sending", "unknown")))
    return (await session.execute(query.limit(1))).scalar_one_or_none() is not None


async def hurry(session: Session, account_id: int, *, now: datetime) -> None:
    """What could not be said, or found, through an account is tried at once, not when its growing wait is over."""
    await session.execute(
        update(Reply)
        .where(Reply.account_id == account_id, Reply.state == "scheduled", Reply.failures > 0, Reply.due_at > now)
        .values(due_at=now, failures=0, failing_since=None)
    )
    await session.execute(
        update(Reply)
        .where(Reply.account_id == account_id, Reply.state == "unknown", Reply.failures > 0, Reply.due_at > now)
        .values(due_at=now)
    )


async def attempts(session: Session, reply_id: int) -> Sequence[Attempt]:
    """Every try to say a reply, first to last."""
    query = select(Attempt).where(Attempt.reply_id == reply_id).order_by(Attempt.number, Attempt.id)
    return (await session.execute(query)).scalars().all()


async def last_attempt(session: Session, reply_id: int) -> Attempt | None:
    """The try that was begun last."""
    return (await last_attempts(session, [reply_id])).get(reply_id)


async def last_attempts(session: Session, reply_ids: Sequence[int]) -> dict[int, Attempt]:
    """The try that was begun last, for each of these replies."""
    last = select(func.max(Attempt.id)).where(Attempt.reply_id.in_(reply_ids)).group_by(Attempt.reply_id)
    query = select(Attempt).where(Attempt.id.in_(last))
    return {row.reply_id: row for row in (await session.execute(query)).scalars()}


async def untaken_tasks(session: Session, account_id: int) -> Sequence[int]:
    """The ids of what waits for a person to post it through an account, and that nobody has taken."""
    query = select(Reply.id).where(
        Reply.account_id == account_id, Reply.hand_at.is_not(None), Reply.hand_by.is_(None), Reply.state == "held"
    )
    return (await session.execute(query.order_by(Reply.id))).scalars().all()


async def count_tasks(session: Session) -> int:
    """How many replies wait for a person to post them."""
    return (await session.execute(select(func.count()).where(Reply.hand_at.is_not(None)))).scalar_one()


async def follow_post(session: Session, post_id: int, *, account_id: int, canonical_id: str) -> None:
    """The post has another name now, and what answers it hangs on that; what waits is said through this account."""
    await session.execute(update(Reply).where(Reply.post_id == post_id).values(parent_canonical_id=canonical_id))
    await session.execute(
        update(Reply)
        .where(
            Reply.post_id == post_id,
            Reply.state.in_(("draft", "awaiting_approval", "scheduled", "held", "refused", "cancelled")),
        )
        .values(account_id=account_id)
    )


async def page(
    session: Session, *, state: str | None, before: int | None, limit: int, tasks: bool = False
) -> Sequence[Reply]:
    """Replies, newest first, below the id `before`; `tasks` are those that a person is to post."""
    query = select(Reply)
    if tasks:
        query = query.where(Reply.hand_at.is_not(None))
    if state:
        query = query.where(Reply.state == state)
    if before:
        query = query.where(Reply.id < before)
    return (await session.execute(query.order_by(Reply.id.desc()).limit(limit))).scalars().all()


async def count_by_state(session: Session) -> dict[str, int]:
    """How many replies are in each state."""
    return {row[0]: row[1] for row in await session.execute(select(Reply.state, func.count()).group_by(Reply.state))}


async def next_slot(session: Session, *, loop_id: int, round_: int, kind: str) -> str:
    """A free slot for words a person writes."""
    query = select(func.count()).where(
        Reply.loop_id == loop_id, Reply.round == round_, Reply.kind == kind, Reply.written_by.is_not(None)
    )
    return f"{kind}/{(await session.execute(query)).scalar_one() + 1}"


async def voice(session: Session) -> Voice | None:
    """The switch of the public voice."""
    return await session.get(Voice, 1)


async def is_voice_on(session: Session) -> bool:
    """Whether anything may be said in public at all."""
    row = await session.get(Voice, 1)
    return row is None or row.is_on


async def turn_voice(session: Session, *, on: bool, by: str, now: datetime) -> None:
    """Turn the public voice on or off, for every process."""
    row = (
        await session.execute(select(Voice).where(Voice.id == 1).with_for_update(key_share=True))
    ).scalar_one_or_none()
    if row is None:
        session.add(Voice(id=1, is_on=on, changed_at=now, changed_by=by))
    else:
        row.is_on, row.changed_at, row.changed_by = on, now, by

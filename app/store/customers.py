"""Customers: the people behind identities, what they were told, and who wants no automatic word."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, or_, select, update

from app.store.session import Session
from app.store.tables import Account, Customer, Event, Identity, Issue, Link, Loop, Post, Reply, Shipment

TELLS = ("awaiting_approval", "scheduled", "sending", "unknown", "posted")
"""States of a reply that tells somebody, or is on its way to."""

Shown = Sequence[Row[*tuple[Any, ...]]]

Telling = Row[*tuple[Any, ...]]
"""A reply that tells a customer of a fix, with its loop and what it tells."""


async def lock(session: Session, customer_ids: Collection[int]) -> dict[int, Customer]:
    """These customers as they are now, kept from every other writer; in the order of their ids.

    Of all locks they come second: after the loops, before the replies.
    """
    query = (
        select(Customer)
        .where(Customer.id.in_(sorted(customer_ids)))
        .order_by(Customer.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in (await session.execute(query)).scalars()}


async def of_loops(session: Session, loop_ids: Collection[int]) -> dict[int, Identity]:
    """Whose loop each of these is, as it is now."""
    query = (
        select(Loop.id, Identity)
        .join(Identity, Identity.id == Loop.identity_id)
        .where(Loop.id.in_(loop_ids))
        .execution_options(populate_existing=True)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def behind_answers(session: Session, posts: Collection[Post], loops: Collection[Loop]) -> set[int]:
    """The customers who wrote these posts, or whose loops these are."""
    wanted = {*(post.identity_id for post in posts), *(loop.identity_id for loop in loops)}
    return set((await session.execute(select(Identity.customer_id).where(Identity.id.in_(wanted)))).scalars())


async def identities(session: Session, customer_id: int) -> Sequence[Identity]:
    """A customer's identities as they are now, the one that was known first before the others."""
    query = select(Identity).where(Identity.customer_id == customer_id).order_by(Identity.id)
    return (await session.execute(query.execution_options(populate_existing=True))).scalars().all()


async def identities_of(session: Session, customer_ids: Collection[int]) -> dict[int, list[Identity]]:
    """The identities of several customers."""
    query = select(Identity).where(Identity.customer_id.in_(customer_ids)).order_by(Identity.id)
    found: dict[int, list[Identity]] = {}
    for row in (await session.execute(query)).scalars():
        found.setdefault(row.customer_id, []).append(row)
    return found


async def identity(session: Session, identity_id: int) -> Identity | None:
    """One identity as it is now."""
    query = select(Identity).where(Identity.id == identity_id).execution_options(populate_existing=True)
    return (await session.execute(query)).scalar_one_or_none()


async def joined_into(session: Session, customer_id: int) -> int | None:
    """The customer to whom the identities of this one were joined."""
    query = select(Identity.customer_id).where(Identity.joined_from == customer_id).order_by(Identity.id).limit(1)
    return (await session.execute(query)).scalar_one_or_none()


async def add(session: Session, *, now: datetime) -> Customer:
    """Somebody new."""
    row = Customer(created_at=now, unsettled=False)
    session.add(row)
    await session.flush()
    return row


async def is_nobody(session: Session, customer_id: int) -> bool:
    """Whether no identity is this customer's any more."""
    return (
        await session.execute(select(Identity.id).where(Identity.customer_id == customer_id).limit(1))
    ).first() is None


def unsettled_query() -> Select[Customer]:
    """Customers who were joined, parted, silenced or let speak again, and whose loops have not followed yet."""
    return select(Customer).where(Customer.unsettled)


async def unsettled(session: Session) -> int | None:
    """One of them; not locked, because loops are locked first."""
    found = (await session.execute(unsettled_query().order_by(Customer.id).limit(1))).scalar_one_or_none()
    return found.id if found is not None else None


async def loop_ids(session: Session, customer_id: int) -> Sequence[int]:
    """The loops of all of a customer's identities."""
    query = select(Loop.id).join(Identity, Identity.id == Loop.identity_id).where(Identity.customer_id == customer_id)
    return (await session.execute(query.order_by(Loop.id))).scalars().all()


async def unspoken(session: Session, loop_ids: Collection[int]) -> Sequence[Reply]:
    """What waits to be said by itself in the present rounds of these loops."""
    query = (
        select(Reply)
        .join(Loop, Loop.id == Reply.loop_id)
        .where(
            Reply.loop_id.in_(loop_ids),
            Reply.round == Loop.round,
            Reply.written_by.is_(None),
            Reply.state.in_(("draft", "awaiting_approval", "scheduled", "held", "refused")),
        )
        .order_by(Reply.id)
        .with_for_update(key_share=True, of=Reply)
    )
    return (await session.execute(query)).scalars().all()


async def tellings(session: Session, customer_ids: Collection[int]) -> Sequence[Telling]:
    """Every reply that tells one of these customers of a fix, or is on its way to, in whichever thread."""
    query = (
        select(
            Identity.customer_id,
            Reply,
            Loop,
            Link.issue_id,
            Shipment.platform,
            Shipment.digest,
        )
        .join(Loop, Loop.id == Reply.loop_id)
        .join(Identity, Identity.id == Loop.identity_id)
        .join(Link, (Link.loop_id == Loop.id) & Link.until.is_(None))
        .outerjoin(Shipment, Shipment.id == Reply.shipment_id)
        .where(Identity.customer_id.in_(customer_ids), Reply.kind == "fixed", Reply.state.in_(TELLS))
        .order_by(Reply.id)
    )
    return (await session.execute(query)).all()


async def complaints(session: Session, loop_ids: Collection[int]) -> Shown:
    """What was said in these loops that is no answer to us, first to last."""
    query = select(Post.loop_id, Post.channel, Post.came_by, Post.text).where(
        Post.loop_id.in_(loop_ids), Post.answers_reply_id.is_(None)
    )
    return (await session.execute(query.order_by(Post.id))).all()


def told_elsewhere_query() -> Select[Loop]:
    """Loops whose person was being told elsewhere, and the reply that did it has ended in one way or another."""
    return (
        select(Loop)
        .join(Reply, Reply.id == Loop.waits_on)
        .where(Loop.waits_on.is_not(None), Reply.state.in_(("posted", "refused", "cancelled")))
    )


async def told_elsewhere(session: Session, *, limit: int) -> Sequence[Loop]:
    """The same, each for one caller."""
    query = told_elsewhere_query().order_by(Loop.id).limit(limit)
    return (await session.execute(query.with_for_update(key_share=True, skip_locked=True, of=Loop))).scalars().all()


async def page(
    session: Session, *, q: str | None, suppressed: bool | None, before: int | None, limit: int
) -> list[int]:
    """The ids of customers, newest first, below the id `before`; `q` is part of a handle, name or address."""
    query = select(Identity.customer_id).distinct()
    if q:
        query = query.where(_called(q))
    if suppressed is not None:
        query = query.where(Identity.suppressed_at.is_not(None) if suppressed else Identity.suppressed_at.is_(None))
    if before:
        query = query.where(Identity.customer_id < before)
    rows = await session.execute(query.order_by(Identity.customer_id.desc()).limit(limit))
    return list(rows.scalars())


def _called(q: str) -> Any:
    words = q.strip().lstrip("@").lower()
    return or_(
        func.lower(Identity.handle).contains(words, autoescape=True),
        func.lower(Identity.name).contains(words, autoescape=True),
        func.lower(Identity.url).contains(words, autoescape=True),
    )


async def likes_of(
    session: Session, customer_id: int, *, begins: Collection[str], names: Collection[str], urls: Collection[str]
) -> Sequence[Identity]:
    """Other people's identities whose handle begins so, who are called so or who name this address; never a guest's."""
    if not begins and not names and not urls:
        return ()
    query = (
        select(Identity)
        .where(
            Identity.customer_id != customer_id,
            Identity.weak.is_(False),
            or_(
                *(func.lower(Identity.handle).startswith(one, autoescape=True) for one in sorted(begins)),
                func.lower(Identity.name).in_(sorted(names)),
                Identity.url.in_(sorted(urls)),
            ),
        )
        .order_by(Identity.id.desc())
        .limit(50)
    )
    return (await session.execute(query)).scalars().all()


async def posts(
    session: Session, customer_id: int, *, before: int | None, limit: int
) -> Sequence[tuple[Post, Identity]]:
    """What a customer wrote to us anywhere, newest first, below the id `before`."""
    query = (
        select(Post, Identity)
        .join(Identity, Identity.id == Post.identity_id)
        .where(Identity.customer_id == customer_id)
    )
    if before:
        query = query.where(Post.id < before)
    rows = await session.execute(query.order_by(Post.id.desc()).limit(limit))
    return [(row[0], row[1]) for row in rows]


async def loops(session: Session, customer_id: int, *, before: int | None, limit: int) -> Shown:
    """A customer's loops with the issue each waits for, newest first, below the id `before`."""
    query = (
        select(
            Loop, Identity, Issue.id.label("issue_id"), Issue.ref.label("issue_ref"), Issue.title.label("issue_title")
        )
        .join(Identity, Identity.id == Loop.identity_id)
        .outerjoin(Link, (Link.loop_id == Loop.id) & Link.until.is_(None))
        .outerjoin(Issue, Issue.id == Link.issue_id)
        .where(Identity.customer_id == customer_id)
    )
    if before:
        query = query.where(Loop.id < before)
    return (await session.execute(query.order_by(Loop.id.desc()).limit(limit))).all()


async def told(session: Session, customer_id: int, *, before: int | None, limit: int) -> Shown:
    """What a customer was told in public, with the account that spoke, newest first, below the id `before`."""
    query = (
        select(Reply, Account.name.label("account_name"))
        .join(Loop, Loop.id == Reply.loop_id)
        .join(Identity, Identity.id == Loop.identity_id)
        .join(Account, Account.id == Reply.account_id)
        .where(Identity.customer_id == customer_id, Reply.state == "posted")
    )
    if before:
        query = query.where(Reply.id < before)
    return (await session.execute(query.order_by(Reply.id.desc()).limit(limit))).all()


async def history(session: Session, customer_id: int) -> Sequence[Event]:
    """What happened to a customer, oldest first, as far as its newest hundred entries go."""
    query = select(Event).where(Event.customer_id == customer_id).order_by(Event.id.desc()).limit(100)
    return (await session.execute(query)).scalars().all()[::-1]


async def mark_unsettled(session: Session, customer_id: int) -> None:
    """Their loops have to follow."""
    await session.execute(update(Customer).where(Customer.id == customer_id).values(unsettled=True))

"""Issues, what ships them, and the work that is due on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, literal_column, or_, select, update

from app.store.accounts import proven_by_query
from app.store.locking import locked
from app.store.loops import WAITING, is_waiting
from app.store.session import Session
from app.store.tables import Account, Issue, Link, Loop, Notice, Shipment, Tracker

Work = Literal["create", "look", "block", "pull"]


async def lock(session: Session, issue_id: int) -> Issue | None:
    """One issue as it is now, kept from every other writer until the transaction ends."""
    return (await locked(session, Issue, [issue_id])).get(issue_id)


async def by_remote_id(session: Session, *, tracker_id: int, remote_id: str) -> Issue | None:
    """The issue a tracker knows by this immutable id."""
    query = select(Issue).where(Issue.tracker_id == tracker_id, Issue.remote_id == remote_id)
    return (await session.execute(query)).scalar_one_or_none()


async def present_shipment(session: Session, issue_id: int, *, platform: str) -> Shipment | None:
    """What stands for a customer on this platform (empty where it is not known: the whole product), or None."""
    return (await present_shipments(session, [issue_id])).get((issue_id, platform))


async def present_shipments(session: Session, issue_ids: Sequence[int]) -> dict[tuple[int, str], Shipment]:
    """What stands, by issue and platform; the empty platform is the whole product."""
    query = select(Shipment).where(Shipment.issue_id.in_(issue_ids), Shipment.withdrawn_at.is_(None))
    return {(row.issue_id, row.platform): row for row in (await session.execute(query)).scalars()}


async def shipments_of(session: Session, issue_id: int) -> Sequence[Shipment]:
    """Every verdict on an issue, also those that were withdrawn, oldest first."""
    query = select(Shipment).where(Shipment.issue_id == issue_id).order_by(Shipment.id)
    return (await session.execute(query)).scalars().all()


async def loop_ids_of(session: Session, issue_ids: Sequence[int]) -> dict[int, list[int]]:
    """The loops linked to each of these issues now."""
    query = select(Link.issue_id, Link.loop_id).where(Link.issue_id.in_(issue_ids), Link.until.is_(None))
    found: dict[int, list[int]] = {}
    for issue_id, loop_id in await session.execute(query.order_by(Link.loop_id)):
        found.setdefault(issue_id, []).append(loop_id)
    return found


def _is_due(work: Work, now: datetime) -> ColumnElement[bool]:
    free = or_(Issue.claim.is_(None), Issue.claim_until < now)
    if work == "create":
        # A literal, so that both databases use the index that holds only these issues.
        return and_(free, Issue.state == literal_column("'creating'"), Issue.create_at <= now)
    if work == "look":
        return and_(
            free,
            Issue.remote_id.is_not(None),
            Issue.look_wanted > Issue.look_done,
            or_(Issue.look_at.is_(None), Issue.look_at <= now),
        )
    if work == "pull":
        nowhere: ColumnElement[str] = literal_column("''")
        return and_(
            free,
            Issue.state != "creating",
            Issue.pull_wanted > Issue.pull_done,
            or_(Issue.pull_url != nowhere, Issue.pull_on != nowhere),
            or_(Issue.pull_at.is_(None), Issue.pull_at <= now),
        )
    return and_(
        free,
        Issue.state.in_(("open", "closed")),
        Issue.block_wanted > Issue.block_done,
        or_(Issue.block_at.is_(None), Issue.block_at <= now),
    )


def due_query(work: Work, *, now: datetime) -> Select[Issue]:
    """Issues on which this work is due and nobody else is working; none of a tracker that asks us to be quiet."""
    return (
        select(Issue)
        .join(Tracker, Tracker.id == Issue.tracker_id)
        .where(
            Tracker.deleted_at.is_(None),
            or_(Tracker.resume_at.is_(None), Tracker.resume_at <= now),
            _is_due(work, now),
        )
    )


async def due(session: Session, work: Work, *, now: datetime) -> Issue | None:
    """The one of them that comes first."""
    query = (
        due_query(work, now=now)
        .order_by(Issue.look_at.nulls_first() if work == "look" else Issue.id)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True, of=Issue)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def claimed(session: Session, issue_id: int, token: str) -> Issue | None:
    """The issue, if this claim on it still stands."""
    query = select(Issue).where(Issue.id == issue_id, Issue.claim == token).with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one_or_none()


async def want_look(session: Session, issue_id: int) -> None:
    """Ask for a new look at one issue."""
    await session.execute(
        update(Issue).where(Issue.id == issue_id).values(look_wanted=Issue.look_wanted + 1, look_at=None)
    )


async def want_looks(session: Session, *, tracker_id: int, remote_ids: Sequence[str]) -> frozenset[str | None]:
    """Ask for a new look at these issues, as far as anybody here knows them. Returns those."""
    if not remote_ids:
        return frozenset()
    found = await session.execute(
        update(Issue)
        .where(Issue.tracker_id == tracker_id, Issue.remote_id.in_(remote_ids))
        .values(look_wanted=Issue.look_wanted + 1, look_at=None)
        .returning(Issue.remote_id)
    )
    return frozenset(found.scalars())


async def want_looks_at_watched(session: Session, *, tracker_id: int, told_after: datetime) -> int:
    """Ask for a new look at each issue that somebody waits for, or was told of since `told_after`.

    Also at those of the trackers whose code this one holds: what happens here proves them.
    """
    watched = (
        select(Link.issue_id)
        .join(Loop, Loop.id == Link.loop_id)
        .where(
            Link.until.is_(None),
            or_(
                Loop.state.in_((*WAITING, "declined")),
                and_(Loop.state.in_(("told", "verified")), Loop.told_at > told_after),
            ),
        )
    )
    found = await session.execute(
        update(Issue)
        .where(
            or_(
                Issue.tracker_id == tracker_id,
                Issue.tracker_id.in_(proven_by_query(tracker_id).with_only_columns(Tracker.id)),
            ),
            Issue.state != "creating",
            Issue.id.in_(watched),
        )
        .values(look_wanted=Issue.look_wanted + 1, look_at=None)
        .returning(Issue.id)
    )
    return len(found.all())


async def want_block_for_loops(session: Session, loop_ids: Sequence[int]) -> None:
    """Who waits has changed: what engineers see is due on the issues that these loops are linked to.

    One issue after the other, in the order of their ids, so that no two transactions wait for each other.
    """
    linked = select(Link.issue_id).where(Link.loop_id.in_(loop_ids), Link.until.is_(None)).distinct()
    for issue_id in sorted((await session.execute(linked)).scalars()):
        await session.execute(
            update(Issue)
            .where(Issue.id == issue_id)
            .values(block_wanted=Issue.block_wanted + 1, pull_wanted=Issue.pull_wanted + 1)
        )


async def want_pulls(session: Session, *, tracker_id: int | None = None) -> None:
    """What is said on pull requests may have changed: of one tracker's issues, or of all."""
    query = update(Issue).where(or_(Issue.pull_url != "", Issue.pull_on != ""))
    if tracker_id is not None:
        query = query.where(Issue.tracker_id == tracker_id)
    await session.execute(query.values(pull_wanted=Issue.pull_wanted + 1))


async def unlooked(session: Session, *, tracker_id: int) -> Sequence[int]:
    """Ids of the tracker's issues on which a look is due."""
    query = select(Issue.id).where(
        Issue.tracker_id == tracker_id, Issue.state != "creating", Issue.look_wanted > Issue.look_done
    )
    return (await session.execute(query.order_by(Issue.id))).scalars().all()


async def count_waiting(session: Session, issue_ids: Sequence[int]) -> dict[int, int]:
    """How many loops wait for each of these issues."""
    query = (
        select(Link.issue_id, func.count())
        .join(Loop, Loop.id == Link.loop_id)
        .where(Link.issue_id.in_(issue_ids), Link.until.is_(None), is_waiting())
        .group_by(Link.issue_id)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


def _waiting() -> Subquery:
    """How many loops wait for each issue that any waits for."""
    return (
        select(Link.issue_id, func.count().label("waiting"))
        .join(Loop, Loop.id == Link.loop_id)
        .where(Link.until.is_(None), is_waiting())
        .group_by(Link.issue_id)
        .subquery()
    )


async def waited_for(session: Session, *, tracker_id: int, limit: int) -> tuple[Sequence[Issue], int]:
    """The tracker's issues with the most people waiting first, and how many there are in all."""
    waiting = _waiting()
    query = (
        select(Issue, func.count().over())
        .join(waiting, waiting.c.issue_id == Issue.id)
        .where(Issue.tracker_id == tracker_id, Issue.remote_id.is_not(None))
        .order_by(waiting.c.waiting.desc(), Issue.id)
        .limit(limit)
    )
    rows = (await session.execute(query)).all()
    return [row[0] for row in rows], rows[0][1] if rows else 0


async def page(session: Session, *, after: int, limit: int) -> Sequence[Issue]:
    """Issues in the order they came."""
    query = select(Issue).where(Issue.id > after).order_by(Issue.id).limit(limit)
    return (await session.execute(query)).scalars().all()


async def page_by_waiting(
    session: Session, *, after: tuple[int, int] | None, limit: int
) -> Sequence[tuple[Issue, int]]:
    """Issues with the most people waiting first, each with how many; `after` is the count and id of the last one seen."""
    waiting = _waiting()
    count = func.coalesce(waiting.c.waiting, 0)
    query = select(Issue, count).outerjoin(waiting, waiting.c.issue_id == Issue.id)
    if after is not None:
        query = query.where(or_(count < after[0], and_(count == after[0], Issue.id > after[1])))
    rows = await session.execute(query.order_by(count.desc(), Issue.id).limit(limit))
    return [(row[0], row[1]) for row in rows]


async def open_titles(session: Session, *, limit: int) -> dict[int, str]:
    """Titles of the issues a new post may be about, by id: the ones that came last."""
    query = select(Issue.id, Issue.title).where(Issue.state.in_(("open", "closed"))).order_by(Issue.id.desc())
    return {row[0]: row[1] for row in await session.execute(query.limit(limit))}


async def by_ids(session: Session, issue_ids: Sequence[int]) -> dict[int, Issue]:
    """These issues, by id."""
    query = select(Issue).where(Issue.id.in_(issue_ids))
    return {row.id: row for row in (await session.execute(query)).scalars()}


async def loop_ids(session: Session, issue_id: int) -> Sequence[int]:
    """Ids of the loops linked to an issue now."""
    query = select(Link.loop_id).where(Link.issue_id == issue_id, Link.until.is_(None)).order_by(Link.loop_id)
    return (await session.execute(query)).scalars().all()


def due_notice_query(*, now: datetime) -> Select[Notice]:
    """Notifying comments that are due and that nobody is making."""
    return (
        select(Notice)
        .join(Issue, Issue.id == Notice.issue_id)
        .join(Tracker, Tracker.id == Issue.tracker_id)
        .where(
            Notice.state == "due",
            Notice.due_at <= now,
            Issue.state != "creating",  # one that is gone refuses the comment, and then a person is asked
            Tracker.deleted_at.is_(None),
            or_(Tracker.resume_at.is_(None), Tracker.resume_at <= now),
            or_(Notice.claim.is_(None), Notice.claim_until < now),
        )
    )


async def due_notice(session: Session, *, now: datetime) -> Notice | None:
    """The oldest of them."""
    query = (
        due_notice_query(now=now)
        .order_by(Notice.id)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True, of=Notice)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def notices_of(session: Session, loop_ids: Sequence[int]) -> Sequence[Notice]:
    """All that engineers were told, or will be, about these loops."""
    query = select(Notice).where(Notice.loop_id.in_(loop_ids)).order_by(Notice.id).with_for_update(key_share=True)
    return (await session.execute(query)).scalars().all()


async def ever_linked(session: Session, loop_ids: Sequence[int]) -> Sequence[int]:
    """The ids of the issues that these loops wait for, or waited for."""
    query = select(Link.issue_id).where(Link.loop_id.in_(loop_ids)).distinct()
    return sorted((await session.execute(query)).scalars())


async def claimed_notice(session: Session, notice_id: int, token: str) -> Notice | None:
    """The notice, if this claim on it still stands."""
    query = select(Notice).where(Notice.id == notice_id, Notice.claim == token).with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one_or_none()


def claim_for(row: Issue | Notice, *, token: str, now: datetime, lease: timedelta) -> None:
    """Nobody else works on it until the lease is over."""
    row.claim, row.claim_until = token, now + lease


async def accounts_of(session: Session, issue_id: int) -> Sequence[Account]:
    """The accounts through which people wait for an issue."""
    query = (
        select(Account)
        .distinct()
        .join(Loop, Loop.channel == Account.channel)
        .join(Link, Link.loop_id == Loop.id)
        .where(Link.issue_id == issue_id, Link.until.is_(None), Account.deleted_at.is_(None))
    )
    return (await session.execute(query)).scalars().all()

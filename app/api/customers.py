"""Customers: the same person on several channels, what they were told, and whether they may be answered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from app.api import paging, shapes, views
from app.api.access import Anyone, Approval, RiverDep, Triage
from app.api.values import PathId, keepable
from app.steps import customers as steps
from app.steps.river import River
from app.store import customers

router = APIRouter(prefix="/customers", tags=["customers"])


@router.get("")
async def list_customers(
    river: RiverDep,
    _caller: Anyone,
    q: Annotated[
        str | None,
        Query(max_length=200, description="Part of a handle, a name or a profile's address."),
        AfterValidator(keepable),
    ] = None,
    suppressed: Annotated[bool | None, Query(description="Only those who must not be answered automatically.")] = None,
    limit: paging.Limit = 50,
    cursor: paging.Cursor = None,
) -> paging.Page[shapes.CustomerBrief]:
    """Customers with their identities, those who came last first."""
    async with river.db.read() as session:
        found = await customers.page(session, q=q, suppressed=suppressed, before=paging.read(cursor), limit=limit + 1)
        shown, more = paging.cut(found, limit)
        identities = await customers.identities_of(session, shown)
    return paging.Page(
        items=[views.customer_brief(number, identities[number]) for number in shown],
        next=paging.write(shown[-1]) if more else None,
    )


@router.get("/{customer_id}")
async def show_a_customer(river: RiverDep, _caller: Anyone, customer_id: PathId) -> shapes.CustomerOut:
    """One customer: identities, the newest of their posts and loops and of what they were told, and their history."""
    return await _whole(river, customer_id)


async def _whole(river: River, customer_id: int) -> shapes.CustomerOut:
    async with river.db.read() as session:
        return await views.whole_customer(session, customer_id)


@router.get("/{customer_id}/posts")
async def posts_of_a_customer(
    river: RiverDep, _caller: Anyone, customer_id: PathId, limit: paging.Limit = 50, cursor: paging.Cursor = None
) -> paging.Page[shapes.PostOut]:
    """What a customer wrote to us on any channel, newest first."""
    async with river.db.read() as session:
        await views.check_customer(session, customer_id)
        rows = await customers.posts(session, customer_id, before=paging.read(cursor), limit=limit + 1)
    return paging.page(rows, limit, show=lambda row: views.post(*row), position=lambda row: row[0].id)


@router.get("/{customer_id}/loops")
async def loops_of_a_customer(
    river: RiverDep, _caller: Anyone, customer_id: PathId, limit: paging.Limit = 50, cursor: paging.Cursor = None
) -> paging.Page[shapes.LoopBrief]:
    """A customer's loops on any channel, newest first."""
    async with river.db.read() as session:
        await views.check_customer(session, customer_id)
        rows = await customers.loops(session, customer_id, before=paging.read(cursor), limit=limit + 1)
    return paging.page(rows, limit, show=lambda row: views.loop_brief(row.Loop), position=lambda row: row.Loop.id)


@router.get("/{customer_id}/told")
async def what_a_customer_was_told(
    river: RiverDep, _caller: Anyone, customer_id: PathId, limit: paging.Limit = 50, cursor: paging.Cursor = None
) -> paging.Page[shapes.ReplyBrief]:
    """What a customer was told in public on any channel, newest first."""
    async with river.db.read() as session:
        await views.check_customer(session, customer_id)
        rows = await customers.told(session, customer_id, before=paging.read(cursor), limit=limit + 1)
    return paging.page(rows, limit, show=lambda row: views.reply_brief(row.Reply), position=lambda row: row.Reply.id)


@router.post("/{customer_id}/identities")
async def join_an_identity(
    river: RiverDep, caller: Triage, customer_id: PathId, body: shapes.JoinIn
) -> shapes.CustomerOut:
    """The identity is this customer too, with whoever it was joined to. Joining twice is fine; a guest is never joined."""
    await steps.join(river, customer_id, body.identity_id, actor=caller.name)
    return await _whole(river, customer_id)


@router.delete("/{customer_id}/identities/{identity_id}")
async def part_an_identity(
    river: RiverDep, caller: Triage, customer_id: PathId, identity_id: PathId
) -> shapes.CustomerOut:
    """The identity is somebody else after all. Answers with the customer that it is now; an opt-out stays with both."""
    own = await steps.part(river, customer_id, identity_id, actor=caller.name)
    return await _whole(river, own)


@router.post("/{customer_id}/suppress")
async def suppress_a_customer(
    river: RiverDep, caller: Triage, customer_id: PathId, body: shapes.SuppressIn
) -> shapes.CustomerOut:
    """Nothing is said to this customer by itself any more, on no channel; what is on its way is taken back."""
    await steps.suppress(river, customer_id, why=body.why, actor=caller.name)
    return await _whole(river, customer_id)


@router.post("/{customer_id}/lift")
async def lift_a_suppression(river: RiverDep, caller: Approval, customer_id: PathId) -> shapes.CustomerOut:
    """The customer may be answered automatically again. Loops that shipped meanwhile wait for a person's word."""
    await steps.lift(river, customer_id, actor=caller.name)
    return await _whole(river, customer_id)

"""Replies: what is said in public, before and after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from app.api import paging, shapes, views
from app.api.access import Anyone, Approval, RiverDep, Triage
from app.api.values import PathId
from app.rules.progress import ReplyState
from app.steps import by_hand, post_by_hand
from app.store import replies

router = APIRouter(prefix="/replies", tags=["replies"])


@router.get("")
async def list_replies(
    river: RiverDep,
    _caller: Anyone,
    state: ReplyState | None = None,
    task: Annotated[bool, Query(description="Only those that a person is to post by hand.")] = False,
    limit: paging.Limit = 50,
    cursor: paging.Cursor = None,
) -> paging.Page[shapes.ReplyBrief]:
    """Replies, newest first."""
    async with river.db.read() as session:
        rows = await replies.page(session, state=state, tasks=task, before=paging.read(cursor), limit=limit + 1)
    return paging.page(rows, limit, show=views.reply_brief, position=lambda row: row.id)


@router.get("/{reply_id}")
async def show_a_reply(river: RiverDep, _caller: Anyone, reply_id: PathId) -> shapes.ReplyOut:
    """One reply: its exact text, its state with the reason, and every try to say it."""
    async with river.db.read() as session:
        return await views.whole_reply(river, session, reply_id)


@router.patch("/{reply_id}")
async def edit_a_reply(river: RiverDep, caller: Triage, reply_id: PathId, body: shapes.ReplyPatch) -> shapes.ReplyOut:
    """Put other words in its place. On an account in `approve` it is signed anew."""
    await by_hand.edit(river, reply_id, text=body.text, actor=caller.name)
    async with river.db.read() as session:
        return await views.whole_reply(river, session, reply_id)


Deed = Literal["approve", "hold", "release", "cancel", "retry"]
DEEDS: dict[Deed, Callable[..., Awaitable[None]]] = {
    "approve": by_hand.approve,
    "hold": by_hand.hold,
    "release": by_hand.release,
    "cancel": by_hand.cancel,
    "retry": by_hand.retry,
}


@router.post("/{reply_id}/take_over")
async def take_over_a_reply(river: RiverDep, caller: Triage, reply_id: PathId) -> shapes.ReplyOut:
    """Take it to post it by hand; the evidence is read once more, and no process says it from now on.

    What is a task already, anybody of support takes; any other reply only an approver. Where it is not to be posted: 409.
    """
    may_sign = caller.role in {"approver", "admin"}
    await post_by_hand.take_over(river, reply_id, actor=caller.name, may_sign=may_sign)
    async with river.db.read() as session:
        return await views.whole_reply(river, session, reply_id)


@router.post("/{reply_id}/posted")
async def say_that_a_reply_was_posted(
    river: RiverDep, caller: Triage, reply_id: PathId, body: shapes.PostedByHand | None = None
) -> shapes.ReplyOut:
    """'I posted it', or: I see it there. Said again, it counts once."""
    url = body.url if body is not None and body.url else ""
    await post_by_hand.record_posted(river, reply_id, actor=caller.name, url=url)
    async with river.db.read() as session:
        return await views.whole_reply(river, session, reply_id)


@router.post("/{reply_id}/not_posted")
async def give_a_reply_back(river: RiverDep, caller: Triage, reply_id: PathId) -> shapes.ReplyOut:
    """'I did not post it': it waits for somebody else, or goes out through its account again where that speaks."""
    await post_by_hand.give_back(river, reply_id, actor=caller.name)
    async with river.db.read() as session:
        return await views.whole_reply(river, session, reply_id)


@router.post("/{reply_id}/{deed}")
async def decide_on_a_reply(river: RiverDep, caller: Approval, reply_id: PathId, deed: Deed) -> shapes.ReplyOut:
    """Approve, hold, release, cancel or retry. Approving reads the evidence once more; where it is gone: 409."""
    await DEEDS[deed](river, reply_id, actor=caller.name)
    async with river.db.read() as session:
        return await views.whole_reply(river, session, reply_id)

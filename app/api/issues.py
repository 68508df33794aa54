"""Issues: work items in trackers, who waits for them, and whether they shipped."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from app.api import paging, shapes, views
from app.api.access import Anyone, Engineering, RiverDep
from app.api.values import PathId
from app.steps import by_hand
from app.store import issues

router = APIRouter(prefix="/issues", tags=["issues"])


@router.get("")
async def list_issues(
    river: RiverDep,
    _caller: Anyone,
    sort: Literal["id", "waiting"] = "id",
    limit: paging.Limit = 50,
    cursor: paging.Cursor = None,
) -> paging.Page[shapes.IssueOut]:
    """Issues as they came, or those with the most people waiting first."""
    async with river.db.read() as session:
        if sort == "waiting":
            ranked = await issues.page_by_waiting(session, after=paging.read_pair(cursor), limit=limit + 1)
            rows, waiting = [row for row, _ in ranked], {row.id: count for row, count in ranked}
        else:
            rows = list(await issues.page(session, after=paging.read(cursor) or 0, limit=limit + 1))
            waiting = await issues.count_waiting(session, [row.id for row in rows])
        shown, more = paging.cut(rows, limit)
        ids = [row.id for row in shown]
        shipments = await issues.present_shipments(session, ids)
        linked = await issues.loop_ids_of(session, ids)
    last = shown[-1].id if shown else 0
    following = paging.write_pair(waiting.get(last, 0), last) if sort == "waiting" else paging.write(last)
    return paging.Page(
        items=[
            views.issue(
                row, shipments.get((row.id, "")), waiting=waiting.get(row.id, 0), loop_ids=linked.get(row.id, [])
            )
            for row in shown
        ],
        next=following if more else None,
    )


@router.get("/{issue_id}")
async def show_an_issue(river: RiverDep, _caller: Anyone, issue_id: PathId) -> shapes.IssueOut:
    """One issue, with the proof that it shipped or what is still missing."""
    async with river.db.read() as session:
        return await views.whole_issue(session, issue_id)


@router.post("/{issue_id}/hold")
async def hold_an_issue(
    river: RiverDep, caller: Engineering, issue_id: PathId, body: shapes.Hold | None = None
) -> shapes.IssueOut:
    """Not for customers yet: behind a flag, in a partial rollout. Nothing about it goes out by itself."""
    await by_hand.hold_issue(river, issue_id, why=(body or shapes.Hold()).why, actor=caller.name)
    async with river.db.read() as session:
        return await views.whole_issue(session, issue_id)


@router.post("/{issue_id}/release")
async def release_an_issue(river: RiverDep, caller: Engineering, issue_id: PathId) -> shapes.IssueOut:
    """Customers may hear of it now."""
    await by_hand.release_issue(river, issue_id, actor=caller.name)
    async with river.db.read() as session:
        return await views.whole_issue(session, issue_id)

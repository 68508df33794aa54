"""Loops: one customer in one thread, waiting for a product change."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import AfterValidator

from app.api import paging, shapes, views
from app.api.access import Anyone, Approval, Caller, Notes, RiverDep, Triage
from app.api.problems import ProblemError
from app.api.values import PathId, keepable
from app.rules.progress import LoopState
from app.steps import by_hand, customers, hear_tracker, link
from app.steps.owe import owe_next
from app.steps.river import River
from app.store import issues, loops, workers
from app.store.session import SAME_MOMENT, Session
from app.store.tables import Issue, Loop, Post, Request

router = APIRouter(prefix="/loops", tags=["loops"])

BEING_MADE: dict[int | str, dict[str, Any]] = {
    202: {"model": shapes.LoopOut, "description": "The tracker does not answer; the issue is being made."}
}
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Asking again with the same key and body makes nothing twice and answers as the first time.",
    ),
    AfterValidator(lambda value: value if value is None else keepable(value)),
]

AT_ONCE = 3
"""How often a request is begun anew that another one overtook."""


@router.post("", status_code=201, responses=BEING_MADE)
async def open_a_loop(
    river: RiverDep, caller: Triage, body: shapes.NewLoop, response: Response, key: IdempotencyKey = None
) -> shapes.LoopOut:
    """Tag a post, with or without an issue: an existing one by `ref`, or a new one by `title` and `body`."""
    digest = hashlib.sha256(json.dumps(body.model_dump(), sort_keys=True).encode()).hexdigest()
    loop_id = await _asked_before(river, caller, key, digest)
    if loop_id is None:
        issue_id = await _find(river, body.issue)
        loop_id = await _open_at_once(river, caller, body, issue_id, key, digest)
    async with river.db.read() as session:
        issue = await loops.present_issue(session, loop_id)
    if issue is not None and issue.state == "creating" and not await link.create_issue(river, issue.id):
        response.status_code = 202
    elif issue is not None:
        await _look(river, issue.id)
    async with river.db.read() as session:
        return await views.whole_loop(session, loop_id)


async def _asked_before(river: River, caller: Caller, key: str | None, digest: str) -> int | None:
    if key is None:
        return None
    async with river.db.read() as session:
        earlier = await workers.earlier_request(session, token_id=caller.token_id, key=key)
    return None if earlier is None else _same(earlier, digest)


def _same(earlier: Request, digest: str) -> int | None:
    if earlier.digest != digest:
        raise ProblemError(422, "this Idempotency-Key came with another body before", pointer="/Idempotency-Key")
    return earlier.loop_id


async def _find(river: River, wanted: shapes.IssueRef | None) -> int | None:
    """The existing issue that is meant, read from its tracker before anything is changed here."""
    if wanted is None or wanted.ref is None:
        return None
    return await link.find_issue(river, tracker_id=wanted.tracker_id, ref=wanted.ref)


async def _open_at_once(
    river: River, caller: Caller, body: shapes.NewLoop, issue_id: int | None, key: str | None, digest: str
) -> int:
    """Two requests may tag one post at the same moment: whoever comes second finds the other's loop."""
    for _ in range(AT_ONCE - 1):
        with contextlib.suppress(*SAME_MOMENT):
            return await _open(river, caller, body, issue_id, key, digest)
    return await _open(river, caller, body, issue_id, key, digest)


async def _open(
    river: River, caller: Caller, body: shapes.NewLoop, issue_id: int | None, key: str | None, digest: str
) -> int:
    async with river.db.begin() as session:
        now = river.now()
        request: Request | None = None
        if key is not None:
            request, is_new = await workers.keep_request(
                session, token_id=caller.token_id, key=key, digest=digest, now=now
            )
            if not is_new and (loop_id := _same(request, digest)) is not None:
                return loop_id
        loop, _ = await link.open_loop(session, post_id=body.post_id, tags=body.tags, now=now, actor=caller.name)
        if body.issue is not None:
            await _link(session, river, loop, body, body.issue, issue_id, actor=caller.name)
        if request is not None:
            request.loop_id = loop.id
    river.wake("create_issues", "look_at_issues", "show_engineers")
    return loop.id


async def _link(
    session: Session,
    river: River,
    loop: Loop,
    body: shapes.NewLoop,
    wanted: shapes.IssueRef,
    issue_id: int | None,
    *,
    actor: str,
) -> None:
    present = await loops.present_issue(session, loop.id)
    if present is not None and present.id == issue_id:
        return
    if present is not None:
        raise link.ConflictError(
            f"loop {loop.id} waits for {present.ref or 'a new issue'} already; PUT /api/v1/loops/{loop.id}/issue changes that"
        )
    issue = await issues.lock(session, issue_id) if issue_id is not None else None
    if issue is None:
        post = await session.get(Post, body.post_id)
        if post is None:
            raise link.NotFoundError(f"there is no post {body.post_id}")
        issue = await link.draft_issue(
            session,
            tracker_id=wanted.tracker_id,
            title=wanted.title or "",
            body=wanted.body or "",
            post=post,
            now=river.now(),
            head_start=river.timing.apart,
        )
    await link.link_loop(session, loop, issue, now=river.now(), actor=actor)


async def _look(river: River, issue_id: int) -> None:
    """Let the loop move with what its issue is right now; a tracker that does not answer is looked at later."""
    await hear_tracker.look_at(river, issue_id)
    while await owe_next(river):
        pass


@router.get("")
async def list_loops(
    river: RiverDep,
    _caller: Anyone,
    state: LoopState | None = None,
    needs_person: bool = False,
    limit: paging.Limit = 50,
    cursor: paging.Cursor = None,
) -> paging.Page[shapes.LoopBrief]:
    """Loops, newest first; `needs_person` shows those that wait for somebody here."""
    async with river.db.read() as session:
        rows = await loops.page(
            session, state=state, before=paging.read(cursor), limit=limit + 1, needs_person=needs_person
        )
    return paging.page(rows, limit, show=views.loop_brief, position=lambda row: row.id)


@router.get("/{loop_id}")
async def show_a_loop(river: RiverDep, _caller: Anyone, loop_id: PathId) -> shapes.LoopOut:
    """One loop: its posts, its issue, its replies, its clock, and why it is where it is."""
    async with river.db.read() as session:
        return await views.whole_loop(session, loop_id)


@router.patch("/{loop_id}")
async def change_a_loop(river: RiverDep, caller: Triage, loop_id: PathId, body: shapes.LoopPatch) -> shapes.LoopOut:
    """Change tags, team or assignee, or move the loop by hand."""
    if body.state is not None:
        await by_hand.move_loop_by_hand(river, loop_id, state=body.state, actor=caller.name)
    changed = body.model_fields_set
    await by_hand.change_loop(
        river,
        loop_id,
        tags=(body.tags or []) if "tags" in changed else None,
        team=(body.team or "") if "team" in changed else None,
        assignee=(body.assignee or "") if "assignee" in changed else None,
        actor=caller.name,
    )
    async with river.db.read() as session:
        return await views.whole_loop(session, loop_id)


@router.post("/{loop_id}/notes", status_code=201)
async def write_a_note(river: RiverDep, caller: Notes, loop_id: PathId, body: shapes.NewNote) -> shapes.NoteOut:
    """Write something for colleagues; it never leaves Fullcircle."""
    note = await by_hand.note(river, loop_id, text=body.text, actor=caller.name)
    return views.note(note)


@router.post("/{loop_id}/replies", status_code=201)
async def write_a_reply(river: RiverDep, caller: Triage, loop_id: PathId, body: shapes.NewReply) -> shapes.ReplyOut:
    """Write to the customer yourself; on an account in `approve` it waits for an approver like any other."""
    reply_id = await by_hand.write(river, loop_id, text=body.text, kind=body.kind, actor=caller.name)
    async with river.db.read() as session:
        return await views.whole_reply(river, session, reply_id)


@router.post("/{loop_id}/tell")
async def tell_a_loop(river: RiverDep, caller: Approval, loop_id: PathId) -> shapes.LoopOut:
    """Let a shipped loop's customer be told that was left `untold`: you know better, or it is still news to them."""
    await customers.tell(river, loop_id, actor=caller.name)
    while await owe_next(river):
        pass
    async with river.db.read() as session:
        return await views.whole_loop(session, loop_id)


@router.put("/{loop_id}/issue", responses=BEING_MADE)
async def link_a_loop(
    river: RiverDep, caller: Triage, loop_id: PathId, body: shapes.IssueRef, response: Response
) -> shapes.LoopOut:
    """Let the loop wait for an issue: an existing one, or a new one."""
    issue_id = await _find(river, body)
    if issue_id is None:
        issue_id = await _link_to_new(river, loop_id, body, actor=caller.name)
    else:
        await by_hand.relink(river, loop_id, issue_id, actor=caller.name)
    async with river.db.read() as session:
        issue = await session.get(Issue, issue_id)
    if issue is not None and issue.state == "creating" and not await link.create_issue(river, issue_id):
        response.status_code = 202
    else:
        await _look(river, issue_id)
    async with river.db.read() as session:
        return await views.whole_loop(session, loop_id)


async def _link_to_new(river: River, loop_id: int, body: shapes.IssueRef, *, actor: str) -> int:
    """The draft and its link together: a draft nobody waits for would be made in the tracker all the same."""
    async with river.db.begin() as session:
        loop = await loops.lock(session, loop_id)
        post = await session.get(Post, loop.post_id) if loop else None
        if loop is None or post is None:
            raise link.NotFoundError(f"there is no loop {loop_id}")
        issue = await link.draft_issue(
            session,
            tracker_id=body.tracker_id,
            title=body.title or "",
            body=body.body or "",
            post=post,
            now=river.now(),
            head_start=river.timing.apart,
        )
        await link.link_loop(session, loop, issue, now=river.now(), actor=actor)
        return issue.id


@router.delete("/{loop_id}/issue")
async def unlink_a_loop(river: RiverDep, caller: Triage, loop_id: PathId) -> shapes.LoopOut:
    """Let the loop wait for nothing; what was going to be said about the issue is taken back."""
    await by_hand.relink(river, loop_id, None, actor=caller.name)
    async with river.db.read() as session:
        return await views.whole_loop(session, loop_id)

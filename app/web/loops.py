"""Loops: one customer in one thread, waiting for a product change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Response

from app.ports import OutsideError
from app.rules.facts import ReplyKind
from app.rules.progress import LoopState, can_loop_move
from app.steps import by_hand, customers, link
from app.steps.link import ConflictError, NotFoundError
from app.steps.owe import silence_of
from app.steps.river import platforms_of
from app.store import accounts, issues, loops, members, posts, shown
from app.store.tables import Account, Identity, Loop, Post, Tracker
from app.web import standing
from app.web.forms import NO_DRAFT, Draft, PageError, sentence
from app.web.replies import prices_of
from app.web.triage import MOST_CONNECTIONS, find_named, read_issue, read_tags, titles_of
from app.web.visit import Anyone, FromAnyone, FromApprover, FromTriage, Number, PageRoute, Visit

router = APIRouter(prefix="/loops", include_in_schema=False, route_class=PageRoute)

PAGE = 50
MAX_NOTE = 20_000

ByHand = Literal["dropped", "verified", "linked", "open", "reopened"]
MOVES: tuple[tuple[ByHand, str, str], ...] = (
    ("verified", "Close as verified", "The customer has the fix, and you know it from elsewhere."),
    ("dropped", "Drop", "Nothing more is said, and the loop waits for nothing."),
    ("reopened", "Still broken", "The fix does not help this customer: engineers are told, and the loop waits again."),
    ("open", "Take up again", "The loop waits again for its issue, or for one to be linked."),
)
KINDS: tuple[tuple[ReplyKind, str], ...] = (
    ("progress", "Progress: it is being worked on"),
    ("ack", "Acknowledgement: we have heard you"),
    ("outcome", "Outcome: it will not be changed"),
    ("fixed", "Fixed: the customer can have the fix"),
    ("correction", "Correction: what we said was wrong"),
)


@router.get("")
async def show_all(
    visit: Anyone,
    state: LoopState | None = None,
    asking: bool = False,
    mine: bool = False,
    all: bool = False,
    before: int | None = None,
) -> Response:
    """Loops by their state; first those that wait for a person here."""
    if state is None and not mine and not all:
        asking = visit.rail.asking_loops > 0
    async with visit.river.db.read() as session:
        rows = await shown.loops(
            session,
            state=state,
            asking=asking,
            assignee=visit.name if mine else None,
            before=before,
            limit=PAGE + 1,
        )
        counts = await loops.count_by_state(session)
    return visit.draw(
        "loops.html",
        rows=rows[:PAGE],
        more=rows[PAGE - 1].Loop.id if len(rows) > PAGE else None,
        state=state,
        asking=asking,
        mine=mine,
        before=before,
        counts=counts,
        standing=standing,
        titles=titles_of(visit),
    )


@router.get("/{loop_id}")
async def show(visit: Anyone, loop_id: Number) -> Response:
    """One loop with everything that hangs on it."""
    return await _page(visit, loop_id)


async def _page(visit: Visit, loop_id: int, draft: Draft = NO_DRAFT, *, status: int = 200) -> Response:
    river = visit.river
    async with river.db.read() as session:
        loop = await session.get(Loop, loop_id)
        if loop is None:
            raise NotFoundError(f"there is no loop {loop_id}")
        said = list(await posts.of_loop(session, loop_id))
        began = await posts.with_identity(session, loop.post_id)
        if began is None:
            raise NotFoundError(f"loop {loop_id} has lost its post")
        if all(post.id != began[0].id for post, _ in said):
            said.insert(0, began)
        replies = await shown.replies(session, loop_id=loop_id, limit=100)
        issue = await loops.present_issue(session, loop_id)
        shipment = (
            await issues.present_shipment(session, issue.id, platform=loop.platform) if issue is not None else None
        )
        others = await shown.loops_of_issue(session, issue.id, limit=6, but=loop_id) if issue is not None else ()
        waiting = await issues.count_waiting(session, [issue.id]) if issue is not None else {}
        notes = await loops.notes(session, loop_id)
        history = await loops.history(session, loop_id)
        people = await members.members(session)
        trackers = await accounts.page(session, Tracker, after=0, limit=MOST_CONNECTIONS)
        account = await accounts.get(session, Account, began[0].account_id)
    tracker = next((row for row in trackers if issue is not None and row.id == issue.tracker_id), None)
    current = next((row.Reply for row in replies if row.Reply.round == loop.round), None)
    return visit.draw(
        "loop.html",
        status=status,
        one=loop,
        post=began[0],
        identity=began[1],
        silent=silence_of(began[1]),
        account=account,
        thread=_thread(said, replies),
        prices=prices_of(river, replies),
        pending=[row for row in replies if row.Reply.state not in {"posted", "cancelled"}],
        cancelled=[row for row in replies if row.Reply.state == "cancelled"],
        issue=issue,
        shipment=shipment,
        lines=standing.proof(issue, shipment, platform=loop.platform) if issue is not None else [],
        last_look=next((row.Reply.due_at for row in replies if row.Reply.state == "scheduled"), None),
        others=others,
        waiting=waiting.get(issue.id, 0) if issue is not None else 0,
        notes=notes,
        history=history[::-1],
        people=[member for member in people if member.disabled_at is None],
        trackers=trackers,
        platforms=[one.name for one in platforms_of(tracker)] if tracker is not None else [],
        steps=standing.steps_of(loop),
        next_words=standing.next_words(loop, issue, current),
        moves=[move for move in MOVES if _is_offered(loop, move[0], has_issue=issue is not None)],
        kinds=KINDS,
        may_link=loop.state not in {"told", "verified"},
        title=link.title_from(began[0]),
        draft=draft,
        standing=standing,
        titles=titles_of(visit),
    )


@dataclass(frozen=True, slots=True)
class Said:
    """Something that was said in public: by a customer or by us."""

    at: datetime
    post: Post | None = None
    identity: Identity | None = None
    reply: Any | None = None


def _thread(said: list[tuple[Post, Identity]], replies: shown.Shown) -> list[Said]:
    """What was said in public, by whom, in the order of time."""
    theirs = [Said(post.created_at, post, identity) for post, identity in said]
    ours = [
        Said(row.Reply.posted_at, reply=row)
        for row in replies
        if row.Reply.state == "posted" and row.Reply.posted_at is not None
    ]
    return sorted([*theirs, *ours], key=lambda item: item.at)


def _is_offered(loop: Loop, move: ByHand, *, has_issue: bool) -> bool:
    """Whether a move by hand makes sense here; the table of moves has the last word."""
    goal: LoopState = "linked" if move == "open" and has_issue else move
    if move == "open" and loop.state not in {"dropped", "declined", "verified"}:
        return False
    return loop.state != goal and can_loop_move(loop.state, goal)  # type: ignore[arg-type]


@router.post("/{loop_id}/change")
async def change(sent: FromTriage, loop_id: Number) -> Response:
    """Tags, team and who takes care."""
    tags, wrong = read_tags(sent.form.get("tags", ""))
    team, assignee = sent.text("team"), sent.text("assignee")
    if wrong or len(team) > 200 or len(assignee) > 200:
        draft = Draft(
            form="change", values=sent.form, wrong={"tags": wrong} if wrong else {"team": "At most 200 characters."}
        )
        return await _page(sent.visit, loop_id, draft, status=422)
    await by_hand.change_loop(sent.visit.river, loop_id, tags=tags, team=team, assignee=assignee, actor=sent.visit.name)
    return sent.visit.onwards(f"/loops/{loop_id}")


@router.post("/{loop_id}/move")
async def move(sent: FromTriage, loop_id: Number) -> Response:
    """Close, verify, reopen or take up again by hand."""
    for state, _, _ in MOVES:
        if state == sent.text("state"):
            await by_hand.move_loop_by_hand(sent.visit.river, loop_id, state=state, actor=sent.visit.name)
            return sent.visit.onwards(f"/loops/{loop_id}")
    raise PageError(422, "Choose what is to become of the loop.")


@router.post("/{loop_id}/note")
async def note(sent: FromAnyone, loop_id: Number) -> Response:
    """Words for colleagues."""
    text = sent.form.get("text", "").strip()
    if not text or len(text) > MAX_NOTE:
        why = "Write a few words." if not text else f"At most {MAX_NOTE:,} characters."
        return await _page(sent.visit, loop_id, Draft(form="note", values=sent.form, wrong={"text": why}), status=422)
    await by_hand.note(sent.visit.river, loop_id, text=text, actor=sent.visit.name)
    return sent.visit.onwards(f"/loops/{loop_id}", "notes")


@router.post("/{loop_id}/reply")
async def write(sent: FromTriage, loop_id: Number) -> Response:
    """A person's own words to the customer."""
    kind: ReplyKind = next((name for name, _ in KINDS if name == sent.text("kind")), "progress")
    try:
        await by_hand.write(sent.visit.river, loop_id, text=sent.form.get("text", ""), kind=kind, actor=sent.visit.name)
    except (ConflictError, OutsideError) as error:
        why = sentence(error)
        return await _page(sent.visit, loop_id, Draft(form="reply", values=sent.form, wrong={"text": why}), status=422)
    return sent.visit.onwards(f"/loops/{loop_id}")


@router.post("/{loop_id}/tell")
async def tell(sent: FromApprover, loop_id: Number) -> Response:
    """Tell its customer all the same."""
    await customers.tell(sent.visit.river, loop_id, actor=sent.visit.name)
    return sent.visit.onwards(f"/loops/{loop_id}")


@router.post("/{loop_id}/link")
async def link_loop(sent: FromTriage, loop_id: Number) -> Response:
    """Let it wait for an issue that is there."""
    try:
        issue_id = await find_named(sent.visit, sent.text("ref"), sent.number("tracker"))
        await by_hand.relink(sent.visit.river, loop_id, issue_id, actor=sent.visit.name)
    except (PageError, OutsideError, ConflictError) as error:
        why = sentence(error)
        return await _page(sent.visit, loop_id, Draft(form="link", values=sent.form, wrong={"ref": why}), status=422)
    return sent.visit.onwards(f"/loops/{loop_id}")


@router.post("/{loop_id}/issue")
async def make_issue(sent: FromTriage, loop_id: Number) -> Response:
    """Let it wait for a new issue."""
    wanted, _, wrong = await read_issue(sent)
    if wanted is None or wrong:
        return await _page(sent.visit, loop_id, Draft(form="issue", values=sent.form, wrong=wrong), status=422)
    await by_hand.relink_to_new(
        sent.visit.river,
        loop_id,
        tracker_id=wanted.tracker_id,
        title=wanted.title,
        body=wanted.body,
        actor=sent.visit.name,
    )
    return sent.visit.onwards(f"/loops/{loop_id}")


@router.post("/{loop_id}/unlink")
async def unlink(sent: FromTriage, loop_id: Number) -> Response:
    """Let it wait for nothing."""
    await by_hand.relink(sent.visit.river, loop_id, None, actor=sent.visit.name)
    return sent.visit.onwards(f"/loops/{loop_id}")

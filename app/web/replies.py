"""Replies: what is said in public, before and after; approved, edited, held, let go and taken back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.ports import OutsideError, Price
from app.rules.addresses import web_address
from app.rules.progress import ReplyState
from app.steps import by_hand, post_by_hand
from app.steps.link import ConflictError, NotFoundError
from app.steps.price import price_of
from app.steps.river import River
from app.store import accounts, posts, replies, shown
from app.store.session import Session
from app.store.tables import Account, Reply
from app.web import standing
from app.web.forms import NO_DRAFT, Draft, sentence
from app.web.visit import Anyone, FromApprover, FromTriage, Number, PageRoute, Visit

router = APIRouter(prefix="/replies", include_in_schema=False, route_class=PageRoute)

PAGE = 30
MAX_TEXT = 20_000

Tab = Literal["awaiting", "hand", "scheduled", "held", "trouble", "drafts", "posted", "cancelled"]
TABS: dict[Tab, tuple[str, tuple[ReplyState, ...]]] = {
    "awaiting": ("To approve", ("awaiting_approval",)),
    "hand": ("To post by hand", ("held",)),
    "scheduled": ("On their way", ("scheduled", "sending")),
    "held": ("Held", ("held",)),
    "trouble": ("In trouble", ("unknown", "refused")),
    "drafts": ("Drafts", ("draft",)),
    "posted": ("Said", ("posted",)),
    "cancelled": ("Cancelled", ("cancelled",)),
}


@router.get("")
async def show_all(visit: Anyone, tab: Tab = "awaiting", before: int | None = None) -> Response:
    """Replies by what is to be done with them, with their exact text."""
    async with visit.river.db.read() as session:
        tasks = {"hand": True, "held": False}.get(tab)
        rows = await shown.replies(session, states=TABS[tab][1], tasks=tasks, before=before, limit=PAGE + 1)
        by_state = await replies.count_by_state(session)
        by_hand_now = await replies.count_tasks(session)
    counts = {name: sum(by_state.get(state, 0) for state in states) for name, (_, states) in TABS.items()}
    counts["hand"], counts["held"] = by_hand_now, max(counts["held"] - by_hand_now, 0)
    return visit.draw(
        "replies.html",
        rows=rows[:PAGE],
        prices=prices_of(visit.river, rows[:PAGE]),
        more=rows[PAGE - 1].Reply.id if len(rows) > PAGE else None,
        tab=tab,
        tabs=TABS,
        counts=counts,
        standing=standing,
    )


@router.get("/{reply_id}")
async def show(visit: Anyone, reply_id: Number) -> Response:
    """One reply: its text, its state with the reason, and every try to say it."""
    return await _page(visit, reply_id)


async def _page(
    visit: Visit, reply_id: int, draft: Draft = NO_DRAFT, *, counted: int | None = None, status: int = 200
) -> Response:
    async with visit.river.db.read() as session:
        rows = await shown.replies(session, reply_id=reply_id, limit=1)
        if not rows:
            raise NotFoundError(f"there is no reply {reply_id}")
        attempts = await replies.attempts(session, reply_id)
        prefix = await _prefix(visit.river, session, rows[0].Reply)
    reply: Reply = rows[0].Reply
    return visit.draw(
        "reply.html",
        status=status,
        row=rows[0],
        prices=prices_of(visit.river, rows),
        reply=reply,
        attempts=attempts,
        counted=reply.count if counted is None else counted,
        added=prefix,
        own_words=reply.text.removeprefix(prefix),
        may_edit=reply.state in by_hand.CHANGEABLE,
        draft=draft,
        max_text=MAX_TEXT,
        standing=standing,
    )


def prices_of(river: River, rows: shown.Shown) -> dict[int, Price]:
    """What saying each of these replies costs; those that are said or will not be, and those that are free, left out."""
    found = {
        row.Reply.id: price_of(river, row.Account, row.Reply.text)
        for row in rows
        if row.Reply.state not in {"posted", "cancelled"}
    }
    return {reply_id: price for reply_id, price in found.items() if price is not None}


async def _prefix(river: River, session: Session, reply: Reply) -> str:
    """What the network puts before a person's own words; nothing where its account is gone or sealed away."""
    account = await accounts.get(session, Account, reply.account_id)
    found = await posts.with_identity(session, reply.post_id)
    if account is None or found is None:
        return ""
    try:
        prefix = river.outside.wording_channel(account).envelope(posts.as_fact(*found)).prefix
    except OutsideError:
        return ""
    return prefix if reply.text.startswith(prefix) else ""


@router.post("/{reply_id}/edit")
async def edit(sent: FromTriage, reply_id: Number) -> Response:
    """Put other words in its place; where they do not fit, they stay in the field with the reason."""
    text = sent.form.get("text", "")
    try:
        if len(text) > MAX_TEXT:
            raise ConflictError(f"at most {MAX_TEXT:,} characters")
        await by_hand.edit(sent.visit.river, reply_id, text=text, actor=sent.visit.name)
    except (ConflictError, OutsideError) as error:
        why = sentence(error)
        draft = Draft(form="edit", values=sent.form, wrong={"text": why})
        counted = error.count if isinstance(error, by_hand.TooLongByHandError) else None
        return await _page(sent.visit, reply_id, draft, counted=counted, status=422)
    return sent.visit.onwards(f"/replies/{reply_id}")


@router.post("/{reply_id}/count")
async def count(sent: FromTriage, reply_id: Number) -> Response:
    """How the words that are being typed count on that network."""
    try:
        counted = await by_hand.count_words(sent.visit.river, reply_id, text=sent.form.get("text", "")[: MAX_TEXT + 1])
    except (ConflictError, OutsideError) as error:
        return JSONResponse({"text": str(error), "over": True}, headers={"Cache-Control": "no-store"})
    told: dict[str, object] = {"text": f"{counted.length} of {counted.limit}", "over": counted.length > counted.limit}
    if counted.price is not None:
        told["costs"] = standing.costs(counted.price)
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


@router.post("/{reply_id}/take-over")
async def take_over(sent: FromTriage, reply_id: Number) -> Response:
    """Take it to post it by hand. The evidence is read once more; where it is gone, nothing is to be posted."""
    visit = sent.visit
    await post_by_hand.take_over(visit.river, reply_id, actor=visit.name, may_sign=visit.may("approval"))
    return visit.onwards(f"/replies/{reply_id}", "by-hand")


@router.post("/{reply_id}/posted")
async def say_posted(sent: FromTriage, reply_id: Number) -> Response:
    """'I posted it', with where it stands if they say so."""
    url = sent.text("url")
    if url:
        try:
            url = web_address(url)
        except ValueError as error:
            draft = Draft(form="posted", values=sent.form, wrong={"url": sentence(error)})
            return await _page(sent.visit, reply_id, draft, status=422)
    await post_by_hand.record_posted(sent.visit.river, reply_id, actor=sent.visit.name, url=url)
    return sent.visit.onwards(f"/replies/{reply_id}")


@router.post("/{reply_id}/not-posted")
async def give_back(sent: FromTriage, reply_id: Number) -> Response:
    """'I did not post it': it waits for somebody else, or goes its account's own way."""
    await post_by_hand.give_back(sent.visit.river, reply_id, actor=sent.visit.name)
    return sent.visit.onwards(f"/replies/{reply_id}")


Deed = Literal["approve", "hold", "release", "cancel", "retry"]
DEEDS: dict[Deed, Callable[..., Awaitable[None]]] = {
    "approve": by_hand.approve,
    "hold": by_hand.hold,
    "release": by_hand.release,
    "cancel": by_hand.cancel,
    "retry": by_hand.retry,
}


@router.post("/{reply_id}/{deed}")
async def decide(sent: FromApprover, reply_id: Number, deed: Deed) -> Response:
    """Approve, hold, release, cancel or retry. Approving reads the evidence once more; where it is gone, nothing is said."""
    await DEEDS[deed](sent.visit.river, reply_id, actor=sent.visit.name)
    back = sent.text("back")
    return sent.visit.onwards(back if back.startswith(("/loops/", "/replies", "/issues/")) else f"/replies/{reply_id}")

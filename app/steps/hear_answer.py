"""Step 6, hear_answer: what the customer says to our reply verifies the loop, reopens it, or goes to a person."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import structlog

from app.rules import hearing, quoting
from app.rules.facts import Visibility
from app.rules.following import follow_answer
from app.steps import customers
from app.steps.reply_moves import decide_anew
from app.steps.river import River
from app.store import issues, loops, posts
from app.store.customers import behind_answers, mark_unsettled
from app.store.customers import lock as lock_customers
from app.store.locking import locked
from app.store.session import Session
from app.store.tables import Identity, Loop, Notice, Post

log = structlog.get_logger(__name__)

NO_ANSWER_AFTER = timedelta(days=14)


async def hear_next(river: River) -> bool:
    """Listen to answers nobody has heard. False where there are none."""
    async with river.db.begin() as session:
        found = await posts.unheard_answers(session, limit=50)
        # All locks at once and in their order, whichever of the answers needs them.
        its = await locked(session, Loop, [post.loop_id for post in found if post.loop_id is not None])
        await lock_customers(session, await behind_answers(session, found, list(its.values())))
        for post in found:
            await _hear(session, post, now=river.now())
            river.point("answer.heard")
    if found:
        river.point("answer.done")
        river.wake("settle_customers", "tell_engineers", "show_engineers")
    return bool(found)


async def _hear(session: Session, post: Post, *, now: datetime) -> None:
    post.heard_at = now
    loop = await loops.lock(session, post.loop_id) if post.loop_id is not None else None
    identity = await session.get(Identity, post.identity_id)
    told = await session.get(Identity, loop.identity_id) if loop is not None else None
    if loop is None or identity is None or told is None:
        post.heard = "its loop is gone"
        return
    heard = hearing.hear(post.text, language=post.language)
    post.heard = heard.why
    answer = follow_answer(
        heard,
        by_the_same=identity.id == loop.identity_id,
        by_the_same_person=identity.customer_id == told.customer_id,
        by_a_guest=identity.weak,
        loop_state=loop.state,  # type: ignore[arg-type]
    )
    match answer.does:
        case "confirm":
            _confirm(session, loop, post, answer.why, now=now)
            await mark_unsettled(session, told.customer_id)
        case "reopen":
            await reopen(session, loop, post, identity, answer.why, now=now)
        case "suppress":
            # In the customer's words, where they were meant for everybody.
            why = heard.why if post.visibility != "private" else "in an answer that is not public"
            await customers.silence(
                session, await customers.lock_customer_of(session, identity.id), why=why, by="", at=now
            )
            _ask_person(session, loop, post, answer.why, now=now)
        case "keep":
            post.state = "tagged"
        case "ask":
            _ask_person(session, loop, post, answer.why, now=now)


def _ask_person(session: Session, loop: Loop, post: Post, why: str, *, now: datetime) -> None:
    loop.needs_person = why
    post.state = "new"
    loops.note_event(session, at=now, what="answer for a person", why=why, loop_id=loop.id)


def _confirm(session: Session, loop: Loop, post: Post, why: str, *, now: datetime) -> None:
    loop.state, loop.why, loop.verified_at = "verified", f"the customer {why}", now
    loop.verification, loop.needs_person = "confirmed", ""
    post.state = "tagged"
    loops.note_event(session, at=now, what="verified", why=why, loop_id=loop.id)
    log.info("loop verified", loop_id=loop.id, account_id=post.account_id)


async def reopen(
    session: Session, loop: Loop, post: Post, identity: Identity, why: str, *, now: datetime, actor: str = ""
) -> None:
    """'Still broken': this shipment is refuted for this loop, the next round begins, and the ticket hears of it."""
    issue = await loops.present_issue(session, loop.id)
    shipment = await issues.present_shipment(session, issue.id, platform=loop.platform) if issue is not None else None
    loop.refuted_fix = shipment.fix if shipment is not None else ""
    loop.refuted_at = max(post.created_at, loop.told_at or post.created_at)
    loop.verification, loop.verified_at, loop.needs_person = "still_broken", None, ""
    loop.round += 1
    loop.post_id = post.id
    loop.fixed_at = loop.shipped_at = loop.told_at = None
    loop.owed = False
    decide_anew(loop)
    post.state, post.loop_id = "tagged", loop.id
    if issue is None:
        loop.state, loop.why = "open", f"the customer {why}; link an issue"
    else:
        loop.state, loop.why = "reopened", f"the customer {why}; the ticket is being told"
        marker = f"notice-{secrets.token_hex(8)}"
        session.add(
            Notice(
                issue_id=issue.id,
                loop_id=loop.id,
                text=still_broken_text(
                    handle=identity.handle,
                    quote=post.text,
                    permalink=post.url,
                    visibility=post.visibility,  # type: ignore[arg-type]
                    shows_customers=not issue.visible_to_public,
                ),
                marker=marker,
                due_at=now,
                created_at=now,
            )
        )
        await session.flush()
        await issues.want_block_for_loops(session, [loop.id])
    loops.note_event(session, at=now, what="reopened", why=why, loop_id=loop.id, actor=actor)
    log.info("loop reopened", loop_id=loop.id, issue_id=issue.id if issue else None, account_id=post.account_id)


def still_broken_text(*, handle: str, quote: str, permalink: str, visibility: Visibility, shows_customers: bool) -> str:
    """The comment that tells engineers; it names and quotes nobody where the public reads along, and no private post."""
    if visibility == "private":
        return "A customer who was told that this is fixed answers in private that it is still broken."
    if not shows_customers:
        return f"A customer who was told that this is fixed says that it is still broken: {permalink}"
    return (
        f"{quoting.neutralise(handle, limit=80)} was told that this is fixed and says that it is still broken:\n\n"
        f"> {quoting.neutralise(quote)}\n\n{permalink}"
    )


async def close_unanswered(river: River) -> bool:
    """After 14 days without a word, `no_answer` is the verification, counted by itself. False where none is due."""
    async with river.db.begin() as session:
        now = river.now()
        found = await loops.unanswered_since(session, now - NO_ANSWER_AFTER, limit=200)
        for loop in found:
            loop.verification = "no_answer"
            loop.why = "told, and no answer for 14 days"
            loops.note_event(session, at=now, what="no answer", loop_id=loop.id)
    return bool(found)

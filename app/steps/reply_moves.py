"""The moves of a reply's state, each with its reason and its line in the history."""

from __future__ import annotations

from datetime import datetime

from app.rules.progress import ReplyState, can_reply_move, move_reply
from app.store import loops
from app.store.session import Session
from app.store.tables import Loop, Reply

SPOKEN: frozenset[str] = frozenset({"sending", "unknown", "posted"})
"""States of a reply that the public reads, or may."""


def set_reply(session: Session, reply: Reply, state: ReplyState, *, why: str, now: datetime, actor: str = "") -> None:
    """Move a reply by the table. UnlawfulMoveError where the table has no such move."""
    before: ReplyState = reply.state  # type: ignore[assignment]
    reply.state, reply.why = move_reply(before, state), why
    if state != "held":
        reply.hand_at = None
    if before != state:
        loops.note_event(
            session, at=now, what=f"reply {state}", why=why, actor=actor, loop_id=reply.loop_id, reply_id=reply.id
        )


def cancel_reply(session: Session, reply: Reply, *, why: str, now: datetime, actor: str = "") -> bool:
    """Take back what has not been said. False where it is being said, was said, or was taken back before.

    A reply that is being sent right now is not cancelled here: its sender looks at the evidence
    once more before the call, and afterwards it is the ledger's.
    """
    before: ReplyState = reply.state  # type: ignore[assignment]
    if before in SPOKEN or before == "cancelled" or not can_reply_move(before, "cancelled"):
        return False
    reply.approved_by = None
    if actor:
        reply.stopped_by = actor
    set_reply(session, reply, "cancelled", why=why, now=now, actor=actor)
    return True


def hold_reply(session: Session, reply: Reply, *, why: str, now: datetime, actor: str = "") -> bool:
    """Keep it until somebody lets it go. False where it is too late for that."""
    before: ReplyState = reply.state  # type: ignore[assignment]
    if before == "unknown":
        # It may have been said: the search goes on, and only what comes after it is held.
        reply.stopped_by = actor or reply.stopped_by
        return True
    if before == "sending" or not can_reply_move(before, "held"):
        return False
    if actor:
        reply.stopped_by = actor
    reply.hand_at = None
    set_reply(session, reply, "held", why=why, now=now, actor=actor)
    return True


def hold_for_issue(session: Session, reply: Reply, *, why: str, now: datetime, actor: str = "") -> None:
    """Hold it because its issue is 'not for customers yet'; lifted with the issue's hold."""
    if reply.state in {"scheduled", "awaiting_approval", "draft"} or reply.hand_at is not None:
        reply.issue_hold, reply.hand_at = True, None
        set_reply(session, reply, "held", why=f"not for customers yet: {why}", now=now, actor=actor)


def make_task(session: Session, reply: Reply, *, why: str, now: datetime, taken_by: str | None = None) -> None:
    """Leave it to a person to post: while it is a task, no process says it."""
    is_new = reply.hand_at is None
    reply.hand_at, reply.hand_by = reply.hand_at or now, taken_by
    if reply.state != "held":
        set_reply(session, reply, "held", why=why, now=now, actor=taken_by or "")
    reply.why = why
    if is_new or taken_by:
        what = "reply taken over" if taken_by else "reply to post by hand"
        loops.note_event(
            session, at=now, what=what, why=why, actor=taken_by or "", loop_id=reply.loop_id, reply_id=reply.id
        )


def is_outcome_of_ours(reply: Reply) -> bool:
    """Whether it says, in our words, that the issue was closed without a fix: true only while its loop is declined."""
    return reply.written_by is None and reply.kind == "outcome"


def is_only_approved(reply: Reply) -> bool:
    """Whether a text of ours is said by nobody's mode but only by a person's signature."""
    return is_outcome_of_ours(reply) or (reply.written_by is None and reply.kind == "correction")


def let_go(session: Session, reply: Reply, *, needs_approval: bool, why: str, now: datetime, actor: str = "") -> None:
    """Send it on its way again: to the approver, or to be sent when it is due."""
    reply.issue_hold, reply.stopped_by, reply.failing_since, reply.failures = False, None, None, 0
    if (needs_approval or is_only_approved(reply)) and reply.approved_by is None:
        set_reply(session, reply, "awaiting_approval", why="waits for an approver", now=now, actor=actor)
    else:
        reply.due_at = max(reply.due_at or now, now)
        set_reply(session, reply, "scheduled", why=why, now=now, actor=actor)


def decide_anew(loop: Loop) -> None:
    """Whether the loop's customer is told is an open question again."""
    loop.untold, loop.waits_on, loop.tell_by = "", None, ""


def record_told(session: Session, loop: Loop, reply: Reply, *, now: datetime) -> None:
    """The customer can read it: a `fixed` reply makes its loop `told`."""
    if reply.kind != "fixed" or reply.round != loop.round or not reply.visible:
        return
    if loop.state in {"linked", "fixed", "shipped"}:
        loop.state, loop.why, loop.told_at = "told", "told; waiting for the customer's answer", now
        loop.verification, loop.untold, loop.waits_on = None, "", None
        loops.note_event(session, at=now, what="told", loop_id=loop.id, reply_id=reply.id)
    elif loop.state in {"open", "declined", "dropped"}:
        # It was being said, or nobody knew whether it was, when the loop went another way.
        loop.needs_person = f"the customer was told that it is fixed, and the loop is {loop.state}: {loop.why}"

"""Beside step 3: engineers see who waits, in one block on their issue, and are told when a fix did not help."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Literal

import structlog

from app.outside import setting
from app.ports import OutsideError
from app.rules import permission, showing
from app.rules.facts import IssueFacts, Waiting
from app.steps.health import record_illness
from app.steps.river import River
from app.steps.turns import turn_to_write
from app.store import accounts, issues, loops
from app.store.session import Session
from app.store.tables import Issue, Tracker

log = structlog.get_logger(__name__)

NEWEST = 5
"""How many quotes a block shows."""

BETWEEN_EDITS = timedelta(seconds=3)
"""Many new customers make one edit."""


REMOVED = "removed by the team"
"""Why nothing is shown any more; what people took away is never put back."""


async def show_next(river: River) -> bool:
    """Bring the block up to date that is due. False where none is."""
    async with river.db.begin() as session:
        now = await river.db.now(session)
        issue = await issues.due(session, "block", now=river.now())
        if issue is None:
            return False
        tracker = await accounts.get(session, Tracker, issue.tracker_id)
        if tracker is None:
            return False
        token, wanted = secrets.token_hex(8), issue.block_wanted
        block = await _block(river, session, issue, tracker)
        digest = hashlib.sha256(block.encode()).hexdigest()
        is_new = digest != issue.block_digest and not issue.block_why
        # The first comes with a label.
        writes = 1 if issue.block_handle else 2
        if is_new and (later := await turn_to_write(river, session, tracker, writes=writes)) is not None:
            issue.block_at = later
            return True
        issues.claim_for(issue, token=token, now=now, lease=river.timing.lease)
    river.point("show.claimed")
    handle, why, failed = issue.block_handle, "", None
    if is_new:
        try:
            handle = await river.outside.tracker(tracker).show(as_facts(issue), block=block, handle=issue.block_handle)
        except OutsideError as error:
            failed = error
    river.point("show.called")
    if failed is not None and failed.kind in {"auth_broken", "suspended", "rate_limited"}:
        await record_illness(river, Tracker, tracker.id, tracker.version, failed)
    async with river.db.begin() as session:
        row = await issues.claimed(session, issue.id, token)
        if row is None:
            return True
        row.claim = row.claim_until = None
        if failed is None:
            row.block_handle, row.block_digest, row.block_done = handle, digest, wanted
            row.block_at = river.now() + BETWEEN_EDITS
        elif (failed.kind in {"gone", "forbidden"} and issue.block_handle is not None) or failed.permanent:
            # Somebody removed it, or it is not wanted there: it is never made again.
            why = REMOVED if failed.kind == "gone" else failed.message
            row.block_why, row.block_done = why, wanted
        else:
            row.look_failures += 1
            wait = permission.wait_after(row.look_failures, first=river.timing.backoff)
            row.block_at = max(river.now() + wait, failed.retry_at or river.now())
    if failed is not None:
        log.warning("block not shown", issue_id=issue.id, tracker_id=tracker.id, kind=failed.kind, why=failed.message)
    return True


def as_facts(issue: Issue) -> IssueFacts:
    """An issue's row as its tracker knows it."""
    return IssueFacts(
        remote_id=issue.remote_id or "",
        ref=issue.ref,
        title=issue.title,
        url=issue.url,
        state=issue.state,  # type: ignore[arg-type]
        updated_at=issue.updated_at or issue.created_at,
        visible_to_public=issue.visible_to_public,
        locked=issue.locked,
    )


async def _block(river: River, session: Session, issue: Issue, tracker: Tracker) -> str:
    total, rows = await loops.waiting_for(session, issue.id, newest=NEWEST)
    mode: Literal["counts", "quotes"] = "quotes"
    if issue.visible_to_public:
        mode = setting(tracker, "show_on_public", "counts")
    return showing.block(
        [Waiting(**row) for row in rows],
        total=total,
        mode=mode,
        marker=issue.marker,
        limit=river.outside.tracker_type(tracker.kind).block_limit,
    )


async def tell_next(river: River) -> bool:
    """Make the notifying comment that is due; then the reopened loop waits again. False where none is due."""
    async with river.db.begin() as session:
        now = await river.db.now(session)
        notice = await issues.due_notice(session, now=river.now())
        if notice is None:
            return False
        issue = await session.get(Issue, notice.issue_id)
        tracker = await accounts.get(session, Tracker, issue.tracker_id) if issue else None
        if issue is None or tracker is None:
            return False
        if (later := await turn_to_write(river, session, tracker)) is not None:
            notice.due_at = later
            return True
        token = secrets.token_hex(8)
        issues.claim_for(notice, token=token, now=now, lease=river.timing.lease)
    river.point("tell.claimed")
    failed, comment = None, ""
    try:
        comment = await river.outside.tracker(tracker).tell(as_facts(issue), text=notice.text, marker=notice.marker)
    except OutsideError as error:
        failed = error
        if error.kind in {"auth_broken", "suspended", "rate_limited"}:
            await record_illness(river, Tracker, tracker.id, tracker.version, error)
    river.point("tell.called")
    async with river.db.begin() as session:
        loop = await loops.lock(session, notice.loop_id)
        row = await issues.claimed_notice(session, notice.id, token)
        if row is None:
            return True
        now = river.now()
        row.claim = row.claim_until = None
        if failed is None:
            row.state, row.external_id = "told", comment
        elif failed.permanent:
            row.state, row.why = "failed", failed.message
        else:
            row.failures += 1
            wait = permission.wait_after(row.failures, first=river.timing.backoff)
            if failed.kind == "unknown" and failed.in_flight:
                wait = max(wait, river.timing.apart)
            row.due_at = max(now + wait, failed.retry_at or now)
            row.why = failed.message
        if loop is not None and row.state != "due" and loop.state == "reopened":
            loop.state = "linked"
            loop.why = (
                f"still broken for this customer; {issue.ref} was told"
                if failed is None
                else (f"still broken for this customer, and {issue.ref} could not be told: {row.why}")
            )
            if failed is not None:
                loop.needs_person = loop.why
            await issues.want_look(session, issue.id)
            loops.note_event(session, at=now, what="linked", why=loop.why, loop_id=loop.id, issue_id=issue.id)
    return True

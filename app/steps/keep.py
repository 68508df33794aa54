"""An issue's row: made where it is new, and written over with what its tracker says."""

from __future__ import annotations

import secrets
from datetime import datetime

from app.rules.facts import IssueFacts
from app.store import issues
from app.store.session import Session
from app.store.tables import Issue


async def keep_issue(session: Session, tracker_id: int, facts: IssueFacts, *, now: datetime) -> Issue:
    """The row of an issue, made if new."""
    row = await issues.by_remote_id(session, tracker_id=tracker_id, remote_id=facts.remote_id)
    if row is None:
        row = Issue(
            tracker_id=tracker_id,
            remote_id=facts.remote_id,
            marker=new_marker(),
            title="",
            state="open",
            created_at=now,
        )
        session.add(row)
        copy_facts(row, facts)
        row.why = "not looked at yet"
        await session.flush()
    return row


def new_marker() -> str:
    """What an issue of ours carries invisibly, to be told from any other."""
    return f"issue-{secrets.token_hex(8)}"


def copy_facts(row: Issue, facts: IssueFacts) -> None:
    """Write what the tracker says over what it said before."""
    row.remote_id, row.ref, row.title, row.url = facts.remote_id, facts.ref, facts.title, facts.url
    row.state, row.outcome, row.outcome_reason = facts.state, facts.outcome, facts.outcome_reason
    row.outcome_label, row.closed_at, row.locked = facts.outcome_label, facts.closed_at, facts.locked
    row.visible_to_public, row.updated_at = facts.visible_to_public, facts.updated_at

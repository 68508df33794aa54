"""What is due at all: one cheap question in place of every job asking for itself, over and over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from app.store import accounts, customers, deliveries, issues, loops, posts, replies
from app.store.session import Session
from app.store.tables import Account, Tracker, Voice


async def jobs(session: Session, *, now: datetime, lease_now: datetime) -> frozenset[str]:
    """The names of the jobs that would find something. `lease_now` is the clock by which leases are measured."""
    queries: dict[str, Select[Any]] = {
        "take_in": accounts.due_for_poll_query(Account, now=lease_now),
        "reread": posts.accounts_to_read_again_query(now=now, lease_now=lease_now),
        "create_issues": issues.due_query("create", now=now),
        "hear_deliveries": deliveries.unworked_query(),
        "poll_trackers": accounts.due_for_poll_query(Tracker, now=lease_now),
        "look_at_issues": issues.due_query("look", now=now),
        "owe": loops.unowed_query(),
        "settle_customers": customers.unsettled_query(),
        "follow_tellings": customers.told_elsewhere_query(),
        "deliver": replies.due_query(now=now).where(~select(Voice.id).where(Voice.is_on.is_(False)).exists()),
        "take_over": replies.abandoned_query(now=lease_now),
        "look_for_lost": replies.due_for_a_look_query(now=now),
        "hear_answers": posts.unheard_answers_query(),
        "show_engineers": issues.due_query("block", now=now),
        "foretell": issues.due_query("pull", now=now),
        "tell_engineers": issues.due_notice_query(now=now),
    }
    found = (await session.execute(select(*(query.exists().label(name) for name, query in queries.items())))).one()
    return frozenset(name for name, is_due in found._mapping.items() if is_due)  # noqa: SLF001  (a public name)

"""Whose turn it is to write where the other side bounds how many texts come; one count for all processes."""

from __future__ import annotations

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from app.rules.turns import WriteLimit, turn
from app.steps.river import River
from app.store import throttles
from app.store.session import Session
from app.store.tables import Tracker


async def turn_to_write(river: River, session: Session, tracker: Tracker) -> datetime | None:
    """None where something may be written to the tracker now, which is then counted; otherwise when to come back.

    The last writes stand in a ring as long as the largest limit: the one that is `most` writes ago
    says whether there is room. Counted is what is about to be sent, whatever comes of it.
    """
    limits: tuple[WriteLimit, ...] = getattr(river.outside.tracker_type(tracker.kind), "write_limits", ())
    if not limits:
        return None
    name, ring, now = _writer(tracker), max(limit.most for limit in limits), river.now()
    head = await throttles.lock(session, _key(name, "written"), now=now)
    slots = [_key(name, str((head.tries - limit.most) % ring)) for limit in limits]
    written = await throttles.times(session, slots)
    before = [
        written.get(slot) if head.tries >= limit.most else None for slot, limit in zip(slots, limits, strict=True)
    ]
    later = turn(limits, before, now=now, promised=head.until)
    head.last_at = now
    if later is not None:
        head.until = later
        return later
    await throttles.note(session, _key(name, str(head.tries % ring)), now=now)
    head.tries += 1
    return None


def _writer(tracker: Tracker) -> str:
    """Whose writes are counted together: several trackers may write under one name on one server."""
    login = tracker.facts.get("login")
    return f"{tracker.kind}\0{urlsplit(tracker.url).hostname}\0{login or f'tracker {tracker.id}'}"


def _key(name: str, what: str) -> str:
    return hashlib.sha256(f"writes\0{name}\0{what}".encode()).hexdigest()

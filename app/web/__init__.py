"""Pages for people."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import APIRouter

from app.ports import Stage
from app.steps.river import River
from app.store import accounts
from app.store.tables import Account, Tracker
from app.web import connections, issues, live, loops, people, rehearsal, replies, sign_in, start, triage, voice

MOST_CONNECTIONS = 1000

PAGES = (start, triage, loops, issues, replies, connections, people, sign_in, voice, live)


def routers(river: River, stage: Stage) -> list[APIRouter]:
    """Every router of pages, for the composition root to include."""

    async def scenes() -> Collection[str]:
        """The rehearsal scenes that are connected; a rehearsal page is served for no other."""
        async with river.db.read() as session:
            profiles = await accounts.page(session, Account, after=0, limit=MOST_CONNECTIONS)
            projects = await accounts.page(session, Tracker, after=0, limit=MOST_CONNECTIONS)
        played = [row.settings for row in profiles if row.channel == "rehearsal"]
        played += [row.settings for row in projects if row.kind == "rehearsal"]
        return {str(settings.get("scene", "")) for settings in played}

    def wake() -> None:
        river.wake()

    played_on = rehearsal.pages(stage, base_url=river.outside.base_url, wake=wake, scenes=scenes, now=river.now)
    return [*(part.router for part in PAGES), played_on]

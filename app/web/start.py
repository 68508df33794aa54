"""The start: for a newcomer the way through a first loop, later what needs a person."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.store import accounts, loops, overview, replies, shown
from app.store.tables import Account, Tracker
from app.web import standing
from app.web.triage import MOST_CONNECTIONS, titles_of
from app.web.visit import Anyone, PageRoute

router = APIRouter(include_in_schema=False, route_class=PageRoute)

SHOWN = 6


@router.get("/")
async def start(visit: Anyone, overlook: bool = False) -> Response:
    """Where one begins: with a first loop, or with what waits."""
    async with visit.river.db.read() as session:
        progress = await overview.progress(session)
        is_new = not progress.has_verified and not progress.has_real_connection and not overlook
        if is_new and progress.rehearsal_scene is not None:
            return visit.draw("first_loop.html", progress=progress)
        profiles = await accounts.page(session, Account, after=0, limit=MOST_CONNECTIONS)
        projects = await accounts.page(session, Tracker, after=0, limit=MOST_CONNECTIONS)
        asking = await shown.loops(session, asking=True, limit=SHOWN + 1)
        by_state = await loops.count_by_state(session)
        said = await replies.count_by_state(session)
        closed = await shown.loops(session, state="verified", limit=SHOWN)
    return visit.draw(
        "start.html",
        progress=progress,
        profiles=profiles,
        projects=projects,
        ill=[(row.name, row.why) for row in profiles if not row.ok]
        + [(row.name, row.why) for row in projects if not row.ok],
        asking=asking[:SHOWN],
        by_state=by_state,
        said=said,
        closed=closed,
        standing=standing,
        titles=titles_of(visit),
    )

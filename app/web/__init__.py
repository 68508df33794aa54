"""Pages for people."""

from __future__ import annotations

from collections.abc import Awaitable, Collection

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException

from app.ports import Stage
from app.steps.river import River
from app.store import accounts
from app.store.tables import Account, Tracker
from app.web import (
    authorize,
    connections,
    customers,
    issues,
    live,
    loops,
    people,
    rehearsal,
    replies,
    sign_in,
    start,
    texts,
    triage,
    voice,
)
from app.web.visit import page, prefix_of, river_of

MOST_CONNECTIONS = 1000

PAGES = (
    start,
    triage,
    loops,
    customers,
    issues,
    replies,
    texts,
    connections,
    authorize,
    people,
    sign_in,
    voice,
    live,
)


NOT_FOR_PEOPLE = ("/api/", "/hooks/", "/static/", "/openapi.json", "/metrics", "/healthz", "/readyz")


def install(app: FastAPI) -> None:
    """Let an address at which there is nothing be answered with a page, where a browser asks for one."""
    otherwise = app.exception_handlers[HTTPException]

    async def answer(request: Request, error: Exception) -> Response:
        river = river_of(request)
        path = request.url.path.removeprefix(prefix_of(river))
        is_lost = isinstance(error, HTTPException) and error.status_code in {404, 405}
        wants_page = "text/html" in request.headers.get("accept", "") and not path.startswith(NOT_FOR_PEOPLE)
        if is_lost and wants_page:
            why = "There is nothing at this address."
            return page(river, "wrong.html", status=404, why=why, visit=None, go="/")
        answered = otherwise(request, error)
        return await answered if isinstance(answered, Awaitable) else answered

    app.add_exception_handler(HTTPException, answer)


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

"""The start: for a newcomer the way through a first loop, later what needs a person."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.store import overview
from app.web.visit import Anyone, PageRoute

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/")
async def start(visit: Anyone) -> Response:
    """Where one begins."""
    async with visit.river.db.read() as session:
        progress = await overview.progress(session)
    return visit.draw("start.html", progress=progress)

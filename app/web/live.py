"""What an open page asks every second: has anything changed?"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from app.store import members, overview
from app.web.visit import PageRoute, RiverDep, cookie_name

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/live")
async def version(request: Request, river: RiverDep) -> Response:
    """A text that differs when the page may have to look different. 401 where the session has ended."""
    async with river.db.read() as session:
        found = await members.session_of(session, request.cookies.get(cookie_name(river), ""), now=river.now())
        text = await overview.version(session) if found is not None else ""
    return PlainTextResponse(text, status_code=200 if found is not None else 401, headers={"Cache-Control": "no-store"})

"""The switch of the public voice, which stands on every page."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Response

from app.store import replies
from app.web.forms import PageError
from app.web.visit import FromAnyone, PageRoute, is_own_path

router = APIRouter(include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)


@router.post("/voice")
async def turn(sent: FromAnyone) -> Response:
    """Off: within a second no public word leaves any process. Everybody may turn it off, an approver on again."""
    visit, on = sent.visit, sent.text("on") == "yes"
    if on and not visit.may("voice_on"):
        raise PageError(403, visit.why_not("voice_on"))
    async with visit.river.db.begin() as session:
        await replies.turn_voice(session, on=on, by=visit.name, now=visit.now)
    log.warning("public voice turned", on=on, by=visit.name)
    back = sent.form.get("back", "")
    return visit.onwards(back.removeprefix(visit.prefix) if is_own_path(back) else "/")

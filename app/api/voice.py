"""The switch of the public voice."""

from __future__ import annotations

import structlog
from fastapi import APIRouter

from app.api import shapes
from app.api.access import Anyone, RiverDep
from app.api.problems import ProblemError
from app.steps.river import River
from app.store import replies

router = APIRouter(prefix="/voice", tags=["voice"])
log = structlog.get_logger(__name__)


async def _voice(river: River) -> shapes.VoiceOut:
    async with river.db.read() as session:
        row = await replies.voice(session)
    if row is None:
        return shapes.VoiceOut(on=True, changed_at=None, changed_by="")
    return shapes.VoiceOut(on=row.is_on, changed_at=row.changed_at, changed_by=row.changed_by)


@router.get("")
async def show_the_voice(river: RiverDep, _caller: Anyone) -> shapes.VoiceOut:
    """Whether anything is said in public."""
    return await _voice(river)


@router.put("")
async def turn_the_voice(river: RiverDep, caller: Anyone, body: shapes.VoiceIn) -> shapes.VoiceOut:
    """Off: within a second no public word leaves any process, until it is on again. Everybody may turn it off."""
    if body.on and caller.role not in {"approver", "admin"}:
        raise ProblemError(403, "everybody may switch the voice off; an approver or admin switches it on")
    async with river.db.begin() as session:
        await replies.turn_voice(session, on=body.on, by=caller.name, now=river.now())
    log.warning("public voice turned", on=body.on, by=caller.name)
    river.wake("deliver")
    return await _voice(river)

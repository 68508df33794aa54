"""Webhooks: proven on their raw bytes, stored under a unique key, answered at once, worked later."""

from __future__ import annotations

import json
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from app.api.access import RiverDep
from app.api.door import Door
from app.api.problems import PROBLEM_SCHEMA, problem
from app.api.values import PathId
from app.ports import BadSignatureError, Hook, OutsideError
from app.steps.river import River
from app.store import accounts
from app.store.deliveries import Call
from app.store.session import LOST_DATABASE, database_reason
from app.store.tables import Account, Tracker

router = APIRouter(prefix="/hooks", tags=["hooks"], include_in_schema=True)
log = structlog.get_logger(__name__)


class Stored(BaseModel):
    """Whether the call is new here; a redelivery is not, and adds nothing."""

    stored: bool


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Stored, "description": "It was here already."},
    202: {"model": Stored, "description": "Stored; it is worked later."},
    **{
        code: {"description": why, "content": {"application/problem+json": {"schema": PROBLEM_SCHEMA}}}
        for code, why in {
            400: "Signed, but not what this service sends.",
            401: "It does not prove who sent it; nothing was stored.",
            404: "There is no such connection here, or it has no webhooks.",
            413: "Larger than any honest call.",
            503: "It cannot be verified right now; deliver it again.",
        }.items()
    },
}
TO_A_HANDSHAKE: dict[int | str, dict[str, Any]] = {
    **ANSWERS,
    403: {**ANSWERS[401], "description": "It does not prove who began it, and is told nothing."},
    200: {
        "model": Stored,
        "description": "The answer to the handshake, as plain text; or it was here already.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    },
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "As the service on the other side sends and signs it.",
        "content": {"application/json": {"schema": {}, "examples": {"any": {"value": {"action": "closed"}}}}},
    }
}
KEPT_HEADERS = ("content-type", "user-agent")
"""Headers that are kept beside an event's own; never one that may carry a secret."""


async def door_of(request: Request) -> Door:
    """The process's door, put there by the composition root."""
    door: Door = request.app.state.door
    return door


DoorDep = Annotated[Door, Depends(door_of)]


@router.post("/trackers/{tracker_id}", status_code=202, responses=ANSWERS, openapi_extra=BODY)
async def tracker_hook(river: RiverDep, door: DoorDep, request: Request, tracker_id: PathId) -> Response:
    """A tracker's webhook. 401 without a valid signature (nothing is stored), 400 where the signed body is not JSON."""
    row = await door.tracker(tracker_id)
    if row is None:
        return problem(404, f"there is no tracker {tracker_id}")
    body = await request.body()
    try:
        hook = river.outside.tracker(row).receive(
            headers=dict(request.headers), query=dict(request.query_params), body=body
        )
    except BadSignatureError as error:
        return await _rejected(river, Tracker, row, str(error))
    except (ValueError, RecursionError) as error:
        return problem(400, _why_unreadable(error))
    except OutsideError as error:
        return problem(503, error.message)
    return await _keep(river, door, f"trackers/{tracker_id}", hook, request, body)


@router.get("/accounts/{account_id}", responses=TO_A_HANDSHAKE)
async def account_handshake(river: RiverDep, door: DoorDep, request: Request, account_id: PathId) -> Response:
    """The handshake with which some networks begin: 403 without the right word; 404 for a channel that has no webhooks."""
    return await _account_call(river, door, request, account_id)


@router.post("/accounts/{account_id}", status_code=202, responses=ANSWERS, openapi_extra=BODY)
async def account_hook(river: RiverDep, door: DoorDep, request: Request, account_id: PathId) -> Response:
    """A channel's webhook. 401 without a valid signature (nothing is stored); 404 for a channel that has none."""
    return await _account_call(river, door, request, account_id)


async def _account_call(river: River, door: Door, request: Request, account_id: int) -> Response:
    row = await door.account(account_id)
    if row is None:
        return problem(404, f"there is no account {account_id}")
    body = await request.body()
    try:
        hook = river.outside.channel(row).receive(
            method=request.method, headers=dict(request.headers), query=dict(request.query_params), body=body
        )
    except BadSignatureError as error:
        # A handshake carries no credentials that could be mended: networks expect to hear that it is not allowed.
        status = 403 if request.method == "GET" else 401
        return await _rejected(river, Account, row, str(error), status=status)
    except NotImplementedError:
        return problem(404, f"{row.channel} has no webhooks: account {account_id} is read by polling")
    except (ValueError, RecursionError) as error:
        return problem(400, _why_unreadable(error))
    except OutsideError as error:
        return problem(503, error.message)
    if hook.answer:
        return PlainTextResponse(hook.answer)
    return await _keep(river, door, f"accounts/{account_id}", hook, request, body)


def _why_unreadable(error: Exception) -> str:
    """What is wrong with a signed body; the parser's own words name a place in it and repeat nothing."""
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return "the signed body is not JSON"
    return str(error)


async def _rejected(
    river: River, table: type[accounts.C], row: Account | Tracker, why: str, *, status: int = 401
) -> Response:
    """Counted and shown, because a wrong secret on the other side must be seen; nothing else of the call is kept."""
    async with river.db.begin() as session:
        await accounts.reject(session, table, row.id, why=why, now=river.now())
    log.warning("webhook rejected", **{f"{table.__tablename__}_id": row.id}, why=why)
    return problem(status, why)


async def _keep(river: River, door: Door, name: str, hook: Hook, request: Request, body: bytes) -> Response:
    river.point("hook.received")
    call = Call(
        hook=name,
        key=hook.key,
        event=hook.event,
        headers={key: request.headers[key] for key in KEPT_HEADERS if key in request.headers},
        body=body,
        issues=list(hook.issues),
        everything=hook.everything,
        posts=list(hook.posts),
        received_at=river.now(),
    )
    try:
        is_new = await door.keep(call)
    except LOST_DATABASE as error:
        log.warning("webhook not stored", connection=name, why=database_reason(error))
        return problem(503, "the call was not stored, because the database does not answer: send it again")
    river.point("hook.stored")
    if is_new:
        river.wake("hear_deliveries")
    return JSONResponse({"stored": is_new}, status_code=202 if is_new else 200)

"""Webhooks: proven on their raw bytes, stored under a unique key, answered at once, worked later."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.api.access import RiverDep
from app.api.problems import problem
from app.ports import BadSignatureError, Hook, OutsideError
from app.steps.river import River
from app.store import accounts, deliveries
from app.store.tables import Account, Tracker

router = APIRouter(prefix="/hooks", tags=["hooks"], include_in_schema=True)
log = structlog.get_logger(__name__)

KEPT_HEADERS = ("content-type", "user-agent")
"""Headers that are kept beside an event's own; never one that may carry a secret."""


@router.post("/trackers/{tracker_id}", status_code=202)
async def tracker_hook(river: RiverDep, request: Request, tracker_id: int) -> Response:
    """A tracker's webhook. 401 without a valid signature (nothing is stored), 400 where the signed body is not JSON."""
    async with river.db.read() as session:
        row = await accounts.get(session, Tracker, tracker_id)
    if row is None:
        return problem(404, f"there is no tracker {tracker_id}")
    body = await request.body()
    try:
        hook = river.outside.tracker(row).receive(
            headers=dict(request.headers), query=dict(request.query_params), body=body
        )
    except BadSignatureError as error:
        return await _rejected(river, Tracker, row, str(error))
    except ValueError as error:
        return problem(400, str(error))
    except OutsideError as error:
        return problem(503, error.message)
    return await _keep(river, f"trackers/{tracker_id}", hook, request, body)


@router.api_route("/accounts/{account_id}", methods=["GET", "POST"])
async def account_hook(river: RiverDep, request: Request, account_id: int) -> Response:
    """A channel's webhook, and the handshake some of them begin with."""
    async with river.db.read() as session:
        row = await accounts.get(session, Account, account_id)
    if row is None:
        return problem(404, f"there is no account {account_id}")
    body = await request.body()
    try:
        hook = river.outside.channel(row).receive(
            method=request.method, headers=dict(request.headers), query=dict(request.query_params), body=body
        )
    except BadSignatureError as error:
        return await _rejected(river, Account, row, str(error))
    except NotImplementedError:
        return problem(404, f"{row.channel} has no webhooks: account {account_id} is read by polling")
    except ValueError as error:
        return problem(400, str(error))
    except OutsideError as error:
        return problem(503, error.message)
    return await _keep(river, f"accounts/{account_id}", hook, request, body)


async def _rejected(river: River, table: type[accounts.C], row: Account | Tracker, why: str) -> Response:
    """Counted and shown, because a wrong secret on the other side must be seen; nothing else of the call is kept."""
    async with river.db.begin() as session:
        await accounts.reject(session, table, row.id, why=why, now=river.now())
    log.warning("webhook rejected", connection=f"{table.__tablename__} {row.id}", why=why)
    return problem(401, why)


async def _keep(river: River, name: str, hook: Hook, request: Request, body: bytes) -> Response:
    headers = {key: request.headers[key] for key in KEPT_HEADERS if key in request.headers}
    river.point("hook.received")
    async with river.db.begin() as session:
        is_new = await deliveries.keep(
            session,
            hook=name,
            key=hook.key,
            event=hook.event,
            headers=headers,
            body=body,
            issues=list(hook.issues),
            everything=hook.everything,
            now=river.now(),
        )
    river.point("hook.stored")
    if is_new:
        river.wake("hear_deliveries")
    return JSONResponse({"stored": is_new}, status_code=202 if is_new else 200)

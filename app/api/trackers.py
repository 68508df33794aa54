"""Trackers: connected repositories and projects."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api import paging, shapes, views
from app.api.access import Admin, Anyone, Engineering, RiverDep
from app.api.problems import InvalidFieldsError
from app.api.values import PathId
from app.outside import UnknownKindError
from app.steps import connect
from app.steps.hear_tracker import pull
from app.steps.link import NotFoundError
from app.steps.owe import owe_next
from app.steps.preview import preview_policy
from app.steps.river import River
from app.store import accounts, deliveries
from app.store.tables import Tracker

router = APIRouter(prefix="/trackers", tags=["trackers"])


@router.post("", status_code=201)
async def connect_a_tracker(river: RiverDep, _caller: Admin, body: shapes.NewTracker) -> shapes.TrackerOut:
    """Connect a repository or project. Its credentials are tried at once; where they do not work, nothing is stored."""
    try:
        row = await connect.connect_tracker(
            river, kind=body.kind, name=body.name, settings=body.settings, secrets=body.secrets
        )
    except connect.BadFieldsError as error:
        raise InvalidFieldsError(error.errors) from error
    except UnknownKindError as error:
        raise InvalidFieldsError([("/kind", str(error))]) from error
    return views.tracker(row, river.outside)


@router.get("")
async def list_trackers(
    river: RiverDep, _caller: Anyone, limit: paging.Limit = 50, cursor: paging.Cursor = None
) -> paging.Page[shapes.TrackerOut]:
    """The connected repositories and projects."""
    async with river.db.read() as session:
        rows = await accounts.page(session, Tracker, after=paging.read(cursor) or 0, limit=limit + 1)
    return paging.page(rows, limit, show=lambda row: views.tracker(row, river.outside), position=lambda row: row.id)


@router.get("/{tracker_id}")
async def show_a_tracker(river: RiverDep, _caller: Anyone, tracker_id: PathId) -> shapes.TrackerOut:
    """One repository or project, with its settings and its health as last found."""
    return await _tracker(river, tracker_id)


async def _tracker(river: River, tracker_id: int) -> shapes.TrackerOut:
    async with river.db.read() as session:
        row = await accounts.get(session, Tracker, tracker_id)
    if row is None:
        raise NotFoundError(f"there is no tracker {tracker_id}")
    return views.tracker(row, river.outside)


@router.patch("/{tracker_id}")
async def change_a_tracker(
    river: RiverDep, _caller: Admin, tracker_id: PathId, body: shapes.TrackerPatch
) -> shapes.TrackerOut:
    """Change or reconnect a repository or project; merged and tried at once."""
    try:
        row = await connect.change_tracker(
            river, tracker_id, name=body.name, settings=body.settings, secrets=body.secrets
        )
    except connect.BadFieldsError as error:
        raise InvalidFieldsError(error.errors) from error
    return views.tracker(row, river.outside)


@router.delete("/{tracker_id}", status_code=204)
async def remove_a_tracker(river: RiverDep, _caller: Admin, tracker_id: PathId) -> Response:
    """Disconnect. Issues and loops stay; nothing about them is said while their evidence cannot be read."""
    await connect.remove(river, Tracker, tracker_id)
    return Response(status_code=204)


@router.post("/{tracker_id}/pull")
async def pull_a_tracker(river: RiverDep, _caller: Engineering, tracker_id: PathId) -> shapes.PulledIssues:
    """Read the tracker now; the answer comes when the facts are re-read and the loops have moved."""
    await _tracker(river, tracker_id)
    read = await pull(river, tracker_id)
    while await owe_next(river):
        pass
    return shapes.PulledIssues(issues=read)


@router.post("/{tracker_id}/preview")
async def preview_a_policy(
    river: RiverDep, _caller: Admin, tracker_id: PathId, body: shapes.PolicyTrial
) -> shapes.PreviewOut:
    """Which waiting customers would be told under other settings, and why the others not. Read now; nothing is changed."""
    try:
        found = await preview_policy(river, tracker_id, body.settings)
    except connect.BadFieldsError as error:
        raise InvalidFieldsError(error.errors) from error
    return views.preview(found)


@router.post("/choices")
async def ask_for_choices(river: RiverDep, _caller: Admin, body: shapes.TrackerTrial) -> shapes.ChoicesOut:
    """The names that the other side has for a tracker's settings, before it is connected. Nothing is stored."""
    try:
        found = await connect.choices(river, kind=body.kind, settings=body.settings, secrets=body.secrets)
    except connect.BadFieldsError as error:
        raise InvalidFieldsError(error.errors) from error
    except UnknownKindError as error:
        raise InvalidFieldsError([("/kind", str(error))]) from error
    return views.choices(found)


@router.get("/{tracker_id}/choices")
async def choices_of_a_tracker(river: RiverDep, _caller: Admin, tracker_id: PathId) -> shapes.ChoicesOut:
    """The names that the other side has for a connected tracker's settings, asked for now."""
    try:
        found = await connect.choices_of(river, tracker_id, settings={})
    except connect.BadFieldsError as error:
        raise InvalidFieldsError(error.errors) from error
    return views.choices(found)


@router.post("/{tracker_id}/hook")
async def set_up_a_trackers_hook(river: RiverDep, _caller: Admin, tracker_id: PathId) -> shapes.TrackerOut:
    """Set up the webhook on the tracker's own side, or put it right. Asked twice, it is the same hook."""
    return views.tracker(await connect.set_up_hook(river, Tracker, tracker_id), river.outside)


@router.get("/{tracker_id}/health")
async def tracker_health(river: RiverDep, _caller: Anyone, tracker_id: PathId) -> shapes.Health:
    """Whether the repository or project can be read, tried just now."""
    return views.health(await connect.probe(river, Tracker, tracker_id))


@router.get("/{tracker_id}/deliveries")
async def tracker_deliveries(
    river: RiverDep, _caller: Anyone, tracker_id: PathId, limit: paging.Limit = 50, cursor: paging.Cursor = None
) -> paging.Page[shapes.DeliveryOut]:
    """Webhook calls that came for it, newest first."""
    await _tracker(river, tracker_id)
    async with river.db.read() as session:
        rows = await deliveries.page(
            session, hook=f"trackers/{tracker_id}", before=paging.read(cursor), limit=limit + 1
        )
    return paging.page(rows, limit, show=views.delivery, position=lambda row: row.id)

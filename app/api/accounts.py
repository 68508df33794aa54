"""Accounts: our connected profiles."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api import paging, shapes, views
from app.api.access import Admin, Anyone, RiverDep, Triage
from app.api.problems import InvalidFieldsError
from app.api.values import PathId
from app.outside import UnknownKindError
from app.steps import connect
from app.steps.health import costs
from app.steps.hear_answer import hear_next
from app.steps.link import NotFoundError
from app.steps.river import River
from app.steps.take_in import take_in
from app.store import accounts
from app.store.tables import Account

router = APIRouter(prefix="/accounts", tags=["accounts"])


@router.post("", status_code=201)
async def connect_an_account(river: RiverDep, _caller: Admin, body: shapes.NewAccount) -> shapes.AccountOut:
    """Connect a profile. Its credentials are tried at once; where they do not work, nothing is stored."""
    try:
        row = await connect.connect_account(
            river, channel=body.channel, name=body.name, settings=body.settings, secrets=body.secrets, mode=body.mode
        )
    except connect.BadFieldsError as error:
        raise InvalidFieldsError(error.errors) from error
    except UnknownKindError as error:
        raise InvalidFieldsError([("/channel", str(error))]) from error
    return views.account(row, river.outside)


@router.get("")
async def list_accounts(
    river: RiverDep, _caller: Anyone, limit: paging.Limit = 50, cursor: paging.Cursor = None
) -> paging.Page[shapes.AccountOut]:
    """The connected profiles."""
    async with river.db.read() as session:
        rows = await accounts.page(session, Account, after=paging.read(cursor) or 0, limit=limit + 1)
    return paging.page(rows, limit, show=lambda row: views.account(row, river.outside), position=lambda row: row.id)


@router.get("/{account_id}")
async def show_an_account(river: RiverDep, _caller: Anyone, account_id: PathId) -> shapes.AccountOut:
    """One profile, with its settings and its health as last found."""
    return await _account(river, account_id)


async def _account(river: River, account_id: int) -> shapes.AccountOut:
    async with river.db.read() as session:
        row = await accounts.get(session, Account, account_id)
    if row is None:
        raise NotFoundError(f"there is no account {account_id}")
    return views.account(row, river.outside)


@router.patch("/{account_id}")
async def change_an_account(
    river: RiverDep, _caller: Admin, account_id: PathId, body: shapes.AccountPatch
) -> shapes.AccountOut:
    """Change or reconnect a profile. New secrets are merged and tried at once; what waited goes on by itself."""
    try:
        row = await connect.change_account(
            river, account_id, name=body.name, mode=body.mode, settings=body.settings, secrets=body.secrets
        )
    except connect.BadFieldsError as error:
        raise InvalidFieldsError(error.errors) from error
    return views.account(row, river.outside)


@router.delete("/{account_id}", status_code=204)
async def remove_an_account(river: RiverDep, _caller: Admin, account_id: PathId) -> Response:
    """Disconnect a profile. Posts and loops stay; what waited to be said through it is held."""
    await connect.remove(river, Account, account_id)
    return Response(status_code=204)


@router.post("/{account_id}/pull")
async def pull_an_account(river: RiverDep, _caller: Triage, account_id: PathId) -> shapes.PulledPosts:
    """Read the profile now; the answer comes when every page is taken in and answers are heard."""
    await _account(river, account_id)
    new = await take_in(river, account_id)
    while await hear_next(river):
        pass
    return shapes.PulledPosts(posts=new)


@router.post("/{account_id}/hook")
async def set_up_an_accounts_hook(river: RiverDep, _caller: Admin, account_id: PathId) -> shapes.AccountOut:
    """Have the network call us about this profile. Asked twice, it is the same hook; 409 where there are none."""
    return views.account(await connect.set_up_hook(river, Account, account_id), river.outside)


@router.get("/{account_id}/health")
async def account_health(river: RiverDep, _caller: Anyone, account_id: PathId) -> shapes.AccountHealth:
    """Whether the profile works, tried just now; when it was last read and spoken through, and what it costs."""
    row = await connect.probe(river, Account, account_id)
    async with river.db.read() as session:
        found = await costs(river, session, [row])
    return views.account_health(row, found[row.id])

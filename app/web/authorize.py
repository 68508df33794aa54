"""Connecting over a network's own page: the form that leads there, the way out, and the way back.

The way back is a plain GET that another website leads a browser to. The session's cookie is `Lax`, so that exactly this
brings it along; that the browser was sent out from here is proven by the state, which belongs to its session and works
once. The address with the code in it is never shown: every answer to it is a redirect.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.ports import OutsideError
from app.steps import authorize, connect
from app.steps.authorize import Entered, NotTakenBackError
from app.steps.link import NotFoundError
from app.web import connection_form, connections
from app.web.connection_form import Field
from app.web.drawing import web_link
from app.web.forms import Draft, PageError
from app.web.visit import Admin, FromAdmin, Number, PageRoute, RiverDep, Sent, SignedOutError, Visit, visitor

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.post("/connections/accounts/new/{kind}/authorize")
async def send_out(sent: FromAdmin, kind: str) -> Response:
    """Keep what was entered, and send the admin to the network's page."""
    visit = sent.visit
    adapter = connections.kind_of(visit, "accounts", kind)
    fields = connections.fields_of("accounts", adapter)
    before = await connections.entered_before(sent)
    entered = _entered(sent, fields, before)
    wrong = connections.wrong_name(entered.name)
    if not wrong:
        try:
            number = await authorize.begin(
                visit.river, channel=kind, entered=entered, session_id=visit.session_id, account_id=None
            )
        except (connect.BadFieldsError, OutsideError) as error:
            wrong = connections.wrong_of(fields, error)
        else:
            return visit.onwards(f"/connections/accounts/consent/{number}")
    draft = Draft(form="connect", values=entered.typed, wrong=wrong)
    return await connections.connect_page(visit, "accounts", kind, draft, before=before, status=422)


@router.post("/connections/accounts/{number}/authorize")
async def send_out_again(sent: FromAdmin, number: Number) -> Response:
    """The same for an account that is connected: what the network gives replaces what it gave before."""
    visit = sent.visit
    row = await connect.account(visit.river, number)
    fields = connections.fields_of("accounts", connections.kind_of(visit, "accounts", row.channel))
    before = await connections.entered_before(sent)
    secrets = {**(before.secrets if before else {}), **connection_form.read(fields, sent.form)["secrets"]}
    entered = Entered(name=row.name, mode=row.mode, settings={}, secrets=secrets, typed={})
    try:
        consent = await authorize.begin(
            visit.river, channel=row.channel, entered=entered, session_id=visit.session_id, account_id=number
        )
    except (connect.BadFieldsError, OutsideError) as error:
        draft = Draft(form="secrets", wrong=connections.wrong_secrets(fields, error))
        return await connections.page_of(visit, "accounts", number, draft, before=before, status=422)
    return visit.onwards(f"/connections/accounts/consent/{consent}")


def _entered(sent: Sent, fields: list[Field], before: Entered | None) -> Entered:
    values = connection_form.read(fields, sent.form)
    return Entered(
        name=sent.text("name"),
        mode=connections.mode_of(sent),
        settings={**values["settings"], **values["wording"]},
        secrets={**(before.secrets if before else {}), **values["secrets"]},
        typed=connection_form.typed(fields, sent.form),
    )


@router.get("/connections/accounts/consent/{number}")
async def leave(visit: Admin, number: Number) -> Response:
    """A page of ours that leads to the network's.

    No redirect: a form may not lead to another host (`form-action`), not even by one, while a page may go where it likes.
    """
    try:
        url = await authorize.onwards(visit.river, number, session_id=visit.session_id)
    except NotFoundError as error:
        raise PageError(404, str(error)) from error
    if not web_link(url):
        raise PageError(502, "The network's page has no address of the web, so nobody was sent there.")
    return visit.draw("leave.html", url=url)


async def _returned(request: Request, river: RiverDep) -> Visit:
    """Somebody who comes back. The sign-in is not asked to come here again: the code would lie in its address."""
    try:
        return await visitor("admin")(request, river)
    except SignedOutError:
        why = (
            "You are not signed in here, so nothing was changed. Sign in"
            f" at {river.outside.base_url} and begin again: it has to be the browser that you were sent out with."
        )
        raise PageError(401, why) from None


@router.get(authorize.COMES_BACK_TO)
async def come_back(
    visit: Annotated[Visit, Depends(_returned)], state: str = "", code: str = "", error: str = ""
) -> Response:
    """Take the admin back in: to the account, or to the form with what is wrong and all that was entered."""
    try:
        denied = error if re.fullmatch(r"[a-z_]{1,60}", error) else ""
        row = await authorize.finish(visit.river, state=state, code=code, denied=denied, session_id=visit.session_id)
    except NotTakenBackError as trouble:
        begun = trouble.consent
        if begun is None:
            return visit.onwards("/connections", did=trouble.way)
        form = f"/connections/accounts/{begun.account_id or f'new/{begun.channel}'}"
        went = trouble.way if trouble.way != "refused" else None
        return visit.onwards(form, again=begun.id, went=went)
    return visit.onwards(f"/connections/accounts/{row.id}", did="connected")

"""Coming in and going out: the link of the first start, invitations, name and password."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.steps import people
from app.steps.link import NotFoundError
from app.steps.river import River
from app.store import members
from app.web.forms import NO_DRAFT, Draft, read_form
from app.web.visit import (
    FromAnyone,
    PageRoute,
    RiverDep,
    cookie_name,
    is_own_path,
    page,
    prefix_of,
    refuse_foreign,
)

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/sign-in")
async def ask(river: RiverDep, next: str = "") -> Response:
    """Name and password, please."""
    return await _ask(river, NO_DRAFT, onwards=next)


async def _ask(river: River, draft: Draft, *, onwards: str, status: int = 200) -> Response:
    async with river.db.read() as session:
        has_members = await members.has_members(session)
    return page(river, "sign_in.html", status=status, draft=draft, onwards=onwards, has_members=has_members)


@router.post("/sign-in")
async def sign_in(request: Request, river: RiverDep) -> Response:
    """Let somebody in."""
    refuse_foreign(request, river)
    form = await read_form(request)
    onwards = form.get("next", "")
    try:
        token = await people.sign_in(
            river,
            name=form.get("name", ""),
            password=form.get("password", ""),
            address=request.client.host if request.client else "",
            browser=browser_of(request),
        )
    except people.NotLetInError as error:
        draft = Draft(form="sign-in", values={"name": form.get("name", "")}, wrong={"password": str(error)})
        return await _ask(river, draft, onwards=onwards, status=403)
    return _let_in(river, token, onwards)


@router.get("/sign-in/{link}")
async def open_link(river: RiverDep, link: str) -> Response:
    """What a sign-in link opens: choose name and password."""
    return await _choose(river, link, NO_DRAFT)


async def _choose(river: River, link: str, draft: Draft, *, status: int = 200) -> Response:
    found = await people.invitation(river, link)
    if found is None:
        why = (
            "This link was used already, was withdrawn, or has expired. If you have signed up, sign in with your "
            "name and password; otherwise ask an admin for a new link."
        )
        return page(river, "wrong.html", status=404, why=why, visit=None)
    return page(
        river, "sign_up.html", status=status, link=link, found=found, draft=draft, min_password=people.MIN_PASSWORD
    )


@router.post("/sign-in/{link}")
async def take_up_link(request: Request, river: RiverDep, link: str) -> Response:
    """Become a member, or choose a new password, and be let in."""
    refuse_foreign(request, river)
    form = await read_form(request)
    try:
        token = await people.sign_up(
            river, link, name=form.get("name", ""), password=form.get("password", ""), browser=browser_of(request)
        )
    except people.BadFieldError as error:
        draft = Draft(form="sign-up", values={"name": form.get("name", "")}, wrong={error.field: error.message})
        return await _choose(river, link, draft, status=422)
    except NotFoundError:
        return await _choose(river, link, NO_DRAFT)
    return _let_in(river, token, "/")


@router.post("/sign-out")
async def sign_out(sent: FromAnyone) -> Response:
    """End this session."""
    visit = sent.visit
    await people.sign_out(visit.river, visit.session_id)
    answer = RedirectResponse(f"{visit.prefix}/sign-in", status_code=303)
    answer.delete_cookie(
        cookie_name(visit.river), path=visit.prefix or "/", secure=_is_https(visit.river), httponly=True, samesite="lax"
    )
    return answer


def _let_in(river: River, token: str, onwards: str) -> Response:
    prefix = prefix_of(river)
    answer = RedirectResponse(prefix + (onwards if is_own_path(onwards) else "/"), status_code=303)
    answer.set_cookie(
        cookie_name(river),
        token,
        max_age=int(people.SESSION_LIVES.total_seconds()),
        path=prefix or "/",
        secure=_is_https(river),
        httponly=True,
        samesite="lax",
    )
    return answer


def _is_https(river: River) -> bool:
    return urlsplit(river.outside.base_url).scheme == "https"


BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_of(request: Request) -> str:
    """A browser as its owner would call it, so that they know it again in a list."""
    agent = request.headers.get("user-agent", "")
    browser = next((name for sign, name in BROWSERS if re.search(rf"\b{sign}(iOS)?/", agent)), "")
    system = next((name for sign, name in SYSTEMS if sign in agent), "")
    return " on ".join(part for part in (browser or "A browser", system) if part)

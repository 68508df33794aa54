"""Who visits a page, what they may do there, and how a page leaves."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

import structlog
from fastapi import Depends, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from app.ports import OutsideError
from app.rules.progress import UnlawfulMoveError
from app.steps.link import ConflictError, NotFoundError
from app.steps.people import Role, role_of
from app.steps.river import River
from app.store import members, overview
from app.web import access
from app.web.access import Right
from app.web.drawing import HEADERS, render
from app.web.forms import Form, PageError, read_form, sentence

log = structlog.get_logger(__name__)

MISTAKE = "Fullcircle made a mistake. Nothing was half done; try again, and the log tells the operator what it was."
NOTE_USE_EVERY = timedelta(minutes=5)

Number = Annotated[int, Path(ge=1, le=2**53)]


class SignedOutError(Exception):
    """Nobody is signed in; a page leads to the sign-in, a form is answered with why nothing was done."""


def river_of(request: Request) -> River:
    """The process's river, put there by the composition root."""
    river: River = request.app.state.river
    return river


RiverDep = Annotated[River, Depends(river_of)]


def prefix_of(river: River) -> str:
    """The path below which Fullcircle is served."""
    return urlsplit(river.outside.base_url).path.rstrip("/")


def cookie_name(river: River) -> str:
    """Browsers keep a `__Host-` cookie from every other host and from plain http."""
    plain = prefix_of(river) or urlsplit(river.outside.base_url).scheme != "https"
    return "fullcircle" if plain else "__Host-fullcircle"


def page(river: River, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page outside the frame, for nobody in particular."""
    text = render(template, prefix=prefix_of(river), now=river.now(), **context)
    return HTMLResponse(text, status_code=status, headers=dict(HEADERS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request by somebody who is signed in."""

    river: River
    request: Request
    member_id: int
    name: str
    role: Role
    session_id: int
    csrf: str
    rail: overview.Rail
    now: datetime

    def may(self, right: Right) -> bool:
        """Whether they have a right; a page shows what they have not with the reason."""
        return access.may(self.role, right)

    def why_not(self, right: Right) -> str:
        """Why they have not; empty where they have."""
        return access.why_not(self.role, right)

    @property
    def prefix(self) -> str:
        """The path below which Fullcircle is served."""
        return prefix_of(self.river)

    @property
    def here(self) -> str:
        """The present page's own path and query, to come back to."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def draw(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """One page in its frame."""
        return page(self.river, template, status=status, visit=self, rail=self.rail, csrf=self.csrf, **context)

    def onwards(self, path: str, fragment: str = "", **query: object) -> RedirectResponse:
        """After a change: the worker is woken, and they see the page anew."""
        self.river.wake()
        words = urlencode({name: value for name, value in query.items() if value not in {None, ""}})
        end = (f"?{words}" if words else "") + (f"#{fragment}" if fragment else "")
        return RedirectResponse(f"{self.prefix}{path}{end}", status_code=303)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A form that somebody sent from one of these pages and may send."""

    visit: Visit
    form: Form = field(repr=False)

    def text(self, name: str) -> str:
        """A field without the space around it."""
        return self.form.get(name, "").strip()

    def number(self, name: str) -> int | None:
        """A field that holds a row's number, or None."""
        text = self.text(name)
        return int(text) if re.fullmatch(r"[1-9]\d{0,15}", text) else None


def csrf_of(session_token: str) -> str:
    """What each form of one session carries; known to nobody who does not hold the session."""
    return hmac.new(session_token.encode(), b"the forms of this session", hashlib.sha256).hexdigest()


def refuse_foreign(request: Request, river: River) -> None:
    """PageError for a form that another website made the browser send.

    Browsers say where a form came from in Sec-Fetch-Site, or at least in Origin; what sends neither is no browser.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        is_foreign = site not in {"same-origin", "none"}
    else:
        ours = {request.headers.get("host", ""), urlsplit(river.outside.base_url).netloc}
        is_foreign = origin is not None and urlsplit(origin).netloc not in ours
    if is_foreign:
        raise PageError(403, "This form was sent from another website, so nothing was done.")


async def _visit(request: Request, river: River) -> Visit:
    token = request.cookies.get(cookie_name(river), "")
    if not token:
        raise SignedOutError
    now = river.now()
    async with river.db.read() as session:
        found = await members.session_of(session, token, now=now)
        if found is None:
            raise SignedOutError
        rail = await overview.rail(session)
    row, member = found
    if row.used_at is None or now - row.used_at > NOTE_USE_EVERY:
        async with river.db.begin() as session:
            await members.mark_used(session, row.id, now=now)
    visit = Visit(
        river=river,
        request=request,
        member_id=member.id,
        name=member.name,
        role=role_of(member.role),
        session_id=row.id,
        csrf=csrf_of(token),
        rail=rail,
        now=now,
    )
    request.state.visit = visit
    return visit


def visitor(right: Right) -> Callable[..., Awaitable[Visit]]:
    """A dependency that lets those in who have a right."""

    async def check(request: Request, river: RiverDep) -> Visit:
        visit = await _visit(request, river)
        if not visit.may(right):
            raise PageError(403, visit.why_not(right))
        return visit

    return check


def sender(right: Right) -> Callable[..., Awaitable[Sent]]:
    """A dependency that takes a form from those who have a right, sent from a page of their own session."""

    async def check(request: Request, river: RiverDep) -> Sent:
        refuse_foreign(request, river)
        visit = await _visit(request, river)
        if not visit.may(right):
            raise PageError(403, visit.why_not(right))
        form = await read_form(request)
        if not hmac.compare_digest(form.get("csrf", "").encode(), visit.csrf.encode()):
            raise PageError(
                403,
                "This form belongs to an earlier sign-in, so nothing was done. Go back, reload the page, send again.",
            )
        return Sent(visit=visit, form=form)

    return check


Anyone = Annotated[Visit, Depends(visitor("look"))]
Admin = Annotated[Visit, Depends(visitor("admin"))]

FromAnyone = Annotated[Sent, Depends(sender("look"))]
FromTriage = Annotated[Sent, Depends(sender("triage"))]
FromEngineering = Annotated[Sent, Depends(sender("engineering"))]
FromApprover = Annotated[Sent, Depends(sender("approval"))]
FromAdmin = Annotated[Sent, Depends(sender("admin"))]


def is_own_path(text: str) -> bool:
    """Whether this is a path on these pages: nothing that leads a browser to another host."""
    return re.fullmatch(r"/(?![/\\])[!-~]*", text) is not None and "\\" not in text


class PageRoute(APIRoute):
    """Routes whose errors are pages too, whatever the API around them makes of errors."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with every error of a person's doing drawn for a person."""
        handle = super().get_route_handler()

        async def handle_as_page(request: Request) -> Response:
            try:
                return await handle(request)
            except SignedOutError:
                return _signed_out(request)
            except PageError as error:
                return _wrong(request, error.status, error.why)
            except NotFoundError as error:
                return _wrong(request, 404, sentence(error))
            except (ConflictError, UnlawfulMoveError) as error:
                return _wrong(request, 409, sentence(error))
            except OutsideError as error:
                return _wrong(request, 502, sentence(error.message))
            except RequestValidationError:
                return _wrong(request, 404, "There is nothing at this address.")
            except Exception:
                log.exception("page failed", method=request.method, path=request.url.path)
                return _wrong(request, 500, MISTAKE)

        return handle_as_page


def _signed_out(request: Request) -> Response:
    river = river_of(request)
    if request.method == "GET":
        here = request.url.path.removeprefix(prefix_of(river)) or "/"
        query = f"?{request.url.query}" if request.url.query else ""
        ask = f"?next={quote(here + query)}" if (here, query) != ("/", "") else ""
        return RedirectResponse(f"{prefix_of(river)}/sign-in{ask}", status_code=303)
    why = "You are signed out, so nothing was done. Sign in in another window, then come back here and send again."
    return page(river, "wrong.html", status=401, why=why, visit=None)


def _wrong(request: Request, status: int, why: str) -> Response:
    visit: Visit | None = getattr(request.state, "visit", None)
    if visit is None:
        return page(river_of(request), "wrong.html", status=status, why=why, visit=None)
    return visit.draw("wrong.html", status=status, why=why)

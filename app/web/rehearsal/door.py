"""The way in and out of the rehearsal pages: who may send a form, which scenes there are, how a page is drawn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import HTTPException, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.ports import Stage
from app.rules.texts import LANGUAGES
from app.staging import MAX_CHARS, SCENE
from app.web.rehearsal.forms import SHORT_ANSWERS, Form, read_form

TEMPLATES = Path(__file__).parents[1] / "templates" / "rehearsal"

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # Not `no-referrer`: a browser would then call the origin of our own forms 'null'.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

SceneName = Annotated[str, InPath(pattern=SCENE)]
Number = Annotated[int, InPath(ge=1, le=10**15)]


@dataclass(frozen=True, kw_only=True)
class Door:
    """What every rehearsal page needs, and the checks that each visit passes."""

    stage: Stage
    base_url: str
    wake: Callable[[], None]
    scenes: Callable[[], Awaitable[Collection[str]]] | None
    now: Callable[[], datetime]
    prefix: str = field(init=False)
    _environment: Environment = field(init=False)

    def __post_init__(self) -> None:
        prefix = urlsplit(self.base_url).path.rstrip("/")
        object.__setattr__(self, "prefix", prefix)
        object.__setattr__(self, "_environment", _environment(prefix))

    async def enter(self, scene: str) -> None:
        """404 where the scene is not one that is connected."""
        if self.scenes is not None and scene not in await self.scenes():
            raise HTTPException(404, f"No rehearsal is going on at '{scene}'.")

    async def submitted(self, request: Request, scene: str) -> Form:
        """The fields of a form that a visitor of these very pages sent."""
        self._refuse_foreign(request)
        await self.enter(scene)
        return await read_form(request)

    def _refuse_foreign(self, request: Request) -> None:
        """403 for a form that another website made the browser send.

        Browsers say where a form came from in Sec-Fetch-Site, or at least in Origin; what sends neither is no browser.
        """
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        if site is not None:
            is_foreign = site not in {"same-origin", "none"}
        else:
            ours = {request.headers.get("host", ""), urlsplit(self.base_url).netloc}
            is_foreign = origin is not None and urlsplit(origin).netloc not in ours
        if is_foreign:
            raise HTTPException(403, "This form was sent from another website, so nothing was done.")

    def onwards(self, where: str) -> RedirectResponse:
        """After a change: the worker is woken, and the visitor sees the page anew."""
        self.wake()
        return RedirectResponse(f"{self.prefix}/rehearsal/{where}", status_code=303)

    def draw(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """One page."""
        page = self._environment.get_template(template).render(**context)
        return HTMLResponse(page, status_code=status, headers=HEADERS)


def _environment(prefix: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(prefix=prefix, languages=LANGUAGES, short_answers=SHORT_ANSWERS, max_chars=MAX_CHARS)
    environment.filters["moment"] = _moment
    return environment


def _moment(at: datetime) -> str:
    """A time as a person reads it, in the one zone that is the same for everybody."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b, %H:%M} UTC"


def page_route(door: Door) -> type[APIRoute]:
    """Routes whose errors are pages too, whatever the API around them makes of errors."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_as_page(request: Request) -> Response:
                try:
                    return await handle(request)
                except HTTPException as error:
                    return door.draw("wrong.html", status=error.status_code, why=error.detail)
                except RequestValidationError:
                    return door.draw("wrong.html", status=404, why="There is nothing at this address.")

            return handle_as_page

    return PageRoute

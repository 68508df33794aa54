"""Over a network's own page and back in Chromium: cookies, content policies and redirects as a real browser takes them."""

from __future__ import annotations

import asyncio
import contextlib
import html
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from playwright.async_api import BrowserContext, async_playwright, expect

from app.main import make_app_of
from app.store import members
from tests.support.chromium import PHONE, PICTURES, QUIET, WIDE
from tests.support.circle import Circle, circle
from tests.support.databases import SqliteDatabases, make_schema
from tests.support.pages import signed_in
from tests.support.permit import CLIENT, Office, installed
from tests.support.ports import free_port


def networks_page(office: Office, played: Circle) -> FastAPI:
    """The other side: one page, a form that says yes and a link that says no; the yes is a POST answered with 302."""
    app = FastAPI()

    @app.get("/authorize")
    async def ask(request: Request) -> Response:
        asked = html.escape(str(request.url.query))
        no = urlencode({"error": "access_denied", "state": request.query_params["state"]})
        back = html.escape(f"{request.query_params['redirect_uri']}?{no}")
        return HTMLResponse(
            f'<h1>Permit</h1><form method="post" action="/authorize?{asked}"><button>Allow</button></form>'
            f'<a href="{back}">Deny</a><p id="referrer">{html.escape(request.headers.get("referer", "none"))}</p>'
        )

    @app.post("/authorize")
    async def agree(request: Request) -> Response:
        answer = office.agree(str(request.url), as_="acme", now=played.clock())
        return RedirectResponse(f"{request.query_params['redirect_uri']}?{urlencode(answer)}", status_code=302)

    return app


@asynccontextmanager
async def serving(app: FastAPI, port: int) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off"))
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110  (it has no event)
        await asyncio.sleep(0.02)
    yield
    server.should_exit = True
    await task


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[tuple[Circle, Office, BrowserContext]]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    url = SqliteDatabases(tmp_path).copy_of("schema", make_schema)
    async with contextlib.AsyncExitStack() as stack:
        played = await stack.enter_async_context(circle(url))
        office, ours, theirs = installed(played), free_port(), free_port()
        played.river.outside.base_url = f"http://127.0.0.1:{ours}"
        office.page = f"http://localhost:{theirs}/authorize"  # another site, as a browser sees it
        await stack.enter_async_context(serving(make_app_of(played.river, played.stage), ours))
        await stack.enter_async_context(serving(networks_page(office, played), theirs))
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=program, args=QUIET)
        context = await browser.new_context(viewport=WIDE, base_url=played.river.outside.base_url)  # type: ignore[arg-type]
        token = (await signed_in(played, "admin")).http.cookies["fullcircle"]
        cookie = {"name": "fullcircle", "value": token, "url": played.river.outside.base_url, "sameSite": "Lax"}
        await context.add_cookies([{**cookie, "httpOnly": True}])  # type: ignore[typeddict-item, list-item]
        yield played, office, context
        await browser.close()


async def test_there_and_back_in_a_browser(place: tuple[Circle, Office, BrowserContext]) -> None:
    played, office, context = place
    PICTURES.mkdir(parents=True, exist_ok=True)
    page = await context.new_page()
    troubles: list[str] = []
    ours = played.river.outside.base_url
    page.on(
        "console",
        lambda said: troubles.append(said.text) if said.type == "error" and ours in said.location["url"] else None,
    )
    page.on("pageerror", lambda error: troubles.append(str(error)))

    await page.goto("/connections/accounts/new/permit")
    await page.get_by_label("Name here").fill("Acme on Permit")
    await page.get_by_label("Client id").fill(CLIENT["client_id"])
    await page.get_by_label("Client secret").fill(CLIENT["client_secret"])
    await page.screenshot(path=PICTURES / "authorize-form.png", full_page=True)
    await page.get_by_role("button", name="Continue to Permit").click()
    await expect(page.get_by_role("heading", name="Permit")).to_be_visible()
    assert page.url.startswith(office.page), "by one click, without another"
    assert await page.locator("#referrer").text_content() == "none"

    await page.get_by_role("link", name="Deny").click()
    await expect(page.get_by_role("alert")).to_contain_text("Permit did not let us in (access_denied)")
    await expect(page.get_by_label("Name here")).to_have_value("Acme on Permit")
    await page.screenshot(path=PICTURES / "authorize-denied.png", full_page=True)

    await page.get_by_role("button", name="Continue to Permit").click()
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_role("heading", name="Acme on Permit")).to_be_visible()
    await expect(page.get_by_text("Connected. It is read from now on.")).to_be_visible()
    assert "code" not in page.url
    await page.go_back()
    assert "code=" not in page.url, "no address of the way back stays in the history"

    await page.goto("/connections/accounts/1")
    await page.get_by_role("button", name="Connect again on Permit").click()
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_text("Connected. It is read from now on.")).to_be_visible()
    await page.screenshot(path=PICTURES / "authorize-account.png", full_page=True)
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await page.screenshot(path=PICTURES / "authorize-account-phone.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert troubles == []
    async with played.river.db.read() as session:
        assert len(await members.members(session)) == 1

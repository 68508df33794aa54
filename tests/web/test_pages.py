"""What holds on every page: who may do what, how it is made, what it weighs and what it asks of the database."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from app import web
from app.steps import people
from tests.support.circle import Circle, circle, circle_after
from tests.support.databases import Databases
from tests.support.pages import SHOWN, browser, complain, lively, signed_in

STATIC = Path(__file__).parents[2] / "app" / "web" / "static"

EVERYBODY = frozenset(people.ROLES)
TRIAGE = frozenset({"triager", "approver", "admin"})
ENGINEERING = frozenset({"engineer", "approver", "admin"})
APPROVAL = frozenset({"approver", "admin"})
ADMIN = frozenset({"admin"})

PAGES = {
    "/": EVERYBODY,
    "/triage": EVERYBODY,
    "/loops": EVERYBODY,
    "/loops/{loop_id}": EVERYBODY,
    "/customers": EVERYBODY,
    "/customers/{customer_id}": EVERYBODY,
    "/issues": EVERYBODY,
    "/issues/{issue_id}": EVERYBODY,
    "/replies": EVERYBODY,
    "/replies/{reply_id}": EVERYBODY,
    "/texts": EVERYBODY,
    "/connections": EVERYBODY,
    "/connections/{sort}/{number}": EVERYBODY,
    "/connections/{sort}/new/{kind}": ADMIN,
    "/people": EVERYBODY,
    "/people/me": EVERYBODY,
}
FORMS = {
    "/voice": EVERYBODY,
    "/sign-out": EVERYBODY,
    **{
        f"/triage/{{post_id}}/{deed}": TRIAGE
        for deed in ("dismiss", "restore", "untag", "tag", "link", "issue", "answer")
    },
    "/triage/take-in": TRIAGE,
    "/triage/by-hand": TRIAGE,
    **{f"/loops/{{loop_id}}/{deed}": TRIAGE for deed in ("change", "move", "reply", "link", "issue", "unlink")},
    "/loops/{loop_id}/note": EVERYBODY,
    "/loops/{loop_id}/tell": APPROVAL,
    **{f"/customers/{{customer_id}}/{deed}": TRIAGE for deed in ("join", "part", "suppress")},
    "/customers/{customer_id}/lift": APPROVAL,
    **{f"/issues/{{issue_id}}/{deed}": ENGINEERING for deed in ("hold", "release", "look")},
    "/replies/{reply_id}/edit": TRIAGE,
    "/replies/{reply_id}/count": TRIAGE,
    **{f"/replies/{{reply_id}}/{deed}": TRIAGE for deed in ("take-over", "posted", "not-posted")},
    "/replies/{reply_id}/{deed}": APPROVAL,
    "/texts": APPROVAL,
    "/texts/back": APPROVAL,
    "/connections/{sort}/new/{kind}": ADMIN,
    "/connections/accounts/new/{kind}/authorize": ADMIN,
    "/connections/accounts/{number}/authorize": ADMIN,
    "/connections/trackers/new/{kind}/choices": ADMIN,
    "/connections/trackers/{number}/choices": ADMIN,
    "/connections/trackers/{number}/preview": ADMIN,
    "/connections/{sort}/{number}/hook": ADMIN,
    **{f"/connections/{{sort}}/{{number}}/{deed}": ADMIN for deed in ("settings", "secrets", "test", "read", "remove")},
    "/people/invite": ADMIN,
    "/people/invitations/{token_id}/withdraw": ADMIN,
    "/people/tokens/{token_id}/revoke": ADMIN,
    **{f"/people/{{member_id}}/{deed}": ADMIN for deed in ("role", "disable", "enable", "sign-out", "link")},
    "/people/me/password": EVERYBODY,
    "/people/me/sessions/{token_id}/end": EVERYBODY,
    "/people/me/sessions/end": EVERYBODY,
}
FOR_NOBODY_IN_PARTICULAR = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/{link}"),
    ("POST", "/sign-in/{link}"),
    ("GET", "/live"),
}


OVER_A_NETWORKS_PAGE = {("GET", "/connections/accounts/consent/{number}"), ("GET", "/accounts/authorized")}
"""Tried in test_authorize.py: they lead to another page and back."""


@pytest.fixture
async def played(databases: Databases) -> AsyncIterator[Circle]:
    async with circle_after(lively, databases, product="Acme") as made:
        yield made


def addressed(path: str) -> str:
    """A path with something in each of its holes."""
    holes = {
        "sort": "accounts",
        "kind": "rehearsal",
        "deed": "hold",
        "number": "1",
        "loop_id": "1",
        "issue_id": "1",
        "reply_id": "1",
    }
    return re.sub(r"\{(\w+)\}", lambda hole: holes.get(hole[1], "1"), path)


def routes(played: Circle) -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for router in web.routers(played.river, played.stage)
        for route in router.routes
        if isinstance(route, APIRoute) and not route.path.startswith("/rehearsal")
        for method in route.methods
    }


async def test_every_route_has_its_line_here(played: Circle) -> None:
    named = {("GET", path) for path in PAGES} | {("POST", path) for path in FORMS}
    named |= FOR_NOBODY_IN_PARTICULAR | OVER_A_NETWORKS_PAGE
    assert routes(played) == named


@pytest.mark.parametrize("role", people.ROLES)
async def test_each_role_may_do_what_is_its_own_and_nothing_else(played: Circle, role: people.Role) -> None:
    visitor = await signed_in(played, role)
    for path, allowed in PAGES.items():
        answer = await visitor.http.get(addressed(path))
        assert (answer.status_code == 200) == (role in allowed), (path, answer.status_code)
        if role not in allowed:
            assert answer.status_code == 403
            assert f"You are a{'n' if role[0] in 'ae' else ''} {role}" in answer.text
    csrf = (await visitor.open("/")).form("/voice").fields["csrf"]
    for path, allowed in FORMS.items():
        if path == "/sign-out":
            continue
        # A row that is not there: allowed is whatever is refused for that, or for an empty form.
        there = re.sub(r"\{(?!sort|kind|deed)\w+\}", "987654321", path)
        answer = await visitor.http.post(
            addressed(there), data={"csrf": csrf}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        if role in allowed:
            assert answer.status_code in {200, 303, 404, 422}, (path, answer.status_code, answer.text)
        else:
            assert answer.status_code == 403, path
            assert "Only a" in answer.text


async def test_nobody_who_is_not_signed_in_sees_or_does_anything(played: Circle) -> None:
    stranger = browser(played)
    for path in PAGES:
        answer = await stranger.http.get(addressed(path))
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/sign-in")
    for path in FORMS:
        answer = await stranger.http.post(addressed(path), data={"csrf": "x"})
        assert answer.status_code == 401, path
    assert (await stranger.http.get("/live")).status_code == 401
    assert (await played.get("/api/v1/voice"))["on"] is True


@pytest.mark.parametrize("role", people.ROLES)
async def test_a_button_that_one_may_not_press_is_disabled_and_says_why(played: Circle, role: people.Role) -> None:
    visitor = await signed_in(played, role)
    for path in (
        "/triage?post=5",
        "/loops/2",
        "/replies",
        "/replies/2",
        "/customers/1",
        "/customers/2?find=cleo",
        "/issues/3",
        "/connections/accounts/1",
        "/people",
    ):
        page = await visitor.open(path)
        for form in page.forms:
            if form.method != "post":
                continue
            action = form.action.partition("?")[0]
            allowed = next(
                (
                    roles
                    for pattern, roles in FORMS.items()
                    if re.fullmatch(re.sub(r"\{\w+\}", r"[\\w-]+", pattern), action)
                ),
                None,
            )
            assert allowed is not None, f"{path} has a form to {action}"
            exact = FORMS.get(re.sub(r"/\d+/", "/{reply_id}/", action), allowed)
            if role not in exact:
                assert form.disabled, f"{path}: a {role} can press {action}"
                assert "Only a" in page.words or any("Only a" in title for title in page.values("title")), path


async def test_no_page_weighs_more_than_100_kb(played: Circle) -> None:
    admin = await signed_in(played, "admin")
    long = "Ça bloque à 99 % depuis mardi, avec 日本語 and <b>some</b> & more. " * 7
    for number in range(55):
        await complain(played, long, handle=f"c{number}", name="A rather long name for a person " + str(number))
    files = sum(len((STATIC / name).read_bytes()) for name in ("app.css", "app.js", "ring.svg"))
    weights = {}
    for path in SHOWN:
        await admin.open(path)
        assert admin.page is not None
        weights[path] = len(admin.page.content) + files
    assert max(weights.values()) < 100_000, weights


def test_the_script_is_small_and_nothing_is_fetched_from_elsewhere() -> None:
    assert len((STATIC / "app.js").read_bytes()) < 20_000
    for name in ("app.css", "app.js"):
        assert not re.search(r"https?://|@import|url\(", (STATIC / name).read_text(encoding="utf-8")), name


def test_colours_are_named_in_the_tokens_only() -> None:
    rules = (STATIC / "app.css").read_text(encoding="utf-8").partition("* { box-sizing")[2]
    assert not re.search(r"oklch\(|rgb\(|rgba\(|hsl|#[0-9a-f]{3,8}\b", rules.replace("in oklch", ""))


async def test_a_nonsense_address_is_answered_with_a_page(played: Circle) -> None:
    admin = await signed_in(played, "admin")
    for path in (
        "/loops/0",
        "/loops/x",
        "/loops/987654",
        "/issues/987654",
        "/replies/987654",
        "/triage?post=987654",
        "/triage?state=odd",
        "/loops?state=odd",
        "/connections/accounts/987654",
        "/connections/elsewhere/1",
        "/connections/accounts/new/elsewhere",
        "/issues?after=1;2",
    ):
        page = await admin.open(path, status=404)
        assert "That did not work" in page.words, path


async def test_where_there_is_nothing_a_browser_gets_a_page_and_a_program_a_problem(played: Circle) -> None:
    stranger = browser(played)
    for path, accepts, kind in (
        ("/nothing/here", "text/html,*/*", "text/html; charset=utf-8"),
        ("/nothing/here", "application/json", "application/problem+json"),
        ("/api/v1/nothing", "text/html,*/*", "application/problem+json"),
    ):
        answer = await stranger.http.get(path, headers={"Accept": accepts})
        assert (answer.status_code, answer.headers["content-type"]) == (404, kind), path
    assert (
        "default-src 'none'"
        in (await stranger.http.get("/nothing", headers={"Accept": "text/html"})).headers["content-security-policy"]
    )


async def test_pages_work_below_a_path(database_url: str) -> None:
    async with circle(database_url) as made:
        made.river.outside.base_url = "https://acme.example/full"
        await made.connect_rehearsal()
        admin = await signed_in(made, "admin")
        page = await admin.http.get("/loops")
        assert 'href="/full/static/app.css?v=' in page.text
        assert 'action="/full/voice"' in page.text
        assert 'href="/full/triage"' in page.text
        answer = await browser(made).http.get("/loops?all=1")
        assert answer.headers["location"] == "/full/sign-in?next=/loops%3Fall%3D1"

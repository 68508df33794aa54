"""What the pages ask the store for, on both kinds of database: every page drawn, its queries counted, its version moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from app.steps import people
from app.store import members
from tests.support import on_both
from tests.support.circle import Circle, circle_after
from tests.support.databases import Databases
from tests.support.pages import SHOWN, Browser, Markup, browser, complain, lively, signed_in

databases = on_both.databases


@pytest.fixture
async def played(databases: Databases) -> AsyncIterator[Circle]:
    async with circle_after(lively, databases, product="Acme") as made:
        yield made


async def test_every_page_is_sound_and_loads_nothing_from_elsewhere(played: Circle) -> None:
    admin = await signed_in(played, "admin")
    stranger = browser(played)
    async with played.river.db.begin() as session:
        link = await members.make_token(
            session, name="Bo", role="triager", now=played.clock(), kind="link", lives=people.LINK_LIVES
        )
    for visitor, path in [*((admin, path) for path in SHOWN), (stranger, "/sign-in"), (stranger, f"/sign-in/{link}")]:
        page = await visitor.open(path)
        assert visitor.page is not None
        headers = visitor.page.headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert_sound(page, path)


def assert_sound(page: Markup, path: str) -> None:
    twice = [name for name, count in Counter(page.values("id")).items() if count > 1]
    assert twice == [], f"{path}: ids stand twice"
    assert page.values("style") == [], path
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")], path
    assert not [tag for tag, _ in page.tags if tag in {"style", "img", "iframe", "object", "embed"}], path
    assert all((attrs.get("src") or "").startswith("/static/") for tag, attrs in page.tags if tag == "script"), path
    assert all((attrs.get("href") or "").startswith("/static/") for tag, attrs in page.tags if tag == "link"), path
    labels = set(page.values("for"))
    for tag, attrs in page.tags:
        if tag in {"input", "textarea", "select"} and attrs.get("type") not in {"hidden"}:
            assert attrs.get("id") in labels or attrs.get("aria-label"), f"{path}: {attrs} has no label"
    pointed = {
        word
        for name in ("aria-labelledby", "aria-describedby")
        for value in page.values(name)
        for word in value.split()
    }
    assert pointed <= set(page.values("id")), path
    for tag, attrs in page.tags:
        href = attrs.get("href") or ""
        if tag == "a" and href.startswith("http"):
            assert "noopener" in (attrs.get("rel") or ""), f"{path}: {href}"
    assert {tag for tag, _ in page.tags} >= {"main", "h1", "title"}, path
    assert [attrs.get("lang") for tag, attrs in page.tags if tag == "html"] == ["en"]
    for form in page.forms:
        if form.method == "post" and not form.action.startswith("/sign-in"):
            assert form.fields.get("csrf"), f"{path}: the form to {form.action} proves nothing"


@contextmanager
def counted(played: Circle) -> Iterator[list[str]]:
    """The statements that are sent to the database meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            seen.append(statement)

    engine = played.river.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


MOST_QUERIES = 16


async def queries(played: Circle, visitor: Browser) -> dict[str, int]:
    found = {}
    for path in SHOWN:
        with counted(played) as seen:
            await visitor.open(path)
        found[path] = len(seen)
    return found


async def test_no_page_asks_the_database_more_the_more_there_is(played: Circle) -> None:
    admin = await signed_in(played, "admin")
    await admin.open("/")
    few = await queries(played, admin)
    assert max(few.values()) <= MOST_QUERIES, few
    for number in range(30):
        await complain(played, f"Export hangs, says customer {number}", handle=f"c{number}")
    posts = (await played.get("/api/v1/posts?state=new&limit=100"))["items"]
    for post in posts[:25]:
        await played.post(
            "/api/v1/loops",
            {"post_id": post["id"], "tags": ["many"], "issue": {"tracker_id": 1, "ref": "3"}},
            status=201,
        )
    await played.rest()
    many = await queries(played, admin)
    grown = {path: (few[path], many[path]) for path in SHOWN if many[path] > few[path]}
    # There the newest post is read, which was an answer before and is a complaint now.
    assert set(grown) <= {"/triage"}, grown
    assert max(many.values()) <= MOST_QUERIES, many


async def test_what_changes_moves_the_version_that_open_pages_ask_for(played: Circle) -> None:
    admin = await signed_in(played, "admin")

    async def version() -> str:
        return (await admin.http.get("/live")).text

    before = await version()
    assert await version() == before
    await played.rest()
    assert await version() == before, "nothing happened"

    async def moves(path: str, action: str, **typed: object) -> None:
        before = await version()
        await admin.open(path)
        assert admin.page is not None
        assert f'data-version="{before}"' in admin.page.text
        await admin.send(action, **typed)
        assert await version() != before, action

    await moves("/triage?post=5", "/triage/5/dismiss")
    await moves("/triage?post=5", "/triage/5/restore")
    await moves("/triage?post=5", "/triage/5/tag", tags="slow")
    await moves("/loops/1", "/loops/1/note", text="Hello")
    await moves("/loops/1", "/loops/1/change", tags="other", assignee="", team="")
    await moves("/replies/2", "/replies/2/edit", text="Other words")
    await moves("/replies/2", "/replies/2/hold")
    await moves("/issues/3", "/issues/3/hold", why="behind a flag")
    await moves("/", "/voice", on="no")
    before = await version()
    await complain(played, "One more", handle="zoe")
    assert await version() != before

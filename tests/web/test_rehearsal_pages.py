"""The rehearsal pages, used as a browser without script uses them, with the adapters on the other side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.channels.rehearsal import Rehearsal as Channel
from app.channels.rehearsal import RehearsalSecrets as NoSecrets
from app.channels.rehearsal import RehearsalSettings as ChannelSettings
from app.ports import Connection, OutsideError
from app.rules.facts import Outgoing, Post
from app.rules.hearing import Confirmed, StillBroken, hear
from app.rules.shipping import NotFixed, NotYet, Policy, Shipped, judge
from app.staging import Board, Square
from app.trackers.rehearsal import Rehearsal as Tracker
from app.trackers.rehearsal import RehearsalSecrets, RehearsalSettings
from app.web.rehearsal import pages
from app.web.rehearsal.forms import LANGUAGES, MAX_FORM_BYTES, MAX_POSTS, SHORT_ANSWERS
from tests.support.stage import MemoryStage

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:8000"
WEB = Path(__file__).parents[2] / "app" / "web"


class Visit:
    """One browser on the pages, and the two adapters that share their stage."""

    def __init__(self, http: httpx.AsyncClient, stage: MemoryStage, woken: list[bool]) -> None:
        self.http, self.stage, self.woken = http, stage, woken
        common: dict[str, Any] = {"http": http, "now": lambda: NOW, "base_url": BASE, "stage": stage}
        self.channel = Channel(Connection(settings=ChannelSettings(), secrets=NoSecrets(), **common))
        self.tracker = Tracker(Connection(settings=RehearsalSettings(), secrets=RehearsalSecrets(), **common))

    async def read(self, path: str = "/rehearsal/main", *, status: int = 200) -> str:
        page = await self.http.get(path)
        assert page.status_code == status, page.text
        return page.text

    async def send(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(f"/rehearsal/main{path}", data=fields or {"": ""}, headers=names)

    async def complain(self, text: str = "It is broken", *, handle: str = "ana", language: str = "en") -> Post:
        done = await self.send("", {"handle": handle, "text": text, "language": language})
        assert done.status_code == 303, done.text
        return (await self.heard())[-1]

    async def heard(self) -> list[Post]:
        return [post async for page in self.channel.pull(cursor=None, since=NOW) for post in page.posts]

    async def reply(self, post: Post, text: str = "@ana It is fixed. Does it work now?") -> str:
        envelope = self.channel.envelope(post)
        sent = await self.channel.send(
            Outgoing(
                text=text,
                post=post,
                key=f"to-{post.external_id}",
                visibility=envelope.visibility,
                language=envelope.language,
                content_warning="",
                created_at=NOW,
            )
        )
        return sent.external_id


def app_with(stage: MemoryStage, woken: list[bool], **options: Any) -> FastAPI:
    app = FastAPI()
    app.include_router(pages(stage, base_url=BASE, wake=lambda: woken.append(True), **{"now": lambda: NOW, **options}))
    return app


def browser(app: FastAPI, base: str = BASE) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base)


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    stage, woken = MemoryStage(), list[bool]()
    async with browser(app_with(stage, woken)) as http:
        yield Visit(http, stage, woken)


# --- the square


async def test_a_complaint_is_read_by_the_channel_and_wakes_the_worker(visit: Visit) -> None:
    assert "Nobody has said anything yet" in await visit.read()
    done = await visit.send("", {"handle": "@Ana", "name": "Ana Duarte", "text": "It is broken", "language": "pt"})
    assert (done.status_code, done.headers["location"]) == (303, "/rehearsal/main?me=ana#post-1")
    assert visit.woken == [True]
    (post,) = await visit.heard()
    assert (post.author.handle, post.author.name, post.text, post.language) == (
        "ana",
        "Ana Duarte",
        "It is broken",
        "pt",
    )
    page = await visit.read("/rehearsal/main?me=ana")
    assert "It is broken" in page
    assert 'name="handle" value="ana"' in page


async def test_a_reply_stands_under_the_complaint_and_its_answer_belongs_to_it(visit: Visit) -> None:
    post = await visit.complain(language="de")
    reply = await visit.reply(post, "@ana Behoben. https://acme.example/v1.0.1?a=1&b=2 Geht es?")
    page = await visit.read()
    assert 'href="https://acme.example/v1.0.1?a=1&amp;b=2"' in page
    for words in SHORT_ANSWERS["de"]:
        assert f'name="say" value="{words}"' in page
    done = await visit.send(f"/posts/{reply}/answer", {"handle": "ana", "say": SHORT_ANSWERS["de"][0]})
    assert done.headers["location"] == "/rehearsal/main#post-3"
    answer = (await visit.heard())[-1]
    assert (answer.answers_id, answer.language, answer.text) == (reply, "de", "Es funktioniert jetzt, danke!")
    assert answer.author.external_id == post.author.external_id
    assert answer.thread_id == post.canonical_id


async def test_somebody_else_may_answer_too(visit: Visit) -> None:
    reply = await visit.reply(await visit.complain())
    await visit.send(f"/posts/{reply}/answer", {"handle": "ben", "text": "Works for me"})
    answer = (await visit.heard())[-1]
    assert (answer.author.handle, answer.answers_id) == ("ben", reply)


async def test_a_post_has_its_own_page_at_its_permalink(visit: Visit) -> None:
    post = await visit.complain()
    page = await visit.read(post.url.removeprefix(BASE))
    assert "It is broken" in page
    assert f'id="post-{post.external_id}"' in page
    done = await visit.send(f"/posts/{post.external_id}/answer", {"handle": "ana", "text": "Anyone?", "from": "thread"})
    assert done.headers["location"] == "/rehearsal/main/posts/2#post-2"


async def test_a_deleted_post_is_gone_with_its_words(visit: Visit) -> None:
    post = await visit.complain("Too much said")
    await visit.send(f"/posts/{post.external_id}/delete")
    assert "Too much said" not in await visit.read()
    await visit.read(post.url.removeprefix(BASE), status=404)
    with pytest.raises(OutsideError) as gone:
        await visit.channel.look(post)
    assert gone.value.kind == "gone"
    assert (await visit.send(f"/posts/{post.external_id}/answer", {"handle": "ana", "text": "?"})).status_code == 404


async def test_nobody_deletes_what_the_company_said(visit: Visit) -> None:
    post = await visit.complain()
    reply = await visit.reply(post)
    assert (await visit.send(f"/posts/{reply}/delete")).status_code == 404
    assert len((await visit.channel.look(post)).own_replies) == 1


async def test_words_are_shown_as_words(visit: Visit) -> None:
    await visit.complain("<script>alert(1)</script> {{ 7*7 }} javascript:alert(1) \u202etxt.exe")
    page = await visit.read()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }} javascript:alert(1) txt.exe" in page
    assert 'href="javascript' not in page


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"handle": "", "text": "Broken"}, "handle", "Who is speaking?"),
        ({"handle": "ana banana", "text": "Broken"}, "handle", "small letters"),
        ({"handle": "a" * 31, "text": "Broken"}, "handle", "Up to 30"),
        ({"handle": "acme", "text": "Broken"}, "handle", "the company here"),
        ({"handle": "ana", "name": "x" * 41, "text": "Broken"}, "name", "At most 40"),
        ({"handle": "ana", "text": " \n\t\u200b\x00 "}, "text", "Write a few words"),
        ({"handle": "ana", "text": "👩‍👩‍👧" * 501}, "text", "501 characters; this network takes 500"),
        ({"handle": "ana", "text": "Broken", "language": "tlh"}, "language", "Choose one"),
    ],
)
async def test_what_cannot_be_taken_is_said_at_its_field_and_kept(
    visit: Visit, fields: dict[str, str], field: str, message: str
) -> None:
    await visit.reply(await visit.complain())
    before = visit.stage.documents()
    refused = await visit.send("", fields)
    assert refused.status_code == 400
    assert message in refused.text
    assert f'aria-describedby="{field}-wrong"' in refused.text
    assert f'id="{field}-wrong"' in refused.text
    if "Broken" in fields["text"]:
        assert ">Broken</textarea>" in refused.text
    assert visit.stage.documents() == before


async def test_an_answer_that_cannot_be_taken_is_kept_in_its_own_form(visit: Visit) -> None:
    reply = await visit.reply(await visit.complain())
    refused = await visit.send(f"/posts/{reply}/answer", {"handle": "an a", "text": "Half a thought"})
    assert refused.status_code == 400
    assert f'<details id="answer-{reply}" open>' in refused.text
    assert refused.text.count("Half a thought") == 1
    on_thread = await visit.send(f"/posts/{reply}/answer", {"handle": "", "text": "x", "from": "thread"})
    assert on_thread.status_code == 400
    assert "Back to the square" in on_thread.text


async def test_five_hundred_characters_are_what_a_reader_calls_characters(visit: Visit) -> None:
    post = await visit.complain("👩‍👩‍👧" * 500)
    assert visit.channel.count(post.text) == 500


async def test_a_full_square_takes_no_more(visit: Visit) -> None:
    post = await visit.complain()
    square = Square(visit.stage, "main")
    staged = await square.posts.get(int(post.external_id))
    assert staged is not None
    for _ in range(MAX_POSTS - 1):
        await square.posts.add(staged)
    refused = await visit.send("", {"handle": "ana", "text": "One more"})
    assert refused.status_code == 400
    assert "This square is full" in refused.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_of_one_press_is_understood(language: str) -> None:
    works, broken = SHORT_ANSWERS[language]
    assert isinstance(hear(works, language=language), Confirmed)
    assert isinstance(hear(broken, language=language), StillBroken)


# --- the board


async def verdict(visit: Visit) -> Any:
    return judge(await visit.tracker.read("1", ref="#1"), Policy())


async def test_a_fix_closed_and_released_on_the_board_has_shipped(visit: Visit) -> None:
    made = await visit.send("/board/issues", {"title": "Export <b>stuck</b>", "body": "At 99 %"})
    assert made.headers["location"] == "/rehearsal/main/board#issue-1"
    assert "Export &lt;b&gt;stuck&lt;/b&gt;" in await visit.read("/rehearsal/main/board")
    await visit.send("/board/issues/1/close", {"outcome": "completed"})
    assert isinstance(await verdict(visit), NotYet)
    assert 'name="label" value="v1.0.1"' in await visit.read("/rehearsal/main/board")
    published = await visit.send("/board/releases", {"label": "v1.0.1", "standing": "published"})
    assert published.headers["location"] == "/rehearsal/main/board#release-1"
    shipped = await verdict(visit)
    assert isinstance(shipped, Shipped)
    assert shipped.public_label == "v1.0.1"
    page = await visit.read("/rehearsal/main/board")
    for line in shipped.evidence:
        address, _, place = line.url.partition("#")
        assert address == f"{BASE}/rehearsal/main/board"
        assert f'id="{place}"' in page
    assert 'name="label" value="v1.0.2"' in page
    assert len(visit.woken) == 3


async def test_a_release_taken_back_on_the_board_has_not_shipped(visit: Visit) -> None:
    await visit.send("/board/issues", {"title": "Broken"})
    await visit.send("/board/issues/1/close", {"outcome": "completed"})
    await visit.send("/board/releases", {"label": "v1.0.1", "standing": "prerelease"})
    assert "only a prerelease" in (await verdict(visit)).why
    await visit.send("/board/releases/1/standing", {"standing": "published"})
    assert isinstance(await verdict(visit), Shipped)
    await visit.send("/board/releases/1/standing", {"standing": "draft"})
    assert "still a draft" in (await verdict(visit)).why
    await visit.send("/board/releases/1/standing", {"standing": "published"})
    await visit.send("/board/releases/1/delete")
    assert "no release contains" in (await verdict(visit)).why
    await visit.send("/board/issues/1/reopen")
    assert (await verdict(visit)).why == "#1 is reopened"
    await visit.send("/board/issues/1/close", {"outcome": "not_planned"})
    assert isinstance(await verdict(visit), NotFixed)


async def test_the_board_shows_who_waits_as_plain_text(visit: Visit) -> None:
    issue = await visit.tracker.create(title="Broken", body="", marker="m")
    handle = await visit.tracker.show(issue, block="**One waits** <img src=x>\n<!-- a:marker -->", handle=None)
    await visit.tracker.tell(issue, text="Still *broken*", marker="t")
    page = await visit.read("/rehearsal/main/board")
    assert "**One waits** &lt;img src=x&gt;</pre>" in page
    assert "Still *broken*</pre>" in page
    assert "a:marker" not in page
    await visit.send(f"/board/blocks/{handle}/remove")
    assert "One waits" not in await visit.read("/rehearsal/main/board")
    with pytest.raises(OutsideError) as removed:
        await visit.tracker.show(issue, block="Two wait", handle=handle)
    assert removed.value.kind == "gone"


@pytest.mark.parametrize(
    ("path", "fields", "field", "message"),
    [
        ("/board/issues", {"title": "  "}, "title", "What is it about?"),
        ("/board/issues", {"title": "x" * 201}, "title", "At most 200"),
        ("/board/issues", {"title": "x", "body": "y" * 5_001}, "body", "At most 5000"),
        ("/board/releases", {"label": ""}, "label", "What is it called?"),
        ("/board/releases", {"label": "v1 <b>"}, "label", "as in a tag"),
        ("/board/releases", {"label": "v1.0.1"}, "label", "There is a release v1.0.1 already"),
    ],
)
async def test_the_board_says_at_its_field_what_it_cannot_take(
    visit: Visit, path: str, fields: dict[str, str], field: str, message: str
) -> None:
    await Board(visit.stage, "main").release("v1.0.1", now=NOW)
    refused = await visit.send(path, fields)
    assert refused.status_code == 400
    assert message in refused.text
    assert f'aria-describedby="{field}-wrong"' in refused.text


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/board/issues/9/close", {"outcome": "completed"}, 404),
        ("/board/issues/9/reopen", {}, 404),
        ("/board/releases/9/delete", {}, 404),
        ("/board/releases/9/standing", {"standing": "draft"}, 404),
        ("/board/blocks/9/remove", {}, 404),
        ("/posts/9/delete", {}, 404),
        ("/posts/9/answer", {"handle": "ana", "text": "x"}, 404),
        ("/posts/x/delete", {}, 404),
        (f"/posts/{10**30}/delete", {}, 404),
        ("/board/issues/1/close", {"outcome": "eaten"}, 400),
        ("/board/releases", {"label": "v1", "standing": "lost"}, 400),
    ],
)
async def test_what_is_not_there_is_answered_with_a_page(
    visit: Visit, path: str, fields: dict[str, str], status: int
) -> None:
    await Board(visit.stage, "main").open_issue(title="Broken", body="", now=NOW)
    before = visit.stage.documents()
    refused = await visit.send(path, fields)
    assert refused.status_code == status
    assert "That did not work" in refused.text
    assert visit.stage.documents() == before
    assert visit.woken == []


# --- the door


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Origin": BASE},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
async def test_a_form_from_another_website_does_nothing(visit: Visit, headers: dict[str, str]) -> None:
    refused = await visit.send("", {"handle": "ana", "text": "Not me"}, **headers)
    assert refused.status_code == 403
    assert "another website" in refused.text
    assert visit.stage.documents() == []


@pytest.mark.parametrize(
    "headers", [{"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}, {"Origin": BASE}, {}]
)
async def test_a_form_from_these_pages_is_taken(visit: Visit, headers: dict[str, str]) -> None:
    assert (await visit.send("", {"handle": "ana", "text": "Me"}, **headers)).status_code == 303


async def test_a_visitor_who_came_under_another_name_of_this_machine_is_no_stranger() -> None:
    async with browser(app_with(MemoryStage(), []), "http://localhost:8000") as http:
        done = await http.post(
            "/rehearsal/main", data={"handle": "ana", "text": "Me"}, headers={"Origin": "http://localhost:8000"}
        )
    assert done.status_code == 303


async def test_only_a_form_of_a_bearable_size_is_read(visit: Visit) -> None:
    assert (await visit.send("", {"handle": "ana", "text": "x" * MAX_FORM_BYTES})).status_code == 413
    assert (await visit.send("", {str(n): "" for n in range(60)})).status_code == 400
    for content_type in ("application/json", "multipart/form-data; boundary=x", ""):
        refused = await visit.http.post("/rehearsal/main", content=b"{}", headers={"Content-Type": content_type})
        assert refused.status_code == 415
    garbled = await visit.http.post(
        "/rehearsal/main",
        content=b"handle=%ff%fe&text=\xff\x00%00&&==",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert garbled.status_code == 400
    assert visit.stage.documents() == []


async def test_a_scene_that_is_not_connected_is_not_served() -> None:
    async def connected() -> set[str]:
        return {"main"}

    async with browser(app_with(MemoryStage(), [], scenes=connected)) as http:
        assert (await http.get("/rehearsal/main")).status_code == 200
        assert (await http.get("/rehearsal/main/board")).status_code == 200
        for path in ("/rehearsal/other", "/rehearsal/other/board", "/rehearsal/other/posts/1"):
            assert (await http.get(path)).status_code == 404
        assert (await http.post("/rehearsal/other", data={"handle": "ana", "text": "x"})).status_code == 404


@pytest.mark.parametrize(
    "path", ["/rehearsal/Main", "/rehearsal/a%20b", "/rehearsal/main/posts/0", "/rehearsal/main/posts/x"]
)
async def test_a_nonsense_address_is_answered_with_a_page(visit: Visit, path: str) -> None:
    assert "That did not work" in await visit.read(path, status=404)


async def test_pages_work_below_a_path() -> None:
    app = FastAPI()
    inner = FastAPI()
    inner.include_router(pages(MemoryStage(), base_url="https://acme.example/full", wake=lambda: None))
    app.mount("/full", inner)
    async with browser(app, "https://acme.example") as http:
        page = (await http.get("/full/rehearsal/main")).text
        done = await http.post("/full/rehearsal/main", data={"handle": "ana", "text": "x"})
    assert 'href="/full/static/rehearsal.css"' in page
    assert 'action="/full/rehearsal/main"' in page
    assert done.headers["location"].startswith("/full/rehearsal/main?me=ana")


# --- the markup


class Markup(HTMLParser):
    """What a page is made of, as far as these tests ask."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def values(self, attribute: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(attribute)) is not None]


async def test_every_page_is_sound(visit: Visit) -> None:
    post = await visit.complain()
    await visit.reply(post)
    issue = await visit.tracker.create(title="Broken", body="So", marker="m")
    await visit.tracker.show(issue, block="One waits", handle=None)
    await visit.tracker.tell(issue, text="Still broken", marker="t")
    await visit.send("/board/issues/1/close", {"outcome": "completed"})
    await visit.send("/board/releases", {"label": "v1.0.1"})
    for path in ("/rehearsal/main", "/rehearsal/main/posts/1", "/rehearsal/main/posts/2", "/rehearsal/main/board"):
        response = await visit.http.get(path)
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["cache-control"] == "no-store"
        markup = Markup(response.text)
        assert [name for name, count in Counter(markup.values("id")).items() if count > 1] == []
        assert markup.values("style") == []
        assert not [name for _, attrs in markup.tags for name in attrs if name.startswith("on")]
        assert all(attrs.get("src") for tag, attrs in markup.tags if tag == "script")
        assert not [tag for tag, _ in markup.tags if tag == "style"]
        labelled = set(markup.values("for"))
        fields = [a for t, a in markup.tags if t in {"input", "textarea", "select"} and a.get("type") != "hidden"]
        assert {field["id"] for field in fields} <= labelled
        described = {word for value in markup.values("aria-labelledby") for word in value.split()}
        assert described <= set(markup.values("id"))
        outside = [
            a for t, a in markup.tags if t in {"link", "script", "img"} for a in (a.get("href") or a.get("src"),)
        ]
        assert all(address and address.startswith(("/static/", "data:")) for address in outside)
        assert {tag for tag, _ in markup.tags} >= {"main", "header", "nav", "h1"}


def test_the_style_and_the_script_fetch_nothing_from_elsewhere() -> None:
    for name in ("rehearsal.css", "rehearsal.js"):
        text = (WEB / "static" / name).read_text(encoding="utf-8")
        assert not re.search(r"https?://|@import|url\(", text)


def test_colours_are_named_in_the_tokens_only() -> None:
    rules = (WEB / "static" / "rehearsal.css").read_text(encoding="utf-8").partition("* { box-sizing")[2]
    assert not re.search(r"oklch\(|rgb|hsl|#[0-9a-f]{3,8}\b", rules)

"""The Facebook channel beyond its payloads: settings, limits, and whole circles with a Graph API of ours."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select

from app.channels.facebook import Facebook, FacebookSecrets, FacebookSettings, parse_node
from app.meta import next_page, usage_of
from app.ports import Connection, OutsideError, PostPage
from app.rules.facts import Post
from app.store.tables import Delivery
from tests.support import on_both, story
from tests.support.circle import Circle, Clock, circle
from tests.support.facebook_graph import APP_SECRET, PAGE_ID, TOKEN, VERIFY_TOKEN, FacebookGraph, refusal

JSON = dict[str, Any]
SECRETS = {"page_token": TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN}
HOOK = "/hooks/accounts/1"

databases = on_both.databases


@pytest.fixture
def graph() -> FacebookGraph:
    return FacebookGraph()


def speaking_to(graph: FacebookGraph) -> Facebook:
    return Facebook(
        Connection(
            settings=FacebookSettings.model_validate({}),
            secrets=FacebookSecrets.model_validate(SECRETS),
            http=graph.client(),
            now=lambda: graph.now,
            base_url="http://127.0.0.1:8000",
            remote_id=PAGE_ID,
            facts={"name": "Acme"},
        )
    )


async def pulled(channel: Facebook, graph: FacebookGraph, cursor: str | None = None) -> list[PostPage]:
    return [page async for page in channel.pull(cursor=cursor, since=graph.now - timedelta(days=3))]


def posts_of(pages: list[PostPage]) -> list[Post]:
    return [post for page in pages for post in page.posts]


async def only_post(channel: Facebook, graph: FacebookGraph) -> Post:
    [post] = posts_of(await pulled(channel, graph))
    return post


# --- settings


@pytest.mark.parametrize("version", ["26.0", "v26", "v26.0/../me", "latest", ""])
def test_refuses_what_is_no_version(version: str) -> None:
    with pytest.raises(ValidationError):
        FacebookSettings(api_version=version)


@pytest.mark.parametrize("name", ["page_token", "app_secret", "verify_token"])
@pytest.mark.parametrize("entered", ["", "sentinel with spaces", "sentinel\nHost: x", "sentinel-ä"])
def test_refuses_what_is_no_secret_without_repeating_it(name: str, entered: str) -> None:
    with pytest.raises(ValidationError) as refused:
        FacebookSecrets.model_validate({**SECRETS, name: entered})
    assert "one word" in str(refused.value)
    assert "sentinel" not in str(refused.value)


# --- what travels, and what is kept back


async def test_no_address_ever_holds_a_token(graph: FacebookGraph) -> None:
    for number in range(5):
        graph.comment(f"Complaint {number}")
    channel = speaking_to(graph)
    await channel.connect()
    found = posts_of(await pulled(channel, graph))
    await channel.look(found[0])
    assert len(found) == 5
    assert not [str(request.url) for request in graph.asked if "sentinel" in str(request.url)]


async def test_the_cursor_moves_when_all_posts_were_read_and_not_before(graph: FacebookGraph) -> None:
    for number in range(5):
        graph.comment(f"Complaint {number}")
    *pages, last = await pulled(speaking_to(graph), graph)
    assert [page.cursor for page in pages] == [None] * len(pages)
    assert len(posts_of(pages)) == 5
    assert last.posts == ()
    assert last.cursor


async def test_every_call_proves_the_app(graph: FacebookGraph) -> None:
    graph.comment("Export crashes")
    channel = speaking_to(graph)
    await channel.connect()
    await only_post(channel, graph)
    proof = hmac.new(APP_SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    for request in graph.asked:
        assert proof in f"{request.url} {request.content.decode()}"


async def test_metas_words_never_carry_a_secret_into_an_error(graph: FacebookGraph) -> None:
    told = {"error": {"code": 190, "message": f"Malformed access token {TOKEN} of {APP_SECRET}"}}
    graph.refuse = lambda _request: httpx.Response(400, json=told)
    with pytest.raises(OutsideError) as raised:
        await speaking_to(graph).connect()
    assert "sentinel" not in repr(raised.value)


async def test_a_missing_permission_is_named_with_where_to_grant_it(graph: FacebookGraph) -> None:
    told = {"data": {"type": "PAGE", "is_valid": True, "scopes": ["pages_read_engagement"]}}
    batch = [{"code": 200, "body": json.dumps(told)}]
    graph.refuse = lambda request: httpx.Response(200, json=batch) if request.url.path == "/v26.0" else None
    with pytest.raises(OutsideError, match=r"pages_read_user_content, pages_manage_engagement.*App Review") as raised:
        await speaking_to(graph).connect()
    assert raised.value.kind == "auth_broken"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-App-Usage": '{"call_count": 80}'},
        {"X-Page-Usage": '{"total_time": 95}'},
        {"X-Business-Use-Case-Usage": '{"100": [{"total_cputime": 81, "estimated_time_to_regain_access": 0}]}'},
    ],
)
async def test_polls_pause_while_the_limits_are_nearly_full_and_replies_do_not(
    graph: FacebookGraph, headers: dict[str, str]
) -> None:
    graph.comment("Export crashes")
    graph.headers = headers
    channel = speaking_to(graph)
    post = await only_post(channel, graph)
    calls = len(graph.asked)
    assert await pulled(channel, graph) == []
    assert len(graph.asked) == calls
    assert (await channel.look(post)).post.text == "Export crashes"
    graph.now += timedelta(minutes=16)
    graph.headers = {"X-App-Usage": '{"call_count": 20}'}
    assert await pulled(channel, graph)
    assert await pulled(channel, graph)


@pytest.mark.parametrize("told", ["", "[]", "nonsense", '{"100": "x"}', '{"call_count": "many"}', "[" * 100_000])
def test_usage_that_nobody_understands_is_none(told: str) -> None:
    assert max(usage_of(httpx.Response(200, headers={"X-App-Usage": told})).values(), default=0) == 0


def test_the_next_page_is_asked_for_where_we_ask_and_nowhere_else() -> None:
    address = f"https://elsewhere.example/x?access_token={TOKEN}&after=abc&limit=1"
    assert next_page({"paging": {"next": address}}) == {"after": "abc"}
    assert next_page({"paging": {"next": "http://["}}) == {}


# --- parsing

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    *("id", "message", "from", "created_time", "permalink_url", "parent", "is_hidden", "can_comment"),
    *("message_tags", "attachment", "privacy", "is_published", "full_picture"),
)


@given(broken=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=5), is_visitors=st.booleans())
def test_a_malformed_comment_is_a_post_or_a_value_error(broken: JSON, is_visitors: bool) -> None:
    node = {"id": "900_1", "created_time": "2026-11-20T11:58:00+0000", "message": "x", **broken}
    try:
        post = parse_node(node, page=PAGE_ID, post=None if is_visitors else {"id": "100_900"})
    except ValueError:
        return
    assert post.external_id
    assert post.author.external_id
    assert post.author.handle.strip()
    assert post.created_at.utcoffset() == timedelta(0)
    assert isinstance(json.loads(post.raw), dict)
    f"{post.text}{post.author.handle}{post.author.name}".encode()


@pytest.mark.parametrize(("text", "length"), [("", 0), ("hello", 5), ("👍", 2), ("ä", 1)])
def test_counts_never_less_than_facebook(graph: FacebookGraph, text: str, length: int) -> None:
    assert speaking_to(graph).count(text) == length


# --- whole circles


@dataclass
class Stage:
    """A circle with the Page as its account, a rehearsal tracker, and the Graph API behind it."""

    played: Circle
    graph: FacebookGraph

    async def connect(self) -> None:
        body = {"channel": "facebook", "name": "Acme", "mode": "automatic", "settings": {}, "secrets": SECRETS}
        await self.played.post("/api/v1/accounts", body, status=201)
        await self.played.post("/api/v1/trackers", {"kind": "rehearsal", "name": "App", "settings": {}}, status=201)

    async def read(self) -> list[JSON]:
        """The Page is read, and all work done; returns the posts, the oldest first."""
        self.graph.now = self.played.clock()
        await self.played.post("/api/v1/accounts/1/pull")
        await self.played.rest()
        items: list[JSON] = (await self.played.get("/api/v1/posts"))["items"]
        return sorted(items, key=lambda post: int(post["id"]))

    async def pass_time(self, **delta: float) -> None:
        self.played.clock.move(**delta)
        self.graph.now = self.played.clock()
        await self.played.rest()

    async def ship(self) -> None:
        """The fix of a tagged complaint ships, and all settles."""
        await story.ship(self.played)
        for _ in range(6):
            await self.pass_time(minutes=10)


@pytest.fixture
async def stage(database_url: str, graph: FacebookGraph) -> AsyncIterator[Stage]:
    clock = Clock(graph.now)
    async with circle(database_url, product="Acme", clock=clock, make_http=graph.client) as played:
        made = Stage(played, graph)
        await made.connect()
        yield made


async def tagged(stage: Stage) -> str:
    """A complaint that is tagged; returns the comment's id."""
    complaint = stage.graph.comment("Export crashes", at=stage.graph.now - timedelta(minutes=1))
    [post] = await stage.read()
    await story.tag(stage.played, post)
    await stage.played.rest()
    return complaint.id


async def test_a_comment_is_answered_once_under_itself_and_the_customers_word_is_heard(stage: Stage) -> None:
    complaint = await tagged(stage)
    await stage.ship()
    [reply] = [one for one in stage.graph.comments.values() if one.author == PAGE_ID]
    assert reply.parent == complaint
    stage.graph.comment("It works now, thank you!", under=complaint)
    await stage.read()
    assert (await story.loop_of(stage.played))["state"] == "verified"


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


@pytest.mark.parametrize(
    "answer",
    [
        lost,
        lambda _request: refusal(1, status=500),
        lambda _request: refusal(2),
        lambda _request: httpx.Response(504, text="<html>"),
        lambda _request: httpx.Response(200, text='{"id": "90'),
        lambda _request: httpx.Response(200, json={"success": True}),
    ],
    ids=["no answer", "code 1", "code 2", "a gateway", "cut", "nameless"],
)
async def test_an_answer_that_is_lost_after_it_was_taken_is_found_and_never_said_twice(
    stage: Stage, answer: Any
) -> None:
    await tagged(stage)
    stage.graph.after_saying = answer
    await stage.ship()
    for _ in range(4):
        await stage.pass_time(hours=1)
    assert len(stage.graph.said) == 1
    assert (await story.loop_of(stage.played))["state"] == "told"


async def test_a_lost_reply_to_a_reply_is_found_under_the_top_comment(stage: Stage) -> None:
    top = stage.graph.comment("Nice", at=stage.graph.now - timedelta(minutes=2))
    stage.graph.comment(
        "Not for me: export crashes", by="2002", under=top.id, at=stage.graph.now - timedelta(minutes=1)
    )
    [_, post] = await stage.read()
    await story.tag(stage.played, post)
    stage.graph.after_saying = lost
    await stage.ship()
    for _ in range(4):
        await stage.pass_time(hours=1)
    [reply] = [one for one in stage.graph.comments.values() if one.author == PAGE_ID]
    assert reply.parent == top.id
    assert (await story.loop_of(stage.played))["state"] == "told"


async def test_a_reply_that_never_arrived_is_said_once_after_all(stage: Stage) -> None:
    await tagged(stage)
    failed: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and request.url.path.endswith("/comments") and not failed:
            failed.append(request)
            lost(request)
        return None

    stage.graph.refuse = refuse
    await stage.ship()
    for _ in range(4):
        await stage.pass_time(hours=1)
    assert failed
    assert len(stage.graph.said) == 1


async def test_nothing_is_said_again_while_an_author_is_kept_back(stage: Stage) -> None:
    """The comment that has no author may be our own."""
    complaint = await tagged(stage)
    stage.graph.after_saying = lost
    whole = FacebookGraph._node

    def node(said: Any) -> JSON:
        told = whole(stage.graph, said)
        return {**told, "from": None} if said.author == PAGE_ID else told

    stage.graph._node = node  # type: ignore[method-assign]
    await stage.ship()
    for _ in range(8):
        await stage.pass_time(hours=1)
    assert complaint
    assert len(stage.graph.said) == 1


async def test_a_blocked_page_says_nothing_more(stage: Stage) -> None:
    await tagged(stage)
    stage.graph.refuse = lambda r: refusal(368) if r.method == "POST" and r.url.path.endswith("/comments") else None
    await stage.ship()
    assert stage.graph.said == []
    account = await stage.played.get("/api/v1/accounts/1")
    assert "Support Inbox" in json.dumps(account)


async def test_a_removed_comment_is_not_answered(stage: Stage) -> None:
    complaint = await tagged(stage)
    del stage.graph.comments[complaint]
    await stage.ship()
    assert stage.graph.said == []


async def test_a_hidden_comment_is_not_answered_until_it_is_shown_again(stage: Stage) -> None:
    complaint = await tagged(stage)
    stage.graph.comments[complaint].hidden = True
    [post] = await stage.read()
    assert post["visibility"] == "private"
    await stage.ship()
    assert stage.graph.said == []
    stage.graph.comments[complaint].hidden = False
    [post] = await stage.read()
    assert post["visibility"] == "public"
    for _ in range(4):
        await stage.pass_time(minutes=10)
    assert len(stage.graph.said) == 1


async def test_an_edit_shows_as_the_new_text(stage: Stage) -> None:
    complaint = stage.graph.comment("Export crashes")
    await stage.read()
    complaint.text = "Export crashes on Safari"
    [post] = await stage.read()
    assert post["text"] == "Export crashes on Safari"


# --- webhooks, through the service's own door


def signed(body: bytes, secret: str = APP_SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json", "Authorization": ""}


CALL = json.dumps(
    {"object": "page", "entry": [{"id": PAGE_ID, "changes": [{"field": "feed", "value": {"item": "comment"}}]}]}
).encode()


async def test_the_handshake_is_answered_in_plain_text_and_kept_nowhere(stage: Stage) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158201444"}
    answer = await stage.played.api.get(HOOK, params=query, headers={"Authorization": ""})
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    for wrong in ({"hub.verify_token": "guessed"}, {"hub.verify_token": ""}, {"hub.mode": "unsubscribe"}):
        again = await stage.played.api.get(HOOK, params={**query, **wrong}, headers={"Authorization": ""})
        assert again.status_code == 403
        assert "1158201444" not in again.text


async def test_meta_is_asked_for_its_calls_when_an_admin_asks_and_not_before(stage: Stage) -> None:
    def asked() -> list[bytes]:
        return [one.content for one in stage.graph.asked if one.url.path.endswith("/subscribed_apps")]

    assert asked() == []
    await stage.played.post("/api/v1/accounts/1/hook")
    assert [b"subscribed_fields=feed" in one for one in asked()] == [True]
    stage.graph.refuse = lambda one: refusal(200, status=403) if one.url.path.endswith("/subscribed_apps") else None
    refused = await stage.played.post("/api/v1/accounts/1/hook", status=422)
    assert "pages_manage_metadata" in refused["detail"]
    health = await stage.played.get("/api/v1/accounts/1/health")
    assert health["ok"]


async def test_a_signed_call_has_the_page_read_now_and_is_stored_once(stage: Stage) -> None:
    await stage.read()
    stage.graph.comment("Export crashes")
    answers = [await stage.played.api.post(HOOK, content=CALL, headers=signed(CALL)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    await stage.played.rest()
    [post] = (await stage.played.get("/api/v1/posts"))["items"]
    assert post["text"] == "Export crashes"


async def test_a_call_about_a_removed_comment_has_it_lose_its_words_at_once(stage: Stage) -> None:
    """And every call that was kept and named it, its own among them."""
    removed = stage.graph.comment("Export crashes, says Ana", at=stage.graph.now - timedelta(minutes=1))
    kept = stage.graph.comment("Import is slow", by="2002", at=stage.graph.now - timedelta(minutes=1))

    def call(verb: str, message: str, number: str) -> bytes:
        value = {"item": "comment", "verb": verb, "comment_id": number, "message": message}
        changes = [{"field": "feed", "value": value}]
        return json.dumps({"object": "page", "entry": [{"id": PAGE_ID, "changes": changes}]}).encode()

    for body in (call("add", removed.text, removed.id), call("add", kept.text, kept.id)):
        await stage.played.api.post(HOOK, content=body, headers=signed(body))
    await stage.read()
    del stage.graph.comments[removed.id]
    body = call("remove", "", removed.id)
    await stage.played.api.post(HOOK, content=body, headers=signed(body))
    await stage.played.rest()
    told = {post["external_id"]: post for post in (await stage.played.get("/api/v1/posts"))["items"]}
    assert (told[removed.id]["text"], told[removed.id]["gone_at"] is None) == ("", False)
    assert (told[kept.id]["text"], told[kept.id]["gone_at"]) == ("Import is slow", None)
    async with stage.played.river.db.read() as session:
        bodies = (await session.execute(select(Delivery.body).order_by(Delivery.id))).scalars().all()
    assert [b"Import" in one for one in bodies] == [False, True, False]
    assert not any(b"Ana" in one for one in bodies)


async def test_a_day_later_every_comment_was_read_again_in_few_calls(stage: Stage) -> None:
    for number in range(30):
        stage.graph.comment(f"Complaint {number}", by=f"30{number:02}", at=stage.graph.now - timedelta(minutes=1))
    await stage.read()
    gone = sorted(stage.graph.comments)[7]
    del stage.graph.comments[gone]
    stage.graph.comments[sorted(stage.graph.comments)[11]].text = "Edited"
    stage.graph.asked.clear()
    await stage.pass_time(hours=21)
    await stage.pass_time(seconds=30)
    posts = (await stage.played.get("/api/v1/posts", params={"limit": 100}))["items"]
    assert [post["external_id"] for post in posts if post["gone_at"]] == [gone]
    assert len([post for post in posts if post["text"] == "Edited"]) == 1
    again = [one for one in stage.graph.asked if "feed" not in one.url.path and "comments" not in one.url.path]
    assert len(again) < 20


async def test_while_metas_limits_are_nearly_full_nothing_is_read_again(stage: Stage) -> None:
    removed = stage.graph.comment("Export crashes", at=stage.graph.now - timedelta(minutes=1))
    await stage.read()
    stage.graph.headers = {"X-App-Usage": json.dumps({"call_count": 95, "total_cputime": 1, "total_time": 1})}
    del stage.graph.comments[removed.id]
    await stage.pass_time(hours=21)
    [post] = (await stage.played.get("/api/v1/posts"))["items"]
    assert post["text"] == "Export crashes"
    account = await stage.played.get("/api/v1/accounts/1/health")
    assert account["ok"], "what is left of the limits is for answering, and that goes on"
    stage.graph.headers = {}
    for _ in range(4):
        await stage.pass_time(minutes=20)
    [post] = (await stage.played.get("/api/v1/posts"))["items"]
    assert post["gone_at"] is not None


@pytest.mark.parametrize("headers", [{}, signed(CALL, "another"), signed(CALL + b" ")])
async def test_a_call_that_is_not_metas_is_refused(stage: Stage, headers: dict[str, str]) -> None:
    answer = await stage.played.api.post(HOOK, content=CALL, headers={"Authorization": "", **headers})
    assert answer.status_code == 401
    assert (await stage.played.get("/api/v1/posts"))["items"] == []

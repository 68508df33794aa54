"""Any post by its address: read with its thread through the account that can, and typed in by hand where none can."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app import channels
from app.ports import Addressed, Conversing, OutsideError
from app.staging import Fault
from tests.support import payloads, story
from tests.support.circle import Circle, circle
from tests.support.outsides import Outsides, mastodon_account, outsides
from tests.support.stage import MemoryStage

HERE = "http://fullcircle.test/rehearsal/main/posts"


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    """Both rehearsal adapters."""
    async with circle(database_url, product="Acme") as made:
        await made.connect_rehearsal()
        yield made


@pytest.fixture
def outside(tmp_path: Any) -> Outsides:
    return outsides(tmp_path / "github")


@pytest.fixture
async def connected(database_url: str, outside: Outsides) -> AsyncIterator[Circle]:
    """A circle whose only account is on a Mastodon network."""
    async with circle(database_url, product="Acme", make_http=outside.client) as made:
        await made.post("/api/v1/accounts", mastodon_account(), status=201)
        yield made


async def posts_in(played: Circle, state: str) -> list[str]:
    items = (await played.get("/api/v1/posts", params={"state": state}))["items"]
    return sorted(item["text"] for item in items)


async def test_an_address_alone_finds_its_account_and_brings_its_thread(played: Circle) -> None:
    other = {"channel": "rehearsal", "name": "Other", "settings": {"scene": "other"}}
    await played.post("/api/v1/accounts", other, status=201)
    first = await story.complain(played, "It hangs for me", handle="ben")
    wanted = await story.complain(played, "For me too", handle="ana", in_reply_to=first)
    await story.complain(played, "And me", handle="cleo", in_reply_to=wanted)
    await story.complain(played, "Acme here", handle="acme", brand=True, in_reply_to=wanted)
    await story.complain(played, "Another thread", handle="dora")

    made = await played.post("/api/v1/posts", {"url": f"{HERE}/{wanted}"}, status=201)

    assert (made["account_id"], made["text"], made["state"], made["came_by"]) == (1, "For me too", "new", "address")
    assert await posts_in(played, "new") == ["For me too"], "what strangers said around it is nobody's to triage"
    assert await posts_in(played, "context") == ["And me", "It hangs for me"]
    again = await played.post("/api/v1/posts", {"url": f"{HERE}/{wanted}#top"}, status=201)
    assert again == made


async def test_what_came_beside_a_post_is_triaged_once_the_network_tells_of_it_or_somebody_asks_for_it(
    played: Circle,
) -> None:
    first = await story.complain(played, "It hangs for me", handle="ben")
    second = await story.complain(played, "For me too", handle="ana", in_reply_to=first)
    await story.complain(played, "And me", handle="cleo", in_reply_to=second)
    await played.post("/api/v1/posts", {"url": f"{HERE}/{second}"}, status=201)
    await played.post("/api/v1/posts", {"url": f"{HERE}/{first}"}, status=201)
    assert await posts_in(played, "new") == ["For me too", "It hangs for me"]
    await played.post("/api/v1/accounts/1/pull")
    assert await posts_in(played, "new") == ["And me", "For me too", "It hangs for me"]
    assert await posts_in(played, "context") == []


async def test_an_answer_to_us_in_the_thread_of_a_pasted_post_is_heard(played: Circle) -> None:
    [post] = await story.complaints(played, 1)
    await story.tag(played, post)
    await story.ship(played)
    await played.rest()
    [said] = [key for key, one in await story.square(played).posts.all() if one.brand]
    beside = await story.complain(played, "Same here", handle="ben", in_reply_to=1)
    await story.complain(played, "Works now, thank you!", handle="customer0", in_reply_to=said)
    await played.post("/api/v1/posts", {"url": f"{HERE}/{beside}"}, status=201)
    assert (await story.loop_of(played))["state"] == "verified"


async def test_the_thread_comes_along_on_mastodon(connected: Circle, outside: Outsides) -> None:
    network = outside.network
    root = network.mention("ben@other.example", "It hangs")
    said = network.mention("ana@other.example", "For me too", in_reply_to_id=root.id)
    network.mention("cleo@other.example", "And me", in_reply_to_id=said.id)
    made = await connected.post("/api/v1/posts", {"url": network._status(said)["url"]}, status=201)
    assert made["external_id"] == said.id
    assert len(await posts_in(connected, "context")) == 2
    assert len(await posts_in(connected, "new")) == 1


async def test_where_nobody_can_read_it_the_way_by_hand_is_named(played: Circle) -> None:
    for url in ("https://forum.example/t/1", "no address at all"):
        problem = await played.post("/api/v1/posts", {"url": url}, status=422)
        assert "by hand" in problem["detail"]
    problem = await played.post("/api/v1/posts", {"url": f"{HERE}/999"}, status=422)
    assert "deleted" in problem["detail"]


async def test_a_password_in_a_pasted_address_goes_nowhere(connected: Circle, outside: Outsides) -> None:
    said = outside.network.mention("ana@other.example", "It hangs")
    url = outside.network._status(said)["url"].replace("://", "://ana:hunter2@")
    problem = await connected.post("/api/v1/posts", {"url": url}, status=422)
    assert "without" in problem["detail"]
    assert "hunter2" not in problem["detail"]
    assert (await connected.get("/api/v1/posts"))["items"] == []


@pytest.mark.parametrize("mark", ["?utm_source=share&utm_medium=x", "?fbclid=1", "/", "/?ref=home"])
async def test_a_post_is_one_however_its_address_was_shared(connected: Circle, outside: Outsides, mark: str) -> None:
    said = outside.network.mention("ana@other.example", "It hangs")
    await connected.post("/api/v1/accounts/1/pull")
    [known] = (await connected.get("/api/v1/posts"))["items"]
    url = outside.network._status(said)["url"] + mark
    assert (await connected.post("/api/v1/posts", {"url": url}, status=201))["id"] == known["id"]
    for address in (url, url.replace("https:", "http:"), url.replace("://", "://www.")):
        typed = {"account_id": 1, "url": address, "text": "It hangs", "author": "@ana@other.example"}
        assert (await connected.post("/api/v1/posts", typed, status=201))["id"] == known["id"], address
    assert len((await connected.get("/api/v1/posts"))["items"]) == 1


async def test_an_account_in_trouble_says_so_and_what_is_here_already_is_found_all_the_same(played: Circle) -> None:
    [post] = await story.complaints(played, 1)
    number = await story.complain(played, "New one", handle="zoe")
    await story.square(played).faults.add(Fault(call="find", kind="auth_broken"))
    problem = await played.call("POST", "/api/v1/posts", {"url": f"{HERE}/{number}"}, status=422)
    assert "auth_broken" in problem["detail"]
    assert not (await played.get("/api/v1/accounts/1"))["ok"], "and the account is red"
    assert (await played.post("/api/v1/posts", {"url": post["url"]}, status=201))["id"] == post["id"]
    typed = {"account_id": 1, "url": f"{HERE}/{number}", "text": "New one", "author": "zoe"}
    assert (await played.post("/api/v1/posts", typed, status=201))["came_by"] == "hand", "support goes on by hand"


async def test_an_unreadable_thread_keeps_nobody_from_the_post(played: Circle) -> None:
    number = await story.complain(played, "It hangs")
    await story.square(played).faults.add(Fault(call="look", kind="transient"))
    assert (await played.post("/api/v1/posts", {"url": f"{HERE}/{number}"}, status=201))["text"] == "It hangs"


# --- By hand ------------------------------------------------------------------------------------------

TYPED = {
    "channel": "Reddit",
    "url": "https://www.reddit.com/r/acme/comments/1abcd/export_hangs/?utm_source=share",
    "text": "Export hangs at 99 %",
    "author": "u/Ana",
}


async def test_a_typed_post_has_a_place_of_its_own_and_is_one_post_however_often_it_is_typed(played: Circle) -> None:
    made = await played.post("/api/v1/posts", TYPED, status=201)
    assert (made["channel"], made["author"], made["text"], made["came_by"]) == (
        "reddit",
        "u/Ana",
        "Export hangs at 99 %",
        "hand",
    )
    assert made["author_details"]["weak"], "a handle is nobody's for ever"
    assert made["url"] == TYPED["url"]
    place = await played.get(f"/api/v1/accounts/{made['account_id']}")
    assert (place["name"], place["channel"], place["mode"], place["ok"]) == ("Reddit", "reddit", "by_hand", True)
    again = {**TYPED, "url": "http://reddit.com/r/acme/comments/1abcd/export_hangs", "text": "other words"}
    assert await played.post("/api/v1/posts", again, status=201) == made
    other = {**TYPED, "url": "https://www.reddit.com/r/acme/comments/2/", "author": "u/ana", "channel": "reddit"}
    second = await played.post("/api/v1/posts", other, status=201)
    assert second["account_id"] == made["account_id"]
    assert await played.post(f"/api/v1/accounts/{made['account_id']}/pull") == {"posts": 0}
    assert (await played.get(f"/api/v1/accounts/{made['account_id']}/health"))["ok"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "javascript:alert(1)"},
        {"url": "ftp://x.example/1"},
        {"url": "https://user:pw@forum.example/1"},
        {"url": "https://forum.example/a b"},
        {"text": None},
        {"text": "   "},
        {"author": None},
        {"author": " "},
        {"channel": None},
        {"account_id": 1},
        {"said_at": "2026-03-02T09:00:00"},
    ],
    ids=str,
)
async def test_a_typed_post_is_checked_before_it_is_kept(played: Circle, wrong: dict[str, Any]) -> None:
    body = {name: value for name, value in {**TYPED, **wrong}.items() if value is not None}
    problem = await played.post("/api/v1/posts", body, status=422)
    assert problem["detail"]
    assert await posts_in(played, "new") == []
    assert len((await played.get("/api/v1/accounts"))["items"]) == 1


async def test_a_typed_post_is_its_networks_own_once_that_tells_of_it(played: Circle) -> None:
    number = await story.complain(played, "Export hangs at 99 %", handle="ana")
    url = f"{HERE}/{number}"
    typed = {"account_id": 1, "url": url, "text": "Export hangs", "author": "ana"}
    made = await played.post("/api/v1/posts", typed, status=201)
    assert made["came_by"] == "hand"
    loop = await story.tag(played, made)
    assert (await played.post("/api/v1/accounts/1/pull"))["posts"] == 0
    posts = (await played.get("/api/v1/posts"))["items"]
    assert [(p["id"], p["came_by"], p["text"], p["external_id"]) for p in posts] == [
        (made["id"], "network", "Export hangs at 99 %", str(number))
    ]
    assert not posts[0]["author_details"]["weak"]
    await story.ship(played)
    await played.rest()
    assert [one.text.startswith("@ana") for one in await story.said(played)] == [True], "it went out by itself"
    assert (await story.loop_of(played, loop["id"]))["state"] == "told"


# --- No request to any other host ---------------------------------------------------------------------

CHANNELS = channels.discover()
FOREIGN = (
    "https://evil.example/@ana/109000000000000001",
    "https://evil.example/profile/ana.example/post/3kabc",
    "https://evil.example/news/#comment-345",
    "https://evil.example/posts/123?comment_id=456",
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost:8000/admin",
    "https://www.facebook.com.evil.example/acme/posts/1?comment_id=2",
    "https://user@evil.example/status/1",
    "at://did:plc:evil/app.bsky.feed.post/3kabc",
    "//evil.example/1",
    "file:///etc/passwd",
    "https://xn--/1",
    "https://evil.example/@ana/1%0d%0aHost:%20x",
)


@pytest.mark.parametrize("name", sorted(CHANNELS))
@pytest.mark.parametrize("url", FOREIGN)
async def test_no_request_ever_goes_to_a_host_that_is_not_a_connected_accounts(name: str, url: str) -> None:
    asked: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(404, json={"error": "not found"})

    setup = payloads.Setup.of("channels", name)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), follow_redirects=True) as client:
        connection = setup.connection(CHANNELS[name], client, MemoryStage())
        channel = CHANNELS[name](connection)
        if isinstance(channel, Addressed) and channel.reaches(url) == "no":
            return
        with pytest.raises(OutsideError):
            await channel.find(url)
    known = str([*connection.settings.model_dump().values(), *setup.kept.values()])
    assert [host for host in asked if host not in known] == []


@pytest.mark.parametrize("name", ["bluesky", "facebook", "mastodon", "rehearsal", "wordpress", "x"])
def test_a_channel_says_whose_an_address_is_and_shows_what_was_said_around_a_post(name: str) -> None:
    assert issubclass(CHANNELS[name], Addressed)
    assert issubclass(CHANNELS[name], Conversing)


@pytest.mark.parametrize("name", sorted(CHANNELS))
def test_a_channel_knows_its_own_addresses_at_a_glance(name: str) -> None:
    setup = payloads.Setup.of("channels", name)
    channel = CHANNELS[name](setup.connection(CHANNELS[name], httpx.AsyncClient(), MemoryStage()))
    if not isinstance(channel, Addressed):
        return
    for case in payloads.cases("channels", name, "found"):
        assert channel.reaches(case.arguments["url"]) in {"here", "perhaps"}, case.name
    assert channel.reaches("https://forum.example/t/1") in {"no", "perhaps"}
    assert channel.reaches("no address") == "no"


def test_another_port_is_another_server() -> None:
    setup = payloads.Setup.of("channels", "mastodon")
    connection = setup.connection(CHANNELS["mastodon"], httpx.AsyncClient(), MemoryStage())
    channel = CHANNELS["mastodon"](connection)
    assert isinstance(channel, Addressed)
    base = httpx.URL(connection.settings.model_dump()["base_url"])
    assert channel.reaches(str(base.copy_with(path="/@ana/1"))) == "here"
    assert channel.reaches(str(base.copy_with(path="/@ana/1", port=8443))) == "perhaps"

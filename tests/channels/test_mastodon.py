"""The Mastodon channel beyond its payloads: settings, counting, and whole conversations with a network."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.channels.mastodon import Home, Mastodon, MastodonSecrets, MastodonSettings, parse_status
from app.http import make_client
from app.ports import Connection, OutsideError, PostPage
from app.rules.facts import Author, Outgoing, Post
from tests.support.mastodon_network import (
    TOKEN,
    MastodonNetwork,
    MastodonServer,
    Notification,
    Software,
    start_process,
    start_thread,
)

HOME = Home(base_url="https://m.example", domain="m.example")
LATER = timedelta(minutes=1)
"""Long after every mention a test makes, so that the cursor passes them all."""


@pytest.fixture
def network() -> MastodonNetwork:
    return MastodonNetwork()


@pytest.fixture
def server(network: MastodonNetwork) -> Iterator[MastodonServer]:
    with start_thread(network) as running:
        yield running


def connection(
    base_url: str, http: httpx.AsyncClient, *, token: str = TOKEN, now: timedelta = LATER, **known: Any
) -> Connection:
    return Connection(
        settings=MastodonSettings(base_url=base_url),
        secrets=MastodonSecrets.model_validate({"access_token": token}),
        http=http,
        now=lambda: datetime.now(UTC) + now,
        base_url="http://127.0.0.1:8000",
        **known,
    )


@asynccontextmanager
async def connected(server: MastodonServer, *, seconds: float = 10, now: timedelta = LATER) -> AsyncIterator[Mastodon]:
    """The channel as the service builds it once `connect` has told it who we are."""
    async with make_client(seconds=seconds, version="0") as http:
        profile = await Mastodon(connection(server.base_url, http)).connect()
        yield Mastodon(
            connection(server.base_url, http, now=now, remote_id=profile.remote_id, facts=dict(profile.facts))
        )


def answering(answer: Callable[[httpx.Request], httpx.Response], **known: Any) -> Mastodon:
    """The channel in front of one function."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Mastodon(connection("https://m.example", http, **known))


async def pulled(channel: Mastodon, cursor: str | None = None, *, days: float = 3) -> list[PostPage]:
    since = datetime.now(UTC) - timedelta(days=days)
    return [page async for page in channel.pull(cursor=cursor, since=since)]


def posts_of(pages: list[PostPage]) -> list[Post]:
    return [post for page in pages for post in page.posts]


def reply_to(post: Post, text: str = "@ana@other.example it works now", key: str = "key-1") -> Outgoing:
    return Outgoing(
        text=text,
        post=post,
        key=key,
        visibility="unlisted",
        language="en",
        content_warning="",
        created_at=datetime.now(UTC),
    )


async def first_post(channel: Mastodon, server: MastodonServer) -> Post:
    server.mention("ana@other.example", "export crashes on Safari")
    return posts_of(await pulled(channel))[-1]


# --- settings


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("https://mastodon.example", "https://mastodon.example"),
        ("  https://Mastodon.Example/ ", "https://mastodon.example"),
        ("mastodon.example", "https://mastodon.example"),
        ("https://mastodon.example:8443/", "https://mastodon.example:8443"),
        ("https://mastodon.example/@acme", "https://mastodon.example"),
        ("https://mastodon.example/web/notifications?x=1#y", "https://mastodon.example"),
        ("https://intranet.example/social/", "https://intranet.example/social"),
        ("http://127.0.0.1:4000/", "http://127.0.0.1:4000"),
        ("http://[::1]:4000", "http://[::1]:4000"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://mastodon:3000", "http://mastodon:3000"),
        ("http://10.1.2.3", "http://10.1.2.3"),
    ],
)
def test_keeps_the_servers_own_address(entered: str, kept: str) -> None:
    assert MastodonSettings(base_url=entered).base_url == kept


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ("", "not a web address"),
        ("https://", "not a web address"),
        ("ftp://mastodon.example", "not a web address"),
        ("javascript:alert(1)", "not a web address"),
        ("https://me:sentinel@mastodon.example", "the server alone"),
        ("@acme@mastodon.example", "the server alone"),
        ("http://mastodon.example", "use https"),
        ("http://169.254.169.254/latest", "may be connected to"),
        ("https://[fe80::1]", "may be connected to"),
    ],
)
def test_refuses_an_address_in_words_for_a_person(entered: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MastodonSettings(base_url=entered)


@pytest.mark.parametrize("entered", ["", "   ", "sentinel with spaces", "sentinel\nHost: x", "sentinel-ä"])
def test_refuses_what_is_no_token_without_repeating_it(entered: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MastodonSecrets.model_validate({"access_token": entered})
    assert "not an access token" in str(refused.value)
    assert "sentinel" not in str(refused.value)


def test_takes_a_token_that_was_copied_with_its_header() -> None:
    secrets = MastodonSecrets.model_validate({"access_token": " Bearer abc-123 "})
    assert secrets.access_token.get_secret_value() == "abc-123"


async def test_the_servers_words_never_carry_the_token_into_an_error() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"error": f"header was {request.headers['authorization']}"})

    with pytest.raises(OutsideError) as raised:
        await answering(answer, token="sentinel-token").connect()
    assert "sentinel-token" not in repr(raised.value)


# --- parsing


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    *("id", "uri", "url", "created_at", "edited_at", "in_reply_to_id", "account", "content", "spoiler_text"),
    *("visibility", "language", "mentions", "media_attachments", "local_only"),
)
OF_ACCOUNT = ("id", "acct", "username", "uri", "url", "bot", "followers_count", "display_name", "pleroma", "suspended")


@given(
    broken=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=5),
    account=st.dictionaries(st.sampled_from(OF_ACCOUNT), ANYTHING, max_size=5),
)
def test_a_malformed_status_is_a_post_or_a_value_error(broken: dict[str, Any], account: dict[str, Any]) -> None:
    whole = {"id": "1", "acct": "ana@other.example", "url": "https://other.example/@ana", **account}
    status = {"id": "1", "created_at": "2026-11-20T07:49:01Z", "content": "<p>x</p>", "account": whole, **broken}
    try:
        post = parse_status(status, home=HOME)
    except ValueError:
        return
    assert post.external_id
    assert post.canonical_id
    assert post.author.external_id
    assert post.created_at.utcoffset() == timedelta(0)
    assert isinstance(json.loads(post.raw), dict)
    f"{post.text}{post.content_warning}{post.author.handle}{post.author.name}".encode()


# --- counting


def counting(**facts: Any) -> Mastodon:
    return answering(lambda _request: httpx.Response(500), facts=facts)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("hello", 5),
        ("👨‍👩‍👧 e\u0301", 3),
        ("@ana@other.example hi", 7),
        ("@ana@other.example, @bob", 10),
        ("mail ana@other.example", 22),
        ("https://example.com/changes/2026/11/20/a-very-long-path?x=1#y", 23),
        ("https://a.co", 23),
        ("see https://example.com/x.", 28),
        ("(https://example.com/x)", 25),
        ("https://example.com/x、次", 25),
        ("詳細はhttps://example.com/x", 26),
        ("https://example.com/@ana@other.example/1", 23),
        ("xhttps://example.com/a-path-that-is-not-linked", 46),
        ("http://localhost/a-path-that-is-not-linked", 42),
        ("https://example.com/x https://example.org/y", 47),
    ],
)
def test_counts_as_mastodon_does(text: str, length: int) -> None:
    assert counting(software="mastodon").count(text) == length


def test_counts_the_content_warning_too() -> None:
    assert counting(software="mastodon").count("abc", content_warning="de") == 5


def test_counts_links_as_the_server_says() -> None:
    assert counting(software="mastodon", characters_reserved_per_url=30).count("https://example.com/x") == 30


@pytest.mark.parametrize("software", ["gotosocial", "pleroma", "akkoma", "unknown"])
def test_counts_code_points_in_full_where_a_server_is_not_mastodon(software: str) -> None:
    text = "@ana@other.example 👨‍👩‍👧 https://example.com/x"
    assert counting(software=software).count(text, content_warning="cw") == len(text) + 2


@pytest.mark.parametrize("software", ["mastodon", "gotosocial", "pleroma"])
async def test_a_text_of_exactly_the_limit_is_taken_and_one_more_is_too_long(software: Software) -> None:
    with start_thread(MastodonNetwork(software=software, max_characters=200)) as server:
        async with connected(server) as channel:
            post = await first_post(channel, server)
            start = channel.envelope(post).prefix + "👨‍👩‍👧 https://example.com/changes/2026/11/20/a-long-path "
            text = start + "é" * (channel.envelope(post).limit - channel.count(start))
            await channel.send(reply_to(post, text))
            with pytest.raises(OutsideError) as raised:
                await channel.send(reply_to(post, text + "!", key="key-2"))
    assert raised.value.kind == "too_long"


# --- connecting


@pytest.mark.parametrize(
    ("software", "limit", "per_url"), [("mastodon", 500, 23), ("gotosocial", 5000, 23), ("pleroma", 5000, 23)]
)
async def test_connects_to_each_server_of_the_family(software: Software, limit: int, per_url: int) -> None:
    with start_thread(MastodonNetwork(software=software)) as server:
        async with make_client(seconds=10, version="0") as http:
            profile = await Mastodon(connection(server.base_url, http)).connect()
    assert profile.handle == "@acme@home.example"
    assert profile.facts["software"] == software
    assert (profile.facts["max_characters"], profile.facts["characters_reserved_per_url"]) == (limit, per_url)
    assert "write:statuses" in profile.scopes
    assert profile.quota["limit"] == 300


@pytest.mark.parametrize(
    ("token", "kind", "said"),
    [
        ({"revoked": True}, "auth_broken", "was revoked"),
        ({"scopes": ["profile", "write:statuses"]}, "auth_broken", "read:notifications"),
        ({"scopes": ["read", "profile"]}, "auth_broken", "may not post"),
    ],
)
async def test_says_what_is_wrong_with_a_token(
    server: MastodonServer, token: dict[str, Any], kind: str, said: str
) -> None:
    server.token(TOKEN, **token)
    async with make_client(seconds=10, version="0") as http:
        with pytest.raises(OutsideError, match=said) as raised:
            await Mastodon(connection(server.base_url, http)).connect()
    assert raised.value.kind == kind
    assert TOKEN not in repr(raised.value)


async def test_says_that_nobody_is_there() -> None:
    async with make_client(seconds=5, version="0") as http:
        with pytest.raises(OutsideError, match="no connection") as raised:
            await Mastodon(connection("http://127.0.0.1:9", http)).connect()
    assert raised.value.kind == "transient"


# --- reading


async def test_reads_a_thousand_mentions_in_order_and_none_twice(server: MastodonServer) -> None:
    made = server.mentions([{"user": f"u{i}@other.example", "text": f"number {i}"} for i in range(1000)])
    async with connected(server) as channel:
        pages = await pulled(channel, "0")
        assert [post.external_id for post in posts_of(pages)] == [status["id"] for status in made]
        assert max(len(page.posts) for page in pages) == 80
        assert posts_of(await pulled(channel, pages[-1].cursor)) == []


async def test_goes_on_where_it_was_stopped_on_any_page(server: MastodonServer) -> None:
    made = server.mentions([{"user": f"u{i}@other.example", "text": f"number {i}"} for i in range(300)])
    async with connected(server) as channel:
        pages = await pulled(channel, "0")
        for number, page in enumerate(pages, start=1):
            rest = await pulled(channel, page.cursor)
            assert [p.external_id for p in posts_of(pages[:number] + rest)] == [status["id"] for status in made]


async def test_a_mention_that_became_readable_after_a_newer_one_is_not_lost(
    network: MastodonNetwork, server: MastodonServer
) -> None:
    early = network.mention("ana@other.example", "first")
    late = network.notifications[network.person("acme").id]
    held: list[Notification] = [late.pop()]  # its transaction is not committed yet
    newer = network.mention("ben@other.example", "second")
    async with connected(server, now=timedelta(0)) as channel:
        pages = await pulled(channel)
        assert [post.external_id for post in posts_of(pages)] == [newer.id]
        late.insert(0, held.pop())
        again = await pulled(channel, pages[-1].cursor)
    assert [post.external_id for post in posts_of(again)] == [early.id, newer.id]


async def test_the_first_connection_reads_the_chosen_days_and_nothing_older(server: MastodonServer) -> None:
    now = datetime.now(UTC)
    for hours in (100, 80, 70, 30, 1):
        server.mention("ana@other.example", f"{hours} hours ago", at=(now - timedelta(hours=hours)).isoformat())
    async with connected(server) as channel:
        pages = await pulled(channel, days=3)
    assert [post.text for post in posts_of(pages)] == ["@acme 70 hours ago", "@acme 30 hours ago", "@acme 1 hours ago"]


async def test_after_a_first_connection_without_mentions_the_next_is_read_however_late(server: MastodonServer) -> None:
    async with connected(server) as channel:
        cursor = (await pulled(channel))[-1].cursor
        server.mention("ana@other.example", "long ago", at=(datetime.now(UTC) - timedelta(days=30)).isoformat())
        assert [post.text for post in posts_of(await pulled(channel, cursor))] == ["@acme long ago"]


async def test_reads_strangers_whom_the_notification_policy_hides(server: MastodonServer) -> None:
    server.mention("ana@other.example", "hello", filtered=True)
    async with connected(server) as channel:
        assert len(posts_of(await pulled(channel))) == 1


async def test_leaves_out_machines_ourselves_and_deleted_posts_without_stopping(server: MastodonServer) -> None:
    server.mention("feed@other.example", "beep", bot=True)
    server.mention("acme", "note to self")
    gone = server.mention("ana@other.example", "oops")
    server.delete(gone["id"], keep_notification=True)
    kept = server.mention("ana@other.example", "export crashes")
    async with connected(server) as channel:
        pages = await pulled(channel)
        assert [post.external_id for post in posts_of(pages)] == [kept["id"]]
        assert await pulled(channel, pages[-1].cursor) == []


async def test_finds_the_root_of_a_long_conversation(server: MastodonServer) -> None:
    root = server.mention("ana@other.example", "export crashes")
    async with connected(server) as channel:
        post = posts_of(await pulled(channel))[0]
        sent = await channel.send(reply_to(post, "@ana@other.example fixed in 2.4.1"))
        server.mention("ana@other.example", "works now", in_reply_to_id=sent.external_id)
        answer = posts_of(await pulled(channel))[-1]
    assert answer.answers_id == answer.parent_id == sent.external_id
    assert answer.thread_id == post.thread_id == post.canonical_id == root["uri"]


async def test_two_accounts_of_ours_agree_on_a_posts_canonical_id_and_author(server: MastodonServer) -> None:
    server.token("other-token", username="acme_support")
    said = server.mention("ana@other.example", "@acme @acme_support export crashes")
    async with connected(server) as channel:
        mine = posts_of(await pulled(channel))[0]
    assert mine.canonical_id == said["uri"]
    assert mine.author.external_id == "https://other.example/users/ana"


async def until_trouble(channel: Mastodon, cursor: str) -> tuple[list[Post], str, OutsideError | None]:
    """What a poll keeps: the posts and the cursor of each page, up to the error that ended it."""
    posts: list[Post] = []
    try:
        async for page in channel.pull(cursor=cursor, since=datetime.now(UTC)):
            posts += page.posts
            cursor = page.cursor or cursor
    except OutsideError as error:
        return posts, cursor, error
    return posts, cursor, None


async def test_when_the_allowance_ends_in_the_middle_the_rest_follows_later_and_nothing_twice(
    server: MastodonServer,
) -> None:
    roots = [server.mention(f"u{i}@other.example", f"number {i}") for i in range(5)]
    async with connected(server) as channel:
        cursor = (await pulled(channel))[-1].cursor or ""
        replies = [server.mention("ana@other.example", "here too", in_reply_to_id=root["id"]) for root in roots]
        server.settings(rate_limit=len(server.requests()) + 3)
        early, cursor, error = await until_trouble(channel, cursor)
        assert error is not None
        assert error.kind == "rate_limited"
        assert error.retry_at is not None
        server.settings(rate_limit=None)
        late, _, error = await until_trouble(channel, cursor)
        assert error is None
    assert len(early) == 2
    assert [post.external_id for post in early + late] == [reply["id"] for reply in replies]
    assert [post.thread_id for post in early + late] == [root["uri"] for root in roots]


async def test_one_thread_that_cannot_be_read_holds_nothing_back(server: MastodonServer) -> None:
    root = server.mention("ana@other.example", "export crashes")
    async with connected(server) as channel:
        cursor = (await pulled(channel))[-1].cursor or ""
        replies = [server.mention(f"u{i}@other.example", "same here", in_reply_to_id=root["id"]) for i in range(2)]
        for broken in (f"{replies[0]['id']}/context", root["id"]):
            server.fault("status", method="GET", path=f"/api/v1/statuses/{broken}", status=500, count=100)
        posts, _, error = await until_trouble(channel, cursor)
    assert error is None
    assert [post.external_id for post in posts] == [reply["id"] for reply in replies]
    assert [post.thread_id for post in posts] == [replies[0]["uri"], root["uri"]]


async def test_a_server_in_trouble_is_not_asked_for_thread_after_thread(server: MastodonServer) -> None:
    roots = [server.mention("ana@other.example", f"number {i}") for i in range(3)]
    async with connected(server) as channel:
        cursor = (await pulled(channel))[-1].cursor or ""
        replies = [server.mention("ben@other.example", "same here", in_reply_to_id=root["id"]) for root in roots]
        for broken in [f"{reply['id']}/context" for reply in replies] + [root["id"] for root in roots]:
            server.fault("status", method="GET", path=f"/api/v1/statuses/{broken}", status=503, count=100)
        pulls = []
        for _ in range(3):
            posts, cursor, error = await until_trouble(channel, cursor)
            pulls.append(([post.external_id for post in posts], error and error.kind))
    ids = [reply["id"] for reply in replies]
    assert pulls == [(ids[:1], "transient"), (ids[1:2], "transient"), (ids[2:], None)]


async def test_ends_where_a_server_gives_the_same_page_for_ever() -> None:
    newest = {"id": "5", "type": "mention", "created_at": datetime.now(UTC).isoformat()}
    channel = answering(lambda _request: httpx.Response(200, json=[newest]))
    assert [page.cursor for page in await pulled(channel, "4")] == ["5"]
    assert (await pulled(channel))[-1].cursor == "5"


# --- finding


async def test_finds_a_post_by_its_address_here_and_elsewhere(server: MastodonServer) -> None:
    here = server.mention("ben", "export crashes")
    elsewhere = server.mention("ana@other.example", "same", in_reply_to_id=here["id"])
    server.mention("eve@other.example", f"look at {elsewhere['url']}")
    async with connected(server) as channel:
        known = posts_of(await pulled(channel))
        for address in (here["url"], here["uri"], f"{here['url']}/#top"):
            assert await channel.find(address) == known[0]
        for address in (elsewhere["url"], elsewhere["uri"], f" {elsewhere['url']}/ "):
            assert await channel.find(address) == known[1]
    assert known[1].thread_id == here["uri"]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("export crashes", "invalid"),
        ("javascript:alert(1)", "invalid"),
        ("https://other.example/@ana/1", "gone"),
        ("{here}/@ben/999", "gone"),
        ("{here}/about", "gone"),
        ("{ours}", "invalid"),
    ],
)
async def test_says_why_it_finds_no_post_at_an_address(server: MastodonServer, address: str, kind: str) -> None:
    async with connected(server) as channel:
        sent = await channel.send(reply_to(await first_post(channel, server)))
        with pytest.raises(OutsideError) as raised:
            await channel.find(address.format(here=server.base_url, ours=sent.url))
    assert raised.value.kind == kind


async def test_names_the_scope_that_finding_needs(server: MastodonServer) -> None:
    server.token(TOKEN, scopes=["profile", "read:notifications", "read:statuses", "write:statuses"])
    async with connected(server) as channel:
        with pytest.raises(OutsideError, match="read:search"):
            await channel.find("https://other.example/@ana/1")


# --- speaking, and looking


@pytest.mark.parametrize("software", ["mastodon", "gotosocial", "pleroma"])
async def test_a_reply_is_found_under_the_post_it_answers(software: Software) -> None:
    with start_thread(MastodonNetwork(software=software)) as server:
        async with connected(server) as channel:
            post = await first_post(channel, server)
            before = await channel.look(post)
            sent = await channel.send(reply_to(post, "@ana@other.example fixed: https://example.com/changes/2.4.1"))
            after = await channel.look(post)
    assert (before.own_replies, before.authoritative) == ((), True)
    assert [own.external_id for own in after.own_replies] == [sent.external_id]
    assert after.own_replies[0].url == sent.url
    assert after.own_replies[0].text == "@ana@other.example fixed: https://example.com/changes/2.4.1"
    assert after.post == post


async def test_the_ledger_holds_what_was_said_and_how(server: MastodonServer) -> None:
    async with connected(server) as channel:
        post = await first_post(channel, server)
        await channel.send(replace(reply_to(post), content_warning="rage"))
    said = server.ledger()[0]
    assert (said["parent"], said["key"], said["visibility"]) == (post.external_id, "key-1", "unlisted")
    assert (said["spoiler_text"], said["language"]) == ("rage", "en")


async def test_one_key_is_one_reply_where_keys_are_honoured_and_two_where_not(server: MastodonServer) -> None:
    async with connected(server) as channel:
        post = await first_post(channel, server)
        assert await channel.send(reply_to(post)) == await channel.send(reply_to(post))
        assert len(server.ledger()) == 1
        server.settings(ignore_idempotency=True)
        await channel.send(reply_to(post))
        # This is why no attempt follows a lost answer before the thread was read.
        assert len(server.ledger()) == 2
        assert len((await channel.look(post)).own_replies) == 2


@pytest.mark.parametrize(
    ("effect", "more", "in_flight", "accepted"),
    [
        ("drop_after_accept", {}, True, 1),
        ("truncate", {}, False, 1),
        ("status", {"status": 500, "accept": True}, False, 1),
        ("status", {"status": 502, "accept": True, "text": "<html>Bad Gateway</html>"}, True, 1),
        ("status", {"status": 500}, False, 0),
        ("status", {"status": 504}, True, 0),
        ("reset", {}, True, 0),
    ],
)
async def test_a_lost_answer_is_unknown_and_the_thread_tells_what_happened(
    server: MastodonServer, effect: str, more: dict[str, Any], in_flight: bool, accepted: int
) -> None:
    async with connected(server) as channel:
        post = await first_post(channel, server)
        server.fault(effect, **more)
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
        assert (raised.value.kind, raised.value.in_flight) == ("unknown", in_flight)
        look = await channel.look(post)
    assert len(look.own_replies) == len(server.ledger()) == accepted
    assert look.authoritative


async def test_a_server_that_is_away_took_nothing_and_says_when_to_come_back(server: MastodonServer) -> None:
    async with connected(server, now=timedelta(0)) as channel:
        post = await first_post(channel, server)
        server.fault("status", status=503, headers=[["Retry-After", "40"]])
        server.fault("ratelimit", retry_after=["10", "90"])
        for kind, seconds in (("transient", 40), ("rate_limited", 90)):
            with pytest.raises(OutsideError) as raised:
                await channel.send(reply_to(post))
            assert raised.value.kind == kind
            assert raised.value.retry_at is not None
            wait = raised.value.retry_at - datetime.now(UTC)
            assert timedelta(seconds=seconds - 10) < wait <= timedelta(seconds=seconds)
    assert server.ledger() == []


async def test_a_server_that_never_answers_is_given_up_as_unknown(server: MastodonServer) -> None:
    async with connected(server, seconds=0.3) as channel:
        post = await first_post(channel, server)
        server.fault("hang")
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
    assert (raised.value.kind, raised.value.in_flight) == ("unknown", True)
    assert server.ledger() == []


async def test_a_slow_server_accepts_the_post_after_we_gave_up(server: MastodonServer) -> None:
    async with connected(server, seconds=0.3) as channel:
        post = await first_post(channel, server)
        server.fault("slow_accept", seconds=0.8)
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
        assert (raised.value.kind, raised.value.in_flight) == ("unknown", True)
        assert (await channel.look(post)).own_replies == ()
        deadline = time.monotonic() + 10
        while not (found := (await channel.look(post)).own_replies) and time.monotonic() < deadline:
            pass
    assert len(found) == 1


@pytest.mark.parametrize("change", [{"blocks_us": True}, {"suspended": True}])
async def test_a_customer_who_hides_from_us_is_gone_and_hears_nothing(
    server: MastodonServer, change: dict[str, bool]
) -> None:
    async with connected(server) as channel:
        post = await first_post(channel, server)
        server.person("ana@other.example", **change)
        for call in (channel.look(post), channel.send(reply_to(post))):
            with pytest.raises(OutsideError) as raised:
                await call
            assert raised.value.kind == "gone"
    assert server.ledger() == []


async def test_a_deleted_post_is_gone_and_an_edited_one_is_seen_to_be(server: MastodonServer) -> None:
    async with connected(server) as channel:
        post = await first_post(channel, server)
        server.edit(post.external_id, text="@acme never mind")
        now = (await channel.look(post)).post
        assert now.text == "@acme never mind"
        assert now.edited_at is not None
        server.delete(post.external_id)
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
    assert raised.value.kind == "gone"
    assert server.ledger() == []


async def test_a_reply_held_for_approval_is_not_visible_until_it_is_let_through(server: MastodonServer) -> None:
    async with connected(server) as channel:
        server.mention("ana@other.example", "export crashes", needs_approval=True)
        post = posts_of(await pulled(channel))[0]
        sent = await channel.send(reply_to(post))
        assert not sent.visible
        assert [own.visible for own in (await channel.look(post)).own_replies] == [False]
        server.edit(sent.external_id, pending=False)
        assert [own.visible for own in (await channel.look(post)).own_replies] == [True]


async def test_our_account_stopped_by_a_moderator_stops_everything(server: MastodonServer) -> None:
    async with connected(server) as channel:
        post = await first_post(channel, server)
        server.person("acme", disabled=True)
        for call in (channel.connect(), channel.look(post), channel.send(reply_to(post)), pulled(channel, "0")):
            with pytest.raises(OutsideError, match="ask the people who run that server") as raised:
                await call
            assert raised.value.kind == "suspended"


async def test_pleroma_replays_a_refusal_so_a_new_attempt_needs_a_new_key() -> None:
    with start_thread(MastodonNetwork(software="pleroma", max_characters=20)) as server:
        async with connected(server) as channel:
            post = await first_post(channel, server)
            for text in ("x" * 21, "short"):
                with pytest.raises(OutsideError) as raised:
                    await channel.send(reply_to(post, text))
                assert raised.value.kind == "too_long"
            await channel.send(reply_to(post, "short", key="key-2"))
        assert [said["key"] for said in server.ledger()] == ["key-2"]


async def test_a_thread_longer_than_the_server_lists_proves_no_absence(server: MastodonServer) -> None:
    said = server.mention("ana@other.example", "export crashes")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/context"):
            return httpx.Response(200, json={"ancestors": [], "descendants": [{"id": str(i)} for i in range(4096)]})
        return httpx.Response(200, json=said)

    post = parse_status(said, home=HOME)
    assert not (await answering(answer, remote_id="1").look(post)).authoritative
    assert not (await answering(answer).look(post)).authoritative


def test_a_post_for_few_is_answered_to_fewer_still() -> None:
    author = Author(external_id="https://other.example/users/ana", handle="@ana@other.example")
    post = Post(
        external_id="1",
        canonical_id="u",
        url="https://other.example/1",
        author=author,
        text="x",
        created_at=datetime.now(UTC),
        raw="{}",
    )
    envelope = counting(max_characters=700).envelope(replace(post, visibility="private", content_warning="rage"))
    assert (envelope.prefix, envelope.visibility, envelope.content_warning) == (
        "@ana@other.example ",
        "private",
        "rage",
    )
    assert envelope.limit == 700
    assert counting().envelope(post).visibility == "unlisted"


# --- the network as a process


async def test_the_network_runs_as_a_process_of_its_own() -> None:
    with start_process("--ignore-idempotency", "--max-characters", "300") as server:
        async with connected(server) as channel:
            post = await first_post(channel, server)
            for _ in range(2):
                await channel.send(reply_to(post))
            assert channel.envelope(post).limit == 300
        assert [said["key"] for said in server.ledger()] == ["key-1", "key-1"]
        assert server.pid is not None

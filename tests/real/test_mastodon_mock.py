"""The Mastodon channel against a server that others wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.channels.mastodon import Mastodon, MastodonSecrets, MastodonSettings
from app.http import make_client
from app.ports import Connection, OutsideError, PostPage
from app.rules.facts import Outgoing, Post
from tests.real.mastodon_mock_server import MastodonMock, lossy_line, start_mastodon_mock

LATER = timedelta(minutes=1)


@pytest.fixture
def mock() -> Iterator[MastodonMock]:
    with start_mastodon_mock() as running:
        yield running


def connection(base_url: str, http: httpx.AsyncClient, *, token: str = "acme-token") -> Connection:
    return Connection(
        settings=MastodonSettings(base_url=base_url),
        secrets=MastodonSecrets.model_validate({"access_token": token}),
        http=http,
        now=lambda: datetime.now(UTC) + LATER,
        base_url="http://127.0.0.1:8000",
    )


@asynccontextmanager
async def connected(mock: MastodonMock, *, address: str = "", seconds: float = 10) -> AsyncIterator[Mastodon]:
    """The channel as the service builds it once `connect` has told it who we are."""
    async with make_client(seconds=seconds, version="0") as http:
        known = connection(address or mock.base_url, http)
        profile = await Mastodon(known).connect()
        yield Mastodon(replace(known, remote_id=profile.remote_id, facts=profile.facts))


async def pulled(channel: Mastodon, cursor: str | None = None) -> list[PostPage]:
    return [page async for page in channel.pull(cursor=cursor, since=datetime.now(UTC) - timedelta(days=3))]


def posts_of(pages: list[PostPage]) -> list[Post]:
    return [post for page in pages for post in page.posts]


async def complaint(channel: Mastodon, mock: MastodonMock) -> Post:
    mock.say("ana", "@acme export crashes on Safari")
    return posts_of(await pulled(channel))[-1]


def reply_to(post: Post, key: str = "5f0c7f1e9d4b4d6f8a3b2c1d0e9f8a7b") -> Outgoing:
    return Outgoing(
        text="@ana it works now, since 2.4.1: does it for you?",
        post=post,
        key=key,
        visibility="unlisted",
        language="en",
        content_warning="",
        created_at=datetime.now(UTC),
    )


async def test_connects_and_learns_the_servers_limits(mock: MastodonMock) -> None:
    async with make_client(seconds=10, version="0") as http:
        profile = await Mastodon(connection(mock.base_url, http)).connect()
    assert profile.handle == f"@acme@{mock.base_url.removeprefix('http://')}"
    assert profile.url == f"{mock.base_url}/@acme"
    assert profile.facts["software"] == "mastodon"
    assert profile.facts["max_characters"] == 500


async def test_a_wrong_token_is_named_as_such(mock: MastodonMock) -> None:
    async with make_client(seconds=10, version="0") as http:
        with pytest.raises(OutsideError, match="refuses the access token") as raised:
            await Mastodon(connection(mock.base_url, http, token="sentinel-token")).connect()
    assert raised.value.kind == "auth_broken"
    assert "sentinel-token" not in repr(raised.value)


async def test_a_disabled_account_is_named_as_such(mock: MastodonMock) -> None:
    async with connected(mock) as channel:
        me = mock.call("GET", "/api/v1/accounts/verify_credentials", who="acme")["id"]
        mock.call("POST", f"/api/v1/admin/accounts/{me}/action", who="admin", json={"type": "disable"})
        with pytest.raises(OutsideError) as raised:
            await pulled(channel, "0")
    assert raised.value.kind == "suspended"


async def test_reads_a_hundred_mentions_in_order_over_several_pages(mock: MastodonMock) -> None:
    made = [mock.say("ana", f"@acme number {i}")["id"] for i in range(100)]
    async with connected(mock) as channel:
        pages = await pulled(channel)
        assert [post.external_id for post in posts_of(pages)] == made
        assert len(pages) > 2
        assert await pulled(channel, pages[-1].cursor) == []
        newer = mock.say("ana", "@acme one more")["id"]
        assert [post.external_id for post in posts_of(await pulled(channel, pages[-1].cursor))] == [newer]


async def test_reads_what_a_post_says_and_to_whom(mock: MastodonMock) -> None:
    said = mock.say(
        "ana",
        "@acme see https://example.com/log\nexport crashes",
        spoiler_text="rage",
        visibility="private",
        language="en",
    )
    async with connected(mock) as channel:
        post = posts_of(await pulled(channel))[0]
    assert (post.external_id, post.canonical_id, post.url) == (said["id"], said["uri"], said["url"])
    assert post.text == "@acme see https://example.com/log\nexport crashes"
    assert (post.content_warning, post.visibility, post.language) == ("rage", "private", "en")
    assert post.author.external_id == f"{mock.base_url}/@ana"
    assert (post.author.name, post.author.followers) == ("Ana", 0)


async def test_passes_over_machines_and_deleted_posts(mock: MastodonMock) -> None:
    mock.say("feed", "@acme beep")
    gone = mock.say("ana", "@acme oops")["id"]
    kept = mock.say("ana", "@acme export crashes")["id"]
    mock.call("DELETE", f"/api/v1/statuses/{gone}", who="ana")
    async with connected(mock) as channel:
        assert [post.external_id for post in posts_of(await pulled(channel))] == [kept]


async def test_a_whole_conversation(mock: MastodonMock) -> None:
    async with connected(mock) as channel:
        post = await complaint(channel, mock)
        assert (await channel.look(post)).own_replies == ()
        sent = await channel.send(reply_to(post))
        look = await channel.look(post)
        assert look.authoritative
        assert [(own.external_id, own.text) for own in look.own_replies] == [
            (sent.external_id, "@ana it works now, since 2.4.1: does it for you?")
        ]
        mock.say("ana", "@acme yes, thanks!", in_reply_to_id=sent.external_id)
        answer = posts_of(await pulled(channel))[-1]
    assert answer.answers_id == sent.external_id
    assert answer.thread_id == post.canonical_id
    said = mock.replies_to(post.external_id)[0]
    assert (said["visibility"], said["language"], said["in_reply_to_id"]) == ("unlisted", "en", post.external_id)


async def test_one_key_is_one_reply(mock: MastodonMock) -> None:
    async with connected(mock) as channel:
        post = await complaint(channel, mock)
        assert await channel.send(reply_to(post)) == await channel.send(reply_to(post))
        assert len(mock.replies_to(post.external_id)) == 1


async def test_an_edited_post_is_seen_to_be_and_a_deleted_one_is_gone(mock: MastodonMock) -> None:
    async with connected(mock) as channel:
        post = await complaint(channel, mock)
        mock.call("PUT", f"/api/v1/statuses/{post.external_id}", who="ana", json={"status": "@acme never mind"})
        now = (await channel.look(post)).post
        assert now.text == "@acme never mind"
        assert now.edited_at is not None
        mock.call("DELETE", f"/api/v1/statuses/{post.external_id}", who="ana")
        with pytest.raises(OutsideError) as raised:
            await channel.look(post)
    assert raised.value.kind == "gone"


async def test_too_long_a_reply_is_refused_as_such(mock: MastodonMock) -> None:
    async with connected(mock) as channel:
        post = await complaint(channel, mock)
        with pytest.raises(OutsideError) as raised:
            await channel.send(replace(reply_to(post), text="x" * 501))
    assert raised.value.kind == "too_long"


async def test_a_server_that_is_away_took_nothing(mock: MastodonMock) -> None:
    async with connected(mock) as channel:
        post = await complaint(channel, mock)
        mock.fault({"type": "status", "status": 503, "headers": {"Retry-After": "40"}})
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
        assert raised.value.kind == "transient"
        assert raised.value.retry_at is not None
        await channel.send(reply_to(post))
        assert len(mock.replies_to(post.external_id)) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"Retry-After": "120"}, 120), ({}, 300), ({"Retry-After": "7, 90"}, 90)]
)
async def test_too_many_requests_say_when_to_come_back(
    mock: MastodonMock, headers: dict[str, str], seconds: int
) -> None:
    async with connected(mock) as channel:
        post = await complaint(channel, mock)
        mock.fault({"type": "ratelimit", "headers": headers})
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
        assert raised.value.kind == "rate_limited"
        assert raised.value.retry_at is not None
        wait = raised.value.retry_at - LATER - datetime.now(UTC)
        assert timedelta(seconds=seconds - 10) < wait <= timedelta(seconds=seconds)
        assert mock.replies_to(post.external_id) == []


async def test_a_cut_answer_is_unknown_and_the_thread_tells(mock: MastodonMock) -> None:
    async with connected(mock) as channel:
        post = await complaint(channel, mock)
        mock.fault({"type": "malformed", "truncate": True})
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
        assert (raised.value.kind, raised.value.in_flight) == ("unknown", False)
        look = await channel.look(post)
    assert (look.own_replies, look.authoritative) == ((), True)


async def test_an_answer_lost_after_the_post_was_accepted_is_found_in_the_thread(mock: MastodonMock) -> None:
    async with lossy_line(mock) as address, connected(mock, address=address) as channel:
        post = await complaint(channel, mock)
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
        assert (raised.value.kind, raised.value.in_flight) == ("unknown", True)
        found = (await channel.look(post)).own_replies
        # The same key again is the same reply; and so is the one in the thread.
        again = await channel.send(reply_to(post))
        assert [own.external_id for own in found] == [again.external_id]
        assert len(mock.replies_to(post.external_id)) == 1


async def test_a_server_that_never_answers_is_given_up_as_unknown(mock: MastodonMock) -> None:
    async with connected(mock, seconds=3) as channel:
        post = await complaint(channel, mock)
        mock.fault({"type": "timeout"})
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
    assert (raised.value.kind, raised.value.in_flight) == ("unknown", True)

"""The Bluesky channel against the real PDS and AppView."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.channels.bluesky import Bluesky, BlueskySecrets, BlueskySettings
from app.http import make_client
from app.ports import Connection, OutsideError, Pocket, PostPage
from app.rules.characters import graphemes
from app.rules.facts import Outgoing, Post
from tests.real.bluesky_network import BlueskyNetwork, Somebody, start_bluesky

TEXT = "it works now, since 2.4.1: does it for you?"


@pytest.fixture(scope="module")
def network() -> Iterator[BlueskyNetwork]:
    with start_bluesky() as running:
        yield running


@pytest.fixture
def acme(network: BlueskyNetwork) -> Somebody:
    return network.join("acme")


@pytest.fixture
def ana(network: BlueskyNetwork) -> Somebody:
    return network.join("ana")


def connection(network: BlueskyNetwork, who: Somebody, http: httpx.AsyncClient, **known: Any) -> Connection:
    settings = {"service_url": network.pds, "handle": who.handle, "appview": known.pop("appview", "")}
    return Connection(
        settings=BlueskySettings.model_validate(settings),
        secrets=BlueskySecrets.model_validate({"app_password": known.pop("password", who.password)}),
        http=http,
        now=lambda: datetime.now(UTC),
        base_url="http://127.0.0.1:8000",
        **known,
    )


@asynccontextmanager
async def connected(network: BlueskyNetwork, who: Somebody, **known: Any) -> AsyncIterator[Bluesky]:
    """The channel as the service builds it once `connect` has told it who we are."""
    async with make_client(seconds=10, version="0") as http:
        made = connection(network, who, http, keeper=Pocket(), **known)
        profile = await Bluesky(made).connect()
        yield Bluesky(replace(made, remote_id=profile.remote_id, facts=profile.facts))


async def pulled(channel: Bluesky, cursor: str | None = None) -> list[PostPage]:
    return [page async for page in channel.pull(cursor=cursor, since=datetime.now(UTC) - timedelta(days=3))]


def posts_of(pages: list[PostPage]) -> list[Post]:
    return [post for page in pages for post in page.posts]


async def complaint(network: BlueskyNetwork, channel: Bluesky, ana: Somebody, acme: Somebody) -> Post:
    network.say(ana, f"@{acme.handle} export crashes on Safari", to=acme, langs=["en"])
    return posts_of(await pulled(channel))[-1]


def reply_to(post: Post, text: str = TEXT, key: str = "5f0c7f1e9d4b4d6f8a3b2c1d0e9f8a7b") -> Outgoing:
    return Outgoing(
        text=text,
        post=post,
        key=key,
        visibility="public",
        language="en",
        content_warning="",
        created_at=datetime.now(UTC),
    )


def under(post: Post, **parent: str) -> dict[str, Any]:
    root = {"uri": post.reply_ref["root_uri"], "cid": post.reply_ref["root_cid"]}
    return {"root": root, "parent": parent or {"uri": post.external_id, "cid": post.reply_ref["cid"]}}


async def test_connects_with_an_app_password_and_learns_where_the_account_lives(
    network: BlueskyNetwork, acme: Somebody
) -> None:
    for appview in ("", network.appview):
        async with make_client(seconds=10, version="0") as http:
            profile = await Bluesky(connection(network, acme, http, appview=appview)).connect()
        assert (profile.remote_id, profile.handle) == (acme.did, f"@{acme.handle}")
        assert profile.facts["pds"] == network.pds


async def test_a_wrong_password_and_a_stopped_account_are_told_apart(network: BlueskyNetwork, acme: Somebody) -> None:
    async with make_client(seconds=10, version="0") as http:
        with pytest.raises(OutsideError, match="refuses the app password") as raised:
            await Bluesky(connection(network, acme, http, password="sentinel-password")).connect()
        assert raised.value.kind == "auth_broken"
        assert "sentinel-password" not in repr(raised.value)
        network.take_down(acme)
        with pytest.raises(OutsideError, match="taken down") as raised:
            await Bluesky(connection(network, acme, http, remote_id=acme.did)).connect()
    assert raised.value.kind == "suspended"


async def test_an_account_that_is_stopped_in_the_middle_is_named_as_such(
    network: BlueskyNetwork, acme: Somebody, ana: Somebody
) -> None:
    async with connected(network, acme) as channel:
        post = await complaint(network, channel, ana, acme)
        network.take_down(acme)
        # Reading goes on while the access token lasts; a session is not renewed, and nothing is written. What the
        # server says of our own records is another thing once the AppView knows: both are tried.
        for _ in range(2):
            with pytest.raises(OutsideError, match="taken down") as raised:
                await channel.send(reply_to(post))
            assert raised.value.kind == "suspended"
            network.settle()
        with pytest.raises(OutsideError, match="taken down") as raised:
            await channel.look(post)
        assert raised.value.kind == "suspended"


async def test_a_session_is_renewed_when_it_has_ended(network: BlueskyNetwork, acme: Somebody, ana: Somebody) -> None:
    keeper = Pocket()
    async with make_client(seconds=10, version="0") as http:
        made = connection(network, acme, http, keeper=keeper, remote_id=acme.did)
        await Bluesky(made).connect()
        before = await keeper.kept()
        # What the server itself calls malformed stands for one that ended: both are renewed.
        keeper = Pocket({**before, "access": "not.a.token"})
        await complaint(network, Bluesky(replace(made, keeper=keeper)), ana, acme)
        after = await keeper.kept()
        assert after["refresh"] != before["refresh"]
        # The one before is good for a while, and leads to the same successor: nothing is lost in a race.
        again = Pocket({**before, "access": "not.a.token"})
        await pulled(Bluesky(replace(made, keeper=again)))
        keeper = Pocket({**before, "access": "not.a.token", "refresh": "not.a.token"})
        await pulled(Bluesky(replace(made, keeper=keeper)))


async def test_reads_mentions_replies_and_quotes_in_order(
    network: BlueskyNetwork, acme: Somebody, ana: Somebody
) -> None:
    async with connected(network, acme) as channel:
        post = await complaint(network, channel, ana, acme)
        assert post.text == f"@{acme.handle} export crashes on Safari"
        assert (post.author.external_id, post.author.handle, post.author.name) == (ana.did, f"@{ana.handle}", "Ana")
        assert (post.author.followers, post.language, post.thread_id) == (0, "en", post.canonical_id)
        cursor = (await pulled(channel))[-1].cursor
        ours = network.say(acme, "we are looking into it", reply=under(post))
        answer = network.say(ana, "thanks", reply=under(post, **ours))
        embed = {"$type": "app.bsky.embed.record", "record": ours}
        quote = network.say(ana, "look what they say", embed=embed)
        found = posts_of(await pulled(channel, cursor))
    assert [p.external_id for p in found] == [post.external_id, answer["uri"], quote["uri"]]
    assert [p.answers_id for p in found[1:]] == [ours["uri"]] * 2
    assert [p.thread_id for p in found] == [post.canonical_id, post.canonical_id, quote["uri"]]


async def test_reads_a_hundred_and_fifty_mentions_over_two_pages(network: BlueskyNetwork, acme: Somebody) -> None:
    people = [network.join("crowd") for _ in range(3)]
    made = [network.say(people[n % 3], f"@{acme.handle} number {n}", to=acme, settle=False)["uri"] for n in range(150)]
    network.settle()
    async with connected(network, acme) as channel:
        pages = await pulled(channel)
        assert [post.external_id for post in posts_of(pages)] == made
        assert len(pages) >= 2


async def test_a_whole_conversation(network: BlueskyNetwork, acme: Somebody, ana: Somebody) -> None:
    text = f"@{ana.handle} 👨‍👩‍👧 fixed, see https://acme.example/changes/2026/11/20/fixed-in-2.4.1?x=é (or not)."
    async with connected(network, acme) as channel:
        post = await complaint(network, channel, ana, acme)
        before = await channel.look(post)
        assert (before.own_replies, before.authoritative) == ((), True)
        sent = await channel.send(reply_to(post, text))
        network.settle()
        look = await channel.look(post)
        assert [(own.external_id, own.text, own.visible) for own in look.own_replies] == [
            (sent.external_id, text, True)
        ]
        record = network.records(acme)[0]
        answer = network.say(ana, "yes, thanks!", reply=under(post, uri=record["uri"], cid=record["cid"]))
        from_notifications = posts_of(await pulled(channel))[-1]
        (from_thread,) = await channel.read_thread(post)
    assert from_notifications.external_id == from_thread.external_id == answer["uri"]
    assert from_thread.answers_id == from_notifications.answers_id == sent.external_id
    assert from_thread.thread_id == post.canonical_id
    value = record["value"]
    assert "fixed-in-2.4.1" not in value["text"]
    cut = [value["text"].encode()[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode() for f in value["facets"]]
    assert cut == [f"@{ana.handle}", "acme.example/changes/2026/11/…"]
    assert value["facets"][1]["features"][0]["uri"] == "https://acme.example/changes/2026/11/20/fixed-in-2.4.1?x=é"


async def test_an_attempt_made_again_is_the_same_record(network: BlueskyNetwork, acme: Somebody, ana: Somebody) -> None:
    async with connected(network, acme) as channel:
        post = await complaint(network, channel, ana, acme)
        outgoing = reply_to(post)
        sent = await asyncio.gather(*(channel.send(outgoing) for _ in range(3)))
        assert len({one.external_id for one in sent}) == 1
        assert len(network.records(acme)) == 1
        # In the repository at once, for a look after a lost answer, whatever the AppView has seen.
        assert [own.external_id for own in (await channel.look(post)).own_replies] == [sent[0].external_id]


async def test_a_key_that_another_post_has_is_never_written_over(
    network: BlueskyNetwork, acme: Somebody, ana: Somebody
) -> None:
    async with connected(network, acme) as channel:
        post = await complaint(network, channel, ana, acme)
        outgoing = reply_to(post)
        await channel.send(outgoing)
        with pytest.raises(OutsideError, match="another post has the key") as raised:
            await channel.send(replace(outgoing, text="something else"))
    assert raised.value.kind == "transient"
    assert [record["value"]["text"] for record in network.records(acme)] == [TEXT]


async def test_who_may_not_reply_is_told_so_before_speaking(
    network: BlueskyNetwork, acme: Somebody, ana: Somebody
) -> None:
    async with connected(network, acme) as channel:
        post = await complaint(network, channel, ana, acme)
        key = post.external_id.rpartition("/")[2]
        gate = {
            "$type": "app.bsky.feed.threadgate",
            "post": post.external_id,
            "allow": [],
            "createdAt": "2026-11-20T00:00:00Z",
        }
        network.write(ana, "app.bsky.feed.threadgate", gate, rkey=key)
        assert (await channel.look(post)).post.locked
        # The PDS takes such a reply all the same, and nobody reads it.
        sent = await channel.send(reply_to(post))
        network.settle()
        own = (await channel.look(post)).own_replies
    assert [(one.external_id, one.visible) for one in own] == [(sent.external_id, False)]


async def test_a_reply_that_the_author_hides_is_noticed(network: BlueskyNetwork, acme: Somebody, ana: Somebody) -> None:
    async with connected(network, acme) as channel:
        post = await complaint(network, channel, ana, acme)
        sent = await channel.send(reply_to(post))
        network.settle()
        assert [own.visible for own in (await channel.look(post)).own_replies] == [True]
        key = post.external_id.rpartition("/")[2]
        gate = {
            "$type": "app.bsky.feed.threadgate",
            "post": post.external_id,
            "hiddenReplies": [sent.external_id],
            "createdAt": "2026-11-20T00:00:00Z",
        }
        network.write(ana, "app.bsky.feed.threadgate", gate, rkey=key)
        assert [own.visible for own in (await channel.look(post)).own_replies] == [False]


async def test_a_block_and_a_deleted_post_are_told_apart(
    network: BlueskyNetwork, acme: Somebody, ana: Somebody
) -> None:
    async with connected(network, acme) as channel:
        post = await complaint(network, channel, ana, acme)
        other = network.join("ben")
        gone = await complaint(network, channel, other, acme)
        block = {"$type": "app.bsky.graph.block", "subject": acme.did, "createdAt": "2026-11-20T00:00:00Z"}
        network.write(ana, "app.bsky.graph.block", block)
        network.delete(other, gone.external_id)
        for one, kind in ((post, "forbidden"), (gone, "gone")):
            with pytest.raises(OutsideError) as raised:
                await channel.look(one)
            assert raised.value.kind == kind


async def test_finds_a_post_by_its_addresses(network: BlueskyNetwork, acme: Somebody, ana: Somebody) -> None:
    async with connected(network, acme) as channel:
        post = await complaint(network, channel, ana, acme)
        key = post.external_id.rpartition("/")[2]
        addresses = [post.url, post.external_id, f"https://bsky.app/profile/{ana.handle}/post/{key}"]
        assert {(await channel.find(address)).canonical_id for address in addresses} == {post.canonical_id}
        for address in (
            f"https://bsky.app/profile/{ana.did}/post/3jzfcijpj2z2a",
            "https://bsky.app/profile/no.test/post/3k",
        ):
            with pytest.raises(OutsideError) as raised:
                await channel.find(address)
            assert raised.value.kind == "gone"


async def test_exactly_as_much_as_is_counted_is_taken(network: BlueskyNetwork, acme: Somebody, ana: Somebody) -> None:
    link = "https://acme.example/changes/2026/11/20/" + "a-very-long-name/" * 20
    async with connected(network, acme) as channel:
        post = await complaint(network, channel, ana, acme)
        for number, filler in enumerate(("é", "👨‍👩‍👧", "字", "e\u0301", "🏳️‍🌈", "x")):
            text = f"{link} "
            while channel.count(text + filler) <= 300:
                text += filler
            await channel.send(reply_to(post, text, key=f"key-{number}"))
            with pytest.raises(OutsideError) as raised:
                await channel.send(reply_to(post, text + filler, key=f"longer-{number}"))
            assert raised.value.kind == "too_long"


def test_counts_what_people_call_characters_as_the_server_does(network: BlueskyNetwork) -> None:
    letters = "aé字ก็नमस्तेक्षि்கதமிழ்한글각\u1100\u1161👩‍🔬👨‍👩‍👧‍👦🇩🇪🇫🇷1️⃣🏴󠁧󠁢󠁥󠁮󠁧󠁿🤚🏽ാाিక్షక్ത\r\n\u0301\u200d\u200c\ufe0f ÷ع"
    choose = random.Random(7)
    texts = ["".join(choose.choices(letters, k=choose.randint(1, 30))) for _ in range(2000)]
    told = network.graphemes(*texts)
    assert [text for text, count in zip(texts, told, strict=True) if graphemes(text) != count] == []

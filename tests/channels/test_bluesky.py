"""The Bluesky channel beyond its payloads: settings, counting, sessions, and whole conversations with a network."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.channels.bluesky import (
    STANDINGS,
    Bluesky,
    BlueskySecrets,
    BlueskySettings,
    compose,
    moment_of,
    parse_post,
    record_key,
    shortened,
    whole_text,
)
from app.ports import Connection, OutsideError, Pocket, PostPage, Threaded
from app.rules.characters import graphemes
from app.rules.facts import Outgoing, Post
from app.rules.fitting import fit
from app.staging import Board
from app.steps.take_in import take_in
from app.store.tables import Loop
from tests.support.bluesky_network import PASSWORD, PDS, SERVICE, BlueskyNetwork, Effect, Person
from tests.support.circle import Clock, circle

TEXT = "it works now, since 2.4.1: does it for you?"


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.fixture
def network(clock: Clock) -> BlueskyNetwork:
    return BlueskyNetwork(now=clock)


@pytest.fixture
def ana(network: BlueskyNetwork) -> Person:
    return network.person("ana")


def connection(network: BlueskyNetwork, *, password: str = PASSWORD, **known: Any) -> Connection:
    settings = {"service_url": SERVICE, "handle": network.acme.handle}
    return Connection(
        settings=BlueskySettings.model_validate(settings),
        secrets=BlueskySecrets.model_validate({"app_password": password}),
        http=network.client(),
        now=network.now,
        base_url="http://127.0.0.1:8000",
        **{"remote_id": network.acme.did, **known},
    )


@pytest.fixture
async def channel(network: BlueskyNetwork) -> AsyncIterator[Bluesky]:
    made = connection(network)
    yield Bluesky(made)
    await made.http.aclose()


async def pulled(channel: Bluesky, cursor: str | None = None, *, days: float = 3) -> list[PostPage]:
    since = channel._now() - timedelta(days=days)
    return [page async for page in channel.pull(cursor=cursor, since=since)]


def posts_of(pages: list[PostPage]) -> list[Post]:
    return [post for page in pages for post in page.posts]


async def first_post(channel: Bluesky, network: BlueskyNetwork, ana: Person) -> Post:
    network.say(ana, "export crashes on Safari")
    return posts_of(await pulled(channel))[-1]


def reply_to(post: Post, text: str = TEXT, key: str = "key-1", at: datetime | None = None) -> Outgoing:
    return Outgoing(
        text=text,
        post=post,
        key=key,
        visibility="public",
        language="en",
        content_warning="",
        created_at=at or datetime(2026, 11, 20, 12, tzinfo=UTC),
    )


# --- settings


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("https://bsky.social", "https://bsky.social"),
        (" bsky.social/ ", "https://bsky.social"),
        ("https://bsky.app/profile/acme.dev", "https://bsky.social"),
        ("https://PDS.example:8443/xrpc", "https://pds.example:8443"),
        ("http://127.0.0.1:2583", "http://127.0.0.1:2583"),
        ("http://localhost:2583/", "http://localhost:2583"),
    ],
)
def test_keeps_the_servers_own_address(entered: str, kept: str) -> None:
    assert BlueskySettings.model_validate({"service_url": entered, "handle": "acme.dev"}).service_url == kept


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ("", "not a web address"),
        ("ftp://pds.example", "not a web address"),
        ("https://me:sentinel@pds.example", "the server alone"),
        ("http://pds.example", "use https"),
        ("http://169.254.169.254", "may be connected to"),
    ],
)
def test_refuses_an_address_in_words_for_a_person(entered: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        BlueskySettings.model_validate({"service_url": entered, "handle": "acme.dev"})


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("acme.dev", "acme.dev"),
        (" @Acme.bsky.social ", "acme.bsky.social"),
        ("at://acme.dev", "acme.dev"),
        ("https://bsky.app/profile/acme.dev/", "acme.dev"),
        ("did:plc:abc", "did:plc:abc"),
    ],
)
def test_keeps_the_handle_however_it_was_copied(entered: str, kept: str) -> None:
    assert BlueskySettings.model_validate({"handle": entered}).handle == kept


@pytest.mark.parametrize("entered", ["", "acme", "acme@dev", "a b.c", "-a.dev", "acme.dev/x"])
def test_refuses_what_is_no_handle(entered: str) -> None:
    with pytest.raises(ValidationError, match="not a handle"):
        BlueskySettings.model_validate({"handle": entered})


@pytest.mark.parametrize("entered", ["", "sen", "sentinel with spaces", "sentinel-ä"])
def test_refuses_what_is_no_app_password_without_repeating_it(entered: str) -> None:
    with pytest.raises(ValidationError) as refused:
        BlueskySecrets.model_validate({"app_password": entered})
    assert "sentinel" not in str(refused.value)


def test_refuses_a_service_that_is_none() -> None:
    with pytest.raises(ValidationError, match="names no service"):
        BlueskySettings.model_validate({"handle": "acme.dev", "appview": "https://api.bsky.app"})


# --- words and links

WORDS = st.sampled_from(
    [
        *("a", " ", "\n", ".", ")", "(", "é", "e\u0301", "字", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "…", "@", "क्षि"),
        *("https://acme.dev", "https://acme.dev/", "http://a.b/c?d=e#f", "https://acme.dev/" + "long/" * 30),
        *(
            "https://acme.dev/字字字字字字字字字字字字字字字字字字字字字字字",
            "https://",
            "@ana.example.com",
            "ana.example.com",
        ),
        *("https://en.example/wiki/A_(b)", "https://acme.dev/é" + "\u0301" * 40),
    ]
)
TEXTS = st.lists(WORDS, max_size=40).map("".join)
NAMES = {"ana.example.com": "did:plc:ana"}


@given(TEXTS)
@example("https://https://acme.dev")
def test_what_is_shown_reads_back_as_what_was_meant(text: str) -> None:
    composed = compose(text, names=NAMES)
    assert whole_text(composed.text, list(composed.facets)) == text


@given(TEXTS)
def test_facets_count_bytes_and_never_overlap(text: str) -> None:
    composed = compose(text, names=NAMES)
    data, end = composed.text.encode(), 0
    for facet in composed.facets:
        start, stop = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        assert end <= start < stop <= len(data)
        shown, feature = data[start:stop].decode(), facet["features"][0]
        if feature["$type"].endswith("#link"):
            assert shown == shortened(feature["uri"])
            assert feature["uri"] in text
        else:
            assert (shown.lower(), feature["did"]) == ("@ana.example.com", "did:plc:ana")
        end = stop


@given(TEXTS)
def test_both_limits_are_kept_and_neither_is_kept_too_well(text: str) -> None:
    composed = compose(text)
    fits = graphemes(composed.text) <= 300 and len(composed.text.encode()) <= 3000
    assert (composed.length <= 300) == fits


@given(TEXTS, st.integers(20, 300))
def test_a_text_that_was_cut_fits_and_keeps_its_link(text: str, limit: int) -> None:
    link = "https://acme.dev/changes/2026/11/20/fixed-in-2.4.1-and-much-more"
    fitted = fit(f"{text} word {link}", count=lambda words: compose(words).length, limit=limit + 40, keep=(link,))
    assert link in {facet["features"][0]["uri"] for facet in compose(fitted.text).facets}
    assert compose(fitted.text).length <= limit + 40


@pytest.mark.parametrize(
    ("text", "shown", "links"),
    [
        ("see https://acme.dev/x.", "see acme.dev/x.", ["https://acme.dev/x"]),
        ("(https://acme.dev/x)", "(acme.dev/x)", ["https://acme.dev/x"]),
        ("https://a.dev/w_(b)!", "a.dev/w_(b)!", ["https://a.dev/w_(b)"]),
        ("詳細はhttps://acme.dev/x、次", "詳細はhttps://acme.dev/x、次", []),
        ("詳細は https://acme.dev/x、次", "詳細は acme.dev/x、次", ["https://acme.dev/x"]),
        ("https://acme.dev/", "acme.dev", ["https://acme.dev/"]),
        ("mail@https://acme.dev", "mail@https://acme.dev", []),
        ("https://acme.dev/" + "a" * 50, "acme.dev/" + "a" * 20 + "…", ["https://acme.dev/" + "a" * 50]),
        ("https://", "https://", []),
    ],
)
def test_shows_links_short_and_leads_to_the_whole(text: str, shown: str, links: list[str]) -> None:
    composed = compose(text)
    assert composed.text == shown
    assert [facet["features"][0]["uri"] for facet in composed.facets] == links


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@ana.example.com hi", ["@ana.example.com"]),
        ("Hi @Ana.Example.com.", ["@Ana.Example.com"]),
        ("👨‍👩‍👧 @ana.example.com, @ana.example.com!", ["@ana.example.com"] * 2),
        ("@ana.example.com.evil and @ana.example.community", []),
        ("x@ana.example.com", []),
        ("https://bsky.app/profile/@ana.example.com", []),
    ],
)
def test_the_customer_is_mentioned_where_their_whole_handle_stands(text: str, named: list[str]) -> None:
    composed = compose(text, names=NAMES)
    data = composed.text.encode()
    spans = [facet["index"] for facet in composed.facets if "did" in facet["features"][0]]
    assert [data[span["byteStart"] : span["byteEnd"]].decode() for span in spans] == named


@given(st.text(max_size=40), st.lists(st.dictionaries(st.sampled_from(["index", "features"]), st.none()), max_size=2))
def test_facets_that_make_no_sense_change_nothing(text: str, facets: list[Any]) -> None:
    assert whole_text(text, facets) == whole_text(text, None)


# --- keys


@given(st.text(max_size=40), st.integers(0, 10**15))
def test_a_record_key_is_a_tid_of_its_moment_and_always_the_same(key: str, micros: int) -> None:
    at = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    made = record_key(key, at)
    assert re.fullmatch(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}", made)
    assert made == record_key(key, at)
    told = moment_of(made)
    assert told is not None
    assert timedelta(0) <= told - at < timedelta(seconds=1.1)


def test_replies_of_one_moment_have_keys_of_their_own() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    assert len({record_key(f"key-{n}", at) for n in range(5000)}) == 5000


# --- parsing

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("uri", "cid", "author", "record", "indexedAt", "embed", "viewer", "labels", "reason")
OF_RECORD = ("text", "createdAt", "facets", "langs", "reply", "embed")
OF_AUTHOR = ("did", "handle", "displayName", "labels", "viewer", "followersCount")


@given(
    broken=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=3),
    record=st.dictionaries(st.sampled_from(OF_RECORD), ANYTHING, max_size=3),
    author=st.dictionaries(st.sampled_from(OF_AUTHOR), ANYTHING, max_size=3),
)
def test_a_malformed_post_is_a_post_or_a_value_error(
    broken: dict[str, Any], record: dict[str, Any], author: dict[str, Any]
) -> None:
    view = {
        "uri": "at://did:plc:ana/app.bsky.feed.post/3k",
        "cid": "c",
        "author": {"did": "did:plc:ana", "handle": "ana.example.com", **author},
        "record": {"text": "x", "createdAt": "2026-11-20T09:00:00Z", **record},
        "indexedAt": "2026-11-20T09:00:00Z",
        **broken,
    }
    try:
        post = parse_post(view, me="did:plc:me")
    except ValueError:
        return
    assert post.author.external_id == "did:plc:ana"
    assert post.created_at.utcoffset() == timedelta(0)
    assert isinstance(json.loads(post.raw), dict)
    f"{post.text}{post.author.handle}{post.author.name}".encode()


# --- sessions


async def test_one_session_serves_every_poll_and_is_renewed_when_it_ends(
    network: BlueskyNetwork, channel: Bluesky, clock: Clock, ana: Person
) -> None:
    network.say(ana, "hello")
    cursor = (await pulled(channel))[-1].cursor
    for _ in range(480):
        clock.move(seconds=30)
        await pulled(channel, cursor)
    assert network.calls["createSession"] == 1
    assert network.calls["refreshSession"] in {1, 2}


async def test_a_new_process_goes_on_with_the_session_that_is_kept(network: BlueskyNetwork, clock: Clock) -> None:
    keeper = Pocket()
    for _ in range(5):
        async with network.client() as http:
            await pulled(Bluesky(replace(connection(network), http=http, keeper=keeper)))
    assert network.calls["createSession"] == 1


async def test_a_race_for_a_rotating_session_has_one_winner_and_no_loser(network: BlueskyNetwork) -> None:
    network.rotates_strictly = True
    keeper = Pocket()
    channels = [Bluesky(connection(network, keeper=keeper)) for _ in range(4)]
    await pulled(channels[0])
    for _ in range(5):
        network.expire()
        await asyncio.gather(*(pulled(channel) for channel in channels))
    assert (network.calls["createSession"], network.calls["refreshSession"]) == (1, 5)


async def test_a_revoked_session_is_made_anew_by_the_app_password(network: BlueskyNetwork, channel: Bluesky) -> None:
    await pulled(channel)
    network.end_sessions()
    await pulled(channel)
    assert network.calls["createSession"] == 2


async def test_a_refused_app_password_is_not_tried_again_at_every_poll(network: BlueskyNetwork, clock: Clock) -> None:
    channel = Bluesky(connection(network, password="wrong-wrong-wrong"))
    for _ in range(40):
        with pytest.raises(OutsideError, match="refuses the app password") as raised:
            await pulled(channel)
        assert raised.value.kind == "auth_broken"
        assert "wrong-wrong" not in repr(raised.value)
        clock.move(seconds=30)
    assert network.calls["createSession"] == 2


async def test_a_stopped_account_is_told_from_a_wrong_password(network: BlueskyNetwork, channel: Bluesky) -> None:
    await pulled(channel)
    network.acme.stopped = "suspended"
    for which, said in ((channel, "taken down"), (Bluesky(connection(network)), "is suspended")):
        with pytest.raises(OutsideError, match=said) as raised:
            await pulled(which)
        assert raised.value.kind == "suspended"


@pytest.mark.parametrize("stopped", ["takendown", "suspended", "deactivated"])
async def test_an_account_whose_records_are_gone_is_named_as_stopped(
    network: BlueskyNetwork, channel: Bluesky, ana: Person, stopped: str
) -> None:
    post = await first_post(channel, network, ana)
    network.acme.stopped = stopped
    with pytest.raises(OutsideError, match=f"is {STANDINGS[stopped]}") as raised:
        await channel.send(reply_to(post))
    assert raised.value.kind == "suspended"
    assert not network.said()


async def test_records_that_cannot_be_read_though_nobody_stopped_us_are_told_in_the_servers_words(
    network: BlueskyNetwork, channel: Bluesky, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await first_post(channel, network, ana)
    odd = httpx.Response(400, json={"error": "InvalidRequest", "message": "Could not find repo"})
    monkeypatch.setattr(network, "_get_record", lambda *_: odd)
    with pytest.raises(OutsideError, match="Could not find repo") as raised:
        await channel.send(reply_to(post))
    assert raised.value.kind == "invalid"
    assert network.calls["getRepoStatus"] == 1
    assert not network.said()


async def test_a_session_of_another_server_is_never_sent_to_this_one(network: BlueskyNetwork) -> None:
    elsewhere = {"service": "https://other.example", "did": network.acme.did, "pds": PDS, "access": "x", "refresh": "y"}
    keeper = Pocket(elsewhere)
    await pulled(Bluesky(connection(network, keeper=keeper)))
    assert (network.calls["createSession"], network.calls["refreshSession"]) == (1, 0)
    assert (await keeper.kept())["service"] == SERVICE


@pytest.mark.parametrize(
    ("endpoint", "pds"),
    [
        ("https://other.example/", "https://other.example"),
        ("http://other.example", SERVICE),
        ("http://127.0.0.1:80", SERVICE),
        ("https://169.254.169.254", SERVICE),
        ("https://u:p@other.example", SERVICE),
        ("nonsense", SERVICE),
        (5, SERVICE),
    ],
)
async def test_speaks_where_the_account_lives_and_never_by_a_less_safe_way(
    network: BlueskyNetwork, monkeypatch: pytest.MonkeyPatch, endpoint: Any, pds: str
) -> None:
    tokens = network._tokens

    def lying(did: str) -> dict[str, Any]:
        told = tokens(did)
        told["didDoc"]["service"][0]["serviceEndpoint"] = endpoint
        return told

    monkeypatch.setattr(network, "_tokens", lying)
    channel = Bluesky(connection(network))
    assert (await channel._current())["pds"] == pds


@pytest.mark.parametrize("method", ["createSession", "refreshSession"])
@pytest.mark.parametrize("effect", ["cut before", "cut after", "error before", "limited", "html", "truncated"])
async def test_trouble_with_signing_in_is_over_when_it_is_over(
    network: BlueskyNetwork, channel: Bluesky, method: str, effect: Effect
) -> None:
    if method == "refreshSession":
        await pulled(channel)
        network.expire()
    network.fault(method, effect)
    with pytest.raises(OutsideError) as raised:
        await pulled(channel)
    assert raised.value.kind in {"transient", "rate_limited"}
    await pulled(channel)


# --- reading


async def test_reads_thousands_in_order_none_twice_and_from_any_page_on(
    network: BlueskyNetwork, channel: Bluesky, clock: Clock, ana: Person
) -> None:
    made = []
    for n in range(700):
        clock.move(minutes=2)
        made.append(network.say(ana, f"number {n}"))
    pages = await pulled(channel)
    assert [post.external_id for post in posts_of(pages)] == made
    for number in (1, 3, len(pages)):
        rest = await pulled(channel, pages[number - 1].cursor)
        seen = {post.external_id for post in posts_of(pages[:number] + rest)}
        assert seen == set(made)


async def test_more_than_fits_into_memory_follows_the_oldest(
    network: BlueskyNetwork, channel: Bluesky, clock: Clock, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.channels.bluesky.PAGES_AT_ONCE", 2)
    made = []
    for n in range(650):
        clock.move(seconds=20)
        made.append(network.say(ana, f"number {n}"))
    found = [post.external_id for post in posts_of(await pulled(channel))]
    assert list(dict.fromkeys(found)) == made


async def test_a_notification_that_came_late_is_read_within_the_hour(
    network: BlueskyNetwork, channel: Bluesky, clock: Clock, ana: Person
) -> None:
    early = network.say(ana, "first")
    network.untold.add(early)
    clock.move(minutes=50)
    later = network.say(ana, "second")
    pages = await pulled(channel)
    network.untold.clear()
    again = await pulled(channel, pages[-1].cursor)
    assert [post.external_id for post in posts_of(pages)] == [later]
    assert [post.external_id for post in posts_of(again)] == [early, later]


async def test_after_a_first_connection_without_words_the_next_are_read(
    network: BlueskyNetwork, channel: Bluesky, clock: Clock, ana: Person
) -> None:
    cursor = (await pulled(channel))[-1].cursor
    clock.move(days=20)
    network.say(ana, "at last")
    assert [post.text for post in posts_of(await pulled(channel, cursor))] == ["@acme.example.com at last"]


async def test_reads_threads_for_answers_that_no_notification_told_of(
    network: BlueskyNetwork, channel: Bluesky, ana: Person
) -> None:
    assert isinstance(channel, Threaded)
    post = await first_post(channel, network, ana)
    ben = network.person("ben")
    network.say(ben, "me too", to=post.external_id)
    sent = await channel.send(reply_to(post))
    answer = network.say(ana, "works now", to=sent.external_id)
    deeper = network.say(ben, "here as well", to=answer)
    network.untold |= {answer, deeper}
    found = await channel.read_thread(post)
    assert [one.external_id for one in found] == [answer, deeper]
    assert [one.answers_id for one in found] == [sent.external_id, answer]
    assert {one.thread_id for one in found} == {post.canonical_id}


# --- speaking, and looking


async def test_a_reply_hangs_on_the_post_and_keeps_the_threads_root(
    network: BlueskyNetwork, channel: Bluesky, ana: Person
) -> None:
    top = network.say(network.person("ben"), "what do you use?", mentions=False)
    network.say(ana, f"@{network.acme.handle} crashes", to=top)
    inner = next(uri for uri in network.records if uri.startswith(f"at://{ana.did}/"))
    post = await channel.find(inner)
    sent = await channel.send(reply_to(post))
    reply = network.records[sent.external_id]["reply"]
    assert (reply["root"]["uri"], reply["parent"]["uri"]) == (top, inner)


@pytest.mark.parametrize("method", ["getRecord", "putRecord", "getPostThread"])
@pytest.mark.parametrize("effect", ["cut before", "cut after", "error before", "error after", "truncated", "html"])
async def test_whatever_is_lost_on_the_way_the_public_reads_one_reply(
    network: BlueskyNetwork, channel: Bluesky, ana: Person, method: str, effect: Effect
) -> None:
    post = await first_post(channel, network, ana)
    network.fault(method, effect)
    if method == "getPostThread":
        await channel.send(reply_to(post))  # it was taken, whatever is known of who can read it
    else:
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
        assert raised.value.kind == ("unknown" if method == "putRecord" else "transient")
        assert method == "putRecord" or not network.said()
    look = await channel.look(post)
    assert [own.external_id for own in look.own_replies] == network.said()
    assert look.authoritative
    again = await channel.send(reply_to(post))
    assert network.said() == [again.external_id]
    assert network.writes == [again.external_id]


async def test_a_slow_server_accepts_after_we_gave_up_and_again_it_is_one_record(
    network: BlueskyNetwork, channel: Bluesky, ana: Person
) -> None:
    post = await first_post(channel, network, ana)
    network.fault("putRecord", "late", "late", seconds=0.01)
    for _ in range(2):
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
        assert (raised.value.kind, raised.value.in_flight) == ("unknown", True)
    await asyncio.gather(*network.late)
    await channel.send(reply_to(post))
    assert len(network.writes) == len(network.said()) == 1


async def test_the_session_may_end_at_the_very_call_that_speaks(
    network: BlueskyNetwork, channel: Bluesky, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await first_post(channel, network, ana)
    get_record = network._get_record

    def and_then_it_ends(*asked: Any) -> Any:
        answer = get_record(*asked)
        network.expire()
        return answer

    monkeypatch.setattr(network, "_get_record", and_then_it_ends)
    await channel.send(reply_to(post))
    assert len(network.writes) == 1


async def test_what_was_said_long_ago_and_by_whom_else_is_no_reply(
    network: BlueskyNetwork, channel: Bluesky, clock: Clock, ana: Person
) -> None:
    for n in range(450):
        network.say(network.acme, f"news {n}", mentions=False, at=clock() - timedelta(hours=n))
    post = await first_post(channel, network, ana)
    network.say(network.person("ben"), "me too", to=post.external_id)
    look = await channel.look(post)
    assert (look.own_replies, look.authoritative) == ((), True)


async def test_a_reply_is_visible_once_others_can_read_it(
    network: BlueskyNetwork, channel: Bluesky, ana: Person
) -> None:
    post = await first_post(channel, network, ana)
    network.is_ahead = True
    sent = await channel.send(reply_to(post))
    assert not sent.visible
    assert [own.visible for own in (await channel.look(post)).own_replies] == [False]
    network.unseen.clear()
    assert [own.visible for own in (await channel.look(post)).own_replies] == [True]
    network.hidden.add(sent.external_id)
    assert [own.visible for own in (await channel.look(post)).own_replies] == [False]


async def test_locks_blocks_and_deletions_are_told_apart(
    network: BlueskyNetwork, channel: Bluesky, ana: Person
) -> None:
    post = await first_post(channel, network, ana)
    network.locked.add(post.external_id)
    assert (await channel.look(post)).post.locked
    ana.blocks_us = True
    with pytest.raises(OutsideError) as raised:
        await channel.look(post)
    assert raised.value.kind == "forbidden"
    network.delete(post.external_id)
    with pytest.raises(OutsideError) as raised:
        await channel.look(post)
    assert raised.value.kind == "gone"


# --- in the whole circle


async def told(database_url: str, network: BlueskyNetwork, clock: Clock, body: Any) -> None:
    """A complaint that went all the way to its reply; then `body(circle, reply)`."""
    async with circle(database_url, clock=clock, make_http=network.client) as made:
        account = {
            "channel": "bluesky",
            "name": "Acme",
            "mode": "automatic",
            "settings": {"service_url": SERVICE, "handle": network.acme.handle},
            "secrets": {"app_password": PASSWORD},
        }
        answer = await made.post("/api/v1/accounts", account, status=201)
        assert (answer["handle"], answer["ok"]) == ("@acme.example.com", True)
        await made.post(
            "/api/v1/trackers", {"kind": "rehearsal", "name": "app", "settings": {"shipped_when": "closed"}}, status=201
        )
        network.say(network.person("ana"), "export crashes on Safari")
        await made.post("/api/v1/accounts/1/pull")
        await made.post(
            "/api/v1/loops",
            {"post_id": 1, "tags": ["export"], "issue": {"tracker_id": 1, "title": "Export crashes", "body": ""}},
            status=201,
        )
        await made.rest()
        await body(made)


async def close_the_issue(made: Any) -> None:
    clock = made.clock
    clock.move(minutes=5)
    await Board(made.stage, "main").close(1, outcome="completed", now=clock())
    await made.post("/api/v1/trackers/1/pull")
    for _ in range(4):
        clock.move(minutes=1)
        await made.rest()


async def test_an_answer_without_a_notification_closes_the_loop(
    database_url: str, network: BlueskyNetwork, clock: Clock
) -> None:
    async def body(made: Any) -> None:
        await close_the_issue(made)
        loop = await made.get("/api/v1/loops/1")
        assert loop["state"] == "told", loop
        (said,) = network.said()
        assert network.records[said]["reply"]["parent"]["uri"] == (await made.get("/api/v1/posts/1"))["external_id"]
        clock.move(minutes=3)
        answer = network.say(network.person("ana"), "works now, thank you!", to=said)
        network.untold.add(answer)
        clock.move(minutes=3)
        await made.rest()
        assert (await made.get("/api/v1/loops/1"))["state"] == "verified"
        network.untold.clear()
        before = len((await made.get("/api/v1/posts"))["items"])
        await made.post("/api/v1/accounts/1/pull")
        assert len((await made.get("/api/v1/posts"))["items"]) == before
        assert network.calls["createSession"] == 1
        assert len(network.writes) == 1

    await told(database_url, network, clock, body)


class Died(BaseException):
    """A process that ends right here."""


async def test_a_death_after_a_thread_was_read_loses_and_doubles_no_answer(
    database_url: str, network: BlueskyNetwork, clock: Clock
) -> None:
    def die_there(point: str) -> None:
        if point == "take_in.thread_read":
            raise Died

    async def body(made: Any) -> None:
        await close_the_issue(made)
        (said,) = network.said()
        clock.move(minutes=3)
        network.untold.add(network.say(network.person("ana"), "works now, thank you!", to=said))
        before, river = len((await made.get("/api/v1/posts"))["items"]), made.river
        lives, river.point = river.point, die_there
        with pytest.raises(Died):
            await take_in(river, 1)
        river.point = lives
        assert (await made.get("/api/v1/loops/1"))["state"] == "told"
        for _ in range(3):
            clock.move(minutes=3)
            await made.rest()
        assert (await made.get("/api/v1/loops/1"))["state"] == "verified"
        assert len((await made.get("/api/v1/posts"))["items"]) == before + 1
        assert len(network.writes) == 1

    await told(database_url, network, clock, body)


async def test_a_reply_that_nobody_can_read_is_brought_to_a_person(
    database_url: str, network: BlueskyNetwork, clock: Clock
) -> None:
    async def body(made: Any) -> None:
        network.is_ahead = True
        await close_the_issue(made)
        loop = await made.get("/api/v1/loops/1")
        assert (loop["state"], [reply["state"] for reply in loop["replies"]]) == ("shipped", ["posted"])
        for _ in range(30):
            clock.move(minutes=1)
            await made.rest()
        async with made.river.db.read() as session:
            row = await session.get(Loop, 1)
        assert "nobody can read it" in row.needs_person
        network.unseen.clear()
        clock.move(hours=1)
        await made.rest()
        assert (await made.get("/api/v1/loops/1"))["state"] == "told"
        assert len(network.writes) == 1

    await told(database_url, network, clock, body)


async def test_threads_are_read_in_turn_and_one_that_is_gone_holds_up_no_other(
    database_url: str, network: BlueskyNetwork, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.steps.take_in.THREADS", 2)
    read: list[str] = []
    get_post_thread = network._get_post_thread

    def noted(did: str, one: dict[str, str], *rest: Any) -> Any:
        if one["depth"] != "1":
            read.append(one["uri"])
        return get_post_thread(did, one, *rest)

    monkeypatch.setattr(network, "_get_post_thread", noted)

    async def body(made: Any) -> None:
        uris = [(await made.get("/api/v1/posts/1"))["external_id"]]
        for number, name in enumerate(("ben", "eve", "kim"), start=2):
            uris.append(network.say(network.person(name), "export crashes here too"))
            await made.post("/api/v1/accounts/1/pull")
            issue = {"tracker_id": 1, "ref": "1"}
            await made.post("/api/v1/loops", {"post_id": number, "tags": ["export"], "issue": issue}, status=201)
        assert read == []  # to none of them was anything said
        await close_the_issue(made)
        assert len(network.writes) == 4
        network.delete(uris[0])
        clock.move(minutes=10)
        read.clear()
        for _ in range(2):
            await made.post("/api/v1/accounts/1/pull")
            clock.move(seconds=10)
        assert sorted(read) == sorted(uris)
        network.fault("getPostThread", "limited")
        await made.post("/api/v1/accounts/1/pull", status=503)
        assert network.calls["createSession"] == 1

    await told(database_url, network, clock, body)

"""What every channel promises, checked on each one that discovery finds."""

from __future__ import annotations

import importlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import channels
from app.ports import BadSignatureError, Channel, Connection, OutsideError, PostPage, Rereading
from app.rules.facts import Envelope, Outgoing, Post, Sent, ThreadLook, Visibility
from tests.support import payloads
from tests.support.connection_form import (
    DOCS,
    PROOFS,
    assert_drawable,
    assert_page,
    assert_says_how_it_was_proven,
    hides_secrets,
)
from tests.support.faults import ELSEWHERE, Trouble, assert_lawful, play, troubles_of
from tests.support.payloads import Case, Scenery, scenery
from tests.support.stage import MemoryStage
from tests.support.wire import Wire

CHANNELS = channels.discover()
NAMES = sorted(CHANNELS)
CASES = [case for name in NAMES for case in payloads.cases("channels", name)]
ROUND: list[Visibility] = ["public", "unlisted", "private"]


def is_rereading(name: str) -> bool:
    """Whether a channel reads many posts at once."""
    return hasattr(CHANNELS[name], "rereads_at_once")


each_channel = pytest.mark.parametrize("name", NAMES)
each_trouble = pytest.mark.parametrize(("name", "trouble"), troubles_of("channels", NAMES))


async def pulled(channel: Channel, case: Case) -> list[PostPage]:
    arguments = {"cursor": None, **case.arguments}
    return [page async for page in channel.pull(**arguments)]


def rereading(channel: Channel) -> Rereading:
    """A channel that is known to read many posts at once."""
    assert isinstance(channel, Rereading)
    return channel


Call = Callable[[Channel, Case], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "profile": lambda channel, _case: channel.connect(),
    "posts": pulled,
    "found": lambda channel, case: channel.find(case.arguments["url"]),
    "look": lambda channel, case: channel.look(case.arguments["post"]),
    "sent": lambda channel, case: channel.send(case.arguments["outgoing"]),
    "reread": lambda channel, case: rereading(channel).reread(case.arguments["posts"]),
}
BY_METHOD = {"connect": "profile", "pull": "posts", "find": "found", "look": "look", "send": "sent", "reread": "reread"}


def built(name: str, place: Scenery) -> Channel:
    return CHANNELS[name](place.connection)


def received(channel: Channel, case: Case) -> Any:
    arguments = {"method": "POST", "headers": {}, "query": {}, **case.arguments}
    return channel.receive(**arguments)


def bare(name: str) -> Connection:
    """A connection for what needs no other side."""
    return payloads.Setup.of("channels", name).connection(CHANNELS[name], Wire(()).client(), MemoryStage())


@cache
def bare_channel(name: str) -> Channel:
    return CHANNELS[name](bare(name))


def known_posts(name: str) -> list[Post]:
    return [
        post
        for case in payloads.cases("channels", name, "posts")
        for post in payloads.parsed_posts(case.expected["posts"])
    ]


def case_for(name: str, kind: str) -> Case:
    """The first case of a kind; for the calls whose case may be left out, one made from another."""
    if kind == "sent":
        return payloads.first_deed("channels", name, kind)
    found = next(payloads.cases("channels", name, kind), None)
    if found is not None:
        return found
    mention = next(case for case in payloads.cases("channels", name, "posts") if case.expected["posts"])
    made = {"profile": {}, "found": {"url": mention.expected["posts"][0]["url"]}}
    return replace(mention, kind=kind, given={**mention.given, "arguments": made[kind]})


# --- what it says about itself


@each_channel
def test_is_called_like_its_file_and_states_its_limits(name: str) -> None:
    channel = CHANNELS[name]
    assert importlib.import_module(f"app.channels.{name}").CHANNEL is channel
    assert channel.name == name
    assert channel.title.strip()
    assert channel.poll_every > timedelta(0)
    assert channel.max_automatic_replies_per_post >= 1


@each_channel
def test_draws_its_own_connect_form(name: str) -> None:
    assert_drawable(CHANNELS[name].Settings, CHANNELS[name].Secrets)


@each_channel
def test_has_a_page_that_names_each_of_its_settings(name: str) -> None:
    assert_page("channels", name, CHANNELS[name].Settings, CHANNELS[name].Secrets)


@each_channel
def test_has_a_page_that_says_how_it_was_proven(name: str) -> None:
    assert_says_how_it_was_proven((DOCS / "channels" / f"{name}.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ("## How it is tested\n\n**Real server** (`tests/real/test_bluesky.py`)", "needs a section"),
        ("## How it was proven\n\nThoroughly (`tests/real/test_bluesky.py`)", "must say one of"),
        (f"## How it was proven\n\n{PROOFS[0]}, {PROOFS[2]} (`tests/real/test_bluesky.py`)", "must say one of"),
        (f"## How it was proven\n\nBy a\n{PROOFS[0]} (`tests/real/test_bluesky.py`)", "must begin"),
        (f"## How it was proven\n\n{PROOFS[1]}", "must name the tests"),
        (f"## How it was proven\n\n{PROOFS[1]} (`tests/real/test_myspace.py`)", "not there"),
        (f"## How it was proven\n\n{PROOFS[0]} (`tests/contract/test_channels.py`)", "tests/real/"),
    ],
)
def test_a_page_that_does_not_say_it_is_refused(section: str, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        assert_says_how_it_was_proven(f"# A channel\n\n{section}\n")


@each_channel
def test_shows_no_secret_of_its_connection(name: str) -> None:
    setup = payloads.Setup.of("channels", name)
    hides_secrets(bare(name), bare_channel(name), secrets=setup.secrets.values())


@each_channel
@pytest.mark.parametrize("kind", ["posts", "look", "sent"])
def test_has_a_payload_of_each_kind(name: str, kind: str) -> None:
    payloads.first("channels", name, kind)
    assert kind != "posts" or known_posts(name)


@pytest.mark.parametrize("name", [name for name in NAMES if is_rereading(name)])
def test_has_a_payload_of_posts_that_are_read_again(name: str) -> None:
    """One that is there and one that is gone at least: what is gone is thrown away, so it has to be proven."""
    kind = CHANNELS[name]
    assert isinstance(bare_channel(name), Rereading)
    assert 1 <= getattr(kind, "rereads_at_once", 0) <= 100
    found = [post for case in payloads.cases("channels", name, "reread") for post in case.expected.values()]
    assert None in found
    assert [post for post in found if post is not None]


# --- what it makes of what the other side says


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.kind in CALLS], ids=lambda case: f"{case.adapter}-{case.name}-{case.kind}"
)
async def test_makes_of_a_payload_what_stands_beside_it(case: Case) -> None:
    async with scenery(case, CHANNELS[case.adapter]) as place:
        result = await CALLS[case.kind](built(case.adapter, place), case)
        place.wire.assert_all_asked()
    if case.kind == "posts":
        posts = [payloads.without_raw(post) for page in result for post in page.posts]
        assert posts == payloads.parsed_posts(case.expected["posts"])
        assert (result[-1].cursor if result else None) == case.expected["cursor"]
    elif case.kind == "reread":
        found = {number: payloads.without_raw(post) if post else None for number, post in result.items()}
        assert found == {number: payloads.parsed_post(doc) if doc else None for number, doc in case.expected.items()}
    elif isinstance(result, Post):
        assert payloads.without_raw(result) == payloads.parsed_post(case.expected)
    elif isinstance(result, ThreadLook):
        look = replace(result, post=payloads.without_raw(result.post))
        assert look == payloads.parsed("look", case.expected)
    else:
        assert result == payloads.parsed(case.kind, case.expected)


@each_channel
async def test_reads_a_signed_call_and_refuses_it_once_changed(name: str) -> None:
    for case in payloads.cases("channels", name, "hook"):
        async with scenery(case, CHANNELS[name]) as place:
            channel = built(name, place)
            hook = received(channel, case)
            assert hook == payloads.parsed("hook", case.expected), case.name
            assert received(channel, case) == hook
            if case.arguments.get("method", "POST") == "POST":
                with pytest.raises(BadSignatureError):
                    channel.receive(method="POST", headers={}, query={}, body=case.arguments["body"])
                with pytest.raises(BadSignatureError):
                    received(channel, replace(case, given=tampered(case)))


def tampered(case: Case) -> dict[str, Any]:
    arguments = {**case.given["arguments"], "body": case.given["arguments"]["body"] + " "}
    return {**case.given, "arguments": arguments}


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.kind == "error"], ids=lambda case: f"{case.adapter}-{case.name}"
)
async def test_calls_a_failure_by_its_right_name(case: Case) -> None:
    async with scenery(case, CHANNELS[case.adapter]) as place:
        channel = built(case.adapter, place)
        if case.given["call"] == "receive":
            with pytest.raises((BadSignatureError, ValueError, NotImplementedError)) as refused:
                received(channel, case)
            assert payloads.refusal(refused.value) == case.expected["kind"]
            return
        with pytest.raises(OutsideError) as raised:
            await CALLS[BY_METHOD[case.given["call"]]](channel, case)
        place.wire.assert_all_asked()
    payloads.assert_error(raised.value, case.expected)


@each_channel
def test_reads_posts_that_can_be_kept_and_answered(name: str) -> None:
    for post in known_posts(name):
        assert post.external_id
        assert post.canonical_id
        assert post.thread_id
        assert post.author.external_id
        assert post.author.handle.strip()
        assert post.url.startswith(("https://", "http://"))
        assert post.created_at.utcoffset() == timedelta(0)
        assert post.created_at <= payloads.Setup.of("channels", name).now + timedelta(days=1)


# --- trouble


@each_trouble
@pytest.mark.parametrize("method", ["connect", "pull", "find", "look", "send", "reread"])
async def test_ends_in_an_outside_error_whatever_the_other_side_answers(
    name: str, trouble: Trouble, method: str
) -> None:
    if method == "reread" and not is_rereading(name):
        pytest.skip(f"{name} reads one post at a time")
    kind = BY_METHOD[method]
    case = case_for(name, kind)
    async with scenery(case, CHANNELS[name], fault=trouble.answer) as place:
        lawful = trouble.reading | (trouble.speaking if method == "send" else frozenset())
        if method == "find" and trouble.unclear:
            lawful |= {"gone"}  # an empty search result: a person reads it and looks again
        if trouble.staged is not None and not place.speaks_http:
            await play(place.stage, place.scenes, trouble.staged, among=lawful)
        try:
            result = await CALLS[kind](built(name, place), case)
        except OutsideError as error:
            assert_lawful(error, lawful, trouble, now=place.connection.now(), secrets=place.secrets)
        else:
            is_loss = method == "reread" and trouble.name in {
                "404",
                "410",
            }  # and then who we are is asked: steps/reread
            assert method != "reread" or is_loss or not [post for post in result.values() if post is None], result
            assert trouble.unclear or is_loss, f"{method} took {trouble.name} for an answer: {result}"
            assert method != "send", f"{trouble.name} was taken for a posted reply: {result}"
            assert method != "connect" or result.remote_id
        assert all(request.url.host != ELSEWHERE for request in place.wire.asked)


@each_trouble
async def test_never_takes_an_unclear_answer_for_a_posted_reply(name: str, trouble: Trouble) -> None:
    case = payloads.first_deed("channels", name, "sent")
    async with scenery(case, CHANNELS[name], fault=trouble.answer, only_speaking=True) as place:
        if trouble.staged is not None and not place.speaks_http:
            await play(place.stage, place.scenes, trouble.staged, among=trouble.speaking)
        with pytest.raises(OutsideError) as raised:
            await built(name, place).send(case.arguments["outgoing"])
        assert not place.wire.surprises
    error = raised.value
    assert_lawful(error, trouble.speaking, trouble, now=place.connection.now(), secrets=place.secrets)
    assert error.in_flight == (trouble.name == "a time-out")


@each_channel
async def test_a_reply_goes_out_as_the_very_bytes_it_was_given(name: str) -> None:
    case = payloads.first_deed("channels", name, "sent")
    outgoing: Outgoing = case.arguments["outgoing"]
    async with scenery(case, CHANNELS[name]) as place:
        sent = await built(name, place).send(outgoing)
        assert isinstance(sent, Sent)
        said = [payloads.words_of(request) for request in place.wire.asked if request.method in {"POST", "PUT"}]
        said += [json.dumps(doc, ensure_ascii=False) for doc in place.stage.documents()]
    assert any(json.dumps(outgoing.text, ensure_ascii=False)[1:-1] in words for words in said)


# --- words


@each_channel
@given(text=st.text(max_size=300), warning=st.text(max_size=50))
def test_counts_any_text_the_same_each_time(name: str, text: str, warning: str) -> None:
    channel = bare_channel(name)
    length = channel.count(text)
    assert length >= 0
    assert channel.count(text) == length
    assert channel.count(text, content_warning=warning) >= length
    assert channel.count("") == 0


@each_channel
@given(words=st.lists(st.text(alphabet="abcdefghij", min_size=1, max_size=12), max_size=20))
def test_counts_plain_words_letter_by_letter(name: str, words: list[str]) -> None:
    text = " ".join(words)
    assert bare_channel(name).count(text) == len(text)


@each_channel
def test_envelope_leaves_room_and_is_never_more_public_than_the_post(name: str) -> None:
    channel = bare_channel(name)
    for post in known_posts(name):
        for visibility in ROUND:
            envelope: Envelope = channel.envelope(replace(post, visibility=visibility))
            assert ROUND.index(envelope.visibility) >= ROUND.index(visibility)
            assert envelope == channel.envelope(replace(post, visibility=visibility))
            taken = channel.count(envelope.prefix, content_warning=envelope.content_warning)
            room = envelope.limit - taken
            assert room > envelope.limit / 2
            filled = envelope.prefix + "a" * room
            assert channel.count(filled, content_warning=envelope.content_warning) == envelope.limit


@each_channel
@given(
    method=st.sampled_from(["GET", "POST"]),
    headers=st.dictionaries(st.sampled_from(["X-Hub-Signature-256", "X-Hub-Signature", "Content-Type"]), st.text()),
    query=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=3),
    body=st.binary(max_size=200),
)
def test_believes_no_unsigned_call(
    name: str, method: str, headers: dict[str, str], query: dict[str, str], body: bytes
) -> None:
    with pytest.raises((BadSignatureError, NotImplementedError)):
        bare_channel(name).receive(method=method, headers=headers, query=query, body=body)

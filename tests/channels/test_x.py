"""The X channel beyond its payloads: settings, counting, access that rotates, long lists, the budget, and every way to lose an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.channels import x as module
from app.channels.x import Included, Me, X, XSecrets, XSettings, linked_words, parse_post, text_of, weighted_length
from app.ports import Authorizing, Connection, OutsideError, Pocket, PostPage, Priced, Rereading, Tally
from app.rules.facts import Outgoing, Post
from app.rules.quoting import same_text
from app.steps.authorize import challenge_of
from tests.support.x_network import ACCESS, CLIENT_ID, CLIENT_SECRET, ME, REFRESH, USERNAME, Effect, XNetwork

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXT = "@ana It works now, since 2.4.1. Does it for you?"
BACK = "http://127.0.0.1:8000/back"


@dataclass
class Stage:
    """The network, what is kept and counted for one account, and a clock."""

    moment: datetime = START
    pocket: Pocket = field(default_factory=Pocket)
    meter: Tally = field(default_factory=Tally)
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.network = XNetwork(now=lambda: self.moment)

    def connection(self, **settings: Any) -> Connection:
        tokens = {"access_token": ACCESS, "refresh_token": REFRESH}
        secrets = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **tokens, **self.secrets}
        return Connection(
            settings=XSettings.model_validate({"username": USERNAME, **self.settings, **settings}),
            secrets=XSecrets.model_validate(secrets),
            http=self.network.client(),
            now=lambda: self.moment,
            base_url="http://127.0.0.1:8000",
            remote_id=ME,
            facts={"username": USERNAME},
            keeper=self.pocket,
            meter=self.meter,
        )

    def channel(self, **settings: Any) -> X:
        """The channel as the service builds it in a process of its own."""
        return X(self.connection(**settings))

    async def asked(self, text: str = "the export crashes", **more: Any) -> Post:
        """Ana says something to us, and we read it."""
        self.network.say("ana", text, **more)
        [post] = posts_of(await pulled(self.channel()))
        return post


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def pulled(channel: X, cursor: str | None = None) -> list[PostPage]:
    return [page async for page in channel.pull(cursor=cursor, since=START - timedelta(days=3))]


def posts_of(pages: list[PostPage]) -> list[Post]:
    return [post for page in pages for post in page.posts]


def reply_to(post: Post, text: str = TEXT, *, at: datetime = START) -> Outgoing:
    return Outgoing(
        text=text, post=post, key="key-1", visibility="public", language="en", content_warning="", created_at=at
    )


# --- settings


@pytest.mark.parametrize(
    "entered", ["acme", " @acme ", "https://x.com/acme", "x.com/acme/", "https://mobile.twitter.com/@acme"]
)
def test_keeps_the_user_name_alone(entered: str) -> None:
    assert XSettings(username=entered).username == "acme"


@pytest.mark.parametrize("entered", ["", "two words", "acme!", "https://x.com/acme/status/1", "a" * 21])
def test_refuses_what_is_no_user_name(entered: str) -> None:
    with pytest.raises(ValidationError):
        XSettings(username=entered)


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("https://api.x.com/", "https://api.x.com"),
        ("https://api.x.com/2/tweets", "https://api.x.com"),
        ("http://127.0.0.1:4010", "http://127.0.0.1:4010"),
        ("http://x:8080/proxy/2", "http://x:8080/proxy"),
    ],
)
def test_keeps_the_address_that_the_api_is_under(entered: str, kept: str) -> None:
    assert XSettings(username="acme", api_url=entered).api_url == kept


@pytest.mark.parametrize("name", ["api_url", "authorize_url"])
def test_sends_nothing_over_http_to_far_away(name: str) -> None:
    with pytest.raises(ValidationError, match="use https"):
        XSettings.model_validate({"username": "acme", name: "http://api.x.com"})


def test_a_budget_has_cents_and_survives_being_stored() -> None:
    kept = XSettings.model_validate({"username": "acme", "monthly_budget_usd": "0.25"})
    assert XSettings.model_validate(json.loads(kept.model_dump_json())).monthly_budget_usd == Decimal("0.25")
    with pytest.raises(ValidationError):
        XSettings.model_validate({"username": "acme", "monthly_budget_usd": -1})


@pytest.mark.parametrize("name", ["client_id", "client_secret", "access_token", "refresh_token"])
def test_refuses_what_is_no_secret_of_xs_without_repeating_it(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        XSecrets.model_validate({"client_id": "a", name: "sentinel\nHost: x"})
    assert "sentinel" not in str(refused.value)


def test_offers_what_the_service_looks_for(stage: Stage) -> None:
    channel = stage.channel()
    assert isinstance(channel, Rereading)
    assert isinstance(channel, Priced)
    assert isinstance(channel, Authorizing)


# --- counting, and words that become links


@pytest.mark.parametrize(
    ("text", "length"),
    [
        # https://docs.x.com/fundamentals/counting-characters
        ("Hello, world! 👋", 16),
        ("👾", 2),
        ("🙋🏽", 2),
        ("👨‍🎤", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("https://example.com", 23),
        ("https://example.com/very/long/path", 23),
        ("cafe\u0301", 4),
        ("café", 4),
        # and what follows from its table of weights
        ("日本語", 6),
        ("“–”", 3),
        ("…€→✓", 8),
        ("README.md", 23),
        ("https://a.example", 23),
        ("a\r\nb", 3),
        ("", 0),
        ("a" * 280, 280),
    ],
)
def test_counts_as_x_does(text: str, length: int) -> None:
    assert weighted_length(text) == length


def test_counts_half_a_surrogate_pair_as_something() -> None:
    assert weighted_length("a\ud83d") == 2


@given(text=st.text(alphabet=st.characters(codec="utf-16", categories=["L", "M", "N", "P", "S", "Z"]), max_size=60))
def test_no_character_counts_for_more_than_two_but_in_an_address(text: str) -> None:
    length = weighted_length(text)
    assert length <= 2 * len(text) + 23 * len(linked_words(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fixed in 2.4.1.", ()),
        ("See README.md and setup.py, thanks", ("README.md", "setup.py")),
        ("since v2.io it works", ("v2.io",)),
        ("https://acme.example/release", ("https://acme.example/release",)),
        ("@ana.bsky.social", ()),
        ("mail me@acme.com", ()),
        ("v2.io, https://acme.example/a, README.md", ("v2.io", "https://acme.example/a,", "README.md")),
        ("acme.\u200cexample", ()),
    ],
)
def test_names_the_words_that_become_links(text: str, words: tuple[str, ...]) -> None:
    assert linked_words(text) == words


def test_says_what_a_reply_costs_and_which_word_makes_it_dear(stage: Stage) -> None:
    channel = stage.channel()
    assert channel.price("Fixed in 2.4.1").usd == Decimal("0.010")
    named = channel.price("The README.md says how, README.md")
    assert (named.usd, named.why) == (Decimal("0.200"), "README.md becomes a link")
    assert channel.price("setup.py, v2.io").why == "setup.py, v2.io become links"
    linked = channel.price("Look: https://acme.example/2")
    assert (linked.usd, linked.why) == (Decimal("0.200"), "it has a link: https://acme.example/2")


def test_two_customers_never_read_the_same_words(stage: Stage) -> None:
    channel = stage.channel()
    told = {"id": "1346889436626259968", "text": "@acme hi", "created_at": "2026-11-20T09:00:00Z"}
    users = {str(n): {"id": str(n), "username": f"customer{n}"} for n in range(50)}
    prefixes = [
        channel.envelope(parse_post({**told, "author_id": n}, Included(users=users), me=Me(ME, USERNAME))).prefix
        for n in users
    ]
    assert len(set(prefixes)) == 50


# --- parsing

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
WHOLE: dict[str, Any] = {
    "id": "1346889436626259968",
    "text": "@acme hi https://t.co/1",
    "author_id": "7",
    "created_at": "2026-11-20T09:00:00.000Z",
    "edit_history_tweet_ids": ["1346889436626259968"],
    "entities": {"urls": [{"url": "https://t.co/1", "expanded_url": "https://a.example", "display_url": "a.example"}]},
    "referenced_tweets": [{"type": "quoted", "id": "12"}],
    "attachments": {"media_keys": ["3_1"]},
    "note_tweet": {"text": "@acme hi"},
    "conversation_id": "12",
    "lang": "en",
    "reply_settings": "everyone",
}
USER: dict[str, Any] = {"id": "7", "username": "ana", "name": "Ana", "public_metrics": {"followers_count": 4}}


@given(
    broken=st.dictionaries(st.sampled_from(sorted(WHOLE)), ANYTHING, max_size=5),
    user=st.dictionaries(st.sampled_from(sorted(USER)), ANYTHING, max_size=3),
    media=ANYTHING,
)
def test_a_malformed_post_is_a_post_or_a_value_error(broken: Any, user: Any, media: Any) -> None:
    body = {"includes": {"users": [{**USER, **user}], "media": [{"media_key": "3_1", "url": media, "variants": media}]}}
    try:
        post = parse_post({**WHOLE, **broken}, Included.of(body), me=Me(ME, USERNAME))
    except ValueError:
        return
    assert post.external_id.isdigit()
    assert post.author.external_id
    assert post.author.handle
    assert post.url.startswith("https://x.com/")
    assert post.created_at.utcoffset() == timedelta(0)
    assert isinstance(json.loads(post.raw), dict)
    f"{post.text}{post.author.name}{post.media}".encode()


@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), max_size=120))
def test_what_x_shows_of_our_words_reads_the_same(text: str) -> None:
    network = XNetwork()
    number = network.by_hand(f"@ana {text}")
    assert same_text(f"@ana {text}", text_of(network._post(network.posts[number])))


async def test_an_edited_post_stays_one_post(stage: Stage) -> None:
    first = await stage.asked("the exprt crashes")
    stage.moment += timedelta(minutes=5)
    newest = stage.network.edit(int(first.external_id), "@acme the export crashes")
    [again] = posts_of(await pulled(stage.channel(), cursor=first.external_id))
    assert (again.external_id, again.canonical_id) == (first.external_id, first.canonical_id)
    assert (again.text, again.reply_ref["id"]) == ("@acme the export crashes", str(newest))
    assert (again.created_at, again.edited_at) == (START, stage.moment)
    look = await stage.channel().look(first)
    assert look.post.text == "@acme the export crashes"


# --- access


async def test_access_is_renewed_by_one_for_all_and_stored_before_it_is_used(stage: Stage) -> None:
    stage.network.say("ana", "hello")
    stage.network.expire()
    channels = [stage.channel() for _ in range(5)]
    found = await asyncio.gather(*(pulled(channel) for channel in channels))
    assert all(len(posts_of(pages)) == 1 for pages in found)
    assert stage.network.calls["POST token"] == 1
    kept = await stage.pocket.kept()
    assert kept["access"] in stage.network._access
    assert kept["refresh"] in stage.network._refresh


async def test_a_refresh_token_is_used_once(stage: Stage) -> None:
    for _ in range(4):
        stage.network.expire()
        await pulled(stage.channel())
    assert stage.network.calls["POST token"] == 4
    used = [parse_qs(one.content.decode())["refresh_token"][0] for one in stage.network.asked if one.method == "POST"]
    assert len(set(used)) == 4


async def test_access_that_ends_soon_is_renewed_before_it_is_used(stage: Stage) -> None:
    stage.network.expire()
    channel = stage.channel()
    await pulled(channel)
    stage.moment += timedelta(hours=1, minutes=59)
    stage.network.asked.clear()
    await pulled(channel)
    assert [request.url.path for request in stage.network.asked] == ["/2/oauth2/token", f"/2/users/{ME}/mentions"]


async def test_access_that_lives_a_minute_is_not_renewed_at_every_call(stage: Stage) -> None:
    stage.network.access_lives = timedelta(minutes=1)
    stage.network.expire()
    channel = stage.channel()
    for _ in range(4):
        await pulled(channel)
    assert stage.network.calls["POST token"] == 1
    stage.moment += timedelta(seconds=55)
    await pulled(channel)
    assert stage.network.calls["POST token"] == 2


async def test_a_refused_refresh_token_waits_for_new_access_and_asks_seldom(stage: Stage) -> None:
    stage.network.revoke()
    for _ in range(3):
        with pytest.raises(OutsideError, match="connect the account with X once more") as raised:
            await pulled(stage.channel())
        assert raised.value.kind == "auth_broken"
    assert stage.network.calls["POST token"] == 1
    stage.moment += timedelta(minutes=11)
    with pytest.raises(OutsideError):
        await pulled(stage.channel())
    assert stage.network.calls["POST token"] == 2


async def test_a_refusal_earned_by_the_old_client_secret_says_nothing_about_a_new_one(stage: Stage) -> None:
    stage.network.expire()
    stage.secrets = {"client_secret": "sentinel-that-was-replaced"}
    for _ in range(2):
        with pytest.raises(OutsideError, match="unauthorized_client"):
            await pulled(stage.channel())
    assert stage.network.calls["POST token"] == 1
    stage.secrets = {}
    assert await pulled(stage.channel())
    assert stage.network.calls["POST token"] == 2


async def test_an_outage_while_renewing_loses_no_access(stage: Stage) -> None:
    stage.network.expire()
    stage.network.fault("POST token", "error before")
    with pytest.raises(OutsideError) as raised:
        await pulled(stage.channel())
    assert raised.value.kind == "transient"
    assert await pulled(stage.channel())


@pytest.mark.parametrize("confidential", [True, False])
async def test_is_let_in_on_xs_own_page(stage: Stage, confidential: bool) -> None:
    stage.network.confidential = confidential
    stage.secrets = {"access_token": None, "refresh_token": None}
    if not confidential:
        stage.secrets["client_secret"] = None
    channel = stage.channel()
    page = channel.authorization_url(state="s/1", challenge=challenge_of("verifier"), redirect_uri=BACK)
    address = urlsplit(page)
    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://x.com/i/oauth2/authorize"
    assert {name: values[0] for name, values in parse_qs(address.query).items()} == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": BACK,
        "scope": "tweet.read users.read tweet.write offline.access",
        "state": "s/1",
        "code_challenge": challenge_of("verifier"),
        "code_challenge_method": "S256",
    }
    code = stage.network.agree(page)["code"]
    await channel.exchange(code=code, verifier="verifier", redirect_uri=BACK)
    profile = await stage.channel().connect()
    assert profile.remote_id == ME
    assert profile.scopes == ("tweet.read", "users.read", "tweet.write", "offline.access")
    assert profile.expires_at is None, "it renews itself"
    stage.network.expire()
    await stage.channel().connect()


async def test_a_code_that_is_too_old_lets_nobody_in_and_spoils_nothing(stage: Stage) -> None:
    stage.network.expire()
    await stage.channel().connect()
    before = await stage.pocket.kept()
    page = stage.channel().authorization_url(state="s", challenge=challenge_of("sentinel-v"), redirect_uri=BACK)
    code = stage.network.agree(page)["code"]
    stage.moment += timedelta(seconds=31)
    with pytest.raises(OutsideError, match="30 seconds") as raised:
        await stage.channel().exchange(code=code, verifier="sentinel-v", redirect_uri=BACK)
    assert raised.value.kind == "auth_broken"
    assert "sentinel" not in repr(raised.value)
    assert await stage.pocket.kept() == before


async def test_new_access_follows_a_refused_one(stage: Stage) -> None:
    stage.network.revoke()
    with pytest.raises(OutsideError):
        await stage.channel().connect()
    channel = stage.channel()
    page = channel.authorization_url(state="s", challenge=challenge_of("verifier"), redirect_uri=BACK)
    await channel.exchange(code=stage.network.agree(page)["code"], verifier="verifier", redirect_uri=BACK)
    assert (await channel.connect()).remote_id == ME


async def test_xs_words_never_carry_a_credential_into_an_error(stage: Stage) -> None:
    words = f"{ACCESS} {REFRESH} {CLIENT_SECRET}"
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(403, json={"detail": words})))
    with pytest.raises(OutsideError) as raised:
        await X(replace(stage.connection(), http=http)).connect()
    assert "sentinel" not in repr(raised.value)


async def test_access_without_a_scope_is_refused_by_its_name(stage: Stage) -> None:
    stage.network.scope = "tweet.read users.read offline.access"
    stage.network.expire()
    with pytest.raises(OutsideError, match=r"lacks tweet\.write") as raised:
        await stage.channel().connect()
    assert raised.value.kind == "auth_broken"


# --- long lists


async def test_everything_there_is_comes_oldest_first_and_once(stage: Stage) -> None:
    for number in range(830):
        stage.network.say(f"customer{number % 50}", f"complaint {number}", at=START - timedelta(seconds=900 - number))
    pages = await pulled(stage.channel())
    texts = [post.text for post in posts_of(pages)]
    assert texts == [f"@acme complaint {number}" for number in range(30, 830)]  # X reaches no further back
    cursors = [int(page.cursor or 0) for page in pages]
    assert all(one < other for one, other in pairwise(cursors))
    assert posts_of(await pulled(stage.channel(), cursor=pages[-1].cursor)) == []


async def test_more_than_fits_into_memory_comes_in_order_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGES_AT_ONCE", 3)
    stage.network.reach = 10_000
    for number in range(1000):
        stage.network.say("ana", f"complaint {number}", at=START - timedelta(seconds=1000 - number))
    assert [post.text for post in posts_of(await pulled(stage.channel()))] == [
        f"@acme complaint {number}" for number in range(1000)
    ]


@pytest.mark.parametrize("effect", ["cut after", "error before", "limited", "truncated"])
async def test_a_list_that_breaks_off_leaves_no_gap(stage: Stage, effect: Effect) -> None:
    for number in range(250):
        stage.network.say("ana", f"complaint {number}", at=START - timedelta(seconds=250 - number))
    begin = posts_of(await pulled(stage.channel()))[9].external_id
    asked = 0

    def break_second(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked == 2:
            stage.network.fault("GET users/mentions", effect)
        return stage.network.answer(request)

    http = httpx.AsyncClient(transport=httpx.MockTransport(break_second))
    with pytest.raises(OutsideError):
        await pulled(X(replace(stage.connection(), http=http)), cursor=begin)
    assert len(posts_of(await pulled(stage.channel(), cursor=begin))) == 240


async def test_speaks_the_apis_newer_names_where_it_is_told_to(stage: Stage) -> None:
    stage.network.naming = "post"
    stage.network.say("ana", "hello")
    with pytest.raises(OutsideError) as raised:
        await pulled(stage.channel())
    assert raised.value.kind == "invalid"
    [post] = posts_of(await pulled(stage.channel(naming="post")))
    assert post.text == "@acme hello"
    look = await stage.channel(naming="post").look(post)
    assert look.authoritative


# --- the budget


async def test_counts_what_x_charges(stage: Stage) -> None:
    channel = stage.channel()
    for number in range(7):
        stage.network.say("ana", f"complaint {number}")
    posts = posts_of(await pulled(channel))
    await channel.connect()
    for post in posts[:3]:
        await channel.look(post)
        await channel.send(reply_to(post, f"@ana number {post.external_id} works"))
    await channel.send(reply_to(posts[4], "@ana see README.md"))
    await channel.look(posts[5])
    await channel.reread(posts)
    # Whether a mention that is looked up costs the difference nobody says; it is counted.
    assert stage.network.billed > Decimal("0.24")
    assert Decimal(0) <= await stage.meter.spent() - stage.network.billed <= 7 * Decimal("0.004")


async def test_what_one_process_paid_another_counts_again(stage: Stage) -> None:
    stage.network.say("ana", "hello")
    await pulled(stage.channel())
    await pulled(stage.channel())
    assert await stage.meter.spent() == Decimal("0.002")
    assert stage.network.billed == Decimal("0.001")


async def test_asks_for_less_where_little_is_left(stage: Stage) -> None:
    for number in range(30):
        stage.network.say("ana", f"complaint {number}")
    await stage.meter.charge(Decimal("9.988"), budget=None)
    with pytest.raises(OutsideError, match="monthly budget") as raised:
        await pulled(stage.channel())
    assert raised.value.kind == "rate_limited"
    assert [request.url.params["max_results"] for request in stage.network.asked] == ["12"]
    assert await stage.meter.spent() <= 10


@pytest.mark.parametrize("budget", ["0", "0.004", "0.01", "0.02", "0.05", "0.25", "0.43"])
async def test_never_spends_more_than_the_budget(stage: Stage, budget: str) -> None:
    channel = stage.channel(monthly_budget_usd=budget)
    for number in range(6):
        stage.network.say(f"customer{number}", "the export crashes")
    trouble: list[OutsideError] = []
    try:
        posts = posts_of(await pulled(channel))
    except OutsideError as error:
        trouble.append(error)
        posts = posts_of(await pulled(with_money(stage).channel()))
    for number, post in enumerate(posts):
        try:
            await channel.look(post)
            text = f"{post.author.handle} fixed" + (", see README.md" if number % 2 else "")
            await channel.send(reply_to(post, text))
        except OutsideError as error:
            trouble.append(error)
    assert trouble
    assert {error.kind for error in trouble} == {"rate_limited"}
    assert all("monthly budget" in error.message for error in trouble)
    assert await stage.meter.spent() <= Decimal(budget)


def with_money(stage: Stage) -> Stage:
    """The same network, seen by somebody whose budget is whole."""
    other = Stage(pocket=stage.pocket)
    other.network = stage.network
    return other


@pytest.mark.parametrize("effect", ["cut after", "gateway", "error before"])
async def test_what_may_have_been_said_stays_paid(stage: Stage, effect: Effect) -> None:
    post = await stage.asked()
    before = await stage.meter.spent()
    stage.network.fault("POST tweets", effect)
    with pytest.raises(OutsideError) as raised:
        await stage.channel().send(reply_to(post))
    assert raised.value.kind == "unknown"
    assert await stage.meter.spent() - before == Decimal("0.010")


@pytest.mark.parametrize("effect", ["cut before", "html", "limited"])
async def test_what_was_refused_costs_nothing(stage: Stage, effect: Effect) -> None:
    post = await stage.asked()
    before = await stage.meter.spent()
    stage.network.fault("POST tweets", effect)
    with pytest.raises(OutsideError) as raised:
        await stage.channel().send(reply_to(post))
    assert raised.value.kind != "unknown"
    assert await stage.meter.spent() == before


# --- saying, and not saying it twice


async def test_answers_the_very_post_and_says_no_machine_wrote_it(stage: Stage) -> None:
    post = await stage.asked()
    sent = await stage.channel().send(reply_to(post))
    [said] = stage.network.said
    assert (sent.external_id, sent.url) == (str(said.id), f"https://x.com/acme/status/{said.id}")
    assert str(said.to) == post.external_id
    assert json.loads(stage.network.asked[-1].content)["made_with_ai"] is False


@pytest.mark.parametrize("effect", ["cut after", "error after", "gateway", "truncated"])
async def test_what_was_accepted_is_found_again(stage: Stage, effect: Effect) -> None:
    post = await stage.asked()
    stage.network.fault("POST tweets", effect)
    with pytest.raises(OutsideError) as raised:
        await stage.channel().send(reply_to(post))
    assert raised.value.kind == "unknown"
    look = await stage.channel().look(post)
    assert look.authoritative
    assert [own.text for own in look.own_replies] == [TEXT]
    # And where somebody sends the very same words again, X refuses them, and it is known why.
    again = await stage.channel().send(reply_to(post))
    assert again.external_id == look.own_replies[0].external_id
    assert len(stage.network.said) == 1


async def test_the_same_words_on_another_post_have_to_be_changed(stage: Stage) -> None:
    first = await stage.asked("one")
    await stage.channel().send(reply_to(first))
    stage.network.say("ana", "two")
    second = posts_of(await pulled(stage.channel(), cursor=first.external_id))[0]
    there = f"they stand at https://x.com/acme/status/{stage.network.said[0].id}; change the text"
    with pytest.raises(OutsideError, match=there) as raised:
        await stage.channel().send(reply_to(second))
    assert raised.value.kind == "invalid"
    assert len(stage.network.said) == 1


async def test_an_earlier_rounds_words_are_not_taken_for_this_reply(stage: Stage) -> None:
    post = await stage.asked()
    await stage.channel().send(reply_to(post))
    stage.moment += timedelta(days=2)
    with pytest.raises(OutsideError) as raised:
        await stage.channel().send(reply_to(post, at=stage.moment))
    assert raised.value.kind == "invalid"


Change = Callable[[XNetwork, int], object]
REFUSALS: dict[str, tuple[Change, str, str]] = {
    "deleted": (lambda network, number: network.delete(number), "gone", "deleted"),
    "blocked": (lambda network, _: network.person("ana", blocks_us=True), "gone", "deleted, or hidden"),
    "author suspended": (lambda network, _: network.person("ana", suspended=True), "gone", "deleted, or hidden"),
    "not named": (lambda network, number: setattr(network.posts[number], "text", "?"), "forbidden", "names @acme"),
    "restricted": (
        lambda network, number: setattr(network.posts[number], "reply_settings", "following"),
        "forbidden",
        "lets not everybody answer",
    ),
    "suspended": (lambda network, _: setattr(network, "account", "suspended"), "suspended", "suspended"),
    "locked": (lambda network, _: setattr(network, "account", "locked"), "suspended", "locked"),
    "no credits": (lambda network, _: setattr(network, "credits", Decimal(0)), "suspended", "credits are used up"),
    "capped": (lambda network, _: setattr(network, "capped", "Monthly"), "rate_limited", "too many"),
    "too fast": (lambda network, _: setattr(network, "window", 0), "rate_limited", "too many"),
    "no plan": (lambda network, _: setattr(network, "app", "no plan"), "auth_broken", "has a plan"),
    "read only": (lambda network, _: setattr(network, "app", "read only"), "forbidden", "not permitted"),
    "revoked": (lambda network, _: network.revoke(), "auth_broken", "once more"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_tells_refusals_apart(stage: Stage, name: str) -> None:
    change, kind, said = REFUSALS[name]
    post = await stage.asked()
    change(stage.network, int(post.external_id))
    with pytest.raises(OutsideError, match=said) as raised:
        await stage.channel().send(reply_to(post))
    assert raised.value.kind == kind
    assert stage.network.said == []


async def test_a_window_that_is_used_up_says_when_it_begins_anew(stage: Stage) -> None:
    post = await stage.asked()
    stage.network.window = 0
    with pytest.raises(OutsideError) as raised:
        await stage.channel().send(reply_to(post))
    assert raised.value.retry_at == START + timedelta(minutes=15)


async def test_a_post_that_does_not_name_us_is_found_and_not_answered(stage: Stage) -> None:
    number = stage.network.say("ana", "Acme crashes", mentions=False)
    post = await stage.channel().find(f"https://x.com/ana/status/{number}")
    assert post.locked
    look = await stage.channel().look(post)
    assert look.post.locked
    assert look.locked_why == "X lets us answer only a post that names @acme or quotes it"


async def test_the_thread_of_a_pasted_post_comes_along_and_is_paid_for(stage: Stage) -> None:
    network = stage.network
    root = network.say("ben", "Acme is slow today", mentions=False, at=START - timedelta(days=9))
    above = network.say("cleo", "for me too", mentions=False, to=root, at=START - timedelta(days=8))
    pasted = network.say("ana", "and now it crashes", mentions=False, to=above)
    network.say("acme", "we look into it", mentions=False, to=pasted)
    network.say("dora", "same here", mentions=False, to=pasted)
    network.say("eli", "another thread", mentions=False)
    channel = stage.channel()
    post = await channel.find(f"https://x.com/ana/status/{pasted}")
    before = await stage.meter.spent()
    around = await channel.read_around(post)
    assert [(one.author.handle, one.text) for one in around if one.external_id != str(pasted)] == [
        ("@ben", "Acme is slow today"),
        ("@cleo", "for me too"),
        ("@dora", "same here"),
    ]
    assert await stage.meter.spent() == network.billed
    assert network.billed > before


async def test_a_thread_ends_where_a_post_is_gone_and_where_the_plan_has_no_search(stage: Stage) -> None:
    network = stage.network
    root = network.say("ben", "Acme is slow today", mentions=False)
    above = network.say("cleo", "for me too", mentions=False, to=root)
    pasted = network.say("ana", "and now it crashes", mentions=False, to=above)
    post = await stage.channel().find(f"https://x.com/ana/status/{pasted}")
    network.delete(root)
    assert [one.text for one in await stage.channel().read_around(post)] == ["for me too", "and now it crashes"]
    network.has_search = False
    assert [one.text for one in await stage.channel().read_around(post)] == ["for me too"]


async def test_no_thread_is_read_past_the_budget(stage: Stage) -> None:
    post = await stage.asked()
    stage.settings["monthly_budget_usd"] = "0.02"
    with pytest.raises(OutsideError) as raised:
        await stage.channel().read_around(post)
    assert raised.value.kind == "rate_limited"


async def test_a_post_that_quotes_us_may_be_answered(stage: Stage) -> None:
    ours = stage.network.by_hand("We have a new export")
    text = f"it crashes https://twitter.com/acme/status/{ours}"
    number = stage.network.say("ana", text, mentions=False, quotes=ours)
    post = await stage.channel().find(f"https://x.com/ana/status/{number}")
    assert not post.locked
    assert post.answers_id == str(ours)
    assert (await stage.channel().look(post)).post == post
    assert (await stage.channel().send(reply_to(post))).external_id


async def test_what_somebody_answered_by_hand_is_seen(stage: Stage) -> None:
    post = await stage.asked()
    stage.moment += timedelta(hours=1)
    stage.network.by_hand("@ana we are on it", to=int(post.external_id))
    stage.network.by_hand("@ben another matter")
    look = await stage.channel().look(post)
    assert [own.text for own in look.own_replies] == ["@ana we are on it"]
    assert look.authoritative


async def test_a_long_list_of_our_own_proves_no_absence(stage: Stage) -> None:
    post = await stage.asked()
    stage.moment += timedelta(hours=1)
    for number in range(501):
        stage.network.by_hand(f"news {number}")
    assert not (await stage.channel().look(post)).authoritative


async def test_errors_without_posts_are_no_empty_list(stage: Stage) -> None:
    post = await stage.asked()
    problem = {"title": "Internal Error", "detail": "try later", "type": "https://api.x.com/2/problems/internal-error"}
    body = {"errors": [problem], "meta": {"result_count": 0}}

    def answer(request: httpx.Request) -> httpx.Response:
        is_list = request.url.path.startswith("/2/users/")
        return httpx.Response(200, json=body) if is_list else stage.network.answer(request)

    channel = X(replace(stage.connection(), http=httpx.AsyncClient(transport=httpx.MockTransport(answer))))
    for asking in (pulled(channel), channel.look(post)):
        with pytest.raises(OutsideError, match="try later") as raised:
            await asking
        assert raised.value.kind == "transient"


# --- reading again


async def test_reads_many_posts_again_and_knows_the_deleted_from_the_unknown(stage: Stage) -> None:
    numbers = [stage.network.say("ana", f"complaint {number}") for number in range(4)]
    posts = posts_of(await pulled(stage.channel()))
    stage.network.delete(numbers[1])
    stage.network.say("ben", "hello")
    stage.network.edit(numbers[2], "@acme changed")
    found = await stage.channel().reread(posts)
    assert found[str(numbers[0])] == posts[0]
    assert found[str(numbers[1])] is None
    changed = found[str(numbers[2])]
    assert changed is not None
    assert changed.text == "@acme changed"
    assert set(found) == {str(number) for number in numbers}
    stage.network.person("ana", blocks_us=True)
    assert set((await stage.channel().reread(posts)).values()) == {None}


async def test_reading_again_costs_a_fifth_for_what_is_listed_and_leaves_half_of_the_budget(stage: Stage) -> None:
    for number in range(150):
        stage.network.say("ana", f"complaint {number}")
    posts = posts_of(await pulled(stage.channel()))
    stage.network.delete(int(posts[20].external_id))
    before = await stage.meter.spent()
    found = [await stage.channel().reread(part) for part in (posts[:100], posts[100:])]
    assert [post for part in found for post in part.values()].count(None) == 1
    assert sum(len(part) for part in found) == 150
    assert await stage.meter.spent() - before <= Decimal("0.151")
    await stage.meter.charge(Decimal("4.8"), budget=None)
    with pytest.raises(OutsideError, match="half of the monthly budget") as raised:
        await stage.channel().reread(posts[:100])
    assert raised.value.kind == "rate_limited"
    await stage.channel().send(reply_to(posts[0]))


async def test_an_answer_that_names_only_some_leaves_the_others_unknown(stage: Stage) -> None:
    post = await stage.asked()
    problem = {"title": "?", "resource_id": post.external_id, "type": "https://api.x.com/2/problems/new-thing"}
    body = {"errors": [problem], "meta": {"result_count": 0}}
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=body)))
    assert await X(replace(stage.connection(), http=http)).reread([post]) == {}

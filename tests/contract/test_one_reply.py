"""Whatever befalls a reply on any channel: at most one is read in the end, and its state says what happened.

Every channel that discovery finds goes through the whole river, its network made of its own payloads
(tests/support/stand_in.py). The tables below say what is lawful; a channel adds nothing to this file.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest

from app import channels
from app.steps.river import JobName, Timing
from app.store.tables import Account
from app.worker import JOBS
from tests.contract.test_channels import bare_channel
from tests.support import payloads, story
from tests.support.circle import Circle, Clock, circle
from tests.support.databases import Databases, apart, migrated
from tests.support.faults import TROUBLES
from tests.support.payloads import Case, Setup
from tests.support.stand_in import LASTING, PASSING, Fate, Method, StandIn, demand, passing

NAMES = sorted(channels.discover())
TROUBLE = {trouble.name: trouble for trouble in TROUBLES}
TIMING = Timing(poll=timedelta(hours=24))
A_WHILE = timedelta(hours=2)
WORK: tuple[JobName, ...] = ("look_at_issues", "owe", "deliver", "take_over", "look_for_lost")
"""The jobs by which a reply is owed, said and looked for."""
STAGED = {name: payloads.is_staged("channels", name) for name in NAMES}


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is lawful while a trouble lasts: the reply's `states` at first and what its `why` says then."""

    fate: Fate
    states: frozenset[str]
    says: str
    waits: timedelta = field(default=timedelta(0))

    @property
    def name(self) -> str:
        fate = self.fate
        what = fate.trouble.name if fate.trouble else f"an answer {fate.damage}"
        once = "" if fate.times == LASTING else f", {fate.times} times"
        later = f" {fate.after.total_seconds():.0f} s later" if fate.after else ""
        return f"{fate.method}, {what}{once}{f', taken{later}' if fate.takes else ''}"


def _course(states: str, says: str, *, waits: float = 0, trouble: str = "", **fate: Any) -> Course:
    made = Fate(trouble=TROUBLE[trouble] if trouble else None, **fate)
    return Course(fate=made, states=frozenset(states.split()), says=says, waits=timedelta(seconds=waits))


LOST = "found in the thread"
LOOKS = "looking in the thread|not found|may still be on its way"

COURSES = (
    # The network took the reply, and we did not hear of it: it is found, and not said again.
    *(
        _course("posted", LOST, method="send", takes=True, times=1, **what)
        for what in (
            {"trouble": "a time-out"},
            {"trouble": "500"},
            {"trouble": "a sign-in page"},
            {"trouble": "JSON that is {}"},
            {"damage": "cut in half"},
            {"damage": "with its line cut"},
        )
    ),
    _course("unknown", LOOKS, method="send", trouble="a time-out", takes=True, times=1, after=timedelta(seconds=15)),
    # It did not take it, and we cannot know: two looks far enough apart, and then once more.
    *(
        _course("unknown", LOOKS, method="send", trouble=trouble, times=2)
        for trouble in ("a time-out", "500", "cut JSON")
    ),
    _course("unknown", LOOKS, method="send", trouble="a sign-in page", times=1),
    _course("unknown scheduled", ".", method="send", trouble="503", times=1),
    # It said that it did not take it.
    _course("scheduled", "connection|stage plays", method="send", trouble="a refused connection", times=2),
    _course("scheduled", "too many requests|rate_limited", method="send", trouble="429 without Retry-After", times=2),
    _course(
        "scheduled", "too many requests|rate_limited", method="send", trouble="429 with Retry-After", times=2, waits=120
    ),
    _course(
        "scheduled",
        "too many requests|rate_limited",
        method="send",
        trouble="429 with two Retry-After",
        times=2,
        waits=120,
    ),
    # A sign-in page instead of an answer: whoever asks elsewhere would give our token away.
    _course("refused unknown", "elsewhere|redirect|address", method="send", trouble="a redirect to another host"),
    # The look before: nothing is said as long as nobody knows what stands there.
    *(
        _course("scheduled", ".", method="look", waits=waits, trouble=trouble, times=2)
        for trouble, waits in (
            ("a time-out", 0),
            ("a refused connection", 0),
            ("500", 0),
            ("cut JSON", 0),
            ("a sign-in page", 0),
            ("429 without Retry-After", 0),
            ("429 with Retry-After", 120),
            ("429 with two Retry-After", 120),
        )
    ),
    _course("scheduled", ".", method="look", damage="cut in half", times=2),
    _course("scheduled", "elsewhere", method="look", trouble="a redirect to another host"),
)


def _meets(name: str, course: Course) -> bool:
    """Where the other side is on the stage and not behind HTTP, it makes only some of the troubles."""
    fate = course.fate
    return not STAGED[name] or (fate.trouble is not None and fate.trouble.staged is not None)


each_course = pytest.mark.parametrize(
    ("name", "course"),
    [pytest.param(n, c, id=f"{n}-{c.name}") for n in NAMES for c in COURSES if _meets(n, c)],
)


# --- the payloads


@pytest.mark.parametrize("name", NAMES)
def test_has_the_payloads_that_its_network_is_made_of(name: str) -> None:
    network = StandIn(name, now=Clock())
    outgoing, sent = network.outgoing, payloads.parsed("sent", network.role["reply"].expected)
    before = payloads.parsed("look", network.role["look-nothing"].expected)
    after = payloads.parsed("look", network.role["look-said"].expected)
    assert outgoing.post in payloads.parsed_posts(network.mention.expected["posts"])
    assert before.post.external_id == after.post.external_id == outgoing.post.external_id
    assert not before.own_replies, "look-nothing: something of ours is there"
    said = [(own.external_id, own.text, own.visible) for own in after.own_replies]
    assert said == [(sent.external_id, outgoing.text, True)], "look-said must show the very reply of reply.json"
    assert before.authoritative, "look-nothing must be a proof of absence, or nothing is ever said again"
    for word in PASSING:
        assert passing(name, word)


def test_names_the_files_that_a_channel_lacks() -> None:
    with pytest.raises(LookupError, match=r"channels/rehearsal/ needs look-x\.json and look-x\.look\.json: the look"):
        demand("rehearsal", "look-x", kind="look", what="the look")
    with pytest.raises(LookupError, match=r"channels/nowhere/ needs look-deleted\.json or reply-deleted\.json"):
        passing("nowhere", "deleted")


# --- the story


@dataclass
class Played:
    """A customer who is owed a reply on one channel, and that channel's network."""

    circle: Circle
    network: StandIn

    async def reply(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.circle.get("/api/v1/replies/1")
        return found

    async def account(self) -> Account:
        async with self.circle.river.db.read() as session:
            row = await session.get(Account, 1)
        assert row is not None
        return row

    async def rest(self) -> None:
        """Do the work that is due on the reply."""
        done = True
        while done:
            done = False
            for job in WORK:
                while await JOBS[job].job(self.circle.river):
                    done = True

    async def rest_for(self, time: timedelta) -> None:
        """Let time pass, and do the work that becomes due, when it becomes due."""
        until = self.circle.clock() + time
        await self.rest()
        while self.circle.clock() < until:
            ahead = min([*await self.circle.due_in(), (until - self.circle.clock()).total_seconds()])
            self.circle.clock.move(seconds=ahead + 0.001)
            await self.rest()

    @property
    def read_by_the_public(self) -> int:
        return sum(at <= self.circle.clock() for at in self.network.taken)


def _account(network: StandIn) -> dict[str, Any]:
    setup = Setup.of("channels", network.name, network.role["connect"].given.get("connection"))
    return {"channel": network.name, "name": "Acme", "settings": setup.settings, "secrets": setup.secrets}


async def _tell(played: Circle, network: StandIn) -> None:
    """Connect, take the customer's post in, tag it, fix it and ship it: the reply of the payload is owed."""
    await played.post("/api/v1/accounts", {**_account(network), "mode": "automatic"}, status=201)
    await played.post("/api/v1/trackers", {"kind": "rehearsal", "name": "Acme app"}, status=201)
    said = network.outgoing
    prefix = bare_channel(network.name).envelope(said.post).prefix
    assert said.text.startswith(prefix), f"reply.json: its text must begin with '{prefix}', as every reply there does"
    body = {"language": said.post.language or "en", "text": said.text.removeprefix(prefix)}
    await played.call("PUT", "/api/v1/templates/fixed", body)
    await played.post("/api/v1/accounts/1/pull")
    [post] = [
        post for post in (await played.get("/api/v1/posts"))["items"] if post["external_id"] == said.post.external_id
    ]
    await story.tag(played, post)
    await story.ship(played)


@asynccontextmanager
async def owed(name: str, databases: Databases) -> AsyncIterator[Played]:
    """The story told, on a database of its own; the clock stands where the payloads' does."""

    @asynccontextmanager
    async def at(url: str, start: datetime) -> AsyncIterator[Played]:
        clock = Clock(start)
        network = StandIn(name, now=clock)
        stands = {**channels.discover(), name: network.channel()}
        async with circle(url, timing=TIMING, channels=stands, make_http=None, product="Acme", clock=clock) as played:
            yield Played(played, network)

    start = Setup.of("channels", name).now

    async def prepare(url: str) -> None:
        await migrated(url)
        async with at(url, start) as played:
            await _tell(played.circle, played.network)

    url = databases.copy_of(f"owed-{name}", lambda empty: apart(prepare(empty)))
    try:
        async with at(url, start + timedelta(minutes=10)) as played:
            yield played
    finally:
        databases.drop(url)


# --- what holds in each


async def assert_said_once(played: Played) -> None:
    """In the end it is said, once, everybody knows, and the next read of the account finds it well."""
    await played.rest_for(A_WHILE)
    await played.circle.post("/api/v1/accounts/1/pull")
    reply = await played.reply()
    assert played.read_by_the_public == 1
    assert reply["state"] == "posted", reply
    assert reply["external_id"] == payloads.parsed("sent", played.network.role["reply"].expected).external_id
    assert reply["text"] == played.network.outgoing.text
    assert (await played.circle.get("/api/v1/loops/1"))["state"] == "told"
    account = await played.account()
    assert account.ok, account.why


async def press(played: Played, button: str) -> None:
    answer = await played.circle.api.post(f"/api/v1/replies/1/{button}")
    assert answer.status_code in {200, 409, 502, 503}, answer.text


async def undergo(played: Played, course: Course) -> None:
    """The trouble comes, lasts for hours or a moment, and passes."""
    played.network.fate = course.fate
    await played.rest()
    reply = await played.reply()
    assert reply["state"] in course.states, reply
    assert re.search(course.says, reply["why"]), reply["why"]
    if course.waits:
        assert min(await played.circle.due_in()) >= course.waits.total_seconds()
    await played.rest_for(A_WHILE)
    assert played.read_by_the_public == int(course.fate.times < LASTING)
    played.network.calm()
    if (await played.reply())["state"] == "refused":
        await press(played, "retry")
    await assert_said_once(played)


@each_course
async def test_says_it_once_whatever_befalls_its_calls(name: str, course: Course, sqlite_databases: Databases) -> None:
    async with owed(name, sqlite_databases) as played:
        await undergo(played, course)


@pytest.mark.postgres
@pytest.mark.parametrize("course", [COURSES[0], COURSES[1], COURSES[7]], ids=lambda course: course.name)
@pytest.mark.parametrize("name", NAMES)
async def test_does_so_on_postgresql_too(name: str, course: Course, postgres_databases: Databases) -> None:
    async with owed(name, postgres_databases) as played:
        await undergo(played, course)


# --- what the network may say of us, or of the post


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What becomes of a reply that the network refuses so: its state, what `why` says, and what then lets it go."""

    state: str
    says: str
    then: Literal["retry", "reconnect", "nothing"]


VERDICTS: dict[tuple[str, str], Verdict] = {
    ("look", "gone"): Verdict(state="refused", says="the customer's post is gone", then="retry"),
    ("look", "forbidden"): Verdict(state="refused", says="the customer's post cannot be answered", then="retry"),
    ("look", "locked"): Verdict(state="held", says="the thread takes no more replies", then="retry"),
    ("look", "auth_broken"): Verdict(state="scheduled", says=".", then="reconnect"),
    ("look", "suspended"): Verdict(state="scheduled", says=".", then="reconnect"),
    ("send", "gone"): Verdict(state="refused", says=".", then="retry"),
    ("send", "forbidden"): Verdict(state="refused", says=".", then="retry"),
    ("send", "auth_broken"): Verdict(state="scheduled", says=".", then="reconnect"),
    ("send", "suspended"): Verdict(state="scheduled", says=".", then="reconnect"),
    ("send", "rate_limited"): Verdict(state="scheduled", says=".", then="nothing"),
}
"""By the call and by what the adapter makes of its answer."""

LAWFUL = {
    "revoked": {"auth_broken"},
    "deleted": {"gone"},
    "blocked": {"forbidden", "gone", "suspended", "rate_limited"},
    "locked": {"locked", "forbidden"},
}
"""What an adapter may make of each; networks that tell no one of a block answer as if the post were gone."""


def _own_words(case: Case) -> str:
    """What the adapter itself says of a thread that takes no reply, where it says more than that."""
    return re.escape(str(case.expected.get("locked_why", "")))


def _made_of(case: Case) -> str:
    if case.kind == "error":
        kind: str = case.expected["kind"]
        return kind
    return "locked" if case.expected.get("post", {}).get("locked") else case.kind


@pytest.mark.parametrize("word", PASSING)
@pytest.mark.parametrize("name", NAMES)
async def test_says_nothing_while_the_network_refuses_and_says_why(
    name: str, word: str, sqlite_databases: Databases
) -> None:
    for case in passing(name, word):
        kind = _made_of(case)
        assert kind in LAWFUL[word], f"{case.name} becomes {kind}; lawful: {sorted(LAWFUL[word])}"
        method: Method = "look" if case.name.startswith("look-") else "send"
        verdict = VERDICTS[method, kind]
        says = _own_words(case) or verdict.says
        async with owed(name, sqlite_databases) as played:
            played.network.fate = Fate(method=method, case=case.name)
            await played.rest()
            reply = await played.reply()
            assert (reply["state"], reply["external_id"]) == (verdict.state, None), reply
            assert re.search(says, reply["why"]), reply["why"]
            await assert_account(played, silenced=verdict.then == "reconnect")
            await played.rest_for(A_WHILE)
            if verdict.then == "retry":
                await press(played, "retry")  # too early: it is still so
                await played.rest_for(A_WHILE)
            assert played.read_by_the_public == 0
            assert (await played.reply())["state"] == verdict.state
            assert (await played.circle.get("/api/v1/loops/1"))["state"] == "shipped"
            played.network.calm()
            if verdict.then == "retry":
                await press(played, "retry")
                await played.rest()
                if (await played.reply())["state"] == "held":  # what was gone and is back has to be read again
                    await press(played, "retry")
            elif verdict.then == "reconnect":
                change = {"secrets": _account(played.network)["secrets"]}
                await played.circle.call("PATCH", "/api/v1/accounts/1", change)
            await assert_said_once(played)


async def assert_account(played: Played, *, silenced: bool) -> None:
    """Its health names what was refused, where that was us and not the post."""
    account = await played.account()
    if silenced:
        assert not account.ok
        assert account.why

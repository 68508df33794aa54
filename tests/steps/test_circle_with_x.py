"""The whole circle on X: mention, release, reply, lost answers, access that rotates, credits and the budget."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.support import story
from tests.support.circle import Circle, Clock, circle
from tests.support.pages import signed_in
from tests.support.rough_line import Died
from tests.support.x_network import ACCESS, CLIENT_ID, CLIENT_SECRET, REFRESH, SCOPE, USERNAME, Effect, XNetwork

JSON = dict[str, Any]


@dataclass
class Stage:
    """A circle, and the X that its account is on."""

    played: Circle
    network: XNetwork

    async def read(self) -> list[JSON]:
        """Pull the account; the posts that are known now, oldest first."""
        await self.played.post("/api/v1/accounts/1/pull")
        await self.played.rest()
        items = (await self.played.get("/api/v1/posts", params={"limit": 200}))["items"]
        return sorted(items, key=lambda post: int(post["id"]))

    async def tagged(self, who: str = "ana", **more: Any) -> int:
        """A customer complains, and support makes an issue of it; returns the post's number."""
        number = self.network.say(who, "the export crashes", **more)
        await story.tag(self.played, (await self.read())[-1], title=f"Export crashes for {who}")
        await self.played.rest()
        return number

    async def wait(self, minutes: int = 10) -> None:
        """Let time pass, doing what is due."""
        for _ in range(minutes):
            self.played.clock.move(minutes=1)
            await self.played.rest()

    async def loop(self, number: int = 1) -> JSON:
        return await story.loop_of(self.played, number)

    async def reply(self, number: int = 1) -> JSON:
        """The one reply of a loop."""
        [reply] = (await self.loop(number))["replies"]
        found: JSON = reply
        return found

    async def health(self) -> JSON:
        found: JSON = await self.played.get("/api/v1/accounts/1/health")
        return found

    async def change(self, **parts: Any) -> None:
        await self.played.call("PATCH", "/api/v1/accounts/1", parts)


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    clock = Clock()
    network = XNetwork(now=clock)
    async with circle(database_url, product="Acme", clock=clock, make_http=network.client) as played:
        account = {
            "channel": "x",
            "name": "Acme",
            "mode": "automatic",
            "settings": {"username": USERNAME, "monthly_budget_usd": 10},
            "secrets": {
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "access_token": ACCESS,
                "refresh_token": REFRESH,
            },
        }
        await played.post("/api/v1/accounts", account, status=201)
        tracker = {"kind": "rehearsal", "name": "Acme app", "settings": {"settle_seconds": 0}}
        await played.post("/api/v1/trackers", tracker, status=201)
        yield Stage(played, network)


async def test_a_mention_goes_all_the_way_round(stage: Stage) -> None:
    number = await stage.tagged()
    await story.ship(stage.played)
    await stage.wait(1)
    [ours] = stage.network.said
    assert ours.to == number
    assert ours.text.startswith("@ana ")
    assert (await stage.reply())["url"] == f"https://x.com/acme/status/{ours.id}"
    assert (await stage.loop())["state"] == "told"
    stage.played.clock.move(minutes=5)
    stage.network.say("ana", "works now, thanks!", to=ours.id)
    await stage.read()
    assert (await stage.loop())["state"] == "verified"


@pytest.mark.parametrize("effect", ["cut after", "error after", "gateway", "truncated", "cut before", "error before"])
async def test_a_lost_answer_is_said_once(stage: Stage, effect: Effect) -> None:
    await stage.tagged()
    stage.network.fault("POST tweets", effect)
    await story.ship(stage.played)
    await stage.wait()
    assert len(stage.network.said) == 1
    assert (await stage.loop())["state"] == "told"


async def test_a_lost_answer_that_x_shows_late_is_said_once(stage: Stage) -> None:
    await stage.tagged()
    stage.network.fault("POST tweets", "cut after")
    await story.ship(stage.played)
    await stage.played.rest()
    [ours] = stage.network.said
    stage.network.unlisted.add(ours.id)
    await stage.played.rest()
    stage.network.unlisted.clear()
    await stage.wait()
    assert len(stage.network.said) == 1
    assert (await stage.loop())["state"] == "told"


@pytest.mark.parametrize("moment", ["deliver.before_call", "deliver.called", "deliver.recorded"])
async def test_a_process_that_ends_while_speaking_says_it_once(stage: Stage, moment: str) -> None:
    await stage.tagged()
    await story.ship(stage.played)

    def ends_there(name: str) -> None:
        if name == moment:
            stage.played.river.point = lambda _point: None
            raise Died

    stage.played.river.point = ends_there
    with pytest.raises(Died):
        await stage.played.rest()
    await stage.wait()
    assert len(stage.network.said) == 1
    assert (await stage.loop())["state"] == "told"


async def test_no_post_is_answered_twice_by_itself(stage: Stage) -> None:
    first = await stage.tagged()
    await story.ship(stage.played)
    await stage.wait(1)
    [ours] = stage.network.said
    stage.played.clock.move(minutes=5)
    again = stage.network.say("ana", "still broken", to=ours.id)
    await stage.read()
    assert (await stage.loop())["state"] == "linked"
    await story.board(stage.played).reopen(1, now=stage.played.clock())
    await stage.played.post("/api/v1/trackers/1/pull")
    await story.ship(stage.played, "v2.4.2")
    await stage.wait(2)
    # The customer named us again, and is answered there; no post of theirs has two answers.
    assert [said.to for said in stage.network.said] == [first, again]


async def test_two_customers_read_different_words(stage: Stage) -> None:
    for who in ("ana", "ben"):
        await stage.tagged(who)
    for issue in (1, 2):
        await story.ship(stage.played, "v2.4.1" if issue == 1 else "v2.4.1-b", issue=issue)
    await stage.wait()
    assert len({said.text for said in stage.network.said}) == len(stage.network.said) == 2


async def test_a_post_that_does_not_name_us_is_not_answered_and_says_why(stage: Stage) -> None:
    number = stage.network.say("ana", "Acme crashes", mentions=False)
    address = {"account_id": 1, "url": f"https://x.com/ana/status/{number}"}
    post = await stage.played.post("/api/v1/posts", address, status=201)
    await story.tag(stage.played, post)
    await stage.played.rest()
    await story.ship(stage.played)
    await stage.wait(2)
    assert stage.network.said == []
    reply = await stage.reply()
    assert reply["state"] == "held"
    assert "X lets us answer only a post that names @acme" in reply["why"]
    assert (await stage.loop())["state"] == "shipped"
    assert (await stage.played.get("/api/v1/posts/1"))["visibility"] == "public"


@pytest.mark.parametrize("how", ["deleted", "restricted", "blocked"])
async def test_what_can_not_be_answered_is_not_told(stage: Stage, how: str) -> None:
    number = await stage.tagged()
    match how:
        case "deleted":
            stage.network.delete(number)
        case "restricted":
            stage.network.posts[number].reply_settings = "following"
        case _:
            stage.network.person("ana", blocks_us=True)
    await story.ship(stage.played)
    await stage.wait(2)
    assert stage.network.said == []
    assert (await stage.reply())["state"] in {"refused", "held", "cancelled"}
    assert (await stage.loop())["state"] == "shipped"


async def test_access_that_ends_all_the_time_loses_nothing(stage: Stage) -> None:
    for number in range(4):
        stage.network.expire()
        stage.network.say("ana", f"complaint {number}")
        await stage.read()
    assert len(await stage.read()) == 4
    assert (await stage.health())["ok"]


async def test_revoked_access_waits_for_new_access_and_doubles_nothing(stage: Stage) -> None:
    await stage.tagged()
    stage.network.revoke()
    await story.ship(stage.played)
    await stage.wait(5)
    health = await stage.health()
    assert not health["ok"]
    assert "connect the account with X once more" in health["why"]
    assert (await stage.reply())["state"] in {"scheduled", "held"}
    fresh = stage.network.grant()
    await stage.change(secrets={name: fresh[name] for name in ("access_token", "refresh_token")})
    await stage.wait()
    assert len(stage.network.said) == 1
    assert (await stage.health())["ok"]


async def test_without_credits_replies_wait_and_go_when_there_are_some(stage: Stage) -> None:
    await stage.tagged()
    stage.network.credits = Decimal(0)
    await story.ship(stage.played)
    await stage.wait(5)
    health = await stage.health()
    assert not health["ok"]
    assert "credits are used up" in health["why"]
    assert (await stage.reply())["state"] == "scheduled"
    stage.network.credits = Decimal(5)
    for _ in range(6):
        stage.played.clock.move(minutes=15)
        await stage.played.rest()
    assert len(stage.network.said) == 1
    assert (await stage.health())["ok"]


async def test_a_dear_reply_waits_for_a_larger_budget(stage: Stage) -> None:
    await stage.tagged()
    await stage.change(settings={"monthly_budget_usd": 0.15, "link": "https://acme.example/help"})
    template = {"account_id": None, "language": "en", "text": "It works since {{ version }}: {{ link }}"}
    await stage.played.call("PUT", "/api/v1/templates/fixed", template)
    await story.ship(stage.played)
    await stage.wait(5)
    reply = await stage.reply()
    assert stage.network.said == []
    assert (reply["state"], "monthly budget" in reply["why"]) == ("scheduled", True)
    assert stage.network.billed < Decimal("0.15")
    await stage.change(settings={"monthly_budget_usd": 1})
    await stage.wait(5)
    [ours] = stage.network.said
    assert "https://acme.example/help" in ours.text


async def test_the_same_words_to_the_same_customer_wait_for_other_words(stage: Stage) -> None:
    for _ in range(2):
        await stage.tagged()
        stage.played.clock.move(minutes=1)
    await stage.played.call(
        "PUT", "/api/v1/templates/fixed", {"account_id": None, "language": "en", "text": "It works now."}
    )
    for issue in (1, 2):
        await story.ship(stage.played, f"v2.4.{issue}", issue=issue)
    await stage.wait()
    [ours] = stage.network.said
    assert ours.text == "@ana It works now."
    second = await stage.reply(2)
    assert (second["state"], "change the text" in second["why"]) == ("refused", True)


async def test_an_admin_lets_us_in_on_xs_own_page(database_url: str) -> None:
    clock = Clock()
    network = XNetwork(now=clock)
    async with circle(database_url, clock=clock, make_http=network.client) as played:
        admin = await signed_in(played, "admin")
        form = await admin.open("/connections/accounts/new/x")
        assert "http://fullcircle.test/accounts/authorized" in form.words
        typed = {
            "name": "Acme",
            "settings.username": USERNAME,
            "secrets.client_id": CLIENT_ID,
            "secrets.client_secret": CLIENT_SECRET,
        }
        page = await admin.send("/connections/accounts/new/x", by="/authorize", **typed)
        [x_page] = [address for address in page.values("href") if address and address.startswith("https://x.com/")]
        answer = network.agree(x_page)
        admin.page = await admin.http.get("/accounts/authorized", params=answer, follow_redirects=True)
        assert admin.path == "/connections/accounts/1?did=connected"
        health = await played.get("/api/v1/accounts/1/health")
        assert (health["ok"], health["scopes"]) == (True, SCOPE.split())
        network.say("ana", "the export crashes")
        clock.move(hours=3)  # access has ended since, and is renewed
        assert (await played.post("/api/v1/accounts/1/pull"))["posts"] == 1

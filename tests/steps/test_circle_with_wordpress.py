"""The whole circle on a WordPress site: comment, moderation, release, reply, lost answers, and the customer's word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import story
from tests.support.circle import Circle, Clock, circle
from tests.support.wordpress_site import BASE_URL, PASSWORD, USERNAME, Comment, Site

JSON = dict[str, Any]


@dataclass
class Stage:
    """A circle, and the site its account is on."""

    played: Circle
    site: Site

    async def read(self) -> list[JSON]:
        """Pull the account; the posts that are known now, oldest first."""
        await self.played.post("/api/v1/accounts/1/pull")
        await self.played.rest()
        items = (await self.played.get("/api/v1/posts", params={"limit": 200}))["items"]
        return sorted(items, key=lambda post: int(post["id"]))

    async def tagged(self, **more: Any) -> Comment:
        """A customer comments, and support makes an issue of it."""
        said = self.site.comment("the export crashes", **{"author": 31, **more})
        [post] = await self.read()
        await story.tag(self.played, post)
        await self.played.rest()
        return said

    async def wait(self, minutes: int = 10) -> None:
        """Let time pass, doing what is due."""
        for _ in range(minutes * 2):
            self.played.clock.move(seconds=30)
            await self.played.rest()

    async def loop(self) -> JSON:
        return await story.loop_of(self.played)


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    clock = Clock()
    site = Site(now=clock)
    async with circle(database_url, product="Acme", clock=clock, make_http=site.client) as played:
        account = {
            "channel": "wordpress",
            "name": "Blog",
            "mode": "automatic",
            "settings": {"base_url": BASE_URL, "username": USERNAME},
            "secrets": {"application_password": PASSWORD},
        }
        await played.post("/api/v1/accounts", account, status=201)
        tracker = {"kind": "rehearsal", "name": "Acme app", "settings": {"settle_seconds": 0}}
        await played.post("/api/v1/trackers", tracker, status=201)
        yield Stage(played, site)


async def test_a_comment_goes_all_the_way_round(stage: Stage) -> None:
    said = await stage.tagged()
    await story.ship(stage.played)
    await stage.wait(1)
    [ours] = stage.site.ledger
    assert (ours.parent, ours.post) == (said.id, said.post)
    assert (await stage.loop())["state"] == "told"
    stage.played.clock.move(minutes=5)
    stage.site.comment("works now, thanks!", author=31, parent=ours.id)
    await stage.read()
    assert (await stage.loop())["state"] == "verified"


@pytest.mark.parametrize("effect", ["lost", "cut", "fatal", "gateway", "unavailable"])
@pytest.mark.parametrize("accepts", [True, False])
async def test_a_lost_answer_is_said_once(stage: Stage, effect: Any, accepts: bool) -> None:
    await stage.tagged()
    stage.site.fault(effect, accepts=accepts)
    await story.ship(stage.played)
    await stage.wait()
    assert len(stage.site.ledger) == 1
    assert (await stage.loop())["state"] == "told"


async def test_a_held_comment_is_heard_as_soon_as_it_is_let_through(stage: Stage) -> None:
    said = await stage.tagged(status="hold")
    assert (await stage.played.get("/api/v1/posts/1"))["visibility"] == "private"
    await story.ship(stage.played)
    await stage.wait(1)
    assert stage.site.ledger == []
    said.status = "approved"
    await stage.read()
    assert (await stage.played.get("/api/v1/posts/1"))["visibility"] == "public"
    await stage.wait(1)
    assert [ours.parent for ours in stage.site.ledger] == [said.id]


async def test_an_edited_comment_is_brought_up_to_date(stage: Stage) -> None:
    said = stage.site.comment("the export crashes", author=31)
    await stage.read()
    said.content = "the import crashes"
    [post] = await stage.read()
    assert post["text"] == "the import crashes"


async def test_our_own_reply_counts_as_told_once_a_moderator_lets_it_through(stage: Stage) -> None:
    await stage.tagged()
    stage.site.moderates = True
    await story.ship(stage.played)
    await stage.wait(1)
    [ours] = stage.site.ledger
    [reply] = (await stage.loop())["replies"]
    assert (reply["state"], reply["why"], (await stage.loop())["state"]) == ("posted", "awaiting moderation", "shipped")
    ours.status = "approved"
    await stage.wait(60)
    assert (await stage.loop())["state"] == "told"
    assert len(stage.site.ledger) == 1


async def test_a_flood_is_waited_for(stage: Stage) -> None:
    await stage.tagged()
    stage.site.flooded = 2
    await story.ship(stage.played)
    await stage.wait()
    assert len(stage.site.ledger) == 1


async def test_a_guests_answer_goes_to_a_person(stage: Stage) -> None:
    await stage.tagged(author=0, author_name="Cleo")
    await story.ship(stage.played)
    await stage.wait(1)
    [ours] = stage.site.ledger
    stage.played.clock.move(minutes=5)
    stage.site.comment("still broken", author=0, author_name="Cleo", parent=ours.id)
    await stage.read()
    loop = await stage.loop()
    assert (loop["state"], loop["clock"]["verified"]) == ("told", None)
    assert [post["state"] for post in loop["posts"]] == ["tagged", "new"]

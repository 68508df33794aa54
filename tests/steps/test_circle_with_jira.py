"""The whole circle with Jira as the tracker: complaint, ticket, fix version, release, answer, and back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import story
from tests.support.circle import Circle, Clock, circle
from tests.support.jira_server import EMAIL, SITE, TOKEN, WEBHOOK_SECRET, Edition, JiraServer, JiraWorld, signed

JSON = dict[str, Any]


@dataclass
class Stage:
    """A circle, and the Jira behind it."""

    played: Circle
    jira: JiraServer

    @property
    def world(self) -> JiraWorld:
        return self.jira.world

    async def connect(self, **settings: Any) -> None:
        """A rehearsal account and the project; nothing settles."""
        body = {"channel": "rehearsal", "name": "Acme", "mode": "automatic"}
        await self.played.post("/api/v1/accounts", body, status=201)
        secrets = {"token": TOKEN, "webhook_secret": WEBHOOK_SECRET}
        if self.jira.edition == "cloud":
            secrets["email"] = EMAIL
        body = {
            "kind": "jira",
            "name": "ACME",
            "settings": {
                "base_url": SITE,
                "edition": self.jira.edition,
                "project": "ACME",
                "settle_seconds": 0,
                **settings,
            },
            "secrets": secrets,
        }
        await self.played.post("/api/v1/trackers", body, status=201)

    async def read(self) -> None:
        """Time is what it is in Jira; the tracker is read, and all work done."""
        self.played.clock.moment = max(self.world.time, self.played.clock())
        self.world.time = self.played.clock()
        await self.played.post("/api/v1/trackers/1/pull")
        await self.played.rest()

    async def tag_a_complaint(self) -> JSON:
        """A customer complains, and support makes an issue of it."""
        [post] = await story.complaints(self.played, 1)
        loop = await story.tag(self.played, post)
        await self.read()
        return loop

    async def answer(self, text: str) -> None:
        """The customer answers what we said last."""
        [(number, _)] = [(n, p) for n, p in await story.square(self.played).posts.all() if p.brand]
        await story.complain(self.played, text, handle="customer0", in_reply_to=number)
        await self.played.post("/api/v1/accounts/1/pull")
        await self.played.rest()


@pytest.fixture(params=["cloud", "data_center"])
async def stage(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    edition: Edition = request.param
    clock = Clock()
    server = JiraServer(JiraWorld(clock()), edition=edition)
    async with circle(database_url, product="Acme", clock=clock, make_http=server.client) as played:
        yield Stage(played, server)


async def test_a_complaint_goes_all_the_way_round(stage: Stage) -> None:
    await stage.connect()
    loop = await stage.tag_a_complaint()
    world, key = stage.world, loop["issue"]["ref"]
    (link,) = world.issue(key).remote_links.values()
    assert link["object"]["title"] == "1 customer waits for this"

    version = world.create_version("2.4.1")
    world.set_versions(key, version)
    world.close(key)
    await stage.read()
    found = await story.loop_of(stage.played)
    assert (found["state"], found["why"]) == ("fixed", "closed as Fixed, but 2.4.1 is not released yet")
    assert not await story.said(stage.played)

    world.release(version)
    await stage.read()
    assert (await story.loop_of(stage.played))["state"] == "told"
    [said] = await story.said(stage.played)
    assert "2.4.1" in said.text
    assert "ACME" not in said.text
    issue = await stage.played.get("/api/v1/issues/1")
    assert [line["label"] for line in issue["shipment"]["evidence"]] == [
        f"{key} closed as Fixed",
        "version 2.4.1 released",
    ]


async def test_still_broken_is_told_once_and_only_another_version_ships_again(stage: Stage) -> None:
    await stage.connect()
    key = (await stage.tag_a_complaint())["issue"]["ref"]
    world = stage.world
    version = world.create_version("2.4.1")
    world.set_versions(key, version)
    world.close(key)
    world.release(version)
    await stage.read()
    await stage.answer("Sorry, it is still broken.")
    await stage.read()
    assert (await story.loop_of(stage.played))["state"] == "linked"
    assert len(world.issue(key).comments) == 1

    world.reopen(key)
    world.close(key)
    await stage.read()
    assert (await story.loop_of(stage.played))["state"] == "linked", "the same version is the same fix"

    other = world.create_version("2.4.2")
    world.set_versions(key, other)
    world.reopen(key)
    world.close(key)
    world.release(other)
    await stage.read()
    assert (await story.loop_of(stage.played))["state"] == "told"
    assert ["2.4.2" in said.text for said in await story.said(stage.played)] == [False, True]


async def test_of_several_versions_the_trackers_own_policy_decides(stage: Stage) -> None:
    await stage.connect(versions="any")
    key = (await stage.tag_a_complaint())["issue"]["ref"]
    world = stage.world
    first, second = world.create_version("2.4.1"), world.create_version("2.5.0")
    world.set_versions(key, first, second)
    world.close(key)
    world.release(second)
    await stage.read()
    assert (await story.loop_of(stage.played))["state"] == "told"


async def test_a_release_taken_back_before_it_was_told_holds_the_word_back(stage: Stage) -> None:
    await stage.connect(settle_seconds=1800)
    key = (await stage.tag_a_complaint())["issue"]["ref"]
    world = stage.world
    version = world.create_version("2.4.1")
    world.set_versions(key, version)
    world.close(key)
    world.release(version)
    await stage.read()
    assert (await story.loop_of(stage.played))["state"] == "shipped"
    world.unrelease(version)
    stage.played.clock.move(hours=1)
    await stage.read()
    assert (await story.loop_of(stage.played))["state"] == "fixed"
    assert not await story.said(stage.played)


async def test_a_webhook_of_a_release_makes_all_who_wait_be_looked_at(stage: Stage) -> None:
    await stage.connect()
    key = (await stage.tag_a_complaint())["issue"]["ref"]
    world = stage.world
    version = world.create_version("2.4.1")
    world.set_versions(key, version)
    world.close(key)
    world.release(version)
    stage.played.clock.moment = world.time
    body = json.dumps({"timestamp": 1, "webhookEvent": "jira:version_released", "version": {"id": version}}).encode()
    for _ in range(2):
        headers = {**signed(body), "Content-Type": "application/json", "Authorization": ""}
        answer = await stage.played.api.post("/hooks/trackers/1", content=body, headers=headers)
        assert answer.is_success
    deliveries = (await stage.played.get("/api/v1/trackers/1/deliveries"))["items"]
    assert [delivery["event"] for delivery in deliveries] == ["version_released"]
    await stage.played.rest()
    assert (await story.loop_of(stage.played))["state"] == "told"
    wrong = {**signed(body, secret="another"), "Authorization": ""}
    assert (await stage.played.api.post("/hooks/trackers/1", content=body, headers=wrong)).status_code == 401


async def test_who_waits_for_a_duplicate_waits_for_its_original(stage: Stage) -> None:
    await stage.connect()
    loop = await stage.tag_a_complaint()
    world, key = stage.world, loop["issue"]["ref"]
    original = world.create_issue("The first report")
    world.link_duplicate(key, of=original)
    world.close(key, "Duplicate")
    await stage.read()
    assert (await story.loop_of(stage.played))["issue"]["ref"] == original
    version = world.create_version("2.4.1")
    world.set_versions(original, version)
    world.close(original)
    world.release(version)
    await stage.read()
    assert (await story.loop_of(stage.played))["state"] == "told"


@pytest.mark.parametrize(
    ("resolution", "reason", "words"),
    [
        ("Won't Do", "wont_fix", "are not planning to change it"),
        ("Cannot Reproduce", "cannot_reproduce", "could not make this happen"),
        ("As Designed", "by_design", "is meant to work this way"),
        ("Workaround", "workaround", "there is a way around it"),
    ],
)
async def test_each_list_of_resolutions_has_an_answer_of_its_own(
    stage: Stage, resolution: str, reason: str, words: str
) -> None:
    await stage.connect()
    key = (await stage.tag_a_complaint())["issue"]["ref"]
    stage.world.close(key, resolution)
    await stage.read()
    loop = await story.loop_of(stage.played)
    assert (loop["issue"]["outcome"], loop["issue"]["outcome_reason"]) == ("declined", reason)
    [reply] = loop["replies"]
    assert (reply["kind"], reply["state"]) == ("outcome", "awaiting_approval")
    assert words in reply["text"]
    assert not await story.said(stage.played)


async def test_a_link_that_the_team_removes_is_not_made_again(stage: Stage) -> None:
    await stage.connect()
    key = (await stage.tag_a_complaint())["issue"]["ref"]
    stage.world.issue(key).remote_links.clear()
    stage.played.clock.move(minutes=5)
    [post] = [p for p in await story.complaints(stage.played, 2) if p["state"] == "new"][:1]
    await story.tag(stage.played, post, ref=key)
    await stage.read()
    stage.played.clock.move(minutes=5)
    await stage.read()
    assert not stage.world.issue(key).remote_links
    looks = [answer.status_code for request, answer in stage.jira.asked if "/remotelink/" in request.url.path]
    assert looks == [404], "looked for once, and then never again"

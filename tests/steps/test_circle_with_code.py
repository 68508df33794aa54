"""The whole circle with an issue in Jira whose code is on GitHub: what names its key is its proof."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import story
from tests.support.circle import Circle, Clock, circle
from tests.support.github_server import Delivery, GitHubServer
from tests.support.github_world import Clock as GitHubClock
from tests.support.github_world import GitHubWorld
from tests.support.jira_server import JiraServer, JiraWorld
from tests.support.mastodon_network import MastodonNetwork
from tests.support.outsides import APP, HOOK_SECRET, SOCIAL, Outsides, github_tracker, jira_tracker

JSON = dict[str, Any]

JIRA, CODE = 1, 2


@dataclass
class Stage:
    """A circle, and what is around it."""

    played: Circle
    both: Outsides
    key: str = ""

    @property
    def jira(self) -> JiraWorld:
        return self.both.jira.world

    @property
    def github(self) -> GitHubWorld:
        return self.both.github.world

    def agree_on_time(self) -> None:
        """It is as late as it is anywhere."""
        moment = max(self.played.clock(), self.jira.time, self.github.clock.now())
        self.played.clock.moment = self.jira.time = moment
        self.github.clock.set(moment)

    async def connect(self, *, github: JSON | None = None, **settings: Any) -> None:
        """A rehearsal account, the project, and the repository with its code; a customer waits for an issue."""
        body = {"channel": "rehearsal", "name": "Acme", "mode": "automatic"}
        await self.played.post("/api/v1/accounts", body, status=201)
        await self.played.post("/api/v1/trackers", jira_tracker(), status=201)
        await self.played.post("/api/v1/trackers", github_tracker(**(github or {})), status=201)
        changed = {"settings": {"code_tracker": str(CODE), **settings}}
        await self.played.call("PATCH", f"/api/v1/trackers/{JIRA}", changed)
        [post] = await story.complaints(self.played, 1)
        self.key = (await story.tag(self.played, post))["issue"]["ref"]
        await self.read()

    async def read(self, tracker: int = JIRA) -> None:
        """Time is the same everywhere; the tracker is read, and all work done."""
        self.agree_on_time()
        await self.played.post(f"/api/v1/trackers/{tracker}/pull")
        await self.played.rest()

    def merge(self, title: str = "", *, method: str = "squash") -> str:
        """A merged pull request that names the issue."""
        branch = f"feature-{self.github.clock.tick():%H%M%S}"
        self.github.branch(APP, branch)
        self.github.commit(APP, "A step", branch=branch)
        number = self.github.open_pull(APP, branch, title or f"{self.key}: repair export")
        return self.github.merge_pull(APP, number, method=method)

    async def state(self) -> tuple[str, str]:
        """How the loop stands, and why the issue's verdict is what it is."""
        issue = await self.played.get("/api/v1/issues/1")
        return (await story.loop_of(self.played))["state"], issue["why"]

    async def said(self) -> list[str]:
        return [post.text for post in await story.said(self.played)]

    async def tracker(self, number: int) -> JSON:
        found: JSON = await self.played.get(f"/api/v1/trackers/{number}")
        return found


@pytest.fixture
async def stage(database_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    clock = Clock()
    github = GitHubWorld(tmp_path, clock=GitHubClock(clock()))
    github.create_repository(APP)
    both = Outsides(MastodonNetwork(base_url=SOCIAL), GitHubServer(github), JiraServer(JiraWorld(clock())))
    async with circle(database_url, product="Acme", clock=clock, make_http=both.client) as played:
        yield Stage(played, both)


async def test_a_release_that_holds_what_names_the_key_tells_the_customer(stage: Stage) -> None:
    await stage.connect()
    sha = stage.merge()
    stage.github.release(APP, "v2.4.0")
    await stage.read()
    assert (await stage.state())[0] == "linked", "out, but not resolved"
    assert not stage.both.github.searches, "nothing is looked for before the issue is closed as fixed"

    stage.jira.close(stage.key)
    await stage.read()
    assert (await story.loop_of(stage.played))["state"] == "told"
    [said] = await stage.said()
    assert "2.4.0" in said
    assert "ACME" not in said
    assert "github" not in said, "to the public a private issue has no address"
    shipment = (await stage.played.get("/api/v1/issues/1"))["shipment"]
    assert [line["label"] for line in shipment["evidence"]] == [
        f"{stage.key} closed as Fixed",
        f"{APP} PR #1 merged as {sha[:7]}, names {stage.key}",
        f"{sha[:7]} contained in {APP} v2.4.0",
        f"{APP} v2.4.0 published",
    ]


async def test_versions_ship_nothing_where_code_does(stage: Stage) -> None:
    await stage.connect()
    version = stage.jira.create_version("2.4.1")
    stage.jira.set_versions(stage.key, version)
    stage.jira.release(version)
    stage.jira.close(stage.key)
    await stage.read()
    why = f"closed as fixed, but no commit or merged pull request of {APP} names {stage.key}"
    assert await stage.state() == ("fixed", why)
    assert (await story.loop_of(stage.played))["needs_person"]
    stage.merge()
    await stage.read()
    state, why = await stage.state()
    assert (state, "no release of acme/app contains" in why) == ("fixed", True)
    assert not (await story.loop_of(stage.played))["needs_person"]
    assert not await stage.said()


async def test_an_open_pull_request_that_names_the_key_holds_it_back(stage: Stage) -> None:
    await stage.connect()
    stage.merge()
    stage.github.branch(APP, f"feature/{stage.key.lower()}-rest")
    stage.github.commit(APP, "The rest", branch=f"feature/{stage.key.lower()}-rest")
    number = stage.github.open_pull(APP, f"feature/{stage.key.lower()}-rest", "The rest of it")
    stage.github.release(APP, "v2.4.0")
    stage.jira.close(stage.key)
    await stage.read()
    assert await stage.state() == ("fixed", f"closed, but {APP} PR #{number} names {stage.key} and is still open")
    stage.github.close_pull(APP, number)
    await stage.read()
    assert (await stage.state())[0] == "told"


async def test_a_release_taken_back_before_it_was_told_holds_the_word_back(stage: Stage) -> None:
    await stage.connect(settle_seconds=1800)
    stage.merge()
    release = stage.github.release(APP, "v2.4.0")
    stage.jira.close(stage.key)
    await stage.read()
    assert (await stage.state())[0] == "shipped"
    stage.github.delete_release(APP, release)
    stage.played.clock.move(hours=1)
    await stage.read()
    assert (await stage.state())[0] == "fixed"
    assert not await stage.said()


async def test_a_release_taken_back_after_it_was_told_asks_for_a_correction(stage: Stage) -> None:
    await stage.connect()
    stage.merge()
    release = stage.github.release(APP, "v2.4.0")
    stage.jira.close(stage.key)
    await stage.read()
    stage.github.edit_release(APP, release, draft=True)
    await stage.read()
    assert "evidence is gone" in (await story.loop_of(stage.played))["needs_person"]


async def test_it_runs_in_production(stage: Stage) -> None:
    await stage.connect(shipped_when="production")
    stage.merge()
    stage.github.release(APP, "v2.4.0")
    stage.jira.close(stage.key)
    await stage.read()
    assert "runs in production" in (await stage.state())[1]
    assert not await stage.said()
    stage.github.deploy(APP, environment="production")
    await stage.read()
    assert (await stage.state())[0] == "told"


async def test_a_github_that_is_down_is_waited_for_and_named(stage: Stage) -> None:
    await stage.connect(settle_seconds=600)
    stage.merge()
    stage.github.release(APP, "v2.4.0")
    stage.jira.close(stage.key)
    stage.both.down.add("github.test")
    await stage.read()
    assert (await stage.state())[0] == "linked", "what cannot be read moves nothing"
    stage.both.down.clear()
    stage.played.clock.move(minutes=5)
    await stage.read()
    assert (await stage.state())[0] == "shipped"
    stage.both.down.add("github.test")
    stage.played.clock.move(hours=1)
    await stage.read()
    assert not await stage.said(), "no word without a last look at the proof"
    stage.both.down.clear()
    stage.played.clock.move(hours=1)
    await stage.read()
    await stage.played.rest()
    assert len(await stage.said()) == 1


async def test_a_refused_token_is_the_repositorys_illness_and_not_the_projects(stage: Stage) -> None:
    await stage.connect()
    stage.merge()
    stage.github.release(APP, "v2.4.0")
    stage.jira.close(stage.key)
    token = stage.github.tokens.pop("token-brand")
    await stage.read()
    jira, code = await stage.tracker(JIRA), await stage.tracker(CODE)
    assert jira["ok"], "Jira answers"
    assert not code["ok"]
    assert "refuses the token" in code["why"]
    assert not await stage.said()
    stage.github.tokens["token-brand"] = token
    stage.played.clock.move(hours=1)
    await stage.read(CODE)
    await stage.read()
    assert (await stage.state())[0] == "told"


async def test_a_rate_limited_github_is_left_alone_until_it_says(stage: Stage) -> None:
    await stage.connect()
    stage.merge()
    stage.github.release(APP, "v2.4.0")
    stage.jira.close(stage.key)
    stage.both.github.searches_left = 0
    await stage.read()
    assert (await stage.tracker(CODE))["ok"], "only its search is used up"
    asked = stage.both.github.searches
    stage.played.clock.move(seconds=5)
    await stage.read()
    assert stage.both.github.searches == asked
    stage.both.github.searches_left = 30
    stage.played.clock.move(minutes=2)
    await stage.read()
    assert (await stage.state())[0] == "told"


async def test_a_webhook_of_the_repository_has_the_issue_looked_at(stage: Stage) -> None:
    await stage.connect()
    stage.github.add_hook(APP, f"http://fullcircle.test/hooks/trackers/{CODE}", secret=HOOK_SECRET)
    stage.merge()
    stage.jira.close(stage.key)
    await stage.read()
    assert (await stage.state())[0] == "fixed"
    stage.github.pending.clear()
    stage.github.release(APP, "v2.4.0")

    async def post(delivery: Delivery) -> int:
        headers = {**delivery.headers, "Authorization": ""}
        return (
            await stage.played.api.post(f"/hooks/trackers/{CODE}", content=delivery.body, headers=headers)
        ).status_code

    await stage.both.github.deliver(post)
    stage.agree_on_time()
    await stage.played.rest()
    assert (await stage.state())[0] == "told"
    calls = (await stage.played.get(f"/api/v1/trackers/{CODE}/deliveries"))["items"]
    assert "1 issue(s) to look at" in {call["why"] for call in calls}


async def test_a_poll_of_the_repository_has_the_issue_looked_at(stage: Stage) -> None:
    await stage.connect()
    stage.merge()
    stage.jira.close(stage.key)
    await stage.read()
    stage.github.release(APP, "v2.4.0")
    await stage.read(CODE)
    assert (await stage.state())[0] == "told"


async def test_a_repository_that_was_removed_is_missed_aloud_and_nothing_is_told(stage: Stage) -> None:
    await stage.connect()
    stage.merge()
    stage.github.release(APP, "v2.4.0")
    version = stage.jira.create_version("2.4.1")
    stage.jira.set_versions(stage.key, version)
    stage.jira.release(version)
    await stage.played.call("DELETE", f"/api/v1/trackers/{CODE}", status=204)
    missing = f"the repository with its code (tracker {CODE}) is not connected: choose another"
    jira = await stage.tracker(JIRA)
    assert (jira["ok"], jira["why"]) == (False, missing), "at once"
    stage.jira.close(stage.key)
    await stage.read()
    stage.played.clock.move(hours=1)
    await stage.read()
    assert (await stage.state())[0] == "linked"
    assert not await stage.said(), "its versions prove nothing now"
    jira = await stage.tracker(JIRA)
    assert (jira["ok"], jira["why"]) == (False, missing), "and for as long as it lasts"
    health = await stage.played.get(f"/api/v1/trackers/{JIRA}/health")
    assert (health["ok"], health["why"]) == (False, missing)
    changed = {"settings": {"code_tracker": ""}}
    assert (await stage.played.call("PATCH", f"/api/v1/trackers/{JIRA}", changed))["ok"]
    stage.played.clock.move(hours=1)
    await stage.read()
    assert (await stage.state())[0] == "told"


async def test_the_preview_reads_the_code_as_well(stage: Stage) -> None:
    await stage.connect()
    stage.merge()
    stage.github.release(APP, "v2.4.0")
    stage.jira.close(stage.key)
    for settings, told, why in (
        ({}, 1, "v2.4.0 contains"),
        ({"shipped_when": "production"}, 0, "nothing of acme/app that runs in production contains"),
        ({"code_tracker": ""}, 0, "has no fix version"),
    ):
        found = await stage.played.post(f"/api/v1/trackers/{JIRA}/preview", {"settings": settings})
        assert (found["told"], why in found["loops"][0]["why"]) == (told, True), found
    stage.both.down.add("github.test")
    found = await stage.played.post(f"/api/v1/trackers/{JIRA}/preview", {"settings": {}})
    assert f"it could not be read: {APP}: " in found["loops"][0]["why"]

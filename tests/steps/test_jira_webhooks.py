"""Jira's webhooks, lost, doubled, out of order and hours late: what is known and said in the end is the same."""

from __future__ import annotations

import copy
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.rules import shipping
from app.steps.river import policy_of
from app.store.tables import Tracker
from app.trackers.jira import Jira
from tests.support import story
from tests.support.circle import Circle, Clock, circle
from tests.support.databases import Databases, apart, migrated
from tests.support.jira_server import EMAIL, SITE, TOKEN, Call, JiraServer, JiraWorld

DEEDS = st.sampled_from(
    [
        *("close", "release one", "set one", "close", "release one", "unrelease one"),
        *("close", "decline", "close as a duplicate", "leave unclear", "reopen", "work"),
        *("set one", "set both", "set none", "release one", "release two", "unrelease one", "unrelease two"),
        *("delete one", "merge one", "rename two", "archive two", "comment", "move", "delete"),
    ]
)
FATES = st.sampled_from(["at once", "twice", "late", "late and twice", "lost"])


@dataclass
class Life:
    """One issue that a customer waits for, two versions, and what people do to them."""

    world: JiraWorld
    key: str
    versions: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.versions = self.world.create_version("2.4.1"), self.world.create_version("2.5.0")

    def do(self, deed: str) -> None:
        world, key, (one, two) = self.world, self.key, self.versions
        is_here = key.startswith("ACME")
        has_one = one in world.versions
        if not any(issue.key == key for issue in world.issues.values()):
            return
        match deed:
            case "close":
                world.close(key)
            case "decline":
                world.close(key, "Won't Do")
            case "close as a duplicate":
                world.close(key, "Duplicate")
            case "leave unclear":
                world.close(key, "Erledigt")
            case "reopen":
                world.reopen(key)
            case "work":
                world.move_to(key, "In Progress")
            case "set one" if has_one and is_here:
                world.set_versions(key, one)
            case "set both" if has_one and is_here:
                world.set_versions(key, one, two)
            case "set none":
                world.set_versions(key)
            case "release one" if has_one:
                world.release(one)
            case "release two":
                world.release(two)
            case "unrelease one" if has_one:
                world.unrelease(one)
            case "unrelease two":
                world.unrelease(two)
            case "delete one" if has_one:
                world.delete_version(one)
            case "merge one" if has_one:
                world.merge_version(one, into=two)
            case "rename two":
                world.rename(two, f"2.5.{world.time.minute}")
            case "archive two":
                world.archive(two)
            case "comment":
                world.comment(key)
            case "move" if is_here:
                self.key = world.move_project(key, "CORE")
            case "delete":
                world.delete_issue(key)


@dataclass
class Side:
    """A circle with a Jira of its own, whose webhook is set up and which is never polled by itself."""

    played: Circle
    world: JiraWorld
    life: Life

    async def hear(self, *calls: Call) -> None:
        """These calls arrive, and all that they ask for is done."""
        self.played.clock.moment = max(self.world.time, self.played.clock())
        for call in calls:
            answer = await self.played.api.post("/hooks/trackers/1", content=call.body, headers=call.headers)
            assert answer.is_success, answer.text
        await self.played.rest()

    async def end(self) -> dict[str, Any]:
        """Hours later, one poll and the settle time after it: what is known, and what was said."""
        for hours in (3, 1):
            self.played.clock.move(hours=hours)
            self.world.time = self.played.clock()
            await self.played.post("/api/v1/trackers/1/pull")
            await self.played.rest()
        return await self.known()

    async def known(self) -> dict[str, Any]:
        """All that is known now; of an issue that is gone it also depends on how much was seen before."""
        issue, loop = await self.played.get("/api/v1/issues/1"), await story.loop_of(self.played)
        if issue["state"] == "gone":
            return {"why": issue["why"], "state": "gone", "said": await story.said(self.played)}
        shipment = issue["shipment"] or {"label": None, "evidence": []}
        return {
            **{name: issue[name] for name in ("ref", "state", "outcome", "outcome_reason", "why")},
            "shipped in": shipment["label"],
            "by": [line["label"] for line in shipment["evidence"]],
            "loop": (loop["state"], loop["why"], loop["needs_person"]),
            "replies": [
                (reply["kind"], reply["state"], reply["text"])
                for reply in loop["replies"]
                if reply["state"] != "cancelled"
            ],
            "said": [post.text for post in await story.said(self.played)],
        }

    async def verdict(self) -> shipping.Verdict:
        """What a fresh reading is judged as."""
        async with self.played.river.db.read() as session:
            tracker = await session.get(Tracker, 1)
            assert tracker is not None
        issue = await self.played.get("/api/v1/issues/1")
        number = next((str(row.id) for row in self.world.issues.values() if row.key == self.life.key), "1")
        reading = await self.played.river.outside.tracker(tracker).read(number, ref=issue["ref"])
        return shipping.judge(reading, policy_of(tracker))


_lives: dict[str, Life] = {}
"""What Jira is like where each kind of database is copied from."""


def begin(url: str) -> None:
    """A customer complains, support makes an issue of it, and the webhook is set up."""

    async def tell() -> None:
        await migrated(url)
        world = JiraWorld()
        world.granted.add("ADMINISTER")
        async with circle(url, product="Acme", clock=Clock(world.time), make_http=JiraServer(world).client) as played:
            await played.post(
                "/api/v1/accounts", {"channel": "rehearsal", "name": "Acme", "mode": "automatic"}, status=201
            )
            body = {
                "kind": "jira",
                "name": "ACME",
                "settings": {"base_url": SITE, "project": "ACME"},
                "secrets": {"token": TOKEN, "email": EMAIL},
            }
            await played.post("/api/v1/trackers", body, status=201)
            await played.post("/api/v1/trackers/1/hook")
            [post] = await story.complaints(played, 1)
            loop = await story.tag(played, post)
            await played.rest()
            life = Life(world, loop["issue"]["ref"])
            await Side(played, world, life).hear(*world.calls)
            world.calls.clear()
            _lives[url.partition(":")[0]] = life

    apart(tell())


@asynccontextmanager
async def side(databases: Databases) -> AsyncIterator[Side]:
    """That, copied."""
    url = databases.copy_of("waits-for-jira", begin)
    life = copy.deepcopy(_lives[url.partition(":")[0]])
    world = life.world
    try:
        async with circle(url, product="Acme", clock=Clock(world.time), make_http=JiraServer(world).client) as played:
            yield Side(played, world, life)
    finally:
        databases.drop(url)


@pytest.fixture(autouse=True)
def polls_only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is the webhooks that are tested, until the poll at the end."""
    monkeypatch.setattr(Jira, "poll_every", timedelta(days=30))


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(["set one", "close", "release one"], ["lost"], random.Random(0))
@example(["set both", "close", "release one", "release two", "merge one", "unrelease two"], ["late"], random.Random(1))
@given(deeds=st.lists(DEEDS, max_size=8), fates=st.lists(FATES, min_size=1, max_size=6), chance=st.randoms())
async def test_however_the_webhooks_come_the_end_is_the_same(
    databases: Databases, deeds: list[str], fates: list[str], chance: random.Random
) -> None:
    """What is known and said in the end is what perfect delivery leads to, and what a fresh reading says."""
    async with side(databases) as perfect, side(databases) as rough:
        late: list[Call] = []
        for number, deed in enumerate(deeds):
            for each in (perfect, rough):
                each.life.do(deed)
            await perfect.hear(*perfect.world.calls)
            perfect.world.calls.clear()
            fate = fates[number % len(fates)]
            calls, rough.world.calls = rough.world.calls, []
            if fate in {"at once", "twice"}:
                await rough.hear(*calls * (2 if fate == "twice" else 1))
            elif fate != "lost":
                late += calls * (2 if fate == "late and twice" else 1)
        if "move" not in deeds:
            # Whoever moves an issue moves it out of the webhook's filter as well.
            verdict = await perfect.verdict()
            assert (await perfect.known())["why"] == verdict.why, "webhooks that all come need no poll"
        rough.played.clock.move(hours=2)
        chance.shuffle(late)
        await rough.hear(*late)
        ends = [await each.end() for each in (perfect, rough)]
        assert ends[0] == ends[1]
        verdict = await rough.verdict()
        assert ends[1]["why"] == verdict.why
        assert len(ends[1]["said"]) == isinstance(verdict, shipping.Shipped)

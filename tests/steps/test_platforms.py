"""A product of several platforms: whoever is tagged with one waits for that one, everybody else for all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.support import story
from tests.support.circle import Circle, circle

PLATFORMS = "iOS: ios-v*\nAndroid: android-v*"


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url) as made:
        yield made


async def waiting(played: Circle, *tags: list[str]) -> None:
    """A customer for each of these tags, all waiting for one issue; loops are numbered from 1."""
    await played.connect_rehearsal(platforms=PLATFORMS)
    for number, (post, own) in enumerate(zip(await story.complaints(played, len(tags)), tags, strict=True)):
        await story.tag(played, post, ref="#1" if number else "", tags=own)


async def release(played: Circle, label: str) -> int:
    played.clock.move(minutes=5)
    number = await story.board(played).release(label, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    return number


async def heard(played: Circle) -> list[str]:
    """Whom we answered, in order."""
    return [post.text.split()[0] for post in await story.said(played)]


async def test_each_customer_hears_when_their_own_platform_has_it(played: Circle) -> None:
    await waiting(played, ["ios"], ["Android", "export"], ["export"], ["android", "ios"])
    await story.ship(played, "ios-v2.4")
    await played.rest()
    assert await heard(played) == ["@customer0"]
    assert "ios-v2.4" in (await story.said(played))[0].text
    later = await story.loop_of(played, 2)
    assert (later["state"], later["platform"]) == ("fixed", "Android")
    assert "does not match android-v*" in later["why"]
    assert (await story.loop_of(played, 3))["why"].startswith("Android: closed, and ")
    assert (await story.loop_of(played, 4))["platform"] == "iOS, Android"
    issue = await played.get("/api/v1/issues/1")
    assert [(one["name"], one["verdict"]) for one in issue["platforms"]] == [
        ("iOS", "shipped"),
        ("Android", "not_yet"),
    ]
    assert issue["shipment"] is None, "the product as a whole has it only when every platform does"

    await release(played, "android-v2.4.1")
    assert sorted(await heard(played)) == ["@customer0", "@customer1", "@customer2", "@customer3"]
    assert (await played.get("/api/v1/issues/1"))["shipment"]["label"] == "ios-v2.4, android-v2.4.1"
    await played.rest()
    assert len(await heard(played)) == 4


async def test_a_release_taken_back_on_one_platform_stops_only_who_waits_for_it(played: Circle) -> None:
    await played.connect_rehearsal(platforms=PLATFORMS, settle_seconds=3600)
    first, second = await story.complaints(played, 2)
    await story.tag(played, first, tags=["ios"])
    await story.tag(played, second, ref="#1", tags=["android"])
    await story.ship(played, "ios-v2.4")
    number = await release(played, "android-v2.4.1")
    await story.board(played).delete_release(number, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    played.clock.move(hours=2)
    await played.rest()
    assert await heard(played) == ["@customer0"]
    assert (await story.loop_of(played, 2))["state"] == "fixed"


async def test_another_platform_tagged_in_time_takes_back_what_was_on_its_way(played: Circle) -> None:
    await played.connect_rehearsal(platforms=PLATFORMS, settle_seconds=3600)
    [post] = await story.complaints(played, 1)
    await story.tag(played, post, tags=["ios"])
    await story.ship(played, "ios-v2.4")
    await played.rest()
    [reply] = (await story.loop_of(played))["replies"]
    assert reply["state"] == "scheduled"
    await played.call("PATCH", "/api/v1/loops/1", {"tags": ["android"]})
    played.clock.move(hours=2)
    await played.rest()
    loop = await story.loop_of(played)
    assert (loop["state"], loop["platform"]) == ("fixed", "Android")
    assert loop["replies"][0]["state"] == "cancelled"
    assert await heard(played) == []

    await release(played, "android-v2.4.1")
    played.clock.move(hours=2)
    await played.rest()
    [said] = await story.said(played)
    assert "android-v2.4.1" in said.text


async def test_a_new_tag_on_a_platform_that_is_out_already_needs_no_release(played: Circle) -> None:
    await waiting(played, ["export"])
    await story.ship(played, "ios-v2.4")
    await played.rest()
    assert await heard(played) == []
    await played.call("PATCH", "/api/v1/loops/1", {"tags": ["export", "ios"]})
    await played.rest()
    assert await heard(played) == ["@customer0"]


async def test_the_preview_of_a_policy_foresees_each_platform(played: Circle) -> None:
    await played.connect_rehearsal()
    for number, (post, own) in enumerate(zip(await story.complaints(played, 2), (["ios"], ["android"]), strict=True)):
        await story.tag(played, post, ref="#1" if number else "", tags=own)
    played.clock.move(minutes=5)
    await story.board(played).close(1, outcome="completed", now=played.clock())
    await story.board(played).release("ios-v2.4", now=played.clock() + timedelta(minutes=1))
    played.clock.move(minutes=5)
    body = {"settings": {"platforms": PLATFORMS}}
    foreseen = await played.post("/api/v1/trackers/1/preview", body)
    assert {one["loop_id"]: one["told"] for one in foreseen["loops"]} == {1: True, 2: False}


async def test_platforms_that_cannot_be_read_are_refused_at_the_field(played: Circle) -> None:
    body = {"kind": "rehearsal", "name": "Acme", "settings": {"platforms": "iOS"}}
    problem = await played.post("/api/v1/trackers", body, status=422)
    assert problem["errors"][0]["pointer"] == "/settings/platforms"
    assert "write a name, a colon and its release tags" in problem["errors"][0]["message"]

"""Issues: who waits for them, the proof that they shipped, and the hold that keeps customers from hearing."""

from __future__ import annotations

from typing import Any

from tests.support import on_both, story
from tests.support.circle import Circle

databases = on_both.databases

CONTRACT = {
    "id",
    "tracker_id",
    "ref",
    "title",
    "url",
    "state",
    "outcome",
    "outcome_reason",
    "waiting",
    "shipment",
    "loops",
}


async def pages(played: Circle, **params: Any) -> list[int]:
    """Ids over all pages of the list."""
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await played.get("/api/v1/issues", params={**params, "cursor": cursor})
        found += [issue["id"] for issue in page["items"]]
        cursor = page["next"]
    return found


async def test_an_issue_shows_its_proof_and_who_waits(played: Circle) -> None:
    await story.tagged(played)
    issue = await played.get("/api/v1/issues/1")
    assert issue.keys() >= CONTRACT
    assert (issue["ref"], issue["state"], issue["outcome"], issue["shipment"]) == ("#1", "open", None, None)
    assert (issue["waiting"], issue["loops"]) == (1, [1])

    await story.ship(played)
    issue = await played.get("/api/v1/issues/1")
    assert (issue["state"], issue["outcome"], issue["outcome_reason"]) == ("closed", "fixed", None)
    assert issue["shipment"].keys() >= {"label", "url", "evidence"}
    assert issue["shipment"]["label"] == "v2.4.1"
    for line in issue["shipment"]["evidence"]:
        assert set(line) == {"kind", "level", "label", "url", "at"}
    assert [line["level"] for line in issue["shipment"]["evidence"]] == [0, 1, 2, 2]
    await played.rest()
    assert (await played.get("/api/v1/issues/1"))["waiting"] == 0, "told customers wait no more"
    await played.call("GET", "/api/v1/issues/99", status=404)


async def test_a_declined_and_a_deleted_issue_are_told_apart(played: Circle) -> None:
    await story.tagged(played)
    await story.board(played).close(1, outcome="not_planned", now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    issue = await played.get("/api/v1/issues/1")
    assert (issue["state"], issue["outcome"], issue["outcome_reason"]) == ("closed", "declined", "wont_fix")

    await story.board(played).delete_issue(1, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    assert (await played.get("/api/v1/issues/1"))["state"] == "gone"


async def test_the_most_waited_for_come_first_and_paging_by_it_is_complete(played: Circle) -> None:
    await played.connect_rehearsal()
    posts = await story.complaints(played, 9)
    for number in range(5):
        await story.tag(played, posts[number], title=f"Issue {number + 1}")
    for post, ref in zip(posts[5:], ["#4", "#4", "#2", "#5"], strict=True):
        await story.tag(played, post, ref=ref)

    assert await pages(played, limit=2) == [1, 2, 3, 4, 5]
    by_waiting = [4, 2, 5, 1, 3]
    assert await pages(played, sort="waiting") == by_waiting
    for limit in (1, 2, 3):
        assert await pages(played, sort="waiting", limit=limit) == by_waiting

    first = await played.get("/api/v1/issues", params={"sort": "waiting", "limit": 2})
    await story.complain(played, "One more, the export hangs", handle="late")
    await played.post("/api/v1/accounts/1/pull")
    await story.tag(played, {"id": 10}, title="A new issue")
    rest = await played.get("/api/v1/issues", params={"sort": "waiting", "cursor": first["next"]})
    assert [issue["id"] for issue in first["items"] + rest["items"]] == [*by_waiting, 6], "new rows move nothing"
    assert [issue["waiting"] for issue in first["items"] + rest["items"]] == [3, 2, 2, 1, 1, 1]
    await played.call("GET", "/api/v1/issues", params={"sort": "loudness"}, status=422)
    await played.call("GET", "/api/v1/issues", params={"sort": "waiting", "cursor": "NQ"}, status=422)


async def test_a_held_issue_is_not_for_customers_until_it_is_released(played: Circle) -> None:
    await story.tagged(played)
    issue = await played.post("/api/v1/issues/1/hold", {"why": "behind a flag, 5 % rollout"})
    assert (issue["held"], issue["held_why"]) == (True, "behind a flag, 5 % rollout")
    await story.ship(played)
    await played.rest()
    [reply] = (await story.loop_of(played))["replies"]
    assert reply["state"] == "held"
    assert "5 % rollout" in reply["why"]

    issue = await played.post("/api/v1/issues/1/release")
    assert (issue["held"], issue["held_why"]) == (False, "")
    await played.rest()
    assert len(await story.said(played)) == 1
    assert (await played.post("/api/v1/issues/1/hold"))["held_why"], "a reason is not asked for"
    await played.post("/api/v1/issues/1/hold", {"why": ""}, status=422)
    await played.post("/api/v1/issues/99/hold", status=404)
    await played.post("/api/v1/issues/99/release", status=404)

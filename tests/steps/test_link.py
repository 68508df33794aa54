"""Tying posts to issues: made once, found again, and nothing half done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.staging import Board, Fault, Square, StagedPost
from tests.support.circle import Circle, circle


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url) as made:
        await made.connect_rehearsal()
        yield made


async def a_post(played: Circle, text: str = "Export hangs", handle: str = "ana") -> int:
    await Square(played.stage, "main").say(StagedPost(handle=handle, text=text, at=played.clock()))
    await played.post("/api/v1/accounts/1/pull")
    posts: list[dict[str, Any]] = (await played.get("/api/v1/posts"))["items"]
    return int(posts[0]["id"])


def new_issue(post: int) -> dict[str, Any]:
    return {"post_id": post, "issue": {"tracker_id": 1, "title": "Export hangs", "body": "Since Tuesday."}}


async def issues_there(played: Circle) -> list[str]:
    return [issue.title for _, issue in await Board(played.stage, "main").issues.all()]


async def until_at_rest(played: Circle, minutes: int = 10) -> None:
    for _ in range(minutes * 2):
        await played.rest()
        played.clock.move(seconds=30)


@pytest.mark.parametrize("accepted", [True, False])
async def test_an_issue_whose_making_was_not_answered_is_found_again_and_never_made_twice(
    played: Circle, accepted: bool
) -> None:
    post = await a_post(played)
    board = Board(played.stage, "main")
    await board.faults.add(Fault(call="create", kind="unknown", accepted=accepted, in_flight=True, times=1))
    loop = await played.post("/api/v1/loops", new_issue(post), status=202)
    assert loop["issue"]["state"] == "creating"
    await until_at_rest(played)
    loop = await played.get(f"/api/v1/loops/{loop['id']}")
    assert (loop["issue"]["state"], loop["issue"]["ref"]) == ("open", "#1")
    assert await issues_there(played) == ["Export hangs"]


async def test_a_tracker_that_is_down_makes_the_issue_later(played: Circle) -> None:
    post = await a_post(played)
    await Board(played.stage, "main").faults.add(Fault(call="create", kind="transient", times=2))
    loop = await played.post("/api/v1/loops", new_issue(post), status=202)
    assert "could not be made yet" in loop["issue"]["why"]
    await until_at_rest(played)
    assert await issues_there(played) == ["Export hangs"]
    assert (await played.get(f"/api/v1/loops/{loop['id']}"))["issue"]["ref"] == "#1"


async def test_an_issue_that_is_not_there_leaves_the_post_untouched(played: Circle) -> None:
    post = await a_post(played)
    body = {"post_id": post, "issue": {"tracker_id": 1, "ref": "#77"}}
    problem = await played.post("/api/v1/loops", body, status=422)
    assert "77" in problem["detail"]
    assert (await played.get(f"/api/v1/posts/{post}"))["state"] == "new"
    assert (await played.get("/api/v1/loops"))["items"] == []


async def test_the_same_request_twice_makes_one_loop_and_one_issue(played: Circle) -> None:
    post = await a_post(played)
    headers = {"Idempotency-Key": "abc"}
    one = await played.post("/api/v1/loops", new_issue(post), status=201, headers=headers)
    two = await played.post("/api/v1/loops", new_issue(post), status=201, headers=headers)
    assert one["id"] == two["id"]
    assert await issues_there(played) == ["Export hangs"]


async def test_a_loop_that_waits_is_not_given_a_second_new_issue(played: Circle) -> None:
    post = await a_post(played)
    await played.post("/api/v1/loops", new_issue(post), status=201)
    problem = await played.post("/api/v1/loops", new_issue(post), status=409)
    assert "#1" in problem["detail"]
    assert await issues_there(played) == ["Export hangs"]


async def test_a_loop_moves_to_another_issue_and_away_from_any(played: Circle) -> None:
    post = await a_post(played)
    loop = await played.post("/api/v1/loops", new_issue(post), status=201)
    board = Board(played.stage, "main")
    await board.open_issue(title="Imports hang", body="", now=played.clock())
    moved = await played.call("PUT", f"/api/v1/loops/{loop['id']}/issue", {"tracker_id": 1, "ref": "#2"})
    assert moved["issue"]["ref"] == "#2"
    assert (await played.get("/api/v1/issues/1"))["waiting"] == 0
    free = await played.call("DELETE", f"/api/v1/loops/{loop['id']}/issue")
    assert (free["state"], free["issue"]) == ("open", None)


async def test_a_loop_that_is_unlinked_takes_back_what_was_going_to_be_said(played: Circle) -> None:
    await played.call("PATCH", "/api/v1/accounts/1", {"mode": "approve"})
    post = await a_post(played)
    loop = await played.post("/api/v1/loops", new_issue(post), status=201)
    board = Board(played.stage, "main")
    await board.close(1, outcome="completed", now=played.clock())
    await board.release("v1.0.0", now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    free = await played.call("DELETE", f"/api/v1/loops/{loop['id']}/issue")
    assert [reply["state"] for reply in free["replies"]] == ["cancelled"]


async def test_a_private_post_lends_a_new_issue_no_words(played: Circle) -> None:
    await Square(played.stage, "main").say(
        StagedPost(handle="ana", text="My password is hunter2", at=played.clock(), visibility="private")
    )
    await played.post("/api/v1/accounts/1/pull")
    [post] = (await played.get("/api/v1/posts"))["items"]
    await played.post("/api/v1/loops", {"post_id": post["id"], "issue": {"tracker_id": 1, "title": ""}}, status=201)
    await played.rest()
    assert "hunter2" not in str(await Board(played.stage, "main").issues.all())
    assert "hunter2" not in str(await Board(played.stage, "main").blocks.all())


async def test_suggestions_say_why_and_how_many_wait(played: Circle) -> None:
    await played.post("/api/v1/loops", new_issue(await a_post(played)), status=201)
    other = await a_post(played, "the export hangs for me too", handle="ben")
    [suggestion] = (await played.get(f"/api/v1/posts/{other}/suggestions"))["items"]
    assert suggestion["issue"]["ref"] == "#1"
    assert "export" in suggestion["why"]
    assert "1 waiting" in suggestion["why"]

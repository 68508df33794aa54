"""Replies: the exact text, the reason of every state, and all that a person may do with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.staging import Fault
from tests.support import on_both, story
from tests.support.circle import Circle, circle_after
from tests.support.databases import Databases

databases = on_both.databases

CONTRACT = {"id", "loop_id", "kind", "state", "why", "text", "external_id", "url", "attempts"}


async def reply(played: Circle, number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = await played.get(f"/api/v1/replies/{number}")
    return found


async def do(played: Circle, deed: str, *, status: int = 200, number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = await played.post(f"/api/v1/replies/{number}/{deed}", status=status)
    return found


@pytest.fixture
async def waiting(databases: Databases) -> AsyncIterator[Circle]:
    async with circle_after(a_reply_that_waits, databases, product="Acme") as made:
        yield made


async def a_reply_that_waits(played: Circle) -> None:
    """A reply that waits for its approver."""
    await story.tagged(played, mode="approve")
    await story.ship(played)


async def test_a_posted_reply_has_the_networks_own_id_and_every_try(played: Circle) -> None:
    await story.tagged(played)
    await story.square(played).faults.add(Fault(call="send", kind="transient", times=1))
    await story.ship(played)
    await played.rest()
    found = await reply(played)
    assert found.keys() >= CONTRACT
    assert found["state"] == "scheduled"
    assert "transient" in found["why"]
    played.clock.move(minutes=1)
    await played.rest()

    found = await reply(played)
    [(number, spoken)] = [(key, post) for key, post in await story.square(played).posts.all() if post.brand]
    assert (found["state"], found["external_id"]) == ("posted", str(number))
    assert found["url"] == f"http://fullcircle.test/rehearsal/main/posts/{number}"
    assert (found["text"], found["count"]) == (spoken.text, len(spoken.text))
    assert [attempt["outcome"] for attempt in found["attempts"]] == ["transient", "posted"]
    assert all(set(a) == {"number", "started_at", "ended_at", "outcome", "detail"} for a in found["attempts"])
    assert (await played.get("/api/v1/replies", params={"state": "posted"}))["items"][0]["id"] == 1
    assert (await played.get("/api/v1/replies", params={"state": "held"}))["items"] == []
    await played.call("GET", "/api/v1/replies", params={"state": "lost"}, status=422)
    for deed in ("approve", "hold", "release", "cancel", "retry"):
        problem = await do(played, deed, status=409)
        assert "posted" in problem["detail"]
    await played.call("PATCH", "/api/v1/replies/1", {"text": "x"}, status=409)
    assert len(await story.said(played)) == 1


async def test_approving_sends_what_was_approved_and_nothing_else(waiting: Circle) -> None:
    before = await reply(waiting)
    assert (before["state"], before["approved_by"]) == ("awaiting_approval", None)
    approved = await do(waiting, "approve")
    assert (approved["state"], approved["approved_by"], approved["text"]) == ("scheduled", "tests", before["text"])
    await do(waiting, "approve", status=409)
    await waiting.rest()
    assert [post.text for post in await story.said(waiting)] == [before["text"]]


async def test_an_edit_after_approval_is_signed_anew(waiting: Circle) -> None:
    await do(waiting, "approve")
    edited = await waiting.call("PATCH", "/api/v1/replies/1", {"text": "It is out. Does it work?"})
    assert (edited["state"], edited["approved_by"]) == ("awaiting_approval", None)
    await waiting.rest()
    assert await story.said(waiting) == []
    await waiting.call("PATCH", "/api/v1/replies/1", {"text": "x" * 20_001}, status=422)
    problem = await waiting.call("PATCH", "/api/v1/replies/1", {"text": "long " * 1000}, status=409)
    assert "allowed" in problem["detail"]
    assert (await reply(waiting))["text"] == edited["text"]


async def test_holding_releasing_cancelling_and_retrying_each_say_who_did_it(waiting: Circle) -> None:
    held = await do(waiting, "hold")
    assert (held["state"], held["why"]) == ("held", "held by tests")
    await waiting.post("/api/v1/trackers/1/pull")
    await waiting.rest()
    assert (await reply(waiting))["state"] == "held", "nobody's own doing undoes that"
    assert (await do(waiting, "release"))["state"] == "awaiting_approval"
    await do(waiting, "release", status=409)
    cancelled = await do(waiting, "cancel")
    assert (cancelled["state"], cancelled["why"]) == ("cancelled", "cancelled by tests")
    assert (await do(waiting, "cancel"))["state"] == "cancelled"
    await waiting.rest()
    assert (await reply(waiting))["state"] == "cancelled"
    assert (await do(waiting, "retry"))["state"] == "awaiting_approval"
    await do(waiting, "approve")
    await waiting.rest()
    assert len(await story.said(waiting)) == 1


@pytest.mark.parametrize("deed", ["approve", "retry"])
async def test_where_the_evidence_is_gone_it_is_409_and_nothing_is_said(waiting: Circle, deed: str) -> None:
    if deed == "retry":
        await do(waiting, "hold")
    await story.board(waiting).delete_release(1, now=waiting.clock())
    problem = await do(waiting, deed, status=409)
    assert "not shipped" in problem["detail"]
    await waiting.rest()
    assert (await reply(waiting))["state"] in {"cancelled", "held"}
    assert await story.said(waiting) == []


async def test_where_the_evidence_cannot_be_read_it_is_409_and_can_be_tried_again(waiting: Circle) -> None:
    waiting.clock.move(minutes=1)
    await story.board(waiting).faults.add(Fault(call="read", kind="transient", times=1))
    problem = await do(waiting, "approve", status=409)
    assert "could not be read again" in problem["detail"]
    waiting.clock.move(minutes=1)
    assert (await do(waiting, "approve"))["state"] == "scheduled"


async def test_nobody_retries_what_may_have_been_said_before_the_thread_was_looked_at(played: Circle) -> None:
    await story.tagged(played)
    fault = Fault(call="send", kind="unknown", accepted=True, in_flight=True, times=1)
    await story.square(played).faults.add(fault)
    await story.square(played).faults.add(Fault(call="look", kind="transient", times=2))
    await story.ship(played)
    await played.rest()
    await played.rest()
    found = await reply(played)
    if found["state"] == "unknown":
        await do(played, "cancel", status=409)
        played.clock.move(minutes=1)
        await do(played, "retry")
    for _ in range(6):
        played.clock.move(minutes=1)
        await played.rest()
    assert (await reply(played))["state"] == "posted"
    assert len(await story.said(played)) == 1


async def test_a_refused_reply_may_be_tried_again_and_says_why_it_still_cannot_be(played: Circle) -> None:
    await story.tagged(played)
    await story.square(played).delete(1)
    await story.ship(played)
    await played.rest()
    refused = await reply(played)
    assert (refused["state"], "gone" in refused["why"]) == ("refused", True)
    assert "gone" in (await story.loop_of(played))["needs_person"]
    assert (await do(played, "retry"))["state"] == "scheduled"
    await played.rest()
    assert (await reply(played))["state"] == "refused"
    assert await story.said(played) == []


async def test_deeds_on_what_is_not_there_are_404(played: Circle) -> None:
    await played.connect_rehearsal()
    for deed in ("approve", "hold", "release", "cancel", "retry"):
        await do(played, deed, status=404, number=99)
    await do(played, "shout", status=404)
    await played.call("GET", "/api/v1/replies/99", status=404)
    await played.call("PATCH", "/api/v1/replies/99", {"text": "x"}, status=404)

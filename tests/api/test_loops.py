"""Loops: opened once for one customer in one thread, tied to an issue that is made once, moved by hand by lawful moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.staging import Fault
from tests.support import on_both, story
from tests.support.circle import Circle, circle_after
from tests.support.databases import Databases

databases = on_both.databases

CLOCK = ["seen", "tagged", "linked", "fixed", "shipped", "told", "verified"]
CONTRACT = {"id", "state", "why", "tags", "posts", "issue", "replies", "clock"}
NEW = {"tracker_id": 1, "title": "Export hangs", "body": "From the support desk."}


@pytest.fixture
async def ready(databases: Databases) -> AsyncIterator[Circle]:
    async with circle_after(three_complaints, databases, product="Acme") as made:
        yield made


async def three_complaints(played: Circle) -> None:
    """Both rehearsal adapters, and three complaints taken in."""
    await played.connect_rehearsal()
    await story.complaints(played, 3)


async def issues_made(played: Circle) -> list[str]:
    return [issue.title for _, issue in await story.board(played).issues.all()]


async def test_a_loop_without_an_issue_is_open(ready: Circle) -> None:
    loop = await ready.post("/api/v1/loops", {"post_id": 1, "tags": ["export", " two  words "]}, status=201)
    assert loop.keys() >= CONTRACT
    assert (loop["state"], loop["issue"], loop["replies"]) == ("open", None, [])
    assert loop["tags"] == ["export", "two words"]
    assert list(loop["clock"]) == CLOCK
    assert loop["clock"]["seen"]
    assert loop["clock"]["tagged"]
    assert loop["clock"]["linked"] is None
    assert [post["id"] for post in loop["posts"]] == [1]
    assert loop["posts"][0]["state"] == "tagged"
    assert await story.loop_of(ready) == loop


async def test_a_loop_with_a_new_issue_holds_its_ref_at_once(ready: Circle) -> None:
    loop = await ready.post("/api/v1/loops", {"post_id": 1, "issue": NEW}, status=201)
    assert (loop["state"], loop["issue"]["ref"], loop["issue"]["state"]) == ("linked", "#1", "open")
    assert loop["issue"]["id"]
    assert await issues_made(ready) == ["Export hangs"]
    nameless = await ready.post("/api/v1/loops", {"post_id": 2, "issue": {"tracker_id": 1}}, status=201)
    assert "Complaint number 1" in nameless["issue"]["title"], "the customer's first words"


async def test_a_loop_with_an_existing_issue_reads_it_first(ready: Circle) -> None:
    await story.board(ready).open_issue(title="Known", body="", now=ready.clock())
    loop = await story.tag(ready, {"id": 1}, ref="#1")
    assert (loop["issue"]["ref"], loop["issue"]["title"]) == ("#1", "Known")
    for ref, status in [("#99", 422), ("not a ref", 422)]:
        await ready.post("/api/v1/loops", {"post_id": 2, "issue": {"tracker_id": 1, "ref": ref}}, status=status)
    assert (await ready.get("/api/v1/posts/2"))["state"] == "new", "nothing half done"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"post_id": 99}, 404),
        ({"post_id": 1, "issue": {"tracker_id": 99, "title": "x"}}, 404),
        ({"post_id": 1, "issue": {"tracker_id": 99, "ref": "#1"}}, 404),
        ({"post_id": 1, "issue": {"tracker_id": 1, "ref": "#1", "title": "both"}}, 422),
        ({"post_id": 0}, 422),
        ({"post_id": 2**63}, 422),
        ({"post_id": "1x"}, 422),
        ({"post_id": 1, "tags": [""]}, 422),
        ({"post_id": 1, "tags": ["a\x00b"]}, 422),
        ({"post_id": 1, "tags": ["x"] * 51}, 422),
        ({"post_id": 1, "issue": {"tracker_id": 1, "title": "x" * 251}}, 422),
        ({"post_id": 1, "surprise": True}, 422),
        ({}, 422),
        ([], 422),
    ],
)
async def test_what_cannot_be_opened_changes_nothing(ready: Circle, body: Any, status: int) -> None:
    await ready.post("/api/v1/loops", body, status=status)
    assert (await ready.get("/api/v1/loops"))["items"] == []
    assert await issues_made(ready) == []


async def test_the_same_key_and_body_make_nothing_twice_and_another_body_is_refused(ready: Circle) -> None:
    key = {"Idempotency-Key": "a-key"}
    body = {"post_id": 1, "tags": ["export"], "issue": NEW}
    first = await ready.post("/api/v1/loops", body, status=201, headers=key)
    second = await ready.post("/api/v1/loops", body, status=201, headers=key)
    assert (second["id"], second["issue"]) == (first["id"], first["issue"])
    problem = await ready.post("/api/v1/loops", {**body, "tags": []}, status=422, headers=key)
    assert [error["pointer"] for error in problem["errors"]] == ["/Idempotency-Key"]
    assert await issues_made(ready) == ["Export hangs"]

    other = await ready.token("triager")
    mine = await ready.post("/api/v1/loops", {"post_id": 2}, status=201, headers={**other, **key})
    assert mine["id"] != first["id"], "a key belongs to whoever sent it"
    await ready.post("/api/v1/loops", {"post_id": 3}, status=422, headers={"Idempotency-Key": "x" * 201})


async def test_requests_at_the_same_moment_make_one_loop_and_one_issue(ready: Circle) -> None:
    async def ask(**headers: str) -> Any:
        return await ready.api.post("/api/v1/loops", json={"post_id": 1, "issue": NEW}, headers=headers)

    answers = await asyncio.gather(*(ask(**{"Idempotency-Key": "one"}) for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {201, 202}, [answer.text for answer in answers]
    assert {answer.json()["id"] for answer in answers} == {1}

    without_key = await asyncio.gather(
        *(ready.api.post("/api/v1/loops", json={"post_id": 2, "issue": NEW}) for _ in range(6))
    )
    assert {answer.status_code for answer in without_key} <= {201, 409}, [answer.text for answer in without_key]
    assert [answer.status_code for answer in without_key].count(201) >= 1
    await ready.rest()
    assert len(await issues_made(ready)) == 2
    assert len((await ready.get("/api/v1/loops"))["items"]) == 2


async def test_where_the_tracker_does_not_answer_it_is_202_and_the_issue_comes_later_once(ready: Circle) -> None:
    await story.board(ready).faults.add(Fault(call="create", kind="unknown", accepted=True, in_flight=True, times=1))
    key = {"Idempotency-Key": "a-key"}
    loop = await ready.post("/api/v1/loops", {"post_id": 1, "issue": NEW}, status=202, headers=key)
    assert (loop["state"], loop["issue"]["state"], loop["issue"]["ref"]) == ("linked", "creating", "")
    for _ in range(6):
        ready.clock.move(seconds=30)
        await ready.rest()
    loop = await story.loop_of(ready)
    assert (loop["issue"]["state"], loop["issue"]["ref"]) == ("open", "#1")
    assert await issues_made(ready) == ["Export hangs"], "found by its marker, and not made again"
    again = await ready.post("/api/v1/loops", {"post_id": 1, "issue": NEW}, status=201, headers=key)
    assert again["issue"] == loop["issue"]


async def test_an_issue_whose_answer_was_lost_and_that_somebody_links_meanwhile_is_one_issue(ready: Circle) -> None:
    await story.board(ready).faults.add(Fault(call="create", kind="unknown", accepted=True, in_flight=True, times=1))
    await ready.post("/api/v1/loops", {"post_id": 1, "issue": NEW}, status=202)
    other = await story.tag(ready, {"id": 2}, ref="#1")
    for _ in range(6):
        ready.clock.move(seconds=30)
        await ready.rest()
    first, second = await story.loop_of(ready, 1), await story.loop_of(ready, other["id"])
    assert first["issue"] == second["issue"]
    assert (first["state"], first["issue"]["ref"]) == ("linked", "#1")
    assert (await ready.get(f"/api/v1/issues/{first['issue']['id']}"))["waiting"] == 2
    assert await issues_made(ready) == ["Export hangs"]


async def test_a_loop_is_tied_to_another_issue_and_to_none(ready: Circle) -> None:
    await story.tag(ready, {"id": 1})
    loop = await ready.call("PUT", "/api/v1/loops/1/issue", {"tracker_id": 1, "title": "Another"})
    assert (loop["state"], loop["issue"]["ref"], loop["issue"]["title"]) == ("linked", "#2", "Another")
    loop = await ready.call("PUT", "/api/v1/loops/1/issue", {"tracker_id": 1, "ref": "#1"})
    assert loop["issue"]["ref"] == "#1"
    loop = await ready.call("DELETE", "/api/v1/loops/1/issue")
    assert (loop["state"], loop["issue"], loop["clock"]["linked"]) == ("open", None, None)

    await ready.call("PUT", "/api/v1/loops/99/issue", {"tracker_id": 1, "title": "x"}, status=404)
    await ready.call("PUT", "/api/v1/loops/99/issue", {"tracker_id": 1, "ref": "#1"}, status=404)
    await ready.call("PUT", "/api/v1/loops/1/issue", {"tracker_id": 99, "title": "x"}, status=404)
    await ready.call("DELETE", "/api/v1/loops/99/issue", status=404)
    await story.board(ready).faults.add(Fault(call="create", kind="transient", times=1))
    loop = await ready.call("PUT", "/api/v1/loops/1/issue", {"tracker_id": 1, "title": "Third"}, status=202)
    assert loop["issue"]["state"] == "creating"


async def test_a_told_loop_keeps_its_issue_and_no_draft_is_left_behind(played: Circle) -> None:
    await story.told(played)
    await played.call("PUT", "/api/v1/loops/1/issue", {"tracker_id": 1, "title": "x"}, status=409)
    await played.call("DELETE", "/api/v1/loops/1/issue", status=409)
    await played.rest()
    assert len(await issues_made(played)) == 1, "a refused link makes nothing in the tracker"


async def test_tags_team_and_assignee_are_changed_and_a_move_must_be_lawful(ready: Circle) -> None:
    await story.tag(ready, {"id": 1})
    changed = await ready.call("PATCH", "/api/v1/loops/1", {"tags": ["a", "b"], "team": "Exports", "assignee": "Kim"})
    assert (changed["tags"], changed["team"], changed["assignee"]) == (["a", "b"], "Exports", "Kim")
    assert (await ready.call("PATCH", "/api/v1/loops/1", {"team": None}))["team"] is None
    assert (await ready.call("PATCH", "/api/v1/loops/1", {"tags": None}))["tags"] == []

    problem = await ready.call("PATCH", "/api/v1/loops/1", {"state": "reopened", "assignee": "Lee"}, status=409)
    assert "cannot go from linked to reopened" in problem["detail"]
    assert (await story.loop_of(ready))["assignee"] == "Kim", "nothing half done"
    await ready.call("PATCH", "/api/v1/loops/1", {"state": "told"}, status=422)
    await ready.call("PATCH", "/api/v1/loops/99", {"state": "dropped"}, status=404)
    await ready.call("PATCH", "/api/v1/loops/99", {"team": "x"}, status=404)

    dropped = await ready.call("PATCH", "/api/v1/loops/1", {"state": "dropped"})
    assert (dropped["state"], dropped["why"]) == ("dropped", "dropped by tests")
    assert (await ready.call("PATCH", "/api/v1/loops/1", {"state": "linked"}))["state"] == "linked"
    verified = await ready.call("PATCH", "/api/v1/loops/1", {"state": "verified"})
    assert (verified["state"], bool(verified["clock"]["verified"])) == ("verified", True)


async def test_dropping_a_loop_takes_back_what_waits_to_be_said(played: Circle) -> None:
    await story.tagged(played, mode="approve")
    await story.ship(played)
    await played.call("PATCH", "/api/v1/loops/1", {"state": "dropped"})
    await played.rest()
    assert [reply["state"] for reply in (await story.loop_of(played))["replies"]] == ["cancelled"]
    assert await story.said(played) == []


async def test_notes_stay_among_colleagues_and_carry_their_author(ready: Circle) -> None:
    await story.tag(ready, {"id": 1})
    engineer = await ready.token("engineer")
    note = await ready.post("/api/v1/loops/1/notes", {"text": "It is the cache."}, status=201, headers=engineer)
    assert set(note) == {"id", "author", "text", "at"}
    assert (note["author"], note["text"]) == ("a engineer", "It is the cache.")
    assert (await story.loop_of(ready))["notes"] == [note]
    await ready.rest()
    blocks = str(await story.board(ready).blocks.all())
    assert "cache" not in blocks
    await ready.post("/api/v1/loops/99/notes", {"text": "x"}, status=404)
    await ready.post("/api/v1/loops/1/notes", {"text": ""}, status=422)


async def test_a_person_writes_to_the_customer_themselves(ready: Circle) -> None:
    await story.tag(ready, {"id": 1})
    reply = await ready.post("/api/v1/loops/1/replies", {"text": "We are on it."}, status=201)
    assert (reply["loop_id"], reply["kind"], reply["written_by"]) == (1, "progress", "tests")
    assert reply["text"].endswith("We are on it.")
    await ready.rest()
    assert [post.text for post in await story.said(ready)] == [reply["text"]]
    await ready.post("/api/v1/loops/99/replies", {"text": "x"}, status=404)
    await ready.post("/api/v1/loops/1/replies", {"text": "   "}, status=409)
    problem = await ready.post("/api/v1/loops/1/replies", {"text": "long " * 1000}, status=409)
    assert "allowed" in problem["detail"], "a person's words are never cut"
    await ready.post("/api/v1/loops/1/replies", {"text": "x", "kind": "joke"}, status=422)


async def test_loops_are_listed_by_state_and_by_who_is_asked(ready: Circle) -> None:
    await story.tag(ready, {"id": 1})
    await ready.post("/api/v1/loops", {"post_id": 2}, status=201)
    states = {state: await ready.get("/api/v1/loops", params={"state": state}) for state in ("open", "linked", "told")}
    assert {state: [loop["id"] for loop in page["items"]] for state, page in states.items()} == {
        "open": [2],
        "linked": [1],
        "told": [],
    }
    assert (await ready.get("/api/v1/loops", params={"needs_person": "true"}))["items"] == []
    await ready.call("GET", "/api/v1/loops", params={"state": "closed"}, status=422)
    await ready.call("GET", "/api/v1/loops/99", status=404)

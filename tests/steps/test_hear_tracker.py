"""Hearing the tracker: hints are followed and never believed, and one bad row stops no other."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.rules.facts import IssueFacts, IssueReading
from app.staging import Board, Fault, Square, StagedPost
from app.steps import hear_tracker
from app.store.tables import Issue
from tests.support.circle import Circle, circle
from tests.support.databases import make_schema

SECRET = "a secret between us"


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url) as made:
        await connect(made)
        yield made


async def connect(made: Circle) -> None:
    await made.post("/api/v1/accounts", {"channel": "rehearsal", "name": "Acme", "mode": "automatic"}, status=201)
    tracker = {"kind": "rehearsal", "name": "Acme app", "secrets": {"webhook_secret": SECRET}}
    await made.post("/api/v1/trackers", tracker, status=201)


async def waiting_for_an_issue(played: Circle, handle: str = "ana") -> dict[str, Any]:
    await Square(played.stage, "main").say(StagedPost(handle=handle, text="Export hangs", at=played.clock()))
    await played.post("/api/v1/accounts/1/pull")
    [post] = (await played.get("/api/v1/posts?state=new"))["items"]
    body = {"post_id": post["id"], "issue": {"tracker_id": 1, "title": "Export hangs"}}
    loop: dict[str, Any] = await played.post("/api/v1/loops", body, status=201)
    return loop


async def hook(played: Circle, key: str, issue: int = 1, *, status: int = 202) -> None:
    body = json.dumps({"issues": [str(issue)]}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    answer = await played.api.post(
        "/hooks/trackers/1",
        content=body,
        headers={
            "X-Hub-Signature-256": f"sha256={signature}",
            "X-Rehearsal-Delivery": key,
            "X-Rehearsal-Event": "issues",
            "Content-Type": "application/json",
        },
    )
    assert answer.status_code == status, answer.text


async def state_of(played: Circle, loop: dict[str, Any]) -> str:
    return str((await played.get(f"/api/v1/loops/{loop['id']}"))["state"])


async def test_a_webhook_is_a_hint_and_the_issue_is_read_again(played: Circle) -> None:
    loop = await waiting_for_an_issue(played)
    await played.rest()
    await Board(played.stage, "main").close(1, outcome="completed", now=played.clock())
    await hook(played, "d1")
    await played.rest()
    assert await state_of(played, loop) == "fixed"


async def test_a_webhook_that_says_what_is_not_so_changes_nothing(played: Circle) -> None:
    loop = await waiting_for_an_issue(played)
    await hook(played, "d1")
    await played.rest()
    assert await state_of(played, loop) == "linked"


async def test_a_redelivered_webhook_adds_nothing(played: Circle) -> None:
    await waiting_for_an_issue(played)
    await hook(played, "d1")
    await hook(played, "d1", status=200)
    await played.rest()
    assert len((await played.get("/api/v1/trackers/1/deliveries"))["items"]) == 1


async def test_what_no_webhook_brought_polling_finds(played: Circle) -> None:
    loop = await waiting_for_an_issue(played)
    board = Board(played.stage, "main")
    await board.close(1, outcome="completed", now=played.clock())
    await board.release("v1.0.0", now=played.clock())
    played.clock.move(minutes=2)
    await played.rest()
    assert await state_of(played, loop) == "told"


async def test_an_issue_that_cannot_be_read_blocks_no_other(played: Circle) -> None:
    one = await waiting_for_an_issue(played)
    two = await waiting_for_an_issue(played, "ben")
    await played.rest()
    board = Board(played.stage, "main")
    await board.close(1, outcome="completed", now=played.clock())
    await board.close(2, outcome="completed", now=played.clock())
    await board.faults.add(Fault(call="read", kind="transient", times=1))
    await hook(played, "d1", 1)
    await hook(played, "d2", 2)
    await played.rest()
    states = [await state_of(played, one), await state_of(played, two)]
    assert sorted(states) == ["fixed", "linked"]
    played.clock.move(minutes=1)
    await played.rest()
    assert [await state_of(played, one), await state_of(played, two)] == ["fixed", "fixed"]


async def test_facts_older_than_the_stored_ones_are_dropped_and_asked_for_again(
    played: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = await waiting_for_an_issue(played)
    await played.rest()
    await Board(played.stage, "main").close(1, outcome="completed", now=played.clock())
    await hear_tracker.look_at(played.river, 1)
    assert await state_of(played, loop) == "fixed"
    tracker_type = played.river.outside.tracker_type("rehearsal")
    real = tracker_type.read

    async def stale(self: Any, remote_id: str, *, ref: str) -> IssueReading:
        reading: IssueReading = await real(self, remote_id, ref=ref)
        old = replace(
            reading.facts,
            state="open",
            outcome=None,
            closed_at=None,
            updated_at=reading.facts.updated_at - timedelta(seconds=1),
        )
        return replace(reading, facts=old)

    monkeypatch.setattr(tracker_type, "read", stale)
    look = await hear_tracker.look_at(played.river, 1)
    assert (look.outcome, await state_of(played, loop)) == ("failed", "fixed")
    monkeypatch.undo()
    async with played.river.db.read() as session:
        issue = await session.get(Issue, 1)
        assert issue is not None
        assert issue.look_wanted > issue.look_done


async def test_a_deleted_issue_goes_to_a_person(played: Circle) -> None:
    loop = await waiting_for_an_issue(played)
    await played.rest()
    await Board(played.stage, "main").delete_issue(1, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    found = await played.get(f"/api/v1/loops/{loop['id']}")
    assert "a person decides" in found["needs_person"]
    assert found["issue"]["state"] == "gone"


async def test_the_engineers_block_is_edited_in_place_and_never_made_again_once_removed(played: Circle) -> None:
    await waiting_for_an_issue(played)
    await played.rest()
    board = Board(played.stage, "main")
    [(number, block)] = await board.blocks.all()
    assert "Export hangs" in block.text
    await Square(played.stage, "main").say(StagedPost(handle="ben", text="Hangs here too", at=played.clock()))
    await played.post("/api/v1/accounts/1/pull")
    [post] = (await played.get("/api/v1/posts?state=new"))["items"]
    await played.post("/api/v1/loops", {"post_id": post["id"], "issue": {"tracker_id": 1, "ref": "#1"}}, status=201)
    played.clock.move(seconds=10)
    await played.rest()
    [(again, block)] = await board.blocks.all()
    assert again == number
    assert "Hangs here too" in block.text
    await board.remove_block(1)
    await played.call("DELETE", "/api/v1/loops/1/issue")
    played.clock.move(seconds=10)
    await played.rest()
    assert (await played.get("/api/v1/issues/1"))["block"] == "removed by the team"
    shown = [block for _, block in await board.blocks.all() if not block.removed]
    assert shown == []


EVENTS = st.lists(
    st.sampled_from(["close", "reopen", "wontfix", "release", "unrelease", "hook", "hook again", "poll", "time"]),
    max_size=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS)
async def test_whatever_webhooks_are_lost_doubled_or_late_the_end_is_the_same(
    sqlite_databases: Any, events: list[str]
) -> None:
    """However the news came, after one poll the verdict is the one that a fresh reading gives."""
    url = sqlite_databases.copy_of("schema", make_schema)
    async with circle(url) as played:
        await connect(played)
        loop = await waiting_for_an_issue(played)
        await played.rest()
        board = Board(played.stage, "main")
        released: list[int] = []
        for number, event in enumerate(events):
            played.clock.move(seconds=30)
            issue = await board.issues.get(1)
            assert issue is not None
            match event:
                case "close" if issue.state == "open":
                    await board.close(1, outcome="completed", now=played.clock())
                case "wontfix" if issue.state == "open":
                    await board.close(1, outcome="not_planned", now=played.clock())
                case "reopen" if issue.state == "closed":
                    await board.reopen(1, now=played.clock())
                case "release":
                    released.append(await board.release(f"v1.0.{number}", now=played.clock()))
                case "unrelease" if released:
                    await board.delete_release(released.pop(), now=played.clock())
                case "hook":
                    await hook(played, f"d{number}")
                case "hook again":
                    await hook(played, f"d{number}")
                    await hook(played, f"d{number}", status=200)
                case "poll":
                    await played.post("/api/v1/trackers/1/pull")
                case "time":
                    await played.rest()
        await played.post("/api/v1/trackers/1/pull")
        heard = await played.get("/api/v1/issues/1")
        async with played.river.db.read() as session:
            tracker = await session.get(hear_tracker.Tracker, 1)
            assert tracker is not None
        reading = await played.river.outside.tracker(tracker).read("1", ref="#1")
        verdict = hear_tracker.shipping.judge(reading, hear_tracker.policy_of(tracker))
        assert heard["why"] == verdict.why
        was_told = (await played.get(f"/api/v1/loops/{loop['id']}"))["clock"]["told"] is not None
        said = [post for _, post in await Square(played.stage, "main").posts.all() if post.brand]
        assert len(said) == was_told
    sqlite_databases.drop(url)


def test_facts_of_the_same_second_are_not_older() -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    facts = IssueFacts(remote_id="1", ref="#1", title="t", url="", state="open", updated_at=moment)
    assert not hear_tracker._is_stale(Issue(updated_at=moment), facts)
    assert hear_tracker._is_stale(Issue(updated_at=moment + timedelta(seconds=1)), facts)

"""The whole circle on the rehearsal adapters: complaint, tag, ticket, fix, release, answer, verification."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.staging import Board, Square, StagedPost
from app.store.tables import Issue
from tests.support.circle import Circle, circle


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url, product="Acme") as made:
        yield made


async def complain(played: Circle, text: str = "Export to CSV hangs at 99 %", **more: Any) -> int:
    """A customer says something on the square; returns the post's number there."""
    post = StagedPost(handle=more.pop("handle", "ana"), text=text, at=played.clock(), language="en", **more)
    return await Square(played.stage, "main").say(post)


async def taken_in(played: Circle) -> list[dict[str, Any]]:
    await played.post("/api/v1/accounts/1/pull")
    return (await played.get("/api/v1/posts?state=new"))["items"]


async def tagged(played: Circle, post: dict[str, Any], tracker: int = 1) -> dict[str, Any]:
    body = {
        "post_id": post["id"],
        "tags": ["export"],
        "issue": {"tracker_id": tracker, "title": "Export hangs", "body": ""},
    }
    loop: dict[str, Any] = await played.post("/api/v1/loops", body, status=201)
    return loop


async def loop_of(played: Circle, loop: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await played.get(f"/api/v1/loops/{loop['id']}")
    return found


async def fixed_and_released(played: Circle, label: str = "v2.4.1") -> int:
    board = Board(played.stage, "main")
    played.clock.move(minutes=5)
    await board.close(1, outcome="completed", now=played.clock())
    played.clock.move(minutes=5)
    return await board.release(label, now=played.clock())


async def said(played: Circle) -> list[StagedPost]:
    posts = await Square(played.stage, "main").posts.all()
    return [post for _, post in posts if post.brand]


async def shipped(played: Circle, **connection: Any) -> dict[str, Any]:
    """A loop whose fix is out, as far as the tracker's poll brings it."""
    await played.connect_rehearsal(**connection)
    await complain(played)
    [post] = await taken_in(played)
    loop = await tagged(played, post)
    await fixed_and_released(played)
    await played.post("/api/v1/trackers/1/pull")
    return loop


async def told(played: Circle, **connection: Any) -> dict[str, Any]:
    """A loop whose customer was told."""
    loop = await shipped(played, **connection)
    await played.rest()
    loop = await loop_of(played, loop)
    assert loop["state"] == "told", loop
    return loop


async def answer(played: Circle, text: str, *, handle: str = "ana") -> None:
    played.clock.move(minutes=3)
    posts = await Square(played.stage, "main").posts.all()
    last_brand = max(key for key, post in posts if post.brand)
    await complain(played, text, handle=handle, in_reply_to=last_brand)
    await played.post("/api/v1/accounts/1/pull")
    await played.rest()


async def test_a_complaint_goes_all_the_way_round(played: Circle) -> None:
    await played.connect_rehearsal()
    await complain(played)
    [post] = await taken_in(played)
    assert post["author"] == "@ana" or post["author"] == "ana"

    loop = await tagged(played, post)
    assert (loop["state"], loop["issue"]["ref"]) == ("linked", "#1")
    assert "still open" in loop["why"]

    await Board(played.stage, "main").close(1, outcome="completed", now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    loop = await loop_of(played, loop)
    assert loop["state"] == "fixed"
    assert "no release contains" in loop["why"]

    await fixed_and_released(played)
    await played.post("/api/v1/trackers/1/pull")
    loop = await loop_of(played, loop)
    assert loop["state"] == "shipped"
    issue = await played.get(f"/api/v1/issues/{loop['issue']['id']}")
    assert issue["shipment"]["label"] == "v2.4.1"
    assert [line["kind"] for line in issue["shipment"]["evidence"]] == ["closed", "change", "contained", "release"]

    await played.rest()
    loop = await loop_of(played, loop)
    assert loop["state"] == "told"
    [spoken] = await said(played)
    [reply] = loop["replies"]
    assert reply["state"] == "posted"
    assert spoken.text == reply["text"]
    assert "v2.4.1" in spoken.text
    assert spoken.text.startswith("@ana ")

    await answer(played, "Works now, thank you!")
    loop = await loop_of(played, loop)
    assert (loop["state"], loop["verification"]) == ("verified", "confirmed")
    assert all(loop["clock"].values())


async def test_still_broken_reopens_the_loop_tells_the_ticket_and_only_a_later_fix_ships_again(played: Circle) -> None:
    loop = await told(played)
    await answer(played, "Sorry, it is still broken.")
    loop = await loop_of(played, loop)
    assert (loop["state"], loop["round"], loop["verification"]) == ("linked", 2, "still_broken")
    comments = await Board(played.stage, "main").comments.all()
    assert any("still broken" in comment.text for _, comment in comments)

    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    assert (await loop_of(played, loop))["state"] == "linked", "the same release never ships it again"
    assert len(await said(played)) == 1

    played.clock.move(minutes=5)
    board = Board(played.stage, "main")
    await board.reopen(1, now=played.clock())
    await fixed_and_released(played, "v2.4.2")
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    assert (await loop_of(played, loop))["state"] == "told"
    first, second = await said(played)
    assert "v2.4.2" in second.text
    assert second.in_reply_to != first.in_reply_to


@pytest.mark.parametrize("text", ["Thanks!", "I will try it tomorrow", "Great, works as well as before 🙄"])
async def test_an_unclear_answer_goes_to_a_person(played: Circle, text: str) -> None:
    loop = await told(played)
    await answer(played, text)
    loop = await loop_of(played, loop)
    assert loop["state"] == "told"
    assert loop["needs_person"]


async def test_a_strangers_confirmation_confirms_nothing(played: Circle) -> None:
    loop = await told(played)
    await answer(played, "Works now, thank you!", handle="mallory")
    loop = await loop_of(played, loop)
    assert loop["state"] == "told"
    assert "somebody else" in loop["needs_person"]


async def test_no_answer_for_14_days_is_a_verification_of_its_own(played: Circle) -> None:
    loop = await told(played)
    played.clock.move(days=15)
    await played.rest()
    assert (await loop_of(played, loop))["verification"] == "no_answer"


async def test_a_release_taken_back_before_anything_is_said_takes_the_reply_back(played: Circle) -> None:
    await played.connect_rehearsal(settle_seconds=1800)
    await complain(played)
    [post] = await taken_in(played)
    loop = await tagged(played, post)
    release = await fixed_and_released(played)
    await played.post("/api/v1/trackers/1/pull")
    [reply] = (await loop_of(played, loop))["replies"]
    assert reply["state"] == "scheduled"
    assert "settle time" in reply["why"]
    await Board(played.stage, "main").delete_release(release, now=played.clock())
    played.clock.move(minutes=31)
    await played.rest()
    loop = await loop_of(played, loop)
    assert loop["state"] == "fixed"
    assert loop["replies"][0]["state"] == "cancelled"
    assert await said(played) == []

    await Board(played.stage, "main").release("v2.4.2", now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    played.clock.move(minutes=31)
    await played.rest()
    [spoken] = await said(played)
    assert "v2.4.2" in spoken.text


async def test_a_release_taken_back_after_telling_asks_a_person_for_a_correction_and_says_nothing(
    played: Circle,
) -> None:
    loop = await told(played)
    await Board(played.stage, "main").delete_release(1, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    loop = await loop_of(played, loop)
    assert loop["state"] == "told"
    assert "correction" in loop["needs_person"]
    assert [reply["state"] for reply in loop["replies"]] == ["posted", "draft"]
    assert len(await said(played)) == 1


@pytest.mark.parametrize("outcome", ["not_planned", "duplicate"])
async def test_what_is_not_fixed_is_never_told(played: Circle, outcome: Any) -> None:
    await played.connect_rehearsal()
    await complain(played)
    [post] = await taken_in(played)
    loop = await tagged(played, post)
    board = Board(played.stage, "main")
    await board.close(1, outcome=outcome, now=played.clock())
    await board.release("v2.4.1", now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    loop = await loop_of(played, loop)
    assert loop["state"] == ("declined" if outcome == "not_planned" else "linked")
    assert [reply["state"] for reply in loop["replies"]] == (["awaiting_approval"] if outcome == "not_planned" else [])


async def test_approving_a_reply_whose_evidence_is_gone_answers_409_and_says_nothing(played: Circle) -> None:
    loop = await shipped(played, mode="approve")
    [reply] = (await loop_of(played, loop))["replies"]
    assert reply["state"] == "awaiting_approval"
    await Board(played.stage, "main").set_standing(1, "draft", now=played.clock())
    problem = await played.post(f"/api/v1/replies/{reply['id']}/approve", status=409)
    assert "not shipped any more" in problem["detail"]
    await played.rest()
    assert await said(played) == []


async def test_approving_waits_for_other_work_on_the_issue_and_sends_no_person_back_to_try_again(
    played: Circle,
) -> None:
    loop = await shipped(played, mode="approve")
    [reply] = (await loop_of(played, loop))["replies"]

    async def claim_until(until: datetime | None) -> None:
        async with played.river.db.begin() as session:
            issue = await session.get(Issue, 1)
            assert issue is not None
            issue.claim, issue.claim_until = ("elsewhere", until) if until else (None, None)

    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            await claim_until(None)

    played.river.sleep = wait
    await claim_until(played.clock() + timedelta(seconds=30))
    approved = await played.post(f"/api/v1/replies/{reply['id']}/approve")
    assert len(waited) == 3
    assert approved["state"] == "scheduled"


async def test_an_approved_reply_goes_out_as_it_was_approved(played: Circle) -> None:
    loop = await shipped(played, mode="approve")
    await played.rest()
    assert await said(played) == []
    [reply] = (await loop_of(played, loop))["replies"]
    edited = await played.call("PATCH", f"/api/v1/replies/{reply['id']}", {"text": "It is out. Does it work?"})
    assert edited["text"] == "@ana It is out. Does it work?"
    await played.post(f"/api/v1/replies/{reply['id']}/approve")
    await played.rest()
    [spoken] = await said(played)
    assert spoken.text == "@ana It is out. Does it work?"


async def test_a_dry_run_does_everything_but_the_call(played: Circle) -> None:
    loop = await shipped(played, mode="dry_run")
    await played.rest()
    loop = await loop_of(played, loop)
    assert loop["state"] == "shipped"
    assert loop["replies"][0]["state"] == "held"
    assert "dry run" in loop["replies"][0]["why"]
    assert await said(played) == []


async def test_the_switch_stops_all_speech_and_survives(played: Circle) -> None:
    await played.connect_rehearsal()
    await complain(played)
    [post] = await taken_in(played)
    loop = await tagged(played, post)
    await played.call("PUT", "/api/v1/voice", {"on": False})
    await fixed_and_released(played)
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    assert await said(played) == []
    assert (await loop_of(played, loop))["replies"][0]["state"] == "scheduled"
    await played.call("PUT", "/api/v1/voice", {"on": True})
    await played.rest()
    assert len(await said(played)) == 1


async def test_an_issue_held_from_customers_holds_its_replies_until_it_is_released(played: Circle) -> None:
    await played.connect_rehearsal()
    await complain(played)
    [post] = await taken_in(played)
    loop = await tagged(played, post)
    issue = loop["issue"]["id"]
    await played.post(f"/api/v1/issues/{issue}/hold", {"why": "5 % rollout"})
    await fixed_and_released(played)
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    [reply] = (await loop_of(played, loop))["replies"]
    assert (reply["state"], "5 % rollout" in reply["why"]) == ("held", True)
    assert await said(played) == []
    await played.post(f"/api/v1/issues/{issue}/release")
    await played.rest()
    assert len(await said(played)) == 1


async def test_a_post_newer_than_the_release_is_held_for_they_may_already_have_it(played: Circle) -> None:
    await played.connect_rehearsal()
    board = Board(played.stage, "main")
    await board.open_issue(title="Export hangs", body="", now=played.clock())
    await fixed_and_released(played)
    played.clock.move(hours=1)
    await complain(played)
    [post] = await taken_in(played)
    loop = await played.post(
        "/api/v1/loops", {"post_id": post["id"], "issue": {"tracker_id": 1, "ref": "#1"}}, status=201
    )
    await played.rest()
    loop = await loop_of(played, loop)
    assert loop["state"] == "shipped"
    assert "may already have it" in loop["replies"][0]["why"]
    assert await said(played) == []


async def test_a_post_that_is_not_public_is_kept_and_never_answered_by_itself(played: Circle) -> None:
    await played.connect_rehearsal()
    await complain(played, visibility="private")
    [post] = await taken_in(played)
    loop = await tagged(played, post)
    await fixed_and_released(played)
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    loop = await loop_of(played, loop)
    assert loop["replies"] == []
    assert "not public" in loop["needs_person"]
    blocks = await Board(played.stage, "main").blocks.all()
    assert "CSV" not in str(blocks), "its words reach no ticket"


async def test_one_customer_in_one_thread_has_one_loop_and_gets_one_reply(played: Circle) -> None:
    await played.connect_rehearsal()
    first = await complain(played)
    await complain(played, "and it also hangs on Tuesdays", in_reply_to=first)
    one, two = sorted(await taken_in(played), key=lambda post: post["id"])
    loop = await tagged(played, one)
    again = await played.post("/api/v1/loops", {"post_id": two["id"], "tags": ["csv"]}, status=201)
    assert again["id"] == loop["id"]
    await fixed_and_released(played)
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    assert len(await said(played)) == 1


async def test_two_customers_in_one_thread_are_both_told(played: Circle) -> None:
    await played.connect_rehearsal()
    first = await complain(played)
    await complain(played, "same here", handle="ben", in_reply_to=first)
    posts = await taken_in(played)
    loops = []
    for post in sorted(posts, key=lambda post: post["id"]):
        issue = {"tracker_id": 1, "title": "Export hangs"} if not loops else {"tracker_id": 1, "ref": "#1"}
        loops.append(await played.post("/api/v1/loops", {"post_id": post["id"], "issue": issue}, status=201))
    await played.rest()
    blocks = await Board(played.stage, "main").blocks.all()
    assert "2" in str(blocks)
    await fixed_and_released(played)
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    assert sorted(post.text.split()[0] for post in await said(played)) == ["@ana", "@ben"]


async def test_an_account_removed_and_connected_again_never_speaks_twice(played: Circle) -> None:
    loop = await told(played)
    await played.call("DELETE", "/api/v1/accounts/1", status=204)
    again = await played.post(
        "/api/v1/accounts", {"channel": "rehearsal", "name": "Acme again", "mode": "automatic"}, status=201
    )
    pulled = await played.post(f"/api/v1/accounts/{again['id']}/pull")
    assert pulled == {"posts": 0}, "what was taken in before is known"
    await played.rest()
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    assert len(await said(played)) == 1
    assert (await loop_of(played, loop))["state"] == "told"


async def test_a_persons_answer_made_after_the_reply_was_owed_holds_it(played: Circle) -> None:
    await played.connect_rehearsal(settle_seconds=600)
    number = await complain(played)
    [post] = await taken_in(played)
    loop = await tagged(played, post)
    await fixed_and_released(played)
    await played.post("/api/v1/trackers/1/pull")
    played.clock.move(minutes=5)
    by_hand = StagedPost(
        handle="acme", text="We fixed it, have a look!", at=played.clock(), brand=True, in_reply_to=number
    )
    await Square(played.stage, "main").say(by_hand)
    played.clock.move(minutes=10)
    await played.rest()
    loop = await loop_of(played, loop)
    assert loop["replies"][0]["state"] == "held"
    assert "by hand" in loop["replies"][0]["why"]
    assert len(await said(played)) == 1


async def test_what_the_brand_said_before_is_context_and_holds_nothing(played: Circle) -> None:
    await played.connect_rehearsal()
    number = await complain(played)
    played.clock.move(minutes=1)
    early = StagedPost(handle="acme", text="We are looking into it.", at=played.clock(), brand=True, in_reply_to=number)
    await Square(played.stage, "main").say(early)
    [post] = await taken_in(played)
    loop = await tagged(played, post)
    await fixed_and_released(played)
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    assert (await loop_of(played, loop))["state"] == "told"


async def test_a_deleted_complaint_is_not_answered(played: Circle) -> None:
    await played.connect_rehearsal(settle_seconds=600)
    number = await complain(played)
    [post] = await taken_in(played)
    loop = await tagged(played, post)
    await fixed_and_released(played)
    await played.post("/api/v1/trackers/1/pull")
    await Square(played.stage, "main").delete(number)
    played.clock.move(minutes=11)
    await played.rest()
    loop = await loop_of(played, loop)
    assert (loop["state"], loop["replies"][0]["state"]) == ("shipped", "refused")
    assert "gone" in loop["needs_person"]


async def test_stop_suppresses_automatic_replies_and_the_loop_says_so(played: Circle) -> None:
    loop = await told(played)
    await answer(played, "stop")
    loop = await loop_of(played, loop)
    assert "asked not to be answered" in loop["needs_person"]
    number = await complain(played, "Another thing: import is broken")
    [post] = [p for p in await taken_in(played) if "import" in p["text"]]
    other = await played.post(
        "/api/v1/loops", {"post_id": post["id"], "issue": {"tracker_id": 1, "title": "Import"}}, status=201
    )
    board = Board(played.stage, "main")
    await board.close(2, outcome="completed", now=played.clock())
    await board.release("v3.0.0", now=played.clock() + timedelta(minutes=1))
    played.clock.move(minutes=2)
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    other = await loop_of(played, other)
    assert other["state"] == "shipped"
    assert other["replies"] == []
    assert "asked not to be answered" in other["why"]
    assert number


async def test_a_person_writes_holds_releases_and_cancels(played: Circle) -> None:
    await played.connect_rehearsal(mode="approve")
    await complain(played)
    [post] = await taken_in(played)
    loop = await tagged(played, post)
    reply = await played.post(f"/api/v1/loops/{loop['id']}/replies", {"text": "We are on it."}, status=201)
    assert reply["state"] == "awaiting_approval"
    held = await played.post(f"/api/v1/replies/{reply['id']}/hold")
    assert held["state"] == "held"
    released = await played.post(f"/api/v1/replies/{reply['id']}/release")
    assert released["state"] == "awaiting_approval"
    cancelled = await played.post(f"/api/v1/replies/{reply['id']}/cancel")
    assert cancelled["state"] == "cancelled"
    await played.post(f"/api/v1/replies/{reply['id']}/retry")
    await played.post(f"/api/v1/replies/{reply['id']}/approve")
    await played.rest()
    [spoken] = await said(played)
    assert spoken.text == "@ana We are on it."
    assert (await loop_of(played, loop))["state"] == "linked", "a progress reply tells nobody that it is fixed"

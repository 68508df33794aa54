"""One person on two channels: joined and parted by a person, silent on both or on none, and told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.staging import Board
from app.steps import customers, deliver
from app.steps.customers import settle_next
from app.steps.hear_tracker import look_at
from app.steps.owe import owe_next
from app.store import customers as rows
from app.store.tables import Identity, Loop, Post, Reply
from tests.support.circle import Circle, circle
from tests.support.databases import PostgresDatabases, make_schema
from tests.support.two_channels import (
    FAIR,
    OTHER_WORDS,
    SQUARE,
    again,
    answer_on,
    complain_on,
    connect_both,
    join,
    know_the_fair,
    place,
    release,
    said_on,
    two_loops,
    waits,
)


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url, product="Acme") as made:
        yield made


async def spoken(played: Circle) -> tuple[int, int]:
    """How often we spoke on the square and on the fair."""
    return len(await said_on(played, SQUARE)), len(await said_on(played, FAIR))


# --- Joined and parted -------------------------------------------------------------------------------


async def test_joining_and_parting_gives_each_side_back_exactly_what_was_its_own(played: Circle) -> None:
    first, second = await two_loops(played)
    before = [await played.get(f"/api/v1/customers/{number}") for number in (1, 2)]
    both = await join(played, first, second)
    assert [one["handle"] for one in both["identities"]] == ["ana", "ana.fair"]
    assert (both["identities"][1]["joined_by"], both["identities"][0]["joined_by"]) == ("tests", "")
    assert {post["author"] for post in both["posts"]} == {"ana", "ana.fair"}
    assert {loop["id"] for loop in both["loops"]} == {first["id"], second["id"]}
    problem = await played.call("GET", "/api/v1/customers/2", status=404)
    assert "joined to customer 1" in problem["detail"]
    parted = await played.call("DELETE", f"/api/v1/customers/1/identities/{both['identities'][1]['id']}")
    assert parted["id"] == 2, "it is again who it was"
    for was in before:
        now = await played.get(f"/api/v1/customers/{was['id']}")
        assert {**now, "history": []} == {**was, "history": []}
    history = (await played.get("/api/v1/customers/1"))["history"]
    assert [(one["what"], one["actor"]) for one in history] == [("joined", "tests"), ("parted", "tests")]


async def test_whoever_was_joined_before_comes_along_and_each_can_be_parted(played: Circle) -> None:
    await connect_both(played)
    for handle in ("ana", "ben", "cleo"):
        await complain_on(played, SQUARE, handle=handle)
    await played.post("/api/v1/customers/2/identities", {"identity_id": 3})
    joined = await played.post("/api/v1/customers/1/identities", {"identity_id": 2})
    assert len(joined["identities"]) == 3
    first = await played.call("DELETE", "/api/v1/customers/1/identities/1")
    assert first["id"] not in {1, 2, 3}, "customer 1 is the two others now"
    numbers = {(await played.call("DELETE", "/api/v1/customers/1/identities/2"))["id"], 1, first["id"]}
    assert len(numbers) == 3
    problem = await played.call("DELETE", "/api/v1/customers/1/identities/3", status=409)
    assert "nothing to part" in problem["detail"]
    await played.call("DELETE", "/api/v1/customers/1/identities/2", status=404)


async def test_a_guest_is_never_joined(played: Circle) -> None:
    await two_loops(played)
    async with played.river.db.begin() as session:
        guest = await session.get(Identity, 2)
        assert guest is not None
        guest.weak = True
    for customer, identity in ((1, 2), (2, 1)):
        problem = await played.post(f"/api/v1/customers/{customer}/identities", {"identity_id": identity}, status=409)
        assert "guest" in problem["detail"]
    assert (await played.get("/api/v1/customers/1"))["likely"] == []


async def test_joining_twice_is_fine_and_nobody_there_is_nothing(played: Circle) -> None:
    first, second = await two_loops(played)
    await join(played, first, second)
    assert len((await join(played, first, second))["identities"]) == 2
    await played.post("/api/v1/customers/1/identities", {"identity_id": 99}, status=404)
    await played.post("/api/v1/customers/99/identities", {"identity_id": 1}, status=404)
    await played.post("/api/v1/customers/2/identities", {"identity_id": 1}, status=404)


async def test_two_people_who_join_the_same_at_the_same_moment_lose_nobody(played: Circle) -> None:
    await connect_both(played)
    for handle in ("ana", "ben", "cleo", "dora"):
        await complain_on(played, SQUARE, handle=handle)
    calls = [(1, 2), (2, 1), (3, 4), (4, 3), (1, 3), (4, 2)]
    answers = await asyncio.gather(
        *(
            played.api.post(f"/api/v1/customers/{customer}/identities", json={"identity_id": identity})
            for customer, identity in calls
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 404, 409}, [answer.text for answer in answers]
    everybody = [one["id"] for item in (await played.get("/api/v1/customers"))["items"] for one in item["identities"]]
    assert sorted(everybody) == [1, 2, 3, 4]


async def test_a_hint_says_who_may_be_the_same_and_nothing_is_done_about_it(played: Circle) -> None:
    await connect_both(played)
    await complain_on(played, SQUARE, handle="ana")
    await complain_on(played, FAIR, handle="ana.fair")
    await complain_on(played, FAIR, handle="anabel")
    await complain_on(played, FAIR, handle="zoe", name="Ana Duarte")
    [likely] = (await played.get("/api/v1/customers/1"))["likely"]
    assert (likely["identity"]["handle"], likely["why"]) == ("ana.fair", "the same handle, ana")
    assert len((await played.get("/api/v1/customers"))["items"]) == 4


# --- Told once ---------------------------------------------------------------------------------------


async def test_who_posted_the_same_words_on_two_channels_is_told_on_one(played: Circle) -> None:
    first, second = await two_loops(played)
    await join(played, first, second)
    await release(played)
    await played.rest()
    assert await spoken(played) == (1, 0)
    first, second = await again(played, first), await again(played, second)
    assert (first["state"], second["state"]) == ("told", "shipped")
    url = first["replies"][0]["url"]
    assert second["untold"] == f"the same person was told on Rehearsal on {played.clock():%Y-%m-%d}, in loop 1: {url}"
    assert second["why"] == f"shipped in v2.4.1; not told: {second['untold']}"
    assert (second["needs_person"], second["replies"]) == ("", [])
    issue = await played.get("/api/v1/issues/1")
    assert issue["waiting"] == 0, "nobody waits for it any more"


async def test_who_asked_in_two_threads_in_words_of_their_own_is_told_in_both(played: Circle) -> None:
    first, second = await two_loops(played, other_words=OTHER_WORDS)
    await join(played, first, second)
    await release(played)
    await played.rest()
    assert await spoken(played) == (1, 1)


async def test_a_thread_that_a_member_took_in_did_not_ask(played: Circle) -> None:
    first, second = await two_loops(played, other_words=OTHER_WORDS)
    async with played.river.db.begin() as session:
        post = await session.get(Post, second["posts"][0]["id"])
        assert post is not None
        post.came_by = "address"
    await join(played, first, second)
    await release(played)
    await played.rest()
    assert await spoken(played) == (1, 0)


async def test_strangers_with_the_same_words_are_each_told(played: Circle) -> None:
    await two_loops(played)
    await release(played)
    await played.rest()
    assert await spoken(played) == (1, 1)


async def test_joined_after_both_were_owed_only_the_first_is_said(played: Circle) -> None:
    first, second = await two_loops(played, settle_seconds=600)
    await release(played)
    await played.rest()
    assert [(await again(played, loop))["replies"][0]["state"] for loop in (first, second)] == ["scheduled"] * 2
    await join(played, first, second)
    played.clock.move(minutes=11)
    await played.rest()
    assert sum(await spoken(played)) == 1
    states = {(await again(played, loop))["state"] for loop in (first, second)}
    assert states == {"told", "shipped"}
    [silent] = [one for loop in (first, second) if (one := await again(played, loop))["state"] == "shipped"]
    assert silent["replies"][0]["state"] == "cancelled"
    assert "the same person was told" in silent["untold"]


async def test_joined_after_both_were_said_changes_nothing(played: Circle) -> None:
    first, second = await two_loops(played)
    await release(played)
    await played.rest()
    await join(played, first, second)
    await played.rest()
    assert await spoken(played) == (1, 1)
    assert {(await again(played, loop))["state"] for loop in (first, second)} == {"told"}


async def test_joined_between_the_two_the_second_waits_for_no_approval_any_more(played: Circle) -> None:
    first, second = await two_loops(played, mode="approve")
    await release(played)
    await played.rest()
    await played.post("/api/v1/replies/1/approve")
    await played.rest()
    assert (await again(played, second))["replies"][0]["state"] == "awaiting_approval"
    await join(played, first, second)
    await played.rest()
    assert (await again(played, second))["replies"][0]["state"] == "cancelled"
    await played.post("/api/v1/replies/2/approve", status=409)


async def test_while_one_waits_for_approval_the_other_is_not_offered_and_comes_when_that_is_cancelled(
    played: Circle,
) -> None:
    first, second = await two_loops(played, mode="approve")
    await join(played, first, second)
    await release(played)
    await played.rest()
    second = await again(played, second)
    assert (second["replies"], second["needs_person"]) == ([], "")
    assert second["untold"] == "the same person is being told on Rehearsal, in loop 1"
    await played.post("/api/v1/replies/1/cancel")
    await played.rest()
    second = await again(played, second)
    assert second["untold"] == ""
    await played.post(f"/api/v1/replies/{second['replies'][0]['id']}/approve")
    await played.rest()
    assert await spoken(played) == (0, 1)


async def test_parted_again_the_other_is_told_after_all(played: Circle) -> None:
    first, second = await two_loops(played)
    await join(played, first, second)
    await release(played)
    await played.rest()
    await played.call("DELETE", "/api/v1/customers/1/identities/2")
    await played.rest()
    assert await spoken(played) == (1, 1)
    assert (await again(played, second))["state"] == "told"


async def test_a_person_lets_it_be_said_all_the_same(played: Circle) -> None:
    first, second = await two_loops(played)
    await join(played, first, second)
    await release(played)
    await played.rest()
    told = await played.post(f"/api/v1/loops/{second['id']}/tell")
    assert told["untold"] == ""
    await played.rest()
    assert await spoken(played) == (1, 1)
    await played.post(f"/api/v1/loops/{second['id']}/tell", status=409)


async def test_what_was_taken_back_at_the_last_moment_can_be_tried_again_by_a_person(played: Circle) -> None:
    first, second = await two_loops(played, settle_seconds=600)
    await release(played)
    await played.rest()
    await join(played, first, second)
    played.clock.move(minutes=11)
    await played.rest()
    [silent] = [one for loop in (first, second) if (one := await again(played, loop))["state"] == "shipped"]
    await played.post(f"/api/v1/replies/{silent['replies'][0]['id']}/retry")
    await played.rest()
    assert await spoken(played) == (1, 1)


async def test_confirmed_in_one_thread_is_confirmed_for_the_other(played: Circle) -> None:
    first, second = await two_loops(played)
    await join(played, first, second)
    await release(played)
    await played.rest()
    await answer_on(played, SQUARE, "It works now, thank you!")
    first, second = await again(played, first), await again(played, second)
    assert (first["state"], second["state"], second["verification"]) == ("verified", "verified", "confirmed")
    assert second["why"] == "the same person says in loop 1 that it works"


async def test_another_fix_after_still_broken_is_news_again_and_said_once(played: Circle) -> None:
    first, second = await two_loops(played)
    await join(played, first, second)
    await release(played)
    await played.rest()
    await answer_on(played, SQUARE, "Still broken")

    await Board(played.stage, "main").reopen(1, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    await release(played, "v2.4.2")
    await played.rest()
    assert sum(await spoken(played)) == 2, "one person, told once of each of two fixes"


async def test_another_issue_of_the_same_person_is_other_news(played: Circle) -> None:
    await connect_both(played)
    first = await waits(played, await complain_on(played, SQUARE))
    second = await waits(played, await complain_on(played, FAIR, handle="ana.fair"), title="Another thing")
    await join(played, first, second)
    await release(played)
    await release(played, "v2.4.2", issue=2)
    await played.rest()
    assert await spoken(played) == (1, 1)


# --- Two workers at the same moment ------------------------------------------------------------------


@pytest.mark.postgres
async def test_two_workers_that_owe_at_the_same_moment_do_not_both_decide_to_tell(
    postgres_databases: PostgresDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.steps.owe.BATCH", 1)  # a loop for each worker
    for _ in range(6):
        url = postgres_databases.copy_of("schema", make_schema)
        async with circle(url, product="Acme") as played, circle(url, clock=played.clock) as other:
            know_the_fair(other)
            first, second = await two_loops(played, mode="approve")
            await join(played, first, second)
            await release_unowed(played)
            await asyncio.gather(owe_next(played.river), owe_next(other.river))
            states = [reply["state"] for reply in (await played.get("/api/v1/replies"))["items"]]
            assert states == ["awaiting_approval"]
            left = [one for loop in (first, second) if (one := await again(played, loop))["untold"]]
            assert [one["untold"].startswith("the same person is being told") for one in left] == [True]
        postgres_databases.drop(url)


async def release_unowed(played: Circle) -> None:
    """Both loops have shipped, and nobody has decided on either."""

    board = Board(played.stage, "main")
    played.clock.move(minutes=5)
    await board.close(1, outcome="completed", now=played.clock())
    played.clock.move(minutes=5)
    await board.release("v2.4.1", now=played.clock())
    await look_at(played.river, 1)
    async with played.river.db.read() as session:
        for number in (1, 2):
            loop = await session.get(Loop, number)
            assert loop is not None
            assert (loop.state, loop.owed) == ("shipped", False)


@pytest.mark.postgres
async def test_two_senders_at_their_last_word_at_the_same_moment_say_one(
    postgres_databases: PostgresDatabases,
) -> None:
    """Both replies were owed before anybody said that it is one person, and each has a sender of its own."""
    for _ in range(6):
        url = postgres_databases.copy_of("schema", make_schema)
        async with circle(url, product="Acme") as played, circle(url, clock=played.clock) as other:
            know_the_fair(other)
            first, second = await two_loops(played, settle_seconds=600)
            await release(played)
            await played.rest()
            await join(played, first, second)
            played.clock.move(minutes=11)
            for process in (played, other):
                process.river.read[1] = played.clock()  # the evidence was read just now, and keeps neither waiting
            await asyncio.gather(deliver.deliver_next(played.river), deliver.deliver_next(other.river))
            assert sum(await spoken(played)) == 1
            states = sorted(reply["state"] for reply in (await played.get("/api/v1/replies"))["items"])
            assert states == ["cancelled", "posted"]
        postgres_databases.drop(url)


async def test_two_senders_of_one_process_that_share_their_last_word_say_one(played: Circle) -> None:
    first, second = await two_loops(played, settle_seconds=600)
    await release(played)
    await played.rest()
    await join(played, first, second)
    played.clock.move(minutes=11)
    played.river.read[1] = played.clock()
    await asyncio.gather(deliver.deliver_next(played.river), deliver.deliver_next(played.river))
    assert sum(await spoken(played)) == 1


# --- Silence -----------------------------------------------------------------------------------------


async def test_stop_on_one_channel_silences_the_person_on_all_of_them(played: Circle) -> None:
    first, second = await two_loops(played)
    await join(played, first, second)
    await release(played)
    await played.rest()
    third = await waits(played, await complain_on(played, FAIR, "Import is slow", handle="ana.fair"), title="Import")
    await answer_on(played, SQUARE, "stop")
    day = f"{played.clock():%Y-%m-%d}"
    customer = await played.get("/api/v1/customers/1")
    assert customer["suppression"]["by"] == ""
    assert all(one["suppression"] for one in customer["identities"])
    await release(played, "v3.0.0", issue=2)
    await played.rest()
    third = await again(played, third)
    assert (third["state"], third["replies"], third["needs_person"]) == ("shipped", [], "")
    assert third["why"] == (
        "shipped in v3.0.0; not told: the customer asked not to be answered automatically "
        f"(asks to be left alone: 'stop', {day})"
    )
    assert third["customer"]["suppression"] is not None
    assert await spoken(played) == (1, 0)
    assert (await played.get("/api/v1/issues/2"))["waiting"] == 0
    assert all(loop["id"] != third["id"] for loop in (await played.get("/api/v1/loops?needs_person=true"))["items"])


async def test_what_waits_to_be_said_is_taken_back_when_the_customer_says_stop(played: Circle) -> None:
    await connect_both(played, mode="approve")
    first = await waits(played, await complain_on(played, SQUARE))
    await release(played)
    await played.rest()
    await played.post("/api/v1/replies/1/approve")
    await played.rest()
    second = await waits(played, await complain_on(played, SQUARE, "Import is slow"), title="Import")
    await release(played, "v3.0.0", issue=2)
    await played.rest()
    second = await again(played, second)
    reply = second["replies"][0]
    assert reply["state"] == "awaiting_approval"
    await answer_on(played, SQUARE, "please unsubscribe me")
    second = await again(played, second)
    assert (second["replies"][0]["state"], second["needs_person"]) == ("cancelled", "")
    assert "asked not to be answered" in second["untold"]
    for deed in ("approve", "retry"):
        problem = await played.post(f"/api/v1/replies/{reply['id']}/{deed}", status=409)
    assert "asked not to be answered" in problem["detail"]
    await played.post(f"/api/v1/loops/{second['id']}/tell", status=409)
    assert await spoken(played) == (1, 0)
    assert first


async def test_a_person_may_still_write_to_somebody_silent(played: Circle) -> None:
    first, _ = await two_loops(played)
    await played.post("/api/v1/customers/1/suppress", {"why": "asked by e-mail"})
    await played.post(f"/api/v1/loops/{first['id']}/replies", {"text": "As you asked: it is out."}, status=201)
    await played.rest()
    assert await spoken(played) == (1, 0)


async def test_a_member_says_why_in_words(played: Circle) -> None:
    problem = await played.post("/api/v1/customers/1/suppress", {"why": "   "}, status=422)
    assert problem["errors"][0]["pointer"] == "/why"


async def test_a_member_suppresses_and_lifts_and_what_shipped_meanwhile_waits_for_a_person(played: Circle) -> None:
    first, second = await two_loops(played)
    await played.post("/api/v1/customers/1/suppress", {"why": "asked by e-mail"})
    await release(played)
    await played.rest()
    first = await again(played, first)
    assert first["untold"].startswith("tests decided that the customer is not answered automatically (asked by e-mail")
    assert await spoken(played) == (0, 1)
    await played.post("/api/v1/customers/1/lift")
    await played.rest()
    first = await again(played, first)
    assert "tell them now" in first["needs_person"]
    assert await spoken(played) == (0, 1), "nothing is said by itself"
    await played.post(f"/api/v1/loops/{first['id']}/tell")
    await played.rest()
    assert await spoken(played) == (1, 1)
    assert (await again(played, first))["needs_person"] == ""
    await played.post("/api/v1/customers/1/lift", status=409)
    history = [one["what"] for one in (await played.get("/api/v1/customers/1"))["history"]]
    assert history == ["not answered any more", "answered again"]
    assert second


async def test_lifted_before_it_ships_the_customer_is_told_as_everybody(played: Circle) -> None:
    await two_loops(played)
    await played.post("/api/v1/customers/1/suppress", {"why": "by mistake"})
    await played.post("/api/v1/customers/1/lift")
    await release(played)
    await played.rest()
    assert await spoken(played) == (1, 1)


async def test_joined_to_somebody_silent_one_is_silent_and_parting_loses_no_wish(played: Circle) -> None:
    first, second = await two_loops(played)
    await played.post("/api/v1/customers/2/suppress", {"why": "asked by e-mail"})
    both = await join(played, first, second)
    assert both["suppression"] is not None
    await played.call("DELETE", "/api/v1/customers/1/identities/2")
    for number in (1, 2):
        assert (await played.get(f"/api/v1/customers/{number}"))["suppression"] is not None
    assert "as ana.fair on fair" in (await played.get("/api/v1/customers/1"))["suppression"]["why"]
    await release(played)
    await played.rest()
    assert await spoken(played) == (0, 0)


async def test_a_customers_own_wish_counts_before_a_members_and_not_the_other_way_round(played: Circle) -> None:
    await two_loops(played)
    await release(played)
    await played.rest()
    await played.post("/api/v1/customers/1/suppress", {"why": "a hunch"})
    await answer_on(played, SQUARE, "stop")
    assert (await played.get("/api/v1/customers/1"))["suppression"]["by"] == ""
    await played.post("/api/v1/customers/1/suppress", {"why": "a hunch"})
    assert (await played.get("/api/v1/customers/1"))["suppression"]["by"] == ""


async def test_a_wish_said_in_private_is_heard_and_not_quoted(played: Circle) -> None:
    await two_loops(played)
    await release(played)
    await played.rest()
    await answer_on(played, SQUARE, "stop", visibility="private")
    found = (await played.get("/api/v1/customers/1"))["suppression"]
    assert found["why"] == "in an answer that is not public"


async def test_a_loop_untold_because_its_post_is_gone_stays_so_when_somebody_is_joined(played: Circle) -> None:
    first, second = await two_loops(played)
    await place(played, SQUARE).delete(1)
    await release(played)
    await played.rest()
    first = await again(played, first)
    assert (first["state"], await spoken(played)) == ("shipped", (0, 1))
    await join(played, first, second)
    await played.rest()
    await played.call("DELETE", "/api/v1/customers/1/identities/2")
    await played.rest()
    parted = await again(played, first)
    assert (parted["untold"], parted["needs_person"]) == ("the customer's post is gone", "")


async def test_engineers_count_whom_they_still_make_wait(played: Circle) -> None:
    await two_loops(played)
    await played.post("/api/v1/customers/1/suppress", {"why": "asked by e-mail"})
    await played.rest()
    assert (await played.get("/api/v1/issues/1"))["waiting"] == 2, "a fix is waited for in silence too"
    await release(played)
    await played.rest()
    assert (await played.get("/api/v1/issues/1"))["waiting"] == 0


# --- A death in between ---------------------------------------------------------------------------------


async def test_a_process_that_dies_before_the_loops_have_followed_says_nothing(database_url: str) -> None:
    """The wish is written and the process ends: whoever goes on lets the loops follow, and the last word knows it anyway."""
    async with circle(database_url, product="Acme") as played:
        await two_loops(played, settle_seconds=600)
        await release(played)
        await played.rest()
        async with played.river.db.begin() as session:
            held = await rows.lock(session, {1})
            await customers.silence(session, held[1], why="stop", by="", at=played.clock())
        played.clock.move(minutes=11)
        while await deliver.deliver_next(played.river):
            pass
        assert await spoken(played) == (0, 1)
        assert await settle_next(played.river)
        assert not await settle_next(played.river)
        await played.rest()
        async with played.river.db.read() as session:
            reply = await session.get(Reply, 1)
            assert reply is not None
            assert reply.state == "cancelled"

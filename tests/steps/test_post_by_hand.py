"""A reply as a task: where no adapter can say it a person does, once, and whatever waits is neither lost nor doubled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.outside import Outside
from app.steps import deliver, owe, post_by_hand
from app.store.tables import Account
from tests.support import story
from tests.support.brand import Brand, brand, shipped
from tests.support.circle import Circle, circle
from tests.support.databases import Databases, SqliteDatabases
from tests.support.mastodon_network import TOKEN
from tests.support.rough_line import Died, Fate

TYPED = {
    "channel": "Reddit",
    "url": "https://www.reddit.com/r/acme/comments/1abcd/export_hangs/",
    "text": "Export hangs at 99 %",
    "author": "u/Ana",
}
POSTED = "https://www.reddit.com/r/acme/comments/1abcd/export_hangs/k2/"


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    """The rehearsal adapters, and a post from Reddit that somebody typed in and tagged."""
    async with circle(database_url, product="Acme") as made:
        await made.connect_rehearsal()
        post = await made.post("/api/v1/posts", TYPED, status=201)
        await story.tag(made, post)
        yield made


@pytest.fixture
async def owing(databases: Databases) -> AsyncIterator[Brand]:
    """Three customers on Mastodon whose fix has shipped; nothing has been said yet."""
    url = shipped(databases, customers=3)
    async with brand(url, customers=3, has_shipped=True, ignore_idempotency=True) as made:
        yield made
    databases.drop(url)


@pytest.fixture
async def one_owing(sqlite_databases: SqliteDatabases) -> AsyncIterator[Brand]:
    """One of them, on SQLite alone."""
    url = shipped(sqlite_databases)
    async with brand(url, has_shipped=True, ignore_idempotency=True) as made:
        yield made
    sqlite_databases.drop(url)


async def reply_of(played: Circle, number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = await played.get(f"/api/v1/replies/{number}")
    return found


async def task(played: Circle) -> dict[str, Any]:
    """The fix has shipped, and the reply is a task."""
    await story.ship(played)
    await played.rest()
    reply = await reply_of(played)
    assert reply["state"] == "held"
    assert reply["task"] is not None
    return reply


async def test_the_circle_closes_where_no_api_exists(played: Circle) -> None:
    reply = await task(played)
    assert (reply["why"], reply["task"]["taken_by"]) == ("to be posted by hand", None)
    assert reply["answers_url"] == TYPED["url"]
    assert "v2.4.1" in reply["text"]
    loop = await story.loop_of(played)
    assert (loop["state"], loop["needs_person"]) == ("shipped", "reply held: to be posted by hand")
    assert [r["id"] for r in (await played.get("/api/v1/replies", params={"task": True}))["items"]] == [1]

    triager = await played.token("triager")
    taken = await played.post("/api/v1/replies/1/take_over", headers=triager)
    assert (taken["task"]["taken_by"], taken["text"]) == ("a triager", reply["text"])
    done = await played.post("/api/v1/replies/1/posted", {"url": POSTED}, headers=triager)
    assert (done["state"], done["url"], done["task"], done["external_id"]) == ("posted", POSTED, None, None)
    assert "a triager" in done["why"]
    assert done["attempts"][-1]["outcome"] == "posted"

    loop = await story.loop_of(played)
    assert (loop["state"], loop["needs_person"]) == ("told", "")
    assert loop["clock"]["told"]
    assert [e["actor"] for e in loop["history"] if e["what"] == "reply posted"] == ["a triager"]
    assert (await played.get("/api/v1/replies", params={"task": True}))["items"] == []
    loop = await played.call("PATCH", "/api/v1/loops/1", {"state": "verified"})
    assert loop["state"] == "verified", "what the customer answered there is entered by a person"


async def test_still_broken_is_entered_by_a_person_and_the_next_round_is_a_task_again(played: Circle) -> None:
    await task(played)
    await played.post("/api/v1/replies/1/posted")
    await played.call("PATCH", "/api/v1/loops/1", {"state": "reopened"})
    await played.rest()
    assert (await story.loop_of(played))["state"] == "linked"
    await story.board(played).reopen(1, now=played.clock())
    await story.ship(played, "v2.4.2")
    await played.rest()
    reply = await reply_of(played, 2)
    assert reply["task"] is not None
    assert "v2.4.2" in reply["text"]


async def test_i_posted_it_counts_once_whoever_presses_it(played: Circle) -> None:
    await task(played)
    first = await played.post("/api/v1/replies/1/posted")
    again = await played.post("/api/v1/replies/1/posted", {"url": POSTED}, headers=await played.token("triager"))
    assert (again["posted_at"], again["why"], len(again["attempts"])) == (
        first["posted_at"],
        first["why"],
        len(first["attempts"]),
    )
    assert again["url"] == POSTED, "where it stands may be said later"
    history = (await story.loop_of(played))["history"]
    assert [e["what"] for e in history].count("told") == 1
    for deed in ("take_over", "not_posted", "cancel"):
        await played.post(f"/api/v1/replies/1/{deed}", status=409)


async def test_who_did_not_post_it_gives_it_back_and_somebody_else_takes_it(played: Circle) -> None:
    await task(played)
    await played.post("/api/v1/replies/1/not_posted", status=409)
    await played.post("/api/v1/replies/1/take_over", headers=await played.token("triager"))
    taken = await played.post("/api/v1/replies/1/take_over", headers=await played.token("approver"))
    assert taken["task"]["taken_by"] == "a approver"
    back = await played.post("/api/v1/replies/1/not_posted")
    assert (back["state"], back["task"]["taken_by"]) == ("held", None)
    await played.rest()
    assert (await reply_of(played))["task"]["taken_by"] is None, "no process touches it"


async def test_nothing_is_taken_over_that_is_not_true_any_more(played: Circle) -> None:
    await task(played)
    await played.post("/api/v1/issues/1/hold", {"why": "behind a flag"})
    reply = await reply_of(played)
    assert (reply["state"], reply["task"]) == ("held", None)
    assert "not for customers yet" in reply["why"]
    problem = await played.post("/api/v1/replies/1/take_over", status=409)
    assert "behind a flag" in problem["detail"]
    await played.post("/api/v1/issues/1/release")
    await played.rest()
    assert (await reply_of(played))["task"] is not None
    await played.call("PUT", "/api/v1/voice", {"on": False})
    problem = await played.post("/api/v1/replies/1/take_over", status=409)
    assert "voice" in problem["detail"]


async def test_a_withdrawn_task_is_cancelled_and_says_so_but_what_was_posted_meanwhile_is_believed(
    played: Circle,
) -> None:
    await task(played)
    await played.post("/api/v1/replies/1/take_over")
    played.clock.move(minutes=5)
    board = story.board(played)
    await board.reopen(1, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    reply = await reply_of(played)
    assert (reply["state"], reply["task"]) == ("cancelled", None)
    assert "not shipped any more" in reply["why"]
    await played.post("/api/v1/replies/1/take_over", status=409)

    done = await played.post("/api/v1/replies/1/posted")
    assert done["state"] == "posted"
    await played.rest()
    loop = await story.loop_of(played)
    assert loop["state"] == "told"
    assert "correction" in loop["needs_person"], "somebody decides on a correction"


async def test_what_was_told_at_a_place_without_an_adapter_keeps_no_other_reply_from_being_made(played: Circle) -> None:
    second = await played.post("/api/v1/posts", {**TYPED, "url": f"{TYPED['url']}2", "text": "Me again"}, status=201)
    await story.tag(played, second, ref="1")
    await story.complaints(played, 1)
    other = next(p for p in (await played.get("/api/v1/posts"))["items"] if p["channel"] == "rehearsal")
    await story.tag(played, other, ref="1")
    await story.ship(played)
    await played.rest()
    loops = (await played.get("/api/v1/loops"))["items"]
    assert sorted(loop["state"] for loop in loops) == ["shipped", "shipped", "told"]
    [untold] = [loop["untold"] for loop in loops if loop["untold"]]
    assert "on reddit" in untold


async def test_a_reply_nobody_took_cannot_be_called_posted(one_owing: Brand) -> None:
    played = one_owing.circle
    await owe.owe_next(played.river)
    problem = await played.post("/api/v1/replies/1/posted", status=409)
    assert "take it over first" in problem["detail"]
    await played.post("/api/v1/replies/1/take_over", headers=await played.token("triager"), status=409)
    assert (await reply_of(played))["state"] == "scheduled"


async def test_a_reply_taken_over_is_said_by_no_process(owing: Brand) -> None:
    played = owing.circle
    await owe.owe_next(played.river)
    taken = await played.post("/api/v1/replies/1/take_over")
    assert (taken["state"], taken["approved_by"]) == ("held", "tests")
    await owing.rest_for(3600)
    assert [len(owing.replies_to(customer)) for customer in owing.customers] == [0, 1, 1]
    await played.post("/api/v1/replies/1/posted")
    await owing.rest_for(3600)
    assert [len(owing.replies_to(customer)) for customer in owing.customers] == [0, 1, 1]
    assert (await owing.loop(1))["state"] == "told"


async def test_given_back_it_goes_out_by_itself_again(one_owing: Brand) -> None:
    played = one_owing.circle
    await owe.owe_next(played.river)
    await played.post("/api/v1/replies/1/take_over")
    assert (await played.post("/api/v1/replies/1/not_posted"))["state"] == "scheduled"
    await one_owing.rest()
    assert len(one_owing.replies_to(one_owing.customers[0])) == 1


async def test_after_an_unknown_outcome_it_is_taken_only_once_the_call_cannot_arrive_and_given_back_it_is_searched_for(
    one_owing: Brand,
) -> None:
    played = one_owing.circle
    one_owing.line.fates.append(Fate("late", 35))
    await owe.owe_next(played.river)
    await deliver.deliver_next(played.river)
    assert (await reply_of(played))["state"] == "unknown"
    problem = await played.post("/api/v1/replies/1/take_over", status=409)
    assert "still be on its way" in problem["detail"]
    one_owing.line.pass_time(21)
    await played.post("/api/v1/replies/1/take_over", status=409)
    one_owing.line.pass_time(20)
    taken = await played.post("/api/v1/replies/1/take_over")
    assert taken["task"]["may_be_there"]
    assert "look in the thread" in taken["why"]
    problem = await played.call("PATCH", "/api/v1/replies/1", {"text": "other words"}, status=409)
    assert "may be there already" in problem["detail"]
    await one_owing.rest_for(30)
    assert (await reply_of(played))["state"] == "held", "no process searches or says it while a person has it"
    back = await played.post("/api/v1/replies/1/not_posted")
    assert back["state"] == "unknown"
    await one_owing.rest_for(300)
    assert (await reply_of(played))["why"] == "found in the thread"
    assert len(one_owing.replies_to(one_owing.customers[0])) == 1


async def test_a_dead_channel_degrades_to_tasks_and_when_it_recovers_nothing_is_lost_or_doubled(owing: Brand) -> None:
    played = owing.circle
    owing.network.token(TOKEN, revoked=True)
    await owing.rest_for(600)
    assert not (await played.get("/api/v1/accounts/1"))["ok"]
    assert owing.network.ledger == []

    await played.call("PATCH", "/api/v1/accounts/1", {"mode": "by_hand"})
    await owing.rest_for(60)
    tasks = (await played.get("/api/v1/replies", params={"task": True}))["items"]
    assert sorted(one["id"] for one in tasks) == [1, 2, 3]
    for number in (1, 2):
        await played.post(f"/api/v1/replies/{number}/take_over")
    await played.post("/api/v1/replies/1/posted")

    owing.network.token(TOKEN)
    await played.call("PATCH", "/api/v1/accounts/1", {"mode": "automatic", "secrets": {"access_token": TOKEN}})
    await owing.rest_for(3600)
    assert [len(owing.replies_to(customer)) for customer in owing.customers] == [0, 0, 1], "the one nobody has in hand"
    await played.post("/api/v1/replies/2/posted")
    await owing.rest_for(24 * 3600)
    assert [len(owing.replies_to(customer)) for customer in owing.customers] == [0, 0, 1]
    assert [(await owing.loop(n))["state"] for n in (1, 2, 3)] == ["told"] * 3


async def test_where_the_adapter_is_gone_what_waits_becomes_tasks(
    owing: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = owing.circle
    await owe.owe_next(played.river)
    monkeypatch.setattr(Outside, "has_adapter", lambda _self, row: row.channel != "mastodon")
    await owing.rest_for(60)
    assert owing.network.ledger == []
    for number in (1, 2, 3):
        assert (await owing.reply(number))["task"] is not None
    await played.post("/api/v1/replies/1/posted")
    assert (await owing.loop(1))["state"] == "told"


async def test_where_its_settings_no_longer_fit_an_account_served_by_hand_still_has_its_replies_made(
    sqlite_databases: SqliteDatabases,
) -> None:
    url = shipped(sqlite_databases)
    async with brand(url, has_shipped=True) as made:
        played = made.circle
        await played.call("PATCH", "/api/v1/accounts/1", {"mode": "by_hand"})
        async with played.river.db.begin() as session:
            account = await session.get_one(Account, 1)
            account.settings, account.version = {}, account.version + 1
        await made.rest_for(60)
        reply = await made.reply()
        assert reply["task"] is not None
        assert "v2.4.1" in reply["text"]
    sqlite_databases.drop(url)


async def test_the_words_of_a_task_are_signed_anew_where_signing_is_asked_for(played: Circle) -> None:
    await task(played)
    account = (await played.get("/api/v1/posts/1"))["account_id"]
    await played.call("PATCH", f"/api/v1/accounts/{account}", {"mode": "approve"})
    edited = await played.call("PATCH", "/api/v1/replies/1", {"text": "My own words"})
    assert (edited["state"], edited["task"]) == ("awaiting_approval", None)
    await played.post("/api/v1/replies/1/posted", status=409)
    await played.post("/api/v1/replies/1/approve")
    await played.rest()
    reply = await reply_of(played)
    assert (reply["text"], reply["task"] is not None) == ("My own words", True)


async def test_what_somebody_is_posting_is_edited_by_nobody_else(played: Circle) -> None:
    await task(played)
    await played.post("/api/v1/replies/1/take_over", headers=await played.token("triager"))
    problem = await played.call("PATCH", "/api/v1/replies/1", {"text": "Other words"}, status=409)
    assert "a triager is posting it" in problem["detail"]


async def test_a_removed_accounts_tasks_can_still_be_posted(one_owing: Brand) -> None:
    played = one_owing.circle
    await played.call("PATCH", "/api/v1/accounts/1", {"mode": "by_hand"})
    await one_owing.rest_for(60)
    await played.call("DELETE", "/api/v1/accounts/1", status=204)
    assert (await reply_of(played))["task"] is not None
    await played.post("/api/v1/replies/1/take_over")
    await played.post("/api/v1/replies/1/posted")
    assert (await one_owing.loop())["state"] == "told"


async def test_what_somebody_has_in_hand_goes_out_by_no_process_even_when_its_text_is_made_anew(
    one_owing: Brand,
) -> None:
    played = one_owing.circle
    await owe.owe_next(played.river)
    await played.post("/api/v1/replies/1/take_over")
    await one_owing.board.delete_release(1, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    await one_owing.rest()
    assert (await reply_of(played))["state"] == "cancelled"
    await one_owing.board.release("v2.4.2", now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    await one_owing.rest_for(3600)
    reply = await reply_of(played)
    assert (reply["state"], reply["task"]["taken_by"]) == ("held", "tests")
    assert "has not said whether" in reply["why"]
    assert one_owing.network.ledger == []
    await played.post("/api/v1/replies/1/not_posted")
    await one_owing.rest()
    assert len(one_owing.replies_to(one_owing.customers[0])) == 1
    assert "v2.4.2" in (await reply_of(played))["text"]


@pytest.mark.parametrize("point", ["hand.evidence_read", "hand.taken", "hand.posted"])
async def test_a_process_that_dies_between_the_steps_of_a_person_leaves_one_reply(owing: Brand, point: str) -> None:
    played = owing.circle
    await owe.owe_next(played.river)
    if point == "hand.posted":
        await played.post("/api/v1/replies/1/take_over")

    def die(name: str) -> None:
        if name == point:
            raise Died

    played.river.point = die
    deed = (
        post_by_hand.record_posted(played.river, 1, actor="tests")
        if point == "hand.posted"
        else post_by_hand.take_over(played.river, 1, actor="tests", may_sign=True)
    )
    with pytest.raises(Died):
        await deed
    played.river.point = lambda _name: None
    await owing.rest_for(3600)
    expected = {"hand.evidence_read": ("posted", 1), "hand.taken": ("held", 0), "hand.posted": ("posted", 0)}[point]
    assert ((await owing.reply())["state"], len(owing.replies_to(owing.customers[0]))) == expected
    await played.post("/api/v1/replies/1/posted", status=200)
    assert (await owing.loop())["state"] == "told"

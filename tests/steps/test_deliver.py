"""Speaking in public, on a clock that is moved by hand: once, as the ledger of a Mastodon network tells.

Servers that ignore the Idempotency-Key are the harder case: there only looking protects from a second reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from app.rules.pace import Pace
from app.rules.permission import wait_after
from app.rules.wording import TemplateError
from app.staging import Fault
from app.steps import customers, deliver, link, owe
from app.steps.river import River
from tests.support.brand import Brand, brand, connect, ship, shipped
from tests.support.databases import Databases, SqliteDatabases
from tests.support.mastodon_network import TOKEN
from tests.support.rough_line import Died, Fate, How

KEYS = pytest.mark.parametrize("ignored", [False, True], ids=["honoured", "ignored"])

CALL, LEASE, BACKOFF = 10, 60, 30
"""Seconds, as the product has them where nobody sets anything."""


Opened = Callable[..., AbstractAsyncContextManager[Brand]]


@pytest.fixture
def opened(sqlite_databases: SqliteDatabases) -> Opened:
    """The same for as many customers and whatever server a test asks for, on SQLite alone."""

    @asynccontextmanager
    async def open_brand(*, customers: int = 1, ignored: bool = True) -> AsyncIterator[Brand]:
        url = shipped(sqlite_databases, customers=customers)
        async with brand(url, customers=customers, has_shipped=True, ignore_idempotency=ignored) as made:
            yield made
        sqlite_databases.drop(url)

    return open_brand


@pytest.fixture
async def owing(opened: Opened) -> AsyncIterator[Brand]:
    """One customer whose fix has shipped, at a server that ignores keys; nothing has been said yet."""
    async with opened() as made:
        yield made


@pytest.fixture
async def owing_anywhere(databases: Databases) -> AsyncIterator[Brand]:
    """The same on each kind of database, for what rests on locks and claims."""
    url = shipped(databases)
    async with brand(url, has_shipped=True, ignore_idempotency=True) as made:
        yield made
    databases.drop(url)


async def asleep(made: Brand) -> asyncio.Task[bool]:
    """A worker that delivers and is stopped by its fate on the line."""
    task = asyncio.create_task(deliver.deliver_next(made.circle.river))
    while not made.line.sleeping:
        assert not task.done(), task
        await asyncio.sleep(0)
    return task


def only(found: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(found) == 1, f"{len(found)} replies"
    return found[0]


async def die(river: River, job: Callable[[River], Awaitable[bool]] = deliver.deliver_next) -> None:
    with pytest.raises(Died):
        await job(river)


def dies_at(point: str) -> Callable[[str], None]:
    def die_there(name: str) -> None:
        if name == point:
            raise Died

    return die_there


def lives(_point: str) -> None:
    """Nothing happens."""


# --- The lost answer -------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["lost", "cut after", "error after", "truncated"])
async def test_a_reply_whose_answer_was_lost_is_found_in_the_thread_and_not_said_again(
    owing_anywhere: Brand, how: How
) -> None:
    owing = owing_anywhere
    owing.line.fates.append(Fate(how))
    await owing.rest()
    said = only(owing.replies_to(owing.customers[0]))
    reply = await owing.reply()
    assert (reply["state"], reply["external_id"], reply["why"]) == ("posted", said["id"], "found in the thread")
    assert (await owing.loop())["state"] == "told"
    await owing.rest_for(3 * 3600)
    only(owing.replies_to(owing.customers[0]))


async def test_an_account_is_given_no_more_at_once_than_its_server_answers_quickly(owing: Brand) -> None:
    account_id = 1
    paces = owing.circle.river.paces
    paces[account_id] = Pace(room=4, under_way=4)
    assert not await deliver.deliver_next(owing.circle.river)
    paces[account_id].under_way = 3
    assert await deliver.deliver_next(owing.circle.river)
    only(owing.replies_to(owing.customers[0]))
    assert paces[account_id] == Pace(room=5, under_way=3)


async def test_a_call_that_never_arrived_is_made_again_after_two_looks_far_apart(owing: Brand) -> None:
    owing.line.fates += [Fate("never"), Fate("refused", status=503)]
    await deliver.deliver_next(owing.circle.river)
    gave_up = owing.line.monotonic()
    await owing.rest_for(2 * CALL - 1)
    assert (await owing.reply())["state"] == "unknown"
    assert "still be on its way" in (await owing.reply())["why"]
    await owing.rest_for(2 * CALL)
    assert (await owing.reply())["state"] == "unknown"
    assert "one more look" in (await owing.reply())["why"]
    assert owing.line.sent == 1
    await owing.rest_for(2)
    assert owing.line.sent == 2
    assert owing.line.monotonic() - gave_up >= 4 * CALL
    await owing.rest_for(BACKOFF * 4)
    only(owing.replies_to(owing.customers[0]))


async def test_an_answered_error_is_waited_for_like_a_time_out(owing: Brand) -> None:
    owing.line.fates.append(Fate("refused", status=500))
    await owing.rest()
    assert (await owing.reply())["state"] == "unknown"
    await owing.rest_for(4 * CALL - 1)
    assert owing.line.sent == 1
    await owing.rest_for(2)
    assert owing.line.sent == 2
    only(owing.replies_to(owing.customers[0]))
    assert (await owing.loop())["state"] == "told"


@KEYS
@pytest.mark.parametrize("seconds", [9.9, 20, 29.9, 30.1, 35, 49.9])
async def test_a_server_that_accepts_long_after_we_gave_up_says_it_once(
    opened: Opened, ignored: bool, seconds: float
) -> None:
    async with opened(ignored=ignored) as made:
        made.line.fates.append(Fate("late", seconds))
        await made.rest_for(300)
        only(made.replies_to(made.customers[0]))
        assert (await made.loop())["state"] == "told"


async def test_where_the_key_is_honoured_even_half_an_hour_is_not_too_late(opened: Opened) -> None:
    async with opened(ignored=False) as made:
        made.line.fates.append(Fate("late", 1800))
        await made.rest_for(3600)
        only(made.replies_to(made.customers[0]))


@pytest.mark.parametrize("status", [500, 502])
async def test_a_server_that_answers_an_error_and_still_goes_on_is_waited_for(owing: Brand, status: int) -> None:
    owing.line.fates.append(Fate("error, then late", 38, status=status))
    await owing.rest_for(300)
    only(owing.replies_to(owing.customers[0]))


async def test_a_look_that_may_have_missed_replies_proves_no_absence(
    owing: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.channels.mastodon.CONTEXT_LIMIT", 1)
    owing.network.mention("ben@other.example", "Same here", in_reply_to_id=owing.customers[0].id)
    owing.line.fates.append(Fate("late", 4000))
    await owing.rest_for(3900)
    reply = await owing.reply()
    assert (reply["state"], owing.line.sent) == ("unknown", 1)
    assert "whole thread" in reply["why"]
    await owing.rest_for(900)
    assert (await owing.reply())["state"] == "posted"
    only(owing.replies_to(owing.customers[0]))


async def test_a_look_shows_what_was_there_when_it_began(owing: Brand) -> None:
    """A person presses 'retry' while the network answers slowly: what a look tells is as old as its question."""
    owing.line.fates.append(Fate("late", 49))
    await deliver.deliver_next(owing.circle.river)  # gives up after 10 s
    for wait in (12, 14):
        owing.line.pass_time(wait)
        owing.line.reads += [Fate("answered"), Fate("late", 9)]
        await owing.circle.call("POST", "/api/v1/replies/1/retry", status=409)
    assert (await owing.reply())["state"] == "unknown", "the second look began before it could prove anything"
    await owing.rest_for(300)
    only(owing.replies_to(owing.customers[0]))


async def test_a_thread_that_cannot_be_read_any_more_is_never_spoken_into_again(owing: Brand) -> None:
    owing.line.fates.append(Fate("never"))
    await deliver.deliver_next(owing.circle.river)
    owing.network.delete(owing.customers[0].id)
    await owing.rest_for(600)
    assert (await owing.reply())["state"] == "refused"
    assert "gone" in (await owing.loop())["needs_person"]
    assert owing.line.sent == 1


async def test_while_the_thread_cannot_be_read_nothing_is_concluded_and_after_seven_days_a_person_decides(
    owing: Brand,
) -> None:
    owing.line.fates.append(Fate("never"))
    await deliver.deliver_next(owing.circle.river)
    for days in (0, 1, 5, 2):
        assert (await owing.reply())["state"] == "unknown"
        owing.line.reads.append(Fate("refused", status=500))
        owing.line.pass_time(timedelta(days=days, seconds=1).total_seconds())
        await deliver.look_for_next(owing.circle.river)
    reply = await owing.reply()
    assert (reply["state"], owing.line.sent) == ("held", 1)
    assert "nobody can tell" in reply["why"]
    assert "nobody can tell" in (await owing.loop())["needs_person"], "somebody is asked"


# --- Processes that die, sleep and wake --------------------------------------------------------------


@KEYS
@pytest.mark.parametrize(
    "point",
    [
        "deliver.claimed",
        "deliver.evidence_read",
        "deliver.thread_read",
        "deliver.before_call",
        "deliver.call_failed",
        "deliver.called",
        "deliver.recorded",
    ],
)
async def test_a_sender_that_dies_at_any_moment_leaves_one_reply_in_the_end(
    opened: Opened, ignored: bool, point: str
) -> None:
    async with opened(ignored=ignored) as made:
        if point == "deliver.call_failed":
            made.line.fates.append(Fate("lost"))
        made.circle.river.point = dies_at(point)
        await owe.owe_next(made.circle.river)
        began = made.line.monotonic()
        await die(made.circle.river)
        made.circle.river.point = lives
        await made.rest_for(LEASE - 1 - (made.line.monotonic() - began))
        state = (await made.reply())["state"]
        assert state == ("posted" if point == "deliver.recorded" else "sending"), "nobody touches it within its lease"
        await made.rest_for(300)
        only(made.replies_to(made.customers[0]))
        assert (await made.loop())["state"] == "told"


@KEYS
@pytest.mark.parametrize(
    "fate",
    [Fate("dies before"), Fate("dies after"), *(Fate("dies, then late", s) for s in (1, 61, 99))],
    ids=str,
)
async def test_a_sender_that_dies_during_the_call_leaves_one_reply_in_the_end(
    opened: Opened, ignored: bool, fate: Fate
) -> None:
    async with opened(ignored=ignored) as made:
        made.line.fates.append(fate)
        await owe.owe_next(made.circle.river)
        await die(made.circle.river)
        await made.rest_for(600)
        only(made.replies_to(made.customers[0]))
        assert (await made.loop())["state"] == "told"


async def test_one_that_died_before_the_last_word_is_tried_again_without_a_search(owing: Brand) -> None:
    owing.circle.river.point = dies_at("deliver.claimed")
    await die(owing.circle.river)
    owing.circle.river.point = lives
    owing.line.pass_time(LEASE + 1)
    await deliver.take_over_next(owing.circle.river)
    assert (await owing.reply())["state"] == "scheduled"


async def test_a_reply_that_kills_every_sender_is_tried_less_and_less_often(owing: Brand) -> None:
    """Whatever it is in this one reply: the others are not kept waiting for it."""
    owing.circle.river.point = dies_at("deliver.claimed")
    deaths = []
    while len(deaths) < 9:
        try:
            while await deliver.deliver_next(owing.circle.river) or await deliver.take_over_next(owing.circle.river):
                pass
            owing.line.pass_time(await owing.until_something_is_due())
        except Died:
            deaths.append(owing.line.monotonic())
    waits = [later - earlier - LEASE for earlier, later in pairwise(deaths)]
    assert waits == pytest.approx([30, 60, 120, 240, 480, 960, 1920, 3600], abs=1)


async def test_a_sleeper_whose_claim_was_taken_over_says_nothing_when_it_wakes(owing_anywhere: Brand) -> None:
    owing = owing_anywhere
    owing.line.fates.append(Fate("sleeps before"))
    sleeper = await asleep(owing)
    await owing.rest_for(LEASE + 4 * CALL + 2 * BACKOFF)
    only(owing.replies_to(owing.customers[0]))
    sent = owing.line.sent
    owing.line.wake()
    await sleeper
    assert owing.line.sent == sent, "no byte left"
    only(owing.replies_to(owing.customers[0]))
    assert (await owing.reply())["state"] == "posted"


@pytest.mark.parametrize("seconds", [LEASE / 2, LEASE + 1, LEASE + 25, LEASE + 45])
async def test_a_sleeper_that_wakes_after_its_deadline_says_nothing_though_nobody_took_its_claim(
    owing: Brand, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.steps.deliver.LAST_WORD_HOLDS", 1e9)  # the deadline alone
    owing.line.fates.append(Fate("sleeps before"))
    sleeper = await asleep(owing)
    owing.line.pass_time(seconds)
    owing.line.wake()
    await sleeper
    assert owing.line.sent == 0
    await owing.rest_for(200)
    only(owing.replies_to(owing.customers[0]))


@pytest.mark.parametrize("seconds", [LEASE - 1, LEASE + 1, LEASE + 25, LEASE + 100])
async def test_a_sleeper_that_wakes_with_the_answer_in_its_hands_changes_nothing(
    owing_anywhere: Brand, seconds: float
) -> None:
    owing = owing_anywhere
    owing.line.fates.append(Fate("sleeps after"))
    sleeper = await asleep(owing)
    await owing.rest_for(seconds)
    owing.line.wake()
    await sleeper
    await owing.rest_for(120)
    only(owing.replies_to(owing.customers[0]))
    assert (await owing.loop())["state"] == "told"


# --- What may still stop it --------------------------------------------------------------------------


async def test_the_switch_thrown_between_claim_and_call_stops_the_call(owing_anywhere: Brand) -> None:
    owing = owing_anywhere
    owing.line.reads.append(Fate("sleeps before"))
    sender = await asleep(owing)
    await owing.circle.call("PUT", "/api/v1/voice", {"on": False})
    owing.line.wake()
    await sender
    await owing.rest_for(60)
    assert owing.line.sent == 0
    assert (await owing.reply())["why"] == "the public voice is switched off"
    await owing.circle.call("PUT", "/api/v1/voice", {"on": True})
    await owing.rest()
    only(owing.replies_to(owing.customers[0]))


async def test_the_switch_stops_a_call_that_waits_for_its_line(owing: Brand) -> None:
    owing.line.fates.append(Fate("sleeps before"))
    sender = await asleep(owing)
    await owing.circle.call("PUT", "/api/v1/voice", {"on": False})
    owing.line.pass_time(1)
    owing.line.wake()
    await sender
    assert owing.line.sent == 0, "a second after the switch no byte leaves any more"
    await owing.circle.call("PUT", "/api/v1/voice", {"on": True})
    await owing.rest()
    only(owing.replies_to(owing.customers[0]))


async def test_evidence_that_changes_between_claim_and_call_makes_the_text_anew(owing_anywhere: Brand) -> None:
    owing = owing_anywhere
    owing.line.reads.append(Fate("sleeps before"))
    sender = await asleep(owing)
    await owing.board.delete_release(1, now=owing.circle.clock())
    await owing.board.release("v2.4.2", now=owing.circle.clock())
    await owing.circle.post("/api/v1/trackers/1/pull")
    owing.line.wake()
    await sender
    assert (await owing.reply())["state"] == "cancelled"
    await owing.rest()
    assert "v2.4.2" in only(owing.replies_to(owing.customers[0]))["text"]


async def test_evidence_that_goes_between_claim_and_call_keeps_it_unsaid(owing: Brand) -> None:
    owing.line.reads.append(Fate("sleeps before"))
    sender = await asleep(owing)
    await owing.board.delete_release(1, now=owing.circle.clock())
    await owing.circle.post("/api/v1/trackers/1/pull")
    owing.line.wake()
    await sender
    await owing.rest_for(600)
    assert owing.line.sent == 0
    assert (await owing.loop())["state"] == "fixed"
    await owing.board.release("v2.4.3", now=owing.circle.clock())
    await owing.circle.post("/api/v1/trackers/1/pull")
    await owing.rest()
    assert "v2.4.3" in only(owing.replies_to(owing.customers[0]))["text"]


@pytest.mark.parametrize("asks_by", ["an answer", "a member"])
async def test_a_wish_for_silence_between_claim_and_call_stops_the_call(owing_anywhere: Brand, asks_by: str) -> None:
    owing = owing_anywhere
    owing.line.reads.append(Fate("sleeps before"))
    sender = await asleep(owing)
    await ask_for_silence(owing, asks_by)
    owing.line.wake()
    await sender
    await owing.rest_for(3 * 3600)
    assert (owing.line.sent, (await owing.reply())["state"]) == (0, "cancelled")
    loop = await owing.loop()
    assert (loop["state"], loop["needs_person"]) == ("shipped", "")
    assert "not told" in loop["why"]


async def test_a_wish_for_silence_stops_a_call_that_waits_for_its_line(owing: Brand) -> None:
    owing.line.fates.append(Fate("sleeps before"))
    sender = await asleep(owing)
    await ask_for_silence(owing, "a member")
    owing.line.pass_time(1)
    owing.line.wake()
    await sender
    await owing.rest_for(3600)
    assert owing.line.sent == 0


@pytest.mark.parametrize("point", ["deliver.claimed", "deliver.evidence_read", "deliver.thread_read"])
async def test_a_wish_for_silence_after_a_death_before_the_call_is_kept(owing_anywhere: Brand, point: str) -> None:
    owing = owing_anywhere
    owing.circle.river.point = dies_at(point)
    await die(owing.circle.river)
    owing.circle.river.point = lives
    await ask_for_silence(owing, "an answer")
    await owing.rest_for(3 * 3600)
    assert (owing.line.sent, (await owing.reply())["state"]) == (0, "cancelled")


async def test_a_wish_for_silence_after_the_words_are_out_leaves_what_was_said(owing: Brand) -> None:
    """The process died with the answer in its hands: it is found in the thread, and nothing more is said."""
    owing.circle.river.point = dies_at("deliver.called")
    await die(owing.circle.river)
    owing.circle.river.point = lives
    await ask_for_silence(owing, "a member")
    await owing.rest_for(3 * 3600)
    only(owing.replies_to(owing.customers[0]))
    assert ((await owing.reply())["state"], (await owing.loop())["state"]) == ("posted", "told")


async def ask_for_silence(made: Brand, by: str) -> None:
    """As a member decides it; or as it is written down once the customer's 'stop' is heard, before anything follows."""
    if by == "a member":
        await made.circle.post("/api/v1/customers/1/suppress", {"why": "asked by e-mail"})
        return
    async with made.circle.river.db.begin() as session:
        customer = await customers.lock_customer_of(session, 1)
        await customers.silence(session, customer, why="'stop'", by="", at=made.circle.clock())


async def test_an_issue_held_between_claim_and_call_holds_the_reply(owing: Brand) -> None:
    owing.line.reads.append(Fate("sleeps before"))
    sender = await asleep(owing)
    await owing.circle.post("/api/v1/issues/1/hold", {"why": "5 % rollout"})
    owing.line.wake()
    await sender
    await owing.rest_for(60)
    assert ((await owing.reply())["state"], owing.line.sent) == ("held", 0)
    await owing.circle.post("/api/v1/issues/1/release")
    await owing.rest()
    only(owing.replies_to(owing.customers[0]))


async def test_a_persons_answer_after_the_reply_was_owed_holds_it_also_when_an_attempt_failed_before(
    owing: Brand,
) -> None:
    owing.line.fates.append(Fate("refused", status=503))
    await owing.rest()
    owing.line.pass_time(5)
    owing.say_by_hand("We fixed it, please update!", owing.customers[0])
    await owing.rest_for(600)
    assert (await owing.reply())["state"] == "held"
    assert "by hand" in (await owing.loop())["needs_person"]
    only(owing.replies_to(owing.customers[0]))


async def test_a_persons_answer_beside_a_lost_reply_does_not_hide_it(owing: Brand) -> None:
    owing.line.fates.append(Fate("late", 15))
    await deliver.deliver_next(owing.circle.river)
    owing.say_by_hand("A colleague looks into it as well.", owing.customers[0])
    await owing.rest_for(600)
    assert (await owing.reply())["state"] == "posted"
    assert len(owing.replies_to(owing.customers[0])) == 2


async def test_a_persons_answer_before_the_text_was_made_anew_holds_the_new_text_too(database_url: str) -> None:
    async with brand(database_url, ignore_idempotency=True) as made:
        await connect(made, settle_seconds=1800)
        await ship(made)
        made.line.pass_time(300)
        made.say_by_hand("It is in v2.4.1, please update!", made.customers[0])
        made.line.pass_time(300)
        await made.board.delete_release(1, now=made.circle.clock())
        await made.board.release("v2.4.2", now=made.circle.clock())
        await made.circle.post("/api/v1/trackers/1/pull")
        await made.rest_for(3600)
        only(made.replies_to(made.customers[0]))
        assert (await made.reply())["state"] == "held"


# --- Several senders of one process ------------------------------------------------------------------


@pytest.fixture
async def crowd(databases: Databases) -> AsyncIterator[Brand]:
    """Three customers whose fix has shipped."""
    url = shipped(databases, customers=3)
    async with brand(url, customers=3, has_shipped=True, ignore_idempotency=True) as made:
        yield made
    databases.drop(url)


async def sending(made: Brand, senders: int) -> list[bool]:
    return await asyncio.gather(*(deliver.deliver_next(made.circle.river) for _ in range(senders)))


async def test_senders_of_one_process_share_each_stroke(crowd: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    await owe.owe_next(crowd.circle.river)
    await crowd.circle.post("/api/v1/trackers/1/pull")  # the evidence is fresh: nobody has to look at it again
    db, begun = crowd.circle.river.db, []
    really_begin = db.begin

    def begin() -> Any:
        begun.append(1)
        return really_begin()

    monkeypatch.setattr(db, "begin", begin)
    assert await sending(crowd, 4) == [True, True, True, False]
    assert [len(crowd.replies_to(customer)) for customer in crowd.customers] == [1, 1, 1]
    assert 3 <= len(begun) <= 5, "one claim; the last words and the records of whoever came while another's was written"


async def test_of_two_replies_under_one_post_only_one_is_said_at_a_time(crowd: Brand) -> None:
    await owe.owe_next(crowd.circle.river)
    more = {"text": "And here is how to update: https://acme.example/update"}
    await crowd.circle.post("/api/v1/loops/1/replies", more, status=201)
    crowd.line.pass_time(1)
    crowd.line.fates.append(Fate("cut after"))
    assert (await sending(crowd, 5)).count(True) == 3
    states = {reply["id"]: reply["state"] for reply in (await crowd.circle.get("/api/v1/replies"))["items"]}
    assert sorted(states.values()) == ["posted", "posted", "scheduled", "unknown"]
    await crowd.rest_for(3600)
    assert [len(crowd.replies_to(customer)) for customer in crowd.customers] == [2, 1, 1]


async def test_what_one_reply_cannot_have_written_down_keeps_no_other_from_it(
    crowd: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await owe.owe_next(crowd.circle.river)
    really_write = deliver.write_posted

    def write(river: River, session: Any, row: Any, **how: Any) -> None:
        if row.id == 1:
            raise LookupError("this one breaks")
        really_write(river, session, row, **how)

    with monkeypatch.context() as broken:
        broken.setattr(deliver, "write_posted", write)
        ends = await asyncio.gather(
            *(deliver.deliver_next(crowd.circle.river) for _ in range(3)), return_exceptions=True
        )
    assert sorted(type(end).__name__ for end in ends) == ["LookupError", "bool", "bool"]
    states = {reply["id"]: reply["state"] for reply in (await crowd.circle.get("/api/v1/replies"))["items"]}
    assert states == {1: "sending", 2: "posted", 3: "posted"}
    await crowd.rest_for(3600)
    assert (await crowd.reply(1))["why"] == "found in the thread"
    assert [len(crowd.replies_to(customer)) for customer in crowd.customers] == [1, 1, 1]


# --- Trying again, and giving up -----------------------------------------------------------------------


async def test_waits_double_from_the_backoff_to_one_hour_and_after_seven_days_a_person_decides(owing: Brand) -> None:
    owing.line.fates += [Fate("unreachable")] * 400
    await owing.rest()
    waits = []
    river = owing.circle.river
    for _ in range(9):
        due_at = datetime.fromisoformat((await owing.reply())["due_at"])
        waits.append((due_at - river.now()).total_seconds())
        owing.line.pass_time(waits[-1])
        await deliver.deliver_next(river)
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    owing.line.pass_time(timedelta(days=7).total_seconds() - sum(waits) - 60)
    await deliver.deliver_next(river)
    assert (await owing.reply())["state"] == "scheduled"
    owing.line.pass_time(3600)
    await deliver.deliver_next(river)
    assert (await owing.reply())["state"] == "held"
    assert "seven days" in (await owing.loop())["needs_person"], "a person is asked"
    owing.line.fates.clear()
    await owing.circle.post("/api/v1/replies/1/retry")
    await owing.rest()
    only(owing.replies_to(owing.customers[0]))


def test_no_wait_is_longer_than_an_hour_however_many_failures() -> None:
    assert wait_after(10**6, first=timedelta(seconds=30)) == timedelta(hours=1)


async def test_a_refused_token_stops_the_account_and_a_new_one_lets_what_waited_go(opened: Opened) -> None:
    async with opened(customers=3) as made:
        made.network.token(TOKEN, revoked=True)
        await made.rest_for(1800)
        health = await made.circle.get("/api/v1/accounts/1/health")
        assert not health["ok"]
        assert "access token" in health["why"]
        replies = (await made.circle.get("/api/v1/replies"))["items"]
        assert {reply["state"] for reply in replies} == {"scheduled"}
        assert made.network.ledger == []
        made.network.token("a-new-token")
        await made.circle.call("PATCH", "/api/v1/accounts/1", {"secrets": {"access_token": "a-new-token"}})
        await made.rest()
        for customer in made.customers:
            only(made.replies_to(customer))


async def test_a_refusal_earned_by_the_old_token_does_not_mark_the_new_one(owing_anywhere: Brand) -> None:
    owing = owing_anywhere
    owing.line.fates.append(Fate("sleeps before"))
    sender = await asleep(owing)
    owing.network.token(TOKEN, revoked=True)
    owing.network.token("a-new-token")
    await owing.circle.call("PATCH", "/api/v1/accounts/1", {"secrets": {"access_token": "a-new-token"}})
    owing.line.wake()
    await sender
    assert owing.line.sent == 1
    account = await owing.circle.get("/api/v1/accounts/1")
    assert account["ok"], account["why"]
    await owing.rest()
    only(owing.replies_to(owing.customers[0]))


async def test_a_network_that_asks_for_silence_gets_it_from_every_reply_of_the_account(opened: Opened) -> None:
    async with opened(customers=5) as made:
        made.line.fates.append(Fate("limited", 120))
        await made.rest_for(119)
        assert (made.line.sent, len(made.network.ledger)) == (1, 0)
        await made.rest_for(60)
        for customer in made.customers:
            only(made.replies_to(customer))


async def test_a_network_that_asks_for_silence_without_saying_how_long_gets_the_backoff(owing: Brand) -> None:
    owing.line.fates.append(Fate("limited"))
    await owing.rest_for(BACKOFF - 1)
    assert owing.line.sent == 1
    await owing.rest_for(2)
    only(owing.replies_to(owing.customers[0]))


async def test_a_token_that_reads_and_may_not_write_is_ill_until_it_is_mended(opened: Opened) -> None:
    async with opened() as made:
        made.network.token(TOKEN, scopes=("read", "profile"))
        for _ in range(6):
            await made.rest_for(600)
            await made.circle.post("/api/v1/accounts/1/pull")
        account = await made.circle.get("/api/v1/accounts/1")
        assert not account["ok"], "reading well does not make it speak"
        assert made.network.ledger == []
        assert made.line.sent == 1, "it is not asked again with every poll"
        made.network.token(TOKEN)
        await made.circle.call("PATCH", "/api/v1/accounts/1", {"secrets": {"access_token": TOKEN}})
        await made.rest()
        only(made.replies_to(made.customers[0]))


# --- Beside other replies and rows -----------------------------------------------------------------------


async def test_a_reply_waits_while_another_under_the_same_post_may_be_out(owing_anywhere: Brand) -> None:
    """A person's word whose answer was lost must not look like a stranger's to the reply that comes next."""
    owing = owing_anywhere
    body = {"text": "We have it!", "kind": "progress"}
    written = await owing.circle.post("/api/v1/loops/1/replies", body, status=201)
    owing.line.fates += [Fate("lost"), Fate("answered")]
    await owing.rest_for(120)
    assert (await owing.reply(written["id"]))["state"] == "posted"
    assert (await owing.reply(1))["state"] == "posted"
    assert len(owing.replies_to(owing.customers[0])) == 2


async def test_an_account_removed_with_replies_owed_leaves_the_river_at_rest_and_a_person_asked(owing: Brand) -> None:
    await owing.circle.call("DELETE", "/api/v1/accounts/1", status=204)
    await owing.board.delete_release(1, now=owing.circle.clock())
    await owing.circle.post("/api/v1/trackers/1/pull")
    await owing.rest_for(60)
    await owing.board.release("v2.4.2", now=owing.circle.clock())
    await owing.circle.post("/api/v1/trackers/1/pull")
    await owing.rest_for(60)
    assert "account was removed" in (await owing.loop())["needs_person"]
    assert owing.network.ledger == []


async def test_an_account_removed_while_a_reply_is_unknown_leaves_it_to_a_person(owing_anywhere: Brand) -> None:
    owing = owing_anywhere
    owing.line.fates.append(Fate("never"))
    await deliver.deliver_next(owing.circle.river)
    await owing.circle.call("DELETE", "/api/v1/accounts/1", status=204)
    await owing.rest_for(600)
    assert (await owing.reply())["state"] == "held"
    assert "account was removed" in (await owing.loop())["needs_person"]


async def test_a_reply_that_cannot_be_made_keeps_no_other_from_being_made(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with brand(database_url, customers=3, ignore_idempotency=True) as made:
        await connect(made)
        real = owe.fit_to_channel

        def fit(channel: Any, body: str, **given: Any) -> owe.Frozen:
            if given["post"].id == 1:
                raise TemplateError("nothing is left of the text")
            return real(channel, body, **given)

        monkeypatch.setattr(owe, "fit_to_channel", fit)
        await ship(made)
        await made.rest()
        assert [len(made.replies_to(customer)) for customer in made.customers] == [0, 1, 1]
        assert "nothing is left of the text" in (await made.loop(1))["needs_person"]


async def test_an_issue_whose_making_was_lost_and_that_somebody_linked_meanwhile_is_one_issue(owing: Brand) -> None:
    post = owing.network.mention("zoe@other.example", "Import fails")
    owing.line.pass_time(10)
    await owing.circle.post("/api/v1/accounts/1/pull")
    [found] = (await owing.circle.get("/api/v1/posts?state=new"))["items"]
    await owing.board.faults.add(Fault(call="create", kind="unknown", in_flight=True, accepted=True, times=1))
    body = {"post_id": found["id"], "issue": {"tracker_id": 1, "title": "Import fails"}}
    loop = await owing.circle.post("/api/v1/loops", body, status=202)
    assert loop["issue"]["state"] == "creating"
    await link.find_issue(owing.circle.river, tracker_id=1, ref="#2")
    await owing.rest_for(300)
    loop = await owing.loop(loop["id"])
    assert (loop["issue"]["ref"], loop["state"]) == ("#2", "linked")
    assert len(await owing.board.issues.all()) == 2
    await owing.board.close(2, outcome="completed", now=owing.circle.clock())
    owing.line.pass_time(60)
    await owing.board.release("v3", now=owing.circle.clock())
    await owing.circle.post("/api/v1/trackers/1/pull")
    await owing.rest()
    only(owing.replies_to(post))


async def test_a_loop_reopened_on_an_issue_that_is_gone_goes_to_a_person(owing: Brand) -> None:
    await owing.rest()
    said = only(owing.replies_to(owing.customers[0]))
    owing.line.pass_time(600)
    owing.network.mention("customer0@other.example", "It is still broken.", in_reply_to_id=said["id"])
    await owing.board.delete_issue(1, now=owing.circle.clock())
    await owing.circle.post("/api/v1/trackers/1/pull")
    await owing.circle.post("/api/v1/accounts/1/pull")
    await owing.rest_for(300)
    loop = await owing.loop()
    assert loop["state"] == "linked"
    assert loop["needs_person"]


async def test_what_was_said_while_its_issue_was_declined_asks_a_person(owing: Brand) -> None:
    owing.line.fates.append(Fate("late", 25))
    await deliver.deliver_next(owing.circle.river)
    await owing.board.reopen(1, now=owing.circle.clock())
    await owing.board.close(1, outcome="not_planned", now=owing.circle.clock())
    await owing.circle.post("/api/v1/trackers/1/pull")
    await owing.rest_for(300)
    loop = await owing.loop()
    assert (await owing.reply())["state"] == "posted"
    assert "was told" in loop["needs_person"]

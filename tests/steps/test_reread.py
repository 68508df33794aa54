"""Posts that change or vanish after they were taken in: noticed before speaking and within a day, and their words let go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.rules import rereading
from app.staging import Fault, Square, StagedPost
from app.steps import reread
from app.steps.hear_answer import still_broken_text
from app.store.deliveries import Call, keep
from app.store.tables import Account, Delivery, Notice, Post
from tests.support import story
from tests.support.circle import Circle, circle
from tests.support.moments import REREADING
from tests.support.story import board, complain, loop_of, said, ship, square, tagged, told

WORDS = "Complaint number 0: the export hangs"
"""What `story.tagged` has its customer say."""


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url, product="Acme") as made:
        yield made


async def edit(played: Circle, number: int, text: str) -> None:
    """The author changes a post on the square."""
    played.clock.move(seconds=1)
    staged = await square(played).posts.get(number)
    assert staged is not None
    await square(played).posts.put(number, replace(staged, text=text))


async def delete(played: Circle, number: int = 1) -> None:
    """The author deletes it."""
    await square(played).delete(number)


async def a_day_later(played: Circle) -> None:
    """Time until every post was due once more, and the work of it."""
    played.clock.move(hours=21)
    await played.rest()


async def post_of(played: Circle, number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = await played.get(f"/api/v1/posts/{number}")
    return found


async def block(played: Circle) -> str:
    """What engineers see on the issue."""
    return "\n".join(shown.text for _, shown in await board(played).blocks.all())


async def reply_on_square(played: Circle) -> int:
    """The number of what we said."""
    [number] = [key for key, post in await square(played).posts.all() if post.brand]
    return number


async def dump(played: Circle) -> str:
    """Every row there is, but for those of the rehearsal network itself, which is the outside."""
    rows: list[str] = []
    async with played.river.db.read() as session:
        for table in Post.metadata.sorted_tables:
            if table.name != "stage_doc":
                rows += [f"{table.name}: {tuple(row)!r}" for row in await session.execute(select(table))]
    return "\n".join(rows)


# --- deleted


async def test_a_post_that_was_deleted_loses_its_words_within_a_day(played: Circle) -> None:
    await tagged(played)
    await played.rest()
    assert "the export hangs" in await block(played)
    await delete(played)
    await a_day_later(played)
    post = await post_of(played)
    assert (post["text"], post["media"], post["content_warning"]) == ("", [], "")
    assert post["gone_at"] is not None
    assert "deleted" in post["gone_why"]
    assert (post["state"], post["loop_id"]) == ("tagged", 1), "the row, its loop and their history stay"
    assert WORDS not in await dump(played)
    assert "hangs" not in await block(played)
    assert "1 customer waits" in await block(played), "whoever deleted the post may wait all the same"


async def test_it_is_found_by_its_words_no_more(played: Circle) -> None:
    await tagged(played)
    await delete(played)
    await a_day_later(played)
    assert (await played.get("/api/v1/posts", params={"q": "export"}))["items"] == []
    assert (await played.get("/api/v1/posts/1/suggestions"))["items"] == []


async def test_nobody_is_told_in_a_thread_whose_post_is_gone_and_no_person_is_asked(played: Circle) -> None:
    await tagged(played)
    await delete(played)
    await a_day_later(played)
    await ship(played)
    await played.rest()
    loop = await loop_of(played)
    assert (loop["state"], loop["needs_person"], loop["replies"]) == ("shipped", "", [])
    assert loop["why"].endswith("not told: the customer's post is gone")
    assert not await said(played)


async def test_what_waits_to_be_said_is_taken_back(played: Circle) -> None:
    await tagged(played, mode="approve")
    await ship(played)
    await played.rest()
    await delete(played)
    await a_day_later(played)
    [reply] = (await loop_of(played))["replies"]
    assert (reply["state"], reply["why"].partition(":")[0]) == ("cancelled", "the customer's post is gone")
    await played.post("/api/v1/replies/1/approve", status=409)
    assert not await said(played)


async def test_what_a_person_was_asked_about_a_held_reply_is_asked_no_more(played: Circle) -> None:
    await tagged(played, settle_seconds=600)
    await ship(played)
    await played.rest()
    await edit(played, 1, "Never mind, it was my browser")
    played.clock.move(minutes=11)
    await played.rest()
    assert (await loop_of(played))["needs_person"]
    await delete(played)
    await a_day_later(played)
    loop = await loop_of(played)
    assert (loop["needs_person"], loop["replies"][0]["state"]) == ("", "cancelled")


async def test_an_account_whose_channel_is_not_installed_keeps_no_other_waiting(played: Circle) -> None:
    await tagged(played)
    body = {"channel": "rehearsal", "name": "Other", "mode": "approve", "settings": {"scene": "other"}}
    await played.post("/api/v1/accounts", body, status=201)
    await Square(played.stage, "other").say(StagedPost(handle="ben", text="It hangs", at=played.clock()))
    await played.post("/api/v1/accounts/2/pull")
    async with played.river.db.begin() as session:
        await session.execute(update(Account).where(Account.id == 1).values(channel="shut", poll_at=None))
    await Square(played.stage, "other").delete(1)
    played.clock.move(hours=21)
    while await reread.reread_next(played.river):
        pass
    assert (await post_of(played, 2))["gone_at"] is not None


async def test_a_post_that_is_gone_at_the_last_look_loses_its_words_at_once(played: Circle) -> None:
    await tagged(played, settle_seconds=600)
    await ship(played)
    await delete(played)
    played.clock.move(minutes=11)
    await played.rest()
    assert (await post_of(played))["text"] == ""
    [reply] = (await loop_of(played))["replies"]
    assert reply["state"] == "refused"
    assert WORDS not in await dump(played)


async def test_a_post_in_triage_and_a_dismissed_one_are_read_again_too(played: Circle) -> None:
    await played.connect_rehearsal()
    await story.complaints(played, 3)
    await played.post("/api/v1/posts/2/dismiss")
    for number in (1, 2):
        await delete(played, number)
    await a_day_later(played)
    assert [(await post_of(played, number))["gone_at"] is not None for number in (1, 2, 3)] == [True, True, False]
    assert [(await post_of(played, number))["state"] for number in (1, 2, 3)] == ["new", "dismissed", "new"]
    await played.post("/api/v1/loops", {"post_id": 1}, status=409)


async def test_what_a_customer_answered_is_cited_nowhere_once_it_is_deleted(played: Circle) -> None:
    await told(played)
    answer = await complain(played, "it still crashes", handle="customer0", in_reply_to=await reply_on_square(played))
    await played.post("/api/v1/accounts/1/pull")
    await played.rest()
    assert (await loop_of(played))["state"] == "linked"
    async with played.river.db.begin() as session:
        text = still_broken_text(
            handle="ana", quote="it still crashes", permalink="there", visibility="public", shows_customers=True
        )
        for notice in (await session.execute(select(Notice))).scalars():
            notice.text = text  # as a private tracker is told it
    assert (await dump(played)).count("still crashes") > 2
    await delete(played, answer)
    await a_day_later(played)
    found = await dump(played)
    assert "still crashes" not in found
    assert "says '…'" in found, "that the answer was heard so is history, and stays"
    assert rereading.WITHDRAWN in found


async def test_the_bodies_of_webhook_calls_about_it_are_emptied(played: Circle) -> None:
    await tagged(played)
    async with played.river.db.begin() as session:
        calls = [
            Call(
                hook=hook,
                key=f"{number}",
                event="said",
                headers={},
                body=body,
                issues=[],
                everything=False,
                posts=[],
                received_at=played.clock(),
            )
            for number, (hook, body) in enumerate(
                [
                    ("accounts/1", b'{"id": "9007", "message": "the words"}'),
                    ("accounts/1", b'{"id": "8", "message": "another"}'),
                    ("accounts/2", b'{"id": "9007", "message": "elsewhere"}'),
                ]
            )
        ]
        await keep(session, calls)
        await session.execute(update(Post).values(external_id="9007"))
    await reread.lose_words(played.river, 1, "it is deleted")
    async with played.river.db.read() as session:
        bodies = (await session.execute(select(Delivery.body).order_by(Delivery.id))).scalars().all()
    assert [bool(body) for body in bodies] == [False, True, True]


async def test_an_issue_that_is_still_to_be_made_is_made_without_the_quote(played: Circle) -> None:
    await played.connect_rehearsal()
    await complain(played, "The export hangs at 99 %")
    await played.post("/api/v1/accounts/1/pull")
    await board(played).faults.add(Fault(call="create", kind="transient"))
    body = {"tracker_id": 1, "title": "The export hangs at 99 %", "body": "> The export hangs at 99 %\n\nsee there"}
    await played.post("/api/v1/loops", {"post_id": 1, "issue": body}, status=202)
    await delete(played)
    await a_day_later(played)
    await board(played).calm()
    played.clock.move(hours=2)
    await played.rest()
    made = await board(played).issues.get((await board(played).issues.all())[0][0])
    assert made is not None
    assert "99 %" not in f"{made.title} {made.body}"
    assert "see there" in made.body


# --- what does not count as deleted


@pytest.mark.parametrize("kind", ["transient", "rate_limited", "auth_broken", "suspended"])
async def test_a_network_that_fails_makes_no_post_lose_its_words(played: Circle, kind: Any) -> None:
    await tagged(played)
    await square(played).faults.add(Fault(call="reread", kind=kind))
    await a_day_later(played)
    assert (await post_of(played))["text"] == WORDS
    account = (await played.get("/api/v1/accounts"))["items"][0]
    assert account["ok"] is (kind in {"transient", "rate_limited"}), "what limits reading does not silence the account"


async def test_an_account_that_has_lost_its_sight_makes_no_post_lose_its_words(played: Circle) -> None:
    """Nothing of a batch is there any more: either all was deleted, or the account may not look."""
    await tagged(played)
    await delete(played)
    await square(played).faults.add(Fault(call="connect", kind="auth_broken"))
    await a_day_later(played)
    assert (await post_of(played))["text"] == WORDS
    await square(played).calm()
    await played.call("PATCH", "/api/v1/accounts/1", {"secrets": {}})
    await a_day_later(played)
    assert (await post_of(played))["gone_at"] is not None


async def test_the_time_a_network_asks_for_is_kept(played: Circle) -> None:
    await tagged(played)
    await square(played).faults.add(Fault(call="reread", kind="rate_limited", retry_seconds=7200, times=1))
    await a_day_later(played)
    await delete(played)
    played.clock.move(minutes=119)
    await played.rest()
    assert (await post_of(played))["gone_at"] is None
    played.clock.move(minutes=2)
    await played.rest()
    assert (await post_of(played))["gone_at"] is not None


async def test_a_removed_account_is_not_asked(played: Circle) -> None:
    await tagged(played)
    await played.call("DELETE", "/api/v1/accounts/1", status=204)
    await delete(played)
    await a_day_later(played)
    assert (await post_of(played))["text"] == WORDS


# --- edited


async def test_an_edit_is_followed_within_a_day_and_engineers_see_it(played: Circle) -> None:
    await tagged(played)
    await played.rest()
    await edit(played, 1, "Export to PDF hangs, not CSV")
    await a_day_later(played)
    post = await post_of(played)
    assert post["text"] == "Export to PDF hangs, not CSV"
    assert post["edited_at"] is not None, "where the network keeps no time of it, it is when we saw it"
    assert "Export to PDF hangs, not CSV" in await block(played)
    assert "the export hangs" not in await block(played)
    assert "post edited" in [event["what"] for event in (await loop_of(played))["history"]]


async def test_an_edit_after_the_text_was_frozen_holds_the_reply(played: Circle) -> None:
    await tagged(played, settle_seconds=600)
    await ship(played)
    await played.rest()
    await edit(played, 1, "Never mind, it was my browser")
    played.clock.move(minutes=11)
    await played.rest()
    loop = await loop_of(played)
    [reply] = loop["replies"]
    assert (reply["state"], reply["why"]) == ("held", rereading.CHANGED)
    assert rereading.CHANGED in loop["needs_person"]
    assert not await said(played)
    assert (await post_of(played))["text"] == "Never mind, it was my browser"
    await played.post("/api/v1/replies/1/release")
    await played.rest()
    assert len(await said(played)) == 1, "who let it go has read the new words"


async def test_whoever_notices_an_edit_first_the_reply_is_held(played: Circle) -> None:
    """By a poll, before the last look: that then finds nothing new."""
    await tagged(played, settle_seconds=600)
    await ship(played)
    await played.rest()
    await edit(played, 1, "Never mind, it was my browser")
    channel = await _channel(played)
    await reread.follow_page(played.river, 1, [(await channel.find("http://fullcircle.test/rehearsal/main/posts/1"))])
    played.clock.move(minutes=11)
    await played.rest()
    [reply] = (await loop_of(played))["replies"]
    assert (reply["state"], reply["why"]) == ("held", rereading.CHANGED)


async def _channel(played: Circle) -> Any:
    async with played.river.db.read() as session:
        account = await session.get(Account, 1)
        assert account is not None
    return played.river.outside.channel(account)


async def test_white_space_alone_changes_nothing(played: Circle) -> None:
    await tagged(played, settle_seconds=600)
    await ship(played)
    await played.rest()
    await edit(played, 1, f"  {WORDS}\n")
    played.clock.move(minutes=11)
    await played.rest()
    assert (await loop_of(played))["state"] == "told"


async def test_a_reply_that_waits_for_a_signature_says_that_the_post_changed(played: Circle) -> None:
    await tagged(played, mode="approve")
    await ship(played)
    await played.rest()
    await edit(played, 1, "It hangs only in Safari")
    await a_day_later(played)
    [reply] = (await loop_of(played))["replies"]
    assert (reply["state"], reply["why"]) == ("awaiting_approval", rereading.CHANGED)
    await played.post("/api/v1/replies/1/approve")
    await played.rest()
    assert len(await said(played)) == 1


async def test_an_answer_that_is_changed_after_it_was_heard_goes_to_a_person(played: Circle) -> None:
    await told(played)
    answer = await complain(
        played, "works great, thanks!", handle="customer0", in_reply_to=await reply_on_square(played)
    )
    await played.post("/api/v1/accounts/1/pull")
    await played.rest()
    assert (await loop_of(played))["state"] == "verified"
    await edit(played, answer, "it worked for a minute, now it crashes")
    await a_day_later(played)
    loop = await loop_of(played)
    assert "changed the answer" in loop["needs_person"]
    assert (await post_of(played, 2))["state"] == "new"


async def test_a_post_that_comes_back_is_answered_after_all(played: Circle) -> None:
    """Taken out of the bin, as on a blog."""
    await tagged(played)
    await ship(played)
    staged = await square(played).posts.get(1)
    assert staged is not None
    await delete(played)
    await played.rest()
    assert (await loop_of(played))["replies"][0]["state"] == "refused"
    await square(played).posts.put(1, staged)
    channel = await _channel(played)
    await reread.follow_page(played.river, 1, [await channel.find("http://fullcircle.test/rehearsal/main/posts/1")])
    assert (await post_of(played))["gone_at"] is None
    assert (await post_of(played))["text"] == WORDS
    await played.rest()
    loop = await loop_of(played)
    assert (loop["state"], loop["needs_person"]) == ("told", ""), loop
    assert len(await said(played)) == 1


async def test_a_post_that_is_hidden_from_us_is_kept_as_a_private_one(played: Circle) -> None:
    await tagged(played)
    await played.rest()
    await reread.hide(played.river, 1, "its author has blocked us")
    await played.rest()
    post = await post_of(played)
    assert (post["text"], post["visibility"]) == (WORDS, "private")
    played.clock.move(minutes=1)
    await played.rest()
    assert "hangs" not in await block(played)
    await a_day_later(played)
    assert (await post_of(played))["visibility"] == "public", "it can be read again"


# --- how often


async def test_each_post_is_read_again_once_a_day_and_no_more(played: Circle) -> None:
    await played.connect_rehearsal()
    await story.complaints(played, 120)
    asked: list[int] = []
    channel = await _channel(played)
    before = type(channel).reread

    async def counted(self: Any, posts: Any) -> Any:
        asked.append(len(posts))
        return await before(self, posts)

    type(channel).reread = counted
    try:
        played.clock.move(hours=19)
        await played.rest()
        assert asked == []
        played.clock.move(hours=1, minutes=1)
        for _ in range(10):
            await played.rest()
            played.clock.move(seconds=21)
        assert asked == [50, 50, 20]
    finally:
        type(channel).reread = before


async def test_a_batch_is_followed_by_a_pause(played: Circle) -> None:
    await played.connect_rehearsal()
    await story.complaints(played, 60)
    played.clock.move(hours=21)
    assert await reread.reread_next(played.river)
    assert not await reread.reread_next(played.river)
    played.clock.move(seconds=21)
    assert await reread.reread_next(played.river)
    played.clock.move(seconds=21)
    assert not await reread.reread_next(played.river)


async def test_ten_thousand_posts_are_through_well_within_the_day() -> None:
    for at_once in (20, 25, 50, 100):
        assert -(-10_000 // at_once) * rereading.PAUSE + rereading.EVERY < timedelta(hours=24)


async def test_two_workers_do_not_read_the_same_posts(played: Circle) -> None:
    await played.connect_rehearsal()
    await story.complaints(played, 60)
    played.clock.move(hours=21)
    first = await reread._claim(played.river)
    assert first is not None
    assert await reread._claim(played.river) is None
    played.clock.move(seconds=61)
    again = await reread._claim(played.river)
    assert again is not None, "a worker that died lets go after its lease"


async def test_a_late_worker_writes_nothing_over_what_was_read_since(played: Circle) -> None:
    await tagged(played)
    played.clock.move(hours=21)
    late = await reread._claim(played.river)
    assert late is not None
    old = await reread._read(await _channel(played), late)
    await edit(played, 1, "The newer words")
    played.clock.move(seconds=61)
    await played.rest()
    assert (await post_of(played))["text"] == "The newer words"
    await reread._record(played.river, late, old, began=played.clock())
    assert (await post_of(played))["text"] == "The newer words"


async def test_one_post_that_cannot_be_followed_keeps_no_other_waiting(
    played: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    await played.connect_rehearsal()
    await story.complaints(played, 2)
    await delete(played, 1)
    await edit(played, 2, "Other words")
    real = reread.lose_words

    async def fails(*_arguments: Any) -> None:
        raise RuntimeError("a row that cannot be written")

    monkeypatch.setattr(reread, "lose_words", fails)
    await a_day_later(played)
    assert (await post_of(played, 2))["text"] == "Other words"
    monkeypatch.setattr(reread, "lose_words", real)
    played.clock.move(hours=2)
    await played.rest()
    assert (await post_of(played, 1))["gone_at"] is not None


class Died(BaseException):
    """A process that ends right here."""


@pytest.mark.parametrize("moment", REREADING)
async def test_a_death_at_any_moment_loses_no_edit_and_keeps_no_words(played: Circle, moment: str) -> None:
    await played.connect_rehearsal()
    await story.complaints(played, 2)
    await delete(played, 1)
    await edit(played, 2, "Other words")
    played.clock.move(hours=21)

    def die_there(point: str) -> None:
        if point == moment:
            raise Died

    lives, played.river.point = played.river.point, die_there
    with pytest.raises(Died):
        await reread.reread_next(played.river)
    played.river.point = lives
    played.clock.move(seconds=61)
    await played.rest()
    assert (await post_of(played, 1))["gone_at"] is not None
    assert (await post_of(played, 2))["text"] == "Other words"

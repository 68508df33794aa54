"""What becomes of a complaint that will not be acted on: an answer laid ready, and said only with a signature."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support import story
from tests.support.circle import Circle, circle


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url) as made:
        yield made


async def declined(played: Circle, *, mode: str = "automatic") -> None:
    """A customer waits, and the engineers close the issue as not planned."""
    await story.tagged(played, mode=mode)
    await decline(played)


async def decline(played: Circle) -> None:
    played.clock.move(minutes=5)
    await story.board(played).close(1, outcome="not_planned", now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()


async def reopen(played: Circle) -> None:
    played.clock.move(minutes=5)
    await story.board(played).reopen(1, now=played.clock())


async def states(played: Circle) -> list[str]:
    return [reply["state"] for reply in (await story.loop_of(played))["replies"]]


async def test_an_outcome_is_laid_ready_and_said_only_when_a_person_signs_it(played: Circle) -> None:
    await declined(played)
    loop = await story.loop_of(played)
    [reply] = loop["replies"]
    assert (loop["state"], reply["kind"], reply["state"]) == ("declined", "outcome", "awaiting_approval")
    assert "are not planning to change it" in reply["text"]
    await played.rest()
    assert await story.said(played) == [], "in automatic mode too"

    await played.post("/api/v1/replies/1/approve")
    await played.rest()
    [said] = await story.said(played)
    assert said.text == reply["text"]
    assert (await story.loop_of(played))["state"] == "declined"

    await reopen(played)
    await decline(played)
    await played.rest()
    assert await states(played) == ["posted"], "what was said is not said again"


async def test_a_loop_that_goes_on_takes_its_outcome_back_and_has_it_again_when_declined_again(played: Circle) -> None:
    await declined(played)
    await reopen(played)
    await played.post("/api/v1/trackers/1/pull")
    assert (await story.loop_of(played))["state"] == "linked"
    assert await states(played) == ["cancelled"]
    await decline(played)
    assert await states(played) == ["awaiting_approval"]
    await reopen(played)
    await played.post("/api/v1/trackers/1/pull")
    await story.ship(played)
    await played.rest()
    assert len(await story.said(played)) == 1
    assert sorted(await states(played)) == ["cancelled", "posted"]


async def test_a_signed_outcome_that_is_not_true_any_more_is_not_said(played: Circle) -> None:
    await declined(played)
    await played.post("/api/v1/replies/1/approve")
    await reopen(played)
    played.clock.move(minutes=10)
    await played.rest()
    assert await story.said(played) == []
    assert await states(played) == ["cancelled"]


async def test_an_outcome_cannot_be_signed_when_it_is_not_true_any_more(played: Circle) -> None:
    await declined(played)
    await reopen(played)
    problem = await played.call("POST", "/api/v1/replies/1/approve", status=409)
    assert "not declined any more" in problem["detail"]
    assert await story.said(played) == []


async def test_ones_own_words_take_the_place_of_the_outcome_laid_ready(played: Circle) -> None:
    await declined(played)
    await played.post("/api/v1/loops/1/replies", {"text": "We are sorry, this stays.", "kind": "outcome"}, status=201)
    await played.rest()
    [said] = await story.said(played)
    assert "this stays" in said.text
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    assert sorted(await states(played)) == ["cancelled", "posted"], "and it does not come back"


async def test_neither_a_hold_nor_another_try_stands_in_for_a_signature(played: Circle) -> None:
    await declined(played)
    await played.post("/api/v1/issues/1/hold", {"why": "legal looks at it"})
    await played.post("/api/v1/issues/1/release")
    await played.rest()
    assert await states(played) == ["awaiting_approval"]
    await played.post("/api/v1/replies/1/hold")
    await played.post("/api/v1/replies/1/release")
    await played.rest()
    assert await states(played) == ["awaiting_approval"]
    await played.post("/api/v1/replies/1/cancel")
    await played.post("/api/v1/trackers/1/pull")
    assert await states(played) == ["cancelled"], "what a person took back stays so"
    await played.post("/api/v1/replies/1/retry")
    await played.rest()
    assert await states(played) == ["awaiting_approval"]
    await played.call("PATCH", "/api/v1/replies/1", {"text": "We decided otherwise."})
    await played.post("/api/v1/replies/1/approve")
    await played.call("PATCH", "/api/v1/replies/1", {"text": "We decided quite otherwise."})
    await played.rest()
    assert await states(played) == ["awaiting_approval"], "other words need another signature"
    assert await story.said(played) == []


async def test_who_is_not_public_or_wants_no_answers_is_laid_nothing_ready(played: Circle) -> None:
    await played.connect_rehearsal(mode="automatic")
    await story.complain(played, visibility="private")
    await played.post("/api/v1/accounts/1/pull")
    [post] = (await played.get("/api/v1/posts"))["items"]
    await story.tag(played, post)
    await played.rest()
    await decline(played)
    assert await states(played) == []

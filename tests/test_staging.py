"""The rehearsal network and board: what presses, races and sequences do to them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ports import Stage
from app.staging import Board, Closing, Fault, Square, StagedPost, Standing, slug
from app.store.session import Database
from app.store.stage import StoredStage
from tests.support.stage import MemoryStage

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


class TurningStage(MemoryStage):
    """Lets every other task go first, so that two callers always meet."""

    async def add(self, scene: str, kind: str, doc: Mapping[str, Any]) -> int:
        await asyncio.sleep(0)
        return await super().add(scene, kind, doc)


def said(text: str, *, key: str = "", in_reply_to: int | None = None) -> StagedPost:
    return StagedPost(handle="acme", text=text, at=NOW, key=key, in_reply_to=in_reply_to)


async def exercise(stage: Stage) -> None:
    """What a stage promises, asked of any."""
    assert await stage.get("s", "a", 1) is None
    assert await stage.all("s", "a") == []
    first = await stage.add("s", "a", {"word": "eins", "n": 1, "deep": {"x": [None, True, "ß\n👩‍👩‍👧"]}})
    second = await stage.add("s", "a", {"word": "zwei"})
    assert (first, second) == (1, second)
    assert second > first
    assert await stage.get("s", "a", first) == {"word": "eins", "n": 1, "deep": {"x": [None, True, "ß\n👩‍👩‍👧"]}}
    assert await stage.get("s", "b", first) is None
    assert await stage.get("t", "a", first) is None
    await stage.put("s", "a", first, {"word": "one"})
    assert await stage.get("s", "a", first) == {"word": "one"}
    with pytest.raises(KeyError):
        await stage.put("s", "a", second + 7, {})
    assert await stage.all("s", "a", after=first) == [(second, {"word": "zwei"})]
    assert await stage.all("s", "a", limit=1) == [(first, {"word": "one"})]
    assert await stage.add("t", "a", {}) == 1


async def test_the_stage_in_memory_keeps_its_promises() -> None:
    await exercise(MemoryStage())


async def test_the_stored_stage_keeps_the_same_promises(database_url: str) -> None:
    database = Database(database_url)
    try:
        await exercise(StoredStage(database))
    finally:
        await database.close()


async def test_the_same_key_is_the_same_post() -> None:
    square = Square(MemoryStage(), "main")
    await square.say(said("first"))
    once = await square.say(said("reply", key="k", in_reply_to=1))
    assert await square.say(said("another text", key="k", in_reply_to=1)) == once
    assert await square.say(said("reply", key="other", in_reply_to=1)) != once


async def test_two_at_the_same_moment_under_one_key_leave_one_post() -> None:
    square = Square(TurningStage(), "main")
    await square.say(said("first"))
    reply = said("reply", key="k", in_reply_to=1)
    ids = await asyncio.gather(*(square.say(reply) for _ in range(3)))
    assert len(set(ids)) == 1
    assert [key for key, post in await square.posts.all() if post.key == "k" and not post.deleted] == [ids[0]]


async def test_a_deleted_post_leaves_no_words() -> None:
    stage = MemoryStage()
    square = Square(stage, "main")
    await square.delete(await square.say(said("a secret")))
    assert "a secret" not in str(stage.documents())
    with pytest.raises(KeyError):
        await square.delete(9)


async def test_a_thread_is_found_by_its_root_however_long_it_is() -> None:
    square = Square(MemoryStage(), "main")
    key = await square.say(said("root"))
    for _ in range(5):
        key = await square.say(said("answer", in_reply_to=key))
    post = await square.posts.get(key)
    assert post is not None
    assert await square.root_of(key, post) == 1


async def test_a_fault_is_played_as_often_as_it_says() -> None:
    square = Square(MemoryStage(), "main")
    await square.faults.add(Fault(call="send", kind="transient", times=2))
    assert await square.trouble("look") is None
    assert [bool(await square.trouble("send")) for _ in range(3)] == [True, True, False]
    await square.faults.add(Fault(call="*", kind="auth_broken"))
    assert await square.trouble("look")
    await square.calm()
    assert await square.trouble("look") is None


async def test_trouble_on_the_square_is_none_on_the_board() -> None:
    stage = MemoryStage()
    await Square(stage, "main").faults.add(Fault(call="*", kind="auth_broken"))
    assert await Board(stage, "main").trouble("pull") is None
    assert await Square(stage, "other").trouble("pull") is None


async def test_closing_twice_makes_no_second_fix() -> None:
    board = Board(MemoryStage(), "main")
    key = await board.open_issue(title="Broken", body="", now=NOW)
    await board.close(key, outcome="completed", now=NOW)
    before = await board.issues.get(key)
    await board.close(key, outcome="completed", now=NOW)
    assert await board.issues.get(key) == before


async def test_a_change_can_be_read_by_whoever_follows_its_last_turn() -> None:
    board = Board(MemoryStage(), "main")
    key = await board.open_issue(title="Broken", body="", now=NOW)
    await board.close(key, outcome="completed", now=NOW)
    issue = await board.issues.get(key)
    last, turn = (await board.turns.all())[-1]
    assert issue is not None
    assert issue.fixed_turn is not None
    assert turn.issue == key
    assert issue.fixed_turn < last


Step = (
    tuple[Literal["close"], Closing]
    | tuple[Literal["release"], Standing]
    | tuple[Literal["standing"], Standing]
    | tuple[Literal["reopen", "delete"], None]
)
STEPS = st.one_of(
    st.tuples(st.just("close"), st.sampled_from(["completed", "not_planned", "duplicate"])),
    st.tuples(st.just("release"), st.sampled_from(["published", "prerelease", "draft"])),
    st.tuples(st.just("standing"), st.sampled_from(["published", "prerelease", "draft"])),
    st.tuples(st.sampled_from(["reopen", "delete"]), st.none()),
)


@dataclass
class Expected:
    """The same board in the simplest terms: which releases hold the one issue's present fix."""

    outcome: Closing | None = None
    releases: list[dict[str, Any]] = field(default_factory=list)

    def take(self, what: str, how: Any) -> None:
        newest = self.releases[-1] if self.releases else None
        if what == "close" and how != self.outcome:
            self.outcome = how
            for release in self.releases:
                release["holds"] = how == "completed" and not release["cut"]
        elif what == "reopen":
            self.outcome = None
            for release in self.releases:
                release["holds"] = False
        elif what == "release":
            self.releases.append({"standing": how, "cut": how != "draft", "holds": self.outcome == "completed"})
        elif what == "standing" and newest is not None:
            newest["standing"] = how
            newest["cut"] = newest["cut"] or how != "draft"
        elif what == "delete" and newest is not None:
            self.releases.pop()

    @property
    def is_public(self) -> bool:
        return any(release["holds"] and release["standing"] == "published" for release in self.releases)


async def play(steps: list[Step]) -> tuple[Board, int, Expected]:
    board, expected = Board(MemoryStage(), "main"), Expected()
    key = await board.open_issue(title="Broken", body="", now=NOW)
    for number, (what, how) in enumerate(steps):
        standing = [k for k, release in await board.releases.all() if not release.deleted]
        match what:
            case "close":
                await board.close(key, outcome=how, now=NOW)
            case "reopen":
                await board.reopen(key, now=NOW)
            case "release":
                await board.release(f"v{number}", standing=how, now=NOW)
            case "standing" if standing:
                await board.set_standing(standing[-1], how, now=NOW)
            case "delete" if standing:
                await board.delete_release(standing[-1], now=NOW)
        expected.take(what, how)
    return board, key, expected


@given(steps=st.lists(STEPS, max_size=12))
def test_a_release_holds_just_the_fixes_made_before_it_left_the_draft(steps: list[Step]) -> None:
    async def run() -> None:
        board, key, expected = await play(steps)
        issue = await board.issues.get(key)
        assert issue is not None
        assert issue.outcome == expected.outcome
        releases = [release for _, release in await board.releases.all() if not release.deleted]
        assert [release.holds(issue) for release in releases] == [release["holds"] for release in expected.releases]
        assert any(r.is_public and r.holds(issue) for r in releases) == expected.is_public

    asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "handle"),
    [("Acme", "acme"), ("Acme Ltd. & Co", "acme-ltd-co"), ("  ", ""), ("株式会社", ""), ("A" * 60, "a" * 30)],
)
def test_a_handle_is_made_of_what_a_handle_can_hold(name: str, handle: str) -> None:
    assert slug(name) == handle

"""The rehearsal tracker through a whole story: fixed, released, withdrawn, fixed again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.ports import Connection, OutsideError
from app.rules.shipping import Gone, NotFixed, NotYet, Policy, Refutation, Shipped, Verdict, applies_after, judge
from app.staging import Board, Fault
from app.trackers.rehearsal import Rehearsal, RehearsalSecrets, RehearsalSettings
from tests.support.stage import MemoryStage

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


class Story:
    """A board, its tracker, and a clock that moves with each step."""

    def __init__(self) -> None:
        self.now = START
        self.stage = MemoryStage()
        self.board = Board(self.stage, "main")
        self.tracker = Rehearsal(
            Connection(
                settings=RehearsalSettings(),
                secrets=RehearsalSecrets(),
                http=httpx.AsyncClient(),
                now=lambda: self.now,
                base_url="http://127.0.0.1:8000",
                stage=self.stage,
            )
        )

    def later(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    async def verdict(self) -> Verdict:
        return judge(await self.tracker.read("1", ref="#1"), Policy())


@pytest.fixture
async def story() -> Story:
    story = Story()
    await story.board.open_issue(title="Broken", body="", now=START)
    return story


async def test_a_fix_ships_with_the_release_after_it_and_is_taken_back_with_it(story: Story) -> None:
    assert isinstance(await story.verdict(), NotYet)
    await story.board.close(1, outcome="completed", now=story.later())
    assert "no release contains" in (await story.verdict()).why
    release = await story.board.release("v1.0.1", now=story.later())
    shipped = await story.verdict()
    assert isinstance(shipped, Shipped)
    assert (shipped.public_label, shipped.at) == ("v1.0.1", story.now)
    assert shipped.public_url == f"http://127.0.0.1:8000/rehearsal/main/board#release-{release}"
    await story.board.set_standing(release, "draft", now=story.later())
    assert "still a draft" in (await story.verdict()).why
    await story.board.set_standing(release, "published", now=story.later())
    again = await story.verdict()
    assert isinstance(again, Shipped)
    await story.board.delete_release(release, now=story.later())
    assert isinstance(await story.verdict(), NotYet)


async def test_what_failed_a_customer_never_ships_to_them_again_but_a_later_fix_does(story: Story) -> None:
    await story.board.close(1, outcome="completed", now=story.later())
    await story.board.release("v1.0.1", now=story.later())
    first = await story.verdict()
    assert isinstance(first, Shipped)
    refutation = Refutation(at=story.later(), fix=first.fix)
    assert not applies_after(fix=first.fix, fixed_at=first.fixed_at, refutation=refutation)
    await story.board.reopen(1, now=story.later())
    assert (await story.verdict()).why == "#1 is reopened"
    await story.board.close(1, outcome="completed", now=story.later())
    assert "no release contains" in (await story.verdict()).why
    await story.board.release("v1.0.2", now=story.later())
    second = await story.verdict()
    assert isinstance(second, Shipped)
    assert second.label == "v1.0.2"
    assert applies_after(fix=second.fix, fixed_at=second.fixed_at, refutation=refutation)
    assert second.digest != first.digest


async def test_a_draft_ships_what_was_fixed_before_it_was_published(story: Story) -> None:
    release = await story.board.release("v1.0.1", standing="draft", now=story.later())
    await story.board.close(1, outcome="completed", now=story.later())
    await story.board.set_standing(release, "prerelease", now=story.later())
    assert "only a prerelease" in (await story.verdict()).why
    await story.board.set_standing(release, "published", now=story.later())
    assert isinstance(await story.verdict(), Shipped)


async def test_other_closings_and_a_deleted_issue_ship_nothing(story: Story) -> None:
    await story.board.close(1, outcome="not_planned", now=story.later())
    await story.board.release("v1.0.1", now=story.later())
    assert isinstance(await story.verdict(), NotFixed)
    await story.board.close(1, outcome="completed", now=story.later())
    assert isinstance(await story.verdict(), NotYet)
    await story.board.delete_issue(1, now=story.later())
    assert isinstance(await story.verdict(), Gone)


async def test_polling_hears_every_change_and_each_only_until_its_cursor(story: Story) -> None:
    async def changed(cursor: str | None) -> tuple[list[str], str | None]:
        pages = [page async for page in story.tracker.pull(cursor=cursor, since=START)]
        return [issue for page in pages for issue in page.issues], pages[-1].cursor if pages else cursor

    issues, cursor = await changed(None)
    assert issues == ["1"]
    assert await changed(cursor) == ([], cursor)
    await story.board.close(1, outcome="completed", now=story.later())
    issues, cursor = await changed(cursor)
    assert issues == ["1"]
    release = await story.board.release("v1.0.1", now=story.later())
    issues, cursor = await changed(cursor)
    assert issues == ["1"]
    await story.board.delete_release(release, now=story.later())
    issues, cursor = await changed(cursor)
    assert issues == ["1"]


async def test_an_issue_whose_making_was_never_answered_is_found_by_its_marker(story: Story) -> None:
    await story.board.faults.add(Fault(call="create", kind="unknown", accepted=True, in_flight=True, times=1))
    with pytest.raises(OutsideError):
        await story.tracker.create(title="New", body="", marker="m")
    found = await story.tracker.find_created(marker="m", since=START)
    assert found is not None
    assert found.ref == "#2"
    assert await story.tracker.find_created(marker="other", since=START) is None


async def test_a_block_or_comment_whose_answer_was_lost_is_not_made_twice(story: Story) -> None:
    issue = await story.tracker.find("#1")
    for call in ("show", "tell"):
        await story.board.faults.add(Fault(call=call, kind="unknown", accepted=True, in_flight=True, times=1))
    with pytest.raises(OutsideError):
        await story.tracker.show(issue, block="one waits", handle=None)
    with pytest.raises(OutsideError):
        await story.tracker.tell(issue, text="still broken", marker="t")
    handle = await story.tracker.show(issue, block="two wait", handle=None)
    await story.tracker.tell(issue, text="still broken", marker="t")
    assert [(key, block.text) for key, block in await story.board.blocks.all()] == [(int(handle), "two wait")]
    assert len(await story.board.comments.all()) == 1


async def test_a_block_that_engineers_removed_is_never_put_back(story: Story) -> None:
    issue = await story.tracker.find("#1")
    handle = await story.tracker.show(issue, block="one waits", handle=None)
    await story.board.remove_block(int(handle))
    for known in (handle, None):
        with pytest.raises(OutsideError) as removed:
            await story.tracker.show(issue, block="two wait", handle=known)
        assert removed.value.kind == "gone"
    assert len(await story.board.blocks.all()) == 1

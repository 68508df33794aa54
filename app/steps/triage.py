"""The decisions of triage: tag, take that back, dismiss, restore, settle an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.rules.progress import can_loop_move
from app.steps import by_hand, hear_answer, link
from app.steps.link import ConflictError, NotFoundError
from app.steps.reply_moves import SPOKEN, cancel_reply
from app.steps.river import River
from app.store import issues, loops, posts, replies
from app.store.tables import Post

Answer = Literal["works", "still_broken", "neither"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIssue:
    """An issue that is to be made."""

    tracker_id: int
    title: str
    body: str


async def tag(
    river: River, post_id: int, *, tags: Sequence[str], issue: int | NewIssue | None = None, actor: str
) -> int:
    """Tag a post and let its loop wait for an issue, one that is known here or a new one. Returns the loop's id.

    Nothing here waits for the outside: the worker makes a new issue, and looks at a known one.
    """
    async with river.db.begin() as session:
        now = river.now()
        loop, _ = await link.open_loop(session, post_id=post_id, tags=tags, now=now, actor=actor)
        if issue is not None:
            present = await loops.present_issue(session, loop.id)
            if present is not None and present.id != issue:
                raise ConflictError(
                    f"this customer's loop waits for {present.ref or 'a new issue'} already: open loop {loop.id} to change that"
                )
            row = await issues.lock(session, issue) if isinstance(issue, int) else None
            if row is None and isinstance(issue, int):
                raise NotFoundError(f"there is no issue {issue}")
            if row is None and isinstance(issue, NewIssue):
                post = await session.get(Post, post_id)
                if post is None:
                    raise NotFoundError(f"there is no post {post_id}")
                row = await link.draft_issue(
                    session, tracker_id=issue.tracker_id, title=issue.title, body=issue.body, post=post, now=now
                )
            if row is not None:
                await link.link_loop(session, loop, row, now=now, actor=actor)
        return loop.id


async def untag(river: River, post_id: int, *, actor: str) -> None:
    """Take a tag back: the post is new again, and its loop is dropped. Not possible once something was said."""
    async with river.db.begin() as session:
        glimpse = await session.get(Post, post_id)
        loop = await loops.lock(session, glimpse.loop_id) if glimpse is not None and glimpse.loop_id else None
        if glimpse is None:
            raise NotFoundError(f"there is no post {post_id}")
        if loop is None:
            raise ConflictError(f"post {post_id} is not tagged")
        now = river.now()
        others = [post for post, _ in await posts.of_loop(session, loop.id) if post.id != post_id]
        if loop.post_id != post_id and others:
            glimpse.state, glimpse.loop_id, glimpse.answers_reply_id = "new", None, None
            return
        said = await replies.of_loop(session, loop.id)
        if others or any(reply.state in SPOKEN for reply in said):
            raise ConflictError(f"loop {loop.id} has gone on already: drop it instead")
        for reply in said:
            cancel_reply(session, reply, why=f"the tag was taken back by {actor}", now=now, actor=actor)
        if loop.state != "open":
            await link.unlink_loop(session, loop, now=now, actor=actor)
        loop.state, loop.why, loop.needs_person, loop.tags = "dropped", f"the tag was taken back by {actor}", "", []
        glimpse.state, glimpse.loop_id = "new", None
        loops.note_event(session, at=now, what="dropped", why=loop.why, actor=actor, loop_id=loop.id)


async def settle_answer(river: River, post_id: int, *, answer: Answer, actor: str) -> int:
    """Decide what a customer's unclear answer means for its loop. Returns the loop's id."""
    async with river.db.begin() as session:
        glimpse = await session.get(Post, post_id)
        loop = await loops.lock(session, glimpse.loop_id) if glimpse is not None and glimpse.loop_id else None
        found = await posts.with_identity(session, post_id)
        if loop is None or found is None:
            raise NotFoundError(f"there is no answer {post_id} to a loop")
        post, identity = found
        goal = {"works": "verified", "still_broken": "reopened", "neither": loop.state}[answer]
        if not can_loop_move(loop.state, goal):  # type: ignore[arg-type]
            raise ConflictError(f"loop {loop.id} is {loop.state}: it cannot become {goal}")
        now = river.now()
        if answer == "still_broken":
            why = f"is still affected, as {actor} reads the answer"
            await hear_answer.reopen(session, loop, post, identity, why, now=now, actor=actor)
        else:
            post.state = "tagged"
        if answer == "neither":
            loop.needs_person = ""
            loops.note_event(session, at=now, what="answer settled", why="says neither", actor=actor, loop_id=loop.id)
    if answer == "works":
        await by_hand.move_loop_by_hand(river, loop.id, state="verified", actor=actor)
    river.wake()
    return loop.id


async def dismiss(river: River, post_id: int, *, actor: str) -> None:
    """Not a product issue. A tagged post has a loop and cannot be dismissed; dismissing twice is fine."""
    await _set(river, post_id, "dismissed", unless="tagged", why="is tagged: drop its loop instead", actor=actor)


async def restore(river: River, post_id: int, *, actor: str) -> None:
    """Back to triage. A tagged post is not away; restoring twice is fine."""
    await _set(river, post_id, "new", unless="tagged", why="is tagged already", actor=actor)


async def _set(river: River, post_id: int, state: str, *, unless: str, why: str, actor: str) -> None:
    async with river.db.begin() as session:
        glimpse = await session.get(Post, post_id)
        loop = await loops.lock(session, glimpse.loop_id) if glimpse is not None and glimpse.loop_id else None
        post = await session.get(Post, post_id, with_for_update=True)
        if post is None:
            raise NotFoundError(f"there is no post {post_id}")
        if post.state == unless:
            raise ConflictError(f"post {post_id} {why}")
        if post.state == state:
            return
        post.state = state
        if loop is not None and state == "dismissed":
            loop.needs_person = ""  # an answer that somebody dismissed asks nobody any more
        what = {"dismissed": "post dismissed", "new": "post restored"}[state]
        loops.note_event(session, at=river.now(), what=what, why=f"post {post_id}", actor=actor, loop_id=post.loop_id)

"""Step 2, link: a person ties a post to an issue, an existing one or a new one, and a loop is open."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from app.ports import OutsideError
from app.rules import matching, permission, platforms, quoting
from app.rules.facts import IssueFacts
from app.steps.health import record_illness
from app.steps.keep import copy_facts, keep_issue, new_marker
from app.steps.reply_moves import cancel_reply, decide_anew
from app.steps.river import River, platforms_of
from app.steps.turns import turn_to_write
from app.store import accounts, issues, loops, posts, replies
from app.store.session import Session
from app.store.tables import Identity, Issue, Link, Loop, Post, Tracker

log = structlog.get_logger(__name__)


class NotFoundError(LookupError):
    """What was named is not here; the message says what."""


class ConflictError(Exception):
    """What was asked does not fit the present state; the message says why and what would."""


async def open_loop(
    session: Session, *, post_id: int, tags: Sequence[str], now: datetime, actor: str
) -> tuple[Loop, bool]:
    """Tag a post: a loop for this customer in this thread. The second value is whether it is new.

    One customer has one loop in one thread. A further complaint after the answer opens that loop's
    next round; before the answer it joins the loop as it is.
    """
    found = await posts.with_identity(session, post_id)
    if found is None:
        raise NotFoundError(f"there is no post {post_id}")
    post, identity = found
    if post.gone_at is not None:
        raise ConflictError(f"post {post_id} was deleted by its author: nothing is left of it to tag")
    loop = await loops.of_thread(session, channel=post.channel, thread_id=post.thread_id, identity_id=post.identity_id)
    is_new = loop is None
    if loop is None:
        loop = Loop(
            channel=post.channel,
            thread_id=post.thread_id,
            identity_id=identity.id,
            post_id=post.id,
            state="open",
            why="tagged; no issue yet",
            tags=list(tags),
            round=1,
            owed=False,
            needs_person="",
            seen_at=post.taken_in_at,
            tagged_at=now,
        )
        session.add(loop)
        await session.flush()
        loops.note_event(session, at=now, what="tagged", why=", ".join(tags), actor=actor, loop_id=loop.id)
    else:
        loop.tags = sorted({*loop.tags, *tags})
        await follow_platform(session, loop)
        if loop.state in {"told", "verified", "declined", "dropped"} and post.id != loop.post_id:
            _next_round(session, loop, post, now=now, actor=actor)
        elif loop.state == "dropped":
            loop.state, loop.why, loop.tagged_at = "open", "tagged; no issue yet", now
            loops.note_event(session, at=now, what="tagged", why=", ".join(tags), actor=actor, loop_id=loop.id)
    post.state, post.loop_id = "tagged", loop.id
    return loop, is_new


def _next_round(session: Session, loop: Loop, post: Post, *, now: datetime, actor: str) -> None:
    loop.round += 1
    loop.state, loop.why, loop.post_id = "open", "the customer complained again; no issue yet", post.id
    loop.fixed_at = loop.shipped_at = loop.told_at = loop.verified_at = None
    loop.verification, loop.needs_person, loop.owed = None, "", False
    decide_anew(loop)
    loops.note_event(session, at=now, what="next round", why="complained again", actor=actor, loop_id=loop.id)


async def follow_platform(session: Session, loop: Loop) -> None:
    """A tag may name a platform: then what is on its way for the old one is not said, and the issue is looked at again."""
    issue = await loops.present_issue(session, loop.id)
    tracker = await session.get(Tracker, issue.tracker_id) if issue is not None else None
    if issue is None or tracker is None or loop.state in {"told", "verified"}:
        return
    platform = platforms.tagged(platforms_of(tracker), loop.tags)
    if platform != loop.platform:
        loop.platform = platform
        await issues.want_look(session, issue.id)
        await issues.want_block_for_loops(session, [loop.id])


async def find_issue(river: River, *, tracker_id: int, ref: str) -> int:
    """The issue a person names, read from its tracker and kept. OutsideError where there is none."""
    async with river.db.read() as session:
        tracker = await accounts.get(session, Tracker, tracker_id)
    if tracker is None:
        raise NotFoundError(f"there is no tracker {tracker_id}")
    try:
        facts = await river.outside.tracker(tracker).find(ref)
    except OutsideError as error:
        if error.kind in {"auth_broken", "suspended", "rate_limited"}:
            await record_illness(river, Tracker, tracker.id, tracker.version, error)
        raise
    river.point("link.issue_found")
    async with river.db.begin() as session:
        return (await keep_issue(session, tracker.id, facts, now=river.now())).id


async def draft_issue(
    session: Session,
    *,
    tracker_id: int,
    title: str,
    body: str,
    post: Post,
    now: datetime,
    head_start: timedelta = timedelta(0),
) -> Issue:
    """An issue that is still to be made in its tracker, by the worker.

    A caller who makes it right away (`create_issue`) takes a head start, so that the worker comes
    only where the caller did not.
    """
    if await accounts.get(session, Tracker, tracker_id) is None:
        raise NotFoundError(f"there is no tracker {tracker_id}")
    row = Issue(
        tracker_id=tracker_id,
        remote_id=None,
        marker=new_marker(),
        title=title.strip() or title_from(post),
        body=body,
        state="creating",
        why="is being made in the tracker",
        create_at=now + head_start,
        created_at=now,
    )
    session.add(row)
    await session.flush()
    return row


def title_from(post: Post) -> str:
    """A first title for a new issue, in the customer's own words; a private post lends none."""
    if post.visibility == "private":
        return "A customer reports a problem"
    return quoting.headline(post.text) or "A customer reports a problem"


async def link_loop(session: Session, loop: Loop, issue: Issue, *, now: datetime, actor: str) -> None:
    """Let a loop wait for an issue, in the place of any other it waited for."""
    present = await loops.present_issue(session, loop.id)
    if present is not None and present.id == issue.id:
        return
    if loop.state in {"told", "verified"}:
        raise ConflictError(
            f"loop {loop.id} is {loop.state}: it needs no other issue unless the customer complains again"
        )
    if present is not None:
        await unlink_loop(session, loop, now=now, actor=actor)
    session.add(Link(loop_id=loop.id, issue_id=issue.id, since=now))
    loop.state, loop.why, loop.linked_at = "linked", f"waits for {issue.ref or 'a new issue'}", now
    loop.needs_person = ""
    await session.flush()
    # Whatever is already known of the issue is read anew, and the loop moves with it.
    issue.look_wanted, issue.look_at = issue.look_wanted + 1, None
    issue.block_wanted += 1
    issue.pull_wanted += 1
    loops.note_event(
        session, at=now, what="linked", why=issue.ref or issue.title, actor=actor, loop_id=loop.id, issue_id=issue.id
    )


async def unlink_loop(session: Session, loop: Loop, *, now: datetime, actor: str) -> None:
    """Let a loop wait for nothing; what was going to be said about the issue is taken back."""
    if loop.state in {"told", "verified"}:
        raise ConflictError(f"loop {loop.id} is {loop.state}: its issue stays with it")
    await issues.want_block_for_loops(session, [loop.id])
    for reply in await replies.of_loop(session, loop.id):
        if reply.round == loop.round and reply.shipment_id is not None:
            cancel_reply(session, reply, why="its loop was unlinked from the issue", now=now)
    await loops.end_links(session, loop.id, now=now)
    loop.state, loop.why, loop.owed = "open", "tagged; no issue yet", False
    loop.linked_at = loop.fixed_at = loop.shipped_at = None
    loops.note_event(session, at=now, what="unlinked", actor=actor, loop_id=loop.id)


async def create_next(river: River) -> bool:
    """Make the issue that is due to be made. False where none is."""
    async with river.db.read() as session:
        issue = await issues.due(session, "create", now=river.now())
    if issue is None:
        return False
    await create_issue(river, issue.id)
    return True


async def create_issue(river: River, issue_id: int) -> bool:
    """Make one issue in its tracker, once. True when it is there; what failed is on its row.

    A call whose answer was lost may have made it: then it is looked for by its marker, and made
    again only when two looks, far enough from the call and from each other, did not find it.
    """
    async with river.db.begin() as session:
        now = await river.db.now(session)
        row = await issues.lock(session, issue_id)
        if row is None or row.state != "creating":
            return row is not None
        if row.claim is not None and row.claim_until is not None and row.claim_until > now:
            return False
        tracker = await accounts.get(session, Tracker, row.tracker_id)
        if tracker is None:
            return False
        token, called_at = secrets.token_hex(8), row.create_called_at
        if called_at is None and (later := await turn_to_write(river, session, tracker)) is not None:
            row.create_at, row.why = later, "waits its turn: the tracker bounds how much may be written at once"
            return False
        issues.claim_for(row, token=token, now=now, lease=river.timing.lease)
        if called_at is None:
            row.create_called_at = river.now()
    river.point("link.create_claimed")
    apart = river.timing.apart
    try:
        adapter = river.outside.tracker(tracker)
        if called_at is None:
            facts: IssueFacts | None = await adapter.create(title=row.title, body=row.body, marker=row.marker)
        else:
            facts = await adapter.find_created(marker=row.marker, since=row.created_at - timedelta(minutes=5))
    except OutsideError as error:
        await _create_failed(river, row, tracker, token, error, was_call=called_at is None)
        return False
    river.point("link.created")
    async with river.db.begin() as session:
        waiting = await loops.of_issue(session, issue_id)
        fresh = await issues.claimed(session, issue_id, token)
        if fresh is None:
            return False
        fresh.claim = fresh.claim_until = None
        if facts is None:
            _not_found_yet(fresh, called_at or river.now(), now=river.now(), apart=apart)
            return False
        twin = await issues.by_remote_id(session, tracker_id=tracker.id, remote_id=facts.remote_id)
        if twin is not None and twin.id != fresh.id:
            await _become_one(session, fresh, twin, waiting, now=river.now())
            return True
        copy_facts(fresh, facts)
        fresh.why, fresh.create_at = "just made", None
        fresh.look_wanted += 1
        fresh.block_wanted += 1
        for loop in waiting:
            loop.why = f"waits for {fresh.ref}"
        loops.note_event(session, at=river.now(), what="issue made", why=facts.ref, issue_id=fresh.id)
    log.info("issue made", issue_id=issue_id, tracker_id=tracker.id, ref=facts.ref)
    river.wake("look_at_issues", "show_engineers")
    return True


async def _become_one(session: Session, draft: Issue, twin: Issue, waiting: Sequence[Loop], *, now: datetime) -> None:
    """The issue was made, its answer was lost, and somebody linked it by its address meanwhile: it is one issue."""
    known = await issues.lock(session, twin.id) or twin
    for loop in waiting:
        await link_loop(session, loop, known, now=now, actor="")
    draft.state, draft.create_at, draft.why = "gone", None, f"it is {known.ref}, which somebody had linked meanwhile"
    await session.flush()
    draft.look_done, draft.block_done = draft.look_wanted, draft.block_wanted  # there is nothing to look at, or to show
    loops.note_event(session, at=now, what="issue made", why=known.ref, issue_id=known.id)


def _not_found_yet(row: Issue, called_at: datetime, *, now: datetime, apart: timedelta) -> None:
    """Look again, or, when it can no longer be on its way and was twice not there, make it anew."""
    if now >= called_at + apart * 2 and row.create_failures >= 2:
        row.create_called_at, row.create_failures, row.create_at = None, 0, now
        row.why = "it was not made; made again now"
        return
    if now >= called_at + apart:
        row.create_failures += 1
    row.create_at = max(called_at + apart, now + apart)
    row.why = "the tracker's answer was lost; looking whether the issue was made"


async def _create_failed(
    river: River, issue: Issue, tracker: Tracker, token: str, error: OutsideError, *, was_call: bool
) -> None:
    if error.kind in {"auth_broken", "suspended", "rate_limited"}:
        await record_illness(river, Tracker, tracker.id, tracker.version, error)
    async with river.db.begin() as session:
        waiting = await loops.of_issue(session, issue.id)
        row = await issues.claimed(session, issue.id, token)
        if row is None:
            return
        now = river.now()
        row.claim = row.claim_until = None
        row.why = f"could not be made yet: {error.message}"
        if was_call and error.kind != "unknown":
            row.create_called_at = None
        if was_call and error.kind == "unknown":
            row.create_failures = 0
            row.create_at = now + (river.timing.apart if error.in_flight else river.timing.backoff)
            return
        row.look_failures += 1
        wait = permission.wait_after(row.look_failures, first=river.timing.backoff)
        row.create_at = max(now + wait, error.retry_at or now)
        if error.permanent:
            row.create_at = now + permission.LONGEST_WAIT
            for loop in waiting:
                loop.why = loop.needs_person = f"the issue could not be made: {error.message}"
    log.warning("issue not made", issue_id=issue.id, tracker_id=tracker.id, kind=error.kind, why=error.message)


async def suggest(session: Session, post: Post, *, limit: int = 5) -> list[tuple[Issue, matching.Match, int]]:
    """Issues this post may be about, the likeliest first, with the reason and how many wait."""
    matches = matching.best(post.text, await issues.open_titles(session, limit=500), limit=limit)
    if not matches:
        return []
    keys = [match.key for match in matches]
    waiting, by_id = await issues.count_waiting(session, keys), await issues.by_ids(session, keys)
    return [(by_id[match.key], match, waiting.get(match.key, 0)) for match in matches]


async def author_of(session: Session, post: Post) -> Identity:
    """Who wrote a post."""
    identity = await session.get(Identity, post.identity_id)
    if identity is None:
        raise LookupError(f"post {post.id} has lost its author")
    return identity

"""Step 1, take_in: what customers said comes in, each post once, oldest first, and nothing is skipped."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from app.outside import setting
from app.ports import Channel, Kind, OutsideError, Threaded
from app.rules import addresses, facts
from app.rules.rereading import due_after
from app.steps import connect, reread
from app.steps.health import record_illness
from app.steps.reply_moves import cancel_reply
from app.steps.river import River
from app.store import accounts, loops, posts, replies
from app.store.session import SAME_MOMENT, Session
from app.store.tables import Account, Identity, Post

log = structlog.get_logger(__name__)

T = TypeVar("T")

THREADS = 10
"""How many threads one poll reads besides what the network tells by itself."""

THREAD_EVERY = timedelta(minutes=2)
"""How often one thread is read by polls at most; a person who asks for a poll has all of them read that wait longest."""

ANSWERED_WITHIN = timedelta(days=14)
"""For how long after our word a thread is read for its answer."""

ONE_THREAD_ONLY: frozenset[Kind] = frozenset({"gone", "forbidden", "invalid"})
"""Failures that say nothing about the other threads."""

AT_ONCE = 5
"""How often a page is begun anew that another account of ours overtook; each time it is further on."""

FIRST_DAYS = 3
"""How far back the first reading of an account goes, where its settings say nothing."""


async def take_in_next(river: River) -> bool:
    """Poll the account that is most overdue. False where none is due."""
    async with river.db.begin() as session:
        now = await river.db.now(session)
        account = await accounts.due_for_poll(session, Account, now=now)
        if account is None:
            return False
        token = _claim(river, account, now)
    await _take_in(river, account, token)
    return True


async def take_in(river: River, account_id: int) -> int:
    """Poll one account now. Returns how many posts are new; raises OutsideError where it cannot be read.

    Safe beside another poll of the same account: a post is one row, however often it is read.
    """
    async with river.db.begin() as session:
        account = await accounts.lock(session, Account, account_id)
        if account is None:
            raise LookupError(f"there is no account {account_id}")
        token = _claim(river, account, await river.db.now(session))
    return await _take_in(river, account, token, raises=True)


def _claim(river: River, account: Account, now: datetime) -> str:
    account.poll_token = secrets.token_hex(8)
    account.poll_until = now + river.timing.lease
    return account.poll_token


async def _take_in(river: River, account: Account, token: str, *, raises: bool = False) -> int:
    new = 0
    began = river.now()
    try:
        channel = river.outside.channel(account)
        since = began - timedelta(days=float(setting(account, "first_days", FIRST_DAYS)))
        async for page in channel.pull(cursor=account.cursor, since=since):
            river.point("take_in.read")
            await reread.follow_page(river, account.id, page.posts, page.gone)
            kept = tuple(post for post in page.posts if post.external_id not in page.gone)
            new += await _store(river, account.id, token, kept, page.cursor)
            river.point("take_in.stored")
        new += await _read_threads(river, channel, account, token, every=timedelta(0) if raises else THREAD_EVERY)
    except OutsideError as error:
        await record_illness(river, Account, account.id, account.version, error)
        async with river.db.begin() as session:
            await _poll_later(river, session, account.id, token, error.retry_at)
        if raises:
            raise
        return new
    may_not_speak, is_back = False, False
    async with river.db.begin() as session:
        row = await accounts.lock(session, Account, account.id)
        if row is not None and row.version == account.version:
            row.read_at = began
            may_not_speak, was_ok = row.blocked or row.mute, row.ok
            if not may_not_speak:
                accounts.mark_well(row, now=river.now())
                is_back = row.ok and not was_ok
        await _poll_later(river, session, account.id, token, None)
    if may_not_speak:
        # That it can be read does not mean that it may speak again.
        await connect.probe(river, Account, account.id)
    if is_back:
        async with river.db.begin() as session:  # by itself: replies are locked before accounts
            await replies.hurry(session, account.id, now=river.now())
        river.wake("deliver", "look_for_lost")
    if new:
        log.info("posts taken in", account_id=account.id, posts=new)
        river.wake("hear_answers")
    return new


async def _read_threads(river: River, channel: Channel, account: Account, token: str, *, every: timedelta) -> int:
    """Read the threads where an answer may stand that nobody told us of. Returns how many posts are new.

    OutsideError where the trouble is the account's or its network's; a thread that is gone is passed over.
    """
    if not isinstance(channel, Threaded):
        return 0
    new, now = 0, river.now()
    async with river.db.read() as session:
        waiting = await loops.threads_to_read(
            session, account_id=account.id, said_since=now - ANSWERED_WITHIN, read_before=now - every, limit=THREADS
        )
    for loop, post, identity in waiting:
        found: tuple[facts.Post, ...] = ()
        trouble: OutsideError | None = None
        try:
            found = await channel.read_thread(posts.as_fact(post, identity))
        except OutsideError as error:
            trouble = error
        river.point("take_in.thread_read")
        if found:
            await reread.follow_page(river, account.id, found)
            new += await _store(river, account.id, token, found, None)
        async with river.db.begin() as session:
            await loops.mark_thread_read(session, loop.id, now=now)
        if trouble is not None and trouble.kind not in ONE_THREAD_ONLY:
            raise trouble
    return new


async def _poll_later(river: River, session: Session, account_id: int, token: str, retry_at: datetime | None) -> None:
    row = await accounts.lock(session, Account, account_id)
    if row is None or row.poll_token != token:
        return
    row.poll_token = row.poll_until = None
    usual = river.now() + river.timing.poll_after(river.outside.channel_type_of(row).poll_every)
    row.poll_at = max(usual, retry_at) if retry_at else usual


async def _store(river: River, account_id: int, token: str, page: tuple[facts.Post, ...], cursor: str | None) -> int:
    return await begun_anew(partial(_store_once, river, account_id, token, page, cursor))


async def begun_anew(keep: Callable[[], Awaitable[T]]) -> T:
    """Keep something. Where somebody keeps the same post at the same moment, begin anew: it is there then."""
    for _ in range(AT_ONCE - 1):
        with contextlib.suppress(*SAME_MOMENT):
            return await keep()
    return await keep()


async def _store_once(
    river: River, account_id: int, token: str, page: tuple[facts.Post, ...], cursor: str | None
) -> int:
    """One page and the cursor behind it, in one transaction: neither is ever there without the other."""
    async with river.db.begin() as session:
        now = river.now()
        row = await accounts.lock(session, Account, account_id)
        if row is None:
            return 0
        new = 0
        for post in page:
            if not post.author.bot and post.author.external_id != row.remote_id:
                new += await keep_post(session, row, post, now=now) is not None
        if row.poll_token == token:
            row.poll_until = await river.db.now(session) + river.timing.lease
            if cursor is not None:
                row.cursor = cursor
        return new


def typed_id(url: str) -> str:
    """What a post that a person typed in is called until its network tells its name: by its address."""
    return f"hand:{addresses.same_place(url)}"


async def _take_over_typed(session: Session, account: Account, row: Post, post: facts.Post, *, now: datetime) -> None:
    """The network tells of a post that somebody had typed in: it is that row from now on, with its loop and replies."""
    before = await session.get(Identity, row.identity_id)
    identity = await posts.identity_of(session, channel=account.channel, author=post.author, now=now)
    if before is not None and before.suppressed_at is not None and identity.suppressed_at is None:
        identity.suppressed_at, identity.suppressed_by = before.suppressed_at, before.suppressed_by
        identity.suppressed_why = before.suppressed_why
    old_thread, old_identity, old_account = row.thread_id, row.identity_id, row.account_id
    row.account_id, row.external_id, row.canonical_id = account.id, post.external_id, post.canonical_id
    row.identity_id, row.created_at, row.read_again_at = identity.id, post.created_at, due_after(now)
    posts.fill(row, post)
    await session.flush()
    await replies.follow_post(session, row.id, account_id=account.id, canonical_id=row.canonical_id)
    loop = await loops.lock(session, row.loop_id) if row.loop_id is not None else None
    if loop is not None and old_account != account.id:
        # The text was fitted to another place: what nobody has in hand is made anew for this one.
        for reply in await replies.of_loop(session, loop.id):
            is_ours = reply.written_by is None and reply.state in {"awaiting_approval", "scheduled"}
            if is_ours and cancel_reply(
                session, reply, why="its post is answered through another account now", now=now
            ):
                loop.owed = False
    if loop is None or (loop.thread_id, loop.identity_id) != (old_thread, old_identity):
        return
    other = await loops.of_thread(session, channel=loop.channel, thread_id=row.thread_id, identity_id=identity.id)
    if other is None:
        loop.thread_id, loop.identity_id = row.thread_id, identity.id
    loops.note_event(session, at=now, what="post found", why="its network tells of it now", loop_id=loop.id)


async def keep_post(
    session: Session,
    account: Account,
    post: facts.Post,
    *,
    now: datetime,
    came_by: facts.CameBy = "network",
    is_context: bool = False,
) -> Post | None:
    """Store one post. None where it was here already (then it is brought up to date).

    `is_context`: it only stands beside a post that somebody wanted, and is nobody's to tag until the network tells
    us of it, or a person asks for it.
    """
    known = await posts.known(
        session, channel=account.channel, canonical_id=post.canonical_id, typed_id=typed_id(post.url)
    )
    if known is not None and known.came_by == "hand":
        await _take_over_typed(session, account, known, post, now=now)
        known.came_by = came_by
        return None
    if known is not None:
        if known.account_id != account.id and not await posts.is_connected(session, known.account_id):
            # The account was removed and connected again: its posts go on under the new one.
            known.account_id, known.external_id = account.id, post.external_id
            await loops.owe_anew(session, account_id=account.id, post_id=known.id)
        if known.account_id == account.id and posts.has_changed(known, post):
            if post.visibility != known.visibility:
                await loops.owe_anew(session, account_id=account.id, post_id=known.id)
            posts.fill(known, post)
        if came_by == "network":
            known.came_by = came_by
        if known.state == "context" and not is_context:
            known.state = "new"
        if known.account_id == account.id and known.gone_at is None and known.came_by != "hand":
            known.read_again_at = due_after(now)
        return None
    identity = await posts.identity_of(session, channel=account.channel, author=post.author, now=now)
    row = Post(
        account_id=account.id,
        channel=account.channel,
        external_id=post.external_id,
        canonical_id=post.canonical_id,
        identity_id=identity.id,
        created_at=post.created_at,
        taken_in_at=now,
        came_by=came_by,
        read_again_at=None if came_by == "hand" else due_after(now),
        state="context" if is_context else "new",
    )
    posts.fill(row, post)
    session.add(row)
    if post.answers_id:
        reply = await replies.by_external_id(
            session, channel=account.channel, account_id=account.id, external_id=post.answers_id
        )
        if reply is not None:
            row.answers_reply_id, row.loop_id, row.state = reply.id, reply.loop_id, "new"
    await session.flush()
    if row.loop_id is not None:
        loops.note_event(session, at=now, what="answered", why=f"by {identity.handle}", loop_id=row.loop_id)
    return row

"""Beside step 1: posts are read again, at least once a day, and what their authors changed or deleted is followed.

A post that is deleted on its network loses its words here: the row, its loop and their history stay. What was
said in answer stays too, since it is ours.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from app.outside import UnknownKindError
from app.ports import Channel, Kind, OutsideError, Rereading
from app.rules import facts, quoting, rereading
from app.rules.rereading import Gone, Hidden, Reading
from app.steps.health import BLOCKING, record_illness
from app.steps.reply_moves import cancel_reply, hold_reply
from app.steps.river import River
from app.store import accounts, deliveries, issues, loops, posts, replies
from app.store.locking import locked
from app.store.session import Session
from app.store.tables import Account, Identity, Issue, Loop, Post, Reply

log = structlog.get_logger(__name__)

ONE_POST_ONLY: frozenset[Kind] = frozenset({"gone", "forbidden", "invalid", "too_long"})
"""Failures that say nothing about the other posts of a batch."""

UNREAD = timedelta(hours=1)
"""When a post is tried again that could not be read, so that it keeps no other waiting."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """An account and those of its posts that are to be read again; `due_by` tells whether somebody has read one since."""

    account: Account
    about: Sequence[tuple[Post, Identity]]
    token: str
    due_by: datetime


async def reread_next(river: River) -> bool:
    """Read again some posts of the account whose turn it is. False where none are due."""
    batch = await _claim(river)
    if batch is None:
        return False
    river.point("reread.claimed")
    began = river.now()
    readings: Mapping[str, Reading] = {}
    trouble: OutsideError | None = None
    try:
        readings = await _read(river.outside.channel(batch.account), batch)
    except OutsideError as error:
        trouble = error
    except UnknownKindError as error:
        trouble = OutsideError(str(error), "misconfigured")
    river.point("reread.read")
    if trouble is None:
        await _record(river, batch, readings, began=began)
    river.point("reread.recorded")
    await _let_go(river, batch, trouble)
    return True


async def _claim(river: River) -> _Batch | None:
    async with river.db.begin() as session:
        now, lease_now = river.now(), await river.db.now(session)
        account = await posts.account_to_read_again(session, now=now, lease_now=lease_now)
        if account is None:
            return None
        kind = river.outside.registry.channels.get(account.channel)
        limit: int = getattr(kind, "rereads_at_once", rereading.ALONE)
        about = await posts.to_read_again(session, account_id=account.id, now=now, limit=limit)
        account.reread_token, account.reread_until = secrets.token_hex(8), lease_now + river.timing.lease
        return _Batch(account, about, account.reread_token, now)


async def _read(channel: Channel, batch: _Batch) -> Mapping[str, Reading]:
    """What the network says now of each; one left out is not known. OutsideError where the account or its network fails."""
    wanted = [posts.as_fact(post, identity) for post, identity in batch.about]
    readings: dict[str, Reading] = {}
    is_read = False
    if isinstance(channel, Rereading):
        try:
            for external_id, post in (await channel.reread(wanted)).items():
                readings[external_id] = Gone("it is deleted, or hidden from us") if post is None else post
            is_read = True
        except OutsideError as error:
            if error.kind not in ONE_POST_ONLY:
                raise
    if not is_read:
        for post in wanted[: rereading.ALONE]:
            reading = await _look(channel, post)
            if reading is not None:
                readings[post.external_id] = reading
    if readings and rereading.is_suspicious(readings.values()):
        # An account that was closed or robbed of its rights sees nothing, either: then this raises.
        await channel.connect()
    return readings


async def _look(channel: Channel, post: facts.Post) -> Reading | None:
    try:
        return (await channel.look(post)).post
    except OutsideError as error:
        if error.kind == "gone":
            return Gone(error.message)
        if error.kind == "forbidden":
            return Hidden(error.message)
        if error.kind in ONE_POST_ONLY:
            return None
        raise


async def _record(river: River, batch: _Batch, readings: Mapping[str, Reading], *, began: datetime) -> None:
    known: list[int] = []
    unread: list[int] = []
    for post, _ in batch.about:
        reading = readings.get(post.external_id)
        if reading is None:
            unread.append(post.id)
            continue
        try:
            await _follow(river, post, reading, due_by=batch.due_by)
        except Exception:  # one post's trouble keeps no other from being followed
            log.exception("a post could not be followed", post_id=post.id, account_id=batch.account.id)
            unread.append(post.id)
        else:
            known.append(post.id)
    async with river.db.begin() as session:
        then = rereading.due_after(began)
        await posts.read_again_at(session, known, due_by=batch.due_by, then=then)
        await posts.read_again_at(session, unread, due_by=batch.due_by, then=river.now() + UNREAD)


async def _follow(river: River, post: Post, reading: Reading, *, due_by: datetime) -> None:
    match reading:
        case Gone(why):
            await lose_words(river, post.id, why)
        case Hidden(why):
            await hide(river, post.id, why)
        case _ if posts.has_changed(post, reading):
            await follow_change(river, post.id, reading, read_before=due_by)


async def _let_go(river: River, batch: _Batch, trouble: OutsideError | None) -> None:
    """The account rests until its next batch; after trouble for longer. Its posts stay due meanwhile."""
    if trouble is not None:
        log.warning("posts not read again", account_id=batch.account.id, kind=trouble.kind, why=trouble.message)
        if trouble.kind in BLOCKING or trouble.kind == "misconfigured":
            await record_illness(river, Account, batch.account.id, batch.account.version, trouble)
    async with river.db.begin() as session:
        row = await accounts.lock(session, Account, batch.account.id)
        if row is None or row.reread_token != batch.token:
            return
        row.reread_token = row.reread_until = None
        now = river.now()
        row.reread_at = now + rereading.PAUSE
        if trouble is not None:
            # What the network asks for here binds only what is read again: speaking goes first.
            row.reread_at = max(now + max(river.timing.backoff, rereading.PAUSE), trouble.retry_at or now)


# What was found out, whoever read it ------------------------------------------------------------


async def follow_page(river: River, account_id: int, page: Sequence[facts.Post], gone: Sequence[str] = ()) -> None:
    """What a page that is about to be kept tells of posts that are here already: changes, and posts that are gone."""
    async with river.db.read() as session:
        account = await accounts.get(session, Account, account_id)
        if account is None:
            return
        lost = await posts.by_external_ids(session, account_id=account_id, external_ids=gone) if gone else ()
        told = {post.canonical_id: post for post in page}
        known = await posts.by_canonical_ids(session, channel=account.channel, canonical_ids=list(told)) if told else ()
        changed = [
            (row.id, told[row.canonical_id])
            for row in known
            if row.account_id == account_id and posts.has_changed(row, told[row.canonical_id])
        ]
    for post_id in lost:
        await lose_words(river, post_id, "its network says that it is deleted")
    for post_id, post in changed:
        await follow_change(river, post_id, post)


async def follow_change(river: River, post_id: int, post: facts.Post, *, read_before: datetime | None = None) -> None:
    """Write down what a post says now.

    What waits to be said about it is held, or read once more by its approver; engineers see the new words. With
    `read_before`, nothing is done where somebody has read the post since that moment: their reading is newer.
    """
    async with river.db.begin() as session:
        about = await _lock_about(session, post_id)
        if about is None:
            return
        row, now = about.post, river.now()
        if read_before is not None and (row.read_again_at is None or row.read_again_at > read_before):
            return
        if not posts.has_changed(row, post):
            return
        was_gone, was_visible = row.gone_at is not None, row.visibility
        says_the_same = rereading.says_the_same(row.text, post.text)
        before = row.edited_at
        posts.fill(row, post)
        if not says_the_same and not was_gone and row.edited_at == before:
            row.edited_at = now  # its network keeps no time of an edit: it was made by now
        row.gone_at, row.gone_why, row.read_again_at = None, "", rereading.due_after(now)
        if was_gone:
            _take_up_again(session, about, now=now)
        if was_gone or was_visible != row.visibility:
            await loops.owe_anew(session, account_id=row.account_id, post_id=row.id)
        if was_gone or was_visible != row.visibility or not says_the_same:
            await _show_anew(session, about)
        if says_the_same and not was_gone:
            return
        _hold_all(session, about, now=now)
        if row.heard_at is not None and not was_gone and about.loops:
            _ask_about_answer(about)
        what = "post is back" if was_gone else "post edited"
        _note(session, about, what=what, why="it can be read again" if was_gone else "its author changed it", now=now)
    log.info(what, post_id=post_id, account_id=row.account_id)


async def hide(river: River, post_id: int, why: str) -> None:
    """A post that is there, and not for us: it is kept as a private one, until it can be read again."""
    async with river.db.begin() as session:
        about = await _lock_about(session, post_id)
        if about is None or about.post.visibility == "private" or about.post.gone_at is not None:
            return
        about.post.visibility = "private"
        await _show_anew(session, about)
        _note(session, about, what="post hidden", why=f"{rereading.PRIVATE}: {why}", now=river.now())


async def lose_words(river: River, post_id: int, why: str) -> None:
    """A post is gone: its words leave every place here where they stand, and what waits to be said about it is not said.

    The public reply that somebody wrote by hand is left as it is, and so is what a tracker was already told in a
    comment of its own; the block on the issue is shown without the quote.
    """
    async with river.db.begin() as session:
        about = await _lock_about(session, post_id)
        if about is None or about.post.gone_at is not None:
            return
        row, now = about.post, river.now()
        _take_back_all(session, about, why=f"{rereading.GONE}: {why}", now=now)
        await _show_anew(session, about)
        await _forget_quotes(session, about)
        row.text = row.raw = row.content_warning = ""
        row.media, row.edited_at = [], None
        row.gone_at, row.gone_why, row.read_again_at = now, why, None
        await deliveries.forget_bodies(session, hook=f"accounts/{row.account_id}", naming=row.external_id)
        _note(session, about, what="post gone", why=f"{rereading.GONE}; its words are not kept", now=now)
    log.info("post gone", post_id=post_id, account_id=row.account_id, why=why)


@dataclass(frozen=True, slots=True)
class _About:
    """A post, what answers it and the loops it belongs to, all kept from other writers."""

    post: Post
    identity: Identity
    loops: Sequence[Loop]
    replies: Sequence[Reply]
    issues: Sequence[Issue]


async def _lock_about(session: Session, post_id: int) -> _About | None:
    waiting = await locked(session, Loop, await loops.about_post(session, post_id))
    answers = await replies.of_post(session, post_id)
    linked = await locked(session, Issue, await issues.ever_linked(session, list(waiting)))
    post = await posts.lock(session, post_id)
    identity = await session.get(Identity, post.identity_id) if post is not None else None
    if post is None or identity is None:
        return None
    return _About(post, identity, list(waiting.values()), answers, list(linked.values()))


def _note(session: Session, about: _About, *, what: str, why: str, now: datetime) -> None:
    for loop in about.loops:
        loops.note_event(session, at=now, what=what, why=why, loop_id=loop.id)


async def _show_anew(session: Session, about: _About) -> None:
    await session.flush()
    await issues.want_block_for_loops(session, [loop.id for loop in about.loops])


def _hold_all(session: Session, about: _About, *, now: datetime) -> None:
    """What is on its way was made for other words. What waits for a signature goes on waiting, and says so."""
    by_id = {loop.id: loop for loop in about.loops}
    for reply in about.replies:
        if reply.state in {"draft", "awaiting_approval"}:
            reply.why = rereading.CHANGED
        elif reply.state == "scheduled" and hold_reply(session, reply, why=rereading.CHANGED, now=now):
            loop = by_id.get(reply.loop_id)
            if loop is not None:
                loop.why = loop.needs_person = f"reply held: {rereading.CHANGED}"


def _take_back_all(session: Session, about: _About, *, why: str, now: datetime) -> None:
    """Nothing is said any more, and what a person was asked about it has no use."""
    by_id = {loop.id: loop for loop in about.loops}
    for reply in about.replies:
        asked, loop = reply.why, by_id.get(reply.loop_id)
        if cancel_reply(session, reply, why=why, now=now) and loop is not None:
            loop.why = f"reply cancelled: {why}"
            if asked and asked in loop.needs_person:
                loop.needs_person = ""


def _take_up_again(session: Session, about: _About, *, now: datetime) -> None:
    """It is back: what was refused because it was gone is decided on once more."""
    for reply in about.replies:
        if reply.state == "refused" and reply.why.startswith(rereading.GONE):
            cancel_reply(session, reply, why="the customer's post is back: decided on once more", now=now)
            for loop in about.loops:
                if loop.id == reply.loop_id and rereading.GONE in loop.needs_person:
                    loop.needs_person = ""


def _ask_about_answer(about: _About) -> None:
    about.post.state = "new"
    for loop in about.loops:
        if about.post.answers_reply_id is not None:
            loop.needs_person = "the customer changed the answer since it was heard: read it again"


async def _forget_quotes(session: Session, about: _About) -> None:
    """Take a post's words out of our own texts: what is to be told to engineers, and the reasons that cite an answer."""
    row, quote = about.post, quoting.neutralise(about.post.text)
    for notice in await issues.notices_of(session, [loop.id for loop in about.loops]):
        notice.text = rereading.without_quote(notice.text, quote)
    for issue in about.issues:
        issue.body = rereading.without_quote(issue.body, quote)
        if issue.state == "creating" and row.text and issue.title == quoting.headline(row.text):
            issue.title = "A customer reports a problem"
    if row.heard:
        redacted = partial(rereading.without_citation, heard=row.heard)
        for loop in about.loops:
            loop.why, loop.needs_person = redacted(loop.why), redacted(loop.needs_person)
            await loops.redact(session, loop.id, redacted=redacted)
        about.identity.suppressed_why = redacted(about.identity.suppressed_why)
        row.heard = redacted(row.heard)

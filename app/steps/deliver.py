"""Step 5, deliver: three strokes. Claim in one transaction; look and call with none open; record in another.

The order of the checks is the promise: the evidence is re-read, the thread is looked at, the switch
is asked, and only then do bytes leave, before a deadline that lies well within the claim. A crash in
between leaves `sending`, which becomes `unknown`, never 'send again'.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.http import last_word, must_leave_by
from app.ports import Channel, OutsideError
from app.rules import pace, permission, rereading
from app.rules.facts import Outgoing, OwnReply, Sent, ThreadLook
from app.rules.quoting import same_text
from app.steps import reread
from app.steps.health import BLOCKING, record_illness, record_mute
from app.steps.hear_tracker import look_at
from app.steps.owe import silence_of, untold_by
from app.steps.reply_moves import is_outcome_of_ours, make_task, record_told, set_reply
from app.steps.river import River
from app.steps.same_person import People, lock_people
from app.store import accounts, issues, loops, posts, replies
from app.store.locking import locked
from app.store.session import Session
from app.store.tables import Account, Attempt, Identity, Issue, Loop, Post, Reply, Shipment

log = structlog.get_logger(__name__)

LAST_WORD_HOLDS = 0.25
"""Seconds. A call that waits longer for its line asks once more before it speaks: the switch stops every word within a second."""


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What stroke one took with it; the rows are read-only from here on."""

    reply: Reply
    post: Post
    identity: Identity
    account: Account
    token: str
    number: int
    issue_id: int | None
    ledger: frozenset[str]
    leave_by: float
    began: float

    @property
    def ids(self) -> dict[str, int | None]:
        """What a line of the log about it names."""
        reply = self.reply
        return {
            "reply_id": reply.id,
            "loop_id": reply.loop_id,
            "issue_id": self.issue_id,
            "account_id": reply.account_id,
        }

    @property
    def what(self) -> str:
        return f"reply {self.reply.id} on {self.account.name}"


class StoppedError(Exception):
    """The reply does not leave now; `state` and the rest say how it is left instead."""

    def __init__(
        self,
        state: str,
        why: str,
        *,
        retry_at: datetime | None = None,
        counts: bool = False,
        asks_loop: bool = True,
    ) -> None:
        super().__init__(why)
        self.state, self.why, self.retry_at, self.counts, self.asks_loop = state, why, retry_at, counts, asks_loop


HIDDEN_AFTER = 5
"""How often a reply is looked for that the network took and does not show, until a person is told: some ten minutes."""

ANOTHER_DAY = timedelta(days=1)
"""Whoever is asked to come back later than this waits, for a new month's budget perhaps, and does not fail meanwhile."""

MOST = pace.MOST
"""Replies in one transaction: what many senders of a process do at the same time costs hardly more than for one."""

TO_POST = "to be posted by hand"

LINGER = 0.02
"""Seconds in which a stroke waits for others to come to it, where several came to the one before."""


async def deliver_next(river: River) -> bool:
    """Say a reply that is due. False where none is.

    Each of the three strokes is shared with whoever else in this process is at the same one.
    """
    claimed = await river.together("claim", _claim, most=MOST, linger=LINGER)(None)
    if claimed is None:
        return False
    try:
        river.point("deliver.claimed")
        try:
            await _say(river, claimed)
        except StoppedError as stopped:
            await _record_stop(river, claimed, stopped)
    finally:
        own = river.paces[claimed.account.id]
        had = own.room
        own.end(river.monotonic() - claimed.began)
        if own.room > had and own.room % 10 == 0:
            river.wake("deliver")  # some at a time: those who found no room before
    return True


async def _claim(river: River, askers: Sequence[None]) -> list[_Claimed | None]:
    """Stroke one: the claim, by compare-and-set, with its token and lease."""
    nothing: list[_Claimed | None] = [None] * len(askers)
    async with river.db.begin() as session:
        if not await replies.is_voice_on(session):
            return nothing
        # Measured before the lease is: whoever is stopped in between has less time to speak, never more.
        began, now = river.monotonic(), await river.db.now(session)
        free = {account_id: one.free for account_id, one in river.paces.items()}
        due = await replies.due(session, now=river.now(), limit=len(askers), free=free, usual=pace.FIRST)
        if not due:
            return nothing
        for reply in due:
            reply.claim, reply.claim_until = secrets.token_hex(16), now + river.timing.lease
            set_reply(session, reply, "sending", why="is being said", now=river.now())
            reply.attempts += 1
            if reply.key is None or reply.key_at is None or river.now() - reply.key_at > permission.KEY_LIVES:
                reply.key, reply.key_at = secrets.token_hex(16), river.now()
            session.add(
                Attempt(
                    reply_id=reply.id, number=reply.attempts, key=reply.key, started_at=river.now(), outcome="begun"
                )
            )
        # Half a lease is left for the whole second stroke; the call itself has its own, shorter limit.
        leave_by = began + (river.timing.lease / 2).total_seconds() - 0.001
        claimed = await _with_context(session, due, leave_by, began=began)
    for one in claimed:
        river.paces.setdefault(one.account.id, pace.Pace()).begin()
    return [*claimed, *nothing[len(claimed) :]]


async def _with_context(session: Session, claimed: Sequence[Reply], leave_by: float, *, began: float) -> list[_Claimed]:
    """Claimed replies with all that is needed to say or to find them."""
    about = await posts.with_identities(session, [reply.post_id for reply in claimed])
    present = await loops.present_issues(session, [reply.loop_id for reply in claimed])
    ledgers = {
        channel: await replies.ledgers_under(
            session,
            channel=channel,
            canonical_ids=[reply.parent_canonical_id for reply in claimed if reply.channel == channel],
        )
        for channel in sorted({reply.channel for reply in claimed})
    }
    found = []
    for reply in claimed:
        account = await session.get(Account, reply.account_id)
        if reply.post_id not in about or account is None or reply.claim is None:
            raise LookupError(f"reply {reply.id} has lost its post, its account or its claim")
        issue = present.get(reply.loop_id)
        post, identity = about[reply.post_id]
        found.append(
            _Claimed(
                reply=reply,
                post=post,
                identity=identity,
                account=account,
                token=reply.claim,
                number=reply.attempts,
                issue_id=issue.id if issue else None,
                ledger=ledgers[reply.channel][reply.parent_canonical_id],
                leave_by=leave_by,
                began=began,
            )
        )
    return found


async def _say(river: River, claimed: _Claimed) -> None:
    """Stroke two, and then three."""
    await _look_at_evidence(river, claimed)
    river.point("deliver.evidence_read")
    if claimed.reply.hand_by is not None:
        raise StoppedError("by hand", f"{claimed.reply.hand_by} had it in hand and has not said whether it was posted")
    if claimed.account.mode != "dry_run" and is_posted_by_hand(river, claimed.account, claimed.post):
        raise StoppedError("by hand", TO_POST)
    channel = _open(river, claimed)
    look = await _look_at_thread(river, claimed, channel)
    river.point("deliver.thread_read")
    match permission.before_sending(
        look,
        text=claimed.reply.text,
        ledger=claimed.ledger,
        owed_at=claimed.reply.owed_at,
        first_attempt_at=claimed.reply.first_attempt_at,
        reads_the_same=same_text,
    ):
        case permission.AlreadySaid(own):
            await record_posted(river, claimed, own, why="found in the thread")
            return
        case permission.Hold(why):
            raise StoppedError("held", why)
        case permission.Go():
            pass
    # By the words that were there when it was claimed: whoever noticed the change first, it was not made for these.
    if not rereading.says_the_same(claimed.post.text, look.post.text):
        raise StoppedError("held", rereading.CHANGED)
    if claimed.account.mode == "dry_run":
        raise StoppedError("held", "dry run: everything was done but the call", asks_loop=False)
    asked = await _last_word(river, claimed)
    river.point("deliver.before_call")
    try:
        sent = await _call(river, claimed, channel, asked)
    except OutsideError as error:
        river.point("deliver.call_failed")
        await _record_failure(river, claimed, error)
        return
    river.point("deliver.called")
    await record_posted(river, claimed, sent, why="said")
    river.point("deliver.recorded")


def is_posted_by_hand(river: River, account: Account, post: Post) -> bool:
    """Whether only a person can say something there, or is to: the network knows no name of a post that was typed in."""
    return account.mode == "by_hand" or post.came_by == "hand" or not river.outside.has_adapter(account)


async def _look_at_evidence(river: River, claimed: _Claimed) -> None:
    """The fix is still out, by the very evidence the text was frozen on; or the reply does not leave."""
    if claimed.reply.shipment_id is None and not is_outcome_of_ours(claimed.reply):
        return
    if claimed.issue_id is None:
        raise StoppedError("cancelled", "its loop waits for no issue any more")
    look = await look_at(river, claimed.issue_id, unless_read_since=river.now() - river.timing.last_look)
    if look.outcome == "busy":
        raise StoppedError("scheduled", look.why, retry_at=river.now() + timedelta(seconds=1))
    if look.outcome == "failed":
        raise StoppedError(
            "scheduled", f"the evidence could not be read again: {look.why}", retry_at=look.retry_at, counts=True
        )


def _open(river: River, claimed: _Claimed) -> Channel:
    try:
        return river.outside.channel(claimed.account)
    except OutsideError as error:
        raise StoppedError("scheduled", error.message, counts=True) from error


async def _look_at_thread(river: River, claimed: _Claimed, channel: Channel) -> ThreadLook:
    try:
        look = await channel.look(posts.as_fact(claimed.post, claimed.identity))
    except OutsideError as error:
        await _note_illness(river, claimed, error)
        if error.kind == "gone":
            await reread.lose_words(river, claimed.post.id, error.message)
            raise StoppedError("refused", f"{rereading.GONE}: {error.message}") from error
        if error.kind == "forbidden":
            await reread.hide(river, claimed.post.id, error.message)
            raise StoppedError("refused", f"the customer's post cannot be answered: {error.message}") from error
        raise StoppedError("scheduled", error.message, retry_at=error.retry_at, counts=True) from error
    if posts.has_changed(claimed.post, look.post):
        await reread.follow_change(river, claimed.post.id, look.post)
    return look


async def _note_illness(river: River, claimed: _Claimed, error: OutsideError) -> None:
    if error.kind in BLOCKING or error.kind in {"rate_limited", "misconfigured"}:
        await record_illness(river, Account, claimed.account.id, claimed.account.version, error)


async def _last_word(river: River, claimed: _Claimed) -> float:
    """The last moment before the call. Returns when the answer was true, by the monotonic clock."""
    asked, first_attempt_at = await river.together("last word", _last_words, most=MOST, linger=LINGER)(claimed)
    claimed.reply.first_attempt_at = first_attempt_at
    return asked


async def _last_words(river: River, claimed: Sequence[_Claimed]) -> list[tuple[float, datetime] | StoppedError]:
    """The switch, the claims, the evidence, any hold and the customer's own wish, all in one look; for each reply, or why it does not leave."""
    asked = river.monotonic()
    async with river.db.begin() as session:
        waiting = await locked(session, Loop, [one.reply.loop_id for one in claimed])
        people = await lock_people(session, list(waiting.values()))
        rows = await locked(session, Reply, [one.reply.id for one in claimed])
        is_voice_on = await replies.is_voice_on(session)
        present = await loops.present_issues(session, [row.loop_id for row in rows.values()])
        shipments = await issues.present_shipments(session, sorted({issue.id for issue in present.values()}))
        attempts = await replies.last_attempts(session, list(rows))
        words: list[tuple[float, datetime] | StoppedError] = []
        for one in claimed:
            row, loop = rows.get(one.reply.id), waiting.get(one.reply.loop_id)
            if row is None or row.claim != one.token or row.state != "sending":
                words.append(StoppedError("lost", "the claim was taken over"))
                continue
            issue = present.get(row.loop_id)
            account = await accounts.get(session, Account, row.account_id)
            shipment = shipments.get((issue.id, loop.platform)) if issue and loop else None
            stopped = _why_not(row, loop, issue, shipment, account, is_voice_on)
            if stopped is None and loop is not None and row.written_by is None:
                stopped = _why_not_them(river, people, row, loop, issue, shipment)
            if stopped is None and river.monotonic() >= one.leave_by:
                stopped = StoppedError("scheduled", "took too long before the call; tried again", asks_loop=False)
            if stopped is not None:
                words.append(stopped)
                continue
            row.first_attempt_at = row.first_attempt_at or river.now()
            if row.id in attempts:
                attempts[row.id].outcome = "calling"
            people.goes_out(row.id)
            words.append((asked, row.first_attempt_at))
        return words


def _why_not(
    row: Reply,
    loop: Loop | None,
    issue: Issue | None,
    shipment: Shipment | None,
    account: Account | None,
    is_voice_on: bool,
) -> StoppedError | None:
    """Why a claimed reply must not leave, by what stands in the database now; None where it may."""
    if not is_voice_on:
        return StoppedError("scheduled", "the public voice is switched off", asks_loop=False)
    if account is None:
        return StoppedError("held", "the account was removed")
    if is_outcome_of_ours(row):
        if loop is None or issue is None or loop.state != "declined":
            return StoppedError("cancelled", f"not declined any more: {issue.why if issue else 'no issue'}")
        if issue.held_at is not None:
            return StoppedError("held for its issue", issue.held_why)
        return None
    if row.shipment_id is None:
        return None
    if loop is None or issue is None or shipment is None or loop.state != "shipped":
        why = issue.why_on(loop.platform if loop else "") if issue else "no issue"
        return StoppedError("cancelled", f"not shipped any more: {why}")
    if shipment.digest != row.evidence_digest:
        return StoppedError("renew", "the evidence changed: the text is made anew")
    if issue.held_at is not None and row.written_by is None:
        return StoppedError("held for its issue", issue.held_why)
    return None


def _why_not_them(
    river: River, people: People, row: Reply, loop: Loop, issue: Issue | None, shipment: Shipment | None
) -> StoppedError | None:
    """Why a reply that nobody wrote must not reach this customer; `owe` then says how their loop goes on."""
    if not people.is_sure_of(loop):
        return StoppedError("scheduled", "the customer was joined or parted in this moment", asks_loop=False)
    how = "renew" if row.kind == "fixed" else "cancelled"
    if why := silence_of(people.of_loop[loop.id]):
        return StoppedError(how, why)
    if row.kind != "fixed" or issue is None or shipment is None or loop.tell_by:
        return None
    told = people.told_already(loop, issue, shipment, only_out=True)
    return StoppedError("renew", untold_by(river, told[0])) if told is not None else None


async def what_stops(
    river: River, session: Session, people: People, row: Reply, loop: Loop, account: Account | None
) -> StoppedError | None:
    """Why a reply that a person is to post must not be, by what stands in the database now; None where it may.

    Its loop, the people behind that and the reply itself are locked.
    """
    issue = await loops.present_issue(session, row.loop_id)
    shipment = await issues.present_shipment(session, issue.id, platform=loop.platform) if issue else None
    stopped = _why_not(row, loop, issue, shipment, account, await replies.is_voice_on(session))
    if stopped is None and row.written_by is None:
        stopped = _why_not_them(river, people, row, loop, issue, shipment)
    return stopped


async def _call(river: River, claimed: _Claimed, channel: Channel, asked: float) -> Sent:
    """The one call that speaks, bounded twice: nothing leaves after `leave_by`, nothing is awaited beyond the call's limit."""
    reply = claimed.reply

    async def ask_again_if_long_ago() -> None:
        nonlocal asked
        if river.monotonic() >= asked + LAST_WORD_HOLDS:
            asked = await _last_word(river, claimed)

    outgoing = Outgoing(
        text=reply.text,
        post=posts.as_fact(claimed.post, claimed.identity),
        key=reply.key or "",
        visibility=reply.visibility,  # type: ignore[arg-type]
        language=reply.language,
        content_warning=reply.content_warning,
        created_at=reply.key_at or river.now(),
    )
    mark, word = must_leave_by.set(claimed.leave_by), last_word.set(ask_again_if_long_ago)
    try:
        async with asyncio.timeout(river.timing.call.total_seconds() * 1.5):
            return await channel.send(outgoing)
    except TimeoutError as error:
        raise OutsideError(f"{claimed.what}: no answer in time", "unknown", in_flight=True) from error
    finally:
        must_leave_by.reset(mark)
        last_word.reset(word)


async def record_posted(river: River, claimed: _Claimed, said: Sent | OwnReply, *, why: str) -> None:
    """Stroke three where it was said. Also where the claim was lost meanwhile: what was said is said."""
    await river.together("record", _record_all_posted, most=MOST, linger=LINGER)((claimed, said, why))


_Posted = tuple[_Claimed, Sent | OwnReply, str]


async def _record_all_posted(river: River, posted: Sequence[_Posted]) -> list[Exception | None]:
    try:
        await _record_posted(river, posted)
    except Exception:
        if len(posted) == 1:
            raise
        # What one of them cannot have written down must not keep the others from it: they were said.
        log.exception("replies could not be recorded together", replies=[one.reply.id for one, _, _ in posted])
        return [await _record_alone(river, one) for one in posted]
    return [None] * len(posted)


async def _record_alone(river: River, one: _Posted) -> Exception | None:
    try:
        await _record_posted(river, [one])
    except Exception as error:  # noqa: BLE001  (its own sender hears it)
        return error
    return None


async def _record_posted(river: River, posted: Sequence[_Posted]) -> None:
    async with river.db.begin() as session:
        waiting = await locked(session, Loop, [one.reply.loop_id for one, _, _ in posted])
        rows = await locked(session, Reply, [one.reply.id for one, _, _ in posted])
        attempts = await replies.last_attempts(session, list(rows))
        now = river.now()
        new: list[tuple[Reply, Sent | OwnReply]] = []
        written: list[tuple[_Claimed, str]] = []
        for one, said, why in posted:
            row = rows.get(one.reply.id)
            if row is None or row.state == "posted":
                continue
            if row.claim != one.token:
                log.warning("the claim was taken over, and the reply was said all the same", **one.ids)
            write_posted(
                river,
                session,
                row,
                external_id=said.external_id,
                url=said.url,
                visible=said.visible,
                why=why,
                now=now,
            )
            _end(attempts.get(row.id), "posted", why, now)
            if (loop := waiting.get(row.loop_id)) is not None:
                record_told(session, loop, row, now=now)
            new.append((row, said))
            written.append((one, why))
        await issues.want_block_for_loops(session, [row.loop_id for row, _ in new])
        for account_id in sorted({row.account_id for row, _ in new}):
            ours = {said.external_id: row for row, said in new if row.account_id == account_id}
            for external_id in await posts.are_answered(session, account_id=account_id, external_ids=list(ours)):
                row = ours[external_id]
                await posts.attach_answers(
                    session, account_id=account_id, external_id=external_id, reply_id=row.id, loop_id=row.loop_id
                )
            account = await accounts.lock(session, Account, account_id)
            if account is not None:
                account.sent_at = now
                if account.mute and any(row.account_id == account_id and isinstance(said, Sent) for row, said in new):
                    account.mute = False
                    accounts.mark_well(account, now=now)
    for one, why in written:
        log.info("reply posted", **one.ids, why=why)


def write_posted(
    river: River,
    session: Session,
    row: Reply,
    *,
    external_id: str | None,
    url: str | None,
    visible: bool,
    why: str,
    now: datetime,
    actor: str = "",
) -> None:
    """It was said, whatever became of it here meanwhile. Without an `external_id` where a person posted it."""
    row.external_id, row.url, row.posted_at, row.visible = external_id, url, now, visible
    row.claim = row.claim_until = row.absent_at = row.absent_from = None
    row.in_flight, row.failures, row.failing_since = False, 0, None
    if row.state not in {"sending", "unknown", "held", "refused"}:
        row.state = "unknown"  # the table knows no other way here: a person moved it while it was being said
    set_reply(session, row, "posted", why=why if visible else "awaiting moderation", now=now, actor=actor)
    if not visible:
        row.due_at = now + river.timing.apart


async def _end_attempt(session: Session, row: Reply, outcome: str, detail: str, now: datetime) -> None:
    _end(await replies.last_attempt(session, row.id), outcome, detail, now)


def _end(attempt: Attempt | None, outcome: str, detail: str, now: datetime) -> None:
    if attempt is not None and attempt.ended_at is None:
        attempt.ended_at, attempt.outcome, attempt.detail = now, outcome, detail


async def _record_stop(river: River, claimed: _Claimed, stopped: StoppedError) -> None:
    """The reply did not leave: nothing was said, and the state says why."""
    async with river.db.begin() as session:
        loop = await loops.lock(session, claimed.reply.loop_id)
        is_task = stopped.state == "by hand" and loop is not None
        people = await lock_people(session, [loop]) if is_task and loop is not None else None
        row = await replies.claimed(session, claimed.reply.id, claimed.token)
        if row is None or row.state != "sending":
            return
        now = river.now()
        if people is not None and loop is not None:
            account = await accounts.get(session, Account, row.account_id)
            stopped = await what_stops(river, session, people, row, loop, account) or stopped
        row.claim = row.claim_until = None
        await _end_attempt(session, row, f"not sent: {stopped.state}", stopped.why, now)
        match stopped.state:
            case "renew" | "cancelled":
                take_back(session, row, loop, stopped, now=now)
            case "held for its issue":
                row.issue_hold = True
                set_reply(session, row, "held", why=f"not for customers yet: {stopped.why}", now=now)
            case "by hand":
                row.failures, row.failing_since, row.key, row.key_at = 0, None, None, None
                make_task(session, row, why=stopped.why, now=now, taken_by=row.hand_by)
            case "held":
                set_reply(session, row, "held", why=stopped.why, now=now)
            case "refused":
                set_reply(session, row, "refused", why=stopped.why, now=now)
            case _:
                _try_later(river, session, row, why=stopped.why, retry_at=stopped.retry_at, counts=stopped.counts)
        if stopped.asks_loop:
            _ask_a_person(loop, row)
    log.info("reply not sent", **claimed.ids, state=row.state, why=stopped.why)


def take_back(session: Session, row: Reply, loop: Loop | None, stopped: StoppedError, *, now: datetime) -> None:
    """It is not true any more, or not for this customer; `owe` decides anew where it may be said in other words."""
    row.approved_by = None
    set_reply(session, row, "cancelled", why=stopped.why, now=now)
    if loop is not None and stopped.state == "renew":
        loop.owed = False


def _ask_a_person(loop: Loop | None, row: Reply) -> None:
    """A reply that goes no further by itself is never forgotten: its loop says so."""
    if loop is not None and row.state in {"held", "refused"}:
        loop.why = loop.needs_person = f"reply {row.state}: {row.why}"


def _try_later(
    river: River, session: Session, row: Reply, *, why: str, retry_at: datetime | None, counts: bool
) -> None:
    """Back to `scheduled`, later each time; after seven days of failures a person decides."""
    now = river.now()
    if counts:
        row.failures += 1
        row.failing_since = row.failing_since or now
        if permission.is_too_old(row.failing_since, now):
            set_reply(session, row, "held", why=f"failing for seven days: {why}", now=now)
            return
        wait = permission.wait_after(row.failures, first=river.timing.backoff)
        row.due_at = max(now + wait, retry_at or now)
        if row.due_at - now > ANOTHER_DAY:
            row.failing_since = None
    else:
        row.due_at = retry_at or now
    set_reply(session, row, "scheduled", why=why, now=now)


async def _record_failure(river: River, claimed: _Claimed, error: OutsideError) -> None:
    """Stroke three where the call failed: definitely not said, or nobody knows yet."""
    if error.kind in BLOCKING:
        await record_mute(river, claimed.account.id, claimed.account.version, error)
    else:
        await _note_illness(river, claimed, error)
    async with river.db.begin() as session:
        loop = await loops.lock(session, claimed.reply.loop_id)
        row = await replies.claimed(session, claimed.reply.id, claimed.token)
        if row is None or row.state != "sending":
            return
        now = river.now()
        row.claim = row.claim_until = None
        await _end_attempt(session, row, error.kind, error.message, now)
        if error.kind == "unknown":
            make_unknown(river, session, row, why=error.message, in_flight=error.in_flight)
        elif error.permanent:
            row.key = row.key_at = None
            set_reply(session, row, "refused", why=error.message, now=now)
        else:
            # A definite refusal: the next attempt is a new one, with a key of its own.
            row.key = row.key_at = None
            account = await session.get(Account, row.account_id)
            is_ours = account is None or account.version == claimed.account.version
            # A refusal of credentials that were replaced meanwhile says nothing about the new ones.
            _try_later(river, session, row, why=error.message, retry_at=error.retry_at, counts=is_ours)
        _ask_a_person(loop, row)
    log.warning("reply not posted", **claimed.ids, kind=error.kind, why=error.message)


def make_unknown(river: River, session: Session, row: Reply, *, why: str, in_flight: bool) -> None:
    """Nobody knows whether it was said: look in the thread, at once and then again when it counts."""
    now = river.now()
    row.in_flight = in_flight
    row.failing_since = row.failing_since or now
    row.absent_at = None
    # An answered error is no proof either: behind it the server may still be working.
    row.absent_from = now + river.timing.apart
    row.due_at = now
    if not in_flight:
        row.key = row.key_at = None  # an answered failure: a later attempt is a new one
    set_reply(session, row, "unknown", why=f"{why}; looking in the thread", now=now)


async def take_over_next(river: River) -> bool:
    """A reply whose sender was not heard of for a whole lease becomes `unknown`. False where there is none."""
    async with river.db.begin() as session:
        now = await river.db.now(session)
        seen = await replies.abandoned(session, now=now)
        if seen is None:
            return False
        loop = await loops.lock(session, seen.loop_id)
        row = await replies.lock(session, seen.id)
        if row is None or row.state != "sending" or row.claim_until is None or row.claim_until >= now:
            return True  # somebody else was quicker
        row.claim = row.claim_until = None
        attempt = await replies.last_attempt(session, row.id)
        was_calling = attempt is None or attempt.outcome != "begun"
        await _end_attempt(session, row, "unknown", "the process that was saying it ended", river.now())
        if was_calling:
            row.first_attempt_at = row.first_attempt_at or (row.key_at or row.owed_at)
            make_unknown(river, session, row, why="the process that was saying it ended", in_flight=True)
        else:
            # It died before the last word: the call cannot have been made, and its claim is over.
            why = "the process ended before saying it"
            _try_later(river, session, row, why=why, retry_at=None, counts=True)
        _ask_a_person(loop, row)
    log.warning("reply taken over", reply_id=row.id, loop_id=row.loop_id, account_id=row.account_id, state=row.state)
    return True


async def look_for_next(river: River) -> bool:
    """Look in the thread for a reply whose outcome is unknown, or that a moderator holds. False where none is due."""
    async with river.db.begin() as session:
        reply = await replies.due_for_a_look(session, now=river.now())
        if reply is None:
            return False
        reply.claim, reply.claim_until = secrets.token_hex(16), await river.db.now(session) + river.timing.lease
        began = river.monotonic()
        [claimed] = await _with_context(session, [reply], began, began=began)
    river.point("recover.claimed")
    await look_for(river, claimed)
    return True


async def look_for_now(river: River, reply_id: int) -> None:
    """The same for one reply, because a person asks."""
    async with river.db.begin() as session:
        reply = await replies.lock(session, reply_id)
        if reply is None or reply.state != "unknown":
            return
        reply.claim, reply.claim_until = secrets.token_hex(16), await river.db.now(session) + river.timing.lease
        began = river.monotonic()
        [claimed] = await _with_context(session, [reply], began, began=began)
    await look_for(river, claimed)


async def look_for(river: River, claimed: _Claimed) -> None:
    """Read the thread, and conclude what can be concluded. A look shows what was there when it began, however long it took."""
    reply, now = claimed.reply, river.now()
    if claimed.account.deleted_at is not None:
        await _leave_to_a_person(river, claimed, "its account was removed, and nobody knows whether it was said")
        return
    try:
        look = await river.outside.channel(claimed.account).look(posts.as_fact(claimed.post, claimed.identity))
    except OutsideError as error:
        await _note_illness(river, claimed, error)
        if error.kind == "gone":
            await reread.lose_words(river, claimed.post.id, error.message)
        await _look_failed(river, claimed, error)
        return
    river.point("recover.thread_read")
    if reply.state == "posted":
        await _see_whether_visible(river, claimed, look)
        return
    conclusion = permission.after_a_lost_answer(
        look,
        text=reply.text,
        ledger=claimed.ledger,
        first_attempt_at=reply.first_attempt_at or reply.owed_at,
        now=now,
        absent_from=reply.absent_from or now,
        absent_at=reply.absent_at,
        apart=river.timing.apart,
        reads_the_same=same_text,
    )
    if isinstance(conclusion, permission.AlreadySaid):
        await record_posted(river, claimed, conclusion.own, why="found in the thread")
        return
    async with river.db.begin() as session:
        loop = await loops.lock(session, claimed.reply.loop_id)
        row = await replies.claimed(session, reply.id, claimed.token)
        if row is None or row.state != "unknown":
            return
        row.claim = row.claim_until = None
        if isinstance(conclusion, permission.LookAgain):
            row.why = conclusion.why
            row.due_at = conclusion.at
            if look.authoritative and row.absent_at is None and now >= (row.absent_from or now):
                row.absent_at = now
            return
        # Nobody's answer can be on its way any more and two looks agree: it was not said.
        row.absent_at = row.absent_from = None
        if row.shipment_id is not None:
            issue = await loops.present_issue(session, row.loop_id)
            shipment = (
                await issues.present_shipment(session, issue.id, platform=loop.platform) if issue and loop else None
            )
            if loop is None or loop.state != "shipped" or shipment is None:
                set_reply(session, row, "cancelled", why="it was not said, and is not true any more", now=now)
                return
        if row.stopped_by:
            set_reply(session, row, "held", why="it was not said", now=now)
            return
        _try_later(river, session, row, why="it was not said; tried again", retry_at=None, counts=True)
        if row.state == "scheduled":
            row.due_at = now
        _ask_a_person(loop, row)


async def _leave_to_a_person(river: River, claimed: _Claimed, why: str) -> None:
    async with river.db.begin() as session:
        loop = await loops.lock(session, claimed.reply.loop_id)
        row = await replies.claimed(session, claimed.reply.id, claimed.token)
        if row is not None and row.state == "unknown":
            row.claim = row.claim_until = None
            set_reply(session, row, "held", why=why, now=river.now())
            _ask_a_person(loop, row)


async def _look_failed(river: River, claimed: _Claimed, error: OutsideError) -> None:
    async with river.db.begin() as session:
        loop = await loops.lock(session, claimed.reply.loop_id)
        row = await replies.claimed(session, claimed.reply.id, claimed.token)
        if row is None:
            return
        now = river.now()
        row.claim = row.claim_until = None
        if row.state == "unknown" and error.kind in {"gone", "forbidden"}:
            # The thread is no longer to be read, so nobody can know; nothing is said again.
            set_reply(session, row, "refused", why=f"the customer's post is gone or hidden: {error.message}", now=now)
            _ask_a_person(loop, row)
            return
        row.failures += 1
        if row.state == "unknown" and permission.is_too_old(row.failing_since, now):
            set_reply(session, row, "held", why=f"nobody can tell whether it was said: {error.message}", now=now)
            _ask_a_person(loop, row)
            return
        row.due_at = max(now + permission.wait_after(row.failures, first=river.timing.backoff), error.retry_at or now)


async def _see_whether_visible(river: River, claimed: _Claimed, look: ThreadLook) -> None:
    async with river.db.begin() as session:
        loop = await loops.lock(session, claimed.reply.loop_id)
        row = await replies.claimed(session, claimed.reply.id, claimed.token)
        if row is None:
            return
        row.claim = row.claim_until = None
        ours: OwnReply | None = next((own for own in look.own_replies if own.external_id == row.external_id), None)
        if ours is not None and ours.visible:
            row.visible, row.why = True, "said"
            if loop is not None:
                if row.failures >= HIDDEN_AFTER:
                    loop.needs_person = ""
                record_told(session, loop, row, now=river.now())
            return
        row.failures += 1
        row.due_at = river.now() + permission.wait_after(row.failures, first=river.timing.backoff)
        if row.failures == HIDDEN_AFTER and loop is not None and not loop.needs_person:
            loop.needs_person = (
                "our reply was taken, and nobody can read it: a moderator or the thread's author hides it"
            )
            loops.note_event(session, at=river.now(), what="reply hidden", why=loop.needs_person, loop_id=loop.id)

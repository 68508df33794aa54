"""A reply as a task: a person posts the frozen text where no adapter can, and says so. It is never said twice for that.

A task is a reply that is `held` with `hand_at`. Whoever takes it (`hand_by`) is the only one who is to post it; no
process says it meanwhile. What a person says to have posted is believed, also where the task was withdrawn under
their hands: what was said is said.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from app.steps import deliver
from app.steps.by_hand import check_evidence, reply_with_loop
from app.steps.link import ConflictError, NotFoundError
from app.steps.reply_moves import is_only_approved, let_go, make_task, record_told, set_reply
from app.steps.river import River
from app.steps.same_person import lock_people
from app.store import issues, loops, replies
from app.store.locking import locked
from app.store.session import Session
from app.store.tables import Account, Attempt, Loop, Post, Reply

log = structlog.get_logger(__name__)

MAY_BE_THERE = "an earlier attempt may have said it already: look in the thread before you post it"

_NOT_TAKEN = {
    "posted": "it was said already",
    "sending": "it is being said right now",
    "cancelled": "it was cancelled: try it again first",
}


async def take_over(river: River, reply_id: int, *, actor: str, may_sign: bool) -> None:
    """Take a reply to post it oneself. The evidence is read once more; where it is gone, nothing is to be posted.

    Also one that is a task of somebody else. What is no task yet is taken out of its way only by who may sign
    (`may_sign`), and is signed by that. ConflictError says why not.
    """
    async with river.db.read() as session:
        glimpse = await session.get(Reply, reply_id)
    if glimpse is None:
        raise NotFoundError(f"there is no reply {reply_id}")
    _check_can_be_taken(river, glimpse, may_sign=may_sign)
    await check_evidence(river, reply_id)
    river.point("hand.evidence_read")
    async with river.db.begin() as session:
        waiting = await loops.lock(session, glimpse.loop_id)
        people = await lock_people(session, [waiting] if waiting is not None else [])
        row, loop = await reply_with_loop(session, reply_id)
        _check_can_be_taken(river, row, may_sign=may_sign)
        account = await session.get(Account, row.account_id)
        stopped = await deliver.what_stops(river, session, people, row, loop, account)
        if stopped is not None and row.hand_at is not None and stopped.state in {"renew", "cancelled"}:
            deliver.take_back(session, row, loop, stopped, now=river.now())
        elif stopped is None:
            _take(river, session, row, loop, actor=actor, may_sign=may_sign)
    if stopped is not None:
        river.wake("owe")
        raise ConflictError(f"not to be posted: {stopped.why}")
    river.point("hand.taken")
    log.info("reply taken over", reply_id=reply_id, loop_id=loop.id, account_id=row.account_id)


def _take(river: River, session: Session, row: Reply, loop: Loop, *, actor: str, may_sign: bool) -> None:
    is_unsure = row.state == "unknown" or (row.hand_at is not None and row.absent_from is not None)
    if may_sign:
        row.approved_by = row.approved_by or actor
    row.claim = row.claim_until = None
    row.stopped_by, row.issue_hold, row.failures, row.failing_since = None, False, 0, None
    if not is_unsure:
        row.absent_from = None
    why = f"{actor} posts it by hand"
    make_task(session, row, why=f"{why}; {MAY_BE_THERE}" if is_unsure else why, now=river.now(), taken_by=actor)
    loop.why = loop.needs_person = f"reply held: {why}"


def _check_can_be_taken(river: River, row: Reply, *, may_sign: bool) -> None:
    if row.state in _NOT_TAKEN:
        raise ConflictError(f"reply {row.id} is {row.state}: {_NOT_TAKEN[row.state]}")
    if row.hand_at is None and not may_sign:
        raise ConflictError(f"reply {row.id} is no task to post by hand: only an approver takes it out of its way")
    if row.state != "unknown" or row.absent_from is None:
        return
    # As late as a process would conclude from two looks that it is not there.
    not_before = row.absent_from + river.timing.apart
    if river.now() < not_before:
        seconds = int((not_before - river.now()).total_seconds()) + 1
        raise ConflictError(f"the call may still be on its way: it can be posted by hand in {seconds} seconds")


async def record_posted(river: River, reply_id: int, *, actor: str, url: str = "") -> None:
    """'I posted it', or: I see it there. Said twice, by whomever, it counts once; `url` is where it stands, if known."""
    async with river.db.begin() as session:
        row, loop = await reply_with_loop(session, reply_id)
        if row.state == "posted":
            row.url = row.url or url or None
            return
        if row.state == "sending":
            raise ConflictError(f"reply {reply_id} is being said right now: look again in a minute")
        if row.hand_at is None and row.hand_by is None and row.state != "unknown":
            raise ConflictError(f"reply {reply_id} is {row.state} ({row.why}): take it over first, then post it")
        now = river.now()
        was = row.why if row.hand_at is None and row.state != "unknown" else ""
        row.attempts += 1
        session.add(
            Attempt(
                reply_id=row.id,
                number=row.attempts,
                started_at=row.hand_at or now,
                ended_at=now,
                outcome="posted",
                detail=f"by hand, as {actor} says",
            )
        )
        row.hand_by = actor
        why = f"posted by hand, as {actor} says"
        deliver.write_posted(
            river, session, row, external_id=None, url=url or None, visible=True, why=why, now=now, actor=actor
        )
        if loop.needs_person.startswith("reply "):
            loop.needs_person = ""
        record_told(session, loop, row, now=now)
        if was and not loop.needs_person:
            # It had been taken back under their hands; a look at the evidence settles what is true of it now.
            loop.why = f"posted by hand though it was taken back: {was}"
            if (issue := await loops.present_issue(session, loop.id)) is not None:
                await issues.want_look(session, issue.id)
        await issues.want_block_for_loops(session, [loop.id])
    river.point("hand.posted")
    log.info("reply posted by hand", reply_id=reply_id, loop_id=loop.id, account_id=row.account_id)
    river.wake("show_engineers", "look_at_issues")


async def give_back(river: River, reply_id: int, *, actor: str) -> None:
    """'I did not post it': it waits for somebody else, or goes the account's own way again."""
    async with river.db.begin() as session:
        row, loop = await reply_with_loop(session, reply_id)
        if row.hand_by is None or row.state == "posted":
            raise ConflictError(f"reply {reply_id} is {row.state} ({row.why}): nobody has taken it to post it")
        if row.hand_at is None:
            row.hand_by = None  # it was taken back under their hands, and goes its own way from here
            what, why = "reply given back", f"{actor} did not post it"
            loops.note_event(session, at=river.now(), what=what, why=why, actor=actor, loop_id=loop.id, reply_id=row.id)
            return
        await _give_back(river, session, row, loop, why=f"{actor} did not post it", actor=actor)
    river.wake("deliver", "look_for_lost")


Tasks = Sequence[tuple[Reply, Loop]]


async def lock_untaken(session: Session, account_id: int) -> Tasks:
    """What waits for a person to post it through an account and that nobody has taken, locked before its account is."""
    ids = await replies.untaken_tasks(session, account_id)
    glimpses = [await session.get(Reply, reply_id) for reply_id in ids]
    of = await locked(session, Loop, sorted({row.loop_id for row in glimpses if row is not None}))
    rows = (await locked(session, Reply, ids)).values()
    return [(row, of[row.loop_id]) for row in rows if row.hand_at is not None and row.hand_by is None]


async def give_all_back(river: River, session: Session, tasks: Tasks) -> None:
    """An account speaks by itself again: what waited for a person goes its way."""
    for row, loop in tasks:
        await _give_back(river, session, row, loop, why="its account speaks by itself again", actor="")


async def _give_back(river: River, session: Session, row: Reply, loop: Loop, *, why: str, actor: str) -> None:
    now = river.now()
    account, post = await session.get(Account, row.account_id), await session.get(Post, row.post_id)
    row.hand_by = None
    is_gone = account is None or post is None or account.deleted_at is not None
    if account is None or post is None or is_gone or deliver.is_posted_by_hand(river, account, post):
        make_task(session, row, why=f"{why}; {deliver.TO_POST}", now=now)
        loop.why = loop.needs_person = f"reply held: {row.why}"
        return
    if loop.needs_person.startswith("reply "):
        loop.needs_person = ""
    if row.absent_from is not None:
        row.absent_at, row.due_at = None, now
        set_reply(session, row, "unknown", why=f"{why}; looking in the thread", now=now, actor=actor)
        return
    needs_approval = account.mode == "approve" or is_only_approved(row)
    let_go(session, row, needs_approval=needs_approval, why=why, now=now, actor=actor)

"""What people do by hand with replies, loops and issues. The caller opens the transaction where none needs the outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from app.ports import Price
from app.rules.facts import ReplyKind
from app.rules.progress import LoopState, can_loop_move, move_loop
from app.steps import deliver, hear_answer, owe
from app.steps.hear_tracker import look_or_wait
from app.steps.link import ConflictError, NotFoundError, draft_issue, follow_platform, link_loop, unlink_loop
from app.steps.price import price_of
from app.steps.reply_moves import (
    cancel_reply,
    hold_for_issue,
    hold_reply,
    is_only_approved,
    is_outcome_of_ours,
    let_go,
    set_reply,
)
from app.steps.river import River
from app.store import accounts, issues, loops, posts, replies
from app.store.session import Session
from app.store.tables import Account, Identity, Issue, Loop, Note, Post, Reply

log = structlog.get_logger(__name__)

CHANGEABLE = frozenset({"draft", "awaiting_approval", "scheduled", "held", "cancelled", "refused"})


class EvidenceGoneError(ConflictError):
    """What the reply says is not true any more; nothing was said."""


async def reply_with_loop(session: Session, reply_id: int) -> tuple[Reply, Loop]:
    """A reply and its loop, the loop locked first, as everywhere."""
    glimpse = await session.get(Reply, reply_id)
    loop = await loops.lock(session, glimpse.loop_id) if glimpse else None
    reply = await replies.lock(session, reply_id)
    if reply is None or loop is None:
        raise NotFoundError(f"there is no reply {reply_id}")
    return reply, loop


async def _account_of(session: Session, reply: Reply) -> Account:
    account = await accounts.get(session, Account, reply.account_id)
    if account is None:
        raise ConflictError("its account was removed: connect it again first")
    return account


async def _refuse_if_silent(session: Session, reply: Reply, loop: Loop) -> None:
    """ConflictError where a text of ours would go to somebody who is not to be answered automatically."""
    identity = await session.get(Identity, loop.identity_id)
    if reply.written_by is None and identity is not None and (why := owe.silence_of(identity)):
        raise ConflictError(f"{why}: lift that first, or write to them yourself")


async def check_evidence(river: River, reply_id: int) -> None:
    """Read the evidence of a reply anew. EvidenceGoneError where it does not stand any more."""
    async with river.db.read() as session:
        reply = await session.get(Reply, reply_id)
        if reply is None:
            raise NotFoundError(f"there is no reply {reply_id}")
        issue = await loops.present_issue(session, reply.loop_id)
    is_outcome = is_outcome_of_ours(reply)
    if reply.shipment_id is None and not is_outcome:
        return
    if issue is None:
        raise EvidenceGoneError("its loop waits for no issue any more: nothing was said")
    look = await look_or_wait(river, issue.id)
    if look.outcome != "done":
        raise ConflictError(f"the evidence could not be read again ({look.why}): nothing was said, try again")
    if is_outcome:
        async with river.db.read() as session:
            loop = await session.get(Loop, reply.loop_id)
        if loop is None or loop.state != "declined":
            raise EvidenceGoneError(f"not declined any more ({loop.why if loop else 'gone'}): nothing was said")
        return
    async with river.db.read() as session:
        loop = await session.get(Loop, reply.loop_id)
        platform = loop.platform if loop is not None else ""
        shipment = await issues.present_shipment(session, issue.id, platform=platform)
        fresh = await session.get(Issue, issue.id)
    if shipment is None:
        why = fresh.why_on(platform) if fresh else "gone"
        raise EvidenceGoneError(f"not shipped any more ({why}): nothing was said")
    if reply.kind == "fixed" and reply.written_by is None and shipment.digest != reply.evidence_digest:
        raise EvidenceGoneError("the evidence changed: the text is made anew, look at it again")


async def approve(river: River, reply_id: int, *, actor: str) -> None:
    """Sign a reply. The evidence is read once more; where it is gone, EvidenceGoneError, and nothing is said."""
    await check_evidence(river, reply_id)
    async with river.db.begin() as session:
        reply, loop = await reply_with_loop(session, reply_id)
        if reply.state not in {"awaiting_approval", "draft"}:
            raise ConflictError(
                f"reply {reply_id} is {reply.state} ({reply.why}): only one that waits for it can be approved"
            )
        await _refuse_if_silent(session, reply, loop)
        await _account_of(session, reply)
        reply.approved_by = actor
        let_go(session, reply, needs_approval=False, why=f"approved by {actor}", now=river.now(), actor=actor)
    river.wake("deliver", "look_at_issues", "show_engineers", "tell_engineers")


async def hold(river: River, reply_id: int, *, actor: str) -> None:
    """Keep a reply until somebody lets it go."""
    async with river.db.begin() as session:
        reply, _ = await reply_with_loop(session, reply_id)
        if not hold_reply(session, reply, why=f"held by {actor}", now=river.now(), actor=actor):
            raise ConflictError(f"reply {reply_id} is {reply.state}: it is too late to hold it")


async def release(river: River, reply_id: int, *, actor: str) -> None:
    """Let a held reply go: to its approver, or out."""
    async with river.db.begin() as session:
        reply, loop = await reply_with_loop(session, reply_id)
        if reply.state != "held":
            raise ConflictError(f"reply {reply_id} is {reply.state}, not held")
        await _refuse_if_silent(session, reply, loop)
        account = await _account_of(session, reply)
        let_go(
            session,
            reply,
            needs_approval=account.mode == "approve",
            why=f"released by {actor}",
            now=river.now(),
            actor=actor,
        )
        loop.needs_person = ""
    river.wake("deliver", "look_at_issues", "show_engineers", "tell_engineers")


async def cancel(river: River, reply_id: int, *, actor: str) -> None:
    """Take a reply back for good; only a person's `retry` brings it again."""
    async with river.db.begin() as session:
        reply, loop = await reply_with_loop(session, reply_id)
        if reply.state == "cancelled":
            reply.stopped_by = actor
            return
        if not cancel_reply(session, reply, why=f"cancelled by {actor}", now=river.now(), actor=actor):
            raise ConflictError(
                f"reply {reply_id} is {reply.state}: "
                + ("it was said" if reply.state == "posted" else "it may have been said, the thread is being looked at")
            )
        loop.needs_person = ""


async def retry(river: River, reply_id: int, *, actor: str) -> None:
    """Try again what was held, refused or cancelled; from `unknown` only after a look in the thread."""
    async with river.db.read() as session:
        reply = await session.get(Reply, reply_id)
    if reply is None:
        raise NotFoundError(f"there is no reply {reply_id}")
    if reply.state == "unknown":
        await deliver.look_for_now(river, reply_id)
        async with river.db.read() as session:
            reply = await session.get(Reply, reply_id)
        if reply is not None and reply.state == "unknown":
            raise ConflictError(f"nobody knows yet whether it was said: {reply.why}")
        river.wake("deliver", "look_at_issues", "show_engineers", "tell_engineers")
        return
    if reply.state not in {"held", "refused", "cancelled"}:
        raise ConflictError(f"reply {reply_id} is {reply.state}: there is nothing to retry")
    if reply.kind == "fixed" and reply.written_by is None:
        await _look_and_owe_anew(river, reply_id, actor=actor)
    else:
        await check_evidence(river, reply_id)
        async with river.db.begin() as session:
            row, loop = await reply_with_loop(session, reply_id)
            await _refuse_if_silent(session, row, loop)
            account = await _account_of(session, row)
            row.failures, row.failing_since = 0, None
            let_go(
                session,
                row,
                needs_approval=account.mode == "approve",
                why=f"tried again by {actor}",
                now=river.now(),
                actor=actor,
            )
    river.wake("deliver", "look_at_issues", "show_engineers", "tell_engineers")


async def _look_and_owe_anew(river: River, reply_id: int, *, actor: str) -> None:
    """An automatic reply is tried again on evidence and a text of today."""
    async with river.db.read() as session:
        reply = await session.get(Reply, reply_id)
        issue = await loops.present_issue(session, reply.loop_id) if reply else None
    if issue is None:
        raise EvidenceGoneError("its loop waits for no issue any more")
    look = await look_or_wait(river, issue.id)
    if look.outcome != "done":
        raise ConflictError(f"the evidence could not be read again ({look.why}), try again")
    async with river.db.begin() as session:
        row, loop = await reply_with_loop(session, reply_id)
        shipment = await issues.present_shipment(session, issue.id, platform=loop.platform)
        if shipment is None or loop.state != "shipped":
            raise EvidenceGoneError(f"not shipped ({loop.why}): nothing was said")
        await _refuse_if_silent(session, row, loop)
        if loop.untold:
            loop.tell_by = actor
        loop.untold, loop.waits_on = "", None
        account = await _account_of(session, row)
        now = river.now()
        found = await posts.with_identity(session, loop.post_id)
        if found is None:
            raise NotFoundError("its post is gone")
        if row.evidence_digest != shipment.digest:
            frozen = owe.freeze(
                river,
                await owe.own_templates(session, "fixed"),
                kind="fixed",
                post=found[0],
                identity=found[1],
                account=account,
                shipment=shipment,
            )
            owe.refreeze(row, frozen, now=now)
            row.shipment_id, row.evidence_digest = shipment.id, shipment.digest
        if row.state == "refused":
            # The table knows the way back only through `scheduled`; approval, where it is asked for, was given.
            row.approved_by = row.approved_by or actor
        row.owed_at = now
        let_go(
            session, row, needs_approval=account.mode == "approve", why=f"tried again by {actor}", now=now, actor=actor
        )
        loop.needs_person = ""


async def edit(river: River, reply_id: int, *, text: str, actor: str) -> None:
    """Put a person's words in place of the text. Frozen anew, and signed anew where signing is asked for."""
    async with river.db.begin() as session:
        reply, _ = await reply_with_loop(session, reply_id)
        if reply.state not in CHANGEABLE:
            raise ConflictError(f"reply {reply_id} is {reply.state}: its text cannot be changed any more")
        is_task = reply.hand_at is not None
        if is_task and reply.hand_by not in {None, actor}:
            raise ConflictError(f"{reply.hand_by} is posting it: its text stays until they say whether they did")
        if is_task and reply.absent_from is not None:
            raise ConflictError("these words may be there already: only by them can the reply be found")
        account = await _account_of(session, reply)
        found = await posts.with_identity(session, reply.post_id)
        if found is None:
            raise NotFoundError("its post is gone")
        frozen = by_a_person(river, account, text, post=found[0], found=found, language=reply.language)
        owed_at = reply.owed_at
        owe.refreeze(reply, frozen, now=river.now())
        reply.owed_at = owed_at
        loops.note_event(
            session, at=river.now(), what="reply edited", actor=actor, loop_id=reply.loop_id, reply_id=reply.id
        )
        if (reply.state == "scheduled" or is_task) and (account.mode == "approve" or is_only_approved(reply)):
            set_reply(
                session,
                reply,
                "awaiting_approval",
                why=f"edited by {actor}; waits for an approver",
                now=river.now(),
                actor=actor,
            )
        else:
            reply.why = (
                f"edited by {actor}"
                if reply.state != "awaiting_approval"
                else f"edited by {actor}; waits for an approver"
            )


def by_a_person(
    river: River, account: Account, text: str, *, post: Post, found: tuple[Post, object], language: str | None
) -> owe.Frozen:
    """A person's words on their channel. They are never cut: ValueError says by how much they are too long."""
    identity = found[1]
    channel = river.outside.wording_channel(account)
    envelope = channel.envelope(posts.as_fact(post, identity))  # type: ignore[arg-type]
    body = text.strip()
    if not body:
        raise ConflictError("a reply needs words")
    whole = body if envelope.prefix and body.startswith(envelope.prefix) else envelope.prefix + body
    count = channel.count(whole, content_warning=envelope.content_warning)
    if count > envelope.limit:
        raise TooLongByHandError(count, envelope.limit)
    return owe.Frozen(
        text=whole,
        count=count,
        limit=envelope.limit,
        cut=False,
        language=envelope.language or language,
        visibility=envelope.visibility,
        content_warning=envelope.content_warning,
    )


class TooLongByHandError(ConflictError):
    """A person's text does not fit; it is never cut for them."""

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(f"the text counts {count} with everything the network adds, and {limit} are allowed")
        self.count, self.limit = count, limit


async def write(river: River, loop_id: int, *, text: str, kind: ReplyKind, actor: str) -> int:
    """A person's own reply to a loop's customer. Returns its id."""
    async with river.db.begin() as session:
        loop = await loops.lock(session, loop_id)
        found = await posts.with_identity(session, loop.post_id) if loop else None
        if loop is None or found is None:
            raise NotFoundError(f"there is no loop {loop_id}")
        post = found[0]
        account = await accounts.get(session, Account, post.account_id)
        if account is None:
            raise ConflictError("its account was removed: connect it again first")
        slot = (
            kind if kind == "fixed" else await replies.next_slot(session, loop_id=loop_id, round_=loop.round, kind=kind)
        )
        taken = await replies.in_slot(session, loop_id=loop_id, round_=loop.round, slot=slot)
        if taken is not None:
            raise ConflictError(
                f"reply {taken.id} is this round's answer already ({taken.state}): edit or retry that one"
            )
        frozen = by_a_person(river, account, text, post=post, found=found, language=post.language)
        now = river.now()
        ours = await replies.in_slot(session, loop_id=loop_id, round_=loop.round, slot=kind)
        if ours is not None and is_only_approved(ours):
            cancel_reply(session, ours, why=f"{actor} wrote another", now=now, actor=actor)
        reply = owe.new_reply(loop, post, account, kind=kind, slot=slot, frozen=frozen, now=now, written_by=actor)
        session.add(reply)
        await session.flush()
        if account.mode == "approve":
            set_reply(session, reply, "awaiting_approval", why="waits for an approver", now=now, actor=actor)
        else:
            set_reply(session, reply, "scheduled", why=f"written by {actor}", now=now, actor=actor)
    river.wake("deliver", "look_at_issues", "show_engineers", "tell_engineers")
    return reply.id


async def hold_issue(river: River, issue_id: int, *, why: str, actor: str) -> None:
    """'Not for customers yet': nothing about this issue goes out by itself until it is released."""
    async with river.db.begin() as session:
        await loops.of_issue(session, issue_id)
        issue = await issues.lock(session, issue_id)
        if issue is None:
            raise NotFoundError(f"there is no issue {issue_id}")
        now = river.now()
        issue.held_at, issue.held_why = now, why
        issue.pull_wanted += 1
        for reply in await replies.unspoken_of_issue(session, issue_id):
            if reply.written_by is None:
                hold_for_issue(session, reply, why=why, now=now, actor=actor)
        loops.note_event(session, at=now, what="held", why=why, actor=actor, issue_id=issue_id)


async def release_issue(river: River, issue_id: int, *, actor: str) -> None:
    """Customers may hear of it now."""
    async with river.db.begin() as session:
        await loops.of_issue(session, issue_id)
        issue = await issues.lock(session, issue_id)
        if issue is None:
            raise NotFoundError(f"there is no issue {issue_id}")
        now = river.now()
        issue.held_at, issue.held_why = None, ""
        issue.pull_wanted += 1
        for reply in await replies.unspoken_of_issue(session, issue_id):
            if reply.state == "held" and reply.issue_hold and reply.stopped_by is None:
                account = await accounts.get(session, Account, reply.account_id)
                needs = account is not None and account.mode == "approve"
                let_go(session, reply, needs_approval=needs, why=f"released by {actor}", now=now, actor=actor)
        loops.note_event(session, at=now, what="released", actor=actor, issue_id=issue_id)
    river.wake("deliver", "look_at_issues", "show_engineers", "tell_engineers")


async def move_loop_by_hand(
    river: River, loop_id: int, *, state: Literal["dropped", "verified", "linked", "open", "reopened"], actor: str
) -> None:
    """Close, verify, reopen or take up a loop again. UnlawfulMoveError where the table has no such move."""
    async with river.db.begin() as session:
        loop = await loops.lock(session, loop_id)
        if loop is None:
            raise NotFoundError(f"there is no loop {loop_id}")
        now = river.now()
        before: LoopState = loop.state  # type: ignore[assignment]
        if state == "reopened" and can_loop_move(before, "reopened"):
            found = await posts.with_identity(session, loop.post_id)
            if found is None:
                raise NotFoundError("its post is gone")
            await hear_answer.reopen(
                session, loop, found[0], found[1], f"is said by {actor} to still have the problem", now=now, actor=actor
            )
            river.wake("deliver", "look_at_issues", "show_engineers", "tell_engineers")
            return
        issue = await loops.present_issue(session, loop_id)
        if state == "linked" and issue is None:
            raise ConflictError(f"loop {loop_id} waits for no issue: link one first")
        goal: LoopState = "linked" if state == "open" and issue is not None else state
        loop.state = move_loop(before, goal)
        loop.why, loop.needs_person = f"{goal} by {actor}", ""
        if goal == "verified":
            loop.verified_at, loop.verification = now, "confirmed"
        if goal in {"dropped", "verified"}:
            for reply in await replies.of_loop(session, loop_id):
                if reply.round == loop.round:
                    cancel_reply(session, reply, why=f"its loop was {goal} by {actor}", now=now, actor=actor)
        if goal == "linked" and issue is not None:
            await issues.want_look(session, issue.id)
        await issues.want_block_for_loops(session, [loop_id])
        loops.note_event(session, at=now, what=goal, why=loop.why, actor=actor, loop_id=loop_id)
    river.wake("deliver", "look_at_issues", "show_engineers", "tell_engineers")


async def relink(river: River, loop_id: int, issue_id: int | None, *, actor: str) -> None:
    """Let a loop wait for another issue, or for none."""
    async with river.db.begin() as session:
        loop = await loops.lock(session, loop_id)
        if loop is None:
            raise NotFoundError(f"there is no loop {loop_id}")
        if issue_id is None:
            await unlink_loop(session, loop, now=river.now(), actor=actor)
            return
        issue = await issues.lock(session, issue_id)
        if issue is None:
            raise NotFoundError(f"there is no issue {issue_id}")
        await link_loop(session, loop, issue, now=river.now(), actor=actor)
    river.wake("deliver", "look_at_issues", "show_engineers", "tell_engineers")


async def relink_to_new(river: River, loop_id: int, *, tracker_id: int, title: str, body: str, actor: str) -> None:
    """Let a loop wait for an issue that is still to be made; the worker makes it."""
    async with river.db.begin() as session:
        loop = await loops.lock(session, loop_id)
        post = await session.get(Post, loop.post_id) if loop is not None else None
        if loop is None or post is None:
            raise NotFoundError(f"there is no loop {loop_id}")
        now = river.now()
        issue = await draft_issue(session, tracker_id=tracker_id, title=title, body=body, post=post, now=now)
        await link_loop(session, loop, issue, now=now, actor=actor)
    river.wake()


async def change_loop(
    river: River,
    loop_id: int,
    *,
    tags: Sequence[str] | None = None,
    team: str | None = None,
    assignee: str | None = None,
    actor: str,
) -> None:
    """Change a loop's tags, team or assignee; what is None stays, and an empty text clears."""
    async with river.db.begin() as session:
        loop = await loops.lock(session, loop_id)
        if loop is None:
            raise NotFoundError(f"there is no loop {loop_id}")
        before = (list(loop.tags), loop.team, loop.assignee)
        if tags is not None:
            loop.tags = list(tags)
            await follow_platform(session, loop)
        if team is not None:
            loop.team = team or None
        if assignee is not None:
            loop.assignee = assignee or None
        if before != (list(loop.tags), loop.team, loop.assignee):
            words = [f"tags {', '.join(loop.tags) or 'none'}", f"team {loop.team or 'none'}"]
            why = "; ".join([*words, f"assigned to {loop.assignee or 'nobody'}"])
            loops.note_event(session, at=river.now(), what="changed", why=why, actor=actor, loop_id=loop_id)
    river.wake("look_at_issues")


async def note(river: River, loop_id: int, *, text: str, actor: str) -> Note:
    """Write something for colleagues; it never leaves Fullcircle."""
    async with river.db.begin() as session:
        if await session.get(Loop, loop_id) is None:
            raise NotFoundError(f"there is no loop {loop_id}")
        row = Note(loop_id=loop_id, author=actor, text=text, at=river.now())
        session.add(row)
        await session.flush()
        return row


@dataclass(frozen=True, slots=True)
class Counted:
    """How long a text would be on its network, how long it may be, and what saying it would cost."""

    length: int
    limit: int
    price: Price | None = None


async def count_words(river: River, reply_id: int, *, text: str) -> Counted:
    """How a text would count in the place of a reply's, with all that the network adds."""
    async with river.db.read() as session:
        reply = await session.get(Reply, reply_id)
        if reply is None:
            raise NotFoundError(f"there is no reply {reply_id}")
        account = await _account_of(session, reply)
        found = await posts.with_identity(session, reply.post_id)
    if found is None:
        raise NotFoundError("its post is gone")
    try:
        frozen = by_a_person(river, account, text, post=found[0], found=found, language=reply.language)
    except TooLongByHandError as error:
        return Counted(error.count, error.limit)
    return Counted(frozen.count, frozen.limit, price_of(river, account, frozen.text))

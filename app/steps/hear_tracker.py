"""Step 3, hear_tracker: a webhook or a poll hints, the issue is re-read, and its loops move with what was found.

Per issue one look at a time; a counter says that another is due. A look is three strokes: claim in
one transaction, read with none open, write in another if the claim still stands.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog

from app.ports import OutsideError, Redelivering
from app.ports import Tracker as Adapter
from app.rules import permission, platforms, shipping
from app.rules.facts import Evidence, IssueFacts, IssueReading
from app.rules.following import A_PERSON_DECIDES, follow_verdict
from app.rules.progress import LoopState, can_loop_move
from app.rules.same_person import ELSEWHERE
from app.rules.showing import pull_of
from app.steps.health import record_illness
from app.steps.keep import copy_facts, keep_issue
from app.steps.link import link_loop
from app.steps.owe import draft_correction, draft_outcome
from app.steps.read import UnreadError, lacks_code, read_issue
from app.steps.reply_moves import cancel_reply, decide_anew
from app.steps.river import JobName, River, policy_of
from app.store import accounts, deliveries, issues, loops, posts, replies
from app.store.locking import locked
from app.store.session import Session
from app.store.tables import Account, Issue, Loop, Reply, Shipment, Tracker

log = structlog.get_logger(__name__)

TOLD_RECENTLY = timedelta(days=30)
"""For so long after we spoke, the evidence we spoke on is re-read on every poll."""


MOST_DELIVERIES = 500
"""Webhook calls that are worked in one transaction."""

NEXT: dict[str, JobName] = {"trackers": "look_at_issues", "accounts": "take_in"}
"""The job that goes on where a webhook call ends."""

NAMES: dict[type[shipping.Verdict], str] = {
    shipping.Shipped: "shipped",
    shipping.NotYet: "not_yet",
    shipping.NotFixed: "not_fixed",
    shipping.Gone: "gone",
}
"""Verdicts as they are stored."""

WITHDRAWN = "the customer was told, and the evidence is gone"


@dataclass(frozen=True, slots=True)
class Look:
    """How a look ended. `busy` means that somebody else is looking right now."""

    outcome: Literal["done", "busy", "failed"]
    why: str = ""
    retry_at: datetime | None = None


async def hear_deliveries(river: River) -> bool:
    """Turn stored webhook calls into looks that are due, oldest first. False where there are none."""
    async with river.db.begin() as session:
        found = await deliveries.unworked(session, limit=MOST_DELIVERIES)
        by_hook: dict[str, list[deliveries.Waiting]] = {}
        for delivery in found:
            by_hook.setdefault(delivery.hook, []).append(delivery)
        became: dict[str, list[int]] = {}
        for hook, waiting in by_hook.items():
            sort, _, number = hook.partition("/")
            work = _note_hints if sort == "trackers" else _poll_now
            for delivery, why in zip(waiting, await work(session, int(number), waiting, now=river.now()), strict=True):
                became.setdefault(why, []).append(delivery.id)
                river.point("hear.delivery_worked")
        await deliveries.mark_worked(session, became, now=river.now())
    if found:
        river.point("hear.deliveries_done")
        river.wake(*{NEXT[hook.partition("/")[0]] for hook in by_hook})
    return bool(found)


async def _note_hints(
    session: Session, tracker_id: int, waiting: Sequence[deliveries.Waiting], *, now: datetime
) -> list[str]:
    """What became of each call; an issue that several are about is looked at once."""
    about = {remote_id for delivery in waiting for remote_id in delivery.issues}
    known = await issues.want_looks(session, tracker_id=tracker_id, remote_ids=sorted(about))
    watched = 0
    if any(delivery.everything for delivery in waiting):
        watched = await issues.want_looks_at_watched(session, tracker_id=tracker_id, told_after=now - TOLD_RECENTLY)
    noted = [len(known.intersection(one.issues)) + (watched if one.everything else 0) for one in waiting]
    return [f"{count} issue(s) to look at" if count else "nobody waits for what it is about" for count in noted]


async def _poll_now(
    session: Session, account_id: int, waiting: Sequence[deliveries.Waiting], *, now: datetime
) -> list[str]:
    account = await accounts.lock(session, Account, account_id)
    if account is None:
        return ["the account was removed"] * len(waiting)
    account.poll_at = now
    if told := sorted({external_id for delivery in waiting for external_id in delivery.posts}):
        account.reread_at = None
        await posts.want_rereading(session, account_id=account_id, external_ids=told, now=now)
    return ["the account is read"] * len(waiting)


async def poll_next(river: River) -> bool:
    """Poll the tracker that is most overdue. False where none is due."""
    async with river.db.begin() as session:
        now = await river.db.now(session)
        tracker = await accounts.due_for_poll(session, Tracker, now=now)
        if tracker is None:
            return False
        token = _claim_poll(river, tracker, now)
    await _poll(river, tracker, token)
    return True


async def pull(river: River, tracker_id: int) -> int:
    """Poll one tracker now and look at every issue that is due. Returns how many were read.

    Raises OutsideError where the tracker cannot be read.
    """
    async with river.db.begin() as session:
        tracker = await accounts.lock(session, Tracker, tracker_id)
        if tracker is None:
            raise LookupError(f"there is no tracker {tracker_id}")
        token = _claim_poll(river, tracker, await river.db.now(session))
    await _poll(river, tracker, token, raises=True)
    async with river.db.read() as session:
        due = await issues.unlooked(session, tracker_id=tracker_id)
    for issue_id in due:
        await look_or_wait(river, issue_id)
    return len(due)


async def look_or_wait(river: River, issue_id: int) -> Look:
    """Look at an issue; where other work on it is under way right now, wait for its end, and look after it.

    For people and pollers who want an answer now; 'busy' only where that work takes longer than any call may.
    """
    until = river.monotonic() + river.timing.call.total_seconds()
    while True:
        look = await look_at(river, issue_id)
        if look.outcome != "busy" or river.monotonic() >= until:
            return look
        await river.sleep(0.05)  # other work may be another process's, and that rings no bell


def _claim_poll(river: River, tracker: Tracker, now: datetime) -> str:
    tracker.poll_token = secrets.token_hex(8)
    tracker.poll_until = now + river.timing.lease
    return tracker.poll_token


async def _poll(river: River, tracker: Tracker, token: str, *, raises: bool = False) -> None:
    began = river.now()
    failure: OutsideError | None = None
    try:
        adapter = river.outside.tracker(tracker)
        async for page in adapter.pull(cursor=tracker.cursor, since=began - timedelta(days=1)):
            river.point("hear.poll_read")
            async with river.db.begin() as session:
                row = await accounts.lock(session, Tracker, tracker.id)
                if row is None:
                    return
                await issues.want_looks(session, tracker_id=tracker.id, remote_ids=page.issues)
                if row.poll_token == token and page.cursor is not None:
                    row.cursor = page.cursor
    except OutsideError as error:
        failure = error
        await record_illness(river, Tracker, tracker.id, tracker.version, error)
    else:
        await _ask_for_lost_calls(river, tracker, adapter)
    async with river.db.begin() as session:
        row = await accounts.lock(session, Tracker, tracker.id)
        if row is not None and row.version == tracker.version:
            if failure is None:
                row.read_at = began
                accounts.mark_well(row, now=river.now())
                if lack := await lacks_code(river, session, row):
                    accounts.mark_ill(row, why=lack, now=river.now(), blocks=False, resume_at=None)
                # Deletions move no cursor: whatever we rest on is read again on every poll.
                await issues.want_looks_at_watched(
                    session, tracker_id=tracker.id, told_after=river.now() - TOLD_RECENTLY
                )
            if row.poll_token == token:
                row.poll_token = row.poll_until = None
                usual = river.now() + river.timing.poll_after(river.outside.tracker_type(row.kind).poll_every)
                row.poll_at = max(usual, failure.retry_at) if failure is not None and failure.retry_at else usual
    river.wake("look_at_issues")
    if failure is not None and raises:
        raise failure


async def _ask_for_lost_calls(river: River, tracker: Tracker, adapter: Adapter) -> None:
    """Webhook calls that did not arrive are asked for again. The poll has found what they say: this may fail."""
    if not isinstance(adapter, Redelivering):
        return
    try:
        count = await adapter.send_again(url=river.outside.hook_url(tracker))
    except OutsideError as error:
        if error.kind == "rate_limited":
            await record_illness(river, Tracker, tracker.id, tracker.version, error)
        log.info("lost webhook calls not asked for", tracker_id=tracker.id, kind=error.kind, why=error.message)
    else:
        if count:
            log.info("lost webhook calls asked for again", tracker_id=tracker.id, count=count)


async def look_next(river: River) -> bool:
    """Look at the issue whose look is due. False where none is."""
    async with river.db.read() as session:
        issue = await issues.due(session, "look", now=river.now())
    if issue is None:
        return False
    await look_at(river, issue.id, if_wanted=True)
    return True


async def look_at(
    river: River, issue_id: int, *, unless_read_since: datetime | None = None, if_wanted: bool = False
) -> Look:
    """Re-read one issue and let its loops move.

    With `unless_read_since`, a reading begun after that is enough; with `if_wanted`, any that answers
    what was asked for: several may have seen at once that a look is due.
    """
    async with river.look_lock(issue_id):
        if unless_read_since is not None and issue_id in river.read and river.read[issue_id] >= unless_read_since:
            return Look("done")  # a thousand replies rest on one reading, and need not ask the database for it each
        async with river.db.begin() as session:
            now = await river.db.now(session)
            issue = await issues.lock(session, issue_id)
            if issue is None or issue.remote_id is None:
                return Look("failed", "the issue does not exist in the tracker yet")
            if unless_read_since is not None and issue.read_at is not None and issue.read_at >= unless_read_since:
                return Look("done")
            if if_wanted and issue.look_wanted <= issue.look_done:
                return Look("done")
            if issue.claim is not None and issue.claim_until is not None and issue.claim_until > now:
                return Look("busy", "another look at the issue is under way")
            tracker = await accounts.get(session, Tracker, issue.tracker_id)
            if tracker is None:
                return Look("failed", "the tracker is not connected any more")
            token, wanted = secrets.token_hex(8), issue.look_wanted
            issues.claim_for(issue, token=token, now=now, lease=river.timing.lease)
        river.point("hear.look_claimed")
        began = river.now()
        try:
            reading = await read_issue(river, tracker, river.outside.tracker(tracker), issue)
        except UnreadError as unread:
            return await _look_failed(river, issue, unread.at, token, unread.error)
        except OutsideError as error:
            return await _look_failed(river, issue, tracker, token, error)
        original = await _original_of(river, tracker, reading.facts)
        river.point("hear.look_read")
        async with river.db.begin() as session:
            # Loops before their issue, here as everywhere: so no two transactions wait for each other.
            waiting = await loops.of_issue(session, issue_id)
            onto = await _kept_original(session, tracker, issue_id, original, now=river.now())
            row = await issues.claimed(session, issue_id, token)
            if row is None:
                return Look("busy", "the look took too long and was taken over")
            row.claim = row.claim_until = row.look_at = None
            row.look_done, row.look_failures = max(row.look_done, wanted), 0
            if _is_stale(row, reading.facts):
                # An old copy (a cache, a replica behind its master): it says nothing about now.
                row.look_wanted, row.look_at = row.look_wanted + 1, river.now() + river.timing.backoff
                return Look("failed", "the tracker answered with an older state of the issue")
            await _write(river, session, row, waiting, tracker, reading, began=began)
            if onto is not None:
                await _move_onto(session, row, waiting, onto, now=river.now())
            river.point("hear.look_written")
        river.read[issue_id] = began
        river.wake("owe")
        return Look("done")


async def _original_of(river: River, tracker: Tracker, facts: IssueFacts) -> IssueFacts | None:
    """The issue that a duplicate repeats, where this tracker can read it; otherwise a person decides."""
    if facts.state != "closed" or facts.outcome != "duplicate" or not facts.canonical_ref:
        return None
    try:
        original = await river.outside.tracker(tracker).find(facts.canonical_ref)
    except OutsideError as error:
        log.info("the original of a duplicate cannot be read", ref=facts.canonical_ref, why=error.message)
        return None
    return original if original.remote_id != facts.remote_id else None


async def _kept_original(
    session: Session, tracker: Tracker, issue_id: int, original: IssueFacts | None, *, now: datetime
) -> Issue | None:
    """Its row, locked together with the duplicate's in the order of their ids."""
    if original is None:
        return None
    row = await keep_issue(session, tracker.id, original, now=now)
    return (await locked(session, Issue, [row.id, issue_id])).get(row.id)


async def _move_onto(session: Session, row: Issue, waiting: Sequence[Loop], onto: Issue, *, now: datetime) -> None:
    """Those who wait for a duplicate wait for its original from now on.

    Nobody is moved to an issue they were moved away from before: two that are called duplicates of each
    other would pass them to and fro for ever.
    """
    left = await loops.left_issue(session, [loop.id for loop in waiting], onto.id)
    for loop in waiting:
        if loop.state not in {"linked", "fixed", "shipped"}:
            continue
        if loop.id in left:
            loop.needs_person = f"{row.ref} and {onto.ref} are called duplicates of each other: {A_PERSON_DECIDES}"
            continue
        await link_loop(session, loop, onto, now=now, actor="")
        loop.why = f"{row.ref} is a duplicate: waits for {onto.ref}"
        loops.note_event(session, at=now, what="moved", why=loop.why, loop_id=loop.id, issue_id=row.id)


def _is_stale(row: Issue, facts: IssueFacts) -> bool:
    """Older than what is stored. Equal is not older: stamps have seconds. A deletion has no stamp to compare."""
    if facts.state == "gone" or row.state == "gone":
        return False
    return row.updated_at is not None and facts.updated_at < row.updated_at


async def _look_failed(river: River, issue: Issue, tracker: Tracker, token: str, error: OutsideError) -> Look:
    if error.kind in {"auth_broken", "suspended", "rate_limited", "misconfigured"}:
        await record_illness(river, Tracker, tracker.id, tracker.version, error)
    async with river.db.begin() as session:
        row = await issues.claimed(session, issue.id, token)
        if row is not None:
            row.claim = row.claim_until = None
            row.look_failures += 1
            wait = permission.wait_after(row.look_failures, first=river.timing.backoff)
            row.look_at = max(river.now() + wait, error.retry_at or river.now())
            # A look that was asked for just before speaking is still owed after its failure.
            row.look_wanted = max(row.look_wanted, row.look_done + 1)
    log.warning("issue could not be read", issue_id=issue.id, tracker_id=tracker.id, kind=error.kind, why=error.message)
    return Look("failed", error.message, error.retry_at)


def lines(evidence: tuple[Evidence, ...]) -> list[dict[str, object]]:
    """Evidence as it is stored and as the API shows it."""
    return [
        {
            "kind": line.kind,
            "level": line.level,
            "label": line.label,
            "url": line.url,
            "at": line.at.isoformat() if line.at else None,
        }
        for line in evidence
    ]


async def _write(
    river: River,
    session: Session,
    row: Issue,
    waiting: Sequence[Loop],
    tracker: Tracker,
    reading: IssueReading,
    *,
    began: datetime,
) -> None:
    now = river.now()
    policy = policy_of(tracker)
    verdict = shipping.judge(reading, policy)
    facts = reading.facts
    before = _what_pulls_say(row)
    if facts.state == "gone":
        row.state = "gone"  # its title and stamp stay: what is seen again later is compared with them
    else:
        copy_facts(row, facts)
    row.read_at = began
    row.pull_url = pull_of(reading.changes)
    if row.why != verdict.why:
        loops.note_event(session, at=now, what="verdict", why=verdict.why, issue_id=row.id)
    row.why, row.verdict = verdict.why, NAMES[type(verdict)]
    row.evidence = lines(verdict.evidence) if isinstance(verdict, shipping.Shipped | shipping.NotYet) else []
    for loop in waiting:
        if loop.state not in {"told", "verified"}:  # what they were told of stays what it was
            loop.platform = platforms.tagged(policy.platforms, loop.tags)
    present = {shipment.platform: shipment for shipment in (await issues.present_shipments(session, [row.id])).values()}
    on: dict[str, tuple[shipping.Verdict, Shipment | None]] = {}
    wanted = {"", *(one.name for one in policy.platforms), *(loop.platform for loop in waiting)}
    for platform in sorted(wanted | present.keys()):
        its = shipping.judge(reading, policy, platform)
        on[platform] = its, await _settle_shipment(session, row, its, present.get(platform), platform, now=now)
    row.platforms = _standings(policy, on)
    if before != _what_pulls_say(row):
        row.pull_wanted += 1
    automatic = await replies.automatic_of_issue(session, row.id, slot="fixed")
    for loop in waiting:
        its, shipment = on[loop.platform]
        await _move(river, session, loop, its, shipment, automatic.get(loop.id), now=now)
    outcomes = await replies.automatic_of_issue(session, row.id, slot="outcome")
    for loop in waiting:
        await _settle_outcome(river, session, loop, verdict, outcomes.get(loop.id), now=now)


def _standings(
    policy: shipping.Policy, on: Mapping[str, tuple[shipping.Verdict, Shipment | None]]
) -> list[dict[str, str]]:
    """How each platform stands, in the admin's order; nothing as long as it is the same for all, because nothing is fixed."""
    verdicts = [(one.name, on[one.name][0]) for one in policy.platforms]
    is_fixed = any(
        isinstance(its, shipping.Shipped) or (isinstance(its, shipping.NotYet) and its.is_fixed) for _, its in verdicts
    )
    return [{"name": name, "verdict": NAMES[type(its)], "why": its.why} for name, its in verdicts] if is_fixed else []


def _what_pulls_say(row: Issue) -> tuple[object, ...]:
    """What of a reading is said on the pull request."""
    return row.pull_url, row.visible_to_public, row.title, row.verdict, row.why, row.evidence, row.platforms


async def _settle_shipment(
    session: Session, row: Issue, verdict: shipping.Verdict, present: Shipment | None, platform: str, *, now: datetime
) -> Shipment | None:
    """Keep the shipment that stands, withdraw the one that does not, note the new one."""
    if isinstance(verdict, shipping.Shipped) and present is not None and present.digest == verdict.digest:
        return present
    if present is not None:
        present.withdrawn_at, present.withdrawn_why = now, verdict.why
        why = f"{platform}: {verdict.why}" if platform else verdict.why
        loops.note_event(session, at=now, what="shipment withdrawn", why=why, issue_id=row.id)
        await session.flush()
    if not isinstance(verdict, shipping.Shipped):
        return None
    made = Shipment(
        issue_id=row.id,
        platform=platform,
        label=verdict.label,
        url=verdict.url,
        public_label=verdict.public_label,
        public_url=verdict.public_url,
        at=verdict.at,
        fix=verdict.fix,
        fixed_at=verdict.fixed_at,
        evidence=lines(verdict.evidence),
        digest=verdict.digest,
        first_seen_at=now,
    )
    session.add(made)
    await session.flush()
    why = f"{platform}: {verdict.why}" if platform else verdict.why
    loops.note_event(session, at=now, what="shipped", why=why, issue_id=row.id)
    return made


async def _move(
    river: River,
    session: Session,
    loop: Loop,
    verdict: shipping.Verdict,
    shipment: Shipment | None,
    reply: Reply | None,
    *,
    now: datetime,
) -> None:
    """Let one loop follow its issue's verdict, and stop what is no longer true."""
    if loop.state in {"dropped", "open"}:
        return
    if loop.state in {"told", "verified"}:
        await _after_telling(river, session, loop, verdict, now=now)
        return
    course = follow_verdict(verdict, refutation=refutation_of(loop))
    if loop.state == "reopened":
        return  # the ticket has not been told of the refutation yet; when it has, the loop waits and is looked at again
    if course.goal != "shipped":
        if reply is not None:
            cancel_reply(session, reply, why=f"not shipped any more: {course.why}", now=now)
        loop.owed = False
        decide_anew(loop)
    elif loop.state == "shipped" and loop.untold.startswith(ELSEWHERE) and shipment and shipment.first_seen_at == now:
        loop.owed = False  # other news than the person was told elsewhere
    elif loop.state == "shipped" and reply is not None and shipment is not None:
        _renew_if_different(session, loop, reply, shipment, now=now)
    if course.needs_person or loop.needs_person.endswith(A_PERSON_DECIDES):
        loop.needs_person = course.needs_person
    _step(session, loop, course.goal, course.why, now=now)


def refutation_of(loop: Loop) -> shipping.Refutation | None:
    """What the loop's customer said against an earlier fix, if anything."""
    if loop.refuted_at is None:
        return None
    return shipping.Refutation(at=loop.refuted_at, fix=loop.refuted_fix or "")


def _renew_if_different(session: Session, loop: Loop, reply: Reply, shipment: Shipment, *, now: datetime) -> None:
    """Still shipped, but by other evidence: what was frozen on the old one is taken back and made anew."""
    if reply.evidence_digest == shipment.digest:
        return
    if cancel_reply(session, reply, why="the evidence changed: the text is made anew", now=now):
        loop.owed = False


async def _settle_outcome(
    river: River, session: Session, loop: Loop, verdict: shipping.Verdict, reply: Reply | None, *, now: datetime
) -> None:
    """A declined loop has its answer laid ready for an approver; one that goes on takes it back."""
    if loop.state == "declined" and isinstance(verdict, shipping.NotFixed):
        await draft_outcome(river, session, loop, reason=verdict.reason, before=reply, now=now)
    elif reply is not None:
        cancel_reply(session, reply, why=f"not declined any more: {verdict.why}", now=now)


async def _after_telling(
    river: River, session: Session, loop: Loop, verdict: shipping.Verdict, *, now: datetime
) -> None:
    if isinstance(verdict, shipping.Shipped) or loop.state == "verified":
        if loop.needs_person.startswith(WITHDRAWN):
            loop.needs_person = ""
            correction = await replies.in_slot(session, loop_id=loop.id, round_=loop.round, slot="correction")
            if correction is not None:
                cancel_reply(session, correction, why="the evidence is back: nothing to correct", now=now)
        return
    if not loop.needs_person.startswith(WITHDRAWN):
        loop.needs_person = f"{WITHDRAWN}: {verdict.why}. Decide whether they get a correction"
        loop.why = verdict.why
        loops.note_event(session, at=now, what="evidence withdrawn after telling", why=verdict.why, loop_id=loop.id)
        await draft_correction(river, session, loop, now=now)


def _step(session: Session, loop: Loop, goal: LoopState, why: str, *, now: datetime) -> None:
    before: LoopState = loop.state  # type: ignore[assignment]
    if before == goal == "shipped":
        return  # it says how its reply fares
    loop.why = why
    if before == goal or not can_loop_move(before, goal):
        return
    loop.state = goal
    if goal == "fixed" or (goal == "shipped" and loop.fixed_at is None):
        loop.fixed_at = now
    if goal == "shipped":
        loop.shipped_at, loop.owed = now, False
        decide_anew(loop)
    elif goal == "fixed":
        loop.shipped_at = None
    else:
        loop.fixed_at = loop.shipped_at = None
    loops.note_event(session, at=now, what=goal, why=why, loop_id=loop.id)

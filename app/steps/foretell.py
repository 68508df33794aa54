"""Beside step 3: before a fix ships, its pull request says in one comment how many people will be told, and what.

Whoever is about to ship can then still say 'not for customers yet'. The comment is edited in place and notifies once,
when it is made.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence

import structlog

from app.outside import setting
from app.ports import OutsideError, Reviewed
from app.rules import permission, showing
from app.rules.fitting import TooLongError
from app.rules.wording import TemplateError
from app.steps import owe
from app.steps.health import record_illness
from app.steps.river import River
from app.steps.show import BETWEEN_EDITS, REMOVED
from app.steps.turns import turn_to_write
from app.store import accounts, issues, loops, posts, replies
from app.store.session import Session
from app.store.tables import Account, Identity, Issue, Shipment, Tracker

log = structlog.get_logger(__name__)

CUSTOMER = "customer"
"""Stands where a customer's name will stand."""


async def foretell_next(river: River) -> bool:
    """Bring the comment up to date that is due. False where none is."""
    async with river.db.begin() as session:
        now = await river.db.now(session)
        issue = await issues.due(session, "pull", now=river.now())
        if issue is None:
            return False
        tracker = await accounts.get(session, Tracker, issue.tracker_id)
        if tracker is None:
            return False
        if _has_moved(issue) and issue.pull_why and issue.pull_why != REMOVED:
            _leave(issue)  # nothing can be said on the old one: the new one is another matter
        has_moved = _has_moved(issue)
        place, handle, wanted = issue.pull_on or issue.pull_url, issue.pull_handle, issue.pull_wanted
        news = await _news(river, session, issue, tracker, place)
        text = showing.on_change(
            news, marker=f"{issue.marker}-pull", limit=river.outside.tracker_type(tracker.kind).block_limit
        )
        digest = hashlib.sha256(text.encode()).hexdigest()
        is_new = digest != issue.pull_digest and not issue.pull_why and bool(issue.pull_on or news.is_worth_a_comment)
        if not is_new:
            _done(issue, wanted, has_moved=has_moved)
            return True
        if (later := await turn_to_write(river, session, tracker)) is not None:
            issue.pull_at = later
            return True
        # Noted before the call: whatever becomes of its answer, this is where to look for the comment.
        token, issue.pull_on = secrets.token_hex(8), place
        issues.claim_for(issue, token=token, now=now, lease=river.timing.lease)
    river.point("foretell.claimed")
    failed: OutsideError | None = None
    try:
        handle = await _say(river, tracker, place, text, handle, may_make=news.is_worth_a_comment)
    except OutsideError as error:
        failed = error
        if error.kind in {"auth_broken", "suspended", "rate_limited"}:
            await record_illness(river, Tracker, tracker.id, tracker.version, error)
    river.point("foretell.called")
    async with river.db.begin() as session:
        row = await issues.claimed(session, issue.id, token)
        if row is None:
            return True
        row.claim = row.claim_until = None
        if failed is not None:
            _failed(river, row, failed, wanted, has_moved=has_moved)
        elif handle is None:
            _done(row, wanted, has_moved=has_moved)
            _leave(row)
        else:
            row.pull_handle, row.pull_digest, row.pull_failures = handle, digest, 0
            row.pull_at = river.now() + BETWEEN_EDITS
            _done(row, wanted, has_moved=has_moved)
    if failed is not None:
        why = failed.message
        log.warning("not said on the pull request", issue_id=issue.id, tracker_id=tracker.id, kind=failed.kind, why=why)
    return True


def _has_moved(issue: Issue) -> bool:
    """Whether another pull request is the fix than the one our comment is on."""
    return bool(issue.pull_on and issue.pull_url) and issue.pull_on != issue.pull_url


def _leave(issue: Issue) -> None:
    """Nothing of ours is on a pull request, or what is there says its last."""
    issue.pull_on, issue.pull_handle, issue.pull_digest, issue.pull_why = "", None, "", ""


def _done(issue: Issue, wanted: int, *, has_moved: bool) -> None:
    """All is said where the comment is; where the fix had moved on before that, the next pass goes there."""
    if has_moved and issue.pull_why != REMOVED:
        _leave(issue)
    else:
        issue.pull_done = wanted


async def _say(
    river: River, tracker: Tracker, place: str, text: str, handle: str | None, *, may_make: bool
) -> str | None:
    """The handle of the comment that says it now; None where there is none and none may be made."""
    adapter = river.outside.tracker(tracker)
    if not isinstance(adapter, Reviewed):
        return None
    if handle is None and not may_make:
        # An earlier call may have made it, and its answer was lost.
        handle = await adapter.find_on_change(place, text=text)
        if handle is None:
            return None
    return await adapter.show_on_change(place, text=text, handle=handle)


def _failed(river: River, row: Issue, error: OutsideError, wanted: int, *, has_moved: bool) -> None:
    """Somebody removed it, or it is not wanted there: it is never made again. Anything else is tried again."""
    if error.kind in {"gone", "forbidden", "too_long", "invalid"}:
        row.pull_why = REMOVED if error.kind == "gone" and row.pull_handle is not None else error.message
        row.pull_failures = 0
        _done(row, wanted, has_moved=has_moved)
        return
    row.pull_failures += 1
    wait = permission.wait_after(row.pull_failures, first=river.timing.backoff)
    if error.kind == "unknown" and error.in_flight:
        wait = max(wait, river.timing.apart)
    row.pull_at = max(river.now() + wait, error.retry_at or river.now())


async def _news(river: River, session: Session, issue: Issue, tracker: Tracker, place: str) -> showing.Foretold:
    shipments = {one.id: one for one in await issues.shipments_of(session, issue.id) if _rests_on(one, place)}
    present = {one.platform: one for one in shipments.values() if one.withdrawn_at is None}
    told = await replies.told_of(session, list(shipments))
    is_withdrawn = any(shipments[row.shipment_id].platform not in present for row in told if row.shipment_id)
    waiting = await loops.to_be_told(session, issue.id)
    still_waiting = [row for row in waiting if row.platform not in present]
    standing: showing.Standing
    if issue.visible_to_public or not setting(tracker, "comment_on_pull_request", default=False):
        standing = "left"
    elif issue.pull_url == place and issue.verdict == "not_yet" and not is_withdrawn and (still_waiting or not present):
        standing, waiting = "awaited", still_waiting
    elif present and not is_withdrawn:
        # Whoever refuted this fix waits for another one.
        standing, waiting = "shipped", [row for row in waiting if row.platform in present and row.state == "shipped"]
    else:
        standing = "moved" if issue.pull_url not in {"", place} else "lost"
    words, words_why, signed = await _words(river, session, issue, waiting, present)
    return showing.Foretold(
        standing=standing,
        title=issue.title,
        waiting=len(waiting),
        told=len({row.loop_id for row in told}),
        told_at=max((row.posted_at for row in told if row.posted_at is not None), default=None),
        held_why=issue.held_why if issue.held_at is not None else None,
        why=issue.why,
        words=words,
        words_why=words_why,
        customer=CUSTOMER,
        version="" if standing == "shipped" else owe.IMAGINED,
        is_signed_first=signed,
        page=f"{river.outside.base_url}/issues/{issue.id}",
    )


def _rests_on(shipment: Shipment, pull: str) -> bool:
    return any(line["kind"] == "change" and line["url"] == pull for line in shipment.evidence)


async def _words(
    river: River,
    session: Session,
    issue: Issue,
    waiting: Sequence[loops.ToBeTold],
    present: Mapping[str, Shipment],
) -> tuple[str, str, bool]:
    """What most of them will read, made the way their replies will be, with nobody's name in it; or why there is none.

    The third value says whether somebody signs it first.
    """
    if not waiting:
        return "", "nobody waits", False
    # The oldest of the most: somebody new changes the number alone.
    [(language, _)] = Counter(row.language for row in waiting).most_common(1)
    of_language = [row for row in waiting if row.language == language]
    [(account_id, _)] = Counter(row.account_id for row in of_language).most_common(1)
    example = next(row for row in of_language if row.account_id == account_id)
    account = await accounts.get(session, Account, account_id)
    found = await posts.with_identity(session, example.post_id)
    if account is None or found is None:
        return "", owe.NO_ACCOUNT, False
    post, anybody = found[0], Identity(channel=account.channel, external_id="", handle=CUSTOMER, name="", weak=False)
    try:
        frozen = await owe.preview(
            river,
            session,
            issue=issue,
            post=post,
            identity=anybody,
            account=account,
            shipment=present.get(example.platform),
        )
        envelope = river.outside.wording_channel(account).envelope(posts.as_fact(post, anybody))
    except (OutsideError, TemplateError, TooLongError) as error:
        return "", str(error), False
    return frozen.text.removeprefix(envelope.prefix), "", account.mode == "approve"

"""Step 4, owe: may we speak, and what do we say? The text is frozen here, once, as it will be read in public."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from app.outside import setting
from app.ports import Channel, OutsideError
from app.rules import fitting, permission, wording
from app.rules.facts import OutcomeReason, ReplyKind, TemplateKind
from app.rules.same_person import ELSEWHERE, MISSED, Saying, why_silent, why_untold
from app.rules.shipping import public_label
from app.steps.reply_moves import SPOKEN, set_reply
from app.steps.river import River, policy_of
from app.steps.same_person import People, lock_people
from app.store import accounts, issues, loops, posts, replies, templates
from app.store.session import Session
from app.store.tables import Account, Identity, Issue, Loop, Post, Reply, Shipment, Tracker

log = structlog.get_logger(__name__)

BATCH = 50

NO_ACCOUNT = "the account was removed"
IMAGINED = "v1.2.3"
"""Stands in a preview where the release's label will stand."""
NOT_MADE = "no reply could be made"

Templates = Mapping[tuple[int | None, TemplateKind, str], str]
"""The operator's own texts: by account (nothing for all of them), kind and language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A public text and everything that goes out with it."""

    text: str
    count: int
    limit: int
    cut: bool
    language: str | None
    visibility: str
    content_warning: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What is read once for a batch of loops. `under` grows with the replies that the batch itself makes."""

    present: Mapping[int, Issue]
    shipments: Mapping[tuple[int, str], Shipment]
    about: Mapping[int, tuple[Post, Identity]]
    accounts: Mapping[int, Account]
    trackers: Mapping[int, Tracker]
    in_slot: Mapping[tuple[int, int], Reply]
    under: dict[tuple[str, str], list[Reply]]
    people: People
    overrides: Templates


@dataclass(frozen=True, slots=True)
class _Decided:
    """A loop whose customer is owed a reply, and what holds it, if anything does."""

    loop: Loop
    issue: Issue
    reply: Reply
    allowed: permission.Yes | permission.Hold
    hold_is_the_issues: bool


async def owe_next(river: River) -> bool:
    """Decide on shipped loops that nobody decided on. False where there are none."""
    async with river.db.begin() as session:
        found = await loops.unowed(session, limit=BATCH)
        decided: list[_Decided] = []
        elsewhere: list[tuple[Loop, Reply]] = []
        if found:
            known = await _read(session, found)
            for loop in found:
                try:
                    one = _owe(river, loop, known, elsewhere)
                except (wording.TemplateError, fitting.TooLongError, OutsideError) as error:
                    # One loop's trouble keeps no other loop waiting; a person hears of it.
                    _say_why(loop, f"{NOT_MADE}: {error}")
                else:
                    decided += [one] if one is not None else []
                river.point("owe.decided")
            session.add_all([one.reply for one in decided])
            await session.flush()
            for one in decided:
                _set_off(session, one, now=river.now())
            for loop, telling in elsewhere:
                loop.waits_on = telling.id
            await issues.want_block_for_loops(session, [loop.id for loop in found if loop.untold])
    if found:
        river.point("owe.done")
        river.wake("deliver")
    return bool(found)


async def _read(session: Session, found: Sequence[Loop]) -> _Known:
    loop_ids = [loop.id for loop in found]
    people = await lock_people(session, found)
    present = await loops.present_issues(session, loop_ids)
    about = await posts.with_identities(session, [loop.post_id for loop in found])
    under: dict[tuple[str, str], list[Reply]] = {}
    for channel in sorted({loop.channel for loop in found}):
        canonical_ids = [
            about[loop.post_id][0].canonical_id for loop in found if loop.channel == channel and loop.post_id in about
        ]
        for reply in await replies.under_posts(session, channel=channel, canonical_ids=canonical_ids):
            under.setdefault((channel, reply.parent_canonical_id), []).append(reply)
    wanted_accounts = sorted({post.account_id for post, _ in about.values()})
    wanted_trackers = sorted({issue.tracker_id for issue in present.values()})
    return _Known(
        present=present,
        shipments=await issues.present_shipments(session, sorted({issue.id for issue in present.values()})),
        about=about,
        accounts={row.id: row for n in wanted_accounts if (row := await accounts.get(session, Account, n)) is not None},
        trackers={at.id: at for n in wanted_trackers if (at := await accounts.get(session, Tracker, n)) is not None},
        in_slot={(row.loop_id, row.round): row for row in await replies.in_slots(session, loop_ids, slot="fixed")},
        under=under,
        people=people,
        overrides=await own_templates(session, "fixed"),
    )


def _owe(river: River, loop: Loop, known: _Known, elsewhere: list[tuple[Loop, Reply]]) -> _Decided | None:
    """Decide on one shipped loop: a reply on its way, a held one, or none with the reason on the loop.

    A loop whose person is told elsewhere is added to `elsewhere`, as long as that reply is not said.
    """
    if not known.people.is_sure_of(loop):
        return None  # joined or parted in this moment: decided in the next
    loop.owed = True
    if loop.untold.startswith(MISSED) and not loop.tell_by:
        return None
    loop.untold, loop.waits_on = "", None
    issue = known.present.get(loop.id)
    shipment = known.shipments.get((issue.id, loop.platform)) if issue else None
    if issue is None or shipment is None:
        loop.owed = False
        loop.state, loop.why = "linked", "the shipment is gone"
        return None
    if loop.post_id not in known.about:
        raise LookupError(f"loop {loop.id} has lost its post")
    post, identity = known.about[loop.post_id]
    account = known.accounts.get(post.account_id)
    if account is None and (silent := silence_of(known.people.of_loop[loop.id])):
        _leave_untold(loop, shipment, silent)
        return None
    if account is None:
        _say_why(loop, f"{NO_ACCOUNT}: connect it again, or answer by hand")
        return None
    reply = known.in_slot.get((loop.id, loop.round))
    if reply is not None and (reply.written_by is not None or reply.state != "cancelled" or reply.stopped_by):
        return None
    return _decide(river, loop, issue, shipment, post, identity, account, reply, known, elsewhere)


def _say_why(loop: Loop, why: str) -> None:
    loop.why = why
    loop.needs_person = why


def _leave_untold(loop: Loop, shipment: Shipment, why: str) -> None:
    """The loop has shipped, and nothing is said: nobody has to do anything, and a person still may."""
    if loop.needs_person == loop.why or loop.needs_person.startswith((NO_ACCOUNT, NOT_MADE)):
        loop.needs_person = ""
    loop.untold = why
    loop.why = f"shipped{f' in {shipment.label}' if shipment.label else ''}; not told: {why}"


def silence_of(identity: Identity) -> str:
    """Why somebody is not answered automatically; empty where they may be."""
    if identity.suppressed_at is None:
        return ""
    return why_silent(why=identity.suppressed_why, by=identity.suppressed_by, at=identity.suppressed_at)


def _decide(
    river: River,
    loop: Loop,
    issue: Issue,
    shipment: Shipment,
    post: Post,
    identity: Identity,
    account: Account,
    reply: Reply | None,
    known: _Known,
    elsewhere: list[tuple[Loop, Reply]],
) -> _Decided | None:
    now = river.now()
    channel_type = river.outside.channel_type_of(account)
    beside = [row for row in known.under.get((loop.channel, post.canonical_id), ()) if row is not reply]
    if any(row.round == loop.round and row.slot == "fixed" for row in beside):
        _say_why(loop, "this post already has its answer, by another loop of ours")
        return None
    told = None if loop.tell_by else known.people.told_already(loop, issue, shipment)
    occasion = permission.Occasion(
        kind="fixed",
        mode=account.mode,  # type: ignore[arg-type]
        visibility=post.visibility,  # type: ignore[arg-type]
        said_at=post.created_at,
        shipped_at=shipment.at,
        silent_why=silence_of(known.people.of_loop[loop.id]),
        told_why=untold_by(river, told[0]) if told is not None else "",
        is_weak=identity.weak,
        issue_held_why=issue.held_why if issue.held_at else "",
        automatic_replies_so_far=sum(row.written_by is None and row.state in SPOKEN for row in beside),
        automatic_replies_allowed=channel_type.max_automatic_replies_per_post,
        is_gone=post.gone_at is not None,
    )
    allowed = permission.may_owe(occasion)
    if isinstance(allowed, permission.No):
        if allowed.asks:
            _say_why(loop, allowed.why)
            return None
        _leave_untold(loop, shipment, allowed.why)
        if told is not None and allowed.why.startswith(ELSEWHERE) and told[0].state != "posted":
            elsewhere.append((loop, told[1]))
        return None
    tracker = known.trackers.get(issue.tracker_id)
    settle = river.settle_of(tracker) if tracker else river.timing.lease
    frozen = freeze(
        river,
        known.overrides,
        kind="fixed",
        post=post,
        identity=identity,
        account=account,
        shipment=shipment,
    )
    if reply is None:
        reply = new_reply(loop, post, account, kind="fixed", slot="fixed", frozen=frozen, now=now)
        known.under.setdefault((loop.channel, post.canonical_id), []).append(reply)
    else:
        owed_at = reply.owed_at
        refreeze(reply, frozen, now=now)
        if loop.shipped_at is not None and loop.shipped_at <= owed_at:
            # Shipped all the while, and only the words are new: an answer by hand since then still holds them.
            reply.owed_at = owed_at
        reply.account_id, reply.post_id, reply.parent_canonical_id = account.id, post.id, post.canonical_id
    reply.shipment_id, reply.evidence_digest = shipment.id, shipment.digest
    if isinstance(allowed, permission.Yes):
        known.people.will_tell(loop, issue, shipment, reply)
    if loop.needs_person.startswith((NO_ACCOUNT, NOT_MADE)):
        loop.needs_person = ""
    reply.due_at = max(shipment.first_seen_at + settle, now)
    return _Decided(loop, issue, reply, allowed, hold_is_the_issues=bool(occasion.issue_held_why))


def untold_by(river: River, said: Saying) -> str:
    """Why nothing is said here, by what is said elsewhere."""
    channel = river.outside.registry.channels.get(said.channel)  # none at a place that people serve by hand
    return why_untold(said, channel=channel.title if channel is not None else said.channel)


def _set_off(session: Session, one: _Decided, *, now: datetime) -> None:
    """Move a reply that has its number now on its way, or to whoever it waits for."""
    loop, reply, allowed = one.loop, one.reply, one.allowed
    if isinstance(allowed, permission.Hold):
        reply.issue_hold = one.hold_is_the_issues
        set_reply(session, reply, "held", why=allowed.why, now=now)
        if not reply.issue_hold:
            loop.needs_person = allowed.why
    elif allowed.approved_first:
        set_reply(session, reply, "awaiting_approval", why="waits for an approver", now=now)
    else:
        set_reply(session, reply, "scheduled", why=_settling(reply.due_at or now, now), now=now)
    loop.why = f"{one.issue.why_on(loop.platform)}; reply {reply.state.replace('_', ' ')}: {reply.why}"
    log.info("reply owed", loop_id=loop.id, issue_id=one.issue.id, reply_id=reply.id, state=reply.state)


def _settling(due_at: datetime, now: datetime) -> str:
    if due_at <= now:
        return "goes out now"
    return f"waits for the settle time until {due_at:%Y-%m-%d %H:%M} UTC, then the evidence is read once more"


def freeze(
    river: River,
    overrides: Templates,
    *,
    kind: TemplateKind,
    post: Post,
    identity: Identity,
    account: Account,
    shipment: Shipment | None,
) -> Frozen:
    """Render the template of a kind for one post, fitted to its channel; `overrides` are the operator's own texts."""
    wanted = post.language or setting(account, "language", None) or "en"
    chosen = wording.choose(kind, wanted, overrides=overrides, account_id=account.id)
    link: str = setting(account, "link", "")
    context = wording.Context(
        customer=identity.name or identity.handle,
        product=setting(account, "product", "") or river.product,
        version=shipment.public_label if shipment else "",
        release_url=shipment.public_url if shipment else "",
        link=link,
    )
    body = wording.render(chosen.text, context, language=chosen.language)
    return fit_to_channel(
        river.outside.wording_channel(account), body, post=post, identity=identity, language=chosen.language, keep=link
    )


async def preview(
    river: River,
    session: Session,
    *,
    issue: Issue,
    post: Post,
    identity: Identity,
    account: Account,
    shipment: Shipment | None = None,
) -> Frozen:
    """What one customer would read of this shipment, or if the issue shipped as `IMAGINED`: as `freeze`, with nothing stored.

    What the public may not read of a private tracker is left out here as it will be then.
    """
    tracker = await accounts.get(session, Tracker, issue.tracker_id)
    pattern = policy_of(tracker).public_label_pattern if tracker is not None else ""
    imagined = Shipment(
        public_label=public_label(IMAGINED, visible=issue.visible_to_public, pattern=pattern),
        public_url="",
    )
    return freeze(
        river,
        await own_templates(session, "fixed"),
        kind="fixed",
        post=post,
        identity=identity,
        account=account,
        shipment=shipment or imagined,
    )


async def own_templates(session: Session, kind: TemplateKind) -> Templates:
    """The operator's templates as the rules want them."""
    return {(row.scope or None, kind, row.language): row.text for row in await templates.own(session, kind=kind)}


def fit_to_channel(
    channel: Channel, body: str, *, post: Post, identity: Identity, language: str | None, keep: str = ""
) -> Frozen:
    """What a body becomes on its channel: prefix, warning, visibility, count, and cut where it is too long."""
    envelope = channel.envelope(posts.as_fact(post, identity))
    fitted = fitting.fit(
        body,
        count=lambda text: channel.count(text, content_warning=envelope.content_warning),
        limit=envelope.limit,
        prefix=envelope.prefix,
        keep=(keep,) if keep and keep in body else (),
    )
    return Frozen(
        text=fitted.text,
        count=fitted.count,
        limit=envelope.limit,
        cut=fitted.cut,
        language=envelope.language or language,
        visibility=envelope.visibility,
        content_warning=envelope.content_warning,
    )


def new_reply(
    loop: Loop,
    post: Post,
    account: Account,
    *,
    kind: ReplyKind,
    slot: str,
    frozen: Frozen,
    now: datetime,
    written_by: str | None = None,
) -> Reply:
    """A reply's row, as a draft; the caller moves it on."""
    return Reply(
        loop_id=loop.id,
        round=loop.round,
        kind=kind,
        slot=slot,
        written_by=written_by,
        account_id=account.id,
        channel=account.channel,
        post_id=post.id,
        parent_canonical_id=post.canonical_id,
        state="draft",
        why="written",
        text=frozen.text,
        count=frozen.count,
        limit=frozen.limit,
        cut=frozen.cut,
        language=frozen.language,
        visibility=frozen.visibility,
        content_warning=frozen.content_warning,
        owed_at=now,
        due_at=now,
        attempts=0,
        failures=0,
        in_flight=False,
        visible=True,
        issue_hold=False,
    )


def refreeze(reply: Reply, frozen: Frozen, *, now: datetime) -> None:
    """Put a new text in place of one that was never sent; whatever was signed was the old one."""
    reply.text, reply.count, reply.limit, reply.cut = frozen.text, frozen.count, frozen.limit, frozen.cut
    reply.language, reply.visibility = frozen.language, frozen.visibility
    reply.content_warning = frozen.content_warning
    reply.approved_by, reply.owed_at = None, now
    reply.key = reply.key_at = None


async def draft_correction(river: River, session: Session, loop: Loop, *, now: datetime) -> None:
    """Lay a correction ready for a person, who decides whether it is said."""
    if await replies.in_slot(session, loop_id=loop.id, round_=loop.round, slot="correction") is None:
        await _draft(river, session, loop, kind="correction", template="correction", now=now)


async def draft_outcome(
    river: River, session: Session, loop: Loop, *, reason: OutcomeReason | None, before: Reply | None, now: datetime
) -> None:
    """Lay ready what the customer of a declined loop may be told; only a person's approval says it.

    `before` is the one of this round, if any. What a person stopped, and what was said, is left alone.
    """
    if before is not None and (before.state != "cancelled" or before.stopped_by or before.written_by is not None):
        return
    found = await posts.with_identity(session, loop.post_id)
    if found is None or found[0].visibility == "private" or silence_of(found[1]):
        return
    reply = await _draft(
        river, session, loop, kind="outcome", template=wording.of_outcome(reason), now=now, again=before
    )
    if reply is not None:
        set_reply(session, reply, "awaiting_approval", why="an outcome is told only if a person approves it", now=now)


async def _draft(
    river: River,
    session: Session,
    loop: Loop,
    *,
    kind: ReplyKind,
    template: TemplateKind,
    now: datetime,
    again: Reply | None = None,
) -> Reply | None:
    """A reply that waits for a person, or None where none can be made: the loop asks a person anyway."""
    found = await posts.with_identity(session, loop.post_id)
    if found is None:
        return None
    post, identity = found
    account = await accounts.get(session, Account, post.account_id)
    if account is None:
        return None
    try:
        frozen = freeze(
            river,
            await own_templates(session, template),
            kind=template,
            post=post,
            identity=identity,
            account=account,
            shipment=None,
        )
    except (wording.TemplateError, fitting.TooLongError, OutsideError):
        return None
    if again is not None:
        refreeze(again, frozen, now=now)
        return again
    reply = new_reply(loop, post, account, kind=kind, slot=kind, frozen=frozen, now=now)
    reply.why = "a draft: nothing is said unless a person approves it"
    session.add(reply)
    await session.flush()
    return reply

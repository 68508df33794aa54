"""From rows to the shapes that go over the wire."""

from __future__ import annotations

from collections.abc import Sequence

from app.api import shapes
from app.api.problems import ProblemError
from app.outside import Outside
from app.ports import Price
from app.steps.connect import Choices
from app.steps.customers import likely_same
from app.steps.health import Cost
from app.steps.preview import Preview
from app.steps.price import price_of
from app.steps.river import River
from app.store import customers, issues, loops, posts, replies
from app.store.session import Session
from app.store.tables import (
    Account,
    Attempt,
    Delivery,
    Event,
    Identity,
    Issue,
    Loop,
    Note,
    Post,
    Reply,
    Shipment,
    Tracker,
)


def account(row: Account, outside: Outside) -> shapes.AccountOut:
    """A connected profile, with the address for its webhooks."""
    return shapes.AccountOut(
        id=row.id,
        channel=row.channel,
        name=row.name,
        settings=row.settings,
        url=row.url,
        handle=row.handle,
        mode=row.mode,
        ok=row.ok,
        why=row.why,
        last_read_at=row.read_at,
        last_sent_at=row.sent_at,
        rejected_webhooks=row.rejected,
        last_rejected_at=row.rejected_at,
        last_rejected_why=row.rejected_why,
        hook_url=outside.hook_url(row),
        created_at=row.created_at,
    )


def tracker(row: Tracker, outside: Outside) -> shapes.TrackerOut:
    """A connected repository or project, with the address for its webhooks."""
    return shapes.TrackerOut(
        id=row.id,
        kind=row.kind,
        name=row.name,
        settings=row.settings,
        url=row.url,
        visible_to_public=row.visible_to_public,
        ok=row.ok,
        why=row.why,
        last_read_at=row.read_at,
        rejected_webhooks=row.rejected,
        last_rejected_at=row.rejected_at,
        last_rejected_why=row.rejected_why,
        hook_url=outside.hook_url(row),
        created_at=row.created_at,
    )


def health(row: Account | Tracker) -> shapes.Health:
    """A connection's health as last found."""
    return shapes.Health(ok=row.ok, why=row.why, scopes=row.scopes, expires_at=row.expires_at, quota=row.quota)


def account_health(row: Account, cost: Cost) -> shapes.AccountHealth:
    """A profile's health as last found, and what it costs."""
    return shapes.AccountHealth(
        **health(row).model_dump(),
        read_at=row.read_at,
        sent_at=row.sent_at,
        cost_this_month=None if cost.this_month is None else float(cost.this_month),
        budget=None if cost.budget is None else float(cost.budget),
    )


def post(row: Post, identity: Identity) -> shapes.PostOut:
    """A post and its author."""
    return shapes.PostOut(
        id=row.id,
        account_id=row.account_id,
        channel=row.channel,
        external_id=row.external_id,
        url=row.url,
        text=row.text,
        author=identity.handle,
        author_details=shapes.AuthorOut(
            identity_id=identity.id,
            customer_id=identity.customer_id,
            handle=identity.handle,
            name=identity.name,
            url=identity.url,
            followers=identity.followers,
            weak=identity.weak,
        ),
        state=row.state,
        came_by=row.came_by,
        parent_id=row.parent_id,
        thread_id=row.thread_id,
        language=row.language,
        visibility=row.visibility,
        content_warning=row.content_warning,
        media=row.media,
        created_at=row.created_at,
        edited_at=row.edited_at,
        gone_at=row.gone_at,
        gone_why=row.gone_why,
        loop_id=row.loop_id,
        answers_reply_id=row.answers_reply_id,
        heard=row.heard or "",
    )


def preview(found: Preview) -> shapes.PreviewOut:
    """What a policy would do."""
    return shapes.PreviewOut(
        told=len(found.told),
        waiting=len(found.waiting),
        loops=[
            shapes.ForeseenOut(
                loop_id=one.loop.id,
                customer=one.identity.handle,
                issue=issue_brief(one.issue),
                told=one.is_told,
                why=one.why,
            )
            for one in found.foreseen
        ],
        issues_read=found.issues,
        issues_unread=found.unread,
    )


def choices(found: Choices) -> shapes.ChoicesOut:
    """The other side's own names."""
    return shapes.ChoicesOut(
        choices={
            setting: [shapes.ChoiceOut(value=one.value, title=one.title, suggested=one.suggested) for one in names]
            for setting, names in found.items()
        }
    )


def issue_brief(row: Issue) -> shapes.IssueBrief:
    """An issue where it is only named."""
    return shapes.IssueBrief(
        id=row.id,
        tracker_id=row.tracker_id,
        ref=row.ref,
        title=row.title,
        url=row.url,
        state=row.state,
        outcome=row.outcome,
        outcome_reason=row.outcome_reason,
        why=row.why,
    )


def issue(row: Issue, shipment: Shipment | None, *, waiting: int, loop_ids: Sequence[int]) -> shapes.IssueOut:
    """An issue with its proof and who waits."""
    return shapes.IssueOut(
        **issue_brief(row).model_dump(),
        waiting=waiting,
        held=row.held_at is not None,
        held_why=row.held_why,
        closed_at=row.closed_at,
        read_at=row.read_at,
        block=row.block_why,
        pull_request=shapes.PullRequestOut(url=row.pull_on, why=row.pull_why)
        if row.pull_handle or row.pull_why
        else None,
        evidence=[shapes.EvidenceOut(**line) for line in row.evidence],
        shipment=None
        if shipment is None
        else shapes.ShipmentOut(
            label=shipment.label,
            url=shipment.url,
            evidence=[shapes.EvidenceOut(**line) for line in shipment.evidence],
            at=shipment.at,
            public_label=shipment.public_label,
            first_seen_at=shipment.first_seen_at,
        ),
        platforms=[shapes.PlatformOut(**one) for one in row.platforms],
        loops=list(loop_ids),
    )


async def whole_issue(session: Session, issue_id: int) -> shapes.IssueOut:
    """One issue, or 404."""
    row = await session.get(Issue, issue_id)
    if row is None:
        raise ProblemError(404, f"there is no issue {issue_id}")
    waiting = await issues.count_waiting(session, [issue_id])
    return issue(
        row,
        await issues.present_shipment(session, issue_id, platform=""),
        waiting=waiting.get(issue_id, 0),
        loop_ids=await issues.loop_ids(session, issue_id),
    )


def loop_brief(row: Loop) -> shapes.LoopBrief:
    """A loop in a list."""
    return shapes.LoopBrief(
        id=row.id,
        state=row.state,
        why=row.why,
        needs_person=row.needs_person or "",
        untold=row.untold if row.state == "shipped" else "",
        round=row.round,
        tags=row.tags,
        platform=row.platform,
        team=row.team,
        assignee=row.assignee,
        verification=row.verification,
        clock=shapes.Clock(
            seen=row.seen_at,
            tagged=row.tagged_at,
            linked=row.linked_at,
            fixed=row.fixed_at,
            shipped=row.shipped_at,
            told=row.told_at,
            verified=row.verified_at,
        ),
    )


async def whole_loop(session: Session, loop_id: int) -> shapes.LoopOut:
    """One loop with everything that hangs on it, or 404."""
    row = await session.get(Loop, loop_id)
    if row is None:
        raise ProblemError(404, f"there is no loop {loop_id}")
    present = await loops.present_issue(session, loop_id)
    identity = await customers.identity(session, row.identity_id)
    if identity is None:
        raise LookupError(f"loop {loop_id} has lost its customer")
    return shapes.LoopOut(
        **loop_brief(row).model_dump(),
        customer=shapes.CustomerOfLoop(
            id=identity.customer_id, identity_id=identity.id, suppression=suppression(identity)
        ),
        posts=[post(*found) for found in await posts.of_loop(session, loop_id)],
        issue=issue_brief(present) if present else None,
        replies=[reply_brief(found) for found in await replies.of_loop(session, loop_id)],
        notes=[note(found) for found in await loops.notes(session, loop_id)],
        history=[event(found) for found in await loops.history(session, loop_id)],
    )


NEWEST = 50
"""How much of each the page of one customer shows; the lists beside it have all."""


def suppression(row: Identity) -> shapes.SuppressionOut | None:
    """Why an identity must not be answered automatically."""
    if row.suppressed_at is None:
        return None
    return shapes.SuppressionOut(at=row.suppressed_at, why=row.suppressed_why, by=row.suppressed_by)


def identity(row: Identity) -> shapes.IdentityOut:
    """Who somebody is on one channel."""
    return shapes.IdentityOut(
        id=row.id,
        channel=row.channel,
        handle=row.handle,
        name=row.name,
        url=row.url,
        followers=row.followers,
        weak=row.weak,
        joined_at=row.joined_at,
        joined_by=row.joined_by,
        suppression=suppression(row),
    )


def customer_brief(number: int, identities: Sequence[Identity]) -> shapes.CustomerBrief:
    """A customer with their identities. Silence is the person's, so that of any identity is all of theirs."""
    return shapes.CustomerBrief(
        id=number,
        identities=[identity(row) for row in identities],
        suppression=next((found for row in identities if (found := suppression(row)) is not None), None),
    )


async def check_customer(session: Session, customer_id: int) -> Sequence[Identity]:
    """A customer's identities, or 404 that says to whom they were joined."""
    found = await customers.identities(session, customer_id)
    if not found:
        into = await customers.joined_into(session, customer_id)
        joined = f": its identities were joined to customer {into}" if into is not None else ""
        raise ProblemError(404, f"there is no customer {customer_id}{joined}")
    return found


async def whole_customer(session: Session, customer_id: int) -> shapes.CustomerOut:
    """One customer with everything that hangs on them, or 404."""
    identities = await check_customer(session, customer_id)
    return shapes.CustomerOut(
        **customer_brief(customer_id, identities).model_dump(),
        posts=[post(*row) for row in await customers.posts(session, customer_id, before=None, limit=NEWEST)],
        loops=[loop_brief(row.Loop) for row in await customers.loops(session, customer_id, before=None, limit=NEWEST)],
        told=[reply_brief(row.Reply) for row in await customers.told(session, customer_id, before=None, limit=NEWEST)],
        history=[event(row) for row in await customers.history(session, customer_id)],
        likely=[
            shapes.LikelyOut(identity=identity(row), customer_id=row.customer_id, why=why)
            for row, why in await likely_same(session, identities)
        ],
    )


def reply_brief(row: Reply) -> shapes.ReplyBrief:
    """A reply without its attempts."""
    return shapes.ReplyBrief(
        id=row.id,
        loop_id=row.loop_id,
        round=row.round,
        kind=row.kind,
        state=row.state,
        why=row.why,
        text=row.text,
        count=row.count,
        limit=row.limit,
        cut=row.cut,
        language=row.language,
        visibility=row.visibility,
        content_warning=row.content_warning,
        written_by=row.written_by,
        approved_by=row.approved_by,
        due_at=row.due_at,
        external_id=row.external_id,
        url=row.url,
        posted_at=row.posted_at,
        task=None
        if row.hand_at is None
        else shapes.TaskOut(since=row.hand_at, taken_by=row.hand_by, may_be_there=row.absent_from is not None),
    )


def reply(row: Reply, tries: Sequence[Attempt], price: Price | None, *, answers_url: str) -> shapes.ReplyOut:
    """A reply, what it costs, and every try to say it."""
    return shapes.ReplyOut(
        **reply_brief(row).model_dump(),
        answers_url=answers_url,
        price=None if price is None else shapes.PriceOut(usd=float(price.usd), why=price.why),
        attempts=[
            shapes.AttemptOut(
                number=one.number,
                started_at=one.started_at,
                ended_at=one.ended_at,
                outcome=one.outcome,
                detail=one.detail,
            )
            for one in tries
        ],
    )


async def whole_reply(river: River, session: Session, reply_id: int) -> shapes.ReplyOut:
    """One reply, or 404."""
    row = await session.get(Reply, reply_id)
    if row is None:
        raise ProblemError(404, f"there is no reply {reply_id}")
    post = await session.get(Post, row.post_id)
    account = await session.get(Account, row.account_id)
    price = price_of(river, account, row.text) if account is not None else None
    return reply(
        row, await replies.attempts(session, reply_id), price, answers_url=post.url if post is not None else ""
    )


def note(row: Note) -> shapes.NoteOut:
    """A colleague's words."""
    return shapes.NoteOut(id=row.id, author=row.author, text=row.text, at=row.at)


def event(row: Event) -> shapes.EventOut:
    """A line of history."""
    return shapes.EventOut(at=row.at, what=row.what, why=row.why, actor=row.actor)


def delivery(row: Delivery) -> shapes.DeliveryOut:
    """A webhook call as received."""
    return shapes.DeliveryOut(
        id=row.id, key=row.key, event=row.event, state=row.state, why=row.why, received_at=row.received_at
    )

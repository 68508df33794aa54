"""Posts and who wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, or_, select, update

from app.rules import facts
from app.store.session import Session
from app.store.tables import Account, Customer, Identity, Post


async def identity_of(session: Session, *, channel: str, author: facts.Author, now: datetime) -> Identity:
    """The author's identity, made if new, with the name and reach they have now."""
    query = select(Identity).where(Identity.channel == channel, Identity.external_id == author.external_id)
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        customer = Customer(created_at=now)
        session.add(customer)
        await session.flush()
        found = Identity(
            channel=channel,
            external_id=author.external_id,
            customer_id=customer.id,
            handle=author.handle,
            seen_at=now,
        )
        session.add(found)
    found.handle, found.name, found.url = author.handle or author.name or author.external_id, author.name, author.url
    found.weak, found.seen_at = author.weak, now
    if author.followers is not None:  # not every call of every network tells it
        found.followers = author.followers
    await session.flush()
    return found


async def by_canonical_id(session: Session, *, channel: str, canonical_id: str) -> Post | None:
    """The one row of a post, whichever of our accounts took it in."""
    query = select(Post).where(Post.channel == channel, Post.canonical_id == canonical_id)
    return (await session.execute(query)).scalar_one_or_none()


async def known(session: Session, *, channel: str, canonical_id: str, typed_id: str) -> Post | None:
    """The row of a post: by what its network calls it, or else by the name it got when somebody typed it in."""
    query = select(Post).where(Post.channel == channel, Post.canonical_id.in_((canonical_id, typed_id)))
    rows = {row.canonical_id: row for row in (await session.execute(query)).scalars()}
    return rows.get(canonical_id) or rows.get(typed_id)


async def at_address(session: Session, urls: Sequence[str]) -> Post | None:
    """A post that its network says is at one of these addresses."""
    query = select(Post).where(Post.url.in_(urls)).order_by(Post.id).limit(1)
    return (await session.execute(query)).scalars().first()


async def around(
    session: Session, post: Post, *, most: int
) -> tuple[list[tuple[Post, Identity]], list[tuple[Post, Identity]]]:
    """What was said above a post and below it, as far as it is kept here, each oldest first and at most so many."""
    query = select(Post, Identity).join(Identity, Identity.id == Post.identity_id)
    above: list[tuple[Post, Identity]] = []
    parent = post.parent_id
    while parent is not None and len(above) < most:
        row = (
            await session.execute(query.where(Post.account_id == post.account_id, Post.external_id == parent).limit(1))
        ).first()
        if row is None or any(row[0].id == seen.id for seen, _ in above):
            break
        above.insert(0, (row[0], row[1]))
        parent = row[0].parent_id
    below: dict[int, tuple[Post, Identity]] = {}
    parents = [post.external_id]
    while parents and len(below) < most:
        rows = await session.execute(
            query.where(Post.account_id == post.account_id, Post.answers_id.in_(parents), Post.id != post.id)
            .order_by(Post.created_at, Post.id)
            .limit(most - len(below))
        )
        new = [(row[0], row[1]) for row in rows if row[0].id not in below]
        below |= {found.id: (found, who) for found, who in new}
        parents = [found.external_id for found, _ in new]
    return above, sorted(below.values(), key=lambda one: (one[0].created_at, one[0].id))


async def by_canonical_ids(session: Session, *, channel: str, canonical_ids: Sequence[str]) -> Sequence[Post]:
    """Those of these posts that are here."""
    query = select(Post).where(Post.channel == channel, Post.canonical_id.in_(canonical_ids))
    return (await session.execute(query)).scalars().all()


async def by_external_ids(session: Session, *, account_id: int, external_ids: Sequence[str]) -> Sequence[int]:
    """The ids of an account's posts that its network calls so, those that are known to be gone left out."""
    query = select(Post.id).where(
        Post.account_id == account_id, Post.external_id.in_(external_ids), Post.gone_at.is_(None)
    )
    return (await session.execute(query.order_by(Post.id))).scalars().all()


async def lock(session: Session, post_id: int) -> Post | None:
    """One post as it is now, kept from every other writer until the transaction ends."""
    query = select(Post).where(Post.id == post_id).with_for_update(key_share=True)
    return (await session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


def accounts_to_read_again_query(*, now: datetime, lease_now: datetime) -> Select[Account]:
    """Accounts that have posts to be read again, and may be asked for them. Removed ones have nobody to ask."""
    is_due = select(Post.id).where(Post.account_id == Account.id, Post.read_again_at <= now).exists()
    return select(Account).where(
        Account.deleted_at.is_(None),
        Account.blocked.is_(False),
        or_(Account.resume_at.is_(None), Account.resume_at <= now),
        or_(Account.reread_at.is_(None), Account.reread_at <= now),
        or_(Account.reread_until.is_(None), Account.reread_until < lease_now),
        is_due,
    )


async def account_to_read_again(session: Session, *, now: datetime, lease_now: datetime) -> Account | None:
    """The one of them whose turn was longest ago, for one caller."""
    query = (
        accounts_to_read_again_query(now=now, lease_now=lease_now)
        .order_by(Account.reread_at.is_not(None), Account.reread_at, Account.id)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def to_read_again(
    session: Session, *, account_id: int, now: datetime, limit: int
) -> Sequence[tuple[Post, Identity]]:
    """An account's posts that are to be read again, the one that has waited longest first."""
    query = (
        select(Post, Identity)
        .join(Identity, Identity.id == Post.identity_id)
        .where(Post.account_id == account_id, Post.read_again_at <= now)
        .order_by(Post.read_again_at, Post.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def want_rereading(session: Session, *, account_id: int, external_ids: Sequence[str], now: datetime) -> None:
    """Something was said to have happened to these posts: they are read again now."""
    await session.execute(
        update(Post)
        .where(Post.account_id == account_id, Post.external_id.in_(external_ids), Post.read_again_at.is_not(None))
        .values(read_again_at=now),
        execution_options={"synchronize_session": False},
    )


async def read_again_at(session: Session, post_ids: Sequence[int], *, due_by: datetime, then: datetime) -> None:
    """Those of these posts that were due by a moment and that nobody has read since are read again `then`."""
    await session.execute(
        update(Post).where(Post.id.in_(post_ids), Post.read_again_at <= due_by).values(read_again_at=then),
        execution_options={"synchronize_session": False},
    )


def has_changed(row: Post, post: facts.Post) -> bool:
    """Whether the network says another thing now. Some keep no time of an edit: there the text itself tells."""
    edited_at = post.edited_at or row.edited_at
    return (row.edited_at, row.text, row.visibility) != (edited_at, post.text, post.visibility)


def fill(row: Post, post: facts.Post) -> None:
    """Write what the network says now over what it said before."""
    row.url, row.text, row.raw, row.language = post.url, post.text, post.raw, post.language
    row.visibility, row.content_warning = post.visibility, post.content_warning
    row.media = [
        {"url": m.url, "kind": m.kind, "description": m.description, "preview_url": m.preview_url} for m in post.media
    ]
    row.reply_ref = dict(post.reply_ref)
    row.parent_id, row.answers_id = post.parent_id, post.answers_id
    row.thread_id = post.thread_id or post.canonical_id
    row.edited_at = post.edited_at or row.edited_at


def as_fact(row: Post, identity: Identity) -> facts.Post:
    """The row as the rules and the channels know it."""
    return facts.Post(
        external_id=row.external_id,
        canonical_id=row.canonical_id,
        url=row.url,
        author=facts.Author(
            external_id=identity.external_id,
            handle=identity.handle,
            name=identity.name,
            url=identity.url,
            followers=identity.followers,
            weak=identity.weak,
        ),
        text=row.text,
        created_at=row.created_at,
        raw=row.raw,
        edited_at=row.edited_at,
        language=row.language,
        parent_id=row.parent_id,
        answers_id=row.answers_id,
        thread_id=row.thread_id,
        visibility=row.visibility,  # type: ignore[arg-type]
        content_warning=row.content_warning,
        media=tuple(facts.Media(**m) for m in row.media),
        reply_ref=row.reply_ref,
    )


async def with_identity(session: Session, post_id: int) -> tuple[Post, Identity] | None:
    """A post and its author."""
    return (await with_identities(session, [post_id])).get(post_id)


async def with_identities(session: Session, post_ids: Sequence[int]) -> dict[int, tuple[Post, Identity]]:
    """Several posts and their authors, by the post's id."""
    query = select(Post, Identity).join(Identity, Identity.id == Post.identity_id).where(Post.id.in_(post_ids))
    return {row[0].id: (row[0], row[1]) for row in await session.execute(query)}


def unheard_answers_query() -> Select[Post]:
    """Posts that answer a reply of ours and that nobody has listened to."""
    return select(Post).where(Post.answers_reply_id.is_not(None), Post.heard_at.is_(None))


async def unheard_answers(session: Session, *, limit: int) -> Sequence[Post]:
    """The same, oldest first, each for one caller."""
    query = (
        unheard_answers_query()
        .order_by(Post.created_at, Post.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return (await session.execute(query)).scalars().all()


async def are_answered(session: Session, *, account_id: int, external_ids: Sequence[str]) -> set[str]:
    """Which of these replies somebody answered before we knew that we had made them."""
    query = select(Post.answers_id).where(
        Post.account_id == account_id, Post.answers_id.in_(external_ids), Post.answers_reply_id.is_(None)
    )
    return {answers for answers in (await session.execute(query)).scalars() if answers is not None}


async def attach_answers(session: Session, *, account_id: int, external_id: str, reply_id: int, loop_id: int) -> None:
    """Posts that answered a reply before we knew that we had made it belong to it from now on."""
    await session.execute(
        update(Post)
        .where(Post.account_id == account_id, Post.answers_id == external_id, Post.answers_reply_id.is_(None))
        .values(answers_reply_id=reply_id, loop_id=loop_id)
    )


def _filtered(*, state: str | None, account_id: int | None, q: str | None) -> Select[Post, Identity]:
    query = select(Post, Identity).join(Identity, Identity.id == Post.identity_id)
    if state:
        query = query.where(Post.state == state)
    if account_id is not None:
        query = query.where(Post.account_id == account_id)
    if q:
        # Word search in the text or the handle; the wildcard characters of LIKE mean themselves.
        query = query.where(
            func.lower(Post.text).contains(q.lower(), autoescape=True)
            | func.lower(Identity.handle).contains(q.lower(), autoescape=True)
        )
    return query


async def page(
    session: Session, *, state: str | None, account_id: int | None, q: str | None, before: int | None, limit: int
) -> Sequence[tuple[Post, Identity]]:
    """Posts, newest first, below the id `before`."""
    query = _filtered(state=state, account_id=account_id, q=q)
    if before:
        query = query.where(Post.id < before)
    rows = await session.execute(query.order_by(Post.id.desc()).limit(limit))
    return [(row[0], row[1]) for row in rows]


async def of_loop(session: Session, loop_id: int) -> Sequence[tuple[Post, Identity]]:
    """A loop's posts, oldest first."""
    query = (
        select(Post, Identity)
        .join(Identity, Identity.id == Post.identity_id)
        .where(Post.loop_id == loop_id)
        .order_by(Post.created_at, Post.id)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def of_customer(session: Session, customer_id: int, *, limit: int) -> Sequence[Post]:
    """What one customer wrote to us, newest first."""
    query = (
        select(Post)
        .join(Identity, Identity.id == Post.identity_id)
        .where(Identity.customer_id == customer_id)
        .order_by(Post.created_at.desc())
        .limit(limit)
    )
    return (await session.execute(query)).scalars().all()


async def count_by_state(session: Session) -> dict[str, int]:
    """How many posts are new, tagged and dismissed."""
    return {row[0]: row[1] for row in await session.execute(select(Post.state, func.count()).group_by(Post.state))}


async def is_connected(session: Session, account_id: int) -> bool:
    """Whether the account that took a post in is still connected."""
    account = await session.get(Account, account_id)
    return account is not None and account.deleted_at is None

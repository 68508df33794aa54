"""Small decisions of triage: dismiss, restore, and taking in a post by its address."""

from __future__ import annotations

from app.steps.link import ConflictError, NotFoundError
from app.steps.river import River
from app.steps.take_in import keep_post
from app.store import accounts, posts
from app.store.tables import Account, Post


async def dismiss(river: River, post_id: int) -> None:
    """Not a product issue. A tagged post has a loop and cannot be dismissed; dismissing twice is fine."""
    await _set(river, post_id, "dismissed", unless="tagged", why="is tagged: drop its loop instead")


async def restore(river: River, post_id: int) -> None:
    """Back to triage. A tagged post is not away; restoring twice is fine."""
    await _set(river, post_id, "new", unless="tagged", why="is tagged already")


async def _set(river: River, post_id: int, state: str, *, unless: str, why: str) -> None:
    async with river.db.begin() as session:
        post = await session.get(Post, post_id, with_for_update=True)
        if post is None:
            raise NotFoundError(f"there is no post {post_id}")
        if post.state == unless:
            raise ConflictError(f"post {post_id} {why}")
        post.state = state


async def take_in_by_address(river: River, account_id: int, url: str) -> int:
    """Take in one post of a connected account's network. Returns its id, also where it was here already.

    OutsideError `invalid` where the network cannot find posts by address, `gone` where there is none.
    """
    async with river.db.read() as session:
        account = await accounts.get(session, Account, account_id)
    if account is None:
        raise NotFoundError(f"there is no account {account_id}")
    post = await river.outside.channel(account).find(url)
    async with river.db.begin() as session:
        row = await accounts.lock(session, Account, account_id)
        if row is None:
            raise NotFoundError(f"there is no account {account_id}")
        await keep_post(session, row, post, now=river.now())
        kept = await posts.by_canonical_id(session, channel=row.channel, canonical_id=post.canonical_id)
        if kept is None:
            raise LookupError("a post that was just kept is not there")
        return kept.id

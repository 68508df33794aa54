"""Any post by its address: read with its thread through a connected account, or typed in by a person where none can.

No request goes to the pasted address itself: an account's adapter asks its own network for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import structlog

from app.ports import Addressed, Channel, Conversing, Nearness, OutsideError
from app.rules import addresses, facts
from app.steps import reread
from app.steps.health import BLOCKING, record_illness
from app.steps.link import ConflictError, NotFoundError
from app.steps.river import River
from app.steps.take_in import begun_anew, keep_post, typed_id
from app.store import accounts, loops, posts
from app.store.session import Session
from app.store.tables import Account

log = structlog.get_logger(__name__)

MOST_ACCOUNTS = 200
AROUND = 50
"""How many posts around one that somebody pasted are kept, those nearest to it in time."""

NOT_THERE = frozenset({"invalid", "gone", "forbidden"})
"""What only says that the post is not to be had through this account; another may have it."""


async def take_in_by_address(river: River, url: str, *, account_id: int | None = None) -> int:
    """Take in the post at an address, and what was said around it. Returns its id, also where it was here already.

    Without an account, the one is found out that can read it. OutsideError where none can.
    """
    url = _asked_for(url)
    candidates = await _candidates(river, url, account_id)
    troubles: list[OutsideError] = []
    for account, channel in candidates:
        try:
            post = await channel.find(url)
        except OutsideError as error:
            troubles.append(error)
            if error.kind in BLOCKING:
                await record_illness(river, Account, account.id, account.version, error)
            continue
        return await _keep(river, account, post, await _around(river, channel, post))
    async with river.db.read() as session:
        known = await posts.at_address(session, addresses.spellings(url))
    if known is not None:
        return known.id  # it cannot be read now, and was here before
    if account_id is not None and troubles:
        raise troubles[0]
    telling = [error for error in troubles if error.kind not in NOT_THERE] or [
        e for e in troubles if e.kind != "invalid"
    ]
    if telling:
        raise telling[0]
    raise OutsideError(
        "no connected account can read a post at this address: take it in by hand, with its text and author", "invalid"
    )


def _asked_for(pasted: str) -> str:
    """The address to ask a network for. OutsideError where it is a web address that nobody should hand on."""
    url = pasted.strip()
    if not url.lower().startswith(("http://", "https://")):
        return url  # some networks have addresses of their own; what is none at all no channel reaches
    try:
        return addresses.without_marks(addresses.web_address(url))
    except ValueError as error:
        raise OutsideError(str(error), "invalid") from error


async def _candidates(river: River, url: str, account_id: int | None) -> Sequence[tuple[Account, Channel]]:
    """The accounts to ask, the likeliest first: those of the address' own network, or else those that may reach it."""
    async with river.db.read() as session:
        if account_id is not None:
            account = await accounts.get(session, Account, account_id)
            if account is None:
                raise NotFoundError(f"there is no account {account_id}")
            if not river.outside.has_adapter(account):
                raise OutsideError(f"nobody can read {account.name} from here: take the post in by hand", "invalid")
            return [(account, river.outside.channel(account))]
        rows = await accounts.page(session, Account, after=0, limit=MOST_ACCOUNTS)
    found: list[tuple[Nearness, Account, Channel]] = []
    for row in rows:
        if not river.outside.has_adapter(row):
            continue
        try:
            channel = river.outside.channel(row)
        except OutsideError:
            continue  # its page says so
        nearness: Nearness = channel.reaches(url) if isinstance(channel, Addressed) else "perhaps"
        if nearness != "no":
            found.append((nearness, row, channel))
    at_home = [one for one in found if one[0] == "here"]
    return [(row, channel) for _, row, channel in sorted(at_home or found, key=lambda one: (not one[1].ok, one[1].id))]


async def _around(river: River, channel: Channel, post: facts.Post) -> tuple[facts.Post, ...]:
    """What was said around it. A thread that cannot be read keeps nobody from the post itself."""
    if not isinstance(channel, Conversing):
        return ()
    try:
        found = await channel.read_around(post)
    except OutsideError as error:
        log.warning("thread not read", kind=error.kind, why=error.message)
        return ()
    river.point("address.thread_read")
    others = [one for one in found if one.canonical_id != post.canonical_id and not one.author.bot]
    nearest = sorted(others, key=lambda one: abs(one.created_at - post.created_at))[:AROUND]
    return tuple(sorted(nearest, key=lambda one: one.created_at))


async def _keep(river: River, account: Account, post: facts.Post, around: Sequence[facts.Post]) -> int:
    await reread.follow_page(river, account.id, [post, *around])
    async with river.db.begin() as session:
        row = await accounts.lock(session, Account, account.id)
        if row is None:
            raise NotFoundError(f"there is no account {account.id}")
        now = river.now()
        await keep_post(session, row, post, now=now, came_by="address")
        for other in around:
            if other.author.external_id != row.remote_id:
                await keep_post(session, row, other, now=now, came_by="address", is_context=True)
        kept = await posts.by_canonical_id(session, channel=row.channel, canonical_id=post.canonical_id)
        if kept is None:
            raise LookupError("a post that was just kept is not there")
        return kept.id


async def take_in_by_hand(
    river: River,
    *,
    url: str,
    text: str,
    author: str,
    place: str = "",
    account_id: int | None = None,
    said_at: datetime | None = None,
) -> int:
    """Keep a post as a person typed it: of a connected account, or of a place called by a free word.

    Returns its id; that of the post at this address where it is here already. The address is never asked.
    """
    address = addresses.web_address(url)
    return await begun_anew(partial(_type_in, river, address, text, author, place, account_id, said_at))


async def _type_in(
    river: River, address: str, text: str, author: str, place: str, account_id: int | None, said_at: datetime | None
) -> int:
    async with river.db.begin() as session:
        known = await posts.at_address(session, addresses.spellings(address))
        if known is not None:
            if known.state == "context":
                known.state = "new"
            return known.id
        account = await _account_for(river, session, place=place, account_id=account_id)
        key = typed_id(address)
        there = await posts.by_canonical_id(session, channel=account.channel, canonical_id=key)
        if there is not None:
            return there.id
        now = river.now()
        handle = author.strip()
        post = facts.Post(
            external_id=key,
            canonical_id=key,
            url=address,
            author=facts.Author(external_id=f"hand:{handle.removeprefix('@').casefold()}", handle=handle, weak=True),
            text=text.strip(),
            created_at=min(said_at or now, now),
            raw="",
        )
        kept = await keep_post(session, account, post, now=now, came_by="hand")
        if kept is None:
            raise LookupError("a post that was not here is here")
        return kept.id


async def _account_for(river: River, session: Session, *, place: str, account_id: int | None) -> Account:
    """The account a typed post belongs to; a place nobody has named before becomes one that people serve by hand."""
    if account_id is not None:
        account = await accounts.get(session, Account, account_id)
        if account is None:
            raise NotFoundError(f"there is no account {account_id}")
        return account
    name = addresses.name_of_place(place)
    if not name:
        raise ConflictError("name the place where it was said, or the account it belongs to")
    rows = [row for row in await accounts.page(session, Account, after=0, limit=MOST_ACCOUNTS) if row.channel == name]
    if len(rows) > 1:
        names = ", ".join(f"{row.name} ({row.id})" for row in rows)
        raise ConflictError(f"{len(rows)} accounts are on {name}: say which one it belongs to, {names}")
    if rows:
        return rows[0]
    made = Account(
        channel=name, name=" ".join(place.split())[:200], mode="by_hand", version=1, rejected=0, created_at=river.now()
    )
    session.add(made)
    await session.flush()
    loops.note_event(session, at=river.now(), what="place added", why=made.name)
    log.info("place added", account_id=made.id, channel=name)
    return made

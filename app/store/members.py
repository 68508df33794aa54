"""Members, and the tokens by which they and their scripts come in. Only hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update

from app.store.session import Session
from app.store.tables import Member, Token


def hash_of(token: str) -> str:
    """What is kept of a token. Tokens are 256 random bits, so that a plain digest is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


async def make_token(
    session: Session,
    *,
    name: str,
    role: str,
    now: datetime,
    kind: str = "api",
    lives: timedelta | None = None,
    member_id: int | None = None,
) -> str:
    """A new token, shown this once."""
    token = f"fc_{secrets.token_urlsafe(32)}"
    session.add(
        Token(
            kind=kind,
            name=name,
            role=role,
            hash=hash_of(token),
            member_id=member_id,
            created_at=now,
            expires_at=now + lives if lives else None,
        )
    )
    await session.flush()
    return token


async def find_token(session: Session, token: str, *, kind: str, now: datetime) -> Token | None:
    """The token that was shown, if it still lets anybody in."""
    query = select(Token).where(Token.hash == hash_of(token), Token.kind == kind, Token.revoked_at.is_(None))
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None or (found.expires_at is not None and found.expires_at <= now):
        return None
    return found


async def mark_used(session: Session, token_id: int, *, now: datetime) -> None:
    """Note that somebody came in by this token."""
    await session.execute(update(Token).where(Token.id == token_id).values(used_at=now))


async def revoke(session: Session, token_id: int, *, now: datetime) -> None:
    """Let nobody in by this token any more."""
    await session.execute(update(Token).where(Token.id == token_id).values(revoked_at=now))


async def revoke_links(session: Session, *, now: datetime) -> None:
    """Let nobody in by an earlier sign-in link."""
    await session.execute(update(Token).where(Token.kind == "link", Token.revoked_at.is_(None)).values(revoked_at=now))


async def has_members(session: Session) -> bool:
    """Whether anybody has signed up yet."""
    return (await session.execute(select(func.count()).select_from(Member))).scalar_one() > 0


def key_of(name: str) -> str:
    """A name as it is compared: two that a person would take for one are one."""
    return unicodedata.normalize("NFKC", name).casefold()


async def member_by_name(session: Session, name: str) -> Member | None:
    """Whoever has this name, disabled or not."""
    return (await session.execute(select(Member).where(Member.key == key_of(name)))).scalar_one_or_none()


async def lock_member(session: Session, member_id: int) -> Member | None:
    """One member, kept from every other writer until the transaction ends."""
    return (
        await session.execute(select(Member).where(Member.id == member_id).with_for_update(key_share=True))
    ).scalar_one_or_none()


async def members(session: Session) -> Sequence[Member]:
    """Everybody, by name."""
    return (await session.execute(select(Member).order_by(Member.key))).scalars().all()


async def lock_active_admins(session: Session) -> Sequence[int]:
    """Ids of the admins who may come in, kept until the transaction ends, so that the last one stays."""
    query = (
        select(Member.id).where(Member.role == "admin", Member.disabled_at.is_(None)).with_for_update(key_share=True)
    )
    return (await session.execute(query)).scalars().all()


async def session_of(session: Session, token: str, *, now: datetime) -> tuple[Token, Member] | None:
    """The signed-in browser that shows this token, and who sits at it."""
    query = (
        select(Token, Member)
        .join(Member, Member.id == Token.member_id)
        .where(
            Token.hash == hash_of(token),
            Token.kind == "session",
            Token.revoked_at.is_(None),
            Token.expires_at > now,
            Member.disabled_at.is_(None),
        )
    )
    found = (await session.execute(query)).first()
    return (found[0], found[1]) if found else None


async def living(session: Session, kind: str, *, now: datetime, member_id: int | None = None) -> Sequence[Token]:
    """Tokens of a kind that let somebody in, the newest first; of one member or of all."""
    lives = or_(Token.expires_at.is_(None), Token.expires_at > now)
    query = select(Token).where(Token.kind == kind, Token.revoked_at.is_(None), lives)
    if member_id is not None:
        query = query.where(Token.member_id == member_id)
    return (await session.execute(query.order_by(Token.id.desc()).limit(200))).scalars().all()


async def revoke_of_member(
    session: Session, member_id: int, *, kinds: Sequence[str], now: datetime, but: int | None = None
) -> None:
    """Let a member's tokens of these kinds in no more; `but` names one that stays."""
    query = update(Token).where(Token.member_id == member_id, Token.kind.in_(kinds), Token.revoked_at.is_(None))
    if but is not None:
        query = query.where(Token.id != but)
    await session.execute(query.values(revoked_at=now))

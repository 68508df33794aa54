"""Members, and the tokens by which they and their scripts come in. Only hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

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


async def member_by_name(session: Session, name: str) -> Member | None:
    """A member who may come in."""
    query = select(Member).where(func.lower(Member.name) == name.lower(), Member.disabled_at.is_(None))
    return (await session.execute(query)).scalar_one_or_none()


async def members(session: Session) -> Sequence[Member]:
    """Everybody, by name."""
    return (await session.execute(select(Member).order_by(Member.name))).scalars().all()

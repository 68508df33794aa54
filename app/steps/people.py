"""Who comes in: members, their passwords, the links that invite them, and the browsers they are signed in with."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

import structlog
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.rules.characters import graphemes, one_line
from app.steps.link import ConflictError, NotFoundError
from app.steps.river import River
from app.store import members, throttles
from app.store.session import Session
from app.store.tables import Member, Token

log = structlog.get_logger(__name__)

Role = Literal["triager", "engineer", "approver", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

SESSION_LIVES = timedelta(days=30)
LINK_LIVES = timedelta(days=7)
MAX_NAME = 80
MIN_PASSWORD, MAX_PASSWORD = 10, 200

FREE_TRIES = {"name and address": 5, "name": 50, "address": 50}
"""How many wrong passwords cost nothing. Few from one address for one name; many where the two do not belong
together, so that a stranger cannot keep a member out by guessing."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(minutes=15)
FORGET_TRIES = timedelta(hours=12)

_passwords = PasswordHash((Argon2Hasher(),))


class BadFieldError(Exception):
    """Something a person entered cannot be used: which field, and why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class NotLetInError(Exception):
    """Name and password do not fit, or there were too many tries; never says which of the two was wrong."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a sign-in link opens: a new membership, or a new password for a member there is."""

    token_id: int
    role: Role
    name: str
    member_id: int | None


def role_of(text: str) -> Role:
    """A role by its name. BadFieldError where there is none."""
    for role in ROLES:
        if role == text:
            return role
    raise BadFieldError("role", "Choose one of the roles in the list.")


async def invitation(river: River, link: str) -> Invitation | None:
    """What a sign-in link opens, or None where it was used, withdrawn or has expired."""
    async with river.db.read() as session:
        return await _invitation(session, link, now=river.now())


async def _invitation(session: Session, link: str, *, now: datetime) -> Invitation | None:
    token = await members.find_token(session, link, kind="link", now=now)
    if token is None:
        return None
    if token.member_id is None:
        name = token.name if token.name != "first start" else ""
        return Invitation(token.id, role_of(token.role), name, None)
    member = await session.get(Member, token.member_id)
    if member is None or member.disabled_at is not None:
        return None
    return Invitation(token.id, role_of(member.role), member.name, member.id)


async def sign_up(river: River, link: str, *, name: str, password: str, browser: str) -> str:
    """Take up an invitation: a new member, or a new password. Returns the session's token.

    BadFieldError for a field that cannot be used; NotFoundError where the link opens nothing.
    """
    if await invitation(river, link) is None:
        raise NotFoundError("this link was used already, was withdrawn, or has expired")
    name = one_line(name)
    _check_password(password, name=name)
    hashed = await asyncio.to_thread(_passwords.hash, password)
    async with river.db.begin() as session:
        now = river.now()
        found = await _invitation(session, link, now=now)
        if found is None:
            raise NotFoundError("this link was used already, was withdrawn, or has expired")
        if found.member_id is None:
            member = await _new_member(session, name, found.role, hashed, now=now)
        else:
            member = await _must_lock(session, found.member_id)
            member.password_hash = hashed
            await members.revoke_of_member(session, member.id, kinds=("session", "link"), now=now)
        await members.revoke(session, found.token_id, now=now)
        token = await _open_session(session, member, browser=browser, now=now)
    log.info("member signed up", member_id=member.id, role=member.role)
    return token


async def _new_member(session: Session, name: str, role: Role, hashed: str, *, now: datetime) -> Member:
    if not name:
        raise BadFieldError("name", "What shall we call you? Colleagues see this name beside what you do.")
    if graphemes(name) > MAX_NAME:
        raise BadFieldError("name", f"At most {MAX_NAME} characters.")
    if await members.member_by_name(session, name) is not None:
        raise BadFieldError("name", f"There is a {name} already; choose another name.")
    member = Member(name=name, key=members.key_of(name), role=role, password_hash=hashed, created_at=now)
    session.add(member)
    await session.flush()
    return member


def _check_password(password: str, *, name: str, field: str = "password") -> None:
    if len(password) < MIN_PASSWORD:
        raise BadFieldError(field, f"At least {MIN_PASSWORD} characters; a few words are easy to remember.")
    if len(password) > MAX_PASSWORD:
        raise BadFieldError(field, f"At most {MAX_PASSWORD} characters.")
    if members.key_of(password) == members.key_of(name) or len(set(password)) < 4:
        raise BadFieldError(field, "That is the first thing somebody else would try.")


async def _open_session(session: Session, member: Member, *, browser: str, now: datetime) -> str:
    return await members.make_token(
        session,
        name=one_line(browser)[:200] or "a browser",
        role=member.role,
        now=now,
        kind="session",
        lives=SESSION_LIVES,
        member_id=member.id,
    )


async def sign_in(river: River, *, name: str, password: str, address: str, browser: str) -> str:
    """Let a member in by name and password. Returns the session's token; NotLetInError where they do not fit.

    A try is counted before the password is looked at, so that many at once gain nothing, and an
    unknown name takes as long as a wrong password.
    """
    keys = _throttle_keys(name, address)
    async with river.db.begin() as session:
        until = await _count_try(session, keys, now=river.now())
        member = await members.member_by_name(session, one_line(name)) if until is None else None
    if until is not None:
        minutes = max(1, round((until - river.now()) / timedelta(minutes=1)))
        raise NotLetInError(
            f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again; "
            "an admin can also give you a new link."
        )
    known = member.password_hash if member is not None and member.disabled_at is None else ""
    fits, better = await asyncio.to_thread(_verify, password, known)
    if not fits or member is None:
        log.warning("sign-in refused", address=address)
        raise NotLetInError("This name and password do not belong together.")
    async with river.db.begin() as session:
        now = river.now()
        locked = await _must_lock(session, member.id)
        if locked.disabled_at is not None:
            raise NotLetInError("This name and password do not belong together.")
        if better is not None:
            locked.password_hash = better
        await _forgive(session, keys, now=now)
        token = await _open_session(session, locked, browser=browser, now=now)
    log.info("member signed in", member_id=member.id)
    return token


@functools.cache
def _nobodys_hash() -> str:
    return _passwords.hash("nobody has this password")


def _verify(password: str, hashed: str) -> tuple[bool, str | None]:
    """Whether they fit, and a stronger hash where today's settings ask for one. Takes as long where there is none."""
    if not hashed:
        _passwords.verify(password[:MAX_PASSWORD], _nobodys_hash())
        return False, None
    return _passwords.verify_and_update(password[:MAX_PASSWORD], hashed)


def _throttle_keys(name: str, address: str) -> dict[str, str]:
    who = members.key_of(one_line(name))
    parts = {"name and address": f"{who}\0{address}", "name": who, "address": address}
    return {kind: hashlib.sha256(f"{kind}\0{value}".encode()).hexdigest() for kind, value in parts.items()}


async def _count_try(session: Session, keys: dict[str, str], *, now: datetime) -> datetime | None:
    """Count one try under each key; the time to wait for where any has had too many, and then none is counted."""
    rows = {kind: await throttles.lock(session, keys[kind], now=now) for kind in sorted(keys)}
    for row in rows.values():
        if now - row.last_at > FORGET_TRIES:
            row.tries, row.until = 0, None
    waits = [row.until for row in rows.values() if row.until is not None and row.until > now]
    if waits:
        return max(waits)
    for kind, row in rows.items():
        row.tries, row.last_at = row.tries + 1, now
        over = row.tries - FREE_TRIES[kind]
        if over >= 0:
            row.until = now + min(FIRST_WAIT * 2 ** min(over, 10), LONGEST_WAIT)
    return None


async def _forgive(session: Session, keys: dict[str, str], *, now: datetime) -> None:
    """The tries of somebody who is in now: none are held against the name, and this one not against the address."""
    for kind in sorted(keys):
        row = await throttles.lock(session, keys[kind], now=now)
        row.tries = max(row.tries - 1, 0) if kind == "address" else 0
        row.until = row.until if kind == "address" else None
    await throttles.forget(session, older_than=now - FORGET_TRIES)


async def sign_out(river: River, token_id: int) -> None:
    """End one session."""
    async with river.db.begin() as session:
        await members.revoke(session, token_id, now=river.now())


async def end_session(river: River, member_id: int, token_id: int) -> None:
    """End one of a member's own sessions."""
    async with river.db.begin() as session:
        token = await session.get(Token, token_id)
        if token is None or token.kind != "session" or token.member_id != member_id:
            raise NotFoundError("there is no such session of yours")
        await members.revoke(session, token_id, now=river.now())


async def end_sessions(river: River, member_id: int, *, but: int | None = None) -> None:
    """End all of a member's sessions; `but` names one that stays."""
    async with river.db.begin() as session:
        await _must_lock(session, member_id)
        await members.revoke_of_member(session, member_id, kinds=("session",), now=river.now(), but=but)


async def invite(river: River, *, name: str, role: Role, actor: str) -> str:
    """A link by which one person becomes a member; its token is shown this once."""
    name = one_line(name)
    if graphemes(name) > MAX_NAME:
        raise BadFieldError("name", f"At most {MAX_NAME} characters.")
    async with river.db.begin() as session:
        if name and await members.member_by_name(session, name) is not None:
            raise BadFieldError("name", f"There is a {name} already.")
        token = await members.make_token(session, name=name, role=role, now=river.now(), kind="link", lives=LINK_LIVES)
    log.info("member invited", role=role, by=actor)
    return token


async def withdraw_invitation(river: River, token_id: int) -> None:
    """Let nobody in by this link."""
    await _revoke(river, token_id, kind="link", what="invitation")


async def revoke_api_token(river: River, token_id: int, *, actor: str) -> None:
    """Let no script in by this token."""
    await _revoke(river, token_id, kind="api", what="token")
    log.info("token revoked", token_id=token_id, by=actor)


async def _revoke(river: River, token_id: int, *, kind: str, what: str) -> None:
    async with river.db.begin() as session:
        token = await session.get(Token, token_id)
        if token is None or token.kind != kind:
            raise NotFoundError(f"there is no such {what}")
        await members.revoke(session, token_id, now=river.now())


async def new_password_link(river: River, member_id: int, *, actor: str) -> str:
    """A link by which a member who forgot theirs chooses a new password."""
    async with river.db.begin() as session:
        member = await _must_lock(session, member_id)
        if member.disabled_at is not None:
            raise ConflictError(f"{member.name} may not come in: enable them first")
        token = await members.make_token(
            session,
            name=member.name,
            role=member.role,
            now=river.now(),
            kind="link",
            lives=LINK_LIVES,
            member_id=member_id,
        )
    log.info("new password link made", member_id=member_id, by=actor)
    return token


async def change_password(river: River, member_id: int, *, old: str, new: str, session_id: int) -> None:
    """A member's own new password; every other browser of theirs is signed out. BadFieldError at `old` or `new`."""
    async with river.db.read() as session:
        member = await session.get(Member, member_id)
    if member is None:
        raise NotFoundError("there is no such member")
    fits, _ = await asyncio.to_thread(_verify, old, member.password_hash)
    if not fits:
        raise BadFieldError("old", "This is not your present password.")
    _check_password(new, name=member.name, field="new")
    hashed = await asyncio.to_thread(_passwords.hash, new)
    async with river.db.begin() as session:
        locked = await _must_lock(session, member_id)
        locked.password_hash = hashed
        await members.revoke_of_member(session, member_id, kinds=("session", "link"), now=river.now(), but=session_id)


async def change_role(river: River, member_id: int, *, role: Role, actor: str) -> None:
    """Give a member another role, at once in every browser of theirs. The last admin stays one."""
    async with river.db.begin() as session:
        admins = await members.lock_active_admins(session)
        member = await _must_lock(session, member_id)
        if role != "admin" and list(admins) == [member_id]:
            raise ConflictError(f"{member.name} is the only admin: make somebody else one first")
        member.role = role
    log.info("role changed", member_id=member_id, role=role, by=actor)


async def disable(river: River, member_id: int, *, actor: str) -> None:
    """Let a member in no more; what they did keeps their name. The last admin stays."""
    async with river.db.begin() as session:
        admins = await members.lock_active_admins(session)
        member = await _must_lock(session, member_id)
        if list(admins) == [member_id]:
            raise ConflictError(f"{member.name} is the only admin: make somebody else one first")
        now = river.now()
        member.disabled_at = member.disabled_at or now
        await members.revoke_of_member(session, member_id, kinds=("session", "link"), now=now)
    log.info("member disabled", member_id=member_id, by=actor)


async def enable(river: River, member_id: int, *, actor: str) -> None:
    """Let a member in again."""
    async with river.db.begin() as session:
        member = await _must_lock(session, member_id)
        member.disabled_at = None
    log.info("member enabled", member_id=member_id, by=actor)


async def _must_lock(session: Session, member_id: int) -> Member:
    member = await members.lock_member(session, member_id)
    if member is None:
        raise NotFoundError(f"there is no member {member_id}")
    return member

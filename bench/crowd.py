"""A database as it is after a busy year: a hundred thousand posts, and what has become of them. Made with bulk inserts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.steps import connect
from app.store import members, tables
from app.store.session import Database
from bench.service import parts

POSTS = 100_000
CUSTOMERS = 50_000
LOOPS = 40_000
ISSUES = 2_000
BUSY_ISSUE = 1
BUSY_LOOPS = 1_000
"""So many wait for one issue; the others have about twenty each."""

STATES = ("open", "linked", "linked", "fixed", "shipped", "told", "told", "verified", "declined", "dropped")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def at(number: int) -> datetime:
    """A moment for each row, in their order."""
    return BEGAN + timedelta(minutes=5 * number)


async def fill(database: str, folder: Path) -> tuple[str, str]:
    """Fill a new database. Returns an admin's API token and the cookie of a signed-in browser."""
    async with parts(database, folder) as assembly:
        river = assembly.river
        await connect.connect_account(river, channel="rehearsal", name="Acme", settings={}, secrets={}, mode="approve")
        await connect.connect_tracker(river, kind="rehearsal", name="Acme app", settings={}, secrets={})
        async with river.db.begin() as session:
            for table, rows in _rows():
                await _insert(session, table, rows)
            for connected in (tables.Account, tables.Tracker):
                # Their other side knows nothing of all this: nobody is to ask it.
                await session.execute(update(connected).values(poll_at=river.now() + timedelta(days=1)))
        await _settle(river.db)
        return await keys(database, folder)


async def _settle(db: Database) -> None:
    """What a database does by itself in the minutes after so much was written; here it would fall among the figures."""
    async with db.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in ("ANALYZE",) if db.is_sqlite else ("VACUUM ANALYZE", "CHECKPOINT"):
            await connection.execute(text(statement))


async def keys(database: str, folder: Path) -> tuple[str, str]:
    """An admin's API token and the cookie of a signed-in browser."""
    async with parts(database, folder) as assembly, assembly.river.db.begin() as session:
        now = assembly.river.now()
        member = tables.Member(name="Ada", key=f"ada {secrets.token_hex(4)}", role="admin", created_at=now)
        session.add(member)
        await session.flush()
        token = await members.make_token(session, name="bench", role="admin", now=now)
        cookie = await members.make_token(
            session,
            name="a browser",
            role="admin",
            now=now,
            kind="session",
            lives=timedelta(days=1),
            member_id=member.id,
        )
    return token, cookie


async def _insert(session: AsyncSession, table: type[tables.Table], rows: Iterable[dict[str, Any]]) -> None:
    connection = await session.connection()
    left = iter(rows)
    while some := list(islice(left, 5000)):
        await connection.execute(insert(table), some)


def _rows() -> Iterator[tuple[type[tables.Table], Iterable[dict[str, Any]]]]:
    yield tables.Customer, ({"id": n, "created_at": at(n)} for n in range(1, CUSTOMERS + 1))
    yield tables.Identity, (_identity(n) for n in range(1, CUSTOMERS + 1))
    yield tables.Post, (_post(n) for n in range(1, POSTS + 1))
    yield tables.Issue, (_issue(n) for n in range(1, ISSUES + 1))
    yield tables.Loop, (_loop(n) for n in range(1, LOOPS + 1))
    yield tables.Link, (_link(n) for n in range(1, LOOPS + 1) if _state(n) != "open")
    yield tables.Reply, (_reply(n) for n in range(1, LOOPS + 1) if _state(n) in {"told", "verified"})
    yield tables.Event, (_event(n, what) for n in range(1, LOOPS + 1) for what in ("tagged", "linked", "fixed"))


def _state(number: int) -> str:
    return STATES[number % len(STATES)]


def _issue_of(loop: int) -> int:
    return BUSY_ISSUE if loop <= BUSY_LOOPS else 2 + loop % (ISSUES - 1)


def _identity(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "channel": "rehearsal",
        "external_id": f"person-{number}",
        "handle": f"@person{number}",
        "name": f"Person {number}",
        "followers": number % 1000,
        "weak": False,
        "customer_id": number,
        "seen_at": at(number),
    }


def _post(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "account_id": 1,
        "channel": "rehearsal",
        "external_id": f"p{number}",
        "canonical_id": f"https://network.example/p{number}",
        "url": f"https://network.example/p{number}",
        "identity_id": 1 + number % CUSTOMERS,
        "text": f"Export number {number} hangs since the last update, and nobody answers. What is to be done about it?",
        "raw": "{}",
        "language": "en",
        "visibility": "public",
        "content_warning": "",
        "media": [],
        "reply_ref": {},
        "thread_id": f"https://network.example/p{number}",
        "created_at": at(number),
        "taken_in_at": at(number),
        "state": "tagged" if number <= LOOPS else "dismissed" if number % 5 == 0 else "new",
        "loop_id": number if number <= LOOPS else None,
    }


def _issue(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "tracker_id": 1,
        "remote_id": str(number),
        "ref": f"#{number}",
        "title": f"Export {number} hangs on large files",
        "body": "",
        "marker": f"marker-{number}",
        "state": "open",
        "why": "the issue is open",
        "created_at": at(number),
        "locked": False,
        "visible_to_public": False,
        "verdict": "not_yet",
        "evidence": [],
        **dict.fromkeys(
            ("look_wanted", "look_done", "look_failures", "block_wanted", "block_done", "create_failures"), 0
        ),
    }


def _loop(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "channel": "rehearsal",
        "thread_id": f"https://network.example/p{number}",
        "identity_id": 1 + number % CUSTOMERS,
        "post_id": number,
        "state": _state(number),
        "why": "waits",
        "owed": True,
        "needs_person": "somebody should look" if number % 500 == 0 else "",
        "round": 1,
        "tags": ["export"],
        "seen_at": at(number),
        "tagged_at": at(number),
        "linked_at": at(number),
        "told_at": at(number) if _state(number) in {"told", "verified"} else None,
        # Without it, the worker closes thousands that nobody answered while the first pages are measured.
        "verification": {"told": "no_answer", "verified": "confirmed"}.get(_state(number)),
    }


def _link(number: int) -> dict[str, Any]:
    return {"loop_id": number, "issue_id": _issue_of(number), "since": at(number)}


def _reply(number: int) -> dict[str, Any]:
    return {
        "loop_id": number,
        "round": 1,
        "kind": "fixed",
        "slot": "fixed",
        "account_id": 1,
        "channel": "rehearsal",
        "post_id": number,
        "parent_canonical_id": f"https://network.example/p{number}",
        "evidence_digest": "",
        "state": "posted",
        "why": "said",
        "issue_hold": False,
        "text": "It is fixed in v1.2.3. Thank you for telling us!",
        "count": 48,
        "limit": 500,
        "cut": False,
        "visibility": "unlisted",
        "content_warning": "",
        "owed_at": at(number),
        "attempts": 1,
        "failures": 0,
        "in_flight": False,
        "external_id": f"r{number}",
        "url": f"https://network.example/r{number}",
        "posted_at": at(number),
        "visible": True,
    }


def _event(number: int, what: str) -> dict[str, Any]:
    return {"at": at(number), "what": what, "why": "", "actor": "Ada", "loop_id": number}

"""Customers who wait for one issue, laid ready: a network, an account, a tracker, and loops linked to the issue."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from sqlalchemy import select, update

from app.staging import Board
from app.steps import connect, hear_tracker, link, take_in
from app.steps.river import River
from app.store.tables import Account, Issue, Post, Tracker
from bench.service import parts
from tests.support.mastodon_network import MastodonServer

SECRET = "a webhook secret, long enough"
UNSETTLED = 5.5
"""Seconds for which the adapter takes two mentions that came together to be out of order."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who waits: the ids of their posts on the network."""

    statuses: list[str]
    tracker_id: int


async def connected(river: River, network: MastodonServer, *, mode: str) -> Account:
    """The brand's account on the network."""
    return await connect.connect_account(
        river,
        channel="mastodon",
        name="Acme",
        settings={"base_url": network.base_url},
        secrets={"access_token": network.access_token},
        mode=mode,
    )


async def lay_ready(
    database: str, folder: Path, network: MastodonServer, *, customers: int, issues: int = 1, closed: bool = True
) -> Waiting:
    """Let so many customers complain, and wait in equal parts for so many issues, closed (or not) but not released."""
    said = network.mentions(
        [
            {"user": f"u{number}@elsewhere.example", "text": f"Export hangs, case {number}"}
            for number in range(customers)
        ]
    )
    await asyncio.sleep(UNSETTLED)
    async with parts(database, folder) as assembly:
        river = assembly.river
        account = await connected(river, network, mode="automatic")
        tracker = await connect.connect_tracker(
            river, kind="rehearsal", name="app", settings={}, secrets={"webhook_secret": SECRET}
        )
        await take_in.take_in(river, account.id)
        board = Board(assembly.stage, "main")
        numbers = []
        for number in range(1, issues + 1):
            await board.open_issue(title=f"Export hangs {number}", body="", now=river.now())
            numbers.append(await link.find_issue(river, tracker_id=tracker.id, ref=f"#{number}"))
        async with river.db.begin() as session:
            rows = [await session.get_one(Issue, number) for number in numbers]
            for at, post_id in enumerate((await session.execute(select(Post.id).order_by(Post.id))).scalars().all()):
                loop, _ = await link.open_loop(session, post_id=post_id, tags=[], now=river.now(), actor="bench")
                await link.link_loop(session, loop, rows[at % issues], now=river.now(), actor="bench")
        for number, issue_id in enumerate(numbers if closed else [], start=1):
            await board.close(number, outcome="completed", now=river.now())
            await hear_tracker.look_at(river, issue_id)
        async with river.db.begin() as session:  # what is measured is the webhook, not the poll
            await session.execute(update(Tracker).values(poll_at=river.now() + timedelta(days=1)))
    return Waiting([status["id"] for status in said], tracker.id)


async def release(database: str, folder: Path, tag: str, *, close: int | None = None) -> None:
    """The release that ships what was closed before it; `close` closes one issue first."""
    async with parts(database, folder) as assembly:
        if close is not None:
            await Board(assembly.stage, "main").close(close, outcome="completed", now=assembly.river.now())
        await Board(assembly.stage, "main").release(tag, now=assembly.river.now())


async def announce(http: httpx.AsyncClient, url: str, tracker_id: int, *, issues: list[str] | None = None) -> None:
    """The tracker's webhook: about these issues, or (without any) about everything."""
    body = json.dumps({"issues": issues} if issues else {"everything": True}).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    answer = await http.post(
        f"{url}/hooks/trackers/{tracker_id}", content=body, headers={"X-Hub-Signature-256": signature}
    )
    answer.raise_for_status()

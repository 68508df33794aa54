"""A brand on a Mastodon network, and customers who wait for a fix: what the tests of speaking start from.

The network is in memory behind a rough line, the tracker is the rehearsal board, and the clock is
moved by hand.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.staging import Board
from app.steps.river import Timing
from tests.support.circle import Circle, Clock, circle
from tests.support.databases import Databases, apart, migrated
from tests.support.mastodon_network import TOKEN, Call, MastodonNetwork, Status
from tests.support.rough_line import POSTING, RoughLine

HOME = "http://127.0.0.1"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STEP = 60.0
"""Seconds from the complaints' end to the close, and from there to the release."""


@dataclass
class Brand:
    """Everything a test moves: the circle, the network behind its line, and the board."""

    circle: Circle
    network: MastodonNetwork
    line: RoughLine
    customers: list[Status]

    @property
    def board(self) -> Board:
        return Board(self.circle.stage, "main")

    def replies_to(self, customer: Status) -> list[dict[str, Any]]:
        """What the public read under a customer's post, by the network's own ledger."""
        return [entry for entry in self.network.ledger if entry["parent"] == customer.id]

    async def loop(self, number: int = 1) -> dict[str, Any]:
        found: dict[str, Any] = await self.circle.get(f"/api/v1/loops/{number}")
        return found

    async def reply(self, number: int = 1) -> dict[str, Any]:
        found: dict[str, Any] = await self.circle.get(f"/api/v1/replies/{number}")
        return found

    def say_by_hand(self, text: str, customer: Status) -> None:
        """Somebody at the brand answers a customer with another program."""
        call = Call(
            method="POST",
            path=POSTING,
            query={},
            headers={"authorization": f"Bearer {TOKEN}", "content-type": "application/json"},
            body=json.dumps({"status": text, "in_reply_to_id": customer.id}).encode(),
            at=self.circle.clock(),
        )
        assert self.network.take(call).status == 200

    async def rest(self) -> None:
        """Do all work that is due."""
        await self.circle.rest()

    async def rest_for(self, seconds: float) -> None:
        """Let time pass, and do all the work that becomes due meanwhile, when it becomes due."""
        clock = self.circle.clock
        until = clock() + timedelta(seconds=seconds)
        await self.rest()
        # Compared as moments: a rest of less than the clock's microsecond would never end.
        while clock() < until:
            self.line.pass_time(min(await self.until_something_is_due(), (until - clock()).total_seconds()))
            await self.rest()

    async def until_something_is_due(self) -> float:
        """Seconds until the next moment at which the river, or the line, has something to do."""
        later = await self.circle.due_in()
        # A claim ends after its last moment, not at it.
        return min([*later, *self.line.seconds_to_arrivals()], default=3600.0) + 0.001


def a_network(*, customers: int = 1, **options: Any) -> tuple[MastodonNetwork, RoughLine, list[Status]]:
    """A network with so many complaints, the same every time: a copied database still knows it."""
    clock = Clock(START)
    network = MastodonNetwork(base_url=HOME, now=clock, **options)
    made = [network.mention(f"customer{n}@other.example", "Export to CSV hangs at 99 %") for n in range(customers)]
    line = RoughLine(network, clock)
    line.pass_time(3600)
    return network, line, made


@asynccontextmanager
async def brand(
    url: str,
    *,
    customers: int = 1,
    timing: Timing | None = None,
    point: Callable[[str], None] = lambda _point: None,
    has_shipped: bool = False,
    **network_options: Any,
) -> AsyncIterator[Brand]:
    """A brand over a migrated database, or (`has_shipped`) over one that `shipped` handed out for as many customers."""
    network, line, made = a_network(customers=customers, **network_options)
    if has_shipped:
        line.pass_time(2 * STEP)
    async with circle(
        url,
        timing=timing or Timing(poll=timedelta(hours=6)),
        point=point,
        make_http=line.client,
        product="Acme",
        clock=line.clock,
        monotonic=line.monotonic,
        sleep=line.sleep,
    ) as played:
        yield Brand(circle=played, network=network, line=line, customers=made)


async def connect(made: Brand, *, mode: str = "automatic", **tracker_settings: Any) -> None:
    """Connect the account and the board, and tag every complaint to one issue."""
    account = {
        "channel": "mastodon",
        "name": "Acme",
        "settings": {"base_url": HOME},
        "secrets": {"access_token": TOKEN},
        "mode": mode,
    }
    await made.circle.post("/api/v1/accounts", account, status=201)
    tracker = {"kind": "rehearsal", "name": "Acme app", "settings": tracker_settings}
    await made.circle.post("/api/v1/trackers", tracker, status=201)
    await made.circle.post("/api/v1/accounts/1/pull")
    posts = (await made.circle.get("/api/v1/posts?state=new"))["items"]
    assert len(posts) == len(made.customers)
    for post in sorted(posts, key=lambda post: post["id"]):
        issue = {"tracker_id": 1, "title": "Export hangs"} if post["id"] == 1 else {"tracker_id": 1, "ref": "#1"}
        await made.circle.post("/api/v1/loops", {"post_id": post["id"], "issue": issue}, status=201)


async def ship(made: Brand, label: str = "v2.4.1") -> int:
    """Close the issue as completed and publish a release. Returns the release's number on the board."""
    made.line.pass_time(STEP)
    await made.board.close(1, outcome="completed", now=made.circle.clock())
    made.line.pass_time(STEP)
    number = await made.board.release(label, now=made.circle.clock())
    await made.circle.post("/api/v1/trackers/1/pull")
    return number


def shipped(databases: Databases, *, customers: int = 1) -> str:
    """A database in which everybody is connected, tagged and owed a reply; made once for each test worker, then copied."""

    async def prepare(url: str) -> None:
        await migrated(url)
        async with brand(url, customers=customers) as made:
            await connect(made)
            await ship(made)

    return databases.copy_of(f"shipped-{customers}", lambda empty: apart(prepare(empty)))

"""Ten thousand long mentions in one pull: how fast they are taken in, and that it takes no more memory than a thousand."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx

from app.steps import take_in
from app.store import members
from bench import circle
from bench.databases import Postgres, Sqlite
from bench.figures import Figure
from bench.service import memory, parts, serving
from tests.support.mastodon_network import MastodonServer, start_process

FEW, MANY = 1_000, 10_000
WORDS = "The export hangs at 90 % and the file stays empty. " * 9
"""With its number about 480 letters: as long as a server of this family lets people be."""

LONGEST = 600.0


async def measure(database: Sqlite | Postgres, folder: Path, *, seconds: float) -> list[Figure]:  # noqa: ARG001
    """A service takes in a few mentions, and another one many; each is a process of its own, watched all the while."""
    few_peak, few_grown, _ = await _pulled(database, folder, FEW)
    peak, grown, took = await _pulled(database, folder, MANY)
    steady = Figure(
        name=f"highest memory while {MANY:,} mentions are taken in",
        database=database.name,
        ours=peak,
        bare=few_peak,
        unit="MB",
        ratio=peak / few_peak,
        at_most=1.1,
        note=f"against the same with {FEW:,}; 480 letters each, all in one pull",
        more={f"grown with {FEW:,} MB": few_grown, f"grown with {MANY:,} MB": grown},
    )
    rate = Figure(name=f"taking in {MANY:,} mentions", database=database.name, ours=MANY / took, unit="/s")
    return [steady, rate]


async def _pulled(database: Sqlite | Postgres, folder: Path, count: int) -> tuple[float, float, float]:
    """The highest resident memory of the service, how far above its rest that was (MB), and how long it took (s)."""
    address = database.new()
    with start_process() as network:
        network.mention("first@elsewhere.example", "Hello")
        await asyncio.sleep(circle.UNSETTLED)
        account_id, token = await _connected(address, folder, network)
        said = [{"user": f"u{number}@elsewhere.example", "text": f"{number}: {WORDS}"} for number in range(count)]
        for begin in range(0, count, FEW):
            network.mentions(said[begin : begin + FEW])
        await asyncio.sleep(circle.UNSETTLED)
        with serving(address, folder, env={"FULLCIRCLE_POLL_SECONDS": "86400"}) as (url, started):
            await asyncio.sleep(2)
            rest = memory(started.pid, "VmRSS")
            async with httpx.AsyncClient(trust_env=False, timeout=LONGEST) as http:
                began = time.perf_counter()
                answer = await http.post(
                    f"{url}/api/v1/accounts/{account_id}/pull", headers={"Authorization": f"Bearer {token}"}
                )
                took = time.perf_counter() - began
            answer.raise_for_status()
            if answer.json()["posts"] != count:
                raise RuntimeError(f"of {count} mentions {answer.json()['posts']} were taken in")
            peak = memory(started.pid, "VmHWM")
    return peak, peak - rest, took


async def _connected(address: str, folder: Path, network: MastodonServer) -> tuple[int, str]:
    """An account that has read the one mention there is (how far back a first reading goes is bounded), and an API token."""
    async with parts(address, folder) as assembly:
        river = assembly.river
        account = await circle.connected(river, network, mode="approve")
        await take_in.take_in(river, account.id)
        async with river.db.begin() as session:
            token = await members.make_token(session, name="bench", role="admin", now=river.now(), kind="api")
            row = await session.get_one(type(account), account.id)
            row.poll_at = None  # what is measured is the one pull that is asked for
    return account.id, token

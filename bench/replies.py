"""From the webhook of a release to the customers' replies, each with its look at post and thread before it."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import httpx

from bench import circle
from bench.databases import Postgres, Sqlite
from bench.figures import Figure, bare_source
from bench.service import ROOT, environment, serving
from tests.support.mastodon_network import MastodonServer, start_process

CUSTOMERS = 1000
LONGEST = 180.0
ARRANGEMENTS = (1, 4, 20)
"""How many clients the bare side's twenty tasks share; the first is what ours is compared to."""

ONE_BY_ONE = 20

QUIET = {"FULLCIRCLE_SETTLE_SECONDS": "0"}


async def measure(database: Sqlite | Postgres, folder: Path, *, seconds: float) -> list[Figure]:  # noqa: ARG001  (every part is called alike)
    """Both sides speak to a network of their own, which is a process of its own."""
    with start_process() as network:
        address = database.new()
        waiting = await circle.lay_ready(address, folder, network, customers=CUSTOMERS)
        with serving(address, folder, env=QUIET) as (url, _started):
            await circle.release(address, folder, "v1.0.0")
            took = await _until_all_are_told(network, url, waiting)
        parents = [reply["parent"] for reply in network.ledger()]
        if len(parents) != len(set(parents)) or set(parents) != set(waiting.statuses):
            raise RuntimeError("not each customer was told once")
    bare = {clients: _bare(clients) for clients in ARRANGEMENTS}
    best = min(bare, key=lambda clients: bare[clients])
    figure = Figure(
        name=f"release webhook to {CUSTOMERS:,} replies",
        database=database.name,
        ours=CUSTOMERS / took,
        bare=CUSTOMERS / bare[1],
        unit="/s",
        ratio=bare[1] / took,
        at_least=1.0,
        bare_side=bare_source("replies"),
        note=f"every customer told once; of bare clients for 20 tasks, {best} did best",
        more={f"bare with {clients} clients /s": CUSTOMERS / one for clients, one in bare.items()},
    )
    return [figure, await _one_by_one(database, folder)]


async def _one_by_one(database: Sqlite | Postgres, folder: Path) -> Figure:
    """A webhook about one issue, to the one reply it causes, each after the other has ended."""
    took = []
    with start_process() as network:
        address = database.new()
        waiting = await circle.lay_ready(
            address, folder, network, customers=ONE_BY_ONE, issues=ONE_BY_ONE, closed=False
        )
        with serving(address, folder, env=QUIET) as (url, _started):
            async with httpx.AsyncClient(trust_env=False) as http:
                for number in range(1, ONE_BY_ONE + 1):
                    await circle.release(address, folder, f"v1.0.{number}", close=number)
                    await asyncio.sleep(0.5)  # what the release itself stirred up comes to rest
                    began = time.time()
                    await circle.announce(http, url, waiting.tracker_id, issues=[str(number)])
                    took.append(await _told_at(network, number) - began)
    bare = _bare(1, customers=ONE_BY_ONE, tasks=1) / ONE_BY_ONE
    return Figure(
        name="one webhook to one reply, median of 20",
        database=database.name,
        ours=statistics.median(took) * 1000,
        bare=bare * 1000,
        unit="ms",
        ratio=statistics.median(took) / bare,
        bare_side=bare_source("replies"),
        note="against the three calls of one reply",
        more={"slowest ms": max(took) * 1000},
    )


async def _told_at(network: MastodonServer, number: int) -> float:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        said = network.ledger()
        if len(said) >= number:
            return datetime.fromisoformat(said[-1]["accepted_at"]).timestamp()
        await asyncio.sleep(0.01)
    raise RuntimeError(f"the webhook about issue {number} led to no reply")


async def _until_all_are_told(network: MastodonServer, url: str, waiting: circle.Waiting) -> float:
    async with httpx.AsyncClient(trust_env=False) as http:
        began = time.perf_counter()
        await circle.announce(http, url, waiting.tracker_id)
        while time.perf_counter() - began < LONGEST:
            # The network's own process does half of the work: it is asked seldom.
            await asyncio.sleep(0.1)
            if len(network.ledger()) >= len(waiting.statuses):
                return time.perf_counter() - began
    raise RuntimeError(f"after {LONGEST:.0f} s only {len(network.ledger())} customers were told")


def _bare(clients: int, *, customers: int = CUSTOMERS, tasks: int = 20) -> float:
    """Seconds for the same calls; the median of three, each on a new network."""
    took = []
    for _ in range(3):
        with start_process() as network:
            said = network.mentions(
                [
                    {"user": f"u{number}@elsewhere.example", "text": f"Export hangs, case {number}"}
                    for number in range(customers)
                ]
            )
            command = [sys.executable, "bench/bare/replies.py", network.base_url, network.access_token]
            command += [str(clients), str(tasks)]
            ids = " ".join(status["id"] for status in said).encode()
            done = subprocess.run(
                command, cwd=ROOT, env=environment(), input=ids, stdout=subprocess.PIPE, check=True, timeout=LONGEST
            )
            took.append(float(done.stdout))
    return statistics.median(took)

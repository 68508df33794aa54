"""Durable acknowledgements: signed webhook calls that are stored, and synced to disk, before they are answered."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import func, select

from app.store.tables import Delivery, Tracker
from app.trackers.github import GitHubSecrets
from bench.databases import Postgres, Sqlite
from bench.figures import Figure, bare_source
from bench.service import ROOT, environment, parts, process, serving, wait_for
from tests.support.ports import free_port

SECRET = "a webhook secret, long enough"
CONNECTIONS = 64
ROUNDS = 3
PATH = "/hooks/trackers/1"


async def measure(database: Sqlite | Postgres, folder: Path, *, seconds: float) -> list[Figure]:
    """Both sides in turns, so that a busy machine is busy for both; the medians are compared."""
    address = database.new()
    await _connect(address, folder)
    ours, bare, took, stored = [], [], [], 0.0
    for _ in range(ROUNDS):
        with serving(address, folder) as (url, _started):
            answer = _press(url, seconds)
        ours.append(answer["per_second"])
        took.append(answer["median_ms"])
        stored += answer["stored"]
        port = free_port()
        with process([sys.executable, "bench/bare/hook.py", str(port), SECRET]) as started:
            wait_for(f"http://127.0.0.1:{port}/openapi.json", started)
            bare.append(_press(f"http://127.0.0.1:{port}", seconds)["per_second"])
    async with parts(address, folder) as assembly, assembly.river.db.read() as session:
        kept = (await session.execute(select(func.count()).select_from(Delivery))).scalar_one()
    if kept != stored:
        raise RuntimeError(f"{stored:.0f} calls were answered as stored, and {kept} are")
    figure = Figure(
        name="webhook calls stored before they are answered",
        database=database.name,
        ours=statistics.median(ours),
        bare=statistics.median(bare),
        unit="/s",
        ratio=statistics.median(ours) / statistics.median(bare),
        at_least=0.35,
        bare_side=bare_source("hook"),
        note=f"{CONNECTIONS} connections, bodies of about 8 kB, the worker working them meanwhile; "
        "every call that was answered is in the database",
        more={"median ms": statistics.median(took)},
    )
    return [figure]


def _press(url: str, seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.load", url + PATH, "--secret", SECRET]
    command += ["--connections", str(CONNECTIONS), "--seconds", str(seconds)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, check=True, timeout=120)
    answer: dict[str, float] = json.loads(done.stdout)
    if answer["refused"]:
        raise RuntimeError(f"{answer['refused']:.0f} calls were refused")
    return answer


async def _connect(address: str, folder: Path) -> None:
    """Tracker 1, as connecting it would leave it, but that nobody polls it: its other side is not here."""
    async with parts(address, folder) as assembly, assembly.river.db.begin() as session:
        now = datetime.now(UTC)
        secrets = GitHubSecrets(token=SecretStr("none"), webhook_secret=SecretStr(SECRET))
        session.add(
            Tracker(
                kind="github",
                name="acme/app",
                settings={"api_url": "http://127.0.0.1:1", "repository": "acme/app"},
                secrets=assembly.river.outside.seal(secrets),
                remote_id="1296269",
                facts={},
                poll_at=now + timedelta(days=1),
                created_at=now,
            )
        )

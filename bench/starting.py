"""From the command to the first answer, and what it takes to do nothing."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.databases import Postgres, Sqlite
from bench.figures import Figure, bare_source
from bench.service import ROOT, environment, memory, parts, serving

ROUNDS = 5
IDLE = 10.0
"""Seconds of doing nothing that are watched."""


async def measure(database: Sqlite | Postgres, folder: Path, *, seconds: float) -> list[Figure]:  # noqa: ARG001
    """Starts on a schema that is up to date, in turns with the bare side; then an idle process is watched."""
    address = database.new()
    async with parts(address, folder):
        pass
    _import()
    ours, bare = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with serving(address, folder, until="/healthz"):
            ours.append(time.perf_counter() - began)
        bare.append(_import())
    with serving(address, folder) as (_url, started):
        time.sleep(3)  # noqa: ASYNC251  (nothing else is to happen here)
        before, at = _cpu(started.pid), time.perf_counter()
        time.sleep(IDLE)  # noqa: ASYNC251
        busy = (_cpu(started.pid) - before) / (time.perf_counter() - at)
        resident = memory(started.pid, "VmRSS")
    start = Figure(
        name="cold start until /healthz answers",
        database=database.name,
        ours=statistics.median(ours) * 1000,
        bare=statistics.median(bare) * 1000,
        unit="ms",
        ratio=statistics.median(ours) / statistics.median(bare),
        at_most=2.5,
        bare_side=bare_source("imports"),
        note="against a bare import of the same packages",
    )
    idle = Figure(name="idle memory (resident)", database=database.name, ours=resident, unit="MB", at_most=150)
    cpu = Figure(name="idle processor time", database=database.name, ours=busy * 100, unit="% of a core")
    return [start, idle, cpu]


def _import() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "bench/bare/imports.py"], cwd=ROOT, env=environment(), check=True)
    return time.perf_counter() - began


def _cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

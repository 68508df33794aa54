"""Pages and the API's lists on a hundred thousand posts, against the emptiest page that somebody signed in can see."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import httpx

from app.api import paging
from bench import crowd
from bench.databases import Postgres, Sqlite
from bench.figures import Figure
from bench.service import parts, serving

TIMES = 30

EVERY_ROW = frozenset({"issues page", "API: 50 posts with a word", "API: issues by who waits"})
"""These look at every row there is (a ranking, a search without an index), so their goal is another: they are only told."""

PAGES = {
    "triage page": "/triage",
    "triage page, further down": f"/triage?before={crowd.POSTS // 2}",
    "loops page": "/loops",
    "loop page": f"/loops/{crowd.LOOPS // 2}",
    "issues page": "/issues",
    "issue page": "/issues/77",
    f"issue page with {crowd.BUSY_LOOPS:,} waiting": f"/issues/{crowd.BUSY_ISSUE}",
}
LISTS = {
    "API: 50 posts": "/api/v1/posts?limit=50",
    "API: 50 new posts, further down": f"/api/v1/posts?state=new&limit=50&cursor={paging.write(crowd.POSTS // 2)}",
    "API: 50 posts with a word": "/api/v1/posts?limit=50&q=number%2012345",
    "API: 50 loops": "/api/v1/loops?limit=50",
    "API: 50 loops of a state": "/api/v1/loops?state=linked&limit=50",
    "API: issues by who waits": "/api/v1/issues?sort=waiting&limit=50",
}


async def measure(database: Sqlite | Postgres, folder: Path, *, seconds: float) -> list[Figure]:  # noqa: ARG001
    """Medians, each on a warm process."""
    empty, full = database.new(), database.new()
    async with parts(empty, folder):
        pass
    _, cookie = await crowd.keys(empty, folder)
    with serving(empty, folder) as (url, _started):
        bare = _median(url + "/people/me", cookie=cookie)
    token, cookie = await crowd.fill(full, folder)
    figures = []
    with serving(full, folder) as (url, _started):
        for name, path in PAGES.items():
            took = _median(url + path, cookie=cookie)
            figures.append(_figure(name, database, took, bare))
        for name, path in LISTS.items():
            took = _median(url + path, token=token)
            figures.append(_figure(name, database, took, bare))
    return figures


def _figure(name: str, database: Sqlite | Postgres, took: float, bare: float) -> Figure:
    return Figure(
        name=f"{name}, {crowd.POSTS:,} posts",
        database=database.name,
        ours=took * 1000,
        bare=bare * 1000,
        unit="ms",
        ratio=took / bare,
        at_most=None if name in EVERY_ROW else 5.0,
    )


def _median(url: str, *, cookie: str = "", token: str = "") -> float:
    headers = {"Authorization": f"Bearer {token}"} if token else {"Cookie": f"fullcircle={cookie}"}
    took = []
    with httpx.Client(trust_env=False, headers=headers, timeout=60) as http:
        for number in range(TIMES + 3):
            began = time.perf_counter()
            answer = http.get(url)
            if number >= 3:
                took.append(time.perf_counter() - began)
            if answer.status_code != 200:
                raise RuntimeError(f"{url}: {answer.status_code} {answer.text[:200]}")
    return statistics.median(took)

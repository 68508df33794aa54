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
WARM = 3

EVERY_ROW = frozenset({"issues page", "API: 50 posts with a word", "API: issues by who waits"})
"""These look at every row there is (a ranking, a search without an index), so their goal is another: they are only told."""

BARE = "/people/me"

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
    """Medians, each on a warm process. A page and the bare one are asked for by turns: what else the machine does, both feel."""
    empty, full = database.new(), database.new()
    async with parts(empty, folder):
        pass
    _, bare_cookie = await crowd.keys(empty, folder)
    token, cookie = await crowd.fill(full, folder)
    figures = []
    with serving(empty, folder) as (bare_url, _), serving(full, folder) as (url, _), _browser(bare_cookie) as bare:
        with _browser(cookie) as browser:
            for name, path in PAGES.items():
                figures.append(_figure(name, database, _ask((bare, bare_url + BARE), (browser, url + path))))
        with _client({"Authorization": f"Bearer {token}"}) as script:
            for name, path in LISTS.items():
                figures.append(_figure(name, database, _ask((bare, bare_url + BARE), (script, url + path))))
    return figures


def _figure(name: str, database: Sqlite | Postgres, medians: list[float]) -> Figure:
    bare, took = medians
    return Figure(
        name=f"{name}, {crowd.POSTS:,} posts",
        database=database.name,
        ours=took * 1000,
        bare=bare * 1000,
        unit="ms",
        ratio=took / bare,
        at_most=None if name in EVERY_ROW else 5.0,
    )


def _client(headers: dict[str, str]) -> httpx.Client:
    return httpx.Client(trust_env=False, headers=headers, timeout=60)


def _browser(cookie: str) -> httpx.Client:
    return _client({"Cookie": f"fullcircle={cookie}"})


def _ask(*asked: tuple[httpx.Client, str]) -> list[float]:
    """The median seconds of each address; they are asked for one after the other, over and over."""
    took: list[list[float]] = [[] for _ in asked]
    for number in range(TIMES + WARM):
        for (http, url), times in zip(asked, took, strict=True):
            began = time.perf_counter()
            answer = http.get(url)
            if number >= WARM:
                times.append(time.perf_counter() - began)
            if answer.status_code != 200:
                raise RuntimeError(f"{url}: {answer.status_code} {answer.text[:200]}")
    return [statistics.median(times) for times in took]

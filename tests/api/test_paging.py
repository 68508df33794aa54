"""Cursor pagination: every item once, also where rows are added while somebody reads."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support import on_both, story
from tests.support.circle import Circle, circle_after
from tests.support.databases import Databases

databases = on_both.databases

LISTS = ["accounts", "trackers", "posts", "loops", "issues", "replies"]


@pytest.fixture
async def crowded(databases: Databases) -> AsyncIterator[Circle]:
    async with circle_after(a_crowd, databases, product="Acme") as made:
        yield made


async def a_crowd(played: Circle) -> None:
    """Five of everything, except that there are six trackers."""
    await played.connect_rehearsal(mode="approve")
    for number in range(4):
        settings = {"scene": f"scene-{number}"}
        await played.post(
            "/api/v1/accounts", {"channel": "rehearsal", "name": f"A {number}", "settings": settings}, status=201
        )
        await played.post(
            "/api/v1/trackers", {"kind": "rehearsal", "name": f"T {number}", "settings": settings}, status=201
        )
    for post in await story.complaints(played, 5):
        await story.tag(played, post, title=f"Issue {post['id']}")
        await played.post(f"/api/v1/loops/{post['id']}/replies", {"text": "We are on it."}, status=201)


async def read(played: Circle, path: str, *, limit: int, between: bool = False) -> list[int]:
    """Ids over all pages; `between` adds rows after the first page."""
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await played.get(f"/api/v1/{path}", params={"limit": limit, "cursor": cursor})
        assert set(page) == {"items", "next"}
        assert len(page["items"]) <= limit
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if between and len(found) == limit:
            await story.complain(played, "Late, but the export hangs", handle="late")
            await played.post("/api/v1/accounts/1/pull")
            await story.tag(played, {"id": 6}, title="Late")
            await played.post("/api/v1/loops/6/replies", {"text": "We are on it."}, status=201)
    return found


async def test_every_list_is_read_whole_in_pages_of_any_size(crowded: Circle) -> None:
    for path in LISTS:
        ascending = path in {"accounts", "trackers", "issues"}
        whole = [1, 2, 3, 4, 5] if ascending else [5, 4, 3, 2, 1]
        for limit in (1, 2, 5, 200):
            assert await read(crowded, path, limit=limit) == whole, (path, limit)


@pytest.mark.parametrize("path", ["posts", "loops", "replies", "issues"])
async def test_rows_added_meanwhile_repeat_and_skip_nothing(crowded: Circle, path: str) -> None:
    found = await read(crowded, path, limit=2, between=True)
    assert [number for number in found if number <= 5] == ([1, 2, 3, 4, 5] if path == "issues" else [5, 4, 3, 2, 1])
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    "cursor", ["nonsense!", "LTU", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk", "\u00e9", "A", "NTox", "x" * 101]
)
async def test_a_cursor_that_is_not_ours_is_told(played: Circle, cursor: str) -> None:
    for path in LISTS:
        problem = await played.call("GET", f"/api/v1/{path}", params={"cursor": cursor}, status=422)
        assert [error["pointer"] for error in problem["errors"]] == ["/cursor"]

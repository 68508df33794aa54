"""The story that most tests of the API begin with: a complaint on the rehearsal square, tagged, fixed, released, told."""

from __future__ import annotations

from typing import Any

from app.staging import Board, Square, StagedPost
from tests.support.circle import Circle

JSON = dict[str, Any]


def square(played: Circle) -> Square:
    """Where customers complain."""
    return Square(played.stage, "main")


def board(played: Circle) -> Board:
    """Where engineers work."""
    return Board(played.stage, "main")


async def complain(
    played: Circle, text: str = "Export to CSV hangs at 99 %", *, handle: str = "ana", **more: Any
) -> int:
    """A customer says something; returns the number it has on the square."""
    post = StagedPost(handle=handle, text=text, at=played.clock(), language=more.pop("language", "en"), **more)
    return await square(played).say(post)


async def complaints(played: Circle, count: int) -> list[JSON]:
    """So many customers complain, each in a thread of their own, and are taken in. The oldest post first."""
    for number in range(count):
        await complain(played, f"Complaint number {number}: the export hangs", handle=f"customer{number}")
    await played.post("/api/v1/accounts/1/pull")
    posts = (await played.get("/api/v1/posts", params={"limit": 200}))["items"]
    return sorted(posts, key=lambda post: int(post["id"]))


async def tag(played: Circle, post: JSON, *, ref: str = "", title: str = "Export hangs", **more: Any) -> JSON:
    """Support ties a post to an issue: a new one, or the one `ref` names."""
    issue = {"tracker_id": 1, "ref": ref} if ref else {"tracker_id": 1, "title": title}
    loop: JSON = await played.post("/api/v1/loops", {"post_id": post["id"], "issue": issue, **more}, status=201)
    return loop


async def tagged(played: Circle, *, mode: str = "automatic", **tracker: Any) -> JSON:
    """Both rehearsal adapters, one complaint, one loop that waits for issue #1."""
    await played.connect_rehearsal(mode=mode, **tracker)
    [post] = await complaints(played, 1)
    return await tag(played, post, tags=["export"])


async def ship(played: Circle, label: str = "v2.4.1", *, issue: int = 1) -> int:
    """Engineers fix the issue and release it; the tracker is read. Returns the release's number."""
    played.clock.move(minutes=5)
    await board(played).close(issue, outcome="completed", now=played.clock())
    played.clock.move(minutes=5)
    number = await board(played).release(label, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")
    return number


async def loop_of(played: Circle, number: int = 1) -> JSON:
    """A loop as the API shows it."""
    found: JSON = await played.get(f"/api/v1/loops/{number}")
    return found


async def said(played: Circle) -> list[StagedPost]:
    """What the public read from us, by the square itself."""
    return [post for _, post in await square(played).posts.all() if post.brand]


async def told(played: Circle, **how: Any) -> JSON:
    """A loop whose customer was told."""
    loop = await tagged(played, **how)
    await ship(played)
    await played.rest()
    return await loop_of(played, loop["id"])

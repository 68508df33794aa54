"""A brand on two networks: the rehearsal square, and the fair, which is a square under another channel's name."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from app.channels.rehearsal import Rehearsal
from app.staging import Board, Square, StagedPost
from tests.support.circle import Circle

JSON = dict[str, Any]

SQUARE, FAIR = 1, 2
"""The numbers of the two accounts."""

SCENES = {SQUARE: "main", FAIR: "fair"}

WORDS = "Export to CSV hangs at 99 % whenever I pick more than one month"
OTHER_WORDS = "Hi, since Tuesday my exports never come to an end on this laptop"


class Fair(Rehearsal):
    """Another network, as far as everybody is concerned."""

    name: ClassVar[str] = "fair"
    title: ClassVar[str] = "Fair"


def know_the_fair(played: Circle) -> None:
    """Let an installation have a channel more."""
    cast(dict[str, Any], played.river.outside.registry.channels)["fair"] = Fair


async def connect_both(played: Circle, *, mode: str = "automatic", **tracker: Any) -> None:
    """Both accounts and a tracker."""
    know_the_fair(played)
    await played.connect_rehearsal(mode=mode, **tracker)
    body = {"channel": "fair", "name": "Acme on the fair", "settings": {"scene": "fair"}, "mode": mode}
    await played.post("/api/v1/accounts", body, status=201)


def place(played: Circle, account: int) -> Square:
    """Where the customers of an account are."""
    return Square(played.stage, SCENES[account])


async def complain_on(played: Circle, account: int, text: str = WORDS, *, handle: str = "ana", **more: Any) -> JSON:
    """A customer says something there and is taken in; the post as the API shows it."""
    said = StagedPost(handle=handle, text=text, at=played.clock(), language="en", **more)
    number = await place(played, account).say(said)
    await played.post(f"/api/v1/accounts/{account}/pull")
    found = (await played.get("/api/v1/posts", params={"account": account, "limit": 200}))["items"]
    post: JSON = next(one for one in found if one["external_id"] == str(number))
    return post


async def waits(played: Circle, post: JSON, *, title: str = "Export hangs", ref: str = "") -> JSON:
    """A loop for a post, on a new issue or the one named."""
    issue = {"tracker_id": 1, "ref": ref} if ref else {"tracker_id": 1, "title": title}
    loop: JSON = await played.post("/api/v1/loops", {"post_id": post["id"], "issue": issue}, status=201)
    return loop


async def two_loops(
    played: Circle, *, other_words: str = WORDS, mode: str = "automatic", **tracker: Any
) -> tuple[JSON, JSON]:
    """Ana complains on the square and as ana.fair on the fair; both loops wait for issue #1. Not joined yet."""
    await connect_both(played, mode=mode, **tracker)
    first = await waits(played, await complain_on(played, SQUARE))
    second = await waits(played, await complain_on(played, FAIR, other_words, handle="ana.fair"), ref="#1")
    return first, second


async def join(played: Circle, first: JSON, second: JSON) -> JSON:
    """Somebody says that both loops are one person's."""
    body = {"identity_id": second["customer"]["identity_id"]}
    joined: JSON = await played.post(f"/api/v1/customers/{first['customer']['id']}/identities", body)
    return joined


async def release(played: Circle, label: str = "v2.4.1", *, issue: int = 1) -> None:
    """The fix is out, and the tracker is read; nothing is said yet."""
    board = Board(played.stage, "main")
    played.clock.move(minutes=5)
    await board.close(issue, outcome="completed", now=played.clock())
    played.clock.move(minutes=5)
    await board.release(label, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")


async def said_on(played: Circle, account: int) -> list[StagedPost]:
    """What the public read from us there."""
    return [post for _, post in await place(played, account).posts.all() if post.brand]


async def answer_on(played: Circle, account: int, text: str, *, handle: str = "ana", **more: Any) -> None:
    """The customer answers what we said last there."""
    last = max(number for number, post in await place(played, account).posts.all() if post.brand)
    played.clock.move(minutes=1)
    post = StagedPost(handle=handle, text=text, at=played.clock(), language="en", in_reply_to=last, **more)
    await place(played, account).say(post)
    await played.post(f"/api/v1/accounts/{account}/pull")
    await played.rest()


async def again(played: Circle, loop: JSON) -> JSON:
    """A loop as it is now."""
    found: JSON = await played.get(f"/api/v1/loops/{loop['id']}")
    return found

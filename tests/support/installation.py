"""An installation in the middle of its work, with a reply in every state of waiting: what an upgrade must not disturb.

`scripts/dump-schema` writes one down as SQL at each release, and tests/schemas/ keeps them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import __version__
from app.staging import Board, Fault, Square, StagedPost
from app.steps import deliver, people
from app.store import deliveries, schema
from app.store.session import Database
from tests.support.circle import Circle, Clock, circle

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
WAITING = ("draft", "awaiting_approval", "scheduled", "sending", "held", "unknown")


class DiedError(BaseException):
    """The process ended here."""


@dataclass
class Crash:
    """Lets a process die at a named moment, once."""

    at: str = ""
    points: list[str] = field(default_factory=list)

    def __call__(self, point: str) -> None:
        if point == self.at:
            self.at = ""
            raise DiedError(point)


async def _complain(played: Circle, scene: str, handle: str, words: str) -> dict[str, Any]:
    """A customer complains on a square; returns the post as support sees it."""
    post = StagedPost(handle=handle, text=words, at=played.clock(), language="en")
    await Square(played.stage, scene).say(post)
    account = 1 if scene == "main" else 2
    await played.post(f"/api/v1/accounts/{account}/pull")
    found: dict[str, Any] = (await played.get("/api/v1/posts", params={"limit": 1}))["items"][0]
    return found


async def _case(played: Circle, scene: str, handle: str) -> dict[str, Any]:
    """A complaint about something of its own, tagged; its loop."""
    post = await _complain(played, scene, handle, f"{handle} cannot export")
    issue = {"tracker_id": 1, "title": f"What {handle} found"}
    loop: dict[str, Any] = await played.post("/api/v1/loops", {"post_id": post["id"], "issue": issue}, status=201)
    return loop


async def _fix(played: Circle, loop: dict[str, Any], label: str) -> None:
    """Its issue is closed and released, and the tracker is read."""
    board, number = Board(played.stage, "main"), int(loop["issue"]["ref"].removeprefix("#"))
    played.clock.move(minutes=2)
    await board.close(number, outcome="completed", now=played.clock())
    played.clock.move(minutes=2)
    await board.release(label, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")


async def fill(played: Circle, crash: Crash) -> None:
    """Work until a reply waits in every way."""
    await played.connect_rehearsal(mode="automatic")
    other = {"channel": "rehearsal", "name": "Acme, approved", "settings": {"scene": "other"}, "mode": "approve"}
    await played.post("/api/v1/accounts", other, status=201)

    told = await _case(played, "main", "told")
    await _fix(played, told, "v1.0.0")
    await played.rest()
    corrected = await _case(played, "main", "corrected")
    await _fix(played, corrected, "v1.0.1")
    await played.rest()
    await Board(played.stage, "main").reopen(2, now=played.clock())
    await played.post("/api/v1/trackers/1/pull")

    approved = await _case(played, "other", "approved")
    await _fix(played, approved, "v1.2.0")
    held = await _case(played, "other", "held")
    await played.post(f"/api/v1/issues/{held['issue']['id']}/hold", {"why": "5 % rollout"})
    await _fix(played, held, "v1.2.1")
    stopped = await _case(played, "other", "stopped")
    await _fix(played, stopped, "v1.2.2")
    await played.rest()
    replies = (await played.get("/api/v1/replies", params={"limit": 1}))["items"]
    await played.post(f"/api/v1/replies/{replies[0]['id']}/hold")

    # From here on nothing is worked any more but what is meant: the next start finds these as they are.
    lost = await _case(played, "main", "lost")
    await _fix(played, lost, "v1.3.0")
    await Square(played.stage, "main").faults.add(
        Fault(call="send", kind="unknown", accepted=True, in_flight=True, times=1)
    )
    await deliver.deliver_next(played.river)
    for number, (handle, moment) in enumerate(
        [("died-after", "deliver.called"), ("died-before", "deliver.before_call")]
    ):
        loop = await _case(played, "main", handle)
        await _fix(played, loop, f"v1.4.{number}")
        crash.at = moment
        with contextlib.suppress(DiedError):
            await deliver.deliver_next(played.river)
    settling = await _case(played, "main", "settling")
    await played.call("PATCH", "/api/v1/trackers/1", {"settings": {"settle_seconds": 3600}})
    await _fix(played, settling, "v1.5.0")
    await _around(played)


async def _around(played: Circle) -> None:
    """What else an installation holds: words of colleagues, texts, a webhook nobody has worked, a switch, people."""
    await played.post("/api/v1/loops/1/notes", {"text": "A note."}, status=201)
    await played.post("/api/v1/loops/1/replies", {"text": "A word by hand."}, status=201)
    text = {"language": "en", "text": "{{ customer }}, it is out in {{ version }}. Does it work?"}
    await played.call("PUT", "/api/v1/templates/fixed", text)
    await played.call("PUT", "/api/v1/voice", {"on": False})
    await played.call("PUT", "/api/v1/voice", {"on": True})
    call = deliveries.Call(
        hook="trackers/1",
        key="a-key",
        event="changed",
        headers={},
        body=b"{}",
        issues=[],
        everything=True,
        posts=[],
        received_at=played.clock(),
    )
    async with played.river.db.begin() as session:
        await deliveries.keep(session, [call])
    link = await people.invite(played.river, name="Kim", role="approver", actor="tests")
    await people.sign_up(played.river, link, name="Kim", password="correct horse battery", browser="a browser")


@contextmanager
def dumped(folder: Path) -> Iterator[Path]:
    """The file of such an installation, closed and whole."""
    path = folder / "installation.db"

    async def make() -> None:
        database = Database(f"sqlite:///{path}")
        await schema.migrate(database)
        await database.close()
        crash = Crash()
        async with circle(f"sqlite:///{path}", clock=Clock(START), point=crash, product="Acme") as played:
            await fill(played, crash)

    asyncio.run(make())
    yield path


def as_sql(path: Path) -> str:
    """The file as statements that make it anew."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        lines = [f"-- Fullcircle {__version__}: an installation at work, with replies waiting in every state.\n"]
        return "".join([*lines, *(f"{line}\n" for line in database.iterdump())])


def main() -> None:
    """Write the dump of this version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("to", type=Path, help="the folder that keeps the dumps")
    to: Path = parser.parse_args().to / f"{__version__}.sql"
    with tempfile.TemporaryDirectory() as folder, dumped(Path(folder)) as path:
        to.write_text(as_sql(path), encoding="utf-8")
    print(to)  # noqa: T201  (the command's answer)


if __name__ == "__main__":
    main()

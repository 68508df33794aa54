"""Texts to GitHub are written in turns: never more than it takes, counted over all processes, and none is lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.steps.turns import turn_to_write
from app.store import accounts
from app.store.tables import Tracker
from tests.support import story
from tests.support.circle import Circle, circle
from tests.support.github_server import Fault
from tests.support.outsides import Outsides, github_tracker, outsides


@pytest.fixture
def around(tmp_path: Path) -> Outsides:
    return outsides(tmp_path)


async def turns(played: Circle, count: int, *, tracker: int = 1) -> list[float | None]:
    """So many asked for: None where it may be written now, otherwise in how many seconds."""
    found: list[float | None] = []
    for _ in range(count):
        async with played.river.db.begin() as session:
            row = await accounts.get(session, Tracker, tracker)
            assert row is not None
            later = await turn_to_write(played.river, session, row)
            found.append((later - played.clock()).total_seconds() if later else None)
    return found


async def test_eighty_texts_a_minute_go_out_over_all_processes_and_trackers_of_one_name(
    database_url: str, around: Outsides
) -> None:
    around.world.create_repository("acme/other")
    async with circle(database_url, make_http=around.client) as one:
        await one.post("/api/v1/trackers", github_tracker(), status=201)
        await one.post("/api/v1/trackers", github_tracker(repository="acme/other"), status=201)
        async with circle(database_url, make_http=around.client, clock=one.clock) as other:
            assert await turns(one, 50) == [None] * 50
            one.clock.move(seconds=30)
            assert await turns(other, 31, tracker=2) == [None] * 30 + [30.0]
            assert await turns(one, 2) == [30.75, 31.5], "each comes back at another time"
            one.clock.move(seconds=30)
            assert await turns(other, 51) == [None] * 50 + [30.0]


async def test_five_hundred_texts_an_hour_go_out(database_url: str, around: Outsides) -> None:
    async with circle(database_url, make_http=around.client) as played:
        await played.post("/api/v1/trackers", github_tracker(), status=201)
        for _ in range(10):
            assert await turns(played, 50) == [None] * 50
            played.clock.move(minutes=1)
        assert await turns(played, 1) == [timedelta(minutes=50).total_seconds()]
        played.clock.move(minutes=50)
        assert await turns(played, 51) == [None] * 50 + [60.0]


async def test_a_tracker_without_limits_is_never_asked_to_wait(database_url: str) -> None:
    async with circle(database_url) as played:
        await played.connect_rehearsal()
        assert await turns(played, 100) == [None] * 100


async def test_many_new_issues_wait_their_turn_and_each_is_made_and_shown_once(
    database_url: str, around: Outsides
) -> None:
    async with circle(database_url, make_http=around.client) as played:
        around.world.clock.set(played.clock.moment, step=timedelta())
        account = {"channel": "rehearsal", "name": "Acme", "mode": "approve"}
        await played.post("/api/v1/accounts", account, status=201)
        await played.post("/api/v1/trackers", github_tracker(), status=201)
        await turns(played, 75)  # so many were written a moment ago
        posts = await story.complaints(played, 4)
        for number, post in enumerate(posts):
            await story.tag(played, post, title=f"Export {number}")
        assert len(around.github.ledger) == 4
        await played.rest()
        assert len(around.github.ledger) == 5, "one block is shown, the other three wait"
        late = await story.complaints(played, 5)
        body = {"post_id": late[-1]["id"], "issue": {"tracker_id": 1, "title": "One more"}}
        loop = await played.post("/api/v1/loops", body, status=202)
        assert loop["issue"]["state"] == "creating"
        assert (await played.get("/api/v1/trackers/1"))["ok"], "a turn is no illness"
        for _ in range(8):
            played.clock.move(seconds=10)
            around.world.clock.set(played.clock.moment, step=timedelta())
            await played.rest()
        assert (await played.get(f"/api/v1/loops/{loop['id']}"))["issue"]["state"] == "open"
        titles = [issue.title for issue in around.world.repository("acme/app").issues.values()]
        assert titles == ["Export 0", "Export 1", "Export 2", "Export 3", "One more"]
        shown = [len(issue.comments) for issue in around.world.repository("acme/app").issues.values()]
        assert shown == [1] * 5


@pytest.mark.parametrize(("effect", "seconds"), [("ratelimit", 90), ("secondary", 60), ("retry-after", 77)])
async def test_after_a_rate_limit_nothing_is_asked_until_its_time(
    database_url: str, around: Outsides, effect: str, seconds: int
) -> None:
    async with circle(database_url, make_http=around.client) as played:
        around.world.clock.set(played.clock.moment, step=timedelta())
        account = {"channel": "rehearsal", "name": "Acme", "mode": "approve"}
        await played.post("/api/v1/accounts", account, status=201)
        await played.post("/api/v1/trackers", github_tracker(), status=201)
        [post] = await story.complaints(played, 1)
        await story.tag(played, post)
        around.github.faults.append(Fault(effect, path="/comments"))
        await played.rest()
        health = await played.get("/api/v1/trackers/1")
        assert "GitHub asks us to wait until" in health["why"]
        asked = len(around.github.requests)
        played.clock.move(seconds=seconds - 1)
        await played.rest()
        assert len(around.github.requests) == asked, "neither polled nor looked at nor written to"
        played.clock.move(seconds=2)
        around.world.clock.set(played.clock.moment, step=timedelta())
        await played.rest()
        assert len(around.world.issue("acme/app", 1).comments) == 1
        assert (await played.get("/api/v1/trackers/1"))["ok"]

"""Webhook calls that come together are stored together, and each is answered only after its commit."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.door import Door
from app.steps.together import Together
from app.store.deliveries import Call
from app.store.session import Database
from app.store.tables import Delivery
from tests.support.circle import Circle

SECRET = "a secret between the two"


class Frail(Database):
    """A database that counts its commits, and loses them when it is told to."""

    commits = 0
    is_lost = False

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        async with super().begin() as session:
            yield session
            if self.is_lost:
                raise OperationalError("COMMIT", None, Exception("disk I/O error"))
        self.commits += 1


@pytest.fixture
async def frail(played: Circle, database_url: str) -> AsyncIterator[Frail]:
    """The circle's database, on which commits can be lost."""
    database, before = Frail(database_url), played.river.db
    played.river.db = database
    yield database
    played.river.db = before
    await database.close()


def a_call(key: str, **changes: object) -> Call:
    given = {"hook": "trackers/1", "key": key, "event": "issues", "headers": {}, "body": b"{}", "issues": []}
    given |= {"everything": False, "received_at": changes.pop("received_at")}
    return Call(**{**given, **changes})  # type: ignore[arg-type]


async def kept(played: Circle) -> list[str]:
    async with played.river.db.read() as session:
        return list((await session.execute(select(Delivery.key).order_by(Delivery.key))).scalars())


async def test_many_calls_at_once_make_few_commits_and_each_is_stored(played: Circle, frail: Frail) -> None:
    door = Door(played.river)
    calls = [a_call(f"{number:03}", received_at=played.clock()) for number in range(150)]
    assert all(await asyncio.gather(*(door.keep(call) for call in calls)))
    assert frail.commits <= 3
    assert await kept(played) == [f"{number:03}" for number in range(150)]


async def test_of_two_equal_calls_at_once_one_is_new(played: Circle) -> None:
    door = Door(played.river)
    twins = [a_call("same", received_at=played.clock()) for _ in range(2)]
    assert sorted(await asyncio.gather(*(door.keep(call) for call in twins))) == [False, True]
    assert not await door.keep(twins[0])
    assert await kept(played) == ["same"]


async def test_where_the_commit_fails_nobody_is_told_that_it_was_stored(played: Circle, frail: Frail) -> None:
    door = Door(played.river)
    frail.is_lost = True
    calls = [a_call(str(number), received_at=played.clock()) for number in range(20)]
    outcomes = await asyncio.gather(*(door.keep(call) for call in calls), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OperationalError] * 20
    assert await kept(played) == []
    frail.is_lost = False
    assert all(await asyncio.gather(*(door.keep(call) for call in calls))), "sent again, they are new"


async def test_a_call_that_cannot_be_stored_takes_nobody_with_it(played: Circle) -> None:
    door = Door(played.river)
    odd = a_call("odd", received_at=played.clock(), event=object())
    calls = [a_call("a", received_at=played.clock()), odd, a_call("b", received_at=played.clock())]
    outcomes = await asyncio.gather(*(door.keep(call) for call in calls), return_exceptions=True)
    assert outcomes[0] is outcomes[2] is True
    assert isinstance(outcomes[1], Exception)
    assert await kept(played) == ["a", "b"]


async def test_webhooks_are_answered_503_while_the_database_is_lost_and_202_when_they_are_sent_again(
    played: Circle, frail: Frail
) -> None:
    tracker = {"kind": "rehearsal", "name": "Acme app", "secrets": {"webhook_secret": SECRET}}
    await played.post("/api/v1/trackers", tracker, status=201)
    bodies = [json.dumps({"issues": [str(number)]}).encode() for number in range(5)]

    async def statuses() -> list[int]:
        answers = await asyncio.gather(
            *(
                played.api.post(
                    "/hooks/trackers/1",
                    content=body,
                    headers={"X-Hub-Signature-256": f"sha256={hmac.new(SECRET.encode(), body, 'sha256').hexdigest()}"},
                )
                for body in bodies
            )
        )
        return [answer.status_code for answer in answers]

    frail.is_lost = True
    assert await statuses() == [503] * 5
    assert await kept(played) == []
    frail.is_lost = False
    assert await statuses() == [202] * 5
    assert len(await kept(played)) == 5
    assert await statuses() == [200] * 5, "known already"


async def test_whoever_comes_during_a_batch_is_in_the_next() -> None:
    batches: list[list[int]] = []
    began, goes_on = asyncio.Event(), asyncio.Event()

    async def work(items: Sequence[int]) -> list[int | Exception]:
        batches.append(list(items))
        began.set()
        await goes_on.wait()
        return [item * 10 for item in items]

    together: Together[int, int] = Together(work, most=3)
    callers = [asyncio.create_task(together(1))]
    await began.wait()
    callers += [asyncio.create_task(together(number)) for number in (2, 3, 4, 5)]
    await asyncio.sleep(0)
    goes_on.set()
    assert await asyncio.gather(*callers) == [10, 20, 30, 40, 50]
    assert batches == [[1], [2, 3, 4], [5]]


async def test_those_who_came_together_are_waited_for_and_whoever_is_alone_never_waits() -> None:
    batches, waits = list[list[int]](), list[float]()

    async def work(items: Sequence[int]) -> list[int | Exception]:
        batches.append(list(items))
        return list(items)

    async def others_come(seconds: float) -> None:
        waits.append(seconds)
        callers.append(asyncio.create_task(together(4)))
        await asyncio.sleep(0)

    together: Together[int, int] = Together(work, most=8, linger=0.02, sleep=others_come)
    callers = list[asyncio.Task[int]]()
    assert [await together(0), await together(1)] == [0, 1]
    assert waits == [], "one after the other"
    await asyncio.gather(together(2), together(2))
    assert waits == []
    assert await together(3) == 3
    assert await asyncio.gather(*callers) == [4]
    assert waits == [0.02]
    assert batches == [[0], [1], [2, 2], [3, 4]]


async def test_a_caller_that_has_gone_disturbs_nobody() -> None:
    goes_on = asyncio.Event()

    async def work(items: Sequence[int]) -> list[int | Exception]:
        await goes_on.wait()
        return list(items)

    together: Together[int, int] = Together(work, most=10)
    gone, stays = asyncio.create_task(together(1)), asyncio.create_task(together(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    goes_on.set()
    assert await stays == 2
    assert gone.cancelled()
    assert await together(3) == 3

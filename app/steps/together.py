"""One piece of work for many callers: what makes a commit for each webhook call one commit for many."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Together(Generic[Item, Result]):
    """Does for many callers at once what each of them asks for alone.

    Whoever comes while work is under way waits for the next batch, which takes all that wait (at most
    `most`): an idle process adds no delay, a busy one pays once for many. A caller hears what became
    of its own item only after the whole batch is done. Where the batch raises, everybody in it hears
    that; an exception among the results is for its own caller alone.

    After a batch of several, the next one is waited for up to `linger` seconds, while it is less than
    half full: those who came together go on together. Whoever is alone never waits.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        most: int,
        linger: float = 0.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._work = work
        self._most = most
        self._linger = linger
        self._sleep = sleep
        self._was_crowded = False
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Result:
        """The result for one item. Raises what the batch raised that it was in."""
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                if self._linger and self._was_crowded and len(self._waiting) < self._most // 2:
                    await self._sleep(self._linger)
                batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                self._was_crowded = len(batch) > 1
                try:
                    results = await self._work([item for item, _ in batch])
                    for (_, answer), result in zip(batch, results, strict=True):
                        _settle(answer, result)
                except Exception as error:  # noqa: BLE001  (whatever it is, its callers are told)
                    for _, answer in batch:
                        _settle(answer, error)
                except BaseException:
                    for _, answer in batch:
                        answer.cancel()
                    raise
        finally:
            self._task = None
            for _, answer in self._waiting:
                answer.cancel()  # the loop ends: nobody waits for ever


def _settle(answer: asyncio.Future[Result], result: Result | Exception) -> None:
    if answer.done():
        return  # its caller has gone
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)

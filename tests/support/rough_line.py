"""The line between Fullcircle and a Mastodon network, on a clock that is moved by hand: every posting call meets a fate.

What real lines and servers do to the one call that speaks: lose its answer, deliver it long after the
caller gave up, break off before or after it was accepted; and what befalls the caller itself, who may
die or be stopped at that moment. The network's ledger then tells what the public read.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs

import httpx

from app.http import TooLateError, last_word, must_leave_by
from tests.support.circle import Clock
from tests.support.mastodon_network import Answer, Call, MastodonNetwork

POSTING = "/api/v1/statuses"

How = Literal[
    "answered",  # nothing goes wrong
    "unreachable",  # no connection: nothing was done
    "cut before",  # the line breaks with the request on it, and the server never sees it whole
    "never",  # the server swallows it, and nobody hears of it again
    "refused",  # an error, and nothing was done
    "cut after",  # accepted, and the line breaks
    "lost",  # accepted, and the answer never comes
    "error after",  # accepted, and the answer is an error
    "truncated",  # accepted, and the answer is cut
    "late",  # accepted `seconds` after it was sent, whoever still waits
    "error, then late",  # a gateway gives up at once, and the server behind it accepts `seconds` later
    "limited",  # 429, with `seconds` in Retry-After, if any
    "dies before",  # the caller dies with nothing sent
    "dies after",  # the caller dies with the reply accepted
    "dies, then late",  # the caller dies with the request on its way, which arrives `seconds` later
    "sleeps before",  # the caller is stopped just before the bytes leave, until `wake`
    "sleeps after",  # the caller is stopped with the answer in its hands
]


class Died(BaseException):
    """The process ended here."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one call."""

    how: How
    seconds: float = 0.0
    status: int = 500

    def __str__(self) -> str:
        return f"{self.how} {self.seconds:g}"


ANSWERED = Fate("answered")


class RoughLine(httpx.AsyncBaseTransport):
    """Carries calls to `network`; the next posting call meets the first of `fates`, the next reading one of `reads`.

    `patience` is how long a caller waits for an answer, in seconds of the hand-moved clock. `sent`
    counts the posting calls whose bytes left.
    """

    def __init__(self, network: MastodonNetwork, clock: Clock, *, patience: float = 10.0) -> None:
        self.network, self.clock, self.patience = network, clock, patience
        self.fates: deque[Fate] = deque()
        self.reads: deque[Fate] = deque()
        self.sent = 0
        self._under_way: list[tuple[float, int, Call]] = []
        self._numbers = itertools.count()
        self._sleepers: list[asyncio.Event] = []
        self._started = clock()

    def client(self) -> httpx.AsyncClient:
        """A client over this line."""
        return httpx.AsyncClient(transport=self, timeout=self.patience)

    def monotonic(self) -> float:
        """The hand-moved clock as seconds."""
        return (self.clock() - self._started).total_seconds()

    def pass_time(self, seconds: float) -> None:
        """Let time pass; what is under way arrives when it is due."""
        until = self.monotonic() + seconds
        while self._under_way and self._under_way[0][0] <= until:
            at, _, call = heapq.heappop(self._under_way)
            self.clock.move(seconds=max(0.0, at - self.monotonic()))
            self.network.take(call)
        self.clock.move(seconds=max(0.0, until - self.monotonic()))

    async def sleep(self, seconds: float) -> None:
        """What a process does that waits for another: time passes, and nobody waits for it."""
        self.pass_time(seconds)
        await asyncio.sleep(0)

    def arrive_at_last(self) -> None:
        """Let everything arrive that is still under way."""
        while self._under_way:
            self.pass_time(max(0.0, self._under_way[0][0] - self.monotonic()))

    def seconds_to_arrivals(self) -> list[float]:
        """When what is under way will arrive."""
        return [max(0.0, at - self.monotonic()) for at, _, _ in self._under_way]

    @property
    def sleeping(self) -> int:
        """How many callers are stopped."""
        return len(self._sleepers)

    def wake(self) -> None:
        """Let every stopped caller go on."""
        for sleeper in self._sleepers:
            sleeper.set()
        self._sleepers.clear()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One call."""
        call = Call(
            method=request.method,
            path=request.url.path,
            query=parse_qs(request.url.query.decode()),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.aread(),
            at=self.clock(),
        )
        if (call.method, call.path) == ("POST", POSTING):
            return await self._speak(request, call, self.fates.popleft() if self.fates else ANSWERED)
        return await self._read(request, call, self.reads.popleft() if self.reads else ANSWERED)

    async def _read(self, request: httpx.Request, call: Call, fate: Fate) -> httpx.Response:
        match fate.how:
            case "answered":
                return _response(self.network.take(call))
            case "sleeps before":
                await self._sleep()
                return _response(self.network.take(call))
            case "late":  # as it was when it was asked for
                answer = self.network.take(call)
                self.pass_time(fate.seconds)
                return _response(answer)
            case "limited":
                return _limited(fate)
            case "refused":
                return _refusal(fate)
            case "truncated":
                return _response(self.network.take(call), cut=True)
            case "dies before" | "dies after":
                raise Died
            case _:
                self.pass_time(self.patience)
                raise httpx.ReadTimeout("no answer", request=request)

    async def _speak(self, request: httpx.Request, call: Call, fate: Fate) -> httpx.Response:
        if fate.how == "unreachable":
            raise httpx.ConnectError("refused", request=request)
        if fate.how == "dies before":
            raise Died
        if fate.how == "sleeps before":
            await self._sleep()
        await self._let_leave()
        self.sent += 1
        if fate.how in {"late", "error, then late", "dies, then late"}:
            heapq.heappush(self._under_way, (self.monotonic() + fate.seconds, next(self._numbers), call))
        match fate.how:
            case "answered" | "sleeps before":
                return _response(self.network.take(call))
            case "refused" | "error, then late":
                return _refusal(fate)
            case "limited":
                return _limited(fate)
            case "cut before":
                raise httpx.RemoteProtocolError("the line was cut", request=request)
            case "never" | "late":
                self.pass_time(self.patience)
                raise httpx.ReadTimeout("no answer", request=request)
            case "dies, then late":
                raise Died
        answer = self.network.take(call)
        match fate.how:
            case "cut after":
                raise httpx.ReadError("the line was cut", request=request)
            case "lost":
                self.pass_time(self.patience)
                raise httpx.ReadTimeout("no answer", request=request)
            case "error after":
                return _refusal(fate)
            case "truncated":
                return _response(answer, cut=True)
            case "dies after":
                raise Died
            case "sleeps after":
                await self._sleep()
        return _response(answer)

    async def _sleep(self) -> None:
        sleeper = asyncio.Event()
        self._sleepers.append(sleeper)
        await sleeper.wait()

    async def _let_leave(self) -> None:
        """What app.http does where bytes leave; tests/test_http_deadline.py shows that it does."""
        ask_first = last_word.get()
        if ask_first is not None:
            await ask_first()
        limit = must_leave_by.get()
        if limit is not None and self.monotonic() >= limit:
            raise TooLateError("the deadline passed before the request left")


def _response(answer: Answer, *, cut: bool = False) -> httpx.Response:
    body = answer.body[: len(answer.body) // 2] if cut else answer.body
    return httpx.Response(answer.status, headers=answer.headers, content=body)


def _refusal(fate: Fate) -> httpx.Response:
    return httpx.Response(fate.status, json={"error": "Something went wrong on our end"})


def _limited(fate: Fate) -> httpx.Response:
    headers = [("Retry-After", f"{fate.seconds:.0f}")] if fate.seconds else []
    return httpx.Response(429, headers=headers, json={"error": "Too many requests"})

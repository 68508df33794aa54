"""The troubles that every adapter has to come out of with an OutsideError, and the kinds that are lawful for each."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from app.ports import Kind, OutsideError
from app.staging import Board, Fault, Square
from tests.support import payloads
from tests.support.stage import MemoryStage
from tests.support.wire import Answer

ELSEWHERE = "elsewhere.example"


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One fault: how the wire answers with it, and what an adapter may call it.

    `reading` holds for calls that change nothing; `speaking` for the one request that makes
    something public or new. `unclear` marks answers that may be a lawful empty one.
    """

    name: str
    answer: Answer
    reading: frozenset[Kind]
    speaking: frozenset[Kind]
    staged: Fault | None = None
    unclear: bool = False
    waits: timedelta | None = None


def _status(status: int, body: str = '{"error": "no", "message": "no"}', **headers: str | list[str]) -> Answer:
    pairs = [
        (name.replace("_", "-"), value)
        for name, given in headers.items()
        for value in (given if isinstance(given, list) else [given])
    ]
    return lambda _request: httpx.Response(
        status, headers=[("Content-Type", "application/json"), *pairs], content=body.encode()
    )


def _html(_request: httpx.Request) -> httpx.Response:
    page = "<!doctype html><title>Sign in</title><form method=post><input name=password type=password></form>"
    return httpx.Response(200, headers={"Content-Type": "text/html"}, content=page.encode())


def _raises(make: Callable[[httpx.Request], Exception]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise make(request)

    return answer


def _kinds(*kinds: Kind) -> frozenset[Kind]:
    return frozenset(kinds)


REFUSED = _kinds("forbidden", "auth_broken", "suspended", "rate_limited", "gone", "misconfigured")
ABSENT = _kinds("gone", "misconfigured", "forbidden")
MUDDLED = _kinds("transient", "misconfigured")

TROUBLES: tuple[Trouble, ...] = (
    Trouble(
        name="401",
        answer=_status(401),
        reading=_kinds("auth_broken", "suspended"),
        speaking=_kinds("auth_broken", "suspended"),
        staged=Fault(call="*", kind="auth_broken"),
    ),
    Trouble(
        name="403",
        answer=_status(403),
        reading=REFUSED,
        speaking=REFUSED,
        staged=Fault(call="*", kind="forbidden"),
    ),
    Trouble(name="404", answer=_status(404), reading=ABSENT, speaking=ABSENT, staged=Fault(call="*", kind="gone")),
    Trouble(name="410", answer=_status(410), reading=ABSENT, speaking=ABSENT),
    Trouble(
        name="422",
        answer=_status(422),
        reading=_kinds("invalid", "misconfigured", "transient"),
        speaking=_kinds("invalid", "too_long", "gone", "forbidden", "misconfigured"),
    ),
    Trouble(
        name="429 without Retry-After",
        answer=_status(429),
        reading=_kinds("rate_limited"),
        speaking=_kinds("rate_limited"),
        staged=Fault(call="*", kind="rate_limited"),
    ),
    Trouble(
        name="429 with Retry-After",
        answer=_status(429, Retry_After="120"),
        reading=_kinds("rate_limited"),
        speaking=_kinds("rate_limited"),
        staged=Fault(call="*", kind="rate_limited", retry_seconds=120),
        waits=timedelta(seconds=120),
    ),
    Trouble(
        name="429 with two Retry-After",
        answer=_status(429, Retry_After=["30", "120"]),
        reading=_kinds("rate_limited"),
        speaking=_kinds("rate_limited"),
        waits=timedelta(seconds=120),
    ),
    Trouble(
        name="500",
        answer=_status(500),
        reading=_kinds("transient"),
        speaking=_kinds("unknown"),
        staged=Fault(call="*", kind="unknown"),
    ),
    Trouble(
        name="503",
        answer=_status(503),
        reading=_kinds("transient", "rate_limited"),
        speaking=_kinds("unknown", "transient", "rate_limited"),
        staged=Fault(call="*", kind="transient"),
    ),
    Trouble(name="cut JSON", answer=_status(200, '{"id": "10'), reading=MUDDLED, speaking=_kinds("unknown")),
    *(
        Trouble(
            name=f"JSON that is {body}",
            answer=_status(200, body),
            reading=MUDDLED,
            speaking=_kinds("unknown"),
            unclear=True,
        )
        for body in ("{}", "[]", "null", '"text"', '[{"id": null}]', '{"id": null, "data": null}')
    ),
    Trouble(name="a sign-in page", answer=_html, reading=MUDDLED, speaking=_kinds("unknown")),
    Trouble(
        name="a redirect to another host",
        answer=_status(302, Location=f"https://{ELSEWHERE}/"),
        reading=_kinds("misconfigured"),
        speaking=_kinds("misconfigured", "unknown"),
    ),
    Trouble(
        name="a refused connection",
        answer=_raises(lambda request: httpx.ConnectError("refused", request=request)),
        reading=_kinds("transient"),
        speaking=_kinds("transient"),
        staged=Fault(call="*", kind="transient"),
    ),
    Trouble(
        name="a time-out",
        answer=_raises(lambda request: httpx.ReadTimeout("slow", request=request)),
        reading=_kinds("transient"),
        speaking=_kinds("unknown"),
        staged=Fault(call="*", kind="unknown", in_flight=True, accepted=True),
    ),
)


def troubles_of(sort: payloads.Sort, names: Iterable[str]) -> list[Any]:
    """Each adapter with each trouble its other side can make: all of them behind the wire, some on the stage."""
    return [
        pytest.param(name, trouble, id=f"{name}-{trouble.name}")
        for name in names
        for trouble in TROUBLES
        if trouble.staged is not None or not payloads.is_staged(sort, name)
    ]


async def play(stage: MemoryStage, scenes: Iterable[str], fault: Fault, *, among: frozenset[Kind]) -> None:
    """Put the fault on the square and the board of each scene.

    A call that changes nothing knows no `unknown`: there it is played as `transient`.
    """
    if fault.kind not in among:
        fault = replace(fault, kind="transient", in_flight=False, accepted=False)
    for scene in scenes:
        await Square(stage, scene).faults.add(fault)
        await Board(stage, scene).faults.add(fault)


def assert_lawful(
    error: OutsideError, kinds: frozenset[Kind], trouble: Trouble, *, now: datetime, secrets: Iterable[str]
) -> None:
    """The kind is one of those, the other side's own time is kept, and nobody reads a secret anywhere in it."""
    assert error.kind in kinds, f"{trouble.name} became {error.kind} ({error.message}); lawful: {sorted(kinds)}"
    assert error.message.strip()
    if error.kind == "rate_limited" and trouble.waits is not None:
        assert error.retry_at is not None, f"{trouble.name}: the time to come back is lost"
        assert error.retry_at - now >= trouble.waits
    assert error.retry_at is None or error.retry_at >= now
    told = "".join(traceback.format_exception(error)) + repr(error)
    assert not [secret for secret in secrets if secret in told], "a secret is in the error"

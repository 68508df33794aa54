"""Webhooks: proven on their raw bytes, stored once, answered at once, and what is rejected can be seen."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.api.limits import HOOK_BYTES
from tests.support import on_both, story
from tests.support.circle import Circle
from tests.support.outsides import APP, HOOK_SECRET, Outsides, github_tracker

databases = on_both.databases

HOOK = "/hooks/trackers/1"


def signed(body: bytes, *, secret: str = HOOK_SECRET, guid: str = "guid-1", event: str = "issues") -> dict[str, str]:
    """The headers GitHub sends."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/1",
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "42",
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def about(outside: Outsides, number: int) -> bytes:
    issue = outside.world.issue_json(outside.world.issue(APP, number))
    repository = outside.world.repository_json(outside.world.repository(APP))
    return json.dumps({"action": "closed", "issue": issue, "repository": repository}).encode()


async def send(connected: Circle, body: bytes, headers: dict[str, str], *, path: str = HOOK) -> httpx.Response:
    """A call by somebody who has no token."""
    return await connected.api.post(path, content=body, headers={**headers, "Authorization": ""})


async def deliveries(connected: Circle) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await connected.get("/api/v1/trackers/1/deliveries"))["items"]
    return found


@pytest.fixture
async def tracked(connected: Circle, outside: Outsides) -> Circle:
    """A connected repository with one issue that a customer waits for."""
    await connected.post("/api/v1/accounts", {"channel": "rehearsal", "name": "Acme"}, status=201)
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    outside.world.open_issue(APP, "Export hangs")
    [post] = await story.complaints(connected, 1)
    await story.tag(connected, post, ref="#1")
    await connected.rest()
    return connected


async def test_a_signed_call_is_stored_answered_and_worked_later(tracked: Circle, outside: Outsides) -> None:
    outside.world.close_issue(APP, 1)
    body = about(outside, 1)
    answer = await send(tracked, body, signed(body))
    assert (answer.status_code, answer.json()) == (202, {"stored": True})
    [delivery] = await deliveries(tracked)
    assert set(delivery) == {"id", "key", "event", "state", "why", "received_at"}
    assert (delivery["key"], delivery["event"], delivery["state"]) == ("42:guid-1", "issues.closed", "new")
    assert (await story.loop_of(tracked))["state"] == "linked", "nothing is worked while the caller waits"

    tracked.clock.move(minutes=1)
    await tracked.rest()
    assert (await story.loop_of(tracked))["state"] == "fixed"
    [delivery] = await deliveries(tracked)
    assert delivery["state"] == "done"
    assert "1 issue" in delivery["why"]


async def test_a_redelivered_call_adds_nothing(tracked: Circle, outside: Outsides) -> None:
    body = about(outside, 1)
    first = await send(tracked, body, signed(body))
    second = await send(tracked, body, signed(body))
    assert (first.status_code, second.status_code, second.json()) == (202, 200, {"stored": False})
    at_once = await asyncio.gather(*(send(tracked, body, signed(body, guid="guid-2")) for _ in range(5)))
    assert sorted(answer.status_code for answer in at_once) == [200, 200, 200, 200, 202]
    assert [delivery["key"] for delivery in await deliveries(tracked)] == ["42:guid-2", "42:guid-1"], "newest first"


BODY = b'{"action": "closed"}'
WRONG: dict[str, dict[str, str | None]] = {
    "no signature": {"X-Hub-Signature": None, "X-Hub-Signature-256": None},
    "SHA-1 only": {"X-Hub-Signature-256": None},
    "made with another secret": dict(signed(BODY, secret="another")),
    "of another body": dict(signed(b"{}")),
    "no signature at all in it": {"X-Hub-Signature-256": "sha256="},
    "not ASCII": {"X-Hub-Signature-256": "sha256=\u00e9"},
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_proves_nothing_is_refused_counted_and_not_stored(tracked: Circle, wrong: str) -> None:
    headers = {name: value for name, value in {**signed(BODY), **WRONG[wrong]}.items() if value is not None}
    answer = await tracked.api.post(
        HOOK, content=BODY, headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    )
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert HOOK_SECRET not in answer.text
    assert await deliveries(tracked) == []

    tracker = await tracked.get("/api/v1/trackers/1")
    assert tracker["rejected_webhooks"] == 1
    assert tracker["last_rejected_at"] == tracked.clock().isoformat().replace("+00:00", "Z")
    assert tracker["last_rejected_why"] == answer.json()["detail"]
    metrics = (await tracked.api.get("/metrics")).text
    assert re.search(r'fullcircle_tracker_webhooks_rejected\{name="acme/app",tracker="1"\} 1\.0', metrics)
    stamp = re.search(r"fullcircle_tracker_webhook_rejected_timestamp_seconds\{[^}]*\} ([\d.e+]+)", metrics)
    assert stamp is not None
    assert float(stamp[1]) == tracked.clock().timestamp()


async def test_a_signed_body_that_is_no_json_is_400_and_not_stored(tracked: Circle) -> None:
    for body in (b"payload=%7B%7D", b"not json", b"", b"[1]", b"\xff\xfe", b"[" * 100_000):
        answer = await send(tracked, body, signed(body))
        assert answer.status_code == 400, body[:20]
        assert answer.headers["content-type"] == "application/problem+json"
    assert await deliveries(tracked) == []


@pytest.mark.parametrize("path", ["trackers/99", "trackers/0", "trackers/x", f"trackers/{2**64}", "accounts/99", "x/1"])
async def test_an_unknown_address_is_404(tracked: Circle, path: str) -> None:
    answer = await send(tracked, BODY, signed(BODY), path=f"/hooks/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_channel_without_webhooks_says_so(tracked: Circle) -> None:
    for method in ("GET", "POST"):
        answer = await tracked.api.request(method, "/hooks/accounts/1")
        assert answer.status_code == 404
        assert "polling" in answer.json()["detail"]


async def test_a_removed_trackers_hook_is_404(tracked: Circle) -> None:
    await tracked.call("DELETE", "/api/v1/trackers/1", status=204)
    assert (await send(tracked, BODY, signed(BODY))).status_code == 404


@pytest.mark.parametrize("declares", [True, False], ids=["its length is declared", "it comes in parts"])
async def test_a_body_larger_than_any_honest_one_is_413_and_the_next_call_is_fine(
    tracked: Circle, outside: Outsides, declares: bool
) -> None:
    large = b" " * (30 * 1024 * 1024)
    assert len(large) > HOOK_BYTES

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 1024 * 1024):
            yield large[start : start + 1024 * 1024]

    answer = await tracked.api.post(HOOK, content=large if declares else parts(), headers=signed(BODY))
    assert answer.status_code == 413, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await deliveries(tracked) == []
    body = about(outside, 1)
    assert (await send(tracked, body, signed(body))).status_code == 202


async def test_deliveries_are_paged_newest_first(tracked: Circle, outside: Outsides) -> None:
    body = about(outside, 1)
    for number in range(5):
        await send(tracked, body, signed(body, guid=f"guid-{number}"))
    keys: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await tracked.get("/api/v1/trackers/1/deliveries", params={"limit": 2, "cursor": cursor})
        keys += [item["key"] for item in page["items"]]
        cursor = page["next"]
    assert keys == [f"42:guid-{number}" for number in (4, 3, 2, 1, 0)]

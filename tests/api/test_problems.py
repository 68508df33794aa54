"""Errors are for people: `application/problem+json` everywhere, with what to do, and never with what was sent."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from app.api.limits import API_BYTES
from app.steps import by_hand
from tests.support.circle import Circle

SECRET = "do-not-repeat-this-secret"


def is_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert set(found) <= {"type", "title", "status", "detail", "errors"}
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert SECRET not in answer.text
    return found


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v2/posts", "/api/v1/posts/1/2/3", "/nothing", "/api/v1/posts/x"]
)
async def test_an_address_with_nothing_at_it_is_404(played: Circle, path: str) -> None:
    is_problem(await played.api.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/api/v1/posts"), ("PUT", "/api/v1/loops"), ("POST", "/healthz"), ("GET", "/hooks/trackers/1")],
)
async def test_a_method_that_is_not_taken_is_405_with_those_that_are(played: Circle, method: str, path: str) -> None:
    answer = await played.api.request(method, path)
    is_problem(answer, 405)
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"post_id": 1, "secret": "%s"' % SECRET.encode(),
        b"post_id=1&secret=" + SECRET.encode(),
        b"\xff\xfe\x00",
        b"[" * 50_000,
        b'{"post_id": \xe9}',
        b"",
    ],
)
async def test_a_body_that_is_no_json_is_400_or_422_and_is_not_repeated(played: Circle, body: bytes) -> None:
    answer = await played.api.post("/api/v1/loops", content=body, headers={"Content-Type": "application/json"})
    is_problem(answer, 400 if body else 422)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/accounts", {"channel": SECRET, "name": "x"}),
        ("/api/v1/accounts", {"channel": "rehearsal", "name": "x", "mode": SECRET}),
        ("/api/v1/accounts", {"channel": "mastodon", "name": "x", "settings": {"base_url": f"x://{SECRET}"}}),
        ("/api/v1/accounts", {"channel": "mastodon", "name": "x", "secrets": {"access_token": f"{SECRET} {SECRET}"}}),
        ("/api/v1/accounts", {"channel": "mastodon", "name": "x", "secrets": [SECRET]}),
        ("/api/v1/trackers", {"kind": "github", "name": "x", "secrets": {"token": [SECRET]}}),
        ("/api/v1/trackers", {"kind": "github", "name": "x", "settings": {"repository": SECRET}}),
        ("/api/v1/loops", {"post_id": SECRET}),
        ("/api/v1/loops", {"post_id": 1, "tags": SECRET}),
        ("/api/v1/loops", SECRET),
    ],
)
async def test_what_was_sent_is_never_repeated(played: Circle, path: str, body: Any) -> None:
    is_problem(await played.api.post(path, json=body), 422)


async def test_pointers_go_into_the_body_as_it_was_sent(played: Circle) -> None:
    body = {"post_id": "x", "tags": ["fine", 1], "issue": {"tracker_id": 1, "body": 5, "a/b~c": 1}}
    found = is_problem(await played.api.post("/api/v1/loops", json=body), 422)
    assert {error["pointer"] for error in found["errors"]} == {"/post_id", "/tags/1", "/issue/body", "/issue/a~1b~0c"}


@pytest.mark.parametrize("declares", [True, False])
async def test_a_body_larger_than_the_api_takes_is_413(played: Circle, declares: bool) -> None:
    async def parts() -> Any:
        for _ in range(3):
            yield b" " * (API_BYTES // 2)

    content = b" " * (API_BYTES + 1) if declares else parts()
    answer = await played.api.post("/api/v1/loops", content=content, headers={"Content-Type": "application/json"})
    is_problem(answer, 413)


async def test_a_mistake_of_ours_is_500_without_a_word_of_what_went_wrong_inside(
    played: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"something with {SECRET}")

    monkeypatch.setattr(by_hand, "hold_issue", broken)
    with capture_logs() as logs:
        is_problem(await played.api.post("/api/v1/issues/1/hold"), 500)
    [entry] = [entry for entry in logs if entry["event"] == "request failed"]
    assert entry["path"] == "/api/v1/issues/1/hold"


async def test_writers_of_the_same_thing_at_the_same_moment_are_told_so_and_never_fail(played: Circle) -> None:
    await played.connect_rehearsal()
    body = {"language": "en", "text": "Out now, {{ customer }}."}
    answers = await asyncio.gather(*(played.api.put("/api/v1/templates/fixed", json=body) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 409}, [answer.text for answer in answers]
    voices = await asyncio.gather(*(played.api.put("/api/v1/voice", json={"on": False}) for _ in range(8)))
    assert {answer.status_code for answer in voices} <= {200, 409}, [answer.text for answer in voices]
    assert (await played.get("/api/v1/voice"))["on"] is False

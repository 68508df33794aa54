"""The whole circle as a service among servers that others wrote: `mastodon_mock` on one side, `emulate` on the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.emulate_server import Emulate, emulate
from tests.real.mastodon_mock_server import MastodonMock, start_mastodon_mock
from tests.support.service import Service, serve

APP = "/repos/octocat/app"
SECRET = "It's a Secret to Everybody"


@pytest.fixture
def mastodon() -> Iterator[MastodonMock]:
    with start_mastodon_mock() as server:
        yield server


@pytest.fixture
def github() -> Iterator[Emulate]:
    with emulate() as server:
        yield server


@pytest.fixture
def service(tmp_path: Path, empty_database_url: str) -> Iterator[Service]:
    with serve(tmp_path, empty_database_url) as running:
        yield running


def connect(service: Service, mastodon: MastodonMock, github: Emulate, *, webhooks: bool = True) -> None:
    account = {
        "channel": "mastodon",
        "name": "Acme",
        "settings": {"base_url": mastodon.base_url},
        "secrets": {"access_token": "acme-token"},
        "mode": "automatic",
    }
    service.post("/api/v1/accounts", account, status=201)
    tracker = {
        "kind": "github",
        "name": "octocat/app",
        "settings": {"api_url": github.url, "repository": "octocat/app"},
        "secrets": {"token": github.token, "webhook_secret": SECRET},
    }
    made = service.post("/api/v1/trackers", tracker, status=201)
    if webhooks:
        config = {"url": made["hook_url"], "content_type": "json", "secret": SECRET}
        events = ["issues", "release", "push", "create"]
        github.call("POST", f"{APP}/hooks", {"name": "web", "active": True, "events": events, "config": config})


def tagged(service: Service, mastodon: MastodonMock, who: str = "ana") -> tuple[dict[str, Any], dict[str, Any]]:
    """A complaint on Mastodon, tagged as a new issue. The status there, and the loop."""
    status = mastodon.say(who, "@acme the CSV export hangs at 99 %", language="en")
    service.until(lambda: bool(service.get("/api/v1/posts?state=new")["items"]))
    [post] = service.get("/api/v1/posts?state=new")["items"]
    body = {
        "post_id": post["id"],
        "tags": ["export"],
        "issue": {"tracker_id": 1, "title": "Export hangs", "body": "99 %"},
    }
    loop = service.post("/api/v1/loops", body, status=201)
    return status, loop


def fix_and_release(github: Emulate, loop: dict[str, Any], tag: str = "v2.4.1") -> None:
    number = loop["issue"]["ref"].removeprefix("#")
    github.commit(f"{tag}.txt", f"Repair the export\n\nFixes #{number}")
    github.call("PATCH", f"{APP}/issues/{number}", {"state": "closed", "state_reason": "completed"})
    github.release(tag, github.tip())


def said_to(mastodon: MastodonMock, status: dict[str, Any]) -> list[dict[str, Any]]:
    """What the brand has under a status."""
    replies = mastodon.replies_to(status["id"])
    return [
        reply for reply in replies if reply["account"]["username"] == "acme" and reply["in_reply_to_id"] == status["id"]
    ]


def test_a_complaint_goes_all_the_way_round_by_webhooks(
    service: Service, mastodon: MastodonMock, github: Emulate
) -> None:
    connect(service, mastodon, github)
    status, loop = tagged(service, mastodon)
    assert loop["issue"]["ref"].startswith("#")
    number = loop["issue"]["ref"].removeprefix("#")
    service.until(lambda: bool(github.call("GET", f"{APP}/issues/{number}/comments")))

    fix_and_release(github, loop)
    service.until_loop(loop["id"], "told")
    [reply] = said_to(mastodon, status)
    assert "v2.4.1" in reply["content"]
    assert reply["visibility"] == "unlisted"
    [recorded] = service.get(f"/api/v1/loops/{loop['id']}")["replies"]
    assert recorded["external_id"] == reply["id"]
    deliveries = service.get("/api/v1/trackers/1/deliveries")["items"]
    assert {"issues.closed"} <= {delivery["event"] for delivery in deliveries}
    assert {delivery["state"] for delivery in deliveries} == {"done"}
    issue = service.get(f"/api/v1/issues/{loop['issue']['id']}")
    assert [line["level"] for line in issue["shipment"]["evidence"]] == [0, 1, 2, 2]

    mastodon.say("ana", "@acme works now, thank you!", in_reply_to_id=reply["id"], language="en")
    verified = service.until_loop(loop["id"], "verified")
    assert verified["verification"] == "confirmed"


def test_still_broken_is_told_to_the_ticket_and_a_later_release_answers_again(
    service: Service, mastodon: MastodonMock, github: Emulate
) -> None:
    connect(service, mastodon, github)
    status, loop = tagged(service, mastodon)
    fix_and_release(github, loop)
    service.until_loop(loop["id"], "told")
    [reply] = said_to(mastodon, status)
    answer = mastodon.say("ana", "@acme no, it is still broken", in_reply_to_id=reply["id"], language="en")
    service.until_loop(loop["id"], "linked")
    number = loop["issue"]["ref"].removeprefix("#")
    comments = [comment["body"] for comment in github.call("GET", f"{APP}/issues/{number}/comments")]
    assert sum("still broken" in body for body in comments) == 1

    github.call("PATCH", f"{APP}/issues/{number}", {"state": "open"})
    fix_and_release(github, loop, "v2.4.2")
    service.until_loop(loop["id"], "told")
    [second] = said_to(mastodon, answer)
    assert "v2.4.2" in second["content"]


def test_polling_finds_what_no_webhook_brought(service: Service, mastodon: MastodonMock, github: Emulate) -> None:
    connect(service, mastodon, github, webhooks=False)
    status, loop = tagged(service, mastodon)
    fix_and_release(github, loop)
    service.until_loop(loop["id"], "told")
    assert len(said_to(mastodon, status)) == 1


@pytest.mark.parametrize(
    "effect",
    [
        {"type": "status", "status": 503},
        {"type": "ratelimit", "headers": {"Retry-After": "1"}},
        {"type": "malformed"},
    ],
    ids=["503", "429", "cut answer"],
)
def test_whatever_the_network_does_there_is_one_reply(
    service: Service, mastodon: MastodonMock, github: Emulate, effect: dict[str, Any]
) -> None:
    connect(service, mastodon, github)
    status, loop = tagged(service, mastodon)
    mastodon.fault(effect)
    fix_and_release(github, loop)
    service.until_loop(loop["id"], "told", seconds=60)
    assert len(said_to(mastodon, status)) == 1


def test_a_wrong_secret_is_seen(service: Service, mastodon: MastodonMock, github: Emulate) -> None:
    connect(service, mastodon, github, webhooks=False)
    config = {"url": f"{service.url}/hooks/trackers/1", "content_type": "json", "secret": "another"}
    github.call("POST", f"{APP}/hooks", {"name": "web", "active": True, "events": ["issues"], "config": config})
    github.call("POST", f"{APP}/issues", {"title": "Anything"})
    service.until(lambda: service.get("/api/v1/trackers/1")["rejected_webhooks"] > 0)
    assert service.get("/api/v1/trackers/1/deliveries")["items"] == []

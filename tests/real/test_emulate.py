"""The GitHub tracker against `emulate`, a GitHub that somebody else wrote."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.http import make_client
from app.ports import BadSignatureError, Connection, OutsideError, Project
from app.rules.shipping import NotFixed, NotYet, Policy, Shipped, judge
from app.trackers.github import GitHub, GitHubSecrets, GitHubSettings
from tests.real.emulate_server import Emulate, emulate
from tests.support.listener import listening

APP = "octocat/app"
SECRET = "It's a Secret to Everybody"
BLOCK = "### 3 customers wait for this\n\n<!-- fullcircle:issue-7 -->"


@pytest.fixture(scope="module")
def github() -> Iterator[Emulate]:
    with emulate() as server:
        yield server


class Watcher:
    """A connected tracker and what it learned when it connected."""

    def __init__(self, github: Emulate, *, repository: str = APP) -> None:
        self.http = make_client(seconds=10, version="test")
        self._given: dict[str, Any] = {
            "settings": GitHubSettings(api_url=github.url, repository=repository),
            "secrets": GitHubSecrets.model_validate({"token": github.token, "webhook_secret": SECRET}),
            "http": self.http,
            "now": lambda: datetime.now(UTC),
            "base_url": "http://127.0.0.1:8000",
        }
        self.tracker = GitHub(Connection(**self._given))

    async def connect(self) -> Project:
        project = await self.tracker.connect()
        self.tracker = GitHub(Connection(**self._given, remote_id=project.remote_id, facts=project.facts))
        return project


@pytest.fixture
async def watcher(github: Emulate) -> AsyncIterator[Watcher]:
    made = Watcher(github)
    await made.connect()
    yield made
    await made.http.aclose()


async def test_connects_and_tells_public_from_private(github: Emulate) -> None:
    for repository, public in [(APP, True), ("octocat/secret", False)]:
        watcher = Watcher(github, repository=repository)
        project = await watcher.connect()
        await watcher.http.aclose()
        assert (project.name, project.visible_to_public) == (repository, public)
        assert project.facts["login"] == "octocat"


async def test_a_repository_that_is_not_there_is_named(github: Emulate) -> None:
    watcher = Watcher(github, repository="octocat/nothing")
    with pytest.raises(OutsideError, match="octocat/nothing does not exist") as raised:
        await watcher.connect()
    await watcher.http.aclose()
    assert raised.value.kind == "misconfigured"


async def test_links_an_issue_by_number_name_and_address(github: Emulate, watcher: Watcher) -> None:
    issue = github.call("POST", f"/repos/{APP}/issues", {"title": "Export loses tables"})
    number = issue["number"]
    found = [await watcher.tracker.find(ref) for ref in (f"#{number}", f"{APP}#{number}", issue["html_url"])]
    assert {facts.remote_id for facts in found} == {str(issue["id"])}
    assert found[0].title == "Export loses tables"


async def test_creates_an_issue_and_finds_it_by_its_marker(github: Emulate, watcher: Watcher) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    made = await watcher.tracker.create(title="Export loses tables", body="A customer says so.", marker="loop-9")
    assert await watcher.tracker.find_created(marker="loop-9", since=since) == made
    assert await watcher.tracker.find_created(marker="loop-8", since=since) is None
    assert github.call("GET", f"/repos/{APP}/issues/{made.ref[1:]}")["body"].endswith("<!-- fullcircle:loop-9 -->")


async def test_edits_its_comment_in_place_and_tells_once(github: Emulate, watcher: Watcher) -> None:
    issue = await watcher.tracker.create(title="Export", body="x", marker="loop-10")
    comments = f"/repos/{APP}/issues/{issue.ref[1:]}/comments"
    handle = await watcher.tracker.show(issue, block=BLOCK, handle=None)
    assert await watcher.tracker.show(issue, block=BLOCK.replace("3", "4"), handle=handle) == handle
    assert await watcher.tracker.show(issue, block=BLOCK, handle=None) == handle
    told = await watcher.tracker.tell(issue, text="Still broken", marker="notice-1")
    assert await watcher.tracker.tell(issue, text="Still broken", marker="notice-1") == told
    assert [c["body"] for c in github.call("GET", comments)] == [
        BLOCK,
        "Still broken\n\n<!-- fullcircle:notice-1 -->",
    ]
    github.call("DELETE", f"/repos/{APP}/issues/comments/{handle}")
    with pytest.raises(OutsideError) as raised:
        await watcher.tracker.show(issue, block=BLOCK, handle=handle)
    assert raised.value.kind == "gone"


async def test_a_commit_of_a_release_that_claims_the_issue_ships_it(github: Emulate, watcher: Watcher) -> None:
    issue = await watcher.tracker.create(title="Export", body="x", marker="loop-11")
    number = issue.ref[1:]
    sha = github.commit("one.txt", f"Repair export\n\nFixes #{number}")
    github.call("PATCH", f"/repos/{APP}/issues/{number}", {"state": "closed", "state_reason": "completed"})
    verdict = judge(await watcher.tracker.read(issue.remote_id, ref=issue.ref), Policy())
    assert isinstance(verdict, NotYet)
    release = github.release("v1.0.0", github.tip())
    verdict = judge(await watcher.tracker.read(issue.remote_id, ref=issue.ref), Policy())
    assert isinstance(verdict, Shipped), verdict
    assert verdict.why == f"v1.0.0 contains {sha[:7]}"
    github.call("PATCH", f"/repos/{APP}/releases/{release}", {"draft": True})
    assert isinstance(judge(await watcher.tracker.read(issue.remote_id, ref=issue.ref), Policy()), NotYet)
    github.call("PATCH", f"/repos/{APP}/releases/{release}", {"draft": False})
    assert isinstance(judge(await watcher.tracker.read(issue.remote_id, ref=issue.ref), Policy()), Shipped)
    github.call("DELETE", f"/repos/{APP}/releases/{release}")
    assert isinstance(judge(await watcher.tracker.read(issue.remote_id, ref=issue.ref), Policy()), NotYet)


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_a_merged_pull_request_ships_with_the_release_that_holds_it(
    github: Emulate, watcher: Watcher, method: str
) -> None:
    issue = await watcher.tracker.create(title="Export", body="x", marker=f"loop-{method}")
    number = issue.ref[1:]
    branch = f"feature-{method}"
    github.call("POST", f"/repos/{APP}/git/refs", {"ref": f"refs/heads/{branch}", "sha": github.tip()})
    github.commit(f"{method}.txt", "Repair export", branch=branch)
    body = {"title": "Repair export", "head": branch, "base": "main", "body": f"Fixes #{number}"}
    pull = github.call("POST", f"/repos/{APP}/pulls", body)["number"]
    sha = github.call("PUT", f"/repos/{APP}/pulls/{pull}/merge", {"merge_method": method})["sha"]
    github.call("PATCH", f"/repos/{APP}/issues/{number}", {"state": "closed", "state_reason": "completed"})
    github.release(f"v2.0.0-{method}", github.tip(), prerelease=True)
    verdict = judge(await watcher.tracker.read(issue.remote_id, ref=issue.ref), Policy())
    assert isinstance(verdict, NotYet)
    assert "which is only a prerelease" in verdict.why
    github.release(f"v2.0.1-{method}", github.tip())
    reading = await watcher.tracker.read(issue.remote_id, ref=issue.ref)
    assert [change.label for change in reading.changes] == [f"PR #{pull} merged as {sha[:7]}"]
    assert isinstance(judge(reading, Policy()), Shipped)


async def test_not_planned_is_never_fixed_and_reopened_is_open(github: Emulate, watcher: Watcher) -> None:
    issue = await watcher.tracker.create(title="Export", body="x", marker="loop-12")
    path = f"/repos/{APP}/issues/{issue.ref[1:]}"
    github.call("PATCH", path, {"state": "closed", "state_reason": "not_planned"})
    assert isinstance(judge(await watcher.tracker.read(issue.remote_id, ref=issue.ref), Policy()), NotFixed)
    github.call("PATCH", path, {"state": "open"})
    assert (await watcher.tracker.read(issue.remote_id, ref=issue.ref)).facts.state == "open"


async def test_polling_finds_what_changed(github: Emulate, watcher: Watcher) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    issue = await watcher.tracker.create(title="Export", body="x", marker="loop-13")
    pages = [page async for page in watcher.tracker.pull(cursor=None, since=before)]
    assert issue.remote_id in {number for page in pages for number in page.issues}
    later = [page async for page in watcher.tracker.pull(cursor=pages[-1].cursor, since=before)]
    assert later[-1].cursor == pages[-1].cursor


async def test_a_signed_webhook_is_believed_and_names_the_issue(github: Emulate, watcher: Watcher) -> None:
    with listening() as (url, calls):
        config = {"url": url, "content_type": "json", "secret": SECRET}
        github.call("POST", f"/repos/{APP}/hooks", {"config": config, "events": ["issues", "release"], "active": True})
        issue = await watcher.tracker.create(title="Export", body="x", marker="loop-14")
        path = f"/repos/{APP}/issues/{issue.ref[1:]}"
        github.call("PATCH", path, {"state": "closed", "state_reason": "completed"})
        headers, body = await asyncio.to_thread(calls.get, timeout=20)
        while json.loads(body).get("action") != "closed":
            headers, body = await asyncio.to_thread(calls.get, timeout=20)
    hook = watcher.tracker.receive(headers=headers, query={}, body=body)
    assert (hook.event, hook.issues) == ("issues.closed", (issue.remote_id,))
    with pytest.raises(BadSignatureError):
        watcher.tracker.receive(headers=headers, query={}, body=body + b" ")

"""The Jira tracker against a Data Center Jira that others wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.ports import Connection, OutsideError
from app.rules.shipping import Policy, judge
from app.trackers.jira import Jira, JiraSecrets, JiraSettings
from tests.real.jira820_server import Door, Jira820, start_jira820

BLOCK = "### {} customers wait for this\n\nOn Mastodon, since 3 May 2026.\n\n<!-- fullcircle:issue-7 -->"


@pytest.fixture(scope="module")
def jira() -> Iterator[Jira820]:
    with start_jira820() as running:
        yield running


@pytest.fixture
async def watching(jira: Jira820) -> AsyncIterator[Jira]:
    async with httpx.AsyncClient(transport=Door(jira), timeout=10) as http:
        yield Jira(
            Connection(
                settings=JiraSettings(base_url=jira.base_url, edition="data_center", project="ACME"),
                secrets=JiraSecrets.model_validate({"token": "a-token"}),
                http=http,
                now=lambda: datetime.now(UTC),
                base_url="http://127.0.0.1:8000",
            )
        )


async def verdict_of(watching: Jira, key: str) -> tuple[str, str]:
    issue = await watching.find(key)
    verdict = judge(await watching.read(issue.remote_id, ref=issue.ref), Policy())
    return type(verdict).__name__, verdict.why


def seeded(jira: Jira820, version: str | None) -> str:
    """A finished issue of the seeded project with this one version, or with none."""
    wanted = [version] if version else []
    done = jira.issues("statusCategory = Done")
    return next(str(i["key"]) for i in done if [v["name"] for v in i["fields"]["fixVersions"]] == wanted)


async def test_connects(watching: Jira) -> None:
    project = await watching.connect()
    assert (project.facts["key"], project.facts["account"]) == ("ACME", "admin")


async def test_only_a_released_version_ships(jira: Jira820, watching: Jira) -> None:
    released, planned, bare = seeded(jira, "1.0"), seeded(jira, "1.1"), seeded(jira, None)
    assert await verdict_of(watching, released) == ("Shipped", "1.0 is released")
    assert await verdict_of(watching, planned) == ("NotYet", "closed as Done, but 1.1 is not released yet")
    assert await verdict_of(watching, bare) == ("NotYet", f"closed as Done, but {bare} has no fix version")


async def test_a_workflow_takes_the_verdict_back_and_gives_it_again(jira: Jira820, watching: Jira) -> None:
    key = seeded(jira, "1.0")
    jira.move(key, "In Progress")
    assert await verdict_of(watching, key) == ("NotYet", f"{key} is still open")
    jira.move(key, "Done", resolution="Won't Do")
    assert await verdict_of(watching, key) == ("NotFixed", "closed as Won't Do")
    jira.move(key, "In Progress")
    jira.move(key, "Done", resolution="Fixed")
    assert await verdict_of(watching, key) == ("Shipped", "1.0 is released")


async def test_an_issue_is_made_found_again_and_named_by_the_next_poll(watching: Jira) -> None:
    began = datetime.now(UTC) - timedelta(days=1)
    made = await watching.create(title="Export loses tables", body="> As [reported]", marker="issue-7")
    assert await watching.find(made.ref.lower()) == await watching.find(made.url)
    found = await watching.find_created(marker="issue-7", since=began)
    assert found is not None
    assert (found.remote_id, found.title) == (made.remote_id, "Export loses tables")
    assert await watching.find_created(marker="issue-8", since=began) is None
    pages = [page async for page in watching.pull(cursor=None, since=began)]
    assert made.remote_id in {issue for page in pages for issue in page.issues}


async def test_one_link_shows_who_waits_and_stays_removed(jira: Jira820, watching: Jira) -> None:
    issue = await watching.create(title="Export loses tables", body="As reported", marker="issue-9")
    handle = await watching.show(issue, block=BLOCK.format(3), handle=None)
    assert await watching.show(issue, block=BLOCK.format(4), handle=handle) == handle
    (link,) = jira.call("GET", f"/issue/{issue.ref}/remotelink")
    assert link["object"]["title"] == "4 customers wait for this"
    jira.call("DELETE", f"/issue/{issue.ref}/remotelink/{handle}")
    with pytest.raises(OutsideError) as removed:
        await watching.show(issue, block=BLOCK.format(5), handle=handle)
    assert removed.value.kind == "gone"
    assert jira.call("GET", f"/issue/{issue.ref}/remotelink") == []


async def test_one_comment_is_made(jira: Jira820, watching: Jira) -> None:
    issue = await watching.create(title="Export loses tables", body="As reported", marker="issue-10")
    first = await watching.tell(issue, text="ana says: [~admin] still broken", marker="notice-1")
    assert await watching.tell(issue, text="ana says: still broken", marker="notice-1") == first
    (comment,) = jira.call("GET", f"/issue/{issue.ref}/comment")["comments"]
    assert "user-hover" not in comment["renderedBody"]
    assert "\\[\\~admin\\]" in comment["body"]


async def test_a_deleted_issue_is_gone_and_a_missing_one_is_not_found(jira: Jira820, watching: Jira) -> None:
    issue = await watching.create(title="Export loses tables", body="As reported", marker="issue-11")
    jira.call("DELETE", f"/issue/{issue.ref}")
    assert (await watching.read(issue.remote_id, ref=issue.ref)).facts.state == "gone"
    with pytest.raises(OutsideError) as missing:
        await watching.find(issue.ref)
    assert missing.value.kind == "gone"

"""The test GitHub as a process of its own: real sockets, really delivered webhooks, lines that are really cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.http import make_client
from app.ports import Connection, OutsideError
from app.rules.shipping import Policy, judge
from app.trackers.github import GitHub, GitHubSecrets, GitHubSettings
from tests.support.github_server import RemoteGitHub, running
from tests.support.listener import listening
from tests.support.ports import free_port

APP = "acme/app"
SECRET = "It's a Secret to Everybody"


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteGitHub]:
    with running(tmp_path_factory.mktemp("github"), port=free_port()) as server:
        yield server


@pytest.fixture
async def watching(github: RemoteGitHub, tmp_path: Path) -> AsyncIterator[GitHub]:
    repository = f"acme/{tmp_path.name.replace('_', '-')}"
    github.do("create_repository", full_name=repository)
    http = make_client(seconds=1, version="test")
    yield GitHub(
        Connection(
            settings=GitHubSettings(api_url=github.url, repository=repository),
            secrets=GitHubSecrets.model_validate({"token": "token-brand", "webhook_secret": SECRET}),
            http=http,
            now=lambda: datetime.now(UTC),
            base_url="http://127.0.0.1:8000",
            facts={"login": "brand-bot"},
        )
    )
    await http.aclose()


async def test_a_fix_ships_over_real_sockets(github: RemoteGitHub, watching: GitHub) -> None:
    repository = (await watching.connect()).name
    number = github.do("open_issue", repository=repository, title="Export loses tables")
    issue = await watching.find(f"#{number}")
    github.do("branch", repository=repository, name="feature")
    github.do("commit", repository=repository, message="Repair", branch="feature")
    pull = github.do("open_pull", repository=repository, head="feature", title="Repair", body=f"Fixes {issue.ref}")
    sha = github.do("merge_pull", repository=repository, number=pull, method="squash")
    github.do("release", repository=repository, tag="v1.0.0")
    verdict = judge(await watching.read(issue.remote_id, ref=issue.ref), Policy())
    assert verdict.why == f"v1.0.0 contains {sha[:7]}"


@pytest.mark.parametrize("effect", ["lost", "truncated", "slow"])
async def test_a_comment_is_made_once_although_the_line_was_cut(
    github: RemoteGitHub, watching: GitHub, effect: str
) -> None:
    issue = await watching.create(title="Export", body="x", marker="loop-1")
    fault = {"effect": effect, "method": "POST", "path": "/comments$", "seconds": 1.5}
    github.do("faults", faults=[fault])
    before = len(github.do("ledger"))
    with pytest.raises(OutsideError) as raised:
        await watching.tell(issue, text="Still broken", marker="notice-1")
    assert (raised.value.kind, raised.value.in_flight) == ("unknown", True)
    await watching.tell(issue, text="Still broken", marker="notice-1")
    assert len(github.do("ledger")) == before + 1


async def test_a_webhook_is_really_delivered_and_can_be_lost(github: RemoteGitHub, watching: GitHub) -> None:
    repository = (await watching.connect()).name
    with listening() as (url, calls):
        github.do("add_hook", repository=repository, url=url, secret=SECRET)
        number = github.do("open_issue", repository=repository, title="Export")
        hooks = []
        for _ in range(2):
            headers, body = calls.get(timeout=20)
            hooks.append(watching.receive(headers=headers, query={}, body=body))
        assert [hook.event for hook in hooks] == ["ping", "issues.opened"]
        github.do("drop_webhooks", drop=True)
        github.do("close_issue", repository=repository, number=number)
        github.do("drop_webhooks", drop=False)
        github.do("reopen_issue", repository=repository, number=number)
        headers, body = calls.get(timeout=20)
        assert watching.receive(headers=headers, query={}, body=body).event == "issues.reopened"

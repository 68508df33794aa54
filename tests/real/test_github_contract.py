"""The GitHub tracker and our test GitHub, judged by the documents that GitHub publishes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import httpx
import pytest
from graphql import GraphQLSchema, build_schema, parse, validate
from graphql.type import is_enum_type, is_introspection_type, is_object_type, is_specified_scalar_type, is_union_type

from app.ports import OutsideError
from app.rules.facts import IssueFacts
from app.trackers.github import FIXES, VIEWER, GitHub
from tests.real.published_contract import Contract
from tests.support import github_server
from tests.support.github_app import PERMISSIONS, add_app, app_tracker
from tests.support.github_server import GitHubServer
from tests.support.github_tracker import WEBHOOK_SECRET, tracker
from tests.support.github_world import Clock, GitHubWorld, Token

APP = "acme/app"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
BLOCK = "### 3 customers wait\n\n<!-- fullcircle:issue-7 -->"


def published(package: str, file: str) -> Path:
    """A file of one of GitHub's npm packages; skips where it is not installed."""
    modules = Path(os.environ.get("REAL_NODE_MODULES") or Path(__file__).parents[2] / "build/real/node_modules")
    path = modules / package / file
    if not path.exists():
        pytest.skip(
            f"{package} is not installed: `make real-servers` installs it, or name its folder in REAL_NODE_MODULES"
        )
    return path


@cache
def rest_contract() -> Contract:
    return Contract(published("@octokit/openapi", "generated/api.github.com.json"))


@cache
def webhook_contract() -> Contract:
    return Contract(published("@octokit/openapi-webhooks", "generated/api.github.com.json"))


@cache
def graphql_contract() -> GraphQLSchema:
    text = published("@octokit/graphql-schema", "schema.graphql").read_text(encoding="utf-8")
    # It defines two fields twice and deprecates some that its interfaces do not: valid enough to be asked.
    return build_schema(text, assume_valid=True)


class Recorder(httpx.AsyncBaseTransport):
    """Keeps every exchange between the tracker and the test GitHub."""

    def __init__(self, server: GitHubServer) -> None:
        self._inner = httpx.ASGITransport(server)
        self.exchanges: list[tuple[httpx.Request, httpx.Response]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        await answer.aread()
        self.exchanges.append((request, answer))
        return answer


@pytest.fixture
def world(tmp_path: Path) -> GitHubWorld:
    made = GitHubWorld(tmp_path, clock=Clock(START))
    made.create_repository(APP)
    made.add_hook(APP, "http://127.0.0.1:9/hook", secret=WEBHOOK_SECRET)
    return made


async def everything_the_tracker_asks(world: GitHubWorld) -> list[tuple[httpx.Request, httpx.Response]]:
    """One life of a tracker: each of its calls, over GraphQL and over REST, with each sort of answer."""
    server = GitHubServer(world)
    recorder = Recorder(server)
    async with httpx.AsyncClient(transport=recorder) as http:
        watching = tracker(server, http=http, facts={}, remote_id="")
        project = await watching.connect()
        watching = tracker(server, http=http, facts=project.facts, remote_id=project.remote_id)
        made = await watching.create(title="Export loses tables", body="As reported.", marker="loop-7")
        assert await watching.find_created(marker="loop-7", since=START) == made
        await watching.find("#1")
        handle = await watching.show(made, block=BLOCK, handle=None)
        await watching.show(made, block=BLOCK, handle=handle)
        await watching.tell(made, text="Still broken", marker="notice-1")
        for name, method in [("one", "squash"), ("two", "merge"), ("three", "rebase")]:
            await _land(world, watching, name, method)
        await _on_a_pull_request(world, watching)
        world.has_graphql = False
        for name, method in [("four", "squash"), ("five", "merge"), ("six", "rebase")]:
            await _land(world, watching, name, method)
        await _claimed_by_a_commit(world, watching)
        await _in_production(world, server, http)
        await _by_the_key_of_another_tracker(world, watching)
        await _of_a_component(world, server, http)
        await _other_ends(world, watching)
        await app_tracker(server, add_app(world, APP), http=http, facts={}, remote_id="").connect()
        await _without_permissions(world, server, http)
        await _a_webhook_of_its_own(world, server, http)
        assert [page async for page in watching.pull(cursor=None, since=START)]
    return recorder.exchanges


async def _land(world: GitHubWorld, watching: GitHub, name: str, method: str) -> None:
    number = world.open_issue(APP, f"Issue {name}")
    issue = await watching.find(f"#{number}")
    world.branch(APP, name)
    for step in ("first", "second"):
        world.commit(APP, f"{step} step of {name}", branch=name)
    pull = world.open_pull(APP, name, f"Repair {name}", body=f"Fixes #{number}")
    sha = world.merge_pull(APP, pull, method=method)
    world.revert(APP, world.revert(APP, sha, mainline=1 if method == "merge" else 0))
    world.tag(APP, f"v-{name}", annotated=name in {"one", "four"})
    world.release(APP, f"v-{name}-rc", prerelease=True)
    release = world.release(APP, f"v-{name}", body="Words for the team")
    reading = await watching.read(issue.remote_id, ref=issue.ref)
    assert [containment.answer for containment in reading.containments][-1] == "yes"
    world.edit_release(APP, release, draft=True)
    await watching.read(issue.remote_id, ref=issue.ref)
    world.delete_release(APP, release)
    await watching.read(issue.remote_id, ref=issue.ref)


async def _on_a_pull_request(world: GitHubWorld, watching: GitHub) -> None:
    world.set_private(APP, private=True)
    number = world.open_issue(APP, "Foretold")
    issue = await watching.find(f"#{number}")
    world.branch(APP, "foretold")
    world.commit(APP, "Repair", branch="foretold")
    world.merge_pull(APP, world.open_pull(APP, "foretold", "Repair it", body=f"Fixes #{number}"))
    [change] = (await watching.read(issue.remote_id, ref=issue.ref)).changes
    assert await watching.find_on_change(change.pull, text=BLOCK) is None
    handle = await watching.show_on_change(change.pull, text=BLOCK, handle=None)
    assert await watching.find_on_change(change.pull, text=BLOCK) == handle
    await watching.show_on_change(change.pull, text=BLOCK, handle=handle)
    world.set_private(APP, private=False)


async def _claimed_by_a_commit(world: GitHubWorld, watching: GitHub) -> None:
    number = world.open_issue(APP, "Closed by hand")
    issue = await watching.find(f"#{number}")
    world.close_issue(APP, number)
    world.commit(APP, f"Repair\n\nFixes #{number}")
    world.release(APP, "v-claimed")
    assert (await watching.read(issue.remote_id, ref=issue.ref)).changes
    other = world.open_issue(APP, "Closed by hand, and nobody says by what")
    lost = await watching.find(f"#{other}")
    world.close_issue(APP, other)
    world.commit(APP, "Something")
    world.release(APP, "v-silent")
    assert not (await watching.read(lost.remote_id, ref=lost.ref)).changes


async def _in_production(world: GitHubWorld, server: GitHubServer, http: httpx.AsyncClient) -> None:
    watching = tracker(server, http=http, shipped_when="production")
    number = world.open_issue(APP, "Deployed")
    issue = await watching.find(f"#{number}")
    world.commit(APP, f"Fixes #{number}")
    world.deploy(APP, environment="production")
    assert (await watching.read(issue.remote_id, ref=issue.ref)).deployments


async def _by_the_key_of_another_tracker(world: GitHubWorld, watching: GitHub) -> None:
    world.branch(APP, "acme-12")
    world.commit(APP, "A step", branch="acme-12")
    world.merge_pull(APP, world.open_pull(APP, "acme-12", "Repair export"), method="squash")
    world.commit(APP, "ACME-12: the rest")
    world.release(APP, "v-named")
    facts = IssueFacts(
        remote_id="10012", ref="ACME-12", title="Export", url="", state="closed", updated_at=START, outcome="fixed"
    )
    reading = await watching.code_naming("ACME-12", facts, shipped_when="release", platforms=())
    assert [containment.answer for containment in reading.containments][-2:] == ["yes", "yes"]


async def _of_a_component(world: GitHubWorld, server: GitHubServer, http: httpx.AsyncClient) -> None:
    world.create_repository("acme/backend")
    watching = tracker(server, http=http, path="packages/a", mapped_repositories="acme/backend")
    number = world.open_issue(APP, "Of one component")
    issue = await watching.find(f"#{number}")
    world.commit(APP, f"Fixes #{number}", files={"packages/a/one.txt": "one\n"})
    for name, words in ((APP, f"Fixes #{number}"), ("acme/backend", f"Fixes {APP}#{number}")):
        world.branch(name, "component")
        world.commit(name, "More", branch="component", files={"packages/b/two.txt": "two\n"})
        world.merge_pull(name, world.open_pull(name, "component", "More of it", body=words))
    world.release("acme/backend", "v7")
    for has_graphql in (True, False):
        world.has_graphql = has_graphql
        reading = await watching.read(issue.remote_id, ref=issue.ref)
        assert {change.repository for change in reading.changes} == {"", "acme/backend"}
        assert reading.outside


async def _other_ends(world: GitHubWorld, watching: GitHub) -> None:
    world.create_repository("acme/core")
    ends = [await watching.find(f"#{world.open_issue(APP, f'End {n}')}") for n in range(5)]
    numbers = [int(end.ref[1:]) for end in ends]
    world.close_issue(APP, numbers[0], reason="not_planned")
    world.mark_duplicate(APP, numbers[1], of=numbers[0])
    world.delete_issue(APP, numbers[2])
    world.transfer_issue(APP, numbers[3], to="acme/core")
    world.close_issue(APP, numbers[4])
    world.reopen_issue(APP, numbers[4])
    for end in ends:
        await watching.read(end.remote_id, ref=end.ref)


async def _a_webhook_of_its_own(world: GitHubWorld, server: GitHubServer, http: httpx.AsyncClient) -> None:
    watching = tracker(server, http=http)
    for _ in range(2):
        await watching.set_up_hook(url="http://fullcircle.test/hooks/trackers/1")
    world.drop_webhooks(drop=True)
    for number in range(120):
        world.open_issue(APP, f"Lost {number}")
    world.drop_webhooks(drop=False)
    assert await watching.send_again(url="http://fullcircle.test/hooks/trackers/1")
    world.tokens["token-narrow"] = Token("reader", may_write=False)
    with pytest.raises(OutsideError):
        await tracker(server, http=http, token="token-narrow").set_up_hook(url="http://fullcircle.test/other")


async def _without_permissions(world: GitHubWorld, server: GitHubServer, http: httpx.AsyncClient) -> None:
    world.create_repository("acme/hidden", private=True)
    narrow = add_app(world, "acme/hidden", permissions={"metadata": "read"})
    for app, repository in ((narrow, "acme/hidden"), (add_app(world, permissions=PERMISSIONS), APP)):
        with pytest.raises(OutsideError):
            await app_tracker(server, app, http=http, repository=repository).connect()


async def test_every_call_and_every_answer_is_as_github_documents(world: GitHubWorld) -> None:
    exchanges = await everything_the_tracker_asks(world)
    wrong: set[str] = set()
    for request, answer in exchanges:
        assert request.headers["x-github-api-version"] == "2026-03-10"
        if request.url.path == "/graphql" or request.url.path.startswith("/repositories/"):
            continue
        wrong |= {error.replace(str(request.url), "") for error in rest_contract().judge((request, answer))}
    assert not wrong, "\n".join(sorted(wrong))
    asked = {request.url.path for request, _ in exchanges}
    for part in (
        "/timeline",
        "/compare/",
        "/git/tags/",
        "/pulls",
        "/commits",
        "/releases",
        "/deployments",
        "/statuses",
        "/files",
        "/installation",
        "/access_tokens",
        "/hooks",
        "/deliveries",
        "/attempts",
        "/search/issues",
        "/search/commits",
    ):
        assert any(part in path for path in asked), f"{part} was never asked"


def test_the_judge_sees_what_is_wrong() -> None:
    request = httpx.Request("POST", "https://api.github.com/repos/acme/app/issues?colour=red", json={"body": 1})
    wrong = rest_contract().judge((request, httpx.Response(201, json={"id": "one"})))
    text = "\n".join(wrong)
    for words in ("colour is not documented", "'title' is a required property", "'node_id' is a required property"):
        assert words in text
    assert (
        "no such operation"
        in rest_contract().judge((httpx.Request("GET", "https://x/nowhere"), httpx.Response(200)))[0]
    )
    assert webhook_contract().judge_webhook("issues-closed", b'{"action": "closed"}')
    assert validate(graphql_contract(), parse("{ repository(owner: 1) { colour } }"))


async def test_every_webhook_body_is_as_github_documents(world: GitHubWorld) -> None:
    await everything_the_tracker_asks(world)
    world.rename_repository(APP, to="acme/renamed")
    world.set_private("acme/renamed", private=True)
    wrong: set[str] = set()
    seen: set[str] = set()
    watching = tracker(GitHubServer(world), repository="acme/renamed")
    for delivery in world.pending:
        hook = watching.receive(headers=delivery.headers, query={}, body=delivery.body)
        name = hook.event.replace(".", "-").replace("_", "-")
        seen.add(name)
        wrong |= set(webhook_contract().judge_webhook(name, delivery.body))
    assert not wrong, "\n".join(sorted(wrong))
    assert {"issues-closed", "issues-transferred", "release-published", "release-deleted", "push"} <= seen
    assert {"pull-request-closed", "deployment-status-created", "ping", "repository-privatized"} <= seen


@pytest.mark.parametrize("query", [FIXES, VIEWER])
def test_each_graphql_question_is_one_that_github_can_answer(query: str) -> None:
    assert validate(graphql_contract(), parse(query)) == []


def test_the_graphql_we_serve_in_tests_is_a_part_of_githubs() -> None:
    ours, theirs = github_server.SCHEMA, graphql_contract()
    for name, kind in ours.type_map.items():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        other = theirs.type_map[name]
        if is_object_type(kind):
            for field, shape in kind.fields.items():
                assert str(shape.type) == str(other.fields[field].type), f"{name}.{field}"
                for argument, given in shape.args.items():
                    assert str(given.type) == str(other.fields[field].args[argument].type), f"{name}.{field}"
        elif is_enum_type(kind):
            assert set(kind.values) <= set(other.values)
        elif is_union_type(kind):
            assert {t.name for t in kind.types} <= {t.name for t in other.types}

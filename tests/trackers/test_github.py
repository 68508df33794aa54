"""The GitHub tracker: connecting, naming issues, writing once, refusing what is not GitHub's."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from app.ports import BadSignatureError, IssuePage, OutsideError
from app.rules.facts import IssueFacts
from app.rules.shipping import Policy, judge
from app.trackers import github
from app.trackers.github import GitHub, GitHubSettings
from tests.support.github_server import Fault, GitHubServer
from tests.support.github_shapes import Places
from tests.support.github_tracker import WEBHOOK_SECRET, tracker
from tests.support.github_world import Clock, GitHubWorld, Token

APP = "acme/app"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
BLOCK = "### 3 customers wait\n\n<!-- fullcircle:issue-7 -->"


def error_of(raised: pytest.ExceptionInfo[OutsideError]) -> tuple[str, str]:
    return raised.value.kind, raised.value.message


async def issue_in(watching: GitHub, world: GitHubWorld, title: str = "Export loses tables") -> IssueFacts:
    return await watching.find(f"#{world.open_issue(APP, title)}")


def comments(world: GitHubWorld, number: int = 1) -> list[tuple[str, str]]:
    return [(c.login, c.body) for c in world.issue(APP, number).comments]


async def pages_of(watching: GitHub, cursor: str | None = None, since: datetime = START) -> list[IssuePage]:
    return [page async for page in watching.pull(cursor=cursor, since=since)]


# Connecting


async def test_connects_and_learns_who_and_where_it_is(server: GitHubServer, http: httpx.AsyncClient) -> None:
    project = await tracker(server, http=http, facts={}, remote_id="").connect()
    assert project.name == APP
    assert project.url == "http://github.test/acme/app"
    assert project.visible_to_public
    assert project.remote_id == project.facts["repository_id"] == str(server.world.repository(APP).id)
    assert project.facts["login"] == "brand-bot"
    assert project.facts["default_branch"] == "main"
    assert project.quota["limit"] == 5000


async def test_a_private_repository_is_not_public(server: GitHubServer, http: httpx.AsyncClient) -> None:
    server.world.set_private(APP, private=True)
    assert not (await tracker(server, http=http).connect()).visible_to_public


@pytest.mark.parametrize(
    ("repository", "public"),
    [
        ({"private": False, "visibility": "public"}, True),
        ({"private": True, "visibility": "private"}, False),
        ({"private": True, "visibility": "internal"}, False),
        ({"private": False, "visibility": "internal"}, False),
        ({"private": False}, False),
        ({}, False),
    ],
)
def test_what_is_not_said_to_be_public_is_private(repository: dict[str, Any], public: bool) -> None:
    assert github.is_public(repository) is public


async def test_a_repository_that_is_not_there_is_named(server: GitHubServer, http: httpx.AsyncClient) -> None:
    with pytest.raises(OutsideError) as raised:
        await tracker(server, http=http, repository="acme/nothing", remote_id="").connect()
    assert error_of(raised) == (
        "misconfigured",
        "repository acme/nothing does not exist, or the token may not see it",
    )


async def test_a_refused_token_is_said_to_be_refused(server: GitHubServer, http: httpx.AsyncClient) -> None:
    with pytest.raises(OutsideError) as raised:
        await tracker(server, http=http, token="sentinel-token").connect()
    kind, message = error_of(raised)
    assert kind == "auth_broken"
    assert "enter a new one" in message
    assert "sentinel-token" not in message


async def test_an_address_that_is_no_github_says_what_to_enter(server: GitHubServer, http: httpx.AsyncClient) -> None:
    server.faults.append(Fault("html", path="/repos/"))
    with pytest.raises(OutsideError) as raised:
        await tracker(server, http=http).connect()
    assert error_of(raised)[0] == "misconfigured"
    assert "https://HOST/api/v3" in error_of(raised)[1]


async def test_a_server_that_does_not_know_the_version_is_asked_in_an_older_one() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        version = request.headers["x-github-api-version"]
        asked.append(version)
        if version != "2022-11-28":
            return httpx.Response(400, json={"message": f"'{version}' is not a supported version"})
        if request.url.path.endswith("/user"):
            return httpx.Response(200, json={"login": "brand-bot"})
        body = {"id": 7, "full_name": APP, "html_url": "https://ghe.example/acme/app", "default_branch": "main"}
        return httpx.Response(200, json=body)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        project = await _mocked(http, api_url="https://ghe.example/api/v3").connect()
    assert asked[0] == "2026-03-10"
    assert set(asked[1:]) == {"2022-11-28"}
    assert project.facts["api_version"] == "2022-11-28"


def _mocked(http: httpx.AsyncClient, **settings: Any) -> GitHub:
    from app.ports import Connection
    from app.trackers.github import GitHubSecrets

    return GitHub(
        Connection(
            settings=GitHubSettings(repository=APP, **settings),
            secrets=GitHubSecrets.model_validate({"token": "sentinel-token"}),
            http=http,
            now=lambda: START,
            base_url="http://fullcircle.test",
            facts={"login": "brand-bot"},
        )
    )


async def test_an_app_learns_its_name_from_graphql(server: GitHubServer, http: httpx.AsyncClient) -> None:
    server.world.tokens["token-app"] = Token("fullcircle[bot]", is_app=True)
    watching = tracker(server, http=http, token="token-app", facts={})
    assert (await watching.connect()).facts["login"] == "fullcircle[bot]"
    issue = await issue_in(watching, server.world)
    handle = await watching.show(issue, block=BLOCK, handle=None)
    assert await watching.show(issue, block=BLOCK, handle=None) == handle


async def test_an_enterprise_server_has_its_graphql_beside_its_rest(tmp_path: Path) -> None:
    places = Places("http://ghe.test/api/v3", "http://ghe.test")
    world = GitHubWorld(tmp_path, clock=Clock(START), places=places)
    world.create_repository(APP)
    server = GitHubServer(world, prefix="/api/v3")
    async with server.client() as http:
        watching = tracker(server, http=http)
        assert (await watching.connect()).url == "http://ghe.test/acme/app"
        issue = await watching.find(f"http://ghe.test/acme/app/issues/{world.open_issue(APP, 'Export')}")
        world.commit(APP, "Fixes #1")
        world.release(APP, "v1.0.0")
        assert judge(await watching.read(issue.remote_id, ref=issue.ref), Policy()).why.startswith("v1.0.0 contains")
    assert ("POST", "/api/graphql", 200) in server.requests


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"api_url": "https://github.com/"}, {"api_url": "https://api.github.com"}),
        ({"api_url": " https://ghe.example/api/v3/ "}, {"api_url": "https://ghe.example/api/v3"}),
        ({"repository": "https://github.com/acme/app.git"}, {"repository": "acme/app"}),
        ({"repository": "https://github.com/acme/app/"}, {"repository": "acme/app"}),
        ({"repository": "acme/.github"}, {"repository": "acme/.github"}),
        ({}, {"shipped_when": "release", "settle_seconds": 1800, "tag_pattern": "*", "show_on_public": "counts"}),
    ],
)
def test_settings_take_what_people_paste(given: dict[str, Any], kept: dict[str, Any]) -> None:
    made = GitHubSettings.model_validate({"repository": APP, **given})
    assert {name: getattr(made, name) for name in kept} == kept


@pytest.mark.parametrize(
    "given",
    [
        {"repository": "acme"},
        {"repository": "acme/app/issues"},
        {"repository": "acme/app?x=1"},
        {"repository": "../app"},
        {"repository": "acme/.."},
        {"api_url": "ftp://github.test"},
        {"api_url": "https://user:word@github.test"},
        {"api_url": "https://github.test?x=1"},
        {"shipped_when": "someday"},
        {"settle_seconds": -1},
        {"public_label_pattern": "("},
    ],
)
def test_settings_refuse_what_cannot_work(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GitHubSettings.model_validate({"repository": APP, **given})


# Naming an issue


@pytest.mark.parametrize(
    "ref",
    [
        "1",
        "#1",
        " #1 ",
        "acme/app#1",
        "Acme/App#1",
        "http://github.test/acme/app/issues/1",
        "http://github.test/acme/app/issues/1#issuecomment-9",
        "http://github.test/acme/app/issues/1/",
    ],
)
async def test_an_issue_is_found_however_it_is_named(watching: GitHub, world: GitHubWorld, ref: str) -> None:
    world.open_issue(APP, "Export loses tables")
    found = await watching.find(ref)
    assert (found.ref, found.title, found.state) == ("#1", "Export loses tables", "open")
    assert found.remote_id == str(world.issue(APP, 1).id)
    assert found.url == "http://github.test/acme/app/issues/1"


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "export",
        "#0",
        "#-1",
        "acme/app",
        "acme/app#",
        "../..#1",
        "acme/..#1",
        "acme/app1",
        "http://elsewhere.test/acme/app/issues/1",
        "http://github.test/acme/app/pull/1",
        "http://github.test/acme/app",
        "https://[",
        "acme/other#1",
    ],
)
async def test_words_that_name_no_issue_here_are_refused(watching: GitHub, world: GitHubWorld, ref: str) -> None:
    world.open_issue(APP, "Export loses tables")
    world.create_repository("acme/other")
    world.open_issue("acme/other", "Other")
    with pytest.raises(OutsideError) as raised:
        await watching.find(ref)
    assert raised.value.kind == "invalid"


async def test_a_pull_request_is_no_issue(watching: GitHub, world: GitHubWorld) -> None:
    world.branch(APP, "feature")
    world.commit(APP, "Work", branch="feature")
    number = world.open_pull(APP, "feature", "Repair")
    with pytest.raises(OutsideError) as raised:
        await watching.find(f"#{number}")
    assert error_of(raised) == ("invalid", "#1 is a pull request; name the issue it belongs to")


async def test_an_issue_that_is_not_there_is_gone(watching: GitHub, world: GitHubWorld) -> None:
    with pytest.raises(OutsideError) as raised:
        await watching.find("#99")
    assert error_of(raised) == (
        "gone",
        "reading #99 of acme/app: it does not exist, or the token may not see it",
    )


async def test_an_issue_is_found_under_the_repositorys_old_name(watching: GitHub, world: GitHubWorld) -> None:
    world.open_issue(APP, "Export loses tables")
    world.rename_repository(APP, to="acme/export")
    found = await watching.find("acme/app#1")
    assert (found.ref, found.url) == ("#1", "http://github.test/acme/export/issues/1")


# Reading


async def test_another_issue_under_the_same_number_is_not_ours(watching: GitHub, world: GitHubWorld) -> None:
    world.open_issue(APP, "Another one")
    facts = (await watching.read("77", ref="#1")).facts
    assert (facts.state, facts.remote_id, facts.gone_why) == ("gone", "77", "another issue has this number now")


async def test_an_issue_that_is_hidden_is_gone_and_says_so(watching: GitHub) -> None:
    facts = (await watching.read("77", ref="#12")).facts
    assert facts.state == "gone"
    assert facts.gone_why.startswith("not visible any more")
    assert facts.url == "http://github.test/acme/app/issues/12"


async def test_no_issue_is_gone_because_the_repository_cannot_be_seen(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    world.set_private(APP, private=True)
    world.open_issue(APP, "Export")
    world.tokens["token-stranger"] = Token("stranger", repositories=set())
    with pytest.raises(OutsideError) as raised:
        await tracker(server, http=http, token="token-stranger").read("1002", ref="#1")
    assert raised.value.kind == "misconfigured"


async def test_a_transferred_issue_is_read_where_it_is_and_under_its_new_id(
    watching: GitHub, world: GitHubWorld
) -> None:
    issue = await issue_in(watching, world)
    world.create_repository("acme/core")
    number = world.transfer_issue(APP, 1, to="acme/core")
    moved = (await watching.read(issue.remote_id, ref="#1")).facts
    assert moved.ref == f"acme/core#{number}"
    assert moved.url == f"http://github.test/acme/core/issues/{number}"
    assert moved.remote_id == str(world.issue("acme/core", number).id)
    again = (await watching.read(moved.remote_id, ref=moved.ref)).facts
    assert again == moved
    await watching.tell(moved, text="Still broken for one customer", marker="n1")
    assert len(world.issue("acme/core", number).comments) == 1


async def test_a_second_reading_costs_one_call_that_counts(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    issue = await issue_in(watching, world)
    world.commit(APP, "Fixes #1")
    world.release(APP, "v1.0.0")
    first = await watching.read(issue.remote_id, ref="#1")
    server.requests.clear()
    assert (await watching.read(issue.remote_id, ref="#1")).releases == first.releases
    assert [path for _, path, status in server.requests if status != 304] == ["/graphql"]


async def test_answers_kept_for_one_token_are_not_shown_to_another(
    watching: GitHub, server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    world.set_private(APP, private=True)
    issue = await issue_in(watching, world)
    await watching.read(issue.remote_id, ref="#1")
    world.tokens["token-stranger"] = Token("stranger", repositories=set())
    with pytest.raises(OutsideError):
        await tracker(server, http=http, token="token-stranger").read(issue.remote_id, ref="#1")


async def test_a_revert_is_found_on_the_last_page_of_a_long_range(watching: GitHub, world: GitHubWorld) -> None:
    issue = await issue_in(watching, world)
    sha = world.commit(APP, "Fixes #1")
    for number in range(205):
        world.git(APP).commit(f"Work {number}")
    world.revert(APP, sha)
    world.release(APP, "v1.0.0")
    verdict = judge(await watching.read(issue.remote_id, ref="#1"), Policy())
    assert verdict.why == f"closed, but {sha[:7]} was reverted before v1.0.0"


async def test_a_range_too_long_to_read_is_unknown_and_not_shipped(
    watching: GitHub, world: GitHubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github, "MAX_RANGE_PAGES", 1)
    issue = await issue_in(watching, world)
    world.commit(APP, "Fixes #1")
    for number in range(101):
        world.git(APP).commit(f"Work {number}")
    world.release(APP, "v1.0.0")
    reading = await watching.read(issue.remote_id, ref="#1")
    assert [c.answer for c in reading.containments] == ["unknown"]
    assert "could not say whether v1.0.0 contains" in judge(reading, Policy()).why


async def test_a_commit_the_repository_does_not_know_is_unknown_and_never_a_no(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    issue = await issue_in(watching, world)
    world.commit(APP, "A commit like no other fixes #1")
    world.release(APP, "v1.0.0")
    server.faults.append(Fault("404", path="/compare/"))
    reading = await watching.read(issue.remote_id, ref="#1")
    assert [c.answer for c in reading.containments] == ["unknown"]
    assert "v1.0.0 contains" in judge(await watching.read(issue.remote_id, ref="#1"), Policy()).why


async def test_many_releases_are_read_page_by_page(watching: GitHub, world: GitHubWorld) -> None:
    issue = await issue_in(watching, world)
    world.commit(APP, "Fixes #1")
    for number in range(103):
        world.release(APP, f"v1.{number}")
    verdict = judge(await watching.read(issue.remote_id, ref="#1"), Policy())
    assert verdict.why.startswith("v1.0 contains")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"data": None, "errors": [{"type": "RATE_LIMITED", "message": "wait"}]}, "rate_limited"),
        ({"data": {"repository": None}, "errors": [{"type": "FORBIDDEN", "message": "no"}]}, "forbidden"),
        ({"data": None, "errors": [{"message": "Something went wrong while executing your query"}]}, "transient"),
        ({"data": {"repository": {"issue": None}}, "errors": [{"type": "NOT_FOUND", "message": "no"}]}, "transient"),
        ([], "transient"),
    ],
)
async def test_graphql_that_fails_is_not_taken_for_one_that_says_nothing(
    server: GitHubServer, world: GitHubWorld, answer: Any, kind: str
) -> None:
    world.open_issue(APP, "Export")
    world.close_issue(APP, 1)

    def wire(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/graphql"
        return httpx.Response(200, json=answer, headers={"x-ratelimit-reset": str(int(START.timestamp()) + 600)})

    async with _around(server, wire) as http:
        watching = tracker(server, http=http)
        issue = await watching.find("#1")
        with pytest.raises(OutsideError) as raised:
            await watching.read(issue.remote_id, ref="#1")
    assert raised.value.kind == kind


async def test_a_graphql_without_the_newer_fields_is_asked_over_rest(server: GitHubServer, world: GitHubWorld) -> None:
    world.open_issue(APP, "Export")
    world.commit(APP, "Fixes #1")
    world.release(APP, "v1.0.0")
    words = "Field 'closedByPullRequestsReferences' doesn't exist on type 'Issue'"

    def wire(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"errors": [{"message": words}]})

    async with _around(server, wire) as http:
        watching = tracker(server, http=http)
        issue = await watching.find("#1")
        reading = await watching.read(issue.remote_id, ref="#1")
    assert judge(reading, Policy()).why.startswith("v1.0.0 contains")


async def test_a_linked_pull_request_we_may_not_see_hides_nothing_else(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    world.open_issue(APP, "Export")
    world.create_repository("acme/secret", private=True)
    world.branch("acme/secret", "feature")
    world.commit("acme/secret", "Work", branch="feature")
    world.open_pull("acme/secret", "feature", "Secret", body=f"Fixes {APP}#1")
    world.commit(APP, "Fixes #1")
    world.release(APP, "v1.0.0")
    world.tokens["token-narrow"] = Token("narrow", repositories={APP})
    watching = tracker(server, http=http, token="token-narrow")
    issue = await watching.find("#1")
    assert "v1.0.0 contains" in judge(await watching.read(issue.remote_id, ref="#1"), Policy()).why


def test_an_issue_closed_by_a_project_board_names_no_code() -> None:
    closed = {"__typename": "ClosedEvent", "createdAt": "2026-01-05T09:00:00Z", "closer": {"__typename": "ProjectV2"}}
    issue = {"closedByPullRequestsReferences": None, "timelineItems": {"nodes": [closed, None]}}
    assert github.parse_history({"nameWithOwner": APP, "issue": issue}).fixes("main") == []


def _around(server: GitHubServer, graphql: Any) -> httpx.AsyncClient:
    """The test GitHub with another GraphQL."""
    inner = httpx.ASGITransport(server)

    class Split(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == "/graphql":
                answer: httpx.Response = graphql(request)
                return answer
            return await inner.handle_async_request(request)

    return httpx.AsyncClient(transport=Split())


async def test_rest_finds_a_rebased_pull_request_by_its_commits(watching: GitHub, world: GitHubWorld) -> None:
    world.has_graphql = False
    issue = await issue_in(watching, world)
    world.close_issue(APP, 1)
    world.branch(APP, "feature")
    world.commit(APP, "Work", branch="feature")
    pull = world.open_pull(APP, "feature", "Repair", body="words")
    sha = world.merge_pull(APP, pull, method="rebase")
    world.edit_issue(APP, pull, body="Fixes #1")
    world.release(APP, "v1.0.0")
    reading = await watching.read(issue.remote_id, ref="#1")
    assert [change.label for change in reading.changes] == [f"PR #{pull} merged as {sha[:7]}"]


# Polling


async def test_polling_names_every_changed_issue_and_no_pull_request(watching: GitHub, world: GitHubWorld) -> None:
    ids = [str(world.issue(APP, world.open_issue(APP, f"Issue {n}")).id) for n in range(3)]
    world.branch(APP, "feature")
    world.commit(APP, "Work", branch="feature")
    world.open_pull(APP, "feature", "Repair")
    pages = await pages_of(watching)
    assert [issue for page in pages for issue in page.issues] == ids
    newest = pages[-1].cursor
    world.close_issue(APP, 2)
    later = await pages_of(watching, cursor=newest)
    assert ids[1] in later[-1].issues
    assert later[-1].cursor == github.iso(world.issue(APP, 2).updated_at)


async def test_polling_where_nothing_changed_keeps_the_cursor(watching: GitHub) -> None:
    assert await pages_of(watching, cursor="2026-02-01T00:00:00Z") == [
        IssuePage(issues=(), cursor="2026-02-01T00:00:00Z")
    ]
    assert (await pages_of(watching, cursor="not a time"))[0].cursor == github.iso(START)


async def test_polling_loses_no_issue_that_changes_while_pages_are_read(watching: GitHub, world: GitHubWorld) -> None:
    numbers = [world.open_issue(APP, f"Issue {n}") for n in range(230)]
    seen: list[str] = []
    async for page in watching.pull(cursor=None, since=START):
        seen += page.issues
        if len(seen) == 100:
            for number in numbers[:40]:
                world.edit_issue(APP, number, title="Edited")
    assert set(seen) == {str(world.issue(APP, number).id) for number in numbers}


async def test_polling_gets_through_many_issues_of_one_second(watching: GitHub, world: GitHubWorld) -> None:
    world.clock.set(START, step=timedelta(0))
    numbers = [world.open_issue(APP, f"Issue {n}") for n in range(250)]
    pages = await pages_of(watching)
    assert {issue for page in pages for issue in page.issues} == {str(world.issue(APP, n).id) for n in numbers}
    assert len(pages) < 6


async def test_the_token_follows_no_link_to_another_host() -> None:
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        item = {"id": 5, "updated_at": "2026-01-05T09:00:00Z"}
        next_page = '<https://evil.example/repos/acme/app/issues?page=2>; rel="next"'
        return httpx.Response(200, json=[item], headers={"Link": next_page} if len(hosts) < 3 else {})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        await pages_of(_mocked(http))
    assert set(hosts) == {"api.github.com"}


# Writing


async def test_creates_an_issue_that_is_found_again_by_its_marker(watching: GitHub, world: GitHubWorld) -> None:
    world.clock.advance(timedelta(days=1))
    since = world.clock.now()
    made = await watching.create(title="Export loses tables", body="A customer says so.", marker="loop-9")
    assert (made.ref, made.title, made.state) == ("#1", "Export loses tables", "open")
    assert world.issue(APP, 1).body == "A customer says so.\n\n<!-- fullcircle:loop-9 -->"
    assert await watching.find_created(marker="loop-9", since=since) == made
    assert await watching.find_created(marker="loop-8", since=since) is None


async def test_an_issue_made_although_its_answer_was_lost_is_found_and_not_made_again(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    server.faults.append(Fault("lost", method="POST", path="/issues$"))
    with pytest.raises(OutsideError) as raised:
        await watching.create(title="Export", body="x", marker="loop-9")
    assert (raised.value.kind, raised.value.in_flight) == ("unknown", True)
    found = await watching.find_created(marker="loop-9", since=START)
    assert found is not None
    assert found.ref == "#1"


async def test_a_stranger_who_copies_a_marker_is_not_believed(watching: GitHub, world: GitHubWorld) -> None:
    world.open_issue(APP, "Trap", body="<!-- fullcircle:loop-9 -->", login="stranger")
    assert await watching.find_created(marker="loop-9", since=START) is None
    issue = await watching.find("#1")
    world.comment(APP, 1, BLOCK, login="stranger")
    await watching.show(issue, block=BLOCK, handle=None)
    assert comments(world) == [("stranger", BLOCK), ("brand-bot", BLOCK)]


async def test_a_very_long_title_is_cut(watching: GitHub, world: GitHubWorld) -> None:
    made = await watching.create(title="x" * 400, body="b", marker="m")
    assert len(made.title) == 256
    assert made.title.endswith("…")


async def test_issues_switched_off_is_said_in_words(watching: GitHub, server: GitHubServer) -> None:
    server.faults.append(Fault("410", method="POST"))
    with pytest.raises(OutsideError) as raised:
        await watching.create(title="t", body="b", marker="m")
    assert error_of(raised) == (
        "misconfigured",
        "creating an issue in acme/app: issues are switched off there",
    )


async def test_shows_one_comment_and_edits_it_in_place(watching: GitHub, world: GitHubWorld) -> None:
    issue = await issue_in(watching, world)
    handle = await watching.show(issue, block=BLOCK, handle=None)
    edited = BLOCK.replace("3", "4")
    assert await watching.show(issue, block=edited, handle=handle) == handle
    assert comments(world) == [("brand-bot", edited)]


async def test_a_comment_whose_answer_was_lost_is_taken_up_among_many(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    issue = await issue_in(watching, world)
    for number in range(130):
        world.comment(APP, 1, f"Comment {number}")
    server.faults.append(Fault("lost", method="POST", path="/comments$"))
    with pytest.raises(OutsideError) as raised:
        await watching.show(issue, block=BLOCK, handle=None)
    assert raised.value.kind == "unknown"
    await watching.show(issue, block=BLOCK.replace("3", "4"), handle=None)
    ours = [body for login, body in comments(world) if login == "brand-bot"]
    assert ours == [BLOCK.replace("3", "4")]


async def test_labels_the_issue_once_and_never_puts_a_label_back(watching: GitHub, world: GitHubWorld) -> None:
    issue = await issue_in(watching, world)
    handle = await watching.show(issue, block=BLOCK, handle=None)
    assert world.issue(APP, 1).labels == ["customer-reported"]
    world.issue(APP, 1).labels.clear()
    await watching.show(issue, block=BLOCK.replace("3", "4"), handle=handle)
    assert world.issue(APP, 1).labels == []


async def test_a_label_that_cannot_be_set_keeps_no_comment_away(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    issue = await issue_in(watching, world)
    server.faults.append(Fault("500", method="POST", path="/labels"))
    handle = await watching.show(issue, block=BLOCK, handle=None)
    assert comments(world) == [("brand-bot", BLOCK)]
    assert await watching.show(issue, block=BLOCK, handle=handle) == handle


async def test_a_comment_somebody_removed_is_not_made_again(watching: GitHub, world: GitHubWorld) -> None:
    issue = await issue_in(watching, world)
    handle = await watching.show(issue, block=BLOCK, handle=None)
    world.delete_comment(APP, int(handle))
    with pytest.raises(OutsideError) as raised:
        await watching.show(issue, block=BLOCK, handle=handle)
    assert error_of(raised) == ("gone", "showing on #1 who waits: somebody removed the comment")
    assert comments(world) == []


async def change_in(watching: GitHub, world: GitHubWorld, *, squash: bool = False) -> str:
    """The pull request that closed issue 1 in a private repository, as a reading names it."""
    world.set_private(APP, private=True)
    issue = await issue_in(watching, world)
    world.branch(APP, "repair")
    world.commit(APP, "Repair", branch="repair")
    pull = world.open_pull(APP, "repair", "Repair", body="Fixes #1")
    world.merge_pull(APP, pull, method="squash" if squash else "merge")
    [change] = (await watching.read(issue.remote_id, ref="#1")).changes
    return change.pull


@pytest.mark.parametrize("has_graphql", [True, False])
async def test_a_change_names_the_pull_request_that_brought_it(
    watching: GitHub, world: GitHubWorld, *, has_graphql: bool
) -> None:
    world.has_graphql = has_graphql
    assert await change_in(watching, world, squash=True) == "http://github.test/acme/app/pull/2"
    number = world.open_issue(APP, "Closed by a commit")
    issue = await watching.find(f"#{number}")
    world.commit(APP, f"Fixes #{number}")
    [change] = (await watching.read(issue.remote_id, ref=issue.ref)).changes
    assert change.pull == ""


async def test_comments_once_on_a_pull_request_and_edits_it_in_place(watching: GitHub, world: GitHubWorld) -> None:
    change = await change_in(watching, world)
    assert await watching.find_on_change(change, text=BLOCK) is None
    handle = await watching.show_on_change(change, text=BLOCK, handle=None)
    edited = BLOCK.replace("3", "4")
    assert await watching.show_on_change(change, text=edited, handle=handle) == handle
    assert await watching.find_on_change(change, text=BLOCK) == handle
    assert comments(world, 2) == [("brand-bot", edited)]
    assert world.issue(APP, 2).labels == [], "the label is for issues"


async def test_a_comment_on_a_pull_request_whose_answer_was_lost_is_taken_up_among_many(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    change = await change_in(watching, world)
    for number in range(130):
        world.comment(APP, 2, f"Comment {number}")
    world.comment(APP, 2, BLOCK, login="stranger")
    server.faults.append(Fault("lost", method="POST", path="/comments$"))
    with pytest.raises(OutsideError) as raised:
        await watching.show_on_change(change, text=BLOCK, handle=None)
    assert (raised.value.kind, raised.value.in_flight) == ("unknown", True)
    await watching.show_on_change(change, text=BLOCK.replace("3", "4"), handle=None)
    assert [body for login, body in comments(world, 2) if login == "brand-bot"] == [BLOCK.replace("3", "4")]


async def test_a_comment_on_a_pull_request_that_somebody_removed_is_not_made_again(
    watching: GitHub, world: GitHubWorld
) -> None:
    change = await change_in(watching, world)
    handle = await watching.show_on_change(change, text=BLOCK, handle=None)
    world.delete_comment(APP, int(handle))
    with pytest.raises(OutsideError) as raised:
        await watching.show_on_change(change, text=BLOCK, handle=handle)
    assert error_of(raised) == ("gone", "saying on acme/app#2 who will be told: somebody removed the comment")


async def test_no_comment_is_made_on_a_pull_request_that_everybody_reads(watching: GitHub, world: GitHubWorld) -> None:
    """Also where the repository was private when it was last read."""
    change = await change_in(watching, world)
    world.set_private(APP, private=False)
    with pytest.raises(OutsideError) as raised:
        await watching.show_on_change(change, text=BLOCK, handle=None)
    assert error_of(raised) == (
        "forbidden",
        "saying on acme/app#2 who will be told: acme/app is public, and so would the comment be",
    )
    assert comments(world, 2) == []


async def test_a_comment_follows_its_pull_request_into_a_renamed_repository(
    watching: GitHub, world: GitHubWorld
) -> None:
    change = await change_in(watching, world)
    handle = await watching.show_on_change(change, text=BLOCK, handle=None)
    world.rename_repository(APP, to="acme/export")
    edited = BLOCK.replace("3", "4")
    assert await watching.show_on_change(change, text=edited, handle=handle) == handle
    assert [comment.body for comment in world.issue("acme/export", 2).comments] == [edited]


@pytest.mark.parametrize("change", ["http://github.test/acme/app/issues/1", "http://github.test/acme", "", "nothing"])
async def test_what_is_no_pull_requests_address_is_refused(watching: GitHub, change: str) -> None:
    with pytest.raises(OutsideError) as raised:
        await watching.show_on_change(change, text=BLOCK, handle=None)
    assert raised.value.kind == "invalid"


async def test_writes_to_a_renamed_repository_at_its_new_address(watching: GitHub, world: GitHubWorld) -> None:
    issue = await issue_in(watching, world)
    world.rename_repository(APP, to="acme/export")
    fresh = (await watching.read(issue.remote_id, ref=issue.ref)).facts
    assert fresh.ref == "#1"
    await watching.show(fresh, block=BLOCK, handle=None)
    assert len(world.issue("acme/export", 1).comments) == 1


async def test_tells_once_however_often_it_is_asked(watching: GitHub, server: GitHubServer, world: GitHubWorld) -> None:
    issue = await issue_in(watching, world)
    server.faults.append(Fault("lost", method="POST", path="/comments$"))
    with pytest.raises(OutsideError):
        await watching.tell(issue, text="Still broken", marker="notice-1")
    told = await watching.tell(issue, text="Still broken", marker="notice-1")
    assert await watching.tell(issue, text="Still broken", marker="notice-1") == told
    assert comments(world) == [("brand-bot", "Still broken\n\n<!-- fullcircle:notice-1 -->")]
    await watching.tell(issue, text="Again", marker="notice-2")
    assert len(comments(world)) == 2


async def test_a_locked_issue_is_said_to_be_locked(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    world.tokens["token-guest"] = Token("guest", is_collaborator=False)
    watching = tracker(server, http=http, token="token-guest", facts={"login": "guest"})
    issue = await issue_in(watching, world)
    world.lock_issue(APP, 1)
    with pytest.raises(OutsideError) as raised:
        await watching.tell(issue, text="x", marker="m")
    assert error_of(raised) == (
        "forbidden",
        "commenting on #1: the issue is locked, and the token may not write there",
    )
    assert (await watching.read(issue.remote_id, ref="#1")).facts.locked


async def test_a_missing_permission_is_named(server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld) -> None:
    world.tokens["token-reader"] = Token("reader", may_write=False)
    watching = tracker(server, http=http, token="token-reader", facts={"login": "reader"})
    issue = await issue_in(watching, world)
    with pytest.raises(OutsideError) as raised:
        await watching.show(issue, block=BLOCK, handle=None)
    kind, message = error_of(raised)
    assert kind == "forbidden"
    where = "http://github.test/settings/personal-access-tokens, under the token's repository permissions"
    assert message.endswith(f"The token needs Issues: write or Pull requests: write; grant it at {where}")


async def test_a_block_too_long_for_github_is_refused_as_too_long(watching: GitHub, world: GitHubWorld) -> None:
    issue = await issue_in(watching, world)
    with pytest.raises(OutsideError) as raised:
        await watching.tell(issue, text="x" * 70_000, marker="m")
    assert raised.value.kind == "too_long"


# Trouble


@pytest.mark.parametrize(
    ("effect", "seconds"), [("ratelimit", 90), ("secondary", 60), ("retry-after", 77), ("429", 60)]
)
async def test_a_rate_limit_says_when_to_come_back(
    watching: GitHub, server: GitHubServer, world: GitHubWorld, effect: str, seconds: int
) -> None:
    issue = await issue_in(watching, world)
    server.faults.append(Fault(effect, path="/comments"))
    with pytest.raises(OutsideError) as raised:
        await watching.tell(issue, text="x", marker="m")
    assert raised.value.kind == "rate_limited"
    assert raised.value.retry_at == world.clock.now() + timedelta(seconds=seconds)


@pytest.mark.parametrize("effect", ["500", "502", "503", "truncated", "html"])
async def test_after_a_broken_answer_to_a_write_nobody_knows(
    watching: GitHub, server: GitHubServer, world: GitHubWorld, effect: str
) -> None:
    issue = await issue_in(watching, world)
    server.faults.append(Fault(effect, method="POST", path="/comments"))
    with pytest.raises(OutsideError) as raised:
        await watching.tell(issue, text="x", marker="m")
    assert raised.value.kind == "unknown"


@pytest.mark.parametrize("effect", ["500", "502", "truncated", "html", "lost"])
async def test_a_broken_answer_to_a_question_is_asked_again_later(
    watching: GitHub, server: GitHubServer, world: GitHubWorld, effect: str
) -> None:
    issue = await issue_in(watching, world)
    server.faults.append(Fault(effect, method="GET", path="/issues/1$"))
    with pytest.raises(OutsideError) as raised:
        await watching.read(issue.remote_id, ref="#1")
    assert raised.value.kind == "transient"


async def test_a_slow_write_that_arrives_after_we_gave_up_is_found(server: GitHubServer, world: GitHubWorld) -> None:
    async with server.client(seconds=0.2) as http:
        watching = tracker(server, http=http)
        issue = await issue_in(watching, world)
        server.faults.append(Fault("slow", method="POST", path="/comments", seconds=1.0))
        with pytest.raises(OutsideError) as raised:
            await watching.tell(issue, text="x", marker="m")
        assert (raised.value.kind, raised.value.in_flight) == ("unknown", True)
        await watching.tell(issue, text="x", marker="m")
    assert len(comments(world)) == 1


# Webhooks


def signed(payload: Any, *, event: str, secret: str = WEBHOOK_SECRET, **headers: str) -> tuple[dict[str, str], bytes]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "guid-1",
        "X-GitHub-Hook-ID": "7",
        "X-Hub-Signature-256": f"sha256={digest}",
        **headers,
    }
    return given, body


def test_githubs_own_signature_example_is_accepted(server: GitHubServer) -> None:
    watching = tracker(server)
    documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    with pytest.raises(ValueError, match="no JSON object"):
        watching.receive(headers={"X-Hub-Signature-256": documented}, query={}, body=b"Hello, World!")


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_no_call_is_believed(server: GitHubServer, secret: str | None) -> None:
    headers, body = signed({}, event="ping", secret="")
    with pytest.raises(BadSignatureError, match="no webhook secret"):
        tracker(server, webhook_secret=secret).receive(headers=headers, query={}, body=body)


def test_a_call_that_is_not_signed_or_signed_wrongly_is_refused(server: GitHubServer) -> None:
    watching = tracker(server)
    headers, body = signed({"a": 1}, event="ping")
    unsigned = {k: v for k, v in headers.items() if k != "X-Hub-Signature-256"}
    for given, why in [
        (unsigned, "not signed"),
        ({**unsigned, "X-Hub-Signature": "sha1=abc"}, "signed with SHA-1 only"),
        ({**headers, "X-Hub-Signature-256": "sha256=" + "0" * 64}, "does not match"),
        ({**headers, "X-Hub-Signature-256": "sha256=é"}, "does not match"),
        (signed({"a": 1}, event="ping", secret="another")[0], "does not match"),
    ]:
        with pytest.raises(BadSignatureError, match=why):
            watching.receive(headers=given, query={}, body=body)


def test_a_signed_body_that_is_not_json_says_what_to_change(server: GitHubServer) -> None:
    watching = tracker(server)
    for body in (b"payload=%7B%7D", b"\xff", b"[]", b"", b"null"):
        headers, raw = signed(body, event="issues")
        with pytest.raises(ValueError, match="application/json"):
            watching.receive(headers=headers, query={}, body=raw)


@pytest.mark.parametrize(
    ("event", "payload", "everything"),
    [
        ("release", {"action": "published"}, True),
        ("release", {"action": "deleted"}, True),
        ("push", {"ref": "refs/tags/v1.0.0"}, True),
        ("push", {"ref": "refs/heads/main"}, False),
        ("create", {"ref_type": "tag"}, True),
        ("create", {"ref_type": "branch"}, False),
        ("delete", {"ref_type": "tag"}, True),
        ("pull_request", {"action": "closed"}, True),
        ("pull_request", {"action": "labeled"}, False),
        ("deployment_status", {"action": "created"}, True),
        ("repository", {"action": "privatized"}, True),
        ("ping", {"zen": "…"}, False),
        ("star", {"action": "created"}, False),
    ],
)
def test_what_an_event_asks_us_to_look_at(
    server: GitHubServer, event: str, payload: dict[str, Any], everything: bool
) -> None:
    repository = {"id": server.world.repository(APP).id, "full_name": APP}
    headers, body = signed({**payload, "repository": repository}, event=event)
    hook = tracker(server).receive(headers=headers, query={}, body=body)
    assert hook.everything is everything
    assert hook.issues == ()
    assert hook.event == (f"{event}.{payload['action']}" if "action" in payload else event)
    assert hook.key == "7:guid-1"


def test_an_event_of_another_repository_hints_at_nothing(server: GitHubServer) -> None:
    foreign = {"id": 999_999, "full_name": "acme/other"}
    for event, payload in [("issues", {"action": "closed", "issue": {"id": 5}}), ("release", {"action": "published"})]:
        headers, body = signed({**payload, "repository": foreign}, event=event)
        hook = tracker(server).receive(headers=headers, query={}, body=body)
        assert (hook.issues, hook.everything) == ((), False)


async def test_hooks_that_github_sends_name_the_issue_and_are_told_apart(
    server: GitHubServer, world: GitHubWorld
) -> None:
    world.add_hook(APP, "http://127.0.0.1:9/hook", secret=WEBHOOK_SECRET)
    number = world.open_issue(APP, "Export")
    world.commit(APP, f"Fixes #{number}")
    world.release(APP, "v1.0.0")
    watching = tracker(server)
    hooks = [watching.receive(headers=d.headers, query={}, body=d.body) for d in world.pending]
    assert [hook.event for hook in hooks] == [
        "ping",
        "issues.opened",
        "push",
        "issues.closed",
        "release.published",
        "release.released",
    ]
    assert hooks[3].issues == (str(world.issue(APP, number).id),)
    assert len({hook.key for hook in hooks}) == len(hooks)
    lowered = {name.lower(): value for name, value in world.pending[3].headers.items()}
    assert watching.receive(headers=lowered, query={}, body=world.pending[3].body) == hooks[3]
    world.redeliver(world.pending[3].id)
    again = world.pending[-1]
    assert watching.receive(headers=again.headers, query={}, body=again.body).key == hooks[3].key

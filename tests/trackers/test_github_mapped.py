"""The settings of a GitHub tracker that watches less than a repository, or more than one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from app.ports import OutsideError
from app.rules.shipping import NotYet, Policy, Shipped, judge
from app.trackers.github import MAX_FILES, GitHub, GitHubSettings, touches
from tests.support.github_app import PERMISSIONS, add_app, app_tracker
from tests.support.github_server import Fault, GitHubServer
from tests.support.github_tracker import WEBHOOK_SECRET, tracker
from tests.support.github_world import Clock, GitHubWorld, Token

APP, BACKEND = "acme/app", "acme/backend"
FIELD = "settings.mapped_repositories"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> GitHubWorld:
    made = GitHubWorld(tmp_path, clock=Clock(START))
    made.create_repository(APP)
    made.create_repository(BACKEND, private=True)
    return made


@pytest.fixture
def watching(server: GitHubServer, http: httpx.AsyncClient) -> GitHub:
    return tracker(server, http=http, mapped_repositories=BACKEND)


def connecting(server: GitHubServer, http: httpx.AsyncClient, **given: Any) -> GitHub:
    return tracker(server, http=http, facts={}, remote_id="", **given)


def fixed_in_backend(world: GitHubWorld) -> tuple[str, str]:
    """An issue of the app that a commit of the backend closed; its id and its ref."""
    number = world.open_issue(APP, "Export loses tables")
    world.commit(BACKEND, f"Repair\n\nFixes {APP}#{number}")
    return str(world.issue(APP, number).id), f"#{number}"


# What is entered


@pytest.mark.parametrize(
    ("given", "mapped"),
    [
        ("", {}),
        ("acme/backend", {"acme/backend": "*"}),
        ("acme/backend = v*\r\n\n https://github.com/acme/core.git \n", {"acme/backend": "v*", "acme/core": "*"}),
        ("acme/backend=", {"acme/backend": "*"}),
    ],
)
def test_other_repositories_are_taken_line_by_line(given: str, mapped: dict[str, str]) -> None:
    kept = GitHubSettings(repository=APP, mapped_repositories=given)
    assert kept.mapped == mapped
    assert GitHubSettings(repository=APP, mapped_repositories=kept.mapped_repositories) == kept


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("backend", "'backend': enter owner/repository"),
        ("acme/backend, acme/core", "enter owner/repository"),
        ("acme/backend\nACME/backend = v*", "ACME/backend is there already"),
        ("Acme/App", "Acme/App is there already"),
    ],
)
def test_other_repositories_that_cannot_be_are_named(given: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        GitHubSettings(repository=APP, mapped_repositories=given)


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ("", ()),
        ("/", ()),
        ("./packages/a/", ("packages/a",)),
        ("packages/a, libs//core\npackages/a", ("packages/a", "libs/core")),
    ],
)
def test_paths_are_taken_as_people_write_them(given: str, paths: tuple[str, ...]) -> None:
    kept = GitHubSettings(repository=APP, path=given)
    assert kept.paths == paths
    assert GitHubSettings(repository=APP, path=kept.path) == kept


@pytest.mark.parametrize("given", ["packages/*", "../a", "packages\\a"])
def test_a_path_is_no_pattern(given: str) -> None:
    with pytest.raises(ValidationError, match="enter a folder"):
        GitHubSettings(repository=APP, path=given)


def test_a_path_is_matched_by_whole_folders() -> None:
    assert touches(["packages/a/b.txt"], ["packages/a"])
    assert touches(["packages/a"], ["packages/a"])
    assert not touches(["packages/ab/c.txt", "x/packages/a/c.txt", "packages"], ["packages/a"])


# Connecting


async def test_connecting_reads_a_little_of_each_other_repository(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    project = await connecting(server, http, mapped_repositories=BACKEND).connect()
    assert project.name == APP
    assert project.facts["mapped_ids"] == [str(world.repository(BACKEND).id)]
    asked = {path.partition("?")[0] for _, path, _ in server.requests}
    assert {f"/repos/{BACKEND}", f"/repos/{BACKEND}/releases", f"/repos/{BACKEND}/pulls"} <= asked
    assert f"/repos/{BACKEND}/deployments" not in asked


async def test_an_other_repository_that_is_not_there_is_refused_at_its_field(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    world.tokens["token-narrow"] = Token("reader", repositories={APP})
    for token, name in (("token-brand", "acme/nothing"), ("token-narrow", BACKEND)):
        with pytest.raises(OutsideError, match=f"repository {name} does not exist, or the token may not") as raised:
            await connecting(server, http, token=token, mapped_repositories=name).connect()
        assert (raised.value.kind, raised.value.field) == ("misconfigured", FIELD)


async def test_an_other_repository_that_may_not_be_read_is_refused_with_its_name(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    app = add_app(world, APP, BACKEND, permissions={k: v for k, v in PERMISSIONS.items() if k != "pull_requests"})
    with pytest.raises(OutsideError, match=f"may not read all it takes of {BACKEND}.*Pull requests: read") as raised:
        await app_tracker(server, app, http=http, facts={}, remote_id="", mapped_repositories=BACKEND).connect()
    assert raised.value.field == FIELD


@pytest.mark.parametrize(("names", "twin"), [("acme/old", APP), (f"{BACKEND}\nacme/older", BACKEND)])
async def test_one_repository_under_two_names_is_refused(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld, names: str, twin: str
) -> None:
    for now, before in ((APP, "acme/old"), (BACKEND, "acme/older")):
        world.renamed[before] = world.repository(now).id
    with pytest.raises(OutsideError, match=f"and {twin} are one repository") as raised:
        await connecting(server, http, mapped_repositories=names).connect()
    assert raised.value.field == FIELD


async def test_github_out_of_order_is_not_blamed_on_the_field(server: GitHubServer, http: httpx.AsyncClient) -> None:
    server.faults = [Fault("502", path=f"/repos/{BACKEND}")]
    with pytest.raises(OutsideError) as raised:
        await connecting(server, http, mapped_repositories=BACKEND).connect()
    assert (raised.value.kind, raised.value.field) == ("transient", "")


# Reading


@pytest.mark.parametrize("has_graphql", [True, False])
async def test_an_other_repository_that_cannot_be_read_is_an_error_and_no_verdict(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld, has_graphql: bool
) -> None:
    world.has_graphql = has_graphql
    number = world.open_issue(APP, "Export loses tables")
    world.commit(APP, f"A part of it\n\nFixes #{number}")
    world.commit(BACKEND, f"The other part\n\nFixes {APP}#{number}")
    world.release(APP, "v1.0.0")
    world.tokens["token-narrow"] = Token("reader", repositories={APP})
    narrow = tracker(server, http=http, token="token-narrow", mapped_repositories=BACKEND)
    with pytest.raises(OutsideError, match=BACKEND):
        await narrow.read(str(world.issue(APP, number).id), ref=f"#{number}")


async def test_an_other_repository_whose_pull_requests_are_hidden_is_an_error(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    number = world.open_issue(APP, "Export loses tables")
    world.commit(APP, f"Fixes #{number}")
    world.release(APP, "v1.0.0")
    world.tokens["token-narrow"] = Token("reader", permissions={"contents": "read", "issues": "write"})
    narrow = tracker(server, http=http, token="token-narrow", mapped_repositories=BACKEND)
    with pytest.raises(OutsideError, match=rf"reading {BACKEND}.*Pull requests: read") as raised:
        await narrow.read(str(world.issue(APP, number).id), ref=f"#{number}")
    assert raised.value.kind == "forbidden"


async def test_an_open_issue_asks_nothing_of_other_repositories(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    number = world.open_issue(APP, "Export loses tables")
    await watching.read(str(world.issue(APP, number).id), ref=f"#{number}")
    assert not [path for _, path, _ in server.requests if BACKEND in path]


async def test_a_repository_made_private_takes_its_label_back(watching: GitHub, world: GitHubWorld) -> None:
    world.set_private(BACKEND, private=False)
    issue, ref = fixed_in_backend(world)
    world.release(BACKEND, "contoso-7")
    public = judge(await watching.read(issue, ref=ref), Policy())
    world.set_private(BACKEND, private=True)
    private = judge(await watching.read(issue, ref=ref), Policy())
    assert isinstance(public, Shipped)
    assert isinstance(private, Shipped)
    assert (public.public_label, private.public_label) == ("contoso-7", "")
    assert (bool(public.public_url), private.public_url) == (True, "")
    assert public.digest != private.digest


async def test_a_part_that_only_went_to_a_release_branch_there_is_no_backport_of_a_part_here(
    watching: GitHub, world: GitHubWorld
) -> None:
    world.has_graphql = False
    number = world.open_issue(APP, "Export loses tables")
    for name, base in ((APP, ""), (BACKEND, "6.x")):
        world.branch(name, "6.x")
        world.branch(name, "feature")
        world.commit(name, "Repair", branch="feature")
        world.merge_pull(name, world.open_pull(name, "feature", "Repair", body=f"Fixes {APP}#{number}", base=base))
    reading = await watching.read(str(world.issue(APP, number).id), ref=f"#{number}")
    assert [change.repository for change in reading.changes] == ["", BACKEND]


async def test_the_proof_names_the_other_repository(watching: GitHub, world: GitHubWorld) -> None:
    issue, ref = fixed_in_backend(world)
    sha = (world.git(BACKEND).resolve("main") or "")[:7]
    world.release(BACKEND, "v7.0.0")
    verdict = judge(await watching.read(issue, ref=ref), Policy())
    assert isinstance(verdict, Shipped)
    assert [line.label for line in verdict.evidence] == [
        f"{ref} closed as completed",
        f"{BACKEND} commit {sha}",
        f"{sha} contained in {BACKEND} v7.0.0",
        f"{BACKEND} v7.0.0 published",
    ]


async def test_an_issue_that_moved_to_the_other_repository_is_read_as_its_own(
    watching: GitHub, world: GitHubWorld
) -> None:
    number = world.open_issue(APP, "Export loses tables")
    issue = str(world.issue(APP, number).id)
    moved = world.transfer_issue(APP, number, to=BACKEND)
    world.commit(BACKEND, f"Fixes #{moved}")
    world.release(BACKEND, "v7.0.0")
    verdict = judge(await watching.read(issue, ref=f"#{number}"), Policy())
    assert isinstance(verdict, Shipped)
    assert verdict.label == "v7.0.0"


@pytest.mark.parametrize(("files", "counts"), [(MAX_FILES - 1, False), (MAX_FILES, True)])
async def test_a_change_whose_files_cannot_all_be_read_counts_as_touching(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld, files: int, counts: bool
) -> None:
    number = world.open_issue(APP, "Export loses tables")
    world.commit(APP, f"Fixes #{number}", files={f"packages/b/{at}.txt": "fixed\n" for at in range(files)})
    watching = tracker(server, http=http, path="packages/a")
    reading = await watching.read(str(world.issue(APP, number).id), ref=f"#{number}")
    verdict = judge(reading, Policy())
    assert isinstance(verdict, NotYet)
    assert verdict.asks is not counts
    assert len(reading.changes) == int(counts)
    assert len(reading.outside) == int(not counts)


async def test_the_files_of_a_change_are_asked_for_once(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    number = world.open_issue(APP, "Export loses tables")
    world.commit(APP, f"Fixes #{number}", files={"packages/a/b.txt": "fixed\n"})
    watching = tracker(server, http=http, path="packages/a")
    for _ in range(2):
        assert (await watching.read(str(world.issue(APP, number).id), ref=f"#{number}")).changes
    assert len([path for _, path, _ in server.requests if "/commits/" in path]) == 1


# The webhook


@pytest.mark.parametrize("settings", [BACKEND, "acme/core"])
def test_a_hook_of_an_other_repository_is_a_hint_for_everything(
    server: GitHubServer, world: GitHubWorld, settings: str
) -> None:
    """Known by its name or, where it was renamed since, by its id."""
    facts = {"mapped_ids": [str(world.repository(BACKEND).id)] if settings != BACKEND else []}
    watching = tracker(server, facts=facts, mapped_repositories=settings)
    world.create_repository("acme/other")
    for repository, is_heard in ((BACKEND, True), ("acme/other", False)):
        world.pending.clear()
        world.add_hook(repository, "http://fullcircle.test/hooks/trackers/1", secret=WEBHOOK_SECRET)
        world.release(repository, "v7.0.0")
        world.tag(repository, "v7.0.0")
        heard = [watching.receive(headers=d.headers, query={}, body=d.body) for d in world.pending]
        assert [hook.event for hook in heard] == ["ping", "release.published", "release.released", "push"]
        assert [hook.everything for hook in heard] == [False, is_heard, is_heard, is_heard]

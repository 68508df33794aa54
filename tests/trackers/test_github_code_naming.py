"""Proof for another tracker's issue: what in a repository names its key, over real git histories; and how it is looked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.ports import CodeHost, OutsideError
from app.rules.facts import IssueFacts, IssueReading, ShippedWhen
from app.rules.platforms import Platform, read_platforms
from app.rules.shipping import NotYet, Policy, Shipped, Verdict, judge
from app.trackers import github
from app.trackers.github import GitHub
from app.trackers.jira import Jira
from tests.support.github_app import add_app, app_tracker
from tests.support.github_server import Fault, GitHubServer
from tests.support.github_tracker import tracker
from tests.support.github_world import Clock, GitHubWorld

APP = "acme/app"
KEY = "ACME-12"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Team:
    """A repository whose people write the keys of their Jira."""

    def __init__(self, root: Path) -> None:
        self.world = GitHubWorld(root, clock=Clock(START))
        self.server = GitHubServer(self.world)
        self.world.create_repository(APP)
        self.git = self.world.git(APP)
        self.settings: dict[str, Any] = {}
        self.shipped_when: ShippedWhen = "release"
        self.platforms: tuple[Platform, ...] = ()
        self._branches = 0

    def commit(self, message: str = "Some work", *, branch: str = "") -> str:
        return self.world.commit(APP, message, branch=branch)

    def pull(
        self,
        title: str = f"{KEY}: repair export",
        *,
        body: str = "",
        branch: str = "",
        commits: tuple[str, ...] = ("First step", "Second step"),
        base: str = "",
        method: str = "merge",
    ) -> str:
        """A merged pull request, or with an empty method an open one; returns what it was merged as, or its head."""
        self._branches += 1
        branch = branch or f"feature-{self._branches}"
        self.world.branch(APP, branch, at=base)
        for message in commits:
            self.commit(message, branch=branch)
        self.last_pull = self.world.open_pull(APP, branch, title, body=body, base=base)
        if not method:
            return self.git.resolve(branch) or ""
        return self.world.merge_pull(APP, self.last_pull, method=method)

    def release(self, tag: str, **options: Any) -> int:
        return self.world.release(APP, tag, **options)

    def issue(self) -> IssueFacts:
        """The issue in Jira, closed just now."""
        now = self.world.clock.now()
        return IssueFacts(
            remote_id="10012",
            ref=KEY,
            title="Export loses tables",
            url="https://jira.test/browse/ACME-12",
            state="closed",
            updated_at=now,
            outcome="fixed",
            outcome_label="Fixed",
            closed_at=now,
        )

    def adapter(self, http: httpx.AsyncClient) -> GitHub:
        return tracker(self.server, http=http, **self.settings)

    async def read(self) -> IssueReading:
        async with self.server.client() as http:
            return await self.adapter(http).code_naming(
                KEY, self.issue(), shipped_when=self.shipped_when, platforms=self.platforms
            )

    async def verdict(self) -> tuple[Verdict, IssueReading]:
        reading = await self.read()
        return judge(reading, Policy(shipped_when=self.shipped_when, platforms=self.platforms)), reading


@dataclass(frozen=True)
class Says:
    """What must come out: the label of the release that ships it, or why none does; and how many parts the fix has."""

    label: str = ""
    why: str = ""
    parts: int = 1
    asks: bool = False


CASES: dict[str, Callable[[Team], Says]] = {}


def history(build: Callable[[Team], Says]) -> Callable[[Team], Says]:
    CASES[build.__name__] = build
    return build


# Where a key may stand


@history
def a_merged_pull_request_with_the_key_in_its_title(team: Team) -> Says:
    team.pull()
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def a_squashed_one_with_the_key_in_its_text(team: Team) -> Says:
    team.pull("Repair export", body=f"For {KEY}.", method="squash")
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def a_rebased_one_whose_commits_name_the_key_too(team: Team) -> Says:
    team.pull(commits=(f"{KEY} first", f"{KEY} second", "third"), method="rebase")
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def a_squashed_one_whose_commit_names_the_key_too(team: Team) -> Says:
    team.pull(commits=(f"{KEY} first", f"{KEY} second"), method="squash")
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def a_merged_one_whose_commits_name_the_key_too(team: Team) -> Says:
    team.pull(commits=(f"{KEY} first", f"{KEY} second"))
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def only_a_commit_of_a_pull_request_names_the_key(team: Team) -> Says:
    team.pull("Many things", commits=("One", f"Two, for {KEY}"), method="rebase")
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def only_the_branch_begins_with_the_key(team: Team) -> Says:
    team.pull("Repair export", branch="ACME-12-export", method="squash")
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def only_the_branch_has_the_key_somewhere_in_small_letters(team: Team) -> Says:
    team.pull("Repair export", branch="fix/ana-acme-12_export", method="squash")
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def a_commit_without_a_pull_request(team: Team) -> Says:
    team.commit(f"Repair export\n\n{KEY}")
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def a_branch_merged_without_a_pull_request(team: Team) -> Says:
    team.world.branch(APP, "acme-12")
    team.commit("A step", branch="acme-12")
    team.world.merge_branch(APP, "acme-12", into="main", message="Merge branch 'acme-12'")
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


# What is no part of it


@history
def the_key_is_the_beginning_of_another(team: Team) -> Says:
    team.pull("ACME-123: something else", branch="ACME-123")
    team.commit("MY_ACME-12 is another project's")
    team.release("v1.0.0")
    return Says(why="no commit or merged pull request of acme/app names ACME-12", parts=0, asks=True)


@history
def the_key_stands_in_a_hidden_comment_of_the_template(team: Team) -> Says:
    team.pull("Something else", body=f"<!-- the key, for instance {KEY} -->\nWords")
    team.release("v1.0.0")
    return Says(why="no commit or merged pull request", parts=0, asks=True)


@history
def nothing_names_it(team: Team) -> Says:
    team.pull("Something else")
    team.release("v1.0.0")
    return Says(why="no commit or merged pull request", parts=0, asks=True)


@history
def a_pull_request_closed_without_merging(team: Team) -> Says:
    team.pull(method="")
    team.world.close_pull(APP, team.last_pull)
    team.pull(method="squash")
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


# Several parts


@history
def two_pull_requests_and_a_release_with_both(team: Team) -> Says:
    team.pull()
    team.release("v1.0.0")
    team.pull(f"{KEY}: the rest", method="squash")
    team.release("v1.1.0")
    return Says("acme/app v1.1.0", parts=2)


@history
def two_pull_requests_and_a_release_with_one(team: Team) -> Says:
    team.pull()
    team.release("v1.0.0")
    team.pull(f"{KEY}: the rest", method="squash")
    return Says(why="holds only a part of the fix", parts=2)


@history
def a_pull_request_and_a_later_commit(team: Team) -> Says:
    team.pull()
    team.release("v1.0.0")
    team.commit(f"{KEY}: one thing was forgotten")
    return Says(why="holds only a part of the fix", parts=2)


@history
def two_commits_under_the_same_words(team: Team) -> Says:
    team.commit(f"{KEY} repair export")
    team.release("v1.0.0")
    team.commit(f"{KEY} repair export")
    return Says(why="holds only a part of the fix", parts=2)


@history
def one_that_is_still_open(team: Team) -> Says:
    team.pull()
    team.release("v1.0.0")
    team.pull(f"{KEY}: the rest", method="")
    return Says(why=f"acme/app PR #2 names {KEY} and is still open")


@history
def one_that_is_open_and_that_no_search_knows_yet(team: Team) -> Says:
    team.pull()
    team.release("v1.0.0")
    team.pull(f"{KEY}: the rest", method="")
    team.world.unindexed |= {team.last_pull}
    return Says(why=f"acme/app PR #2 names {KEY} and is still open")


@history
def parts_that_no_search_knows_yet(team: Team) -> Says:
    team.pull()
    team.release("v1.0.0")
    team.pull(f"{KEY}: the rest")
    team.world.unindexed |= {team.last_pull, team.commit(f"{KEY}: and the last of it")}
    return Says(why="holds only a part of the fix", parts=3)


@history
def an_open_one_alone(team: Team) -> Says:
    team.pull(method="")
    return Says(why=f"acme/app PR #1 names {KEY} and is still open", parts=0)


# Reverts and copies


@history
def reverted_by_git_before_the_release(team: Team) -> Says:
    sha = team.commit(f"{KEY} repair export")
    team.world.revert(APP, sha)
    team.release("v1.0.0")
    return Says(why="was reverted before acme/app v1.0.0")


@history
def reverted_by_a_pull_request_that_quotes_the_key(team: Team) -> Says:
    team.pull(method="squash")
    team.pull(f'Revert "{KEY}: repair export"', body=f"Reverts {APP}#1", method="squash")
    team.release("v1.0.0")
    return Says(why="was reverted before acme/app v1.0.0")


@history
def a_pull_request_that_took_it_out_taken_out_itself(team: Team) -> Says:
    team.pull(method="squash")
    team.pull(f'Revert "{KEY}: repair export"', body=f"Reverts {APP}#1", method="squash")
    team.pull(f'Reapply "{KEY}: repair export"', body=f"Reverts {APP}#2", method="squash")
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def reverted_by_a_pull_request_after_the_release(team: Team) -> Says:
    team.pull(method="squash")
    team.release("v1.0.0")
    team.pull(f'Revert "{KEY}: repair export"', body=f"Reverts {APP}#1", method="squash")
    team.release("v1.1.0")
    return Says("acme/app v1.0.0")


@history
def reverted_by_a_pull_request_that_says_no_number_and_done_again(team: Team) -> Says:
    team.pull(method="squash")
    team.pull(f'Revert "{KEY}: repair export"', method="squash")
    team.pull(f"{KEY}: repair export anew", method="squash")
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def reverted_by_a_pull_request_under_words_of_its_own(team: Team) -> Says:
    sha = team.pull(method="squash")
    team.world.branch(APP, "out")
    team.world.revert(APP, sha, on="out")
    number = team.world.open_pull(APP, "out", f"Back out {KEY}, it breaks login")
    team.world.merge_pull(APP, number, method="merge")
    team.release("v1.0.0")
    return Says(why="was reverted before acme/app v1.0.0")


@history
def reverted_and_done_again(team: Team) -> Says:
    sha = team.pull(method="squash")
    team.release("v1.0.0")
    team.world.revert(APP, sha)
    team.pull(f"{KEY}: repair export, without breaking login", method="squash")
    team.release("v1.1.0")
    return Says("acme/app v1.1.0")


@history
def a_revert_that_was_reverted(team: Team) -> Says:
    sha = team.commit(f"{KEY} repair export")
    team.world.revert(APP, team.world.revert(APP, sha))
    team.release("v1.0.0")
    return Says("acme/app v1.0.0")


@history
def copied_to_an_older_line_that_is_released_first(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    sha = team.pull(method="squash")
    team.world.cherry_pick(APP, sha, onto="1.x")
    team.release("v1.0.1", at="1.x")
    return Says("acme/app v1.0.1")


@history
def copied_to_an_older_line_by_a_pull_request_that_names_it_too(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    team.pull(method="squash")
    team.pull(f"{KEY}: repair export (1.x)", base="1.x", method="squash")
    team.release("v2.0.0")
    return Says("acme/app v2.0.0")


@history
def a_commit_copied_to_an_older_line_by_a_pull_request(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    sha = team.commit(f"{KEY} repair export")
    team.world.branch(APP, "copy", at="1.x")
    team.world.cherry_pick(APP, sha, onto="copy")
    number = team.world.open_pull(APP, "copy", f"{KEY} for 1.x", base="1.x")
    team.world.merge_pull(APP, number, method="squash")
    team.release("v2.0.0")
    return Says("acme/app v2.0.0")


@history
def a_commit_whose_copy_comes_home(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    sha = team.commit(f"{KEY} repair export")
    team.world.cherry_pick(APP, sha, onto="1.x", note=False)
    team.release("v2.0.0")
    team.world.merge_branch(APP, "1.x", into="main", message="Bring 1.x home")
    return Says("acme/app v2.0.0")


@history
def another_branch_and_a_commit_that_only_mentions_it(team: Team) -> Says:
    team.world.branch(APP, "develop")
    team.pull(base="develop", method="squash")
    team.commit(f"List {KEY} in the changelog")
    team.release("v1.0.0")
    return Says(why="holds only a part of the fix", parts=2)


# Releases and deployments


@history
def not_released_yet(team: Team) -> Says:
    team.release("v1.0.0")
    team.pull()
    return Says(why="no release of acme/app contains")


@history
def only_a_prerelease(team: Team) -> Says:
    team.pull()
    team.release("v1.0.0-rc.1", prerelease=True)
    return Says(why="which is only a prerelease")


@history
def a_release_of_another_product_in_the_same_repository(team: Team) -> Says:
    team.settings = {"tag_pattern": "app-*"}
    team.pull()
    team.release("docs-7")
    return Says(why="is in acme/app docs-7, which does not match app-*")


@history
def a_release_for_one_platform_of_two(team: Team) -> Says:
    team.platforms = read_platforms("iOS: ios-*\nAndroid: android-*")
    team.pull()
    team.release("android-7")
    return Says(why="acme/app android-7, which does not match ios-*")


@history
def a_release_for_each_platform(team: Team) -> Says:
    team.platforms = read_platforms("iOS: ios-*\nAndroid: android-*")
    team.pull()
    team.release("android-7")
    team.release("docs-1")
    team.release("ios-3")
    return Says("acme/app ios-3, acme/app android-7")


@history
def it_runs_in_production(team: Team) -> Says:
    team.shipped_when = "production"
    sha = team.pull(method="squash")
    team.world.deploy(APP, environment="production")
    return Says(label="", why=f"runs in production and contains {sha[:7]}")


@history
def it_runs_in_production_only_in_part(team: Team) -> Says:
    team.shipped_when = "production"
    team.pull()
    team.world.deploy(APP, environment="production")
    team.pull(f"{KEY}: the rest")
    team.release("v1.0.0")
    return Says(why="nothing of acme/app that runs in production contains", parts=2)


# Several repositories, and one of several components


@history
def a_part_in_a_mapped_repository_that_is_not_out(team: Team) -> Says:
    team.world.create_repository("acme/backend")
    team.settings = {"mapped_repositories": "acme/backend = srv-*"}
    team.pull()
    team.release("v1.0.0")
    team.world.commit("acme/backend", f"{KEY}: answer in time")
    team.world.release("acme/backend", "v9")
    return Says(why="is in acme/backend v9, which does not match srv-*", parts=2)


@history
def a_part_in_a_mapped_repository_that_is_out_as_well(team: Team) -> Says:
    team.world.create_repository("acme/backend")
    team.settings = {"mapped_repositories": "acme/backend = srv-*"}
    team.pull()
    team.release("v1.0.0")
    team.world.commit("acme/backend", f"{KEY}: answer in time")
    team.world.release("acme/backend", "srv-9")
    return Says("acme/app v1.0.0, acme/backend srv-9", parts=2)


@history
def one_still_open_in_a_mapped_repository(team: Team) -> Says:
    team.world.create_repository("acme/backend")
    team.settings = {"mapped_repositories": "acme/backend"}
    team.pull()
    team.release("v1.0.0")
    team.world.branch("acme/backend", "acme-12")
    team.world.commit("acme/backend", "A step", branch="acme-12")
    team.world.open_pull("acme/backend", "acme-12", "Answer in time")
    return Says(why=f"acme/backend PR #1 names {KEY} and is still open")


@history
def a_change_outside_the_component(team: Team) -> Says:
    team.settings = {"path": "packages/a"}
    team.pull(method="squash")
    team.release("v1.0.0")
    return Says(why="changes nothing under packages/a", parts=0, asks=True)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


@pytest.mark.parametrize("name", CASES)
async def test_what_names_the_key_is_judged_by_what_holds_it(team: Team, name: str) -> None:
    says = CASES[name](team)
    verdict, reading = await team.verdict()
    assert says.why in verdict.why, verdict
    is_out = bool(says.label) or name == "it_runs_in_production"
    assert isinstance(verdict, Shipped if is_out else NotYet), verdict
    if isinstance(verdict, Shipped):
        assert verdict.label == says.label
    if isinstance(verdict, NotYet):
        assert verdict.asks is says.asks
    assert len(reading.changes) == says.parts, reading.changes
    assert reading.facts.ref == KEY


def test_a_repository_can_prove_and_a_project_cannot() -> None:
    assert issubclass(GitHub, CodeHost)
    assert not issubclass(Jira, CodeHost)


async def test_the_proof_says_what_names_the_key_and_gives_the_public_a_version_and_no_address(team: Team) -> None:
    sha = team.pull(method="squash")
    commit = team.commit(f"{KEY} again")
    team.release("v2.4.1")
    verdict, _ = await team.verdict()
    assert isinstance(verdict, Shipped)
    assert [line.label for line in verdict.evidence] == [
        f"{KEY} closed as Fixed",
        f"acme/app PR #1 merged as {sha[:7]}, names {KEY}",
        f"acme/app commit {commit[:7]}, names {KEY}",
        f"{sha[:7]} contained in acme/app v2.4.1",
        f"{commit[:7]} contained in acme/app v2.4.1",
        "acme/app v2.4.1 published",
    ]
    assert (verdict.public_label, verdict.public_url) == ("v2.4.1", "")
    assert verdict.url


# How it is looked for


async def naming(team: Team, adapter: GitHub) -> list[str]:
    reading = await adapter.code_naming(KEY, team.issue(), shipped_when="release", platforms=())
    return [change.label.partition(",")[0].partition(" merged")[0] for change in reading.changes]


async def test_the_search_is_asked_once_an_hour_and_lists_say_what_is_new(team: Team) -> None:
    team.pull()
    async with team.server.client() as http:
        adapter = team.adapter(http)
        assert await naming(team, adapter) == ["PR #1"]
        assert team.server.searches == 3
        team.world.clock.advance(timedelta(minutes=50))
        team.pull(f"{KEY}: the rest")
        sha = team.commit(f"{KEY}: and the last of it")
        assert await naming(team, adapter) == ["PR #1", "PR #2", f"commit {sha[:7]}"]
        assert team.server.searches == 3
        team.world.clock.advance(timedelta(hours=1))
        await naming(team, adapter)
        assert team.server.searches == 6


async def test_what_the_lists_do_not_reach_the_search_finds(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.pull()
    team.pull("Repair export", branch="acme-12-export", method="squash")
    sha = team.commit(f"{KEY}: the last of it")
    team.pull("Something else")
    team.world.clock.advance(timedelta(days=40))
    monkeypatch.setattr(github, "PAGE", 1)
    monkeypatch.setattr(github, "MAX_PULL_PAGES", 1)
    async with team.server.client() as http:
        assert await naming(team, team.adapter(http)) == ["PR #1", "PR #2", f"commit {sha[:7]}"]


async def test_a_search_that_shows_not_everything_proves_nothing(team: Team) -> None:
    team.pull()
    team.release("v1.0.0")
    team.world.search_gives_up = True
    with pytest.raises(OutsideError, match="did not get to its end") as raised:
        await team.read()
    assert raised.value.kind == "transient"


async def test_a_used_up_search_waits_alone_and_until_github_says(team: Team) -> None:
    team.pull()
    team.server.searches_left = 1
    async with team.server.client() as http:
        adapter = team.adapter(http)
        for _ in range(2):
            with pytest.raises(OutsideError, match="asks us to wait until") as raised:
                await naming(team, adapter)
            assert raised.value.kind == "transient", "everything else of this GitHub goes on"
            assert raised.value.retry_at is not None
            assert raised.value.retry_at > team.world.clock.now()
        assert team.server.searches == 2, "it is not asked again before its time"
        team.server.searches_left = 30
        team.world.clock.advance(timedelta(minutes=1))
        assert await naming(team, adapter) == ["PR #1"]


@pytest.mark.parametrize(
    ("effect", "kind"), [("500", "transient"), ("secondary", "rate_limited"), ("html", "transient")]
)
async def test_a_github_that_is_down_is_an_error_and_no_proof(team: Team, effect: str, kind: str) -> None:
    team.pull()
    team.release("v1.0.0")
    for path in ("/search/issues", "/search/commits", "/pulls", "/commits"):
        team.server.faults.append(Fault(effect, path=path))
        with pytest.raises(OutsideError) as raised:
            await team.read()
        assert raised.value.kind == kind, path


async def test_a_renamed_repository_is_searched_under_its_present_name(team: Team) -> None:
    team.pull()
    team.world.rename_repository(APP, to="acme/export")
    async with team.server.client() as http:
        adapter = tracker(team.server, http=http, remote_id=str(team.world.repository("acme/export").id))
        reading = await adapter.code_naming(KEY, team.issue(), shipped_when="release", platforms=())
    assert len(reading.changes) == 1
    assert reading.code_in == "acme/export"


async def test_an_app_finds_it_as_well(team: Team) -> None:
    team.pull()
    team.release("v1.0.0")
    async with team.server.client() as http:
        adapter = app_tracker(team.server, add_app(team.world, APP), http=http)
        reading = await adapter.code_naming(KEY, team.issue(), shipped_when="release", platforms=())
    assert isinstance(judge(reading, Policy()), Shipped)

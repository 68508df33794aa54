"""Has it shipped? Real git histories, read over the test GitHub and judged; git itself says what is right."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.rules.facts import IssueReading, ShippedWhen, WithoutCode
from app.rules.platforms import read_platforms
from app.rules.shipping import Policy, Shipped, Verdict, judge
from tests.support.git_history import GitError
from tests.support.github_server import GitHubServer
from tests.support.github_tracker import tracker
from tests.support.github_world import Clock, GitHubWorld, Milestone

APP = "acme/app"
BACKEND = "acme/backend"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Team:
    """A repository with issue #1, and the people who work on it."""

    def __init__(self, root: Path) -> None:
        self.world = GitHubWorld(root, clock=Clock(START))
        self.server = GitHubServer(self.world)
        self.repository_id = str(self.world.create_repository(APP))
        self.issue = self.world.open_issue(APP, "Export loses tables")
        self.issue_id = str(self.world.issue(APP, self.issue).id)
        self.git = self.world.git(APP)
        self.tag_pattern = "*"
        self.shipped_when: ShippedWhen = "release"
        self.closed_without_code: WithoutCode = "ask"
        self.mapped = ""
        self.path = ""
        self.platforms = ""
        self._branches = 0

    def commit(self, message: str = "Some work", *, branch: str = "", files: dict[str, str] | None = None) -> str:
        return self.world.commit(APP, message, branch=branch, files=files)

    def pull(
        self,
        *,
        closes: bool = True,
        commits: int = 2,
        base: str = "",
        method: str = "merge",
        merge: bool = True,
        folder: str = "",
    ) -> str:
        """A pull request with a fix; returns what it was merged as, or its head."""
        self._branches += 1
        branch = f"feature-{self._branches}"
        self.world.branch(APP, branch, at=base)
        for number in range(commits):
            files = {f"{folder}/{branch}-{number}.txt": "fixed\n"} if folder else None
            self.commit(f"Step {number + 1} of {branch}", branch=branch, files=files)
        body = f"Fixes #{self.issue}" if closes else "Some words"
        self.last_pull = self.world.open_pull(APP, branch, f"Repair export {self._branches}", body=body, base=base)
        if not merge:
            return self.git.resolve(branch) or ""
        return self.world.merge_pull(APP, self.last_pull, method=method)

    def map_backend(self, pattern: str = "", *, private: bool = False) -> None:
        self.world.create_repository(BACKEND, private=private)
        self.mapped = f"{BACKEND} = {pattern}" if pattern else BACKEND

    def pull_in_backend(self, *, method: str = "squash", base: str = "", body: str = "") -> str:
        """A merged pull request of the other repository, by default with a fix of this one's issue."""
        self._branches += 1
        branch = f"feature-{self._branches}"
        self.world.branch(BACKEND, branch, at=base)
        for number in range(2):
            self.world.commit(BACKEND, f"Step {number + 1} of {branch}", branch=branch)
        words = body or f"Fixes {APP}#{self.issue}"
        pull = self.world.open_pull(BACKEND, branch, f"Export more {self._branches}", body=words, base=base)
        return self.world.merge_pull(BACKEND, pull, method=method)

    def close(self, reason: str | None = "completed") -> None:
        self.world.close_issue(APP, self.issue, reason=reason)

    def release(self, tag: str, **options: Any) -> int:
        return self.world.release(APP, tag, **options)

    async def read(self) -> IssueReading:
        async with self.server.client() as http:
            watching = tracker(
                self.server,
                http=http,
                remote_id=self.repository_id,
                tag_pattern=self.tag_pattern,
                shipped_when=self.shipped_when,
                closed_without_code=self.closed_without_code,
                mapped_repositories=self.mapped,
                path=self.path,
                platforms=self.platforms,
            )
            return await watching.read(self.issue_id, ref=f"#{self.issue}")

    async def verdict(self, platform: str = "") -> tuple[Verdict, IssueReading]:
        reading = await self.read()
        policy = Policy(
            shipped_when=self.shipped_when,
            tag_pattern=self.tag_pattern,
            closed_without_code=self.closed_without_code,
            platforms=read_platforms(self.platforms),
        )
        return judge(reading, policy, platform), reading

    def first_release_with(self, *shas: str, of: str = APP, pattern: str = "*") -> str | None:
        """What git and the list of releases say: the first public release that has every commit in its history."""
        public = [
            r
            for r in self.world.repository(of).releases.values()
            if not r.draft and not r.prerelease and r.published_at is not None and fnmatchcase(r.tag_name, pattern)
        ]
        for release in sorted(public, key=lambda r: r.published_at or START):
            if all(self.world.git(of).is_ancestor(sha, f"refs/tags/{release.tag_name}") for sha in shas):
                return release.tag_name
        return None

    def releases_with(self, says: Says) -> str | None:
        """What git says of every repository with a part of the fix: all their releases, or none."""
        found = [self.first_release_with(*says.fixes, pattern=self.tag_pattern)] if says.fixes else []
        if says.in_backend:
            pattern = self.mapped.partition(" = ")[2] or "*"
            tag = self.first_release_with(*says.in_backend, of=BACKEND, pattern=pattern)
            found.append(tag and f"{BACKEND} {tag}")
        return ", ".join(tag for tag in found if tag) if all(found) else None


@dataclass(frozen=True)
class Says:
    """What must come out. Without `label` given, git is asked which release first has every one of `fixes`.

    `public` is what a reply may call it, where that is the point.
    """

    fixes: tuple[str, ...] = ()
    in_backend: tuple[str, ...] = ()
    label: str | None = None
    verdict: str = ""
    why: str = ""
    by_rest_too: bool = True
    public: str | None = None


CASES: dict[str, Callable[[Team], Says]] = {}


def history(build: Callable[[Team], Says]) -> Callable[[Team], Says]:
    CASES[build.__name__] = build
    return build


# Ways to land a fix


@history
def a_second_fix_under_the_same_words_is_a_second_part(team: Team) -> Says:
    team.world.graphql = False
    first = team.commit(f"Repair export\n\nFixes #{team.issue}")
    team.release("v1.0.0")
    team.world.reopen_issue(APP, team.issue)
    second = team.commit(f"Repair export\n\nFixes #{team.issue}")
    team.release("v1.1.0")
    return Says(fixes=(first, second), label="v1.1.0")


@history
def a_merged_pull_request_in_the_next_release(team: Team) -> Says:
    sha = team.pull()
    team.release("v1.0.0")
    return Says((sha,))


@history
def a_squashed_pull_request(team: Team) -> Says:
    sha = team.pull(method="squash")
    team.release("v1.0.0")
    return Says((sha,))


@history
def a_rebased_pull_request(team: Team) -> Says:
    sha = team.pull(method="rebase")
    team.commit()
    team.release("v1.0.0")
    return Says((sha,))


@history
def a_commit_pushed_straight_to_the_default_branch(team: Team) -> Says:
    sha = team.commit(f"Repair export\n\nFixes #{team.issue}")
    team.release("v1.0.0")
    return Says((sha,))


@history
def a_commit_of_a_release_branch_that_is_merged_after_the_release(team: Team) -> Says:
    team.world.branch(APP, "hotfix")
    sha = team.commit(f"Repair export\n\nFixes #{team.issue}", branch="hotfix")
    team.release("v1.0.1", at="hotfix")
    team.world.merge_branch(APP, "hotfix", into="main", message="Bring the hotfix home")
    team.release("v1.1.0")
    return Says((sha,))


@history
def a_pull_request_linked_by_hand(team: Team) -> Says:
    sha = team.pull(closes=False)
    team.world.link_pull(APP, team.last_pull, issue=team.issue)
    team.close()
    team.release("v1.0.0")
    return Says((sha,), by_rest_too=False)


@history
def a_closing_keyword_in_a_commit_after_the_issue_was_closed_by_hand(team: Team) -> Says:
    team.close()
    sha = team.commit(f"Repair export\n\nFixes #{team.issue}")
    team.release("v1.0.0")
    return Says((sha,))


@history
def a_closing_keyword_in_an_older_release_line_and_its_copy(team: Team) -> Says:
    team.release("v1.0.0")
    team.world.branch(APP, "1.x", at="v1.0.0")
    team.close()
    sha = team.commit(f"Repair export\n\nFixes #{team.issue}")
    team.world.cherry_pick(APP, sha, onto="1.x")
    team.release("v1.0.1", at="1.x")
    team.release("v2.0.0")
    return Says(label="v1.0.1")


# Not in a release


@history
def nothing_released_since(team: Team) -> Says:
    team.release("v1.0.0")
    sha = team.pull()
    return Says((sha,), why=f"no release contains {sha[:7]} yet")


@history
def a_release_from_a_line_that_does_not_have_it(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    sha = team.pull()
    team.commit(branch="1.x")
    team.release("v1.0.1", at="1.x")
    return Says((sha,), why="no release contains")


@history
def two_lines_and_the_later_one_has_it(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    sha = team.pull(method="squash")
    team.commit(branch="1.x")
    team.release("v1.0.1", at="1.x")
    team.release("v2.0.0")
    team.commit(branch="1.x")
    team.release("v1.0.2", at="1.x")
    return Says((sha,), label="v2.0.0")


@history
def only_a_tag(team: Team) -> Says:
    sha = team.pull()
    team.world.tag(APP, "v1.0.0")
    return Says((sha,), why="no release contains")


@history
def only_a_draft(team: Team) -> Says:
    sha = team.pull()
    team.world.tag(APP, "v1.0.0")
    team.release("v1.0.0", draft=True)
    return Says((sha,), why="which is still a draft")


@history
def only_a_prerelease(team: Team) -> Says:
    sha = team.pull()
    team.release("v1.0.0-rc.1", prerelease=True)
    return Says((sha,), why="v1.0.0-rc.1, which is only a prerelease")


@history
def a_prerelease_then_a_release(team: Team) -> Says:
    sha = team.pull()
    team.release("v1.0.0-rc.1", prerelease=True)
    team.release("v1.0.0")
    return Says((sha,), label="v1.0.0")


@history
def a_prerelease_turned_into_a_release(team: Team) -> Says:
    sha = team.pull()
    number = team.release("v1.0.0", prerelease=True)
    team.world.edit_release(APP, number, prerelease=False)
    return Says((sha,), label="v1.0.0")


@history
def a_draft_made_before_the_fix_and_published_after(team: Team) -> Says:
    number = team.release("v1.0.0", draft=True)
    sha = team.pull()
    team.world.edit_release(APP, number, draft=False)
    return Says((sha,), label="v1.0.0")


@history
def a_release_that_was_deleted(team: Team) -> Says:
    sha = team.pull()
    team.world.delete_release(APP, team.release("v1.0.0"))
    return Says((sha,), why="no release contains")


@history
def a_release_turned_back_into_a_draft(team: Team) -> Says:
    sha = team.pull()
    team.world.edit_release(APP, team.release("v1.0.0"), draft=True)
    return Says((sha,), why="which is still a draft")


@history
def a_release_whose_tag_is_gone(team: Team) -> Says:
    team.pull()
    team.release("v1.0.0")
    team.world.delete_tag(APP, "v1.0.0")
    return Says(verdict="NotYet", why="could not say whether v1.0.0 contains")


@history
def a_release_of_another_component(team: Team) -> Says:
    team.tag_pattern = "app-*"
    team.pull()
    team.release("docs-1.0.0")
    return Says(verdict="NotYet", why="docs-1.0.0, which does not match app-*")


@history
def a_release_of_this_component_after_one_of_another(team: Team) -> Says:
    team.tag_pattern = "app-*"
    team.pull()
    team.release("docs-1.0.0")
    team.release("app-1.0.0")
    return Says(label="app-1.0.0")


@history
def a_tag_with_a_folder_in_its_name(team: Team) -> Says:
    sha = team.pull()
    team.release("pkg/app/v1.0.0+build.7")
    return Says((sha,), label="pkg/app/v1.0.0+build.7")


# Tags


@history
def an_annotated_tag(team: Team) -> Says:
    sha = team.pull()
    team.world.tag(APP, "v1.0.0", annotated=True)
    team.release("v1.0.0")
    return Says((sha,))


@history
def a_release_from_a_branch_whose_name_would_say_otherwise(team: Team) -> Says:
    team.world.tag(APP, "v1.0.0")
    sha = team.pull()
    team.release("v1.0.0", at="main")
    return Says((sha,), why="no release contains")


@history
def a_tag_moved_away_from_the_fix(team: Team) -> Says:
    before = team.git.resolve("main") or ""
    sha = team.pull()
    team.release("v1.0.0")
    team.world.tag(APP, "v1.0.0", at=before)
    return Says((sha,), why="no release contains")


@history
def a_tag_moved_onto_the_fix(team: Team) -> Says:
    team.release("v1.0.0")
    sha = team.pull()
    team.world.tag(APP, "v1.0.0")
    return Says((sha,), label="v1.0.0")


# Copies and reverts


@history
def a_backport_that_says_what_it_copies(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    sha = team.pull(method="squash")
    team.world.cherry_pick(APP, sha, onto="1.x")
    team.release("v1.0.1", at="1.x")
    return Says(label="v1.0.1")


@history
def a_backport_that_does_not_say_so(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    sha = team.pull(method="squash")
    team.world.cherry_pick(APP, sha, onto="1.x", note=False)
    team.release("v1.0.1", at="1.x")
    return Says((sha,), verdict="NotYet")


@history
def a_backport_of_one_commit_of_two(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    sha = team.pull(method="rebase")
    team.world.cherry_pick(APP, sha, onto="1.x")
    team.release("v1.0.1", at="1.x")
    return Says((sha,), verdict="NotYet")


@history
def a_backport_of_both_commits(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    sha = team.pull(method="rebase")
    team.world.cherry_pick(APP, f"{sha}~1", onto="1.x")
    team.world.cherry_pick(APP, sha, onto="1.x")
    team.release("v1.0.1", at="1.x")
    return Says(label="v1.0.1")


@history
def a_backported_merge(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    sha = team.pull(method="merge")
    team.world.cherry_pick(APP, sha, onto="1.x", mainline=1)
    team.release("v1.0.1", at="1.x")
    return Says(label="v1.0.1")


@history
def a_fix_that_was_reverted(team: Team) -> Says:
    sha = team.pull(method="squash")
    team.world.revert(APP, sha)
    team.release("v1.0.0")
    return Says(verdict="NotYet", why=f"{sha[:7]} was reverted before v1.0.0")


@history
def a_reverted_merge(team: Team) -> Says:
    sha = team.pull(method="merge")
    team.world.revert(APP, sha, mainline=1)
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="was reverted before v1.0.0")


@history
def a_reverted_merge_of_a_commit_with_the_keyword(team: Team) -> Says:
    team.world.branch(APP, "feature")
    sha = team.commit(f"Repair export, fixes #{team.issue}", branch="feature")
    team.commit("And more", branch="feature")
    pull = team.world.open_pull(APP, "feature", "Export")
    team.world.revert(APP, team.world.merge_pull(APP, pull), mainline=1)
    team.release("v1.0.0")
    return Says(verdict="NotYet", why=f"{sha[:7]} was reverted before v1.0.0")


@history
def one_reverted_commit_of_a_merged_pull_request(team: Team) -> Says:
    sha = team.pull(method="merge")
    team.world.revert(APP, f"{sha}^2")
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="was reverted before v1.0.0")


@history
def the_earlier_commit_of_a_rebased_pull_request_reverted(team: Team) -> Says:
    sha = team.pull(method="rebase")
    team.world.revert(APP, f"{sha}~1")
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="was reverted before v1.0.0")


@history
def a_revert_of_the_revert(team: Team) -> Says:
    sha = team.pull(method="squash")
    team.world.revert(APP, team.world.revert(APP, sha))
    team.release("v1.0.0")
    return Says((sha,), label="v1.0.0")


@history
def a_revert_after_the_release(team: Team) -> Says:
    sha = team.pull(method="squash")
    team.release("v1.0.0")
    team.world.revert(APP, sha)
    team.release("v1.1.0")
    return Says((sha,), label="v1.0.0")


@history
def a_reverted_fix_and_a_new_one(team: Team) -> Says:
    first = team.pull(method="squash")
    team.world.revert(APP, first)
    team.world.reopen_issue(APP, team.issue)
    second = team.pull(method="squash")
    team.release("v1.0.0")
    return Says((second,), label="v1.0.0")


# Several fixes, and none


@history
def two_fixes_in_two_releases(team: Team) -> Says:
    first = team.pull(method="squash")
    team.release("v1.0.0")
    second = team.pull(method="squash")
    team.release("v1.1.0")
    return Says((first, second), label="v1.1.0")


@history
def only_one_of_two_fixes(team: Team) -> Says:
    team.pull(method="squash")
    team.release("v1.0.0")
    second = team.pull(method="squash")
    return Says(verdict="NotYet", why=f"holds only a part of the fix: {second[:7]} is missing")


@history
def closed_by_hand_with_the_next_release_allowed_to_stand_in(team: Team) -> Says:
    team.closed_without_code = "next_release"
    team.release("v1.0.0")
    team.close()
    team.release("v1.0.1-rc.1", prerelease=True)
    team.release("v1.1.0")
    team.release("v1.2.0")
    return Says(label="v1.1.0")


@history
def closed_by_hand_before_any_release_that_may_stand_in(team: Team) -> Says:
    team.closed_without_code = "next_release"
    team.release("v1.0.0")
    team.close()
    return Says(verdict="NotYet", why="waiting for the next release")


@history
def linked_code_is_looked_for_in_releases_whatever_may_stand_in(team: Team) -> Says:
    team.closed_without_code = "next_release"
    team.world.branch(APP, "1.x")
    sha = team.pull(method="squash")
    team.release("v1.0.1", at="1.x")
    return Says(verdict="NotYet", why=f"no release contains {sha[:7]} yet")


@history
def closed_by_hand_with_its_milestone_closed(team: Team) -> Says:
    team.closed_without_code = "milestone"
    team.world.issue(APP, team.issue).milestone = Milestone(3, "1.1", closed_at=START)
    team.close()
    return Says(label="1.1")


@history
def closed_by_hand_with_its_milestone_still_open(team: Team) -> Says:
    team.closed_without_code = "milestone"
    team.world.issue(APP, team.issue).milestone = Milestone(3, "1.1")
    team.close()
    return Says(verdict="NotYet", why="milestone 1.1 is still open")


@history
def a_backport_pull_request_beside_the_fix(team: Team) -> Says:
    team.world.branch(APP, "1.x")
    sha = team.pull(method="squash")
    team.pull(closes=False, base="1.x", method="squash")
    team.world.link_pull(APP, team.last_pull, issue=team.issue)
    team.release("v2.0.0")
    return Says((sha,), label="v2.0.0")


@history
def a_pull_request_that_is_not_merged(team: Team) -> Says:
    team.pull(merge=False)
    team.close()
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="no commit or merged pull request is linked")


@history
def a_pull_request_that_was_closed_unmerged(team: Team) -> Says:
    team.pull(merge=False)
    team.world.close_pull(APP, team.last_pull)
    team.close()
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="no commit or merged pull request is linked")


@history
def a_pull_request_of_another_repository(team: Team) -> Says:
    team.world.create_repository("acme/other")
    team.world.branch("acme/other", "feature")
    team.world.commit("acme/other", "Elsewhere", branch="feature")
    number = team.world.open_pull("acme/other", "feature", "Elsewhere", body=f"Fixes {APP}#{team.issue}")
    team.world.merge_pull("acme/other", number)
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="no commit or merged pull request is linked")


@history
def a_commit_of_another_repository(team: Team) -> Says:
    team.world.create_repository("acme/other")
    team.world.commit("acme/other", f"Fixes {APP}#{team.issue}")
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="no commit or merged pull request is linked")


@history
def a_pull_request_that_only_mentions_the_issue(team: Team) -> Says:
    team.pull(closes=False)
    team.world.edit_issue(APP, team.last_pull, body=f"See #{team.issue}")
    team.close()
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="no commit or merged pull request is linked")


@history
def a_pull_request_whose_link_was_taken_back(team: Team) -> Says:
    team.pull(closes=False)
    team.world.link_pull(APP, team.last_pull, issue=team.issue)
    team.world.unlink_pull(APP, team.last_pull, issue=team.issue, still_listed=True)
    team.close()
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="no commit or merged pull request is linked")


@history
def closed_without_any_code(team: Team) -> Says:
    team.commit("Something else")
    team.close()
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="no commit or merged pull request is linked")


@history
def closed_without_any_code_where_closing_is_enough(team: Team) -> Says:
    team.shipped_when = "closed"
    team.close()
    return Says(verdict="Shipped", label="")


@history
def a_revert_that_quotes_the_closing_keyword(team: Team) -> Says:
    team.close()
    sha = team.commit(f"Repair export, fixes #{team.issue}", branch="elsewhere")
    team.world.branch(APP, "again", at="elsewhere")
    team.world.revert(APP, sha, on="again")
    team.world.merge_branch(APP, "again", into="main", message="Nothing in the end")
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="was reverted before v1.0.0")


# Changes in a mapped repository


@history
def a_fix_in_the_mapped_repository_alone(team: Team) -> Says:
    team.map_backend()
    sha = team.pull_in_backend()
    team.release("v1.0.0")
    team.world.release(BACKEND, "v7.0.0")
    return Says(in_backend=(sha,), label=f"{BACKEND} v7.0.0", public="v7.0.0")


@history
def a_fix_in_the_mapped_repository_that_is_not_released_there(team: Team) -> Says:
    team.map_backend()
    team.world.release(BACKEND, "v7.0.0")
    sha = team.pull_in_backend()
    team.release("v1.0.0")
    return Says(in_backend=(sha,), why=f"no release of {BACKEND} contains {sha[:7]} yet")


@history
def a_fix_in_both_and_one_is_out(team: Team) -> Says:
    team.map_backend()
    there = team.pull_in_backend()
    here = team.pull(method="squash")
    team.release("v1.0.0")
    return Says(
        (here,), (there,), verdict="NotYet", why=f"closed, but no release of {BACKEND} contains {there[:7]} yet"
    )


@history
def a_fix_in_both_and_the_mapped_one_is_out(team: Team) -> Says:
    team.map_backend()
    here, there = team.pull(), team.pull_in_backend()
    team.world.release(BACKEND, "v7.0.0")
    return Says((here,), (there,), verdict="NotYet", why=f"closed, but no release contains {here[:7]} yet")


@history
def a_fix_in_both_and_none_is_out(team: Team) -> Says:
    team.map_backend()
    here, there = team.pull(), team.pull_in_backend()
    both = f"no release contains {here[:7]} yet; but no release of {BACKEND} contains {there[:7]} yet"
    return Says((here,), (there,), why=both)


@history
def a_fix_in_both_and_both_are_out(team: Team) -> Says:
    team.map_backend()
    here, there = team.pull(), team.pull_in_backend(method="rebase")
    team.release("v1.0.0")
    team.world.release(BACKEND, "v7.0.0")
    team.world.release(BACKEND, "v7.1.0")
    return Says((here,), (there,), label=f"v1.0.0, {BACKEND} v7.0.0", public="v1.0.0")


@history
def a_fix_in_the_mapped_repository_under_tags_of_its_own(team: Team) -> Says:
    team.map_backend("server-*")
    team.tag_pattern = "v*"
    here, there = team.pull(), team.pull_in_backend()
    team.release("v1.0.0")
    team.world.release(BACKEND, "v7.0.0")
    team.world.release(BACKEND, "server-7")
    return Says((here,), (there,), label=f"v1.0.0, {BACKEND} server-7")


@history
def only_a_release_of_the_mapped_repository_under_another_tag(team: Team) -> Says:
    team.map_backend("server-*")
    sha = team.pull_in_backend()
    team.world.release(BACKEND, "v7.0.0")
    return Says(in_backend=(sha,), why=f"is in {BACKEND} v7.0.0, which does not match server-*")


@history
def only_a_prerelease_of_the_mapped_repository(team: Team) -> Says:
    team.map_backend()
    team.pull_in_backend()
    team.world.release(BACKEND, "v7.0.0-rc.1", prerelease=True)
    return Says(verdict="NotYet", why=f"{BACKEND} v7.0.0-rc.1, which is only a prerelease")


@history
def a_backport_in_the_mapped_repository(team: Team) -> Says:
    team.map_backend()
    team.world.branch(BACKEND, "6.x")
    sha = team.pull_in_backend()
    team.world.cherry_pick(BACKEND, sha, onto="6.x")
    team.world.release(BACKEND, "v6.0.1", at="6.x")
    return Says(label=f"{BACKEND} v6.0.1")


@history
def a_fix_that_was_reverted_in_the_mapped_repository(team: Team) -> Says:
    team.map_backend()
    team.pull()
    there = team.pull_in_backend()
    team.world.revert(BACKEND, there)
    team.release("v1.0.0")
    team.world.release(BACKEND, "v7.0.0")
    return Says(verdict="NotYet", why=f"{there[:7]} was reverted before {BACKEND} v7.0.0")


@history
def a_tag_of_the_mapped_repository_moved_away_from_the_fix(team: Team) -> Says:
    team.map_backend()
    before = team.world.git(BACKEND).resolve("main") or ""
    sha = team.pull_in_backend()
    team.world.release(BACKEND, "v7.0.0")
    team.world.tag(BACKEND, "v7.0.0", at=before)
    return Says(in_backend=(sha,), why=f"no release of {BACKEND} contains")


@history
def a_backport_pull_request_in_the_mapped_repository_beside_the_fix(team: Team) -> Says:
    team.map_backend()
    team.world.branch(BACKEND, "6.x")
    sha = team.pull_in_backend()
    team.pull_in_backend(base="6.x")
    team.world.release(BACKEND, "v7.0.0")
    return Says(in_backend=(sha,), label=f"{BACKEND} v7.0.0")


@history
def a_commit_of_the_mapped_repository(team: Team) -> Says:
    team.map_backend()
    sha = team.world.commit(BACKEND, f"Fixes {APP}#{team.issue}")
    team.world.release(BACKEND, "v7.0.0")
    return Says(in_backend=(sha,), label=f"{BACKEND} v7.0.0")


@history
def a_mapped_pull_request_that_closes_an_issue_of_the_same_number_there(team: Team) -> Says:
    team.map_backend()
    team.world.open_issue(BACKEND, "Something else")
    team.pull_in_backend(body=f"Fixes #1, see {APP}#{team.issue}")
    team.close()
    team.world.release(BACKEND, "v7.0.0")
    return Says(verdict="NotYet", why="no commit or merged pull request is linked")


@history
def a_link_taken_back_here_from_a_pull_request_of_the_same_number_there(team: Team) -> Says:
    team.map_backend()
    team.pull(closes=False)
    team.world.link_pull(APP, team.last_pull, issue=team.issue)
    team.world.unlink_pull(APP, team.last_pull, issue=team.issue, still_listed=True)
    while team.world.repository(BACKEND).next_number < team.last_pull:
        team.world.open_issue(BACKEND, "Something else")
    there = team.pull_in_backend()
    team.world.release(BACKEND, "v7.0.0")
    return Says(in_backend=(there,), label=f"{BACKEND} v7.0.0")


@history
def a_private_mapped_repository_whose_tag_says_a_name(team: Team) -> Says:
    team.map_backend(private=True)
    team.pull_in_backend()
    team.world.release(BACKEND, "contoso-7")
    return Says(label=f"{BACKEND} contoso-7", public="")


@history
def a_private_mapped_repository_whose_tag_looks_like_a_version(team: Team) -> Says:
    team.map_backend(private=True)
    team.pull_in_backend()
    team.world.release(BACKEND, "v7.0.0")
    return Says(label=f"{BACKEND} v7.0.0", public="v7.0.0")


@history
def a_private_mapped_repository_beside_the_public_one(team: Team) -> Says:
    team.map_backend(private=True)
    team.pull()
    team.pull_in_backend()
    team.release("summer")
    team.world.release(BACKEND, "contoso-7")
    return Says(label=f"summer, {BACKEND} contoso-7", public="summer")


@history
def a_private_repository_and_a_public_mapped_one(team: Team) -> Says:
    team.map_backend()
    team.world.set_private(APP, private=True)
    team.pull()
    team.pull_in_backend()
    team.release("contoso")
    team.world.release(BACKEND, "v7.0.0")
    return Says(label=f"contoso, {BACKEND} v7.0.0", public="")


@history
def another_repository_beside_the_mapped_one(team: Team) -> Says:
    team.map_backend()
    team.world.create_repository("acme/other")
    team.world.commit("acme/other", f"Fixes {APP}#{team.issue}")
    team.world.release("acme/other", "v1.0.0")
    return Says(verdict="NotYet", why="no commit or merged pull request is linked")


@history
def a_mapped_repository_that_was_renamed(team: Team) -> Says:
    team.map_backend()
    team.pull_in_backend()
    team.world.release(BACKEND, "v7.0.0")
    team.world.rename_repository(BACKEND, to="acme/core")
    return Says(label="acme/core v7.0.0")


@history
def a_mapped_repository_that_runs_in_production(team: Team) -> Says:
    team.shipped_when = "production"
    team.map_backend()
    team.pull()
    team.pull_in_backend()
    team.world.deploy(APP, environment="production")
    team.world.deploy(BACKEND, environment="production")
    return Says(verdict="Shipped", label="", why=f"; {BACKEND} ")


@history
def a_mapped_repository_that_was_rolled_back_in_production(team: Team) -> Says:
    team.shipped_when = "production"
    team.map_backend()
    team.pull()
    there = team.pull_in_backend()
    team.world.deploy(APP, environment="production")
    team.world.deploy(BACKEND, environment="production")
    team.world.deploy(BACKEND, environment="production", at=f"{there}^1")
    return Says(verdict="NotYet", why=f"nothing of {BACKEND} that runs in production contains {there[:7]}")


# One component of a repository of several


@history
def a_pull_request_under_the_path(team: Team) -> Says:
    team.path = "packages/a"
    sha = team.pull(folder="packages/a/src")
    team.release("v1.0.0")
    return Says((sha,))


@history
def a_squashed_pull_request_under_the_path(team: Team) -> Says:
    team.path = "packages/a"
    sha = team.pull(method="squash", folder="packages/a")
    team.release("v1.0.0")
    return Says((sha,))


@history
def a_rebased_pull_request_whose_first_commit_alone_is_under_the_path(team: Team) -> Says:
    team.path = "packages/a"
    team.world.branch(APP, "feature")
    team.commit("One", branch="feature", files={"packages/a/one.txt": "fixed\n"})
    team.commit("Two", branch="feature", files={"packages/b/two.txt": "fixed\n"})
    pull = team.world.open_pull(APP, "feature", "Export", body=f"Fixes #{team.issue}")
    sha = team.world.merge_pull(APP, pull, method="rebase")
    team.release("v1.0.0")
    return Says((sha,))


@history
def a_pull_request_beside_the_path(team: Team) -> Says:
    team.path = "packages/a"
    team.pull(folder="packages/ab")
    team.release("v1.0.0")
    return Says(verdict="NotYet", why=f"closed, but PR #{team.last_pull} merged as ")


@history
def a_commit_beside_all_of_the_paths(team: Team) -> Says:
    team.path = "packages/a, libs/core/"
    sha = team.commit(f"Fixes #{team.issue}", files={"docs/a.md": "fixed\n"})
    team.release("v1.0.0")
    why = f"closed, but commit {sha[:7]} changes nothing under packages/a or libs/core"
    return Says(verdict="NotYet", why=why)


@history
def a_commit_under_one_of_the_paths(team: Team) -> Says:
    team.path = "packages/a\nlibs/core/"
    sha = team.commit(f"Fixes #{team.issue}", files={"docs/a.md": "fixed\n", "libs/core/b.txt": "fixed\n"})
    team.release("v1.0.0")
    return Says((sha,))


@history
def a_file_moved_out_of_the_path(team: Team) -> Says:
    team.path = "packages/a"
    team.commit("Before", files={"packages/a/export.txt": "a\nlong\ntext\n"})
    team.world.branch(APP, "feature")
    sha = team.git.commit(
        "Move", branch="feature", files={"packages/b/export.txt": "a\nlong\ntext\n"}, without="packages/a/export.txt"
    )
    pull = team.world.open_pull(APP, "feature", "Export", body=f"Fixes #{team.issue}")
    assert team.git.changed_files(f"{sha}^", sha) == [("renamed", "packages/b/export.txt", "packages/a/export.txt")]
    landed = team.world.merge_pull(APP, pull)
    team.release("v1.0.0")
    return Says((landed,))


@history
def two_fixes_of_which_one_is_under_the_path(team: Team) -> Says:
    team.path = "packages/a"
    inside = team.pull(method="squash", folder="packages/a")
    team.release("v1.0.0")
    team.pull(method="squash", folder="packages/b")
    return Says((inside,), label="v1.0.0")


@history
def a_fix_beside_the_path_where_closing_is_enough(team: Team) -> Says:
    team.path, team.shipped_when = "packages/a", "closed"
    team.pull(folder="packages/b")
    return Says(verdict="NotYet", why="nothing under packages/a")


@history
def a_fix_under_the_path_where_closing_is_enough(team: Team) -> Says:
    team.path, team.shipped_when = "packages/a", "closed"
    team.pull(folder="packages/a")
    return Says(verdict="Shipped", label="")


@history
def a_fix_beside_the_path_and_one_in_the_mapped_repository(team: Team) -> Says:
    team.path = "packages/a"
    team.map_backend()
    team.pull(folder="packages/b")
    there = team.pull_in_backend()
    team.world.release(BACKEND, "v7.0.0")
    return Says(in_backend=(there,), label=f"{BACKEND} v7.0.0")


@history
def a_component_by_its_path_and_its_tags(team: Team) -> Says:
    team.path, team.tag_pattern = "packages/a", "pkg-a@*"
    sha = team.pull(method="squash", folder="packages/a")
    team.release("pkg-b@3.0.0")
    team.release("pkg-a@1.1.0")
    team.release("pkg-b@3.1.0")
    assert team.git.is_ancestor(sha, "refs/tags/pkg-b@3.0.0")
    return Says((sha,), label="pkg-a@1.1.0")


@history
def a_component_whose_fix_is_only_in_releases_of_others(team: Team) -> Says:
    team.path, team.tag_pattern = "packages/a", "pkg-a/v*"
    sha = team.pull(method="squash", folder="packages/a")
    team.release("pkg-b/v3.0.0")
    return Says((sha,), why="pkg-b/v3.0.0, which does not match pkg-a/v*")


@history
def a_fix_of_another_component(team: Team) -> Says:
    team.path, team.tag_pattern = "packages/a", "pkg-a@*"
    team.pull(folder="packages/b")
    team.release("pkg-b@3.0.0")
    team.release("pkg-a@1.1.0")
    return Says(verdict="NotYet", why="changes nothing under packages/a")


# Production


@history
def released_but_not_deployed(team: Team) -> Says:
    team.shipped_when = "production"
    sha = team.pull()
    team.release("v1.0.0")
    team.world.deploy(APP, environment="production", at=f"{sha}^1")
    return Says(verdict="NotYet", why="nothing that runs in production contains")


@history
def deployed_to_production(team: Team) -> Says:
    team.shipped_when = "production"
    team.pull()
    team.world.deploy(APP, environment="production")
    return Says(verdict="Shipped", label="", why="runs in production and contains")


@history
def deployed_to_staging_only(team: Team) -> Says:
    team.shipped_when = "production"
    team.pull()
    team.world.deploy(APP, environment="staging", production=False)
    return Says(verdict="NotYet", why="nothing that runs in production contains")


@history
def a_deployment_that_failed(team: Team) -> Says:
    team.shipped_when = "production"
    team.pull()
    team.world.deploy(APP, environment="production", state="failure")
    return Says(verdict="NotYet", why="nothing that runs in production contains")


@history
def rolled_back_by_deploying_an_older_commit(team: Team) -> Says:
    team.shipped_when = "production"
    sha = team.pull()
    team.world.deploy(APP, environment="production")
    team.world.deploy(APP, environment="production", at=f"{sha}^1")
    return Says(verdict="NotYet", why="nothing that runs in production contains")


@history
def a_failed_deployment_after_one_that_runs(team: Team) -> Says:
    team.shipped_when = "production"
    team.pull()
    team.world.deploy(APP, environment="production")
    team.commit()
    team.world.deploy(APP, environment="production", state="error")
    return Says(verdict="Shipped", label="", why="runs in production and contains")


@history
def deployed_and_reverted_before(team: Team) -> Says:
    team.shipped_when = "production"
    sha = team.pull(method="squash")
    team.world.revert(APP, sha)
    team.world.deploy(APP, environment="production")
    return Says(verdict="NotYet", why="nothing that runs in production contains")


# The issue's own state


@history
def still_open(team: Team) -> Says:
    team.pull(closes=False)
    team.release("v1.0.0")
    return Says(verdict="NotYet", why="#1 is still open")


@history
def reopened_after_the_release(team: Team) -> Says:
    team.pull()
    team.release("v1.0.0")
    team.world.reopen_issue(APP, team.issue)
    return Says(verdict="NotYet", why="#1 is reopened")


@history
def reopened_and_fixed_again(team: Team) -> Says:
    first = team.pull(method="squash")
    team.release("v1.0.0")
    team.world.reopen_issue(APP, team.issue)
    second = team.pull(method="squash")
    team.release("v1.1.0")
    return Says((first, second), label="v1.1.0")


@history
def reopened_and_fixed_again_by_a_commit(team: Team) -> Says:
    team.commit(f"Fixes #{team.issue}")
    team.release("v1.0.0")
    team.world.reopen_issue(APP, team.issue)
    second = team.commit(f"Really fixes #{team.issue}")
    team.release("v1.1.0")
    return Says((second,), label="v1.1.0")


@history
def reopened_by_mistake_and_closed_again(team: Team) -> Says:
    sha = team.commit(f"Fixes #{team.issue}")
    team.release("v1.0.0")
    team.world.reopen_issue(APP, team.issue)
    team.close()
    return Says((sha,), label="v1.0.0")


@history
def closed_as_not_planned_although_a_fix_is_out(team: Team) -> Says:
    team.pull(closes=False)
    team.release("v1.0.0")
    team.close("not_planned")
    return Says(verdict="NotFixed", why="closed as not planned")


@history
def closed_as_a_duplicate(team: Team) -> Says:
    other = team.world.open_issue(APP, "The same")
    team.world.mark_duplicate(APP, team.issue, of=other)
    return Says(verdict="NotFixed", why="closed as a duplicate of #2", by_rest_too=False)


@history
def closed_as_a_duplicate_of_an_issue_elsewhere(team: Team) -> Says:
    team.world.create_repository("acme/other")
    other = team.world.open_issue("acme/other", "The same")
    team.world.mark_duplicate(APP, team.issue, of=other, of_repository="acme/other")
    return Says(verdict="NotFixed", why="duplicate of acme/other#1", by_rest_too=False)


@history
def closed_without_a_reason(team: Team) -> Says:
    team.close(None)
    return Says(verdict="NotFixed", why="does not say whether it is fixed")


@history
def converted_to_a_discussion(team: Team) -> Says:
    team.world.convert_to_discussion(APP, team.issue)
    return Says(verdict="Gone", why="converted to a discussion")


@history
def deleted(team: Team) -> Says:
    team.world.delete_issue(APP, team.issue)
    return Says(verdict="Gone", why="deleted")


@history
def transferred_to_another_repository_and_fixed_there(team: Team) -> Says:
    team.world.create_repository("acme/core")
    moved = team.world.transfer_issue(APP, team.issue, to="acme/core")
    team.world.commit("acme/core", f"Fixes #{moved}")
    team.world.release("acme/core", "core-3.0")
    return Says(label="core-3.0")


@history
def a_renamed_repository(team: Team) -> Says:
    team.pull()
    team.release("v1.0.0")
    team.world.rename_repository(APP, to="acme/export")
    return Says(label="v1.0.0")


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


@pytest.mark.parametrize("name", CASES)
async def test_every_history_is_judged_as_git_says(team: Team, name: str) -> None:
    says = CASES[name](team)
    for has_graphql in (True, False) if says.by_rest_too else (True,):
        team.world.has_graphql = has_graphql
        verdict, reading = await team.verdict()
        how = f"{verdict} by {'GraphQL' if has_graphql else 'REST'}"
        label = says.label
        if (says.fixes or says.in_backend) and not says.verdict and label is None:
            label = team.releases_with(says)
        expected = says.verdict or ("NotYet" if label is None else "Shipped")
        assert type(verdict).__name__ == expected, how
        assert says.why in verdict.why, how
        if isinstance(verdict, Shipped):
            assert verdict.label == label, how
            assert says.public in {None, verdict.public_label}, how
        for containment in reading.containments:
            holder = next(h for h in (*reading.releases, *reading.deployments) if h.remote_id == containment.release_id)
            if containment.answer == "no":
                git = team.world.git(holder.repository or APP)
                assert not git.is_ancestor(containment.sha, holder.sha), how


def test_there_are_histories_enough() -> None:
    assert len(CASES) >= 25


# Histories nobody thought of

WHOLE_STEPS = [
    "work",
    "work on 1.x",
    "copy",
    "revert",
    "revert a revert",
    "merge 1.x",
    "release",
    "release 1.x",
    "prerelease",
    "draft",
    "delete",
]
STEPS = st.lists(st.sampled_from([*WHOLE_STEPS, "copy a part", "revert a part"]), min_size=1, max_size=9)


class Wanderer:
    """Does things to a repository in any order, where git lets it; knows what is fixed by the files alone."""

    def __init__(self, team: Team, method: str, repository: str = APP) -> None:
        self.team, self.versions, self.reverts = team, 0, list[str]()
        self.repository = repository
        closing = f"Fixes {APP}#{team.issue}"
        team.world.branch(repository, "1.x")
        self.files = ["fix/one.txt", "fix/two.txt"]
        if method == "direct":
            files = dict.fromkeys(self.files, "fixed\n")
            self.sha = team.world.commit(repository, f"Repair\n\n{closing}", files=files)
            self.parts = [self.sha]
            return
        team.world.branch(repository, "feature")
        if method == "keyword":
            files = dict.fromkeys(self.files, "fixed\n")
            self.parts = [team.world.commit(repository, f"Repair\n\n{closing}", branch="feature", files=files)]
            team.world.commit(repository, "And more", branch="feature")
            self.sha = team.world.merge_pull(repository, team.world.open_pull(repository, "feature", "Repair"))
            self.mainline = 1
            return
        for path in self.files:
            team.world.commit(repository, f"Add {path}", branch="feature", files={path: "fixed\n"})
        team.world.commit(repository, "Meanwhile")
        number = team.world.open_pull(repository, "feature", "Repair", body=closing)
        self.sha = team.world.merge_pull(repository, number, method=method)
        merged = {
            "squash": [self.sha],
            "rebase": [f"{self.sha}~1", self.sha],
            "merge": [f"{self.sha}^2~1", f"{self.sha}^2"],
        }
        self.parts = [team.world.git(repository).resolve(part) or "" for part in merged[method]]
        self.mainline = 1 if method == "merge" else 0

    mainline = 0

    def do(self, step: str, pick: int) -> None:
        world = self.team.world
        part = self.parts[pick % len(self.parts)]
        with contextlib.suppress(GitError):  # what git refuses, nobody could have done
            match step:
                case "work":
                    world.commit(self.repository, "Some work")
                case "work on 1.x":
                    world.commit(self.repository, "Some work", branch="1.x")
                case "copy" if self.sha in self.parts and len(self.parts) == 2:
                    for one in self.parts:
                        world.cherry_pick(self.repository, one, onto="1.x")
                case "copy" if len(self.parts) == 1:
                    world.cherry_pick(self.repository, part, onto="1.x")
                case "copy":
                    world.cherry_pick(self.repository, self.sha, onto="1.x", mainline=self.mainline)
                case "copy a part":
                    world.cherry_pick(self.repository, part, onto="1.x")
                case "revert":
                    self.reverts.append(world.revert(self.repository, self.sha, mainline=self.mainline))
                case "revert a part":
                    self.reverts.append(world.revert(self.repository, part))
                case "revert a revert" if self.reverts:
                    self.reverts.append(world.revert(self.repository, self.reverts[pick % len(self.reverts)]))
                case "merge 1.x":
                    world.merge_branch(self.repository, "1.x", into="main", message="Bring 1.x home")
                case "release" | "release 1.x" | "prerelease" | "draft":
                    self.versions += 1
                    at = "1.x" if step == "release 1.x" else "main"
                    options: dict[str, bool] = {"draft": step == "draft", "prerelease": step == "prerelease"}
                    world.release(self.repository, f"v1.{self.versions}", at=at, **options)
                case "delete" if releases := list(world.repository(self.repository).releases):
                    world.delete_release(self.repository, releases[pick % len(releases)])

    def first_release_with_the_files(self) -> str | None:
        public = [
            r
            for r in self.team.world.repository(self.repository).releases.values()
            if not r.draft and not r.prerelease and r.published_at is not None
        ]
        for release in sorted(public, key=lambda r: r.published_at or START):
            if self.has_all_files(release.tag_name):
                return release.tag_name
        return None

    def has_all_files(self, tag: str) -> bool:
        """Whether the whole fix is in the tag's tree."""
        return all(self.team.world.git(self.repository).holds_file(f"refs/tags/{tag}", path) for path in self.files)


@pytest.mark.parametrize("method", ["direct", "keyword", "merge", "squash", "rebase"])
@example(steps=["copy a part", "revert", "merge 1.x", "release"], picks=[1, 0, 0, 0, 0, 0, 0, 0, 0], has_graphql=False)
@given(steps=STEPS, picks=st.lists(st.integers(0, 5), min_size=9, max_size=9), has_graphql=st.booleans())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_in_any_history_the_files_of_the_release_agree(
    tmp_path_factory: pytest.TempPathFactory, method: str, steps: list[str], picks: list[int], has_graphql: bool
) -> None:
    team = Team(tmp_path_factory.mktemp("wandering"))
    wanderer = Wanderer(team, method)
    for step, pick in zip(steps, picks, strict=False):
        wanderer.do(step, pick)
    team.world.has_graphql = has_graphql
    team.world.clock.advance(timedelta(hours=1))
    verdict, _ = await team.verdict()
    expected = wanderer.first_release_with_the_files()
    said = verdict.label if isinstance(verdict, Shipped) else None
    if "copy a part" in steps and {"revert", "revert a part"} & set(steps) and said != expected:
        # A copy of some pieces is no copy. Where git puts the whole together from them all the same, we wait.
        assert said is None or wanderer.has_all_files(said), verdict.why
        return
    assert said == expected, verdict.why


@pytest.mark.parametrize("methods", [("squash", "merge"), ("rebase", "rebase"), ("direct", "squash")])
@given(
    steps=st.lists(st.tuples(st.booleans(), st.sampled_from(WHOLE_STEPS), st.integers(0, 5)), max_size=12),
    has_graphql=st.booleans(),
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_in_any_two_histories_the_files_of_both_releases_agree(
    tmp_path_factory: pytest.TempPathFactory,
    methods: tuple[str, str],
    steps: list[tuple[bool, str, int]],
    has_graphql: bool,
) -> None:
    team = Team(tmp_path_factory.mktemp("wandering"))
    team.map_backend()
    here, there = Wanderer(team, methods[0]), Wanderer(team, methods[1], BACKEND)
    for is_there, step, pick in steps:
        (there if is_there else here).do(step, pick)
    team.world.has_graphql = has_graphql
    team.world.clock.advance(timedelta(hours=1))
    verdict, _ = await team.verdict()
    tags = here.first_release_with_the_files(), there.first_release_with_the_files()
    expected = f"{tags[0]}, {BACKEND} {tags[1]}" if all(tags) else None
    assert (verdict.label if isinstance(verdict, Shipped) else None) == expected, verdict.why


PLATFORMS = ("iOS", "Android", "Web")
PLATFORM_STEPS = ("fix", "work", "ios", "android", "deploy", "roll back", "draft ios")


@given(steps=st.lists(st.sampled_from(PLATFORM_STEPS), max_size=10), has_graphql=st.booleans())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(steps=["fix", "ios", "android", "deploy", "roll back", "deploy"], has_graphql=True)
@example(steps=["ios", "fix", "android", "android", "work", "deploy"], has_graphql=False)
async def test_each_platform_has_the_fix_when_git_finds_it_in_what_that_platform_has(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], has_graphql: bool
) -> None:
    team = Team(tmp_path_factory.mktemp("platforms"))
    team.platforms = "iOS: ios-v*\nAndroid: android-v*\nWeb: deployment live"
    fixes: list[str] = []
    live = ""
    for number, step in enumerate(steps):
        match step:
            case "fix":
                fixes.append(team.pull(method="squash"))
            case "work":
                team.commit()
            case "ios" | "android":
                team.release(f"{step}-v1.{number}")
            case "draft ios":
                team.release(f"ios-v1.{number}", draft=True)
            case "deploy" | "roll back":
                live = (
                    team.git.resolve("HEAD~1" if step == "roll back" and team.git.resolve("HEAD~1") else "HEAD") or ""
                )
                team.world.deploy(APP, environment="live", at=live, production=False)
    team.close()
    team.world.has_graphql = has_graphql
    team.world.clock.advance(timedelta(hours=1))
    expected: dict[str, bool] = {
        "iOS": bool(fixes) and team.first_release_with(*fixes, pattern="ios-v*") is not None,
        "Android": bool(fixes) and team.first_release_with(*fixes, pattern="android-v*") is not None,
        "Web": bool(fixes and live) and all(team.git.is_ancestor(sha, live) for sha in fixes),
    }
    for platform in PLATFORMS:
        verdict, _ = await team.verdict(platform)
        assert isinstance(verdict, Shipped) == expected[platform], (platform, verdict.why)
    everywhere, _ = await team.verdict()
    assert isinstance(everywhere, Shipped) == all(expected.values()), everywhere.why

"""Before a fix ships, the pull request that closed the issue says who will be told, and what: one comment, kept true."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.steps import foretell
from tests.support import story
from tests.support.circle import BASE_URL, Circle, circle
from tests.support.github_server import Fault
from tests.support.github_world import GitHubWorld, Token
from tests.support.mastodon_network import Status
from tests.support.outsides import APP, SOCIAL, Outsides, github_tracker, mastodon_account, outsides
from tests.support.pages import signed_in
from tests.support.rough_line import Died

ISSUE, PULL = 1, 2
HOLD = f"[Not for customers yet? Hold it]({BASE_URL}/issues/1)"


@dataclass
class Team:
    """A circle, a private repository, and those who work in it."""

    played: Circle
    outside: Outsides

    @property
    def world(self) -> GitHubWorld:
        return self.outside.world

    async def connect(self, **settings: Any) -> None:
        await self.played.post("/api/v1/accounts", mastodon_account(settings={"base_url": SOCIAL}), status=201)
        await self.played.post("/api/v1/trackers", github_tracker(**settings), status=201)
        self.world.open_issue(APP, "Export loses tables")

    async def complain(self, *names: str, language: str = "en") -> list[Status]:
        """Each of them complains, and support ties it to the issue."""
        said = [
            self.outside.network.mention(f"{name}@far.example", "@octocat fixes #7", language=language)
            for name in names
        ]
        self.played.clock.move(minutes=10)
        await self.played.post("/api/v1/accounts/1/pull")
        for post in (await self.played.get("/api/v1/posts", params={"state": "new"}))["items"]:
            await story.tag(self.played, post, ref=f"#{ISSUE}")
        await self.rest()
        return said

    async def rest(self) -> None:
        """Time passes, the repository is read, and all work is done."""
        self.played.clock.moment = max(self.played.clock(), self.world.clock.now())
        self.played.clock.move(minutes=2)
        self.world.clock.set(self.played.clock())
        await self.played.post("/api/v1/trackers/1/pull")
        await self.played.rest()

    def merge(self, branch: str = "repair", *, number: int = ISSUE) -> int:
        """A pull request that closes the issue is merged. Returns its number."""
        self.world.branch(APP, branch)
        self.world.commit(APP, f"Repair by {branch}", branch=branch)
        pull = self.world.open_pull(APP, branch, f"Repair by {branch}", body=f"Fixes #{number}")
        self.world.merge_pull(APP, pull)
        return pull

    def comments(self, number: int = PULL) -> list[str]:
        return [comment.body for comment in self.world.issue(APP, number).comments]

    def comment(self, number: int = PULL) -> str:
        [only] = self.comments(number)
        return only

    async def issue(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.played.get("/api/v1/issues/1")
        return found


@pytest.fixture
async def team(database_url: str, tmp_path: Path) -> AsyncIterator[Team]:
    outside = outsides(tmp_path / "github", private=True)
    async with circle(database_url, product="Acme", make_http=outside.client) as played:
        outside.network.now = played.clock
        outside.world.clock.set(played.clock.moment)
        yield Team(played, outside)


def dies_at(point: str) -> Callable[[str], None]:
    def die_there(name: str) -> None:
        if name == point:
            raise Died

    return die_there


async def test_the_pull_request_says_before_the_release_who_will_be_told_and_what(team: Team) -> None:
    await team.connect()
    await team.complain("ada", "bob")
    await team.complain("cleo", language="de")
    assert team.merge() == PULL
    await team.rest()
    text = team.comment()
    assert text.startswith("### When this ships, 3 people will be told\n")
    assert "Who waits for: Export loses tables" in text
    assert "> Hi customer, " in text
    assert "v1.2.3" in text
    assert HOLD in text
    assert text.endswith("-pull -->")
    shown = text.rpartition("<!--")[0]  # the marker behind it is random letters
    for word in ("ada", "bob", "cleo", "far.example", "octocat", "#7", "@", f"#{ISSUE}"):
        assert word not in shown, "neither anybody's name nor words, and nothing that calls or refers"
    found = (await team.issue())["pull_request"]
    assert found == {"url": f"http://github.test/{APP}/pull/{PULL}", "why": ""}


async def test_a_second_customer_edits_it_and_a_look_that_finds_nothing_new_does_not(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    await team.rest()
    assert "### When this ships, 1 person will be told" in team.comment()
    before = len(team.outside.github.ledger)
    await team.rest()
    await team.rest()
    assert len(team.outside.github.ledger) == before
    await team.complain("bob")
    assert "### When this ships, 2 people will be told" in team.comment()


async def test_what_most_of_them_speak_is_what_is_shown(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    await team.complain("bob", "cleo", language="de")
    team.merge()
    await team.rest()
    assert "> Hallo customer, " in team.comment()


async def test_it_says_when_they_were_told_and_that_the_proof_is_gone_after_that(team: Team) -> None:
    await team.connect()
    await team.complain("ada", "bob")
    team.merge()
    await team.rest()
    released = team.world.release(APP, "v2.4.1")
    await team.rest()
    await team.rest()
    day = team.played.clock()
    assert f"### 2 people were told on {day.day} {day:%B} {day.year}" in team.comment()
    assert len(team.outside.network.ledger) == 2
    team.world.delete_release(APP, released)
    await team.rest()
    text = team.comment()
    assert "### 2 people were told on" in text
    assert "**It does not hold any more:** Closed, but no release contains" in text


async def test_on_each_platform_it_is_said_of_those_who_still_wait(team: Team) -> None:
    await team.connect(platforms="iOS: ios-v*\nAndroid: android-v*")
    await team.complain("ada", "bob")
    await team.complain("cleo")
    await team.played.call("PATCH", "/api/v1/loops/1", {"tags": ["ios"]})
    await team.played.call("PATCH", "/api/v1/loops/2", {"tags": ["android"]})
    team.merge()
    await team.rest()
    assert "### When this ships, 3 people will be told" in team.comment()
    team.world.release(APP, "ios-v1.0.0")
    await team.rest()
    await team.rest()
    text = team.comment()
    assert "### When this ships, 2 people will be told" in text
    assert "1 person was told on" in text
    released = team.world.release(APP, "android-v1.0.0")
    await team.rest()
    await team.rest()
    assert "### 3 people were told on" in team.comment()
    team.world.delete_release(APP, released)
    await team.rest()
    assert "**It does not hold any more:**" in team.comment()


async def test_while_the_settle_time_runs_it_says_what_is_really_going_to_be_said(team: Team) -> None:
    await team.connect(settle_seconds=3600)
    await team.complain("ada", "bob")
    team.merge()
    await team.rest()
    team.world.release(APP, "v2.4.1")
    await team.rest()
    text = team.comment()
    assert "### This has shipped, and 2 people are told" in text
    assert "v2.4.1" in text
    assert "v1.2.3" not in text
    assert HOLD in text
    assert team.outside.network.ledger == []


async def test_an_engineer_who_holds_the_issue_is_believed_and_lets_it_go_again(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    await team.rest()
    await team.played.post("/api/v1/issues/1/hold", {"why": "behind a flag"})
    await team.rest()
    text = team.comment()
    assert "### Nobody is told of this yet" in text
    assert "**Not for customers yet:** behind a flag" in text
    await team.played.post("/api/v1/issues/1/release")
    await team.rest()
    assert "### When this ships, 1 person will be told" in team.comment()


async def test_nobody_waits_any_more_and_the_issue_is_open_again(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    await team.rest()
    team.world.reopen_issue(APP, ISSUE)
    await team.rest()
    text = team.comment()
    assert "### Nobody is told of this for now" in text
    assert "1 customer waits on." in text
    assert "reopened" in text
    assert "#1" not in text
    await team.played.call("PATCH", "/api/v1/loops/1", {"state": "dropped"})
    await team.rest()
    assert "### Nobody waits for this any more" in team.comment()


async def test_another_pull_request_becomes_the_fix(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    await team.rest()
    team.world.reopen_issue(APP, ISSUE)
    team.world.unlink_pull(APP, PULL, issue=ISSUE)
    await team.rest()
    second = team.merge("again")
    await team.rest()
    await team.rest()
    assert "### Nobody waits for this change any more" in team.comment()
    assert "### When this ships, 1 person will be told" in team.comment(second)
    await team.complain("bob")
    assert "### When this ships, 2 people will be told" in team.comment(second)
    assert "### Nobody waits for this change any more" in team.comment()


@pytest.mark.parametrize("effect", ["lost", "500"])
async def test_the_fix_moves_on_while_nobody_knows_whether_the_first_was_commented(team: Team, effect: str) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    team.outside.github.faults.append(Fault(effect, method="POST", path=f"/issues/{PULL}/comments"))
    await team.rest()
    team.world.reopen_issue(APP, ISSUE)
    team.world.unlink_pull(APP, PULL, issue=ISSUE)
    second = team.merge("again")
    await team.rest()
    await team.rest()
    assert "### When this ships, 1 person will be told" in team.comment(second)
    assert [text.split("\n")[0] for text in team.comments()] == ["### Nobody waits for this change any more"] * (
        effect == "lost"
    )


async def test_a_lock_on_the_first_keeps_the_second_from_nothing(team: Team) -> None:
    team.world.tokens["token-brand"] = Token("brand-bot", is_collaborator=False)
    await team.connect()
    await team.complain("ada")
    team.merge()
    team.world.lock_issue(APP, PULL)
    await team.rest()
    team.world.reopen_issue(APP, ISSUE)
    team.world.unlink_pull(APP, PULL, issue=ISSUE)
    second = team.merge("again")
    await team.rest()
    await team.rest()
    assert "### When this ships, 1 person will be told" in team.comment(second)
    assert (await team.issue())["pull_request"]["why"] == ""


async def test_a_text_that_is_rewritten_is_written_there_too(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    await team.rest()
    words = {"account_id": None, "language": "en", "text": "Good news @all, {{ version }} helps with #12."}
    await team.played.call("PUT", "/api/v1/templates/fixed", words)
    await team.rest()
    text = team.comment()
    assert "helps with" in text
    assert "@all" not in text, "not even the operator's own words call anybody there"
    assert "#12" not in text


async def test_only_who_is_told_by_themselves_is_counted(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.outside.network.mention("private@far.example", "Between us", visibility="private")
    await team.complain()
    team.merge()
    await team.rest()
    assert "### When this ships, 1 person will be told" in team.comment()
    await team.played.call("PATCH", "/api/v1/accounts/1", {"mode": "dry_run"})
    await team.rest()
    assert "### Nobody waits for this any more" in team.comment()


async def test_none_on_a_public_repository_and_what_stands_says_nothing_once_it_is_public(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.world.set_private(APP, private=False)
    team.merge()
    await team.rest()
    assert team.comments() == []
    team.world.set_private(APP, private=True)
    await team.rest()
    assert "will be told" in team.comment()
    team.world.set_private(APP, private=False)
    await team.rest()
    assert team.comment().startswith("### Nothing is said here any more\n")


async def test_none_where_the_setting_is_off_and_it_leaves_what_stands(team: Team) -> None:
    await team.connect(comment_on_pull_request=False)
    await team.complain("ada")
    team.merge()
    await team.rest()
    assert team.comments() == []
    await team.played.call("PATCH", "/api/v1/trackers/1", {"settings": {"comment_on_pull_request": True}})
    await team.rest()
    assert "will be told" in team.comment()
    await team.played.call("PATCH", "/api/v1/trackers/1", {"settings": {"comment_on_pull_request": False}})
    await team.rest()
    assert team.comment().startswith("### Nothing is said here any more\n")


async def test_none_is_made_once_it_has_shipped(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    team.world.release(APP, "v2.4.1")
    await team.rest()
    assert len(team.outside.network.ledger) == 1
    await team.complain("bob")
    assert team.comments() == []
    assert (await team.issue())["pull_request"] is None


async def test_one_that_the_team_removed_is_never_made_again(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    await team.rest()
    [comment] = team.world.issue(APP, PULL).comments
    team.world.delete_comment(APP, comment.id)
    await team.complain("bob")
    team.world.reopen_issue(APP, ISSUE)
    await team.rest()
    second = team.merge("again")
    await team.rest()
    assert team.comments() == team.comments(second) == []
    assert (await team.issue())["pull_request"]["why"] == "removed by the team"


async def test_a_locked_pull_request_says_why_nothing_is_there(team: Team) -> None:
    team.world.tokens["token-brand"] = Token("brand-bot", is_collaborator=False)
    await team.connect()
    await team.complain("ada")
    team.merge()
    team.world.lock_issue(APP, PULL)
    await team.rest()
    assert team.comments() == []
    assert "is locked" in (await team.issue())["pull_request"]["why"]
    assert "is locked" in await page(team), "and the issue's page says so"
    assert "### 1 customer waits" in team.comment(ISSUE), "the block has its own place and its own luck"


async def page(team: Team) -> str:
    """The issue's page."""
    visitor = await signed_in(team.played, "engineer")
    return (await visitor.http.get("/issues/1")).text


async def test_the_issues_page_says_where_it_stands(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    await team.rest()
    text = await page(team)
    assert f'href="http://github.test/{APP}/pull/{PULL}"' in text
    assert "The pull request</a> says who will be told" in text


@pytest.mark.parametrize("effect", ["lost", "500", "truncated"])
async def test_a_comment_whose_answer_was_lost_is_found_and_not_made_twice(team: Team, effect: str) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    team.outside.github.faults.append(Fault(effect, method="POST", path=f"/issues/{PULL}/comments"))
    await team.rest()
    await team.complain("bob")
    assert "2 people will be told" in team.comment()


async def test_a_comment_whose_answer_was_lost_is_found_also_when_none_is_to_be_made_any_more(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    team.outside.github.faults.append(Fault("lost", method="POST", path=f"/issues/{PULL}/comments"))
    await team.rest()
    await team.played.call("PATCH", "/api/v1/loops/1", {"state": "dropped"})
    await team.rest()
    assert "### Nobody waits for this any more" in team.comment()


async def test_a_comment_that_was_never_made_is_not_made_when_there_is_no_more_to_say(team: Team) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    team.outside.github.faults.append(Fault("500", method="POST", path=f"/issues/{PULL}/comments"))
    await team.rest()
    await team.played.call("PATCH", "/api/v1/loops/1", {"state": "dropped"})
    await team.rest()
    assert team.comments() == []


@pytest.mark.parametrize("point", ["foretell.claimed", "foretell.called"])
async def test_who_dies_at_any_moment_leaves_one_comment_in_the_end(team: Team, point: str) -> None:
    await team.connect()
    await team.complain("ada")
    team.merge()
    river = team.played.river
    for _ in range(2):
        river.point = dies_at(point)
        with pytest.raises(Died):
            await team.rest()
        river.point = lambda _point: None
        assert not await foretell.foretell_next(river), "nobody touches it within its lease"
    await team.rest()
    assert "### When this ships, 1 person will be told" in team.comment()

"""A crowd's way round the circle, between servers in processes of their own, judged by what those servers wrote down.

One Mastodon network and one GitHub serve many such trips: each has a brand and a repository of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from app.staging import Board
from app.store.session import Database
from app.store.stage import StoredStage
from tests.support.fleet import Fleet
from tests.support.github_server import RemoteGitHub, running
from tests.support.mastodon_network import MastodonServer, start_process
from tests.support.ports import free_port

JSON = dict[str, Any]
SECRET = "a secret between GitHub and us"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Town:
    """The two servers that everything happens between."""

    mastodon: MastodonServer
    github: RemoteGitHub


@contextmanager
def town(folder: Path, *options: str) -> Iterator[Town]:
    """Start both; `options` are the Mastodon network's."""
    with start_process(*options) as mastodon, running(folder, port=free_port()) as github:
        yield Town(mastodon, github)


@dataclass
class RoundTrip:
    """One brand, its customers, its repository, and the installation that carries their words."""

    fleet: Fleet
    town: Town
    count: int = 5
    hooks: bool = True
    number: int = field(default_factory=lambda: next(_numbers))
    customers: list[JSON] = field(default_factory=list)
    answers: list[JSON] = field(default_factory=list)
    loops: list[int] = field(default_factory=list)
    pull: int = 0

    @property
    def brand(self) -> str:
        return f"brand{self.number}"

    @property
    def repository(self) -> str:
        return f"{self.brand}/app"

    # --- The story -----------------------------------------------------------------------------------

    def connect(self) -> None:
        """The account, the repository, and the repository's webhook."""
        github = self.town.github
        github.do("create_repository", full_name=self.repository)
        github.do("tokens", token=f"token-of-{self.brand}", login=self.brand)
        self.connect_account()
        tracker = {
            "kind": "github",
            "name": self.repository,
            "settings": {"api_url": github.url, "repository": self.repository},
            "secrets": {"token": f"token-of-{self.brand}", "webhook_secret": SECRET},
        }
        made = self.fleet.call("POST", "/api/v1/trackers", tracker, statuses=(201,))
        assert made["hook_url"].startswith(self.fleet.url)
        if self.hooks:
            github.do("add_hook", repository=self.repository, url=made["hook_url"], secret=SECRET)

    def connect_account(self) -> None:
        """The brand's account alone."""
        mastodon = self.town.mastodon
        mastodon.token(f"token-of-{self.brand}", username=self.brand)
        account = {
            "channel": "mastodon",
            "name": self.brand,
            "settings": {"base_url": mastodon.base_url},
            "secrets": {"access_token": f"token-of-{self.brand}"},
            "mode": "automatic",
        }
        self.fleet.call("POST", "/api/v1/accounts", account, statuses=(201,))

    def complain(self) -> None:
        """Everybody complains at once."""
        self.customers += self.town.mastodon.mentions(
            [
                {"user": f"{self.brand}c{n}@far.example", "text": "Export to CSV hangs", "to": self.brand}
                for n in range(self.count)
            ]
        )

    def wait_until_taken_in(self) -> None:
        """By itself, from the account's poll."""
        self.fleet.until(lambda: len(self.fleet.items("/api/v1/posts")) >= self.count, why="posts are missing")

    def tag(self) -> None:
        """Support ties the first complaint to a new issue and the others to that."""
        posts = sorted(self.fleet.items("/api/v1/posts"), key=lambda post: int(post["id"]))
        ref = ""
        for post in posts:
            issue = {"tracker_id": 1, "ref": ref} if ref else {"tracker_id": 1, "title": "Export hangs"}
            loop = self.fleet.call(
                "POST",
                "/api/v1/loops",
                {"post_id": post["id"], "issue": issue},
                statuses=(201, 202),
                key=f"{self.brand}/{post['id']}",
            )
            self.loops.append(loop["id"])
            ref = ref or self.fleet.until(lambda: self._ref(self.loops[0]), why="the issue is not made")

    def _ref(self, loop: int) -> str:
        issue = self.fleet.get(f"/api/v1/loops/{loop}")["issue"]
        return str(issue["ref"]) if issue and issue["state"] != "creating" else ""

    def ship(self, label: str = "v2.4.1") -> None:
        """A commit that closes the issue, unless a pull request has, and a release of it."""
        if not self.pull:
            self.town.github.do("commit", repository=self.repository, message="Repair the export\n\nFixes #1")
        self.town.github.do("release", repository=self.repository, tag=label)

    def merge(self) -> None:
        """The repository is made private, and a pull request that closes the issue is merged there."""
        github = self.town.github
        github.do("set_private", repository=self.repository, private=True)
        github.do("branch", repository=self.repository, name="repair")
        github.do("commit", repository=self.repository, message="Repair the export", branch="repair")
        self.pull = github.do("open_pull", repository=self.repository, head="repair", title="Repair", body="Fixes #1")
        github.do("merge_pull", repository=self.repository, number=self.pull)

    def wait_until_foretold(self) -> None:
        """The pull request says who will be told."""
        self.fleet.until(lambda: bool(self.comments(self.pull)), why="the pull request says nothing")

    def wait_until_told(self) -> None:
        """Everybody has their reply, and Fullcircle knows it."""
        self.wait_for_states({"told", "verified"}, self.loops)

    def wait_for_states(self, states: set[str], loops: list[int]) -> None:
        """Each of these loops is in one of these states."""

        def is_so() -> bool:
            found = {loop["id"]: loop["state"] for loop in self.fleet.items("/api/v1/loops")}
            return all(found.get(loop) in states for loop in loops)

        self.fleet.until(is_so, why=f"not all of {loops} came to {states}")

    def answer(self) -> None:
        """One customer says that it works, another that it does not."""
        replies = {entry["parent"]: entry["id"] for entry in self.ledger}
        for at, text in ((0, "It works now, thank you!"), (1, "Sorry, it is still broken.")):
            user = f"{self.brand}c{at}@far.example"
            said = self.town.mastodon.mention(
                user, text, to=self.brand, in_reply_to_id=replies[self.customers[at]["id"]]
            )
            self.answers.append(said)

    def wait_until_heard(self) -> None:
        """The one is verified, and the ticket knows of the other."""
        self.wait_for_states({"verified"}, self.loops[:1])
        self.wait_for_states({"linked"}, self.loops[1:2])

    def let_pass(self, *, seconds: float) -> None:
        """Real time, for processes that nobody can hand a clock."""
        time.sleep(seconds)

    # --- Webhooks ------------------------------------------------------------------------------------

    @property
    def deliveries(self) -> list[JSON]:
        """What GitHub called us with, and how we answered."""
        return [d for d in self.town.github.do("deliveries") if d["url"].startswith(self.fleet.url)]

    def redeliver(self, *, only_unacknowledged: bool = False) -> None:
        """Somebody presses 'Redeliver' at GitHub, for each call or for those that we did not answer."""
        calls = self.deliveries
        acknowledged = {call["guid"] for call in calls if 200 <= (call["status"] or 0) < 300}
        newest = {call["guid"]: call["id"] for call in calls}
        again = [number for guid, number in newest.items() if not only_unacknowledged or guid not in acknowledged]
        for number in again:
            self.town.github.do("redeliver", delivery_id=number)
        self.fleet.until(lambda: len(self.deliveries) >= len(calls) + len(again), why="GitHub does not call again")

    def wait_until_acknowledged(self) -> None:
        """Every call is answered with success. GitHub never calls twice by itself: what fails, somebody redelivers."""

        def all_are() -> bool:
            acknowledged: dict[str, bool] = {}
            for call in self.deliveries:
                is_good = 200 <= (call["status"] or 0) < 300
                acknowledged[call["guid"]] = acknowledged.get(call["guid"], False) or is_good
            if acknowledged and all(acknowledged.values()):
                return True
            self.fleet.revive()
            self.redeliver(only_unacknowledged=True)
            return False

        self.fleet.until(all_are, why="a webhook is never acknowledged")

    # --- The judgement ---------------------------------------------------------------------------------

    @property
    def ledger(self) -> list[JSON]:
        """What the network accepted from this brand."""
        return [entry for entry in self.town.mastodon.ledger() if entry["account"] == self.brand]

    def github_items(self, path: str) -> list[JSON]:
        """A list of GitHub's API, as this brand's token sees it."""
        answer = httpx.get(
            f"{self.town.github.url}/repos/{self.repository}/{path}",
            headers={"Authorization": f"Bearer token-of-{self.brand}"},
            trust_env=False,
        )
        return list(answer.raise_for_status().json())

    def replies_per_customer(self) -> Counter[int]:
        """How many customers have no, one, two … replies."""
        replies = Counter(entry["parent"] for entry in self.ledger)
        return Counter(replies.get(customer["id"], 0) for customer in self.customers)

    def wait_until_at_rest(self) -> None:
        """Every stored call is worked, and nothing is on its way any more."""

        def rests() -> bool:
            calls = self.fleet.items("/api/v1/trackers/1/deliveries")
            replies = self.fleet.items("/api/v1/replies")
            on_their_way = [reply for reply in replies if reply["state"] in {"scheduled", "sending", "unknown"}]
            return not on_their_way and all(call["state"] == "done" for call in calls)

        self.fleet.until(rests, why="it does not come to rest")

    def judge(self) -> None:
        """Everything once: posts, issues, the block, replies, notices; also after every webhook came again."""
        self.wait_until_at_rest()
        self.judge_posts()
        if self.hooks:
            self.redeliver()
            self.wait_until_acknowledged()
            self.wait_until_at_rest()
            self.fleet.until(self.is_each_call_kept_once, why="a call is not kept, or a redelivery added one")
        self.judge_replies()
        tickets = [issue for issue in self.github_items("issues?state=all") if "pull_request" not in issue]
        assert len(tickets) == 1, "the ticket was made once"
        # The block of a worker that was killed comes when its claim is over, which nothing else waits for.
        expected = 1 + (len(self.answers) > 1)
        self.fleet.until(lambda: len(self.comments()) >= expected, why="the ticket does not show who waits")
        assert len(self.comments()) == expected, self.comments()
        if self.pull:
            self.fleet.until(
                lambda: "were told" in self.comments(self.pull)[0], why="the pull request is not up to date"
            )
            assert len(self.comments(self.pull)) == 1, self.comments(self.pull)

    def comments(self, number: int = 1) -> list[str]:
        """What is said on the ticket: the block, and a notice of each customer for whom it is still broken."""
        return [comment["body"] for comment in self.github_items(f"issues/{number}/comments")]

    def is_each_call_kept_once(self) -> bool:
        """By GitHub's own list of what it sent; what our last edits of the block stirred up may still be on its way."""
        return len(self.fleet.items("/api/v1/trackers/1/deliveries")) == len({call["guid"] for call in self.deliveries})

    def judge_posts(self) -> None:
        """Every complaint and every answer was taken in, once."""
        said = sorted(status["url"] for status in (*self.customers, *self.answers))
        assert sorted(post["url"] for post in self.fleet.items("/api/v1/posts")) == said

    def judge_replies(self) -> None:
        """Every customer has one reply, nothing else was said, and Fullcircle knows of each."""
        assert self.replies_per_customer() == {1: self.count}, f"replies: {self.replies_per_customer()}"
        assert len(self.ledger) == self.count
        recorded = [reply["external_id"] for reply in self.fleet.items("/api/v1/replies")]
        assert sorted(recorded) == sorted(entry["id"] for entry in self.ledger)


@dataclass
class BoardTrip(RoundTrip):
    """The same with the rehearsal board for a tracker, for crowds: no HTTP between us and it."""

    def connect(self) -> None:
        """The account and the board."""
        self.connect_account()
        self.fleet.call("POST", "/api/v1/trackers", {"kind": "rehearsal", "name": "Board"}, statuses=(201,))

    def ship(self, label: str = "v2.4.1") -> None:
        """Somebody closes the issue on the board and publishes a release."""

        async def press() -> None:
            database = Database(self.fleet.database_url)
            board = Board(StoredStage(database), "main")
            await board.close(1, outcome="completed", now=datetime.now(UTC))
            await board.release(label, now=datetime.now(UTC))
            await database.close()

        asyncio.run(press())

    def judge(self) -> None:
        """Posts and replies, once."""
        self.wait_until_at_rest()
        self.judge_posts()
        self.judge_replies()

"""The rehearsal network and the rehearsal board: the 'other side' that rehearsal adapters talk to.

The adapters read and write it as any adapter does its network, and the rehearsal pages are its
customers and engineers. Neither knows the other: both know only the documents here, which live on
a `Stage`. Each document has one writer, so that nobody overwrites what somebody else wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar

from pydantic import TypeAdapter

from app.ports import Kind, OutsideError, Stage
from app.rules.facts import Visibility

SCENE = r"^[a-z0-9][a-z0-9-]{0,39}$"
"""What a scene may be called: it stands in the pages' addresses."""

MAX_CHARS = 500
"""The longest post the rehearsal network takes, in graphemes."""

HANDLE = r"^[a-z0-9][a-z0-9_.-]{0,29}$"

Closing = Literal["completed", "not_planned", "duplicate"]
Standing = Literal["published", "prerelease", "draft"]


@dataclass(frozen=True, kw_only=True)
class StagedPost:
    """A post on the square. `brand` marks the company's own; `key` is the attempt that made it, so it is made once."""

    handle: str
    text: str
    at: datetime
    name: str = ""
    language: str | None = None
    in_reply_to: int | None = None
    brand: bool = False
    visibility: Visibility = "public"
    followers: int | None = None
    key: str = ""
    deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class StagedIssue:
    """An issue on the board. `fix` and `fixed_turn` are the change that closed it as completed, and when, in turns."""

    title: str
    body: str
    updated_at: datetime
    marker: str = ""
    state: Literal["open", "closed"] = "open"
    outcome: Closing | None = None
    closed_at: datetime | None = None
    reopened: bool = False
    closes: int = 0
    fix: str | None = None
    fixed_turn: int | None = None
    deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class StagedRelease:
    """A release. It holds every fix made before `cut_turn`; one that was only ever a draft has no cut yet."""

    label: str
    standing: Standing
    created_at: datetime
    published_at: datetime | None = None
    cut_turn: int | None = None
    deleted: bool = False

    def holds(self, issue: StagedIssue) -> bool:
        """Whether the issue's present fix was made before this release was cut. A draft is cut from what there is."""
        if issue.fixed_turn is None:
            return False
        return self.cut_turn is None or issue.fixed_turn < self.cut_turn

    @property
    def is_public(self) -> bool:
        """Whether customers can have it."""
        return self.standing == "published" and not self.deleted


@dataclass(frozen=True, kw_only=True)
class StagedBlock:
    """The engineers' block on an issue. `removed` once somebody on the board took it away."""

    issue: int
    text: str
    at: datetime
    removed: bool = False


@dataclass(frozen=True, kw_only=True)
class StagedComment:
    """A comment that notified the engineers."""

    issue: int
    text: str
    marker: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Something on the board changed: one issue, or (without one) a release. Turns order what clocks cannot."""

    issue: int | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Trouble that a scene plays on the adapter's `call` ('send', or '*' for all).

    `accepted` does the deed first and loses the answer. `times` is how often it is still played;
    None means until it is lifted.
    """

    call: str
    kind: Kind
    accepted: bool = False
    in_flight: bool = False
    retry_seconds: int | None = None
    times: int | None = None
    lifted: bool = False

    def as_error(self, now: datetime) -> OutsideError:
        """The error an adapter raises for it."""
        return OutsideError(
            f"the rehearsal stage plays '{self.kind}' on {self.call}",
            self.kind,
            retry_at=None if self.retry_seconds is None else now + timedelta(seconds=self.retry_seconds),
            in_flight=self.in_flight,
        )


D = TypeVar("D", StagedPost, StagedIssue, StagedRelease, StagedBlock, StagedComment, Turn, Fault)


class Shelf(Generic[D]):
    """The documents of one kind in one scene, typed. Each shelf counts its ids from 1."""

    def __init__(self, stage: Stage, scene: str, kind: str, shape: type[D]) -> None:
        self._stage = stage
        self._scene = f"{scene}/{kind}s"
        self._kind = kind
        self._adapter: TypeAdapter[D] = TypeAdapter(shape)

    def _doc(self, value: D) -> Mapping[str, Any]:
        doc: dict[str, Any] = self._adapter.dump_python(value, mode="json")
        return doc

    async def add(self, value: D) -> int:
        """Keep a new one; returns its id."""
        return await self._stage.add(self._scene, self._kind, self._doc(value))

    async def put(self, key: int, value: D) -> None:
        """Replace one. KeyError where there is none."""
        await self._stage.put(self._scene, self._kind, key, self._doc(value))

    async def get(self, key: int) -> D | None:
        """One of them, or None."""
        doc = await self._stage.get(self._scene, self._kind, key)
        return None if doc is None else self._adapter.validate_python(doc)

    async def pages(self, *, after: int = 0) -> AsyncIterator[list[tuple[int, D]]]:
        """All with an id above `after`, lowest first, in handy portions."""
        while rows := await self._stage.all(self._scene, self._kind, after=after, limit=500):
            yield [(key, self._adapter.validate_python(doc)) for key, doc in rows]
            after = rows[-1][0]

    async def all(self, *, after: int = 0) -> list[tuple[int, D]]:
        """All with an id above `after`, lowest first."""
        return [row async for page in self.pages(after=after) for row in page]


class _Scene:
    """What the square and the board have in common: the trouble they can play."""

    def __init__(self, stage: Stage, scene: str, *, place: str) -> None:
        self.scene = scene
        self.faults = Shelf(stage, scene, f"{place}-fault", Fault)

    async def trouble(self, call: str) -> Fault | None:
        """The fault to play on this call, if any; counts it as played."""
        for key, fault in await self.faults.all():
            if fault.lifted or fault.call not in {call, "*"}:
                continue
            if fault.times is not None:
                await self.faults.put(key, replace(fault, times=fault.times - 1, lifted=fault.times <= 1))
            return fault
        return None

    async def calm(self) -> None:
        """Lift every fault."""
        for key, fault in await self.faults.all():
            await self.faults.put(key, replace(fault, lifted=True))


class Square(_Scene):
    """A rehearsal network: one public place where everybody can be read."""

    def __init__(self, stage: Stage, scene: str) -> None:
        super().__init__(stage, scene, place="square")
        self.posts = Shelf(stage, scene, "post", StagedPost)

    async def say(self, post: StagedPost) -> int:
        """Publish a post; one with a `key` that was published before is that one, and nothing new appears.

        Two that come at the same moment are settled afterwards: the earlier stays.
        """
        if not post.key:
            return await self.posts.add(post)
        if (earlier := await self._with_key(post)) is not None:
            return earlier
        added = await self.posts.add(post)
        first = await self._with_key(post)
        if first is not None and first < added:
            await self.delete(added)
            return first
        return added

    async def _with_key(self, post: StagedPost) -> int | None:
        async for page in self.posts.pages(after=post.in_reply_to or 0):
            for key, other in page:
                if other.key == post.key and other.handle == post.handle:
                    return key
        return None

    async def delete(self, key: int) -> None:
        """Take a post away, with its words. KeyError where there is none."""
        post = await self.posts.get(key)
        if post is None:
            raise KeyError(key)
        await self.posts.put(key, replace(post, text="", deleted=True))

    async def root_of(self, key: int, post: StagedPost) -> int:
        """The id of the thread's first post. A post only ever answers an earlier one, so this ends."""
        while post.in_reply_to is not None and post.in_reply_to < key:
            parent = await self.posts.get(post.in_reply_to)
            if parent is None:
                return key
            key, post = post.in_reply_to, parent
        return key


class Board(_Scene):
    """A rehearsal tracker: issues, releases and what engineers were told."""

    def __init__(self, stage: Stage, scene: str) -> None:
        super().__init__(stage, scene, place="board")
        self.issues = Shelf(stage, scene, "issue", StagedIssue)
        self.releases = Shelf(stage, scene, "release", StagedRelease)
        self.blocks = Shelf(stage, scene, "block", StagedBlock)
        self.comments = Shelf(stage, scene, "comment", StagedComment)
        self.turns = Shelf(stage, scene, "turn", Turn)

    async def open_issue(self, *, title: str, body: str, now: datetime, marker: str = "") -> int:
        """A new issue; returns its number."""
        key = await self.issues.add(StagedIssue(title=title, body=body, marker=marker, updated_at=now))
        await self._turn(key, now=now)
        return key

    async def close(self, key: int, *, outcome: Closing, now: datetime) -> None:
        """Close an issue. As `completed`, it is closed by a change of its own, new at each closing.

        One that is closed that way already stays as it is: pressing the button twice makes no second fix.
        """
        issue = await self._issue(key)
        if issue.state == "closed" and issue.outcome == outcome:
            return
        turn = await self._turn(key, now=now)
        closes = issue.closes + 1
        done = outcome == "completed"
        closed = replace(
            issue,
            state="closed",
            outcome=outcome,
            closed_at=now,
            closes=closes,
            fix=_sha(self.scene, "issue", key, closes) if done else None,
            fixed_turn=turn if done else None,
        )
        await self._keep(key, closed, now=now)

    async def reopen(self, key: int, *, now: datetime) -> None:
        """Open a closed issue again; its fix no longer counts."""
        issue = await self._issue(key)
        if issue.state == "open":
            return
        reopened = replace(issue, state="open", outcome=None, closed_at=None, reopened=True, fix=None, fixed_turn=None)
        await self._keep(key, reopened, now=now)

    async def delete_issue(self, key: int, *, now: datetime) -> None:
        """Delete an issue and its words."""
        issue = await self._issue(key)
        await self._keep(key, replace(issue, deleted=True, title="", body=""), now=now)

    async def _issue(self, key: int) -> StagedIssue:
        issue = await self.issues.get(key)
        if issue is None or issue.deleted:
            raise KeyError(key)
        return issue

    async def _turn(self, key: int | None, *, now: datetime) -> int:
        """Makes a turn: it gives a change its place in time, and tells whoever follows the board to look."""
        return await self.turns.add(Turn(issue=key, at=now))

    async def _keep(self, key: int, issue: StagedIssue, *, now: datetime) -> None:
        """Keeps a change and makes a turn after it: whoever followed an earlier turn may have looked too early."""
        await self.issues.put(key, replace(issue, updated_at=now))
        await self._turn(key, now=now)

    async def release(self, label: str, *, now: datetime, standing: Standing = "published") -> int:
        """A new release of everything fixed so far; returns its id."""
        turn = await self._turn(None, now=now)
        drafted = standing == "draft"
        key = await self.releases.add(
            StagedRelease(
                label=label,
                standing=standing,
                created_at=now,
                published_at=None if drafted else now,
                cut_turn=None if drafted else turn,
            )
        )
        await self._turn(None, now=now)
        return key

    async def set_standing(self, key: int, standing: Standing, *, now: datetime) -> None:
        """Publish a draft, turn a release into a draft or a prerelease, or the other way round.

        What it holds is settled when it first leaves the draft, and stays so.
        """
        release = await self._release(key)
        turn = await self._turn(None, now=now)
        leaves_draft = release.standing == "draft" and standing != "draft"
        await self.releases.put(
            key,
            replace(
                release,
                standing=standing,
                published_at=now if leaves_draft else release.published_at,
                cut_turn=turn if leaves_draft and release.cut_turn is None else release.cut_turn,
            ),
        )
        await self._turn(None, now=now)

    async def delete_release(self, key: int, *, now: datetime) -> None:
        """Delete a release, as if it had never been published."""
        await self.releases.put(key, replace(await self._release(key), deleted=True))
        await self._turn(None, now=now)

    async def _release(self, key: int) -> StagedRelease:
        release = await self.releases.get(key)
        if release is None or release.deleted:
            raise KeyError(key)
        return release

    async def remove_block(self, key: int) -> None:
        """An engineer takes the block off the issue."""
        block = await self.blocks.get(key)
        if block is None:
            raise KeyError(key)
        await self.blocks.put(key, replace(block, removed=True))

    def sha_of_release(self, key: int, release: StagedRelease) -> str:
        """The commit a release's tag names; a draft has no tag, and so none."""
        return "" if release.cut_turn is None else _sha(self.scene, "release", key, release.cut_turn)


def _sha(scene: str, kind: str, key: int, count: int) -> str:
    """A commit id for a commit that never was: 40 hex digits, the same whenever it is asked for."""
    return hashlib.sha256(f"{scene}/{kind}/{key}/{count}".encode()).hexdigest()[:40]


def slug(name: str) -> str:
    """A handle made of a name: 'Acme Ltd.' is `acme-ltd`. Empty where nothing of it can be in a handle."""
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.casefold())
    return "-".join(part for part in kept.split("-") if part)[:30].rstrip("-")

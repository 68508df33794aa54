"""The rehearsal tracker: a board on this machine, with issues, releases and what engineers are told.

Closing an issue as completed makes a change; publishing a release puts every change made before it
into customers' hands. A release can be deleted or turned into a draft again, as on a real tracker.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field, SecretStr

from app.ports import BadSignatureError, Connection, Hook, IssuePage, OutsideError, Project, ReleasedPlatforms, Tracker
from app.rules.facts import (
    Change,
    Containment,
    IssueFacts,
    IssueReading,
    Outcome,
    OutcomeReason,
    Release,
)
from app.rules.shipping import LOOKS_LIKE_A_VERSION
from app.staging import SCENE, Board, Closing, Fault, StagedBlock, StagedComment, StagedIssue, StagedRelease

OUTCOMES: dict[Closing, tuple[Outcome, OutcomeReason | None, str]] = {
    "completed": ("fixed", None, "completed"),
    "not_planned": ("declined", "wont_fix", "not planned"),
    "duplicate": ("duplicate", None, "duplicate"),
}
"""The board's word for a closing, in ours: outcome, reason, and the word as a person reads it."""

DEEDS = frozenset({"create", "show", "tell"})

REF = re.compile(r"#?(?P<number>[1-9]\d{0,17})")


class RehearsalSettings(BaseModel):
    """Which board, and when its fixes count as shipped."""

    scene: str = Field(
        "main",
        pattern=SCENE,
        title="Scene",
        description="Name of the board; trackers with the same scene share it. Small letters, digits and hyphens.",
    )
    project: str = Field(
        "Acme app", min_length=1, max_length=80, title="Project", description="What the board calls the product."
    )
    shipped_when: Literal["closed", "release"] = Field(
        "release",
        title="Shipped when",
        description="`release`: a published release holds the fix. `closed`: the issue is closed as completed.",
    )
    tag_pattern: str = Field(
        "*", title="Releases that count", description="Glob over release labels; others ship nothing. `*` is all."
    )
    public_label_pattern: str = Field(
        LOOKS_LIKE_A_VERSION,
        title="Labels the public may read",
        description="Regular expression for a whole release label. Changes nothing here: this board is public, so every label is.",
    )
    platforms: ReleasedPlatforms = ""
    settle_seconds: int = Field(
        0,
        ge=0,
        title="Settle delay",
        description="Seconds to wait after a release before anybody is told, in case it is withdrawn.",
    )
    show_on_public: Literal["counts", "quotes"] = Field(
        "quotes",
        title="Customers on the issue",
        description="What engineers see of those who wait: their words too (nobody else reads this board), or how many.",
    )


class RehearsalSecrets(BaseModel):
    """Nothing is needed; a webhook secret only for those who want to rehearse webhooks too."""

    webhook_secret: SecretStr | None = Field(
        None,
        title="Webhook secret",
        description="Signs calls to the tracker's hook address. Without one, no call is taken; the board wakes the worker itself.",
    )


class Rehearsal:
    """Reads and writes one scene's board."""

    name: ClassVar[str] = "rehearsal"
    title: ClassVar[str] = "Rehearsal"
    poll_every: ClassVar[timedelta] = timedelta(seconds=1)
    settle: ClassVar[timedelta] = timedelta(0)
    block_limit: ClassVar[int] = 20_000
    Settings: ClassVar[type[BaseModel]] = RehearsalSettings
    Secrets: ClassVar[type[BaseModel]] = RehearsalSecrets

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._settings: RehearsalSettings = connection.settings
        self._secrets: RehearsalSecrets = connection.secrets

    def _board(self) -> Board:
        if self._connection.stage is None:
            raise OutsideError("the rehearsal tracker was started without a stage to play on", "misconfigured")
        return Board(self._connection.stage, self._settings.scene)

    async def _enter(self, board: Board, call: str) -> Fault | None:
        """Plays trouble that comes before the deed; hands back trouble that comes after it. Reading is no deed."""
        fault = await board.trouble(call)
        if fault is not None and not (fault.accepted and call in DEEDS):
            raise fault.as_error(self._connection.now())
        return fault

    def _leave(self, fault: Fault | None) -> None:
        if fault is not None:
            raise fault.as_error(self._connection.now())

    def _page(self) -> str:
        return f"{self._connection.base_url}/rehearsal/{self._settings.scene}/board"

    async def connect(self) -> Project:
        """Always works, unless the scene plays trouble."""
        await self._enter(self._board(), "connect")
        return Project(
            remote_id=f"rehearsal:{self._settings.scene}/board",
            name=self._settings.project,
            url=self._page(),
            visible_to_public=True,
        )

    async def find(self, ref: str) -> IssueFacts:
        """Takes `#3`, `3`, and the issue's address on the board."""
        board = self._board()
        await self._enter(board, "find")
        named = REF.fullmatch(ref.strip().removeprefix(f"{self._page()}#issue-"))
        if named is None:
            raise OutsideError(f"'{ref[:80]}' names no issue on this board; write it as #3", "invalid")
        key = int(named["number"])
        return self._facts(key, await self._issue(board, key))

    async def create(self, *, title: str, body: str, marker: str) -> IssueFacts:
        """The marker is a field of the issue that no page shows."""
        board = self._board()
        fault = await self._enter(board, "create")
        if not title.strip():
            raise OutsideError("the board takes no issue without a title", "invalid")
        key = await board.open_issue(title=title, body=body, marker=marker, now=self._connection.now())
        self._leave(fault)
        return self._facts(key, await self._issue(board, key))

    async def find_created(self, *, marker: str, since: datetime) -> IssueFacts | None:
        """The board remembers every marker, so `since` narrows nothing here."""
        board = self._board()
        await self._enter(board, "find_created")
        for key, issue in await board.issues.all():
            if issue.marker == marker and not issue.deleted:
                return self._facts(key, issue)
        return None

    async def read(self, remote_id: str, *, ref: str) -> IssueReading:
        """The issue, the change that closed it, and each release with its word on whether it holds that change."""
        board = self._board()
        await self._enter(board, "read")
        now = self._connection.now()
        key = int(remote_id) if REF.fullmatch(remote_id) else 0
        issue = await board.issues.get(key)
        if issue is None or issue.deleted:
            return IssueReading(facts=self._gone(remote_id, ref, issue, now), read_at=now)
        releases = await board.releases.all()
        change = self._change(key, issue)
        return IssueReading(
            facts=self._facts(key, issue),
            read_at=now,
            changes=() if change is None else (change,),
            releases=tuple(self._release(board, k, r) for k, r in releases),
            containments=()
            if change is None
            else tuple(
                Containment(
                    sha=change.sha,
                    release_id=str(k),
                    answer="yes" if r.holds(issue) else "no",
                    url=self._release_url(k),
                )
                for k, r in releases
                if not r.deleted
            ),
        )

    async def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[IssuePage]:
        """Follows the board's turns. A turn of a release may concern every issue that is closed as completed."""
        board = self._board()
        await self._enter(board, "pull")
        async for turns in board.turns.pages(after=_id(cursor, "cursor") if cursor else 0):
            heard = [turn for _, turn in turns if cursor is not None or turn.at >= since]
            changed = dict.fromkeys(turn.issue for turn in heard if turn.issue is not None)
            if any(turn.issue is None for turn in heard):
                changed |= dict.fromkeys(key for key, issue in await board.issues.all() if issue.fix is not None)
            yield IssuePage(issues=tuple(str(key) for key in changed), cursor=str(turns[-1][0]))

    async def show(self, issue: IssueFacts, *, block: str, handle: str | None) -> str:
        """Edits the block in place; one made by an earlier call whose answer was lost is taken up again."""
        board = self._board()
        fault = await self._enter(board, "show")
        key = _id(issue.remote_id, "issue")
        await self._issue(board, key)
        found = await self._block(board, key, handle)
        if found is None:
            shown = await board.blocks.add(StagedBlock(issue=key, text=block, at=self._connection.now()))
        else:
            shown, kept = found
            if kept.removed:
                raise OutsideError(f"somebody removed the block from {issue.ref}", "gone")
            await board.blocks.put(shown, replace(kept, text=block, at=self._connection.now()))
        self._leave(fault)
        return str(shown)

    async def tell(self, issue: IssueFacts, *, text: str, marker: str) -> str:
        """One comment for one marker."""
        board = self._board()
        fault = await self._enter(board, "tell")
        key = _id(issue.remote_id, "issue")
        await self._issue(board, key)
        told = next((k for k, c in await board.comments.all() if c.issue == key and c.marker == marker), None)
        if told is None:
            comment = StagedComment(issue=key, text=text, marker=marker, at=self._connection.now())
            told = await board.comments.add(comment)
        self._leave(fault)
        return str(told)

    def receive(self, *, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """Signed as GitHub signs: `X-Hub-Signature-256` over the raw body.

        The body is `{"issues": ["3"]}` or `{"everything": true}`; `X-Rehearsal-Delivery` is the call's
        own key and `X-Rehearsal-Event` its name.
        """
        given = {name.lower(): value for name, value in headers.items()}
        secret = self._secrets.webhook_secret
        if secret is None or not secret.get_secret_value():
            raise BadSignatureError("no webhook secret is set for this tracker, so no call can prove who sent it")
        signed = "sha256=" + hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signed.encode(), given.get("x-hub-signature-256", "").encode(errors="replace")):
            raise BadSignatureError("X-Hub-Signature-256 is missing or was made with another secret")
        hint: Any = json.loads(body)
        if not isinstance(hint, dict):
            raise ValueError("the signed body is not a JSON object")  # noqa: TRY004  (the port's word for it)
        issues = hint.get("issues")
        return Hook(
            key=given.get("x-rehearsal-delivery") or hashlib.sha256(body).hexdigest(),
            event=given.get("x-rehearsal-event", "changed"),
            issues=tuple(str(issue) for issue in issues) if isinstance(issues, list) else (),
            everything=hint.get("everything") is True,
        )

    async def _issue(self, board: Board, key: int) -> StagedIssue:
        issue = await board.issues.get(key)
        if issue is None or issue.deleted:
            raise OutsideError(f"there is no issue #{key} on the board '{self._settings.scene}'", "gone")
        return issue

    async def _block(self, board: Board, key: int, handle: str | None) -> tuple[int, StagedBlock] | None:
        """The block a handle names, or without a handle the one that stands on the issue."""
        if handle is not None:
            shown = _id(handle, "block")
            named = await board.blocks.get(shown)
            if named is None:
                raise OutsideError(f"the block {handle} is not on the board any more", "gone")
            return shown, named
        return next(((k, b) for k, b in await board.blocks.all() if b.issue == key), None)

    def _issue_url(self, key: int) -> str:
        return f"{self._page()}#issue-{key}"

    def _release_url(self, key: int) -> str:
        return f"{self._page()}#release-{key}"

    def _facts(self, key: int, issue: StagedIssue) -> IssueFacts:
        outcome, reason, label = OUTCOMES[issue.outcome] if issue.outcome else (None, None, "")
        return IssueFacts(
            remote_id=str(key),
            ref=f"#{key}",
            title=issue.title,
            url=self._issue_url(key),
            state=issue.state,
            updated_at=issue.updated_at,
            outcome=outcome,
            outcome_reason=reason,
            outcome_label="reopened" if issue.state == "open" and issue.reopened else label,
            closed_at=issue.closed_at,
            visible_to_public=True,
        )

    def _gone(self, remote_id: str, ref: str, issue: StagedIssue | None, now: datetime) -> IssueFacts:
        return IssueFacts(
            remote_id=remote_id,
            ref=ref,
            title="",
            url=f"{self._page()}#issue-{remote_id}",
            state="gone",
            updated_at=now if issue is None else issue.updated_at,
            gone_why=f"{ref} was deleted from the board" if issue else f"{ref} was never on the board",
            visible_to_public=True,
        )

    def _change(self, key: int, issue: StagedIssue) -> Change | None:
        if issue.fix is None:
            return None
        return Change(
            sha=issue.fix, label=f"{issue.fix[:7]} closes #{key}", url=self._issue_url(key), at=issue.closed_at
        )

    def _release(self, board: Board, key: int, release: StagedRelease) -> Release:
        drafted = release.standing == "draft"
        return Release(
            remote_id=str(key),
            label=release.label,
            url=self._release_url(key),
            sha=board.sha_of_release(key, release),
            draft=drafted,
            prerelease=release.standing == "prerelease",
            published_at=None if drafted else release.published_at,
            exists=not release.deleted,
        )


def _id(text: str, what: str) -> int:
    """An id of this board, which counts; it gives out no other kind."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise OutsideError(f"the {what} '{text[:40]}' is not one of the rehearsal board", "invalid")
    return int(text)


TRACKER: type[Tracker] = Rehearsal

"""What a tracker's policy would do to the loops that wait: read and judged now, and nothing written down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.rules import platforms, shipping
from app.rules.facts import IssueReading
from app.rules.following import follow_verdict
from app.steps.connect import check_code, checked
from app.steps.hear_tracker import refutation_of
from app.steps.link import NotFoundError
from app.steps.read import UnreadError, read_issue
from app.steps.river import River, policy_of
from app.store import accounts, issues, loops
from app.store.tables import Identity, Issue, Loop, Tracker

MOST_ISSUES = 25
"""Issues that one preview reads, those with the most people waiting first: each costs the tracker several calls."""

AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would become of one waiting loop, and why."""

    loop: Loop
    identity: Identity
    issue: Issue
    is_told: bool
    why: str


@dataclass(slots=True)
class Preview:
    """The loops looked at, those that would be told first; `unread` counts issues beyond `MOST_ISSUES`."""

    foreseen: list[Foreseen] = field(default_factory=list)
    issues: int = 0
    unread: int = 0

    @property
    def told(self) -> list[Foreseen]:
        """Those whose customers would be told once the settle time is over."""
        return [one for one in self.foreseen if one.is_told]

    @property
    def waiting(self) -> list[Foreseen]:
        """Those that would go on waiting."""
        return [one for one in self.foreseen if not one.is_told]


async def preview_policy(river: River, tracker_id: int, settings: Mapping[str, Any]) -> Preview:
    """Judge what waits by these settings, merged into the stored ones. NotFoundError, BadFieldsError, OutsideError.

    Every issue is read anew, because another policy may rest on what the present one never reads. An issue that
    cannot be read leaves its loops waiting, with the reason.
    """
    async with river.db.read() as session:
        row = await accounts.get(session, Tracker, tracker_id)
        if row is None:
            raise NotFoundError(f"there is no tracker {tracker_id}")
        found, total = await issues.waited_for(session, tracker_id=tracker_id, limit=MOST_ISSUES)
        waiting = await loops.waiting_of(session, [issue.id for issue in found])
    own, _ = checked(river.outside.tracker_type(row.kind), {**row.settings, **settings}, river.outside.opened(row))
    await check_code(river, own)
    imagined = Tracker(
        id=row.id,
        kind=row.kind,
        name=row.name,
        settings=own.model_dump(mode="json"),
        secrets=row.secrets,
        remote_id=row.remote_id,
        facts=row.facts,
        version=row.version,
    )
    policy, line = policy_of(imagined), asyncio.Semaphore(AT_ONCE)
    tracker, client = river.outside.imagined(imagined)

    async def read(issue: Issue) -> IssueReading | str:
        async with line:
            try:
                return await read_issue(river, imagined, tracker, issue)
            except UnreadError as unread:
                return f"it could not be read: {unread.error.message}"

    try:
        readings = await asyncio.gather(*(read(issue) for issue in found))
    finally:
        await client.aclose()
    preview = Preview(issues=len(found), unread=total - len(found))
    for issue, reading in zip(found, readings, strict=True):
        for loop, identity in waiting.get(issue.id, []):
            on = platforms.tagged(policy.platforms, loop.tags)
            verdict = reading if isinstance(reading, str) else shipping.judge(reading, policy, on)
            preview.foreseen.append(_foresee(loop, identity, issue, verdict))
    preview.foreseen.sort(key=lambda one: not one.is_told)
    return preview


def _foresee(loop: Loop, identity: Identity, issue: Issue, verdict: shipping.Verdict | str) -> Foreseen:
    if isinstance(verdict, str):
        return Foreseen(loop, identity, issue, is_told=False, why=verdict)
    if loop.state == "reopened":
        return Foreseen(loop, identity, issue, is_told=False, why="its customer says it is still broken")
    course = follow_verdict(verdict, refutation=refutation_of(loop))
    return Foreseen(loop, identity, issue, is_told=course.goal == "shipped", why=course.why)

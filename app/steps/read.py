"""Reading an issue whole: what its own tracker says, and, where another tracker holds its code, the proof from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.outside import setting
from app.ports import CodeHost, OutsideError
from app.ports import Tracker as Adapter
from app.rules.facts import IssueReading
from app.steps.river import River, platforms_of, policy_of
from app.store import accounts
from app.store.session import Session
from app.store.tables import Issue, Tracker


class UnreadError(Exception):
    """An issue that cannot be read. `at` is the tracker where that went wrong: its own, or the one with its code."""

    def __init__(self, at: Tracker, error: OutsideError) -> None:
        super().__init__(error.message)
        self.at, self.error = at, error


class NoCodeError(Exception):
    """The tracker that is to hold the code cannot: the message says why."""


async def read_issue(river: River, tracker: Tracker, adapter: Adapter, issue: Issue) -> IssueReading:
    """Everything about one issue, from both sides where there are two. UnreadError where either cannot be read.

    Without the other side nothing is known, not even by the versions of this one. No transaction may be open.
    """
    try:
        reading = await adapter.read(issue.remote_id or "", ref=issue.ref)
    except OutsideError as error:
        raise UnreadError(tracker, error) from error
    facts, policy = reading.facts, policy_of(tracker)
    if (
        not setting(tracker, "code_tracker", "")
        or policy.shipped_when == "closed"
        or facts.state != "closed"
        or facts.outcome != "fixed"
    ):
        return reading
    async with river.db.read() as session:
        try:
            code = await find_code(river, session, tracker.settings)
        except NoCodeError as error:
            raise UnreadError(tracker, OutsideError(str(error), "misconfigured")) from error
    try:
        if code.resume_at is not None and code.resume_at > river.now():
            words = f"asks us to wait until {code.resume_at:%H:%M:%S} UTC"
            raise OutsideError(words, "transient", retry_at=code.resume_at)
        host = river.outside.tracker(code)
        if not isinstance(host, CodeHost):
            raise TypeError(f"{code.kind} holds no code")
        proven = await host.code_naming(facts.ref, facts, shipped_when=policy.shipped_when, platforms=policy.platforms)
    except OutsideError as error:
        # What it may not read, it may not read for any issue: that is for an admin to mend.
        kind = "misconfigured" if error.kind in {"forbidden", "gone", "invalid"} else error.kind
        raise UnreadError(code, OutsideError(f"{code.name}: {error.message}", kind, retry_at=error.retry_at)) from error
    return replace(proven, versions=None)


async def find_code(river: River, session: Session, settings: Mapping[str, Any]) -> Tracker:
    """The connected tracker with the code of one with these settings. NoCodeError where there is none that will do."""
    number = str(settings.get("code_tracker"))
    found = None
    if number.isascii() and number.isdigit() and len(number) < 18:
        found = await accounts.get(session, Tracker, int(number))
    if found is None:
        raise NoCodeError(f"the repository with its code (tracker {number:.20}) is not connected: choose another")
    if not issubclass(river.outside.tracker_type(found.kind), CodeHost):
        raise NoCodeError(f"{found.name} holds no code: choose a connected repository")
    if platforms_of(found) and not settings.get("platforms"):
        # Otherwise the first platform's release would be told to the customers of all.
        raise NoCodeError(f"{found.name} ships to several platforms: enter them here, too")
    return found


async def lacks_code(river: River, session: Session, tracker: Tracker) -> str:
    """What keeps a tracker's code from being read, where an admin has to choose anew; else nothing."""
    try:
        if setting(tracker, "code_tracker", ""):
            await find_code(river, session, tracker.settings)
    except NoCodeError as error:
        return str(error)
    return ""

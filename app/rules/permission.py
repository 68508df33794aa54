"""May we speak? Before a reply is owed, at the last look before it leaves, and after an answer was lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.rules.facts import Mode, OwnReply, ReplyKind, ThreadLook, Visibility
from app.rules.rereading import GONE
from app.rules.shipping import is_newer_than

CLOCK_SKEW = timedelta(minutes=2)
"""How far a network's clock may be from ours before we misjudge what was said first."""

GIVE_UP_AFTER = timedelta(days=7)
LONGEST_WAIT = timedelta(hours=1)
KEY_LIVES = timedelta(minutes=55)
"""Mastodon keeps an Idempotency-Key for an hour; a little less is safe."""


@dataclass(frozen=True, slots=True)
class Yes:
    """Speak. `approved_first` asks for a person's signature before."""

    approved_first: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Make the reply, and keep it until a person or a change lets it go."""

    why: str


@dataclass(frozen=True, slots=True)
class No:
    """Make no reply at all. `asks` says whether a person has to decide what becomes of the loop, which else goes on without."""

    why: str
    asks: bool = True


Permission = Yes | Hold | No


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What is known when a reply is owed."""

    kind: ReplyKind
    mode: Mode
    visibility: Visibility
    said_at: datetime
    shipped_at: datetime
    silent_why: str
    """Why the customer is not answered automatically; empty where they may be."""
    told_why: str
    """How the same person is told the same elsewhere; empty where they are not."""
    is_weak: bool
    issue_held_why: str
    automatic_replies_so_far: int
    automatic_replies_allowed: int
    is_gone: bool = False


def may_owe(occasion: Occasion) -> Permission:
    """Whether an automatic reply is made for a loop whose issue shipped."""
    if occasion.is_gone:
        return No(GONE, asks=False)
    if occasion.silent_why:
        return No(occasion.silent_why, asks=False)
    if occasion.told_why:
        return No(occasion.told_why, asks=False)
    if occasion.visibility == "private":
        return No("the post is not public: a person may answer it, nothing goes out by itself")
    if occasion.automatic_replies_so_far >= occasion.automatic_replies_allowed:
        return No("this network allows no further automatic reply to this post")
    if not is_newer_than(occasion.shipped_at, occasion.said_at):
        return Hold("the post is newer than the release: they may already have it")
    if occasion.issue_held_why:
        return Hold(f"not for customers yet: {occasion.issue_held_why}")
    return Yes(approved_first=occasion.mode == "approve")


@dataclass(frozen=True, slots=True)
class Go:
    """Nothing stands in the way."""


@dataclass(frozen=True, slots=True)
class AlreadySaid:
    """The thread holds this very reply: an earlier attempt whose answer was lost."""

    own: OwnReply


@dataclass(frozen=True, slots=True)
class NotThere:
    """The thread does not hold it, and the look can be trusted."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Too early, or not surely enough read, to conclude anything."""

    at: datetime
    why: str


def before_sending(
    look: ThreadLook,
    *,
    text: str,
    ledger: frozenset[str],
    owed_at: datetime,
    first_attempt_at: datetime | None,
    reads_the_same: Callable[[str, str], bool],
) -> Go | AlreadySaid | Hold:
    """The last look before the call. `ledger` holds the external ids of all replies we know we made.

    What the brand said before the reply was owed is context. What it said after that and is not in
    the ledger is either this reply (an earlier attempt got through) or a person's own answer, and
    then the reply is held.
    """
    if look.post.locked:
        return Hold(look.locked_why or "the thread takes no more replies")
    if look.post.visibility == "private":
        return Hold("the post is no longer public")
    strangers = [own for own in look.own_replies if own.external_id not in ledger]
    if first_attempt_at is not None:
        mine = _lost(strangers, text=text, first_attempt_at=first_attempt_at, reads_the_same=reads_the_same)
        if mine is not None:
            return AlreadySaid(mine)
    if any(own.created_at > owed_at for own in strangers):
        return Hold("somebody already answered there by hand")
    return Go()


def after_a_lost_answer(
    look: ThreadLook,
    *,
    text: str,
    ledger: frozenset[str],
    first_attempt_at: datetime,
    now: datetime,
    absent_from: datetime,
    absent_at: datetime | None,
    apart: timedelta,
    reads_the_same: Callable[[str, str], bool],
) -> AlreadySaid | NotThere | LookAgain:
    """Whether an attempt with an unknown outcome got through.

    Finding it counts at any time. Not finding it counts only after `absent_from`, when the call can
    no longer be on its way, and only when two looks at least `apart` say so.
    """
    strangers = [own for own in look.own_replies if own.external_id not in ledger]
    mine = _lost(strangers, text=text, first_attempt_at=first_attempt_at, reads_the_same=reads_the_same)
    if mine is not None:
        return AlreadySaid(mine)
    if not look.authoritative:
        return LookAgain(now + LONGEST_WAIT / 12, "the network did not show the whole thread")
    if now < absent_from:
        return LookAgain(absent_from, "not found yet, but the call may still be on its way")
    if absent_at is None:
        return LookAgain(now + apart, "not found; one more look makes sure")
    if now < absent_at + apart:
        return LookAgain(absent_at + apart, "not found; one more look makes sure")
    return NotThere()


def _lost(
    strangers: list[OwnReply], *, text: str, first_attempt_at: datetime, reads_the_same: Callable[[str, str], bool]
) -> OwnReply | None:
    """The reply of ours that was made after the first attempt began, is in no ledger, and says the frozen text."""
    for own in strangers:
        if own.created_at >= first_attempt_at - CLOCK_SKEW and reads_the_same(text, own.text):
            return own
    return None


def wait_after(failures: int, *, first: timedelta) -> timedelta:
    """How long to wait after the n-th failure in a row: `first`, doubling, up to an hour."""
    doublings: int = 2 ** min(max(failures - 1, 0), 20)
    return min(first * doublings, LONGEST_WAIT)


def is_too_old(failing_since: datetime | None, now: datetime) -> bool:
    """Whether a reply has failed for so long that a person has to decide."""
    return failing_since is not None and now - failing_since > GIVE_UP_AFTER

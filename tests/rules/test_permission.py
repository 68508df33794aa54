"""When we may speak: before a reply is owed, at the last look, and after an answer was lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules import permission
from app.rules.facts import Author, OwnReply, Post, ThreadLook
from app.rules.permission import AlreadySaid, Go, Hold, LookAgain, No, NotThere, Occasion, Yes
from app.rules.quoting import same_text

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
APART = timedelta(seconds=20)

OCCASION = Occasion(
    kind="fixed",
    mode="automatic",
    visibility="public",
    said_at=NOW - timedelta(days=1),
    shipped_at=NOW,
    silent_why="",
    told_why="",
    is_weak=False,
    issue_held_why="",
    automatic_replies_so_far=0,
    automatic_replies_allowed=1,
)

POST = Post(
    external_id="1",
    canonical_id="https://m.example/1",
    url="https://m.example/@ana/1",
    author=Author(external_id="ana", handle="@ana"),
    text="Export hangs",
    created_at=NOW - timedelta(days=1),
    raw="{}",
)


def own(text: str = "It is out.", *, at: datetime = NOW, number: str = "9") -> OwnReply:
    return OwnReply(external_id=number, url=f"https://m.example/{number}", text=text, created_at=at)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, Yes()),
        ({"mode": "approve"}, Yes(approved_first=True)),
        ({"mode": "dry_run"}, Yes()),
        ({"visibility": "unlisted"}, Yes()),
        ({"visibility": "private"}, No("the post is not public: a person may answer it, nothing goes out by itself")),
        ({"silent_why": "they asked"}, No("they asked", asks=False)),
        ({"told_why": "told there"}, No("told there", asks=False)),
        ({"automatic_replies_so_far": 1}, No("this network allows no further automatic reply to this post")),
        ({"said_at": NOW + MINUTE}, Hold("the post is newer than the release: they may already have it")),
        ({"issue_held_why": "5 % rollout"}, Hold("not for customers yet: 5 % rollout")),
    ],
)
def test_a_reply_is_owed_only_where_it_may_be(change: dict[str, object], expected: permission.Permission) -> None:
    assert permission.may_owe(replace(OCCASION, **change)) == expected  # type: ignore[arg-type]


def last_look(*replies: OwnReply, post: Post = POST, **more: object) -> Go | AlreadySaid | Hold:
    arguments: dict[str, object] = {
        "text": "@ana It is out.",
        "ledger": frozenset(),
        "owed_at": NOW,
        "first_attempt_at": None,
        "reads_the_same": same_text,
    }
    return permission.before_sending(ThreadLook(post=post, own_replies=replies), **{**arguments, **more})  # type: ignore[arg-type]


def test_nothing_in_the_way_lets_it_go() -> None:
    assert last_look() == Go()


def test_what_the_brand_said_before_the_reply_was_owed_is_context() -> None:
    assert last_look(own("We are looking into it.", at=NOW - MINUTE)) == Go()


def test_a_persons_answer_after_that_holds_it() -> None:
    assert isinstance(last_look(own("Fixed, have a look!", at=NOW + MINUTE)), Hold)


def test_a_reply_of_ours_that_the_ledger_knows_holds_nothing() -> None:
    assert last_look(own(at=NOW + MINUTE), ledger=frozenset({"9"})) == Go()


def test_the_same_text_after_our_first_attempt_is_that_attempt() -> None:
    said = own(at=NOW + MINUTE)
    assert last_look(said, first_attempt_at=NOW + MINUTE) == AlreadySaid(said)


def test_the_same_text_before_our_first_attempt_is_not_ours() -> None:
    early = own(at=NOW - timedelta(days=3))
    assert last_look(early, first_attempt_at=NOW + MINUTE) == Go()


def test_a_locked_thread_or_a_post_made_private_holds_it() -> None:
    assert isinstance(last_look(post=replace(POST, locked=True)), Hold)
    assert isinstance(last_look(post=replace(POST, visibility="private")), Hold)


def lost(*replies: OwnReply, now: datetime, absent_at: datetime | None = None, authoritative: bool = True) -> object:
    return permission.after_a_lost_answer(
        ThreadLook(post=POST, own_replies=replies, authoritative=authoritative),
        text="@ana It is out.",
        ledger=frozenset(),
        first_attempt_at=NOW,
        now=now,
        absent_from=NOW + APART,
        absent_at=absent_at,
        apart=APART,
        reads_the_same=same_text,
    )


def test_finding_it_counts_at_any_time() -> None:
    said = own(at=NOW)
    assert lost(said, now=NOW) == AlreadySaid(said)


def test_not_finding_it_while_it_may_be_on_its_way_proves_nothing() -> None:
    assert lost(now=NOW + timedelta(seconds=1)) == LookAgain(
        NOW + APART, "not found yet, but the call may still be on its way"
    )


def test_one_look_is_not_enough_and_two_far_apart_are() -> None:
    first = NOW + APART
    assert isinstance(lost(now=first), LookAgain)
    assert isinstance(lost(now=first + APART - timedelta(seconds=1), absent_at=first), LookAgain)
    assert lost(now=first + APART, absent_at=first) == NotThere()


def test_a_look_that_may_have_missed_something_proves_nothing() -> None:
    assert isinstance(lost(now=NOW + timedelta(days=1), absent_at=NOW + APART, authoritative=False), LookAgain)


@given(st.lists(st.integers(0, 200), min_size=1, max_size=12, unique=True).map(sorted), st.integers(0, 200))
def test_whatever_the_looks_it_is_never_given_up_while_it_can_still_arrive(looks: list[int], arrives: int) -> None:
    """Arriving at most 2 × 20 s after the call ended, it is always found before anybody may speak again."""
    arrival = NOW + timedelta(seconds=min(arrives, 39))
    absent_at = None
    for second in looks:
        now = NOW + timedelta(seconds=second)
        replies = (own(at=arrival),) if arrival <= now else ()
        conclusion = lost(*replies, now=now, absent_at=absent_at)
        if isinstance(conclusion, NotThere):
            pytest.fail("given up while it was on its way")
        if isinstance(conclusion, AlreadySaid):
            return
        if absent_at is None and now >= NOW + APART:
            absent_at = now


@given(st.integers(1, 60))
def test_waits_double_up_to_an_hour(failures: int) -> None:
    wait = permission.wait_after(failures, first=timedelta(seconds=30))
    assert timedelta(seconds=30) <= wait <= timedelta(hours=1)
    assert permission.wait_after(failures + 1, first=timedelta(seconds=30)) >= wait


def test_after_seven_days_a_person_decides() -> None:
    assert not permission.is_too_old(NOW, NOW + timedelta(days=7))
    assert permission.is_too_old(NOW, NOW + timedelta(days=7, seconds=1))
    assert not permission.is_too_old(None, NOW)

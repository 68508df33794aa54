"""Lawful moves, and nothing but lawful moves."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules import hearing
from app.rules.following import follow_answer
from app.rules.progress import (
    LOOP_ORDER,
    LoopState,
    ReplyState,
    UnlawfulMoveError,
    can_loop_move,
    can_reply_move,
    move_loop,
    move_reply,
)

REPLY_STATES = get_args(ReplyState)


def test_the_seven_steps_follow_one_another() -> None:
    for before, after in pairwise(LOOP_ORDER):
        assert move_loop(before, after) == after


@pytest.mark.parametrize("after", [state for state in REPLY_STATES if state != "posted"])
def test_what_was_posted_stays_posted(after: ReplyState) -> None:
    with pytest.raises(UnlawfulMoveError):
        move_reply("posted", after)


def test_only_a_claim_leads_to_sending() -> None:
    assert [state for state in REPLY_STATES if state != "sending" and can_reply_move(state, "sending")] == ["scheduled"]


def test_an_unknown_reply_is_never_claimed_again_without_a_look() -> None:
    assert not can_reply_move("unknown", "sending")


def test_what_was_said_is_not_unsaid() -> None:
    assert not can_loop_move("told", "shipped")


HEARD = st.sampled_from(
    [hearing.Confirmed(why="c"), hearing.StillBroken(why="b"), hearing.Unsure(why="u"), hearing.OptOut(why="o")]
)


@given(HEARD, st.booleans(), st.booleans(), st.sampled_from(get_args(LoopState)))
def test_only_the_customer_we_told_confirms_reopens_or_opts_out(
    heard: hearing.Heard, by_the_same: bool, by_a_guest: bool, state: LoopState
) -> None:
    answer = follow_answer(heard, by_the_same=by_the_same, by_a_guest=by_a_guest, loop_state=state)
    joined = follow_answer(
        heard, by_the_same=by_the_same, by_the_same_person=True, by_a_guest=by_a_guest, loop_state=state
    )
    if isinstance(heard, hearing.OptOut):
        assert joined.does == ("ask" if by_a_guest else "suppress"), "a wish for silence is the whole person's"
    else:
        assert joined == answer, "a verification is not"
    if not by_the_same or by_a_guest:
        assert answer.does == "ask"
    if answer.does == "confirm":
        assert isinstance(heard, hearing.Confirmed)
        assert state == "told"
    if answer.does == "reopen":
        assert isinstance(heard, hearing.StillBroken)
        assert state in {"told", "verified"}
    if isinstance(heard, hearing.Unsure):
        assert answer.does == "ask"

"""States and lawful moves of loops and replies, in one table each, checked when this file is imported."""

from __future__ import annotations

from typing import Literal, get_args

LoopState = Literal["open", "linked", "fixed", "shipped", "told", "verified", "declined", "dropped", "reopened"]
ReplyState = Literal[
    "draft", "awaiting_approval", "scheduled", "sending", "posted", "held", "unknown", "refused", "cancelled"
]

LOOP_MOVES: dict[LoopState, frozenset[LoopState]] = {
    "open": frozenset({"linked", "dropped", "verified"}),
    "linked": frozenset({"open", "fixed", "shipped", "declined", "dropped", "verified", "told"}),
    "fixed": frozenset({"open", "linked", "shipped", "declined", "dropped", "verified", "told"}),
    "shipped": frozenset({"open", "linked", "fixed", "declined", "told", "dropped", "verified"}),
    "told": frozenset({"verified", "reopened", "dropped", "linked"}),
    "verified": frozenset({"reopened", "linked", "dropped"}),
    "declined": frozenset({"open", "linked", "fixed", "shipped", "dropped", "verified"}),
    "dropped": frozenset({"open", "linked"}),
    "reopened": frozenset({"linked", "open", "dropped", "verified"}),
}
"""A loop goes `open → linked → fixed → shipped → told → verified`.

`declined` and `dropped` are side exits, `reopened → linked` is the way back, and every step
before `told` is undone when its evidence is withdrawn. `told` never goes back to `shipped`:
what was said was said; withdrawn evidence then asks a person for a correction.
"""

REPLY_MOVES: dict[ReplyState, frozenset[ReplyState]] = {
    "draft": frozenset({"awaiting_approval", "scheduled", "held", "cancelled"}),
    "awaiting_approval": frozenset({"scheduled", "held", "cancelled", "draft"}),
    "scheduled": frozenset({"sending", "held", "cancelled", "awaiting_approval", "draft", "refused"}),
    "sending": frozenset({"posted", "scheduled", "refused", "unknown", "held", "cancelled"}),
    "unknown": frozenset({"posted", "scheduled", "held", "refused", "cancelled"}),
    "held": frozenset({"scheduled", "awaiting_approval", "cancelled", "draft", "posted", "unknown"}),
    "refused": frozenset({"scheduled", "held", "cancelled", "posted"}),
    "cancelled": frozenset({"awaiting_approval", "scheduled", "held"}),
    "posted": frozenset(),
}
"""`sending` is entered only by a claim and `posted` is final: nothing is ever sent from there again.

`held → unknown` is the way back of a reply that a person took over to post it by hand and gave back, while nobody
knew whether an earlier attempt had said it: the search goes on.
"""

LOOP_ORDER: tuple[LoopState, ...] = ("open", "linked", "fixed", "shipped", "told", "verified")


class UnlawfulMoveError(ValueError):
    """Somebody asked for a move the table does not have."""

    def __init__(self, kind: str, before: str, after: str) -> None:
        super().__init__(f"a {kind} cannot go from {before} to {after}")
        self.before, self.after = before, after


def can_loop_move(before: LoopState, after: LoopState) -> bool:
    """Whether the table has the move; staying is always lawful."""
    return before == after or after in LOOP_MOVES[before]


def can_reply_move(before: ReplyState, after: ReplyState) -> bool:
    """Whether the table has the move; staying is always lawful, except that `posted` is final."""
    return before == after or after in REPLY_MOVES[before]


def move_loop(before: LoopState, after: LoopState) -> LoopState:
    """The new state, or UnlawfulMoveError."""
    if not can_loop_move(before, after):
        raise UnlawfulMoveError("loop", before, after)
    return after


def move_reply(before: ReplyState, after: ReplyState) -> ReplyState:
    """The new state, or UnlawfulMoveError."""
    if not can_reply_move(before, after):
        raise UnlawfulMoveError("reply", before, after)
    return after


def _check() -> None:
    """Every state has a row, every move ends in a known state, and only claims lead to `sending`."""
    if set(LOOP_MOVES) != set(get_args(LoopState)) or set(REPLY_MOVES) != set(get_args(ReplyState)):
        raise AssertionError("a state has no row in its table of moves")
    if [s for s, after in REPLY_MOVES.items() if "sending" in after] != ["scheduled"]:
        raise AssertionError("only a scheduled reply may be claimed for sending")
    if REPLY_MOVES["posted"]:
        raise AssertionError("a posted reply is final")


_check()

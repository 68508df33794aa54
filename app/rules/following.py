"""How a loop follows: its issue's verdict, and its customer's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.rules import hearing, shipping
from app.rules.progress import LoopState

A_PERSON_DECIDES = "a person decides how this loop goes on"
REFUTED = "the customer says that this very fix does not work; waiting for another"


@dataclass(frozen=True, slots=True)
class Course:
    """Where a loop belongs, and why; `needs_person` is set where no rule can decide."""

    goal: LoopState
    why: str
    needs_person: str = ""


def follow_verdict(verdict: shipping.Verdict, *, refutation: shipping.Refutation | None) -> Course:
    """Where a waiting loop belongs under this verdict on its issue."""
    match verdict:
        case shipping.Shipped(fix=fix, fixed_at=at) | shipping.NotYet(is_fixed=True, fix=fix, fixed_at=at) if (
            not shipping.applies_after(fix=fix, fixed_at=at, refutation=refutation)
        ):
            return Course("linked", REFUTED)
        case shipping.Shipped():
            return Course("shipped", verdict.why)
        case shipping.NotYet(is_fixed=True, asks=True):
            return Course("fixed", verdict.why, f"{verdict.why}: {A_PERSON_DECIDES}")
        case shipping.NotYet(is_fixed=True):
            return Course("fixed", verdict.why)
        case shipping.NotYet():
            return Course("linked", verdict.why)
        case shipping.NotFixed(outcome="declined"):
            return Course("declined", verdict.why)
        case shipping.NotFixed() | shipping.Gone():
            return Course("linked", verdict.why, f"{verdict.why}: {A_PERSON_DECIDES}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer does to its loop: `confirm`, `reopen`, `suppress` the customer, `keep` as it is, or `ask` a person."""

    does: Literal["confirm", "reopen", "suppress", "keep", "ask"]
    why: str


def follow_answer(
    heard: hearing.Heard,
    *,
    by_the_same: bool,
    by_a_guest: bool,
    loop_state: LoopState,
    by_the_same_person: bool = False,
) -> Answer:
    """Only the customer we told confirms, reopens or opts out; everything unsure goes to a person.

    `by_the_same` is the very identity that we told, `by_the_same_person` any that somebody joined to it: enough
    for a wish for silence, not for a verification.
    """
    if isinstance(heard, hearing.OptOut) and (by_the_same or by_the_same_person) and not by_a_guest:
        return Answer("suppress", "the customer asked not to be answered automatically")
    if not by_the_same:
        return Answer("ask", f"somebody else answered: {heard.why}")
    if by_a_guest:
        return Answer("ask", f"a guest answered: {heard.why}")
    if loop_state not in {"told", "verified"}:
        return Answer("ask", f"an answer outside of a told loop: {heard.why}")
    match heard:
        case hearing.Confirmed(why=why):
            return Answer("confirm" if loop_state == "told" else "keep", why)
        case hearing.StillBroken(why=why):
            return Answer("reopen", why)
        case hearing.Unsure(why=why) | hearing.OptOut(why=why):
            return Answer("ask", f"the customer's answer needs a person: {why}")

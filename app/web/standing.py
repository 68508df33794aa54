"""Where a loop or a reply stands, in a picture and in words: the ring, the clock, and what happens next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from markupsafe import Markup, escape

from app.ports import Price
from app.rules.progress import LoopState, ReplyState
from app.store.tables import Account, Issue, Loop, Reply, Shipment, Tracker
from app.web.access import Right
from app.web.drawing import dollars, ring, web_link

Status = Literal["", "done", "now", "back"]


@dataclass(frozen=True, slots=True)
class Step:
    """One of the seven steps of a loop. `before` is when the step before it was done."""

    name: str
    at: datetime | None
    before: datetime | None
    status: Status


def steps_of(loop: Loop) -> tuple[Step, ...]:
    """The ring and the clock."""
    times = {
        "Seen": loop.seen_at,
        "Tagged": loop.tagged_at,
        "Linked": loop.linked_at,
        "Fixed": loop.fixed_at,
        "Shipped": loop.shipped_at,
        "Told": loop.told_at,
        "Verified": loop.verified_at,
    }
    names = list(times)
    last = max(at for at, name in enumerate(names) if times[name] is not None)
    goes_on = loop.state not in {"declined", "dropped", "verified"} and not (loop.state == "shipped" and loop.untold)
    steps: list[Step] = []
    before: datetime | None = None
    for at, name in enumerate(names):
        moment = times[name]
        status: Status = "done" if moment is not None else "now" if at == last + 1 and goes_on else ""
        if name == "Verified" and moment is None and loop.verification == "still_broken":
            status = "back"
        steps.append(Step(name, moment, before, status))
        before = moment or before
    return tuple(steps)


LOOP_WORDS: dict[LoopState, str] = {
    "open": "Open",
    "linked": "Linked",
    "fixed": "Fixed",
    "shipped": "Shipped",
    "told": "Told",
    "verified": "Verified",
    "declined": "Declined",
    "dropped": "Dropped",
    "reopened": "Reopened",
}

LOOP_KIND: dict[LoopState, str] = {
    "open": "wait",
    "linked": "",
    "fixed": "accent",
    "shipped": "good",
    "told": "good",
    "verified": "good",
    "declined": "",
    "dropped": "",
    "reopened": "bad",
}
"""The colour of a state: green happened, amber waits for a person here, red needs one."""


def ring_of(loop: Loop, size: str = "") -> Markup:
    """A loop's ring, with words for those who cannot see it."""
    steps = steps_of(loop)
    done = [step.status for step in steps].count("done")
    return ring(steps, size, label=f"{LOOP_WORDS[loop.state]}: {done} of 7 steps")  # type: ignore[index]


def next_words(loop: Loop, issue: Issue | None, reply: Reply | None) -> str:
    """What happens next, and who has to do it."""
    if loop.state == "shipped" and loop.untold and not loop.needs_person:
        return "Nothing is said here by itself, and nobody has to do anything."
    if reply is not None and reply.hand_at is not None:
        return "Next: somebody posts the reply by hand, where no API can, and says so here."
    if reply is not None and reply.state in _NEXT_OF_REPLY and loop.state in {"shipped", "linked", "fixed"}:
        return _NEXT_OF_REPLY[reply.state]
    ref = issue.ref if issue is not None and issue.ref else "the issue"
    words: dict[str, str] = {
        "open": "Next: link an issue, and the loop moves on by itself when that is fixed.",
        "linked": f"Next: engineers close {ref} as fixed. It is watched; nobody has to do anything here.",
        "fixed": "Next: a release has to contain the fix. It is watched; nobody has to do anything here.",
        "shipped": "Next: a reply is made.",
        "told": "Next: the customer answers. ‘It works’ closes the loop, ‘still broken’ opens it again.",
        "verified": "The circle is closed.",
        "declined": "Nothing is said by itself. Sign the answer laid ready, write your own, or drop the loop.",
        "dropped": "Nothing more happens, unless somebody takes it up again.",
        "reopened": f"Next: engineers hear of it on {ref}, then the loop waits for another fix.",
    }
    return words[loop.state]


_NEXT_OF_REPLY = {
    "draft": "Next: an approver decides whether the draft is said.",
    "awaiting_approval": "Next: an approver reads the reply and lets it go.",
    "scheduled": "Next: when its time has come, the evidence is read once more, and the reply goes out.",
    "sending": "The reply is on its way.",
    "held": "The reply is held: it stays here until somebody lets it go.",
    "unknown": "Nobody knows yet whether the reply was said; the thread is looked at before anything else happens.",
    "refused": "The network refused the reply: try again, or answer by hand.",
}

REPLY_WORDS: dict[ReplyState, str] = {
    "draft": "Draft",
    "awaiting_approval": "Waits for approval",
    "scheduled": "Goes out",
    "sending": "Being said",
    "posted": "Said",
    "held": "Held",
    "unknown": "Unknown whether it was said",
    "refused": "Refused",
    "cancelled": "Cancelled",
}

REPLY_KIND: dict[ReplyState, str] = {
    "draft": "",
    "awaiting_approval": "wait",
    "scheduled": "accent",
    "sending": "accent",
    "posted": "good",
    "held": "wait",
    "unknown": "bad",
    "refused": "bad",
    "cancelled": "",
}

KIND_WORDS = {
    "ack": "acknowledgement",
    "progress": "progress",
    "fixed": "fixed",
    "outcome": "outcome",
    "correction": "correction",
}


@dataclass(frozen=True, slots=True)
class Deed:
    """A button: what it does, its word, its key, how it looks."""

    name: str
    label: str
    key: str = ""
    kind: str = ""
    right: Right = "approval"


_HOLD, _CANCEL = Deed("hold", "Hold", "h"), Deed("cancel", "Cancel", "x", "plain bad")
_TAKE = Deed("take-over", "Post it myself", "p")

REPLY_DEEDS: dict[ReplyState, tuple[Deed, ...]] = {
    "draft": (Deed("approve", "Approve", "a", "main"), _CANCEL),
    "awaiting_approval": (Deed("approve", "Approve", "a", "main"), _HOLD, _CANCEL),
    "scheduled": (_HOLD, _TAKE, _CANCEL),
    "sending": (),
    "posted": (),
    "held": (Deed("release", "Release", "r", "main"), _TAKE, _CANCEL),
    "unknown": (Deed("retry", "Look in the thread now", "r"), _TAKE),
    "refused": (Deed("retry", "Try again", "r", "main"), _TAKE, _CANCEL),
    "cancelled": (Deed("retry", "Try again", "r"),),
}
"""What a person can do with a reply in each state, besides editing its text."""


def deeds_of(reply: Reply) -> tuple[Deed, ...]:
    """The same for one reply. A task to post by hand has buttons of its own, and can be cancelled."""
    return (_CANCEL,) if reply.hand_at is not None else REPLY_DEEDS[reply.state]  # type: ignore[index]


def heading_of(reply: Reply) -> str:
    """What its text is to the public."""
    if reply.hand_at is not None:
        return "What is to be posted"
    return {"posted": "What was said", "cancelled": "What was not said"}.get(reply.state, "What will be said")


def marked(text: str, shipment: Shipment | None) -> Markup:
    """A public text with the parts marked that came from the release."""
    parts = (shipment.public_url, shipment.public_label) if shipment is not None else ()
    return _marked(text, *parts)


def marked_word(text: str, word: str) -> Markup:
    """A public text with one word marked, wherever it stands."""
    return _marked(text, word)


def _marked(text: str, *parts: str) -> Markup:
    """Each part is marked wherever it stands; the longest wins where one holds another."""
    wanted = sorted({part for part in parts if part}, key=len, reverse=True)
    if not wanted:
        return escape(text)
    pieces = re.split("|".join(f"({re.escape(part)})" for part in wanted), text)
    found = set(wanted)
    return Markup("").join(
        Markup("<mark>{0}</mark>").format(piece) if piece in found else escape(piece) for piece in pieces if piece
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A line of proof."""

    holds: bool
    label: str
    url: str
    at: datetime | None


def proof(issue: Issue, shipment: Shipment | None, *, platform: str = "") -> list[Line]:
    """The evidence, a line a fact, and at its end what is still missing for customers on this platform."""
    evidence: list[dict[str, Any]] = shipment.evidence if shipment is not None else issue.evidence
    lines = [
        Line(
            True,
            str(item["label"]),
            web_link(str(item["url"])),
            datetime.fromisoformat(item["at"]) if item.get("at") else None,
        )
        for item in evidence
    ]
    if shipment is None:
        lines.append(Line(False, issue.why_on(platform) or "it was not looked at yet", "", None))
    return lines


def costs(price: Price) -> str:
    """What saying a text costs, and why it is dear: `Costs $0.20: README.md becomes a link.`"""
    return f"Costs {dollars(price.usd)}: {price.why}." if price.why else f"Costs {dollars(price.usd)}."


ENDS_SOON = timedelta(days=7)

Kind = Literal["", "wait", "bad"]


def limits(row: Account | Tracker) -> list[tuple[str, Any]]:
    """What is left of a network's limits, in its words, what remains first; a database may keep them in another order."""
    named = sorted(row.quota.items(), key=lambda item: ("remaining" not in item[0], "limit" not in item[0], item[0]))
    return [(name.replace("_", " "), value) for name, value in named]


def access_kind(row: Account | Tracker, now: datetime) -> Kind:
    """How urgent the end of a connection's access is."""
    if row.expires_at is None or row.expires_at > now + ENDS_SOON:
        return ""
    return "wait" if row.expires_at > now else "bad"


def health_kind(row: Account | Tracker, now: datetime) -> Kind:
    """How a connection is: it fails, it soon may, or all is well."""
    return "bad" if not row.ok else access_kind(row, now) and "wait"

"""What a second reading of a post tells: when it is due, what an edit changes, and what is left of words that are gone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.rules.facts import Post

EVERY = timedelta(hours=20)
"""How long after one reading of a post the next is due.

Four hours are left of the day: room for a queue, a worker that stood still or a network that asked us to wait.
"""

PAUSE = timedelta(seconds=20)
"""Between two batches of one account. 4,320 batches fit into a day: 86,400 posts where 20 are read in one call, and
21,600 where each needs a call of its own, and 5 make a batch. 10,000 posts that fall due at one moment are through in
less than three hours where 20 are read at once, well within the four that are left of the day."""

ALONE = 5
"""Posts in a batch where a network reads them one by one."""

GONE = "the customer's post is gone"
CHANGED = "the customer changed the post since: read it again"
PRIVATE = "the customer's post is not public any more"

WITHDRAWN = "(its author deleted the post since)"
"""Stands in our own texts where a quote stood."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The network does not have it any more."""

    why: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """It is there, and we may not read it now: kept as a private post is, without a quote anywhere."""

    why: str


Reading = Post | Gone | Hidden


def says_the_same(before: str, after: str) -> bool:
    """Whether an edit changed nothing but white space."""
    return before.split() == after.split()


def is_suspicious(readings: Iterable[Reading]) -> bool:
    """Whether nothing of a batch can be read: the account may have lost its sight, rather than its posts their words."""
    return not any(isinstance(reading, Post) for reading in readings)


def without_quote(text: str, quote: str) -> str:
    """A text of ours for engineers without a customer's words in it; `quote` is as `quoting.neutralise` made it."""
    if not quote:
        return text
    return "\n".join(f"> {WITHDRAWN}" if line.strip() == f"> {quote}" else line for line in text.split("\n"))


def without_citation(why: str, heard: str) -> str:
    """A reason without the words that `heard` cites from an answer, as in: says 'still broken'."""
    for cited in _cited(heard):
        why = why.replace(f"'{cited}'", "'…'")
    return why


def _cited(heard: str) -> list[str]:
    """What stands in quotes there; two citations in one reason are found singly and as one."""
    whole = re.search(r"'(.*)'", heard, re.DOTALL)
    if whole is None:
        return []
    parts = whole[1].split("' and '")
    return [whole[1], *(parts if len(parts) > 1 else [])]


def due_after(read_at: datetime) -> datetime:
    """When a post is read again that was read at this moment."""
    return read_at + EVERY

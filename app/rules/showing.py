"""What engineers see on their issue: one block of Markdown that says who waits, edited in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from urllib.parse import quote, urlsplit

from app.rules.facts import Waiting
from app.rules.quoting import neutralise

SHOWN = 5
"""How many posts a block shows."""

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def block(
    waiting: Sequence[Waiting],
    *,
    total: int,
    mode: Literal["counts", "quotes"],
    marker: str,
    limit: int,
    shown: int = SHOWN,
) -> str:
    """The block as Markdown of at most `limit` characters, ending in the hidden `marker`.

    `total` counts everyone who waits, `waiting` may be fewer. 'counts' leaves names and words out:
    on a public repository the block is public itself. A post that is not public only counts.
    Nobody is ever mentioned, so an edit notifies nobody.
    """
    tail = f"\n\n<sub>Kept up to date by Fullcircle.</sub>\n<!-- fullcircle:{marker} -->"
    if total <= 0:
        return f"### Nobody waits for this any more{tail}"
    newest_first = sorted(waiting, key=lambda w: w.said_at, reverse=True)
    posts = [_post(w, mode) for w in newest_first if w.is_public and _link(w.permalink)][:shown]
    head = _head(newest_first, total)
    for count in range(len(posts), -1, -1):
        text = "\n\n".join([head, *_listed(posts[:count], rest=total - count, mode=mode)]) + tail
        if len(text) <= limit:
            return text
    return f"### {_customers(total)} for this{tail}"


def _head(waiting: Sequence[Waiting], total: int) -> str:
    lines = [f"### {_customers(total)} for this"]
    if waiting:
        lines.append(_summary(waiting, is_whole=len(waiting) >= total))
    reopened = sum(w.reopened for w in waiting)
    if reopened:
        lines.append(f"**Still broken after a fix for {reopened} of them.**")
    return "\n\n".join(lines)


def _customers(total: int) -> str:
    return "1 customer waits" if total == 1 else f"{total:,} customers wait"


def _channels(waiting: Sequence[Waiting], *, is_whole: bool) -> str:
    counts = Counter(w.channel.capitalize() for w in waiting)
    names = [
        f"{name} ({count:,})" if is_whole and len(counts) > 1 else name
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return "On " + (names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}")


def _summary(waiting: Sequence[Waiting], *, is_whole: bool) -> str:
    channels = _channels(waiting, is_whole=is_whole)
    since = _day(min(w.said_at for w in waiting))
    followers = sum(w.followers or 0 for w in waiting)
    if is_whole:
        reach = f" Their posts reach {followers:,} followers." if followers else ""
        return f"{channels}, since {since}.{reach}"
    reach = f" and reach {followers:,} followers" if followers else ""
    return f"{channels}. The newest {len(waiting):,} wrote since {since}{reach}."


def _listed(posts: Sequence[str], *, rest: int, mode: Literal["counts", "quotes"]) -> list[str]:
    more = [f"and {rest:,} more"] if posts and rest > 0 else []
    return [*posts, *more] if mode == "quotes" else ["\n".join([*posts, *(f"- {line}" for line in more)])] * bool(posts)


def _post(waiting: Waiting, mode: Literal["counts", "quotes"]) -> str:
    where = f"[{waiting.channel.capitalize()}, {_day(waiting.said_at)}]({_link(waiting.permalink)})"
    again = " (still broken)" if waiting.reopened else ""
    if mode == "counts":
        return f"- {where}{again}"
    return f"> {neutralise(waiting.quote)}\n\n{neutralise(waiting.handle, limit=80)}, {where}{again}"


def _link(permalink: str) -> str:
    """An address that stays inside its Markdown link; empty where it is no web address."""
    parts = urlsplit(permalink)
    return quote(permalink, safe="/:?#@!$&'*+,;=%~") if parts.scheme in {"http", "https"} and parts.netloc else ""


def _day(at: datetime) -> str:
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"

"""What engineers see: on their issue one block of Markdown that says who waits, on its pull request who will be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, urlsplit

from app.rules.characters import shorten
from app.rules.facts import Change, Waiting
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
    tail = _tail(marker)
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


def _tail(marker: str) -> str:
    return f"\n\n<sub>Kept up to date by Fullcircle.</sub>\n<!-- fullcircle:{marker} -->"


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


# On the pull request


_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Standing = Literal["awaited", "shipped", "lost", "moved", "left"]
"""What a pull request is to its issue: its fix, which no release has yet; its fix, and out; not its fix for now; not its
fix any more, since another is; or nothing that we speak of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """What is to be said on a pull request. `waiting` are those who would be told by themselves, `told` those who were.

    `words` is what most of them will read, with `customer` for a name and `version` for a release that is still to
    come (empty where it is known); without words, `words_why` says why there are none. `held_why` is None unless the
    issue is 'not for customers yet'. `page` is where that can be said.
    """

    standing: Standing
    title: str
    waiting: int
    told: int
    told_at: datetime | None
    held_why: str | None
    why: str
    words: str
    words_why: str
    customer: str
    version: str
    is_signed_first: bool
    page: str

    @property
    def is_worth_a_comment(self) -> bool:
        """Whether a first comment is made: only before the fix ships, and only if somebody will be told."""
        return self.standing == "awaited" and self.waiting > 0 and self.held_why is None


def pull_of(changes: Sequence[Change]) -> str:
    """The pull request that people are spoken to on: the last part of the fix that came by one; empty where none did.

    Only one beside the issue itself: who may read another repository is another question.
    """
    pulls = [change for change in changes if change.pull and not change.repository]
    return max(pulls, key=lambda change: (change.at or _LONG_AGO, change.pull)).pull if pulls else ""


def on_change(news: Foretold, *, marker: str, limit: int) -> str:
    """The comment as Markdown of at most `limit` characters, ending in the hidden `marker`; it mentions nobody."""
    for room in (2_000, 800, 300, 100):
        text = "\n\n".join(_said(news, room)) + _tail(marker)
        if len(text) <= limit:
            return text
    return f"{_said(news, 100)[0]}{_tail(marker)}"


def _said(news: Foretold, room: int) -> list[str]:
    """Its paragraphs, the first one a headline; no customer's or colleague's words take more than `room` characters."""
    why = f"{neutralise(news.why[:1].upper() + news.why[1:], limit=room)}."
    if news.standing == "left":
        return ["### Nothing is said here any more", "Fullcircle does not comment on this pull request now."]
    if news.standing == "moved":
        told = [f"{_told(news)}."] if news.told else []
        return ["### Nobody waits for this change any more", *told, "Another pull request is the fix now."]
    if news.told and news.standing == "lost":
        asks = "A person decides whether they get a correction."
        asks += f" {_customers(news.waiting)} on." if news.waiting else ""
        return [f"### {_told(news)}", f"**It does not hold any more:** {why}", asks, _page(news, "See who was told")]
    told = [f"{_told(news)} so far."] if news.told and news.standing == "awaited" else []
    if news.told and not news.waiting:
        return [f"### {_told(news)}", _page(news, "See what they answer")]
    if not news.waiting:
        return ["### Nobody waits for this any more", "Nothing will be said when it ships."]
    if news.held_why is not None:
        held = f"**Not for customers yet:** {neutralise(news.held_why, limit=room)}"
        waits = f"{_people(news.waiting)} would be told."
        return ["### Nobody is told of this yet", held, waits, _page(news, "Let them be told")]
    if news.standing == "lost":
        return ["### Nobody is told of this for now", why, f"{_customers(news.waiting)} on."]
    head = (
        f"### When this ships, {_people(news.waiting)} will be told"
        if news.standing == "awaited"
        else f"### This has shipped, and {_people(news.waiting + news.told)} are told"
    )
    for_what = f"Who waits for: {neutralise(news.title, limit=min(room, 200))}"
    return [head, *told, for_what, *_words(news, room), _page(news, "Not for customers yet? Hold it")]


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _told(news: Foretold) -> str:
    on = f" on {_day(news.told_at)}" if news.told_at is not None else ""
    return f"{_people(news.told)} {'was' if news.told == 1 else 'were'} told{on}"


def _words(news: Foretold, room: int) -> list[str]:
    if not news.words:
        return [f"What they will read cannot be shown: {neutralise(news.words_why, limit=room)}"]
    # A quote's lines: an empty one keeps the paragraphs of the text apart.
    lines = [f"> {neutralise(line, limit=room)}".rstrip() for line in shorten(news.words, room).split("\n")]
    stands = f"*{neutralise(news.customer)}* stands for a name"
    if news.version:
        stands += f", *{neutralise(news.version)}* for the release"
    signed = " An approver signs it first." if news.is_signed_first else ""
    return ["\n".join(lines), f"<sub>As most of them will read it; {stands}.{signed}</sub>"]


def _page(news: Foretold, what: str) -> str:
    return f"[{what}]({_link(news.page)})"

"""One person on several channels: are they told the same thing twice, and who may be the same?

Nobody is told the same shipment twice, unless they asked twice: in two threads in which they addressed
us by themselves, and not with one text posted to several networks. Docs: decisions/0013.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

ELSEWHERE = "the same person"
"""How the reason begins where somebody is told in another thread."""

MISSED = "shipped while the customer was not to be answered"
"""How the reason begins where a customer may be answered again and a person decides whether this is still news."""

_SILENCE = "answered automatically"

CUT_FROM = 30
"""Letters that a text must have to be taken for the beginning of a longer one: networks cut at different lengths."""

SHORTEST_NAME = 4
"""Letters; a shorter name is that of too many people to be a hint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one is told: that an issue's fix is out, for a platform, by this evidence."""

    issue_id: int
    platform: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The post that a loop's thread begins with for us: where it stands, how it came to us, and its words."""

    channel: str
    came_by: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A reply that tells a person of a fix. `is_out` says that the public reads it, or may already.

    `still_holds` is false once the customer answered that this very fix does not help.
    """

    reply_id: int | None
    loop_id: int
    channel: str
    state: str
    is_out: bool
    said_at: datetime | None
    url: str | None
    news: News
    still_holds: bool
    asking: Asking


def told_already(news: News, asking: Asking, others: Iterable[Saying]) -> Saying | None:
    """The reply by which the same person is told the same already, the surest first; None where this one may be said."""
    same = [one for one in others if is_same_news(news, one) and not are_both_asked(asking, one.asking)]
    return min(same, key=lambda one: (one.state != "posted", not one.is_out, one.reply_id or 0), default=None)


def is_same_news(news: News, other: Saying) -> bool:
    """The same evidence; or another proof that the same issue is fixed on the same platform, not refuted since."""
    if news.issue_id != other.news.issue_id:
        return False
    return news.digest == other.news.digest or (news.platform == other.news.platform and other.still_holds)


def are_both_asked(one: Asking, other: Asking) -> bool:
    """Whether the customer addressed us in both threads by themselves, each time anew."""
    if one.came_by != "network" or other.came_by != "network":
        return False
    return one.channel == other.channel or not is_crosspost(one.text, other.text)


def is_crosspost(one: str, other: str) -> bool:
    """Whether two posts say the same words, as far as networks let them: whom they address and link to may differ.

    Words that nobody can read (a picture, a post that was deleted) may have been the same.
    """
    shorter, longer = sorted((_words(one), _words(other)), key=len)
    return not shorter or shorter == longer or (len(shorter) >= CUT_FROM and longer.startswith(shorter))


def _words(text: str) -> str:
    """The bare letters and digits of what was said, without handles and addresses."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"https?://\S*|(?<!\w)@[\w.@-]+", " ", plain)
    return "".join(letter for letter in plain if letter.isalnum())


def why_untold(said: Saying, *, channel: str) -> str:
    """Why nothing is said in this thread; `channel` is what the other one's is called."""
    if said.state == "posted":
        on = f" on {said.said_at:%Y-%m-%d}" if said.said_at is not None else ""
        where = f": {said.url}" if said.url else ""
        return f"{ELSEWHERE} was told on {channel}{on}, in loop {said.loop_id}{where}"
    return f"{ELSEWHERE} is being told on {channel}, in loop {said.loop_id}"


def why_silent(*, why: str, by: str, at: datetime) -> str:
    """Why a customer is not answered automatically; `by` is the member who decided it, or nobody."""
    said = f"{why}, {at:%Y-%m-%d}" if why else f"{at:%Y-%m-%d}"
    if by:
        return f"{by} decided that the customer is not {_SILENCE} ({said})"
    return f"the customer asked not to be {_SILENCE} ({said})"


def is_silence(untold: str) -> bool:
    """Whether a loop was left untold because of a wish for silence, and not for any other reason."""
    return _SILENCE in untold


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What an identity is called on its channel."""

    channel: str
    handle: str
    name: str
    url: str | None


def hint(one: Named, others: Sequence[Named]) -> str:
    """Why `one` may be the same person as somebody here; empty where nothing says so. A hint for a person, never a reason."""
    for other in others:
        if one.channel != other.channel and one.url and other.url and _address(one.url) == _address(other.url):
            return f"the same address, {one.url}"
        if first_name(one.handle) and first_name(one.handle) == first_name(other.handle):
            return f"the same handle, {first_name(one.handle)}"
        if len(one.name) >= SHORTEST_NAME and one.name.casefold() == other.name.casefold():
            return f"the same name, {one.name}"
    return ""


def first_name(handle: str) -> str:
    """A handle without its server: `ana` of `@ana@social.example` and of `ana.bsky.social`. Empty where it is too short."""
    bare = re.split(r"[@.]", handle.strip().lstrip("@").casefold(), maxsplit=1)[0]
    return bare if len(bare) >= SHORTEST_NAME - 1 else ""


def _address(url: str) -> str:
    return re.sub(r"^https?://(www\.)?", "", url.casefold()).rstrip("/")

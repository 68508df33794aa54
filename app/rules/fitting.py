"""Making a reply as short as a network wants it, without breaking anything a reader would follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

import regex

from app.rules.characters import clusters

_WHOLE = (
    regex.compile(r"https?://[^\s、。」』）】]+", regex.IGNORECASE),  # an address; CJK punctuation is no part of it
    regex.compile(r"(?:@[\w.-]*\w)+(?::\d+)?"),  # @name and @name@host
    regex.compile(r"(?<!\d)v?\d++(?:[.\-+]\w++)+", regex.IGNORECASE),  # 2.4.1-rc.1: half a version is another version
)
_WORD_EDGE = regex.compile(r"\b", regex.WORD)
_DANGLING = frozenset(" \t\r\n\u00a0\u202f\u3000.,;:…、。，：；-–—([{（「『¿¡")
"""What reads badly before '…'."""
_REACH = 30
"""How many graphemes are given up to end on a whole word."""


class TooLongError(ValueError):
    """Even the prefix and the link alone are longer than the network allows: a person has to write this one."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A whole public text within its limit; `count` and `limit` are in the channel's own unit."""

    text: str
    count: int
    limit: int
    cut: bool


def fit(body: str, *, count: Callable[[str], int], limit: int, prefix: str = "", keep: tuple[str, ...] = ()) -> Fitted:
    """`prefix + body` unchanged where it fits, otherwise cut with '…'.

    The cut falls between graphemes and, where one is near, between words; never inside an address,
    a mention, a version or one of `keep`. What `keep` names is never lost: whatever of it the cut
    would drop is put at the end. `count` may be any measure; its word on the final text is what
    decides. TooLongError where not even prefix and `keep` fit, or where no word would be left.
    """
    whole = prefix + body
    length = count(whole)
    if length <= limit:
        return Fitted(whole, length, limit, cut=False)
    kept = tuple(text for text in dict.fromkeys(keep) if text and text in body)
    pieces = _pieces(body, kept)

    def shown(pieces_kept: int) -> str:
        return prefix + _cut(pieces[:pieces_kept], kept)

    def fits(pieces_kept: int) -> bool:
        return count(shown(pieces_kept)) <= limit

    if not fits(0):
        raise TooLongError(f"the reply has room for {limit}, but what must stay in it alone is {count(shown(0))} long")
    most, too_many = 0, len(pieces)
    while too_many - most > 1:
        middle = (most + too_many) // 2
        most, too_many = (middle, too_many) if fits(middle) else (most, middle)
    at_word = _last_word_end(pieces, most)
    if shown(at_word) != shown(0) and fits(at_word):
        most = at_word
    text = shown(most)
    if text == prefix:
        raise TooLongError(f"the reply has room for {limit}, which leaves no word of it")
    return Fitted(text, count(text), limit, cut=True)


def _pieces(body: str, kept: tuple[str, ...]) -> list[str]:
    """The body in parts that are never cut: graphemes, and whole addresses, mentions, versions and kept texts."""
    found = (match.span() for pattern in _WHOLE for match in pattern.finditer(body))
    spans = sorted([*found, *_spans_of(kept, body)])
    pieces: list[str] = []
    start = reach = upcoming = 0
    for end in accumulate(len(cluster) for cluster in clusters(body)):
        while upcoming < len(spans) and spans[upcoming][0] < end:
            reach = max(reach, spans[upcoming][1])
            upcoming += 1
        if end >= reach:
            pieces.append(body[start:end])
            start = end
    return pieces


def _spans_of(kept: tuple[str, ...], body: str) -> Iterator[tuple[int, int]]:
    for text in kept:
        at = body.find(text)
        while at >= 0:
            yield at, at + len(text)
            at = body.find(text, at + len(text))


def _cut(pieces: list[str], kept: tuple[str, ...]) -> str:
    """What stays of the body, with '…' and whatever of `kept` is not in it."""
    end = len(pieces)
    while end and _DANGLING.issuperset(pieces[end - 1]):
        end -= 1
    head = "".join(pieces[:end])
    missing = " ".join(text for text in kept if text not in head)
    if not head:
        return missing
    # An address would swallow a '…' that touches it.
    dots = " …" if "://" in pieces[end - 1] or pieces[end - 1] in kept else "…"
    return f"{head}{dots} {missing}" if missing else head + dots


def _last_word_end(pieces: list[str], most: int) -> int:
    """The last place up to `most`, and not far before it, where a word ends: a space, or a boundary in scripts without."""
    first = max(most - _REACH, 0)
    for end in range(most, first, -1):
        if pieces[end].isspace() or pieces[end - 1].isspace():
            return end
    ends = list(accumulate(len(piece) for piece in pieces[first : most + _REACH]))
    edges = {match.start() for match in _WORD_EDGE.finditer("".join(pieces[first : most + _REACH]))}
    for end in range(most, first, -1):
        if ends[end - first - 1] in edges:
            return end
    return most

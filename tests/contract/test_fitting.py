"""Counting and fitting, on every channel that discovery finds: by its own count, and by an independent one where there is any.

What fitting does to a text whatever the count is shown in tests/rules/test_fitting.py.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable
from functools import partial

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.channels.bluesky import compose
from app.ports import Channel
from app.rules.facts import Envelope
from app.rules.fitting import Fitted, TooLongError, fit
from tests.contract.test_channels import NAMES, bare_channel, each_channel, known_posts

LINK = "https://acme.example/whats-new/2?from=here&to=there#" + "and-further-" * 8 + "end"
WHOLE = ("https://long.example/" + "a" * 90, "@ana@m.example", "@ana.example.com", "v2.4.1-rc.1", LINK)
"""What a reader follows: a part of it is another thing, or nothing."""

EMOJI = ("👨‍👩‍👧‍👦", "👩🏽‍❤️‍💋‍👨🏿", "🇩🇪", "👍🏽", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", "1️⃣", "🌸")
LETTERS = (
    "e\u0301",
    "Z\u0301\u0302\u0303",
    "क्षि",
    "ส้",
    "각",
    "\u1100\u1161\u11a8",
    unicodedata.normalize("NFD", "Ångström"),
)
SCRIPTS = (
    "修正されました。",
    "バージョン",
    "שלום",
    "مرحبا",
    "\u200f",
    "ありがとう",
    "the fix",
    "is out",
    ", ",
    ". ",
    " ",
    "\n",
)
PIECES = st.one_of(st.sampled_from([*EMOJI, *LETTERS, *SCRIPTS, *WHOLE]), st.text(max_size=5))
BODIES = st.lists(PIECES, min_size=1, max_size=40).map(" ".join)

FULL = settings(max_examples=25)
"""Texts as long as a channel takes are long to count."""


def _mastodon(text: str) -> bool:
    named = regex.sub(r"(?<![=/\w])@(\w+)@[\w.-]+\w", r"@\1", regex.sub(r"https?://[^\s]+", "x" * 23, text))
    return len(regex.findall(r"\X", named)) <= 500


def _bluesky(text: str) -> bool:
    shown = compose(text).text
    return len(regex.findall(r"\X", shown)) <= 300 and len(shown.encode()) <= 3000


ORACLES: dict[str, Callable[[str], bool]] = {
    "mastodon": _mastodon,
    "bluesky": _bluesky,
    "facebook": lambda text: len(text) <= 8000,
    "wordpress": lambda text: len(html.escape(text, quote=False).encode()) <= 65_525,
    "rehearsal": lambda text: len(regex.findall(r"\X", text)) <= 500,
}
"""Whether the network takes a text, by rules of its own that are not ours to count by. A channel may have none."""


def envelope_of(channel: Channel) -> Envelope:
    return channel.envelope(known_posts(channel.name)[0])


def fitted(channel: Channel, body: str, *, limit: int | None = None) -> Fitted:
    """As `owe` does it, with room for `limit` or for what the channel takes."""
    envelope = envelope_of(channel)
    count = partial(channel.count, content_warning=envelope.content_warning)
    most = envelope.limit if limit is None else min(envelope.limit, limit)
    return fit(body, count=count, limit=most, prefix=envelope.prefix, keep=(LINK,))


def kept_of(body: str, whole: Fitted, prefix: str) -> str:
    """What of the body stands in a cut text before the dots."""
    rest = whole.text.removeprefix(prefix)
    if not body.startswith(rest.rstrip()):
        rest = rest.removesuffix(LINK).removesuffix(" ").removesuffix("…")
    return rest if body.startswith(rest) else rest.removesuffix(" ")


@each_channel
@given(body=BODIES, room=st.integers(0, 300))
def test_a_fitted_text_is_within_its_limit_and_whole_in_each_part(name: str, body: str, room: int) -> None:
    channel = bare_channel(name)
    envelope = envelope_of(channel)
    least = channel.count(envelope.prefix + LINK, content_warning=envelope.content_warning)
    body += f" {LINK}"
    done = fitted(channel, body, limit=least + room)
    assert done.count == channel.count(done.text, content_warning=envelope.content_warning) <= done.limit
    assert done.text.startswith(envelope.prefix)
    assert LINK in done.text, "the operator's link is lost"
    if not done.cut:
        assert done.text == envelope.prefix + body
        return
    kept = kept_of(body, done, envelope.prefix)
    assert body.startswith(kept)
    for match in regex.finditer("|".join(map(regex.escape, WHOLE)), body):
        assert not match.start() < len(kept) < match.end(), f"'{match.group()}' is cut"
    for match in regex.finditer(r"\X", body):
        # A sign that goes before (U+0600) is one character with the space behind it.
        assert not match.start() < len(kept) < match.end() or body[len(kept)].isspace(), f"{match.group()!r} is cut"


@each_channel
@given(body=BODIES, limit=st.integers(20, 400))
def test_fitting_again_changes_nothing(name: str, body: str, limit: int) -> None:
    channel = bare_channel(name)
    try:
        once = fitted(channel, body, limit=limit)
    except TooLongError:
        assume(False)
    again = fitted(channel, once.text.removeprefix(envelope_of(channel).prefix), limit=limit)
    assert (again.text, again.cut) == (once.text, False)


@each_channel
@given(body=BODIES, limit=st.integers(20, 400), more=st.integers(0, 200))
def test_more_room_never_says_less(name: str, body: str, limit: int, more: int) -> None:
    channel = bare_channel(name)
    prefix = envelope_of(channel).prefix
    try:
        narrow = fitted(channel, body, limit=limit)
    except TooLongError:
        assume(False)
    wide = fitted(channel, body, limit=limit + more)
    assert wide.cut <= narrow.cut
    assert len(kept_of(body, wide, prefix)) >= len(kept_of(body, narrow, prefix))


@each_channel
@given(body=st.lists(PIECES, min_size=3, max_size=12).map(" ".join))
@FULL
def test_a_text_filled_to_the_brim_is_taken_by_the_network(name: str, body: str) -> None:
    channel = bare_channel(name)
    long = f"The fix {body} "
    while channel.count(long) <= envelope_of(channel).limit:
        long *= 2
    done = fitted(channel, long)
    assert done.cut
    oracle = ORACLES.get(name)
    assert oracle is None or oracle(done.text)


def test_no_oracle_is_left_behind() -> None:
    assert set(ORACLES) <= set(NAMES)


@pytest.mark.parametrize("text", [*EMOJI, *LETTERS])
@each_channel
def test_counts_a_character_the_more_the_more_often_it_stands_there(name: str, text: str) -> None:
    channel = bare_channel(name)
    counts = [channel.count(" ".join([text] * times)) for times in range(1, 20)]
    assert counts == sorted(set(counts))

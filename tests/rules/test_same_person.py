"""One person on several channels: who is told already, what a crosspost is, and what is a hint."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.rereading import GONE
from app.rules.same_person import (
    CUT_FROM,
    MISSED,
    Asking,
    Named,
    News,
    Saying,
    are_both_asked,
    hint,
    is_crosspost,
    is_same_news,
    is_silence,
    told_already,
    why_silent,
    why_untold,
)

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
WORDS = "The CSV export hangs at 99 % whenever I pick more than one month"

ON_MASTODON = Asking(channel="mastodon", came_by="network", text=f"@acme@social.example {WORDS}")
ON_BLUESKY = Asking(channel="bluesky", came_by="network", text=WORDS)
NEWS = News(issue_id=1, platform="", digest="a")
SAID = Saying(
    reply_id=7,
    loop_id=3,
    channel="mastodon",
    state="posted",
    is_out=True,
    said_at=NOW,
    url="https://social.example/@acme/7",
    news=NEWS,
    still_holds=True,
    asking=ON_MASTODON,
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (WORDS, WORDS, True),
        (f"@acme@social.example {WORDS}", f"{WORDS} @acme.bsky.social", True),
        (WORDS, WORDS.upper() + "!!", True),
        (WORDS, f"{WORDS} https://example.org/screenshot.png", True),
        (WORDS, WORDS[:50] + "…", True),
        (WORDS, WORDS[:20] + "…", False),
        (WORDS, "My export never ends", False),
        ("", "", True),
        (WORDS, "", True),
        ("@acme", "https://example.org/film", True),
        ("エクスポートが99%で止まります", "エクスポートが９９％で止まります。", True),
        ("help", "help me with the export, it hangs at 99 %", False),
    ],
)
def test_a_crosspost_says_the_same_words_as_far_as_networks_let_it(one: str, other: str, same: bool) -> None:
    assert is_crosspost(one, other) is same
    assert is_crosspost(other, one) is same


@given(
    st.text(max_size=80),
    st.sampled_from(["@acme ", "https://acme.example ", ""]),
    st.sampled_from([" !", " @acme", ""]),
)
def test_whom_it_addresses_and_what_it_links_to_makes_no_other_words(text: str, before: str, after: str) -> None:
    words = text.replace("@", "").replace("http", "")
    assert is_crosspost(words, f"{before}{words}{after}")


@given(st.text(min_size=1), st.text(min_size=1))
def test_short_words_are_crossposts_only_where_they_are_equal(one: str, other: str) -> None:
    shorter, longer = sorted(
        ("".join(c for c in text if c.isalnum())[: CUT_FROM - 1] for text in (one, other)), key=len
    )
    if shorter and is_crosspost(shorter, longer) and shorter.isascii() and longer.isascii():
        assert shorter.casefold() == longer.casefold()


def test_both_asked_where_each_addressed_us_by_itself_and_in_words_of_its_own() -> None:
    own_words = replace(ON_BLUESKY, text="Hello, any news about exports?")
    assert are_both_asked(ON_MASTODON, own_words)
    assert not are_both_asked(ON_MASTODON, ON_BLUESKY), "posted once, to two networks"
    for came_by in ("address", "hand"):
        assert not are_both_asked(ON_MASTODON, replace(own_words, came_by=came_by))
        assert not are_both_asked(replace(own_words, came_by=came_by), ON_MASTODON)
    assert are_both_asked(ON_MASTODON, ON_MASTODON), "in two threads of one channel they asked twice"


def test_other_news_is_no_repetition() -> None:
    assert is_same_news(NEWS, SAID)
    assert is_same_news(replace(NEWS, digest="b"), SAID), "another proof of the same"
    assert not is_same_news(replace(NEWS, digest="b"), replace(SAID, still_holds=False)), (
        "a new fix after 'still broken'"
    )
    assert is_same_news(NEWS, replace(SAID, still_holds=False)), "the very fix that was refuted"
    assert not is_same_news(replace(NEWS, issue_id=2), SAID)
    assert not is_same_news(replace(NEWS, digest="b", platform="ios"), SAID)


NEWSES = st.builds(
    News, issue_id=st.integers(1, 2), platform=st.sampled_from(["", "ios"]), digest=st.sampled_from(["a", "b"])
)
ASKINGS = st.builds(
    Asking,
    channel=st.sampled_from(["mastodon", "bluesky"]),
    came_by=st.sampled_from(["network", "address", "hand", ""]),
    text=st.sampled_from([WORDS, WORDS + "!", "Any news about exports?"]),
)
SAYINGS = st.builds(
    Saying,
    reply_id=st.integers(1, 9),
    loop_id=st.integers(1, 9),
    channel=st.just("mastodon"),
    state=st.sampled_from(["awaiting_approval", "scheduled", "sending", "unknown", "posted"]),
    is_out=st.booleans(),
    said_at=st.none() | st.just(NOW),
    url=st.none(),
    news=NEWSES,
    still_holds=st.booleans(),
    asking=ASKINGS,
)


@given(NEWSES, ASKINGS, st.lists(SAYINGS, max_size=5))
def test_of_one_person_only_whoever_asked_twice_is_told_twice(news: News, asking: Asking, others: list[Saying]) -> None:
    found = told_already(news, asking, others)
    same = [one for one in others if is_same_news(news, one)]
    if found is None:
        assert all(are_both_asked(asking, one.asking) for one in same)
    else:
        assert found in same
        assert not are_both_asked(asking, found.asking)
        assert found.state == "posted" or all(
            one.state != "posted" or are_both_asked(asking, one.asking) for one in same
        ), "what was said counts before what may be"


@given(ASKINGS, ASKINGS)
def test_asking_twice_is_the_same_from_both_sides(one: Asking, other: Asking) -> None:
    assert are_both_asked(one, other) == are_both_asked(other, one)


def test_a_reason_is_known_as_silence_whoever_wished_it_and_no_other_is() -> None:
    assert is_silence(why_silent(why="stop", by="", at=NOW))
    assert is_silence(why_silent(why="asked by e-mail", by="Kim", at=NOW))
    assert not is_silence(why_untold(SAID, channel="Mastodon"))
    assert not any(is_silence(other) for other in ("", GONE, MISSED))


def test_the_reasons_say_where_when_and_who() -> None:
    assert why_untold(SAID, channel="Mastodon") == (
        "the same person was told on Mastodon on 2026-11-20, in loop 3: https://social.example/@acme/7"
    )
    assert why_untold(replace(SAID, state="scheduled"), channel="Mastodon") == (
        "the same person is being told on Mastodon, in loop 3"
    )
    assert why_silent(why="stop", by="", at=NOW) == (
        "the customer asked not to be answered automatically (stop, 2026-11-20)"
    )
    assert why_silent(why="", by="Kim", at=NOW) == (
        "Kim decided that the customer is not answered automatically (2026-11-20)"
    )


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (
            ("mastodon", "ana@social.example", "", None),
            ("bluesky", "ana.bsky.social", "", None),
            "the same handle, ana",
        ),
        (("mastodon", "@ana", "", None), ("x", "ANA", "", None), "the same handle, ana"),
        (("mastodon", "a.b", "", None), ("x", "a.c", "", None), ""),
        (("mastodon", "one", "Ana Duarte", None), ("x", "two", "ana duarte", None), "the same name, Ana Duarte"),
        (("mastodon", "one", "Ana", None), ("x", "two", "Ana", None), ""),
        (
            ("mastodon", "one", "", "https://www.ana.example/"),
            ("wordpress", "two", "", "http://ana.example"),
            "the same address, https://www.ana.example/",
        ),
        (("rehearsal", "one", "", "https://ana.example"), ("rehearsal", "two", "", "https://ana.example"), ""),
    ],
)
def test_a_hint_names_what_two_identities_share(
    one: tuple[str, str, str, str | None], other: tuple[str, str, str, str | None], why: str
) -> None:
    made = [Named(channel=c, handle=h, name=n, url=u) for c, h, n, u in (one, other)]
    assert hint(made[0], [made[1]]) == why

from collections.abc import Callable

import pytest
import regex
from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.rules.characters import clusters, graphemes
from app.rules.fitting import TooLongError, fit

LINK = "https://acme.example/whats-new/2?from=here&to=there"

PIECES = st.one_of(
    st.sampled_from(
        [
            *("👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", "e\u0301", "क्षि", "ส้", "각", "\u1100\u1161\u11a8", "Z\u0301\u0302\u0303"),
            *(
                "修正されました。",
                "バージョン",
                "שלום",
                "مرحبا",
                "\u200f",
                "\u0600",
                "\r\n",
                "\n\n",
                " ",
                "  ",
                ", ",
                ". ",
                "…",
            ),
            *(
                "the fix",
                "is out",
                "in v2.4.1-rc.1",
                "@ana@m.example",
                "@ana",
                "https://long.example/" + "a" * 90,
                LINK,
            ),
        ]
    ),
    st.text(max_size=6),
)
BODIES = st.lists(PIECES, max_size=60).map("".join)
PREFIXES = st.sampled_from(["", "@ana ", "@ana@m.example "])


def code_points(text: str) -> int:
    return len(text)


def utf8(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def weighted(text: str) -> int:
    """As X does: an address is 23, light characters 1, all others 2; not monotone, because 'setup.p' is no address."""
    bare = regex.sub(r"https?://\S+|[\w-]+\.[a-z]{2,}", "x" * 23, text)
    return sum(1 if ord(character) < 0x1100 else 2 for character in bare)


def mastodon(text: str) -> int:
    return graphemes(regex.sub(r"https?://\S+", "x" * 23, regex.sub(r"@(\w+)@[\w.]+", r"@\1", text)))


COUNTS = st.sampled_from([graphemes, code_points, utf8, weighted, mastodon])


def test_a_text_that_fits_is_not_touched():
    fitted = fit("All done.  ", count=graphemes, limit=16, prefix="@ana ")
    assert fitted == type(fitted)(text="@ana All done.  ", count=16, limit=16, cut=False)


@pytest.mark.parametrize(
    ("body", "limit", "said"),
    [
        ("The fix is out in version two", 16, "The fix is out…"),
        ("The fix is out, at last", 17, "The fix is out…"),
        ("The fix is in v2.4.1-rc.1 now", 25, "The fix is in…"),
        ("Thanks to @anabel@m.example for it", 20, "Thanks to…"),
        ("See https://acme.example/a/b/c for it", 30, "See…"),
        ("See https://a.example/b for more of it", 26, "See https://a.example/b …"),
        ("Antidisestablishmentarianism", 10, "Antidises…"),
        ("ご報告いただいた問題はv2.4.1で修正されました。", 14, "ご報告いただいた問題は…"),
        ("新しいバージョンをお試しください。", 7, "新しい…"),
        ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 2, "👨‍👩‍👧‍👦…"),
    ],
)
def test_a_cut_ends_where_a_reader_would_pause(body, limit, said):
    assert fit(body, count=graphemes, limit=limit).text == said


def test_the_link_is_moved_to_the_end_when_the_cut_would_lose_it():
    body = f"The problem you reported is fixed in v2.4.1 of Acme Export. More about this: {LINK} Thank you!"
    fitted = fit(body, count=graphemes, limit=100, prefix="@ana ", keep=(LINK,))
    assert fitted.text == f"@ana The problem you reported is fixed in… {LINK}"
    assert fitted.count == graphemes(fitted.text) <= 100
    assert fitted.cut


def test_a_link_before_the_cut_stays_where_it_is():
    fitted = fit(f"See {LINK} for everything that is new in this version", count=graphemes, limit=80, keep=(LINK,))
    assert fitted.text == f"See {LINK} for everything that is…"


def test_a_kept_text_that_is_not_in_the_body_is_not_added():
    assert fit("one two three", count=graphemes, limit=8, keep=(LINK, "")).text == "one two…"


def test_a_network_that_counts_links_short_gets_more_words():
    body = f"The problem you reported is fixed in the new version. {LINK}"
    short, long = (fit(body, count=count, limit=70, keep=(LINK,)).text for count in (graphemes, mastodon))
    assert len(short) < len(long)
    assert long.endswith(f"… {LINK}")


def test_without_room_for_prefix_and_link_a_person_has_to_write_it():
    with pytest.raises(TooLongError, match="room for 30"):
        fit(f"Hello {LINK}", count=graphemes, limit=30, prefix="@ana ", keep=(LINK,))


def test_a_reply_of_dots_alone_is_never_made():
    with pytest.raises(TooLongError, match="no word"):
        fit("https://long.example/" + "a" * 90, count=graphemes, limit=30, prefix="@ana ")


def test_the_link_alone_is_still_an_answer():
    fitted = fit(f"Hello {LINK}", count=graphemes, limit=5 + len(LINK), prefix="@ana ", keep=(LINK,))
    assert fitted.text == f"@ana {LINK}"


def test_few_looks_are_enough_for_a_long_text():
    looks = 0

    def count(text: str) -> int:
        nonlocal looks
        looks += 1
        return len(text)

    fit("word " * 20_000, count=count, limit=500)
    assert looks < 30


@given(body=BODIES, prefix=PREFIXES, limit=st.integers(1, 300), count=COUNTS)
@example(body="is fixed in setup.py now", prefix="", limit=16, count=weighted)
@example(body="\u0600  \U0001f468\u200d\U0001f469\u200d\U0001f467", prefix="", limit=2, count=graphemes)
def test_a_fitted_text_never_exceeds_the_limit_and_never_breaks_anything(
    body: str, prefix: str, limit: int, count: Callable[[str], int]
):
    try:
        fitted = fit(body, count=count, limit=limit, prefix=prefix, keep=(LINK,))
    except TooLongError:
        assume(False)
    assert fitted.count == count(fitted.text) <= limit
    assert fitted.limit == limit
    assert fitted.text.startswith(prefix)
    assert fitted.cut == (fitted.text != prefix + body) == (count(prefix + body) > limit)
    if LINK in body:
        assert LINK in fitted.text
    if fitted.cut:
        rest = fitted.text[len(prefix) :].removesuffix(LINK).removesuffix(" ")
        head = rest.removesuffix("…").removesuffix(" ") if rest.endswith(" …") else rest.removesuffix("…")
        whole = body if body.startswith(head) else ""
        assert whole or not head
        ends = {0}
        for cluster in clusters(body):
            ends.add(max(ends) + len(cluster))
        # A sign that goes before (U+0600) is one character with the space behind it.
        assert len(head) in ends or len(rest.removesuffix("…")) in ends
        for match in regex.finditer(r"https?://long\.example/a+|@ana@m\.example|v2\.4\.1-rc\.1", body):
            assert not match.start() < len(head) < match.end()


@given(body=BODIES, prefix=PREFIXES, limit=st.integers(1, 300), count=COUNTS)
def test_fitting_again_changes_nothing(body: str, prefix: str, limit: int, count: Callable[[str], int]):
    try:
        once = fit(body, count=count, limit=limit, prefix=prefix, keep=(LINK,))
    except TooLongError:
        assume(False)
    again = fit(once.text[len(prefix) :], count=count, limit=limit, prefix=prefix, keep=(LINK,))
    assert again.text == once.text
    assert not again.cut


@given(body=BODIES, prefix=PREFIXES, room=st.integers(0, 200), count=COUNTS)
def test_where_prefix_and_link_fit_the_reply_is_never_refused(
    body: str, prefix: str, room: int, count: Callable[[str], int]
):
    limit = count(prefix + LINK) + room
    assert LINK in fit(body + LINK, count=count, limit=limit, prefix=prefix, keep=(LINK,)).text


@given(words=st.lists(st.sampled_from(["fixed", "ist", "é", "修正"]), min_size=1), limit=st.integers(8, 60))
def test_a_text_of_words_is_never_refused(words: list[str], limit: int):
    assert fit(" ".join(words), count=graphemes, limit=limit, prefix="@ana ").count <= limit


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", 0),
        ("abc", 3),
        ("👨‍👩‍👧‍👦", 1),
        ("🇩🇪🇫🇷", 2),
        ("e\u0301", 1),
        ("क्षि", 1),
        ("\u094dत", 2),
        ("👨\u094dन", 2),
        ("का\u094dत", 2),
        ("\r\n", 1),
        ("👍🏽", 1),
        ("日本", 2),
        ("각", 1),
    ],
)
def test_graphemes_are_what_people_see(text, seen):
    assert graphemes(text) == seen

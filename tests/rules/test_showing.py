"""The engineers' block: what it says, what it leaves out, and that customers' words do nothing in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.facts import Waiting
from app.rules.showing import block

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def waiting(handle: str = "ada@m.example", **given: Any) -> Waiting:
    facts: dict[str, Any] = {
        "channel": "mastodon",
        "handle": handle,
        "quote": "Export kills my tables",
        "permalink": f"https://m.example/@{handle}/1",
        "said_at": NOON,
        "followers": None,
        "is_public": True,
        **given,
    }
    return Waiting(**facts)


def shown(
    *rows: Waiting, total: int | None = None, mode: Literal["counts", "quotes"] = "quotes", limit: int = 65_000
) -> str:
    return block(rows, total=len(rows) if total is None else total, mode=mode, marker="issue-7", limit=limit)


def test_says_how_many_wait_where_since_when_and_their_reach() -> None:
    text = shown(
        waiting("a", followers=1_200),
        waiting("b", followers=34, said_at=NOON - timedelta(days=2)),
        waiting("c", channel="bluesky"),
    )
    assert text.startswith("### 3 customers wait for this\n")
    assert "On Mastodon (2) and Bluesky (1), since 2 March 2026." in text
    assert "reach 1,234 followers" in text
    assert text.endswith("<!-- fullcircle:issue-7 -->")


def test_one_customer_waits_and_nobody_waits_any_more() -> None:
    assert "### 1 customer waits for this" in shown(waiting())
    nobody = shown(total=0)
    assert "Nobody waits for this any more" in nobody
    assert nobody.endswith("<!-- fullcircle:issue-7 -->")


def test_quotes_the_newest_first_with_links_to_their_posts() -> None:
    text = shown(
        waiting("old", said_at=NOON - timedelta(days=9), quote="first words"), waiting("new", quote="last words")
    )
    assert text.index("> last words") < text.index("> first words")
    assert "new, [Mastodon, 4 March 2026](https://m.example/@new/1)" in text


def test_says_how_many_more_there_are_than_it_shows() -> None:
    rows = [waiting(f"c{n}") for n in range(8)]
    assert shown(*rows).count("> Export") == 5
    assert "and 3 more" in shown(*rows)
    assert "and 395 more" in shown(*rows, total=400)
    assert "On Mastodon. The newest 8 wrote since 4 March 2026." in shown(*rows, total=400)


def test_a_public_repository_shows_counts_and_links_but_no_words_and_no_names() -> None:
    text = shown(waiting("ada", permalink="https://m.example/posts/1"), total=3, mode="counts")
    assert "3 customers wait" in text
    assert "- [Mastodon, 4 March 2026](https://m.example/posts/1)" in text
    assert "- and 2 more" in text
    assert "ada" not in text
    assert "Export" not in text


def test_a_post_that_is_not_public_is_counted_and_nothing_else() -> None:
    text = shown(waiting("secretive", is_public=False, quote="between us"))
    assert "1 customer waits" in text
    for word in ("secretive", "between us", "https://"):
        assert word not in text


def test_names_those_for_whom_the_fix_did_not_help() -> None:
    text = shown(waiting("a", reopened=True), waiting("b"))
    assert "Still broken after a fix for 1 of them" in text
    assert "(still broken)" in text


@pytest.mark.parametrize(
    "words", ["@octocat look", "fixes #12", "see acme/app#3", "<img src=x>", "![x](http://e.example)"]
)
def test_a_customers_words_mention_nobody_and_do_nothing(words: str) -> None:
    assert words not in shown(waiting(words, quote=words, permalink="https://m.example/1"))


@pytest.mark.parametrize("words", ["/close", "-->", "<!-- fullcircle:issue-8 -->", "```", "# heading"])
def test_a_customers_words_begin_nothing(words: str) -> None:
    text = shown(waiting(words, quote=words, permalink="https://m.example/1"))
    assert not any(line.lstrip("> ").startswith(words) for line in text.splitlines())
    assert text.count("<!--") == text.count("-->") == 1


def test_an_address_cannot_leave_its_link() -> None:
    text = shown(waiting(permalink="https://m.example/1) <b>[x](https://evil.example"))
    assert "<b>" not in text
    assert "(https://evil.example" not in text
    assert "javascript:" not in shown(waiting(permalink="javascript:alert(1)"))


@given(
    words=st.lists(st.text(max_size=400), max_size=12),
    limit=st.integers(min_value=400, max_value=4_000),
    mode=st.sampled_from(["counts", "quotes"]),
)
def test_always_fits_and_always_carries_its_marker(
    words: list[str], limit: int, mode: Literal["counts", "quotes"]
) -> None:
    rows = [waiting(quote=text, handle=text) for text in words]
    text = shown(*rows, mode=mode, limit=limit)
    assert len(text) <= limit
    assert text.endswith("\n<!-- fullcircle:issue-7 -->")
    assert text.count("<!--") == 1

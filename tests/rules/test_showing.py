"""The engineers' block: what it says, what it leaves out, and that customers' words do nothing in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.facts import Change, Waiting
from app.rules.showing import Foretold, Standing, block, on_change, pull_of

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


# --- On the pull request ---------------------------------------------------------------------------


def foretold(standing: Standing = "awaited", **given: Any) -> Foretold:
    facts: dict[str, Any] = {
        "title": "Export loses tables",
        "waiting": 12,
        "told": 0,
        "told_at": None,
        "held_why": None,
        "why": "closed, but no release contains 3f2a91c yet",
        "words": "Hi customer,\nit works since v1.2.3.",
        "words_why": "",
        "customer": "customer",
        "version": "v1.2.3",
        "is_signed_first": False,
        "page": "https://fullcircle.example/issues/7",
        **given,
    }
    return Foretold(standing=standing, **facts)


def said(news: Foretold, *, limit: int = 65_000) -> str:
    return on_change(news, marker="issue-7-pull", limit=limit)


def test_says_before_the_release_how_many_will_be_told_and_what() -> None:
    text = said(foretold())
    assert text.startswith("### When this ships, 12 people will be told\n")
    assert "Who waits for: Export loses tables" in text
    assert "> Hi customer,\n> it works since v1.2.3." in text
    assert "*customer* stands for a name, *v1.2.3* for the release." in text
    assert "An approver signs it first" not in text
    assert "[Not for customers yet? Hold it](https://fullcircle.example/issues/7)" in text
    assert text.endswith("<!-- fullcircle:issue-7-pull -->")
    assert "### When this ships, 1 person will be told" in said(foretold(waiting=1))
    assert "### When this ships, 1,200 people will be told" in said(foretold(waiting=1_200))
    assert "An approver signs it first." in said(foretold(is_signed_first=True))


def test_who_waits_for_another_platform_is_still_to_be_told() -> None:
    text = said(foretold(waiting=2, told=3, told_at=NOON))
    assert text.startswith("### When this ships, 2 people will be told\n\n3 people were told on 4 March 2026 so far.\n")


def test_a_text_that_cannot_be_made_says_why() -> None:
    assert "cannot be shown: the text counts 900" in said(foretold(words="", words_why="the text counts 900"))


@pytest.mark.parametrize(
    ("news", "headline"),
    [
        (foretold("shipped", told=3, waiting=9), "This has shipped, and 12 people are told"),
        (foretold("shipped", told=12, waiting=0, told_at=NOON), "12 people were told on 4 March 2026"),
        (foretold("shipped", told=1, waiting=0, told_at=NOON), "1 person was told on 4 March 2026"),
        (foretold("lost", told=12, waiting=0, told_at=NOON), "12 people were told on 4 March 2026"),
        (foretold("lost", why="#7 is reopened"), "Nobody is told of this for now"),
        (foretold(held_why="behind a flag"), "Nobody is told of this yet"),
        (foretold(waiting=0), "Nobody waits for this any more"),
        (foretold("moved"), "Nobody waits for this change any more"),
        (foretold("left"), "Nothing is said here any more"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.standing} {value.waiting} {value.told}",
)
def test_its_first_line_says_how_things_are(news: Foretold, headline: str) -> None:
    assert said(news).splitlines()[0] == f"### {headline}"


def test_gives_the_reason_where_nobody_is_told() -> None:
    assert "**Not for customers yet:** behind a flag" in said(foretold(held_why="behind a flag"))
    reopened = said(foretold("lost", why="#7 is reopened"))
    assert "is reopened." in reopened
    assert "12 customers wait on." in reopened
    assert "**It does not hold any more:**" in said(foretold("lost", told=12, waiting=0))
    assert "12 people were told on 4 March 2026." in said(foretold("moved", told=12, told_at=NOON))


@pytest.mark.parametrize("standing", ["moved", "left"])
def test_nothing_of_a_reply_stands_where_nobody_waits(standing: Standing) -> None:
    text = said(foretold(standing))
    for word in ("12", "customer,", "Export", "fullcircle.example"):
        assert word not in text


def test_a_first_comment_is_made_only_before_it_ships_and_only_if_somebody_will_be_told() -> None:
    assert foretold().is_worth_a_comment
    for news in (foretold(waiting=0), foretold(held_why="a flag"), foretold(held_why="")):
        assert not news.is_worth_a_comment
    for standing in get_args(Standing):
        assert foretold(standing).is_worth_a_comment == (standing == "awaited")


@pytest.mark.parametrize(
    "words", ["@octocat", "fixes #12", "acme/app#3", "<img src=x>", "https://github.com/a/b/issues/1"]
)
@pytest.mark.parametrize("where", ["title", "words", "words_why", "held_why", "why", "customer", "version"])
def test_no_words_mention_or_refer_to_anything(words: str, where: str) -> None:
    given = {where: words}
    if where == "words_why":
        given["words"] = ""
    for standing in get_args(Standing):
        assert words not in said(foretold(standing, **given))


@given(
    words=st.text(max_size=3_000),
    title=st.text(max_size=400),
    why=st.text(max_size=900),
    held=st.none() | st.text(max_size=900),
    standing=st.sampled_from(get_args(Standing)),
    told=st.integers(min_value=0, max_value=3),
    waiting=st.integers(min_value=0, max_value=3),
    limit=st.integers(min_value=1_000, max_value=65_000),
)
def test_a_pull_requests_comment_always_fits_and_always_carries_its_marker(
    words: str, title: str, why: str, held: str | None, standing: Standing, told: int, waiting: int, limit: int
) -> None:
    news = foretold(
        standing, words=words, words_why=why, title=title, why=why, held_why=held, told=told, waiting=waiting
    )
    text = said(news, limit=limit)
    assert len(text) <= limit
    assert text.endswith("\n<!-- fullcircle:issue-7-pull -->")
    assert text.count("<!--") == text.count("-->") == 1


def test_the_pull_request_that_was_merged_last_is_spoken_on() -> None:
    def change(sha: str, days: int | None, pull: str = "") -> Change:
        at = NOON + timedelta(days=days) if days is not None else None
        return Change(sha=sha, label=sha, url=f"https://x/{sha}", at=at, pull=pull)

    assert pull_of([]) == pull_of([change("a", 3)]) == ""
    assert pull_of([change("a", 1, "https://x/pull/1"), change("b", 2, "https://x/pull/2"), change("c", 3)]) == (
        "https://x/pull/2"
    )
    assert pull_of([change("a", None, "https://x/pull/1")]) == "https://x/pull/1"
    elsewhere = replace(change("d", 9, "https://x/other/pull/9"), repository="acme/other")
    assert pull_of([change("a", 1, "https://x/pull/1"), elsewhere]) == "https://x/pull/1"

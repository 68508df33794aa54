"""What a second reading tells, without any database or network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.rules import hearing, quoting, rereading
from app.rules.facts import Author, Post
from app.rules.rereading import Gone, Hidden

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
WORDS = st.text(min_size=1, max_size=80)


def post(text: str = "words") -> Post:
    return Post(
        external_id="1",
        canonical_id="1",
        url="https://m.example/1",
        author=Author(external_id="a", handle="ana"),
        text=text,
        created_at=NOW,
        raw="{}",
    )


@given(words=st.lists(st.text(alphabet="abc.,!", min_size=1), min_size=1), gaps=st.data())
def test_white_space_alone_is_no_change(words: list[str], gaps: st.DataObject) -> None:
    joined = "".join(word + gaps.draw(st.sampled_from([" ", "\n", "\t ", "\u00a0"])) for word in words)
    assert rereading.says_the_same(" ".join(words), joined)
    assert not rereading.says_the_same(" ".join(words), f"{joined}not")


def test_a_post_is_read_again_well_within_the_day() -> None:
    """Even of ten thousand that fall due at one moment the last one is."""
    for at_once in (20, 25, 50, 100):
        batches = -(-10_000 // at_once)
        assert rereading.due_after(NOW) + batches * rereading.PAUSE < NOW + timedelta(hours=24)


def test_only_where_nothing_at_all_can_be_read_the_account_itself_is_doubted() -> None:
    assert rereading.is_suspicious([Gone("it is deleted")])
    assert rereading.is_suspicious([Gone("it is deleted"), Hidden("a block")])
    assert not rereading.is_suspicious([Gone("it is deleted"), post()])


@given(text=WORDS, before=WORDS, after=WORDS)
def test_a_quote_leaves_a_text_of_ours_and_takes_nothing_else_with_it(text: str, before: str, after: str) -> None:
    quote = quoting.neutralise(text)
    lines = [quoting.neutralise(before), "", f"> {quote}", "", quoting.neutralise(after)]
    left = rereading.without_quote("\n".join(lines), quote).split("\n")
    if quote:
        assert left == [*lines[:2], f"> {rereading.WITHDRAWN}", *lines[3:]]


@given(text=st.sampled_from(["still broken", "it doesn't work", "works, but it's slow", "works and still crashes"]))
def test_what_was_heard_is_told_without_its_citation(text: str) -> None:
    heard = hearing.hear(text, language="en").why
    left = rereading.without_citation(f"the customer {heard}", heard)
    for word in ("broken", "work", "slow", "crash"):
        assert word not in left or word not in text or "'" not in heard, left


def test_a_reason_without_a_citation_stays_as_it_is() -> None:
    assert rereading.without_citation("fixed in v2", "says neither that it works nor that it does not") == "fixed in v2"

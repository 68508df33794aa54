"""Suggestions: alike by rare words, honest about why, and quiet where nothing is alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.rules import matching

ISSUES = {
    1: "Export to CSV hangs at 99 % in Safari",
    2: "Large exports time out behind a proxy",
    3: "Progress bar is not announced to screen readers",
    4: "CSVエクスポートが99%で止まる",
}


def test_the_likeliest_comes_first_with_its_words() -> None:
    first, *_ = matching.best("@acme my CSV export has been stuck in Safari since Tuesday", ISSUES, limit=3)
    assert first.key == 1
    assert "safari" in first.why


def test_words_meet_in_their_stems() -> None:
    assert matching.best("exporting times out", ISSUES, limit=3)[0].key in {1, 2}


def test_japanese_is_matched_without_spaces() -> None:
    assert matching.best("エクスポートが止まります", ISSUES, limit=3)[0].key == 4


def test_nothing_alike_suggests_nothing() -> None:
    assert matching.best("love the new colours", ISSUES, limit=3) == []
    assert matching.best("", ISSUES, limit=3) == []


@given(st.text(max_size=300), st.dictionaries(st.integers(), st.text(max_size=80), max_size=20), st.integers(1, 5))
def test_scores_are_ordered_and_bounded(text: str, candidates: dict[int, str], limit: int) -> None:
    found = matching.best(text, candidates, limit=limit)
    assert len(found) <= limit
    assert all(0 < match.score <= 1 and match.words for match in found)
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)

"""What another side tells in JSON is taken for no more than it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.told import in_ascii, moment, objects, parsed, word

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(ANYTHING)
def test_whatever_comes_is_read_without_a_fall(value: object) -> None:
    assert isinstance(word(value), str)
    assert all(isinstance(item, dict) for item in objects(value))
    told = moment(value)
    assert told is None or told.tzinfo is UTC


def test_a_word_is_a_text_or_a_number_and_no_yes_or_no() -> None:
    assert [word(value) for value in ("a", 7, True, None, 1.5, ["a"])] == ["a", "7", "", "", "", ""]


def test_a_time_without_a_zone_is_in_utc() -> None:
    assert moment("2026-11-20T12:00:00") == moment("2026-11-20T13:00:00+0100") == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert moment("yesterday") is moment("0001-01-01T00:00:00+14:00") is None


def test_what_is_no_json_is_nothing() -> None:
    assert parsed(b'{"a": 1}') == {"a": 1}
    assert parsed("<html>") is parsed(b"[" * 100_000) is parsed("") is None


def test_half_a_surrogate_pair_is_kept_in_ascii_and_what_is_too_deep_is_named() -> None:
    text = in_ascii({"text": "\ud83d"}, what="a post")
    assert text.isascii()
    assert json.loads(text) == {"text": "\ud83d"}
    deep: dict[str, object] = {}
    for _ in range(100_000):
        deep = {"in": deep}
    with pytest.raises(ValueError, match="a post that is nested too deeply"):
        in_ascii(deep, what="a post")

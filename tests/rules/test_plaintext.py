"""The text behind a network's HTML."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.plaintext import plain_text, storable


@given(st.text())
def test_any_html_becomes_a_text_that_can_be_stored(markup: str) -> None:
    text = plain_text(markup, {"https://m.example/@acme": "acme"})
    assert "\x00" not in text
    text.encode("utf-8")


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), max_size=200))
def test_escaped_words_come_back_as_they_were_written(words: str) -> None:
    assert plain_text(f"<p>{html.escape(words, quote=False)}</p>") == words


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ('<a href="https://a.example/x">https://a.example/x</a>.', "https://a.example/x."),
        ('<a href="https://evil.example">https://bank.example</a>', "https://bank.example (https://evil.example)"),
        (
            '<a href="https://a.example/1">one</a> <a href="https://a.example/2">',
            "one (https://a.example/1) https://a.example/2",
        ),
        (
            '<a href="https://a.example/1">one<a href="https://a.example/2">two',
            "one (https://a.example/1)two (https://a.example/2)",
        ),
        ('<a href="https://a.example/@bob" class="mention">@<span>bob</span></a>', "@bob"),
        ("<blockquote>said</blockquote>so", "said\n\nso"),
        ('<img alt=":blob:" src="x">', ":blob:"),
        ("<style>p{}</style><script>alert(1)</script>x", "x"),
        ("a &amp;lt;b&gt; &#x1F338;", "a &lt;b> 🌸"),
    ],
)
def test_html_reads_as_its_author_wrote_it(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@given(st.text(alphabet=st.characters(codec=None)))
def test_what_is_stored_can_be_written_down(words: str) -> None:
    storable(words).encode("utf-8")
    assert storable(storable(words)) == storable(words)


def test_stores_what_databases_take_unchanged() -> None:
    assert storable("e\u0301 👨‍👩‍👧 تصدير\n") == "e\u0301 👨‍👩‍👧 تصدير\n"
    assert storable("a\x00b\ud800") == "ab?"

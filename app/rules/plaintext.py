"""The text behind the HTML that social networks make of it: what the author typed, line by line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser

PARAGRAPHS = frozenset({"p", "div", "ul", "ol", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"})
HIDDEN = frozenset({"script", "style"})


def plain_text(html: str, mentions: Mapping[str, str] | None = None) -> str:
    """HTML as plain text: paragraphs a blank line apart, entities read, links as their whole address.

    `mentions` maps profile addresses to full account names (`ana@other.example`), which stand where
    the network shows a shortened name.
    """
    reader = _Reader(mentions or {})
    reader.feed(html.replace("\r\n", "\n"))
    return reader.text()


def storable(text: str) -> str:
    """Without what no database keeps: NUL, and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


class _Reader(HTMLParser):
    def __init__(self, mentions: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self._mentions = mentions
        self._parts: list[str] = []
        self._link: list[str] | None = None
        self._href = ""
        self._classes: frozenset[str] = frozenset()
        self._hidden = 0

    def text(self) -> str:
        self.close()
        self._end_link()
        text = re.sub(r"[ \t\xa0]+\n", "\n", storable("".join(self._parts)))
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in HIDDEN:
            self._hidden += 1
        elif tag == "br":
            self.handle_data("\n")
        elif tag == "li":
            self.handle_data("\n- ")
        elif tag == "img":
            self.handle_data(values.get("alt", ""))
        elif tag in PARAGRAPHS:
            self.handle_data("\n\n")
        elif tag == "a":
            self._end_link()
            self._link, self._href = [], values.get("href", "")
            self._classes = frozenset(values.get("class", "").split())

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "a":
            self._end_link()
        elif tag in PARAGRAPHS:
            self.handle_data("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            (self._parts if self._link is None else self._link).append(data)

    def _end_link(self) -> None:
        if self._link is not None:
            shown = "".join(self._link)
            self._link = None
            self._parts.append(self._typed(shown))

    def _typed(self, shown: str) -> str:
        """What the author typed for a link that shows `shown`: networks shorten addresses and drop domains."""
        if "hashtag" in self._classes or not self._href.startswith(("http://", "https://")):
            return shown
        if "mention" in self._classes:
            name = self._mentions.get(self._href)
            return f"@{name}" if name else shown
        address = self._href.partition("://")[2]
        visible = shown.strip().removeprefix("https://").removeprefix("http://").rstrip("…/")
        # A link with words of its own keeps them, and shows where it really leads.
        return self._href if address.startswith(visible) else f"{shown} ({self._href})"

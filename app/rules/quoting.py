"""Text that comes to us from outside: knowing our own again, and showing a customer's without obeying it."""

from __future__ import annotations

import html
import unicodedata

import regex

from app.rules.characters import one_line, shorten

_LEADING_MENTIONS = regex.compile(r"^(?:@[\w.-]+(?:@[\w.-]+(?::\d+)?)?(?:\s+|$))+")
_MENTION_HOST = regex.compile(r"(?<![\w@])(@[\w.-]*\w)@[\w.-]*\w(?::\d+)?")
_LINK = regex.compile(
    r"""https?://[!-~]+                                              # ASCII only: in CJK, text follows without a space
      | (?<![A-Za-z0-9.@-])(?:[A-Za-z0-9-]++\.)+[A-Za-z]{2,}[!-~]*   # X links bare names, such as setup.py
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
_UNSEEN = regex.compile(r"[\p{Cf}\uFE0E\uFE0F]")
_TYPOGRAPHY = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})

_SCHEME = regex.compile(r"https?://", regex.IGNORECASE)
_MARKDOWN = regex.compile(r"[\\`*_\[\]~|$]|(?<=\])\(")
_LINE_START = regex.compile(r"^(?:(?=[-+=/])|(\d+)(?=[.)]))")
_REFERENCE = regex.compile(r"@|#(?!\uFE0F)|gh-(?=\d)|(?:[!$%~]|&amp;)(?=\d)|:(?=//)|www(?=\.)", regex.IGNORECASE)
_GAP = "\u200b"


def same_text(ours: str, theirs: str) -> bool:
    """Whether a reply read back from a network is the one we sent, tags already stripped.

    Networks decode and encode entities, add or drop the mention in front, rewrite links, collapse
    white space and polish quotes and dashes. Those differences do not count; every other one does.
    A 'no' may lead to speaking again, so the doubtful differences are forgiven.
    """
    return _comparable(ours) == _comparable(theirs)


def _comparable(text: str) -> str:
    text = unicodedata.normalize("NFC", html.unescape(text))
    text = _UNSEEN.sub("", text).strip()
    text = _LEADING_MENTIONS.sub("", text)
    text = _LINK.sub("\N{LINK SYMBOL}", text)
    text = _MENTION_HOST.sub(r"\1", text).translate(_TYPOGRAPHY)
    return " ".join(regex.sub(r"-{2,}", "-", text).split())


def neutralise(text: str, *, limit: int = 280) -> str:
    """A customer's words for a blockquote in Markdown: one line that reads as written and does nothing.

    Nobody is mentioned, nothing is linked or referred to, no HTML, image, code fence, quick action or
    comment (such as our own markers) is begun. `limit` is in graphemes as read, before the escaping.
    Addresses lose their `https://`, because trackers turn those of issues into references.
    """
    quote = shorten(one_line(_SCHEME.sub("", text)), limit)
    quote = _MARKDOWN.sub(r"\\\g<0>", quote)
    quote = _LINE_START.sub(lambda start: f"{start[1] or ''}\\", quote)
    # Trackers look for references in the rendered text, where an escape is gone: only a gap stops them.
    return _REFERENCE.sub(rf"\g<0>{_GAP}", html.escape(quote, quote=False))


def headline(text: str, *, limit: int = 80) -> str:
    """A customer's words as the title of an issue, which is plain text: no escapes, and still nobody is called."""
    return _REFERENCE.sub(rf"\g<0>{_GAP}", shorten(one_line(_SCHEME.sub("", text)), limit))

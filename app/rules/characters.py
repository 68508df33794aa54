"""Characters that people see, and the ones they do not: counting the first, removing the second."""

from __future__ import annotations

import unicodedata

import regex

_CLUSTER = regex.compile(r"\X")
_LINKER = regex.compile(r"\p{InCB=Linker}")
_NOT_JOINED = regex.compile(
    r"(?<!^)(?<!\p{InCB=Consonant}[\p{InCB=Extend}\p{InCB=Linker}]*\p{InCB=Linker}[\p{InCB=Extend}\p{InCB=Linker}]*)"
    r"(?=\p{InCB=Consonant})",
    regex.VERSION1,
)
"""Before a letter that `\\X` takes for joined by the sign before it, which joins nothing: rule GB9c of Unicode's UAX 29."""
_SPACE = regex.compile(r"[\s\x1c-\x1f]+")
_SPACES = regex.compile(r" {2,}")
_LINE_END = regex.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = regex.compile(
    r"[[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\u202A-\u202E\u2066-\u206F\uFFF9-\uFFFB]--[\n]]", regex.VERSION1
)
"""Never shown by anything; among them the bidi overrides, which make a text read as another one."""
_HIDDEN = regex.compile(r"[\u00AD\u061C\u180E\u200B\u200E\u200F\u2060-\u2065\uFEFF]")
"""Invisible. Some languages need them in a text that its author wrote with care; a stranger's name does not.
The joiners U+200C and U+200D stay: Persian, Indic scripts and emoji families are written with them."""
_TAGS = regex.compile(r"(\U0001F3F4[\U000E0020-\U000E007E]{1,6}\U000E007F)|[\U000E0000-\U000E007F]")
"""A regional flag, which is spelled with tag characters, or a tag character that hides words from people."""
_PILED_MARKS = regex.compile(r"(\p{M}{8})\p{M}+")
"""More marks on one letter than any script stacks: text that climbs over its neighbours."""


def clusters(text: str) -> list[str]:
    """The text in what people call characters (extended grapheme clusters); joined again they are the text."""
    if text.isascii() and "\r" not in text:
        return list(text)  # each is one by itself, and lists of posts are full of such texts
    found: list[str] = _CLUSTER.findall(text)
    if _LINKER.search(text) is None:
        return found
    return [part for cluster in found for part in _NOT_JOINED.split(cluster)]


def graphemes(text: str) -> int:
    """How many characters a person sees: a family emoji is one, a letter with its accents is one."""
    return len(clusters(text))


def tidy(text: str) -> str:
    """A text of several lines as it goes out: NFC, no control characters, no stray or doubled spaces, one blank line at most."""
    text = _LINE_END.sub("\n", text).replace("\t", " ")
    text = unicodedata.normalize("NFC", _TAGS.sub(r"\1", _CONTROLS.sub("", text)))
    lines = (_SPACES.sub(" ", line.strip()) for line in text.split("\n"))
    return regex.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str) -> str:
    """A stranger's words on one line: NFC, single spaces, nothing invisible, no piled-up marks."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())  # the same as below, where there is nothing but letters and spaces
    text = _SPACE.sub(" ", text)
    text = _HIDDEN.sub("", _TAGS.sub(r"\1", _CONTROLS.sub("", text)))
    text = unicodedata.normalize("NFC", text)
    text = unicodedata.normalize("NFC", _PILED_MARKS.sub(r"\1", text))
    return _SPACES.sub(" ", text).strip()


def shorten(text: str, limit: int) -> str:
    """At most `limit` graphemes, ending in '…' where something was cut; at the end of a word where one is near."""
    if len(text) <= limit:
        return text
    parts = clusters(text)
    if len(parts) <= limit:
        return text
    head = parts[: max(limit - 1, 0)]
    if head and not parts[len(head)].isspace():
        ends = [at for at, part in enumerate(head) if part.isspace() and at >= len(head) // 2]
        head = head[: ends[-1]] if ends else head
    return "".join(head).rstrip() + "…"

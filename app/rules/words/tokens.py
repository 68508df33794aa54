"""Cuts what a customer wrote into words and marks, in one pass of linear time.

Spelling is forgiven here, so that the tables of words need one spelling each: capitals, full-width
letters, missing accents, every kind of apostrophe, 'worksss'. Japanese has no spaces: there every
character is a word of its own, and the tables' phrases are cut the same way.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache


class Mark(Enum):
    """What a piece of text is, before anybody asks what it means."""

    WORD = auto()
    VERSION = auto()
    STOP = auto()
    QUESTION = auto()
    WARM = auto()
    """A smile or a heart: friendly, and says nothing about the product."""
    CHEER = auto()
    """A party or a thumb up: fits good news only."""
    SOUR = auto()
    """Whatever can turn good news into mockery, all smileys we do not know among it."""
    NAME = auto()
    TAG = auto()
    ODD = auto()
    """Anything else, a quotation mark and all that stands between two of them included."""


@dataclass(frozen=True, slots=True)
class Token:
    """`word` is folded for look-ups; `start` and `end` lead back to what was written."""

    mark: Mark
    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A post without what is not the customer's own word on the matter (mentions around it, addresses, quoted lines)."""

    text: str
    tokens: tuple[Token, ...]
    tags: tuple[str, ...]
    quotes: bool

    def written(self, start: int, end: int) -> str:
        """What was written between two offsets, on one line and not too long for a page."""
        found = " ".join(self.text[start : min(end, start + 200)].split())
        return found if len(found) <= 60 else found[:59] + "…"


ANY_VERSION = "0.0"
"""What every version number is folded to. A plain number is none, and is no word of any table."""

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u00b4\u0060\uff07\u2032", "'"))
_INVISIBLE = re.compile(
    r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\u20e3\U0001f3fb-\U0001f3ff♀♂]"
)
_QUOTED_LINE = re.compile(r"^[ \t]*[>＞].*$", re.MULTILINE)
_KANA_AND_KANJI = r"\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u9fff"
_LETTER = rf"(?:(?![{_KANA_AND_KANJI}])[^\W\d_])"

_WARM = "🙇🙏❤♥💙💚💛🧡💜🤍🖤🥰😊😀😃😄😁😻🤗☺😌💕💖"
_CHEER = "👍🎉🥳✨💯🙌😍🤩✅👌💪🚀🎊✔☑"

_PIECES = re.compile(
    rf"""
      (?P<address> https?://\S+ | www\.\S+ )
    | (?P<name>    @(?:[A-Za-z0-9_]|[.\-@](?=[A-Za-z0-9_]))+ )
    | (?P<tag>     \#\w+ )
    | (?P<all>     \b100\s?% )
    | (?P<version> [vV]?\d+(?:[.,]\d+)* )
    | (?P<word>    {_LETTER}(?:{_LETTER}|\d|'(?={_LETTER}))* )
    | (?P<kana>    [{_KANA_AND_KANJI}] )
    | (?P<warm>    [:=]-?[)\]D](?!\w) | <3 | \^[_o-]?\^ | [{_WARM}] )
    | (?P<cheer>   [{_CHEER}] )
    | (?P<sour>    [:;=]'?-?[(/\\|] | ;-?\) | /s\b )
    | (?P<question>[?¿؟‽❓❔] )
    | (?P<hyphen>  (?<=\w)-(?=\w) )
    | (?P<strike>  ~~ )
    | (?P<stop>    [.!,;:()\[\]\n\r。、！・—–¡~〜…-] )
    | (?P<space>   \s )
    | (?P<quote>   ["“”„«»‹›「」『』'] )
    | (?P<odd>     . )
    """,
    re.VERBOSE | re.DOTALL,
)
_MARKS = {
    "warm": Mark.WARM,
    "cheer": Mark.CHEER,
    "sour": Mark.SOUR,
    "question": Mark.QUESTION,
    "stop": Mark.STOP,
    "name": Mark.NAME,
    "strike": Mark.ODD,
    "odd": Mark.ODD,
}
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_ELIDED = re.compile(r"(\w|qu)'")
_ACCENT_IS_MEANING = frozenset({"sí", "más", "né"})
"""Written with their accent these are other words than without: sí (yes) and si (if), más (more) and mas (but).

A drawn out siii is always a yes."""


def fold(word: str) -> tuple[str, ...]:
    """The spellings of one written word reduced to one: usually one word, two where an article is elided (l'export)."""
    word = unicodedata.normalize("NFC", word.casefold())
    if word in _ACCENT_IS_MEANING:
        return (word,)
    word = "".join(c for c in unicodedata.normalize("NFD", word) if not 0x300 <= ord(c) <= 0x36F)
    shortened = _DRAWN_OUT.sub(r"\1", word)
    if shortened == "si" != word:
        return ("sí",)
    word = shortened
    elided = _ELIDED.match(word)
    parts = (elided[1], word[elided.end() :]) if elided else (word,)
    return tuple(bare for part in parts if (bare := part.replace("'", "")))


def cut(phrase: str) -> tuple[str, ...]:
    """The folded words of a phrase from a table."""
    return tuple(word for written in phrase.split() for word in _cut_word(written))


@lru_cache(maxsize=20_000)
def _cut_word(written: str) -> tuple[str, ...]:
    return tuple(token.word for token in _tokens(_plain(written)) if token.mark in (Mark.WORD, Mark.VERSION))


def utter(text: str) -> Utterance:
    """A post, cut."""
    plain = _QUOTED_LINE.sub("", _plain(text))
    tokens = _tokens(plain)
    quotes = any(token.word == "quote" for token in tokens if token.mark is Mark.ODD)
    spoken = _without_surrounding_names([token for token in tokens if token.mark is not Mark.TAG])
    return Utterance(
        text=plain,
        tokens=tuple(_hide_quoted(spoken) if quotes else spoken),
        tags=tuple(token.word for token in tokens if token.mark is Mark.TAG),
        quotes=quotes,
    )


def _plain(text: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)))


def _tokens(plain: str) -> list[Token]:
    tokens: list[Token] = []
    for piece in _PIECES.finditer(plain):
        kind, start, end = str(piece.lastgroup), piece.start(), piece.end()
        if kind == "word":
            tokens.extend(Token(Mark.WORD, word, start, end) for word in fold(piece[0]))
        elif kind == "kana":
            if not (piece[0] == "ー" and start and _takes_no_long_vowel(plain[start - 1])):
                tokens.append(Token(Mark.WORD, piece[0], start, end))
        elif kind == "all":
            tokens.append(Token(Mark.WORD, "100%", start, end))
        elif kind == "version":
            tokens.append(Token(Mark.VERSION, "" if piece[0].isdecimal() else ANY_VERSION, start, end))
        elif kind == "tag":
            tokens.append(Token(Mark.TAG, "".join(fold(piece[0][1:])), start, end))
        elif kind == "quote":
            tokens.append(Token(Mark.ODD, "quote", start, end))
        elif kind == "odd" and unicodedata.category(piece[0]) in ("So", "Cn", "Co"):  # a smiley we do not know
            tokens.append(Token(Mark.SOUR, "", start, end))
        elif kind in _MARKS:
            tokens.append(Token(_MARKS[kind], "", start, end))
    return tokens


def _takes_no_long_vowel(before: str) -> bool:
    """Whether a ー after this character is only drawn out speech (ありがとうー), not spelling (エラー)."""
    return before == "ー" or "\u3041" <= before <= "\u309f"


def _without_surrounding_names(tokens: list[Token]) -> list[Token]:
    first, last = 0, len(tokens)
    while first < last and tokens[first].mark in (Mark.NAME, Mark.STOP):
        first += 1
    while last > first and tokens[last - 1].mark in (Mark.NAME, Mark.STOP):
        last -= 1
    return tokens[first:last]


def _hide_quoted(tokens: list[Token]) -> list[Token]:
    """Words between quotation marks are somebody else's, or meant otherwise: they are there, and say nothing."""
    hidden: list[Token] = []
    inside = False
    for token in tokens:
        if token.mark is Mark.ODD and token.word == "quote":
            inside = not inside
        hidden.append(Token(Mark.ODD, "", token.start, token.end) if inside else token)
    return hidden

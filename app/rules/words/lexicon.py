"""What a table of words is, and how phrases are found in a sentence.

A table is written for people who speak the language: one phrase a line or between commas, and
`[a|b|]` where words can stand for one another (an empty choice means that it may be missing).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum, auto
from functools import cached_property
from itertools import product

from app.rules.words.tokens import cut

Phrase = tuple[str, ...]
"""Folded words."""


class Sense(IntEnum):
    """What a phrase does to a sentence, the most harmless first.

    Where two languages read one word differently and nothing else decides, the higher one counts:
    that is how a wrong 'it works' becomes a question to a person. Each name but UNKNOWN is also
    the name, in small letters, of a row in `Lexicon`.
    """

    FILLER = auto()
    """Says nothing here: articles, praise, 'the update'."""
    THING = auto()
    """Part of a product: 'export', 'login'."""
    COURTESY = auto()
    """Thanks and greetings."""
    SMALL = auto()
    """May stand between a negation and its verb: 'does not *really* work'."""
    NOW = auto()
    """Now, again, finally: the product has changed."""
    JOIN = auto()
    """And."""
    USE = auto()
    """What one does with a product: says nothing alone, and is bad news when negated ('cannot *log in*')."""
    WORK = auto()
    """To work: says nothing alone, and is a failure when negated ('does not *work*')."""
    CAN = auto()
    """Beside something one does with a product and a NOW, it works: 'I *can* log in again'."""
    WORKS = auto()
    """It works: a claim, and a failure when negated."""
    FIXED = auto()
    """Says the same of a product and of its TROUBLE: 'the error is *fixed*'."""
    GONE = auto()
    """Says it of TROUBLE only: 'the error is *gone*'; a product that is gone is no good news."""
    WORKS_IF_NOW = auto()
    """Also an idiom for 'fine with me' (ça marche, passt), so it claims nothing unless beside a NOW."""
    TROUBLE = auto()
    """Error, crash, problem: bad news beside a STILL, good news beside FIXED and GONE."""
    STILL = auto()
    SPOILER = auto()
    """Stands near failures and never in a confirmation: unfortunately, yet."""
    YES_NO_TAG = auto()
    """Right? Oder? With a question mark it makes a question of what stands before it."""
    ALTHOUGH = auto()
    """Opens an aside that takes nothing back from a complaint: 'still broken *although* I updated'."""
    BUT = auto()
    NO = auto()
    """The answer no; in front of a complaint it bears it out."""
    NONE = auto()
    """Negates whatever it likes: nobody, without, did not."""
    NOT = auto()
    """Negates the verb near it: with WORK or WORKS it is a failure."""
    STILL_NOT = auto()
    """Both at once, and a failure when it is all that is said: 'immer noch nicht'."""
    FAILS_IF_ALONE = auto()
    """Bad news if nothing else is said that we do not understand: 'crashes', 'broken'."""
    FAILS = auto()
    """Bad news if we understand what it is said about: 'does not work'."""
    BROKEN = auto()
    """Bad news about the very thing we claimed to have fixed: 'still broken', 'same error'."""
    ASKS_FIRST = auto()
    """A question when it opens a sentence: 'funktioniert es'."""
    ASKS = auto()
    DOUBT = auto()
    """If, maybe, sometimes, yesterday, my colleague: takes the certainty out of its sentence."""
    HEARSAY = auto()
    """Says, told me: takes the certainty out of its sentence and of the next ('my wife says: …')."""
    UNSETTLED = auto()
    """Not tried yet, joking, taking it back: takes the certainty out of the whole text."""
    STOP_IF_FIRST = auto()
    """Asks for silence where a clause begins with it; elsewhere it may tell of an app: 'sie *antwortet mir nicht*'."""
    STOP_IF_ALONE = auto()
    """Asks for silence if nothing else is said: 'stop'."""
    STOP = auto()
    """Asks for silence: 'leave me alone'."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One language: a row for each sense.

    `not_after` tells that a negation may follow its verb ('geht nicht', 'marche pas'), and
    `verb_last` that the end of a sentence can still turn it around.
    """

    language: str
    works: str = ""
    fixed: str = ""
    gone: str = ""
    can: str = ""
    works_if_now: str = ""
    now: str = ""
    broken: str = ""
    fails: str = ""
    fails_if_alone: str = ""
    work: str = ""
    use: str = ""
    trouble: str = ""
    still: str = ""
    still_not: str = ""
    not_: str = ""
    not_after: bool = False
    verb_last: bool = False
    no: str = ""
    none: str = ""
    small: str = ""
    spoiler: str = ""
    but: str = ""
    although: str = ""
    join: str = ""
    asks: str = ""
    asks_first: str = ""
    yes_no_tag: str = ""
    doubt: str = ""
    hearsay: str = ""
    unsettled: str = ""
    courtesy: str = ""
    filler: str = ""
    thing: str = ""
    stop: str = ""
    stop_if_first: str = ""
    stop_if_alone: str = ""

    def phrases(self) -> Iterator[tuple[Phrase, Sense]]:
        """Every phrase of the table, cut into words, with its sense."""
        for row in fields(self):
            written = getattr(self, row.name)
            if isinstance(written, str) and row.name != "language":
                sense = Sense[row.name.rstrip("_").upper()]
                yield from ((phrase, sense) for phrase in expand(written))


@dataclass(frozen=True, slots=True)
class Match:
    """Words `start` to `end` of a sentence, and their sense."""

    sense: Sense
    start: int
    end: int


_CHOICE = re.compile(r"\[([^\]]*)\]")
_UMLAUTS = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"))


def expand(row: str) -> Iterator[Phrase]:
    """The phrases of a row, cut into words: every choice made, umlauts also as two letters."""
    for line in re.split(r"[,\n]", row):
        parts = _CHOICE.split(line.strip().lower())
        if any(bracket in part for part in parts for bracket in "[]") or any("|" in part for part in parts[::2]):
            raise ValueError(f"a choice is not closed, or holds another one: {line.strip()}")
        choices = [part.split("|") if at % 2 else [part] for at, part in enumerate(parts)]
        for chosen in product(*choices):
            phrase = "".join(chosen)
            spelled_out = phrase
            for letter, two in _UMLAUTS:
                spelled_out = spelled_out.replace(letter, two)
            for spelling in {phrase, spelled_out}:
                if words := cut(spelling):
                    yield words


class Phrasebook:
    """Phrases, indexed for reading. Where `senses` come from several tables, the gloomier sense of a phrase is kept."""

    def __init__(
        self, language: str, senses: Iterable[tuple[Phrase, Sense]], *, not_after: bool, verb_last: bool
    ) -> None:
        self.language = language
        self.not_after = not_after
        self.verb_last = verb_last
        self.senses: dict[Phrase, Sense] = {}
        self.openers: set[Phrase] = set()
        for phrase, sense in senses:
            if sense is Sense.ASKS_FIRST:
                self.openers.add(phrase)
            else:
                self.senses[phrase] = max(sense, self.senses.get(phrase, sense))
        lengths: dict[str, set[int]] = {}
        for phrase in (*self.senses, *self.openers):
            lengths.setdefault(phrase[0], set()).add(len(phrase))
        self._lengths = {word: tuple(sorted(found, reverse=True)) for word, found in lengths.items()}

    @classmethod
    def of(cls, *lexicons: Lexicon) -> Phrasebook:
        """The book of the last lexicon's language, which borrows from those before it."""
        return cls(
            lexicons[-1].language,
            (entry for lexicon in lexicons for entry in lexicon.phrases()),
            not_after=lexicons[-1].not_after,
            verb_last=lexicons[-1].verb_last,
        )

    @classmethod
    def together(cls, *books: Phrasebook) -> Phrasebook:
        """One book of several languages, called '*'."""
        return cls(
            "*",
            (entry for book in books for entry in book.entries()),
            not_after=any(book.not_after for book in books),
            verb_last=any(book.verb_last for book in books),
        )

    def entries(self) -> Iterator[tuple[Phrase, Sense]]:
        """Every phrase with its sense; one that is a question only where it opens a sentence may have a second."""
        yield from self.senses.items()
        yield from ((phrase, Sense.ASKS_FIRST) for phrase in self.openers)

    def read(self, words: Sequence[str]) -> list[Match]:
        """The sentence from left to right in the longest phrases this book has; other words are UNKNOWN.

        Time is linear: no phrase is longer than a dozen words.
        """
        matches: list[Match] = []
        at = 0
        opening = True
        while at < len(words):
            match = self._longest(words, at, opening=opening)
            matches.append(match)
            opening = match.sense in (Sense.JOIN, Sense.BUT) or (opening and match.sense is Sense.COURTESY)
            at = match.end
        return matches

    @cached_property
    def tags(self) -> Mapping[str, Sense]:
        """The phrases as hashtags are written, without spaces: #stillbroken."""
        tags: dict[str, Sense] = {}
        for phrase, sense in self.senses.items():
            tag = "".join(phrase)
            tags[tag] = max(sense, tags.get(tag, sense))
        return tags

    def _longest(self, words: Sequence[str], at: int, *, opening: bool) -> Match:
        for length in self._lengths.get(words[at], ()):
            phrase = tuple(words[at : at + length])
            if opening and phrase in self.openers:
                return Match(Sense.ASKS_FIRST, at, at + len(phrase))
            if phrase in self.senses:
                return Match(self.senses[phrase], at, at + len(phrase))
        return Match(Sense.UNKNOWN, at, at + 1)

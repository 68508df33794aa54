"""What did the customer answer when we said 'the fix is out, does it work now?'

A wrong 'it works' closes a door on somebody in public, so a text confirms only if it is understood
to its last word: one unknown word, one question mark, one 'but' and a person reads it. A complaint
may ramble: it counts where its decisive clause is clear and nothing else takes it back. A wish for
silence goes before everything.

The languages are tables (`app.rules.words`), one file each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.rules.words import all_languages
from app.rules.words.clauses import Clause, clauses_of, foreign_parts
from app.rules.words.lexicon import Match, Sense
from app.rules.words.tokens import Mark, Utterance, utter

MOST_READ = 2_000
"""Characters; a longer post is no answer to a yes-or-no question, and is not even cut into words."""

LONG = 400
"""Characters; a longer post never confirms."""

MANY_CLAUSES = 8
"""A post of more clauses never confirms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """It works now; `why` cites the words that say so."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StillBroken:
    """It does not work; `why` cites the words that say so."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """A person must read it; `why` tells them where we got stuck."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """They want no more automatic words from us, whatever else they said; `why` cites the wish."""

    why: str


Heard = Confirmed | StillBroken | Unsure | OptOut


def hear(text: str, *, language: str | None) -> Heard:
    """What an answer to our question means.

    `language` is what the network says about the post ('de', 'de-AT', None); it only decides
    between readings that explain equally many words. Never raises, whatever the text.
    """
    if len(text) > MOST_READ:
        return Unsure(why=f"longer than {MOST_READ} characters")
    said = utter(text)
    answer = _Answer(said=said, clauses=tuple(clauses_of(said, language)))
    if not answer.clauses:
        return Unsure(why="says nothing in words")
    silence = _asks_for_silence(answer)
    if silence:
        return OptOut(why=f"asks to be left alone: '{silence}'")
    failure = _says_it_fails(answer)
    if failure:
        return StillBroken(why=f"says '{failure}'")
    success = _says_it_works(answer)
    if success:
        return Confirmed(why=f"says '{success}'")
    return Unsure(why=next(why for reason in _REASONS if (why := reason(answer))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """One post and its clauses."""

    said: Utterance
    clauses: tuple[Clause, ...]

    @property
    def is_long(self) -> bool:
        return len(self.said.text.strip()) > LONG or len(self.clauses) > MANY_CLAUSES

    @property
    def asks(self) -> bool:
        return self.shows(Mark.QUESTION) or any(clause.asks for clause in self.clauses)

    @property
    def mocks(self) -> bool:
        """A wry smiley, strange signs, or a hashtag that means something else than good news (#fail, #not)."""
        return self.shows(Mark.SOUR, Mark.ODD) or any(_warns(tag) for tag in self.said.tags)

    def shows(self, *marks: Mark) -> bool:
        return any(token.mark in marks for token in self.said.tokens)

    def has(self, *senses: Sense) -> bool:
        return any(clause.has(*senses) for clause in self.clauses)

    def cite(self, clause: Clause, match: Match) -> str:
        return self.said.written(clause.tokens[match.start].start, clause.tokens[match.end - 1].end)

    def cite_first(self, *senses: Sense) -> str:
        """The first words with one of these senses, or nothing."""
        return next((self.cite(c, match) for c in self.clauses if (match := c.first(*senses)) is not None), "")


_WORKS = (Sense.WORKS, Sense.WORKS_IF_NOW)
_ALONE = (Sense.FAILS_IF_ALONE, Sense.STILL_NOT)
_PLAIN = frozenset({Sense.FILLER, Sense.THING, Sense.COURTESY, Sense.SMALL, Sense.NOW, Sense.JOIN, Sense.USE})
_CERTAIN = _PLAIN | frozenset(_WORKS)
"""All that a confirmation may consist of."""


_BEFORE_A_COMMAND = frozenset({Sense.COURTESY, Sense.SPOILER, Sense.SMALL, Sense.NOW})
"""Please, thank you, at last."""


def _warns(tag: str) -> bool:
    """Whether a hashtag, alone or cut in two (still|broken), holds words that no confirmation may."""
    known = all_languages().tags
    cuts = [(tag,), *((tag[:at], tag[at:]) for at in range(3, min(len(tag), 40) - 2))]
    return any(
        all(part in known for part in parts) and any(known[part] not in _CERTAIN for part in parts) for parts in cuts
    )


# Silence ----------------------------------------------------------------------------------------


def _asks_for_silence(answer: _Answer) -> str:
    """The words that ask us to be quiet, or nothing. 'Stop' alone is one; 'stop' beside other news is not."""
    is_all = all(
        match.sense in _PLAIN or match.sense in (Sense.SPOILER, Sense.STOP, Sense.STOP_IF_FIRST, Sense.STOP_IF_ALONE)
        for clause in answer.clauses
        for match in clause.matches
    )
    for clause in answer.clauses:
        for match in clause.matches:
            if match.sense is Sense.STOP and not _is_negated(clause, until=match.start):
                return answer.cite(clause, match)
            if match.sense is Sense.STOP_IF_FIRST and _opens(clause, match) and not clause.asks:
                return answer.cite(clause, match)
            if match.sense is Sense.STOP_IF_ALONE and is_all and not clause.asks:
                return answer.cite(clause, match)
    return ""


def _opens(clause: Clause, match: Match) -> bool:
    """Whether nobody is named before it in its clause who could be what it tells of."""
    return all(before.sense in _BEFORE_A_COMMAND for before in clause.matches if before.start < match.start)


# Failure ----------------------------------------------------------------------------------------


def _says_it_fails(answer: _Answer) -> str:
    """The words that say so beyond doubt, or nothing."""
    found = next(((c, match) for c in answer.clauses if (match := _failure_in(c, answer)) is not None), None)
    if found is None or answer.has(Sense.UNSETTLED) or _claims_works(answer.clauses) or answer.shows(Mark.CHEER):
        return ""
    objections = [c for c in answer.clauses if c.opened_by is Sense.BUT and not (c.verb_last and not c.matches)]
    if not all(_failure_in(clause, answer) or _is_plain(clause) for clause in objections):
        return ""
    if answer.is_long and (objections or not all(clause.is_certain for clause in answer.clauses)):
        return ""
    return answer.cite(*found)


def _failure_in(clause: Clause, answer: _Answer) -> Match | None:
    """The failure that this clause reports for certain, if it does."""
    match = clause.first(Sense.BROKEN) or clause.first(Sense.FAILS) or clause.first(*_ALONE)
    if (
        match is None
        or clause.has(Sense.GONE)
        or not clause.is_certain
        or _is_negated(clause, agreeing=match.sense is not Sense.FAILS_IF_ALONE)
    ):
        return None
    unknown = [m for m in clause.matches if m.sense is Sense.UNKNOWN]
    if match.sense is Sense.FAILS and any(m.start < match.start for m in unknown):
        return None
    if clause.verb_last and any(m.start > match.start for m in unknown):
        return None
    if match.sense in _ALONE and not _is_all_understood(answer):
        return None
    return match


def _is_all_understood(answer: _Answer) -> bool:
    """Whether there is nothing beside the failure that could change it."""
    return not answer.said.quotes and all(
        clause.is_understood and clause.is_certain and clause.opened_by is not Sense.BUT and not clause.has(Sense.NOT)
        for clause in answer.clauses
    )


def _is_negated(clause: Clause, *, until: int | None = None, agreeing: bool = True) -> bool:
    """Whether a negation is left, in its first `until` words, that no verb took.

    `agreeing` lets a leading 'no' pass, which bears out what follows ('no it still crashes').
    """
    return any(
        match.sense in (Sense.NOT, Sense.NO, Sense.NONE) and not (agreeing and at == 0 and match.sense is Sense.NO)
        for at, match in enumerate(clause.matches)
        if until is None or match.start < until
    )


def _is_plain(clause: Clause) -> bool:
    return bool(clause.matches) and all(match.sense in _PLAIN for match in clause.matches)


def _claims_works(clauses: Iterable[Clause]) -> bool:
    """Whether anything here, in any language, says that something works; a question claims nothing."""
    return any(
        not clause.asks and (clause.has(*_WORKS) or any(part.has(*_WORKS) for part in foreign_parts(clause)))
        for clause in clauses
    )


# Success ----------------------------------------------------------------------------------------


def _says_it_works(answer: _Answer) -> str:
    """The clause that says so, in a post that says nothing else; or nothing."""
    if answer.is_long or answer.asks or answer.mocks or answer.said.quotes:
        return ""
    if any(clause.opened_by in (Sense.BUT, Sense.ALTHOUGH) or clause.reported for clause in answer.clauses):
        return ""
    if any(match.sense not in _CERTAIN for clause in answer.clauses for match in clause.matches):
        return ""
    for clause in answer.clauses:
        if clause.has(Sense.WORKS) or (clause.has(Sense.WORKS_IF_NOW) and clause.has(Sense.NOW)):
            return answer.cite(clause, Match(Sense.WORKS, clause.matches[0].start, clause.matches[-1].end))
    return ""


# Explaining -------------------------------------------------------------------------------------


def _contradiction(answer: _Answer) -> str:
    works = answer.cite_first(*_WORKS)
    fails = answer.cite_first(Sense.BROKEN, Sense.FAILS, *_ALONE)
    return f"says both '{works}' and '{fails}'" if works and fails else ""


def _question(answer: _Answer) -> str:
    return "asks something" if answer.asks else ""


def _length(answer: _Answer) -> str:
    return "long, and not clear to its last word" if answer.is_long else ""


def _objection(answer: _Answer) -> str:
    objects = any(clause.opened_by in (Sense.BUT, Sense.ALTHOUGH) for clause in answer.clauses)
    return "there is a 'but' in it" if objects else ""


def _citing(why: str, *senses: Sense) -> Callable[[_Answer], str]:
    return lambda answer: why.format(found) if (found := answer.cite_first(*senses)) else ""


def _no_news(answer: _Answer) -> str:
    news = answer.has(*_WORKS, Sense.BROKEN, Sense.FAILS, *_ALONE)
    return "" if news else "says neither that it works nor that it does not"


def _quotation(answer: _Answer) -> str:
    return "quotes somebody's words" if answer.said.quotes else ""


def _mockery(answer: _Answer) -> str:
    return "may be meant ironically" if answer.mocks else ""


def _otherwise(answer: _Answer) -> str:
    news = answer.cite_first(*_WORKS, Sense.BROKEN, Sense.FAILS, *_ALONE)
    return f"says '{news}', but not clearly enough"


_REASONS: Sequence[Callable[[_Answer], str]] = (
    _contradiction,
    _question,
    _length,
    _citing("not tested, or not meant: '{}'", Sense.UNSETTLED),
    _citing("not certain: '{}'", Sense.DOUBT),
    _citing("somebody else's words: '{}'", Sense.HEARSAY),
    _no_news,
    _quotation,
    _mockery,
    _objection,
    _citing("a negation we cannot place: '{}'", Sense.NOT, Sense.NO, Sense.NONE),
    _citing("holds words we do not understand: '{}'", Sense.UNKNOWN),
    _otherwise,
)
"""Why a person must read it: the first that applies."""

"""What did the customer answer when we said 'the fix is out, does it work now?'

A wrong 'it works' closes a door on somebody in public, so a text confirms only if it is understood
to its last word: one unknown word, one question mark, one 'but' and a person reads it. A complaint
may ramble; it counts where its decisive sentence is clear and nothing else takes it back. A wish
for silence goes before everything.

The languages are tables (`app.rules.words`), one file each. Every sentence is read with each table
and belongs to the language that understands it best, so a post may change its language half way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from app.rules.words import ALL_LANGUAGES, PHRASEBOOKS
from app.rules.words.lexicon import Match, Phrasebook, Sense
from app.rules.words.tokens import Mark, Token, Utterance, utter

MOST_READ = 5_000
"""Characters; a longer post is not an answer to a yes-or-no question, and is not even cut into words."""

LONG = 400
"""Characters; a longer post never confirms."""

MANY_CLAUSES = 8


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
    """They want no more automatic words from us, whatever else they said."""

    why: str


Heard = Confirmed | StillBroken | Unsure | OptOut


def hear(text: str, *, language: str | None) -> Heard:
    """What an answer to our question means.

    `language` is what the network says about the post ('de', 'de-AT', None): it only decides
    between readings that explain the same number of words. Never raises, whatever the text.
    """
    if len(text) > MOST_READ:
        return Unsure(why=f"longer than {MOST_READ} characters")
    said = utter(text)
    clauses = [
        clause for sentence in _sentences(said) for clause in _clauses(sentence, _best_reading(sentence, language))
    ]
    if not clauses:
        return Unsure(why="says nothing in words")
    is_long = len(said.text.strip()) > LONG or len(clauses) > MANY_CLAUSES
    return (
        _opts_out(said, clauses)
        or _complains(said, clauses, is_long=is_long)
        or _confirms(said, clauses, is_long=is_long)
        or Unsure(why=_why_unsure(said, clauses, is_long=is_long))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sentence:
    """Words between two stops. `questioned` where a question mark ends it."""

    tokens: tuple[Token, ...]
    questioned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clause:
    """What one clause says, in one language. `opened_by` is the BUT or ALTHOUGH that leads into it."""

    tokens: tuple[Token, ...]
    matches: tuple[Match, ...]
    opened_by: Sense | None
    questioned: bool

    def has(self, *senses: Sense) -> bool:
        return any(match.sense in senses for match in self.matches)

    @property
    def is_understood(self) -> bool:
        return not self.has(Sense.UNKNOWN)

    @property
    def asks(self) -> bool:
        return self.questioned or self.has(Sense.ASKS, Sense.ASKS_FIRST)

    def first(self, *senses: Sense) -> Match | None:
        return next((match for match in self.matches if match.sense in senses), None)


# Cutting ----------------------------------------------------------------------------------------


def _sentences(said: Utterance) -> list[_Sentence]:
    """The text between stops, smileys and question marks; empty ones are left out."""
    sentences: list[_Sentence] = []
    open_tokens: list[Token] = []
    for token in said.tokens:
        if token.mark in (Mark.WORD, Mark.VERSION, Mark.NAME, Mark.ODD):
            open_tokens.append(token)
            continue
        if open_tokens:
            sentences.append(_Sentence(tokens=tuple(open_tokens), questioned=token.mark is Mark.QUESTION))
            open_tokens = []
        elif sentences and token.mark is Mark.QUESTION:  # 'works now!?'
            sentences[-1] = _Sentence(tokens=sentences[-1].tokens, questioned=True)
    if open_tokens:
        sentences.append(_Sentence(tokens=tuple(open_tokens), questioned=False))
    for at, (before, after) in enumerate(pairwise(sentences)):
        if after.questioned and _is_tag(after):
            sentences[at] = _Sentence(tokens=before.tokens, questioned=True)
    return sentences


def _is_tag(sentence: _Sentence) -> bool:
    """Whether the sentence is only a 'right?' that asks about the one before."""
    words = tuple(token.word for token in sentence.tokens)
    return any(book.senses.get(words) in (Sense.YES_NO_TAG, Sense.NO, Sense.NOT) for book in PHRASEBOOKS)


def _best_reading(sentence: _Sentence, language: str | None) -> tuple[Phrasebook, list[Match]]:
    """The reading with the fewest unknown words.

    Several that leave none: the gloomiest. Otherwise: the language the network named. All tables
    together are tried only where no single one suffices and they leave no word unknown.
    """
    hint = (language or "").replace("_", "-").partition("-")[0].lower()
    readings = [(book, _read(book, sentence)) for book in PHRASEBOOKS]
    whole = [reading for reading in readings if not _unknown(reading[1])]
    if whole:
        return max(whole, key=lambda reading: max(match.sense for match in reading[1]))
    together = _read(ALL_LANGUAGES, sentence)
    if not _unknown(together):
        return ALL_LANGUAGES, together
    return min(readings, key=lambda reading: (_unknown(reading[1]), reading[0].language != hint))


def _unknown(matches: Iterable[Match]) -> int:
    return sum(match.sense is Sense.UNKNOWN for match in matches)


def _read(book: Phrasebook, sentence: _Sentence) -> list[Match]:
    tokens = sentence.tokens
    matches = book.read([token.word if token.mark is Mark.WORD else "" for token in tokens])
    thanks = any(match.sense is Sense.COURTESY for match in matches)
    return [
        Match(Sense.FILLER, match.start, match.end)
        if match.sense is Sense.UNKNOWN and _goes_without_saying(tokens[match.start], thanks=thanks)
        else match
        for match in matches
    ]


def _goes_without_saying(token: Token, *, thanks: bool) -> bool:
    """A version number is no news; a name is none beside thanks ('thanks @acme'), and may be anything elsewhere."""
    if token.mark is Mark.VERSION:
        return not token.word.isdecimal()
    return token.mark is Mark.NAME and thanks


def _clauses(sentence: _Sentence, reading: tuple[Phrasebook, list[Match]]) -> list[_Clause]:
    """The sentence at its 'and', 'but' and 'although'; negations are joined to their verbs."""
    book, matches = reading
    clauses: list[_Clause] = []
    part: list[Match] = []
    opened_by: Sense | None = None
    for match in [*matches, None]:
        if match is not None and match.sense not in (Sense.JOIN, Sense.BUT, Sense.ALTHOUGH):
            part.append(match)
            continue
        if part or opened_by in (Sense.BUT, Sense.ALTHOUGH):
            joined = _with_repeated_failure(_with_negated_verbs(part, not_after=book.not_after))
            clauses.append(
                _Clause(
                    tokens=sentence.tokens,
                    matches=tuple(joined),
                    opened_by=opened_by,
                    questioned=sentence.questioned,
                )
            )
        part = []
        opened_by = match.sense if match is not None else None
    if opened_by in (Sense.BUT, Sense.ALTHOUGH):  # 'thanks, but …'
        clauses.append(_Clause(tokens=sentence.tokens, matches=(), opened_by=opened_by, questioned=sentence.questioned))
    return clauses


# Joining words ----------------------------------------------------------------------------------

_NEGATION = (Sense.NOT, Sense.STILL_NOT)
_WORKS = (Sense.WORKS, Sense.WORKS_IF_NOW)
_VERB = (*_WORKS, Sense.WORK, Sense.USE)
_BETWEEN_NOT_AND_VERB = (Sense.SMALL, Sense.NOW, Sense.STILL, Sense.SPOILER)
_BETWEEN_VERB_AND_NOT = (*_BETWEEN_NOT_AND_VERB, Sense.FILLER, Sense.THING)
_FAILURE = (Sense.FAILS, Sense.FAILS_IF_ALONE, Sense.TROUBLE)


def _with_negated_verbs(matches: Sequence[Match], *, not_after: bool) -> list[Match]:
    """'does not … work' and 'geht … nicht' become one FAILS each, or BROKEN where 'still' is among them."""
    joined = list(matches)
    at = 0
    while at < len(joined):
        if joined[at].sense in _NEGATION:
            verb = _reach(joined, at, step=1, over=_BETWEEN_NOT_AND_VERB, to=_VERB)
            if verb is None and not_after:
                verb = _reach(joined, at, step=-1, over=_BETWEEN_VERB_AND_NOT, to=_WORKS)
            if verb is not None:
                first, last = sorted((at, verb))
                whole = joined[first : last + 1]
                if any(match.sense in (Sense.STILL, Sense.STILL_NOT) for match in whole):
                    sense = Sense.BROKEN
                else:
                    sense = Sense.FAILS_IF_ALONE if joined[verb].sense is Sense.USE else Sense.FAILS
                joined[first : last + 1] = [Match(sense, whole[0].start, whole[-1].end)]
                at = first
        at += 1
    return joined


def _with_repeated_failure(matches: Sequence[Match]) -> list[Match]:
    """'still … crashes' and 'plante … toujours' become one BROKEN each."""
    joined = list(matches)
    at = 0
    while at < len(joined):
        if joined[at].sense is Sense.STILL:
            failure = _reach(joined, at, step=1, over=_BETWEEN_VERB_AND_NOT, to=_FAILURE)
            if failure is None:
                failure = _reach(joined, at, step=-1, over=_BETWEEN_VERB_AND_NOT, to=_FAILURE)
            if failure is not None:
                first, last = sorted((at, failure))
                joined[first : last + 1] = [Match(Sense.BROKEN, joined[first].start, joined[last].end)]
                at = first
        at += 1
    return joined


def _reach(
    matches: Sequence[Match], at: int, *, step: int, over: Sequence[Sense], to: Sequence[Sense], most: int = 6
) -> int | None:
    """The nearest match with a sense of `to`, going from `at` over nothing but `over`; None if something else is nearer."""
    for distance in range(1, most + 1):
        there = at + step * distance
        if not 0 <= there < len(matches):
            return None
        if matches[there].sense in to:
            return there
        if matches[there].sense not in over:
            return None
    return None


# Deciding ---------------------------------------------------------------------------------------

_CERTAIN = frozenset(
    {
        Sense.FILLER,
        Sense.THING,
        Sense.COURTESY,
        Sense.SMALL,
        Sense.NOW,
        Sense.JOIN,
        Sense.USE,
        Sense.WORKS,
        Sense.WORKS_IF_NOW,
    }
)
"""All that a confirmation may consist of."""


def _opts_out(said: Utterance, clauses: Sequence[_Clause]) -> OptOut | None:
    alone = all(
        match.sense in (_CERTAIN - set(_WORKS)) | {Sense.SPOILER, Sense.STOP, Sense.STOP_IF_ALONE}
        for clause in clauses
        for match in clause.matches
    )
    for clause in clauses:
        for match in clause.matches:
            if match.sense is Sense.STOP and not _is_negated(clause, before=match, agreeing=True):
                return OptOut(why=f"asks to be left alone: '{_cited(said, clause, match)}'")
            if match.sense is Sense.STOP_IF_ALONE and alone and not clause.asks:
                return OptOut(why=f"asks to be left alone: '{_cited(said, clause, match)}'")
    return None


def _complains(said: Utterance, clauses: Sequence[_Clause], *, is_long: bool) -> StillBroken | None:
    found = next(
        ((clause, match) for clause in clauses if (match := _failure_in(clause, clauses, said)) is not None), None
    )
    if found is None or _is_unsettled(clauses) or _claims_works(clauses):
        return None
    if any(token.mark is Mark.CHEER for token in said.tokens):
        return None
    if any(clause.opened_by is Sense.BUT and not _bears_out(clause, clauses, said) for clause in clauses):
        return None
    if is_long and any(clause.opened_by is Sense.BUT or clause.asks or clause.has(Sense.DOUBT) for clause in clauses):
        return None
    clause, match = found
    return StillBroken(why=f"says '{_cited(said, clause, match)}'")


def _failure_in(clause: _Clause, clauses: Sequence[_Clause], said: Utterance) -> Match | None:
    """The failure this clause reports beyond doubt, if it does."""
    match = clause.first(Sense.BROKEN) or clause.first(Sense.FAILS) or clause.first(*_ALONE)
    if match is None or clause.asks or clause.has(Sense.DOUBT, Sense.YES_NO_TAG):
        return None
    if _is_negated(clause, before=None, agreeing=match.sense is Sense.BROKEN):
        return None
    if match.sense is Sense.FAILS:
        understood = all(m.sense is not Sense.UNKNOWN for m in clause.matches if m.start < match.start)
        return match if understood else None
    if match.sense in _ALONE and not _is_all_that_is_said(clauses, said):
        return None
    return match


_ALONE = (Sense.FAILS_IF_ALONE, Sense.STILL_NOT)


def _is_all_that_is_said(clauses: Sequence[_Clause], said: Utterance) -> bool:
    return not said.quotes and all(
        clause.is_understood
        and not clause.asks
        and clause.opened_by is not Sense.BUT
        and not clause.has(Sense.DOUBT, Sense.BUT, Sense.NOT)
        for clause in clauses
    )


def _is_negated(clause: _Clause, *, before: Match | None, agreeing: bool = False) -> bool:
    """Whether a negation is left that no verb took.

    `before` looks only at what stands in front of that match. `agreeing` lets a leading 'no' pass,
    which agrees with the complaint ('no it still crashes').
    """
    for at, match in enumerate(clause.matches):
        if before is not None and match.start >= before.start:
            return False
        if match.sense in (Sense.NOT, Sense.NO) and not (agreeing and at == 0 and match.sense is Sense.NO):
            return True
    return False


def _is_unsettled(clauses: Iterable[_Clause]) -> bool:
    return any(clause.has(Sense.UNSETTLED) for clause in clauses)


def _bears_out(clause: _Clause, clauses: Sequence[_Clause], said: Utterance) -> bool:
    """Whether what follows a 'but' leaves the complaint as it is: it is the complaint, or only courtesy."""
    return _failure_in(clause, clauses, said) is not None or (
        bool(clause.matches) and all(match.sense in _CERTAIN for match in clause.matches)
    )


def _claims_works(clauses: Sequence[_Clause]) -> bool:
    """Whether anything here says that something works; questions and conditions claim nothing.

    Words that the sentence's own language does not have are read with every other one first
    ('still broken pero la web funciona').
    """
    return any(
        not clause.asks
        and not clause.has(Sense.DOUBT)
        and (clause.has(*_WORKS) or any(part.has(*_WORKS) for part in _foreign_parts(clause)))
        for clause in clauses
    )


def _foreign_parts(clause: _Clause) -> list[_Clause]:
    parts: list[_Clause] = []
    for is_foreign, run in groupby(clause.matches, key=lambda match: match.sense is Sense.UNKNOWN):
        if is_foreign:
            matches = list(run)
            part = _Sentence(tokens=clause.tokens[matches[0].start : matches[-1].end], questioned=False)
            parts.extend(_clauses(part, (ALL_LANGUAGES, _read(ALL_LANGUAGES, part))))
    return parts


def _confirms(said: Utterance, clauses: Sequence[_Clause], *, is_long: bool) -> Confirmed | None:
    if is_long or said.quotes or _is_mocking(said):
        return None
    if any(token.mark is Mark.QUESTION for token in said.tokens):
        return None
    for clause in clauses:
        if clause.opened_by in (Sense.BUT, Sense.ALTHOUGH) or any(m.sense not in _CERTAIN for m in clause.matches):
            return None
    for clause in clauses:
        match = clause.first(Sense.WORKS)
        if match is None and clause.has(Sense.NOW):
            match = clause.first(Sense.WORKS_IF_NOW)
        if match is not None:
            whole = Match(match.sense, clause.matches[0].start, clause.matches[-1].end)
            return Confirmed(why=f"says '{_cited(said, clause, whole)}'")
    return None


def _is_mocking(said: Utterance) -> bool:
    """A wry smiley, or a hashtag (#fail, #not) that means something other than good news."""
    return any(token.mark in (Mark.SOUR, Mark.ODD) for token in said.tokens) or any(
        ALL_LANGUAGES.tags.get(tag, Sense.FILLER) not in _CERTAIN for tag in said.tags
    )


def _cited(said: Utterance, clause: _Clause, match: Match) -> str:
    return said.written(clause.tokens[match.start].start, clause.tokens[match.end - 1].end)


# Explaining -------------------------------------------------------------------------------------


def _why_unsure(said: Utterance, clauses: Sequence[_Clause], *, is_long: bool) -> str:
    works = _citation(said, clauses, Sense.WORKS, Sense.WORKS_IF_NOW)
    fails = _citation(said, clauses, Sense.BROKEN, Sense.FAILS, Sense.FAILS_IF_ALONE, Sense.STILL_NOT)
    if works and fails:
        return f"says both '{works}' and '{fails}'"
    if any(token.mark is Mark.QUESTION for token in said.tokens) or any(clause.asks for clause in clauses):
        return "asks something"
    if is_long:
        return "long, and not clear to its last word"
    for senses, why in _REASONS:
        found = _citation(said, clauses, *senses)
        if found:
            return why.format(found)
    if not works and not fails:
        return "says neither that it works nor that it does not"
    if said.quotes:
        return "quotes somebody's words"
    if _is_mocking(said):
        return "may be meant ironically"
    unknown = _citation(said, clauses, Sense.UNKNOWN)
    if unknown:
        return f"says '{works or fails}', and '{unknown}', which we do not understand"
    return f"says '{works or fails}', but not clearly enough"


_REASONS: tuple[tuple[tuple[Sense, ...], str], ...] = (
    ((Sense.UNSETTLED,), "not tested, or not meant: '{}'"),
    ((Sense.DOUBT,), "not certain: '{}'"),
    ((Sense.NOT, Sense.NO, Sense.STILL_NOT), "a negation we cannot place: '{}'"),
)


def _citation(said: Utterance, clauses: Iterable[_Clause], *senses: Sense) -> str:
    for clause in clauses:
        match = clause.first(*senses)
        if match is not None:
            return _cited(said, clause, match)
    return ""

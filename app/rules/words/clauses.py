"""A post as clauses, each read in the language that understands it best, its negations joined to their verbs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise, takewhile

from app.rules.words import all_languages, phrasebooks
from app.rules.words.lexicon import Match, Phrasebook, Sense
from app.rules.words.tokens import Mark, Token, Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Words between two stops. `questioned` where a question mark ends it."""

    tokens: tuple[Token, ...]
    questioned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """What one clause says, in one language.

    `opened_by` is the BUT, ALTHOUGH or JOIN that leads into it. `reported` is true where the
    sentence before it ends in somebody else's mouth ('my wife says: …'). `verb_last` is the language's.
    """

    tokens: tuple[Token, ...]
    matches: tuple[Match, ...]
    opened_by: Sense | None
    questioned: bool
    verb_last: bool
    reported: bool = False

    def has(self, *senses: Sense) -> bool:
        """Whether any phrase in it has one of these senses."""
        return any(match.sense in senses for match in self.matches)

    def first(self, *senses: Sense) -> Match | None:
        """The first phrase with one of these senses."""
        return next((match for match in self.matches if match.sense in senses), None)

    @property
    def is_understood(self) -> bool:
        """Whether every word of it is in a table."""
        return not self.has(Sense.UNKNOWN)

    @property
    def asks(self) -> bool:
        """Whether it is a question, with or without its mark."""
        return self.questioned or self.has(Sense.ASKS, Sense.ASKS_FIRST)

    @property
    def is_certain(self) -> bool:
        """Whether the customer speaks of what they know themselves, here and now."""
        return not self.asks and not self.reported and not self.has(Sense.DOUBT, Sense.HEARSAY, Sense.YES_NO_TAG)


def clauses_of(said: Utterance, language: str | None) -> list[Clause]:
    """All clauses of a post, in order; `language` decides between readings that understand equally much."""
    clauses: list[Clause] = []
    reported = False
    for sentence in _sentences(said):
        found = _clauses(sentence, *_best_reading(sentence, language))
        clauses.extend(replace(clause, reported=reported) for clause in found)
        reported = any(clause.has(Sense.HEARSAY) for clause in found)
    return clauses


def foreign_parts(clause: Clause) -> Iterator[Clause]:
    """The words that the clause's own language does not have, read with every table at once."""
    for is_foreign, run in groupby(clause.matches, key=lambda match: match.sense is Sense.UNKNOWN):
        if is_foreign:
            matches = list(run)
            part = Sentence(tokens=clause.tokens[matches[0].start : matches[-1].end], questioned=clause.questioned)
            yield from _clauses(part, all_languages(), _read(all_languages(), part))


def _sentences(said: Utterance) -> list[Sentence]:
    """The text between stops, smileys and question marks; empty ones are left out."""
    sentences: list[Sentence] = []
    open_tokens: list[Token] = []
    for token in said.tokens:
        if token.mark in (Mark.WORD, Mark.VERSION, Mark.NAME, Mark.ODD):
            open_tokens.append(token)
            continue
        if open_tokens:
            sentences.append(Sentence(tokens=tuple(open_tokens), questioned=token.mark is Mark.QUESTION))
            open_tokens = []
        elif sentences and token.mark is Mark.QUESTION:  # 'works now!?'
            sentences[-1] = replace(sentences[-1], questioned=True)
    if open_tokens:
        sentences.append(Sentence(tokens=tuple(open_tokens), questioned=False))
    for at, (before, after) in enumerate(pairwise(sentences)):
        if after.questioned and _is_tag(after):
            sentences[at] = replace(before, questioned=True)
    return sentences


def _is_tag(sentence: Sentence) -> bool:
    """Whether the sentence is only a 'right?' that asks about the one before."""
    words = tuple(token.word for token in sentence.tokens)
    return any(book.senses.get(words) in (Sense.YES_NO_TAG, Sense.NO, Sense.NOT) for book in phrasebooks())


def _best_reading(sentence: Sentence, language: str | None) -> tuple[Phrasebook, list[Match]]:
    """The reading with the fewest unknown words.

    Several that leave none: the gloomiest. No such, and no bad news found: two languages, if the
    sentence changes from one to the other once and leaves none. Otherwise: the language the network
    named.
    """
    hint = (language or "").replace("_", "-").partition("-")[0].lower()
    readings = [(book, _read(book, sentence)) for book in phrasebooks()]
    whole = [reading for reading in readings if not _unknown(reading[1])]
    if whole:
        return max(whole, key=lambda reading: max(match.sense for match in reading[1]))
    best = min(readings, key=lambda reading: (_unknown(reading[1]), reading[0].language != hint))
    if not any(match.sense in _BAD_NEWS for match in best[1]):
        changing = _reading_of_two(sentence, readings)
        if changing is not None:
            return all_languages(), changing
    return best


_BAD_NEWS = frozenset({Sense.BROKEN, Sense.FAILS, Sense.FAILS_IF_ALONE, Sense.STILL_NOT})
_SAYS_NOTHING = frozenset({Sense.FILLER, Sense.THING, Sense.SMALL, Sense.JOIN, Sense.USE, Sense.WORKS_IF_NOW})


def _reading_of_two(sentence: Sentence, readings: Iterable[tuple[Phrasebook, list[Match]]]) -> list[Match] | None:
    """The sentence begun in one language and ended in another ('funktioniert now, danke'), both understood whole.

    Each must say something of its own: little words look alike everywhere, and a French 'on' must
    not help an English sentence through.
    """
    begun = max(
        (list(takewhile(_is_known, matches)) for _, matches in readings), key=lambda part: part[-1].end if part else 0
    )
    if not begun or _is_idle(begun):
        return None
    change = begun[-1].end
    rest = Sentence(tokens=sentence.tokens[change:], questioned=sentence.questioned)
    endings = [
        matches for book in phrasebooks() if not _unknown(matches := _read(book, rest)) and not _is_idle(matches)
    ]
    if not endings:
        return None
    ended = max(endings, key=lambda matches: max(match.sense for match in matches))
    return begun + [Match(match.sense, match.start + change, match.end + change) for match in ended]


def _is_known(match: Match) -> bool:
    return match.sense is not Sense.UNKNOWN


def _is_idle(matches: Iterable[Match]) -> bool:
    return all(match.sense in _SAYS_NOTHING for match in matches)


def _unknown(matches: Iterable[Match]) -> int:
    return sum(match.sense is Sense.UNKNOWN for match in matches)


def _read(book: Phrasebook, sentence: Sentence) -> list[Match]:
    """The sentence in one language. A name says nothing beside thanks ('thanks @acme'), and may be anything elsewhere."""
    tokens = sentence.tokens
    matches = book.read([token.word for token in tokens])
    thanks = any(match.sense is Sense.COURTESY for match in matches)
    return [
        Match(Sense.FILLER, match.start, match.end)
        if match.sense is Sense.UNKNOWN and thanks and tokens[match.start].mark is Mark.NAME
        else match
        for match in matches
    ]


_LINKS = (Sense.JOIN, Sense.BUT, Sense.ALTHOUGH)


def _clauses(sentence: Sentence, book: Phrasebook, matches: Sequence[Match]) -> list[Clause]:
    """The sentence at its 'and', 'but' and 'although'. A trailing 'but' is an empty clause of its own."""
    parts: list[tuple[Sense | None, list[Match]]] = [(None, [])]
    for match in matches:
        if match.sense in _LINKS and not _marks_a_subject(match, sentence, parts[-1][1]):
            parts.append((match.sense, []))
        else:
            parts[-1][1].append(match)
    return [
        Clause(
            tokens=sentence.tokens,
            matches=tuple(
                _with_successes(_with_repeated_failures(_with_negated_verbs(part, not_after=book.not_after)))
            ),
            opened_by=opened_by,
            questioned=sentence.questioned,
            verb_last=book.verb_last,
        )
        for opened_by, part in parts
        if part or opened_by in (Sense.BUT, Sense.ALTHOUGH)
    ]


def _marks_a_subject(match: Match, sentence: Sentence, before: Sequence[Match]) -> bool:
    """Japanese が is 'but' after a verb, and no more than the end of a subject after a noun: after any word we do not know."""
    return bool(before) and before[-1].sense is Sense.UNKNOWN and sentence.tokens[match.start].word == "が"


_VERB = (Sense.WORKS, Sense.WORKS_IF_NOW, Sense.FIXED, Sense.WORK, Sense.USE)
_BETWEEN_NOT_AND_VERB = (Sense.SMALL, Sense.NOW, Sense.STILL, Sense.SPOILER, Sense.CAN)
_BETWEEN_VERB_AND_NOT = (*_BETWEEN_NOT_AND_VERB, Sense.FILLER, Sense.THING)
_FAILURE = (Sense.FAILS, Sense.FAILS_IF_ALONE, Sense.TROUBLE)
_BETWEEN_CAN_AND_USE = (Sense.SMALL, Sense.NOW, Sense.FILLER)
_BETWEEN_TROUBLE_AND_END = (Sense.SMALL, Sense.NOW, Sense.FILLER, Sense.THING)
_FARTHEST = 6


def _with_negated_verbs(matches: Sequence[Match], *, not_after: bool) -> list[Match]:
    """'does not … work' and 'geht … nicht' become one FAILS each, or BROKEN where 'still' is among them."""
    joined = list(matches)
    verbs = (*_VERB, Sense.GONE) if any(match.sense is Sense.TROUBLE for match in matches) else _VERB
    at = 0
    while at < len(joined):
        if joined[at].sense in (Sense.NOT, Sense.STILL_NOT):
            verb = _reach(joined, at, step=1, over=_BETWEEN_NOT_AND_VERB, to=verbs)
            if verb is None and not_after:
                verb = _reach(joined, at, step=-1, over=_BETWEEN_VERB_AND_NOT, to=verbs)
            if verb is not None:
                at = _merge(joined, at, verb, _negated(joined, verb, at))
        at += 1
    return joined


def _negated(joined: Sequence[Match], verb: int, at: int) -> Sense:
    """The sense of a verb and its negation, with all that stands between them."""
    if any(match.sense in (Sense.STILL, Sense.STILL_NOT) for match in joined[min(at, verb) : max(at, verb) + 1]):
        return Sense.BROKEN
    return Sense.FAILS_IF_ALONE if joined[verb].sense is Sense.USE else Sense.FAILS


def _with_repeated_failures(matches: Sequence[Match]) -> list[Match]:
    """'still … crashes' and 'plante … toujours' become one BROKEN each."""
    joined = list(matches)
    at = 0
    while at < len(joined):
        if joined[at].sense is Sense.STILL:
            failure = _reach(joined, at, step=1, over=_BETWEEN_VERB_AND_NOT, to=_FAILURE)
            if failure is None:
                failure = _reach(joined, at, step=-1, over=_BETWEEN_VERB_AND_NOT, to=_FAILURE)
            if failure is not None:
                at = _merge(joined, at, failure, Sense.BROKEN)
        at += 1
    return joined


def _with_successes(matches: Sequence[Match]) -> list[Match]:
    """'can … log in … again' becomes one WORKS, and so do 'the error … is fixed' and 'solved … the problem'."""
    joined = list(matches)
    senses = {match.sense for match in matches}
    if Sense.NOW in senses and Sense.CAN in senses:
        can = next(at for at, match in enumerate(joined) if match.sense is Sense.CAN)
        use = _reach(joined, can, step=1, over=_BETWEEN_CAN_AND_USE, to=(Sense.USE,))
        if use is not None:
            _merge(joined, can, use, Sense.WORKS)
    for at in reversed(range(len(joined))):
        if at < len(joined) and joined[at].sense in (Sense.FIXED, Sense.GONE):
            trouble = _reach(joined, at, step=-1, over=_BETWEEN_TROUBLE_AND_END, to=(Sense.TROUBLE,))
            if trouble is None:
                trouble = _reach(joined, at, step=1, over=_BETWEEN_TROUBLE_AND_END, to=(Sense.TROUBLE,))
            if trouble is not None:
                _merge(joined, at, trouble, Sense.WORKS)
    return [Match(Sense.WORKS, m.start, m.end) if m.sense is Sense.FIXED else m for m in joined]


def _merge(joined: list[Match], one: int, other: int, sense: Sense) -> int:
    """Puts one match in the place of two and all between them; returns where."""
    first, last = sorted((one, other))
    joined[first : last + 1] = [Match(sense, joined[first].start, joined[last].end)]
    return first


def _reach(matches: Sequence[Match], at: int, *, step: int, over: Sequence[Sense], to: Sequence[Sense]) -> int | None:
    """The nearest match with a sense of `to`, going from `at` over nothing but `over`; None if something else is nearer."""
    for distance in range(1, _FARTHEST + 1):
        there = at + step * distance
        if not 0 <= there < len(matches):
            return None
        if matches[there].sense in to:
            return there
        if matches[there].sense not in over:
            return None
    return None

"""The words customers answer with, one table for each language.

A new language is a new file with one `Lexicon` and its name in `LEXICONS`; the tests then ask for its phrases.
"""

from __future__ import annotations

from functools import cache

from app.rules.words.english import ENGLISH
from app.rules.words.french import FRENCH
from app.rules.words.german import GERMAN
from app.rules.words.international import INTERNATIONAL
from app.rules.words.japanese import JAPANESE
from app.rules.words.lexicon import Lexicon, Phrasebook
from app.rules.words.portuguese import PORTUGUESE
from app.rules.words.spanish import SPANISH

LEXICONS: tuple[Lexicon, ...] = (ENGLISH, GERMAN, FRENCH, SPANISH, PORTUGUESE, JAPANESE)


@cache
def phrasebooks() -> tuple[Phrasebook, ...]:
    """The tables, indexed for reading when they are first asked for: that takes a fifth of a second."""
    return tuple(Phrasebook.of(INTERNATIONAL, lexicon) for lexicon in LEXICONS)


@cache
def all_languages() -> Phrasebook:
    """Every table at once, for sentences that mix two languages; where they differ the gloomier sense counts."""
    return Phrasebook.together(*phrasebooks())

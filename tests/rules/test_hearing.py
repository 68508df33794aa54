"""What customers answer: phrases of six languages, traps, a hold-out list, and what must hold for every text."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.hearing import Confirmed, Heard, OptOut, StillBroken, Unsure, hear
from app.rules.words import LEXICONS, all_languages, phrasebooks
from app.rules.words.international import INTERNATIONAL
from app.rules.words.lexicon import Lexicon, Sense, expand

PHRASES = Path(__file__).parent / "phrases"
MEANINGS: dict[str, type[Heard]] = {
    "confirmed": Confirmed,
    "still_broken": StillBroken,
    "unsure": Unsure,
    "opt_out": OptOut,
}
LANGUAGES = ("en", "de", "fr", "es", "pt", "ja")


def read(path: str) -> dict[str, list[str]]:
    return tomllib.loads((PHRASES / path).read_text(encoding="utf-8"))


KNOWN = {name: read(f"{name}.toml") for name in (*LANGUAGES, "mixed")}
HOLD_OUT = {name: read(f"holdout/{name}.toml") for name in LANGUAGES}
TRAPS = read("traps.toml")
EVERY_PHRASE = [text for lists in KNOWN.values() for texts in lists.values() for text in texts]
CONFIRMED = [text for lists in KNOWN.values() for text in lists.get("confirmed", [])]
BROKEN = [text for lists in KNOWN.values() for text in lists.get("still_broken", [])]

every_list = pytest.mark.parametrize(
    ("texts", "meaning"),
    [
        pytest.param(texts, MEANINGS[meaning], id=f"{name}-{meaning}")
        for name, lists in KNOWN.items()
        for meaning, texts in lists.items()
    ],
)
"""One test for each language and meaning: thousands of tests of a millisecond take minutes to hand out."""


def said(text: str, *, language: str | None = None) -> type[Heard]:
    return type(hear(text, language=language))


# Phrases ----------------------------------------------------------------------------------------


def wrongly_heard(texts: Iterable[str], *allowed: type[Heard], language: str | None = None) -> dict[str, Heard]:
    """The texts that are heard as anything else, with what was heard; a test that asks for none shows them all."""
    heard = {text: hear(text, language=language) for text in texts}
    return {text: found for text, found in heard.items() if not isinstance(found, allowed)}


@every_list
def test_a_phrase_is_heard_as_people_mean_it(texts: list[str], meaning: type[Heard]) -> None:
    assert wrongly_heard(texts, meaning) == {}


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_language_has_enough_phrases_of_every_meaning(name: str) -> None:
    assert KNOWN[name].keys() == MEANINGS.keys()
    assert sum(map(len, KNOWN[name].values())) >= 60
    assert all(len(texts) >= 10 for texts in KNOWN[name].values())
    assert sum(map(len, HOLD_OUT[name].values())) >= 25


def test_there_are_enough_phrases_in_two_languages_at_once() -> None:
    assert sum(map(len, KNOWN["mixed"].values())) >= 40


def test_what_only_sounds_like_good_news_is_never_confirmed() -> None:
    assert wrongly_heard(TRAPS["never_confirmed"], StillBroken, Unsure, OptOut) == {}


def test_what_only_sounds_like_bad_news_is_never_still_broken() -> None:
    assert wrongly_heard(TRAPS["never_still_broken"], Confirmed, Unsure, OptOut) == {}


def test_what_only_sounds_like_a_wish_for_silence_silences_nobody() -> None:
    assert wrongly_heard(TRAPS["never_opt_out"], Confirmed, StillBroken, Unsure) == {}


def test_the_reason_cites_the_customers_own_words() -> None:
    assert hear("Hallo! Jetzt funktioniert's wieder, danke", language="de").why == "says 'Jetzt funktioniert's wieder'"
    assert hear("Thanks, but it STILL crashes", language="en").why == "says 'STILL crashes'"
    assert hear("works, but the login is broken", language="en").why == "says both 'works' and 'broken'"
    assert hear("will try tomorrow", language="en").why == "not tested, or not meant: 'will try'"
    assert hear("Please leave me alone", language="en").why == "asks to be left alone: 'leave me alone'"


def test_a_reason_is_one_short_line() -> None:
    why = hear("still\nbroken " + "x" * 300, language=None).why
    assert "\n" not in why
    assert len(why) < 120


# Hold-out ---------------------------------------------------------------------------------------
# Written after the tables as people write on social media, and not learned from. A text that is not
# recognised goes to a person, which is fine; a text that is recognised wrongly is not.


@pytest.mark.parametrize("name", LANGUAGES)
def test_unseen_texts_are_never_heard_wrongly(name: str) -> None:
    for meaning, texts in HOLD_OUT[name].items():
        assert wrongly_heard(texts, MEANINGS[meaning], Unsure, language=name) == {}


@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize(("meaning", "share"), [("confirmed", 0.6), ("still_broken", 0.5), ("opt_out", 0.5)])
def test_most_unseen_texts_with_a_clear_meaning_need_no_person(name: str, meaning: str, share: float) -> None:
    texts = HOLD_OUT[name][meaning]
    recognised = [text for text in texts if said(text, language=name) is MEANINGS[meaning]]
    assert len(recognised) >= share * len(texts), f"{len(recognised)} of {len(texts)}"


@pytest.mark.parametrize("meaning", ["confirmed", "still_broken"])
def test_two_thirds_of_all_unseen_texts_with_a_clear_meaning_are_recognised(meaning: str) -> None:
    texts = [(name, text) for name in LANGUAGES for text in HOLD_OUT[name][meaning]]
    recognised = [text for name, text in texts if said(text, language=name) is MEANINGS[meaning]]
    assert len(recognised) >= len(texts) * 2 / 3


# Spelling and surroundings ----------------------------------------------------------------------


@every_list
def test_spelling_and_surroundings_change_nothing(texts: list[str], meaning: type[Heard]) -> None:
    written = [
        spelled
        for text in texts
        for spelled in (
            text.upper(),
            text.replace("'", "’"),
            f"@acme @other@example.social {text}",
            f"{text} https://acme.example/post/7?works=now",
            f"> the fix is out, does it work now?\n\n{text}",
            unicodedata.normalize("NFD", text),
            f"{text} #acme",
        )
    ]
    assert wrongly_heard(written, meaning) == {}


@every_list
def test_missing_accents_and_full_width_letters_never_turn_an_answer_around(
    texts: list[str], meaning: type[Heard]
) -> None:
    bare = ["".join(c for c in unicodedata.normalize("NFD", text) if not "\u0300" <= c <= "\u036f") for text in texts]
    wide = ["".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text) for text in texts]
    assert wrongly_heard([*(unicodedata.normalize("NFC", text) for text in bare), *wide], meaning, Unsure) == {}


@every_list
@pytest.mark.parametrize("hint", ["en", "de-AT", "fr_FR", "ES", "pt-BR", "ja", "xx", ""])
def test_a_wrong_language_from_the_network_changes_nothing(texts: list[str], meaning: type[Heard], hint: str) -> None:
    assert wrongly_heard(texts, meaning, language=hint) == {}


@pytest.mark.parametrize(
    "text",
    ["ca marche maintenant", "laeuft wieder", "lauft wieder", "ja funciona", "Ｗｏｒｋｓ　ｎｏｗ", "it works nowww"],
)
def test_sloppy_spelling_still_confirms(text: str) -> None:
    assert said(text) is Confirmed


@pytest.mark.parametrize(
    "text", ["nao funciona", "ca marche toujours pas", "doesn´t work", "DOESN`T WORK", "aun no funciona"]
)
def test_sloppy_spelling_still_complains(text: str) -> None:
    assert said(text) is StillBroken


@pytest.mark.parametrize(
    "sign", ["🙄", "😂", "🤡", ":(", ";)", "👎", "🤔", "~~", "#fail", "#not", "#stillbroken", "/s", "lol"]
)
@pytest.mark.parametrize(
    "text", ["works now", "funktioniert jetzt", "ça fonctionne", "ya funciona", "funcionou", "直りました"]
)
def test_a_wry_sign_takes_a_confirmation_back(text: str, sign: str) -> None:
    assert said(f"{text} {sign}") is Unsure


@pytest.mark.parametrize("sign", ["👍", "🎉", "✅"])
def test_a_cheer_beside_a_complaint_is_for_a_person(sign: str) -> None:
    assert said(f"still broken {sign}") is Unsure


def test_quoted_words_are_somebody_elses() -> None:
    assert said("> works now") is Unsure
    assert said('"works now"') is Unsure
    assert said("'works now'") is Unsure
    assert said('You wrote "the error is gone". It still crashes.') is StillBroken
    assert said('You wrote "it still crashes"') is Unsure


def test_a_long_post_never_confirms_and_complains_only_without_reserve() -> None:
    thanks = "Thank you very much. " * 25
    assert said(thanks + "It works now.") is Unsure
    assert said(thanks + "It still crashes.") is StillBroken
    assert said(thanks + "It still crashes. Maybe it's me.") is Unsure
    assert said("works now. " * 9) is Unsure
    assert said("still broken " * 1000) is Unsure


# What holds for every text ----------------------------------------------------------------------

OBJECTIONS = [
    "but it still crashes", "but the login is broken", "aber es stürzt immer noch ab", "aber der Export ist kaputt", "mais ça plante toujours",
    "mais l'export ne marche pas", "pero sigue fallando", "pero la búsqueda no funciona", "mas continua travando",
    "mas a busca não funciona", "でもまだ落ちます", "but", "aber", "mais", "pero", "mas", "けど", "except on Tuesdays", "nur nicht am Montag",
]  # fmt: skip
NEGATIONS_BEFORE = [
    "not", "no", "never", "nothing", "it is not true that it", "nobody says it", "nicht", "nein", "nie", "kein", "von wegen", "pas", "non", "jamais",
    "rien", "no es cierto que", "nunca", "nada", "não", "nem", "não é verdade que", "いいえ", "don't think it", "I doubt it", "hardly", "if", "wenn", "si", "se",
]  # fmt: skip
NEGATIONS_AFTER = [
    "not",
    "no",
    "nicht",
    "pas",
    "não",
    "NOT!!",
    "わけではありません",
    "とは言えません",
    "なんて嘘",
    "か",
    "が",
    "けど",
]


@given(text=st.text(max_size=600))
@settings(max_examples=400, deadline=None)
def test_no_text_is_too_strange(text: str) -> None:
    heard = hear(text, language=None)
    assert isinstance(heard, Heard)
    assert heard.why
    assert hear(text, language=None) == heard


@given(
    pieces=st.lists(
        st.one_of(
            st.sampled_from(EVERY_PHRASE),
            st.sampled_from([" ".join(phrase) for phrase in all_languages().senses]),
            st.sampled_from(
                ["?", ".", ",", "🙄", "👍", '"', "'", "\n> ", "@acme", "#", "https://", "2.4.1", "~~", "¿", "\u200d"]
            ),
            st.text(max_size=4),
        ),
        max_size=12,
    ),
    hint=st.sampled_from([None, *LANGUAGES]),
)
@settings(max_examples=600, deadline=None)
def test_no_mixture_of_known_words_is_too_strange_and_none_with_a_question_mark_confirms(
    pieces: list[str], hint: str | None
) -> None:
    text = " ".join(pieces)
    heard = hear(text, language=hint)
    if "?" in pieces and '"' not in pieces:
        dropped = any(piece.startswith(("https", "\n>")) or ">" in piece for piece in pieces)
        assert dropped or not isinstance(heard, Confirmed)


@given(
    good=st.sampled_from(CONFIRMED), bad=st.sampled_from(BROKEN), mark=st.sampled_from([". ", "\n", ", ", " ", "! "])
)
@settings(max_examples=600, deadline=None)
def test_good_news_beside_bad_news_is_never_confirmed(good: str, bad: str, mark: str) -> None:
    assert said(f"{good}{mark}{bad}") is not Confirmed
    assert said(f"{bad}{mark}{good}") is not Confirmed


@given(
    good=st.sampled_from(CONFIRMED),
    objection=st.sampled_from(OBJECTIONS),
    mark=st.sampled_from([" ", ", ", ". ", "\n"]),
)
@settings(max_examples=600, deadline=None)
def test_an_objection_never_leaves_a_confirmation_standing(good: str, objection: str, mark: str) -> None:
    assert said(f"{good}{mark}{objection}") is not Confirmed


@given(
    good=st.sampled_from(CONFIRMED), negation=st.sampled_from(NEGATIONS_BEFORE), mark=st.sampled_from([" ", ", ", ": "])
)
@settings(max_examples=600, deadline=None)
def test_a_negation_or_condition_in_front_is_never_confirmed(good: str, negation: str, mark: str) -> None:
    assert said(f"{negation}{mark}{good}") is not Confirmed


@given(good=st.sampled_from(CONFIRMED), negation=st.sampled_from(NEGATIONS_AFTER))
@settings(max_examples=400, deadline=None)
def test_a_negation_behind_is_never_confirmed(good: str, negation: str) -> None:
    assert said(f"{good.rstrip('.!。！ ')} {negation}") is not Confirmed


@given(good=st.sampled_from(CONFIRMED), data=st.data())
@settings(max_examples=600, deadline=None)
def test_one_word_we_do_not_know_is_enough_to_ask_a_person(good: str, data: st.DataObject) -> None:
    words = good.split()
    at = data.draw(st.integers(0, len(words)))
    assert said(" ".join([*words[:at], "zorblax", *words[at:]])) is Unsure


@given(text=st.sampled_from(EVERY_PHRASE))
@settings(max_examples=300, deadline=None)
def test_a_wish_for_silence_goes_before_everything_else(text: str) -> None:
    assert said(f"{text}\nPlease stop messaging me.") is OptOut


@pytest.mark.parametrize("mark", ["?", "？", "!?", " ¿no?", " right?", ", oder?"])
def test_a_question_mark_makes_a_question_of_any_confirmation(mark: str) -> None:
    assert wrongly_heard([good + mark for good in CONFIRMED], Unsure) == {}


# Length -----------------------------------------------------------------------------------------


MONOTONOUS = [
    "works ", "geht nicht ", "still ", "not ", "but ", "a", "é", "@", "@a", ".@a", "'", '"', "> ", "\n>", "https://", "1", "1.", "v1,", "直", "直って", "まだ",
    "ー", "#a", "~", "?", "!?", "a'", "-a", ":(", "100%", "can now ", "fixed error ", "thanks for the quick ", "\u0301", "\u200d", "ﷺ", " ", "\n", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("piece", MONOTONOUS)
@pytest.mark.parametrize("length", [2_000, 100_000])
def test_no_text_is_too_long_or_too_monotonous(piece: str, length: int) -> None:
    """One that took exponential time would never end here."""
    assert isinstance(hear((piece * length)[:length], language=None), Heard)


# Tables -----------------------------------------------------------------------------------------

HARMLESS = {
    Sense.FILLER,
    Sense.THING,
    Sense.COURTESY,
    Sense.SMALL,
    Sense.NOW,
    Sense.JOIN,
    Sense.USE,
    Sense.WORKS,
    Sense.FIXED,
    Sense.WORKS_IF_NOW,
}
HOMOGRAPHS = {
    ("plus",), ("he",), ("correction",), ("a",), ("so",), ("hier",), ("mal",), ("teste",), ("los",),
}  # fmt: skip
"""Words that are harmless in one language and a warning in another; known, and looked at one by one."""


def test_every_sense_has_its_row_in_a_table() -> None:
    rows = {name.rstrip("_").upper() for name, kind in Lexicon.__annotations__.items() if kind == "str"}
    assert rows - {"LANGUAGE"} == {sense.name for sense in Sense} - {"UNKNOWN"}


def test_every_language_is_there_once() -> None:
    assert tuple(lexicon.language for lexicon in LEXICONS) == LANGUAGES
    assert tuple(book.language for book in phrasebooks()) == LANGUAGES


def test_a_word_that_warns_in_one_language_is_harmless_in_no_other() -> None:
    warned = {
        phrase
        for phrase in all_languages().senses
        if len({book.senses[phrase] in HARMLESS for book in phrasebooks() if phrase in book.senses}) > 1
    }
    assert warned <= HOMOGRAPHS


@pytest.mark.parametrize("lexicon", [INTERNATIONAL, *LEXICONS])
def test_no_phrase_of_a_table_both_confirms_and_warns(lexicon: Lexicon) -> None:
    good: set[tuple[str, ...]] = set()
    bad: set[tuple[str, ...]] = set()
    for phrase, sense in lexicon.phrases():
        if sense in (Sense.WORKS, Sense.FIXED):
            good.add(phrase)
        elif sense not in HARMLESS and sense is not Sense.ASKS_FIRST:  # 'gehts' may open a question
            bad.add(phrase)
    assert not good & bad


def test_choices_are_spelled_out() -> None:
    assert set(expand("[it |]works [now|again], läuft")) == {
        ("it", "works", "now"),
        ("it", "works", "again"),
        ("works", "now"),
        ("works", "again"),
        ("lauft",),
        ("laeuft",),
    }


@pytest.mark.parametrize("row", ["[a|b", "a|b", "[a [b|c]]", "a]"])
def test_a_choice_that_is_written_wrong_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match="choice"):
        list(expand(row))

import unicodedata
from dataclasses import replace
from itertools import product as combinations
from typing import get_args

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from app.rules import wording
from app.rules.facts import TemplateKind
from app.rules.texts import STAND_INS, TEXTS
from app.rules.wording import Chosen, Context, TemplateError, check_template, choose, graphemes, of_outcome, render

KINDS: tuple[TemplateKind, ...] = get_args(TemplateKind)
LANGUAGES = ("en", "de", "fr", "es", "pt", "ja")
TYPICAL = Context(
    customer="Maximiliane Musterfrau",
    product="Acme Export",
    version="v12.14.10",
    release_url="https://forge.example/acme/app/releases/tag/v12.14.10",
    link="https://acme.example/whats-new",
)


def x_weight(text: str) -> int:
    """As X counts, addresses aside: most Latin letters and punctuation 1, everything else 2."""
    light = regex.compile(r"[\u0000-\u10FF\u2000-\u200D\u2010-\u201F\u2032-\u2037]")
    return sum(1 if light.match(character) else 2 for character in text)


# --- templates that are taken ---------------------------------------------------------------------


def test_a_template_reads_the_five_names_it_may_read():
    text = "{{ customer }} {{ product }} {{ version }} {{ release_url }} {{ link }}"
    said = render(text, replace(TYPICAL, customer="Ana"), language="en")
    assert said == f"Ana Acme Export v12.14.10 {TYPICAL.release_url} {TYPICAL.link}"


@pytest.mark.parametrize(
    ("template", "with_link", "without"),
    [
        ("Hi{% if link %} {{ link }}{% endif %}", "Hi https://acme.example/whats-new", "Hi"),
        (
            "{% if not link %}Ask us.{% else %}See {{ link }}{% endif %}",
            "See https://acme.example/whats-new",
            "Ask us.",
        ),
        ("Hi {{ link if link else 'there' }}", "Hi https://acme.example/whats-new", "Hi there"),
        ("Hi {{ link | default('there', true) }}", "Hi https://acme.example/whats-new", "Hi there"),
        ("{% if link and version %}a{% elif link or version %}b{% else %}c{% endif %}", "a", "c"),
    ],
)
def test_conditions_ask_whether_something_is_there(template, with_link, without):
    check_template(template)
    assert render(template, TYPICAL, language="en") == with_link
    assert render(template, Context(), language="en") == without


def test_filters_of_the_short_list_work():
    assert render("{{ customer|upper }} {{ ' x '|trim ~ 'y' }}", Context(customer="Ana"), language="en") == "ANA xy"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "in the latest version"),
        ("de", "in der neuesten Version"),
        ("de-AT", "in der neuesten Version"),
        ("fr", "in la dernière version"),
        ("pt_BR", "in a versão mais recente"),
        ("ja", "in 最新バージョン"),
        ("it", "in the latest version"),
    ],
)
def test_an_unknown_version_is_said_in_the_replys_language(language, words):
    assert render("in {{ version }}", Context(), language=language) == words


def test_an_unknown_version_is_shown_as_words_and_still_false_in_a_condition():
    template = "{% if version %}version {{ version }}{% else %}{{ version }}, as it were{% endif %}"
    assert render(template, Context(version="2.1"), language="en") == "version 2.1"
    assert render(template, Context(), language="en") == "the latest version, as it were"
    assert render("{{ version|upper }}", Context(), language="en") == "THE LATEST VERSION"


def test_nothing_is_escaped_because_the_text_is_plain():
    assert render("Q&A <b> {{ product }}", Context(product="A&B <x>"), language="en") == "Q&A <b> A&B <x>"


# --- templates that are refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "line", "words"),
    [
        ("Hi\n{{ issue }}", 2, "issue is not known here"),
        ("{{ custommer }}", 1, "is customer meant?"),
        ("{{ version.__class__ }}", 1, "the inside of a value"),
        ("{{ version['x'] }}", 1, "the inside of a value"),
        ("{{ version[::2] }}", 1, "the inside of a value"),
        ("{{ range(9) }}", 1, "a call"),
        ("{{ customer.upper() }}", 1, "a call"),
        ("a\nb\n{% for a in version %}{{ a }}{% endfor %}", 3, "a loop"),
        ("{% set a = 'x' %}a", 1, "a variable of its own"),
        ("{% set a %}x{% endset %}a", 1, "a variable of its own"),
        ("{% with %}x{% endwith %}", 1, "a variable of its own"),
        ("{% include 'x' %}", 1, "another template"),
        ("{% extends 'x' %}", 1, "another template"),
        ("{% import 'x' as x %}", 1, "another template"),
        ("{% from 'x' import y %}", 1, "another template"),
        ("{% block a %}x{% endblock %}", 1, "another template"),
        ("{% macro a() %}x{% endmacro %}", 1, "a macro"),
        ("{% call a() %}x{% endcall %}", 1, "a macro"),
        ("{% filter upper %}x{% endfilter %}", 1, "a filter over a block"),
        ("{{ 'x' * 10**9 }}", 1, "arithmetic"),
        ("{{ 'x' + version }}", 1, "arithmetic"),
        ("{{ '%999999999s' % version }}", 1, "arithmetic"),
        ("{{ -version }}", 1, "arithmetic"),
        ("{{ version == 'x' }}", 1, "a comparison"),
        ("{{ [version] }}", 1, "a list"),
        ("{{ {'a': version} }}", 1, "a list"),
        ("{{ 5 }}", 1, "a number"),
        ("{{ " + "9" * 4400 + " }}", 1, "a number"),
        ("{{ version | center(1000000) }}", 1, "the filter center"),
        ("{{ version | attr('x') }}", 1, "the filter attr"),
        ("{{ version is string }}", 1, "the test string"),
        ("{{ version | default(*link) }}", 1, "a filter with *"),
        ("{{ version | default(**link) }}", 1, "a filter with *"),
        ("{{ version | trim(true) }}", 1, "something it does not take"),
        ("{{ version | default('a', link, link, link) }}", 1, "something it does not take"),
        ("{{ version | default(boolean=true, boolean=true) }}", 1, "something it does not take"),
        ("{{ version | trim(class=true) }}", 1, "something it does not take"),
        ("Hi\n{% if %}", 2, "Expected an expression"),
        ("{{ version", 1, "end of"),
        ("{% if version %}x", 1, "Unexpected end of template"),
        ("{% frobnicate %}", 1, "unknown tag"),
        ("", 1, "empty"),
        (" \n\t", 1, "empty"),
        ("{{ link }}", 1, "nothing is left of the text, where there is no link"),
        ("{% if customer and link %}x{% endif %}", 1, "where there is no link"),
        ("x" * 5_001, 1, "5000 are allowed"),
        ("{{ " + "(" * 2_000 + "link" + ")" * 2_000 + " }}", 1, "nested too deeply"),
        ("{{ link" + "|upper" * 700 + " }}", 1, "nested too deeply"),
        ("{% if link %}" * 150 + "x" + "{% endif %}" * 150, 1, "nested too deeply"),
        ("{{ " + "not " * 1_000 + "link }}", 1, "nested too deeply"),
    ],
)
def test_a_template_that_could_do_harm_is_refused_with_its_line_and_words_for_a_person(template, line, words):
    with pytest.raises(TemplateError) as refused:
        check_template(template)
    assert words in refused.value.message
    assert refused.value.line == line
    assert str(refused.value) == f"line {line}: {refused.value.message}"
    assert len(refused.value.message) < 300


@pytest.mark.parametrize("template", ["{{ issue }}", "{{ version.x }}", "{{ 'x' * 10**9 }}"])
def test_a_forbidden_template_that_was_stored_all_the_same_is_not_rendered(template):
    with pytest.raises(TemplateError):
        render(template, TYPICAL, language="en")


def test_an_output_that_grows_beyond_reason_is_refused():
    with pytest.raises(TemplateError, match="characters long"):
        render("{{ link }}" * 400, Context(link="https://acme.example/" + "x" * 2_000), language="en")


@given(st.text(alphabet=st.sampled_from("{}%#|()[]'\"~.*-_ \nifendlkvro019\\N")))
def test_whatever_is_written_is_taken_or_refused_and_never_crashes(template):
    try:
        check_template(template)
    except TemplateError:
        return
    assert render(template, Context(), language="en")


# --- what strangers and engineers put into the values ---------------------------------------------


@pytest.mark.parametrize(
    ("customer", "said"),
    [
        ("@ana", "ana"),
        ("@ana@m.example", "ana@m.\u200cexample"),
        ("Ana\u202e gnp.exe", "Ana gnp.\u200cexe"),
        ("Ana\n\nBuy now", "Ana Buy now"),
        ("Ana\x00\x1b[31m", "Ana[31m"),
        ("Ana (@rival) #boycott", "Ana (rival) boycott"),
        ("Ana ＠rival ＃boycott", "Ana rival boycott"),
        ("日本@rival", "日本rival"),
        ("\u200c@rival", "\u200crival"),
        ("@#@rival", "rival"),
        ("Ana https://evil.example/x", "Ana"),
        ("www.evil.example", ""),
        ("Ana at evil.example", "Ana at evil.\u200cexample"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        ("Nia 🏴󠁧󠁢󠁷󠁬󠁳󠁿", "Nia 🏴󠁧󠁢󠁷󠁬󠁳󠁿"),
        ("👨‍👩‍👧‍👦 family", "👨‍👩‍👧‍👦 family"),
        ("Z" + "\u0301" * 60, "Ź" + "\u0301" * 8),
        ("مریم", "مریم"),
        ("$ACME to the moon ＄acme", "ACME to the moon acme"),
        ("@$#$rival", "rival"),
        ("A$AP earns $5", "A$AP earns $5"),
        ("Agent #1", "Agent #1"),
        ("C# Corner", "C# Corner"),
        ("\ud800Ana", "Ana"),
        ("{{ version }}", "{{ version }}"),
    ],
)
def test_a_customers_name_mentions_nobody_links_nowhere_and_hides_nothing(customer, said):
    assert render("Hi {{ customer }}!", Context(customer=customer), language="en") == f"Hi {said}!"


def test_a_name_of_five_hundred_letters_does_not_crowd_the_reply_out():
    said = render("{{ customer }}, hello", Context(customer="Ana " * 125), language="en")
    assert graphemes(said) <= 40 + len(", hello")
    assert said.endswith("Ana…, hello")


def test_a_tag_that_looks_like_a_mention_calls_nobody():
    assert render("in {{ version }}", Context(version="@acme/app@2.4.1"), language="en") == "in acme/app@2.4.1"


@given(st.text(alphabet=st.one_of(st.sampled_from("@#$＠＃.:/ aZ9_\u200c\u200d\u202e\u0301"), st.characters())))
def test_no_name_whatever_becomes_a_mention_an_address_or_a_bidi_trick(customer):
    said = render("Hi {{ customer }}!", Context(customer=customer), language="en")
    assert not regex.search(r"(?<![A-Za-z0-9_])[@＠]+[A-Za-z0-9_]", said)
    assert not regex.search(r"(?<![A-Za-z0-9_])[$]+[A-Za-z]", said)
    assert "://" not in said
    assert not regex.search(r"[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]", said)
    assert unicodedata.is_normalized("NFC", said)


def test_white_space_is_tidied():
    template = "\r\n Hi  {{ customer }} there \t\n\n\n\n{% if link %}\n{{ link }}\n{% endif %}\nBye\u2028now \n"
    assert render(template, Context(), language="en") == "Hi there\n\nBye\nnow"


def test_the_text_is_composed():
    assert render("Cafe\u0301 {{ product }}", Context(product="Ame\u0301lie"), language="en") == "Café Amélie"


# --- which template -------------------------------------------------------------------------------


def test_the_accounts_own_text_in_the_exact_language_comes_first():
    texts = {
        (7, "fixed", "pt-BR"): "1",
        (7, "fixed", "pt"): "2",
        (None, "fixed", "pt-BR"): "3",
        (None, "fixed", "pt"): "4",
    }
    order = [("1", "pt-BR"), ("2", "pt"), ("3", "pt-BR"), ("4", "pt"), (TEXTS["fixed"]["pt"], "pt")]
    for text, language in order:
        assert choose("fixed", "pt-BR", overrides=texts, account_id=7) == Chosen(text, language)
        texts = {key: value for key, value in texts.items() if value != text}


def test_what_nobody_wrote_in_the_language_is_said_in_english_the_accounts_own_first():
    texts = {(7, "fixed", "en"): "own", (None, "fixed", "en"): "everybody's"}
    assert choose("fixed", "it", overrides=texts, account_id=7) == Chosen("own", "en")
    assert choose("fixed", "it", overrides=texts, account_id=8) == Chosen("everybody's", "en")
    assert choose("fixed", "it", overrides={}, account_id=7) == Chosen(TEXTS["fixed"]["en"], "en")


def test_a_shipped_text_in_the_language_beats_an_own_text_in_english():
    assert choose("fixed", "ja", overrides={(7, "fixed", "en"): "own"}, account_id=7).language == "ja"


def test_another_accounts_text_and_another_kinds_text_are_never_used():
    texts = {(8, "fixed", "en"): "other account", (7, "ack", "en"): "other kind"}
    assert choose("fixed", "en", overrides=texts, account_id=7) == Chosen(TEXTS["fixed"]["en"], "en")


def test_a_text_for_one_region_does_not_serve_the_whole_language():
    assert choose("fixed", "pt", overrides={(7, "fixed", "pt-BR"): "x"}, account_id=7).text == TEXTS["fixed"]["pt"]


def test_language_tags_are_compared_as_people_write_them():
    assert choose("fixed", "PT_br", overrides={(7, "fixed", "pt-br"): "x"}, account_id=7) == Chosen("x", "pt-BR")
    assert choose("ack", "ZH-hant-tw", overrides={(None, "ack", "zh-Hant"): "x"}, account_id=7) == Chosen(
        "x", "zh-Hant"
    )


@pytest.mark.parametrize("language", [None, "", "und", "tlh"])
def test_an_unknown_language_is_answered_in_english(language):
    assert choose("ack", language, overrides={}, account_id=None) == Chosen(TEXTS["ack"]["en"], "en")


@given(
    language=st.sampled_from(["en", "en-GB", "de-CH", "pt-BR", "it", "zh-Hant-TW", "", "x"]),
    kind=st.sampled_from(KINDS),
    overrides=st.dictionaries(
        st.tuples(st.sampled_from([None, 7, 8]), st.sampled_from(KINDS), st.sampled_from(["en", "pt", "pt-BR", "it"])),
        st.uuids().map(str),
    ),
)
def test_the_declared_language_is_always_the_one_the_text_is_written_in(language, kind, overrides):
    chosen = choose(kind, language, overrides=overrides, account_id=7)
    sources = [
        *((tag, text) for (account, of, tag), text in overrides.items() if account in {7, None} and of == kind),
        *TEXTS[kind].items(),
    ]
    assert (chosen.language, chosen.text) in sources


# --- the shipped texts ----------------------------------------------------------------------------


def test_every_kind_is_there_in_every_language():
    assert set(TEXTS) == set(KINDS)
    assert {kind: tuple(texts) for kind, texts in TEXTS.items()} == dict.fromkeys(KINDS, LANGUAGES)
    assert tuple(STAND_INS) == LANGUAGES


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_shipped_text_reads_well_with_anything_missing(kind, language):
    template = TEXTS[kind][language]
    check_template(template)
    for there in combinations((True, False), repeat=len(wording.NAMES)):
        given = {name: getattr(TYPICAL, name) for name, yes in zip(wording.NAMES, there, strict=True) if yes}
        said = render(template, Context(**given), language=language)
        assert not regex.search(r"\s[,.;)]|\(\s|\(\)|[,;]{2}|\.\.|、、|。。| {2}|[{}]", said), said
        assert not regex.search(r"\p{Extended_Pictographic}", said)
        assert len(regex.findall(r"[!！]", said)) <= 1
        assert said[0].isupper() or language == "ja"
        assert said[-1] in ".?。？" or said.endswith(TYPICAL.link)
        assert (TYPICAL.customer in said) == ("customer" in given)
        assert (TYPICAL.link in said) == ("link" in given)
        assert (TYPICAL.product in said) == ("product" in given) or kind == "correction"
        assert TYPICAL.release_url not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_for_fixed_names_the_version_and_asks(language):
    template = TEXTS["fixed"][language]
    assert "v12.14.10" in render(template, TYPICAL, language=language)
    unnamed = render(template, Context(), language=language)
    assert STAND_INS[language].version.removeprefix("a ") in unnamed
    assert regex.search(r"[?？]", unnamed)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_for_fixed_fits_the_smallest_network(language):
    said = render(TEXTS["fixed"][language], replace(TYPICAL, link=""), language=language)
    assert graphemes(said) <= 280
    assert x_weight(said) <= 280


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "fixed"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_only_the_text_for_fixed_speaks_of_a_version(kind, language):
    assert "version" not in TEXTS[kind][language]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("wont_fix", "outcome"),
        ("other", "outcome"),
        (None, "outcome"),
        ("cannot_reproduce", "outcome_cannot_reproduce"),
        ("by_design", "outcome_by_design"),
        ("workaround", "outcome_workaround"),
    ],
)
def test_each_reason_of_an_outcome_has_its_own_text(reason, kind):
    assert of_outcome(reason) == kind
    assert len({TEXTS[one]["en"] for one in KINDS}) == len(KINDS)

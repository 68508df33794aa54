"""What do we say? Templates that can read five names and nothing else, and the choice between them.

A template is Jinja cut down to `{{ a name }}` and `{% if a name %}`: it is checked when it is saved,
and again when it is used, because it may have been saved by an earlier version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import lru_cache
from itertools import product as combinations

import regex
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.rules.characters import graphemes, one_line, shorten, tidy
from app.rules.facts import OutcomeReason, TemplateKind
from app.rules.fitting import Fitted, TooLongError, fit
from app.rules.quoting import neutralise, same_text
from app.rules.texts import ENGLISH, STAND_INS, TEXTS

__all__ = [
    "Chosen",
    "Context",
    "Fitted",
    "TemplateError",
    "TooLongError",
    "check_template",
    "choose",
    "fit",
    "graphemes",
    "neutralise",
    "render",
    "same_text",
]

LONGEST_TEMPLATE = 5_000
LONGEST_TEXT = 20_000
"""Characters a rendered text may have before it is fitted; far above any network's limit."""
_DEEPEST = 24
_LONGEST_NAME = 40
_LONGEST_WORDS = 60
_LONGEST_VALUE = 500
"""Name and words are cut to so many graphemes; of a value that comes from outside no more characters than this are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a public text may read. Nothing of the ticket is in here, so nothing of it can leak.

    `customer` is a public handle or name, `version` a label that the public may read. Each may be
    empty: an empty `version` or `product` is shown as words ('the latest version') and is still
    false in `{% if version %}`.
    """

    customer: str = ""
    product: str = ""
    version: str = ""
    release_url: str = ""
    link: str = ""


NAMES: tuple[str, ...] = tuple(field.name for field in fields(Context))


class TemplateError(ValueError):
    """A template that cannot be used; `message` tells its author what to change, in `line`."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(f"line {line}: {message}")
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Chosen:
    """A template, and the language it is written in, which is not always the one that was asked for."""

    text: str
    language: str


class _StandIn(str):
    """Words in place of a value that is missing: shown like any other, and false in a condition."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


_FILTERS = ("capitalize", "default", "lower", "trim", "upper")
_TESTS = ("defined",)


def _environment() -> ImmutableSandboxedEnvironment:
    # The text is plain, for networks that escape what they show: escaping it here would show '&amp;'.
    environment = ImmutableSandboxedEnvironment(autoescape=False, undefined=StrictUndefined)
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    return environment


_ENVIRONMENT = _environment()

_ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.CondExpr,
    nodes.Name,
    nodes.Const,
    nodes.Filter,
    nodes.Keyword,
    nodes.Test,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.Concat,
)
_WORDS_FOR_NODES: tuple[tuple[str, tuple[type[nodes.Node], ...]], ...] = (
    ("a loop", (nodes.For,)),
    ("another template", (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)),
    ("a macro", (nodes.Macro, nodes.CallBlock)),
    ("a variable of its own", (nodes.Assign, nodes.AssignBlock, nodes.With, nodes.NSRef)),
    ("a call", (nodes.Call,)),
    ("the inside of a value", (nodes.Getattr, nodes.Getitem, nodes.Slice)),
    ("a comparison", (nodes.Compare,)),
    ("arithmetic", (nodes.BinExpr, nodes.UnaryExpr)),
    ("a list", (nodes.List, nodes.Tuple, nodes.Dict)),
    ("a filter over a block", (nodes.FilterBlock,)),
)
_USE = "a public text may use " + ", ".join(f"{{{{ {name} }}}}" for name in NAMES) + " and {% if … %} with these names"


def check_template(text: str) -> None:
    """TemplateError where the text cannot be used, whatever is known of the customer and the release."""
    template = _compiled(text)
    sample = Context(
        customer="Ana", product="Acme", version="v2.4.1", release_url="https://a.example/2", link="https://a.example"
    )
    for given in combinations((True, False), repeat=len(NAMES)):
        values = {name: getattr(sample, name) for name, there in zip(NAMES, given, strict=True) if there}
        try:
            _text_of(template, Context(**values), language=ENGLISH)
        except TemplateError as error:
            without = [name for name in NAMES if name not in values]
            when = f", where there is no {' and no '.join(without)}" if without else ""
            raise TemplateError(f"{error.message}{when}", error.line) from error


def render(template_text: str, context: Context, *, language: str) -> str:
    """The public text: NFC, tidy, without control characters. TemplateError where it cannot be used or comes out empty.

    `language` is the template's own; the words for an unknown version are taken from it. A
    customer's name mentions nobody, tags nothing and carries no address, whatever it says.
    """
    return _text_of(_compiled(template_text), context, language=language)


def choose(
    kind: TemplateKind,
    language: str | None,
    *,
    overrides: Mapping[tuple[int | None, TemplateKind, str], str],
    account_id: int | None,
) -> Chosen:
    """The best template for a reply of this kind to a post in this language (None where the network does not say).

    An operator's own text beats a shipped one and the account's own beats the one for all accounts
    (key None); 'pt-BR' is also served by 'pt'. What nobody wrote in the language is said in English.
    """
    written = {(account, of, _canonical(tag)): text for (account, of, tag), text in overrides.items()}
    wanted = _canonical(language or "")
    for tags in (_from_narrow_to_wide(wanted), (ENGLISH,)):
        for account in dict.fromkeys((account_id, None)):
            for tag in tags:
                if (account, kind, tag) in written:
                    return Chosen(written[account, kind, tag], tag)
        for tag in tags:
            if tag in TEXTS[kind]:
                return Chosen(TEXTS[kind][tag], tag)
    raise AssertionError(f"there is no English text of kind {kind}")


def of_outcome(reason: OutcomeReason | None) -> TemplateKind:
    """Which text tells an outcome: each reason has its own, and whoever gave none means 'not planned'."""
    match reason:
        case "cannot_reproduce":
            return "outcome_cannot_reproduce"
        case "by_design":
            return "outcome_by_design"
        case "workaround":
            return "outcome_workaround"
        case _:
            return "outcome"


def _canonical(tag: str) -> str:
    """A language tag as BCP 47 writes it: 'PT_br' is 'pt-BR', 'zh-hant' is 'zh-Hant'."""
    language, *rest = tag.strip().replace("_", "-").lower().split("-")
    return "-".join(
        [language, *(part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest)]
    )


def _from_narrow_to_wide(tag: str) -> tuple[str, ...]:
    parts = tag.split("-")
    return tuple("-".join(parts[:length]) for length in range(len(parts), 0, -1))


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    """The checked template, ready to render."""
    if len(text) > LONGEST_TEMPLATE:
        raise TemplateError(f"the text has {len(text)} characters; {LONGEST_TEMPLATE} are allowed")
    if not text.strip():
        raise TemplateError("the text is empty")
    try:
        tree = _ENVIRONMENT.parse(text)
        _refuse_the_forbidden(tree)
        return _ENVIRONMENT.from_string(tree)
    except TemplateSyntaxError as error:
        raise TemplateError((error.message or "it cannot be read").rstrip("."), error.lineno) from error
    except TemplateError:
        raise
    except RecursionError as error:
        raise TemplateError("it is nested too deeply") from error
    except ValueError as error:
        raise TemplateError("it holds a number that is too large") from error
    except SyntaxError as error:
        # Jinja writes Python, and leaves it to Python to notice an argument that is given twice.
        raise TemplateError("a filter or test is given something it does not take") from error


def _refuse_the_forbidden(tree: nodes.Template) -> None:
    """Everything that is not on the lists is refused, so that a new feature of Jinja is refused too."""
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > _DEEPEST:
            raise TemplateError("it is nested too deeply", node.lineno)
        problem = _problem_with(node)
        if problem:
            raise TemplateError(f"{problem}; {_USE}", node.lineno)
        waiting.extend((child, depth + 1) for child in reversed(list(node.iter_child_nodes())))


def _problem_with(node: nodes.Node) -> str:
    """Why a part of a template is refused, or nothing."""
    match node:
        case nodes.Name(name=name) if name not in NAMES:
            near = get_close_matches(name, NAMES, n=1)
            return f"{name} is not known here" + (f" (is {near[0]} meant?)" if near else "")
        case nodes.Filter(name=name) if name not in _FILTERS:
            return f"the filter {name} is not allowed (only {', '.join(_FILTERS)})"
        case nodes.Filter(dyn_args=spread, dyn_kwargs=named) if spread or named:
            return "a filter with * is not allowed"
        case nodes.Test(name=name) if name not in _TESTS:
            return f"the test {name} is not allowed (only {', '.join(_TESTS)})"
        case nodes.Const(value=value) if not isinstance(value, str | bool):
            return "a number is not allowed inside braces"
    if isinstance(node, _ALLOWED_NODES):
        return ""
    words = next((words for words, kinds in _WORDS_FOR_NODES if isinstance(node, kinds)), "this")
    return f"{words} is not allowed"


def _text_of(template: Template, context: Context, *, language: str) -> str:
    try:
        text = tidy(template.render(_values(context, language=language)))
    except JinjaError as error:
        raise TemplateError((error.message or "it cannot be filled in").rstrip(".")) from error
    except TypeError as error:
        raise TemplateError("a filter or test is given something it does not take") from error
    if not text:
        raise TemplateError("nothing is left of the text")
    if len(text) > LONGEST_TEXT:
        raise TemplateError(f"the text comes out {len(text)} characters long; {LONGEST_TEXT} are allowed")
    return text


def _values(context: Context, *, language: str) -> dict[str, str]:
    stand_ins = next(
        (STAND_INS[tag] for tag in _from_narrow_to_wide(_canonical(language)) if tag in STAND_INS), STAND_INS[ENGLISH]
    )
    return {
        "customer": _customer(context.customer),
        "product": _words(context.product) or _StandIn(stand_ins.product),
        "version": _words(context.version) or _StandIn(stand_ins.version),
        "release_url": _address(context.release_url),
        "link": _address(context.link),
    }


_CALLS_SOMEBODY = regex.compile(r"(?<![A-Za-z0-9_])(?!#\d+(?!\w))[@＠#＃]+(?=[\p{L}\p{M}\p{N}_])")
"""What networks make a mention or a hashtag of. A tag such as `@acme/app@2.4.1` would call @acme."""
_NAMES_A_STOCK = regex.compile(r"(?<![A-Za-z0-9_])[@＠#＃]*[$＄][@＠#＃$＄]*(?=\p{L})")
"""What X makes a link to a stock or a coin of; more than one in a post, and it takes none of it from a machine."""
_ADDRESS = regex.compile(r"(?<!\S)\S*?://\S*|\bwww\.\S*", regex.IGNORECASE)
_DOMAIN_DOT = regex.compile(r"(?<=[\p{L}\p{N}_-])\.(?=[\p{L}\p{N}])")
_JOINT = "\u200c"
"""Unseen after a dot, it keeps a network from making a link of `name.example`."""


def _words(text: str, *, limit: int = _LONGEST_WORDS) -> str:
    return shorten(_CALLS_SOMEBODY.sub("", one_line(text[:_LONGEST_VALUE])), limit)


def _customer(text: str) -> str:
    """A handle or name that calls nobody, tags and links to nothing: strangers choose it, and we say it."""
    name = _DOMAIN_DOT.sub(f".{_JOINT}", _ADDRESS.sub("", one_line(text[:_LONGEST_VALUE])))
    return _words(_NAMES_A_STOCK.sub("", name), limit=_LONGEST_NAME)


def _address(text: str) -> str:
    return one_line(text).replace(" ", "")

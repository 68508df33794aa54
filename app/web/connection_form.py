"""A connect form, drawn from an adapter's own Settings and Secrets, and read back into what they take."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from app.ports import Choice, Kind, OutsideError
from app.steps.connect import AccountWording, BadFieldsError, Choices
from app.web.forms import Form

Sort = Literal["text", "url", "number", "password", "select", "check", "lines"]
Part = Literal["settings", "secrets", "wording"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form. `name` is unique in it: settings, secrets and wording may share names.

    `upfront` fields stand at the top of the connect form: those it cannot do without, and those an
    adapter marks so (`json_schema_extra={"upfront": True}`) because there is another way than them.
    One that offers connections of ours (`json_schema_extra={"offers": "code"}`) is given its options
    later, with their `labels`.
    `names` is a list of names with commas (marked likewise), which an emptied field leaves empty. `choices`
    are the other side's own names for it, where they were asked for; with `suggests`, those that are
    suggested stand in it as long as nobody entered anything else.
    """

    part: Part
    key: str
    title: str
    description: str
    sort: Sort
    required: bool
    upfront: bool
    default: str
    example: str
    options: tuple[str, ...]
    least: float | None
    most: float | None
    offers: str = ""
    labels: Mapping[str, str] | None = None
    names: bool = False
    choices: tuple[Choice, ...] = ()
    suggests: bool = False

    @property
    def name(self) -> str:
        """The field's name in the form."""
        return f"{self.part}.{self.key}"

    @property
    def tick(self) -> str:
        """How the names of its boxes begin; alone, the sign that the form has boxes for it."""
        return f"{self.name}:"

    def ticked(self, text: str) -> set[str]:
        """Which choices stand for a text, by their value; of one name, at most one."""
        entered = {name.casefold() for name in (names_in(text) if self.names else [text])}
        meant = [one.value for one in self.choices if {one.value.casefold(), one.title.casefold()} & entered]
        if self.suggests and text == self.default and (self.names or not meant):
            meant = [choice.value for choice in self.choices if choice.suggested]
        return set(meant if self.names else meant[:1])

    def others(self, text: str) -> str:
        """What a text names besides the choices."""
        if self.suggests and text == self.default and (self.names or self.ticked(text)):
            return ""
        known = {word.casefold() for one in self.choices for word in (one.value, one.title)}
        entered = names_in(text) if self.names else [text] if text else []
        return ", ".join(name for name in entered if name.casefold() not in known)


def names_in(text: str) -> list[str]:
    """The names in a list with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def with_choices(fields: Sequence[Field], choices: Choices, *, suggests: bool, form: Form) -> list[Field]:
    """The fields with the other side's names. What was ticked already in the form is nothing to suggest for."""
    return [
        replace(field, choices=tuple(choices.get(field.key, ())), suggests=suggests and field.tick not in form)
        if field.part == "settings"
        else field
        for field in fields
    ]


def has_choices(fields: Sequence[Field], form: Form) -> bool:
    """Whether a form was drawn with the other side's names."""
    return any(field.tick in form for field in fields)


def fields_of(model: type[BaseModel], part: Part) -> list[Field]:
    """The fields of one of an adapter's models, in its order."""
    return [_field(name, info, part) for name, info in model.model_fields.items()]


def fields_of_adapter(kind: Any) -> list[Field]:
    """Settings, then secrets."""
    return [*fields_of(kind.Settings, "settings"), *fields_of(kind.Secrets, "secrets")]


def wording_fields() -> list[Field]:
    """What every account may set besides its channel's own."""
    return fields_of(AccountWording, "wording")


def _field(key: str, info: FieldInfo, part: Part) -> Field:
    kind = _without_none(info.annotation)
    options = tuple(str(option) for option in get_args(kind)) if get_origin(kind) is Literal else ()
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    return Field(
        part=part,
        key=key,
        title=info.title or key.replace("_", " ").capitalize(),
        description=info.description or "",
        # A one-line field drops the line ends of what is pasted.
        sort="lines" if extra.get("lines") else _sort(key, kind, options),
        required=info.is_required(),
        upfront=info.is_required() or bool(extra.get("upfront")),
        default="" if default is None or isinstance(default, SecretStr) else str(default),
        example=str(info.examples[0]) if info.examples else "",
        options=options,
        least=_bound(info, ("ge", "gt")),
        most=_bound(info, ("le", "lt")),
        offers=str(extra.get("offers", "")),
        names=bool(extra.get("names")),
    )


def with_offers(
    fields: Sequence[Field], offered: Mapping[str, Mapping[str, str]], chosen: Mapping[str, str]
) -> list[Field]:
    """Fields that offer connections of ours become a choice among these, by id and name; an empty one is always there.

    What is `chosen` now stays a choice when its connection was removed: so nobody changes it without knowing.
    """
    drawn: list[Field] = []
    for one in fields:
        if not one.offers:
            drawn.append(one)
            continue
        labels = {"": "none", **offered[one.offers]}
        if (now := chosen.get(one.name, "")) not in labels:
            labels[now] = f"tracker {now}, which is not connected"
        drawn.append(replace(one, sort="select", options=tuple(labels), labels=labels))
    return drawn


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in {Union, types.UnionType}:
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else str
    return annotation


def _sort(key: str, kind: Any, options: Sequence[str]) -> Sort:
    if options:
        return "select"
    if kind is SecretStr:
        return "password"
    if kind is bool:
        return "check"
    if kind in {int, float}:
        return "number"
    return "url" if key.endswith("_url") else "text"


def _bound(info: FieldInfo, names: Sequence[str]) -> float | None:
    for rule in info.metadata:
        for name in names:
            value = getattr(rule, name, None)
            if isinstance(value, (int, float)):
                return value
    return None


def read(fields: Sequence[Field], form: Form) -> dict[Part, dict[str, Any]]:
    """What was typed, as the models take it; what was left empty is left to their defaults, but for lists of names."""
    found: dict[Part, dict[str, Any]] = {"settings": {}, "secrets": {}, "wording": {}}
    for field in fields:
        value = _value(field, form)
        if field.sort == "check":
            found[field.part][field.key] = field.name in form
        elif value or (field.names and field.name in form):
            found[field.part][field.key] = value
    return found


def _value(field: Field, form: Form) -> str:
    """What was typed into a field; of a list of names, with those that were ticked."""
    value = form.get(field.name, "").strip()
    if not field.names or field.tick not in form:
        return value
    ticked = [name.removeprefix(field.tick) for name in reversed(list(form)) if name.startswith(field.tick)]
    return ", ".join(dict.fromkeys([*filter(None, ticked), *names_in(value)]))


def typed(fields: Sequence[Field], form: Form) -> dict[str, str]:
    """What to show again when the form cannot be taken: everything but the secrets."""
    shown = {name: value for name, value in form.items() if name != "csrf"}
    for field in fields:
        if field.part == "secrets":
            shown.pop(field.name, None)
        elif field.sort == "check":
            shown[field.name] = "on" if field.name in form else ""
        elif field.names and field.name in form:
            shown[field.name] = _value(field, form)
    return shown


def stored(fields: Sequence[Field], settings: Mapping[str, Any]) -> dict[str, str]:
    """The present settings, as fields hold them. Secrets are never shown again."""
    values: dict[str, str] = {}
    for field in fields:
        if field.part == "secrets":
            continue
        value = settings.get(field.key, field.default)
        values[field.name] = ("on" if value else "") if field.sort == "check" else "" if value is None else str(value)
    return values


def wrong_fields(fields: Sequence[Field], error: BadFieldsError) -> dict[str, str]:
    """What is wrong with which field; what belongs to none stands at the top, under the empty name."""
    wrong: dict[str, str] = {}
    for pointer, message in error.errors:
        part, _, key = pointer.strip("/").partition("/")
        name = next((field.name for field in fields if field.part == part and field.key == key.split("/")[0]), None)
        if name is None:
            name = next((field.name for field in fields if field.part == "wording" and field.key == key), None)
        text = "This is needed." if message == "Field required" else message
        wrong[name or ""] = text
    return wrong


AT_SECRETS: frozenset[Kind] = frozenset({"auth_broken", "forbidden"})
AT_SETTINGS: frozenset[Kind] = frozenset({"gone", "misconfigured", "invalid"})


def wrong_outside(fields: Sequence[Field], error: OutsideError) -> dict[str, str]:
    """Where the other side's answer belongs: at the first secret it refused, at the first setting that led nowhere."""
    part: Part | None = "secrets" if error.kind in AT_SECRETS else "settings" if error.kind in AT_SETTINGS else None
    upfront_first = sorted(fields, key=lambda field: not field.upfront)
    name = next((field.name for field in upfront_first if field.part == part), "")
    return {name: error.message}


def on_page(wrong: Mapping[str, str], shown: Sequence[Field]) -> dict[str, str]:
    """The same with what is wrong with a field that this form does not show at its top: nothing is wrong unseen."""
    names = {field.name for field in shown} | {"name"}
    found = {name: text for name, text in wrong.items() if name in names}
    unseen = [text for name, text in wrong.items() if name not in names]
    return {**found, "": " ".join(unseen)} if unseen else found

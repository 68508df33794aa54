"""A connect form, drawn from an adapter's own Settings and Secrets, and read back into what they take."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from app.ports import Kind, OutsideError
from app.steps.connect import AccountWording, BadFieldsError
from app.web.forms import Form

Sort = Literal["text", "url", "number", "password", "select", "check", "lines"]
Part = Literal["settings", "secrets", "wording"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form. `name` is unique in it: settings, secrets and wording may share names.

    `upfront` fields stand at the top of the connect form: those it cannot do without, and those an
    adapter marks so (`json_schema_extra={"upfront": True}`) because there is another way than them.
    One that offers connections of ours (`json_schema_extra={"offers": "code"}`) is given its options
    later, with their `names`.
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
    names: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """The field's name in the form."""
        return f"{self.part}.{self.key}"


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
    )


def with_choices(
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
        names = {"": "none", **offered[one.offers]}
        if (now := chosen.get(one.name, "")) not in names:
            names[now] = f"tracker {now}, which is not connected"
        drawn.append(replace(one, sort="select", options=tuple(names), names=names))
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
    """What was typed, as the models take it; what was left empty is left to their defaults."""
    found: dict[Part, dict[str, Any]] = {"settings": {}, "secrets": {}, "wording": {}}
    for field in fields:
        value = form.get(field.name, "").strip()
        if field.sort == "check":
            found[field.part][field.key] = field.name in form
        elif value:
            found[field.part][field.key] = value
    return found


def typed(fields: Sequence[Field], form: Form) -> dict[str, str]:
    """What to show again when the form cannot be taken: everything but the secrets."""
    shown = {name: value for name, value in form.items() if name != "csrf"}
    for field in fields:
        if field.part == "secrets":
            shown.pop(field.name, None)
        elif field.sort == "check":
            shown[field.name] = "on" if field.name in form else ""
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

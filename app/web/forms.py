"""What people send from the pages: read within bounds, and kept when something in it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from fastapi import Request

from app.web.drawing import capitalize_first

MAX_FORM_BYTES = 512 * 1024
"""The longest honest form is an issue's text of 60,000 characters, percent-encoded."""
MAX_FIELDS = 500
"""A site's own names are ticked one by one."""

Form = Mapping[str, str]


class PageError(Exception):
    """An answer other than the page that was asked for; `why` is for a person, and says what to do."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def sentence(reason: object) -> str:
    """A reason as it is said inside of us, as a sentence for a person."""
    text = str(reason)
    whole = capitalize_first(text)
    return whole if whole.endswith(("!", "?")) else f"{whole}."


async def read_form(request: Request) -> Form:
    """The fields of a form, the first of each name. PageError where it is larger than any honest one, or is none."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise PageError(415, "This is not what a form on these pages sends.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise PageError(413, f"That is more than the {MAX_FORM_BYTES // 1024} KB that a form here may hold.")
    try:
        pairs = parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise PageError(400, "This form has more fields than any on these pages.") from error
    return {name: _as_typed(value) for name, value in reversed(pairs)}


def _as_typed(value: str) -> str:
    """A browser sends line ends as CR LF, and NUL is nothing that a person types or a database takes."""
    return value.replace("\r\n", "\n").replace("\0", "")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A form as it was sent, shown again when it cannot be taken: what was typed, and what is wrong with which field."""

    form: str = ""
    values: Form = field(default_factory=dict)
    wrong: Form = field(default_factory=dict)

    def value(self, form: str, name: str, otherwise: str = "") -> str:
        """What stands in a field of that form."""
        return self.values.get(name, otherwise) if form == self.form else otherwise

    def error(self, form: str, name: str) -> str:
        """What is wrong with a field of that form, for the person who filled it in."""
        return self.wrong.get(name, "") if form == self.form else ""

    def is_of(self, form: str) -> bool:
        """Whether it was this form that could not be taken."""
        return form == self.form


NO_DRAFT = Draft()

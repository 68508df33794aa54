"""Values that come in from outside, held to what every database can keep."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, Field

HIGHEST_ID = 2**63 - 1


def keepable(value: str) -> str:
    """The text as it is. ValueError where no database would keep it: NUL, or half a surrogate pair."""
    if "\x00" in value:
        raise ValueError("a text cannot hold the character U+0000")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("a text cannot hold half a surrogate pair") from None
    return value


def keepable_fields(value: dict[str, Any]) -> dict[str, Any]:
    """The same for everything inside an object, however deep; numbers must be finite."""
    left: list[Any] = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            keepable(item)
        elif isinstance(item, float) and not math.isfinite(item):
            raise ValueError("a number must be finite")
        elif isinstance(item, dict):
            left += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            left += item
    return value


Text = Annotated[str, AfterValidator(keepable)]
Fields = Annotated[dict[str, Any], AfterValidator(keepable_fields)]
RowId = Annotated[int, Field(ge=1, le=HIGHEST_ID)]
"""An id in a body."""

PathId = Annotated[int, Path(ge=1, le=HIGHEST_ID)]
"""An id in an address."""

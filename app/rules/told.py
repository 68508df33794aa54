"""What another side told us in JSON, read without trust: a value of another kind than is documented is no value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def word(value: object) -> str:
    """A JSON string or number as text; anything else as nothing."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def moment(value: object) -> datetime | None:
    """An ISO time, in UTC where it names no zone; None where it is none."""
    try:
        told = datetime.fromisoformat(word(value))
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def parsed(text: str | bytes) -> Any:
    """The JSON in a text, None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def in_ascii(value: Mapping[str, Any], *, what: str) -> str:
    """JSON text in ASCII, because half a surrogate pair is lawful in JSON and in no database. ValueError calls it `what`."""
    try:
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    except RecursionError as error:
        raise ValueError(f"{what} that is nested too deeply") from error

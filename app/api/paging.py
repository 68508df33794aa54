"""Cursor pagination: `?limit=&cursor=` in, `{"items": […], "next": "…"|null}` out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from app.api.problems import ProblemError

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=200, description="At most so many items.")]
Cursor = Annotated[str | None, Query(description="The `next` of the page before.", max_length=100)]


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(None, description="Hand this back as `cursor` for the next page; null on the last.")


def read(cursor: str | None) -> int | None:
    """The position a cursor stands for, or 422."""
    if not cursor:
        return None
    try:
        return int(base64.urlsafe_b64decode(cursor.encode() + b"=="))
    except (ValueError, binascii.Error):
        raise ProblemError(
            422, "this cursor is not one of ours: leave it out to begin anew", pointer="/cursor"
        ) from None


def write(position: int) -> str:
    """The cursor of a position."""
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def cut(rows: Sequence[T], limit: int) -> tuple[Sequence[T], bool]:
    """The page out of one row more than asked, and whether there is another page."""
    return rows[:limit], len(rows) > limit

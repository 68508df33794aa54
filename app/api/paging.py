"""Cursor pagination: `?limit=&cursor=` in, `{"items": […], "next": "…"|null}` out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from app.api.problems import ProblemError
from app.api.values import HIGHEST_ID

T = TypeVar("T")
R = TypeVar("R")

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
        return _number(_opened(cursor))
    except ValueError:
        raise _foreign() from None


def write(position: int) -> str:
    """The cursor of a position."""
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def read_pair(cursor: str | None) -> tuple[int, int] | None:
    """The count and id that a cursor of a ranked list stands for, or 422."""
    if not cursor:
        return None
    try:
        count, _, number = _opened(cursor).partition(":")
        return _number(count), _number(number)
    except ValueError:
        raise _foreign() from None


def write_pair(count: int, number: int) -> str:
    """The cursor of a row in a ranked list: what it counts, and its id among those that count the same."""
    return base64.urlsafe_b64encode(f"{count}:{number}".encode()).decode().rstrip("=")


def _opened(cursor: str) -> str:
    return base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= HIGHEST_ID:
        raise ValueError("no position in any list")
    return number


def _foreign() -> ProblemError:
    return ProblemError(422, "this cursor is not one of ours: leave it out to begin anew", pointer="/cursor")


def cut(rows: Sequence[T], limit: int) -> tuple[Sequence[T], bool]:
    """The page out of one row more than asked, and whether there is another page."""
    return rows[:limit], len(rows) > limit


def page(rows: Sequence[R], limit: int, *, show: Callable[[R], T], position: Callable[[R], int]) -> Page[T]:
    """The page out of one row more than asked: each row shown, and the cursor behind the last where there are more."""
    shown, more = cut(rows, limit)
    return Page(items=[show(row) for row in shown], next=write(position(shown[-1])) if more else None)

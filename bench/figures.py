"""A measured figure: ours beside a bare side, and how they stand to each other."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from app import __version__

BARE = Path(__file__).with_name("bare")
MOST_LINES = 40
"""A bare side longer than this would be a product of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. `at_least` or `at_most` is the goal of `ratio`, or of `ours` where there is no bare side."""

    name: str
    database: str
    ours: float
    unit: str
    bare: float | None = None
    ratio: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    bare_side: str = ""
    note: str = ""
    more: dict[str, float] = field(default_factory=dict)

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        measured = self.ours if self.ratio is None else self.ratio
        if self.at_least is not None:
            return measured >= self.at_least
        return None if self.at_most is None else measured <= self.at_most

    @property
    def goal(self) -> str:
        """The goal as a reader sees it."""
        if self.at_least is not None:
            return f"≥ {_short(self.at_least)}"
        return "" if self.at_most is None else f"≤ {_short(self.at_most)}"


def bare_source(name: str) -> str:
    """The text of a bare side, which is printed with what it is compared to."""
    text = (BARE / f"{name}.py").read_text()
    if len(text.splitlines()) > MOST_LINES:
        raise ValueError(f"bench/bare/{name}.py is longer than {MOST_LINES} lines")
    return text


def as_table(figures: Sequence[Figure]) -> str:
    """A Markdown table for people."""
    rows = [
        "| figure | database | ours | bare | ratio | goal | met |",
        "| --- | --- | ---: | ---: | ---: | --- | --- |",
    ]
    for one in figures:
        ratio = "" if one.ratio is None else f"**{_short(one.ratio)}**"
        bare = "" if one.bare is None else f"{_short(one.bare)} {one.unit}"
        met = {True: "yes", False: "NO", None: ""}[one.is_met]
        rows.append(
            f"| {one.name} | {one.database} | {_short(one.ours)} {one.unit} | {bare} | {ratio} | {one.goal} | {met} |"
        )
    notes = [f"- {one.name}, {one.database}: {_with_more(one)}" for one in figures if one.note or one.more]
    return "\n".join([*rows, "", *notes])


def as_json(figures: Sequence[Figure]) -> str:
    """The same for machines."""
    machine = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "fullcircle": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cores": os.cpu_count(),
    }
    items = [{**asdict(one), "goal": one.goal, "is_met": one.is_met} for one in figures]
    return json.dumps({"machine": machine, "figures": items}, indent=2, ensure_ascii=False) + "\n"


def _with_more(one: Figure) -> str:
    more = ", ".join(f"{name} {_short(value)}" for name, value in one.more.items())
    return "; ".join(part for part in (one.note, more) if part)


def _short(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"

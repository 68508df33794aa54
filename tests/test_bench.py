"""What the measurements are compared to stays small, and what they say is read rightly."""

from __future__ import annotations

import json

import pytest

from bench.figures import BARE, MOST_LINES, Figure, as_json, as_table, bare_source

FAST = Figure(name="fast", database="SQLite", ours=50, bare=100, ratio=0.5, unit="/s", at_least=0.35)
SLOW = Figure(name="slow", database="SQLite", ours=30, bare=5, ratio=6, unit="ms", at_most=5)
TOLD = Figure(name="told", database="SQLite", ours=3, unit="%")


@pytest.mark.parametrize("name", sorted(path.stem for path in BARE.glob("*.py")))
def test_a_bare_side_is_short_enough_to_be_read(name: str) -> None:
    assert len(bare_source(name).splitlines()) <= MOST_LINES


def test_a_figure_says_whether_its_goal_is_met() -> None:
    assert [one.is_met for one in (FAST, SLOW, TOLD)] == [True, False, None]


def test_the_table_and_the_json_tell_the_same() -> None:
    table = as_table([FAST, SLOW, TOLD])
    assert "| fast | SQLite | 50.0 /s | 100 /s | **0.50** | ≥ 0.35 | yes |" in table
    assert "| slow | SQLite | 30.0 ms | 5.00 ms | **6.00** | ≤ 5.00 | NO |" in table
    told = json.loads(as_json([FAST, SLOW, TOLD]))["figures"]
    assert [one["is_met"] for one in told] == [True, False, None]

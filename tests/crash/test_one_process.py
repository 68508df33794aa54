"""SQLite serves one process; the second one refuses, and says how to have several."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.support.crashing import Nursery, is_alive
from tests.support.fleet import Fleet


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_second_process_on_the_same_file_refuses_to_start_and_shows_the_way_to_postgresql(
    nursery: Nursery, tmp_path: Path, command: str
) -> None:
    fleet = Fleet(nursery, tmp_path)
    try:
        fleet.launch()
        printed = fleet.run(command)
        assert "already runs on" in printed
        assert f"process {fleet.serve.pid}" in printed
        assert "FULLCIRCLE_DATABASE_URL=postgresql://" in printed
        assert "Traceback" not in printed
        assert is_alive(fleet.serve.pid), "the first one goes on"
        assert fleet.get("/api/v1/loops")["items"] == []
    finally:
        fleet.close()
    with sqlite3.connect(tmp_path / "fullcircle.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_killed_process_leaves_no_lock_behind(nursery: Nursery, tmp_path: Path) -> None:
    fleet = Fleet(nursery, tmp_path)
    try:
        fleet.launch()
        fleet.kill()
        assert fleet.get("/api/v1/loops")["items"] == []
        assert fleet.serve.starts == 2
    finally:
        fleet.close()


def test_the_same_file_by_another_name_is_the_same_file(nursery: Nursery, tmp_path: Path) -> None:
    fleet = Fleet(nursery, tmp_path)
    try:
        fleet.launch()
        (tmp_path / "other.db").symlink_to(tmp_path / "fullcircle.db")
        other = Fleet(nursery, tmp_path, f"sqlite:///{tmp_path / 'other.db'}")
        assert "already runs on" in other.run("worker")
        other.close()
    finally:
        fleet.close()

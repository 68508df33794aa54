"""SQLite's driver with one trip to the connection's thread for each statement, where aiosqlite makes four.

SQLite answers most statements in microseconds; what costs is the way to its thread and back, for the
cursor, the statement, the rows and the cursor's end. Here the thread does all four in one go.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import aiosqlite

Parameters = Sequence[Any] | dict[str, Any]


class OneTripCursor:
    """As much of a cursor as SQLAlchemy uses. A statement's rows come with it, all of them."""

    arraysize = 1

    def __init__(self, connection: OneTripConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Parameters = ()) -> Self:
        """One statement."""
        await self._connection.carry(lambda cursor: cursor.execute(sql, parameters), self)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Parameters]) -> Self:
        """One statement with many parameters; it has no rows."""
        await self._connection.carry(lambda cursor: cursor.executemany(sql, parameters), self)
        return self

    async def fetchall(self) -> list[Any]:
        """The rows that came with the statement."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is open any more."""

    def fill(self, cursor: sqlite3.Cursor) -> None:
        """Take everything out of the real cursor; called in the connection's thread."""
        self.description, self.lastrowid = cursor.description, cursor.lastrowid
        self._rows = cursor.fetchall() if cursor.description else []
        self.rowcount = cursor.rowcount
        cursor.close()


class OneTripConnection(aiosqlite.Connection):
    """aiosqlite's connection, with the cursor above in place of its own."""

    def cursor(self) -> OneTripCursor:  # type: ignore[override]
        """A cursor; nothing is asked of the thread yet."""
        return OneTripCursor(self)

    async def carry(self, work: Callable[[sqlite3.Cursor], object], into: OneTripCursor) -> None:
        """Do this with a real cursor in the connection's thread, and fill ours with what came of it."""

        def in_thread() -> None:
            cursor = self._conn.cursor()
            work(cursor)
            into.fill(cursor)

        await self._execute(in_thread)  # type: ignore[no-untyped-call]


def connect(path: Path, *, timeout: float) -> OneTripConnection:
    """A connection that is open once it was awaited. `timeout` is how many seconds a lock is waited for."""
    made = OneTripConnection(lambda: sqlite3.connect(path, timeout=timeout), iter_chunk_size=64)
    made._thread.daemon = True  # noqa: SLF001  (as SQLAlchemy does it: a lost connection keeps no process alive)
    return made

"""Fresh databases for tests, of the two kinds that Fullcircle runs on.

A schema is made once for each test worker and then copied: that is quicker by far than migrating
for every test.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import shutil
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import asyncpg

from tests.support.postgres import PostgresServer

T = TypeVar("T")

EMPTY_COPY = 21
"""Bytes of COPY's binary form with no row in it: its head and its end."""

Make = Callable[[str], None]
"""Fills the empty database at an address; it must have closed every connection when it returns."""


class Databases(Protocol):
    """Hands out addresses in the form of FULLCIRCLE_DATABASE_URL."""

    def empty(self) -> str:
        """The address of a new database with nothing in it."""
        ...

    def copy_of(self, name: str, make: Make) -> str:
        """The address of a new copy of the database that `make` fills the first time `name` is asked for."""
        ...

    def drop(self, url: str) -> None:
        """Remove a database that was handed out."""
        ...


@dataclass(slots=True)
class SqliteDatabases:
    """Databases that are files in `folder`."""

    folder: Path
    _made: dict[str, Path] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def empty(self) -> str:
        return _sqlite_url(self._new_path())

    def copy_of(self, name: str, make: Make) -> str:
        if name not in self._made:
            template = self.folder / f"template-{name}.db"
            try:
                make(_sqlite_url(template))
            except BaseException:
                self.drop(_sqlite_url(template))
                raise
            if template.with_name(f"{template.name}-wal").exists():
                raise RuntimeError(f"whoever made the template '{name}' is still connected to it")
            self._made[name] = template
        path = self._new_path()
        shutil.copyfile(self._made[name], path)
        return _sqlite_url(path)

    def drop(self, url: str) -> None:
        path = Path(url.removeprefix("sqlite:///"))
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)

    def _new_path(self) -> Path:
        return self.folder / f"test-{next(self._numbers)}.db"


@dataclass(frozen=True, slots=True)
class _Filling:
    """What stands in a database: its tables' rows in the binary form of COPY, and where its sequences stand."""

    rows: dict[str, bytes]
    sequences: dict[str, tuple[int, bool]]


@dataclass(slots=True)
class PostgresDatabases:
    """Databases on one server.

    A copy that was dropped is filled anew and handed out again: making a database is some hundred
    new files, which on some machines takes longer than most tests.
    """

    server: PostgresServer
    _made: dict[str, _Filling] = field(default_factory=dict)
    _free: dict[str, list[str]] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def empty(self) -> str:
        return self.server.create(self._new_name())

    def copy_of(self, name: str, make: Make) -> str:
        template = f"template_{name}"
        if name not in self._made:
            try:
                url = self.server.create(template)
                make(url)
                self._made[name] = apart(_filling(url))
            except BaseException:
                self.server.drop(template)
                raise
        free = self._free.get(name)
        database = free.pop() if free else self._new_name()
        url = self.server.url(database) if database in self._names else self.server.create(database, template=template)
        self._names[database] = name
        return url

    def drop(self, url: str) -> None:
        database = url.rpartition("/")[2]
        name = self._names.get(database)
        if name is not None and apart(_refill(url, self._made[name])):
            self._free.setdefault(name, []).append(database)
        else:
            self._names.pop(database, None)
            self.server.drop(database)

    def _new_name(self) -> str:
        return f"test_{os.getpid()}_{next(self._numbers)}"


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run in a thread: whoever asks may have an event loop of its own in this one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


async def migrated(url: str) -> None:
    """Give the empty database at an address today's schema, and leave it."""
    from app.store.schema import migrate
    from app.store.session import Database

    database = Database(url)
    try:
        await migrate(database)
    finally:
        await database.close()


def make_schema(url: str) -> None:
    """Make a template with today's schema and no rows."""
    apart(migrated(url))


async def _names_of(connection: Any, kind: str) -> list[str]:
    query = "SELECT relname FROM pg_class WHERE relkind = $1 AND relnamespace = 'public'::regnamespace ORDER BY relname"
    return [row[0] for row in await connection.fetch(query, kind.encode())]


async def _filling(url: str) -> _Filling:
    connection = await asyncpg.connect(url)
    try:
        rows, sequences = {}, {}
        for table in await _names_of(connection, "r"):
            copied = io.BytesIO()
            await connection.copy_from_table(table, output=copied, format="binary")
            rows[table] = copied.getvalue()
        for sequence in await _names_of(connection, "S"):
            state = await connection.fetchrow(f'SELECT last_value, is_called FROM "{sequence}"')
            sequences[sequence] = (state[0], state[1])
        return _Filling(rows, sequences)
    finally:
        await connection.close()


async def _refill(url: str, filling: _Filling) -> bool:
    """Make a copy what it was when it was new; false where it has other tables now, or does not let us."""
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError):
        return False
    try:
        others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        await connection.execute(others)
        if await _names_of(connection, "r") != list(filling.rows):
            return False
        # Foreign keys are not looked at: everything is taken out, and what is put in was whole.
        await connection.execute("SET session_replication_role = 'replica'")
        await connection.execute(";".join(f'DELETE FROM "{table}"' for table in filling.rows))
        for table, rows in filling.rows.items():
            if len(rows) > EMPTY_COPY:
                await connection.copy_to_table(table, source=io.BytesIO(rows), format="binary")
        for sequence, (value, is_called) in filling.sequences.items():
            await connection.execute("SELECT setval($1::text::regclass, $2, $3)", f'"{sequence}"', value, is_called)
        return True
    except asyncpg.PostgresError:
        return False
    finally:
        await connection.close()


def _sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"

"""Where the figures are taken: SQLite in a fresh file, and a PostgreSQL that keeps its promises about power cuts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from tests.support import postgres

NUMBERS = itertools.count(1)

DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "shared_buffers": "128MB",
    "max_connections": "100",
}
"""A PostgreSQL as it is installed: the tests' own is quicker, and would forget what it answered."""


class Sqlite:
    """A new file for each figure."""

    name: ClassVar = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new(self) -> str:
        """The address of an empty database."""
        return f"sqlite:///{self._folder / f'bench-{next(NUMBERS)}.db'}"


class Postgres:
    """A new database for each figure, on one server."""

    name: ClassVar = "PostgreSQL"

    def __init__(self, server: postgres.PostgresServer) -> None:
        self._server = server

    def new(self) -> str:
        """The address of an empty database."""
        return self._server.create(f"bench_{next(NUMBERS)}")


@contextmanager
def databases(folder: Path, wanted: set[str]) -> Iterator[list[Sqlite | Postgres]]:
    """Those of the wanted kinds that this machine has."""
    found: list[Sqlite | Postgres] = [Sqlite(folder)] if "sqlite" in wanted else []
    programs = postgres.find_programs() if "postgresql" in wanted else None
    if programs is None:
        if "postgresql" in wanted:
            print("PostgreSQL's server is not installed here: measured on SQLite alone.")
        yield found
        return
    server = postgres.start(programs, configuration=DURABLE)
    try:
        yield [*found, Postgres(server)]
    finally:
        server.stop()

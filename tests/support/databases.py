"""Fresh databases for tests, of the two kinds that Fullcircle runs on.

A schema is made once for each test worker and then copied: that is quicker by far than migrating
for every test.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.support.postgres import PostgresServer

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


@dataclass(slots=True)
class PostgresDatabases:
    """Databases on one server."""

    server: PostgresServer
    _made: dict[str, str] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def empty(self) -> str:
        return self.server.create(self._new_name())

    def copy_of(self, name: str, make: Make) -> str:
        if name not in self._made:
            template = f"template_{name}"
            try:
                make(self.server.create(template))
            except BaseException:
                self.server.drop(template)
                raise
            self._made[name] = template
        return self.server.create(self._new_name(), template=self._made[name])

    def drop(self, url: str) -> None:
        self.server.drop(url.rpartition("/")[2])

    def _new_name(self) -> str:
        return f"test_{os.getpid()}_{next(self._numbers)}"


def _sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"

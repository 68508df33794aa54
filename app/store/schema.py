"""The schema: brought up to date by Alembic under a lock, and told apart from a foreign one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from app.store.session import Database

MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATION_LOCK = 4_201_337
"""Any number, but the same in every process that shares a PostgreSQL database."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """What the database has and what this code needs; `None` means an empty database."""

    has: str | None
    needs: str

    @property
    def is_right(self) -> bool:
        """Whether this code may work on that database."""
        return self.has == self.needs


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file. Logging stays as the process has set it up."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    if connection is not None:
        made.attributes["connection"] = connection
    return made


@lru_cache(maxsize=1)
def newest() -> str:
    """The revision this code needs."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    if head is None:
        raise RuntimeError("the migrations folder is empty: this installation is broken, install Fullcircle again")
    return head


class ForeignSchemaError(Exception):
    """The database has a schema that this version does not know: a newer version made it."""


def _check_known(revision: str | None) -> None:
    if revision is None:
        return
    try:
        ScriptDirectory.from_config(config()).get_revision(revision)
    except CommandError:
        raise ForeignSchemaError(
            f"The database has schema {revision}, which this version does not know: a newer Fullcircle made it. "
            f"Start that version, or restore a backup from before its upgrade (this version needs {newest()})."
        ) from None


async def state(database: Database) -> SchemaState:
    """Read which schema the database has."""
    async with database.engine.connect() as connection:
        has = await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())
    return SchemaState(has=has, needs=newest())


async def migrate(database: Database) -> SchemaState:
    """Bring the schema up to date; several processes may call this at once. Returns the state before.

    ForeignSchemaError where a newer version has been at work; nothing is changed then.
    """
    if database.path is not None:
        database.path.parent.mkdir(parents=True, exist_ok=True)
    before = await state(database)
    if before.is_right:
        return before
    _check_known(before.has)
    async with database.engine.connect() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.commit()
        try:
            await connection.run_sync(lambda c: command.upgrade(config(c), "head"))
            await connection.commit()
        finally:
            await connection.rollback()  # what a failed upgrade left open takes no further statement
            if not database.is_sqlite:
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
                await connection.commit()
    return before

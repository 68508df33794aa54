"""One database, two kinds of transaction: `begin` to write, `read` to read. Nothing else opens one.

Nobody commits by hand: a transaction ends with its block, and no block is open across a call to
the outside.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from app.store import one_trip

Session = AsyncSession

DATABASE_ERRORS: tuple[type[Exception], ...] = (SQLAlchemyError, OSError)
"""What a lost or unwilling database raises, for those who may not import SQLAlchemy."""

LOST_DATABASE: tuple[type[Exception], ...] = (
    OperationalError,
    InterfaceError,
    DisconnectionError,
    PoolTimeoutError,
    ConnectionError,
)
"""Among those, the ones by which it does not answer at all; nothing was written, and asking again later may work."""

SAME_MOMENT: tuple[type[Exception], ...] = (IntegrityError,)
"""Two wrote the same thing at the same moment, and the other was first: read again, and it is there."""

POSTGRES_OPTIONS = {"sslmode": "ssl", "ssl": "ssl", "host": "host"}
"""What may follow the `?` of a PostgreSQL address, and what the driver calls it."""


def database_reason(error: BaseException) -> str:
    """One line on what the database, or the way to it, said; no statement and no parameters."""
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__


class DatabaseAddressError(ValueError):
    """FULLCIRCLE_DATABASE_URL names no database that Fullcircle can use."""


def engine_address(address: str) -> URL:
    """The address with its async driver. `sqlite:///…` and `postgresql://…` (also `postgres://`) are understood.

    DatabaseAddressError says what is wrong with any other, without repeating it.
    """
    scheme, _, rest = address.partition("://")
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
        "sqlite+aiosqlite": "sqlite+aiosqlite",
        "postgresql+asyncpg": "postgresql+asyncpg",
    }
    if scheme not in drivers or not rest:
        raise DatabaseAddressError(
            "FULLCIRCLE_DATABASE_URL must start with sqlite:/// or postgresql:// (it was not printed: it may hold a password)"
        )
    try:
        url = make_url(f"{drivers[scheme]}://{rest}")
    except (SQLAlchemyError, ValueError):
        raise DatabaseAddressError(
            "FULLCIRCLE_DATABASE_URL cannot be read: special characters in a user name or password must be written "
            "as %XX, for instance %40 for @ (it was not printed: it may hold a password)"
        ) from None
    return _checked_sqlite(url) if url.get_backend_name() == "sqlite" else _checked_postgres(url)


def _checked_sqlite(url: URL) -> URL:
    if not url.database or url.database == ":memory:":
        raise DatabaseAddressError(
            "FULLCIRCLE_DATABASE_URL must name a file, as in sqlite:////var/lib/fullcircle/main.db"
        )
    return url


def _checked_postgres(url: URL) -> URL:
    """With the names that libpq gives to options turned into the driver's own."""
    unknown = sorted(set(url.query) - set(POSTGRES_OPTIONS))
    if unknown:
        raise DatabaseAddressError(
            f"FULLCIRCLE_DATABASE_URL: the option {unknown[0]!r} is not known; "
            f"there are {', '.join(sorted(POSTGRES_OPTIONS))}"
        )
    return url.set(query={POSTGRES_OPTIONS[name]: value for name, value in url.query.items()})


APPLICATION = "fullcircle"
"""Our name among a PostgreSQL server's connections."""


class Database:
    """The engine and its two kinds of transaction.

    `clock` replaces the database's own clock, for tests. On PostgreSQL leases are measured by the
    server's clock, so that machines whose clocks differ agree on them.

    No transaction of ours waits for anything but the database. One that says nothing for `frozen_after`
    belongs to a process that was stopped or lost its network: PostgreSQL ends it, or `end_frozen` does,
    so that nobody waits for its locks until it wakes.
    """

    def __init__(
        self,
        address: str,
        *,
        clock: Callable[[], datetime] | None = None,
        frozen_after: timedelta = timedelta(seconds=60),
    ) -> None:
        url = engine_address(address)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.path = Path(url.database) if self.is_sqlite and url.database else None
        self._clock, self._frozen_after = clock, frozen_after
        # SQLite has one writer: queueing for it here costs nothing, while its own busy wait sleeps.
        self._writer: asyncio.Lock | None = asyncio.Lock() if self.is_sqlite else None
        self.engine: AsyncEngine = (
            create_async_engine(
                url,
                async_creator=partial(one_trip.connect, self.path, timeout=30),
                pool_size=6,
                max_overflow=4,
                hide_parameters=True,
            )
            if self.path is not None
            else create_async_engine(
                url,
                pool_size=10,
                max_overflow=10,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args={
                    "server_settings": {
                        "application_name": APPLICATION,
                        "idle_in_transaction_session_timeout": f"{frozen_after / timedelta(milliseconds=1):.0f}",
                    }
                },
            )
        )
        if self.is_sqlite:
            _prepare_sqlite(self.engine.sync_engine)
        event.listen(self.engine.sync_engine, "handle_error", _name_what_is_lost, retval=True)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A writing transaction, committed at the end of the block and rolled back if it raises."""
        if self._writer is None:
            async with self._sessions.begin() as session:
                yield session
        else:
            async with self._writer, self._sessions.begin() as session:
                yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A reading transaction; on SQLite it never waits for the writer."""
        async with self._sessions() as session:
            await session.connection(execution_options={"reads_only": True})
            yield session

    async def now(self, session: AsyncSession) -> datetime:
        """The time by which leases are measured."""
        if self._clock is not None:
            return self._clock()
        if self.is_sqlite:
            return datetime.now(UTC)
        moment: datetime = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return moment.astimezone(UTC)

    async def end_frozen(self) -> int:
        """End what PostgreSQL does not end by itself: transactions whose process fell silent in the middle of a statement.

        Returns how many; the caller asks every few seconds.
        """
        if self.is_sqlite:
            return 0
        silent = text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND application_name = :ours"
            " AND xact_start IS NOT NULL AND wait_event = 'ClientRead'"
            " AND state_change < clock_timestamp() - CAST(:silent AS interval)"
        )
        async with self.begin() as session:
            asked = await session.execute(silent, {"ours": APPLICATION, "silent": self._frozen_after})
            ended: int = asked.scalar_one()
            return ended

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()


def _name_what_is_lost(context: ExceptionContext) -> Exception | None:
    """Whatever a driver calls it: no connection, or one that broke, is an OperationalError here."""
    if context.connection is not None and not context.is_disconnect:
        return None
    return OperationalError(None, None, context.original_exception, hide_parameters=True)


def _prepare_sqlite(engine: Engine) -> None:
    """WAL, full sync, foreign keys; and transactions that take the write lock when they begin, not when they are surprised."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        # SQLite's own knows only the letters of ASCII; PostgreSQL's knows them all.
        connection.create_function("lower", 1, _lower, deterministic=True)

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        reads_only = connection.get_execution_options().get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


SQLITE_IS_NEW_ENOUGH = sqlite3.sqlite_version_info >= (3, 35)
"""`UPDATE … RETURNING` came with SQLite 3.35."""

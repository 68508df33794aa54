"""The ground floor of the tests: databases, and how hard hypothesis looks.

Sockets are open to loopback only (pyproject.toml); every warning is an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.support import postgres as postgres_server
from tests.support.databases import Databases, PostgresDatabases, SqliteDatabases, make_schema
from tests.support.must_run import MUST_NOT_SKIP
from tests.support.postgres import PostgresServer

# Examples take as long as a busy machine takes. A gate must judge the same commit the same way
# every time, so there the examples are fixed; at a desk they are new ones on every run.
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("gate", parent=settings.get_profile("desk"), derandomize=True, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("gate" if os.environ.get("CI") else "desk"))


# The product sets its own format when it starts; without one, structlog paints every local variable of a traceback.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """This test worker's own PostgreSQL server; skips where its programs are not installed."""
    programs = postgres_server.find_programs()
    if programs is None:
        why = "PostgreSQL's server programs (initdb, postgres) are not installed"
        if os.environ.get(MUST_NOT_SKIP):
            pytest.fail(f"{why}, and {MUST_NOT_SKIP} is set")
        pytest.skip(why)
    server = postgres_server.start(programs)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Databases as files in this worker's temporary folder."""
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases(postgres: PostgresServer) -> PostgresDatabases:
    """Databases on this worker's PostgreSQL server."""
    return PostgresDatabases(postgres)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Both kinds of database, one after the other: what holds on one must hold on the other."""
    made: Databases = request.getfixturevalue(f"{request.param}_databases")
    return made


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """A database of each kind without any schema, as FULLCIRCLE_DATABASE_URL names it."""
    url = databases.empty()
    yield url
    databases.drop(url)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A database of each kind with today's schema and no rows, as FULLCIRCLE_DATABASE_URL names it."""
    url = databases.copy_of("schema", make_schema)
    yield url
    databases.drop(url)

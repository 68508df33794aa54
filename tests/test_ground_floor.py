"""The tests' own ground floor: databases are fresh, sockets are closed, and a gate has no holes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.store.schema import newest
from tests.support.databases import Databases
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer

ROOT = Path(__file__).parents[1]


def _async_url(url: str) -> str:
    return url.replace("sqlite://", "sqlite+aiosqlite://").replace("postgresql://", "postgresql+asyncpg://")


async def _run(url: str, *statements: str) -> list[object]:
    """Run statements in one transaction; the rows of the last, first column only."""
    engine = create_async_engine(_async_url(url))
    try:
        async with engine.begin() as connection:
            for statement in statements[:-1]:
                await connection.execute(text(statement))
            result = await connection.execute(text(statements[-1]))
            return list(result.scalars()) if result.returns_rows else []
    finally:
        await engine.dispose()


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_gets_a_database_of_its_own(empty_database_url: str, turn: int) -> None:
    found = await _run(empty_database_url, "CREATE TABLE mine (n INTEGER)", "SELECT count(*) FROM mine")
    assert found == [0], f"turn {turn} found another test's table"


async def test_a_database_comes_with_todays_schema(database_url: str) -> None:
    assert await _run(database_url, "SELECT version_num FROM alembic_version") == [newest()]


async def test_a_copy_starts_with_the_templates_rows_and_never_changes_them(databases: Databases) -> None:
    made: list[str] = []

    def make(url: str) -> None:
        made.append(url)
        asyncio.run(_run(url, "CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1)"))

    first, second = await asyncio.to_thread(lambda: [databases.copy_of("numbers", make) for _ in range(2)])
    await _run(first, "INSERT INTO t VALUES (2)")

    assert await _run(second, "SELECT n FROM t") == [1]
    assert len(made) == 1, "the template is made once and then copied"
    for url in (first, second):
        await asyncio.to_thread(databases.drop, url)


async def test_a_dropped_copy_leaves_nothing_to_the_next(databases: Databases) -> None:
    def make(url: str) -> None:
        key = "INTEGER PRIMARY KEY" if url.startswith("sqlite") else "SERIAL PRIMARY KEY"
        first = "INSERT INTO parent (name) VALUES ('first')"
        child = "CREATE TABLE child (of INTEGER NOT NULL REFERENCES parent (id))"
        asyncio.run(
            _run(url, f"CREATE TABLE parent (id {key}, name TEXT)", child, first, "INSERT INTO child VALUES (1)")
        )

    spoil = (
        ["INSERT INTO parent (name) VALUES ('second')", "INSERT INTO child VALUES (2)"],
        ["DELETE FROM child", "DELETE FROM parent"],
        ["DROP TABLE child"],
        ["CREATE TABLE third (n INTEGER)"],
        [],
    )
    for statements in spoil:
        url = await asyncio.to_thread(databases.copy_of, "family", make)
        assert await _run(url, "SELECT name FROM parent") == ["first"]
        assert await _run(url, "SELECT of FROM child") == [1]
        new = await _run(url, "INSERT INTO parent (name) VALUES ('new')", "SELECT max(id) FROM parent")
        assert new == [2], "its numbers go on where the template's do"
        await _run(url, *statements, "SELECT 1")
        await asyncio.to_thread(databases.drop, url)


def test_a_template_that_cannot_be_made_says_so_each_time(databases: Databases) -> None:
    def make(url: str) -> None:
        asyncio.run(_run(url, "CREATE TABLE half_done (n INTEGER)"))
        raise LookupError("no such migration")

    for _ in range(2):
        with pytest.raises(LookupError, match="no such migration"):
            databases.copy_of("broken", make)


def test_dropping_a_database_cuts_whoever_is_still_connected(postgres: PostgresServer) -> None:
    postgres.create("crowded")

    async def stay_connected() -> None:
        engine = create_async_engine(_async_url(postgres.url("crowded")))
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            await asyncio.to_thread(postgres.drop, "crowded")
            await connection.invalidate()
        await engine.dispose()

    asyncio.run(stay_connected())
    postgres.create("crowded")
    postgres.drop("crowded")


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_no_test_can_reach_another_machine() -> None:
    with pytest.raises(SocketConnectBlockedError):
        asyncio.run(asyncio.wait_for(asyncio.open_connection("192.0.2.1", 80), timeout=5))


async def test_loopback_is_open_for_real_servers() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    port = free_port()
    async with await asyncio.start_server(greet, "127.0.0.1", port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "body",
    [
        "import pytest\n\ndef test_one():\n    pytest.skip('no server here')\n",
        "import pytest\n\n@pytest.mark.skip(reason='no server here')\ndef test_one(): ...\n",
        "import pytest\n\npytest.skip('no server here', allow_module_level=True)\n",
    ],
    ids=["in the test", "by a mark", "the whole file"],
)
@pytest.mark.parametrize(("required", "passes"), [("", True), ("1", False)], ids=["at a desk", "in a gate"])
def test_a_skipped_real_test_fails_only_where_everything_is_installed(
    tmp_path: Path, body: str, required: str, passes: bool
) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text("from tests.support.must_run import *\n")
    (tmp_path / "test_it.py").write_text(body)
    (tmp_path / "test_other.py").write_text("def test_other(): ...\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", tmp_path],
        env=os.environ | {"FULLCIRCLE_REAL_REQUIRED": required, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is passes, done.stdout
    assert "no server here" in done.stdout

"""The schema: the models are the migrations on both databases, and every released one upgrades with its waiting replies intact."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, insert, select, text

from app.rules.progress import ReplyState
from app.staging import Square
from app.store import schema
from app.store.session import Database
from tests.support.circle import Circle, Clock, circle
from tests.support.databases import Databases, SqliteDatabases, apart
from tests.support.installation import START, WAITING, as_sql, dumped

DUMPS = Path(__file__).parents[1] / "schemas"
RELEASED = sorted(path.stem for path in DUMPS.glob("*.sql"))

MUST_NOT_CHANGE = (
    "id",
    "loop_id",
    "round",
    "kind",
    "slot",
    "state",
    "text",
    "key",
    "due_at",
    "external_id",
    "written_by",
)
"""What a reply is and where it stands. `key` is by what a network knows that a second call is the first."""


async def test_the_models_are_what_the_migrations_make(database_url: str) -> None:
    database = Database(database_url)
    try:
        async with database.engine.connect() as connection:
            await connection.run_sync(lambda c: command.check(schema.config(c)))
    finally:
        await database.close()


async def test_the_schema_goes_down_to_nothing_and_up_again(database_url: str) -> None:
    database = Database(database_url)
    try:
        async with database.engine.connect() as connection:
            await connection.run_sync(lambda c: command.downgrade(schema.config(c), "base"))
            await connection.commit()
        assert (await schema.state(database)).has is None
        assert not (await schema.migrate(database)).is_right
        assert (await schema.state(database)).is_right
    finally:
        await database.close()


async def test_many_processes_may_migrate_at_once(empty_database_url: str) -> None:
    databases = [Database(empty_database_url) for _ in range(1 if "sqlite" in empty_database_url else 5)]
    try:
        await asyncio.gather(*(schema.migrate(database) for database in databases))
        assert (await schema.state(databases[0])).is_right
    finally:
        for database in databases:
            await database.close()


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `scripts/dump-schema` would write down today."""
    with ThreadPoolExecutor(max_workers=1) as pool, dumped(tmp_path_factory.mktemp("today")) as path:
        return pool.submit(as_sql, path).result()


@pytest.fixture(params=["today", *RELEASED])
def earlier(request: pytest.FixtureRequest, databases: Databases, today: str, tmp_path: Path) -> Iterator[str]:
    """A database as an earlier version left it, on either kind of server."""
    sql = today if request.param == "today" else (DUMPS / f"{request.param}.sql").read_text(encoding="utf-8")
    path = tmp_path / "earlier.db"
    with sqlite3.connect(path) as made:
        made.executescript(sql)
    made.close()
    if isinstance(databases, SqliteDatabases):
        yield f"sqlite:///{path}"
        return
    url = databases.empty()
    apart(copy_to_server(f"sqlite:///{path}", url))
    yield url
    databases.drop(url)


async def copy_to_server(file: str, url: str) -> None:
    """The same installation on PostgreSQL: that version's schema, with the rows of the file."""
    source, target = Database(file), Database(url)
    try:
        async with source.engine.connect() as reading, target.engine.connect() as writing:
            revision = (await reading.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
            rows = await reading.run_sync(all_rows)
            await writing.run_sync(lambda c: command.upgrade(schema.config(c), revision))
            await writing.run_sync(lambda c: put_rows(c, rows))
            await writing.commit()
    finally:
        await source.close()
        await target.close()


def reflected(connection: Connection) -> MetaData:
    found = MetaData()
    found.reflect(connection)
    return found


def all_rows(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    tables = reflected(connection).tables.values()
    return {t.name: [dict(row) for row in connection.execute(select(t)).mappings()] for t in tables}


def put_rows(connection: Connection, rows: dict[str, list[dict[str, Any]]]) -> None:
    connection.execute(text("SET session_replication_role = replica"))  # the order of the tables does not matter then
    for table in reflected(connection).tables.values():
        given = [
            {n: v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for n, v in row.items()}
            for row in rows[table.name]
        ]
        if table.name != "alembic_version" and given:
            connection.execute(insert(table), given)
            highest = max(row["id"] for row in given)
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('\"{table.name}\"', 'id'), {highest})"))
    connection.execute(text("SET session_replication_role = DEFAULT"))


async def replies_of(url: str) -> list[dict[str, Any]]:
    database = Database(url)
    try:
        async with database.engine.connect() as connection:
            rows = (
                await connection.execute(text(f"SELECT {', '.join(MUST_NOT_CHANGE)} FROM reply ORDER BY id"))
            ).mappings()
            return [{name: str(value) for name, value in row.items()} for row in rows]
    finally:
        await database.close()


async def answers(played: Circle) -> dict[str, int]:
    """How often each customer was told that it is fixed, by what stands on the squares."""
    counts: dict[str, int] = {}
    for scene in ("main", "other"):
        for _, post in await Square(played.stage, scene).posts.all():
            if post.brand and "out in" not in post.text and "by hand" not in post.text:
                handle = post.text.split()[0].removeprefix("@")
                counts[handle] = counts.get(handle, 0) + 1
    return counts


async def test_an_earlier_installation_upgrades_with_its_waiting_replies_intact_and_goes_on(earlier: str) -> None:
    before = await replies_of(earlier)
    states = {reply["state"] for reply in before}
    assert states >= set(WAITING), "the dump holds a reply in every state of waiting"
    database = Database(earlier)
    try:
        await schema.migrate(database)
        assert (await schema.state(database)).is_right
    finally:
        await database.close()
    assert await replies_of(earlier) == before, "an upgrade changes no reply"

    async with circle(earlier, clock=Clock(START), product="Acme") as played:
        played.clock.move(hours=2)
        for _ in range(12):
            played.clock.move(minutes=5)
            await played.rest()
        told = await answers(played)
        assert told == dict.fromkeys(["told", "corrected", "lost", "died-after", "died-before", "settling"], 1)
        after: dict[str, ReplyState] = {}
        for reply in (await played.get("/api/v1/replies", params={"limit": 200}))["items"]:
            after[reply["text"].split()[0].removeprefix("@") + f"/{reply['kind']}"] = reply["state"]
        assert after["approved/fixed"] == "awaiting_approval"
        assert after["held/fixed"] == after["stopped/fixed"] == "held"
        assert after["corrected/correction"] == "draft"

        [held] = [issue["id"] for issue in (await played.get("/api/v1/issues"))["items"] if issue["held"]]
        await played.post(f"/api/v1/issues/{held}/release")
        for reply in (await played.get("/api/v1/replies", params={"state": "awaiting_approval"}))["items"]:
            await played.post(f"/api/v1/replies/{reply['id']}/approve")
        await played.rest()
        told = await answers(played)
        assert (told["approved"], told["held"], told.get("stopped", 0)) == (1, 1, 0)
        assert max(told.values()) == 1, "nobody hears anything twice"

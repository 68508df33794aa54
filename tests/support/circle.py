"""A whole river for tests: real database, rehearsal adapters or real ones, and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import select

from app.api.door import Door
from app.assembly import registry
from app.main import make_app_of
from app.outside import Outside
from app.ports import Channel, Registry
from app.sealing import Sealer
from app.steps.river import River, Timing
from app.store import members
from app.store.session import Database
from app.store.stage import StoredStage
from app.store.tables import Account, Issue, Notice, Reply
from app.worker import drain
from tests.support.databases import Databases, apart, migrated

BASE_URL = "http://fullcircle.test"
KEY = "a key for tests, long enough"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    moment: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **delta: float) -> None:
        """Let time pass."""
        self.moment += timedelta(**delta)


@dataclass
class Circle:
    """The river, its stage and clock, and the API in front of it, spoken to as an admin."""

    river: River
    stage: StoredStage
    clock: Clock
    api: httpx.AsyncClient

    async def rest(self) -> int:
        """Do all work that is due."""
        return await drain(self.river)

    async def due_in(self) -> list[float]:
        """In how many seconds, from now, something waits to be done that is not a poll."""
        moments = (
            select(Reply.due_at).where(Reply.state.in_(("scheduled", "unknown"))),
            select(Reply.claim_until),
            select(Issue.look_at).where(Issue.look_wanted > Issue.look_done),
            select(Issue.create_at),
            select(Issue.claim_until),
            select(Notice.due_at).where(Notice.state == "due"),
            select(Account.resume_at),
        )
        async with self.river.db.read() as session:
            found = [moment for query in moments for moment in (await session.execute(query)).scalars() if moment]
        return [(moment - self.clock()).total_seconds() for moment in found if moment > self.clock()]

    async def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        """One call to the API, its status checked, its JSON returned."""
        answer = await self.api.request(method, path, json=body, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str, **options: Any) -> Any:
        """GET, 200."""
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        """POST, 200 unless another is expected."""
        return await self.call("POST", path, body, status=status, **options)

    async def token(self, role: str) -> dict[str, str]:
        """Headers of a caller with another role."""
        async with self.river.db.begin() as session:
            token = await members.make_token(session, name=f"a {role}", role=role, now=self.clock())
        return {"Authorization": f"Bearer {token}"}

    async def connect_rehearsal(self, *, mode: str = "automatic", **tracker_settings: Any) -> tuple[int, int]:
        """Connect both rehearsal adapters; returns the account's and the tracker's id."""
        account = await self.post(
            "/api/v1/accounts", {"channel": "rehearsal", "name": "Acme", "mode": mode}, status=201
        )
        tracker = await self.post(
            "/api/v1/trackers", {"kind": "rehearsal", "name": "Acme app", "settings": tracker_settings}, status=201
        )
        return account["id"], tracker["id"]


class _Late:
    """Stands for something that each circle has of its own, in an application that one circle after another uses."""

    of: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of, name)


class _LateRiver(_Late):
    def now(self) -> datetime:
        """Looked up when it is called: what is made of routes keeps the method."""
        moment: datetime = self.of.now()
        return moment


class _Front:
    """The API and the pages. Making them takes longer than most tests of them; a circle that is over leaves them to the next."""

    def __init__(self) -> None:
        self._river, self._stage = _LateRiver(), _Late()
        self._river.of = River(db=None, outside=_Nowhere(), now=Clock())  # type: ignore[arg-type]
        self.app = make_app_of(self._river, self._stage)  # type: ignore[arg-type]

    def open(self, river: River, stage: StoredStage) -> None:
        """Stand in front of this river from now on."""
        self._river.of, self._stage.of = river, stage
        self.app.state.river, self.app.state.door = river, Door(river)


class _Nowhere:
    """What is asked of the outside while routes are made."""

    base_url = BASE_URL


_free_fronts: list[_Front] = []

_first_engines: dict[str, Any] = {}


def _database(url: str, clock: Clock) -> Database:
    """A database whose engine takes its statements from the first engine of its kind: compiling them is a third of most tests."""
    database = Database(url, clock=clock)
    engine: Any = database.engine.sync_engine
    first = _first_engines.setdefault(engine.dialect.name, engine)
    engine._compiled_cache = first._compiled_cache
    engine.dialect = engine.pool._dialect = first.dialect  # by which the cache knows its statements
    return database


@asynccontextmanager
async def circle(
    database_url: str,
    *,
    timing: Timing | None = None,
    point: Callable[[str], None] = lambda _point: None,
    make_http: Callable[[], httpx.AsyncClient] | None = None,
    channels: Mapping[str, type[Channel]] | None = None,
    product: str = "",
    clock: Clock | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Circle]:
    """A circle over a migrated database; work is done only when `rest` is called. `channels` stand in for the installed ones."""
    clock = clock or Clock()
    database = _database(database_url, clock)
    stage = StoredStage(database)
    installed = registry()
    outside = Outside(
        installed if channels is None else Registry(channels=channels, trackers=installed.trackers),
        Sealer(KEY),
        db=database,
        stage=stage,
        now=clock,
        base_url=BASE_URL,
        http_seconds=5,
        version="test",
        make_http=make_http,
    )
    river = River(
        db=database,
        outside=outside,
        now=clock,
        monotonic=monotonic,
        sleep=sleep,
        timing=timing or Timing(),
        point=point,
        product=product,
    )
    async with database.begin() as session:
        token = await members.make_token(session, name="tests", role="admin", now=clock())
    front = _free_fronts.pop() if _free_fronts else _Front()
    front.open(river, stage)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=front.app, raise_app_exceptions=False),
        base_url=BASE_URL,
        headers={"Authorization": f"Bearer {token}"},
    ) as api:
        yield Circle(river=river, stage=stage, clock=clock, api=api)
    _free_fronts.append(front)
    await outside.close()
    await database.close()


_moments: dict[str, datetime] = {}


@asynccontextmanager
async def circle_after(
    story: Callable[[Circle], Awaitable[object]], databases: Databases, *, product: str = ""
) -> AsyncIterator[Circle]:
    """A circle with a story behind it, on a database of its own: told once for each test worker, then copied."""
    name = f"{story.__module__}-{story.__qualname__}-{product}".replace(".", "-").lower()

    async def tell(url: str) -> None:
        await migrated(url)
        async with circle(url, product=product) as played:
            await story(played)
            _moments[name] = played.clock()

    url = databases.copy_of(name, lambda empty: apart(tell(empty)))
    try:
        async with circle(url, product=product, clock=Clock(_moments[name])) as played:
            yield played
    finally:
        databases.drop(url)

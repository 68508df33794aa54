"""Puts the parts together, for every composition root alike: settings in, a river out."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from app import __version__, channels, trackers
from app.outside import Outside
from app.ports import Registry
from app.sealing import Sealer, key_from_file
from app.settings import Settings
from app.steps.river import River, Timing, Wake
from app.store import members
from app.store.session import Database
from app.store.stage import StoredStage

POSTGRES_WAY = (
    "SQLite serves one process. To run several, set FULLCIRCLE_DATABASE_URL=postgresql://… for all of them "
    "(docs/deploy.md says how)."
)

LINK_LIVES = timedelta(days=7)


class AlreadyRunningError(Exception):
    """Another serve or worker works on the same SQLite file."""


class CannotListenError(Exception):
    """The address is taken, or is none of this machine's; the message says which and what to set."""


def utc_now() -> datetime:
    """The process's clock; read at the edges and handed in."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Assembly:
    """Everything a composition root starts and stops."""

    settings: Settings
    river: River
    wake: Wake
    stage: StoredStage
    _held: ExitStack

    async def close(self) -> None:
        """End connections, give the database back, let another process have the file."""
        await self.river.outside.close()
        await self.river.db.close()
        self._held.close()


def registry() -> Registry:
    """Every channel and tracker that is installed."""
    return Registry(channels=channels.discover(), trackers=trackers.discover())


def sealer(settings: Settings) -> Sealer:
    """The seal of this installation, made on first use."""
    if settings.secret_key is not None and settings.secret_key.get_secret_value().strip():
        return Sealer(*(key.strip() for key in settings.secret_key.get_secret_value().split(",") if key.strip()))
    return Sealer(key_from_file(settings.data_dir / "secret.key"))


def assemble(
    settings: Settings,
    *,
    alone: bool = False,
    now: Callable[[], datetime] = utc_now,
    point: Callable[[str], None] = lambda _point: None,
) -> Assembly:
    """The parts for one process. `alone` takes the SQLite file for this process or raises AlreadyRunningError."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    # A process that is silent for a lease has lost its claims, and then it loses its locks too.
    database = Database(settings.database, frozen_after=timedelta(seconds=max(settings.lease_seconds, 5)))
    with ExitStack() as held:
        if alone and database.path is not None:
            database.path.parent.mkdir(parents=True, exist_ok=True)
            file = database.path.resolve()  # the same file by another name is the same file
            held.enter_context(_lock(file.with_name(file.name + ".lock")))
        stage, wake = StoredStage(database), Wake()
        outside = Outside(
            registry(),
            sealer(settings),
            db=database,
            stage=stage,
            now=now,
            base_url=settings.own_url,
            http_seconds=settings.call_seconds,
            version=__version__,
        )
        river = River(
            db=database,
            outside=outside,
            now=now,
            timing=Timing(
                lease=timedelta(seconds=settings.lease_seconds),
                call=timedelta(seconds=settings.call_seconds),
                backoff=timedelta(seconds=settings.backoff_seconds),
                poll=_seconds(settings.poll_seconds),
                settle=_seconds(settings.settle_seconds),
            ),
            product=settings.product,
            wake=wake,
            point=point,
        )
        return Assembly(settings, river, wake, stage, held.pop_all())


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def _lock(path: Path) -> IO[str]:
    """An advisory lock that ends with the process, however it ends."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        who = f" (process {holder})" if holder else ""
        raise AlreadyRunningError(f"Fullcircle already runs on {path.with_suffix('')}{who}. {POSTGRES_WAY}") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


async def first_link(assembly: Assembly) -> str | None:
    """The admin's sign-in link of a first start, also left in the data folder; None once somebody has signed up.

    A restart shows the same link again for as long as it opens anything.
    """
    river, path = assembly.river, assembly.settings.data_dir / "sign-in-link"
    async with river.db.begin() as session:
        if await members.has_members(session):
            path.unlink(missing_ok=True)
            return None
        token = _read_link(path)
        if not token or await members.find_token(session, token, kind="link", now=river.now()) is None:
            await members.revoke_links(session, now=river.now())
            token = await members.make_token(
                session, name="first start", role="admin", now=river.now(), kind="link", lives=LINK_LIVES
            )
    link = f"{assembly.settings.own_url}/sign-in/{token}"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(link + "\n")
    return link


def _read_link(path: Path) -> str:
    try:
        return path.read_text().strip().rpartition("/")[2]
    except OSError:
        return ""

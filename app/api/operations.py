"""For those who run it: alive, ready, measured."""

from __future__ import annotations

from typing import Literal

import structlog
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from pydantic import BaseModel

from app import __version__
from app.api.access import RiverDep
from app.api.problems import PROBLEM_SCHEMA, problem
from app.steps.health import costs
from app.steps.river import River
from app.store import accounts, deliveries, loops, posts, replies, schema, workers
from app.store.session import DATABASE_ERRORS, database_reason
from app.store.tables import Account, Tracker

router = APIRouter(tags=["operations"])
log = structlog.get_logger(__name__)


class Alive(BaseModel):
    """This process answers."""

    status: Literal["ok"]
    version: str


class Ready(BaseModel):
    """This installation works."""

    status: Literal["ready"]


@router.get("/healthz")
async def alive() -> Alive:
    """The web process answers; asks nothing of the database."""
    return Alive(status="ok", version=__version__)


@router.get(
    "/readyz",
    response_model=Ready,
    responses={
        503: {
            "description": "Wrong schema, lost database, or no living worker; `detail` says which.",
            "content": {"application/problem+json": {"schema": PROBLEM_SCHEMA}},
        }
    },
)
async def ready(river: RiverDep) -> Response:
    """503 with the reason on a wrong schema, a lost database or a stale worker."""
    why = await why_not_ready(river)
    if why:
        return problem(503, why)
    return JSONResponse({"status": "ready"})


async def why_not_ready(river: River) -> str:
    """What keeps this installation from working, or nothing."""
    try:
        found = await schema.state(river.db)
        if not found.is_right:
            return f"the database has schema {found.has or 'none'}, this version needs {found.needs}: run `fullcircle migrate`"
        async with river.db.read() as session:
            now = await river.db.now(session)
            seen = await workers.last_seen(session)
    except DATABASE_ERRORS as error:
        log.warning("database lost", why=database_reason(error))
        return "the database does not answer"
    if seen is None:
        return "no worker has started yet"
    if now - seen > workers.STALE_AFTER:
        return f"no worker was heard of for {(now - seen).total_seconds():.0f} s"
    return ""


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(river: RiverDep) -> Response:
    """Prometheus metrics, made from the database: the same from every process."""
    registry = CollectorRegistry()
    registry.register(_Fixed(await _families(river)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Fixed(Collector):
    """A collector of what was read just now."""

    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> list[GaugeMetricFamily]:
        return self._families


async def _families(river: River) -> list[GaugeMetricFamily]:
    found: list[GaugeMetricFamily] = []

    def gauge(name: str, text: str, labels: list[str], values: list[tuple[list[str], float]]) -> None:
        family = GaugeMetricFamily(f"fullcircle_{name}", text, labels=labels)
        for names, value in values:
            family.add_metric(names, value)
        found.append(family)

    async with river.db.read() as reading:
        now = await river.db.now(reading)
        for noun, counts in (
            ("posts", await posts.count_by_state(reading)),
            ("loops", await loops.count_by_state(reading)),
            ("replies", await replies.count_by_state(reading)),
        ):
            gauge(noun, f"{noun.capitalize()} by state.", ["state"], [([state], n) for state, n in counts.items()])
        for noun, rows in (
            ("account", await accounts.count_by_health(reading, Account)),
            ("tracker", await accounts.count_by_health(reading, Tracker)),
        ):
            labels = [noun, "name"]
            gauge(f"{noun}_ok", f"1 where the {noun} works.", labels, [([str(r[0]), r[1]], float(r[2])) for r in rows])
            gauge(
                f"{noun}_webhooks_rejected",
                "Webhook calls that did not prove who sent them.",
                labels,
                [([str(r[0]), r[1]], r[3]) for r in rows],
            )
            gauge(
                f"{noun}_webhook_rejected_timestamp_seconds",
                "When the last of them came.",
                labels,
                [([str(r[0]), r[1]], r[4].timestamp()) for r in rows if r[4] is not None],
            )
        profiles = await accounts.all_connected(reading, Account)
        spent = await costs(river, reading, profiles)
        labels = ["account", "name"]
        gauge(
            "account_access_ends_timestamp_seconds",
            "When the account's access ends, where its network says so.",
            labels,
            [([str(row.id), row.name], row.expires_at.timestamp()) for row in profiles if row.expires_at is not None],
        )
        gauge(
            "account_cost_this_month_usd",
            "US dollars since the month began, where the network charges.",
            labels,
            [
                ([str(row.id), row.name], float(cost))
                for row in profiles
                if (cost := spent[row.id].this_month) is not None
            ],
        )
        gauge(
            "deliveries_waiting", "Webhook calls not worked yet.", [], [([], await deliveries.count_unworked(reading))]
        )
        gauge("voice_on", "1 while the public voice is on.", [], [([], float(await replies.is_voice_on(reading)))])
        seen = await workers.last_seen(reading)
        if seen is not None:
            gauge(
                "worker_silent_seconds", "Since any worker was last heard of.", [], [([], (now - seen).total_seconds())]
            )
        overdue = await accounts.longest_overdue(reading, now=now)
        gauge("poll_overdue_seconds", "How late the latest poll is.", [], [([], max(overdue.total_seconds(), 0.0))])
    return found

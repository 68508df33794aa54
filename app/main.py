"""The web process: API, webhooks and pages, and (with `serve`) a worker beside them in the same loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app import __version__, api, web, worker
from app.api import problems
from app.api.limits import BodyLimit
from app.assembly import Assembly
from app.ports import Stage
from app.steps.river import River

STATIC = Path(__file__).with_name("web") / "static"


def make_app(assembly: Assembly, *, works: bool) -> FastAPI:
    """The application over these parts. `works` runs a worker in it too."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(worker.run(assembly.river, assembly.wake, stop)) if works else None
        try:
            yield
        finally:
            stop.set()
            assembly.wake()
            if task is not None:
                await task

    return make_app_of(assembly.river, assembly.stage, lifespan=lifespan)


def make_app_of(
    river: River, stage: Stage, *, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None
) -> FastAPI:
    """API, webhooks and pages over a river."""
    app = FastAPI(
        title="Fullcircle",
        version=__version__,
        description="From a public complaint to the department in charge, and back.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.river = river
    app.add_middleware(BodyLimit)
    problems.install(app)
    for router in (*api.routers(), *web.routers(river, stage)):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app

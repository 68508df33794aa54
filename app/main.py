"""The web process: API, webhooks and pages, and (with `serve`) a worker beside them in the same loop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app import __version__, api, web, worker
from app.api import problems
from app.api.description import describe, operation_name
from app.api.door import Door
from app.api.limits import BodyLimit
from app.assembly import Assembly, CannotListenError
from app.ports import Stage
from app.steps.river import River

STATIC = Path(__file__).with_name("web") / "static"
GRACE = 10
"""Seconds that requests under way are given when the process is asked to end."""

log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """uvicorn, ending in order: the first signal lets requests and work finish, a second Ctrl-C waits for no request.

    uvicorn raises the signal again when it has ended, which kills the process before the rest of it is closed.
    """

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE, server_header=False)
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take the signals for as long as the server runs, and hand them back."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for sign in signals:
            loop.add_signal_handler(sign, self.handle_exit, sign, None)
        try:
            yield
        finally:
            for sign in signals:
                loop.remove_signal_handler(sign)


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to where the server shall listen; port 0 takes any free one. CannotListenError where it is not to be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise CannotListenError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. "
            "FULLCIRCLE_HOST and FULLCIRCLE_PORT name another address."
        ) from error
    return listening


def make_app(assembly: Assembly, *, works: bool) -> FastAPI:
    """The application over these parts. `works` runs a worker in it too."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(worker.run(assembly.river, assembly.wake, stop)) if works else None
        if task is not None:
            task.add_done_callback(_say_if_it_died)
        try:
            yield
        finally:
            stop.set()
            assembly.wake()
            if task is not None:
                await asyncio.wait([task])

    return make_app_of(assembly.river, assembly.stage, lifespan=lifespan)


def _say_if_it_died(task: asyncio.Task[None]) -> None:
    """A worker that ends by an error is heard of at once, and not only by its silence."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("the worker ended by an error; restart this process", exc_info=error)


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
        generate_unique_id_function=operation_name,
    )
    app.state.river, app.state.door = river, Door(river)
    app.openapi = describe(app)  # type: ignore[method-assign]
    app.add_middleware(BodyLimit)
    problems.install(app)
    for router in (*api.routers(), *web.routers(river, stage)):
        app.include_router(router)
    web.install(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app

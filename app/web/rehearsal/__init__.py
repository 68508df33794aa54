"""The rehearsal pages: a square where one is the customer, and a board where one is the engineers.

They need no account, as a public network needs none, and work without script. Whatever is done on
them is written to the stage, where the rehearsal adapters find it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime

from fastapi import APIRouter

from app.ports import Stage
from app.web.rehearsal.board import add_board
from app.web.rehearsal.door import Door, page_route
from app.web.rehearsal.square import add_square


def pages(
    stage: Stage,
    *,
    base_url: str,
    wake: Callable[[], None],
    scenes: Callable[[], Awaitable[Collection[str]]] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """The routes under /rehearsal.

    `wake` is called after each change, so that the worker looks at once. `scenes` names the scenes
    that are connected: no other is served; without it every scene is. The style and the script are
    served from /static by whoever includes this.
    """
    door = Door(stage=stage, base_url=base_url, wake=wake, scenes=scenes, now=now)
    router = APIRouter(prefix="/rehearsal", include_in_schema=False, route_class=page_route(door))
    add_square(router, door)
    add_board(router, door)
    return router

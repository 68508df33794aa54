"""How large a request may be, asked before it is read."""

from __future__ import annotations

import contextlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem

API_BYTES = 1024 * 1024
HOOK_BYTES = 26 * 1024 * 1024
"""GitHub sends up to 25 MB; whatever is larger is not theirs."""


DRAIN_BYTES = 64 * 1024 * 1024
"""So much of a body that is refused is still read and thrown away: whoever sends it then reads the answer to it,
where a line that is cut while they send would only be a broken line."""


class BodyLimit:
    """Answers 413 to a body that is too large, and keeps no more of it than allowed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = HOOK_BYTES if scope["path"].startswith("/hooks/") else API_BYTES
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await _refuse(limit, scope, receive, send)
            return
        seen = 0
        began = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            # Whoever reads the body may make an answer of their own out of the error: it is not sent.
            nonlocal began
            if began or seen <= limit:
                began = True
                await send(message)

        with contextlib.suppress(_TooLargeError):
            await self._app(scope, counted, noted)
        if not began and seen > limit:
            await _refuse(limit, scope, receive, send)


class _TooLargeError(Exception):
    """The body went over its limit while it was read."""


async def _refuse(limit: int, scope: Scope, receive: Receive, send: Send) -> None:
    await _drain(scope, receive)
    answer = problem(413, f"the body is larger than {limit // 1024:,} KB", headers={"Connection": "close"})
    await answer(scope, receive, send)


async def _drain(scope: Scope, receive: Receive) -> None:
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    left = DRAIN_BYTES
    if declared.isdigit() and int(declared) > left:
        return
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return

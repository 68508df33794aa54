"""Errors for people, as `application/problem+json` (RFC 9457). No input is echoed: it may hold a secret."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.outside import UnknownKindError
from app.ports import Kind, OutsideError
from app.rules.fitting import TooLongError
from app.rules.progress import UnlawfulMoveError
from app.rules.wording import TemplateError
from app.steps.link import ConflictError, NotFoundError
from app.store.session import LOST_DATABASE, SAME_MOMENT, database_reason

log = structlog.get_logger(__name__)

TITLES = {
    400: "The request cannot be read",
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    405: "Not like this",
    409: "This does not fit the present state",
    413: "Too large",
    422: "Some of it cannot be used",
    500: "Fullcircle made a mistake",
    502: "The other side does not answer",
    503: "Not now",
}

OUTSIDE_STATUS: dict[Kind, int] = {
    "gone": 422,
    "forbidden": 422,
    "auth_broken": 422,
    "suspended": 422,
    "too_long": 422,
    "invalid": 422,
    "misconfigured": 422,
    "rate_limited": 503,
    "transient": 502,
    "unknown": 502,
}


PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}
"""How the description of the API names the shape of an error."""


class ProblemError(Exception):
    """An answer other than success, with what to do about it. `pointer` is a JSON pointer into the request."""

    def __init__(self, status: int, detail: str, *, pointer: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers
        self.errors = [{"pointer": pointer, "message": detail}] if pointer else []


class InvalidFieldsError(Exception):
    """Several fields cannot be used, each with its message."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(message for _, message in errors))
        self.errors = [{"pointer": pointer, "message": message} for pointer, message in errors]


def problem(
    status: int, detail: str, *, errors: Sequence[dict[str, str]] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    """The answer itself."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, "Problem"),
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")


def _pointer(location: Sequence[Any]) -> str:
    """A JSON pointer into the body, or the name of a query parameter or header; the first part says which of them."""
    parts = [str(part) for part in location[1:]]
    return "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)


PLAIN: dict[type[Exception], int] = {
    NotFoundError: 404,
    ConflictError: 409,
    UnlawfulMoveError: 409,
    UnknownKindError: 422,
}
"""Errors whose message is the whole answer."""


def install(app: FastAPI) -> None:
    """Let every error of the API leave as a problem."""
    for kind in PLAIN:
        app.add_exception_handler(kind, _plain)
    for kind in LOST_DATABASE:
        app.add_exception_handler(kind, _lost)
    for kind in SAME_MOMENT:
        app.add_exception_handler(kind, _overtaken)
    for kind in (TemplateError, TooLongError):
        app.add_exception_handler(kind, _text)
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(InvalidFieldsError, _fields)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(OutsideError, _outside)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(Mistakes)


async def _plain(_request: Request, error: Exception) -> JSONResponse:
    status = next(status for kind, status in PLAIN.items() if isinstance(error, kind))
    return problem(status, str(error))


async def _text(_request: Request, error: Exception) -> JSONResponse:
    return problem(422, str(error), errors=[{"pointer": "/text", "message": str(error)}])


async def _lost(request: Request, error: Exception) -> JSONResponse:
    log.warning("database lost", method=request.method, path=request.url.path, why=database_reason(error))
    return problem(503, "the database does not answer: nothing was done, try again", headers={"Retry-After": "5"})


async def _overtaken(request: Request, error: Exception) -> JSONResponse:
    log.warning("request overtaken", method=request.method, path=request.url.path, why=database_reason(error))
    return problem(409, "somebody else did the same at the same moment: look at it again, then decide")


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)  # noqa: S101  (what it is registered for)
    return problem(error.status, error.detail, errors=error.errors, headers=error.headers)


async def _fields(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InvalidFieldsError)  # noqa: S101
    return problem(422, str(error), errors=error.errors)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        reason = str(found[0].get("ctx", {}).get("error", "it cannot be parsed"))
        return problem(400, f"the body is not JSON: {reason}")
    if all(item["loc"][0] == "path" for item in found):
        return problem(404, "there is nothing at this address")
    errors = [
        {"pointer": _pointer(item["loc"]), "message": item["msg"].removeprefix("Value error, ")} for item in found
    ]
    return problem(422, "; ".join(f"{item['pointer']}: {item['message']}" for item in errors), errors=errors)


async def _outside(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OutsideError)  # noqa: S101
    headers = None
    if error.retry_at is not None:
        seconds = math.ceil((error.retry_at - datetime.now(UTC)).total_seconds())
        headers = {"Retry-After": str(max(seconds, 1))}
    return problem(OUTSIDE_STATUS[error.kind], error.message, headers=headers)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    details = {404: "there is nothing at this address", 405: "this address does not take this method"}
    detail = details.get(error.status_code, str(error.detail))
    return problem(error.status_code, detail, headers=dict(error.headers or {}))


class Mistakes:
    """Answers 500 where nothing else did, and logs why, once.

    A handler for `Exception` would have the error raised again behind the answer: it is then logged twice,
    and the line is cut under the caller's next request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = False

        async def noted(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            log.exception("request failed", method=scope["method"], path=scope["path"], exc_info=error)
            if began:
                raise  # half an answer is out: only a cut line tells the caller
            why = "the request failed inside Fullcircle; nothing was half done, and the log has the details"
            await problem(500, why)(scope, receive, send)

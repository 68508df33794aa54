"""The description of the API at `/openapi.json`: what FastAPI finds in the code, and what every client asks besides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.api import shapes
from app.api.examples import EXAMPLES
from app.api.problems import PROBLEM_SCHEMA, TITLES

TAGS = {
    "accounts": "Our connected profiles on networks.",
    "posts": "What customers said.",
    "customers": "The person behind several identities: what they said and were told, and whether they may be answered.",
    "loops": "One customer in one thread, waiting for a product change.",
    "replies": "What is said in public, before and after.",
    "trackers": "Connected repositories and projects.",
    "issues": "Work items in trackers, who waits for them, and whether they shipped.",
    "templates": "The prepared texts of replies.",
    "voice": "The switch of all public speech.",
    "hooks": "Webhooks: proven by their signature, not by a token.",
    "operations": "For those who run it; no token is asked.",
}
REACHES_OUTSIDE = {
    "connect_an_account",
    "change_an_account",
    "pull_an_account",
    "connect_a_tracker",
    "change_a_tracker",
    "pull_a_tracker",
    "take_in_by_address",
    "open_a_loop",
    "link_a_loop",
    "decide_on_a_reply",
}
"""Operations that wait for somebody else's service, which may not answer."""

SECTION = "/api/v1"


def operation_name(route: APIRoute) -> str:
    """The name of an operation is the name of its function."""
    return route.name


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """A replacement of `app.openapi` that also names the problems of each operation and shows examples."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = plain()
            _complete(found)
            app.openapi_schema = found
        return app.openapi_schema

    return openapi


def _complete(found: dict[str, Any]) -> None:
    found["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    schemas = found["components"]["schemas"]
    schemas["Problem"] = shapes.Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, example in EXAMPLES.items():
        schemas[name].setdefault("examples", [example])
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            if path.startswith(SECTION):
                _add_problems(path, method, operation)
            else:
                operation["responses"].pop("422", None)


def _add_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    codes = {401, 403, 500, 503}
    if "requestBody" in operation:
        codes |= {400, 413}
    if "requestBody" in operation or any(p["in"] != "path" for p in operation.get("parameters", ())):
        codes.add(422)
    if "{" in path or "requestBody" in operation:
        codes.add(404)
    if method != "get":
        codes.add(409)
    if operation["operationId"] in REACHES_OUTSIDE:
        codes |= {422, 502}
    operation["responses"].pop("422", None)
    for code in sorted(codes):
        operation["responses"][str(code)] = {
            "description": TITLES[code],
            "content": {"application/problem+json": {"schema": PROBLEM_SCHEMA}},
        }

"""The other side of an HTTP adapter: answers written down beforehand, or one fault for everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx

Answer = Callable[[httpx.Request], httpx.Response]
"""Answers a request, or raises as httpx does where there is no answer."""


class Wire:
    """Plays exchanges in order; a request that none of them describes fails the test by name.

    `spoken` are the requests that reached an exchange marked `speaks`, whatever they were answered.
    """

    def __init__(
        self, exchanges: Iterable[Mapping[str, Any]], *, fault: Answer | None = None, only_speaking: bool = False
    ) -> None:
        self.exchanges = list(exchanges)
        self._left = list(self.exchanges)
        self._fault = fault
        self._only_speaking = only_speaking
        self.asked: list[httpx.Request] = []
        self.spoken: list[httpx.Request] = []
        self.surprises: list[str] = []

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer), timeout=10, follow_redirects=False)

    def assert_all_asked(self) -> None:
        """Each request was described, and each described exchange took place."""
        assert not self.surprises, "asked, but not in the payload: " + "; ".join(self.surprises)
        left = [f"{e['method']} {e['path']}" for e in self._left if not e.get("repeat")]
        assert not left, "in the payload, but never asked: " + "; ".join(left)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self._fault is not None and not self._only_speaking:
            return self._fault(request)
        for exchange in self._left:
            if _describes(exchange, request):
                if not exchange.get("repeat"):
                    self._left.remove(exchange)
                if exchange.get("speaks"):
                    self.spoken.append(request)
                    if self._fault is not None:
                        return self._fault(request)
                return response_of(exchange)
        self.surprises.append(f"{request.method} {request.url} {request.content.decode(errors='replace')[:300]}")
        return httpx.Response(599, text="the payload does not describe this request")


def _describes(exchange: Mapping[str, Any], request: httpx.Request) -> bool:
    path = request.url.raw_path.decode().partition("?")[0]
    return (
        request.method == exchange["method"]
        and path == exchange["path"]
        and exchange.get("host") in {None, request.url.host}
        and all(
            request.url.params.get_list(name) == (value if isinstance(value, list) else [str(value)])
            for name, value in exchange.get("query", {}).items()
        )
        and all(request.headers.get(name) == value for name, value in exchange.get("request_headers", {}).items())
        and _is_within(exchange.get("sends", {}), _sent(request))
    )


def _sent(request: httpx.Request) -> Any:
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = parse_qs(request.content.decode(), keep_blank_values=True)
        return {name: values[0] if len(values) == 1 else values for name, values in form.items()}
    try:
        return json.loads(request.content) if request.content else {}
    except ValueError:
        return {}


def _is_within(part: Any, whole: Any) -> bool:
    """Whether each key of `part` is in `whole` with the same value; objects are compared the same way."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _is_within(value, whole[key]) for key, value in part.items())
    return bool(part == whole)


def response_of(exchange: Mapping[str, Any]) -> httpx.Response:
    """What an exchange answers."""
    headers = [
        (name, value)
        for name, given in exchange.get("headers", {}).items()
        for value in (given if isinstance(given, list) else [given])
    ]
    status = exchange.get("status", 200)
    if "json" in exchange:
        content = json.dumps(exchange["json"], ensure_ascii=False).encode()
        return httpx.Response(status, headers=[("Content-Type", "application/json"), *headers], content=content)
    return httpx.Response(status, headers=headers, content=exchange.get("text", "").encode())

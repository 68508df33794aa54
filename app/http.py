"""The one way out: httpx clients that refuse forbidden addresses, and calls that never guess.

Every call to the other side goes through `ask`. It ends in an answer or in an OutsideError that
says whether the other side may have acted: that is what the single public voice rests on.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ipaddress
import json
import socket
import ssl
import sys
import time
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import Any
from weakref import WeakKeyDictionary

import httpcore
import httpx

from app.ports import Kind, OutsideError

if find_spec("sniffio") is None:
    # httpcore tries to import it whenever it makes a lock, and a failing import looks through the disk each time:
    # a tenth of what a call costs. This makes the import fail at once.
    sys.modules["sniffio"] = None  # type: ignore[assignment]

MAX_ANSWER_BYTES = 32 * 1024 * 1024

must_leave_by: ContextVar[float | None] = ContextVar("must_leave_by", default=None)
"""`time.monotonic()` after which no byte of the current task's request may leave the machine."""

last_word: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("last_word", default=None)
"""Asked when bytes of the current task's request are about to leave, with the line open; what it raises keeps them here."""


class ForbiddenAddressError(httpcore.ConnectError):
    """The name leads to an address that no admin may connect to (link-local, metadata, multicast)."""


class TooLateError(Exception):
    """The deadline passed before the request had left whole, so the other side cannot have acted on it.

    No kind of httpcore.WriteError: after one of those httpcore goes on to wait for an answer.
    """


async def may_leave() -> None:
    """The very last moment before something is said: the task's last word is asked, then its deadline. TooLateError."""
    ask_first = last_word.get()
    if ask_first is not None:
        await ask_first()
    limit = must_leave_by.get()
    if limit is not None and time.monotonic() >= limit:
        raise TooLateError("the deadline passed before the request left")


def is_forbidden(address: str) -> bool:
    """Whether an IP address is one that credentials never go to: link-local (cloud metadata among it), multicast, unspecified."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    if mapped is not None:
        ip = mapped
    return ip.is_link_local or ip.is_multicast or ip.is_unspecified or str(ip) == "fd00:ec2::254"


def is_near(host: str) -> bool:
    """Whether a host is this machine or in a private network, as far as its name tells."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".lan", ".internal", ".home.arpa"))
    return ip.is_loopback or ip.is_private


def is_off_limits(host: str) -> bool:
    """`is_forbidden` for a host that may be a name: where that leads is judged when it is connected to."""
    try:
        return is_forbidden(host)
    except ValueError:
        return False


def web_url(text: str) -> httpx.URL | None:
    """The web address that a text is, None where it is none: from there on its host can be asked for."""
    try:
        url = httpx.URL(text.strip())
        return url if url.scheme in {"http", "https"} and url.host else None
    except (httpx.InvalidURL, UnicodeError):  # the latter by a host that begins as Punycode and is none
        return None


def server_address(text: str, *, example: str, at_stake: str, what: str = "server") -> httpx.URL:
    """A server's address as a person enters it, with or without its scheme. ValueError says what is wrong with it.

    `example` is how it should look, `at_stake` what goes there, and never over http to far away, `what` the kind of server.
    """
    text = text.strip()
    url = web_url(text if "://" in text else f"https://{text}")
    if url is None or "%" in url.host:
        raise ValueError(f"this is not a web address; enter it like {example}")
    if url.userinfo:
        raise ValueError(f"enter the address of the {what} alone, like {example}")
    if is_off_limits(url.host):
        raise ValueError(f"{url.host} is an address that no account may be connected to")
    if url.scheme == "http" and not is_near(url.host):
        raise ValueError(f"use https: over http everybody on the way could read the {at_stake}")
    return url


class _TimedStream(httpcore.AsyncNetworkStream):
    """A stream that lets no byte out against the task's last word or after its deadline."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  (httpcore's signature)
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await may_leave()
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return _TimedStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name once, refuses it if any of its addresses is forbidden, and connects to what it checked."""

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"the name {host} is not known") from error
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        if any(is_forbidden(address) for address in addresses):
            raise ForbiddenAddressError(f"{host} leads to an address that may not be connected to")
        failure: Exception = httpcore.ConnectError(f"the name {host} has no address")
        for address in addresses:
            try:
                stream = await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream)
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The certificates to trust, read once for all clients: reading them takes longer than making the rest of one."""
    return httpx.create_ssl_context()


class _Lines(httpx.AsyncBaseTransport):
    """Several transports of one connection each: httpcore looks through all connections of a pool at every call."""

    def __init__(self, connections: int) -> None:
        self._all = [_one_line() for _ in range(connections)]
        self._free: asyncio.LifoQueue[httpx.AsyncHTTPTransport] = asyncio.LifoQueue()
        for line in self._all:
            self._free.put_nowait(line)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        line = await self._free.get()
        try:
            answer = await line.handle_async_request(request)
        except BaseException:
            self._free.put_nowait(line)
            raise
        body = typing.cast(httpx.AsyncByteStream, answer.stream)
        answer.stream = _Answer(body, functools.partial(self._free.put_nowait, line))
        return answer

    async def aclose(self) -> None:
        for line in self._all:
            await line.aclose()


class _Answer(httpx.AsyncByteStream):
    """An answer's body, whose line is free when it was read or given up."""

    def __init__(self, body: httpx.AsyncByteStream, free: Callable[[], None]) -> None:
        self._body = body
        self._free: Callable[[], None] | None = free

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._body:
            yield part

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            free, self._free = self._free, None
            if free is not None:
                free()


def _one_line() -> httpx.AsyncHTTPTransport:
    transport = httpx.AsyncHTTPTransport(
        verify=_trusted(), limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=20.0)
    )
    # httpx offers no argument for the pool's network backend, which is where an address is known and a byte leaves.
    transport._pool._network_backend = _GuardedBackend()  # noqa: SLF001
    return transport


def make_client(*, seconds: float, version: str, connections: int = 4) -> httpx.AsyncClient:
    """A client with a small pool of its own: one for each account, so that none waits for another.

    `seconds` bounds each step of a call; `ask` bounds the whole. Redirects are never followed by
    the client: credentials must not travel to a host that nobody entered.
    """
    client = httpx.AsyncClient(
        transport=_Lines(connections),
        timeout=httpx.Timeout(seconds),
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": f"Fullcircle/{version}"},
    )
    _lines[client] = asyncio.Semaphore(connections)
    return client


_lines: WeakKeyDictionary[httpx.AsyncClient, asyncio.Semaphore] = WeakKeyDictionary()
"""How many calls a client may have under way. Whoever waits does so here: httpx's own queue costs each call more, the longer it is."""


def _whole_call(http: httpx.AsyncClient) -> float:
    return http.timeout.read or 10.0


@contextlib.asynccontextmanager
async def after_saying(http: httpx.AsyncClient) -> AsyncIterator[None]:
    """For a read after something was said: what could have kept that back keeps back nothing more. TimeoutError soon.

    Saying and this together stay within what whoever says something waits for: one and a half calls.
    """
    mark, word = must_leave_by.set(None), last_word.set(None)
    try:
        async with asyncio.timeout(_whole_call(http) / 3):
            yield
    finally:
        must_leave_by.reset(mark)
        last_word.reset(word)


async def ask(
    http: httpx.AsyncClient, method: str, url: str, *, what: str, writes: bool = False, **options: typing.Any
) -> httpx.Response:
    """One call, whole answer read. The status is the caller's to judge; only redirects are judged here.

    `what` names the call for a person ('reading mentions on m.example'). `writes` marks a call that
    changes something there: if it may have arrived, the error is `unknown` with `in_flight` set;
    otherwise it is `transient`. The whole call takes no longer than the client's own time limit.
    A redirect within the same host is followed for reading (at most 3); any other is `misconfigured`.
    """
    line = _lines.get(http)
    if line is None:
        return await _ask(http, method, url, what=what, writes=writes, **options)
    try:
        async with asyncio.timeout(_whole_call(http)):
            await line.acquire()
    except TimeoutError as error:
        raise OutsideError(f"{what}: no connection (the calls before it take too long)", "transient") from error
    try:
        return await _ask(http, method, url, what=what, writes=writes, **options)
    finally:
        line.release()


async def _ask(
    http: httpx.AsyncClient, method: str, url: str, *, what: str, writes: bool, **options: typing.Any
) -> httpx.Response:
    try:
        async with asyncio.timeout(_whole_call(http)):
            answer = await _exchange(http, method, url, **options)
            for _ in range(3):
                if writes or answer.status_code not in {301, 302, 303, 307, 308} or not _same_origin(answer):
                    break
                answer = await _exchange(
                    http, method, str(answer.url.join(answer.headers["location"])), **_without_query(options)
                )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
        raise OutsideError(f"{what}: the address is not a web address", "misconfigured") from error
    except TooLateError as error:
        raise OutsideError(f"{what}: too late, nothing was sent", "transient") from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise OutsideError(f"{what}: no connection ({_reason(error)})", "transient") from error
    except (httpx.TransportError, TimeoutError) as error:
        kind: Kind = "unknown" if writes else "transient"
        raise OutsideError(f"{what}: no whole answer ({_reason(error)})", kind, in_flight=writes) from error
    if 300 <= answer.status_code < 400 and answer.status_code != 304:
        where = httpx.URL(answer.headers.get("location", "")).host or "another page"
        raise OutsideError(f"{what}: the server sends us on to {where}; enter its own address", "misconfigured")
    return answer


def _reason(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:120] if text else type(error).__name__


def _without_query(options: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """A redirect's address carries its own query."""
    return {name: value for name, value in options.items() if name != "params"}


def _same_origin(answer: httpx.Response) -> bool:
    if "location" not in answer.headers:
        return False
    here, there = answer.url, answer.url.join(answer.headers["location"])
    return (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port)


async def _exchange(http: httpx.AsyncClient, method: str, url: str, **options: typing.Any) -> httpx.Response:
    request = http.build_request(method, url, **options)
    answer = await http.send(request, stream=True)
    try:
        size = 0
        parts: list[bytes] = []
        async for part in answer.aiter_bytes():
            size += len(part)
            if size > MAX_ANSWER_BYTES:
                raise httpx.ReadError(f"the answer is larger than {MAX_ANSWER_BYTES // 1048576} MB")
            parts.append(part)
    finally:
        await answer.aclose()
    # The body was read, and decoded, part by part to bound it; this is where httpx itself keeps it.
    answer._content = b"".join(parts)  # noqa: SLF001
    return answer


def json_of(answer: httpx.Response, *, what: str, writes: bool = False) -> Any:
    """The answer's JSON. A cut or foreign body (a proxy's login page) is `transient`, or `unknown` after a write."""
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        kind: Kind = "unknown" if writes else "transient"
        raise OutsideError(f"{what}: the answer ({answer.status_code}) is not JSON", kind) from error


def is_html(answer: httpx.Response) -> bool:
    """Whether a page for people came in the place of an API's answer."""
    return "html" in answer.headers.get("content-type", "") or answer.content.lstrip()[:1] == b"<"


def retry_at(answer: httpx.Response, now: datetime) -> datetime | None:
    """When the other side lets us come back, from `Retry-After` (seconds or date; the latest of several).

    Never earlier than `now` and never more than a day away: a broken clock there must not silence us for a year.
    """
    times: list[datetime] = []
    for value in ",".join(answer.headers.get_list("retry-after")).split(","):
        text = value.strip()
        if text.isdigit():
            times.append(now + timedelta(seconds=min(int(text), 86_400)))
    if not times and "retry-after" in answer.headers:
        try:
            times.append(parsedate_to_datetime(answer.headers["retry-after"]).astimezone(UTC))
        except (ValueError, TypeError):
            return None
    return min(max(max(times), now), now + timedelta(days=1)) if times else None

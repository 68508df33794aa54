"""The one way out: where no admin may connect to, and what never travels to a host that nobody entered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.http import MAX_ANSWER_BYTES, ask, is_forbidden, json_of, make_client, retry_at, server_address, web_url
from app.ports import OutsideError

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
Answer = Callable[[bytes], bytes]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server on loopback: its address, and the head of each request it saw."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        writer.write(answer(head))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as running:
        port = running.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", seen


def plain(status: str, body: bytes = b"{}", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "0.0.0.0",
        "::",
        "224.0.0.1",
    ],
)
def test_no_admin_connects_to_link_local_metadata_or_everybody(address: str) -> None:
    assert is_forbidden(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.5", "fd12::1", "93.184.215.14"])
def test_loopback_and_private_networks_are_for_admins_to_choose(address: str) -> None:
    assert not is_forbidden(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://2852039166/latest/meta-data",
        "http://0xa9fea9fe/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[fe80::1]/",
        "http://0.0.0.0:8000/",
    ],
)
async def test_a_forbidden_address_is_refused_however_it_is_written(url: str) -> None:
    async with make_client(seconds=2, version="test") as http:
        with pytest.raises(OutsideError) as refused:
            await ask(http, "GET", url, what="reading", headers={"Authorization": "Bearer secret"})
    assert refused.value.kind == "transient"
    assert "may not be connected to" in refused.value.message
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_credentials_never_follow_a_redirect_to_another_host(status: str) -> None:
    async with (
        server(lambda _: plain("200 OK")) as (there, seen_there),
        server(lambda _: plain(status, Location=f"{there}/stolen")) as (here, _),
        make_client(seconds=5, version="test") as http,
    ):
        with pytest.raises(OutsideError) as refused:
            await ask(http, "GET", here, what="reading", headers={"Authorization": "Bearer secret"})
    assert refused.value.kind == "misconfigured"
    assert seen_there == []


async def test_a_redirect_within_the_host_is_followed_for_reading_and_never_for_writing() -> None:
    def answer(head: bytes) -> bytes:
        return plain("200 OK", b'{"ok": true}') if b" /new " in head else plain("301 Moved", Location="/new")

    async with server(answer) as (here, seen), make_client(seconds=5, version="test") as http:
        assert json_of(await ask(http, "GET", f"{here}/old", what="reading"), what="reading") == {"ok": True}
        with pytest.raises(OutsideError) as refused:
            await ask(http, "POST", f"{here}/old", what="speaking", writes=True)
    assert refused.value.kind == "misconfigured"
    assert [head.split()[:2] for head in seen] == [[b"GET", b"/old"], [b"GET", b"/new"], [b"POST", b"/old"]]


async def test_endless_redirects_end() -> None:
    async with (
        server(lambda _: plain("302 Found", Location="/again")) as (here, seen),
        make_client(seconds=5, version="test") as http,
    ):
        with pytest.raises(OutsideError):
            await ask(http, "GET", here, what="reading")
    assert len(seen) == 4


@pytest.mark.parametrize(("writes", "kind", "in_flight"), [(False, "transient", False), (True, "unknown", True)])
async def test_an_answer_that_breaks_off_is_transient_for_reading_and_unknown_for_writing(
    writes: bool, kind: str, in_flight: bool
) -> None:
    async with (
        server(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{") as (here, _),
        make_client(seconds=5, version="test") as http,
    ):
        with pytest.raises(OutsideError) as broken:
            await ask(http, "POST", here, what="calling", writes=writes)
    assert (broken.value.kind, broken.value.in_flight) == (kind, in_flight)


async def test_no_connection_means_that_nothing_was_done() -> None:
    async with make_client(seconds=5, version="test") as http:
        with pytest.raises(OutsideError) as broken:
            await ask(http, "POST", "http://127.0.0.1:1/", what="speaking", writes=True)
    assert broken.value.kind == "transient"


async def test_an_answer_without_end_is_cut_off() -> None:
    async with (
        server(lambda _: b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_ANSWER_BYTES + 1)) as (here, _),
        make_client(seconds=20, version="test") as http,
    ):
        with pytest.raises(OutsideError) as broken:
            await ask(http, "GET", here, what="reading")
    assert "larger than" in broken.value.message


async def test_a_line_is_free_again_however_its_call_ended() -> None:
    def answer(head: bytes) -> bytes:
        path = head.split()[1]
        if path == b"/cut":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
        return b"" if path == b"/silent" else b"no HTTP" if path == b"/foreign" else plain("200 OK")

    async with server(answer) as (here, _), make_client(seconds=5, version="test", connections=2) as http:
        for path in ("cut", "silent", "foreign", "fine", "cut"):
            calls = [ask(http, "GET", f"{here}/{path}", what="reading") for _ in range(5)]
            ended = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(one, httpx.Response if path == "fine" else OutsideError) for one in ended), path
        given_up = asyncio.create_task(ask(http, "GET", f"{here}/fine", what="reading"))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
        answers = await asyncio.gather(*(ask(http, "GET", f"{here}/fine", what="reading") for _ in range(4)))
    assert [one.status_code for one in answers] == [200] * 4


@pytest.mark.parametrize("text", ["not an address", "https://xn--/", "ftp://a.example", "https://", "a.example:x"])
def test_what_names_no_server_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"enter it like https://a\.example"):
        server_address(text, example="https://a.example", at_stake="token")


@pytest.mark.parametrize(
    "text", ["", "/1", "https://", "https://xn--/1", "http://[::1", "ftp://a.example/1", "http://\ud800/"]
)
def test_a_text_that_is_no_web_address_has_no_host_to_ask_for(text: str) -> None:
    assert web_url(text) is None
    assert web_url(" https://a.example/1 ") == httpx.URL("https://a.example/1")


@pytest.mark.parametrize("url", ["no address", "ftp://127.0.0.1/", "http://", "http://[::1", "http://\ud800/"])
async def test_what_is_no_web_address_is_said_to_be_none(url: str) -> None:
    async with make_client(seconds=5, version="test") as http:
        with pytest.raises(OutsideError) as refused:
            await ask(http, "GET", url, what="reading")
    assert refused.value.kind == "misconfigured"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("30, 90", 90),
        ("Mon, 02 Mar 2026 09:02:00 GMT", 120),
        ("Mon, 02 Mar 2020 09:02:00 GMT", 0),
        ("999999999", 86_400),
        ("soon", None),
        ("", None),
    ],
)
def test_when_to_come_back_is_read_from_seconds_and_dates_and_bounded(value: str, seconds: int | None) -> None:
    answer = httpx.Response(429, headers={"Retry-After": value} if value else {})
    assert retry_at(answer, NOW) == (None if seconds is None else NOW + timedelta(seconds=seconds))

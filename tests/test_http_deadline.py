"""The last moment before a public word leaves: after the deadline, or after a refusal, no byte goes over the line.

A raw server on loopback counts what arrives, because only the other end of a line can tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.http import after_saying, ask, last_word, make_client, must_leave_by
from app.ports import OutsideError

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


class Listener:
    """Counts every byte of every line. It answers once it has read a whole request, and keeps the line open."""

    def __init__(self) -> None:
        self.lines: list[bytearray] = []
        self.port = 0

    @property
    def received(self) -> int:
        return sum(len(line) for line in self.lines)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = bytearray()
        self.lines.append(line)
        answered = 0
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while part := await reader.read(65536):
                line += part
                if line.count(b"{1}") > answered:
                    answered += 1
                    writer.write(ANSWER)
                    await writer.drain()
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()


async def say(listener: Listener, *, leave_by: float | None, seconds: float = 5.0) -> None:
    mark = must_leave_by.set(leave_by)
    try:
        async with make_client(seconds=seconds, version="test") as http:
            url = f"http://127.0.0.1:{listener.port}/say"
            await ask(http, "POST", url, what="saying it", writes=True, content=b"{1}")
    finally:
        must_leave_by.reset(mark)


async def test_before_the_deadline_the_request_leaves() -> None:
    async with listening() as listener:
        await say(listener, leave_by=time.monotonic() + 60)
        assert listener.received > 0


async def test_after_the_deadline_no_byte_leaves_and_nothing_is_unknown_about_it() -> None:
    async with listening() as listener:
        began = time.monotonic()
        with pytest.raises(OutsideError) as caught:
            await say(listener, leave_by=time.monotonic() - 0.001)
        assert (caught.value.kind, caught.value.in_flight) == ("transient", False)
        assert "nothing was sent" in caught.value.message
        assert time.monotonic() - began < 2, "nobody waits for an answer to what was never asked"
        await asyncio.sleep(0)
        assert listener.received == 0


async def test_after_the_deadline_no_byte_leaves_on_a_line_that_is_open_already() -> None:
    async with listening() as listener, make_client(seconds=5, version="test") as http:
        url = f"http://127.0.0.1:{listener.port}/say"
        await ask(http, "POST", url, what="warming up", writes=True, content=b"{1}")
        before = listener.received
        mark = must_leave_by.set(time.monotonic())
        with pytest.raises(OutsideError, match="nothing was sent"):
            await ask(http, "POST", url, what="saying it", writes=True, content=b"{1}")
        must_leave_by.reset(mark)
        assert (len(listener.lines), listener.received) == (1, before)
        await ask(http, "POST", url, what="saying it later", writes=True, content=b"{1}")
        assert listener.received > before, "the next call is not hindered"


async def test_a_request_whose_head_left_in_time_is_not_completed_after_the_deadline() -> None:
    async def slow_body() -> AsyncIterator[bytes]:
        deadline = must_leave_by.get()
        assert deadline is not None
        while time.monotonic() < deadline:  # noqa: ASYNC110  (waits for the clock itself)
            await asyncio.sleep(0.005)
        yield b"{1}"

    async with listening() as listener:
        mark = must_leave_by.set(time.monotonic() + 0.15)
        async with make_client(seconds=5, version="test") as http:
            url, headers = f"http://127.0.0.1:{listener.port}/say", {"Content-Length": "3"}
            with pytest.raises(OutsideError) as caught:
                await ask(http, "POST", url, what="saying it", writes=True, content=slow_body(), headers=headers)
        must_leave_by.reset(mark)
        assert caught.value.kind == "transient"
        assert b"{1}" not in b"".join(listener.lines), "its words stayed here"


async def test_whoever_has_the_last_word_is_asked_when_bytes_leave_and_can_keep_them() -> None:
    class KeepItError(Exception):
        pass

    async def no() -> None:
        raise KeepItError

    async with listening() as listener:
        mark = last_word.set(no)
        with pytest.raises(KeepItError):
            await say(listener, leave_by=None)
        last_word.reset(mark)
        assert (len(listener.lines), listener.received) == (1, 0), "the line was open, and nothing was said on it"


async def test_the_deadline_counts_from_after_the_last_word() -> None:
    deadline = time.monotonic() + 0.1

    async def slow_yes() -> None:
        while time.monotonic() < deadline:  # noqa: ASYNC110  (waits for the clock itself)
            await asyncio.sleep(0.005)

    async with listening() as listener:
        mark = last_word.set(slow_yes)
        with pytest.raises(OutsideError, match="nothing was sent"):
            await say(listener, leave_by=deadline)
        last_word.reset(mark)
        assert listener.received == 0


async def test_after_something_was_said_neither_deadline_nor_last_word_keep_a_read_back() -> None:
    async def stop() -> None:
        raise OutsideError("the voice is off", "forbidden")

    async with listening() as listener, make_client(seconds=5.0, version="test") as http:
        word, mark = last_word.set(stop), must_leave_by.set(time.monotonic() - 1)
        try:
            async with after_saying(http):
                await ask(http, "POST", f"http://127.0.0.1:{listener.port}/", what="reading", content=b"{1}")
            said = listener.received
            with pytest.raises(OutsideError, match="the voice is off"):
                await ask(http, "POST", f"http://127.0.0.1:{listener.port}/", what="saying", content=b"{1}")
        finally:
            last_word.reset(word)
            must_leave_by.reset(mark)
        assert listener.received == said > 0


async def test_a_read_after_something_was_said_is_given_up_soon() -> None:
    silent = asyncio.Event()

    async def never(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with make_client(seconds=0.3, version="test") as http:
        with pytest.raises(TimeoutError):
            async with after_saying(http):
                await ask(http, "GET", f"http://127.0.0.1:{port}/", what="reading")
    silent.set()
    server.close()
    await server.wait_closed()

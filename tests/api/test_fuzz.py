"""Whatever is sent, the answer is one that the description names: never a 500, never half of something."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support import on_both, story
from tests.support.circle import Circle, circle
from tests.support.outsides import Outsides, github_tracker, mastodon_account, outsides

JSON = dict[str, Any]

databases = on_both.databases

LEAVES_NOTHING = {"remove_an_account", "remove_a_tracker"}
"""Left out: what comes after them would find nothing to go wrong with."""

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 2, 2**31, 2**63 - 1, 2**63, 2**200, 0.5, 1e308, float("inf"), float("nan")]),
    st.text(max_size=20),
    st.sampled_from(
        ["", "\x00", "a\x00b", "\ud800", "\u202e", "x" * 30_000, "{{", "{% for %}", "#1", "#999", "http://[", "//", "1"]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    st.just([[[[[[{}]]]]]]),
)


@st.composite
def spoiled(draw: st.DrawFn, value: Any) -> Any:
    """The value with something in it replaced, left out, doubled or added."""
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        made = dict(value)
        name = draw(st.sampled_from(sorted(made)))
        match draw(st.sampled_from(["replace", "inside", "inside", "drop", "add"])):
            case "replace":
                made[name] = draw(JUNK)
            case "inside":
                made[name] = draw(spoiled(made[name]))
            case "drop":
                del made[name]
            case _:
                made[draw(st.sampled_from(["title", "body", "state", "settings", "text", "\x00"]))] = draw(JUNK)
        return made
    if isinstance(value, list) and value and draw(st.booleans()):
        return [*value, draw(JUNK)] if draw(st.booleans()) else value * draw(st.sampled_from([2, 60]))
    return draw(JUNK)


class Target:
    """A circle with a little of everything in it, and what may be asked of it."""

    def __init__(self, played: Circle, described: JSON) -> None:
        self.played = played
        self.operations = [
            (method.upper(), path, operation)
            for path, methods in described["paths"].items()
            for method, operation in methods.items()
            if operation["operationId"] not in LEAVES_NOTHING
        ]
        self.bodies = {name: schema.get("examples", []) for name, schema in described["components"]["schemas"].items()}
        self.bodies["NewAccount"] = [mastodon_account(), {"channel": "rehearsal", "name": "A", "mode": "approve"}]
        self.bodies["NewTracker"] = [github_tracker(), {"kind": "rehearsal", "name": "T"}]
        self.bodies["NewLoop"] = [
            {"post_id": 2, "tags": ["a"], "issue": {"tracker_id": 1, "title": "t", "body": "b"}},
            {"post_id": 3, "issue": {"tracker_id": 1, "ref": "#1"}},
        ]

    def examples(self, operation: JSON) -> list[Any]:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return [None]
        name = re.search(r"schemas/(\w+)", json.dumps(content["schema"]))
        return (self.bodies[name[1]] if name else []) or [{}]


@asynccontextmanager
async def target(url: str, outside: Outsides) -> AsyncIterator[Target]:
    async with circle(url, make_http=outside.client) as played:
        await story.tagged(played, mode="approve")
        await story.ship(played)
        await story.complain(played, "Second", handle="ben")
        await story.complain(played, "Third", handle="kim")
        await played.post("/api/v1/accounts/1/pull")
        yield Target(played, (await played.api.get("/openapi.json")).json())


IDS = st.sampled_from(
    ["1", "1", "1", "2", "3", "0", "-1", "99", "x", str(2**63), str(2**64), "1.0", "%00", "%F0%9F%98%80"]
)


@st.composite
def asked(draw: st.DrawFn, here: Target) -> tuple[str, str, bytes | None, JSON, JSON]:
    """Method, address, body, query and headers of one request that is nearly right."""
    method, path, operation = draw(st.sampled_from(here.operations))
    address = re.sub(r"\{(\w+)\}", lambda m: {"kind": "fixed"}.get(m[1], "") or "{}", path)
    for _ in range(address.count("{}")):
        address = address.replace("{}", draw(IDS), 1)
    if "{deed}" in path:
        address = f"/api/v1/replies/{draw(IDS)}/{draw(st.sampled_from(['approve', 'hold', 'release', 'cancel', 'retry', 'x']))}"
    example = draw(st.sampled_from(here.examples(operation)))
    body = None
    if "requestBody" in operation:
        value = example if draw(st.integers(0, 4)) == 0 else draw(spoiled(example))
        body = json.dumps(value).encode()
        if draw(st.integers(0, 20)) == 0:
            body = body[: len(body) // 2] + draw(st.binary(max_size=5))
    query = {
        p["name"]: draw(
            st.one_of(st.sampled_from(["1", "new", "linked", "held", "waiting", "true"]), st.text(max_size=9))
        )
        for p in operation.get("parameters", ())
        if p["in"] == "query" and draw(st.booleans())
    }
    query = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
    headers = {"Content-Type": "application/json"}
    if operation["operationId"] == "open_a_loop" and draw(st.booleans()):
        headers["Idempotency-Key"] = draw(st.sampled_from(["a", "b", "\x00", "\u00e9"]))
    return method, address, body, query, headers


def test_no_request_however_spoiled_makes_a_mistake(database_url: str, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        opened = target(database_url, outsides(tmp_path / "github"))
        here = runner.run(opened.__aenter__())

        # One after another in one circle: what an earlier request did is there for the later ones.
        @settings(max_examples=250, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        @given(st.data())
        def holds(data: st.DataObject) -> None:
            method, address, body, query, headers = data.draw(asked(here))
            answer = runner.run(
                here.played.api.request(
                    method,
                    address,
                    content=body,
                    params=query or None,
                    headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
                )
            )
            where = f"{method} {address} {query} {body!r:.500} → {answer.status_code} {answer.text:.500}"
            assert answer.status_code != 500, where
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json", where
                assert answer.json()["detail"], where

        try:
            holds()
            runner.run(here.played.rest())
        finally:
            runner.run(opened.__aexit__(None, None, None))

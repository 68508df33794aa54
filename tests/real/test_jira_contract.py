"""The Jira tracker and our test Jira, judged by the document that Atlassian publishes of Cloud's REST API, version 3.

https://developer.atlassian.com/cloud/jira/platform/swagger-v3.v3.json is in no package. Put a copy somewhere and name
it in JIRA_OPENAPI.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import httpx
import pytest

from app.ports import OutsideError
from app.trackers.jira import Jira
from tests.real.published_contract import Contract
from tests.support.jira_server import JiraServer, JiraWorld, connection, tracker

BLOCK = "### 3 customers wait\n\n> So **do** I\n\n<!-- fullcircle:issue-7 -->"


@cache
def contract() -> Contract:
    path = os.environ.get("JIRA_OPENAPI", "")
    if not Path(path).is_file():
        pytest.skip("Atlassian's OpenAPI document is not here: name a copy of swagger-v3.v3.json in JIRA_OPENAPI")
    return Contract(Path(path))


async def a_life(world: JiraWorld, server: JiraServer, watching: Jira) -> None:
    """Each of the tracker's calls, with each sort of answer."""
    began = world.now()
    await watching.connect()
    connecting = connection(server, server.client(), fixed_resolutions="Erledigt", done_statuses="Done, Closed")
    await Jira(replace(connecting, remote_id="")).connect()
    assert set(await watching.choices()) == set(watching.choosable)
    made = await watching.create(title="Export loses tables", body="> As reported\n\n- one\n- two", marker="issue-7")
    assert await watching.find_created(marker="issue-7", since=began)
    await watching.find(made.ref)
    handle = await watching.show(made, block=BLOCK, handle=None)
    await watching.show(made, block=BLOCK, handle=handle)
    await watching.tell(made, text="Still broken, see https://m.example/@ana/1", marker="notice-1")
    await watching.tell(made, text="Still broken", marker="notice-1")
    version = world.create_version("2.4.1", date="2026-05-03")
    world.set_versions(made.ref, version)
    other = world.create_issue("Another")
    world.link_duplicate(other, of=made.ref)
    world.close(other, "Duplicate")
    world.close(made.ref)
    for key in (made.ref, other):
        await watching.read(str(world.issue(key).id), ref=key)
    pages = [page async for page in watching.pull(cursor=None, since=began)]
    world.release(version)
    world.time += timedelta(hours=1)
    assert [page async for page in watching.pull(cursor=pages[-1].cursor, since=began)]
    world.issue(made.ref).remote_links.clear()
    with pytest.raises(OutsideError):
        await watching.show(made, block=BLOCK, handle=handle)
    world.has_resolutions = False
    world.close(other)
    await watching.read(str(world.issue(other).id), ref=other)
    world.delete_issue(made.ref)
    await watching.read(made.remote_id, ref=made.ref)


def _without_list(exchange: tuple[httpx.Request, httpx.Response]) -> tuple[httpx.Request, httpx.Response]:
    """An issue's remote links are a list by the document's words and its example, and one of them by its schema."""
    request, answer = exchange
    if request.method == "GET" and request.url.path.endswith("/remotelink") and answer.is_success:
        links = answer.json()
        return request, httpx.Response(200, json=links[0] if links else {})
    return exchange


async def test_every_call_and_every_answer_is_as_atlassian_documents() -> None:
    judge = contract()
    world = JiraWorld()
    server = JiraServer(world, page=1)
    await a_life(world, server, tracker(server))
    wrong = {error for exchange in server.asked for error in judge.judge(_without_list(exchange))}
    assert not wrong, "\n".join(sorted(wrong))
    asked = {f"{request.method} {request.url.path.rsplit('/', 1)[1]}" for request, _ in server.asked}
    assert {"GET search", "GET statuses"} <= asked
    assert {"POST jql", "POST issue", "POST remotelink", "PUT fullcircle.waiting", "POST comment"} <= asked


def test_the_judge_sees_what_is_wrong() -> None:
    request = httpx.Request("POST", "https://j.example/rest/api/3/search/jql?colour=red", json={"jql": 1, "startAt": 0})
    wrong = "\n".join(contract().judge((request, httpx.Response(200, json={"issues": {}}))))
    for words in ("colour is not documented", "startAt", "is not of type 'string'", "is not of type 'array'"):
        assert words in wrong
    old = httpx.Request("GET", "https://j.example/rest/api/3/nowhere")
    assert "no such operation" in contract().judge((old, httpx.Response(200)))[0]

"""Bad input, one table: a clear error for a person, nothing lost, nothing half done, no secret in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.store.tables import Table
from tests.api.test_hooks import about, signed
from tests.support import story
from tests.support.circle import Circle
from tests.support.mastodon_network import TOKEN
from tests.support.outsides import APP, HOOK_SECRET, Outsides, github_tracker, mastodon_account

SECRET = "SEKRETthatnobodymaysee"
LARGE = b" " * (30 * 1024 * 1024)


@dataclass(frozen=True)
class Bad:
    """One request, how it is answered, and which columns it may change all the same: where it is counted or seen."""

    method: str
    path: str
    status: int
    says: str
    body: Any = None
    content: bytes | None = None
    headers: dict[str, str] | None = None
    before: Callable[[Circle, Outsides], None] | None = None
    may_change: frozenset[str] = frozenset()


REJECTED = frozenset({"tracker.rejected", "tracker.rejected_at", "tracker.rejected_why"})
HEALTH = frozenset(
    f"{t}.{c}" for t in ("account", "tracker") for c in ("ok", "why", "blocked", "failures", "health_at")
)
POLLED = frozenset(f"{t}.{c}" for t in ("account", "tracker") for c in ("poll_at", "poll_until", "poll_token"))
JSON_TYPE = {"Content-Type": "application/json"}


def revoke(_played: Circle, outside: Outsides) -> None:
    outside.network.token(TOKEN, revoked=True)
    outside.world.tokens.clear()


TABLE: dict[str, Bad] = {
    "malformed JSON": Bad(
        "POST",
        "/api/v1/accounts",
        400,
        "not JSON",
        content=b'{"secrets": {"access_token": "%s"' % SECRET.encode(),
        headers=JSON_TYPE,
    ),
    "a form instead of JSON": Bad("POST", "/api/v1/loops", 422, "", content=f"post_id=1&x={SECRET}".encode()),
    "a 30 MB body to the API": Bad("POST", "/api/v1/loops", 413, "larger than", content=LARGE, headers=JSON_TYPE),
    "a 30 MB body to a webhook": Bad(
        "POST", "/hooks/trackers/1", 413, "larger than", content=LARGE, headers=signed(b"")
    ),
    "a webhook without a signature": Bad(
        "POST", "/hooks/trackers/1", 401, "not signed", content=b"{}", may_change=REJECTED
    ),
    "a webhook signed with another secret": Bad(
        "POST",
        "/hooks/trackers/1",
        401,
        "does not match",
        content=b"{}",
        headers=signed(b"{}", secret=SECRET),
        may_change=REJECTED,
    ),
    "a webhook of an unknown tracker": Bad(
        "POST", "/hooks/trackers/99", 404, "no tracker 99", content=b"{}", headers=signed(b"{}")
    ),
    "a webhook whose signed body is no JSON": Bad(
        "POST", "/hooks/trackers/1", 400, "JSON", content=SECRET.encode(), headers=signed(SECRET.encode())
    ),
    "an unknown account": Bad("POST", "/api/v1/accounts/99/pull", 404, "no account 99"),
    "an unknown account for a post": Bad(
        "POST", "/api/v1/posts", 404, "no account 99", body={"account_id": 99, "url": f"https://x.example/{SECRET}"}
    ),
    "an unknown channel": Bad(
        "POST",
        "/api/v1/accounts",
        422,
        "there are",
        body={"channel": "pigeons", "name": "x", "secrets": {"token": SECRET}},
    ),
    "a repository that does not exist": Bad(
        "POST", "/api/v1/trackers", 422, "acme/nothing", body=github_tracker(repository="acme/nothing")
    ),
    "an API that is not there": Bad(
        "POST",
        "/api/v1/trackers",
        502,
        "no connection",
        body={**github_tracker(api_url="http://nowhere.test"), "secrets": {"token": SECRET}},
    ),
    "a dead token to connect with": Bad(
        "POST", "/api/v1/accounts", 422, "token", body=mastodon_account(secrets={"access_token": SECRET})
    ),
    "a dead tracker token to connect with": Bad(
        "POST", "/api/v1/trackers", 422, "token", body={**github_tracker(), "secrets": {"token": SECRET}}
    ),
    "a dead token to reconnect with": Bad(
        "PATCH", "/api/v1/accounts/1", 422, "token", body={"secrets": {"access_token": SECRET}}
    ),
    "a token that died, on a pull": Bad(
        "POST", "/api/v1/accounts/1/pull", 422, "token", before=revoke, may_change=HEALTH | POLLED
    ),
    "a tracker token that died, on a pull": Bad(
        "POST", "/api/v1/trackers/1/pull", 422, "token", before=revoke, may_change=HEALTH | POLLED
    ),
    "a tracker token that died, on a new loop": Bad(
        "POST",
        "/api/v1/loops",
        422,
        "token",
        body={"post_id": 2, "issue": {"tracker_id": 1, "ref": "#1"}},
        before=revoke,
        may_change=HEALTH,
    ),
    "an issue that does not exist": Bad(
        "POST",
        "/api/v1/loops",
        422,
        "#99",
        body={"post_id": 2, "tags": ["x"], "issue": {"tracker_id": 1, "ref": "#99"}},
    ),
    "an issue of another repository": Bad(
        "POST",
        "/api/v1/loops",
        422,
        "acme/other",
        body={"post_id": 2, "issue": {"tracker_id": 1, "ref": "acme/other#1"}},
    ),
    "a tracker that does not exist": Bad(
        "POST", "/api/v1/loops", 404, "no tracker 99", body={"post_id": 2, "issue": {"tracker_id": 99, "title": "x"}}
    ),
    "a template with a syntax error": Bad(
        "PUT", "/api/v1/templates/fixed", 422, "line 2", body={"language": "en", "text": "Out now.\n{% if version %}"}
    ),
    "a template with a forbidden name": Bad(
        "PUT", "/api/v1/templates/fixed", 422, "{{ customer }}", body={"language": "en", "text": "{{ ticket_title }}"}
    ),
    "a template that calls": Bad(
        "PUT", "/api/v1/templates/fixed", 422, "call", body={"language": "en", "text": "{{ customer.__class__.mro() }}"}
    ),
    "a cursor of another list": Bad("GET", "/api/v1/posts?cursor=%21%21", 422, "cursor"),
    "a token nobody knows": Bad("GET", "/api/v1/posts", 401, "unknown", headers={"Authorization": f"Bearer {SECRET}"}),
    "half a surrogate pair": Bad(
        "POST", "/api/v1/loops/1/notes", 422, "", content=b'{"text": "\\ud800"}', headers=JSON_TYPE
    ),
    "a NUL": Bad("POST", "/api/v1/loops/1/notes", 422, "U+0000", body={"text": "a\x00b"}),
}


async def everything(played: Circle, *, but: frozenset[str]) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with played.river.db.read() as session:
        for table in Table.metadata.sorted_tables:
            rows = (await session.execute(select(table).order_by(*table.primary_key.columns))).mappings().all()
            found[table.name] = [
                {name: value for name, value in row.items() if f"{table.name}.{name}" not in but} for row in rows
            ]
    return found


@pytest.fixture
async def busy(connected: Circle, outside: Outsides) -> Circle:
    """An installation with work in every state of doing."""
    outside.network.now = connected.clock
    outside.world.clock.set(connected.clock.moment)
    await connected.post("/api/v1/accounts", mastodon_account(mode="approve"), status=201)
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    outside.world.open_issue(APP, "Export hangs")
    for number in range(2):
        outside.network.mention(f"customer{number}@other.example", "Export hangs")
    connected.clock.move(minutes=5)
    await connected.post("/api/v1/accounts/1/pull")
    await story.tag(connected, {"id": 1}, ref="#1")
    await connected.rest()
    return connected


@pytest.mark.parametrize("what", TABLE)
async def test_bad_input_is_told_and_changes_nothing(busy: Circle, outside: Outsides, what: str) -> None:
    bad = TABLE[what]
    if bad.before is not None:
        bad.before(busy, outside)
    before = await everything(busy, but=bad.may_change)
    options: dict[str, Any] = {"headers": bad.headers}
    if bad.content is not None:
        options["content"] = bad.content
    elif bad.body is not None:
        options["json"] = bad.body
    with capture_logs() as logs:
        answer = await busy.api.request(bad.method, bad.path, **options)

    assert answer.status_code == bad.status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert bad.says in answer.json()["detail"], answer.json()["detail"]
    written = answer.text + json.dumps(logs, default=str)
    for secret in (SECRET, TOKEN, HOOK_SECRET, "token-brand"):
        assert secret not in written
    assert not [entry for entry in logs if "exc_info" in entry], "a clear error, and no traceback"
    assert await everything(busy, but=bad.may_change) == before, "nothing half done"


async def test_after_all_of_it_everything_still_works(busy: Circle, outside: Outsides) -> None:
    for bad in TABLE.values():
        if bad.before is None and (bad.content is None or len(bad.content) < 1000):
            options: dict[str, Any] = {"content": bad.content} if bad.content is not None else {"json": bad.body}
            await busy.api.request(bad.method, bad.path, headers=bad.headers, **options)
    outside.world.commit(APP, "Write the last row\n\nFixes #1")
    outside.world.release(APP, "v2.4.1")
    busy.clock.moment = outside.world.clock.now()
    busy.clock.move(minutes=5)
    body = about(outside, 1)
    hook: httpx.Response = await busy.api.post("/hooks/trackers/1", content=body, headers=signed(body))
    assert hook.status_code == 202
    await busy.rest()
    [reply] = (await story.loop_of(busy))["replies"]
    await busy.post(f"/api/v1/replies/{reply['id']}/approve")
    await busy.rest()
    assert [entry["text"] for entry in outside.network.ledger] == [reply["text"]]

"""Accounts: connected only where they work, reconnected without a gap, removed without a loose end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import story
from tests.support.circle import Circle
from tests.support.mastodon_network import TOKEN, Fault
from tests.support.outsides import SOCIAL, Outsides, mastodon_account

NEW_TOKEN = "a-second-access-token"


async def pointers(played: Circle, body: Any, *, method: str = "POST", path: str = "/api/v1/accounts") -> set[str]:
    """Where a 422 says the trouble is; every entry has a message for a person."""
    answer = await played.api.request(method, path, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    errors = answer.json()["errors"]
    assert all(set(error) == {"pointer", "message"} and error["message"] for error in errors)
    return {error["pointer"] for error in errors}


async def test_a_connected_account_is_shown_without_its_secrets(connected: Circle) -> None:
    made = await connected.post("/api/v1/accounts", mastodon_account(), status=201)

    assert made["hook_url"] == f"http://fullcircle.test/hooks/accounts/{made['id']}"
    assert (made["channel"], made["name"], made["mode"]) == ("mastodon", "Acme", "automatic")
    assert made["settings"]["base_url"] == SOCIAL
    assert (made["ok"], made["why"]) == (True, "")
    assert "secrets" not in made
    assert await connected.get(f"/api/v1/accounts/{made['id']}") == made
    assert (await connected.get("/api/v1/accounts"))["items"] == [made]
    assert TOKEN not in str(made)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"channel": "pigeon post"}, {"/channel"}),
        ({"settings": {}}, {"/settings/base_url"}),
        ({"secrets": {}}, {"/secrets/access_token"}),
        ({"settings": {}, "secrets": {}}, {"/settings/base_url", "/secrets/access_token"}),
        ({"settings": {"base_url": "http://169.254.169.254"}}, {"/settings/base_url"}),
        ({"settings": {"base_url": "http://mastodon.example"}}, {"/settings/base_url"}),
        ({"settings": {"base_url": SOCIAL, "first_days": -1}}, {"/settings/first_days"}),
        ({"settings": {"base_url": SOCIAL, "product": "x" * 101}}, {"/settings/product"}),
        ({"settings": {"base_url": "\x00"}}, {"/settings"}),
        ({"secrets": {"access_token": "two words"}}, {"/secrets/access_token"}),
        ({"secrets": "none"}, {"/secrets"}),
        ({"mode": "loud"}, {"/mode"}),
        ({"name": ""}, {"/name"}),
        ({"nonsense": 1}, {"/nonsense"}),
    ],
)
async def test_wrong_fields_are_pointed_at_and_nothing_is_stored(
    connected: Circle, changes: dict[str, Any], where: set[str]
) -> None:
    assert await pointers(connected, mastodon_account(**changes)) == where
    assert (await connected.get("/api/v1/accounts"))["items"] == []


@pytest.mark.parametrize(
    ("trouble", "status", "says"),
    [
        ("a dead token", 422, "token"),
        ("a server that does not answer", 502, "no connection"),
        ("a server that is none of the kind", 422, ""),
    ],
)
async def test_credentials_are_tried_before_anything_is_stored(
    connected: Circle, outside: Outsides, trouble: str, status: int, says: str
) -> None:
    body = mastodon_account(secrets={"access_token": "a-dead-access-token"})
    if trouble.startswith("a server"):
        body = mastodon_account()
    if "answer" in trouble:
        outside.down.add("127.0.0.1")
    if "none of" in trouble:
        outside.network.faults.append(Fault("status", method="GET", count=100, status=404))
    problem = await connected.post("/api/v1/accounts", body, status=status)
    assert says in problem["detail"]
    assert "a-dead-access-token" not in str(problem)
    assert (await connected.get("/api/v1/accounts"))["items"] == []


async def test_a_change_of_name_or_mode_asks_nobody_outside(connected: Circle, outside: Outsides) -> None:
    await connected.post("/api/v1/accounts", mastodon_account(), status=201)
    asked = len(outside.network.requests)
    changed = await connected.call("PATCH", "/api/v1/accounts/1", {"name": "Acme support", "mode": "approve"})
    assert (changed["name"], changed["mode"]) == ("Acme support", "approve")
    assert len(outside.network.requests) == asked


async def test_changed_settings_and_secrets_are_merged_and_tried_at_once(connected: Circle, outside: Outsides) -> None:
    settings = {"base_url": SOCIAL, "first_days": 5, "product": "Acme App"}
    await connected.post("/api/v1/accounts", mastodon_account(settings=settings), status=201)
    changed = await connected.call("PATCH", "/api/v1/accounts/1", {"settings": {"link": "https://acme.example/help"}})
    assert changed["settings"] == {**settings, "link": "https://acme.example/help"}

    dead = {"secrets": {"access_token": "a-dead-access-token"}}
    problem = await connected.call("PATCH", "/api/v1/accounts/1", dead, status=422)
    assert "a-dead-access-token" not in str(problem)
    assert (await connected.get("/api/v1/accounts/1/health"))["ok"], "the token that works stays"

    outside.network.token("somebody-elses-token", username="somebody")
    other = {"secrets": {"access_token": "somebody-elses-token"}}
    assert await pointers(connected, other, method="PATCH", path="/api/v1/accounts/1") == {"/secrets"}
    wrong = {"settings": {"first_days": "many"}}
    assert await pointers(connected, wrong, method="PATCH", path="/api/v1/accounts/1") == {"/settings/first_days"}
    assert (await connected.get("/api/v1/accounts/1"))["settings"]["first_days"] == 5


async def test_what_waited_for_a_dead_token_goes_out_when_the_account_is_reconnected(
    connected: Circle, outside: Outsides
) -> None:
    network = outside.network
    network.now = connected.clock
    said = network.mention("ana@other.example", "Export hangs")
    connected.clock.move(minutes=10)
    await connected.post("/api/v1/accounts", mastodon_account(), status=201)
    await connected.post("/api/v1/trackers", {"kind": "rehearsal", "name": "Acme app"}, status=201)
    assert await connected.post("/api/v1/accounts/1/pull") == {"posts": 1}
    [post] = (await connected.get("/api/v1/posts"))["items"]
    loop = await story.tag(connected, post)
    network.token(TOKEN, revoked=True)
    await story.ship(connected)
    await connected.rest()

    health = await connected.get("/api/v1/accounts/1/health")
    assert (health["ok"], bool(health["why"])) == (False, True)
    [reply] = (await story.loop_of(connected, loop["id"]))["replies"]
    assert reply["state"] == "scheduled", "it waits, and is not refused"
    assert [entry for entry in network.ledger if entry["parent"] == said.id] == []

    network.token(NEW_TOKEN)
    again = await connected.call("PATCH", "/api/v1/accounts/1", {"secrets": {"access_token": NEW_TOKEN}})
    assert again["ok"]
    await connected.rest()
    [entry] = [entry for entry in network.ledger if entry["parent"] == said.id]
    [reply] = (await story.loop_of(connected, loop["id"]))["replies"]
    assert (reply["state"], reply["external_id"]) == ("posted", entry["id"])


async def test_a_removed_account_is_gone_and_what_waited_to_be_said_through_it_is_held(played: Circle) -> None:
    loop = await story.tagged(played, mode="approve")
    await story.ship(played)
    await played.call("DELETE", "/api/v1/accounts/1", status=204)
    await played.rest()

    await played.call("GET", "/api/v1/accounts/1", status=404)
    await played.post("/api/v1/accounts/1/pull", status=404)
    await played.call("PATCH", "/api/v1/accounts/1", {"name": "x"}, status=404)
    await played.call("DELETE", "/api/v1/accounts/1", status=404)
    assert (await played.get("/api/v1/accounts"))["items"] == []
    loop = await story.loop_of(played, loop["id"])
    assert [(reply["state"], reply["why"]) for reply in loop["replies"]] == [("held", "its account was removed")]
    assert (await played.get("/api/v1/posts"))["items"], "what customers said stays"


async def test_health_is_tried_now_and_says_what_is_wrong(connected: Circle, outside: Outsides) -> None:
    await connected.post("/api/v1/accounts", mastodon_account(), status=201)
    health = await connected.get("/api/v1/accounts/1/health")
    told = {"ok", "why", "scopes", "expires_at", "quota"}
    assert set(health) == told | {"read_at", "sent_at", "cost_this_month", "budget"}
    never = {name: health[name] for name in ("read_at", "sent_at", "cost_this_month", "budget")}
    assert set(never.values()) == {None}, "not read yet, nothing said, and a network that charges nothing"
    await connected.post("/api/v1/accounts/1/pull")
    assert (await connected.get("/api/v1/accounts/1/health"))["read_at"] is not None
    assert (health["ok"], health["why"]) == (True, "")
    assert "write:statuses" in health["scopes"]

    outside.network.token(TOKEN, revoked=True)
    health = await connected.get("/api/v1/accounts/1/health")
    assert not health["ok"]
    assert health["why"]
    assert TOKEN not in health["why"]
    assert not (await connected.get("/api/v1/accounts/1"))["ok"]
    await connected.call("GET", "/api/v1/accounts/99/health", status=404)


async def test_a_pull_answers_when_all_is_taken_in_or_says_why_it_could_not_be(
    connected: Circle, outside: Outsides
) -> None:
    await connected.post("/api/v1/accounts", mastodon_account(), status=201)
    for number in range(100):
        outside.network.mention(f"customer{number}@other.example", f"Complaint {number}")
    assert await connected.post("/api/v1/accounts/1/pull") == {"posts": 100}
    assert await connected.post("/api/v1/accounts/1/pull") == {"posts": 0}

    outside.network.faults.append(Fault("ratelimit", method="GET", count=9, retry_after=["120"]))
    answer = await connected.api.post("/api/v1/accounts/1/pull")
    assert answer.status_code == 503
    assert 100 < int(answer.headers["retry-after"]) <= 120
    outside.network.faults.clear()
    outside.down.add("127.0.0.1")
    await connected.post("/api/v1/accounts/1/pull", status=502)
    outside.down.clear()
    outside.network.token(TOKEN, revoked=True)
    await connected.post("/api/v1/accounts/1/pull", status=422)
    await connected.post("/api/v1/accounts/99/pull", status=404)

"""Posts: what customers said, found, dismissed, restored, suggested an issue, and taken in by address."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.staging import StagedPost
from tests.support import on_both, story
from tests.support.circle import Circle
from tests.support.mastodon_network import MastodonNetwork
from tests.support.outsides import Outsides, mastodon_account

databases = on_both.databases

CONTRACT = {"id", "account_id", "external_id", "url", "text", "author", "state", "parent_id"}


async def texts(played: Circle, **params: Any) -> list[str]:
    return [post["text"] for post in (await played.get("/api/v1/posts", params=params))["items"]]


async def test_a_post_has_the_networks_own_address_and_an_author_who_is_never_empty(
    connected: Circle, outside: Outsides
) -> None:
    network: MastodonNetwork = outside.network
    said = network.mention("ana@other.example", "Export hangs")
    answer = network.mention("ana@other.example", "and again", in_reply_to_id=said.id)
    await connected.post("/api/v1/accounts", mastodon_account(), status=201)
    await connected.post("/api/v1/accounts/1/pull")

    second, first = (await connected.get("/api/v1/posts"))["items"]
    assert first.keys() >= CONTRACT
    assert (first["external_id"], first["parent_id"]) == (said.id, None)
    assert (second["external_id"], second["parent_id"]) == (answer.id, said.id)
    assert first["url"] == network._status(said)["url"], "unchanged"
    assert first["author"].removeprefix("@") == "ana@other.example"
    assert first["state"] == "new"
    assert await connected.get(f"/api/v1/posts/{first['id']}") == first
    await connected.call("GET", "/api/v1/posts/99", status=404)


async def test_posts_are_found_by_state_account_and_words(played: Circle) -> None:
    await played.connect_rehearsal()
    other = {"channel": "rehearsal", "name": "Other", "settings": {"scene": "other"}}
    await played.post("/api/v1/accounts", other, status=201)
    await story.complain(played, "Der Export ÜBER Nacht hängt", handle="jörg".replace("ö", "oe"))
    await story.complain(played, "100% broken, 50_50", handle="ana")
    await story.complain(played, "lovely weather", handle="ben")
    await played.post("/api/v1/accounts/1/pull")
    await played.post("/api/v1/posts/3/dismiss")
    await played.post("/api/v1/loops", {"post_id": 2}, status=201)

    assert await texts(played, state="new") == ["Der Export ÜBER Nacht hängt"]
    assert await texts(played, state="tagged") == ["100% broken, 50_50"]
    assert await texts(played, state="dismissed") == ["lovely weather"]
    assert await texts(played, account=1, state="new") == ["Der Export ÜBER Nacht hängt"]
    assert await texts(played, account=2) == []
    if played.river.db.is_sqlite:  # PostgreSQL goes by the collation its database was made with; the tests' has none
        assert await texts(played, q="über nacht") == ["Der Export ÜBER Nacht hängt"], "in every alphabet"
    assert await texts(played, q="EXPORT") == ["Der Export ÜBER Nacht hängt"]
    assert await texts(played, q="joerg") == ["Der Export ÜBER Nacht hängt"], "by the handle too"
    assert await texts(played, q="0%") == ["100% broken, 50_50"], "a wildcard means itself"
    assert await texts(played, q="50_50") == ["100% broken, 50_50"]
    assert await texts(played, q="5%5") == []
    for wrong in ({"state": "old"}, {"account": 0}, {"account": 2**64}, {"q": "\x00"}, {"limit": 0}, {"limit": 201}):
        problem = await played.call("GET", "/api/v1/posts", params=wrong, status=422)
        assert [error["pointer"] for error in problem["errors"]] == [f"/{next(iter(wrong))}"]


async def test_dismissing_and_restoring_go_both_ways_and_a_tagged_post_goes_neither(played: Circle) -> None:
    await played.connect_rehearsal()
    await story.complaints(played, 1)
    for _ in range(2):
        assert (await played.post("/api/v1/posts/1/dismiss"))["state"] == "dismissed"
    for _ in range(2):
        assert (await played.post("/api/v1/posts/1/restore"))["state"] == "new"
    await played.post("/api/v1/loops", {"post_id": 1}, status=201)
    assert "drop its loop" in (await played.post("/api/v1/posts/1/dismiss", status=409))["detail"]
    await played.post("/api/v1/posts/1/restore", status=409)
    assert (await played.get("/api/v1/posts/1"))["state"] == "tagged"
    await played.post("/api/v1/posts/99/dismiss", status=404)
    await played.post("/api/v1/posts/99/restore", status=404)


async def test_the_likeliest_issue_is_suggested_first_with_the_reason(played: Circle) -> None:
    await played.connect_rehearsal()
    first, second, third = await story.complaints(played, 3)
    await story.tag(played, first, title="Dark mode flickers")
    await story.tag(played, second, title="Export hangs for large files")

    found = await played.get(f"/api/v1/posts/{third['id']}/suggestions")
    assert set(found) == {"items"}
    best = found["items"][0]
    assert set(best) == {"issue", "score", "why"}
    assert best["issue"]["title"] == "Export hangs for large files"
    assert best["issue"]["ref"] == "#2"
    assert 0 < best["score"] <= 1
    assert "1 waiting" in best["why"]
    await played.call("GET", "/api/v1/posts/99/suggestions", status=404)


async def test_a_post_is_taken_in_by_its_address_once_and_from_no_other_network(
    connected: Circle, outside: Outsides
) -> None:
    network = outside.network
    said = network.mention("ana@other.example", "Export hangs")
    url = network._status(said)["url"]
    await connected.post("/api/v1/accounts", mastodon_account(), status=201)

    made = await connected.post("/api/v1/posts", {"account_id": 1, "url": url}, status=201)
    again = await connected.post("/api/v1/posts", {"account_id": 1, "url": url}, status=201)
    assert again == made
    assert made["external_id"] == said.id
    for wrong, status in [
        ({"account_id": 1, "url": "https://nowhere.example/@ana/1"}, 422),
        ({"account_id": 1, "url": "no address"}, 422),
        ({"account_id": 1, "url": "http://169.254.169.254/latest"}, 422),
        ({"account_id": 99, "url": url}, 404),
        ({"account_id": 1}, 422),
        ({"account_id": 1, "url": ""}, 422),
    ]:
        problem = await connected.post("/api/v1/posts", wrong, status=status)
        assert problem["detail"]
    assert len((await connected.get("/api/v1/posts"))["items"]) == 1


@pytest.mark.parametrize("channel", ["rehearsal"])
async def test_the_rehearsal_square_is_read_by_address_too(played: Circle, channel: str) -> None:
    await played.connect_rehearsal()
    number = await story.square(played).say(StagedPost(handle="ana", text="Hello", at=played.clock()))
    url = f"http://fullcircle.test/rehearsal/main/posts/{number}"
    assert (await played.post("/api/v1/posts", {"account_id": 1, "url": url}, status=201))["text"] == "Hello"


async def test_two_accounts_that_read_the_same_network_at_once_take_each_post_in_once(played: Circle) -> None:
    await played.connect_rehearsal()
    second = {"channel": "rehearsal", "name": "Acme Labs", "settings": {"brand": "Acme Labs"}}
    await played.post("/api/v1/accounts", second, status=201)
    for turn in range(3):
        for number in range(10):
            await story.complain(played, f"Complaint {turn}.{number}", handle=f"customer{number}")
        answers = await asyncio.gather(
            *(played.api.post(f"/api/v1/accounts/{account}/pull") for account in (1, 2, 1, 2))
        )
        assert [answer.status_code for answer in answers] == [200] * 4, [answer.text for answer in answers]
        assert sum(answer.json()["posts"] for answer in answers) == 10
    texts = [post["text"] for post in (await played.get("/api/v1/posts", params={"limit": 200}))["items"]]
    assert len(texts) == len(set(texts)) == 30

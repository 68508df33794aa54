"""GitHub's webhook to us: set up once, put right when asked again, and its lost calls asked for again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.ports import Hooked, OutsideError
from app.trackers.github import HOOK_EVENTS, GitHub
from tests.support.github_app import PERMISSIONS, add_app, app_tracker
from tests.support.github_server import Fault, GitHubServer
from tests.support.github_tracker import WEBHOOK_SECRET, tracker
from tests.support.github_world import Delivery, GitHubWorld, Token, Webhook

APP = "acme/app"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
URL = "http://fullcircle.test/hooks/trackers/1"


def hooks(world: GitHubWorld) -> list[Webhook]:
    return list(world.repository(APP).hooks.values())


def writes(server: GitHubServer) -> list[str]:
    return [path for method, path, status in server.requests if method in {"POST", "PATCH"} and status < 300]


async def answered(server: GitHubServer, status: int) -> list[Delivery]:
    """Deliver what waits, answered so; returns what was delivered."""
    before = len(server.world.delivered)

    async def post(_delivery: Delivery) -> int:
        return status

    await server.deliver(post)
    return server.world.delivered[before:]


# Setting it up


async def test_sets_up_a_hook_that_signs_and_tells_of_all_we_look_at(watching: GitHub, world: GitHubWorld) -> None:
    assert isinstance(watching, Hooked)
    await watching.set_up_hook(url=URL)
    [hook] = hooks(world)
    assert (hook.url, hook.secret, hook.active, hook.events) == (URL, WEBHOOK_SECRET, True, list(HOOK_EVENTS))
    number = world.open_issue(APP, "Export loses tables")
    heard = [watching.receive(headers=d.headers, query={}, body=d.body) for d in world.pending]
    assert [hook.event for hook in heard] == ["ping", "issues.opened"]
    assert heard[1].issues == (str(world.issue(APP, number).id),)


async def test_asked_again_it_is_the_same_hook_and_put_right(watching: GitHub, world: GitHubWorld) -> None:
    number = world.add_hook(APP, URL, secret="an old one", events=["push", "star"])
    world.add_hook(APP, "http://elsewhere.test/hook", secret="theirs", events=["push"])
    hooks(world)[0].active = False
    for _ in range(3):
        await watching.set_up_hook(url=URL)
    ours, theirs = hooks(world)
    assert (ours.id, ours.secret, ours.active) == (number, WEBHOOK_SECRET, True)
    assert set(ours.events) == {*HOOK_EVENTS, "star"}, "what somebody added stays"
    assert (theirs.secret, theirs.events) == ("theirs", ["push"])


async def test_a_hook_for_everything_stays_one_for_everything(watching: GitHub, world: GitHubWorld) -> None:
    world.add_hook(APP, URL, secret="", events=["*"])
    await watching.set_up_hook(url=URL)
    assert [hook.events for hook in hooks(world)] == [["*"]]


async def test_two_who_set_it_up_at_once_make_one(server: GitHubServer, world: GitHubWorld) -> None:
    async with server.client() as one, server.client() as other:
        both = tracker(server, http=one), tracker(server, http=other)
        await asyncio.gather(*(watching.set_up_hook(url=URL) for watching in both))
    assert [hook.url for hook in hooks(world)] == [URL]


async def test_one_that_appeared_since_our_look_is_put_right(
    watching: GitHub, world: GitHubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = watching._our_hook

    async def look_too_early(url: str) -> object:
        found = await looked(url)
        if not hooks(world):
            world.add_hook(APP, URL, secret="another's")
        return found

    monkeypatch.setattr(watching, "_our_hook", look_too_early)
    await watching.set_up_hook(url=URL)
    assert [(hook.url, hook.secret) for hook in hooks(world)] == [(URL, WEBHOOK_SECRET)]


async def test_a_hook_whose_answer_was_lost_is_found(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    server.faults.append(Fault("lost", method="POST", path="/hooks$"))
    with pytest.raises(OutsideError) as raised:
        await watching.set_up_hook(url=URL)
    assert raised.value.kind == "unknown"
    await watching.set_up_hook(url=URL)
    assert len(hooks(world)) == 1


async def test_without_the_permission_it_says_which_and_sets_up_nothing(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    for watching in (
        tracker(server, http=http, token=_narrow(world)),
        app_tracker(server, add_app(world, APP), http=http),
        app_tracker(server, add_app(world, APP, permissions={**PERMISSIONS, "repository_hooks": "read"}), http=http),
    ):
        with pytest.raises(OutsideError) as raised:
            await watching.set_up_hook(url=URL)
        assert raised.value.kind == "forbidden"
        assert "needs Webhooks: " in raised.value.message
        assert WEBHOOK_SECRET not in raised.value.message
    assert not hooks(world)
    may = {**PERMISSIONS, "repository_hooks": "write"}
    await app_tracker(server, add_app(world, APP, permissions=may), http=http).set_up_hook(url=URL)
    assert len(hooks(world)) == 1


async def test_hooks_that_are_hidden_are_not_allowed_rather_than_gone(watching: GitHub, server: GitHubServer) -> None:
    server.faults.append(Fault("404", path="/hooks$"))
    with pytest.raises(OutsideError) as raised:
        await watching.set_up_hook(url=URL)
    assert raised.value.kind == "forbidden"


async def test_an_address_that_github_refuses_is_said_in_its_words(watching: GitHub, server: GitHubServer) -> None:
    server.faults.append(Fault("422", method="POST", path="/hooks$"))
    with pytest.raises(OutsideError) as raised:
        await watching.set_up_hook(url=URL)
    assert (raised.value.kind, "'Refused'" in raised.value.message) == ("invalid", True)


async def test_without_a_secret_no_hook_is_set_up(server: GitHubServer, http: httpx.AsyncClient) -> None:
    with pytest.raises(OutsideError):
        await tracker(server, http=http, webhook_secret=None).set_up_hook(url=URL)
    assert not server.requests


def _narrow(world: GitHubWorld) -> str:
    world.tokens["token-narrow"] = Token("reader", permissions=dict(PERMISSIONS))
    return "token-narrow"


# Calls that were lost


async def test_calls_that_failed_are_asked_for_again_once_and_arrive(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    await watching.set_up_hook(url=URL)
    await answered(server, 202)
    world.open_issue(APP, "One")
    world.open_issue(APP, "Two")
    lost = await answered(server, 503)
    world.drop_webhooks(drop=True)
    world.open_issue(APP, "Three")
    lost.append(world.delivered[-1])
    world.drop_webhooks(drop=False)
    assert await watching.send_again(url=URL) == 3
    assert await watching.send_again(url=URL) == 0, "asked for, and not listed yet"
    again = await answered(server, 202)
    assert [(d.guid, d.body) for d in again] == [(d.guid, d.body) for d in lost], "oldest first"
    assert await watching.send_again(url=URL) == 0
    assert await tracker(server).send_again(url=URL) == 0, "a new process finds that they arrived"


async def test_a_call_that_fails_again_is_not_asked_for_a_third_time(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    await watching.set_up_hook(url=URL)
    await answered(server, 500)
    assert await watching.send_again(url=URL) == 1
    await answered(server, 500)
    assert await watching.send_again(url=URL) == 0
    assert await tracker(server).send_again(url=URL) == 0


async def test_a_call_somebody_sent_again_by_hand_is_left_alone(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    await watching.set_up_hook(url=URL)
    [ping] = await answered(server, 500)
    world.redeliver(ping.id)
    await answered(server, 200)
    assert await watching.send_again(url=URL) == 0


async def test_lost_calls_are_found_on_every_page_and_three_days_back(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    await watching.set_up_hook(url=URL)
    await answered(server, 500)  # the ping: too old in a moment
    world.clock.advance(timedelta(days=3))
    world.open_issue(APP, "Lost")
    [lost] = await answered(server, 500)
    world.clock.advance(timedelta(days=2))
    world.clock.set(world.clock.now(), step=timedelta(0))
    for number in range(250):
        world.open_issue(APP, f"Issue {number}")
    await answered(server, 202)
    assert await watching.send_again(url=URL) == 1
    assert [d.guid for d in world.pending] == [lost.guid]
    pages = [path for _, path, _ in server.requests if "/deliveries?" in path]
    assert len(pages) == 3
    await watching.send_again(url=URL)
    assert len([path for _, path, _ in server.requests if "/deliveries?" in path]) == 6, "all in the last hour"
    world.clock.advance(timedelta(hours=2))
    await watching.send_again(url=URL)
    await watching.send_again(url=URL)
    assert len([path for _, path, _ in server.requests if "/deliveries?" in path]) == 6 + 3 + 1, "then only what is new"


async def test_many_lost_calls_are_asked_for_over_several_polls(
    watching: GitHub, server: GitHubServer, world: GitHubWorld
) -> None:
    await watching.set_up_hook(url=URL)
    await answered(server, 202)
    for number in range(40):
        world.open_issue(APP, f"Issue {number}")
    await answered(server, 500)
    world.clock.advance(timedelta(hours=5))
    assert [await watching.send_again(url=URL) for _ in range(3)] == [30, 10, 0]
    assert len({d.guid for d in world.pending}) == len(world.pending) == 40


async def test_where_hooks_may_not_be_seen_nothing_is_said_and_rarely_asked(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    world.add_hook(APP, URL, secret=WEBHOOK_SECRET)
    await answered(server, 500)
    watching = tracker(server, http=http, token=_narrow(world))
    for _ in range(5):
        assert await watching.send_again(url=URL) == 0
    assert len(server.requests) == 1
    world.tokens["token-narrow"].permissions = None
    world.clock.advance(timedelta(hours=1))
    assert await watching.send_again(url=URL) == 1, "the permission came later"


async def test_where_hooks_may_only_be_read_nothing_is_said(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    world.add_hook(APP, URL, secret=WEBHOOK_SECRET)
    await answered(server, 500)
    world.tokens["token-reader"] = Token("reader", permissions={**PERMISSIONS, "repository_hooks": "read"})
    assert await tracker(server, http=http, token="token-reader").send_again(url=URL) == 0
    assert not world.pending


async def test_without_a_hook_or_a_secret_nothing_is_asked_for(
    server: GitHubServer, http: httpx.AsyncClient, world: GitHubWorld
) -> None:
    world.add_hook(APP, "http://elsewhere.test/hook", secret="theirs")
    await answered(server, 500)
    assert await tracker(server, http=http).send_again(url=URL) == 0
    assert not writes(server)
    asked = len(server.requests)
    assert await tracker(server, http=http, webhook_secret=None).send_again(url=URL) == 0
    assert len(server.requests) == asked

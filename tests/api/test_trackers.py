"""Trackers: connected only where they work, read when asked, and their webhooks on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support import story
from tests.support.circle import Circle, circle
from tests.support.github_app import PERMISSIONS, add_app, key_pair
from tests.support.github_server import Fault
from tests.support.github_world import Delivery, Token
from tests.support.jira_server import EMAIL, SITE, Edition, JiraServer, JiraWorld
from tests.support.jira_server import TOKEN as JIRA_TOKEN
from tests.support.outsides import APP, GITHUB, HOOK_SECRET, Outsides, github_tracker, jira_tracker

TOKENS = ("token-brand", "token-dead", HOOK_SECRET)


async def test_a_connected_tracker_is_shown_without_its_secrets(connected: Circle) -> None:
    made = await connected.post("/api/v1/trackers", github_tracker(), status=201)

    assert made["hook_url"] == f"http://fullcircle.test/hooks/trackers/{made['id']}"
    assert (made["kind"], made["name"], made["ok"], made["why"]) == ("github", APP, True, "")
    assert made["settings"]["shipped_when"] == "release", "the default"
    assert made["settings"]["tag_pattern"] == "*"
    assert made["visible_to_public"] is True
    assert await connected.get(f"/api/v1/trackers/{made['id']}") == made
    assert (await connected.get("/api/v1/trackers"))["items"] == [made]
    assert not any(secret in str(made) for secret in TOKENS)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"kind": "pile of paper"}, {"/kind"}),
        ({"settings": {"api_url": GITHUB}}, {"/settings/repository"}),
        ({"settings": {"api_url": GITHUB, "repository": "acme"}}, {"/settings/repository"}),
        ({"settings": {"api_url": "ftp://x", "repository": APP}}, {"/settings/api_url"}),
        ({"settings": {"repository": APP, "shipped_when": "soon"}}, {"/settings/shipped_when"}),
        ({"settings": {"repository": APP, "public_label_pattern": "("}}, {"/settings/public_label_pattern"}),
        ({"secrets": {}}, {"/secrets/token"}),
        ({"settings": {}, "secrets": {}}, {"/settings/repository", "/secrets/token"}),
        ({"mode": "automatic"}, {"/mode"}),
    ],
)
async def test_wrong_fields_are_pointed_at_and_nothing_is_stored(
    connected: Circle, changes: dict[str, Any], where: set[str]
) -> None:
    problem = await connected.post("/api/v1/trackers", {**github_tracker(), **changes}, status=422)
    assert {error["pointer"] for error in problem["errors"]} == where
    assert (await connected.get("/api/v1/trackers"))["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({**github_tracker(), "secrets": {"token": "token-dead"}}, 422, "token"),
        (github_tracker(repository="acme/nothing"), 422, "acme/nothing"),
        (github_tracker(api_url="http://elsewhere.test"), 502, "no connection"),
    ],
    ids=["a dead token", "a repository that does not exist", "a server that does not answer"],
)
async def test_what_cannot_be_reached_is_told_and_not_stored(
    connected: Circle, body: dict[str, Any], status: int, says: str
) -> None:
    problem = await connected.post("/api/v1/trackers", body, status=status)
    assert says in problem["detail"]
    assert not any(secret in str(problem) for secret in TOKENS)
    assert (await connected.get("/api/v1/trackers"))["items"] == []


async def test_an_app_is_connected_by_its_key_and_a_wrong_key_is_pointed_at(
    connected: Circle, outside: Outsides
) -> None:
    app = add_app(outside.world, APP)
    body = {**github_tracker(app_id=str(app.id)), "secrets": {"private_key": key_pair()[0]}}
    for key in ("no key", key_pair("another")[0]):
        wrong = {**body, "secrets": {"private_key": key}}
        problem = await connected.post("/api/v1/trackers", wrong, status=422)
        assert [error["pointer"] for error in problem["errors"]] == ["/secrets/private_key"]
    wrong = {**body, "settings": {**body["settings"], "app_id": "999999"}}
    problem = await connected.post("/api/v1/trackers", wrong, status=422)
    assert [error["pointer"] for error in problem["errors"]] == ["/settings/app_id"]
    assert (await connected.get("/api/v1/trackers"))["items"] == []

    made = await connected.post("/api/v1/trackers", body, status=201)
    assert "PRIVATE KEY" not in str(made)
    assert await connected.post("/api/v1/trackers/1/pull") == {"issues": 0}
    health = await connected.get("/api/v1/trackers/1/health")
    assert health["ok"]
    assert "issues: write" in health["scopes"]


async def test_a_process_asks_for_one_token_and_a_new_key_meets_no_old_one(
    connected: Circle, outside: Outsides
) -> None:
    app = add_app(outside.world, APP)
    body = {**github_tracker(app_id=str(app.id)), "secrets": {"private_key": key_pair()[0]}}
    await connected.post("/api/v1/trackers", body, status=201)
    made = app.tokens_made
    for _ in range(3):
        await connected.post("/api/v1/trackers/1/pull")
    assert app.tokens_made == made + 1
    other = {"secrets": {"private_key": key_pair("another")[0]}}
    await connected.call("PATCH", "/api/v1/trackers/1", other, status=422)
    app.public_key = key_pair("another")[1]
    await connected.call("PATCH", "/api/v1/trackers/1", other)
    made = app.tokens_made
    await connected.post("/api/v1/trackers/1/pull")
    assert app.tokens_made == made + 1


async def test_settings_are_merged_and_another_project_is_another_tracker(connected: Circle, outside: Outsides) -> None:
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    changed = await connected.call("PATCH", "/api/v1/trackers/1", {"settings": {"tag_pattern": "v*"}, "name": "App"})
    assert changed["settings"] == {**github_tracker()["settings"], **changed["settings"], "tag_pattern": "v*"}
    assert changed["name"] == "App"

    outside.world.create_repository("acme/other")
    other = {"settings": {"repository": "acme/other"}}
    problem = await connected.call("PATCH", "/api/v1/trackers/1", other, status=422)
    assert [error["pointer"] for error in problem["errors"]] == ["/settings"]
    assert (await connected.get("/api/v1/trackers/1"))["settings"]["repository"] == APP


async def test_health_says_what_is_wrong_and_reconnecting_mends_it(connected: Circle, outside: Outsides) -> None:
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    health = await connected.get("/api/v1/trackers/1/health")
    assert set(health) == {"ok", "why", "scopes", "expires_at", "quota"}
    assert health["ok"]
    was = outside.world.tokens.pop("token-brand")
    health = await connected.get("/api/v1/trackers/1/health")
    assert (health["ok"], "token-brand" in str(health)) == (False, False)
    problem = await connected.post("/api/v1/trackers/1/pull", status=422)
    assert problem["detail"]

    outside.world.tokens["token-new"] = was
    changed = await connected.call("PATCH", "/api/v1/trackers/1", {"secrets": {"token": "token-new"}})
    assert changed["ok"]
    assert await connected.post("/api/v1/trackers/1/pull") == {"issues": 0}


async def test_a_pull_answers_when_the_facts_are_read_and_the_loops_have_moved(
    connected: Circle, outside: Outsides
) -> None:
    await connected.post("/api/v1/accounts", {"channel": "rehearsal", "name": "Acme", "mode": "approve"}, status=201)
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    world = outside.world
    world.clock.set(connected.clock.moment)
    number = world.open_issue(APP, "Export hangs")
    [post] = await story.complaints(connected, 1)
    loop = await story.tag(connected, post, ref=f"#{number}")
    assert (loop["state"], loop["issue"]["ref"]) == ("linked", f"#{number}")

    sha = world.commit(APP, f"Write the last row\n\nFixes #{number}")
    connected.clock.move(minutes=10)
    assert await connected.post("/api/v1/trackers/1/pull") == {"issues": 1}
    loop = await story.loop_of(connected)
    assert loop["state"] == "fixed"
    assert f"no release contains {sha[:7]}" in loop["why"], "the reason is shown"

    world.release(APP, "v2.4.1")
    assert await connected.post("/api/v1/trackers/1/pull") == {"issues": 1}
    loop = await story.loop_of(connected)
    assert loop["state"] == "shipped"
    [reply] = loop["replies"]
    assert "v2.4.1" in reply["text"]
    assert reply["state"] == "awaiting_approval"
    issue = await connected.get("/api/v1/issues/1")
    assert (issue["state"], issue["outcome"]) == ("closed", "fixed")
    assert [line["kind"] for line in issue["shipment"]["evidence"]] == ["closed", "change", "contained", "release"]
    assert all(set(line) == {"kind", "level", "label", "url", "at"} for line in issue["shipment"]["evidence"])


async def test_a_removed_tracker_leaves_loops_and_says_nothing_more(played: Circle) -> None:
    loop = await story.tagged(played, settle_seconds=600)
    await story.ship(played)
    await played.call("DELETE", "/api/v1/trackers/1", status=204)
    played.clock.move(minutes=20)
    await played.rest()

    assert (await story.loop_of(played, loop["id"]))["id"] == loop["id"]
    assert await story.said(played) == [], "evidence that cannot be read again says nothing"
    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/pull"), ("GET", "/health"), ("GET", "/deliveries")]:
        await played.call(method, f"/api/v1/trackers/1{path}", status=404)


async def test_a_policy_can_be_tried_on_those_who_wait(played: Circle) -> None:
    await story.tagged(played)
    for number, post in enumerate((await story.complaints(played, 2))[-2:], start=2):
        await story.tag(played, post, title=f"Another trouble {number}")
    await played.rest()
    board = story.board(played)
    played.clock.move(minutes=5)
    await board.close(1, outcome="completed", now=played.clock())
    await board.close(2, outcome="not_planned", now=played.clock())

    as_it_is = await played.post("/api/v1/trackers/1/preview", {})
    assert (as_it_is["told"], as_it_is["waiting"], as_it_is["issues_read"], as_it_is["issues_unread"]) == (0, 3, 3, 0)
    before = await played.get("/api/v1/trackers/1"), await played.get("/api/v1/loops")

    tried = await played.post("/api/v1/trackers/1/preview", {"settings": {"shipped_when": "closed"}})
    assert [(one["loop_id"], one["told"]) for one in tried["loops"]] == [(1, True), (2, False), (3, False)]
    why = {one["loop_id"]: one["why"] for one in tried["loops"]}
    assert why[1] == "closed as fixed, which is enough here by the tracker's policy"
    assert "not_planned" in why[2] or "not planned" in why[2]
    assert why[3] == "#3 is still open"
    assert tried["loops"][0]["customer"].startswith("customer")
    assert (await played.get("/api/v1/trackers/1"), await played.get("/api/v1/loops")) == before

    await played.call("POST", "/api/v1/trackers/1/preview", {"settings": {"shipped_when": "soon"}}, status=422)
    await played.call("POST", "/api/v1/trackers/9/preview", {}, status=404)
    assert await story.said(played) == []


async def test_an_issue_that_cannot_be_read_keeps_its_loops_waiting_in_a_preview(
    connected: Circle, outside: Outsides
) -> None:
    await connected.post("/api/v1/accounts", {"channel": "rehearsal", "name": "Acme", "mode": "approve"}, status=201)
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    world = outside.world
    world.clock.set(connected.clock.moment)
    number = world.open_issue(APP, "Export hangs")
    [post] = await story.complaints(connected, 1)
    await story.tag(connected, post, ref=f"#{number}")
    world.close_issue(APP, number)
    asked = {"settings": {"shipped_when": "closed"}}
    assert (await connected.post("/api/v1/trackers/1/preview", asked))["told"] == 1
    was = world.tokens.pop("token-brand")
    [foreseen] = (await connected.post("/api/v1/trackers/1/preview", asked))["loops"]
    assert not foreseen["told"]
    assert foreseen["why"].startswith("it could not be read: ")
    world.tokens["token-brand"] = was
    assert (await connected.get("/api/v1/trackers/1"))["ok"], "a preview says nothing of the connection"


async def duplicates(connected: Circle, outside: Outsides) -> tuple[int, int]:
    """Two issues of one trouble; a customer waits for the first of them."""
    await connected.post("/api/v1/accounts", {"channel": "rehearsal", "name": "Acme", "mode": "approve"}, status=201)
    await connected.post("/api/v1/trackers", github_tracker(settle_seconds=0), status=201)
    world = outside.world
    world.clock.set(connected.clock.moment)
    first, original = world.open_issue(APP, "Export hangs"), world.open_issue(APP, "Export stops at 99 %")
    [post] = await story.complaints(connected, 1)
    await story.tag(connected, post, ref=f"#{first}")
    return first, original


async def test_who_waits_for_a_duplicate_waits_for_its_original(connected: Circle, outside: Outsides) -> None:
    first, original = await duplicates(connected, outside)
    world = outside.world
    connected.clock.move(minutes=5)
    world.clock.set(connected.clock.moment)
    world.mark_duplicate(APP, first, of=original)
    await connected.post("/api/v1/trackers/1/pull")
    await connected.rest()
    loop = await story.loop_of(connected)
    assert (loop["state"], loop["issue"]["ref"], loop["needs_person"]) == ("linked", f"#{original}", "")
    assert any(f"#{first} is a duplicate" in line["why"] for line in loop["history"])

    world.commit(APP, f"Write the last row\n\nFixes #{original}")
    world.release(APP, "v2.4.1")
    connected.clock.move(minutes=5)
    await connected.post("/api/v1/trackers/1/pull")
    loop = await story.loop_of(connected)
    assert loop["state"] == "shipped"
    assert len(loop["replies"]) == 1


async def test_issues_that_are_called_duplicates_of_each_other_go_to_a_person(
    connected: Circle, outside: Outsides
) -> None:
    first, original = await duplicates(connected, outside)
    world = outside.world
    world.mark_duplicate(APP, first, of=original)
    world.mark_duplicate(APP, original, of=first)
    for _ in range(3):
        connected.clock.move(minutes=5)
        await connected.post("/api/v1/trackers/1/pull")
        await connected.rest()
    loop = await story.loop_of(connected)
    assert loop["issue"]["ref"] == f"#{original}"
    assert "duplicates of each other" in loop["needs_person"]


async def test_a_duplicate_of_what_this_tracker_cannot_read_goes_to_a_person(
    connected: Circle, outside: Outsides
) -> None:
    first, _ = await duplicates(connected, outside)
    world = outside.world
    world.create_repository("acme/other")
    elsewhere = world.open_issue("acme/other", "The same there")
    world.mark_duplicate(APP, first, of=elsewhere, of_repository="acme/other")
    connected.clock.move(minutes=5)
    await connected.post("/api/v1/trackers/1/pull")
    loop = await story.loop_of(connected)
    assert (loop["state"], loop["issue"]["ref"]) == ("linked", f"#{first}")
    assert "duplicate of acme/other#1" in loop["needs_person"]


# --- its webhook


async def _deliver(connected: Circle, outside: Outsides, *, lost: bool = False) -> list[int]:
    """Bring the waiting webhook calls to our door, or lose them on the way; returns what was answered."""
    answered: list[int] = []

    async def post(delivery: Delivery) -> int:
        if lost:
            return 0
        path = delivery.hook.url.removeprefix("http://fullcircle.test")
        answer = await connected.api.post(path, content=delivery.body, headers=delivery.headers)
        answered.append(answer.status_code)
        return answer.status_code

    await outside.github.deliver(post)
    return answered


async def test_a_webhook_is_set_up_once_with_a_secret_that_nobody_sees(connected: Circle, outside: Outsides) -> None:
    body = {**github_tracker(), "secrets": {"token": "token-brand"}}
    made = await connected.post("/api/v1/trackers", body, status=201)
    said = [await connected.post("/api/v1/trackers/1/hook") for _ in range(2)]
    [hook] = outside.world.repository(APP).hooks.values()
    assert hook.url == made["hook_url"]
    assert len(hook.secret) >= 32
    assert hook.secret not in str(said)
    assert await _deliver(connected, outside) == [202]
    [call] = (await connected.get("/api/v1/trackers/1/deliveries"))["items"]
    assert call["event"] == "ping"

    await connected.call("PATCH", "/api/v1/trackers/1", {"secrets": {"webhook_secret": HOOK_SECRET}})
    await connected.post("/api/v1/trackers/1/hook")
    assert [hook.secret for hook in outside.world.repository(APP).hooks.values()] == [HOOK_SECRET]


async def test_a_webhook_that_may_not_be_set_up_names_the_permission(connected: Circle, outside: Outsides) -> None:
    outside.world.tokens["token-narrow"] = Token("reader", permissions=dict(PERMISSIONS))
    body = {**github_tracker(), "secrets": {"token": "token-narrow"}}
    await connected.post("/api/v1/trackers", body, status=201)
    problem = await connected.post("/api/v1/trackers/1/hook", status=422)
    assert "The token needs Webhooks: read" in problem["detail"]
    assert (await connected.get("/api/v1/trackers/1"))["ok"], "it works all the same"
    await connected.post("/api/v1/trackers", {"kind": "rehearsal", "name": "Board"}, status=201)
    problem = await connected.post("/api/v1/trackers/2/hook", status=409)
    assert "cannot be set up from here" in problem["detail"]
    await connected.post("/api/v1/trackers/9/hook", status=404)


async def test_a_poll_asks_for_the_calls_that_were_lost_and_they_are_taken_in_once(
    connected: Circle, outside: Outsides
) -> None:
    outside.world.clock.set(connected.clock.moment)
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    await connected.post("/api/v1/trackers/1/hook")
    outside.world.open_issue(APP, "Export hangs")
    await _deliver(connected, outside, lost=True)
    assert await connected.post("/api/v1/trackers/1/pull") == {"issues": 0}
    assert await _deliver(connected, outside) == [202, 202]
    calls = (await connected.get("/api/v1/trackers/1/deliveries"))["items"]
    assert sorted(call["event"] for call in calls) == ["issues.opened", "ping"]
    await connected.post("/api/v1/trackers/1/pull")
    assert await _deliver(connected, outside) == []


@pytest.mark.parametrize("effect", ["403", "404", "500", "html"])
async def test_a_poll_does_not_fail_because_lost_calls_cannot_be_asked_for(
    connected: Circle, outside: Outsides, effect: str
) -> None:
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    outside.github.faults.append(Fault(effect, path="/hooks", count=9))
    assert await connected.post("/api/v1/trackers/1/pull") == {"issues": 0}
    assert (await connected.get("/api/v1/trackers/1"))["ok"]


async def test_the_code_of_a_project_is_a_connected_repository_or_refused_at_its_field(
    connected: Circle, outside: Outsides
) -> None:
    rehearsal = {"kind": "rehearsal", "name": "Board"}
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    await connected.post("/api/v1/trackers", rehearsal, status=201)
    for number, why in ((3, "is not connected"), ("x", "is not connected"), (2, "Board holds no code")):
        problem = await connected.post("/api/v1/trackers", jira_tracker(code_tracker=number), status=422)
        assert [error["pointer"] for error in problem["errors"]] == ["/settings/code_tracker"]
        assert why in problem["errors"][0]["message"]
    problem = await connected.post("/api/v1/trackers", jira_tracker(shipped_when="production"), status=422)
    assert [error["pointer"] for error in problem["errors"]] == ["/settings/shipped_when"]

    made = await connected.post("/api/v1/trackers", jira_tracker(code_tracker=1, shipped_when="production"), status=201)
    assert made["settings"]["code_tracker"] == "1"
    here = f"/api/v1/trackers/{made['id']}"
    for settings, where in (
        ({"code_tracker": str(made["id"])}, "/settings/code_tracker"),
        ({"code_tracker": ""}, "/settings/shipped_when"),
    ):
        for method, path in (("PATCH", here), ("POST", f"{here}/preview")):
            problem = await connected.call(method, path, {"settings": settings}, status=422)
            assert [error["pointer"] for error in problem["errors"]] == [where]
    changed = {"settings": {"code_tracker": "", "shipped_when": "release"}}
    assert (await connected.call("PATCH", here, changed))["settings"]["code_tracker"] == ""


async def test_the_platforms_of_the_code_are_asked_for_where_its_issues_are(
    connected: Circle, outside: Outsides
) -> None:
    await connected.post("/api/v1/trackers", github_tracker(platforms="iOS: ios-*\nAndroid: android-*"), status=201)
    problem = await connected.post("/api/v1/trackers", jira_tracker(code_tracker=1), status=422)
    assert [error["pointer"] for error in problem["errors"]] == ["/settings/code_tracker"]
    assert "enter them here, too" in problem["errors"][0]["message"]
    await connected.post("/api/v1/trackers", jira_tracker(code_tracker=1, platforms="iOS: ios-*"), status=201)


@pytest.fixture(params=["cloud", "data_center"])
def jira(request: pytest.FixtureRequest) -> JiraServer:
    edition: Edition = request.param
    return JiraServer(JiraWorld(), edition=edition)


@pytest.fixture
async def at_jira(database_url: str, jira: JiraServer) -> AsyncIterator[Circle]:
    async with circle(database_url, make_http=jira.client) as made:
        yield made


def at_site(jira: JiraServer, **settings: Any) -> dict[str, Any]:
    email = {"email": EMAIL} if jira.edition == "cloud" else {}
    return {
        "kind": "jira",
        "settings": {"base_url": SITE, "edition": jira.edition, "project": "ACME", **settings},
        "secrets": {"token": JIRA_TOKEN, **email},
    }


async def test_a_sites_own_names_are_offered_before_and_after_connecting(at_jira: Circle, jira: JiraServer) -> None:
    offered = (await at_jira.post("/api/v1/trackers/choices", at_site(jira)))["choices"]
    assert {"value": "Erledigt", "title": "Erledigt", "suggested": True} in offered["fixed_resolutions"]
    assert [one["value"] for one in offered["issue_type"]] == ["Bug", "Story"]
    assert [one["value"] for one in offered["done_statuses"]] == ["Done", "Closed", "Cancelled"]
    assert (await at_jira.get("/api/v1/trackers"))["items"] == []

    await at_jira.post("/api/v1/trackers", {"name": "ACME", **at_site(jira)}, status=201)
    jira.world.resolutions[10_100] = "Launched"
    later = (await at_jira.get("/api/v1/trackers/1/choices"))["choices"]
    assert later["fixed_resolutions"][-1]["value"] == "Launched"
    await at_jira.call("GET", "/api/v1/trackers/2/choices", status=404)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"secrets": {"token": "a-dead-token", "email": EMAIL}}, "/secrets/token"),
        ({"secrets": {}}, "/secrets/token"),
        ({"settings": {"base_url": SITE}}, "/settings/project"),
        ({"kind": "pile of paper"}, "/kind"),
    ],
)
async def test_asking_for_names_points_at_the_wrong_field(
    at_jira: Circle, jira: JiraServer, change: dict[str, Any], where: str
) -> None:
    problem = await at_jira.post("/api/v1/trackers/choices", {**at_site(jira), **change}, status=422)
    assert [error["pointer"] for error in problem["errors"]] == [where]
    assert "a-dead-token" not in str(problem)


async def test_a_dead_token_of_a_connected_tracker_is_told_when_asking_for_names(
    at_jira: Circle, jira: JiraServer
) -> None:
    await at_jira.post("/api/v1/trackers", {"name": "ACME", **at_site(jira)}, status=201)
    jira.trouble = [lambda _request: httpx.Response(401, json={})]
    problem = await at_jira.call("GET", "/api/v1/trackers/1/choices", status=422)
    assert [error["pointer"] for error in problem["errors"]] == ["/secrets/token"]


async def test_a_name_that_the_site_does_not_have_is_pointed_at(at_jira: Circle, jira: JiraServer) -> None:
    body = {"name": "ACME", **at_site(jira, fixed_resolutions=["Done", "Fixd"])}
    problem = await at_jira.post("/api/v1/trackers", body, status=422)
    assert [error["pointer"] for error in problem["errors"]] == ["/settings/fixed_resolutions"]
    assert "ACME has no resolution 'Fixd'; it has Done, Fixed," in problem["detail"]
    assert (await at_jira.get("/api/v1/trackers"))["items"] == []


async def test_a_tracker_without_such_names_offers_none(connected: Circle) -> None:
    body = {"kind": "github", "settings": github_tracker()["settings"], "secrets": github_tracker()["secrets"]}
    assert await connected.post("/api/v1/trackers/choices", body) == {"choices": {}}


async def test_jiras_webhook_is_set_up_once_with_a_secret_made_here(at_jira: Circle, jira: JiraServer) -> None:
    await at_jira.post("/api/v1/trackers", {"name": "ACME", **at_site(jira)}, status=201)
    problem = await at_jira.post("/api/v1/trackers/1/hook", status=422)
    assert "lacks Administer Jira" in problem["detail"]
    jira.world.granted.add("ADMINISTER")
    for _ in range(2):
        await at_jira.post("/api/v1/trackers/1/hook")
    [hook] = jira.world.hooks.values()
    assert hook["url"] == "http://fullcircle.test/hooks/trackers/1"
    assert await at_jira.post("/api/v1/trackers/1/pull") == {"issues": 0}, "no lost calls are asked for"

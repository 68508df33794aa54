"""Jira, Cloud and Data Center: what people do there, and what Fullcircle makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ports import BadSignatureError, Choosing, Hooked, OutsideError
from app.rules.shipping import Policy, judge
from app.trackers.jira import Jira, JiraSettings, as_adf, as_wiki, parse_markdown
from tests.support.jira_server import (
    BOT,
    WEBHOOK_SECRET,
    Edition,
    JiraServer,
    JiraWorld,
    connection,
    signed,
    tracker,
)

EDITIONS: tuple[Edition, ...] = ("cloud", "data_center")
each_edition = pytest.mark.parametrize("edition", EDITIONS)

BLOCK = "### {} customers wait for this\n\nOn Mastodon, since 3 May 2026.\n\n<!-- fullcircle:issue-7 -->"


@pytest.fixture
def world() -> JiraWorld:
    return JiraWorld()


# --- histories: what people did, and the verdict that the documented rules demand


@dataclass(frozen=True)
class History:
    """Something that happened to an issue. `does` gets the world and the issue's key."""

    name: str
    does: Callable[[JiraWorld, str], object]
    verdict: str
    why: str
    policy: Policy = field(default_factory=Policy)
    settings: dict[str, Any] = field(default_factory=dict)


def fixed_in(world: JiraWorld, key: str, name: str = "2.4.1", *, released: bool = True, date: str | None = None) -> int:
    version = world.create_version(name, date=date)
    world.set_versions(key, version)
    world.close(key)
    if released:
        world.release(version)
    return version


def two_versions(world: JiraWorld, key: str) -> tuple[int, int]:
    first, second = world.create_version("2.4.1"), world.create_version("2.5.0")
    world.set_versions(key, first, second)
    world.close(key)
    return first, second


def no_resolutions(world: JiraWorld) -> None:
    world.has_resolutions = False


HISTORIES = [
    History("nothing happened", lambda _w, _k: None, "NotYet", "ACME-1 is still open"),
    History("closed, its version not released", lambda w, k: fixed_in(w, k, released=False), "NotYet", "closed as Fixed, but 2.4.1 is not released yet"),
    History("closed, its version released", fixed_in, "Shipped", "2.4.1 is released"),
    History("closed without a version", lambda w, k: w.close(k), "NotYet", "closed as Fixed, but ACME-1 has no fix version"),
    History("resolved as Done", lambda w, k: (fixed_in(w, k), w.close(k, "Done")), "Shipped", "2.4.1 is released"),
    History("released before it was closed", lambda w, k: (w.set_versions(k, v := w.create_version("2.4.1")), w.release(v), w.close(k)), "Shipped", "2.4.1 is released"),
    History("released, and the issue still in work", lambda w, k: (w.set_versions(k, v := w.create_version("2.4.1")), w.release(v), w.move_to(k, "In Progress")), "NotYet", "ACME-1 is still open"),
    History("two versions, one released", lambda w, k: w.release(two_versions(w, k)[0]), "NotYet", "closed as Fixed, but 2.5.0 is not released yet"),
    History("two versions, one released and one enough", lambda w, k: w.release(two_versions(w, k)[0]), "Shipped", "2.4.1 is released", Policy(versions="any")),
    History("two versions, the second released and one enough", lambda w, k: w.release(two_versions(w, k)[1]), "Shipped", "2.5.0 is released", Policy(versions="any")),
    History("two versions, both released", lambda w, k: [w.release(v) for v in two_versions(w, k)], "Shipped", "2.4.1, 2.5.0 are released"),
    History("two versions, none released and one enough", two_versions, "NotYet", "closed as Fixed, but 2.4.1, 2.5.0 are not released yet", Policy(versions="any")),
    History("unreleased again", lambda w, k: w.unrelease(fixed_in(w, k)), "NotYet", "closed as Fixed, but 2.4.1 is not released yet"),
    History("its version deleted", lambda w, k: w.delete_version(fixed_in(w, k)), "NotYet", "closed as Fixed, but ACME-1 has no fix version"),
    History("its version merged into an unreleased one", lambda w, k: w.merge_version(fixed_in(w, k), into=w.create_version("3.0")), "NotYet", "closed as Fixed, but 3.0 is not released yet"),
    History("its version merged into a released one", lambda w, k: (v := fixed_in(w, k, released=False), w.release(o := w.create_version("3.0")), w.merge_version(v, into=o)), "Shipped", "3.0 is released"),
    History("its version taken off", lambda w, k: (fixed_in(w, k), w.set_versions(k)), "NotYet", "closed as Fixed, but ACME-1 has no fix version"),
    History("put off to the next version", lambda w, k: (fixed_in(w, k, released=False), w.set_versions(k, w.create_version("2.5.0"))), "NotYet", "closed as Fixed, but 2.5.0 is not released yet"),
    History("only archived", lambda w, k: w.archive(fixed_in(w, k, released=False)), "NotYet", "closed as Fixed, but 2.4.1 is not released yet (archived)"),
    History("released and archived", lambda w, k: w.archive(fixed_in(w, k)), "Shipped", "2.4.1 is released"),
    History("only a release date in the past", lambda w, k: fixed_in(w, k, released=False, date="2026-01-01"), "NotYet", "closed as Fixed, but 2.4.1 is not released yet"),
    History("released before its date", lambda w, k: w.release(fixed_in(w, k, released=False), date="2027-01-01"), "Shipped", "2.4.1 is released"),
    History("its version called something else", lambda w, k: w.rename(fixed_in(w, k), "2.4.2"), "Shipped", "2.4.2 is released"),
    History("a version of another product", lambda w, k: fixed_in(w, k, "server-9"), "NotYet", "closed as Fixed, but server-9 does not match app-*", Policy(tag_pattern="app-*")),
    History("reopened", lambda w, k: (fixed_in(w, k), w.reopen(k)), "NotYet", "ACME-1 is reopened"),
    History("reopened and closed again", lambda w, k: (fixed_in(w, k), w.reopen(k), w.close(k)), "Shipped", "2.4.1 is released"),
    History("in work, with a resolution left on it", lambda w, k: (fixed_in(w, k), w.move_to(k, "In Progress", resolution="Fixed")), "NotYet", "ACME-1 is still open"),
    History("closed as Won't Do", lambda w, k: (fixed_in(w, k), w.close(k, "Won't Do")), "NotFixed", "closed as Won't Do"),
    History("closed as Cannot Reproduce", lambda w, k: (fixed_in(w, k), w.close(k, "Cannot Reproduce")), "NotFixed", "closed as Cannot Reproduce"),
    History("closed as designed", lambda w, k: (fixed_in(w, k), w.close(k, "As Designed")), "NotFixed", "closed as As Designed"),
    History("closed with a workaround", lambda w, k: (fixed_in(w, k), w.close(k, "Workaround")), "NotFixed", "closed as Workaround"),
    History("closed as a duplicate, linked", lambda w, k: (fixed_in(w, k), w.link_duplicate(k, of=w.create_issue("First")), w.close(k, "Duplicate")), "NotFixed", "closed as a duplicate of ACME-2: that ships nothing by itself"),
    History("closed as a duplicate, not linked", lambda w, k: (fixed_in(w, k), w.close(k, "Duplicate")), "NotFixed", "closed as a duplicate: that ships nothing by itself"),
    History("another one is its duplicate", lambda w, k: (fixed_in(w, k), w.link_duplicate(w.create_issue("Again"), of=k)), "Shipped", "2.4.1 is released"),
    History("closed in words that nobody mapped", lambda w, k: (fixed_in(w, k), w.close(k, "Erledigt")), "NotFixed", "closed, and the tracker does not say whether it is fixed"),
    History("closed in words that somebody mapped", lambda w, k: (fixed_in(w, k), w.close(k, "Erledigt")), "Shipped", "2.4.1 is released", settings={"fixed_resolutions": "erledigt"}),
    History("no resolutions, no status mapped", lambda w, k: (no_resolutions(w), fixed_in(w, k)), "NotFixed", "closed, and the tracker does not say whether it is fixed"),
    History("no resolutions, its status mapped", lambda w, k: (no_resolutions(w), fixed_in(w, k)), "Shipped", "2.4.1 is released", settings={"done_statuses": "Done, Closed"}),
    History("no resolutions, cancelled", lambda w, k: (no_resolutions(w), fixed_in(w, k), w.move_to(k, "Cancelled")), "NotFixed", "closed, and the tracker does not say whether it is fixed", settings={"done_statuses": "Done"}),
    History("moved: the versions of the old project are lost", lambda w, k: (fixed_in(w, k), w.move_project(k, "CORE")), "NotYet", "closed as Fixed, but CORE-1 has no fix version"),
    History("moved, and released in the other project", lambda w, k: (n := w.move_project(k, "CORE"), w.set_versions(n, v := w.create_version("7.0", project="CORE")), w.close(n), w.release(v)), "Shipped", "7.0 is released"),
    History("deleted", lambda w, k: (fixed_in(w, k), w.delete_issue(k)), "Gone", ""),
    History("hidden by a security level", lambda w, k: (fixed_in(w, k), setattr(w.issue(k), "hidden", True)), "Gone", ""),
    History("moved to a project that may not be browsed", lambda w, k: (w.move_project(k, "CORE"), setattr(w.projects["CORE"], "browsable", False)), "Gone", ""),
    History("closing is enough", lambda w, k: w.close(k), "Shipped", "closed as fixed, which is enough here by the tracker's policy", Policy(shipped_when="closed")),
    History("closing is enough, and it is declined", lambda w, k: w.close(k, "Won't Do"), "NotFixed", "closed as Won't Do", Policy(shipped_when="closed")),
]  # fmt: skip


@each_edition
@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)
async def test_a_history_is_judged_as_the_rules_say(world: JiraWorld, history: History, edition: Edition) -> None:
    key = world.create_issue()
    number = str(world.issue(key).id)
    history.does(world, key)
    reading = await tracker(JiraServer(world, edition=edition), **history.settings).read(number, ref=key)
    verdict = judge(reading, history.policy)
    assert type(verdict).__name__ == history.verdict, verdict.why
    assert verdict.why == (history.why or verdict.why)
    assert not reading.facts.visible_to_public


OPERATIONS = st.lists(
    st.sampled_from(["close", "decline", "reopen", "work", "set one", "set both", "set none", "release one"])
    | st.sampled_from(["release two", "unrelease one", "archive two", "delete one", "comment", "merge", "again"]),
    max_size=14,
)


class _Life:
    """One issue and two versions, under random operations."""

    def __init__(self) -> None:
        self.world = JiraWorld()
        self.key = self.world.create_issue()
        self.versions = [self.world.create_version("2.4.1"), self.world.create_version("2.5.0")]

    def do(self, operation: str) -> None:
        world, key = self.world, self.key
        one, two = self.versions
        has_one = one in world.versions
        match operation:
            case "close" | "again":
                world.close(key)
            case "decline":
                world.close(key, "Won't Do")
            case "reopen":
                world.reopen(key)
            case "work":
                world.move_to(key, "In Progress")
            case "set one" if has_one:
                world.set_versions(key, one)
            case "set both" if has_one:
                world.set_versions(key, one, two)
            case "set none":
                world.set_versions(key)
            case "release one" if has_one:
                world.release(one)
            case "release two":
                world.release(two)
            case "unrelease one" if has_one:
                world.unrelease(one)
            case "archive two":
                world.archive(two)
            case "delete one" if has_one:
                world.delete_version(one)
            case "merge" if has_one:
                world.merge_version(one, into=two)
            case "comment":
                world.comment(key)

    def has_shipped(self) -> bool:
        """What a person would say who sees the issue's page."""
        issue = self.world.issue(self.key)
        flags = [self.world.versions[version].released for version in issue.versions]
        return issue.status == "Done" and issue.resolution == "Fixed" and bool(flags) and all(flags)


@given(operations=OPERATIONS, edition=st.sampled_from(EDITIONS))
async def test_shipped_is_said_exactly_while_a_person_would_say_it(operations: list[str], edition: Edition) -> None:
    life = _Life()
    watching = tracker(JiraServer(life.world, edition=edition))
    number = str(life.world.issue(life.key).id)
    for operation in operations:
        life.do(operation)
        verdict = judge(await watching.read(number, ref=life.key), Policy())
        assert (type(verdict).__name__ == "Shipped") == life.has_shipped(), (operation, verdict)


@given(before=OPERATIONS, after=OPERATIONS, edition=st.sampled_from(EDITIONS), page=st.integers(1, 3))
async def test_whatever_changes_a_verdict_is_found_by_the_next_poll(
    before: list[str], after: list[str], edition: Edition, page: int
) -> None:
    life = _Life()
    for _ in range(3):
        life.world.create_issue("Another")
    watching = tracker(JiraServer(life.world, edition=edition, page=page))
    number = str(life.world.issue(life.key).id)
    for operation in before:
        life.do(operation)
    pages = [page async for page in watching.pull(cursor=None, since=life.world.now() - timedelta(days=1))]
    life.world.time += timedelta(hours=1)
    had = life.has_shipped()
    for operation in after:
        life.do(operation)
    found = [i async for p in watching.pull(cursor=pages[-1].cursor, since=life.world.now()) for i in p.issues]
    # A version that is deleted or merged away changes no stamp of its issues: the poll's own look at all that is
    # watched finds those (app/steps/hear_tracker.py).
    is_taken_away = {"delete one", "merge"} & set(after)
    assert had == life.has_shipped() or number in found or is_taken_away


# --- connecting


@each_edition
async def test_connects_and_learns_who_and_where_we_are(world: JiraWorld, edition: Edition) -> None:
    project = await tracker(JiraServer(world, edition=edition)).connect()
    assert (project.name, project.visible_to_public) == ("Project ACME (ACME)", False)
    assert project.facts["account"] == BOT[edition]


@each_edition
async def test_names_the_permissions_that_are_missing_and_where_to_grant_them(
    world: JiraWorld, edition: Edition
) -> None:
    world.granted -= {"LINK_ISSUES", "ADD_COMMENTS"}
    with pytest.raises(OutsideError) as refused:
        await tracker(JiraServer(world, edition=edition)).connect()
    assert refused.value.kind == "forbidden"
    assert "lacks Link Issues, Add Comments in ACME" in refused.value.message
    assert "Project settings > Permissions" in refused.value.message


@each_edition
@pytest.mark.parametrize(
    ("change", "kind", "words", "blamed"),
    [
        ({"token": "another"}, "auth_broken", "refuses the token", "secrets.token"),
        ({"issue_type": "Defect"}, "misconfigured", "it has Bug, Story", "settings.issue_type"),
    ],
)
async def test_says_what_is_wrong_with_a_connection(
    world: JiraWorld, edition: Edition, change: dict[str, Any], kind: str, words: str, blamed: str
) -> None:
    with pytest.raises(OutsideError) as refused:
        await tracker(JiraServer(world, edition=edition), **change).connect()
    assert (refused.value.kind, refused.value.field) == (kind, blamed)
    assert words in refused.value.message


@each_edition
async def test_a_project_that_cannot_be_seen_is_the_trackers_error_and_no_issue_is_gone_for_it(
    world: JiraWorld, edition: Edition
) -> None:
    key = world.create_issue()
    number = str(world.issue(key).id)
    world.projects["ACME"].browsable = False
    watching = tracker(JiraServer(world, edition=edition))
    for call in (watching.connect(), watching.read(number, ref=key)):
        with pytest.raises(OutsideError) as refused:
            await call
        assert refused.value.kind == "misconfigured"
        assert "Browse Projects" in refused.value.message


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://acme.atlassian.net/", "https://acme.atlassian.net"),
        ("https://acme.atlassian.net/jira/software/projects/ACME/boards/1", "https://acme.atlassian.net"),
        ("https://acme.atlassian.net/browse/ACME-12", "https://acme.atlassian.net"),
        ("https://acme.atlassian.net/jira", "https://acme.atlassian.net"),
        ("https://tools.acme.example/jira", "https://tools.acme.example/jira"),
        ("https://tools.acme.example/jira/browse/ACME-12", "https://tools.acme.example/jira"),
        ("https://tools.acme.example/jira/projects/ACME", "https://tools.acme.example/jira"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_takes_the_address_that_people_have_before_them(typed: str, kept: str) -> None:
    assert JiraSettings.model_validate({"base_url": typed, "project": "acme"}).base_url == kept


def test_takes_lists_as_lists_too() -> None:
    settings = JiraSettings.model_validate(
        {"base_url": "https://j.example", "project": "ACME", "fixed_resolutions": ["Behoben", "Fertig"]}
    )
    assert settings.fixed_resolutions == "Behoben, Fertig"


@each_edition
@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (403, "AUTHENTICATION_DENIED", "a CAPTCHA"),
        (200, "AUTHENTICATED_FAILED", "refuses the token"),
        (404, "AUTHENTICATED_FAILED", "refuses the token"),
    ],
)
async def test_a_sign_in_that_jira_did_not_take_is_the_tokens_fault(
    world: JiraWorld, edition: Edition, status: int, reason: str, words: str
) -> None:
    server = JiraServer(world, edition=edition)
    server.trouble = [lambda _request: httpx.Response(status, headers={"X-Seraph-LoginReason": reason}, json={})]
    with pytest.raises(OutsideError) as refused:
        await tracker(server).find("ACME-1")
    assert refused.value.kind == "auth_broken"
    assert words in refused.value.message


# --- naming


@each_edition
async def test_finds_an_issue_by_key_old_address_and_id(world: JiraWorld, edition: Edition) -> None:
    key = world.create_issue()
    watching = tracker(JiraServer(world, edition=edition))
    found = await watching.find(key.lower())
    assert found == await watching.find(found.remote_id) == await watching.find(found.url)
    assert found == await watching.find(f"https://jira.test/projects/ACME/issues/{key}?filter=1")
    assert found == await watching.find(f"https://jira.test/secure/RapidBoard.jspa?rapidView=1&selectedIssue={key}")


@pytest.mark.parametrize(
    "words", ["", "the export bug", "ACME-0", "ACME", "https://jira.test/projects/ACME", "https://[", "0", "ACME-1; x"]
)
async def test_words_that_name_no_issue_ask_nothing(world: JiraWorld, words: str) -> None:
    server = JiraServer(world)
    with pytest.raises(OutsideError) as refused:
        await tracker(server).find(words)
    assert refused.value.kind == "invalid"
    assert not server.asked


# --- writing once


def lose(server: JiraServer, method: str, end: str) -> None:
    """Lose the answer to the next such call, and no other."""

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.method == method and request.url.path.endswith(end):
            server._work(request)
            raise httpx.ReadTimeout("lost", request=request)
        return server._work_after(request, answer)

    server.trouble.append(answer)


def answer_once(server: JiraServer, part: str, status: int, **options: Any) -> None:
    """Answer the next call below this path so, and no other."""

    def answer(request: httpx.Request) -> httpx.Response:
        if part in request.url.path:
            return httpx.Response(status, **{"json": {"errorMessages": ["No"]}, **options})
        return server._work_after(request, answer)

    server.trouble.append(answer)


@each_edition
async def test_an_issue_whose_answer_was_lost_is_found_by_its_marker(world: JiraWorld, edition: Edition) -> None:
    server = JiraServer(world, edition=edition, page=1)
    watching, began = tracker(server), world.now()
    lose(server, "POST", "/issue")
    with pytest.raises(OutsideError) as lost:
        await watching.create(title="Export\nloses tables", body="As reported.", marker="issue-7")
    assert (lost.value.kind, lost.value.in_flight) == ("unknown", True)
    await watching.create(title="Another", body="As reported.", marker="issue-8")
    world.create_issue("By somebody else")
    found = await watching.find_created(marker="issue-7", since=began)
    assert found is not None
    assert (found.ref, found.title) == ("ACME-1", "Export loses tables")
    assert await watching.find_created(marker="issue-9", since=began) is None


@each_edition
async def test_a_marker_on_somebody_elses_issue_is_not_believed(world: JiraWorld, edition: Edition) -> None:
    watching, began = tracker(JiraServer(world, edition=edition)), world.now()
    made = await watching.create(title="Ours", body="As reported.", marker="issue-7")
    copy = world.issue(world.create_issue("A clone"))
    copy.description, copy.properties = world.issue(made.ref).description, world.issue(made.ref).properties
    world.delete_issue(made.ref)
    assert await watching.find_created(marker="issue-7", since=began) is None


@each_edition
async def test_a_made_issue_is_older_than_any_reading_of_it(world: JiraWorld, edition: Edition) -> None:
    watching = tracker(JiraServer(world, edition=edition))
    made = await watching.create(title="Ours", body="As reported.", marker="issue-7")
    assert made.updated_at < (await watching.read(made.remote_id, ref=made.ref)).facts.updated_at


@each_edition
async def test_engineers_see_one_link_that_is_changed_in_place(world: JiraWorld, edition: Edition) -> None:
    watching = tracker(JiraServer(world, edition=edition))
    issue = await watching.find(world.create_issue())
    row = world.issue(issue.ref)
    handle = await watching.show(issue, block=BLOCK.format(3), handle=None)
    assert await watching.show(issue, block=BLOCK.format("1,204"), handle=handle) == handle
    (link,) = row.remote_links.values()
    assert link["object"] == {
        "url": "http://fullcircle.test/issues",
        "title": "1,204 customers wait for this",
        "summary": "On Mastodon, since 3 May 2026.",
    }
    assert row.properties["fullcircle.waiting"] == {"waiting": 1204, "text": "1,204 customers wait for this"}
    assert not row.comments


@each_edition
async def test_the_link_of_a_lost_answer_is_taken_up(world: JiraWorld, edition: Edition) -> None:
    server = JiraServer(world, edition=edition)
    watching = tracker(server)
    issue = await watching.find(world.create_issue())
    lose(server, "POST", "/remotelink")
    with pytest.raises(OutsideError):
        await watching.show(issue, block=BLOCK.format(3), handle=None)
    await watching.show(issue, block=BLOCK.format(3), handle=None)
    assert len(world.issue(issue.ref).remote_links) == 1


@each_edition
@pytest.mark.parametrize("end", ["/fullcircle.waiting", "/remotelink"])
async def test_a_failure_half_way_loses_no_link(world: JiraWorld, edition: Edition, end: str) -> None:
    server = JiraServer(world, edition=edition)
    watching = tracker(server)
    issue = await watching.find(world.create_issue())

    def fail(request: httpx.Request) -> httpx.Response | None:
        if request.method in {"PUT", "POST"} and request.url.path.endswith(end):
            return httpx.Response(503)
        return server._work_after(request, fail)

    server.trouble = [fail]
    with pytest.raises(OutsideError) as failed:
        await watching.show(issue, block=BLOCK.format(3), handle=None)
    assert failed.value.kind == "unknown"
    assert not world.issue(issue.ref).remote_links, "nothing was made whose id is lost"
    assert await watching.show(issue, block=BLOCK.format(3), handle=None)


@each_edition
async def test_a_link_that_somebody_removed_is_never_made_again(world: JiraWorld, edition: Edition) -> None:
    watching = tracker(JiraServer(world, edition=edition))
    issue = await watching.find(world.create_issue())
    handle = await watching.show(issue, block=BLOCK.format(3), handle=None)
    world.issue(issue.ref).remote_links.clear()
    with pytest.raises(OutsideError) as removed:
        await watching.show(issue, block=BLOCK.format(4), handle=handle)
    assert removed.value.kind == "gone"
    assert not world.issue(issue.ref).remote_links


@each_edition
async def test_a_link_removed_between_look_and_write_is_taken_away_again(world: JiraWorld, edition: Edition) -> None:
    server = JiraServer(world, edition=edition)
    watching = tracker(server)
    issue = await watching.find(world.create_issue())
    handle = await watching.show(issue, block=BLOCK.format(3), handle=None)

    def remove_first(_request: httpx.Request) -> None:
        world.issue(issue.ref).remote_links.clear()

    server.trouble = [lambda _request: None, remove_first]
    server.trouble[0] = lambda request: server._links(request, _match(request))
    with pytest.raises(OutsideError) as removed:
        await watching.show(issue, block=BLOCK.format(4), handle=handle)
    assert removed.value.kind == "gone"
    assert not world.issue(issue.ref).remote_links


def _match(request: httpx.Request) -> Any:
    return {"name": request.url.path.split("/")[5]}


async def test_an_account_that_may_keep_no_properties_still_shows_who_waits(world: JiraWorld) -> None:
    world.granted -= {"EDIT_ISSUES"}
    watching = tracker(JiraServer(world))
    issue = await watching.find(world.create_issue())
    assert await watching.show(issue, block=BLOCK.format(3), handle=None)


@each_edition
async def test_a_moved_issue_keeps_its_link(world: JiraWorld, edition: Edition) -> None:
    watching = tracker(JiraServer(world, edition=edition))
    issue = await watching.find(world.create_issue())
    handle = await watching.show(issue, block=BLOCK.format(3), handle=None)
    moved = world.move_project(issue.ref, "CORE")
    reading = await watching.read(issue.remote_id, ref=issue.ref)
    assert reading.facts.ref == moved
    assert await watching.show(reading.facts, block=BLOCK.format(4), handle=handle) == handle


@each_edition
async def test_a_comment_is_made_once_and_is_internal(world: JiraWorld, edition: Edition) -> None:
    server = JiraServer(world, edition=edition, page=2)
    watching = tracker(server)
    world.projects["ACME"].kind = "service_desk"
    issue = await watching.find(world.create_issue())
    for _ in range(3):
        world.comment(issue.ref)
    lose(server, "POST", "/comment")
    with pytest.raises(OutsideError):
        await watching.tell(issue, text="Still broken", marker="notice-1")
    again = await watching.tell(issue, text="Still broken", marker="notice-1")
    await watching.tell(issue, text="Still broken", marker="notice-2")
    ours = [comment for comment in world.issue(issue.ref).comments if comment["by"] == BOT[edition]]
    assert str(ours[0]["id"]) == again
    assert len(ours) == 2
    assert all({"key": "sd.public.comment", "value": {"internal": True}} in comment["properties"] for comment in ours)


# --- the site's own names


def connecting(server: JiraServer, **settings: Any) -> Jira:
    """A tracker that is only being connected."""
    return Jira(replace(connection(server, server.client(), **settings), remote_id="", facts={}))


@each_edition
async def test_the_sites_own_names_are_offered_with_what_they_usually_mean(world: JiraWorld, edition: Edition) -> None:
    watching = connecting(JiraServer(world, edition=edition, page=3))
    assert isinstance(watching, Choosing)
    offered = await watching.choices()
    assert set(offered) == set(watching.choosable) <= set(JiraSettings.model_fields)
    names = [choice.title for choice in offered["fixed_resolutions"]]
    assert names == list(world.resolutions.values())
    assert {setting: [choice.value for choice in choices if choice.suggested] for setting, choices in offered.items()} == {
        "issue_type": ["Bug"],
        "fixed_resolutions": ["Done", "Fixed", "Erledigt"],
        "declined_resolutions": ["Won't Do"],
        "duplicate_resolutions": ["Duplicate"],
        "cannot_reproduce_resolutions": ["Cannot Reproduce"],
        "by_design_resolutions": ["As Designed"],
        "workaround_resolutions": ["Workaround"],
        "done_statuses": [],
    }  # fmt: skip
    assert [choice.value for choice in offered["done_statuses"]] == ["Done", "Closed", "Cancelled"]
    assert [choice.value for choice in offered["issue_type"]] == ["Bug", "Story"], "no sub-task"


async def test_a_status_is_suggested_only_where_a_project_may_have_no_resolutions(world: JiraWorld) -> None:
    world.projects["ACME"].style = "next-gen"
    offered = await connecting(JiraServer(world)).choices()
    assert [choice.value for choice in offered["done_statuses"] if choice.suggested] == ["Done"]


async def test_a_name_with_a_comma_is_written_by_its_id(world: JiraWorld) -> None:
    world.resolutions = {7: "Fixed, and verified"}
    server = JiraServer(world)
    [choice] = (await connecting(server).choices())["fixed_resolutions"]
    assert (choice.value, choice.title) == ("7", "Fixed, and verified")
    await connecting(server, fixed_resolutions="7").connect()


@each_edition
@pytest.mark.parametrize(
    ("settings", "words", "blamed"),
    [
        ({"fixed_resolutions": "done, Fixd, 10001"}, "ACME has no resolution 'Fixd'; it has Done, Fixed,", "fixed"),
        ({"workaround_resolutions": "Workaround, Shrug"}, "no resolution 'Shrug'", "workaround"),
        ({"done_statuses": "Done, Launched, 6"}, "no finished status 'Launched'; it has Done, Closed, Cancelled", ""),
        ({"done_statuses": "In Progress"}, "no finished status 'In Progress'", ""),
    ],
)
async def test_a_name_that_the_site_does_not_have_is_refused_while_connecting(
    world: JiraWorld, edition: Edition, settings: dict[str, Any], words: str, blamed: str
) -> None:
    server = JiraServer(world, edition=edition, page=3)
    with pytest.raises(OutsideError) as refused:
        await connecting(server, **settings).connect()
    assert words in refused.value.message
    assert refused.value.kind == "misconfigured"
    assert refused.value.field == f"settings.{blamed}_resolutions" if blamed else "settings.done_statuses"
    await tracker(server, **settings).connect()  # a name that is gone later makes nobody ill


async def test_names_that_nobody_entered_need_not_be_there(world: JiraWorld) -> None:
    world.resolutions = {1: "Erledigt"}
    server = JiraServer(world)
    await connecting(server).connect()
    assert not [request for request, _ in server.asked if "resolution" in request.url.path], "nothing to look for"
    await connecting(server, fixed_resolutions="Fixed, ERLEDIGT").connect()


@each_edition
async def test_where_names_may_not_be_asked_for_they_are_not_checked(world: JiraWorld, edition: Edition) -> None:
    server = JiraServer(world, edition=edition)
    answer_once(server, "/resolution", 403)
    await connecting(server, fixed_resolutions="Fixd").connect()
    answer_once(server, "/resolution", 403)
    assert set(await connecting(server).choices()) == {"issue_type", "done_statuses"}


# --- the webhook there

HOOK_URL = "http://fullcircle.test/hooks/trackers/1"


@each_edition
async def test_sets_up_a_webhook_that_signs_and_tells_of_all_we_look_at(world: JiraWorld, edition: Edition) -> None:
    world.granted.add("ADMINISTER")
    watching = tracker(JiraServer(world, edition=edition))
    assert isinstance(watching, Hooked)
    await watching.set_up_hook(url=HOOK_URL)
    [hook] = world.hooks.values()
    assert (hook["url"], hook["secret"], hook["excludeBody"]) == (HOOK_URL, WEBHOOK_SECRET, False)
    assert hook["filters"] == {"issue-related-events-section": 'project = "ACME"'}
    assert {"jira:issue_updated", "jira:version_released", "jira:version_unreleased"} <= set(hook["events"])
    assert await watching.send_again(url=HOOK_URL) == 0


@each_edition
async def test_asked_again_it_is_the_same_webhook_and_put_right(world: JiraWorld, edition: Edition) -> None:
    world.granted.add("ADMINISTER")
    theirs = {"name": "Chat", "url": "http://elsewhere.test", "events": ["comment_created"], "enabled": True}
    old = {"name": "Ours", "url": HOOK_URL, "events": ["comment_created"], "secret": "an old one", "enabled": False}
    narrow = {"filters": {"issue-related-events-section": "project = OTHER"}}
    world.hooks = {1: dict(theirs), 2: {**old, **narrow}}
    for _ in range(2):
        await tracker(JiraServer(world, edition=edition)).set_up_hook(url=HOOK_URL)
    assert set(world.hooks) == {1, 2}
    assert world.hooks[1] == theirs
    ours = world.hooks[2]
    assert (ours["name"], ours["secret"], ours["enabled"]) == ("Ours", WEBHOOK_SECRET, True)
    assert {"comment_created", "jira:version_released"} <= set(ours["events"]), "what somebody added stays"
    assert ours["filters"] == {"issue-related-events-section": 'project = "ACME"'}
    ours["filters"] = {}
    await tracker(JiraServer(world, edition=edition)).set_up_hook(url=HOOK_URL)
    assert world.hooks[2]["filters"] == {}, "one for every issue stays one for every issue"


async def test_newer_data_centers_list_their_webhooks_in_pages(world: JiraWorld) -> None:
    world.granted.add("ADMINISTER")
    world.hooks = {3: {"name": "Ours", "url": HOOK_URL, "events": [], "active": False}}
    server = JiraServer(world, edition="data_center")
    page = {"values": [{"id": 3, "name": "Ours", "url": HOOK_URL, "events": [], "active": False}]}
    answer_once(server, "/webhook", 200, json=page)
    await tracker(server).set_up_hook(url=HOOK_URL)
    assert world.hooks[3]["active"] is True


async def test_a_jira_that_cannot_sign_is_given_the_secret_in_the_address(world: JiraWorld) -> None:
    world.granted.add("ADMINISTER")
    server = JiraServer(world, edition="data_center")
    for _ in range(2):
        await tracker(server, hook_secret_in_query=True).set_up_hook(url=HOOK_URL)
    [hook] = world.hooks.values()
    assert "secret" not in hook
    assert httpx.URL(hook["url"]).params["secret"] == WEBHOOK_SECRET


@each_edition
@pytest.mark.parametrize("refusal", [None, 400, 401, 403, 404])
async def test_where_the_webhook_may_not_be_set_up_it_says_what_to_do(
    world: JiraWorld, edition: Edition, refusal: int | None
) -> None:
    server = JiraServer(world, edition=edition)
    if refusal is not None:
        world.granted.add("ADMINISTER")
        answer_once(server, "/webhook", refusal)
    with pytest.raises(OutsideError) as refused:
        await tracker(server).set_up_hook(url=HOOK_URL)
    assert refused.value.kind == "forbidden"
    assert "Settings > System > WebHooks" in refused.value.message
    assert refusal is not None or "lacks Administer Jira; grant it in Settings > System > Global permissions" in (
        refused.value.message
    )
    assert WEBHOOK_SECRET not in refused.value.message
    assert not world.hooks


async def test_a_webhook_whose_answer_was_lost_is_found(world: JiraWorld) -> None:
    world.granted.add("ADMINISTER")
    server = JiraServer(world)
    lose(server, "POST", "/webhook")
    with pytest.raises(OutsideError) as lost:
        await tracker(server).set_up_hook(url=HOOK_URL)
    assert lost.value.kind == "unknown"
    await tracker(server).set_up_hook(url=HOOK_URL)
    assert len(world.hooks) == 1


# --- text


def test_what_a_customer_wrote_is_text_in_both_formats() -> None:
    words = "> ask \\[\\~ana\\] about \\*all\\* &lt;b&gt; {code} !x.png!\n\n**2** on [Mastodon](https://m.example/@a/1)"
    assert as_adf(words)["content"][0] == {
        "type": "blockquote",
        "content": [
            {
                "type": "paragraph",
                "content": [{"type": "text", "text": "ask [~ana] about *all* <b> {code} !x.png!"}],
            }
        ],
    }
    assert as_wiki(words) == (
        "{quote}\nask \\[\\~ana\\] about \\*all\\* <b> \\{code\\} \\!x.png\\!\n{quote}\n\n"
        "*2* on [Mastodon|https://m.example/@a/1]"
    )


@pytest.mark.parametrize(
    ("line", "spans"),
    [
        ("\\[ana, [Mastodon](https://m.example/1)", [("[ana, ", ""), ("Mastodon", "https://m.example/1")]),
        ("see https://m.example/1.", [("see ", ""), ("https://m.example/1", "https://m.example/1"), (".", "")]),
        ("(https://m.example/1)", [("(", ""), ("https://m.example/1", "https://m.example/1"), (")", "")]),
        ("[x](javascript:alert)", [("[x](javascript:alert)", "")]),
        ("a \\", [("a \\", "")]),
    ],
)
def test_links_are_those_that_fullcircle_wrote(line: str, spans: list[tuple[str, str]]) -> None:
    (block,) = parse_markdown(line)
    assert [(span.text, span.href) for span in block.lines[0]] == spans


NODES = {
    "doc": {"paragraph", "heading", "blockquote", "bulletList"},
    "paragraph": {"text", "hardBreak"},
    "heading": {"text", "hardBreak"},
    "blockquote": {"paragraph"},
    "bulletList": {"listItem"},
    "listItem": {"paragraph"},
}


@given(st.text(alphabet=st.sampled_from("ab -#>*[]()\\{}~@!|\n<&;:/.htps1"), max_size=80) | st.text(max_size=80))
def test_any_text_becomes_a_document_of_text_and_links_alone(words: str) -> None:
    def look(node: dict[str, Any]) -> None:
        for child in node.get("content", ()):
            assert child["type"] in NODES[node["type"]]
            if child["type"] == "text":
                assert child["text"]
                assert {mark["type"] for mark in child.get("marks", ())} <= {"link", "strong"}
            look(child)

    document = as_adf(words)
    look(document)
    assert document["content"]
    as_wiki(words)


# --- polling


async def pulled(watching: Jira, cursor: str | None, *, since: datetime) -> tuple[list[str], str]:
    pages = [page async for page in watching.pull(cursor=cursor, since=since)]
    assert pages[-1].cursor is not None
    return [issue for page in pages for issue in page.issues], pages[-1].cursor


@each_edition
async def test_each_changed_issue_is_named_over_all_pages(world: JiraWorld, edition: Edition) -> None:
    began = world.now()
    keys = [world.create_issue(f"Issue {n}") for n in range(7)]
    world.create_issue("Elsewhere", project="CORE")
    watching = tracker(JiraServer(world, edition=edition, page=2))
    found, cursor = await pulled(watching, None, since=began)
    assert set(found) == {str(world.issue(key).id) for key in keys}
    world.time += timedelta(hours=1)
    world.close(keys[2])
    found, _ = await pulled(watching, cursor, since=began)
    assert str(world.issue(keys[2]).id) in found
    assert str(world.issue(keys[0]).id) not in found


async def test_an_issue_that_changes_while_pages_are_read_takes_no_other_ones_place(world: JiraWorld) -> None:
    began = world.now()
    keys = [world.create_issue(f"Issue {n}") for n in range(6)]
    watching = tracker(JiraServer(world, edition="data_center", page=2))
    found: list[str] = []
    async for page in watching.pull(cursor=None, since=began):
        found += page.issues
        if len(found) == 2:
            world.comment(keys[0])
    assert set(found) == {str(world.issue(key).id) for key in keys}


@each_edition
async def test_a_search_that_runs_behind_its_issues_loses_none(world: JiraWorld, edition: Edition) -> None:
    began = world.now()
    slow, quick = world.create_issue("Slow"), world.create_issue("Quick")
    watching = tracker(JiraServer(world, edition=edition))
    world.unindexed = {slow}
    found, cursor = await pulled(watching, None, since=began)
    assert found == [str(world.issue(quick).id)]
    world.unindexed.clear()
    found, _ = await pulled(watching, cursor, since=began)
    assert str(world.issue(slow).id) in found


async def test_a_page_that_leads_to_itself_is_read_no_third_time(world: JiraWorld) -> None:
    server = JiraServer(world)

    def answer(request: httpx.Request) -> httpx.Response:
        server.trouble.append(answer)
        return httpx.Response(200, json={"issues": [], "isLast": False, "nextPageToken": "again"})

    server.trouble = [answer]
    with pytest.raises(OutsideError) as refused:
        await pulled(tracker(server), None, since=world.now())
    assert refused.value.kind == "transient"
    assert len(server.asked) == 2


@each_edition
@pytest.mark.parametrize("change", ["release", "unrelease", "rename"])
async def test_a_version_that_changes_makes_its_issues_be_looked_at(
    world: JiraWorld, edition: Edition, change: str
) -> None:
    began = world.now()
    key = world.create_issue()
    world.create_issue("Another")
    version = fixed_in(world, key, released=change == "unrelease")
    world.create_version("9.9")
    world.time += timedelta(hours=1)
    newest = str(world.issue(world.create_issue("The newest, which every poll names again")).id)
    watching = tracker(JiraServer(world, edition=edition))
    _, cursor = await pulled(watching, None, since=began)
    assert (await pulled(watching, cursor, since=began))[0] == [newest]
    match change:
        case "release":
            world.release(version)
        case "unrelease":
            world.unrelease(version)
        case _:
            world.rename(version, "2.4.2")
    found, cursor = await pulled(watching, cursor, since=began)
    assert found == [newest, str(world.issue(key).id)]
    assert (await pulled(watching, cursor, since=began))[0] == [newest]


@each_edition
async def test_a_deleted_version_breaks_no_poll(world: JiraWorld, edition: Edition) -> None:
    began = world.now()
    version = fixed_in(world, world.create_issue())
    watching = tracker(JiraServer(world, edition=edition))
    _, cursor = await pulled(watching, None, since=began)
    world.delete_version(version)
    await pulled(watching, cursor, since=began)


@pytest.mark.parametrize("cursor", ["", "nonsense", "{}", '{"at": "x", "versions": {}}', '{"at": 1e99, "versions": 1}'])
async def test_a_cursor_that_cannot_be_read_starts_again(world: JiraWorld, cursor: str) -> None:
    began = world.now()
    key = world.create_issue()
    found, _ = await pulled(tracker(JiraServer(world)), cursor, since=began)
    assert found == [str(world.issue(key).id)]


async def test_the_old_search_switched_off_is_said_aloud(world: JiraWorld) -> None:
    server = JiraServer(world, edition="data_center")
    server.old_search_is_gone = True
    with pytest.raises(OutsideError) as refused:
        await pulled(tracker(server), None, since=world.now())
    assert refused.value.kind == "misconfigured"
    assert "edition cloud" in refused.value.message


@each_edition
@pytest.mark.parametrize(
    ("headers", "waits", "words"),
    [
        (
            {"Retry-After": "30", "RateLimit-Reason": "jira-per-issue-on-write"},
            30,
            "too many changes of this one issue",
        ),
        ({"X-RateLimit-Reset": "2026-05-04T09:31:00Z", "RateLimit-Reason": "jira-quota-tenant-based"}, 1800, "hourly"),
        ({"RateLimit-Reason": "jira-burst-based"}, 60, "too many calls at once"),
        ({}, 60, "Jira asks us to wait"),
    ],
)
async def test_a_limit_is_obeyed_and_named(
    world: JiraWorld, edition: Edition, headers: dict[str, str], waits: int, words: str
) -> None:
    server = JiraServer(world, edition=edition)
    watching = tracker(server)
    issue = await watching.find(world.create_issue())
    server.trouble = [lambda _request: httpx.Response(429, headers=headers, json={"errorMessages": ["Slow down"]})]
    with pytest.raises(OutsideError) as refused:
        await watching.show(issue, block=BLOCK.format(3), handle=None)
    assert refused.value.kind == "rate_limited"
    assert refused.value.retry_at == world.now() + timedelta(seconds=waits)
    assert words in refused.value.message


# --- webhooks

CLOSED = json.dumps({"timestamp": 1, "webhookEvent": "jira:issue_updated", "issue": {"id": "10412"}}).encode()


@pytest.fixture
def watching(world: JiraWorld) -> Jira:
    return tracker(JiraServer(world))


def test_a_good_call_hints_at_its_issue_and_the_same_call_has_the_same_key(watching: Jira) -> None:
    first = watching.receive(headers=signed(CLOSED), query={}, body=CLOSED)
    late = {**signed(CLOSED), "X-Atlassian-Webhook-Retry": "3", "X-Atlassian-Webhook-Flow": "Secondary"}
    assert first == watching.receive(headers=late, query={}, body=CLOSED)
    assert (first.key, first.issues) == ("call-1", ("10412",))


def test_atlassians_own_example_of_a_signature_is_taken(watching: Jira) -> None:
    """https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks"""
    signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    with pytest.raises(ValueError, match="no JSON"):
        watching.receive(headers={"X-Hub-Signature": signature}, query={}, body=b"Hello World!")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature": ""},
        {"X-Hub-Signature": "sha256="},
        {"X-Hub-Signature": "sha1=" + "0" * 40},
        {"X-Hub-Signature": "sha256=" + "0" * 64},
        {"X-Hub-Signature": "sha256=\u00e9"},
        {"X-Hub-Signature-256": signed(CLOSED)["X-Hub-Signature"]},
        signed(CLOSED, secret="another"),
        signed(CLOSED + b" "),
    ],
)
def test_a_wrong_or_missing_signature_is_not_believed(watching: Jira, headers: dict[str, str]) -> None:
    with pytest.raises(BadSignatureError):
        watching.receive(headers=headers, query={"secret": WEBHOOK_SECRET}, body=CLOSED)


def test_a_secret_in_the_address_counts_only_where_an_admin_chose_it_and_nothing_signs(world: JiraWorld) -> None:
    chosen = tracker(JiraServer(world), hook_secret_in_query=True)
    assert chosen.receive(headers={}, query={"secret": WEBHOOK_SECRET}, body=CLOSED).issues == ("10412",)
    for headers, query in (
        ({}, {}),
        ({}, {"secret": "wrong"}),
        ({}, {"secret": "\u00e9"}),
        ({"X-Hub-Signature": "sha256=0"}, {"secret": WEBHOOK_SECRET}),
    ):
        with pytest.raises(BadSignatureError):
            chosen.receive(headers=headers, query=query, body=CLOSED)


@pytest.mark.parametrize(
    ("payload", "event", "issues", "everything"),
    [
        ({"webhookEvent": "jira:version_released", "version": {"id": 1}}, "version_released", (), True),
        ({"webhookEvent": "jira:version_unreleased"}, "version_unreleased", (), True),
        ({"webhookEvent": "jira:version_deleted", "mergedTo": {}}, "version_deleted", (), True),
        ({"webhookEvent": "project_updated"}, "project_updated", (), True),
        ({"webhookEvent": "jira:issue_deleted", "issue": {"id": "7"}}, "issue_deleted", ("7",), False),
        ({"webhookEvent": "comment_deleted", "issue": {"id": "7"}}, "comment_deleted", ("7",), False),
        ({"webhookEvent": "jira:issue_updated", "issue": {"id": "x"}}, "issue_updated", (), False),
        ({"webhookEvent": "jira:issue_updated", "issue": "7"}, "issue_updated", (), False),
        ({}, "", (), False),
    ],
)
def test_a_call_is_read_by_its_event_alone(
    watching: Jira, payload: dict[str, Any], event: str, issues: tuple[str, ...], everything: bool
) -> None:
    body = json.dumps(payload).encode()
    hook = watching.receive(headers=signed(body), query={}, body=body)
    assert (hook.event, hook.issues, hook.everything) == (event, issues, everything)


def test_no_call_is_believed_without_a_secret(world: JiraWorld) -> None:
    server = JiraServer(world)
    bare = Jira(connection(server, server.client(), webhook_secret="", hook_secret_in_query=True))
    for query in ({}, {"secret": ""}):
        with pytest.raises(BadSignatureError):
            bare.receive(headers=signed(CLOSED, secret=""), query=query, body=CLOSED)


@each_edition
async def test_no_secret_is_ever_in_an_error(world: JiraWorld, edition: Edition) -> None:
    server = JiraServer(world, edition=edition)
    given = connection(server, server.client(), token="sentinel-token")
    with pytest.raises(OutsideError) as refused:
        await Jira(replace(given, now=lambda: datetime.now(UTC))).connect()
    assert "sentinel" not in f"{refused.value!r} {refused.value.__cause__!r}"

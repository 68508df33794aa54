"""Triage, loops, issues and replies, worked through by forms as a browser without script sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from app.staging import Board, Square
from tests.support.circle import Circle, circle, circle_after
from tests.support.databases import Databases
from tests.support.pages import Browser, complain, fix_and_release, lively, signed_in


@pytest.fixture
async def played(databases: Databases) -> AsyncIterator[Circle]:
    async with circle_after(connected, databases, product="Acme") as made:
        yield made


async def connected(made: Circle) -> None:
    await made.connect_rehearsal(mode="approve")


@pytest.fixture
async def busy(databases: Databases) -> AsyncIterator[Circle]:
    async with circle_after(lively, databases, product="Acme") as made:
        yield made


async def loop_of(played: Circle, number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = await played.get(f"/api/v1/loops/{number}")
    return found


async def post_of(played: Circle, number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = await played.get(f"/api/v1/posts/{number}")
    return found


async def at_triage(played: Circle, role: str = "triager") -> Browser:
    visitor = await signed_in(played, role)
    await visitor.open("/triage")
    return visitor


# --- triage


async def test_a_post_is_read_with_its_author_its_time_and_what_they_said_before(played: Circle) -> None:
    await complain(played, "The import is slow", name="Ana Duarte")
    await complain(played, "And now the export hangs", name="Ana Duarte")
    visitor = await at_triage(played)
    page = await visitor.open("/triage?post=2")
    assert "Ana Duarte" in page.words
    assert "wrote to us 1 time before" in page.words
    assert "The import is slow" in page.words
    assert any("/posts/2" in address for address in page.values("href"))


async def test_words_are_shown_as_words(played: Circle) -> None:
    await complain(played, "<script>alert(1)</script> {{ 7*7 }}", name='<b>"Ana"</b>')
    visitor = await at_triage(played)
    assert visitor.page is not None
    assert "&lt;script&gt;alert(1)" in visitor.page.text
    assert "{{ 7*7 }}" in visitor.page.text
    assert '<b>"' not in visitor.page.text


async def test_dismissing_leads_to_the_next_post_and_can_be_undone(played: Circle) -> None:
    for name in ("ana", "ben", "cleo"):
        await complain(played, f"{name} complains", handle=name)
    visitor = await at_triage(played)
    await visitor.open("/triage?post=2")
    page = await visitor.send("/triage/2/dismiss")
    assert visitor.path == "/triage?post=1&did=dismissed&of=2"
    assert "Dismissed." in page.words
    assert (await post_of(played, 2))["state"] == "dismissed"
    await visitor.send("/triage/2/restore")
    assert (await post_of(played, 2))["state"] == "new"
    assert visitor.path.startswith("/triage?post=2")
    await visitor.send("/triage/2/dismiss")
    assert "ben complains" in (await visitor.open("/triage?state=dismissed")).words
    await visitor.send("/triage/2/restore")
    assert (await post_of(played, 2))["state"] == "new"


async def test_one_stays_in_the_list_one_works_through(played: Circle) -> None:
    for name in ("ana", "ben", "cleo"):
        await complain(played, f"{name} has trouble", handle=name)
    await complain(played, "all well", handle="dora")
    visitor = await at_triage(played)
    page = await visitor.open("/triage?q=TROUBLE&post=3")
    assert "all well" not in page.words
    await visitor.send("/triage/3/dismiss")
    assert visitor.path == "/triage?q=TROUBLE&post=2&did=dismissed&of=3"
    assert "has trouble" in (await visitor.open("/triage?q=BEN")).words
    assert "Nothing fits this search" in (await visitor.open("/triage?q=%25")).words


async def test_tagging_opens_a_loop_and_taking_it_back_makes_the_post_new_again(played: Circle) -> None:
    await complain(played)
    visitor = await at_triage(played)
    page = await visitor.send("/triage/1/tag", tags=" ", status=422)
    assert "Name at least one tag" in page.words
    page = await visitor.send("/triage/1/tag", tags="x" * 60, status=422)
    assert page.form("/triage/1/tag").fields["tags"] == "x" * 60
    await visitor.send("/triage/1/tag", tags="Export,  safari , export")
    loop = await loop_of(played)
    assert (loop["state"], loop["tags"]) == ("open", ["export", "safari"])
    await visitor.send("/triage/1/untag")
    assert (await post_of(played))["state"] == "new"
    assert (await loop_of(played))["state"] == "dropped"
    await visitor.open("/triage?post=1")
    await visitor.send("/triage/1/tag", tags="import")
    loop = await loop_of(played)
    assert (loop["state"], loop["tags"], loop["round"]) == ("open", ["import"], 1)


async def test_a_suggested_issue_is_one_press_away(played: Circle) -> None:
    await complain(played, "CSV export hangs at 99 %", handle="ana")
    await complain(played, "My export hangs too, CSV", handle="ben")
    visitor = await at_triage(played)
    await visitor.open("/triage?post=1")
    await visitor.send("/triage/1/issue", title="CSV export hangs", body="See there")
    await played.rest()
    page = await visitor.open("/triage?post=2")
    form = page.form("/triage/2/link")
    assert form.fields["issue"] == "1"
    assert "CSV export hangs" in page.words
    assert "1 person waits" in page.words
    await visitor.send("/triage/2/link")
    assert (await loop_of(played, 2))["issue"]["ref"] == "#1"


async def test_an_issue_is_linked_by_typing_and_a_wrong_one_is_said_at_the_field(played: Circle) -> None:
    await complain(played)
    await played.post(
        "/api/v1/loops", {"post_id": 1, "issue": {"tracker_id": 1, "title": "Old", "body": ""}}, status=201
    )
    await complain(played, "Something else", handle="ben")
    visitor = await at_triage(played)
    for typed, why in (("#99", "There is no issue #99"), ("nonsense", "names no issue"), ("", "Which issue?")):
        await visitor.open("/triage?post=2")
        page = await visitor.send("/triage/2/link", ref=typed, issue="", status=422)
        assert why in page.words
        assert any(form.fields.get("ref") == typed for form in page.forms)
        assert (await post_of(played, 2))["state"] == "new"
    await visitor.send("/triage/2/link", ref="http://fullcircle.test/rehearsal/main/board#issue-1", issue="")
    assert (await loop_of(played, 2))["issue"]["ref"] == "#1"


async def test_a_new_issue_is_drafted_in_the_customers_words_and_needs_a_title(played: Circle) -> None:
    await complain(played, "The export hangs @acme, see #12")
    visitor = await at_triage(played)
    page = await visitor.open("/triage?post=1&new=1")
    drafted = page.form("/triage/1/issue").fields
    assert drafted["title"].startswith("The export hangs")
    assert "@acme" not in drafted["title"], "an issue's title calls nobody"
    assert "export hangs" not in drafted["body"], "the board is public"
    page = await visitor.send("/triage/1/issue", title=" ", body="Long words", tags="export", status=422)
    assert "What is it about?" in page.words
    assert page.form("/triage/1/issue").fields["body"] == "Long words"
    assert page.form("/triage/1/issue").fields["tags"] == "export"
    assert any(tag == "dialog" and "open" in attrs for tag, attrs in page.tags)
    await visitor.send("/triage/1/issue", title="Export hangs", body="Long words", tags="export")
    assert (await loop_of(played))["issue"]["state"] == "creating"
    await played.rest()
    loop = await loop_of(played)
    assert (loop["issue"]["ref"], loop["issue"]["title"], loop["tags"]) == ("#1", "Export hangs", ["export"])


async def test_a_second_complaint_in_a_loop_that_waits_for_another_issue_is_not_moved_by_accident(
    played: Circle,
) -> None:
    first = await complain(played)
    await played.post(
        "/api/v1/loops", {"post_id": 1, "issue": {"tracker_id": 1, "title": "One", "body": ""}}, status=201
    )
    await complain(played, "And another thing", in_reply_to=first)
    visitor = await at_triage(played)
    await visitor.open("/triage?post=2")
    page = await visitor.send("/triage/2/issue", title="Two", body="", status=409)
    assert "waits for #1 already" in page.words


async def test_a_post_is_taken_in_by_its_address(played: Circle) -> None:
    visitor = await at_triage(played)
    page = await visitor.send("/triage/take-in", url="https://elsewhere.example/1", status=422)
    assert page.form("/triage/take-in").fields["url"] == "https://elsewhere.example/1"
    assert any(attrs.get("aria-invalid") for _, attrs in page.tags)
    number = await complain(played)
    await visitor.send("/triage/take-in", url=f"http://fullcircle.test/rehearsal/main/posts/{number}")
    assert visitor.path == "/triage?post=1&did=taken-in&of=1"


@pytest.mark.parametrize(
    ("answer", "state", "verification"),
    [("works", "verified", "confirmed"), ("still_broken", "linked", "still_broken"), ("neither", "told", None)],
)
async def test_a_person_decides_what_an_unclear_answer_means(
    busy: Circle, answer: str, state: str, verification: str | None
) -> None:
    assert (await loop_of(busy))["needs_person"]
    visitor = await at_triage(busy)
    page = await visitor.open("/triage?post=7")
    assert "This answers what we said" in page.words
    assert "A person decides, because" in page.words
    await visitor.send("/triage/7/answer", answer=answer)
    await busy.rest()
    loop = await loop_of(busy)
    assert (loop["state"], loop["verification"], loop["needs_person"]) == (state, verification, "")
    assert (await post_of(busy, 7))["state"] == "tagged"


async def test_dismissing_an_answer_asks_nobody_any_more(busy: Circle) -> None:
    visitor = await at_triage(busy)
    await visitor.open("/triage?post=7")
    await visitor.send("/triage/7/dismiss")
    assert (await loop_of(busy))["needs_person"] == ""


async def test_nothing_that_was_said_is_taken_back_by_an_undo(busy: Circle) -> None:
    visitor = await at_triage(busy)
    csrf = visitor.markup.form("/voice").fields["csrf"]
    answer = await visitor.http.post("/triage/1/untag", data={"csrf": csrf})
    assert answer.status_code == 409
    assert "has gone on already" in answer.text
    assert (await loop_of(busy))["state"] == "told"


# --- loops


async def test_loops_are_listed_by_state_with_why_they_wait(busy: Circle) -> None:
    visitor = await signed_in(busy, "triager")
    page = await visitor.open("/loops")
    assert "needs a person" in page.words
    assert "Ben Doe" not in page.words
    page = await visitor.open("/loops?state=linked")
    assert "Cleo Doe" in page.words
    assert "still open" in page.words
    page = await visitor.open("/loops?all=1")
    assert all(name in page.words for name in ("Ana Doe", "Ben Doe", "Cleo Doe", "Dora Doe"))


async def test_a_loop_shows_thread_proof_clock_and_what_happens_next(busy: Circle) -> None:
    visitor = await signed_in(busy, "triager")
    page = await visitor.open("/loops/1")
    for words in (
        "v1.0.1 published",
        "Told",
        "Verified",
        "Needs a person",
        "She is on the old plan.",
        "approved by tests",
    ):
        assert words in page.words, words
    page = await visitor.open("/loops/2")
    assert "Next: an approver reads the reply and lets it go." in page.words
    assert "fixed in v1.0.2" in page.words
    assert "of 500" in page.words


async def test_a_note_tags_and_an_assignee_are_written(busy: Circle) -> None:
    visitor = await signed_in(busy, "triager", name="Kim")
    await visitor.open("/loops/3")
    page = await visitor.send("/loops/3/note", text=" ", status=422)
    assert "Write a few words" in page.words
    await visitor.send("/loops/3/note", text="Called them.\nWaiting.")
    await visitor.send("/loops/3/change", tags="export, urgent", team="Web", assignee="Kim")
    loop = await loop_of(busy, 3)
    assert loop["notes"][0]["text"] == "Called them.\nWaiting."
    assert (loop["tags"], loop["team"], loop["assignee"]) == (["export", "urgent"], "Web", "Kim")
    assert loop["history"][-1]["actor"] == "Kim"
    assert "Cleo Doe" in (await visitor.open("/loops?mine=1")).words


async def test_a_loop_is_dropped_taken_up_again_and_closed_by_hand(busy: Circle) -> None:
    visitor = await signed_in(busy, "triager")
    for state, becomes in (("dropped", "dropped"), ("open", "linked"), ("verified", "verified")):
        page = await visitor.open("/loops/3")
        form = next(f for f in page.forms if f.action.endswith("/move") and f.fields["state"] == state)
        await visitor.http.post(form.action, data=form.fields)
        assert (await loop_of(busy, 3))["state"] == becomes
    csrf = visitor.markup.form("/voice").fields["csrf"]
    answer = await visitor.http.post("/loops/1/move", data={"csrf": csrf, "state": "linked"})
    assert answer.status_code == 422


async def test_a_loop_is_linked_relinked_and_unlinked(busy: Circle) -> None:
    visitor = await signed_in(busy, "triager")
    await visitor.open("/loops/4")
    page = await visitor.send("/loops/4/link", ref="#99", status=422)
    assert "There is no issue #99" in page.words
    await visitor.send("/loops/4/link", ref="#3")
    assert (await loop_of(busy, 4))["issue"]["ref"] == "#3"
    await visitor.send("/loops/4/unlink")
    assert (await loop_of(busy, 4))["issue"] is None
    page = await visitor.send("/loops/4/issue", title="", body="", status=422)
    assert "What is it about?" in page.words
    await visitor.send("/loops/4/issue", title="Its own", body="")
    await busy.rest()
    assert (await loop_of(busy, 4))["issue"]["title"] == "Its own"


async def test_a_person_writes_and_too_long_a_text_stays_in_its_field(busy: Circle) -> None:
    visitor = await signed_in(busy, "triager", name="Kim")
    await visitor.open("/loops/3")
    page = await visitor.send("/loops/3/reply", text="x" * 600, kind="progress", status=422)
    assert "and 500 are allowed" in page.words
    assert page.form("/loops/3/reply").fields["text"] == "x" * 600
    await visitor.send("/loops/3/reply", text="We are on it.", kind="progress")
    [reply] = (await loop_of(busy, 3))["replies"]
    assert (reply["text"], reply["state"], reply["written_by"]) == ("@cleo We are on it.", "awaiting_approval", "Kim")


# --- replies


async def test_a_reply_is_approved_and_said_in_exactly_the_shown_characters(busy: Circle) -> None:
    approver = await signed_in(busy, "approver")
    page = await approver.open("/replies")
    reply = await busy.get("/api/v1/replies/2")
    assert reply["text"] in page.words
    assert f"{reply['count']} of {reply['limit']}" in page.words
    page = await approver.send("/replies/2/approve")
    assert approver.path == "/replies"
    assert "Nothing waits for approval" in page.words
    await busy.rest()
    said = [post.text for _, post in await Square(busy.stage, "main").posts.all() if post.brand]
    assert said[-1] == reply["text"]
    assert (await loop_of(busy, 2))["state"] == "told"


async def test_approving_what_is_no_longer_true_says_nothing_and_why(busy: Circle) -> None:
    board = Board(busy.stage, "main")
    for key, _ in await board.releases.all():
        await board.delete_release(key, now=busy.clock())
    approver = await signed_in(busy, "approver")
    await approver.open("/replies/2")
    page = await approver.send("/replies/2/approve", status=409)
    assert "Not shipped any more" in page.words
    await busy.rest()
    assert len([post for _, post in await Square(busy.stage, "main").posts.all() if post.brand]) == 1


async def test_a_reply_is_edited_with_its_count_and_signed_anew(busy: Circle) -> None:
    visitor = await signed_in(busy, "triager", name="Kim")
    page = await visitor.open("/replies/2")
    form = page.form("/replies/2/edit")
    assert not form.fields["text"].startswith("@"), "the network's own part is not offered for editing"
    counted = await visitor.http.post("/replies/2/count", data={"csrf": form.fields["csrf"], "text": "x" * 600})
    assert counted.json() == {"text": "605 of 500", "over": True}
    page = await visitor.send("/replies/2/edit", text="y" * 600, status=422)
    assert page.form("/replies/2/edit").fields["text"] == "y" * 600
    assert "605 of 500" in page.words
    page = await visitor.send("/replies/2/edit", text="", status=422)
    assert "A reply needs words" in page.words
    await visitor.send("/replies/2/edit", text="It is out. Does it work?")
    reply = await busy.get("/api/v1/replies/2")
    assert (reply["text"], reply["state"], reply["approved_by"]) == (
        "@ben It is out. Does it work?",
        "awaiting_approval",
        None,
    )
    assert (await loop_of(busy, 2))["history"][-1]["what"] == "reply edited"


async def test_a_reply_is_held_released_cancelled_and_tried_again(busy: Circle) -> None:
    approver = await signed_in(busy, "approver")
    for deed, state, tab in (
        ("hold", "held", "held"),
        ("release", "awaiting_approval", "awaiting"),
        ("cancel", "cancelled", "cancelled"),
        ("retry", "awaiting_approval", "awaiting"),
    ):
        await approver.open("/replies/2")
        await approver.send(f"/replies/2/{deed}")
        assert (await busy.get("/api/v1/replies/2"))["state"] == state
        assert "Ben Doe" in (await approver.open(f"/replies?tab={tab}")).words
    page = await approver.open("/replies/1")
    assert not [form for form in page.forms if form.action.startswith("/replies/")], "what was said is said"
    answer = await approver.http.post("/replies/1/cancel", data={"csrf": page.form("/voice").fields["csrf"]})
    assert answer.status_code == 409


# --- issues


async def test_issues_are_listed_by_how_many_wait(busy: Circle) -> None:
    await busy.call("PUT", "/api/v1/loops/4/issue", {"tracker_id": 1, "ref": "3"})
    visitor = await signed_in(busy, "engineer")
    page = await visitor.open("/issues")
    assert page.words.index("Progress bar is silent") < page.words.index("Import is slow")
    assert "shipped in v1.0.1" in page.words


async def test_an_issue_shows_what_will_be_said_by_the_way_it_will_be_said(busy: Circle) -> None:
    visitor = await signed_in(busy, "engineer")
    page = await visitor.open("/issues/3")
    assert "What will be said when this ships" in page.words
    shown = next(line for line in page.words.splitlines() if "@cleo" in line)
    await fix_and_release(busy, 3, "v1.2.3")
    reply = (await loop_of(busy, 3))["replies"][0]
    # The address of a public release can only be known when there is one.
    assert shown.strip() in reply["text"] or reply["text"].startswith(shown.strip()[:40])
    page = await visitor.open("/issues/3")
    assert "What will be said when this ships" not in page.words
    assert "Proof that it shipped" in page.words


async def test_not_for_customers_yet_holds_what_waits_until_it_is_released(busy: Circle) -> None:
    visitor = await signed_in(busy, "engineer")
    await visitor.open("/issues/2")
    page = await visitor.send("/issues/2/hold", why="", status=422)
    assert "Say why" in page.words
    page = await visitor.send("/issues/2/hold", why="behind a flag")
    assert "Not for customers yet: behind a flag" in page.words
    assert (await busy.get("/api/v1/replies/2"))["state"] == "held"
    assert "Not for customers yet: behind a flag" in (await visitor.open("/loops/2")).words
    await visitor.open("/issues/2")
    await visitor.send("/issues/2/release")
    assert (await busy.get("/api/v1/replies/2"))["state"] == "awaiting_approval"


# --- the start


async def test_the_start_leads_a_newcomer_round_and_then_says_what_needs_a_person(played: Circle) -> None:
    visitor = await signed_in(played, "admin")

    async def done() -> int:
        page = await visitor.open("/")
        return page.words.count("– done")

    assert "Close a first loop" in (await visitor.open("/")).words
    assert await done() == 0
    await complain(played)
    assert await done() == 1
    await visitor.open("/triage")
    await visitor.send("/triage/1/issue", title="Export hangs", body="")
    await played.rest()
    assert await done() == 2
    await fix_and_release(played, 1, "v1.0.1")
    assert await done() == 4
    await visitor.open("/replies")
    await visitor.send("/replies/1/approve")
    await played.rest()
    assert await done() == 5
    said = max(key for key, post in await Square(played.stage, "main").posts.all() if post.brand)
    await complain(played, "Works now, thank you!", in_reply_to=said)
    await played.rest()
    page = await visitor.open("/")
    assert "The circle is closed." in page.words
    assert "Nothing needs you" in page.words


async def test_the_start_says_what_needs_a_person(busy: Circle) -> None:
    visitor = await signed_in(busy, "triager")
    page = await visitor.open("/?overlook=1")
    for words in ("new posts", "reply waits", "loop needs", "On their way round"):
        assert words in page.words, words
    await visitor.send("/voice", on="no")
    assert "The public voice is off." in (await visitor.open("/?overlook=1")).words


async def test_without_any_connection_the_start_says_how_to_begin(database_url: str) -> None:
    async with circle(database_url) as made:
        visitor = await signed_in(made, "admin")
        page = await visitor.open("/")
        assert "Connect an account" in page.words
        assert "Connect a tracker" in page.words
        assert "No account is connected" in (await visitor.open("/triage")).words


async def test_ones_own_words_take_the_place_of_ours_and_go_again(played: Circle) -> None:
    await lively(played)
    approver = await signed_in(played, "approver")
    page = await approver.open("/texts?kind=outcome&language=de")
    assert "vielen Dank für die Geduld" in page.words
    page = await approver.send("/texts", status=422, text="{{ issue }} is private")
    assert "public text may use" in page.words
    assert page.form("/texts").fields["text"] == "{{ issue }} is private", "what was typed is kept"
    page = await approver.send("/texts", text="Tut uns leid{% if customer %}, {{ customer }}{% endif %}.")
    assert "Saved." in page.words
    assert "Tut uns leid, Ana." in page.words
    own = (await played.get("/api/v1/templates/outcome"))["items"][0]
    assert (own["language"], own["shipped"], own["changed_by"]) == ("de", False, "Approver Kim")
    page = await approver.send("/texts/back")
    assert "vielen Dank für die Geduld" in page.words
    assert all(item["shipped"] for item in (await played.get("/api/v1/templates/outcome"))["items"])
    await approver.open("/texts?kind=nothing", status=404)


async def test_a_loop_and_its_issue_say_how_each_platform_stands(databases: Databases) -> None:
    async def told_on_ios(made: Circle) -> None:
        await made.connect_rehearsal(mode="automatic", platforms="iOS: ios-v*\nAndroid: android-v*")
        await complain(made, "The export hangs on my phone")
        await made.post("/api/v1/loops", {"post_id": 1, "tags": ["android"], "issue": {"tracker_id": 1}}, status=201)
        await fix_and_release(made, 1, "ios-v2.4")

    async with circle_after(told_on_ios, databases, product="Acme") as made:
        visitor = await signed_in(made, "triager")
        issue = await visitor.open("/issues/1")
        assert "By platform" in issue.words
        assert "iOS ios-v2.4 contains" in issue.words
        assert "Android closed, and" in issue.words
        loop = await visitor.open("/loops/1")
        assert "What is proven so far for Android" in loop.words
        assert "iOS, Android: a tag that names one of them" in loop.words
        await visitor.send("/loops/1/change", tags="ios")
        await made.rest()
        assert (await made.get("/api/v1/loops/1"))["state"] == "told"
        assert "Proof that it shipped for iOS" in (await visitor.open("/loops/1")).words


async def test_triage_offers_the_platforms_as_tags(played: Circle) -> None:
    await played.call("PATCH", "/api/v1/trackers/1", {"settings": {"platforms": "iOS: ios-v*\nAndroid: android-v*"}})
    await complain(played, "The export hangs")
    page = (await at_triage(played)).page
    assert page is not None
    assert '<option value="ios"><option value="android">' in page.text


async def test_a_deleted_post_leaves_no_hole_on_any_page(busy: Circle) -> None:
    """Loop 1 is told, loop 2 waits for approval, post 5 is new: all of their authors delete what they said."""
    square = Square(busy.stage, "main")
    for post_id in (1, 2, 5):
        await square.delete(int((await post_of(busy, post_id))["external_id"]))
    busy.clock.move(hours=21)
    await busy.rest()
    visitor = await signed_in(busy, "admin")
    deleted = "Deleted by its author, as we saw on"
    for path in ("/triage", "/triage?post=5", "/loops?all=1", "/loops/1", "/loops/2", "/replies/2"):
        page = await visitor.open(path)
        assert deleted in page.words, path
        for name in ("ana", "ben", "emil"):
            assert f"Export number {name} hangs" not in page.words, path
    page = await visitor.open("/issues/2")
    assert "(deleted by its author)" in page.words
    page = await visitor.open("/triage?post=5")
    assert "New issue" not in page.words
    assert "Which issue is this about?" not in page.words
    assert "Write to" not in (await visitor.open("/loops/1")).words


async def test_an_edited_post_says_so(busy: Circle) -> None:
    square = Square(busy.stage, "main")
    number = int((await post_of(busy, 3))["external_id"])
    staged = await square.posts.get(number)
    assert staged is not None
    await square.posts.put(number, replace(staged, text="It hangs in Safari only"))
    busy.clock.move(hours=21)
    await busy.rest()
    visitor = await signed_in(busy, "triager")
    page = await visitor.open("/loops/3")
    assert "It hangs in Safari only" in page.words
    assert ", edited" in page.words

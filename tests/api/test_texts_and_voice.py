"""Templates say what may be said, and the switch whether anything is."""

from __future__ import annotations

import pytest

from app.rules import texts, wording
from tests.support import story
from tests.support.circle import Circle

KINDS = ("ack", "progress", "fixed", "outcome", "correction")
FIXED = "/api/v1/templates/fixed"


async def test_the_shipped_texts_of_every_kind_are_shown_with_what_a_template_may_read(played: Circle) -> None:
    for kind in KINDS:
        found = await played.get(f"/api/v1/templates/{kind}")
        assert set(found) == {"items", "variables"}
        assert {item["language"] for item in found["items"]} == set(texts.TEXTS[kind])
        assert all(item["shipped"] and item["kind"] == kind for item in found["items"])
        assert found["variables"] == ["customer", "product", "version", "release_url", "link"]
    await played.call("GET", "/api/v1/templates/joke", status=404)
    await played.call("PUT", "/api/v1/templates/joke", {"language": "en", "text": "x"}, status=404)


async def test_an_operators_text_stands_before_the_shipped_one_and_an_accounts_before_all(played: Circle) -> None:
    await played.connect_rehearsal(mode="approve")
    mine = {"account_id": None, "language": "en", "text": "For everybody: {{ version }} is out, {{ customer }}."}
    written = await played.call("PUT", FIXED, mine)
    assert (written["text"], written["shipped"], written["changed_by"]) == (mine["text"], False, "tests")
    assert (await played.get(FIXED))["items"][0] == written
    [post] = await story.complaints(played, 1)
    await story.tag(played, post)
    await story.ship(played)
    assert "For everybody: v2.4.1" in (await played.get("/api/v1/replies/1"))["text"]

    own = {"account_id": 1, "language": "en", "text": "Acme here: {{ version }}."}
    await played.call("PUT", FIXED, own)
    assert (await played.call("PUT", FIXED, {**own, "text": "Acme again: {{ version }}."}))["account_id"] == 1
    assert len([item for item in (await played.get(FIXED))["items"] if not item["shipped"]]) == 2
    await story.complain(played, "Import hangs too", handle="ben")
    await played.post("/api/v1/accounts/1/pull")
    await story.tag(played, {"id": 2}, title="Import hangs")
    await story.ship(played, "v2.5.0", issue=2)
    assert "Acme again: v2.5.0" in (await played.get("/api/v1/replies/2"))["text"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ customer", "line 1"),
        ("line one\n{% if %}", "line 2"),
        ("{{ ticket_title }}", "ticket_title"),
        ("{{ costumer }}", "customer"),
        ("{{ customer.__class__ }}", "the inside of a value"),
        ("{% for x in customer %}{% endfor %}", "a loop"),
        ("{{ customer() }}", "a call"),
        ("{% include 'x' %}", "another template"),
        ("", ""),
    ],
)
async def test_a_text_that_cannot_be_used_is_told_and_changes_nothing(played: Circle, text: str, says: str) -> None:
    problem = await played.call("PUT", FIXED, {"language": "en", "text": text}, status=422)
    assert [error["pointer"] for error in problem["errors"]] == ["/text"]
    assert says in problem["detail"]
    assert all(item["shipped"] for item in (await played.get(FIXED))["items"])


async def test_a_text_needs_a_language_and_an_account_that_is_there(played: Circle) -> None:
    for wrong in ({"language": "e"}, {"language": "not a tag"}, {"account_id": 99}, {"text": "a\x00b"}):
        problem = await played.call("PUT", FIXED, {"language": "en", "text": "x", **wrong}, status=422)
        assert [error["pointer"] for error in problem["errors"]] == [f"/{next(iter(wrong))}"]


def test_every_variable_is_of_the_contract() -> None:
    assert wording.NAMES == ("customer", "product", "version", "release_url", "link")


async def test_the_switch_is_on_at_first_and_remembers_who_turned_it(played: Circle) -> None:
    assert await played.get("/api/v1/voice") == {"on": True, "changed_at": None, "changed_by": ""}
    engineer = await played.token("engineer")
    off = await played.call("PUT", "/api/v1/voice", {"on": False}, headers=engineer)
    assert (off["on"], off["changed_by"]) == (False, "a engineer")
    problem = await played.call("PUT", "/api/v1/voice", {"on": True}, status=403, headers=engineer)
    assert "approver" in problem["detail"]
    approver = await played.token("approver")
    assert (await played.call("PUT", "/api/v1/voice", {"on": True}, headers=approver))["on"]
    for wrong in ({}, {"on": "perhaps"}, {"on": None}, {"on": False, "for": "ever"}):
        await played.call("PUT", "/api/v1/voice", wrong, status=422)

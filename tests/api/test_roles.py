"""Who may do what: one table, held against every operation of the API and every role."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from app.store import members
from tests.support.circle import Circle

ROLES = ("triager", "engineer", "approver", "admin")
EVERYBODY = {*ROLES}

MAY: dict[str, set[str]] = {
    # accounts and trackers are the admin's; whoever works with them may read them now
    "connect_an_account": {"admin"},
    "list_accounts": EVERYBODY,
    "show_an_account": EVERYBODY,
    "change_an_account": {"admin"},
    "remove_an_account": {"admin"},
    "pull_an_account": {"triager", "approver", "admin"},
    "account_health": EVERYBODY,
    "connect_a_tracker": {"admin"},
    "list_trackers": EVERYBODY,
    "show_a_tracker": EVERYBODY,
    "change_a_tracker": {"admin"},
    "remove_a_tracker": {"admin"},
    "pull_a_tracker": {"engineer", "approver", "admin"},
    "preview_a_policy": {"admin"},
    "ask_for_choices": {"admin"},
    "choices_of_a_tracker": {"admin"},
    "set_up_a_trackers_hook": {"admin"},
    "set_up_an_accounts_hook": {"admin"},
    "tracker_health": EVERYBODY,
    "tracker_deliveries": EVERYBODY,
    # support works on posts and loops
    "list_posts": EVERYBODY,
    "take_in_a_post": {"triager", "approver", "admin"},
    "show_a_post": EVERYBODY,
    "dismiss": {"triager", "approver", "admin"},
    "restore": {"triager", "approver", "admin"},
    "suggestions": EVERYBODY,
    "open_a_loop": {"triager", "approver", "admin"},
    "list_loops": EVERYBODY,
    "show_a_loop": EVERYBODY,
    "change_a_loop": {"triager", "approver", "admin"},
    "tell_a_loop": {"approver", "admin"},
    "write_a_note": EVERYBODY,
    "write_a_reply": {"triager", "approver", "admin"},
    "link_a_loop": {"triager", "approver", "admin"},
    "unlink_a_loop": {"triager", "approver", "admin"},
    # who is the same person, and who is not to be answered; only approvers let us speak again
    "list_customers": EVERYBODY,
    "show_a_customer": EVERYBODY,
    "posts_of_a_customer": EVERYBODY,
    "loops_of_a_customer": EVERYBODY,
    "what_a_customer_was_told": EVERYBODY,
    "join_an_identity": {"triager", "approver", "admin"},
    "part_an_identity": {"triager", "approver", "admin"},
    "suppress_a_customer": {"triager", "approver", "admin"},
    "lift_a_suppression": {"approver", "admin"},
    # what is said in public is decided by approvers
    "list_replies": EVERYBODY,
    "show_a_reply": EVERYBODY,
    "edit_a_reply": {"triager", "approver", "admin"},
    "decide_on_a_reply": {"approver", "admin"},
    # posting a task by hand is support's work; what is no task yet, only an approver takes (tests/steps/test_post_by_hand.py)
    "take_over_a_reply": {"triager", "approver", "admin"},
    "say_that_a_reply_was_posted": {"triager", "approver", "admin"},
    "give_a_reply_back": {"triager", "approver", "admin"},
    "show_templates": EVERYBODY,
    "write_a_template": {"approver", "admin"},
    # engineers say when customers may hear of it
    "list_issues": EVERYBODY,
    "show_an_issue": EVERYBODY,
    "hold_an_issue": {"engineer", "approver", "admin"},
    "release_an_issue": {"engineer", "approver", "admin"},
    # everybody may stop all speech; on again is tested beside the switch
    "show_the_voice": EVERYBODY,
    "turn_the_voice": EVERYBODY,
}
WITHOUT_TOKEN = {"tracker_hook", "account_handshake", "account_hook", "alive", "ready", "metrics"}
BODIES: dict[str, Any] = {"turn_the_voice": {"on": False}}


def operations(described: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Method, address (of things that are not there) and name of every operation."""
    found = []
    for path, methods in described["paths"].items():
        address = path.replace("{kind}", "fixed").replace("{deed}", "approve")
        address = re.sub(r"\{\w+\}", "987654", address)
        found += [(method.upper(), address, operation["operationId"]) for method, operation in methods.items()]
    return found


@pytest.fixture
async def described(played: Circle) -> list[tuple[str, str, str]]:
    return operations((await played.api.get("/openapi.json", headers={"Authorization": ""})).json())


async def test_the_table_names_every_operation(described: list[tuple[str, str, str]]) -> None:
    assert {name for _, _, name in described} == set(MAY) | WITHOUT_TOKEN


async def test_each_role_may_do_what_the_table_says_and_nothing_else(
    played: Circle, described: list[tuple[str, str, str]]
) -> None:
    headers = {role: await played.token(role) for role in ROLES}
    for method, address, name in described:
        if name in WITHOUT_TOKEN:
            continue
        for role in ROLES:
            answer = await played.api.request(method, address, json=BODIES.get(name, {}), headers=headers[role])
            if role in MAY[name]:
                assert answer.status_code not in {401, 403, 500}, (name, role, answer.text)
            else:
                assert answer.status_code == 403, (name, role, answer.text)
                assert answer.headers["content-type"] == "application/problem+json"
                assert "admin" in answer.json()["detail"], "it says who may"


async def tokens_that_open_nothing(played: Circle) -> dict[str, str]:
    """Every kind of token that is no token of the API, or no longer one."""
    now = played.clock()
    async with played.river.db.begin() as session:
        how: dict[str, Any] = {"name": "x", "role": "admin", "now": now}
        link = await members.make_token(session, **how, kind="link", lives=timedelta(days=7))
        browser = await members.make_token(session, **how, kind="session", lives=timedelta(days=7))
        expired = await members.make_token(session, **how, lives=timedelta(seconds=-1))
        revoked = await members.make_token(session, **how)
        found = await members.find_token(session, revoked, kind="api", now=now)
        assert found is not None
        await members.revoke(session, found.id, now=now)
    return {
        "none": "",
        "another scheme": "Basic YWRtaW46YWRtaW4=",
        "empty": "Bearer ",
        "unknown": "Bearer fc_unknown",
        "not ASCII": "Bearer \u00e9\u00e9",
        "a sign-in link": f"Bearer {link}",
        "a browser's session": f"Bearer {browser}",
        "expired": f"Bearer {expired}",
        "revoked": f"Bearer {revoked}",
    }


async def test_without_a_token_of_the_api_every_operation_is_401(
    played: Circle, described: list[tuple[str, str, str]]
) -> None:
    for what, value in (await tokens_that_open_nothing(played)).items():
        headers = [(b"Authorization", value.encode("latin-1"))]
        everywhere = described if what in {"none", "unknown"} else described[:2]
        for method, address, name in everywhere:
            if name in WITHOUT_TOKEN:
                continue
            answer = await played.api.request(method, address, json=BODIES.get(name, {}), headers=headers)
            assert answer.status_code == 401, (what, name, answer.text)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"
            assert value.removeprefix("Bearer ") not in answer.text or not value.strip().removeprefix("Bearer")
    for method, address, name in described:
        if name in WITHOUT_TOKEN:
            answer = await played.api.request(method, address, headers={"Authorization": ""})
            assert answer.status_code != 401, name


async def test_a_token_says_when_it_was_used_last(played: Circle) -> None:
    headers = await played.token("triager")
    token = headers["Authorization"].removeprefix("Bearer ")

    async def used_at() -> Any:
        async with played.river.db.read() as session:
            found = await members.find_token(session, token, kind="api", now=played.clock())
            assert found is not None
            return found.used_at

    assert await used_at() is None
    await played.get("/api/v1/voice", headers=headers)
    assert await used_at() == played.clock()

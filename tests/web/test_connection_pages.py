"""Connections and people on the pages: made, mended, removed; and whom one lets in."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from app.channels import discover as channels
from app.ports import OutsideError
from app.staging import Board
from app.steps import people
from app.steps.connect import BadFieldsError
from app.store import members
from app.trackers import discover as trackers
from app.web import connection_form
from tests.support.circle import Circle, circle
from tests.support.github_app import PERMISSIONS, add_app, key_pair
from tests.support.jira_server import EMAIL, SITE, Edition, JiraServer, JiraWorld, signed
from tests.support.jira_server import TOKEN as JIRA_TOKEN
from tests.support.mastodon_network import TOKEN
from tests.support.outsides import (
    APP,
    GITHUB,
    HOOK_SECRET,
    SOCIAL,
    Outsides,
    github_tracker,
    jira_tracker,
    mastodon_account,
    outsides,
)
from tests.support.pages import Browser, Markup, browser, lively, signed_in

PASSWORD = "correct horse battery"


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url) as made:
        yield made


# --- the form, drawn from an adapter's own models


class Settings(BaseModel):
    address_url: str = Field(title="Address", description="Where it is.", examples=["https://one.example"])
    days: Annotated[int, Field(ge=1, le=30)] = Field(3, title="Days", description="How many.")
    when: Literal["now", "in_time"] = Field("now", title="When", description="Now or later.")
    loud: bool = Field(True, title="Loud", description="Whether it shouts.")
    motto: str | None = Field(None, title="Motto", description="Anything.")


class Secrets(BaseModel):
    token: SecretStr = Field(title="Token", description="From there.")
    second: SecretStr | None = Field(None, title="Second", description="If there is one.")
    key: SecretStr | None = Field(None, title="Key", description="In lines.", json_schema_extra={"lines": True})
    other: SecretStr | None = Field(None, title="Or", description="Or so.", json_schema_extra={"upfront": True})


class Adapter:
    Settings, Secrets = Settings, Secrets


def test_each_kind_of_field_is_drawn_and_read_back() -> None:
    fields = connection_form.fields_of_adapter(Adapter)
    assert [(f.name, f.sort, f.required, f.default, f.options) for f in fields] == [
        ("settings.address_url", "url", True, "", ()),
        ("settings.days", "number", False, "3", ()),
        ("settings.when", "select", False, "now", ("now", "in_time")),
        ("settings.loud", "check", False, "True", ()),
        ("settings.motto", "text", False, "", ()),
        ("secrets.token", "password", True, "", ()),
        ("secrets.second", "password", False, "", ()),
        ("secrets.key", "lines", False, "", ()),
        ("secrets.other", "password", False, "", ()),
    ]
    assert [f.name for f in fields if f.upfront] == ["settings.address_url", "secrets.token", "secrets.other"]
    assert (fields[1].least, fields[1].most) == (1, 30)
    form = {
        "settings.address_url": " https://a.example ",
        "settings.days": "",
        "settings.when": "in_time",
        "secrets.token": "t",
        "secrets.key": "one\r\ntwo",
    }
    values = connection_form.read(fields, form)
    assert values["settings"] == {"address_url": "https://a.example", "when": "in_time", "loud": False}
    assert values["secrets"] == {"token": "t", "key": "one\r\ntwo"}
    assert Settings.model_validate(values["settings"]).days == 3
    assert not [name for name in connection_form.typed(fields, form) if name.startswith("secrets")], "never sent back"
    stored = connection_form.stored(fields, {"address_url": "https://a.example", "days": 5, "loud": True})
    assert stored == {
        "settings.address_url": "https://a.example",
        "settings.days": "5",
        "settings.when": "now",
        "settings.loud": "on",
        "settings.motto": "",
    }


def test_what_is_wrong_stands_at_its_field() -> None:
    fields = connection_form.fields_of_adapter(Adapter)
    error = BadFieldsError([("/settings/days", "too many"), ("/secrets/token", "Field required"), ("/secrets", "both")])
    assert connection_form.wrong_fields(fields, error) == {
        "settings.days": "too many",
        "secrets.token": "This is needed.",
        "": "both",
    }
    for kind, where in (("auth_broken", "secrets.token"), ("misconfigured", "settings.address_url"), ("transient", "")):
        assert connection_form.wrong_outside(fields, OutsideError("why", kind)) == {where: "why"}  # type: ignore[arg-type]


def test_what_is_wrong_with_an_unseen_field_stands_at_the_top() -> None:
    shown = [field for field in connection_form.fields_of_adapter(Adapter) if field.part == "settings"]
    wrong = {"settings.days": "too many", "secrets.token": "refused"}
    assert connection_form.on_page(wrong, shown) == {"settings.days": "too many", "": "refused"}
    assert connection_form.on_page({"settings.days": "too many", "name": "long"}, shown) == {
        "settings.days": "too many",
        "name": "long",
    }


@pytest.mark.parametrize("kind", [*channels().values(), *trackers().values()], ids=lambda kind: kind.__module__)
def test_every_adapter_that_is_installed_can_be_drawn(kind: type) -> None:
    for field in connection_form.fields_of_adapter(kind):
        assert field.title
        assert field.sort != "text" or not field.key.endswith("secret")


@pytest.mark.parametrize("kind", channels().values(), ids=lambda kind: kind.__module__)
def test_every_secret_that_a_channel_needs_says_where_on_the_other_side_it_is_found(kind: type) -> None:
    needed = [field for field in connection_form.fields_of_adapter(kind) if field.part == "secrets" and field.required]
    assert [field.name for field in needed if "→" not in field.description] == []


# --- connecting


@pytest.fixture
def around(tmp_path: Path) -> Outsides:
    return outsides(tmp_path)


@pytest.fixture
async def connected(database_url: str, around: Outsides) -> AsyncIterator[Circle]:
    async with circle(database_url, make_http=around.client) as made:
        yield made


async def at(played: Circle, path: str) -> Browser:
    visitor = await signed_in(played, "admin")
    await visitor.open(path)
    return visitor


NEW_MASTODON = "/connections/accounts/new/mastodon"


async def test_a_wrong_token_is_said_at_its_field_and_nothing_but_the_secret_is_lost(connected: Circle) -> None:
    admin = await at(connected, NEW_MASTODON)
    form = admin.markup.form(NEW_MASTODON)
    assert form.fields["mode"] == "approve", "suggested for the first ten"
    typed = {"name": "Acme", "settings.base_url": SOCIAL, "settings.first_days": "7", "wording.product": "Acme App"}
    page = await admin.send(NEW_MASTODON, **typed, **{"secrets.access_token": "wrong-token"}, status=422)
    wrong = {attrs["name"] for tag, attrs in page.tags if tag == "input" and attrs.get("aria-invalid") == "true"}
    assert wrong == {"secrets.access_token"}
    assert "wrong-token" not in str(admin.page.text if admin.page else "")
    assert "enter them again" in page.words
    fields = page.form(NEW_MASTODON).fields
    assert {name: fields[name] for name in typed} == typed
    assert fields["secrets.access_token"] == ""
    assert (await connected.get("/api/v1/accounts"))["items"] == []

    page = await admin.send(NEW_MASTODON, **{"secrets.access_token": TOKEN})
    assert admin.path == "/connections/accounts/1?did=connected"
    assert "Connected. It is read from now on." in page.words
    account = await connected.get("/api/v1/accounts/1")
    assert (account["mode"], account["settings"]["first_days"], account["settings"]["product"]) == (
        "approve",
        7,
        "Acme App",
    )


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("settings.base_url", "http://mastodon.example", "use https"),
        ("settings.base_url", "", "This is needed."),
        ("settings.first_days", "99", "less than or equal to 30"),
        ("settings.first_days", "many", "integer"),
        ("secrets.access_token", "two words", "not an access token"),
        ("secrets.access_token", "", "This is needed."),
        ("wording.product", "x" * 101, "at most 100"),
        ("name", "", "What shall it be called"),
    ],
)
async def test_each_wrong_field_says_so_where_it_stands(connected: Circle, field: str, value: str, why: str) -> None:
    admin = await at(connected, NEW_MASTODON)
    typed = {"name": "Acme", "settings.base_url": SOCIAL, "secrets.access_token": TOKEN, field: value}
    page = await admin.send(NEW_MASTODON, **typed, status=422)
    wrong = {attrs["name"] for tag, attrs in page.tags if tag == "input" and attrs.get("aria-invalid") == "true"}
    assert wrong == {field}
    assert why.lower() in page.words.lower()
    if field != "secrets.access_token":
        assert page.form(NEW_MASTODON).fields[field] == value
    hidden = [tag for tag, attrs in page.tags if tag == "details" and "open" not in attrs]
    assert not hidden or field in {"settings.base_url", "secrets.access_token", "name"}, "the wrong field is in sight"


async def test_a_server_that_does_not_answer_is_said_above_the_form(connected: Circle, around: Outsides) -> None:
    around.down.add("127.0.0.1")
    admin = await at(connected, NEW_MASTODON)
    page = await admin.send(
        NEW_MASTODON, **{"name": "Acme", "settings.base_url": SOCIAL, "secrets.access_token": TOKEN}, status=422
    )
    assert any("note bad" in (attrs.get("class") or "") for _, attrs in page.tags)
    assert not [attrs for _, attrs in page.tags if attrs.get("aria-invalid")]


async def test_a_repository_is_connected_changed_and_reconnected(connected: Circle) -> None:
    path = "/connections/trackers/new/github"
    admin = await at(connected, path)
    typed = {
        "name": "acme/app",
        "settings.api_url": GITHUB,
        "settings.repository": "acme/nothing",
        "secrets.token": "token-brand",
    }
    page = await admin.send(path, **typed, status=422)
    assert any(attrs.get("aria-invalid") for _, attrs in page.tags)
    await admin.send(
        path, **{"settings.repository": APP, "secrets.token": "token-brand", "secrets.webhook_secret": HOOK_SECRET}
    )
    here = "/connections/trackers/1"
    page = await admin.open(here)
    assert "http://fullcircle.test/hooks/trackers/1" in page.words
    assert "No call has come yet." in page.words
    assert HOOK_SECRET not in str(admin.page.text if admin.page else "")

    page = await admin.send(f"{here}/settings", **{"settings.settle_seconds": "-5"}, status=422)
    assert page.form(f"{here}/settings").fields["settings.settle_seconds"] == "-5"
    await admin.send(
        f"{here}/settings", **{"settings.settle_seconds": "60", "settings.tag_pattern": "v*", "name": "The app"}
    )
    tracker = await connected.get("/api/v1/trackers/1")
    assert (tracker["name"], tracker["settings"]["settle_seconds"], tracker["settings"]["tag_pattern"]) == (
        "The app",
        60,
        "v*",
    )
    await admin.send(f"{here}/settings", **{"settings.tag_pattern": ""})
    assert (await connected.get("/api/v1/trackers/1"))["settings"]["tag_pattern"] == "*", "emptied is the default again"

    page = await admin.send(f"{here}/secrets", **{"secrets.token": "a-dead-token"}, status=422)
    assert any(attrs.get("aria-invalid") for _, attrs in page.tags)
    page = await admin.send(f"{here}/secrets", status=422)
    assert "Enter at least one" in page.words
    page = await admin.send(f"{here}/secrets", **{"secrets.token": "token-brand"})
    assert "Saved, and it works." in page.words


async def test_a_webhook_is_set_up_from_the_page_or_described(connected: Circle, around: Outsides) -> None:
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    admin = await at(connected, "/connections/trackers/1")
    assert "Branch or tag creation" in admin.markup.words, "ready to be entered by hand"
    page = await admin.send("/connections/trackers/1/hook")
    assert "The webhook is set up there." in page.words
    assert [hook.secret for hook in around.world.repository(APP).hooks.values()] == [HOOK_SECRET]
    around.world.tokens["token-brand"].permissions = {"metadata": "read"}
    page = await admin.send("/connections/trackers/1/hook", status=422)
    assert "needs Webhooks: read" in page.words
    assert "Setting it up by hand" in page.words
    assert HOOK_SECRET not in str(admin.page.text if admin.page else "")


async def test_the_repository_with_a_projects_code_is_chosen_among_the_connected(connected: Circle) -> None:
    path = "/connections/trackers/new/jira"
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    await connected.post("/api/v1/trackers", {"kind": "rehearsal", "name": "Board"}, status=201)
    admin = await at(connected, path)
    form = admin.markup.form(path)
    assert form.fields["settings.code_tracker"] == "", "none, unless it is chosen"
    assert "none" in admin.markup.words
    assert APP in admin.markup.words
    assert "Board" not in admin.markup.words, "it holds no code"
    body = jira_tracker()
    typed = {"name": "ACME", **{f"settings.{name}": str(value) for name, value in body["settings"].items()}}
    typed |= {f"secrets.{name}": value for name, value in body["secrets"].items()}
    for code, when, wrong in (("9", "release", "code_tracker"), ("", "production", "shipped_when")):
        given = {"settings.code_tracker": code, "settings.shipped_when": when}
        page = await admin.send(path, **typed, **given, status=422)
        found = {attrs["name"] for _, attrs in page.tags if attrs.get("aria-invalid") == "true"}
        assert found == {f"settings.{wrong}"}
        assert page.form(path).fields["settings.code_tracker"] == code
    await admin.send(path, **typed, **{"settings.code_tracker": "1", "settings.shipped_when": "production"})
    here = "/connections/trackers/3"
    fields = (await admin.open(here)).form(f"{here}/settings").fields
    assert (fields["settings.code_tracker"], fields["settings.shipped_when"]) == ("1", "production")

    await connected.call("DELETE", "/api/v1/trackers/1", status=204)
    page = await admin.open(here)
    assert "is not connected: choose another" in page.words
    assert page.form(f"{here}/settings").fields["settings.code_tracker"] == "1", "nobody changes it without knowing"
    assert "tracker 1, which is not connected" in page.words


@pytest.mark.parametrize(
    ("lacks", "shipped_when", "named"),
    [
        ("issues", "release", "Issues: read"),
        ("contents", "release", "Contents: read"),
        ("pull_requests", "release", "Pull requests: read"),
        ("deployments", "production", "Deployments: read"),
    ],
)
async def test_a_permission_that_github_does_not_grant_is_named_with_its_screen(
    connected: Circle, around: Outsides, lacks: str, shipped_when: str, named: str
) -> None:
    await connected.post("/api/v1/trackers", github_tracker(shipped_when=shipped_when), status=201)
    around.world.set_private(APP, private=True)  # what everybody may read needs no permission
    given = {name: access for name, access in PERMISSIONS.items() if name != lacks}
    around.world.tokens["token-brand"].permissions = given
    path = "/connections/trackers/new/github"
    typed = {"settings.api_url": GITHUB, "settings.repository": APP, "settings.shipped_when": shipped_when}
    admin = await at(connected, path)
    page = await admin.send(path, status=422, name="Again", **typed, **{"secrets.token": "token-brand"})
    where = "http://github.test/settings/personal-access-tokens, under the token's repository permissions"
    assert named in page.words
    assert where in page.words
    assert {attrs["name"] for _, attrs in page.tags if attrs.get("aria-invalid") == "true"} == {"secrets.token"}
    await admin.open("/connections/trackers/1")
    page = await admin.send("/connections/trackers/1/test")
    assert "It does not work" in page.words
    assert named in page.words
    assert where in page.words


async def test_another_repository_that_cannot_be_read_is_said_at_its_field(connected: Circle) -> None:
    path = "/connections/trackers/new/github"
    typed = {"name": "acme/app", "settings.api_url": GITHUB, "settings.repository": APP}
    typed |= {"secrets.token": "token-brand"}
    admin = await at(connected, path)
    for given, name in (("acme/nothing = v*", "acme/nothing"), ("nothing", "'nothing'")):
        page = await admin.send(path, **typed, **{"settings.mapped_repositories": given}, status=422)
        wrong = {attrs["name"] for _, attrs in page.tags if attrs.get("aria-invalid") == "true"}
        assert wrong == {"settings.mapped_repositories"}
        assert name in page.words


async def test_an_apps_key_is_pasted_in_lines_and_a_wrong_one_is_said_at_its_field(
    connected: Circle, around: Outsides
) -> None:
    path = "/connections/trackers/new/github"
    app = add_app(around.world, APP)
    typed = {"name": "acme/app", "settings.api_url": GITHUB, "settings.repository": APP}
    typed |= {"settings.app_id": str(app.id)}
    admin = await at(connected, path)
    in_lines = [attrs["name"] for tag, attrs in admin.markup.tags if tag == "textarea"]
    assert in_lines == ["settings.platforms", "settings.path", "settings.mapped_repositories", "secrets.private_key"]
    for key in ("no key", key_pair("another")[0]):
        page = await admin.send(path, **typed, **{"secrets.private_key": key}, status=422)
        wrong = {attrs["name"] for _, attrs in page.tags if attrs.get("aria-invalid") == "true"}
        assert wrong == {"secrets.private_key"}
        assert page.form(path).fields["secrets.private_key"].strip() == ""
    pasted = key_pair()[0].replace("\n", "\r\n")
    await admin.send(path, **typed, **{"secrets.private_key": pasted})
    assert admin.path == "/connections/trackers/1?did=connected"
    page = await admin.send("/connections/trackers/1/settings", **{"settings.app_id": ""}, status=422)
    assert "private key needs the App ID" in page.words
    page = await admin.send("/connections/trackers/1/secrets", **{"secrets.private_key": "no key"}, status=422)
    assert {attrs["name"] for _, attrs in page.tags if attrs.get("aria-invalid") == "true"} == {"secrets.private_key"}


async def test_a_rejected_webhook_and_a_good_one_are_both_seen(connected: Circle) -> None:
    await connected.post("/api/v1/trackers", github_tracker(), status=201)
    body = b'{"zen": "x"}'
    headers = {"X-GitHub-Event": "ping", "X-GitHub-Delivery": "one"}
    good = "sha256=" + hmac.new(HOOK_SECRET.encode(), body, "sha256").hexdigest()
    for signature in ("sha256=" + "0" * 64, good):
        await connected.api.post(
            "/hooks/trackers/1", content=body, headers={**headers, "X-Hub-Signature-256": signature}
        )
    admin = await signed_in(connected, "admin")
    page = await admin.open("/connections")
    assert "1 rejected webhook call" in page.words
    page = await admin.open("/connections/trackers/1")
    assert "1 call did not prove who sent it" in page.words
    assert "ping" in page.words


async def test_a_place_without_an_adapter_claims_neither_health_nor_limits(connected: Circle) -> None:
    typed = {"channel": "forum", "url": "https://forum.example/t/1", "text": "Export hangs", "author": "ana"}
    await connected.post("/api/v1/posts", typed, status=201)
    admin = await at(connected, "/connections")
    assert "each reply is posted by hand" in admin.markup.words
    assert "Limits left" not in admin.markup.words


async def test_a_channel_without_webhooks_offers_none(connected: Circle) -> None:
    await connected.post("/api/v1/accounts", mastodon_account(), status=201)
    admin = await at(connected, "/connections/accounts/1")
    assert "How it is" in admin.markup.words
    assert "Webhooks" not in admin.markup.words


async def test_a_dead_token_shows_everywhere_and_testing_finds_it_well_again(
    connected: Circle, around: Outsides
) -> None:
    await connected.post("/api/v1/accounts", mastodon_account(), status=201)
    around.network.tokens[TOKEN].revoked = True
    admin = await at(connected, "/connections/accounts/1")
    page = await admin.send("/connections/accounts/1/test")
    assert "It does not work" in page.words
    assert "Nothing is said through it meanwhile" in page.words
    assert "need attention" in page.words, "the menu says so on every page"
    assert "Acme:" in (await admin.open("/")).words
    around.network.tokens[TOKEN].revoked = False
    await admin.open("/connections/accounts/1")
    page = await admin.send("/connections/accounts/1/test")
    assert "It works." in page.words
    page = await admin.send("/connections/accounts/1/read")
    assert "Read just now." in page.words


async def test_a_removed_account_is_gone_and_what_waited_is_held(played: Circle) -> None:
    await lively(played)
    admin = await at(played, "/connections/accounts/1")
    await admin.send("/connections/accounts/1/remove")
    assert admin.path == "/connections"
    assert "No account is connected" in admin.markup.words
    await admin.open("/connections/accounts/1", status=404)
    page = await admin.open("/replies?tab=held")
    assert "was removed" in page.words


# --- Jira: its own names, and what is missing


NEW_JIRA = "/connections/trackers/new/jira"
NAME_SETTINGS = {
    "settings.fixed_resolutions": "Done, Fixed, Erledigt",
    "settings.declined_resolutions": "Won't Do",
    "settings.duplicate_resolutions": "Duplicate",
    "settings.workaround_resolutions": "Workaround",
}


@pytest.fixture(params=["cloud", "data_center"])
def jira(request: pytest.FixtureRequest) -> JiraServer:
    edition: Edition = request.param
    return JiraServer(JiraWorld(), edition=edition)


@pytest.fixture
async def at_jira(database_url: str, jira: JiraServer) -> AsyncIterator[Circle]:
    async with circle(database_url, make_http=jira.client) as made:
        yield made


def jira_form(jira: JiraServer) -> dict[str, str]:
    typed = {"settings.base_url": SITE, "settings.edition": jira.edition, "settings.project": "ACME"}
    return typed | jira_secrets(jira)


def jira_secrets(jira: JiraServer) -> dict[str, str]:
    return {"secrets.token": JIRA_TOKEN, "secrets.email": EMAIL if jira.edition == "cloud" else ""}


async def connect_jira(at_jira: Circle, jira: JiraServer, **settings: Any) -> None:
    body = {
        "kind": "jira",
        "name": "ACME",
        "settings": {"base_url": SITE, "edition": jira.edition, "project": "ACME", **settings},
        "secrets": {"token": JIRA_TOKEN, "email": EMAIL if jira.edition == "cloud" else ""},
    }
    await at_jira.post("/api/v1/trackers", body, status=201)


def ticked(page: Markup, setting: str) -> set[str]:
    mark = f"settings.{setting}:"
    return {
        (attrs["name"] or "").removeprefix(mark)
        for tag, attrs in page.tags
        if tag == "input" and (attrs.get("name") or "").startswith(mark) and "checked" in attrs
    }


async def test_a_sites_own_names_are_ticked_instead_of_typed(at_jira: Circle, jira: JiraServer) -> None:
    admin = await at(at_jira, NEW_JIRA)
    page = await admin.send(NEW_JIRA, by="choices", **jira_form(jira), **{"settings.issue_type": "Story"})
    assert "Jira’s own names" in page.words
    assert ticked(page, "fixed_resolutions") == {"Done", "Fixed", "Erledigt"}
    assert ticked(page, "by_design_resolutions") == {"As Designed"}
    assert ticked(page, "done_statuses") == set(), "nobody knows what they mean here"
    fields = page.form(NEW_JIRA).fields
    assert (fields["settings.project"], fields["settings.issue_type"]) == ("ACME", "Story"), "what was typed stays"
    assert fields["settings.declined_resolutions"] == "", "names that this site does not have are not asked for"
    assert JIRA_TOKEN not in str(admin.page.text if admin.page else "")
    assert "enter them again" in page.words
    assert (await at_jira.get("/api/v1/trackers"))["items"] == []

    await admin.send(NEW_JIRA, name="ACME", **jira_secrets(jira))
    assert admin.path == "/connections/trackers/1?did=connected"
    settings = (await at_jira.get("/api/v1/trackers/1"))["settings"]
    assert {f"settings.{key}": value for key, value in settings.items()} | NAME_SETTINGS == {
        f"settings.{key}": value for key, value in settings.items()
    }
    assert settings["done_statuses"] == ""


async def test_what_was_ticked_stays_when_the_form_is_refused(at_jira: Circle, jira: JiraServer) -> None:
    admin = await at(at_jira, NEW_JIRA)
    await admin.send(NEW_JIRA, by="choices", **jira_form(jira))
    assert admin.page is not None
    fields = admin.markup.form(NEW_JIRA).fields
    ticks = {name: value for name, value in fields.items() if not name.startswith("settings.duplicate_resolutions:")}
    # The last box of one list is unticked, one is ticked elsewhere, and a name is typed as well.
    ticks |= {"settings.duplicate_resolutions:": "", "settings.declined_resolutions:Erledigt": "on"}
    del ticks["settings.fixed_resolutions:Erledigt"]
    typed = {**ticks, "name": "", "settings.by_design_resolutions": "Shrug", **jira_secrets(jira)}
    answer = await admin.http.post(NEW_JIRA, data=typed, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 422
    page = Markup(answer.text)
    assert ticked(page, "fixed_resolutions") == {"Done", "Fixed"}
    assert ticked(page, "declined_resolutions") == {"Won't Do", "Erledigt"}
    assert ticked(page, "duplicate_resolutions") == set()
    assert ticked(page, "by_design_resolutions") == {"As Designed"}
    fields = page.form(NEW_JIRA).fields
    assert fields["settings.by_design_resolutions"] == "Shrug"

    answer = await admin.http.post(NEW_JIRA, data={**typed, "name": "ACME"}, headers={"Sec-Fetch-Site": "same-origin"})
    page = Markup(answer.text)
    wrong = {attrs["name"] for _, attrs in page.tags if attrs.get("aria-invalid") == "true"}
    assert (answer.status_code, wrong) == (422, {"settings.by_design_resolutions"})
    assert "ACME has no resolution 'Shrug'; it has Done, Fixed," in page.words
    typed = {**typed, "name": "ACME", "settings.by_design_resolutions": ""}
    answer = await admin.http.post(NEW_JIRA, data=typed, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    settings = (await at_jira.get("/api/v1/trackers/1"))["settings"]
    assert settings["duplicate_resolutions"] == "", "no box is ticked: no name means that"
    assert settings["declined_resolutions"] == "Won't Do, Erledigt"
    page = await admin.open("/connections/trackers/1")
    await admin.send("/connections/trackers/1/settings", **{"settings.settle_seconds": "60"})
    settings = (await at_jira.get("/api/v1/trackers/1"))["settings"]
    assert (settings["settle_seconds"], settings["duplicate_resolutions"]) == (60, ""), "and it stays so"


async def test_asking_with_a_wrong_token_is_said_at_its_field(at_jira: Circle, jira: JiraServer) -> None:
    admin = await at(at_jira, NEW_JIRA)
    page = await admin.send(NEW_JIRA, by="choices", status=422, **{**jira_form(jira), "secrets.token": "a-dead-token"})
    assert {attrs["name"] for _, attrs in page.tags if attrs.get("aria-invalid") == "true"} == {"secrets.token"}
    assert "a-dead-token" not in str(admin.page.text if admin.page else "")
    assert page.form(NEW_JIRA).fields["settings.base_url"] == SITE
    page = await admin.send(NEW_JIRA, by="choices", status=422, **{"settings.project": "NONE"}, **jira_secrets(jira))
    assert {attrs["name"] for _, attrs in page.tags if attrs.get("aria-invalid") == "true"} == {"settings.project"}


async def test_names_are_ticked_on_the_trackers_page_too(at_jira: Circle, jira: JiraServer) -> None:
    await connect_jira(at_jira, jira, fixed_resolutions="Fixed", declined_resolutions="Won't Do, Declined")
    here = "/connections/trackers/1"
    admin = await at(at_jira, here)
    page = await admin.send(f"{here}/settings", by="choices", **{"settings.settle_seconds": "90"})
    assert ticked(page, "fixed_resolutions") == {"Fixed"}, "what is set, and nothing that is only suggested"
    fields = page.form(f"{here}/settings").fields
    assert fields["settings.settle_seconds"] == "90"
    assert fields["settings.declined_resolutions"] == "Declined"
    page = await admin.send(f"{here}/settings", by="preview", **{"settings.fixed_resolutions:Erledigt": "on"})
    assert ticked(page, "fixed_resolutions") == {"Fixed", "Erledigt"}
    page = await admin.send(f"{here}/settings", status=422, **{"settings.settle_seconds": "-1"})
    assert ticked(page, "fixed_resolutions") == {"Fixed", "Erledigt"}
    await admin.send(f"{here}/settings", **{"settings.settle_seconds": "60"})
    settings = (await at_jira.get("/api/v1/trackers/1"))["settings"]
    assert settings["fixed_resolutions"] == "Fixed, Erledigt"
    await admin.open(here)
    page = await admin.send(f"{here}/settings", status=422, **{"settings.fixed_resolutions": "Fixd"})
    wrong = {attrs["name"] for _, attrs in page.tags if attrs.get("aria-invalid") == "true"}
    assert wrong == {"settings.fixed_resolutions"}


async def test_whoever_has_no_names_to_choose_from_has_no_button_for_it(played: Circle) -> None:
    await played.connect_rehearsal()
    admin = await at(played, "/connections/trackers/1")
    for path in ("/connections/trackers/1", "/connections/trackers/new/github", NEW_MASTODON):
        page = await admin.open(path)
        assert "for its choices" not in page.words, path


JIRA_PERMISSIONS = {
    "CREATE_ISSUES": "Create Issues",
    "EDIT_ISSUES": "Edit Issues",
    "LINK_ISSUES": "Link Issues",
    "ADD_COMMENTS": "Add Comments",
}


@pytest.mark.parametrize("right", [*JIRA_PERMISSIONS, "BROWSE_PROJECTS"])
async def test_a_permission_that_jira_does_not_grant_is_named_with_its_screen(
    at_jira: Circle, jira: JiraServer, right: str
) -> None:
    def take_away() -> None:
        jira.world.granted.discard(right)
        jira.world.projects["ACME"].browsable = right != "BROWSE_PROJECTS"

    def is_named(page: Markup) -> None:
        assert JIRA_PERMISSIONS.get(right, "Browse Projects") in page.words
        assert "Project settings > Permissions" in page.words
        assert ("Project settings > Access" in page.words) == (jira.edition == "cloud"), "team-managed: Cloud alone"

    await connect_jira(at_jira, jira)
    take_away()
    admin = await at(at_jira, NEW_JIRA)
    page = await admin.send(NEW_JIRA, status=422, name="Again", **jira_form(jira))
    is_named(page)
    blamed = "settings.project" if right == "BROWSE_PROJECTS" else "secrets.token"
    assert {attrs["name"] for _, attrs in page.tags if attrs.get("aria-invalid") == "true"} == {blamed}
    await admin.open("/connections/trackers/1")
    page = await admin.send("/connections/trackers/1/test")
    assert "It does not work" in page.words
    is_named(page)
    page = await admin.send("/connections/trackers/1/settings", status=422, **{"settings.settle_seconds": "61"})
    is_named(page)


async def test_jiras_webhook_is_set_up_from_the_page_or_described(at_jira: Circle, jira: JiraServer) -> None:
    await connect_jira(at_jira, jira)
    here = "/connections/trackers/1"
    admin = await at(at_jira, here)
    assert "project = ACME" in admin.markup.words, "ready to be pasted"
    assert "Version released" in admin.markup.words
    page = await admin.send(f"{here}/hook", status=422)
    assert "lacks Administer Jira" in page.words
    assert "Settings > System > Global permissions" in page.words
    assert "Settings > System > WebHooks" in page.words
    jira.world.granted.add("ADMINISTER")
    await admin.open(here)
    page = await admin.send(f"{here}/hook")
    assert "The webhook is set up there." in page.words
    [hook] = jira.world.hooks.values()
    assert hook["url"] == "http://fullcircle.test/hooks/trackers/1"
    assert len(hook["secret"]) > 20, "made here"
    assert hook["secret"] not in str(admin.page.text if admin.page else "")
    body = b'{"timestamp": 1, "webhookEvent": "jira:issue_updated", "issue": {"id": "10001"}}'
    headers = signed(body, secret=hook["secret"])
    assert (await at_jira.api.post("/hooks/trackers/1", content=body, headers=headers)).status_code == 202


# --- people


async def test_an_invited_person_comes_in_with_their_role_and_the_link_is_shown_once(played: Circle) -> None:
    admin = await at(played, "/people")
    page = await admin.send("/people/invite", name="Bo", role="approver")
    link = page.values("data-copy")[0]
    page = await admin.open("/people")
    assert "/sign-in/fc_" not in page.words
    assert "Bo, approver" in page.words
    bo = browser(played)
    path = link.removeprefix("http://fullcircle.test")
    page = await bo.open(path)
    assert page.form(path).fields["name"] == "Bo"
    await bo.send(path, password=PASSWORD)
    assert "Bo approver" in " ".join(bo.markup.words.split())
    assert "Bo, approver" not in (await admin.open("/people")).words


async def test_an_invitation_is_withdrawn(played: Circle) -> None:
    admin = await at(played, "/people")
    page = await admin.send("/people/invite", role="triager")
    link = page.values("data-copy")[0]
    action = next(form.action for form in page.forms if form.action.endswith("/withdraw"))
    await admin.send(action)
    await browser(played).open(link, status=404)


async def test_a_token_of_the_api_is_seen_and_revoked(played: Circle) -> None:
    headers = await played.token("triager")
    assert (await played.api.get("/api/v1/posts", headers=headers)).status_code == 200
    admin = await at(played, "/people")
    assert "a triager" in admin.markup.words
    actions = [form.action for form in admin.markup.forms if form.action.endswith("/revoke")]
    await admin.send(actions[0])  # the newest
    assert (await played.api.get("/api/v1/posts", headers=headers)).status_code == 401
    csrf = admin.markup.form("/voice").fields["csrf"]
    session_of_admin = 3
    answer = await admin.http.post(f"/people/tokens/{session_of_admin}/revoke", data={"csrf": csrf})
    assert answer.status_code == 404, "a session is no token of the API"


async def test_a_name_that_is_taken_and_a_role_that_is_none_are_said_at_the_field(played: Circle) -> None:
    admin = await at(played, "/people")
    page = await admin.send("/people/invite", name="admin kim", role="triager", status=422)
    assert "There is a admin kim already" in page.words
    assert page.form("/people/invite").fields["name"] == "admin kim"
    await admin.send("/people/invite", name="Bo", role="emperor", status=422)


async def test_another_role_counts_at_once_and_the_last_admin_stays_one(played: Circle) -> None:
    admin, bo = await at(played, "/people"), await signed_in(played, "triager", name="Bo")
    async with played.river.db.read() as session:
        ids = {member.name: member.id for member in await members.members(session)}
    await admin.open("/people")
    await admin.send(f"/people/{ids['Bo']}/role", role="approver")
    assert "Bo approver" in " ".join((await bo.open("/")).words.split())
    await admin.open("/people")
    page = await admin.send(f"/people/{ids['Admin Kim']}/role", role="triager", status=409)
    assert "is the only admin" in page.words
    await admin.open("/people")
    await admin.send(f"/people/{ids['Admin Kim']}/disable", status=409)
    await admin.open("/people")
    await admin.send(f"/people/{ids['Bo']}/disable")
    await bo.open("/")
    assert bo.path == "/sign-in"
    await admin.open("/people")
    await admin.send(f"/people/{ids['Bo']}/enable")
    bo = await signed_in(played, "approver", name="Bo")
    await admin.open("/people")
    await admin.send(f"/people/{ids['Bo']}/sign-out")
    await bo.open("/")
    assert bo.path == "/sign-in"


async def test_who_forgot_their_password_gets_a_link_for_a_new_one(played: Circle) -> None:
    admin, bo = await at(played, "/people"), await signed_in(played, "triager", name="Bo")
    async with played.river.db.read() as session:
        found = await members.member_by_name(session, "Bo")
    assert found is not None
    await admin.open("/people")
    page = await admin.send(f"/people/{found.id}/link")
    link = page.values("data-copy")[0]
    fresh = browser(played)
    path = link.removeprefix("http://fullcircle.test")
    assert "Choose a new password, Bo" in (await fresh.open(path)).words
    await fresh.send(path, password=PASSWORD)
    assert fresh.path == "/"
    await bo.open("/")
    assert bo.path == "/sign-in", "whoever was signed in before is not any more"
    assert await people.sign_in(played.river, name="bo", password=PASSWORD, address="a", browser="b")


async def test_ones_own_password_and_sessions(played: Circle) -> None:
    async with played.river.db.begin() as session:
        token = await members.make_token(
            session, name="", role="triager", now=played.clock(), kind="link", lives=people.LINK_LIVES
        )
    await people.sign_up(played.river, token, name="Bo", password=PASSWORD, browser="Firefox on Linux")
    one, other, third = [await signed_in(played, "triager", name="Bo") for _ in range(3)]
    page = await one.open("/people/me")
    assert "Firefox on Linux" in page.words
    ends = [
        form.action for form in page.forms if form.action.endswith("/end") and form.action != "/people/me/sessions/end"
    ]
    assert len(ends) == 3, "not this one"
    await one.send(ends[0])
    await third.open("/")
    assert third.path == "/sign-in"
    page = await one.send("/people/me/password", old="wrong", new="another good one", status=422)
    assert "not your present password" in page.words
    page = await one.send("/people/me/password", old=PASSWORD, new="short", status=422)
    assert "At least 10 characters" in page.words
    page = await one.send("/people/me/password", old=PASSWORD, new="another good one")
    assert "Your password is changed" in page.words
    await other.open("/")
    assert other.path == "/sign-in"
    await one.open("/people/me")
    assert one.path == "/people/me"
    assert await people.sign_in(played.river, name="Bo", password="another good one", address="a", browser="b")
    kim = await signed_in(played, "admin")
    csrf = (await kim.open("/")).form("/voice").fields["csrf"]
    answer = await kim.http.post("/people/me/sessions/2/end", data={"csrf": csrf})
    assert answer.status_code == 404, "nobody ends another's session there"


async def test_a_policy_is_tried_out_before_it_is_saved(played: Circle) -> None:
    await lively(played)
    await Board(played.stage, "main").close(3, outcome="completed", now=played.clock())
    admin = await signed_in(played, "admin")
    here = "/connections/trackers/1"
    await admin.open(here)
    page = await admin.send(f"{here}/settings", by="preview")
    assert "1 customer would be told, 1 would go on waiting." in page.words, "the second waits for its approval only"
    assert "no release contains" in page.words
    page = await admin.send(f"{here}/settings", by="preview", **{"settings.shipped_when": "closed"})
    assert "2 customers would be told" in page.words
    assert "not saved" in page.words
    assert page.form(f"{here}/settings").fields["settings.shipped_when"] == "closed", "what was chosen stays chosen"
    assert (await played.get("/api/v1/trackers/1"))["settings"]["shipped_when"] == "release"
    page = await admin.send(f"{here}/settings", by="preview", status=422, **{"settings.settle_seconds": "-1"})
    assert any(attrs.get("aria-invalid") for _, attrs in page.tags)
    page = await admin.send(f"{here}/settings", **{"settings.settle_seconds": "60"})
    assert "Saved, and it works." in page.words

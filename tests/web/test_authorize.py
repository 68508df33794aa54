"""Connecting over a network's own page: there and back once, in one browser, in time; and every way back in vain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from app.ports import OutsideError
from app.steps import authorize
from tests.support import on_both, story
from tests.support.circle import Circle, circle
from tests.support.pages import Browser, Markup, signed_in
from tests.support.permit import CLIENT, PAGE, Office, installed

databases = on_both.databases

NEW = "/connections/accounts/new/permit"
CALLBACK = "/accounts/authorized"
CLIENTS = {f"secrets.{name}": value for name, value in CLIENT.items()}


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url) as made:
        yield made


@pytest.fixture
def office(played: Circle) -> Office:
    return installed(played)


@pytest.fixture
async def admin(played: Circle, office: Office) -> Browser:
    return await signed_in(played, "admin")


def leads_to(page: Markup) -> str:
    """The network's page, to which a browser is led on by itself, and by a link."""
    [refresh] = [attrs["content"] for tag, attrs in page.tags if tag == "meta" and attrs.get("http-equiv") == "refresh"]
    assert refresh is not None
    url = refresh.removeprefix("0; url=")
    assert url in page.values("href")
    return url


async def sent_out(admin: Browser, **typed: Any) -> str:
    """Fill in the form, and go; returns the address of the network's page."""
    await admin.open(NEW)
    page = await admin.send(NEW, by="/authorize", **{"name": "Acme", **CLIENTS, **typed})
    assert admin.path.startswith("/connections/accounts/consent/")
    return leads_to(page)


async def back(admin: Browser, answer: dict[str, str], *, status: int = 200) -> Markup:
    """Come back from the network: a link of another website, without anything but the cookie."""
    admin.page = await admin.http.get(
        CALLBACK, params=answer, headers={"Sec-Fetch-Site": "cross-site"}, follow_redirects=True
    )
    assert admin.page.status_code == status, admin.page.text
    return admin.markup


async def stored(played: Circle) -> str:
    """Everything that the database holds about accounts and consents."""
    async with played.river.db.read() as session:
        rows = [
            tuple(row)
            for table in ("account", "consent")
            for row in await session.execute(text(f"SELECT * FROM {table}"))
        ]
    return str(rows)


async def test_an_admin_goes_there_and_comes_back_connected(played: Circle, office: Office, admin: Browser) -> None:
    form = await admin.open(NEW)
    assert "http://fullcircle.test/accounts/authorized" in form.words, "to be entered on the other side"
    url = await sent_out(admin, **{"settings.scene": "plaza", "wording.product": "Acme App", "mode": "automatic"})
    asked = parse_qs(urlsplit(url).query)
    assert url.startswith(PAGE)
    assert asked["redirect_uri"] == ["http://fullcircle.test/accounts/authorized"]
    before = await stored(played)
    assert CLIENT["client_secret"] not in before
    assert asked["state"][0] not in before, "sealed, and known again by its digest"

    page = await back(admin, office.agree(url, as_="acme", now=played.clock()))
    assert admin.path == "/connections/accounts/1?did=connected"
    assert "Connected. It is read from now on." in page.words
    account = await played.get("/api/v1/accounts/1")
    assert (account["handle"], account["mode"]) == ("acme", "automatic")
    assert (account["settings"]["scene"], account["settings"]["product"]) == ("plaza", "Acme App")
    assert "permit-1" not in await stored(played)
    assert (await played.get("/api/v1/accounts/1/health"))["ok"]
    await story.square(played).say(story.StagedPost(handle="ana", text="It hangs", at=played.clock()))
    async with played.river.db.read() as session:
        assert (await session.execute(text("SELECT count(*) FROM consent"))).scalar_one() == 0


async def test_what_connecting_cost_is_counted(played: Circle, office: Office, admin: Browser) -> None:
    url = await sent_out(admin, **{"settings.monthly_budget_usd": "0"})
    await back(admin, office.agree(url, as_="acme", now=played.clock()))
    async with played.river.db.read() as session:
        assert (await session.execute(text("SELECT micros FROM spending"))).scalar_one() == 1000


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("denied", "Permit did not let us in (access_denied), so nothing was changed."),
        ("nonsense", "Permit did not let us in (it gave no reason), so nothing was changed."),
        ("late code", "The code is used up or expired"),
        ("late", "longer than ten minutes"),
        ("strayed", "not sent from here"),
    ],
)
async def test_whoever_comes_back_in_vain_finds_the_form_as_it_was(
    played: Circle, office: Office, admin: Browser, way: str, why: str
) -> None:
    url = await sent_out(admin, **{"settings.scene": "plaza", "mode": "automatic"})
    answer = office.agree(url, as_="acme", now=played.clock())
    match way:
        case "denied":
            answer = {"state": answer["state"], "error": "access_denied"}
        case "nonsense":
            answer = {"state": answer["state"], "error": "<script>"}
        case "late code":
            played.clock.move(seconds=31)
        case "late":
            played.clock.move(minutes=11)
        case "strayed":
            answer["state"] = "of-somebody-else"
    page = await back(admin, answer)
    assert urlsplit(admin.path).path == NEW
    assert "code" not in admin.path
    assert why in page.words
    assert (await played.get("/api/v1/accounts"))["items"] == []
    assert CLIENT["client_secret"] not in (admin.page.text if admin.page else "")
    fields = page.form(NEW).fields
    assert (fields["name"], fields["settings.scene"], fields["mode"]) == ("Acme", "plaza", "automatic")

    page = await admin.send(NEW, by="/authorize")
    await back(admin, office.agree(leads_to(page), as_="acme", now=played.clock()))
    assert admin.path == "/connections/accounts/1?did=connected", "the client's secrets need not be entered again"


async def test_a_state_is_good_for_one_use_in_the_browser_that_was_sent_out(
    played: Circle, office: Office, admin: Browser
) -> None:
    answer = office.agree(await sent_out(admin), as_="acme", now=played.clock())
    other = await signed_in(played, "admin", name="Another Admin")
    page = await back(other, answer)
    assert other.path.startswith("/connections?did=strayed")
    assert "not sent from here" in page.words
    same_person = await signed_in(played, "admin")
    await back(same_person, answer)
    assert same_person.path.startswith("/connections?did=strayed"), "another browser of the same admin"
    assert office.exchanges == 0
    await back(admin, answer)
    assert admin.path == "/connections/accounts/1?did=connected"
    await back(admin, answer)
    assert (office.exchanges, len((await played.get("/api/v1/accounts"))["items"])) == (1, 1)


async def test_a_strange_state_does_not_take_the_way_from_whom_was_sent_out(
    played: Circle, office: Office, admin: Browser
) -> None:
    url = await sent_out(admin)
    await back(admin, {"state": "nobody-made-this", "code": "code-7"})
    await back(admin, office.agree(url, as_="acme", now=played.clock()))
    assert admin.path == "/connections/accounts/1?did=connected"


async def test_whoever_was_refused_is_not_let_in_by_the_same_state_again(
    played: Circle, office: Office, admin: Browser
) -> None:
    answer = office.agree(await sent_out(admin), as_="acme", now=played.clock())
    await back(admin, {"state": answer["state"], "error": "access_denied"})
    page = await back(admin, answer)
    assert "taken up already" in page.words
    assert (office.exchanges, (await played.get("/api/v1/accounts"))["items"]) == (0, [])


async def test_only_admins_go_and_come_back(played: Circle, office: Office, admin: Browser) -> None:
    url = await sent_out(admin)
    consent = urlsplit(admin.path).path
    answer = office.agree(url, as_="acme", now=played.clock())
    for role in ("triager", "engineer", "approver"):
        visitor = await signed_in(played, role)
        for path in (CALLBACK, consent):
            assert (await visitor.http.get(path, params=answer)).status_code == 403, (role, path)
    stranger = Browser(admin.http.__class__(transport=played.api._transport, base_url="http://fullcircle.test"))
    refused = await stranger.http.get(CALLBACK, params=answer)
    assert refused.status_code == 401
    assert answer["code"] not in refused.text
    assert "not signed in" in refused.text
    other = await signed_in(played, "admin", name="Another Admin")
    assert (await other.http.get(consent)).status_code == 404, "another browser's way"
    assert office.exchanges == 0


async def test_tokens_that_one_has_already_are_taken_as_ever(played: Circle, office: Office, admin: Browser) -> None:
    office.permits["mine"] = "acme"
    page = await admin.open(NEW)
    assert "I have tokens already" in page.words
    page = await admin.send(NEW, name="Acme", **CLIENTS, status=422)
    assert "The permit was taken back" in page.words
    await admin.send(NEW, name="Acme", **CLIENTS, **{"secrets.access_token": "mine"})
    assert admin.path == "/connections/accounts/1?did=connected"


async def test_a_form_that_cannot_be_used_leads_nowhere(played: Circle, office: Office, admin: Browser) -> None:
    await admin.open(NEW)
    page = await admin.send(NEW, by="/authorize", name="", **CLIENTS, status=422)
    assert "What shall it be called" in page.words
    page = await admin.send(NEW, by="/authorize", name="Acme", **{"settings.scene": "Nonsense!"}, status=422)
    assert "This is needed." in page.words
    wrong = {attrs["name"] for _, attrs in page.tags if attrs.get("aria-invalid") == "true"}
    assert wrong == {"settings.scene", "secrets.client_id", "secrets.client_secret"}


async def test_a_channel_without_such_a_page_says_so(played: Circle, office: Office, admin: Browser) -> None:
    await admin.open("/connections/accounts/new/rehearsal")
    csrf = admin.markup.form("/connections/accounts/new/rehearsal").fields["csrf"]
    answer = await admin.http.post(
        "/connections/accounts/new/rehearsal/authorize",
        data={"csrf": csrf, "name": "Acme"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 409
    assert "has no page to let us in on" in answer.text


# --- connecting again


AGAIN = "/connections/accounts/1/secrets"


@pytest.fixture
async def connected(played: Circle, office: Office, admin: Browser) -> Circle:
    """An account that lost its access, with a reply that waits for it."""
    url = await sent_out(admin, mode="automatic")
    await back(admin, office.agree(url, as_="acme", now=played.clock()))
    await played.post("/api/v1/trackers", {"kind": "rehearsal", "name": "Acme app"}, status=201)
    [post] = await story.complaints(played, 1)
    await story.tag(played, post)
    office.permits.clear()
    await story.ship(played)
    await played.rest()
    return played


async def test_an_account_is_connected_again_and_what_waited_is_said_once(
    connected: Circle, office: Office, admin: Browser
) -> None:
    assert await story.said(connected) == []
    page = await admin.open("/connections/accounts/1")
    assert "The permit was taken back." in page.words
    page = await admin.send(AGAIN, by="/authorize")
    await back(admin, office.agree(leads_to(page), as_="acme", now=connected.clock()))
    assert admin.path == "/connections/accounts/1?did=connected"
    await connected.rest()
    assert len(await story.said(connected)) == 1
    assert (await connected.get("/api/v1/accounts/1"))["ok"]
    assert len((await connected.get("/api/v1/accounts"))["items"]) == 1


async def test_a_new_secret_of_the_client_leaves_the_access_as_it_is(
    connected: Circle, office: Office, admin: Browser
) -> None:
    await admin.open("/connections/accounts/1")
    page = await admin.send(AGAIN, by="/authorize")
    await back(admin, office.agree(leads_to(page), as_="acme", now=connected.clock()))
    await connected.call("PATCH", "/api/v1/accounts/1", {"secrets": {"client_secret": "a-new-one"}})
    assert (await connected.get("/api/v1/accounts/1/health"))["ok"]
    row = await authorize.connect.account(connected.river, 1)
    assert await connected.river.outside.keeper(row).kept()


async def test_another_profile_is_not_taken_in_its_place(connected: Circle, office: Office, admin: Browser) -> None:
    await admin.open("/connections/accounts/1")
    page = await admin.send(AGAIN, by="/authorize")
    page = await back(admin, office.agree(leads_to(page), as_="mallory", now=connected.clock()))
    assert "These credentials belong to mallory, not to acme" in page.words
    await connected.rest()
    assert await story.said(connected) == []
    page = await admin.send(AGAIN, by="/authorize")
    await back(admin, office.agree(leads_to(page), as_="acme", now=connected.clock()))
    await connected.rest()
    assert len(await story.said(connected)) == 1


async def test_a_new_client_is_entered_on_the_way_and_kept_where_that_is_refused(
    connected: Circle, office: Office, admin: Browser
) -> None:
    await admin.open("/connections/accounts/1")
    page = await admin.send(AGAIN, by="/authorize", **{"secrets.client_secret": "a-new-one"})
    page = await back(admin, {"state": parse_qs(urlsplit(leads_to(page)).query)["state"][0], "error": "access_denied"})
    assert "did not let us in (access_denied)" in page.words
    page = await admin.send(AGAIN, by="/authorize")
    await back(admin, office.agree(leads_to(page), as_="acme", now=connected.clock()))
    row = await authorize.connect.account(connected.river, 1)
    assert connected.river.outside.opened(row) == {**CLIENT, "client_secret": "a-new-one"}


async def test_an_account_that_was_removed_meanwhile_stays_removed(
    connected: Circle, office: Office, admin: Browser
) -> None:
    await admin.open("/connections/accounts/1")
    page = await admin.send(AGAIN, by="/authorize")
    await connected.call("DELETE", "/api/v1/accounts/1", status=204)
    await back(admin, office.agree(leads_to(page), as_="acme", now=connected.clock()), status=404)
    assert (await connected.get("/api/v1/accounts"))["items"] == []


async def test_secrets_that_nobody_came_back_for_are_forgotten(played: Circle, office: Office, admin: Browser) -> None:
    await sent_out(admin)
    consent = urlsplit(admin.path).path
    played.clock.move(minutes=29)
    await played.rest()
    async with played.river.db.read() as session:
        assert (await session.execute(text("SELECT count(*) FROM consent"))).scalar_one() == 1
    played.clock.move(minutes=2)
    assert (await admin.http.get(consent)).status_code == 404
    await played.rest()
    async with played.river.db.read() as session:
        assert (await session.execute(text("SELECT count(*) FROM consent"))).scalar_one() == 0
    page = await admin.open(f"{NEW}?again=1")
    assert page.form(NEW).fields["name"] == ""


async def test_a_channel_that_cannot_name_its_page_says_why_on_the_form(
    played: Circle, office: Office, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_self: object, **_asked: str) -> str:
        raise OutsideError("the address of Permit is none of the web", "misconfigured")

    monkeypatch.setattr(played.river.outside.registry.channels["permit"], "authorization_url", fails)
    await admin.open(NEW)
    page = await admin.send(NEW, by="/authorize", name="Acme", **CLIENTS, status=422)
    assert "The address of Permit is none of the web" in page.words


# --- how an account is


async def test_the_end_of_access_is_told_a_week_before_and_what_is_not_known_is_said_to_be(
    played: Circle, office: Office, admin: Browser
) -> None:
    office.permits["mine"], office.quota = "acme", {}
    await admin.open(NEW)
    page = await admin.send(NEW, name="Acme", **CLIENTS, **{"secrets.access_token": "mine"})
    for words in ("Last read", "never", "Last said", "nothing yet", "Access ends", "not told", "$0.001 of $5.00"):
        assert words in page.words, words
    office.quota = {"remaining": 74, "limit": 75}
    for days, dot in ((8, ""), (6, "wait"), (-1, "wait")):
        office.expires_at = played.clock() + timedelta(days=days)
        await played.get("/api/v1/accounts/1/health")
        for path in ("/connections/accounts/1", "/connections"):
            page = await admin.open(path)
            dots = [attrs["class"] for _, attrs in page.tags if (attrs.get("class") or "").split()[:1] == ["dot"]]
            assert f"dot {dot}" in dots, (days, path)
            assert ("connect it again" in page.words.lower()) == bool(dot), (days, path)
            assert ("has ended" in page.words) == (days < 0), (days, path)
    assert "remaining 74 · limit 75 as of" in " ".join((await admin.open("/connections")).words.split())
    metrics = (await played.api.get("/metrics")).text
    assert 'fullcircle_account_access_ends_timestamp_seconds{account="1",name="Acme"}' in metrics

"""Coming in and going out, as browsers do it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.steps import people
from app.store import members
from app.web.forms import MAX_FIELDS
from tests.support.circle import Circle, circle
from tests.support.pages import Browser, browser, signed_in

PASSWORD = "correct horse battery"
PRODUCTION = people._passwords


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url) as made:
        yield made


async def link(played: Circle, *, role: str = "admin", name: str = "first start") -> str:
    async with played.river.db.begin() as session:
        token = await members.make_token(
            session, name=name, role=role, now=played.clock(), kind="link", lives=timedelta(days=7)
        )
    return f"/sign-in/{token}"


async def joined(played: Circle, *, name: str = "Kim", role: str = "admin") -> Browser:
    """A browser of somebody who took up a link."""
    made = browser(played)
    address = await link(played, role=role)
    await made.open(address)
    await made.send(address, name=name, password=PASSWORD)
    return made


async def test_the_first_link_makes_an_admin_once(played: Circle) -> None:
    kim = browser(played)
    assert "Nobody has signed up yet" in (await kim.open("/")).words
    address = await link(played)
    page = await kim.open(address)
    assert "admin" in page.words
    page = await kim.send(address, name=" Kim  Doe ", password=PASSWORD)
    assert kim.path == "/"
    assert "Kim Doe" in page.words
    assert "used already" in (await browser(played).open(address, status=404)).words
    assert "Sign in" in (await browser(played).open("/")).words


async def test_the_session_cookie_is_kept_from_scripts_and_other_sites(played: Circle) -> None:
    kim = browser(played)
    address = await link(played)
    answer = await kim.http.post(address, data={"name": "Kim", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie, "served over plain http here"
    played.river.outside.base_url = "https://fullcircle.test"
    address = await link(played)
    cookie = (await kim.http.post(address, data={"name": "Bo", "password": PASSWORD})).headers["set-cookie"]
    assert cookie.startswith("__Host-fullcircle=")
    assert "Secure" in cookie


@pytest.mark.parametrize(
    ("name", "password", "why"),
    [
        ("", PASSWORD, "What shall we call you?"),
        ("x" * 81, PASSWORD, "At most 80 characters"),
        ("Kim", "short", "At least 10 characters"),
        ("Kim", "aaaaaaaaaaaaaa", "first thing somebody else would try"),
        ("Kim Possible", "kim possible", "first thing somebody else would try"),
        ("TAKEN", PASSWORD, "There is a TAKEN already"),
    ],
)
async def test_what_cannot_be_used_is_said_at_its_field_and_the_link_still_works(
    played: Circle, name: str, password: str, why: str
) -> None:
    await joined(played, name="Taken")
    kim = browser(played)
    address = await link(played)
    await kim.open(address)
    page = await kim.send(address, name=name, password=password, status=422)
    assert why in page.words
    assert any(attrs.get("aria-invalid") == "true" for _, attrs in page.tags)
    assert page.form(address).fields["name"] == name
    assert page.form(address).fields["password"] == "", "a password is never sent back"
    await kim.send(address, name="Kim", password=PASSWORD)
    assert kim.path == "/"


def test_passwords_are_hashed_with_argon2id_at_its_recommended_cost() -> None:
    assert PRODUCTION.hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_password_hashed_at_a_lower_cost_is_hashed_anew_when_its_owner_comes_in(
    played: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    await joined(played)
    monkeypatch.setattr(people, "_passwords", PRODUCTION)
    await people.sign_in(played.river, name="Kim", password=PASSWORD, address="a", browser="b")
    async with played.river.db.read() as session:
        found = await members.member_by_name(session, "Kim")
    assert found is not None
    assert "m=65536" in found.password_hash


async def test_name_and_password_let_in_whatever_the_case_of_the_name(played: Circle) -> None:
    await joined(played, name="Åsa")
    asa = browser(played)
    await asa.open("/triage?state=dismissed")
    assert asa.path.startswith("/sign-in?next=")
    await asa.send("/sign-in", name=" åSA ", password=PASSWORD)
    assert asa.path == "/triage?state=dismissed"


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(played: Circle) -> None:
    await joined(played)
    said = []
    for name in ("Kim", "Nobody"):
        stranger = browser(played)
        await stranger.open("/sign-in")
        page = await stranger.send("/sign-in", name=name, password="wrong but long enough", status=403)
        said.append(page.words.replace(name, ""))
        assert page.form("/sign-in").fields["name"] == name
        await stranger.open("/")
        assert stranger.path == "/sign-in"
    assert said[0] == said[1]
    assert "do not belong together" in said[0]


async def test_after_several_wrong_passwords_one_has_to_wait(played: Circle) -> None:
    await joined(played)
    stranger = browser(played)
    await stranger.open("/sign-in")
    for _ in range(5):
        await stranger.send("/sign-in", name="Kim", password="a wrong password", status=403)
    page = await stranger.send("/sign-in", name="kim", password=PASSWORD, status=403)
    assert "Too many tries" in page.words
    played.clock.move(minutes=1)
    await stranger.send("/sign-in", name="Kim", password=PASSWORD)
    assert stranger.path == "/"


async def test_a_stranger_elsewhere_cannot_keep_a_member_out(played: Circle) -> None:
    await joined(played)
    for _ in range(5):
        with pytest.raises(people.NotLetInError):
            await people.sign_in(played.river, name="Kim", password="guess", address="198.51.100.7", browser="")
    with pytest.raises(people.NotLetInError, match="Too many"):
        await people.sign_in(played.river, name="Kim", password=PASSWORD, address="198.51.100.7", browser="")
    assert await people.sign_in(played.river, name="Kim", password=PASSWORD, address="203.0.113.9", browser="")


async def test_coming_in_often_from_one_address_is_no_offence(played: Circle) -> None:
    await joined(played)
    for _ in range(people.FREE_TRIES["address"] + 2):
        row_keys = people._throttle_keys("Kim", "proxy")
        async with played.river.db.begin() as session:
            assert await people._count_try(session, row_keys, now=played.clock()) is None
            await people._forgive(session, row_keys, now=played.clock())


async def test_signing_out_ends_the_session_on_the_server(played: Circle) -> None:
    kim = await joined(played)
    cookies = dict(kim.http.cookies)
    await kim.open("/")
    await kim.send("/sign-out")
    assert kim.path == "/sign-in"
    kim.http.cookies.update(cookies)
    await kim.open("/")
    assert kim.path == "/sign-in", "the cookie alone lets nobody in any more"


async def test_a_session_ends_by_itself_and_with_its_member(played: Circle) -> None:
    kim, bo = await joined(played, name="Kim"), await joined(played, name="Bo")
    played.clock.move(days=29)
    await kim.open("/")
    assert kim.path == "/"
    async with played.river.db.read() as session:
        found = await members.member_by_name(session, "Bo")
    assert found is not None
    await people.disable(played.river, found.id, actor="Kim")
    await bo.open("/")
    assert bo.path == "/sign-in"
    played.clock.move(days=2)
    await kim.open("/")
    assert kim.path == "/sign-in"


@pytest.mark.parametrize("onwards", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "x"])
async def test_signing_in_leads_to_no_other_host(played: Circle, onwards: str) -> None:
    await joined(played)
    kim = browser(played)
    await kim.open("/sign-in")
    await kim.send("/sign-in", name="Kim", password=PASSWORD, next=onwards)
    assert kim.path == "/"


async def test_a_form_from_elsewhere_or_from_another_session_does_nothing(played: Circle) -> None:
    kim, bo = await signed_in(played, "admin"), await signed_in(played, "admin", name="Bo")
    theirs = (await bo.open("/")).form("/voice").fields["csrf"]
    own = (await kim.open("/")).form("/voice").fields["csrf"]
    assert theirs != own
    same_site = {"Sec-Fetch-Site": "same-origin"}
    for headers, csrf in (
        ({"Sec-Fetch-Site": "cross-site"}, own),
        ({"Sec-Fetch-Site": "same-site"}, own),
        ({"Origin": "https://elsewhere.example"}, own),
        ({"Origin": "null"}, own),
        (same_site, theirs),
        (same_site, ""),
    ):
        answer = await kim.http.post("/voice", data={"on": "no", "csrf": csrf}, headers=headers)
        assert answer.status_code == 403, (headers, answer.text)
    for address in ("/sign-in", await link(played)):
        answer = await kim.http.post(
            address, data={"name": "a", "password": "b"}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status_code == 403
    assert (await played.get("/api/v1/voice"))["on"] is True
    await kim.http.post("/voice", data={"on": "no", "csrf": own}, headers=same_site)
    assert (await played.get("/api/v1/voice"))["on"] is False


async def test_only_a_form_of_a_bearable_size_is_read(played: Circle) -> None:
    kim = await signed_in(played, "admin")
    csrf = (await kim.open("/")).form("/voice").fields["csrf"]
    assert (await kim.http.post("/voice", data={"csrf": csrf, "on": "x" * 600_000})).status_code == 413
    assert (
        await kim.http.post("/voice", data={"csrf": csrf, **{str(n): "" for n in range(MAX_FIELDS)}})
    ).status_code == 400
    assert (await kim.http.post("/voice", json={"csrf": csrf})).status_code == 415
    garbled = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await kim.http.post("/voice", content=b"csrf=%ff\xff%00&&==", headers=garbled)
    assert answer.status_code == 403


async def test_the_switch_of_the_public_voice_is_on_every_page_and_only_some_turn_it_on(played: Circle) -> None:
    triager, approver = await signed_in(played, "triager"), await signed_in(played, "approver")
    await triager.open("/?of=this")
    page = await triager.send("/voice", on="no")
    assert triager.path == "/?of=this"
    assert "Public voice off" in page.words
    assert page.form("/voice").disabled
    assert "Only an approver" in (await triager.send("/voice", on="yes", status=403)).words
    await approver.open("/")
    assert "Public voice on" in (await approver.send("/voice", on="yes")).words

"""GitHub as an app: its word, its tokens of an hour, and what it says when something is missing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from pydantic import ValidationError

from app.ports import OutsideError
from app.trackers import github
from app.trackers.github import GitHubSecrets, GitHubSettings
from tests.support.github_app import PERMISSIONS, add_app, app_tracker, key_pair
from tests.support.github_server import Fault, GitHubServer
from tests.support.github_tracker import tracker
from tests.support.github_world import App, Clock, GitHubWorld, Token

APP = "acme/app"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
BLOCK = "### 3 customers wait\n\n<!-- fullcircle:issue-7 -->"


@pytest.fixture
def world(tmp_path: Path) -> GitHubWorld:
    made = GitHubWorld(tmp_path, clock=Clock(START, step=timedelta()))
    made.create_repository(APP, private=True)
    return made


@pytest.fixture
def app(world: GitHubWorld) -> App:
    return add_app(world, APP)


def calls(server: GitHubServer, part: str) -> int:
    return sum(part in path for _, path, _ in server.requests)


# Connecting


async def test_an_app_connects_finds_its_installation_and_says_what_it_may_do(
    server: GitHubServer, http: httpx.AsyncClient, app: App
) -> None:
    project = await app_tracker(server, app, http=http, facts={}, remote_id="").connect()
    assert project.name == APP
    assert project.facts["login"] == "fullcircle[bot]"
    assert [int(project.facts["installation_id"])] == list(app.installations)
    assert project.scopes == ("contents: read", "issues: write", "metadata: read", "pull_requests: read")


async def test_a_known_installation_is_not_looked_for(server: GitHubServer, http: httpx.AsyncClient, app: App) -> None:
    (number,) = app.installations
    await app_tracker(server, app, http=http, installation_id=str(number)).connect()
    project = await app_tracker(server, app, http=http, facts={"installation_id": str(number)}).connect()
    assert project.facts["installation_id"] == str(number)
    assert calls(server, "/installation") - calls(server, "/installations/") == 0


async def test_an_app_that_was_installed_anew_is_found_again(
    server: GitHubServer, world: GitHubWorld, http: httpx.AsyncClient, app: App
) -> None:
    (before,) = app.installations
    now = world.install_app(str(app.id), [APP])
    project = await app_tracker(server, app, http=http, facts={"installation_id": str(before)}).connect()
    assert project.facts["installation_id"] == str(now)


async def test_what_an_app_writes_is_its_own_and_found_again(
    server: GitHubServer, http: httpx.AsyncClient, app: App
) -> None:
    watching = app_tracker(server, app, http=http, facts={})
    made = await watching.create(title="Export loses tables", body="As reported.", marker="loop-7")
    assert await watching.find_created(marker="loop-7", since=START) == made
    handle = await watching.show(made, block=BLOCK, handle=None)
    assert await watching.show(made, block=BLOCK, handle=None) == handle
    assert {entry["login"] for entry in server.ledger} == {"fullcircle[bot]"}


# Its word


def test_the_apps_word_is_backdated_and_good_for_less_than_ten_minutes() -> None:
    private, public = key_pair()
    text = github.app_jwt("123", private, now=START)
    unchecked = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(text, public, algorithms=["RS256"], options=unchecked)
    assert claims["iss"] == "123"
    assert START.timestamp() - claims["iat"] == 60
    assert 0 < claims["exp"] - START.timestamp() <= 600
    assert jwt.get_unverified_header(text)["alg"] == "RS256"


# Its tokens


async def test_one_token_serves_until_a_minute_before_its_end(
    server: GitHubServer, world: GitHubWorld, http: httpx.AsyncClient, app: App
) -> None:
    watching = app_tracker(server, app, http=http)
    number = world.open_issue(APP, "Export loses tables")
    await watching.find(f"#{number}")
    world.clock.advance(timedelta(minutes=58, seconds=59))
    await watching.find(f"#{number}")
    assert app.tokens_made == 1
    world.clock.advance(timedelta(seconds=1))
    await watching.find(f"#{number}")
    assert app.tokens_made == 2
    assert not [status for _, _, status in server.requests if status == 401]


async def test_many_who_need_a_token_at_once_share_one(
    server: GitHubServer, world: GitHubWorld, http: httpx.AsyncClient, app: App
) -> None:
    server.faults.append(Fault("slow", seconds=0.01, count=99))
    watching = app_tracker(server, app, http=http)
    number = world.open_issue(APP, "Export loses tables")
    await asyncio.gather(*(watching.find(f"#{number}") for _ in range(10)))
    assert app.tokens_made == 1
    world.tokens = {name: token for name, token in world.tokens.items() if not token.is_app}
    await asyncio.gather(*(watching.find(f"#{number}") for _ in range(10)))
    assert app.tokens_made == 2


async def test_a_token_that_ended_early_is_renewed_once_and_the_write_is_done_once(
    server: GitHubServer, world: GitHubWorld, http: httpx.AsyncClient, app: App
) -> None:
    watching = app_tracker(server, app, http=http)
    issue = await watching.find(f"#{world.open_issue(APP, 'Export loses tables')}")
    world.tokens = {name: token for name, token in world.tokens.items() if not token.is_app}
    await watching.tell(issue, text="Still broken", marker="notice-1")
    assert app.tokens_made == 2
    assert len(world.issue(APP, 1).comments) == 1


async def test_where_the_new_token_is_refused_too_it_says_so_and_asks_no_more(
    server: GitHubServer, world: GitHubWorld, http: httpx.AsyncClient, app: App
) -> None:
    watching = app_tracker(server, app, http=http)
    server.faults.append(Fault("401", path="/issues/1$", count=9))
    world.open_issue(APP, "Export loses tables")
    with pytest.raises(OutsideError) as raised:
        await watching.find("#1")
    assert raised.value.kind == "auth_broken"
    assert "refuses the app" in raised.value.message
    assert calls(server, "/issues/1") == 2
    assert app.tokens_made == 2


async def test_a_token_of_a_person_is_not_tried_twice(server: GitHubServer, http: httpx.AsyncClient) -> None:
    with pytest.raises(OutsideError):
        await tracker(server, http=http, token="token-dead").connect()
    assert len(server.requests) == 1


async def test_a_rate_limit_on_the_way_to_a_token_is_a_rate_limit(
    server: GitHubServer, world: GitHubWorld, http: httpx.AsyncClient, app: App
) -> None:
    server.faults.append(Fault("retry-after", path="/access_tokens"))
    with pytest.raises(OutsideError) as raised:
        await app_tracker(server, app, http=http).connect()
    assert raised.value.kind == "rate_limited"
    assert raised.value.retry_at == world.clock.now() + timedelta(seconds=77)


async def test_a_lost_answer_on_the_way_to_a_token_leaves_nothing_in_doubt(
    server: GitHubServer, world: GitHubWorld, http: httpx.AsyncClient, app: App
) -> None:
    watching = app_tracker(server, app, http=http)
    issue = await watching.find(f"#{world.open_issue(APP, 'Export loses tables')}")
    world.clock.advance(timedelta(hours=2))
    server.faults.append(Fault("lost", path="/access_tokens"))
    with pytest.raises(OutsideError) as raised:
        await watching.show(issue, block=BLOCK, handle="1")
    assert (raised.value.kind, raised.value.in_flight) == ("transient", False)
    assert not server.ledger


async def test_an_older_server_opens_an_installation_in_the_older_version() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        version = request.headers["x-github-api-version"]
        asked.append(f"{request.url.path} {version}")
        if version != "2022-11-28":
            return httpx.Response(400, json={"message": f"'{version}' is not a supported version"})
        if request.url.path.endswith("/installation"):
            return httpx.Response(200, json={"id": 5})
        if request.url.path.endswith("/access_tokens"):
            return httpx.Response(201, json={"token": "ghs_1", "expires_at": "2026-01-05T10:00:00Z"})
        return httpx.Response(
            200, json={"id": 7, "full_name": APP, "html_url": "x", "default_branch": "main", "login": "a"}
        )

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        world = GitHubWorld(Path("unused"), clock=Clock(START))
        app = App(9, "fullcircle", key_pair()[1], PERMISSIONS)
        await app_tracker(GitHubServer(world), app, http=http, facts={}, remote_id="").connect()
    assert asked[:3] == [
        "/repos/acme/app/installation 2026-03-10",
        "/repos/acme/app/installation 2022-11-28",
        "/app/installations/5/access_tokens 2022-11-28",
    ]


# What can be wrong with it


async def refused(server: GitHubServer, app: App, **options: str | None) -> OutsideError:
    async with server.client() as http:
        with pytest.raises(OutsideError) as raised:
            await app_tracker(server, app, http=http, **options).connect()
    for secret in key_pair()[0], key_pair("another")[0]:
        assert secret.splitlines()[1] not in str(raised.value)
    return raised.value


async def test_a_key_of_another_app_is_wrong_at_the_key(server: GitHubServer, app: App) -> None:
    error = await refused(server, app, private_key=key_pair("another")[0])
    assert (error.kind, error.field) == ("auth_broken", "secrets.private_key")
    assert f"it is not one of app {app.id}" in error.message


async def test_an_app_that_is_not_there_is_wrong_at_its_id(server: GitHubServer, app: App) -> None:
    error = await refused(server, app, app_id="999999")
    assert (error.kind, error.field) == ("auth_broken", "settings.app_id")
    assert "there is no app 999999" in error.message


async def test_an_app_that_is_not_installed_says_where_to_install_it(server: GitHubServer, world: GitHubWorld) -> None:
    error = await refused(server, add_app(world))
    assert (error.kind, error.field) == ("misconfigured", "settings.repository")
    assert error.message.endswith("install it from the app's page under Install App")


async def test_a_wrong_installation_is_wrong_at_its_number(server: GitHubServer, app: App) -> None:
    error = await refused(server, app, installation_id="12")
    assert (error.kind, error.field) == ("misconfigured", "settings.installation_id")


async def test_a_suspended_installation_is_suspended(server: GitHubServer, app: App) -> None:
    app.suspended.update(app.installations)
    assert (await refused(server, app)).kind == "suspended"


@pytest.mark.parametrize("off_by", [timedelta(minutes=20), timedelta(minutes=-20)])
async def test_a_clock_that_is_off_is_called_the_clock(
    server: GitHubServer, world: GitHubWorld, app: App, off_by: timedelta
) -> None:
    watching = app_tracker(server, app)
    world.clock.advance(off_by)
    watching._api.credentials._now = lambda: START  # type: ignore[attr-defined]
    with pytest.raises(OutsideError) as raised:
        await watching.connect()
    assert "set this machine's time" in raised.value.message


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"private_key": None, "token": "token-brand"}, "secrets.private_key"),
        ({"app_id": ""}, "settings.app_id"),
    ],
)
async def test_half_an_app_says_which_half_is_missing(
    server: GitHubServer, app: App, options: dict[str, str | None], field: str
) -> None:
    made = {"app_id": str(app.id), "private_key": key_pair()[0], "token": None, **options}
    with pytest.raises(OutsideError) as raised:
        await tracker(server, **made).connect()
    assert raised.value.field == field
    assert not server.requests


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> str:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


@pytest.mark.parametrize(
    "mangle",
    [
        lambda key: key,
        lambda key: key.replace("\n", "\r\n"),
        lambda key: key.replace("\n", ""),
        lambda key: key.replace("\n", " "),
        lambda key: key.replace("\n", "\\n"),
        lambda key: f"\n  {key}\n\n",
    ],
    ids=["as it is", "from Windows", "in one line", "with spaces", "from an environment variable", "with air"],
)
def test_a_pasted_key_is_whole_again_whatever_became_of_its_line_ends(mangle) -> None:  # type: ignore[no-untyped-def]
    private, _ = key_pair()
    kept = GitHubSecrets.model_validate({"private_key": mangle(private)}).private_key
    assert kept is not None
    assert kept.get_secret_value() == private


@pytest.mark.parametrize(
    ("pasted", "says"),
    [
        (lambda: "sentinel-key", "paste the whole .pem file"),
        (lambda: key_pair()[0][:-40], "paste the whole .pem file"),
        (lambda: key_pair()[0].replace(key_pair()[0].splitlines()[3], ""), "damaged or cut"),
        (lambda: key_pair()[1], "this is a public key"),
        (lambda: pem(rsa.generate_private_key(65537, 2048), b"secret"), "locked with a password"),
        (lambda: pem(ec.generate_private_key(ec.SECP256R1())), "no RSA key"),
    ],
    ids=["no key", "cut at its end", "a line lost", "the public half", "locked", "of another kind"],
)
def test_a_wrong_key_is_called_what_it_is_and_never_repeated(pasted, says: str) -> None:  # type: ignore[no-untyped-def]
    text = pasted()
    with pytest.raises(ValidationError) as raised:
        GitHubSecrets.model_validate({"private_key": text})
    (error,) = raised.value.errors(include_input=False)
    assert error["loc"] == ("private_key",)
    assert says in error["msg"]
    assert text.splitlines()[-1][:20] not in error["msg"].replace("-----", "")


def test_without_a_token_and_without_a_key_a_token_is_asked_for() -> None:
    for nothing in ({}, {"token": " "}, {"private_key": ""}, {"token": None, "private_key": None}):
        with pytest.raises(ValidationError) as raised:
            GitHubSecrets.model_validate(nothing)
        assert [error["loc"] for error in raised.value.errors()] == [("token",)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"app_id": " 123 "}, ("123", "")),
        ({"app_id": "Iv23liABCdef"}, ("Iv23liABCdef", "")),
        ({"installation_id": "https://github.com/settings/installations/42"}, ("", "42")),
    ],
)
def test_an_apps_settings_take_what_people_paste(given: dict[str, str], kept: tuple[str, str]) -> None:
    settings = GitHubSettings(repository=APP, **given)
    assert (settings.app_id, settings.installation_id) == kept


@pytest.mark.parametrize("given", [{"app_id": "the app"}, {"installation_id": "acme"}])
def test_an_apps_settings_refuse_what_cannot_work(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        GitHubSettings(repository=APP, **given)


# What it may not do


@pytest.mark.parametrize(
    ("lacks", "names", "settings"),
    [
        (["issues"], "Issues: read", {}),
        (["contents", "pull_requests"], "Contents: read, Pull requests: read", {}),
        (["deployments"], "Deployments: read", {"shipped_when": "production"}),
    ],
)
async def test_connecting_names_what_may_not_be_read_and_where_to_grant_it(
    server: GitHubServer, world: GitHubWorld, lacks: list[str], names: str, settings: dict[str, str]
) -> None:
    has = {name: access for name, access in PERMISSIONS.items() if name not in lacks}
    error = await refused(server, add_app(world, APP, permissions=has), **settings)
    assert error.kind == "forbidden"
    assert f"it needs {names}; grant it on the app's page under Permissions & events" in error.message
    world.tokens["token-narrow"] = Token("reader", permissions=has)
    with pytest.raises(OutsideError) as raised:
        await tracker(server, token="token-narrow", **settings).connect()
    assert raised.value.kind == "forbidden"
    assert f"it needs {names}; grant it at http://github.test/settings/personal-access-tokens" in raised.value.message


async def test_later_errors_name_what_the_app_lacks(
    server: GitHubServer, world: GitHubWorld, http: httpx.AsyncClient
) -> None:
    app = add_app(world, APP, permissions={**PERMISSIONS, "issues": "read"})
    watching = app_tracker(server, app, http=http)
    await watching.connect()
    issue = await watching.find(f"#{world.open_issue(APP, 'Export loses tables')}")
    with pytest.raises(OutsideError) as raised:
        await watching.show(issue, block=BLOCK, handle=None)
    assert raised.value.kind == "forbidden"
    assert "The app needs Issues: write or Pull requests: write; grant it on the app's page" in raised.value.message


async def test_issues_switched_off_are_no_missing_permission(server: GitHubServer, http: httpx.AsyncClient) -> None:
    server.faults.append(Fault("410", path="/issues$"))
    assert (await tracker(server, http=http).connect()).name == APP


# What it costs


async def test_a_poll_that_finds_nothing_new_costs_nothing_also_after_the_token_was_renewed(
    server: GitHubServer, world: GitHubWorld, http: httpx.AsyncClient, app: App
) -> None:
    world.open_issue(APP, "Export loses tables")
    watching = app_tracker(server, app, http=http)
    cursor = [page async for page in watching.pull(cursor=None, since=START)][-1].cursor
    assert [page async for page in watching.pull(cursor=cursor, since=START)][-1].cursor == cursor
    world.clock.advance(timedelta(hours=3))
    asked = len(server.requests)
    assert [page async for page in watching.pull(cursor=cursor, since=START)][-1].cursor == cursor
    assert [(method, status) for method, _, status in server.requests[asked:]] == [("POST", 201), ("GET", 304)]


async def test_a_secondary_limit_that_comes_again_is_waited_out_twice_as_long(
    server: GitHubServer, world: GitHubWorld, http: httpx.AsyncClient, app: App
) -> None:
    watching = app_tracker(server, app, http=http)
    world.open_issue(APP, "Export loses tables")
    server.faults.append(Fault("secondary", path="/issues/1$", count=99))

    async def minutes() -> float:
        with pytest.raises(OutsideError) as raised:
            await watching.find("#1")
        assert raised.value.kind == "rate_limited"
        assert raised.value.retry_at is not None
        return (raised.value.retry_at - world.clock.now()).total_seconds() / 60

    assert [await minutes() for _ in range(3)] == [1, 1, 1], "those under way together are one"
    waited = 1.0
    for expected in (2, 4, 8, 16, 32, 60, 60):
        world.clock.advance(timedelta(minutes=waited))
        waited = await minutes()
        assert waited == expected
    world.clock.advance(timedelta(hours=5))
    assert await minutes() == 1

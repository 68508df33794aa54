"""No secret is ever written anywhere: a real service with secrets that stand out, used well and badly, and all it wrote searched."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.command import fullcircle, running
from tests.support.databases import PostgresDatabases
from tests.support.github_server import running as github_running
from tests.support.mastodon_network import MastodonNetwork, start_thread
from tests.support.ports import free_port

pytestmark = pytest.mark.postgres

SECRETS = {
    "database password": "SEKRETdatabasepassword",
    "secret key": "SEKRETkeythatsealseverything",
    "mastodon token": "SEKRETmastodontoken",
    "dead mastodon token": "SEKRETdeadmastodontoken",
    "github token": "SEKRETgithubtoken",
    "dead github token": "SEKRETdeadgithubtoken",
    "webhook secret": "SEKRETwebhooksecret",
    "unknown api token": "fc_SEKRETunknownapitoken",
    "member's password": "SEKRETpassword of a member",
}


@pytest.fixture
def database(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """A server that asks for no password is shown one all the same, as a production server would be."""
    url = postgres_databases.empty()
    yield url.replace("fullcircle@", f"fullcircle:{SECRETS['database password']}@")
    postgres_databases.drop(url)


class Everything:
    """All that was written, answered or printed."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []

    def add(self, where: str, text: str) -> None:
        self.texts.append((where, text))

    def ask(self, client: httpx.Client, method: str, path: str, **options: Any) -> httpx.Response:
        answer = client.request(method, path, **options)
        self.add(f"{method} {path} → {answer.status_code}", f"{answer.headers}\n{answer.text}")
        return answer

    def holding(self, secret: str) -> list[str]:
        return [
            f"{where}: …{text[max(text.find(secret) - 200, 0) :][:300]}…"
            for where, text in self.texts
            if secret in text
        ]


def signed(body: bytes, secret: str) -> dict[str, str]:
    return {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": "guid",
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def test_no_secret_is_in_any_log_error_page_answer_or_metric(
    database: str, postgres_databases: PostgresDatabases, tmp_path: Path
) -> None:
    every = Everything()
    port, github_port = free_port(), free_port()
    settings = {
        "port": port,
        "database_url": database,
        "secret_key": SECRETS["secret key"],
        "poll_seconds": 0.3,
        "backoff_seconds": 0.2,
        "settle_seconds": 0,
        "log_format": "json",
    }
    network = MastodonNetwork()
    network.token(SECRETS["mastodon token"])
    made = fullcircle(tmp_path, "token", "create", "--name", "t", "--role", "admin", **settings)
    api_token = made.stdout.strip()
    every.add("token create's errors", made.stderr)
    with (
        start_thread(network) as social,
        github_running(tmp_path / "github", port=github_port) as github,
        running(tmp_path, "serve", "--rehearsal", **settings) as serve,
        httpx.Client(base_url=serve.url, trust_env=False, timeout=30) as http,
    ):
        serve.until_ready()
        link = (tmp_path / "data/sign-in-link").read_text().strip()
        http.headers["Authorization"] = f"Bearer {api_token}"
        github.do("tokens", token=SECRETS["github token"], login="brand-bot")
        github.do("create_repository", full_name="acme/app", private=True)
        use_it(every, http, social.base_url, github.url)
        misuse_it(every, http, social.base_url, github.url)

        network.token(SECRETS["mastodon token"], revoked=True)
        github.do("revoke", token=SECRETS["github token"])
        for path in ("accounts/3/pull", "trackers/2/pull"):
            assert every.ask(http, "POST", f"/api/v1/{path}").status_code == 422
        checked = fullcircle(tmp_path, "doctor", **settings)
        assert checked.returncode == 1
        every.add("doctor", checked.stdout + checked.stderr)
        for page in (
            "/",
            "/sign-in",
            link.removeprefix(serve.url),
            "/rehearsal/main",
            "/rehearsal/main/board",
            "/metrics",
        ):
            every.ask(http, "GET", page, headers={"Authorization": ""})
        for noun in ("accounts", "trackers", "posts", "loops", "replies", "issues"):
            every.ask(http, "GET", f"/api/v1/{noun}")

        # The database goes away in the middle of everything: whatever that breaks is written down with its traceback.
        postgres_databases.drop(database.replace(f":{SECRETS['database password']}", ""))
        for path in ("/api/v1/posts", "/readyz", "/metrics", "/rehearsal/main"):
            every.ask(http, "GET", path)
        serve.until(lambda: "does not answer" in serve.err)
        serve.end()
        every.add("serve's output", serve.out)
        every.add("serve's errors", serve.err.replace(link, "the link it is meant to show"))
        refused = fullcircle(tmp_path, "serve", **settings)
        assert refused.returncode == 1
        every.add("a refused start", refused.stdout + refused.stderr)

    for what, secret in {**SECRETS, "api token": api_token, "sign-in link": link.rpartition("/")[2]}.items():
        places = every.holding(secret)
        if what == "sign-in link":
            places = [place for place in places if not place.startswith("GET /sign-in/")]
        assert places == [], what
    assert "Traceback" not in serve.out
    log = serve.err
    assert "account_id" in log
    assert "tracker_id" in log
    assert "webhook rejected" in log


def use_it(every: Everything, http: httpx.Client, social: str, github: str) -> None:
    account = {"channel": "mastodon", "name": "Acme", "settings": {"base_url": social}}
    secrets = {"access_token": SECRETS["mastodon token"]}
    answer = every.ask(http, "POST", "/api/v1/accounts", json={**account, "secrets": secrets})
    assert answer.status_code == 201, answer.text
    assert answer.json()["id"] == 2
    tracker = {"kind": "github", "name": "App", "settings": {"api_url": github, "repository": "acme/app"}}
    secrets = {"token": SECRETS["github token"], "webhook_secret": SECRETS["webhook secret"]}
    answer = every.ask(http, "POST", "/api/v1/trackers", json={**tracker, "secrets": secrets})
    assert answer.status_code == 201, answer.text
    assert (
        every.ask(
            http, "POST", "/api/v1/accounts", json={**account, "secrets": {"access_token": SECRETS["mastodon token"]}}
        ).json()["id"]
        == 3
    )
    for path in ("accounts/2", "trackers/2"):
        assert every.ask(http, "GET", f"/api/v1/{path}/health").json()["ok"]
        assert every.ask(http, "POST", f"/api/v1/{path}/pull").status_code == 200
    changes = {"secrets": {"access_token": SECRETS["mastodon token"]}}
    assert every.ask(http, "PATCH", "/api/v1/accounts/2", json=changes).status_code == 200
    body = json.dumps({"action": "opened", "repository": {"id": 1}, "issue": {"id": 1}}).encode()
    hook = every.ask(http, "POST", "/hooks/trackers/2", content=body, headers=signed(body, SECRETS["webhook secret"]))
    assert hook.status_code == 202, hook.text


def misuse_it(every: Everything, http: httpx.Client, social: str, github: str) -> None:
    account = {"channel": "mastodon", "name": "Acme", "settings": {"base_url": social}}
    dead = {"access_token": SECRETS["dead mastodon token"]}
    for body in (
        {**account, "secrets": dead},
        {**account, "secrets": {"access_token": [SECRETS["dead mastodon token"]]}},
        {**account, "secrets": {"acces_token": SECRETS["dead mastodon token"]}},
        {**account, "secrets": SECRETS["dead mastodon token"]},
        {
            **account,
            "settings": {"base_url": f"https://user:{SECRETS['dead mastodon token']}@127.0.0.1"},
            "secrets": dead,
        },
        {**account, "settings": {"base_url": "http://127.0.0.1:1"}, "secrets": dead},
        {**account, "channel": SECRETS["dead mastodon token"], "secrets": dead},
    ):
        assert every.ask(http, "POST", "/api/v1/accounts", json=body).is_error
    assert every.ask(http, "PATCH", "/api/v1/accounts/2", json={"secrets": dead}).is_error
    broken = json.dumps({**account, "secrets": dead})[:-1]
    assert every.ask(
        http, "POST", "/api/v1/accounts", content=broken, headers={"Content-Type": "application/json"}
    ).is_error
    tracker = {"kind": "github", "name": "App", "secrets": {"token": SECRETS["dead github token"]}}
    for place in ({"api_url": github, "repository": "acme/app"}, {"api_url": github, "repository": "acme/none"}, {}):
        assert every.ask(http, "POST", "/api/v1/trackers", json={**tracker, "settings": place}).is_error
    for headers in ({}, signed(b"{}", "another"), signed(b"other", SECRETS["webhook secret"])):
        assert every.ask(http, "POST", "/hooks/trackers/2", content=b"{}", headers=headers).status_code == 401
    unknown = {"Authorization": f"Bearer {SECRETS['unknown api token']}"}
    assert every.ask(http, "GET", "/api/v1/posts", headers=unknown).status_code == 401
    form = {"name": "sam", "password": SECRETS["member's password"]}
    every.ask(http, "POST", "/sign-in", data=form, headers={"Authorization": ""})

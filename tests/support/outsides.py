"""A Mastodon network, a GitHub and a Jira without sockets, side by side behind one HTTP client: the outside of a whole circle."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.github_server import GitHubServer
from tests.support.github_world import GitHubWorld
from tests.support.jira_server import EMAIL, SITE, WEBHOOK_SECRET, JiraServer, JiraWorld
from tests.support.jira_server import TOKEN as JIRA_TOKEN
from tests.support.mastodon_network import TOKEN, MastodonNetwork

SOCIAL = "http://127.0.0.1"
GITHUB = "http://github.test"
APP = "acme/app"
HOOK_SECRET = "a webhook secret that nobody guesses"


class _Nowhere(httpx.AsyncBaseTransport):
    """Every other host: its name is not known."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"the name {request.url.host} is not known", request=request)


@dataclass
class Outsides:
    """All services. `down` names hosts that do not answer for now."""

    network: MastodonNetwork
    github: GitHubServer
    jira: JiraServer = field(default_factory=lambda: JiraServer(JiraWorld()))
    down: set[str] = field(default_factory=set)

    @property
    def world(self) -> GitHubWorld:
        return self.github.world

    def client(self) -> httpx.AsyncClient:
        """What `circle(make_http=…)` wants."""
        return httpx.AsyncClient(
            transport=_Nowhere(),
            mounts={
                SOCIAL: _Switch(self, httpx.ASGITransport(self.network)),
                GITHUB: _Switch(self, httpx.ASGITransport(self.github)),
                SITE: _Switch(self, self.jira.transport()),
            },
            timeout=5,
        )


class _Switch(httpx.AsyncBaseTransport):
    def __init__(self, outsides: Outsides, inner: httpx.AsyncBaseTransport) -> None:
        self._outsides, self._inner = outsides, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host in self._outsides.down:
            raise httpx.ConnectError("refused", request=request)
        return await self._inner.handle_async_request(request)


def outsides(root: Path, *, private: bool = False, **network: Any) -> Outsides:
    """A network with our account on it, and a GitHub with one repository; `root` holds its git."""
    world = GitHubWorld(root)
    world.create_repository(APP, private=private)
    return Outsides(MastodonNetwork(base_url=SOCIAL, **network), GitHubServer(world))


def mastodon_account(**changes: Any) -> dict[str, Any]:
    """The body that connects our account."""
    return {
        "channel": "mastodon",
        "name": "Acme",
        "settings": {"base_url": SOCIAL},
        "secrets": {"access_token": TOKEN},
        "mode": "automatic",
        **changes,
    }


def github_tracker(**settings: Any) -> dict[str, Any]:
    """The body that connects the repository."""
    return {
        "kind": "github",
        "name": APP,
        "settings": {"api_url": GITHUB, "repository": APP, "settle_seconds": 0, **settings},
        "secrets": {"token": "token-brand", "webhook_secret": HOOK_SECRET},
    }


def jira_tracker(**settings: Any) -> dict[str, Any]:
    """The body that connects the project."""
    return {
        "kind": "jira",
        "name": "ACME",
        "settings": {"base_url": SITE, "project": "ACME", "settle_seconds": 0, **settings},
        "secrets": {"email": EMAIL, "token": JIRA_TOKEN, "webhook_secret": WEBHOOK_SECRET},
    }

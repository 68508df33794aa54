"""The GitHub tracker, connected to a test GitHub in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from app.ports import Connection
from app.trackers.github import GitHub, GitHubSecrets, GitHubSettings
from tests.support.github_server import GitHubServer

WEBHOOK_SECRET = "It's a Secret to Everybody"


def tracker(
    server: GitHubServer,
    *,
    repository: str = "acme/app",
    token: str | None = "token-brand",
    private_key: str | None = None,
    http: httpx.AsyncClient | None = None,
    facts: Mapping[str, Any] | None = None,
    remote_id: str | None = None,
    webhook_secret: str | None = WEBHOOK_SECRET,
    **settings: Any,
) -> GitHub:
    """A tracker that knows what its first connect would have told it, unless `facts` or `remote_id` say otherwise."""
    world = server.world
    if remote_id is None:
        remote_id = str(world.repository(repository).id)
    return GitHub(
        Connection(
            settings=GitHubSettings(api_url=world.places.links, repository=repository, **settings),
            secrets=GitHubSecrets.model_validate(
                {"token": token, "private_key": private_key, "webhook_secret": webhook_secret}
            ),
            http=http or server.client(),
            now=world.clock.now,
            base_url="http://fullcircle.test",
            remote_id=remote_id,
            facts={"login": "brand-bot", "html_url": world.places.pages} if facts is None else facts,
        )
    )

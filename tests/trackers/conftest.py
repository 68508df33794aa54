"""One repository on the test GitHub, and a tracker that watches it; a file with other needs has its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from app.trackers.github import GitHub
from tests.support.github_server import GitHubServer
from tests.support.github_tracker import tracker
from tests.support.github_world import Clock, GitHubWorld


@pytest.fixture
def world(tmp_path: Path) -> GitHubWorld:
    made = GitHubWorld(tmp_path, clock=Clock(datetime(2026, 1, 5, 9, tzinfo=UTC)))
    made.create_repository("acme/app")
    return made


@pytest.fixture
def server(world: GitHubWorld) -> GitHubServer:
    return GitHubServer(world)


@pytest.fixture
async def http(server: GitHubServer) -> AsyncIterator[httpx.AsyncClient]:
    async with server.client() as client:
        yield client


@pytest.fixture
def watching(server: GitHubServer, http: httpx.AsyncClient) -> GitHub:
    return tracker(server, http=http)

"""A GitHub App on a test GitHub: its keys, and the tracker that works in its name."""

from __future__ import annotations

from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from app.trackers.github import GitHub
from tests.support.github_server import GitHubServer
from tests.support.github_tracker import tracker
from tests.support.github_world import App, GitHubWorld

PERMISSIONS = {"metadata": "read", "issues": "write", "contents": "read", "pull_requests": "read"}


@cache
def key_pair(name: str = "") -> tuple[str, str]:
    """A private key as GitHub lets one download it, and its public half; another for each name."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def add_app(world: GitHubWorld, *repositories: str, permissions: dict[str, str] | None = None) -> App:
    """An app that is installed on these repositories, if on any."""
    number = world.add_app("fullcircle", public_key=key_pair()[1], permissions=permissions or PERMISSIONS)
    if repositories:
        world.install_app(number, repositories)
    return world.apps[number]


def app_tracker(server: GitHubServer, app: App, *, private_key: str | None = None, **options: Any) -> GitHub:
    """A tracker that works as the app and has no token of its own."""
    given: dict[str, Any] = {"app_id": str(app.id), "private_key": private_key or key_pair()[0], "token": None}
    return tracker(server, **{**given, **options})

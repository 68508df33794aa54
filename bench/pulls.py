"""What a channel's file keeps in memory while it reads a long list: python -m bench.pulls CHANNEL COUNT prints the MB.

The other side is in the same process and was there before; what it answers is not kept.
"""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.channels.bluesky import Bluesky
from app.channels.facebook import Facebook
from app.channels.wordpress import WordPress
from app.channels.x import X
from app.ports import Channel, Connection
from tests.support import bluesky_network, facebook_graph, wordpress_site, x_network

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WORDS = "The export hangs and the file stays empty. " * 6


def _made(kind: type[Channel], *, settings: dict[str, Any], secrets: dict[str, Any], **known: Any) -> Channel:
    """The channel as the service builds it for an account that is connected."""
    return kind(
        Connection(
            settings=kind.Settings.model_validate(settings),
            secrets=kind.Secrets.model_validate(secrets),
            now=lambda: NOW,
            base_url="http://127.0.0.1:8000",
            **known,
        )
    )


def _bluesky(count: int) -> Channel:
    network = bluesky_network.BlueskyNetwork(now=lambda: NOW)
    for number in range(count):
        network.say(
            network.person(f"u{number}"), f"{number}: {WORDS}", at=NOW - timedelta(minutes=1, seconds=count - number)
        )
    return _made(
        Bluesky,
        settings={"service_url": bluesky_network.SERVICE, "handle": network.acme.handle},
        secrets={"app_password": bluesky_network.PASSWORD},
        http=network.client(),
        remote_id=network.acme.did,
    )


def _wordpress(count: int) -> Channel:
    site = wordpress_site.Site(now=lambda: NOW)
    for number in range(count):
        site.comment(f"{number}: {WORDS}", at=NOW - timedelta(minutes=1, seconds=count - number))
    return _made(
        WordPress,
        settings={"base_url": wordpress_site.BASE_URL, "username": wordpress_site.USERNAME},
        secrets={"application_password": wordpress_site.PASSWORD},
        http=site.client(),
        remote_id="1",
        facts={"rest": f"{wordpress_site.BASE_URL}/wp-json/"},
    )


def _facebook(count: int) -> Channel:
    graph = facebook_graph.FacebookGraph(now=NOW, page_size=100)
    for number in range(count):
        graph.comment(
            f"{number}: {WORDS}", by=str(2001 + number), at=NOW - timedelta(minutes=1, seconds=count - number)
        )
    return _made(
        Facebook,
        settings={},
        secrets={"page_token": facebook_graph.TOKEN},
        http=graph.client(),
        remote_id=facebook_graph.PAGE_ID,
        facts={"name": "Acme"},
    )


def _x(count: int) -> Channel:
    network = x_network.XNetwork(now=lambda: NOW, reach=count)  # X itself shows the newest 800
    for number in range(count):
        network.say(f"u{number}", f"{number}: {WORDS}", at=NOW - timedelta(minutes=1, seconds=count - number))
    return _made(
        X,
        settings={"username": x_network.USERNAME, "monthly_budget_usd": 1000},
        secrets={
            "client_id": x_network.CLIENT_ID,
            "client_secret": x_network.CLIENT_SECRET,
            "access_token": x_network.ACCESS,
            "refresh_token": x_network.REFRESH,
        },
        http=network.client(),
        remote_id=x_network.ME,
        facts={"username": x_network.USERNAME},
    )


MADE: dict[str, Callable[[int], Channel]] = {
    "bluesky": _bluesky,
    "wordpress": _wordpress,
    "facebook": _facebook,
    "x": _x,
}


async def peak(name: str, count: int) -> float:
    """The most that was held at one time, in MB."""
    channel = MADE[name](count)
    tracemalloc.start()
    seen = 0
    async for page in channel.pull(cursor=None, since=NOW - timedelta(days=3)):
        seen += len(page.posts)
    if seen < count:
        raise RuntimeError(f"of {count} posts {seen} were read")
    return tracemalloc.get_traced_memory()[1] / 1e6


if __name__ == "__main__":
    print(asyncio.run(peak(sys.argv[1], int(sys.argv[2]))))

"""What a channel's file keeps in memory while it reads a long list: python -m bench.pulls CHANNEL COUNT prints the MB.

The other side is in the same process and was there before; what it answers is not kept.
"""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.channels.bluesky import Bluesky
from app.channels.facebook import Facebook
from app.channels.wordpress import WordPress
from app.channels.x import X
from app.ports import Channel, Connection
from tests.support import bluesky_network, facebook_graph, wordpress_site, x_network

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WORDS = "The export hangs and the file stays empty. " * 6


def _bluesky(count: int) -> Channel:
    network = bluesky_network.BlueskyNetwork(now=lambda: NOW)
    for number in range(count):
        network.say(
            network.person(f"u{number}"), f"{number}: {WORDS}", at=NOW - timedelta(minutes=1, seconds=count - number)
        )
    return Bluesky(
        Connection(
            settings=Bluesky.Settings.model_validate(
                {"service_url": bluesky_network.SERVICE, "handle": network.acme.handle}
            ),
            secrets=Bluesky.Secrets.model_validate({"app_password": bluesky_network.PASSWORD}),
            http=network.client(),
            now=network.now,
            base_url="http://127.0.0.1:8000",
            remote_id=network.acme.did,
        )
    )


def _wordpress(count: int) -> Channel:
    site = wordpress_site.Site(now=lambda: NOW)
    for number in range(count):
        site.comment(f"{number}: {WORDS}", at=NOW - timedelta(minutes=1, seconds=count - number))
    return WordPress(
        Connection(
            settings=WordPress.Settings.model_validate(
                {"base_url": wordpress_site.BASE_URL, "username": wordpress_site.USERNAME}
            ),
            secrets=WordPress.Secrets.model_validate({"application_password": wordpress_site.PASSWORD}),
            http=site.client(),
            now=site.now,
            base_url="http://127.0.0.1:8000",
            remote_id="1",
            facts={"rest": f"{wordpress_site.BASE_URL}/wp-json/"},
        )
    )


def _facebook(count: int) -> Channel:
    graph = facebook_graph.FacebookGraph(now=NOW, page_size=100)
    for number in range(count):
        graph.comment(
            f"{number}: {WORDS}", by=str(2001 + number), at=NOW - timedelta(minutes=1, seconds=count - number)
        )
    return Facebook(
        Connection(
            settings=Facebook.Settings.model_validate({}),
            secrets=Facebook.Secrets.model_validate({"page_token": facebook_graph.TOKEN}),
            http=graph.client(),
            now=lambda: graph.now,
            base_url="http://127.0.0.1:8000",
            remote_id=facebook_graph.PAGE_ID,
            facts={"name": "Acme"},
        )
    )


def _x(count: int) -> Channel:
    network = x_network.XNetwork(now=lambda: NOW, reach=count)  # X itself shows the newest 800
    for number in range(count):
        network.say(f"u{number}", f"{number}: {WORDS}", at=NOW - timedelta(minutes=1, seconds=count - number))
    return X(
        Connection(
            settings=X.Settings.model_validate({"username": x_network.USERNAME, "monthly_budget_usd": 1000}),
            secrets=X.Secrets.model_validate(
                {
                    "client_id": x_network.CLIENT_ID,
                    "client_secret": x_network.CLIENT_SECRET,
                    "access_token": x_network.ACCESS,
                    "refresh_token": x_network.REFRESH,
                }
            ),
            http=network.client(),
            now=lambda: NOW,
            base_url="http://127.0.0.1:8000",
            remote_id=x_network.ME,
            facts={"username": x_network.USERNAME},
        )
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

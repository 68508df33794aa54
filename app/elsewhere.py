"""A place on which people speak for us by hand: no adapter reaches it, so it is neither read nor written from here.

It stands in for a channel wherever a text is counted and fitted. What it cannot do says so, and nothing leaves.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from app.ports import Connection, Hook, OutsideError, PostPage, Profile
from app.rules.characters import graphemes
from app.rules.facts import Envelope, Outgoing, Post, Sent, ThreadLook

LIMIT = 5000
"""No place takes less kindly to a reply for its length than people do: whoever posts it sees where it does not fit."""


class Nothing(BaseModel):
    """No settings and no secrets; what an adapter that is gone had stays in the row, untouched."""

    model_config = ConfigDict(extra="ignore")


class Elsewhere:
    """What a channel is where no adapter is."""

    name: ClassVar[str] = "elsewhere"
    title: ClassVar[str] = "By hand"
    Settings: ClassVar[type[BaseModel]] = Nothing
    Secrets: ClassVar[type[BaseModel]] = Nothing
    poll_every: ClassVar[timedelta] = timedelta(days=1)
    max_automatic_replies_per_post: ClassVar[int] = 100  # people post them, each after reading it

    def __init__(self, connection: Connection | None = None) -> None:
        self._remote_id = connection.remote_id if connection is not None else ""

    async def connect(self) -> Profile:
        """There is nobody to ask."""
        return Profile(remote_id=self._remote_id, handle="", url="")

    async def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[PostPage]:
        """Nothing comes by itself: posts are entered."""
        nothing: tuple[PostPage, ...] = ()
        for page in nothing:
            yield page

    async def find(self, url: str) -> Post:
        """Nothing is read from here."""
        raise OutsideError("no adapter reads this place: take the post in by hand, with its text and author", "invalid")

    async def look(self, post: Post) -> ThreadLook:
        """Nobody can look but a person."""
        raise OutsideError("no adapter reads this place: only a person can look there", "misconfigured")

    async def send(self, outgoing: Outgoing) -> Sent:
        """Nothing is said from here."""
        raise OutsideError("no adapter speaks on this place: a person posts it by hand", "misconfigured")

    def envelope(self, post: Post) -> Envelope:
        """Nothing is added."""
        return Envelope(visibility=post.visibility, limit=LIMIT)

    def count(self, text: str, *, content_warning: str = "") -> int:
        """Graphemes."""
        return graphemes(text) + graphemes(content_warning)

    def receive(self, *, method: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """Nobody calls."""
        raise NotImplementedError("a place that is served by hand sends no webhooks")

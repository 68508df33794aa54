"""The rehearsal channel: a whole network on this machine, which nobody outside can read.

It behaves as a network does, its troubles included, and passes the same contract tests. Its public
page is where one complains as a customer and reads the brand's replies.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import BaseModel, Field

from app.http import TooLateError, may_leave
from app.ports import Channel, Connection, Hook, Nearness, OutsideError, PostPage, Profile
from app.rules.characters import graphemes
from app.rules.facts import Author, Envelope, Outgoing, OwnReply, Post, Sent, ThreadLook
from app.staging import MAX_CHARS, SCENE, Fault, Square, StagedPost, slug


class RehearsalSettings(BaseModel):
    """Which square, and as whom."""

    scene: str = Field(
        "main",
        pattern=SCENE,
        title="Scene",
        description="Name of the square; accounts with the same scene share it. Small letters, digits and hyphens.",
    )
    brand: str = Field(
        "Acme",
        min_length=1,
        max_length=40,
        title="Brand",
        description="The name your replies appear under on the square.",
    )


class RehearsalSecrets(BaseModel):
    """None: there is nobody to prove anything to."""


class Rehearsal:
    """Reads and writes one scene's square as one brand."""

    name: ClassVar[str] = "rehearsal"
    title: ClassVar[str] = "Rehearsal"
    poll_every: ClassVar[timedelta] = timedelta(seconds=1)
    max_automatic_replies_per_post: ClassVar[int] = 1
    rereads_at_once: ClassVar[int] = 50
    Settings: ClassVar[type[BaseModel]] = RehearsalSettings
    Secrets: ClassVar[type[BaseModel]] = RehearsalSecrets

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._settings: RehearsalSettings = connection.settings
        self._handle = slug(self._settings.brand) or "brand"
        self._lines = asyncio.Semaphore(
            2
        )  # as a client to a real server has a few: nobody speaks long after the last word

    def _square(self) -> Square:
        if self._connection.stage is None:
            raise OutsideError("the rehearsal channel was started without a stage to play on", "misconfigured")
        return Square(self._connection.stage, self._settings.scene)

    async def _enter(self, square: Square, call: str) -> Fault | None:
        """Plays trouble that comes before the deed; hands back trouble that comes after it. Only sending is a deed."""
        fault = await square.trouble(call)
        if fault is not None and not (fault.accepted and call == "send"):
            raise fault.as_error(self._connection.now())
        return fault

    def _page(self) -> str:
        return f"{self._connection.base_url}/rehearsal/{self._settings.scene}"

    async def connect(self) -> Profile:
        """Always works, unless the scene plays trouble."""
        await self._enter(self._square(), "connect")
        return Profile(
            remote_id=f"rehearsal:{self._settings.scene}/people/{self._handle}", handle=self._handle, url=self._page()
        )

    async def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[PostPage]:
        """Everything customers say on the square is said to us; the cursor is the highest id seen."""
        square = self._square()
        await self._enter(square, "pull")
        async for rows in square.posts.pages(after=_id(cursor, "cursor") if cursor else 0):
            posts = [
                await self._read(square, key, staged)
                for key, staged in rows
                if not staged.brand and not staged.deleted and (cursor is not None or staged.at >= since)
            ]
            yield PostPage(posts=tuple(posts), cursor=str(rows[-1][0]))

    def reaches(self, url: str) -> Nearness:
        """Only what stands on this square."""
        return "here" if url.strip().startswith(f"{self._page()}/") else "no"

    async def read_around(self, post: Post) -> tuple[Post, ...]:
        """The whole thread, without what brands said."""
        square = self._square()
        await self._enter(square, "look")
        found = [
            await self._read(square, key, staged)
            async for rows in square.posts.pages(after=0)
            for key, staged in rows
            if not staged.brand and not staged.deleted
        ]
        return tuple(one for one in found if one.thread_id == post.thread_id and one.external_id != post.external_id)

    async def find(self, url: str) -> Post:
        """Takes a post's address on this very square; what the company said is nobody's complaint."""
        square = self._square()
        await self._enter(square, "find")
        address = url.strip().partition("#")[0]
        number = address.removeprefix(f"{self._page()}/posts/")
        if number == address or not _is_id(number):
            raise OutsideError(f"'{url[:200]}' is no post's address on this square; one is {self._url(1)}", "invalid")
        key, staged = await self._staged(square, int(number))
        if staged.brand:
            raise OutsideError(f"post {key} is the company's own; enter the customer's", "invalid")
        return await self._read(square, key, staged)

    async def look(self, post: Post) -> ThreadLook:
        """The post now, and what this brand said under it. The stage is never stale, so an absence is proof."""
        square = self._square()
        await self._enter(square, "look")
        key, staged = await self._find(square, post)
        replies = [
            OwnReply(external_id=str(k), url=self._url(k), text=p.text, created_at=p.at)
            for k, p in await square.posts.all(after=key)
            if p.in_reply_to == key and p.brand and p.handle == self._handle and not p.deleted
        ]
        return ThreadLook(post=await self._read(square, key, staged), own_replies=tuple(replies))

    async def reread(self, posts: Sequence[Post]) -> Mapping[str, Post | None]:
        """The stage is never stale: what is not there is deleted."""
        square = self._square()
        await self._enter(square, "reread")
        found: dict[str, Post | None] = {}
        for post in posts:
            staged = await square.posts.get(_id(post.external_id, "post id"))
            found[post.external_id] = (
                None if staged is None or staged.deleted else await self._read(square, int(post.external_id), staged)
            )
        return found

    async def send(self, outgoing: Outgoing) -> Sent:
        """Publishes the reply under its key: the same key is the same post."""
        square = self._square()
        fault = await self._enter(square, "send")
        key, _ = await self._find(square, outgoing.post)
        if not outgoing.text.strip():
            raise OutsideError("the rehearsal network takes no empty reply", "invalid")
        if (length := self.count(outgoing.text, content_warning=outgoing.content_warning)) > MAX_CHARS:
            raise OutsideError(f"the reply has {length} of {MAX_CHARS} characters", "too_long")
        async with self._lines:
            try:
                await may_leave()  # what was looked up so far, and others before us, may have taken long
            except TooLateError as error:
                raise OutsideError("the reply came too late, nothing was said", "transient") from error
            said = await square.say(
                StagedPost(
                    handle=self._handle,
                    name=self._settings.brand,
                    text=outgoing.text,
                    at=self._connection.now(),
                    language=outgoing.language,
                    in_reply_to=key,
                    brand=True,
                    visibility=outgoing.visibility,
                    key=outgoing.key,
                )
            )
        if fault is not None:
            raise fault.as_error(self._connection.now())
        return Sent(external_id=str(said), url=self._url(said))

    def envelope(self, post: Post) -> Envelope:
        """A reply starts with the customer's handle and is as public as what it answers."""
        return Envelope(
            prefix=f"@{post.author.handle} ", visibility=post.visibility, language=post.language, limit=MAX_CHARS
        )

    def count(self, text: str, *, content_warning: str = "") -> int:
        """Graphemes: what a reader would call a character."""
        return graphemes(text) + graphemes(content_warning)

    def receive(self, *, method: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """There are no webhooks: the page wakes the worker itself."""
        raise NotImplementedError("the rehearsal network sends no webhooks")

    def _url(self, key: int) -> str:
        return f"{self._page()}/posts/{key}"

    async def _find(self, square: Square, post: Post) -> tuple[int, StagedPost]:
        return await self._staged(square, _id(post.external_id, "post id"))

    async def _staged(self, square: Square, key: int) -> tuple[int, StagedPost]:
        staged = await square.posts.get(key)
        if staged is None or staged.deleted:
            raise OutsideError(f"post {key} on the square '{self._settings.scene}' is deleted", "gone")
        return key, staged

    async def _read(self, square: Square, key: int, staged: StagedPost) -> Post:
        scene = f"rehearsal:{self._settings.scene}"
        parent = None if staged.in_reply_to is None else await square.posts.get(staged.in_reply_to)
        parent_id = None if staged.in_reply_to is None else str(staged.in_reply_to)
        return Post(
            external_id=str(key),
            canonical_id=f"{scene}/posts/{key}",
            url=self._url(key),
            author=Author(
                external_id=f"{scene}/people/{staged.handle}",
                handle=staged.handle,
                name=staged.name,
                url=self._page(),
                followers=staged.followers,
            ),
            text=staged.text,
            created_at=staged.at,
            raw=json.dumps({"id": key, **asdict(staged)}, default=datetime.isoformat, ensure_ascii=False),
            language=staged.language,
            parent_id=parent_id,
            answers_id=parent_id if parent is not None and parent.brand else None,
            thread_id=f"{scene}/posts/{await square.root_of(key, staged)}",
            visibility=staged.visibility,
        )


def _is_id(text: str) -> bool:
    """Whether this network can have given out such an id: it counts."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def _id(text: str, what: str) -> int:
    if not _is_id(text):
        raise OutsideError(f"the {what} '{text[:40]}' is not one of the rehearsal network", "invalid")
    return int(text)


CHANNEL: type[Channel] = Rehearsal

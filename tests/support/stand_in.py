"""A network made of a channel's own payloads, so that the whole river can run against every channel alike.

Each call is played by one case of the folder: what we look at by `look-nothing` until the network has taken
our reply, and by `look-said` from then on; the reply itself by `reply`. Whatever the network takes counts as
read by the public, although real ones may know a repeated call again: no second one is ever forgiven here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

import httpx

from app import channels
from app.ports import Channel, OutsideError, PostPage, Profile
from app.rules.facts import Outgoing, Post, Sent, ThreadLook
from tests.support import payloads
from tests.support.faults import Trouble, play
from tests.support.payloads import Case, Scenery, scenery
from tests.support.wire import Answer, response_of

Method = Literal["look", "send"]
Damage = Literal["cut in half", "with its line cut"]

LASTING = 1_000_000
"""As many calls as there are."""

ROLES: dict[tuple[str, str], str] = {
    ("connect", "profile"): "the account as it is connected",
    ("reply", "sent"): "the reply as it is taken",
    ("look-nothing", "look"): "the look before: the customer's post with nothing of ours under it",
    ("look-said", "look"): "the look after: the same post with that very reply under it",
}
"""The cases that the stand-in is made of."""

PASSING = {
    "revoked": "our token is revoked",
    "deleted": "the customer's post is deleted",
    "blocked": "the customer, or the network, blocks us",
    "locked": "the thread takes no more replies",
}
"""What a network may say of us or of the post; each as `look-<word>`, `reply-<word>` or both."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of a channel's calls of one method while it lasts; then all is as before.

    `case` plays them by a payload; `trouble` answers them instead; `damage` spoils the true answer.
    `takes`: the network took the reply all the same, `after` so long. `times`: how many calls meet it.
    """

    method: Method
    case: str = ""
    trouble: Trouble | None = None
    damage: Damage | None = None
    takes: bool = False
    after: timedelta = timedelta(0)
    times: int = LASTING


@cache
def cases_of(name: str) -> dict[str, Case]:
    """A channel's payloads by their names."""
    return {case.name: case for case in payloads.cases("channels", name)}


def demand(name: str, case: str, *, kind: str, what: str) -> Case:
    """The case of that name and kind; LookupError names the files to write."""
    found = cases_of(name).get(case)
    if found is None or found.kind != kind:
        raise LookupError(
            f"tests/payloads/channels/{name}/ needs {case}.json and {case}.{kind}.json: {what} "
            "(tests/payloads/README.md describes them)"
        )
    return found


def passing(name: str, word: str) -> list[Case]:
    """The cases in which the network says this of us or of the post; LookupError names the files to write."""
    found = [case for case in cases_of(name).values() if case.name in {f"look-{word}", f"reply-{word}"}]
    if not found:
        raise LookupError(
            f"tests/payloads/channels/{name}/ needs look-{word}.json or reply-{word}.json, with what comes of it: "
            f"{PASSING[word]} (tests/payloads/README.md describes them)"
        )
    return found


class StandIn:
    """The network of one channel. `taken` is when it took each reply: what the public reads of us."""

    def __init__(self, name: str, *, now: Callable[[], datetime]) -> None:
        self.name, self.now = name, now
        self.real = channels.discover()[name]
        self.role = {case: demand(name, case, kind=kind, what=what) for (case, kind), what in ROLES.items()}
        self.taken: list[datetime] = []
        self.fate: Fate | None = None
        self.met = 0

    @property
    def outgoing(self) -> Outgoing:
        """The reply of the payload."""
        said: Outgoing = self.role["reply"].arguments["outgoing"]
        return said

    @property
    def mention(self) -> Case:
        """The case whose post the reply answers."""
        named: str = self.role["reply"].given["arguments"]["outgoing"]["post"].partition("/")[0]
        return demand(self.name, named, kind="posts", what="the post that the reply answers")

    def calm(self) -> None:
        """Whatever was wrong is over."""
        self.fate = None

    def channel(self) -> type[Channel]:
        """The channel for a registry: the real adapter, every call of which meets this network."""
        stand_in = self

        async def connect(_self: Any) -> Profile:
            profile: Profile = await stand_in._play(stand_in.role["connect"], lambda real: real.connect())
            return profile

        async def pull(_self: Any, *, cursor: str | None, since: datetime) -> AsyncIterator[PostPage]:
            arguments = stand_in.mention.arguments
            for page in await stand_in._play(stand_in.mention, lambda real: _pages(real, arguments)):
                yield page

        async def look(_self: Any, post: Post) -> ThreadLook:
            return await stand_in._look(post)

        async def send(_self: Any, outgoing: Outgoing) -> Sent:
            return await stand_in._send(outgoing)

        async def read_thread(_self: Any, _post: Post) -> tuple[Post, ...]:
            return ()

        async def reread(_self: Any, _posts: Any) -> dict[str, Post | None]:
            return {}

        own = {"connect": connect, "pull": pull, "look": look, "send": send}
        offered = {"read_thread": read_thread, "reread": reread}
        own |= {method: ours for method, ours in offered.items() if hasattr(self.real, method)}
        made: type[Channel] = type(self.real.__name__, (self.real,), own)
        return made

    # --- the calls

    async def _look(self, post: Post) -> ThreadLook:
        assert post.external_id == self.outgoing.post.external_id, "another post was looked at"
        has_arrived = any(at <= self.now() for at in self.taken)
        role = self.role["look-said" if has_arrived else "look-nothing"]
        fate = self._meet("look")
        if fate is not None and fate.case:
            role = cases_of(self.name)[fate.case]
        said = await self._play(role, lambda real: real.look(role.arguments["post"]), fate=fate)
        # What was said then, in the payload's time, was said here when the network took it.
        replies = tuple(replace(own, created_at=min(self.taken)) for own in said.own_replies if self.taken)
        return replace(said, own_replies=replies)

    async def _send(self, outgoing: Outgoing) -> Sent:
        assert outgoing.text == self.outgoing.text, "what is sent is not what the payload says"
        assert outgoing.post.external_id == self.outgoing.post.external_id
        assert outgoing.visibility == self.outgoing.visibility
        fate = self._meet("send")
        role = cases_of(self.name)[fate.case] if fate is not None and fate.case else self.role["reply"]
        sent: Sent = await self._play(role, lambda real: real.send(role.arguments["outgoing"]), fate=fate)
        return sent

    def _meet(self, method: Method) -> Fate | None:
        if self.fate is None or self.fate.method != method or self.met >= self.fate.times:
            return None
        self.met += 1
        return self.fate

    async def _play(self, case: Case, call: Callable[[Channel], Any], *, fate: Fate | None = None) -> Any:
        """One call of the real adapter against one case; its time becomes ours."""
        is_send = case.kind == "sent"
        fault = _fault(case, fate)
        async with scenery(case, self.real, fault=fault, only_speaking=is_send) as place:
            if fate is not None and fate.trouble is not None and not place.speaks_http:
                assert fate.trouble.staged is not None
                lawful = fate.trouble.speaking if is_send else fate.trouble.reading
                await play(place.stage, place.scenes, fate.trouble.staged, among=lawful)
            try:
                return await call(self.real(place.connection))
            except OutsideError as error:
                if error.retry_at is not None:
                    error.retry_at += self.now() - place.connection.now()
                raise
            finally:
                assert not place.wire.surprises, f"{case.name}: not in the payload: {place.wire.surprises}"
                if is_send and _was_taken(place, fate):
                    self.taken.append(self.now() + (fate.after if fate else timedelta(0)))


async def _pages(real: Channel, arguments: dict[str, Any]) -> list[PostPage]:
    return [page async for page in real.pull(**{"cursor": None, **arguments})]


def _fault(case: Case, fate: Fate | None) -> Answer | None:
    """How the wire answers, where it does not tell the truth."""
    if fate is None or fate.case or not (exchanges := case.given.get("exchanges")):
        return None
    if fate.trouble is not None:
        return fate.trouble.answer
    spoken = next((one for one in exchanges if one.get("speaks")), exchanges[0])

    def damaged(request: httpx.Request) -> httpx.Response:
        if fate.damage == "with its line cut":
            raise httpx.ReadError("the line was cut", request=request)
        whole = response_of(spoken)
        return httpx.Response(
            whole.status_code, headers=whole.headers, content=whole.content[: len(whole.content) // 2]
        )

    return damaged


def _was_taken(place: Scenery, fate: Fate | None) -> bool:
    if fate is None:
        return not place.speaks_http or bool(place.wire.spoken)
    return fate.takes and (not place.speaks_http or bool(place.wire.spoken))

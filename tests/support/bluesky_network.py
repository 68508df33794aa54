"""A Bluesky network for tests: a PDS with its repositories, and the AppView behind it, which may lag and hide.

It answers as the lexicons say, and as the real servers were seen to do (tests/real/test_bluesky.py). Every call
may be broken in a chosen way; what was written is in `writes`, whoever heard of it. Nothing is kept but in memory.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Literal

import httpx

from app.channels.bluesky import record_key
from app.rules.characters import graphemes

SERVICE = "https://bsky.example"
PDS = "https://pds.example"
PASSWORD = "abcd-efgh-ijkl-mnop"
POST = "app.bsky.feed.post"

Effect = Literal["cut before", "cut after", "error before", "error after", "late", "limited", "html", "truncated"]


@dataclass
class Person:
    """An account, and what it does to us."""

    did: str
    handle: str
    blocks_us: bool = False
    stopped: str = ""


@dataclass
class BlueskyNetwork:
    """Everybody's records, and who may see them."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    access_lives: timedelta = timedelta(hours=2)
    rotates_strictly: bool = False
    people: dict[str, Person] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    indexed_at: dict[str, datetime] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    untold: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    locked: set[str] = field(default_factory=set)
    is_ahead: bool = False
    writes: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    faults: dict[str, deque[tuple[Effect, float]]] = field(default_factory=dict)
    late: list[asyncio.Task[None]] = field(default_factory=list)
    _access: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _refresh: dict[str, str] = field(default_factory=dict)
    _spent: dict[str, str] = field(default_factory=dict)
    _count: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.acme = self.person("acme")

    # --- What people do

    def person(self, name: str) -> Person:
        """Somebody, made when first named."""
        did = f"did:plc:{name:x<24}"
        return self.people.setdefault(did, Person(did, f"{name}.example.com"))

    def say(
        self,
        who: Person,
        text: str,
        *,
        to: str = "",
        mentions: bool = True,
        at: datetime | None = None,
        **more: Any,
    ) -> str:
        """A post; its address. It mentions us unless it answers something."""
        moment = at or self.now()
        record: dict[str, Any] = {"$type": POST, "text": text, "createdAt": _iso(moment), "langs": ["en"], **more}
        if to:
            root = self.records[to].get("reply", {}).get("root", {"uri": to, "cid": f"cid-{to}"})
            record["reply"] = {"root": root, "parent": {"uri": to, "cid": f"cid-{to}"}}
        elif mentions:
            record["text"] = f"@{self.acme.handle} {text}"
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": self.acme.did}
            record["facets"] = [
                {"index": {"byteStart": 0, "byteEnd": len(self.acme.handle) + 1}, "features": [feature]}
            ]
        uri = f"at://{who.did}/{POST}/{record_key(str(next(self._count)), moment)}"
        self._keep(uri, record, moment)
        return uri

    def delete(self, uri: str) -> None:
        """The author takes it back."""
        del self.records[uri]

    def end_sessions(self) -> None:
        """The app password was revoked, or the server forgot: nothing given out before is good any more."""
        self._access.clear()
        self._refresh.clear()

    def expire(self) -> None:
        """Every access token has ended; they can be renewed."""
        self._access.clear()

    def fault(self, method: str, *effects: Effect, seconds: float = 0.0) -> None:
        """What becomes of the next such calls, by the last word of the method's name."""
        self.faults.setdefault(method, deque()).extend((effect, seconds) for effect in effects)

    def said(self) -> list[str]:
        """The addresses of our own posts."""
        return [uri for uri in self.records if uri.startswith(f"at://{self.acme.did}/")]

    def client(self) -> httpx.AsyncClient:
        """What `circle(make_http=…)` wants."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._take), timeout=5)

    # --- The line

    async def _take(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.removeprefix("/xrpc/")
        short = name.rpartition(".")[2]
        self.calls[short] += 1
        queue = self.faults.get(short)
        effect, seconds = queue.popleft() if queue else (None, 0.0)
        match effect:
            case "cut before":
                raise httpx.ReadError("cut", request=request)
            case "error before":
                return _error(500, "InternalServerError")
            case "limited":
                reset = int((self.now() + timedelta(minutes=5)).timestamp())
                return _error(429, "RateLimitExceeded", headers={"RateLimit-Reset": str(reset)})
            case "html":
                return httpx.Response(200, html="<title>Sign in</title>")
            case "late":
                self.late.append(asyncio.ensure_future(self._later(request, name, seconds)))
                raise httpx.ReadTimeout("slow", request=request)
        answer = self._answer(request, name)
        match effect:
            case "cut after":
                raise httpx.ReadError("cut", request=request)
            case "error after":
                return _error(502, "UpstreamFailure")
            case "truncated":
                return httpx.Response(answer.status_code, content=answer.content[: len(answer.content) // 2])
        return answer

    async def _later(self, request: httpx.Request, name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._answer(request, name)

    def _answer(self, request: httpx.Request, name: str) -> httpx.Response:
        asked = {key: request.url.params.get_list(key) for key in request.url.params}
        one = {key: values[0] for key, values in asked.items()}
        body = json.loads(request.content) if request.content else {}
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        short = name.rpartition(".")[2]
        if short == "createSession":
            return self._sign_in(body)
        if short == "refreshSession":
            return self._renew(token)
        if short == "getRepoStatus":
            stopped = self.people[one["did"]].stopped
            told = {"did": one["did"], "active": not stopped, **({"status": stopped} if stopped else {})}
            return httpx.Response(200, json=told)
        did, ends = self._access.get(token, ("", self.now()))
        if not did or ends <= self.now():
            return _error(400, "ExpiredToken", "Token has expired")
        if self.people[did].stopped:
            if short in {"getRecord", "listRecords"}:  # these anybody may call, and of that account there is nothing
                return _error(400, "InvalidRequest", f"Could not find repo: {did}")
            return _error(401, "AccountTakedown", "Account has been taken down")
        assert request.url.host == httpx.URL(PDS).host, "spoken to elsewhere than where the account lives"
        handler = getattr(self, f"_{re.sub(r'([A-Z])', lambda m: '_' + m[1].lower(), short)}")
        answer: httpx.Response = handler(did, one, asked, body)
        return answer

    # --- The PDS

    def _tokens(self, did: str) -> dict[str, Any]:
        number, ends = next(self._count), self.now() + self.access_lives
        claims = base64.urlsafe_b64encode(json.dumps({"exp": int(ends.timestamp()), "n": number}).encode())
        access, refresh = f"head.{claims.decode().rstrip('=')}.sign", f"refresh-{number}"
        self._access[access], self._refresh[refresh] = (did, ends), did
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": PDS}
        return {
            "did": did,
            "handle": self.people[did].handle,
            "active": True,
            "accessJwt": access,
            "refreshJwt": refresh,
            "didDoc": {"id": did, "service": [service]},
        }

    def _sign_in(self, body: dict[str, Any]) -> httpx.Response:
        found = next((p for p in self.people.values() if body["identifier"] in {p.did, p.handle}), None)
        if found is None or body["password"] != PASSWORD or found.stopped:
            return _error(401, "AuthenticationRequired", "Invalid identifier or password")
        return httpx.Response(200, json=self._tokens(found.did))

    def _renew(self, token: str) -> httpx.Response:
        if self.rotates_strictly and token in self._spent:
            self.end_sessions()  # a stolen token, as such a server sees it
        did = self._refresh.pop(token, None)
        if did is None:
            return _error(400, "ExpiredToken", "Token has been revoked")
        if self.people[did].stopped:
            return _error(401, "AccountTakedown", "Account has been taken down")
        self._spent[token] = did
        return httpx.Response(200, json=self._tokens(did))

    def _get_session(self, did: str, *_: Any) -> httpx.Response:
        return httpx.Response(200, json={"did": did, "handle": self.people[did].handle, "active": True})

    def _get_record(self, _did: str, one: dict[str, str], *_: Any) -> httpx.Response:
        uri = f"at://{one['repo']}/{one['collection']}/{one['rkey']}"
        if uri not in self.records:
            return _error(400, "RecordNotFound", f"Could not locate record: {uri}")
        return httpx.Response(200, json={"uri": uri, "cid": f"cid-{uri}", "value": self.records[uri]})

    def _list_records(self, _did: str, one: dict[str, str], *_: Any) -> httpx.Response:
        start = f"at://{one['repo']}/{one['collection']}/"
        found = sorted((uri for uri in self.records if uri.startswith(start)), reverse=True)
        page = [uri for uri in found if uri < start + one.get("cursor", "~")][: int(one.get("limit", "50"))]
        told = [{"uri": uri, "cid": f"cid-{uri}", "value": self.records[uri]} for uri in page]
        more = {"cursor": page[-1].rpartition("/")[2]} if page else {}
        return httpx.Response(200, json={"records": told, **more})

    def _put_record(self, did: str, _one: Any, _asked: Any, body: dict[str, Any]) -> httpx.Response:
        record = body["record"]
        assert body["repo"] == did
        if graphemes(record["text"]) > 300 or len(record["text"].encode()) > 3000:
            return _error(400, "InvalidRequest", "Record/text must not be longer than 300 graphemes")
        uri = f"at://{did}/{body['collection']}/{body['rkey']}"
        if self.records.get(uri) != record:
            self._keep(uri, record, self.now())
            self.writes.append(uri)
        return httpx.Response(200, json={"uri": uri, "cid": f"cid-{uri}"})

    def _resolve_handle(self, _did: str, one: dict[str, str], *_: Any) -> httpx.Response:
        found = next((person.did for person in self.people.values() if person.handle == one["handle"]), None)
        return httpx.Response(200, json={"did": found}) if found else _error(400, "InvalidRequest", "Unable to resolve")

    # --- The AppView

    def _keep(self, uri: str, record: dict[str, Any], moment: datetime) -> None:
        self.records[uri], self.indexed_at[uri] = record, moment
        if self.is_ahead:
            self.unseen.add(uri)

    def _profile(self, did: str) -> dict[str, Any]:
        person = self.people[did]
        viewer = {"blockedBy": person.blocks_us, "muted": False}
        return {"did": did, "handle": person.handle, "displayName": "", "viewer": viewer, "labels": []}

    def _view(self, uri: str) -> dict[str, Any]:
        record, did = self.records[uri], uri.split("/")[2]
        root = record.get("reply", {}).get("root", {}).get("uri", uri)
        return {
            "uri": uri,
            "cid": f"cid-{uri}",
            "author": self._profile(did),
            "record": record,
            "indexedAt": _iso(self.indexed_at[uri]),
            "viewer": {"replyDisabled": True} if root in self.locked else {},
            "labels": [],
        }

    def _get_profile(self, _did: str, one: dict[str, str], *_: Any) -> httpx.Response:
        return httpx.Response(200, json=self._profile(one["actor"]))

    def _get_profiles(self, _did: str, _one: Any, asked: dict[str, list[str]], _body: Any) -> httpx.Response:
        assert len(asked["actors"]) <= 25
        told = [{**self._profile(did), "followersCount": 7} for did in asked["actors"]]
        return httpx.Response(200, json={"profiles": told})

    def _get_posts(self, _did: str, _one: Any, asked: dict[str, list[str]], _body: Any) -> httpx.Response:
        assert len(asked["uris"]) <= 25
        return httpx.Response(200, json={"posts": [self._view(uri) for uri in asked["uris"] if uri in self.records]})

    def _list_notifications(self, did: str, one: dict[str, str], asked: Any, _body: Any) -> httpx.Response:
        assert asked["reasons"] or one["limit"] == "1"
        found = [(self.indexed_at[uri], uri, why) for uri in self.records if (why := self._reason(uri, did))]
        found = sorted((item for item in found if item[1] not in self.untold), reverse=True)
        found = [item for item in found if f"{_iso(item[0])}::{item[1]}" < one.get("cursor", "~")]
        page = found[: int(one.get("limit", "50"))]
        told = [{**self._view(uri), "reason": why, "isRead": False} for _, uri, why in page]
        more = {"cursor": f"{_iso(page[-1][0])}::{page[-1][1]}"} if len(found) > len(page) else {}
        return httpx.Response(200, json={"notifications": told, **more})

    def _reason(self, uri: str, did: str) -> str:
        record = self.records[uri]
        if uri.startswith(f"at://{did}/"):
            return ""
        if record.get("reply", {}).get("parent", {}).get("uri", "").startswith(f"at://{did}/"):
            return "reply"
        if record.get("embed", {}).get("record", {}).get("uri", "").startswith(f"at://{did}/"):
            return "quote"
        named = [f.get("did") for facet in record.get("facets", ()) for f in facet["features"]]
        return "mention" if did in named else ""

    def _get_post_thread(self, _did: str, one: dict[str, str], *_: Any) -> httpx.Response:
        if one["uri"] not in self.records:
            return _error(400, "NotFound", f"Post not found: {one['uri']}")
        behind = {"Atproto-Upstream-Lag": "300"} if self.unseen else {}
        return httpx.Response(200, json={"thread": self._node(one["uri"], int(one["depth"]))}, headers=behind)

    def _node(self, uri: str, depth: int) -> dict[str, Any]:
        below = [
            other
            for other, record in self.records.items()
            if record.get("reply", {}).get("parent", {}).get("uri") == uri and other not in self.hidden
        ]
        replies = [self._node(other, depth - 1) for other in below] if depth else []
        return {"$type": "app.bsky.feed.defs#threadViewPost", "post": self._view(uri), "replies": replies}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _error(status: int, name: str, message: str = "", *, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json={"error": name, "message": message or name}, headers=headers)

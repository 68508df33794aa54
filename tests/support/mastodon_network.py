"""A Mastodon server for tests, with a ledger of every status it accepted.

It answers as the documentation says real servers do, and fails as real servers fail: `faults` break
one call in a chosen way, and whole families differ (GoToSocial ignores the Idempotency-Key, Pleroma
replays whatever it answered). Nothing is kept but in memory.

In a process of its own:  python -m tests.support.mastodon_network --port 4000 --ignore-idempotency
From a test:              with start_process("--ignore-idempotency") as server: server.mention("ana@other.example", "…")
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import html
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode

import httpx
import regex
import uvicorn

from tests.support.ports import free_port

JSON = dict[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Software = Literal["mastodon", "gotosocial", "pleroma"]

BRAND = "acme"
TOKEN = "acme-access-token"
SCOPES = ("profile", "read:accounts", "read:notifications", "read:search", "read:statuses", "write:statuses")
VERSIONS: dict[Software, str] = {
    "mastodon": "4.5.2",
    "gotosocial": "0.20.1+git-0000000",
    "pleroma": "2.7.2 (compatible; Pleroma 2.9.1)",
}
KEY_LIVES = timedelta(hours=1)  # https://docs.joinmastodon.org/methods/statuses/#create
ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Person:
    """Somebody on this server (`domain` is None) or elsewhere. `blocks_us` hides their posts from every reader here."""

    id: str
    username: str
    domain: str | None = None
    display_name: str = ""
    bot: bool = False
    followers: int = 7
    suspended: bool = False
    disabled: bool = False
    blocks_us: bool = False

    @property
    def acct(self) -> str:
        return f"{self.username}@{self.domain}" if self.domain else self.username


@dataclass(slots=True)
class Token:
    """What an access token stands for."""

    person: Person
    scopes: tuple[str, ...] = SCOPES
    revoked: bool = False


@dataclass(slots=True)
class Status:
    """A public message. `needs_approval` makes its author let replies through first; `pending` is such a reply."""

    id: str
    author: Person
    text: str
    created_at: datetime
    in_reply_to_id: str | None = None
    visibility: str = "public"
    language: str | None = "en"
    spoiler_text: str = ""
    media: list[JSON] = field(default_factory=list)
    edited_at: datetime | None = None
    needs_approval: bool = False
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Notification:
    """A mention of somebody, as their notifications list it. `status_id` may name a deleted status."""

    id: str
    at: datetime
    status_id: str
    sender: Person
    filtered: bool = False


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `count` matching calls (every `every`-th of them).

    With `who`, only calls by that account of ours match.

    `status` answers without doing anything (or after it, with `accept`); `ratelimit` is a 429 with a
    Retry-After header for each of `retry_after`; `reset` cuts the line before anything is done,
    `drop_after_accept` after it; `truncate` does it and answers half the JSON; `hang` never answers
    and does nothing; `slow_accept` does it `seconds` after the call came, whoever still waits for it.
    """

    effect: Literal["status", "ratelimit", "reset", "drop_after_accept", "truncate", "hang", "slow_accept"]
    method: str = "*"
    path: str = "*"
    who: str = ""
    count: int = 1
    every: int = 1
    status: int = 500
    body: Any = None
    text: str | None = None
    headers: list[list[str]] = field(default_factory=list)
    retry_after: list[str] = field(default_factory=list)
    reset_at: str | None = None
    accept: bool = False
    seconds: float = 0.0
    seen: int = 0

    def takes(self, method: str, path: str, who: str) -> bool:
        if self.count < 1 or self.method not in {"*", method} or self.path not in {"*", path}:
            return False
        if self.who not in {"", who}:
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        self.count -= 1
        return True


@dataclass(frozen=True, slots=True)
class Call:
    """One request, whole."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    at: datetime

    def one(self, name: str) -> str:
        return self.query.get(name, [""])[0]


@dataclass(slots=True)
class Answer:
    """What goes back over the wire; `cut` resets the line instead."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)
    cut: bool = False


class RefusalError(Exception):
    """An answer of the documented error form."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


def _json(status: int, body: Any, headers: list[tuple[str, str]] | None = None) -> Answer:
    content = json.dumps(body, ensure_ascii=False).encode()
    return Answer(status, content, [("content-type", "application/json; charset=utf-8"), *(headers or [])])


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _place(identifier: str) -> tuple[int, str]:
    return len(identifier), identifier


class MastodonNetwork:
    """The server as an ASGI application, and all that tests may do to it."""

    def __init__(
        self,
        *,
        base_url: str = "http://home.example",
        domain: str = "home.example",
        software: Software = "mastodon",
        ignore_idempotency: bool = False,
        accept_after: float = 0.0,
        rate_limit: int | None = None,
        max_characters: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.now = now
        self.base_url, self.domain, self.software = base_url, domain, software
        self.ignore_idempotency = ignore_idempotency or software == "gotosocial"
        self.accept_after = accept_after
        self.rate_limit = rate_limit
        self.max_characters = max_characters or (500 if software == "mastodon" else 5000)
        self._numbers = count(1)
        self.people: dict[str, Person] = {}
        self.tokens: dict[str, Token] = {}
        self.statuses: dict[str, Status] = {}
        self.replies: dict[str, list[str]] = {}
        self.notifications: dict[str, list[Notification]] = {}
        self.ledger: list[JSON] = []
        self.faults: list[Fault] = []
        self.requests: deque[JSON] = deque(maxlen=20_000)
        self._by_key: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._answers: dict[tuple[str, str], Answer] = {}
        self._spent = 0
        self.tokens[TOKEN] = Token(self.person(BRAND))

    # --- What tests do to it -----------------------------------------------------------------------

    def person(self, acct: str, **changes: Any) -> Person:
        """The person of that name (`ana` is of this server, `ana@other.example` is not), made if new, changed as told."""
        username, _, domain = acct.removeprefix("@").partition("@")
        found = self.people.get(acct.removeprefix("@"))
        if found is None:
            found = Person(id=self._new_id(), username=username, domain=domain or None)
            self.people[found.acct] = found
            self.notifications[found.id] = []
        for name, value in changes.items():
            setattr(found, name, value)
        return found

    def mention(
        self,
        user: str,
        text: str,
        *,
        to: str = BRAND,
        at: datetime | None = None,
        filtered: bool = False,
        bot: bool | None = None,
        followers: int | None = None,
        display_name: str | None = None,
        **status: Any,
    ) -> Status:
        """A customer says something to us. `status` may hold in_reply_to_id, visibility, language, spoiler_text, media …"""
        told = {"bot": bot, "followers": followers, "display_name": display_name}
        author = self.person(user, **{name: value for name, value in told.items() if value is not None})
        when = at or self.now()
        words = text if f"@{to}" in text else f"@{to} {text}"
        said = self._keep(Status(id=self._new_id(), author=author, text=words, created_at=when, **status))
        self.notifications[self.person(to).id].append(Notification(self._new_id(), when, said.id, author, filtered))
        return said

    def delete(self, status_id: str, *, keep_notification: bool = False) -> None:
        """The author takes it back. Real servers forget the notification too; some keep it with `status: null`."""
        gone = self.statuses.pop(status_id)
        for child in self.replies.pop(status_id, []):
            if child in self.statuses:
                self.statuses[child].in_reply_to_id = None
        if gone.in_reply_to_id in self.replies:
            self.replies[gone.in_reply_to_id].remove(status_id)
        if not keep_notification:
            for listed in self.notifications.values():
                listed[:] = [n for n in listed if n.status_id != status_id]

    def edit(self, status_id: str, **changes: Any) -> Status:
        """The author changes it."""
        status = self.statuses[status_id]
        for name, value in changes.items():
            setattr(status, name, value)
        if "text" in changes:
            status.edited_at = self.now()
        return status

    def token(
        self, token: str, *, username: str = BRAND, scopes: tuple[str, ...] = SCOPES, revoked: bool = False
    ) -> None:
        """Make, change or revoke an access token."""
        self.tokens[token] = Token(self.person(username), tuple(scopes), revoked)

    def _new_id(self) -> str:
        number = next(self._numbers)
        if self.software != "gotosocial":
            return str(109_000_000_000_000_000 + number)
        digits = ""
        while number:
            number, digit = divmod(number, 32)
            digits = ULID[digit] + digits
        return "01J" + digits.rjust(23, "0")

    def _keep(self, status: Status) -> Status:
        self.statuses[status.id] = status
        if status.in_reply_to_id is not None:
            self.replies.setdefault(status.in_reply_to_id, []).append(status.id)
        return status

    # --- ASGI --------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        call = Call(
            method=scope["method"],
            path=scope["path"],
            query=parse_qs(scope["query_string"].decode()),
            headers={name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
            at=self.now(),
        )
        answer = await self._answer(call)
        if answer is None:  # hang
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if answer.cut:
            await _reset(receive, send)
            return
        raw = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        length = (b"content-length", str(len(answer.body)).encode())
        await send({"type": "http.response.start", "status": answer.status, "headers": [*raw, length]})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, call: Call) -> Answer | None:
        if call.path.startswith("/_control/"):
            return self._control(call.method, call.path.removeprefix("/_control/"), call.body)
        token = self.tokens.get(call.headers.get("authorization", "").removeprefix("Bearer "))
        who = token.person.acct if token else ""
        fault = next((fault for fault in self.faults if fault.takes(call.method, call.path, who)), None)
        answer = await self._with_fault(fault, call)
        status = answer.status if answer else 0
        seen = {"at": _iso(call.at), "method": call.method, "path": call.path, "status": status, "who": who}
        self.requests.append(seen)
        return answer

    async def _with_fault(self, fault: Fault | None, call: Call) -> Answer | None:
        effect = fault.effect if fault else ""
        if fault is not None and not fault.accept:
            if effect == "hang":
                return None
            if effect == "reset":
                return Answer(0, b"", cut=True)
            if effect in {"status", "ratelimit"}:
                return self._broken(fault)
        posts = (call.method, call.path) == ("POST", "/api/v1/statuses")
        wait = fault.seconds if fault is not None and effect == "slow_accept" else self.accept_after if posts else 0.0
        if wait:
            # The server has the whole request; whether anybody still waits for its answer is nothing to it.
            await asyncio.sleep(wait)
        answer = self._api(call)
        if fault is None or effect == "slow_accept":
            return answer
        if effect in {"drop_after_accept", "reset"}:
            return Answer(0, b"", cut=True)
        if effect == "truncate":
            return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers)
        return self._broken(fault)

    def _broken(self, fault: Fault) -> Answer:
        extra = [(name, value) for name, value in fault.headers]
        if fault.effect == "ratelimit":
            extra += [("retry-after", value) for value in fault.retry_after]
            if fault.reset_at:
                extra.append(("x-ratelimit-reset", fault.reset_at))
            return _json(429, {"error": "Too many requests"}, extra)
        if fault.text is not None:
            return Answer(fault.status, fault.text.encode(), [("content-type", "text/html; charset=utf-8"), *extra])
        return _json(fault.status, fault.body or {"error": "Something went wrong on our end"}, extra)

    # --- Mastodon's API ------------------------------------------------------------------------------

    def take(self, call: Call) -> Answer:
        """What the server does with a call, and answers, at once and without any fault; for lines of a test's own."""
        return self._api(call)

    def _api(self, call: Call) -> Answer:
        if self.rate_limit is not None and self._spent >= self.rate_limit:
            return _json(429, {"error": "Too many requests"}, self._allowance())
        self._spent += 1
        try:
            answer = self._route(call)
        except RefusalError as refusal:
            answer = _json(refusal.status, {"error": refusal.error})
        answer.headers += self._allowance()
        return answer

    def _allowance(self) -> list[tuple[str, str]]:
        limit = self.rate_limit if self.rate_limit is not None else 300
        left = max(0, limit - self._spent) if self.rate_limit is not None else limit - 1
        reset = (self.now() + timedelta(minutes=5)).replace(second=0, microsecond=0)
        return [
            ("x-ratelimit-limit", str(limit)),
            ("x-ratelimit-remaining", str(left)),
            ("x-ratelimit-reset", _iso(reset)),
        ]

    def _route(self, call: Call) -> Answer:
        match call.method, call.path:
            case "GET", "/api/v2/instance":
                return _json(200, self._instance())
            case "GET", "/api/v1/instance":
                return _json(200, {**self._instance(), "uri": self.domain, "max_toot_chars": self.max_characters})
            case "GET", "/api/v1/apps/verify_credentials":
                return _json(200, {"name": "Fullcircle", "website": None, "scopes": list(self._token(call).scopes)})
            case "GET", "/api/v1/accounts/verify_credentials":
                me = self._signed_in(call, "profile", "read:accounts")
                return _json(200, {**self._account(me), "source": {"privacy": "public", "language": None}})
            case "GET", "/api/v1/notifications":
                return self._list_notifications(self._signed_in(call, "read:notifications"), call)
            case "GET", "/api/v2/search":
                self._signed_in(call, "read:search")
                return _json(200, {"accounts": [], "hashtags": [], "statuses": self._search(call.one("q"))})
            case "POST", "/api/v1/statuses":
                return self._post(self._signed_in(call, "write:statuses"), call)
        found = re.fullmatch(r"/api/v1/statuses/([^/]+)(/context)?", call.path)
        if found and call.method == "GET":
            me = self._signed_in(call, "read:statuses")
            status = self._visible(found[1], me)
            return _json(200, self._context(status, me) if found[2] else self._status(status))
        if not call.path.startswith("/api/"):
            return Answer(404, b"<!doctype html><title>404</title>", [("content-type", "text/html")])
        raise RefusalError(404, "Record not found")

    def _search(self, words: str) -> list[JSON]:
        """By address, and in texts, as servers with full-text search do."""
        shown = [self._status(status) for status in self.statuses.values() if not status.author.blocks_us]
        return [s for s in shown if words in {s["url"], s["uri"]} or words in s["content"]][:5]

    def _signed_in(self, call: Call, *scopes: str) -> Person:
        token = self._token(call)
        if not {*scopes, *(scope.partition(":")[0] for scope in scopes)} & set(token.scopes):
            raise RefusalError(403, "This action is outside the authorized scopes")
        return token.person

    def _token(self, call: Call) -> Token:
        scheme, _, word = call.headers.get("authorization", "").partition(" ")
        token = self.tokens.get(word) if scheme.lower() == "bearer" else None
        if token is None:
            raise RefusalError(401, "The access token is invalid")
        if token.revoked:
            raise RefusalError(401, "The access token was revoked")
        if token.person.disabled:
            raise RefusalError(403, "Your login is currently disabled")
        return token

    def _visible(self, status_id: str, me: Person) -> Status:
        status = self.statuses.get(status_id)
        if status is None or (status.author is not me and (status.author.blocks_us or status.author.suspended)):
            raise RefusalError(404, "Record not found")
        return status

    def _list_notifications(self, me: Person, call: Call) -> Answer:
        limit = max(1, min(int(call.one("limit") or 40), 80))
        wants_filtered = call.one("include_filtered") == "true"
        if call.query.get("types[]") not in (None, ["mention"]):
            return _json(200, [])
        listed = [n for n in self.notifications[me.id] if wants_filtered or not n.filtered]
        places = [_place(n.id) for n in listed]
        above, below = call.one("min_id") or call.one("since_id"), call.one("max_id")
        low = bisect.bisect_right(places, _place(above)) if above else 0
        high = bisect.bisect_left(places, _place(below)) if below else len(listed)
        found = listed[low:high]
        page = (found[:limit] if call.one("min_id") else found[-limit:])[::-1]
        links: list[tuple[str, str]] = []
        if page:
            here = f"{self.base_url}/api/v1/notifications"
            older, newer = urlencode({"max_id": page[-1].id}), urlencode({"min_id": page[0].id})
            links = [("link", f'<{here}?{older}>; rel="next", <{here}?{newer}>; rel="prev"')]
        return _json(200, [self._notification(n) for n in page], links)

    def _post(self, me: Person, call: Call) -> Answer:
        key = call.headers.get("idempotency-key", "")
        if self.software == "pleroma" and key:
            return self._replayed(me, key, call)
        known, since = self._by_key.get((me.id, key), ("", self.now()))
        if key and not self.ignore_idempotency and known in self.statuses and self.now() - since < KEY_LIVES:
            return _json(200, self._status(self.statuses[known]))
        status = self._accept(me, key, call)
        self._by_key[me.id, key] = status.id, status.created_at
        return _json(200, self._status(status))

    def _replayed(self, me: Person, key: str, call: Call) -> Answer:
        """Pleroma keeps the whole answer of a key, refusals too, and gives it again."""
        kept = self._answers.get((me.id, key))
        if kept is not None:
            return Answer(kept.status, kept.body, [*kept.headers, ("idempotent-replayed", "true")])
        try:
            answer = _json(200, self._status(self._accept(me, key, call)))
        except RefusalError as refusal:
            answer = _json(refusal.status, {"error": refusal.error})
        self._answers[me.id, key] = Answer(answer.status, answer.body, list(answer.headers))
        return answer

    def _accept(self, me: Person, key: str, call: Call) -> Status:
        form = _form(call)
        text, spoiler = str(form.get("status") or ""), str(form.get("spoiler_text") or "")
        if not text.strip():
            raise RefusalError(422, "Validation failed: Text can't be blank")
        if self._length(text) + self._length(spoiler) > self.max_characters:
            if self.software == "mastodon":
                raise RefusalError(422, f"Validation failed: Text character limit of {self.max_characters} exceeded")
            raise RefusalError(400, f"text with spoiler exceed max chars ({self.max_characters})")
        parent_id = form.get("in_reply_to_id")
        parent = self._visible(str(parent_id), me) if parent_id else None
        status = self._keep(
            Status(
                id=self._new_id(),
                author=me,
                text=text,
                created_at=self.now(),
                in_reply_to_id=parent.id if parent else None,
                visibility=str(form.get("visibility") or "public"),
                language=form.get("language"),
                spoiler_text=spoiler,
                pending=parent is not None and parent.needs_approval,
            )
        )
        for name in dict.fromkeys(re.findall(r"(?<!\w)@(\w+)(?!@)\b", text)):
            if name in self.people and self.people[name] is not me:
                self.notifications[self.people[name].id].append(
                    Notification(self._new_id(), status.created_at, status.id, me)
                )
        self.ledger.append(
            {
                "id": status.id,
                "account": me.acct,
                "parent": status.in_reply_to_id,
                "key": key,
                "text": text,
                "visibility": status.visibility,
                "spoiler_text": spoiler,
                "language": status.language,
                "asked_at": _iso(call.at),
                "accepted_at": _iso(status.created_at),
            }
        )
        return status

    def _length(self, text: str) -> int:
        if self.software != "mastodon":
            return len(text)
        short = re.sub(r"@(\w+)@[\w.-]+\w", r"@\1", re.sub(r"https?://[^\s()]+[\w/]", "x" * 23, text))
        return len(regex.findall(r"\X", short))

    # --- Entities ------------------------------------------------------------------------------------

    def _instance(self) -> JSON:
        return {
            "domain": self.domain,
            "title": "Home",
            "version": VERSIONS[self.software],
            "source_url": f"https://code.example/{self.software}",
            "configuration": {
                "statuses": {"max_characters": self.max_characters, "characters_reserved_per_url": 23},
            },
        }

    def _account(self, person: Person) -> JSON:
        if person.domain is None:
            url, uri = f"{self.base_url}/@{person.username}", f"{self.base_url}/users/{person.username}"
        else:
            url, uri = f"https://{person.domain}/@{person.username}", f"https://{person.domain}/users/{person.username}"
        account: JSON = {
            "id": person.id,
            "username": person.username,
            "acct": person.acct,
            "display_name": person.display_name,
            "url": url,
            "bot": person.bot,
            "followers_count": person.followers,
        }
        if self.software == "mastodon":
            account["uri"] = uri
        elif self.software == "pleroma":
            account["pleroma"] = {"ap_id": uri}
        if person.suspended:
            account["suspended"] = True
        return account

    def _status(self, status: Status) -> JSON:
        account = self._account(status.author)
        parent = self.statuses.get(status.in_reply_to_id or "")
        mentions = [self.people[name] for name in dict.fromkeys(_names(status.text)) if name in self.people]
        host = self.base_url if status.author.domain is None else f"https://{status.author.domain}"
        body: JSON = {
            "id": status.id,
            "uri": f"{host}/users/{status.author.username}/statuses/{status.id}",
            "url": f"{host}/@{status.author.username}/{status.id}",
            "created_at": _iso(status.created_at),
            "edited_at": _iso(status.edited_at) if status.edited_at else None,
            "in_reply_to_id": status.in_reply_to_id,
            "in_reply_to_account_id": parent.author.id if parent else None,
            "visibility": status.visibility,
            "language": status.language,
            "sensitive": bool(status.spoiler_text),
            "spoiler_text": status.spoiler_text,
            "content": self._html(status.text),
            "account": account,
            "media_attachments": status.media,
            "mentions": [
                {"id": p.id, "username": p.username, "acct": p.acct, "url": self._account(p)["url"]} for p in mentions
            ],
            "tags": [],
            "emojis": [],
        }
        if status.pending:
            body["pending_approval"] = True
        return body

    def _notification(self, notification: Notification) -> JSON:
        status = self.statuses.get(notification.status_id)
        return {
            "id": notification.id,
            "type": "mention",
            "created_at": _iso(notification.at),
            "account": self._account(notification.sender),
            "status": self._status(status) if status else None,
        }

    def _context(self, status: Status, me: Person) -> JSON:
        ancestors: list[Status] = []
        above = self.statuses.get(status.in_reply_to_id or "")
        while above is not None:
            ancestors.insert(0, above)
            above = self.statuses.get(above.in_reply_to_id or "")
        descendants: list[Status] = []
        waiting = list(self.replies.get(status.id, []))
        while waiting:
            below = self.statuses[waiting.pop(0)]
            descendants.append(below)
            waiting = [*self.replies.get(below.id, []), *waiting]
        return {
            "ancestors": [self._status(s) for s in ancestors],
            "descendants": [self._status(s) for s in descendants if s.author is me or not s.author.suspended],
        }

    def _html(self, text: str) -> str:
        """As Mastodon writes it: paragraphs, profile links without their domain, addresses shortened."""

        def link(word: str) -> str:
            if word.startswith("@"):
                person = self.people.get(word[1:])
                if person is None:
                    return html.escape(word)
                url = html.escape(self._account(person)["url"])
                shown = f"@<span>{person.username}</span>"
                return f'<span class="h-card"><a href="{url}" class="u-url mention">{shown}</a></span>'
            scheme, _, rest = word.partition("://")
            return (
                f'<a href="{html.escape(word)}" target="_blank"><span class="invisible">{scheme}://</span>'
                f'<span class="{"ellipsis" if len(rest) > 30 else ""}">{html.escape(rest[:30])}</span>'
                f'<span class="invisible">{html.escape(rest[30:])}</span></a>'
            )

        def paragraph(words: str) -> str:
            pieces = re.split(r"(https?://[^\s<>]+[\w/]|(?<!\w)@\w+(?:@[\w.-]+\w)?)", words)
            linked = [link(piece) if at % 2 else html.escape(piece) for at, piece in enumerate(pieces)]
            return "".join(linked).replace("\n", "<br />")

        return "".join(f"<p>{paragraph(words)}</p>" for words in re.split(r"\n\n+", text))

    # --- Control -------------------------------------------------------------------------------------

    def _control(self, method: str, path: str, body: bytes) -> Answer:
        """`/_control/…`, for tests in another process. Each takes and gives JSON; a list of mentions is taken too."""
        given = json.loads(body) if body else {}
        try:
            return _json(200, self._controlled(method, *path.split("/", 1), given=given))
        except (KeyError, TypeError, ValueError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def _controlled(self, method: str, noun: str, rest: str = "", *, given: Any) -> Any:
        match method, noun:
            case "GET", "ledger":
                return {"items": self.ledger}
            case "GET", "requests":
                return {"items": list(self.requests)}
            case "GET", "statuses":
                return self._status(self.statuses[rest])
            case "POST", "mentions":
                made = [self._control_mention(one) for one in (given if isinstance(given, list) else [given])]
                return made if isinstance(given, list) else made[0]
            case "POST", "faults":
                match_ = given.pop("match", {})
                self.faults.append(Fault(**match_, **given))
                return {"faults": len(self.faults)}
            case "DELETE", "faults":
                self.faults.clear()
                return {}
            case "POST", "statuses":
                return self._status(self.edit(rest, **given))
            case "DELETE", "statuses":
                self.delete(rest, **given)
                return {}
            case "POST", "people":
                return self._account(self.person(rest, **given))
            case "POST", "tokens":
                self.token(rest, **given)
                return {}
            case "POST", "settings":
                for name in given:
                    if name not in {"ignore_idempotency", "accept_after", "rate_limit", "max_characters"}:
                        raise KeyError(name)
                    setattr(self, name, given[name])
                return {}
        raise KeyError(f"{method} {noun}")

    def _control_mention(self, given: JSON) -> JSON:
        at = given.pop("at", None)
        return self._status(self.mention(**given, at=datetime.fromisoformat(at) if at else None))


def _names(text: str) -> list[str]:
    return re.findall(r"(?<!\w)@(\w+(?:@[\w.-]+\w)?)", text)


def _form(call: Call) -> JSON:
    if call.headers.get("content-type", "").startswith("application/json"):
        given = json.loads(call.body or b"{}")
        return given if isinstance(given, dict) else {}
    return {name: values[0] for name, values in parse_qs(call.body.decode(), keep_blank_values=True).items()}


async def _reset(receive: Receive, send: Send) -> None:
    """Cut the line without an answer. The server behind `send` is uvicorn; elsewhere the call itself fails."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the line was cut")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


# --- Starting it ----------------------------------------------------------------------------------


class MastodonServer:
    """A running network, as a test sees it. `pid` is None where it runs in a thread of the test itself."""

    def __init__(self, base_url: str, pid: int | None = None) -> None:
        self.base_url, self.pid, self.access_token = base_url, pid, TOKEN
        self._http = httpx.Client(base_url=f"{base_url}/_control/", trust_env=False, timeout=30)

    def control(self, method: str, path: str, given: Any = None) -> Any:
        """One call of `/_control/…`; AssertionError where it is refused."""
        answer = self._http.request(method, path, json=given)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def mention(self, user: str, text: str, **more: Any) -> JSON:
        """A customer says something to us; returns the Status."""
        return dict(self.control("POST", "mentions", {"user": user, "text": text, **more}))

    def mentions(self, many: list[JSON]) -> list[JSON]:
        """Many at once: `[{"user": …, "text": …}, …]`."""
        return list(self.control("POST", "mentions", many))

    def ledger(self) -> list[JSON]:
        """Every status accepted through the API, in the order of acceptance."""
        return list(self.control("GET", "ledger")["items"])

    def requests(self) -> list[JSON]:
        """The latest calls of the API: at, method, path, status (0: no answer)."""
        return list(self.control("GET", "requests")["items"])

    def fault(self, effect: str, *, method: str = "POST", path: str = "/api/v1/statuses", **more: Any) -> None:
        """Break the next call that matches; see Fault."""
        self.control("POST", "faults", {"match": {"method": method, "path": path}, "effect": effect, **more})

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        self.control("DELETE", "faults")

    def delete(self, status_id: str, **more: Any) -> None:
        """The author deletes a status."""
        self.control("DELETE", f"statuses/{status_id}", more)

    def edit(self, status_id: str, **changes: Any) -> JSON:
        """The author edits a status (`text=`), or it changes otherwise (`visibility=`, `pending=`)."""
        return dict(self.control("POST", f"statuses/{status_id}", changes))

    def person(self, acct: str, **changes: Any) -> JSON:
        """Make or change somebody: bot, followers, suspended, disabled, blocks_us."""
        return dict(self.control("POST", f"people/{acct}", changes))

    def token(self, token: str, **more: Any) -> None:
        """Make, change or revoke a token: username, scopes, revoked."""
        self.control("POST", f"tokens/{token}", more)

    def settings(self, **changes: Any) -> None:
        """ignore_idempotency, accept_after, rate_limit, max_characters."""
        self.control("POST", "settings", changes)

    def close(self) -> None:
        """Let go of the connection; the network itself goes on."""
        self._http.close()


def _uvicorn(network: MastodonNetwork, port: int) -> uvicorn.Server:
    config = uvicorn.Config(
        network,
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=0,
    )
    return uvicorn.Server(config)


@contextmanager
def start_thread(network: MastodonNetwork) -> Iterator[MastodonServer]:
    """The network on a free port of loopback, in a thread: the test may look into it while it runs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        network.base_url = f"http://127.0.0.1:{port}"
        server = _uvicorn(network, port)
        thread = threading.Thread(target=lambda: server.run(sockets=[listening]), name="mastodon-network", daemon=True)
        thread.start()
        running = MastodonServer(network.base_url)
        try:
            _wait_for(running.base_url)
            yield running
        finally:
            running.close()
            server.should_exit = server.force_exit = True
            thread.join(timeout=10)


@contextmanager
def start_process(*options: str) -> Iterator[MastodonServer]:
    """The network on a free port of loopback, in a process of its own; it is ended by its id."""
    port = free_port()
    command = [sys.executable, "-m", "tests.support.mastodon_network", "--port", str(port), *options]
    with subprocess.Popen(command, cwd=ROOT) as process:
        running = MastodonServer(f"http://127.0.0.1:{port}", process.pid)
        try:
            _wait_for(running.base_url, process)
            yield running
        finally:
            running.close()
            process.kill()


def _wait_for(base_url: str, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.get(f"{base_url}/api/v2/instance", trust_env=False)
            return
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"the Mastodon network ended with {process.returncode} before it answered")
        time.sleep(0.02)
    raise RuntimeError("the Mastodon network did not answer within 30 seconds")


def main() -> None:
    """Run it in the foreground."""
    parser = argparse.ArgumentParser(description="A Mastodon server for tests, in memory.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--software", choices=list(VERSIONS), default="mastodon")
    parser.add_argument("--ignore-idempotency", action="store_true")
    parser.add_argument("--accept-after", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--rate-limit", type=int, default=None, metavar="CALLS")
    parser.add_argument("--max-characters", type=int, default=None)
    given = vars(parser.parse_args())
    port = given.pop("port")
    network = MastodonNetwork(base_url=f"http://127.0.0.1:{port}", **given)
    _uvicorn(network, port).run()


if __name__ == "__main__":
    main()

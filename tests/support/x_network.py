"""X for tests: people, their posts, and an API that hands out tokens, bills each answer and refuses what X refuses.

It answers as X's pages and its OpenAPI document say (tests/real/test_x_contract.py judges that), and with the
refusals that clients of it have seen. Every call may be broken in a chosen way; what was said is in `said`, whoever
heard of it. Nothing is kept but in memory.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import httpx

from app.channels.x import linked_words, weighted_length

JSON = dict[str, Any]

API = "https://api.x.com"
USERNAME, ME = "acme", "2244994945"
CLIENT_ID, CLIENT_SECRET = "client-of-acme", "sentinel-client-secret"
ACCESS, REFRESH = "sentinel-first-access", "sentinel-first-refresh"
SCOPE = "tweet.read users.read tweet.write offline.access"
EPOCH = 1_288_834_974_657

Effect = Literal["cut before", "cut after", "error before", "error after", "html", "truncated", "limited", "gateway"]


@dataclass
class Person:
    """An account, and what it does to us."""

    id: str
    username: str
    protected: bool = False
    blocks_us: bool = False
    suspended: bool = False


@dataclass
class Said:
    """One post. `versions` are the numbers of its edits, oldest first, itself among them."""

    id: int
    author: Person
    text: str
    at: datetime
    to: int | None = None
    quotes: int | None = None
    retweets: int | None = None
    reply_settings: str = "everyone"
    versions: list[int] = field(default_factory=list)
    media: list[JSON] = field(default_factory=list)
    note: str = ""
    lang: str = "en"


@dataclass
class XNetwork:
    """Everybody's posts, and one app that speaks for one account. `strict` refuses the names of the other vocabulary."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    naming: Literal["tweet", "post"] = "tweet"
    scope: str = SCOPE
    confidential: bool = True
    credits: Decimal | None = None
    account: Literal["well", "locked", "suspended"] = "well"
    app: Literal["well", "no plan", "read only"] = "well"
    has_search: bool = True
    capped: str = ""
    window: int = 10_000
    reach: int = 800
    """How many mentions back the list goes."""
    access_lives: timedelta = timedelta(hours=2)
    people: dict[str, Person] = field(default_factory=dict)
    posts: dict[int, Said] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    unlisted: set[int] = field(default_factory=set)
    """Posts of ours that our own list does not show yet."""
    billed: Decimal = Decimal(0)
    calls: Counter[str] = field(default_factory=Counter)
    asked: list[httpx.Request] = field(default_factory=list)
    faults: dict[str, deque[Effect]] = field(default_factory=dict)
    codes: dict[str, tuple[str, str, datetime]] = field(default_factory=dict)
    _access: dict[str, datetime] = field(default_factory=dict)
    _refresh: set[str] = field(default_factory=set)
    _billed_today: set[str] = field(default_factory=set)
    _number: int = 0

    def __post_init__(self) -> None:
        self.acme = Person(ME, USERNAME)
        self.people[USERNAME] = self.acme
        self._access[ACCESS] = self.now() + self.access_lives
        self._refresh.add(REFRESH)

    # --- What people do

    def person(self, username: str, **changes: Any) -> Person:
        """Somebody, made when first named, changed as told."""
        found = self.people.setdefault(username, Person(str(1_000_000 + len(self.people)), username))
        for name, value in changes.items():
            setattr(found, name, value)
        return found

    def say(self, who: str, text: str, *, mentions: bool = True, at: datetime | None = None, **more: Any) -> int:
        """A post; its number. It begins with our name unless told otherwise."""
        moment = at or self.now()
        number = self._new(moment)
        whole = f"@{USERNAME} {text}" if mentions else text
        self.posts[number] = Said(number, self.person(who), whole, moment, versions=[number], **more)
        return number

    def edit(self, number: int, text: str) -> int:
        """The author changes a post: a new number, and both know of each other."""
        old = self.posts[number]
        new = self._new(self.now())
        old.versions.append(new)
        made = Said(**{**vars(old), "id": new, "text": text, "at": self.now()})
        self.posts[new] = made
        return new

    def delete(self, number: int) -> None:
        """The author takes a post back, all its versions."""
        for version in self.posts[number].versions:
            self.posts.pop(version, None)

    def by_hand(self, text: str, *, to: int | None = None) -> int:
        """One of the team answers in the app."""
        number = self._new(self.now())
        self.posts[number] = Said(number, self.acme, text, self.now(), to=to, versions=[number])
        return number

    def expire(self) -> None:
        """Access has ended; it can be renewed."""
        self._access.clear()

    def revoke(self) -> None:
        """The account's owner took the access back."""
        self._access.clear()
        self._refresh.clear()

    def agree(self, page: str) -> dict[str, str]:
        """The account's owner says yes on the page that they were sent to; what their browser is sent back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(page).query).items()}
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        self.scope = asked["scope"]
        code = f"sentinel-code-{len(self.codes)}"
        self.codes[code] = (asked["code_challenge"], asked["redirect_uri"], self.now() + timedelta(seconds=30))
        return {"state": asked["state"], "code": code}

    def grant(self) -> JSON:
        """Access as X gives it: both tokens new."""
        number = sum(self.calls.values()) + len(self._access) + 1
        access, refresh = f"sentinel-access-{number}", f"sentinel-refresh-{number}"
        self._access[access] = self.now() + self.access_lives
        self._refresh.add(refresh)
        told = {
            "token_type": "bearer",
            "expires_in": int(self.access_lives.total_seconds()),
            "access_token": access,
            "scope": self.scope,
        }
        return {**told, "refresh_token": refresh} if "offline.access" in self.scope else told

    def fault(self, route: str, *effects: Effect) -> None:
        """Break the next calls of a route ('POST tweets', 'GET users/mentions') in these ways, one each."""
        self.faults.setdefault(route, deque()).extend(effects)

    def client(self) -> httpx.AsyncClient:
        """A client for which this is the internet."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer), timeout=10)

    def _new(self, moment: datetime) -> int:
        """A number that says when: the newest is the highest."""
        self._number += 1
        return (int(moment.timestamp() * 1000) - EPOCH << 22) + self._number

    # --- The API

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What X answers to a request; raises as httpx does where there is no answer."""
        self.asked.append(request)
        route, serve, rest = self._route(request)
        self.calls[route] += 1
        waiting = self.faults.get(route)
        effect = waiting.popleft() if waiting else None
        match effect:
            case "cut before":
                raise httpx.ConnectError("refused", request=request)
            case "error before":
                return _problem(500, "Internal Server Error", "Something went wrong")
            case "html":
                return httpx.Response(
                    403, headers={"content-type": "text/html"}, text="<!doctype html><title>?</title>"
                )
            case "limited":
                return self._limited(429)
        answer = serve(request, *rest)
        match effect:
            case "cut after":
                raise httpx.ReadTimeout("slow", request=request)
            case "error after":
                return _problem(503, "Service Unavailable", "Service Unavailable")
            case "gateway":
                return httpx.Response(504, text="upstream")
            case "truncated":
                return httpx.Response(
                    answer.status_code, headers={"content-type": "application/json"}, text=answer.text[:9]
                )
        return answer

    def _route(self, request: httpx.Request) -> tuple[str, Callable[..., httpx.Response], list[str]]:
        path, verb = request.url.path.removeprefix("/2/"), request.method
        if (verb, path) == ("POST", "oauth2/token"):
            return "POST token", self._token, []
        parts = path.split("/")
        match verb, parts:
            case "GET", ["users", "me"]:
                return "GET users/me", self._checked(self._users_me), []
            case "GET", ["users", number, ("mentions" | "tweets") as which]:
                return f"GET users/{which}", self._checked(self._list), [number, which]
            case "GET", ["tweets", number]:
                return "GET tweet", self._checked(self._tweet), [number]
            case "GET", ["tweets", "search", "recent"]:
                return "GET search", self._checked(self._search), []
            case "GET", ["tweets"]:
                return "GET tweets", self._checked(self._tweets), []
            case "POST", ["tweets"]:
                return "POST tweets", self._checked(self._say), []
        return f"{verb} {path}", lambda _request: _problem(404, "Not Found", "Not Found"), []

    def _checked(self, serve: Callable[..., httpx.Response]) -> Callable[..., httpx.Response]:
        """Access, credits, limits and vocabulary come before anything else."""

        def checked(request: httpx.Request, *rest: str) -> httpx.Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if self._access.get(token, self.now()) <= self.now():
                return _problem(401, "Unauthorized", "Unauthorized")
            if self.app == "no plan":
                return _problem(
                    403,
                    "Client Forbidden",
                    "When authenticating requests to the X API v2 endpoints, you must use keys and tokens from an "
                    "X developer App that is attached to a Project.",
                    kind="client-forbidden",
                    reason="client-not-enrolled",
                    registration_url="https://developer.x.com/en/docs/projects/overview",
                )
            if self.credits is not None and self.credits <= 0:
                return _problem(
                    402, "CreditsDepleted", "Your enrolled account does not have any credits to fulfill this request."
                )
            if self.capped:
                period = self.capped
                return _problem(
                    429,
                    "UsageCapExceeded",
                    f"Usage cap exceeded: {period} product cap",
                    kind="usage-capped",
                    period=period,
                    scope="Product",
                )
            if self.window <= 0:
                return self._limited(429)
            self.window -= 1
            other = "post.fields" if self.naming == "tweet" else "tweet.fields"
            if other in request.url.params:
                return _problem(
                    400,
                    "Invalid Request",
                    "One or more parameters to your request was invalid.",
                    kind="invalid-request",
                    errors=[{"parameters": {other: []}, "message": f"The query parameter [{other}] is not one of […]"}],
                )
            answer = serve(request, *rest)
            answer.headers.update(self._window())
            return answer

        return checked

    def _window(self) -> dict[str, str]:
        reset = int((self.now() + timedelta(minutes=15)).timestamp())
        return {
            "x-rate-limit-limit": "10000",
            "x-rate-limit-remaining": str(max(self.window, 0)),
            "x-rate-limit-reset": str(reset),
        }

    def _limited(self, status: int) -> httpx.Response:
        answer = _problem(status, "Too Many Requests", "Too Many Requests")
        answer.headers.update(self._window())
        return answer

    def _bill(self, names: list[str], price: str) -> None:
        """Each resource once a day, as X says."""
        for name in names:
            key = f"{self.now():%Y-%m-%d} {name}"
            if key not in self._billed_today:
                self._billed_today.add(key)
                self._pay(Decimal(price))

    def _pay(self, usd: Decimal) -> None:
        self.billed += usd
        if self.credits is not None:
            self.credits -= usd

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        proves = request.headers.get("authorization") == f"Basic {basic}"
        if not (proves if self.confidential else form.get("client_id") == CLIENT_ID):
            return httpx.Response(
                401, json={"error": "unauthorized_client", "error_description": "Missing valid authorization header"}
            )
        refused = httpx.Response(
            400, json={"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
        )
        match form.get("grant_type"):
            case "refresh_token":
                if form.get("refresh_token") not in self._refresh:
                    return refused
                self._refresh.discard(form["refresh_token"])
                return httpx.Response(200, json=self.grant())
            case "authorization_code":
                challenge, redirect_uri, until = self.codes.pop(form.get("code", ""), ("", "", self.now()))
                digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
                proof = base64.urlsafe_b64encode(digest).decode().rstrip("=")
                if until <= self.now() or (proof, form.get("redirect_uri")) != (challenge, redirect_uri):
                    return refused
                return httpx.Response(200, json=self.grant())
        return refused

    def _users_me(self, _request: httpx.Request) -> httpx.Response:
        self._bill([f"user {ME}"], "0.010")
        return httpx.Response(200, json={"data": self._user(self.acme)})

    def _list(self, request: httpx.Request, number: str, which: str) -> httpx.Response:
        params = request.url.params
        if number != ME:
            return _problem(400, "Invalid Request", "not our own", kind="invalid-request", errors=[])
        size = int(params.get("max_results", "10"))
        if not 5 <= size <= 100:
            return _problem(400, "Invalid Request", "max_results", kind="invalid-request", errors=[])
        listed = sorted((one for one in self.posts.values() if self._is_listed(one, which)), key=lambda one: -one.id)
        listed = listed[: self.reach if which == "mentions" else 3200]
        if "since_id" in params:
            listed = [one for one in listed if one.id > int(params["since_id"])]
        if "until_id" in params:
            listed = [one for one in listed if one.id < int(params["until_id"])]
        if "start_time" in params:
            since = datetime.fromisoformat(params["start_time"])
            listed = [one for one in listed if one.at >= since]
        begin = int(params.get("pagination_token", "token-0").removeprefix("token-"))
        page = listed[begin : begin + size]
        if not page:
            return httpx.Response(200, json={"meta": {"result_count": 0}})
        meta: JSON = {"result_count": len(page), "newest_id": str(page[0].id), "oldest_id": str(page[-1].id)}
        if begin + size < len(listed):
            meta["next_token"] = f"token-{begin + size}"
        self._bill([f"post {one.id}" for one in page], "0.001")
        return httpx.Response(200, json={**self._whole(page), "meta": meta})

    def _is_listed(self, one: Said, which: str) -> bool:
        if one.id != one.versions[-1]:
            return False
        if which == "tweets":
            return one.author is self.acme and one.id not in self.unlisted
        return (
            bool(_names_us(one.text))
            and one.author is not self.acme
            and not (one.author.suspended or one.author.blocks_us)
        )

    def _tweet(self, _request: httpx.Request, number: str) -> httpx.Response:
        problem = self._why_hidden(number)
        if problem is not None:
            return httpx.Response(200, json={"errors": [problem]})
        self._bill([f"post {number}"], "0.005")
        whole = self._whole([self.posts[int(number)]])
        return httpx.Response(200, json={**whole, "data": whole["data"][0]})

    def _tweets(self, request: httpx.Request) -> httpx.Response:
        numbers = request.url.params["ids"].split(",")
        problems = {number: problem for number in numbers if (problem := self._why_hidden(number)) is not None}
        shown = [self.posts[int(number)] for number in numbers if number not in problems]
        self._bill([f"post {one.id}" for one in shown], "0.005")
        body = self._whole(shown) if shown else {}
        return httpx.Response(200, json={**body, **({"errors": list(problems.values())} if problems else {})})

    def _search(self, request: httpx.Request) -> httpx.Response:
        if not self.has_search:
            return _problem(403, "Client Forbidden", "Your plan has no access to this", kind="client-forbidden")
        params = request.url.params
        root = int(params["query"].removeprefix("conversation_id:"))
        size = int(params.get("max_results", "10"))
        if not 10 <= size <= 100:
            return _problem(400, "Invalid Request", "max_results", kind="invalid-request", errors=[])
        since = self.now() - timedelta(days=7)
        shown = [
            one
            for one in sorted(self.posts.values(), key=lambda one: -one.id)
            if self._root(one) == root and one.at >= since and self._why_hidden(str(one.id)) is None
        ][:size]
        if not shown:
            return httpx.Response(200, json={"meta": {"result_count": 0}})
        self._bill([f"post {one.id}" for one in shown], "0.005")
        meta = {"result_count": len(shown), "newest_id": str(shown[0].id), "oldest_id": str(shown[-1].id)}
        return httpx.Response(200, json={**self._whole(shown), "meta": meta})

    def _root(self, one: Said) -> int:
        while one.to in self.posts:
            one = self.posts[one.to]
        return one.to or one.id

    def _why_hidden(self, number: str) -> JSON | None:
        one = self.posts.get(int(number))
        common = {"parameter": "id", "resource_id": number, "value": number, "resource_type": "tweet"}
        if one is None or one.author.suspended:
            return {
                **common,
                "title": "Not Found Error",
                "detail": f"Could not find tweet with id: [{number}].",
                "type": "https://api.twitter.com/2/problems/resource-not-found",
            }
        if one.author.blocks_us:
            return {
                **common,
                "title": "Authorization Error",
                "detail": f"Sorry, you are not authorized to see the Tweet with id: [{number}].",
                "section": "data",
                "type": "https://api.twitter.com/2/problems/not-authorized-for-resource",
            }
        return None

    def _say(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        text, to = body["text"], int(body["reply"]["in_reply_to_tweet_id"])
        refusal = self._refusal(text, to)
        if refusal:
            return _problem(403, "Forbidden", refusal)
        self._pay(Decimal("0.200") if linked_words(text) else Decimal("0.010"))
        number = self._new(self.now())
        made = Said(number, self.acme, text, self.now(), to=to, versions=[number])
        self.posts[number] = made
        self.said.append(made)
        return httpx.Response(
            201, json={"data": {"id": str(number), "text": text, "edit_history_tweet_ids": [str(number)]}}
        )

    def _refusal(self, text: str, to: int) -> str:
        parent = self.posts.get(to)
        if self.account == "suspended":
            return "Your account is suspended and is not permitted to access this feature."
        if self.account == "locked":
            return "To protect our users from spam and other malicious activity, this account is temporarily locked."
        if self.app == "read only":
            return "You are not permitted to perform this action."
        if parent is None or parent.author.blocks_us or parent.author.suspended:
            return "You attempted to reply to a Tweet that is deleted or not visible to you."
        quoted = self.posts.get(parent.quotes or 0)
        if not _names_us(parent.text) and not (quoted and quoted.author is self.acme):
            return (
                "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by "
                "the author of the post you are replying to."
            )
        if parent.reply_settings not in {"everyone", "mentionedUsers"}:
            return "The original Tweet author restricted who can reply to this Tweet."
        if any(one.author is self.acme and one.text == text for one in self.posts.values()):
            return "You are not allowed to create a Tweet with duplicate content."
        if weighted_length(text) > 280:
            return "Your Tweet text is too long. For more information on how Twitter determines text length see …"
        return ""

    # --- Shapes

    def _whole(self, page: list[Said]) -> JSON:
        authors = {one.author.id: self._user(one.author) for one in page}
        media = {picture["media_key"]: picture for one in page for picture in one.media}
        includes: JSON = {"users": list(authors.values())}
        if media:
            includes["media"] = list(media.values())
        return {"data": [self._post(one) for one in page], "includes": includes}

    def _user(self, who: Person) -> JSON:
        return {
            "id": who.id,
            "name": who.username.capitalize(),
            "username": who.username,
            "protected": who.protected,
            "verified": False,
            "public_metrics": {"followers_count": 97, "following_count": 3, "tweet_count": 12, "listed_count": 0},
        }

    def _post(self, one: Said) -> JSON:
        history, referenced = "edit_history_tweet_ids", "referenced_tweets"
        if self.naming == "post":
            history, referenced = "edit_history_post_ids", "referenced_posts"
        urls, text = [], one.text
        for count, link in enumerate(linked_words(one.text)):
            short = f"https://t.co/{one.id % 10**6}x{count}"
            text = text.replace(link, short, 1)
            whole = link if "://" in link else f"http://{link}"
            shown = link.partition("://")[2] or link
            urls.append({"start": 0, "end": len(short), "url": short, "expanded_url": whole, "display_url": shown[:30]})
        mentions = [
            {"start": found.start(), "end": found.end(), "username": USERNAME, "id": ME}
            for found in _names_us(one.text)
        ]
        entities = {**({"mentions": mentions} if mentions else {}), **({"urls": urls} if urls else {})}
        refers = {"replied_to": one.to, "quoted": one.quotes, "retweeted": one.retweets}
        told: JSON = {
            "id": str(one.id),
            "text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
            "author_id": one.author.id,
            "created_at": one.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "conversation_id": str(self._root(one)),
            "lang": one.lang,
            "reply_settings": one.reply_settings,
            history: [str(version) for version in one.versions],
            "edit_controls": {
                "edits_remaining": 5,
                "is_edit_eligible": True,
                "editable_until": (one.at + timedelta(hours=1)).astimezone(UTC).isoformat().replace("+00:00", "Z"),
            },
            "public_metrics": {
                "retweet_count": 0,
                "reply_count": 0,
                "like_count": 1,
                "quote_count": 0,
                "impression_count": 9,
            },
        }
        if entities:
            told["entities"] = entities
        if any(refers.values()):
            told[referenced] = [{"type": kind, "id": str(number)} for kind, number in refers.items() if number]
        if one.to and one.to in self.posts:
            told["in_reply_to_user_id"] = self.posts[one.to].author.id
        if one.media:
            told["attachments"] = {"media_keys": [picture["media_key"] for picture in one.media]}
        if one.note:
            told["note_tweet" if self.naming == "tweet" else "note_post"] = {"text": one.note, "entities": {}}
        return told


def _names_us(text: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<![\w@])@{USERNAME}\b", text, re.IGNORECASE))


def _problem(status: int, title: str, detail: str, *, kind: str = "", **more: Any) -> httpx.Response:
    name = f"https://api.twitter.com/2/problems/{kind}" if kind else "about:blank"
    body = {"title": title, "detail": detail, "type": name, "status": status, **more}
    return httpx.Response(
        status, headers={"content-type": "application/problem+json"}, content=json.dumps(body).encode()
    )

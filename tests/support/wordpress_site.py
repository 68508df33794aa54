"""A WordPress site for tests, in memory, with a ledger of every comment it made for us.

It answers as the reference says and as WordPress 6.1 was seen to answer; `faults` break one call each.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx

JSON = dict[str, Any]

BASE_URL = "https://blog.example"
USERNAME, PASSWORD = "acme", "abcd efgh ijkl mnop qrst uvwx"
ME = 7
Effect = Literal["lost", "cut", "fatal", "gateway", "unavailable", "refused", "late"]


@dataclass(slots=True)
class Comment:
    """One comment. `author` 0 is a guest."""

    id: int
    post: int
    content: str
    at: datetime
    author: int = 0
    author_name: str = "Ana"
    parent: int = 0
    status: str = "approved"
    type: str = "comment"


@dataclass(slots=True)
class Site:
    """The site. `pretty` is whether its permalinks are; `sees_us` whether the Authorization header gets through."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    pretty: bool = True
    sees_us: bool = True
    role: str = "editor"
    moderates: bool = False
    flooded: int = 0
    per_page: int = 100
    comments: dict[int, Comment] = field(default_factory=dict)
    articles: dict[int, JSON] = field(default_factory=dict)
    ledger: list[Comment] = field(default_factory=list)
    faults: list[tuple[Effect, bool]] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    answers: dict[str, httpx.Response] = field(default_factory=dict)
    edits_articles: bool = True
    reads_articles: bool = True
    before_page: Callable[[int], None] = lambda _page: None
    _late: list[Comment] = field(default_factory=list)
    _ids: int = 100

    def article(self, number: int = 12, **more: Any) -> int:
        """Publish an article."""
        self.articles[number] = {
            "id": number,
            "status": "publish",
            "password": "",
            "comment_status": "open",
            **more,
        }
        return number

    def comment(self, content: str, *, post: int = 12, at: datetime | None = None, **more: Any) -> Comment:
        """Somebody comments."""
        if post not in self.articles:
            self.article(post)
        self._ids += 1
        moment = (at or self.now()).replace(microsecond=0)
        made = Comment(id=self._ids, post=post, content=content, at=moment, **more)
        self.comments[made.id] = made
        return made

    def fault(self, effect: Effect, *, accepts: bool = True) -> None:
        """Break the next new comment; with `accepts` it is made all the same."""
        self.faults.append((effect, accepts))

    def arrive(self) -> None:
        """What WordPress was still working on is done now."""
        for comment in self._late:
            self._keep(comment)
        self._late.clear()

    def client(self) -> httpx.AsyncClient:
        """A client for which this is the internet."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self), timeout=10)

    # --- the API

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        route = self._route(request)
        if route is None:
            link = f'<{BASE_URL}/{"wp-json/" if self.pretty else "index.php?rest_route=/"}>; rel="https://api.w.org/"'
            return httpx.Response(200, headers={"Link": link, "Content-Type": "text/html"}, text="<!doctype html>")
        if route in self.answers:
            return self.answers[route]
        if route == "":
            return httpx.Response(200, json={"name": "Acme", "home": BASE_URL, "namespaces": ["wp/v2"]})
        expected = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        knows_us = self.sees_us and request.headers.get("authorization") == f"Basic {expected}"
        if route == "users/me":
            return self._me() if knows_us else _error("rest_not_logged_in", 401, "You are not currently logged in.")
        query = dict(request.url.params)
        if query.get("context") == "edit" and not (knows_us and self.role == "editor"):
            return _error("rest_forbidden_context", 403 if knows_us else 401)
        kind, _, number = route.partition("/")
        if kind == "posts":
            return self._posts(query, number)
        if kind != "comments":
            return _error("rest_no_route", 404, "No route was found.")
        if request.method == "POST":
            return self._make(json.loads(request.content))
        return self._one(int(number)) if number else self._page(query)

    def _route(self, request: httpx.Request) -> str | None:
        path = (
            request.url.path if self.pretty else request.url.params.get("rest_route", "").replace("/", "/wp-json/", 1)
        )
        if not path.startswith("/wp-json/"):
            return None
        return path.removeprefix("/wp-json/").removeprefix("wp/v2/").strip("/")

    def _me(self) -> httpx.Response:
        return httpx.Response(
            200,
            json={
                "id": ME,
                "name": "Acme",
                "slug": "acme",
                "link": f"{BASE_URL}/author/acme/",
                "roles": [self.role],
                "capabilities": {"moderate_comments": self.role == "editor"},
            },
        )

    def _posts(self, query: dict[str, str], number: str) -> httpx.Response:
        if not (self.edits_articles if query.get("context") == "edit" else self.reads_articles):
            return _error("rest_forbidden_context" if query.get("context") == "edit" else "rest_forbidden", 403)
        if number:
            found = self.articles.get(int(number))
            return httpx.Response(200, json=found) if found else _error("rest_post_invalid_id", 404)
        wanted = {int(one) for one in query["include"].split(",")}
        return httpx.Response(
            200, json=[one for n, one in self.articles.items() if n in wanted and one["status"] == "publish"]
        )

    def _one(self, number: int) -> httpx.Response:
        found = self.comments.get(number)
        return httpx.Response(200, json=self._shape(found)) if found else _error("rest_comment_invalid_id", 404)

    def _page(self, query: dict[str, str]) -> httpx.Response:
        page = int(query.get("page", "1"))
        self.before_page(page)
        status = {"approve": "approved"}.get(query["status"], query["status"])
        after = datetime.fromisoformat(query["after"]) if "after" in query else datetime(1970, 1, 1, tzinfo=UTC)
        included = {int(one) for one in query["include"].split(",")} if "include" in query else None
        found = [
            one
            for one in self.comments.values()
            if one.status == status
            and one.type == "comment"
            and one.at > after
            and (included is None or one.id in included)
            and all(str(getattr(one, name)) == query[name] for name in ("post", "parent", "author") if name in query)
        ]
        found.sort(key=lambda one: (one.at, one.id), reverse=query.get("order", "desc") == "desc")
        size = min(int(query["per_page"]), self.per_page)
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(-(-len(found) // size))}
        return httpx.Response(
            200, headers=headers, json=[self._shape(one) for one in found[(page - 1) * size : page * size]]
        )

    def _make(self, body: JSON) -> httpx.Response:
        article = self.articles.get(body["post"])
        if article is None:
            return _error("rest_comment_invalid_post_id", 403)
        if article["comment_status"] == "closed":
            return _error("rest_comment_closed", 403, "Sorry, comments are closed for this item.")
        if self.flooded:
            self.flooded -= 1
            return _error("comment_flood", 400, "You are posting comments too quickly. Slow down.")
        is_there = [
            one
            for one in self.comments.values()
            if (one.parent, one.author_name, one.content) == (body["parent"], "Acme", body["content"])
            and one.status != "trash"
        ]
        if is_there:
            return _error("comment_duplicate", 409, "Duplicate comment detected")
        effect, accepts = self.faults.pop(0) if self.faults else (None, True)
        self._ids += 1
        made = Comment(
            id=self._ids,
            post=body["post"],
            parent=body["parent"],
            content=body["content"],
            at=self.now().replace(microsecond=0),
            author=ME,
            author_name="Acme",
            status="hold" if self.moderates else "approved",
        )
        if effect == "refused":
            raise httpx.ConnectError("refused")
        if effect == "late":
            self._late.append(made)
            raise httpx.ReadTimeout("no answer in time")
        if accepts:
            self._keep(made)
        match effect:
            case "lost":
                raise httpx.ReadError("the line was cut")
            case "cut":
                return httpx.Response(201, text=json.dumps(self._shape(made))[:40])
            case "fatal":
                return _error("internal_server_error", 500, "There has been a critical error on this website.")
            case "gateway":
                return httpx.Response(502, headers={"Content-Type": "text/html"}, text="<h1>Bad Gateway</h1>")
            case "unavailable":
                return httpx.Response(503, headers={"Content-Type": "text/html"}, text="<h1>Unavailable</h1>")
        return httpx.Response(201, json=self._shape(made))

    def _keep(self, made: Comment) -> None:
        self.comments[made.id] = made
        self.ledger.append(made)

    def _shape(self, one: Comment) -> JSON:
        return {
            "id": one.id,
            "post": one.post,
            "parent": one.parent,
            "author": one.author,
            "author_name": one.author_name,
            "author_email": "sentinel@guests.example",
            "author_ip": "192.0.2.99",
            "author_url": "",
            "date": (one.at + timedelta(hours=1)).replace(tzinfo=None).isoformat(),
            "date_gmt": one.at.replace(tzinfo=None).isoformat(),
            "content": {"rendered": f"<p>{html.escape(html.unescape(one.content))}</p>\n", "raw": one.content},
            "link": f"{BASE_URL}/article-{one.post}/#comment-{one.id}",
            "status": one.status,
            "type": one.type,
            "author_avatar_urls": {"24": "https://secure.gravatar.com/avatar/sentinel"},
            "_links": {"up": [{"href": f"{BASE_URL}/wp-json/wp/v2/posts/{one.post}", "post_type": "post"}]},
        }


def _error(code: str, status: int, message: str = "Sorry, you are not allowed to do that.") -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": message, "data": {"status": status}})

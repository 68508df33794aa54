"""A test GitHub: REST and GraphQL over real git repositories, with signed webhooks and with faults.

In this process: `GitHubServer(world).client()` is an httpx client that reaches it without a socket.
In its own: `python -m tests.support.github_server --port P --root DIR`, then `RemoteGitHub(url)`
does there what a `GitHubWorld` does here. Nothing in it stems from the code under test.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode

import httpx
import jwt
from graphql import GraphQLError, build_schema, graphql_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from tests.support import github_shapes as shapes
from tests.support.git_history import LoggedCommit
from tests.support.github_shapes import JSON, Places
from tests.support.github_world import (
    App,
    Clock,
    Comment,
    Delivery,
    GitHubWorld,
    Issue,
    RefusedError,
    Repository,
    Token,
    Webhook,
)
from tests.support.processes import ended

SCHEMA = build_schema(
    """
    scalar DateTime
    scalar URI
    scalar GitObjectID
    type Query { viewer: User!  repository(owner: String!, name: String!, followRenames: Boolean = true): Repository }
    type User { login: String! }
    type Repository { nameWithOwner: String!  isPrivate: Boolean!  issue(number: Int!): Issue }
    type Issue {
      number: Int!
      repository: Repository!
      closedByPullRequestsReferences(first: Int, after: String, includeClosedPrs: Boolean = false): PullRequestConnection
      timelineItems(first: Int, last: Int, itemTypes: [IssueTimelineItemsItemType!]): IssueTimelineItemsConnection!
    }
    type PullRequestConnection { nodes: [PullRequest]  totalCount: Int! }
    type IssueTimelineItemsConnection { nodes: [IssueTimelineItems]  totalCount: Int! }
    type PullRequest {
      number: Int!
      merged: Boolean!
      mergedAt: DateTime
      baseRefName: String!
      url: URI!
      mergeCommit: Commit
      repository: Repository!
    }
    type Commit { oid: GitObjectID!  committedDate: DateTime!  url: URI!  repository: Repository! }
    type ProjectV2 { title: String! }
    union Closer = Commit | ProjectV2 | PullRequest
    union ReferencedSubject = Issue | PullRequest
    union IssueOrPullRequest = Issue | PullRequest
    union IssueTimelineItems =
      ClosedEvent | ReopenedEvent | ConnectedEvent | DisconnectedEvent | MarkedAsDuplicateEvent
      | UnmarkedAsDuplicateEvent | ConvertedToDiscussionEvent | TransferredEvent
    type ClosedEvent { createdAt: DateTime!  closer: Closer }
    type ReopenedEvent { createdAt: DateTime! }
    type ConnectedEvent { createdAt: DateTime!  source: ReferencedSubject!  subject: ReferencedSubject! }
    type DisconnectedEvent { createdAt: DateTime!  source: ReferencedSubject!  subject: ReferencedSubject! }
    type MarkedAsDuplicateEvent { createdAt: DateTime!  canonical: IssueOrPullRequest }
    type UnmarkedAsDuplicateEvent { createdAt: DateTime!  canonical: IssueOrPullRequest }
    type ConvertedToDiscussionEvent { createdAt: DateTime! }
    type TransferredEvent { createdAt: DateTime! }
    enum IssueTimelineItemsItemType {
      CLOSED_EVENT REOPENED_EVENT CONNECTED_EVENT DISCONNECTED_EVENT MARKED_AS_DUPLICATE_EVENT
      UNMARKED_AS_DUPLICATE_EVENT CONVERTED_TO_DISCUSSION_EVENT TRANSFERRED_EVENT CROSS_REFERENCED_EVENT
    }
    """
)
"""The part of GitHub's schema that is served here; the official one judges our query in tests/real."""

_EVENT_TYPES = {
    "closed": "ClosedEvent",
    "reopened": "ReopenedEvent",
    "connected": "ConnectedEvent",
    "disconnected": "DisconnectedEvent",
    "marked_as_duplicate": "MarkedAsDuplicateEvent",
    "unmarked_as_duplicate": "UnmarkedAsDuplicateEvent",
    "converted_to_discussion": "ConvertedToDiscussionEvent",
    "transferred": "TransferredEvent",
}


@dataclass
class Fault:
    """What goes wrong with the next `count` calls whose method and path match.

    `effect`: '500' … any status; 'ratelimit', 'secondary' (403 with words only), 'retry-after';
    'truncated' and 'html' break the answer; 'lost' does the deed and cuts the line; 'slow' answers
    after `seconds`, the deed done before; 'late' does the deed after `seconds`, answered or not.
    """

    effect: str
    method: str = ""
    path: str = ""
    count: int = 1
    seconds: float = 0.0

    def matches(self, method: str, path: str) -> bool:
        return self.count > 0 and self.method in {"", method} and re.search(self.path, path) is not None


Handler = Callable[[Request, Repository, Token], Response]


class GitHubServer:
    """The HTTP side of a world. `requests` lists all calls, `ledger` those that wrote something."""

    def __init__(self, world: GitHubWorld, *, prefix: str = "") -> None:
        self.world = world
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, int]] = []
        self.ledger: list[JSON] = []
        self.searches, self.searches_left = 0, 1_000_000
        self._prefix = prefix
        self._app = Starlette(routes=self._routes(), lifespan=self._deliver_while_running)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, method = scope["path"], scope["method"]
        fault = None if path.startswith("/_control") else self._fault(method, path)
        if fault is not None and fault.effect not in {"lost", "truncated", "slow", "late"}:
            answer = self._broken(fault)
            self.requests.append((method, path, answer.status_code))
            await answer(scope, receive, send)
            return
        if fault is not None and fault.effect == "late":
            await asyncio.sleep(fault.seconds)
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, keep)
        if not path.startswith("/_control"):
            query = scope["query_string"].decode()
            self.requests.append((method, f"{path}?{query}" if query else path, sent[0]["status"]))
        if fault is not None and fault.effect == "slow":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.effect in {"lost", "truncated"}:
            await self._cut(sent, send, whole_head=fault.effect == "truncated")
        for message in sent:
            await send(message)

    def client(self, *, seconds: float = 10.0) -> httpx.AsyncClient:
        """A client that reaches this server without a socket."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self), timeout=seconds)

    async def deliver(self, post: Callable[[Delivery], Awaitable[int]]) -> None:
        """Hand all waiting webhook calls to `post`, in order; it answers with the status."""
        while self.world.pending:
            delivery = self.world.pending.pop(0)
            delivery.status = await post(delivery)
            self.world.delivered.append(delivery)

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.matches(method, path):
                fault.count -= 1
                return fault
        return None

    def _broken(self, fault: Fault) -> Response:
        reset = str(int(self.world.clock.now().timestamp()) + 90)
        match fault.effect:
            case "ratelimit":
                headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
                return _refusal(403, "API rate limit exceeded for user ID 1.", headers)
            case "secondary":
                return _refusal(403, "You have exceeded a secondary rate limit. Please wait a few minutes.", {})
            case "retry-after":
                return _refusal(429, "Too many requests", {"Retry-After": "77"})
            case "html":
                return Response("<html>Sign in</html>", media_type="text/html")
            case status:
                return _refusal(int(status), "Server Error" if status.startswith("5") else "Refused", {})

    async def _cut(self, sent: list[Message], send: Send, *, whole_head: bool) -> None:
        body = b"".join(message.get("body", b"") for message in sent)
        await send(sent[0])
        await send(
            {"type": "http.response.body", "body": body[: len(body) // 2] if whole_head else b"", "more_body": True}
        )
        raise httpx.ReadError("the line was cut")

    @asynccontextmanager
    async def _deliver_while_running(self, _app: Starlette) -> AsyncIterator[None]:
        async def run() -> None:
            async with httpx.AsyncClient(timeout=10, trust_env=False) as http:

                async def post(delivery: Delivery) -> int:
                    with contextlib.suppress(httpx.HTTPError):
                        headers = delivery.headers
                        return (await http.post(delivery.hook.url, content=delivery.body, headers=headers)).status_code
                    return 0

                while True:
                    await self.deliver(post)
                    await asyncio.sleep(0.02)

        task = asyncio.create_task(run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    # Routes

    def _routes(self) -> list[BaseRoute]:
        repo = "/repos/{owner}/{repo}"
        table: list[tuple[str, str, Handler]] = [
            ("GET", repo, lambda _r, found, _t: _json(self.world.repository_json(found))),
            ("GET", f"{repo}/issues", self._list_issues),
            ("POST", f"{repo}/issues", self._create_issue),
            ("GET", f"{repo}/issues/{{number:int}}", self._get_issue),
            ("PATCH", f"{repo}/issues/{{number:int}}", self._patch_issue),
            ("GET", f"{repo}/issues/{{number:int}}/comments", self._list_comments),
            ("POST", f"{repo}/issues/{{number:int}}/comments", self._create_comment),
            ("POST", f"{repo}/issues/{{number:int}}/labels", self._add_labels),
            ("GET", f"{repo}/issues/{{number:int}}/timeline", self._timeline),
            ("GET", f"{repo}/issues/comments/{{comment:int}}", self._get_comment),
            ("PATCH", f"{repo}/issues/comments/{{comment:int}}", self._patch_comment),
            ("DELETE", f"{repo}/issues/comments/{{comment:int}}", self._delete_comment),
            ("GET", f"{repo}/pulls", self._list_pulls),
            ("POST", f"{repo}/pulls", self._create_pull),
            ("GET", f"{repo}/pulls/{{number:int}}", self._get_pull),
            ("GET", f"{repo}/pulls/{{number:int}}/commits", self._pull_commits),
            ("GET", f"{repo}/pulls/{{number:int}}/files", self._pull_files),
            ("PUT", f"{repo}/pulls/{{number:int}}/merge", self._merge_pull),
            ("GET", f"{repo}/commits", self._list_commits),
            ("GET", f"{repo}/commits/{{sha}}/pulls", self._pulls_of_commit),
            ("GET", f"{repo}/commits/{{ref:path}}", self._get_commit),
            ("GET", f"{repo}/compare/{{basehead:path}}", self._compare),
            ("GET", f"{repo}/git/ref/{{ref:path}}", self._get_ref),
            ("POST", f"{repo}/git/refs", self._create_ref),
            ("PATCH", f"{repo}/git/refs/{{ref:path}}", self._move_ref),
            ("DELETE", f"{repo}/git/refs/{{ref:path}}", self._delete_ref),
            ("GET", f"{repo}/git/tags/{{sha}}", self._get_tag),
            ("GET", f"{repo}/releases", self._list_releases),
            ("POST", f"{repo}/releases", self._create_release),
            ("GET", f"{repo}/releases/{{release:int}}", self._get_release),
            ("PATCH", f"{repo}/releases/{{release:int}}", self._patch_release),
            ("DELETE", f"{repo}/releases/{{release:int}}", self._delete_release),
            ("GET", f"{repo}/deployments", self._list_deployments),
            ("GET", f"{repo}/deployments/{{deployment:int}}/statuses", self._list_statuses),
            ("GET", f"{repo}/hooks", self._list_hooks),
            ("POST", f"{repo}/hooks", self._create_hook),
            ("PATCH", f"{repo}/hooks/{{hook:int}}", self._patch_hook),
            ("GET", f"{repo}/hooks/{{hook:int}}/deliveries", self._list_deliveries),
            ("POST", f"{repo}/hooks/{{hook:int}}/deliveries/{{delivery:int}}/attempts", self._redeliver),
        ]
        routes: list[BaseRoute] = [
            Route(self._prefix + path, self._guarded(handler), methods=[method]) for method, path, handler in table
        ]
        graphql = self._prefix.removesuffix("/v3") + "/graphql"
        return [
            Route(f"{self._prefix}/user", self._user),
            Route(f"{self._prefix}/search/issues", self._searching(self._search_issues)),
            Route(f"{self._prefix}/search/commits", self._searching(self._search_commits)),
            Route(f"{self._prefix}/app/installations/{{number:int}}/access_tokens", self._open, methods=["POST"]),
            Route(f"{self._prefix}{repo}/installation", self._installation),
            Route(graphql, self._graphql, methods=["POST"]),
            Route(f"{self._prefix}/repositories/{{number:int}}{{rest:path}}", self._by_id),
            Route("/_control/{what:path}", self._control, methods=["GET", "POST"]),
            *routes,
        ]

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                token = self._token(request)
                await request.body()
                name = f"{request.path_params['owner']}/{request.path_params['repo']}"
                if name.lower() in self.world.renamed and name.lower() not in self.world.repositories:
                    return self._moved(request, self.world.renamed[name.lower()], after=f"/repos/{name}")
                return self._conditional(request, handler(request, self._visible(name, token), token))
            except RefusedError as refused:
                return _refusal(refused.status, refused.message, refused.headers)

        return answer

    def _conditional(self, request: Request, made: Response) -> Response:
        """ETags on reading, as GitHub has them; its rate headers on everything."""
        made.headers["X-GitHub-Request-Id"] = "test"
        made.headers["x-ratelimit-limit"] = "5000"
        made.headers["x-ratelimit-remaining"] = str(5000 - min(len(self.requests), 4999))
        made.headers["x-ratelimit-reset"] = str(int(self.world.clock.now().timestamp()) + 3600)
        if request.method != "GET" or made.status_code != 200:
            return made
        etag = f'W/"{hashlib.sha256(bytes(made.body)).hexdigest()[:32]}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"etag": etag})
        made.headers["etag"] = etag
        return made

    def _token(self, request: Request) -> Token:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("token ")
        found = self.world.tokens.get(given)
        if found is None or (found.expires_at is not None and found.expires_at <= self.world.clock.now()):
            raise RefusedError(401, "Bad credentials")
        return found

    def _app_of(self, request: Request) -> App:
        """Who signed a JSON web token: GitHub's clock, not this machine's, says whether it still holds."""
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        now = self.world.clock.now().timestamp()
        try:
            claims = jwt.decode(given, options={"verify_signature": False})
            app = self.world.apps.get(str(claims["iss"]))
            if app is None:
                raise RefusedError(404, "Integration not found")
            jwt.decode(given, app.public_key, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False})
        except (jwt.PyJWTError, KeyError) as error:
            raise RefusedError(401, "A JSON web token could not be decoded") from error
        if not now < claims["exp"] <= now + 600:
            raise RefusedError(401, "'Expiration time' claim ('exp') is too far in the future")
        if claims["iat"] > now:
            raise RefusedError(401, "'Issued at' claim ('iat') must be an Integer representing the time in the past")
        return app

    async def _open(self, request: Request) -> Response:
        """A token for an installation."""
        try:
            app, number = self._app_of(request), request.path_params["number"]
            if number not in app.installations:
                raise RefusedError(404, "Not Found")
            if number in app.suspended:
                raise RefusedError(403, "This installation has been suspended")
            name, token = self.world.open_installation(app, number)
        except RefusedError as refused:
            return _refusal(refused.status, refused.message, refused.headers)
        made = {
            "token": name,
            "expires_at": shapes.stamp(token.expires_at),
            "permissions": token.permissions,
            "repository_selection": "selected",
        }
        return _json(made, 201)

    async def _installation(self, request: Request) -> Response:
        """Where the app that asks is installed on a repository."""
        try:
            app = self._app_of(request)
            found = self.world.repository(f"{request.path_params['owner']}/{request.path_params['repo']}")
            number = next((n for n, names in app.installations.items() if found.full_name in names), None)
            if number is None:
                raise RefusedError(404, "Not Found")
        except RefusedError as refused:
            return _refusal(refused.status, refused.message, refused.headers)
        return _json(
            shapes.installation(
                installation_id=number,
                app_id=app.id,
                slug=app.slug,
                account=found.full_name.partition("/")[0],
                permissions=app.permissions,
                at=self.world.clock.now(),
                places=self.world.places,
            )
        )

    def _visible(self, name: str, token: Token) -> Repository:
        found = self.world.repository(name)
        if found.private and token.repositories is not None and found.full_name not in token.repositories:
            raise RefusedError(404, "Not Found")
        return found

    def _may_write(self, token: Token, permission: str) -> None:
        if not token.may_write or not token.may(permission):
            self._refuse(token, permission)

    def _may_read(self, found: Repository, token: Token, permission: str) -> None:
        """What a public repository shows, it shows to every token."""
        if found.private and not token.may(permission):
            self._refuse(token, permission)

    def _searching(
        self, handler: Callable[[Request, Repository, Mapping[str, str], str], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        """A search in one repository: the qualifiers and the phrase of its query, within its own allowance."""

        async def answer(request: Request) -> Response:
            self.searches += 1
            try:
                token = self._token(request)
                if self.searches_left == 0:
                    reset = str(int(self.world.clock.now().timestamp()) + 40)
                    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
                    headers["x-ratelimit-resource"] = "search"
                    raise RefusedError(403, "API rate limit exceeded for user ID 1.", headers=headers)
                self.searches_left -= 1
                phrase = " ".join(re.findall(r'"([^"]*)"', request.query_params["q"]))
                pairs = re.findall(r"(\w+):(\S+)", request.query_params["q"].replace(f'"{phrase}"', ""))
                found = self._searchable(dict(pairs)["repo"], token)
                return handler(request, found, dict(pairs), phrase)
            except RefusedError as refused:
                return _refusal(refused.status, refused.message, refused.headers)

        return answer

    def _searchable(self, name: str, token: Token) -> Repository:
        try:
            return self._visible(name, token)  # under its present name only: no search follows a rename
        except RefusedError as refused:
            raise RefusedError(422, "Validation Failed: the listed repositories cannot be searched") from refused

    def _search_issues(self, request: Request, found: Repository, wanted: Mapping[str, str], phrase: str) -> Response:
        """Pull requests by their words, or by how their branch begins."""
        assert wanted["is"] == "pr"
        head = wanted.get("head", "").lower()
        pulls = [
            issue
            for issue in found.issues.values()
            if issue.pull is not None
            and issue.number not in self.world.unindexed
            and issue.pull.head.lower().startswith(head)
            and _has_phrase(f"{issue.title} {issue.body}", phrase)
        ]
        made = [{**self.world.issue_json(pull), "score": 1.0} for pull in pulls]
        return self._results(request, made, {"search_type": "lexical"})

    def _search_commits(self, request: Request, found: Repository, wanted: Mapping[str, str], phrase: str) -> Response:
        """Commits of the default branch by their message."""
        assert set(wanted) == {"repo"}
        commits = [
            {**self._commit_json(found, one), "repository": self.world.repository_json(found), "score": 1.0}
            for one in found.git.log(found.git.default_branch)
            if one.sha not in self.world.unindexed and _has_phrase(one.message, phrase)
        ]
        return self._results(request, commits, {})

    def _results(self, request: Request, found: list[JSON], more: JSON) -> Response:
        paged = self._page(request, found)
        whole = {
            "total_count": len(found),
            "incomplete_results": self.world.search_gives_up,
            "items": json.loads(bytes(paged.body)),
            **more,
        }
        headers = {"Link": paged.headers["Link"]} if "Link" in paged.headers else {}
        return JSONResponse(whole, headers=headers)

    def _refuse(self, token: Token, permission: str) -> NoReturn:
        by = "integration" if token.is_app else "personal access token"
        headers = {"X-Accepted-GitHub-Permissions": permission}
        raise RefusedError(403, f"Resource not accessible by {by}", headers=headers)

    def _wrote(self, request: Request, token: Token, number: int) -> None:
        body = request.scope.get("json")
        self.ledger.append(
            {
                "at": shapes.stamp(self.world.clock.now()),
                "login": token.login,
                "method": request.method,
                "path": request.url.path,
                "id": number,
                "body": body,
            }
        )

    def _moved(self, request: Request, number: int, *, after: str) -> Response:
        rest = request.url.path.removeprefix(self._prefix).removeprefix(after)
        query = f"?{request.url.query}" if request.url.query else ""
        address = f"{self.world.places.links}/repositories/{number}{rest}{query}"
        return JSONResponse(
            {"message": "Moved Permanently", "url": address, "documentation_url": "https://docs.github.com"},
            status_code=301,
            headers={"Location": address},
        )

    async def _by_id(self, request: Request) -> Response:
        """`/repositories/ID/…`, where GitHub's redirects lead."""
        try:
            found = self.world.repository_by_id(request.path_params["number"])
        except RefusedError as refused:
            return _refusal(refused.status, refused.message, {})
        path = f"{self._prefix}/repos/{found.full_name}{request.path_params['rest']}"
        inner = {**request.scope, "path": path, "raw_path": path.encode(), "path_params": {}}
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await self._app(inner, request.receive, keep)
        headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        body = b"".join(message.get("body", b"") for message in sent)
        return Response(body, status_code=sent[0]["status"], headers=headers)

    def _page(self, request: Request, items: list[Any], make: Callable[[Any], JSON] | None = None) -> Response:
        size = min(int(request.query_params.get("per_page", "30")), 100)
        page = int(request.query_params.get("page", "1"))
        part = items[(page - 1) * size : page * size]
        made = _json([make(item) for item in part] if make else part)
        link = self._link(request, page=page, size=size, total=len(items))
        if link:
            made.headers["Link"] = link
        return made

    def _link(self, request: Request, *, page: int, size: int, total: int) -> str:
        if page * size >= total:
            return ""
        query = urlencode({**dict(request.query_params), "page": page + 1})
        root = self.world.places.links.removesuffix(self._prefix)
        return f'<{root}{request.url.path}?{query}>; rel="next"'

    # Issues and comments

    async def _user(self, request: Request) -> Response:
        try:
            token = self._token(request)
        except RefusedError as refused:
            return _refusal(refused.status, refused.message, {})
        if token.is_app:
            return _refusal(403, "Resource not accessible by integration", {})
        return _json(shapes.viewer(token.login, self.world.places, self.world.clock.now()))

    def _list_issues(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_read(found, token, "issues=read")
        query = request.query_params
        issues = [i for i in found.issues.values() if not i.is_deleted and i.moved_to is None]
        if (state := query.get("state", "open")) != "all":
            issues = [i for i in issues if i.state == state]
        if since := query.get("since"):
            issues = [i for i in issues if i.updated_at >= datetime.fromisoformat(since)]
        if creator := query.get("creator"):
            issues = [i for i in issues if i.login == creator]
        by = "updated_at" if query.get("sort") == "updated" else "created_at"
        issues.sort(key=lambda i: (getattr(i, by), i.id), reverse=query.get("direction", "desc") == "desc")
        return self._page(request, issues, self.world.issue_json)

    def _create_issue(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "issues=write")
        given = _given(request)
        if not given.get("title"):
            raise RefusedError(422, "Validation Failed")
        number = self.world.open_issue(found.full_name, given["title"], body=given.get("body") or "", login=token.login)
        issue = found.issues[number]
        self._wrote(request, token, issue.id)
        return _json(self.world.issue_json(issue), 201)

    def _issue(self, request: Request, found: Repository) -> Issue:
        return self.world.issue(found.full_name, request.path_params["number"])

    def _get_issue(self, request: Request, found: Repository, token: Token) -> Response:
        issue = self._issue(request, found)
        if issue.moved_to is not None:
            target = issue.moved_to
            self._visible(target.repository.full_name, token)
            address = f"{self.world.places.links}/repositories/{target.repository.id}/issues/{target.number}"
            return RedirectResponse(address, status_code=301)
        return _json(self.world.issue_json(issue))

    def _patch_issue(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "issues=write")
        given, issue = _given(request), self._issue(request, found)
        if given.get("state") == "closed" and issue.state != "closed":
            reason = given.get("state_reason") or "completed"
            self.world.close_issue(found.full_name, issue.number, reason=reason, login=token.login)
        elif given.get("state") == "open" and issue.state != "open":
            self.world.reopen_issue(found.full_name, issue.number, login=token.login)
        if "title" in given or "body" in given:
            self.world.edit_issue(found.full_name, issue.number, title=given.get("title"), body=given.get("body"))
        self._wrote(request, token, issue.id)
        return _json(self.world.issue_json(issue))

    def _list_comments(self, request: Request, found: Repository, _token: Token) -> Response:
        issue = self._issue(request, found)
        return self._page(request, issue.comments, lambda comment: self.world.comment_json(issue, comment))

    def _create_comment(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "issues=write; pull_requests=write")
        issue = self._issue(request, found)
        if issue.is_locked and not token.is_collaborator:
            raise RefusedError(403, "Unable to create comment because issue is locked.")
        body = self._comment_body(request)
        number = self.world.comment(found.full_name, issue.number, body, login=token.login)
        self._wrote(request, token, number)
        return _json(self.world.comment_json(issue, self._comment(found, number)[1]), 201)

    def _add_labels(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "issues=write; pull_requests=write")
        issue, names = self._issue(request, found), _given(request).get("labels")
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise RefusedError(422, "Validation Failed")
        self.world.label(found.full_name, issue.number, names)
        self._wrote(request, token, issue.id)
        return _json([shapes.label(self.world.places, found.full_name, name) for name in issue.labels])

    def _comment_body(self, request: Request) -> str:
        body = _given(request).get("body")
        if not isinstance(body, str) or not body.strip():
            raise RefusedError(422, "Validation Failed")
        if len(body) > 65_536:
            raise RefusedError(422, "Validation Failed: body is too long (maximum is 65536 characters)")
        return body

    def _comment(self, found: Repository, number: int) -> tuple[Issue, Comment]:
        return self.world.find_comment(found.full_name, number)

    def _get_comment(self, request: Request, found: Repository, _token: Token) -> Response:
        return _json(self.world.comment_json(*self._comment(found, request.path_params["comment"])))

    def _patch_comment(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "issues=write; pull_requests=write")
        issue, comment = self._comment(found, request.path_params["comment"])
        self.world.edit_comment(found.full_name, comment.id, self._comment_body(request))
        self._wrote(request, token, comment.id)
        return _json(self.world.comment_json(issue, comment))

    def _delete_comment(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "issues=write")
        self.world.delete_comment(found.full_name, request.path_params["comment"])
        self._wrote(request, token, request.path_params["comment"])
        return Response(status_code=204)

    def _timeline(self, request: Request, found: Repository, _token: Token) -> Response:
        return self._page(request, self.world.timeline_json(self._issue(request, found)))

    # Pull requests

    def _list_pulls(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_read(found, token, "pull_requests=read")
        state = request.query_params.get("state", "open")
        pulls = [i for i in found.issues.values() if i.pull is not None and state in {"all", i.state}]
        return self._page(request, pulls, lambda pull: self.world.pull_json(pull, whole=False))

    def _create_pull(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "pull_requests=write")
        given = _given(request)
        number = self.world.open_pull(
            found.full_name, given["head"], given["title"], body=given.get("body") or "", base=given["base"]
        )
        return _json(self.world.pull_json(found.issues[number], whole=True), 201)

    def _get_pull(self, request: Request, found: Repository, _token: Token) -> Response:
        return _json(self.world.pull_json(self._issue(request, found), whole=True))

    def _pull_commits(self, request: Request, found: Repository, _token: Token) -> Response:
        pull = self._issue(request, found).pull
        if pull is None:
            raise RefusedError(404, "Not Found")
        commits = [found.git.log(sha, "-1")[0] for sha in pull.commits]
        return self._page(request, commits, lambda one: self._commit_json(found, one))

    def _files_json(self, found: Repository, base: str, head: str) -> list[JSON]:
        """GitHub lists 3,000 files, and says nothing of the rest."""
        return [
            shapes.changed_file(
                head, full_name=found.full_name, status=status, name=name, before=before, places=self.world.places
            )
            for status, name, before in found.git.changed_files(base, head)[:3000]
        ]

    def _pull_files(self, request: Request, found: Repository, _token: Token) -> Response:
        pull = self._issue(request, found).pull
        if pull is None:
            raise RefusedError(404, "Not Found")
        base = found.git.merge_base(f"{pull.commits[0]}^", pull.head_sha) or ""
        return self._page(request, self._files_json(found, base, pull.head_sha))

    def _merge_pull(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "contents=write")
        method = _given(request).get("merge_method", "merge")
        sha = self.world.merge_pull(found.full_name, request.path_params["number"], method=method)
        return _json({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})

    # Git

    def _commit_json(self, found: Repository, one: LoggedCommit) -> JSON:
        return shapes.commit(one, full_name=found.full_name, places=self.world.places)

    def _sha(self, found: Repository, revision: str) -> str:
        sha = found.git.resolve(revision)
        if sha is None:
            raise RefusedError(404, "Not Found")
        return sha

    def _list_commits(self, request: Request, found: Repository, _token: Token) -> Response:
        query = request.query_params
        options = [f"--since={query['since']}"] if "since" in query else []
        sha = self._sha(found, query.get("sha") or found.git.default_branch)
        commits = found.git.log(sha, *options)[::-1]
        return self._page(request, commits, lambda one: self._commit_json(found, one))

    def _get_commit(self, request: Request, found: Repository, _token: Token) -> Response:
        sha = found.git.resolve(request.path_params["ref"])
        if sha is None:
            raise RefusedError(422, f"No commit found for SHA: {request.path_params['ref']}")
        one = found.git.log(sha, "-1")[0]
        files = self._files_json(found, one.parents[0], sha) if one.parents else []
        size = min(int(request.query_params.get("per_page", "300")), 300)
        page = int(request.query_params.get("page", "1"))
        whole = self._commit_json(found, one) | {
            "stats": {"additions": len(files), "deletions": 0, "total": len(files)},
            "files": files[(page - 1) * size : page * size],
        }
        made = _json(whole)
        if link := self._link(request, page=page, size=size, total=len(files)):
            made.headers["Link"] = link
        return made

    def _pulls_of_commit(self, request: Request, found: Repository, _token: Token) -> Response:
        pulls = self.world.pulls_of_commit(found, self._sha(found, request.path_params["sha"]))
        return self._page(request, pulls, lambda issue: self.world.pull_json(issue, whole=False))

    def _compare(self, request: Request, found: Repository, _token: Token) -> Response:
        basehead = request.path_params["basehead"]
        base, _, head = basehead.partition("...")
        one, other = self._sha(found, base), self._sha(found, head)
        common = found.git.merge_base(one, other)
        if common is None:
            raise RefusedError(404, "No common ancestor")
        commits = found.git.log(f"{one}..{other}")
        size = min(int(request.query_params.get("per_page", "250")), 100 if "per_page" in request.query_params else 250)
        page = int(request.query_params.get("page", "1"))
        made = _json(
            shapes.comparison(
                full_name=found.full_name,
                basehead=basehead,
                base=found.git.log(one, "-1")[0],
                merge_base=found.git.log(common, "-1")[0],
                counts=found.git.counts(one, other),
                commits=commits[(page - 1) * size : page * size],
                places=self.world.places,
            )
        )
        if link := self._link(request, page=page, size=size, total=len(commits)):
            made.headers["Link"] = link
        return made

    def _ref_json(self, found: Repository, name: str) -> JSON:
        target = found.git.ref(name)
        if target is None:
            raise RefusedError(404, "Not Found")
        return shapes.git_ref(name, kind=target[0], sha=target[1], full_name=found.full_name, places=self.world.places)

    def _get_ref(self, request: Request, found: Repository, _token: Token) -> Response:
        return _json(self._ref_json(found, f"refs/{request.path_params['ref']}"))

    def _create_ref(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "contents=write")
        given = _given(request)
        if found.git.ref(given["ref"]) is not None:
            raise RefusedError(422, "Reference already exists")
        self._set_ref(found, given["ref"], given["sha"])
        return _json(self._ref_json(found, given["ref"]), 201)

    def _move_ref(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "contents=write")
        name = f"refs/{request.path_params['ref']}"
        self._ref_json(found, name)
        self._set_ref(found, name, _given(request)["sha"])
        return _json(self._ref_json(found, name))

    def _set_ref(self, found: Repository, name: str, sha: str) -> None:
        kind, short = name.removeprefix("refs/").split("/", 1)
        if kind == "tags":
            self.world.tag(found.full_name, short, at=self._sha(found, sha))
        else:
            self.world.branch(found.full_name, short, at=self._sha(found, sha))

    def _delete_ref(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "contents=write")
        name = request.path_params["ref"]
        self._ref_json(found, f"refs/{name}")
        if name.startswith("tags/"):
            self.world.delete_tag(found.full_name, name.removeprefix("tags/"))
        else:
            found.git.delete_branch(name.removeprefix("heads/"))
        return Response(status_code=204)

    def _get_tag(self, request: Request, found: Repository, _token: Token) -> Response:
        sha = request.path_params["sha"]
        tag = found.git.tag_object(sha)
        if tag is None:
            raise RefusedError(404, "Not Found")
        at = self.world.clock.now()
        return _json(shapes.git_tag(sha, tag, full_name=found.full_name, at=at, places=self.world.places))

    # Releases, deployments, webhooks

    def _list_releases(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_read(found, token, "contents=read")
        made = [self.world.release_json(found, r) for r in found.releases.values() if not r.draft or token.may_write]
        made.sort(key=lambda release: (release["created_at"], release["id"]), reverse=True)
        return self._page(request, made)

    def _create_release(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "contents=write")
        given = _given(request)
        number = self.world.release(
            found.full_name,
            given["tag_name"],
            at=given.get("target_commitish") or "",
            draft=bool(given.get("draft")),
            prerelease=bool(given.get("prerelease")),
            name=given.get("name") or "",
            body=given.get("body") or "",
        )
        return _json(self.world.release_json(found, found.releases[number]), 201)

    def _get_release(self, request: Request, found: Repository, _token: Token) -> Response:
        release = found.releases.get(request.path_params["release"])
        if release is None:
            raise RefusedError(404, "Not Found")
        return _json(self.world.release_json(found, release))

    def _patch_release(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "contents=write")
        number = request.path_params["release"]
        known = {"draft", "prerelease", "tag_name", "name", "body"}
        self.world.edit_release(
            found.full_name, number, **{key: value for key, value in _given(request).items() if key in known}
        )
        return _json(self.world.release_json(found, found.releases[number]))

    def _delete_release(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "contents=write")
        self.world.delete_release(found.full_name, request.path_params["release"])
        return Response(status_code=204)

    def _list_deployments(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_read(found, token, "deployments=read")
        query = request.query_params
        wanted = [d for d in found.deployments.values() if query.get("environment", d.environment) == d.environment]
        newest = sorted(wanted, key=lambda d: d.id, reverse=True)
        return self._page(request, newest, lambda d: self.world.deployment_json(found, d))

    def _list_statuses(self, request: Request, found: Repository, _token: Token) -> Response:
        deployment = found.deployments.get(request.path_params["deployment"])
        if deployment is None:
            raise RefusedError(404, "Not Found")
        newest = deployment.statuses[::-1]
        return self._page(request, newest, lambda status: self.world.deployment_status_json(found, deployment, status))

    def _list_hooks(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "repository_hooks=read")
        return self._page(request, list(found.hooks.values()), lambda hook: self.world.hook_json(found, hook))

    def _hook(self, request: Request, found: Repository) -> Webhook:
        hook = found.hooks.get(request.path_params["hook"])
        if hook is None:
            raise RefusedError(404, "Not Found")
        return hook

    def _patch_hook(self, request: Request, found: Repository, token: Token) -> Response:
        """A config is taken whole: one without a secret leaves the hook without one."""
        self._may_write(token, "repository_hooks=write")
        hook, given = self._hook(request, found), _given(request)
        if config := given.get("config"):
            hook.url, hook.secret = config["url"], config.get("secret", "")
        hook.events = given.get("events", hook.events)
        hook.active = given.get("active", hook.active)
        self._wrote(request, token, hook.id)
        return _json(self.world.hook_json(found, hook))

    def _list_deliveries(self, request: Request, found: Repository, token: Token) -> Response:
        """Newest first; the next page begins behind a cursor."""
        self._may_write(token, "repository_hooks=read")
        hook, query = self._hook(request, found), request.query_params
        kept = self.world.clock.now() - timedelta(days=3)
        newest = sorted((d for d in self.world.delivered if d.hook is hook and d.at >= kept), key=lambda d: -d.id)
        rest = [d for d in newest if d.id < int(query.get("cursor", sys.maxsize))]
        part = rest[: min(int(query.get("per_page", "30")), 100)]
        made = _json([self.world.delivery_json(found, delivery) for delivery in part])
        if len(part) < len(rest):
            root = self.world.places.links.removesuffix(self._prefix)
            address = f"{root}{request.url.path}?{urlencode({**dict(query), 'cursor': part[-1].id})}"
            made.headers["Link"] = f'<{address}>; rel="next"'
        return made

    def _redeliver(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "repository_hooks=write")
        self._hook(request, found)
        self.world.redeliver(request.path_params["delivery"])
        self._wrote(request, token, request.path_params["delivery"])
        return _json({}, 202)

    def _create_hook(self, request: Request, found: Repository, token: Token) -> Response:
        self._may_write(token, "repository_hooks=write")
        given = _given(request)
        config = given["config"]
        if any(hook.url == config["url"] for hook in found.hooks.values()):
            raise RefusedError(422, "Validation Failed: Hook already exists on this repository")
        number = self.world.add_hook(
            found.full_name, config["url"], secret=config.get("secret", ""), events=given.get("events") or ["push"]
        )
        return _json(self.world.hook_json(found, found.hooks[number]), 201)

    # GraphQL

    async def _graphql(self, request: Request) -> Response:
        if not self.world.has_graphql:
            return _refusal(404, "Not Found", {})
        try:
            token = self._token(request)
        except RefusedError as refused:
            return _refusal(refused.status, refused.message, {})
        given = await request.json()
        root = {
            "viewer": {"login": token.login},
            "repository": lambda _info, **names: self._graphql_repository(names["owner"], names["name"], token),
        }
        result = graphql_sync(SCHEMA, given["query"], root, variable_values=given.get("variables"))
        answer: JSON = {"data": result.data}
        if result.errors:
            answer["errors"] = [
                {"type": str((error.extensions or {}).get("type", "")), **error.formatted} for error in result.errors
            ]
        return _json(answer)

    def _graphql_repository(self, owner: str, name: str, token: Token) -> JSON:
        wanted = f"{owner}/{name}".lower()
        try:
            number = self.world.renamed.get(wanted)
            found = self.world.repository_by_id(number) if number else self.world.repository(wanted)
            self._visible(found.full_name, token)
        except RefusedError as refused:
            words = f"Could not resolve to a Repository with the name '{owner}/{name}'."
            raise GraphQLError(words, extensions={"type": "NOT_FOUND"}) from refused
        return self._graphql_names(found) | {
            "issue": lambda _info, number: self._graphql_issue(found, number, token),
        }

    def _graphql_names(self, found: Repository) -> JSON:
        return {"nameWithOwner": found.full_name, "isPrivate": found.private}

    def _graphql_issue(self, found: Repository, number: int, token: Token) -> JSON:
        issue = found.issues.get(number)
        if issue is None or issue.pull is not None or issue.is_deleted or issue.moved_to is not None:
            words = f"Could not resolve to an Issue with the number of {number}."
            raise GraphQLError(words, extensions={"type": "NOT_FOUND"})

        def closing(_info: Any, *, first: int, includeClosedPrs: bool = False, **_rest: Any) -> JSON:  # noqa: N803
            pulls = [p for p in self.world.closing_pulls(issue) if includeClosedPrs or p.state == "open"]
            nodes = [self._graphql_pull(p, token) for p in pulls[:first]]
            return {"nodes": nodes, "totalCount": len(pulls)}

        def timeline(_info: Any, *, last: int, itemTypes: list[str], **_rest: Any) -> JSON:  # noqa: N803
            wanted = [e for e in issue.events if f"{e.kind.upper()}_EVENT" in itemTypes]
            nodes = [self._graphql_event(issue, e, token) for e in wanted[-last:]]
            return {"nodes": nodes, "totalCount": len(wanted)}

        return {
            "number": issue.number,
            "repository": self._graphql_names(found),
            "closedByPullRequestsReferences": closing,
            "timelineItems": timeline,
        }

    def _graphql_event(self, issue: Issue, event: Any, token: Token) -> JSON:
        made: JSON = {"__typename": _EVENT_TYPES[event.kind], "createdAt": shapes.stamp(event.at), "closer": None}
        if event.pull is not None:
            pull = self._graphql_pull(event.pull, token)
            here = {"__typename": "Issue", "number": issue.number, "repository": self._graphql_names(issue.repository)}
            made |= {"closer": pull, "source": here, "subject": pull}
        if event.commit is not None:
            where, sha = event.commit
            made["closer"] = self._graphql_commit(where, sha)
        if event.other is not None:
            names = self._graphql_names(event.other.repository)
            made["canonical"] = {"__typename": "Issue", "number": event.other.number, "repository": names}
        return made

    def _graphql_commit(self, where: Repository, sha: str) -> JSON:
        return {
            "__typename": "Commit",
            "oid": sha,
            "committedDate": where.git.log(sha, "-1")[0].committed_at,
            "url": f"{self.world.places.pages}/{where.full_name}/commit/{sha}",
            "repository": self._graphql_names(where),
        }

    def _graphql_pull(self, issue: Issue, token: Token) -> JSON | None:
        pull = issue.pull
        if pull is None:
            return None
        where = issue.repository
        if where.private and token.repositories is not None and where.full_name not in token.repositories:
            return None
        return {
            "__typename": "PullRequest",
            "number": issue.number,
            "merged": pull.merged_at is not None,
            "mergedAt": shapes.stamp(pull.merged_at),
            "baseRefName": pull.base,
            "url": f"{self.world.places.pages}/{where.full_name}/pull/{issue.number}",
            "mergeCommit": self._graphql_commit(where, pull.merge_sha) if pull.merge_sha else None,
            "repository": self._graphql_names(where),
        }

    # Control

    async def _control(self, request: Request) -> Response:
        """What a test in another process does: any operation of the world by name, faults, clock, ledger."""
        given = _loads(await request.body()) or {}
        try:
            return _json(self._controlled(request.path_params["what"], given))
        except RefusedError as refused:
            return _refusal(refused.status, refused.message, {})

    def _controlled(self, what: str, given: JSON) -> Any:
        match what:
            case "ready":
                return {"ok": True}
            case "faults":
                self.faults = [Fault(**fault) for fault in given.get("faults", [])]
            case "clock":
                moment = given.get("now")
                step = timedelta(seconds=given.get("step", 60))
                self.world.clock.set(datetime.fromisoformat(moment) if moment else None, step=step)
            case "graphql":
                self.world.has_graphql = bool(given["on"])
            case "tokens":
                name = given.pop("token")
                self.world.tokens[name] = Token(**given)
            case "revoke":
                self.world.tokens.pop(given["token"], None)
            case "ledger":
                return self.ledger
            case "requests":
                return self.requests
            case "deliveries":
                return [
                    {"id": d.id, "guid": d.guid, "event": d.event, "status": d.status, "url": d.hook.url}
                    for d in self.world.delivered
                ]
            case operation if not operation.startswith("_") and callable(getattr(GitHubWorld, operation, None)):
                return getattr(self.world, operation)(**given)
            case _:
                raise RefusedError(404, f"no such operation: {what}")
        return {"ok": True}


class RemoteGitHub:
    """A test GitHub in another process: `do('commit', repository=…, message=…)` and the other operations of GitHubWorld."""

    def __init__(self, url: str) -> None:
        self.url = url

    def do(self, operation: str, **arguments: Any) -> Any:
        """Do one operation there; returns what it returns."""
        answer = httpx.post(f"{self.url}/_control/{operation}", json=arguments, timeout=20, trust_env=False)
        if answer.status_code != 200:
            raise RefusedError(answer.status_code, answer.text)
        return answer.json()


@contextmanager
def running(root: Path, *, port: int, prefix: str = "") -> Iterator[RemoteGitHub]:
    """A test GitHub in its own process, up for as long as the context."""
    command = [sys.executable, "-m", "tests.support.github_server", "--port", str(port), "--root", str(root)]
    process = subprocess.Popen([*command, "--prefix", prefix], cwd=Path(__file__).parents[2])
    url = f"http://127.0.0.1:{port}"
    with ended(process):
        _wait_for(f"{url}/_control/ready", process)
        yield RemoteGitHub(url)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the test GitHub does not answer at {url}")


def _json(body: Any, status: int = 200) -> JSONResponse:
    return JSONResponse(body, status_code=status)


def _refusal(status: int, message: str, headers: Mapping[str, str]) -> Response:
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return JSONResponse(body, status_code=status, headers=dict(headers))


def _has_phrase(text: str, phrase: str) -> bool:
    """As loosely as a search index sees it: words without their punctuation, in any case, the last one as far as it goes."""
    words, wanted = (re.findall(r"[a-z0-9]+", one.lower()) for one in (text, phrase))
    return " ".join(wanted) in " ".join(words)


def _loads(body: bytes) -> Any:
    return json.loads(body) if body else None


def _given(request: Request) -> JSON:
    """The request's JSON; `_guarded` has read its bytes already."""
    try:
        given = _loads(request._body)
    except ValueError as error:
        raise RefusedError(400, "Problems parsing JSON") from error
    if not isinstance(given, dict):
        raise RefusedError(400, "Body should be a JSON object")
    request.scope["json"] = given
    return given


def main() -> None:
    """Serve until ended."""
    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--prefix", default="", help="/api/v3 to be an Enterprise Server")
    chosen = parser.parse_args()
    pages = f"http://127.0.0.1:{chosen.port}"
    world = GitHubWorld(chosen.root, clock=Clock(), places=Places(pages + chosen.prefix, pages))
    uvicorn.run(
        GitHubServer(world, prefix=chosen.prefix),
        host="127.0.0.1",
        port=chosen.port,
        log_level="critical",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()

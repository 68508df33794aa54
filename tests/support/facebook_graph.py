"""A Graph API of ours after Meta's documented shapes: one Page, its posts and their comments, and a ledger of what was said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx

JSON = dict[str, Any]

TOKEN = "sentinel-page-token"
APP_SECRET = "sentinel-app-secret"
VERIFY_TOKEN = "sentinel-verify-token"
PAGE_ID = "100"
SCOPES = (
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_engagement",
    "pages_manage_metadata",
)


@dataclass
class Said:
    """A comment as Facebook keeps it; `parent` is the top comment it hangs on."""

    id: str
    text: str
    author: str
    at: datetime
    parent: str = ""
    hidden: bool = False


@dataclass
class FacebookGraph:
    """The Page and everybody who writes on it. `after_saying` loses the answer to a reply that was taken."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    comments: dict[str, Said] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)
    refuse: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None
    after_saying: Callable[[httpx.Request], httpx.Response] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    page_size: int = 2
    _last: int = 0

    def comment(self, text: str, *, by: str = "2001", under: str = "", at: datetime | None = None) -> Said:
        """Somebody writes under the Page's post, or under a comment: then it hangs on the top one."""
        self._last += 1
        above = self.comments[under].parent or under if under else ""
        said = Said(f"900_{self._last}", text, by, at or self.now, above)
        self.comments[said.id] = said
        return said

    @property
    def said(self) -> list[str]:
        """The ledger: what the public reads from the Page."""
        return [one.text for one in self.comments.values() if one.author == PAGE_ID]

    def client(self) -> httpx.AsyncClient:
        """What an adapter calls through."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer), timeout=5)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        refused = self.refuse(request)
        if refused is not None:
            return refused
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return refusal(190, status=401)
        path = re.sub(r"^/v\d+\.\d/?", "", request.url.path)
        return self._write(request, path) if request.method == "POST" else self._read(request, path)

    def _read(self, request: httpx.Request, path: str) -> httpx.Response:
        if path == "" and "ids" in request.url.params:
            return self._several(request.url.params["ids"].split(","))
        if path == "me":
            return self._told(
                {"id": PAGE_ID, "name": "Acme", "link": "https://www.facebook.com/acme", "category": "App"}
            )
        if path == f"{PAGE_ID}/feed":
            return self._told({"data": [{**self._post(), "comments": self._edge(request, "100_900", "")}]})
        if path.endswith("/comments"):
            above = path.removesuffix("/comments")
            return self._told(self._edge(request, above, request.url.params.get("after", "")))
        if path == "100_900":
            return self._told(self._post())
        if path in self.comments:
            return self._told(self._node(self.comments[path]))
        return refusal(100, 33)

    def _several(self, ids: list[str]) -> httpx.Response:
        """As Meta does: one that is not there spoils the call."""
        known = {"100_900": self._post(), **{number: self._node(said) for number, said in self.comments.items()}}
        if any(number not in known for number in ids):
            return refusal(803)
        return self._told({number: known[number] for number in ids})

    def _write(self, request: httpx.Request, path: str) -> httpx.Response:
        if path == "":
            told = {"data": {"type": "PAGE", "is_valid": True, "scopes": list(SCOPES), "expires_at": 0}}
            return httpx.Response(200, json=[{"code": 200, "body": json.dumps(told)}])
        if path == f"{PAGE_ID}/subscribed_apps":
            return self._told({"success": True})
        above = path.removesuffix("/comments")
        if above not in self.comments:
            return refusal(100, 33)
        text = parse_qs(request.content.decode())["message"][0]
        said = self.comment(text, by=PAGE_ID, under=above)
        if self.after_saying is not None:
            return self.after_saying(request)
        return self._told({"id": said.id})

    def _told(self, body: JSON) -> httpx.Response:
        return httpx.Response(200, json=body, headers=self.headers)

    def _post(self) -> JSON:
        when = self.now - timedelta(days=1)
        return {
            "id": "100_900",
            "message": "Out now",
            "from": {"id": PAGE_ID, "name": "Acme"},
            "created_time": _stamp(when),
        }

    def _edge(self, request: httpx.Request, above: str, after: str) -> JSON:
        """A page of comments, newest first; under the post all levels, under a comment what hangs on it."""
        under = [c for c in self.comments.values() if above == "100_900" or c.parent == above]
        under.sort(key=lambda one: (one.at, one.id), reverse=True)
        start = int(after or 0)
        edge: JSON = {"data": [self._node(one) for one in under[start : start + self.page_size]], "paging": {}}
        if start + self.page_size < len(under):
            # As Meta does: a whole address, with the access token in it.
            address = request.url.copy_with(path=f"/v26.0/{above}/comments", query=None)
            query = httpx.QueryParams({"access_token": TOKEN, "after": str(start + self.page_size)})
            edge["paging"]["next"] = str(address.copy_with(params=query))
        return edge

    def _node(self, said: Said) -> JSON:
        node = {
            "id": said.id,
            "message": said.text,
            "from": {"id": said.author, "name": "Acme" if said.author == PAGE_ID else f"Customer {said.author}"},
            "created_time": _stamp(said.at),
            "permalink_url": f"https://www.facebook.com/acme/posts/900?comment_id={said.id.partition('_')[2]}",
            "is_hidden": said.hidden,
        }
        if said.parent:
            node["parent"] = {"id": said.parent, "from": {"id": self.comments[said.parent].author}}
        return node


def refusal(code: int, subcode: int = 0, *, status: int = 400, **headers: str) -> httpx.Response:
    """A refusal as the Graph API writes it."""
    error = {"message": f"(#{code}) refused", "type": "OAuthException", "code": code, "error_subcode": subcode}
    return httpx.Response(status, json={"error": error}, headers=headers)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")

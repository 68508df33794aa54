"""A stateful Jira of ours, in this process: Cloud over REST v3 and Data Center over REST v2, as Atlassian documents them.

`JiraWorld` is what people do in the browser; `JiraServer` is what the REST API says of it. It refuses what Jira
refuses: a bad token, a clause it does not know, a version that does not exist in JQL.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import httpx

from app.ports import Connection
from app.trackers.jira import Jira, JiraSecrets, JiraSettings

Edition = Literal["cloud", "data_center"]

EMAIL, TOKEN, WEBHOOK_SECRET = "bot@acme.example", "the-bots-token", "It's a Secret to Everybody"
BOT = {"cloud": "5b10ac8d82e05b22cc7d4ef5", "data_center": "JIRAUSER10100"}
SITE = "https://jira.test"

STATUSES = {
    "To Do": ("1", "new"),
    "Reopened": ("4", "new"),
    "In Progress": ("3", "indeterminate"),
    "Done": ("10002", "done"),
    "Closed": ("6", "done"),
    "Cancelled": ("10005", "done"),
}
CATEGORIES = {"new": (2, "To Do"), "indeterminate": (4, "In Progress"), "done": (3, "Done")}
RESOLUTIONS = ("Done", "Fixed", "Won't Do", "Duplicate", "Cannot Reproduce", "Erledigt", "As Designed", "Workaround")
PERMISSIONS = ("BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "LINK_ISSUES", "ADD_COMMENTS")
HOOK_EVENTS = {
    *("jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "issuelink_created", "issuelink_deleted"),
    *("jira:version_created", "jira:version_released", "jira:version_unreleased", "jira:version_updated"),
    *("jira:version_moved", "jira:version_deleted", "comment_created", "project_updated"),
}


@dataclass
class VersionRow:
    """A version of a project."""

    id: int
    project: str
    name: str
    released: bool = False
    archived: bool = False
    release_date: str | None = None


@dataclass
class IssueRow:
    """An issue. `hidden` is a security level that leaves our account out."""

    id: int
    key: str
    project: str
    summary: str
    created: datetime
    updated: datetime
    creator: str
    description: Any = None
    status: str = "To Do"
    resolution: str | None = None
    resolved: datetime | None = None
    category_changed: datetime | None = None
    versions: list[int] = field(default_factory=list)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    remote_links: dict[int, dict[str, Any]] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    history: list[tuple[datetime, str, str]] = field(default_factory=list)
    hidden: bool = False


@dataclass
class ProjectRow:
    """A project. `browsable` is whether our account may see it."""

    id: int
    key: str
    kind: str = "software"
    browsable: bool = True
    count: int = 0
    style: str = "classic"


@dataclass(frozen=True)
class Call:
    """A webhook call as Jira sends it: signed, and named the same on each attempt."""

    name: str
    secret: str
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        return {**signed(self.body, secret=self.secret, call=self.name), "Content-Type": "application/json"}


class JiraWorld:
    """What people do. Every change takes a minute, and stamps the issues it changes."""

    def __init__(self, start: datetime = datetime(2026, 5, 4, 9, tzinfo=UTC)) -> None:
        self.time = start
        self.projects: dict[str, ProjectRow] = {}
        self.issues: dict[int, IssueRow] = {}
        self.versions: dict[int, VersionRow] = {}
        self.granted = set(PERMISSIONS)
        self.resolutions = dict(enumerate(RESOLUTIONS, start=10_000))
        self.hooks: dict[int, dict[str, Any]] = {}
        self.calls: list[Call] = []
        """Webhook calls on their way: whoever runs the world delivers them, or does not."""
        self.has_resolutions = True
        self.unindexed: set[str] = set()
        """Keys of issues that the search does not find yet."""
        self._ids = itertools.count(10_001)
        self.create_project("ACME")
        self.create_project("CORE")

    def now(self) -> datetime:
        """The time here."""
        return self.time

    def _tick(self) -> datetime:
        self.time += timedelta(minutes=1)
        return self.time

    def _tell(self, event: str, project: str | None, **said: Any) -> None:
        """Call every webhook that wants this event; of an issue's, if its filter lets the issue's project through."""
        for hook in self.hooks.values():
            jql = hook.get("filters", {}).get("issue-related-events-section", "")
            passes = project is None or not jql or jql == f'project = "{project}"'
            if not hook["enabled"] or event not in hook["events"] or not passes:
                continue
            stamp = int(self.time.timestamp() * 1000)
            body = {"timestamp": stamp, "webhookEvent": event, **said}
            name = f"call-{next(self._ids)}"
            self.calls.append(Call(name, hook.get("secret", ""), json.dumps(body).encode()))

    def _tell_of_issue(self, event: str, issue: IssueRow, *changes: tuple[str, object, object]) -> None:
        items = [{"field": name, "fieldtype": "jira", "from": old, "to": new} for name, old, new in changes]
        self._tell(
            event,
            issue.project,
            issue={"id": str(issue.id), "key": issue.key, "fields": {"summary": issue.summary}},
            **({"changelog": {"id": str(next(self._ids)), "items": items}} if items else {}),
        )

    def _tell_of_version(self, event: str, row: VersionRow, **more: Any) -> None:
        said = {"id": str(row.id), "name": row.name, "archived": row.archived, "released": row.released}
        self._tell(event, None, version={**said, "projectId": self.projects[row.project].id}, **more)

    def create_project(self, key: str, *, kind: str = "software") -> None:
        """A project with this key."""
        self.projects[key] = ProjectRow(next(self._ids), key, kind)

    def create_issue(self, summary: str = "Export loses tables", *, project: str = "ACME", by: str = "ana") -> str:
        """A new issue; returns its key."""
        row, now = self.projects[project], self._tick()
        row.count += 1
        issue = IssueRow(next(self._ids), f"{project}-{row.count}", project, summary, now, now, by)
        self.issues[issue.id] = issue
        self._tell_of_issue("jira:issue_created", issue)
        return issue.key

    def issue(self, key: str) -> IssueRow:
        """The issue with this key."""
        return next(issue for issue in self.issues.values() if issue.key == key)

    def _touch(self, key: str) -> IssueRow:
        issue = self.issue(key)
        issue.updated = self._tick()
        return issue

    def move_to(self, key: str, status: str, *, resolution: str | None = None) -> None:
        """Put an issue into a status; a resolution goes with it or is emptied."""
        issue = self._touch(key)
        before, after = STATUSES[issue.status][1], STATUSES[status][1]
        if before != after:
            issue.category_changed = issue.updated
        issue.history.append((issue.updated, STATUSES[issue.status][0], STATUSES[status][0]))
        was, issue.resolution = issue.resolution, resolution if self.has_resolutions else None
        issue.status = status
        issue.resolved = issue.updated if issue.resolution else None
        self._tell_of_issue("jira:issue_updated", issue, ("status", before, after), ("resolution", was, resolution))

    def close(self, key: str, resolution: str = "Fixed") -> None:
        """Resolve an issue."""
        self.move_to(key, "Done", resolution=resolution)

    def reopen(self, key: str) -> None:
        """Open it again."""
        self.move_to(key, "Reopened")

    def comment(self, key: str, text: str = "Me too") -> None:
        """Somebody else comments."""
        issue = self._touch(key)
        issue.comments.append({"id": next(self._ids), "by": "somebody", "body": text, "properties": []})
        self._tell_of_issue("jira:issue_updated", issue)

    def move_project(self, key: str, project: str) -> str:
        """Move an issue to another project: it keeps its id, and loses the versions of the old one."""
        issue, row = self._touch(key), self.projects[project]
        row.count += 1
        was, issue.key, issue.project, issue.versions = issue.key, f"{project}-{row.count}", project, []
        self._tell_of_issue("jira:issue_updated", issue, ("Key", was, issue.key))
        return issue.key

    def delete_issue(self, key: str) -> None:
        """Delete an issue."""
        self._tick()
        self._tell_of_issue("jira:issue_deleted", self.issues.pop(self.issue(key).id))

    def link_duplicate(self, key: str, *, of: str) -> None:
        """`key` duplicates `of`."""
        self._touch(key).links.append(("duplicates", "outwardIssue", of))
        self._touch(of).links.append(("is duplicated by", "inwardIssue", key))
        ends = {"sourceIssueId": self.issue(key).id, "destinationIssueId": self.issue(of).id}
        self._tell("issuelink_created", None, issueLink={"id": next(self._ids), **ends})

    def create_version(self, name: str, *, project: str = "ACME", date: str | None = None) -> int:
        """A version that is not released; returns its id."""
        row = VersionRow(next(self._ids), project, name, release_date=date)
        self.versions[row.id] = row
        self._tell_of_version("jira:version_created", row)
        return row.id

    def set_versions(self, key: str, *versions: int) -> None:
        """Set the fix versions of an issue."""
        issue = self._touch(key)
        changes: list[tuple[str, object, object]] = []
        changes += [("Fix Version", str(old), None) for old in issue.versions if old not in versions]
        changes += [("Fix Version", None, str(new)) for new in versions if new not in issue.versions]
        issue.versions = list(versions)
        self._tell_of_issue("jira:issue_updated", issue, *changes)

    def release(self, version: int, *, date: str | None = None) -> None:
        """Press Release. That changes no issue."""
        now = self._tick()
        self.versions[version].released = True
        self.versions[version].release_date = date or f"{now:%Y-%m-%d}"
        self._tell_of_version("jira:version_released", self.versions[version])

    def unrelease(self, version: int) -> None:
        """Take a release back."""
        self._tick()
        self.versions[version].released = False
        self._tell_of_version("jira:version_unreleased", self.versions[version])

    def archive(self, version: int) -> None:
        """Put a version away."""
        self.versions[version].archived = True
        self._tell_of_version("jira:version_updated", self.versions[version])

    def rename(self, version: int, name: str) -> None:
        """Call a version something else."""
        self.versions[version].name = name
        self._tell_of_version("jira:version_updated", self.versions[version])

    def delete_version(self, version: int) -> None:
        """Delete a version; it is taken off the issues."""
        row = self.versions.pop(version)
        for issue in self.issues.values():
            issue.versions = [v for v in issue.versions if v != version]
        self._tell_of_version("jira:version_deleted", row)

    def merge_version(self, version: int, *, into: int) -> None:
        """Merge a version: its issues have the other one then."""
        for issue in self.issues.values():
            if version in issue.versions:
                issue.versions = list(dict.fromkeys(into if v == version else v for v in issue.versions))
        self._tell_of_version("jira:version_deleted", self.versions.pop(version), mergedTo=str(into))


class _RefusedError(Exception):
    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers


Handler = Callable[[httpx.Request, "re.Match[str]"], httpx.Response]


class JiraServer:
    """The REST API of a `JiraWorld`. `trouble` answers the next calls instead; `asked` keeps every exchange."""

    def __init__(self, world: JiraWorld, *, edition: Edition = "cloud", page: int = 50) -> None:
        self.world, self.edition, self.page = world, edition, page
        self.root = f"/rest/api/{3 if edition == 'cloud' else 2}"
        self.trouble: list[Callable[[httpx.Request], httpx.Response | None]] = []
        self.asked: list[tuple[httpx.Request, httpx.Response]] = []
        self.old_search_is_gone = False
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/myself", self._myself),
            ("GET", r"/project/(?P<key>[^/]+)", self._project),
            ("GET", r"/project/(?P<key>[^/]+)/versions", self._versions),
            ("GET", r"/project/(?P<key>[^/]+)/statuses", self._statuses),
            ("GET", "/mypermissions", self._permissions),
            ("POST", "/issue", self._create),
            ("GET", r"/issue/(?P<name>[^/]+)", self._issue),
            ("GET", r"/issue/(?P<name>[^/]+)/remotelink", self._links),
            ("POST", r"/issue/(?P<name>[^/]+)/remotelink", self._link),
            ("GET", r"/issue/(?P<name>[^/]+)/remotelink/(?P<link>\d+)", self._one_link),
            ("DELETE", r"/issue/(?P<name>[^/]+)/remotelink/(?P<link>\d+)", self._unlink),
            ("PUT", r"/issue/(?P<name>[^/]+)/properties/(?P<key>[^/]+)", self._set_property),
            ("GET", r"/issue/(?P<name>[^/]+)/comment", self._comments),
            ("POST", r"/issue/(?P<name>[^/]+)/comment", self._comment),
            ("POST", "/search/jql", self._search_cloud) if edition == "cloud" else ("GET", "/search", self._search),
        ]
        if edition == "cloud":
            routes.append(("GET", "/resolution/search", self._resolutions_page))
        else:
            routes.append(("GET", "/resolution", self._resolutions))
        hooks = "/rest/webhooks/1.0/webhook"
        self._routes = [(method, re.compile(self.root + path), handler) for method, path, handler in routes]
        self._routes += [
            ("GET", re.compile(hooks), self._hooks),
            ("POST", re.compile(hooks), self._make_hook),
            ("PUT", re.compile(hooks + r"/(?P<hook>\d+)"), self._change_hook),
        ]

    def client(self) -> httpx.AsyncClient:
        """A client that reaches this server and nothing else."""
        return httpx.AsyncClient(transport=self.transport(), timeout=10)

    def transport(self) -> httpx.MockTransport:
        """The way to this server, for a client that reaches others too."""
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._work(request)
        except _RefusedError as refused:
            answer = _json({"errorMessages": [str(refused)], "errors": {}}, refused.status, refused.headers)
        self.asked.append((request, answer))
        return answer

    def _work(self, request: httpx.Request) -> httpx.Response:
        while self.trouble:
            answer = self.trouble.pop(0)(request)
            if answer is not None:
                return answer
        given = request.headers.get("authorization", "")
        pair = base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()
        if given != (f"Basic {pair}" if self.edition == "cloud" else f"Bearer {TOKEN}"):
            raise _RefusedError(401, "Client must be authenticated to access this resource.")
        if self.edition == "data_center" and request.url.path == f"{self.root}/search" and self.old_search_is_gone:
            raise _RefusedError(410, "The requested API has been removed.")
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.url.path)
            if match and method == request.method:
                return handler(request, match)
        raise _RefusedError(404, "null for uri")

    def _work_after(
        self, request: httpx.Request, trouble: Callable[[httpx.Request], httpx.Response | None]
    ) -> httpx.Response:
        """Answer truly, and leave the trouble for a later call."""
        answer = self._work(request)
        self.trouble.insert(0, trouble)
        return answer

    # Who, where, what is allowed

    def _myself(self, _request: httpx.Request, _match: re.Match[str]) -> httpx.Response:
        return _json({**self._person(BOT[self.edition]), "active": True})

    def _person(self, name: str) -> dict[str, Any]:
        if self.edition == "cloud":
            return {"accountId": name, "displayName": name}
        return {"name": name.lower(), "key": name, "displayName": name}

    def _project_row(self, key: str) -> ProjectRow:
        row = self.world.projects.get(key)
        if row is None or not row.browsable:
            raise _RefusedError(404, f"No project could be found with key '{key}'.")
        return row

    def _project_json(self, row: ProjectRow) -> dict[str, Any]:
        said = {"id": str(row.id), "key": row.key, "name": f"Project {row.key}", "projectTypeKey": row.kind}
        return said | ({"style": row.style} if self.edition == "cloud" else {})

    def _project(self, _request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        types = [
            {"id": "10004", "name": "Bug", "subtask": False},
            {"id": "10001", "name": "Story", "subtask": False},
            {"id": "10003", "name": "Sub-task", "subtask": True},
        ]
        return _json({**self._project_json(self._project_row(match["key"])), "issueTypes": types})

    def _versions(self, _request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        row = self._project_row(match["key"])
        return _json([self._version(v) for v in self.world.versions.values() if v.project == row.key])

    def _version(self, row: VersionRow) -> dict[str, Any]:
        said: dict[str, Any] = {
            "self": f"{SITE}{self.root}/version/{row.id}",
            "id": str(row.id),
            "name": row.name,
            "archived": row.archived,
            "released": row.released,
        }
        return said | ({"releaseDate": row.release_date} if row.release_date else {})

    def _permissions(self, request: httpx.Request, _match: re.Match[str]) -> httpx.Response:
        if "projectKey" in request.url.params:
            self._project_row(request.url.params["projectKey"])
        asked = request.url.params["permissions"].split(",")
        rows = {key: {"id": "1", "key": key, "name": key, "havePermission": key in self.world.granted} for key in asked}
        return _json({"permissions": rows})

    # Names

    def _resolutions_json(self) -> list[dict[str, Any]]:
        return [
            {"self": f"{SITE}{self.root}/resolution/{n}", "id": str(n), "name": name, "description": ""}
            for n, name in self.world.resolutions.items()
        ]

    def _resolutions(self, _request: httpx.Request, _match: re.Match[str]) -> httpx.Response:
        return _json(self._resolutions_json())

    def _resolutions_page(self, request: httpx.Request, _match: re.Match[str]) -> httpx.Response:
        rows, start = self._resolutions_json(), int(request.url.params["startAt"])
        most = min(self.page, int(request.url.params["maxResults"]))
        values = [{name: value for name, value in row.items() if name != "self"} for row in rows[start : start + most]]
        is_last = start + most >= len(rows)
        return _json({"startAt": start, "maxResults": most, "total": len(rows), "isLast": is_last, "values": values})

    def _statuses(self, _request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        self._project_row(match["key"])
        statuses = [self._status_json(name) for name in STATUSES]
        types = [("10004", "Bug", statuses), ("10001", "Story", statuses[:4])]
        return _json(
            [
                {"self": f"{SITE}{self.root}/issuetype/{n}", "id": n, "name": name, "subtask": False, "statuses": those}
                for n, name, those in types
            ]
        )

    def _status_json(self, name: str) -> dict[str, Any]:
        number, category = STATUSES[name]
        category_id, category_name = CATEGORIES[category]
        return {
            "id": number,
            "name": name,
            "statusCategory": {"id": category_id, "key": category, "name": category_name},
        }

    # Webhooks

    def _hooks(self, _request: httpx.Request, _match: re.Match[str]) -> httpx.Response:
        self._may_administer()
        return _json([self._hook_json(number) for number in self.world.hooks])

    def _hook_json(self, number: int) -> dict[str, Any]:
        said = {name: value for name, value in self.world.hooks[number].items() if name != "secret"}
        return {**said, "self": f"{SITE}/rest/webhooks/1.0/webhook/{number}"}

    def _make_hook(self, request: httpx.Request, _match: re.Match[str]) -> httpx.Response:
        self._may_administer()
        asked, number = json.loads(request.content), next(self.world._ids)
        self._assert_hook(asked)
        self.world.hooks[number] = {"enabled": True, **asked}
        return _json(self._hook_json(number), 201)

    def _change_hook(self, request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        """A secret that is left out stays what it was."""
        self._may_administer()
        asked, number = json.loads(request.content), int(match["hook"])
        self._assert_hook(asked)
        kept = self.world.hooks[number]
        self.world.hooks[number] = asked | ({"secret": kept["secret"]} if "secret" in kept.keys() - asked else {})
        return _json(self._hook_json(number))

    def _assert_hook(self, asked: Mapping[str, Any]) -> None:
        if not asked.get("name") or not asked.get("url") or set(asked["events"]) - HOOK_EVENTS:
            raise _RefusedError(400, "The webhook is not valid.")

    def _may_administer(self) -> None:
        self._may("ADMINISTER")

    # Issues

    def _row(self, name: str) -> IssueRow:
        rows = self.world.issues.values()
        row = next((r for r in rows if name.upper() in {str(r.id), r.key}), None)
        if row is None or row.hidden or not self.world.projects[row.project].browsable:
            raise _RefusedError(404, "Issue does not exist or you do not have permission to see it.")
        return row

    def _issue(self, request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        row = self._row(match["name"])
        said = self._issue_json(row, request.url.params.get("fields", "*all").split(","))
        if "changelog" in request.url.params.get("expand", ""):
            histories = [
                {"id": str(n), "created": _stamp(at), "items": [{"field": "status", "from": old, "to": new}]}
                for n, (at, old, new) in enumerate(row.history)
            ]
            said["changelog"] = {"startAt": 0, "maxResults": 100, "total": len(histories), "histories": histories}
        return _json(said)

    def _issue_json(self, row: IssueRow, fields: list[str]) -> dict[str, Any]:
        links = [
            {
                "id": str(n),
                "type": {"id": "10002", "name": "Duplicate", "inward": "is duplicated by", "outward": "duplicates"},
                side: {"id": str(self.world.issue(key).id), "key": key},
            }
            for n, (_, side, key) in enumerate(row.links)
        ]
        resolution = row.resolution
        whole: dict[str, Any] = {
            "summary": row.summary,
            "description": row.description,
            "status": self._status_json(row.status),
            "resolution": next(r for r in self._resolutions_json() if r["name"] == resolution) if resolution else None,
            "resolutiondate": _stamp(row.resolved) if row.resolved else None,
            "fixVersions": [self._version(self.world.versions[v]) for v in row.versions],
            "issuelinks": links,
            "project": self._project_json(self.world.projects[row.project]),
            "updated": _stamp(row.updated),
            "created": _stamp(row.created),
        }
        if self.edition == "cloud":
            whole["statuscategorychangedate"] = _stamp(row.category_changed or row.created)
        return {
            "id": str(row.id),
            "key": row.key,
            "self": f"{SITE}{self.root}/issue/{row.id}",
            "fields": {name: value for name, value in whole.items() if name in fields},
        }

    def _create(self, request: httpx.Request, _match: re.Match[str]) -> httpx.Response:
        asked = json.loads(request.content)
        fields = asked["fields"]
        wrong = {name: f"{name} is required" for name in ("project", "issuetype", "summary") if name not in fields}
        if isinstance(fields.get("description"), str) == (self.edition == "cloud"):
            wrong["description"] = "Operation value must be an Atlassian Document"
        if wrong or "\n" in fields["summary"]:
            return _json({"errorMessages": [], "errors": wrong}, 400)
        self._project_row(fields["project"]["key"])
        key = self.world.create_issue(fields["summary"], project=fields["project"]["key"], by=BOT[self.edition])
        row = self.world.issue(key)
        row.description = fields["description"]
        row.properties = {one["key"]: one["value"] for one in asked.get("properties", ())}
        return _json({"id": str(row.id), "key": key, "self": f"{SITE}{self.root}/issue/{row.id}"}, 201)

    # Search

    def _find(self, jql: str) -> list[IssueRow]:
        question, _, _ = jql.partition(" ORDER BY ")
        late = self.world.unindexed
        rows = [row for row in self.world.issues.values() if not row.hidden and row.key not in late]
        rows = [row for row in rows if self.world.projects[row.project].browsable]
        for clause in question.split(" AND "):
            rows = [row for row in rows if self._clause(clause, row)]
        order = "created" if "ORDER BY created" in jql else "updated"
        return sorted(rows, key=lambda row: (getattr(row, order), row.id))

    def _clause(self, clause: str, row: IssueRow) -> bool:
        if found := re.fullmatch(r'project = "(\w+)"', clause):
            self._project_row(found[1])
            return row.project == found[1]
        if found := re.fullmatch(r"(updated|created) >= (\d+)", clause):
            return bool(getattr(row, found[1]) >= datetime.fromtimestamp(int(found[2]) / 1000, UTC))
        if clause == "creator = currentUser()":
            return row.creator == BOT[self.edition]
        if found := re.fullmatch(r"fixVersion in \(([\d, ]+)\)", clause):
            asked = [int(number) for number in found[1].split(",")]
            for number in asked:
                if number not in self.world.versions:
                    raise _RefusedError(400, f"The value '{number}' does not exist for the field 'fixVersion'.")
            return bool(set(asked) & set(row.versions))
        raise _RefusedError(400, f"Error in the JQL Query: '{clause}'")

    def _search_cloud(self, request: httpx.Request, _match: re.Match[str]) -> httpx.Response:
        asked = json.loads(request.content)
        rows = self._find(asked["jql"])
        start = int(asked.get("nextPageToken", "page-0").removeprefix("page-"))
        shown = rows[start : start + min(self.page, asked["maxResults"])]
        issues = [self._issue_json(row, asked.get("fields", [])) for row in shown]
        for issue, row in zip(issues, shown, strict=True):
            wanted = asked.get("properties", [])
            if wanted:
                issue["properties"] = {key: value for key, value in row.properties.items() if key in wanted}
        after = start + len(shown)
        is_last = after >= len(rows)
        return _json({"issues": issues, "isLast": is_last, **({} if is_last else {"nextPageToken": f"page-{after}"})})

    def _search(self, request: httpx.Request, _match: re.Match[str]) -> httpx.Response:
        asked = request.url.params
        rows, start = self._find(asked["jql"]), int(asked["startAt"])
        most = min(self.page, int(asked["maxResults"]))
        shown = [self._issue_json(row, asked["fields"].split(",")) for row in rows[start : start + most]]
        return _json({"startAt": start, "maxResults": most, "total": len(rows), "issues": shown})

    # Links, properties, comments

    def _links(self, _request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        return _json([{"id": number, **link} for number, link in self._row(match["name"]).remote_links.items()])

    def _one_link(self, _request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        links = self._row(match["name"]).remote_links
        if int(match["link"]) not in links:
            raise _RefusedError(404, "The remote issue link does not exist.")
        return _json({"id": int(match["link"]), **links[int(match["link"])]})

    def _link(self, request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        self._may("LINK_ISSUES")
        row, link = self._row(match["name"]), json.loads(request.content)
        number = next((n for n, known in row.remote_links.items() if known["globalId"] == link["globalId"]), None)
        status = 201 if number is None else 200
        number = number or next(self.world._ids)
        row.remote_links[number] = link
        return _json({"id": number, "self": f"{SITE}{self.root}/issue/{row.id}/remotelink/{number}"}, status)

    def _unlink(self, _request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        del self._row(match["name"]).remote_links[int(match["link"])]
        return httpx.Response(204)

    def _set_property(self, request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        self._may("EDIT_ISSUES")
        row = self._row(match["name"])
        status = 200 if match["key"] in row.properties else 201
        row.properties[match["key"]] = json.loads(request.content)
        return _json({}, status)

    def _may(self, permission: str) -> None:
        if permission not in self.world.granted:
            raise _RefusedError(403, "You do not have permission to do this.")

    def _comments(self, request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        row, start = self._row(match["name"]), int(request.url.params.get("startAt", "0"))
        shown = [self._comment_json(comment) for comment in row.comments[start : start + self.page]]
        return _json({"startAt": start, "maxResults": self.page, "total": len(row.comments), "comments": shown})

    def _comment_json(self, comment: Mapping[str, Any]) -> dict[str, Any]:
        said = {"id": str(comment["id"]), "author": self._person(comment["by"]), "body": comment["body"]}
        return said | ({"properties": comment["properties"]} if self.edition == "cloud" else {})

    def _comment(self, request: httpx.Request, match: re.Match[str]) -> httpx.Response:
        self._may("ADD_COMMENTS")
        asked, row = json.loads(request.content), self._row(match["name"])
        comment = {"id": next(self.world._ids), "by": BOT[self.edition], **asked}
        row.comments.append(comment)
        return _json(self._comment_json(comment), 201)


@contextmanager
def start_thread(server: JiraServer) -> Iterator[str]:
    """The server on a free port of loopback, in a thread; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("content-length", "0"))
            url = f"http://127.0.0.1{self.path}"
            answer = server._answer(
                httpx.Request(self.command, url, headers=self.headers.items(), content=self.rfile.read(size))
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  (http.server's names)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: `asked` has it all."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, name="jira", daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join(timeout=10)


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json=value, headers=headers)


def _stamp(at: datetime) -> str:
    """A time as Jira writes it: milliseconds, and the zone of the site."""
    return (at + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0200"


def connection(
    server: JiraServer,
    http: httpx.AsyncClient,
    *,
    token: str = TOKEN,
    webhook_secret: str = WEBHOOK_SECRET,
    **settings: Any,
) -> Connection:
    """The connection of a tracker that knows what its first connect would have told it."""
    world = server.world
    return Connection(
        settings=JiraSettings(base_url=SITE, edition=server.edition, project="ACME", **settings),
        secrets=JiraSecrets.model_validate(
            {"email": EMAIL if server.edition == "cloud" else "", "token": token, "webhook_secret": webhook_secret}
        ),
        http=http,
        now=world.now,
        base_url="http://fullcircle.test",
        remote_id=str(world.projects["ACME"].id),
        facts={"account": BOT[server.edition]},
    )


def tracker(server: JiraServer, **settings: Any) -> Jira:
    """A tracker connected to this server."""
    return Jira(connection(server, server.client(), **settings))


def signed(body: bytes, *, secret: str = WEBHOOK_SECRET, call: str = "call-1") -> dict[str, str]:
    """The headers of a webhook call, as an admin's webhook with a secret has them."""
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature": f"sha256={signature}", "X-Atlassian-Webhook-Identifier": call}

"""GitHub, on github.com and on Enterprise Server: REST 2026-03-10, and GraphQL for what closed an issue.

One reading of an issue asks for the issue, its repository, what closed it, the releases since, and
whether they hold the fix. Most of it is answered with 304 from the second time on, which costs
nothing of the hourly allowance.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar
from urllib.parse import quote, urlencode

import httpx
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from app.http import ask, json_of, retry_at, web_url
from app.ports import (
    BadSignatureError,
    Connection,
    Hook,
    IssuePage,
    Kind,
    OutsideError,
    Platforms,
    Project,
    RegularExpression,
    Tracker,
)
from app.rules.commits import Commit, Fix, ancestors, closed_by, closes, names_key, read_commit, standing
from app.rules.facts import (
    Change,
    Containment,
    Deployment,
    IssueFacts,
    IssueReading,
    MappedRepository,
    Outcome,
    OutcomeReason,
    Release,
    ShippedWhen,
    Version,
    WithoutCode,
)
from app.rules.platforms import Platform, read_platforms, written
from app.rules.shipping import LOOKS_LIKE_A_VERSION
from app.rules.turns import WriteLimit

API_VERSION = "2026-03-10"
OLDER_API_VERSION = "2022-11-28"
"""What Enterprise servers know that answer 400 to a newer one."""

PAGE = 100
MAX_RANGE_PAGES = 30
"""3,000 commits between a fix and a release (or items of any list); beyond that the answer is 'unknown', not a guess."""
MAX_RELEASE_PAGES = 10
MAX_LOOKUPS = 100
"""How many commits of a range, or deployments, are looked up one by one."""
MAX_FILES = 3_000
"""So many files of a change GitHub lists; whether a longer one touches a path is not known."""
MAX_CLAIMING_RELEASES = 30
"""In how many releases a commit is looked for that claims the issue."""
MAX_PULL_PAGES = 5
"""How much of the list of pull requests is read for a key: 500, those that changed last."""
PULLS_SINCE = timedelta(days=30)
"""So long before an issue was closed a pull request may have changed last that has its key inside a branch's name."""
MOST_FOUND = 1_000
"""Beyond that GitHub's search lists nothing: https://docs.github.com/rest/search/search#about-search"""
SEARCH_HOLDS = timedelta(hours=1)
"""How long what the search found is good for: it takes 30 questions a minute, and each look costs three."""
COMMITS_SINCE = timedelta(days=1)
"""How far the search may run behind the default branch."""
CLOCK_SKEW = timedelta(days=1)
"""How far a committer's own clock may be off GitHub's."""

JWT_BACKDATED, JWT_GOOD_FOR = timedelta(seconds=60), timedelta(minutes=9)
"""GitHub takes an app's word for at most ten minutes, and not from its own future: the rest is for clocks that differ.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""
RENEWED_EARLY = timedelta(minutes=1)
"""So long before its end an installation's token is replaced."""

OUTCOMES: Mapping[str, tuple[Outcome, OutcomeReason | None, str]] = {
    "completed": ("fixed", None, "completed"),
    "not_planned": ("declined", "wont_fix", "not planned"),
    "duplicate": ("duplicate", None, "duplicate"),
}
"""GitHub's reason for closing, in our words. A close without a reason, or with a new one, stays unclear."""

HOOK_EVENTS: Mapping[str, str] = {
    "issues": "Issues",
    "release": "Releases",
    "pull_request": "Pull requests",
    "push": "Pushes",
    "create": "Branch or tag creation",
    "delete": "Branch or tag deletion",
    "repository": "Repositories",
    "deployment_status": "Deployment statuses",
}
"""What our webhook has to tell of, and how GitHub's pages call it."""

FIRST_PATIENCE, MOST_PATIENCE = timedelta(minutes=1), timedelta(hours=1)
"""How long to wait after a secondary limit without a time; doubled when it was not long enough."""

DELIVERIES_KEPT = timedelta(days=3)
"""https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks"""
LOST_CALLS_AT_ONCE = 30
"""How many calls are asked for again in one poll; the next goes on."""
LATE_CALLS = timedelta(hours=1)
"""So far back each look for lost calls reaches behind the one before it."""

PERMISSION_TITLES: Mapping[str, str] = {"repository_hooks": "Webhooks", "statuses": "Commit statuses"}
"""Permissions whose name in the API is not the one on GitHub's pages."""

RELOOK: Mapping[str, frozenset[str] | None] = {
    "release": None,
    "deployment": None,
    "deployment_status": None,
    "repository": None,
    "pull_request": frozenset({"closed"}),
}
"""Webhook events after which everything is looked at again; with which actions, or with any (None)."""

FIXES = """
query Fixes($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    nameWithOwner
    issue(number: $number) {
      closedByPullRequestsReferences(first: 50, includeClosedPrs: true) { nodes { ...Pull } }
      timelineItems(
        last: 100
        itemTypes: [
          CLOSED_EVENT, REOPENED_EVENT, CONNECTED_EVENT, DISCONNECTED_EVENT
          MARKED_AS_DUPLICATE_EVENT, UNMARKED_AS_DUPLICATE_EVENT, CONVERTED_TO_DISCUSSION_EVENT
        ]
      ) {
        nodes {
          __typename
          ... on ClosedEvent {
            createdAt
            closer {
              __typename
              ... on Commit { oid committedDate url repository { nameWithOwner } }
              ... on PullRequest { ...Pull }
            }
          }
          ... on ConnectedEvent { source { ...Named } subject { ...Named } }
          ... on DisconnectedEvent { source { ...Named } subject { ...Named } }
          ... on MarkedAsDuplicateEvent {
            canonical { __typename ... on Issue { number repository { nameWithOwner } } }
          }
        }
      }
    }
  }
}
fragment Pull on PullRequest {
  number merged mergedAt baseRefName url mergeCommit { oid committedDate } repository { nameWithOwner }
}
fragment Named on ReferencedSubject {
  __typename
  ... on PullRequest { number repository { nameWithOwner } }
}
"""
"""What closed an issue. Checked against GitHub's published schema by tests/real/test_github_contract.py."""

VIEWER = "query Viewer { viewer { login } }"

_GONE = {404: "not visible any more (deleted, or moved to where this token may not look)", 410: "deleted on GitHub"}
_STATUSES = frozenset({"ahead", "behind", "diverged", "identical"})
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*/(?!\.{1,2}(?![A-Za-z0-9_.-]))[A-Za-z0-9_.-]+"
_REPOSITORY = re.compile(_NAME)
_SHORT_REF = re.compile(rf"(?:(?P<repository>{_NAME})#|#)?(?P<number>[1-9]\d{{0,17}})", re.ASCII)
_ISSUE_PATH = re.compile(rf"/(?P<repository>{_NAME})/(?P<what>issues|pull)/(?P<number>[1-9]\d{{0,17}})/?", re.ASCII)
_MARKER = re.compile(r"<!-- fullcircle:[^\s<>]+ -->")
_Place = tuple[str, int]
"""A repository's API, and the number of an issue or pull request in it."""
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----(.+?)-----END \1-----", re.DOTALL)


class GitHubSettings(BaseModel):
    """What an admin enters to connect a repository."""

    api_url: str = Field(
        default="https://api.github.com",
        title="API address",
        description="https://api.github.com, or https://HOST/api/v3 for an Enterprise Server.",
    )
    repository: str = Field(title="Repository", description="As owner/repository.", examples=["acme/app"])
    shipped_when: ShippedWhen = Field(
        default="release",
        title="A fix has shipped when",
        description="release: a published release contains it. production: it runs in a production environment. "
        "closed: the issue is closed as completed.",
    )
    tag_pattern: str = Field(
        default="*",
        title="Release tags",
        description="Only releases whose tag matches this pattern count, for instance v* or app-*.",
    )
    public_label_pattern: RegularExpression = Field(
        default=LOOKS_LIKE_A_VERSION,
        title="Tags the public may read",
        description="For private repositories: a regular expression that a whole tag must match before a reply "
        "names it. Any other tag is called 'the latest version'.",
    )
    settle_seconds: int = Field(
        default=1800,
        ge=0,
        title="Settle time",
        description="Seconds to wait after a release before customers are told, so that it can be taken back.",
    )
    show_on_public: Literal["counts", "quotes"] = Field(
        default="counts",
        title="What a public repository shows",
        description="counts: how many wait, with links to their posts. quotes: their names and words as well.",
    )
    platforms: Platforms = ""
    path: str = Field(
        default="",
        title="Path",
        description="For a repository of several components: only changes below this folder count, for instance "
        "packages/a; several by commas or lines. Name the component's tags above, too. Empty for all.",
        json_schema_extra={"lines": True},
    )
    mapped_repositories: str = Field(
        default="",
        title="Other repositories",
        description="Repositories whose pull requests fix issues of this one too, one a line: owner/backend, or "
        "owner/backend = v* where only such tags count there. A fix has then shipped when every part of it has, "
        "each in its own repository.",
        json_schema_extra={"lines": True},
    )
    closed_without_code: WithoutCode = Field(
        default="ask",
        title="Closed without code",
        description=(
            "An issue closed as completed to which no commit or pull request is linked. ask: a person decides. "
            "next_release: the next release counts. milestone: its milestone closed counts. The last two are guesses."
        ),
    )
    label: str = Field(
        default="customer-reported",
        max_length=50,
        title="Label",
        description="Put on an issue when its first customer is shown there. Empty for none.",
    )
    comment_on_pull_request: bool = Field(
        default=True,
        title="Comment on the pull request",
        description="In a private repository: before a fix ships, the pull request that closed the issue says in one "
        "comment how many people will be told, and what.",
    )

    app_id: str = Field(
        default="",
        title="App ID",
        description="Only for a GitHub App: its App ID or Client ID. Its private key is then used instead of a token.",
        examples=["123456"],
    )
    installation_id: str = Field(
        default="",
        title="Installation ID",
        description="Only for a GitHub App: the number at the end of its installation's address. Found by itself "
        "where it is left empty.",
    )

    @field_validator("app_id")
    @classmethod
    def _is_an_app(cls, value: str) -> str:
        name = value.strip()
        if not re.fullmatch(r"[A-Za-z0-9._-]{0,100}", name):
            message = "enter the App ID (a number) or the Client ID from the app's page"
            raise ValueError(message)
        return name

    @field_validator("installation_id")
    @classmethod
    def _is_an_installation(cls, value: str) -> str:
        number = value.strip().rstrip("/").rpartition("/")[2]
        if not re.fullmatch(r"[0-9]{0,20}", number, re.ASCII):
            message = "enter the number at the end of the installation's address, or nothing"
            raise ValueError(message)
        return number

    @field_validator("api_url")
    @classmethod
    def _is_an_api(cls, value: str) -> str:
        address = value.strip().rstrip("/")
        if not re.fullmatch(r"https?://[^/?#@\s]+(/[^?#@\s]*)?", address):
            message = "enter a web address such as https://api.github.com"
            raise ValueError(message)
        return "https://api.github.com" if re.fullmatch(r"https?://(www\.)?github\.com", address) else address

    @field_validator("repository")
    @classmethod
    def _is_a_repository(cls, value: str) -> str:
        return _repository_named(value)

    @field_validator("path")
    @classmethod
    def _are_folders(cls, value: str) -> str:
        paths = [_path_of(part) for part in re.split(r"[,\n]", value)]
        return "\n".join(dict.fromkeys(path for path in paths if path))

    @field_validator("mapped_repositories")
    @classmethod
    def _are_repositories(cls, value: str, others: ValidationInfo) -> str:
        named = [_mapping_of(line) for line in value.splitlines() if line.strip()]
        known = {str(others.data.get("repository", "")).lower()}
        for name, _ in named:
            if name.lower() in known:
                message = f"{name} is there already: name each other repository once"
                raise ValueError(message)
            known.add(name.lower())
        return "\n".join(name if pattern == "*" else f"{name} = {pattern}" for name, pattern in named)

    @property
    def tags(self) -> tuple[str, ...]:
        """Patterns over tags, each of which has to be met by a release of its own."""
        platforms = read_platforms(self.platforms)
        if platforms:
            return tuple(one.pattern for one in platforms if one.ships_by == "release")
        return (self.tag_pattern,) if self.shipped_when == "release" else ()

    @property
    def environments(self) -> tuple[str, ...]:
        """Patterns over the environments that platforms are deployed to, beside what GitHub itself calls production."""
        return tuple(one.pattern for one in read_platforms(self.platforms) if one.ships_by == "deployment")

    @property
    def is_deployed(self) -> bool:
        """Whether a verdict rests on deployments."""
        return bool(self.environments) if self.platforms else self.shipped_when == "production"

    @property
    def proves_by_code(self) -> bool:
        """Whether a verdict rests on which changes fixed an issue."""
        return self.shipped_when != "closed" or bool(self.path)

    @property
    def paths(self) -> tuple[str, ...]:
        """The folders whose changes count; none means all."""
        return tuple(self.path.splitlines())

    @property
    def mapped(self) -> Mapping[str, str]:
        """The other repositories by name, with the pattern of their tags."""
        return dict(_mapping_of(line) for line in self.mapped_repositories.splitlines())


class GitHubSecrets(BaseModel):
    """What proves us to GitHub, and GitHub's webhooks to us."""

    private_key: SecretStr | None = Field(
        default=None,
        title="Private key of the app",
        description="Only for a GitHub App: the whole .pem file that GitHub lets you download when a key is made.",
        json_schema_extra={"lines": True},
    )
    token: SecretStr | None = Field(
        default=None,
        validate_default=True,
        title="Access token",
        description="A fine-grained token for this repository with Issues: read and write, Contents: read, "
        "Pull requests: read. Not needed for a GitHub App.",
        json_schema_extra={"upfront": True},
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        title="Webhook secret",
        description="The secret entered in the repository's webhook. Without one, changes are found by polling.",
    )

    @field_validator("private_key")
    @classmethod
    def _is_a_private_key(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value().strip() if value is not None else ""
        return SecretStr(private_key_of(text)) if text else None

    @field_validator("token")
    @classmethod
    def _is_there_unless_a_key_is(cls, value: SecretStr | None, others: ValidationInfo) -> SecretStr | None:
        token = value.get_secret_value().strip() if value is not None else ""
        if not token and others.data.get("private_key", "") is None:
            message = "enter an access token, or the App ID and private key of an app"
            raise ValueError(message)
        return SecretStr(token) if token else None


def _repository_named(text: str) -> str:
    """'owner/repository', also from its address. ValueError where it is none."""
    name = re.sub(r"^https?://[^/]+/", "", text.strip()).rstrip("/").removesuffix(".git")
    if not _REPOSITORY.fullmatch(name):
        message = "enter owner/repository, for instance acme/app"
        raise ValueError(message)
    return name


def _mapping_of(line: str) -> tuple[str, str]:
    """Another repository and the pattern of its tags. ValueError says what is wrong in which line."""
    name, _, pattern = line.partition("=")
    try:
        return _repository_named(name), pattern.strip() or "*"
    except ValueError as error:
        message = f"'{line.strip():.80}': enter owner/repository or owner/repository = v*, one a line"
        raise ValueError(message) from error


def _path_of(text: str) -> str:
    """A folder or file as GitHub names it, from the repository's root; empty where the whole repository is meant."""
    parts = [part for part in text.strip().split("/") if part not in {"", "."}]
    if ".." in parts or any(sign in text for sign in "*?\\"):
        message = f"'{text.strip():.80}': enter a folder from the repository's root, such as packages/a, and no pattern"
        raise ValueError(message)
    return "/".join(parts)


def private_key_of(text: str) -> str:
    """A pasted RSA key as PEM again, whatever the way here made of its line ends. ValueError says what it is instead.

    A form's field drops line ends, an environment variable writes them as a backslash and an n.
    """
    found = _PEM.search(text.replace("\\r", "").replace("\\n", "\n"))
    if found is None:
        message = "paste the whole .pem file, from '-----BEGIN' to the last '-----'"
        raise ValueError(message)
    label, body = found[1], "".join(found[2].split())
    if "PUBLIC" in label or "CERTIFICATE" in label:
        message = f"this is a {label.lower()}; paste the private key of the app"
        raise ValueError(message)
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    pem = f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError as error:
        message = "the key is locked with a password; paste it as GitHub made it"
        raise ValueError(message) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        message = "the key is damaged or cut; paste the whole .pem file as GitHub made it"
        raise ValueError(message) from error
    if not isinstance(key, RSAPrivateKey):
        message = "this is no RSA key; paste the private key that GitHub made for the app"
        raise ValueError(message)  # noqa: TRY004  (pydantic takes a ValueError for wrong input)
    return pem


# What GitHub's answers say


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A change that may be the fix. `made_at` is never later than the commit itself; `base` is the branch it went to."""

    change: Change
    made_at: datetime
    pull: int | None = None
    base: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _History:
    """What an issue's timeline says about its end.

    `closer` closed it after it was last reopened, `earlier` closed it before that, `pulls` are
    merged and linked to it.
    """

    closer: _Candidate | None = None
    earlier: _Candidate | None = None
    pulls: tuple[_Candidate, ...] = ()
    canonical: tuple[str, int] | None = None
    is_discussion: bool = False

    def fixes(self, default_branches: Mapping[str, str]) -> list[_Candidate]:
        """The changes that together are the fix; `default_branches` by repository.

        What closed the issue before it was reopened counts only where nothing newer is known. A
        pull request into another branch beside one into the default branch is a backport of it,
        not a second part.
        """
        named = [c for c in (self.closer, *self.pulls) if c is not None]
        if not named and self.earlier is not None:
            named = [self.earlier]
        unique = list({(c.change.repository, c.change.sha): c for c in reversed(named)}.values())[::-1]
        on_default = [c for c in unique if c.base in {None, default_branches[c.change.repository]}]
        landed = {c.change.repository for c in on_default}
        return [c for c in unique if c in on_default or c.change.repository not in landed]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    """A comparison of two commits. `commits` are those only the second one holds, oldest first, as far as read."""

    status: str
    commits: tuple[Commit, ...]
    is_whole: bool

    @property
    def holds_the_base(self) -> bool:
        return self.status in {"ahead", "identical"}


def parse_time(text: str) -> datetime:
    """GitHub's time stamp, aware and in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def iso(at: datetime) -> str:
    """A time as GitHub takes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def id_of(thing: Mapping[str, Any]) -> str:
    """GitHub's own number for a thing, as text. ValueError where it has none."""
    number = thing["id"]
    if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
        raise ValueError(f"{number!r} is no id")
    return str(number)


def repository_of(issue: Mapping[str, Any]) -> str:
    """The 'owner/name' an issue lives in now, whatever it was asked for under."""
    return "/".join(str(issue["repository_url"]).rstrip("/").split("/")[-2:])


def is_public(repository: Mapping[str, Any]) -> bool:
    """Whether everybody may open the repository's pages. What is not said is private."""
    return repository.get("private") is False and repository.get("visibility") == "public"


def parse_issue(issue: Mapping[str, Any], *, repository: Mapping[str, Any], ref: str) -> IssueFacts:
    """An issue in our words. `ref` is what people here call it."""
    is_closed = issue["state"] == "closed"
    reason = issue.get("state_reason")
    outcome, outcome_reason, label = OUTCOMES.get(reason or "", ("unclear", None, reason or ""))
    if not is_closed:
        outcome, outcome_reason, label = None, None, "reopened" if reason == "reopened" else ""
    return IssueFacts(
        remote_id=id_of(issue),
        ref=ref,
        title=issue["title"],
        url=issue["html_url"],
        state="closed" if is_closed else "open",
        updated_at=parse_time(issue["updated_at"]),
        outcome=outcome,
        outcome_reason=outcome_reason,
        outcome_label=label,
        closed_at=parse_time(issue["closed_at"]) if is_closed and issue.get("closed_at") else None,
        locked=bool(issue.get("locked")),
        visible_to_public=is_public(repository),
    )


def parse_project(
    repository: Mapping[str, Any], headers: httpx.Headers, *, login: str | None, api_version: str
) -> Project:
    """A repository, and what GitHub says about the token beside it."""
    return Project(
        remote_id=id_of(repository),
        name=repository["full_name"],
        url=repository["html_url"],
        visible_to_public=is_public(repository),
        facts={
            "repository_id": id_of(repository),
            "full_name": repository["full_name"],
            "default_branch": repository["default_branch"],
            "private": not is_public(repository),
            "html_url": repository["html_url"],
            "login": login,
            "api_version": api_version,
            "token_expires": headers.get("github-authentication-token-expiration", ""),
        },
        scopes=tuple(scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()),
        quota={
            name: int(headers[f"x-ratelimit-{name}"])
            for name in ("limit", "remaining", "reset")
            if headers.get(f"x-ratelimit-{name}", "").isdigit()
        },
    )


def parse_history(answer: Mapping[str, Any], *, mapped: Mapping[str, str] | None = None) -> _History:
    """GraphQL's `data.repository`: what closed the issue, and what is linked to it.

    `mapped` are the other repositories that count: their names in small letters, with what their
    changes are marked with.
    """
    counted = {**(mapped or {}), answer["nameWithOwner"].lower(): ""}
    issue = answer["issue"]
    closer: _Candidate | None = None
    earlier: _Candidate | None = None
    canonical: tuple[str, int] | None = None
    is_discussion = False
    disconnected: set[tuple[str, int]] = set()
    for event in filter(None, issue["timelineItems"]["nodes"]):
        match event["__typename"]:
            case "ClosedEvent":
                closer = _closer(event, counted)
            case "ReopenedEvent":
                closer, earlier = None, closer or earlier
            case "ConnectedEvent":
                disconnected -= _pulls_named(event, counted)
            case "DisconnectedEvent":
                disconnected |= _pulls_named(event, counted)
            case "MarkedAsDuplicateEvent":
                original = event["canonical"] or {}
                if original.get("__typename") == "Issue":
                    canonical = original["repository"]["nameWithOwner"], original["number"]
            case "UnmarkedAsDuplicateEvent":
                canonical = None
            case "ConvertedToDiscussionEvent":
                is_discussion = True
    linked = (issue["closedByPullRequestsReferences"] or {}).get("nodes") or []
    pulls = [
        _merged_pull(pull, counted)
        for pull in linked
        if pull and (_counts_as(pull, counted), pull["number"]) not in disconnected
    ]
    return _History(
        closer=closer,
        earlier=earlier,
        pulls=tuple(p for p in pulls if p is not None),
        canonical=canonical,
        is_discussion=is_discussion,
    )


def _counts_as(thing: Mapping[str, Any], counted: Mapping[str, str]) -> str | None:
    """What the changes of a thing's repository are marked with; None where that repository does not count."""
    return counted.get(thing["repository"]["nameWithOwner"].lower())


def _closer(event: Mapping[str, Any], counted: Mapping[str, str]) -> _Candidate | None:
    closer = event["closer"] or {}
    if closer.get("__typename") == "PullRequest":
        return _merged_pull(closer, counted)
    if closer.get("__typename") != "Commit":
        return None
    repository = _counts_as(closer, counted)
    if repository is None:
        return None
    closed_at = parse_time(event["createdAt"])
    return _commit_candidate(
        closer["oid"],
        url=closer["url"],
        at=closed_at,
        made_at=min(parse_time(closer["committedDate"]), closed_at),
        repository=repository,
    )


def _commit_candidate(sha: str, *, url: str, at: datetime, made_at: datetime, repository: str = "") -> _Candidate:
    change = Change(sha=sha, label=f"commit {sha[:7]}", url=url, at=at, repository=repository)
    return _Candidate(change=change, made_at=made_at)


def _merged_pull(pull: Mapping[str, Any], counted: Mapping[str, str]) -> _Candidate | None:
    """A pull request of a repository that counts, as a change; None unless it is merged there."""
    repository = _counts_as(pull, counted)
    if not pull["merged"] or not pull["mergeCommit"] or repository is None:
        return None
    merged_at = parse_time(pull["mergedAt"])
    return _pull_candidate(
        pull["number"],
        sha=pull["mergeCommit"]["oid"],
        url=pull["url"],
        at=merged_at,
        made_at=min(parse_time(pull["mergeCommit"]["committedDate"]), merged_at),
        base=pull["baseRefName"],
        repository=repository,
    )


def _pull_candidate(
    number: int, *, sha: str, url: str, at: datetime, made_at: datetime, base: str, repository: str
) -> _Candidate:
    change = Change(sha=sha, label=f"PR #{number} merged as {sha[:7]}", url=url, at=at, pull=url, repository=repository)
    return _Candidate(change=change, made_at=made_at, pull=number, base=base)


def _pulls_named(event: Mapping[str, Any], counted: Mapping[str, str]) -> set[tuple[str, int]]:
    ends = (event.get("source") or {}, event.get("subject") or {})
    return {
        (repository, end["number"])
        for end in ends
        if end.get("__typename") == "PullRequest" and (repository := _counts_as(end, counted)) is not None
    }


def parse_commit(commit: Mapping[str, Any]) -> Commit:
    """A commit as the REST API lists it."""
    return read_commit(
        sha=commit["sha"],
        message=commit["commit"]["message"],
        at=parse_time(commit["commit"]["committer"]["date"]),
        parents=tuple(parent["sha"] for parent in commit.get("parents") or ()),
    )


def files_in(listed: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The files of a change; one that was renamed by both of its names."""
    for file in listed:
        yield str(file["filename"])
        if file.get("previous_filename"):
            yield str(file["previous_filename"])


def touches(files: Iterable[str], paths: Iterable[str]) -> bool:
    """Whether one of the files is one of the paths, or below it."""
    paths = tuple(paths)
    return any(file == path or file.startswith(f"{path}/") for file in files for path in paths)


def parse_milestone(raw: Mapping[str, Any]) -> Version:
    """A milestone, as an issue names it: closed is done."""
    closed_at = raw.get("closed_at")
    return Version(
        remote_id=id_of(raw),
        label=raw["title"],
        url=raw["html_url"],
        released=raw["state"] == "closed",
        released_on=parse_time(closed_at).date() if closed_at else None,
    )


def parse_release(release: Mapping[str, Any], *, sha: str) -> Release:
    """A release and the commit its tag names; the branch it was made from (`target_commitish`) proves nothing."""
    published = release.get("published_at")
    return Release(
        remote_id=str(release["id"]),
        label=release["tag_name"],
        url=release["html_url"],
        sha=sha,
        draft=bool(release["draft"]),
        prerelease=bool(release["prerelease"]),
        published_at=parse_time(published) if published else None,
    )


def _is_production(deployment: Mapping[str, Any]) -> bool:
    said = deployment.get("production_environment")
    return deployment["environment"].lower() == "production" if said is None else bool(said)


def _last_touched(release: Mapping[str, Any]) -> datetime:
    stamps = (release.get("published_at"), release.get("created_at"), release.get("updated_at"))
    return max(parse_time(stamp) for stamp in stamps if stamp)


def parse_webhook(*, event: str, key: str, payload: Mapping[str, Any], is_ours: bool) -> Hook:
    """What a verified webhook call hints at. An event of another repository hints at nothing."""
    action = payload.get("action")
    name = f"{event}.{action}" if isinstance(action, str) else event
    if not is_ours:
        return Hook(key=key, event=name)
    if event == "issues" and isinstance(payload.get("issue"), dict) and "id" in payload["issue"]:
        return Hook(key=key, event=name, issues=(str(payload["issue"]["id"]),))
    if event in RELOOK:
        actions = RELOOK[event]
        return Hook(key=key, event=name, everything=actions is None or action in actions)
    is_tag = (event == "push" and str(payload.get("ref", "")).startswith("refs/tags/")) or (
        event in {"create", "delete"} and payload.get("ref_type") == "tag"
    )
    return Hook(key=key, event=name, everything=is_tag)


def lost_calls(deliveries: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Guid and id of each webhook call that never arrived and was not sent again yet, oldest first.

    A call keeps its guid through all attempts: https://docs.github.com/rest/repos/webhooks#list-deliveries-for-a-repository-webhook
    """
    attempts: dict[str, list[Mapping[str, Any]]] = {}
    for delivery in sorted(deliveries, key=lambda one: (parse_time(one["delivered_at"]), int(id_of(one)))):
        attempts.setdefault(str(delivery["guid"]), []).append(delivery)
    return [
        (guid, int(id_of(tried[-1])))
        for guid, tried in attempts.items()
        if not any(one["redelivery"] or 200 <= one["status_code"] < 300 for one in tried)
    ]


# What GitHub refuses


def failure(
    answer: httpx.Response,
    *,
    what: str,
    now: datetime,
    by: _Credentials,
    writes: bool = False,
    patience: timedelta = FIRST_PATIENCE,
) -> OutsideError:
    """An unwanted answer as an error for a person, naming the permission that GitHub itself says is missing.

    `patience` is how long to wait where GitHub limits us without saying for how long.
    """
    status = answer.status_code
    until = rate_limited_until(answer, now, patience=patience)
    if until is not None:
        return OutsideError(
            f"{what}: GitHub asks us to wait until {until:%H:%M:%S} UTC", "rate_limited", retry_at=until
        )
    said = _words_of(answer)
    if status == 401:
        return OutsideError(f"{what}: GitHub refuses {by.who}{said}; enter a new one", "auth_broken")
    if status in {403, 404} and "locked" in said:
        return OutsideError(f"{what}: the issue is locked, and {by.who} may not write there", "forbidden")
    if status == 403 and "suspended" in said:
        return OutsideError(f"{what}: GitHub has suspended {by.who}{said}", "suspended")
    if status == 403:
        return OutsideError(f"{what}: not allowed{said}{_permission_asked(answer, by)}", "forbidden")
    if status == 404:
        return OutsideError(
            f"{what}: it does not exist, or {by.who} may not see it{_permission_asked(answer, by)}", "gone"
        )
    if status == 410:
        return OutsideError(f"{what}: it was deleted or is switched off{said}", "gone")
    if status == 451:
        return OutsideError(f"{what}: withheld for legal reasons", "forbidden")
    if status == 422 and "too long" in said:
        return OutsideError(f"{what}: the text is too long for GitHub{said}", "too_long")
    if 400 <= status < 500 and status != 408:
        return OutsideError(f"{what}: GitHub refuses it ({status}){said}", "invalid")
    kind: Kind = "unknown" if writes else "transient"
    return OutsideError(f"{what}: GitHub answers {status}{said}", kind, retry_at=retry_at(answer, now))


def rate_limited_until(
    answer: httpx.Response, now: datetime, *, patience: timedelta = FIRST_PATIENCE
) -> datetime | None:
    """When to come back, if this is a rate limit: Retry-After, else the reset time, else what we have patience for.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    if answer.status_code not in {403, 429}:
        return None
    until = retry_at(answer, now)
    if until is not None:
        return until
    if answer.headers.get("x-ratelimit-remaining") == "0":
        return _reset_time(answer, now)
    said = _words_of(answer).lower()
    if answer.status_code == 429 or "rate limit" in said or "abuse detection" in said:
        return now + patience
    return None


def _reset_time(answer: httpx.Response, now: datetime) -> datetime:
    reset = answer.headers.get("x-ratelimit-reset", "")
    if not reset.isdigit() or len(reset) > 11:
        return now + timedelta(minutes=1)
    return min(max(datetime.fromtimestamp(int(reset), UTC), now), now + timedelta(days=1))


def _words_of(answer: httpx.Response) -> str:
    """GitHub's own explanation in brackets, or nothing."""
    try:
        body = json.loads(answer.content)
    except ValueError:
        return ""
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        return ""
    parts = [body["message"]]
    for error in body.get("errors") or ():
        if isinstance(error, dict):
            parts.append(str(error.get("message") or f"{error.get('field', '')} {error.get('code', '')}".strip()))
        elif isinstance(error, str):
            parts.append(error)
    return f" ('{'; '.join(part for part in parts if part)[:200]}')"


def permissions_wanted(answer: httpx.Response) -> str:
    """The permissions an endpoint needs, as people read them; alternatives are parted by ';', what is needed together by ','.

    https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#insufficient-permissions-errors
    """
    asked = answer.headers.get("x-accepted-github-permissions", "")
    ways = [" and ".join(_permission(part) for part in way.split(",") if part.strip()) for way in asked.split(";")]
    return " or ".join(way for way in ways if way)[:200]


def _permission(part: str) -> str:
    """'pull_requests=read' as GitHub's pages write it."""
    name, _, access = part.strip().partition("=")
    return f"{PERMISSION_TITLES.get(name, name.replace('_', ' ').capitalize())}: {access or 'read'}"


def _permission_asked(answer: httpx.Response, by: _Credentials) -> str:
    wanted = permissions_wanted(answer)
    if not wanted:
        return ""
    return f". {by.who.capitalize()} needs {wanted}" + (f"; grant it {by.grant}" if by.grant else "")


@contextmanager
def _as_github_says(what: str, *, writes: bool = False) -> Iterator[None]:
    """An answer without the fields GitHub's own answers have comes from something else, or from its bad day."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        kind: Kind = "unknown" if writes else "transient"
        raise OutsideError(f"{what}: the answer is not what GitHub documents ({error!r:.80})", kind) from error


# What is kept between readings


Answer = Literal["yes", "no", "unknown", "reverted"]
"""Whether a commit has a fix."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class _Shelf(Generic[_Key, _Value]):
    """The values used last, up to a total weight; the rest is forgotten."""

    def __init__(self, capacity: int) -> None:
        self._capacity, self._weight = capacity, 0
        self._values: OrderedDict[_Key, tuple[_Value, int]] = OrderedDict()

    def get(self, key: _Key) -> _Value | None:
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key][0]

    def put(self, key: _Key, value: _Value, *, weight: int) -> None:
        self._weight -= self._values.pop(key, (None, 0))[1]
        self._values[key] = value, weight
        self._weight += weight
        while self._weight > self._capacity:
            self._weight -= self._values.popitem(last=False)[1][1]


_ANSWERS: _Shelf[tuple[str, str], httpx.Response] = _Shelf(64 * 1024 * 1024)
"""Answers with an ETag, by token and address; weighed in bytes. GitHub says each time whether they still hold."""

_RANGES: _Shelf[tuple[str, str, str], _Range] = _Shelf(200_000)
"""Comparisons by server, repository and both shas, weighed in commits. Shas never change, so these hold for ever."""

_FILES: _Shelf[tuple[str, str], frozenset[str]] = _Shelf(200_000)
"""The files of landed changes by server, repository and sha, weighed in files."""

_CLAIMS: _Shelf[tuple[str, str, int, str, str], tuple[_Candidate, ...]] = _Shelf(10_000)
"""Merged pull requests that claim an issue, by range and day: the day, because their texts can be edited."""


# How we prove who we are


class _Credentials(Protocol):
    """What opens GitHub to us. `purse` tells one's kept answers from another's, `grant` says where permissions are given."""

    purse: str
    who: str
    grant: str
    field: str

    def described(self, project: Project) -> Project:
        """A project with what these credentials know of themselves."""
        ...

    async def token(self) -> str:
        """What the next call shows. OutsideError where there is none to be had."""
        ...

    async def instead_of(self, refused: str) -> str | None:
        """Another token after one was refused; None where there is no other."""
        ...


class _NoCredentials:
    """Only half of what proves an app."""

    purse, who, grant = "", "the app", ""

    def __init__(self, why: str, *, field: str) -> None:
        self._why, self.field = why, field

    def described(self, project: Project) -> Project:
        return project

    async def token(self) -> str:
        raise OutsideError(self._why, "auth_broken", field=self.field)

    async def instead_of(self, refused: str) -> str | None:
        return None


class _AccessToken:
    """A token that a person made."""

    who, field = "the token", ""

    def __init__(self, token: str, *, pages: str) -> None:
        self._token = token
        self.purse = hashlib.sha256(token.encode()).hexdigest()
        self.grant = f"at {pages}/settings/personal-access-tokens, under the token's repository permissions"

    def described(self, project: Project) -> Project:
        return project

    async def token(self) -> str:
        return self._token

    async def instead_of(self, refused: str) -> str | None:
        return None


class _Installation:
    """A GitHub App where it is installed: its key makes tokens that last an hour.

    The token lives as long as this adapter, and the adapter as long as the credentials it was opened
    with: so a new key or another app never meets an old token, and nothing but memory ever holds
    one. A process that starts anew asks for another; GitHub gives as many as are asked for.
    """

    who, field = "the app", "settings.app_id"

    def __init__(self, connection: Connection, key: str) -> None:
        settings: GitHubSettings = connection.settings
        self._http, self._now, self._url = connection.http, connection.now, settings.api_url
        self._app, self._key, self._repository = settings.app_id, key, settings.repository
        self._entered = settings.installation_id
        self._version = str(connection.facts.get("api_version", API_VERSION))
        self._token, self._renew_at = "", datetime.min.replace(tzinfo=UTC)
        self._one_at_a_time = asyncio.Lock()
        self.installation = self._entered or str(connection.facts.get("installation_id", ""))
        self.permissions: Mapping[str, str] = {}
        self.purse = hashlib.sha256(f"{self._app} {self._entered} {key}".encode()).hexdigest()
        self.grant = "on the app's page under Permissions & events, and accept it where the app is installed"

    def described(self, project: Project) -> Project:
        """With what the app may do, which GitHub says with each token, and where it is installed."""
        facts = {**project.facts, "installation_id": self.installation}
        scopes = tuple(f"{name}: {access}" for name, access in sorted(self.permissions.items()))
        return replace(project, facts=facts, scopes=scopes)

    async def token(self) -> str:
        async with self._one_at_a_time:
            if self._now() >= self._renew_at:
                await self._renew()
            return self._token

    async def instead_of(self, refused: str) -> str | None:
        async with self._one_at_a_time:
            if refused == self._token:  # otherwise somebody renewed it while we waited
                await self._renew()
            return self._token

    async def _renew(self) -> None:
        what = f"opening {self._repository} as app {self._app}"
        answer = await self._ask_for_token(what) if self.installation else None
        if answer is None or (answer.status_code == 404 and not self._entered):
            self.installation = await self._find()  # never looked for, or installed anew under another number
            answer = await self._ask_for_token(what)
        if answer.status_code == 404:
            raise OutsideError(
                f"{what}: there is no installation {self.installation} of this app; enter its number, or leave it empty",
                "misconfigured",
                field="settings.installation_id",
            )
        with _as_github_says(what):
            made = json_of(answer, what=what)
            token, until = str(made["token"]), parse_time(made["expires_at"])
            self.permissions = {str(name): str(access) for name, access in (made.get("permissions") or {}).items()}
        if not token:
            raise OutsideError(f"{what}: GitHub answers without a token", "transient")
        self._token, self._renew_at = token, until - RENEWED_EARLY

    async def _ask_for_token(self, what: str) -> httpx.Response:
        url = f"{self._url}/app/installations/{self.installation}/access_tokens"
        return await self._as_app("POST", url, what=what)

    async def _find(self) -> str:
        what = f"looking for the installation of app {self._app} on {self._repository}"
        answer = await self._as_app("GET", f"{self._url}/repos/{self._repository}/installation", what=what)
        if answer.status_code == 404:
            raise OutsideError(
                f"the app is not installed on {self._repository}, or there is no such repository; install it from the "
                "app's page under Install App",
                "misconfigured",
                field="settings.repository",
            )
        with _as_github_says(what):
            return id_of(json_of(answer, what=what))

    async def _as_app(self, method: str, url: str, *, what: str) -> httpx.Response:
        """A call in the app's own name, answered with success or 404."""
        answer = await self._signed(method, url, what=what)
        if answer.status_code == 400 and self._version != OLDER_API_VERSION:
            self._version = OLDER_API_VERSION
            answer = await self._signed(method, url, what=what)
        said = _words_of(answer)
        if answer.status_code == 401 and ("'exp'" in said or "'iat'" in said):
            raise OutsideError(f"{what}: GitHub finds our clock wrong{said}; set this machine's time", "transient")
        if answer.status_code == 401:
            raise OutsideError(
                f"{what}: GitHub refuses the private key{said}; it is not one of app {self._app}, or was deleted there",
                "auth_broken",
                field="secrets.private_key",
            )
        if answer.status_code == 404 and "integration not found" in said.lower():
            raise OutsideError(f"{what}: there is no app {self._app} there", "auth_broken", field="settings.app_id")
        if answer.status_code == 403 and "suspended" in said:
            raise OutsideError(f"{what}: the app's installation is suspended{said}", "suspended")
        if not answer.is_success and answer.status_code != 404:
            raise failure(answer, what=what, now=self._now(), by=self)
        return answer

    async def _signed(self, method: str, url: str, *, what: str) -> httpx.Response:
        given = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {app_jwt(self._app, self._key, now=self._now())}",
            "X-GitHub-Api-Version": self._version,
        }
        return await ask(self._http, method, url, what=what, headers=given)


def app_jwt(app_id: str, private_key: str, *, now: datetime) -> str:
    """What an app shows in its own name: signed with its key, and good for a few minutes."""
    claims = {"iat": now - JWT_BACKDATED, "exp": now + JWT_GOOD_FOR, "iss": app_id}
    return jwt.encode(claims, private_key, algorithm="RS256")


def _credentials_of(connection: Connection) -> _Credentials:
    """The app where an App ID is entered, and otherwise the token."""
    settings: GitHubSettings = connection.settings
    secrets: GitHubSecrets = connection.secrets
    token = secrets.token.get_secret_value() if secrets.token else ""
    key = secrets.private_key.get_secret_value() if secrets.private_key else ""
    if settings.app_id and key:
        return _Installation(connection, key)
    if settings.app_id:
        return _NoCredentials("an app needs its private key", field="secrets.private_key")
    if token:
        return _AccessToken(token, pages=_pages_of(settings.api_url))
    return _NoCredentials("the private key needs the App ID it belongs to", field="settings.app_id")


def _pages_of(api_url: str) -> str:
    """Where people see what the API serves."""
    return "https://github.com" if api_url == "https://api.github.com" else api_url.removesuffix("/api/v3")


class _Api:
    """Calls to one GitHub with one token. What they answer is GitHub's, except where it is an OutsideError."""

    def __init__(self, connection: Connection) -> None:
        settings: GitHubSettings = connection.settings
        self.url = settings.api_url
        self.now = connection.now
        self.version = str(connection.facts.get("api_version", API_VERSION))
        self.has_graphql = True
        self.credentials = _credentials_of(connection)
        self._http = connection.http
        self._patience, self._limited_at = FIRST_PATIENCE, datetime.min.replace(tzinfo=UTC)

    def repo(self, name: str) -> str:
        """The address of a repository."""
        return f"{self.url}/repos/{name}"

    async def get(self, url: str, *, what: str, also: Set[int] = frozenset()) -> httpx.Response:
        """A reading call that costs nothing where GitHub says that the kept answer still holds."""
        key = (self.credentials.purse, url)
        kept = _ANSWERS.get(key)
        headers = {"If-None-Match": kept.headers["etag"]} if kept is not None else {}
        answer = await self.call("GET", url, what=what, also={*also, 304}, headers=headers)
        if answer.status_code == 304:
            if kept is None:
                raise OutsideError(f"{what}: GitHub answers 'not modified' to a first question", "transient")
            return kept
        if answer.status_code == 200 and "etag" in answer.headers:
            _ANSWERS.put(key, answer, weight=len(answer.content) + len(url))
        return answer

    async def call(
        self,
        method: str,
        url: str,
        *,
        what: str,
        writes: bool = False,
        also: Set[int] = frozenset(),
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """One call; a status that is no success and not among `also` is an error."""
        token = await self.credentials.token()
        options = {**options, "headers": headers or {}, "what": what, "writes": writes}
        answer = await self._ask_with(token, method, url, **options)
        if answer.status_code == 401:
            # Refused before anything was done: an app's token may have ended early, and another one is free.
            another = await self.credentials.instead_of(token)
            if another is not None:
                answer = await self._ask_with(another, method, url, **options)
        if not answer.is_success and answer.status_code not in also:
            raise self.failure(answer, what=what, writes=writes)
        return answer

    def failure(self, answer: httpx.Response, *, what: str, writes: bool = False) -> OutsideError:
        """An unwanted answer as an error for a person."""
        now = self.now()
        if rate_limited_until(answer, now) is not None:
            waited = now - self._limited_at
            if waited > self._patience * 4:
                self._patience = FIRST_PATIENCE
            elif waited >= self._patience:  # sooner, it is one of many that were under way together
                self._patience = min(self._patience * 2, MOST_PATIENCE)
            self._limited_at = now
        return failure(answer, what=what, now=now, writes=writes, by=self.credentials, patience=self._patience)

    async def _ask_with(
        self, token: str, method: str, url: str, *, headers: Mapping[str, str], **options: Any
    ) -> httpx.Response:
        given = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "X-GitHub-Api-Version": self.version,
            **headers,
        }
        return await ask(self._http, method, url, headers=given, **options)

    async def pages(self, url: str, *, what: str) -> AsyncIterator[list[dict[str, Any]]]:
        """A list, page by page as GitHub links them."""
        next_url: str | None = url
        while next_url:
            answer = await self.get(next_url, what=what)
            items = json_of(answer, what=what)
            if not isinstance(items, list):
                raise OutsideError(f"{what}: the answer is not the list that GitHub documents", "transient")
            yield items
            next_url = self.next_of(answer)

    async def all(self, url: str, *, what: str) -> list[dict[str, Any]]:
        """A whole list, as far as it is read."""
        found: list[dict[str, Any]] = []
        async for page in self.pages(url, what=what):
            found += page
            if len(found) >= MAX_RANGE_PAGES * PAGE:
                break
        return found

    def next_of(self, answer: httpx.Response) -> str | None:
        """The next page's address, on the host that was entered: the token goes nowhere else, whatever a link says."""
        link = answer.links.get("next", {}).get("url")
        if not link:
            return None
        return str(httpx.URL(self.url).copy_with(raw_path=httpx.URL(link).raw_path))

    async def graphql(self, query: str, *, what: str, variables: Mapping[str, Any] | None = None) -> httpx.Response:
        """A question to GraphQL, which stands beside REST; 404 where the server has none."""
        url = f"{self.url.removesuffix('/v3')}/graphql" if self.url.endswith("/api/v3") else f"{self.url}/graphql"
        return await self.call("POST", url, what=what, json={"query": query, "variables": variables or {}}, also={404})

    async def repository(self, name: str) -> Mapping[str, Any]:
        """A repository as it is now."""
        return self.repository_from(await self.get(self.repo(name), what=f"looking for {name}", also={404}), name=name)

    def repository_from(self, answer: httpx.Response, *, name: str) -> Mapping[str, Any]:
        """The repository in an answer; the error tells a wrong name from a wrong API."""
        try:
            repository = json.loads(answer.content)
        except ValueError:
            repository = None
        if answer.status_code == 404 and isinstance(repository, dict):
            raise OutsideError(
                f"repository {name} does not exist, or {self.credentials.who} may not see it"
                f"{_permission_asked(answer, self.credentials)}",
                "misconfigured",
            )
        if answer.status_code != 200 or not isinstance(repository, dict) or "full_name" not in repository:
            raise OutsideError(
                f"{self.url} is not GitHub's API; for an Enterprise Server enter https://HOST/api/v3",
                "misconfigured",
            )
        return repository


class _Proof:
    """What fixed one closed issue, and what holds the fix, in one repository.

    `mapped` are the proofs of the other repositories that count. In each of these `home` is the
    issue's own repository, whose name a pull request has to say to mean the issue.
    """

    def __init__(
        self,
        api: _Api,
        settings: GitHubSettings,
        *,
        repository: Mapping[str, Any],
        issue: Mapping[str, Any],
        home: str = "",
        mapped: Mapping[str, _Proof] | None = None,
    ) -> None:
        self._api, self._settings = api, settings
        self._issue: int = issue["number"]
        self._milestone: Mapping[str, Any] | None = issue.get("milestone")
        self._opened = parse_time(issue["created_at"]) - CLOCK_SKEW
        self._name: str = repository["full_name"]
        self._page: str = repository["html_url"]
        self.branch: str = repository["default_branch"]
        self._key = f"{api.url} {repository['id']}"
        self._url = api.repo(self._name)
        self._is_public = is_public(repository)
        self._home = home or self._name
        self.mark = self._name if home else ""
        # A mapped repository ships to every platform alike.
        self._tags = (settings.tag_pattern,) if home and settings.tags else settings.tags
        self._mapped = mapped or {}
        self._what = f"reading what fixed #{self._issue} of {self._home}"

    async def reading(self, facts: IssueFacts, history: _History) -> IssueReading:
        """The issue with its fixes, and the releases or deployments that hold them."""
        others = list(dict.fromkeys(self._mapped.values()))
        fixes = history.fixes({proof.mark: proof.branch for proof in (self, *others)})
        own = [fix for fix in fixes if not fix.change.repository]
        releases = await self._releases() if own or not fixes else []
        if not fixes:
            own = await self._claimed_by_releases(releases)
        own = await self._without_undone(own)
        inside = [fix for fix in own if await self._is_inside(fix)]
        bare = IssueReading(
            facts=facts,
            read_at=self._api.now(),
            outside=tuple(fix.change for fix in own if fix not in inside),
            paths=self._settings.paths,
        )
        parts = [await self._part(bare, inside, releases)] if inside else []
        for proof in others:
            theirs = [fix for fix in fixes if fix.change.repository == proof.mark]
            if theirs:
                parts.append(await proof.mapped_part(bare, theirs))
        if not parts:
            return bare if bare.outside else await self._without_code(bare, releases)
        return _joined(parts)

    async def _part(
        self, bare: IssueReading, fixes: Sequence[_Candidate], releases: Sequence[Mapping[str, Any]]
    ) -> IssueReading:
        """What this repository adds to a reading."""
        reading = replace(bare, changes=tuple(fix.change for fix in fixes))
        if self._settings.shipped_when == "closed":
            return reading
        if self._tags:
            reading = await self._with_releases(reading, fixes, releases)
        return await self._with_deployments(reading, fixes) if self._settings.is_deployed else reading

    async def mapped_part(self, bare: IssueReading, fixes: Sequence[_Candidate]) -> IssueReading:
        """What a mapped repository adds, marked with its name."""
        releases = await self._releases() if self._tags else []
        part = await self._part(bare, await self._without_undone(fixes), releases)
        repository = MappedRepository(
            name=self.mark, tag_pattern=self._settings.tag_pattern, visible_to_public=self._is_public
        )
        return replace(
            part,
            releases=tuple(replace(release, repository=self.mark) for release in part.releases),
            containments=tuple(replace(holds, repository=self.mark) for holds in part.containments),
            deployments=tuple(replace(running, repository=self.mark) for running in part.deployments),
            repositories=(repository,),
        )

    # Whether it is of the component we watch

    async def _is_inside(self, fix: _Candidate) -> bool:
        """Whether a fix touches the watched paths. One whose files cannot all be read counts: then its release is waited for."""
        if not self._settings.paths:
            return True
        files = await self._files(fix)
        return files is None or touches(files, self._settings.paths)

    async def _files(self, fix: _Candidate) -> frozenset[str] | None:
        """The files of a change; None where they cannot all be read."""
        key = (self._key, fix.change.sha)
        known = _FILES.get(key)
        if known is not None:
            return known
        place = f"commits/{fix.change.sha}" if fix.pull is None else f"pulls/{fix.pull}/files"
        what = f"reading what {fix.change.label} of {self._name} changes"
        found: list[Mapping[str, Any]] = []
        url: str | None = f"{self._url}/{place}?per_page={PAGE}"
        while url and len(found) < MAX_FILES:
            answer = await self._api.call("GET", url, what=what, also={404, 409, 422})
            if answer.status_code != 200:
                return None
            body = json_of(answer, what=what)
            found += body["files"] if fix.pull is None else body
            url = self._api.next_of(answer)
        if len(found) >= MAX_FILES:
            return None
        files = frozenset(files_in(found))
        _FILES.put(key, files, weight=1 + len(files))
        return files

    # What closed it

    async def history(self) -> _History:
        """What the issue's timeline says, from GraphQL or, where there is none, from REST."""
        found = await self._graphql() if self._api.has_graphql else None
        if found is None:
            self._api.has_graphql = False
            return await self._history_by_timeline()
        return parse_history(found, mapped={name: proof.mark for name, proof in self._mapped.items()})

    async def _graphql(self) -> Mapping[str, Any] | None:
        """GraphQL's `data.repository`, or None where the server has no GraphQL or one without these fields."""
        owner, _, name = self._name.partition("/")
        variables = {"owner": owner, "name": name, "number": self._issue}
        answer = await self._api.graphql(FIXES, what=self._what, variables=variables)
        if answer.status_code == 404:
            return None
        body = json_of(answer, what=self._what)
        errors = body.get("errors") or ()
        if any("doesn't exist on type" in str(error.get("message")) for error in errors):
            return None
        kinds = {str(error.get("type")) for error in errors}
        if "RATE_LIMITED" in kinds:
            until = _reset_time(answer, self._api.now())
            raise OutsideError(f"{self._what}: GitHub's GraphQL asks us to wait", "rate_limited", retry_at=until)
        found: Mapping[str, Any] | None = (body.get("data") or {}).get("repository")
        # A linked pull request that the token may not see is an error beside whole data, and proves nothing here.
        if found and found.get("issue") and kinds <= {"FORBIDDEN", "NOT_FOUND"}:
            return found
        if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
            raise OutsideError(f"{self._what}: the token may not read this over GraphQL", "forbidden")
        raise OutsideError(f"{self._what}: GitHub's GraphQL answered with an error", "transient")

    async def _history_by_timeline(self) -> _History:
        """The same from REST, where a close by a pull request names no commit: the pull request mentions the issue."""
        closer: _Candidate | None = None
        earlier: _Candidate | None = None
        is_discussion = False
        mentioned: dict[tuple[str, int], _Proof] = {}
        timeline = f"{self._url}/issues/{self._issue}/timeline?per_page={PAGE}"
        for event in await self._api.all(timeline, what=self._what):
            match event.get("event"):
                case "closed":
                    closer = await self._closing_commit(event)
                case "reopened":
                    closer, earlier = None, closer or earlier
                case "converted_to_discussion":
                    is_discussion = True
                case "cross-referenced":
                    source = event["source"].get("issue") or {}
                    proof = self._proof_in(repository_of(source)) if source.get("pull_request") else None
                    if proof is not None:
                        mentioned[proof.mark, source["number"]] = proof
        pulls = [await proof.claiming_pull(number) for (_, number), proof in mentioned.items()]
        return _History(
            closer=closer,
            earlier=earlier,
            pulls=tuple(pull for pull in pulls if pull is not None),
            is_discussion=is_discussion,
        )

    def _proof_in(self, name: str) -> _Proof | None:
        """The proof of a repository; None where its changes do not count."""
        return self if name.lower() == self._name.lower() else self._mapped.get(name.lower())

    async def _closing_commit(self, event: Mapping[str, Any]) -> _Candidate | None:
        sha = event.get("commit_id")
        if not sha:
            return None
        where = "/".join(str(event.get("commit_url") or "").split("/")[-4:-2])
        return await (self._proof_in(where) or self).commit_that_closed(event, sha)

    async def commit_that_closed(self, event: Mapping[str, Any], sha: str) -> _Candidate | None:
        answer = await self._api.get(f"{self._url}/commits/{sha}", what=self._what, also={404, 409, 422})
        if answer.status_code != 200:
            return None  # a commit of another repository
        commit = json_of(answer, what=self._what)
        closed_at = parse_time(event["created_at"])
        made_at = min(parse_commit(commit).at, closed_at)
        return _commit_candidate(sha, url=commit["html_url"], at=closed_at, made_at=made_at, repository=self.mark)

    async def claiming_pull(self, number: int) -> _Candidate | None:
        """A merged pull request whose title or description closes the issue by keyword; else None."""
        answer = await self._api.get(f"{self._url}/pulls/{number}", what=self._what, also={404})
        if answer.status_code == 404:
            return None
        pull = json_of(answer, what=self._what)
        claims = closed_by(f"{pull['title']}\n\n{pull.get('body') or ''}")
        is_merged = pull.get("merged") and pull.get("merge_commit_sha")
        if self.mark:  # where a bare number means another issue
            claims = tuple(claim for claim in claims if claim.repository)
        if not is_merged or not closes(claims, number=self._issue, repository=self._home):
            return None
        return _landed(pull, repository=self.mark)

    async def _claimed_by_releases(self, releases: Sequence[Mapping[str, Any]]) -> list[_Candidate]:
        """Commits of releases since the issue was opened that claim it, by themselves or by their pull request."""
        published = sorted((r for r in releases if r.get("published_at")), key=lambda r: parse_time(r["published_at"]))
        before = [r for r in published if _last_touched(r) < self._opened][-1:]
        since = [r for r in published if _last_touched(r) >= self._opened][-MAX_CLAIMING_RELEASES:]
        base = await self._tag_sha(before[0]["tag_name"]) if before else ""
        ranges: list[tuple[str, str, Sequence[Commit]]] = []
        for release in since:
            head = await self._tag_sha(release["tag_name"])
            if head:
                ranges.append((base, head, await self._commits_between(base, head)))
                base = head
        claims = self._claiming_commits(commit for _, _, commits in ranges for commit in commits)
        if claims or self._api.has_graphql:  # which has named every pull request already
            return claims
        found = [claim for base, head, commits in ranges for claim in await self._claiming_pulls(base, head, commits)]
        return list({claim.change.sha: claim for claim in found}.values())

    async def _commits_between(self, base: str, head: str) -> Sequence[Commit]:
        """The commits only `head` has; without a `base`, those since the issue was opened. Oldest first."""
        if base:
            between = await self._compare(base, head)
            return between.commits if between else ()
        query = urlencode({"sha": head, "since": iso(self._opened), "per_page": PAGE})
        commits = await self._api.all(f"{self._url}/commits?{query}", what=self._what)
        return [parse_commit(commit) for commit in reversed(commits)]

    def _claiming_commits(self, commits: Iterable[Commit]) -> list[_Candidate]:
        """Commits that close the issue by keyword. A copy on another line is the same change, not a second part."""
        commits = list(commits)
        found = [
            commit
            for commit in commits
            if commit.at >= self._opened
            and not commit.is_revert
            and closes(commit.closes, number=self._issue, repository=self._name)
        ]
        shas = {commit.sha for commit in found}
        originals = [commit for commit in found if not any(sha in shas for sha in commit.picks)]
        parents = {commit.sha: commit.parents for commit in commits}
        unique: list[Commit] = []
        for commit in originals:
            line = ancestors(commit.sha, parents)
            # Under the same words, what grew on the other is a second part; what did not is a copy of it.
            if all(other.subject != commit.subject or other.sha in line for other in unique):
                unique.append(commit)
        return [
            _commit_candidate(commit.sha, url=f"{self._page}/commit/{commit.sha}", at=commit.at, made_at=commit.at)
            for commit in unique
        ]

    async def _claiming_pulls(self, base: str, head: str, commits: Sequence[Commit]) -> Sequence[_Candidate]:
        """The merged pull requests of a range that claim the issue."""
        key = (self._key, f"{self._api.now():%Y-%m-%d}", self._issue, base, head)
        known = _CLAIMS.get(key)
        if known is None:
            numbers: dict[int, None] = {}
            for commit in commits[-MAX_LOOKUPS:]:
                numbers.update(dict.fromkeys(commit.lands or await self._pulls_of(commit.sha)))
            claims = [await self.claiming_pull(number) for number in numbers]
            known = tuple(claim for claim in claims if claim is not None)
            _CLAIMS.put(key, known, weight=1 + len(known))
        return known

    async def _pulls_of(self, sha: str) -> tuple[int, ...]:
        answer = await self._api.get(f"{self._url}/commits/{sha}/pulls", what=self._what, also={404, 409, 422})
        return tuple(p["number"] for p in json_of(answer, what=self._what)) if answer.status_code == 200 else ()

    # What holds it

    async def _releases(self) -> list[Mapping[str, Any]]:
        """Releases since the issue was opened, and some before it. The list's own order is hardly relied on."""
        what = f"listing releases of {self._name}"
        found: list[Mapping[str, Any]] = []
        pages = 0
        async for page in self._api.pages(f"{self._url}/releases?per_page={PAGE}", what=what):
            found += page
            pages += 1
            # It is by date of creation: behind a page without anything of the issue's time there are only older ones.
            if pages >= MAX_RELEASE_PAGES or all(_last_touched(release) < self._opened for release in page):
                break
        return found

    async def _without_undone(self, fixes: Sequence[_Candidate]) -> list[_Candidate]:
        """The fixes without those that were taken out again before the newest one was made."""
        newest = max(fixes, key=lambda fix: (fix.change.at or fix.made_at, fix.change.sha), default=None)
        return [
            fix
            for fix in fixes
            if newest is None or fix is newest or await self._holds(fix, newest.change.sha) != "reverted"
        ]

    async def _with_releases(
        self, reading: IssueReading, fixes: Sequence[_Candidate], releases: Sequence[Mapping[str, Any]]
    ) -> IssueReading:
        """Releases from the oldest that could hold the fixes up to the first that does for each platform, and what they hold.

        Where none does, also the newest few that do not count (drafts, prereleases, other tags):
        they make the reason.
        """
        since = min(fix.made_at for fix in fixes) - CLOCK_SKEW
        recent = [release for release in releases if _last_touched(release) >= since]
        counting = [release for release in recent if self._counts(release)]
        counting.sort(key=lambda release: (parse_time(release["published_at"]), str(release["id"])))
        others = sorted((r for r in recent if not self._counts(r)), key=_last_touched, reverse=True)
        found: list[Release] = []
        containments: list[Containment] = []
        waited_for = set(self._tags)
        for raw in (*counting, *others[:3]):
            meets = {pattern for pattern in self._tags if fnmatchcase(raw["tag_name"], pattern)}
            if self._counts(raw) and not meets & waited_for:
                continue  # its platforms have the fix by an earlier one
            release = parse_release(raw, sha=await self._tag_sha(raw["tag_name"]))
            answers = [
                await self._containment(fix, of=release.remote_id, sha=release.sha, name=release.label) for fix in fixes
            ]
            found.append(release)
            containments += answers
            if self._counts(raw) and all(answer.answer == "yes" for answer in answers):
                waited_for -= meets
                if not waited_for:
                    break
        return replace(reading, releases=tuple(found), containments=tuple(containments))

    async def _without_code(self, reading: IssueReading, releases: Sequence[Mapping[str, Any]]) -> IssueReading:
        """The first release after the close, or the milestone: what an admin may let stand in for code."""
        closed_at = reading.facts.closed_at or reading.facts.updated_at
        if self._settings.closed_without_code == "next_release":
            counting = [r for r in releases if self._counts(r) and parse_time(r["published_at"]) > closed_at]
            counting.sort(key=lambda r: (parse_time(r["published_at"]), str(r["id"])))
            firsts = [next((r for r in counting if fnmatchcase(r["tag_name"], tag)), None) for tag in self._tags]
            following = {str(raw["id"]): raw for raw in firsts if raw is not None}
            found = [parse_release(raw, sha=await self._tag_sha(raw["tag_name"])) for raw in following.values()]
            return replace(reading, releases=tuple(found))
        if self._settings.closed_without_code == "milestone" and self._milestone is not None:
            return replace(reading, milestones=(parse_milestone(self._milestone),))
        return reading

    def _counts(self, release: Mapping[str, Any]) -> bool:
        is_public = parse_release(release, sha="").is_public
        return is_public and any(fnmatchcase(release["tag_name"], pattern) for pattern in self._tags)

    async def _with_deployments(self, reading: IssueReading, fixes: Sequence[_Candidate]) -> IssueReading:
        """What runs in each environment that counts, and what it holds.

        That is the newest deployment whose newest status is a success: GitHub makes the ones before
        it inactive, and a rollback is a newer success of an older commit.
        """
        what = f"listing deployments of {self._name}"
        since = min(fix.made_at for fix in fixes) - CLOCK_SKEW
        live: dict[str, Deployment] = {}
        lookups = 0
        async for page in self._api.pages(f"{self._url}/deployments?per_page={PAGE}", what=what):
            recent = [raw for raw in page if parse_time(raw["created_at"]) >= since]
            for raw in recent:
                if raw["environment"] in live or not self._is_watched(raw) or lookups >= MAX_LOOKUPS:
                    continue
                lookups += 1
                running = await self._running(raw, what=what)
                if running is not None:
                    live[running.environment] = running
            if len(recent) < len(page):
                break
        containments = [
            await self._containment(fix, of=running.remote_id, sha=running.sha, name=running.sha)
            for running in live.values()
            for fix in fixes
        ]
        return replace(reading, deployments=tuple(live.values()), containments=(*reading.containments, *containments))

    def _is_watched(self, raw: Mapping[str, Any]) -> bool:
        """Whether a deployment is to where customers are: by GitHub's word, or by the name that a platform gives."""
        if not self._settings.environments:
            return _is_production(raw)
        named = any(fnmatchcase(raw["environment"], pattern) for pattern in self._settings.environments)
        return named and not raw.get("transient_environment")

    async def _running(self, raw: Mapping[str, Any], *, what: str) -> Deployment | None:
        """A deployment that runs now, or None."""
        statuses = f"{self._url}/deployments/{raw['id']}/statuses?per_page=1"
        newest: Mapping[str, Any] = next(iter(json_of(await self._api.get(statuses, what=what), what=what)), {})
        if newest.get("state") != "success":
            return None
        return Deployment(
            remote_id=id_of(raw),
            environment=raw["environment"],
            sha=raw["sha"],
            production=_is_production(raw),
            succeeded=True,
            at=parse_time(newest["created_at"]),
            url=f"{self._page}/deployments/{quote(raw['environment'])}",
        )

    async def _containment(self, fix: _Candidate, *, of: str, sha: str, name: str) -> Containment:
        """Whether the release or deployment `of`, at commit `sha` (empty where it has none), holds a fix."""
        return Containment(
            sha=fix.change.sha,
            release_id=of,
            answer=await self._holds(fix, sha) if sha else "unknown",
            url=f"{self._page}/compare/{fix.change.sha}...{quote(name)}",
        )

    async def _holds(self, fix: _Candidate, sha: str) -> Answer:
        """Whether commit `sha` has the fix: by ancestry, by a copy, and not taken out again."""
        between = await self._compare(fix.change.sha, sha)
        if between is None:
            return "unknown"
        if between.status == "behind":
            return "no"
        names = Fix(wholes=frozenset({fix.change.sha}), pull=fix.pull)
        if fix.pull is not None and any(commit.picks or commit.reverts for commit in between.commits):
            names = await self._pieces(fix.change.sha, fix.pull)
        answer = standing(names, commits=between.commits, is_ancestor=between.holds_the_base)
        return answer if between.is_whole else "unknown"

    async def _pieces(self, sha: str, pull: int) -> Fix:
        """A pull request's commits, as they were on its branch and, where it was rebased, as they landed."""
        branch = await self._api.all(f"{self._url}/pulls/{pull}/commits?per_page={PAGE}", what=self._what)
        own = [commit for commit in map(parse_commit, branch) if len(commit.parents) < 2]
        before = frozenset(commit.sha for commit in own)
        if len(own) < 2:
            return Fix(wholes=frozenset({sha}), sets=(before,) if before else (), pull=pull)
        query = urlencode({"sha": sha, "per_page": min(len(own), PAGE)})
        answer = await self._api.get(f"{self._url}/commits?{query}", what=self._what)
        landed = [parse_commit(commit) for commit in reversed(json_of(answer, what=self._what))]
        if [commit.subject for commit in landed] == [commit.subject for commit in own[-PAGE:]]:
            return Fix(wholes=frozenset(), sets=(before, frozenset(commit.sha for commit in landed)), pull=pull)
        return Fix(wholes=frozenset({sha}), sets=(before,), pull=pull)

    async def _compare(self, base: str, head: str) -> _Range | None:
        """Two commits compared, or None where the repository does not know one of them."""
        key = (self._key, base, head)
        known = _RANGES.get(key)
        if known is not None:
            return known
        what = f"comparing {base[:7]} with {head[:7]} in {self._name}"
        commits: list[Commit] = []
        status, total, page = "", 1, 1
        while len(commits) < total and page <= MAX_RANGE_PAGES:
            url = f"{self._url}/compare/{base}...{head}?per_page={PAGE}&page={page}"
            answer = await self._api.call("GET", url, what=what, also={404})
            if answer.status_code == 404:
                return None
            comparison = json_of(answer, what=what)
            status, total = comparison["status"], comparison["total_commits"]
            if status not in _STATUSES:
                raise ValueError(f"status {status!r}")
            commits += [parse_commit(commit) for commit in comparison["commits"]]
            if not comparison["commits"]:
                break
            page += 1
        found = _Range(status=status, commits=tuple(commits), is_whole=len(commits) >= total)
        _RANGES.put(key, found, weight=1 + len(commits))
        return found

    async def _tag_sha(self, tag: str) -> str:
        """The commit a tag names, through annotated tags; empty where there is no such tag, or it names no commit."""
        what = f"reading tag {tag} of {self._name}"
        url = f"{self._url}/git/ref/tags/{quote(tag)}"
        for _ in range(5):
            answer = await self._api.get(url, what=what, also={404, 409})
            if answer.status_code != 200:
                return ""
            target = json_of(answer, what=what)["object"]
            kind, sha = str(target["type"]), str(target["sha"])
            if kind != "tag":
                return sha if kind == "commit" else ""
            url = f"{self._url}/git/tags/{sha}"
        return ""


def _joined(parts: Sequence[IssueReading]) -> IssueReading:
    """One reading of what each repository added."""
    return replace(
        parts[0],
        changes=tuple(change for part in parts for change in part.changes),
        releases=tuple(release for part in parts for release in part.releases),
        containments=tuple(holds for part in parts for holds in part.containments),
        deployments=tuple(running for part in parts for running in part.deployments),
        repositories=tuple(repository for part in parts for repository in part.repositories),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What the search for a key found, and when it was asked: pull requests by number, commits of the default branch."""

    at: datetime
    pulls: frozenset[int]
    commits: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Taker:
    """A merged pull request that says it takes others out: those it names, or, where it names none, any before it."""

    change: _Candidate
    pulls: frozenset[int]

    def takes_out(self, fix: _Candidate) -> bool:
        """Whether it means this fix."""
        return fix.pull in self.pulls if self.pulls else fix.made_at <= self.change.made_at


class _Search:
    """GitHub's search, which has a small allowance of its own and runs behind: what is new, lists say."""

    def __init__(self, api: _Api) -> None:
        self._api = api
        self._found: _Shelf[tuple[str, str], _Found] = _Shelf(10_000)
        self._again_at = datetime.min.replace(tzinfo=UTC)

    async def naming(self, key: str, *, repository: str, what: str) -> _Found:
        """Pull requests and commits that may name a key. What was found is good for a while, as far as it goes."""
        known, now = self._found.get((repository, key)), self._api.now()
        if known is not None and timedelta(0) <= now - known.at < SEARCH_HOLDS:
            return known
        here = f"repo:{repository}"
        said = await self._all("issues", f'{here} is:pr in:title,body "{key}"', what=what)
        # By the documents, this finds branches whose names begin with it; the others are found in the list of pulls.
        branches = await self._all("issues", f"{here} is:pr head:{key}", what=what)
        commits = await self._all("commits", f'{here} "{key}"', what=what)
        pulls = {pull["number"] for pull in said if names_key(f"{pull['title']}\n{pull.get('body') or ''}", key)}
        found = _Found(
            at=now,
            pulls=frozenset(pulls | {pull["number"] for pull in branches}),
            commits=tuple(commit for commit in commits if names_key(commit["commit"]["message"], key)),
        )
        self._found.put((repository, key), found, weight=1 + len(found.pulls) + len(found.commits))
        return found

    async def _all(self, kind: str, query: str, *, what: str) -> list[dict[str, Any]]:
        """Everything a search finds; an error where GitHub does not show everything: what it hides may be a part."""
        found: list[dict[str, Any]] = []
        url: str | None = f"{self._api.url}/search/{kind}?{urlencode({'q': query, 'per_page': PAGE})}"
        while url:
            answer = await self._ask(url, what=what)
            page = json_of(answer, what=what)
            if page["incomplete_results"]:
                raise OutsideError(f"{what}: GitHub's search did not get to its end", "transient")
            if page["total_count"] > MOST_FOUND:
                raise OutsideError(f"{what}: GitHub's search finds more than it lists", "transient")
            found += page["items"]
            url = self._api.next_of(answer)
        return found

    async def _ask(self, url: str, *, what: str) -> httpx.Response:
        """One call. Where only the search's own allowance is used up, everything else goes on meanwhile."""
        if self._api.now() < self._again_at:
            raise self._used_up(what)
        answer = await self._api.call("GET", url, what=what, also={403, 429})
        if answer.is_success:
            return answer
        is_searchs_own = answer.headers.get("x-ratelimit-resource") == "search"
        if is_searchs_own and answer.headers.get("x-ratelimit-remaining") == "0":
            self._again_at = rate_limited_until(answer, self._api.now()) or self._api.now()
            raise self._used_up(what)
        raise self._api.failure(answer, what=what)

    def _used_up(self, what: str) -> OutsideError:
        at = self._again_at
        return OutsideError(
            f"{what}: GitHub's search asks us to wait until {at:%H:%M:%S} UTC", "transient", retry_at=at
        )


class _Naming(_Proof):
    """The changes of a repository that name the key of another tracker's issue, and what holds them.

    To that issue each repository is another than its own, with tags of its own and nothing that the public sees.
    """

    def __init__(
        self,
        api: _Api,
        settings: GitHubSettings,
        search: _Search,
        *,
        repository: Mapping[str, Any],
        key: str,
        by_platform: tuple[str, ...] = (),
    ) -> None:
        # There is no issue here: how far back to read is known once its changes are.
        issue = {"number": 0, "created_at": iso(api.now())}
        super().__init__(api, settings, repository=repository, issue=issue, home=key)
        self._is_public = False
        self._by_platform = by_platform
        self._tags = by_platform or self._tags
        self._search, self._named = search, key
        self._takers: tuple[_Taker, ...] = ()
        self._what = f"reading what names {key} in {self._name}"

    async def part_of(self, facts: IssueFacts) -> IssueReading:
        """The other tracker's issue with the changes here, and the releases or deployments that hold them."""
        found = await self._search.naming(self._named, repository=self._name, what=self._what)
        pulls = await self._pulls(found, closed_at=facts.closed_at or self._api.now())
        fixes = await self._without_undone(await self._fixes(found, pulls))
        inside = [fix for fix in fixes if await self._is_inside(fix)]
        bare = IssueReading(
            facts=facts,
            read_at=self._api.now(),
            outside=tuple(fix.change for fix in fixes if fix not in inside),
            paths=self._settings.paths,
            code_in=self._name,
            pending=tuple(
                f"{self._name} PR #{pull['number']} names {self._named} and is still open"
                for pull in pulls
                if pull["state"] == "open"
            ),
        )
        if not inside:
            return bare
        self._opened = min(fix.made_at for fix in inside) - CLOCK_SKEW
        part = await self.mapped_part(bare, inside)
        if not self._by_platform:
            return part
        return replace(part, repositories=tuple(replace(one, tag_pattern="") for one in part.repositories))

    async def _pulls(self, found: _Found, *, closed_at: datetime) -> list[Mapping[str, Any]]:
        """Pull requests, merged or open, that name the key in their title, text or branch; in the order of their numbers."""
        pulls = {pull["number"]: pull for pull in await self._recent_pulls(min(closed_at, found.at) - PULLS_SINCE)}
        for number in found.pulls - pulls.keys():
            answer = await self._api.get(f"{self._url}/pulls/{number}", what=self._what, also={404})
            if answer.status_code == 200:
                pulls[number] = json_of(answer, what=self._what)
        naming = [pull for pull in pulls.values() if pull["state"] == "open" or pull.get("merged_at")]
        return sorted(
            (
                pull
                for pull in naming
                if names_key(f"{pull['title']}\n{pull.get('body') or ''}\n{pull['head']['ref']}", self._named)
            ),
            key=lambda pull: int(pull["number"]),
        )

    async def _recent_pulls(self, since: datetime) -> list[dict[str, Any]]:
        """Pull requests that changed since then, newest first: the truth, and also about those with the key inside a branch's name."""
        query = urlencode({"state": "all", "sort": "updated", "direction": "desc", "per_page": PAGE})
        found: list[dict[str, Any]] = []
        pages = 0
        async for page in self._api.pages(f"{self._url}/pulls?{query}", what=self._what):
            found += page
            pages += 1
            if pages >= MAX_PULL_PAGES or any(parse_time(pull["updated_at"]) < since for pull in page):
                break
        return found

    async def _fixes(self, found: _Found, pulls: Sequence[Mapping[str, Any]]) -> list[_Candidate]:
        """The merged pull requests and the commits without one. What takes another out is no part of the fix."""
        merged = {int(pull["number"]): pull for pull in pulls if pull.get("merged_at")}
        alone = await self._commits_alone(found, merged)
        said = {number: _said_by(pull) for number, pull in merged.items()}
        parts = [_landed(merged[number], repository=self.mark) for number, words in said.items() if not words.is_revert]
        self._takers = tuple(
            _Taker(change=_landed(merged[number], repository=self.mark), pulls=frozenset(words.reverts_pulls))
            for number, words in said.items()
            if words.is_revert
        )
        kept = [
            part
            for part in _History(pulls=tuple(parts)).fixes({self.mark: self.branch})
            if not await self._is_beside_the_point(part, parts, alone)
        ]
        candidates = [
            *kept,
            *(
                _commit_candidate(
                    commit.sha,
                    url=f"{self._page}/commit/{commit.sha}",
                    at=commit.at,
                    made_at=commit.at,
                    repository=self.mark,
                )
                for commit in alone
            ),
        ]
        return [
            replace(fix, change=replace(fix.change, label=f"{fix.change.label}, names {self._named}"))
            for fix in candidates
        ]

    async def _is_beside_the_point(
        self, part: _Candidate, parts: Sequence[_Candidate], alone: Sequence[Commit]
    ) -> bool:
        """Whether a pull request only takes out others, or brings a copy of a commit that counts already to another branch."""
        others = {other.change.sha for other in parts if other is not part} | {commit.sha for commit in alone}
        if not others:
            return False
        branch = await self._api.all(f"{self._url}/pulls/{part.pull}/commits?per_page={PAGE}", what=self._what)
        own = [commit for commit in map(parse_commit, branch) if len(commit.parents) < 2]
        numbers = {other.pull for other in parts if other is not part}
        takes_out = [
            commit for commit in own if _any_of(commit.reverts, others) or numbers.intersection(commit.reverts_pulls)
        ]
        if own and len(takes_out) == len(own):
            return True
        subjects = {commit.subject for commit in alone}
        copies = [commit for commit in own if _any_of(commit.picks, others) or commit.subject in subjects]
        return part.base != self.branch and bool(own) and len(copies) == len(own)

    async def _holds(self, fix: _Candidate, sha: str) -> Answer:
        """Also by the words of pull requests: how one was merged may leave no trace of them in its commit."""
        answer = await super()._holds(fix, sha)
        if answer != "yes":
            return answer
        inside: list[_Taker] = []
        for taker in self._takers:
            inside += [taker] if await super()._holds(taker.change, sha) == "yes" else []
        back = {number for taker in inside for number in taker.pulls}
        taken = any(taker.takes_out(fix) for taker in inside if taker.change.pull not in back)
        return "reverted" if taken else "yes"

    async def _commits_alone(self, found: _Found, merged: dict[int, Mapping[str, Any]]) -> list[Commit]:
        """Commits of the default branch that name the key and came without a pull request.

        One that a pull request brought is that pull request, which `merged` has then: together they are the fix.
        """
        raw = {commit["sha"]: commit for commit in (*found.commits, *await self._recent_commits(found.at))}
        commits = sorted(map(_searched_commit, raw.values()), key=lambda commit: (commit.at, commit.sha))
        alone: list[Commit] = []
        for commit in commits:
            landed = {pull["merge_commit_sha"] for pull in merged.values()}
            if commit.is_revert or commit.sha in landed or merged.keys() & set(commit.lands):
                continue
            brought = await self._merged_with(commit)
            if not brought:
                alone.append(commit)
            elif not merged.keys() & brought.keys():
                merged |= brought
        return [commit for commit in alone if not await self._is_copy(commit, alone)]

    async def _merged_with(self, commit: Commit) -> dict[int, Mapping[str, Any]]:
        answer = await self._api.get(f"{self._url}/commits/{commit.sha}/pulls", what=self._what, also={404, 409, 422})
        pulls = json_of(answer, what=self._what) if answer.status_code == 200 else []
        return {int(pull["number"]): pull for pull in pulls if pull.get("merged_at")}

    async def _recent_commits(self, since: datetime) -> list[dict[str, Any]]:
        """Commits of the default branch that the search may not know yet. By whole days: so the answer can be kept."""
        day = (since - COMMITS_SINCE).replace(hour=0, minute=0, second=0, microsecond=0)
        query = urlencode({"sha": self.branch, "since": iso(day), "per_page": PAGE})
        listed = await self._api.all(f"{self._url}/commits?{query}", what=self._what)
        return [commit for commit in listed if names_key(commit["commit"]["message"], self._named)]

    async def _is_copy(self, commit: Commit, others: Sequence[Commit]) -> bool:
        """Whether it is another one again, from another line: by its own word, or by the same words without growing on it."""
        if _any_of(commit.picks, {other.sha for other in others}):
            return True
        earlier = others[: others.index(commit)]
        for other in (other for other in earlier if other.subject == commit.subject):
            between = await self._compare(other.sha, commit.sha)
            if between is not None and not between.holds_the_base:
                return True
        return False


def _landed(pull: Mapping[str, Any], *, repository: str) -> _Candidate:
    """A merged pull request as REST shows it, alone or in a list."""
    merged_at = parse_time(pull["merged_at"])
    return _pull_candidate(
        pull["number"],
        sha=pull["merge_commit_sha"],
        url=pull["html_url"],
        at=merged_at,
        made_at=merged_at,
        base=pull["base"]["ref"],
        repository=repository,
    )


def _said_by(pull: Mapping[str, Any]) -> Commit:
    """What the words of a merged pull request say about others, as if it were one commit."""
    words = f"{pull['title']}\n\n{pull.get('body') or ''}"
    return read_commit(sha=pull["merge_commit_sha"], message=words, at=parse_time(pull["merged_at"]))


def _searched_commit(commit: Mapping[str, Any]) -> Commit:
    """A commit as the search shows it, which may have no committer."""
    inner = commit["commit"]
    return parse_commit({**commit, "commit": {**inner, "committer": inner.get("committer") or inner["author"]}})


def _any_of(shas: Iterable[str], known: Iterable[str]) -> bool:
    """Whether one of these whole or shortened shas is known."""
    known = tuple(known)
    return any(whole.startswith(sha) for sha in shas for whole in known)


class GitHub:
    """One repository on GitHub, and those that are mapped to it."""

    name: ClassVar[str] = "github"
    title: ClassVar[str] = "GitHub"
    Settings: ClassVar[type[BaseModel]] = GitHubSettings
    Secrets: ClassVar[type[BaseModel]] = GitHubSecrets
    poll_every: ClassVar[timedelta] = timedelta(seconds=60)
    settle: ClassVar[timedelta] = timedelta(minutes=30)
    write_limits: ClassVar[tuple[WriteLimit, ...]] = (
        WriteLimit(80, timedelta(minutes=1)),
        WriteLimit(500, timedelta(hours=1)),
    )
    """https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"""
    hook_events: ClassVar[tuple[str, ...]] = tuple(HOOK_EVENTS.values())
    hook_fields: ClassVar[Mapping[str, str]] = {"Content type": "application/json"}
    block_limit: ClassVar[int] = 65_000
    """GitHub takes 65,536 characters: https://github.com/danger/danger/issues/424"""

    def __init__(self, connection: Connection) -> None:
        self._api = _Api(connection)
        self._now = connection.now
        self._settings: GitHubSettings = connection.settings
        self._secrets: GitHubSecrets = connection.secrets
        self._facts = connection.facts
        self._repository_id = connection.remote_id
        self._login: str | None = connection.facts.get("login")
        self._looked_for_lost_calls: datetime | None = None
        self._hooks_hidden_until: datetime | None = None
        self._sent_again: set[str] = set()
        self._search = _Search(self._api)

    # What a person asks

    async def connect(self) -> Project:
        """Prove the token, find the repository, and learn who we are there."""
        name = self._settings.repository
        answer = await self._api.call("GET", self._api.repo(name), what=f"looking for {name}", also={400, 404})
        if answer.status_code == 400 and self._api.version != OLDER_API_VERSION:
            self._api.version = OLDER_API_VERSION
            answer = await self._api.call("GET", self._api.repo(name), what=f"looking for {name}", also={404})
        repository = self._api.repository_from(answer, name=name)
        await self._must_be_allowed_to_read(repository, "issues")
        mapped = await self._connect_mapped(repository)
        self._login = await self._ask_who_we_are()
        with _as_github_says(f"looking for {name}"):
            project = parse_project(repository, answer.headers, login=self._login, api_version=self._api.version)
            if mapped:
                project = replace(project, facts={**project.facts, "mapped_ids": mapped})
            return self._api.credentials.described(project)

    async def _connect_mapped(self, home: Mapping[str, Any]) -> list[str]:
        """Prove that each mapped repository can be read, and is another one. Returns their ids."""
        ids = {id_of(home): str(home["full_name"])}
        for name in self._settings.mapped:
            try:
                repository = await self._api.repository(name)
                await self._must_be_allowed_to_read(repository)
            except OutsideError as error:
                if error.permanent:
                    error.field = "settings.mapped_repositories"
                raise
            twin = ids.setdefault(id_of(repository), name)
            if twin != name:
                raise OutsideError(
                    f"{name} and {twin} are one repository; name it once",
                    "misconfigured",
                    field="settings.mapped_repositories",
                )
        return [number for number in ids if number != id_of(home)]

    async def _must_be_allowed_to_read(self, repository: Mapping[str, Any], *also: str) -> None:
        """Ask for a little of each thing that a verdict rests on: no answer of GitHub lists what a token may do."""
        name = repository["full_name"]
        things = [*also, "releases", "pulls"]
        things += ["deployments"] if self._settings.is_deployed else []
        missing: list[str] = []
        for thing in things:
            url = f"{self._api.repo(name)}/{thing}?per_page=1"
            answer = await self._api.call("GET", url, what=f"reading {thing} of {name}", also={403, 404, 410})
            if answer.status_code != 200 and rate_limited_until(answer, self._now()) is not None:
                raise self._api.failure(answer, what=f"reading {thing} of {name}")
            # Without the header it is not the permission: issues, for one, can be switched off.
            missing += [wanted] if answer.status_code in {403, 404} and (wanted := permissions_wanted(answer)) else []
        if missing:
            by = self._api.credentials
            raise OutsideError(
                f"{by.who} may not read all it takes of {name}: it needs {', '.join(dict.fromkeys(missing))}; "
                f"grant it {by.grant}",
                "forbidden",
                field=by.field,
            )

    async def find(self, ref: str) -> IssueFacts:
        """The issue behind an address, 'owner/repository#12', '#12' or '12'."""
        name, number = self._named_issue(ref)
        repository = await self._api.repository(name or self._settings.repository)
        if name and not self._is_ours(repository):
            watched = self._settings.repository
            raise OutsideError(f"{ref} is in {repository['full_name']}, and this tracker watches {watched}", "invalid")
        what = f"reading #{number} of {repository['full_name']}"
        address = f"{self._api.repo(repository['full_name'])}/issues/{number}"
        issue = json_of(await self._api.get(address, what=what), what=what)
        with _as_github_says(what):
            if issue.get("pull_request"):
                raise OutsideError(f"#{number} is a pull request; name the issue it belongs to", "invalid")
            return self._facts_of(issue, repository)

    async def create(self, *, title: str, body: str, marker: str) -> IssueFacts:
        """Make an issue. The marker is a comment that GitHub does not show."""
        what = f"creating an issue in {self._settings.repository}"
        repository = await self._api.repository(self._settings.repository)
        words = {"title": _cut(title, 256), "body": f"{body}\n\n{_marker(marker)}"}
        url = f"{self._api.repo(repository['full_name'])}/issues"
        answer = await self._api.call("POST", url, what=what, json=words, writes=True, also={410})
        if answer.status_code == 410:
            raise OutsideError(f"{what}: issues are switched off there", "misconfigured")
        with _as_github_says(what, writes=True):
            return self._facts_of(json_of(answer, what=what, writes=True), repository)

    async def find_created(self, *, marker: str, since: datetime) -> IssueFacts | None:
        """The issue of an earlier, unanswered `create`: ours, with the marker in its text."""
        repository = await self._api.repository(self._settings.repository)
        what = f"looking for an issue of ours in {repository['full_name']}"
        login = await self._who_we_are()
        query = {"state": "all", "since": iso(since - timedelta(minutes=5)), "per_page": PAGE}
        if login:
            query["creator"] = login
        url = f"{self._api.repo(repository['full_name'])}/issues?{urlencode(query)}"
        with _as_github_says(what):
            async for page in self._api.pages(url, what=what):
                for issue in page:
                    if _marker(marker) in (issue.get("body") or "") and await self._wrote(issue):
                        return self._facts_of(issue, repository)
        return None

    # What the issue and its fix are now

    async def read(self, remote_id: str, *, ref: str) -> IssueReading:
        """The issue, its fix and what holds it. A transferred issue is read where it is now, under its new id."""
        name, number = self._named_issue(ref)
        asked = f"{self._api.repo(name or self._settings.repository)}/issues/{number}"
        what = f"reading {ref}"
        answer = await self._api.get(asked, what=what, also={404, 410})
        if answer.status_code != 200:
            # Asked first: no issue is gone only because its repository cannot be seen.
            repository = await self._api.repository(name or self._settings.repository)
            why = _GONE[answer.status_code]
            return self._gone(remote_id, ref=ref, url=f"{repository['html_url']}/issues/{number}", why=why)
        issue = json_of(answer, what=what)
        with _as_github_says(what):
            has_moved = answer.url.path != httpx.URL(asked).path
            if id_of(issue) != remote_id and not has_moved:
                why = "another issue has this number now"
                return self._gone(remote_id, ref=ref, url=issue["html_url"], why=why)
            repository = await self._api.repository(repository_of(issue))
            facts = self._facts_of(issue, repository)
            if facts.state == "open":
                return IssueReading(facts=facts, read_at=self._now())
            proves = facts.outcome == "fixed" and self._settings.proves_by_code
            mapped = await self._mapped(repository, issue) if proves else {}
            proof = _Proof(self._api, self._settings, repository=repository, issue=issue, mapped=mapped)
            history = await proof.history()
            if history.is_discussion:
                why = "converted to a discussion"
                return self._gone(facts.remote_id, ref=facts.ref, url=facts.url, why=why, title=facts.title)
            if history.canonical is not None and facts.outcome == "duplicate":
                facts = replace(facts, canonical_ref=_ref_from(repository["full_name"], *history.canonical))
            if not proves:
                return IssueReading(facts=facts, read_at=self._now())
            return await proof.reading(facts, history)

    async def code_naming(
        self, key: str, facts: IssueFacts, *, shipped_when: ShippedWhen, platforms: tuple[Platform, ...]
    ) -> IssueReading:
        """What in this repository, and in those that are mapped to it, names the key of another tracker's issue."""
        wanted = {"shipped_when": shipped_when, "platforms": written(platforms)}
        parts: list[IssueReading] = []
        for name, pattern in {self._settings.repository: self._settings.tag_pattern, **self._settings.mapped}.items():
            is_home = name == self._settings.repository
            path = self._settings.path if is_home else ""
            its = self._settings.model_copy(update={**wanted, "tag_pattern": pattern, "path": path})
            tags = its.tags if is_home and platforms else ()
            with _as_github_says(f"reading what names {key} in {name}"):
                there = await self._api.repository(name)
                proof = _Naming(self._api, its, self._search, repository=there, key=key, by_platform=tags)
                parts.append(await proof.part_of(facts))
        return replace(
            _joined(parts),
            outside=tuple(change for part in parts for change in part.outside),
            code_in=", ".join(part.code_in for part in parts),
            pending=tuple(words for part in parts for words in part.pending),
        )

    async def _mapped(self, home: Mapping[str, Any], issue: Mapping[str, Any]) -> dict[str, _Proof]:
        """The proofs of the mapped repositories, by their names in small letters: the one entered and the one they have now.

        One that cannot be read is an error: a part of the fix may be there.
        """
        found: dict[str, _Proof] = {}
        for name, pattern in self._settings.mapped.items():
            repository = await self._api.repository(name)
            if repository["id"] == home["id"]:
                continue  # an issue that moved there
            await self._api.get(f"{self._api.repo(repository['full_name'])}/pulls?per_page=1", what=f"reading {name}")
            settings = self._settings.model_copy(update={"tag_pattern": pattern, "path": ""})
            proof = _Proof(self._api, settings, repository=repository, issue=issue, home=home["full_name"])
            found |= {name.lower(): proof, repository["full_name"].lower(): proof}
        return found

    def _gone(self, remote_id: str, *, ref: str, url: str, why: str, title: str = "") -> IssueReading:
        now = self._now()
        facts = IssueFacts(
            remote_id=remote_id, ref=ref, title=title, url=url, state="gone", updated_at=now, gone_why=why
        )
        return IssueReading(facts=facts, read_at=now)

    async def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[IssuePage]:
        """Issues by the time of their last change.

        Each page starts again from the newest time seen instead of at 'page 2': an issue that
        changes while pages are read moves to the end, and would take another one's place.
        """
        newest = _time_or(cursor, since)
        asked = newest - timedelta(minutes=2)
        what = f"listing changed issues of {self._settings.repository}"
        base = f"{self._api.repo(self._settings.repository)}/issues"
        url: str | None = f"{base}?{_changed_since(asked)}"
        while url:
            answer = await self._api.get(url, what=what)
            with _as_github_says(what):
                issues = json_of(answer, what=what)
                newest = max([newest, *(parse_time(issue["updated_at"]) for issue in issues)])
                found = tuple(id_of(issue) for issue in issues if not issue.get("pull_request"))
            yield IssuePage(issues=found, cursor=iso(newest))
            url = self._api.next_of(answer)
            if url and newest - timedelta(seconds=1) > asked:
                asked = newest - timedelta(seconds=1)
                url = f"{base}?{_changed_since(asked)}"

    # What engineers see

    async def show(self, issue: IssueFacts, *, block: str, handle: str | None) -> str:
        """One comment of ours, edited in place. Its marker is the hidden comment that the block itself carries."""
        what = f"showing on {issue.ref} who waits"
        place = self._place_of(issue)
        found = await self._shown(place, block, handle, what=what)
        if found is not None:
            return found
        made = await self._comment(place, block, what=what)
        # Once, with the comment: a label that somebody takes off again is never put back.
        await self._label(place, what=what)
        return made

    async def show_on_change(self, change: str, *, text: str, handle: str | None) -> str:
        """One comment of ours on a pull request, edited in place. None is ever made where everybody reads it."""
        repository, place, what = await self._pull_at(change)
        if handle is None and is_public(repository):
            raise OutsideError(f"{what}: {repository['full_name']} is public, and so would the comment be", "forbidden")
        return await self._shown(place, text, handle, what=what) or await self._comment(place, text, what=what)

    async def find_on_change(self, change: str, *, text: str) -> str | None:
        """Ours on a pull request, by the marker in `text`."""
        _, place, what = await self._pull_at(change)
        marker = _MARKER.search(text)
        return await self._our_comment(place, marker[0], what=what) if marker else None

    async def _pull_at(self, change: str) -> tuple[Mapping[str, Any], _Place, str]:
        """The repository a pull request is in now, its place there, and what we are about to do, in words.

        Asked for each time: a repository that was renamed or made public since says so here.
        """
        path = _ISSUE_PATH.fullmatch(httpx.URL(change).path)
        if path is None or path["what"] != "pull":
            raise OutsideError(f"'{change}' is no pull request's address", "invalid")
        repository = await self._api.repository(path["repository"])
        number = int(path["number"])
        what = f"saying on {repository['full_name']}#{number} who will be told"
        return repository, (self._api.repo(repository["full_name"]), number), what

    async def _shown(self, place: _Place, text: str, handle: str | None, *, what: str) -> str | None:
        """Our comment, which now says `text`; None where there never was one. OutsideError `gone` where it was removed."""
        if handle is not None and await self._edit(place, handle, text, what=what):
            return handle
        # A lost answer, or an issue that moved with its comments: ours may be there under an id we do not know.
        marker = _MARKER.search(text)
        found = await self._our_comment(place, marker[0], what=what) if marker else None
        if found is not None and await self._edit(place, found, text, what=what):
            return found
        if handle is not None or found is not None:
            raise OutsideError(f"{what}: somebody removed the comment", "gone")
        return None

    async def _label(self, place: _Place, *, what: str) -> None:
        """The label is a courtesy: where it cannot be set, the comment stands all the same."""
        if not self._settings.label.strip():
            return
        repository, number = place
        given = {"labels": [self._settings.label.strip()]}
        with suppress(OutsideError):
            await self._api.call("POST", f"{repository}/issues/{number}/labels", what=what, json=given, writes=True)

    async def tell(self, issue: IssueFacts, *, text: str, marker: str) -> str:
        """A new comment, unless ours with this marker is there already."""
        what = f"commenting on {issue.ref}"
        place = self._place_of(issue)
        found = await self._our_comment(place, _marker(marker), what=what)
        return found or await self._comment(place, f"{text}\n\n{_marker(marker)}", what=what)

    async def _comment(self, place: _Place, text: str, *, what: str) -> str:
        repository, number = place
        url = f"{repository}/issues/{number}/comments"
        answer = await self._api.call("POST", url, what=what, json={"body": text}, writes=True)
        with _as_github_says(what, writes=True):
            return id_of(json_of(answer, what=what, writes=True))

    async def _edit(self, place: _Place, handle: str, text: str, *, what: str) -> bool:
        """Change a comment of ours; False where it is not there any more."""
        repository, _ = place
        url = f"{repository}/issues/comments/{handle}"
        answer = await self._api.call("PATCH", url, what=what, json={"body": text}, writes=True, also={404})
        if answer.status_code == 404:
            return False
        with _as_github_says(what, writes=True):
            if id_of(json_of(answer, what=what, writes=True)) != handle:
                raise ValueError("another comment")
        return True

    async def _our_comment(self, place: _Place, marker: str, *, what: str) -> str | None:
        repository, number = place
        with _as_github_says(what):
            url = f"{repository}/issues/{number}/comments?per_page={PAGE}"
            async for page in self._api.pages(url, what=what):
                for comment in page:
                    if marker in (comment.get("body") or "") and await self._wrote(comment):
                        return id_of(comment)
        return None

    def _place_of(self, issue: IssueFacts) -> _Place:
        """The repository's API and the number an issue has now: its address is of the last reading, and a write follows no redirect."""
        path = _ISSUE_PATH.fullmatch(httpx.URL(issue.url).path)
        if path is not None:
            return self._api.repo(path["repository"]), int(path["number"])
        name, number = self._named_issue(issue.ref)
        return self._api.repo(name or self._settings.repository), number

    # Our webhook there

    async def set_up_hook(self, *, url: str) -> None:
        """The repository's webhook to us: found again by its address, and then put right instead of made twice.

        https://docs.github.com/rest/repos/webhooks
        """
        secret = self._secrets.webhook_secret.get_secret_value() if self._secrets.webhook_secret else ""
        if not secret:
            raise OutsideError("setting up the webhook: there is no webhook secret", "misconfigured")
        config = {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"}
        try:
            if not await self._put_hook_right(config) and not await self._make_hook(config):
                # Somebody else made it between our look and our call.
                await self._put_hook_right(config)
        except OutsideError as error:
            if error.kind != "gone":
                raise
            # To whoever may not see them, GitHub says that there are no webhooks at all.
            raise OutsideError(error.message, "forbidden") from error

    async def _put_hook_right(self, config: Mapping[str, str]) -> bool:
        """False where there is no hook to this address."""
        hook = await self._our_hook(config["url"])
        if hook is None:
            return False
        with _as_github_says("reading the webhooks"):
            events = list(dict.fromkeys([*hook["events"], *HOOK_EVENTS]))
            url = f"{self._hooks}/{id_of(hook)}"
        given = {"active": True, "events": ["*"] if "*" in events else events, "config": dict(config)}
        await self._api.call("PATCH", url, what="putting the webhook right", json=given, writes=True)
        return True

    async def _make_hook(self, config: Mapping[str, str]) -> bool:
        """False where GitHub says that there is one."""
        what = "setting up the webhook"
        given = {"name": "web", "active": True, "events": list(HOOK_EVENTS), "config": dict(config)}
        answer = await self._api.call("POST", self._hooks, what=what, json=given, writes=True, also={422})
        if answer.status_code == 422 and "already exists" not in _words_of(answer):
            raise self._api.failure(answer, what=what, writes=True)
        return answer.status_code != 422

    async def _our_hook(self, url: str) -> Mapping[str, Any] | None:
        what = f"reading the webhooks of {self._settings.repository}"
        with _as_github_says(what):
            hooks = await self._api.all(f"{self._hooks}?per_page={PAGE}", what=what)
            return next((hook for hook in hooks if hook["config"].get("url") == url), None)

    @property
    def _hooks(self) -> str:
        return f"{self._api.repo(self._settings.repository)}/hooks"

    async def send_again(self, *, url: str) -> int:
        """GitHub itself never repeats a call that failed, but keeps it for three days and repeats it when asked.

        How far was looked lives as long as this adapter: a new one looks through all three days, and
        finds by what GitHub lists which calls were sent again already.
        """
        began = self._now()
        since = began - DELIVERIES_KEPT
        if self._looked_for_lost_calls is not None:
            since = max(since, self._looked_for_lost_calls - LATE_CALLS)
        hidden_until = self._hooks_hidden_until
        if self._secrets.webhook_secret is None or (hidden_until is not None and began < hidden_until):
            return 0
        try:
            hook = await self._our_hook(url)
            lost = await self._lost_calls(hook, since=since) if hook is not None else []
            for guid, delivery in lost[:LOST_CALLS_AT_ONCE]:
                address = f"{self._hooks}/{id_of(hook or {})}/deliveries/{delivery}/attempts"
                await self._api.call("POST", address, what="asking for a lost call again", also={404, 422})
                self._sent_again.add(guid)
        except OutsideError as error:
            if error.kind not in {"forbidden", "gone"}:
                raise
            # Not allowed to see webhooks. Permissions can be added, so it is tried again, but not on each poll.
            self._hooks_hidden_until = began + LATE_CALLS
            return 0
        if len(lost) <= LOST_CALLS_AT_ONCE:
            self._looked_for_lost_calls = began
        return min(len(lost), LOST_CALLS_AT_ONCE)

    async def _lost_calls(self, hook: Mapping[str, Any], *, since: datetime) -> list[tuple[str, int]]:
        what = "reading which calls of the webhook were lost"
        found: list[Mapping[str, Any]] = []
        with _as_github_says(what):
            address = f"{self._hooks}/{id_of(hook)}/deliveries?per_page={PAGE}"
            async for page in self._api.pages(address, what=what):
                found += [one for one in page if parse_time(one["delivered_at"]) >= since]
                if len(found) >= MAX_RANGE_PAGES * PAGE or any(parse_time(one["delivered_at"]) < since for one in page):
                    break
            lost = lost_calls(found)
            self._sent_again.intersection_update(str(one["guid"]) for one in found)
        # An attempt is listed a little later than it was asked for.
        return [(guid, delivery) for guid, delivery in lost if guid not in self._sent_again]

    # What GitHub tells us

    def receive(self, *, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """A webhook call, verified by X-Hub-Signature-256 over the raw body."""
        given = {name.lower(): value for name, value in headers.items()}
        self._verify(given, body)
        try:
            payload = json.loads(body)
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            what = "is sent as a form" if body.startswith(b"payload=") else "is no JSON object"
            # A ValueError is the port's word for it.
            raise ValueError(f"the webhook's body {what}; set its content type to application/json")  # noqa: TRY004
        guid = given.get("x-github-delivery") or hashlib.sha256(body).hexdigest()
        repository = payload.get("repository")
        return parse_webhook(
            event=given.get("x-github-event", ""),
            key=f"{given.get('x-github-hook-id', '')}:{guid}",
            payload=payload,
            is_ours=isinstance(repository, dict) and (self._is_ours(repository) or self._is_mapped(repository)),
        )

    def _verify(self, headers: Mapping[str, str], body: bytes) -> None:
        secret = self._secrets.webhook_secret.get_secret_value() if self._secrets.webhook_secret else ""
        if not secret:
            raise BadSignatureError(
                "this tracker has no webhook secret; enter the one set at GitHub, or remove the hook"
            )
        signature = headers.get("x-hub-signature-256")
        if not signature:
            how = "signed with SHA-1 only" if "x-hub-signature" in headers else "not signed"
            raise BadSignatureError(f"the call is {how}; GitHub signs with SHA-256 once its webhook has a secret")
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.strip().encode("utf-8", "replace")):
            raise BadSignatureError("the signature does not match; the secrets here and at GitHub differ")

    # Who we are, and what is ours

    async def _who_we_are(self) -> str | None:
        if self._login is None:
            self._login = await self._ask_who_we_are()
        return self._login

    async def _ask_who_we_are(self) -> str | None:
        """The login that our comments carry. An app's token may not ask REST for it, only GraphQL."""
        what = "asking whose token this is"
        answer = await self._api.call("GET", f"{self._api.url}/user", what=what, also={403, 404})
        if answer.status_code == 200:
            with _as_github_says(what):
                return str(json_of(answer, what=what)["login"])
        if rate_limited_until(answer, self._now()) is not None:
            raise self._api.failure(answer, what=what)
        try:
            answer = await self._api.graphql(VIEWER, what=what)
        except OutsideError as error:
            if error.kind == "forbidden":
                return None
            raise
        if answer.status_code != 200:
            return None
        with _as_github_says(what):
            viewer = (json_of(answer, what=what).get("data") or {}).get("viewer") or {}
            return viewer.get("login")

    async def _wrote(self, item: Mapping[str, Any]) -> bool:
        """Whether an issue or a comment is of our hand: anyone can copy a marker, nobody our name."""
        login = await self._who_we_are()
        author = item.get("user") or {}
        if not login:
            return author.get("type") == "Bot"
        return _bare(str(author.get("login"))) == _bare(login)

    def _is_ours(self, repository: Mapping[str, Any]) -> bool:
        """Whether a repository is the one we were connected to; before the first connect, whether it has its name."""
        if self._repository_id:
            return str(repository.get("id")) == self._repository_id
        return str(repository.get("full_name")).lower() == self._settings.repository.lower()

    def _is_mapped(self, repository: Mapping[str, Any]) -> bool:
        names = {name.lower() for name in self._settings.mapped}
        known: Sequence[str] = self._facts.get("mapped_ids") or ()
        return str(repository.get("full_name")).lower() in names or str(repository.get("id")) in known

    def _facts_of(self, issue: Mapping[str, Any], repository: Mapping[str, Any]) -> IssueFacts:
        here = repository["full_name"] if self._is_ours(repository) else ""
        return parse_issue(issue, repository=repository, ref=_ref_from(here, repository["full_name"], issue["number"]))

    def _named_issue(self, ref: str) -> tuple[str, int]:
        """The repository (empty where the words name none) and number of an issue that a person names."""
        words = ref.strip()
        found = _SHORT_REF.fullmatch(words)
        if found is None and words.startswith(("http://", "https://")):
            found = self._issue_address(words)
        if found is None:
            known = f"{self._settings.repository}#12 or #12"
            raise OutsideError(f"'{words:.80}' names no issue; enter its address, {known}", "invalid")
        return found["repository"] or "", int(found["number"])

    def _issue_address(self, words: str) -> re.Match[str] | None:
        url = web_url(words)
        if url is None:
            return None
        api, pages = httpx.URL(self._api.url).host, httpx.URL(str(self._facts.get("html_url", ""))).host
        if url.host not in {api.removeprefix("api."), api, pages}:
            raise OutsideError(f"{url.host} is not where {self._settings.repository} lives", "invalid")
        path = _ISSUE_PATH.fullmatch(url.path)
        if path is not None and path["what"] == "pull":
            raise OutsideError(f"#{path['number']} is a pull request; name the issue it belongs to", "invalid")
        return path


def _ref_from(here: str, name: str, number: int) -> str:
    """What people in repository `here` call an issue."""
    return f"#{number}" if name.lower() == here.lower() else f"{name}#{number}"


def _changed_since(at: datetime) -> str:
    return urlencode({"state": "all", "since": iso(at), "sort": "updated", "direction": "asc", "per_page": PAGE})


def _time_or(cursor: str | None, otherwise: datetime) -> datetime:
    try:
        return parse_time(cursor) if cursor else otherwise
    except ValueError:
        return otherwise


def _marker(marker: str) -> str:
    return f"<!-- fullcircle:{marker} -->"


def _bare(login: str) -> str:
    return login.lower().removesuffix("[bot]")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


TRACKER: type[Tracker] = GitHub

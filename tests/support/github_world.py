"""What GitHub does, over real git repositories: issues that pushes and merges close, releases, webhooks.

Operations take and return plain values (names, numbers, shas), so that a test in this process and one
that talks to a server in another process say the same things.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support import github_shapes as shapes
from tests.support.git_history import GitRepository, LoggedCommit
from tests.support.github_shapes import JSON, Places, stamp

# GitHub's own words, read here anew: a test GitHub that asked the code under test would agree with its mistakes.
_CLOSES = re.compile(
    r"\b(?:close|closes|closed|fix|fixes|fixed|resolve|resolves|resolved):? (?:([\w.-]+/[\w.-]+))?#(\d+)", re.IGNORECASE
)
_MENTIONS = re.compile(r"(?:([\w.-]+/[\w.-]+))?#(\d+)")

PLACES = Places("http://github.test", "http://github.test")


class Clock:
    """Time as the test wants it: real, or standing at a moment and stepping on with each write."""

    def __init__(self, start: datetime | None = None, *, step: timedelta = timedelta(minutes=1)) -> None:
        self._moment, self._step = start, step

    def now(self) -> datetime:
        """The time."""
        return self._moment or datetime.now(UTC).replace(microsecond=0)

    def tick(self) -> datetime:
        """The time of a write; a clock that stands still steps on first."""
        if self._moment is not None:
            self._moment += self._step
        return self.now()

    def set(self, moment: datetime | None, *, step: timedelta | None = None) -> None:
        """Stand at a moment, or run really (None)."""
        self._moment, self._step = moment, self._step if step is None else step

    def advance(self, by: timedelta) -> None:
        """Step on without writing."""
        self._moment = self.now() + by


class RefusedError(Exception):
    """GitHub's refusal: a status and a message."""

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


@dataclass
class Token:
    """Who speaks, and what they may. `repositories` None means all of them."""

    login: str
    repositories: set[str] | None = None
    may_write: bool = True
    is_app: bool = False
    is_collaborator: bool = True
    permissions: dict[str, str] | None = None
    expires_at: datetime | None = None

    def may(self, wanted: str) -> bool:
        """Whether it has one of the ways that GitHub writes as 'issues=write; pull_requests=write'."""
        if self.permissions is None:
            return True
        ways = [[part.strip().split("=") for part in way.split(",")] for way in wanted.split(";")]
        return any(all(self.permissions.get(name) in {access, "write"} for name, access in way) for way in ways)


@dataclass
class App:
    """A GitHub App: its public key, and where it is installed with which permissions."""

    id: int
    slug: str
    public_key: str
    permissions: dict[str, str]
    installations: dict[int, list[str]] = field(default_factory=dict)
    suspended: set[int] = field(default_factory=set)
    tokens_made: int = 0


@dataclass
class Event:
    kind: str
    at: datetime
    login: str
    commit: tuple[Repository, str] | None = None
    pull: Issue | None = None
    other: Issue | None = None


@dataclass
class Comment:
    id: int
    login: str
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass
class Pull:
    """The part of an issue that makes it a pull request."""

    head: str
    base: str
    head_sha: str
    commits: list[str]
    merged_at: datetime | None = None
    merge_sha: str | None = None
    linked: set[int] = field(default_factory=set)


@dataclass
class Milestone:
    """What an issue is planned for; closed where `closed_at` is given."""

    number: int
    title: str
    closed_at: datetime | None = None


@dataclass
class Issue:
    id: int
    number: int
    repository: Repository
    title: str
    body: str
    login: str
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    is_locked: bool = False
    is_deleted: bool = False
    moved_to: Issue | None = None
    pull: Pull | None = None
    events: list[Event] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    milestone: Milestone | None = None


@dataclass
class Release:
    id: int
    tag_name: str
    target_commitish: str
    name: str
    body: str
    draft: bool
    prerelease: bool
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


@dataclass
class Deployment:
    id: int
    sha: str
    environment: str
    production: bool
    created_at: datetime
    statuses: list[tuple[int, str, datetime]] = field(default_factory=list)


@dataclass
class Webhook:
    id: int
    url: str
    secret: str
    events: list[str]
    created_at: datetime
    active: bool = True


@dataclass
class Delivery:
    """One call of a webhook: the bytes as they travel."""

    id: int
    hook: Webhook
    guid: str
    event: str
    headers: dict[str, str]
    body: bytes
    at: datetime
    status: int | None = None
    is_again: bool = False


@dataclass
class Repository:
    id: int
    full_name: str
    private: bool
    git: GitRepository
    created_at: datetime
    issues: dict[int, Issue] = field(default_factory=dict)
    releases: dict[int, Release] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    hooks: dict[int, Webhook] = field(default_factory=dict)
    next_number: int = 1


class GitHubWorld:
    """All repositories of one test GitHub. `pending` are webhook calls on their way."""

    def __init__(
        self,
        root: Path,
        *,
        clock: Clock | None = None,
        places: Places = PLACES,
    ) -> None:
        self.root, self.clock, self.places = root, clock or Clock(), places
        self.repositories: dict[str, Repository] = {}
        self.renamed: dict[str, int] = {}
        self.tokens: dict[str, Token] = {"token-octocat": Token("octocat"), "token-brand": Token("brand-bot")}
        self.apps: dict[str, App] = {}
        self.pending: list[Delivery] = []
        self.delivered: list[Delivery] = []
        self.drops_webhooks = False
        self.has_graphql = True
        self.unindexed: set[int | str] = set()
        """Pull requests by number and commits by sha that the search does not know yet."""
        self.search_gives_up = False
        self._last_id = 1000

    # Repositories and their git

    def create_repository(self, full_name: str, *, private: bool = False, default_branch: str = "main") -> int:
        """A repository with one commit. Returns its id."""
        number = self._id()
        git = GitRepository(self.root / str(number), now=self.clock.now, default_branch=default_branch)
        self.repositories[full_name.lower()] = Repository(number, full_name, private, git, self.clock.tick())
        return number

    def rename_repository(self, repository: str, *, to: str) -> None:
        """Another name; the old one redirects."""
        found = self.repository(repository)
        del self.repositories[found.full_name.lower()]
        self.renamed[found.full_name.lower()] = found.id
        found.full_name = to
        self.repositories[to.lower()] = found
        self._emit(
            found, "repository", {"action": "renamed", "changes": {"repository": {"name": {"from": repository}}}}
        )

    def set_private(self, repository: str, *, private: bool) -> None:
        """Hide a repository from the public, or show it."""
        found = self.repository(repository)
        found.private = private
        self._emit(found, "repository", {"action": "privatized" if private else "publicized"})

    def git(self, repository: str) -> GitRepository:
        """The repository's git, for what no operation here offers."""
        return self.repository(repository).git

    def commit(self, repository: str, message: str, *, branch: str = "", files: Mapping[str, str] | None = None) -> str:
        """Push one commit to a branch (the default one); closes what its message says. Returns its sha."""
        found, before = self._before(repository)
        self.clock.tick()
        sha = found.git.commit(message, branch=branch, files=files)
        self._landed(found, before)
        return sha

    def branch(self, repository: str, name: str, *, at: str = "") -> str:
        """Make or move a branch. Returns its tip."""
        found, before = self._before(repository)
        self.clock.tick()
        sha = found.git.branch(name, at=at)
        self._landed(found, before)
        return sha

    def merge_branch(self, repository: str, branch: str, *, into: str, message: str) -> str:
        """Merge without a pull request. Returns the merge commit."""
        found, before = self._before(repository)
        self.clock.tick()
        sha = found.git.merge(branch, into=into, message=message)
        self._landed(found, before)
        return sha

    def cherry_pick(self, repository: str, sha: str, *, onto: str, note: bool = True, mainline: int = 0) -> str:
        """Copy a commit to another branch. Returns the copy."""
        found, before = self._before(repository)
        self.clock.tick()
        copy = found.git.cherry_pick(sha, onto=onto, note=note, mainline=mainline)
        self._landed(found, before)
        return copy

    def revert(self, repository: str, sha: str, *, on: str = "", mainline: int = 0) -> str:
        """Take a commit out again. Returns the reverting commit."""
        found, before = self._before(repository)
        self.clock.tick()
        undone = found.git.revert(sha, on=on, mainline=mainline)
        self._landed(found, before)
        return undone

    def tag(self, repository: str, name: str, *, at: str = "", annotated: bool = False) -> str:
        """Make or move a tag. Returns the commit it names."""
        found = self.repository(repository)
        self.clock.tick()
        before = found.git.resolve(f"refs/tags/{name}")
        found.git.tag(name, at=at, annotated=annotated)
        sha = found.git.resolve(f"refs/tags/{name}") or ""
        self._emit(found, "push", self._push(found, f"refs/tags/{name}", before, sha))
        return sha

    def delete_tag(self, repository: str, name: str) -> None:
        """Remove a tag; a release of it stays, without one."""
        found = self.repository(repository)
        self.clock.tick()
        found.git.delete_tag(name)
        self._emit(found, "delete", {"ref": name, "ref_type": "tag", "pusher_type": "user"})

    # Apps

    def add_app(self, slug: str, *, public_key: str, permissions: Mapping[str, str], app_id: int | None = None) -> str:
        """Register an app by its public key (PEM). Returns its id."""
        number = app_id or self._id()
        self.apps[str(number)] = App(number, slug, public_key, dict(permissions))
        return str(number)

    def install_app(self, app: str, repositories: Sequence[str]) -> int:
        """Install it on repositories; an earlier installation is gone. Returns the installation's id."""
        found, number = self.apps[app], self._id()
        found.installations = {number: [self.repository(name).full_name for name in repositories]}
        return number

    def open_installation(self, app: App, installation: int) -> tuple[str, Token]:
        """An installation's next token: good for an hour, and much longer than the forty characters of old."""
        app.tokens_made += 1
        name = f"ghs_{app.id}_{'x' * 500}.{app.tokens_made}"
        self.tokens[name] = Token(
            f"{app.slug}[bot]",
            repositories=set(app.installations[installation]),
            is_app=True,
            permissions=dict(app.permissions),
            expires_at=self.clock.now() + timedelta(hours=1),
        )
        return name, self.tokens[name]

    # Issues

    def open_issue(self, repository: str, title: str, *, body: str = "", login: str = "octocat") -> int:
        """A new issue. Returns its number."""
        issue = self._new_issue(self.repository(repository), title=title, body=body, login=login)
        self._mention(issue)
        self._emit_issue(issue, "opened", login)
        return issue.number

    def close_issue(
        self, repository: str, number: int, *, reason: str | None = "completed", login: str = "octocat"
    ) -> None:
        """Close by hand."""
        self._close(self.issue(repository, number), reason=reason, login=login)

    def label(self, repository: str, number: int, names: Sequence[str]) -> None:
        """Put labels on an issue; those it has already stay as they are."""
        issue = self.issue(repository, number)
        issue.labels += [name for name in names if name not in issue.labels]
        issue.updated_at = self.clock.tick()

    def mark_duplicate(self, repository: str, number: int, *, of: int, of_repository: str = "") -> None:
        """Close as a duplicate of another issue."""
        issue = self.issue(repository, number)
        original = self.issue(of_repository or repository, of)
        issue.events.append(Event("marked_as_duplicate", self.clock.tick(), "octocat", other=original))
        self._close(issue, reason="duplicate", login="octocat")

    def reopen_issue(self, repository: str, number: int, *, login: str = "octocat") -> None:
        """Open again."""
        issue = self.issue(repository, number)
        now = self.clock.tick()
        issue.state, issue.state_reason, issue.closed_at, issue.closed_by = "open", "reopened", None, None
        issue.updated_at = now
        issue.events.append(Event("reopened", now, login))
        self._emit_issue(issue, "reopened", login)

    def edit_issue(self, repository: str, number: int, *, title: str | None = None, body: str | None = None) -> None:
        """Change an issue's words."""
        issue = self.issue(repository, number)
        issue.title = issue.title if title is None else title
        issue.body = issue.body if body is None else body
        issue.updated_at = self.clock.tick()
        self._emit_issue(issue, "edited", "octocat")

    def lock_issue(self, repository: str, number: int, *, locked: bool = True) -> None:
        """Let only collaborators comment."""
        issue = self.issue(repository, number)
        issue.is_locked, issue.updated_at = locked, self.clock.tick()
        self._emit_issue(issue, "locked" if locked else "unlocked", "octocat")

    def delete_issue(self, repository: str, number: int) -> None:
        """Remove for ever; GitHub then answers 410."""
        issue = self.issue(repository, number)
        issue.is_deleted = True
        self.clock.tick()
        self._emit_issue(issue, "deleted", "octocat")

    def transfer_issue(self, repository: str, number: int, *, to: str) -> int:
        """Move to another repository, where it gets a new number and a new id; the old address redirects."""
        issue = self.issue(repository, number)
        moved = self._new_issue(self.repository(to), title=issue.title, body=issue.body, login=issue.login)
        for name in ("state", "state_reason", "closed_at", "closed_by", "is_locked", "events", "comments"):
            setattr(moved, name, getattr(issue, name))
        moved.events = [*issue.events, Event("transferred", self.clock.now(), "octocat")]
        changes = {"new_issue": self.issue_json(moved), "new_repository": self.repository_json(moved.repository)}
        self._emit_issue(issue, "transferred", "octocat", changes=changes)
        issue.moved_to = moved
        return moved.number

    def convert_to_discussion(self, repository: str, number: int) -> None:
        """GitHub closes and locks the issue, and says so only in its timeline."""
        issue = self.issue(repository, number)
        issue.events.append(Event("converted_to_discussion", self.clock.tick(), "octocat"))
        issue.is_locked = True
        self._close(issue, reason="completed", login="octocat")

    def comment(self, repository: str, number: int, body: str, *, login: str = "octocat") -> int:
        """A comment. Returns its id."""
        issue = self.issue(repository, number)
        now = self.clock.tick()
        comment = Comment(self._id(), login, body, now, now)
        issue.comments.append(comment)
        issue.updated_at = now
        self._emit(
            issue.repository,
            "issue_comment",
            {"action": "created", "issue": self.issue_json(issue), "comment": self.comment_json(issue, comment)},
            login=login,
        )
        return comment.id

    def edit_comment(self, repository: str, comment_id: int, body: str) -> None:
        """Change a comment's text."""
        issue, comment = self.find_comment(repository, comment_id)
        comment.body = body
        comment.updated_at = issue.updated_at = self.clock.tick()

    def delete_comment(self, repository: str, comment_id: int) -> None:
        """Remove a comment."""
        issue, comment = self.find_comment(repository, comment_id)
        issue.comments.remove(comment)
        self.clock.tick()

    # Pull requests

    def open_pull(
        self,
        repository: str,
        head: str,
        title: str,
        *,
        body: str = "",
        base: str = "",
        login: str = "octocat",
    ) -> int:
        """A pull request from a branch. Returns its number."""
        found = self.repository(repository)
        base = base or found.git.default_branch
        tip = found.git.resolve(f"refs/heads/{head}")
        base_tip = found.git.resolve(f"refs/heads/{base}")
        if tip is None or base_tip is None:
            raise RefusedError(422, "Validation Failed")
        commits = [c.sha for c in found.git.log(f"{base_tip}..{tip}")]
        issue = self._new_issue(found, title=title, body=body, login=login)
        issue.pull = Pull(head, base, tip, commits)
        self._mention(issue)
        self._emit_pull(issue, "opened")
        return issue.number

    def merge_pull(self, repository: str, number: int, *, method: str = "merge", message: str = "") -> str:
        """Merge in one of GitHub's three ways; closes what it closes. Returns the sha on the base branch."""
        issue = self._pull(repository, number)
        found, pull = issue.repository, issue.pull
        if pull is None or issue.state == "closed":
            raise RefusedError(405, "Pull Request is not mergeable")
        before = found.git.resolve(found.git.default_branch)
        now = self.clock.tick()
        commits = found.git.log(f"{pull.base}..{pull.head_sha}")
        pull.commits = [c.sha for c in commits]
        if method == "squash":
            words = message or "\n\n".join(
                [f"{issue.title} (#{number})", *(f"* {c.message}" for c in commits if len(commits) > 1)]
            )
            pull.merge_sha = found.git.squash(pull.head_sha, into=pull.base, message=words)
        elif method == "rebase":
            found.git.branch(f"rebase/{number}", at=pull.head_sha)
            pull.merge_sha = found.git.rebase(f"rebase/{number}", onto=pull.base)
            found.git.delete_branch(f"rebase/{number}")
        else:
            owner = found.full_name.partition("/")[0]
            words = message or f"Merge pull request #{number} from {owner}/{pull.head}\n\n{issue.title}"
            pull.merge_sha = found.git.merge(pull.head_sha, into=pull.base, message=words)
        pull.merged_at = now
        issue.state, issue.closed_at, issue.closed_by, issue.updated_at = "closed", now, "octocat", now
        self._emit_pull(issue, "closed")
        if pull.base == found.git.default_branch:
            for target in self.closed_by(issue):
                if target.state == "open":
                    self._close(target, reason="completed", login="octocat", pull=issue)
        self._landed(found, before)
        return pull.merge_sha

    def close_pull(self, repository: str, number: int) -> None:
        """Close without merging."""
        issue = self._pull(repository, number)
        now = self.clock.tick()
        issue.state, issue.closed_at, issue.closed_by, issue.updated_at = "closed", now, "octocat", now
        self._emit_pull(issue, "closed")

    def link_pull(self, repository: str, number: int, *, issue: int) -> None:
        """Link a pull request to an issue by hand."""
        pull, target = self._pull(repository, number), self.issue(repository, issue)
        if pull.pull is not None:
            pull.pull.linked.add(issue)
        target.events.append(Event("connected", self.clock.tick(), "octocat", pull=pull))

    def unlink_pull(self, repository: str, number: int, *, issue: int, still_listed: bool = False) -> None:
        """Take the link back. `still_listed` leaves it among the closing references, which lag at times."""
        pull, target = self._pull(repository, number), self.issue(repository, issue)
        if pull.pull is not None and not still_listed:
            pull.pull.linked.discard(issue)
        target.events.append(Event("disconnected", self.clock.tick(), "octocat", pull=pull))

    # Releases and deployments

    def release(
        self,
        repository: str,
        tag: str,
        *,
        at: str = "",
        draft: bool = False,
        prerelease: bool = False,
        name: str = "",
        body: str = "",
    ) -> int:
        """A release; a missing tag is made at `at` (the default branch) once it is published. Returns its id."""
        found = self.repository(repository)
        if any(r.tag_name == tag and not r.draft for r in found.releases.values()):
            raise RefusedError(422, "Validation Failed")
        now = self.clock.tick()
        made = Release(self._id(), tag, at or found.git.default_branch, name, body, draft, prerelease, now, now, None)
        found.releases[made.id] = made
        if draft:
            self._emit_release(found, made, "created")
        else:
            self._publish(found, made)
        return made.id

    def edit_release(
        self,
        repository: str,
        release_id: int,
        *,
        draft: bool | None = None,
        prerelease: bool | None = None,
        tag_name: str | None = None,
        name: str | None = None,
        body: str | None = None,
    ) -> None:
        """Publish a draft, turn a release into a draft or prerelease, or change its words."""
        found, made = self.repository(repository), self._release(repository, release_id)
        was_draft, was_prerelease = made.draft, made.prerelease
        made.updated_at = self.clock.tick()
        for key, value in {"prerelease": prerelease, "tag_name": tag_name, "name": name, "body": body}.items():
            if value is not None:
                setattr(made, key, value)
        if draft is True and not was_draft:
            made.draft, made.published_at = True, None
            self._emit_release(found, made, "unpublished")
        elif draft is False and was_draft:
            made.draft = False
            self._publish(found, made)
        else:
            self._emit_release(found, made, "released" if was_prerelease and not made.prerelease else "edited")

    def delete_release(self, repository: str, release_id: int) -> None:
        """Remove a release; its tag stays."""
        found, made = self.repository(repository), self._release(repository, release_id)
        self.clock.tick()
        del found.releases[release_id]
        self._emit_release(found, made, "deleted")

    def deploy(
        self, repository: str, *, environment: str, at: str = "", state: str = "success", production: bool = True
    ) -> int:
        """Put a commit into an environment. Returns the deployment's id."""
        found = self.repository(repository)
        sha = found.git.resolve(at or found.git.default_branch) or ""
        made = Deployment(self._id(), sha, environment, production, self.clock.tick())
        found.deployments[made.id] = made
        self.deployment_status(repository, made.id, state=state)
        return made.id

    def deployment_status(self, repository: str, deployment_id: int, *, state: str) -> None:
        """One more state of a deployment; a success makes the environment's earlier ones inactive, as GitHub does."""
        found = self.repository(repository)
        made = found.deployments[deployment_id]
        now = self.clock.tick()
        if state == "success":
            for other in found.deployments.values():
                if other is not made and other.environment == made.environment and _last_state(other) == "success":
                    other.statuses.append((self._id(), "inactive", now))
        made.statuses.append((self._id(), state, now))
        self._emit(
            found,
            "deployment_status",
            {
                "action": "created",
                "deployment": self.deployment_json(found, made),
                "deployment_status": self.deployment_status_json(found, made, made.statuses[-1]),
            },
        )

    # Webhooks

    def add_hook(self, repository: str, url: str, *, secret: str, events: Sequence[str] = ("*",)) -> int:
        """Register a webhook; GitHub pings it. Returns its id."""
        found = self.repository(repository)
        hook = Webhook(self._id(), url, secret, list(events), self.clock.tick())
        found.hooks[hook.id] = hook
        self._send(
            found,
            hook,
            "ping",
            {"zen": "Keep it logically awesome.", "hook_id": hook.id, "hook": self.hook_json(found, hook)},
        )
        return hook.id

    def drop_webhooks(self, *, drop: bool) -> None:
        """Lose every webhook call from now on, or stop losing them."""
        self.drops_webhooks = drop

    def redeliver(self, delivery_id: int) -> None:
        """The same call again, with the same GUID."""
        old = next(d for d in (*self.delivered, *self.pending) if d.id == delivery_id)
        self.pending.append(
            Delivery(self._id(), old.hook, old.guid, old.event, old.headers, old.body, self.clock.now(), is_again=True)
        )

    def _emit(self, repository: Repository, event: str, payload: JSON, *, login: str = "octocat") -> None:
        for hook in repository.hooks.values():
            if hook.active and ("*" in hook.events or event in hook.events):
                self._send(repository, hook, event, payload, login=login)

    def _send(
        self, repository: Repository, hook: Webhook, event: str, payload: JSON, *, login: str = "octocat"
    ) -> None:
        whole = {
            **payload,
            "repository": self.repository_json(repository),
            "sender": shapes.user(login, self.places),
        }
        body = json.dumps(whole).encode()
        guid = str(uuid.uuid4())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/test",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": guid,
            "X-GitHub-Hook-ID": str(hook.id),
            "X-GitHub-Hook-Installation-Target-ID": str(repository.id),
            "X-GitHub-Hook-Installation-Target-Type": "repository",
        }
        if hook.secret:
            headers["X-Hub-Signature"] = "sha1=" + hmac.new(hook.secret.encode(), body, hashlib.sha1).hexdigest()
            headers["X-Hub-Signature-256"] = (
                "sha256=" + hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
            )
        delivery = Delivery(self._id(), hook, guid, event, headers, body, self.clock.now())
        (self.delivered if self.drops_webhooks else self.pending).append(delivery)

    # Looking things up

    def repository(self, name: str) -> Repository:
        """By 'owner/name', in any case."""
        found = self.repositories.get(name.lower())
        if found is None:
            raise RefusedError(404, "Not Found")
        return found

    def repository_by_id(self, number: int) -> Repository:
        """By its own id."""
        for repository in self.repositories.values():
            if repository.id == number:
                return repository
        raise RefusedError(404, "Not Found")

    def issue(self, repository: str, number: int) -> Issue:
        """An issue or pull request that is still there."""
        found = self.repository(repository).issues.get(int(number))
        if found is None:
            raise RefusedError(404, "Not Found")
        if found.is_deleted:
            raise RefusedError(410, "This issue was deleted")
        return found

    def find_comment(self, repository: str, comment_id: int) -> tuple[Issue, Comment]:
        """A comment and its issue."""
        for issue in self.repository(repository).issues.values():
            for comment in issue.comments:
                if comment.id == int(comment_id) and issue.moved_to is None:
                    return issue, comment
        raise RefusedError(404, "Not Found")

    def closed_by(self, pull: Issue) -> list[Issue]:
        """The issues a pull request closes: by keyword where it goes to the default branch, or by hand."""
        if pull.pull is None:
            return []
        here = pull.repository
        named: list[tuple[str, int]] = [(here.full_name, number) for number in sorted(pull.pull.linked)]
        if pull.pull.base == here.git.default_branch:
            named += _named(_CLOSES, f"{pull.title}\n{pull.body}", here)
        return [issue for issue in self._existing(named) if issue.pull is None]

    def closing_pulls(self, issue: Issue) -> list[Issue]:
        """Pull requests of any repository that would close, or have closed, an issue."""
        pulls = (p for r in self.repositories.values() for p in r.issues.values() if p.pull is not None)
        return [pull for pull in pulls if issue in self.closed_by(pull)]

    def pulls_of_commit(self, repository: Repository, sha: str) -> list[Issue]:
        """The merged pull requests that brought a commit."""
        found = []
        for issue in repository.issues.values():
            pull = issue.pull
            if pull is None or pull.merge_sha is None:
                continue
            landed = {pull.merge_sha, *pull.commits}
            merge = repository.git.log(pull.merge_sha, "-1")[0]
            if len(merge.parents) == 1 and len(pull.commits) > 1:
                rebased = repository.git.log(pull.merge_sha, f"-{len(pull.commits)}")
                if rebased[-1].message == repository.git.log(pull.commits[-1], "-1")[0].message:
                    landed |= {c.sha for c in rebased}
            if sha in landed:
                found.append(issue)
        return found

    # As JSON

    def repository_json(self, repository: Repository) -> JSON:
        """A repository as the API shows it."""
        return shapes.repository(
            repository_id=repository.id,
            full_name=repository.full_name,
            private=repository.private,
            default_branch=repository.git.default_branch,
            at=repository.created_at,
            places=self.places,
        )

    def issue_json(self, issue: Issue) -> JSON:
        """An issue as the API shows it."""
        places = self.places
        return shapes.issue(
            issue_id=issue.id,
            number=issue.number,
            full_name=issue.repository.full_name,
            places=places,
            pull={"merged_at": stamp(issue.pull.merged_at)} if issue.pull is not None else None,
            fields={
                "title": issue.title,
                "body": issue.body,
                "user": shapes.user(issue.login, places),
                "state": issue.state,
                "state_reason": issue.state_reason,
                "locked": issue.is_locked,
                "comments": len(issue.comments),
                "created_at": stamp(issue.created_at),
                "updated_at": stamp(issue.updated_at),
                "closed_at": stamp(issue.closed_at),
                "closed_by": shapes.user(issue.closed_by, places) if issue.closed_by else None,
                "milestone": self._milestone_json(issue) if issue.milestone else None,
            },
        )

    def _milestone_json(self, issue: Issue) -> JSON | None:
        milestone = issue.milestone
        if milestone is None:
            return None
        return shapes.milestone(
            self.places,
            issue.repository.full_name,
            {
                "number": milestone.number,
                "title": milestone.title,
                "state": "closed" if milestone.closed_at else "open",
                "closed_at": stamp(milestone.closed_at),
                "created_at": stamp(issue.created_at),
                "updated_at": stamp(issue.created_at),
            },
        )

    def comment_json(self, issue: Issue, comment: Comment) -> JSON:
        """A comment as the API shows it."""
        return shapes.comment(
            comment_id=comment.id,
            full_name=issue.repository.full_name,
            issue_number=issue.number,
            places=self.places,
            fields={
                "body": comment.body,
                "user": shapes.user(comment.login, self.places),
                "created_at": stamp(comment.created_at),
                "updated_at": stamp(comment.updated_at),
            },
        )

    def pull_json(self, issue: Issue, *, whole: bool) -> JSON:
        """A pull request as the API shows it, alone (`whole`) or in a list."""
        pull, places = issue.pull, self.places
        if pull is None:
            raise RefusedError(404, "Not Found")
        whole_repository = self.repository_json(issue.repository)
        base_sha = issue.repository.git.resolve(f"refs/heads/{pull.base}") or ""
        made = shapes.pull_request(
            pull_id=issue.id + 500_000,
            number=issue.number,
            full_name=issue.repository.full_name,
            places=places,
            head=shapes.branch_end(
                full_name=issue.repository.full_name,
                ref=pull.head,
                sha=pull.head_sha,
                whole=whole_repository,
                places=places,
            ),
            base=shapes.branch_end(
                full_name=issue.repository.full_name,
                ref=pull.base,
                sha=base_sha,
                whole=whole_repository,
                places=places,
            ),
            fields={
                "title": issue.title,
                "body": issue.body,
                "user": shapes.user(issue.login, places),
                "state": issue.state,
                "created_at": stamp(issue.created_at),
                "updated_at": stamp(issue.updated_at),
                "closed_at": stamp(issue.closed_at),
                "merged_at": stamp(pull.merged_at),
                # An open pull request has a throw-away test merge here, which must never count.
                "merge_commit_sha": pull.merge_sha or hashlib.sha1(pull.head_sha.encode()).hexdigest(),
            },
        )
        if whole:
            made |= shapes.merge_state(
                merged=pull.merged_at is not None,
                merged_by=shapes.user("octocat", places) if pull.merged_at else None,
                commits=len(pull.commits),
            )
        return made

    def release_json(self, repository: Repository, release: Release) -> JSON:
        """A release as the API shows it."""
        sha = repository.git.resolve(f"refs/tags/{release.tag_name}")
        made_at = repository.git.log(sha, "-1")[0].committed_at if sha and not release.draft else None
        return shapes.release(
            release_id=release.id,
            full_name=repository.full_name,
            places=self.places,
            fields={
                "tag_name": release.tag_name,
                "target_commitish": release.target_commitish,
                "name": release.name,
                "body": release.body,
                "draft": release.draft,
                "prerelease": release.prerelease,
                # GitHub's date of creation is that of the commit.
                "created_at": stamp(datetime.fromisoformat(made_at) if made_at else release.created_at),
                "updated_at": stamp(release.updated_at),
                "published_at": stamp(release.published_at),
            },
        )

    def deployment_json(self, repository: Repository, deployment: Deployment) -> JSON:
        """A deployment as the API shows it."""
        return shapes.deployment(
            deployment_id=deployment.id,
            full_name=repository.full_name,
            places=self.places,
            fields={
                "sha": deployment.sha,
                "ref": repository.git.default_branch,
                "environment": deployment.environment,
                "original_environment": deployment.environment,
                "production_environment": deployment.production,
                "transient_environment": False,
                "created_at": stamp(deployment.created_at),
                "updated_at": stamp(deployment.created_at),
            },
        )

    def deployment_status_json(
        self, repository: Repository, deployment: Deployment, status: tuple[int, str, datetime]
    ) -> JSON:
        """One state of a deployment as the API shows it."""
        number, state, at = status
        return shapes.deployment_status(
            status_id=number,
            deployment_url=f"{self.places.links}/repos/{repository.full_name}/deployments/{deployment.id}",
            full_name=repository.full_name,
            places=self.places,
            fields={
                "state": state,
                "environment": deployment.environment,
                "created_at": stamp(at),
                "updated_at": stamp(at),
            },
        )

    def hook_json(self, repository: Repository, hook: Webhook) -> JSON:
        """A webhook as the API shows it."""
        return shapes.hook(
            hook_id=hook.id,
            full_name=repository.full_name,
            url=hook.url,
            events=hook.events,
            active=hook.active,
            at=hook.created_at,
            places=self.places,
        )

    def delivery_json(self, repository: Repository, delivery: Delivery) -> JSON:
        """One attempt of a webhook call as the API lists it."""
        return shapes.hook_delivery(
            delivery_id=delivery.id,
            guid=delivery.guid,
            event=delivery.event,
            action=json.loads(delivery.body).get("action"),
            status=delivery.status,
            is_again=delivery.is_again,
            repository_id=repository.id,
            at=delivery.at,
        )

    def timeline_json(self, issue: Issue) -> list[JSON]:
        """What happened to an issue, as REST lists it: a close by a pull request names no commit."""
        made = []
        for number, event in enumerate(issue.events, start=issue.id * 1000):
            if event.kind == "cross-referenced" and event.other is not None:
                source = event.other
                whole = self.repository_json(source.repository)
                made.append(
                    shapes.cross_reference(
                        source=self.issue_json(source), whole=whole, login=event.login, at=event.at, places=self.places
                    )
                )
                continue
            where, sha = event.commit or (issue.repository, None)
            made.append(
                shapes.timeline_event(
                    event_id=number,
                    full_name=where.full_name,
                    kind=event.kind,
                    login=event.login,
                    at=event.at,
                    commit_id=sha,
                    places=self.places,
                )
            )
        return made

    # How things happen

    def _id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _new_issue(self, repository: Repository, *, title: str, body: str, login: str) -> Issue:
        now = self.clock.tick()
        number, repository.next_number = repository.next_number, repository.next_number + 1
        issue = Issue(self._id(), number, repository, title, body, login, now, now)
        repository.issues[number] = issue
        return issue

    def _close(
        self,
        issue: Issue,
        *,
        reason: str | None,
        login: str,
        pull: Issue | None = None,
        commit: tuple[Repository, str] | None = None,
    ) -> None:
        now = self.clock.tick()
        issue.state, issue.state_reason, issue.closed_at, issue.closed_by = "closed", reason, now, login
        issue.updated_at = now
        issue.events.append(Event("closed", now, login, commit=commit, pull=pull))
        self._emit_issue(issue, "closed", login)

    def _before(self, repository: str) -> tuple[Repository, str | None]:
        found = self.repository(repository)
        return found, found.git.resolve(found.git.default_branch)

    def _landed(self, repository: Repository, before: str | None) -> None:
        """What a push to the default branch closes."""
        after = repository.git.resolve(repository.git.default_branch)
        if after == before or after is None:
            return
        commits = repository.git.log(f"{before}..{after}" if before else after)
        self._emit(
            repository,
            "push",
            self._push(repository, f"refs/heads/{repository.git.default_branch}", before, after, commits),
        )
        for commit in commits:
            for issue in self._existing(_named(_CLOSES, commit.message, repository)):
                if issue.state == "open" and issue.pull is None:
                    self._close(issue, reason="completed", login="octocat", commit=(repository, commit.sha))

    def _mention(self, source: Issue) -> None:
        for target in self._existing(_named(_MENTIONS, f"{source.title}\n{source.body}", source.repository)):
            if target is not source:
                target.events.append(Event("cross-referenced", self.clock.now(), source.login, other=source))

    def _existing(self, named: Iterable[tuple[str, int]]) -> list[Issue]:
        found = []
        for name, number in dict.fromkeys(named):
            repository = self.repositories.get(name.lower())
            issue = repository.issues.get(number) if repository else None
            if issue is not None and not issue.is_deleted:
                found.append(issue.moved_to or issue)
        return found

    def _publish(self, repository: Repository, release: Release) -> None:
        if repository.git.resolve(f"refs/tags/{release.tag_name}") is None:
            if repository.git.resolve(release.target_commitish) is None:
                raise RefusedError(422, "Validation Failed")
            repository.git.tag(release.tag_name, at=release.target_commitish)
        release.published_at = self.clock.now()
        self._emit_release(repository, release, "published")
        if not release.prerelease:
            self._emit_release(repository, release, "released")

    def _emit_issue(self, issue: Issue, action: str, login: str, *, changes: JSON | None = None) -> None:
        payload: JSON = {"action": action, "issue": self.issue_json(issue)}
        self._emit(issue.repository, "issues", payload | ({"changes": changes} if changes else {}), login=login)

    def _emit_pull(self, issue: Issue, action: str) -> None:
        if not issue.repository.hooks:
            return
        payload = {"action": action, "number": issue.number, "pull_request": self.pull_json(issue, whole=True)}
        self._emit(issue.repository, "pull_request", payload)

    def _emit_release(self, repository: Repository, release: Release, action: str) -> None:
        if repository.hooks:
            self._emit(repository, "release", {"action": action, "release": self.release_json(repository, release)})

    def _push(
        self, repository: Repository, ref: str, before: str | None, after: str, commits: Sequence[LoggedCommit] = ()
    ) -> JSON:
        listed = [
            {
                "id": c.sha,
                "tree_id": c.tree,
                "distinct": True,
                "message": c.message,
                "timestamp": c.committed_at,
                "url": f"{self.places.pages}/{repository.full_name}/commit/{c.sha}",
                "author": {"name": c.author_name, "email": c.author_email},
                "committer": {"name": c.committer_name, "email": c.committer_email},
                "added": [],
                "removed": [],
                "modified": [],
            }
            for c in commits
        ]
        return {
            "ref": ref,
            "before": before or "0" * 40,
            "after": after,
            "created": before is None,
            "deleted": False,
            "forced": False,
            "base_ref": None,
            "compare": f"{self.places.pages}/{repository.full_name}/compare/{before}...{after}",
            "commits": listed,
            "head_commit": listed[-1] if listed else None,
            "pusher": {"name": "octocat", "email": "octocat@github.test"},
        }

    def _pull(self, repository: str, number: int) -> Issue:
        issue = self.issue(repository, number)
        if issue.pull is None:
            raise RefusedError(404, "Not Found")
        return issue

    def _release(self, repository: str, release_id: int) -> Release:
        release = self.repository(repository).releases.get(int(release_id))
        if release is None:
            raise RefusedError(404, "Not Found")
        return release


def _named(pattern: re.Pattern[str], text: str, here: Repository) -> list[tuple[str, int]]:
    return [(name or here.full_name, int(number)) for name, number in pattern.findall(text)]


def _last_state(deployment: Deployment) -> str:
    return deployment.statuses[-1][1] if deployment.statuses else ""

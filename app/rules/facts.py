"""What the outside told us, as frozen values; every rule decides from these and from nothing else.

Times are aware and in UTC. Identifiers are the network's own, as text, because some networks
count and others do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Visibility = Literal["public", "unlisted", "private"]
"""Who may read a post: everybody and timelines, everybody who has the address, or a closed circle."""

Mode = Literal["automatic", "approve", "dry_run", "by_hand"]
"""How an account speaks. `by_hand`: each reply becomes a task, and a person posts it."""
CameBy = Literal["network", "address", "hand"]
"""Whether the network told us of a post, a person gave its address, or a person typed what it says."""
ShippedWhen = Literal["closed", "release", "production"]
VersionsNeeded = Literal["all", "any"]
"""How many of an issue's versions must be released before its fix has shipped."""
WithoutCode = Literal["ask", "next_release", "milestone"]
"""What counts as shipped where an issue was closed as fixed and no code is linked to it: a person's word, or a guess."""
ReplyKind = Literal["ack", "progress", "fixed", "outcome", "correction"]
TemplateKind = Literal[
    "ack",
    "progress",
    "fixed",
    "outcome",
    "outcome_cannot_reproduce",
    "outcome_by_design",
    "outcome_workaround",
    "correction",
]
"""What a text is for: a reply's kind, and of an outcome its reason too."""
Outcome = Literal["fixed", "declined", "duplicate", "unclear"]
OutcomeReason = Literal["wont_fix", "cannot_reproduce", "by_design", "workaround", "other"]
IssueState = Literal["open", "closed", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who wrote a post, keyed by `external_id`: the name a network never gives to somebody else.

    `weak` marks guests and missing authors: they are never joined and never verify anything alone.
    """

    external_id: str
    handle: str
    name: str = ""
    url: str | None = None
    followers: int | None = None
    bot: bool = False
    weak: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """An image or film on a post: its address and the author's own description of it."""

    url: str
    kind: str = "image"
    description: str = ""
    preview_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One public message, as a channel read it.

    `canonical_id` is the name the whole network uses (a Mastodon `uri`, an at-URI); two accounts
    of ours that see one post agree on it. `thread_id` is the canonical id of the thread's first
    post, as far as the channel could read it. `parent_id` is the external id of the post this one
    hangs on; `answers_id` is the external id of the post it answers *in meaning*, which differs on
    networks that hang every reply on the top comment. `reply_ref` is what the channel needs to
    answer, opaque to everyone else. `raw` is the network's own JSON text.
    """

    external_id: str
    canonical_id: str
    url: str
    author: Author
    text: str
    created_at: datetime
    raw: str
    edited_at: datetime | None = None
    language: str | None = None
    parent_id: str | None = None
    answers_id: str | None = None
    thread_id: str = ""
    visibility: Visibility = "public"
    content_warning: str = ""
    media: tuple[Media, ...] = ()
    reply_ref: Mapping[str, str] = field(default_factory=dict)
    locked: bool = False
    """The network takes no more replies here (a locked thread, a block against us)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReply:
    """A public reply by our account under a post, as read back from the network."""

    external_id: str
    url: str
    text: str
    created_at: datetime
    visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadLook:
    """One look at a customer's post just before speaking: the post now, and what we said under it.

    `authoritative` is false where the read may have missed replies (a cut list, a cache): then an
    absence proves nothing. `locked_why` says why the post takes no answer of ours, where the network tells.
    """

    post: Post
    own_replies: tuple[OwnReply, ...] = ()
    authoritative: bool = True
    locked_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a network adds around a reply to one post, all of it frozen with the text.

    `prefix` is part of the public text (the `@acct ` that a Mastodon answer starts with).
    `limit` is in the channel's own unit, the one its `count` returns.
    """

    prefix: str = ""
    visibility: Visibility = "public"
    content_warning: str = ""
    language: str | None = None
    limit: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A reply on its way out: frozen bytes, and the key of this attempt."""

    text: str
    post: Post
    key: str
    visibility: Visibility
    language: str | None
    content_warning: str
    created_at: datetime
    """When the attempt's key was made; networks with client-made stamps send this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The network took the reply. `visible` is false while a moderator there still holds it."""

    external_id: str
    url: str
    visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One merged change that fixes an issue. `sha` is what lands on the branch, never a pull request's own head.

    `pull` is the address of the pull request that brought it, empty for a bare commit.
    `repository` is where it was made, here and below: empty for the issue's own.
    """

    sha: str
    label: str
    url: str
    at: datetime | None
    pull: str = ""
    level: Literal[1] = 1
    repository: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What engineers published. `sha` is the commit the tag names, peeled."""

    remote_id: str
    label: str
    url: str
    sha: str
    draft: bool
    prerelease: bool
    published_at: datetime | None
    exists: bool = True
    repository: str = ""

    @property
    def is_public(self) -> bool:
        """A published, non-draft, non-prerelease release: the only kind that ships anything."""
        return self.exists and not self.draft and not self.prerelease and self.published_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version that people set on an issue as the one that has its fix.

    Only `released` says that customers can have it: `released_on` may be a plan, and an archived
    version is merely put away. `released_on` is a day without a time, as trackers keep it.
    """

    remote_id: str
    label: str
    url: str
    released: bool
    released_on: date | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Containment:
    """Whether one release holds one change.

    `unknown` is a failed or impossible look (a commit the repository does not know): never a 'no'.
    `reverted` is inside by ancestry, but taken out again before the release.
    """

    sha: str
    release_id: str
    answer: Literal["yes", "no", "unknown", "reverted"]
    url: str = ""
    repository: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Code running in an environment."""

    remote_id: str
    environment: str
    sha: str
    production: bool
    succeeded: bool
    at: datetime
    url: str = ""
    repository: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedRepository:
    """A repository beside the issue's own whose changes are a part of its fix, because an admin mapped it.

    An empty `tag_pattern` leaves it to the policy which tags count: to that of each platform.
    """

    name: str
    tag_pattern: str = "*"
    visible_to_public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFacts:
    """A work item in a tracker, keyed by `remote_id`, which survives renames and moves.

    `outcome` is already in our words (a table at the adapter's border); `outcome_label` is the
    tracker's own word for it. `canonical_ref` is set on a duplicate whose original is known.
    `visible_to_public` is false for private repositories and for every tracker that cannot say.
    """

    remote_id: str
    ref: str
    title: str
    url: str
    state: IssueState
    updated_at: datetime
    outcome: Outcome | None = None
    outcome_reason: OutcomeReason | None = None
    outcome_label: str = ""
    closed_at: datetime | None = None
    canonical_ref: str | None = None
    gone_why: str = ""
    locked: bool = False
    visible_to_public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueReading:
    """Everything one re-read of an issue found: the issue, its fixes, and where those fixes are.

    `versions` are those set on the issue; None where the tracker proves by code instead. `milestones`
    are what the issue is planned for (`released` says closed): they stand in where no code is linked.
    `repositories` are those mapped ones that have changes. `outside` are changes that touch nothing
    under `paths`, which is all that the tracker watches: they are no part of the fix here.
    Where another tracker's repositories prove it, `code_in` names these, and `pending` says what may
    be a part of the fix and is not merged.
    """

    facts: IssueFacts
    read_at: datetime
    changes: tuple[Change, ...] = ()
    releases: tuple[Release, ...] = ()
    containments: tuple[Containment, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    versions: tuple[Version, ...] | None = None
    milestones: tuple[Version, ...] = ()
    repositories: tuple[MappedRepository, ...] = ()
    outside: tuple[Change, ...] = ()
    paths: tuple[str, ...] = ()
    code_in: str = ""
    pending: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One line of proof that a person can follow."""

    kind: Literal["closed", "change", "contained", "release", "deployment", "version", "operator"]
    level: int
    label: str
    url: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One customer's complaint, as engineers see it on their ticket."""

    channel: str
    handle: str
    quote: str
    permalink: str
    said_at: datetime
    followers: int | None
    is_public: bool
    reopened: bool = False

"""The tables. They are also the queue: work is a row in a state, claimed by one statement, with a lease.

Every time is aware and in UTC; a naive one is refused at the border. Nothing here decides anything.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite stores it without its zone, so a naive value could mean anything and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is UTC:
            return value  # as PostgreSQL's driver gives it; a page of loops reads hundreds of them
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")
Id = BigInteger().with_variant(Integer(), "sqlite")


class Table(DeclarativeBase):
    """The base of every table; constraint names are fixed so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: UtcTime(),
        dict[str, Any]: Json,
        list[str]: Json,
        list[Any]: Json,
        str: Text(),
    }

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)


def _numbered(*rest: Any) -> tuple[Any, ...]:
    """Table arguments; on SQLite an id is never given out twice, not even after a delete."""
    return (*rest, {"sqlite_autoincrement": True})


def _only_where(name: str, column: str, condition: str) -> Index:
    """An index of the few rows that somebody looks for every moment; it costs nothing for all the others."""
    return Index(name, column, sqlite_where=sql_text(condition), postgresql_where=sql_text(condition))


class Member(Table):
    """A person using Fullcircle."""

    __tablename__ = "member"
    __table_args__ = _numbered(UniqueConstraint("key"))
    name: Mapped[str]
    key: Mapped[str]  # the name without regard to case, in every script
    role: Mapped[str]
    password_hash: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Token(Table):
    """An API token, a sign-in link or a signed-in browser; only its hash is kept."""

    __tablename__ = "token"
    __table_args__ = _numbered(UniqueConstraint("hash"))
    kind: Mapped[str] = mapped_column(default="api")  # api | link | session
    name: Mapped[str]
    role: Mapped[str]
    hash: Mapped[str]
    member_id: Mapped[int | None] = mapped_column(Id, ForeignKey("member.id"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Throttle(Table):
    """Failed tries to sign in by one name, from one address or both; or writes to a tracker under one name.

    Only a digest of what is counted is kept.
    """

    __tablename__ = "throttle"
    __table_args__ = _numbered(UniqueConstraint("key"))
    key: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime]
    until: Mapped[datetime | None]  # no password is looked at before; the latest turn to write that was given


class Connected:
    """What an account and a tracker have in common: settings, sealed secrets, health, a cursor and a poll."""

    name: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    secrets: Mapped[str] = mapped_column(default="")  # sealed
    kept: Mapped[str] = mapped_column(default="", server_default="")  # sealed: what the other side gave us to use
    kept_token: Mapped[str | None]  # who has it renewed now
    kept_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)  # counts every change of settings or secrets
    remote_id: Mapped[str] = mapped_column(default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ok: Mapped[bool] = mapped_column(default=True, server_default=true())
    why: Mapped[str] = mapped_column(default="")
    blocked: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # refused there: nothing is said meanwhile
    health_at: Mapped[datetime | None]
    proven_at: Mapped[datetime | None]  # when the credentials were last tried, and what stands below was told
    scopes: Mapped[list[str]] = mapped_column(default=list)
    expires_at: Mapped[datetime | None]
    quota: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cursor: Mapped[str | None]
    read_at: Mapped[datetime | None]
    poll_at: Mapped[datetime | None]
    poll_until: Mapped[datetime | None]  # the lease of the worker that polls now
    poll_token: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    resume_at: Mapped[datetime | None]  # the other side asked us to be quiet until then
    rejected: Mapped[int] = mapped_column(default=0, server_default="0")
    rejected_at: Mapped[datetime | None]
    rejected_why: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Account(Connected, Table):
    """Our connected profile on a channel."""

    __tablename__ = "account"
    __table_args__ = _numbered(Index(None, "channel", "remote_id"))
    channel: Mapped[str]
    mode: Mapped[str] = mapped_column(default="approve")
    handle: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    sent_at: Mapped[datetime | None]
    reread_at: Mapped[datetime | None]  # none of its posts is read again before
    reread_until: Mapped[datetime | None]  # the lease of the worker that reads them again now
    reread_token: Mapped[str | None]
    mute: Mapped[bool] = mapped_column(default=False, server_default=false())  # what it last tried to say was refused


class Spending(Table):
    """What one account's network has charged in one month of the calendar, in UTC."""

    __tablename__ = "spending"
    __table_args__ = _numbered(UniqueConstraint("account_id", "month"))
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("account.id"))
    month: Mapped[str] = mapped_column(String(7))  # `2026-03`
    micros: Mapped[int] = mapped_column(BigInteger, default=0)  # millionths of a US dollar


class Consent(Table):
    """An admin who is on a network's own page to let us in, or who came back from it without success.

    Of the state that comes back with them only a digest is kept in clear; everything else is sealed.
    """

    __tablename__ = "consent"
    __table_args__ = _numbered(UniqueConstraint("hash"))
    hash: Mapped[str]
    session_id: Mapped[int] = mapped_column(Id, ForeignKey("token.id"))  # the browser that must come back
    channel: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(Id, ForeignKey("account.id"))  # the one to connect again
    sealed: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Tracker(Connected, Table):
    """A connected repository or project."""

    __tablename__ = "tracker"
    __table_args__ = _numbered()
    kind: Mapped[str]
    url: Mapped[str] = mapped_column(default="")
    visible_to_public: Mapped[bool] = mapped_column(default=False)


class Customer(Table):
    """The person behind one or several identities."""

    __tablename__ = "customer"
    __table_args__ = _numbered(_only_where("ix_customer_unsettled", "id", "unsettled"))
    created_at: Mapped[datetime]
    # joined, parted, silenced or let speak again; their loops and replies have not followed yet
    unsettled: Mapped[bool] = mapped_column(default=False, server_default=false())


class Identity(Table):
    """Who wrote on one channel, keyed by the network's own id."""

    __tablename__ = "identity"
    __table_args__ = _numbered(UniqueConstraint("channel", "external_id"), Index(None, "customer_id"))
    channel: Mapped[str]
    external_id: Mapped[str]
    handle: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    url: Mapped[str | None]
    followers: Mapped[int | None]
    weak: Mapped[bool] = mapped_column(default=False)
    customer_id: Mapped[int] = mapped_column(Id, ForeignKey("customer.id"))
    joined_at: Mapped[datetime | None]
    joined_by: Mapped[str] = mapped_column(default="", server_default="")  # who said that it is the same person
    joined_from: Mapped[int | None] = mapped_column(Id)  # the customer it was before, and is again when parted
    suppressed_at: Mapped[datetime | None]
    suppressed_why: Mapped[str] = mapped_column(default="", server_default="")
    suppressed_by: Mapped[str] = mapped_column(default="", server_default="")  # a member; nobody: the customer asked
    seen_at: Mapped[datetime]


class Post(Table):
    """One public message by a customer; one row however many of our accounts saw it."""

    __tablename__ = "post"
    __table_args__ = _numbered(
        UniqueConstraint("channel", "canonical_id"),
        Index(None, "account_id", "external_id"),
        Index(None, "account_id", "answers_id"),
        Index(None, "state", "id"),
        Index(None, "loop_id"),
        Index(None, "identity_id"),
        _only_where("ix_post_unheard", "created_at", "answers_reply_id IS NOT NULL AND heard_at IS NULL"),
        Index("ix_post_to_read_again", "account_id", "read_again_at"),
        CheckConstraint("state IN ('new', 'tagged', 'dismissed', 'context')", name="state"),
        CheckConstraint("came_by IN ('network', 'address', 'hand')", name="came_by"),
    )
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("account.id"))
    channel: Mapped[str]
    external_id: Mapped[str]
    canonical_id: Mapped[str]
    url: Mapped[str]
    identity_id: Mapped[int] = mapped_column(Id, ForeignKey("identity.id"))
    text: Mapped[str]
    raw: Mapped[str]
    language: Mapped[str | None]
    visibility: Mapped[str]
    content_warning: Mapped[str] = mapped_column(default="")
    media: Mapped[list[Any]] = mapped_column(default=list)
    reply_ref: Mapped[dict[str, Any]] = mapped_column(default=dict)
    parent_id: Mapped[str | None]
    answers_id: Mapped[str | None]
    thread_id: Mapped[str]
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    taken_in_at: Mapped[datetime]
    came_by: Mapped[str] = mapped_column(default="network", server_default="network")  # network | address | hand
    state: Mapped[str] = mapped_column(default="new")
    read_again_at: Mapped[datetime | None]  # when its network is asked again what it says; never, where it is gone
    gone_at: Mapped[datetime | None]  # since when we know that it is deleted; its words are not here any more
    gone_why: Mapped[str] = mapped_column(default="", server_default="")
    # Loops and replies point at posts. The way back has no constraint: a circle of them cannot be made on both
    # databases alike, and PostgreSQL would lock the loop behind its post, against the order of all other locks.
    loop_id: Mapped[int | None] = mapped_column(Id)
    answers_reply_id: Mapped[int | None] = mapped_column(Id)
    heard_at: Mapped[datetime | None]
    heard: Mapped[str] = mapped_column(default="", server_default="")  # what the answer was heard as, with its reason


class Loop(Table):
    """One customer in one thread, waiting for a product change."""

    __tablename__ = "loop"
    __table_args__ = _numbered(
        UniqueConstraint("channel", "thread_id", "identity_id"),
        Index(None, "state", "id"),
        Index(None, "state", "owed"),
        Index(None, "identity_id"),
        _only_where("ix_loop_asking", "id", "needs_person <> ''"),
        _only_where("ix_loop_told_elsewhere", "waits_on", "waits_on IS NOT NULL"),
        CheckConstraint(
            "state IN ('open','linked','fixed','shipped','told','verified','declined','dropped','reopened')",
            name="state",
        ),
    )
    channel: Mapped[str]
    thread_id: Mapped[str]
    identity_id: Mapped[int] = mapped_column(Id, ForeignKey("identity.id"))
    post_id: Mapped[int] = mapped_column(Id, ForeignKey("post.id"))  # the post that is answered in this round
    state: Mapped[str]
    why: Mapped[str]
    owed: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # whether `owe` has decided on this shipment
    needs_person: Mapped[str] = mapped_column(default="", server_default="")
    untold: Mapped[str] = mapped_column(default="", server_default="")  # why a shipped loop is told nothing by itself
    waits_on: Mapped[int | None] = mapped_column(Id)  # the reply on its way that tells the same person elsewhere
    tell_by: Mapped[str] = mapped_column(default="", server_default="")  # who wants it told all the same
    round: Mapped[int] = mapped_column(default=1)
    tags: Mapped[list[str]] = mapped_column(default=list)
    platform: Mapped[str] = mapped_column(default="", server_default="")  # its tracker's words, by tags; empty: any
    team: Mapped[str | None]
    assignee: Mapped[str | None]
    verification: Mapped[str | None]  # confirmed | still_broken | no_answer
    refuted_at: Mapped[datetime | None]
    refuted_fix: Mapped[str] = mapped_column(default="", server_default="")  # the fix the customer found not working
    seen_at: Mapped[datetime]
    tagged_at: Mapped[datetime]
    linked_at: Mapped[datetime | None]
    fixed_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    thread_read_at: Mapped[datetime | None]  # where threads are read besides what the network tells us


class Link(Table):
    """Loop and issue, from when until when; a loop's present issue is its link without an end."""

    __tablename__ = "link"
    __table_args__ = _numbered(
        Index(None, "issue_id", "until"),
        Index(
            "uq_link_present",
            "loop_id",
            "issue_id",
            unique=True,
            sqlite_where=sql_text("until IS NULL"),
            postgresql_where=sql_text("until IS NULL"),
        ),
    )
    loop_id: Mapped[int] = mapped_column(Id, ForeignKey("loop.id"))
    issue_id: Mapped[int] = mapped_column(Id, ForeignKey("issue.id"))
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class Issue(Table):
    """A work item in a tracker, as last read; keyed by the tracker's immutable id."""

    __tablename__ = "issue"
    __table_args__ = _numbered(
        UniqueConstraint("tracker_id", "remote_id"),
        UniqueConstraint("marker"),
        _only_where("ix_issue_to_make", "create_at", "state = 'creating'"),
        _only_where("ix_issue_to_look_at", "look_at", "look_wanted > look_done"),
        _only_where("ix_issue_to_show", "block_at", "block_wanted > block_done"),
        _only_where("ix_issue_to_foretell", "pull_at", "pull_wanted > pull_done AND (pull_url <> '' OR pull_on <> '')"),
        CheckConstraint("state IN ('creating','open','closed','gone')", name="state"),
    )
    tracker_id: Mapped[int] = mapped_column(Id, ForeignKey("tracker.id"))
    remote_id: Mapped[str | None]
    ref: Mapped[str] = mapped_column(default="")
    title: Mapped[str]
    body: Mapped[str] = mapped_column(default="")  # what a new issue is to be made with
    marker: Mapped[str]
    url: Mapped[str] = mapped_column(default="")
    state: Mapped[str]
    outcome: Mapped[str | None]
    outcome_reason: Mapped[str | None]
    outcome_label: Mapped[str] = mapped_column(default="", server_default="")
    closed_at: Mapped[datetime | None]
    locked: Mapped[bool] = mapped_column(default=False)
    visible_to_public: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime | None]  # the tracker's own stamp, to drop facts older than these
    read_at: Mapped[datetime | None]  # when the reading that is stored here began
    verdict: Mapped[str] = mapped_column(default="not_yet")  # shipped | not_yet | not_fixed | gone
    why: Mapped[str] = mapped_column(default="")
    evidence: Mapped[list[Any]] = mapped_column(default=list)
    platforms: Mapped[list[Any]] = mapped_column(
        default=list, server_default="[]"
    )  # name, verdict and why of each, once it is fixed
    held_at: Mapped[datetime | None]
    held_why: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime]
    # making it
    create_at: Mapped[datetime | None]
    create_called_at: Mapped[datetime | None]  # the last call that may have made it without our knowing
    create_failures: Mapped[int] = mapped_column(default=0)
    # looking at it: one look at a time, and a counter that says another is due
    look_wanted: Mapped[int] = mapped_column(default=0)
    look_done: Mapped[int] = mapped_column(default=0)
    look_at: Mapped[datetime | None]
    look_failures: Mapped[int] = mapped_column(default=0)
    # the engineers' block
    block_wanted: Mapped[int] = mapped_column(default=0)
    block_done: Mapped[int] = mapped_column(default=0)
    block_at: Mapped[datetime | None]
    block_handle: Mapped[str | None]
    block_digest: Mapped[str] = mapped_column(default="", server_default="")
    block_why: Mapped[str] = mapped_column(default="", server_default="")
    # the comment on the pull request that fixes it
    pull_url: Mapped[str] = mapped_column(default="", server_default="")  # that pull request, as last read
    pull_wanted: Mapped[int] = mapped_column(default=0)
    pull_done: Mapped[int] = mapped_column(default=0)
    pull_at: Mapped[datetime | None]
    pull_failures: Mapped[int] = mapped_column(default=0)
    pull_on: Mapped[str] = mapped_column(default="", server_default="")  # where our comment is, or may be
    pull_handle: Mapped[str | None]
    pull_digest: Mapped[str] = mapped_column(default="", server_default="")
    pull_why: Mapped[str] = mapped_column(default="", server_default="")
    # the claim, for whichever of the four is being worked
    claim: Mapped[str | None]
    claim_until: Mapped[datetime | None]

    def why_on(self, platform: str) -> str:
        """Why the verdict is what it is, for a customer on this platform."""
        return next((str(one["why"]) for one in self.platforms if platform and one["name"] == platform), self.why)


class Shipment(Table):
    """Our verdict 'customers can have the fix', with its evidence; withdrawn ones are kept.

    One for the whole product, and one for each of its platforms.
    """

    __tablename__ = "shipment"
    __table_args__ = _numbered(
        Index(
            "uq_shipment_present",
            "issue_id",
            "platform",
            unique=True,
            sqlite_where=sql_text("withdrawn_at IS NULL"),
            postgresql_where=sql_text("withdrawn_at IS NULL"),
        )
    )
    issue_id: Mapped[int] = mapped_column(Id, ForeignKey("issue.id"))
    platform: Mapped[str] = mapped_column(default="", server_default="")
    label: Mapped[str]
    url: Mapped[str]
    public_label: Mapped[str]
    public_url: Mapped[str]
    at: Mapped[datetime]
    fixed_at: Mapped[datetime]
    fix: Mapped[str]
    evidence: Mapped[list[Any]]
    digest: Mapped[str]
    first_seen_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str] = mapped_column(default="", server_default="")


class Reply(Table):
    """Public outgoing text. One row for each (loop, round, kind); a person's own words have a slot of their own."""

    __tablename__ = "reply"
    __table_args__ = _numbered(
        UniqueConstraint("loop_id", "round", "slot"),
        UniqueConstraint("channel", "parent_canonical_id", "round", "slot"),
        Index(None, "state", "due_at"),
        Index(None, "account_id", "external_id"),
        _only_where("ix_reply_by_hand", "id", "hand_at IS NOT NULL"),
        CheckConstraint(
            "state IN ('draft','awaiting_approval','scheduled','sending','posted','held','unknown','refused','cancelled')",
            name="state",
        ),
    )
    loop_id: Mapped[int] = mapped_column(Id, ForeignKey("loop.id"))
    round: Mapped[int]
    kind: Mapped[str]
    slot: Mapped[str]  # the kind; `kind/n` for the n-th a person wrote
    written_by: Mapped[str | None]  # a person's name, or nothing where a template spoke
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("account.id"))
    channel: Mapped[str]
    post_id: Mapped[int] = mapped_column(Id, ForeignKey("post.id"))
    parent_canonical_id: Mapped[str]
    shipment_id: Mapped[int | None] = mapped_column(Id, ForeignKey("shipment.id"))
    evidence_digest: Mapped[str] = mapped_column(default="")
    state: Mapped[str]
    why: Mapped[str]
    stopped_by: Mapped[str | None]  # the person who cancelled or held it; nobody's own doing undoes that
    issue_hold: Mapped[bool] = mapped_column(default=False)  # held only because its issue is 'not for customers yet'
    text: Mapped[str]
    count: Mapped[int]
    limit: Mapped[int]
    cut: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str | None]
    visibility: Mapped[str]
    content_warning: Mapped[str] = mapped_column(default="")
    owed_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    # a task: held until a person has posted it by hand
    hand_at: Mapped[datetime | None]  # since when it is one; nothing where it is none (any more)
    hand_by: Mapped[str | None]  # who took it, and may have posted it, even where it is none any more
    # speaking
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    key: Mapped[str | None]
    key_at: Mapped[datetime | None]
    first_attempt_at: Mapped[datetime | None]
    in_flight: Mapped[bool] = mapped_column(default=False)
    absent_at: Mapped[datetime | None]  # the first look that did not find it
    absent_from: Mapped[datetime | None]  # looks before this prove nothing: the call might still arrive
    claim: Mapped[str | None]
    claim_until: Mapped[datetime | None]
    # spoken
    external_id: Mapped[str | None]
    url: Mapped[str | None]
    posted_at: Mapped[datetime | None]
    visible: Mapped[bool] = mapped_column(default=True)


class Attempt(Table):
    """One try to say one reply, begun before the call and ended after it; a crash leaves it without an end."""

    __tablename__ = "attempt"
    __table_args__ = _numbered(Index(None, "reply_id"))
    reply_id: Mapped[int] = mapped_column(Id, ForeignKey("reply.id"))
    number: Mapped[int]
    key: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")
    detail: Mapped[str] = mapped_column(default="")


class Delivery(Table):
    """An inbound webhook call as received, kept until it is worked."""

    __tablename__ = "delivery"
    __table_args__ = _numbered(
        UniqueConstraint("hook", "key"),
        Index(None, "state", "id"),
        CheckConstraint("state IN ('new', 'done', 'failed')", name="state"),
    )
    hook: Mapped[str] = mapped_column(String(60))  # `trackers/3` or `accounts/7`
    key: Mapped[str]
    event: Mapped[str]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    issues: Mapped[list[str]] = mapped_column(default=list)
    everything: Mapped[bool] = mapped_column(default=False)
    posts: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    state: Mapped[str] = mapped_column(default="new")
    why: Mapped[str] = mapped_column(default="")
    received_at: Mapped[datetime]
    worked_at: Mapped[datetime | None]


class Notice(Table):
    """A comment for engineers that notifies; made once, found again by its marker after a lost answer."""

    __tablename__ = "notice"
    __table_args__ = _numbered(UniqueConstraint("marker"), Index(None, "state", "due_at"))
    issue_id: Mapped[int] = mapped_column(Id, ForeignKey("issue.id"))
    loop_id: Mapped[int] = mapped_column(Id, ForeignKey("loop.id"))
    text: Mapped[str]
    marker: Mapped[str]
    state: Mapped[str] = mapped_column(default="due")  # due | told | failed
    why: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)
    claim: Mapped[str | None]
    claim_until: Mapped[datetime | None]
    external_id: Mapped[str | None]
    created_at: Mapped[datetime]


class Note(Table):
    """Internal text on a loop, never rendered outside."""

    __tablename__ = "note"
    __table_args__ = _numbered(Index(None, "loop_id"))
    loop_id: Mapped[int] = mapped_column(Id, ForeignKey("loop.id"))
    author: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]


class Template(Table):
    """The operator's own text of a reply; the shipped one stands behind it."""

    __tablename__ = "template"
    __table_args__ = _numbered(UniqueConstraint("scope", "kind", "language"))
    scope: Mapped[int]  # an account's id, or 0 for all of them
    kind: Mapped[str]
    language: Mapped[str]
    text: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class Voice(Table):
    """The switch of the public voice: one row, number 1."""

    __tablename__ = "voice"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)
    is_on: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(default="")


class Event(Table):
    """What happened to a loop, an issue, a reply, a customer or a connection, when, why and by whom."""

    __tablename__ = "event"
    __table_args__ = _numbered(Index(None, "loop_id"), Index(None, "issue_id"), Index(None, "customer_id"))
    at: Mapped[datetime]
    what: Mapped[str]
    why: Mapped[str] = mapped_column(default="")
    actor: Mapped[str] = mapped_column(default="")
    loop_id: Mapped[int | None] = mapped_column(Id)
    issue_id: Mapped[int | None] = mapped_column(Id)
    reply_id: Mapped[int | None] = mapped_column(Id)
    customer_id: Mapped[int | None] = mapped_column(Id)


class Request(Table):
    """An answered POST with an `Idempotency-Key`, so that asking again gives the same answer."""

    __tablename__ = "request"
    __table_args__ = _numbered(UniqueConstraint("token_id", "key"))
    token_id: Mapped[int] = mapped_column(Id)
    key: Mapped[str]
    digest: Mapped[str]
    loop_id: Mapped[int | None] = mapped_column(Id)
    at: Mapped[datetime]


class Worker(Table):
    """A worker process and when it was last heard of."""

    __tablename__ = "worker"
    __table_args__ = _numbered(UniqueConstraint("name"))
    name: Mapped[str]
    version: Mapped[str]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class StageDoc(Table):
    """A document of a rehearsal network, which has no other place to live."""

    __tablename__ = "stage_doc"
    __table_args__ = (UniqueConstraint("scene", "kind", "number"),)
    scene: Mapped[str]
    kind: Mapped[str]
    number: Mapped[int]
    doc: Mapped[dict[str, Any]]

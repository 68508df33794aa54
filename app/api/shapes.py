"""What goes over the wire: the shapes of requests and answers, with examples."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from app.api.values import Fields, RowId, Text
from app.rules.addresses import web_address
from app.rules.facts import CameBy, Mode, ReplyKind, TemplateKind


def _one_tag(value: str) -> str:
    text = " ".join(value.split())
    if not text:
        raise ValueError("a tag needs a word")
    return text


def _some_words(value: str) -> str:
    if not value.strip():
        raise ValueError("say it in a few words")
    return value.strip()


Tag = Annotated[Text, Field(max_length=100), AfterValidator(_one_tag)]


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]}, extra="forbid")


class NewAccount(BaseModel):
    """A profile to connect; its credentials are tried at once."""

    model_config = _example(
        channel="mastodon",
        name="Acme",
        settings={"base_url": "https://mastodon.example"},
        secrets={"access_token": "…"},
        mode="approve",
    )
    channel: Text = Field(max_length=50, description="The kind of network: mastodon, rehearsal …")
    name: Text = Field(min_length=1, max_length=200, description="What we call it among ourselves.")
    settings: Fields = Field(default_factory=dict, description="The channel's own settings (docs/channels).")
    secrets: Fields = Field(default_factory=dict, description="Sealed at once; no answer ever holds them.")
    mode: Mode = Field(
        "approve",
        description="`automatic` speaks by itself, `approve` waits for a person, `dry_run` does everything but the call, `by_hand` leaves each reply to a person to post.",
    )


class AccountPatch(BaseModel):
    """What is to change; settings and secrets are merged into what is there, and tried at once."""

    model_config = _example(secrets={"access_token": "…"})
    name: Text | None = Field(None, min_length=1, max_length=200)
    mode: Mode | None = None
    settings: Fields | None = None
    secrets: Fields | None = None


class Connection(BaseModel):
    """What an account and a tracker have in common."""

    id: int
    name: str
    settings: dict[str, Any]
    url: str
    ok: bool
    why: str
    last_read_at: datetime | None
    rejected_webhooks: int
    last_rejected_at: datetime | None
    last_rejected_why: str
    hook_url: str
    created_at: datetime


class AccountOut(Connection):
    """A connected profile. Secrets never leave."""

    channel: str
    handle: str
    mode: Mode
    last_sent_at: datetime | None


class NewTracker(BaseModel):
    """A repository or project to connect; its credentials are tried at once."""

    model_config = _example(
        kind="github",
        name="acme/app",
        settings={"api_url": "https://api.github.com", "repository": "acme/app", "shipped_when": "release"},
        secrets={"token": "…", "webhook_secret": "…"},
    )
    kind: Text = Field(max_length=50, description="The kind of tracker: github, rehearsal …")
    name: Text = Field(min_length=1, max_length=200, description="What we call it among ourselves.")
    settings: Fields = Field(default_factory=dict, description="The tracker's own settings (docs/trackers).")
    secrets: Fields = Field(default_factory=dict, description="Sealed at once; no answer ever holds them.")


class TrackerPatch(BaseModel):
    """What is to change; settings and secrets are merged into what is there, and tried at once."""

    model_config = _example(settings={"tag_pattern": "v*"})
    name: Text | None = Field(None, min_length=1, max_length=200)
    settings: Fields | None = None
    secrets: Fields | None = None


class TrackerOut(Connection):
    """A connected repository or project."""

    kind: str
    visible_to_public: bool


class Health(BaseModel):
    """Whether a connection works, tried just now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ok": False,
                    "why": "the access token was revoked",
                    "scopes": [],
                    "expires_at": "2026-12-01T00:00:00Z",
                    "quota": {},
                }
            ]
        }
    )
    ok: bool
    why: str
    scopes: list[str]
    expires_at: datetime | None
    quota: dict[str, Any]


class AccountHealth(Health):
    """The same of a profile, with what it did last and what it costs."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ok": True,
                    "why": "",
                    "scopes": ["tweet.read", "tweet.write"],
                    "expires_at": "2026-06-01T08:00:00Z",
                    "quota": {"remaining": 74, "limit": 75},
                    "read_at": "2026-03-04T16:51:12Z",
                    "sent_at": "2026-03-04T16:51:10Z",
                    "cost_this_month": 1.215,
                    "budget": 10.0,
                }
            ]
        }
    )
    read_at: datetime | None = Field(description="When it was last read to the end; null: never.")
    sent_at: datetime | None = Field(description="When something was last said through it; null: never.")
    cost_this_month: float | None = Field(
        description="US dollars since the month began (UTC), by the network's list of prices; null: it charges nothing."
    )
    budget: float | None = Field(description="US dollars that a month may cost; null: no limit was set.")


class PulledPosts(BaseModel):
    """How many posts were new."""

    posts: int


class PulledIssues(BaseModel):
    """How many issues were read again."""

    issues: int


class AuthorOut(BaseModel):
    """Who wrote a post."""

    identity_id: int
    customer_id: int = Field(description="The person behind it, who may have other identities.")
    handle: str
    name: str
    url: str | None
    followers: int | None
    weak: bool


class PostOut(BaseModel):
    """One public message by a customer."""

    id: int
    account_id: int
    channel: str
    external_id: str
    url: str
    text: str
    author: str = Field(description="The handle, or the name where there is none; never empty.")
    author_details: AuthorOut
    state: Literal["new", "tagged", "dismissed", "context"] = Field(
        description="`context` stands beside a post that somebody pasted; nobody has to triage it."
    )
    came_by: CameBy
    parent_id: str | None
    thread_id: str
    language: str | None
    visibility: str
    content_warning: str
    media: list[dict[str, Any]]
    created_at: datetime
    edited_at: datetime | None
    gone_at: datetime | None = Field(description="Since when it is known to be deleted; its words are kept no longer.")
    gone_why: str
    loop_id: int | None
    answers_reply_id: int | None
    heard: str = Field(description="What an answer to us was heard as.")


class Suggestion(BaseModel):
    """An issue a post may be about."""

    issue: IssueBrief
    score: float
    why: str


class IssueBrief(BaseModel):
    """An issue where it is only named."""

    id: int
    tracker_id: int
    ref: str
    title: str
    url: str
    state: str
    outcome: str | None
    outcome_reason: str | None
    why: str


class PolicyTrial(BaseModel):
    """Settings to try out, merged into the stored ones; nothing is changed."""

    model_config = _example(settings={"shipped_when": "closed"})
    settings: Fields = Field(default_factory=dict)


class TrackerTrial(BaseModel):
    """A tracker that is not connected yet: what its other side is asked with. Nothing of it is stored."""

    model_config = _example(
        kind="jira",
        settings={"base_url": "https://acme.atlassian.net", "project": "ACME"},
        secrets={"email": "bot@acme.example", "token": "…"},
    )
    kind: Text = Field(max_length=50, description="The kind of tracker: jira, github …")
    settings: Fields = Field(default_factory=dict, description="Those that lead to the project are enough.")
    secrets: Fields = Field(default_factory=dict, description="Used for this one question.")


class ChoiceOut(BaseModel):
    """A name on the other side that a setting can take."""

    value: str = Field(description="How the setting writes it.")
    title: str
    suggested: bool = Field(description="Whether the name usually means what the setting does.")


class ChoicesOut(BaseModel):
    """The other side's own names, by the setting that takes them. Empty where this kind of tracker has none."""

    model_config = _example(
        choices={
            "fixed_resolutions": [
                {"value": "Done", "title": "Done", "suggested": True},
                {"value": "Won't Do", "title": "Won't Do", "suggested": False},
            ]
        }
    )
    choices: dict[str, list[ChoiceOut]]


class ForeseenOut(BaseModel):
    """What would become of one waiting loop."""

    loop_id: int
    customer: str
    issue: IssueBrief
    told: bool = Field(description="Whether its customer would be told once the settle time is over.")
    why: str


class PreviewOut(BaseModel):
    """What a policy would do to the loops that wait, those that would be told first."""

    told: int
    waiting: int
    loops: list[ForeseenOut]
    issues_read: int
    issues_unread: int = Field(description="Issues that somebody waits for, beyond those read for this answer.")


class EvidenceOut(BaseModel):
    """One line of proof."""

    kind: str
    level: int
    label: str
    url: str
    at: datetime | None


class ShipmentOut(BaseModel):
    """The verdict 'customers can have the fix', with its proof."""

    label: str
    url: str
    evidence: list[EvidenceOut]
    at: datetime
    public_label: str
    first_seen_at: datetime


class PlatformOut(BaseModel):
    """How one platform of a product stands."""

    name: str
    verdict: Literal["shipped", "not_yet", "not_fixed", "gone"]
    why: str


class PullRequestOut(BaseModel):
    """Where people who are about to ship a fix read who will be told."""

    url: str
    why: str = Field(description="Why our comment does not stand there; empty where all is well.")


class IssueOut(IssueBrief):
    """A work item in a tracker, who waits for it, and whether it shipped."""

    waiting: int
    held: bool
    held_why: str
    closed_at: datetime | None
    read_at: datetime | None
    block: str = Field(description="How the engineers' block on the issue fares; empty where all is well.")
    pull_request: PullRequestOut | None = Field(
        description="The pull request that says who will be told, once it was spoken on."
    )
    evidence: list[EvidenceOut] = Field(description="What is proven so far.")
    shipment: ShipmentOut | None = Field(description="Of the whole product.")
    platforms: list[PlatformOut] = Field(description="Each of its product's platforms, once it is fixed.")
    loops: list[int]


class IssueRef(BaseModel):
    """An existing issue by its words (`ref`: an address, a key, a number), or a new one by its `title` and `body`."""

    model_config = _example(tracker_id=1, ref="12")
    tracker_id: RowId
    ref: Text | None = Field(None, min_length=1, max_length=500)
    title: Text | None = Field(None, max_length=250, description="Without one, the customer's first words.")
    body: Text | None = Field(None, max_length=60_000)

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.ref is not None and (self.title is not None or self.body is not None):
            raise ValueError("`ref` names an existing issue, `title` and `body` make a new one: send one or the other")
        return self


class NewLoop(BaseModel):
    """Tag a post, and say which issue it waits for, if one is known."""

    model_config = _example(post_id=1, tags=["export"], issue={"tracker_id": 1, "ref": "12"})
    post_id: RowId
    tags: list[Tag] = Field(default_factory=list, max_length=50)
    issue: IssueRef | None = None


class LoopPatch(BaseModel):
    """What is to change on a loop."""

    model_config = _example(tags=["export", "safari"], assignee="Kim")
    tags: list[Tag] | None = Field(None, max_length=50)
    team: Text | None = Field(None, max_length=200)
    assignee: Text | None = Field(None, max_length=200)
    state: Literal["dropped", "verified", "linked", "open", "reopened"] | None = None


class Clock(BaseModel):
    """When each of the seven steps was reached."""

    seen: datetime | None
    tagged: datetime | None
    linked: datetime | None
    fixed: datetime | None
    shipped: datetime | None
    told: datetime | None
    verified: datetime | None


class ReplyBrief(BaseModel):
    """A reply, without its attempts."""

    id: int
    loop_id: int
    round: int
    kind: ReplyKind
    state: str
    why: str
    text: str
    count: int
    limit: int
    cut: bool
    language: str | None
    visibility: str
    content_warning: str
    written_by: str | None
    approved_by: str | None
    due_at: datetime | None
    external_id: str | None
    url: str | None
    posted_at: datetime | None
    task: TaskOut | None = Field(description="Set while a person is to post it by hand.")


class TaskOut(BaseModel):
    """A reply that a person posts: the text is the reply's own, character for character."""

    since: datetime
    taken_by: str | None = Field(description="Who is posting it; nobody has taken it where this is null.")
    may_be_there: bool = Field(description="An earlier attempt may have said it: look in the thread first.")


class PostedByHand(BaseModel):
    """Where it stands, if that is known."""

    model_config = _example(url="https://www.reddit.com/r/acme/comments/1abcd/_/k2m3n4/")
    url: Text | None = Field(None, max_length=2000)

    @field_validator("url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return web_address(value) if value and value.strip() else None


class AttemptOut(BaseModel):
    """One try to say a reply."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    detail: str


class PriceOut(BaseModel):
    """What saying a text costs at most."""

    usd: float
    why: str = Field(description="What in it makes it dear; empty where nothing does.")


class ReplyOut(ReplyBrief):
    """Public outgoing text, and every try to say it."""

    answers_url: str = Field(description="The address of the post that it answers: the link to open.")
    price: PriceOut | None = Field(description="What saying it costs at most; null: its network charges nothing.")
    attempts: list[AttemptOut]


class NoteOut(BaseModel):
    """Internal text; it never leaves."""

    id: int
    author: str
    text: str
    at: datetime


class EventOut(BaseModel):
    """What happened, when, why and by whom."""

    at: datetime
    what: str
    why: str
    actor: str


class SuppressionOut(BaseModel):
    """Why somebody must not be answered automatically."""

    at: datetime
    why: str
    by: str = Field(description="The member who decided it; empty: the customer asked for it.")


class CustomerOfLoop(BaseModel):
    """Whose loop it is."""

    id: int
    identity_id: int
    suppression: SuppressionOut | None


class LoopBrief(BaseModel):
    """A loop in a list."""

    id: int
    state: str
    why: str
    needs_person: str
    untold: str = Field(
        description="Why the customer of a shipped loop is told nothing by itself; nobody has to do anything about it."
    )
    round: int
    tags: list[str]
    platform: str = Field(description="What it waits for, by its tags; empty: every platform of the product.")
    team: str | None
    assignee: str | None
    verification: str | None
    clock: Clock


class LoopOut(LoopBrief):
    """One customer in one thread, waiting for a product change."""

    customer: CustomerOfLoop
    posts: list[PostOut]
    issue: IssueBrief | None
    replies: list[ReplyBrief]
    notes: list[NoteOut]
    history: list[EventOut]


class IdentityOut(BaseModel):
    """Who somebody is on one channel."""

    id: int
    channel: str
    handle: str
    name: str
    url: str | None
    followers: int | None
    weak: bool = Field(description="A guest: never joined to anybody.")
    joined_at: datetime | None
    joined_by: str = Field(description="The member who said that it is this customer; empty: it always was.")
    suppression: SuppressionOut | None


class CustomerBrief(BaseModel):
    """A customer in a list."""

    id: int
    identities: list[IdentityOut]
    suppression: SuppressionOut | None = Field(description="Of the whole person: it holds on every channel.")


class LikelyOut(BaseModel):
    """An identity of somebody else that may be the same person; a hint, nothing more."""

    identity: IdentityOut
    customer_id: int
    why: str


class CustomerOut(CustomerBrief):
    """The person behind one or several identities. Of posts, loops and what they were told, the newest fifty."""

    posts: list[PostOut]
    loops: list[LoopBrief]
    told: list[ReplyBrief]
    history: list[EventOut]
    likely: list[LikelyOut]


class JoinIn(BaseModel):
    """An identity that is the same person."""

    model_config = _example(identity_id=7)
    identity_id: RowId


class SuppressIn(BaseModel):
    """Why a customer is not to be answered automatically."""

    model_config = _example(why="asked us by e-mail")
    why: Annotated[Text, Field(min_length=1, max_length=500), AfterValidator(_some_words)]


class NewNote(BaseModel):
    """Internal text for colleagues."""

    model_config = _example(text="Asked for a log by e-mail.")
    text: Text = Field(min_length=1, max_length=20_000)


class NewReply(BaseModel):
    """Words a person writes to the customer."""

    model_config = _example(text="Thank you for the details, our engineers are on it.", kind="progress")
    text: Text = Field(min_length=1, max_length=20_000)
    kind: ReplyKind = "progress"


class ReplyPatch(BaseModel):
    """The text as it shall be read in public, without the prefix that the network adds."""

    model_config = _example(text="The fix is out in v2.4.1. Does it work for you now?")
    text: Text = Field(min_length=1, max_length=20_000)


class Hold(BaseModel):
    """Why an issue is not for customers yet."""

    model_config = _example(why="behind a flag, 5 % rollout")
    why: Text = Field("an engineer asked to wait", min_length=1, max_length=500)


class VoiceIn(BaseModel):
    """The switch of the public voice."""

    model_config = _example(on=False)
    on: bool


class VoiceOut(BaseModel):
    """Whether anything is said in public, and who decided it."""

    on: bool
    changed_at: datetime | None
    changed_by: str


class TemplateIn(BaseModel):
    """A template in Jinja, for one language, of one account or of all."""

    model_config = _example(
        account_id=None,
        language="en",
        text="{{ customer }}, the fix is out in {{ version }}. Does it work for you now?",
    )
    account_id: RowId | None = None
    language: str = Field(min_length=2, max_length=35, pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$")
    text: Text = Field(max_length=10_000)


class TemplateOut(BaseModel):
    """One template; `shipped` ones came with Fullcircle."""

    kind: TemplateKind
    account_id: int | None
    language: str
    text: str
    shipped: bool
    changed_at: datetime | None
    changed_by: str


class TemplateList(BaseModel):
    """The operator's templates and the shipped ones behind them."""

    items: list[TemplateOut]
    variables: list[str] = Field(description="What a template may read.")


class DeliveryOut(BaseModel):
    """An inbound webhook call."""

    id: int
    key: str
    event: str
    state: str
    why: str
    received_at: datetime


class Problem(BaseModel):
    """An error (RFC 9457), for a person to read."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = Field(default_factory=list)


ReplyBrief.model_rebuild()
ReplyOut.model_rebuild()
Suggestion.model_rebuild()

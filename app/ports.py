"""What a channel and a tracker are to Fullcircle, and the one error they raise.

A channel or a tracker is one file. It is handed a `Connection` and turns the vendor's words into
ours; it keeps no state of its own but what a new one finds out again (a token made of its
credentials) or what its `Keeper` keeps, opens no transaction and reads no clock but the one it is given.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

import httpx
from pydantic import AfterValidator, BaseModel, Field

from app.rules.facts import Envelope, IssueFacts, IssueReading, Outgoing, Post, Sent, ShippedWhen, ThreadLook
from app.rules.platforms import Platform, read_platforms, written


def _platforms(value: str) -> str:
    return written(read_platforms(value))


def _released_platforms(value: str) -> str:
    if any(one.ships_by == "deployment" for one in read_platforms(value)):
        message = "this tracker knows no deployments; write what the platform's releases are called, as in iOS: ios-*"
        raise ValueError(message)
    return _platforms(value)


_PLATFORMS = Field(
    max_length=2000,
    title="Platforms",
    description="Only where a product ships to several, each by itself. One a line, with what its releases are called: "
    "'iOS: ios-v*'; or, where it is deployed: 'Web: deployment production'. A customer whose loop is tagged ios then "
    "waits for iOS only, and one whose platform nobody knows for all of them.",
    json_schema_extra={"lines": True},
)
Platforms = Annotated[str, AfterValidator(_platforms), _PLATFORMS]
"""A tracker's setting: the platforms of its product, as `rules.platforms` reads them."""
ReleasedPlatforms = Annotated[str, AfterValidator(_released_platforms), _PLATFORMS]
"""The same where nothing is known of deployments."""


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        message = f"not a regular expression: {error}"
        raise ValueError(message) from error
    return value


RegularExpression = Annotated[str, AfterValidator(_pattern)]
"""A setting that is one."""

Kind = Literal[
    "gone",  # the post, issue or release is deleted, or was never there
    "forbidden",  # it is there, and we may not
    "auth_broken",  # our credentials are refused
    "suspended",  # our account is frozen, suspended or out of credit there
    "too_long",
    "invalid",  # the other side refused what we sent as malformed; repeating it is pointless
    "rate_limited",
    "transient",  # nothing was done; a later attempt may work
    "unknown",  # we cannot tell whether it was done
    "misconfigured",  # settings that cannot work: no such repository, not an API
]

PERMANENT: frozenset[Kind] = frozenset({"gone", "forbidden", "too_long", "invalid", "misconfigured"})


class OutsideError(Exception):
    """Something on the other side went wrong; the message is for a person and holds no secret.

    `permanent` means that repeating the same call will fail the same way. `retry_at` is the other
    side's own word on when to come back. `in_flight` (only with kind `unknown`) means that the
    other side may still be working on it: a time-out or a cut line, as opposed to an answered 500.
    `field` names the one setting or secret that is to blame, where that is known ('settings.app_id').
    """

    def __init__(
        self,
        message: str,
        kind: Kind,
        *,
        retry_at: datetime | None = None,
        in_flight: bool = False,
        field: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind: Kind = kind
        self.permanent = kind in PERMANENT
        self.retry_at = retry_at
        self.in_flight = in_flight
        self.field = field


class Stage(Protocol):
    """A small store of documents for the rehearsal adapters, which have no other side to keep theirs.

    A `scene` is one rehearsal network (an account's or tracker's setting); a `kind` is the sort of
    document. Ids count up from 1 within a scene and are never used twice.
    """

    async def add(self, scene: str, kind: str, doc: Mapping[str, Any]) -> int:
        """Keep a new document; returns its id."""
        ...

    async def put(self, scene: str, kind: str, key: int, doc: Mapping[str, Any]) -> None:
        """Replace a document. KeyError where there is none."""
        ...

    async def get(self, scene: str, kind: str, key: int) -> dict[str, Any] | None:
        """One document, or None."""
        ...

    async def all(
        self, scene: str, kind: str, *, after: int = 0, limit: int = 1000
    ) -> list[tuple[int, dict[str, Any]]]:
        """Documents with an id above `after`, lowest first, at most `limit`."""
        ...


Renewal = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Given what is kept, asks the other side for what is to be kept from now on."""


class Keeper(Protocol):
    """Credentials that the other side gave an adapter and changes as it likes: a session, a token that rotates.

    They are sealed beside the connection's secrets, and every process has the same ones. JSON values only.
    """

    async def kept(self) -> dict[str, Any]:
        """What is kept now; empty where nothing is. Never what a `renew` has not stored yet."""
        ...

    async def renew(self, seen: Mapping[str, Any], renewal: Renewal) -> dict[str, Any]:
        """Have what was `seen` replaced, and return what is kept after it.

        Of all who ask at the same moment, in whatever process, one runs its `renewal`; the others are given
        the result. Who comes later and has not seen it yet is given it too. It is stored before anybody has it,
        and a caller that gives up waiting does not stop it: a token that rotates is not lost on the way.
        """
        ...


class Pocket:
    """A keeper for a connection that is not stored yet: what it holds is stored with it, or forgotten."""

    def __init__(self, kept: Mapping[str, Any] | None = None) -> None:
        self._kept = dict(kept or {})
        self._turn = asyncio.Lock()

    async def kept(self) -> dict[str, Any]:
        """What was put in so far."""
        return dict(self._kept)

    async def renew(self, seen: Mapping[str, Any], renewal: Renewal) -> dict[str, Any]:
        """As `Keeper` says, among the callers of this one."""
        async with self._turn:
            if self._kept == seen:
                self._kept = dict(await renewal(dict(self._kept)))
            return dict(self._kept)


class Meter(Protocol):
    """What a network has charged this month, in US dollars; a month is one of the calendar, in UTC.

    A call is charged before it is made, by the most it may cost, and what it did not cost is given back after:
    a crash in between counts too much, never too little.
    """

    async def spent(self) -> Decimal:
        """What this month has cost so far, all that was charged included."""
        ...

    async def charge(self, usd: Decimal, *, budget: Decimal | None) -> None:
        """Count it. OutsideError `rate_limited` until next month, and nothing counted, where it would pass the budget."""
        ...

    async def give_back(self, usd: Decimal) -> None:
        """Count off what was charged and not spent."""
        ...


def over_budget(spent: Decimal, usd: Decimal, budget: Decimal, *, retry_at: datetime | None) -> OutsideError:
    """What `Meter.charge` raises."""
    return OutsideError(
        f"the monthly budget of ${budget:f} would be passed: ${spent:f} is spent, and this may cost ${usd:f}. "
        "Raise the budget in the account's settings, or wait for next month",
        "rate_limited",
        retry_at=retry_at,
    )


class Tally:
    """A meter for a connection that is not stored yet: what it counts begins at nothing and is forgotten with it."""

    def __init__(self) -> None:
        self._spent = Decimal(0)

    async def spent(self) -> Decimal:
        """What was counted so far."""
        return self._spent

    async def charge(self, usd: Decimal, *, budget: Decimal | None) -> None:
        """As `Meter` says."""
        if budget is not None and self._spent + usd > budget:
            raise over_budget(self._spent, usd, budget, retry_at=None)
        self._spent += usd

    async def give_back(self, usd: Decimal) -> None:
        """As `Meter` says."""
        self._spent -= usd


class Unbounded:
    """A meter that refuses nothing, for what a person asks for at this moment: it is counted all the same.

    A budget that is nearly or wholly spent must not keep its account from being connected again, or the budget
    from being set to anything.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    async def spent(self) -> Decimal:
        """As the meter behind it says."""
        return await self._meter.spent()

    async def charge(self, usd: Decimal, *, budget: Decimal | None) -> None:
        """Count it, whatever the budget."""
        await self._meter.charge(usd, budget=None)

    async def give_back(self, usd: Decimal) -> None:
        """As `Meter` says."""
        await self._meter.give_back(usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What an adapter is handed: settings and secrets of its own two models, and the means to work.

    `facts` is what `connect` learned (a `Profile` or `Project`, its `facts` mapping): an
    instance's own limits, a repository's numeric id. `remote_id` is our own id on the other side,
    empty before the first `connect`. `base_url` is Fullcircle's own address (for links to itself).
    """

    settings: Any
    secrets: Any
    http: httpx.AsyncClient
    now: Callable[[], datetime]
    base_url: str
    remote_id: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    stage: Stage | None = None
    keeper: Keeper = field(default_factory=Pocket, repr=False)
    meter: Meter = field(default_factory=Tally, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Our account on a channel, as the channel itself calls it. `facts` is kept and handed back in `Connection`."""

    remote_id: str
    handle: str
    url: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    quota: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The repository or project a tracker watches."""

    remote_id: str
    name: str
    url: str
    visible_to_public: bool
    facts: Mapping[str, Any] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    quota: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPage:
    """Posts, oldest first in their threads, and the cursor that is right once they are stored; None: it stays as it is.

    `gone` are external ids of posts that the network says are deleted, where it tells that.
    """

    posts: tuple[Post, ...]
    cursor: str | None
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A verified webhook call: its unique key, its name, and what it hints at.

    `issues` are remote ids to look at; `everything` asks for a look at each issue somebody waits
    for (a release changed). `posts` are external ids of posts that were changed or deleted, to be read
    again at once. A hint is never believed, only followed. `answer` is set on a handshake:
    it is given back as plain text, and nothing of the call is kept.
    """

    key: str
    event: str
    issues: tuple[str, ...] = ()
    everything: bool = False
    posts: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePage:
    """Remote ids of issues that changed, and the cursor that is right once they are noted."""

    issues: tuple[str, ...]
    cursor: str | None


class BadSignatureError(Exception):
    """A webhook call that does not prove who sent it; the message tells the admin what was wrong with it."""


class Channel(Protocol):
    """A kind of network on which customers speak. Every method may raise OutsideError."""

    name: ClassVar[str]
    title: ClassVar[str]
    Settings: ClassVar[type[BaseModel]]
    Secrets: ClassVar[type[BaseModel]]
    poll_every: ClassVar[timedelta]
    max_automatic_replies_per_post: ClassVar[int]

    def __init__(self, connection: Connection) -> None: ...

    async def connect(self) -> Profile:
        """Prove the credentials and learn the network's own limits."""
        ...

    def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[PostPage]:
        """What was said to us after `cursor`, page by page in steady memory; without a cursor, what was said since `since`."""
        ...

    async def find(self, url: str) -> Post:
        """The post at a public address, read through this account's own network. OutsideError `gone` or `invalid`."""
        ...

    async def look(self, post: Post) -> ThreadLook:
        """Read the customer's post and our own replies under it, as they are now. OutsideError `gone` or `forbidden`."""
        ...

    async def send(self, outgoing: Outgoing) -> Sent:
        """Say it, once. Whatever is not known to have failed is OutsideError `unknown`."""
        ...

    def envelope(self, post: Post) -> Envelope:
        """What the network adds to an answer to this post."""
        ...

    def count(self, text: str, *, content_warning: str = "") -> int:
        """The length of a whole public text, prefix and all, in the network's own unit."""
        ...

    def receive(self, *, method: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """Verify a webhook call on its raw bytes. BadSignatureError; NotImplementedError where the network has none."""
        ...


@runtime_checkable
class Threaded(Protocol):
    """What a channel offers besides where what was said to us may come without being told: it reads whole threads."""

    async def read_thread(self, post: Post) -> tuple[Post, ...]:
        """What was said below this post by anybody but us, oldest first. OutsideError `gone` or `forbidden`."""
        ...


Nearness = Literal["here", "perhaps", "no"]
"""Whether a post at an address is on an account's own network, may be read through it all the same, or is not."""


@runtime_checkable
class Addressed(Protocol):
    """What a channel offers besides where it can tell by an address alone whose it is. One without it may be asked."""

    def reaches(self, url: str) -> Nearness:
        """Whether `find` may read the post at this address. Nothing is asked of the outside."""
        ...


@runtime_checkable
class Conversing(Protocol):
    """What a channel offers besides where a post is shown with what was said around it, for a person who reads it."""

    async def read_around(self, post: Post) -> tuple[Post, ...]:
        """What others than we said above and below this post, oldest first, as far as one look shows it."""
        ...


@runtime_checkable
class Rereading(Protocol):
    """What a channel offers besides where many posts can be read again in one call."""

    rereads_at_once: ClassVar[int]

    async def reread(self, posts: Sequence[Post]) -> Mapping[str, Post | None]:
        """These posts as they are now, by `external_id`; None is deleted or hidden, one left out is not known.

        None is proof: what we kept of its words is thrown away. Where an absence may mean something else (a cache,
        a block against us, a page that was cut), leave it out or look again. At most `rereads_at_once` are asked for.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What saying a text costs, in US dollars, and what in it makes it dear ('README.md becomes a link'), or nothing."""

    usd: Decimal
    why: str = ""


@runtime_checkable
class Priced(Protocol):
    """What a channel offers besides where its network charges for every word: shown before somebody signs it."""

    def price(self, text: str) -> Price:
        """What saying this whole public text costs at most."""
        ...


@runtime_checkable
class Authorizing(Protocol):
    """What a channel offers besides where an admin lets us in on the network's own page (OAuth 2.0 with PKCE, S256).

    It is asked with a connection that has no access yet: the secrets hold what the network calls the client.
    """

    granted: ClassVar[tuple[str, ...]]
    """The secrets that the network's page gives, so that nobody has to enter them."""

    def authorization_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Where the admin is sent; the network sends them back to `redirect_uri` with `state` and a code."""
        ...

    async def exchange(self, *, code: str, verifier: str, redirect_uri: str) -> None:
        """Turn the code into access, put into the keeper. OutsideError `auth_broken` where it is used up or expired."""
        ...


class Tracker(Protocol):
    """Where engineers keep their work. Every method may raise OutsideError.

    One whose other side bounds how much is written there says so in `write_limits`, a tuple of
    WriteLimit: `create`, `show` and `tell` then wait for their turn, over all processes together.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Settings: ClassVar[type[BaseModel]]
    Secrets: ClassVar[type[BaseModel]]
    poll_every: ClassVar[timedelta]
    settle: ClassVar[timedelta]
    block_limit: ClassVar[int]

    def __init__(self, connection: Connection) -> None: ...

    async def connect(self) -> Project:
        """Prove the credentials and find the repository or project."""
        ...

    async def find(self, ref: str) -> IssueFacts:
        """The issue a person names by address, key or number. OutsideError `gone` where there is none, `invalid` where the words name none."""
        ...

    async def create(self, *, title: str, body: str, marker: str) -> IssueFacts:
        """Make an issue that carries `marker` invisibly, so that `find_created` can tell it from any other."""
        ...

    async def find_created(self, *, marker: str, since: datetime) -> IssueFacts | None:
        """The issue an earlier, unanswered `create` made, or None."""
        ...

    async def read(self, remote_id: str, *, ref: str) -> IssueReading:
        """Everything about one issue: the truth that webhooks only hint at. A deleted issue is facts with state `gone`, no error."""
        ...

    def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[IssuePage]:
        """Which issues changed after `cursor` (or since `since`); overlapping is fine, a gap is not."""
        ...

    async def show(self, issue: IssueFacts, *, block: str, handle: str | None) -> str:
        """Put the engineers' block on the issue, editing the one `handle` names in place; returns its handle.

        OutsideError `gone` where somebody removed the block: it is then never made again.
        """
        ...

    async def tell(self, issue: IssueFacts, *, text: str, marker: str) -> str:
        """One new comment that notifies; carries `marker` and is not made twice. Returns its id."""
        ...

    def receive(self, *, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """Verify a webhook call on its raw bytes. BadSignatureError; ValueError where the signed body is no JSON."""
        ...


@runtime_checkable
class Hooked(Protocol):
    """What a channel or a tracker offers besides where it can arrange its own webhook; only when an admin asks for it."""

    hook_events: ClassVar[tuple[str, ...]]
    """What it has to tell of, in the words of the other side's pages: for a person who sets it up there."""
    hook_fields: ClassVar[Mapping[str, str]]
    """What else its form there asks for. A value may name settings in braces."""

    async def set_up_hook(self, *, url: str) -> None:
        """Have the other side call `url`, signed with our webhook secret; one that is there already is put right.

        OutsideError `forbidden` where our credentials do not reach so far.
        """
        ...


@runtime_checkable
class Redelivering(Protocol):
    """What a tracker offers besides where the other side remembers the calls that did not arrive."""

    async def send_again(self, *, url: str) -> int:
        """Ask for the calls to `url` that did not arrive, each once; returns how many. 0 where we may not ask."""
        ...


@runtime_checkable
class CodeHost(Protocol):
    """What a tracker offers besides where code is kept beside its issues: proof for the issues of another tracker."""

    async def code_naming(
        self, key: str, facts: IssueFacts, *, shipped_when: ShippedWhen, platforms: tuple[Platform, ...]
    ) -> IssueReading:
        """A reading of the other tracker's issue: the changes here that name its `key`, and what holds them.

        What holds them are releases or deployments, as the other tracker's policy asks; those of its `platforms` where it
        has any. `facts` are taken over as they are.
        """
        ...


@runtime_checkable
class Reviewed(Protocol):
    """What a tracker offers besides where a fix is a pull request on which people can be spoken to."""

    async def show_on_change(self, change: str, *, text: str, handle: str | None) -> str:
        """Put one comment on the pull request at this address, editing the one `handle` names in place; returns its handle.

        `change` is a `Change.pull`. OutsideError `gone` where somebody removed the comment: it is then never made again;
        `forbidden` where everybody could read it, or where it may not be written.
        """
        ...

    async def find_on_change(self, change: str, *, text: str) -> str | None:
        """The handle of the comment that an earlier, unanswered `show_on_change` made, known by the marker in `text`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A name on the other side that a setting can take.

    `value` is how the setting writes it, `title` how people there call it. `suggested` is a guess at
    what the name usually means: it is shown to a person, and never acted on.
    """

    value: str
    title: str
    suggested: bool = False


@runtime_checkable
class Choosing(Protocol):
    """What a tracker offers besides where the other side knows the names that its settings take."""

    choosable: ClassVar[tuple[str, ...]]
    """Those settings."""

    async def choices(self) -> Mapping[str, Sequence[Choice]]:
        """What each of those settings can be there, without those that cannot be asked for."""
        ...


@dataclass(frozen=True, slots=True)
class Registry:
    """The channels and trackers this installation has, by name."""

    channels: Mapping[str, type[Channel]]
    trackers: Mapping[str, type[Tracker]]

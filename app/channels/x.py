"""X: one account, its mentions, and answers to the very posts that mention it.

Obeys https://docs.x.com/x-api and, where that is silent, what its API is known to say;
docs/channels/x.md says how that was proven. Mentions are polled; each call is counted at its price.
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote, urlencode

import httpx
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SecretStr, ValidationInfo, field_validator

from app.http import ask, is_html, json_of, retry_at, server_address
from app.ports import Channel, Connection, Hook, Kind, Nearness, OutsideError, PostPage, Price, Profile
from app.rules.facts import Author, Envelope, Media, Outgoing, OwnReply, Post, Sent, ThreadLook
from app.rules.plaintext import storable
from app.rules.quoting import same_text
from app.rules.told import in_ascii, moment, objects, parsed, word

JSON = Mapping[str, Any]

WEB = "https://x.com"
LIMIT = 280  # weighted: https://docs.x.com/fundamentals/counting-characters
PAGE, LEAST_PAGE = 100, 5  # results of one call, at most and at least
PAGES_AT_ONCE = 50  # mentions come newest first, and so many pages of them are turned round in memory
ABOVE = 5  # posts above a pasted one that are looked up
BESIDE = 20  # posts of its thread that are asked for: each that is shown has its price
OWN_PAGES = 5  # how much of what we said ourselves a look reads at most

# https://docs.x.com/x-api/getting-started/pricing, in US dollars; a reply with a link in it costs like any post with one.
MENTION, POST, OWN_POST, USER = Decimal("0.001"), Decimal("0.005"), Decimal("0.001"), Decimal("0.010")
REPLY, REPLY_WITH_LINK = Decimal("0.010"), Decimal("0.200")

SCOPES = ("tweet.read", "users.read", "tweet.write", "offline.access")

SOON = timedelta(minutes=2)
"""An access token that ends so soon, or in a tenth of its life, is renewed before it is used."""

REFUSED_FOR = timedelta(minutes=10)
"""For how long a refresh token that was refused is not tried again."""

LOST_WITHIN = timedelta(days=8)
"""No reply is looked for that may have been made earlier."""

SAID_WITHIN = timedelta(hours=1)
"""Where X refuses words as said before, they are this reply's if they were said so shortly before its attempt."""

PORTAL = "console.x.com → Apps → your app"
SUMMONED = "X lets us answer only a post that names"


def _as_number(value: Decimal) -> float:
    return float(value)


class XSettings(BaseModel):
    """Which account, what it may spend, and how far back to read at first."""

    username: str = Field(
        title="User name",
        description="The account that shall speak, without the @, for example acme.",
        max_length=60,
    )
    monthly_budget_usd: Annotated[Decimal, PlainSerializer(_as_number, when_used="json")] = Field(
        Decimal(10),
        ge=0,
        le=1_000_000,
        title="Budget a month, in US dollars",
        description="X charges for what is read and said. What would pass this is neither read nor said until next month.",
        json_schema_extra={"upfront": True},
    )
    first_days: int = Field(
        3,
        ge=0,
        le=30,
        title="Days to read at first",
        description="How many days of mentions are taken in when the account is connected for the first time.",
    )
    api_url: str = Field(
        "https://api.x.com",
        title="Address of the API",
        description="Leave it as it is, unless X's API is reached through a proxy of your own.",
        max_length=300,
    )
    authorize_url: str = Field(
        f"{WEB}/i/oauth2/authorize",
        title="Address of the page that asks for access",
        description="Where X asks the account's owner whether Fullcircle may read and write for it. Leave it as it is.",
        max_length=300,
    )
    naming: Literal["tweet", "post"] = Field(
        "tweet",
        title="What the API calls a post",
        description="X is renaming tweets to posts in its API. Change this only where X refuses the parameter tweet.fields.",
    )

    @field_validator("username")
    @classmethod
    def _name(cls, value: str) -> str:
        text = value.strip().rstrip("/").removeprefix("@")
        text = re.sub(r"^(https?://)?((www|mobile)\.)?(x|twitter)\.com/@?", "", text, flags=re.IGNORECASE)
        if not re.fullmatch(r"[A-Za-z0-9_]{1,20}", text):
            raise ValueError("this is not a user name; enter it like acme, as it stands behind the @")
        return text

    @field_validator("api_url")
    @classmethod
    def _api(cls, value: str) -> str:
        url = server_address(value, example="https://api.x.com", at_stake="access token")
        path = re.sub(r"/2(/.*)?$", "", url.path).rstrip("/")
        return str(url.copy_with(path=path or "/", query=None, fragment=None)).rstrip("/")

    @field_validator("authorize_url")
    @classmethod
    def _page(cls, value: str) -> str:
        url = server_address(value, example=f"{WEB}/i/oauth2/authorize", at_stake="client's name")
        return str(url.copy_with(query=None, fragment=None))


class XSecrets(BaseModel):
    """What X calls the client, and what it gives that client for this account."""

    model_config = ConfigDict(hide_input_in_errors=True)

    client_id: SecretStr = Field(
        title="Client ID",
        description=f"Under {PORTAL} → Keys and tokens → OAuth 2.0 Client ID and Client Secret.",
    )
    client_secret: SecretStr | None = Field(
        None,
        title="Client secret",
        description="From the same place. Leave it empty where the app's type is Native App or Single page App.",
        json_schema_extra={"upfront": True},
    )
    access_token: SecretStr | None = Field(
        None,
        title="Access token",
        description="OAuth 2.0, of the account itself. X's own page gives it when you connect there; only without that, paste one.",
    )
    refresh_token: SecretStr | None = Field(
        None,
        title="Refresh token",
        description="Comes with the access token where the scope offline.access was asked for; without it access ends after two hours.",
    )

    @field_validator("client_id", "client_secret", "access_token", "refresh_token")
    @classmethod
    def _one_word(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        text = value.get_secret_value().strip() if value is not None else ""
        if not text and info.field_name != "client_id":
            return None  # a field of a form that was left empty
        if not re.fullmatch(r"[!-~]{1,2000}", text):
            raise ValueError("this is none of X's: one word of letters, digits and signs is expected")
        return SecretStr(text)


# --- How X counts, and what it makes a link of. No network is needed from here to the adapter. ----


@cache
def _twitter_text() -> ModuleType:
    """X's own rules (`twitter-text`, configuration 3), loaded when first needed: they make one pattern of all emoji.

    The package reads its table of emoji through `pkg_resources`, which setuptools has no more; this is
    all that it takes of it.
    """

    def resource_string(module: str, name: str) -> bytes:
        return resources.files(module.rpartition(".")[0]).joinpath(name).read_bytes()

    stand_in = ModuleType("pkg_resources")
    vars(stand_in)["resource_string"] = resource_string
    before = sys.modules.get("pkg_resources")
    sys.modules["pkg_resources"] = stand_in
    try:
        import twitter_text  # type: ignore[import-untyped]
    finally:
        del sys.modules["pkg_resources"]
        if before is not None:
            sys.modules["pkg_resources"] = before
    module: ModuleType = twitter_text
    return module


_ADDRESS = re.compile(r"https?://[^\s]+", re.IGNORECASE)
ADDRESS_COUNTS = 23


def weighted_length(text: str) -> int:
    """Of 280: most letters count 1, CJK and emoji 2, an address 23 however long it is.

    An address that the package knows no such end of (`.example`) may be one to X by now: the longer of both counts.
    """
    if not text:
        return 0
    text = storable(text)
    unknown = [address for address in _ADDRESS.findall(text) if not _twitter_text().extract_urls(address)]
    missing = sum(max(ADDRESS_COUNTS - len(address), 0) for address in unknown)
    return int(_twitter_text().parse_tweet(text).weightedLength) + missing


def linked_words(text: str) -> tuple[str, ...]:
    """What X makes a link of, in order: addresses, and words that look like one to it, such as `README.md` or `v2.io`."""
    text = storable(text)
    known = [str(url) for url in _twitter_text().extract_urls(text)]
    rest = text
    for url in known:
        rest = rest.replace(url, " ", 1)
    found = [*known, *_ADDRESS.findall(rest)]
    return tuple(sorted(found, key=text.find))


# --- X's words into ours --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Naming:
    """What one of the API's two vocabularies calls things, when it is asked."""

    fields: Mapping[str, str]
    """Parameters that say how much is told of a post, its author and its pictures."""


_OF_USERS = "id,name,username,protected,public_metrics,verified"
_OF_MEDIA = "alt_text,media_key,preview_image_url,type,url,variants"
NAMINGS: Mapping[str, Naming] = {
    "tweet": Naming(
        {
            "tweet.fields": "attachments,author_id,conversation_id,created_at,edit_controls,edit_history_tweet_ids,"
            "entities,id,in_reply_to_user_id,lang,note_tweet,public_metrics,referenced_tweets,reply_settings,text",
            "expansions": "author_id,attachments.media_keys",
            "user.fields": _OF_USERS,
            "media.fields": _OF_MEDIA,
        }
    ),
    "post": Naming(
        {
            "post.fields": "attachments,conversation_id,created_at,edit_controls,entities,id,lang,note_post,"
            "public_metrics,reply_settings,text",
            "expansions": "author_id,attachments.media_keys,edit_history_post_ids,in_reply_to_user_id,referenced_posts",
            "user.fields": _OF_USERS,
            "media.fields": _OF_MEDIA,
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Me:
    """Our account: its number, which stays, what it is called, and whether X has verified it."""

    id: str
    username: str
    is_verified: bool = False

    def is_called(self, name: str) -> bool:
        return bool(self.username) and name.casefold() == self.username.casefold()


@dataclass(frozen=True, slots=True)
class Included:
    """What came along with posts: their authors and media, by number and by key."""

    users: Mapping[str, JSON] = field(default_factory=dict)
    media: Mapping[str, JSON] = field(default_factory=dict)

    @classmethod
    def of(cls, body: JSON) -> Included:
        told = _object(body.get("includes"))
        return cls(
            {word(one.get("id")): one for one in objects(told.get("users"))},
            {word(one.get("media_key")): one for one in objects(told.get("media"))},
        )


def parse_post(told: JSON, included: Included, *, me: Me) -> Post:
    """A post as a Post. ValueError where it has no number or no time: nothing can be done with it.

    Each edit of a post has a number of its own. The first is what the post is called for ever, the
    newest is what is read and answered.
    """
    own = _number(told.get("id"))
    versions = versions_of(told)
    created_at = moment(told.get("created_at")) or moment_of(own)
    if not own or created_at is None:
        raise ValueError("a post without number or time")
    first, newest = versions[0], versions[-1]
    author = parse_author(told, included, post=first)
    parent = _referenced(told, "replied_to")
    is_edited = len(versions) > 1
    begun = moment_of(first) if is_edited else None
    return Post(
        external_id=first,
        canonical_id=first,
        url=status_address(author.handle, own),
        author=author,
        text=text_of(told),
        created_at=min(begun, created_at) if begun is not None else created_at,
        raw=in_ascii(told, what="a post"),
        edited_at=(moment_of(newest) or created_at) if is_edited else None,
        language=_language(told),
        parent_id=parent or None,
        answers_id=parent or (_referenced(told, "quoted") if quotes(told, me) else "") or None,
        thread_id=_number(told.get("conversation_id")) or first,
        visibility="private" if _object(included.users.get(author.external_id)).get("protected") is True else "public",
        media=tuple(_media(told, included)),
        reply_ref={"id": newest, **({"versions": ",".join(versions)} if is_edited else {})},
        locked=bool(why_locked(told, me)),
    )


def parse_author(told: JSON, included: Included, *, post: str) -> Author:
    """Who wrote a post, by the number that stays theirs; one who is not told at all is somebody else each time."""
    number = _number(told.get("author_id"))
    user = _object(included.users.get(number)) if number else {}
    username = word(user.get("username"))
    followers = _object(user.get("public_metrics")).get("followers_count")
    if not re.fullmatch(r"[A-Za-z0-9_]{1,50}", username):
        username = ""
    return Author(
        external_id=number or f"author of {post}",
        handle=f"@{username}" if username else number or "unknown",
        name=storable(word(user.get("name"))) or username or number,
        url=f"{WEB}/{username}" if username else f"{WEB}/i/user/{number}" if number else None,
        followers=followers if type(followers) is int and followers >= 0 else None,
        weak=not number,
    )


def text_of(told: JSON) -> str:
    """What was typed: a long post whole, links where they lead to, and without the address of a picture of its own."""
    note = _object(told.get("note_tweet")) or _object(told.get("note_post"))
    is_long = isinstance(note.get("text"), str)
    text = word(note.get("text")) if is_long else word(told.get("text"))
    entities = _object(note.get("entities")) if is_long else _object(told.get("entities"))
    # The text alone has these three as entities, and nothing else: what was typed as one has its & so.
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    for url in objects(entities.get("urls")):
        short, whole, shown = word(url.get("url")), word(url.get("expanded_url")), word(url.get("display_url"))
        if short and (word(url.get("media_key")) or re.search(r"/status/\d+/(photo|video)/\d+$", whole)):
            text = text.replace(short, "")
        elif short and whole:
            text = text.replace(short, shown if whole == f"http://{shown}" else whole)
    return storable(text).strip()


def versions_of(told: JSON) -> list[str]:
    """The numbers of a post and of its edits, oldest first, itself among them."""
    known = told.get("edit_history_tweet_ids") or told.get("edit_history_post_ids")
    numbers = {_number(one) for one in known} if isinstance(known, list) else set()
    return sorted({*numbers, _number(told.get("id"))} - {""}, key=int)


def names(told: JSON, me: Me) -> bool:
    """Whether a post @mentions our account."""
    entities = _object(told.get("entities"))
    note = _object(told.get("note_tweet")) or _object(told.get("note_post"))
    mentions = [*objects(entities.get("mentions")), *objects(_object(note.get("entities")).get("mentions"))]
    if any(one.get("id") == me.id or me.is_called(word(one.get("username"))) for one in mentions):
        return True
    text = f"{word(told.get('text'))} {word(note.get('text'))}"
    return bool(me.username) and bool(re.search(rf"(?<![\w@])@{me.username}(?!\w)", text, re.IGNORECASE))


def quotes(told: JSON, me: Me) -> bool:
    """Whether a post quotes one of ours: the quoted post's address is in it, and names its author."""
    quoted = _referenced(told, "quoted")
    addresses = [word(url.get("expanded_url")) for url in objects(_object(told.get("entities")).get("urls"))]
    return bool(quoted) and any(
        found[2] == quoted and me.is_called(found[1]) for address in addresses if (found := _STATUS.match(address))
    )


def why_locked(told: JSON, me: Me) -> str:
    """Why X takes no answer of ours to a post, as far as that can be known before; nothing where it takes one."""
    is_named = names(told, me)
    if not is_named and not quotes(told, me):
        return f"{SUMMONED} @{me.username} or quotes it"
    match word(told.get("reply_settings")) or "everyone":
        case "everyone":
            return ""
        case "mentionedUsers":
            return "" if is_named else "its author lets only those answer whom it mentions"
        case "verified":
            return "" if me.is_verified else "its author lets only verified accounts answer"
        case "following":
            return "its author lets only those answer whom they follow"
    return "its author lets not everybody answer"


def moment_of(number: str) -> datetime | None:
    """When a post was made, by its number; None where that is older than such numbers are, or none."""
    if not re.fullmatch(r"[0-9]{15,19}", number):
        return None
    return datetime.fromtimestamp(((int(number) >> 22) + 1_288_834_974_657) / 1000, UTC)


def status_address(handle: str, number: str) -> str:
    """A post's page."""
    return f"{WEB}/{handle[1:] if handle.startswith('@') else 'i'}/status/{number}"


_STATUS = re.compile(
    r"(?:https?://)?(?:(?:www|mobile|m)\.)?(?:x|twitter)\.com/(?:i/web/|@?(\w{1,50})/)status(?:es)?/([1-9][0-9]{0,18})"
    r"(?:[/?#].*)?$",
    re.IGNORECASE,
)


def _referenced(told: JSON, kind: str) -> str:
    """The number of the post that one answers, quotes or repeats."""
    references = told.get("referenced_tweets") or told.get("referenced_posts")
    return next((_number(one.get("id")) for one in objects(references) if one.get("type") == kind), "")


def _language(told: JSON) -> str | None:
    """The language X heard; what it writes where it heard none is none."""
    text = word(told.get("lang"))
    return text if text and text not in {"und", "zxx", "art"} and not re.fullmatch(r"q[a-t][a-z]", text) else None


def _media(told: JSON, included: Included) -> Iterator[Media]:
    keys = _object(told.get("attachments")).get("media_keys")
    for key in keys if isinstance(keys, list) else ():
        one = _object(included.media.get(word(key)))
        films = [word(variant.get("url")) for variant in objects(one.get("variants")) if variant.get("url")]
        url = word(one.get("url")) or next(iter(films), "") or word(one.get("preview_image_url"))
        if url:
            yield Media(
                url=storable(url),
                kind="image" if one.get("type") in {"photo", None} else "video",
                description=storable(word(one.get("alt_text"))),
                preview_url=storable(word(one.get("preview_image_url"))) or None,
            )


def _number(value: object) -> str:
    """A number as X writes it, as text; nothing where it is none."""
    text = word(value)
    return text if re.fullmatch(r"[1-9][0-9]{0,18}", text) else ""


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _stamp(at: datetime) -> str:
    """A time as the API takes it: in seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _problem(answer: httpx.Response) -> dict[str, Any]:
    return _object(parsed(answer.content))


def _type(problem: JSON) -> str:
    """The last part of what X calls a problem: https://docs.x.com/x-api/fundamentals/response-codes-and-errors."""
    return word(problem.get("type")).rpartition("/")[2]


def _is_not_found(problem: JSON) -> bool:
    """Whether X itself says that there is no such post: another server's 404 says nothing about it."""
    return any(
        _type(one) == "resource-not-found" or one.get("title") == "Not Found Error"
        for one in (problem, *objects(problem.get("errors")))
    )


def _codes(problem: JSON) -> set[str]:
    """Numbers of the API before this one, which come with some refusals still."""
    return {word(one.get("code")) for one in objects(problem.get("errors"))} - {""}


def _quota(answer: httpx.Response) -> dict[str, Any]:
    """Calls left in this window: https://docs.x.com/x-api/fundamentals/rate-limits."""
    told = {name: answer.headers.get(f"x-rate-limit-{name}", "") for name in ("limit", "remaining", "reset")}
    return {name: int(value) for name, value in told.items() if value.isascii() and value.isdigit() and len(value) < 12}


# ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Bill:
    """What a call costs in the end."""

    cost: Decimal


class X:
    """One account."""

    name: ClassVar[str] = "x"
    title: ClassVar[str] = "X"
    poll_every: ClassVar[timedelta] = timedelta(
        seconds=60
    )  # 300 calls in 15 minutes are allowed; one that finds nothing is free
    max_automatic_replies_per_post: ClassVar[int] = 1  # https://docs.x.com/developer-guidelines: one per interaction
    rereads_at_once: ClassVar[int] = 100
    granted: ClassVar[tuple[str, ...]] = ("access_token", "refresh_token")
    Settings: ClassVar[type[BaseModel]] = XSettings
    Secrets: ClassVar[type[BaseModel]] = XSecrets

    def __init__(self, connection: Connection) -> None:
        settings: XSettings = connection.settings
        secrets: XSecrets = connection.secrets
        self._http = connection.http
        self._now = connection.now
        self._keeper = connection.keeper
        self._meter = connection.meter
        self._budget = settings.monthly_budget_usd
        self._api = settings.api_url
        self._host = httpx.URL(settings.api_url).netloc.decode()
        self._page = settings.authorize_url
        self._naming = NAMINGS[settings.naming]
        self._username = settings.username
        self._me = Me(
            connection.remote_id,
            word(connection.facts.get("username")) or settings.username,
            is_verified=connection.facts.get("verified") is True,
        )
        self._client = secrets.client_id.get_secret_value()
        self._secret = _opened(secrets.client_secret)
        self._pasted = {"access": _opened(secrets.access_token), "refresh": _opened(secrets.refresh_token)}
        self._kept: dict[str, Any] = {}
        self._paid: dict[str, Decimal] = {}
        self._paid_on = ""

    async def connect(self) -> Profile:
        """Whose access this is, what it may do, and until when."""
        what = f"connecting @{self._username} on {self._host}"
        # A person asks for this, and finds out nothing else without it: counted, and never refused.
        async with self._billed(USER, within=None) as bill:
            answer = await self._call("GET", "users/me", what=what, params={"user.fields": _OF_USERS})
            told = _object(self._body(answer, what=what, whole="account").get("data"))
            bill.cost = self._cost([f"user {word(told.get('id'))}"], USER)
        number, username = _number(told.get("id")), word(told.get("username"))
        if not number or not username:
            raise self._no_api()
        if username.casefold() != self._username.casefold():
            raise OutsideError(
                f"this access is @{username}'s, not @{self._username}'s: sign in on X as @{self._username}, and connect "
                "again; or change the user name",
                "misconfigured",
                field="settings.username",
            )
        kept = self._tokens(self._kept)
        scopes = tuple(word(kept.get("scope")).split())
        missing = [scope for scope in SCOPES if scope not in scopes] if scopes else []
        if {"tweet.read", "users.read", "tweet.write"} & set(missing):
            raise OutsideError(
                f"the access of @{username} lacks {', '.join(missing)}: give the app 'Read and write' under {PORTAL} → "
                "User authentication settings, and connect again",
                "auth_broken",
            )
        return Profile(
            remote_id=number,
            handle=f"@{username}",
            url=f"{WEB}/{username}",
            facts={"username": username, "verified": told.get("verified") is True},
            scopes=scopes,
            expires_at=None
            if word(kept.get("refresh"))
            else moment(kept.get("ends")),  # one that renews itself has no end
            quota=_quota(answer),
        )

    async def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[PostPage]:
        """Mentions after the cursor, oldest first. X gives them newest first, and no more than the newest 800."""
        what = f"reading mentions of @{self._me.username}"
        place = cursor or _stamp(since)
        while True:
            before = place
            pages, is_whole = await self._mentions(place, what=what)
            for page in reversed(pages):
                posts, place = self._posts_of(page, after=place)
                yield PostPage(posts=posts, cursor=place)
            if is_whole or place == before:
                break
        if cursor is None and not pages:
            # Even where nothing was said so far: the next pull begins here, and never at another `since`.
            yield PostPage(posts=(), cursor=place)

    def reaches(self, url: str) -> Nearness:
        """Addresses of posts on X or Twitter."""
        return "here" if _STATUS.match(url.strip()) else "no"

    async def read_around(self, post: Post) -> tuple[Post, ...]:
        """The posts right above it, and the newest of its thread as far as X's search goes back, which is seven days."""
        what = f"reading the thread of {post.url}"
        found: dict[str, Post] = {}
        above = post.parent_id
        for _ in range(ABOVE):
            if not above:
                break
            try:
                one = self._read(*await self._newest(above, what=what), what=what)
            except OutsideError as error:
                if error.kind not in {"gone", "forbidden"}:
                    raise
                break
            found[one.external_id] = one
            above = one.parent_id
        found |= {one.external_id: one for one in await self._beside(post, what=what)}
        others = [one for one in found.values() if one.author.external_id != self._me.id]
        return tuple(sorted(others, key=lambda one: one.created_at))

    async def find(self, url: str) -> Post:
        """The post at an address of X or Twitter."""
        named = _STATUS.match(url.strip())
        if named is None:
            raise OutsideError(
                f"this is no address of a post on X; enter the post's own, like {WEB}/ana/status/1346889436626259968",
                "invalid",
            )
        what = f"finding the post {url.strip()[:200]}"
        told, included = await self._newest(named[2], what=what)
        if self._me.id and word(told.get("author_id")) == self._me.id:
            raise OutsideError(f"{url.strip()[:200]} is a post of our own; enter the customer's", "invalid")
        return self._read(told, included, what=what)

    async def look(self, post: Post) -> ThreadLook:
        """The post as it is now, and our own answers to it among our newest posts."""
        what = f"looking at {post.url}"
        told, included = await self._newest(post.reply_ref.get("id") or post.external_id, what=what)
        current = self._read(told, included, what=what)
        reach = max(current.created_at - timedelta(minutes=1), self._now() - LOST_WITHIN)
        said, is_whole = await self._own_posts(reach, what=what)
        ours = [self._own_reply(one) for one in said if _referenced(one, "replied_to") in versions_of(told)]
        return ThreadLook(
            post=current,
            own_replies=tuple(sorted((one for one in ours if one.external_id), key=lambda one: one.created_at)),
            authoritative=bool(self._me.id) and is_whole,
            locked_why=why_locked(told, self._me),
        )

    async def reread(self, posts: Sequence[Post]) -> Mapping[str, Post | None]:
        """These posts as they are now; None are those that X does not show any more.

        Most are found in the list of our mentions for a fifth of the price; only the others are looked up. Half of
        the budget is left to what is new and to answers.
        """
        what = f"reading {len(posts)} posts again"
        if await self._meter.spent() >= self._budget / 2:
            raise OutsideError(
                f"{what}: half of the monthly budget of ${self._budget:f} is spent, and the other half is for what is new "
                "and for answers; raise it in the account's settings",
                "rate_limited",
                retry_at=self._now() + timedelta(hours=1),
            )
        asked = {post.reply_ref.get("id") or post.external_id: post.external_id for post in posts}
        found: dict[str, Post | None] = {}
        newer: dict[str, str] = {}
        for body in await self._among_mentions(list(asked), what=what):
            self._take(body, asked, found, newer)
        rest = [number for number, name in asked.items() if name not in found]
        if rest:
            self._take(await self._lookup(rest, what=what), asked, found, newer)
        if newer:  # edited meanwhile
            self._take(await self._lookup(list(newer), what=what), newer, found, {})
        return found

    async def send(self, outgoing: Outgoing) -> Sent:
        """Answer the very post that mentions us, once."""
        post = outgoing.post
        what = f"replying to {post.url}"
        length = self.count(outgoing.text)
        if length > LIMIT:
            raise OutsideError(f"{what}: the text has {length} of {LIMIT} characters", "too_long")
        body = {
            "text": outgoing.text,
            "reply": {"in_reply_to_tweet_id": post.reply_ref.get("id") or post.external_id},
            "made_with_ai": False,
        }
        async with self._billed(self.price(outgoing.text).usd, keeps_unknown=True) as bill:
            answer = await self._call("POST", "tweets", what=what, writes=True, json=body)
            if answer.is_success:
                made = _object(json_of(answer, what=what, writes=True))
                number = _number(_object(made.get("data")).get("id"))
                if not number:
                    raise OutsideError(f"{what}: X's answer does not name the post it made", "unknown")
                return Sent(external_id=number, url=status_address(f"@{self._me.username}", number))
            if answer.status_code == 408 or answer.status_code >= 500:
                raise OutsideError(
                    f"{what}: {answer.status_code} ({self._said(answer)})",
                    "unknown",
                    in_flight=answer.status_code in {408, 502, 504},
                )
            bill.cost = Decimal(0)
        if self._is_duplicate(answer):
            return await self._said_before(outgoing, answer, what=what)
        raise self._refusal_of_reply(answer, outgoing, what=what)

    def envelope(self, post: Post) -> Envelope:
        """A reply begins with the customer's name: X shows it above the text, and no two customers read the same words."""
        prefix = f"{post.author.handle} " if post.author.handle.startswith("@") else ""
        return Envelope(prefix=prefix, visibility=post.visibility, limit=LIMIT)

    def count(self, text: str, *, content_warning: str = "") -> int:
        """Weighted characters, the name in front counted whole, though X may count it as nothing."""
        return weighted_length(content_warning) + weighted_length(text)

    def price(self, text: str) -> Price:
        """Twenty times as much with a link, also where X makes one of a word."""
        links = linked_words(text)
        if not links:
            return Price(usd=REPLY)
        bare = list(dict.fromkeys(link for link in links if "://" not in link))
        if not bare:
            return Price(usd=REPLY_WITH_LINK, why=f"it has a link: {links[0][:100]}")
        becomes = "becomes a link" if len(bare) == 1 else "become links"
        return Price(usd=REPLY_WITH_LINK, why=f"{', '.join(bare)[:200]} {becomes}")

    def receive(self, *, method: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """Mentions are polled: that needs no public address, and costs a fifth."""
        raise NotImplementedError("mentions on X are polled, not received")

    # --- Reading ---------------------------------------------------------------------------------

    async def _mentions(self, place: str, *, what: str) -> tuple[list[bytes], bool]:
        """Pages of mentions back to `place`, newest first, as they came; and whether the newest are among them.

        Of more than fit into memory the oldest are given: the rest follow when those are stored.
        """
        pages: deque[bytes] = deque(maxlen=PAGES_AT_ONCE)
        begin = {"since_id": place} if _number(place) else {"start_time": place}
        count, token = 0, ""
        while True:
            body, content = await self._page_of("mentions", {**begin, **_next(token)}, price=MENTION, what=what)
            if objects(body.get("data")):
                pages.append(content)
                count += 1
            before, token = token, word(_object(body.get("meta")).get("next_token"))
            if not token or token == before:
                return list(pages), count <= PAGES_AT_ONCE

    def _posts_of(self, page: bytes, *, after: str) -> tuple[tuple[Post, ...], str]:
        """A page's posts by others, oldest first, and the place behind them."""
        body = _object(parsed(page))
        included = Included.of(body)
        found: list[tuple[int, Post]] = []
        highest = int(_number(after) or 0)
        for told in objects(body.get("data")):
            number = _number(told.get("id"))
            highest = max(highest, int(number or 0))
            if word(told.get("author_id")) == self._me.id or _referenced(told, "retweeted"):
                continue
            try:
                found.append((int(number or 0), parse_post(told, included, me=self._me)))
            except ValueError:
                continue
        ordered = tuple(post for _, post in sorted(found, key=lambda one: one[0]))
        return ordered, str(highest) if highest else after

    async def _page_of(
        self,
        which: Literal["mentions", "tweets"],
        params: Mapping[str, str],
        *,
        price: Decimal,
        what: str,
        may_lack: bool = False,
    ) -> tuple[dict[str, Any], bytes]:
        """One page of a list of our own account's, as large as the budget allows; read, and as it came.

        OutsideError where X tells errors and no posts: that is no empty list, and proves no absence.
        `may_lack`: nothing is concluded from what is not there.
        """
        room = int((self._budget - await self._meter.spent()) / price)
        size = max(LEAST_PAGE, min(PAGE, room))
        query = {**self._naming.fields, "max_results": str(size), **params}
        async with self._billed(price * size) as bill:
            answer = await self._call("GET", f"users/{self._me.id}/{which}", what=what, params=query)
            body = self._body(answer, what=what, whole="list")
            if not may_lack and objects(body.get("errors")) and not objects(body.get("data")):
                raise OutsideError(f"{what}: X tells nothing but errors ({self._said(answer)})", "transient")
            bill.cost = self._cost((word(one.get("id")) for one in objects(body.get("data"))), price)
        return body, answer.content

    async def _beside(self, post: Post, *, what: str) -> tuple[Post, ...]:
        """Posts of the same thread. Nothing where the app's plan has no search."""
        query = {
            **self._naming.fields,
            "query": f"conversation_id:{_number(post.thread_id) or post.external_id}",
            "max_results": str(BESIDE),
        }
        async with self._billed(POST * BESIDE) as bill:
            answer = await self._call("GET", "tweets/search/recent", what=what, params=query)
            if answer.status_code == 403:
                bill.cost = Decimal(0)
                return ()
            body = self._body(answer, what=what, whole="list")
            bill.cost = self._cost((word(one.get("id")) for one in objects(body.get("data"))), POST)
        return self._posts_of(answer.content, after="")[0]

    async def _newest(self, number: str, *, what: str) -> tuple[dict[str, Any], Included]:
        """A post in its newest version, and what came along. OutsideError `gone` or `forbidden`."""
        told, included = await self._version(number, what=what)
        newest = (versions_of(told) or [number])[-1]
        return (told, included) if newest == number else await self._version(newest, what=what)

    async def _version(self, number: str, *, what: str) -> tuple[dict[str, Any], Included]:
        async with self._billed(POST) as bill:
            answer = await self._call("GET", f"tweets/{number}", what=what, params=self._naming.fields)
            if answer.status_code == 404 and _is_not_found(_problem(answer)):
                raise self._gone(what)
            body = self._body(answer, what=what, whole="post")
            told = _object(body.get("data"))
            if not told:
                raise self._missing(body, what=what)
            bill.cost = self._cost([number], POST)
        return told, Included.of(body)

    async def _among_mentions(self, numbers: Sequence[str], *, what: str) -> list[dict[str, Any]]:
        """Pages of our mentions between the first and the last of these; no more than they can be expected on."""
        known = sorted(int(number) for number in numbers if _number(number))
        if not known:
            return []
        between = {"since_id": str(known[0] - 1), "until_id": str(known[-1] + 1)}
        pages: list[dict[str, Any]] = []
        token = ""
        for _ in range(1 + len(known) // PAGE):
            body, _content = await self._page_of(
                "mentions", {**between, **_next(token)}, price=MENTION, what=what, may_lack=True
            )
            pages.append(body)
            token = word(_object(body.get("meta")).get("next_token"))
            if not token:
                break
        return pages

    async def _lookup(self, numbers: Sequence[str], *, what: str) -> dict[str, Any]:
        async with self._billed(POST * len(numbers)) as bill:
            query = {**self._naming.fields, "ids": ",".join(numbers)}
            body = self._body(await self._call("GET", "tweets", what=what, params=query), what=what, whole="lookup")
            bill.cost = self._cost((word(one.get("id")) for one in objects(body.get("data"))), POST)
        return body

    def _take(self, body: JSON, asked: Mapping[str, str], found: dict[str, Post | None], newer: dict[str, str]) -> None:
        """Sort what a look-up told by the names the posts have here; those with a newer version are to be read again."""
        included = Included.of(body)
        for told in objects(body.get("data")):
            number = _number(told.get("id"))
            if number not in asked:
                continue
            try:
                found[asked[number]] = parse_post(told, included, me=self._me)
            except ValueError:
                continue
            if (newest := versions_of(told)[-1]) != number:
                newer[newest] = asked[number]
        for problem in objects(body.get("errors")):
            number = word(problem.get("resource_id")) or word(problem.get("value"))
            is_lost = _type(problem) in {"resource-not-found", "not-authorized-for-resource", "disallowed-resource"}
            if number in asked and is_lost:
                found[asked[number]] = None

    async def _own_posts(self, reach: datetime, *, what: str) -> tuple[list[dict[str, Any]], bool]:
        """What we said since, newest first; and whether that is all of it."""
        found: list[dict[str, Any]] = []
        token = ""
        for _ in range(OWN_PAGES):
            params = {"start_time": _stamp(reach), **_next(token)}
            body, _content = await self._page_of("tweets", params, price=OWN_POST, what=what)
            page = objects(body.get("data"))
            found += page
            times = [at for one in page if (at := moment(one.get("created_at")))]
            before, token = token, word(_object(body.get("meta")).get("next_token"))
            if not token or token == before or (times and min(times) < reach):
                return found, True
        return found, False

    def _own_reply(self, told: JSON) -> OwnReply:
        number = _number(told.get("id"))
        return OwnReply(
            external_id=number,
            url=status_address(f"@{self._me.username}", number),
            text=text_of(told),
            created_at=moment(told.get("created_at")) or moment_of(number) or self._now(),
        )

    def _read(self, told: JSON, included: Included, *, what: str) -> Post:
        try:
            return parse_post(told, included, me=self._me)
        except ValueError as error:
            raise OutsideError(f"{what}: the answer is no post", "transient") from error

    # --- What it costs -----------------------------------------------------------------------------

    @asynccontextmanager
    async def _billed(
        self, most: Decimal, *, within: bool | None = True, keeps_unknown: bool = False
    ) -> AsyncIterator[_Bill]:
        """Count the most a call may cost before it is made; afterwards what it did not cost is given back.

        A read that failed gave nothing, and costs nothing. What may have been said has been paid for.
        """
        await self._meter.charge(most, budget=self._budget if within else None)
        bill = _Bill(most)
        try:
            yield bill
        except OutsideError as error:
            if not (keeps_unknown and error.kind == "unknown"):
                bill.cost = Decimal(0)
            raise
        finally:
            if bill.cost < most:
                await self._meter.give_back(most - bill.cost)

    def _cost(self, read: Iterable[str], price: Decimal) -> Decimal:
        """What reading these costs: X charges for each of them once in a day (of UTC), at whatever price it has.

        Another process does not know what was paid here, and counts it again.
        """
        today = self._now().strftime("%Y-%m-%d")
        if self._paid_on != today or len(self._paid) > 100_000:
            self._paid, self._paid_on = {}, today
        cost = Decimal(0)
        for one in read:
            before = self._paid.get(one, Decimal(0))
            if price > before:
                cost += price - before
                self._paid[one] = price
        return cost

    # --- Access ------------------------------------------------------------------------------------

    def authorization_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """X's page that asks the account's owner: https://docs.x.com/fundamentals/authentication/oauth-2-0."""
        query = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": redirect_uri,
            "scope": " ".join(SCOPES),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._page}?{urlencode(query, quote_via=quote)}"

    async def exchange(self, *, code: str, verifier: str, redirect_uri: str) -> None:
        """Turn the code into access. It lives for 30 seconds, and only once."""
        what = f"letting Fullcircle in as @{self._username}"
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        has_run = False

        async def renewal(_kept: dict[str, Any]) -> dict[str, Any]:
            nonlocal has_run
            has_run = True
            answer = await self._ask_for_tokens(form, what=what)
            if answer.is_success:
                return self._tokens_of(answer, {}, what=what)
            if answer.status_code in {400, 401}:
                raise OutsideError(
                    f"{what}: X does not take the code ({self._said(answer)}). It lives for 30 seconds: connect once more; "
                    f"and see that the client's ID and secret are those under {PORTAL} → Keys and tokens",
                    "auth_broken",
                )
            raise self._refusal(answer, what=what)

        while not has_run:  # another process may renew the old access at this moment
            self._kept = await self._keeper.renew(await self._keeper.kept(), renewal)

    def _tokens(self, kept: JSON) -> JSON:
        """What is kept; at first, what somebody pasted."""
        return kept if kept.get("access") or kept.get("refresh") else self._pasted

    async def _current(self, *, instead_of: str = "") -> str:
        """The access token to use now: as kept, or renewed where it ends (or has ended, as `instead_of` did)."""
        if not self._kept:
            self._kept = await self._keeper.kept()
        tokens = self._tokens(self._kept)
        access = word(tokens.get("access"))
        if not access or access == instead_of or self._ends_soon(tokens) or tokens.get("refused"):
            self._kept = await self._keeper.renew(self._kept, self._renewed)
            tokens = self._tokens(self._kept)
        if tokens.get("refused"):
            raise OutsideError(word(tokens.get("why")), "auth_broken")
        return word(tokens.get("access"))

    def _ends_soon(self, tokens: JSON) -> bool:
        ends, lives = moment(tokens.get("ends")), tokens.get("lives")
        spare = min(SOON, timedelta(seconds=lives) / 10) if isinstance(lives, int) and lives else SOON
        return ends is not None and ends < self._now() + spare

    async def _renewed(self, kept: dict[str, Any]) -> dict[str, Any]:
        """Access by the refresh token, which is good for one time. One process at a time does this."""
        tokens = self._tokens(kept)
        was_we = tokens.get("by", self._proof) == self._proof  # of another secret of the client a refusal says nothing
        if tokens.get("refused") and was_we and (moment(tokens.get("at")) or self._now()) > self._now() - REFUSED_FOR:
            return kept
        what = f"renewing the access of @{self._me.username}"
        refresh = word(tokens.get("refresh"))
        if not refresh:
            raise self._let_us_in_again("it has ended, and there is no refresh token")
        answer = await self._ask_for_tokens({"grant_type": "refresh_token", "refresh_token": refresh}, what=what)
        if answer.is_success:
            return self._tokens_of(answer, tokens, what=what)
        if answer.status_code not in {400, 401}:
            raise self._refusal(answer, what=what)
        why = self._let_us_in_again(self._said(answer)).message
        return {**tokens, "refused": "auth_broken", "why": why, "at": self._now().isoformat(), "by": self._proof}

    async def _ask_for_tokens(self, form: Mapping[str, str], *, what: str) -> httpx.Response:
        """A client that has a secret proves itself by it, any other names itself only."""
        headers = {"Accept": "application/json"}
        body = {**form, "client_id": self._client}
        if self._secret:
            headers["Authorization"] = f"Basic {self._basic}"
        return await ask(self._http, "POST", f"{self._api}/2/oauth2/token", what=what, headers=headers, data=body)

    @property
    def _basic(self) -> str:
        return base64.b64encode(f"{quote(self._client, safe='')}:{quote(self._secret, safe='')}".encode()).decode()

    @property
    def _proof(self) -> str:
        """Tells what the client proves itself by from another such, and nothing more."""
        return hashlib.sha256(self._basic.encode()).hexdigest()[:16]

    def _tokens_of(self, answer: httpx.Response, before: JSON, *, what: str) -> dict[str, Any]:
        told = _object(json_of(answer, what=what))
        access, lives = word(told.get("access_token")), told.get("expires_in")
        if not access:
            raise OutsideError(f"{what}: the answer holds no access token", "transient")
        seconds = lives if isinstance(lives, int) and 0 < lives < 10**9 else 0
        return {
            "access": access,
            "refresh": word(told.get("refresh_token")) or word(before.get("refresh")),
            "ends": (self._now() + timedelta(seconds=seconds)).isoformat() if seconds else "",
            "lives": seconds,
            "scope": word(told.get("scope")) or word(before.get("scope")),
        }

    def _let_us_in_again(self, why: str) -> OutsideError:
        return OutsideError(
            f"X refuses the access of @{self._me.username} ({why}): connect the account with X once more, or paste new tokens",
            "auth_broken",
        )

    # --- Calling, and what refusals mean -----------------------------------------------------------

    async def _call(
        self, method: str, route: str, *, what: str, writes: bool = False, **options: Any
    ) -> httpx.Response:
        """One call as our account. Access that has ended there is renewed, and the call made once more."""

        async def once(access: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {access}", "Accept": "application/json"}
            address = f"{self._api}/2/{route}"
            return await ask(self._http, method, address, what=what, writes=writes, headers=headers, **options)

        access = await self._current()
        answer = await once(access)
        if answer.status_code == 401:
            answer = await once(await self._current(instead_of=access))
        return answer

    def _body(
        self, answer: httpx.Response, *, what: str, whole: Literal["account", "list", "post", "lookup"]
    ) -> dict[str, Any]:
        """What an answer says; OutsideError where it is none, or another than was asked for."""
        if not answer.is_success:
            raise self._refusal(answer, what=what, about_us=whole in {"account", "list"})
        body = json_of(answer, what=what)
        told = _object(body)
        needed = {
            "account": ("data",),
            "list": ("data", "meta"),
            "post": ("data", "errors"),
            "lookup": ("data", "errors"),
        }
        if not any(isinstance(told.get(name), (dict, list)) for name in needed[whole]):
            raise OutsideError(f"{what}: the answer is not what X's API promises", "transient")
        return told

    def _missing(self, body: JSON, *, what: str) -> OutsideError:
        """Why a post was not told, though the call went well."""
        for problem in objects(body.get("errors")):
            said = self._words(problem)
            match _type(problem):
                case "resource-not-found":
                    return self._gone(what)
                case "not-authorized-for-resource" | "disallowed-resource":
                    return OutsideError(f"{what}: X does not show it to us ({said})", "forbidden")
        return OutsideError(f"{what}: the answer is no post", "transient")

    def _is_duplicate(self, answer: httpx.Response) -> bool:
        problem = _problem(answer)
        is_named = bool(re.search(r"duplicate", self._words(problem), re.IGNORECASE)) or "187" in _codes(problem)
        return answer.status_code in {400, 403, 409} and is_named

    async def _said_before(self, outgoing: Outgoing, answer: httpx.Response, *, what: str) -> Sent:
        """X has these words already. They are this reply where they stand under this very post, and lately came there."""
        ref = outgoing.post.reply_ref
        answered = {outgoing.post.external_id, ref.get("id", ""), *ref.get("versions", "").split(",")} - {""}
        try:
            said, _ = await self._own_posts(self._now() - LOST_WITHIN, what=what)
        except OutsideError as error:
            raise OutsideError(
                f"{what}: X has these words already, and whether as this reply is not known ({error.message})",
                "unknown",
            ) from error
        same = [one for one in said if same_text(outgoing.text, text_of(one)) and _number(one.get("id"))]
        for one in same:
            reply = self._own_reply(one)
            if _referenced(one, "replied_to") in answered and reply.created_at >= outgoing.created_at - SAID_WITHIN:
                return Sent(external_id=reply.external_id, url=reply.url)
        where = (
            f"they stand at {self._own_reply(same[0]).url}" if same else "see first that it does not have them already"
        )
        raise OutsideError(
            f"{what}: X takes the same words no second time ({self._said(answer)}): {where}; change the text, and send "
            "it again",
            "invalid",
        )

    def _refusal_of_reply(self, answer: httpx.Response, outgoing: Outgoing, *, what: str) -> OutsideError:
        """What it means that a reply was refused: the table in docs/channels/x.md. X's words may change; its classes stay."""
        problem, said = _problem(answer), self._said(answer)
        codes = _codes(problem)
        if answer.status_code in {400, 403, 404} and problem:
            for pattern, code, kind, why in _REFUSALS:
                if re.search(pattern, self._words(problem), re.IGNORECASE) or (code and code in codes):
                    return OutsideError(f"{what}: {why.format(name=self._me.username)} ({said})", kind)
        return self._refusal(answer, what=what)

    def _refusal(self, answer: httpx.Response, *, what: str, about_us: bool = False) -> OutsideError:
        """What any answer without success means. `about_us` is a call that needs nobody's leave but our own."""
        status, problem, said = answer.status_code, _problem(answer), self._said(answer)
        kind, title = _type(problem), word(problem.get("title"))
        if status == 402 or kind == "credits" or title in {"CreditsDepleted", "SpendCapReached"}:
            return OutsideError(
                f"the X account's credits are used up ({said}): buy more, or raise the spending limit, on console.x.com",
                "suspended",
            )
        if status == 429:
            return OutsideError(
                f"{what}: too many requests for now ({said})", "rate_limited", retry_at=self._comes_back(answer, kind)
            )
        if status == 401:
            return self._let_us_in_again(said)
        if status == 403 and not is_html(answer):
            if _codes(problem) & {"64", "326"} or re.search(_STOPPED, self._words(problem), re.IGNORECASE):
                return OutsideError(
                    f"X has locked or suspended @{self._me.username} ({said}): sign in on x.com, and do what it asks for",
                    "suspended",
                )
            if about_us or kind in _APP_PROBLEMS:
                return OutsideError(
                    f"X refuses the app ({said}): under {PORTAL}, see that it has a plan, and 'Read and write' under User "
                    "authentication settings; then connect again",
                    "auth_broken",
                )
            return OutsideError(f"{what}: not allowed ({said})", "forbidden")
        if status in {404, 405, 410, 501}:
            return self._no_api()
        if status >= 500 or status in {403, 408, 425}:
            return OutsideError(f"{what}: {status} ({said})", "transient", retry_at=retry_at(answer, self._now()))
        return OutsideError(f"{what}: refused with {status} ({said})", "invalid")

    def _gone(self, what: str) -> OutsideError:
        return OutsideError(f"{what}: the post is deleted, or hidden from us", "gone")

    def _no_api(self) -> OutsideError:
        return OutsideError(
            f"{self._host} does not answer like X's API; enter https://api.x.com",
            "misconfigured",
            field="settings.api_url",
        )

    def _words(self, problem: JSON) -> str:
        inner = [word(one.get("message")) or word(one.get("detail")) for one in objects(problem.get("errors"))]
        parts = [problem.get(name) for name in ("title", "detail", "error", "error_description", "message", "reason")]
        return storable(" · ".join(dict.fromkeys(text for text in (*map(word, parts), *inner) if text)))

    def _said(self, answer: httpx.Response) -> str:
        """X's own words, shortened, never with a credential in them."""
        text = self._words(_problem(answer))
        kept = [word(self._kept.get(name)) for name in ("access", "refresh")]
        secrets = (self._basic, self._secret, *self._pasted.values(), *kept, self._client)
        for secret in secrets:
            text = text.replace(secret, "…") if secret else text
        return " ".join(text.split())[:200] or f"the server answered {answer.status_code}"

    def _comes_back(self, answer: httpx.Response, kind: str) -> datetime | None:
        """Retry-After, or the end of the window in x-rate-limit-reset; of what is capped by the month, the next one."""
        now = self._now()
        if kind == "usage-capped":
            is_daily = word(_problem(answer).get("period")).casefold() == "daily"
            day = now.replace(hour=0, minute=0, second=0, microsecond=0)
            return day + timedelta(days=1) if is_daily else (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        told, reset = retry_at(answer, now), _quota(answer).get("reset")
        if reset is None:
            return told
        end = min(max(datetime.fromtimestamp(reset, UTC), now), now + timedelta(days=1))
        return max(end, told) if told else end


_STOPPED = (
    r"\b(your|this) (x |twitter )?account\b.*\b(suspended|locked)\b|temporarily locked|account is (suspended|locked)"
)
_APP_PROBLEMS = frozenset({"client-forbidden", "oauth1-permissions", "unsupported-authentication"})
_REFUSALS: tuple[tuple[str, str, Kind, str], ...] = (
    (
        r"have not been mentioned or otherwise engaged|you are mentioned or are the author|summoned",
        "",
        "forbidden",
        f"{SUMMONED} @{{name}} or quotes it",
    ),
    (r"deleted or not visible", "385", "gone", "the post is deleted, or hidden from us"),
    (r"restricted who can reply", "433", "forbidden", "its author lets not everybody answer"),
    (r"\btoo long\b|shorter", "186", "too_long", "too long"),
)
"""What X's refusals of a reply say, or their old numbers, and what they mean."""


def _opened(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


def _next(token: str) -> dict[str, str]:
    return {"pagination_token": token} if token else {}


CHANNEL: type[Channel] = X

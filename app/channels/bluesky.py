"""Bluesky, and every server of its protocol: an account on a PDS, read through the AppView behind it.

Obeys the lexicons at https://docs.bsky.app/docs/category/http-reference; docs/channels/bluesky.md says
how. Notifications are polled, and threads that wait for an answer are read besides.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
import regex
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from app.http import ask, is_near, is_off_limits, json_of, retry_at, server_address, web_url
from app.ports import Channel, Connection, Hook, Kind, Nearness, OutsideError, PostPage, Profile
from app.rules.characters import clusters, graphemes
from app.rules.facts import Author, Envelope, Media, Outgoing, OwnReply, Post, Sent, ThreadLook
from app.rules.plaintext import storable
from app.rules.told import in_ascii, moment, objects, parsed

JSON = Mapping[str, Any]
Params = Mapping[str, str | list[str]]

POSTS = "app.bsky.feed.post"
WEB = "https://bsky.app"
MAX_GRAPHEMES, MAX_BYTES = 300, 3000  # lexicons/app/bsky/feed/post.json
SHOWN_LINK = 30  # graphemes of an address that a reader sees; the link itself is whole
PAGE = 100
PAGES_AT_ONCE = 20  # notifications come newest first, and so many pages of them are turned round in memory
OWN_PAGES = 20  # how much of what we said ourselves a look reads at most
SOME = 25  # how many posts or profiles one call gives
DEPTH = 10  # replies to replies that are read of a thread
HEIGHT = 10  # posts above one that are read of a thread
REASONS = ("mention", "reply", "quote")

OVERLAP = timedelta(hours=1)
"""Notifications are sorted by a time that the customer's own clock takes part in, and a late one may come
before others that were read. So the last hour is read again each time; the same post is the same post."""

SOON = timedelta(minutes=1)
"""A session that ends so soon is renewed before it is used."""

REFUSED_FOR = timedelta(minutes=10)
"""For how long a password that was refused is not tried again: an account may sign in 300 times a day, its people too."""

SHOWN_WITHIN = 2.0
"""Seconds that a reply which was accepted is looked for at once. Later looks find it, or that it is hidden."""

LOST_WITHIN = timedelta(days=8)
"""No reply is looked for that may have been made earlier. Older ones are read from the thread alone."""

STOPS: frozenset[Kind] = frozenset({"rate_limited", "auth_broken", "suspended"})
"""What makes every further read of this account pointless for now."""

EXPIRED = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"})
"""By these names a session is over; whether the credentials are too is found out by renewing it."""

STANDINGS = {
    "AccountTakedown": "taken down",
    "AccountSuspended": "suspended",
    "AccountDeactivated": "deactivated",
    "RepoTakendown": "taken down",
    "RepoSuspended": "suspended",
    "RepoDeactivated": "deactivated",
    "takendown": "taken down",
    "suspended": "suspended",
    "deactivated": "deactivated",
}
"""Why an account of ours may do nothing: as errors name it, and as its status does."""

APP_PASSWORDS = "Settings → Privacy and security → App passwords"


class BlueskySettings(BaseModel):
    """Which account, where it signs in, and how far back to read at first."""

    service_url: str = Field(
        "https://bsky.social",
        title="Server address",
        description="Where the account signs in: https://bsky.social, or the address of its own PDS.",
        max_length=300,
    )
    handle: str = Field(
        title="Handle",
        description="The account's handle, for example acme.bsky.social or acme.dev.",
        max_length=260,
    )
    appview: str = Field(
        "",
        title="AppView",
        description="The service that notifications and threads are read through, like did:web:api.bsky.app#bsky_appview. "
        "Leave it empty for the one that the server chooses itself.",
        max_length=300,
    )
    first_days: int = Field(
        3,
        ge=0,
        le=30,
        title="Days to read at first",
        description="How many days of notifications are taken in when the account is connected for the first time.",
    )

    @field_validator("service_url")
    @classmethod
    def _server(cls, value: str) -> str:
        url = server_address(value, example="https://bsky.social", at_stake="app password")
        if url.host in {"bsky.app", "www.bsky.app"}:
            return "https://bsky.social"  # the pages are there, the accounts are not
        return _origin(url)

    @field_validator("handle")
    @classmethod
    def _handle(cls, value: str) -> str:
        text = value.strip().removeprefix("at://").removeprefix("@").rstrip("/")
        text = text.rpartition("/profile/")[2]  # a profile's address names the account as well
        if not re.fullmatch(r"did:(plc|web):[A-Za-z0-9.:%_-]+", text):
            text = text.lower()
            if not re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?", text):
                raise ValueError("this is not a handle; enter it like acme.bsky.social")
        return text

    @field_validator("appview")
    @classmethod
    def _service(cls, value: str) -> str:
        text = value.strip()
        if text and not re.fullmatch(r"did:(plc|web):[A-Za-z0-9.:%_-]+#[A-Za-z0-9_-]+", text):
            raise ValueError("this names no service; enter it like did:web:api.bsky.app#bsky_appview")
        return text


class BlueskySecrets(BaseModel):
    """What proves that we may speak for the account."""

    model_config = ConfigDict(hide_input_in_errors=True)

    app_password: SecretStr = Field(
        title="App password",
        description=f"From {APP_PASSWORDS}. Not the account's own password: an app password can be revoked by itself.",
    )

    @field_validator("app_password")
    @classmethod
    def _one_word(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value().strip()
        if not re.fullmatch(r"[!-~]{4,200}", text):
            raise ValueError("this is not an app password: four groups of four letters and digits are expected")
        return SecretStr(text)


def _origin(url: httpx.URL) -> str:
    return str(url.copy_with(path="/", query=None, fragment=None)).rstrip("/")


# --- Words and links. No network is needed from here to the adapter. -----------------------------

_LINK = regex.compile(r"(?<![\w@])https?://[^\s<>\"“”「」『』（）【】、。，；]+", regex.IGNORECASE)
_AFTER_LINK = ".,;:!?'’*_~…"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Composed:
    """A text as readers see it, and what in it is a link or a name: https://docs.bsky.app/docs/advanced-guides/post-richtext."""

    text: str
    facets: tuple[JSON, ...] = ()

    @property
    def length(self) -> int:
        """In graphemes; where bytes are nearer to their limit, as many graphemes as that is."""
        per_grapheme = MAX_BYTES // MAX_GRAPHEMES
        return max(graphemes(self.text), -(-len(self.text.encode()) // per_grapheme))


def compose(text: str, *, names: Mapping[str, str] | None = None) -> Composed:
    """What becomes of a text: addresses are shown shortened and lead to the whole, `names` (handle to DID) are mentions.

    A facet counts the UTF-8 bytes of the text that is shown.
    """
    pieces: list[str] = []
    facets: list[JSON] = []
    at = end = 0

    def add(piece: str, feature: JSON | None = None) -> None:
        nonlocal at
        size = len(piece.encode())
        if feature is not None:
            facets.append({"index": {"byteStart": at, "byteEnd": at + size}, "features": [feature]})
        pieces.append(piece)
        at += size

    def add_words(words: str) -> None:
        done = 0
        for start, stop, did in _mentions(words, names or {}):
            add(words[done:start])
            add(words[start:stop], {"$type": "app.bsky.richtext.facet#mention", "did": did})
            done = stop
        add(words[done:])

    for match in _LINK.finditer(text):
        address = _without_tail(match.group())
        if not address:
            continue
        add_words(text[end : match.start()])
        add(shortened(address), {"$type": "app.bsky.richtext.facet#link", "uri": address})
        end = match.start() + len(address)
    add_words(text[end:])
    return Composed("".join(pieces), tuple(facets))


def _mentions(words: str, names: Mapping[str, str]) -> Iterator[tuple[int, int, str]]:
    found = [
        (match.start(), match.end(), did)
        for name, did in names.items()
        for match in regex.finditer(rf"(?<![\w@./-])@{regex.escape(name)}(?![\w-]|\.\w)", words, flags=regex.IGNORECASE)
    ]
    return iter(sorted(found))


def _without_tail(address: str) -> str:
    """The address without the punctuation that a sentence puts behind it; empty where nothing is left of it."""
    while address:
        last = address[-1]
        if last not in _AFTER_LINK and address.count(last) <= address.count(_BRACKETS.get(last, last)):
            break
        address = address[:-1]
    try:
        return address if httpx.URL(address).host and len(address.encode()) < 2000 else ""
    except httpx.InvalidURL:
        return ""


def shortened(address: str) -> str:
    """An address as readers see it: without its scheme, the host always whole."""
    bare = address.partition("://")[2]
    host, slash, path = bare.partition("/")
    if not path:
        return host if slash else bare
    parts = clusters(bare)
    room = max(SHOWN_LINK, graphemes(host) + 8)
    return bare if len(parts) <= room else "".join(parts[: room - 1]) + "…"


def whole_text(text: str, facets: object) -> str:
    """A text as its author meant it: shortened links whole again, and links with words of their own followed by where they lead."""
    data = text.encode(errors="replace")
    pieces: list[bytes] = []
    end = 0
    for start, stop, uri in sorted(_links(facets)):
        if not (end <= start < stop <= len(data)):
            continue
        try:
            shown = data[start:stop].decode()
            data[end:start].decode()
        except UnicodeDecodeError:
            continue  # it counts something else than bytes, and points nowhere
        visible = shown.strip().rstrip("…/").removesuffix("...")
        is_address = visible and uri.startswith((visible, f"https://{visible}", f"http://{visible}"))
        meant = uri if is_address else f"{shown} ({uri})"
        pieces += [data[end:start], meant.encode(errors="replace")]
        end = stop
    return storable(b"".join([*pieces, data[end:]]).decode())


def _links(facets: object) -> Iterator[tuple[int, int, str]]:
    for facet in objects(facets):
        index = _object(facet.get("index"))
        start, stop = index.get("byteStart"), index.get("byteEnd")
        for feature in objects(facet.get("features")):
            uri = _word(feature.get("uri"))
            if uri.startswith(("https://", "http://")) and type(start) is int and type(stop) is int:
                yield start, stop, uri
                break


_TID = "234567abcdefghijklmnopqrstuvwxyz"


def record_key(key: str, created_at: datetime) -> str:
    """The record's own key, a TID: https://atproto.com/specs/tid. The same attempt always has the same.

    Its microseconds lie within the second after `created_at` and are taken, like its clock id, from the
    attempt's key: replies of one moment do not meet.
    """
    noise = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4])
    micros = int(created_at.timestamp() * 1_000_000) + (noise >> 12)
    number = ((micros & ((1 << 53) - 1)) << 10) | (noise & 1023)
    return "".join(_TID[(number >> shift) & 31] for shift in range(60, -1, -5))


def moment_of(record: str) -> datetime | None:
    """When a record with a TID was made, by its maker's clock."""
    if not re.fullmatch(r"[2-7a-j][2-7a-z]{12}", record):
        return None
    number = 0
    for letter in record:
        number = number * 32 + _TID.index(letter)
    return datetime.fromtimestamp((number >> 10) / 1_000_000, UTC)


# --- The vendor's words into ours ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class At:
    """An at-URI of a post: `at://did/app.bsky.feed.post/key`."""

    did: str
    key: str

    @classmethod
    def of(cls, uri: str) -> At | None:
        """None where it is the address of something else."""
        found = re.fullmatch(rf"at://(did:[a-z]+:[A-Za-z0-9.:%_-]+)/{re.escape(POSTS)}/([A-Za-z0-9._:~-]+)", uri)
        return cls(found[1], found[2]) if found else None

    @property
    def page(self) -> str:
        """Where people read it, whatever the author calls themselves later."""
        return f"{WEB}/profile/{self.did}/post/{self.key}"


def parse_post(view: JSON, *, me: str = "") -> Post:
    """A post view, or a notification of one, as a Post.

    ValueError where it has no address, author, record or time: nothing can be done with it.
    """
    uri, record, who = _word(view.get("uri")), _object(view.get("record")), _object(view.get("author"))
    at = At.of(uri)
    # Its maker may write any `createdAt`; when the network saw it is the earlier of the two.
    seen = _time(view.get("indexedAt")) or _time(record.get("createdAt"))
    if at is None or seen is None or _word(who.get("did")) != at.did or not record:
        raise ValueError("a post without address, time, author or record")
    reply = _object(record.get("reply"))
    parent, root = _object(reply.get("parent")), _object(reply.get("root"))
    parent_uri, root_uri = _word(parent.get("uri")), _word(root.get("uri"))
    cid = _word(view.get("cid"))
    languages = record.get("langs")
    labels = {_word(label.get("val")) for label in objects(who.get("labels"))}
    return Post(
        external_id=uri,
        canonical_id=uri,
        url=at.page,
        author=parse_author(who),
        text=whole_text(_word(record.get("text")), record.get("facets")),
        created_at=seen,
        raw=in_ascii(view, what="a post"),
        language=_word(languages[0]) or None if isinstance(languages, list) and languages else None,
        parent_id=parent_uri or None,
        answers_id=parent_uri or _quoted(record, me) or None,
        thread_id=root_uri or uri,
        # Its author asks not to be shown to people who are not signed in.
        visibility="unlisted" if "!no-unauthenticated" in labels else "public",
        media=tuple(_media(_object(view.get("embed")))),
        reply_ref={
            "cid": cid,
            "root_uri": root_uri or uri,
            "root_cid": _word(root.get("cid")) if root_uri else cid,
        },
        locked=_object(view.get("viewer")).get("replyDisabled") is True,
    )


def parse_author(who: JSON) -> Author:
    """A profile as an Author, keyed by its DID; the handle is only what it is called today."""
    did, handle = _word(who.get("did")), storable(_word(who.get("handle")))
    followers = who.get("followersCount")
    labels = objects(who.get("labels"))
    return Author(
        external_id=did,
        handle=f"@{handle}" if handle and handle != "handle.invalid" else did,
        name=storable(_word(who.get("displayName"))) or handle or did,
        url=f"{WEB}/profile/{did}",
        followers=followers if type(followers) is int and followers >= 0 else None,
        bot=any(_word(label.get("val")) == "bot" and _word(label.get("src")) == did for label in labels),
    )


def _quoted(record: JSON, me: str) -> str:
    """The post of ours that a post quotes: by that it answers it."""
    embed = _object(record.get("embed"))
    quoted = _object(embed.get("record"))
    uri = _word(quoted.get("uri")) or _word(_object(quoted.get("record")).get("uri"))
    at = At.of(uri)
    return uri if at is not None and at.did == me else ""


def _media(embed: JSON) -> Iterator[Media]:
    embed = _object(embed.get("media")) or embed
    for image in objects(embed.get("images")):
        if _word(image.get("fullsize")):
            yield Media(
                url=_word(image.get("fullsize")),
                description=storable(_word(image.get("alt"))),
                preview_url=_word(image.get("thumb")) or None,
            )
    if _word(embed.get("playlist")):
        yield Media(
            url=_word(embed.get("playlist")),
            kind="video",
            description=storable(_word(embed.get("alt"))),
            preview_url=_word(embed.get("thumbnail")) or None,
        )


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _time(value: object) -> datetime | None:
    return moment(_word(value))


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _name(answer: httpx.Response) -> str:
    """What the server calls the error: https://docs.bsky.app/docs/advanced-guides/api-directory."""
    return _word(_object(parsed(answer.content)).get("error"))


def _quota(answer: httpx.Response) -> dict[str, Any]:
    """Requests left in this window: https://docs.bsky.app/docs/advanced-guides/rate-limits."""
    told = {name: answer.headers.get(f"ratelimit-{name}", "") for name in ("limit", "remaining", "reset")}
    return {name: int(value) for name, value in told.items() if value.isascii() and value.isdigit()}


def _ends_at(token: str) -> datetime | None:
    """When an access token ends, as it says itself; None where it is of another kind. Nothing else in it is read."""
    try:
        part = token.split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return datetime.fromtimestamp(told["exp"], UTC)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, OSError):
        return None


def _pds_of(document: object, *, service: str) -> str:
    """The account's own server by its DID document; never a way less safe than the one the account signs in by."""
    for entry in objects(_object(document).get("service")):
        if _word(entry.get("id")).endswith("#atproto_pds"):
            url = web_url(_word(entry.get("serviceEndpoint")))
            if url is None:
                return ""
            is_lawful = url.scheme == "https" or (
                url.scheme == "http" and service.startswith("http://") and is_near(url.host)
            )
            return _origin(url) if not url.userinfo and is_lawful and not is_off_limits(url.host) else ""
    return ""


def _web_post(address: str) -> tuple[str, str] | None:
    """Whose post an address names, and its key: a page of the web app (any host's), or an at-URI."""
    text = address.strip()
    found = re.fullmatch(rf"at://([^/]+)/{re.escape(POSTS)}/([A-Za-z0-9._:~-]+)", text)
    if found is None and text.startswith(("https://", "http://")):
        found = re.fullmatch(r"https?://[^/]+/profile/([^/]+)/post/([A-Za-z0-9._:~-]+)/?(?:[?#].*)?", text)
    return (found[1], found[2]) if found else None


# ------------------------------------------------------------------------------------------------


class Bluesky:
    """One account, on its PDS."""

    name: ClassVar[str] = "bluesky"
    title: ClassVar[str] = "Bluesky"
    poll_every: ClassVar[timedelta] = timedelta(seconds=30)  # 3,000 requests in 5 minutes are allowed
    max_automatic_replies_per_post: ClassVar[int] = 1
    rereads_at_once: ClassVar[int] = SOME
    Settings: ClassVar[type[BaseModel]] = BlueskySettings
    Secrets: ClassVar[type[BaseModel]] = BlueskySecrets

    def __init__(self, connection: Connection) -> None:
        settings: BlueskySettings = connection.settings
        secrets: BlueskySecrets = connection.secrets
        self._http = connection.http
        self._now = connection.now
        self._keeper = connection.keeper
        self._me = connection.remote_id
        self._service = settings.service_url
        self._host = httpx.URL(settings.service_url).netloc.decode()
        self._handle = settings.handle
        self._appview = settings.appview
        self._password = secrets.app_password.get_secret_value()
        self._session: dict[str, Any] = {}

    async def connect(self) -> Profile:
        """Who the app password speaks for, where that account lives, and whether its notifications can be read."""
        what = f"connecting {self._handle} on {self._host}"
        answer = await self._call("com.atproto.server.getSession", what=what)
        told = self._object(answer, what=what)
        did, handle = _word(told.get("did")), _word(told.get("handle"))
        if not did.startswith("did:"):
            raise self._no_server()
        self._check_standing(told)
        self._check_account(did)
        known = await self._ask_appview("app.bsky.actor.getProfile", {"actor": did}, what=what)
        # The AppView may not have heard yet of an account that was just made.
        profile = {} if known.status_code == 400 else self._object(known, what=what)
        params: Params = {"limit": "1", "reasons": list(REASONS)}
        self._object(await self._ask_appview("app.bsky.notification.listNotifications", params, what=what), what=what)
        return Profile(
            remote_id=did,
            handle=f"@{handle or self._handle}",
            url=f"{WEB}/profile/{did}",
            facts={
                "handle": handle or self._handle,
                "pds": _word(self._session.get("pds")) or self._service,
                "bot": parse_author({**profile, "did": did}).bot,
            },
            quota=_quota(answer),
        )

    async def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[PostPage]:
        """Mentions, replies and quotes after `cursor`, oldest first; the last hour before it is given again."""
        what = f"reading notifications of {self._handle}"
        mark = (_time(cursor) if cursor else None) or since
        reach = mark - OVERLAP if cursor else mark
        while True:
            pages, is_whole = await self._notifications(reach, what=what)
            before = mark
            for page in reversed(pages):
                times = [at for at in (_time(item.get("indexedAt")) for item in page) if at is not None]
                mark = max(mark, min(max(times, default=mark), self._now()))
                fresh = [item for item in reversed(page) if (_time(item.get("indexedAt")) or mark) >= reach]
                posts = await self._posts_of(fresh, what=what)
                yield PostPage(posts=tuple(post for post in posts if not post.author.bot), cursor=_stamp(mark))
            if is_whole or mark <= before:
                break
            reach = mark
        if cursor is None and not pages:
            # Even where nothing was said so far: the next pull begins here, and never at another `since`.
            yield PostPage(posts=(), cursor=_stamp(mark))

    async def read_thread(self, post: Post) -> tuple[Post, ...]:
        """What was said below anything of ours under this post: a notification may be missing."""
        what = f"reading the thread of {post.url}"
        answer = await self._ask_appview("app.bsky.feed.getPostThread", _place(post, depth=DEPTH), what=what)
        thread = self._thread(answer, what=what)
        found: list[Post] = []
        waiting = [(thread, False)]
        while waiting:
            node, is_below_us = waiting.pop()
            view = _object(node.get("post"))
            is_ours = _word(_object(view.get("author")).get("did")) == self._me
            if is_below_us and not is_ours:
                with contextlib.suppress(ValueError):
                    found.append(parse_post(view, me=self._me))
            waiting += [(reply, is_below_us or is_ours) for reply in objects(node.get("replies"))]
        return tuple(sorted((post for post in found if not post.author.bot), key=lambda post: post.created_at))

    def reaches(self, url: str) -> Nearness:
        """Addresses of the web app, and at-URIs."""
        return "here" if _web_post(url) is not None else "no"

    async def read_around(self, post: Post) -> tuple[Post, ...]:
        """What stands above and below it as the AppView shows it, without machines and us."""
        what = f"reading the thread of {post.url}"
        place: Params = {**_place(post, depth=DEPTH), "parentHeight": str(HEIGHT)}
        answer = await self._ask_appview("app.bsky.feed.getPostThread", place, what=what)
        thread = self._thread(answer, what=what)
        nodes: list[JSON] = []
        above = _object(thread.get("parent"))
        while above:
            nodes.append(above)
            above = _object(above.get("parent"))
        waiting = objects(thread.get("replies"))
        while waiting:
            nodes.append(waiting.pop())
            waiting += objects(nodes[-1].get("replies"))
        found: list[Post] = []
        for node in nodes:
            view = _object(node.get("post"))
            with contextlib.suppress(ValueError):
                one = parse_post(view, me=self._me)
                if not one.author.bot and _word(_object(view.get("author")).get("did")) != self._me:
                    found.append(one)
        return tuple(sorted(found, key=lambda one: one.created_at))

    async def find(self, url: str) -> Post:
        """The post at an address of the web app, or at an at-URI."""
        named = _web_post(url)
        if named is None:
            raise OutsideError(
                f"this is no address of a post; enter the post's own, like {WEB}/profile/ana.example/post/3k…",
                "invalid",
            )
        what = f"finding the post {url.strip()[:200]}"
        who, key = named
        did = who if who.startswith("did:") else await self._resolved(who.removeprefix("@"), what=what)
        if did == self._me:
            raise OutsideError(f"{url.strip()[:200]} is a post of our own; enter the customer's", "invalid")
        uri = f"at://{did}/{POSTS}/{key}"
        views = await self._views([uri], what=what)
        if uri not in views:
            raise OutsideError(f"{what}: there is no such post, or it is hidden from us", "gone")
        return self._read(views[uri], what=what)

    async def look(self, post: Post) -> ThreadLook:
        """The post as the network shows it to us, and our own replies to it, as our own repository has them.

        What we wrote is in the repository at once, whatever the AppView shows of it; what is there and not
        in the thread is hidden, or not yet to be seen.
        """
        what = f"looking at {post.url}"
        answer = await self._ask_appview("app.bsky.feed.getPostThread", _place(post, depth=1), what=what)
        thread = self._thread(answer, what=what)
        view = _object(thread.get("post"))
        current = self._read(view, what=what)
        viewer = _object(_object(view.get("author")).get("viewer"))
        if viewer.get("blockedBy") is True or viewer.get("blocking") or viewer.get("blockingByList"):
            raise OutsideError(f"{what}: its author has blocked us, or we have blocked them", "forbidden")
        shown = _shown_replies(answer, thread, self._me)
        own, is_whole = await self._own_replies(current, what=what)
        replies = {reply.external_id: reply for reply in own}
        for uri, reply in shown.items():
            replies[uri] = replace(replies.get(uri, reply), visible=reply.visible)
        return ThreadLook(
            post=current,
            own_replies=tuple(sorted(replies.values(), key=lambda reply: reply.created_at)),
            authoritative=bool(self._me) and is_whole,
        )

    async def reread(self, posts: Sequence[Post]) -> Mapping[str, Post | None]:
        """In one call. What is left out of it is asked for by itself: it may be deleted, or there is a block between us.

        A post behind a block is kept as a private one.
        """
        what = f"reading {len(posts)} posts again for {self._handle}"
        views = await self._views([post.external_id for post in posts], what=what)
        found: dict[str, Post | None] = {}
        for post in posts:
            view = views.get(post.external_id)
            try:
                if view is None:
                    place = _place(post, depth=0)
                    answer = await self._ask_appview("app.bsky.feed.getPostThread", place, what=what)
                    view = _object(self._thread(answer, what=what).get("post"))
                found[post.external_id] = parse_post(view, me=self._me)
            except ValueError:
                continue
            except OutsideError as error:
                if error.kind not in {"gone", "forbidden"}:
                    raise
                found[post.external_id] = None if error.kind == "gone" else replace(post, visibility="private")
        return found

    async def send(self, outgoing: Outgoing) -> Sent:
        """Write the reply's record under the key of this attempt: written twice, it is the same record."""
        what = f"replying to {outgoing.post.url}"
        record = self._record(outgoing)
        session = await self._current()
        me, key = _word(session.get("did")), record_key(outgoing.key, outgoing.created_at)
        uri = f"at://{me}/{POSTS}/{key}"
        where = {"repo": me, "collection": POSTS, "rkey": key}
        there = await self._call("com.atproto.repo.getRecord", where, what=what)
        if there.is_success:
            self._check_same(json_of(there, what=what), record, what=what)
        else:
            if not self._is_not_found(there):
                raise await self._refusal_of_own_repo(there, what=what)
            body = {**where, "record": record, "validate": True}
            answer = await self._call("com.atproto.repo.putRecord", what=what, writes=True, record=body)
            if not answer.is_success:
                raise self._refusal_of_reply(answer, outgoing, what=what)
            if _word(_object(json_of(answer, what=what, writes=True)).get("uri")) != uri:
                raise OutsideError(f"{what}: the server's answer does not name the post it made", "unknown")
        return Sent(external_id=uri, url=At(me, key).page, visible=await self._is_shown(uri, outgoing.post))

    def envelope(self, post: Post) -> Envelope:
        """A reply notifies whom it answers by itself, and is as public as they are."""
        return Envelope(visibility=post.visibility, limit=MAX_GRAPHEMES)

    def count(self, text: str, *, content_warning: str = "") -> int:
        """Graphemes of what is shown, of which 300 are allowed; or a tenth of its bytes, of which 3,000 are."""
        return compose(text).length

    def receive(self, *, method: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """Bluesky calls nobody: notifications are polled."""
        raise NotImplementedError("Bluesky sends no webhooks")

    # --- Reading ---------------------------------------------------------------------------------

    async def _notifications(self, reach: datetime, *, what: str) -> tuple[list[list[dict[str, Any]]], bool]:
        """Pages of notifications back to `reach`, newest first, and whether the newest are among them.

        Of more than fit into memory the oldest are given: the rest follow when those are stored.
        """
        pages: deque[list[dict[str, Any]]] = deque(maxlen=PAGES_AT_ONCE)
        count, place = 0, ""
        while True:
            params: Params = {"limit": str(PAGE), "reasons": list(REASONS), **({"cursor": place} if place else {})}
            answer = await self._ask_appview("app.bsky.notification.listNotifications", params, what=what)
            told = self._object(answer, what=what)
            if not isinstance(told.get("notifications"), list):
                raise OutsideError(f"{what}: the answer is no list of notifications", "transient")
            page = objects(told["notifications"])
            if page:
                pages.append(page)
                count += 1
            oldest = min((at for at in (_time(item.get("indexedAt")) for item in page) if at), default=None)
            before, place = place, _word(told.get("cursor"))
            if not place or place == before or (oldest is not None and oldest < reach):
                return list(pages), count <= PAGES_AT_ONCE

    async def _posts_of(self, notifications: Iterable[JSON], *, what: str) -> list[Post]:
        """The posts that notifications are about, by others and in order, with their authors' reach and their pictures."""
        found: dict[str, JSON] = {}
        for item in notifications:
            is_meant = item.get("reason") in REASONS and _object(item.get("record")).get("$type", POSTS) == POSTS
            if is_meant and _word(_object(item.get("author")).get("did")) != self._me:
                found[_word(item.get("uri"))] = item
        with_embeds = [uri for uri, item in found.items() if _has_media(_object(item.get("record")))]
        authors = sorted({_word(_object(item.get("author")).get("did")) for item in found.values()} - {""})
        views: dict[str, JSON] = {}
        profiles: dict[str, JSON] = {}
        try:
            for some in _in_parts(with_embeds):
                views |= await self._views(some, what=what)
            for some in _in_parts(authors):
                answer = await self._ask_appview("app.bsky.actor.getProfiles", {"actors": some}, what=what)
                told = self._object(answer, what=what)
                profiles |= {_word(profile.get("did")): profile for profile in objects(told.get("profiles"))}
        except OutsideError as error:
            if error.kind in STOPS:
                raise
        posts: list[Post] = []
        for uri, item in found.items():
            who = _object(item.get("author"))
            more = {"embed": views[uri]["embed"]} if "embed" in views.get(uri, {}) else {}
            whole = {**item, **more, "author": {**who, **profiles.get(_word(who.get("did")), {})}}
            try:
                posts.append(replace(parse_post(whole, me=self._me), raw=in_ascii(item, what="a post")))
            except ValueError:
                continue
        return posts

    async def _views(self, uris: list[str], *, what: str) -> dict[str, JSON]:
        """Posts as they are now, by address; those that are deleted or hidden are left out."""
        told = self._object(await self._ask_appview("app.bsky.feed.getPosts", {"uris": uris}, what=what), what=what)
        if not isinstance(told.get("posts"), list):
            raise OutsideError(f"{what}: the answer is no list of posts", "transient")
        return {_word(view.get("uri")): view for view in objects(told["posts"])}

    async def _resolved(self, handle: str, *, what: str) -> str:
        answer = await self._call("com.atproto.identity.resolveHandle", {"handle": handle}, what=what)
        if answer.status_code == 400 and _name(answer) not in EXPIRED:
            raise OutsideError(f"{what}: nobody is called {handle}", "gone")
        did = _word(self._object(answer, what=what).get("did"))
        if not did.startswith("did:"):
            raise OutsideError(f"{what}: the answer names nobody", "transient")
        return did

    def _thread(self, answer: httpx.Response, *, what: str) -> JSON:
        """The thread an answer holds. OutsideError `gone` or `forbidden` where its post is not to be had."""
        if answer.status_code in {400, 404} and _name(answer) == "NotFound":
            raise self._gone(what)
        thread = _object(self._object(answer, what=what).get("thread"))
        kind = _word(thread.get("$type")).rpartition("#")[2]
        if kind == "notFoundPost" or thread.get("notFound") is True:
            raise self._gone(what)
        if kind == "blockedPost" or thread.get("blocked") is True:
            raise OutsideError(f"{what}: its author has blocked us, or we have blocked them", "forbidden")
        if not _object(thread.get("post")):
            raise OutsideError(f"{what}: the answer is no thread", "transient")
        return thread

    def _read(self, view: JSON, *, what: str) -> Post:
        try:
            return parse_post(view, me=self._me)
        except ValueError as error:
            raise OutsideError(f"{what}: the answer is no post", "transient") from error

    async def _own_replies(self, post: Post, *, what: str) -> tuple[list[OwnReply], bool]:
        """Our newest records that answer a post, and whether none can be missing that was made lately."""
        me = self._me or _word((await self._current()).get("did"))
        found: list[OwnReply] = []
        place = ""
        far_enough = max(post.created_at - timedelta(days=1), self._now() - LOST_WITHIN)
        for _ in range(OWN_PAGES):
            params: Params = {
                "repo": me,
                "collection": POSTS,
                "limit": str(PAGE),
                **({"cursor": place} if place else {}),
            }
            answer = await self._call("com.atproto.repo.listRecords", params, what=what)
            if not answer.is_success:
                raise await self._refusal_of_own_repo(answer, what=what)
            told = self._object(answer, what=what)
            if not isinstance(told.get("records"), list):
                raise OutsideError(f"{what}: the answer is no list of records", "transient")
            records = objects(told["records"])
            found += [reply for record in records if (reply := _own_reply(record, post)) is not None]
            last = At.of(_word(records[-1].get("uri"))) if records else None
            made = moment_of(last.key) if last is not None else None
            before, place = place, _word(told.get("cursor"))
            if not records or not place or place == before or (made and made < far_enough):
                return found, True
        return found, False

    async def _is_shown(self, uri: str, post: Post) -> bool:
        """Whether the public can read our reply already. Not knowing is a no: another look tells later."""
        try:
            async with asyncio.timeout(SHOWN_WITHIN):
                answer = await self._ask_appview("app.bsky.feed.getPostThread", _place(post, depth=1), what="")
            found = _shown_replies(answer, self._thread(answer, what=""), self._me or self._session.get("did", ""))
        except (OutsideError, TimeoutError):
            return False
        return uri in found and found[uri].visible

    # --- What is said ------------------------------------------------------------------------------

    def _record(self, outgoing: Outgoing) -> dict[str, Any]:
        """The reply's record, the same for each call of one attempt."""
        post = outgoing.post
        handle = post.author.handle.removeprefix("@")
        composed = compose(outgoing.text, names={} if handle.startswith("did:") else {handle: post.author.external_id})
        if composed.length > MAX_GRAPHEMES:
            raise OutsideError(
                f"replying to {post.url}: the text has {composed.length} of {MAX_GRAPHEMES} characters", "too_long"
            )
        ref = post.reply_ref
        record: dict[str, Any] = {
            "$type": POSTS,
            "text": composed.text,
            "createdAt": _stamp(outgoing.created_at),
            "reply": {
                "root": {
                    "uri": ref.get("root_uri", post.external_id),
                    "cid": ref.get("root_cid") or ref.get("cid", ""),
                },
                "parent": {"uri": post.external_id, "cid": ref.get("cid", "")},
            },
        }
        if composed.facets:
            record["facets"] = list(composed.facets)
        if outgoing.language and re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", outgoing.language):
            record["langs"] = [outgoing.language]
        return record

    def _check_same(self, told: object, record: JSON, *, what: str) -> None:
        """What is there under this attempt's key is this reply, said before. Anything else is never written over."""
        value = _object(_object(told).get("value"))
        parts = ("text", "createdAt")
        is_same = all(value.get(part) == record[part] for part in parts) and (
            _object(_object(value.get("reply")).get("parent")).get("uri") == record["reply"]["parent"]["uri"]
        )
        if not value:
            raise OutsideError(f"{what}: the answer is no record", "transient")
        if not is_same:
            raise OutsideError(f"{what}: another post has the key of this attempt; the next has another", "transient")

    def _is_not_found(self, answer: httpx.Response) -> bool:
        return _name(answer) == "RecordNotFound" or (
            answer.status_code in {400, 404} and "could not locate record" in self._said(answer).lower()
        )

    # --- The session -------------------------------------------------------------------------------

    async def _current(self, *, instead_of: JSON | None = None) -> dict[str, Any]:
        """The session to use now: as kept, or renewed where it ends (or has ended, as `instead_of` did)."""
        if not self._session:
            self._session = await self._keeper.kept()
        ends = _ends_at(_word(self._session.get("access")))
        is_over = self._session == instead_of or (ends is not None and ends < self._now() + SOON)
        if is_over or not self._is_ours(self._session) or self._is_refusal(self._session):
            self._session = await self._keeper.renew(self._session, self._renewed)
        if self._is_refusal(self._session):
            raise OutsideError(_word(self._session.get("why")), self._session["refused"])
        return self._session

    def _is_ours(self, session: JSON) -> bool:
        """Whether a session was made for this account, and where it signs in."""
        return session.get("service") == self._service and (
            session.get("did") == self._me if self._me else session.get("handle") == self._handle
        )

    def _is_refusal(self, session: JSON) -> bool:
        return session.get("refused") in {"auth_broken", "suspended"}

    async def _renewed(self, kept: dict[str, Any]) -> dict[str, Any]:
        """The next session: by the one before, or else by the app password. One process at a time does this."""
        if self._is_ours(kept) and not self._is_refusal(kept) and _word(kept.get("refresh")):
            renewed = await self._refreshed(kept)
            if renewed is not None:
                return renewed
        if self._is_refusal(kept) and (_time(kept.get("at")) or self._now()) > self._now() - REFUSED_FOR:
            return kept
        what = f"signing in as {self._handle} on {self._host}"
        body = {"identifier": self._me or self._handle, "password": self._password}
        answer = await ask(
            self._http, "POST", f"{self._service}/xrpc/com.atproto.server.createSession", what=what, json=body
        )
        if answer.is_success:
            return await self._session_of(answer, self._service, what=what)
        error = self._refusal(answer, what=what)
        if error.kind == "auth_broken":
            error = await self._standing(kept) or error
        if error.kind not in {"auth_broken", "suspended"}:
            raise error
        mine = {"service": self._service, "handle": self._handle, "did": self._me}
        return {**mine, "refused": error.kind, "why": error.message, "at": _stamp(self._now())}

    async def _refreshed(self, kept: JSON) -> dict[str, Any] | None:
        """A session made of the one before; None where that has ended for good."""
        what = f"renewing the session of {self._handle}"
        pds = _word(kept.get("pds")) or self._service
        answer = await ask(
            self._http,
            "POST",
            f"{pds}/xrpc/com.atproto.server.refreshSession",
            what=what,
            headers={"Authorization": f"Bearer {kept['refresh']}"},
        )
        if answer.is_success:
            return await self._session_of(answer, pds, what=what)
        error = self._refusal(answer, what=what)
        if error.kind in {"rate_limited", "transient", "suspended"}:
            raise error
        return None  # expired, revoked, or of an account that has moved: the password decides

    async def _session_of(self, answer: httpx.Response, asked: str, *, what: str) -> dict[str, Any]:
        told = _object(json_of(answer, what=what))
        did = _word(told.get("did"))
        if not did.startswith("did:") or not _word(told.get("accessJwt")) or not _word(told.get("refreshJwt")):
            raise OutsideError(f"{what}: the answer is no session", "transient")
        self._check_account(did)
        document = told.get("didDoc") or await self._document(did, asked)
        return {
            "service": self._service,
            "handle": self._handle,
            "did": did,
            "pds": _pds_of(document, service=self._service) or asked,
            "access": told["accessJwt"],
            "refresh": told["refreshJwt"],
        }

    async def _document(self, did: str, asked: str) -> object:
        """The account's DID document, where signing in did not tell it; None where nobody does."""
        what = f"finding the server of {self._handle}"
        try:
            answer = await ask(
                self._http, "GET", f"{asked}/xrpc/com.atproto.repo.describeRepo", what=what, params={"repo": did}
            )
        except OutsideError:
            return None
        return _object(parsed(answer.content)).get("didDoc") if answer.is_success else None

    async def _standing(self, kept: JSON) -> OutsideError | None:
        """Why we are refused, where that is because the account was stopped; None where it was not, or nobody tells."""
        did, pds = self._me or _word(kept.get("did")), _word(kept.get("pds")) or self._service
        if not did:
            return None
        what = f"reading the state of {self._handle}"
        try:
            answer = await ask(
                self._http, "GET", f"{pds}/xrpc/com.atproto.sync.getRepoStatus", what=what, params={"did": did}
            )
        except OutsideError:
            return None
        told = _object(parsed(answer.content)) if answer.is_success else {}
        return self._stopped(_word(told.get("status"))) if told.get("active") is False else None

    async def _refusal_of_own_repo(self, answer: httpx.Response, *, what: str) -> OutsideError:
        """Why our own records cannot be read: of an account that was stopped, a server says that it does not know it."""
        error = self._refusal(answer, what=what)
        return (await self._standing(self._session) if error.kind == "invalid" else None) or error

    def _check_account(self, did: str) -> None:
        if self._me and did != self._me:
            raise OutsideError(
                f"{self._handle} is another account now ({did}); connect the account by its new handle", "auth_broken"
            )

    def _check_standing(self, told: JSON) -> None:
        if told.get("active") is False:
            raise self._stopped(_word(told.get("status")))

    # --- Calling, and what refusals mean -----------------------------------------------------------

    async def _ask_appview(self, method: str, params: Params, *, what: str) -> httpx.Response:
        return await self._call(method, params, what=what, through=self._appview)

    async def _call(
        self,
        method: str,
        params: Params | None = None,
        *,
        what: str,
        writes: bool = False,
        record: JSON | None = None,
        through: str = "",
    ) -> httpx.Response:
        """One call of the account's own server. A session that has ended there is renewed, and the call made once more."""
        headers = {"Accept": "application/json", **({"atproto-proxy": through} if through else {})}
        options: dict[str, Any] = {"params": params} if record is None else {"json": record}

        async def once(session: JSON) -> httpx.Response:
            own = {**headers, "Authorization": f"Bearer {session['access']}"}
            address = f"{session['pds']}/xrpc/{method}"
            verb = "GET" if record is None else "POST"
            return await ask(self._http, verb, address, what=what, writes=writes, headers=own, **options)

        session = await self._current()
        answer = await once(session)
        if answer.status_code in {400, 401} and _name(answer) in EXPIRED:
            answer = await once(await self._current(instead_of=session))
        return answer

    def _object(self, answer: httpx.Response, *, what: str) -> JSON:
        if not answer.is_success:
            raise self._refusal(answer, what=what)
        body = json_of(answer, what=what)
        if not isinstance(body, dict):
            raise OutsideError(f"{what}: the answer is not what the protocol promises", "transient")
        return body

    def _refusal_of_reply(self, answer: httpx.Response, outgoing: Outgoing, *, what: str) -> OutsideError:
        """What it means that a reply was not answered with success: the table in docs/channels/bluesky.md."""
        status, said = answer.status_code, self._said(answer)
        if status == 408 or (status >= 500 and status != 503):
            return OutsideError(f"{what}: {status} ({said})", "unknown", in_flight=status not in {408, 500})
        error = self._refusal(answer, what=what)
        if error.kind == "invalid" and re.search(
            r"too (long|big)|grapheme|maximum|must not be longer", said, re.IGNORECASE
        ):
            return OutsideError(f"{what}: refused ({said}); it has {self.count(outgoing.text)} characters", "too_long")
        return error

    def _refusal(self, answer: httpx.Response, *, what: str) -> OutsideError:
        """What any answer without success means; the error's name says more than its status."""
        status, said, name = answer.status_code, self._said(answer), _name(answer)
        if status == 429 or name == "RateLimitExceeded":
            return OutsideError(
                f"{what}: too many requests for now ({said})", "rate_limited", retry_at=self._comes_back(answer)
            )
        if name in STANDINGS:
            return self._stopped(name)
        if name == "AuthFactorTokenRequired":
            return OutsideError(
                f"{self._host} asks {self._handle} for a code, so this is the account's own password; make an app "
                f"password under {APP_PASSWORDS}, and enter that",
                "auth_broken",
            )
        if status == 401 or name in EXPIRED or name in {"AccountNotFound", "InvalidEmail"}:
            return OutsideError(
                f"{self._host} refuses the app password of {self._handle} ({said}); make one under {APP_PASSWORDS}, "
                "and reconnect the account",
                "auth_broken",
            )
        if status == 403:
            return OutsideError(f"{what}: not allowed ({said})", "forbidden")
        if status in {404, 405, 410, 501}:
            return self._no_server()
        if status >= 500 or status in {408, 425}:
            return OutsideError(f"{what}: {status} ({said})", "transient", retry_at=retry_at(answer, self._now()))
        if not isinstance(parsed(answer.content), dict):
            return OutsideError(f"{what}: {status}, and not by the server's API", "transient")
        return OutsideError(f"{what}: refused with {status} ({said})", "invalid")

    def _stopped(self, standing: str) -> OutsideError:
        word = STANDINGS.get(standing, "stopped")
        ask_whom = "activate it again in the app" if word == "deactivated" else "ask the people who run its server"
        return OutsideError(f"the account {self._handle} is {word}; {ask_whom}", "suspended")

    def _gone(self, what: str) -> OutsideError:
        return OutsideError(f"{what}: the post is deleted, or hidden from us", "gone")

    def _no_server(self) -> OutsideError:
        return OutsideError(
            f"{self._host} does not answer like a Bluesky server (a PDS) that shows threads; enter the address "
            "where the account signs in",
            "misconfigured",
        )

    def _said(self, answer: httpx.Response) -> str:
        """The server's own words, shortened, never with a credential in them."""
        told = _object(parsed(answer.content))
        text = storable(_word(told.get("message")) or _word(told.get("error")))
        for secret in (self._password, *(_word(self._session.get(name)) for name in ("access", "refresh"))):
            text = text.replace(secret, "…") if secret else text
        return " ".join(text.split())[:200] or f"the server answered {answer.status_code}"

    def _comes_back(self, answer: httpx.Response) -> datetime | None:
        """Retry-After, or the end of the window in RateLimit-Reset (seconds since 1970)."""
        now = self._now()
        told, reset = retry_at(answer, now), answer.headers.get("ratelimit-reset", "")
        if told is not None or not (reset.isascii() and reset.isdigit() and len(reset) < 12):
            return told
        return min(max(datetime.fromtimestamp(int(reset), UTC), now), now + timedelta(days=1))


def _shown_replies(answer: httpx.Response, thread: JSON, me: str) -> dict[str, OwnReply]:
    """Our replies right under a thread's post, as the network shows them.

    A PDS adds what the AppView has not seen yet to what it passes on, and then tells how far that is behind:
    those replies are there, and not yet to be read by anybody else. Those that the thread's author hid are neither.
    """
    is_ahead = "atproto-upstream-lag" in answer.headers
    gate = _object(_object(_object(parsed(answer.content)).get("threadgate")).get("record"))
    hidden = gate.get("hiddenReplies")
    found: dict[str, OwnReply] = {}
    for node in objects(thread.get("replies")):
        view = _object(node.get("post"))
        uri = _word(view.get("uri"))
        at, made = At.of(uri), _time(_object(view.get("record")).get("createdAt")) or _time(view.get("indexedAt"))
        if at is not None and at.did == me and made is not None:
            record = _object(view.get("record"))
            is_hidden = (isinstance(hidden, list) and uri in hidden) or any(
                label.get("val") in {"!hide", "!takedown"} for label in objects(view.get("labels"))
            )
            text = whole_text(_word(record.get("text")), record.get("facets"))
            found[uri] = OwnReply(
                external_id=uri, url=at.page, text=text, created_at=made, visible=not is_ahead and not is_hidden
            )
    return found


def _own_reply(record: JSON, post: Post) -> OwnReply | None:
    """A record of ours as the reply to this post that it is; what nobody was seen to read yet is not visible."""
    at, value = At.of(_word(record.get("uri"))), _object(record.get("value"))
    parent = _word(_object(_object(value.get("reply")).get("parent")).get("uri"))
    made = _time(value.get("createdAt"))
    if at is None or made is None or parent != post.external_id:
        return None
    return OwnReply(
        external_id=_word(record.get("uri")),
        url=at.page,
        text=whole_text(_word(value.get("text")), value.get("facets")),
        created_at=made,
        visible=False,
    )


def _place(post: Post, *, depth: int) -> Params:
    return {"uri": post.external_id, "depth": str(depth), "parentHeight": "0"}


def _has_media(record: JSON) -> bool:
    embed = _object(record.get("embed"))
    kinds = {_word(embed.get("$type")), _word(_object(embed.get("media")).get("$type"))}
    return bool(kinds & {"app.bsky.embed.images", "app.bsky.embed.video"})


def _in_parts(items: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), SOME):
        yield items[start : start + SOME]


CHANNEL: type[Channel] = Bluesky

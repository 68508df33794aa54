"""Mastodon, and the servers that speak its API: GoToSocial, Pleroma, Akkoma and the forks.

Obeys https://docs.joinmastodon.org/methods/notifications/ and …/methods/statuses/; where the family
differs, docs/channels/mastodon.md says how. Mentions are polled.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

import httpx
import regex
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from app.http import ask, is_html, json_of, retry_at, server_address, web_url
from app.ports import Channel, Connection, Hook, Kind, Nearness, OutsideError, PostPage, Profile
from app.rules.characters import graphemes
from app.rules.facts import Author, Envelope, Media, Outgoing, OwnReply, Post, Sent, ThreadLook, Visibility
from app.rules.plaintext import plain_text, storable
from app.rules.told import in_ascii, moment, objects, parsed, word

JSON = Mapping[str, Any]

SCOPES = "profile (read:accounts before 4.3), read:notifications, read:search, read:statuses, write:statuses"
PAGE = 80  # the most a server of this family gives; those that give less are read in more pages
FIRST_PAGES = 100  # how far back a first connection reads at most
CONTEXT_LIMIT = 4096  # https://docs.joinmastodon.org/methods/statuses/#context: a longer thread is cut
UNSETTLED = timedelta(seconds=5)
"""Two mentions that arrive together may become readable in the other order than their ids. The cursor
therefore stays before a mention until it is this old; what is read twice is the same post twice."""

VISIBILITIES: dict[str, Visibility] = {"public": "public", "unlisted": "unlisted"}
"""Everything else (private, direct, local, a list, a word of tomorrow) has a closed audience."""

STOPS: frozenset[Kind] = frozenset({"rate_limited", "auth_broken", "suspended"})
"""What makes every further read of this account pointless for now."""


class MastodonSettings(BaseModel):
    """Which server, and how far back to read at first."""

    base_url: str = Field(
        title="Server address",
        description="The server your account is on, for example https://mastodon.example",
        max_length=300,
    )
    first_days: int = Field(
        3,
        ge=0,
        le=30,
        title="Days to read at first",
        description="How many days of mentions are taken in when the account is connected for the first time.",
    )

    @field_validator("base_url")
    @classmethod
    def _server(cls, value: str) -> str:
        url = server_address(value, example="https://mastodon.example", at_stake="access token")
        # A profile's or a page's address, pasted from the browser, still names the server.
        path = re.sub(r"^/(@.*|users/.*|web(/.*)?|home|explore|public.*)$", "", url.path).rstrip("/")
        return str(url.copy_with(path=path or "/", query=None, fragment=None)).rstrip("/")


class MastodonSecrets(BaseModel):
    """What proves that we may speak for the account."""

    model_config = ConfigDict(hide_input_in_errors=True)

    access_token: SecretStr = Field(
        title="Access token",
        description=f"From Preferences → Development → your application on the server. Scopes: {SCOPES}.",
    )

    @field_validator("access_token")
    @classmethod
    def _one_word(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value().strip().removeprefix("Bearer ").strip()
        if not re.fullmatch(r"[!-~]+", text):
            raise ValueError("this is not an access token: one word of letters, digits and hyphens is expected")
        return SecretStr(text)


# --- The vendor's words into ours. No network is needed from here to the adapter. ---------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Our server: its address, and the domain that its own accounts leave out of their names."""

    base_url: str
    domain: str


def parse_status(status: JSON, *, home: Home, account: JSON | None = None, thread_id: str = "") -> Post:
    """A Status as a Post: https://docs.joinmastodon.org/entities/Status/.

    `account` fills in what the status' own, sometimes shortened, account leaves out. ValueError
    where the status has no id, no time or no author: nothing can be done with it.
    """
    external_id, created_at = word(status.get("id")), moment(status.get("created_at"))
    who = whole_account(status, account)
    if not external_id or created_at is None or not who:
        raise ValueError("a status without id, time or author")
    uri = word(status.get("uri")) or word(status.get("url")) or f"{home.base_url}/statuses/{external_id}"
    parent_id = word(status.get("in_reply_to_id")) or None
    visibility = word(status.get("visibility")) or "public"
    mentions = {word(m.get("url")): word(m.get("acct")) for m in objects(status.get("mentions"))}
    return Post(
        external_id=external_id,
        canonical_id=uri,
        url=word(status.get("url")) or uri,
        author=parse_author(who, home=home),
        text=plain_text(word(status.get("content")), mentions),
        created_at=created_at,
        raw=in_ascii(status, what="a status"),
        edited_at=moment(status.get("edited_at")),
        language=word(status.get("language")) or None,
        parent_id=parent_id,
        answers_id=parent_id,  # a reply here hangs on the very post it answers
        thread_id=thread_id or uri,
        visibility="private" if status.get("local_only") is True else VISIBILITIES.get(visibility, "private"),
        content_warning=storable(word(status.get("spoiler_text"))),
        media=tuple(_media(status.get("media_attachments"))),
        reply_ref={"acct": _acct(who)},
        locked=bool(who.get("suspended") or who.get("memorial")),
    )


def parse_author(account: JSON, *, home: Home) -> Author:
    """An Account as an Author, keyed by its actor's address.

    Mastodon tells it since 4.2, Pleroma in a field of its own. Elsewhere it is derived for accounts of
    our own server and is the profile's address for others. An account with none of these has only a
    name, which its server may give to somebody else one day: `weak`.
    """
    username, _, domain = _acct(account).partition("@")
    pleroma = account.get("pleroma")
    told = word(account.get("uri")) or (word(pleroma.get("ap_id")) if isinstance(pleroma, dict) else "")
    derived = f"{home.base_url}/users/{username}" if username and not domain else word(account.get("url"))
    followers = account.get("followers_count")
    handle = storable(f"@{username}@{domain or home.domain}")
    return Author(
        external_id=told or derived or handle,
        handle=handle,
        name=storable(word(account.get("display_name"))) or username,
        url=word(account.get("url")) or None,
        followers=followers if isinstance(followers, int) and followers >= 0 else None,
        bot=account.get("bot") is True,
        weak=not (told or derived),
    )


def whole_account(status: JSON, of_notification: object) -> JSON:
    """A status' author, with what only the notification about it tells of the same account."""
    short, long = status.get("account"), of_notification
    if not isinstance(short, dict) or not isinstance(long, dict):
        return short if isinstance(short, dict) else long if isinstance(long, dict) else {}
    return {**long, **short} if word(short.get("id")) == word(long.get("id")) else short


def software_of(instance: JSON) -> str:
    """Which server this is, by its Instance entity: `mastodon`, `gotosocial`, `pleroma`, `akkoma` …

    All but Mastodon and its forks write `4.2.1 (compatible; Name …)`; GoToSocial names its source.
    """
    version = word(instance.get("version"))
    named = re.search(r"compatible;\s*([A-Za-z]+)", version)
    if named:
        return named.group(1).lower()
    if "gotosocial" in f"{version} {word(instance.get('source_url'))}".lower():
        return "gotosocial"
    # GoToSocial without its name (the older entity) still counts from 0; Mastodon has not since 2017.
    return "mastodon" if re.match(r"[1-9]\d*\.\d+", version) else "unknown"


def _limits(instance: JSON) -> dict[str, int]:
    configuration = instance.get("configuration")
    statuses = configuration.get("statuses") if isinstance(configuration, dict) else None
    told = statuses if isinstance(statuses, dict) else {}
    return {
        "max_characters": _count(told.get("max_characters")) or _count(instance.get("max_toot_chars")) or 500,
        "characters_reserved_per_url": _count(told.get("characters_reserved_per_url")) or 23,
    }


# What the server will make a link of, or slightly less: a text that is counted too long is cut a
# little early, one that is counted too short is refused. Addresses in other scripts count in full.
_URL = regex.compile(
    r"(?<![A-Za-z0-9@＠$#＃])https?://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::\d+)?"
    r"(?:[/?#](?:[A-Za-z0-9/?#!*';:=+,.$%~&|@_\[\]-]*[A-Za-z0-9/#=+_&-])?)?(?![A-Za-z0-9@])",
    regex.IGNORECASE,
)
_MENTION = regex.compile(r"(?<![=/\w])@([A-Za-z0-9_]+(?:[.-]+[A-Za-z0-9_]+)*)@[A-Za-z0-9.-]*[A-Za-z0-9]")


def countable(text: str, *, per_url: int) -> str:
    """A text as Mastodon measures it: each link `per_url` characters, each `@user@domain` only `@user`."""
    pieces: list[str] = []
    end = 0
    for link in _URL.finditer(text):
        pieces += [_MENTION.sub(r"@\1", text[end : link.start()]), "x" * per_url]
        end = link.end()
    return "".join([*pieces, _MENTION.sub(r"@\1", text[end:])])


def _count(value: object) -> int:
    text = word(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _acct(account: JSON) -> str:
    return storable(word(account.get("acct")) or word(account.get("username")))


def _media(attachments: object) -> Iterable[Media]:
    for attachment in objects(attachments):
        url = word(attachment.get("url")) or word(attachment.get("remote_url"))
        if url:
            yield Media(
                url=url,
                kind=word(attachment.get("type")) or "unknown",
                description=storable(word(attachment.get("description"))),
                preview_url=word(attachment.get("preview_url")) or None,
            )


@dataclass(frozen=True, slots=True)
class _Mention:
    """One notification: its id, when it came, and its JSON."""

    id: str
    at: datetime | None
    body: dict[str, Any]

    @property
    def place(self) -> tuple[int, str]:
        return _place(self.id)


def _place(identifier: str) -> tuple[int, str]:
    """Ids in the order of their age, whether they count (longer is newer) or are ULIDs (all of one length)."""
    return len(identifier), identifier


def _root(context: JSON) -> str:
    """The canonical id of a thread's first post, empty where the post has no ancestors."""
    ancestors = objects(context.get("ancestors"))
    return word(ancestors[0].get("uri")) if ancestors else ""


def _address(text: str) -> httpx.URL | None:
    """A web address without its fragment and closing slash, None where the text is none."""
    url = web_url(text)
    try:
        return url.copy_with(path=url.path.rstrip("/") or "/", fragment=None) if url is not None else None
    except httpx.InvalidURL:  # a path that only its escapes made lawful
        return None


def _is_visible(status: JSON) -> bool:
    """False while the author of the post must still let our reply through."""
    return status.get("pending_approval") is not True


def _quota(answer: httpx.Response) -> dict[str, Any]:
    """Requests left in this window: https://docs.joinmastodon.org/api/rate-limits/."""
    told = {name: answer.headers.get(f"x-ratelimit-{name}") for name in ("limit", "remaining", "reset")}
    return {name: int(value) if value.isdigit() else value for name, value in told.items() if value}


# ------------------------------------------------------------------------------------------------


class Mastodon:
    """One account on one server of the family."""

    name: ClassVar[str] = "mastodon"
    title: ClassVar[str] = "Mastodon"
    poll_every: ClassVar[timedelta] = timedelta(seconds=30)  # 300 requests in 5 minutes are allowed
    max_automatic_replies_per_post: ClassVar[int] = 1
    rereads_at_once: ClassVar[int] = 20  # more are refused: https://docs.joinmastodon.org/methods/statuses/#index
    Settings: ClassVar[type[BaseModel]] = MastodonSettings
    Secrets: ClassVar[type[BaseModel]] = MastodonSecrets

    def __init__(self, connection: Connection) -> None:
        settings: MastodonSettings = connection.settings
        secrets: MastodonSecrets = connection.secrets
        self._http = connection.http
        self._now = connection.now
        self._me = connection.remote_id
        self._facts = connection.facts
        self._base = settings.base_url
        self._host = httpx.URL(settings.base_url).netloc.decode()
        self._token = secrets.access_token.get_secret_value()
        self._home = Home(base_url=self._base, domain=word(connection.facts.get("domain")) or self._host)

    async def connect(self) -> Profile:
        """Who the token speaks for, whether it may read mentions, and what this server allows in a post."""
        what = f"connecting to {self._host}"
        answer = await self._call("GET", "/api/v1/accounts/verify_credentials", what=what)
        if not answer.is_success:
            raise self._refusal(answer, what=what)
        account = {} if is_html(answer) else json_of(answer, what=what)
        if not isinstance(account, dict) or not word(account.get("id")) or not _acct(account):
            raise self._no_server()
        if account.get("suspended") is True:
            raise OutsideError(f"{self._host} has suspended the account {_acct(account)}", "suspended")
        instance = await self._instance()
        domain = word(instance.get("domain")) or word(instance.get("uri")).rpartition("://")[2] or self._host
        author = parse_author(account, home=Home(base_url=self._base, domain=domain))
        await self._mentions(what=f"reading mentions on {self._host}", limit="1")
        return Profile(
            remote_id=word(account.get("id")),
            handle=author.handle,
            url=author.url or self._base,
            facts={
                "software": software_of(instance),
                "version": word(instance.get("version")),
                "domain": domain,
                "handle": author.handle,
                "actor": author.external_id,
                "bot": author.bot,
                **_limits(instance),
            },
            scopes=await self._scopes(),
            quota=_quota(answer),
        )

    async def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[PostPage]:
        """Mentions after `cursor`, oldest first; each page is the one immediately newer than the last.

        What arrived within the last seconds is given now and once more by the next pull (`UNSETTLED`),
        so whoever stores posts counts only those that are new to them.
        """
        what = f"reading mentions on {self._host}"
        now, threads = self._now(), _Threads(self._thread_part)
        position = settled = cursor or await self._first_position(since, what=what)
        is_settled = True
        while mentions := await self._mentions_after(position, what=what):
            posts: list[Post] = []
            for mention in mentions:
                try:
                    post = await self._post(mention, threads)
                except OutsideError:
                    yield PostPage(posts=tuple(posts), cursor=settled)  # read before the trouble, not read again
                    raise
                if post is not None:
                    posts.append(post)
                is_settled = is_settled and (mention.at is None or abs(now - mention.at) >= UNSETTLED)
                settled = mention.id if is_settled else settled
            position = mentions[-1].id
            yield PostPage(posts=tuple(posts), cursor=settled)
        if cursor is None:
            # Even where nothing was said so far: the next pull begins here, and never at `since` again.
            yield PostPage(posts=(), cursor=settled)

    def reaches(self, url: str) -> Nearness:
        """Our server fetches posts of any other that speaks ActivityPub, wherever its address leads."""
        address = _address(url)
        if address is None:
            return "no"
        return "here" if self._is_here(address) else "perhaps"

    def _is_here(self, address: httpx.URL) -> bool:
        base = httpx.URL(self._base)
        return (address.host, address.port) == (base.host, base.port) or address.netloc.decode() == self._home.domain

    async def read_around(self, post: Post) -> tuple[Post, ...]:
        """What stands above and below it on our server, without machines and us."""
        what = f"reading the thread of {post.url} on {self._host}"
        context = await self._thread_part(post.external_id, "/context", what=what)
        root = _root(context) or post.thread_id
        found: list[Post] = []
        for status in [*objects(context.get("ancestors")), *objects(context.get("descendants"))]:
            with contextlib.suppress(ValueError):
                one = parse_status(status, home=self._home, thread_id=root)
                if not one.author.bot and word(whole_account(status, None).get("id")) != self._me:
                    found.append(one)
        return tuple(sorted(found, key=lambda one: one.created_at))

    async def find(self, url: str) -> Post:
        """The post at a public address; one of another server is fetched by ours (scope `read:search`)."""
        address = _address(url)
        if address is None:
            raise OutsideError(
                "this is not a web address; enter the post's own, like https://m.example/@ana/123", "invalid"
            )
        what = f"finding the post {address} on {self._host}"
        status = await self._status_at(address, what=what)
        if word(whole_account(status, None).get("id")) == self._me:
            raise OutsideError(f"{address} is a post of our own; enter the customer's", "invalid")
        try:
            post = parse_status(status, home=self._home)
        except ValueError as error:
            raise OutsideError(f"{what}: the answer is no status", "transient") from error
        return replace(post, thread_id=await _Threads(self._thread_part).root_of(post))

    async def look(self, post: Post) -> ThreadLook:
        """The post as it is now, and our own replies right under it, as the server itself has them.

        For a signed-in reader the server lists up to 4,096 descendants; a longer thread is cut, and an
        absence then proves nothing.
        """
        what = f"looking at {post.url} on {self._host}"
        status = await self._thread_part(post.external_id, what=what)
        context = await self._thread_part(post.external_id, "/context", what=what)
        descendants = context.get("descendants")
        if not isinstance(descendants, list):
            raise OutsideError(f"{what}: the answer is no thread", "transient")
        try:
            current = parse_status(status, home=self._home, thread_id=_root(context) or post.thread_id)
        except ValueError as error:
            raise OutsideError(f"{what}: the answer is no status", "transient") from error
        return ThreadLook(
            post=current,
            own_replies=tuple(self._own_replies(objects(descendants), post.external_id)),
            authoritative=bool(self._me) and len(descendants) < CONTEXT_LIMIT,
        )

    async def reread(self, posts: Sequence[Post]) -> Mapping[str, Post | None]:
        """In one call since Mastodon 4.3, one by one on older and other servers.

        What the list leaves out is asked for by itself: only the server's own 'not there' is proof.
        """
        what = f"reading {len(posts)} posts again on {self._host}"
        answer = await self._call(
            "GET", "/api/v1/statuses", what=what, params={"id[]": [post.external_id for post in posts]}
        )
        listed: dict[str, dict[str, Any]] = {}
        if answer.status_code not in {400, 404, 405, 410, 422}:
            if not answer.is_success:
                raise self._refusal(answer, what=what)
            told = json_of(answer, what=what)
            if not isinstance(told, list):
                raise OutsideError(f"{what}: the answer is no list of statuses", "transient")
            listed = {word(status.get("id")): status for status in objects(told)}
        found: dict[str, Post | None] = {}
        for post in posts:
            with contextlib.suppress(ValueError):
                status = listed.get(post.external_id) or await self._status_or_none(post.external_id, what=what)
                found[post.external_id] = (
                    None if status is None else parse_status(status, home=self._home, thread_id=post.thread_id)
                )
        return found

    async def _status_or_none(self, status_id: str, *, what: str) -> JSON | None:
        try:
            return await self._thread_part(status_id, what=what)
        except OutsideError as error:
            if error.kind == "gone":
                return None
            raise

    async def send(self, outgoing: Outgoing) -> Sent:
        """Post the reply under its key. Mastodon and Pleroma answer a known key with the post it already made."""
        what = f"replying to {outgoing.post.url} on {self._host}"
        is_closed = "private" in {outgoing.visibility, outgoing.post.visibility}
        body: dict[str, Any] = {
            "status": outgoing.text,
            "in_reply_to_id": outgoing.post.external_id,
            # Our followers are not the audience of a closed post; whom the text names is.
            "visibility": "direct" if is_closed else outgoing.visibility,
            "sensitive": bool(outgoing.content_warning),
        }
        if outgoing.content_warning:
            body["spoiler_text"] = outgoing.content_warning
        if outgoing.language:
            body["language"] = outgoing.language
        answer = await self._call(
            "POST", "/api/v1/statuses", what=what, writes=True, json=body, headers={"Idempotency-Key": outgoing.key}
        )
        if not answer.is_success:
            raise self._refusal_of_reply(answer, outgoing, what=what)
        made = json_of(answer, what=what, writes=True)
        if not isinstance(made, dict) or not word(made.get("id")):
            raise OutsideError(f"{what}: the server's answer does not name the post it made", "unknown")
        url = word(made.get("url")) or word(made.get("uri")) or outgoing.post.url
        return Sent(external_id=word(made["id"]), url=url, visible=_is_visible(made))

    def envelope(self, post: Post) -> Envelope:
        """An answer names the customer, stays out of the timelines, and keeps the customer's warning."""
        acct = post.reply_ref.get("acct") or post.author.handle.removeprefix("@")
        return Envelope(
            prefix=f"@{acct} ",
            visibility="private" if post.visibility == "private" else "unlisted",
            content_warning=post.content_warning,
            limit=_count(self._facts.get("max_characters")) or 500,
        )

    def count(self, text: str, *, content_warning: str = "") -> int:
        """As the server counts: Mastodon by graphemes with links and names shortened, all others by code points."""
        if self._facts.get("software", "mastodon") != "mastodon":
            return len(text) + len(content_warning)
        per_url = _count(self._facts.get("characters_reserved_per_url")) or 23
        return graphemes(content_warning + countable(text, per_url=per_url))

    def receive(self, *, method: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """Mastodon calls nobody about mentions: they are polled."""
        raise NotImplementedError("Mastodon sends no webhooks about mentions")

    # --- Reading ---------------------------------------------------------------------------------

    async def _instance(self) -> JSON:
        what = f"reading the limits of {self._host}"
        for path in ("/api/v2/instance", "/api/v1/instance"):
            answer = await self._call("GET", path, what=what)
            if answer.status_code not in {404, 410}:
                return self._object(answer, what=what)
        return {}

    async def _scopes(self) -> tuple[str, ...]:
        """What the token's application may do; empty where the server (before 4.3) does not tell."""
        what = f"reading the token's scopes on {self._host}"
        answer = await self._call("GET", "/api/v1/apps/verify_credentials", what=what)
        body = parsed(answer.content) if answer.is_success else None
        told = body.get("scopes") if isinstance(body, dict) else None
        scopes = tuple(scope for scope in told if isinstance(scope, str)) if isinstance(told, list) else ()
        if scopes and not {"write", "write:statuses"} & set(scopes):
            raise OutsideError(
                f"the access token may not post on {self._host}; make one with the scopes {SCOPES}", "auth_broken"
            )
        return scopes

    async def _mentions(self, *, what: str, limit: str = str(PAGE), **place: str) -> list[_Mention]:
        """One page of notifications, oldest first. One without id is left out: it cannot be kept, nor passed."""
        # Since 4.3 the account's own notification policy hides strangers unless they are asked for.
        params = {"types[]": "mention", "limit": limit, "include_filtered": "true", **place}
        answer = await self._call("GET", "/api/v1/notifications", what=what, params=params)
        if not answer.is_success:
            raise self._refusal(answer, what=what)
        page = json_of(answer, what=what)
        if not isinstance(page, list):
            raise OutsideError(f"{what}: the answer is no list of notifications", "transient")
        found = [_Mention(word(n.get("id")), moment(n.get("created_at")), n) for n in objects(page)]
        return sorted((mention for mention in found if mention.id), key=lambda mention: mention.place)

    async def _mentions_after(self, position: str, *, what: str) -> list[_Mention]:
        page = await self._mentions(what=what, min_id=position)
        return [mention for mention in page if mention.place > _place(position)]

    async def _first_position(self, since: datetime, *, what: str) -> str:
        """The last mention before `since`, from where reading goes forward; `0` where there is none."""
        before: str | None = None
        for _ in range(FIRST_PAGES):
            page = await self._mentions(what=what, **({"max_id": before} if before else {}))
            page = [mention for mention in page if before is None or mention.place < _place(before)]
            if not page:
                return "0"
            older = [mention for mention in page if mention.at is not None and mention.at < since]
            if older:
                return older[-1].id
            before = page[0].id
        return before or "0"

    async def _status_at(self, address: httpx.URL, *, what: str) -> JSON:
        status_id = address.path.rpartition("/")[2]
        if self._is_here(address) and re.fullmatch(r"[A-Za-z0-9]+", status_id):
            return await self._thread_part(status_id, what=what)
        params = {"q": str(address), "type": "statuses", "resolve": "true", "limit": "5"}
        found = self._object(await self._call("GET", "/api/v2/search", what=what, params=params), what=what)
        if not isinstance(found.get("statuses"), list):
            raise OutsideError(f"{what}: the answer is no search result", "transient")
        for status in objects(found["statuses"]):
            # Some servers search in texts as well: a post that only names the address is not the one there.
            if address in {_address(word(status.get("url"))), _address(word(status.get("uri")))}:
                return status
        raise OutsideError(f"{what}: there is no such post, or it is hidden from us", "gone")

    async def _post(self, mention: _Mention, threads: _Threads) -> Post | None:
        """The post a notification is about; None for what is deleted, malformed, by a machine or by us."""
        status, account = mention.body.get("status"), mention.body.get("account")
        if mention.body.get("type") != "mention" or not isinstance(status, dict):
            return None
        try:
            post = parse_status(status, home=self._home, account=account if isinstance(account, dict) else None)
        except ValueError:
            return None
        if post.author.bot or word(whole_account(status, account).get("id")) == self._me:
            return None
        return replace(post, thread_id=await threads.root_of(post))

    def _own_replies(self, descendants: Iterable[JSON], parent_id: str) -> Iterable[OwnReply]:
        for status in descendants:
            is_ours = bool(self._me) and word(whole_account(status, None).get("id")) == self._me
            if is_ours and word(status.get("in_reply_to_id")) == parent_id and moment(status.get("created_at")):
                reply = parse_status(status, home=self._home)
                yield OwnReply(
                    external_id=reply.external_id,
                    url=reply.url,
                    text=reply.text,
                    created_at=reply.created_at,
                    visible=_is_visible(status),
                )

    async def _thread_part(self, status_id: str, part: str = "", *, what: str) -> JSON:
        answer = await self._call("GET", f"/api/v1/statuses/{quote(status_id, safe='')}{part}", what=what)
        if answer.status_code in {404, 410}:
            raise self._missing(answer, what=what)
        return self._object(answer, what=what)

    # --- Calling, and what refusals mean -----------------------------------------------------------

    async def _call(
        self,
        method: str,
        path: str,
        *,
        what: str,
        writes: bool = False,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        own = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        return await ask(
            self._http,
            method,
            f"{self._base}{path}",
            what=what,
            writes=writes,
            headers={**own, **(headers or {})},
            **options,
        )

    def _object(self, answer: httpx.Response, *, what: str) -> JSON:
        if not answer.is_success:
            raise self._refusal(answer, what=what)
        body = json_of(answer, what=what)
        if not isinstance(body, dict):
            raise OutsideError(f"{what}: the answer is not what Mastodon's API promises", "transient")
        return body

    def _refusal_of_reply(self, answer: httpx.Response, outgoing: Outgoing, *, what: str) -> OutsideError:
        """What it means that a reply was not answered with success: the table in docs/channels/mastodon.md."""
        status, said = answer.status_code, self._said(answer)
        if status in {404, 410}:
            return self._missing(answer, what=what)
        if status in {408, 409} or (status >= 500 and status != 503):
            # 500 is the server's last word. Behind a gateway's, or beside a twin of this request (409), it may still work.
            return OutsideError(f"{what}: {status} ({said})", "unknown", in_flight=status not in {408, 500})
        if status in {400, 413, 422} and not self._is_about_token(status, said):
            length = self.count(outgoing.text, content_warning=outgoing.content_warning)
            # The server may say it in any language; our own count is the other witness.
            is_long = length > self.envelope(outgoing.post).limit or re.search(r"too long|limit|exceed", said, re.I)
            return OutsideError(
                f"{what}: refused ({said}); it has {length} characters", "too_long" if is_long else "invalid"
            )
        return self._refusal(answer, what=what)

    def _refusal(self, answer: httpx.Response, *, what: str) -> OutsideError:
        """What any answer without success means: https://docs.joinmastodon.org/entities/Error/#reasons."""
        status, said = answer.status_code, self._said(answer)
        account = word(self._facts.get("handle")) or "this account"
        if self._is_about_token(status, said):
            return OutsideError(
                f"{self._host} refuses the access token of {account} ({said}); make one there under "
                f"Preferences → Development with the scopes {SCOPES}, and reconnect the account",
                "auth_broken",
            )
        if status == 403:
            if re.search(r"your login|disabled|suspended|your account has moved", said, re.IGNORECASE):
                return OutsideError(
                    f"{self._host} has stopped {account} ({said}); ask the people who run that server", "suspended"
                )
            return OutsideError(f"{what}: not allowed ({said})", "forbidden")
        if status == 429:
            return OutsideError(
                f"{what}: too many requests for now ({said})", "rate_limited", retry_at=self._comes_back(answer)
            )
        if status in {404, 405, 410}:
            return self._no_server()
        if status >= 500 or status in {408, 425}:
            return OutsideError(f"{what}: {status} ({said})", "transient", retry_at=retry_at(answer, self._now()))
        return OutsideError(f"{what}: refused with {status} ({said})", "invalid")

    def _is_about_token(self, status: int, said: str) -> bool:
        """A bad token (401), one of an application alone (422), or one without a scope (403)."""
        return (
            status == 401
            or (status == 422 and "authenticated user" in said)
            or (status == 403 and "scope" in said.lower())
        )

    def _missing(self, answer: httpx.Response, *, what: str) -> OutsideError:
        if is_html(answer):
            # A web server's own page says nothing about the post: nobody gives a customer up for that.
            return OutsideError(f"{what}: {answer.status_code}, and not by Mastodon's API", "transient")
        return OutsideError(f"{what}: the post is deleted, or hidden from us ({self._said(answer)})", "gone")

    def _no_server(self) -> OutsideError:
        return OutsideError(
            f"{self._host} does not answer like a Mastodon server; enter the address of the server itself",
            "misconfigured",
        )

    def _said(self, answer: httpx.Response) -> str:
        """The server's own words, shortened, never with the token in them."""
        body = parsed(answer.content)
        told = storable(word(body.get("error"))) if isinstance(body, dict) else ""
        text = " ".join(told.replace(self._token, "…").split())[:200]
        return text or f"the server answered {answer.status_code}"

    def _comes_back(self, answer: httpx.Response) -> datetime | None:
        """Retry-After, or the end of the window in X-RateLimit-Reset (a time; on some servers, seconds since 1970)."""
        now = self._now()
        told, reset = retry_at(answer, now), answer.headers.get("x-ratelimit-reset", "")
        if told is not None or not reset:
            return told
        seconds = _count(reset)
        when = datetime.fromtimestamp(seconds, UTC) if seconds else moment(reset)
        return None if when is None else min(max(when, now), now + timedelta(days=1))


class _Threads:
    """The first post of each thread, as one pull comes across them.

    A thread that cannot be read never holds back its post: the nearest post that can be read stands
    for the root. Trouble with a second one ends the pull, for then it is the server that has it.
    """

    def __init__(self, read: Callable[..., Awaitable[JSON]]) -> None:
        self._read = read
        self._roots: dict[str, str] = {}
        self._had_trouble = False

    async def root_of(self, post: Post) -> str:
        """The canonical id of the thread's first post."""
        found = post.canonical_id
        if post.parent_id is not None:
            found = self._roots.get(post.parent_id) or await self._find(post.external_id, post.parent_id)
            self._roots[post.parent_id] = found
        self._roots[post.external_id] = found
        return found or post.canonical_id

    async def _find(self, external_id: str, parent_id: str) -> str:
        trouble: OutsideError | None = None
        try:
            return _root(await self._read(external_id, "/context", what="reading a thread"))
        except OutsideError as error:
            trouble = error
        if trouble.kind not in STOPS:
            try:
                return word((await self._read(parent_id, what="reading a thread")).get("uri"))
            except OutsideError as error:
                trouble = error
        if trouble.kind in STOPS or (trouble.kind == "transient" and self._had_trouble):
            raise trouble
        self._had_trouble = trouble.kind == "transient"
        return ""


CHANNEL: type[Channel] = Mastodon

"""Facebook Pages: the comments under a Page's posts, and what visitors post on it.

Obeys https://developers.facebook.com/docs/graph-api/reference/page/feed/ and …/reference/object/comments/;
docs/channels/facebook.md says what is documented and what is only assumed. Webhooks hint; polling reads.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from app import meta
from app.http import server_address, web_url
from app.meta import JSON, Graph, code_of, inner, is_refusal, next_page, usage_of
from app.ports import Channel, Connection, Hook, Nearness, OutsideError, PostPage, Profile
from app.rules.characters import one_line, shorten
from app.rules.facts import Author, Envelope, Media, Outgoing, OwnReply, Post, Sent, ThreadLook
from app.rules.plaintext import storable
from app.rules.quoting import same_text
from app.rules.told import moment, objects, word

GRAPH = "https://graph.facebook.com"
VERSIONED = re.compile(r"/v[1-9][0-9]?\.[0-9]$")
LIMIT = 8000  # characters of a comment
FEED_PAGE = 25  # posts at once, each with its newest comments: more is refused as too much data
INNER_PAGE = 25
PAGE = 100
MOST_PAGES = 100
"""Of one list. A longer one is not read to its end, and then an absence in it proves nothing."""

AGAIN = timedelta(hours=24)
"""What is read anew in each poll: it costs no call, and shows edits, and comments that were hidden at first."""

NEW = timedelta(minutes=10)
"""Whose thread is read for what it answers in meaning: the others were stored by an earlier poll."""

COMMENT = "id,message,from,created_time,permalink_url,parent{id,from{id}},is_hidden,can_comment,message_tags,attachment"
POST = "id,message,from,created_time,permalink_url,is_hidden,is_published,privacy,full_picture"

REREAD = 25
"""At once; with what they are under these are no more than the 50 ids that one call may name."""

CHANGED = frozenset({"remove", "edited", "edit", "hide", "unhide"})
"""What a webhook call says of a comment that was there before."""

PERMISSIONS = (
    ("pages_read_engagement",),
    ("pages_read_user_content", "pages_read_user_engagement"),  # Meta's pages print both names
    ("pages_manage_engagement",),
)
FOR_WEBHOOKS = ("pages_manage_metadata",)
GRANT = (
    "grant it when you make the token (Graph API Explorer → Permissions), and let your app be reviewed for it under "
    "App Dashboard → App Review → Permissions and Features; then reconnect the account"
)


class FacebookSettings(BaseModel):
    """Which Page, by which Graph API, and how far back to read."""

    page_id: str = Field(
        "",
        max_length=40,
        title="Page ID",
        description="The number under your Page's About → Page transparency. Left empty, it is the Page that the token is "
        "of; entered, a token of another Page is refused.",
    )
    graph_url: str = Field(
        GRAPH,
        max_length=300,
        title="Graph API",
        description="Meta's own address, or a server of yours that stands before it. With a version at its end, that one "
        "is used.",
    )
    api_version: str = Field(
        "v26.0",
        pattern=r"^v[1-9][0-9]?\.[0-9]$",
        title="Graph API version",
        description="As in the addresses of Meta's reference. Meta takes a version away about two years after it came.",
    )
    watch_days: int = Field(
        30,
        ge=1,
        le=180,
        title="Days a post is watched",
        description="Comments are read under posts that are no older than this.",
    )
    first_days: int = Field(
        3,
        ge=0,
        le=30,
        title="Days to read at first",
        description="How many days of comments are taken in when the account is connected for the first time.",
    )

    @field_validator("page_id")
    @classmethod
    def _page(cls, value: str) -> str:
        text = value.strip()
        if text and not _id(text):
            raise ValueError("a Page's id is a number; it stands under About → Page transparency on the Page")
        return text

    @field_validator("graph_url")
    @classmethod
    def _server(cls, value: str) -> str:
        url = server_address(value, example=GRAPH, at_stake="access token")
        return str(url.copy_with(query=None, fragment=None)).rstrip("/")

    @property
    def base(self) -> str:
        """What every address begins with."""
        return self.graph_url if VERSIONED.search(self.graph_url) else f"{self.graph_url}/{self.api_version}"


class FacebookSecrets(BaseModel):
    """What proves that we may speak for the Page, and that a webhook call is Meta's."""

    model_config = ConfigDict(hide_input_in_errors=True)

    page_token: SecretStr = Field(
        title="Page access token",
        description="Of the Page itself, not of a person: Tools → Graph API Explorer → Get User Access Token, extended in "
        "Tools → Access Token Debugger; with that one, choose your Page under User or Page, and copy what it shows then.",
    )
    app_secret: SecretStr | None = Field(
        None,
        title="App secret",
        description="From App Dashboard → App settings → Basic. It signs webhook calls, and proves ours "
        "(appsecret_proof). Without it no webhook is believed, and the Page is read by polling.",
    )
    verify_token: SecretStr | None = Field(
        None,
        title="Verify token",
        description="A long random word of your own, entered here and in App Dashboard → Webhooks → Page.",
    )

    @field_validator("page_token", "app_secret", "verify_token")
    @classmethod
    def _one_word(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        text = value.get_secret_value().strip().removeprefix("Bearer ").strip()
        if not re.fullmatch(r"[!-~]+", text):
            raise ValueError("one word of letters, digits and hyphens is expected")
        return SecretStr(text)


# --- Facebook's words into ours. No network is needed from here to the adapter. -------------------


def parse_node(node: JSON, *, page: str, post: JSON | None = None, answers_id: str | None = None) -> Post:
    """A comment, or with `post` left out a visitor's post, as a Post. ValueError where it has no id or no time.

    `post` is what the comment is under. There is no time of an edit on Facebook: it shows as another text.
    """
    external_id, created_at = _id(node.get("id")), moment(node.get("created_time"))
    if not external_id or created_at is None:
        raise ValueError("a comment without id or time")
    top = node if post is None else post
    top_id = _id(top.get("id")) or external_id
    canonical_id = _canonical(external_id)
    parent_id = None if post is None else _id(inner(node, "parent").get("id")) or top_id
    link = word(node.get("permalink_url"))
    return Post(
        external_id=external_id,
        canonical_id=canonical_id,
        url=link if _is_web(link) else f"https://www.{canonical_id}",
        author=parse_author(node, page=page, canonical_id=canonical_id),
        text=storable(word(node.get("message"))).replace("\r\n", "\n").strip(),
        created_at=created_at,
        raw=_raw(node),
        parent_id=parent_id,
        answers_id=answers_id or parent_id,
        thread_id=_canonical(top_id),
        visibility="public" if _is_open(node) and _is_open(top) else "private",
        media=tuple(_media(node)),
        reply_ref={"post": top_id},
        locked=node.get("can_comment") is False,
    )


def parse_author(node: JSON, *, page: str, canonical_id: str) -> Author:
    """Who wrote it. An id is that of a person on this Page; where Meta keeps it back, each comment is somebody else's."""
    who = inner(node, "from")
    number = _id(who.get("id"))
    name = shorten(one_line(storable(word(who.get("name")))), 80) or "Somebody on Facebook"
    return Author(
        external_id=f"{page}/{number}" if number else canonical_id,
        handle=name,
        name=name,
        weak=not number,
    )


def is_by(node: JSON, page: str) -> bool:
    """Whether the Page wrote it."""
    return bool(page) and _id(inner(node, "from").get("id")) == page


def answered(comment: JSON, replies: Iterable[JSON], *, page: str) -> str | None:
    """Our reply that a comment answers in meaning; None where it answers what it hangs on.

    Facebook hangs every reply of a thread on its top comment. Whoever began the thread and writes there
    again, and whoever names the Page, means the Page's newest reply before.
    """
    parent, author, at = (
        inner(comment, "parent"),
        _id(inner(comment, "from").get("id")),
        moment(comment.get("created_time")),
    )
    began_it = bool(author) and _id(inner(parent, "from").get("id")) == author
    tags = comment.get("message_tags")
    names_page = any(_id(tag.get("id")) == page for tag in objects(tags))
    if at is None or not (began_it or names_page):
        return None
    ours = [
        (when, number)
        for reply in replies
        if is_by(reply, page)
        and _id(inner(reply, "parent").get("id")) == _id(parent.get("id"))
        and (number := _id(reply.get("id")))
        and (when := moment(reply.get("created_time"))) is not None
        and when <= at
    ]
    return max(ours)[1] if ours else None


def _with_whole_parent(comment: JSON, by_number: Mapping[str, JSON]) -> JSON:
    """The comment, what it hangs on taken from the list where its own line names only the number."""
    parent = inner(comment, "parent")
    known = by_number.get(_id(parent.get("id")))
    return comment if parent.get("from") or known is None else {**comment, "parent": known}


def changed_by(body: bytes) -> list[str]:
    """The comments and visitors' posts that a webhook call says were edited, hidden or removed."""
    found = []
    for entry in objects(inner({"call": json.loads(body)}, "call").get("entry")):
        for change in objects(entry.get("changes")):
            value = inner(change, "value")
            number = _id(value.get("comment_id")) or _id(value.get("post_id"))
            if word(value.get("verb")) in CHANGED and number and number not in found:
                found.append(number)
    return found


def _is_open(node: JSON) -> bool:
    """Whether everybody can read it: neither hidden, nor unpublished, nor for a chosen audience."""
    audience = word(inner(node, "privacy").get("value"))
    return node.get("is_hidden") is not True and node.get("is_published") is not False and audience in {"", "EVERYONE"}


def _media(node: JSON) -> Iterable[Media]:
    attachment = inner(node, "attachment")
    url = word(inner(inner(attachment, "media"), "image").get("src")) or word(node.get("full_picture"))
    if _is_web(url):
        kind = word(attachment.get("type"))
        yield Media(url=storable(url), kind="image" if kind in {"", "photo", "sticker"} else storable(kind))


def _raw(node: JSON) -> str:
    """The node's JSON in ASCII, without the comments that a post was asked for together with."""
    try:
        return json.dumps({name: value for name, value in node.items() if name != "comments"}, ensure_ascii=True)
    except RecursionError as error:
        raise ValueError("a comment that is nested too deeply") from error


def _id(value: object) -> str:
    """An id as the Graph API makes them: a number, or two joined by `_`; nothing where it is none."""
    text = word(value)
    return text if re.fullmatch(r"[0-9]{1,40}(_[0-9]{1,40})?", text) else ""


def _canonical(number: str) -> str:
    return f"facebook.com/{number}"


def _is_web(address: str) -> bool:
    return re.match(r"https?://[^/\s]", address) is not None


def _since(nodes: Sequence[JSON], after: datetime) -> bool:
    """Whether any of these is as new as that."""
    return any((at := moment(node.get("created_time"))) is not None and at >= after for node in nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What an address on Facebook names: a post, where it has a number, and the comment under it, where it names one."""

    post: str = ""
    comment: str = ""


def address_of(url: str) -> Address:
    """OutsideError `invalid` where the address is not one of Facebook's."""
    address = web_url(url)
    if address is None or not re.search(r"(^|\.)facebook\.com$", address.host):
        raise OutsideError(
            "this is no address on Facebook; enter the comment's own, the one behind its time, which has comment_id= in it",
            "invalid",
        )
    query = address.params
    comment = query.get("reply_comment_id", "") or query.get("comment_id", "")
    path = re.search(r"/(?:posts|videos|photos|reel)/(?:[^/]+/)?([0-9]+)/?$", address.path)
    whole = re.fullmatch(r"/([0-9]+_[0-9]+)/?", address.path)
    post = (
        query.get("story_fbid", "") or query.get("fbid", "") or (path[1] if path else "") or (whole[1] if whole else "")
    )
    return Address(
        post=post if re.fullmatch(r"[0-9_]+", post) else "",
        comment=comment if re.fullmatch(r"[0-9]+", comment) else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far was read: the newest comment's time, and where reading began."""

    at: datetime
    start: datetime

    def __str__(self) -> str:
        return json.dumps({"at": self.at.isoformat(), "start": self.start.isoformat()})


def place_of(cursor: str | None, *, since: datetime) -> Place:
    """The cursor read back; one that is not ours begins at `since`."""
    try:
        told = json.loads(cursor or "")
        at, start = (datetime.fromisoformat(told[name]).astimezone(UTC) for name in ("at", "start"))
        return Place(at=at, start=start)
    except (ValueError, KeyError, TypeError):
        return Place(at=since, start=since)


# ------------------------------------------------------------------------------------------------


class Facebook:
    """One Page."""

    name: ClassVar[str] = "facebook"
    title: ClassVar[str] = "Facebook Page"
    poll_every: ClassVar[timedelta] = timedelta(minutes=5)  # webhooks hint in between
    max_automatic_replies_per_post: ClassVar[int] = 1
    rereads_at_once: ClassVar[int] = REREAD
    Settings: ClassVar[type[BaseModel]] = FacebookSettings
    Secrets: ClassVar[type[BaseModel]] = FacebookSecrets
    hook_events: ClassVar[tuple[str, ...]] = ("feed",)
    hook_fields: ClassVar[Mapping[str, str]] = {
        "Where": "App Dashboard → Webhooks → Page",
        "Verify token": "your own word, entered there and here",
    }

    def __init__(self, connection: Connection) -> None:
        settings: FacebookSettings = connection.settings
        secrets: FacebookSecrets = connection.secrets
        self._now = connection.now
        self._me = connection.remote_id
        self._watched = timedelta(days=settings.watch_days)
        self._token = secrets.page_token.get_secret_value()
        self._app_secret = secrets.app_secret.get_secret_value() if secrets.app_secret else ""
        self._verify_token = secrets.verify_token.get_secret_value() if secrets.verify_token else ""
        self._page = word(connection.facts.get("name")) or "the Page"
        self._page_id = settings.page_id
        self._graph = Graph(
            connection.http,
            base=settings.base,
            token=self._token,
            app_secret=self._app_secret,
            account=self._page,
            now=connection.now,
        )

    async def connect(self) -> Profile:
        """Which Page the token speaks for, what it may do, and that its posts can be read."""
        what = "connecting to the Facebook Page"
        answer = await self._graph.get("me", what=what, fields="id,name,link,category")
        if self._page_id and (answer.status_code == 404 or code_of(answer) == (100, 33)):
            # Meta itself always answers /me; what stands before it may know the Page by its number alone.
            answer = await self._graph.get(self._page_id, what=what, fields="id,name,link,category")
        if code_of(answer) == (100, 0):
            raise self._no_page()  # a person has no category
        me = self._graph.object_of(answer, what=what)
        number, name = _id(me.get("id")), one_line(storable(word(me.get("name"))))
        if not number or not name:
            raise OutsideError(f"{what}: the answer names no Page", "transient")
        if not word(me.get("category")) and number != self._page_id:
            raise self._no_page()  # the number that was entered is the Page's, whatever else is told of it
        if self._page_id not in {"", number}:
            raise OutsideError(
                f"this access token is of the Page {name} ({number}), and not of {self._page_id}: enter that number, or "
                "make the token of the other Page",
                "auth_broken",
                field="settings.page_id",
            )
        scopes, expires_at = await self._token_facts(what=what)
        await self._feed_page({"limit": "1"}, number, fields="id", what=f"reading the posts of {name}")
        link = word(me.get("link"))
        return Profile(
            remote_id=number,
            handle=name,
            url=link if _is_web(link) else f"https://www.facebook.com/{number}",
            facts={"name": name},
            scopes=scopes,
            expires_at=expires_at,
            quota=usage_of(answer),
        )

    async def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[PostPage]:
        """Comments and visitors' posts after the cursor, and those of the last 24 hours once more; post by post.

        Under each the oldest come first. The cursor moves once all are given: one post's newest comment says
        nothing of another's. A poll is left out while Meta's limits are nearly full: what is left of them is
        for answering.
        """
        if self._graph.is_nearly_full():
            return
        what = f"reading the comments on {self._page}"
        place = place_of(cursor, since=since)
        newest, is_quiet = place.at, True
        async for found in self._said_since(max(place.start, place.at - AGAIN), new=place.at - NEW, what=what):
            is_quiet = False
            newest = max([newest, *(post.created_at for post in found if post.created_at <= self._now())])
            for begin in range(0, len(found), PAGE):
                yield PostPage(posts=found[begin : begin + PAGE], cursor=None)
        place = replace(place, at=newest)
        if not is_quiet or cursor is None:
            yield PostPage(posts=(), cursor=str(place))

    def reaches(self, url: str) -> Nearness:
        """Facebook's own addresses."""
        try:
            address = address_of(url)
        except OutsideError:
            return "no"
        return "here" if address.post or address.comment else "no"

    async def read_around(self, post: Post) -> tuple[Post, ...]:
        """The top comment it hangs on, and the newest comments of that thread, without the Page's own."""
        what = f"reading the thread of {post.url}"
        top = await self._node(_id(post.reply_ref.get("post")) or post.external_id, POST, what=what)
        is_top = post.external_id == _id(top.get("id"))
        node = top if is_top else await self._node(post.external_id, COMMENT, what=what)
        above = "" if is_top else _id(inner(node, "parent").get("id"))
        beside = objects((await self._comments(above or post.external_id, {}, what=what)).get("data"))
        first = [await self._node(above, COMMENT, what=what)] if above else []
        found: dict[str, Post] = {}
        for one in [*first, *beside]:
            if not is_by(one, self._me) and _id(one.get("id")) != post.external_id:
                with contextlib.suppress(ValueError):
                    said = parse_node(one, page=self._me, post=top, answers_id=answered(one, beside, page=self._me))
                    found[said.external_id] = said
        return tuple(sorted(found.values(), key=lambda one: one.created_at))

    async def find(self, url: str) -> Post:
        """The comment or visitor's post at its address. One whose post has no number is looked for among those watched."""
        address = address_of(url)
        what = f"finding the comment on {self._page}"
        post, comment = address.post, address.comment
        if not post and not comment:
            raise OutsideError(
                "this address names no comment; enter the one behind the comment's time, which has comment_id= in it",
                "invalid",
            )
        begin, _, end = post.rpartition("_")
        if begin and begin != self._me:
            post, comment = begin, end  # a comment's own id
        if not post:
            return await self._find_watched(comment, what=what)
        top = await self._node(f"{self._me}_{post.rpartition('_')[2]}", POST, what=what)
        node = await self._node(f"{post.rpartition('_')[2]}_{comment}", COMMENT, what=what) if comment else top
        if is_by(node, self._me):
            raise OutsideError("this is something the Page itself said; enter the customer's", "invalid")
        return self._parsed(node, top if comment else None, what=what)

    async def look(self, post: Post) -> ThreadLook:
        """The comment as it is now, and all that the Page said under it.

        A reply to a reply hangs on the top comment: there, what the Page said after the customer counts.
        """
        what = f"looking at {post.url}"
        top_id = _id(post.reply_ref.get("post"))
        if not top_id or post.external_id == top_id:
            node = await self._node(post.external_id, POST, what=what)
            now = self._parsed(node, None, what=what)
        else:
            node = await self._node(post.external_id, COMMENT, what=what)
            top = await self._node(top_id, POST, what=what)
            now = self._parsed(node, top, what=what, answers_id=post.answers_id)
        own, is_whole = await self._own(node, what=what)
        if post.text and now.text != post.text:
            now = replace(now, edited_at=self._now())  # Facebook tells no time of an edit: it was made by now
        return ThreadLook(post=now, own_replies=own, authoritative=is_whole)

    async def reread(self, posts: Sequence[Post]) -> Mapping[str, Post | None]:
        """Several in one call, and what they are under in another. None is asked for while Meta's limits are nearly full."""
        what = f"reading {len(posts)} comments again on {self._page}"
        if self._graph.is_nearly_full():
            wait = self._now() + timedelta(minutes=15)
            raise OutsideError(f"{what}: Meta's limits are nearly full", "rate_limited", retry_at=wait)
        tops = {post.external_id: _id(post.reply_ref.get("post")) or post.external_id for post in posts}
        begun = [number for number, top in tops.items() if top == number]
        nodes = await self._nodes([number for number in tops if number not in begun], COMMENT, what=what)
        wanted = {top for number, top in tops.items() if number in nodes or number in begun}
        above = await self._nodes(sorted(wanted), POST, what=what)
        found: dict[str, Post | None] = {}
        for post in posts:
            number, top = post.external_id, above.get(tops[post.external_id])
            if top is None or (number not in begun and number not in nodes):
                found[number] = None
                continue
            with contextlib.suppress(ValueError):
                found[number] = (
                    parse_node(top, page=self._me)
                    if number in begun
                    else parse_node(nodes[number], page=self._me, post=top, answers_id=post.answers_id)
                )
        return found

    async def _nodes(self, numbers: Sequence[str], fields: str, *, what: str) -> dict[str, dict[str, Any]]:
        """Those of them that are there. One that is not spoils the whole call: then each half is asked for, down to one."""
        if not numbers:
            return {}
        try:
            if len(numbers) == 1:
                return {numbers[0]: await self._node(numbers[0], fields, what=what)}
            ids = ",".join(self._number(number, what=what) for number in numbers)
            told = self._graph.object_of(await self._graph.get("", what=what, ids=ids, fields=fields), what=what)
        except OutsideError as error:
            if error.kind not in {"gone", "invalid"} or (len(numbers) == 1 and error.kind != "gone"):
                raise
            if len(numbers) == 1:
                return {}
            half = len(numbers) // 2
            parts = [await self._nodes(part, fields, what=what) for part in (numbers[:half], numbers[half:])]
            return {**parts[0], **parts[1]}
        found = {number: inner(told, number) for number in numbers if inner(told, number)}
        for number in numbers:
            if number not in found:  # left out without a word: only a refusal of this very one is proof
                found |= await self._nodes([number], fields, what=what)
        return found

    async def send(self, outgoing: Outgoing) -> Sent:
        """Comment under the comment."""
        what = f"replying to {outgoing.post.url}"
        number = self._number(outgoing.post.external_id, what=what)
        answer = await self._graph.post(
            f"{number}/comments", what=what, writes=True, message=outgoing.text, fields="id,permalink_url"
        )
        if code_of(answer)[0] == 506:
            return await self._said_before(outgoing, what=what)
        if is_refusal(answer):
            refusal = self._graph.refusal(answer, what=what, writes=True)
            length = self.count(outgoing.text)
            if refusal.kind == "invalid" and length > LIMIT:
                raise OutsideError(f"{refusal.message}; it has {length} characters", "too_long")
            raise refusal
        try:
            made = json.loads(answer.content)
        except (ValueError, RecursionError):
            made = None
        said = _id(made.get("id")) if isinstance(made, dict) else ""
        if not said:
            raise OutsideError(f"{what}: Meta's answer does not name the comment it made", "unknown")
        link = word(made.get("permalink_url"))
        if not _is_web(link):
            told = await self._graph.read_after(said, what=what, fields="permalink_url")
            link = word(told.get("permalink_url"))
        return Sent(external_id=said, url=link if _is_web(link) else f"https://www.{_canonical(said)}")

    def envelope(self, post: Post) -> Envelope:
        """Nothing is added: the reply hangs under the comment, and has its audience."""
        return Envelope(visibility=post.visibility, limit=LIMIT)

    def count(self, text: str, *, content_warning: str = "") -> int:
        """UTF-16 code units: never less than Facebook counts, whichever way that is."""
        return len(f"{content_warning}{text}".encode("utf-16-le", "surrogatepass")) // 2

    def receive(self, *, method: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """Meta's handshake, or a signed call: it hints that the Page should be read now, and what was changed or removed."""
        hook = meta.receive(
            method=method,
            headers=headers,
            query=query,
            body=body,
            app_secret=self._app_secret,
            verify_token=self._verify_token,
        )
        return hook if hook.answer else replace(hook, posts=tuple(changed_by(body)))

    async def set_up_hook(self, *, url: str) -> None:
        """Have Meta send this Page's calls to the app; asking again changes nothing.

        The address and the verify token are entered in the app, for all its Pages. OutsideError `forbidden` where we may not.
        """
        what = f"asking for webhooks about {self._page}"
        answer = await self._graph.post(
            f"{self._number(self._me, what=what)}/subscribed_apps", what=what, writes=False, subscribed_fields="feed"
        )
        if is_refusal(answer):
            error = self._graph.refusal(answer, what=what)
            if error.kind in {"forbidden", "invalid", "gone"}:
                lack = self._lacks(FOR_WEBHOOKS[0], error)
                raise OutsideError(lack.message, "forbidden") from error
            raise error

    # --- Connecting ------------------------------------------------------------------------------

    async def _token_facts(self, *, what: str) -> tuple[tuple[str, ...], datetime | None]:
        """What the token may do and when it ends; nothing where Meta does not let it ask about itself.

        A token that is asked about belongs into the address; in a batch, that address travels in the body.
        """
        query = str(httpx.QueryParams({"input_token": self._token, **self._graph.proof}))
        batch = json.dumps([{"method": "GET", "relative_url": f"debug_token?{query}"}])
        answer = await self._graph.post("", what=what, writes=False, batch=batch, include_headers="false")
        try:
            told = inner(json.loads(objects(json.loads(answer.content))[0]["body"]), "data")
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            told = {}
        if word(told.get("type")) not in {"", "PAGE"}:
            raise self._no_page()
        if told.get("is_valid") is False:
            raise OutsideError(
                "Meta says that the Page access token is not valid any more; make a new one", "auth_broken"
            )
        scopes = told.get("scopes")
        granted = tuple(scope for scope in scopes if isinstance(scope, str)) if isinstance(scopes, list) else ()
        missing = [names[0] for names in PERMISSIONS if granted and not set(names) & set(granted)]
        if missing:
            raise OutsideError(
                f"the Page access token lacks the permission {', '.join(missing)}: {GRANT}",
                "auth_broken",
                field="secrets.page_token",
            )
        ends = told.get("expires_at")
        if not isinstance(ends, int) or not 0 < ends < 32_503_680_000:
            return granted, None  # 0 is never
        return granted, datetime.fromtimestamp(ends, UTC)

    def _no_page(self) -> OutsideError:
        return OutsideError(
            "this access token is a person's or an app's, not a Page's: in the Graph API Explorer choose your Page under "
            "User or Page, and copy the token it shows then",
            "auth_broken",
            field="secrets.page_token",
        )

    def _lacks(self, permission: str, error: OutsideError) -> OutsideError:
        return OutsideError(f"{error.message}. The permission {permission} may be missing: {GRANT}", "auth_broken")

    # --- Reading ---------------------------------------------------------------------------------

    async def _find_watched(self, comment: str, *, what: str) -> Post:
        """A comment by its own number alone: the newer addresses hide that of the post."""
        since = self._now() - self._watched
        async for found in self._said_since(since, new=self._now(), what=what):
            for post in found:
                if post.external_id.rpartition("_")[2] == comment:
                    return post
        raise OutsideError(f"{what}: it is under none of the posts that are watched, or hidden from us", "gone")

    async def _feed_page(self, query: Mapping[str, str], number: str, *, fields: str, what: str) -> dict[str, Any]:
        answer = await self._graph.get(f"{number}/feed", what=what, fields=fields, **query)
        try:
            return self._graph.edge_of(answer, what=what)
        except OutsideError as error:
            if error.kind in {"forbidden", "gone"}:
                # Not about one comment: the Page as a whole is closed to us.
                raise self._lacks(PERMISSIONS[0][0], error) from error
            raise

    async def _said_since(self, after: datetime, *, new: datetime, what: str) -> AsyncIterator[tuple[Post, ...]]:
        """Comments and visitors' posts since `after`: of each post that is watched, oldest first.

        A summary is asked for so that the list of comments is there even where it is empty. Where no post has one,
        lists within lists are not answered here, and each is read by itself.
        """
        watched = self._now() - self._watched
        comments = f"comments.filter(stream).order(reverse_chronological).limit({INNER_PAGE}).summary(1){{{COMMENT}}}"
        query = {"limit": str(FEED_PAGE), "since": str(int(watched.timestamp()))}
        go_on: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = await self._feed_page({**query, **go_on}, self._me, fields=f"{POST},{comments}", what=what)
            posts = objects(page.get("data"))
            is_expanded = any("comments" in top for top in posts)
            for top in posts:
                if not is_expanded and _id(top.get("id")):
                    top["comments"] = await self._comments(_id(top.get("id")), {}, what=what)
                if found := await self._under(top, after, new=new, what=what):
                    yield found
            before, go_on = go_on, next_page(page)
            if not go_on or go_on == before or not _since(posts, watched):
                break

    async def _under(self, top: JSON, after: datetime, *, new: datetime, what: str) -> tuple[Post, ...]:
        """A visitor's post itself, and the comments since `after` under any post."""
        edge = inner(top, "comments")
        comments, go_on, number = objects(edge.get("data")), next_page(edge), _id(top.get("id"))
        newest = comments
        while number and go_on and _since(newest, after):
            page = await self._comments(number, go_on, what=what)
            newest, before, go_on = objects(page.get("data")), go_on, next_page(page)
            comments = comments + newest
            if go_on == before:
                break
        threads: dict[str, list[dict[str, Any]]] = {}
        by_number = {_id(comment.get("id")): comment for comment in comments}
        found: dict[str, Post] = {}
        for node, under in [(top, None), *((comment, top) for comment in comments)]:
            at = moment(node.get("created_time"))
            if at is None or at < after or is_by(node, self._me):
                continue
            if under is None and not inner(node, "from"):
                continue  # a post without an author may be the Page's own
            try:
                post = parse_node(node, page=self._me, post=under)
            except ValueError:
                continue
            above = _id(inner(node, "parent").get("id"))
            if above and at >= new and above not in threads:
                threads[above] = (await self._all(above, what=what))[0]
            replies = threads.get(above, comments)
            answers = answered(_with_whole_parent(node, by_number), replies, page=self._me) or post.answers_id
            found[post.external_id] = replace(post, answers_id=answers)
        return tuple(sorted(found.values(), key=lambda post: (post.created_at, post.external_id)))

    async def _comments(self, number: str, go_on: Mapping[str, str], *, what: str) -> dict[str, Any]:
        place = {"filter": "stream", "order": "reverse_chronological", "limit": str(PAGE)}
        answer = await self._graph.get(f"{number}/comments", what=what, fields=COMMENT, **{**place, **go_on})
        return self._graph.edge_of(answer, what=what)

    async def _all(self, number: str, *, what: str) -> tuple[list[dict[str, Any]], bool]:
        """Every comment under one, and whether that was the whole list."""
        found: list[dict[str, Any]] = []
        go_on: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = await self._comments(number, go_on, what=what)
            found += objects(page.get("data"))
            before, go_on = go_on, next_page(page)
            if not go_on:
                return found, not word(inner(page, "paging").get("next"))
            if go_on == before:
                break
        return found, False

    async def _own(self, node: JSON, *, what: str) -> tuple[tuple[OwnReply, ...], bool]:
        """What the Page said under a comment or post, and whether none of it can be missing.

        Where Meta keeps back who wrote a comment there, it may be ours.
        """
        number, above = _id(node.get("id")), _id(inner(node, "parent").get("id"))
        comments, is_whole = await self._all(number, what=what)
        right_under = [one for one in comments if _id(inner(one, "parent").get("id")) in {"", number}]
        if above:
            beside, all_beside = await self._all(above, what=what)
            is_whole = is_whole and all_beside
            since = moment(node.get("created_time"))
            right_under += [one for one in beside if since is not None and _since([one], since)]
        own: dict[str, OwnReply] = {}
        for comment in right_under:
            if not _id(inner(comment, "from").get("id")):
                is_whole = is_whole and _id(comment.get("id")) == number
            elif is_by(comment, self._me) and moment(comment.get("created_time")):
                reply = parse_node(comment, page=self._me, post=node)
                own[reply.external_id] = OwnReply(
                    external_id=reply.external_id,
                    url=reply.url,
                    text=reply.text,
                    created_at=reply.created_at,
                    visible=comment.get("is_hidden") is not True,
                )
        return tuple(sorted(own.values(), key=lambda reply: reply.created_at)), is_whole and bool(self._me)

    async def _node(self, number: str, fields: str, *, what: str) -> dict[str, Any]:
        answer = await self._graph.get(self._number(number, what=what), what=what, fields=fields)
        return self._graph.object_of(answer, what=what)

    def _number(self, number: str, *, what: str) -> str:
        if not _id(number):
            raise OutsideError(f"{what}: {number!r} is no id of Facebook's", "invalid")
        return number

    def _parsed(self, node: JSON, top: JSON | None, *, what: str, answers_id: str | None = None) -> Post:
        try:
            return parse_node(node, page=self._me, post=top, answers_id=answers_id)
        except ValueError as error:
            raise OutsideError(f"{what}: the answer is no comment", "transient") from error

    async def _said_before(self, outgoing: Outgoing, *, what: str) -> Sent:
        """Meta has this very text of ours already. It is said only if it stands under this comment."""
        try:
            node = await self._node(outgoing.post.external_id, "id,created_time,parent{id}", what=what)
            own, is_whole = await self._own(node, what=what)
        except OutsideError as error:
            raise OutsideError(f"{what}: said before, as Meta says; {error.message}", "unknown") from error
        for reply in reversed(own):
            if same_text(outgoing.text, reply.text):
                return Sent(external_id=reply.external_id, url=reply.url, visible=reply.visible)
        if not is_whole:
            raise OutsideError(f"{what}: said before, as Meta says, and not all replies could be read", "unknown")
        raise OutsideError(
            f"{what}: Meta refuses it as a duplicate of something that {self._page} said elsewhere; change the text",
            "invalid",
        )


CHANNEL: type[Channel] = Facebook

"""WordPress: the comments under a site's own articles.

Obeys https://developer.wordpress.org/rest-api/reference/comments/ and, where that page is silent, what
WordPress 6.1 itself does; docs/channels/wordpress.md says how that was proven. Comments are polled.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from app.http import ask, is_html, json_of, retry_at, server_address, web_url
from app.ports import Channel, Connection, Hook, Nearness, OutsideError, PostPage, Profile
from app.rules.characters import one_line, shorten
from app.rules.facts import Author, Envelope, Outgoing, OwnReply, Post, Sent, ThreadLook
from app.rules.plaintext import plain_text, storable
from app.rules.quoting import same_text
from app.rules.told import moment, objects, parsed, word

JSON = Mapping[str, Any]

FIELDS = (
    "id",
    "post",
    "parent",
    "author",
    "author_name",
    "author_url",
    "date_gmt",
    "content",
    "link",
    "status",
    "type",
)
"""What is asked for and kept. An e-mail address, an IP address or a Gravatar (the e-mail's hash) is not among it."""

PAGE = 100  # the most that WordPress gives at once
LIMIT = 65_525  # bytes of a comment's content: wp_get_comment_fields_max_lengths
HELD_PAGES = 3  # held comments are followed until they are let through: the newest of so many pages
DEPARTED = 50  # so many that are held no longer are asked for in one poll, the others in the next
OVERLAP = timedelta(minutes=75)
"""WordPress compares `after` with the time on the site's own clock, which goes back an hour in autumn."""

FLOOD = timedelta(seconds=60)
"""WordPress lets a commenter speak again after 15 seconds; plugins ask for up to a minute."""

MAKE_ONE = "make one there under Users → Profile → Application Passwords, and reconnect the account"


class WordPressSettings(BaseModel):
    """Which site, who speaks, and how far back to read at first."""

    base_url: str = Field(
        title="Site address",
        description="The address of your WordPress site, for example https://blog.example",
        max_length=300,
    )
    username: str = Field(
        title="User name",
        description="The WordPress user that shall speak. It needs the role Editor, to read comments held for moderation.",
        min_length=1,
        max_length=100,
    )
    reply_depth: int = Field(
        5,
        ge=1,
        le=10,
        title="Levels of nested comments",
        description="As on your site under Settings → Discussion; 1 where nested comments are switched off.",
    )
    first_days: int = Field(
        3,
        ge=0,
        le=30,
        title="Days to read at first",
        description="How many days of comments are taken in when the account is connected for the first time.",
    )

    @field_validator("username")
    @classmethod
    def _name(cls, value: str) -> str:
        text = value.strip()
        if not text or ":" in text or not text.isprintable():
            raise ValueError("this is not a user name; enter the one you sign in to WordPress with")
        return text

    @field_validator("base_url")
    @classmethod
    def _site(cls, value: str) -> str:
        url = server_address(value, example="https://blog.example", at_stake="application password", what="site")
        # The address of the API or of the dashboard, pasted from the browser, still names the site.
        path = re.sub(r"/(wp-json|wp-admin|wp-login\.php|index\.php)(/.*)?$", "", url.path).rstrip("/")
        return str(url.copy_with(path=path or "/", query=None, fragment=None)).rstrip("/")


class WordPressSecrets(BaseModel):
    """What proves that we may speak for the user."""

    model_config = ConfigDict(hide_input_in_errors=True)

    application_password: SecretStr = Field(
        title="Application password",
        description="From Users → Profile → Application Passwords on your site; not the password you sign in with.",
    )

    @field_validator("application_password")
    @classmethod
    def _printable(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value().strip()
        if not re.fullmatch(r"[ -~]+", text):
            raise ValueError("this is not an application password: letters and digits in groups are expected")
        return SecretStr(text)


# --- WordPress' words into ours. No network is needed from here to the adapter. ------------------


@dataclass(frozen=True, slots=True)
class Site:
    """One site by its home address. Its name leaves out what changes when a site moves to https or drops the www."""

    home: str

    @property
    def name(self) -> str:
        url = httpx.URL(self.home)
        return f"{url.netloc.decode().removeprefix('www.')}{url.path.rstrip('/')}"

    def article(self, number: str) -> str:
        """The name of an article: the whole thread hangs under it."""
        return f"{self.name}/?p={number}"

    def user(self, number: str) -> str:
        """The name of a registered user, whose number WordPress gives to nobody else."""
        return f"{self.name}/?author={number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What an article lets us know about the comments under it."""

    is_public: bool = True
    is_open: bool = True


def parse_comment(comment: JSON, *, site: Site, article: Article | None = None, answers_id: str | None = None) -> Post:
    """A comment as a Post. ValueError where it has no id, no article or no time: nothing can be done with it.

    There is no time of an edit in WordPress: an edit shows as another text. `answers_id` is what the
    comment answers in meaning, where that is not the comment it hangs on.
    """
    external_id, number, created_at = _number(comment.get("id")), _number(comment.get("post")), _time(comment)
    if not external_id or not number or created_at is None:
        raise ValueError("a comment without id, article or time")
    article = article or Article()
    canonical_id = f"{site.article(number)}#comment-{external_id}"
    parent_id = _number(comment.get("parent")) or None
    link = word(comment.get("link"))
    return Post(
        external_id=external_id,
        canonical_id=canonical_id,
        url=link if _is_web(link) else f"{site.home}/?p={number}#comment-{external_id}",
        author=parse_author(comment, site=site, canonical_id=canonical_id),
        text=text_of(comment),
        created_at=created_at,
        raw=json.dumps({name: comment[name] for name in FIELDS if name in comment}, ensure_ascii=True),
        parent_id=parent_id,
        answers_id=answers_id or parent_id,
        thread_id=site.article(number),
        visibility="public" if is_approved(comment) and article.is_public else "private",
        reply_ref={"post": number},
        locked=not article.is_open,
    )


def parse_author(comment: JSON, *, site: Site, canonical_id: str) -> Author:
    """Who wrote a comment. A guest may use any name, another's too: each of their comments is somebody else's."""
    number = _number(comment.get("author"))
    name = shorten(one_line(storable(html.unescape(word(comment.get("author_name"))))), 80) or "Anonymous"
    url = word(comment.get("author_url"))
    return Author(
        external_id=site.user(number) if number else canonical_id,
        handle=name,
        name=name,
        url=storable(url) if _is_web(url) else None,
        weak=not number,
    )


def text_of(comment: JSON) -> str:
    """What was typed, line by line. The rendered text, with its curly quotes and pictures for smileys, stands in for it."""
    content = comment.get("content")
    told = content if isinstance(content, dict) else {}
    if isinstance(told.get("raw"), str):
        return plain_text(told["raw"])
    # WordPress writes a line break as a tag and as a line.
    return plain_text(re.sub(r"(<br\s*/?>)\r?\n", r"\1", word(told.get("rendered"))))


def is_approved(comment: JSON) -> bool:
    """Whether everybody can read it."""
    return word(comment.get("status")) in {"approved", "approve", "1"}


def is_by(comment: JSON, user: str) -> bool:
    """Whether the registered user with this number wrote it."""
    return bool(user) and _number(comment.get("author")) == user


def is_gone(comment: JSON) -> bool:
    """Whether it was thrown away, by itself, as spam, or together with its article."""
    return word(comment.get("status")) in {"trash", "spam", "post-trashed"}


def _is_comment(comment: JSON) -> bool:
    """Neither a pingback or trackback, which sites send each other, nor a product's review."""
    return comment.get("type", "comment") in {"comment", ""}


def _number(value: object) -> str:
    """An id as text; nothing where it is none, and for 0, which means nobody."""
    text = word(value)
    return text if re.fullmatch(r"[1-9][0-9]{0,19}", text) else ""


def _time(comment: JSON) -> datetime | None:
    """When it was written; the site's own time (`date`) is never taken for it, because nobody says in which zone."""
    return moment(comment.get("date_gmt"))


def _age(comment: JSON) -> tuple[str, int]:
    """What puts comments in the order in which they were written; a time has seconds, and ids count."""
    return word(comment.get("date_gmt")), int(_number(comment.get("id")) or 0)


def _is_web(address: str) -> bool:
    return re.match(r"https?://[^/\s]", address) is not None


def _code(answer: httpx.Response) -> str:
    """WordPress' own word for a refusal."""
    body = parsed(answer.content)
    return word(body.get("code")) if isinstance(body, dict) else ""


def _count(answer: httpx.Response, header: str) -> int | None:
    text = answer.headers.get(header, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def _up(comment: JSON) -> str:
    """The route of the article a comment is under (`wp/v2/posts/12`), empty where WordPress does not tell it."""
    links = comment.get("_links")
    up = objects(links.get("up")) if isinstance(links, dict) else []
    found = re.search(r"(?:^|[/=])(wp/v2/[\w-]+/\d+)$", _route(word(up[0].get("href")))) if up else None
    return found[1] if found else ""


def _route(address: str) -> str:
    """The end of a route's address, whether it stands in the path or in `?rest_route=`."""
    return address.replace("%2F", "/").replace("%2f", "/").partition("&")[0].rstrip("/")


def _is_index(answer: httpx.Response) -> bool:
    """Whether this is the list of what a WordPress API has."""
    body = parsed(answer.content) if answer.is_success else None
    return isinstance(body, dict) and isinstance(body.get("namespaces"), list)


def api_root_of(answer: httpx.Response) -> str:
    """Where a page of the site says that its API is: https://developer.wordpress.org/rest-api/using-the-rest-api/discovery/."""
    link = answer.links.get("https://api.w.org/") if answer.headers.get("link") else None
    if link and link.get("url"):
        return str(link["url"])
    if not is_html(answer):
        return ""
    for tag in re.findall(r"<link\b[^>]*>", answer.text[:200_000], re.IGNORECASE):
        href = re.search(r"""href=["']([^"']+)""", tag)
        if "https://api.w.org/" in tag and href:
            return html.unescape(href[1])
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far was read: the newest approved comment's time, where reading began, and which comments were held."""

    at: datetime
    start: datetime
    held: tuple[str, ...] = ()

    def __str__(self) -> str:
        return json.dumps({"at": _stamp(self.at), "start": _stamp(self.start), "held": [int(one) for one in self.held]})


def place_of(cursor: str | None, *, since: datetime) -> Place:
    """The cursor read back; one that is not ours begins at `since`."""
    try:
        told = json.loads(cursor or "")
        at, start = (datetime.fromisoformat(told[name]).astimezone(UTC) for name in ("at", "start"))
        return Place(at=at, start=start, held=tuple(str(one) for one in told["held"]))
    except (ValueError, KeyError, TypeError):
        return Place(at=since, start=since)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


# ------------------------------------------------------------------------------------------------


class WordPress:
    """One user of one site."""

    name: ClassVar[str] = "wordpress"
    title: ClassVar[str] = "WordPress comments"
    poll_every: ClassVar[timedelta] = timedelta(seconds=60)
    max_automatic_replies_per_post: ClassVar[int] = 1
    rereads_at_once: ClassVar[int] = PAGE
    Settings: ClassVar[type[BaseModel]] = WordPressSettings
    Secrets: ClassVar[type[BaseModel]] = WordPressSecrets

    def __init__(self, connection: Connection) -> None:
        settings: WordPressSettings = connection.settings
        secrets: WordPressSecrets = connection.secrets
        self._http = connection.http
        self._now = connection.now
        self._me = connection.remote_id
        self._facts = connection.facts
        self._base = settings.base_url
        self._depth = settings.reply_depth
        self._host = httpx.URL(settings.base_url).netloc.decode()
        self._user = settings.username
        self._password = secrets.application_password.get_secret_value()
        self._basic = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        self._root = word(connection.facts.get("root")) or f"{self._base}/wp-json"
        self._site = Site(word(connection.facts.get("home")) or self._base)

    async def connect(self) -> Profile:
        """Find the API, and prove that the application password speaks for an Editor. The public list proves nothing."""
        what = f"connecting to {self._host}"
        home = await self._discover(what=what)
        answer = await self._call("GET", "users/me", what=what, params={"context": "edit"})
        if not answer.is_success:
            raise self._refusal(answer, what=what)
        me = None if is_html(answer) else json_of(answer, what=what)
        number = _number(me.get("id")) if isinstance(me, dict) else ""
        if not isinstance(me, dict) or not number:
            raise self._no_api(answer)
        capabilities = me.get("capabilities")
        if isinstance(capabilities, dict) and not capabilities.get("moderate_comments"):
            raise self._lacks_role(", ".join(role for role in me.get("roles") or () if isinstance(role, str)))
        # Also where a plugin keeps the capabilities to itself: what is needed every minute must work now.
        await self._comments(what=f"reading comments on {self._host}", status="hold", per_page="1")
        site = Site(home)
        return Profile(
            remote_id=number,
            handle=one_line(storable(word(me.get("name")) or word(me.get("slug")) or self._user)),
            url=link if _is_web(link := word(me.get("link"))) else home,
            facts={"root": self._root, "home": home, "actor": site.user(number)},
            scopes=tuple(role for role in me.get("roles") or () if isinstance(role, str)),
        )

    async def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[PostPage]:
        """Comments after the cursor, oldest first, those of the last 75 minutes once more; and what moderators did.

        A held comment is given as private, and again when it is let through. Each is one post, however
        often it is read; where its text or its audience changed meanwhile, the post is brought up to date.
        """
        what = f"reading comments on {self._host}"
        place = place_of(cursor, since=since)
        context = self._context(what=what)
        held, gone, place = await self._moderated(place, what=what)
        if held or cursor is None or str(place) != cursor:
            yield PostPage(posts=await context.posts_of(held), cursor=str(place), gone=tuple(gone))
        after, page, total, seen = max(place.start, place.at - OVERLAP), 1, None, ""
        while True:
            answer = await self._comments(
                what=what, status="approve", after=_stamp(after), orderby="date_gmt", order="asc", page=str(page)
            )
            comments = self._list(answer, what=what)
            now_there, pages = _count(answer, "x-wp-total"), _count(answer, "x-wp-totalpages")
            if total is not None and now_there is not None and now_there < total and page > 1:
                page, total = page - 1, now_there  # something was deleted, and a comment slipped over to the last page
                continue
            total = now_there
            times = [at for comment in comments if (at := _time(comment)) is not None]
            # One whose date somebody set in the future must not make us skip what is written until then.
            place = replace(place, at=max([place.at, *(at for at in times if at <= self._now())]))
            if posts := await context.posts_of(comments):
                yield PostPage(posts=posts, cursor=str(place))
            same = ",".join(word(comment.get("id")) for comment in comments)
            # Comments that we may not read are left out of a page, so a short one need not be the last.
            if page >= pages if pages is not None else not comments or same == seen:
                return
            page, seen = page + 1, same

    def _is_ours(self, address: httpx.URL) -> bool:
        ours = {httpx.URL(known).host.removeprefix("www.") for known in (self._base, self._site.home)}
        return address.host.removeprefix("www.") in ours

    def reaches(self, url: str) -> Nearness:
        """Only what stands on the site itself."""
        address = web_url(url)
        return "here" if address is not None and self._is_ours(address) else "no"

    async def read_around(self, post: Post) -> tuple[Post, ...]:
        """The comments above it, and those right below it; not the hundreds beside it under the same article."""
        what = f"reading the thread of {post.url} on {self._host}"
        found: dict[str, dict[str, Any]] = {}
        number = post.parent_id or ""
        for _ in range(self._depth):
            if not _number(number) or number in found:
                break
            above = self._list(await self._comments(what=what, status="approve", include=number), what=what)
            found |= {_number(one.get("id")): one for one in above if _number(one.get("id")) == number}
            number = _number(found.get(number, {}).get("parent"))
        below = await self._comments(what=what, status="approve", parent=post.external_id)
        for one in self._list(below, what=what):
            if _number(one.get("parent")) == post.external_id:
                found[_number(one.get("id"))] = one
        posts = await self._context(what=what).posts_of(list(found.values()))
        return tuple(sorted(posts, key=lambda one: one.created_at))

    async def find(self, url: str) -> Post:
        """The comment at its own address (`…/#comment-345`), or at that of its page in the dashboard (`…&c=345`)."""
        address = web_url(url)
        if address is None:
            raise OutsideError(
                "this is not a web address; enter the comment's own, like https://blog.example/news/#comment-345",
                "invalid",
            )
        if not self._is_ours(address):
            raise OutsideError(f"{address.host} is not the site {self._host}", "invalid")
        number = _number(address.fragment.removeprefix("comment-")) or _number(address.params.get("c", ""))
        if not number:
            raise OutsideError(
                "this address names no comment; enter the one behind the comment's date, which ends in #comment-…",
                "invalid",
            )
        what = f"finding comment {number} on {self._host}"
        comment = await self._comment(number, what=what)
        if is_by(comment, self._me):
            raise OutsideError(f"{address} is a comment of our own; enter the customer's", "invalid")
        if not _is_comment(comment):
            raise OutsideError(f"{address} is no comment but a {word(comment.get('type'))}", "invalid")
        found = await self._context(what=what).posts_of([comment])
        if not found:
            raise OutsideError(f"{what}: the answer is no comment", "transient")
        return found[0]

    async def look(self, post: Post) -> ThreadLook:
        """The comment and its article as they are now, and every comment of ours right under it, held ones too."""
        what = f"looking at {post.url} on {self._host}"
        comment = await self._comment(post.external_id, what=what)
        article = await self._article(comment, what=what)
        own = await self._own(comment, what=what)
        try:
            now = parse_comment(comment, site=self._site, article=article, answers_id=post.answers_id)
        except ValueError as error:
            raise OutsideError(f"{what}: the answer is no comment", "transient") from error
        if post.text and now.text != post.text:
            now = replace(now, edited_at=self._now())  # WordPress keeps no time of an edit: it was made by now
        return ThreadLook(post=now, own_replies=own, authoritative=bool(self._me))

    async def reread(self, posts: Sequence[Post]) -> Mapping[str, Post | None]:
        """Those that are there in one call. What was thrown away, or marked as spam, is deleted for its readers."""
        what = f"reading {len(posts)} comments again on {self._host}"
        asked = {post.external_id: post for post in posts}
        answer = await self._comments(what=what, status="any", include=",".join(asked))
        there = {number: one for one in self._list(answer, what=what) if (number := _number(one.get("id"))) in asked}
        for number in asked.keys() - there.keys():
            # A plugin may keep comments out of lists: only the site's own word about this one is proof.
            try:
                there[number] = await self._comment(number, what=what)
            except OutsideError as error:
                if error.kind != "gone":
                    raise
        articles = await self._context(what=what).articles(one for one in there.values() if not is_gone(one))
        found: dict[str, Post | None] = {}
        for number, post in asked.items():
            comment = there.get(number)
            if comment is None or is_gone(comment):
                found[number] = None
                continue
            with contextlib.suppress(ValueError):
                article = articles.get(_up(comment))
                found[number] = parse_comment(comment, site=self._site, article=article, answers_id=post.answers_id)
        return found

    async def send(self, outgoing: Outgoing) -> Sent:
        """Comment under the comment. WordPress takes a reply to one that is deleted: so that is read just before."""
        what = f"replying to {outgoing.post.url} on {self._host}"
        parent = await self._comment(outgoing.post.external_id, what=what)
        body = {
            "post": int(_number(parent.get("post")) or outgoing.post.reply_ref["post"]),
            "parent": int(outgoing.post.external_id),
            # The text is text: what looks like a tag in it, a customer's name perhaps, must stay harmless.
            "content": as_html(outgoing.text),
        }
        answer = await self._call("POST", "comments", what=what, writes=True, json=body)
        if answer.status_code == 409 and _code(answer) == "comment_duplicate":
            return await self._said_before(parent, outgoing.text, what=what)
        if not answer.is_success:
            raise self._refusal_of_reply(answer, outgoing.text, what=what)
        made = json_of(answer, what=what, writes=True)
        if not isinstance(made, dict) or not _number(made.get("id")):
            raise OutsideError(f"{what}: the site's answer does not name the comment it made", "unknown")
        link = word(made.get("link"))
        return Sent(
            external_id=_number(made["id"]),
            url=link if _is_web(link) else outgoing.post.url,
            visible="status" not in made or is_approved(made),
        )

    def envelope(self, post: Post) -> Envelope:
        """Nothing is added: the reply hangs under the comment, and has its audience."""
        return Envelope(visibility=post.visibility, limit=LIMIT)

    def count(self, text: str, *, content_warning: str = "") -> int:
        """Bytes of the HTML that the text becomes, as WordPress measures it."""
        return len(as_html(f"{content_warning}{text}").encode("utf-8", "replace"))

    def receive(self, *, method: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """WordPress calls nobody about comments: they are polled."""
        raise NotImplementedError("WordPress sends no webhooks about comments")

    # --- Reading ---------------------------------------------------------------------------------

    async def _discover(self, *, what: str) -> str:
        """Find the API's root, and keep it; returns the site's home address as the site itself tells it.

        `/wp-json/` is where it nearly always is. Any page of the site names another place in its Link
        header; sites without pretty permalinks have it at `?rest_route=/`.
        """
        self._root = f"{self._base}/wp-json"
        index = await self._ask_index(self._root, what=what)
        if not _is_index(index):
            # The front page is an ordinary page: it is asked for without our credentials.
            told = api_root_of(index) or api_root_of(await ask(self._http, "GET", f"{self._base}/", what=what))
            root = self._on_our_host(told) if told else f"{self._base}/?rest_route="
            index = await self._ask_index(root, what=what)
            self._root = root if _is_index(index) else self._root
        body = parsed(index.content)
        home = word(body.get("home")) if isinstance(body, dict) else ""
        return home.rstrip("/") if _is_web(home) else self._base

    async def _ask_index(self, root: str, *, what: str) -> httpx.Response:
        params = {"_fields": "name,home,url,namespaces"}
        url = root if "rest_route=" in root else f"{root}/"
        if "rest_route=" in root:
            url, params = root.partition("?")[0], {"rest_route": "/", **params}
        answer = await ask(self._http, "GET", url, what=what, headers=self._headers(), params=params)
        if not answer.is_success and not is_html(answer) and answer.status_code not in {404, 405, 410}:
            raise self._refusal(answer, what=what)
        return answer

    def _on_our_host(self, told: str) -> str:
        """The root that a page names, on the host that was entered: credentials go nowhere else."""
        here = httpx.URL(self._base)
        there = here.join(told)
        if here.host != there.host:
            raise OutsideError(
                f"{self._host} says that its REST API is on {there.host}; enter the address of that site itself",
                "misconfigured",
                field="settings.base_url",
            )
        # Behind a proxy a site may not know that it is called by https.
        plain = there.copy_with(scheme=here.scheme, netloc=here.netloc, query=None, fragment=None)
        return f"{plain}?rest_route=" if "rest_route" in there.params else str(plain).rstrip("/")

    async def _comments(self, *, what: str, **query: str) -> httpx.Response:
        """One page of comments in full, with what only a moderator may see; the e-mail address is not asked for."""
        params = {"context": "edit", "per_page": str(PAGE), "_fields": ",".join((*FIELDS, "_links")), **query}
        answer = await self._call("GET", "comments", what=what, params=params)
        if not answer.is_success:
            raise self._refusal(answer, what=what)
        self._list(answer, what=what)
        return answer

    def _list(self, answer: httpx.Response, *, what: str) -> list[dict[str, Any]]:
        body = self._body(answer, what=what)
        if not isinstance(body, list):
            raise OutsideError(f"{what}: the answer is no list of comments", "transient")
        return objects(body)

    async def _all(self, *, what: str, **query: str) -> list[dict[str, Any]]:
        """Every page of a list that is known to be short."""
        found: dict[str, dict[str, Any]] = {}
        page = 1
        while True:
            answer = await self._comments(what=what, page=str(page), **query)
            comments = self._list(answer, what=what)
            before = len(found)
            found |= {_number(comment.get("id")): comment for comment in comments}
            pages = _count(answer, "x-wp-totalpages")
            if page >= pages if pages is not None else len(found) == before:
                return list(found.values())
            page += 1

    async def _moderated(self, place: Place, *, what: str) -> tuple[list[dict[str, Any]], list[str], Place]:
        """What moderators hold now and did not before, what they let go or threw away since; with the place after it."""
        now: dict[str, dict[str, Any]] = {}
        for page in range(1, HELD_PAGES + 1):
            answer = await self._comments(what=what, status="hold", orderby="date_gmt", order="desc", page=str(page))
            comments = self._list(answer, what=what)
            now |= {number: comment for comment in comments if (number := _number(comment.get("id")))}
            pages = _count(answer, "x-wp-totalpages")
            if not comments or (page >= pages if pages is not None else len(comments) < PAGE):
                break
        is_ours = [number for number, comment in now.items() if (_time(comment) or place.start) >= place.start]
        departed = [number for number in place.held if number not in now]
        changed = [now[number] for number in is_ours if number not in place.held]
        still, gone = list(departed[DEPARTED:]), []
        for number in departed[:DEPARTED]:
            try:
                comment = await self._comment(number, what=what)
            except OutsideError as error:
                if error.kind not in {"gone", "forbidden"}:
                    raise
                gone += [number] if error.kind == "gone" else []
                continue
            changed.append(comment)
            if not is_approved(comment):
                still.append(number)  # held still, only behind more than we read
        held = tuple((is_ours + still)[: HELD_PAGES * PAGE])
        return sorted(changed, key=_age), gone, replace(place, held=held)

    async def _comment(self, number: str, *, what: str) -> dict[str, Any]:
        """One comment as a moderator sees it. OutsideError `gone` for one in the bin or in spam too."""
        if not _number(number):
            raise OutsideError(f"{what}: {number!r} is no comment's number", "invalid")
        params = {"context": "edit", "_fields": ",".join((*FIELDS, "_links"))}
        answer = await self._call("GET", f"comments/{number}", what=what, params=params)
        if not answer.is_success:
            raise self._refusal(answer, what=what, missing="the comment is deleted")
        comment = self._body(answer, what=what)
        if not isinstance(comment, dict) or _number(comment.get("id")) != number:
            raise OutsideError(f"{what}: the answer is no comment", "transient")
        if is_gone(comment):
            raise OutsideError(f"{what}: the comment is in the {word(comment['status'])}", "gone")
        return comment

    async def _own(self, parent: JSON, *, what: str) -> tuple[OwnReply, ...]:
        """All our comments right under one: those that everybody reads, and those that a moderator holds."""
        if not self._me:
            return ()
        place = {"post": _number(parent.get("post")), "parent": _number(parent.get("id")), "author": self._me}
        found: list[OwnReply] = []
        for status in ("approve", "hold"):
            for comment in await self._all(what=what, status=status, **place):
                # A site that does not know one of the filters must not make a stranger's words ours.
                if is_by(comment, self._me) and _number(comment.get("parent")) == place["parent"] and _time(comment):
                    reply = parse_comment(comment, site=self._site)
                    found.append(
                        OwnReply(
                            external_id=reply.external_id,
                            url=reply.url,
                            text=reply.text,
                            created_at=reply.created_at,
                            visible=is_approved(comment),
                        )
                    )
        return tuple(sorted(found, key=lambda own: own.created_at))

    async def _said_before(self, parent: JSON, text: str, *, what: str) -> Sent:
        """WordPress has this very text under this comment already: by us, or by somebody who writes under our name."""
        try:
            own = await self._own(parent, what=what)
        except OutsideError as error:
            raise OutsideError(f"{what}: said before, as the site says; {error.message}", "unknown") from error
        for reply in reversed(own):
            if same_text(text, reply.text):
                return Sent(external_id=reply.external_id, url=reply.url, visible=reply.visible)
        raise OutsideError(
            f"{what}: {self._host} refuses it as a duplicate, but no such comment of ours is there; look in its spam",
            "forbidden",
        )

    async def _article(self, comment: JSON, *, what: str) -> Article:
        """Whether everybody can read the article, and whether it takes comments. OutsideError `gone` where it was removed."""
        route = _up(comment)
        if not route:
            return Article()
        answer = await self._read_articles(route, what=what)
        if answer is None:
            return Article(is_public=False)
        if not answer.is_success:
            raise self._refusal(answer, what=what, missing="its article is deleted")
        article = self._body(answer, what=what)
        if not isinstance(article, dict):
            raise OutsideError(f"{what}: the answer is no article", "transient")
        if article.get("status") == "trash":
            raise OutsideError(f"{what}: its article is in the trash", "gone")
        return _article(article)

    async def _read_articles(self, route: str, *, what: str, **query: str) -> httpx.Response | None:
        """One article, or some of one kind. None where not even a visitor's view of them is given to us.

        An Editor may edit posts and pages, and not each kind of content that a plugin brings along: of one
        that we may not edit, what everybody reads tells enough, and no other comment is held up by it.
        """
        route = route.removeprefix("wp/v2/")
        answer = await self._call("GET", route, what=what, params={**_ARTICLE, **query})
        if answer.status_code == 403 and _code(answer) in _ROLE:
            answer = await self._call("GET", route, what=what, params={**_ARTICLE_AS_READ, **query})
            if answer.status_code == 403 and _code(answer).startswith("rest_"):
                return None
        return answer

    def _context(self, *, what: str) -> _Context:
        async def read(**query: str) -> list[dict[str, Any]]:
            return self._list(await self._comments(what=what, status="approve", **query), what=what)

        async def read_articles(kind: str, numbers: Sequence[str]) -> list[dict[str, Any]]:
            answer = await self._read_articles(kind, what=what, include=",".join(numbers), per_page=str(PAGE))
            if answer is None:
                return []
            if not answer.is_success:
                raise self._refusal(answer, what=what)
            return objects(self._list(answer, what=what))

        return _Context(site=self._site, me=self._me, depth=self._depth, read=read, read_articles=read_articles)

    # --- Calling, and what refusals mean -----------------------------------------------------------

    def _headers(self) -> dict[str, str]:
        # Some hosts keep copies of answers; one from before our last word would say that we never spoke.
        return {"Authorization": f"Basic {self._basic}", "Accept": "application/json", "Cache-Control": "no-cache"}

    async def _call(
        self, method: str, route: str, *, what: str, writes: bool = False, params: JSON | None = None, **options: Any
    ) -> httpx.Response:
        url, query = f"{self._root}/wp/v2/{route}", dict(params or {})
        if "rest_route=" in self._root:
            url, query = self._root.partition("?")[0], {"rest_route": f"/wp/v2/{route}", **query}
        return await ask(
            self._http, method, url, what=what, writes=writes, headers=self._headers(), params=query, **options
        )

    def _body(self, answer: httpx.Response, *, what: str) -> Any:
        if is_html(answer):
            raise OutsideError(f"{what}: {self._page_instead(answer)}", "transient")
        return json_of(answer, what=what)

    def _refusal_of_reply(self, answer: httpx.Response, text: str, *, what: str) -> OutsideError:
        """What it means that a reply was not answered with success: the table in docs/channels/wordpress.md."""
        status, code, said = answer.status_code, _code(answer), self._said(answer)
        if code == "comment_flood":
            told = retry_at(answer, self._now()) or self._now() + FLOOD
            return OutsideError(f"{what}: too fast for the site ({said})", "transient", retry_at=told)
        if code == "rest_comment_closed":
            return OutsideError(f"{what}: comments are closed under this article", "forbidden")
        if status == 503 and code == "wp_die" and answer.headers.get("retry-after") == "600":
            # WordPress' own word during an update, before it looks at any request.
            return self._refusal(answer, what=what)
        if status >= 500 or status in {408, 409, 425}:
            # Behind a gateway's word, or a host's page, WordPress may still be working on it.
            return OutsideError(
                f"{what}: {status} ({said})", "unknown", in_flight=status in {502, 504, 409} or is_html(answer)
            )
        if status in {400, 413, 422} and not is_html(answer):
            length = self.count(text)
            is_long = length > LIMIT or status == 413 or code.endswith("_column_length")
            return OutsideError(
                f"{what}: refused ({said}); it has {length} bytes", "too_long" if is_long else "invalid"
            )
        return self._refusal(answer, what=what)

    def _refusal(self, answer: httpx.Response, *, what: str, missing: str = "") -> OutsideError:
        """What any answer without success means. The codes are WordPress' own and those of plugins that are widely used."""
        status, code, said = answer.status_code, _code(answer), self._said(answer)
        if status == 401:
            return OutsideError(self._not_let_in(answer, code, said), "auth_broken")
        if status == 429:
            return OutsideError(
                f"{what}: too many requests for now ({said})", "rate_limited", retry_at=retry_at(answer, self._now())
            )
        if status >= 500 or status in {408, 425}:
            return OutsideError(f"{what}: {status} ({said})", "transient", retry_at=retry_at(answer, self._now()))
        if code in _GONE and (code != "rest_post_invalid_id" or missing):
            return OutsideError(f"{what}: {missing or said}", "gone")
        if code in {"rest_cannot_read", "rest_cannot_read_post"}:
            return OutsideError(f"{what}: the comment is hidden from us ({said})", "forbidden")
        if code in _ROLE:
            return self._lacks_role("")
        if is_html(answer):
            # A firewall's or a web server's own page says nothing about the comment: nobody is given up for that.
            return OutsideError(f"{what}: {self._page_instead(answer)}", "transient")
        if status == 403:
            return OutsideError(
                f"{what}: {self._host} forbids it ({said}). If a security plugin closes the REST API there, let it pass "
                f"for {self._user}",
                "auth_broken",
            )
        if status in {404, 405, 410}:
            return self._no_api(answer)
        return OutsideError(f"{what}: refused with {status} ({said})", "invalid")

    def _not_let_in(self, answer: httpx.Response, code: str, said: str) -> str:
        """Why nobody was recognised, as far as the answer tells it, and what to do."""
        if code in {"incorrect_password", "invalid_username", "invalid_email", "invalid_application_password"}:
            return f"{self._host} refuses the application password of {self._user} ({said}); {MAKE_ONE}"
        if code.startswith("application_passwords_disabled"):
            return (
                f"{self._host} has application passwords switched off ({said}); they need https, and a security plugin "
                "may have to allow them"
            )
        if not code and "basic" in answer.headers.get("www-authenticate", "").lower():
            return (
                f"the web server of {self._host} asks for a password of its own, before WordPress is asked; let "
                "/wp-json/ pass there"
            )
        if code.startswith("rest_"):
            # What WordPress says of a wrong password too: it then takes us for a visitor, who may read the public list.
            return (
                f"{self._host} does not recognise {self._user} ({said}). The user name or the application password is "
                f"wrong or revoked: {MAKE_ONE}. If it is right, the web server keeps back the Authorization header, or a "
                "security plugin forbids application passwords"
            )
        return f"{self._host} refuses {self._user} ({said}); {MAKE_ONE}"

    def _lacks_role(self, roles: str) -> OutsideError:
        has = f"has the role {roles}" if roles else "may not"
        return OutsideError(
            f"{self._user} on {self._host} must moderate comments (moderate_comments), and {has}: give it the role "
            "Editor under Users → All Users → Edit → Role, and reconnect the account",
            "auth_broken",
        )

    def _no_api(self, answer: httpx.Response) -> OutsideError:
        if is_html(answer):
            return OutsideError(self._page_instead(answer), "misconfigured", field="settings.base_url")
        return OutsideError(
            f"{self._host} does not answer like WordPress's REST API; enter the address of the site itself, and see that "
            "no plugin switches the REST API off",
            "misconfigured",
            field="settings.base_url",
        )

    def _page_instead(self, answer: httpx.Response) -> str:
        where = "its login page" if answer.url.path.endswith("wp-login.php") else "a web page"
        return (
            f"{self._host} answers with {where} ({answer.status_code}) instead of its REST API: a plugin, a firewall or "
            "the host stands before it; let /wp-json/ (or ?rest_route=) pass there"
        )

    def _said(self, answer: httpx.Response) -> str:
        """The site's own words, shortened, never with the password in them."""
        body = parsed(answer.content)
        told = plain_text(word(body.get("message"))) if isinstance(body, dict) else ""
        for secret in (self._basic, self._password):
            told = told.replace(secret, "…")
        return " ".join(told.split())[:200] or f"the site answered {answer.status_code}"


_ARTICLE = {"context": "edit", "_fields": "id,status,password,comment_status"}
_ARTICLE_AS_READ = {"context": "view", "_fields": "id,status,content.protected,comment_status"}
_GONE = frozenset(
    {
        "rest_comment_invalid_id",
        "rest_post_invalid_id",
        "rest_comment_invalid_post_id",
        "rest_comment_trash_post",
        "rest_comment_draft_post",
    }
)
_ROLE = frozenset({"rest_forbidden_context", "rest_forbidden_param", "rest_forbidden_status", "rest_cannot_edit"})


def _article(article: JSON) -> Article:
    content = article.get("content")
    is_protected = bool(article.get("password")) or (isinstance(content, dict) and bool(content.get("protected")))
    return Article(
        is_public=article.get("status", "publish") in {"publish", "inherit"} and not is_protected,
        is_open=article.get("comment_status") != "closed",
    )


def as_html(text: str) -> str:
    """A text as the HTML that shows it, and nothing else."""
    return html.escape(text, quote=False)


class _Context:
    """What one pull has to know around its comments: their articles, and what they answer in meaning.

    Kept for one page of comments at a time, so that a hundred pages take no more memory than one.
    """

    def __init__(
        self,
        *,
        site: Site,
        me: str,
        depth: int,
        read: Callable[..., Awaitable[list[dict[str, Any]]]],
        read_articles: Callable[[str, Sequence[str]], Awaitable[list[dict[str, Any]]]],
    ) -> None:
        self._site, self._me, self._depth = site, me, depth
        self._read, self._read_articles = read, read_articles
        self._known: dict[str, JSON] = {}

    async def posts_of(self, comments: Sequence[JSON]) -> tuple[Post, ...]:
        """The posts among these comments. Our own, pingbacks, trackbacks, reviews and malformed ones are none."""
        wanted = [one for one in comments if _is_comment(one) and not is_gone(one) and not is_by(one, self._me)]
        articles = await self.articles(wanted)
        self._known = {number: one for one in comments if (number := _number(one.get("id")))}
        await self._read_parents(wanted)
        posts = []
        for comment in wanted:
            try:
                post = parse_comment(comment, site=self._site, article=articles.get(_up(comment)))
            except ValueError:
                continue
            posts.append(replace(post, answers_id=await self._answered(comment) or post.parent_id))
        return tuple(posts)

    async def articles(self, comments: Iterable[JSON]) -> dict[str, Article]:
        """The articles by their routes. One that is not published, or was removed meanwhile, is not public."""
        routes = {route for comment in comments if (route := _up(comment))}
        found = dict.fromkeys(routes, Article(is_public=False))
        for kind in sorted({route.rpartition("/")[0] for route in routes}):
            numbers = sorted(route.rpartition("/")[2] for route in routes if route.startswith(f"{kind}/"))
            for article in await self._read_articles(kind, numbers):
                route = f"{kind}/{_number(article.get('id'))}"
                if route in found:
                    found[route] = _article(article)
        return found

    async def _read_parents(self, comments: Iterable[JSON]) -> None:
        """The comments above these, a level at a time, as far as nesting can matter."""
        above = {_number(comment.get("parent")) for comment in comments}
        for _ in range(self._depth):
            missing = sorted(above - self._known.keys() - {""})[:PAGE]
            if not missing:
                return
            read = {_number(one.get("id")): one for one in await self._read(include=",".join(missing))}
            self._known |= {number: read[number] for number in missing if number in read}
            above = {_number(read[number].get("parent")) for number in missing if number in read}

    def _above(self, comment: JSON) -> list[str]:
        """The numbers of the comments above one, nearest first."""
        found: list[str] = []
        number = _number(comment.get("parent"))
        while number and number not in found:
            found.append(number)
            number = _number(self._known.get(number, {}).get("parent"))
        return found

    async def _answered(self, comment: JSON) -> str | None:
        """Our reply that a comment answers in meaning, though it hangs on one above it; None where it hangs right.

        At the deepest level WordPress shows no 'Reply', nor where nesting is off. Who wants to answer us
        there answers the comment above, or the article: our newest reply to the same person below it is meant.
        """
        above = self._above(comment)
        if len(above) != self._depth - 1 or not self._me:
            return None
        at = _time(comment)
        place = {"post": _number(comment.get("post")), "author": self._me}
        newest_first = await self._read(**place, orderby="date_gmt", order="desc")
        ours = [one for one in newest_first if is_by(one, self._me)]
        await self._read_parents(ours)
        for reply in ours:
            over, when = self._above(reply), _time(reply)
            is_below = bool(over) and len(over) >= self._depth - 1 and (not above or above[0] in over)
            is_before = at is not None and when is not None and when <= at
            if is_below and is_before and _is_same_person(comment, self._known.get(over[0], {})):
                return _number(reply.get("id"))
        return None


def _is_same_person(one: JSON, other: JSON) -> bool:
    """By the number; guests by the name they gave, which is why a person decides about what they answer."""
    if _number(one.get("author")) or _number(other.get("author")):
        return _number(one.get("author")) == _number(other.get("author"))
    return bool(word(one.get("author_name"))) and one.get("author_name") == other.get("author_name")


CHANNEL: type[Channel] = WordPress

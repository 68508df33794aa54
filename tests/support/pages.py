"""A browser without script on Fullcircle's pages: it keeps cookies, follows forms, and sees what stands in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from app.staging import Board, Square, StagedPost
from app.steps.people import SESSION_LIVES
from app.store import members
from app.store.tables import Member
from tests.support.circle import Circle


@dataclass
class FoundForm:
    """A form on a page: where it goes, and what its fields hold before anybody types."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[dict[str, str | None]] = field(default_factory=list)
    disabled: bool = False


class Markup(HTMLParser):
    """What a page is made of: its tags, its forms, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.forms: list[FoundForm] = []
        self.words = ""
        self._form: FoundForm | None = None
        self._select: str | None = None
        self._is_undecided = False
        self._area: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        self.tags.append((tag, have))
        if tag == "form":
            self._form = FoundForm(have.get("action") or "", (have.get("method") or "get").lower())
            self.forms.append(self._form)
        form, name = self._form, have.get("name")
        if form is None:
            return
        if tag == "input" and name:
            if have.get("type") not in {"checkbox", "radio"} or "checked" in have:
                form.fields[name] = have.get("value") or ("on" if have.get("type") == "checkbox" else "")
        elif tag == "select" and name:
            self._select, self._is_undecided = name, True
            form.fields[name] = ""
        elif tag == "option" and self._select:
            if "selected" in have or self._is_undecided:
                form.fields[self._select] = have.get("value") or ""
                self._is_undecided = False
        elif tag == "textarea" and name:
            self._area = name
            form.fields[name] = ""
        elif tag == "button":
            form.buttons.append(have)
            form.disabled = form.disabled or "disabled" in have

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._form is not None and self._area:
            self._form.fields[self._area] += data.removeprefix("\n")

    def values(self, attribute: str) -> list[str]:
        """Every value of an attribute on the page."""
        return [value for _, attrs in self.tags if (value := attrs.get(attribute)) is not None]

    def form(self, action: str) -> FoundForm:
        """The form that goes to an address ending so."""
        found = [form for form in self.forms if form.action.partition("?")[0].endswith(action)]
        assert found, f"no form goes to {action}; there are {[form.action for form in self.forms]}"
        return found[0]


@dataclass
class Browser:
    """One person's browser."""

    http: httpx.AsyncClient
    page: httpx.Response | None = None

    @property
    def markup(self) -> Markup:
        """The present page."""
        assert self.page is not None
        return Markup(self.page.text)

    async def open(self, path: str, *, status: int = 200) -> Markup:
        """Go to a page, and where it leads."""
        self.page = await self.http.get(path, follow_redirects=True)
        assert self.page.status_code == status, f"{path}: {self.page.status_code} {self.page.text}"
        return self.markup

    async def send(self, action: str, *, status: int = 200, by: str = "", **typed: Any) -> Markup:
        """Fill in the form of the present page that goes there, send it, and follow where it leads.

        With `by`, the button of that form is pressed whose own address holds this.
        """
        assert self.page is not None
        form = self.markup.form(action)
        assert form.method == "post"
        goes_to = next(a for b in form.buttons if by in (a := b.get("formaction") or "")) if by else form.action
        address = urljoin(str(self.page.url), goes_to)
        fields = {**form.fields, **{name: str(value) for name, value in typed.items()}}
        headers = {"Origin": "http://fullcircle.test", "Sec-Fetch-Site": "same-origin"}
        self.page = await self.http.post(address, data=fields, headers=headers, follow_redirects=True)
        assert self.page.status_code == status, f"{action}: {self.page.status_code} {Markup(self.page.text).words}"
        return self.markup

    @property
    def path(self) -> str:
        """Where we are."""
        assert self.page is not None
        parts = urlsplit(str(self.page.url))
        return parts.path + (f"?{parts.query}" if parts.query else "")


def browser(circle: Circle) -> Browser:
    """A browser that nobody has signed in with."""
    return Browser(httpx.AsyncClient(transport=circle.api._transport, base_url="http://fullcircle.test"))


async def signed_in(circle: Circle, role: str, *, name: str = "") -> Browser:
    """A browser with a session of a member of this role; no password is hashed for it."""
    name = name or f"{role.capitalize()} Kim"
    async with circle.river.db.begin() as session:
        member = await members.member_by_name(session, name)
        if member is None:
            member = Member(name=name, key=members.key_of(name), role=role, password_hash="", created_at=circle.clock())
            session.add(member)
            await session.flush()
        token = await members.make_token(
            session,
            name="a test",
            role=role,
            now=circle.clock(),
            kind="session",
            lives=SESSION_LIVES,
            member_id=member.id,
        )
    made = browser(circle)
    made.http.cookies.set("fullcircle", token)
    return made


async def complain(circle: Circle, text: str = "Export to CSV hangs at 99 %", **more: Any) -> int:
    """A customer says something on the square, and it is taken in. Returns the post's number there."""
    post = StagedPost(handle=more.pop("handle", "ana"), text=text, at=circle.clock(), **{"language": "en", **more})
    number = await Square(circle.stage, "main").say(post)
    await circle.post("/api/v1/accounts/1/pull")
    return number


async def fix_and_release(circle: Circle, number: int, label: str) -> None:
    """Engineers close an issue on the board and publish a release that holds the fix."""
    board = Board(circle.stage, "main")
    circle.clock.move(minutes=5)
    await board.close(number, outcome="completed", now=circle.clock())
    circle.clock.move(minutes=5)
    await board.release(label, now=circle.clock())
    await circle.post("/api/v1/trackers/1/pull")
    await circle.rest()


async def lively(circle: Circle) -> None:
    """An installation in use: loop 1 is told, loop 2 waits for approval, loop 3 is linked, loop 4 is open, and there are new posts.

    Every kind of page has something to show: notes, history, a rejected webhook, an unclear answer.
    """
    await circle.connect_rehearsal(mode="approve")
    for name in ("ana", "ben", "cleo", "dora", "emil", "fay"):
        await complain(circle, f"Export number {name} hangs at 99 %", handle=name, name=name.capitalize() + " Doe")
    for post_id, issue in (
        (1, {"tracker_id": 1, "title": "Export hangs", "body": "See there"}),
        (2, {"tracker_id": 1, "title": "Import is slow", "body": ""}),
        (3, {"tracker_id": 1, "title": "Progress bar is silent", "body": ""}),
        (4, None),
    ):
        await circle.post("/api/v1/loops", {"post_id": post_id, "tags": ["export"], "issue": issue}, status=201)
    await circle.rest()
    await fix_and_release(circle, 1, "v1.0.1")
    await circle.post("/api/v1/replies/1/approve")
    await circle.rest()
    said = max(key for key, post in await Square(circle.stage, "main").posts.all() if post.brand)
    circle.clock.move(minutes=1)
    await complain(circle, "Thanks, I will look at it tomorrow", name="Ana Doe", in_reply_to=said)
    await circle.rest()
    await fix_and_release(circle, 2, "v1.0.2")
    await circle.post("/api/v1/loops/1/notes", {"text": "She is on the old plan."}, status=201)
    await circle.api.post("/hooks/trackers/1", content=b"{}", headers={"X-Rehearsal-Signature": "nonsense"})


SHOWN = (
    "/",
    "/?overlook=1",
    "/triage",
    "/triage?state=dismissed",
    "/triage?post=5",
    "/triage?post=5&new=1",
    "/triage?post=7",
    "/triage?post=5&did=dismissed&of=6",
    "/triage?q=nothing+fits",
    "/loops",
    "/loops?all=1",
    "/loops?state=told",
    "/loops?mine=1",
    "/loops/1",
    "/loops/2",
    "/loops/3",
    "/loops/4",
    "/customers",
    "/customers?silent=1",
    "/customers?q=nobody",
    "/customers/1",
    "/customers/5?find=doe",
    "/issues",
    "/issues/1",
    "/issues/3",
    "/replies",
    "/replies?tab=posted",
    "/replies?tab=cancelled",
    "/replies/1",
    "/replies/2",
    "/texts",
    "/texts?kind=outcome_by_design&language=ja",
    "/connections",
    "/connections/accounts/1",
    "/connections/trackers/1",
    "/connections/accounts/new/mastodon",
    "/connections/trackers/new/github",
    "/connections/accounts/new/rehearsal",
    "/people",
    "/people/me",
)
"""Every page of a `lively` installation, each in the states that it has there."""

"""Triage: what customers said, one after the other, and what becomes of it. Made for the keyboard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Response

from app.ports import OutsideError
from app.rules import addresses, quoting
from app.steps import by_address, link, triage
from app.steps.hear_answer import hear_next
from app.steps.link import ConflictError, NotFoundError
from app.steps.owe import silence_of
from app.steps.river import platforms_of
from app.store import accounts, posts, shown
from app.store.tables import Account, Identity, Issue, Post, Reply, Tracker
from app.web.forms import NO_DRAFT, Draft, PageError, sentence
from app.web.visit import Anyone, FromTriage, Number, PageRoute, Sent, Visit

router = APIRouter(prefix="/triage", include_in_schema=False, route_class=PageRoute)

PAGE = 50
MOST_CONNECTIONS = 200
MAX_TAG = 50
AROUND = 10
"""How many posts above one, and below it, are shown with it."""
MAX_TYPED = 20_000

State = Literal["new", "dismissed"]
Done = Literal["dismissed", "tagged", "linked", "new-issue", "restored", "untagged", "settled", "taken-in"]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Which list one works through; forms carry it along, so that one comes back to it."""

    state: State = "new"
    account: int | None = None
    q: str = ""
    before: int | None = None

    def query(self, **more: object) -> str:
        """The list as an address's query, with more beside it."""
        mine = {
            "state": "" if self.state == "new" else self.state,
            "account": self.account,
            "q": self.q,
            "before": self.before,
        }
        return urlencode({name: value for name, value in {**mine, **more}.items() if value not in {None, ""}})


def _listing_of(sent: Sent) -> Listing:
    words = dict(parse_qsl(sent.form.get("list", "")))

    def number(name: str) -> int | None:
        return int(words[name]) if re.fullmatch(r"[1-9]\d{0,15}", words.get(name, "")) else None

    return Listing(
        state="dismissed" if words.get("state") == "dismissed" else "new",
        account=number("account"),
        q=words.get("q", "")[:200],
        before=number("before"),
    )


@router.get("")
async def show(
    visit: Anyone,
    state: State = "new",
    account: int | None = None,
    q: str = "",
    before: int | None = None,
    post: int | None = None,
    new: bool = False,
    did: Done | None = None,
    of: int | None = None,
) -> Response:
    """The list, and the post that is read."""
    listing = Listing(state=state, account=account, q=q.strip()[:200], before=before)
    draft = Draft(form=f"new-{post}") if new else NO_DRAFT
    return await _page(visit, listing, post, draft, did=did, of=of)


async def _page(
    visit: Visit,
    listing: Listing,
    wanted: int | None,
    draft: Draft,
    *,
    did: Done | None = None,
    of: int | None = None,
    status: int = 200,
) -> Response:
    river = visit.river
    async with river.db.read() as session:
        rows = await shown.posts_in_triage(
            session,
            state=listing.state,
            account_id=listing.account,
            q=listing.q,
            before=listing.before,
            limit=PAGE + 1,
        )
        profiles = await accounts.page(session, Account, after=0, limit=MOST_CONNECTIONS)
        trackers = await accounts.page(session, Tracker, after=0, limit=MOST_CONNECTIONS)
        number = wanted if wanted is not None else rows[0].id if rows else None
        found = await posts.with_identity(session, number) if number is not None else None
        if wanted is not None and found is None:
            raise NotFoundError("this post is not here any more")
        past: shown.Shown = ()
        likely: Sequence[tuple[Issue, Any, int]] = ()
        tags: list[str] = []
        answered: Reply | None = None
        if found is not None:
            post, identity = found
            past = await shown.customers_past(session, customer_id=identity.customer_id, but_post=post.id, limit=6)
            if post.answers_reply_id is not None:
                answered = await session.get(Reply, post.answers_reply_id)
            if post.state != "tagged" and answered is None:
                likely = await link.suggest(session, post)
                tags = await shown.recent_tags(session, loops=100)
        above, below = await posts.around(session, found[0], most=AROUND) if found is not None else ([], [])
        was = await session.get(Post, of) if of is not None else None
    ids = [row.id for row in rows[:PAGE]]
    return visit.draw(
        "triage.html",
        status=status,
        listing=listing,
        rows=rows[:PAGE],
        more=rows[PAGE - 1].id if len(rows) > PAGE else None,
        profiles=profiles,
        trackers=trackers,
        chosen=wanted is not None,
        post=found[0] if found else None,
        identity=found[1] if found else None,
        following=_following(ids, number),
        position=ids.index(number) + 1 if number in ids else None,
        above=above,
        below=below,
        past=past,
        likely=likely,
        tags=_offered(trackers, tags),
        answered=answered,
        draft=draft,
        title=link.title_from(found[0]) if found else "",
        text=_first_words(found[0], trackers) if found else "",
        did=did,
        was=was,
        titles=titles_of(visit),
        author_line=author_line,
    )


def _offered(trackers: Sequence[Tracker], recent: Sequence[str]) -> list[str]:
    """The tags one may want: the platforms first, because what a customer is told hangs on them."""
    platforms = [one.name.lower() for tracker in trackers for one in platforms_of(tracker)]
    return list(dict.fromkeys([*platforms, *recent]))[:30]


def _following(ids: Sequence[int], number: int | None) -> int | None:
    """The post to read after this one: the next older one, or else the one before."""
    if number not in ids:
        return ids[0] if ids else None
    at = ids.index(number)
    return ids[at + 1] if at + 1 < len(ids) else ids[at - 1] if at else None


def _first_words(post: Post, trackers: Sequence[Tracker]) -> str:
    """What a new issue says at first. Customers' words stand on no public board, and a private post on none."""
    if post.visibility == "private":
        return "A customer reports this in private."
    if any(tracker.visible_to_public for tracker in trackers):
        return f"A customer reports this in public: {post.url}"
    return f"> {quoting.neutralise(post.text)}\n\n{post.url}"


def titles_of(visit: Visit) -> dict[str, str]:
    """What channels are called."""
    return {name: channel.title for name, channel in visit.river.outside.registry.channels.items()}


def _onwards(sent: Sent, did: Done, post_id: int, **more: object) -> Response:
    """To the next post of the list, with what was just done."""
    following = sent.number("following")
    listing = _listing_of(sent)
    words = dict(parse_qsl(listing.query(post=following, did=did, of=post_id, **more)))
    return sent.visit.onwards("/triage", **words)


@router.post("/{post_id}/dismiss")
async def dismiss(sent: FromTriage, post_id: Number) -> Response:
    """Not about the product."""
    await triage.dismiss(sent.visit.river, post_id, actor=sent.visit.name)
    return _onwards(sent, "dismissed", post_id)


@router.post("/{post_id}/restore")
async def restore(sent: FromTriage, post_id: Number) -> Response:
    """Back to triage, where one reads it."""
    await triage.restore(sent.visit.river, post_id, actor=sent.visit.name)
    return sent.visit.onwards("/triage", post=post_id, did="restored", of=post_id)


@router.post("/{post_id}/untag")
async def untag(sent: FromTriage, post_id: Number) -> Response:
    """Take back what was just done with it."""
    await triage.untag(sent.visit.river, post_id, actor=sent.visit.name)
    return sent.visit.onwards("/triage", post=post_id, did="untagged", of=post_id)


@router.post("/{post_id}/tag")
async def tag(sent: FromTriage, post_id: Number) -> Response:
    """About the product; the issue is found later."""
    tags, wrong = read_tags(sent.form.get("tags", ""))
    if not wrong and not tags:
        wrong = "Name at least one tag, for instance the part of the product."
    if wrong:
        draft = Draft(form=f"tag-{post_id}", values=sent.form, wrong={"tags": wrong})
        return await _page(sent.visit, _listing_of(sent), post_id, draft, status=422)
    await triage.tag(sent.visit.river, post_id, tags=tags, actor=sent.visit.name)
    return _onwards(sent, "tagged", post_id)


def read_tags(text: str) -> tuple[list[str], str]:
    """Tags separated by commas, and what is wrong with them."""
    tags = list(dict.fromkeys(" ".join(part.split()).lower() for part in text.split(",") if part.strip()))
    if any(len(tag) > MAX_TAG for tag in tags):
        return tags, f"A tag has at most {MAX_TAG} characters; separate tags by commas."
    if len(tags) > 20:
        return tags, "At most 20 tags."
    return tags, ""


@router.post("/{post_id}/link")
async def link_post(sent: FromTriage, post_id: Number) -> Response:
    """Link it to an issue: one that was suggested, or one that is named by number or address."""
    visit = sent.visit
    issue_id = sent.number("issue")
    if issue_id is None:
        try:
            issue_id = await find_named(visit, sent.text("ref"), sent.number("tracker"))
        except (PageError, OutsideError) as error:
            why = sentence(error)
            draft = Draft(form=f"link-{post_id}", values=sent.form, wrong={"ref": why})
            return await _page(visit, _listing_of(sent), post_id, draft, status=422)
    await triage.tag(visit.river, post_id, tags=(), issue=issue_id, actor=visit.name)
    return _onwards(sent, "linked", post_id)


async def find_named(visit: Visit, ref: str, tracker_id: int | None) -> int:
    """The issue that somebody names. PageError or OutsideError says why there is none."""
    if not ref:
        raise PageError(422, "Which issue? A number such as #12, or its address.")
    if len(ref) > 500:
        raise PageError(422, "That is no issue's number or address.")
    async with visit.river.db.read() as session:
        trackers = await accounts.page(session, Tracker, after=0, limit=MOST_CONNECTIONS)
    if not trackers:
        raise PageError(422, "No tracker is connected yet: an admin connects one under Connections.")
    tracker = next((row for row in trackers if row.id == tracker_id), trackers[0])
    if "://" in ref:
        # An address says itself where it belongs.
        tracker = next((row for row in trackers if row.url and ref.startswith(row.url.rstrip("/"))), tracker)
    return await link.find_issue(visit.river, tracker_id=tracker.id, ref=ref)


@router.post("/{post_id}/issue")
async def make_issue(sent: FromTriage, post_id: Number) -> Response:
    """Link it to a new issue."""
    visit = sent.visit
    wanted, tags, wrong = await read_issue(sent)
    if wanted is None or wrong:
        draft = Draft(form=f"new-{post_id}", values=sent.form, wrong=wrong)
        return await _page(visit, _listing_of(sent), post_id, draft, status=422)
    await triage.tag(visit.river, post_id, tags=tags, issue=wanted, actor=visit.name)
    return _onwards(sent, "new-issue", post_id)


async def read_issue(sent: Sent) -> tuple[triage.NewIssue | None, list[str], dict[str, str]]:
    """A new issue as it was typed, its tags, and what is wrong with which field."""
    wrong: dict[str, str] = {}
    title, body = sent.text("title"), sent.form.get("body", "").strip()
    tags, bad_tags = read_tags(sent.form.get("tags", ""))
    if not title:
        wrong["title"] = "What is it about?"
    elif len(title) > 250:
        wrong["title"] = f"{len(title)} characters; at most 250."
    if len(body) > 60_000:
        wrong["body"] = "At most 60,000 characters."
    if bad_tags:
        wrong["tags"] = bad_tags
    async with sent.visit.river.db.read() as session:
        tracker_id = sent.number("tracker")
        tracker = await accounts.get(session, Tracker, tracker_id) if tracker_id is not None else None
    if tracker is None:
        wrong["tracker"] = "Choose where the issue is to be made."
        return None, tags, wrong
    return triage.NewIssue(tracker_id=tracker.id, title=title, body=body), tags, wrong


@router.post("/{post_id}/answer")
async def settle(sent: FromTriage, post_id: Number) -> Response:
    """A customer's answer that nobody could be sure of: a person is."""
    answers: dict[str, triage.Answer] = {"works": "works", "still_broken": "still_broken", "neither": "neither"}
    answer = answers.get(sent.text("answer"))
    if answer is None:
        raise PageError(422, "Does it work for them, is it still broken, or neither?")
    await triage.settle_answer(sent.visit.river, post_id, answer=answer, actor=sent.visit.name)
    return _onwards(sent, "settled", post_id)


@router.post("/take-in")
async def take_in(sent: FromTriage) -> Response:
    """Take in one post by its address, through the account that can read it."""
    visit, url = sent.visit, sent.text("url")
    try:
        if not url or len(url) > addresses.LONGEST:
            raise PageError(422, "Paste the address of one post.")
        post_id = await by_address.take_in_by_address(visit.river, url, account_id=sent.number("account"))
    except (PageError, OutsideError, ConflictError) as error:
        draft = Draft(form="take-in", values=sent.form, wrong={"url": sentence(error)})
        return await _page(visit, _listing_of(sent), None, draft, status=422)
    return await _taken_in(visit, post_id)


@router.post("/by-hand")
async def type_in(sent: FromTriage) -> Response:
    """Take in a post as somebody types it, where no API reads it. Its address is kept, and never asked."""
    visit, wrong = sent.visit, {}
    url, text, author, place = (
        sent.text("url"),
        sent.form.get("text", "").strip(),
        sent.text("author"),
        sent.text("place"),
    )
    account_id, day = sent.number("account"), sent.text("day")
    try:
        addresses.web_address(url)
    except ValueError as error:
        wrong["url"] = sentence(error)
    if not text or len(text) > MAX_TYPED:
        wrong["text"] = "What did they write?" if not text else f"At most {MAX_TYPED:,} characters."
    if not author or len(author) > 200:
        wrong["author"] = "Who wrote it? Their handle there." if not author else "At most 200 characters."
    if account_id is None and (not addresses.name_of_place(place) or len(place) > 50):
        wrong["place"] = "Where was it said? A word such as Reddit; at most 50 characters."
    said_at: datetime | None = None
    if day:
        try:
            said_at = datetime.combine(date.fromisoformat(day), time(), UTC)
        except ValueError:
            wrong["day"] = "A day such as 2026-03-02."
    if not wrong:
        try:
            post_id = await by_address.take_in_by_hand(
                visit.river, url=url, text=text, author=author, place=place, account_id=account_id, said_at=said_at
            )
        except (NotFoundError, ConflictError) as error:
            wrong["place"] = sentence(error)
        else:
            return await _taken_in(visit, post_id)
    draft = Draft(form="by-hand", values=sent.form, wrong=wrong)
    return await _page(visit, _listing_of(sent), None, draft, status=422)


async def _taken_in(visit: Visit, post_id: int) -> Response:
    while await hear_next(visit.river):
        pass
    return visit.onwards("/triage", post=post_id, did="taken-in", of=post_id)


def author_line(identity: Identity, past: shown.Shown) -> str:
    """Who somebody is to us, in a line."""
    parts = []
    told = {row.loop_id: row.verification for row in past if row.loop_state in {"told", "verified"}}
    if past:
        times = f"{len(past)}{'+' if len(past) == 6 else ''}"
        parts.append(f"wrote to us {times} time{'s' if len(past) > 1 else ''} before")
    if told:
        works = list(told.values()).count("confirmed")
        parts.append(f"told of {len(told)} fix{'es' if len(told) > 1 else ''}, {works} confirmed")
    if identity.suppressed_at is not None:
        parts.append(silence_of(identity))
    if identity.weak:
        parts.append("a guest: nobody knows whether it is always the same person")
    return " · ".join(parts) or "writes to us for the first time"

"""Issues: work items in trackers, who waits for them, whether they shipped, and what will be said then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.ports import OutsideError
from app.rules.fitting import TooLongError
from app.rules.wording import TemplateError
from app.steps import by_hand, owe
from app.steps.link import NotFoundError
from app.store import accounts, issues, loops, posts, shown
from app.store.session import Session
from app.store.tables import Account, Issue, Loop, Tracker
from app.web import standing
from app.web.forms import NO_DRAFT, Draft
from app.web.triage import titles_of
from app.web.visit import Anyone, FromEngineering, Number, PageRoute, Visit

router = APIRouter(prefix="/issues", include_in_schema=False, route_class=PageRoute)

PAGE = 50
MOST_SHOWN = 25
MOST_PREVIEWS = 3

After = Annotated[str | None, Query(pattern=r"^\d{1,9}-\d{1,15}$")]


@router.get("")
async def show_all(visit: Anyone, after: After = None) -> Response:
    """Issues, those with the most people waiting first; `after` is how many waited for the last one seen, and its id."""
    seen = (int(after.split("-")[0]), int(after.split("-")[1])) if after else None
    async with visit.river.db.read() as session:
        rows = await issues.page_by_waiting(session, after=seen, limit=PAGE + 1)
        shipments = await issues.present_shipments(session, [issue.id for issue, _ in rows[:PAGE]])
        trackers = {row.id: row for row in await accounts.page(session, Tracker, after=0, limit=200)}
    return visit.draw(
        "issues.html",
        rows=rows[:PAGE],
        more=f"{rows[PAGE - 1][1]}-{rows[PAGE - 1][0].id}" if len(rows) > PAGE else None,
        after=after,
        shipments={row: shipment for (row, platform), shipment in shipments.items() if not platform},
        trackers=trackers,
    )


@dataclass(frozen=True, slots=True)
class Preview:
    """What one of those who wait would read: the words, or why there are none."""

    to: str
    account: str
    language: str | None
    frozen: owe.Frozen | None
    why: str


@router.get("/{issue_id}")
async def show(visit: Anyone, issue_id: Number) -> Response:
    """One issue, with its proof or what is still missing, and what will be said."""
    return await _page(visit, issue_id)


async def _page(visit: Visit, issue_id: int, draft: Draft = NO_DRAFT, *, status: int = 200) -> Response:
    async with visit.river.db.read() as session:
        issue = await session.get(Issue, issue_id)
        if issue is None:
            raise NotFoundError(f"there is no issue {issue_id}")
        tracker = await session.get(Tracker, issue.tracker_id)
        shipment = await issues.present_shipment(session, issue_id, platform="")
        waiting = (await issues.count_waiting(session, [issue_id])).get(issue_id, 0)
        rows = await shown.loops_of_issue(session, issue_id, limit=MOST_SHOWN + 1)
        history = await loops.history_of_issue(session, issue_id)
        previews = await _previews(visit, session, issue, rows) if shipment is None else []
    return visit.draw(
        "issue.html",
        status=status,
        issue=issue,
        tracker=tracker,
        shipment=shipment,
        lines=standing.proof(issue, shipment),
        waiting=waiting,
        rows=rows[:MOST_SHOWN],
        more=len(rows) > MOST_SHOWN,
        history=history[::-1],
        previews=previews,
        imagined=owe.IMAGINED,
        settle=visit.river.settle_of(tracker) if tracker is not None else None,
        draft=draft,
        standing=standing,
        titles=titles_of(visit),
    )


async def _previews(visit: Visit, session: Session, issue: Issue, rows: shown.Shown) -> list[Preview]:
    """One example for each account and language, made the way the reply itself will be made."""
    previews: list[Preview] = []
    seen: set[tuple[int, str | None]] = set()
    for row in rows:
        loop: Loop = row.Loop
        if len(seen) == MOST_PREVIEWS:
            break
        if loop.state not in {"linked", "fixed", "reopened", "shipped"} or (row.account_id, row.language) in seen:
            continue
        seen.add((row.account_id, row.language))
        found = await posts.with_identity(session, loop.post_id)
        account = await accounts.get(session, Account, row.account_id)
        if found is None or account is None:
            continue
        post, identity = found
        frozen, why = None, ""
        if post.visibility == "private":
            why = "The post is not public: nothing is said by itself."
        else:
            try:
                frozen = await owe.preview(
                    visit.river, session, issue=issue, post=post, identity=identity, account=account
                )
            except (OutsideError, TemplateError, TooLongError) as error:
                why = str(error)
        previews.append(Preview(identity.name or identity.handle, account.name, post.language, frozen, why))
    return previews


@router.post("/{issue_id}/hold")
async def hold(sent: FromEngineering, issue_id: Number) -> Response:
    """Not for customers yet."""
    why = sent.text("why")
    if not why or len(why) > 500:
        wrong = {
            "why": "Say why, for colleagues: behind a flag, 5 % rollout …" if not why else "At most 500 characters."
        }
        return await _page(sent.visit, issue_id, Draft(form="hold", values=sent.form, wrong=wrong), status=422)
    await by_hand.hold_issue(sent.visit.river, issue_id, why=why, actor=sent.visit.name)
    return sent.visit.onwards(f"/issues/{issue_id}")


@router.post("/{issue_id}/release")
async def release(sent: FromEngineering, issue_id: Number) -> Response:
    """Customers may hear of it now."""
    await by_hand.release_issue(sent.visit.river, issue_id, actor=sent.visit.name)
    return sent.visit.onwards(f"/issues/{issue_id}")


@router.post("/{issue_id}/look")
async def look(sent: FromEngineering, issue_id: Number) -> Response:
    """Read it again soon, whatever the tracker has said so far."""
    async with sent.visit.river.db.begin() as session:
        if await session.get(Issue, issue_id) is None:
            raise NotFoundError(f"there is no issue {issue_id}")
        await issues.want_look(session, issue_id)
    return sent.visit.onwards(f"/issues/{issue_id}")

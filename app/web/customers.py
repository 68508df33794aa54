"""Customers: one person on several channels, what they were told, and whether they may be answered."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.steps import customers as steps
from app.steps.link import NotFoundError
from app.steps.owe import silence_of
from app.store import customers
from app.web import standing
from app.web.forms import NO_DRAFT, Draft, PageError
from app.web.triage import titles_of
from app.web.visit import Anyone, FromApprover, FromTriage, Number, PageRoute, Visit

router = APIRouter(prefix="/customers", include_in_schema=False, route_class=PageRoute)

PAGE = 50
FOUND = 8
MAX_WHY = 500


@router.get("")
async def show_all(visit: Anyone, q: str = "", silent: bool = False, before: int | None = None) -> Response:
    """Customers by their names; those who came last first."""
    words = q.strip()[:200]
    async with visit.river.db.read() as session:
        found = await customers.page(
            session, q=words or None, suppressed=True if silent else None, before=before, limit=PAGE + 1
        )
        identities = await customers.identities_of(session, found[:PAGE])
    return visit.draw(
        "customers.html",
        rows=[(number, identities[number]) for number in found[:PAGE]],
        more=found[PAGE - 1] if len(found) > PAGE else None,
        q=words,
        silent=silent,
        before=before,
        titles=titles_of(visit),
    )


@router.get("/{customer_id}")
async def show(visit: Anyone, customer_id: Number, find: str = "", posts_before: int | None = None) -> Response:
    """One customer, and whom somebody looks for to join."""
    return await _page(visit, customer_id, find=find.strip()[:200], posts_before=posts_before)


async def _page(
    visit: Visit,
    customer_id: int,
    draft: Draft = NO_DRAFT,
    *,
    find: str = "",
    posts_before: int | None = None,
    status: int = 200,
) -> Response:
    async with visit.river.db.read() as session:
        identities = await customers.identities(session, customer_id)
        if not identities:
            into = await customers.joined_into(session, customer_id)
            if into is None:
                raise NotFoundError(f"there is no customer {customer_id}")
            return visit.onwards(f"/customers/{into}")
        said = await customers.posts(session, customer_id, before=posts_before, limit=PAGE + 1)
        loops = await customers.loops(session, customer_id, before=None, limit=PAGE)
        told = await customers.told(session, customer_id, before=None, limit=PAGE)
        history = await customers.history(session, customer_id)
        likely = await steps.likely_same(session, identities)
        found = await customers.page(session, q=find, suppressed=None, before=None, limit=FOUND + 1) if find else []
        others = await customers.identities_of(session, [number for number in found if number != customer_id][:FOUND])
    return visit.draw(
        "customer.html",
        status=status,
        number=customer_id,
        identities=identities,
        is_guest=any(identity.weak for identity in identities),
        silent=next((why for identity in identities if (why := silence_of(identity))), ""),
        asked=any(identity.suppressed_at and not identity.suppressed_by for identity in identities),
        said=said[:PAGE],
        more=said[PAGE - 1][0].id if len(said) > PAGE else None,
        posts_before=posts_before,
        loops=loops,
        told=told,
        history=history[::-1],
        likely=likely,
        find=find,
        found=[identity for number in sorted(others, reverse=True) for identity in others[number]],
        draft=draft,
        standing=standing,
        titles=titles_of(visit),
    )


@router.post("/{customer_id}/join")
async def join(sent: FromTriage, customer_id: Number) -> Response:
    """It is the same person."""
    identity_id = sent.number("identity")
    if identity_id is None:
        raise PageError(422, "Choose who is the same person.")
    await steps.join(sent.visit.river, customer_id, identity_id, actor=sent.visit.name)
    return sent.visit.onwards(f"/customers/{customer_id}", "identities")


@router.post("/{customer_id}/part")
async def part(sent: FromTriage, customer_id: Number) -> Response:
    """It is somebody else after all."""
    identity_id = sent.number("identity")
    if identity_id is None:
        raise PageError(422, "Choose who is somebody else.")
    await steps.part(sent.visit.river, customer_id, identity_id, actor=sent.visit.name)
    return sent.visit.onwards(f"/customers/{customer_id}", "identities")


@router.post("/{customer_id}/suppress")
async def suppress(sent: FromTriage, customer_id: Number) -> Response:
    """Say nothing to them by itself any more."""
    why = sent.text("why")
    if not why or len(why) > MAX_WHY:
        wrong = {"why": "Say why, for colleagues." if not why else f"At most {MAX_WHY} characters."}
        return await _page(sent.visit, customer_id, Draft(form="suppress", values=sent.form, wrong=wrong), status=422)
    await steps.suppress(sent.visit.river, customer_id, why=why, actor=sent.visit.name)
    return sent.visit.onwards(f"/customers/{customer_id}")


@router.post("/{customer_id}/lift")
async def lift(sent: FromApprover, customer_id: Number) -> Response:
    """They may be answered again."""
    await steps.lift(sent.visit.river, customer_id, actor=sent.visit.name)
    return sent.visit.onwards(f"/customers/{customer_id}")

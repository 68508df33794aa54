"""Texts: the words of each kind of reply, ours or the operator's own, and what a customer would read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, get_args

from fastapi import APIRouter, Query, Response

from app.rules import texts, wording
from app.rules.facts import TemplateKind
from app.steps.link import NotFoundError
from app.store import issues, templates
from app.store.tables import Template
from app.web.forms import NO_DRAFT, Draft, sentence
from app.web.visit import Anyone, FromApprover, PageRoute, Sent, Visit

router = APIRouter(prefix="/texts", include_in_schema=False, route_class=PageRoute)

KINDS: Mapping[TemplateKind, tuple[str, str]] = {
    "ack": ("Thanks", "Thank you for telling us: written by hand, before anything is known."),
    "progress": ("Progress", "Engineers are on it: written by hand."),
    "fixed": ("Fixed", "The fix has shipped. The only one that can go out by itself."),
    "outcome": ("Not planned", "Closed as not planned. Laid ready, and said only when an approver signs it."),
    "outcome_cannot_reproduce": ("Cannot reproduce", "Nobody could make it happen. Said only when signed."),
    "outcome_by_design": ("By design", "It is meant to be so. Said only when signed."),
    "outcome_workaround": ("Workaround", "It stays, and there is a way around it. Said only when signed."),
    "correction": ("Correction", "We said 'fixed', and it was not. Laid ready, and said only when signed."),
}
SAMPLE = wording.Context(
    customer="Ana",
    product="Acme",
    version="v2.4.1",
    release_url="https://acme.example/releases/v2.4.1",
    link="https://acme.example/help",
)
"""What the example is made with; a customer who has no name, or a release that has none, leaves its words out."""

Language = Annotated[str, Query(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]


@router.get("")
async def show(visit: Anyone, kind: TemplateKind = "fixed", language: Language = "en", did: str = "") -> Response:
    """One text: the words, who wrote them, and an example."""
    return await _page(visit, kind, language, NO_DRAFT, did=did)


async def _page(
    visit: Visit, kind: TemplateKind, language: str, draft: Draft, *, did: str = "", status: int = 200
) -> Response:
    async with visit.river.db.read() as session:
        rows = await templates.own(session)
    own = {(row.kind, row.language): row for row in rows if row.scope == templates.EVERY_ACCOUNT}
    row = own.get((kind, language))
    shipped = texts.TEXTS[kind].get(language, "")
    text = row.text if row is not None else shipped
    return visit.draw(
        "texts.html",
        status=status,
        kinds=KINDS,
        kind=kind,
        languages=_languages(rows, language),
        language=language,
        own={name for name, tag in own if tag == language},
        row=row,
        shipped=shipped,
        text=draft.value("text", "text", text),
        example=wording.render(text, SAMPLE, language=language) if text else "",
        names=wording.NAMES,
        longest=wording.LONGEST_TEMPLATE,
        accounts=sum(one.scope != templates.EVERY_ACCOUNT and one.kind == kind for one in rows),
        draft=draft,
        did=did if did in {"saved", "back"} else "",
    )


def _languages(rows: Sequence[Template], present: str) -> dict[str, str]:
    """The six that come along, and whichever the operator has written in."""
    others = sorted({row.language for row in rows} | {present})
    return {**texts.LANGUAGES, **{tag: tag for tag in others if tag not in texts.LANGUAGES}}


def _which(sent: Sent) -> tuple[TemplateKind, str]:
    kind, language = sent.text("kind"), sent.text("language")
    for one in get_args(TemplateKind):
        if one == kind and language and len(language) <= 35:
            return one, language
    raise NotFoundError("there is no such text")


@router.post("")
async def write(sent: FromApprover) -> Response:
    """Put one's own words in the place of ours, for every account. What cannot be used is said at the field."""
    visit = sent.visit
    kind, language = _which(sent)
    try:
        wording.check_template(sent.text("text"))
    except wording.TemplateError as error:
        draft = Draft(form="text", values=sent.form, wrong={"text": sentence(error.message)})
        return await _page(visit, kind, language, draft, status=422)
    async with visit.river.db.begin() as session:
        await templates.put(
            session,
            scope=templates.EVERY_ACCOUNT,
            kind=kind,
            language=language,
            text=sent.text("text"),
            by=visit.name,
            now=visit.now,
        )
        await issues.want_pulls(session)
    return visit.onwards("/texts", kind=kind, language=language, did="saved")


@router.post("/back")
async def back(sent: FromApprover) -> Response:
    """Go back to the text that came along."""
    kind, language = _which(sent)
    async with sent.visit.river.db.begin() as session:
        await templates.remove(session, scope=templates.EVERY_ACCOUNT, kind=kind, language=language)
        await issues.want_pulls(session)
    return sent.visit.onwards("/texts", kind=kind, language=language, did="back")

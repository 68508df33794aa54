"""Templates: the operator's own texts, and the shipped ones behind them."""

from __future__ import annotations

from fastapi import APIRouter

from app.api import shapes
from app.api.access import Anyone, Approval, RiverDep
from app.api.problems import ProblemError
from app.rules import texts, wording
from app.rules.facts import TemplateKind
from app.store import accounts, issues, templates
from app.store.tables import Account, Template

router = APIRouter(prefix="/templates", tags=["templates"])


def _own(row: Template, kind: TemplateKind) -> shapes.TemplateOut:
    return shapes.TemplateOut(
        kind=kind,
        account_id=row.scope or None,
        language=row.language,
        text=row.text,
        shipped=False,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )


@router.get("/{kind}")
async def show_templates(river: RiverDep, _caller: Anyone, kind: TemplateKind) -> shapes.TemplateList:
    """Every text of a kind, the operator's own first."""
    async with river.db.read() as session:
        own = await templates.own(session, kind=kind)
    shipped = [
        shapes.TemplateOut(
            kind=kind, account_id=None, language=language, text=text, shipped=True, changed_at=None, changed_by=""
        )
        for language, text in texts.TEXTS[kind].items()
    ]
    return shapes.TemplateList(items=[*(_own(row, kind) for row in own), *shipped], variables=list(wording.NAMES))


@router.put("/{kind}")
async def write_a_template(
    river: RiverDep, caller: Approval, kind: TemplateKind, body: shapes.TemplateIn
) -> shapes.TemplateOut:
    """Write a text for one language, of one account or of all. What it may not contain is told, and nothing changes."""
    wording.check_template(body.text)
    async with river.db.begin() as session:
        if body.account_id is not None and await accounts.get(session, Account, body.account_id) is None:
            raise ProblemError(422, f"there is no account {body.account_id}", pointer="/account_id")
        row = await templates.put(
            session,
            scope=body.account_id or templates.EVERY_ACCOUNT,
            kind=kind,
            language=body.language,
            text=body.text,
            by=caller.name,
            now=river.now(),
        )
        await issues.want_pulls(session)
        return _own(row, kind)

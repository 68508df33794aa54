"""People: who may come in and do what, and one's own password and sessions."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.steps import people
from app.store import members
from app.web import access
from app.web.forms import NO_DRAFT, Draft
from app.web.visit import Anyone, FromAdmin, FromAnyone, Number, PageRoute, Visit

router = APIRouter(prefix="/people", include_in_schema=False, route_class=PageRoute)

WHAT_ROLES_DO: tuple[tuple[people.Role, str], ...] = (
    ("triager", "reads posts, tags and links them, writes replies"),
    ("engineer", "says which issues are not for customers yet"),
    ("approver", "does all of that, and decides what is said"),
    ("admin", "does everything, and changes connections and people"),
)


@router.get("")
async def show_all(visit: Anyone) -> Response:
    """Everybody, and who was invited."""
    return await _page(visit)


async def _page(
    visit: Visit, draft: Draft = NO_DRAFT, *, link: str = "", link_for: str = "", status: int = 200
) -> Response:
    async with visit.river.db.read() as session:
        everybody = await members.members(session)
        links = await members.living(session, "link", now=visit.now) if visit.may("admin") else []
        sessions = await members.living(session, "session", now=visit.now) if visit.may("admin") else []
        tokens = await members.living(session, "api", now=visit.now) if visit.may("admin") else []
    open_sessions: dict[int, int] = {}
    for row in sessions:
        if row.member_id is not None:
            open_sessions[row.member_id] = open_sessions.get(row.member_id, 0) + 1
    return visit.draw(
        "people.html",
        status=status,
        everybody=everybody,
        names={member.id: member.name for member in everybody},
        links=links,
        tokens=tokens,
        open_sessions=open_sessions,
        roles=WHAT_ROLES_DO,
        rights=access.ROLES_OF,
        link=link,
        link_for=link_for,
        lives=people.LINK_LIVES.days,
        draft=draft,
    )


@router.get("/me")
async def me(visit: Anyone) -> Response:
    """One's own password and sessions."""
    return await _me(visit)


async def _me(visit: Visit, draft: Draft = NO_DRAFT, *, did: str = "", status: int = 200) -> Response:
    async with visit.river.db.read() as session:
        sessions = await members.living(session, "session", now=visit.now, member_id=visit.member_id)
    return visit.draw(
        "me.html", status=status, sessions=sessions, draft=draft, did=did, min_password=people.MIN_PASSWORD
    )


@router.post("/me/password")
async def change_password(sent: FromAnyone) -> Response:
    """A new password of one's own; every other browser is signed out."""
    visit = sent.visit
    try:
        await people.change_password(
            visit.river,
            visit.member_id,
            old=sent.form.get("old", ""),
            new=sent.form.get("new", ""),
            session_id=visit.session_id,
        )
    except people.BadFieldError as error:
        return await _me(visit, Draft(form="password", wrong={error.field: error.message}), status=422)
    return await _me(visit, did="Your password is changed, and every other browser of yours is signed out.")


@router.post("/me/sessions/{token_id}/end")
async def end_session(sent: FromAnyone, token_id: Number) -> Response:
    """Sign one browser out."""
    await people.end_session(sent.visit.river, sent.visit.member_id, token_id)
    return sent.visit.onwards("/people/me")


@router.post("/me/sessions/end")
async def end_other_sessions(sent: FromAnyone) -> Response:
    """Sign every other browser out."""
    await people.end_sessions(sent.visit.river, sent.visit.member_id, but=sent.visit.session_id)
    return sent.visit.onwards("/people/me")


@router.post("/invite")
async def invite(sent: FromAdmin) -> Response:
    """Make a link for somebody new. It is shown in the answer to this form, and never again."""
    visit, name = sent.visit, sent.text("name")
    try:
        token = await people.invite(visit.river, name=name, role=people.role_of(sent.text("role")), actor=visit.name)
    except people.BadFieldError as error:
        draft = Draft(form="invite", values=sent.form, wrong={error.field: error.message})
        return await _page(visit, draft, status=422)
    return await _page(visit, link=_address(visit, token), link_for=name or "somebody new")


def _address(visit: Visit, token: str) -> str:
    return f"{visit.river.outside.base_url}/sign-in/{token}"


@router.post("/invitations/{token_id}/withdraw")
async def withdraw(sent: FromAdmin, token_id: Number) -> Response:
    """Let nobody in by a link that was given out."""
    await people.withdraw_invitation(sent.visit.river, token_id)
    return sent.visit.onwards("/people")


@router.post("/tokens/{token_id}/revoke")
async def revoke_token(sent: FromAdmin, token_id: Number) -> Response:
    """Let no script in by this token."""
    await people.revoke_api_token(sent.visit.river, token_id, actor=sent.visit.name)
    return sent.visit.onwards("/people")


@router.post("/{member_id}/role")
async def change_role(sent: FromAdmin, member_id: Number) -> Response:
    """Another role, at once."""
    try:
        role = people.role_of(sent.text("role"))
    except people.BadFieldError as error:
        return await _page(sent.visit, Draft(form="role", wrong={"role": error.message}), status=422)
    await people.change_role(sent.visit.river, member_id, role=role, actor=sent.visit.name)
    return sent.visit.onwards("/people")


@router.post("/{member_id}/disable")
async def disable(sent: FromAdmin, member_id: Number) -> Response:
    """Let them in no more."""
    await people.disable(sent.visit.river, member_id, actor=sent.visit.name)
    return sent.visit.onwards("/people")


@router.post("/{member_id}/enable")
async def enable(sent: FromAdmin, member_id: Number) -> Response:
    """Let them in again."""
    await people.enable(sent.visit.river, member_id, actor=sent.visit.name)
    return sent.visit.onwards("/people")


@router.post("/{member_id}/sign-out")
async def sign_out(sent: FromAdmin, member_id: Number) -> Response:
    """End every session of theirs."""
    await people.end_sessions(sent.visit.river, member_id)
    return sent.visit.onwards("/people")


@router.post("/{member_id}/link")
async def new_password_link(sent: FromAdmin, member_id: Number) -> Response:
    """A link to choose a new password; shown in the answer to this form, and never again."""
    visit = sent.visit
    token = await people.new_password_link(visit.river, member_id, actor=visit.name)
    return await _page(visit, link=_address(visit, token), link_for="a new password")

"""Who may do what: bearer tokens with roles, and what every endpoint is handed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.api.problems import ProblemError
from app.steps.river import River
from app.store import members

Role = Literal["triager", "engineer", "approver", "admin"]
ROLES: tuple[Role, ...] = ("triager", "engineer", "approver", "admin")

_bearer = HTTPBearer(auto_error=False, description="A token made by `fullcircle token create --name N --role R`.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a token's name, role and id."""

    name: str
    role: Role
    token_id: int


async def river_of(request: Request) -> River:
    """The process's river, put there by the composition root. (What is not `async` would be run in a thread.)"""
    river: River = request.app.state.river
    return river


RiverDep = Annotated[River, Depends(river_of)]


async def caller(
    river: RiverDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """The caller, or 401."""
    if credentials is None:
        raise ProblemError(
            401, "send the header 'Authorization: Bearer <token>'", headers={"WWW-Authenticate": "Bearer"}
        )
    now = river.now()
    async with river.db.read() as session:
        token = await members.find_token(session, credentials.credentials, kind="api", now=now)
    if token is None:
        raise ProblemError(
            401,
            "this token is unknown, revoked or expired",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    if token.used_at is None or now - token.used_at > timedelta(minutes=5):
        async with river.db.begin() as session:
            await members.mark_used(session, token.id, now=now)
    return Caller(token.name, token.role, token.id)  # type: ignore[arg-type]


def allow(*roles: Role) -> Callable[..., Awaitable[Caller]]:
    """A dependency that lets these roles in, and admins always."""

    async def check(found: Annotated[Caller, Depends(caller)]) -> Caller:
        if found.role != "admin" and found.role not in roles:
            wanted = " or ".join((*roles, "admin"))
            raise ProblemError(403, f"this needs the role {wanted}; the token {found.name!r} is of a {found.role}")
        return found

    return check


Anyone = Annotated[Caller, Depends(allow("triager", "engineer", "approver"))]
Triage = Annotated[Caller, Depends(allow("triager", "approver"))]
Engineering = Annotated[Caller, Depends(allow("engineer", "approver"))]
Approval = Annotated[Caller, Depends(allow("approver"))]
Admin = Annotated[Caller, Depends(allow())]
Notes = Annotated[Caller, Depends(allow("triager", "engineer", "approver"))]

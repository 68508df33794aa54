"""Posts: what customers said."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.api import paging, shapes, views
from app.api.access import Anyone, RiverDep, Triage
from app.api.problems import ProblemError
from app.api.values import HIGHEST_ID, PathId, RowId, Text, keepable
from app.steps import link, triage
from app.steps.river import River
from app.store import posts

router = APIRouter(prefix="/posts", tags=["posts"])


class Suggestions(BaseModel):
    """Issues a post may be about, the likeliest first."""

    items: list[shapes.Suggestion]


@router.get("")
async def list_posts(
    river: RiverDep,
    _caller: Anyone,
    state: Literal["new", "tagged", "dismissed"] | None = None,
    account: Annotated[int | None, Query(ge=1, le=HIGHEST_ID, description="Of this account only.")] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="Words in the text or the handle."), AfterValidator(keepable)
    ] = None,
    limit: paging.Limit = 50,
    cursor: paging.Cursor = None,
) -> paging.Page[shapes.PostOut]:
    """Posts, newest first."""
    async with river.db.read() as session:
        rows = await posts.page(
            session, state=state, account_id=account, q=q, before=paging.read(cursor), limit=limit + 1
        )
    shown, more = paging.cut(rows, limit)
    return paging.Page(items=[views.post(*row) for row in shown], next=paging.write(shown[-1][0].id) if more else None)


class PostByAddress(BaseModel):
    """The public address of a post on a connected account's network."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"account_id": 1, "url": "https://mastodon.example/@ana/109000000000000001"}]},
        extra="forbid",
    )
    account_id: RowId
    url: Text = Field(min_length=1, max_length=2000)


@router.post("", status_code=201)
async def take_in_by_address(river: RiverDep, _caller: Triage, body: PostByAddress) -> shapes.PostOut:
    """Take in one post by its address, through the account's own network and no other host."""
    return await _post(river, await triage.take_in_by_address(river, body.account_id, body.url))


@router.get("/{post_id}")
async def show_a_post(river: RiverDep, _caller: Anyone, post_id: PathId) -> shapes.PostOut:
    """One post, with who wrote it and what became of it."""
    return await _post(river, post_id)


async def _post(river: River, post_id: int) -> shapes.PostOut:
    async with river.db.read() as session:
        found = await posts.with_identity(session, post_id)
    if found is None:
        raise ProblemError(404, f"there is no post {post_id}")
    return views.post(*found)


@router.post("/{post_id}/dismiss")
async def dismiss(river: RiverDep, caller: Triage, post_id: PathId) -> shapes.PostOut:
    """Not a product issue: away from triage."""
    await triage.dismiss(river, post_id, actor=caller.name)
    return await _post(river, post_id)


@router.post("/{post_id}/restore")
async def restore(river: RiverDep, caller: Triage, post_id: PathId) -> shapes.PostOut:
    """Back to triage, as if it had never been dismissed."""
    await triage.restore(river, post_id, actor=caller.name)
    return await _post(river, post_id)


@router.get("/{post_id}/suggestions")
async def suggestions(river: RiverDep, _caller: Anyone, post_id: PathId) -> Suggestions:
    """Issues this post may be about."""
    async with river.db.read() as session:
        found = await posts.with_identity(session, post_id)
        if found is None:
            raise ProblemError(404, f"there is no post {post_id}")
        likely = await link.suggest(session, found[0])
    return Suggestions(
        items=[
            shapes.Suggestion(
                issue=views.issue_brief(issue),
                score=match.score,
                why=f"{match.why} · {waiting} waiting" if waiting else match.why,
            )
            for issue, match, waiting in likely
        ]
    )

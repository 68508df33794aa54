"""Posts: what customers said."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from app.api import paging, shapes, views
from app.api.access import Anyone, RiverDep, Triage
from app.api.problems import ProblemError
from app.api.values import HIGHEST_ID, PathId, RowId, Text, keepable
from app.rules.addresses import web_address
from app.steps import by_address, link, triage
from app.steps.hear_answer import hear_next
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
    state: Literal["new", "tagged", "dismissed", "context"] | None = None,
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
    return paging.page(rows, limit, show=lambda row: views.post(*row), position=lambda row: row[0].id)


class NewPost(BaseModel):
    """A post by its public address: read through a connected account, or, with `text` and `author`, as it is typed here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"url": "https://mastodon.example/@ana/109000000000000001"},
                {
                    "channel": "reddit",
                    "url": "https://www.reddit.com/r/acme/comments/1abcd/",
                    "text": "Export hangs at 99 %",
                    "author": "u/ana",
                },
            ]
        },
        extra="forbid",
    )
    url: Text = Field(min_length=1, max_length=2000)
    account_id: RowId | None = Field(
        None, description="The account to read it through, or that a typed post belongs to; without, it is found out."
    )
    channel: Text | None = Field(
        None, min_length=1, max_length=50, description="Where a typed post was said, in a free word: reddit, forum …"
    )
    text: Text | None = Field(None, min_length=1, max_length=20_000, description="What a typed post says.")
    author: Text | None = Field(None, min_length=1, max_length=200, description="Who wrote a typed post: their handle.")
    said_at: AwareDatetime | None = Field(None, description="When a typed post was said; without, now.")

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        typed = (self.channel, self.text, self.author, self.said_at)
        if any(part is not None for part in typed):
            web_address(self.url)
            if not (self.text and self.text.strip()) or not (self.author and self.author.strip()):
                raise ValueError("a post that is taken in by hand needs its `text` and its `author`")
            if (self.channel is None) == (self.account_id is None):
                raise ValueError("say where it was said: either `channel`, a free word, or `account_id`")
        return self


@router.post("", status_code=201)
async def take_in_a_post(river: RiverDep, _caller: Triage, body: NewPost) -> shapes.PostOut:
    """Take in one post: by its address through a connected account's own network and no other host, or by hand.

    What was said around it comes along in the state `context`. By hand, with `text` and `author`, nothing is asked of
    any host, and its replies become tasks that a person posts.
    """
    if body.text is None or body.author is None:
        post_id = await by_address.take_in_by_address(river, body.url, account_id=body.account_id)
    else:
        post_id = await by_address.take_in_by_hand(
            river,
            url=body.url,
            text=body.text,
            author=body.author,
            place=body.channel or "",
            account_id=body.account_id,
            said_at=body.said_at,
        )
    while await hear_next(river):
        pass
    return await _post(river, post_id)


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

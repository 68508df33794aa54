"""The board: engineers close issues, publish releases, and read who waits."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import get_args

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.staging import Board, Closing, Standing
from app.web.rehearsal.door import Door, Number, SceneName
from app.web.rehearsal.forms import Draft, read_issue, read_release
from app.web.rehearsal.views import issue_views, next_label, release_views


def add_board(router: APIRouter, door: Door) -> None:
    """The board and its forms."""

    @router.get("/{scene}/board")
    async def board(scene: SceneName) -> HTMLResponse:
        await door.enter(scene)
        return await _board_page(door, scene, Draft())

    @router.post("/{scene}/board/issues", response_model=None)
    async def open_issue(request: Request, scene: SceneName) -> Response:
        form = await door.submitted(request, scene)
        board = Board(door.stage, scene)
        title, body, wrong = read_issue(form, held=len(await board.issues.all()))
        if wrong:
            return await _board_page(door, scene, Draft(form="issue", values=form, wrong=wrong))
        key = await board.open_issue(title=title, body=body, now=door.now())
        return door.onwards(f"{scene}/board#issue-{key}")

    @router.post("/{scene}/board/issues/{number}/close")
    async def close(request: Request, scene: SceneName, number: Number) -> RedirectResponse:
        outcome = _closing((await door.submitted(request, scene)).get("outcome", ""))
        await _done(Board(door.stage, scene).close(number, outcome=outcome, now=door.now()))
        return door.onwards(f"{scene}/board#issue-{number}")

    @router.post("/{scene}/board/issues/{number}/reopen")
    async def reopen(request: Request, scene: SceneName, number: Number) -> RedirectResponse:
        await door.submitted(request, scene)
        await _done(Board(door.stage, scene).reopen(number, now=door.now()))
        return door.onwards(f"{scene}/board#issue-{number}")

    @router.post("/{scene}/board/blocks/{number}/remove")
    async def remove_block(request: Request, scene: SceneName, number: Number) -> RedirectResponse:
        await door.submitted(request, scene)
        await _done(Board(door.stage, scene).remove_block(number))
        return door.onwards(f"{scene}/board")

    @router.post("/{scene}/board/releases", response_model=None)
    async def publish(request: Request, scene: SceneName) -> Response:
        form = await door.submitted(request, scene)
        board = Board(door.stage, scene)
        label, wrong = read_release(form, await board.releases.all())
        if wrong:
            return await _board_page(door, scene, Draft(form="release", values=form, wrong=wrong))
        key = await board.release(label, standing=_standing(form.get("standing", "published")), now=door.now())
        return door.onwards(f"{scene}/board#release-{key}")

    @router.post("/{scene}/board/releases/{number}/standing")
    async def set_standing(request: Request, scene: SceneName, number: Number) -> RedirectResponse:
        standing = _standing((await door.submitted(request, scene)).get("standing", ""))
        await _done(Board(door.stage, scene).set_standing(number, standing, now=door.now()))
        return door.onwards(f"{scene}/board#release-{number}")

    @router.post("/{scene}/board/releases/{number}/delete")
    async def delete_release(request: Request, scene: SceneName, number: Number) -> RedirectResponse:
        await door.submitted(request, scene)
        await _done(Board(door.stage, scene).delete_release(number, now=door.now()))
        return door.onwards(f"{scene}/board")


async def _board_page(door: Door, scene: str, draft: Draft) -> HTMLResponse:
    board = Board(door.stage, scene)
    issues, releases = await issue_views(board), await release_views(board)
    closed = [view for view in issues if view.issue.state == "closed"]
    return door.draw(
        "board.html",
        status=400 if draft.wrong else 200,
        scene=scene,
        columns=(
            ("open", "Open", [view for view in issues if view.issue.state == "open"]),
            ("closed", "Closed", [view for view in closed if not view.released_in]),
            ("released", "Released", [view for view in closed if view.released_in]),
        ),
        releases=releases,
        next_label=next_label(releases),
        draft=draft,
    )


async def _done(change: Awaitable[None]) -> None:
    """Makes a change on the board; 404 where what it changes is not there."""
    try:
        await change
    except KeyError as error:
        raise HTTPException(404, "That is not on the board any more.") from error


def _closing(text: str) -> Closing:
    for closing in get_args(Closing):
        if text == closing:
            chosen: Closing = closing
            return chosen
    raise HTTPException(400, "Close an issue as completed, as not planned or as a duplicate.")


def _standing(text: str) -> Standing:
    for standing in get_args(Standing):
        if text == standing:
            chosen: Standing = standing
            return chosen
    raise HTTPException(400, "A release is published, a prerelease or a draft.")

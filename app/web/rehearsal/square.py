"""The square: customers complain, read the brand's replies and answer them."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.staging import HANDLE, Square
from app.web.rehearsal.door import Door, Number, SceneName
from app.web.rehearsal.forms import Draft, read_post
from app.web.rehearsal.views import threads_of

NEWEST = 60
"""Threads on the square; older ones keep their own page."""


def add_square(router: APIRouter, door: Door) -> None:
    """The square, each post's own page, and the forms on both."""

    @router.get("/{scene}")
    async def square(scene: SceneName, me: str = "") -> HTMLResponse:
        await door.enter(scene)
        return await _square_page(door, scene, Draft(), me=me if re.fullmatch(HANDLE, me) else "")

    @router.post("/{scene}", response_model=None)
    async def complain(request: Request, scene: SceneName) -> Response:
        form = await door.submitted(request, scene)
        network = Square(door.stage, scene)
        post, wrong = read_post(form, await network.posts.all(), now=door.now())
        if post is None:
            return await _square_page(door, scene, Draft(form="complain", values=form, wrong=wrong))
        key = await network.say(post)
        return door.onwards(f"{scene}?{urlencode({'me': post.handle})}#post-{key}")

    @router.get("/{scene}/posts/{number}")
    async def permalink(scene: SceneName, number: Number) -> HTMLResponse:
        await door.enter(scene)
        return await _thread_page(door, scene, number, Draft())

    @router.post("/{scene}/posts/{number}/answer", response_model=None)
    async def answer(request: Request, scene: SceneName, number: Number) -> Response:
        form = await door.submitted(request, scene)
        network = Square(door.stage, scene)
        posts = await network.posts.all()
        parent = dict(posts).get(number)
        if parent is None or parent.deleted:
            raise HTTPException(404, "The post you answer is not on the square any more.")
        on_thread = form.get("from") == "thread"
        post, wrong = read_post(form, posts, now=door.now(), parent=(number, parent))
        if post is None:
            draft = Draft(form=f"answer-{number}", values=form, wrong=wrong)
            if on_thread:
                return await _thread_page(door, scene, number, draft)
            return await _square_page(door, scene, draft)
        key = await network.say(post)
        return door.onwards(f"{scene}/posts/{key}#post-{key}" if on_thread else f"{scene}#post-{key}")

    @router.post("/{scene}/posts/{number}/delete")
    async def delete(request: Request, scene: SceneName, number: Number) -> RedirectResponse:
        await door.submitted(request, scene)
        network = Square(door.stage, scene)
        post = await network.posts.get(number)
        if post is None or post.brand:
            raise HTTPException(404, "There is no such post of a customer on the square.")
        await network.delete(number)
        return door.onwards(scene)


async def _square_page(door: Door, scene: str, draft: Draft, *, me: str = "") -> HTMLResponse:
    threads = threads_of(await Square(door.stage, scene).posts.all())
    return door.draw(
        "square.html",
        status=400 if draft.wrong else 200,
        scene=scene,
        threads=threads[:NEWEST],
        older=max(len(threads) - NEWEST, 0),
        draft=draft,
        me=me,
    )


async def _thread_page(door: Door, scene: str, number: int, draft: Draft) -> HTMLResponse:
    status = 400 if draft.wrong else 200
    for thread in threads_of(await Square(door.stage, scene).posts.all()):
        for post in thread.posts:
            if post.id == number and not post.deleted:
                return door.draw("thread.html", status=status, scene=scene, thread=thread, here=post, draft=draft)
    raise HTTPException(404, "This post is not on the square, or its author deleted it.")

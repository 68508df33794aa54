"""What the rehearsal pages show, made of the stage's documents: threads, issues and releases."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.staging import Board, StagedIssue, StagedPost, StagedRelease


@dataclass(frozen=True, kw_only=True)
class PostView:
    """A post as the square shows it.

    `answers` is whom it answers, where that is not the post just above. `asker` is who was answered
    by this reply of the brand, and so is expected to say whether it works.
    """

    id: int
    handle: str
    name: str
    text: str
    at: datetime
    language: str | None
    brand: bool
    deleted: bool
    private: bool
    answers: str
    asker: str


@dataclass(frozen=True, kw_only=True)
class ThreadView:
    """A thread, its posts in the order in which they were written."""

    root: int
    posts: tuple[PostView, ...]

    @property
    def is_empty(self) -> bool:
        """Whether everything in it was deleted."""
        return all(post.deleted for post in self.posts)


@dataclass(frozen=True, kw_only=True)
class IssueView:
    """An issue with what engineers were told on it. `released_in` is the first public release that holds its fix."""

    id: int
    issue: StagedIssue
    block: tuple[int, str] | None
    block_removed: bool
    comments: tuple[tuple[datetime, str], ...]
    released_in: str


@dataclass(frozen=True, kw_only=True)
class ReleaseView:
    """A release, and the issues whose present fix it holds."""

    id: int
    release: StagedRelease
    holds: tuple[int, ...]


def threads_of(posts: Sequence[tuple[int, StagedPost]]) -> list[ThreadView]:
    """Threads, the one with the newest post first."""
    known = dict(posts)
    roots: dict[int, int] = {}
    members: dict[int, list[int]] = defaultdict(list)
    for key, post in posts:
        parent = post.in_reply_to
        # A parent always comes before its answers, so its root is known by now.
        roots[key] = roots.get(parent, key) if parent is not None else key
        members[roots[key]].append(key)
    threads = [
        ThreadView(
            root=root, posts=tuple(_post_view(key, known, above) for above, key in zip([0, *keys], keys, strict=False))
        )
        for root, keys in members.items()
    ]
    return sorted((t for t in threads if not t.is_empty), key=lambda thread: thread.posts[-1].id, reverse=True)


def _post_view(key: int, known: dict[int, StagedPost], above: int) -> PostView:
    post = known[key]
    parent = known.get(post.in_reply_to) if post.in_reply_to is not None else None
    return PostView(
        id=key,
        handle=post.handle,
        name=post.name,
        text=post.text,
        at=post.at,
        language=post.language,
        brand=post.brand,
        deleted=post.deleted,
        private=post.visibility == "private",
        answers=parent.handle if parent is not None and post.in_reply_to != above else "",
        asker=parent.handle if parent is not None and post.brand else "",
    )


async def issue_views(board: Board) -> list[IssueView]:
    """Every issue that is not deleted, the newest first."""
    blocks = {block.issue: (key, block) for key, block in await board.blocks.all()}
    comments: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for _, comment in await board.comments.all():
        comments[comment.issue].append((comment.at, _as_shown(comment.text)))
    public = [release for _, release in await board.releases.all() if release.is_public]
    views = []
    for key, issue in await board.issues.all():
        if issue.deleted:
            continue
        shown = blocks.get(key)
        views.append(
            IssueView(
                id=key,
                issue=replace(issue, body=_as_shown(issue.body)),
                block=(shown[0], _as_shown(shown[1].text)) if shown and not shown[1].removed else None,
                block_removed=bool(shown and shown[1].removed),
                comments=tuple(comments[key]),
                released_in=_first_holding(public, issue),
            )
        )
    return views[::-1]


def _as_shown(text: str) -> str:
    """Markdown as a person may see it: what is in an HTML comment is for machines, and no tracker shows it."""
    return re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL).strip()


def _first_holding(releases: Iterable[StagedRelease], issue: StagedIssue) -> str:
    holding = [release for release in releases if release.published_at is not None and release.holds(issue)]
    return min(holding, key=lambda r: (r.published_at, r.label)).label if holding else ""


async def release_views(board: Board) -> list[ReleaseView]:
    """Every release that is not deleted, the newest first."""
    issues = [(key, issue) for key, issue in await board.issues.all() if not issue.deleted]
    views = [
        ReleaseView(id=key, release=release, holds=tuple(k for k, issue in issues if release.holds(issue)))
        for key, release in await board.releases.all()
        if not release.deleted
    ]
    return views[::-1]


def next_label(releases: Sequence[ReleaseView]) -> str:
    """A label to offer for the next release: the newest one's with its last number counted up."""
    if not releases:
        return "v1.0.1"
    newest = releases[0].release.label
    counted = re.fullmatch(r"(.*?)(\d{1,9})", newest)
    return f"{counted[1]}{int(counted[2]) + 1}" if counted else f"{newest}-2"

"""What people write into the rehearsal pages' forms: read within bounds, and checked field by field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request

from app.rules.characters import graphemes, one_line, tidy
from app.rules.texts import LANGUAGES
from app.staging import HANDLE, MAX_CHARS, StagedPost, StagedRelease

MAX_FORM_BYTES = 64 * 1024
MAX_TITLE, MAX_BODY, MAX_LABEL, MAX_NAME = 200, 5_000, 40, 40

MAX_POSTS, MAX_ISSUES, MAX_RELEASES = 2_000, 500, 500
"""What one scene holds: anybody who reaches these pages can write to them."""

LABEL = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+/-]*")

SHORT_ANSWERS: Mapping[str, tuple[str, str]] = {
    "en": ("It works now, thank you!", "It is still broken."),
    "de": ("Es funktioniert jetzt, danke!", "Es geht immer noch nicht."),
    "fr": ("Ça marche maintenant, merci !", "Ça ne marche toujours pas."),
    "es": ("Ya funciona, ¡gracias!", "Sigue sin funcionar."),
    "pt": ("Agora funciona, obrigado!", "Ainda não funciona."),
    "ja": ("直りました。ありがとうございます!", "まだ直っていません。"),
}
"""What a customer usually answers to 'does it work now?', one press each."""

Form = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A form as it was sent, kept when it cannot be taken: what was typed, and what is wrong with which field."""

    form: str = ""
    values: Form = field(default_factory=dict)
    wrong: Form = field(default_factory=dict)

    def value(self, form: str, name: str, otherwise: str = "") -> str:
        """What stands in a field of that form."""
        return self.values.get(name, otherwise) if form == self.form else otherwise

    def error(self, form: str, name: str) -> str:
        """What is wrong with a field of that form, for the person who filled it in."""
        return self.wrong.get(name, "") if form == self.form else ""


async def read_form(request: Request) -> Form:
    """The fields of a form, the first of each name. 413 where it is larger than any honest one, 415 where it is none."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise HTTPException(415, "This is not what a form on these pages sends.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, f"That is more than the {MAX_FORM_BYTES // 1024} KB that a form here may hold.")
    try:
        pairs = parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=50)
    except ValueError as error:
        raise HTTPException(400, "This form has more fields than any on these pages.") from error
    return dict(reversed(pairs))


def read_post(
    form: Form,
    posts: Iterable[tuple[int, StagedPost]],
    *,
    now: datetime,
    parent: tuple[int, StagedPost] | None = None,
) -> tuple[StagedPost | None, Form]:
    """A customer's post, or what is wrong with which field. `say` is a short answer that was pressed instead of typed."""
    wrong: dict[str, str] = {}
    known = list(posts)
    handle = one_line(form.get("handle", "")).removeprefix("@").lower()
    if not handle:
        wrong["handle"] = "Who is speaking? For instance ana."
    elif not re.fullmatch(HANDLE, handle):
        wrong["handle"] = (
            "Up to 30 small letters, digits, dots, hyphens or underscores, starting with a letter or digit."
        )
    elif any(post.brand and post.handle == handle for _, post in known):
        wrong["handle"] = f"@{handle} is the company here; complain under another name."
    name = one_line(form.get("name", ""))
    if graphemes(name) > MAX_NAME:
        wrong["name"] = f"At most {MAX_NAME} characters."
    text = tidy(form.get("say") or form.get("text", ""))
    if not one_line(text):  # nothing that a reader would see
        wrong["text"] = "Write a few words."
    elif (length := graphemes(text)) > MAX_CHARS:
        wrong["text"] = f"{length} characters; this network takes {MAX_CHARS}."
    elif len(known) >= MAX_POSTS:
        wrong["text"] = f"This square is full: it holds {MAX_POSTS} posts. Use another scene."
    language = form.get("language") or (parent[1].language if parent else None)
    if language is not None and language not in LANGUAGES:
        wrong["language"] = "Choose one of the languages in the list."
    if wrong:
        return None, wrong
    before = next((post for _, post in reversed(known) if post.handle == handle and not post.deleted), None)
    post = StagedPost(
        handle=handle,
        name=name or (before.name if before else ""),
        text=text,
        at=now,
        language=language,
        in_reply_to=parent[0] if parent else None,
    )
    return post, {}


def read_issue(form: Form, *, held: int) -> tuple[str, str, Form]:
    """Title and body of a new issue, and what is wrong with which field. `held` is how many the board holds."""
    wrong: dict[str, str] = {}
    title, body = one_line(form.get("title", "")), tidy(form.get("body", ""))
    if not title:
        wrong["title"] = "What is it about?"
    elif graphemes(title) > MAX_TITLE:
        wrong["title"] = f"At most {MAX_TITLE} characters."
    elif held >= MAX_ISSUES:
        wrong["title"] = f"This board is full: it holds {MAX_ISSUES} issues. Use another scene."
    if graphemes(body) > MAX_BODY:
        wrong["body"] = f"At most {MAX_BODY} characters."
    return title, body, wrong


def read_release(form: Form, releases: Iterable[tuple[int, StagedRelease]]) -> tuple[str, Form]:
    """The label of a new release, and what is wrong with it."""
    known = list(releases)
    label = one_line(form.get("label", ""))
    if not label:
        wrong = "What is it called? For instance v1.0.1."
    elif len(label) > MAX_LABEL or not LABEL.fullmatch(label):
        wrong = f"Up to {MAX_LABEL} letters, digits and . _ + - / only, as in a tag."
    elif any(release.label == label and not release.deleted for _, release in known):
        wrong = f"There is a release {label} already."
    elif len(known) >= MAX_RELEASES:
        wrong = f"This board is full: it holds {MAX_RELEASES} releases. Use another scene."
    else:
        return label, {}
    return label, {"label": wrong}

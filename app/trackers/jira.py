"""Jira: Cloud over REST v3 (an e-mail address with an API token), Data Center over REST v2 (a personal access token).

A fix counts as shipped when the versions that people set on its issue are released: Jira knows no
code. An issue is known by its numeric id, which it keeps when it moves to another project.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qs, quote

import httpx
from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from app.http import ask, json_of, retry_at, web_url
from app.ports import (
    BadSignatureError,
    Choice,
    Connection,
    Hook,
    IssuePage,
    Kind,
    OutsideError,
    Project,
    RegularExpression,
    ReleasedPlatforms,
    Tracker,
)
from app.rules.facts import (
    IssueFacts,
    IssueReading,
    IssueState,
    Outcome,
    OutcomeReason,
    ShippedWhen,
    Version,
    VersionsNeeded,
)
from app.rules.shipping import LOOKS_LIKE_A_VERSION

Edition = Literal["cloud", "data_center"]

PAGE = 100
MAX_PAGES = 200
"""20,000 issues or comments of one list; whoever answers with more is asked no further."""
VERSIONS_AT_ONCE = 50
OVERLAP = timedelta(minutes=2)
"""The search index of Jira runs a little behind its issues."""
CLOCK_SKEW = timedelta(days=1)

PROPERTY = "fullcircle"
"""The entity property on issues and comments of ours that says which one it is."""
WAITING_PROPERTY = "fullcircle.waiting"

MAX_TEXT = 32_000
"""Jira takes 32,767 characters: https://confluence.atlassian.com/adminjiraserver/configuring-advanced-settings-938847153.html"""
MAX_TITLE = 255
MAX_SUMMARY = 1_000

READ_FIELDS = "summary,status,resolution,resolutiondate,statuscategorychangedate,fixVersions,issuelinks,project,updated"

NEEDED: Mapping[str, str] = {
    "BROWSE_PROJECTS": "Browse Projects",
    "CREATE_ISSUES": "Create Issues",
    "EDIT_ISSUES": "Edit Issues",
    "LINK_ISSUES": "Link Issues",
    "ADD_COMMENTS": "Add Comments",
}
"""What the account has to be allowed, by Jira's key and by the name that its screens show."""

WHERE_TO_GRANT: Mapping[Edition, str] = {
    "cloud": "a Jira admin grants it in Project settings > Permissions (in a team-managed project: "
    "Project settings > Access)",
    "data_center": "a Jira administrator grants it in Project settings > Permissions",
}

HOOK_EVENTS: Mapping[str, str] = {
    "jira:issue_created": "Issue created",
    "jira:issue_updated": "Issue updated",
    "jira:issue_deleted": "Issue deleted",
    "issuelink_created": "Issue link created",
    "issuelink_deleted": "Issue link deleted",
    "jira:version_released": "Version released",
    "jira:version_unreleased": "Version unreleased",
    "jira:version_updated": "Version updated",
    "jira:version_moved": "Version moved",
    "jira:version_deleted": "Version deleted",
}
"""What our webhook has to tell of, and how Jira's pages call it. A version merged into another one is deleted, too."""

HOOKS = "/rest/webhooks/1.0/webhook"
"""https://developer.atlassian.com/cloud/jira/platform/webhooks/#registering-a-webhook-using-the-jira-rest-api--other-integrations-"""
BY_HAND = "a Jira administrator can enter it by hand at Settings > System > WebHooks, as described here"

_KEY = r"[A-Z][A-Z0-9_]+"
_ISSUE_KEY = re.compile(rf"(?P<key>{_KEY}-[1-9]\d{{0,17}})", re.ASCII | re.IGNORECASE)
_ISSUE_ID = re.compile(r"[1-9]\d{0,17}", re.ASCII)
_MARKER = re.compile(r"<!-- fullcircle:([^\s<>]+) -->")


def _listed(*names: str) -> str:
    return ", ".join(names)


class JiraSettings(BaseModel):
    """What an admin enters to connect a project. Lists of names are written with commas; case does not matter."""

    base_url: str = Field(
        title="Site",
        description="Where your people open Jira, for instance https://acme.atlassian.net or https://jira.acme.com.",
        examples=["https://acme.atlassian.net"],
    )
    edition: Edition = Field(
        default="cloud",
        title="Edition",
        description="cloud: hosted by Atlassian, with e-mail and API token. data_center: your own server, with a "
        "personal access token.",
    )
    project: str = Field(title="Project key", description="As in ACME-12: ACME.", examples=["ACME"])
    issue_type: str = Field(
        default="Bug", title="Type of new issues", description="The issue type of issues made from Fullcircle."
    )
    code_tracker: str = Field(
        default="",
        title="Code",
        description="The connected repository that holds this project's code. Commits and pull requests that name an "
        "issue's key are then its proof, and its fix versions are not. Empty for none.",
        json_schema_extra={"offers": "code"},
    )
    shipped_when: ShippedWhen = Field(
        default="release",
        title="A fix has shipped when",
        description="release: the fix versions of the issue are released; with a code repository, a published release "
        "of that contains the fix. production: it runs in a production environment of the code repository. closed: "
        "the issue is resolved as fixed.",
    )
    versions: VersionsNeeded = Field(
        default="all",
        title="Of several fix versions",
        description="all: each of them has to be released. any: one is enough.",
    )
    tag_pattern: str = Field(
        default="*",
        title="Fix versions that count",
        description="Only fix versions whose name matches this pattern count, for instance 2.* or app-*.",
    )
    platforms: ReleasedPlatforms = ""
    public_label_pattern: RegularExpression = Field(
        default=LOOKS_LIKE_A_VERSION,
        title="Version names the public may read",
        description="A regular expression that a whole version name must match before a reply names it. Any other "
        "version is called 'the latest version'.",
    )
    settle_seconds: int = Field(
        default=1800,
        ge=0,
        title="Settle time",
        description="Seconds to wait after a release before customers are told, so that it can be taken back.",
    )
    fixed_resolutions: str = Field(
        default=_listed("Done", "Fixed"),
        title="Resolutions: fixed",
        description="Resolutions that mean fixed.",
        json_schema_extra={"names": True},
    )
    declined_resolutions: str = Field(
        default=_listed("Won't Do", "Won't Fix", "Declined", "Rejected"),
        title="Resolutions: declined",
        description="Resolutions that mean: this will not be done.",
        json_schema_extra={"names": True},
    )
    duplicate_resolutions: str = Field(
        default="Duplicate",
        title="Resolutions: duplicate",
        description="Resolutions that mean: another issue has it.",
        json_schema_extra={"names": True},
    )
    cannot_reproduce_resolutions: str = Field(
        default=_listed("Cannot Reproduce", "Incomplete"),
        title="Resolutions: cannot reproduce",
        description="Resolutions that mean: nobody could see the problem.",
        json_schema_extra={"names": True},
    )
    by_design_resolutions: str = Field(
        default=_listed("Works as Designed", "As Designed", "Not a Bug"),
        title="Resolutions: by design",
        description="Resolutions that mean: it is meant to be so.",
        json_schema_extra={"names": True},
    )
    workaround_resolutions: str = Field(
        default="Workaround",
        title="Resolutions: workaround",
        description="Resolutions that mean: it stays, and there is a way around it.",
        json_schema_extra={"names": True},
    )
    done_statuses: str = Field(
        default="",
        title="Statuses that mean fixed",
        description="For projects without resolutions: statuses of the category Done that mean fixed.",
        json_schema_extra={"names": True},
    )
    hook_secret_in_query: bool = Field(
        default=False,
        title="Take the secret in the webhook's address",
        description="Only for a Jira whose webhooks cannot sign: then ?secret=… in the webhook's address is believed.",
    )

    @field_validator("base_url")
    @classmethod
    def _is_a_site(cls, value: str) -> str:
        # What a browser's address has behind the site. A server of one's own may be at /jira itself.
        address = re.sub(r"(/jira)?/(software|core|servicedesk|your-work|dashboards)(/.*)?$", "", value.strip())
        address = re.sub(r"/(browse|projects|rest|secure|issues)(/.*)?$", "", address).rstrip("/")
        address = re.sub(r"(?<=\.atlassian\.net)/jira$", "", address)
        if not re.fullmatch(r"https?://[^/?#@\s]+(/[^?#@\s]*)?", address):
            message = "enter a web address such as https://acme.atlassian.net"
            raise ValueError(message)
        return address

    @field_validator("code_tracker", mode="before")
    @classmethod
    def _is_text(cls, value: object) -> object:
        number = "" if value is None else value
        return str(number) if isinstance(number, int) else number

    @field_validator("shipped_when")
    @classmethod
    def _has_code(cls, value: ShippedWhen, others: ValidationInfo) -> ShippedWhen:
        if value == "production" and not others.data.get("code_tracker", "?"):
            message = "production is known by code alone: choose the repository that holds it, too"
            raise ValueError(message)
        return value

    @field_validator("project")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        key = value.strip().upper()
        if not re.fullmatch(_KEY, key, re.ASCII):
            message = "enter the project's key, for instance ACME"
            raise ValueError(message)
        return key

    @field_validator(
        "fixed_resolutions",
        "declined_resolutions",
        "duplicate_resolutions",
        "cannot_reproduce_resolutions",
        "by_design_resolutions",
        "workaround_resolutions",
        "done_statuses",
        mode="before",
    )
    @classmethod
    def _is_a_list(cls, value: object) -> object:
        return _listed(*map(str, value)) if isinstance(value, (list, tuple)) else value


class JiraSecrets(BaseModel):
    """What proves us to Jira, and Jira's webhooks to us."""

    email: SecretStr | None = Field(
        default=None,
        title="E-mail",
        description="Cloud: the e-mail address of the account that the token is of. Data Center: leave it empty.",
        json_schema_extra={"upfront": True},
    )
    token: SecretStr = Field(
        title="Token", description="Cloud: an API token of that account. Data Center: a personal access token."
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        title="Webhook secret",
        description="The secret entered in Jira's webhook. Without one, changes are found by polling.",
    )


RESOLUTIONS: tuple[str, ...] = tuple(name for name in JiraSettings.model_fields if name.endswith("_resolutions"))


# What Jira's answers say


def parse_time(text: str) -> datetime:
    """Jira's time stamp, aware and in UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)


def id_of(thing: Mapping[str, Any]) -> str:
    """Jira's own number for a thing, as text: issues have it as text, remote links as a number."""
    number = str(thing["id"])
    if not _ISSUE_ID.fullmatch(number):
        raise ValueError(f"{number!r:.40} is no id")
    return number


def parse_version(version: Mapping[str, Any], *, page: str) -> Version:
    """A fix version. Whether it is released is a flag of its own: its date may be a plan."""
    day = version.get("releaseDate")
    return Version(
        remote_id=id_of(version),
        label=str(version["name"]),
        url=f"{page}/versions/{id_of(version)}",
        released=version["released"] is True,
        released_on=date.fromisoformat(day[:10]) if day else None,
        archived=bool(version.get("archived")),
    )


def names_in(text: str) -> frozenset[str]:
    """The names in a setting that lists them."""
    return frozenset(name.strip().casefold() for name in text.split(",") if name.strip())


_USUAL: Mapping[str, str] = {
    "issue_type": "Bug, Defect, Fehler, Anomalie, Error, Erro, バグ",
    "fixed_resolutions": "Done, Fixed, Resolved, Solved, Completed, Complete, Implemented, Released, Erledigt, Fertig, "
    "Behoben, Gelöst, Terminé, Corrigé, Résolu, Hecho, Listo, Resuelto, Corregido, Concluído, Resolvido, Corrigido, "
    "完了, 修正済み, 解決済み",
    "declined_resolutions": "Won't Do, Won't Fix, Declined, Rejected, Abandoned, Cancelled, Canceled, Withdrawn, "
    "Wird nicht erledigt, Wird nicht behoben, Abgelehnt, Ne sera pas fait, Ne sera pas corrigé, Rejeté, "
    "No se hará, Rechazado, Não será feito, Rejeitado, 修正しない, 対応しない",
    "duplicate_resolutions": "Duplicate, Duplikat, Doublon, Duplicado, Duplicata, 重複",
    "cannot_reproduce_resolutions": "Cannot Reproduce, Can't Reproduce, Not Reproducible, Incomplete, "
    "Nicht reproduzierbar, Unvollständig, Non reproductible, Impossible à reproduire, No se puede reproducir, "
    "Não é possível reproduzir, 再現不可",
    "by_design_resolutions": "Works as Designed, Works as Intended, As Designed, By Design, Not a Bug, Kein Fehler, "
    "Fonctionne comme prévu, Funciona según lo diseñado, 仕様",
    "workaround_resolutions": "Workaround, Workaround Available, Workaround Provided, Umgehung, Contournement, "
    "Solução de contorno, 回避策",
}
"""What names usually mean, in the languages that Jira's sites are mostly in. Only suggested: a person confirms it."""


def choices_of(setting: str, things: Iterable[Mapping[str, Any]], *, usual: str | None = None) -> tuple[Choice, ...]:
    """A site's own names, each once, as one setting can take them; a name with a comma is written by its id."""
    expected, found = names_in(_USUAL.get(setting, "") if usual is None else usual), dict[str, Choice]()
    for thing in things:
        name = str(thing["name"])
        value = str(thing["id"]) if "," in name and setting != "issue_type" else name
        found.setdefault(name.casefold(), Choice(value=value, title=name, suggested=name.casefold() in expected))
    return tuple(found.values())


def outcome_of(fields: Mapping[str, Any], settings: JiraSettings) -> tuple[Outcome, OutcomeReason | None]:
    """How an issue ended that is done, by its resolution; by its status only where it has none.

    Names are a site's own, so what no setting names stays unclear.
    """
    resolution = fields.get("resolution")
    if resolution is None:
        return ("fixed", None) if _is_among(fields["status"], settings.done_statuses) else ("unclear", None)
    outcomes: tuple[tuple[str, Outcome, OutcomeReason | None], ...] = (
        (settings.fixed_resolutions, "fixed", None),
        (settings.duplicate_resolutions, "duplicate", None),
        (settings.cannot_reproduce_resolutions, "declined", "cannot_reproduce"),
        (settings.by_design_resolutions, "declined", "by_design"),
        (settings.workaround_resolutions, "declined", "workaround"),
        (settings.declined_resolutions, "declined", "wont_fix"),
    )
    for names, outcome, reason in outcomes:
        if _is_among(resolution, names):
            return outcome, reason
    return "unclear", None


def _is_among(thing: Mapping[str, Any], names: str) -> bool:
    return bool({str(thing["name"]).casefold(), str(thing.get("id"))} & names_in(names))


def original_of(fields: Mapping[str, Any]) -> str | None:
    """The issue this one duplicates, by its link; the issues that duplicate this one say nothing."""
    for link in fields.get("issuelinks") or ():
        if str(link["type"]["name"]).casefold() == "duplicate" and link.get("outwardIssue"):
            return str(link["outwardIssue"]["key"])
    return None


def is_done(fields: Mapping[str, Any]) -> bool:
    """Whether the issue's status is of the category Done. A resolution left on an open issue says nothing."""
    return bool(fields["status"]["statusCategory"]["key"] == "done")


def parse_issue(issue: Mapping[str, Any], *, settings: JiraSettings, closed_at: datetime | None = None) -> IssueFacts:
    """An issue in our words. `closed_at` is for an issue that does not say itself when it was closed."""
    fields = issue["fields"]
    state: IssueState = "closed" if is_done(fields) else "open"
    outcome, reason, label, canonical = None, None, "", None
    if state == "closed":
        outcome, reason = outcome_of(fields, settings)
        label = str((fields.get("resolution") or fields["status"])["name"])
        canonical = original_of(fields) if outcome == "duplicate" else None
        closed_at = closed_time(fields) or closed_at
    elif str(fields["status"]["name"]).casefold() == "reopened":
        label = "reopened"
    return IssueFacts(
        remote_id=id_of(issue),
        ref=issue["key"],
        title=fields["summary"],
        url=f"{settings.base_url}/browse/{quote(issue['key'])}",
        state=state,
        updated_at=parse_time(fields["updated"]),
        outcome=outcome,
        outcome_reason=reason,
        outcome_label=label,
        closed_at=closed_at if state == "closed" else None,
        canonical_ref=canonical,
    )


def closed_time(fields: Mapping[str, Any]) -> datetime | None:
    """When the issue was closed, as far as its fields say."""
    stamp = fields.get("resolutiondate") or fields.get("statuscategorychangedate")
    return parse_time(stamp) if stamp else None


def parse_webhook(payload: Mapping[str, Any], *, key: str) -> Hook:
    """What a verified webhook call hints at, by `webhookEvent`: some calls name nothing else.

    A change of a version is about every issue with it; a change of the project may be about any.
    """
    event = str(payload.get("webhookEvent", ""))
    name = event.removeprefix("jira:")
    if name.startswith(("version_", "project_")):
        return Hook(key=key, event=name, everything=True)
    ends = [payload.get("issue")]
    link = payload.get("issueLink")
    if isinstance(link, dict):
        ends += [{"id": link.get("sourceIssueId")}, {"id": link.get("destinationIssueId")}]
    found = [str(end["id"]) for end in ends if isinstance(end, dict) and end.get("id")]
    return Hook(key=key, event=name, issues=tuple(dict.fromkeys(i for i in found if _ISSUE_ID.fullmatch(i))))


# Where a poll stands


@dataclass(frozen=True, slots=True)
class _Cursor:
    """The newest change seen, and what each version was then (None before the versions were first read)."""

    at: datetime
    versions: Mapping[str, str] | None

    @classmethod
    def read(cls, text: str | None, *, since: datetime) -> _Cursor:
        """A stored cursor. One that cannot be read starts again at `since`."""
        try:
            found = json.loads(text or "")
            at = datetime.fromtimestamp(found["at"] / 1000, UTC)
            versions = found["versions"]
            return cls(at, {str(k): str(v) for k, v in versions.items()} if versions is not None else None)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError):
            return cls(since, None)

    def __str__(self) -> str:
        return json.dumps({"at": _millis(self.at), "versions": self.versions}, sort_keys=True)


def _millis(at: datetime) -> int:
    """Jira reads any other date in the account's own time zone."""
    return int(at.timestamp() * 1000)


def _print_of(version: Mapping[str, Any]) -> str:
    said = f"{version['released'] is True}\x1f{version['name']}"
    return hashlib.sha256(said.encode()).hexdigest()[:8]


# Text: Fullcircle writes a little Markdown, Jira reads its document format (v3) or wiki markup (v2)

_INLINE = re.compile(
    r"(?<!\\)\[(?P<text>(?:[^\[\]\\]|\\.)+)\]\((?P<href>https?://[^\s()]+)\)"
    r"|(?P<bare>https?://[^\s<>()\[\]]*[^\s<>()\[\].,;:!?])"
    r"|\*\*(?P<strong>[^*]+)\*\*"
)
_TAG = re.compile(r"</?sub>")
_ESCAPE = re.compile(r"\\([\\`*_\[\]~|$()\-+=/.#>])")
_WIKI = re.compile(r"[\\{}\[\]*_^~!|+]")


@dataclass(frozen=True, slots=True)
class _Span:
    """A piece of text; `href` makes it a link."""

    text: str
    href: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class _Block:
    """A paragraph, a heading, a quote or a list; each line is a run of spans."""

    kind: Literal["paragraph", "heading", "quote", "list"]
    lines: tuple[tuple[_Span, ...], ...]

    @property
    def text(self) -> str:
        return " ".join("".join(span.text for span in line) for line in self.lines)


def parse_markdown(text: str) -> list[_Block]:
    """What Fullcircle writes for engineers. What it does not use is text like any other."""
    blocks: list[_Block] = []
    for part in re.split(r"\n\s*\n", _TAG.sub("", _MARKER.sub("", text))):
        lines = [line.strip() for line in part.strip().splitlines() if line.strip()]
        if not lines:
            continue
        kinds: tuple[tuple[Literal["heading", "quote", "list"], str], ...] = (
            ("heading", r"#{1,6} +"),
            ("quote", r"> ?"),
            ("list", r"- "),
        )
        for kind, start in kinds:
            if all(re.match(start, line) for line in lines):
                blocks.append(_Block(kind, tuple(_spans(re.sub(f"^{start}", "", line)) for line in lines)))
                break
        else:
            blocks.append(_Block("paragraph", tuple(_spans(line) for line in lines)))
    return blocks


def _spans(line: str) -> tuple[_Span, ...]:
    spans: list[_Span] = []
    at = 0
    for found in _INLINE.finditer(line):
        if found.start() > at:
            spans.append(_Span(_plain(line[at : found.start()])))
        if found["strong"]:
            spans.append(_Span(_plain(found["strong"]), strong=True))
        else:
            href = found["href"] or found["bare"]
            spans.append(_Span(_plain(found["text"]) if found["text"] else href, href=href))
        at = found.end()
    if at < len(line):
        spans.append(_Span(_plain(line[at:])))
    return tuple(spans)


def _plain(text: str) -> str:
    return html.unescape(_ESCAPE.sub(r"\1", text))


def as_adf(text: str) -> dict[str, Any]:
    """A text as Atlassian's document format. Only text and links: no mention can come of it.

    https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
    """
    content = [_adf_block(block) for block in parse_markdown(text)]
    return {"type": "doc", "version": 1, "content": content or [{"type": "paragraph", "content": []}]}


def _adf_block(block: _Block) -> dict[str, Any]:
    if block.kind == "list":
        items = [{"type": "listItem", "content": [_adf_paragraph([line])]} for line in block.lines]
        return {"type": "bulletList", "content": items}
    if block.kind == "heading":
        return {"type": "heading", "attrs": {"level": 3}, "content": _adf_paragraph(block.lines)["content"]}
    if block.kind == "quote":
        return {"type": "blockquote", "content": [_adf_paragraph(block.lines)]}
    return _adf_paragraph(block.lines)


def _adf_paragraph(lines: Iterable[Iterable[_Span]]) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    for line in lines:
        if content:
            content.append({"type": "hardBreak"})
        for span in line:
            marks = [{"type": "link", "attrs": {"href": span.href}}] if span.href else []
            marks += [{"type": "strong"}] if span.strong else []
            if span.text:
                content.append({"type": "text", "text": span.text, **({"marks": marks} if marks else {})})
    return {"type": "paragraph", "content": content}


def as_wiki(text: str) -> str:
    """A text as wiki markup, in which nothing of what a customer wrote is obeyed (`[~name]` would notify)."""
    return "\n\n".join(_wiki_block(block) for block in parse_markdown(text))


def _wiki_block(block: _Block) -> str:
    lines = ["".join(map(_wiki_span, line)) for line in block.lines]
    if block.kind == "heading":
        return f"h3. {' '.join(lines)}"
    if block.kind == "list":
        return "\n".join(f"* {line}" for line in lines)
    if block.kind == "quote":
        return "{quote}\n" + "\n".join(lines) + "\n{quote}"
    return "\n".join(lines)


def _wiki_span(span: _Span) -> str:
    text = _WIKI.sub(r"\\\g<0>", span.text)
    if span.href:
        href = span.href.replace("|", "%7C").replace("]", "%5D")
        return f"[{href}]" if span.text == span.href else f"[{text}|{href}]"
    return f"*{text}*" if span.strong else text


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


# What Jira refuses


def failure(answer: httpx.Response, *, what: str, now: datetime, writes: bool = False) -> OutsideError:
    """An unwanted answer as an error for a person, in Jira's own words where it has some."""
    status, said = answer.status_code, _words_of(answer)
    if status == 429:
        until = rate_limited_until(answer, now)
        return OutsideError(
            f"{what}: Jira asks us to wait until {until:%H:%M:%S} UTC{_limit_of(answer)}",
            "rate_limited",
            retry_at=until,
        )
    login = answer.headers.get("x-seraph-loginreason", "")
    if "AUTHENTICATION_DENIED" in login:
        return OutsideError(
            f"{what}: Jira wants this account to sign in once in a browser (a CAPTCHA); then try again",
            "auth_broken",
            field="secrets.token",
        )
    if status == 401 or "AUTHENTICATED_FAILED" in login:
        return OutsideError(
            f"{what}: Jira refuses the token{said}; enter a new one", "auth_broken", field="secrets.token"
        )
    if status == 403:
        return OutsideError(f"{what}: not allowed{said}", "forbidden")
    if status in {404, 410}:
        return OutsideError(f"{what}: it does not exist, or this account may not see it{said}", "gone")
    if status == 413 or (status == 400 and re.search(r"too long|exceed|CONTENT_LIMIT", said, re.IGNORECASE)):
        return OutsideError(f"{what}: the text is too long for Jira{said}", "too_long")
    if 400 <= status < 500 and status not in {408, 425}:
        return OutsideError(f"{what}: Jira refuses it ({status}){said}", "invalid")
    kind: Kind = "unknown" if writes else "transient"
    return OutsideError(f"{what}: Jira answers {status}{said}", kind, retry_at=retry_at(answer, now))


def rate_limited_until(answer: httpx.Response, now: datetime) -> datetime:
    """When to come back: Retry-After, else the reset time, else a minute.

    https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
    """
    until = retry_at(answer, now)
    if until is not None:
        return until
    try:
        reset = parse_time(answer.headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return now + timedelta(minutes=1)
    return min(max(reset, now), now + timedelta(days=1))


_LIMITS: Mapping[str, str] = {
    "jira-quota-global-based": "the hourly allowance of this integration is used up",
    "jira-quota-tenant-based": "the hourly allowance of this site is used up",
    "jira-burst-based": "too many calls at once",
    "jira-per-issue-on-write": "too many changes of this one issue at once",
}


def _limit_of(answer: httpx.Response) -> str:
    reason = _LIMITS.get(answer.headers.get("ratelimit-reason", ""))
    return f" ({reason})" if reason else ""


def _words_of(answer: httpx.Response) -> str:
    """Jira's own explanation in brackets, or nothing."""
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(body, dict):
        return ""
    messages, errors = body.get("errorMessages"), body.get("errors")
    parts = [str(message) for message in messages] if isinstance(messages, list) else []
    if isinstance(errors, dict):
        parts += [f"{field}: {message}" for field, message in errors.items()]
    return f" ('{'; '.join(parts)[:300]}')" if parts else ""


@contextmanager
def _as_jira_says(what: str, *, writes: bool = False) -> Iterator[None]:
    """An answer without the fields Jira's own answers have comes from something else, or from its bad day."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        kind: Kind = "unknown" if writes else "transient"
        raise OutsideError(f"{what}: the answer is not what Jira documents ({error!r:.80})", kind) from error


class _Api:
    """Calls to one Jira as one account. What they answer is Jira's, except where it is an OutsideError."""

    def __init__(self, connection: Connection) -> None:
        settings: JiraSettings = connection.settings
        secrets: JiraSecrets = connection.secrets
        self.is_cloud = settings.edition == "cloud"
        self.site = settings.base_url
        self.url = f"{self.site}/rest/api/{3 if self.is_cloud else 2}"
        self.now = connection.now
        self._http = connection.http
        self._token = secrets.token.get_secret_value()
        self._email = secrets.email.get_secret_value().strip() if secrets.email else ""

    async def call(
        self,
        method: str,
        path: str,
        *,
        what: str,
        writes: bool = False,
        also: Set[int] = frozenset(),
        **options: Any,
    ) -> httpx.Response:
        """One call; a status that is no success and not among `also` is an error.

        `path` is below the REST API, or below the site where it begins with /rest/.
        """
        headers = {"Accept": "application/json"}
        if self.is_cloud:
            if not self._email:
                raise OutsideError(
                    f"{what}: enter the e-mail address that the API token is of", "auth_broken", field="secrets.email"
                )
            pair = base64.b64encode(f"{self._email}:{self._token}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        else:
            headers["Authorization"] = f"Bearer {self._token}"
        if writes:
            # Data Center takes no other call that changes something from what looks like a browser.
            headers["X-Atlassian-Token"] = "no-check"
        address = f"{self.site if path.startswith('/rest/') else self.url}{path}"
        answer = await ask(self._http, method, address, what=what, writes=writes, headers=headers, **options)
        if "AUTHENTICATED_FAILED" in answer.headers.get("x-seraph-loginreason", ""):
            # Jira goes on as if nobody had signed in, and then hides what it would have shown.
            raise failure(answer, what=what, now=self.now(), writes=writes)
        if not answer.is_success and answer.status_code not in also:
            raise failure(answer, what=what, now=self.now(), writes=writes)
        return answer

    async def search(
        self, jql: str, *, fields: list[str], properties: list[str], what: str
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """The issues that a question in JQL finds, page by page."""
        pages = self._search_cloud(jql, fields, properties, what) if self.is_cloud else self._search(jql, fields, what)
        async for page in pages:
            yield page

    async def _search_cloud(
        self, jql: str, fields: list[str], properties: list[str], what: str
    ) -> AsyncIterator[list[dict[str, Any]]]:
        asked: dict[str, Any] = {"jql": jql, "fields": fields, "maxResults": PAGE}
        if properties:
            asked["properties"] = properties
        tokens: set[str] = set()
        for _ in range(MAX_PAGES):
            answer = await self.call("POST", "/search/jql", what=what, also={410}, json=asked)
            found = self._found(answer, what=what)
            with _as_jira_says(what):
                issues = [dict(issue) for issue in found["issues"]]
            yield issues
            token = found.get("nextPageToken")
            if not token:
                return
            if token in tokens:
                raise OutsideError(f"{what}: Jira gives the same next page again and again", "transient")
            tokens.add(token)
            asked["nextPageToken"] = token
        raise OutsideError(f"{what}: more than {MAX_PAGES * PAGE:,} issues", "transient")

    async def _search(self, jql: str, fields: list[str], what: str) -> AsyncIterator[list[dict[str, Any]]]:
        start = 0
        for _ in range(MAX_PAGES):
            issues, total = await self.page(jql, start=start, fields=fields, what=what)
            yield issues
            start += len(issues)
            if not issues or start >= total:
                return
        raise OutsideError(f"{what}: more than {MAX_PAGES * PAGE:,} issues", "transient")

    async def page(self, jql: str, *, start: int, fields: list[str], what: str) -> tuple[list[dict[str, Any]], int]:
        """One page of Data Center's search, and how many issues it finds in all."""
        query: dict[str, str | int] = {"jql": jql, "fields": ",".join(fields), "startAt": start, "maxResults": PAGE}
        answer = await self.call("GET", "/search", what=what, also={410}, params=query)
        found = self._found(answer, what=what)
        with _as_jira_says(what):
            return [dict(issue) for issue in found["issues"]], int(found["total"])

    def _found(self, answer: httpx.Response, *, what: str) -> Mapping[str, Any]:
        if answer.status_code == 410:
            edition = "data_center" if self.is_cloud else "cloud"
            raise OutsideError(
                f"{what}: this Jira has switched off the search that Fullcircle asks{_words_of(answer)}; "
                f"if it is of the edition {edition}, connect it as that",
                "misconfigured",
                field="settings.edition",
            )
        found = json_of(answer, what=what)
        if not isinstance(found, dict):
            raise OutsideError(f"{what}: the answer is not the page that Jira documents", "transient")
        return found


class Jira:
    """One project in Jira."""

    name: ClassVar[str] = "jira"
    title: ClassVar[str] = "Jira"
    Settings: ClassVar[type[BaseModel]] = JiraSettings
    Secrets: ClassVar[type[BaseModel]] = JiraSecrets
    poll_every: ClassVar[timedelta] = timedelta(seconds=120)
    settle: ClassVar[timedelta] = timedelta(minutes=30)
    block_limit: ClassVar[int] = MAX_TEXT
    choosable: ClassVar[tuple[str, ...]] = ("issue_type", *RESOLUTIONS, "done_statuses")
    hook_events: ClassVar[tuple[str, ...]] = tuple(HOOK_EVENTS.values())
    hook_fields: ClassVar[Mapping[str, str]] = {"JQL": "project = {project}"}

    def __init__(self, connection: Connection) -> None:
        self._api = _Api(connection)
        self._now = connection.now
        self._settings: JiraSettings = connection.settings
        self._secrets: JiraSecrets = connection.secrets
        self._project_id = connection.remote_id
        self._who = str(connection.facts.get("account", ""))
        self._home = connection.base_url.rstrip("/")

    # What a person asks

    async def connect(self) -> Project:
        """Prove the token, find the project, and look whether the account may do there what it has to."""
        account = await self._sign_in()
        what = f"looking for project {self._settings.project}"
        project = await self._project(what=what)
        with _as_jira_says(what):
            found = Project(
                remote_id=id_of(project),
                name=f"{project['name']} ({project['key']})",
                url=f"{self._settings.base_url}/browse/{project['key']}",
                visible_to_public=False,
                facts={
                    "project_id": id_of(project),
                    "key": project["key"],
                    "type": str(project.get("projectTypeKey", "")),
                    "account": account,
                },
                scopes=await self._permissions(str(project["key"])),
            )
            types = choices_of("issue_type", _types_of(project))
        if types:
            self._assert_known("issue_type", [self._settings.issue_type], types, called="issue type")
        if not self._project_id:
            # Later a name that is gone there does no harm: no issue has it any more.
            await self._assert_known_names()
        return found

    async def _sign_in(self) -> str:
        """Who we are there: proves that this is a Jira and that it takes our token."""
        what = f"signing in at {httpx.URL(self._settings.base_url).host}"
        answer = await self._api.call("GET", "/myself", what=what, also={404})
        if answer.status_code == 404:
            raise OutsideError(f"{what}: there is no Jira at this address", "misconfigured", field="settings.base_url")
        with _as_jira_says(what):
            account = _account_of(json_of(answer, what=what))
            if not account:
                raise ValueError("no account")
        return account

    async def _assert_known_names(self) -> None:
        """Each resolution and status that was entered is one of the site's. Our own defaults are only what is usual."""
        for settings, called, read in (
            (RESOLUTIONS, "resolution", self._resolutions),
            (("done_statuses",), "finished status", self._done_statuses),
        ):
            entered = {setting: names for setting in settings if (names := self._entered(setting))}
            things = await read() if entered else None
            for setting, names in entered.items() if things else ():
                with _as_jira_says(f"listing what {self._watched} has"):
                    known = choices_of(setting, things or ())
                    ids = {str(thing["id"]) for thing in things or ()}
                self._assert_known(setting, [name for name in names if name not in ids], known, called=called)

    def _entered(self, setting: str) -> list[str]:
        """The names that a person entered there, beside those that stood there."""
        usual = names_in(JiraSettings.model_fields[setting].default)
        names = [name.strip() for name in str(getattr(self._settings, setting)).split(",")]
        return [name for name in names if name and name.casefold() not in usual]

    def _assert_known(self, setting: str, names: Iterable[str], known: Sequence[Choice], *, called: str) -> None:
        there = {choice.title.casefold() for choice in known}
        unknown = [f"'{name}'" for name in names if name.casefold() not in there]
        if unknown:
            raise OutsideError(
                f"{self._watched} has no {called} {', '.join(unknown)}; "
                f"it has {', '.join(choice.title for choice in known)}",
                "misconfigured",
                field=f"settings.{setting}",
            )

    async def choices(self) -> Mapping[str, Sequence[Choice]]:
        """The site's own names. A status is suggested only where the project has no resolutions to go by."""
        await self._sign_in()
        what = f"looking for project {self._settings.project}"
        project = await self._project(what=what)
        resolutions, statuses = await self._resolutions(), await self._done_statuses()
        with _as_jira_says(what):
            # https://support.atlassian.com/jira-software-cloud/docs/what-are-team-managed-and-company-managed-projects/
            usual = _USUAL["fixed_resolutions"] if project.get("style") == "next-gen" else ""
            found = {
                "issue_type": choices_of("issue_type", _types_of(project)),
                **{setting: choices_of(setting, resolutions or ()) for setting in RESOLUTIONS},
                "done_statuses": choices_of("done_statuses", statuses or (), usual=usual),
            }
        return {setting: choices for setting, choices in found.items() if choices}

    async def _resolutions(self) -> list[Mapping[str, Any]] | None:
        """The site's resolutions, all of them; None where this account may not ask."""
        what, start, found = "listing the resolutions", 0, list[Mapping[str, Any]]()
        if not self._api.is_cloud:
            return await self._list_at("/resolution", what=what)
        for _ in range(MAX_PAGES):
            query = {"startAt": start, "maxResults": PAGE}
            answer = await self._api.call("GET", "/resolution/search", what=what, also={403, 404}, params=query)
            if not answer.is_success:
                return None
            with _as_jira_says(what):
                page = json_of(answer, what=what)
                found += [{"id": one["id"], "name": one["name"]} for one in page["values"]]
                start += len(page["values"])
                if not page["values"] or page.get("isLast", start >= int(page.get("total", start))):
                    return found
        raise OutsideError(f"{what}: more than {MAX_PAGES * PAGE:,} of them", "transient")

    async def _done_statuses(self) -> list[Mapping[str, Any]] | None:
        """The project's statuses of the category Done, over all its issue types; None where this account may not ask."""
        what = f"listing the statuses of {self._watched}"
        types = await self._list_at(f"/project/{self._watched}/statuses", what=what)
        with _as_jira_says(what):
            return types and [status for kind in types for status in kind["statuses"] if is_done({"status": status})]

    async def _list_at(self, path: str, *, what: str) -> list[Mapping[str, Any]] | None:
        answer = await self._api.call("GET", path, what=what, also={403, 404})
        if not answer.is_success:
            return None
        found = json_of(answer, what=what)
        with _as_jira_says(what):
            if not isinstance(found, list):
                raise TypeError("no list")
            return [dict(one) for one in found]

    async def _project(self, *, what: str) -> Mapping[str, Any]:
        answer = await self._api.call("GET", f"/project/{self._settings.project}", what=what, also={404})
        if answer.status_code == 404:
            raise OutsideError(
                f"{what}: there is no such project, or this account lacks Browse Projects there; "
                f"{WHERE_TO_GRANT[self._settings.edition]}",
                "misconfigured",
                field="settings.project",
            )
        project = json_of(answer, what=what)
        with _as_jira_says(what):
            id_of(project)
            return dict(project)

    async def _permissions(self, key: str) -> tuple[str, ...]:
        """What the account may do in the project, among what it needs. OutsideError where something is missing."""
        what = f"asking what this account may do in {key}"
        query = {"projectKey": key, "permissions": ",".join(NEEDED)}
        answer = await self._api.call("GET", "/mypermissions", what=what, also={404}, params=query)
        if answer.status_code == 404:
            return ()
        with _as_jira_says(what):
            said = json_of(answer, what=what)["permissions"]
            missing = [name for right, name in NEEDED.items() if said[right]["havePermission"] is not True]
        if missing:
            raise OutsideError(
                f"this account lacks {', '.join(missing)} in {key}; {WHERE_TO_GRANT[self._settings.edition]}",
                "forbidden",
                field="secrets.token",
            )
        return tuple(NEEDED)

    async def find(self, ref: str) -> IssueFacts:
        """The issue behind an address, a key or a numeric id. An old key of a moved issue finds it, too."""
        name = self._named_issue(ref)
        what = f"reading {name}"
        issue = await self._issue(name, what=what)
        if issue is None:
            raise OutsideError(f"{what}: it does not exist, or this account may not see it", "gone")
        with _as_jira_says(what):
            project, facts = issue["fields"]["project"], await self._facts_of(issue, what=what)
            is_ours = str(project["id"]) == self._project_id if self._project_id else project["key"] == self._watched
        if not is_ours:
            raise OutsideError(
                f"{facts.ref} is in {project['key']}, and this tracker watches {self._watched}", "invalid"
            )
        return facts

    @property
    def _watched(self) -> str:
        return self._settings.project

    def _named_issue(self, ref: str) -> str:
        words = ref.strip()
        if words.startswith(("http://", "https://")):
            words = self._issue_address(words)
        if _ISSUE_KEY.fullmatch(words):
            return words.upper()
        if _ISSUE_ID.fullmatch(words):
            return words
        raise OutsideError(
            f"'{ref.strip():.80}' names no issue; enter its address or its key, such as {self._watched}-12", "invalid"
        )

    def _issue_address(self, words: str) -> str:
        url = web_url(words)
        if url is None:
            return ""
        here = httpx.URL(self._settings.base_url).host
        if url.host != here:
            raise OutsideError(f"{url.host} is not {here}, where {self._watched} lives", "invalid")
        # Boards and lists have the issue that is open beside them in their query.
        chosen = parse_qs(url.query.decode("ascii", "replace")).get("selectedIssue") or url.path.split("/")
        return next((part for part in reversed(chosen) if _ISSUE_KEY.fullmatch(part)), "")

    async def create(self, *, title: str, body: str, marker: str) -> IssueFacts:
        """Make an issue that carries its marker unseen.

        On Cloud the marker is an entity property, made in the same call and handed out by the search.
        Data Center's search hands out none; there it is an anchor in the description, which shows nothing.
        A label would be seen by everybody, and cannot be set where the create screen lacks it.
        """
        what = f"creating an issue in {self._watched}"
        asked: dict[str, Any] = {
            "fields": {
                "project": {"key": self._watched},
                "issuetype": {"name": self._settings.issue_type},
                "summary": _cut(" ".join(title.split()), MAX_TITLE),
                "description": self._text(body, marker),
            }
        }
        if self._api.is_cloud:
            asked["properties"] = [{"key": PROPERTY, "value": {"marker": marker}}]
        answer = await self._api.call("POST", "/issue", what=what, json=asked, writes=True)
        with _as_jira_says(what, writes=True):
            made = json_of(answer, what=what, writes=True)
            return IssueFacts(
                remote_id=id_of(made),
                ref=str(made["key"]),
                title=asked["fields"]["summary"],
                url=f"{self._settings.base_url}/browse/{quote(str(made['key']))}",
                state="open",
                # The answer has no time stamp. Any reading is newer than this, whatever Jira's clock says.
                updated_at=self._now() - CLOCK_SKEW,
            )

    async def find_created(self, *, marker: str, since: datetime) -> IssueFacts | None:
        """The issue of an earlier, unanswered `create`: of our making, with the marker on it."""
        what = f"looking for an issue of ours in {self._watched}"
        asked = _millis(since - timedelta(minutes=5))
        jql = f'project = "{self._watched}" AND creator = currentUser() AND created >= {asked} ORDER BY created ASC'
        fields = [*READ_FIELDS.split(","), "description"]
        async for page in self._api.search(jql, fields=fields, properties=[PROPERTY], what=what):
            with _as_jira_says(what):
                for issue in page:
                    if self._is_marked(issue.get("properties"), issue["fields"].get("description"), marker):
                        return await self._facts_of(issue, what=what)
        return None

    def _text(self, markdown: str, marker: str) -> Any:
        if self._api.is_cloud:
            return as_adf(_cut(markdown, MAX_TEXT))
        return f"{_cut(as_wiki(markdown), MAX_TEXT)}\n\n{_anchor(marker)}"

    def _is_marked(self, properties: Any, text: Any, marker: str) -> bool:
        if not self._api.is_cloud:
            return isinstance(text, str) and _anchor(marker) in text
        if isinstance(properties, list):
            properties = {one["key"]: one.get("value") for one in properties}
        mark = (properties or {}).get(PROPERTY)
        return isinstance(mark, dict) and mark.get("marker") == marker

    # What the issue and its versions are now

    async def read(self, remote_id: str, *, ref: str) -> IssueReading:
        """The issue and the versions set on it, wherever it has moved: it is asked for by its id."""
        what = f"reading {ref}"
        issue = await self._issue(remote_id, what=what)
        if issue is None:
            # Asked first: no issue is gone only because its project cannot be seen.
            await self._project(what=what)
            return self._gone(remote_id, ref=ref)
        with _as_jira_says(what):
            if id_of(issue) != remote_id:
                raise ValueError("another issue")
            facts = await self._facts_of(issue, what=what)
            page = f"{self._settings.base_url}/projects/{quote(str(issue['fields']['project']['key']))}"
            versions = tuple(parse_version(version, page=page) for version in issue["fields"].get("fixVersions") or ())
            return IssueReading(facts=facts, read_at=self._now(), versions=versions)

    async def _issue(self, name: str, *, what: str) -> Mapping[str, Any] | None:
        answer = await self._api.call("GET", f"/issue/{name}", what=what, also={404}, params={"fields": READ_FIELDS})
        if answer.status_code == 404:
            return None
        issue = json_of(answer, what=what)
        with _as_jira_says(what):
            return dict(issue)

    async def _facts_of(self, issue: Mapping[str, Any], *, what: str) -> IssueFacts:
        fields, closed_at = issue["fields"], None
        if is_done(fields) and closed_time(fields) is None:
            closed_at = await self._closed_at(id_of(issue), status=str(fields["status"]["id"]), what=what)
        return parse_issue(issue, settings=self._settings, closed_at=closed_at)

    async def _closed_at(self, remote_id: str, *, status: str, what: str) -> datetime | None:
        """When an issue without a resolution came into its status: only its history says so."""
        query = {"fields": "status", "expand": "changelog"}
        answer = await self._api.call("GET", f"/issue/{remote_id}", what=what, params=query)
        histories = json_of(answer, what=what)["changelog"]["histories"]
        moves = [
            parse_time(history["created"])
            for history in histories
            if any(item["field"] == "status" and str(item["to"]) == status for item in history["items"])
        ]
        return max(moves, default=None)

    def _gone(self, remote_id: str, *, ref: str) -> IssueReading:
        now = self._now()
        facts = IssueFacts(
            remote_id=remote_id,
            ref=ref,
            title="",
            url=f"{self._settings.base_url}/browse/{quote(ref)}",
            state="gone",
            updated_at=now,
            gone_why="not visible any more (deleted, moved to a project that this account may not browse, or hidden "
            "by a security level)",
        )
        return IssueReading(facts=facts, read_at=now)

    async def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[IssuePage]:
        """Issues by the time of their last change, and those with a version that is not what it was.

        A version is released without a change of its issues, so the cursor keeps what each version was.
        """
        stood = _Cursor.read(cursor, since=since)
        what = f"listing changed issues of {self._watched}"
        newest = stood.at
        async for page in self._changed_since(stood.at - OVERLAP, what=what):
            with _as_jira_says(what):
                newest = max([newest, *(_updated(issue) for issue in page)])
                found = tuple(id_of(issue) for issue in page)
            yield IssuePage(issues=found, cursor=str(_Cursor(newest, stood.versions)))
        versions = await self._versions()
        changed = [
            number
            for number, seen in versions.items()
            if stood.versions is not None and stood.versions.get(number) != seen
        ]
        for start in range(0, len(changed), VERSIONS_AT_ONCE):
            some = ", ".join(changed[start : start + VERSIONS_AT_ONCE])
            jql = f"fixVersion in ({some}) ORDER BY updated ASC"
            async for page in self._api.search(jql, fields=["updated"], properties=[], what=what):
                with _as_jira_says(what):
                    found = tuple(id_of(issue) for issue in page)
                # Only the last page's cursor says that this is done: until then it is asked again.
                yield IssuePage(issues=found, cursor=str(_Cursor(newest, stood.versions)))
        yield IssuePage(issues=(), cursor=str(_Cursor(newest, versions)))

    async def _changed_since(self, at: datetime, *, what: str) -> AsyncIterator[list[dict[str, Any]]]:
        if self._api.is_cloud:
            async for page in self._api.search(self._changed(at), fields=["updated"], properties=[], what=what):
                yield page
            return
        # By numbers an issue that changes meanwhile moves to the end, and another one's place is never read:
        # so each page starts again from the newest time seen.
        start = 0
        for _ in range(MAX_PAGES):
            page, total = await self._api.page(self._changed(at), start=start, fields=["updated"], what=what)
            yield page
            start += len(page)
            if not page or start >= total:
                return
            with _as_jira_says(what):
                newest = max(_updated(issue) for issue in page).replace(microsecond=0)
            if newest > at:
                at, start = newest, 0
        raise OutsideError(f"{what}: more than {MAX_PAGES * PAGE:,} issues", "transient")

    def _changed(self, since: datetime) -> str:
        return f'project = "{self._watched}" AND updated >= {_millis(since)} ORDER BY updated ASC'

    async def _versions(self) -> dict[str, str]:
        what = f"listing the versions of {self._watched}"
        answer = await self._api.call("GET", f"/project/{self._watched}/versions", what=what)
        versions = json_of(answer, what=what)
        with _as_jira_says(what):
            if not isinstance(versions, list):
                raise TypeError("no list")
            return {id_of(version): _print_of(version) for version in versions}

    # What engineers see

    async def show(self, issue: IssueFacts, *, block: str, handle: str | None) -> str:
        """One link on the issue that says who waits, changed in place, and the same as a property for automation.

        A link notifies nobody, and customers of a service project cannot see it, as they could a comment.
        """
        what = f"showing on {issue.ref} who waits"
        name = _MARKER.search(block)
        link = self._link(block, global_id=f"fullcircle:{name[1] if name else issue.remote_id}")
        path = f"/issue/{issue.remote_id}/remotelink"
        known = await self._links(path, link["globalId"], what=what)
        if handle is not None and handle not in known:
            await self._assert_removed(f"{path}/{handle}", what=what)
            raise OutsideError(f"{what}: somebody removed the link", "gone")
        await self._note_count(issue, str(link["object"]["title"]), what=what)
        answer = await self._api.call("POST", path, what=what, json=link, writes=True)
        with _as_jira_says(what, writes=True):
            made = id_of(json_of(answer, what=what, writes=True))
        if handle is not None and made != handle:
            # Removed between the look and the write, which made it anew.
            await self._api.call("DELETE", f"{path}/{made}", what=what, writes=True, also={404})
            raise OutsideError(f"{what}: somebody removed the link", "gone")
        return made

    async def _note_count(self, issue: IssueFacts, text: str, *, what: str) -> None:
        """The count as a property, for the team's own automation rules. Where the account may not, so be it.

        It comes before the link: a failure after the link was made would lose the link's id.
        """
        path = f"/issue/{issue.remote_id}/properties/{WAITING_PROPERTY}"
        value = {"waiting": _count_in(text), "text": text}
        await self._api.call("PUT", path, what=what, json=value, writes=True, also={400, 403, 404, 405})

    async def _links(self, path: str, global_id: str, *, what: str) -> set[str]:
        """Our link among all of the issue: asked for by its name, Jira answers 404 for a hidden issue as well."""
        answer = await self._api.call("GET", path, what=what)
        links = json_of(answer, what=what)
        with _as_jira_says(what):
            if not isinstance(links, list):
                raise TypeError("no list")
            return {
                number
                for number, link in zip(map(id_of, links), links, strict=True)
                if link.get("globalId") == global_id
            }

    async def _assert_removed(self, path: str, *, what: str) -> None:
        """A link that is missing in a list is never made again, so Jira is asked for it once more by its id."""
        answer = await self._api.call("GET", path, what=what, also={404})
        if answer.status_code != 404:
            raise OutsideError(f"{what}: Jira does not list the link, and still has it", "transient")

    def _link(self, block: str, *, global_id: str) -> dict[str, Any]:
        """The whole link: on a change Jira empties whatever is left out."""
        blocks = parse_markdown(block)
        title = next((part.text for part in blocks if part.kind == "heading"), "Customers wait for this")
        rest = [f"“{part.text}”" if part.kind == "quote" else part.text for part in blocks if part.kind != "heading"]
        return {
            "globalId": global_id,
            "application": {"type": "fullcircle", "name": "Fullcircle"},
            "relationship": "customers who wait",
            "object": {
                "url": f"{self._home}/issues",
                "title": _cut(title, MAX_TITLE),
                "summary": _cut(" ".join(rest), MAX_SUMMARY),
            },
        }

    async def tell(self, issue: IssueFacts, *, text: str, marker: str) -> str:
        """A new comment, unless ours with this marker is there already.

        It is marked as internal wherever the issue is: in a service project it would otherwise reach
        the customer of the request, and in any other project the mark changes nothing.
        """
        what = f"commenting on {issue.ref}"
        path = f"/issue/{issue.remote_id}/comment"
        found = await self._our_comment(path, marker, what=what)
        if found is not None:
            return found
        properties: list[dict[str, Any]] = [{"key": "sd.public.comment", "value": {"internal": True}}]
        if self._api.is_cloud:
            properties.append({"key": PROPERTY, "value": {"marker": marker}})
        asked = {"body": self._text(text, marker), "properties": properties}
        answer = await self._api.call("POST", path, what=what, json=asked, writes=True)
        with _as_jira_says(what, writes=True):
            return id_of(json_of(answer, what=what, writes=True))

    async def _our_comment(self, path: str, marker: str, *, what: str) -> str | None:
        start = 0
        for _ in range(MAX_PAGES):
            query: dict[str, str | int] = {"startAt": start, "maxResults": PAGE, "expand": "properties"}
            answer = await self._api.call("GET", path, what=what, params=query)
            with _as_jira_says(what):
                page = json_of(answer, what=what)
                comments, total = page["comments"], int(page["total"])
                for comment in comments:
                    is_marked = self._is_marked(comment.get("properties"), comment.get("body"), marker)
                    if is_marked and self._wrote(comment):
                        return id_of(comment)
            start += len(comments)
            if not comments or start >= total:
                return None
        raise OutsideError(f"{what}: more than {MAX_PAGES * PAGE:,} comments", "transient")

    def _wrote(self, comment: Mapping[str, Any]) -> bool:
        """Whether a comment is of our hand: anyone can copy a marker."""
        return not self._who or _account_of(comment.get("author") or {}) in {self._who, ""}

    # Our webhook there

    async def set_up_hook(self, *, url: str) -> None:
        """The webhook to us: found again by its address, and then put right instead of made twice.

        Only a Jira administrator may, so that is asked first: how Jira refuses it is documented nowhere.
        """
        what = "setting up the webhook"
        secret = self._secrets.webhook_secret.get_secret_value() if self._secrets.webhook_secret else ""
        if not secret:
            raise OutsideError(f"{what}: there is no webhook secret", "misconfigured")
        await self._assert_administers(what=what)
        given: dict[str, Any] = {
            "name": "Fullcircle",
            "url": url,
            "events": list(HOOK_EVENTS),
            "filters": {_JQL: f'project = "{self._watched}"'},
            "excludeBody": False,
        }
        if self._settings.hook_secret_in_query:
            given["url"] = str(httpx.URL(url, params={"secret": secret}))
        else:
            given["secret"] = secret
        try:
            hook = await self._our_hook(url, what=what)
            if hook is None:
                await self._api.call("POST", HOOKS, what=what, json=given, writes=True)
                return
            with _as_jira_says(what):
                path, change = _put_right(hook, given)
            await self._api.call("PUT", path, what=what, json=change, writes=True)
        except OutsideError as error:
            if error.kind in {"forbidden", "auth_broken", "gone", "invalid"}:
                raise OutsideError(f"{error.message}; {BY_HAND}", "forbidden") from error
            raise

    async def _assert_administers(self, *, what: str) -> None:
        query = {"permissions": "ADMINISTER"}
        answer = await self._api.call("GET", "/mypermissions", what=what, also={404}, params=query)
        with _as_jira_says(what):
            said = json_of(answer, what=what).get("permissions", {}) if answer.is_success else {}
            may = said.get("ADMINISTER", {}).get("havePermission") is True
        if not may:
            raise OutsideError(
                f"{what}: this account lacks Administer Jira; grant it in Settings > System > Global permissions, "
                f"or {BY_HAND}",
                "forbidden",
            )

    async def _our_hook(self, url: str, *, what: str) -> Mapping[str, Any] | None:
        """The webhook to this address, whatever secret its query has."""
        hooks = json_of(await self._api.call("GET", HOOKS, what=what), what=what)
        with _as_jira_says(what):
            # Newer Data Centers put their lists into pages.
            listed = hooks["values"] if isinstance(hooks, dict) else hooks
            return next((dict(hook) for hook in listed if str(hook["url"]).partition("?")[0] == url), None)

    async def send_again(self, *, url: str) -> int:
        """Jira keeps no call that did not arrive; the poll finds what it said."""
        return 0

    # What Jira tells us

    def receive(self, *, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Hook:
        """A webhook call, verified by X-Hub-Signature over the raw body.

        https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks
        """
        given = {name.lower(): value for name, value in headers.items()}
        self._verify(given, query, body)
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            payload = None
        if not isinstance(payload, dict):
            # A ValueError is the port's word for it.
            raise ValueError("the webhook's body is no JSON object; let Jira send it with the body it makes itself")  # noqa: TRY004
        key = given.get("x-atlassian-webhook-identifier") or hashlib.sha256(body).hexdigest()
        return parse_webhook(payload, key=key)

    def _verify(self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> None:
        secret = self._secrets.webhook_secret.get_secret_value() if self._secrets.webhook_secret else ""
        if not secret:
            raise BadSignatureError("this tracker has no webhook secret; enter the one set in Jira, or remove the hook")
        signature = headers.get("x-hub-signature")
        if signature is None:
            if not self._settings.hook_secret_in_query:
                raise BadSignatureError("the call is not signed; Jira signs once its webhook has a secret")
            if not hmac.compare_digest(secret.encode(), query.get("secret", "").encode("utf-8", "replace")):
                raise BadSignatureError("the address of the call does not have the secret that is set here")
            return
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.strip().encode("utf-8", "replace")):
            raise BadSignatureError("the signature does not match; the secrets here and in Jira differ")


def _account_of(person: Mapping[str, Any]) -> str:
    """What Jira calls an account for ever: an id on Cloud, a key on Data Center."""
    return str(person.get("accountId") or person.get("key") or person.get("name") or "")


_JQL = "issue-related-events-section"
"""The part of a webhook's filters that issues pass through; versions pass through none."""


def _put_right(hook: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Where a webhook is changed, and into what: what the team added stays, and a filter that lets all through."""
    number = str(hook.get("id") or str(hook["self"]).rstrip("/").rpartition("/")[2])
    if not _ISSUE_ID.fullmatch(number):
        raise ValueError(f"{number!r:.40} is no id")
    filters = hook.get("filters")
    is_open = isinstance(filters, dict) and not filters.get(_JQL)
    return f"{HOOKS}/{number}", {
        **given,
        "name": str(hook.get("name") or given["name"]),
        "events": list(dict.fromkeys([*map(str, hook.get("events") or ()), *HOOK_EVENTS])),
        "filters": filters if is_open else given["filters"],
        ("active" if "active" in hook else "enabled"): True,
    }


def _types_of(project: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [kind for kind in project.get("issueTypes") or () if not kind.get("subtask")]


def _updated(issue: Mapping[str, Any]) -> datetime:
    return parse_time(issue["fields"]["updated"])


def _anchor(marker: str) -> str:
    return f"{{anchor:fullcircle-{marker}}}"


def _count_in(title: str) -> int:
    found = re.match(r"[\d,]+", title)
    return int(found[0].replace(",", "")) if found else 0


TRACKER: type[Tracker] = Jira

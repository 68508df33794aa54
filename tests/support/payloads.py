"""Payload folders: found, read and compared. tests/payloads/README.md describes them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs

import httpx
from pydantic import TypeAdapter

from app.ports import BadSignatureError, Channel, Connection, Hook, OutsideError, Pocket, Profile, Project, Tracker
from app.rules.facts import IssueFacts, IssueReading, Outgoing, Post, Sent, ThreadLook
from tests.support.stage import MemoryStage
from tests.support.wire import Answer, Wire

ROOT = Path(__file__).parents[1] / "payloads"
BASE_URL = "http://127.0.0.1:8000"

Sort = Literal["channels", "trackers"]

SHAPES: dict[str, TypeAdapter[Any]] = {
    "profile": TypeAdapter(Profile),
    "look": TypeAdapter(ThreadLook),
    "sent": TypeAdapter(Sent),
    "project": TypeAdapter(Project),
    "found": TypeAdapter(IssueFacts),
    "created": TypeAdapter(IssueFacts),
    "recovered": TypeAdapter(IssueFacts | None),
    "hook": TypeAdapter(Hook),
}
"""What a call of each kind returns, where that is one value of ours."""

POST = TypeAdapter(Post)
OUTGOING = TypeAdapter(Outgoing)
FACTS = TypeAdapter(IssueFacts)
READING = TypeAdapter(IssueReading)
MOMENT = TypeAdapter(datetime)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One pair of files."""

    sort: Sort
    adapter: str
    name: str
    kind: str
    given: Mapping[str, Any]
    expected: Any

    @property
    def folder(self) -> Path:
        return ROOT / self.sort / self.adapter

    @property
    def arguments(self) -> dict[str, Any]:
        """The call's arguments, as our values."""
        return {name: self._argument(name, value) for name, value in self.given.get("arguments", {}).items()}

    def _argument(self, name: str, value: Any) -> Any:
        match name:
            case "post":
                return self._post(value)
            case "posts":
                return tuple(self._post(post) for post in value)
            case "outgoing":
                return OUTGOING.validate_python({**value, "post": self._post(value["post"])})
            case "issue":
                return FACTS.validate_python(self._facts(value) if isinstance(value, str) else value)
            case "since":
                return MOMENT.validate_python(value)
            case "body" if self.kind == "hook" or self.given.get("call") == "receive":
                return value.encode()
            case _:
                return value

    def _post(self, value: Any) -> Post:
        if isinstance(value, str):
            case, _, number = value.partition("/")
            value = _read(self.folder / f"{case}.posts.json")["posts"][int(number)]
        return POST.validate_python({"raw": "{}", **value})

    def _facts(self, case: str) -> Any:
        return _read(self.folder / f"{case}.reading.json")["reading"]["facts"]


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def cases(sort: Sort, adapter: str, kind: str | None = None) -> Iterator[Case]:
    """Every case of an adapter, or those of one kind; in the order of their names."""
    folder = ROOT / sort / adapter
    for path in sorted(folder.glob("*.*.json")):
        name, found, _ = path.name.rsplit(".", 2)
        if kind in {None, found}:
            given = _read(folder / f"{name}.json")
            yield Case(sort=sort, adapter=adapter, name=name, kind=found, given=given, expected=_read(path))


def first(sort: Sort, adapter: str, kind: str) -> Case:
    """The first case of a kind. LookupError names what the folder lacks."""
    for case in cases(sort, adapter, kind):
        return case
    raise LookupError(f"tests/payloads/{sort}/{adapter}/ has no <case>.{kind}.json")


def first_deed(sort: Sort, adapter: str, kind: str) -> Case:
    """The first case of a kind in which something becomes public or new; staged ones always do."""
    for case in cases(sort, adapter, kind):
        if "stage" in case.given or any(exchange.get("speaks") for exchange in case.given.get("exchanges", ())):
            return case
    raise LookupError(f"tests/payloads/{sort}/{adapter}/ has no <case>.{kind}.json with an exchange that 'speaks'")


def is_staged(sort: Sort, adapter: str) -> bool:
    """Whether the adapter's other side is on the stage, and not behind HTTP."""
    return any("stage" in case.given for case in cases(sort, adapter))


@dataclass(frozen=True, kw_only=True)
class Setup:
    """An adapter's connection.json, with the case's own parts over it."""

    settings: dict[str, Any]
    secrets: dict[str, str]
    kept: dict[str, str]
    facts: dict[str, Any]
    remote_id: str
    now: datetime

    @classmethod
    def of(cls, sort: Sort, adapter: str, own: Mapping[str, Any] | None = None) -> Setup:
        parts = _read(ROOT / sort / adapter / "connection.json")
        for name, value in (own or {}).items():
            parts[name] = {**parts.get(name, {}), **value} if isinstance(value, dict) else value
        return cls(
            settings=parts.get("settings", {}),
            secrets={name: value for name, value in parts.get("secrets", {}).items() if value is not None},
            kept=parts.get("kept", {}),
            facts=parts.get("facts", {}),
            remote_id=parts.get("remote_id", ""),
            now=MOMENT.validate_python(parts["now"]),
        )

    def connection(
        self, kind: type[Channel] | type[Tracker], http: httpx.AsyncClient, stage: MemoryStage
    ) -> Connection:
        return Connection(
            settings=kind.Settings.model_validate(self.settings),
            secrets=kind.Secrets.model_validate(self.secrets),
            http=http,
            now=lambda: self.now,
            base_url=BASE_URL,
            remote_id=self.remote_id,
            facts=self.facts,
            stage=stage,
            keeper=Pocket(self.kept),
        )


@dataclass
class Scenery:
    """A case with its other side in place: a connection, and the wire or the stage behind it."""

    connection: Connection
    wire: Wire
    stage: MemoryStage
    secrets: tuple[str, ...] = field(default=())

    @property
    def speaks_http(self) -> bool:
        """Whether the other side is behind the wire; otherwise it is on the stage."""
        return bool(self.wire.exchanges)

    @property
    def scenes(self) -> tuple[str, ...]:
        """The scene that a staged adapter plays in."""
        return (self.connection.settings.scene,)


@asynccontextmanager
async def scenery(
    case: Case, kind: type[Channel] | type[Tracker], *, fault: Answer | None = None, only_speaking: bool = False
) -> AsyncIterator[Scenery]:
    """Builds what the case describes; `fault` answers every request, or only the one that speaks."""
    setup = Setup.of(case.sort, case.adapter, case.given.get("connection"))
    stage = MemoryStage()
    for row in case.given.get("stage", ()):
        await stage.add(row["scene"], row["kind"], row["doc"])
    wire = Wire(case.given.get("exchanges", ()), fault=fault, only_speaking=only_speaking)
    async with wire.client() as http:
        yield Scenery(
            connection=setup.connection(kind, http, stage),
            wire=wire,
            stage=stage,
            secrets=tuple(
                value for value in (*setup.secrets.values(), *setup.kept.values()) if value.startswith("sentinel-")
            ),
        )


def parsed(kind: str, doc: Any) -> Any:
    """An expected value of this kind, as ours. AssertionError where the file says more than our values can hold."""
    if kind == "look":
        doc = {**doc, "post": {"raw": "{}", **doc["post"]}}
    value = SHAPES[kind].validate_python(doc)
    assert_said(doc, SHAPES[kind].dump_python(value, mode="json"))
    return value


def parsed_post(doc: Any) -> Post:
    """An expected post, as ours, without its raw JSON."""
    return parsed_posts([doc])[0]


def parsed_posts(docs: list[Any]) -> list[Post]:
    """Expected posts, as ours, without their raw JSON."""
    posts = [POST.validate_python({"raw": "{}", **doc}) for doc in docs]
    for doc, post in zip(docs, posts, strict=True):
        assert_said(doc, POST.dump_python(post, mode="json"))
    return posts


def parsed_reading(doc: Any) -> IssueReading:
    """An expected reading, as ours."""
    reading = READING.validate_python(doc)
    assert_said(doc, READING.dump_python(reading, mode="json"))
    return reading


def refusal(error: Exception) -> str:
    """What an `.error.json` calls a refused call."""
    if isinstance(error, BadSignatureError):
        return "bad_signature"
    return "not_implemented" if isinstance(error, NotImplementedError) else "not_json"


def assert_error(error: OutsideError, expected: Mapping[str, Any]) -> None:
    """The error is what the file says, in each respect that it names."""
    found = {"kind": error.kind, "in_flight": error.in_flight, "retry_at": error.retry_at}
    named = dict(expected)
    if named.get("retry_at"):
        named["retry_at"] = MOMENT.validate_python(named["retry_at"])
    assert {key: found[key] for key in named} == named, error.message


def words_of(request: httpx.Request) -> str:
    """A request's body as a person reads it: escapes in JSON and in forms undone."""
    text = request.content.decode(errors="replace")
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return json.dumps(parse_qs(text), ensure_ascii=False)
    return json.dumps(json.loads(text), ensure_ascii=False) if text else ""


def without_raw(post: Post) -> Post:
    """The post as a payload writes it; its raw JSON only has to be JSON."""
    json.loads(post.raw)
    return replace(post, raw="{}")


def assert_said(doc: Any, value: Any, *, path: str = "") -> None:
    """Every key of an expectation is one of our fields: a misspelt one would expect nothing."""
    if isinstance(doc, dict) and isinstance(value, dict):
        assert doc.keys() <= value.keys(), (
            f"{path or 'the expectation'}: no such field: {sorted(doc.keys() - value.keys())}"
        )
        for key, inner in doc.items():
            assert_said(inner, value[key], path=f"{path}.{key}")
    elif isinstance(doc, list) and isinstance(value, list):
        for number, (inner, ours) in enumerate(zip(doc, value, strict=True)):
            assert_said(inner, ours, path=f"{path}[{number}]")

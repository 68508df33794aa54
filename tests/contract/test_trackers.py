"""What every tracker promises, checked on each one that discovery finds."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import trackers
from app.ports import BadSignatureError, IssuePage, OutsideError, Project, Tracker
from app.rules.facts import IssueFacts, IssueReading, ShippedWhen
from app.rules.shipping import LOOKS_LIKE_A_VERSION, Policy, judge
from tests.support import payloads
from tests.support.connection_form import assert_drawable, assert_page, hides_secrets
from tests.support.faults import ELSEWHERE, Trouble, assert_lawful, play, troubles_of
from tests.support.payloads import Case, Scenery, scenery
from tests.support.stage import MemoryStage
from tests.support.wire import Wire

TRACKERS = trackers.discover()
NAMES = sorted(TRACKERS)
CASES = [case for name in NAMES for case in payloads.cases("trackers", name)]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

each_tracker = pytest.mark.parametrize("name", NAMES)
each_trouble = pytest.mark.parametrize(("name", "trouble"), troubles_of("trackers", NAMES))


async def pulled(tracker: Tracker, case: Case) -> list[IssuePage]:
    arguments = {"cursor": None, "since": LONG_AGO, **case.arguments}
    return [page async for page in tracker.pull(**arguments)]


Call = Callable[[Tracker, Case], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "project": lambda tracker, _case: tracker.connect(),
    "found": lambda tracker, case: tracker.find(case.arguments["ref"]),
    "reading": lambda tracker, case: tracker.read(case.arguments["remote_id"], ref=case.arguments["ref"]),
    "issues": pulled,
    "created": lambda tracker, case: tracker.create(**case.arguments),
    "recovered": lambda tracker, case: tracker.find_created(**case.arguments),
    "shown": lambda tracker, case: tracker.show(
        case.arguments["issue"], block=case.arguments["block"], handle=case.arguments.get("handle")
    ),
    "told": lambda tracker, case: tracker.tell(
        case.arguments["issue"], text=case.arguments["text"], marker=case.arguments["marker"]
    ),
}
BY_METHOD = {
    "connect": "project",
    "find": "found",
    "read": "reading",
    "pull": "issues",
    "create": "created",
    "find_created": "recovered",
    "show": "shown",
    "tell": "told",
}
DEMANDED = ["reading", "issues", "hook", "created", "shown", "told"]
WRITES = {"created", "shown", "told"}


def built(name: str, place: Scenery) -> Tracker:
    return TRACKERS[name](place.connection)


def received(tracker: Tracker, case: Case) -> Any:
    arguments = {"headers": {}, "query": {}, **case.arguments}
    return tracker.receive(**arguments)


@cache
def bare_tracker(name: str) -> Tracker:
    """A tracker for what needs no other side."""
    return unsigned_tracker(name, payloads.Setup.of("trackers", name))


def unsigned_tracker(name: str, setup: payloads.Setup) -> Tracker:
    return TRACKERS[name](setup.connection(TRACKERS[name], Wire(()).client(), MemoryStage()))


def case_for(name: str, kind: str) -> Case:
    """The first case of a kind; for the calls whose case may be left out, one made from another."""
    if kind in WRITES:
        return payloads.first_deed("trackers", name, kind)
    found = next(payloads.cases("trackers", name, kind), None)
    if found is not None:
        return found
    reading = payloads.first("trackers", name, "reading")
    made = {
        "project": {},
        "found": {"ref": reading.given["arguments"]["ref"]},
        "recovered": {"marker": "a-marker", "since": "2020-01-01T00:00:00Z"},
    }
    return replace(reading, kind=kind, given={**reading.given, "arguments": made[kind]})


def readings(name: str) -> list[tuple[Case, IssueReading]]:
    return [
        (case, payloads.parsed_reading(case.expected["reading"]))
        for case in payloads.cases("trackers", name, "reading")
    ]


# --- what it says about itself


@each_tracker
def test_is_called_like_its_file_and_states_its_limits(name: str) -> None:
    tracker = TRACKERS[name]
    assert importlib.import_module(f"app.trackers.{name}").TRACKER is tracker
    assert tracker.name == name
    assert tracker.title.strip()
    assert tracker.poll_every > timedelta(0)
    assert tracker.settle >= timedelta(0)
    assert tracker.block_limit >= 1_000


@each_tracker
def test_draws_its_own_connect_form(name: str) -> None:
    assert_drawable(TRACKERS[name].Settings, TRACKERS[name].Secrets)


@each_tracker
def test_takes_the_policy_that_every_tracker_takes(name: str) -> None:
    setup = payloads.Setup.of("trackers", name)
    settings: Any = TRACKERS[name].Settings.model_validate(setup.settings)
    assert settings.shipped_when in get_args(ShippedWhen)
    assert settings.tag_pattern == "*"
    assert settings.public_label_pattern == LOOKS_LIKE_A_VERSION
    assert settings.settle_seconds == TRACKERS[name].settle.total_seconds()


@each_tracker
def test_has_a_page_that_names_each_of_its_settings(name: str) -> None:
    assert_page("trackers", name, TRACKERS[name].Settings, TRACKERS[name].Secrets)


@each_tracker
def test_shows_no_secret_of_its_connection(name: str) -> None:
    setup = payloads.Setup.of("trackers", name)
    connection = setup.connection(TRACKERS[name], Wire(()).client(), MemoryStage())
    hides_secrets(connection, TRACKERS[name](connection), secrets=setup.secrets.values())


@each_tracker
@pytest.mark.parametrize("kind", DEMANDED)
def test_has_a_payload_of_each_kind(name: str, kind: str) -> None:
    payloads.first("trackers", name, kind)


# --- what it makes of what the other side says


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.kind in CALLS], ids=lambda case: f"{case.adapter}-{case.name}-{case.kind}"
)
async def test_makes_of_a_payload_what_stands_beside_it(case: Case) -> None:
    async with scenery(case, TRACKERS[case.adapter]) as place:
        result = await CALLS[case.kind](built(case.adapter, place), case)
        place.wire.assert_all_asked()
    match case.kind:
        case "issues":
            assert [issue for page in result for issue in page.issues] == case.expected["issues"]
            assert (result[-1].cursor if result else None) == case.expected["cursor"]
        case "reading":
            assert result == payloads.parsed_reading(case.expected["reading"])
        case "shown" | "told":
            assert result == case.expected
        case _:
            assert result == payloads.parsed(case.kind, case.expected)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.kind == "reading"], ids=lambda case: f"{case.adapter}-{case.name}"
)
def test_a_reading_is_judged_as_the_payload_says(case: Case) -> None:
    verdict = judge(payloads.parsed_reading(case.expected["reading"]), Policy(**case.given.get("policy", {})))
    assert verdict.why.strip()
    assert type(verdict).__name__ == case.expected.get("verdict", type(verdict).__name__), verdict.why
    assert verdict.why == case.expected.get("why", verdict.why)


@each_tracker
def test_a_reading_can_be_kept_and_proved(name: str) -> None:
    for _, reading in readings(name):
        facts = reading.facts
        assert facts.remote_id
        assert facts.ref
        assert facts.url.startswith(("https://", "http://"))
        assert facts.outcome is None or facts.state == "closed"
        assert facts.title or facts.state == "gone"
        assert all(change.sha and change.url for change in reading.changes)
        assert all(release.url and release.remote_id and release.label for release in reading.releases)
        known = {release.remote_id for release in reading.releases} | {d.remote_id for d in reading.deployments}
        assert {containment.release_id for containment in reading.containments} <= known
        for moment in (facts.updated_at, facts.closed_at, reading.read_at):
            assert moment is None or moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize("case", [c for c in CASES if c.kind == "hook"], ids=lambda case: f"{case.adapter}-{case.name}")
def test_reads_a_signed_call_and_refuses_it_once_changed(case: Case) -> None:
    setup = payloads.Setup.of("trackers", case.adapter, case.given.get("connection"))
    tracker = unsigned_tracker(case.adapter, setup)
    hook = received(tracker, case)
    assert hook == payloads.parsed("hook", case.expected)
    assert hook.key
    assert received(tracker, case) == hook
    body: bytes = case.arguments["body"]
    headers: dict[str, str] = case.arguments["headers"]
    for changed in (body + b" ", b" " + body, body[:-1], b"", body.replace(b"1", b"2", 1) + b"\n"):
        with pytest.raises(BadSignatureError):
            tracker.receive(headers=headers, query={}, body=changed)
    for lost in headers:
        if "signature" in lost.lower() or lost.lower() == "authorization":
            others = {name: value for name, value in headers.items() if name != lost}
            with pytest.raises(BadSignatureError):
                tracker.receive(headers=others, query={}, body=body)
            with pytest.raises(BadSignatureError):
                tracker.receive(headers={**headers, lost: headers[lost][:-1]}, query={}, body=body)
    lowered = {name.lower(): value for name, value in headers.items()}
    assert tracker.receive(headers=lowered, query={}, body=body) == hook


@each_tracker
def test_believes_no_call_where_no_webhook_secret_is_set(name: str) -> None:
    case = payloads.first("trackers", name, "hook")
    if "webhook_secret" not in TRACKERS[name].Secrets.model_fields:
        return
    setup = payloads.Setup.of("trackers", name, case.given.get("connection"))
    for nothing in (
        {**setup.secrets, "webhook_secret": ""},
        {k: v for k, v in setup.secrets.items() if k != "webhook_secret"},
    ):
        tracker = unsigned_tracker(name, replace(setup, secrets=nothing))
        with pytest.raises(BadSignatureError):
            received(tracker, case)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.kind == "error"], ids=lambda case: f"{case.adapter}-{case.name}"
)
async def test_calls_a_failure_by_its_right_name(case: Case) -> None:
    async with scenery(case, TRACKERS[case.adapter]) as place:
        tracker = built(case.adapter, place)
        if case.given["call"] == "receive":
            with pytest.raises((BadSignatureError, ValueError, NotImplementedError)) as refused:
                received(tracker, case)
            assert payloads.refusal(refused.value) == case.expected["kind"]
            return
        with pytest.raises(OutsideError) as raised:
            await CALLS[BY_METHOD[case.given["call"]]](tracker, case)
        place.wire.assert_all_asked()
    payloads.assert_error(raised.value, case.expected)


# --- trouble


@each_trouble
@pytest.mark.parametrize("method", BY_METHOD)
async def test_ends_in_an_outside_error_whatever_the_other_side_answers(
    name: str, trouble: Trouble, method: str
) -> None:
    kind = BY_METHOD[method]
    case = case_for(name, kind)
    async with scenery(case, TRACKERS[name], fault=trouble.answer) as place:
        lawful = trouble.reading | (trouble.speaking if kind in WRITES else frozenset())
        if trouble.staged is not None and not place.speaks_http:
            await play(place.stage, place.scenes, trouble.staged, among=lawful)
        try:
            result = await CALLS[kind](built(name, place), case)
        except OutsideError as error:
            assert_lawful(error, lawful, trouble, now=place.connection.now(), secrets=place.secrets)
        else:
            is_gone = method == "read" and trouble.name in {"404", "410"} and result.facts.state == "gone"
            assert is_gone or trouble.unclear, f"{method} took {trouble.name} for an answer: {result}"
            assert kind not in WRITES, f"{trouble.name} was taken for a done deed: {result}"
            if isinstance(result, IssueReading):
                result = result.facts
            assert not isinstance(result, (IssueFacts, Project)) or result.remote_id
        assert all(request.url.host != ELSEWHERE for request in place.wire.asked)


@each_trouble
@pytest.mark.parametrize("kind", sorted(WRITES))
async def test_never_takes_an_unclear_answer_for_a_done_deed(name: str, trouble: Trouble, kind: str) -> None:
    case = payloads.first_deed("trackers", name, kind)
    async with scenery(case, TRACKERS[name], fault=trouble.answer, only_speaking=True) as place:
        if trouble.staged is not None and not place.speaks_http:
            await play(place.stage, place.scenes, trouble.staged, among=trouble.speaking)
        with pytest.raises(OutsideError) as raised:
            await CALLS[kind](built(name, place), case)
        assert not place.wire.surprises
    error = raised.value
    assert_lawful(error, trouble.speaking, trouble, now=place.connection.now(), secrets=place.secrets)
    assert error.in_flight == (trouble.name == "a time-out")


@each_tracker
@given(
    headers=st.dictionaries(
        st.sampled_from(["X-Hub-Signature-256", "X-Hub-Signature", "X-GitHub-Event", "Content-Type"]), st.text()
    ),
    body=st.one_of(st.binary(max_size=200), st.just(b"{}"), st.just(b"[" * 2_000)),
)
def test_believes_no_unsigned_call(name: str, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(BadSignatureError):
        bare_tracker(name).receive(headers=headers, query={}, body=body)

"""'The fix is out' is said only on proof, and every verdict says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules import shipping
from app.rules.facts import (
    Change,
    Containment,
    Deployment,
    IssueFacts,
    IssueReading,
    MappedRepository,
    Release,
    Version,
)
from app.rules.following import follow_verdict
from app.rules.platforms import Platform
from app.rules.shipping import Gone, NotFixed, NotYet, Policy, Refutation, Shipped

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHA = "3f2a91c" + "0" * 33
OTHER = "77aa001" + "0" * 33

FACTS = IssueFacts(
    remote_id="9001",
    ref="#12",
    title="Secret plans",
    url="https://github.example/acme/app/issues/12",
    state="closed",
    updated_at=NOW,
    outcome="fixed",
    outcome_label="completed",
    closed_at=NOW - timedelta(hours=2),
)
CHANGE = Change(
    sha=SHA, label="PR #812 merged as 3f2a91c", url="https://github.example/pull/812", at=NOW - timedelta(hours=3)
)
RELEASE = Release(
    remote_id="55",
    label="v2.4.1",
    url="https://github.example/acme/app/releases/tag/v2.4.1",
    sha="f" * 40,
    draft=False,
    prerelease=False,
    published_at=NOW - timedelta(hours=1),
)
INSIDE = Containment(sha=SHA, release_id="55", answer="yes")
READING = IssueReading(facts=FACTS, read_at=NOW, changes=(CHANGE,), releases=(RELEASE,), containments=(INSIDE,))


def why_of(reading: IssueReading, policy: Policy | None = None) -> str:
    verdict = shipping.judge(reading, policy or Policy())
    assert isinstance(verdict, NotYet), verdict
    return verdict.why


def test_a_published_release_that_contains_the_fix_ships_it_with_proof() -> None:
    verdict = shipping.judge(READING, Policy())
    assert isinstance(verdict, Shipped)
    assert [line.label for line in verdict.evidence] == [
        "#12 closed as completed",
        "PR #812 merged as 3f2a91c",
        "3f2a91c contained in v2.4.1",
        "v2.4.1 published",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"containments": ()}, "could not say whether v2.4.1 contains 3f2a91c"),
        ({"containments": (replace(INSIDE, answer="no"),)}, "closed, but no release contains 3f2a91c yet"),
        ({"containments": (replace(INSIDE, answer="reverted"),)}, "3f2a91c was reverted before v2.4.1"),
        ({"releases": ()}, "closed, but no release contains 3f2a91c yet"),
        ({"releases": (replace(RELEASE, draft=True),)}, "still a draft"),
        ({"releases": (replace(RELEASE, prerelease=True),)}, "only a prerelease"),
        ({"releases": (replace(RELEASE, exists=False),)}, "no release contains 3f2a91c yet"),
        ({"changes": ()}, "no commit or merged pull request is linked"),
        ({"changes": (CHANGE, replace(CHANGE, sha=OTHER))}, "only a part of the fix: 77aa001 is missing"),
        ({"facts": replace(FACTS, state="open", outcome=None)}, "#12 is still open"),
        ({"facts": replace(FACTS, state="open", outcome=None, outcome_label="reopened")}, "#12 is reopened"),
    ],
)
def test_short_of_proof_it_is_not_yet_and_says_what_is_missing(change: dict[str, Any], reason: str) -> None:
    assert reason in why_of(replace(READING, **change))


def test_what_may_be_a_part_and_is_not_merged_holds_everything_back() -> None:
    open_pull = "PR #13 names ACME-12 and is still open"
    reading = replace(READING, code_in="acme/app", pending=(open_pull,))
    for policy in (Policy(), Policy(shipped_when="production")):
        verdict = shipping.judge(reading, policy)
        assert isinstance(verdict, NotYet)
        assert (verdict.why, verdict.is_fixed, verdict.asks) == (f"closed, but {open_pull}", True, False)
        assert [line.label for line in verdict.evidence] == ["#12 closed as completed", CHANGE.label]
    assert isinstance(shipping.judge(replace(reading, pending=()), Policy()), Shipped)
    assert isinstance(shipping.judge(reading, Policy(shipped_when="closed")), Shipped)


def test_what_another_trackers_repository_does_not_name_asks_a_person() -> None:
    verdict = shipping.judge(replace(READING, changes=(), code_in="acme/app"), Policy())
    assert isinstance(verdict, NotYet)
    assert verdict.asks
    assert verdict.why == "closed as fixed, but no commit or merged pull request of acme/app names #12"


@pytest.mark.parametrize("outcome", ["declined", "duplicate", "unclear", None])
def test_what_was_closed_otherwise_is_never_fixed(outcome: Any) -> None:
    assert isinstance(shipping.judge(replace(READING, facts=replace(FACTS, outcome=outcome)), Policy()), NotFixed)


def test_a_deleted_issue_is_gone() -> None:
    assert isinstance(shipping.judge(replace(READING, facts=replace(FACTS, state="gone")), Policy()), Gone)


def test_a_release_outside_the_pattern_ships_nothing() -> None:
    assert "does not match app-*" in why_of(READING, Policy(tag_pattern="app-*"))


def test_the_earliest_release_that_holds_everything_is_the_one() -> None:
    later = replace(RELEASE, remote_id="56", label="v2.5.0", published_at=NOW)
    reading = replace(READING, releases=(later, RELEASE), containments=(INSIDE, replace(INSIDE, release_id="56")))
    verdict = shipping.judge(reading, Policy())
    assert isinstance(verdict, Shipped)
    assert verdict.label == "v2.4.1"


def test_closed_is_enough_only_where_the_policy_says_so() -> None:
    bare = replace(READING, changes=(), releases=(), containments=())
    assert isinstance(shipping.judge(bare, Policy(shipped_when="closed")), Shipped)
    assert isinstance(shipping.judge(bare, Policy()), NotYet)


def test_production_waits_for_what_runs_there() -> None:
    policy = Policy(shipped_when="production")
    assert "nothing that runs in production" in why_of(READING, policy)
    live = Deployment(remote_id="d1", environment="production", sha="f" * 40, production=True, succeeded=True, at=NOW)
    inside = replace(INSIDE, release_id="d1")
    assert isinstance(shipping.judge(replace(READING, deployments=(live,), containments=(inside,)), policy), Shipped)
    rolled_back = replace(live, remote_id="d2", sha="e" * 40, at=NOW + timedelta(minutes=1))
    reading = replace(
        READING, deployments=(live, rolled_back), containments=(inside, replace(INSIDE, release_id="d2", answer="no"))
    )
    assert isinstance(shipping.judge(reading, policy), NotYet)


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("v2.4.1", "v2.4.1"),
        ("2.4", "2.4"),
        ("v1.0.0-rc.1", "v1.0.0-rc.1"),
        ("v1.0.0-beta2", "v1.0.0-beta2"),
        ("2024.11.3", "2024.11.3"),
        ("TOPSECRET-1.2", ""),
        ("v1.2.3-topsecret", ""),
        ("v1.2.3+BIGCORP", ""),
        ("v1.2.3-hotfix-for-bigcorp", ""),
    ],
)
def test_a_private_tag_is_public_only_where_it_looks_like_a_version(label: str, shown: str) -> None:
    verdict = shipping.judge(replace(READING, releases=(replace(RELEASE, label=label),)), Policy())
    assert isinstance(verdict, Shipped)
    assert (verdict.public_label, verdict.public_url) == (shown, "")


def test_a_pattern_that_is_no_pattern_lets_nothing_out() -> None:
    assert shipping.public_label("v1.0", visible=False, pattern="(") == ""


def test_a_public_repository_shows_label_and_address() -> None:
    verdict = shipping.judge(replace(READING, facts=replace(FACTS, visible_to_public=True)), Policy())
    assert isinstance(verdict, Shipped)
    assert (verdict.public_label, verdict.public_url) == ("v2.4.1", RELEASE.url)


@pytest.mark.parametrize("field", ["remote_id", "sha", "label", "url"])
def test_other_evidence_has_another_digest(field: str) -> None:
    before = shipping.judge(READING, Policy())
    containment = replace(INSIDE, release_id="66") if field == "remote_id" else INSIDE
    other = replace(RELEASE, **{field: "66" if field == "remote_id" else "v9" if field == "label" else "e" * 40})
    after = shipping.judge(replace(READING, releases=(other,), containments=(containment,)), Policy())
    assert isinstance(before, Shipped)
    assert isinstance(after, Shipped)
    assert before.digest != after.digest


def test_only_a_fix_made_after_a_refutation_ships_it_again() -> None:
    verdict = shipping.judge(READING, Policy())
    assert isinstance(verdict, Shipped)
    before, after = verdict.fixed_at - timedelta(hours=1), verdict.fixed_at + timedelta(hours=1)
    assert follow_verdict(verdict, refutation=None).goal == "shipped"
    assert follow_verdict(verdict, refutation=Refutation(at=after)).goal == "linked"
    assert follow_verdict(verdict, refutation=Refutation(at=before)).goal == "shipped"


def test_a_fix_closed_in_the_second_of_the_refutation_is_another_only_if_it_is_another() -> None:
    verdict = shipping.judge(READING, Policy())
    assert isinstance(verdict, Shipped)
    moment = verdict.fixed_at + timedelta(milliseconds=400)
    assert follow_verdict(verdict, refutation=Refutation(at=moment, fix="another")).goal == "shipped"
    assert follow_verdict(verdict, refutation=Refutation(at=moment, fix=verdict.fix)).goal == "linked"


def test_closing_the_same_change_again_ships_nothing_new_to_whom_it_failed() -> None:
    first = shipping.judge(READING, Policy())
    assert isinstance(first, Shipped)
    refutation = Refutation(at=NOW, fix=first.fix)
    again = shipping.judge(replace(READING, facts=replace(FACTS, closed_at=NOW + timedelta(hours=1))), Policy())
    assert follow_verdict(again, refutation=refutation).goal == "linked"
    other = replace(CHANGE, sha=OTHER, at=NOW + timedelta(minutes=5))
    reading = replace(
        READING,
        facts=replace(FACTS, closed_at=NOW + timedelta(hours=1)),
        changes=(other,),
        containments=(replace(INSIDE, sha=OTHER),),
    )
    assert follow_verdict(shipping.judge(reading, Policy()), refutation=refutation).goal == "shipped"


@given(
    state=st.sampled_from(["open", "closed", "gone"]),
    outcome=st.sampled_from(["fixed", "declined", "duplicate", "unclear", None]),
    draft=st.booleans(),
    prerelease=st.booleans(),
    exists=st.booleans(),
    published=st.booleans(),
    answers=st.lists(st.sampled_from(["yes", "no", "unknown", "reverted"]), min_size=0, max_size=3),
)
def test_shipped_means_closed_as_fixed_published_and_everything_inside(
    state: Any, outcome: Any, draft: bool, prerelease: bool, exists: bool, published: bool, answers: list[Any]
) -> None:
    changes = tuple(replace(CHANGE, sha=f"{i}" * 40) for i in range(len(answers)))
    reading = IssueReading(
        facts=replace(FACTS, state=state, outcome=outcome),
        read_at=NOW,
        changes=changes,
        releases=(
            replace(
                RELEASE, draft=draft, prerelease=prerelease, exists=exists, published_at=NOW if published else None
            ),
        ),
        containments=tuple(
            Containment(sha=c.sha, release_id="55", answer=a) for c, a in zip(changes, answers, strict=True)
        ),
    )
    is_shipped = isinstance(shipping.judge(reading, Policy()), Shipped)
    assert is_shipped == (
        state == "closed"
        and outcome == "fixed"
        and exists
        and published
        and not draft
        and not prerelease
        and bool(answers)
        and set(answers) == {"yes"}
    )


# --- versions that people set on the issue

VERSION = Version(
    remote_id="10001",
    label="2.4.1",
    url="https://jira.example/projects/ACME/versions/10001",
    released=True,
    released_on=date(2026, 11, 19),
)
PLANNED = replace(VERSION, remote_id="10002", label="2.5.0", released=False, released_on=None)
DONE = replace(FACTS, ref="ACME-12", outcome_label="Fixed")


def set_on_issue(*versions: Version) -> IssueReading:
    return IssueReading(facts=DONE, read_at=NOW, versions=versions)


def shipped(reading: IssueReading, policy: Policy | None = None) -> Shipped:
    verdict = shipping.judge(reading, policy or Policy())
    assert isinstance(verdict, Shipped), verdict
    return verdict


def test_a_released_version_ships_what_was_closed_as_fixed() -> None:
    verdict = shipped(set_on_issue(VERSION))
    assert [(line.kind, line.level, line.label) for line in verdict.evidence] == [
        ("closed", 0, "ACME-12 closed as Fixed"),
        ("version", 2, "version 2.4.1 released"),
    ]
    assert (verdict.label, verdict.public_label, verdict.public_url) == ("2.4.1", "2.4.1", "")
    assert verdict.why == "2.4.1 is released"


@pytest.mark.parametrize(
    ("versions", "policy", "reason"),
    [
        ((), Policy(), "closed as Fixed, but ACME-12 has no fix version"),
        ((PLANNED,), Policy(), "closed as Fixed, but 2.5.0 is not released yet"),
        ((VERSION, PLANNED), Policy(), "closed as Fixed, but 2.5.0 is not released yet"),
        (
            (PLANNED, replace(PLANNED, remote_id="10003", label="2.6.0")),
            Policy(versions="any"),
            "closed as Fixed, but 2.5.0, 2.6.0 are not released yet",
        ),
        ((replace(PLANNED, archived=True),), Policy(), "closed as Fixed, but 2.5.0 is not released yet (archived)"),
        ((replace(PLANNED, released_on=date(2026, 1, 1)),), Policy(), "closed as Fixed, but 2.5.0 is not released yet"),
        ((VERSION,), Policy(tag_pattern="app-*"), "closed as Fixed, but 2.4.1 does not match app-*"),
    ],
)
def test_a_version_short_of_its_release_ships_nothing_and_says_why(
    versions: tuple[Version, ...], policy: Policy, reason: str
) -> None:
    verdict = shipping.judge(set_on_issue(*versions), policy)
    assert isinstance(verdict, NotYet)
    assert verdict.is_fixed
    assert verdict.why == reason


def test_any_released_version_is_enough_where_the_policy_says_so() -> None:
    both = set_on_issue(PLANNED, VERSION)
    assert isinstance(shipping.judge(both, Policy()), NotYet)
    assert shipped(both, Policy(versions="any")).label == "2.4.1"


def test_where_all_have_to_be_released_all_are_named() -> None:
    other = replace(VERSION, remote_id="10002", label="2.5.0", released_on=date(2026, 11, 18))
    assert shipped(set_on_issue(VERSION, other)).label == "2.5.0, 2.4.1"
    secret = replace(other, label="2.5.0 for Bigcorp")
    assert shipped(set_on_issue(VERSION, secret)).public_label == ""


def test_a_version_outside_the_pattern_neither_ships_nor_holds_back() -> None:
    inner = replace(PLANNED, label="internal-7")
    assert shipped(set_on_issue(VERSION, inner), Policy(tag_pattern="[0-9]*")).label == "2.4.1"


@pytest.mark.parametrize("change", [{"remote_id": "66"}, {"label": "2.4.2"}])
def test_another_version_has_another_digest(change: dict[str, Any]) -> None:
    assert shipped(set_on_issue(VERSION)).digest != shipped(set_on_issue(replace(VERSION, **change))).digest


def test_a_day_without_an_hour_is_no_older_than_a_complaint_of_that_day_and_never_in_the_future() -> None:
    morning, evening = datetime(2026, 11, 19, 0, 0, 1, tzinfo=UTC), datetime(2026, 11, 19, 23, 59, 59, tzinfo=UTC)
    at = shipped(set_on_issue(VERSION)).at
    assert shipping.is_newer_than(at, morning)
    assert shipping.is_newer_than(at, evening)
    assert not shipping.is_newer_than(at, datetime(2026, 11, 20, 8, tzinfo=UTC))
    for day in (NOW.date(), NOW.date() + timedelta(days=40), None):
        assert shipped(set_on_issue(replace(VERSION, released_on=day))).at == NOW


def test_closing_again_for_the_refuted_version_ships_nothing_and_another_version_does() -> None:
    first = shipped(set_on_issue(VERSION))
    refutation = Refutation(at=NOW - timedelta(hours=1), fix=first.fix)
    closed_again = replace(DONE, closed_at=NOW)
    again = replace(set_on_issue(VERSION), facts=closed_again)
    assert follow_verdict(shipping.judge(again, Policy()), refutation=refutation).goal == "linked"
    other = replace(again, versions=(replace(VERSION, remote_id="10002", label="2.4.2"),))
    assert follow_verdict(shipping.judge(other, Policy()), refutation=refutation).goal == "shipped"


VERSIONS = st.lists(
    st.builds(
        Version,
        remote_id=st.integers(1, 99).map(str),
        label=st.sampled_from(["2.4.1", "2.5.0", "app-1", "internal"]),
        url=st.just("https://jira.example/v"),
        released=st.booleans(),
        released_on=st.none() | st.dates(date(2026, 1, 1), date(2027, 1, 1)),
        archived=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda version: version.remote_id,
).map(tuple)


@given(
    versions=VERSIONS,
    outcome=st.sampled_from(["fixed", "declined", "duplicate", "unclear"]),
    state=st.sampled_from(["open", "closed", "gone"]),
    needed=st.sampled_from(["all", "any"]),
    pattern=st.sampled_from(["*", "2*", "app-*"]),
    later=st.timedeltas(timedelta(0), timedelta(days=900)),
)
def test_shipped_by_version_means_closed_as_fixed_and_the_released_flag(
    versions: tuple[Version, ...], outcome: Any, state: Any, needed: Any, pattern: str, later: timedelta
) -> None:
    policy = Policy(versions=needed, tag_pattern=pattern)
    reading = IssueReading(facts=replace(DONE, state=state, outcome=outcome), read_at=NOW, versions=versions)
    verdict = shipping.judge(reading, policy)
    flags = [v.released for v in versions if pattern == "*" or v.label.startswith(pattern[:-1])]
    enough = bool(flags) and (all(flags) if needed == "all" else any(flags))
    assert isinstance(verdict, Shipped) == (state == "closed" and outcome == "fixed" and enough)
    if isinstance(verdict, Shipped):
        assert verdict.at <= NOW
        again = shipping.judge(replace(reading, read_at=NOW + later, versions=versions[::-1]), policy)
        assert isinstance(again, Shipped)
        assert (again.digest, again.fix, again.label) == (verdict.digest, verdict.fix, verdict.label)


# --- closed without code


BARE = replace(READING, changes=(), releases=(), containments=())
NEXT = Policy(closed_without_code="next_release")
BY_MILESTONE = Policy(closed_without_code="milestone")
MILESTONE = Version(remote_id="7", label="2.5", url="https://github.example/acme/app/milestone/7", released=True)


def test_without_code_a_person_is_asked_unless_the_policy_names_something_else() -> None:
    verdict = shipping.judge(BARE, Policy())
    assert isinstance(verdict, NotYet)
    assert verdict.asks
    course = follow_verdict(verdict, refutation=None)
    assert course.goal == "fixed"
    assert "a person decides" in course.needs_person
    for policy in (NEXT, BY_MILESTONE):
        assert isinstance(shipping.judge(replace(READING, containments=()), policy), NotYet), (
            "linked code is never guessed"
        )


def test_the_next_release_after_the_close_counts_where_the_policy_says_so_and_is_called_a_guess() -> None:
    before = replace(RELEASE, remote_id="54", label="v2.4.0", published_at=NOW - timedelta(hours=3))
    draft = replace(RELEASE, remote_id="53", label="v2.4.0", draft=True)
    assert why_of(replace(BARE, releases=(before, draft)), NEXT) == (
        "closed as fixed without code; waiting for the next release"
    )
    later = replace(RELEASE, remote_id="56", label="v2.5.0", published_at=NOW)
    verdict = shipping.judge(replace(BARE, releases=(later, before, RELEASE)), NEXT)
    assert isinstance(verdict, Shipped)
    assert verdict.label == "v2.4.1"
    assert [(line.level, "guess" in line.label) for line in verdict.evidence] == [(0, False), (1, True)]
    assert why_of(replace(BARE, releases=(RELEASE,)), replace(NEXT, tag_pattern="app-*"))
    for other in ("closed", "production"):
        assert (
            not isinstance(
                shipping.judge(replace(BARE, releases=(RELEASE,)), replace(NEXT, shipped_when=other)), Shipped
            )
            or other == "closed"
        )


def test_a_closed_milestone_counts_where_the_policy_says_so() -> None:
    verdict = shipping.judge(replace(BARE, milestones=(MILESTONE,)), BY_MILESTONE)
    assert isinstance(verdict, Shipped)
    assert (verdict.label, verdict.public_label) == ("2.5", "2.5")
    still_open = replace(BARE, milestones=(replace(MILESTONE, released=False),))
    assert "milestone 2.5 is still open" in why_of(still_open, BY_MILESTONE)
    none_set = shipping.judge(BARE, BY_MILESTONE)
    assert isinstance(none_set, NotYet)
    assert none_set.asks, "without a milestone a person decides"
    again = shipping.judge(replace(BARE, milestones=(MILESTONE,), read_at=NOW + timedelta(days=2)), BY_MILESTONE)
    assert isinstance(again, Shipped)
    assert again.digest == verdict.digest


# Changes in several repositories

BACKEND = "acme/backend"
THERE = replace(CHANGE, sha=OTHER, label="PR #12 merged as 77aa001", repository=BACKEND)
# With the very ids of this repository's: only the repository tells them apart.
RELEASE_THERE = replace(
    RELEASE,
    label="v1.4.0",
    url="https://github.example/acme/backend/releases/tag/v1.4.0",
    published_at=NOW - timedelta(minutes=30),
    repository=BACKEND,
)
INSIDE_THERE = replace(INSIDE, sha=OTHER, repository=BACKEND)
IN_BOTH = replace(
    READING,
    changes=(CHANGE, THERE),
    facts=replace(FACTS, visible_to_public=True),
    releases=(RELEASE, RELEASE_THERE),
    containments=(INSIDE, INSIDE_THERE),
    repositories=(MappedRepository(name=BACKEND, tag_pattern="v1.*", visible_to_public=True),),
)


def test_a_fix_in_two_repositories_has_shipped_when_each_is_out_at_the_time_of_the_last() -> None:
    verdict = shipping.judge(IN_BOTH, Policy(tag_pattern="v2.*"))
    assert isinstance(verdict, Shipped)
    assert (verdict.label, verdict.public_label) == ("v2.4.1, acme/backend v1.4.0", "v2.4.1")
    assert (verdict.url, verdict.public_url) == (RELEASE.url, RELEASE.url)
    assert verdict.at == RELEASE_THERE.published_at
    assert verdict.fix == f"{SHA},{OTHER}"
    assert [line.label for line in verdict.evidence] == [
        "#12 closed as completed",
        "PR #812 merged as 3f2a91c",
        "3f2a91c contained in v2.4.1",
        "v2.4.1 published",
        "acme/backend PR #12 merged as 77aa001",
        "77aa001 contained in acme/backend v1.4.0",
        "acme/backend v1.4.0 published",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"containments": (INSIDE,)}, "could not say whether acme/backend v1.4.0 contains 77aa001"),
        ({"containments": (INSIDE_THERE,)}, "could not say whether v2.4.1 contains 3f2a91c"),
        ({"releases": (RELEASE,)}, "closed, but no release of acme/backend contains 77aa001 yet"),
        ({"releases": ()}, "no release contains 3f2a91c yet; but no release of acme/backend contains 77aa001 yet"),
        (
            {"containments": (INSIDE, replace(INSIDE_THERE, answer="reverted"))},
            "closed, but 77aa001 was reverted before acme/backend v1.4.0",
        ),
        ({"releases": (RELEASE, replace(RELEASE_THERE, draft=True))}, "acme/backend v1.4.0, which is still a draft"),
        (
            {"repositories": (MappedRepository(name=BACKEND, tag_pattern="server-*"),)},
            "acme/backend v1.4.0, which does not match server-*",
        ),
    ],
)
def test_one_part_missing_is_not_yet_and_says_where(change: dict[str, Any], reason: str) -> None:
    assert reason in why_of(replace(IN_BOTH, **change))


def test_the_digest_changes_with_any_part() -> None:
    other = "acme/core"
    readings = [
        IN_BOTH,
        replace(IN_BOTH, releases=(replace(RELEASE, sha="e" * 40), RELEASE_THERE)),
        replace(IN_BOTH, releases=(RELEASE, replace(RELEASE_THERE, sha="e" * 40))),
        replace(IN_BOTH, repositories=(MappedRepository(name=BACKEND),)),
        replace(
            IN_BOTH,
            changes=(CHANGE, replace(THERE, repository=other)),
            releases=(RELEASE, replace(RELEASE_THERE, repository=other)),
            containments=(INSIDE, replace(INSIDE_THERE, repository=other)),
            repositories=(MappedRepository(name=other, visible_to_public=True),),
        ),
        replace(IN_BOTH, changes=(CHANGE,)),
        replace(IN_BOTH, changes=(THERE,)),
    ]
    verdicts = [shipping.judge(reading, Policy()) for reading in readings]
    assert len({verdict.digest for verdict in verdicts if isinstance(verdict, Shipped)}) == len(readings)


@pytest.mark.parametrize(("label", "read"), [("v1.4.0", "v1.4.0"), ("contoso-7", "")])
def test_a_private_mapped_repository_never_leaks_a_label_whatever_the_issues_own_is(label: str, read: str) -> None:
    reading = replace(
        IN_BOTH,
        changes=(THERE,),
        releases=(replace(RELEASE_THERE, label=label),),
        repositories=(MappedRepository(name=BACKEND),),
    )
    verdict = shipping.judge(reading, Policy())
    assert isinstance(verdict, Shipped)
    assert (verdict.public_label, verdict.public_url) == (read, "")


def test_of_several_mapped_repositories_the_last_release_is_named() -> None:
    last = replace(RELEASE_THERE, label="v9.0.0", repository="acme/core", published_at=NOW)
    reading = replace(
        IN_BOTH,
        changes=(THERE, replace(CHANGE, repository="acme/core")),
        releases=(RELEASE_THERE, last),
        containments=(INSIDE_THERE, replace(INSIDE, repository="acme/core")),
    )
    verdict = shipping.judge(reading, Policy())
    assert isinstance(verdict, Shipped)
    assert (verdict.public_label, verdict.at) == ("v9.0.0", NOW)


def test_production_is_asked_in_each_repository() -> None:
    policy = Policy(shipped_when="production")
    live = Deployment(remote_id="55", environment="production", sha="f" * 40, production=True, succeeded=True, at=NOW)
    there = replace(live, repository=BACKEND, at=NOW + timedelta(minutes=1))
    verdict = shipping.judge(replace(IN_BOTH, deployments=(live, there)), policy)
    assert isinstance(verdict, Shipped)
    assert (verdict.label, verdict.public_url, verdict.at) == ("", "", there.at)
    assert "acme/backend fffffff runs in production" in [line.label for line in verdict.evidence]
    missing = "nothing of acme/backend that runs in production contains 77aa001"
    assert missing in why_of(replace(IN_BOTH, deployments=(live,)), policy)


@given(st.lists(st.booleans(), min_size=1, max_size=4))
def test_every_part_has_to_be_out(out: list[bool]) -> None:
    names = ["", *(f"acme/part-{number}" for number in range(1, len(out)))]
    shas = [f"{number}" * 40 for number in range(len(out))]
    reading = replace(
        READING,
        changes=tuple(replace(CHANGE, sha=sha, repository=name) for name, sha in zip(names, shas, strict=True)),
        releases=tuple(replace(RELEASE, repository=name) for name in names),
        containments=tuple(
            replace(INSIDE, sha=sha, repository=name, answer="yes" if is_out else "no")
            for name, sha, is_out in zip(names, shas, out, strict=True)
        ),
        repositories=tuple(MappedRepository(name=name) for name in names[1:]),
    )
    assert isinstance(shipping.judge(reading, Policy()), Shipped) == all(out)


def test_platforms_wait_for_the_mapped_repository_too() -> None:
    policy = Policy(platforms=(Platform("web", "release", "v2.*"),))
    for platform in ("", "web"):
        assert isinstance(shipping.judge(IN_BOTH, policy, platform), Shipped)
        waiting = shipping.judge(replace(IN_BOTH, releases=(RELEASE,)), policy, platform)
        assert isinstance(waiting, NotYet)
        assert "no release of acme/backend contains" in waiting.why


# One component of a repository


@pytest.mark.parametrize("policy", [Policy(), Policy(shipped_when="closed"), Policy(shipped_when="production"), NEXT])
def test_code_that_touches_nothing_of_the_component_asks_a_person(policy: Policy) -> None:
    outside = replace(READING, changes=(), outside=(CHANGE,), paths=("packages/a", "libs"))
    verdict = shipping.judge(outside, policy)
    assert isinstance(verdict, NotYet)
    assert verdict.why == "closed, but PR #812 merged as 3f2a91c changes nothing under packages/a or libs"
    assert (verdict.asks, verdict.is_fixed, verdict.fix) == (True, True, SHA)
    assert [line.label for line in verdict.evidence] == ["#12 closed as completed", CHANGE.label]


def test_what_lies_outside_beside_a_fix_inside_is_not_waited_for() -> None:
    reading = replace(READING, outside=(replace(CHANGE, sha=OTHER),), paths=("packages/a",))
    assert isinstance(shipping.judge(reading, Policy()), Shipped)

"""A product of several platforms: each ships by itself, and nobody is told before theirs did."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules import shipping
from app.rules.facts import Change, Containment, Deployment, IssueFacts, IssueReading, Release, Version
from app.rules.platforms import Platform, read_platforms, tagged, written
from app.rules.shipping import NotYet, Policy, Shipped

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHA = "3f2a91c" + "0" * 33
FACTS = IssueFacts(
    remote_id="9001",
    ref="#12",
    title="Export hangs",
    url="https://github.example/acme/app/issues/12",
    state="closed",
    updated_at=NOW,
    outcome="fixed",
    outcome_label="completed",
    closed_at=NOW - timedelta(hours=9),
)
CHANGE = Change(sha=SHA, label="PR #812 merged as 3f2a91c", url="https://github.example/pull/812", at=NOW)
POLICY = Policy(platforms=read_platforms("iOS: ios-v*\nAndroid: android-v*\nWeb: deployment web-*"))


def release(label: str, hours_ago: int, remote_id: str) -> Release:
    return Release(
        remote_id=remote_id,
        label=label,
        url=f"https://github.example/releases/{label}",
        sha="f" * 40,
        draft=False,
        prerelease=False,
        published_at=NOW - timedelta(hours=hours_ago),
    )


IOS, ANDROID = release("ios-v2.4", 5, "55"), release("android-v2.4.1", 3, "56")
WEB = Deployment(remote_id="d1", environment="web-live", sha="e" * 40, production=False, succeeded=True, at=NOW)


def reading(*out: Release | Deployment) -> IssueReading:
    return IssueReading(
        facts=FACTS,
        read_at=NOW,
        changes=(CHANGE,),
        releases=tuple(one for one in out if isinstance(one, Release)),
        deployments=tuple(one for one in out if isinstance(one, Deployment)),
        containments=tuple(Containment(sha=SHA, release_id=one.remote_id, answer="yes") for one in out),
    )


def test_a_customer_on_a_platform_waits_for_that_platform_alone() -> None:
    found = reading(IOS)
    on_ios = shipping.judge(found, POLICY, "iOS")
    assert isinstance(on_ios, Shipped)
    assert (on_ios.label, on_ios.at) == ("ios-v2.4", IOS.published_at)
    on_android = shipping.judge(found, POLICY, "Android")
    assert isinstance(on_android, NotYet)
    assert on_android.why == "closed, and 3f2a91c is in ios-v2.4, which does not match android-v*"
    on_web = shipping.judge(found, POLICY, "Web")
    assert isinstance(on_web, NotYet)
    assert on_web.why == "closed, but nothing that runs in web-* contains 3f2a91c yet"


def test_a_platform_that_is_deployed_waits_for_its_environment() -> None:
    on_web = shipping.judge(reading(WEB), POLICY, "Web")
    assert isinstance(on_web, Shipped)
    assert on_web.at == WEB.at
    elsewhere = shipping.judge(reading(replace(WEB, environment="staging", production=True)), POLICY, "Web")
    assert isinstance(elsewhere, NotYet)


def test_whose_platform_nobody_knows_waits_for_all_of_them() -> None:
    for out in [(IOS,), (IOS, ANDROID), (ANDROID, WEB), (WEB,)]:
        verdict = shipping.judge(reading(*out), POLICY)
        assert isinstance(verdict, NotYet), out
    assert verdict.why.startswith("iOS: closed, but no release contains 3f2a91c yet; Android: ")
    everywhere = shipping.judge(reading(IOS, ANDROID, WEB), POLICY)
    assert isinstance(everywhere, Shipped)
    assert everywhere.at == WEB.at, "as late as the last of them"
    assert [line.label for line in everywhere.evidence] == [
        "#12 closed as completed",
        "PR #812 merged as 3f2a91c",
        "iOS: 3f2a91c contained in ios-v2.4",
        "iOS: ios-v2.4 published",
        "Android: 3f2a91c contained in android-v2.4.1",
        "Android: android-v2.4.1 published",
        "Web: eeeeeee runs in web-live",
    ]


def test_two_addresses_are_no_address_and_one_hidden_label_hides_all() -> None:
    policy = Policy(platforms=read_platforms("iOS: ios-v*\nAndroid: android-v*"))
    seen = replace(reading(IOS, ANDROID), facts=replace(FACTS, visible_to_public=True))
    open_to_all = shipping.judge(seen, policy)
    assert isinstance(open_to_all, Shipped)
    assert (open_to_all.public_label, open_to_all.public_url) == ("ios-v2.4, android-v2.4.1", "")
    hidden = shipping.judge(reading(IOS, ANDROID), replace(policy, public_label_pattern=r"ios-v[\d.]+"))
    assert isinstance(hidden, Shipped)
    assert hidden.public_label == ""


def test_a_customer_on_two_platforms_waits_for_both() -> None:
    assert isinstance(shipping.judge(reading(IOS), POLICY, "iOS, Android"), NotYet)
    assert isinstance(shipping.judge(reading(IOS, ANDROID), POLICY, "iOS, Android"), Shipped)


def test_a_platform_that_is_not_in_the_settings_any_more_is_as_good_as_unknown() -> None:
    assert isinstance(shipping.judge(reading(IOS, ANDROID), POLICY, "Windows"), NotYet)
    assert isinstance(shipping.judge(reading(IOS, ANDROID, WEB), POLICY, "Windows"), Shipped)


def test_a_platform_is_a_tag_that_is_called_as_one() -> None:
    assert tagged(POLICY.platforms, ["export", "ios"]) == "iOS"
    assert tagged(POLICY.platforms, ["WEB", "android"]) == "Android, Web"
    assert tagged(POLICY.platforms, ["ios beta"]) == ""
    assert tagged((), ["ios"]) == ""


def test_a_product_without_platforms_judges_every_customer_alike() -> None:
    assert shipping.judge(reading(IOS), Policy(), "iOS") == shipping.judge(reading(IOS), Policy())


def test_other_evidence_on_one_platform_is_other_evidence_for_all() -> None:
    before = shipping.judge(reading(IOS, ANDROID, WEB), POLICY)
    after = shipping.judge(reading(replace(IOS, sha="a" * 40), ANDROID, WEB), POLICY)
    assert isinstance(before, Shipped)
    assert isinstance(after, Shipped)
    assert before.digest != after.digest


def test_versions_that_people_set_are_told_apart_by_platform_too() -> None:
    policy = Policy(platforms=read_platforms("iOS: iOS *\nAndroid: Android *"))
    versions = (
        Version(remote_id="1", label="iOS 2.4", url="", released=True),
        Version(remote_id="2", label="Android 2.4", url="", released=False),
    )
    found = IssueReading(facts=FACTS, read_at=NOW, versions=versions)
    assert isinstance(shipping.judge(found, policy, "iOS"), Shipped)
    assert isinstance(shipping.judge(found, policy, "Android"), NotYet)
    assert isinstance(shipping.judge(found, policy), NotYet)


@given(st.sets(st.sampled_from([IOS, ANDROID, WEB])), st.sampled_from(["", "iOS", "Android", "Web"]))
def test_shipped_to_somebody_means_out_on_their_platform(out: set[Release | Deployment], platform: str) -> None:
    needed = {"iOS": {IOS}, "Android": {ANDROID}, "Web": {WEB}, "": {IOS, ANDROID, WEB}}[platform]
    verdict = shipping.judge(reading(*out), POLICY, platform)
    assert isinstance(verdict, Shipped) == (needed <= out)


def test_platforms_are_written_as_lines() -> None:
    platforms = read_platforms("  iOS :ios-v* \n\nWeb:  deployment   live ")
    assert platforms == (Platform("iOS", "release", "ios-v*"), Platform("Web", "deployment", "live"))
    assert written(platforms) == "iOS: ios-v*\nWeb: deployment live"
    assert read_platforms("") == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("iOS", "'iOS': write a name, a colon and its release tags"),
        (": v*", "write a name"),
        ("iOS:", "write a name"),
        ("Web: deployment", "name the environment"),
        ("iOS: v*\nios: w*", "ios is there twice"),
        ("iOS, iPadOS: v*", "a name has no comma"),
        (f"{'x' * 41}: v*", "at most 40 characters"),
        ("\n".join(f"p{n}: v*" for n in range(21)), "at most 20 platforms"),
    ],
)
def test_a_line_that_means_nothing_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        read_platforms(text)


@given(st.text(max_size=200))
def test_whatever_is_typed_is_read_or_refused_and_what_is_read_stays_the_same(text: str) -> None:
    try:
        platforms = read_platforms(text)
    except ValueError:
        return
    assert read_platforms(written(platforms)) == platforms

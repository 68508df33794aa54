"""Has the fix shipped? Decided from one reading of the issue; every verdict carries its reason.

The ladder: L0 closed as fixed, L1 a merged change is linked, L2 a published release contains it
(or the version that people set on the issue is released), L3 it runs in production. 'Closed' alone is never 'fixed', and 'fixed' alone is never 'shipped'.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase

from app.rules.facts import (
    Change,
    Deployment,
    Evidence,
    IssueReading,
    MappedRepository,
    Outcome,
    OutcomeReason,
    Release,
    ShippedWhen,
    Version,
    VersionsNeeded,
    WithoutCode,
)
from app.rules.platforms import Platform

LOOKS_LIKE_A_VERSION = r"v?\d+(\.\d+){1,3}([-+.]?(alpha|beta|rc|pre|preview|dev|post|patch|build)?[-.]?\d*)?"
"""What a private repository's tag must fully match before the public may read it.

Numbers and the usual words only: any other word in a tag may be a customer's or a project's name.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A tracker's own rules for 'shipped'. `tag_pattern` is a glob over the labels of releases and versions.

    `versions` is for trackers that set versions on the issue: whether each that matches has to be
    released, or one is enough. `closed_without_code` says what stands in for code where none is linked.
    `platforms` ship by themselves, each by its own tags or environment; then `tag_pattern` counts for none.
    """

    shipped_when: ShippedWhen = "release"
    tag_pattern: str = "*"
    public_label_pattern: str = LOOKS_LIKE_A_VERSION
    versions: VersionsNeeded = "all"
    closed_without_code: WithoutCode = "ask"
    platforms: tuple[Platform, ...] = ()
    environment: str = ""
    """A glob over the environments that count; empty for those that the tracker itself calls production."""

    def for_platform(self, platform: Platform) -> Policy:
        """The rules for one platform alone."""
        if platform.ships_by == "deployment":
            return replace(self, platforms=(), shipped_when="production", environment=platform.pattern)
        return replace(self, platforms=(), shipped_when="release", tag_pattern=platform.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """Customers can have the fix.

    `label` and `url` are what engineers call it; `public_label` and `public_url` are what the
    public may read, empty where it may read nothing. `digest` changes whenever the evidence does:
    a text that was frozen under one digest is not sent under another.
    """

    label: str
    url: str
    public_label: str
    public_url: str
    at: datetime
    fix: str
    fixed_at: datetime
    evidence: tuple[Evidence, ...]
    digest: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """Not shipped so far. `is_fixed` tells whether the tracker at least says fixed (L0), `asks` whether only a person can tell."""

    why: str
    is_fixed: bool = False
    asks: bool = False
    fix: str = ""
    fixed_at: datetime | None = None
    evidence: tuple[Evidence, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFixed:
    """Closed, and not as fixed: nobody is told anything unless a person writes it."""

    outcome: Outcome
    reason: OutcomeReason | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The issue was deleted, moved out of sight, or is no longer an issue: a person decides."""

    why: str


Verdict = Shipped | NotYet | NotFixed | Gone


def judge(reading: IssueReading, policy: Policy, platform: str = "") -> Verdict:
    """The verdict on one reading under one policy, for a customer on `platform` (as `platforms.tagged` writes it).

    Where a product has platforms, a customer of whom none is known waits until every one of them has the fix.
    """
    facts = reading.facts
    if facts.state == "gone":
        return Gone(why=facts.gone_why or "the issue is gone from the tracker")
    if facts.state == "open":
        reason = "reopened" if facts.outcome_label == "reopened" else "still open"
        return NotYet(why=f"{facts.ref} is {reason}")
    if facts.outcome == "duplicate":
        where = f" of {facts.canonical_ref}" if facts.canonical_ref else ""
        return NotFixed(
            outcome="duplicate", reason=None, why=f"closed as a duplicate{where}: that ships nothing by itself"
        )
    if facts.outcome == "declined":
        return NotFixed(
            outcome="declined", reason=facts.outcome_reason, why=f"closed as {facts.outcome_label or 'not planned'}"
        )
    if facts.outcome != "fixed":
        return NotFixed(
            outcome="unclear",
            reason=facts.outcome_reason,
            why="closed, and the tracker does not say whether it is fixed",
        )
    if reading.outside and not reading.changes:
        return _outside(reading)
    if policy.shipped_when == "closed":
        return _shipped_by_closing(reading)
    if reading.pending:
        return _waiting(reading, f"closed, but {'; '.join(reading.pending)}")
    if policy.platforms:
        return _shipped_on(reading, policy, platform)
    return _shipped_somewhere(reading, policy)


def _shipped_on(reading: IssueReading, policy: Policy, platform: str) -> Shipped | NotYet:
    names = platform.split(", ")
    wanted = [one for one in policy.platforms if one.name in names] or policy.platforms
    parts = {one.name: _shipped_somewhere(reading, policy.for_platform(one)) for one in wanted}
    return all_of(parts) if len(parts) > 1 else next(iter(parts.values()))


def all_of(parts: Mapping[str, Shipped | NotYet]) -> Shipped | NotYet:
    """One verdict on several parts by name: shipped where each of them is, and as late as the last.

    Only what all of them may be called in public is said: two addresses are no address.
    """
    shipped = {name: part for name, part in parts.items() if isinstance(part, Shipped)}
    evidence = tuple(dict.fromkeys(_named(name, line) for name, part in parts.items() for line in part.evidence))
    fix = ",".join(sorted({sha for part in parts.values() for sha in part.fix.split(",") if sha}))
    times = [part.fixed_at for part in parts.values() if part.fixed_at is not None]
    if len(shipped) < len(parts):
        waiting = {name: part for name, part in parts.items() if isinstance(part, NotYet)}
        return NotYet(
            why="; ".join(f"{name}: {part.why}" for name, part in waiting.items()),
            is_fixed=all(part.is_fixed for part in waiting.values()),
            asks=any(part.asks for part in waiting.values()),
            fix=fix,
            fixed_at=max(times, default=None),
            evidence=evidence,
        )
    last = max(shipped.values(), key=lambda part: part.at)
    labelled = [part for part in shipped.values() if part.label]
    addresses = {part.public_url for part in shipped.values() if part.public_url}
    return Shipped(
        label=", ".join(dict.fromkeys(part.label for part in labelled)),
        url=last.url,
        public_label=", ".join(dict.fromkeys(part.public_label for part in labelled))
        if all(part.public_label for part in labelled)
        else "",
        public_url=addresses.pop() if len(addresses) == 1 else "",
        at=last.at,
        fix=fix,
        fixed_at=max(times),
        evidence=evidence,
        digest=_digest("all", *(text for name, part in sorted(shipped.items()) for text in (name, part.digest))),
        why="; ".join(f"{name}: {part.why}" for name, part in shipped.items()),
    )


def _named(name: str, line: Evidence) -> Evidence:
    """A line of proof that says what part it is for, where it is not for all of them."""
    return line if line.level < 2 else replace(line, label=f"{name}: {line.label}")


def _shipped_somewhere(reading: IssueReading, policy: Policy) -> Shipped | NotYet:
    if policy.shipped_when == "release" and reading.versions is not None:
        return _shipped_by_version(reading, reading.versions, policy)
    if not reading.changes:
        return _without_code(reading, policy)
    if policy.shipped_when == "production":
        return _shipped_by_deployment(reading, policy)
    return _shipped_by_release(reading, policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refutation:
    """A customer said 'still broken' at `at`, of the fix called `fix` (empty where it is not known)."""

    at: datetime
    fix: str = ""


def applies_after(*, fix: str, fixed_at: datetime | None, refutation: Refutation | None) -> bool:
    """Whether a fix may be told to a loop whose customer refuted an earlier one.

    It has to be another fix, closed after the refutation: closing the same change again ships nothing
    new. Trackers' stamps have whole seconds, so the refutation is taken at its second, too.
    """
    if refutation is None:
        return True
    if fixed_at is None or (refutation.fix and fix == refutation.fix):
        return False
    return fixed_at >= refutation.at.replace(microsecond=0)


def is_newer_than(shipment_at: datetime, said_at: datetime) -> bool:
    """Whether the release came after the customer spoke (so that it can be news to them)."""
    return shipment_at >= said_at - timedelta(seconds=1)


def public_label(label: str, *, visible: bool, pattern: str) -> str:
    """What the public may call a release: its label, or nothing where a private name might leak.

    `pattern` must match the whole label. A pattern that is no regular expression matches nothing.
    """
    if visible:
        return label
    try:
        return label if re.fullmatch(pattern, label) else ""
    except re.error:
        return ""


def _closed(reading: IssueReading) -> Evidence:
    facts = reading.facts
    return Evidence(
        kind="closed",
        level=0,
        label=f"{facts.ref} closed as {facts.outcome_label or 'fixed'}",
        url=facts.url,
        at=facts.closed_at,
    )


def _change_lines(changes: Iterable[Change]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(kind="change", level=1, label=_in(c.repository, c.label), url=c.url, at=c.at) for c in changes
    )


def _in(repository: str, label: str) -> str:
    """What people call a thing of a repository: only that of another than the issue's own is named."""
    return f"{repository} {label}" if repository else label


def _fixed_at(reading: IssueReading) -> datetime:
    """When the last part of the fix was done: its newest change, or the close, whichever is later."""
    times = [change.at for change in reading.changes if change.at is not None]
    if reading.facts.closed_at is not None:
        times.append(reading.facts.closed_at)
    return max(times, default=reading.facts.updated_at)


def _fix(reading: IssueReading) -> str:
    """What the fix is called: its changes, or, without any, the very close."""
    if reading.changes:
        return ",".join(sorted(change.sha for change in reading.changes))
    return _fixed_at(reading).isoformat()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _shipped_by_closing(reading: IssueReading) -> Shipped:
    facts = reading.facts
    closed_at = facts.closed_at or facts.updated_at
    return Shipped(
        label="",
        url="",
        public_label="",
        public_url="",
        at=closed_at,
        fix=_fix(reading),
        fixed_at=_fixed_at(reading),
        evidence=(_closed(reading),),
        digest=_digest("closed", facts.remote_id, closed_at.isoformat()),
        why="closed as fixed, which is enough here by the tracker's policy",
    )


def _holds(reading: IssueReading, release: Release) -> dict[str, str]:
    answers = {c.sha: c.answer for c in reading.containments if c.release_id == release.remote_id}
    return {change.sha: answers.get(change.sha, "unknown") for change in reading.changes}


def _shas(changes: Iterable[Change]) -> str:
    return ", ".join(c.sha[:7] for c in changes)


def _in_every_repository(
    reading: IssueReading, policy: Policy, decide: Callable[[IssueReading, Policy], Shipped | NotYet]
) -> Shipped | NotYet:
    """One verdict where a fix has changes in several repositories: it is out when each is out in its own."""
    verdicts = [decide(part, its_policy) for part, its_policy in _parts(reading, policy)]
    if len(verdicts) == 1:
        return verdicts[0]
    evidence = tuple(dict.fromkeys(line for verdict in verdicts for line in verdict.evidence))
    waiting = [verdict for verdict in verdicts if isinstance(verdict, NotYet)]
    if waiting:
        return replace(
            waiting[0],
            why=_together(verdict.why for verdict in waiting),
            fix=_fix(reading),
            fixed_at=_fixed_at(reading),
            evidence=evidence,
        )
    out = [verdict for verdict in verdicts if isinstance(verdict, Shipped)]
    has_own = any(not change.repository for change in reading.changes)
    named = out[0] if has_own else max(out, key=lambda verdict: verdict.at)
    return replace(
        named,
        label=", ".join(verdict.label for verdict in out if verdict.label),
        at=max(verdict.at for verdict in out),
        fix=_fix(reading),
        fixed_at=_fixed_at(reading),
        evidence=evidence,
        digest=_digest("repositories", *(verdict.digest for verdict in out), named.digest),
        why="; ".join(verdict.why for verdict in out),
    )


def _together(reasons: Iterable[str]) -> str:
    first, *others = reasons
    return "; ".join([first, *(reason.removeprefix("closed, ") for reason in others)])


def _parts(reading: IssueReading, policy: Policy) -> Iterator[tuple[IssueReading, Policy]]:
    """The reading by repository, the issue's own first, each with its own tags and its own visibility."""
    mapped = {repository.name: repository for repository in reading.repositories}
    for name in dict.fromkeys(("", *mapped, *(change.repository for change in reading.changes))):
        changes = tuple(change for change in reading.changes if change.repository == name)
        if not changes:
            continue
        part = replace(
            reading,
            changes=changes,
            releases=tuple(release for release in reading.releases if release.repository == name),
            containments=tuple(holds for holds in reading.containments if holds.repository == name),
            deployments=tuple(running for running in reading.deployments if running.repository == name),
        )
        if not name:
            yield part, policy
            continue
        repository = mapped.get(name, MappedRepository(name=name))
        facts = replace(reading.facts, visible_to_public=repository.visible_to_public)
        yield replace(part, facts=facts), replace(policy, tag_pattern=repository.tag_pattern or policy.tag_pattern)


def _of(reading: IssueReading) -> str:
    """' of acme/backend' in one repository's part of a reading, and nothing in that of the issue's own."""
    return next((f" of {change.repository}" for change in reading.changes if change.repository), "")


def _shipped_by_release(reading: IssueReading, policy: Policy) -> Shipped | NotYet:
    return _in_every_repository(reading, policy, _out_by_release)


def _out_by_release(reading: IssueReading, policy: Policy) -> Shipped | NotYet:
    public = _public(reading, policy)
    for release in public:
        if all(answer == "yes" for answer in _holds(reading, release).values()):
            return _shipped_in(reading, release, policy)
    return NotYet(
        why=_why_not_yet(reading, public, policy),
        is_fixed=True,
        fix=_fix(reading),
        fixed_at=_fixed_at(reading),
        evidence=(_closed(reading), *_change_lines(reading.changes)),
    )


def _why_not_yet(reading: IssueReading, public: list[Release], policy: Policy) -> str:
    for release in reversed(public):
        name = _in(release.repository, release.label)
        holds = _holds(reading, release)
        reverted = [c for c in reading.changes if holds[c.sha] == "reverted"]
        if reverted:
            return f"closed, but {_shas(reverted)} was reverted before {name}"
        if any(answer == "yes" for answer in holds.values()):
            missing = [c for c in reading.changes if holds[c.sha] != "yes"]
            return f"closed, but {name} holds only a part of the fix: {_shas(missing)} is missing"
        unknown = [c for c in reading.changes if holds[c.sha] == "unknown"]
        if unknown and release is public[-1]:
            return f"closed, but the tracker could not say whether {name} contains {_shas(unknown)}"
    for release in reading.releases:
        if not release.exists or not all(answer == "yes" for answer in _holds(reading, release).values()):
            continue
        name = _in(release.repository, release.label)
        if release.draft or release.published_at is None:
            return f"closed, and {_shas(reading.changes)} is in {name}, which is still a draft"
        if release.prerelease:
            return f"closed, and {_shas(reading.changes)} is in {name}, which is only a prerelease"
        return f"closed, and {_shas(reading.changes)} is in {name}, which does not match {policy.tag_pattern}"
    return f"closed, but no release{_of(reading)} contains {_shas(reading.changes)} yet"


def _shipped_in(reading: IssueReading, release: Release, policy: Policy) -> Shipped:
    facts = reading.facts
    published = release.published_at
    if published is None:
        raise AssertionError("a public release has a time of publication")
    visible = facts.visible_to_public
    name = _in(release.repository, release.label)
    for_public = public_label(release.label, visible=visible, pattern=policy.public_label_pattern)
    contained = tuple(
        Evidence(
            kind="contained",
            level=2,
            label=f"{c.sha[:7]} contained in {name}",
            url=next((k.url for k in reading.containments if k.sha == c.sha and k.release_id == release.remote_id), ""),
            at=published,
        )
        for c in reading.changes
    )
    return Shipped(
        label=name,
        url=release.url,
        public_label=for_public,
        public_url=release.url if visible else "",
        at=published,
        fix=_fix(reading),
        fixed_at=_fixed_at(reading),
        evidence=(
            _closed(reading),
            *_change_lines(reading.changes),
            *contained,
            Evidence(kind="release", level=2, label=f"{name} published", url=release.url, at=published),
        ),
        digest=_digest(
            "release",
            ",".join(sorted(c.sha for c in reading.changes)),
            release.remote_id,
            release.sha,
            name,
            release.url,
            # A repository made private takes back what was named before.
            for_public,
            str(visible),
        ),
        why=f"{name} contains {_shas(reading.changes)}",
    )


def _outside(reading: IssueReading) -> NotYet:
    """The code that closed the issue is elsewhere in the repository: whether it fixes it here too, only a person can say."""
    change = "changes" if len(reading.outside) == 1 else "change"
    names = ", ".join(one.label for one in reading.outside)
    return NotYet(
        why=f"closed, but {names} {change} nothing under {' or '.join(reading.paths)}",
        is_fixed=True,
        asks=True,
        fix=",".join(sorted(one.sha for one in reading.outside)),
        fixed_at=_fixed_at(replace(reading, changes=reading.outside)),
        evidence=(_closed(reading), *_change_lines(reading.outside)),
    )


def _without_code(reading: IssueReading, policy: Policy) -> Shipped | NotYet:
    """No code is linked: what the policy takes in its place, which the proof calls a guess."""
    if policy.shipped_when == "release" and policy.closed_without_code == "next_release":
        closed_at = reading.facts.closed_at or reading.facts.updated_at
        following = [r for r in _public(reading, policy) if r.published_at is not None and r.published_at > closed_at]
        if following:
            first = following[0]
            label = f"{first.label} is the first release after that; no code is linked, so this is a guess"
            return _guessed(reading, policy, first.remote_id, first.label, first.url, first.published_at, label)
        return _waiting(reading, "closed as fixed without code; waiting for the next release")
    if policy.shipped_when == "release" and policy.closed_without_code == "milestone" and reading.milestones:
        milestone = reading.milestones[0]
        if milestone.released:
            at = _released_at(milestone, reading)
            label = f"milestone {milestone.label} closed; no code is linked, so this is a guess"
            return _guessed(reading, policy, milestone.remote_id, milestone.label, milestone.url, at, label)
        return _waiting(reading, f"closed as fixed without code; milestone {milestone.label} is still open")
    missing = "no commit or merged pull request"
    missing += f" of {reading.code_in} names {reading.facts.ref}" if reading.code_in else " is linked to it"
    return _waiting(reading, f"closed as fixed, but {missing}", asks=True)


def _waiting(reading: IssueReading, why: str, *, asks: bool = False) -> NotYet:
    return NotYet(
        why=why,
        is_fixed=True,
        asks=asks,
        fix=_fix(reading),
        fixed_at=_fixed_at(reading),
        evidence=(_closed(reading), *_change_lines(reading.changes)),
    )


def _guessed(
    reading: IssueReading, policy: Policy, number: str, label: str, url: str, at: datetime | None, line: str
) -> Shipped:
    visible = reading.facts.visible_to_public
    return Shipped(
        label=label,
        url=url,
        public_label=public_label(label, visible=visible, pattern=policy.public_label_pattern),
        public_url=url if visible else "",
        at=at or reading.read_at,
        fix=_fix(reading),
        fixed_at=_fixed_at(reading),
        evidence=(_closed(reading), Evidence(kind="release", level=1, label=line, url=url, at=at)),
        digest=_digest("guess", number, label, url, str(reading.facts.closed_at)),
        why=line,
    )


def _public(reading: IssueReading, policy: Policy) -> list[Release]:
    """The releases that count, in the order of their publication."""
    return sorted(
        (r for r in reading.releases if r.is_public and fnmatchcase(r.label, policy.tag_pattern)),
        key=lambda r: (r.published_at, r.remote_id),
    )


def _shipped_by_version(reading: IssueReading, versions: tuple[Version, ...], policy: Policy) -> Shipped | NotYet:
    counted = sorted((v for v in versions if fnmatchcase(v.label, policy.tag_pattern)), key=_release_order)
    released = [v for v in counted if v.released]
    is_enough = bool(released) and (policy.versions == "any" or len(released) == len(counted))
    if is_enough:
        proof = counted if policy.versions == "all" else released[:1]
        return _shipped_as(reading, proof, policy)
    return NotYet(
        why=_why_not_released(reading, versions, counted, policy),
        is_fixed=True,
        fix=_fix_in(counted) or _fix(reading),
        fixed_at=_fixed_at(reading),
        evidence=(_closed(reading),),
    )


def _release_order(version: Version) -> tuple[date, int, str]:
    """By the day of release, unknown days last; then older ids first. Never by the time of the reading."""
    return version.released_on or date.max, len(version.remote_id), version.remote_id


def _fix_in(versions: Iterable[Version]) -> str:
    """What a fix is called that is known only by its versions: closed again for the same ones, it is the same fix."""
    return ",".join(sorted(version.remote_id for version in versions))


def _names(versions: Iterable[Version]) -> str:
    return ", ".join(version.label for version in versions)


def _why_not_released(
    reading: IssueReading, versions: tuple[Version, ...], counted: list[Version], policy: Policy
) -> str:
    closed = f"closed as {reading.facts.outcome_label or 'fixed'}"
    if not versions:
        return f"{closed}, but {reading.facts.ref} has no fix version"
    if not counted:
        does = "does" if len(versions) == 1 else "do"
        return f"{closed}, but {_names(versions)} {does} not match {policy.tag_pattern}"
    waiting = [version for version in counted if not version.released]
    is_are = "is" if len(waiting) == 1 else "are"
    archived = " (archived)" if all(version.archived for version in waiting) else ""
    return f"{closed}, but {_names(waiting)} {is_are} not released yet{archived}"


def _released_at(version: Version, reading: IssueReading) -> datetime:
    """The end of its day, since its hour is not known: so it is no older than what was said that day.

    A day that is not known, or has not ended, is cut at the reading.
    """
    if version.released_on is None:
        return reading.read_at
    return min(datetime.combine(version.released_on, time(23, 59, 59), UTC), reading.read_at)


def _shipped_as(reading: IssueReading, proof: list[Version], policy: Policy) -> Shipped:
    facts = reading.facts
    public = [
        public_label(v.label, visible=facts.visible_to_public, pattern=policy.public_label_pattern) for v in proof
    ]
    is_are = "is" if len(proof) == 1 else "are"
    return Shipped(
        label=_names(proof),
        url=proof[0].url,
        public_label=", ".join(public) if all(public) else "",
        public_url=proof[0].url if facts.visible_to_public else "",
        at=max(_released_at(version, reading) for version in proof),
        fix=_fix_in(proof),
        fixed_at=_fixed_at(reading),
        evidence=(
            _closed(reading),
            *(
                Evidence(
                    kind="version",
                    level=2,
                    label=f"version {v.label} released",
                    url=v.url,
                    at=_released_at(v, reading) if v.released_on else None,
                )
                for v in proof
            ),
        ),
        digest=_digest("version", *(part for v in proof for part in (v.remote_id, v.label, v.url))),
        why=f"{_names(proof)} {is_are} released",
    )


def _shipped_by_deployment(reading: IssueReading, policy: Policy) -> Shipped | NotYet:
    return _in_every_repository(reading, policy, _out_by_deployment)


def _out_by_deployment(reading: IssueReading, policy: Policy) -> Shipped | NotYet:
    live: dict[str, Deployment] = {}
    for deployment in sorted(reading.deployments, key=lambda d: d.at):
        counts = (
            fnmatchcase(deployment.environment, policy.environment) if policy.environment else deployment.production
        )
        if counts and deployment.succeeded:
            live[deployment.environment] = deployment
    for deployment in live.values():
        answers = {c.sha: c.answer for c in reading.containments if c.release_id == deployment.remote_id}
        if all(answers.get(change.sha) == "yes" for change in reading.changes):
            name = _in(deployment.repository, deployment.sha[:7])
            line = Evidence(
                kind="deployment",
                level=3,
                label=f"{name} runs in {deployment.environment}",
                url=deployment.url,
                at=deployment.at,
            )
            return Shipped(
                label="",
                url=deployment.url,
                public_label="",
                public_url="",
                at=deployment.at,
                fix=_fix(reading),
                fixed_at=_fixed_at(reading),
                evidence=(_closed(reading), *_change_lines(reading.changes), line),
                digest=_digest(
                    "deployment",
                    ",".join(sorted(c.sha for c in reading.changes)),
                    _in(deployment.repository, deployment.environment),
                ),
                why=f"{name} runs in {deployment.environment} and contains {_shas(reading.changes)}",
            )
    return NotYet(
        why=f"closed, but nothing{_of(reading)} that runs in {policy.environment or 'production'} "
        f"contains {_shas(reading.changes)} yet",
        is_fixed=True,
        fix=_fix(reading),
        fixed_at=_fixed_at(reading),
        evidence=(_closed(reading), *_change_lines(reading.changes)),
    )

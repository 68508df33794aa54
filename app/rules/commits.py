"""What a commit's message says about issues, pull requests and other commits; and whether a fix still stands.

Ancestry alone answers neither question. A release whose history holds a fix may have taken it out
again ('This reverts commit …'), and a release line that does not hold it may have its own copy
('(cherry picked from commit …)').
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Standing = Literal["yes", "no", "reverted"]

_CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+"
    r"(?:(?P<named>[\w.-]+/[\w.-]+)?#|https?://[^/\s]+/(?P<linked>[\w.-]+/[\w.-]+)/issues/|GH-)"
    r"(?P<number>[1-9]\d*)\b",
    re.IGNORECASE,
)
_INVISIBLE = re.compile(r"<!--.*?-->|^(?P<fence>```|~~~).*?^(?P=fence)|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_HIDDEN = re.compile(r"<!--.*?-->", re.DOTALL)
_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-f]{7,64})\)")
_REVERTED = re.compile(r"\bThis reverts commit ([0-9a-f]{7,64})\b")
_REVERTED_PULL = re.compile(r"^Reverts (?:[\w.-]+/[\w.-]+)?#([1-9]\d*)\b", re.MULTILINE)
_REVERTED_TITLE = re.compile(r'^Revert ".*\(#([1-9]\d*)\)"(?: \(#\d+\))?$')
_LANDED = re.compile(r"^Merge pull request #([1-9]\d*)\b|\(#([1-9]\d*)\)$")


@dataclass(frozen=True, slots=True)
class IssueName:
    """An issue as a text names it; `repository` is empty where the text means its own repository."""

    repository: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit and what its message says about others.

    `closes` are the issues it claims to close, `lands` the pull requests it brings in, `picks` the
    commits it copies, `reverts` and `reverts_pulls` what it takes out again.
    """

    sha: str
    at: datetime
    subject: str
    parents: tuple[str, ...] = ()
    closes: tuple[IssueName, ...] = ()
    lands: tuple[int, ...] = ()
    picks: tuple[str, ...] = ()
    reverts: tuple[str, ...] = ()
    reverts_pulls: tuple[int, ...] = ()

    @property
    def is_revert(self) -> bool:
        """Whether it takes something out; the words it quotes are then not its own claims."""
        return bool(self.reverts or self.reverts_pulls or self.subject.startswith('Revert "'))


def read_commit(*, sha: str, message: str, at: datetime, parents: tuple[str, ...] = ()) -> Commit:
    """A commit with its message understood."""
    subject = message.strip().partition("\n")[0].strip()
    landed = [a or b for a, b in _LANDED.findall(subject)]
    undone = [*_REVERTED_TITLE.findall(subject), *_REVERTED_PULL.findall(message)]
    return Commit(
        sha=sha,
        at=at,
        subject=subject,
        parents=parents,
        closes=closed_by(message),
        lands=tuple(dict.fromkeys(int(n) for n in landed)),
        picks=tuple(dict.fromkeys(_PICKED.findall(message))),
        reverts=tuple(dict.fromkeys(_REVERTED.findall(message))),
        reverts_pulls=tuple(dict.fromkeys(int(n) for n in undone)),
    )


def closed_by(text: str) -> tuple[IssueName, ...]:
    """The issues a message, title or description closes by keyword; code and hidden comments say nothing.

    The words are GitHub's: https://docs.github.com/issues/tracking-your-work-with-issues/linking-a-pull-request-to-an-issue
    """
    visible = _INVISIBLE.sub(" ", text)
    found = (
        IssueName(repository=(m["named"] or m["linked"] or "").lower(), number=int(m["number"]))
        for m in _CLOSING.finditer(visible)
    )
    return tuple(dict.fromkeys(found))


def names_key(text: str, key: str) -> bool:
    """Whether a text names an issue by its key ('ACME-12'), in any case. Hidden comments name nothing.

    ACME-123 and MY_ACME-12 are other issues' keys; in 'fix-acme-12_export' it is this one's.
    """
    whole = rf"(?<!\w){re.escape(key)}(?![^\W_])"
    return re.search(whole, _HIDDEN.sub(" ", text), re.IGNORECASE) is not None


def closes(names: Iterable[IssueName], *, number: int, repository: str) -> bool:
    """Whether one of the names means issue `number` of `repository`, said inside that repository."""
    return any(name.number == number and name.repository in {"", repository.lower()} for name in names)


def ancestors(sha: str, parents: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Every commit that `sha` grew on, as far as `parents` knows them."""
    found: set[str] = set()
    to_visit = list(parents.get(sha, ()))
    while to_visit:
        parent = to_visit.pop()
        if parent not in found:
            found.add(parent)
            to_visit.extend(parents.get(parent, ()))
    return frozenset(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One fix by all its names.

    Each of `wholes` is the fix by itself (the commit on the branch). Each of `sets` is the fix when
    all its members are there: the commits of a pull request before it was merged, or after it was
    rebased. `pull` is the pull request that brought it.
    """

    wholes: frozenset[str]
    sets: tuple[frozenset[str], ...] = ()
    pull: int | None = None


def standing(fix: Fix, *, commits: Iterable[Commit], is_ancestor: bool) -> Standing:
    """Whether a release holds a fix, after everything its own commits did to it.

    `commits` are those between the fix and the release, oldest first. Taking out any piece takes
    out the fix, because half a fix must not be announced as one; a revert of that revert, or a
    fresh copy of the whole, brings it back. A copy of some pieces is no copy.
    """
    story = _Story(fix, held=is_ancestor)
    for commit in commits:
        story.tell(commit)
    if story.held:
        return "reverted" if story.out else "yes"
    return "no"


class _Story:
    """What happened to a fix so far.

    `out` are the commits that took it out and still do. Each commit bears the marks of what its
    history holds (the fix, the removers), so that a merge is known by what it brought: reverting
    the merge takes just that out again.
    """

    def __init__(self, fix: Fix, *, held: bool) -> None:
        self.held = held
        self.out: set[str] = set()
        self._sets = fix.sets
        self._pieces = frozenset[str]().union(*fix.sets)
        self._picked: set[str] = set()
        self._copies: set[str] = set(fix.wholes)
        self._copy_pulls: set[int] = set() if fix.pull is None else {fix.pull}
        self._removers: dict[str, frozenset[str]] = {}
        self._remover_pulls: dict[int, frozenset[str]] = {}
        self._marks: dict[str, frozenset[str]] = dict.fromkeys((*fix.wholes, *self._pieces), _FIX)

    def tell(self, commit: Commit) -> None:
        marks = [self._marks.get(parent, _NOTHING) for parent in commit.parents]
        brought = _NOTHING.union(*marks[1:]) - marks[0] if len(marks) > 1 else _NOTHING
        self._marks[commit.sha] = _NOTHING.union(*marks)
        if self.held and self._takes_out(commit):
            self.out.add(commit.sha)
            self._remember_removers(commit, frozenset({commit.sha}))
        elif undone := self._undone_by(commit):
            self.out -= undone
            self._remember_copy(commit)
        elif any(_same(sha, self._copies) for sha in commit.picks) or self._completes_a_set(commit):
            self.held = True
            self.out.clear()
            self._remember_copy(commit)
        elif brought:
            if brought & _FIX:
                self._remember_copy(commit)
            if brought - _FIX:
                self._remember_removers(commit, brought - _FIX)

    def _takes_out(self, commit: Commit) -> bool:
        return (
            any(_same(sha, self._copies) or _same(sha, self._pieces) for sha in commit.reverts)
            or any(pull in self._copy_pulls for pull in commit.reverts_pulls)
            or any(_same(sha, self._removers) for sha in commit.picks)
        )

    def _undone_by(self, commit: Commit) -> frozenset[str]:
        by_sha = [self._removers[known] for sha in commit.reverts if (known := _same(sha, self._removers))]
        by_pull = [self._remover_pulls[pull] for pull in commit.reverts_pulls if pull in self._remover_pulls]
        return _NOTHING.union(*by_sha, *by_pull)

    def _completes_a_set(self, commit: Commit) -> bool:
        copied = {known for sha in commit.picks if (known := _same(sha, self._pieces))}
        self._picked |= copied
        return any(copied & members and members <= self._picked for members in self._sets)

    def _remember_copy(self, commit: Commit) -> None:
        self._copies.add(commit.sha)
        self._copy_pulls.update(commit.lands)
        self._marks[commit.sha] |= _FIX

    def _remember_removers(self, commit: Commit, removers: frozenset[str]) -> None:
        self._removers[commit.sha] = removers
        self._remover_pulls.update(dict.fromkeys(commit.lands, removers))
        self._marks[commit.sha] |= removers


_NOTHING: frozenset[str] = frozenset()
_FIX = frozenset({"the fix"})


def _same(sha: str, known: Iterable[str]) -> str | None:
    """The known commit that a whole or shortened sha names."""
    return next((whole for whole in known if whole.startswith(sha)), None)

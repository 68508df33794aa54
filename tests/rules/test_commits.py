"""What commit messages say, and whether a fix still stands after them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.rules.commits import Commit, Fix, IssueName, ancestors, closed_by, closes, names_key, read_commit, standing

AT = datetime(2026, 3, 1, tzinfo=UTC)
FIX = "f" * 40


def sha(letter: str) -> str:
    return letter * 40


def commit(letter: str, message: str, *, parents: tuple[str, ...] = ()) -> Commit:
    return read_commit(sha=sha(letter), message=message, at=AT, parents=parents)


def revert_of(target: str) -> str:
    return f'Revert "something"\n\nThis reverts commit {target}.'


def copy_of(target: str) -> str:
    return f"Something\n\n(cherry picked from commit {target})"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fixes #12", [("", 12)]),
        ("fixed: #12 and closes #13", [("", 12), ("", 13)]),
        ("RESOLVES acme/App#7", [("acme/app", 7)]),
        ("resolve https://github.example/acme/app/issues/9", [("acme/app", 9)]),
        ("Close GH-4", [("", 4)]),
        ("Fixes #12\nfixes #12", [("", 12)]),
        ("refs #12, see #13, part of #14", []),
        ("prefixes #12", []),
        ("fixes#12", []),
        ("fixes #12abc", []),
        ("<!-- Fixes #12 (say which issue) -->\nA change", []),
        ("Write `Fixes #12` in the text", []),
        ("```\nFixes #12\n```\nan example", []),
        ("~~~text\nFixes #12\n~~~\nFixes #3", [("", 3)]),
        ("fixes #0", []),
        ("", []),
    ],
)
def test_only_a_visible_closing_keyword_closes_an_issue(text: str, expected: list[tuple[str, int]]) -> None:
    assert closed_by(text) == tuple(IssueName(repository=r, number=n) for r, n in expected)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ACME-12", True),
        ("ACME-12: repair export", True),
        ("Repair export [acme-12]", True),
        ("feature/Acme-12-export", True),
        ("fix-ACME-12_export", True),
        ("https://jira.acme.example/browse/ACME-12?filter=1", True),
        ("Does not fix ACME-12", True),
        ("`ACME-12`", True),
        ("ACME-123", False),
        ("ACME-12b", False),
        ("ACME-1", False),
        ("XACME-12", False),
        ("MY_ACME-12", False),
        ("ACME 12", False),
        ("ACMEx12", False),
        ("<!-- ACME-12 -->", False),
        ("<!-- the key,\nfor instance ACME-12 -->\nAnd words", False),
        ("", False),
    ],
)
def test_a_key_is_named_as_a_whole_word_in_any_case(text: str, named: bool) -> None:
    assert names_key(text, "ACME-12") is named
    assert names_key(text, "acme-12") is named


def test_an_issue_of_another_repository_is_not_ours() -> None:
    names = closed_by("Fixes other/app#12, closes acme/app#5")
    assert not closes(names, number=12, repository="acme/app")
    assert closes(names, number=5, repository="Acme/App")
    assert closes(closed_by("Fixes #12"), number=12, repository="acme/app")


def test_a_message_names_what_it_lands_copies_and_takes_out() -> None:
    squash = read_commit(sha=FIX, message="Export works again (#812)\n\nFixes #12", at=AT)
    assert squash.lands == (812,)
    assert squash.closes == (IssueName(repository="", number=12),)
    merge = read_commit(sha=FIX, message="Merge pull request #812 from acme/export\n\nExport", at=AT)
    assert merge.lands == (812,)
    picked = read_commit(sha=FIX, message=copy_of(sha("a")), at=AT)
    assert picked.picks == (sha("a"),)
    undone = read_commit(sha=FIX, message=revert_of(sha("a")), at=AT)
    assert undone.reverts == (sha("a"),)
    assert undone.is_revert


def test_a_reverted_pull_request_is_the_outermost_one_named() -> None:
    assert read_commit(sha=FIX, message='Revert "Export (#812)" (#813)', at=AT).reverts_pulls == (812,)
    again = read_commit(sha=FIX, message='Revert "Revert "Export (#812)" (#813)" (#814)', at=AT)
    assert again.reverts_pulls == (813,)
    assert again.lands == (814,)
    by_sha = read_commit(sha=FIX, message=f'Revert "Revert "Export (#812)""\n\nThis reverts commit {sha("a")}.', at=AT)
    assert (by_sha.reverts, by_sha.reverts_pulls) == ((sha("a"),), ())
    assert read_commit(sha=FIX, message="Back out\n\nReverts acme/app#812", at=AT).reverts_pulls == (812,)


def judged(*commits: Commit, fix: Fix | None = None, is_ancestor: bool = True) -> str:
    return standing(fix or Fix(wholes=frozenset({FIX})), commits=commits, is_ancestor=is_ancestor)


def test_a_fix_stands_where_nothing_touches_it() -> None:
    assert judged() == "yes"
    assert judged(commit("a", "Another change")) == "yes"
    assert judged(commit("a", revert_of(sha("b")))) == "yes"
    assert judged(is_ancestor=False) == "no"


def test_a_revert_takes_the_fix_out_and_its_own_revert_brings_it_back() -> None:
    out, back = commit("a", revert_of(FIX)), commit("b", revert_of(sha("a")))
    assert judged(out) == "reverted"
    assert judged(out, back) == "yes"
    assert judged(out, back, commit("c", revert_of(sha("b")))) == "reverted"
    assert judged(out, back, commit("c", revert_of(FIX))) == "reverted"
    assert judged(out, back, commit("c", revert_of(sha("b"))), commit("d", revert_of(sha("c")))) == "yes"


def test_a_shortened_sha_names_the_fix_too() -> None:
    assert judged(commit("a", revert_of(FIX[:9]))) == "reverted"


def test_two_reverts_need_two_ways_back() -> None:
    parts = Fix(wholes=frozenset({FIX}), sets=(frozenset({sha("1"), sha("2")}),))
    first, second = commit("a", revert_of(sha("1"))), commit("b", revert_of(sha("2")))
    assert judged(first, second, commit("c", revert_of(sha("a"))), fix=parts) == "reverted"
    assert judged(first, second, commit("c", revert_of(sha("a"))), commit("d", revert_of(sha("b"))), fix=parts) == "yes"


def test_a_fresh_copy_of_a_reverted_fix_brings_it_back() -> None:
    assert judged(commit("a", revert_of(FIX)), commit("b", copy_of(FIX))) == "yes"


def test_a_copy_on_another_line_holds_the_fix_unless_it_is_reverted_there() -> None:
    copy = commit("a", copy_of(FIX))
    assert judged(copy, is_ancestor=False) == "yes"
    assert judged(copy, commit("b", revert_of(sha("a"))), is_ancestor=False) == "reverted"
    assert judged(commit("b", revert_of(FIX)), is_ancestor=False) == "no"


def test_a_copied_revert_takes_the_fix_out_as_well() -> None:
    out = commit("a", revert_of(FIX))
    assert judged(out, commit("b", revert_of(sha("a"))), commit("c", copy_of(sha("a")))) == "reverted"


def test_reverting_one_commit_of_the_pull_request_takes_out_the_fix() -> None:
    fix = Fix(wholes=frozenset({FIX}), sets=(frozenset({sha("1"), sha("2")}),), pull=812)
    assert judged(commit("a", revert_of(sha("2"))), fix=fix) == "reverted"


def test_copying_some_commits_of_the_pull_request_is_no_fix_and_copying_all_is() -> None:
    fix = Fix(wholes=frozenset({FIX}), sets=(frozenset({sha("1"), sha("2")}),))
    first, second = commit("a", copy_of(sha("1"))), commit("b", copy_of(sha("2")))
    assert judged(first, fix=fix, is_ancestor=False) == "no"
    assert judged(first, second, fix=fix, is_ancestor=False) == "yes"
    assert judged(first, second, commit("c", revert_of(sha("1"))), commit("d", "x"), fix=fix, is_ancestor=False) == (
        "reverted"
    )


def test_the_last_commit_of_a_rebased_pull_request_is_not_the_whole_fix() -> None:
    rebased = Fix(wholes=frozenset(), sets=(frozenset({sha("1"), FIX}),), pull=812)
    assert judged(commit("a", copy_of(FIX)), fix=rebased, is_ancestor=False) == "no"
    assert judged(commit("a", revert_of(FIX)), fix=rebased) == "reverted"


def test_a_revert_is_known_by_the_pull_request_it_takes_out() -> None:
    fix = Fix(wholes=frozenset({FIX}), pull=812)
    out = commit("a", 'Revert "Export (#812)" (#813)')
    assert judged(out, fix=fix) == "reverted"
    assert judged(out, commit("b", 'Revert "Revert "Export (#812)" (#813)" (#814)'), fix=fix) == "yes"
    assert judged(commit("a", 'Revert "Other (#700)" (#813)'), fix=fix) == "yes"


def test_a_merged_revert_is_undone_by_reverting_its_merge() -> None:
    out = commit("a", revert_of(FIX))
    merged = commit("b", "Merge pull request #813 from acme/revert-812", parents=(sha("0"), sha("a")))
    assert judged(out, merged) == "reverted"
    assert judged(out, merged, commit("c", f"This reverts commit {sha('b')}, reversing\nchanges made to 0.")) == "yes"
    assert judged(out, merged, commit("c", "Bring it back\n\nReverts acme/app#813")) == "yes"


def test_reverting_the_merge_that_brought_a_commit_takes_the_commit_out() -> None:
    later = commit("1", "More of it", parents=(FIX,))
    merged = commit("2", "Merge pull request #812 from acme/export", parents=(sha("0"), sha("1")))
    assert judged(later, merged) == "yes"
    assert judged(later, merged, commit("3", revert_of(sha("2")), parents=(sha("2"),))) == "reverted"
    assert judged(later, merged, commit("3", "Out again\n\nReverts acme/app#812", parents=(sha("2"),))) == "reverted"


def test_reverting_a_merge_that_brought_something_else_leaves_the_fix() -> None:
    work = commit("1", "Other work", parents=(sha("0"),))
    merged = commit("2", "Merge pull request #813 from acme/other", parents=(FIX, sha("1")))
    assert judged(work, merged, commit("3", revert_of(sha("2")), parents=(sha("2"),))) == "yes"


def test_ancestors_are_what_a_commit_grew_on() -> None:
    parents = {"d": ("b", "c"), "b": ("a",), "c": ("a",), "e": ("d",)}
    assert ancestors("d", parents) == {"a", "b", "c"}
    assert ancestors("a", parents) == frozenset()

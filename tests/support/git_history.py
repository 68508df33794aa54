"""Real git repositories with the histories that teams really make: merges, squashes, rebases, backports, reverts.

Every answer about ancestry comes from the git program itself, so that tests compare a rule with git
and not with another rule.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_FORMAT = "%x1f".join(("%H", "%P", "%T", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B")) + "%x1e"


class GitError(Exception):
    """The git program refused; the message is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCommit:
    """One commit as `git log` tells it. Times are ISO 8601."""

    sha: str
    parents: tuple[str, ...]
    tree: str
    author_name: str
    author_email: str
    authored_at: str
    committer_name: str
    committer_email: str
    committed_at: str
    message: str


class GitRepository:
    """A bare repository below `root`, with a linked work tree for what only a work tree can do.

    `now` is asked for the date of each commit and tag. Commits touch a file of their own unless
    told otherwise, so that no merge has a conflict.
    """

    def __init__(self, root: Path, *, now: Callable[[], datetime], default_branch: str = "main") -> None:
        self.git_dir = root / "repository.git"
        self._tree = root / "tree"
        self._now = now
        self._count = 0
        self.default_branch = default_branch
        root.mkdir(parents=True, exist_ok=True)
        self._run("-c", f"init.defaultBranch={default_branch}", "init", "-q", "--bare", str(self.git_dir), at=root)
        self.commit("Initial commit", branch=default_branch)

    # What teams do

    def commit(
        self, message: str, *, branch: str = "", files: Mapping[str, str] | None = None, without: str = ""
    ) -> str:
        """A commit on the tip of a branch, `without` a file there; a new branch starts at the default one's. Returns its sha."""
        self._count += 1
        ref = f"refs/heads/{branch or self.default_branch}"
        stamp = f"Octo Cat <octocat@github.test> {int(self._now().timestamp())} +0000"
        tip = self.resolve(ref) or self.resolve(f"refs/heads/{self.default_branch}")
        lines = [f"commit {ref}", "mark :1", f"author {stamp}", f"committer {stamp}", _data(message)]
        if tip:
            lines.append(f"from {tip}")
        for path, text in (files or {f"changes/{self._count}.txt": f"{message}\n"}).items():
            lines += [f"M 100644 inline {path}", _data(text)]
        lines += [f"D {without}"] if without else []
        self._run("fast-import", "--quiet", "--force", text="\n".join([*lines, "", "done", ""]))
        return self._sha(ref)

    def branch(self, name: str, *, at: str = "") -> str:
        """A branch made at, or moved to, a revision (by default the default branch's tip)."""
        sha = self._sha(at or self.default_branch)
        self._run("update-ref", f"refs/heads/{name}", sha)
        return sha

    def delete_branch(self, name: str) -> None:
        """Remove a branch; its commits stay."""
        self._run("update-ref", "-d", f"refs/heads/{name}")

    def merge(self, branch: str, *, into: str, message: str) -> str:
        """A merge commit, also where a fast-forward would do."""
        self._stand_on(into)
        self._work("merge", "-q", "--no-ff", "-m", message, self._sha(branch))
        return self._land(into)

    def squash(self, branch: str, *, into: str, message: str) -> str:
        """All changes of a branch as one new commit."""
        self._stand_on(into)
        self._work("merge", "-q", "--squash", self._sha(branch))
        self._work("commit", "-q", "-m", message)
        return self._land(into)

    def rebase(self, branch: str, *, onto: str) -> str:
        """Copies of a branch's commits on the tip of another one, which moves; always new commits, as GitHub makes them."""
        self._stand_on(branch)
        self._work("rebase", "-q", "--force-rebase", self._sha(onto))
        return self._land(onto)

    def cherry_pick(self, sha: str, *, onto: str, note: bool = True, mainline: int = 0) -> str:
        """A copy of one commit on another branch, with '(cherry picked from commit …)' if `note`."""
        self._stand_on(onto)
        options = (*(("-x",) if note else ()), *(("-m", str(mainline)) if mainline else ()))
        self._work("cherry-pick", *options, sha)
        return self._land(onto)

    def revert(self, sha: str, *, on: str = "", mainline: int = 0) -> str:
        """A commit that takes another one out again, in git's own words."""
        branch = on or self.default_branch
        self._stand_on(branch)
        self._work("revert", "--no-edit", *(("-m", str(mainline)) if mainline else ()), sha)
        return self._land(branch)

    def tag(self, name: str, *, at: str = "", annotated: bool = False) -> str:
        """A tag made or moved; returns what its ref names (for an annotated one: the tag object)."""
        target = self._sha(at or self.default_branch)
        if annotated:
            self._run("tag", "-f", "-a", "-m", name, name, target)
        else:
            self._run("update-ref", f"refs/tags/{name}", target)
        return self._run("rev-parse", f"refs/tags/{name}").strip()

    def delete_tag(self, name: str) -> None:
        """Remove a tag."""
        self._run("update-ref", "-d", f"refs/tags/{name}")

    # What git knows

    def resolve(self, revision: str) -> str | None:
        """The commit that a revision names, peeled; None where there is none."""
        found = self._try("rev-parse", "--verify", "-q", f"{revision}^{{commit}}")
        return found.strip() or None

    def ref(self, name: str) -> tuple[str, str] | None:
        """What a full ref name points at: the object's type and sha."""
        found = self._try("for-each-ref", "--format=%(objecttype) %(objectname) %(refname)", name)
        for line in found.splitlines():
            kind, sha, full = line.split(" ", 2)
            if full == name:
                return kind, sha
        return None

    def tag_object(self, sha: str) -> dict[str, str] | None:
        """An annotated tag by its own sha: its name, message and what it names."""
        if self._try("cat-file", "-t", sha).strip() != "tag":
            return None
        head, _, message = self._run("cat-file", "-p", sha).partition("\n\n")
        fields = dict(line.split(" ", 1) for line in head.splitlines())
        return {"tag": fields["tag"], "message": message.strip(), "sha": fields["object"], "type": fields["type"]}

    def holds_file(self, revision: str, path: str) -> bool:
        """Whether a commit's files include this one."""
        return self._status("cat-file", "-e", f"{revision}:{path}") == 0

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` is `older` or comes after it."""
        return self._status("merge-base", "--is-ancestor", older, newer) == 0

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor of two commits."""
        return self._try("merge-base", one, other).strip() or None

    def counts(self, base: str, head: str) -> tuple[int, int]:
        """How many commits only `base` has, and how many only `head` has."""
        behind, ahead = self._run("rev-list", "--left-right", "--count", f"{base}...{head}").split()
        return int(behind), int(ahead)

    def changed_files(self, base: str, head: str) -> list[tuple[str, str, str]]:
        """What differs between two revisions: GitHub's status, the file, and its name before."""
        found = []
        for line in self._run("diff", "--name-status", "-M", base, head).splitlines():
            kind, first, *second = line.split("\t")
            words = {"A": "added", "D": "removed", "M": "modified", "R": "renamed"}
            found.append((words[kind[0]], second[0] if second else first, first if second else ""))
        return found

    def log(self, revisions: str, *options: str) -> list[LoggedCommit]:
        """Commits of a range such as `a..b`, parents before children."""
        text = self._run("log", "--reverse", "--topo-order", f"--format={_FORMAT}", *options, *revisions.split())
        return [_logged(record) for record in text.split("\x1e") if record.strip()]

    def _stand_on(self, branch: str) -> None:
        if not self._tree.exists():
            self._run("worktree", "add", "-q", "--detach", str(self._tree), self._sha(branch))
        self._work("checkout", "-q", "--detach", self._sha(branch))

    def _land(self, branch: str) -> str:
        sha = self._work("rev-parse", "HEAD").strip()
        self._run("update-ref", f"refs/heads/{branch}", sha)
        return sha

    def _sha(self, revision: str) -> str:
        found = self.resolve(revision)
        if found is None:
            raise GitError(f"{revision} names no commit")
        return found

    def _work(self, *arguments: str) -> str:
        try:
            return self._run(*arguments, at=self._tree)
        except GitError:
            for undo in (("cherry-pick", "--quit"), ("revert", "--quit"), ("reset", "-q", "--hard")):
                self._ask(*undo, at=self._tree)
            raise

    def _run(self, *arguments: str, text: str | None = None, at: Path | None = None) -> str:
        done = self._ask(*arguments, text=text, at=at)
        if done.returncode != 0:
            raise GitError(f"git {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _try(self, *arguments: str) -> str:
        done = self._ask(*arguments)
        return done.stdout if done.returncode == 0 else ""

    def _status(self, *arguments: str) -> int:
        return self._ask(*arguments).returncode

    def _ask(
        self, *arguments: str, text: str | None = None, at: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        stamp = f"{int(self._now().timestamp())} +0000"
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.git_dir.parent),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_EDITOR": "true",
            "GIT_AUTHOR_NAME": "Octo Cat",
            "GIT_AUTHOR_EMAIL": "octocat@github.test",
            "GIT_COMMITTER_NAME": "Octo Cat",
            "GIT_COMMITTER_EMAIL": "octocat@github.test",
            "GIT_AUTHOR_DATE": stamp,
            "GIT_COMMITTER_DATE": stamp,
        }
        return subprocess.run(
            ["git", *arguments], cwd=at or self.git_dir, env=environment, input=text, capture_output=True, text=True
        )


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"


def _logged(record: str) -> LoggedCommit:
    sha, parents, tree, an, ae, at, cn, ce, ct, message = record.strip("\n").split("\x1f", 9)
    return LoggedCommit(
        sha=sha,
        parents=tuple(parents.split()),
        tree=tree,
        author_name=an,
        author_email=ae,
        authored_at=at,
        committer_name=cn,
        committer_email=ce,
        committed_at=ct,
        message=message.rstrip("\n"),
    )

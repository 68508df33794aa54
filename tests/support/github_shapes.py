"""GitHub's JSON, made by us after its published documents; tests/real/test_github_contract.py holds each to them.

`links` is the address of the API, `pages` that of the web pages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.support.git_history import LoggedCommit

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the API and the pages are."""

    links: str
    pages: str


def stamp(at: datetime | None) -> str | None:
    """A time as GitHub writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def node_id(kind: str, number: int | str) -> str:
    """An opaque id, the same for the same thing."""
    return f"{kind}_{hashlib.sha256(f'{kind}{number}'.encode()).hexdigest()[:16]}"


def user_id(login: str) -> int:
    """A login's numeric id."""
    return int(hashlib.sha256(login.encode()).hexdigest()[:7], 16)


def user(login: str, places: Places) -> JSON:
    """Who did something."""
    url = f"{places.links}/users/{login}"
    return {
        "login": login,
        "id": user_id(login),
        "node_id": node_id("U", login),
        "avatar_url": f"{places.pages}/avatars/{user_id(login)}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{places.pages}/{login}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "user_view_type": "public",
        "site_admin": False,
    }


def viewer(login: str, places: Places, at: datetime) -> JSON:
    """The token's own user."""
    return user(login, places) | {
        "name": login.title(),
        "company": None,
        "blog": "",
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "public_repos": 1,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": stamp(at),
        "updated_at": stamp(at),
    }


_REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def repository(
    *, repository_id: int, full_name: str, private: bool, default_branch: str, at: datetime, places: Places
) -> JSON:
    """A repository, whole."""
    owner, _, name = full_name.partition("/")
    url, page = f"{places.links}/repos/{full_name}", f"{places.pages}/{full_name}"
    return {
        "id": repository_id,
        "node_id": node_id("R", repository_id),
        "name": name,
        "full_name": full_name,
        "owner": user(owner, places),
        "private": private,
        "visibility": "private" if private else "public",
        "html_url": page,
        "description": None,
        "fork": False,
        "url": url,
        **{key: url + rest for key, rest in _REPOSITORY_LINKS.items()},
        "git_url": f"git:{page.partition(':')[2]}.git",
        "ssh_url": f"git@github.test:{full_name}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "forks_count": 0,
        "forks": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "watchers": 0,
        "size": 1,
        "default_branch": default_branch,
        "open_issues_count": 0,
        "open_issues": 0,
        "is_template": False,
        "topics": [],
        "has_issues": True,
        "has_projects": True,
        "has_wiki": True,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": False,
        "archived": False,
        "disabled": False,
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "pushed_at": stamp(at),
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "subscribers_count": 0,
        "network_count": 0,
        "license": None,
    }


def milestone(places: Places, full_name: str, fields: JSON) -> JSON:
    """A milestone, as an issue names it."""
    number = fields["number"]
    url = f"{places.links}/repos/{full_name}/milestones/{number}"
    return {
        "id": 1_002_600 + number,
        "node_id": node_id("MI", number),
        "url": url,
        "html_url": f"{places.pages}/{full_name}/milestone/{number}",
        "labels_url": f"{url}/labels",
        "description": None,
        "creator": user("octocat", places),
        "open_issues": 1,
        "closed_issues": 2,
        "due_on": None,
        **fields,
    }


def label(places: Places, full_name: str, name: str) -> JSON:
    """A label of a repository."""
    number = sum(name.encode())
    return {
        "id": number,
        "node_id": node_id("LA", number),
        "url": f"{places.links}/repos/{full_name}/labels/{name}",
        "name": name,
        "color": "ededed",
        "default": False,
        "description": None,
    }


def issue(
    *,
    issue_id: int,
    number: int,
    full_name: str,
    fields: Mapping[str, Any],
    places: Places,
    pull: Mapping[str, Any] | None = None,
) -> JSON:
    """An issue as REST knows it; with `pull` (its merged_at) it is a pull request."""
    url = f"{places.links}/repos/{full_name}/issues/{number}"
    page = f"{places.pages}/{full_name}/{'pull' if pull is not None else 'issues'}/{number}"
    made = {
        "id": issue_id,
        "node_id": node_id("I", issue_id),
        "url": url,
        "repository_url": f"{places.links}/repos/{full_name}",
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": page,
        "number": number,
        "labels": [],
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "author_association": "OWNER",
        "active_lock_reason": None,
        "reactions": reactions(url),
        "performed_via_github_app": None,
        **fields,
    }
    if pull is not None:
        made["draft"] = False
        made["pull_request"] = {
            "url": f"{places.links}/repos/{full_name}/pulls/{number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": pull["merged_at"],
        }
    return made


def reactions(url: str) -> JSON:
    """Nobody reacted."""
    kinds = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(kinds, 0)}


def comment(*, comment_id: int, full_name: str, issue_number: int, fields: Mapping[str, Any], places: Places) -> JSON:
    """A comment on an issue."""
    url = f"{places.links}/repos/{full_name}/issues/comments/{comment_id}"
    return {
        "id": comment_id,
        "node_id": node_id("IC", comment_id),
        "url": url,
        "html_url": f"{places.pages}/{full_name}/issues/{issue_number}#issuecomment-{comment_id}",
        "issue_url": f"{places.links}/repos/{full_name}/issues/{issue_number}",
        "author_association": "OWNER",
        "reactions": reactions(url),
        "performed_via_github_app": None,
        **fields,
    }


def pull_request(
    *,
    pull_id: int,
    number: int,
    full_name: str,
    fields: Mapping[str, Any],
    head: Mapping[str, Any],
    base: Mapping[str, Any],
    places: Places,
) -> JSON:
    """A pull request as it is listed."""
    url, page = f"{places.links}/repos/{full_name}/pulls/{number}", f"{places.pages}/{full_name}/pull/{number}"
    issue_url = f"{places.links}/repos/{full_name}/issues/{number}"
    links = {
        "self": url,
        "html": page,
        "issue": issue_url,
        "comments": f"{issue_url}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{places.links}/repos/{full_name}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{places.links}/repos/{full_name}/statuses/{head['sha']}",
    }
    return {
        "url": url,
        "id": pull_id,
        "node_id": node_id("PR", pull_id),
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue_url,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "number": number,
        "locked": False,
        "draft": False,
        "labels": [],
        "milestone": None,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": head,
        "base": base,
        "_links": {name: {"href": address} for name, address in links.items()},
        "author_association": "OWNER",
        "auto_merge": None,
        **fields,
    }


def merge_state(*, merged: bool, merged_by: JSON | None, commits: int) -> JSON:
    """What a single pull request shows beyond the list's."""
    return {
        "merged": merged,
        "mergeable": None if merged else True,
        "rebaseable": None if merged else True,
        "mergeable_state": "unknown" if merged else "clean",
        "merged_by": merged_by,
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": commits,
        "additions": commits,
        "deletions": 0,
        "changed_files": commits,
    }


def branch_end(*, full_name: str, ref: str, sha: str, whole: JSON, places: Places) -> JSON:
    """Where a pull request comes from or goes to."""
    owner = full_name.partition("/")[0]
    return {"label": f"{owner}:{ref}", "ref": ref, "sha": sha, "user": user(owner, places), "repo": whole}


def commit(logged: LoggedCommit, *, full_name: str, places: Places) -> JSON:
    """A commit as it is listed."""
    url = f"{places.links}/repos/{full_name}/commits/{logged.sha}"
    git_url = f"{places.links}/repos/{full_name}/git/commits/{logged.sha}"
    return {
        "url": url,
        "sha": logged.sha,
        "node_id": node_id("C", logged.sha),
        "html_url": f"{places.pages}/{full_name}/commit/{logged.sha}",
        "comments_url": f"{url}/comments",
        "commit": {
            "url": git_url,
            "author": {"name": logged.author_name, "email": logged.author_email, "date": _z(logged.authored_at)},
            "committer": {
                "name": logged.committer_name,
                "email": logged.committer_email,
                "date": _z(logged.committed_at),
            },
            "message": logged.message,
            "tree": {"sha": logged.tree, "url": f"{places.links}/repos/{full_name}/git/trees/{logged.tree}"},
            "comment_count": 0,
            "verification": _UNSIGNED,
        },
        "author": user("octocat", places),
        "committer": user("octocat", places),
        "parents": [
            {
                "sha": parent,
                "url": f"{places.links}/repos/{full_name}/commits/{parent}",
                "html_url": f"{places.pages}/{full_name}/commit/{parent}",
            }
            for parent in logged.parents
        ],
    }


def changed_file(sha: str, *, full_name: str, status: str, name: str, before: str, places: Places) -> JSON:
    """A file that a commit or pull request changes."""
    made: JSON = {
        "sha": hashlib.sha1(name.encode()).hexdigest(),
        "filename": name,
        "status": status,
        "additions": 1,
        "deletions": 0,
        "changes": 1,
        "blob_url": f"{places.pages}/{full_name}/blob/{sha}/{name}",
        "raw_url": f"{places.pages}/{full_name}/raw/{sha}/{name}",
        "contents_url": f"{places.links}/repos/{full_name}/contents/{name}?ref={sha}",
        "patch": "@@ -0,0 +1 @@",
    }
    return made | ({"previous_filename": before} if before else {})


_UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def _z(iso: str) -> str:
    return datetime.fromisoformat(iso).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def comparison(
    *,
    full_name: str,
    basehead: str,
    base: LoggedCommit,
    merge_base: LoggedCommit,
    counts: tuple[int, int],
    commits: Iterable[LoggedCommit],
    places: Places,
) -> JSON:
    """Two commits compared; `counts` are what only the base has and what only the head has."""
    behind, ahead = counts
    status = {(True, True): "diverged", (True, False): "behind", (False, True): "ahead", (False, False): "identical"}
    page = f"{places.pages}/{full_name}/compare/{basehead}"
    return {
        "url": f"{places.links}/repos/{full_name}/compare/{basehead}",
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": commit(base, full_name=full_name, places=places),
        "merge_base_commit": commit(merge_base, full_name=full_name, places=places),
        "status": status[behind > 0, ahead > 0],
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [commit(one, full_name=full_name, places=places) for one in commits],
        "files": [],
    }


def git_ref(name: str, *, kind: str, sha: str, full_name: str, places: Places) -> JSON:
    """A branch or tag as git has it."""
    folder = "tags" if kind == "tag" else "commits"
    return {
        "ref": name,
        "node_id": node_id("REF", name),
        "url": f"{places.links}/repos/{full_name}/git/{name}",
        "object": {"type": kind, "sha": sha, "url": f"{places.links}/repos/{full_name}/git/{folder}/{sha}"},
    }


def git_tag(sha: str, found: Mapping[str, str], *, full_name: str, at: datetime, places: Places) -> JSON:
    """An annotated tag."""
    url = f"{places.links}/repos/{full_name}/git"
    return {
        "node_id": node_id("T", sha),
        "tag": found["tag"],
        "sha": sha,
        "url": f"{url}/tags/{sha}",
        "message": found["message"],
        "tagger": {"name": "Octo Cat", "email": "octocat@github.test", "date": stamp(at)},
        "object": {"type": found["type"], "sha": found["sha"], "url": f"{url}/commits/{found['sha']}"},
        "verification": _UNSIGNED,
    }


def release(*, release_id: int, full_name: str, fields: Mapping[str, Any], places: Places) -> JSON:
    """A release; `fields` holds what can change."""
    url = f"{places.links}/repos/{full_name}/releases/{release_id}"
    tag = fields["tag_name"]
    page = f"{places.pages}/{full_name}/releases/tag/{f'untagged-{release_id}' if fields['draft'] else tag}"
    return {
        "url": url,
        "html_url": page,
        "assets_url": f"{url}/assets",
        "upload_url": f"{url}/assets{{?name,label}}",
        "tarball_url": None if fields["draft"] else f"{places.links}/repos/{full_name}/tarball/{tag}",
        "zipball_url": None if fields["draft"] else f"{places.links}/repos/{full_name}/zipball/{tag}",
        "id": release_id,
        "node_id": node_id("RE", release_id),
        "author": user("octocat", places),
        "assets": [],
        "immutable": False,
        **fields,
    }


def deployment(*, deployment_id: int, full_name: str, fields: Mapping[str, Any], places: Places) -> JSON:
    """A deployment."""
    url = f"{places.links}/repos/{full_name}/deployments/{deployment_id}"
    return {
        "url": url,
        "id": deployment_id,
        "node_id": node_id("DE", deployment_id),
        "task": "deploy",
        "payload": {},
        "description": None,
        "creator": user("octocat", places),
        "statuses_url": f"{url}/statuses",
        "repository_url": f"{places.links}/repos/{full_name}",
        **fields,
    }


def deployment_status(
    *, status_id: int, deployment_url: str, full_name: str, fields: Mapping[str, Any], places: Places
) -> JSON:
    """One state a deployment was in."""
    return {
        "url": f"{deployment_url}/statuses/{status_id}",
        "id": status_id,
        "node_id": node_id("DES", status_id),
        "creator": user("octocat", places),
        "description": "",
        "target_url": "",
        "deployment_url": deployment_url,
        "repository_url": f"{places.links}/repos/{full_name}",
        **fields,
    }


def timeline_event(
    *, event_id: int, full_name: str, kind: str, login: str, at: datetime, commit_id: str | None, places: Places
) -> JSON:
    """A change of an issue's state, as the timeline lists it."""
    commit_url = f"{places.links}/repos/{full_name}/commits/{commit_id}" if commit_id else None
    return {
        "id": event_id,
        "node_id": node_id("EV", event_id),
        "url": f"{places.links}/repos/{full_name}/issues/events/{event_id}",
        "actor": user(login, places),
        "event": kind,
        "commit_id": commit_id,
        "commit_url": commit_url,
        "created_at": stamp(at),
        "performed_via_github_app": None,
    }


def cross_reference(*, source: JSON, whole: JSON, login: str, at: datetime, places: Places) -> JSON:
    """Another issue or pull request that mentions this one."""
    return {
        "event": "cross-referenced",
        "actor": user(login, places),
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "source": {"type": "issue", "issue": source | {"repository": whole}},
    }


def installation(
    *,
    installation_id: int,
    app_id: int,
    slug: str,
    account: str,
    permissions: Mapping[str, str],
    at: datetime,
    places: Places,
) -> JSON:
    """Where an app is installed."""
    return {
        "id": installation_id,
        "account": user(account, places),
        "repository_selection": "selected",
        "access_tokens_url": f"{places.links}/app/installations/{installation_id}/access_tokens",
        "repositories_url": f"{places.links}/installation/repositories",
        "html_url": f"{places.pages}/settings/installations/{installation_id}",
        "app_id": app_id,
        "app_slug": slug,
        "target_id": 1,
        "target_type": "Organization",
        "permissions": dict(permissions),
        "events": [],
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }


def hook_delivery(
    *,
    delivery_id: int,
    guid: str,
    event: str,
    action: str | None,
    status: int | None,
    is_again: bool,
    repository_id: int,
    at: datetime,
) -> JSON:
    """One attempt of a webhook call; without a status nobody answered."""
    arrived = status is not None and 200 <= status < 300
    return {
        "id": delivery_id,
        "guid": guid,
        "delivered_at": stamp(at),
        "redelivery": is_again,
        "duration": 0.05,
        "status": "OK" if arrived else f"Invalid HTTP Response: {status}" if status else "failed to connect to host",
        "status_code": status or 0,
        "event": event,
        "action": action,
        "installation_id": None,
        "repository_id": repository_id,
        "throttled_at": None,
    }


def hook(
    *, hook_id: int, full_name: str, url: str, events: Sequence[str], active: bool, at: datetime, places: Places
) -> JSON:
    """A webhook; its secret is never shown."""
    address = f"{places.links}/repos/{full_name}/hooks/{hook_id}"
    return {
        "type": "Repository",
        "id": hook_id,
        "name": "web",
        "active": active,
        "events": list(events),
        "config": {"url": url, "content_type": "json", "insecure_ssl": "0", "secret": "********"},
        "updated_at": stamp(at),
        "created_at": stamp(at),
        "url": address,
        "test_url": f"{address}/tests",
        "ping_url": f"{address}/pings",
        "deliveries_url": f"{address}/deliveries",
        "last_response": {"code": None, "status": "unused", "message": None},
    }

"""One honest example of each thing the API answers with, for those who read its description."""

from __future__ import annotations

from typing import Any

_SEEN = "2026-03-02T09:14:05Z"
_SHIPPED = "2026-03-04T16:20:00Z"
_TOLD = "2026-03-04T16:51:12Z"

_HEALTHY = {
    "ok": True,
    "why": "",
    "last_read_at": _TOLD,
    "rejected_webhooks": 0,
    "last_rejected_at": None,
    "last_rejected_why": "",
    "created_at": "2026-03-01T08:00:00Z",
}
ACCOUNT: dict[str, Any] = {
    "id": 1,
    "name": "Acme",
    "settings": {"base_url": "https://mastodon.example", "first_days": 3},
    "url": "https://mastodon.example/@acme",
    **_HEALTHY,
    "hook_url": "https://fullcircle.example/hooks/accounts/1",
    "channel": "mastodon",
    "handle": "acme@mastodon.example",
    "mode": "approve",
    "last_sent_at": _TOLD,
}
TRACKER: dict[str, Any] = {
    "id": 1,
    "name": "acme/app",
    "settings": {"api_url": "https://api.github.com", "repository": "acme/app", "shipped_when": "release"},
    "url": "https://github.com/acme/app",
    **_HEALTHY,
    "hook_url": "https://fullcircle.example/hooks/trackers/1",
    "kind": "github",
    "visible_to_public": True,
}
POST: dict[str, Any] = {
    "id": 1,
    "account_id": 1,
    "channel": "mastodon",
    "external_id": "109000000000000001",
    "url": "https://other.example/@ana/109000000000000001",
    "text": "@acme the CSV export hangs at 99 %",
    "author": "ana@other.example",
    "author_details": {
        "identity_id": 1,
        "customer_id": 1,
        "handle": "ana@other.example",
        "name": "Ana",
        "url": "https://other.example/@ana",
        "followers": 840,
        "weak": False,
    },
    "state": "tagged",
    "came_by": "network",
    "parent_id": None,
    "thread_id": "https://other.example/users/ana/statuses/109000000000000001",
    "language": "en",
    "visibility": "public",
    "content_warning": "",
    "media": [],
    "created_at": "2026-03-02T09:13:40Z",
    "edited_at": None,
    "gone_at": None,
    "gone_why": "",
    "loop_id": 1,
    "answers_reply_id": None,
    "heard": "",
}
_CLOSED = {
    "kind": "closed",
    "level": 0,
    "label": "#12 closed as completed",
    "url": "https://github.com/acme/app/issues/12",
    "at": "2026-03-03T11:02:00Z",
}
_RELEASED = {
    "kind": "release",
    "level": 2,
    "label": "v2.4.1",
    "url": "https://github.com/acme/app/releases/tag/v2.4.1",
    "at": _SHIPPED,
}
ISSUE_BRIEF: dict[str, Any] = {
    "id": 1,
    "tracker_id": 1,
    "ref": "#12",
    "title": "Export to CSV hangs at 99 %",
    "url": "https://github.com/acme/app/issues/12",
    "state": "closed",
    "outcome": "fixed",
    "outcome_reason": None,
    "why": "shipped in v2.4.1",
}
ISSUE: dict[str, Any] = {
    **ISSUE_BRIEF,
    "waiting": 3,
    "held": False,
    "held_why": "",
    "closed_at": "2026-03-03T11:02:00Z",
    "read_at": _TOLD,
    "block": "",
    "pull_request": {"url": "https://github.com/acme/app/pull/812", "why": ""},
    "evidence": [_CLOSED, _RELEASED],
    "shipment": {
        "label": "v2.4.1",
        "url": "https://github.com/acme/app/releases/tag/v2.4.1",
        "evidence": [_CLOSED, _RELEASED],
        "at": _SHIPPED,
        "public_label": "v2.4.1",
        "first_seen_at": "2026-03-04T16:21:08Z",
    },
    "platforms": [],
    "loops": [1, 4, 9],
}
REPLY_BRIEF: dict[str, Any] = {
    "id": 1,
    "loop_id": 1,
    "round": 1,
    "kind": "fixed",
    "state": "posted",
    "why": "said",
    "text": "@ana@other.example Thank you for telling us! The fix is out in v2.4.1. Does it work for you now?",
    "count": 86,
    "limit": 500,
    "cut": False,
    "language": "en",
    "visibility": "unlisted",
    "content_warning": "",
    "written_by": None,
    "approved_by": "Kim",
    "due_at": _TOLD,
    "external_id": "109000000000000042",
    "url": "https://mastodon.example/@acme/109000000000000042",
    "posted_at": _TOLD,
    "task": None,
}
REPLY: dict[str, Any] = {
    **REPLY_BRIEF,
    "answers_url": POST["url"],
    "price": None,
    "attempts": [
        {"number": 1, "started_at": "2026-03-04T16:51:11Z", "ended_at": _TOLD, "outcome": "posted", "detail": "said"}
    ],
}
NOTE: dict[str, Any] = {"id": 1, "author": "Kim", "text": "Asked for a log by e-mail.", "at": "2026-03-02T10:00:00Z"}
LOOP_BRIEF: dict[str, Any] = {
    "id": 1,
    "state": "told",
    "why": "told; waiting for the customer's answer",
    "needs_person": "",
    "untold": "",
    "round": 1,
    "tags": ["export"],
    "platform": "",
    "team": None,
    "assignee": "Kim",
    "verification": None,
    "clock": {
        "seen": _SEEN,
        "tagged": "2026-03-02T09:20:00Z",
        "linked": "2026-03-02T09:20:00Z",
        "fixed": "2026-03-03T11:02:31Z",
        "shipped": "2026-03-04T16:21:08Z",
        "told": _TOLD,
        "verified": None,
    },
}
LOOP: dict[str, Any] = {
    **LOOP_BRIEF,
    "customer": {"id": 1, "identity_id": 1, "suppression": None},
    "posts": [POST],
    "issue": ISSUE_BRIEF,
    "replies": [REPLY_BRIEF],
    "notes": [NOTE],
    "history": [{"at": "2026-03-02T09:20:00Z", "what": "tagged", "why": "export", "actor": "Kim"}],
}

_ON_MASTODON: dict[str, Any] = {
    "id": 1,
    "channel": "mastodon",
    "handle": "ana@other.example",
    "name": "Ana",
    "url": "https://other.example/@ana",
    "followers": 840,
    "weak": False,
    "joined_at": None,
    "joined_by": "",
    "suppression": None,
}
_ON_BLUESKY: dict[str, Any] = {
    **_ON_MASTODON,
    "id": 7,
    "channel": "bluesky",
    "handle": "ana.example",
    "url": "https://bsky.app/profile/ana.example",
    "joined_at": "2026-03-03T08:00:00Z",
    "joined_by": "Kim",
}
CUSTOMER_BRIEF: dict[str, Any] = {"id": 1, "identities": [_ON_MASTODON, _ON_BLUESKY], "suppression": None}
CUSTOMER: dict[str, Any] = {
    **CUSTOMER_BRIEF,
    "posts": [POST],
    "loops": [LOOP_BRIEF],
    "told": [REPLY_BRIEF],
    "history": [
        {
            "at": "2026-03-03T08:00:00Z",
            "what": "joined",
            "why": "ana.example on bluesky, who was customer 5",
            "actor": "Kim",
        }
    ],
    "likely": [],
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "AccountOut": ACCOUNT,
    "TrackerOut": TRACKER,
    "PostOut": POST,
    "Suggestions": {
        "items": [{"issue": ISSUE_BRIEF, "score": 0.62, "why": "shares export, csv, hangs · 3 waiting"}],
    },
    "IssueOut": ISSUE,
    "LoopOut": LOOP,
    "CustomerOut": CUSTOMER,
    "ReplyOut": REPLY,
    "NoteOut": NOTE,
    "DeliveryOut": {
        "id": 7,
        "key": "480000001:0b3c6d5e-0000-11f1-8000-000000000001",
        "event": "issues.closed",
        "state": "done",
        "why": "1 issue(s) to look at",
        "received_at": "2026-03-03T11:02:02Z",
    },
    "TemplateOut": {
        "kind": "fixed",
        "account_id": None,
        "language": "en",
        "text": "{{ customer }}, the fix is out in {{ version }}. Does it work for you now?",
        "shipped": False,
        "changed_at": "2026-03-01T08:00:00Z",
        "changed_by": "Kim",
    },
    "VoiceOut": {"on": True, "changed_at": None, "changed_by": ""},
    "PulledPosts": {"posts": 2},
    "PulledIssues": {"issues": 5},
    "Stored": {"stored": True},
    "Problem": {
        "type": "about:blank",
        "title": "Some of it cannot be used",
        "status": 422,
        "detail": "/post_id: Input should be a valid integer",
        "errors": [{"pointer": "/post_id", "message": "Input should be a valid integer"}],
    },
}
"""By the name of the shape."""

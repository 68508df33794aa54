"""The JSON API: `/api/v1`, `/hooks`, and what operators ask."""

from __future__ import annotations

from fastapi import APIRouter

from app.api import accounts, customers, hooks, issues, loops, operations, posts, replies, templates, trackers, voice


def routers() -> list[APIRouter]:
    """Every router of the API, for the composition root to include."""
    api = APIRouter(prefix="/api/v1")
    for part in (accounts, posts, customers, loops, replies, trackers, issues, templates, voice):
        api.include_router(part.router)
    # Routes are tried in this order: what calls most comes first.
    return [hooks.router, operations.router, api]

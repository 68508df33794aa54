"""Who may do what on the pages: the same roles as in the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from app.steps.people import Role

Right = Literal["look", "triage", "engineering", "approval", "admin", "voice_on"]

ROLES_OF: Mapping[Right, tuple[Role, ...]] = {
    "look": ("triager", "engineer", "approver", "admin"),
    "triage": ("triager", "approver", "admin"),
    "engineering": ("engineer", "approver", "admin"),
    "approval": ("approver", "admin"),
    "voice_on": ("approver", "admin"),
    "admin": ("admin",),
}
"""`look` is everybody who is signed in, and takes in notes and switching the public voice off."""

DEEDS: Mapping[Right, str] = {
    "look": "look at this",
    "triage": "tag, link and write",
    "engineering": "say what is for customers",
    "approval": "decide what is said",
    "voice_on": "switch the public voice on again",
    "admin": "change connections and people",
}


def may(role: str, right: Right) -> bool:
    """Whether a role has a right."""
    return role in ROLES_OF[right]


def why_not(role: str, right: Right) -> str:
    """Why a role may not, for a person to read; empty where it may."""
    if may(role, right):
        return ""
    wanted = " or ".join(_one(other) for other in ROLES_OF[right])
    return f"Only {wanted} can {DEEDS[right]}. You are {_one(role)}."


def _one(role: str) -> str:
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"

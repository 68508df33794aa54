"""The platforms of one product, each of which ships by itself: what an admin writes down, and what it means.

A customer's platform is a tag on the loop that is called as one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

MOST = 20
LONGEST_NAME = 40
_DEPLOYED = "deployment"


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform. `pattern` is a glob over release labels, or over environments where it ships by deployment."""

    name: str
    ships_by: Literal["release", "deployment"]
    pattern: str


def read_platforms(text: str) -> tuple[Platform, ...]:
    """Platforms as lines of 'name: tags' or 'name: deployment environment'. ValueError names the line that is wrong."""
    found: dict[str, Platform] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, colon, rule = (" ".join(part.split()) for part in line.partition(":"))
        if not colon or not name or not rule:
            message = f"'{line[:60]}': write a name, a colon and its release tags, for instance iOS: ios-v*"
            raise ValueError(message)
        if "," in name:
            message = f"'{name[:60]}': a name has no comma"
            raise ValueError(message)
        if len(name) > LONGEST_NAME:
            message = f"'{name[:60]}': a name has at most {LONGEST_NAME} characters"
            raise ValueError(message)
        if name.casefold() in found:
            message = f"{name} is there twice"
            raise ValueError(message)
        word, _, environment = rule.partition(" ")
        if word.casefold() == _DEPLOYED and not environment.strip():
            message = f"'{line[:60]}': name the environment, for instance Web: deployment production"
            raise ValueError(message)
        found[name.casefold()] = (
            Platform(name, "deployment", environment.strip())
            if word.casefold() == _DEPLOYED
            else Platform(name, "release", rule)
        )
    if len(found) > MOST:
        message = f"at most {MOST} platforms"
        raise ValueError(message)
    return tuple(found.values())


def tagged(platforms: Iterable[Platform], tags: Iterable[str]) -> str:
    """The platforms that these tags name, in the admin's words and order, with commas between; empty where they name none."""
    words = {" ".join(tag.split()).casefold() for tag in tags}
    return ", ".join(one.name for one in platforms if one.name.casefold() in words)


def written(platforms: tuple[Platform, ...]) -> str:
    """The same as lines again, in one form however they were typed."""
    return "\n".join(
        f"{one.name}: {f'{_DEPLOYED} ' if one.ships_by == 'deployment' else ''}{one.pattern}" for one in platforms
    )

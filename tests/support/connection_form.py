"""What a connect form and a documentation page need of an adapter's two models."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, SecretStr

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROOFS = ("**Real server**", "**Official contract**", "**Documented shapes only**")
"""How a channel may have been proven. What was never run against the real thing, or a contract its maker wrote, is the last."""


def assert_drawable(settings: type[BaseModel], secrets: type[BaseModel]) -> None:
    """Each field can be put on a form, and each secret is one that no repr shows."""
    for model in (settings, secrets):
        for name, field in model.model_fields.items():
            assert field.title, f"{model.__name__}.{name} has no title"
            assert field.description, f"{model.__name__}.{name} has no description"
        assert model.model_json_schema(mode="validation")["type"] == "object"
    for name, field in secrets.model_fields.items():
        kinds = getattr(field.annotation, "__args__", (field.annotation,))
        assert set(kinds) <= {SecretStr, type(None)}, f"{secrets.__name__}.{name} is no SecretStr"


def assert_page(sort: str, name: str, settings: type[BaseModel], secrets: type[BaseModel]) -> None:
    """docs/<sort>/<name>.md exists and names every setting and secret."""
    page = (DOCS / sort / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith("# ")
    missing = [field for model in (settings, secrets) for field in model.model_fields if f"`{field}`" not in page]
    assert not missing, f"docs/{sort}/{name}.md does not name {missing}"


def assert_says_how_it_was_proven(page: str) -> None:
    """The page's section of that name begins with the one word for it, and every test it names is there."""
    told = page.partition("\n## How it was proven\n")[2].partition("\n## ")[0].strip()
    assert told, "the page needs a section '## How it was proven'"
    said = [proof for proof in PROOFS if proof in told]
    assert len(said) == 1, f"'## How it was proven' must say one of {', '.join(PROOFS)}; it says {said}"
    assert told.startswith(said[0]), f"'## How it was proven' must begin with {said[0]}"
    named = re.findall(r"`(tests/[^`\s]*)`", told)
    assert any(path.endswith(".py") for path in named), "'## How it was proven' must name the tests"
    missing = [path for path in named if not (ROOT / path).exists()]
    assert not missing, f"'## How it was proven' names {missing}, which are not there"
    if said[0] == PROOFS[0]:
        first = told.partition("\n\n")[0]
        assert "tests/real/" in first or "the whole network" in first, "a real server's tests are in tests/real/"


def hides_secrets(*things: object, secrets: Iterable[str]) -> None:
    """No repr or str of these holds a secret."""
    for thing in things:
        told = f"{thing!r} {thing!s}"
        assert not [secret for secret in secrets if secret and secret in told]

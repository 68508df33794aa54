"""What a connect form and a documentation page need of an adapter's two models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, SecretStr

DOCS = Path(__file__).parents[2] / "docs"


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


def hides_secrets(*things: object, secrets: Iterable[str]) -> None:
    """No repr or str of these holds a secret."""
    for thing in things:
        told = f"{thing!r} {thing!s}"
        assert not [secret for secret in secrets if secret and secret in told]

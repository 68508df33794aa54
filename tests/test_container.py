"""The container's files: what linters say of them, and what they promise about safety."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from compose_spec import PyOptions

from app import __version__
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
VARIABLE = re.compile(r"\$\{(\w+):(?:-([^}]*)|\?[^}]*)\}")


def filled(text: str) -> str:
    """As Compose reads it with every required variable given."""
    return VARIABLE.sub(lambda found: found[2] if found[2] is not None else "given", text)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    options = PyOptions()
    options.apply_merge = True
    compose = options.from_yaml(filled(COMPOSE))
    compose.validate()
    found: dict[str, Any] = compose.to_dict()["services"]
    return found


def test_the_dockerfile_passes_its_linter() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_started_is_started_without_a_shell() -> None:
    commands = re.findall(r"^\s*(?:HEALTHCHECK .*\\\n\s*)?(?:CMD|ENTRYPOINT) (.+)$", DOCKERFILE, re.MULTILINE)
    assert len(commands) == 3
    assert all(command.startswith('["') for command in commands)


def test_the_image_runs_as_a_number_that_is_not_root() -> None:
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)


def test_the_builder_is_sent_what_it_copies_and_nothing_else() -> None:
    sent = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    copied = {
        name.removeprefix("./")
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for name in line.split()
    }
    assert sent == copied
    assert all((ROOT / name).exists() for name in sent)


def test_every_setting_that_is_given_exists() -> None:
    known = {f"FULLCIRCLE_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"(FULLCIRCLE_\w+)=", DOCKERFILE)) <= known
    assert set(re.findall(r"^  +(FULLCIRCLE_\w+):", COMPOSE, re.MULTILINE)) <= known


def test_no_secret_has_a_default() -> None:
    for name in ("FULLCIRCLE_DATABASE_PASSWORD", "FULLCIRCLE_SECRET_KEY"):
        assert re.search(rf"\$\{{{name}:\?", COMPOSE)
        assert not re.search(rf"\$\{{{name}(?!:\?)", COMPOSE)


def test_every_service_is_read_only_and_has_no_rights_it_does_not_need(services: dict[str, Any]) -> None:
    assert set(services) == {"service", "worker", "database"}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == "unless-stopped", name


def test_only_this_machine_reaches_the_service_and_nobody_outside_reaches_the_database(
    services: dict[str, Any],
) -> None:
    assert [str(port) for port in services["service"]["ports"]] == ["127.0.0.1:8000:8000"]
    assert "ports" not in services["worker"]
    assert "ports" not in services["database"]
    assert services["database"]["networks"] == ["inside"]


def test_the_image_carries_this_version() -> None:
    assert f"image: fullcircle:{__version__}\n" in COMPOSE

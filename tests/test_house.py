"""The law of the house, run by machine: what a reviewer would otherwise have to notice each time."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from app import channels, trackers
from app.settings import Settings

ROOT = Path(__file__).parents[1]
NOT_OURS = {".git", ".venv", "build", "data", "node_modules", "__pycache__", ".hypothesis"}
LOCKS = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.lock"), *ROOT.glob("tests/real/*.lock")])
ADAPTERS = [("channels", name) for name in sorted(channels.discover())] + [
    ("trackers", name) for name in sorted(trackers.discover())
]


def _files() -> Iterator[Path]:
    for folder, names, files in os.walk(ROOT):
        names[:] = [n for n in names if n not in NOT_OURS and not n.endswith((".egg-info", "_cache"))]
        yield from (Path(folder, name) for name in files)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _pins(lock: str) -> dict[str, str]:
    """Package to version, from the lines `name==version ; marker \\`."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", _read(ROOT / lock), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def test_the_package_holds_every_file_of_the_product(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "."]
    subprocess.run(pip, cwd=tmp_path, check=True, stdin=subprocess.DEVNULL)
    (wheel,) = tmp_path.glob("*.whl")

    packed = set(zipfile.ZipFile(wheel).namelist())

    ours = {p.relative_to(tmp_path).as_posix() for p in (tmp_path / "app").rglob("*") if p.is_file()}
    assert ours - packed == set(), "name these in [tool.setuptools.package-data]"
    assert any(name.endswith("/LICENSE") for name in packed)


def test_imports_go_one_way(capsys: pytest.CaptureFixture[str]) -> None:
    broken = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert not broken, capsys.readouterr().out


def test_every_file_of_the_product_says_what_it_is() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("app/**/*.py")
        if (source := _read(path)) and not ast.get_docstring(ast.parse(source))
    ]
    assert silent == [], "these files start without a docstring"


def test_nothing_in_the_product_is_left_for_later() -> None:
    unfinished = [
        f"{path.relative_to(ROOT).as_posix()}:{number}"
        for path in ROOT.glob("app/**/*")
        if path.suffix in {".py", ".html", ".css", ".js"}
        for number, line in enumerate(_read(path).splitlines(), start=1)
        if re.search(r"\b(TODO|FIXME)\b", line)
    ]
    assert unfinished == [], "finish it, or file it where work is planned"


def test_no_file_knows_one_persons_machine() -> None:
    home_folder = re.compile(r"(?<![\w.~/-])/(?:root|home|Users)/\w")
    personal = [
        f"{path.relative_to(ROOT).as_posix()}:{number}"
        for path in _files()
        for number, line in enumerate(_read(path).splitlines(), start=1)
        if home_folder.search(line)
    ]
    assert personal == [], "a path inside somebody's home folder means nothing elsewhere"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place_and_pins_everything_by_hash(lock: str) -> None:
    text = _read(ROOT / lock)
    assert "://" not in text, "an installation chooses its own index"
    assert not re.search(r"^\s*--(?!hash=sha256:[0-9a-f]{64}\b)", text, re.MULTILINE), "a lock holds no pip options"
    unhashed = re.findall(r"^[A-Za-z0-9][^\n]*[^\\\n]$", text, re.MULTILINE)
    assert unhashed == [], "each pin goes on with its hashes"


def test_npm_packages_are_pinned_by_hash_and_from_no_place() -> None:
    lock = json.loads(_read(ROOT / "tests/real/package-lock.json"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in packages.items() if "resolved" in entry or "integrity" not in entry] == []


def test_the_commands_fetch_from_no_named_place() -> None:
    scripts = [ROOT / "Makefile", ROOT / ".ci/run", *(ROOT / "scripts").iterdir()]
    named = [path.name for path in scripts if re.search(r"://(?!127\.0\.0\.1|localhost)", _read(path))]
    assert named == [], "packages come by name, from wherever the machine gets its packages"


@pytest.mark.parametrize(
    ("lock", "groups"), [("requirements.lock", ["build"]), ("requirements-dev.lock", ["build", "dev"])]
)
def test_the_lock_fits_what_the_project_asks_for(lock: str, groups: list[str]) -> None:
    project = tomllib.loads(_read(ROOT / "pyproject.toml"))
    asked = [*project["project"]["dependencies"], *(r for g in groups for r in project["dependency-groups"][g])]
    pins = _pins(lock)
    unfit = [
        text
        for text in asked
        if (wish := Requirement(text))
        and not wish.specifier.contains(Version(pins.get(canonicalize_name(wish.name), "0")))
    ]
    assert unfit == [], f"{lock} is out of date: make lock"


def test_what_is_tested_is_what_runs() -> None:
    tested = _pins("requirements-dev.lock")
    different = {name: version for name, version in _pins("requirements.lock").items() if tested.get(name) != version}
    assert different == {}, "the two locks disagree: make lock"


@pytest.mark.parametrize(("kind", "name"), ADAPTERS)
def test_every_adapter_has_its_page_and_its_payloads(kind: str, name: str) -> None:
    page = ROOT / "docs" / kind / f"{name}.md"
    assert page.is_file(), "an operator needs to know how to connect it and what it can do"
    assert _read(page).startswith("# ")
    payloads = ROOT / "tests/payloads" / kind / name
    assert payloads.is_dir(), f"the contract tests need payloads in {payloads.relative_to(ROOT)}"
    assert any(payloads.iterdir()), f"no payloads in {payloads.relative_to(ROOT)}"


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"FULLCIRCLE_{name.upper()}" in _read(ROOT / "README.md")


def test_the_readme_names_only_settings_that_exist() -> None:
    named = set(re.findall(r"FULLCIRCLE_([A-Z_]+[A-Z])", _read(ROOT / "README.md")))
    assert named - {name.upper() for name in Settings.model_fields} == set()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_documented_make_commands_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", _read(ROOT / "Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^\s*(?:\$ )?)make ([a-z-]+)", _read(ROOT / page), re.MULTILINE))
    assert named, f"{page} names no command at all"
    assert named <= targets

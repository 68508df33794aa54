"""What an operator sets: defaults that work on one machine, and bounds that hold whatever is set."""

from __future__ import annotations

import base64
import secrets
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from app.assembly import sealer
from app.sealing import SealedWithAnotherKeyError, Sealer, key_from_file
from app.settings import Settings
from app.store.session import DatabaseAddressError, engine_address


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"FULLCIRCLE_{name.upper()}", raising=False)


def test_the_defaults_are_the_documented_ones() -> None:
    settings = Settings()
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8000, Path("data"))
    assert settings.database == "sqlite:///data/fullcircle.db"
    assert (settings.backoff_seconds, settings.lease_seconds, settings.call_seconds) == (30, 60, 10)
    assert settings.settle_seconds is None, "each tracker's own"
    assert settings.own_url == "http://127.0.0.1:8000"


@given(lease=st.floats(0.01, 10_000), call=st.floats(0.01, 10_000))
def test_a_call_always_ends_in_less_than_half_the_lease(lease: float, call: float) -> None:
    settings = Settings(lease_seconds=lease, http_seconds=call)
    assert 0 < settings.call_seconds < lease / 2
    assert settings.call_seconds <= call


@pytest.mark.parametrize(
    ("given", "own_url"),
    [
        ({"base_url": "https://fullcircle.example/"}, "https://fullcircle.example"),
        ({"base_url": "https://acme.example/fullcircle"}, "https://acme.example/fullcircle"),
        ({"host": "0.0.0.0", "port": 9000}, "http://127.0.0.1:9000"),
        ({"host": "::"}, "http://[::1]:8000"),
        ({"host": "::1"}, "http://[::1]:8000"),
        ({"host": "fullcircle.internal"}, "http://fullcircle.internal:8000"),
    ],
)
def test_its_own_address_is_one_that_can_be_reached(given: dict[str, object], own_url: str) -> None:
    assert Settings.model_validate(given).own_url == own_url


@pytest.mark.parametrize(
    "given",
    [
        {"base_url": "fullcircle.example"},
        {"base_url": "ftp://fullcircle.example"},
        {"base_url": "https://user:password@fullcircle.example"},
        {"base_url": "https://fullcircle.example/?a=1"},
        {"base_url": "https://fullcircle.example:port"},
        {"port": 65_536},
        {"lease_seconds": 0},
        {"poll_seconds": 0},
        {"settle_seconds": -1},
        {"log_format": "xml"},
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(given)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"FULLCIRCLE_{name.upper()}", "")
    assert Settings().port == 8000


def test_settings_show_no_secret() -> None:
    settings = Settings(secret_key=SecretStr("a secret that is long"), database_url="postgresql://u:a-secret@db/x")
    assert "a-secret" not in repr(settings)
    assert "a secret" not in repr(settings)


@pytest.mark.parametrize(
    ("address", "driver", "query"),
    [
        ("sqlite:////var/lib/x.db", "sqlite+aiosqlite", {}),
        ("postgresql://u:p@db/x", "postgresql+asyncpg", {}),
        ("postgres://u:p%40@db:5433/x?sslmode=require", "postgresql+asyncpg", {"ssl": "require"}),
        ("postgresql:///x?host=/run/postgresql", "postgresql+asyncpg", {"host": "/run/postgresql"}),
    ],
)
def test_a_database_address_is_as_operators_write_it(address: str, driver: str, query: dict[str, str]) -> None:
    url = engine_address(address)
    assert (url.drivername, dict(url.query)) == (driver, query)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "mysql://u:hunter2@db/x",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://u:hunter2@db:x/y",
        "postgresql://u:hunter2@db/x?pool=1",
    ],
)
def test_any_other_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(DatabaseAddressError) as refused:
        engine_address(address)
    assert "hunter2" not in str(refused.value)
    assert "FULLCIRCLE_DATABASE_URL" in str(refused.value)


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"
    key = key_from_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_from_file(path) == key
    assert len(base64.urlsafe_b64decode(key)) == 32


def test_keys_are_changed_without_a_gap(tmp_path: Path) -> None:
    old, new = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    sealed = Sealer(old).seal({"token": "t"})
    both = sealer(Settings(secret_key=SecretStr(f"{new}, {old}"), data_dir=tmp_path))
    assert both.open(sealed) == {"token": "t"}
    resealed = both.seal({"token": "t"})
    assert Sealer(new).open(resealed) == {"token": "t"}, "the first key seals"
    with pytest.raises(SealedWithAnotherKeyError):
        Sealer(new).open(sealed)
    with pytest.raises(ValueError, match="at least 16"):
        Sealer("short")
    assert not (tmp_path / "secret.key").exists(), "a given key is not written down"

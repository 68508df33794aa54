"""What an operator sets, from the environment (`FULLCIRCLE_*`). Read by the composition roots only."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting has a default that works on one machine."""

    model_config = SettingsConfigDict(env_prefix="FULLCIRCLE_", env_ignore_empty=True)

    database_url: str = Field(
        "",
        repr=False,
        description="`sqlite:///path` or `postgresql://user:password@host/name`. Default: SQLite in the data folder.",
    )
    data_dir: Path = Field(
        Path("data"), description="Where the embedded database, the secret key and the sign-in link live."
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Seals stored credentials. Default: made on first start in the data folder. "
        "Several keys separated by commas: the first seals, all of them open.",
    )
    base_url: str = Field("", description="Fullcircle's own public address, for webhook addresses and links.")
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535, description="The port to listen on.")] = 8000
    product: str = Field("", description="The product's name, as replies may call it.")
    poll_seconds: Annotated[
        float | None,
        Field(gt=0, description="Upper bound for every read that no webhook asked for. Default: each adapter's own."),
    ] = None
    settle_seconds: Annotated[
        float | None, Field(ge=0, description="Overrides every tracker's own settle delay (1800; 0 on rehearsal).")
    ] = None
    backoff_seconds: Annotated[
        float, Field(gt=0, description="First wait after a failed attempt; doubles, up to an hour.")
    ] = 30
    lease_seconds: Annotated[float, Field(gt=0, description="A claim older than this is taken over, as `unknown`.")] = (
        60
    )
    http_seconds: Annotated[
        float,
        Field(gt=0, description="Bounds one call to the outside. Where it is not less than half the lease, it is cut."),
    ] = 10
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="`json`, `text`, or `auto`: text on a terminal, JSON elsewhere."
    )

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value:
            return value
        if not _is_own_address(value):
            raise ValueError("enter a web address, for instance https://fullcircle.example")
        return value.rstrip("/")

    @property
    def call_seconds(self) -> float:
        """How long one call to the outside may take: a call has to end long before its claim is taken over."""
        return min(self.http_seconds, self.lease_seconds * 0.4)

    @property
    def own_url(self) -> str:
        """Fullcircle's own address: as set, or as it listens."""
        return self.base_url or f"http://{_reachable(self.host)}:{self.port}"

    @property
    def database(self) -> str:
        """The database's address: as set, or SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'fullcircle.db'}"


def _is_own_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        has_place = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and has_place and not (parts.query or parts.fragment or parts.username)


def _reachable(host: str) -> str:
    """The host as it stands in an address; whoever listens everywhere is reached on this machine too."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "127.0.0.1"
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return f"[{host}]" if address.version == 6 else host

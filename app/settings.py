"""What an operator sets, from the environment (`FULLCIRCLE_*`). Read by the composition roots only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting has a default that works on one machine."""

    model_config = SettingsConfigDict(env_prefix="FULLCIRCLE_", env_ignore_empty=True)

    database_url: str = Field(
        "",
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
        float, Field(gt=0, description="Bounds one call to the outside. Always less than half the lease.")
    ] = 10
    log_format: str = Field("auto", description="`json`, `text`, or `auto`: text on a terminal, JSON elsewhere.")

    @field_validator("base_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @model_validator(mode="after")
    def _calls_end_before_leases(self) -> Self:
        if self.http_seconds * 2 >= self.lease_seconds:
            raise ValueError(
                f"FULLCIRCLE_HTTP_SECONDS ({self.http_seconds:g}) must be less than half of "
                f"FULLCIRCLE_LEASE_SECONDS ({self.lease_seconds:g}): a call has to end long before its claim is taken over"
            )
        return self

    @property
    def own_url(self) -> str:
        """Fullcircle's own address: as set, or as it listens."""
        return self.base_url or f"http://{self.host}:{self.port}"

    @property
    def database(self) -> str:
        """The database's address: as set, or SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'fullcircle.db'}"

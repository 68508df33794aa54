"""Opens the adapter of a stored account or tracker: unsealed, with an HTTP client of its own, kept until it changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from app.elsewhere import Elsewhere
from app.http import make_client
from app.ports import Channel, Connection, Keeper, Meter, OutsideError, Pocket, Registry, Stage, Tally, Tracker
from app.sealing import SealedWithAnotherKeyError, Sealer
from app.store import tables
from app.store.keeping import StoredKeeper
from app.store.session import Database
from app.store.spending import StoredMeter


@dataclass(slots=True)
class _Kept:
    version: int
    remote_id: str
    client: httpx.AsyncClient
    adapter: Any


class UnknownKindError(ValueError):
    """No channel or tracker of that name is installed."""


def plain_secrets(secrets: BaseModel) -> dict[str, Any]:
    """An adapter's secrets in the form that is sealed, unset ones left out."""
    values = {name: getattr(secrets, name) for name in type(secrets).model_fields}
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in values.items()
        if value is not None
    }


class Outside:
    """Everything that is not us, reached through adapters.

    One client for each connection, so that a slow network keeps nobody else waiting; a changed
    connection gets a new one, and the old one ends when its last call has.
    """

    def __init__(
        self,
        registry: Registry,
        sealer: Sealer,
        *,
        db: Database,
        stage: Stage,
        now: Callable[[], datetime],
        base_url: str,
        http_seconds: float,
        version: str,
        make_http: Callable[[], httpx.AsyncClient] | None = None,
    ) -> None:
        self.registry = registry
        self.base_url = base_url
        self._sealer = sealer
        self._db = db
        self._renewal_lasts = timedelta(seconds=http_seconds * 3)  # asking anew, then by the secrets, then who we are
        self._stage = stage
        self._now = now
        self._make_http = make_http or (lambda: make_client(seconds=http_seconds, version=version))
        self._kept: dict[tuple[str, int], _Kept] = {}
        self._retired: list[httpx.AsyncClient] = []

    def channel_type(self, name: str) -> type[Channel]:
        """The channel of that name, or UnknownKindError."""
        try:
            return self.registry.channels[name]
        except KeyError:
            raise UnknownKindError(
                f"there is no channel of that name; there are {', '.join(sorted(self.registry.channels))}"
            ) from None

    def channel_type_of(self, row: tables.Account) -> type[Channel]:
        """The channel of an account; `Elsewhere` where this installation has no adapter for it."""
        return self.registry.channels.get(row.channel, Elsewhere)

    def has_adapter(self, row: tables.Account) -> bool:
        """Whether anything can be read or said through the account by us."""
        return row.channel in self.registry.channels

    def tracker_type(self, name: str) -> type[Tracker]:
        """The tracker of that name, or UnknownKindError."""
        try:
            return self.registry.trackers[name]
        except KeyError:
            raise UnknownKindError(
                f"there is no tracker of that name; there are {', '.join(sorted(self.registry.trackers))}"
            ) from None

    def seal(self, secrets: BaseModel) -> str:
        """An adapter's secrets, sealed."""
        return self._sealer.seal(plain_secrets(secrets))

    def seal_values(self, values: Mapping[str, Any]) -> str:
        """Anything that holds secrets of a connection that is being made, sealed."""
        return self._sealer.seal(values)

    def open_values(self, sealed: str) -> dict[str, Any]:
        """What was sealed so; SealedWithAnotherKeyError where the key does not fit."""
        return self._sealer.open(sealed)

    async def seal_kept(self, pocket: Pocket) -> str:
        """What a new connection was given to keep, sealed; never the same text twice."""
        return self._sealer.seal(await pocket.kept())

    def keeper(self, row: tables.Account | tables.Tracker) -> Keeper:
        """What keeps a stored connection's changing credentials."""
        lease = self._renewal_lasts
        if isinstance(row, tables.Account):
            return StoredKeeper(self._db, self._sealer, tables.Account, row.id, lease=lease)
        return StoredKeeper(self._db, self._sealer, tables.Tracker, row.id, lease=lease)

    def meter(self, row: tables.Account | tables.Tracker) -> Meter:
        """What counts the money that a stored connection's calls cost. No tracker charges for any."""
        return StoredMeter(self._db, row.id) if isinstance(row, tables.Account) else Tally()

    def opened(self, row: tables.Account | tables.Tracker) -> dict[str, Any]:
        """A connection's secrets. OutsideError `auth_broken` where the key does not fit."""
        try:
            return self._sealer.open(row.secrets)
        except SealedWithAnotherKeyError as error:
            raise OutsideError(f"{row.name}: {error}", "auth_broken") from error

    def hook_url(self, row: tables.Account | tables.Tracker) -> str:
        """Where the other side calls us."""
        return f"{self.base_url}/hooks/{row.__tablename__}s/{row.id}"

    def channel(self, row: tables.Account) -> Channel:
        """The adapter of a connected account; what stands in for it where there is none."""
        if not self.has_adapter(row):
            return Elsewhere()
        adapter: Channel = self._adapter("account", row, self.channel_type(row.channel))
        return adapter

    def wording_channel(self, row: tables.Account) -> Channel:
        """What counts and fits the texts of an account: its adapter. Nothing is asked of the outside.

        Where a person posts them, an adapter that cannot be opened (its settings no longer fit, its secrets are
        sealed with another key) keeps no text from being made. OutsideError everywhere else.
        """
        try:
            return self.channel(row)
        except OutsideError:
            if row.mode != "by_hand":
                raise
            return Elsewhere()

    def tracker(self, row: tables.Tracker) -> Tracker:
        """The adapter of a connected tracker."""
        adapter: Tracker = self._adapter("tracker", row, self.tracker_type(row.kind))
        return adapter

    def imagined(self, row: tables.Tracker) -> tuple[Tracker, httpx.AsyncClient]:
        """The adapter of a tracker whose row is not stored like this; the caller closes the client."""
        client = self._make_http()
        kind = self.tracker_type(row.kind)
        return kind(self._connection(row, kind, client)), client

    def unproven(
        self, kind: type[Any], settings: BaseModel, secrets: BaseModel, keeper: Keeper, meter: Meter
    ) -> tuple[Any, httpx.AsyncClient]:
        """An adapter for a connection that is being made or changed; the caller closes the client."""
        client = self._make_http()
        connection = Connection(
            settings=settings,
            secrets=secrets,
            http=client,
            now=self._now,
            base_url=self.base_url,
            stage=self._stage,
            keeper=keeper,
            meter=meter,
        )
        return kind(connection), client

    def _adapter(self, sort: str, row: tables.Account | tables.Tracker, kind: type[Any]) -> Any:
        kept = self._kept.get((sort, row.id))
        if kept is not None and kept.version == row.version and kept.remote_id == row.remote_id:
            return kept.adapter
        if kept is not None:
            self._retired.append(kept.client)
        client = self._make_http()
        adapter = kind(self._connection(row, kind, client))
        self._kept[(sort, row.id)] = _Kept(row.version, row.remote_id, client, adapter)
        return adapter

    def _connection(
        self, row: tables.Account | tables.Tracker, kind: type[Any], client: httpx.AsyncClient
    ) -> Connection:
        try:
            settings = kind.Settings.model_validate(row.settings)
            secrets = kind.Secrets.model_validate(self.opened(row))
        except ValidationError as error:
            raise OutsideError(
                f"{row.name}: its settings no longer fit ({_fields(error)}); save them again", "misconfigured"
            ) from None
        return Connection(
            settings=settings,
            secrets=secrets,
            http=client,
            now=self._now,
            base_url=self.base_url,
            remote_id=row.remote_id,
            facts=row.facts,
            stage=self._stage,
            keeper=self.keeper(row),
            meter=self.meter(row),
        )

    async def close(self) -> None:
        """End all connections."""
        for client in (*self._retired, *(kept.client for kept in self._kept.values())):
            await client.aclose()
        self._kept.clear()
        self._retired.clear()


def _fields(error: ValidationError) -> str:
    return ", ".join(".".join(str(part) for part in item["loc"]) for item in error.errors(include_input=False))


def setting(row: tables.Tracker | tables.Account, name: str, default: Any) -> Any:
    """One of a connection's settings by name, where its adapter has it."""
    settings: Mapping[str, Any] = row.settings
    value = settings.get(name)
    return default if value is None else value

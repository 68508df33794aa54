"""A channel that has what no channel on this machine has: a page on which an admin lets us in, and a price list.

Its square is the rehearsal's, so it is played on like that; its office hands out permits by code, as OAuth 2.0 does.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import BaseModel, Field, SecretStr

from app.channels.rehearsal import Rehearsal, RehearsalSettings
from app.ports import Channel, OutsideError, PostPage, Price, Profile, Registry
from app.rules.facts import Outgoing, Sent
from tests.support.circle import Circle

PAGE = "https://permit.example/authorize"
CLIENT = {"client_id": "our-client", "client_secret": "the-clients-secret"}
CODE_LIVES = timedelta(seconds=30)


@dataclass
class Office:
    """The network's side: who may come in by which code, and whom each permit is for."""

    codes: dict[str, tuple[str, str, str, datetime]] = field(default_factory=dict)
    permits: dict[str, str] = field(default_factory=dict)
    exchanges: int = 0
    quota: dict[str, Any] = field(default_factory=lambda: {"remaining": 74, "limit": 75})
    expires_at: datetime | None = None
    page: str = PAGE

    def agree(self, page: str, *, as_: str, now: datetime) -> dict[str, str]:
        """Somebody says yes on the network's page; what the browser is sent back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(page).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = (asked["code_challenge"], asked["redirect_uri"], as_, now + CODE_LIVES)
        return {"state": asked["state"], "code": code}

    def exchange(self, code: str, verifier: str, redirect_uri: str, *, now: datetime) -> str:
        """A permit for a code, once."""
        self.exchanges += 1
        challenge, address, brand, until = self.codes.pop(code, ("", "", "", now))
        fits = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        if until <= now or fits != challenge or redirect_uri != address:
            raise OutsideError("the code is used up or expired: go to the network's page once more", "auth_broken")
        permit = f"permit-{self.exchanges}"
        self.permits[permit] = brand
        return permit


class PermitSettings(RehearsalSettings):
    """As on the square, and a budget."""

    monthly_budget_usd: Decimal = Field(Decimal(5), ge=0, title="Monthly budget", description="In US dollars.")


class PermitSecrets(BaseModel):
    """The client, and what it was given."""

    client_id: SecretStr = Field(title="Client id", description="From the network's developer pages.")
    client_secret: SecretStr = Field(title="Client secret", description="Beside it.")
    access_token: SecretStr | None = Field(None, title="Access token", description="Where there is one already.")


READ, LINK, WORDS = Decimal("0.001"), Decimal("0.20"), Decimal("0.01")


class Permit(Rehearsal):
    """`Authorizing` and `Priced`."""

    name: ClassVar[str] = "permit"
    title: ClassVar[str] = "Permit"
    Settings: ClassVar[type[BaseModel]] = PermitSettings
    Secrets: ClassVar[type[BaseModel]] = PermitSecrets
    granted: ClassVar[tuple[str, ...]] = ("access_token",)
    office: ClassVar[Office]

    def authorization_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        asked = {"state": state, "code_challenge": challenge, "redirect_uri": redirect_uri}
        return f"{self.office.page}?{urlencode(asked)}"

    async def exchange(self, *, code: str, verifier: str, redirect_uri: str) -> None:
        async def renewal(_kept: dict[str, Any]) -> dict[str, Any]:
            now = self._connection.now()
            return {"permit": self.office.exchange(code, verifier, redirect_uri, now=now)}

        keeper = self._connection.keeper
        await keeper.renew(await keeper.kept(), renewal)

    async def _permit(self) -> str:
        given: SecretStr | None = self._connection.secrets.access_token
        permit = (await self._connection.keeper.kept()).get("permit") or (given and given.get_secret_value())
        if permit not in self.office.permits:
            raise OutsideError("the permit was taken back", "auth_broken")
        return str(permit)

    async def _charge(self, usd: Decimal) -> None:
        await self._connection.meter.charge(usd, budget=self._connection.settings.monthly_budget_usd)

    async def connect(self) -> Profile:
        brand = self.office.permits[await self._permit()]
        await self._charge(READ)
        profile = await super().connect()
        return Profile(
            remote_id=f"permit:{brand}",
            handle=brand,
            url=profile.url,
            scopes=("read", "write"),
            expires_at=self.office.expires_at,
            quota=self.office.quota,
        )

    async def pull(self, *, cursor: str | None, since: datetime) -> AsyncIterator[PostPage]:
        await self._permit()
        async for page in super().pull(cursor=cursor, since=since):
            yield page

    def price(self, text: str) -> Price:
        word = next((word for word in text.split() if word.endswith(".md") or "://" in word), "")
        return Price(usd=LINK, why=f"{word} becomes a link on Permit") if word else Price(usd=WORDS)

    async def send(self, outgoing: Outgoing) -> Sent:
        await self._permit()
        await self._charge(self.price(outgoing.text).usd)
        return await super().send(outgoing)


def installed(played: Circle) -> Office:
    """Let an installation have this channel; returns the network's side of it."""
    office = Office()
    kind: type[Channel] = type("Permit", (Permit,), {"office": office})
    channels: Mapping[str, type[Channel]] = {**played.river.outside.registry.channels, "permit": kind}
    played.river.outside.registry = Registry(channels=channels, trackers=played.river.outside.registry.trackers)
    return office

"""Connecting where an admin lets us in on the network's own page: sent there, taken back in, and connected.

The state in the address and the verifier of the code are made here and kept here, sealed and bound to the
browser's session: whoever comes back with a code must be the one who was sent, once, and soon. What was entered
in the form is sealed beside them, so that whoever was refused need not enter it again.
"""

from __future__ import annotations

import base64
import hashlib
import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

import structlog

from app.ports import Meter, OutsideError, Pocket, Profile, Tally, Unbounded
from app.sealing import SealedWithAnotherKeyError
from app.steps import connect
from app.steps.connect import BadFieldsError, Proof
from app.steps.link import ConflictError, NotFoundError
from app.steps.river import River
from app.store import consents, tables

log = structlog.get_logger(__name__)

LIVES = timedelta(minutes=10)
"""How long somebody may take on the network's page."""

KEPT = timedelta(minutes=30)
"""How long what was entered is kept for somebody who was refused and tries again."""

COMES_BACK_TO = "/accounts/authorized"
"""Where a network sends the admin back to. It is entered there, so it never changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What the form holds: `typed` is shown again, `secrets` never are."""

    name: str
    mode: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)
    typed: Mapping[str, str]
    errors: tuple[tuple[str, str], ...] = ()
    account_id: int | None = None
    channel: str = ""
    consent_id: int = 0


Way = Literal["refused", "late", "used", "strayed"]
"""How somebody came back in vain: what was refused says so in what was entered, the others are told apart here."""


class NotTakenBackError(Exception):
    """Somebody came back in vain; `consent` is what this browser began, if that is known."""

    def __init__(self, way: Way, consent: tables.Consent | None) -> None:
        super().__init__(way)
        self.way, self.consent = way, consent


def comes_back_to(river: River) -> str:
    """The whole address; networks compare every letter of it."""
    return f"{river.outside.base_url}{COMES_BACK_TO}"


async def begin(river: River, *, channel: str, entered: Entered, session_id: int, account_id: int | None = None) -> int:
    """Send somebody to the network's page; returns the number under which `onwards` knows the way.

    With `account_id` that account is connected again, by its own settings and what was entered anew.
    BadFieldsError where the form cannot be used; ConflictError where this channel has no such page.
    """
    kind: type[Any] = river.outside.channel_type(channel)
    if not is_authorizing(kind):
        raise ConflictError(f"{kind.title} has no page to let us in on: enter its credentials")
    settings, secrets = dict(entered.settings), dict(entered.secrets)
    if account_id is not None:
        row = await connect.account(river, account_id)
        settings, secrets = {**row.settings, **settings}, {**connect.known(river, row), **secrets}
    secrets = {name: value for name, value in secrets.items() if name not in kind.granted}
    own, hidden = connect.checked(kind, settings, secrets)
    state, verifier = random.token_urlsafe(32), random.token_urlsafe(64)
    async with connect.trial(river, kind, own, hidden, Pocket(), Tally()) as adapter:
        url: str = adapter.authorization_url(
            state=state, challenge=challenge_of(verifier), redirect_uri=comes_back_to(river)
        )
    sealed = {
        "name": entered.name,
        "mode": entered.mode,
        "typed": dict(entered.typed),
        "errors": [],
        "settings": settings,
        "secrets": secrets,
        "state": state,
        "verifier": verifier,
        "url": url,
    }
    async with river.db.begin() as session:
        now = river.now()
        consent = tables.Consent(
            hash=_digest(state),
            session_id=session_id,
            channel=channel,
            account_id=account_id,
            sealed=river.outside.seal_values(sealed),
            created_at=now,
            expires_at=now + LIVES,
        )
        session.add(consent)
        await session.flush()
    log.info("sent to be let in", channel=channel, consent_id=consent.id, account_id=account_id)
    return consent.id


async def forget_next(river: River) -> bool:
    """Whoever was sent to a network's page and never came back left secrets behind. False where nobody did."""
    async with river.db.begin() as session:
        return bool(await consents.forget(session, older_than=river.now() - KEPT))


def is_authorizing(kind: type[Any]) -> bool:
    """Whether a channel's network has a page on which an admin lets us in: whether it is `Authorizing`."""
    return hasattr(kind, "authorization_url")


async def onwards(river: River, consent_id: int, *, session_id: int) -> str:
    """The network's page, for the browser that is sent there. NotFoundError where it was used or is over."""
    consent = await _of_browser(river, consent_id, session_id=session_id)
    if consent.used_at is not None or consent.expires_at <= river.now():
        raise NotFoundError("this way was taken already, or is over: begin again from the form")
    url: str = _opened(river, consent)["url"]
    return url


async def entered_before(river: River, consent_id: int, *, session_id: int) -> Entered:
    """What this browser entered and was refused with. NotFoundError where it is forgotten by now."""
    consent = await _of_browser(river, consent_id, session_id=session_id)
    opened = _opened(river, consent)
    return Entered(
        name=opened["name"],
        mode=opened["mode"],
        settings=opened["settings"],
        secrets=opened["secrets"],
        typed=opened["typed"],
        errors=tuple((pointer, message) for pointer, message in opened["errors"]),
        account_id=consent.account_id,
        channel=consent.channel,
        consent_id=consent.id,
    )


async def finish(river: River, *, state: str, code: str, denied: str, session_id: int) -> tables.Account:
    """Take somebody back in: the code is turned into access, which is tried, and all of it is stored at once.

    NotTakenBackError where that fails; nothing is stored then, and an account there was goes on as it did.
    """
    now, digest = river.now(), _digest(state)
    async with river.db.begin() as session:
        consent = await consents.take(session, digest=digest, session_id=session_id, now=now)
        begun = await consents.last_of_browser(session, session_id=session_id) if consent is None else None
    if consent is None:
        # What this browser began is left as it is: anybody can lead it here with a state that nobody made.
        is_known = begun is not None and begun.hash == digest
        raise NotTakenBackError(("used" if begun and begun.used_at else "late") if is_known else "strayed", begun)
    title = river.outside.channel_type(consent.channel).title
    errors: list[tuple[str, str]] = []
    if code:
        try:
            row = await _connect(river, consent, code)
        except BadFieldsError as error:
            errors = error.errors
        except OutsideError as error:
            errors = [("", error.message)]
        except NotFoundError as error:
            errors = [("", str(error))]
        else:
            async with river.db.begin() as session:
                await consents.end(session, consent.id)
            log.info("let in", account_id=row.id, channel=consent.channel)
            return row
    else:
        errors = [("", f"{title} did not let us in ({denied or 'it gave no reason'}), so nothing was changed")]
    await _keep_refused(river, consent, errors)
    raise NotTakenBackError("refused", consent)


async def _connect(river: River, consent: tables.Consent, code: str) -> tables.Account:
    kind, opened = river.outside.channel_type(consent.channel), _opened(river, consent)
    own, hidden = connect.checked(kind, opened["settings"], opened["secrets"])
    pocket, tally = Pocket(), Tally()
    meter: Meter = tally
    if consent.account_id is not None:
        meter = river.outside.meter(await connect.account(river, consent.account_id))
    async with connect.trial(river, kind, own, hidden, pocket, Unbounded(meter)) as adapter:
        await adapter.exchange(code=code, verifier=opened["verifier"], redirect_uri=comes_back_to(river))
        profile: Profile = await adapter.connect()
    proof = Proof(settings=own, secrets=hidden, profile=profile, pocket=pocket, spent=await tally.spent())
    if consent.account_id is not None:
        return await connect.store_change(
            river, consent.account_id, proof, name=None, mode=None, wording=opened["settings"]
        )
    return await connect.store_account(
        river,
        proof,
        channel=consent.channel,
        name=opened["name"],
        mode=opened["mode"],
        wording=opened["settings"],
    )


async def _keep_refused(river: River, consent: tables.Consent, errors: list[tuple[str, str]]) -> None:
    """Keep what was entered, and why it led nowhere, for another try; the state and the verifier are forgotten."""
    opened = {**_opened(river, consent), "errors": errors}
    for once in ("state", "verifier", "url"):
        opened.pop(once, None)
    async with river.db.begin() as session:
        row = await consents.of_browser(session, consent.id, session_id=consent.session_id)
        if row is not None:
            row.sealed = river.outside.seal_values(opened)
    log.info("not let in", channel=consent.channel, consent_id=consent.id)


async def _of_browser(river: River, consent_id: int, *, session_id: int) -> tables.Consent:
    async with river.db.read() as session:
        consent = await consents.of_browser(session, consent_id, session_id=session_id)
    if consent is None or consent.created_at <= river.now() - KEPT:
        raise NotFoundError("what was entered is forgotten by now: enter it again")
    return consent


def _opened(river: River, consent: tables.Consent) -> dict[str, Any]:
    try:
        return river.outside.open_values(consent.sealed)
    except SealedWithAnotherKeyError as error:
        raise NotFoundError(str(error)) from error


def challenge_of(verifier: str) -> str:
    """The S256 challenge of RFC 7636, section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()

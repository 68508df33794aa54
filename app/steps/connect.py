"""Connecting accounts and trackers: credentials are tried before anything is stored, and again when they change."""

from __future__ import annotations

import secrets as random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.ports import (
    Channel,
    Choice,
    Choosing,
    Hooked,
    Keeper,
    Meter,
    OutsideError,
    Pocket,
    Profile,
    Project,
    Tally,
    Tracker,
    Unbounded,
)
from app.steps.health import record_illness
from app.steps.link import ConflictError, NotFoundError
from app.steps.post_by_hand import give_all_back, lock_untaken
from app.steps.read import NoCodeError, find_code, lacks_code
from app.steps.reply_moves import hold_reply
from app.steps.river import River
from app.store import accounts, issues, loops, replies, spending, tables
from app.store.session import Session

log = structlog.get_logger(__name__)


class BadFieldsError(Exception):
    """Settings or secrets that cannot be used: pairs of a JSON pointer and a message. No value is repeated."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(message for _, message in errors))
        self.errors = errors


class AccountWording(BaseModel):
    """What every account may set besides its channel's own settings."""

    model_config = ConfigDict(extra="ignore")
    product: str = Field("", max_length=100, description="The product's name in replies through this account.")
    link: str = Field("", max_length=500, description="A link every reply may carry, for instance to the help pages.")
    language: str = Field("", max_length=35, description="The language of replies to posts that name none.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Credentials that were tried and work: what the models made of them, whose they are, and what trying them cost.

    `pocket` holds what the other side gave us to keep; None where what is kept already goes on.
    """

    settings: BaseModel
    secrets: BaseModel
    profile: Profile
    pocket: Pocket | None
    spent: Decimal = Decimal(0)


async def connect_account(
    river: River, *, channel: str, name: str, settings: Mapping[str, Any], secrets: Mapping[str, Any], mode: str
) -> tables.Account:
    """Connect a profile. BadFieldsError, UnknownKindError or OutsideError, and then nothing is stored."""
    kind = river.outside.channel_type(channel)
    own, hidden = checked(kind, settings, secrets)
    pocket, tally = Pocket(), Tally()
    profile: Profile = await _prove(river, kind, own, hidden, pocket, Unbounded(tally))
    proof = Proof(settings=own, secrets=hidden, profile=profile, pocket=pocket, spent=await tally.spent())
    return await store_account(river, proof, channel=channel, name=name, mode=mode, wording=settings)


async def store_account(
    river: River, proof: Proof, *, channel: str, name: str, mode: str, wording: Mapping[str, Any]
) -> tables.Account:
    """Keep a profile whose credentials were tried; `wording` is read for what every account may set."""
    words = AccountWording.model_validate(wording).model_dump(exclude_defaults=True)
    kept = await river.outside.seal_kept(proof.pocket or Pocket())
    async with river.db.begin() as session:
        now = river.now()
        row = tables.Account(
            channel=channel,
            name=name,
            mode=mode,
            settings={**proof.settings.model_dump(mode="json"), **words},
            secrets=river.outside.seal(proof.secrets),
            kept=kept,
            version=1,
            rejected=0,
            created_at=now,
        )
        _take_profile(row, proof.profile, now)
        session.add(row)
        await session.flush()
        if proof.spent:
            month = spending.month_of(await river.db.now(session))
            await spending.count(session, row.id, proof.spent, month=month, budget=None)
    log.info("account connected", account_id=row.id, channel=channel)
    river.wake("take_in", "poll_trackers", "deliver", "look_for_lost")
    return row


async def connect_tracker(
    river: River, *, kind: str, name: str, settings: Mapping[str, Any], secrets: Mapping[str, Any]
) -> tables.Tracker:
    """Connect a repository or project; the same errors."""
    tracker = river.outside.tracker_type(kind)
    own, hidden = checked(tracker, settings, secrets)
    await check_code(river, own)
    pocket = Pocket()
    project: Project = await _prove(river, tracker, own, hidden, pocket, Tally())
    kept = await river.outside.seal_kept(pocket)
    async with river.db.begin() as session:
        now = river.now()
        row = tables.Tracker(
            kind=kind,
            name=name,
            settings=own.model_dump(mode="json"),
            secrets=river.outside.seal(hidden),
            kept=kept,
            version=1,
            rejected=0,
            created_at=now,
        )
        _take_project(row, project, now)
        session.add(row)
        await session.flush()
    log.info("tracker connected", tracker_id=row.id, kind=kind)
    river.wake("take_in", "poll_trackers", "deliver", "look_for_lost")
    return row


async def change_account(
    river: River,
    account_id: int,
    *,
    name: str | None,
    mode: str | None,
    settings: Mapping[str, Any] | None,
    secrets: Mapping[str, Any] | None,
) -> tables.Account:
    """Change an account; changed settings or secrets are merged, tried at once, and what waited goes on."""
    row = await account(river, account_id)
    if not river.outside.has_adapter(row):
        bare = _check_without_adapter(row, settings, secrets)
        return await store_change(river, account_id, None, name=name, mode=mode, wording={}, bare=bare)
    proof: Proof | None = None
    if settings is not None or secrets is not None:
        kind = river.outside.channel_type(row.channel)
        own, hidden = checked(kind, {**row.settings, **(settings or {})}, {**known(river, row), **(secrets or {})})
        pocket = Pocket() if _begins_anew(kind, secrets) else None
        keeper = pocket or river.outside.keeper(row)
        profile: Profile = await _prove(river, kind, own, hidden, keeper, Unbounded(river.outside.meter(row)))
        proof = Proof(settings=own, secrets=hidden, profile=profile, pocket=pocket)
    return await store_change(river, account_id, proof, name=name, mode=mode, wording=settings or {})


def _begins_anew(kind: type[Any], secrets: Mapping[str, Any] | None) -> bool:
    """Whether what was kept ends with these new secrets: it goes on with those it came of.

    Access that the network's own page gave came of none that was entered, and would be lost with a new client's secret.
    """
    granted = getattr(kind, "granted", ())
    return secrets is not None and (not granted or not set(granted).isdisjoint(secrets))


async def account(river: River, account_id: int) -> tables.Account:
    """One that is connected, or NotFoundError."""
    async with river.db.read() as session:
        return await _must_have(session, tables.Account, account_id)


async def store_change(
    river: River,
    account_id: int,
    proof: Proof | None,
    *,
    name: str | None,
    mode: str | None,
    wording: Mapping[str, Any],
    bare: Mapping[str, Any] | None = None,
) -> tables.Account:
    """Keep what an account is to be from now on. BadFieldsError where the credentials are another profile's.

    `bare` are all the settings of one that no adapter serves, so that nothing can be proven.
    """
    kept = await river.outside.seal_kept(proof.pocket) if proof is not None and proof.pocket is not None else None
    async with river.db.begin() as session:
        tasks = await lock_untaken(session, account_id) if mode not in {None, "by_hand"} else ()
        locked = await _must_lock(session, tables.Account, account_id)
        locked.name, locked.mode = name or locked.name, mode or locked.mode
        if bare is not None:
            locked.settings = dict(bare)
        await give_all_back(river, session, tasks)
        if proof is not None:
            if locked.remote_id and not _is_same_profile(locked, proof.profile):
                raise BadFieldsError(
                    [
                        (
                            "/secrets",
                            f"these credentials belong to {proof.profile.handle}, not to {locked.handle}; connect it anew",
                        )
                    ]
                )
            words = AccountWording.model_validate({**locked.settings, **wording})
            locked.settings = {**proof.settings.model_dump(mode="json"), **words.model_dump(exclude_defaults=True)}
            locked.secrets, locked.version = river.outside.seal(proof.secrets), locked.version + 1
            if kept is not None:
                locked.kept, locked.kept_token, locked.kept_until = kept, None, None
            _take_profile(locked, proof.profile, river.now())
            await replies.hurry(session, locked.id, now=river.now())
            await loops.owe_anew(session, account_id=locked.id)
    async with river.db.begin() as session:  # by itself: issues are locked before accounts
        await issues.want_pulls(session)
    river.wake("take_in", "poll_trackers", "owe", "deliver", "look_for_lost")
    return locked


def _check_without_adapter(
    row: tables.Account, settings: Mapping[str, Any] | None, secrets: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """What an account that no adapter serves can be set to: its wording. What an adapter had of it stays. BadFieldsError."""
    if secrets:
        raise BadFieldsError([("/secrets", f"there is no adapter for {row.channel} here: nothing can be tried")])
    if settings is None:
        return None
    try:
        wording = AccountWording.model_validate({**row.settings, **settings}).model_dump(exclude_defaults=True)
    except ValidationError as error:
        raise BadFieldsError(_messages(error, "/settings")) from error
    own = {name: value for name, value in row.settings.items() if name not in AccountWording.model_fields}
    return {**own, **wording}


async def change_tracker(
    river: River,
    tracker_id: int,
    *,
    name: str | None,
    settings: Mapping[str, Any] | None,
    secrets: Mapping[str, Any] | None,
) -> tables.Tracker:
    """Change a tracker, in the same way."""
    async with river.db.read() as session:
        row = await _must_have(session, tables.Tracker, tracker_id)
    proven: tuple[BaseModel, BaseModel, Project] | None = None
    kept = ""
    if settings is not None or secrets is not None:
        kind = river.outside.tracker_type(row.kind)
        own, hidden = checked(kind, {**row.settings, **(settings or {})}, {**known(river, row), **(secrets or {})})
        await check_code(river, own)
        pocket = Pocket()
        # What was kept goes on with the secrets it came of; with other ones it begins anew.
        keeper = pocket if secrets is not None else river.outside.keeper(row)
        proven = (own, hidden, await _prove(river, kind, own, hidden, keeper, Tally()))
        kept = await river.outside.seal_kept(pocket)
    async with river.db.begin() as session:
        locked = await _must_lock(session, tables.Tracker, tracker_id)
        locked.name = name or locked.name
        if proven is not None:
            own, hidden, project = proven
            if locked.remote_id and project.remote_id != locked.remote_id:
                raise BadFieldsError(
                    [("/settings", f"this is {project.name}, another project than before; connect it as a new tracker")]
                )
            locked.settings = own.model_dump(mode="json")
            locked.secrets, locked.version = river.outside.seal(hidden), locked.version + 1
            if secrets is not None:
                locked.kept, locked.kept_token, locked.kept_until = kept, None, None
            _take_project(locked, project, river.now())
            locked.resume_at = None
            await issues.want_pulls(session, tracker_id=tracker_id)
    river.wake("take_in", "poll_trackers", "deliver", "look_for_lost")
    return locked


Choices = Mapping[str, Sequence[Choice]]


async def choices(river: River, *, kind: str, settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> Choices:
    """The names that a tracker's other side has for its settings, asked for with these credentials; nothing is stored.

    None where this kind of tracker has no such names. The same errors as connecting has.
    """
    tracker = river.outside.tracker_type(kind)
    own, hidden = checked(tracker, settings, secrets)
    async with trial(river, tracker, own, hidden, Pocket(), Tally()) as adapter:
        return await adapter.choices() if isinstance(adapter, Choosing) else {}


async def choices_of(river: River, tracker_id: int, *, settings: Mapping[str, Any]) -> Choices:
    """The same of a connected tracker, with these settings merged into the stored ones."""
    async with river.db.read() as session:
        row = await _must_have(session, tables.Tracker, tracker_id)
    return await choices(river, kind=row.kind, settings={**row.settings, **settings}, secrets=river.outside.opened(row))


async def set_up_hook(river: River, table: type[accounts.C], number: int) -> accounts.C:
    """Have a connection's own side call us. A tracker's secret is made here and stored first: asked again, it is the same hook.

    ConflictError where this kind offers no such thing, OutsideError where it is not allowed.
    """
    async with river.db.read() as session:
        row = await _must_have(session, table, number)
    kind = _kind_of(river, row)
    if not hasattr(kind, "set_up_hook"):
        raise ConflictError(f"a webhook of {kind.title} cannot be set up from here; enter its address there")
    if "webhook_secret" in kind.Secrets.model_fields and not river.outside.opened(row).get("webhook_secret"):
        row = await _with_webhook_secret(river, kind, table, number)
    adapter = _adapter(river, row)
    if isinstance(adapter, Hooked):
        await adapter.set_up_hook(url=river.outside.hook_url(row))
    log.info("webhook set up", **{f"{table.__tablename__}_id": number})
    return row


async def _with_webhook_secret(
    river: River, kind: type[Channel] | type[Tracker], table: type[accounts.C], number: int
) -> accounts.C:
    async with river.db.begin() as session:
        locked = await _must_lock(session, table, number)
        opened = river.outside.opened(locked)
        if not opened.get("webhook_secret"):  # otherwise somebody else asked at the same moment
            opened["webhook_secret"] = random.token_urlsafe(32)
            locked.secrets = river.outside.seal(kind.Secrets.model_validate(opened))
            locked.version += 1
    return locked


async def remove(river: River, table: type[accounts.C], number: int) -> None:
    """Disconnect. Posts and loops stay; what waited to be said through an account is held."""
    async with river.db.begin() as session:
        row = await _must_lock(session, table, number)
        now = river.now()
        row.deleted_at, row.secrets, row.kept, row.poll_at = now, "", "", None
        if table is tables.Account:
            for reply in await replies.unspoken_of_account(session, number):
                hold_reply(session, reply, why="its account was removed", now=now)
        others: Sequence[tables.Tracker] = ()
        if table is tables.Tracker:
            others = await accounts.proven_by(session, number)
    for other in others:
        async with river.db.read() as session:
            lack = await lacks_code(river, session, other)
        await record_illness(river, tables.Tracker, other.id, other.version, OutsideError(lack, "misconfigured"))
    log.info("connection removed", **{f"{table.__tablename__}_id": number})


def _kind_of(river: River, row: tables.Account | tables.Tracker) -> type[Channel] | type[Tracker]:
    if isinstance(row, tables.Account):
        return river.outside.channel_type(row.channel)
    return river.outside.tracker_type(row.kind)


def _adapter(river: River, row: tables.Account | tables.Tracker) -> Channel | Tracker:
    return river.outside.channel(row) if isinstance(row, tables.Account) else river.outside.tracker(row)


async def probe(river: River, table: type[accounts.C], number: int) -> accounts.C:
    """Try a connection now, and keep what was found."""
    async with river.db.read() as session:
        row = await _must_have(session, table, number)
    try:
        found = await _adapter(river, row).connect()
    except OutsideError as error:
        await record_illness(river, table, number, row.version, error)
    else:
        async with river.db.begin() as session:
            locked = await _must_lock(session, table, number)
            if locked.version == row.version:
                now = river.now()
                if isinstance(locked, tables.Account) and locked.mute:
                    locked.mute = await replies.wait_to_be_said(session, number)
                accounts.mark_well(locked, now=now)
                if isinstance(locked, tables.Tracker) and (lack := await lacks_code(river, session, locked)):
                    accounts.mark_ill(locked, why=lack, now=now, blocks=False, resume_at=None)
                locked.scopes, locked.quota, locked.proven_at = list(found.scopes), dict(found.quota), now
                if isinstance(found, Profile):
                    locked.expires_at = found.expires_at
    async with river.db.read() as session:
        return await _must_have(session, table, number)


def checked(
    kind: type[Channel] | type[Tracker], settings: Mapping[str, Any], secrets: Mapping[str, Any]
) -> tuple[BaseModel, BaseModel]:
    """What an adapter's two models make of what was entered. BadFieldsError."""
    errors: list[tuple[str, str]] = []
    own = _model(kind.Settings, settings, "/settings", errors)
    hidden = _model(kind.Secrets, secrets, "/secrets", errors)
    try:
        AccountWording.model_validate(settings)
    except ValidationError as error:
        errors += _messages(error, "/settings")
    if errors or own is None or hidden is None:
        raise BadFieldsError(errors)
    return own, hidden


async def check_code(river: River, settings: BaseModel) -> None:
    """Where another tracker is to hold the code, it is connected and can. BadFieldsError."""
    if not getattr(settings, "code_tracker", ""):
        return
    async with river.db.read() as session:
        try:
            await find_code(river, session, settings.model_dump(mode="json"))
        except NoCodeError as error:
            raise BadFieldsError([("/settings/code_tracker", str(error))]) from error


def _model(
    model: type[BaseModel], values: Mapping[str, Any], where: str, errors: list[tuple[str, str]]
) -> BaseModel | None:
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        errors += _messages(error, where)
        return None


def _messages(error: ValidationError, where: str) -> list[tuple[str, str]]:
    return [
        (
            f"{where}/{'/'.join(str(part) for part in item['loc'])}".rstrip("/"),
            item["msg"].removeprefix("Value error, "),
        )
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    ]


async def _prove(
    river: River, kind: type[Any], settings: BaseModel, secrets: BaseModel, keeper: Keeper, meter: Meter
) -> Any:
    async with trial(river, kind, settings, secrets, keeper, meter) as adapter:
        return await adapter.connect()


@asynccontextmanager
async def trial(
    river: River, kind: type[Any], settings: BaseModel, secrets: BaseModel, keeper: Keeper, meter: Meter
) -> AsyncIterator[Any]:
    """An adapter of what is not stored. What its other side says of one field is said of that field."""
    adapter, client = river.outside.unproven(kind, settings, secrets, keeper, meter)
    try:
        yield adapter
    except OutsideError as error:
        if not error.field:
            raise
        raise BadFieldsError([(f"/{error.field.replace('.', '/')}", error.message)]) from error
    finally:
        await client.aclose()


def known(river: River, row: tables.Account | tables.Tracker) -> dict[str, Any]:
    """The secrets so far; none where they were sealed with another key, so that entering all of them anew helps."""
    try:
        return river.outside.opened(row)
    except OutsideError:
        return {}


def _is_same_profile(row: tables.Account, profile: Profile) -> bool:
    """Whether these credentials belong to the profile that was connected; a bare number may exist on two servers."""
    before, now = row.facts.get("actor"), profile.facts.get("actor")
    return row.remote_id == profile.remote_id and (before is None or now is None or before == now)


def _take_profile(row: tables.Account, profile: Profile, now: datetime) -> None:
    row.remote_id, row.handle, row.url, row.facts = profile.remote_id, profile.handle, profile.url, dict(profile.facts)
    row.scopes, row.expires_at, row.quota = list(profile.scopes), profile.expires_at, dict(profile.quota)
    row.proven_at, row.mute, row.resume_at = now, False, None
    accounts.mark_well(row, now=now)
    row.poll_at = now


def _take_project(row: tables.Tracker, project: Project, now: datetime) -> None:
    row.remote_id, row.url, row.facts = project.remote_id, project.url, dict(project.facts)
    row.visible_to_public = project.visible_to_public
    row.scopes, row.quota = list(project.scopes), dict(project.quota)
    row.proven_at = now
    accounts.mark_well(row, now=now)
    row.poll_at = now


async def _must_have(session: Session, table: type[accounts.C], number: int) -> accounts.C:
    row = await accounts.get(session, table, number)
    if row is None:
        raise NotFoundError(f"there is no {table.__tablename__} {number}")
    return row


async def _must_lock(session: Session, table: type[accounts.C], number: int) -> accounts.C:
    row = await accounts.lock(session, table, number)
    if row is None:
        raise NotFoundError(f"there is no {table.__tablename__} {number}")
    return row

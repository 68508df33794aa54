"""Connections: accounts on channels and trackers, how they are, and how they are made, mended and removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from fastapi import APIRouter, Response

from app.outside import UnknownKindError
from app.ports import CodeHost, OutsideError
from app.steps import authorize, connect
from app.steps.authorize import Entered
from app.steps.health import costs
from app.steps.hear_tracker import pull
from app.steps.link import NotFoundError
from app.steps.preview import Preview, preview_policy
from app.steps.take_in import take_in
from app.store import accounts, deliveries, shown
from app.store.tables import Account, Tracker
from app.web import connection_form, standing
from app.web.connection_form import Field
from app.web.forms import NO_DRAFT, Draft, sentence
from app.web.visit import Admin, Anyone, FromAdmin, Number, PageRoute, Sent, Visit

router = APIRouter(prefix="/connections", include_in_schema=False, route_class=PageRoute)

MOST = 200
NEWEST_DELIVERIES = 10

Sort = Literal["accounts", "trackers"]
Mode = Literal["approve", "automatic", "by_hand", "dry_run"]
MODES: tuple[tuple[Mode, str, str], ...] = (
    ("approve", "Approve first", "A person reads each reply before it goes out. A good way for the first ten."),
    ("automatic", "Automatic", "Replies go out by themselves when the fix has shipped and its evidence still stands."),
    (
        "by_hand",
        "By hand",
        "Each reply becomes a task: a person copies the text, posts it and says so. For places without an API, and while "
        "an API is down or closed to us.",
    ),
    ("dry_run", "Dry run", "Everything happens but the call: nothing is ever said."),
)


Went = Literal["late", "used", "strayed"]
WENT: Mapping[Went, str] = {
    "late": "That took longer than ten minutes, so nothing was changed. Begin again.",
    "used": "That was taken up already. If nothing came of it, begin again.",
    "strayed": "A browser came back that was not sent from here, or was let in already, so nothing was changed. Begin again.",
}


@router.get("")
async def show_all(visit: Anyone, did: Went | None = None) -> Response:
    """Every connection, and whether it works."""
    async with visit.river.db.read() as session:
        profiles = await accounts.page(session, Account, after=0, limit=MOST)
        projects = await accounts.page(session, Tracker, after=0, limit=MOST)
        last = await shown.last_deliveries(session, among=1000)
        cost = await costs(visit.river, session, profiles)
    return visit.draw(
        "connections.html",
        profiles=profiles,
        projects=projects,
        last=last,
        cost=cost,
        standing=standing,
        modes={mode: label for mode, label, _ in MODES},
        settles={row.id: visit.river.settle_of(row) for row in projects},
        channels=_kinds(visit, "accounts"),
        trackers=_kinds(visit, "trackers"),
        did=WENT[did] if did else "",
    )


def _kinds(visit: Visit, sort: Sort) -> Mapping[str, type[Any]]:
    """The kinds that can be connected, those to play on at the end."""
    registry = visit.river.outside.registry
    kinds: Mapping[str, type[Any]] = registry.channels if sort == "accounts" else registry.trackers
    return dict(sorted(kinds.items(), key=lambda item: (item[0] == "rehearsal", item[1].title)))


def kind_of(visit: Visit, sort: Sort, name: str) -> type[Any]:
    """A kind that can be connected, or NotFoundError."""
    try:
        outside = visit.river.outside
        return outside.channel_type(name) if sort == "accounts" else outside.tracker_type(name)
    except UnknownKindError as error:
        raise NotFoundError(str(error)) from error


def adapter_of(visit: Visit, sort: Sort, row: Account | Tracker) -> type[Any]:
    """The adapter of a connection; what stands in for it where an account is served by hand."""
    return visit.river.outside.channel_type_of(row) if isinstance(row, Account) else kind_of(visit, sort, row.kind)


@router.get("/{sort}/new/{kind}")
async def ask(visit: Admin, sort: Sort, kind: str, again: int | None = None, went: Went | None = None) -> Response:
    """What it takes to connect one; `again`, with what was entered and refused before."""
    before = await _refused_before(visit, again)
    if before is None or before.channel != kind:
        return await connect_page(visit, sort, kind, NO_DRAFT)
    wrong = _wrong_before(fields_of(sort, kind_of(visit, sort, kind)), before, went)
    return await connect_page(visit, sort, kind, Draft(form="connect", values=before.typed, wrong=wrong), before=before)


async def connect_page(
    visit: Visit,
    sort: Sort,
    kind: str,
    draft: Draft,
    *,
    fields: Sequence[Field] = (),
    before: Entered | None = None,
    status: int = 200,
) -> Response:
    """The form to connect one. What was entered `before` and is still kept need not be entered again."""
    adapter = kind_of(visit, sort, kind)
    return visit.draw(
        "connect.html",
        status=status,
        sort=sort,
        kind=kind,
        title=adapter.title,
        fields=await _with_offers(visit, fields or connection_form.fields_of_adapter(adapter), draft.values),
        choosable=getattr(adapter, "choosable", ()),
        wording=connection_form.wording_fields() if sort == "accounts" else [],
        modes=MODES,
        draft=draft,
        **_over_its_page(visit, adapter, before),
        others=_kinds(visit, sort),
    )


def _over_its_page(visit: Visit, adapter: type[Any], before: Entered | None) -> dict[str, Any]:
    """What a form needs to know of a network that lets us in on its own page."""
    return {
        "granted": adapter.granted if authorize.is_authorizing(adapter) else (),
        "comes_back_to": authorize.comes_back_to(visit.river) if authorize.is_authorizing(adapter) else "",
        "kept": {f"secrets.{name}" for name in before.secrets} if before else frozenset(),
        "again": before.consent_id if before else None,
    }


async def _refused_before(visit: Visit, number: int | None) -> Entered | None:
    """What this browser entered and was refused with, as long as it is kept."""
    if number is None:
        return None
    try:
        return await authorize.entered_before(visit.river, number, session_id=visit.session_id)
    except NotFoundError:
        return None


async def entered_before(sent: Sent) -> Entered | None:
    """The same for a form that was filled in once more."""
    return await _refused_before(sent.visit, sent.number("again"))


def _wrong_before(fields: Sequence[Field], before: Entered, went: Went | None) -> dict[str, str]:
    if went is not None:
        return {"": WENT[went]}
    return wrong_of(fields, connect.BadFieldsError(list(before.errors))) if before.errors else {}


def wrong_name(name: str) -> dict[str, str]:
    """What is wrong with what a connection is to be called."""
    if not name or len(name) > 200:
        return {"name": "What shall it be called here?" if not name else "At most 200 characters."}
    return {}


@router.post("/{sort}/new/{kind}")
async def make(sent: FromAdmin, sort: Sort, kind: str) -> Response:
    """Connect it. Its credentials are tried at once; where they do not work, nothing is stored and the form stays."""
    visit = sent.visit
    adapter = kind_of(visit, sort, kind)
    fields = fields_of(sort, adapter)
    values, name = connection_form.read(fields, sent.form), sent.text("name")
    before = await entered_before(sent)
    if before is not None:
        values["secrets"] = {**before.secrets, **values["secrets"]}
    wrong = wrong_name(name)
    if not wrong:
        try:
            settings = {**values["settings"], **values["wording"]}
            row: Account | Tracker
            if sort == "accounts":
                row = await connect.connect_account(
                    visit.river,
                    channel=kind,
                    name=name,
                    settings=settings,
                    secrets=values["secrets"],
                    mode=mode_of(sent),
                )
            else:
                row = await connect.connect_tracker(
                    visit.river, kind=kind, name=name, settings=settings, secrets=values["secrets"]
                )
        except (connect.BadFieldsError, OutsideError) as error:
            wrong = wrong_of(fields, error)
        else:
            return visit.onwards(f"/connections/{sort}/{row.id}", did="connected")
    draft = Draft(form="connect", values=connection_form.typed(fields, sent.form), wrong=wrong)
    if connection_form.has_choices(fields, sent.form):
        with suppress(connect.BadFieldsError, OutsideError):  # the form then has the names as they were ticked
            fields = await _fields_with_choices(sent, kind, fields)
    else:
        fields = []
    return await connect_page(visit, sort, kind, draft, fields=fields, before=before, status=422)


@router.post("/trackers/new/{kind}/choices")
async def ask_for_choices(sent: FromAdmin, kind: str) -> Response:
    """The form again, with the other side's own names to choose from. Nothing is stored."""
    fields = fields_of("trackers", kind_of(sent.visit, "trackers", kind))
    values = connection_form.typed(fields, sent.form)
    try:
        fields = await _fields_with_choices(sent, kind, fields)
    except (connect.BadFieldsError, OutsideError) as error:
        draft = Draft(form="connect", values=values, wrong=wrong_of(fields, error))
        return await connect_page(sent.visit, "trackers", kind, draft, status=422)
    return await connect_page(sent.visit, "trackers", kind, Draft(form="connect", values=values), fields=fields)


async def _fields_with_choices(sent: Sent, kind: str, fields: Sequence[Field]) -> list[Field]:
    values = connection_form.read(fields, sent.form)
    found = await connect.choices(sent.visit.river, kind=kind, settings=values["settings"], secrets=values["secrets"])
    return connection_form.with_choices(fields, found, suggests=True, form=sent.form)


async def _with_offers(visit: Visit, fields: Sequence[Field], chosen: Mapping[str, str]) -> list[Field]:
    """The fields, those that offer connected trackers with what there is to choose from."""
    if not any(field.offers for field in fields):
        return list(fields)
    async with visit.river.db.read() as session:
        rows = await accounts.page(session, Tracker, after=0, limit=MOST)
    kinds = visit.river.outside.registry.trackers
    code = {str(row.id): row.name for row in rows if row.kind in kinds and issubclass(kinds[row.kind], CodeHost)}
    return connection_form.with_offers(fields, {"code": code}, chosen)


def fields_of(sort: Sort, adapter: type[Any]) -> list[Field]:
    """Every field of a kind's form."""
    fields = connection_form.fields_of_adapter(adapter)
    return [*fields, *connection_form.wording_fields()] if sort == "accounts" else fields


def _upfront_first(fields: Sequence[Field]) -> list[Field]:
    return sorted(fields, key=lambda field: not field.upfront)


def wrong_of(fields: Sequence[Field], error: connect.BadFieldsError | OutsideError) -> dict[str, str]:
    """What is wrong with which field, as sentences."""
    wrong = (
        connection_form.wrong_outside(fields, error)
        if isinstance(error, OutsideError)
        else connection_form.wrong_fields(fields, error)
    )
    return {name: sentence(message) for name, message in wrong.items()}


def mode_of(sent: Sent) -> Mode:
    """What the form says is to happen with a reply that is due."""
    return next((mode for mode, _, _ in MODES if mode == sent.text("mode")), "approve")


Done = Literal["connected", "saved", "works", "ill", "read", "hooked"]


@router.get("/{sort}/{number}")
async def show(
    visit: Anyone,
    sort: Sort,
    number: Number,
    did: Done | None = None,
    again: int | None = None,
    went: Went | None = None,
) -> Response:
    """One connection: how it is, what it is set to, and what came by its hook."""
    before = await _refused_before(visit, again)
    if before is None or sort != "accounts" or before.account_id != number:
        return await page_of(visit, sort, number, NO_DRAFT, did=did)
    _, fields = await _row_and_fields(visit, sort, number)
    wrong = {"": WENT[went]} if went is not None else {}
    if before.errors:
        wrong = wrong_secrets(fields, connect.BadFieldsError(list(before.errors)))
    return await page_of(visit, sort, number, Draft(form="secrets", wrong=wrong), before=before)


async def page_of(
    visit: Visit,
    sort: Sort,
    number: int,
    draft: Draft,
    *,
    did: Done | None = None,
    foreseen: Preview | None = None,
    choices: connect.Choices | None = None,
    before: Entered | None = None,
    status: int = 200,
) -> Response:
    """One connection's page, with a form on it as it was sent."""
    async with visit.river.db.read() as session:
        row: Account | Tracker | None = await accounts.get(session, _table(sort), number)
        if row is None:
            raise NotFoundError(f"there is no such {_noun(sort)}: it was removed, or was never here")
        came = await deliveries.page(session, hook=f"{sort}/{number}", before=None, limit=NEWEST_DELIVERIES)
        cost = await costs(visit.river, session, [row]) if isinstance(row, Account) else {}
    kind = row.channel if isinstance(row, Account) else row.kind
    adapter = adapter_of(visit, sort, row)
    values = draft.values if draft.is_of("settings") else connection_form.stored(fields_of(sort, adapter), row.settings)
    fields = await _with_offers(visit, fields_of(sort, adapter), values)
    fields = connection_form.with_choices(fields, choices or {}, suggests=False, form={})
    return visit.draw(
        "connection.html",
        status=status,
        sort=sort,
        noun=_noun(sort),
        row=row,
        kind=kind,
        title=adapter.title,
        is_reached=isinstance(row, Tracker) or visit.river.outside.has_adapter(row),
        fields=[field for field in fields if field.part != "secrets"],
        secrets=_upfront_first([field for field in fields if field.part == "secrets"]),
        values=values,
        hook_url=visit.river.outside.hook_url(row),
        hook_events=getattr(adapter, "hook_events", ()),
        hook_fields={name: text.format_map(row.settings) for name, text in getattr(adapter, "hook_fields", {}).items()},
        choosable=getattr(adapter, "choosable", ()),
        offered=bool(choices),
        deliveries=came,
        cost=cost,
        standing=standing,
        modes=MODES,
        settle=visit.river.settle_of(row) if isinstance(row, Tracker) else None,
        draft=draft,
        foreseen=foreseen,
        did=did,
        **_over_its_page(visit, adapter, before),
    )


def _table(sort: Sort) -> type[Any]:
    return Account if sort == "accounts" else Tracker


def _noun(sort: Sort) -> str:
    return "account" if sort == "accounts" else "tracker"


@router.post("/{sort}/{number}/settings")
async def change(sent: FromAdmin, sort: Sort, number: Number) -> Response:
    """Change what it is set to; tried at once, and nothing is changed where that fails."""
    visit = sent.visit
    row, fields = await _row_and_fields(visit, sort, number)
    values, name = connection_form.read(fields, sent.form), sent.text("name")
    draft_values = connection_form.typed(fields, sent.form)
    if wrong := wrong_name(name):
        return await page_of(visit, sort, number, Draft(form="settings", values=draft_values, wrong=wrong), status=422)
    settings = _entered(fields, values)
    before = connection_form.stored(fields, row.settings)
    changed = any(
        before.get(field.name) != draft_values.get(field.name, "") for field in fields if field.part != "secrets"
    )
    try:
        if isinstance(row, Account):
            await connect.change_account(
                visit.river,
                number,
                name=name,
                mode=mode_of(sent),
                settings=settings if changed else None,
                secrets=None,
            )
        else:
            await connect.change_tracker(
                visit.river, number, name=name, settings=settings if changed else None, secrets=None
            )
    except (connect.BadFieldsError, OutsideError) as error:
        shown_here = [field for field in fields if field.part != "secrets"]
        wrong = connection_form.on_page(wrong_of(fields, error), shown_here)
        draft = Draft(form="settings", values=draft_values, wrong=wrong)
        return await page_of(visit, sort, number, draft, choices=await _choices_again(sent, number, fields), status=422)
    return visit.onwards(f"/connections/{sort}/{number}", did="saved")


async def _choices_again(sent: Sent, number: int, fields: Sequence[Field]) -> connect.Choices | None:
    """The names that the form was drawn with, so that it can be drawn like that again; none where they do not come."""
    if not connection_form.has_choices(fields, sent.form):
        return None
    try:
        return await connect.choices_of(sent.visit.river, number, settings={})
    except (connect.BadFieldsError, OutsideError):
        return None


def _entered(fields: Sequence[Field], values: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    """The settings of the form. A field that was emptied goes back to its default."""
    return {field.key: values[field.part].get(field.key, field.default) for field in fields if field.part != "secrets"}


@router.post("/trackers/{number}/preview")
async def preview(sent: FromAdmin, number: Number) -> Response:
    """What the settings in the form would do to those who wait. Nothing is changed, and the form keeps what was typed."""
    visit = sent.visit
    _, fields = await _row_and_fields(visit, "trackers", number)
    values = connection_form.typed(fields, sent.form)
    try:
        found = await preview_policy(visit.river, number, _entered(fields, connection_form.read(fields, sent.form)))
    except (connect.BadFieldsError, OutsideError) as error:
        draft = Draft(form="settings", values=values, wrong=wrong_of(fields, error))
        return await page_of(
            visit, "trackers", number, draft, choices=await _choices_again(sent, number, fields), status=422
        )
    draft = Draft(form="settings", values=values)
    choices = await _choices_again(sent, number, fields)
    return await page_of(visit, "trackers", number, draft, foreseen=found, choices=choices)


@router.post("/trackers/{number}/choices")
async def choices(sent: FromAdmin, number: Number) -> Response:
    """The settings with the other side's own names to choose from. Nothing is changed, and what was typed stays."""
    visit = sent.visit
    _, fields = await _row_and_fields(visit, "trackers", number)
    values = connection_form.typed(fields, sent.form)
    entered = _entered(fields, connection_form.read(fields, sent.form))
    try:
        found = await connect.choices_of(visit.river, number, settings=entered)
    except (connect.BadFieldsError, OutsideError) as error:
        shown_here = [field for field in fields if field.part != "secrets"]
        wrong = connection_form.on_page(wrong_of(fields, error), shown_here)
        draft = Draft(form="settings", values=values, wrong=wrong)
        return await page_of(visit, "trackers", number, draft, status=422)
    return await page_of(visit, "trackers", number, Draft(form="settings", values=values), choices=found)


async def _row_and_fields(visit: Visit, sort: Sort, number: int) -> tuple[Account | Tracker, list[Field]]:
    async with visit.river.db.read() as session:
        row: Account | Tracker | None = await accounts.get(session, _table(sort), number)
    if row is None:
        raise NotFoundError(f"there is no such {_noun(sort)}")
    return row, fields_of(sort, adapter_of(visit, sort, row))


@router.post("/{sort}/{number}/secrets")
async def reconnect(sent: FromAdmin, sort: Sort, number: Number) -> Response:
    """New credentials; those left empty stay as they are. Tried at once, and what waited goes on."""
    visit = sent.visit
    row, fields = await _row_and_fields(visit, sort, number)
    before = await entered_before(sent)
    secrets = {**(before.secrets if before else {}), **connection_form.read(fields, sent.form)["secrets"]}
    try:
        if not secrets:
            raise connect.BadFieldsError([("/secrets", "Enter at least one of them anew.")])
        if isinstance(row, Account):
            await connect.change_account(visit.river, number, name=None, mode=None, settings=None, secrets=secrets)
        else:
            await connect.change_tracker(visit.river, number, name=None, settings=None, secrets=secrets)
    except (connect.BadFieldsError, OutsideError) as error:
        draft = Draft(form="secrets", wrong=wrong_secrets(fields, error))
        return await page_of(visit, sort, number, draft, before=before, status=422)
    return visit.onwards(f"/connections/{sort}/{number}", did="saved")


def wrong_secrets(fields: Sequence[Field], error: connect.BadFieldsError | OutsideError) -> dict[str, str]:
    """What is wrong with which secret; what belongs to none stands at the first, or above them where there is none."""
    here = [field for field in fields if field.part == "secrets"]
    wrong = connection_form.on_page(wrong_of(fields, error), here)
    if "" in wrong and (first := next((field.name for field in _upfront_first(here)), "")):
        return {first: wrong[""], **{name: text for name, text in wrong.items() if name}}
    return wrong


@router.post("/{sort}/{number}/test")
async def test(sent: FromAdmin, sort: Sort, number: Number) -> Response:
    """Try it now."""
    found: Account | Tracker = await connect.probe(sent.visit.river, _table(sort), number)
    return sent.visit.onwards(f"/connections/{sort}/{number}", did="works" if found.ok else "ill")


@router.post("/{sort}/{number}/hook")
async def set_up_hook(sent: FromAdmin, sort: Sort, number: Number) -> Response:
    """Have the other side call us; where that is not allowed, the page says what is missing and how to do it by hand."""
    try:
        await connect.set_up_hook(sent.visit.river, _table(sort), number)
    except OutsideError as error:
        draft = Draft(form="hook", wrong={"": sentence(error.message)})
        return await page_of(sent.visit, sort, number, draft, status=422)
    return sent.visit.onwards(f"/connections/{sort}/{number}", did="hooked")


@router.post("/{sort}/{number}/read")
async def read(sent: FromAdmin, sort: Sort, number: Number) -> Response:
    """Read it now instead of at its next turn."""
    await _row_and_fields(sent.visit, sort, number)
    try:
        await (take_in if sort == "accounts" else pull)(sent.visit.river, number)
    except OutsideError:
        return sent.visit.onwards(f"/connections/{sort}/{number}", did="ill")
    return sent.visit.onwards(f"/connections/{sort}/{number}", did="read")


@router.post("/{sort}/{number}/remove")
async def remove(sent: FromAdmin, sort: Sort, number: Number) -> Response:
    """Disconnect it."""
    await connect.remove(sent.visit.river, _table(sort), number)
    return sent.visit.onwards("/connections")

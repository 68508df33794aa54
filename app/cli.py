"""The command line: `fullcircle serve | worker | migrate | demo | doctor | token create`."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Coroutine
from enum import StrEnum
from typing import Annotated, Any, NoReturn

import structlog
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from uvicorn.loops.auto import auto_loop_factory

from app import __version__, logs
from app.assembly import AlreadyRunningError, Assembly, CannotListenError, assemble, first_link
from app.settings import Settings
from app.steps import connect
from app.store import accounts, members, schema
from app.store.session import DATABASE_ERRORS, DatabaseAddressError, database_reason
from app.store.tables import Account, Tracker
from app.worker import run

app = typer.Typer(
    help="Fullcircle: from a public complaint to the department in charge, and back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tokens = typer.Typer(help="Tokens for the API.", no_args_is_help=True)
app.add_typer(tokens, name="token")
out = Console()
err = Console(stderr=True)
log = structlog.get_logger(__name__)


class Role(StrEnum):
    """What a token may do."""

    triager = "triager"
    engineer = "engineer"
    approver = "approver"
    admin = "admin"


def fail(message: str) -> NoReturn:
    """End with a message for a person."""
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def read_settings() -> Settings:
    """The settings, or an end with what is wrong with them; values are not repeated, they may be secrets."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"  {'FULLCIRCLE_' + '_'.join(str(p) for p in item['loc']).upper() if item['loc'] else 'settings'}: "
            f"{item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        fail("These settings cannot be used:\n" + "\n".join(lines))


def start_up() -> Settings:
    """What every command begins with: its settings, and logs on standard error."""
    settings = read_settings()
    logs.set_up(settings.log_format)
    if settings.call_seconds < settings.http_seconds and "http_seconds" in settings.model_fields_set:
        log.warning(
            "FULLCIRCLE_HTTP_SECONDS is cut: a call has to end long before its claim is taken over",
            http_seconds=settings.http_seconds,
            lease_seconds=settings.lease_seconds,
            cut_to=settings.call_seconds,
        )
    return settings


def build(settings: Settings, *, alone: bool) -> Assembly:
    """The parts of this process, or an end with the reason."""
    try:
        return assemble(settings, alone=alone)
    except (AlreadyRunningError, DatabaseAddressError, ValueError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"The data folder {settings.data_dir} cannot be used: {error.strerror}")


def carry_out(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end; a database that cannot be reached is told without its address."""
    try:
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(work)
    except (AlreadyRunningError, CannotListenError, schema.ForeignSchemaError) as error:
        fail(str(error))
    except DATABASE_ERRORS as error:
        reason = logs.SECRET_VALUES.sub(logs.HIDDEN, database_reason(error))
        fail(f"The database cannot be used ({reason}). See FULLCIRCLE_DATABASE_URL.")


def settle_in() -> None:
    """What was made until now lives as long as the process: the garbage collector need not look at it over and over."""
    gc.freeze()
    gc.enable()


@app.command()
def serve(
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Connect the rehearsal channel and tracker, to play on.")
    ] = False,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Serve only; workers run elsewhere.")] = False,
) -> None:
    """Serve the pages, the API and the webhooks, and work; migrates first."""
    settings = start_up()
    carry_out(_serve(settings, rehearsal=rehearsal, works=not no_worker))


async def _serve(settings: Settings, *, rehearsal: bool, works: bool) -> None:
    # Here, so that no other command waits for the API and the pages to be read.
    from app.main import Server, listen, make_app

    listening: socket.socket | None = None
    if settings.port == 0:
        # Which port that is has to be known before anything is told this installation's own address.
        listening = listen(settings.host, settings.port)
        settings = settings.model_copy(update={"port": listening.getsockname()[1]})
    assembly = build(settings, alone=True)
    try:
        listening = listening or listen(settings.host, settings.port)
        await schema.migrate(assembly.river.db)
        link = await first_link(assembly)
        if rehearsal:
            await connect_rehearsal(assembly)
        say_hello(assembly, link, rehearsal=rehearsal)
        settle_in()
        await Server(make_app(assembly, works=works)).serve(sockets=[listening])
    finally:
        if listening is not None:
            listening.close()
        await assembly.close()


async def connect_rehearsal(assembly: Assembly) -> None:
    """Connect the rehearsal channel and tracker, if they are not."""
    river = assembly.river
    async with river.db.read() as session:
        has_account = any(
            row.channel == "rehearsal" for row in await accounts.page(session, Account, after=0, limit=1000)
        )
        has_tracker = any(row.kind == "rehearsal" for row in await accounts.page(session, Tracker, after=0, limit=1000))
    if not has_account:
        await connect.connect_account(
            river, channel="rehearsal", name="Acme (rehearsal)", settings={}, secrets={}, mode="approve"
        )
    if not has_tracker:
        await connect.connect_tracker(river, kind="rehearsal", name="Acme app (rehearsal)", settings={}, secrets={})


def say_hello(assembly: Assembly, link: str | None, *, rehearsal: bool) -> None:
    """Tell the operator where everything is."""
    settings = assembly.settings
    lines = [f"Fullcircle {__version__} on {settings.own_url}"]
    if link:
        lines += [
            f"  Sign in as admin:  {link}",
            f"  (kept in {settings.data_dir / 'sign-in-link'} until somebody has signed up)",
        ]
    if rehearsal:
        lines += [
            f"  Complain here:     {settings.own_url}/rehearsal/main",
            f"  Engineers' board:  {settings.own_url}/rehearsal/main/board",
        ]
    if settings.secret_key is None:
        lines.append(
            f"  Secret key:        {settings.data_dir / 'secret.key'} (back it up: it opens stored credentials)"
        )
    err.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


@app.command()
def worker() -> None:
    """Work only: beside one or several `serve` on the same PostgreSQL database."""
    settings = start_up()
    carry_out(_work(settings))


async def _work(settings: Settings) -> None:
    assembly = build(settings, alone=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        assembly.wake()

    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, end)
    try:
        settle_in()
        await run(assembly.river, assembly.wake, stop)
    finally:
        await assembly.close()


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    settings = start_up()
    carry_out(_migrate(settings))


async def _migrate(settings: Settings) -> None:
    assembly = build(settings, alone=False)
    try:
        before = await schema.migrate(assembly.river.db)
    finally:
        await assembly.close()
    word = "is up to date" if before.is_right else f"went from {before.has or 'nothing'} to {before.needs}"
    out.print(f"The schema {word}.", highlight=False)


@app.command(name="demo")
def play(
    leave: Annotated[bool, typer.Option("--exit", help="End when the circle has gone round.")] = False,
) -> None:
    """Play the whole circle in a minute, on data of its own, then leave the pages open to play on."""
    from app import demo

    settings = read_settings()
    logs.set_up(settings.log_format, level=logging.WARNING)
    settle_in()
    try:
        carry_out(demo.run(settings, out, leave=leave))
    except demo.DemoError as error:
        fail(f"The demo came to a stop. {error}")


@app.command()
def doctor() -> None:
    """Check the installation and try every connection; ends with 1 where anything is wrong."""
    settings = start_up()
    carry_out(_doctor(settings))


async def _doctor(settings: Settings) -> None:
    assembly = build(settings, alone=False)
    try:
        rows = await examine(assembly)
    finally:
        await assembly.close()
    table = Table("", "What", "How it is", box=None, pad_edge=False)
    for ok, what, how in rows:
        table.add_row("ok" if ok else "!!", what, how, style=None if ok else "red")
    out.print(table, markup=False) if sys.stdout.isatty() else print_plain(rows)
    if not all(ok for ok, _, _ in rows):
        raise typer.Exit(1)


def print_plain(rows: list[tuple[bool, str, str]]) -> None:
    """One finding a line, for logs and pipes."""
    for ok, what, how in rows:
        typer.echo(f"{'ok' if ok else '!!'}  {what}: {how}")


async def examine(assembly: Assembly) -> list[tuple[bool, str, str]]:
    """Everything that can be wrong: (is it well, what, how it is)."""
    river = assembly.river
    state = await schema.state(river.db)
    if not state.is_right:
        how = f"schema {state.has or 'none'}, needed is {state.needs}: run `fullcircle migrate`"
        return [(False, "database", how)]
    rows = [(True, "database", f"schema {state.has}")]
    async with river.db.read() as session:
        profiles = await accounts.page(session, Account, after=0, limit=1000)
        projects = await accounts.page(session, Tracker, after=0, limit=1000)
    for profile in profiles:
        tried = await connect.probe(river, Account, profile.id)
        rows.append((tried.ok, f"account {tried.name} ({tried.channel})", tried.why or "works"))
    for project in projects:
        looked = await connect.probe(river, Tracker, project.id)
        rows.append((looked.ok, f"tracker {looked.name} ({looked.kind})", looked.why or "works"))
    return rows


@tokens.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="What it is for; shown beside everything it does.")],
    role: Annotated[Role, typer.Option(help="What it may do.")],
) -> None:
    """Make a token for the API and print it, alone, once."""
    settings = start_up()
    carry_out(_create_token(settings, name, role))


async def _create_token(settings: Settings, name: str, role: Role) -> None:
    assembly = build(settings, alone=False)
    try:
        await schema.migrate(assembly.river.db)
        async with assembly.river.db.begin() as session:
            token = await members.make_token(session, name=name, role=role.value, now=assembly.river.now())
    finally:
        await assembly.close()
    typer.echo(token)


@app.command(name="sign-in-link")
def sign_in_link(
    name: Annotated[str, typer.Argument(help="The member who forgot the password; nobody for a new admin.")] = "",
) -> None:
    """Make a sign-in link and print it, alone: a new password for a member, or the way in for a new admin."""
    settings = start_up()
    carry_out(_sign_in_link(settings, name))


async def _sign_in_link(settings: Settings, name: str) -> None:
    from app.steps import people
    from app.steps.link import ConflictError

    assembly = build(settings, alone=False)
    river = assembly.river
    try:
        await schema.migrate(river.db)
        async with river.db.read() as session:
            member = await members.member_by_name(session, name) if name else None
        if member is not None:
            token = await people.new_password_link(river, member.id, actor="command line")
        elif name:
            fail(f"There is no member called {name}. Without a name, the link makes a new admin.")
        else:
            token = await people.invite(river, name="", role="admin", actor="command line")
    except ConflictError as error:
        fail(str(error))
    finally:
        await assembly.close()
    typer.echo(f"{settings.own_url}/sign-in/{token}")

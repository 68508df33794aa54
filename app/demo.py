"""`fullcircle demo`: the whole circle on the rehearsal adapters, told step by step, then left open to play on.

Everything goes the way it goes in life: customers and engineers use their public pages, support and
approver use the HTTP API with tokens of their roles, and the worker does the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape

from app.assembly import Assembly, assemble, first_link
from app.main import Server, listen, make_app
from app.settings import Settings
from app.steps import connect
from app.store import accounts, members, schema
from app.store.tables import Account

JSON = dict[str, Any]

PATIENCE = 20.0
"""Seconds that the story waits for what the worker does in moments."""

STEPS = 9
RELEASE = "v2.4.1"


class DemoError(Exception):
    """The story came to a stop; the message says where."""


@dataclass
class Teller:
    """Tells the story: in colour on a terminal, in plain lines elsewhere."""

    console: Console
    steps: int = field(default=0)

    def step(self, who: str, does: str) -> None:
        """The next step begins."""
        self.steps += 1
        self.console.print()
        self.console.print(
            f"[bold]{self.steps}/{STEPS}  [cyan]{escape(who)}[/] {escape(does)}[/]", highlight=False, soft_wrap=True
        )

    def show(self, what: str, text: str, *, style: str = "") -> None:
        """One thing that can be seen now."""
        self.console.print(
            f"     [dim]{escape(what):>13}[/]  [{style or 'default'}]{escape(text)}[/]", highlight=False, soft_wrap=True
        )

    def line(self, text: str, *, style: str = "") -> None:
        """A line of its own."""
        self.console.print(f"[{style or 'default'}]{escape(text)}[/]", highlight=False, soft_wrap=True)

    @contextmanager
    def waiting(self, for_what: str) -> Iterator[None]:
        """On a terminal, something moves while the worker works."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status(f"[dim]{escape(for_what)} …[/]", spinner="dots"):
            yield


async def run(settings: Settings, console: Console, *, leave: bool) -> None:
    """Play the circle, then leave the pages open until Ctrl-C; with `leave`, end when it has gone round.

    DemoError where it does not go round; CannotListenError and AlreadyRunningError as for `serve`.
    """
    with _folder(settings) as folder:
        listening = listen(settings.host, settings.port)
        own = settings.model_copy(
            update={
                "data_dir": folder,
                # Never the database of an installation: the demo has one of its own.
                "database_url": f"sqlite:///{folder / 'demo.db'}",
                "port": listening.getsockname()[1],
                "poll_seconds": 0.25,
                "settle_seconds": 0.0,
                "backoff_seconds": 1.0,
            }
        )
        with contextlib.closing(listening):
            assembly = assemble(own, alone=True)
            try:
                await schema.migrate(assembly.river.db)
                await _serve_and_play(assembly, listening, Teller(console), leave=leave)
            finally:
                await assembly.close()


@contextmanager
def _folder(settings: Settings) -> Iterator[Path]:
    """The data folder: the one that was set, or one that is gone afterwards."""
    if "data_dir" in settings.model_fields_set:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        yield settings.data_dir
        return
    folder = Path(tempfile.mkdtemp(prefix="fullcircle-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _serve_and_play(assembly: Assembly, listening: socket.socket, teller: Teller, *, leave: bool) -> None:
    server = Server(make_app(assembly, works=True))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    playing = asyncio.create_task(_play(assembly, teller))
    try:
        await asyncio.wait({serving, playing}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done() and not playing.cancelled():
            playing.result()
            if not leave and not serving.done():
                await _leave_open(assembly, playing.result(), teller)
                await serving
    finally:
        playing.cancel()
        server.should_exit = True
        await asyncio.wait({serving, playing})


async def _leave_open(assembly: Assembly, scene: str, teller: Teller) -> None:
    link, url = await first_link(assembly), assembly.settings.own_url
    teller.line("")
    teller.line("Everything is still open. Play on:", style="bold")
    teller.show("customers", f"{url}/rehearsal/{scene}")
    teller.show("engineers", f"{url}/rehearsal/{scene}/board")
    teller.show("your desk", link or url)
    teller.line("Ctrl-C ends it" + (" and forgets all of it." if _is_temporary(assembly) else "."), style="dim")


def _is_temporary(assembly: Assembly) -> bool:
    return assembly.settings.data_dir.name.startswith("fullcircle-demo-")


@asynccontextmanager
async def _visitor(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10, follow_redirects=False) as client:
        yield client


@dataclass
class Cast:
    """Who plays: customers and engineers on the pages of a scene, colleagues at the API."""

    url: str
    pages: httpx.AsyncClient
    scene: str
    support: JSON
    approver: JSON

    async def submit(self, path: str, **form: str) -> str:
        """Send a form of the rehearsal pages; returns where it leads."""
        answer = await self.pages.post(f"/rehearsal/{self.scene}{path}", data=form)
        if answer.status_code != 303:
            raise DemoError(f"the form at /rehearsal/{self.scene}{path} was answered with {answer.status_code}")
        return answer.headers["location"]

    async def ask(self, who: JSON, method: str, path: str, body: JSON | None = None, **query: Any) -> JSON:
        """One call to the API."""
        answer = await self.pages.request(
            method, f"/api/v1{path}", json=body, params=query, headers={"Authorization": f"Bearer {who['token']}"}
        )
        if answer.is_error:
            raise DemoError(f"{who['name']}: {method} {path}: {answer.status_code} {answer.json().get('detail', '')}")
        found: JSON = answer.json()
        return found

    async def loop(self, number: int) -> JSON:
        """A loop as support sees it."""
        return await self.ask(self.support, "GET", f"/loops/{number}")


async def _until(what: str, look: Callable[[], Awaitable[Any]], teller: Teller) -> Any:
    """What `look` finds, as soon as it finds something."""
    until = time.monotonic() + PATIENCE
    with teller.waiting(what):
        while time.monotonic() < until:
            found = await look()
            if found:
                return found
            await asyncio.sleep(0.05)
    raise DemoError(f"{what}: nothing came within {PATIENCE:.0f} seconds")


async def _play(assembly: Assembly, teller: Teller) -> str:
    """The story. Returns its scene."""
    began = time.monotonic()
    teller.line("Fullcircle: from a public complaint to the engineers and back, on a rehearsal stage.", style="bold")
    async with _visitor(assembly.settings.own_url) as pages:
        await _until("starting", partial(_is_ready, pages), teller)
        cast = await _cast(assembly, pages)
        ana, ben = await _complaints(cast, teller)
        await _tagged(cast, teller, ana, ben)
        await _fixed(cast, teller, ana["loop"])
        await _shipped(cast, teller, ana["loop"])
        await _told(cast, teller, [ana["loop"], ben["loop"]])
        await _answered(cast, teller, ana["loop"], ben["loop"])
    teller.line("")
    teller.line(
        f"Full circle in {time.monotonic() - began:.0f} seconds: one customer is happy, "
        "and one engineer knows that it is not over.",
        style="bold green",
    )
    return cast.scene


async def _is_ready(pages: httpx.AsyncClient) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return (await pages.get("/readyz")).status_code == 200
    return False


async def _cast(assembly: Assembly, pages: httpx.AsyncClient) -> Cast:
    """A scene nobody has played on yet, with both rehearsal adapters; and colleagues with a token each."""
    river = assembly.river
    async with river.db.read() as session:
        played = len(await accounts.page(session, Account, after=0, limit=1000))
    scene = f"demo-{played + 1}" if played else "demo"
    settings = {"scene": scene}
    await connect.connect_account(
        river, channel="rehearsal", name="Acme", settings=settings, secrets={}, mode="approve"
    )
    await connect.connect_tracker(river, kind="rehearsal", name="Acme app", settings=settings, secrets={})
    async with river.db.begin() as session:
        colleagues = [
            {"name": name, "token": await members.make_token(session, name=name, role=role, now=river.now())}
            for name, role in (("Sam", "triager"), ("Kim", "approver"))
        ]
    return Cast(assembly.settings.own_url, pages, scene, *colleagues)


async def _complaints(cast: Cast, teller: Teller) -> tuple[JSON, JSON]:
    teller.step("Two customers", "complain in public")
    await cast.submit("", handle="ana", name="Ana", language="en", text="Export to CSV hangs at 99 % since yesterday!")
    await cast.submit("", handle="ben", name="Ben", language="de", text="Der CSV-Export hängt bei mir auch. Nervig.")

    async def both() -> list[JSON]:
        posts = (await cast.ask(cast.support, "GET", "/posts", state="new"))["items"]
        mine = [post for post in posts if f"/{cast.scene}/" in post["url"]]
        return mine if len(mine) == 2 else []

    posts = {post["author"].removeprefix("@"): post for post in await _until("taking in", both, teller)}
    for post in (posts["ana"], posts["ben"]):
        teller.show(post["author"], post["text"])
        teller.show("where", post["url"], style="dim")
    return posts["ana"], posts["ben"]


async def _tagged(cast: Cast, teller: Teller, ana: JSON, ben: JSON) -> None:
    teller.step("Sam from support", "tags Ana's post as a product issue, and an issue is made")
    tracker = (await cast.ask(cast.support, "GET", "/trackers", limit=200))["items"][-1]
    title = "Export to CSV hangs at 99 %"
    loop = await cast.ask(
        cast.support,
        "POST",
        "/loops",
        {"post_id": ana["id"], "tags": ["export"], "issue": {"tracker_id": tracker["id"], "title": title}},
    )
    ana["loop"] = loop["id"]
    teller.show("issue", f"{loop['issue']['ref']} {loop['issue']['title']}")
    teller.show("loop", f"{loop['state']}: {loop['why']}")

    teller.step("Sam", "sees what Ben's post may be about, and ties it to the same issue")
    suggested = (await cast.ask(cast.support, "GET", f"/posts/{ben['id']}/suggestions"))["items"]
    for one in suggested[:1]:
        teller.show("suggested", f"{one['issue']['ref']}, because it {one['why']}")
    loop = await cast.ask(
        cast.support,
        "POST",
        "/loops",
        {"post_id": ben["id"], "tags": ["export"], "issue": {"tracker_id": tracker["id"], "ref": loop["issue"]["ref"]}},
    )
    ben["loop"] = loop["id"]
    issue = await cast.ask(cast.support, "GET", f"/issues/{loop['issue']['id']}")
    teller.show(
        "engineers see", f"{issue['waiting']} people wait for {issue['ref']}, with their words and where they said them"
    )


async def _fixed(cast: Cast, teller: Teller, loop: int) -> None:
    teller.step("Robin, an engineer,", "closes the issue as completed. Not enough to speak:")
    ref = (await cast.loop(loop))["issue"]["ref"].removeprefix("#")
    await cast.submit(f"/board/issues/{ref}/close", outcome="completed")
    found = await _until("hearing of it", partial(_in_state, cast, loop, "fixed"), teller)
    teller.show("loop", f"{found['state']}: {found['why']}", style="yellow")


async def _in_state(cast: Cast, number: int, state: str) -> JSON | None:
    found = await cast.loop(number)
    return found if found["state"] == state else None


async def _shipped(cast: Cast, teller: Teller, loop: int) -> None:
    teller.step("Robin", f"publishes {RELEASE}. Now the fix is in customers' hands:")
    await cast.submit("/board/releases", label=RELEASE, standing="published")

    async def with_reply() -> JSON | None:
        found = await _in_state(cast, loop, "shipped")
        return found if found is not None and found["replies"] else None

    found = await _until("judging the evidence", with_reply, teller)
    issue = await cast.ask(cast.support, "GET", f"/issues/{found['issue']['id']}")
    for line in issue["shipment"]["evidence"]:
        teller.show(line["kind"], line["label"])
    teller.show("loop", f"{found['state']}: {found['why']}", style="yellow")


async def _told(cast: Cast, teller: Teller, loops: list[int]) -> None:
    teller.step("Kim, the approver,", "reads the exact texts and lets them go")
    for number in loops:
        reply = await _until("writing", partial(_draft, cast, number), teller)
        await cast.ask(cast.approver, "POST", f"/replies/{reply['id']}/approve")
    for number in loops:
        found = await _until("speaking", partial(_in_state, cast, number, "told"), teller)
        [reply] = found["replies"]
        teller.show("Acme says", reply["text"], style="green")
        teller.show("where", reply["url"], style="dim")


async def _draft(cast: Cast, number: int) -> JSON | None:
    waiting: list[JSON] = [r for r in (await cast.loop(number))["replies"] if r["state"] == "awaiting_approval"]
    return waiting[0] if waiting else None


async def _answered(cast: Cast, teller: Teller, ana: int, ben: int) -> None:
    teller.step("Ana", "answers")
    await _answer(cast, teller, ana, "It works now, thank you!")
    found = await _until("listening", partial(_in_state, cast, ana, "verified"), teller)
    teller.show("loop", f"{found['state']}: {found['why']}", style="green")
    clock = [name for name, at in found["clock"].items() if at]
    teller.show("clock", " → ".join(clock))

    teller.step("Ben", "is not so lucky")
    await _answer(cast, teller, ben, "Es geht immer noch nicht.")

    async def again() -> JSON | None:
        found = await _in_state(cast, ben, "linked")
        return found if found is not None and found["round"] == 2 else None

    found = await _until("listening", again, teller)
    linked_again = [event["why"] for event in found["history"] if event["what"] == "linked"][-1]
    teller.show("loop", f"{found['state']} again: {linked_again}", style="yellow")

    teller.step("Robin", "finds a new comment on the issue, and nothing more is said before there is another fix")
    teller.show("board", f"{cast.url}/rehearsal/{cast.scene}/board")


async def _answer(cast: Cast, teller: Teller, loop: int, text: str) -> None:
    found = await cast.loop(loop)
    author = found["posts"][0]["author"].removeprefix("@")
    number = found["replies"][-1]["external_id"]
    await cast.submit(f"/posts/{number}/answer", handle=author, text=text)
    teller.show(found["posts"][0]["author"], text)

"""The pictures that the README shows, taken anew from a week in the life of a made-up company.

They land in build/screenshots/readme-*.png; whoever changes how the pages look copies them to docs/pictures.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from app.staging import Board
from tests.support.chromium import Window, chromium
from tests.support.circle import KEY, Circle, Clock, circle
from tests.support.databases import apart, migrated
from tests.support.mastodon_network import TOKEN, MastodonNetwork, start_thread
from tests.support.service import serve

ISSUES = (
    "Export to CSV hangs at 99 % in Safari",
    "Large CSV export times out behind a proxy",
    "Export: 99 % is not announced to screen readers",
    "API answers 502 in eu-west",
    "Umlauts are lost on import",
)

EARLIER = (
    (1, "kara@mstdn.example", "Kara Holm", "Exporting to CSV hangs in Safari, every single time."),
    (1, "luis@social.example", "Luis Ortega", "La exportación CSV se queda en 99 % en Safari."),
    (1, "mo@hachy.example", "Mo Hassan", "Safari + CSV export = endless spinner"),
    (1, "yuki@mstdn.example", "Yuki Tanaka", "SafariでCSVエクスポートが終わりません"),
    (2, "nils@norden.social.example", "Nils Berg", "Export of 2 GB times out behind our proxy"),
    (4, "devp@hachy.example", "Dev Patel", "Is the API down again? 502 on every call from eu-west."),
    (4, "ines@social.example", "Inês Costa", "API com erro 502 desde ontem à noite."),
    (4, "sam@mstdn.example", "Sam Field", "502 Bad Gateway from your API, eu-west only"),
)

TODAY = (
    (300, "lena@design.example", "Lena", "tiny thing: the dark theme flashes white when I open settings", "en", 310),
    (180, "devon@hachy.example", "Devon Price", "Where did the keyboard shortcut for search go?", "en", 41_200),
    (
        121,
        "rosa@hachy.example",
        "rosa_codes",
        "Thank you for fixing the import so quickly. That is how you do it.",
        "en",
        880,
    ),
    (
        64,
        "tobias@norden.social.example",
        "Tobias Brandt",
        "Seit dem Update meldet sich die App auf meinem alten iPad dauernd ab.",
        "de",
        96,
    ),
    (
        26,
        "maria@social.example",
        "Maria Silva",
        "Adorei o painel novo, mas por que tiraram o e-mail semanal? Eu lia toda segunda no trem.",
        "pt",
        512,
    ),
    (11, "kenji@mstdn.example", "Kenji Mori", "エクスポートが99%で止まります。Safari 19です。", "ja", 73),
    (
        4,
        "ana@fosstodon.example",
        "Ana Duarte",
        "CSV export has been stuck at 99 % since Tuesday on Safari. I have a board meeting tomorrow, please?",
        "en",
        1204,
    ),
)


async def _week(url: str, network: MastodonNetwork, address: str) -> None:
    """A week, played quickly: one circle closed, one about to be told, some that wait, and this morning's posts."""
    await migrated(url)
    now = datetime.now(UTC).replace(microsecond=0)
    clock = Clock(now - timedelta(days=6, hours=3))
    network.now = clock
    async with circle(url, product="Acme", clock=clock) as made:
        settings = {"base_url": address, "first_days": 30}
        account = {"channel": "mastodon", "name": "Acme", "settings": settings, "secrets": {"access_token": TOKEN}}
        await made.post("/api/v1/accounts", {**account, "mode": "approve"}, status=201)
        tracker = {"kind": "rehearsal", "name": "Acme app", "settings": {"settle_seconds": 1800}}
        await made.post("/api/v1/trackers", tracker, status=201)
        board = Board(made.stage, "main")
        for title in ISSUES:
            await board.open_issue(title=title, body="", now=clock())
        await _ana_is_told(made, network, board)
        for issue, acct, name, text in EARLIER:
            clock.move(hours=3)
            network.mention(acct, text, display_name=name, followers=200)
            await _linked(made, issue)
        await board.close(4, outcome="completed", now=clock())
        await _read(made)
        clock.moment = now - timedelta(minutes=22)
        await board.release("v2.5.0", now=clock())
        await _read(made)
        await made.call("PATCH", "/api/v1/loops/7", {"tags": ["api"], "assignee": "Kim Doe"})
        media = [
            {
                "id": "1",
                "type": "image",
                "url": "https://files.fosstodon.example/1.png",
                "preview_url": None,
                "description": "A progress bar that stands at 99 percent",
            }
        ]
        for minutes, acct, name, text, language, followers in TODAY:
            clock.moment = now - timedelta(minutes=minutes)
            more: dict[str, Any] = {"media": media} if name == "Ana Duarte" else {}
            network.mention(acct, text, display_name=name, followers=followers, language=language, **more)
            await made.post("/api/v1/accounts/1/pull")
        clock.moment = now
        await made.rest()


async def _ana_is_told(made: Circle, network: MastodonNetwork, board: Board) -> None:
    said = network.mention(
        "ana@fosstodon.example", "Umlauts are lost on import", display_name="Ana Duarte", followers=1204
    )
    await _linked(made, 5)
    made.clock.move(hours=5)
    await board.close(5, outcome="completed", now=made.clock())
    made.clock.move(hours=2)
    await board.release("v2.4.8", now=made.clock())
    await _read(made)
    made.clock.move(hours=1)
    await made.post("/api/v1/replies/1/approve")
    await made.rest()
    made.clock.move(hours=4)
    reply = network.replies[said.id][0]
    network.mention("ana@fosstodon.example", "It works now, thank you!", in_reply_to_id=reply)
    await _read(made)


async def _linked(made: Circle, issue: int) -> None:
    await made.post("/api/v1/accounts/1/pull")
    made.clock.move(minutes=6)
    [post] = (await made.get("/api/v1/posts?state=new"))["items"]
    body = {"post_id": post["id"], "tags": [], "issue": {"tracker_id": 1, "ref": str(issue)}}
    await made.post("/api/v1/loops", body, status=201)


async def _read(made: Circle) -> None:
    await made.post("/api/v1/accounts/1/pull")
    await made.post("/api/v1/trackers/1/pull")
    await made.rest()


def test_the_pictures_of_the_readme(tmp_path: Path) -> None:
    network = MastodonNetwork()
    url = f"sqlite:///{tmp_path / 'week.db'}"
    with start_thread(network) as server, chromium() as browser:
        apart(_week(url, network, server.base_url))
        (tmp_path / "secret.key").write_text(KEY)
        with serve(tmp_path, url, FULLCIRCLE_SETTLE_SECONDS="1800") as service:
            context = browser.new_context(
                viewport={"width": 1240, "height": 800}, locale="en-GB", device_scale_factor=1
            )  # type: ignore[arg-type]
            window = Window(context, service.url)
            window.page.goto((tmp_path / "sign-in-link").read_text().strip())
            window.page.get_by_label("Your name").fill("Kim Doe")
            window.page.get_by_label("Password").fill("correct horse battery")
            window.page.get_by_role("button", name="Begin").click()
            page = window.open("/triage")
            expect(page.get_by_role("heading", name="Which issue is this about?")).to_be_visible()
            expect(page.locator(".suggest").nth(1)).to_be_visible()
            window.picture("readme-triage")
            page = window.open("/loops/7")
            expect(page.get_by_text("Next: an approver reads the reply")).to_be_visible()
            page.get_by_role("textbox", name="Note").fill("He runs the status page of three of our customers.")
            page.get_by_role("button", name="Add note").click()
            expect(page.get_by_text("Kim Doe ·")).to_be_visible()
            page.evaluate("document.activeElement.blur(), window.scrollTo(0, 0)")
            window.picture("readme-loop")
            window.open("/")
            window.picture("readme-start")
            window.open("/issues/1")
            window.picture("readme-issue")
            assert window.troubles == []
            context.close()

"""The pages in Chromium, with the whole service behind them: by mouse, by keyboard, on a phone, in two windows."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support import jira_server
from tests.support.chromium import PHONE, WIDE, Window, axe_findings, chromium
from tests.support.mastodon_network import TOKEN, MastodonNetwork, start_thread
from tests.support.service import Service, serve

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


class Desk:
    """A service with its rehearsal adapters, and whoever works at it."""

    def __init__(self, service: Service, browser: Browser, folder: Path) -> None:
        self.service, self._browser, self._folder = service, browser, folder
        self._state: Path | None = None
        self.windows: list[Window] = []

    def window(self, *, signed_in: bool = True, **options: object) -> Window:
        """A new window, of Kim who is an admin, or of nobody."""
        if signed_in and self._state is None:
            first = self.window(signed_in=False)
            first.page.goto((self._folder / "sign-in-link").read_text().strip())
            first.page.get_by_label("Your name").fill("Kim Doe")
            first.page.get_by_label("Password").fill(PASSWORD)
            first.page.get_by_role("button", name="Begin").click()
            self._state = self._folder / "state.json"
            first.page.context.storage_state(path=self._state)
        settings: dict[str, object] = {"viewport": WIDE, "locale": "en-GB", **options}
        if signed_in:
            settings["storage_state"] = self._state
        made = Window(self._browser.new_context(**settings), self.service.url)  # type: ignore[arg-type]
        self.windows.append(made)
        return made

    def complain(self, text: str, *, handle: str, name: str = "", language: str = "en") -> None:
        """A customer speaks on the square."""
        self._send("", {"handle": handle, "name": name, "text": text, "language": language})

    def issue(self, title: str) -> None:
        """Engineers open one on the board."""
        self._send("/board/issues", {"title": title, "body": ""})

    def close(self, number: int) -> None:
        """Engineers close one as fixed."""
        self._send(f"/board/issues/{number}/close", {"outcome": "completed"})

    def release(self, label: str) -> None:
        """Engineers publish."""
        self._send("/board/releases", {"label": label})

    def _send(self, path: str, fields: dict[str, str]) -> None:
        answer = httpx.post(f"{self.service.url}/rehearsal/main{path}", data=fields, trust_env=False)
        assert answer.status_code == 303, answer.text

    def until_posts(self, count: int) -> None:
        """Wait until so many are new in triage."""
        self.service.until(lambda: len(self.service.get("/api/v1/posts?state=new&limit=100")["items"]) == count)

    def busy(self) -> None:
        """A morning's work: things to triage, to approve, on their way and done."""
        people = [
            ("lena", "Lena", "tiny thing: the dark theme flashes white when I open settings", "en"),
            ("devp", "Dev Patel", "@acme is the API down again? 502 on every call from eu-west.", "en"),
            ("rosa", "rosa_codes", "Thank you @acme for fixing the import so quickly. That is how you do it.", "en"),
            ("tobias", "Tobias Brandt", "Seit dem Update meldet sich die App auf meinem alten iPad dauernd ab.", "de"),
            ("maria", "Maria Silva", "Adorei o painel novo, mas por que tiraram o e-mail semanal?", "pt"),
            ("pat", "pat_w", "anyone else’s @acme export just… sit there at 99?", "en"),
            ("kenji", "Kenji Mori", "エクスポートが99%で止まります。Safari 19です。", "ja"),
            (
                "ana",
                "Ana Duarte",
                "CSV export has been stuck at 99 % since Tuesday on Safari. I have a board meeting tomorrow.",
                "en",
            ),
        ]
        for title in (
            "Export to CSV hangs at 99 % in Safari",
            "Large exports time out behind a proxy",
            "API answers 502 in eu-west",
        ):
            self.issue(title)
        for handle, name, text, language in people[:3]:
            self.complain(text, handle=handle, name=name, language=language)
        self.until_posts(3)
        for post, ref in ((1, "2"), (2, "3"), (3, "1")):
            body = {"post_id": post, "tags": ["web"], "issue": {"tracker_id": 1, "ref": ref}}
            self.service.post("/api/v1/loops", body, status=201)
        self.close(3)
        self.release("v2.4.9")
        self.service.until_loop(2, "shipped")
        self.service.until(lambda: bool(self.service.get("/api/v1/replies?state=awaiting_approval")["items"]))
        for handle, name, text, language in people[3:]:
            self.complain(text, handle=handle, name=name, language=language)
        self.until_posts(5)


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    with serve(tmp_path, "", "--rehearsal") as service:
        made = Desk(service, browser, tmp_path)
        yield made
        troubles = [trouble for window in made.windows for trouble in window.troubles]
        for window in made.windows:
            window.page.context.close()
        assert troubles == []


def test_a_newcomer_goes_from_the_sign_in_link_to_a_closed_loop(desk: Desk) -> None:
    kim = desk.window()
    start = kim.open("/")
    expect(start.get_by_role("heading", name="Close a first loop")).to_be_visible()
    kim.picture("newcomer-1-start")
    with start.expect_popup() as opened:
        start.get_by_role("link", name="Open the square").first.click()
    square = opened.value
    square.get_by_label("Handle").fill("ana")
    square.get_by_label("What does not work?").fill("CSV export has been stuck at 99 % since Tuesday on Safari")
    square.get_by_role("button", name="Post in public").click()
    expect(start.locator(".steps .done")).to_have_count(1)

    start.get_by_role("link", name="Open triage").click()
    expect(start.get_by_role("heading", name="Which issue is this about?")).to_be_visible()
    kim.picture("newcomer-2-triage")
    start.get_by_role("link", name="New issue").click()
    expect(start.get_by_role("dialog")).to_be_visible()
    kim.picture("newcomer-3-new-issue")
    start.get_by_role("button", name="Make the issue").click()
    expect(start.get_by_text("The issue is being made")).to_be_visible()
    kim.picture("newcomer-4-made")

    start.get_by_role("link", name="Start", exact=True).click()
    expect(start.locator(".steps .done")).to_have_count(2)
    with start.expect_popup() as opened:
        start.get_by_role("link", name="Open the board").first.click()
    board = opened.value
    board.get_by_role("button", name="Close #1 as fixed").click()
    expect(start.locator(".steps .done")).to_have_count(3)
    board.get_by_role("button", name="Publish").click()
    expect(start.locator(".steps .done")).to_have_count(4)
    kim.picture("newcomer-5-shipped")

    start.get_by_role("link", name="Open replies").click()
    expect(start.locator("pre.exact")).to_contain_text("v1.0.1")
    kim.picture("newcomer-6-approve")
    start.get_by_role("button", name="Approve").click()
    expect(start.get_by_text("Nothing waits for approval")).to_be_visible()

    start.get_by_role("link", name="Loops", exact=True).click()
    start.get_by_role("link", name=re.compile("ana")).first.click()
    expect(start.get_by_text("Next: the customer answers")).to_be_visible()
    square.reload()
    square.get_by_role("button", name="It works now").click()
    expect(start.get_by_text("The circle is closed.")).to_be_visible()
    kim.picture("newcomer-7-closed-loop")
    start.get_by_role("link", name="Start", exact=True).click()
    expect(start.get_by_text("Now connect where your customers really speak")).to_be_visible()
    kim.picture("newcomer-8-start")


def test_triage_goes_by_keyboard_alone(desk: Desk) -> None:
    desk.busy()
    window = desk.window()
    page = window.open("/triage")
    key = page.keyboard.press
    reading = page.locator(".reading .quote")
    expect(reading).to_contain_text("CSV export has been stuck")
    window.picture("triage-light")
    key("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    window.picture("triage-keys")
    key("Escape")
    key("j")
    expect(reading).to_contain_text("エクスポート")
    key("k")
    expect(reading).to_contain_text("CSV export has been stuck")
    key("1")
    expect(page.get_by_text("Linked:")).to_be_visible()
    expect(reading).to_contain_text("エクスポート")
    assert desk.service.get("/api/v1/posts/8")["state"] == "tagged"
    key("u")
    expect(page.get_by_text("Back in triage.")).to_be_visible()
    expect(reading).to_contain_text("CSV export has been stuck")
    assert desk.service.get("/api/v1/posts/8")["state"] == "new"
    key("n")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.type("The export")  # over the drafted title, which is selected as a whole
    key("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    key("l")
    page.keyboard.type("#99")
    key("Enter")
    expect(page.get_by_text("There is no issue #99")).to_be_visible()
    expect(page.get_by_label("Link by number or address")).to_be_focused()
    window.picture("triage-no-such-issue")
    key("Control+A")
    page.keyboard.type("#1")
    key("Enter")
    expect(page.get_by_text("Linked:")).to_be_visible()
    key("d")
    expect(page.get_by_text("Dismissed.")).to_be_visible()
    assert desk.service.get("/api/v1/posts/7")["state"] == "dismissed"
    expect(reading).to_contain_text("sit there at 99")
    key("t")
    page.keyboard.type("export")
    key("Enter")
    expect(page.get_by_text("Tagged:")).to_be_visible()
    key("n")
    expect(page.get_by_role("dialog")).to_be_visible()
    key("Control+A")
    page.keyboard.type("Bring back the weekly e-mail")
    key("Enter")
    expect(page.get_by_text("The issue is being made")).to_be_visible()
    desk.service.until(lambda: bool(desk.service.get("/api/v1/posts/5")["loop_id"]))
    loop = desk.service.get("/api/v1/posts/5")["loop_id"]
    desk.service.until(lambda: desk.service.get(f"/api/v1/loops/{loop}")["issue"]["ref"] == "#4")
    expect(page.locator("[data-list] .item")).to_have_count(1)


def test_a_reply_is_approved_edited_and_held_by_keyboard(desk: Desk) -> None:
    desk.busy()
    window = desk.window()
    page = window.open("/loops/2")
    expect(page.get_by_text("Next: an approver reads the reply")).to_be_visible()
    window.picture("loop-light")
    page.keyboard.press("e")
    area = page.get_by_label("Public text")
    expect(area).to_be_visible()
    area.fill("x" * 600)
    expect(page.locator("#count")).to_have_text("606 of 500")
    page.get_by_role("button", name="Save the text").click()
    expect(page.get_by_text("and 500 are allowed")).to_be_visible()
    expect(area).to_have_value("x" * 600)
    window.picture("reply-too-long")
    area.fill("The API answers again, since v2.4.9. Does it for you?")
    page.get_by_role("button", name="Save the text").click()
    expect(page.locator("pre.exact")).to_contain_text("The API answers again")
    area.blur()
    page.keyboard.press("h")
    expect(page.get_by_text("Held by Kim Doe")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_text("Waits for an approver.")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_text("Said through Acme")).to_be_visible()
    window.picture("reply-said")
    desk.service.until_loop(2, "told")


def test_two_windows_follow_each_other_within_a_second_and_nothing_typed_is_lost(desk: Desk) -> None:
    desk.busy()
    one, other = desk.window(), desk.window()
    here, there = one.open("/loops/2"), other.open("/loops/2")
    area = here.get_by_role("textbox", name="Note")
    area.fill("Half a thought about")
    area.evaluate("field => field.setSelectionRange(5, 9)")
    here.evaluate("window.scrollTo(0, 120)")
    here.get_by_text("Close or reopen by hand").click()
    area.focus()
    area.evaluate("field => field.setSelectionRange(5, 9)")
    scrolled = here.evaluate("window.scrollY")
    assert scrolled > 0
    waits = []
    for number in range(3):
        there.get_by_role("textbox", name="Note").fill(f"Note {number} from the other window")
        there.get_by_role("button", name="Add note").click()
        began = time.monotonic()
        expect(here.get_by_text(f"Note {number} from the other window")).to_be_visible()
        waits.append(time.monotonic() - began)
    assert sorted(waits)[1] < 1, waits
    expect(there.get_by_role("textbox", name="Note")).to_have_value("")
    expect(area).to_have_value("Half a thought about")
    expect(area).to_be_focused()
    assert area.evaluate("field => [field.selectionStart, field.selectionEnd]") == [5, 9]
    assert here.evaluate("window.scrollY") == scrolled
    expect(here.get_by_role("button", name="Close as verified")).to_be_visible()
    there.get_by_role("button", name="Approve").click()
    expect(here.get_by_text("Next: the customer answers")).to_be_visible()
    expect(area).to_have_value("Half a thought about")
    one.picture("two-windows")

    here, there = one.open("/triage"), other.open("/triage")
    here.get_by_label("Or tag it").fill("exp")
    desk.complain("One more thing", handle="zoe", name="Zoe")
    expect(here.get_by_text("One more thing")).to_be_visible()
    expect(here.locator(".reading .quote")).to_contain_text("CSV export has been stuck")
    expect(here.get_by_label("Or tag it")).to_have_value("exp")
    there.locator("[data-list] .item", has_text="pat_w").click()
    expect(there.locator(".reading .quote")).to_contain_text("sit there at 99")
    there.keyboard.press("d")
    expect(here.get_by_text("sit there at 99")).to_be_hidden()


def test_a_mastodon_account_is_connected_with_a_wrong_token_and_then_a_right_one(desk: Desk) -> None:
    window = desk.window()
    with start_thread(MastodonNetwork()) as server:
        page = window.open("/connections")
        window.picture("connections")
        page.get_by_role("link", name="Mastodon").click()
        page.get_by_label("Name here").fill("Acme on Mastodon")
        page.get_by_label("Server address").fill(server.base_url)
        page.get_by_label("Access token").fill("not-the-token")
        expect(page.get_by_label("Approve first")).to_be_checked()
        page.get_by_role("button", name="Try and connect").click()
        token = page.get_by_label("Access token")
        expect(token).to_have_attribute("aria-invalid", "true")
        expect(token).to_be_focused()
        expect(token).to_have_value("")
        expect(page.get_by_label("Name here")).to_have_value("Acme on Mastodon")
        expect(page.get_by_label("Server address")).to_have_value(server.base_url)
        window.picture("connect-wrong-token")
        token.fill(TOKEN)
        page.get_by_role("button", name="Try and connect").click()
        expect(page.get_by_text("Connected. It is read from now on.")).to_be_visible()
        expect(page.get_by_role("heading", name="Acme on Mastodon")).to_be_visible()
        window.picture("connected")
        page.get_by_role("button", name="Test").click()
        expect(page.get_by_text("It works.")).to_be_visible()


PAGES = {
    "start": "/?overlook=1",
    "first-loop": "/",
    "triage": "/triage?post=8",
    "triage-list": "/triage",
    "new-issue": "/triage?post=8&new=1",
    "dismissed": "/triage?state=dismissed",
    "loops": "/loops?all=1",
    "loop": "/loops/2",
    "loop-linked": "/loops/1",
    "customers": "/customers",
    "customer": "/customers/2",
    "customer-find": "/customers/8?find=a",
    "issues": "/issues",
    "issue": "/issues/1",
    "issue-shipped": "/issues/2",
    "replies": "/replies",
    "reply": "/replies/1",
    "texts": "/texts",
    "connections": "/connections",
    "account": "/connections/accounts/1",
    "tracker": "/connections/trackers/1",
    "connect": "/connections/trackers/new/github",
    "people": "/people",
    "me": "/people/me",
    "nothing": "/loops/987654",
}


@pytest.mark.parametrize("has_script", [True, False])
def test_a_jiras_own_names_are_ticked_and_its_token_never_comes_back(desk: Desk, has_script: bool) -> None:
    server = jira_server.JiraServer(jira_server.JiraWorld())
    window = desk.window(viewport=PHONE, java_script_enabled=has_script)
    with jira_server.start_thread(server) as address:
        page = window.open("/connections/trackers/new/jira")
        page.get_by_label("Site").fill(address)
        page.get_by_label("Project key").fill("ACME")
        page.get_by_label("Token").fill(jira_server.TOKEN)
        page.get_by_label("E-mail").fill(jira_server.EMAIL)
        page.get_by_role("button", name="Ask Jira for its choices").click()
        fixed = page.get_by_role("group", name="Resolutions: fixed")
        expect(fixed.get_by_label("Erledigt")).to_be_checked()
        expect(fixed.get_by_label("Won't Do")).not_to_be_checked()
        window.picture(f"jira-names-{'script' if has_script else 'plain'}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert jira_server.TOKEN not in page.content()
        fixed.get_by_label("Erledigt").focus()
        page.keyboard.press("Space")
        page.get_by_label("Name here").fill("ACME")
        token = page.get_by_label("Token")
        expect(token).to_have_value(jira_server.TOKEN if has_script else "")
        if not has_script:
            expect(page.locator("noscript .note")).to_be_visible()  # which no selector by text looks into
            token.fill(jira_server.TOKEN)
            page.get_by_label("E-mail").fill(jira_server.EMAIL)
        page.get_by_role("button", name="Try and connect").click()
        expect(page.get_by_role("heading", name="ACME")).to_be_visible()
        assert desk.service.get("/api/v1/trackers")["items"][-1]["settings"]["fixed_resolutions"] == "Done, Fixed"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(desk: Desk, scheme: str) -> None:
    desk.busy()
    window, stranger = desk.window(color_scheme=scheme), desk.window(signed_in=False, color_scheme=scheme)
    found = {}
    for name, path in PAGES.items():
        page = window.open(path)
        found[name] = axe_findings(page)
        window.picture(f"{name}-{scheme}")
    page = window.open("/connections/trackers/1")
    page.get_by_label("Shipped when").select_option("closed")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="With these settings")).to_be_visible()
    window.picture(f"policy-preview-{scheme}")
    found["policy-preview"] = axe_findings(page)
    page = window.open("/people")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_text("It is shown this once.")).to_be_visible()
    window.picture(f"invited-{scheme}")
    found["invited"] = axe_findings(page)
    link = page.locator("code.mono").first.inner_text()
    for name, path in {"sign-in": "/sign-in", "sign-up": link.removeprefix(desk.service.url)}.items():
        page = stranger.open(path)
        found[name] = axe_findings(page)
        stranger.picture(f"{name}-{scheme}")
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_everything_fits_a_phone_and_can_be_done_there(desk: Desk) -> None:
    desk.busy()
    window = desk.window(viewport=PHONE, has_touch=True, is_mobile=True)
    for name, path in PAGES.items():
        page = window.open(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], f"{path} is {wide} wide"
        expect(page.get_by_role("button", name="Stop all public replies")).to_be_visible()
        window.picture(f"{name}-phone")
        assert axe_findings(page) == [], path
    page = window.open("/triage")
    expect(page.locator(".reading")).to_be_hidden()
    page.get_by_text("sit there at 99").tap()
    expect(page.locator(".reading .quote")).to_contain_text("sit there at 99")
    expect(page.locator("#list")).to_be_hidden()
    page.get_by_role("link", name="← List").tap()
    expect(page.locator("#list")).to_be_visible()
    page.get_by_text("sit there at 99").tap()
    page.get_by_role("button", name="Dismiss").tap()
    expect(page.get_by_text("Dismissed.")).to_be_visible()
    page.get_by_role("button", name="Undo").tap()
    expect(page.get_by_text("Back in triage.")).to_be_visible()


def test_every_way_works_without_script(desk: Desk) -> None:
    desk.busy()
    window = desk.window(java_script_enabled=False)
    page = window.open("/triage")
    page.get_by_text("sit there at 99").click()
    expect(page.locator(".reading .quote")).to_contain_text("sit there at 99")
    page.get_by_role("button", name="Dismiss").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".reading .quote")).to_contain_text("sit there at 99")
    page.get_by_role("link", name="New issue").click()
    page.get_by_label("Title").fill("Export sits at 99 %")
    window.picture("new-issue-without-script")
    page.get_by_role("button", name="Make the issue").click()
    expect(page.get_by_text("The issue is being made")).to_be_visible()
    window.open("/replies").get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Nothing waits for approval")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Public voice off")).to_be_visible()


def test_an_open_page_says_that_one_is_signed_out_and_keeps_what_was_typed(desk: Desk) -> None:
    desk.busy()
    one, other = desk.window(), desk.window()
    here = one.open("/loops/2")
    here.get_by_role("textbox", name="Note").fill("Half a thought")
    other.open("/people/me")
    other.page.get_by_role("button", name="Sign out", exact=True).first.click()
    expect(here.get_by_text("You are signed out.")).to_be_visible()
    here.get_by_role("button", name="Add note").click()
    expect(here.get_by_text("You are signed out, so nothing was done.")).to_be_visible()
    expect(here.get_by_role("textbox", name="Note")).to_have_value("Half a thought")


def test_a_post_from_a_forum_is_typed_in_and_its_reply_posted_by_hand(desk: Desk) -> None:
    desk.busy()
    window = desk.window(permissions=["clipboard-read", "clipboard-write"])
    page = window.open("/triage")
    page.keyboard.press("a")
    address = page.get_by_label("Address of the post").first
    expect(address).to_be_focused()
    window.picture("by-hand-1-address-box")
    address.fill("https://www.reddit.com/r/acme/comments/1abcd/export_hangs/")
    page.get_by_role("button", name="Take in", exact=True).click()
    expect(page.get_by_text("No connected account can read a post at this address")).to_be_visible()
    page.get_by_label("Place").fill("Reddit")
    page.get_by_label("Who wrote it").fill("u/ana_writes")
    page.get_by_label("What they wrote").fill(
        "Is it only me, or does the CSV export hang at 99 % in Safari since Tuesday?"
    )
    window.picture("by-hand-2-typed")
    page.get_by_role("button", name="Take in by hand").click()
    expect(page.get_by_text("Typed in by hand")).to_be_visible()
    window.picture("by-hand-3-in-triage")
    page.get_by_label("Link by number or address").fill("#1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Linked:")).to_be_visible()

    desk.close(1)
    desk.release("v2.5.0")
    desk.service.until(lambda: bool(desk.service.get("/api/v1/replies?task=true")["items"]))
    page = window.open("/replies?tab=hand")
    expect(page.get_by_text("To post by hand").first).to_be_visible()
    window.picture("by-hand-4-tasks")
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="Post it by hand")).to_be_visible()
    text = page.locator("pre.exact").inner_text()
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == text
    link = page.get_by_role("link", name="Open www.reddit.com")
    assert link.get_attribute("rel") == "noopener noreferrer"
    window.picture("by-hand-5-task")
    phone = desk.window(viewport=PHONE)
    phone.open(page.url.removeprefix(desk.service.url))
    phone.picture("by-hand-6-task-phone")
    dark = desk.window(color_scheme="dark")
    dark.open(page.url.removeprefix(desk.service.url))
    dark.picture("by-hand-7-task-dark")
    page.get_by_role("button", name="I posted it").click()
    expect(page.get_by_role("heading", name="What was said")).to_be_visible()
    window.picture("by-hand-8-said")

"""An account that fails turns red within one poll, its replies wait, others go on, and it is back without a word lost or doubled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from app.staging import Fault, Square, StagedPost
from app.steps.take_in import take_in_next
from tests.support import story
from tests.support.circle import Circle, circle
from tests.support.pages import Browser, signed_in
from tests.support.permit import CLIENT, Office, installed

FAILURES: dict[str, Fault] = {
    "revoked": Fault(call="*", kind="auth_broken"),
    "suspended": Fault(call="*", kind="suspended"),
    "out of credits": Fault(call="send", kind="suspended"),
    "network down": Fault(call="*", kind="transient"),
}
"""Out of credits there, an account can still be read: that is the hardest to tell."""

SICK, WELL = 1, 2


@dataclass
class Two:
    """Two accounts, a customer on each who waits for the same fix, and the pages of an admin."""

    played: Circle
    admin: Browser

    def square(self, account: int) -> Square:
        return Square(self.played.stage, "main" if account == SICK else "other")

    async def said(self, account: int) -> list[str]:
        return [post.text for _, post in await self.square(account).posts.all() if post.brand]

    async def poll(self) -> None:
        """One poll of each that is due, and all that is to be done then."""
        self.played.clock.move(seconds=60)
        while await take_in_next(self.played.river):
            pass
        await self.played.rest()

    async def is_red(self, account: int) -> bool:
        """The same on its page, on the page of all of them, and in the metrics."""
        metrics = await self.played.api.get("/metrics")
        row = await self.played.get(f"/api/v1/accounts/{account}")
        line = f'fullcircle_account_ok{{account="{account}",name="{row["name"]}"}} '
        in_metrics = next(text for text in metrics.text.splitlines() if text.startswith(line)) == f"{line}0.0"
        own = await self.admin.open(f"/connections/accounts/{account}")
        is_ill = own.values("data-health") == ["ill"]
        every = (await self.admin.open("/connections")).values("data-health")[account - 1] == "ill"
        assert in_metrics == (not row["ok"]) == is_ill == every, row["why"]
        if is_ill:
            why = row["why"][:1].upper() + row["why"][1:]
            assert why in own.words
        return is_ill


@pytest.fixture(params=list(FAILURES))
async def failing(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[tuple[Two, Fault]]:
    async with circle(database_url) as played:
        await played.connect_rehearsal()
        other = {"channel": "rehearsal", "name": "Other", "mode": "automatic", "settings": {"scene": "other"}}
        await played.post("/api/v1/accounts", other, status=201)
        two = Two(played, await signed_in(played, "admin"))
        for account, handle in ((SICK, "ana"), (WELL, "ben")):
            post = StagedPost(handle=handle, text="It hangs", at=played.clock(), language="en")
            await two.square(account).say(post)
            await played.post(f"/api/v1/accounts/{account}/pull")
        posts = sorted((await played.get("/api/v1/posts"))["items"], key=lambda post: int(post["id"]))
        await story.tag(played, posts[0])
        await story.tag(played, posts[1], ref="#1")
        await two.poll()
        assert not await two.is_red(SICK)
        yield two, FAILURES[str(request.param)]


async def has_fallen_ill(two: Two, fault: Fault) -> None:
    """The failure begins, the fix ships, and one poll later everything is known that is to be known."""
    await two.square(SICK).faults.add(fault)
    await story.ship(two.played)
    await two.played.rest()
    await two.poll()
    assert await two.is_red(SICK)
    assert not await two.is_red(WELL)
    assert (len(await two.said(SICK)), len(await two.said(WELL))) == (0, 1)
    for _ in range(3):
        await two.poll()
        assert await two.is_red(SICK), "it stays red for as long as it fails"
    assert not await two.is_red(WELL)
    assert await two.said(SICK) == []
    reply = (await two.played.get("/api/v1/replies", params={"state": "scheduled"}))["items"][0]
    assert reply["why"], "it waits, and says why"


async def passes(two: Two) -> None:
    """Time enough to recover: what is refused there is tried less and less often."""
    for _ in range(20):
        await two.poll()
        if await two.said(SICK):
            return


async def is_back(two: Two) -> None:
    """Everything was said once, also what came in meanwhile, and all is green."""
    post = StagedPost(handle="cleo", text="For me too", at=two.played.clock(), language="en")
    await two.square(SICK).say(post)
    await two.poll()
    assert not await two.is_red(SICK)
    assert (len(await two.said(SICK)), len(await two.said(WELL))) == (1, 1)
    await two.poll()
    assert (len(await two.said(SICK)), len(await two.said(WELL))) == (1, 1)
    assert [post["author"] for post in (await two.played.get("/api/v1/posts"))["items"]] == ["cleo", "ben", "ana"]
    states = {reply["state"] for reply in (await two.played.get("/api/v1/replies"))["items"]}
    assert states == {"posted"}


async def test_it_recovers_by_itself(failing: tuple[Two, Fault]) -> None:
    two, fault = failing
    await has_fallen_ill(two, fault)
    await two.square(SICK).calm()
    await passes(two)
    await is_back(two)


async def test_it_recovers_by_one_reconnect_over_the_api(failing: tuple[Two, Fault]) -> None:
    two, fault = failing
    await has_fallen_ill(two, fault)
    await two.square(SICK).calm()
    await two.played.call("PATCH", "/api/v1/accounts/1", {"secrets": {}})
    assert not await two.is_red(SICK)
    await two.played.rest()
    assert len(await two.said(SICK)) == 1, "at once"
    await is_back(two)


async def test_it_recovers_by_its_form(failing: tuple[Two, Fault]) -> None:
    two, fault = failing
    await has_fallen_ill(two, fault)
    await two.square(SICK).calm()
    await two.admin.open("/connections/accounts/1")
    await two.admin.send("/connections/accounts/1/settings", **{"wording.product": "Acme App"})
    assert not await two.is_red(SICK)
    await two.played.rest()
    assert len(await two.said(SICK)) == 1, "at once"
    await is_back(two)


async def test_a_reconnect_that_changes_nothing_there_changes_nothing_here(failing: tuple[Two, Fault]) -> None:
    two, fault = failing
    if fault.call != "*":
        pytest.skip("an account that can be read proves its credentials")
    await has_fallen_ill(two, fault)
    answer = await two.played.api.patch("/api/v1/accounts/1", json={"secrets": {}})
    assert answer.status_code >= 400
    assert await two.is_red(SICK)
    await two.square(SICK).calm()
    await passes(two)
    await is_back(two)


async def test_what_was_refused_and_is_not_to_be_said_any_more_leaves_nothing_red(failing: tuple[Two, Fault]) -> None:
    two, fault = failing
    await has_fallen_ill(two, fault)
    waiting = (await two.played.get("/api/v1/replies", params={"state": "scheduled"}))["items"][0]
    await two.played.post(f"/api/v1/replies/{waiting['id']}/cancel")
    await two.square(SICK).calm()
    await two.poll()
    assert not await two.is_red(SICK)


async def test_an_answer_that_is_lost_while_the_network_goes_down_is_found_and_not_said_again(
    database_url: str,
) -> None:
    async with circle(database_url) as played:
        await story.tagged(played)
        square = story.square(played)
        await square.faults.add(Fault(call="send", kind="unknown", accepted=True, in_flight=True, times=1))
        await square.faults.add(Fault(call="*", kind="transient", times=6))
        await story.ship(played)
        for _ in range(30):
            played.clock.move(seconds=60)
            await played.rest()
        assert len(await story.said(played)) == 1
        [reply] = (await played.get("/api/v1/replies"))["items"]
        assert reply["state"] == "posted"
        assert (await played.get("/api/v1/accounts/1"))["ok"]


# --- out of its own budget


@pytest.fixture
async def budgeted(database_url: str) -> AsyncIterator[tuple[Circle, Office]]:
    """An account whose network charges, with ten cents left for a reply that costs twenty."""
    async with circle(database_url) as played:
        office = installed(played)
        office.permits["mine"] = "acme"
        account = {
            "channel": "permit",
            "name": "Acme",
            "mode": "automatic",
            "settings": {"monthly_budget_usd": "0.10", "link": "https://acme.example/help"},
            "secrets": {**CLIENT, "access_token": "mine"},
        }
        await played.post("/api/v1/accounts", account, status=201)
        await played.call(
            "PUT", "/api/v1/templates/fixed", {"language": "en", "text": "Out in {{ version }}: {{ link }}"}
        )
        await played.post("/api/v1/trackers", {"kind": "rehearsal", "name": "Acme app"}, status=201)
        played.clock.moment = played.clock().replace(day=5)
        [post] = await story.complaints(played, 1)
        await story.tag(played, post)
        await story.ship(played)
        await played.rest()
        yield played, office


async def health(played: Circle) -> dict[str, object]:
    found: dict[str, object] = await played.get("/api/v1/accounts/1/health")
    return found


async def test_a_budget_stops_before_it_is_spent_and_the_page_says_so(budgeted: tuple[Circle, Office]) -> None:
    played, _ = budgeted
    played.clock.move(minutes=5)
    await played.rest()
    assert await story.said(played) == []
    found = await health(played)
    assert (found["ok"], found["budget"]) == (False, 0.1)
    assert isinstance(found["cost_this_month"], float)
    assert 0 < found["cost_this_month"] <= 0.1
    assert "monthly budget of $0.10 would be passed" in str(found["why"])
    metrics = (await played.api.get("/metrics")).text
    assert f'fullcircle_account_cost_this_month_usd{{account="1",name="Acme"}} {found["cost_this_month"]}' in metrics
    page = await (await signed_in(played, "admin")).open("/connections/accounts/1")
    assert "of $0.10" in page.words
    assert "Raise the budget" in page.words
    [reply] = (await played.get("/api/v1/replies"))["items"]
    assert reply["state"] == "scheduled"


async def test_a_raised_budget_lets_go_at_once_what_waited(budgeted: tuple[Circle, Office]) -> None:
    played, _ = budgeted
    await played.call("PATCH", "/api/v1/accounts/1", {"settings": {"monthly_budget_usd": "5"}})
    await played.rest()
    assert len(await story.said(played)) == 1
    found = await health(played)
    assert (found["ok"], found["budget"]) == (True, 5.0)
    assert isinstance(found["cost_this_month"], float)
    assert found["cost_this_month"] > 0.2


async def test_a_new_month_begins_anew(budgeted: tuple[Circle, Office]) -> None:
    played, _ = budgeted
    await played.call("PATCH", "/api/v1/accounts/1", {"settings": {"monthly_budget_usd": "0.30"}})
    await played.rest()
    await story.complain(played, "The import hangs as well", handle="ben")
    await played.post("/api/v1/accounts/1/pull")
    ben = max((await played.get("/api/v1/posts"))["items"], key=lambda post: int(post["id"]))
    await story.tag(played, ben, title="Import hangs")
    await story.ship(played, "v2.4.2", issue=2)
    await played.rest()
    played.clock.move(days=20)
    await played.rest()
    assert (len(await story.said(played)), (await health(played))["ok"]) == (1, False)
    await story.square(played).faults.add(Fault(call="look", kind="transient", times=1))
    played.clock.move(days=10)
    await played.rest()
    played.clock.move(minutes=2)
    await played.rest()
    assert len(await story.said(played)) == 2
    found = await health(played)
    assert found["ok"]
    assert isinstance(found["cost_this_month"], float)
    assert 0.2 < found["cost_this_month"] < 0.3


async def test_what_a_reply_costs_is_shown_to_whoever_signs_it(budgeted: tuple[Circle, Office]) -> None:
    played, _ = budgeted
    price = {"usd": 0.2, "why": "https://acme.example/help becomes a link on Permit"}
    assert (await played.get("/api/v1/replies/1"))["price"] == price
    approver = await signed_in(played, "approver")
    for path in ("/replies?tab=scheduled", "/replies/1", "/loops/1"):
        page = await approver.open(path)
        assert f"Costs $0.20: {price['why']}." in page.words, path
    await approver.open("/replies/1")
    form = approver.markup.form("/replies/1/edit")
    for words, told in (
        ("It is out.", "Costs $0.01."),
        ("See README.md", "Costs $0.20: README.md becomes a link on Permit."),
    ):
        answer = await approver.http.post(
            "/replies/1/count",
            data={"csrf": form.fields["csrf"], "text": words},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert answer.json()["costs"] == told
    await played.call("PATCH", "/api/v1/replies/1", {"text": "It is out."})
    assert (await played.get("/api/v1/replies/1"))["price"] == {"usd": 0.01, "why": ""}


async def test_where_nothing_is_charged_no_price_is_shown(database_url: str) -> None:
    async with circle(database_url) as played:
        await story.told(played)
        assert (await played.get("/api/v1/replies/1"))["price"] is None
        assert "Costs" not in (await (await signed_in(played, "approver")).open("/replies/1")).words

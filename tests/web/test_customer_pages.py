"""Customers' pages: found, joined, parted, silenced and let speak to again, by forms."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from tests.support.circle import Circle, circle
from tests.support.pages import signed_in
from tests.support.two_channels import FAIR, SQUARE, again, complain_on, join, release, said_on, two_loops


@pytest.fixture
async def played(database_url: str) -> AsyncIterator[Circle]:
    async with circle(database_url, product="Acme") as made:
        yield made


async def test_a_customer_is_found_and_joined_and_the_page_shows_both_sides(played: Circle) -> None:
    await two_loops(played)
    await release(played)
    await played.rest()
    visitor = await signed_in(played, "triager")
    page = await visitor.open("/customers?q=ana.fair")
    assert "/customers/2" in page.values("href")
    assert "/customers/1" not in page.values("href")
    page = await visitor.open("/customers/1")
    assert "the same handle, ana" in page.words
    page = await visitor.open("/customers/1?find=fair")
    page = await visitor.send("/customers/1/join")
    assert visitor.path.startswith("/customers/1")
    assert "joined by Triager Kim" in page.words
    assert "2 identities" in page.words
    for address in ("/loops/1", "/loops/2"):
        assert address in page.values("href")
    urls = [(await said_on(played, account), account) for account in (SQUARE, FAIR)]
    assert all(len(said) == 1 for said, _ in urls)
    told = [value for value in page.values("href") if re.search(r"/rehearsal/(main|fair)/posts/2$", value)]
    assert len(set(told)) == 2, "what they were told, with its address on either network"
    await visitor.open("/customers/2")
    assert visitor.path == "/customers/1", "whoever was joined is found where they are now"


async def test_parting_says_what_comes_of_it_and_does_it(played: Circle) -> None:
    first, second = await two_loops(played)
    await join(played, first, second)
    visitor = await signed_in(played, "triager")
    page = await visitor.open("/customers/1")
    assert "becomes a customer of its own again" in page.words
    forms = [form for form in page.forms if form.action.endswith("/part")]
    assert [form.fields["identity"] for form in forms] == ["1", "2"]
    page = await visitor.send("/customers/1/part", identity=2)
    assert "1 identity" in page.words
    page = await visitor.open("/customers/2")
    assert "ana.fair" in page.words


async def test_a_customer_is_silenced_with_a_reason_and_an_approver_lets_speak_again(played: Circle) -> None:
    first, _ = await two_loops(played)
    triager, approver = await signed_in(played, "triager"), await signed_in(played, "approver")
    await triager.open("/customers/1")
    page = await triager.send("/customers/1/suppress", why=" ", status=422)
    assert "Say why" in page.words
    page = await triager.send("/customers/1/suppress", why="asked by e-mail")
    assert "Triager Kim decided that the customer is not answered automatically (asked by e-mail" in page.words
    assert page.form("/lift").disabled
    assert "Only an approver" in page.words
    assert "not answered automatically" in (await triager.open("/customers?silent=1")).words
    await release(played)
    await played.rest()
    page = await approver.open("/loops/1")
    assert "The loop goes on in silence" in page.words
    assert "Write only what they would want to read" in page.words
    await approver.open("/customers/1")
    await approver.send("/customers/1/lift")
    page = await approver.open("/loops/1")
    assert "shipped while the customer was not to be answered" in page.words
    await approver.send("/loops/1/tell")
    await played.rest()
    assert len(await said_on(played, SQUARE)) == 1
    assert (await again(played, first))["state"] == "told"


async def test_a_loop_that_is_left_untold_says_where_its_person_was_told(played: Circle) -> None:
    first, second = await two_loops(played)
    await join(played, first, second)
    await release(played)
    await played.rest()
    visitor = await signed_in(played, "triager")
    page = await visitor.open("/loops/2")
    assert "the same person was told on Rehearsal" in page.words
    assert "nobody has to do anything" in page.words
    assert (await said_on(played, SQUARE))[0].text
    [reply] = (await again(played, first))["replies"]
    assert reply["url"] in page.values("href")
    assert page.form("/loops/2/tell").disabled, "letting it be said is an approver's"
    assert "/customers/1" in page.values("href")


async def test_triage_leads_to_the_customer_and_says_that_they_are_silent(played: Circle) -> None:
    await two_loops(played)
    await played.post("/api/v1/customers/1/suppress", {"why": "asked by e-mail"})
    post = await complain_on(played, SQUARE, "One more thing")
    page = await (await signed_in(played, "triager")).open(f"/triage?post={post['id']}")
    assert "/customers/1" in page.values("href")
    assert "is not answered automatically" in page.words


async def test_a_nonsense_form_is_refused_in_words(played: Circle) -> None:
    await two_loops(played)
    visitor = await signed_in(played, "triager")
    await visitor.open("/customers/1?find=fair")
    page = await visitor.send("/customers/1/join", identity="x", status=422)
    assert "Choose who is the same person" in page.words
    await visitor.open("/customers/987654", status=404)

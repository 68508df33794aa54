"""A month's money: counted before it is spent, by one statement, and never past the budget in whatever process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.ports import OutsideError
from app.store.session import Database
from app.store.spending import StoredMeter, next_month
from app.store.tables import Account
from tests.support.circle import Clock
from tests.support.databases import Databases, apart, make_schema

BUDGET = Decimal("1.00")
REPLY = Decimal("0.20")


@asynccontextmanager
async def processes(url: str, clock: Clock, count: int = 3) -> AsyncIterator[list[StoredMeter]]:
    """So many processes with one account between them."""
    databases = [Database(url, clock=clock) for _ in range(count)]
    try:
        async with databases[0].begin() as session:
            row = Account(channel="x", name="Acme", created_at=clock())
            session.add(row)
        yield [StoredMeter(database, row.id) for database in databases]
    finally:
        for database in databases:
            await database.close()


async def test_of_all_who_charge_at_once_only_as_many_may_as_the_budget_holds(database_url: str) -> None:
    async with processes(database_url, Clock()) as meters:
        asked = [meter.charge(REPLY, budget=BUDGET) for meter in meters * 4]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, OutsideError)]
        assert (answers.count(None), len(refused)) == (5, 7)
        assert [await meter.spent() for meter in meters] == [BUDGET] * 3


async def test_what_does_not_fit_is_refused_until_next_month_and_not_counted(database_url: str) -> None:
    clock = Clock(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    async with processes(database_url, clock) as [meter, *_]:
        await meter.charge(Decimal("0.90"), budget=BUDGET)
        with pytest.raises(OutsideError, match=r"\$1\.00 would be passed: \$0\.9 is spent.* \$0\.20") as raised:
            await meter.charge(REPLY, budget=BUDGET)
        assert (raised.value.kind, raised.value.retry_at) == ("rate_limited", datetime(2027, 1, 1, tzinfo=UTC))
        assert await meter.spent() == Decimal("0.90")
        await meter.charge(Decimal("0.10"), budget=BUDGET)
        await meter.charge(REPLY, budget=Decimal(2))
        assert await meter.spent() == Decimal("1.20")


async def test_a_new_month_begins_anew_and_what_is_given_back_late_goes_to_the_old_one(database_url: str) -> None:
    clock = Clock(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    async with processes(database_url, clock) as [meter, other, _]:
        await meter.charge(BUDGET, budget=BUDGET)
        clock.move(minutes=1)
        await asyncio.create_task(other.charge(REPLY, budget=BUDGET))
        await meter.give_back(BUDGET)
        assert await meter.spent() == REPLY
        clock.move(minutes=-1)
        assert await meter.spent() == 0


async def test_what_a_process_charged_before_it_died_stays_charged(database_url: str) -> None:
    async with processes(database_url, Clock(), count=1) as [meter]:
        await meter.charge(REPLY, budget=BUDGET)
    other = Database(database_url)
    try:
        assert await StoredMeter(other, 1).spent() == REPLY
    finally:
        await other.close()


async def test_a_sum_that_is_none_is_refused_and_fractions_count_too_much_never_too_little(database_url: str) -> None:
    async with processes(database_url, Clock()) as [meter, *_]:
        for nonsense in ("-0.01", "NaN", "Infinity"):
            with pytest.raises(ValueError):
                await meter.charge(Decimal(nonsense), budget=None)
        await meter.charge(Decimal("0.0000001"), budget=None)
        assert await meter.spent() == Decimal("0.000001")
        await meter.give_back(Decimal("0.0000009"))
        assert await meter.spent() == Decimal("0.000001")
        await meter.give_back(Decimal(5))
        assert await meter.spent() == 0


CENTS = st.integers(0, 60).map(lambda cents: Decimal(cents) / 100)
STEPS = st.lists(
    st.tuples(st.sampled_from(["charge", "charge and give back", "charge and die"]), CENTS, st.integers(0, 2)),
    max_size=12,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS, budget=CENTS)
def test_no_interleaving_passes_the_budget(
    databases: Databases, steps: list[tuple[str, Decimal, int]], budget: Decimal
) -> None:
    url = databases.copy_of("schema", make_schema)

    async def play() -> None:
        async with processes(url, Clock()) as meters:
            held = Decimal(0)

            async def one(deed: str, usd: Decimal, at: int) -> Decimal:
                meter = meters[at]
                try:
                    await meter.charge(usd, budget=budget)
                except OutsideError:
                    return Decimal(0)
                assert await meter.spent() <= budget
                if deed != "charge and give back":
                    return usd
                await meter.give_back(usd / 2)
                return usd / 2

            held = sum(await asyncio.gather(*(one(*step) for step in steps)), start=Decimal(0))
            assert await meters[0].spent() == held <= budget

    try:
        apart(play())
    finally:
        databases.drop(url)


def test_a_year_ends_too() -> None:
    assert next_month(datetime(2026, 12, 3, 4, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert next_month(datetime(2026, 1, 31, 23, tzinfo=UTC)) == datetime(2026, 2, 1, tzinfo=UTC)

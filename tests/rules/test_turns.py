from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.rules.turns import WriteLimit, turn

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
MINUTE, HOUR = WriteLimit(4, timedelta(minutes=1)), WriteLimit(10, timedelta(hours=1))


def ago(written: list[datetime], limit: WriteLimit) -> datetime | None:
    return written[-limit.most] if len(written) >= limit.most else None


@given(st.lists(st.integers(0, 40), max_size=120))
def test_no_span_ever_holds_more_than_the_limit_and_no_turn_is_too_late(gaps: list[int]) -> None:
    written: list[datetime] = []
    promised: datetime | None = None
    now = START
    for gap in gaps:
        now += timedelta(seconds=gap)
        later = turn((MINUTE, HOUR), [ago(written, MINUTE), ago(written, HOUR)], now=now, promised=promised)
        if later is None:
            written.append(now)
            continue
        assert later > now
        promised = later
    for limit in (MINUTE, HOUR):
        for at in written:
            assert sum(at <= other < at + limit.within for other in written) <= limit.most


def test_a_turn_is_when_the_oldest_write_leaves_the_span() -> None:
    at = START - timedelta(seconds=20)
    assert turn((MINUTE,), [at], now=START, promised=None) == at + timedelta(minutes=1)
    assert turn((MINUTE,), [None], now=START, promised=None) is None
    assert turn((MINUTE,), [START - timedelta(minutes=1)], now=START, promised=None) is None
    long_ago = START - timedelta(minutes=59)
    assert turn((MINUTE, HOUR), [at, long_ago], now=START, promised=None) == START + timedelta(minutes=1)


def test_those_who_wait_are_given_different_turns() -> None:
    first = turn((MINUTE,), [START], now=START, promised=None)
    second = turn((MINUTE,), [START], now=START, promised=first)
    assert first is not None
    assert second == first + timedelta(seconds=15)

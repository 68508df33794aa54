from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.rules.pace import FIRST, LEAST, MOST, QUICK, SLOW, Pace


def test_a_quick_server_is_given_more_at_once_up_to_a_bound() -> None:
    pace = Pace()
    for _ in range(200):
        pace.begin()
        pace.end(QUICK / 2)
    assert (pace.room, pace.under_way) == (MOST, 0)


def test_a_slow_server_is_soon_given_hardly_any() -> None:
    pace = Pace(room=MOST)
    for _ in range(5):
        pace.begin()
        pace.end(SLOW + 1)
    assert pace.room == LEAST


def test_in_between_nothing_changes() -> None:
    pace = Pace()
    pace.begin()
    pace.end((QUICK + SLOW) / 2)
    assert pace.room == FIRST


@given(st.lists(st.one_of(st.none(), st.floats(0, 60)), max_size=200))
def test_there_is_always_room_for_some_and_never_for_more_than_the_room(events: list[float | None]) -> None:
    pace = Pace()
    for event in events:
        if event is None and pace.free:
            pace.begin()
        elif event is not None and pace.under_way:
            pace.end(event)
        assert LEAST <= pace.room <= MOST
        assert pace.free == max(0, pace.room - pace.under_way)

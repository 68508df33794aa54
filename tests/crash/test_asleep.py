"""SIGSTOP at the last moment before the call: whoever wakes after its time says nothing, also where no key is honoured.

The last word was asked, and the claim stood, when the process was stopped: what keeps its bytes is the
deadline that app.http checks where they leave (tests/test_http_deadline.py).
"""

from __future__ import annotations

import os
import signal

import pytest

from tests.crash.conftest import Sails
from tests.support.crashing import is_stopped, wait_until_dead
from tests.support.fleet import Ship
from tests.support.round_trip import RoundTrip


def ready_to_ship(trip: RoundTrip) -> None:
    trip.complain()
    trip.wait_until_taken_in()
    trip.tag()


def until_stopped(trip: RoundTrip) -> Ship:
    """The process that a trap has stopped."""
    return trip.fleet.until(lambda: next((ship for ship in trip.fleet.ships if is_stopped(ship.pid)), None))


def wake(ship: Ship) -> None:
    os.kill(ship.pid, signal.SIGCONT)


@pytest.mark.postgres
@pytest.mark.parametrize("point", ["deliver.before_call", "deliver.called"])
def test_another_worker_takes_over_and_the_sleeper_wakes_to_nothing(
    sails: Sails, postgres_database_url: str, point: str
) -> None:
    with sails(postgres_database_url, workers=2) as trip:
        ready_to_ship(trip)
        trip.fleet.arm(point, sign="STOP")
        trip.ship()
        sleeper = until_stopped(trip)
        trip.wait_until_told()
        assert is_stopped(sleeper.pid), "the others were told while it slept"
        wake(sleeper)
        trip.wait_until_acknowledged()
        trip.judge()
        assert sleeper.starts == 1


def test_the_only_process_wakes_long_after_its_lease(sails: Sails) -> None:
    with sails() as trip:
        ready_to_ship(trip)
        trip.fleet.arm("deliver.before_call", passing=2, sign="STOP")
        trip.ship()
        sleeper = until_stopped(trip)
        trip.let_pass(seconds=4)
        wake(sleeper)
        trip.wait_until_told()
        trip.wait_until_acknowledged()
        trip.judge()
        assert sleeper.starts == 1


def test_the_only_process_is_killed_in_its_sleep(sails: Sails) -> None:
    with sails() as trip:
        ready_to_ship(trip)
        trip.fleet.arm("deliver.before_call", passing=2, sign="STOP")
        trip.ship()
        sleeper = until_stopped(trip)
        trip.let_pass(seconds=2)
        os.kill(sleeper.pid, signal.SIGKILL)
        wait_until_dead(sleeper.pid)
        trip.wait_until_told()
        trip.wait_until_acknowledged()
        trip.judge()
        assert sleeper.starts == 2

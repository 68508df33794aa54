"""How many replies one account may have under way at once: as many as its server answers quickly."""

from __future__ import annotations

from dataclasses import dataclass

FIRST, LEAST, MOST = 20, 4, 60
"""Replies: to begin with, at a server that is slow, and at the quickest."""

QUICK, SLOW = 2.0, 5.0
"""Seconds from the claim of a reply to its end. Between the two nothing changes."""


@dataclass(slots=True)
class Pace:
    """The room of one account in one process.

    What waits behind others at a slow server uses up the time in which it may be said at all, so the
    room shrinks by half where one reply took long, and grows by one with each that went quickly.
    """

    room: int = FIRST
    under_way: int = 0

    @property
    def free(self) -> int:
        """How many more may be claimed now."""
        return max(0, self.room - self.under_way)

    def begin(self) -> None:
        """One more is under way."""
        self.under_way += 1

    def end(self, seconds: float) -> None:
        """One has ended, whatever came of it, so long after its claim."""
        self.under_way -= 1
        if seconds > SLOW:
            self.room = max(LEAST, self.room // 2)
        elif seconds < QUICK:
            self.room = min(MOST, self.room + 1)

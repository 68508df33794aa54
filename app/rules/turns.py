"""When the next text may be written where the other side bounds how many are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class WriteLimit:
    """At most so many writes within any span of this length."""

    most: int
    within: timedelta

    @property
    def apart(self) -> timedelta:
        """How far apart writes are that come all the time and never too often."""
        return self.within / self.most


def turn(
    limits: Sequence[WriteLimit], before: Sequence[datetime | None], *, now: datetime, promised: datetime | None
) -> datetime | None:
    """None where one more may be written now; otherwise the time that the asker should come back at.

    `before` is, for each limit, when the write was made that is `most` writes ago (None where there
    was none): once it has left the span there is room for one. `promised` is the latest turn given
    to anybody so far; those who come back all at once would only be sent away again.
    """
    over = [(limit, at) for limit, at in zip(limits, before, strict=True) if at is not None and at > now - limit.within]
    if not over:
        return None
    free = max(at + limit.within for limit, at in over)
    return free if promised is None else max(free, promised + max(limit.apart for limit, _ in over))

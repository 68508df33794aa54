"""Beside owe and deliver: what the same person is told in other threads, read under the lock of their customer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from app.rules.same_person import Asking, News, Saying, told_already
from app.store import customers, replies
from app.store.session import Session
from app.store.tables import Customer, Identity, Issue, Loop, Reply, Shipment


@dataclass(slots=True)
class People:
    """Who is behind some loops, and what each of them is told anywhere. Their customers are locked.

    `sayings` grows with what is decided in the same transaction.
    """

    of_loop: dict[int, Identity]
    locked: dict[int, Customer]
    asked: dict[int, Asking] = field(default_factory=dict)
    sayings: dict[int, list[tuple[Saying, Reply]]] = field(default_factory=dict)

    def asking(self, loop: Loop) -> Asking:
        """How a loop's thread asks. Nobody asked in one that holds nothing but answers to us."""
        return self.asked.get(loop.id) or Asking(channel=loop.channel, came_by="", text="")

    def is_sure_of(self, loop: Loop) -> bool:
        """Whether the loop's customer is locked: not where the identity was joined or parted in this very moment."""
        return self.of_loop[loop.id].customer_id in self.locked

    def told_already(
        self, loop: Loop, issue: Issue, shipment: Shipment, *, only_out: bool = False
    ) -> tuple[Saying, Reply] | None:
        """The reply by which this loop's person is told the same in another thread, and what it is.

        With `only_out` one that is merely on its way does not count: of several, whoever comes first speaks.
        """
        known = [
            (saying, reply)
            for saying, reply in self.sayings.get(self.of_loop[loop.id].customer_id, ())
            if saying.loop_id != loop.id and (saying.is_out or not only_out)
        ]
        found = told_already(news(issue, shipment), self.asking(loop), [saying for saying, _ in known])
        return next((one for one in known if one[0] is found), None)

    def goes_out(self, reply_id: int) -> None:
        """Note that a reply leaves now: from here on nobody knows better than that it was said."""
        for said in self.sayings.values():
            for at, (saying, reply) in enumerate(said):
                if saying.reply_id == reply_id:
                    said[at] = replace(saying, is_out=True), reply

    def will_tell(self, loop: Loop, issue: Issue, shipment: Shipment, reply: Reply) -> None:
        """Note that this reply tells the loop's person."""
        saying = Saying(
            reply_id=reply.id,
            loop_id=loop.id,
            channel=loop.channel,
            state=reply.state,
            is_out=False,
            said_at=None,
            url=None,
            news=news(issue, shipment),
            still_holds=True,
            asking=self.asking(loop),
        )
        self.sayings.setdefault(self.of_loop[loop.id].customer_id, []).append((saying, reply))


def news(issue: Issue, shipment: Shipment) -> News:
    """What a shipment tells."""
    return News(issue_id=issue.id, platform=shipment.platform, digest=shipment.digest)


async def lock_people(session: Session, waiting: Collection[Loop]) -> People:
    """The people behind these loops, which are locked, and everything that tells them of a fix.

    Two workers that decide on two loops of one person come one after the other here, and the second sees
    what the first has decided.
    """
    loop_ids = [loop.id for loop in waiting]
    seen = await customers.of_loops(session, loop_ids)
    locked = await customers.lock(session, {identity.customer_id for identity in seen.values()})
    # Read again: whoever held the lock may have joined or parted them.
    people = People(of_loop=await customers.of_loops(session, loop_ids), locked=locked)
    rows = await customers.tellings(session, locked.keys())
    attempts = await replies.last_attempts(session, [row.Reply.id for row in rows if row.Reply.state == "sending"])
    people.asked = await _asked(session, people, rows)
    for row in rows:
        attempt = attempts.get(row.Reply.id)
        is_calling = row.Reply.state == "sending" and (attempt is None or attempt.outcome != "begun")
        saying = _saying(row, people.asking(row.Loop), is_calling=is_calling)
        people.sayings.setdefault(row.customer_id, []).append((saying, row.Reply))
    return people


async def _asked(session: Session, people: People, rows: Sequence[customers.Telling]) -> dict[int, Asking]:
    """How each thread asks whose customer has several: by the first post that came by itself, or by the first of all."""
    loops_of: dict[int, set[int]] = {}
    for loop_id, identity in people.of_loop.items():
        loops_of.setdefault(identity.customer_id, set()).add(loop_id)
    for row in rows:
        loops_of.setdefault(row.customer_id, set()).add(row.Loop.id)
    several = {loop_id for loop_ids in loops_of.values() if len(loop_ids) > 1 for loop_id in loop_ids}
    found: dict[int, Asking] = {}
    for post in await customers.complaints(session, several) if several else ():
        first = found.get(post.loop_id)
        if first is None or (first.came_by != "network" and post.came_by == "network"):
            found[post.loop_id] = Asking(channel=post.channel, came_by=post.came_by, text=post.text)
    return found


def _saying(row: customers.Telling, asking: Asking, *, is_calling: bool) -> Saying:
    reply, loop = row.Reply, row.Loop
    return Saying(
        reply_id=reply.id,
        loop_id=loop.id,
        channel=loop.channel,
        state=reply.state,
        # What somebody has in hand to post it may be there any moment.
        is_out=is_calling
        or reply.state in {"posted", "unknown"}
        or (reply.hand_at is not None and reply.hand_by is not None),
        said_at=reply.posted_at,
        url=reply.url,
        news=News(
            issue_id=row.issue_id,
            platform=loop.platform if row.platform is None else row.platform,
            digest=row.digest or "",
        ),
        still_holds=reply.round == loop.round,
        asking=asking,
    )

"""Customers: the same person on several channels is joined and parted, silenced and let speak to again, by a person.

Joining, parting and silencing change who is behind an identity, under the lock of the customers it is
about. What follows for loops and replies is a piece of work of its own (`settle_next`), because loops are
locked before customers; until it is done, the last word before every call keeps what must not be said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from app.rules import same_person
from app.rules.same_person import ELSEWHERE, MISSED
from app.steps.link import ConflictError, NotFoundError
from app.steps.owe import silence_of, untold_by
from app.steps.reply_moves import cancel_reply
from app.steps.river import River
from app.steps.same_person import People, lock_people
from app.store import customers, issues, loops, posts
from app.store.locking import locked
from app.store.session import Session
from app.store.tables import Customer, Identity, Loop, Reply

log = structlog.get_logger(__name__)

AGAIN = 5
"""How often somebody who was joined or parted by another person in the same moment is looked for anew."""

BATCH = 50

A_PERSON_DECIDES = "tell them now, or leave it"


async def join(river: River, customer_id: int, identity_id: int, *, actor: str) -> None:
    """Say that an identity is this customer too, and with it whoever it was joined to before.

    Silence is the person's: whoever of them must not be answered automatically, none of them is from now on.
    """
    async with river.db.begin() as session:
        here, there, one = await _lock_both(session, customer_id, identity_id)
        if here.id == there.id:
            return
        mine, theirs = await customers.identities(session, here.id), await customers.identities(session, there.id)
        if not mine:
            raise NotFoundError(f"there is no customer {customer_id}")
        if any(identity.weak for identity in (*mine, *theirs)):
            raise ConflictError(
                "a guest is never joined: nobody knows whether it is the same person from one post to the next"
            )
        now = river.now()
        for identity in theirs:
            identity.customer_id, identity.joined_from = here.id, there.id
            identity.joined_at, identity.joined_by = now, actor
        _share_silence([*mine, *theirs])
        here.unsettled = True
        names = ", ".join(_called(identity) for identity in theirs)
        told = {here: f"{names}, who was customer {there.id}", there: f"is customer {here.id}"}
        _note_both(session, told, what="joined", actor=actor, now=now)
    await _settle(river, customer_id)
    log.info("identity joined", customer_id=customer_id, identity_id=one.id)


async def part(river: River, customer_id: int, identity_id: int, *, actor: str) -> int:
    """Say that an identity is somebody else after all: it is a customer of its own again. Returns that customer's id.

    Posts, loops and replies are an identity's, so each side has exactly its own. A wish for silence that
    covered both stays with both: speaking to somebody who asked us not to would be worse than not speaking.
    """
    async with river.db.begin() as session:
        glimpse = await customers.identity(session, identity_id)
        before = glimpse.joined_from if glimpse is not None else None
        held = await customers.lock(session, {customer_id, *([before] if before is not None else [])})
        one = await customers.identity(session, identity_id)
        here = held.get(customer_id)
        if here is None or one is None or one.customer_id != here.id:
            raise NotFoundError(f"customer {customer_id} has no identity {identity_id}")
        if len(await customers.identities(session, here.id)) == 1:
            raise ConflictError(f"{_called(one)} is all that customer {customer_id} is: there is nothing to part")
        now = river.now()
        own = held.get(one.joined_from) if one.joined_from is not None else None
        if own is None or not await customers.is_nobody(session, own.id):
            own = await customers.add(session, now=now)
        one.customer_id, one.joined_from, one.joined_at, one.joined_by = own.id, None, None, ""
        here.unsettled = own.unsettled = True
        told = {here: f"{_called(one)} is customer {own.id}", own: f"{_called(one)}, from customer {here.id}"}
        _note_both(session, told, what="parted", actor=actor, now=now)
        own_id = own.id
    await _settle(river, customer_id)
    await _settle(river, own_id)
    log.info("identity parted", customer_id=customer_id, identity_id=identity_id)
    return own_id


async def suppress(river: River, customer_id: int, *, why: str, actor: str) -> None:
    """Let nothing be said to a customer by itself from now on. What a customer asked for before stays as they asked."""
    async with river.db.begin() as session:
        here = await _lock_one(session, customer_id)
        await silence(session, here, why=why.strip(), by=actor, at=river.now())
    await _settle(river, customer_id)


async def lift(river: River, customer_id: int, *, actor: str) -> None:
    """Let a customer be answered automatically again. What shipped meanwhile is told only if a person says so."""
    async with river.db.begin() as session:
        here = await _lock_one(session, customer_id)
        found = await customers.identities(session, customer_id)
        if not any(identity.suppressed_at for identity in found):
            raise ConflictError(f"customer {customer_id} may be answered already")
        was = next(silence_of(identity) for identity in found if identity.suppressed_at)
        for identity in found:
            identity.suppressed_at, identity.suppressed_why, identity.suppressed_by = None, "", ""
        here.unsettled = True
        loops.note_event(
            session, at=river.now(), what="answered again", why=f"lifted: {was}", actor=actor, customer_id=here.id
        )
    await _settle(river, customer_id)


async def tell(river: River, loop_id: int, *, actor: str) -> None:
    """Let a shipped loop's customer be told, whatever kept it from being told by itself; the account's mode still holds."""
    async with river.db.begin() as session:
        loop = await loops.lock(session, loop_id)
        found = await posts.with_identity(session, loop.post_id) if loop is not None else None
        if loop is None or found is None:
            raise NotFoundError(f"there is no loop {loop_id}")
        if loop.state != "shipped" or not loop.untold:
            raise ConflictError(
                f"loop {loop_id} is {loop.state} ({loop.why}): there is nothing here that was left untold"
            )
        if silent := silence_of(found[1]):
            raise ConflictError(f"{silent}: lift that first, or write to them yourself")
        loop.tell_by, loop.untold, loop.waits_on, loop.owed, loop.needs_person = actor, "", None, False, ""
        loop.why = f"{actor} wants its customer to be told"
        loops.note_event(session, at=river.now(), what="to be told", actor=actor, loop_id=loop.id)
    river.wake("owe")


async def silence(session: Session, customer: Customer, *, why: str, by: str, at: datetime) -> None:
    """Note on every identity of a locked customer that nothing is said to them by itself; `by` nobody: they asked for it.

    The customer's own wish takes the place of a member's decision, and never the other way round.
    """
    changed = False
    for identity in await customers.identities(session, customer.id):
        if identity.suppressed_at is None or (identity.suppressed_by and not by):
            identity.suppressed_at, identity.suppressed_why, identity.suppressed_by = at, why, by
            changed = True
    if changed:
        customer.unsettled = True
        loops.note_event(session, at=at, what="not answered any more", why=why, actor=by, customer_id=customer.id)


async def lock_customer_of(session: Session, identity_id: int) -> Customer:
    """The customer behind an identity, locked, also where somebody joins or parts it in this moment."""
    for _ in range(AGAIN):
        one = await customers.identity(session, identity_id)
        if one is None:
            break
        held = await customers.lock(session, {one.customer_id})
        again = await customers.identity(session, identity_id)
        if again is not None and again.customer_id in held:
            return held[again.customer_id]
    raise LookupError(f"nobody is behind identity {identity_id}")


async def _lock_one(session: Session, customer_id: int) -> Customer:
    held = await customers.lock(session, {customer_id})
    if customer_id not in held or await customers.is_nobody(session, customer_id):
        raise NotFoundError(f"there is no customer {customer_id}")
    return held[customer_id]


async def _lock_both(session: Session, customer_id: int, identity_id: int) -> tuple[Customer, Customer, Identity]:
    """A customer and the one behind an identity, locked in the order of their ids."""
    one = await customers.identity(session, identity_id)
    if one is None:
        raise NotFoundError(f"there is no identity {identity_id}")
    held = await customers.lock(session, {customer_id, one.customer_id})
    again = await customers.identity(session, identity_id)
    if customer_id not in held:
        raise NotFoundError(f"there is no customer {customer_id}")
    if again is None or again.customer_id not in held:
        raise ConflictError(f"{_called(one)} was joined or parted by somebody else in this moment: look again")
    return held[customer_id], held[again.customer_id], again


def _share_silence(identities: Sequence[Identity]) -> None:
    """Who must not be answered on one channel must not be answered on any; their own wish counts before a member's."""
    silent = [identity for identity in identities if identity.suppressed_at is not None]
    if not silent:
        return
    first = min(silent, key=lambda identity: (bool(identity.suppressed_by), identity.suppressed_at or identity.seen_at))
    for identity in identities:
        if identity.suppressed_at is None:
            identity.suppressed_at, identity.suppressed_by = first.suppressed_at, first.suppressed_by
            identity.suppressed_why = f"{first.suppressed_why}, as {_called(first)}"


def _note_both(session: Session, told: Mapping[Customer, str], *, what: str, actor: str, now: datetime) -> None:
    """Write into the history of each of two customers what became of them, in words of its own."""
    for customer, why in told.items():
        loops.note_event(session, at=now, what=what, why=why, actor=actor, customer_id=customer.id)


def _called(identity: Identity) -> str:
    return f"{identity.handle} on {identity.channel}"


# What follows for loops and replies ------------------------------------------------------------------


async def settle_next(river: River) -> bool:
    """Let the loops of a customer follow who was joined, parted, silenced or let speak again. False where none has to."""
    async with river.db.read() as session:
        customer_id = await customers.unsettled(session)
    if customer_id is None:
        return False
    await _settle(river, customer_id)
    river.point("customers.settled")
    return True


async def _settle(river: River, customer_id: int) -> None:
    async with river.db.begin() as session:
        waiting = await locked(session, Loop, await customers.loop_ids(session, customer_id))
        held = await customers.lock(session, {customer_id})
        customer = held.get(customer_id)
        if customer is None or not customer.unsettled:
            return  # somebody else was quicker
        if set(waiting) != set(await customers.loop_ids(session, customer_id)):
            return  # joined or parted in between: begun anew
        customer.unsettled = False
        people = await lock_people(session, list(waiting.values()))
        present = await loops.present_issues(session, list(waiting))
        unspoken: dict[int, list[Reply]] = {}
        for reply in await customers.unspoken(session, list(waiting)):
            unspoken.setdefault(reply.loop_id, []).append(reply)
        shipments = await issues.present_shipments(session, sorted({issue.id for issue in present.values()}))
        now = river.now()
        for loop in waiting.values():
            mine = unspoken.get(loop.id, [])
            silent = silence_of(people.of_loop[loop.id])
            if silent:
                _fall_silent(session, loop, mine, silent, now=now)
                continue
            if loop.state != "shipped":
                continue
            issue = present.get(loop.id)
            shipment = shipments.get((issue.id, loop.platform)) if issue is not None else None
            if loop.untold.startswith(ELSEWHERE):
                loop.owed = False  # whether it is still so is decided anew
            elif same_person.is_silence(loop.untold):
                _let_a_person_decide(session, loop, now=now)
            elif issue is not None and shipment is not None and not loop.tell_by:
                told = people.told_already(loop, issue, shipment, only_out=True)
                for reply in mine if told is not None else ():
                    if reply.kind == "fixed" and told is not None:
                        cancel_reply(session, reply, why=untold_by(river, told[0]), now=now)
                        loop.owed = False
        await _verify_with_the_other(session, people, waiting, now=now)
        await issues.want_block_for_loops(session, list(waiting))
    river.wake("owe", "deliver", "show_engineers", "foretell")


def _fall_silent(session: Session, loop: Loop, unspoken: Sequence[Reply], why: str, *, now: datetime) -> None:
    """Take back what was on its way by itself. What is being said this moment is stopped by its last word."""
    for reply in unspoken:
        if loop.needs_person in {reply.why, f"reply {reply.state}: {reply.why}"}:
            loop.needs_person = ""
        cancel_reply(session, reply, why=why, now=now)
    if loop.state == "shipped":
        if loop.untold.startswith(MISSED):
            loop.untold = loop.needs_person = ""
        loop.owed = False


def _let_a_person_decide(session: Session, loop: Loop, *, now: datetime) -> None:
    """What shipped in the time of silence may be old news: nothing is said on its own, and somebody is asked."""
    loop.untold = f"{MISSED}: {A_PERSON_DECIDES}"
    loop.why = loop.needs_person = loop.untold
    loops.note_event(session, at=now, what="answer for a person", why=loop.untold, loop_id=loop.id)


async def _verify_with_the_other(session: Session, people: People, waiting: dict[int, Loop], *, now: datetime) -> None:
    """Whoever confirmed in the thread in which they were told has confirmed it for the one in which they were not."""
    present = await loops.present_issues(session, list(waiting))
    confirmed = {
        present[loop.id].id: loop
        for loop in waiting.values()
        if loop.id in present and loop.state == "verified" and loop.verification == "confirmed"
    }
    for loop in waiting.values():
        issue = present.get(loop.id)
        other = confirmed.get(issue.id) if issue is not None else None
        if other is None or loop.state != "shipped" or not loop.untold.startswith(ELSEWHERE):
            continue
        if not people.is_sure_of(loop):
            continue
        loop.state, loop.verification, loop.verified_at = "verified", "confirmed", now
        loop.why, loop.needs_person = f"{ELSEWHERE} says in loop {other.id} that it works", ""
        loops.note_event(session, at=now, what="verified", why=loop.why, loop_id=loop.id)


async def follow_next(river: River) -> bool:
    """Loops whose person was being told elsewhere, now that this was said or came to nothing. False where there are none."""
    async with river.db.begin() as session:
        found = await customers.told_elsewhere(session, limit=BATCH)
        for loop in found:
            loop.waits_on = None
            if loop.state == "shipped" and loop.untold.startswith(ELSEWHERE):
                loop.owed = False
    if found:
        river.wake("owe")
    return bool(found)


def hints(mine: Sequence[Identity], others: Sequence[Identity]) -> list[tuple[Identity, str]]:
    """Identities that may be the same person, with the reason; for a person to judge, who may join them."""
    named = [_named(identity) for identity in mine]
    found = [(other, same_person.hint(_named(other), named)) for other in others]
    return [(other, why) for other, why in found if why]


def _named(identity: Identity) -> same_person.Named:
    return same_person.Named(channel=identity.channel, handle=identity.handle, name=identity.name, url=identity.url)


async def likely_same(session: Session, mine: Sequence[Identity], *, limit: int = 5) -> list[tuple[Identity, str]]:
    """The same for a customer, from all identities that are known. Nothing for a guest."""
    if not mine or any(identity.weak for identity in mine):
        return []
    begins = {first for identity in mine if (first := same_person.first_name(identity.handle))}
    names = {identity.name.lower() for identity in mine if len(identity.name) >= same_person.SHORTEST_NAME}
    urls = {identity.url for identity in mine if identity.url}
    others = await customers.likes_of(session, mine[0].customer_id, begins=begins, names=names, urls=urls)
    return hints(mine, others)[:limit]

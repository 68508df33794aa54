"""Inbound webhook calls, kept once each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from sqlalchemy import LargeBinary, Select, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.store.session import Session
from app.store.tables import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A webhook call that proved who sent it, and what it hints at."""

    hook: str
    key: str
    event: str
    headers: dict[str, str]
    body: bytes
    issues: list[str]
    everything: bool
    received_at: datetime
    posts: list[str] = field(default_factory=list)


_FIELDS = tuple(one.name for one in fields(Call))


async def keep(session: Session, calls: Sequence[Call]) -> list[bool]:
    """Store calls, each under its unique key. False for each that is already here: a redelivery adds nothing."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(Delivery).on_conflict_do_nothing(index_elements=["hook", "key"])
    rows = [{"state": "new", "why": "", **{name: getattr(call, name) for name in _FIELDS}} for call in calls]
    # By the connection: the session would make an object of each row.
    answered = await (await session.connection()).execute(statement.returning(Delivery.hook, Delivery.key), rows)
    new = {(hook, key) for hook, key in answered}
    stored = []
    for call in calls:
        stored.append((call.hook, call.key) in new)
        new.discard((call.hook, call.key))  # of two that came together, one was new
    return stored


def unworked_query() -> Select[Delivery]:
    """Calls nobody has worked."""
    return select(Delivery).where(Delivery.state == "new")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that waits to be worked: all that work needs of it, which its body is not."""

    id: int
    hook: str
    issues: list[str]
    everything: bool
    posts: list[str]


async def unworked(session: Session, *, limit: int) -> Sequence[Waiting]:
    """Calls nobody has worked, oldest first, kept from every other worker until the transaction ends."""
    query = unworked_query().with_only_columns(
        Delivery.id, Delivery.hook, Delivery.issues, Delivery.everything, Delivery.posts
    )
    rows = await session.execute(
        query.order_by(Delivery.id).limit(limit).with_for_update(key_share=True, skip_locked=True)
    )
    return [Waiting(*row) for row in rows]


async def mark_worked(session: Session, became: Mapping[str, Sequence[int]], *, now: datetime) -> None:
    """Note that calls, by their ids, were worked, and what became of them."""
    for why, ids in became.items():
        done = update(Delivery).where(Delivery.id.in_(ids)).values(state="done", why=why, worked_at=now)
        await session.execute(done, execution_options={"synchronize_session": False})


async def forget_bodies(session: Session, *, hook: str, naming: str) -> None:
    """Empty the bodies of a hook's calls that name this: what they said of it is not to be kept."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    needle = literal(naming.encode(), LargeBinary)
    names_it = func.instr(Delivery.body, needle) if is_sqlite else func.position(needle.op("IN")(Delivery.body))
    await session.execute(
        update(Delivery).where(Delivery.hook == hook, names_it > 0).values(body=b""),
        execution_options={"synchronize_session": False},
    )


async def page(session: Session, *, hook: str, before: int | None, limit: int) -> Sequence[Delivery]:
    """A hook's calls, newest first, below the id `before`."""
    query = select(Delivery).where(Delivery.hook == hook)
    if before:
        query = query.where(Delivery.id < before)
    return (await session.execute(query.order_by(Delivery.id.desc()).limit(limit))).scalars().all()


async def count_unworked(session: Session) -> int:
    """How many calls wait."""
    return (await session.execute(select(func.count()).where(Delivery.state == "new"))).scalar_one()

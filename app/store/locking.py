"""Rows kept from every other writer until the transaction ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import select

from app.store.session import Session
from app.store.tables import Issue, Loop, Reply

Row = TypeVar("Row", Loop, Reply, Issue)


async def locked(session: Session, table: type[Row], ids: Sequence[int]) -> dict[int, Row]:
    """Rows as they are now, by their ids; those that are gone are left out.

    Taken in the order of their ids, so that no two transactions wait for each other.
    """
    query = (
        select(table)
        .where(table.id.in_(ids))
        .order_by(table.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in (await session.execute(query)).scalars()}

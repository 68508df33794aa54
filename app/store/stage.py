"""The documents of rehearsal networks, each call in a short transaction of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.store.session import Database
from app.store.tables import StageDoc


class StoredStage:
    """`app.ports.Stage` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, scene: str, kind: str, doc: Mapping[str, Any]) -> int:
        """Keep a new document under the scene's next number."""
        while True:
            try:
                async with self._database.begin() as session:
                    query = select(func.max(StageDoc.number)).where(StageDoc.scene == scene, StageDoc.kind == kind)
                    number = ((await session.execute(query)).scalar() or 0) + 1
                    session.add(StageDoc(scene=scene, kind=kind, number=number, doc=dict(doc)))
                return number
            except IntegrityError:
                continue  # another process took the number; take the next one

    async def put(self, scene: str, kind: str, key: int, doc: Mapping[str, Any]) -> None:
        """Replace a document. KeyError where there is none."""
        async with self._database.begin() as session:
            query = select(StageDoc).where(StageDoc.scene == scene, StageDoc.kind == kind, StageDoc.number == key)
            row = (await session.execute(query.with_for_update(key_share=True))).scalar_one_or_none()
            if row is None:
                raise KeyError(key)
            row.doc = dict(doc)

    async def get(self, scene: str, kind: str, key: int) -> dict[str, Any] | None:
        """One document, or None."""
        async with self._database.read() as session:
            query = select(StageDoc.doc).where(StageDoc.scene == scene, StageDoc.kind == kind, StageDoc.number == key)
            return (await session.execute(query)).scalar_one_or_none()

    async def all(
        self, scene: str, kind: str, *, after: int = 0, limit: int = 1000
    ) -> list[tuple[int, dict[str, Any]]]:
        """Documents above `after`, lowest first."""
        async with self._database.read() as session:
            query = (
                select(StageDoc.number, StageDoc.doc)
                .where(StageDoc.scene == scene, StageDoc.kind == kind, StageDoc.number > after)
                .order_by(StageDoc.number)
                .limit(limit)
            )
            return [(row[0], row[1]) for row in await session.execute(query)]

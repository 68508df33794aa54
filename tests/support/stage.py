"""A stage in memory: what the SQL one does, for tests that need no database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class MemoryStage:
    """Implements app.ports.Stage. Documents are kept as JSON text, so that what is no JSON fails here too."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, int], str] = {}
        self._last: dict[str, int] = {}

    async def add(self, scene: str, kind: str, doc: Mapping[str, Any]) -> int:
        key = self._last[scene] = self._last.get(scene, 0) + 1
        self._rows[scene, kind, key] = json.dumps(doc)
        return key

    async def put(self, scene: str, kind: str, key: int, doc: Mapping[str, Any]) -> None:
        if (scene, kind, key) not in self._rows:
            raise KeyError(key)
        self._rows[scene, kind, key] = json.dumps(doc)

    async def get(self, scene: str, kind: str, key: int) -> dict[str, Any] | None:
        row = self._rows.get((scene, kind, key))
        return None if row is None else json.loads(row)

    async def all(
        self, scene: str, kind: str, *, after: int = 0, limit: int = 1000
    ) -> list[tuple[int, dict[str, Any]]]:
        keys = sorted(k for s, d, k in self._rows if (s, d) == (scene, kind) and k > after)
        return [(key, json.loads(self._rows[scene, kind, key])) for key in keys[:limit]]

    def documents(self) -> list[dict[str, Any]]:
        """Everything on the stage."""
        return [json.loads(row) for row in self._rows.values()]

"""Measures Fullcircle against bare sides: `make bench`, or `python -m bench [part …]`.

Everything runs on loopback and in temporary folders. The result is printed, with each bare side's
source, and kept as build/bench.json and build/bench.md.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from app import logs
from bench import hooks, mentions, pages, replies, starting
from bench.databases import Postgres, Sqlite, databases
from bench.figures import Figure, as_json, as_table
from bench.service import ROOT

Measure = Callable[..., Awaitable[list[Figure]]]

PARTS: dict[str, Measure] = {
    "hooks": hooks.measure,
    "replies": replies.measure,
    "start": starting.measure,
    "pages": pages.measure,
    "mentions": mentions.measure,
}
"""Each measures on one database."""


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"some of: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long a rate is measured")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    given = parser.parse_args()
    unknown = set(given.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    logs.set_up("json", level=logging.ERROR)
    figures = asyncio.run(
        run(given.parts or list(PARTS), set(given.database or ("sqlite", "postgresql")), given.seconds)
    )
    for source in dict.fromkeys(one.bare_side for one in figures if one.bare_side):
        print(f"\n```python\n{source}```")
    print("\n" + as_table(figures))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(as_json(figures))
    given.out.with_suffix(".md").write_text(as_table(figures) + "\n")


async def run(wanted: list[str], kinds: set[str], seconds: float) -> list[Figure]:
    """Every wanted figure on every wanted database."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="fullcircle-bench-") as name, databases(Path(name), kinds) as found:
        for part in wanted:
            for database in found:
                figures += await _measured(PARTS[part], database, Path(name), seconds)
    return figures


async def _measured(part: Measure, database: Sqlite | Postgres, folder: Path, seconds: float) -> list[Figure]:
    figures = await part(database, folder, seconds=seconds)
    for one in figures:
        against = f", bare {one.bare:.4g} {one.unit}, ratio {one.ratio:.3g}" if one.bare and one.ratio else ""
        print(f"{one.name} ({one.database}): {one.ours:.4g} {one.unit}{against}", flush=True)
    return figures


if __name__ == "__main__":
    main()

"""One file is one tracker; a file that ends with `TRACKER: type[Tracker] = …` is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from app.ports import Tracker


def discover() -> Mapping[str, type[Tracker]]:
    """Every tracker in this folder, by name. Called once, by the composition roots."""
    found: dict[str, type[Tracker]] = {}
    for module in pkgutil.iter_modules(__path__):
        tracker: type[Tracker] = importlib.import_module(f"{__name__}.{module.name}").TRACKER
        found[tracker.name] = tracker
    return found

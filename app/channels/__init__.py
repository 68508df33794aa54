"""One file is one channel; a file that ends with `CHANNEL: type[Channel] = …` is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from app.ports import Channel


def discover() -> Mapping[str, type[Channel]]:
    """Every channel in this folder, by name. Called once, by the composition roots."""
    found: dict[str, type[Channel]] = {}
    for module in pkgutil.iter_modules(__path__):
        channel: type[Channel] = importlib.import_module(f"{__name__}.{module.name}").CHANNEL
        found[channel.name] = channel
    return found

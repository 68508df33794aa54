"""Processes that a test starts beside itself."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ended(process: subprocess.Popen[bytes], *, patience: float = 10) -> Iterator[None]:
    """The process is ended when the block is left: asked to end, and after `patience` seconds made to."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

"""The entry point, `fullcircle` or `python -m app`: starts the command line in as little time as it can."""

from __future__ import annotations

import gc


def main() -> None:
    """Run one command."""
    # What is imported lives as long as the process: looking for garbage in it meanwhile takes a fifth of the start.
    # Commands that stay turn the collector on again when they have settled in.
    gc.disable()
    try:
        from app.cli import app

        app()
    finally:
        gc.enable()


if __name__ == "__main__":
    main()

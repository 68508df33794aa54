"""Structured logs, on standard error. What must stay secret is taken out here once more, whoever wrote it."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

SECRET_NAMES = re.compile(r"token|secret|password|authorization|cookie|api_key|private_key", re.IGNORECASE)
SECRET_VALUES = re.compile(
    r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}"  # headers
    r"|://[^/\s:@]*:[^/\s@]+@"  # a password in an address
    r"|\b(access_token|token|api_key|client_secret|secret|password)=[^&\s]+"  # one in a query
    r"|\bgh[pousr]_\w{10,}|\bgithub_pat_\w{10,}|\bfc_[\w-]{20,}|\bATATT[\w=-]{10,}"  # what tokens begin with
)
HIDDEN = "[hidden]"


def hide_secrets(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: fields named like secrets, and values that look like credentials, are hidden."""
    for name, value in entry.items():
        entry[name] = HIDDEN if name != "event" and _is_named_like_a_secret(name, value) else _hidden(value)
    return entry


def _is_named_like_a_secret(name: str, value: Any) -> bool:
    """Numbers are ids (`token_id`), not secrets."""
    return SECRET_NAMES.search(name) is not None and not isinstance(value, int | float | bool | None)


def _hidden(value: Any) -> Any:
    """The same value, without what looks like a credential; also inside a traceback's frames and messages."""
    if isinstance(value, str):
        return SECRET_VALUES.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if _is_named_like_a_secret(str(name), inner) else _hidden(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_hidden(inner) for inner in value]
    return value


def set_up(log_format: str, *, level: int = logging.INFO) -> None:
    """Send structlog and the standard library's logs the same way: JSON lines, or plain text on a terminal."""
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    # Tracebacks become part of the entry before secrets are hidden in it, and never hold local variables:
    # those are tokens and customers' words.
    bare = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    shared.insert(-1, structlog.processors.ExceptionRenderer(bare) if as_json else structlog.processors.format_exc_info)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(default=str)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "aiosqlite", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

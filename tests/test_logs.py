"""Logs tell what happened and never a secret, whoever wrote the line."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app import logs

SECRET = "hunter2hunter2hunter2"
LEAKY = (
    f"postgresql://fullcircle:{SECRET}@db/main refused; Authorization: Bearer {SECRET}; fc_{SECRET}; ?token={SECRET}"
)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What goes to standard error; the process's own logging is put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def fail_with_secrets() -> None:
    token = SECRET
    raise RuntimeError(LEAKY + token[:0])


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_secret_is_logged_in_a_field_a_nested_value_a_message_or_a_traceback(
    written: io.StringIO, log_format: str
) -> None:
    logs.set_up(log_format)
    log = structlog.get_logger("tests.leaky")
    log.info("connected", access_token=SECRET, nested={"password": SECRET, "why": [LEAKY]}, account_id=7)
    try:
        fail_with_secrets()
    except RuntimeError as error:
        log.exception("job failed", why=LEAKY)
        logging.getLogger("a.library").error("it failed: %s", LEAKY, exc_info=error)

    assert SECRET not in written.getvalue()
    assert "fail_with_secrets" in written.getvalue(), "where it failed is still to be seen"
    assert "account_id" in written.getvalue()


def test_json_logs_are_one_object_a_line_with_ids_as_numbers(written: io.StringIO) -> None:
    logs.set_up("json")
    structlog.get_logger("tests").warning("reply not posted", reply_id=3, loop_id=4, token_id=5)
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 12)

    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert (first["event"], first["reply_id"], first["loop_id"], first["token_id"]) == ("reply not posted", 3, 4, 5)
    assert first["level"] == "warning"
    assert second["event"] == "Started server process [12]"

"""Logs tell what happened and never a secret, whoever wrote the line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from app import logs
from app.staging import Fault
from tests.support import story
from tests.support.circle import circle

SECRET = "hunter2hunter2hunter2"
LEAKY = (
    f"postgresql://fullcircle:{SECRET}@db/main refused; Authorization: Bearer {SECRET}; fc_{SECRET}; ?token={SECRET}"
    f" and ?secret={SECRET} and ATATT3{SECRET}"
)


@pytest.fixture
def _logging_put_back() -> Iterator[None]:
    """The process's own logging is as it was, afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


pytestmark = pytest.mark.usefixtures("_logging_put_back")


def fail_with_secrets() -> None:
    token = SECRET
    raise RuntimeError(LEAKY + token[:0])


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_secret_is_logged_in_a_field_a_nested_value_a_message_or_a_traceback(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    logs.set_up(log_format)
    log = structlog.get_logger("tests.leaky")
    log.info("connected", access_token=SECRET, nested={"password": SECRET, "why": [LEAKY]}, account_id=7)
    try:
        fail_with_secrets()
    except RuntimeError as error:
        log.exception("job failed", why=LEAKY)
        logging.getLogger("a.library").exception("it failed: %s", LEAKY, exc_info=error)

    written = capsys.readouterr().err
    assert SECRET not in written
    assert "fail_with_secrets" in written, "where it failed is still to be seen"
    assert "account_id" in written


def test_json_logs_are_one_object_a_line_with_ids_as_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("json")
    structlog.get_logger("tests").warning("reply not posted", reply_id=3, loop_id=4, token_id=5)
    logging.getLogger("a.library").info("Started server process [%d]", 12)

    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["event"], first["reply_id"], first["loop_id"], first["token_id"]) == ("reply not posted", 3, 4, 5)
    assert first["level"] == "warning"
    assert second["event"] == "Started server process [12]"


IDS = {
    "posts taken in": {"account_id"},
    "issue made": {"issue_id", "tracker_id"},
    "reply owed": {"loop_id", "issue_id", "reply_id"},
    "reply posted": {"loop_id", "issue_id", "reply_id", "account_id"},
    "loop reopened": {"loop_id", "issue_id", "account_id"},
    "connection failed": {"account_id"},
}


async def test_what_happens_is_logged_with_the_ids_by_which_it_is_found_again(
    database_url: str,
) -> None:
    async with circle(database_url, product="Acme") as played:
        with capture_logs() as entries:
            loop = await story.told(played)
            [(number, _)] = [(key, post) for key, post in await story.square(played).posts.all() if post.brand]
            played.clock.move(minutes=1)
            await story.complain(played, "It is still broken.", handle="customer0", in_reply_to=number)
            await story.square(played).faults.add(Fault(call="connect", kind="auth_broken", times=1))
            await played.post("/api/v1/accounts/1/pull")
            await played.get("/api/v1/accounts/1/health")
    assert loop["state"] == "told"
    said = {entry["event"]: entry for entry in entries}
    for event, ids in IDS.items():
        assert all(isinstance(said[event][name], int) for name in ids), said.get(event)

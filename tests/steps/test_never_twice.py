"""Nobody reads two replies, and nobody waits for ever, whatever happens in whatever order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.databases import SqliteDatabases
from tests.support.speaking import Speaking


def test_nobody_reads_two_replies_and_everybody_has_one_in_the_end(sqlite_databases: SqliteDatabases) -> None:
    class OnTheseDatabases(Speaking):
        databases = sqlite_databases

    run_state_machine_as_test(OnTheseDatabases, settings=settings(max_examples=20, stateful_step_count=25))

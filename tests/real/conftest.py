"""Tests against real servers. `make real-servers` installs those servers into build/real.

A test skips, with a reason, where its server is not installed; under `.ci/run` it then fails.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.must_run import MUST_NOT_SKIP, pytest_make_collect_report, pytest_runtest_makereport

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]

# Last in the PATH: that folder also has a python, which is not the one to test with.
os.environ["PATH"] += os.pathsep + str(Path(__file__).parents[2] / "build/real/venv/bin")

# Atlassian publishes this document in no package, so that no gate can install it: there its tests run where a copy is.
collect_ignore = ["test_jira_contract.py"] if MUST_NOT_SKIP in os.environ and "JIRA_OPENAPI" not in os.environ else []

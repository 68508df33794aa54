"""Where a gate installs everything the tests need, a skipped test is a hole: then it fails.

A conftest.py that imports the two hooks puts the tests of its folder under this rule.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

MUST_NOT_SKIP = "FULLCIRCLE_REAL_REQUIRED"
"""Set (to anything) by `.ci/run`, after it has installed the real servers."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skipped itself has failed."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file that skipped itself (`importorskip`) has failed."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get(MUST_NOT_SKIP) and report.skipped and not hasattr(report, "wasxfail"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{why}\n({MUST_NOT_SKIP} is set, so everything these tests need must be there)"

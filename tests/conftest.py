"""Order and honesty of the whole run: cheap tests first, and no silent skips in CI. Also a cache for live tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run unit tests first, then live ones, then browser ones."""
    items.sort(key=lambda item: [bool(item.get_closest_marker(name)) for name in ("browser", "live")])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure when CI=true: what CI did not run, it did not show."""
    del item, call
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"no test is skipped in CI; docs/testing.md lists what may be (nothing). {reason}"
    return report


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder of whyheap that the tests of one file share."""
    return tmp_path_factory.mktemp("cache")

"""What holds for every test: no skips in CI, no deadlines, the same random examples in CI, a known environment."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from spark import Cluster

CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}

settings.register_profile(
    "necropsy",
    deadline=None,  # a timing in a test says more about the machine than about the code
    derandomize=CI,  # a landing never fails on an example that nobody can find again; elsewhere each run tries new ones
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("necropsy")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that holds pyproject.toml: for tests marked ``checkout``, which are about the sources themselves."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def spark_cluster() -> Iterator[Cluster]:
    """A Spark master and two workers on this machine, started once for all tests that ask for them."""
    from spark import running

    with running(workers=2) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _known_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the person's own terminal decides what a test sees."""
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes that are no text make no name: a compressed file holds the time, and no two workers would agree on it."""
    return f"{len(val)} bytes" if isinstance(val, bytes) and not val.isascii() else None


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


def _skipped(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", ())) if reporter is not None else 0


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failure: everything that it needs is installed there."""
    if CI and _skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say so, above pytest's closing line."""
    if CI and (skipped := _skipped(config)):
        terminalreporter.write_line(f"CI is set: {skipped} skipped, and a skipped test is a failure here", red=True)

"""An executor that dies, or a machine that is gone with all that it kept, changes no row."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from evidence.access_log.backends.shop import COOKIE_FORMAT, shop_lines
from evidence.access_log.backends.test_registry import TABLES, examined
from necropsy.case.store import Case
from spark import Cluster, running

pytestmark = pytest.mark.integration


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster of its own: others should not lose their workers."""
    with running(workers=2) as started:
        yield started


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "shop.log"
    path.write_bytes(b"\n".join(shop_lines()))
    return str(path)


def disturbed(cluster: Cluster, log: str, folder: Path, worker: int) -> dict[str, list[dict[str, Any]]]:
    """Examine a log while executors die; what the case holds then."""
    settings = cluster.options | {"spark.sql.files.maxPartitionBytes": "65536", "spark.sql.shuffle.partitions": "3"}
    case = folder / "disturbed.case"
    command = [
        sys.executable,
        "-m",
        "evidence.access_log.backends.dying",
        str(folder),
        str(worker),
        "examine",
        "--log-format",
        COOKIE_FORMAT,
        "--access-log",
        log,
        "--case",
        str(case),
        "--quiet",
        "--engine",
        f"{cluster.url}?{urlencode(settings)}",
    ]
    environment = cluster.environment | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode in {0, 4, 11, 12, 13}, done.stderr
    with Case.open(case) as opened:
        return {table: opened.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in TABLES}


def test_an_executor_that_dies_in_each_stage_changes_no_row(cluster: Cluster, log: str, tmp_path: Path) -> None:
    found = disturbed(cluster, log, tmp_path, 0)
    died = {path.name for path in tmp_path.iterdir()} - {"shop.log", "disturbed.case"}
    assert died == {"Reader", "Guess", "GuessAgain", "MakeClasses", "JudgeClasses", "CountVisits", "FindTexts"}
    assert found == examined([log], tmp_path / "here.case", None)


def test_a_worker_that_is_gone_with_what_it_kept_changes_no_row(cluster: Cluster, log: str, tmp_path: Path) -> None:
    found = disturbed(cluster, log, tmp_path, cluster.processes[1].pid)
    assert (tmp_path / "worker").exists()
    assert cluster.processes[1].wait(timeout=60) != 0
    assert found == examined([log], tmp_path / "here.case", None)

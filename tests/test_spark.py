"""The cluster of the tests is a real one: processes of their own, and nothing left of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import spark
from spark import Cluster

pytestmark = [
    pytest.mark.integration,
    # A driver's Python does not close the sockets that answers come through; only a real one, so only in tests of it.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]


def where_it_runs(session: Any, parts: int) -> list[dict[str, Any]]:
    """Run a job of so many parts; for each its process, that process's parent, its Python and its sum."""

    def told(batches: Iterable[Any]) -> Iterator[Any]:
        import sys

        import pyarrow as pa

        total = sum(sum(batch["id"].to_pylist()) for batch in batches)
        yield pa.RecordBatch.from_pylist(
            [{"process": os.getpid(), "parent": os.getppid(), "python": sys.executable, "total": total}]
        )

    rows = session.range(0, 1000, numPartitions=parts).mapInArrow(
        told, "process long, parent long, python string, total long"
    )
    return list(rows.toArrow().to_pylist())


def test_both_workers_are_registered_as_processes_of_their_own(spark_cluster: Cluster) -> None:
    workers = spark_cluster.workers()
    assert len({worker["id"] for worker in workers}) == 2
    assert {worker["host"] for worker in workers} == {"127.0.0.1"}
    assert len({worker["port"] for worker in workers} | {spark_cluster.port}) == 3


def test_work_is_done_by_executors_in_the_python_of_the_test(spark_cluster: Cluster) -> None:
    with spark_cluster.session() as session:
        parts = where_it_runs(session, 8)
        (application,) = spark_cluster.state()["activeapps"]
        assert application["id"] == session.sparkContext.applicationId
        assert [worker["coresused"] for worker in spark_cluster.workers()] == [1, 1]
    assert sum(part["total"] for part in parts) == sum(range(1000))
    assert {part["python"] for part in parts} == {spark_cluster.environment["PYSPARK_PYTHON"]}
    assert os.getpid() not in {process for part in parts for process in (part["process"], part["parent"])}


def test_a_second_session_is_a_second_application(spark_cluster: Cluster) -> None:
    names = []
    for _ in range(2):
        with spark_cluster.session() as session:
            names.append(session.sparkContext.applicationId)
            assert session.range(10).count() == 10
    assert names[0] != names[1]
    assert spark_cluster.state()["activeapps"] == []


def test_nothing_of_a_cluster_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with spark.running(workers=1) as cluster:
        assert cluster.folder.parent == tmp_path
        assert cluster.processes
    assert list(tmp_path.iterdir()) == []
    assert [process.returncode is None for process in cluster.processes] == [False, False]


def test_what_does_not_start_shows_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "MEMORY", "a lot")
    with pytest.raises(RuntimeError, match="a lot"), spark.running(workers=1):
        pass

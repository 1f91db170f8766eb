"""What other engines make of a log is what DuckDB makes of it, row for row."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import zstandard

import postgres
from evidence.access_log.backends.shop import COOKIE_FORMAT, cookie_lines, shop_lines
from necropsy.case.store import Case
from spark import Cluster

pytestmark = pytest.mark.integration

PROGRAM = str(Path(sys.executable).with_name("necropsy"))
TABLES = ("visitor_class", "visit_bin", "cookie_use", "source", "blemish", "absence")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A log in three files, two of them packed; one that tells of cookies; one that is missing, one that is none."""
    folder = tmp_path_factory.mktemp("log s")
    lines = shop_lines()
    third = len(lines) // 3
    (folder / "shop.log.2.gz").write_bytes(gzip.compress(b"\n".join(lines[:third]) + b"\n"))
    (folder / "shop.log.1").write_bytes(zstandard.compress(b"\n".join(lines[third : 2 * third]) + b"\n"))
    (folder / "shop.log").write_bytes(b"\n".join(lines[2 * third :]))
    (folder / "cookies.log").write_text("\n".join(cookie_lines()) + "\n")
    (folder / "prose.log").write_text("Once upon a time\nthere was no request.\n")
    names = ("shop.log.2.gz", "shop.log.1", "shop.log", "cookies.log", "missing.log", "prose.log")
    return [str(folder / name) for name in names]


def examined(
    logs: list[str], case: Path, environment: dict[str, str] | None, *options: str
) -> dict[str, list[dict[str, Any]]]:
    """Examine logs by a process of their own; what its case holds."""
    command = [
        PROGRAM,
        "examine",
        "--log-format",
        COOKIE_FORMAT,
        "--case",
        str(case),
        "--quiet",
    ]
    for log in logs:
        command += ["--access-log", log]
    done = subprocess.run(
        [*command, *options], env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode in {0, 4, 11, 12, 13}, done.stderr
    with Case.open(case) as opened:
        return {table: opened.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in TABLES}


@pytest.fixture(scope="module")
def by_duckdb(logs: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    return examined(logs, tmp_path_factory.mktemp("here") / "here.case", None)


def test_the_logs_have_in_them_what_engines_could_differ_in(by_duckdb: dict[str, list[dict[str, Any]]]) -> None:
    classes = by_duckdb["visitor_class"]
    assert sum(row["period_s"] == 10.0 for row in classes) == 4
    assert {row["followed_to"] for row in classes} >= {None, "/login"}
    assert any(row["path"] == "/users/*/profile" for row in classes)
    assert {row["path"] for row in classes if row["bare"]} == {"/healthz"}
    assert len({row["log"] for row in classes}) == 2
    assert [row["brought"] > 0 for row in by_duckdb["cookie_use"]].count(False) == 1
    assert {row["why"] for row in by_duckdb["blemish"]} >= {"does not fit the log format"}
    assert len(by_duckdb["absence"]) >= 2
    assert len(by_duckdb["source"]) == 4


def test_spark_comes_to_the_same_row_for_row(
    logs: list[str], by_duckdb: dict[str, list[dict[str, Any]]], tmp_path: Path, spark_cluster: Cluster
) -> None:
    # Pieces of 64 kB: each worker reads many, and no piece begins where the one before it ended in time.
    settings = spark_cluster.options | {
        "spark.sql.files.maxPartitionBytes": "65536",
        "spark.sql.shuffle.partitions": "3",
    }
    engine = f"{spark_cluster.url}?{urlencode(settings)}"
    found = examined(logs, tmp_path / "there.case", spark_cluster.environment, "--engine", engine)
    for table in TABLES:
        assert found[table] == by_duckdb[table], table


def test_files_behind_an_address_are_read_by_spark_and_come_to_the_same(
    logs: list[str], by_duckdb: dict[str, list[dict[str, Any]]], tmp_path: Path, spark_cluster: Cluster
) -> None:
    settings = spark_cluster.options | {
        "spark.sql.files.maxPartitionBytes": "65536",
        "spark.sql.shuffle.partitions": "3",
    }
    engine = f"{spark_cluster.url}?{urlencode(settings)}"
    files = [shutil.copy(log, tmp_path) for log in logs[:1] + logs[2:4]]
    addresses = [f"file://{file}" for file in files]
    found = examined(addresses, tmp_path / "there.case", spark_cluster.environment, "--engine", engine)
    here = examined(files, tmp_path / "here.case", None)
    where = {"locator", "file", "log", "sha256", "size"}
    for table in TABLES:
        rows = [
            sorted(repr({name: value for name, value in row.items() if name not in where}) for row in case[table])
            for case in (found, here)
        ]
        assert rows[0] == rows[1], table


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.running() as address:
        yield address


def test_an_engine_that_ibis_connects_to_comes_to_the_same_and_nothing_is_left_there(
    logs: list[str], by_duckdb: dict[str, list[dict[str, Any]]], tmp_path: Path, server: str
) -> None:
    found = examined(logs, tmp_path / "there.case", None, "--engine", server)
    for table in TABLES:
        assert found[table] == by_duckdb[table], table
    import ibis

    connection = ibis.connect(server)
    assert connection.list_tables() == []
    connection.disconnect()


def traffic(*words: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [PROGRAM, "traffic", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_traffic_on_spark_says_what_it_says_here(logs: list[str], spark_cluster: Cluster) -> None:
    engine = f"{spark_cluster.url}?{urlencode(spark_cluster.options)}"
    words = (logs[2], "--since", "2024-05-01T11:30", "--until", "2024-05-01T11:50", "--format", "json", "--quiet")
    there = traffic(*words, "--engine", engine, environment=spark_cluster.environment)
    assert there.returncode == 0, there.stderr
    assert json.loads(there.stdout) == json.loads(traffic(*words).stdout)


def test_lines_that_are_there_twice_are_noted_from_all_pieces(
    logs: list[str], tmp_path: Path, spark_cluster: Cluster
) -> None:
    """The older file has the same lines in another order: by its first bytes it is no copy, and no piece holds a line twice."""
    lines = Path(logs[2]).read_bytes().splitlines()
    twice = [tmp_path / "shop.log", tmp_path / "shop.log.1"]
    for file, order in zip(twice, (lines, reversed(lines)), strict=True):
        file.write_bytes(b"\n".join(order) + b"\n")
    settings = spark_cluster.options | {"spark.sql.files.maxPartitionBytes": "20000"}
    engine = f"{spark_cluster.url}?{urlencode(settings)}"
    files = [str(file) for file in twice]
    there = examined(files, tmp_path / "there.case", spark_cluster.environment, "--engine", engine)["blemish"]
    here = examined(files, tmp_path / "here.case", None)["blemish"]
    assert len([row for row in here if "occurs 2 times" in row["why"]]) == 1
    assert there == here


def test_an_engine_that_does_not_answer_is_named_without_its_password_and_says_what_to_do(logs: list[str]) -> None:
    done = traffic(logs[2], "--engine", "postgres://me:secret@127.0.0.1:1/logs")
    assert done.returncode == 1
    assert "secret" not in done.stderr
    assert "--engine postgres://127.0.0.1:1/logs: " in done.stderr
    assert "hint:" in done.stderr


def test_a_master_that_does_not_answer_ends_with_an_error(logs: list[str], spark_cluster: Cluster) -> None:
    done = traffic(logs[2], "--engine", "spark://127.0.0.1:1", environment=spark_cluster.environment)
    assert done.returncode == 1
    assert "error: --engine spark://127.0.0.1:1: " in done.stderr
    assert "Check that its master is running" in done.stderr


@pytest.mark.parametrize(
    "master", ["spark://me:S3CRET@127.0.0.1:1", "spark://me:p@S3CRET@h:1", "k8s://https://u:S3CRET@h"]
)
def test_a_master_of_spark_with_a_password_is_refused_before_spark_can_log_it(master: str, logs: list[str]) -> None:
    done = traffic(logs[2], "--engine", master)
    assert done.returncode == 2
    assert "S3CRET" not in done.stderr + done.stdout
    assert "Spark takes no user and no password" in done.stderr


def test_a_log_behind_an_address_with_a_password_is_named_without_it(spark_cluster: Cluster) -> None:
    done = traffic("hdfs://me:S3CRET@127.0.0.1:1/x.log", "--engine", "local[1]", environment=spark_cluster.environment)
    assert done.returncode != 0
    assert "S3CRET" not in done.stderr + done.stdout
    assert "hdfs://127.0.0.1:1/x.log" in done.stderr


FALLS_OVER = """
import sys
from necropsy.evidence.access_log.backends import spark
from necropsy.model.errors import NecropsyError
def fall_over(batches):
    raise ValueError("this executor fell over")
    yield
try:
    with spark.session(sys.argv[1]) as session:
        session.range(1).mapInArrow(fall_over, "id long").toArrow()
except NecropsyError as error:
    print(error.message.rpartition("ValueError: ")[2], "|", error.hint)
"""


def test_an_executor_that_falls_over_ends_the_run_with_what_it_said(spark_cluster: Cluster) -> None:
    engine = f"{spark_cluster.url}?{urlencode(spark_cluster.options)}"
    command = [sys.executable, "-c", FALLS_OVER, engine]
    done = subprocess.run(
        command, env=spark_cluster.environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("this executor fell over | See the executors' logs.")

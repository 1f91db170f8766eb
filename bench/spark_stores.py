"""Read a log from S3 and from HDFS on a real Spark cluster, and compare every row with what DuckDB makes of the files here.

    make spark-stores        # by hand: takes 650 MB from Maven, and moto from PyPI into an environment of its own

S3 is moto's server, HDFS the mini cluster of Hadoop (a name node and a data node in one Java). Both are on loopback.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

import spark  # noqa: E402 -- found by the line above
from evidence.access_log.backends.shop import shop_lines  # noqa: E402
from evidence.access_log.backends.test_registry import examined  # noqa: E402
from servers import free_port  # noqa: E402

HADOOP = "3.4.1"
"""As Spark 4.0 has it."""
JARS = {
    "aws": f"org.apache.hadoop:hadoop-aws:{HADOOP}",
    "sdk": "software.amazon.awssdk:bundle:2.24.6",
    "mini": f"org.apache.hadoop:hadoop-client-minicluster:{HADOOP}",
    "mockito": "org.mockito:mockito-core:2.28.2",
    "junit": "junit:junit:4.13.2",
}
MINI = "org.apache.hadoop.mapreduce.MiniHadoopClusterManager"
PUT = """
import sys
from pyspark.sql import SparkSession
options = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
context = SparkSession.builder.master("local[1]").config(map=options).getOrCreate().sparkContext
path = context._jvm.org.apache.hadoop.fs.Path
folder = path(sys.argv[1])
store = folder.getFileSystem(context._jsc.hadoopConfiguration())
store.mkdirs(folder)
for name in sys.argv[2:]:
    store.copyFromLocalFile(path(name), folder)
"""
TABLES = ("visitor_class", "visit_bin", "cookie_use", "source", "blemish", "absence")
_WHERE = {"locator", "file", "sha256", "size", "log"}
"""Columns that say where a file was, or what is only known of one here."""


def jar(name: str) -> Path:
    """Return a file of Maven's, fetched if it is not there."""
    group, artifact, version = JARS[name].split(":")
    folder = Path.home() / ".m2" / "repository" / group.replace(".", "/") / artifact / version
    path = folder / f"{artifact}-{version}.jar"
    if not path.exists():
        command = ["mvn", "-q", "-B", "dependency:get", "-Dtransitive=false", f"-Dartifact={JARS[name]}"]
        subprocess.run(command, check=True)
    return path


@contextmanager
def s3(folder: Path, files: dict[str, bytes]) -> Iterator[tuple[str, dict[str, str]]]:
    """Start moto's server with a bucket; yield its address for Spark, and the settings."""
    venv.create(folder / "moto", with_pip=True)
    program = folder / "moto" / "bin" / "moto_server"
    subprocess.run([str(program.with_name("pip")), "install", "-q", "moto[server,s3]>=5"], check=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running([str(program), "-H", "127.0.0.1", "-p", str(port)], folder / "moto.log", port):
        for name, data in {"logs": b"", **{f"logs/{name}": data for name, data in files.items()}}.items():
            head = {
                "Content-Type": "application/octet-stream",
                "Authorization": "AWS4-HMAC-SHA256 Credential=me/20240101/us-east-1/s3/aws4_request,"
                " SignedHeaders=host, Signature=0",
            }
            asked = urllib.request.Request(f"{url}/{name}", data=data, method="PUT", headers=head)  # noqa: S310 -- our own server
            urllib.request.urlopen(asked, timeout=30).close()  # noqa: S310
        yield (
            "s3a://logs",
            {
                "spark.jars": f"{jar('aws')},{jar('sdk')}",
                "spark.hadoop.fs.s3a.endpoint": url,
                "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
                "spark.hadoop.fs.s3a.path.style.access": "true",
                "spark.hadoop.fs.s3a.access.key": "me",
                "spark.hadoop.fs.s3a.secret.key": "me",
            },
        )


@contextmanager
def hdfs(folder: Path, files: dict[str, bytes]) -> Iterator[tuple[str, dict[str, str]]]:
    """Start Hadoop's mini cluster, and put the files into it."""
    port = free_port()
    jars = Path(spark.package()) / "jars"
    classes = ":".join([*(str(jar(name)) for name in ("mini", "mockito", "junit")), f"{jars}/*"])
    command = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classes, MINI]
    command += ["-nomr", "-format", "-datanodes", "1", "-nnport", str(port)]
    url = f"hdfs://127.0.0.1:{port}"
    with running(command, folder / "hdfs.log", port, folder):
        for name, data in files.items():
            (folder / name).write_bytes(data)
        subprocess.run([sys.executable, "-c", PUT, f"{url}/logs", *files], check=True, cwd=folder)
        yield f"{url}/logs", {}


@contextmanager
def running(command: list[str], log: Path, port: int, folder: Path | None = None) -> Iterator[None]:
    """Run a server until its port answers, and end it."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=folder, stdin=subprocess.PIPE)
    try:
        until = time.monotonic() + 180
        while not answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def answers(port: int) -> bool:
    """Tell whether somebody listens."""
    import socket

    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    """Compare."""
    lines = shop_lines()
    half = len(lines) // 2
    files = {
        "shop.log.1.gz": gzip.compress(b"\n".join(lines[:half]) + b"\n"),
        "shop.log": b"\n".join(lines[half:]),
    }
    stores: dict[str, Callable[..., contextmanager]] = {"s3a": s3, "hdfs": hdfs}  # type: ignore[type-arg]
    chosen = sys.argv[1:] or list(stores)
    differs = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        here = examined([str(folder / name) for name in files], folder / "here.case", None)
        for name in chosen:
            place = folder / name
            place.mkdir()
            with stores[name](place, files) as (address, settings), spark.running(workers=2) as cluster:
                options = cluster.options | settings | {"spark.sql.files.maxPartitionBytes": "65536"}
                engine = f"{cluster.url}?{urlencode(options)}"
                logs = [f"{address}/{file}" for file in files]
                there = examined(logs, folder / f"{name}.case", cluster.environment, "--engine", engine)
            for table in TABLES:
                rows = [
                    sorted(repr({k: v for k, v in row.items() if k not in _WHERE}) for row in case[table])
                    for case in (here, there)
                ]
                same = rows[0] == rows[1]
                differs |= not same
                print(f"{name}: {table}: {len(rows[1])} rows, {'the same' if same else 'OTHERS'}", flush=True)
    raise SystemExit(differs)


if __name__ == "__main__":
    main()

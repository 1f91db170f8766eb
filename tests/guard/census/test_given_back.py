"""Code that was given back is there again when it is needed, also while it is given back all the time."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """\
import sys
import duckdb, numpy, pyarrow.compute
from necropsy.guard.census import given_back

def work():
    rows = pyarrow.table({"a": numpy.arange(200_000) % 7})
    counted = duckdb.sql("SELECT a, count(*) AS n FROM rows GROUP BY a ORDER BY a").fetchall()
    return counted, pyarrow.compute.sum(rows["a"]).as_py(), float(numpy.linalg.det(numpy.eye(9)))

def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("RssFile")).split()[1])

once, before = work(), resident()
segments = given_back.loaded_code()
given_back.give_back(segments)
after = resident()
given_back._EVERY_S = 0.001
with given_back.code_given_back():
    import json, decimal, sqlite3  # who loads a library meanwhile waits for nobody
    same = all(work() == once for _ in range(20))
print(bool(segments), after < before, same)
"""


def test_code_that_was_given_back_works_as_before_and_took_memory() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=170)
    on_linux = str(sys.platform == "linux")
    assert (run.stdout.split(), run.stderr) == ([on_linux, on_linux, "True"], "")


LOADED = """\
import contextlib, sys
from necropsy.guard.census import given_back, worker
from necropsy.model.errors import NecropsyError

@contextlib.contextmanager
def noted():
    print(*[name for name in ("duckdb", "numpy", "pyarrow.compute") if name in sys.modules])
    yield

given_back.code_given_back = noted
with contextlib.suppress(NecropsyError):  # there is nothing to look at
    worker.take(worker.Asked())
"""


def test_what_is_large_is_loaded_before_it_is_listed_what_is_given_back() -> None:
    run = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=False, timeout=170)
    assert (run.stdout.split(), run.stderr) == (["duckdb", "numpy", "pyarrow.compute"], "")

"""The memory of a process that stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """\
import ctypes, gc, sys, threading
from necropsy.cli.process import tune
from necropsy.guard.allocator import give_back, stay_small

tune()
if "stay" in sys.argv:
    stay_small()

def allocate():
    together.wait()
    kept.append([bytes(10_000) for _ in range(20)])
    together.wait()

kept, together = [], threading.Barrier(8)
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
give_back()

library = ctypes.CDLL(None)
library.fopen.restype = ctypes.c_void_p
library.fclose.argtypes = [ctypes.c_void_p]
library.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
stream = library.fopen(sys.argv[1].encode(), b"w")
library.malloc_info(0, stream)
library.fclose(stream)
print(open(sys.argv[1]).read().count("<heap nr="), gc.get_threshold()[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator of GNU's C library")
def test_threads_of_a_process_that_stays_share_one_arena_and_circles_are_found_soon(tmp_path: Path) -> None:
    def heaps(*words: str) -> tuple[int, int]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
        run = subprocess.run([sys.executable, "-c", SCRIPT, f"{tmp_path}/malloc.xml", *words], capture_output=True, text=True,
                             check=True, timeout=100, env=environ)  # fmt: skip
        arenas, threshold = run.stdout.split()
        return int(arenas), int(threshold)

    assert heaps()[0] > 1, "the test would notice"
    assert heaps("stay") == (1, 700)

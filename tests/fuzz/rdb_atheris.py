"""Fuzzing of the dump reader, for as long as one likes.

::

    pip install atheris
    python tests/fuzz/rdb_atheris.py -max_len=4096 -runs=1000000 FOLDER   # guided by what the sources reach
    python tests/fuzz/rdb_atheris.py --blind 10000000 FOLDER              # the compiled modules, a hundred times as fast
    python tests/fuzz/rdb_atheris.py --blind 10000000 --seconds 900 FOLDER

The first form reads each input twice, by the plain sources and as built, and compares; FOLDER collects the inputs that
reach something new. The second damages the inputs of FOLDER at random and reads them by the scanner, every 64th of them by
all of the reader; it needs no atheris. The tables below are what long runs came to: ``RECORD.md``.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from evidence.rdb.minting import EVERYTHING  # noqa: E402
from evidence.rdb.sources import uncompiled  # noqa: E402
from evidence.rdb.test_fuzz import ASSETS, outcome, seeds  # noqa: E402
from fuzz.running import Harness, main  # noqa: E402
from necropsy.evidence.rdb.kernels import Damaged  # noqa: E402
from necropsy.evidence.rdb.read_buffer import TooWide, Truncated, Window  # noqa: E402
from necropsy.evidence.rdb.reader import Dump  # noqa: E402
from necropsy.evidence.rdb.scan import Scanner  # noqa: E402
from necropsy.evidence.rdb.source import Opened  # noqa: E402
from necropsy.model.errors import UnreadableSource  # noqa: E402


def both(data: bytes) -> None:
    as_built = outcome(data)
    with uncompiled():
        assert outcome(data) == as_built


def alone(data: bytes) -> None:
    """As built, without making Python values of what was read."""
    opened = Opened(io.BufferedReader(io.BytesIO(data)), "fuzzed")
    try:
        read = Dump(opened, EVERYTHING, 64, True, None, 1.0, "jemalloc")
    except UnreadableSource:
        return
    for batch in read:
        batch.validate(full=True)


def swift(data: bytes) -> None:
    """As built, the scanner alone: no Arrow, no facts, a small window that has to move and to grow."""
    source = io.BytesIO(data)
    window = Window(source.readinto, chunk=256, piece=512)
    valkey = data.startswith(b"VALKEY")
    version = data[6:9] if valkey else data[5:9]
    scanner = Scanner(window, EVERYTHING, 16, int(version) if version.isdigit() else 12, valkey, 1.0, "jemalloc")
    try:
        window.take(9)
        while scanner.fill():
            scanner.renew(EVERYTHING)
    except (Truncated, TooWide, Damaged):  # all that a reader of dumps takes for damage
        pass


HARNESS = Harness(
    swift=swift,
    thorough=alone,
    compared=both,
    seeds=seeds,
    corpus=ASSETS,
    package="necropsy.evidence.rdb",
    uncompiled=uncompiled,
    suffix="rdb",
    edges=(0, 1, 2, 0x3F, 0x40, 0x7F, 0x80, 0x81, 0xC0, 0xC3, 0xE0, 0xF0, 0xF4, 0xFC, 0xFE, 0xFF),
    entries=("necropsy.evidence.rdb.reader", "necropsy.evidence.rdb.scan"),
)

if __name__ == "__main__":
    main(HARNESS)

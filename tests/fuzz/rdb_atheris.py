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

import argparse
import importlib
import io
import random
import re
import resource
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from evidence.rdb.minting import EVERYTHING  # noqa: E402
from evidence.rdb.sources import uncompiled  # noqa: E402
from evidence.rdb.test_fuzz import ASSETS, outcome, seeds  # noqa: E402
from necropsy.evidence.rdb.kernels import Damaged  # noqa: E402
from necropsy.evidence.rdb.reader import Dump  # noqa: E402
from necropsy.evidence.rdb.scan import Scanner  # noqa: E402
from necropsy.evidence.rdb.source import Opened  # noqa: E402
from necropsy.evidence.rdb.window import TooWide, Truncated, Window  # noqa: E402
from necropsy.model.errors import UnreadableSource  # noqa: E402

EDGES = (0, 1, 2, 0x3F, 0x40, 0x7F, 0x80, 0x81, 0xC0, 0xC3, 0xE0, 0xF0, 0xF4, 0xFC, 0xFE, 0xFF)
"""Bytes at which the format's forms begin or end."""


def peak_kib() -> int:
    """Memory that this process held at most, KiB. Linux's ``ru_maxrss`` begins with what the parent held when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


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


def guided(arguments: list[str]) -> None:
    atheris = importlib.import_module("atheris")
    if not any(Path(argument).is_dir() for argument in arguments[1:]):
        arguments.append(str(ASSETS))
    with uncompiled(), atheris.instrument_imports(include=["necropsy.evidence.rdb"]):
        importlib.import_module("necropsy.evidence.rdb.reader")
        importlib.import_module("necropsy.evidence.rdb.scan")
    atheris.Setup(arguments, both)
    atheris.Fuzz()


def damaged(rng: random.Random, known: list[bytes]) -> bytes:
    data = bytearray(rng.choice(known))
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(len(data)) if data else 0
        kind = rng.randrange(6)
        if kind == 0:
            data[at : at + 1] = bytes([rng.choice(EDGES)])
        elif kind == 1:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 2:
            del data[at : at + rng.randrange(1, 20)]
        elif kind == 3:
            data[at:at] = data[at : at + rng.randrange(1, 20)]
        elif kind == 4:
            data[at : at + 8] = rng.choice(EDGES).to_bytes(1, "big") * 8
        else:
            other = rng.choice(known)
            data[at:] = other[rng.randrange(len(other)) :]
    return bytes(data)


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


def blind(runs: int, folders: list[str], seed: int, seconds: float) -> None:
    rng = random.Random(seed)
    known = [path.read_bytes() for folder in folders for path in Path(folder).iterdir()] or list(seeds())
    known = [data for data in known if 0 < len(data) <= 4096]
    start = time.monotonic()
    done = 0
    while done < runs and time.monotonic() - start < seconds:
        data = damaged(rng, known)
        done += 1
        try:
            swift(data)
            if done % 64 == 0:
                alone(data)
        except BaseException:
            Path(f"failing-{seed}-{done}.rdb").write_bytes(data)
            raise
    spent = time.monotonic() - start
    resident = peak_kib() // 1024
    sys.stdout.write(
        f"{done:,} inputs from {len(known)} seeds in {spent:,.0f} s, {done / spent:,.0f} a second, seed {seed};"
        f" at most {resident} MB resident\n"
    )


def main() -> None:
    """Read the command line; atheris reads its own."""
    if "--blind" not in sys.argv:
        guided(sys.argv)
        return
    options = argparse.ArgumentParser()
    options.add_argument("--blind", type=int, metavar="RUNS")
    options.add_argument("--seconds", type=float, default=float("inf"))
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("folders", nargs="*")
    asked = options.parse_args()
    blind(asked.blind, asked.folders, asked.seed, asked.seconds)


if __name__ == "__main__":
    main()

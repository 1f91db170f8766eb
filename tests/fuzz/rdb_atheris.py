"""Fuzzing of the dump reader, for as long as one likes.

::

    pip install atheris
    python tests/fuzz/rdb_atheris.py -max_len=4096 -runs=1000000 FOLDER   # guided by what the sources reach
    python tests/fuzz/rdb_atheris.py --blind 10000000 FOLDER              # the compiled modules, ten times as fast

The first form reads each input twice, by the plain sources and as built, and compares; FOLDER collects the inputs that
reach something new. The second damages the inputs of FOLDER at random; it needs no atheris.
"""

from __future__ import annotations

import importlib
import io
import random
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from evidence.rdb.minting import EVERYTHING  # noqa: E402
from evidence.rdb.sources import uncompiled  # noqa: E402
from evidence.rdb.test_fuzz import ASSETS, outcome, seeds  # noqa: E402
from necropsy.evidence.rdb.reader import Dump  # noqa: E402
from necropsy.evidence.rdb.source import Opened  # noqa: E402
from necropsy.model.errors import UnreadableSource  # noqa: E402

EDGES = (0, 1, 2, 0x3F, 0x40, 0x7F, 0x80, 0x81, 0xC0, 0xC3, 0xE0, 0xF0, 0xF4, 0xFC, 0xFE, 0xFF)
"""Bytes at which the format's forms begin or end."""


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


def blind(runs: int, folders: list[str], seed: int) -> None:
    rng = random.Random(seed)
    known = [path.read_bytes() for folder in folders for path in Path(folder).iterdir()] or list(seeds())
    known = [data for data in known if data]
    start = time.monotonic()
    for number in range(runs):
        data = damaged(rng, known)
        try:
            alone(data)
        except BaseException:
            Path(f"failing-{seed}-{number}.rdb").write_bytes(data)
            raise
    sys.stdout.write(
        f"{runs:,} inputs from {len(known)} seeds, {runs / (time.monotonic() - start):,.0f} a second, seed {seed}\n"
    )


if __name__ == "__main__":
    if "--blind" in sys.argv:
        rest = [argument for argument in sys.argv[1:] if argument != "--blind"]
        blind(int(rest[0]), rest[1:], seed=int(time.time()))
    else:
        guided(sys.argv)

"""Coverage-guided fuzzing of the dump reader, for as long as one likes.

::

    pip install atheris
    python tests/fuzz/rdb_atheris.py -max_len=4096 -runs=1000000 FOLDER       # sources, guided by their coverage
    python tests/fuzz/rdb_atheris.py --as-built -max_len=4096 -runs=10000000  # the compiled modules, ten times as fast

The first form reads each input twice, by the plain sources and as built, and compares. FOLDER collects inputs that reach
something new; without it the dumps of ``tests/assets/rdb`` are where it begins.
"""

from __future__ import annotations

import importlib
import io
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from evidence.rdb.minting import EVERYTHING  # noqa: E402
from evidence.rdb.sources import uncompiled  # noqa: E402
from evidence.rdb.test_fuzz import ASSETS, outcome  # noqa: E402
from necropsy.evidence.rdb.reader import Dump  # noqa: E402
from necropsy.evidence.rdb.source import Opened  # noqa: E402
from necropsy.model.errors import UnreadableSource  # noqa: E402

atheris = importlib.import_module("atheris")  # installed by hand, by those who fuzz


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


def main() -> None:
    compare = "--as-built" not in sys.argv
    arguments = [argument for argument in sys.argv if argument != "--as-built"]
    if not any(Path(argument).is_dir() for argument in arguments[1:]):
        arguments.append(str(ASSETS))
    if compare:
        with uncompiled(), atheris.instrument_imports(include=["necropsy.evidence.rdb"]):
            importlib.import_module("necropsy.evidence.rdb.reader")
            importlib.import_module("necropsy.evidence.rdb.scan")
    atheris.Setup(arguments, both if compare else alone)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

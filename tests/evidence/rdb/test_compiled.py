"""Compiled or not, the reader gives the same answers: batches, facts, blemishes."""

from __future__ import annotations

import importlib
import os
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from evidence.rdb.minting import EVERYTHING, dump, key, listpack, text, written, ziplist
from evidence.rdb.sources import FOLDER, is_compiled, uncompiled
from necropsy.sessions.keyspace import Projection


def outcome(
    path: str, projection: Projection = EVERYTHING, **options: Any
) -> tuple[pa.Table, dict[str, str], list[tuple[Any, ...]]]:
    """What reading a file comes to, whichever modules are loaded."""
    reader = importlib.import_module("necropsy.evidence.rdb.reader")
    read = reader.open_dump(path, projection, **options)
    batches = list(read)
    blemishes = [(b.unit, b.place, b.why, b.count) for b in read.blemishes]
    table = pa.Table.from_batches(batches) if batches else pa.table({})
    return table, dict(read.facts), blemishes


def both(path: str, projection: Projection = EVERYTHING, **options: Any) -> tuple[Any, Any]:
    compiled = outcome(path, projection, **options)
    with uncompiled():
        return compiled, outcome(path, projection, **options)


def sample_dumps(folder: Path) -> list[str]:
    rng = random.Random(5)
    data = dump(
        key(0, b"string", text(b"hello")),
        key(4, b"hash", b"\x02" + text(b"f") + text(b"value") + text(b"other") + text(b"x" * 100)),
        key(16, b"packed", text(listpack(b"f", -70_000, b"creationTime", 1700000000000))),
        key(13, b"older", text(ziplist(b"f", b"y" * 300, 7, -5))),
        key(2, b"set", b"\x02" + text(b"one") + text(b"two")),
    )
    files = [written(folder, data, "whole.rdb")]
    for number in range(150):
        mutated = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            mutated[rng.randrange(9, len(mutated))] = rng.randrange(256)
        files.append(written(folder, bytes(mutated[: rng.randrange(9, len(mutated) + 1)]), f"mutated{number}.rdb"))
    return files


def test_the_reader_is_compiled_where_there_is_a_compiler() -> None:
    if not is_compiled():
        if os.environ.get("CI"):
            pytest.fail("the reader is not compiled here: is there a C compiler, and was the package built with it?")
        pytest.skip("the reader is not compiled here: no C compiler when the package was installed")
    modules = {path.stem for path in FOLDER.glob("*.pxd")} or {"scan", "values", "window", "kernels"}
    for module in modules:
        assert not str(importlib.import_module(f"necropsy.evidence.rdb.{module}").__file__).endswith(".py")


def test_without_a_compiler_it_runs_as_plain_python_and_without_cython() -> None:
    with uncompiled():
        assert not is_compiled()
        assert importlib.import_module("necropsy.evidence.rdb.scan").cython.__name__ == "necropsy.evidence.rdb.plain"
    assert importlib.import_module("necropsy.evidence.rdb.scan") is importlib.import_module(
        "necropsy.evidence.rdb.scan"
    )


@pytest.mark.parametrize("options", [{}, {"batch_rows": 2}, {"sample": 0.5}, {"verify_checksum": False}])
def test_whole_and_damaged_dumps_read_alike(tmp_path: Path, options: dict[str, Any]) -> None:
    for path in sample_dumps(tmp_path)[: 151 if not options else 10]:
        compiled, plain = both(path, **options)
        assert compiled == plain, Path(path).read_bytes()


def test_old_dumps_of_the_corpus_read_alike(checkout: Path) -> None:
    corpus = checkout.parent / "shared" / "corpus" / "rdb"
    for path in sorted(corpus.glob("*.rdb")):
        compiled, plain = both(str(path))
        assert compiled == plain, path.name
        assert all("module" in why or not why for *_, why, _ in compiled[2]), compiled[2]

"""Compiled or not, the reader gives the same answers: batches, facts, blemishes."""

from __future__ import annotations

import importlib
import os
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from evidence.rdb.minting import EVERYTHING, crc64, dump, key, listpack, text, written, ziplist
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


def test_values_are_marked_alike_whether_compiled_or_not() -> None:
    kernels = importlib.import_module("necropsy.evidence.rdb.kernels")
    random_bytes = random.Random(7).randbytes(5_000)
    for size in (*range(140), 1_000, 4_097):
        memory = kernels.Memory(5_000)
        memory.owner[:5_000] = random_bytes
        with uncompiled():
            plain = importlib.import_module("necropsy.evidence.rdb.kernels").Memory(5_000)
            plain.owner[:5_000] = random_bytes
            wanted = [plain.mark(start, start + size) for start in (0, 3)]
        assert [memory.mark(start, start + size) for start in (0, 3)] == wanted


def test_the_reader_is_compiled_where_there_is_a_compiler() -> None:
    if not is_compiled():
        if os.environ.get("CI"):
            pytest.fail("the reader is not compiled here: is there a C compiler, and was the package built with it?")
        pytest.skip("the reader is not compiled here: no C compiler when the package was installed")
    modules = {path.stem for path in FOLDER.glob("*.pxd")} or {"scan", "values", "read_buffer", "kernels"}
    for module in modules:
        assert not str(importlib.import_module(f"necropsy.evidence.rdb.{module}").__file__).endswith(".py")


def test_without_a_compiler_it_runs_as_plain_python_and_without_cython() -> None:
    with uncompiled():
        assert not is_compiled()
        assert importlib.import_module("necropsy.evidence.rdb.scan").cython.__name__ == "necropsy._internal.cython_stub"
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


def test_values_that_repeat_are_the_same_values(tmp_path: Path) -> None:
    rng = random.Random(11)
    values = [rng.randbytes(rng.choice((0, 1, 7, 8, 9, 63, 64, 65, 300, 5_000))) for _ in range(700)]
    records = [
        key(4, b"%d" % number, b"\x01" + text(b"f") + text(rng.choice(values[: rng.choice((3, 700))])))
        for number in range(3_000)
    ] + [key(16, b"packed%d" % number, text(listpack(b"f", number % 5))) for number in range(20)]
    path = written(tmp_path, dump(*records))
    fields = ((b"f", 200),)
    plain = outcome(path, Projection(hash_fields=fields))[0]
    repeats, uncompiled_repeats = both(path, Projection(hash_fields=fields, repeated=(b"f",)))
    assert repeats[0].to_pylist() == uncompiled_repeats[0].to_pylist() == plain.to_pylist()
    assert repeats[0].schema.field("field:f").type == pa.dictionary(pa.int32(), pa.binary())
    assert len(repeats[0].column("field:f").chunk(0).dictionary) <= len(values) + 5


def test_a_value_whose_sum_collides_with_many_is_given_up_and_kept_once_more() -> None:
    with uncompiled():
        columns = importlib.import_module("necropsy.evidence.rdb.columns")
        memory = importlib.import_module("necropsy.evidence.rdb.kernels").Memory(8)
        field = columns.Field(b"f", 100, 10, True)
        field.mask = 0  # one place for all: as if every sum ended alike
        field.places[0] = 1
        field.hashes[0] = 1
        assert not field.known(memory, 0, 8, 0)
        assert field.pending == -1


def test_the_checksum_is_the_same_whole_and_in_pieces_of_any_size() -> None:
    kernels = importlib.import_module("necropsy.evidence.rdb.kernels")
    rng = random.Random(3)
    data = rng.randbytes(9_000)
    memory = kernels.Memory(len(data))
    memory.owner[: len(data)] = data
    for size in (0, 1, 7, 8, 63, 64, 127, 128, 129, 191, 1_000, 3_071, 3_072, 9_000):
        start = rng.randrange(len(data) - size + 1)
        whole = memory.crc64(0x1234, start, start + size)
        pieces, at = 0x1234, start
        while at < start + size:
            step = min(rng.randrange(1, 100), start + size - at)
            pieces = memory.crc64(pieces, at, at + step)
            at += step
        assert whole == pieces, size
    assert memory.crc64(0, 0, len(data)) == crc64(data)

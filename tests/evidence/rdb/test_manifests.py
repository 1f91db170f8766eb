"""Manifests of append-only files that are damaged or made up: an error that says what to do, whatever stands in them."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from necropsy.evidence.rdb.reader import open_dump
from necropsy.model.errors import NecropsyError
from necropsy.sessions.keyspace import Projection

GOOD = b"file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
WORDS = st.sampled_from(
    [b"file", b"type", b"b", b"i", b"seq", b"1", b"\n", b'"', b'""', b".", b"..", b"/", b"../a", b"a.manifest", b"\0", b"\xff", b"x" * 5000]
)  # fmt: skip


@given(
    st.lists(WORDS, max_size=14).map(b" ".join)
    | st.binary(max_size=60)
    | st.integers(0, len(GOOD)).map(lambda at: GOOD[:at])
)
def test_no_manifest_ends_in_anything_but_an_error_with_a_next_step(tmp_path_factory: object, text: bytes) -> None:
    folder = Path(tmp_path_factory.mktemp("appendonlydir"))  # type: ignore[attr-defined]
    (folder / "a.manifest").write_bytes(text)
    (folder / "appendonly.aof.1.base.rdb").write_bytes(b"REDIS0011\xff" + bytes(8))
    refused = None
    try:
        list(open_dump(str(folder), Projection()))
    except NecropsyError as error:
        refused = error
    assert refused is None or refused.hint

"""Files are named by their content: the person who gave the wrong one is told which it is."""

from __future__ import annotations

import bz2
import io
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy._internal.file_kinds import BINARY, kind_of


def _zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("access.log", "x")
    return out.getvalue()


def _tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("var/log/nginx/access.log"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"REDIS0011\xfa", "a Redis dump"),
        (b"VALKEY080\xfa", "a Redis dump"),
        (_zipped(), "a zip archive"),
        (_tarred(), "a tar archive"),
        (bz2.compress(b"x"), "a file that is compressed twice"),
        (b"%PDF-1.7", "a PDF document"),
        (bytes(range(256)) * 4, "a binary file"),
    ],
)
def test_what_is_no_text_is_named(content: bytes, name: str) -> None:
    kind = kind_of(content)
    assert kind is not None
    assert kind.name == name
    assert kind.hint


def test_databases_of_other_programs_are_named(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "a.case")) as connection:
        connection.execute("CREATE TABLE t (i INTEGER)")
    database = sqlite3.connect(tmp_path / "b.db")
    database.execute("CREATE TABLE t (i INTEGER)")
    database.close()
    names = [kind_of((tmp_path / name).read_bytes()[:512]) for name in ("a.case", "b.db")]
    assert [kind.name for kind in names if kind] == ["a DuckDB database", "an SQLite database"]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_text_of_any_encoding_is_no_binary_file(text: str, encoding: str) -> None:
    assert kind_of(f"2024-02-05 10:00:01 INFO {text}\r\n".encode(encoding, "replace")) is None


def test_a_log_with_the_hole_of_a_rotation_by_copying_is_text() -> None:
    line = b"2024-02-05 10:00:01 \x1b[31mERROR\x1b[0m timed out\n"
    assert kind_of(bytes(4096) + line) is None
    assert kind_of(bytes(4096)) is None
    assert kind_of(b"") is None
    assert kind_of(b"\x01\x02\x03" * 20 + line) is BINARY

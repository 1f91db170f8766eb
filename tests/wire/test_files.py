"""Files as evidence: whatever the compression, whatever is wrong with them, and never a change to them."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import UnreadableSource
from necropsy.wire import files

COMPRESSORS: dict[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("kind", COMPRESSORS, ids=str)
def test_compression_is_told_by_content_and_not_by_name(tmp_path: Path, kind: str | None) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(COMPRESSORS[kind](b"GET /health\n" * 50_000))
    with files.open_binary(str(path)) as stream:
        assert stream.read() == b"GET /health\n" * 50_000


@pytest.mark.parametrize("kind", COMPRESSORS, ids=str)
@given(data=st.binary(max_size=300))
def test_any_bytes_come_back_from_any_compression(
    tmp_path_factory: pytest.TempPathFactory, kind: str | None, data: bytes
) -> None:
    packed = COMPRESSORS[kind](data)
    if kind is None and files.compression(packed) is not None:
        return  # plain bytes that happen to begin like a compressed file
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(packed)
    with files.open_binary(str(path)) as stream:
        assert stream.read() == data


@pytest.mark.parametrize("kind", ["gzip", "zstd", "bz2", "xz"])
def test_members_written_one_after_the_other_are_all_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "rotated"
    path.write_bytes(COMPRESSORS[kind](b"first\n") + COMPRESSORS[kind](b"second\n"))
    with files.open_binary(str(path)) as stream:
        assert stream.read() == b"first\nsecond\n"


@pytest.mark.parametrize("kind", ["gzip", "zstd", "bz2", "xz"])
def test_a_file_that_breaks_off_gives_what_it_holds_before_it_says_so(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "rotated"
    path.write_bytes((COMPRESSORS[kind](b"first\n") + COMPRESSORS[kind](random.Random(1).randbytes(9_000)))[:-4_000])
    with files.open_binary(str(path)) as stream:
        *data, why = files.chunks(stream)
    assert b"".join(piece for piece in data if isinstance(piece, bytes)).startswith(b"first\n")
    assert "truncated or damaged" in str(why)


def test_lines_can_be_read_from_every_compression(tmp_path: Path) -> None:
    for kind, compress in COMPRESSORS.items():
        path = tmp_path / str(kind)
        path.write_bytes(compress(b"one\ntwo\n"))
        with files.open_binary(str(path)) as stream:
            assert list(stream) == [b"one\n", b"two\n"]


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    with files.open_binary(str(path)) as stream:
        assert stream.read() == b""
    assert files.read_text(str(path)) == ""


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(gzip.compress(b"piped\n")))))
    with files.open_binary("-") as stream:
        assert stream.read() == b"piped\n"


@pytest.mark.parametrize("kind", ["gzip", "zstd", "bz2", "xz"])
def test_a_file_that_was_cut_off_says_so(tmp_path: Path, kind: str) -> None:
    packed = COMPRESSORS[kind](os.urandom(3000))
    path = tmp_path / "prometheus.yml"
    path.write_bytes(packed[:-1000])
    with pytest.raises(UnreadableSource, match=r"prometheus\.yml: damaged") as caught:
        files.read_text(str(path))
    assert caught.value.hint


def test_a_file_is_closed_with_its_stream(tmp_path: Path) -> None:
    for kind, compress in COMPRESSORS.items():
        path = tmp_path / str(kind)
        path.write_bytes(compress(b"line\n"))
        before = len(list(Path("/dev/fd").iterdir()))
        files.open_binary(str(path)).close()
        assert len(list(Path("/dev/fd").iterdir())) == before, kind


@pytest.mark.parametrize(
    ("make", "reason", "hint"),
    [
        (lambda path: None, "no such file", "path"),
        (lambda path: path.mkdir(), "is a folder", "glob"),
    ],
    ids=["missing", "folder"],
)
def test_what_cannot_be_opened_says_why_and_what_to_do(
    tmp_path: Path, make: Callable[[Path], None], reason: str, hint: str
) -> None:
    path = tmp_path / "dump.rdb"
    make(path)
    with pytest.raises(UnreadableSource, match=f"dump.rdb: {reason}") as caught:
        files.open_binary(str(path))
    assert hint in caught.value.hint


def test_reading_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_text("scrape_configs: []\n")
    path.chmod(0o444)
    before = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
    files.read_text(str(path))
    files.fingerprint(str(path))
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode) == before


# -- text -------------------------------------------------------------------------------------------------------------


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_bytes(b"\xef\xbb\xbfglobal:\n")
    assert files.read_text(str(path)) == "global:\n"


def test_line_endings_are_kept_so_that_a_patch_fits(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_bytes(b"global:\r\n  scrape_interval: 10s\r\n")
    assert files.read_text(str(path)).count("\r\n") == 2


def test_what_is_not_text_says_at_which_byte(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_bytes(b"glob\xff")
    with pytest.raises(UnreadableSource, match="not text: byte 4 is not UTF-8"):
        files.read_text(str(path))


def test_a_file_of_exactly_the_limit_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_bytes(b"#" * 1000)
    assert len(files.read_text(str(path), limit=1000)) == 1000
    with pytest.raises(UnreadableSource, match="not a configuration file"):
        files.read_text(str(path), limit=999)


def test_a_small_file_that_unpacks_to_gigabytes_is_stopped_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "bomb.yml.gz"
    path.write_bytes(gzip.compress(bytes(16 << 20)))
    assert path.stat().st_size < 32 << 10
    with pytest.raises(UnreadableSource, match="larger than 1 MiB"):
        files.read_text(str(path), limit=1 << 20)


# -- globs ------------------------------------------------------------------------------------------------------------


def test_globs_are_expanded_in_order_and_nothing_is_read_twice(tmp_path: Path) -> None:
    for name in ("access.log.2", "access.log", "access.log.1", "error.log"):
        (tmp_path / name).touch()
    found = files.expand([f"{tmp_path}/access*", f"{tmp_path}/access.log", f"{tmp_path}/*.log"])
    assert [Path(path).name for path in found] == ["access.log", "access.log.1", "access.log.2", "error.log"]


def test_a_pattern_that_matches_nothing_is_kept_so_that_it_can_be_reported(tmp_path: Path) -> None:
    pattern = f"{tmp_path}/access*.log"
    assert files.expand([pattern, "-", "missing.rdb"]) == [pattern, "-", "missing.rdb"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    odd = tmp_path / "access[1].log"
    odd.touch()
    (tmp_path / "access1.log").touch()
    assert files.expand([str(odd)]) == [str(odd)]


def test_two_asterisks_look_into_folders(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "access.log").touch()
    assert files.expand([f"{tmp_path}/**/access.log"]) == [str(tmp_path / "a" / "b" / "access.log")]


# -- fingerprints -----------------------------------------------------------------------------------------------------


def test_a_fingerprint_is_of_the_bytes_as_stored_not_as_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "access.log.gz"
    path.write_bytes(gzip.compress(b"line\n"))
    assert files.fingerprint(str(path)) == (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux alone")
def test_a_fingerprint_beside_others_lets_these_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def priority(_: str) -> tuple[str, int]:
        return "", os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    path = tmp_path / "dump.rdb"
    path.write_bytes(b"REDIS0011")
    assert files.fingerprint_beside(str(path))() == files.fingerprint(str(path))
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    monkeypatch.setattr(files, "fingerprint", priority)
    assert files.fingerprint_beside(str(path))()[1] > mine
    assert os.getpriority(os.PRIO_PROCESS, 0) == mine


def test_a_stream_has_no_fingerprint(tmp_path: Path) -> None:
    assert files.fingerprint("-") == (None, None)
    assert files.fingerprint(str(tmp_path / "missing")) == (None, None)
    os.mkfifo(tmp_path / "pipe")
    assert files.fingerprint(str(tmp_path / "pipe")) == (None, None)


@pytest.mark.parametrize("pack", [lzma.compress, zstandard.ZstdCompressor().compress, gzip.compress])
def test_a_damaged_compressed_configuration_is_an_error_with_a_next_step(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    data = bytearray(pack(bytes(range(256)) * 64))
    data[len(data) // 2] ^= 0xFF
    path = tmp_path / "prometheus.yml"
    path.write_bytes(bytes(data))
    with pytest.raises(UnreadableSource) as damaged:
        files.read_text(str(path))
    assert damaged.value.hint


def test_standard_input_is_read_once_and_a_second_time_is_an_error_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"piped\n"))))
    assert files.read_text("-") == "piped\n"
    with pytest.raises(UnreadableSource, match="read already") as refused:
        files.read_text("-")
    assert "file" in refused.value.hint


def test_a_configuration_in_utf_16_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_bytes("global: {}\n".encode("utf-16"))
    with pytest.raises(UnreadableSource, match="it is UTF-16") as refused:
        files.read_text(str(path))
    assert refused.value.hint == "Save it as UTF-8."

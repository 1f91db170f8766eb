from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import UnreadableSource, UsageError
from necropsy.traffic.tail import FileTail, Spool, open_tail

WINDOW = 1 << 20


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_bytes(b"before\n")
    return path


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as out:
        out.write(data)


def test_what_is_there_comes_first_and_then_what_is_appended(log: Path) -> None:
    tail = open_tail(str(log), WINDOW)
    assert [tail.read(), tail.read()] == [b"before\n", b""]
    append(log, b"one\ntwo")
    append(log, b" more\n")
    assert tail.read() == b"one\ntwo more\n"
    tail.close()


def test_a_renamed_log_is_read_to_its_end_and_then_the_new_one(log: Path) -> None:
    tail = FileTail(log, WINDOW)
    tail.read()
    append(log, b"last\n")
    log.rename(log.with_suffix(".1"))
    assert tail.read() == b"last\n"
    append(log.with_suffix(".1"), b"later\n")  # a worker that has not reopened yet
    log.write_bytes(b"first\n")
    assert tail.read() == b"later\nfirst\n"
    append(log.with_suffix(".1"), b"latest\n")
    append(log, b"second\n")
    assert tail.read() == b"latest\nsecond\n"
    append(log, b"third\n")
    assert tail.read() == b"third\n"
    assert tail.rotations == 1
    tail.close()


def test_an_emptied_log_is_read_from_its_beginning(log: Path) -> None:
    tail = FileTail(log, WINDOW)
    tail.read()
    log.write_bytes(b"new\n")
    assert tail.read() == b"new\n"
    assert tail.rotations == 1
    tail.close()


def test_of_a_long_log_the_last_whole_lines_come_first(log: Path) -> None:
    log.write_bytes(b"".join(b"line %d\n" % number for number in range(1000)))
    tail = FileTail(log, 100)
    lines = tail.read().splitlines()
    assert lines[-1] == b"line 999"
    assert len(lines) == 11
    tail.close()


def test_what_cannot_be_followed_is_refused_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "access.log.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00")
    for path, error in (
        (tmp_path / "missing", UnreadableSource),
        (tmp_path, UnreadableSource),
        (tmp_path / "access.log.gz", UsageError),
    ):
        with pytest.raises(error) as refused:
            open_tail(str(path), WINDOW)
        assert refused.value.hint


@given(st.lists(st.binary(max_size=40), max_size=30))
def test_however_a_log_is_cut_while_it_is_read_its_whole_lines_are_kept(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    spool = Spool(tmp_path_factory.mktemp("spool") / "access.log", WINDOW)
    for part in parts:
        spool.add(part)
    written = b"".join(parts)
    assert spool.path.read_bytes() == written[: written.rfind(b"\n") + 1]
    assert spool.lines == written.count(b"\n")
    spool.finish()
    assert spool.path.read_bytes().rstrip(b"\n") == written.rstrip(b"\n")


def test_a_spool_stays_small_and_keeps_the_last_lines_and_the_names_of_fields(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "access.log", 1000)
    spool.add(b"#Fields: date time\n")
    largest = 0
    for number in range(5000):
        spool.add(b"line %d\n" % number)
        largest = max(largest, spool.path.stat().st_size)
    assert largest < 2100
    lines = spool.path.read_bytes().splitlines()
    assert lines[0] == b"#Fields: date time"
    first = int(lines[1].split()[1])
    assert lines[1:] == [b"line %d" % number for number in range(first, 5000)]
    assert spool.lines == 5001

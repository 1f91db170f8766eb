"""Rotations of one log, and logs of different servers."""

from __future__ import annotations

import gzip
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from necropsy.evidence.access_log.files.rotation import _times, logs_of, span_of

LINE = '10.0.0.1 - - [24/May/2019:{hour:02}:{minute:02}:00 +0000] "GET / HTTP/1.1" 302 0 "-" "Go"\n'


def written(folder: Path, name: str, first_hour: int, last_hour: int) -> str:
    text = "".join(
        LINE.format(hour=hour, minute=minute) for hour in range(first_hour, last_hour) for minute in range(0, 60, 5)
    )
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return str(path)


def test_files_that_follow_one_another_are_one_log(tmp_path: Path) -> None:
    files = [
        written(tmp_path, "access.log", 12, 18),
        written(tmp_path, "access.log.1", 6, 12),
        written(tmp_path, "access.log.2.gz", 0, 6),
    ]
    assert logs_of(files) == {str(tmp_path / "access.log"): files}


def test_files_of_two_servers_written_side_by_side_are_two_logs(tmp_path: Path) -> None:
    files = [written(tmp_path, "access-0.log", 0, 18), written(tmp_path, "access-1.log", 0, 18)]
    assert logs_of(files) == {file: [file] for file in files}


def test_two_servers_with_rotations_each_are_two_logs_of_two_files(tmp_path: Path) -> None:
    files = [written(tmp_path, f"access-{number}.log", *hours) for number, hours in
             enumerate([(0, 9), (0, 9), (9, 18), (9, 18)])]  # fmt: skip
    logs = logs_of(files)
    assert sorted(len(members) for members in logs.values()) == [2, 2]
    assert sorted(file for members in logs.values() for file in members) == sorted(files)


def test_a_worker_that_writes_on_for_a_minute_makes_no_second_log(tmp_path: Path) -> None:
    files = [written(tmp_path, "access.log", 6, 12), written(tmp_path, "access.log.1", 0, 6)]
    with Path(files[1]).open("a") as old:
        old.write(LINE.format(hour=6, minute=1))
    assert len(logs_of(files)) == 1


def test_files_without_a_time_or_that_are_missing_stay_together(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text("nothing\n")
    files = [str(tmp_path / "access.log"), str(tmp_path / "access.log.1")]
    assert logs_of(files) == {str(tmp_path / "access.log"): files}


def test_times_of_every_usual_form_are_found(tmp_path: Path) -> None:
    for text, wanted in (
        (b'{"time":"2019-05-24T18:41:32.500+00:00"}', 1558723292.5),
        (b'{"ts":1558723292.123,"x":1}', 1558723292.123),
        (b"1558723292123 GET /", 1558723292.123),
        (b"2019-05-24 18:41:32,500 GET /", 1558723292.5),
        (b'[24/May/2019:18:41:32 +0200] "GET / HTTP/1.1"', 1558716092.0),
    ):
        assert _times(text) == [wanted]


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    assert all(isinstance(moment, float) for moment in _times(data))


def test_a_compressed_file_has_a_first_time_alone(tmp_path: Path) -> None:
    span = span_of(written(tmp_path, "access.log.1.gz", 1, 2))
    assert span is not None
    assert span[1] is None

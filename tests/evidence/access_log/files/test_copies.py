"""A log that was given twice is noted, and its visits are not counted twice in silence."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from blank_cases import blank_case
from necropsy.case.store import Case
from necropsy.evidence.access_log.files.copies import copied_files
from necropsy.evidence.access_log.reader import read

LINES = [
    f'203.0.113.{n % 7} - - [24/May/2019:18:{n // 60:02d}:{n % 60:02d} +0000] "GET /page/{n % 3} HTTP/1.1" 200 17 "-" "curl/8.5.0"\n'
    for n in range(900)
]


@pytest.fixture
def case() -> Iterator[Case]:
    with blank_case() as opened:
        yield opened


@pytest.mark.parametrize("kept", [900, 300], ids=["the whole of it", "an older copy"])
@pytest.mark.parametrize("name", ["access.log.gz", "backup.log"])
def test_a_copy_of_a_log_is_left_out_and_said(tmp_path: Path, case: Case, name: str, kept: int) -> None:
    log, copy = tmp_path / "access.log", tmp_path / name
    log.write_text("".join(LINES))
    text = "".join(LINES[:kept])
    copy.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    found = read(case, [str(copy), str(log)])
    assert found.requests == 900
    left_out = {str(copy), str(log)} - {source.locator for source in found.sources}
    (absent,) = found.absent
    assert absent.locator in left_out
    assert absent.reason.startswith("a copy of ")


def test_a_file_that_holds_itself_twice_is_noted(tmp_path: Path, case: Case) -> None:
    log = tmp_path / "access.log"
    log.write_text("".join([*LINES, *LINES]))
    found = read(case, [str(log)])
    (blemish,) = found.blemishes
    assert "occurs 2 times" in blemish.why
    assert blemish.count == 900


def test_logs_of_two_servers_and_rotations_are_no_copies(tmp_path: Path, case: Case) -> None:
    files = [tmp_path / name for name in ("access.log", "access.log.1", "other.log")]
    for number, file in enumerate(files):
        file.write_text("".join(LINES[number * 300 : number * 300 + 300]))
    assert copied_files([*map(str, files), "-", str(tmp_path / "none.log")]) == {}
    found = read(case, [str(file) for file in files])
    assert (found.requests, found.blemishes, found.absent) == (900, [], [])

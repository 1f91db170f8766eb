from __future__ import annotations

from pathlib import Path

from necropsy.case.store import Case

from .running import run

LINE = '203.0.113.7 - - [24/May/2019:18:41:34 +0000] "GET / HTTP/1.1" 200 1 "-" "curl/8"\n'


def test_addresses_of_logs_are_kept_or_hashed_by_a_flag(tmp_path: Path) -> None:
    log, kept, hashed = (tmp_path / name for name in ("access.log", "kept.case", "hashed.case"))
    log.write_text(LINE * 3)
    for case, flags in ((kept, []), (hashed, ["--hash-clients"])):
        assert run("examine", "--access-log", str(log), "--case", str(case), "--quiet", *flags).error is None
    with Case.open(kept) as case, Case.open(hashed) as other:
        assert case.value("SELECT client FROM visitor_class") == "203.0.113.7"
        assert str(other.value("SELECT client FROM visitor_class")).startswith("#")
    assert b"203.0.113.7" not in hashed.read_bytes()

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from necropsy.evidence.rdb.reader import open_dump
from necropsy.lab.dated import date
from necropsy.sessions.keyspace import Projection

ASSETS = Path(__file__).parents[1] / "assets" / "spring"
MOMENT = datetime(2019, 5, 24, 19, tzinfo=UTC)


@pytest.mark.parametrize("asset", sorted(ASSETS.glob("*.rdb")), ids=lambda path: path.stem)
def test_a_dump_is_dated_and_stays_whole(asset: Path, tmp_path: Path) -> None:
    dump = tmp_path / "dump.rdb"
    dump.write_bytes(asset.read_bytes())
    date(dump, MOMENT)
    opened = open_dump(str(dump), Projection())
    keys = sum(batch.num_rows for batch in opened)
    assert opened.taken_at == MOMENT
    assert opened.facts["checksum"] == "verified"
    assert keys == sum(batch.num_rows for batch in open_dump(str(asset), Projection()))
    assert dump.stat().st_mtime == MOMENT.timestamp()


def test_a_dump_without_the_field_keeps_its_bytes(tmp_path: Path) -> None:
    dump = tmp_path / "old.rdb"
    dump.write_bytes(b"REDIS0006\xff" + bytes(8))
    date(dump, MOMENT)
    assert dump.read_bytes() == b"REDIS0006\xff" + bytes(8)

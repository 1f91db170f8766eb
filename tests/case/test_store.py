"""The case file: nothing half-written, nothing confidential, nothing that a wrong file could break."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from necropsy import __version__
from necropsy.case.schema import SCHEMA_VERSION, TABLES
from necropsy.case.store import Case
from necropsy.model.errors import CaseError, CaseTooNew


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "incident.case"
    with Case.create(path) as case:
        case.append("server_fact", [{"store": "a", "name": "redis-ver", "value": "7.0.15"}])
    return path


def test_what_was_written_is_there_when_the_case_is_opened_again(saved: Path) -> None:
    with Case.open(saved) as case:
        assert case.rows("SELECT * FROM server_fact") == [{"store": "a", "name": "redis-ver", "value": "7.0.15"}]
        assert case.name == str(saved)


def test_a_new_case_says_who_wrote_it_and_by_which_schema(saved: Path) -> None:
    with Case.open(saved) as case:
        facts = case.meta()
    assert facts["schema_version"] == str(SCHEMA_VERSION)
    assert facts["necropsy"] == __version__
    assert datetime.fromisoformat(facts["created_at"]).tzinfo is not None


def test_a_case_has_the_documented_tables_and_columns_and_no_others(saved: Path) -> None:
    with Case.open(saved) as case:
        found = {
            (row["table_name"], row["column_name"])
            for row in case.rows("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal")
        }
    assert found == {(table.name, column.name) for table in TABLES for column in table.columns}


def test_a_finished_case_is_one_file(saved: Path) -> None:
    assert list(saved.parent.iterdir()) == [saved]


def test_a_case_without_a_name_lives_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Case.create(None) as case:
        case.append("server_fact", [{"store": "a", "name": "keys", "value": "1"}])
        assert case.has("server_fact")
        assert case.name is None
    assert list(tmp_path.iterdir()) == []


def test_an_opened_case_cannot_be_changed(saved: Path) -> None:
    with Case.open(saved) as case, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        case.execute("DELETE FROM server_fact")


# -- half-written -----------------------------------------------------------------------------------------------------


def test_an_error_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "incident.case"

    def examine() -> None:
        with Case.create(path) as case:
            case.append("server_fact", [{"store": "a", "name": "keys", "value": "1"}])
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        examine()
    assert list(tmp_path.iterdir()) == []


def test_an_error_half_way_leaves_the_case_of_last_time_as_it_was(saved: Path) -> None:
    before = saved.read_bytes()

    def examine() -> None:
        with Case.create(saved) as case:
            case.append("server_fact", [{"store": "a", "name": "keys", "value": "1"}])
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        examine()
    assert saved.read_bytes() == before


_WRITE_AND_WAIT = """
import sys, time
from pathlib import Path
from necropsy.case.store import Case

with Case.create(Path(sys.argv[1])) as case:
    case.append("server_fact", [{"store": "a", "name": str(n), "value": "x" * 100} for n in range(10_000)])
    case.execute("CHECKPOINT")
    print("half-way", flush=True)
    time.sleep(600)
"""


@pytest.mark.process
def test_a_killed_examination_leaves_nothing_under_the_final_name(tmp_path: Path) -> None:
    path = tmp_path / "incident.case"
    with subprocess.Popen([sys.executable, "-c", _WRITE_AND_WAIT, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half-way\n"
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    leftovers = [entry.name for entry in tmp_path.iterdir()]
    assert leftovers, "the process was killed while it was writing"
    assert all(name.startswith(".incident.case.") and ".partial" in name for name in leftovers)

    with Case.create(path) as case:  # and what was left does not stand in the way of the next try
        case.append("server_fact", [{"store": "a", "name": "keys", "value": "1"}])
    with Case.open(path) as case:
        assert case.value("SELECT count(*) FROM server_fact") == 1


def test_a_case_appears_under_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "incident.case"
    with Case.create(path) as case:
        case.append("server_fact", [{"store": "a", "name": "keys", "value": "1"}])
        assert not path.exists()
    assert path.exists()


# -- what is refused --------------------------------------------------------------------------------------------------


def test_a_case_of_a_newer_necropsy_is_refused_with_both_versions_and_the_next_step(saved: Path) -> None:
    with duckdb.connect(str(saved)) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
        connection.execute("UPDATE meta SET value = '7.1.0' WHERE name = 'necropsy'")
    said = rf"7\.1\.0 with case schema 99.* schema {SCHEMA_VERSION}$"
    with pytest.raises(CaseTooNew, match=said) as caught, Case.open(saved):
        pass
    assert "git pull" in caught.value.hint


def test_a_missing_case_is_refused_with_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="no such file") as caught, Case.open(tmp_path / "incident.case"):
        pass
    assert "--case" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [b"", b"not a case\n" * 1000, b"REDIS0011\xff" + bytes(8), b"\x00" * 8 + b"DUCK" + b"\xff" * 9000],
    ids=["empty", "text", "dump", "damaged"],
)
def test_a_file_that_is_not_a_case_is_refused_with_a_hint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "incident.case"
    path.write_bytes(content)
    with pytest.raises(CaseError, match="not a case") as caught, Case.open(path):
        pass
    assert "necropsy examine" in caught.value.hint
    assert path.read_bytes() == content


def test_a_case_that_is_damaged_inside_says_so_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "incident.case"
    with Case.create(path) as case:
        rows = [{"store": "a", "name": f"{n}", "value": str(n * 7919) * 20} for n in range(50_000)]
        case.append("server_fact", rows)
    whole = path.read_bytes()
    with path.open("r+b") as stream:
        stream.seek(len(whole) // 2)
        stream.write(b"\xa5" * (len(whole) // 4))

    def read() -> None:
        with Case.open(path) as case:
            case.rows("SELECT * FROM server_fact")

    with pytest.raises(CaseError, match="damaged") as caught:
        read()
    assert caught.value.hint


def test_a_folder_and_a_dump_are_called_what_they_are(tmp_path: Path) -> None:
    dump = tmp_path / "dump.rdb"
    dump.write_bytes(b"REDIS0011\xff" + bytes(8))
    for path, said in ((tmp_path, "is a folder"), (dump, "a Redis dump, not a case")):
        with pytest.raises(CaseError, match=said) as caught, Case.open(path):
            pass
        assert "--case" in caught.value.hint


def test_a_case_that_another_program_writes_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "incident.case"
    with Case.create(path):
        pass
    writes = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", writes, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        with pytest.raises(CaseError, match="another program has it open"), Case.open(path):
            pass


def test_another_program_s_duckdb_file_is_refused_with_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
    with pytest.raises(CaseError, match="a DuckDB file, but not a case"), Case.open(path):
        pass


def test_a_folder_that_does_not_exist_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "incident.case"
    with pytest.raises(CaseError, match="cannot write here") as caught, Case.create(path):
        pass
    assert "--case" in caught.value.hint


def test_a_folder_where_the_case_belongs_is_refused_with_a_name_for_it(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="is a folder") as caught, Case.create(tmp_path):
        pass
    assert str(tmp_path / "incident.case") in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_case_is_not_written_over(tmp_path: Path) -> None:
    dump = tmp_path / "dump.rdb"
    dump.write_bytes(b"REDIS0011\xfa\xff and more")
    with pytest.raises(CaseError, match="not written over") as caught, Case.create(dump):
        pass
    assert "--case" in caught.value.hint
    assert dump.read_bytes() == b"REDIS0011\xfa\xff and more"


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="not UTF-8") as caught, Case.create(tmp_path / "caf\udce9.case"):
        pass
    assert "--case" in caught.value.hint


def test_an_older_case_is_replaced(saved: Path) -> None:
    with Case.create(saved) as case:
        case.append("server_fact", [{"store": "b", "name": "keys", "value": "2"}])
    with Case.open(saved) as case:
        assert case.value("SELECT store FROM server_fact") == "b"


_FILL_THE_DISK = """
import resource, sys
from pathlib import Path
from necropsy.case.store import Case
from necropsy.model.errors import CaseError

resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))  # as a full disk: writing fails from there on
try:
    with Case.create(Path(sys.argv[1])) as case:
        for part in range(40):
            rows = [{"store": "a", "name": f"{part}-{n}", "value": str(n * 7919) * 20} for n in range(2_000)]
            case.append("server_fact", rows)
except CaseError as error:
    print(error.message, error.hint, sep="|")
"""


@pytest.mark.process
def test_a_full_disk_is_an_error_with_a_next_step_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "incident.case"
    done = subprocess.run(
        [sys.executable, "-c", _FILL_THE_DISK, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    message, _, hint = done.stdout.partition("|")
    assert message.startswith(f"{path}: cannot write: "), done.stderr
    assert "--case" in hint
    assert list(tmp_path.iterdir()) == []


# -- confidential -----------------------------------------------------------------------------------------------------

SECRET = b"7d1f0b9e-5a55-4c5e-9d0e-3c7b8f1a2d44"


def _bytes_of(folder: Path) -> bytes:
    return b"".join(entry.read_bytes() for entry in folder.iterdir() if entry.is_file())


def test_no_byte_of_a_session_id_reaches_the_file(tmp_path: Path) -> None:
    path = tmp_path / "incident.case"
    with Case.create(path) as case:
        case.append("session_part", pa.table({"store": ["a"] * 3, "id": [SECRET, SECRET, None]}))
        case.append("index_entry", [{"store": "a", "family": "f", "index": b"principal:ann", "id": SECRET}])
        case.execute("CHECKPOINT")
        assert SECRET not in _bytes_of(tmp_path)
        hashes = [row["id_hash"] for row in case.rows("SELECT id_hash FROM session_part ORDER BY id_hash NULLS LAST")]
    assert hashes[0] == hashes[1]
    assert hashes[2] is None
    everything = _bytes_of(tmp_path)
    assert SECRET not in everything
    assert b"principal:ann" not in everything


def test_the_same_id_is_recognised_across_tables_whether_it_came_as_text_or_bytes() -> None:
    with Case.create(None) as case:
        case.append("session", pa.table({"store": ["a"], "id": pa.array([SECRET], pa.large_binary())}))
        case.append("index_entry", pa.table({"store": ["a"], "id": [SECRET.decode()], "index": [b"i"]}))
        assert case.value("SELECT count(*) FROM session JOIN index_entry USING (store, id_hash)") == 1


def test_the_same_id_hashes_differently_in_another_case(tmp_path: Path) -> None:
    hashes = set()
    for name in ("one.case", "two.case"):
        with Case.create(tmp_path / name) as case:
            case.append("session", [{"store": "a", "id": SECRET}])
            hashes.add(case.value("SELECT id_hash FROM session"))
    assert len(hashes) == 2


def test_a_column_keeps_the_same_hash_as_a_single_identifier(saved: Path, tmp_path: Path) -> None:
    from necropsy.case.identity import hash_identifier

    path = tmp_path / "known.case"
    with Case.create(path) as case:
        case.append("session", [{"store": "a", "id": SECRET}])
    with Case.open(path) as case:
        key = bytes.fromhex(case.meta()["key"])
        assert case.value("SELECT id_hash FROM session") == hash_identifier(key, SECRET)


def test_a_withheld_key_is_nowhere_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "incident.case"
    with Case.create(path, withhold_key=True) as case:
        key = case._key
        case.append("session", [{"store": "a", "id": SECRET}])
    assert key is not None
    everything = _bytes_of(tmp_path)
    assert key not in everything
    assert key.hex().encode() not in everything
    with Case.open(path) as case:
        assert "key" not in case.meta()


def test_staging_is_emptied_before_a_case_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "incident.case"
    with Case.create(path) as case:
        case.append("session_part", [{"store": "a", "id": SECRET, "role": "session"}])
    with Case.open(path) as case:
        assert not case.has("session_part")


# -- appending and asking ---------------------------------------------------------------------------------------------


def test_columns_are_matched_by_name_and_missing_ones_are_null() -> None:
    with Case.create(None) as case:
        case.append("source", [{"locator": "dump.rdb", "reader": "rdb"}, {"reader": "nginx", "size": 3}])
        assert case.rows("SELECT reader, locator, size FROM source ORDER BY reader") == [
            {"reader": "nginx", "locator": None, "size": 3},
            {"reader": "rdb", "locator": "dump.rdb", "size": None},
        ]


def test_a_batch_a_table_and_plain_rows_are_one_kind() -> None:
    columns = {"store": ["a"], "name": ["keys"], "value": ["1"]}
    with Case.create(None) as case:
        case.append("server_fact", pa.table(columns))
        case.append("server_fact", pa.RecordBatch.from_pydict(columns))
        case.append("server_fact", [{"store": "a", "name": "keys", "value": "1"}])
        assert case.value("SELECT count(*) FROM (FROM server_fact GROUP BY ALL)") == 1
        assert case.value("SELECT count(*) FROM server_fact") == 3


def test_nothing_appended_is_no_evidence() -> None:
    with Case.create(None) as case:
        case.append("server_fact", [])
        case.append("server_fact", pa.table({"store": pa.array([], pa.string())}))
        assert not case.has("server_fact")


def test_a_question_without_an_answer_is_none() -> None:
    with Case.create(None) as case:
        assert case.value("SELECT reader FROM source") is None
        assert case.rows("SELECT reader FROM source") == []


def test_columns_come_as_arrays_masked_where_null() -> None:
    with Case.create(None) as case:
        case.append("session", [{"store": "a", "lifetime_s": 86_400}, {"store": "a", "lifetime_s": None}])
        lifetimes = case.columns("SELECT lifetime_s FROM session ORDER BY lifetime_s NULLS LAST")["lifetime_s"]
    assert np.ma.getmaskarray(lifetimes).tolist() == [False, True]
    assert lifetimes[0] == 86_400


def test_times_are_stored_in_utc_whatever_the_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        with Case.create(None) as case:
            moment = pa.array([datetime.fromisoformat("2019-05-24T19:00:00+00:00")], pa.timestamp("ms", "UTC"))
            case.append("source", pa.table({"reader": ["rdb"], "taken_at": moment}))
            assert case.value("SELECT taken_at::VARCHAR FROM source") == "2019-05-24 19:00:00"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_case_can_be_filled_while_another_is_open(saved: Path, tmp_path: Path) -> None:
    with Case.open(saved) as old, Case.create(tmp_path / "new.case") as new:
        new.append("server_fact", old.rows("SELECT * FROM server_fact"))
        assert new.has("server_fact")


def test_two_readers_may_open_one_case_at_the_same_time(saved: Path) -> None:
    counts = []

    def read() -> None:
        with Case.open(saved) as case:
            counts.append(case.value("SELECT count(*) FROM server_fact"))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1, 1]


@pytest.mark.process
def test_a_case_in_memory_that_nobody_asks_loads_no_database() -> None:
    code = (
        "import sys; from necropsy.case.store import Case\n"
        "with Case.create(None) as case: pass\n"
        "print('duckdb' in sys.modules)\n"
        "with Case.create(None) as case: case.connect(); print(case.rows('SELECT count(*) AS n FROM visitor_class'))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n[{'n': 0}]\n"


def test_a_case_of_schema_1_opens_with_the_newer_tables_empty(tmp_path: Path) -> None:
    old = tmp_path / "old.case"
    newer = ("visit", "log_span", "session_claim", "creation_test", "birth_account", "clock_offset")
    with Case.create(old) as case:
        case.append("birth_claim", [{"store": "a", "creator": "people", "births": 3.0}])
        for table in newer:
            case.execute(f"DROP TABLE {table}")
        for column in ("claim_id", "alternative", "first_at", "clients", "visits", "extrapolated"):
            case.execute(f"ALTER TABLE birth_claim DROP COLUMN {column}")
        case.set_meta("schema_version", "1")
    with Case.open(old) as case:
        assert case.rows("SELECT births, clients FROM birth_claim") == [{"births": 3.0, "clients": None}]
        assert not any(case.has(table) for table in newer)

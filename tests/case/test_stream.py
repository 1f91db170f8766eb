"""Rows that are stored while their writer reads on."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from necropsy.case.store import Case


def words(*texts: str) -> pa.Array:
    return pa.array(texts).dictionary_encode()


def test_all_rows_arrive_though_each_table_has_words_of_its_own() -> None:
    with Case.create(None) as case:
        with case.stream("session") as rows:
            for number in range(30):
                stores = words(*[f"s{number}", f"t{number}"] * 500)
                rows.put(pa.table({"store": stores, "id": [b"%d" % (number * 1000 + n) for n in range(1000)]}))
        assert case.value("SELECT count(DISTINCT id_hash) FROM session") == 30_000
        assert {row["n"] for row in case.rows("SELECT store, count(*) AS n FROM session GROUP BY store")} == {500}


def test_of_a_writer_that_fails_nothing_stays() -> None:
    def write(case: Case) -> None:
        with case.stream("session") as rows:
            rows.put(pa.table({"store": ["a"]}))
            raise RuntimeError("half-way")

    with Case.create(None) as case:
        with pytest.raises(RuntimeError, match="half-way"):
            write(case)
        assert not case.has("session")


def test_what_cannot_be_stored_is_raised_where_the_writer_is() -> None:
    def write(case: Case) -> None:
        with case.stream("session") as rows:
            for _ in range(9):
                rows.put(pa.table({"db": ["no number"]}))

    with Case.create(None) as case, pytest.raises(duckdb.Error, match="no number"):
        write(case)


def test_a_stream_without_rows_is_none() -> None:
    with Case.create(None) as case:
        with case.stream("session") as rows:
            rows.put(pa.table({"store": pa.array([], pa.string())}))
        assert not case.has("session")


def test_a_large_case_without_a_name_leaves_no_file() -> None:
    with Case.create(None, large=True) as case:
        case.append("server_fact", [{"store": "a", "name": "keys", "value": "1"}])
        (folder,) = {case._staged.parent} if case._staged else ()
        assert folder.is_dir()
    assert not folder.exists()

"""The schema: documented, and every hashed column has a place to come from."""

from __future__ import annotations

from necropsy.case.schema import BY_NAME, TABLES


def test_every_table_and_column_says_what_it_means() -> None:
    for table in TABLES:
        assert table.doc.endswith("."), table.name
        for column in table.columns:
            assert column.doc.endswith((".", "…")), f"{table.name}.{column.name}"


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(TABLES)
    for table in TABLES:
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names), table.name


def test_no_column_has_the_name_of_what_is_hashed_away() -> None:
    for table in TABLES:
        stored = {column.name for column in table.columns}
        assert not stored & {column.hashed_from for column in table.columns}, table.name

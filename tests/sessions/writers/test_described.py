"""Layouts that users describe in TOML."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blank_cases import blank_case
from necropsy.model.errors import ConfigurationError
from necropsy.sessions.census import Census
from necropsy.sessions.registry import projection
from necropsy.sessions.settle import settle
from necropsy.sessions.writers import described as module
from necropsy.sessions.writers.described import parse
from sessions.keyspaces import FEW, NOW, batch, key

TEXT = "\n".join(line.removeprefix("    ") for line in (module.__doc__ or "").splitlines() if line.startswith("    "))
"""The example of the module's own docstring, which is the one of the documentation."""
BORN = datetime(2026, 3, 1, 11, 0)  # noqa: DTZ001 -- the case holds UTC without a zone


def found(text: str, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    described = parse(text, "own.toml")
    with blank_case() as case:
        census = Census("a", NOW, case.hashes, described=described)
        for table, part in census.take(batch(rows, projection(described))):
            case.append(table, part)
        case.append("key_family", census.families())
        settle(case, census)
        return case.rows("SELECT * FROM session ORDER BY born_at")


def test_strings_are_read_by_the_users_patterns() -> None:
    ms = int((BORN - datetime(1970, 1, 1)).total_seconds() * 1000)  # noqa: DTZ001 -- the same
    value = f'{{"sid":1,"createdAt":{ms},"lastSeen":"2026-03-01T11:30:00.123Z","userId":"7"}}'.encode()
    anonymous = value.replace(b'"7"', b"null")
    rows = [
        key(f"shop:sid:{id_}", ttl_s=41_400, head=one, elements=len(one))
        for id_, one in (("ab" * 16, value), ("cd" * 16, anonymous), ("no-hex-at-all-in-this-id", value))
    ]
    first, second = found(TEXT, *rows)
    assert (first["layout"], first["namespace"], first["born_at"], first["born_provenance"]) == (
        "shop", "shop:sid", BORN, "explicit",
    )  # fmt: skip
    assert first["last_seen_at"] == BORN + timedelta(minutes=30)
    assert first["lifetime_s"] == 43_200
    assert {first["authentication"], second["authentication"]} == {"yes", "no"}


def test_hashes_are_read_by_the_users_fields() -> None:
    ms = int((BORN - datetime(1970, 1, 1)).total_seconds() * 1000)  # noqa: DTZ001 -- the same
    fields = {"created": str(ms).encode(), "ttl": b"3600", "user_id": b"7"}
    rows = [
        key("a:session:0123456789abcdef0123", "hash", fields=fields, ttl_s=600),
        key("b:session:x", "hash", fields=fields),
    ]
    (row,) = found(TEXT, *rows)
    assert (row["layout"], row["namespace"], row["born_at"], row["lifetime_s"]) == ("old-shop", "a:session", BORN, 3600)
    assert row["last_seen_at"] == NOW.replace(tzinfo=None) - timedelta(seconds=3000)
    assert row["authentication"] == "yes"


def test_without_a_lifetime_it_is_inferred() -> None:
    rows = [key(f"x:{number:032x}", ttl_s=1800 - number, head=b"{}", elements=2) for number in range(30)]
    told = found('[[layout]]\nname = "own"\nkey = "x:{id}"\n', *rows)
    assert {(row["layout"], row["lifetime_s"], row["born_provenance"]) for row in told} == {
        ("own", 1800, "not later than")
    }


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("nothing", 1, "not TOML"),
        ("a = 1", 1, "expected [[layout]]"),
        ('[[layout]]\nname = "Shop"', 2, "name is 'Shop'"),
        ('[[layout]]\nname = "a"\nkey = "a:{id}:b"', 3, "{id}"),
        ('[[layout]]\nname = "a"\nkey = "a:{id}"\ncolour = 1', 4, "unknown name"),
        ('[[layout]]\nname = "a"\nkey = "a:{id}"\nid = "(?=a)"', 4, "not a pattern"),
        ('[[layout]]\nname = "a"\nkey = "a:{id}"\nlifetime = "soon"', 4, "lifetime is 'soon'"),
        ('[[layout]]\nname = "a"\nkey = "a:{id}"\nborn = { pattern = "a" }', 4, "one group"),
        ('[[layout]]\nname = "a"\nkey = "a:{id}"\nborn = { pattern = "(?=a)([0-9]+)" }', 4, "not a pattern"),
        (
            '[[layout]]\nname = "a"\nkey = "a:{id}"\nborn = { pattern = "([0-9]+)", unit = "years" }',
            4,
            "unit of born is 'years'",
        ),
        ('[[layout]]\nname = "laravel"\nkey = "a:{id}"', 2, "known already"),
        ('[[layout]]\nname = "spring-own"\nkey = "a:{id}"', 2, "known already"),
        ('[[layout]]\nname = "a"\nkey = "a:{id}"\ntype = "list"', 4, "type is 'list'"),
        ('[[layout]]\nname = "a"\nkey = "a:{id}"\ntype = "hash"', 1, "names of its fields"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse(text, "own.toml")
    assert f"own.toml:{line}" in str(error.value)
    assert said in str(error.value)
    assert error.value.hint


def test_a_pattern_may_have_groups_that_capture_nothing() -> None:
    text = '[[layout]]\nname = "a"\nkey = "a:{id}"\nlifetime = "1h"\nused = { pattern = "(?:at|when)=([0-9]+)" }'
    (row,) = found(text, key("a:0123456789abcdef", ttl_s=60, head=b"when=1772362800", elements=15))
    assert row["last_seen_at"] == BORN


@pytest.mark.process
@given(values=st.lists(st.binary(max_size=60), max_size=8), names=st.lists(st.binary(max_size=60), max_size=8))
@FEW
def test_arbitrary_keys_and_values_never_raise(values: list[bytes], names: list[bytes]) -> None:
    rows = [
        key(b"shop:sid:" + name, head=value, elements=len(value)) for name, value in zip(names, values, strict=False)
    ]
    found(TEXT, *rows)

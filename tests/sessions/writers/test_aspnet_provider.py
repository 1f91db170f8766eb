"""Classic ASP.NET's provider, whose keys and values are here as its sources write them: no release of it can be run here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.keyspaces import FEW, NOW, batch, families, key, sessions, settled

ID = "0a1b2c3d4e5f0a1b2c3d4e5f"
IDS = [f"{'abcdefghijklmnopqrstuv'}{a}{b}" for a in "01234" for b in "012345"]
EMPTY = bytes(4)
TWO = b"\2\0\0\0\xff\xff\xff\xff\x04cart\x04user"


def new(name: str = ID, *, app: str = "{/shop_", end: str = "}", value: bytes = TWO, left_s: float = 1200) -> list[Any]:
    """A session of release 4 and later, while no request runs."""
    before = f"{app}{name}{end}"
    return [
        key(f"{before}_SessionStateItemCollection", head=value, elements=len(value), ttl_s=left_s),
        key(f"{before}_SessionTimeout", head=b"1200", elements=4, ttl_s=left_s),
    ]


def old(name: str = ID, *, left_s: float = 1200) -> list[Any]:
    """A session of the releases before, locked by a request."""
    before = f"{{/shop_{name}}}"
    return [
        key(f"{before}_Data", "hash", fields={"cart": b"\0\1\0\0", "user": b"\0\1\0\0"}, ttl_s=left_s),
        key(f"{before}_Internal", "hash", fields={"SessionTimeout": b"1200"}, ttl_s=left_s),
        key(f"{before}_Write_Lock", head=b"637", elements=18, ttl_s=110),
    ]


def found(*rows: Any) -> list[dict[str, Any]]:
    with settled([batch(rows)]) as case:
        return sessions(case)


@pytest.mark.parametrize(("made", "keys"), [(new(), 2), (new(app="/shop_", end=""), 2), (old(), 3)])
def test_a_session_of_either_generation_is_one_with_what_is_beside_it(made: list[Any], keys: int) -> None:
    (row,) = found(*made)
    assert (row["layout"], row["namespace"], row["keys"]) == ("aspnet-provider", "/shop", keys)
    assert (row["attributes"], row["authentication"], row["lifetime_s"]) == (2, "unknown", 1200)
    assert (row["born_provenance"], row["state"]) == ("not later than", "live")


def test_the_last_use_follows_from_the_timeout_of_its_application() -> None:
    rows = found(*(one for n, name in enumerate(IDS) for one in new(name, left_s=1199 - 30.0 * n)))
    assert [row["last_seen_at"] for row in rows] == sorted(
        NOW.replace(tzinfo=None) - timedelta(seconds=1 + 30.0 * n) for n in range(len(IDS))
    )


def test_a_session_without_items_has_none_and_another_serializer_says_nothing() -> None:
    assert [row["attributes"] for row in found(*new(value=EMPTY))] == [0]
    assert [row["attributes"] for row in found(*new(value=b'{"cart":1}'))] == [None]


def test_no_id_is_left_in_the_patterns() -> None:
    with settled([batch([*new(), *old("b" * 24)])]) as case:
        assert families(case) == {
            "{/shop_*}_SessionStateItemCollection": ("session", 1),
            "{/shop_*}_SessionTimeout": ("companion", 1),
            "{/shop_*}_Data": ("session", 1),
            "{/shop_*}_Internal": ("companion", 1),
            "{/shop_*}_Write_Lock": ("companion", 1),
        }


@pytest.mark.parametrize(
    "row",
    [
        key("{/shop_" + ID + "}_Output", head=b"x", elements=1, ttl_s=60),
        key("{/shop_" + ID.upper() + "}_Data", "hash", fields={"a": b"b"}, ttl_s=60),
        key("User_Data", "hash", fields={"a": b"b"}, ttl_s=60),
        key("{/shop_" + ID + "}_Internal", "hash", fields={"other": b"b"}, ttl_s=60),
        key("{/shop_" + ID + "}_Data", head=b"x", elements=1, ttl_s=60),
    ],
)
def test_what_only_looks_like_one_is_left_alone(row: dict[str, Any]) -> None:
    assert found(row) == []


@given(st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=12)), max_size=5))
@FEW
def test_arbitrary_bytes_never_raise(given: list[tuple[bytes, bytes]]) -> None:
    rows = [
        key(
            before + ID.encode() + b"}_SessionStateItemCollection" + before[:n],
            head=value,
            elements=len(value),
            ttl_s=9,
        )
        for n, (before, value) in enumerate(given)
    ]
    assert len(found(*rows)) <= len(rows)

"""What is taken for a session of one of the writers of strings and hashes, and what is not."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.evidence.rdb.reader import open_dump
from necropsy.sessions.registry import projection
from necropsy.sessions.writers.forms import FORMS
from necropsy.sessions.writers.hash_forms import FORMS as HASHES
from sessions.keyspaces import FEW, NOW, batch, key, ms, sessions, settled

WRITERS = Path(__file__).parents[2] / "writers"
GOB = b"\r\x7f\x04\x01\x02\xff\x80\x00\x01\x10\x01\x10\x00\x00"
HEX = "0123456789abcdef"


@cache
def stored() -> list[tuple[str, bytes, bytes]]:
    """Name of each real writer, with some of its keys and their values."""
    found = []
    for path in sorted(WRITERS.glob("*/store.rdb")):
        for part in open_dump(str(path), projection()):
            pairs = zip(part["key"].to_pylist(), part["head"].to_pylist(), strict=True)
            found += [(path.parent.name, name, head) for name, head in pairs if head is not None][:3]
    return found


def found(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    with settled([batch(rows)]) as case:
        return sessions(case)


def string(name: str, value: bytes, ttl_s: float | None = 3600) -> dict[str, Any]:
    return key(name, head=value, elements=len(value), ttl_s=ttl_s)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("celery-task-meta-3fa85f64-5717-4562-b3fc-2c963f66afa6", b'{"status": "SUCCESS", "result": 7, "traceback": null}'),
        ("unacked_mutex", b"3fa85f64-5717-4562-b3fc-2c963f66afa6"),
        ("bull:mail:3fa85f64-5717-4562-b3fc-2c963f66afa6:lock", b"3fa85f64-5717-4562-b3fc-2c963f66afa6:1"),
        ("stat:processed", b"1234"),
        ("views/pages/" + HEX * 4, b'\x04\x08o: ActiveSupport::Cache::Entry\t:\x0b@valueI"\x12<p>cached</p>\x06:\x06ET'),
        ("laravel_cache:" + HEX * 2 + HEX[:8], b's:13:"<p>cached</p>";'),
        ("laravel_cache:spatie.permission.cache", b'a:2:{s:5:"alias";a:1:{s:1:"a";s:2:"id";}s:5:"roles";a:0:{}}'),
        (":1:views.decorators.cache.cache_page..GET." + HEX * 2, b"\x80\x05\x95\x07\x00\x00\x00\x00\x00\x00\x00\x8c\x03<p>\x94."),
        ("cache:products:" + HEX * 2, b'a:2:{s:2:"id";i:7;s:4:"name";s:3:"hat";}'),
        ("cache:etag:" + HEX * 4, b'{"status":200,"body":"ok"}'),
        ("lock:" + HEX * 2, b""),
        ("ratelimit:10.0.0.1", b"7"),
        ("jwt:blocked:3fa85f64-5717-4562-b3fc-2c963f66afa6", b"{}"),
        ("nonce:" + HEX * 2, b"1"),
        ("idempotency:3fa85f64-5717-4562-b3fc-2c963f66afa6", b'{"created": 1772366400, "status": 201}'),
    ],
)  # fmt: skip
def test_caches_queues_and_locks_are_no_sessions(name: str, value: bytes) -> None:
    assert found(string(name, value)) == []


def test_what_laravels_horizon_keeps_is_no_session() -> None:
    # By its source alone (laravel/horizon Repositories/Redis*Repository.php): it is in no registry that is reached here.
    job = {
        "id": b"3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "status": b"completed",
        "created_at": b"1772366400.1",
        "payload": b"{}",
    }
    rows = [
        key("laravel_horizon:3fa85f64-5717-4562-b3fc-2c963f66afa6", "hash", fields=job, ttl_s=3600),
        key("laravel_horizon:master:host-ab12", "hash", fields={"name": b"host-ab12", "supervisors": b"[]"}, ttl_s=15),
        string("laravel_horizon:monitor:time-to-clear", b"1"),
        string("laravel_horizon:last_snapshot_at", b"1772366400"),
    ]
    assert found(*rows) == []


@pytest.mark.parametrize(
    ("name", "value", "layout", "authentication"),
    [
        ("_oauth2_proxy-" + HEX * 2, bytes(range(7, 90)), "oauth2-proxy", "yes"),
        ("authelia-session:abcdefghij!#$%^*0123456789-_ABCD", bytes(range(7, 90)), "authelia", "unknown"),
        ("session:gitlab:2::" + HEX * 4, b'\x04\x08{\x06I"\x19warden.user.user.key\x06:\x06ET[\x07[\x06i\x06', "rails", "yes"),
        ("_session_id:2::" + HEX * 4, b"\x00\x11\x01" + bytes(8) + b"\x04\x08{\x00", "rails-cache", "unknown"),
        (HEX * 2, GOB + b"\x1c\xff\x80\x00\x01\x06string\x0c\t\x00\x07user_id\x03int\x04\x02\x00\x0e", "beego", "yes"),
        (HEX, GOB + b"\x04\xff\x80\x00\x00", "gitea", "no"),
        ("session:" + "A2" * 51 + "B", b"\r\x7f\x04\x01\x02\xff\x80\x00\x01\x10\x01\x10\x00\x00\x04\xff\x80\x00\x00", "redistore", "no"),
        (
            "better:" + "aB3" * 10 + "x9",
            b'{"session":{"id":"1","createdAt":"2026-03-01T11:00:00.000Z","userId":"7"},"user":{"id":"7"}}',
            "better-auth", "yes",
        ),
    ],
)  # fmt: skip
def test_products_are_known_by_their_source(name: str, value: bytes, layout: str, authentication: str) -> None:
    (row,) = found(string(name, value))
    assert (row["layout"], row["authentication"]) == (layout, authentication)


def test_a_session_of_aspnet_core_is_known_by_its_data_and_other_entries_of_the_cache_are_not() -> None:
    fields = {"absexp": b"-1", "sldexp": b"12000000000", "data": b"\x02\x00\x00\x01" + bytes(16)}
    name = "shop3fa85f64-5717-4562-b3fc-2c963f66afa6"
    (row,) = found(
        key(name, "hash", fields=fields, ttl_s=600),
        key("prices", "hash", fields={**fields, "data": b'{"a":1}'}, ttl_s=600),
    )
    assert (row["layout"], row["namespace"], row["lifetime_s"], row["authentication"]) == (
        "aspnet",
        "shop",
        1200,
        "unknown",
    )
    assert (row["last_seen_at"] - NOW.replace(tzinfo=None)).total_seconds() == -600


def test_micronaut_says_everything_in_decimal_digits() -> None:
    fields = {"Creation-Time": str(ms(NOW) - 60_000).encode(), "Max-Inactive-Interval": b"1800"}
    (row,) = found(key("micronaut:session:sessions:0123456789abcdef", "hash", fields=fields, ttl_s=1800 + 300 - 5))
    assert (row["layout"], row["lifetime_s"], row["born_provenance"], row["authentication"]) == (
        "micronaut",
        1800,
        "explicit",
        "no",
    )
    assert (NOW.replace(tzinfo=None) - row["born_at"]).total_seconds() == 60
    assert (NOW.replace(tzinfo=None) - row["last_seen_at"]).total_seconds() == 5


def test_a_session_of_magento_is_a_hash_with_a_counter_of_its_writes() -> None:
    fields = {"data": b"frontend|a:0:{}", "lock": b"0", "writes": b"1", "req": b"GET shop/"}
    (row,) = found(key("sess_0123456789abcdefghijklmnop", "hash", fields=fields, ttl_s=600))
    assert (row["layout"], row["namespace"]) == ("magento", "sess")


@pytest.mark.process
@given(data=st.data())
@FEW
def test_damaged_values_of_real_writers_never_raise(data: st.DataObject) -> None:
    rows = []
    for _, name, value in data.draw(st.lists(st.sampled_from(stored()), min_size=1, max_size=12)):
        place = data.draw(st.integers(0, max(len(value) - 1, 0)))
        noise = data.draw(st.binary(max_size=6))
        kept = value[:place] + noise + value[place + data.draw(st.integers(0, 6)) :]
        rows.append(key(name, head=kept[: data.draw(st.integers(0, len(kept)))], elements=len(kept), ttl_s=60))
    found(*rows)


@given(
    start=st.sampled_from([form.first[:1] for form in FORMS]),
    values=st.lists(st.binary(max_size=80), max_size=10),
    names=st.lists(st.binary(max_size=80), max_size=10),
)
@FEW
def test_arbitrary_keys_and_values_never_raise(start: bytes, values: list[bytes], names: list[bytes]) -> None:
    found(*(key(name, head=start + value, elements=len(value) + 1) for name, value in zip(names, values, strict=False)))


@pytest.mark.process
@given(values=st.lists(st.binary(max_size=12), max_size=8))
@FEW
def test_arbitrary_fields_never_raise(values: list[bytes]) -> None:
    names = sorted({name.decode() for form in HASHES for name in form.fields})
    rows = []
    for number, value in enumerate(values):
        fields = {name: value for place, name in enumerate(names) if (number >> (place % 4)) & 1 == 0}
        rows.append(key(f"a:tomcat_session:{number:032x}", "hash", fields=fields, ttl_s=60))
    found(*rows)


@pytest.mark.process
def test_a_shape_is_known_under_any_prefix() -> None:
    shown = set()
    for writer, name, value in stored():
        if writer in shown or not found(key(name, head=value, elements=len(value), ttl_s=60)):
            continue
        shown.add(writer)
        rows = found(key(b"tenant7:" + name, head=value, elements=len(value), ttl_s=60))
        assert rows, name
        if writer != "starsessions_shop":  # an id in the middle of its key: all of it is taken for the id
            assert rows[0]["namespace"].startswith("tenant7")

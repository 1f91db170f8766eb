"""Sessions as their real writers keep them: dumps that ``tests/writers`` recorded, beside what really happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from necropsy.case.identity import hash_identifier
from necropsy.case.store import Case
from necropsy.examine.case_queries import unknown_layout
from necropsy.sessions.writers.described import parse
from sessions.keyspaces import of_dump, sessions

pytestmark = pytest.mark.process

WRITERS = Path(__file__).parents[2] / "writers"
UNTOLD = ("fastapi_users_shop", "hapi_shop", "sanic_session_prefix")
"""Applications whose keys and values could be anything, as the page of their layout says: they are described by hand."""
DESCRIPTIONS = {
    "sanic_session_prefix": """
[[layout]]
name = "own"
type = "string"
key = "app{id}"
id = "[0-9a-f]{32}"
begins = '{"'
lifetime = "2h"
user = '"user":'
""",
    "fastapi_users_shop": """
[[layout]]
name = "own"
type = "string"
key = "shop:tok:{id}"
begins = ""
lifetime = "1h"
user = "[0-9]"
""",
    "hapi_shop": """
[[layout]]
name = "own"
type = "string"
key = "web-1:visits:{id}"
begins = '{"item":{'
used = { pattern = '"stored":([0-9]+)', unit = "ms" }
lifetime = { pattern = '"ttl":([0-9]+)', unit = "ms" }
user = '"member":'
""",
}
RECORDED = sorted(path.parent.name for path in WRITERS.glob("*/facts.json"))
CACHES = [name for name in RECORDED if name.startswith("caches_")]
NAMES = [name for name in RECORDED if name not in {*CACHES, *UNTOLD}]
ENDED = frozenset({"spring_default", "spring_indexed_forever", "spring_indexed_ends"})
"""Applications whose logout ends the session: an indexed repository keeps its hash for five minutes, and it is over."""
_NOT_TOLD = """
laravel_encrypted redisson_tomcat django_shop_zlib
django_shop_every flask_shop aiohttp_shop koa_generic_shop fastify_shop fastify_shop_all litestar_shop
php_shop php_shop_igbinary symfony_shop symfony_shop_igbinary laravel_shop go_shop go_fiber_shop go_fiber_shop_absolute go_scs_shop
magento_handler magento_handler_compressed micronaut_session_shop starsessions_shop sanic_shop go_gin_shop go_beego_shop
go_chi_shop go_rbcervilla_shop
actix_shop_own plug_redbird_own authelia authelia_day gitlab
"""
NOT_TOLD = frozenset(_NOT_TOLD.split())
"""Writers whose bytes do not tell who is logged in, and applications that have a name of their own for it."""


@dataclass(frozen=True)
class Store:
    case: Case
    facts: dict[str, Any]

    def pairs(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Each session that was made, and the row that became of it: found by its id, which ends the key."""
        rows = {row["id_hash"]: row for row in sessions(self.case)}
        assert self.case._key is not None
        for fact in self.facts["sessions"]:
            key = fact["key"].encode("latin-1")
            hashes = (hash_identifier(self.case._key, key[start:]) for start in range(len(key)))
            yield fact, next((rows[one] for one in hashes if one in rows), {})


@pytest.fixture(scope="module", params=NAMES)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with of_dump("store", folder=WRITERS / request.param) as case:
        yield Store(case, json.loads((WRITERS / request.param / "facts.json").read_text()))


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)


def test_every_session_is_found_and_nothing_else(store: Store) -> None:
    found = [(fact["visit"], row.get("layout")) for fact, row in store.pairs()]
    assert {layout for _, layout in found} == {store.facts["layout"]}, found
    assert len(sessions(store.case)) == len(store.facts["sessions"])
    others = store.case.value("SELECT coalesce(sum(keys), 0) FROM key_family WHERE role = 'other'")
    assert others <= len(store.facts["others"]) + len(store.facts["companions"])


@pytest.mark.parametrize("name", CACHES)
def test_caches_and_queues_of_the_same_frameworks_are_no_sessions(name: str) -> None:
    facts = json.loads((WRITERS / name / "facts.json").read_text())
    with of_dump("store", folder=WRITERS / name) as case:
        assert sessions(case) == []
        assert case.value("SELECT sum(keys) FROM key_family WHERE role = 'other'") == len(facts["others"]) >= 60


@pytest.mark.parametrize("name", UNTOLD)
def test_what_the_bytes_do_not_tell_is_possibly_sessions_until_it_is_described(name: str) -> None:
    facts = json.loads((WRITERS / name / "facts.json").read_text())
    with of_dump("store", folder=WRITERS / name) as case:
        assert sessions(case) == []
        assert "of an unknown layout" in unknown_layout(case, "a", len(facts["sessions"]))
    with of_dump("store", folder=WRITERS / name, described=parse(DESCRIPTIONS[name], "own.toml")) as case:
        assert {(row["layout"], row["lifetime_s"]) for row in sessions(case)} == {("own", facts["lifetime_s"])}
        assert len(sessions(case)) == len(facts["sessions"])


def test_births_are_right_within_what_is_said_of_them(store: Store) -> None:
    for fact, row in store.pairs():
        began, ended = (at(moment) for moment in fact["born"])
        if row["born_at"] is None:
            assert row["born_provenance"] == "unknown"
            continue
        early = (began - row["born_at"]).total_seconds() - row["born_precision_s"]
        late = (row["born_at"] - ended).total_seconds() - row["born_precision_s"]
        assert early <= 0.05, (fact, row)
        if row["born_provenance"] != "not later than":
            assert late <= 0.05, (fact, row)
        else:
            touched = at(fact["touched"][1])
            assert (row["born_at"] - touched).total_seconds() <= row["born_precision_s"] + 0.05, (fact, row)


def test_the_last_use_is_right_where_it_is_told(store: Store) -> None:
    for fact, row in store.pairs():
        if row["last_seen_at"] is not None:
            began = at(fact["born"][0])
            ended = at(fact["touched"][1])
            assert (row["last_seen_at"] - began).total_seconds() >= -1.05, (fact, row)
            assert (row["last_seen_at"] - ended).total_seconds() <= 1.05, (fact, row)


def test_who_is_logged_in_is_right_or_unknown(store: Store) -> None:
    told = set()
    for fact, row in store.pairs():
        right = "yes" if fact["logged_in"] else "no"
        assert row["authentication"] in {right, "unknown"}, (fact, row)
        told.add((fact["logged_in"], row["authentication"]))
    if store.facts["writer"] not in NOT_TOLD:
        assert (True, "yes") in told


def test_lifetimes_are_those_of_the_application(store: Store) -> None:
    expected = store.facts["lifetime_s"]
    if expected is not None:
        assert {row["lifetime_s"] for _, row in store.pairs()} == {expected}


def test_sessions_without_an_expiry_are_living(store: Store) -> None:
    for fact, row in store.pairs():
        over = store.facts["writer"] in ENDED and fact.get("logged_out")
        assert row["state"] == ("grace" if over else "live")
        assert over or (row["expires_at"] is None) == (fact["expires"] < 0)


def test_neither_ids_nor_principals_reach_the_case(store: Store) -> None:
    everything = "".join(str(store.case.rows(f"SELECT * FROM {table}")) for table in ("session", "key_family"))
    assert "anna" not in everything
    for fact in store.facts["sessions"]:
        assert fact["key"][-20:] not in everything


def test_a_lifetime_that_set_expiry_gave_comes_before_the_inferred_one() -> None:
    with of_dump("store", folder=WRITERS / "django_redis_set_expiry") as case:
        lifetimes = {(row["authentication"], row["lifetime_s"]) for row in sessions(case)}
    assert lifetimes == {("yes", 14 * 86_400), ("no", 86_400)}

"""Every layout that was recorded from its real writer is planned, purged and brought back as what it is."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from necropsy.evidence.rdb.reader import open_dump
from necropsy.evidence.redis.options import LiveOptions
from necropsy.sessions.keyspace import Projection
from necropsy.treat.lifetimes.cap import GivenBack
from necropsy.treatment import capping
from necropsy.wire.redis.address import parse_address
from servers import running
from sessions.writers.test_recorded import UNTOLD
from treat.purge.population import apply, make_plan, same, state, undo
from writers.registry import WRITERS as WRITERS_KNOWN

pytestmark = pytest.mark.integration

WRITERS = Path(__file__).parents[2] / "writers"
ALL = {path.parent.name: json.loads(path.read_text()) for path in sorted(WRITERS.glob("*/facts.json"))}
FACTS = {name: facts for name, facts in ALL.items() if facts["sessions"] and name not in UNTOLD}
"""Of writers that write sessions which are known: some write caches alone."""
SERVERS = ("redis-8.2", "valkey-9")
CASES = [(name, SERVERS[number % 2]) for number, name in enumerate(FACTS)]
"""Every store that was recorded; the servers take turns."""
DATABASES = {writer.name: writer.db for writer in WRITERS_KNOWN}
_AGO_S = 10
_SNAPSHOTS = ("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0")
_OPAQUE = frozenset({"redisson_tomcat", "laravel_encrypted", "django_shop_zlib", "authelia", "authelia_day"})
"""Writers whose bytes do not tell who is logged in."""
_ALL_STAY = frozenset(
    {
        "msm_non_sticky",
        "redisson_shop",
        "redisson_shop_jdk",
        "redisson_shop_json",
        "shiro_shop_kept",
        "spring_indexed_forever",
        "vertx_shop_lazy",
        "auth_js",
        "auth_js_shop",
        "better_auth",
        "better_auth_prefix",
        "better_auth_shop",
        "fastapi_users",
        "go_gin_shop",
        "magento_handler",
        "magento_handler_compressed",
        "oauth2_proxy",
        "oauth2_proxy_cookie",
        "tower_sessions",
    }
)
"""Writers of whose sessions each is logged in, or may be, or is gone within minutes."""


def _as_if_taken_just_now(name: str, folder: Path) -> dict[str, Any]:
    """Write the writer's dump with its expiries moved to today; return what is known of its sessions."""
    facts: dict[str, Any] = FACTS[name]
    data = (WRITERS / name / "store.rdb").read_bytes()
    moved = int((time.time() - _AGO_S) * 1000) - int(facts["taken"])
    batches = open_dump(str(WRITERS / name / "store.rdb"), Projection())
    every = {ends for batch in batches for ends in batch["expires_at"].cast("int64").drop_null().to_pylist()}
    for ends in every:  # of companions too
        data = data.replace(b"\xfc" + ends.to_bytes(8, "little"), b"\xfc" + (ends + moved).to_bytes(8, "little"))
    (folder / "store.rdb").write_bytes(data[:-8] + bytes(8))  # a checksum of zero is not checked
    return facts


@pytest.mark.parametrize(("name", "server"), CASES)
def test_a_recorded_store_is_purged_and_capped_and_comes_back(name: str, server: str, tmp_path: Path) -> None:
    facts = _as_if_taken_just_now(name, tmp_path)
    known = {fact["key"].encode("latin-1"): fact for fact in facts["sessions"]}
    options = ("--dir", str(tmp_path), "--dbfilename", "store.rdb", *_SNAPSHOTS)
    with running(server, *options, tcp=True) as started:
        database = DATABASES[name]
        client = started.client(database)
        url = f"redis://127.0.0.1:{started.port}/{database}"
        before = state(client)
        assert known.keys() & before.keys()
        for by in ("dump", "snapshot"):
            # Nobody is in use any more: who is logged in stays all the same.
            plan, path = make_plan(url, tmp_path, idle_s=0, unknown_is_anonymous=name in _OPAQUE)
            assert plan.sessions + sum(plan.kept.values()) == plan.total
            done = apply(path, tmp_path / by, by=by)
            assert (done.deleted, done.kept.total()) == (plan.sessions, 0)
            assert done.remarks == [], "the server tells what is touched, whatever the keys begin with"
            assert (done.deleted > 0) == (name not in _ALL_STAY)
            gone = before.keys() - state(client).keys()
            if name not in _OPAQUE:
                assert not [key for key in gone if key in known and known[key]["logged_in"]]
            undo(tmp_path / by)
            assert same(before, state(client)) == []
        capped = capping.cap(parse_address(url), 60, LiveOptions(), journal=tmp_path / "capped")
        assert capped.capped == capped.too_long.total()
        assert state(client).keys() == before.keys()
        assert capping.undo(tmp_path / "capped", redis=None) == GivenBack(capped.capped)
        assert same(before, state(client)) == []

"""Every layout that was recorded from its real writer is planned, purged and brought back as what it is."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from servers import running
from treat.purge.population import apply, make_plan, same, state, undo

pytestmark = pytest.mark.integration

WRITERS = Path(__file__).parents[2] / "writers"
ALL = {path.parent.name: json.loads(path.read_text()) for path in sorted(WRITERS.glob("*/facts.json"))}
FACTS = {name: facts for name, facts in ALL.items() if facts["sessions"]}
"""Of writers that write sessions: some write caches alone."""
NAMES = sorted({facts["layout"]: name for name, facts in reversed(FACTS.items())}.values())
"""One writer of each layout."""
_AGO_S = 10
_OPAQUE = frozenset({"redisson_tomcat"})
"""Writers whose bytes do not tell who is logged in."""
_ALL_STAY = frozenset({"auth_js", "better_auth", "fastapi_users", "magento_handler", "oauth2_proxy", "tower_sessions"})
"""Writers of whose sessions each is logged in, or may be."""


def _as_if_taken_just_now(name: str, folder: Path) -> dict[str, Any]:
    """Write the writer's dump with its expiries moved to today; return what is known of its sessions."""
    facts: dict[str, Any] = FACTS[name]
    data = (WRITERS / name / "store.rdb").read_bytes()
    moved = int((time.time() - _AGO_S) * 1000) - int(facts["taken"])
    for ends in {fact["expires"] for fact in facts["sessions"] if fact["expires"] > 0}:
        data = data.replace(b"\xfc" + ends.to_bytes(8, "little"), b"\xfc" + (ends + moved).to_bytes(8, "little"))
    (folder / "store.rdb").write_bytes(data[:-8] + bytes(8))  # a checksum of zero is not checked
    return facts


@pytest.mark.parametrize("name", NAMES)
def test_a_layout_is_purged_and_comes_back(name: str, tmp_path: Path) -> None:
    facts = _as_if_taken_just_now(name, tmp_path)
    with running("redis-8.2", "--dir", str(tmp_path), "--dbfilename", "store.rdb", tcp=True) as server:
        client = server.client()
        before = state(client)
        known = {fact["key"].encode("latin-1"): fact for fact in facts["sessions"]}
        assert known.keys() & before.keys()
        time.sleep(2.1)  # for who does not say when it was used, the server's idle time speaks
        plan, path = make_plan(server.url, tmp_path, idle_s=1, unknown_is_anonymous=name in _OPAQUE)
        assert plan.sessions + sum(plan.kept.values()) == plan.total
        done = apply(path, tmp_path / "journal")
        assert (done.deleted, done.kept.total()) == (plan.sessions, 0)
        assert done.remarks == [], "the server tells what is touched, whatever the keys begin with"
        assert (done.deleted > 0) == (name not in _ALL_STAY)
        gone = before.keys() - state(client).keys()
        if name not in _OPAQUE:
            assert not [key for key in gone if key in known and known[key]["logged_in"]]
        undo(tmp_path / "journal")
        assert same(before, state(client)) == []

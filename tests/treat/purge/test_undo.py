"""What servers answer to a RESTORE, and what an undo makes of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import redis

from necropsy.treat.purge.frames import JournalError
from necropsy.treat.purge.journal import Journal, JournalRecord
from necropsy.treat.purge.stores import WritableStore
from necropsy.treat.purge.undo import EXPIRED, RESTORED
from necropsy.treatment import purging
from servers import Server, running
from treat.purge.population import apply, make_plan, spring, undo
from waiting import wait_until

pytestmark = pytest.mark.integration


def _journalled(server: Server, folder: Path, *records: JournalRecord) -> Path:
    """Write a journal of sessions that were deleted."""
    address = purging.parse_address(server.url)
    store = WritableStore(address)
    journal = Journal.create(folder, {"address": address.masked, "db": 0, "identities": sorted(store.identities)})
    number = journal.sessions(0, int(time.time() * 1000), records)
    journal.outcome(number, [(0, -2, 0)] * len(records))
    journal.close()
    store.close()
    return folder


@pytest.mark.parametrize("name", ["redis-8.2", "valkey-9"])
def test_a_hash_whose_fields_have_all_expired_comes_back_as_nothing(name: str, tmp_path: Path) -> None:
    with running(name) as server:
        client = server.client()
        client.hset("passing", mapping={"a": 1, "b": 2})
        client.hset("lasting", mapping={"a": 1, "b": 2})
        client.execute_command("HPEXPIRE", "passing", 200, "FIELDS", 2, "a", "b")
        client.execute_command("HPEXPIRE", "lasting", 600_000, "FIELDS", 1, "a")
        records = [JournalRecord(key.encode(), client.dump(key), -1, 0) for key in ("passing", "lasting")]
        client.delete("lasting")
        wait_until(lambda: not client.exists("passing"), "its fields have expired")
        undo(_journalled(server, tmp_path / "journal", *records))
        assert client.hgetall("lasting") == {b"a": b"1", b"b": b"2"}
        assert client.hgetall("passing") == {}


def test_what_is_over_is_not_asked_to_be_restored_and_deletes_nothing_newer(tmp_path: Path) -> None:
    with running("redis-7.0") as server:
        client = server.client()
        client.set("session", "old")
        payload = client.dump("session")
        client.set("session", "newer")
        over = JournalRecord(b"session", payload, int(time.time() * 1000) - 1000, 0)
        found = undo(_journalled(server, tmp_path / "journal", over))
        assert found.codes == {EXPIRED: 1}
        assert client.get("session") == b"newer"


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lfu"])
def test_restored_sessions_are_as_idle_as_they_were(policy: str, tmp_path: Path) -> None:
    with running("redis-8.2", "--maxmemory-policy", policy) as server:
        client = server.client()
        ids = spring(client, anonymous=2, recent=0, users=0)
        time.sleep(2.1)  # the server counts whole seconds
        _, path = make_plan(server.url, tmp_path)
        assert apply(path, tmp_path / "journal").deleted == 2
        assert undo(tmp_path / "journal").codes == {RESTORED: 2}
        if policy == "noeviction":
            assert client.object("IDLETIME", f"spring:session:sessions:{ids.anonymous[0]}") >= 2
        else:
            with pytest.raises(redis.ResponseError):
                client.object("IDLETIME", f"spring:session:sessions:{ids.anonymous[0]}")


def test_a_damaged_journal_is_undone_as_far_as_it_goes_in_a_store_with_a_limit(tmp_path: Path) -> None:
    with running("redis-8.2", "--maxmemory", "200mb") as server:
        client = server.client()
        spring(client, anonymous=20, recent=0, users=0)
        _, path = make_plan(server.url, tmp_path)
        assert apply(path, tmp_path / "journal").deleted == 20
        frames = tmp_path / "journal" / "journal.frames"
        whole = frames.read_bytes()
        frames.write_bytes(whole[:-300] + bytes(300))
        with pytest.raises(JournalError, match="changed or damaged"):
            undo(tmp_path / "journal")
        back = undo(tmp_path / "journal", lenient=True)
        assert back.codes[RESTORED] >= 14
        assert undo(tmp_path / "journal", lenient=True).codes[RESTORED] == back.codes[RESTORED], (
            "as nothing is written there"
        )

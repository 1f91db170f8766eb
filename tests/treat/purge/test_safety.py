"""What may never happen: somebody is logged out, something newer is overwritten, something is lost."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from necropsy.model.errors import NecropsyError
from necropsy.treat.purge import batch as batches
from necropsy.treat.purge import plan as plans
from necropsy.treat.purge import scripts
from necropsy.treat.purge.batch import Unlinker
from necropsy.treat.purge.control import Knobs
from necropsy.treat.purge.frames import JournalError
from necropsy.treat.purge.judge import CHANGED, UNKNOWN
from necropsy.treat.purge.plan import PlanError
from necropsy.treatment import purging
from servers import Server, running
from treat.purge.population import (
    CONTEXT,
    SAVED_REQUEST,
    SPRING,
    apply,
    express,
    integer,
    leave_alone,
    long,
    make_plan,
    same,
    spring,
    state,
    string,
    undo,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running("redis-8.2") as started:
        yield started


@pytest.fixture
def client(server: Server) -> redis.Redis:
    client = server.client()
    client.flushall()
    return client


def _between(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Have something happen after a session was judged and journalled, and before it is deleted."""
    delete = Unlinker.delete

    def delayed(self: Unlinker, *arguments: Any) -> Any:
        act()
        return delete(self, *arguments)

    monkeypatch.setattr(Unlinker, "delete", delayed)


CHANGES = {
    "a request": lambda key: [
        ("HSET", key, "lastAccessedTime", long(int(time.time() * 1000))),
        ("PEXPIRE", key, 86_700_000),
    ],
    "a touch of the expiry alone": lambda key: [("PEXPIRE", key, 86_700_000)],
    "a login that keeps the id": lambda key: [("HSET", key, CONTEXT, string(b"erika"))],
    "a login in the place of an attribute": lambda key: [
        ("HDEL", key, "sessionAttr:X"),
        ("HSET", key, CONTEXT, string(b"x")),
    ],
    "another type": lambda key: [("DEL", key), ("SET", key, "x")],
    "persisted": lambda key: [("PERSIST", key)],
    "the lifetime": lambda key: [("HSET", key, "maxInactiveInterval", integer(1800))],
    "an attribute that no layout looks at": lambda key: [("HSET", key, "sessionAttr:X", string(b"z" * 40))],
    "its marker alone": lambda key: [("PEXPIRE", key.replace(":sessions:", ":sessions:expires:"), 86_400_000)],
}


@pytest.mark.parametrize("change", CHANGES)
def test_who_changes_between_judgement_and_deletion_stays(
    change: str, client: redis.Redis, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = spring(client, anonymous=3, recent=0, users=0)
    _, path = make_plan(server.url, tmp_path)
    key = f"{SPRING}:sessions:{ids.anonymous[0]}"

    def act() -> None:
        for command in CHANGES[change](key):
            client.execute_command(*command)

    _between(monkeypatch, act)
    done = apply(path, tmp_path / "journal")
    assert (done.deleted, done.kept) == (2, {CHANGED: 1})
    assert client.exists(key, f"{SPRING}:sessions:expires:{ids.anonymous[0]}") == 2
    changed = state(client)
    undo(tmp_path / "journal")
    assert {key: value for key, value in state(client).items() if key in changed}[key.encode()] == changed[key.encode()]


def test_a_string_that_was_touched_or_rewritten_stays(
    client: redis.Redis, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = express(client, anonymous=4, recent=0, users=0)
    _, path = make_plan(server.url, tmp_path)

    def act() -> None:
        client.pexpire(f"sess:{ids.anonymous[0]}", 86_400_000)
        value = client.get(f"sess:{ids.anonymous[1]}")
        client.set(f"sess:{ids.anonymous[1]}", value.replace(b'"path":"/"', b'"path":"?"'), keepttl=True)

    _between(monkeypatch, act)
    done = apply(path, tmp_path / "journal")
    assert (done.deleted, done.kept) == (2, {CHANGED: 2})


_ACTIONS = st.sampled_from(["use", "login", "logout", "expire", "nothing", "nothing", "nothing"])


@settings(max_examples=25)
@given(actions=st.lists(_ACTIONS, min_size=12, max_size=12), late=st.booleans())
def test_nobody_in_use_or_logged_in_goes_and_plan_and_kept_are_all(
    server: Server, actions: list[str], late: bool
) -> None:
    """Whatever users do between the plan and the deletion."""
    import tempfile

    client = server.client()
    client.flushall()
    folder = Path(tempfile.mkdtemp())
    monkeypatch = pytest.MonkeyPatch()
    try:
        ids = spring(client, anonymous=12, recent=2, users=2)
        plan, path = make_plan(server.url, folder)
        assert plan.sessions + sum(plan.kept.values()) == plan.total == 16
        act = _once(lambda: _live(client, dict(zip(ids.anonymous, actions, strict=True))))
        if late:
            _between(monkeypatch, act)
        else:
            act()
        done = apply(path, folder / "journal", knobs=Knobs(batch=100))
        assert done.deleted + done.kept.total() == plan.sessions
        time.sleep(0.02)  # what expires in a millisecond may do so after the purge has ended
        there = {identifier: client.exists(f"{SPRING}:sessions:{identifier}") == 1 for identifier in ids.anonymous}
        assert [there[i] for i in ids.anonymous] == [action in {"use", "login"} for action in actions]
        for identifier in (*ids.recent, *ids.users):
            assert client.exists(f"{SPRING}:sessions:{identifier}") == 1
        undo(folder / "journal")
        there = {identifier: client.exists(f"{SPRING}:sessions:{identifier}") == 1 for identifier in ids.anonymous}
        assert [there[i] for i in ids.anonymous] == [action not in {"logout", "expire"} for action in actions]
    finally:
        monkeypatch.undo()
        shutil.rmtree(folder)


def _once(act: Any) -> Any:
    calls: list[None] = []

    def once() -> None:
        if not calls:
            calls.append(act())

    return once


def _live(client: redis.Redis, actions: dict[str, str]) -> None:
    """Have users do something."""
    for identifier, action in actions.items():
        key = f"{SPRING}:sessions:{identifier}"
        if action == "use":
            client.hset(key, "lastAccessedTime", long(int(time.time() * 1000)))
            client.pexpire(key, 86_700_000)
        elif action == "login":
            client.hset(key, CONTEXT, string(b"erika"))
        elif action == "logout":
            client.delete(key, f"{SPRING}:sessions:expires:{identifier}")
        elif action == "expire":
            client.pexpire(key, 1)


def test_without_spring_security_whoever_got_an_attribute_since_the_plan_may_be_logged_in(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    ids = spring(client, anonymous=4, recent=0, users=0)
    for identifier in ids.anonymous:
        client.hdel(f"{SPRING}:sessions:{identifier}", SAVED_REQUEST, "sessionAttr:X")
    plan, path = make_plan(server.url, tmp_path)
    assert plan.sessions == 4
    client.hset(f"{SPRING}:sessions:{ids.anonymous[0]}", "sessionAttr:member", string(b"anna"))
    done = apply(path, tmp_path / "journal")
    assert (done.deleted, done.kept) == (3, {UNKNOWN: 1})
    assert client.exists(f"{SPRING}:sessions:{ids.anonymous[0]}")


def test_a_second_undo_brings_nobody_back_who_has_logged_out_since(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    ids = spring(client, anonymous=3, recent=0, users=0)
    _, path = make_plan(server.url, tmp_path)
    apply(path, tmp_path / "journal")
    assert undo(tmp_path / "journal").codes[1] == 3
    client.delete(f"{SPRING}:sessions:{ids.anonymous[0]}")
    assert undo(tmp_path / "journal").sessions == 0
    assert client.exists(f"{SPRING}:sessions:{ids.anonymous[0]}") == 0


def test_an_undo_skips_what_expired_and_what_is_there(client: redis.Redis, server: Server, tmp_path: Path) -> None:
    ids = spring(client, anonymous=3, recent=0, users=0)
    key = f"{SPRING}:sessions:{ids.anonymous[0]}"
    client.pexpire(key, 600_000)
    _, path = make_plan(server.url, tmp_path)
    apply(path, tmp_path / "journal")
    client.hset(f"{SPRING}:sessions:{ids.anonymous[1]}", "newer", "1")
    back = undo(tmp_path / "journal")
    assert back.codes[1] == 2
    assert back.codes[2] == 1
    assert client.hgetall(f"{SPRING}:sessions:{ids.anonymous[1]}") == {b"newer": b"1"}


def test_half_sessions_are_deleted_and_come_back_as_halves(client: redis.Redis, server: Server, tmp_path: Path) -> None:
    ids = spring(client, anonymous=4, recent=0, users=0)
    client.delete(f"{SPRING}:sessions:expires:{ids.anonymous[0]}", f"{SPRING}:sessions:{ids.anonymous[1]}")
    before = state(client)
    plan, path = make_plan(server.url, tmp_path)
    assert plan.sessions == 3
    assert dict(plan.halves) == {"hash without marker": 1}
    done = apply(path, tmp_path / "journal")
    assert (done.deleted, done.halves) == (3, 1)
    assert client.exists(f"{SPRING}:sessions:expires:{ids.anonymous[1]}") == 1, "a marker alone leaves by itself"
    undo(tmp_path / "journal")
    assert same(before, state(client)) == []


def test_a_plan_that_was_edited_or_is_for_another_store_or_old_is_refused(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    spring(client, anonymous=3, recent=0, users=0)
    _, path = make_plan(server.url, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"idle_s": 3600', b'"idle_s": 3601'))
    with pytest.raises(PlanError, match="changed since it was made"):
        apply(path, tmp_path / "journal")
    path.write_bytes(whole[:-9])
    with pytest.raises(PlanError, match="changed since it was made"):
        apply(path, tmp_path / "journal")
    path.write_bytes(whole)
    assert path.stat().st_mode & 0o077 == 0
    with running("redis-8.2") as other, pytest.raises(NecropsyError, match="not the store"):
        apply(path, tmp_path / "journal", redis=purging.parse_address(other.url))
    head, _, rest = whole.partition(b"\n")
    newer = json.loads(head) | {"version": 99}
    path.write_bytes(json.dumps(newer).encode() + b"\n" + rest)
    with pytest.raises(PlanError, match="newer necropsy"):
        apply(path, tmp_path / "journal")
    path.write_bytes(whole)
    with pytest.raises(PlanError, match="too old"):
        plans.load(path, datetime.now(UTC) + timedelta(hours=25))
    assert client.dbsize() > 3


def test_a_journal_is_not_restored_to_another_store_unless_that_is_said(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    spring(client, anonymous=3, recent=0, users=0)
    _, path = make_plan(server.url, tmp_path)
    apply(path, tmp_path / "journal")
    with running("redis-8.2") as other:
        with pytest.raises(NecropsyError, match="not the store") as refused:
            undo(tmp_path / "journal", redis=purging.parse_address(other.url))
        assert "--other-store" in str(refused.value.hint)
        assert other.client().dbsize() == 0
    assert undo(tmp_path / "journal").codes[1] == 3


def test_a_journal_that_was_cut_or_changed_is_refused_and_a_torn_end_is_not(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    spring(client, anonymous=20, recent=0, users=0)
    before = state(client)
    _, path = make_plan(server.url, tmp_path)
    journal = tmp_path / "journal"
    apply(path, journal)
    assert journal.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in journal.iterdir()} == {0o600}
    frames = journal / "journal.frames"
    whole = frames.read_bytes()
    frames.write_bytes(whole[:-40])
    with pytest.raises(JournalError, match="truncated"):
        undo(journal)
    frames.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    with pytest.raises(JournalError, match="changed or damaged"):
        undo(journal)
    frames.write_bytes(whole + b"NPJ1\x01\xff\x00\x00\x00torn")
    undo(journal)
    assert same(before, state(client)) == []
    assert undo(journal).line() == "undo: nothing to restore; 20 were restored before"


_DAMAGES: dict[str, Any] = {
    "another store": lambda said: said.update(identities=["f" * 40], address="redis://127.0.0.1:1/0"),
    "no key": lambda said: said.pop("key"),
    "no seal": lambda said: said.pop("seal"),
    "a key that is none": lambda said: said.update(key="zz"),
    "as if it were an older one": lambda said: (said.update(version=1), said.pop("seal")),
}


@pytest.mark.parametrize("damage", _DAMAGES)
def test_what_a_journal_says_of_its_store_cannot_be_changed(
    damage: str, client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    spring(client, anonymous=20, recent=0, users=0)
    _, path = make_plan(server.url, tmp_path)
    journal = tmp_path / "journal"
    apply(path, journal)
    said = json.loads((journal / "journal.json").read_text())
    _DAMAGES[damage](said)
    (journal / "journal.json").write_text(json.dumps(said))
    left = client.dbsize()
    with pytest.raises(JournalError, match="changed or damaged") as refused:
        undo(journal, redis=purging.parse_address(server.url), other_store=True)
    assert "Copy it again" in str(refused.value.hint)
    assert client.dbsize() == left


def test_a_full_disk_stops_before_anything_is_deleted_and_it_goes_on(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    spring(client, anonymous=20, recent=0, users=0)
    before = state(client)
    _, path = make_plan(server.url, tmp_path)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, usual[1]))
    try:
        with pytest.raises(JournalError, match="File too large; nothing of this batch was changed"):
            apply(path, tmp_path / "journal", knobs=Knobs(batch=5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert 20 < len(client.keys(f"{SPRING}:sessions:*")) < 40
    done = apply(path, tmp_path / "journal", knobs=Knobs(batch=5))
    assert done.deleted_before + done.deleted == 20
    undo(tmp_path / "journal")
    assert same(before, state(client)) == []


@pytest.mark.parametrize("build", ["valkey-9", "redis-7.0", "redis-6.2"])
def test_a_full_store_is_purged_and_an_undo_says_how_much_room_it_needs(tmp_path: Path, build: str) -> None:
    """Redis queues no command of a transaction when it is full, Valkey does."""
    with running(build, "--maxmemory-policy", "noeviction") as server:
        client = server.client()
        spring(client, anonymous=300, recent=5, users=5)
        client.set("filler", "x" * 3_000_000)
        _, path = make_plan(server.url, tmp_path)
        # Below the filler alone: what the plan took for a while, buffers of its snapshot, may be given back by now.
        client.config_set("maxmemory", 2_500_000)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            client.set("more", "x")
        done = apply(path, tmp_path / "journal")
        assert done.deleted == 300
        assert "the store is full" in done.remarks[0]
        client.config_set("maxmemory", client.info("memory")["used_memory"])
        with pytest.raises(NecropsyError, match="an undo needs about"):
            undo(tmp_path / "journal")
        client.config_set("maxmemory", 0)
        assert undo(tmp_path / "journal").codes[1] == 300


def test_a_replica_is_refused(tmp_path: Path) -> None:
    from wire.redis.nodes import replica_of

    with (
        running("redis-7.0", tcp=True) as server,
        replica_of(server, "redis-7.0") as replica,
        pytest.raises(NecropsyError, match=r"is a replica of 127\.0\.0\.1"),
    ):
        make_plan(replica.url, tmp_path)


def test_a_journal_of_one_server_is_undone_on_another_kind(tmp_path: Path) -> None:
    with running("redis-8.2") as server, running("valkey-8") as other:
        client = server.client()
        spring(client, anonymous=10, recent=0, users=0)
        ids = express(client, anonymous=10, recent=0, users=0)
        before = state(client)
        leave_alone(client, ids.unused)
        _, path = make_plan(server.url, tmp_path)
        apply(path, tmp_path / "journal")
        with pytest.raises(NecropsyError, match="not the store"):
            undo(tmp_path / "journal", redis=purging.parse_address(other.url))
        back = undo(tmp_path / "journal", redis=purging.parse_address(other.url), other_store=True)
        assert back.codes[1] == back.rewritten == 20
        assert same(before, state(other.client())) == []


def test_an_encrypted_journal_holds_no_id_in_clear_and_needs_its_key(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    ids = spring(client, anonymous=5, recent=0, users=0)
    before = state(client)
    _, path = make_plan(server.url, tmp_path)
    key = tmp_path / "key"
    key.write_text("ab" * 32)
    apply(path, tmp_path / "journal", journal_key=key)
    assert ids.anonymous[0].encode() not in (tmp_path / "journal" / "journal.frames").read_bytes()
    with pytest.raises(JournalError, match="encrypted"):
        undo(tmp_path / "journal")
    undo(tmp_path / "journal", journal_key=key)
    assert same(before, state(client)) == []
    assert purging.shred(tmp_path / "journal") > 0
    assert not (tmp_path / "journal").exists()


_KILLED = """
import sys
from pathlib import Path
from necropsy.evidence.redis.options import LiveOptions
from necropsy.treat.purge.control import Knobs
from necropsy.treatment import purging
said = []
def begun(_):
    if not said:
        said.append(print("begun", flush=True))
if sys.argv[1] == "apply":
    order = purging.PurgeOrder(Path(sys.argv[2]), Path(sys.argv[3]), knobs=Knobs(batch=20, rate=float(sys.argv[4])))
    purging.apply_plan(order, LiveOptions(), begun, confirm=lambda _: True)
else:
    purging.undo(Path(sys.argv[3]), redis=None, journal_key=None, report=begun)
"""
"""Says so when the first batch is done."""


def _killed_after(seconds: float, what: str, plan: Path, journal: Path, rate: int = 0) -> None:
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, what, str(plan), str(journal), str(rate)],
        env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    process.stdout.close()
    assert process.returncode in (0, -signal.SIGKILL)  # an error of its own would have killed nothing


KILLS = int(os.environ.get("NECROPSY_KILLS", "6"))


@pytest.mark.process
@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_any_instant_an_undo_restores_every_key(
    number: int, client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    rng = random.Random(number)
    spring(client, anonymous=600, recent=20, users=20, seed=number)
    before = state(client)
    _, path = make_plan(server.url, tmp_path)
    journal = tmp_path / "journal"
    rate = number % 2 * 2000  # the slow ones are mostly killed between two batches, the fast ones within
    _killed_after(rng.uniform(0.0, 0.3 if rate else 0.04), "apply", path, journal, rate)
    if not (journal / "journal.json").exists():
        assert same(before, state(client)) == []
        return
    if os.environ.get("NECROPSY_KILLS_SAID"):
        sys.stderr.write(
            f"killed when {600 - len(client.keys(f'{SPRING}:sessions:expires:*')) + 40} of 600 were deleted\n"
        )
    for _ in range(rng.randrange(2)):
        _killed_after(rng.uniform(0.0, 0.02), "undo", path, journal)
    undo(journal)
    assert same(before, state(client), slack_ms=1000) == []
    assert batches.HEARD_AFTER_S > 0
    assert scripts.LOST in scripts.DELETED

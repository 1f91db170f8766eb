"""Purge and undo on real servers: garbage goes, users stay, and everything comes back."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from necropsy.evidence.redis.options import LiveOptions
from necropsy.treat.purge.batch import Unlinker
from necropsy.treat.purge.control import Control, Knobs
from necropsy.treat.purge.progress import Progress
from necropsy.treat.purge.stores import TreatmentError
from necropsy.treat.purge.throttle import Throttle
from necropsy.treatment import purging
from necropsy.wire.redis.address import parse_address
from servers import NAMES, running
from treat.purge.population import CONTEXT, SPRING, apply, express, make_plan, same, spring, state, undo

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("by", ["dump", "snapshot"])
@pytest.mark.parametrize("name", NAMES)
def test_a_purge_takes_the_anonymous_whole_and_an_undo_brings_all_back(name: str, by: str, tmp_path: Path) -> None:
    with running(name, "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0") as server:
        client = server.client()
        ids, others = spring(client), express(client)
        client.set("cache:product:1", "x")
        before = state(client)
        plan, path = make_plan(server.url, tmp_path)
        assert plan.sessions == len(ids.anonymous) + len(others.anonymous)
        assert plan.sessions + sum(plan.kept.values()) == plan.total == 60
        done = apply(path, tmp_path / "journal", by=by)
        assert done.deleted == plan.sessions
        assert done.kept.total() == 0
        assert (done.dumped == 0) == (by == "snapshot")
        left = state(client)
        for identifier in ids.anonymous:
            assert not any(identifier.encode() in key for key in left)
            assert not any(identifier in str(value) for value, _ in left.values())
        for identifier in (*ids.recent, *ids.users):
            assert {
                f"{SPRING}:sessions:{identifier}".encode(),
                f"{SPRING}:sessions:expires:{identifier}".encode(),
            } <= left.keys()
        assert all(f"sess:{identifier}".encode() in left for identifier in (*others.recent, *others.users))
        assert b"cache:product:1" in left
        back = undo(tmp_path / "journal")
        assert back.codes[1] == done.deleted
        assert same(before, state(client)) == []


def test_a_snapshot_of_several_pieces_holds_every_value_whatever_its_key_is_called(tmp_path: Path) -> None:
    """One name in ten is stored compressed, and batches end where no piece of the dump does."""
    with running("redis-7.0", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0") as server:
        client = server.client()
        spring(client, anonymous=9000, recent=10, users=10)
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        done = apply(path, tmp_path / "journal", by="snapshot", knobs=Knobs(max_impact_s=0.05, batch=2000))
        assert (done.deleted, done.kept.total(), done.dumped) == (9000, 0, 0)
        assert undo(tmp_path / "journal").codes[1] == 9000
        assert same(before, state(client)) == []


def test_what_looks_like_another_session_within_a_value_is_none(tmp_path: Path) -> None:
    """Whoever fills a session with the bytes of a dump must not be logged in by an undo."""
    options = ("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", "--rdbcompression", "no")
    with running("redis-7.0", *options) as server:
        client = server.client()
        first, *others = (f"{SPRING}:sessions:{one}".encode() for one in spring(client, recent=0, users=0).anonymous)
        texts = (first, CONTEXT.encode(), b"a login")
        written = b"".join(bytes((len(text),)) + text for text in texts)
        ends = int(client.execute_command("PEXPIRETIME", first)).to_bytes(8, "little")
        forged = b"\xfc" + ends + b"\x04" + written[: 1 + len(first)] + b"\x01" + written[1 + len(first) :]
        for key in others:
            client.hset(key, "sessionAttr:X", forged)
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        done = apply(path, tmp_path / "journal", by="snapshot")
        assert (done.deleted, done.dumped) == (20, 0)
        assert undo(tmp_path / "journal").codes[1] == 20
        assert same(before, state(client)) == []


def test_a_purge_that_was_undone_is_applied_again_with_the_same_journal_and_counted_once(tmp_path: Path) -> None:
    with running("redis-7.0") as server:
        client = server.client()
        spring(client)
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        assert apply(path, tmp_path / "journal").deleted == 20
        assert undo(tmp_path / "journal").codes[1] == 20
        done = apply(path, tmp_path / "journal")
        assert (done.deleted_before, done.deleted, done.kept.total()) == (0, 20, 0)
        assert undo(tmp_path / "journal").codes[1] == 20
        assert same(before, state(client)) == []


def test_a_user_who_may_not_even_ask_for_the_time_is_told_what_it_needs(tmp_path: Path) -> None:
    with running("redis-7.0", tcp=True) as server:
        client = server.client()
        spring(client)
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        client.execute_command("ACL", "SETUSER", "low", "on", ">secret", "~*", "+@read", "+info", "+ping", "+client")
        address = parse_address(f"redis://low:secret@127.0.0.1:{server.port}/0")
        with pytest.raises(TreatmentError, match="NOPERM") as caught:
            apply(path, tmp_path / "journal", redis=address)
        assert "ACL SETUSER" in caught.value.hint
        assert "secret" not in str(caught.value)
        assert same(before, state(client)) == []


def test_every_session_of_a_plan_is_counted_once_in_batches_of_any_size(tmp_path: Path) -> None:
    with running("redis-8.2") as server:
        client = server.client()
        spring(client, anonymous=3000, recent=0, users=0)
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        done = apply(path, tmp_path / "journal", knobs=Knobs(max_impact_s=0.05, batch=1300))
        assert (done.deleted, done.kept.total(), done.batches) == (3000, 0, 3)
        found = purging.verify(tmp_path / "journal")
        assert (found.sessions, found.deleted, found.unknown) == (3000, 3000, 0)
        assert undo(tmp_path / "journal", batches=[2]).codes[1] == 1300
        assert undo(tmp_path / "journal").codes[1] == 1700
        assert same(before, state(client)) == []


def test_control_file_and_signal_pause_stop_and_turn_the_knobs(tmp_path: Path) -> None:
    file = tmp_path / "control"
    control = Control(Knobs(), file)
    assert control.look().max_impact_s == 0.002
    file.write_text("max-impact 500us  # careful\nrate 300\nmax-ops 20000\nbatch 50\npause\n")
    knobs = control.look()
    assert (knobs.max_impact_s, knobs.rate, knobs.batch, knobs.paused) == (0.0005, 300, 50, True)
    assert knobs.max_ops == 20_000
    file.write_text("run\nwhat is this\nstop\n")
    knobs = control.look()
    assert (knobs.paused, knobs.stopping) == (False, True)
    assert "not understood" in knobs.complaint
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        other = Control(Knobs())
        with other.signals():
            signal.raise_signal(signal.SIGUSR1)
            assert other.look().paused
            signal.raise_signal(signal.SIGINT)
            assert other.look().stopping
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_purge_that_is_stopped_says_so_and_goes_on(tmp_path: Path) -> None:
    with running("redis-7.0") as server:
        client = server.client()
        spring(client, anonymous=200, recent=0, users=0)
        _, path = make_plan(server.url, tmp_path)
        control = tmp_path / "control"

        def stop(progress: Progress) -> None:
            if progress.deleted >= 20:
                control.write_text("stop")

        order = purging.PurgeOrder(path, tmp_path / "journal", knobs=Knobs(batch=10), control=control)
        done = purging.apply_plan(order, LiveOptions(), stop, confirm=lambda _plan: True)
        assert done is not None
        assert done.state == "stopped"
        assert 20 <= done.deleted < 200
        assert done.deleted + done.kept.total() == 200
        again = apply(path, tmp_path / "journal")
        assert again.deleted_before == done.deleted
        assert again.deleted_before + again.deleted == 200


def test_a_rate_is_kept_within_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    done_by_then: list[int] = []
    delete = Unlinker.delete

    def counted(self: Unlinker, *arguments: Any) -> Any:
        asked.append(len(arguments[2]))
        return delete(self, *arguments)

    def no_rest(_self: Throttle, done: int) -> float:
        done_by_then.append(done)
        return 0.0

    monkeypatch.setattr(Unlinker, "delete", counted)
    monkeypatch.setattr(Throttle, "pace", no_rest)
    with running("redis-8.2") as server:
        spring(server.client(), anonymous=100, recent=0, users=0)
        _, path = make_plan(server.url, tmp_path)
        assert apply(path, tmp_path / "journal", knobs=Knobs(batch=1000, rate=40)).deleted == 100
    assert max(asked) == 10
    assert {10, 50, 90} <= set(done_by_then), "sessions of the batch in hand count"

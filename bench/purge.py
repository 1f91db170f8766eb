"""A purge beside the unsafe way, by the server's processor time and by the clock.

Garbage sessions (Spring indexed: a hash, a marker, a member in a minute's set) among live ones. The peer deletes by pattern
and checks and journals nothing: ``redis-cli --scan --pattern '…' | xargs -n 1000 redis-cli unlink``. Wanted: purge with the
journal from a snapshot at most 1.0 x the peer's processor time of the server, with DUMP at most 3 x; undo at most 1.3 x bare
RESTOREs of the same keys; cap-ttl at most 2 x bare PEXPIRE ... LT; a plan at most 1.2 x the reading of ``examine``.

    python bench/purge.py [SESSIONS]
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from necropsy.evidence.redis.options import LiveOptions
from necropsy.treat.purge import plan as plans
from necropsy.treat.purge.control import Knobs
from necropsy.treatment import capping, purging
from necropsy.wire.redis.address import parse_address
from servers import Server, running
from treat.purge.population import HOUR, SPRING, write_spring

LIVE_SHARE = 0.01
IMPACT_S = 0.005


def name_of(number: int) -> str:
    """The id of a session: random, as a name that repeats itself is compressed in a snapshot."""
    return str(uuid.UUID(int=random.Random(number).getrandbits(128), version=4))


def cpu(server: Server) -> float:
    """Processor time of the server and its children, seconds."""
    info = server.client().info("cpu")
    return info["used_cpu_user"] + info["used_cpu_sys"]


def children(server: Server) -> float:
    info = server.client().info("cpu")
    return info["used_cpu_user_children"] + info["used_cpu_sys_children"]


def fill(server: Server, sessions: int) -> None:
    client = server.client()
    client.flushall()
    now = int(time.time() * 1000)
    pipe = client.pipeline(transaction=False)
    live = int(sessions * LIVE_SHARE)
    for number in range(sessions + live):
        write_spring(pipe, name_of(number), now - 2 * HOUR - number % 3_600_000, user=number < live)
        if number % 2000 == 1999:
            pipe.execute()
    pipe.execute()


@contextmanager
def measured(server: Server, name: str, sessions: int, rows: list[tuple[str, float, float, float]]) -> Iterator[None]:
    before, forked, began = cpu(server), children(server), time.perf_counter()
    yield
    took = time.perf_counter() - began
    rows.append((name, cpu(server) - before, children(server) - forked, took))
    mine = rows[-1]
    print(
        f"{name:48} {1e6 * mine[1] / sessions:8.1f} us/session of the server, children {mine[2]:6.2f} s,"
        f" {sessions / mine[3]:10,.0f} sessions/s by the clock",
        flush=True,
    )


def unsafe(server: Server) -> None:
    cli = shutil.which("redis-cli") or "redis-cli"
    scan = (
        f"{cli} -p {server.port} --scan --pattern '{SPRING}:sessions:*' | xargs -n 1000 {cli} -p {server.port} unlink"
    )
    subprocess.run(["bash", "-c", scan], check=True, stdout=subprocess.DEVNULL)


def planned(server: Server, folder: Path) -> Path:
    made, key = purging.make_plan(
        parse_address(server.url),
        purging.PurgeSelection(("anonymous",)),
        LiveOptions(max_impact_s=IMPACT_S),
        lambda _what, _share: None,
    )
    plans.save(made, folder / "bench.plan", key)
    return folder / "bench.plan"


def applied(plan: Path, journal: Path, by: str) -> None:
    order = purging.PurgeOrder(plan, journal, knobs=Knobs(max_impact_s=IMPACT_S, batch=5000), by=by)
    done = purging.apply_plan(
        order, LiveOptions(max_impact_s=IMPACT_S), lambda _progress: None, confirm=lambda _plan: True
    )
    if done is not None:
        print(f"  {done.line()}  fetched by DUMP: {done.dumped:,}", flush=True)


def bare_restores(server: Server, sessions: int) -> Callable[[], None]:
    client = server.client()
    names = [name_of(number) for number in range(sessions)]
    keys = [key for name in names for key in (f"{SPRING}:sessions:{name}", f"{SPRING}:sessions:expires:{name}")]
    values: list[tuple[str, bytes, int]] = []
    for start in range(0, len(keys), 2000):
        pipe = client.pipeline(transaction=False)
        for key in keys[start : start + 2000]:
            pipe.dump(key)
            pipe.pexpiretime(key)
        answers = pipe.execute()
        values += zip(keys[start : start + 2000], answers[::2], answers[1::2], strict=True)
    client.unlink(*keys[:0] or ["none"])
    for start in range(0, len(keys), 2000):
        client.unlink(*keys[start : start + 2000])

    def run() -> None:
        for start in range(0, len(values), 2000):
            pipe = client.pipeline(transaction=False)
            for key, value, ends in values[start : start + 2000]:
                if value:
                    pipe.restore(key, ends, value, absttl=True)
            pipe.execute()

    return run


def main() -> None:
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rows: list[tuple[str, float, float, float]] = []
    folder = Path(tempfile.mkdtemp())
    options = ("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0")
    with running("redis-7.0", *options, tcp=True) as server:
        address = parse_address(server.url)
        fill(server, sessions)
        with measured(server, "redis-cli --scan | xargs unlink (checks nothing)", sessions, rows):
            unsafe(server)
        fill(server, sessions)
        with measured(server, "plan", sessions, rows):
            plan = planned(server, folder)
        with measured(server, "purge, journal from a snapshot", sessions, rows):
            applied(plan, folder / "snapshot", "snapshot")
        with measured(server, "undo", sessions, rows):
            purging.undo(folder / "snapshot", redis=None, journal_key=None)
        plan = planned(server, folder)
        with measured(server, "purge, journal by DUMP", sessions, rows):
            applied(plan, folder / "dump", "dump")
        purging.undo(folder / "dump", redis=None, journal_key=None)
        run = bare_restores(server, sessions)
        with measured(server, "bare RESTOREs of the same keys", sessions, rows):
            run()
        with measured(server, "cap-ttl", sessions, rows):
            capping.cap(address, 3600, LiveOptions(max_impact_s=1.0), journal=folder / "cap", by="snapshot")
        client = server.client()
        names = [name_of(number) for number in range(sessions)]
        with measured(server, "bare PEXPIRE ... LT", sessions, rows):
            for start in range(0, sessions, 1000):
                pipe = client.pipeline(transaction=False)
                for name in names[start : start + 1000]:
                    pipe.pexpire(f"{SPRING}:sessions:{name}", 3_000_000, lt=True)
                    pipe.pexpire(f"{SPRING}:sessions:expires:{name}", 2_700_000, lt=True)
                pipe.execute()
    shutil.rmtree(folder)
    by = {name: (cpu_s, took) for name, cpu_s, _, took in rows}
    peer = by["redis-cli --scan | xargs unlink (checks nothing)"]
    print()
    for name, other, wanted in (
        ("purge, journal from a snapshot", peer, "1.0"),
        ("purge, journal by DUMP", peer, "3"),
        ("undo", by["bare RESTOREs of the same keys"], "1.3"),
        ("cap-ttl", by["bare PEXPIRE ... LT"], "2"),
    ):
        mine = by[name]
        print(
            f"{name:34} {mine[0] / other[0]:5.2f} x the peer's CPU of the server (wanted <= {wanted}), {mine[1] / other[1]:5.2f} x its clock"
        )
    memory(sessions)


def memory(sessions: int) -> None:
    """Print the memory that each command takes: a process of its own each."""
    from purge_large import ALONE, measured

    with running("redis-7.0", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", tcp=True) as server:
        fill(server, sessions)
        with tempfile.TemporaryDirectory() as folder:
            plan, journal = f"{folder}/a.plan", f"{folder}/a.journal"
            for words in (
                ("purge", "--redis", server.url, "--where", "anonymous", "--plan", plan),
                ("purge", "--apply", plan, "--journal", journal, "--yes", "--journal-by", "snapshot"),
                ("purge", "--undo", journal),
            ):
                _, peak = measured(sys.executable, ALONE, *words, "--quiet")
                print(f"peak memory of necropsy {words[0]} {words[1]}: {peak:.0f} MB")


if __name__ == "__main__":
    main()

